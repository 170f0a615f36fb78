"""Who is next, and how a window gets, misses, restores and passes on the ticket in hand."""

from functools import lru_cache

from queue_server.domain import commands as c
from queue_server.domain import events as e
from queue_server.domain.configuration import NoShowPolicy
from queue_server.domain.errors import Rejected
from queue_server.domain.finishing import finish_in_hand, infer_arrival
from queue_server.domain.model import Hall, Key, Ticket, Window
from queue_server.domain.queues import key_behind
from queue_server.domain.windows import in_hand, open_window
from queue_server.wire.common import TicketState, WindowState

HEADS_KEPT = 4


@lru_cache(maxsize=65536)
def serves(queue: str, window: str) -> bool | None:
    """True when the queue is the window's home, False when it serves it away from home, None when not at all."""
    for name in queue.split(","):
        if name == window:
            return True
        if name[-1:] == "~" and name[:-1] == window:
            return False
    return None


def _penalties_ms(hall: Hall) -> tuple[int, int]:
    policy = hall.configuration.policy
    return policy.away_penalty_min * 60_000, policy.away_free_after_min * 60_000


def compare_heads(hall: Hall, window: str, now: int, depth: int = 1) -> list[tuple[int, Key, str, str, int]]:
    """The first `depth` of every queue and class the window serves, unsorted.

    Each is (effective time + penalty, key, ticket, queue, penalty), times in ms. QUEUES 2.2: the penalty is 0 at home or
    once the ticket has waited `away_free_after_min`. O(queues x classes x depth).
    """
    away_ms, free_ms = _penalties_ms(hall)
    found = []
    for queue, lists in hall.queues.items():
        home = serves(queue, window)
        if home is None:
            continue
        for credit, waiting in lists.items():
            for key, ticket in waiting[:depth]:
                penalty = 0 if home or now - key.effective_at - credit >= free_ms else away_ms
                found.append((key.effective_at + penalty, key, ticket, queue, penalty))
    return found


def upcoming(hall: Hall, window: str, now: int, count: int) -> list[Ticket]:
    """Whom the window would call, in order, if nothing else happened."""
    return [hall.tickets[entry[2]] for entry in sorted(compare_heads(hall, window, now, count))[:count]]


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


def call_next(hall: Hall, command: c.CallNext, ctx: c.Context) -> list[e.Event]:
    """One key a citizen (UX C-01): finishes or settles what is in hand, then calls whoever is next."""
    window = open_window(hall, command.window)
    events = _settle(hall, window, ctx)
    if window.state is WindowState.PAUSED:
        events.append(e.WindowResumed(window=window.id, inferred=True, at=ctx.now))
    heads = sorted(compare_heads(hall, window.id, ctx.now))
    if not heads:
        if events:
            return events
        raise Rejected("nobody-waiting")
    kept = tuple(
        e.Head(number=hall.tickets[name].number, queue=queue, effective_at=key.effective_at, penalty_ms=penalty)
        for _, key, name, queue, penalty in heads[:HEADS_KEPT]
    )
    ticket = hall.tickets[heads[0][2]]
    events.append(_called(hall, window, ticket, ctx, command.service, given=False, reason="", heads=kept))
    return events


def _settle(hall: Hall, window: Window, ctx: c.Context) -> list[e.Event]:
    """What the next-key means for the ticket in hand; raises Rejected with the question when nobody can know."""
    if window.state is WindowState.SERVING:
        return finish_in_hand(hall, window, ctx, "done", "call-next")
    if window.state is not WindowState.CALLED:
        return []
    ticket = hall.tickets[window.ticket]
    policy = hall.configuration.policy
    if hall.services[window.service].rating or ctx.now - ticket.last_call_at >= policy.infer_arrival_after_s * 1000:
        arrived = infer_arrival(hall, window, ctx, "call-next")
        return [*arrived, *finish_in_hand(hall, window, ctx, "done", "call-next")]
    if window.asked_at and 1000 <= ctx.now - window.asked_at <= 15_000:
        return [_no_show(hall, window, ctx, "no answer", "call-next pressed twice")]
    if window.asked_at and ctx.now - window.asked_at < 1000:
        raise Rejected("arrived-or-not", number=ticket.number)
    asked = e.NoShowAsked(window=window.id, ticket=ticket.id, at=ctx.now)
    raise Rejected("arrived-or-not", asked, number=ticket.number)


def find_number(hall: Hall, number: str) -> Ticket:
    """The waiting ticket meant by a number or by its digits alone; raises Rejected with the choices when several wait."""
    wanted = number.strip().upper()
    exact = hall.numbers.get(wanted)
    if exact is not None:
        return hall.tickets[exact]
    if not wanted.isdecimal():
        raise Rejected("number-unknown", number=wanted)
    same = [hall.tickets[name] for name in hall.by_sequence.get(int(wanted), [])]
    waiting = [ticket for ticket in same if ticket.state is TicketState.WAITING]
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
    if not ctx.may_call_numbers:
        raise Rejected("call-number-not-permitted")
    if not command.reason.strip():
        raise Rejected("reason-needed")
    ticket = find_number(hall, command.number)
    if ticket.state in (TicketState.CALLED, TicketState.SERVING):
        raise Rejected("ticket-at-window", number=ticket.number, window=ticket.window)
    if ticket.state is not TicketState.WAITING:
        raise Rejected("ticket-not-waiting", number=ticket.number, state=ticket.state)
    if serves(ticket.current.queue, window.id) is None:
        raise Rejected("window-does-not-serve", number=ticket.number, window=window.id)
    events = _settle(hall, window, ctx)
    if window.state is WindowState.PAUSED:
        events.append(e.WindowResumed(window=window.id, inferred=True, at=ctx.now))
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
    return [_no_show(hall, window, ctx, command.reason.strip() or "no answer", "")]


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
    """RULES 29: another matter or window, the same place."""
    window, ticket = in_hand(hall, command.window, WindowState.CALLED, WindowState.SERVING)
    stop = ticket.current
    if bool(command.matters) == bool(command.to_window):
        raise Rejected("transfer-needs-one-target")
    if command.to_window:
        if command.to_window not in hall.windows:
            raise Rejected("window-unknown", window=command.to_window)
        if command.to_window == window.id:
            raise Rejected("transfer-to-self")
        plan = e.StopPlan(matters=stop.matters, bundle=stop.bundle, queue=command.to_window, window=command.to_window)
    else:
        hall.catalogue.require(command.matters)
        queue = hall.serving.queue_of(command.matters)
        if not queue:
            raise Rejected("no-single-window")
        plan = e.StopPlan(matters=command.matters, bundle="", queue=queue)
    moved = e.TicketTransferred(
        ticket=ticket.id, window=window.id, service=window.service, stop=plan, reason=command.reason, at=ctx.now
    )
    return [moved]


def park(hall: Hall, command: c.Park, ctx: c.Context) -> list[e.Event]:
    """RULES 30: set aside until a time; the alarm comes with `Tick`."""
    window, ticket = in_hand(hall, command.window, WindowState.CALLED, WindowState.SERVING)
    until = ctx.now + max(1, command.minutes) * 60_000
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
