"""A built page in Chromium whose server is the test: documents on its line, answers to its questions, and every byte it asked for."""

from __future__ import annotations

import asyncio
import html
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import urlsplit

import msgspec
from playwright.async_api import BrowserContext, Page, Request, Route, WebSocketRoute

from queue_server.web.pages import HALL_SLOT, SECURITY, SLOT
from queue_server.wire.common import HallState, PrintState, TicketState, Words
from queue_server.wire.documents import HallDocument, Station, TicketDocument, TicketView

ORIGIN: Final = "http://hall.invalid"
AT: Final = 1_795_401_125_000
"""Monday 23 November 2026, 10:32:05 in the hall."""
TOKEN: Final = "t17.recorded"
KINDS: Final = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".wav": "audio/wav",
    ".html": "text/html",
}
NOT_FOUND: Final[Any] = {
    "code": "not-found", "status": 404, "title": "没有", "title_en": "none", "field": "", "type": "", "detail": "",
}  # fmt: skip
ALERTS: Final = """
window.__alerts = { shakes: 0, tones: 0 }
navigator.vibrate = () => { window.__alerts.shakes += 1; return true }
const start = OscillatorNode.prototype.start
OscillatorNode.prototype.start = function (...at) { window.__alerts.tones += 1; return start.apply(this, at) }
"""
"""A phone counts how often it was shaken, and what it sounded."""
CALL_COLOUR: Final = "rgb(255, 209, 46)"
COLOURS: Final = "['body', '.screen'].map((name) => getComputedStyle(document.querySelector(name)).backgroundColor)"
"""Of what fills the phone's page."""
Answer = Callable[[dict[str, Any]], tuple[int, Any]]
"""From the body of a request to a status and what is answered."""


def hall_document(**said: Any) -> HallDocument:
    """An open hall."""
    known: dict[str, Any] = {
        "id": "yunshui",
        "name": Words(zh="云水区政务服务中心", en="Yunshui District Service Hall"),
        "zone": Words(zh="二楼 B区", en="2F zone B"),
        "day": "2026-11-23",
        "state": HallState.OPEN,
        "opens": "09:00",
        "closes": "17:00",
        "message": None,
        "animations": True,
        "recent_rows": 4,
        "sample": False,
        "english_unofficial": False,
    }
    return HallDocument(**known | said)


def ticket_view(state: TicketState = TicketState.WAITING, **said: Any) -> TicketView:
    """A17 as its phone sees it: `rate_*` are the view's own, the rest is the ticket's."""
    matter = Words(zh="居住证签注", en="Residence permit renewal")
    at3 = {"window": "w3", "plate": "3", "place": Words(zh="二楼 B 区，进门左前方", en="2F, zone B, front left")}
    known: dict[str, Any] = {
        "id": "t17", "number": "A017", "state": state, "queue": Words(zh="综合窗口", en="General"),
        "matters": [matter], "quantity": 1, "priority": "", "priority_words": Words(zh=""),
        "issued_at": AT - 600_000, "effective_at": AT - 600_000, "explanation": Words(zh="10:22 取号", en="Taken at 10:22"),
        "ahead": 5, "wait_low_s": 900, "wait_high_s": 1500, "updated_at": AT // 10_000 * 10_000,
        "window": "", "plate": "", "place": Words(zh=""), "watch": Words(zh="在二楼 B 区等，1–6 号任一窗口", en="2F, zone B"),
        "called_at": None, "calls": 0, "stations": [Station(matters=[matter], window="", state=state)],
        "pass_rule": Words(zh="过号请到取号机、导办台或原窗口恢复，当天有效；第 2 次过号，号就作废", en="Missed? Go to the guide desk"),
        "print_state": PrintState.PRINTED, "rating": "", "can_cancel": state is TicketState.WAITING,
        "can_delay": state is TicketState.WAITING, "origin": "kiosk",
        "delay_rule": Words(zh="先叫后面 3 位，再叫您；一个号只能延后 1 次", en="The next 3 are called first, then you"),
    }  # fmt: skip
    if state is not TicketState.WAITING:
        known |= {**at3, "ahead": 0, "wait_low_s": None, "wait_high_s": None}
    if state is TicketState.CALLED:
        known |= {"called_at": AT, "calls": 1}
    rated = {
        name: said.pop(name) for name in ("rate_service", "rate_plate", "rate_matters", "rate_until") if name in said
    }
    view: dict[str, Any] = {"rate_service": "", "rate_plate": "", "rate_matters": [], "rate_until": None}
    return TicketView(ticket=TicketDocument(**known | said), **view | rated)


def ratable(**said: Any) -> TicketView:
    """A service that is over and may be rated."""
    rate = {
        "rate_service": "s1",
        "rate_plate": "3",
        "rate_matters": [Words(zh="居住证签注")],
        "rate_until": AT + 604_800_000,
    }
    return ticket_view(TicketState.DONE, **rate | said)


