"""A hall's day: opening, closing early, its end, messages, and the configuration in force."""

from queue_server.domain import commands as c
from queue_server.domain import events as e
from queue_server.domain.configuration import Configuration
from queue_server.domain.errors import Rejected
from queue_server.domain.finishing import finish_in_hand
from queue_server.domain.model import Hall, Ticket
from queue_server.domain.queues import all_windows, in_order, is_away, queue_of_staff
from queue_server.domain.ratings import BAD_RATING
from queue_server.domain.serving import Serving
from queue_server.domain.states import OVER
from queue_server.wire.common import HallState, TicketState, WindowState

MESSAGE_KINDS = frozenset({"emergency", "notice", "none"})
UNSEEN_MS = 7 * 24 * 3600_000
"""How long a bad rating that nobody has seen is an alarm: after a week the report is its place."""
SPOKEN_EVERY_MS = {"emergency": 30_000, "closing": 10 * 60_000}
"""The messages that are also spoken (UX V-11 the other way round: who does not look at a screen hears them), and how often."""


def open_day(hall: Hall, command: c.OpenDay, ctx: c.Context) -> list[e.Event]:
    """RULES 15; a local date never opens twice, whatever the clock does."""
    if hall.day and command.day <= hall.day:
        raise Rejected("day-not-later", day=hall.day)
    ended = [] if not hall.day or hall.state is HallState.CLOSED else end_day(hall, c.EndDay(), ctx)
    devices = tuple(
        e.DeviceAt(
            device=name,
            state=health.state,
            printer=health.printer,
            since=health.since,
            offline_since=health.offline_since,
            error=health.error,
        )
        for name, health in hall.devices.items()
    )
    opened = e.DayOpened(day=command.day, previous_day=hall.day, at=ctx.now, devices=devices)
    # A bad rating that nobody has seen (RULES 54): a day is replayed alone, so it is raised in this one, for a week.
    unseen = [
        e.AlarmRaised(
            alarm=alarm.id,
            code=alarm.code,
            subject=alarm.subject,
            level=alarm.level,
            figure=alarm.figure,
            at=alarm.at,
            window=alarm.window,
            staff=alarm.staff,
        )
        for alarm in hall.alarms.values()
        if alarm.code == BAD_RATING and not alarm.acknowledged_by and ctx.now - alarm.at < UNSEEN_MS
    ]
    # So is a zone that is muted beyond the day's opening (UX V-10).
    muted = [
        e.ZoneMuted(zone=zone, until=mute.until, by=mute.by, at=mute.at)
        for zone, mute in hall.muted.items()
        if mute.until > ctx.now
    ]
    return [*ended, opened, *unseen, *muted]


def start_day(hall: Hall, command: c.StartDay, ctx: c.Context) -> list[e.Event]:
    started = e.DayStarted(at=ctx.now)
    if command.day > hall.day:
        return [*open_day(hall, c.OpenDay(day=command.day), ctx), started]
    if not hall.day or hall.state is HallState.CLOSED:
        raise Rejected("hall-closed")
    return [] if hall.state is HallState.OPEN else [started]


def close_day(hall: Hall, command: c.CloseDay, ctx: c.Context) -> list[e.Event]:
    if not hall.day or hall.state is HallState.CLOSED:
        raise Rejected("hall-closed")
    if command.text_en.strip() and not command.text.strip():
        raise Rejected("message-empty")
    said = command.text.strip(), command.text_en.strip()
    if hall.state is HallState.CLOSING and said in (("", ""), hall.closing):
        return []
    closing = e.DayClosing(text=said[0], text_en=said[1], at=ctx.now)
    speaks = closing.text and hall.message[0] != "emergency"
    return [closing, *_spoken(hall, "closing", ctx)] if speaks else [closing]


def end_day(hall: Hall, command: c.EndDay, ctx: c.Context) -> list[e.Event]:
    """RULES 34 as applied: services in hand end, what was called and never came passes, what waits is uncalled.

    Uncalled are also the later stops of a ticket whose service in hand ends here.
    """
    if not hall.day or hall.state is HallState.CLOSED:
        raise Rejected("hall-closed")
    events: list[e.Event] = []
    for window in hall.windows.values():
        if window.state is WindowState.SERVING:
            ended = finish_in_hand(hall, window, ctx, "done", "end of day")
            events += ended
            if isinstance(ended[0], e.StopFinished):
                events.append(e.TicketUncalled(ticket=window.ticket, at=ctx.now))
        elif window.state is WindowState.CALLED:
            events.append(
                e.TicketPassed(
                    ticket=window.ticket,
                    window=window.id,
                    service=window.service,
                    reason="end of day",
                    inferred="end of day",
                    at=ctx.now,
                )
            )
    for ticket in hall.tickets.values():
        if ticket.state in (TicketState.WAITING, TicketState.PARKED):
            events.append(e.TicketUncalled(ticket=ticket.id, at=ctx.now))
    return [*events, e.DayEnded(at=ctx.now)]


