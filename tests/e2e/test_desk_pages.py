"""The guide's and the manager's page beyond their first tab: what they count, and axe on every tab in both languages."""

from __future__ import annotations

import pytest

from tests.e2e.living import Desks, LivingHall
from tests.e2e.pages import Opened, Screens
from tests.e2e.test_pages import axe

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

Hall = tuple[LivingHall, Desks]


async def _nobody_serves(hall: LivingHall, desks: Desks, matter: str, key: str) -> None:
    """A citizen at the kiosk wants what no open window serves."""
    headers = {"Authorization": f"Bearer {desks.kiosk}", "Idempotency-Key": key}
    where = f"{hall.server.api}/tickets"
    async with hall.admin.session.post(where, json={"matters": [matter]}, headers=headers) as answer:
        assert (answer.status, (await answer.json())["code"]) == (409, "nobody-serves")


async def test_rules_17_23_36_what_is_counted_is_seen(pages: Screens, busy_hall: Hall) -> None:
    """Three taps and a retry are one wish; who called a given number and why; the share of invitations by window."""
    hall, desks = busy_hall
    matter = (await hall.matters("social", desks.kiosk, 1))[0]
    for key in ("wish", "wish", "tap-2", "tap-3"):
        await _nobody_serves(hall, desks, matter, key)
    [number] = await desks.tickets(1)
    await hall.post("windows/18/call", {"number": number, "reason": "行动不便"})
    await desks.press("18", "finish")
    await hall.hire("4101", "guide", "manager")

    guide = await pages.staff(hall, "/guide", "4101", size=(1280, 800))
    line = guide.page.locator("dl.unmet div")
    await line.first.wait_for()
    assert [text.split("\n")[-1].split("最近")[0].strip() for text in await line.all_inner_texts()] == ["1 次"]

    manager = await pages.staff(hall, "/manager#figures", "4101")
    await manager.page.get_by_text("想办、没有窗口能办的事").wait_for()
    rows = [text.split("\t") for text in await manager.page.locator(".counted tbody tr").all_inner_texts()]
    wanted, invited, given = rows[0], [row for row in rows if row[0].startswith("18 号")], rows[-1]
    assert wanted[1] == "1"
    assert invited[0][1:3] == [invited[0][1]] * 2, "every service of the window was invited"
    assert given[1:3] + given[-1:] == ["18", "1", "自己写的原因 1 次"]


async def test_ux_g_01_the_guides_english_page_has_a_matters_own_name_instead_of_what_people_say(
    pages: Screens, busy_hall: Hall
) -> None:
    """One Chinese line under the English name, marked as such; a phrase only where it is what was typed."""
    hall, _ = busy_hall
    await hall.hire("4301", "guide")
    guide = await pages.staff(hall, "/guide?lang=en", "4301", size=(1280, 800))
    row = guide.page.locator(".find .row-key").filter(has_text="Mortgage: cancellation")
    for typed, under in (
        ("mort", "不动产抵押权注销登记"),
        ("解押", "解押, 不动产抵押权注销登记"),
        ("bdcdyqzx", "不动产抵押权注销登记"),
    ):
        await guide.page.locator(".find input").fill(typed)
        await row.get_by_text(under, exact=True).wait_for()
    assert await row.locator("[lang=zh-CN]").all_inner_texts() == ["不动产抵押权注销登记"]
    assert "贷款还清解抵押" not in await guide.page.locator(".find").inner_text()
    await row.click()
    heading = guide.page.locator(".issue h2")
    assert await heading.inner_text() == "Mortgage: cancellation\n不动产抵押权注销登记"
    assert await heading.locator("[lang=zh-CN]").inner_text() == "不动产抵押权注销登记"


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_ux_x_01_axe_on_every_tab(pages: Screens, busy_hall: Hall, language: str) -> None:
    """X-01, C-13: no serious finding on any tab of the manager's and the guide's page, nor in their dialogs."""
    hall, _ = busy_hall
    name = f"42{len(language)}{language == 'en':d}"
    await hall.hire(name, "guide", "manager", "admin")
    findings: list[str] = []

    async def look(opened: Opened, what: str) -> None:
        await opened.page.wait_for_timeout(300)
        findings.extend(f"{what}: {finding}" for finding in await axe(opened))

    manager = await pages.staff(hall, f"/manager?lang={language}", name)
    await manager.page.locator(".wins button").first.wait_for()
    for tab in ("now", "figures", "devices", "tickets", "day", "configuration", "people"):
        await manager.page.evaluate(f"location.hash = '{tab}'")
        await look(manager, f"manager {tab}")
    await manager.page.evaluate("location.hash = 'now'")
    await manager.page.locator(".wins button").first.click()
    await manager.page.get_by_role("dialog").wait_for()
    await look(manager, "window dialog")

    guide = await pages.staff(hall, f"/guide?lang={language}", name, size=(1280, 800))
    tabs = guide.page.locator(".tabs .btn")
    await tabs.first.wait_for()
    for place in range(4):
        await tabs.nth(place).click()
        await look(guide, f"guide tab {place}")
    await tabs.nth(1).click()
    await guide.page.locator(".picks .btn").last.click()
    await look(guide, "guide slip")
    assert not findings, "\n".join(findings)
