"""The desk of a clerk: every key with its state, found by asking the rules themselves."""

from msgspec import structs

from queue_server.app.clock import Clock
from queue_server.app.texts import NOTHING, plain, words
from queue_server.app.views.tickets import place_of, plate_of, stop_names, ticket_document, ticket_line
from queue_server.domain import commands as c
from queue_server.domain.calling import upcoming
from queue_server.domain.configuration import Matter
from queue_server.domain.decide import decide
from queue_server.domain.errors import Rejected
from queue_server.domain.model import Hall, Service, Window
from queue_server.domain.windows import no_device_since, rating_device
from queue_server.wire.common import DeviceState, WindowState, Words
from queue_server.wire.documents import Action, DeskDocument, TicketLine, Undoable, WindowDocument

NEXT_SHOWN = 5
DRY = "-"
"""The service id of a command that is only tried, never applied."""


def _tries(window: str) -> dict[str, c.Command]:
    return {
        "call-next": c.CallNext(window=window, service=DRY),
        "recall": c.Recall(window=window),
        "arrive": c.Arrive(window=window),
        "no-show": c.MarkNoShow(window=window, reason=DRY),
        "finish": c.Finish(window=window),
        # Where to is asked next: the key needs somebody in hand, as parking does, whatever other window is open.
        "transfer": c.Park(window=window, reason=DRY),
        "park": c.Park(window=window, reason=DRY),
        "pause": c.PauseWindow(window=window, reason="other"),
        "resume": c.ResumeWindow(window=window),
        "close": c.CloseWindow(window=window),
        "serve-direct": c.ServeDirect(window=window, service=DRY),
        "undo": c.Undo(window=window),
    }


def actions(hall: Hall, window: str, clock: Clock, now: int) -> list[Action]:
    """UX C-01: the state machine is the server's, because the server is asked."""
    ctx = c.Context(now=now, minute=clock.minute(now), actor="")
    found = []
    for name, command in _tries(window).items():
        try:
            decide(hall, command, ctx)
        except Rejected as rejection:
            asks = rejection.code == "arrived-or-not"
            why = words(rejection.code, rejection.figures)
            found.append(Action(name=name, allowed=asks, code=rejection.code, why=why))
        else:
            found.append(Action(name=name, allowed=True, code="", why=NOTHING))
    return found


def typical_s(hall: Hall, service: Service) -> int | None:
    """Mean time of such a service, s; None when nothing is known of it."""
    matters = [hall.catalogue.matters[name] for name in service.matters if name in hall.catalogue.matters]
    bundle = hall.catalogue.bundles.get(service.bundle)
    minutes = bundle.minutes if bundle else sum(matter.minutes for matter in matters)
    return int(minutes * 60) or None


def desk_document(hall: Hall, window: Window, clock: Clock, now: int) -> DeskDocument:
    """The ticket in hand, the keys, what may be taken back, and the question that stands."""
    ticket = hall.tickets.get(window.ticket)
    service = hall.services.get(window.service)
    policy = hall.configuration.policy
    asked = words("arrived-or-not", {"number": ticket.number}) if ticket and window.asked_at else None
    recall_at = None
    if ticket is not None and window.state is WindowState.CALLED and ticket.calls < policy.recall_limit:
        recall_at = ticket.last_call_at + policy.recall_interval_s * 1000
    return DeskDocument(
        ticket=ticket_document(hall, ticket, clock, now) if ticket else None,
        service=window.service,
        started_at=service.started_at or None if service else None,
        typical_s=typical_s(hall, service) if service else None,
        note=ticket.note if ticket else "",
        passed_on=ticket.current.reason if ticket else "",
        actions=actions(hall, window.id, clock, now),
        undo=_undoable(hall, window, now),
        asked=asked,
        recall_at=recall_at,
    )


