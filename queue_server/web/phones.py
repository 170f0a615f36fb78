"""Requests from the phones of citizens: their ticket, and the rating of their service, also on later days."""

from collections.abc import Callable

import msgspec
from aiohttp import web

from queue_server.app.hub import Extras
from queue_server.app.past import rating_until, retell
from queue_server.domain import commands as c
from queue_server.domain.decide import Decision
from queue_server.domain.errors import Rejected
from queue_server.domain.model import Hall
from queue_server.store.port import PERSONAL_KEPT_MS, PersonalRow
from queue_server.web.frame import Frame, Route, new_id
from queue_server.web.principals import Person
from queue_server.wire.api import Empty, Rate, Rated, encode
from queue_server.wire.documents import TicketView


def _ticket_of(frame: Frame, token: str) -> str:
    read = frame.screens.around.tokens.read(token)
    if read is None or read[0] != "t":
        raise web.HTTPNotFound
    return read[1]


async def view_of(frame: Frame, name: str) -> TicketView | None:
    """A ticket of today, or of an earlier day until its rating period is over (UX P-01); None for any other."""
    now = frame.hub.clock.now()

    def look(hall: Hall) -> TicketView | None:
        ticket = hall.tickets.get(name)
        return frame.screens.ticket_view(hall, ticket, now) if ticket else None

    today = await frame.hub.read(look)
    if today is not None:
        return today
    past = await _past(frame, "t", name)
    if past is None or now > rating_until(past.configuration, past.day, frame.hub.clock):
        return None
    return frame.screens.ticket_view(past, past.tickets[name], now)


async def _past(frame: Frame, kind: str, name: str) -> Hall | None:
    configuration = await frame.hub.read(lambda hall: hall.configuration)
    return await retell(frame.store, frame.hub.name, configuration, kind, name)


async def phone(frame: Frame, request: web.Request, person: Person) -> web.Response:
    view = await view_of(frame, _ticket_of(frame, request.match_info["token"]))
    if view is None:
        raise web.HTTPNotFound
    return web.Response(body=encode(view), content_type="application/json")


def _by_phone(action: str, build: Callable[[str], c.Command]) -> Route:
    async def handle(frame: Frame, request: web.Request, person: Person) -> web.StreamResponse:
        await frame.body(request, Empty)
        name = _ticket_of(frame, request.match_info["token"])
        citizen = Person("ticket", name, "", frozenset())

        def respond(hall: Hall, decision: Decision) -> tuple[int, bytes]:
            return 200, encode(frame.screens.ticket_view(hall, hall.tickets[name], frame.hub.clock.now()))

        return await frame.carry(request, citizen, build(name), respond)

    return Route("POST", f"phone/{{token}}/{action}", handle, frozenset(), Empty, TicketView, f"{action} by phone")


async def rate(frame: Frame, request: web.Request, person: Person) -> web.StreamResponse:
    """One rating per service, from the page of its ticket or its window's QR (RULES 38, 46)."""
    body = await frame.body(request, Rate)
    command = await _rating(frame, body)
    now = frame.hub.clock.now()
    row = PersonalRow(f"rating:{command.id}", "text", body.text.encode(), now, now + PERSONAL_KEPT_MS)
    extras = Extras(personal=[row] if body.text.strip() else [])
    answer = encode(Rated(service=body.service, stored=True))
    citizen = Person("citizen", body.service, "", frozenset())
    return await frame.carry(request, citizen, command, lambda _hall, _decision: (200, answer), extras)


async def _rating(frame: Frame, body: Rate) -> c.Rate | c.RateEarlier:
    """The command for a service of today or of an earlier day; Rejected when the token does not open it."""
    read = frame.screens.around.tokens.read(body.token)
    if read is None or (read[0] == "s" and read[1] != body.service):
        raise Rejected("service-unknown")
    mine, day = await frame.hub.read(lambda hall: (_ticket_served(hall, body.service), hall.day))
    command = c.Rate(
        id=new_id(), service=body.service, level=body.level, tags=tuple(body.tags), has_text=bool(body.text.strip())
    )
    if mine is not None:
        if read[0] == "t" and mine != read[1]:
            raise Rejected("service-unknown")
        return command
    past = await _past(frame, *read)
    service = past.services.get(body.service) if past else None
    if past is None or service is None or not service.started_at or service.cancelled:
        raise Rejected("service-unknown")
    until = rating_until(past.configuration, past.day, frame.hub.clock)
    return c.RateEarlier(
        **msgspec.structs.asdict(command),
        until=until,
        rated=bool(service.rating),
        day=day,
        window=service.window,
        staff=service.staff,
    )


def _ticket_served(hall: Hall, service: str) -> str | None:
    """The ticket of a service of today ("" for a direct one), None for any other."""
    found = hall.services.get(service)
    return found.ticket if found else None


ROUTES: list[Route] = [
    Route("GET", "phone/{token}", phone, frozenset(), None, TicketView, "The citizen's own ticket"),
    _by_phone("cancel", lambda name: c.CancelTicket(ticket=name)),
    _by_phone("delay", lambda name: c.DelayTicket(ticket=name)),
    _by_phone("help", lambda name: c.AskHelp(ticket=name)),
    Route("POST", "ratings", rate, frozenset(), Rate, Rated, "Rate a service"),
]
