"""Who is next, and how a window gets, misses, restores and passes on the ticket in hand."""

from queue_server.domain import commands as c
from queue_server.domain import events as e
from queue_server.domain.configuration import NoShowPolicy
from queue_server.domain.errors import Rejected
from queue_server.domain.finishing import finish_in_hand, infer_arrival
from queue_server.domain.model import Hall, Line, Ticket, Window
from queue_server.domain.queues import all_windows, is_away, key_behind, queue_of_staff
from queue_server.domain.windows import in_hand, is_served, known_window, open_window
from queue_server.wire.common import TicketState, WindowState

HEADS_KEPT = 4
DIGITS_MAX = 9
PRESSED_TWICE_MS = 1000
ASKED_FOR_MS = 15_000
PARK_MAX_MIN = 480

Candidate = tuple[int, int, int, str, Line]
"""Effective time + penalty in ms, issue number, place behind it, ticket, line."""


def _penalties_ms(hall: Hall) -> tuple[int, int]:
    policy = hall.configuration.policy
    return policy.away_penalty_min * 60_000, policy.away_free_after_min * 60_000


def compare_heads(hall: Hall, window: str, now: int) -> list[Candidate]:
    """The first of every line the window serves, the next to be called first. O(lines of the window).

    QUEUES 2.2: the penalty is 0 at home or once the ticket has waited `away_free_after_min`; ties go by ticket number.
    """
    found = [line.head for line in hall.lines.home.get(window, ()) if line.head is not None]
    away = hall.lines.away.get(window)
    if away:
        away_ms, free_ms = _penalties_ms(hall)
        for line in away:
            head = line.head
            if head is not None:
                at, issue, behind, ticket, _ = head
                bears = now - at - line.credit_ms < free_ms
                found.append((at + away_ms, issue, behind, ticket, line) if bears else head)
    found.sort()
    return found


def upcoming(hall: Hall, window: str, now: int, count: int) -> list[Ticket]:
    """Whom the window would call, in order, if nothing else happened."""
    away_ms, free_ms = _penalties_ms(hall)
    found = [entry for line in hall.lines.home.get(window, ()) for entry in line.entries[:count]]
    for line in hall.lines.away.get(window, ()):
        for at, issue, behind, ticket in line.entries[:count]:
            penalty_ms = away_ms if now - at - line.credit_ms < free_ms else 0
            found.append((at + penalty_ms, issue, behind, ticket))
    return [hall.tickets[entry[3]] for entry in sorted(found)[:count]]


def _called(hall: Hall, window: Window, ticket: Ticket, ctx: c.Context, service: str, **more: object) -> e.TicketCalled:
    stop = ticket.current
    return e.TicketCalled(
        ticket=ticket.id,
        number=ticket.number,
        window=window.id,
        service=service,
        staff=window.staff,
        matters=stop.matters,
        bundle=stop.bundle,
        quantity=ticket.quantity,
        at=ctx.now,
        **more,  # type: ignore[arg-type]
    )


def _head(hall: Hall, candidate: Candidate) -> e.Head:
    at, _, _, name, line = candidate
    own_at = at if line.head is None else line.head[0]
    return e.Head(number=hall.tickets[name].number, queue=line.queue, effective_at=own_at, penalty_ms=at - own_at)


def call_next(hall: Hall, command: c.CallNext, ctx: c.Context) -> list[e.Event]:
    """One key a citizen (UX C-01): finishes or settles what is in hand, then calls whoever is next."""
    window = open_window(hall, command.window)
    events = _settle(hall, window, ctx)
    events += _resume(window, ctx)
    heads = compare_heads(hall, window.id, ctx.now)
    if not heads:
        if events:
            return events
        raise Rejected("nobody-waiting")
    kept = tuple([_head(hall, candidate) for candidate in heads[:HEADS_KEPT]])
    ticket = hall.tickets[heads[0][3]]
    events.append(_called(hall, window, ticket, ctx, command.service, given=False, reason="", heads=kept))
    return events


def _settle(hall: Hall, window: Window, ctx: c.Context) -> list[e.Event]:
    """What the next-key means for the ticket in hand; raises Rejected with the question when nobody can know.

    A second press within a second is no answer to anything (UX C-06).
    """
    if window.state is WindowState.SERVING:
        return finish_in_hand(hall, window, ctx, "done", "call-next")
    if window.state is not WindowState.CALLED:
        return []
    ticket = hall.tickets[window.ticket]
    policy = hall.configuration.policy
    pressed_twice = ctx.now - max(ticket.last_call_at, window.asked_at) < PRESSED_TWICE_MS
    if pressed_twice:
        raise Rejected("arrived-or-not", number=ticket.number)
    if hall.services[window.service].rating or ctx.now - ticket.last_call_at >= policy.infer_arrival_after_s * 1000:
        arrived = infer_arrival(hall, window, ctx, "call-next")
        return [*arrived, *finish_in_hand(hall, window, ctx, "done", "call-next")]
    if window.asked_at and ctx.now - window.asked_at <= ASKED_FOR_MS:
        return [_no_show(hall, window, ctx, "no-answer", "call-next pressed twice")]
    asked = e.NoShowAsked(window=window.id, ticket=ticket.id, at=ctx.now)
    raise Rejected("arrived-or-not", asked, number=ticket.number)