def _undoable(hall: Hall, window: Window, now: int) -> Undoable | None:
    last = window.last
    if last is None or window.state is not WindowState.IDLE:
        return None
    until = last.at + hall.configuration.policy.undo_s * 1000
    if now > until or hall.services[last.service].rating:
        return None
    number = hall.tickets[last.ticket].number if last.ticket else ""
    return Undoable(what=last.what, number=number, until=until)


def next_lines(hall: Hall, window: str, now: int) -> list[TicketLine]:
    """Whom the window would call, in calling order."""
    return [ticket_line(hall, ticket, now) for ticket in upcoming(hall, window, now, NEXT_SHOWN)]


def aside_lines(hall: Hall, window: Window, now: int) -> list[TicketLine]:
    """What this window has parked, and its last passed tickets (UX C-06)."""
    parked = [hall.tickets[name] for name in sorted(hall.parked) if hall.tickets[name].window == window.id]
    passed = [hall.tickets[name] for name in list(window.passed)[: hall.configuration.policy.restore_last]]
    return [structs.replace(ticket_line(hall, ticket, now), at=ticket.aside_at) for ticket in (*parked, *passed)]


def rating_device_state(hall: Hall, window: str) -> DeviceState:
    """Health of the rating device that would be asked, else of the window's first; UNKNOWN when it has none or none was heard of."""
    pads = hall.catalogue.rating_pads.get(window, ())
    health = hall.devices.get(rating_device(hall, window) or next(iter(pads), ""))
    return health.state if health is not None else DeviceState.UNKNOWN


def window_document(hall: Hall, window: Window, invite_url: str, now: int) -> WindowDocument:
    """What stands over a window (UX W-01). `invite_url` is "" unless the QR is offered now."""
    entry = hall.catalogue.windows.get(window.id)
    ticket = hall.tickets.get(window.ticket)
    service = hall.services.get(window.service)
    last = hall.services.get(window.last_service)
    inviting = is_inviting(hall, last, now)
    matter: Words = NOTHING
    if ticket is not None:
        matter = stop_names(hall, ticket.current)[0]
    elif service is not None and service.matters:
        known: Matter | None = hall.catalogue.matters.get(service.matters[0])
        matter = plain(known.name, known.name_en) if known else NOTHING
    return WindowDocument(
        id=window.id,
        plate=plate_of(hall, window.id),
        name=plain(entry.name, entry.name_en) if entry else plain(window.id),
        kind=entry.kind.value if entry else "",
        zone=entry.zone if entry else "",
        place=place_of(hall, window.id),
        domains=_domain_names(hall, window.id),
        state=window.state,
        since=window.since or hall.opened_at or None,
        number=ticket.number if ticket else "",
        calls=ticket.calls if ticket else 0,
        pause_reason=words(f"paused.{window.pause_reason}") if window.pause_reason else NOTHING,
        resumes_at=window.resumes_at,
        staff=window.staff,
        staff_name=window.staff_name,
        served=window.served,
        inviting=inviting,
        invite_url=invite_url if inviting else "",
        rating_device=rating_device_state(hall, window.id),
        rating_qr=not rating_device(hall, window.id),
        rating_qr_since=no_device_since(hall, window.id) or None,
        typical_s=typical_s(hall, service) if service else None,
        matter=matter,
    )


def is_inviting(hall: Hall, service: Service | None, now: int) -> bool:
    """Whether the invitation for a service still stands."""
    if service is None or not service.invited_at or service.rating:
        return False
    return now - service.invited_at <= hall.configuration.policy.invite_for_s * 1000


def _domain_names(hall: Hall, window: str) -> list[Words]:
    entry = hall.catalogue.windows.get(window)
    if entry is None:
        return []
    if "*" in entry.domains:
        return [Words(zh="全部事项", en="All matters")]
    domains = (hall.catalogue.domains[name] for name in entry.domains if name in hall.catalogue.domains)
    return [plain(domain.name, domain.name_en) for domain in domains]
