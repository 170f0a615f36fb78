"""UX 5 on the built page in Chromium, against a server that the test plays: what stands when, what is asked for, what is kept."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from queue_server.wire.common import TicketState, Words
from queue_server.wire.documents import Station
from tests.e2e.living import told
from tests.e2e.staged import ALERTS, CALL_COLOUR, COLOURS, TOKEN, Staged, hall_document, ratable, ticket_view

pytestmark = pytest.mark.browser

BEHIND: Final = """(hidden) => {
  Object.defineProperty(document, 'hidden', { value: hidden, configurable: true })
  document.dispatchEvent(new Event('visibilitychange'))
}"""

Follow = Callable[..., Awaitable[Staged]]


@pytest_asyncio.fixture(loop_scope="session")
async def follow(browser: Browser, screens: Path) -> AsyncIterator[Follow]:
    """Opens the phone page of a ticket; its clock moves only when the test moves it."""
    contexts = []

    async def opened(view: Any = None, *, script: str = ALERTS, **how: Any) -> Staged:
        context = await browser.new_context(viewport={"width": 390, "height": 844}, locale="zh-CN")
        contexts.append(context)
        await context.add_init_script(script)
        staged = Staged(context, screens, {"hall": hall_document(), "ticket": view or ticket_view()}, **how)
        return await staged.open(f"/t/{TOKEN}", still=True)

    yield opened
    for context in contexts:
        await context.close()


async def says(staged: Staged, *texts: str) -> None:
    for text in texts:
        await staged.page.get_by_text(text).first.wait_for(timeout=30_000)


async def test_ux_p_04_every_state_in_words_and_the_call_over_the_whole_page(follow: Follow) -> None:
    """等待 → 即将到号 (N ≤ 3) → 请到窗口 (full-screen colour, shaken and sounded once touched) → 办理中 → 已完成; 过号; 转窗口."""
    phone = await follow(ticket_view(ahead=4))
    await says(phone, "等候", "您前面还有", "15–25 分钟")
    assert await phone.page.locator(".ahead .n").inner_text() == "4"
    phone.change(ticket=ticket_view(ahead=3))
    await says(phone, "即将到号")
    phone.change(ticket=ticket_view(ahead=0))
    await says(phone, "下一个就是您", "即将到号")

    phone.change(ticket=ticket_view(TicketState.CALLED))
    await says(phone, "请到", "号窗口", "二楼 B 区，进门左前方", "10:32 第 1 次呼叫", "过号请到取号机")
    assert await phone.page.locator(".plate").inner_text() == "3"
    assert await phone.page.evaluate(COLOURS) == [CALL_COLOUR] * 2
    assert await phone.page.title() == "请到 3 号窗口"
    assert await phone.page.evaluate("__alerts") == {"shakes": 0, "tones": 0}, "no browser lets an untouched page"
    await phone.page.locator(".num").click()
    phone.change(ticket=ticket_view(TicketState.CALLED, calls=2))
    await says(phone, "第 2 次呼叫")
    await told(lambda: phone.page.evaluate("__alerts.shakes === 1 && __alerts.tones === 3"), what="its own call")

    phone.change(ticket=ticket_view(TicketState.SERVING))
    await says(phone, "正在办理", "您在 3 号窗口办理")
    assert CALL_COLOUR not in await phone.page.evaluate(COLOURS)
    phone.change(ticket=ticket_view(TicketState.PASSED))
    await says(phone, "已过号", "叫过您，没等到", "过号请到取号机、导办台或原窗口恢复，当天有效")
    stations = [
        Station(matters=[Words(zh="社保卡补领")], window="w5", state=TicketState.DONE),
        Station(matters=[Words(zh="居住证签注")], window="", state=TicketState.WAITING),
    ]
    phone.change(ticket=ticket_view(stations=stations))
    await says(phone, "这个号要办的事")
    assert [" ".join(line.split()) for line in await phone.page.locator(".stops li").all_inner_texts()] == [
        "社保卡补领 已办结",
        "居住证签注 等候",
    ]
    phone.change(ticket=ratable())
    await says(phone, "已办结", "这次办完了")
    assert (
        await phone.page.get_by_role("link", name="评价这次服务").get_attribute("href") == f"/rate/{TOKEN}?lang=zh-CN"
    )


async def test_ux_p_05_news_comes_over_the_line_and_nothing_is_asked_for(follow: Follow) -> None:
    phone = await follow()
    await says(phone, "等候")
    phone.change(ticket=ticket_view(ahead=2))
    await says(phone, "即将到号")
    await phone.live(20)
    await says(phone, "10:32:25 更新")
    assert phone.asked == ["LINE"]


async def test_ux_p_05_without_a_line_the_page_asks_every_ten_seconds(follow: Follow) -> None:
    phone = await follow(ticket_view(ahead=9), lines=False)

    def questions() -> int:
        return phone.asked.count(f"GET /api/v1/halls/yunshui/phone/{TOKEN}")

    await phone.page.clock.run_for(1100)
    await phone.page.locator(".ahead .n", has_text="9").wait_for()
    for turn, ahead in enumerate((8, 7), 1):
        phone.documents["ticket"] = ticket_view(ahead=ahead)
        await phone.page.clock.run_for(8400 if turn == 1 else 9000)
        assert questions() == turn, "not before its ten seconds"
        await phone.page.clock.run_for(1000)
        await phone.page.locator(".ahead .n", has_text=str(ahead)).wait_for()
        assert questions() == turn + 1
    await says(phone, "10:32:00 更新 · 请同时留意大屏和广播")


async def test_ux_p_05_nothing_while_hidden_and_at_once_when_seen_again(follow: Follow) -> None:
    """The page's clock stands still while it is looked at again: whatever it does then took no second."""
    phone = await follow()
    await says(phone, "等候")
    await phone.page.evaluate(BEHIND, True)
    asked, sent = list(phone.asked), list(phone.sent)
    await phone.page.clock.run_for(120_000)
    assert (phone.asked, phone.sent) == (asked, sent), "two minutes in a pocket cost nothing"
    phone.documents["ticket"] = ticket_view(TicketState.CALLED)
    await phone.page.evaluate(BEHIND, False)
    await says(phone, "号窗口")
    assert phone.asked[len(asked)].startswith(("LINE", "GET")), "both: whichever comes first"
    await told(lambda: phone.page.evaluate(f"getComputedStyle(document.body).backgroundColor === '{CALL_COLOUR}'"))


