"""A manager tries the screens: a pattern over the whole page, gone by itself, and at once for a citizen (issue 3; UX D-15, W-08, X-01)."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from playwright.async_api import Locator, WebSocketRoute

from tests.e2e.conftest import MakeHall
from tests.e2e.living import Desks, LivingHall, told
from tests.e2e.pages import Opened, Screens
from tests.e2e.test_pages import axe

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

COVERS = """
() => {
  const box = document.querySelector('.pattern').getBoundingClientRect()
  const lines = [...document.querySelectorAll('.pattern line')].map((line) => line.getBoundingClientRect())
  const corners = [[1, 1], [innerWidth - 2, 1], [1, innerHeight - 2], [innerWidth - 2, innerHeight - 2]]
  return {
    whole: box.left === 0 && box.top === 0 && box.width === innerWidth && box.height === innerHeight,
    top: corners.every(([x, y]) => document.elementFromPoint(x, y).closest('.pattern') !== null),
    edges: Math.min(...lines.map((line) => line.left)) === 0 && Math.max(...lines.map((line) => line.right)) === innerWidth
      && Math.min(...lines.map((line) => line.top)) === 0 && Math.max(...lines.map((line) => line.bottom)) === innerHeight,
    spills: [...document.querySelectorAll('.pattern h2, .pattern p, .pattern .bar span')]
      .filter((each) => each.scrollWidth > each.clientWidth + 1).map((each) => each.textContent),
  }
}
"""
LASTS_MS = 20_000
"""How long a pattern stands in these tests, instead of eight seconds: a slow machine looks at it for several."""

STANDING = """
(() => {
  window.__patterns = []
  const note = () => {
    const host = document.querySelector('.pattern')
    const last = window.__patterns[window.__patterns.length - 1]
    if (last && !last.gone && last.host !== host) last.gone = Date.now()
    if (host && (!last || last.host !== host)) window.__patterns.push({ host, came: Date.now(), gone: 0 })
  }
  document.addEventListener('DOMContentLoaded', () => new MutationObserver(note).observe(document.body, { subtree: true, childList: true }))
})()
"""

WHOLE = {"whole": True, "top": True, "edges": True, "spills": []}


def over(screen: Opened) -> Locator:
    return screen.page.locator(".pattern")


async def patterns(screen: Opened) -> list[tuple[int, int]]:
    """When each pattern came and went on this page, ms by the machine's clock; 0 while it stands."""
    found: list[dict[str, Any]] = await screen.page.evaluate(
        "window.__patterns.map(({ came, gone }) => ({ came, gone }))"
    )
    return [(each["came"], each["gone"]) for each in found]


async def gone(screen: Opened) -> tuple[int, int]:
    """The last pattern's coming and going, when it has gone."""
    await over(screen).wait_for(state="detached", timeout=3 * LASTS_MS)

    async def ended() -> tuple[int, int] | None:
        last = (await patterns(screen))[-1]
        return last if last[1] else None

    found: tuple[int, int] = await told(ended)
    return found


class Way:
    """A screen's way to the server, on which the server's eight seconds are LASTS_MS; `cut` ends it for good.

    Not Chromium's own `set_offline`: with a line open it turns in circles until the page is closed.
    """

    def __init__(self) -> None:
        self._lines: list[WebSocketRoute] = []
        self._cut = False

    async def accept(self, line: WebSocketRoute) -> None:
        if self._cut:
            await line.close()
            return
        self._lines.append(line)
        line.connect_to_server().on_message(
            lambda said: line.send(
                said.replace('"for_ms":8000', f'"for_ms":{LASTS_MS}') if isinstance(said, str) else said
            )
        )

    async def cut(self, screen: Opened) -> None:
        self._cut = True
        await screen.page.route("**/*", lambda route: route.abort("internetdisconnected"))
        for line in self._lines:
            await line.close()


class Office:
    """The manager's page."""

    def __init__(self, opened: Opened) -> None:
        self.page = opened.page

    def row(self, name: str) -> Locator:
        return self.page.locator(".device-table tbody tr", has=self.page.get_by_role("cell", name=name, exact=True))

    async def ready(self, name: str) -> Locator:
        """The row's button, when it can be pressed."""
        button = self.row(name).get_by_role("button", name="测试图")
        await self.row(name).locator("button:not([aria-disabled=true])", has_text="测试图").wait_for()
        return button

    async def press(self, name: str) -> None:
        await (await self.ready(name)).click()


async def named(pages: Screens, hall: LivingHall, role: str, of: str, name: str, way: Way | None = None) -> Opened:
    """A paired box with the staff's name for it."""
    screen = await pages.blank(hall, role, token=await hall.pair(role, of, name))
    await screen.page.add_init_script(STANDING)
    await screen.page.route_web_socket("**/api/v1/live", (way or Way()).accept)
    await screen.page.goto(f"{hall.server.url}/{role}")
    await screen.page.locator("text=正在连接").first.wait_for(state="hidden")
    return screen


