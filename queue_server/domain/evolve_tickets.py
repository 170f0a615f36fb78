"""What happens to a ticket away from windows, into state."""

from queue_server.domain import events as e
from queue_server.domain.model import Hall, Stop, Ticket
from queue_server.domain.moves import let_go, move, remember_person, turn
from queue_server.domain.queues import place, take_out
from queue_server.wire.common import PrintState, TicketState

_NONE, _CLAIMED = PrintState.NONE, PrintState.CLAIMED


def ticket_issued(hall: Hall, event: e.TicketIssued) -> None:
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
        print_state=_CLAIMED if event.printer else _NONE,
        ahead_at_issue=event.ahead,
        wait_at_issue=(event.wait_low_s, event.wait_high_s),
    )
    hall.tickets[ticket.id] = ticket
    hall.numbers[ticket.number] = ticket.id
    hall.by_sequence.setdefault(event.sequence, []).append(ticket.id)
    hall.sequences[event.prefix] = event.sequence
    hall.issued = event.issue
    taken = hall.taken
    for stop in ticket.stops:
        for name in stop.wanted:
            taken[name] = taken.get(name, 0) + 1
    if event.slip:
        hall.redeemed.add(event.slip)
    remember_person(hall, ticket)
    place(hall, ticket)


def ticket_cancelled(hall: Hall, event: e.TicketCancelled) -> None:
    ticket = hall.tickets[event.ticket]
    if ticket.state is TicketState.WAITING:
        take_out(hall, ticket)
    hall.parked.discard(ticket.id)
    move(hall, ticket, event)
    ticket.ended_at = event.at
    if event.window:
        window = hall.windows[event.window]
        hall.services[window.service].cancelled = True
        turn(window, event, event.at)
        let_go(window)


def ticket_delayed(hall: Hall, event: e.TicketDelayed) -> None:
    ticket = hall.tickets[event.ticket]
    take_out(hall, ticket)
    move(hall, ticket, event)
    ticket.key = event.key
    ticket.delays += 1
    place(hall, ticket)


def help_asked(hall: Hall, event: e.HelpAsked) -> None:
    hall.tickets[event.ticket].help_asked_at = event.at
    hall.asked_help.add(event.ticket)


def ticket_reactivated(hall: Hall, event: e.TicketReactivated) -> None:
    ticket = hall.tickets[event.ticket]
    move(hall, ticket, event)
    ticket.window = ticket.service = ""
    ticket.key = event.key
    place(hall, ticket)


def print_recorded(hall: Hall, event: e.PrintRecorded) -> None:
    hall.tickets[event.ticket].print_state = event.state
    hall.noticed.pop(f"print:{event.ticket}", None)


def reprint_requested(hall: Hall, event: e.ReprintRequested) -> None:
    ticket = hall.tickets[event.ticket]
    ticket.print_state = PrintState.CLAIMED
    ticket.reprints += 1


def slip_requested(hall: Hall, event: e.SlipRequested) -> None:
    ticket = hall.tickets[event.ticket]
    ticket.print_state = PrintState.CLAIMED
    ticket.slips += 1


def ticket_uncalled(hall: Hall, event: e.TicketUncalled) -> None:
    ticket = hall.tickets[event.ticket]
    if ticket.state is TicketState.WAITING:
        take_out(hall, ticket)
    hall.parked.discard(ticket.id)
    move(hall, ticket, event)
    ticket.ended_at = event.at
