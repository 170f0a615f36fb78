"""Requests about devices: a test of one, and how long those that must be there were there."""

import asyncio
import csv
import io
from collections.abc import Callable
from datetime import date
from typing import TypeVar

from aiohttp import web

from queue_server.app.clock import Clock
from queue_server.app.compliance import DAYS_MAX, Report, report
from queue_server.app.pages import OUTCOMES as TOLD
from queue_server.app.remote import ERRANDS, GONE, SILENT
from queue_server.app.texts import has, plain, words
from queue_server.app.views.devices import device_name
from queue_server.domain import commands as c
from queue_server.domain.availability import RATING, TERMINAL, Gap, Use
from queue_server.domain.catalogue import Catalogue
from queue_server.domain.configuration import KIOSK_PAGE
from queue_server.domain.decide import Decision
from queue_server.domain.errors import Malformed, Unavailable
from queue_server.domain.model import Hall
from queue_server.web.frame import Frame, Route, new_id
from queue_server.web.principals import Person
from queue_server.wire.api import (
    AskScreen,
    Availability,
    AvailabilityGap,
    AvailabilityLine,
    DeviceTestAsked,
    Empty,
    MuteZone,
    ScreenAnswer,
    ScreenAnswers,
    encode,
)
from queue_server.wire.common import Words

KEEPERS = frozenset({"manager", "admin"})
READERS = frozenset({"manager", "admin", "auditor"})
MINUTE_MS = 60_000
OUTCOMES = TOLD | {SILENT, GONE}
TURN_S = 30.0
"""How long a report waits for the one before it: as long as a browser's user does."""
HEAD = (
    "日期 Day|类别 Kind|窗口或机号 Place|名称 Name|应可用（分钟） Minutes due|可用（分钟） Minutes usable|可用率 Usable %|中断次数 Gaps|"
    "最长中断（分钟） Longest gap|评价器邀请 Invited by device|二维码邀请 Invited by QR|中断明细 Gaps in full"
)
FORMULA = tuple("=+-@\t\r\n＝＋－＠")
"""What a spreadsheet would reckon with."""


async def try_out(frame: Frame, request: web.Request, person: Person) -> web.StreamResponse:
    """Asked for, not yet done: what came of it stands in the device's document."""
    await frame.body(request, Empty)
    name = new_id()

    def respond(hall: Hall, decision: Decision) -> tuple[int, bytes]:
        return 202, encode(DeviceTestAsked(id=name))

    return await frame.carry(request, person, frame.agents.trials.asking(name, request.match_info["device"]), respond)


async def ask(frame: Frame, request: web.Request, person: Person) -> web.StreamResponse:
    """UX D-15: who are you, start afresh, what do you show; answered when every open page of the screen has or is gone, or 5 s later."""
    body = await frame.body(request, AskScreen)
    if body.what not in ERRANDS:
        raise Malformed("what", "one of " + ", ".join(sorted(ERRANDS)))
    answers = await frame.remote.ask(new_id(), request.match_info["device"], body.what, person.actor)
    pages = [
        ScreenAnswer(
            outcome=each.outcome if each.outcome in OUTCOMES else "failed",
            reason=each.reason,
            text=each.text,
            width=each.width,
            height=each.height,
            ratio=each.ratio,
        )
        for each in answers
    ]
    return web.Response(
        body=encode(ScreenAnswers(pages=pages)), content_type="application/json", headers={"Cache-Control": "no-store"}
    )


async def mute(frame: Frame, request: web.Request, person: Person) -> web.StreamResponse:
    """UX V-10: ten minutes of silence in one zone, or no longer."""
    body = await frame.body(request, MuteZone)
    command = c.MuteZone(zone=request.match_info["zone"], muted=body.muted)
    done = encode(Empty())
    return await frame.carry(request, person, command, lambda _hall, _decision: (200, done))


def _period(request: web.Request, today: str, latest: str) -> tuple[date, date]:
    """`from` and `to`, both included; the hall's day when they are not given. Malformed for what begins after `latest`."""
    found = []
    for name in ("from", "to"):
        try:
            found.append(date.fromisoformat(request.query.get(name) or today))
        except ValueError:
            raise Malformed(name, "a day as YYYY-MM-DD") from None
    since, until = found
    if since > date.fromisoformat(latest):
        raise Malformed("from", "a day that has begun")
    if not 0 <= (until - since).days < DAYS_MAX:
        raise Malformed("to", f"not before from, and a period of at most {DAYS_MAX} days")
    return since, until


T = TypeVar("T")


