"""Issuing a ticket, and what its citizen may do with it."""

from functools import lru_cache

import msgspec

from queue_server.domain import commands as c
from queue_server.domain import events as e
from queue_server.domain.configuration import Configuration
from queue_server.domain.errors import Rejected
from queue_server.domain.kept import kept
from queue_server.domain.model import Hall, Key, Ticket
from queue_server.domain.pools import sold_out
from queue_server.domain.queues import ahead_of, home_windows, key_behind
from queue_server.domain.serving import Serving
from queue_server.domain.states import OVER
from queue_server.domain.windows import is_served, open_windows
from queue_server.forecast.estimate import wait_range_s
from queue_server.wire.common import HallState, PrintState, TicketState, WindowState

SLIP_CREDIT_MIN = 30
KIOSK_REPRINT_MS = 60_000
UNMET_AGAIN_MS = 60_000

_CLOSED, _PAUSED = WindowState.CLOSED, WindowState.PAUSED
_DAY_BEFORE, _DAY_CLOSING, _DAY_CLOSED = HallState.BEFORE, HallState.CLOSING, HallState.CLOSED


def _plan(hall: Hall, command: c.TakeTicket, ctx: c.Context) -> tuple[tuple[e.StopPlan, ...], str]:
    """The stops of what is asked for (RULES 31) and the letters of its number; Rejected when the catalogue lacks it."""
    if command.bundle:
        if command.matters:
            raise Rejected("bundle-or-matters")
        hall.catalogue.require_bundle(command.bundle)
    elif not command.matters:
        raise Rejected("no-matter")
    else:
        hall.catalogue.require(command.matters)
    found = _wish(hall.serving, command.matters, command.bundle, None)
    if not found[0]:
        raise Rejected("nobody-serves", *_unmet(hall, command, ctx, hall.serving.unserved(command.matters)))
    for stop in found[0]:
        if not is_served(hall, stop.queue):
            return _plan_among(hall, command, ctx, open_windows(hall))
    return found


def _plan_among(
    hall: Hall, command: c.TakeTicket, ctx: c.Context, working: frozenset[str]
) -> tuple[tuple[e.StopPlan, ...], str]:
    """RULES 17, 31: the window that would do it all is closed, but others do its parts: the stops among those open."""
    found = ((), "") if command.bundle else _wish(hall.serving, command.matters, "", working)
    if not found[0]:
        shut = () if command.bundle else hall.serving.unserved(command.matters, working)
        raise Rejected("nobody-serves", *_unmet(hall, command, ctx, shut))
    return found


@kept(4096)
def _wish(
    serving: Serving, matters: tuple[str, ...], bundle: str, among: frozenset[str] | None
) -> tuple[tuple[e.StopPlan, ...], str]:
    """Stops and letters of a wish, worked out once while the configuration stands; no stops when no window serves it."""
    if bundle:
        plan: tuple[e.StopPlan, ...] = (e.StopPlan(matters=(), bundle=bundle, queue=serving.queue_of(bundle=bundle)),)
    elif serving.unserved(matters, among):
        return (), ""
    else:
        plan = tuple(e.StopPlan(matters=stop, bundle="", queue=queue) for stop, queue in serving.plan(matters, among))
    return plan, serving.prefix_of(plan[0].matters, bundle)


def _unmet(hall: Hall, command: c.TakeTicket, ctx: c.Context, matters: tuple[str, ...]) -> list[e.DemandUnmet]:
    """RULES 17: what nobody serves is counted once a request, and once a minute of one citizen (at a kiosk: of one kiosk)."""
    who = command.person or command.origin
    if ctx.request and (command.origin, ctx.request) in hall.unmet_requests:
        return []
    kind, wanted = ("bundle", (command.bundle,)) if command.bundle else ("matter", matters)
    known = [hall.unmet_of.get((kind, name)) for name in wanted]
    last = [unmet.asked.get(who, -UNMET_AGAIN_MS) if unmet else -UNMET_AGAIN_MS for unmet in known]
    fresh = tuple([name for name, at in zip(wanted, last, strict=True) if ctx.now - at >= UNMET_AGAIN_MS])
    if not fresh:
        return []
    unmet = e.DemandUnmet(
        matters=() if command.bundle else fresh,
        bundle=command.bundle,
        origin=command.origin,
        at=ctx.now,
        who=who,
        request=ctx.request,
    )
    return [unmet]


