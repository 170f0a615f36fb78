"""Events into state, in place: total on what `decide` made, and blind to configuration (law 3)."""

# long: one short function an event, and the table that names them all

from collections.abc import Callable
from typing import Any

from queue_server.domain import events as e
from queue_server.domain.catalogue import Catalogue
from queue_server.domain.errors import Broken
from queue_server.domain.model import (
    Alarm,
    DeviceHealth,
    Hall,
    LastStep,
    Service,
    Stop,
    Ticket,
    Window,
    empty_hall,
)
from queue_server.domain.queues import place, take_out
from queue_server.domain.serving import Serving
from queue_server.domain.states import OVER, TICKET_TRANSITIONS, WINDOW_TRANSITIONS
from queue_server.wire.common import HallState, PrintState, TicketState, WindowState


def evolve(hall: Hall, event: e.Event) -> Hall:
    """The hall after the event: the same object changed in place, except that a new day makes a new one."""
    handler = _HANDLERS.get(type(event))
    if handler is None:
        raise Broken(f"no evolution for {type(event).__name__}")
    changed: Hall | None = handler(hall, event)
    return hall if changed is None else changed


def _move(hall: Hall, ticket: Ticket, event: e.Event) -> None:
    """The ticket through its table, in and out of the queues."""
    target = TICKET_TRANSITIONS[ticket.state].get(type(event).__name__)
    if target is None:
        raise Broken(f"{type(event).__name__} on a ticket that is {ticket.state}")
    ticket.state = target
    if target in OVER:
        for stop in ticket.stops:
            _forget_person(hall, ticket, stop)


def _forget_person(hall: Hall, ticket: Ticket, stop: Stop) -> None:
    for matter in (*stop.matters, stop.bundle):
        if hall.persons.get((ticket.person, matter)) == ticket.id:
            del hall.persons[ticket.person, matter]


def _turn(window: Window, event: e.Event, at: int) -> None:
    """The window through its table."""
    target = WINDOW_TRANSITIONS[window.state].get(type(event).__name__)
    if target is None:
        raise Broken(f"{type(event).__name__} at a window that is {window.state}")
    window.state = target
    window.since = at
    window.asked_at = 0


def _let_go(window: Window) -> None:
    window.ticket = window.service = ""


def _configuration_applied(hall: Hall, event: e.ConfigurationApplied) -> None:
    waiting = [ticket for ticket in hall.tickets.values() if ticket.state is TicketState.WAITING]
    for ticket in waiting:
        take_out(hall, ticket)
    hall.configuration = event.configuration
    hall.planned = None
    hall.serving = Serving(event.configuration)
    hall.catalogue = Catalogue(event.configuration, hall.serving)
    hall.version = event.version
    for name, queues in event.queues.items():
        for stop, queue in zip(hall.tickets[name].stops, queues, strict=True):
            stop.queue = queue
    for ticket in waiting:
        place(hall, ticket)
    for window in event.configuration.window:
        hall.windows.setdefault(window.id, Window(id=window.id))
    known = {window.id for window in event.configuration.window}
    for name in [name for name, window in hall.windows.items() if name not in known]:
        if hall.windows[name].state is WindowState.CLOSED:
            del hall.windows[name]


def _configuration_planned(hall: Hall, event: e.ConfigurationPlanned) -> None:
    hall.planned = event.configuration


def _day_opened(hall: Hall, event: e.DayOpened) -> Hall:
    fresh = empty_hall(hall.configuration)
    fresh.serving, fresh.catalogue = hall.serving, hall.catalogue
    fresh.version = hall.version
    fresh.day = event.day
    fresh.previous_day = event.previous_day
    fresh.devices = hall.devices
    fresh.planned = hall.planned
    return fresh


def _day_started(hall: Hall, event: e.DayStarted) -> None:
    hall.state = HallState.OPEN


def _day_closing(hall: Hall, event: e.DayClosing) -> None:
    hall.state = HallState.CLOSING
    hall.message = ("closing", event.text, "") if event.text else hall.message


def _day_ended(hall: Hall, event: e.DayEnded) -> None:
    hall.state = HallState.CLOSED
    hall.message = ("", "", "")
    for window in hall.windows.values():
        window.state = WindowState.CLOSED
        window.since = event.at
        window.staff = window.staff_name = ""


def _message_set(hall: Hall, event: e.MessageSet) -> None:
    hall.message = (event.kind, event.zh, event.en)


