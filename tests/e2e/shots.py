"""Pictures of every page at its real size, from a hall that lives: `python -m tests.e2e.shots FOLDER`."""

from __future__ import annotations

import argparse
import asyncio
import re
import shutil
import tempfile
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from playwright.async_api import BrowserContext, WebSocketRoute, async_playwright

from devices.protocols.keymaps import Key
from displays.speech.pack import build_pack
from tests.e2e.conftest import FLAGS
from tests.e2e.living import Desks, LivingHall, give_voice
from tests.e2e.pages import Opened, Screens

WINDOWS = ("6", "7", "8", "9", "15", "16", "17", "20")
MATTERS = ("social", "medical", "property", "police")


TIME = re.compile(r"\b1[6-9]\d{11}\b")


async def _at_ten(context: BrowserContext) -> None:
    """Pictures show a hall at half past ten whatever the time is: every time that the server says moves by the same hours."""
    local = datetime.now(timezone(timedelta(hours=8)))
    moved_ms = int((local.replace(hour=10, minute=32) - local).total_seconds()) * 1000

    def route(page: WebSocketRoute) -> None:
        server = page.connect_to_server()
        server.on_message(lambda text: page.send(TIME.sub(lambda found: str(int(found[0]) + moved_ms), str(text))))

    await context.route_web_socket("**/api/v1/live", route)


class Morning(Screens):
    """Pages that all show the same morning."""

    async def context(self, kind: str, **options: Any) -> BrowserContext:
        context = await super().context(kind, **options)
        await _at_ten(context)
        return context


async def _morning(hall: LivingHall, desks: Desks) -> str:
    """Some are served, some called, some wait; the token of one who waits."""
    token = ""
    for domain, count in zip(MATTERS, (9, 6, 7, 3), strict=True):
        for matter in await hall.matters(domain, desks.kiosk, count):
            token = (await hall.take(matter, desks.kiosk))["token"]
    for window in ("9", "16"):
        await desks.call(window)
        await desks.press(window, "arrive")
    await desks.call("9")
    await desks.press("9", "arrive")
    await hall.keypads["20"].press(Key.CALL)
    await desks.press("17", "pause", {"reason": "lunch"})
    return token


async def _pages(hall: LivingHall, desks: Desks, screens: Screens, token: str) -> dict[str, Opened]:
    """Every page, opened while the hall is busy."""
    found = {
        "window-call": await screens.paired(hall, "window", "6"),
        "window-serving": await screens.paired(hall, "window", "16"),
    }
    found["window-paused"] = await screens.paired(hall, "window", "17")
    found["kiosk"] = await screens.paired(hall, "kiosk", "kiosk-1")
    wide = await screens.context("kiosk", viewport={"width": 1920, "height": 1080})
    found["kiosk-wide"] = await screens.paired(hall, "kiosk", "kiosk-1", context=wide)
    for name, path, kind in (
        ("phone", f"/t/{token}", "phone"),
        ("rate", f"/rate/{token}", "phone"),
        ("join", "/join", "staff"),
        ("login", "/login", "staff"),
    ):
        found[name] = await screens.blank(hall, kind)
        await found[name].page.goto(hall.server.url + path)
    await hall.hire("8001", "guide", "manager")
    found["manager"] = await screens.staff(hall, "/manager", "8001")
    found["guide"] = await screens.staff(hall, "/guide", "8001", size=(1280, 800))
    await hall.hire("8002", "clerk")
    found["console"] = await screens.staff(hall, "/console", "8002", "15")
    found["strip"] = await screens.staff(hall, "/strip", "8002", "15", size=(480, 56))
    found["strip-tall"] = await screens.staff(hall, "/strip", "8002", "15", size=(360, 120))
    return found


async def _shoot(folder: Path, hall: LivingHall, desks: Desks, screens: Screens) -> None:
    token = await _morning(hall, desks)
    display = await screens.paired(hall, "hall", "B", speed=1.0)
    tall = await screens.context("hall", viewport={"width": 1080, "height": 1920})
    upright = await screens.paired(hall, "hall", "B", context=tall)
    await display.page.wait_for_timeout(
        10_500
    )  # the device page of the first 5 s (UX D-15), and the calls before are over 10 s old
    for window in ("6", "7", "8"):
        await desks.call(window)
    await display.page.locator(".now").nth(2).wait_for()
    await display.page.locator(".cap p").wait_for()
    await display.page.wait_for_timeout(1500)
    await _save(folder, "hall", display)
    await _save(folder, "hall-upright", upright)
    for name, opened in (await _pages(hall, desks, screens, token)).items():
        await opened.page.wait_for_timeout(700)
        await _save(folder, name, opened)
    kiosk = next(each for each in screens.opened if each.name == "kiosk")
    await kiosk.page.locator(".tile", has_text="社会保障").click()  # a group: the first tiles are single matters
    await kiosk.page.locator(".hit .take").first.wait_for()
    await _save(folder, "kiosk-group", kiosk)
    await kiosk.page.locator(".hit .take").first.click()
    await kiosk.page.locator(".res .num").wait_for()
    await kiosk.page.wait_for_timeout(1500)
    await _save(folder, "kiosk-result", kiosk)


async def _save(folder: Path, name: str, opened: Opened) -> None:
    await opened.page.screenshot(path=folder / f"{name}.png")


async def shots(folder: Path) -> None:
    """Start a hall in a temporary folder, take the pictures, and take it down."""
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        build_pack(place / "pack")
        give_voice(place, place / "pack")
        options: dict[str, Any] = {"executable_path": shutil.which("chromium"), "args": FLAGS}
        async with LivingHall(place, WINDOWS) as hall, Desks(hall, WINDOWS) as desks:
            await hall.start_agent()
            async with async_playwright() as playwright:
                browser = await playwright.chromium.launch(**options)
                async with Morning(browser) as screens:
                    await _shoot(folder, hall, desks, screens)
                await browser.close()


def main() -> None:
    parser = argparse.ArgumentParser(description="Pictures of every page of a living hall.")
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    asyncio.run(shots(folder))


if __name__ == "__main__":
    main()
