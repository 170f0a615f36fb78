"""Pages of the hall in Chromium: opened as paired boxes or staff, with what they heard, asked for and got wrong."""

from __future__ import annotations

import asyncio
import json
import os
import re
import time
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urlsplit

from playwright.async_api import Browser, BrowserContext, Page, WebSocket

from tests.e2e.living import OWN_PASSWORD, LivingHall

LOOK = os.environ.get("E2E_LOOK", "")
"""A folder for a picture of every page as a test left it: for finding out why one failed."""

SIZES = {
    "hall": (1920, 1080),
    "window": (1024, 600),
    "led": (1366, 768),
    "kiosk": (1080, 1920),
    "phone": (390, 844),
    "staff": (1366, 768),
}

SOUNDS = r"""
(() => {
  window.__sounds = [];
  const play = HTMLMediaElement.prototype.play;
  HTMLMediaElement.prototype.play = function () {
    if (/\/api\/v1\/voice\//.test(this.src)) {
      // The file sounds as a whole, only faster: a test waits for nobody's ears.
      this.playbackRate = SPEED;
      const heard = { src: this.src, began: Date.now(), ended: 0, failed: 0, seconds: 0, volume: this.volume };
      window.__sounds.push(heard);
      // A player has one element for all its files: an event is of the file that is in it.
      this.addEventListener('ended', () => { if (this.src === heard.src) { heard.ended = Date.now(); heard.seconds = this.duration } });
      this.addEventListener('error', () => { if (this.src === heard.src) heard.failed = Date.now() });
    }
    return play.call(this);
  };
})();
"""

SEEN = """
(() => {
  window.__seen = [];
  const note = () => {
    const text = document.body ? document.body.innerText : '';
    const numbers = [...document.querySelectorAll('.one .num, .now .num, .past .num')].map((each) => each.innerText);
    if (text !== (window.__seen[window.__seen.length - 1] || {}).text) window.__seen.push({ at: Date.now(), text, numbers });
    if (window.__seen.length > 2000) window.__seen.shift();
  };
  document.addEventListener('DOMContentLoaded', () => {
    note();
    new MutationObserver(note).observe(document.body, { subtree: true, childList: true, characterData: true });
  });
})();
"""


@dataclass
class Opened:
    """One page and its log."""

    page: Page
    name: str
    origin: str
    frames: list[dict[str, Any]] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def heard(self, kind: str) -> list[dict[str, Any]]:
        """Messages of the websocket of this kind, in order."""
        return [frame for frame in self.frames if frame["type"] == kind]

    async def sounds(self) -> list[dict[str, Any]]:
        """What this page began to play, in order."""
        played: list[dict[str, Any]] = await self.page.evaluate("window.__sounds")
        return played

    async def ended(self, count: int) -> bool:
        """Whether that many sounds have come to their end."""
        return sum(1 for sound in await self.sounds() if sound["ended"]) >= count

    async def seen(self) -> list[str]:
        """Every text that stood on the page, in order."""
        return [each["text"] for each in await self.page.evaluate("window.__seen")]

    async def calls_seen(self) -> list[dict[str, Any]]:
        """A hall display's log for the outside checker: from each moment `at` on, the numbers of its call area; and now."""
        rows = [(each["at"], each["numbers"]) for each in await self.page.evaluate("window.__seen")]
        rows.append((await self.page.evaluate("Date.now()"), rows[-1][1]))
        return [{"t": at, "numbers": numbers} for at, numbers in rows]

    async def scan(self, code: str) -> None:
        """A keyboard-wedge scanner: every key at once and Enter behind them, however slowly this machine answers."""
        line = await self.page.context.new_cdp_session(self.page)
        keys: list[dict[str, Any]] = [{"key": each, "text": each} for each in code]
        keys.append({"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r"})
        began_s = time.time()  # the scanner's own pace: this machine may stall between two of them
        for at, key in enumerate(keys):
            key |= {"type": "keyDown", "timestamp": began_s + at * 0.002}
        await asyncio.gather(*(line.send("Input.dispatchKeyEvent", key) for key in keys))
        await line.detach()

    async def tap(self, x: float, y: float, times: int, every_s: float) -> None:
        """An impatient finger: so many taps in that time, however slowly this machine answers each."""
        line = await self.page.context.new_cdp_session(self.page)
        sent = []
        for _ in range(times):
            for kind in ("mousePressed", "mouseReleased"):
                tap = {"type": kind, "x": x, "y": y, "button": "left", "clickCount": 1}
                sent.append(asyncio.ensure_future(line.send("Input.dispatchMouseEvent", tap)))
            await asyncio.sleep(every_s)
        await asyncio.gather(*sent)
        await line.detach()

    async def text(self) -> str:
        return await self.page.inner_text("body")


