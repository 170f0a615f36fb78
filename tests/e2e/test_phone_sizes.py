"""UX P-07 by measure: every text and every key of the phone's and the rating page, in both sizes and both languages."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any, Final

import pytest
from msgspec import structs
from playwright.async_api import Browser

from queue_server.wire.common import TicketState, Words
from queue_server.wire.documents import Station, TicketView
from tests.e2e.staged import TOKEN, Staged, hall_document, ratable, ticket_view

pytestmark = pytest.mark.browser

PHONES: Final = ((390, 844), (360, 640))
LEAST_TEXT, ELDER_LEAST, ELDER_MOST = 18, 24, 30
"""px: base text, and what is read in the elder version; what is larger than 24 in the ordinary one is a number or a heading."""
LEAST_KEY, ELDER_KEY = 44, 60

MEASURE = """
async () => {
  const root = document.documentElement
  const name = (element) => {
    const steps = []
    for (let at = element; at.parentElement && at.id !== 'app'; at = at.parentElement) {
      steps.unshift(`${at.tagName.toLowerCase()}.${at.getAttribute('class') || ''}[${[...at.parentElement.children].indexOf(at)}]`)
    }
    return steps.join(' > ')
  }
  const measure = () => {
    const texts = {}, keys = [], wide = []
    for (const element of document.querySelectorAll('#app *')) {
      const box = element.getBoundingClientRect()
      if (box.width === 0 || box.height === 0 || getComputedStyle(element).visibility === 'hidden') continue
      if (box.left < -1 || box.right > innerWidth + 1) wide.push(name(element))
      const size = Math.round(parseFloat(getComputedStyle(element).fontSize) * 100) / 100
      const said = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim() !== '')
      const text = element.textContent.trim().slice(0, 20)
      if (said || element.tagName === 'TEXTAREA') texts[name(element)] = { size, said: text, drawn: element instanceof SVGElement }
      if (!element.matches('button, a, textarea, input, [role=button]')) continue
      keys.push({ left: box.left, right: box.right, top: box.top, bottom: box.bottom, said: text, heading: !!element.closest('header') })
    }
    return { texts, keys, wide, scrolls: root.scrollWidth > innerWidth }
  }
  const found = {}
  for (const language of ['zh', 'en']) {
    found[language] = ['remove', 'add'].map((how) => {
      root.classList[how]('elder')
      return measure()
    })
    root.classList.remove('elder')
    document.querySelector('header .lang').click()  // whatever lies over it: a finger would close that first
    for (let turn = 0; turn < 5; turn += 1) await Promise.resolve()
  }
  return found
}
"""

MATTERS = [Words(zh="社会保障卡补领、换领、换发", en="Replacing a social security card"), Words(zh="老年优待证")]


def hits(_: dict[str, Any]) -> tuple[int, Any]:
    """The materials of the ticket's matter."""
    return 200, {
        "hits": [{"name": "居住证签注", "materials": ["身份证（原件）", "租房合同（复印件）"]}],
        "total": 1,
        "letters": "",
    }


PHONE: Final[dict[str, tuple[TicketView, tuple[str, ...]]]] = {
    "waiting": (ticket_view(), ()),
    "materials": (ticket_view(), ("材料清单",)),
    "cancel": (ticket_view(), ("我要取消",)),
    "later": (ticket_view(), ("稍后再叫",)),
    "near": (ticket_view(ahead=2, wait_low_s=120, wait_high_s=280), ()),
    "next": (ticket_view(ahead=0, can_delay=False), ()),
    "many": (ticket_view(ahead=23, wait_low_s=1200, wait_high_s=5400), ()),
    "called": (ticket_view(TicketState.CALLED), ()),
    "far": (ticket_view(TicketState.CALLED, plate="A12", calls=3), ()),
    "serving": (ticket_view(TicketState.SERVING), ()),
    "parked": (ticket_view(TicketState.PARKED), ()),
    "passed": (ticket_view(TicketState.PASSED), ()),
    "done": (ratable(), ()),
    "rated": (ratable(rate_service="", rating="r1"), ()),
    "cancelled": (ticket_view(TicketState.CANCELLED), ()),
    "void": (ticket_view(TicketState.VOID), ()),
    "uncalled": (ticket_view(TicketState.UNCALLED), ()),
    "stops": (
        ticket_view(
            stations=[
                Station(matters=MATTERS[:1], window="w5", state=TicketState.DONE),
                Station(matters=MATTERS, window="", state=TicketState.WAITING),
            ],
            rate_service="s1", rate_plate="5",
        ), ()),
}  # fmt: skip
RATE: Final[dict[str, tuple[TicketView, tuple[str, ...]]]] = {
    "open": (ratable(), ()),
    "good": (ratable(), ("非常满意",)),
    "bad": (ratable(), ("非常不满意", "提交评价")),
    "thanks": (ratable(), ("非常满意", "提交评价")),
    "left": (ratable(), ("不评了",)),
    "already": (ratable(rate_service="", rating="r1"), ()),
    "not yet": (ticket_view(), ()),
    "gone": (ratable(rate_service=""), ()),
}


