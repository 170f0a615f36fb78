"""What happens at windows, into state: who sits there, calls, services, ratings."""

from queue_server.domain import events as e
from queue_server.domain.model import GivenCalls, Hall, LastStep, Service, Stop, Ticket
from queue_server.domain.moves import forget_person, let_go, move, remember_person, turn
from queue_server.domain.queues import AWAY_STAFF, follow, place, take_out
from queue_server.domain.said import WRITTEN, is_sealed
from queue_server.wire.common import TicketState


def window_opened(hall: Hall, event: e.WindowOpened) -> None:
    window = hall.windows[event.window]
    turn(window, event, event.at)
    window.staff, window.staff_name = event.staff, event.staff_name
    follow(hall, event.staff, f"{AWAY_STAFF}{event.staff}")


def window_taken_over(hall: Hall, event: e.WindowTakenOver) -> None:
    window = hall.windows[event.window]
    window.staff, window.staff_name = event.staff, event.staff_name
    if window.service:
        hall.services[window.service].staff = event.staff
    follow(hall, event.previous_staff, window.id)
    follow(hall, event.staff, f"{AWAY_STAFF}{event.staff}")


def window_paused(hall: Hall, event: e.WindowPaused) -> None:
    window = hall.windows[event.window]
    turn(window, event, event.at)
    window.pause_reason, window.resumes_at = event.reason, event.resumes_at


def window_resumed(hall: Hall, event: e.WindowResumed) -> None:
    window = hall.windows[event.window]
    turn(window, event, event.at)
    window.pause_reason = window.resumes_at = ""


def window_closed(hall: Hall, event: e.WindowClosed) -> None:
    window = hall.windows[event.window]
    turn(window, event, event.at)
    staff = window.staff
    window.staff = window.staff_name = window.pause_reason = window.resumes_at = ""
    window.last = None
    follow(hall, staff, window.id)


def _begin(hall: Hall, event: e.TicketCalled | e.TicketRestored | e.TicketUnparked) -> Ticket:
    """A service begins at a window with a ticket in hand."""
    ticket, window = hall.tickets[event.ticket], hall.windows[event.window]
    if ticket.state is TicketState.WAITING:
        take_out(hall, ticket)
    hall.parked.discard(ticket.id)
    move(hall, ticket, event)
    turn(window, event, event.at)
    window.ticket, window.service, window.last = ticket.id, event.service, None
    if ticket.id in window.passed:
        window.passed.remove(ticket.id)
    ticket.window, ticket.service = window.id, event.service
    ticket.services.append(event.service)
    ticket.parked_until = 0
    ticket.aside_reason = ""
    hall.services[event.service] = Service(
        id=event.service,
        ticket=ticket.id,
        window=window.id,
        staff=event.staff,
        matters=event.matters,
        bundle=event.bundle,
        quantity=event.quantity,
        called_at=event.at,
    )
    return ticket


def ticket_called(hall: Hall, event: e.TicketCalled) -> None:
    ticket = _begin(hall, event)
    if event.given:
        _count_given(hall, event)
    ticket.calls, ticket.called_at, ticket.last_call_at = 1, event.at, event.at
    if not ticket.first_called_at:
        ticket.first_called_at = event.at
        hall.called += 1
        wait = max(0, event.at - ticket.issued_at)
        hall.wait_sum_ms += wait
        hall.waits.append((event.at, wait))
    _remember(hall, ticket)


def _count_given(hall: Hall, event: e.TicketCalled) -> None:
    """RULES 23: who called a given number, where, how often, and why."""
    hall.called_given += 1
    given = hall.given.setdefault((event.window, event.staff), GivenCalls(hall.windows[event.window].staff_name))
    given.last_at = event.at
    reason = WRITTEN if is_sealed(event.reason) else event.reason
    given.reasons[reason] = given.reasons.get(reason, 0) + 1


def _remember(hall: Hall, ticket: Ticket) -> None:
    recent = hall.windows[ticket.window].recent
    if ticket.id in recent:
        recent.remove(ticket.id)
    recent.appendleft(ticket.id)


def ticket_restored(hall: Hall, event: e.TicketRestored) -> None:
    ticket = _begin(hall, event)
    ticket.calls, ticket.called_at, ticket.last_call_at = 1, event.at, event.at
    _remember(hall, ticket)


def ticket_unparked(hall: Hall, event: e.TicketUnparked) -> None:
    _begin(hall, event)
    hall.services[event.service].started_at = event.at


def ticket_recalled(hall: Hall, event: e.TicketRecalled) -> None:
    ticket = hall.tickets[event.ticket]
    move(hall, ticket, event)
    ticket.calls, ticket.last_call_at = event.times, event.at
    hall.windows[event.window].asked_at = 0


def no_show_asked(hall: Hall, event: e.NoShowAsked) -> None:
    hall.windows[event.window].asked_at = event.at


def citizen_arrived(hall: Hall, event: e.CitizenArrived) -> None:
    move(hall, hall.tickets[event.ticket], event)
    turn(hall.windows[event.window], event, event.at)
    service = hall.services[event.service]
    service.started_at = event.at
    if event.inferred:
        service.inferred.append(f"arrival: {event.inferred}")


