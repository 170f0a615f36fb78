"""Lost and found connections: X-06, D-12, D-14, and the guard tests 5 and 9 of UX 13."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import signal
import time
from pathlib import Path

import pytest
from playwright.async_api import Route

from tests.devices.hall import until
from tests.e2e.living import Desks, LivingHall, told
from tests.e2e.pages import Opened, Screens
from tests.hall_process import ROOT

pytestmark = pytest.mark.browser

Hall = tuple[LivingHall, Desks]
LAUNCHER = ROOT / "config" / "launcher.html"


async def test_x_06_what_a_page_says_while_nothing_comes(pages: Screens, busy_hall: Hall) -> None:
    """UX X-06: over 3 s reconnecting, over 10 s grey with the time, over 60 s 以现场叫号为准; then right again (X-07, D-13).

    UX D-14: "stale must be visible": never old values without a sign.
    """
    hall, desks = busy_hall
    display = await pages.blank(hall, "hall", token=await hall.pair("hall", "D"))
    heard = asyncio.Event()
    display.page.on("websocket", lambda socket: socket.on("framereceived", lambda _: heard.set()))
    await display.page.clock.install()
    await display.page.goto(f"{hall.server.url}/hall")
    age = display.page.locator(".age")
    await age.get_by_text("秒前更新").wait_for()
    await display.page.clock.pause_at(await display.page.evaluate("Date.now() / 1000 + 0.2"))
    heard.clear()
    async with asyncio.timeout(20):
        await heard.wait()  # the page's clock stands still: what it hears now, it has heard at this moment
    await display.page.context.set_offline(True)
    await asyncio.sleep(1.5)  # what was on its way has come
    looks = {}
    for silent_s, further_s in ((3, 3), (4, 1), (10, 6), (11, 1), (60, 49), (61, 1)):
        await display.page.clock.run_for(further_s * 1000)
        classes = await display.page.evaluate("document.documentElement.className")
        looks[silent_s] = (await age.inner_text(), "stale" in classes, "以现场叫号为准" in await display.text())
    assert "秒前更新" in looks[3][0], looks
    assert "正在重新连接" in looks[4][0], looks
    assert "正在重新连接" in looks[10][0], looks
    assert re.search(r"停在 \d\d:\d\d:\d\d", looks[11][0]), looks
    assert [grey for _, grey, _ in looks.values()] == [False, False, False, True, True, True], looks
    assert [dead for _, _, dead in looks.values()] == [False, False, False, False, False, True], looks
    await display.page.context.set_offline(False)
    await display.page.clock.resume()
    await desks.tickets(1)
    number = await desks.call("15")
    await display.page.locator(f".num:has-text('{number}')").first.wait_for(timeout=6000)
    assert "stale" not in await display.page.evaluate("document.documentElement.className")
    await desks.clear()


async def test_d_12_a_display_that_starts_offline_shows_its_last_picture_grey(pages: Screens, busy_hall: Hall) -> None:
    """UX D-12: the last snapshot with its time for ten minutes, then 正在连接; never yesterday's numbers."""
    hall, desks = busy_hall
    display = await pages.paired(hall, "hall", "D")
    await desks.tickets(1)
    number = await desks.call("15")
    await display.page.locator(f".num:has-text('{number}')").first.wait_for()
    # From now on the page comes from the box's cache and no line can be opened.
    await display.page.route_web_socket("**/api/v1/live", lambda socket: socket.close())
    await display.page.reload()
    await display.page.locator(f".num:has-text('{number}')").first.wait_for()
    assert "stale" in await display.page.evaluate("document.documentElement.className")
    assert re.search(r"\d\d:\d\d:\d\d 的叫号", await display.text())
    shift = "JSON.parse(localStorage['yichuang.hall.last'])"
    for late_ms in (11 * 60_000, 26 * 3_600_000):
        await display.page.evaluate(
            f"(() => {{ const kept = {shift}; kept.at -= {late_ms}; localStorage['yichuang.hall.last'] = JSON.stringify(kept) }})()"
        )
        await display.page.reload()
        await display.page.get_by_text("正在连接").first.wait_for()
        assert number not in await display.text()
    await desks.clear()


async def test_ux_13_5_server_down_at_boot_for_two_minutes(pages: Screens, busy_hall: Hall) -> None:
    """UX 13.5, D-11, X-07: the launcher on the box waits by itself, and the display is right within 5 s of readiness."""
    hall, desks = busy_hall
    await desks.tickets(1)
    number = await desks.call("15")
    token = await hall.pair("hall", "D")
    await hall.server.kill(signal.SIGTERM)
    display = await pages.blank(hall, "hall", token=token)
    await display.page.clock.install()
    await display.page.goto(f"{LAUNCHER.as_uri()}#{hall.server.url}/hall")
    await display.page.clock.run_for(120_000)
    assert "正在连接" in await display.text()
    await hall.server.start()
    ready = time.monotonic()
    await display.page.locator(f".num:has-text('{number}')").first.wait_for()
    took_s = time.monotonic() - ready
    assert took_s <= 5, took_s
    await desks.clear()


