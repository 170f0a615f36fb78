"""Requests about tickets: from kiosks, guides, and the phones of citizens."""

import re
from collections.abc import Callable
from datetime import date

import msgspec
from aiohttp import web
from msgspec import structs

from queue_server.app.calendar import next_working_day
from queue_server.app.hub import Extras
from queue_server.app.past import retell
from queue_server.app.printing import PRINTING, job_of
from queue_server.app.views.tickets import issued_document, ticket_document, ticket_line
from queue_server.domain import commands as c
from queue_server.domain.configuration import Configuration
from queue_server.domain.decide import Decision
from queue_server.domain.errors import Malformed, Rejected
from queue_server.domain.events import TicketIssued, decode_event
from queue_server.domain.model import Hall, Ticket
from queue_server.store.port import PERSONAL_KEPT_MS, PersonalRow
from queue_server.web.frame import Frame, Route, new_id, query_int, refusing
from queue_server.web.principals import Person
from queue_server.web.said import sealed
from queue_server.wire.api import (
    Empty,
    Identity,
    Reprint,
    TakeTicket,
    TicketList,
    TicketTaken,
    encode,
)
from queue_server.wire.common import DeviceState, PrinterState, TicketState

ISSUERS = frozenset({"kiosk", "guide", "manager"})
GUIDES = frozenset({"guide", "manager", "desk"})
IDENTITY_KINDS = frozenset({"id_card", "phone", "passport"})
_CLOCK = re.compile("([01]?[0-9]|2[0-3]):([0-5][0-9])")
USABLE = (PrinterState.OK, PrinterState.NEAR_END)


async def _person_of(frame: Frame, identity: Identity) -> tuple[str, Extras]:
    """The random id behind an identity (law 10), and what must be written when it is new."""
    number = identity.number.strip().upper()
    if identity.kind not in IDENTITY_KINDS or not 4 <= len(number) <= 30:
        raise Malformed("identity", "kind id_card, phone or passport, number of 4 to 30 characters")
    person, extras = await frame.persons.behind(frame.persons.hashed(identity.kind, number))
    if not extras.lookups:
        return person, extras
    now = frame.hub.clock.now()
    clear = msgspec.json.encode({"kind": identity.kind, "number": number, "name": identity.name})
    return person, Extras([PersonalRow(person, "identity", clear, now, now + PERSONAL_KEPT_MS)], extras.lookups)


def usable_printer(hall: Hall, person: Person, wanted: str = "") -> str:
    """The wanted printer, the kiosk's own, or for staff the first that works; "" when none does (UX K-11)."""
    if wanted:
        return wanted if _prints(hall, wanted) else ""
    anywhere = "kiosk" not in person.roles
    for kiosk in hall.configuration.kiosk:
        if (anywhere or kiosk.id == person.of) and kiosk.printer and _prints(hall, kiosk.printer):
            return kiosk.printer
    return ""


def _prints(hall: Hall, printer: str) -> bool:
    health = hall.devices.get(printer)
    return health is not None and health.state is not DeviceState.OFFLINE and health.printer in USABLE


def taken(frame: Frame) -> Callable[[Hall, Decision], tuple[int, bytes]]:
    def respond(hall: Hall, decision: Decision) -> tuple[int, bytes]:
        ticket, clock = hall.tickets[decision.subject], frame.hub.clock
        token = frame.screens.around.tokens.make("t", ticket.id)
        issued, job = None, ""
        for event in decision.events:
            if isinstance(event, TicketIssued):
                issued = event
            if not job and isinstance(event, PRINTING) and event.printer:
                job = job_of(event)
        body = TicketTaken(
            ticket=issued_document(hall, ticket, clock, issued)
            if issued
            else ticket_document(hall, ticket, clock, clock.now()),
            token=token,
            url=f"{frame.screens.around.base_url}/t/{token}",
            created=issued is not None,
            print_job=job,
        )
        return 201 if body.created else 200, encode(body)

    return respond


