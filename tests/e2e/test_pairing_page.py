"""The administrator's form pairs at places that exist, in their names, and says what is still missing (UX S-03)."""

from __future__ import annotations

import aiohttp
import pytest

from tests.e2e.living import Desks, LivingHall
from tests.e2e.pages import Screens

pytestmark = pytest.mark.browser


async def test_ux_s_03_an_agent_is_chosen_and_never_typed(busy_hall: tuple[LivingHall, Desks], pages: Screens) -> None:
    hall, _ = busy_hall
    async with aiohttp.ClientSession() as pc:
        asked = await hall.post("pairings", {}, session=pc)
        await hall.hire("9001", "admin")
        page = (await pages.staff(hall, "/manager#people", "9001", size=(1366, 768))).page
        key = page.get_by_role("button", name="配对").first
        await page.get_by_text("先填六位数").wait_for()
        await page.get_by_label("六位数").fill(asked["code"])
        zones = await page.get_by_label("位置").locator("option").all_inner_texts()
        assert zones[0] == "整个大厅"
        assert all(" " in zone for zone in zones[1:]), "a zone has its name beside its letter"
        await page.get_by_label("名称").fill("东大屏")
        await page.get_by_label("当作").select_option(label="设备代理")
        assert await page.get_by_label("名称").input_value() == "", "what was typed for a display is not an agent's"
        await page.get_by_text("先选位置").wait_for()
        places = page.get_by_label("位置")
        assert await places.locator("option").all_inner_texts() == ["agent-1 16 台设备"]
        await places.select_option("agent-1")
        await key.click()
        await page.get_by_role("cell", name="agent-1 16 台设备").wait_for()
        async with pc.get(f"{hall.server.api}/pairings/{asked['id']}") as answer:
            assert (await answer.json())["state"] == "paired"
