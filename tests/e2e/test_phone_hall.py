"""A citizen's phone in a hall at work: from the number to the rating and what is seen afterwards (UX 5, P-01 to P-10)."""

from __future__ import annotations

from typing import Any, Final

import pytest

from tests.e2e.living import Desks, LivingHall, told
from tests.e2e.pages import Opened, Screens
from tests.e2e.staged import ALERTS, CALL_COLOUR, COLOURS

pytestmark = pytest.mark.browser

Hall = tuple[LivingHall, Desks]
IDENTITY: Final = {"kind": "id_card", "number": "11010119491001001X", "name": "欧阳测试"}
PATIENT: Final = 30_000


async def says(page: Opened, *texts: str) -> None:
    for text in texts:
        await page.page.get_by_text(text).first.wait_for(timeout=PATIENT)


async def test_ux_p_04_p_10_from_the_number_to_one_rating(pages: Screens, busy_hall: Hall) -> None:
    """P-04's states as a hall goes through them, a call missed and come back from; RULES 46: one rating; P-09: nobody's trace."""
    hall, desks = busy_hall
    await desks.drain()
    await desks.tickets(4)
    taken = await hall.take(desks.matter, desks.kiosk, identity=IDENTITY)
    number, token = taken["ticket"]["number"], taken["token"]
    await _readable_without_a_script(pages, hall, token, number)
    phone = await _followed(pages, hall, token)
    await says(phone, "等候", "您前面还有")
    assert await phone.page.locator(".ahead .n").inner_text() == "4"
    await desks.call("15")
    await says(phone, "即将到号")
    for window in ("16", "17", "18"):
        await desks.call(window)
    await says(phone, "下一个就是您")
    await phone.page.locator(".num").click()  # touched once: from now on it may sound

    assert await desks.call("19") == number
    await says(phone, "号窗口", "第 1 次呼叫")
    assert (await phone.page.locator(".plate").inner_text(), await phone.page.evaluate(COLOURS)) == (
        "19",
        [CALL_COLOUR] * 2,
    )
    await told(lambda: phone.page.evaluate("__alerts.shakes === 1 && __alerts.tones === 3"), what="shaken and sounded")
    await told(lambda: _done(desks, "recall"), what="a recall")
    await says(phone, "第 2 次呼叫")
    await told(lambda: phone.page.evaluate("__alerts.shakes === 2"), what="a recall is another call")
    await desks.press("19", "no-show", {"reason": "no_answer"})
    await says(phone, "叫过您 1 次，没等到")
    assert CALL_COLOUR not in await phone.page.evaluate(COLOURS)

    await desks.clear()
    assert await desks.call("19") == number, "who missed a call comes back"
    await says(phone, "号窗口")
    await desks.press("19", "arrive")
    await says(phone, "正在办理", "您在 19 号窗口办理")
    await desks.press("19", "finish")
    await says(phone, "已办结", "这次办完了")
    await _rated_once(pages, hall, phone, token, number)
    assert not await phone.page.context.cookies(), "no login, no trace (P-01, P-09)"


async def _done(desks: Desks, key: str) -> bool:
    """The key, where it is not refused for coming too soon."""
    async with desks.sessions["19"].post(
        f"{desks.hall.server.api}/windows/19/{key}", json={}, headers=desks.hall.admin.key()
    ) as answer:
        return answer.status == 200


async def _readable_without_a_script(pages: Screens, hall: LivingHall, token: str, number: str) -> None:
    """P-01: number, state and how many are ahead, before any script runs; P-09: noindex and no referrer, twice over."""
    context = await pages.context("phone", java_script_enabled=False)
    page = await context.new_page()
    answer = await page.goto(f"{hall.server.url}/t/{token}")
    assert answer is not None
    assert await page.locator("#app").inner_text() == f"{number} 正在等候，前面还有 4 位"
    headers = await answer.all_headers()
    assert (headers["x-robots-tag"], headers["referrer-policy"]) == ("noindex", "no-referrer")
    assert "set-cookie" not in headers
    for name, said in (("robots", "noindex, nofollow"), ("referrer", "no-referrer")):
        assert await page.locator(f"meta[name={name}]").get_attribute("content") == said


async def _followed(pages: Screens, hall: LivingHall, token: str) -> Opened:
    """The page of the ticket; what it asks for says to nobody where it stands (P-09)."""
    phone = await pages.blank(hall, "phone")
    await phone.page.add_init_script(ALERTS)
    told_from: list[str] = []
    phone.page.on("request", lambda request: told_from.append(request.headers.get("referer", "")))
    await phone.page.goto(f"{hall.server.url}/t/{token}")
    await phone.page.locator(".num").wait_for(timeout=PATIENT)
    assert len(told_from) > 3
    assert not any(told_from), told_from
    said: Any = await phone.page.content()
    assert IDENTITY["name"] not in said
    assert IDENTITY["number"] not in said
    return phone


async def _rated_once(pages: Screens, hall: LivingHall, phone: Opened, token: str, number: str) -> None:
    """P-10: two taps; whoever comes a second time, or had the page open twice, reads that it was rated."""
    twin = await pages.blank(hall, "phone", context=phone.page.context)
    await twin.page.goto(f"{hall.server.url}/rate/{token}")
    await twin.page.locator(".levels").wait_for(timeout=PATIENT)
    await phone.page.get_by_role("link", name="评价这次服务").click()
    for page, answer in ((phone, "谢谢，已经收到"), (twin, "这次服务已经评价过了")):
        await page.page.get_by_role("button", name="非常满意", exact=True).click(timeout=PATIENT)
        await page.page.get_by_role("button", name="提交评价").click()
        await says(page, answer)
    await phone.page.reload()
    await says(phone, "这次服务已经评价过了")
    assert await phone.page.locator(".levels").count() == 0
    assert hall.rows(
        "select r.level, r.channel from ratings r join services s on s.id = r.service and s.hall = r.hall"
        " join tickets t on t.id = s.ticket where t.number = ?",
        number,
    ) == [(5, "phone")]
    await phone.page.goto(f"{hall.server.url}/t/{token}")
    await says(phone, "您已经评价过，谢谢")
