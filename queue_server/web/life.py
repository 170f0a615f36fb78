"""A ticket's whole life in words: what happened, by whom, and why it was called when it was."""

import msgspec
from aiohttp import web

from queue_server.app.clock import Clock
from queue_server.app.past import retell, rows_of
from queue_server.app.texts import has, plain, words
from queue_server.app.views.devices import device_name
from queue_server.app.views.tickets import plate_of, ticket_document
from queue_server.domain import events as e
from queue_server.domain.catalogue import Catalogue
from queue_server.domain.configuration import KIOSK_PAGE, Configuration
from queue_server.domain.model import Hall
from queue_server.store.port import JournalRow
from queue_server.web.frame import Frame, Route
from queue_server.web.principals import Person
from queue_server.web.said import opened_fields
from queue_server.wire.api import LifeLine, TicketLife, encode
from queue_server.wire.common import Words
from queue_server.wire.documents import TicketDocument


async def life(frame: Frame, request: web.Request, person: Person) -> web.Response:
    """Every event of one ticket in words, of whichever day."""
    name = request.match_info["ticket"]
    now = frame.hub.clock.now()

    def look(hall: Hall) -> tuple[TicketDocument | None, dict[str, str], Configuration, Catalogue]:
        ticket = hall.tickets.get(name)
        plates = {each.id: plate_of(hall, each.id) for each in hall.configuration.window}
        document = ticket_document(hall, ticket, frame.hub.clock, now) if ticket else None
        return document, plates, hall.configuration, hall.catalogue

    document, plates, configuration, catalogue = await frame.hub.read(look)
    rows = await rows_of(frame.store, frame.hub.name, name)
    if document is None:
        told = await retell(frame.store, frame.hub.name, configuration, "t", name)
        if told is None:
            raise web.HTTPNotFound
        document = ticket_document(told, told.tickets[name], frame.hub.clock, now)
    lines = []
    for row in rows:
        fields = await opened_fields(frame, row.data)
        who = _who(frame, catalogue, row.actor)
        lines.append(_line(row, plates, fields, who, frame.hub.clock, catalogue))
    reply = TicketLife(ticket=document, origin=_who(frame, catalogue, document.origin), lines=lines)
    return web.Response(body=encode(reply), content_type="application/json")


def _line(
    row: JournalRow, plates: dict[str, str], fields: dict[str, object], who: Words, clock: Clock, catalogue: Catalogue
) -> LifeLine:
    window = str(fields.get("window", ""))
    figures = {**fields, "window": plates.get(window, window)}
    code = f"life.{row.kind}"
    zh, en = dict(figures), dict(figures)
    if row.kind == "TicketIssued" and fields.get("note"):
        code += ".noted"
    if row.kind == "TicketCalled" and fields.get("given"):
        code += ".given"
    elif row.kind == "TicketCalled" and fields.get("heads"):
        code += ".first"
        heads = [_head(head, clock) for head in msgspec.convert(fields["heads"], list[e.Head])]
        zh["heads"], en["heads"] = "；".join(each.zh for each in heads), "; ".join(each.en for each in heads)
    if row.kind == "TicketTransferred":
        code += ".noted" if fields.get("reason") else ""
        to = _target(msgspec.convert(fields, e.TicketTransferred), plates, catalogue)
        zh["target"], en["target"] = to.zh, to.en
    for name, value in fields.items():
        if has(f"said.{value}"):
            said = words(f"said.{value}")
            zh[name], en[name] = said.zh, said.en
    return LifeLine(
        seq=row.seq,
        at=row.at,
        kind=row.kind,
        text=Words(zh=words(code, zh).zh, en=words(code, en).en),
        actor=row.actor,
        who=who,
        inferred=bool(fields.get("inferred")),
    )


def _target(moved: e.TicketTransferred, plates: dict[str, str], catalogue: Catalogue) -> Words:
    """The person, domain, window or matters that a ticket was passed on to (UX C-12)."""
    if moved.staff:
        return plain(f"{moved.staff_name}（{moved.staff}）", f"{moved.staff_name} ({moved.staff})")
    if moved.domain:
        domain = catalogue.domains.get(moved.domain)
        return plain(domain.name, domain.name_en) if domain else plain(moved.domain)
    if moved.stop.window:
        return words("life.window", {"window": plates.get(moved.stop.window, moved.stop.window)})
    known = [(catalogue.matters.get(name), name) for name in moved.stop.matters]
    names = [plain(matter.name, matter.name_en) if matter else plain(name) for matter, name in known]
    return Words(zh="、".join(each.zh for each in names), en=", ".join(each.en for each in names))


def _head(head: e.Head, clock: Clock) -> Words:
    """One of those that were compared: its number, its effective time, and what it was held back by."""
    figures = {"number": head.number, "time": f"{clock.local(head.effective_at):%H:%M:%S}"}
    if head.penalty_ms <= 0:
        return words("life.head", figures)
    return words("life.head.away", {**figures, "minutes": round(head.penalty_ms / 60_000)})


def _who(frame: Frame, catalogue: Catalogue, actor: str) -> Words:
    """Whoever did it as the hall knows them; what has no name keeps the journal's word."""
    kind, _, name = actor.partition(":")
    if actor.startswith("citizen@"):
        return words("who.citizen")
    if actor in ("clock", "restart"):
        return words("who.server")
    if kind == "staff":
        known = {row.staff: row.name for row in frame.accounts.staff()}
        return plain(f"{known[name]}（{name}）", f"{known[name]} ({name})") if known.get(name) else plain(name)
    of = next((row.of or row.name for row in frame.accounts.devices() if row.id == name), name)
    if kind not in ("device", "keypad", "printer", "agent"):
        return plain(actor)
    return device_name(catalogue, of if of in catalogue.device_names else f"{KIOSK_PAGE}{of}")


ROUTES: list[Route] = [
    Route(
        "GET",
        "tickets/{ticket}/life",
        life,
        frozenset({"manager", "auditor"}),
        None,
        TicketLife,
        "A ticket's whole life",
    ),
]