class Screens:
    """Opens pages; `check` fails for a request that leaves the origin and for a script that throws (UX 13.10)."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._contexts: list[BrowserContext] = []
        self.opened: list[Opened] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for place, opened in enumerate(self.opened if LOOK else ()):
            await opened.page.screenshot(path=f"{LOOK}/{place}-{opened.name}.png")
        for context in self._contexts:
            await context.close()

    async def context(self, kind: str, **options: Any) -> BrowserContext:
        width, height = SIZES[kind]
        options = {"viewport": {"width": width, "height": height}, "locale": "zh-CN", **options}
        context = await self._browser.new_context(**options)
        self._contexts.append(context)
        return context

    async def blank(
        self, hall: LivingHall, kind: str, *, token: str = "", speed: float = 8.0, context: BrowserContext | None = None
    ) -> Opened:
        """A page that is nowhere yet; with a token it is a paired box."""
        context = context or await self.context(kind)
        page = await context.new_page()
        opened = Opened(page, kind, hall.server.url)
        self.opened.append(opened)
        if token:
            # Once, as after pairing: a page that forgets its token stays without.
            await page.add_init_script(
                f"if (location.protocol === 'http:' && !sessionStorage.getItem('joined')) {{"
                f"sessionStorage.setItem('joined', '1'); localStorage.setItem('yichuang.token', {json.dumps(token)}) }}"
            )
        await page.add_init_script(SOUNDS.replace("SPEED", str(speed)))
        await page.add_init_script(SEEN)
        page.on("request", lambda request: _judge(opened, request.url))
        page.on("pageerror", lambda error: opened.errors.append(str(error)))
        page.on("websocket", lambda socket: _listen(opened, socket))
        return opened

    async def paired(self, hall: LivingHall, role: str, of: str = "", **options: Any) -> Opened:
        """A box of this role: paired through the API, and its page as it stands after its first snapshot."""
        opened = await self.blank(hall, role, token=await hall.pair(role, of), **options)
        await opened.page.goto(f"{hall.server.url}/{role}")
        await opened.page.locator("text=正在连接").first.wait_for(state="hidden")
        return opened

    async def staff(
        self, hall: LivingHall, path: str, staff: str, window: str = "", *, size: tuple[int, int] | None = None
    ) -> Opened:
        """A staff page, signed in through the API; the session's cookie is the browser's own."""
        options = {"viewport": {"width": size[0], "height": size[1]}} if size else {}
        context = await self.context("staff", **options)
        body = {"staff": staff, "password": OWN_PASSWORD, "window": window}
        answer = await context.request.post(f"{hall.server.api}/session", data=body)
        assert answer.ok, await answer.text()
        if window:
            headers = hall.admin.key()
            where = f"{hall.server.api}/windows/{window}/open"
            answer = await context.request.post(where, data={"take_over": True}, headers=headers)
            assert answer.ok, await answer.text()
        opened = await self.blank(hall, "staff", context=context)
        await opened.page.goto(hall.server.url + path)
        return opened

    def check(self) -> None:
        """UX 13.10 and X-09, on every page of every test."""
        for opened in self.opened:
            assert not opened.foreign, f"{opened.name} asked for {opened.foreign}"
            assert not opened.errors, f"{opened.name}: {opened.errors}"


def _judge(opened: Opened, url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("data", "blob", "file") and parts.netloc != urlsplit(opened.origin).netloc:
        opened.foreign.append(url)


def _listen(opened: Opened, socket: WebSocket) -> None:
    _judge(opened, re.sub("^ws", "http", socket.url))

    def keep(payload: str | bytes) -> None:
        text = payload if isinstance(payload, str) else payload.decode()
        if '"type":"heartbeat"' not in text:
            opened.frames.append(json.loads(text))

    socket.on("framereceived", keep)