def _ticket_issued(hall: Hall, event: e.TicketIssued) -> None:
    ticket = Ticket(
        id=event.ticket,
        number=event.number,
        issue=event.issue,
        stops=[Stop(plan.matters, plan.bundle, plan.queue, window=plan.window) for plan in event.stops],
        quantity=event.quantity,
        priority=event.priority,
        credit_ms=event.credit_ms,
        key=event.key,
        issued_at=event.at,
        person=event.person,
        origin=event.origin,
        note=event.note,
        language=event.language,
        print_state=PrintState.CLAIMED if event.printer else PrintState.NONE,
    )
    ticket.ahead_at_issue = event.ahead
    ticket.wait_at_issue = (event.wait_low_s, event.wait_high_s)
    hall.tickets[ticket.id] = ticket
    hall.numbers[ticket.number] = ticket.id
    hall.by_sequence.setdefault(event.sequence, []).append(ticket.id)
    hall.sequences[event.prefix] = event.sequence
    hall.issued = event.issue
    if event.slip:
        hall.redeemed.add(event.slip)
    if ticket.person:
        for stop in ticket.stops:
            for matter in stop.matters if not stop.bundle else (stop.bundle,):
                hall.persons[ticket.person, matter] = ticket.id
    place(hall, ticket)


def _demand_unmet(hall: Hall, event: e.DemandUnmet) -> None:
    hall.unmet += 1


def _ticket_cancelled(hall: Hall, event: e.TicketCancelled) -> None:
    ticket = hall.tickets[event.ticket]
    if ticket.state is TicketState.WAITING:
        take_out(hall, ticket)
    hall.parked.discard(ticket.id)
    _move(hall, ticket, event)
    ticket.ended_at = event.at
    if event.window:
        window = hall.windows[event.window]
        hall.services[window.service].cancelled = True
        _turn(window, event, event.at)
        _let_go(window)


def _ticket_delayed(hall: Hall, event: e.TicketDelayed) -> None:
    ticket = hall.tickets[event.ticket]
    take_out(hall, ticket)
    _move(hall, ticket, event)
    ticket.key = event.key
    ticket.delays += 1
    place(hall, ticket)


def _help_asked(hall: Hall, event: e.HelpAsked) -> None:
    hall.tickets[event.ticket].help_asked_at = event.at


def _ticket_reactivated(hall: Hall, event: e.TicketReactivated) -> None:
    ticket = hall.tickets[event.ticket]
    _move(hall, ticket, event)
    ticket.key = event.key
    place(hall, ticket)


def _print_recorded(hall: Hall, event: e.PrintRecorded) -> None:
    hall.tickets[event.ticket].print_state = event.state


def _reprint_requested(hall: Hall, event: e.ReprintRequested) -> None:
    ticket = hall.tickets[event.ticket]
    ticket.print_state = PrintState.CLAIMED
    ticket.reprints += 1


def _window_opened(hall: Hall, event: e.WindowOpened) -> None:
    window = hall.windows[event.window]
    _turn(window, event, event.at)
    window.staff, window.staff_name = event.staff, event.staff_name


def _window_taken_over(hall: Hall, event: e.WindowTakenOver) -> None:
    window = hall.windows[event.window]
    window.staff, window.staff_name = event.staff, event.staff_name
    if window.service:
        hall.services[window.service].staff = event.staff


def _window_paused(hall: Hall, event: e.WindowPaused) -> None:
    window = hall.windows[event.window]
    _turn(window, event, event.at)
    window.pause_reason, window.resumes_at = event.reason, event.resumes_at


def _window_resumed(hall: Hall, event: e.WindowResumed) -> None:
    window = hall.windows[event.window]
    _turn(window, event, event.at)
    window.pause_reason = window.resumes_at = ""


def _window_closed(hall: Hall, event: e.WindowClosed) -> None:
    window = hall.windows[event.window]
    _turn(window, event, event.at)
    window.staff = window.staff_name = window.pause_reason = window.resumes_at = ""
    window.last = None


def _begin(hall: Hall, event: e.TicketCalled | e.TicketRestored | e.TicketUnparked) -> Ticket:
    """A service begins at a window with a ticket in hand."""
    ticket, window = hall.tickets[event.ticket], hall.windows[event.window]
    if ticket.state is TicketState.WAITING:
        take_out(hall, ticket)
    hall.parked.discard(ticket.id)
    _move(hall, ticket, event)
    _turn(window, event, event.at)
    window.ticket, window.service, window.last = ticket.id, event.service, None
    if ticket.id in window.passed:
        window.passed.remove(ticket.id)
    ticket.window, ticket.service = window.id, event.service
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


def _ticket_called(hall: Hall, event: e.TicketCalled) -> None:
    ticket = _begin(hall, event)
    ticket.calls, ticket.called_at, ticket.last_call_at = 1, event.at, event.at
    if not ticket.first_called_at:
        ticket.first_called_at = event.at
        hall.called += 1
        wait = max(0, event.at - ticket.issued_at)
        hall.wait_sum_ms += wait
        hall.waits.append((event.at, wait))
    _remember(hall, ticket)