async def test_ux_p_05_a_page_that_is_opened_behind_another_has_its_ticket_and_then_rests(follow: Follow) -> None:
    phone = await follow(script="Object.defineProperty(document, 'hidden', { value: true, configurable: true })")
    await says(phone, "等候")
    asked = list(phone.asked)
    await phone.page.clock.run_for(60_000)
    assert phone.asked == asked
    phone.documents["ticket"] = ticket_view(ahead=1)
    await phone.page.evaluate(BEHIND, False)
    await says(phone, "即将到号")


async def test_ux_p_06_what_cannot_be_undone_is_asked_first_and_done_once(follow: Follow) -> None:
    """我要取消, 稍后再叫 (once, with the hall's own numbers), 需要帮助, 材料清单."""
    phone = await follow()
    phone.answers |= {
        f"POST /phone/{TOKEN}/delay": lambda _: (200, ticket_view(ahead=8, can_delay=False)),
        f"POST /phone/{TOKEN}/help": lambda _: (200, ticket_view(ahead=8, can_delay=False)),
        f"POST /phone/{TOKEN}/cancel": lambda _: (200, ticket_view(TicketState.CANCELLED)),
        "GET /matters": lambda _: (200, {"hits": [{"name": "居住证签注", "materials": ["租房合同（复印件）"]}], "total": 1, "letters": ""}),
    }  # fmt: skip
    key = phone.page.get_by_role("button")
    await key.filter(has_text="材料清单").click()
    await says(phone, "租房合同（复印件）")
    await key.filter(has_text="看好了").click()
    await key.filter(has_text="稍后再叫").click()
    await says(phone, "先叫后面 3 位，再叫您；一个号只能延后 1 次")
    await key.filter(has_text="返回").click()
    assert not phone.bodies, "looking is not doing"
    await key.filter(has_text="稍后再叫").click()
    await key.filter(has_text="好，稍后再叫").dblclick()
    await says(phone, "已经用过一次")
    assert await phone.page.locator(".ahead .n").inner_text() == "8"
    await key.filter(has_text="需要帮助").click()
    await key.filter(has_text="请导办员来").click()
    await says(phone, "已经告诉导办员")
    await key.filter(has_text="我要取消").click()
    await says(phone, "要取消 A017 吗？", "取消以后不能恢复")
    await key.filter(has_text="取消这个号").click()
    await says(phone, "您已经取消了这个号")
    done = [each.rsplit("/", 1)[1] for each in phone.asked if each.startswith("POST")]
    assert done == ["delay", "help", "cancel"], "a double tap is one"


async def test_ux_p_08_a_weak_network_keeps_the_last_state_with_its_time(follow: Follow) -> None:
    """P-08, and the thresholds of X-06: over 3 s, over 10 s, over 60 s."""
    phone = await follow(ticket_view(TicketState.CALLED))
    await says(phone, "10:32:05 更新 · 请同时留意大屏和广播")
    await phone.cut()
    await phone.page.clock.run_for(2000)
    await says(phone, "更新")
    await phone.page.clock.run_for(3000)
    await says(phone, "停在 10:32:05，正在重新连接 · 请留意大屏和广播", "A017")
    assert await phone.page.evaluate(COLOURS) == [CALL_COLOUR] * 2, "a hiccup of the network is no news"
    await phone.page.clock.run_for(7000)
    await phone.page.locator("html.old").wait_for(state="attached")
    assert CALL_COLOUR not in await phone.page.evaluate(COLOURS), "what is old calls nobody"
    await says(phone, "A017", "请到")
    assert await phone.page.locator(".plate").inner_text() == "3"
    await phone.page.clock.run_for(60_000)
    await says(phone, "停在 10:32:05，连接中断 · 请留意大屏和广播，以现场叫号为准", "A017", "请到")
    phone.reachable = True
    phone.at += 72_000
    await phone.page.clock.run_for(1300)
    await says(phone, "10:33:17 更新")
    assert await phone.page.evaluate(COLOURS) == [CALL_COLOUR] * 2
    assert not phone.foreign
