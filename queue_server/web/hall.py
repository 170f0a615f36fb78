"""Requests about the hall itself: its day, messages, alarms, configuration, and its journal."""

from collections.abc import Callable

import msgspec
from aiohttp import web

from queue_server.app import hallfile
from queue_server.app.texts import words
from queue_server.app.views.tickets import ticket_line
from queue_server.domain import commands as c
from queue_server.domain.configuration import Configuration
from queue_server.domain.day import requeued, unreachable
from queue_server.domain.decide import Decision
from queue_server.domain.errors import Malformed, Rejected
from queue_server.domain.events import ConfigurationApplied, decode_event
from queue_server.domain.findings import Finding as Found
from queue_server.domain.model import Hall, Ticket
from queue_server.domain.tickets import minutes_of
from queue_server.web.frame import Frame, Route, query_int
from queue_server.web.principals import Person
from queue_server.wire.api import (
    CloseDay,
    ConfigurationFile,
    ConfigurationReply,
    DayReply,
    Empty,
    Finding,
    SetMessage,
    Unreached,
    encode,
)
from queue_server.wire.common import HallState, TicketState, Words

MANAGERS = frozenset({"manager"})
SETTERS = frozenset({"manager", "admin"})
JOURNAL_PAGE = 1_000


def _nothing(hall: Hall, decision: Decision) -> tuple[int, bytes]:
    return 200, b"{}"


def _day_reply(frame: Frame) -> Callable[[Hall, Decision], tuple[int, bytes]]:
    def respond(hall: Hall, decision: Decision) -> tuple[int, bytes]:
        now = frame.hub.clock.now()
        left = max(0, minutes_of(hall.configuration.hours.closes) - frame.hub.clock.minute(now))
        late = unreachable(hall, left) if hall.state is not HallState.CLOSED else []
        late += [ticket for ticket in hall.tickets.values() if ticket.state is TicketState.UNCALLED]
        lines = [_unreached(hall, ticket, now) for ticket in late]
        return 200, encode(DayReply(state=hall.state, day=hall.day, waiting=hall.waiting, unreachable=lines))

    return respond


def _unreached(hall: Hall, ticket: Ticket, now: int) -> Unreached:
    return Unreached(
        id=ticket.id,
        number=ticket.number,
        matter=ticket_line(hall, ticket, now).matter,
        state=ticket.state,
        slips=ticket.slips,
        print_state=ticket.print_state,
    )


async def closing(frame: Frame, request: web.Request, person: Person) -> web.Response:
    """Who cannot be reached if the doors close now."""
    body = await frame.hub.read(lambda hall: _day_reply(frame)(hall, Decision([]))[1])
    return web.Response(body=body, content_type="application/json")


def _day(action: str, body: type[msgspec.Struct], build: Callable[[object], c.Command]) -> Route:
    async def handle(frame: Frame, request: web.Request, person: Person) -> web.StreamResponse:
        parsed: object = await frame.body(request, body)
        return await frame.carry(request, person, build(parsed), _day_reply(frame))

    return Route("POST", f"day/{action}", handle, MANAGERS, body, DayReply, f"{action} the day")


async def open_now(frame: Frame, request: web.Request, person: Person) -> web.StreamResponse:
    """Doors open now, whatever the calendar says of today."""
    await frame.body(request, Empty)
    clock = frame.hub.clock
    command = c.StartDay(day=f"{clock.local(clock.now()):%Y-%m-%d}")
    return await frame.carry(request, person, command, _day_reply(frame))


def _closing_text(body: object) -> c.Command:
    """Whoever closes the doors early says so: in the hall's own words where none were written."""
    assert isinstance(body, CloseDay)
    usual = words("closing-early")
    said = body if body.text.strip() or body.text_en.strip() else CloseDay(text=usual.zh, text_en=usual.en)
    return c.CloseDay(text=said.text, text_en=said.text_en)


async def message(frame: Frame, request: web.Request, person: Person) -> web.StreamResponse:
    body = await frame.body(request, SetMessage)
    command = c.SetMessage(kind=body.kind, zh=body.zh, en=body.en)
    return await frame.carry(request, person, command, _nothing)


async def acknowledge(frame: Frame, request: web.Request, person: Person) -> web.StreamResponse:
    """Whatever alarm is shown to this person, also one that the hall's rules did not raise; no other (RULES 50, 58)."""
    await frame.body(request, Empty)
    name = request.match_info["alarm"]

    def command(hall: Hall) -> c.AcknowledgeAlarm:
        shown = frame.screens.alarms(hall, ratings="manager" in person.roles, reader=person.name)
        if all(alarm.id != name for alarm in shown.alarms):
            raise Rejected("alarm-unknown")
        return c.AcknowledgeAlarm(alarm=name, beside=name not in hall.alarms)

    return await frame.carry(request, person, command, _nothing)


# --- configuration ---


def _findings(found: list[Found]) -> list[Finding]:
    return [Finding(level=each.level.value, where=each.where, text=Words(zh=each.zh, en=each.en)) for each in found]