def _remember(hall: Hall, ticket: Ticket) -> None:
    if ticket.id in hall.recent:
        hall.recent.remove(ticket.id)
    hall.recent.appendleft(ticket.id)


def _ticket_restored(hall: Hall, event: e.TicketRestored) -> None:
    ticket = _begin(hall, event)
    ticket.calls, ticket.called_at, ticket.last_call_at = 1, event.at, event.at
    _remember(hall, ticket)


def _ticket_unparked(hall: Hall, event: e.TicketUnparked) -> None:
    _begin(hall, event)
    hall.services[event.service].started_at = event.at


def _ticket_recalled(hall: Hall, event: e.TicketRecalled) -> None:
    ticket = hall.tickets[event.ticket]
    _move(hall, ticket, event)
    ticket.calls, ticket.last_call_at = event.times, event.at
    hall.windows[event.window].asked_at = 0


def _no_show_asked(hall: Hall, event: e.NoShowAsked) -> None:
    hall.windows[event.window].asked_at = event.at


def _citizen_arrived(hall: Hall, event: e.CitizenArrived) -> None:
    _move(hall, hall.tickets[event.ticket], event)
    _turn(hall.windows[event.window], event, event.at)
    service = hall.services[event.service]
    service.started_at = event.at
    if event.inferred:
        service.inferred.append(f"arrival: {event.inferred}")


def _missed(hall: Hall, event: e.TicketRequeued | e.TicketPassed | e.TicketVoided) -> None:
    ticket, window = hall.tickets[event.ticket], hall.windows[event.window]
    _move(hall, ticket, event)
    _turn(window, event, event.at)
    _let_go(window)
    service = hall.services[event.service]
    service.cancelled = True
    if event.inferred:
        service.inferred.append(f"no-show: {event.inferred}")
    window.last = LastStep("no-show", ticket.id, event.service, event.at)
    window.passed.appendleft(ticket.id)
    ticket.passes += 1
    ticket.aside_reason = event.reason
    hall.no_shows += 1
    if isinstance(event, e.TicketRequeued):
        ticket.window = ticket.service = ""
        window.last_key = ticket.key
        ticket.key = event.key
        place(hall, ticket)
    elif isinstance(event, e.TicketVoided):
        ticket.ended_at = event.at


def _no_show_undone(hall: Hall, event: e.NoShowUndone) -> None:
    ticket, window = hall.tickets[event.ticket], hall.windows[event.window]
    if ticket.state is TicketState.WAITING:
        take_out(hall, ticket)
        if window.last_key is not None:
            ticket.key = window.last_key
    _move(hall, ticket, event)
    _turn(window, event, event.at)
    hall.services[event.service].cancelled = False
    window.ticket, window.service, window.last = ticket.id, event.service, None
    window.passed.remove(ticket.id)
    ticket.window, ticket.service, ticket.ended_at = window.id, event.service, 0
    ticket.passes -= 1
    hall.no_shows -= 1
    for stop in ticket.stops:
        for matter in stop.matters if not stop.bundle else (stop.bundle,):
            if ticket.person:
                hall.persons.setdefault((ticket.person, matter), ticket.id)


def _ticket_transferred(hall: Hall, event: e.TicketTransferred) -> None:
    ticket, window = hall.tickets[event.ticket], hall.windows[event.window]
    _move(hall, ticket, event)
    _turn(window, event, event.at)
    _let_go(window)
    service = hall.services[event.service]
    service.finished_at, service.outcome = event.at, "transferred"
    service.cancelled = not service.started_at
    plan = event.stop
    ticket.stops[ticket.stop] = Stop(plan.matters, plan.bundle, plan.queue, window=plan.window)
    ticket.window = ticket.service = ""
    ticket.aside_reason = event.reason
    place(hall, ticket)


def _ticket_parked(hall: Hall, event: e.TicketParked) -> None:
    ticket, window = hall.tickets[event.ticket], hall.windows[event.window]
    _move(hall, ticket, event)
    _turn(window, event, event.at)
    _let_go(window)
    service = hall.services[event.service]
    service.finished_at, service.outcome = event.at, "parked"
    service.cancelled = not service.started_at
    ticket.parked_until, ticket.aside_reason = event.until, event.reason
    hall.parked.add(ticket.id)


def _direct_service_started(hall: Hall, event: e.DirectServiceStarted) -> None:
    window = hall.windows[event.window]
    _turn(window, event, event.at)
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


