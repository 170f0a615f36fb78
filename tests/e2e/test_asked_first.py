"""What a clerk is asked before something is done, and a message that everybody must be able to read to its end."""

from __future__ import annotations

import pytest

from tests.e2e.living import Desks, LivingHall
from tests.e2e.pages import Opened, Screens

pytestmark = pytest.mark.browser

Hall = tuple[LivingHall, Desks]
MISSED = "select data from journal where kind in ('TicketRequeued', 'TicketPassed', 'TicketVoided')"
CLOSED = "select count(*) from journal where kind = 'WindowClosed'"


async def test_rules_27_nobody_records_a_reason_by_enter_alone(pages: Screens, busy_hall: Hall) -> None:
    """RULES 23, 27: nothing is chosen beforehand; Enter says so, a digit chooses, Enter sends what was chosen."""
    hall, desks = busy_hall
    await hall.hire("4101", "clerk")
    console = await pages.staff(hall, "/console", "4101", "17")
    await desks.tickets(1)
    keyboard, page = console.page.keyboard, console.page
    await page.locator("[data-place=main][data-wish=call-next]:not(.off)").wait_for()
    await keyboard.press("F2")
    await page.locator("[data-place=main][data-wish=arrive]:not(.off)").wait_for()
    before = hall.rows(MISSED)
    await keyboard.press("F4")
    dialog = page.get_by_role("dialog")
    await dialog.wait_for()
    assert await dialog.locator("input:checked").count() == 0
    await keyboard.press("Enter")
    await dialog.get_by_role("alert").get_by_text("请先选一项原因").wait_for()
    assert hall.rows(MISSED) == before
    await keyboard.press("2")
    await keyboard.press("Enter")
    await dialog.wait_for(state="hidden")
    [(data,)] = [row for row in hall.rows(MISSED) if row not in before]
    assert '"reason":"left"' in data
    await desks.back("17")


async def test_rules_12_leaving_says_who_is_left_before_the_window_closes(pages: Screens, busy_hall: Hall) -> None:
    """The windows beside it pause, somebody waits: the dialog names how many, and nothing has happened yet."""
    hall, desks = busy_hall
    await hall.hire("4102", "clerk")
    before = hall.rows(CLOSED)
    others = [window for window in desks.windows if window != "18"]
    console = await pages.staff(hall, "/console", "4102", "18")
    await desks.tickets(1)
    for window in others:
        await desks.press(window, "pause", {"reason": "meeting"})
    await console.page.get_by_role("button", name="退出", exact=True).click()
    dialog = console.page.get_by_role("dialog")
    await dialog.get_by_role("alert").get_by_text("就没有窗口能办").wait_for()
    assert hall.rows(CLOSED) == before
    await console.page.keyboard.press("Escape")
    for window in others:
        await desks.press(window, "resume")
    await desks.back("18")
    await desks.call("18")
    await desks.clear()


async def _whole(screen: Opened) -> bool:
    return bool(
        await screen.page.evaluate(
            "[...document.querySelectorAll('.screen > *')].every(e => e.getBoundingClientRect().bottom <= innerHeight)"
        )
    )


@pytest.mark.parametrize(("role", "of"), [("hall", "D"), ("window", "15")])
async def test_ux_d_08_an_emergency_is_read_to_its_end(pages: Screens, busy_hall: Hall, role: str, of: str) -> None:
    """Both languages, a long text: its last word stands on the screen."""
    hall, _ = busy_hall
    screen = await pages.paired(hall, role, of)
    zh = "消防警报，请所有人马上离开大厅，不要返回取物品。走南门或东门，不要乘电梯，听从引导员指挥，到北侧停车场集合"
    en = "Fire alarm: everybody leaves the hall now, leave your things where they are\nUse the south or east door, not the lift"
    await hall.post("message", {"kind": "emergency", "zh": zh, "en": en})
    for language, last in (("zh", "停车场集合"), ("en", "not the lift")):
        await screen.page.goto(f"{hall.server.url}/{role}?lang={language}")
        await screen.page.get_by_text(last).wait_for()
        await screen.page.wait_for_timeout(300)
        assert await _whole(screen), language
    await hall.post("message", {"kind": "none"})