async def test_ux_13_9_an_old_tab_after_an_upgrade(pages: Screens, busy_hall: Hall, tmp_path: Path) -> None:
    """UX 13.9, X-08: after another build is served, an idle display reloads itself and an open console still works."""
    hall, desks = busy_hall
    display = await pages.paired(hall, "hall", "D")
    await hall.hire("3001", "clerk")
    console = await pages.staff(hall, "/console", "3001", "16")
    await console.page.get_by_role("button", name="呼叫下一位").first.wait_for()
    await display.page.evaluate("window.__old = true")
    await desks.tickets(1)
    await hall.server.kill(signal.SIGTERM)
    hall.server.root = _upgraded(tmp_path)
    await hall.server.start()
    await told(lambda: _fresh(display), 30, "the display's new build")
    sources = await display.page.evaluate("[...document.scripts].map((script) => script.src)")
    assert any("-upgraded" in source for source in sources), sources
    await told(lambda: _calls(console), 20, "the old tab's key")
    assert hall.rows("select count(*) from tickets where state = 'called' and window = '16'") == [(1,)]
    await desks.back("16")


async def _fresh(opened: Opened) -> bool:
    try:
        return bool(await opened.page.evaluate("!window.__old && !!document.querySelector('.clock')"))
    except Exception as error:
        if "navigat" in str(error) or "context" in str(error):
            return False
        raise


async def _calls(console: Opened) -> bool:
    """Presses 呼叫下一位 on the old tab, as it is or reloaded, until it has called."""
    if await console.page.get_by_text("已叫").count():
        return True
    await console.page.get_by_role("button", name="呼叫下一位").first.click(timeout=3000)
    await asyncio.sleep(0.5)
    return False


def _upgraded(folder: Path) -> Path:
    """The same program with another build of the screens: the scripts of the pages have new names."""
    root = folder / "upgraded"
    for package in ("queue_server", "devices", "displays", "config"):
        skip = shutil.ignore_patterns("node_modules", "src", "tests", "__pycache__")
        shutil.copytree(ROOT / package, root / package, ignore=skip)
    dist = root / "displays" / "web" / "dist"
    manifest = json.loads((dist / ".vite" / "manifest.json").read_text(encoding="utf-8"))
    renamed = {Path(entry["file"]).name for key, entry in manifest.items() if key.endswith(".html")}
    for name in renamed:
        (dist / "assets" / name).rename(dist / "assets" / name.replace(".js", "-upgraded.js"))
    for path in [*dist.glob("*.html"), *dist.glob("assets/*.js"), dist / ".vite" / "manifest.json"]:
        text = path.read_text(encoding="utf-8")
        for name in renamed:
            text = text.replace(name, name.replace(".js", "-upgraded.js"))
        path.write_text(text, encoding="utf-8")
    return root


HANGS_S = 25
WAITED_FOR = "waited-for"
HANG = """
(path) => {
  const began = performance.now(), asked = new XMLHttpRequest();
  asked.open('GET', path, false);
  asked.send();
  return performance.now() - began;
}
"""
"""A question whose answer the page's one thread waits for: as still as in a loop, and nobody else's processor is taken."""


async def _slowly(route: Route) -> None:
    await asyncio.sleep(HANGS_S)
    await route.fulfill(body="")


async def test_rules_89_a_kiosk_whose_page_hangs_for_25_s_is_not_missed(pages: Screens, busy_hall: Hall) -> None:
    """The browser answers the server's pings beside the page, which can do nothing at all meanwhile; longer than a server that
    has just started is patient."""
    hall, _ = busy_hall
    kiosk = await pages.blank(hall, "kiosk", token=await hall.pair("kiosk", "kiosk-1"))
    await kiosk.page.goto(f"{hall.server.url}/kiosk")
    told = "select data from journal where kind = 'DeviceChanged' order by seq"

    def states() -> list[str]:
        found = [json.loads(data) for (data,) in hall.rows(told)]
        return [each["state"] for each in found if each["device"] == "kiosk:kiosk-1"]

    await until(lambda: states()[-1:] == ["online"], 30)
    before = states()
    await kiosk.page.route(f"**/{WAITED_FOR}", _slowly)
    assert await kiosk.page.evaluate(HANG, WAITED_FOR) >= HANGS_S * 1000
    await asyncio.sleep(3)
    assert states() == before
