"""Issue 3: on the panel's page a person presses call, the strip's dots change; presses a rating key, the rating is stored."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page

from devices.emulators.bench import Bench, Placed, Station
from devices.emulators.panel import serving_panel
from tests.e2e.conftest import MakeHall
from tests.e2e.living import LEVELS, LivingHall, told, until
from tests.hall_process import ROOT

pytestmark = pytest.mark.browser

AXE = ROOT / "displays" / "web" / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


def bench_of(hall: LivingHall, window: str) -> Bench:
    """The emulated devices of a window, and the kiosk's printer."""
    bench = Bench({"zh": "示例大厅", "en": "Sample hall"})
    bench.stations[window] = Station(window, {"zh": f"{window} 号窗口", "en": f"Window {window}"})
    levels = {int(key): level for key, level in LEVELS.items()}
    for name, node in (("keypad", hall.keypads), ("pad", hall.pads), ("strip", hall.strips)):
        words = {"zh": f"{name}-{window}", "en": f"{name}-{window}"}
        placed = Placed(id=words["en"], station=window, line="bus", name=words, node=node[window], levels=levels)
        bench.place(placed, hall.bus)
    printer = {"zh": "取号机1", "en": "Kiosk 1"}
    bench.place(Placed(id="printer-1", station="entrance", line="printer", name=printer), hall.printer)
    return bench


async def _dots(page: Page) -> str:
    """What is lit on the strip, as a fingerprint of its pixels."""
    picture = await page.locator("canvas").first.screenshot()
    return hashlib.sha256(picture).hexdigest()


async def _clean(page: Page) -> None:
    """No fault that axe finds."""
    await page.evaluate(AXE.read_text(encoding="utf-8"))
    found: dict[str, Any] = await page.evaluate("rules => axe.run({ runOnly: rules })", RULES)
    assert [rule["id"] for rule in found["violations"]] == []


async def test_from_the_keypad_on_the_panel_to_the_stored_rating(
    make_hall: MakeHall, browser: Browser, screens: Path
) -> None:
    async with make_hall(["6"]) as hall:
        await hall.start_agent()
        await hall.admin.staff("1006", "clerk")
        token = await hall.pair("kiosk", "kiosk-1")
        matter = (await hall.matters("social", token, 1))[0]
        async with serving_panel(bench_of(hall, "6"), 0, screens) as url:
            context = await browser.new_context(viewport={"width": 1366, "height": 768})
            page = await context.new_page()
            asked: list[str] = []
            wrong: list[str] = []
            page.on("request", lambda request: asked.append(request.url))
            page.on("pageerror", lambda error: wrong.append(str(error)))
            await page.goto(url)
            for digit in "1006":
                await page.get_by_role("button", name=digit, exact=True).click()
            await page.get_by_role("button", name="功能", exact=True).click()
            await page.get_by_text("“1006 功能”已被收到").wait_for()

            number = (await hall.take(matter, token, paper=True))["ticket"]["number"]
            await page.get_by_role("img", name=number).wait_for()  # the printed ticket, as a picture
            before = await _dots(page)
            await page.get_by_role("button", name="呼叫", exact=True).click()
            await page.locator(f"canvas[aria-label*='{number}']").wait_for()
            assert await _dots(page) != before
            await until(lambda: number in hall.strips["6"].text, what="the strip, lit between two flashes")

            await page.get_by_role("button", name="评价", exact=True).click()
            await page.locator(".ask.on", has_text="请评价").wait_for()
            await page.get_by_role("button", name="非常满意", exact=True).click()
            await page.get_by_text("“非常满意”已被收到").wait_for()
            await until(lambda: hall.rows("select level from ratings") == [(5,)], what="the stored rating")

            await _clean(page)
            await page.get_by_role("button", name="English", exact=True).click()
            await page.get_by_role("button", name="Call", exact=True).wait_for()
            await page.locator(".desk").get_by_role("button", name="Pull the plug").click()
            await page.locator(".line.pulled").wait_for()
            await page.get_by_role("button", name="Call", exact=True).click()
            await page.get_by_text('Nobody answered "Call"').wait_for()
            await told(lambda: _lost(hall), what="the loss in the journal")
            await page.locator(".desk").get_by_role("button", name="Plug in").click()
            await page.locator(".line:not(.pulled)").wait_for()
            await page.get_by_role("button", name="Take the roll").click()
            await page.get_by_text("No paper", exact=True).wait_for()
            await _clean(page)
            assert not wrong
            assert all(address.startswith((url, url.replace("http:", "ws:"))) for address in asked), asked
            await context.close()


async def _lost(hall: LivingHall) -> bool:
    rows = hall.rows("select data from journal where kind = 'DeviceChanged'")
    return any('"keypad-6"' in data and '"offline"' in data for (data,) in rows)