def find_number(hall: Hall, number: str, window: str) -> Ticket:
    """The waiting ticket meant at `window` by a number or by its digits alone; raises Rejected with the choices when several wait.

    By digits a window means those it serves; of what it cannot call it asks nothing.
    """
    wanted = number.strip().upper()
    exact = hall.numbers.get(wanted)
    if exact is not None:
        return hall.tickets[exact]
    if not wanted.isdecimal() or len(wanted) > DIGITS_MAX:
        raise Rejected("number-unknown", number=wanted)
    same = [hall.tickets[name] for name in hall.by_sequence.get(int(wanted), [])]
    waiting = [ticket for ticket in same if ticket.state is TicketState.WAITING]
    waiting = [ticket for ticket in waiting if window in all_windows(ticket.current.queue)] or waiting
    if len(waiting) > 1:
        raise Rejected("number-ambiguous", choices=sorted(ticket.number for ticket in waiting))
    if not waiting and len(same) == 1:
        return same[0]
    if not waiting:
        raise Rejected("number-unknown", number=wanted)
    return waiting[0]


def call_number(hall: Hall, command: c.CallNumber, ctx: c.Context) -> list[e.Event]:
    """RULES 23, 24: with permission and reason, outside the bound, counted; a ticket held elsewhere is refused."""
    window = open_window(hall, command.window)
    if not (ctx.may_call_numbers or hall.configuration.policy.clerks_call_numbers):
        raise Rejected("call-number-not-permitted")
    if not command.reason.strip():
        raise Rejected("reason-needed")
    ticket = find_number(hall, command.number, window.id)
    if ticket.state in (TicketState.CALLED, TicketState.SERVING):
        raise Rejected("ticket-at-window", number=ticket.number, window=ticket.window)
    if ticket.state is not TicketState.WAITING:
        raise Rejected("ticket-not-waiting", number=ticket.number, state=ticket.state)
    queue = ticket.current.queue
    # Whoever waits for a person who has gone may be called anywhere: nobody else ever would.
    if window.id not in all_windows(queue) and not is_away(queue):
        raise Rejected("window-does-not-serve", number=ticket.number, window=window.id)
    events = _settle(hall, window, ctx)
    events += _resume(window, ctx)
    called = _called(hall, window, ticket, ctx, command.service, given=True, reason=command.reason, heads=())
    return [*events, called]


