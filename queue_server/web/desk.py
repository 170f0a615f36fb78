"""Requests of a clerk at a window, each one command."""

from collections.abc import Callable
from typing import Any

import msgspec
from aiohttp import web

from queue_server.app.texts import plain
from queue_server.app.views.desk import desk_document
from queue_server.app.views.tickets import plate_of
from queue_server.domain import commands as c
from queue_server.domain.decide import Decision, decide
from queue_server.domain.errors import Malformed, Rejected
from queue_server.domain.events import TicketTransferred, WindowClosed, WindowPaused
from queue_server.domain.model import Hall
from queue_server.domain.queues import ahead_of, all_windows
from queue_server.domain.tickets import estimate
from queue_server.domain.windows import known_window, stranded_without
from queue_server.web.frame import Frame, Route, new_id
from queue_server.web.principals import Person
from queue_server.web.said import sealed
from queue_server.wire.api import (
    CallNumber,
    DeskReply,
    DomainTarget,
    Empty,
    Finish,
    Leaving,
    NoShow,
    OneTicket,
    OpenWindow,
    Park,
    PauseWindow,
    ServeDirect,
    StaffTarget,
    Transfer,
    TransferPreview,
    TransferTargets,
    encode,
)
from queue_server.wire.common import WindowState
from queue_server.wire.documents import WindowsDocument

RESTING = (WindowState.CLOSED, WindowState.PAUSED)

Build = Callable[[str, Any, Person], c.Command]


def _reply(frame: Frame, name: str) -> Callable[[Hall, Decision], tuple[int, bytes]]:
    def respond(hall: Hall, decision: Decision) -> tuple[int, bytes]:
        stranded = sum(event.stranded for event in decision.events if isinstance(event, WindowPaused | WindowClosed))
        desk = desk_document(hall, hall.windows[name], frame.hub.clock, frame.hub.clock.now())
        return 200, encode(DeskReply(desk=desk, stranded=stranded, choices=[]))

    return respond


Reasoned = CallNumber | NoShow | Transfer | Park
"""Bodies whose reason may be somebody's own words."""


def _route(action: str, body: type[msgspec.Struct], build: Build) -> Route:
    async def handle(frame: Frame, request: web.Request, person: Person) -> web.StreamResponse:
        name = request.match_info["window"]
        parsed: object = await frame.body(request, body)
        extras = None
        if isinstance(parsed, Reasoned):
            reason, extras = sealed(frame, parsed.reason)
            parsed = msgspec.structs.replace(parsed, reason=reason)
        return await frame.carry(request, person, build(name, parsed, person), _reply(frame, name), extras)

    roles = frozenset({"clerk", "manager"})
    summary = f"{action} at a window"
    return Route("POST", f"windows/{{window}}/{action}", handle, roles, body, DeskReply, summary)


def _transfer(window: str, body: Transfer) -> c.Transfer:
    return c.Transfer(
        window=window,
        matters=tuple(body.matters),
        to_window=body.window,
        to_domain=body.domain,
        to_staff=body.staff,
        reason=body.reason,
    )


async def transfer_targets(frame: Frame, request: web.Request, person: Person) -> web.Response:
    """Domains and people; whoever sits at this window is not among them."""
    name = request.match_info["window"]
    clerks = {row.staff: row.name for row in frame.accounts.staff() if row.active and "clerk" in row.roles.split(",")}

    def look(hall: Hall) -> TransferTargets:
        seats = {each.staff: each for each in hall.windows.values() if each.staff}
        known = clerks | {staff: seat.staff_name or staff for staff, seat in seats.items()}
        known.pop(known_window(hall, name).staff, None)
        working = {each.id for each in hall.windows.values() if each.state not in RESTING}
        served = ((each, hall.serving.queue_of_domain(each.id)) for each in hall.configuration.domain)
        return TransferTargets(
            domains=[
                DomainTarget(
                    id=domain.id,
                    name=plain(domain.name, domain.name_en),
                    windows_open=len(working & all_windows(queue)),
                )
                for domain, queue in served
                if queue
            ],
            staff=[
                StaffTarget(
                    staff=staff,
                    name=known[staff],
                    window=seat.id if seat else "",
                    plate=plate_of(hall, seat.id) if seat else "",
                    state=seat.state if seat else None,
                )
                for staff in sorted(known, key=lambda staff: (staff not in seats, staff))
                for seat in (seats.get(staff),)
            ],
        )

    return web.Response(body=encode(await frame.hub.read(look)), content_type="application/json")


async def windows(frame: Frame, request: web.Request, person: Person) -> web.Response:
    """Where one may sit down, and where a ticket may be sent."""
    now = frame.hub.clock.now()
    document = await frame.hub.read(lambda hall: frame.screens.windows(hall, now))
    return web.Response(body=encode(document), content_type="application/json")