def _finished(hall: Hall, event: e.ServiceFinished | e.StopFinished) -> None:
    window, service = hall.windows[event.window], hall.services[event.service]
    _turn(window, event, event.at)
    _let_go(window)
    window.served += 1
    window.last_service = service.id
    window.last = LastStep("finish", event.ticket, event.service, event.at)
    service.finished_at, service.outcome = event.at, event.outcome
    if event.inferred:
        service.inferred.append(f"finish: {event.inferred}")
    hall.served += 1
    if not event.ticket:
        hall.served_direct += 1
        return
    ticket = hall.tickets[event.ticket]
    _move(hall, ticket, event)
    ticket.current.done = True
    if isinstance(event, e.StopFinished):
        ticket.stop += 1
        ticket.window = ticket.service = ""
        place(hall, ticket)
    else:
        ticket.ended_at = event.at


def _finish_undone(hall: Hall, event: e.FinishUndone) -> None:
    window, service = hall.windows[event.window], hall.services[event.service]
    _turn(window, event, event.at)
    window.ticket, window.service, window.last = event.ticket, event.service, None
    window.served -= 1
    service.finished_at, service.outcome = 0, ""
    if service.invited_at:
        service.invited_at = 0
        hall.invited -= 1
    hall.served -= 1
    if not event.ticket:
        hall.served_direct -= 1
        return
    ticket = hall.tickets[event.ticket]
    if ticket.state is TicketState.WAITING:
        take_out(hall, ticket)
        ticket.stop -= 1
    _move(hall, ticket, event)
    ticket.current.done = False
    ticket.window, ticket.service, ticket.ended_at = window.id, service.id, 0


def _rating_invited(hall: Hall, event: e.RatingInvited) -> None:
    service = hall.services[event.service]
    if not service.invited_at:
        hall.invited += 1
    service.invited_at, service.invited_on = event.at, event.device


def _service_rated(hall: Hall, event: e.ServiceRated) -> None:
    hall.services[event.service].rating = event.rating
    hall.rated += 1


def _ticket_uncalled(hall: Hall, event: e.TicketUncalled) -> None:
    ticket = hall.tickets[event.ticket]
    if ticket.state is TicketState.WAITING:
        take_out(hall, ticket)
    hall.parked.discard(ticket.id)
    _move(hall, ticket, event)
    ticket.ended_at = event.at


def _device_changed(hall: Hall, event: e.DeviceChanged) -> None:
    hall.devices[event.device] = DeviceHealth(event.state, event.printer, event.at, event.error)


def _alarm_raised(hall: Hall, event: e.AlarmRaised) -> None:
    hall.alarms[event.alarm] = Alarm(event.alarm, event.code, event.subject, event.level, event.at, event.figure)


def _alarm_cleared(hall: Hall, event: e.AlarmCleared) -> None:
    del hall.alarms[event.alarm]


def _alarm_acknowledged(hall: Hall, event: e.AlarmAcknowledged) -> None:
    hall.alarms[event.alarm].acknowledged_by = event.by


_HANDLERS: dict[type[e.Event], Callable[[Hall, Any], Hall | None]] = {
    e.ConfigurationApplied: _configuration_applied,
    e.ConfigurationPlanned: _configuration_planned,
    e.DayOpened: _day_opened,
    e.DayStarted: _day_started,
    e.DayClosing: _day_closing,
    e.DayEnded: _day_ended,
    e.MessageSet: _message_set,
    e.TicketIssued: _ticket_issued,
    e.DemandUnmet: _demand_unmet,
    e.TicketCancelled: _ticket_cancelled,
    e.TicketDelayed: _ticket_delayed,
    e.HelpAsked: _help_asked,
    e.TicketReactivated: _ticket_reactivated,
    e.PrintRecorded: _print_recorded,
    e.ReprintRequested: _reprint_requested,
    e.WindowOpened: _window_opened,
    e.WindowTakenOver: _window_taken_over,
    e.WindowPaused: _window_paused,
    e.WindowResumed: _window_resumed,
    e.WindowClosed: _window_closed,
    e.TicketCalled: _ticket_called,
    e.TicketRecalled: _ticket_recalled,
    e.NoShowAsked: _no_show_asked,
    e.CitizenArrived: _citizen_arrived,
    e.TicketRequeued: _missed,
    e.TicketPassed: _missed,
    e.TicketVoided: _missed,
    e.NoShowUndone: _no_show_undone,
    e.TicketRestored: _ticket_restored,
    e.TicketTransferred: _ticket_transferred,
    e.TicketParked: _ticket_parked,
    e.TicketUnparked: _ticket_unparked,
    e.DirectServiceStarted: _direct_service_started,
    e.ServiceFinished: _finished,
    e.StopFinished: _finished,
    e.FinishUndone: _finish_undone,
    e.RatingInvited: _rating_invited,
    e.ServiceRated: _service_rated,
    e.TicketUncalled: _ticket_uncalled,
    e.DeviceChanged: _device_changed,
    e.AlarmRaised: _alarm_raised,
    e.AlarmCleared: _alarm_cleared,
    e.AlarmAcknowledged: _alarm_acknowledged,
}
