"""Tickets and paper, the staff's menu, and a server that is gone: UX K-15, K-16, 13.6, 13.7, at the kiosk with a real printer line."""

from __future__ import annotations

import re
import signal
import time

import pytest

from tests.devices.independent_escpos import decode
from tests.e2e.conftest import MakeHall
from tests.e2e.living import LivingHall, told, until
from tests.e2e.pages import Opened, Screens

pytestmark = pytest.mark.browser


async def _open(kiosk: Opened) -> None:
    """The list of a domain; the tiles before it are single matters."""
    await kiosk.page.locator(".tile", has_text="社会保障").click()
    await kiosk.page.locator(".hit .take").first.wait_for()


async def _paper(hall: LivingHall, dots: int | None) -> None:
    hall.printer.model.paper_dots = dots
    await hall.printer.changed()


async def test_paper_and_taps(make_hall: MakeHall, pages: Screens) -> None:
    """UX 13.6, 13.7, K-08, K-11, K-12, K-13, K-15, K-16: taps, paper, the staff's menu, and the server gone, in one hall."""
    async with make_hall(["6"]) as hall, hall.clerk("1006", "6"):
        await hall.start_agent()
        kiosk = await pages.paired(hall, "kiosk", "kiosk-1")
        await hall.hire("2001", "guide")
        guide = await pages.staff(hall, "/guide", "2001")
        await _ten_taps_a_second(hall, kiosk)
        await _no_paper_before_the_tap(hall, kiosk, guide)
        await _no_paper_in_the_middle(hall, kiosk, guide)
        await _staff_menu(hall, kiosk)
        await _server_away(hall, kiosk)


async def _ten_taps_a_second(hall: LivingHall, kiosk: Opened) -> None:
    """UX 13.7: 10 taps a second for 2 s are one ticket and one paper.

    UX K-13: it is the ticket of somebody who pressed 优先服务 and chose a class; the table has the class, the slip says what it is worth.
    """
    await kiosk.page.get_by_role("button", name="优先服务").click()
    await kiosk.page.locator(".classes .tile", has_text="残疾人").click()
    await kiosk.page.get_by_text("优先服务：残疾人").wait_for()
    await _open(kiosk)
    box = await kiosk.page.locator(".hit .take").first.bounding_box()
    assert box is not None
    await kiosk.tap(box["x"] + 40, box["y"] + 40, times=20, every_s=0.1)
    await kiosk.page.get_by_text("号票已经打好").wait_for()
    assert hall.rows("select priority from tickets") == [("disabled",)]
    [slip] = hall.printer.tickets()
    assert "残疾人提前30分钟" in re.sub(r"\s", "", decode(slip).text)
    await kiosk.page.get_by_role("button", name="完成").click()


async def _no_paper_before_the_tap(hall: LivingHall, kiosk: Opened, guide: Opened) -> None:
    """UX 13.6, K-11: the banner stands before the tap, staff know within 5 s, and the number is offered without paper."""
    began = time.time()
    await _paper(hall, 0)
    await kiosk.page.get_by_text("取号纸用完了").wait_for()
    await guide.page.get_by_text("缺纸").first.wait_for()
    await _soon(guide, "缺纸", began)
    await kiosk.page.wait_for_timeout(800)  # the home page is inert for a moment after somebody left (UX 13.7)
    await _open(kiosk)
    await kiosk.page.locator(".hit .take").first.click()
    await kiosk.page.get_by_text("这次没有号票").wait_for()
    number = (await kiosk.page.locator(".res .num").inner_text()).strip()
    assert hall.rows("select print_state from tickets where number = ?", number) == [("none",)]
    assert len(hall.printer.tickets()) == 1, "nothing was sent to a printer without paper"
    await _paper(hall, None)
    await kiosk.page.wait_for_timeout(2100)  # so are the first two seconds of a result
    await kiosk.page.get_by_role("button", name="完成").click()
    await kiosk.page.get_by_text("取号纸用完了").wait_for(state="hidden")


async def _no_paper_in_the_middle(hall: LivingHall, kiosk: Opened, guide: Opened) -> None:
    """UX 13.6, K-12: the paper ends inside the ticket: the failure is on the ticket, the kiosk and the guide's page."""
    await _paper(hall, 120)
    await kiosk.page.wait_for_timeout(800)
    await _open(kiosk)
    await kiosk.page.locator(".hit .take").first.click()
    number = (await kiosk.page.locator(".res .num").inner_text()).strip()
    state = lambda: hall.rows("select print_state from tickets where number = ?", number)[0][0]  # noqa: E731
    await until(lambda: state() in ("failed", "unknown"), 20, "the end of a print without paper")
    await told(lambda: _says(kiosk, "号票没有打出来", "没有看到号票"), what="the kiosk's word on it")
    await guide.page.get_by_text(number).first.wait_for()
    # New paper, and the guide prints it again, marked as a second slip.
    await _paper(hall, None)
    papers = len(hall.printer.tickets())
    [(ticket,)] = hall.rows("select id from tickets where number = ?", number)
    await told(lambda: _reprinted(hall, ticket), what="a printer that prints again")
    await until(lambda: len(hall.printer.tickets()) > papers, what="the second slip")
    again = decode(hall.printer.tickets()[-1])
    assert number in again.biggest
    assert "补" in again.text
    await until(lambda: state() == "printed", what="the ticket's print state")


