"""The guide's twenty tickets before the doors open, on one printer that takes its time (UX G-01, DESIGN 3 law 7)."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from devices.transport import Listener, Unavailable
from tests.devices.independent_escpos import decode
from tests.e2e.conftest import MakeHall
from tests.e2e.living import LivingHall, TappedPrinter, until
from tests.e2e.pages import Opened, Screens

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

BYTES_A_SECOND = 1_400
"""A slip of about 1.9 KB takes some 1.4 s, as on a serial line of 14,400 baud: eight in a row outlive a job's ten seconds."""

MANY = 20


class SlowPrinter(TappedPrinter):
    """Takes the bytes no faster than its line, and answers a question only when it comes to it."""

    async def _serve(self, listener: Listener) -> None:
        while True:
            self._end = await listener.accept()
            with contextlib.suppress(Unavailable):
                while True:
                    data = await self._end.read(64)
                    await asyncio.sleep(len(data) / BYTES_A_SECOND)
                    await self._answer(self.interpreter.feed(data))
            await self._end.close()


async def test_ux_g_01_twenty_in_a_row_are_twenty_slips_in_order(make_hall: MakeHall, pages: Screens) -> None:
    """And the day begins with them: nobody sits at a window yet, and the first slip is the first number called."""
    living = make_hall(["6"], opens="23:50", no_show="same-window")
    living.printer = SlowPrinter(f"pty://{living.folder / 'printer'}")  # type: ignore[attr-defined]
    async with living as hall:
        await hall.start_agent()
        await hall.hire("2001", "guide", "manager")
        guide = await pages.staff(hall, "/guide", "2001")
        await guide.page.locator("input[type=search]").fill("社保卡")
        await guide.page.locator(".row-key:not(.shut)", has_text="社会保障卡").first.click()
        await guide.page.get_by_role("button", name=str(MANY), exact=True).click()
        await guide.page.get_by_role("button", name=f"出 {MANY} 张号").click()
        await guide.page.get_by_text(f"已出 {MANY} / {MANY} 张").wait_for(timeout=150_000)
        await guide.page.get_by_role("button", name="再取一个").wait_for(timeout=30_000)
        await until(lambda: len(hall.printer.tickets()) >= MANY, 10, "twenty slips")
        issued = [number for (number,) in hall.rows("select number from tickets order by issued_at, number")]
        assert len(issued) == MANY
        slips = [decode(paper).text for paper in hall.printer.tickets()]
        assert [next(number for number in issued if number in slip) for slip in slips] == issued
        assert hall.rows("select distinct state from claims where kind = 'print'") == [("done",)]
        assert not hall.rows("select 1 from journal where kind in ('DayStarted', 'WindowOpened')"), (
            "before the doors open"
        )
        await _the_doors_open(hall, guide, issued)
        await _lost_and_missed(hall, pages, issued[10])


async def _the_doors_open(hall: LivingHall, guide: Opened, issued: list[str]) -> None:
    """The day begins with those who hold a slip, in the order of their slips."""
    request = guide.page.context.request
    answer = await request.post(f"{hall.server.api}/day/open", data={}, headers=hall.admin.key())
    assert answer.ok, await answer.text()
    async with hall.clerk("1006", "6") as clerk:
        called = []
        for _ in range(3):
            desk = (await hall.post("windows/6/call-next", session=clerk))["desk"]
            called.append(desk["ticket"]["number"])
            await hall.post("windows/6/arrive", session=clerk)
        assert called == issued[:3]


async def _lost_and_missed(hall: LivingHall, pages: Screens, number: str) -> None:
    """UX G-03 by the page: a missed number waits again (RULES 28), and its lost slip is printed again, marked 补 (RULES 18)."""
    await hall.post("windows/6/call", {"number": number, "reason": "returned"})
    await hall.post("windows/6/no-show", {"reason": "left"})
    papers = len(hall.printer.tickets())
    guide = await pages.staff(hall, "/guide", "2001", size=(1280, 800))
    await guide.page.locator(".tabs .btn", has_text="查号").click()
    await guide.page.get_by_label("号码").fill(number)
    await guide.page.get_by_role("button", name="查", exact=True).click()
    await guide.page.locator(".row-key", has_text=number).click()
    card = guide.page.locator(".issue")
    await card.get_by_role("button", name="恢复排队").click()
    await card.get_by_text("已恢复，按过号规则排队").wait_for(timeout=30_000)
    assert hall.rows("select state from tickets where number = ?", number) == [("waiting",)]
    await card.get_by_role("button", name="补打", exact=True).click()
    await card.get_by_role("button", name="补打一张（票上有“补”字）").click()
    await card.get_by_text("补打已送出").wait_for(timeout=30_000)
    await until(lambda: len(hall.printer.tickets()) > papers, 30, "the slip again")
    again = decode(hall.printer.tickets()[-1]).text
    assert number in again
    assert "补" in again
    await card.get_by_text("已打印").wait_for(timeout=30_000)