async def take(frame: Frame, request: web.Request, person: Person) -> web.StreamResponse:
    body = await frame.body(request, TakeTicket)
    if body.note and person.kind == "device":
        raise Malformed("note", "a note is written by staff, never by a citizen (law 10)")
    if body.language not in ("zh", "en"):
        raise Malformed("language", "zh or en")
    note, extras = sealed(frame, body.note)
    who = ""
    if body.identity or body.card:
        if body.identity:
            who, told = await _person_of(frame, body.identity)
        else:
            try:
                holder = frame.readings.holder(person.name, body.card)
            except Rejected as gone:
                return await frame.carry(request, person, refusing(gone), taken(frame))
            who, told = await frame.persons.behind(holder)
        extras = Extras([*extras.personal, *told.personal], told.lookups)
    slip = await _slip(frame, body.slip, person) if body.slip else None
    if slip is not None:
        body, who = _for_slip(body, slip), who or slip.person

    def command(hall: Hall) -> c.TakeTicket:
        return c.TakeTicket(
            id=new_id(),
            matters=tuple(dict.fromkeys(body.matters)),
            bundle=body.bundle,
            quantity=body.quantity,
            priority=body.priority,
            person=who,
            origin=_origin(person),
            note=note,
            language=body.language,
            slip=slip.id if slip else "",
            printer=usable_printer(hall, person, body.printer) if body.paper else "",
        )

    return await frame.carry(request, person, command, taken(frame), extras)


async def _slip(frame: Frame, code: str, person: Person) -> Ticket:
    """A ticket that was not reached on the day before this one, as it was then (RULES 34); Rejected for any other.

    `code` is the address in the slip's code or the token at its end; staff may also type the number that stands on it.
    """

    def look(hall: Hall) -> tuple[str, Configuration]:
        return hall.previous_day, hall.configuration

    previous, configuration = await frame.hub.read(look)
    name = frame.screens.around.tokens.read(code.strip().rpartition("/")[2])
    wanted = name[1] if name and name[0] == "t" else ""
    if not wanted and person.kind == "staff":
        wanted = await _numbered(frame, code.strip().upper(), previous)
    told = await retell(frame.store, frame.hub.name, configuration, "t", wanted) if wanted else None
    ticket = told.tickets.get(wanted) if told is not None and told.day == previous else None
    if ticket is None or ticket.state is not TicketState.UNCALLED:
        raise Rejected("slip-unknown")
    return ticket


async def _numbered(frame: Frame, number: str, day: str) -> str:
    """The id of the ticket that had a number on a day; "" for none."""
    if not number or not day:
        return ""
    async for row in frame.store.read(frame.hub.name, subject="queue", day=day, naming=(number,)):
        event = decode_event(row.kind, row.version, row.data)
        if isinstance(event, TicketIssued) and event.number == number:
            return event.ticket
    return ""


def _for_slip(body: TakeTicket, slip: Ticket) -> TakeTicket:
    """What the slip's ticket still wanted, where the request names nothing else."""
    if body.matters or body.bundle:
        return body
    left = [stop for stop in slip.stops if not stop.done]
    return structs.replace(
        body,
        matters=[matter for stop in left for matter in stop.matters],
        bundle=next((stop.bundle for stop in left if stop.bundle), ""),
        quantity=slip.quantity,
        priority=body.priority or slip.priority,
    )


