"""How a service ends: arrival, finish, invitation, direct service, and taking the last step back."""

from queue_server.domain import commands as c
from queue_server.domain import events as e
from queue_server.domain.errors import Rejected
from queue_server.domain.model import Hall, Window
from queue_server.domain.windows import open_window, rating_device
from queue_server.wire.common import TicketState, WindowState

OUTCOMES = frozenset({"done", "incomplete", "referred", "not_done"})


def infer_arrival(hall: Hall, window: Window, ctx: c.Context, why: str) -> list[e.Event]:
    """The called citizen must have come; stored as inferred."""
    arrived = e.CitizenArrived(ticket=window.ticket, window=window.id, service=window.service, inferred=why, at=ctx.now)
    return [arrived]


def finish_in_hand(hall: Hall, window: Window, ctx: c.Context, outcome: str, inferred: str) -> list[e.Event]:
    """The service in hand ends and its rating invitation goes out (RULES 36)."""
    ticket = hall.tickets.get(window.ticket)
    last = ticket is None or ticket.stop + 1 >= len(ticket.stops)
    kind = e.ServiceFinished if last else e.StopFinished
    ended = kind(
        service=window.service,
        ticket=window.ticket,
        window=window.id,
        outcome=outcome,
        inferred=inferred,
        at=ctx.now,
    )
    events: list[e.Event] = [ended]
    service = hall.services[window.service]
    if not service.rating and not service.invited_at:
        events.append(_invitation(hall, window, window.service, ctx))
    return events


def _invitation(hall: Hall, window: Window, service: str, ctx: c.Context) -> e.RatingInvited:
    return e.RatingInvited(
        service=service,
        window=window.id,
        device=rating_device(hall, window.id),
        for_ms=hall.configuration.policy.invite_for_s * 1000,
        at=ctx.now,
    )


def finish(hall: Hall, command: c.Finish, ctx: c.Context) -> list[e.Event]:
    """办结: from called too, when the citizen's arrival was never marked."""
    window = open_window(hall, command.window)
    if command.outcome not in OUTCOMES:
        raise Rejected("outcome-unknown", outcome=command.outcome)
    if window.state is WindowState.SERVING:
        return finish_in_hand(hall, window, ctx, command.outcome, "")
    if window.state is WindowState.CALLED:
        arrived = infer_arrival(hall, window, ctx, "finish")
        return [*arrived, *finish_in_hand(hall, window, ctx, command.outcome, "")]
    raise Rejected("nothing-in-hand", window=window.id, state=window.state)


def invite(hall: Hall, command: c.Invite, ctx: c.Context) -> list[e.Event]:
    """The evaluate key: finishes and invites, or invites once more for the service just finished."""
    window = open_window(hall, command.window)
    if window.state in (WindowState.SERVING, WindowState.CALLED):
        return finish(hall, c.Finish(window=window.id), ctx)
    service = hall.services.get(window.last_service)
    if service is None or service.cancelled:
        raise Rejected("nothing-to-rate", window=window.id)
    if service.rating:
        raise Rejected("already-rated")
    return [_invitation(hall, window, service.id, ctx)]


def serve_direct(hall: Hall, command: c.ServeDirect, ctx: c.Context) -> list[e.Event]:
    """Somebody walked up to a free window: a service, an invitation and a workload, no slip."""
    window = open_window(hall, command.window)
    if window.state not in (WindowState.IDLE, WindowState.PAUSED):
        raise Rejected("finish-first", window=window.id)
    most = hall.configuration.policy.quantity_max
    if not 1 <= command.quantity <= most:
        raise Rejected("quantity-out-of-range", most=most)
    hall.catalogue.require(command.matters)
    started = e.DirectServiceStarted(
        service=command.service,
        window=window.id,
        staff=window.staff,
        matters=command.matters,
        quantity=command.quantity,
        at=ctx.now,
    )
    resumed = [e.WindowResumed(window=window.id, inferred=True, at=ctx.now)]
    return [*(resumed if window.state is WindowState.PAUSED else []), started]


def undo(hall: Hall, command: c.Undo, ctx: c.Context) -> list[e.Event]:
    """Law 11: finish and no-show within `undo_s`, refused after a rating, the next call, or once the ticket moved on."""
    window = open_window(hall, command.window)
    last = window.last
    if last is None or window.state is not WindowState.IDLE:
        raise Rejected("nothing-to-undo", window=window.id)
    if ctx.now - last.at > hall.configuration.policy.undo_s * 1000:
        raise Rejected("undo-too-late", window=window.id)
    if hall.services[last.service].rating:
        raise Rejected("undo-after-rating", window=window.id)
    ticket = hall.tickets.get(last.ticket)
    if ticket is not None and ticket.moves != last.moves:
        if ticket.state in (TicketState.CALLED, TicketState.SERVING):
            raise Rejected("ticket-at-window", number=ticket.number, window=ticket.window)
        raise Rejected("nothing-to-undo", window=window.id)
    fields = {"ticket": last.ticket, "window": window.id, "service": last.service, "at": ctx.now}
    if last.what == "finish":
        return [e.FinishUndone(**fields)]  # type: ignore[arg-type]
    return [e.NoShowUndone(**fields)]  # type: ignore[arg-type]