def missed(hall: Hall, event: e.TicketRequeued | e.TicketPassed | e.TicketVoided) -> None:
    ticket, window = hall.tickets[event.ticket], hall.windows[event.window]
    move(hall, ticket, event)
    turn(window, event, event.at)
    let_go(window)
    service = hall.services[event.service]
    service.cancelled = True
    if event.inferred:
        service.inferred.append(f"no-show: {event.inferred}")
    window.last = LastStep("no-show", ticket.id, event.service, event.at, ticket.moves, ticket.key)
    window.passed.appendleft(ticket.id)
    ticket.passes += 1
    ticket.aside_reason, ticket.aside_at = event.reason, event.at
    hall.no_shows += 1
    if isinstance(event, e.TicketRequeued):
        ticket.window = ticket.service = ""
        ticket.key = event.key
        place(hall, ticket)
    elif isinstance(event, e.TicketVoided):
        ticket.ended_at = event.at


def no_show_undone(hall: Hall, event: e.NoShowUndone) -> None:
    ticket, window = hall.tickets[event.ticket], hall.windows[event.window]
    if ticket.state is TicketState.WAITING:
        take_out(hall, ticket)
    if window.last is not None and window.last.key is not None:
        ticket.key = window.last.key
    move(hall, ticket, event)
    turn(window, event, event.at)
    hall.services[event.service].cancelled = False
    window.ticket, window.service, window.last = ticket.id, event.service, None
    window.passed.remove(ticket.id)
    ticket.window, ticket.service, ticket.ended_at = window.id, event.service, 0
    ticket.passes -= 1
    hall.no_shows -= 1
    remember_person(hall, ticket)


def ticket_transferred(hall: Hall, event: e.TicketTransferred) -> None:
    ticket, window = hall.tickets[event.ticket], hall.windows[event.window]
    move(hall, ticket, event)
    turn(window, event, event.at)
    let_go(window)
    service = hall.services[event.service]
    service.finished_at, service.outcome = event.at, "transferred"
    service.cancelled = not service.started_at
    plan = event.stop
    forget_person(hall, ticket, ticket.current)
    ticket.stops[ticket.stop] = Stop(
        plan.matters,
        plan.bundle,
        plan.queue,
        window=plan.window,
        domain=event.domain,
        staff=event.staff,
        staff_name=event.staff_name,
        reason=event.reason,
    )
    remember_person(hall, ticket)
    ticket.window = ticket.service = ""
    ticket.aside_reason = event.reason
    place(hall, ticket)


def ticket_parked(hall: Hall, event: e.TicketParked) -> None:
    ticket, window = hall.tickets[event.ticket], hall.windows[event.window]
    move(hall, ticket, event)
    turn(window, event, event.at)
    let_go(window)
    service = hall.services[event.service]
    service.finished_at, service.outcome = event.at, "parked"
    service.cancelled = not service.started_at
    ticket.parked_until, ticket.aside_reason, ticket.aside_at = event.until, event.reason, event.at
    hall.parked.add(ticket.id)


def direct_service_started(hall: Hall, event: e.DirectServiceStarted) -> None:
    window = hall.windows[event.window]
    turn(window, event, event.at)
    window.service, window.last = event.service, None
    hall.services[event.service] = Service(
        id=event.service,
        ticket="",
        window=window.id,
        staff=event.staff,
        matters=event.matters,
        bundle="",
        quantity=event.quantity,
        called_at=event.at,
        started_at=event.at,
    )


def finished(hall: Hall, event: e.ServiceFinished | e.StopFinished) -> None:
    window, service = hall.windows[event.window], hall.services[event.service]
    turn(window, event, event.at)
    let_go(window)
    window.served += 1
    window.last_service = service.id
    service.finished_at, service.outcome = event.at, event.outcome
    if event.inferred:
        service.inferred.append(f"finish: {event.inferred}")
    hall.served += 1
    if not event.ticket:
        hall.served_direct += 1
        window.last = LastStep("finish", "", event.service, event.at)
        return
    ticket = hall.tickets[event.ticket]
    move(hall, ticket, event)
    window.last = LastStep("finish", ticket.id, event.service, event.at, ticket.moves)
    ticket.current.done = True
    forget_person(hall, ticket, ticket.current)
    if isinstance(event, e.StopFinished):
        ticket.stop += 1
        ticket.window = ticket.service = ""
        place(hall, ticket)
    else:
        ticket.ended_at = event.at


def finish_undone(hall: Hall, event: e.FinishUndone) -> None:
    window, service = hall.windows[event.window], hall.services[event.service]
    turn(window, event, event.at)
    window.ticket, window.service, window.last = event.ticket, event.service, None
    window.served -= 1
    service.finished_at, service.outcome = 0, ""
    if service.invited_at:
        service.invited_at = 0
        hall.invited -= 1
        window.invited -= 1
    hall.served -= 1
    if not event.ticket:
        hall.served_direct -= 1
        return
    ticket = hall.tickets[event.ticket]
    if ticket.state is TicketState.WAITING:
        take_out(hall, ticket)
        ticket.stop -= 1
    move(hall, ticket, event)
    ticket.current.done = False
    remember_person(hall, ticket)
    ticket.window, ticket.service, ticket.ended_at = window.id, service.id, 0


def rating_invited(hall: Hall, event: e.RatingInvited) -> None:
    service = hall.services[event.service]
    if not service.invited_at:
        hall.invited += 1
        hall.windows[service.window].invited += 1
    service.invited_at, service.invited_on = event.at, event.device


def service_rated(hall: Hall, event: e.ServiceRated) -> None:
    service = hall.services.get(event.service)
    if service is None:
        hall.rated_earlier.add(event.service)
    else:
        service.rating = event.rating
        hall.rated += 1