def recall(hall: Hall, command: c.Recall, ctx: c.Context) -> list[e.Event]:
    """RULES 26: at most `recall_limit` calls, `recall_interval_s` apart."""
    window, ticket = in_hand(hall, command.window, WindowState.CALLED)
    policy = hall.configuration.policy
    if ticket.calls >= policy.recall_limit:
        raise Rejected("recall-limit", number=ticket.number, limit=policy.recall_limit)
    left_ms = policy.recall_interval_s * 1000 - (ctx.now - ticket.last_call_at)
    if left_ms > 0:
        raise Rejected("recall-too-soon", number=ticket.number, seconds=-(-left_ms // 1000))
    return [e.TicketRecalled(ticket=ticket.id, window=window.id, times=ticket.calls + 1, at=ctx.now)]


def arrive(hall: Hall, command: c.Arrive, ctx: c.Context) -> list[e.Event]:
    window, ticket = in_hand(hall, command.window, WindowState.CALLED)
    arrived = e.CitizenArrived(ticket=ticket.id, window=window.id, service=window.service, inferred="", at=ctx.now)
    return [arrived]


def _no_show(hall: Hall, window: Window, ctx: c.Context, reason: str, inferred: str) -> e.Event:
    """RULES 27: the policy in force decides what becomes of the ticket."""
    ticket, policy = hall.tickets[window.ticket], hall.configuration.policy
    fields = {
        "ticket": ticket.id,
        "window": window.id,
        "service": window.service,
        "reason": reason,
        "inferred": inferred,
        "at": ctx.now,
    }
    if policy.no_show is NoShowPolicy.VOID or ticket.passes + 1 >= policy.no_show_void_after:
        return e.TicketVoided(**fields)  # type: ignore[arg-type]
    if policy.no_show is NoShowPolicy.SAME_WINDOW:
        return e.TicketPassed(**fields)  # type: ignore[arg-type]
    key = max(ticket.key, key_behind(hall, ticket, policy.no_show_after, ctx.now))
    return e.TicketRequeued(key=key, **fields)  # type: ignore[arg-type]


def mark_no_show(hall: Hall, command: c.MarkNoShow, ctx: c.Context) -> list[e.Event]:
    """RULES 27: needs a reason or the full number of unanswered calls."""
    window, ticket = in_hand(hall, command.window, WindowState.CALLED)
    if not command.reason.strip() and ticket.calls < hall.configuration.policy.recall_limit:
        raise Rejected("no-show-needs-reason", number=ticket.number, calls=ticket.calls)
    return [_no_show(hall, window, ctx, command.reason.strip() or "no-answer", "")]


def restore(hall: Hall, command: c.Restore, ctx: c.Context) -> list[e.Event]:
    """One of this window's own last passed tickets is called back the same day (UX C-06)."""
    window = open_window(hall, command.window)
    ticket = hall.tickets.get(command.ticket)
    mine = list(window.passed)[: hall.configuration.policy.restore_last]
    if ticket is None or ticket.id not in mine:
        raise Rejected("not-passed-here")
    if ticket.state not in (TicketState.PASSED, TicketState.WAITING):
        raise Rejected("ticket-not-waiting", number=ticket.number, state=ticket.state)
    events = _settle(hall, window, ctx)
    stop = ticket.current
    restored = e.TicketRestored(
        ticket=ticket.id,
        number=ticket.number,
        window=window.id,
        service=command.service,
        staff=window.staff,
        matters=stop.matters,
        bundle=stop.bundle,
        quantity=ticket.quantity,
        at=ctx.now,
    )
    return [*events, *_resume(window, ctx), restored]


def _resume(window: Window, ctx: c.Context) -> list[e.Event]:
    paused = window.state is WindowState.PAUSED
    return [e.WindowResumed(window=window.id, inferred=True, at=ctx.now)] if paused else []


def transfer(hall: Hall, command: c.Transfer, ctx: c.Context) -> list[e.Event]:
    """RULES 29, UX C-12: to another matter, domain, window or person at work, the same place.

    Under a domain, at a window and with a person the ticket keeps its matter: what it is really about, whoever gets it
    finds out, and passes it on to that.
    """
    window, ticket = in_hand(hall, command.window, WindowState.CALLED, WindowState.SERVING)
    if sum(map(bool, (command.matters, command.to_domain, command.to_window, command.to_staff))) != 1:
        raise Rejected("transfer-needs-one-target")
    queue, staff_name = _target(hall, command, window)
    stop = ticket.current
    matters, bundle = (command.matters, "") if command.matters else (stop.matters, stop.bundle)
    plan = e.StopPlan(matters=matters, bundle=bundle, queue=queue, window=command.to_window)
    moved = e.TicketTransferred(
        ticket=ticket.id,
        window=window.id,
        service=window.service,
        stop=plan,
        reason=command.reason,
        at=ctx.now,
        domain=command.to_domain,
        staff=command.to_staff,
        staff_name=staff_name,
    )
    return [moved]


def _target(hall: Hall, command: c.Transfer, window: Window) -> tuple[str, str]:
    """The queue that a transfer leads to, and the name of the person it is to; Rejected when nobody is there to call from it."""
    if command.to_window or command.to_staff:
        if command.to_window:
            seat = known_window(hall, command.to_window)
        else:
            found = queue_of_staff(hall, command.to_staff)
            if found not in hall.windows:
                raise Rejected("staff-not-at-window", staff=command.to_staff)
            seat = hall.windows[found]
        if seat.state is WindowState.CLOSED:
            raise Rejected("window-closed", window=seat.id)
        if seat is window:
            raise Rejected("transfer-to-self")
        return seat.id, seat.staff_name if command.to_staff else ""
    if command.to_domain:
        if command.to_domain not in hall.catalogue.domains:
            raise Rejected("domain-unknown", domain=command.to_domain)
        queue = hall.serving.queue_of_domain(command.to_domain)
    else:
        hall.catalogue.require(command.matters)
        queue = hall.serving.queue_of(command.matters)
    if not queue:
        raise Rejected("no-window-for-domain" if command.to_domain else "no-single-window")
    if not is_served(hall, queue):
        raise Rejected("nobody-serves")
    return queue, ""


def park(hall: Hall, command: c.Park, ctx: c.Context) -> list[e.Event]:
    """RULES 30: set aside until a time; the alarm comes with `Tick`."""
    window, ticket = in_hand(hall, command.window, WindowState.CALLED, WindowState.SERVING)
    if not 1 <= command.minutes <= PARK_MAX_MIN:
        raise Rejected("park-minutes-out-of-range", most=PARK_MAX_MIN)
    until = ctx.now + command.minutes * 60_000
    parked = e.TicketParked(
        ticket=ticket.id, window=window.id, service=window.service, reason=command.reason, until=until, at=ctx.now
    )
    return [parked]


def unpark(hall: Hall, command: c.Unpark, ctx: c.Context) -> list[e.Event]:
    """回呼: the citizen is back at the window; what is in hand finishes first."""
    window = open_window(hall, command.window)
    ticket = hall.tickets.get(command.ticket)
    if ticket is None or ticket.state is not TicketState.PARKED:
        raise Rejected("ticket-not-parked")
    events = _settle(hall, window, ctx)
    stop = ticket.current
    unparked = e.TicketUnparked(
        ticket=ticket.id,
        number=ticket.number,
        window=window.id,
        service=command.service,
        staff=window.staff,
        matters=stop.matters,
        bundle=stop.bundle,
        quantity=ticket.quantity,
        at=ctx.now,
    )
    return [*events, *_resume(window, ctx), unparked]
