"""A manager tries the screens: a pattern over the whole page, gone by itself, and at once for a citizen (issue 3; UX D-15, W-08, X-01)."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import Locator

from tests.e2e.conftest import MakeHall
from tests.e2e.living import Desks, LivingHall
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
WHOLE = {"whole": True, "top": True, "edges": True, "spills": []}


def over(screen: Opened) -> Locator:
    return screen.page.locator(".pattern")


class Office:
    """The manager's page."""

    def __init__(self, opened: Opened) -> None:
        self.page = opened.page

    def row(self, name: str) -> Locator:
        return self.page.locator(".device-table tbody tr", has=self.page.get_by_role("cell", name=name, exact=True))

    async def ready(self, name: str) -> Locator:
        """The row's button, when it can be pressed."""
        button = self.row(name).get_by_role("button", name="测试图")
        await button.wait_for()
        await self.row(name).locator("button:not([aria-disabled=true])").wait_for()
        return button

    async def press(self, name: str) -> None:
        await (await self.ready(name)).click()


async def named(pages: Screens, hall: LivingHall, role: str, of: str, name: str) -> Opened:
    """A paired box with the staff's name for it."""
    screen = await pages.blank(hall, role, token=await hall.pair(role, of, name))
    await screen.page.goto(f"{hall.server.url}/{role}")
    await screen.page.locator("text=正在连接").first.wait_for(state="hidden")
    return screen


async def test_a_pattern_covers_every_kind_of_screen_and_goes_by_itself(pages: Screens, make_hall: MakeHall) -> None:
    async with make_hall(["15"]) as hall, Desks(hall, ["15"]):
        await hall.hire("4301", "manager", "admin")
        screens = {
            "屏-03 东门": await named(pages, hall, "hall", "D", "屏-03 东门"),
            "十五号窗口屏": await named(pages, hall, "window", "15", "十五号窗口屏"),
            "点阵-1": await named(pages, hall, "led", "led-1", "点阵-1"),
        }
        kiosk = await pages.paired(hall, "kiosk", "kiosk-1")
        office = Office(await pages.staff(hall, "/manager#devices", "4301"))
        await office.row("屏-03 东门").get_by_text("1920 × 1080").wait_for()
        assert "连上" in await office.row("屏-03 东门").inner_text()
        for name, screen in screens.items():
            await office.press(name)
            await over(screen).wait_for()
            began = asyncio.get_running_loop().time()
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
                # A second test begins its own eight seconds.
                await asyncio.sleep(3)
                await office.press(name)
                began = asyncio.get_running_loop().time()
            if name == "点阵-1":
                await screen.page.context.set_offline(True)  # the line breaks: the page's own clock ends it
            await over(screen).wait_for(state="detached", timeout=12_000)
            assert asyncio.get_running_loop().time() - began > 6
        await office.press("取号机")
        await over(kiosk).wait_for()
        assert await kiosk.page.evaluate(COVERS) == WHOLE
        assert await axe(kiosk) == []


async def test_a_citizen_goes_first(pages: Screens, make_hall: MakeHall) -> None:
    async with make_hall(["15"]) as hall, Desks(hall, ["15"]) as desks:
        await hall.hire("4301", "manager", "admin")
        display = await named(pages, hall, "hall", "D", "屏-03 东门")
        window = await named(pages, hall, "window", "15", "十五号窗口屏")
        kiosk = await pages.paired(hall, "kiosk", "kiosk-1")
        office = Office(await pages.staff(hall, "/manager#devices", "4301"))
        for name, screen in (("屏-03 东门", display), ("十五号窗口屏", window)):
            await office.press(name)
            await over(screen).wait_for()
        await desks.tickets(1)
        called = asyncio.get_running_loop().time()
        number = await desks.call("15")
        for screen in (display, window):
            await over(screen).wait_for(state="detached", timeout=3_000)
            await screen.page.locator(f".num:has-text('{number}')").first.wait_for()
        assert asyncio.get_running_loop().time() - called < 4
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
        await over(kiosk).wait_for(state="detached", timeout=2_000)
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