async def _covered(office: Office, name: str, screen: Opened, way: Way) -> None:
    """The whole screen for its time, which a second test begins anew, and the page's own clock ends when the line is cut."""
    await over(screen).wait_for()
    assert await screen.page.evaluate(COVERS) == WHOLE, name
    assert name in await over(screen).inner_text()
    viewport = screen.page.viewport_size
    assert viewport is not None
    assert f"{viewport['width']} × {viewport['height']}" in await over(screen).inner_text()
    await office.row(name).get_by_text("测试图已显示").wait_for()
    if name == "屏-03 东门":
        assert await axe(screen) == []
        await office.row(name).get_by_text("提示音已响").wait_for()
        assert "提示音已响" in await over(screen).inner_text()
        await office.press(name)
    if name == "点阵-1":
        await way.cut(screen)
    came, went = await gone(screen)
    assert went - came > LASTS_MS - 1_000
    assert all(before[1] <= came for before in (await patterns(screen))[:-1])


async def test_a_pattern_covers_every_kind_of_screen_and_goes_by_itself(pages: Screens, make_hall: MakeHall) -> None:
    async with make_hall(["15"]) as hall, Desks(hall, ["15"]):
        await hall.hire("4301", "manager", "admin")
        way = Way()
        screens = {
            "屏-03 东门": await named(pages, hall, "hall", "D", "屏-03 东门"),
            "十五号窗口屏": await named(pages, hall, "window", "15", "十五号窗口屏"),
            "点阵-1": await named(pages, hall, "led", "led-1", "点阵-1", way),
        }
        kiosk = await named(pages, hall, "kiosk", "kiosk-1", "")
        office = Office(await pages.staff(hall, "/manager#devices", "4301"))
        await office.row("屏-03 东门").get_by_text("1920 × 1080").wait_for()
        assert "连上" in await office.row("屏-03 东门").inner_text()
        for name in screens:
            await office.press(name)
        await asyncio.gather(*(_covered(office, name, screen, way) for name, screen in screens.items()))
        await office.press("取号机")
        await over(kiosk).wait_for()
        assert await kiosk.page.evaluate(COVERS) == WHOLE
        assert await axe(kiosk) == []


async def test_a_citizen_goes_first(pages: Screens, make_hall: MakeHall) -> None:
    async with make_hall(["15"]) as hall, Desks(hall, ["15"]) as desks:
        await hall.hire("4301", "manager", "admin")
        display = await named(pages, hall, "hall", "D", "屏-03 东门")
        window = await named(pages, hall, "window", "15", "十五号窗口屏")
        kiosk = await named(pages, hall, "kiosk", "kiosk-1", "")
        office = Office(await pages.staff(hall, "/manager#devices", "4301"))
        for name, screen in (("屏-03 东门", display), ("十五号窗口屏", window)):
            await office.press(name)
            await over(screen).wait_for()
        await desks.tickets(1)
        assert [went for screen in (display, window) for _, went in await patterns(screen)] == [0, 0]
        number = await desks.call("15")
        called = time.time() * 1000
        for screen in (display, window):
            came, went = await gone(screen)
            assert went - called < 4_000
            assert went - came < LASTS_MS, "the call took it away, not its time"
            await screen.page.locator(f".num:has-text('{number}')").first.wait_for()
        # While that number stands there nobody tries these screens.
        await office.press("十五号窗口屏")
        await office.page.get_by_text("设备正在为群众服务").first.wait_for()
        assert await over(window).count() == 0

        # A finger takes the pattern away, and presses nothing that lies beneath.
        await office.press("取号机")
        await over(kiosk).wait_for()
        tile = await kiosk.page.locator(".tile").first.bounding_box()
        assert tile is not None
        await kiosk.page.mouse.click(tile["x"] + 20, tile["y"] + 20)
        came, went = await gone(kiosk)
        assert went - came < LASTS_MS
        assert "at-home" in await kiosk.page.evaluate("document.documentElement.className")
        # And whoever stands at the kiosk is not disturbed.
        # The first test has ended in the row: a second may begin.
        await office.row("取号机").get_by_text("测试图已显示").wait_for()
        button = await office.ready("取号机")
        await kiosk.page.locator(".tile").first.click()
        await kiosk.page.locator("html:not(.at-home)").wait_for(state="attached")
        await button.click()
        await office.row("取号机").get_by_text("正在为群众服务，没有测试").wait_for()
        assert await over(kiosk).count() == 0


async def test_a_page_that_another_window_covers_says_so(pages: Screens, make_hall: MakeHall) -> None:
    """It looked visible when it was asked, and never paints."""
    async with make_hall([]) as hall:
        await hall.hire("4301", "manager", "admin")
        display = await named(pages, hall, "hall", "D", "屏-03 东门")
        office = Office(await pages.staff(hall, "/manager#devices", "4301"))
        await office.ready("屏-03 东门")
        await display.page.evaluate("window.requestAnimationFrame = () => 0")
        await office.press("屏-03 东门")
        await office.row("屏-03 东门").get_by_text("没有显示：屏上的页面被别的窗口挡住了").wait_for()
        assert await over(display).count() == 0