async def _reprinted(hall: LivingHall, ticket: str) -> bool:
    where, headers = f"{hall.server.api}/tickets/{ticket}/reprint", hall.admin.key()
    async with hall.admin.session.post(where, json={}, headers=headers) as answer:
        return answer.status == 200


async def _says(page: Opened, *sentences: str) -> bool:
    text = await page.text()
    return any(sentence in text for sentence in sentences)


async def _staff_menu(hall: LivingHall, kiosk: Opened) -> None:
    """UX K-16: behind the corner and the PIN: test print, volume, restart, device id; the volume stays with the device."""
    page = kiosk.page
    await hall.post("kiosk/pin/set", {"pin": "2580"})
    await page.wait_for_timeout(2100)
    await page.get_by_role("button", name="完成").click()
    corner = await page.locator(".corner").bounding_box()
    assert corner is not None
    await page.mouse.move(corner["x"] + 40, corner["y"] + 40)
    await page.mouse.down()
    await page.get_by_text("请输入密码").wait_for()
    await page.mouse.up()
    for pin, answer in (("1111", "密码不对"), ("2580", "音量")):
        for figure in pin:
            await page.get_by_role("button", name=figure, exact=True).click()
        await page.get_by_role("button", name="进入").click()
        await page.get_by_text(answer).wait_for()
    assert "kiosk-1" in await page.locator(".facts").inner_text()
    papers = len(hall.printer.tickets())
    await page.get_by_role("button", name="打印测试票").click()
    await until(lambda: len(hall.printer.tickets()) > papers, what="the test ticket")
    for heard, said in ((1, "80%"), (2, "60%")):
        await page.get_by_role("button", name="小一点").click()
        await page.get_by_text(said).wait_for()
        await told(lambda heard=heard: _sounds(kiosk, heard), what="a number, spoken at the new volume")  # type: ignore[misc]
    louder, softer = [sound["volume"] for sound in await kiosk.sounds()]
    assert softer == pytest.approx(louder * 60 / 80)
    await page.get_by_role("button", name="重新启动页面").click()
    await page.get_by_role("button", name="语音导览").click()
    await told(lambda: _sounds(kiosk, 1), what="the guidance after the restart")
    assert (await kiosk.sounds())[0]["volume"] == pytest.approx(softer)


async def _sounds(kiosk: Opened, count: int) -> bool:
    return len(await kiosk.sounds()) >= count


async def _server_away(hall: LivingHall, kiosk: Opened) -> None:
    """UX K-15: 取号暂停，请到导办台 within 5 s of a line that dies silently and of a process that is gone; nothing is printed and
    no number invented, also for who taps in the first moment."""
    page = kiosk.page
    papers, given = len(hall.printer.tickets()), hall.rows("select count(*) from tickets")
    assert hall.server.process is not None
    hall.server.process.send_signal(signal.SIGSTOP)  # the connection stands, and nothing comes any more
    await _pauses(kiosk, time.time())
    hall.server.process.send_signal(signal.SIGCONT)
    await page.locator(".tile").first.wait_for()
    hall.server.process.send_signal(signal.SIGKILL)
    gone = time.time()
    await page.locator(".tile", has_text="不动产登记资料查询").click()
    await _pauses(kiosk, gone)
    await page.wait_for_timeout(2000)  # the request of that tap has been given up
    text = await kiosk.text()
    assert "取号暂停" in text
    assert "请到导办台" in text
    assert await page.locator(".res").count() == 0
    assert (len(hall.printer.tickets()), hall.rows("select count(*) from tickets")) == (papers, given)


async def _pauses(kiosk: Opened, since: float) -> None:
    await kiosk.page.get_by_text("取号暂停").wait_for()
    assert "请到导办台" in await kiosk.text()
    await _soon(kiosk, "取号暂停", since)


async def _soon(opened: Opened, words: str, since: float) -> None:
    """By the page's own log, whose clock is this machine's.

    Twice the five seconds of K-11, for a machine of many sessions; in the driver's own time they are held
    (tests/unit/devices/test_printer.py).
    """
    seen = await opened.page.evaluate("window.__seen")
    at = next(each["at"] for each in seen if each["at"] > since * 1000 and words in each["text"])
    assert at - since * 1000 <= 10_000, at - since * 1000