async def configuration(frame: Frame, request: web.Request, person: Person) -> web.Response:
    """The file in force."""

    def look(hall: Hall) -> tuple[Configuration, int]:
        return hall.configuration, hall.version

    value, version = await frame.hub.read(look)
    reply = ConfigurationReply(findings=[], moved=0, stranded=0, applied=version, text=hallfile.dump(value))
    return web.Response(body=encode(reply), content_type="application/json")


async def _checked(frame: Frame, text: str) -> tuple[Configuration | None, ConfigurationReply]:
    """The configuration of a file (None when it has errors) and what it would do to waiting tickets."""
    value, found = hallfile.load(text)
    broken = value is None or any(each.level == "error" for each in found)
    if value is not None and value.hall.id != frame.hub.name:
        raise Malformed("hall.id", f"this hall is {frame.hub.name}")

    def look(hall: Hall) -> tuple[int, int, int]:
        if value is None or broken:
            return 0, 0, hall.version
        moved = stranded = 0
        for name, queues in requeued(hall, value).items():
            before = tuple(stop.queue for stop in hall.tickets[name].stops)
            stranded += "" in queues
            moved += queues != before
        return moved, stranded, hall.version

    moved, stranded, version = await frame.hub.read(look)
    reply = ConfigurationReply(findings=_findings(found), moved=moved, stranded=stranded, applied=version, text="")
    return (None if broken else value), reply


async def preview(frame: Frame, request: web.Request, person: Person) -> web.Response:
    body = await frame.body(request, ConfigurationFile)
    _, reply = await _checked(frame, body.text)
    return web.Response(body=encode(reply), content_type="application/json")


async def apply(frame: Frame, request: web.Request, person: Person) -> web.StreamResponse:
    body = await frame.body(request, ConfigurationFile)
    if body.at not in ("now", "tonight"):
        raise Malformed("at", "now or tonight")
    value, reply = await _checked(frame, body.text)
    if value is None:
        raise Rejected("configuration-invalid")
    if body.at == "tonight":
        done = encode(reply)
        command = c.PlanConfiguration(configuration=value, source="file")
        return await frame.carry(request, person, command, lambda _hall, _decision: (200, done))
    return await _apply(frame, request, person, value, "file", reply)


async def _apply(
    frame: Frame, request: web.Request, person: Person, value: Configuration, source: str, reply: ConfigurationReply
) -> web.StreamResponse:
    def respond(hall: Hall, decision: Decision) -> tuple[int, bytes]:
        done = ConfigurationReply(findings=reply.findings, moved=reply.moved, stranded=0, applied=hall.version, text="")
        return 200, encode(done)

    return await frame.carry(request, person, c.ApplyConfiguration(configuration=value, source=source), respond)


async def rollback(frame: Frame, request: web.Request, person: Person) -> web.StreamResponse:
    """Back to the configuration before the one in force, as a new version."""
    await frame.body(request, Empty)
    kind = "ConfigurationApplied"
    newest = await frame.store.from_newest(frame.hub.name, "configuration", kind)
    before = await frame.store.from_newest(frame.hub.name, "configuration", kind, before=newest[0].seq)
    row = next((row for row in before if row.kind == kind), None)
    if row is None:
        raise Rejected("no-earlier-configuration")
    earlier = decode_event(row.kind, row.version, row.data)
    assert isinstance(earlier, ConfigurationApplied)
    reply = ConfigurationReply(findings=[], moved=0, stranded=0, applied=0, text="")
    return await _apply(frame, request, person, earlier.configuration, f"rollback:{earlier.version}", reply)


# --- what happened ---


async def journal(frame: Frame, request: web.Request, person: Person) -> web.Response:
    """Rows after a seq as JSON lines, at most 1,000 (a province reads on from the last)."""
    after = query_int(request, "after", 0, 0, 2**53)
    rows = [row async for row in frame.store.read(frame.hub.name, after=after, limit=JOURNAL_PAGE)]
    body = b"".join(msgspec.json.encode(row) + b"\n" for row in rows)
    return web.Response(body=body, content_type="application/x-ndjson")


ROUTES: list[Route] = [
    Route("POST", "day/open", open_now, MANAGERS, Empty, DayReply, "open the day, also one the calendar does not"),
    _day("close", CloseDay, _closing_text),
    _day("end", Empty, lambda _: c.EndDay()),
    Route("GET", "day/closing", closing, MANAGERS, None, DayReply, "Whom an early closing would not reach"),
    Route("POST", "message", message, MANAGERS, SetMessage, Empty, "Show or take away a message over everything"),
    Route(
        "POST",
        "alarms/{alarm}/acknowledge",
        acknowledge,
        frozenset({"guide", "manager"}),
        Empty,
        Empty,
        "Acknowledge an alarm",
    ),
    Route("GET", "configuration", configuration, SETTERS, None, ConfigurationReply, "The configuration in force"),
    Route("POST", "configuration/preview", preview, SETTERS, ConfigurationFile, ConfigurationReply, "Check a file"),
    Route("POST", "configuration/apply", apply, SETTERS, ConfigurationFile, ConfigurationReply, "Apply a file"),
    Route("POST", "configuration/rollback", rollback, SETTERS, Empty, ConfigurationReply, "Back to the one before"),
    Route("GET", "journal", journal, frozenset({"auditor", "admin"}), None, None, "Journal rows after a seq"),
]
