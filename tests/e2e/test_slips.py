"""RULES 34 in Chromium: a hall that closes early prints slips, and the next day they are tickets with priority."""

from __future__ import annotations

import json
import signal
from dataclasses import dataclass

import pytest

from tests.devices.independent_escpos import Decoded, decode
from tests.devices.independent_escpos import ticket as read_ticket
from tests.e2e.conftest import MakeHall
from tests.e2e.living import LivingHall, told, until
from tests.e2e.pages import Opened, Screens

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

DAY_S = 24 * 3600


@dataclass
class Slip:
    """A slip as its bytes say it, and the ticket it was given for."""

    number: str
    ticket: str
    paper: Decoded

    @property
    def address(self) -> str:
        return "".join(self.paper.codes)


async def test_slips_from_early_closing_to_the_next_days_ticket(make_hall: MakeHall, pages: Screens) -> None:
    """RULES 34: close early → slips as bytes → the next day → scanned at a kiosk, typed and scanned at the guide's."""
    async with make_hall(["6"]) as hall:
        await hall.start_agent()
        await hall.hire("8001", "manager", "guide")
        matter = await _three_wait_for_nobody(hall)
        manager = await pages.staff(hall, "/manager#day", "8001")
        await _close_early(hall, manager, pages)
        first, second, third = await _print_all(hall, manager)
        await _next_day(hall)
        async with hall.clerk("1007", "6") as clerk:
            token = await hall.pair("kiosk", "kiosk-1")
            ordinary = (await hall.take(matter, token))["ticket"]
            kiosk = await _scanned_at_a_kiosk(hall, pages, first)
            guide = await pages.staff(hall, "/guide", "8001", size=(1280, 800))
            await _typed_at_the_guides(hall, guide, second)
            await _scanned_at_the_guides(hall, guide, third)
            await _used_is_used(kiosk, first)
            order = []
            for _ in range(3):
                called = await hall.post("windows/6/call-next", session=clerk)
                order.append(called["desk"]["ticket"]["number"])
                await hall.post("windows/6/arrive", session=clerk)
            assert order == [_redeemed(hall, slip) for slip in (first, second, third)]
            assert ordinary["number"] not in order, (
                "who took a ticket today waits for those whom yesterday did not reach"
            )


async def _three_wait_for_nobody(hall: LivingHall) -> str:
    """Three tickets, and the only window that could serve them goes to lunch."""
    async with hall.clerk("1006", "6") as clerk:
        token = await hall.pair("kiosk", "kiosk-1")
        matter = (await hall.matters("social", token, 1))[0]
        for _ in range(3):
            await hall.take(matter, token)
        await hall.post("windows/6/pause", {"reason": "lunch"}, session=clerk)
    return matter


async def _close_early(hall: LivingHall, manager: Opened, pages: Screens) -> None:
    page = manager.page
    await page.get_by_role("button", name="看影响").click()
    await page.get_by_text("3 个号叫不到（共 3 人在等）").wait_for()
    await page.get_by_label("英文").fill("Water pipe broken: no more tickets today")
    await page.get_by_role("button", name="停止取号").click()
    await page.get_by_role("dialog").get_by_role("button", name="停止取号").click()
    await page.get_by_text("正在收尾，不再发号").wait_for()
    [(data,)] = hall.rows("select data from journal where kind = 'DayClosing'")
    said = json.loads(data)
    assert said["text"] == "今天提前停止取号，已取的号继续叫"
    assert said["text_en"] == "Water pipe broken: no more tickets today"
    display = await pages.paired(hall, "hall", "")
    await display.page.get_by_text(said["text"]).first.wait_for()


async def _print_all(hall: LivingHall, manager: Opened) -> list[Slip]:
    """One key; each slip's outcome stands on the page, and the bytes say what the citizen holds."""
    page = manager.page
    await page.get_by_role("button", name="给 3 位打凭条").click()
    await page.get_by_role("dialog").get_by_role("button", name="打凭条").click()
    await page.get_by_text("凭条已打 3 / 3").wait_for(timeout=60_000)
    assert await page.locator(".slips .st", has_text="已打好").count() == 3
    rows = hall.rows("select number, id, state, print_state from tickets order by issued_at")
    assert [row[2:] for row in rows] == [("uncalled", "printed")] * 3
    papers = [decode(paper) for paper in hall.printer.tickets()]
    assert len(papers) == 3
    slips = []
    for (number, name, _, _), paper in zip(rows, papers, strict=True):
        assert number in paper.biggest
        assert "未叫到" in paper.text
        assert "优先办理" in paper.text
        slips.append(Slip(number, name, paper))
        assert f"/t/t{name}." in slips[-1].address
    return slips


