"""UX P-10 and RULES 1.5 on the built rating page: five equal levels, the tags of the level chosen, one rating, sent once."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest
from playwright.async_api import Browser

from tests.e2e.staged import TOKEN, Staged, ratable

pytestmark = pytest.mark.browser

TAGS: Final = {
    "非常满意": "510 一窗受理一次办结; 511 可以先受理后补材料; 512 不用提交证明; 513 可以全程网上办理; 514 可以使用手机办理; "
    "515 可以就近办理; 516 无需材料直接办理; 517 服务热情效率高",
    "满意": "406 填写一张表单就可完成申报; 407 在线提交材料窗口核验; 408 一张清单告知全部申报材料; 409 用告知承诺减免申报材料; "
    "410 可以在线预约办理; 411 跑大厅一次办完; 412 可以使用自助机办理; 413 服务态度较好",
    "基本满意": "307 一次性告知需要补正的材料; 308 提供申报材料样本; 309 在承诺的时间内办结; 310 办事指南指引准确; "
    "311 按办事指南要求的材料即可办理; 312 可以快递送达; 313 跑动次数与承诺的一致; 314 服务态度一般",
    "不满意": "207 没有提供材料样本; 208 没有提供材料清单; 209 未在承诺时间内办结; 210 同样内容的证明材料被要求多次提交; "
    "211 承诺网办但无法在线办理; 212 在线预约办理后到实体大厅重复取号排队; 213 窗口人员业务不熟练; 214 服务态度生硬",
    "非常不满意": "108 在办事指南之外增加新的审批条件; 109 需提供办事指南之外的申报材料; 110 无理由超过法定办理时间; "
    "111 办事指南提供样本有错; 112 承诺在线收取申报材料实际无法收取; 113 多头跑窗口和部门; "
    "114 跑动次数与承诺的不一致; 115 服务态度差效率低",
}
"""RULES 1.5, as the national page has it: none may be added or left out."""

LEVELS: Final = {"非常满意": 5, "满意": 4, "基本满意": 3, "不满意": 2, "非常不满意": 1}


def texts(level: str) -> list[str]:
    return [each.split(" ", 1)[1] for each in TAGS[level].split("; ")]


def codes(level: str) -> list[str]:
    return [each.split(" ", 1)[0] for each in TAGS[level].split("; ")]


async def opened(browser: Browser, screens: Path, **answers: Any) -> Staged:
    context = await browser.new_context(viewport={"width": 390, "height": 844}, locale="zh-CN")
    page = Staged(context, screens, {"ticket": ratable()}, answers=answers)
    await page.open(f"/rate/{TOKEN}")
    await page.page.locator(".levels").wait_for(timeout=30_000)
    return page


async def test_rules_1_5_each_level_has_its_own_tags_and_a_bad_one_needs_a_reason(
    browser: Browser, screens: Path
) -> None:
    """UX P-10: five levels of one size and weight, none chosen; RULES 45: 1 and 2 with a tag or a line, others at once."""
    page = await opened(browser, screens)
    keys = page.page.locator(".levels button")
    assert [text.strip() for text in await keys.all_inner_texts()] == list(LEVELS)
    looks = await keys.evaluate_all(
        "(keys) => keys.map((key) => { const box = key.getBoundingClientRect(), style = getComputedStyle(key);"
        " return [box.width, box.height, style.color, style.backgroundColor, style.fontSize, style.fontWeight, key.ariaPressed].join() })"
    )
    assert len(set(looks)) == 1, looks
    assert looks[0].endswith("false"), "no default"
    sent = page.bodies
    busy = {"code": "busy", "status": 503, "title": "忙", "title_en": "busy", "field": "", "type": "", "detail": ""}
    page.answers["POST /ratings"] = lambda _: (503, busy)
    for level, value in LEVELS.items():
        await page.page.locator(".levels").get_by_role("button", name=level, exact=True).click()
        tags = page.page.locator(".tags button")
        assert [text.strip() for text in await tags.all_inner_texts()] == texts(level)
        send = page.page.get_by_role("button", name="提交评价")
        if value <= 2:
            await send.click()
            await page.page.get_by_text("请选一项原因，或写一句").last.wait_for()
            assert value not in [body["level"] for body in sent]
            await tags.nth(1).click()
            await tags.nth(5).click()
        await send.click()
        await page.page.get_by_role("alert").wait_for()
        expected = codes(level)[1:6:4] if value <= 2 else []
        assert (sent[-1]["level"], sent[-1]["tags"], sent[-1]["token"]) == (value, expected, TOKEN)
        await page.page.get_by_role("button", name="重新选").click()
    assert [body["level"] for body in sent] == [5, 4, 3, 2, 1]
    await page.context.close()