@dataclass
class Staged:
    """One page; `documents` is what its line tells, `answers` what "METHOD /end" is answered."""

    context: BrowserContext
    dist: Path
    documents: dict[str, Any]
    view: str = "ticket"
    of: str = "t17"
    device: str = ""
    answers: dict[str, Answer] = field(default_factory=dict)
    reachable: bool = True
    """False: the line is refused and questions die on their way, as without network."""
    lines: bool = True
    """False: websockets are refused, as behind some proxies; questions are answered."""
    asked: list[str] = field(default_factory=list)
    sent: list[dict[str, Any]] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    seq: int = 1
    at: int = AT
    page: Page = field(init=False)
    _line: WebSocketRoute | None = None
    _heart: asyncio.Task[None] | None = None

    async def open(self, path: str, *, still: bool = False) -> Self:
        """Everything the page asks for comes from here; with `still` its clock moves only when the test moves it."""
        self.page = await self.context.new_page()
        if still:
            await self.page.clock.install(time=(AT - 1000) / 1000)
            await self.page.clock.pause_at(AT / 1000)
        await self.page.route("**/*", self._serve)
        await self.page.route_web_socket("**/api/v1/live", self._accept)
        await self.page.goto(ORIGIN + path)
        return self

    async def _serve(self, route: Route) -> None:
        request = route.request
        parts = urlsplit(request.url)
        if parts.scheme != "data" and f"{parts.scheme}://{parts.netloc}" != ORIGIN:
            self.foreign.append(request.url)
            await route.abort()
        elif parts.path.startswith("/static/"):
            file = self.dist / parts.path.removeprefix("/static/")
            await route.fulfill(body=file.read_bytes(), content_type=KINDS[file.suffix])
        elif parts.path.startswith("/api/"):
            await self._answer(route, request, parts.path)
        else:
            first = parts.path.split("/")[1]
            name = {"t": "phone", "rate": "rate"}.get(first, first)
            text = (self.dist / f"{name}.html").read_text("utf-8")
            text = text.replace(HALL_SLOT, html.escape("yunshui")).replace(SLOT, "")
            await route.fulfill(body=text, headers={**SECURITY, "Content-Type": "text/html; charset=utf-8"})

    async def _answer(self, route: Route, request: Request, path: str) -> None:
        self.asked.append(f"{request.method} {path}")
        body = json.loads(request.post_data or "{}")
        if request.method != "GET":
            self.bodies.append(body)
        if not self.reachable:
            await route.abort("internetdisconnected")
            return
        status, said = 404, NOT_FOUND
        for what, answer in {
            f"GET /phone/{TOKEN}": lambda _: (200, self.documents.get("ticket")),
            **self.answers,
        }.items():
            method, end = what.split(" ")
            if request.method == method and path.endswith(end):
                status, said = answer(body)
        await route.fulfill(status=status, body=msgspec.json.encode(said), content_type="application/json")

    def _accept(self, line: WebSocketRoute) -> None:
        self.asked.append("LINE")
        if not (self.reachable and self.lines):
            asyncio.ensure_future(line.close())  # noqa: RUF006
            return
        self._line = line
        line.on_message(self._hear)
        line.on_close(lambda *_: self._lost(line))

    def _lost(self, line: WebSocketRoute) -> None:
        if self._line is line:
            self._line = None

    def _hear(self, message: str | bytes) -> None:
        said = json.loads(message)
        self.sent.append(said)
        if said["type"] == "hello":
            self._say(
                type="welcome",
                at=self.at,
                start="s",
                build="b",
                hall="yunshui",
                view=self.view,
                of=self.of,
                device=self.device,
            )
        elif said["type"] == "subscribe":
            self._tell("snapshot", self.documents)

    def _say(self, **message: Any) -> None:
        if self._line is not None:
            self._line.send(msgspec.json.encode(message).decode())

    def _tell(self, kind: str, documents: dict[str, Any]) -> None:
        version = {"epoch": 1, "seq": self.seq, "n": 0}
        self._say(type=kind, view=self.view, of=self.of, version=version, documents=documents)

    async def live(self, seconds: int) -> None:
        """Time passes on the page and at the server, whose heart beats."""
        for _ in range(seconds):
            await self.page.clock.run_for(1000)
            self.at += 1000
            self._say(type="heartbeat", at=self.at, epoch=1, start="s", build="b")

    def change(self, **documents: Any) -> None:
        """News: these keys are another document now."""
        self.documents |= documents
        self.seq += 1
        self._tell("change", documents)

    async def cut(self) -> None:
        """The network is gone."""
        self.reachable = False
        if self._line is not None:
            await self._line.close()
            self._line = None

    async def text(self) -> str:
        return await self.page.inner_text("body")