def judge(ordinary: dict[str, Any], elder: dict[str, Any]) -> list[str]:
    """What is wrong with one page, measured twice; the two are the same but for their size."""
    assert ordinary["texts"], "nothing is written on it"
    assert ordinary["keys"], "nothing can be pressed on it"
    assert elder["texts"].keys() == ordinary["texts"].keys()
    faults = []
    for name, text in ordinary["texts"].items():
        said, size, large = text["said"], text["size"], elder["texts"][name]["size"]
        if text["drawn"]:
            faults.append(f"{said}: text in a drawing is as large as the drawing, not as it says")
        if size < LEAST_TEXT:
            faults.append(f"{said}: {size} px")
        if size <= ELDER_LEAST and not ELDER_LEAST <= large <= ELDER_MOST:
            faults.append(f"{said}: {large} px for elders")
        if size > ELDER_LEAST and large <= size:
            faults.append(f"{said}: {size} px, and no larger for elders")
    for mode, least in ((ordinary, LEAST_KEY), (elder, ELDER_KEY)):
        for key in mode["keys"]:
            wide, high = key["right"] - key["left"], key["bottom"] - key["top"]
            if min(wide, high) < least - 0.01:
                faults.append(f"key {key['said']}: {wide:.1f} × {high:.1f}, not {least}")
        if mode["wide"] or mode["scrolls"]:
            faults.append(f"over the edge: {mode['wide']}")
    for one, other in itertools.combinations([key for key in elder["keys"] if not key["heading"]], 2):
        apart = one["right"] <= other["left"] or other["right"] <= one["left"]
        if apart and one["top"] < other["bottom"] and other["top"] < one["bottom"]:
            faults.append(f"{one['said']} beside {other['said']}: elders have one column")
    return faults


async def measured(staged: Staged, name: str) -> list[str]:
    """What is wrong with the page as it stands, on each phone and in each language."""
    faults = []
    for wide, high in PHONES:
        await staged.page.set_viewport_size({"width": wide, "height": high})
        for language, pair in (await staged.page.evaluate(MEASURE)).items():
            faults += [f"{name}, {language}, {wide}×{high}: {fault}" for fault in judge(*pair)]
    return faults


async def test_ux_p_07_every_text_and_key_of_the_phone_page(browser: Browser, screens: Path) -> None:
    """UX P-07: base text ≥ 18 px; 长辈版 24 to 30 px, keys ≥ 60 px, one column; in every state, and nothing over the edge."""
    context = await browser.new_context(locale="zh-CN")
    staged = Staged(context, screens, {"hall": hall_document(), "ticket": ticket_view()})
    staged.answers["GET /matters"] = hits
    await staged.open(f"/t/{TOKEN}", still=True)
    faults = []
    for at, (name, (view, steps)) in enumerate(PHONE.items()):
        number = f"A{at:03}"
        staged.change(ticket=structs.replace(view, ticket=structs.replace(view.ticket, number=number)))
        await staged.page.locator(".num", has_text=number).wait_for()
        for step in steps:
            await staged.page.get_by_role("button", name=step).click()
            await staged.page.locator(".sheet li, .sheet p:not(:has-text('正在查'))").first.wait_for()
        faults += await measured(staged, name)
        if steps:
            await staged.page.keyboard.press("Escape")
    await staged.cut()
    for seconds in (5, 20, 60):
        await staged.page.clock.run_for(seconds * 1000)
        faults += await measured(staged, f"cut off for {seconds} s more")
    await context.close()
    assert not faults, "\n".join(faults)


async def test_ux_p_07_every_text_and_key_of_the_rating_page(browser: Browser, screens: Path) -> None:
    """UX P-07 as above, from the five levels to the thanks."""
    context = await browser.new_context(locale="zh-CN")
    staged = Staged(context, screens, {})
    staged.answers["POST /ratings"] = lambda _: (200, {"service": "s1", "stored": True})
    faults = []
    for name, (view, steps) in RATE.items():
        staged.documents["ticket"] = view
        await (staged.page.reload() if staged.asked else staged.open(f"/rate/{TOKEN}"))
        await staged.page.locator(".levels, section[role=status]:not(:has-text('正在打开'))").first.wait_for()
        for step in steps:
            await staged.page.get_by_role("button", name=step, exact=True).click()
        if name == "thanks":
            await staged.page.get_by_text("谢谢").wait_for()
        faults += await measured(staged, name)
    await context.close()
    assert not faults, "\n".join(faults)
