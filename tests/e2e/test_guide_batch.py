"""The guide's page and one slow printer: twenty slips before the doors open (UX G-01, law 7), a lost one, a missed number (G-03)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from devices.transport import Listener, Unavailable
from tests.devices.independent_escpos import decode
from tests.e2e.living import LivingHall, TappedPrinter, give_voice, until
from tests.e2e.pages import Screens

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


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def hall(tmp_path_factory: pytest.TempPathFactory, screens: Path, voice: Path) -> AsyncIterator[LivingHall]:
    """One window, one slow printer, a guide; a missed number may be brought back (RULES 28)."""
    folder = tmp_path_factory.mktemp("guide")
    give_voice(folder, voice)
    living = LivingHall(folder, ["6"], opens="23:50", no_show="same-window")
    living.printer = SlowPrinter(f"pty://{folder / 'printer'}")
    async with living:
        await living.start_agent()
        await living.hire("2001", "guide")
        yield living


async def _open_doors(hall: LivingHall) -> None:
    """A clerk at window 6, from whenever the first test needs one."""
    if not hall.rows("select 1 from journal where kind = 'WindowOpened'"):
        await hall.post("day/open")
        async with hall.clerk("1006", "6"):
            pass


async def test_ux_g_01_twenty_in_a_row_are_twenty_slips_in_order(hall: LivingHall, pages: Screens) -> None:
    """And the day begins with them: nobody sits at a window yet, and the first slip is the first number called."""
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
    assert not hall.rows("select 1 from journal where kind in ('DayStarted', 'WindowOpened')"), "before the doors open"
    await _open_doors(hall)
    called = []
    for _ in range(3):
        desk = (await hall.post("windows/6/call-next"))["desk"]
        called.append(desk["ticket"]["number"])
        await hall.post("windows/6/arrive")
    assert called == issued[:3]


async def test_ux_g_03_a_lost_slip_is_printed_again_and_a_missed_number_waits_again(
    hall: LivingHall, pages: Screens
) -> None:
    """By the page: the same number marked 补 (RULES 18), and back in the queue under RULES 28; the page says both."""
    await _open_doors(hall)
    token = await hall.pair("kiosk", "kiosk-1")
    taken = await hall.take((await hall.matters("social", token, 1))[0], token)
    name, number = taken["ticket"]["id"], taken["ticket"]["number"]
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
    assert hall.rows("select state from tickets where id = ?", name) == [("waiting",)]
    await card.get_by_role("button", name="补打", exact=True).click()
    await card.get_by_role("button", name="补打一张（票上有“补”字）").click()
    await card.get_by_text("补打已送出").wait_for(timeout=30_000)
    await until(lambda: len(hall.printer.tickets()) > papers, 30, "the slip again")
    again = decode(hall.printer.tickets()[-1]).text
    assert number in again
    assert "补" in again
    await card.get_by_text("已打印").wait_for(timeout=30_000)