def unreachable(hall: Hall, minutes_left: float) -> list[Ticket]:
    """Whom the remaining time will not reach, in calling order: each open window works through its queues."""
    free = {
        window.id: 0.0
        for window in hall.windows.values()
        if window.state not in (WindowState.CLOSED, WindowState.PAUSED)
    }
    late = []
    for ticket in in_order(hall):
        able = [name for name in all_windows(ticket.current.queue) if name in free]
        first = min(able, key=lambda name: (free[name], name), default=None)
        if first is None or free[first] >= minutes_left:
            late.append(ticket)
        else:
            free[first] += hall.catalogue.typical_min(ticket.current.queue)
    return late


def set_message(hall: Hall, command: c.SetMessage, ctx: c.Context) -> list[e.Event]:
    """UX D-08. What stood before early closing's message gives way to it again; taken away itself, it is gone."""
    if command.kind not in MESSAGE_KINDS:
        raise Rejected("message-kind-unknown", kind=command.kind)
    if command.kind != "none" and not command.zh.strip():
        raise Rejected("message-empty")
    if command.kind == "none" and hall.closing[0] and hall.message[0] != "closing":
        return [
            e.MessageSet(kind="closing", zh=hall.closing[0], en=hall.closing[1])
        ]  # spoken when its interval is over
    kind = "" if command.kind == "none" else command.kind
    message = e.MessageSet(kind=kind, zh=command.zh if kind else "", en=command.en if kind else "")
    return [message, *_spoken(hall, kind, ctx)]


def _spoken(hall: Hall, kind: str, ctx: c.Context) -> list[e.Event]:
    """No two announcements of a hall are of one millisecond: each is claimed by its time (law 7)."""
    at = max(ctx.now, max(hall.announced.values(), default=0) + 1)
    return [e.AnnouncementDue(kind=kind, at=at)] if kind in SPOKEN_EVERY_MS else []


def announce_again(hall: Hall, ctx: c.Context) -> list[e.Event]:
    """Whoever came in since has not heard it: a message that stands is spoken again and again, until it is taken away."""
    every_ms = SPOKEN_EVERY_MS.get(hall.message[0])
    if every_ms is None or ctx.now - hall.announced.get(hall.message[0], -every_ms) < every_ms:
        return []
    return _spoken(hall, hall.message[0], ctx)


def requeued(hall: Hall, configuration: Configuration) -> dict[str, tuple[str, ...]]:
    """The queues of every unfinished ticket's stops under another configuration; "" where no window would serve it.

    A stop that is done keeps its queue; nobody is in a closed hall.
    """
    if hall.state is HallState.CLOSED:
        return {}
    serving = Serving(configuration)
    matters = {each.id for each in configuration.matter}
    bundles = {each.id for each in configuration.bundle}
    windows = {each.id for each in configuration.window}
    moved = {}
    for ticket in hall.tickets.values():
        if ticket.state in OVER:
            continue
        queues = []
        for stop in ticket.stops:
            if stop.done:
                queues.append(stop.queue)
            elif stop.staff:
                queue = queue_of_staff(hall, stop.staff)
                queues.append(queue if is_away(queue) or queue in windows else "")
            elif stop.domain:
                queues.append(serving.queue_of_domain(stop.domain))
            elif stop.window:
                queues.append(stop.window if stop.window in windows else "")
            elif stop.bundle:
                queues.append(serving.queue_of(bundle=stop.bundle) if stop.bundle in bundles else "")
            else:
                queues.append(serving.queue_of(stop.matters) if matters.issuperset(stop.matters) else "")
        moved[ticket.id] = tuple(queues)
    return moved


def plan_configuration(hall: Hall, command: c.PlanConfiguration, ctx: c.Context) -> list[e.Event]:
    """Tonight: nobody waits then, so nothing can be stranded."""
    return [e.ConfigurationPlanned(source=command.source, configuration=command.configuration)]


def apply_configuration(hall: Hall, command: c.ApplyConfiguration, ctx: c.Context) -> list[e.Event]:
    """A new version in force now; refused when a ticket in the house would have no window."""
    queues = requeued(hall, command.configuration)
    stranded = [hall.tickets[name].number for name, stops in queues.items() if "" in stops]
    if stranded:
        raise Rejected("configuration-strands", numbers=sorted(stranded))
    applied = e.ConfigurationApplied(
        version=hall.version + 1, source=command.source, configuration=command.configuration, queues=queues
    )
    return [applied]