def standing_ticket(hall: Hall, person: str, wanted: str) -> Ticket | None:
    """The person's ticket for the matter or bundle that is not over (RULES 16); none once the hall is closed."""
    name = hall.persons.get((person, wanted))
    return None if name is None or hall.state is HallState.CLOSED else hall.tickets[name]


def credit_ms_of(configuration: Configuration, priority: str, slip: str) -> int:
    """The largest credit that applies, never a sum, at most `credit_max_min` (QUEUES 2.2)."""
    minutes = 0
    if priority:
        classes = [entry.credit_min for entry in configuration.priority if entry.id == priority]
        if not classes:
            raise Rejected("priority-unknown", priority=priority)
        minutes = classes[-1]
    if slip:
        minutes = max(minutes, SLIP_CREDIT_MIN)
    return min(minutes, configuration.policy.credit_max_min) * 60_000


def estimate(hall: Hall, queue: str, ahead: int, minute: int) -> tuple[int, int] | None:
    """Seconds until the call, low and high, from the windows that are open for it now (or at opening)."""
    if hall.state is _DAY_BEFORE:
        opens_in_s = max(0, minutes_of(hall.configuration.hours.opens) - minute) * 60
        return wait_range_s(ahead, hall.catalogue.typical_min(queue), len(home_windows(queue)), opens_in_s)
    working = 0
    for name in home_windows(queue):
        window = hall.windows.get(name)
        if window is not None and window.state is not _CLOSED and window.state is not _PAUSED:
            working += 1
    return wait_range_s(ahead, hall.catalogue.typical_min(queue), working)


@lru_cache(64)
def minutes_of(clock: str) -> int:
    """Minutes of the day of HH:MM."""
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)


def take(hall: Hall, command: c.TakeTicket, ctx: c.Context) -> tuple[list[e.Event], str]:  # long: refusals in order
    """A new number, or the person's standing ticket (no events); the answer is the ticket's id.

    RULES 16: of several matters, those the person waits for already stay on their ticket, and the rest get a number.
    """
    policy = hall.configuration.policy
    wanted = (command.bundle,) if command.bundle else command.matters
    if command.person and policy.one_waiting_per_person:
        standing = {matter: standing_ticket(hall, command.person, matter) for matter in wanted}
        missing = tuple(matter for matter, ticket in standing.items() if ticket is None)
        first = next(filter(None, standing.values()), None)
        if first is not None and not missing:
            return [], first.id
        if first is not None:
            command = msgspec.structs.replace(command, matters=missing)
    if hall.state is _DAY_CLOSING or hall.state is _DAY_CLOSED or not hall.day:
        raise Rejected("tickets-closed")
    if not 1 <= command.quantity <= policy.quantity_max:
        raise Rejected("quantity-out-of-range", most=policy.quantity_max)
    if command.slip and command.slip in hall.redeemed:
        raise Rejected("slip-used")
    plans, prefix = _plan(hall, command, ctx)
    # Who was sent home with a slip has been promised a number (RULES 34).
    if not command.slip and sold_out(hall, command.matters, command.bundle):
        raise Rejected("numbers-gone")
    queue = plans[0].queue
    sequence, issue = hall.sequences.get(prefix, 0) + 1, hall.issued + 1
    credit_ms = credit_ms_of(hall.configuration, command.priority, command.slip)
    key = Key(ctx.now - credit_ms, issue)
    ahead = ahead_of(hall, queue, key)
    low, high = estimate(hall, queue, ahead, ctx.minute) or (-1, -1)
    issued = e.TicketIssued(
        ticket=command.id,
        number=f"{prefix}{sequence:0{policy.digits}d}",
        prefix=prefix,
        sequence=sequence,
        issue=issue,
        stops=plans,
        quantity=command.quantity,
        priority=command.priority,
        credit_ms=credit_ms,
        key=key,
        ahead=ahead,
        wait_low_s=low,
        wait_high_s=high,
        person=command.person,
        origin=command.origin,
        note=command.note,
        language=command.language,
        printer=command.printer,
        slip=command.slip,
        at=ctx.now,
    )
    return [issued], command.id


def known_ticket(hall: Hall, name: str) -> Ticket:
    ticket = hall.tickets.get(name)
    if ticket is None:
        raise Rejected("ticket-unknown")
    return ticket


