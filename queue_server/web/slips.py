"""Requests that a citizen makes with the slip in hand, at a kiosk."""

import hmac
import string

from aiohttp import web

from queue_server.app.hub import Responder
from queue_server.app.persons import own_ticket
from queue_server.app.views.tickets import plate_of
from queue_server.domain import commands as c
from queue_server.domain.decide import Decision
from queue_server.domain.errors import Rejected
from queue_server.domain.model import Hall, Ticket
from queue_server.domain.queues import ahead_of
from queue_server.web.frame import Frame, Route, refusing
from queue_server.web.principals import Person
from queue_server.web.tickets import taken
from queue_server.wire.api import Slip, TicketTaken
from queue_server.wire.common import TicketState


async def reactivate(frame: Frame, request: web.Request, person: Person) -> web.StreamResponse:
    """RULES 28: a passed ticket waits again under its number; for every other the answer says what to do instead."""
    slip = await frame.body(request, Slip)
    respond = taken(frame)
    if slip.card:
        try:
            name = await _ticket_of(frame, slip.card, person.name)
        except Rejected as gone:
            return await frame.carry(request, person, refusing(gone), respond)
        shown = await frame.hub.read(lambda hall: _shown(hall, name, respond))
        if shown is not None:
            return web.Response(body=shown, content_type="application/json")
    else:
        name = await _ticket_on(frame, slip, person.of)

    def command(hall: Hall) -> c.ReactivateTicket:
        ticket = hall.tickets.get(name)
        if ticket is None:
            raise Rejected("slip-not-today")
        _refuse(hall, ticket)
        return c.ReactivateTicket(ticket=name)

    return await frame.carry(
        request, person, command, lambda hall, decision: respond(hall, Decision(decision.events, name))
    )


async def _ticket_of(frame: Frame, card: str, box: str) -> str:
    """RULES 16: the id of the ticket that the holder of a card has today; Rejected when they have none."""
    person = await frame.persons.known(frame.readings.holder(box, card))
    ticket = await frame.hub.read(lambda hall: own_ticket(hall, person))
    if ticket is None:
        raise Rejected("card-no-ticket")
    return ticket.id


def _shown(hall: Hall, name: str, respond: Responder) -> bytes | None:
    """A ticket that waits needs nothing done: its holder sees it again (RULES 16)."""
    waits = name in hall.tickets and hall.tickets[name].state is TicketState.WAITING
    return respond(hall, Decision([], name))[1] if waits else None


async def _ticket_on(frame: Frame, slip: Slip, kiosk: str) -> str:
    """The id of the ticket whose slip this is."""
    tokens = frame.screens.around.tokens
    if slip.token:
        read = tokens.read(slip.token)
        frame.accounts.check_slip(kiosk, read is not None and read[0] == "t")
        assert read is not None
        return read[1]
    typed = slip.number.strip().upper()
    wanted = typed.lstrip("0")
    held = await frame.hub.read(
        lambda hall: [name for number, name in hall.numbers.items() if typed == number or wanted == _figures(number)]
    )
    # An unknown number is answered like a wrong code: a kiosk tells nobody which numbers there are.
    found = [name for name in held if hmac.compare_digest(tokens.code(name).encode(), slip.code.strip().encode())]
    frame.accounts.check_slip(kiosk, bool(wanted) and len(found) == 1)
    return found[0]


def _figures(number: str) -> str:
    """A012 as a pad without letters types it."""
    return number.lstrip(string.ascii_uppercase).lstrip("0")


def _refuse(hall: Hall, ticket: Ticket) -> None:
    """Every ticket that was not passed, with where its citizen should go."""
    said = {"number": ticket.number, "window": plate_of(hall, ticket.window)}
    match ticket.state:
        case TicketState.PASSED:
            return
        case TicketState.WAITING:
            raise Rejected("slip-waiting", **said, ahead=ahead_of(hall, ticket.current.queue, ticket.key))
        case TicketState.CALLED:
            raise Rejected("slip-called", **said)
        case TicketState.SERVING:
            raise Rejected("slip-serving", **said)
        case TicketState.PARKED:
            raise Rejected("slip-parked", **said)
        case TicketState.VOID:
            raise Rejected("slip-void", **said)
        case TicketState.UNCALLED:
            raise Rejected("slip-uncalled", **said)
        case _:
            raise Rejected("slip-over", **said)


ROUTES: list[Route] = [
    Route(
        "POST", "kiosk/reactivate", reactivate, frozenset({"kiosk"}), Slip, TicketTaken, "Bring a passed ticket back"
    ),
]