async def lost(frame: Frame, request: web.Request, person: Person) -> web.Response:
    """A lost slip by number, matter and time (minutes of the day as HH:MM)."""
    number = request.query.get("number", "").strip().upper()
    matter = request.query.get("matter", "")
    limit = query_int(request, "limit", 50, 1, 200)
    state = request.query.get("state", "")
    since, until = (_minutes(request, name) for name in ("from", "to"))

    def fits(hall: Hall, ticket: Ticket) -> bool:
        minute = frame.hub.clock.minute(ticket.issued_at)
        if number and number not in (ticket.number, ticket.number.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ").lstrip("0")):
            return False
        if state and ticket.state != state:
            return False
        wanted = {name for stop in ticket.stops for name in (*stop.matters, stop.bundle)}
        domains = {hall.catalogue.matters[name].domain for name in wanted if name in hall.catalogue.matters}
        if matter and matter not in wanted | domains:
            return False
        return (since is None or minute >= since) and (until is None or minute <= until)

    def look(hall: Hall) -> bytes:
        now = frame.hub.clock.now()
        fitting = [ticket for ticket in reversed(hall.tickets.values()) if fits(hall, ticket)][:limit]
        return encode(TicketList(tickets=[ticket_line(hall, ticket, now) for ticket in fitting]))

    return web.Response(body=await frame.hub.read(look), content_type="application/json")


def _minutes(request: web.Request, name: str) -> int | None:
    text = request.query.get(name, "")
    if not text:
        return None
    found = _CLOCK.fullmatch(text)
    if found is None:
        raise Malformed(name, "HH:MM")
    return int(found[1]) * 60 + int(found[2])


async def one(frame: Frame, request: web.Request, person: Person) -> web.Response:
    """One ticket of today, with its address for the QR code."""
    name = request.match_info["ticket"]
    body = await frame.hub.read(
        lambda hall: taken(frame)(hall, Decision([], name))[1] if name in hall.tickets else None
    )
    if body is None:
        raise web.HTTPNotFound
    return web.Response(body=body, content_type="application/json")


def _on_ticket(action: str, build: Callable[[str], c.Command]) -> Route:
    async def handle(frame: Frame, request: web.Request, person: Person) -> web.StreamResponse:
        await frame.body(request, Empty)
        name = request.match_info["ticket"]

        def respond(hall: Hall, decision: Decision) -> tuple[int, bytes]:
            return taken(frame)(hall, Decision(decision.events, name))

        return await frame.carry(request, person, build(name), respond)

    return Route("POST", f"tickets/{{ticket}}/{action}", handle, GUIDES, Empty, TicketTaken, f"{action} a ticket")


async def reprint(frame: Frame, request: web.Request, person: Person) -> web.StreamResponse:
    """The same number again, at a chosen printer, the kiosk's own, or the first that works."""
    body = await frame.body(request, Reprint)
    name = request.match_info["ticket"]
    printer = await frame.hub.read(lambda hall: usable_printer(hall, person, body.printer))
    if not printer:
        raise Rejected("no-printer")

    def respond(hall: Hall, decision: Decision) -> tuple[int, bytes]:
        return taken(frame)(hall, Decision(decision.events, name))

    kiosk = _origin(person) if "kiosk" in person.roles and not await _holds(frame, person, body.card, name) else ""
    return await frame.carry(request, person, c.Reprint(ticket=name, printer=printer, kiosk=kiosk), respond)


async def _holds(frame: Frame, person: Person, card: str, name: str) -> bool:
    """Whether the ticket is that of the card that lies at this kiosk; a card that is gone takes nothing away."""
    try:
        who = await frame.persons.known(frame.readings.holder(person.name, card)) if card else ""
    except Rejected:
        return False
    return bool(who) and await frame.hub.read(lambda hall: name in hall.tickets and hall.tickets[name].person == who)


async def slip(frame: Frame, request: web.Request, person: Person) -> web.StreamResponse:
    """Sends somebody home whom the day will not reach, with priority on the next working day (RULES 34)."""
    body = await frame.body(request, Reprint)
    name = request.match_info["ticket"]

    def look(hall: Hall) -> tuple[str, str]:
        day = next_working_day(hall.configuration.hours, date.fromisoformat(hall.day)) if hall.day else ""
        return usable_printer(hall, person, body.printer), str(day)

    printer, valid_on = await frame.hub.read(look)

    def respond(hall: Hall, decision: Decision) -> tuple[int, bytes]:
        return taken(frame)(hall, Decision(decision.events, name))

    return await frame.carry(request, person, c.TurnAway(ticket=name, printer=printer, valid_on=valid_on), respond)


def _origin(person: Person) -> str:
    return f"{person.kind}:{person.of or person.name}"


ROUTES: list[Route] = [
    Route("POST", "tickets", take, ISSUERS, TakeTicket, TicketTaken, "Take a ticket", 201),
    Route("GET", "tickets", lost, GUIDES, None, TicketList, "Find a ticket by number, matter and time"),
    Route("GET", "tickets/{ticket}", one, GUIDES, None, TicketTaken, "One ticket of today"),
    Route(
        "POST", "tickets/{ticket}/reprint", reprint, GUIDES | {"kiosk"}, Reprint, TicketTaken, "Print a ticket again"
    ),
    Route(
        "POST", "tickets/{ticket}/slip", slip, GUIDES, Reprint, TicketTaken, "Turn away with a slip for the next day"
    ),
    _on_ticket("reactivate", lambda name: c.ReactivateTicket(ticket=name)),
    _on_ticket("cancel", lambda name: c.CancelTicket(ticket=name)),
]