async def _report(frame: Frame, request: web.Request, make: Callable[[Availability], T]) -> T:
    """What `make` makes of the period's lines, out of the loop's way: a quarter of a large hall is seconds of work.

    One at a time; Unavailable for who has waited TURN_S for others.
    """
    now = frame.hub.clock.now()
    local = f"{frame.hub.clock.local(now):%Y-%m-%d}"
    today = await frame.hub.read(lambda hall: hall.day) or local
    since, until = _period(request, today, max(today, local))
    try:
        async with asyncio.timeout(TURN_S):
            await frame.reporting.acquire()
    except TimeoutError:
        raise Unavailable("another report is being made: ask again in a minute") from None
    try:
        made = await report(frame.store, frame.hub.name, frame.hub.clock, since, until, now)
        catalogue = await frame.hub.read(lambda hall: hall.catalogue)  # never changed, only replaced

        def build() -> T:
            lines = [_line(catalogue, made, use) for use in made.uses]
            return make(Availability(since=since.isoformat(), until=until.isoformat(), at=now, lines=lines))

        return await asyncio.to_thread(build)
    finally:
        frame.reporting.release()


def _line(catalogue: Catalogue, made: Report, use: Use) -> AvailabilityLine:
    plate, name = use.subject, plain(use.subject)
    if use.what == TERMINAL:
        name = device_name(catalogue, f"{KIOSK_PAGE}{use.subject}")
    elif (window := catalogue.windows.get(use.subject)) is not None:
        plate, name = window.plate or window.id, plain(window.name, window.name_en)
    device, qr = made.invited.get((use.day, use.subject), (0, 0)) if use.what == RATING else (0, 0)
    return AvailabilityLine(
        day=use.day,
        what=use.what,
        subject=use.subject,
        plate=plate,
        name=name,
        open_ms=use.open_ms,
        usable_ms=use.usable_ms,
        gaps=[AvailabilityGap(since=gap.since, until=gap.until, why=_why(gap)) for gap in use.gaps],
        invited_by_device=device,
        invited_by_qr=qr,
    )


def _why(gap: Gap) -> Words:
    code = f"away.{gap.why}"
    return words(code) if has(code) else plain(gap.why)


async def availability(frame: Frame, request: web.Request, person: Person) -> web.Response:
    return web.Response(body=await _report(frame, request, encode), content_type="application/json")


async def availability_csv(frame: Frame, request: web.Request, person: Person) -> web.Response:
    """The same lines as a table that spreadsheets open: UTF-8 with its mark, both languages in the head."""
    name, body = await _report(frame, request, lambda found: _table(found, frame.hub.clock))
    return web.Response(
        body=body,
        content_type="text/csv",
        charset="utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
    )


def _table(found: Availability, clock: Clock) -> tuple[str, bytes]:
    """(name of the file, its bytes)."""
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(HEAD.split("|"))
    for line in found.lines:
        longest = max((gap.until - gap.since for gap in line.gaps), default=0)
        gaps = [
            f"{clock.local(gap.since):%H:%M:%S}–{clock.local(gap.until):%H:%M:%S} {gap.why.zh}" for gap in line.gaps
        ]
        share = f"{100 * line.usable_ms / line.open_ms:.2f}" if line.open_ms else ""
        figures = [f"{ms / MINUTE_MS:.1f}" for ms in (line.open_ms, line.usable_ms)]
        what = words(f"availability.{line.what}").zh
        counts = [len(line.gaps), f"{longest / MINUTE_MS:.1f}", line.invited_by_device, line.invited_by_qr]
        row = [line.day, what, line.plate, line.name.zh, *figures, share, *counts, "；".join(gaps)]
        table.writerow([_harmless(str(cell)) for cell in row])
    return f"availability-{found.since}-{found.until}.csv", b"\xef\xbb\xbf" + text.getvalue().encode()


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(FORMULA) else cell


ROUTES: list[Route] = [
    Route("POST", "devices/{device}/test", try_out, KEEPERS, Empty, DeviceTestAsked, "Try a device or sound zone", 202),
    Route(
        "POST", "devices/{device}/ask", ask, KEEPERS, AskScreen, ScreenAnswers, "Identify, reload or look at a screen"
    ),
    Route(
        "POST", "zones/{zone}/mute", mute, KEEPERS, MuteZone, Empty, "Say no calls in a zone for ten minutes, or again"
    ),
    Route(
        "GET",
        "reports/availability",
        availability,
        READERS,
        None,
        Availability,
        "How long rating devices and terminals were usable",
    ),
    Route("GET", "reports/availability.csv", availability_csv, READERS, None, None, "The same as a table"),
]
