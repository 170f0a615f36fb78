"""好差评: one rating per service, of citizen origin only (RULES 36, 43–51)."""

from queue_server.domain import commands as c
from queue_server.domain import events as e
from queue_server.domain.errors import Rejected
from queue_server.domain.finishing import infer_arrival
from queue_server.domain.model import Hall, Service
from queue_server.domain.windows import known_window
from queue_server.wire.common import WindowState

LEVELS = {5: "非常满意", 4: "满意", 3: "基本满意", 2: "不满意", 1: "非常不满意"}
TAGS: dict[int, range] = {
    5: range(510, 518),
    4: range(406, 414),
    3: range(307, 315),
    2: range(207, 215),
    1: range(108, 116),
}
BAD_MAX = 2
"""差评: level 1 or 2."""
BAD_RATING = "bad-rating"
"""The code of its alarm."""
TEXT_MAX = 150
LATE_AFTER_MS = 10 * 60_000


def check_level(level: int, tags: tuple[str, ...], has_text: bool) -> None:
    """RULES 43–45: level 5…1, tags of that level only, and a tag or text for 1 and 2."""
    if level not in LEVELS:
        raise Rejected("level-unknown", level=level)
    if any(not tag.isdecimal() or int(tag) not in TAGS[level] for tag in tags):
        raise Rejected("tag-unknown", level=level)
    if level <= BAD_MAX and not tags and not has_text:
        raise Rejected("rating-needs-reason")


def pressed_service(hall: Hall, window_name: str, pressed_at: int) -> Service:
    """The service a press belongs to: what was in hand or last finished at the window when it was pressed.

    The device was asked for one service: until that one is rated, a press within its invitation is its own, whoever
    sits there by then. With one key a citizen (UX C-01) every invitation goes out together with the next call, so while
    the next citizen is merely called a second press is the last one's too.
    """
    window = known_window(hall, window_name)
    last = hall.services.get(window.last_service)
    if last is not None and last.invited_at and (window.state is WindowState.CALLED or not last.rating):
        until = last.invited_at + hall.configuration.policy.invite_for_s * 1000
        if last.invited_at <= pressed_at <= until and not last.cancelled:
            return last
    for name in (window.service, window.last_service):
        service = hall.services.get(name)
        if service is not None and not service.cancelled and service.called_at <= pressed_at:
            return service
    raise Rejected("nothing-to-rate", window=window_name)


def press(hall: Hall, command: c.PressRating, ctx: c.Context) -> list[e.Event]:
    """A press on the window's device; a press while the citizen is merely called shows that they came."""
    service = pressed_service(hall, command.window, command.pressed_at)
    if service.rating:
        raise Rejected("already-rated")
    if command.level not in LEVELS:
        raise Rejected("level-unknown", level=command.level)
    window = hall.windows[command.window]
    events: list[e.Event] = []
    if window.service == service.id and window.state is WindowState.CALLED:
        events += infer_arrival(hall, window, ctx, "rating")
    late = bool(service.finished_at) and command.pressed_at - service.finished_at > LATE_AFTER_MS
    rated = e.ServiceRated(
        rating=command.id,
        service=service.id,
        level=command.level,
        channel="device",
        device=command.device,
        tags=(),
        has_text=False,
        pressed_at=command.pressed_at,
        late=late,
        at=ctx.now,
    )
    return [*events, rated, *_alarm(rated, service.window, service.staff)]


def rate(hall: Hall, command: c.Rate, ctx: c.Context) -> list[e.Event]:
    """A rating from the citizen's page, after the service."""
    service = hall.services.get(command.service)
    if service is None or service.cancelled or not service.started_at:
        raise Rejected("service-unknown")
    if service.rating:
        raise Rejected("already-rated")
    check_level(command.level, command.tags, command.has_text)
    rated = rated_on_page(command, ctx)
    return [rated, *_alarm(rated, service.window, service.staff)]


def rate_earlier(hall: Hall, command: c.RateEarlier, ctx: c.Context) -> list[e.Event]:
    """UX P-01: still one per service, whichever of the days of its rating period it comes on."""
    if command.day != hall.day:
        raise Rejected("day-changed")
    if command.rated or command.service in hall.rated_earlier:
        raise Rejected("already-rated")
    if ctx.now > command.until:
        raise Rejected("rating-closed")
    check_level(command.level, command.tags, command.has_text)
    rated = rated_on_page(command, ctx)
    return [rated, *_alarm(rated, command.window, command.staff)]


def _alarm(rated: e.ServiceRated, window: str, staff: str) -> list[e.Event]:
    """RULES 54, UX M-02: a bad rating is told at once, by its window only (RULES 50); each is an alarm of its own.

    `staff` gave the service: whoever sees to the rating is somebody else (RULES 58).
    """
    if rated.level > BAD_MAX:
        return []
    raised = e.AlarmRaised(
        alarm=f"{BAD_RATING}:{rated.rating}",
        code=BAD_RATING,
        subject=rated.rating,
        level="alert",
        figure=0,
        at=rated.at,
        window=window,
        staff=staff,
    )
    return [raised]


def rated_on_page(command: c.Rate, ctx: c.Context) -> e.ServiceRated:
    """The event of a page's rating; of today or of an earlier day."""
    return e.ServiceRated(
        rating=command.id,
        service=command.service,
        level=command.level,
        channel="phone",
        device="",
        tags=command.tags,
        has_text=command.has_text,
        pressed_at=ctx.now,
        late=False,
        at=ctx.now,
    )
