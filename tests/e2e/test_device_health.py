"""A rating device is unplugged and plugged in again: clerk, manager and citizen see it; a press in a test is no rating (RULES 37, 38)."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

import pytest

from devices.framing.ff68 import Ff68Frame, encode_ff68
from tests.e2e.conftest import MakeHall
from tests.e2e.living import LivingHall, until
from tests.e2e.pages import Screens

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

CLERK_SEES = "评价器现在用不了"


def changes(hall: LivingHall, device: str) -> list[str]:
    told = hall.rows("select data from journal where kind = 'DeviceChanged' order by seq")
    return [each["state"] for (data,) in told if (each := json.loads(data))["device"] == device]


async def test_rules_37_38_a_rating_device_is_unplugged_and_plugged_in_again(
    make_hall: MakeHall, pages: Screens
) -> None:
    async with make_hall(["6"]) as hall:
        await hall.start_agent()
        await hall.hire("4301", "manager", "admin")
        async with hall.clerk("1006", "6") as session:
            await hall.post("windows/6/open", session=session)
            assert await hall.pads["6"].rate(4), "a first press, of nobody: the pad is known"
            await until(lambda: changes(hall, "pad-6")[-1:] == ["online"], what="a pad that was heard")

            console = await pages.staff(hall, "/console", "1006", window="6")
            window = await pages.paired(hall, "window", "6")
            manager = await pages.staff(hall, "/manager#devices", "4301")
            await manager.page.locator(".comply .wc").first.wait_for()
            await console.page.locator(".con").wait_for()
            assert CLERK_SEES not in await console.text()

            # A pad whose frame was damaged on the line says it again; the rubbish is counted where people see it.
            await hall.bus.transmit_raw(bytes.fromhex("0A A1 0D 0B 0C 55 55"))
            damaged = bytearray(encode_ff68(Ff68Frame(hall.pads["6"].address, 0x11, b"\x02")))
            damaged[-1] ^= 0x40
            await hall.bus.transmit_raw(bytes(damaged))

            # A test on the manager's page: the pad asks, somebody presses, and it is nobody's rating.
            row = manager.page.locator(".device-table tr", has_text="评价器").first
            await row.get_by_role("button").click()
            await until(lambda: hall.pads["6"].invitations, what="the tested pad's invitation")
            assert await hall.pads["6"].rate(3)
            await row.get_by_text("没有记成群众评价").wait_for()
            assert hall.rows("select id from ratings") == []

            # The keypad lights up and beeps, the strip shows, the printer prints.
            strip, keypad, printer = hall.strips["6"], hall.keypads["6"], hall.printer
            shown, beeps, papers = len(strip.history), keypad.beeps, len(printer.papers)

            def pressed(kind: str, key: str) -> Any:
                row = manager.page.locator(".device-table tr", has_text=kind).first
                return row.get_by_role("button", name=key).click()

            await pressed("叫号键盘", "亮一下")
            await until(lambda: (keypad.cells.strip(), keypad.beeps) == ("042", beeps + 1), what="a keypad that lights")
            await pressed("窗口条屏", "显示测试")
            await pressed("打印机", "打测试页")
            await until(lambda: "测试" in "".join([*strip.history][shown:]), what="the tested strip's text")
            await until(lambda: len(printer.papers) > papers, what="the tested printer's page")
            assert "打印测试" in printer.papers[-1].text
            await manager.page.locator(".device-table").get_by_text("请看屏上的字").wait_for()
            await manager.page.locator(".device-table").get_by_text("测试页已打出").wait_for()

            # The cable is pulled.
            began, before = asyncio.get_running_loop().time(), changes(hall, "pad-6").count("offline")
            await hall.bus.unplug()
            await console.page.get_by_text(CLERK_SEES).wait_for()
            assert asyncio.get_running_loop().time() - began < 10
            await manager.page.get_by_text("起用二维码").first.wait_for()
            assert changes(hall, "pad-6").count("offline") == before + 1

            # A service ends: its citizen is offered the QR code.
            await served(hall, session)
            await window.page.locator(".qr svg").wait_for()
            assert hall.rows("select qr_offered from services where finished_at is not null") == [(1,)]

            told = manager.page.locator(".device-table tr", has_text="评价器").first.locator(".told")
            await told.get_by_text("线上校验错 1").wait_for()
            assert re.search(r"线上杂字节 \d", await told.inner_text())

            await hall.bus.plug()
            await until(lambda: changes(hall, "pad-6")[-1] != "offline", 30, "the pad's return")
            await console.page.get_by_text(CLERK_SEES).wait_for(state="detached")
            await served(hall, session)
            assert hall.rows("select qr_offered from services order by finished_at") == [(1,), (0,)]
            assert changes(hall, "pad-6").count("offline") == before + 1
        assert await hall.verify() == 0


async def served(hall: LivingHall, session: Any) -> None:
    """Somebody walks up to window 6 and is served there."""
    matter = (await hall.matters("social", await hall.pair("kiosk", "kiosk-1"), 1))[0]
    await hall.post("windows/6/serve-direct", {"matters": [matter]}, session=session)
    await hall.post("windows/6/finish", session=session)
