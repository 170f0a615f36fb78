"""How an event moves a ticket or a window through its table, and what follows from the move alone."""

from queue_server.domain import events as e
from queue_server.domain.errors import Broken
from queue_server.domain.model import Hall, Stop, Ticket, Window
from queue_server.domain.states import OVER, TICKET_TRANSITIONS, WINDOW_TRANSITIONS


def move(hall: Hall, ticket: Ticket, event: e.Event) -> None:
    """The ticket through its table; Broken when the table has no such way."""
    target = TICKET_TRANSITIONS[ticket.state].get(type(event).__name__)
    if target is None:
        raise Broken(f"{type(event).__name__} on a ticket that is {ticket.state}")
    ticket.state = target
    ticket.moves += 1
    if target in OVER:
        for stop in ticket.stops:
            forget_person(hall, ticket, stop)


def turn(window: Window, event: e.Event, at: int) -> None:
    """The window through its table; Broken when the table has no such way."""
    target = WINDOW_TRANSITIONS[window.state].get(type(event).__name__)
    if target is None:
        raise Broken(f"{type(event).__name__} at a window that is {window.state}")
    window.state = target
    window.since = at
    window.asked_at = 0


def let_go(window: Window) -> None:
    """Nothing is in hand any more."""
    window.ticket = window.service = ""


def remember_person(hall: Hall, ticket: Ticket) -> None:
    """RULES 16: the person has this ticket for every matter that is not done; an earlier ticket stands."""
    if ticket.person:
        for stop in ticket.stops:
            if not stop.done:
                for wanted in stop.wanted:
                    hall.persons.setdefault((ticket.person, wanted), ticket.id)


def forget_person(hall: Hall, ticket: Ticket, stop: Stop) -> None:
    """The person may ask for what the stop was about again."""
    if ticket.person:
        for wanted in stop.wanted:
            if hall.persons.get((ticket.person, wanted)) == ticket.id:
                del hall.persons[ticket.person, wanted]
