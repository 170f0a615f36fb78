"""A card on the reader and a slip under the scanner, from the pty to the kiosk's page in Chromium (RULES 16, 28, 86, UX K-01, K-10)."""

from __future__ import annotations

import asyncio

import pytest

from devices.emulators.idreader import record, synthetic_number
from queue_server.domain.configuration import NoShowPolicy
from tests.e2e.conftest import MakeHall
from tests.e2e.living import LivingHall, until
from tests.e2e.pages import Opened, Screens

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

NUMBER = synthetic_number()


async def _lay(hall: LivingHall, number: str = NUMBER) -> None:
    hall.reader.put(record(number, "王某人"))


async def _lift(hall: LivingHall) -> None:
    hall.reader.take()
    await asyncio.sleep(1)  # the reader is asked every 400 ms


async def _home(kiosk: Opened) -> None:
    await kiosk.page.wait_for_timeout(2100)  # a result takes no wish for two seconds (UX 13.7)
    await kiosk.page.get_by_role("button", name="完成").click()
    await kiosk.page.wait_for_timeout(800)


async def test_a_card_and_a_slip_at_the_kiosk(make_hall: MakeHall, pages: Screens) -> None:
    """RULES 86: with the card alone; the same card finds the ticket again, and after a missed call brings it back."""
    async with make_hall(["6"], readers=True, no_show=NoShowPolicy.SAME_WINDOW) as hall:
        await hall.start_agent()
        async with hall.clerk("1006", "6") as clerk:
            kiosk = await pages.paired(hall, "kiosk", "kiosk-1")
            await kiosk.page.get_by_role("button", name="我有号票").wait_for()
            number = await _a_ticket_with_the_card(hall, kiosk)
            await _the_card_finds_it_again(hall, kiosk, number)
            await hall.post("windows/6/call-next", session=clerk)
            await hall.post("windows/6/no-show", {"reason": "没来"}, session=clerk)
            await _the_card_brings_it_back(hall, kiosk, number)
            await _a_scanned_slip(hall, kiosk, number)
            await _rubbish(hall, kiosk)
            await _nobody_looks_at_it(hall, kiosk)
            await _no_trace(hall, kiosk)


async def _a_ticket_with_the_card(hall: LivingHall, kiosk: Opened) -> str:
    await _lay(hall)
    await kiosk.page.get_by_text("身份证已读好").wait_for()
    assert await kiosk.page.locator(".tile").first.is_visible(), "the page stays where it is"
    await kiosk.page.locator(".tile", has_text="社会保障").click()
    await kiosk.page.locator(".hit .take").first.click()
    number = (await kiosk.page.locator(".res .num").inner_text()).strip()
    await until(lambda: len(hall.printer.tickets()) == 1, what="its paper")
    assert hall.rows("select number from tickets") == [(number,)]
    await _lift(hall)
    await _home(kiosk)
    assert await kiosk.page.get_by_text("身份证已读好").count() == 0, "gone with its person (UX K-10)"
    return number


async def _the_card_finds_it_again(hall: LivingHall, kiosk: Opened, number: str) -> None:
    """The slip was lost: one tap shows the number, and one more prints it again, marked."""
    await _lay(hall)
    await kiosk.page.get_by_text(f"您今天有号 {number}").wait_for()
    await kiosk.page.get_by_role("button", name="看这个号").click()
    await kiosk.page.get_by_text("您已经有号了").wait_for()
    assert (await kiosk.page.locator(".res .num").inner_text()).strip() == number
    await kiosk.page.wait_for_timeout(2100)
    await kiosk.page.get_by_role("button", name="再打一张").click()
    await until(lambda: len(hall.printer.tickets()) == 2, what="the second slip")
    await kiosk.page.get_by_text("已补打一张").wait_for()
    assert hall.rows("select count(*) from tickets") == [(1,)]
    await _lift(hall)
    await _home(kiosk)


async def _the_card_brings_it_back(hall: LivingHall, kiosk: Opened, number: str) -> None:
    """RULES 28, on the page for it: no tap at all."""
    assert hall.rows("select state from tickets where number = ?", number) == [("passed",)]
    await kiosk.page.get_by_role("button", name="我有号票").click()
    await kiosk.page.get_by_text("把身份证放在读卡处").wait_for()
    await _lay(hall)
    await kiosk.page.get_by_text("您的号恢复了").wait_for()
    assert hall.rows("select state from tickets where number = ?", number) == [("waiting",)]
    await _lift(hall)
    await _home(kiosk)


async def _a_scanned_slip(hall: LivingHall, kiosk: Opened, number: str) -> None:
    """The code of the printed slip under the agent's scanner: a ticket that waits is told its place."""
    await hall.scanner.scan(hall.printer.papers[0].codes[0])
    await kiosk.page.get_by_text(f"{number} 正在排队，前面还有 0 位").wait_for()
    await kiosk.page.wait_for_timeout(2100)


async def _rubbish(hall: LivingHall, kiosk: Opened) -> None:
    await hall.scanner.scan("6901234567892")
    await kiosk.page.get_by_text("这个码不是本厅的号票").wait_for()
    hall.reader.refusals = 9
    await _lay(hall)
    await kiosk.page.get_by_text("身份证没有读出来").wait_for()
    hall.reader.refusals = 0
    await _lift(hall)
    await kiosk.page.get_by_role("button", name="返回首页").click()
    await kiosk.page.wait_for_timeout(800)


async def _nobody_looks_at_it(hall: LivingHall, kiosk: Opened) -> None:
    """A card is nobody's in the menu of the staff, and the agent is told so."""
    await kiosk.page.mouse.move(60, 60)
    await kiosk.page.mouse.down()
    await kiosk.page.get_by_text("请输入密码").wait_for(timeout=15_000)
    await kiosk.page.mouse.up()
    before = len(kiosk.heard("reading"))
    await _lay(hall)
    await until(lambda: len(kiosk.heard("reading")) > before, what="the reading")
    await kiosk.page.wait_for_timeout(500)
    await kiosk.page.get_by_text("请输入密码").wait_for()
    await kiosk.page.get_by_role("button", name="返回首页").click()
    await kiosk.page.wait_for_timeout(800)
    assert await kiosk.page.get_by_text("身份证已读好").count() == 0


async def _no_trace(hall: LivingHall, kiosk: Opened) -> None:
    """Law 10: neither number nor name on any page, in a message to it, in the agent's log, or in a file of the hall."""
    seen = "".join(await kiosk.seen()) + str(kiosk.frames) + "".join(hall.agent_log)
    seen += await kiosk.page.evaluate("JSON.stringify(localStorage) + JSON.stringify(sessionStorage)")
    for personal in (NUMBER, "王某人"):
        assert personal not in seen
        files = [path for path in hall.folder.rglob("*") if path.is_file() and "voice" not in path.parts]
        assert not [path for path in files if personal.encode() in path.read_bytes()]
    async with hall.admin.session.get(f"{hall.server.url}/metrics") as answer:
        counted = await answer.text()
    assert "yichuang_readings_used 6.0" in counted
    assert "yichuang_readings_dropped 1.0" in counted