async def _next_day(hall: LivingHall) -> None:
    """The server as it starts 24 hours later on the same database, with its agent back: what prints meanwhile fails."""
    welcomes = _welcomes(hall)
    await hall.server.kill(signal.SIGTERM)
    hall.server.ahead_s = DAY_S
    await hall.server.start(timeout_s=150)
    assert await hall.admin.sign_in() == 200, "the cookie of yesterday is worth nothing"
    await until(
        lambda: len(hall.rows("select distinct day from journal where kind = 'DayOpened'")) == 2, what="a new day"
    )
    await until(lambda: _welcomes(hall) > welcomes, 30, "the agent")


def _welcomes(hall: LivingHall) -> int:
    return sum("server_welcome" in line for line in hall.agent_log)


def _redeemed(hall: LivingHall, slip: Slip) -> str:
    """The number that a slip became, from the journal; "" before."""
    for (data,) in hall.rows("select data from journal where kind = 'TicketIssued' order by seq"):
        issued = json.loads(data)
        if issued["slip"] == slip.ticket:
            return str(issued["number"])
    return ""


async def _scanned_at_a_kiosk(hall: LivingHall, pages: Screens, slip: Slip) -> Opened:
    """The scanner types the code's address and Enter; the page needs no tap."""
    kiosk = await pages.paired(hall, "kiosk", "kiosk-1")
    await kiosk.page.get_by_role("button", name="我有号票").click()
    await kiosk.page.get_by_text("把凭条上的二维码对准扫码口").wait_for()
    await kiosk.page.get_by_role("button", name="返回首页").click()
    await kiosk.page.get_by_role("button", name="我有号票").wait_for()
    await kiosk.page.locator(".strip-alert").wait_for(
        state="hidden", timeout=30_000
    )  # the agent is back on its printer
    papers = len(hall.printer.tickets())
    await kiosk.scan(slip.address)
    number = (await kiosk.page.locator(".res .num").inner_text()).strip()
    assert number == _redeemed(hall, slip)
    await until(lambda: len(hall.printer.tickets()) > papers, what="the new ticket's paper")
    paper = read_ticket(hall.printer.tickets()[-1])
    assert (paper.number, paper.ahead) == (number, 0), "before the one who took a ticket today"
    return kiosk


async def _typed_at_the_guides(hall: LivingHall, guide: Opened, slip: Slip) -> None:
    page = guide.page
    await page.get_by_role("button", name="查号").click()
    await page.get_by_role("button", name="收未叫到凭条").click()
    await page.get_by_label("凭条").fill(slip.number.lower())
    await page.get_by_role("button", name="换号").click()
    await page.get_by_text("已换成今天的号").wait_for()
    assert "未叫到" in await page.locator(".issue .got").inner_text(), "the page says why it has priority"
    assert await page.locator(".issue .num").inner_text() == _redeemed(hall, slip)


async def _scanned_at_the_guides(hall: LivingHall, guide: Opened, slip: Slip) -> None:
    """Wherever the cursor stands: what the scanner typed into a search is taken out of it again."""
    page = guide.page
    await page.get_by_role("button", name="取号").first.click()
    search = page.get_by_role("searchbox")
    await search.fill("sb")
    await search.press("End")
    await guide.scan(slip.address)
    await page.get_by_text("已换成今天的号").wait_for()
    assert _redeemed(hall, slip)


async def _used_is_used(kiosk: Opened, slip: Slip) -> None:
    await kiosk.page.wait_for_timeout(2100)  # a result takes no wish for two seconds (UX 13.7)
    await kiosk.scan(slip.address)

    async def refused() -> bool:
        return "已经换过号" in await kiosk.text()

    await told(refused, what="the kiosk's word on a slip that was used")