def cancel(hall: Hall, command: c.CancelTicket, ctx: c.Context) -> list[e.Event]:
    """The citizen leaves; a call in progress ends with it."""
    ticket = known_ticket(hall, command.ticket)
    allowed = (TicketState.WAITING, TicketState.PASSED, TicketState.PARKED, TicketState.CALLED)
    if ticket.state not in allowed:
        raise Rejected("ticket-not-waiting", number=ticket.number, state=ticket.state)
    window = ticket.window if ticket.state is TicketState.CALLED else ""
    return [e.TicketCancelled(ticket=ticket.id, window=window, at=ctx.now)]


def delay(hall: Hall, command: c.DelayTicket, ctx: c.Context) -> list[e.Event]:
    """稍后再叫 (UX P-06): a few places later, `delay_limit` times."""
    ticket, policy = known_ticket(hall, command.ticket), hall.configuration.policy
    if ticket.state is not TicketState.WAITING:
        raise Rejected("ticket-not-waiting", number=ticket.number, state=ticket.state)
    if ticket.delays >= policy.delay_limit:
        raise Rejected("delay-limit", limit=policy.delay_limit)
    key = max(ticket.key, key_behind(hall, ticket, policy.delay_places, ctx.now, after=ticket.key))
    return [e.TicketDelayed(ticket=ticket.id, key=key, at=ctx.now)]


def ask_help(hall: Hall, command: c.AskHelp, ctx: c.Context) -> list[e.Event]:
    ticket = known_ticket(hall, command.ticket)
    if ticket.state in OVER:
        raise Rejected("ticket-over", number=ticket.number)
    return [e.HelpAsked(ticket=ticket.id, at=ctx.now)]


def reactivate(hall: Hall, command: c.ReactivateTicket, ctx: c.Context) -> list[e.Event]:
    """RULES 28: the same number waits again; half of the wait already served counts, at most 10 minutes."""
    ticket = known_ticket(hall, command.ticket)
    if hall.state is HallState.CLOSED:
        raise Rejected("hall-closed")
    if ticket.state is not TicketState.PASSED:
        raise Rejected("ticket-not-passed", number=ticket.number, state=ticket.state)
    waited = max(0, ticket.first_called_at - ticket.issued_at)
    base = max(ticket.base_at, ctx.now - min(waited, 600_000) // 2)
    key = Key(base - ticket.credit_ms, ticket.issue)
    return [e.TicketReactivated(ticket=ticket.id, key=key, at=ctx.now)]


def turn_away(hall: Hall, command: c.TurnAway, ctx: c.Context) -> list[e.Event]:
    """RULES 34: once no more tickets are given, whoever still waits may be sent home with a slip; or another print of it."""
    ticket = known_ticket(hall, command.ticket)
    events: list[e.Event] = []
    if ticket.state in (TicketState.WAITING, TicketState.PARKED):
        if hall.state is not HallState.CLOSING:
            raise Rejected("slip-too-early", number=ticket.number)
        events.append(e.TicketUncalled(ticket=ticket.id, at=ctx.now))
    elif ticket.state is not TicketState.UNCALLED:
        raise Rejected("ticket-not-waiting", number=ticket.number, state=ticket.state)
    if ticket.print_state is PrintState.CLAIMED:
        raise Rejected("print-in-progress", number=ticket.number)
    if command.printer:
        events.append(e.SlipRequested(ticket=ticket.id, printer=command.printer, valid_on=command.valid_on, at=ctx.now))
    return events


def record_print(hall: Hall, command: c.RecordPrint, ctx: c.Context) -> list[e.Event]:
    ticket = known_ticket(hall, command.ticket)
    if ticket.print_state is command.state:
        return []
    return [e.PrintRecorded(ticket=ticket.id, state=command.state, reason=command.reason, at=ctx.now)]


def reprint(hall: Hall, command: c.Reprint, ctx: c.Context) -> list[e.Event]:
    ticket = known_ticket(hall, command.ticket)
    if ticket.state in OVER:
        raise Rejected("ticket-over", number=ticket.number)
    mine = ticket.origin == command.kiosk and ctx.now - ticket.issued_at <= KIOSK_REPRINT_MS and not ticket.reprints
    if command.kiosk and not mine:
        raise Rejected("reprint-at-desk", number=ticket.number)
    if ticket.print_state is PrintState.CLAIMED:
        raise Rejected("print-in-progress", number=ticket.number)
    return [e.ReprintRequested(ticket=ticket.id, printer=command.printer, at=ctx.now)]