async def transfer_preview(frame: Frame, request: web.Request, person: Person) -> web.Response:
    """Who would be called before the ticket in hand at its new place (UX C-12); the rules are asked, nothing changes."""
    name = request.match_info["window"]
    body = await frame.body(request, Transfer)
    now = frame.hub.clock.now()
    context = c.Context(now=now, minute=frame.hub.clock.minute(now), actor="", may_call_numbers=True)

    def look(hall: Hall) -> TransferPreview:
        moved = next(e for e in decide(hall, _transfer(name, body), context).events if isinstance(e, TicketTransferred))
        queue = moved.stop.queue
        ahead = ahead_of(hall, queue, hall.tickets[moved.ticket].key)
        span = estimate(hall, queue, ahead, context.minute)
        able = [each for each in all_windows(queue) if each in hall.windows and hall.windows[each].state not in RESTING]
        return TransferPreview(
            ahead=ahead,
            wait_low_s=span[0] if span else None,
            wait_high_s=span[1] if span else None,
            windows_open=len(able),
        )

    return web.Response(body=encode(await frame.hub.read(look)), content_type="application/json")


async def leaving(frame: Frame, request: web.Request, person: Person) -> web.Response:
    """Who would be left without a window, asked before a clerk pauses or closes."""
    name = request.match_info["window"]
    count = await frame.hub.read(lambda hall: stranded_without(hall, known_window(hall, name).id))
    return web.Response(body=encode(Leaving(stranded=count)), content_type="application/json")


STAFF = frozenset({"clerk", "guide", "desk", "manager", "admin", "auditor"})

SEATED = frozenset({"clerk", "manager"})


async def open_window(frame: Frame, request: web.Request, person: Person) -> web.StreamResponse:
    """Sign in at a window; a manager may open it for a clerk."""
    name = request.match_info["window"]
    body = await frame.body(request, OpenWindow)
    staff, staff_name = person.name, person.display_name
    if body.staff and body.staff != staff:
        if "manager" not in person.roles:
            raise Rejected("forbidden")
        known = await frame.accounts.name_of_clerk(body.staff)
        if known is None:
            raise Malformed("staff", "no active clerk has this number")
        staff, staff_name = body.staff, known
    command = c.OpenWindow(window=name, staff=staff, staff_name=staff_name, take_over=body.take_over)
    return await frame.carry(request, person, command, _reply(frame, name))


async def call_help(frame: Frame, request: web.Request, person: Person) -> web.StreamResponse:
    """一键呼救 and its end (UX C-15)."""
    await frame.body(request, Empty)
    command = c.WindowHelp(window=request.match_info["window"], wanted=request.method == "POST")
    return await frame.carry(request, person, command, lambda _hall, _decision: (200, b"{}"))


ROUTES: list[Route] = [
    Route("GET", "windows", windows, STAFF, None, WindowsDocument, "All windows"),
    Route(
        "POST",
        "windows/{window}/transfer/preview",
        transfer_preview,
        frozenset({"clerk", "manager"}),
        Transfer,
        TransferPreview,
        "What a transfer would mean",
    ),
    Route(
        "GET",
        "windows/{window}/transfer",
        transfer_targets,
        SEATED,
        None,
        TransferTargets,
        "Domains and people a ticket may be passed on to",
    ),
    Route("GET", "windows/{window}/leaving", leaving, SEATED, None, Leaving, "Whom a pause or closing would strand"),
    Route("POST", "windows/{window}/open", open_window, SEATED, OpenWindow, DeskReply, "open a window"),
    Route("POST", "windows/{window}/help", call_help, SEATED, Empty, Empty, "Call for help"),
    Route("DELETE", "windows/{window}/help", call_help, SEATED | {"guide"}, None, Empty, "The call for help is over"),
    _route("pause", PauseWindow, lambda w, b, p: c.PauseWindow(window=w, reason=b.reason, resumes_at=b.resumes_at)),
    _route("resume", Empty, lambda w, b, p: c.ResumeWindow(window=w)),
    _route("close", Empty, lambda w, b, p: c.CloseWindow(window=w)),
    _route("call-next", Empty, lambda w, b, p: c.CallNext(window=w, service=new_id())),
    _route(
        "call", CallNumber, lambda w, b, p: c.CallNumber(window=w, number=b.number, reason=b.reason, service=new_id())
    ),
    _route("recall", Empty, lambda w, b, p: c.Recall(window=w)),
    _route("arrive", Empty, lambda w, b, p: c.Arrive(window=w)),
    _route("no-show", NoShow, lambda w, b, p: c.MarkNoShow(window=w, reason=b.reason)),
    _route("finish", Finish, lambda w, b, p: c.Finish(window=w, outcome=b.outcome)),
    _route("invite", Empty, lambda w, b, p: c.Invite(window=w)),
    _route("undo", Empty, lambda w, b, p: c.Undo(window=w)),
    _route("transfer", Transfer, lambda w, b, p: _transfer(w, b)),
    _route("park", Park, lambda w, b, p: c.Park(window=w, reason=b.reason, minutes=b.minutes)),
    _route("unpark", OneTicket, lambda w, b, p: c.Unpark(window=w, ticket=b.ticket, service=new_id())),
    _route("restore", OneTicket, lambda w, b, p: c.Restore(window=w, ticket=b.ticket, service=new_id())),
    _route(
        "serve-direct",
        ServeDirect,
        lambda w, b, p: c.ServeDirect(window=w, service=new_id(), matters=tuple(b.matters), quantity=b.quantity),
    ),
]
