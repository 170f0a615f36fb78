"""What a clerk and a manager do by the page itself: passing tickets on, a long day, windows, the hall's file, a ticket's life."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.e2e.living import Desks, LivingHall, told, until
from tests.e2e.pages import Opened, Screens

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

Hall = tuple[LivingHall, Desks]
WAIT_MS = 30_000
CALLS = 2000


def _last(hall: LivingHall, kind: str) -> dict[str, Any]:
    """The newest event of a kind, {} before the first."""
    found = hall.rows("select data from journal where kind = ? order by seq desc limit 1", kind)
    return dict(json.loads(found[0][0])) if found else {}


async def _nobody_waits(hall: LivingHall, desks: Desks) -> None:
    """Whoever other tests left in the house goes home."""
    await desks.clear()
    for (name,) in hall.rows("select id from tickets where state in ('waiting', 'called', 'passed', 'parked')"):
        await hall.post(f"tickets/{name}/cancel")


# --- passing on ---


async def _pass_on(console: Opened, tab: str, choose: str) -> str:
    """F7, a tab and a target; the sentence that stands before anything is done."""
    page = console.page
    await page.locator("button:not([aria-disabled])").filter(has_text="转移").wait_for(timeout=WAIT_MS)
    await page.keyboard.press("F7")
    dialog = page.get_by_role("dialog")
    await dialog.get_by_role("button", name=tab, exact=True).click()
    await dialog.locator(choose).first.click()
    sentence = dialog.locator(".outcome strong")
    await sentence.wait_for(timeout=WAIT_MS)
    return await sentence.inner_text()


async def test_ux_c12_a_clerk_passes_a_ticket_on_in_four_ways_and_sees_who_is_ahead_first(
    pages: Screens, busy_hall: Hall
) -> None:
    """A matter, a domain, a window, a colleague: each is called by whom it was meant for, with its place kept."""
    hall, desks = busy_hall
    await _nobody_waits(hall, desks)
    await hall.hire("4401", "clerk")
    await hall.hire("4402", "clerk")
    console = await pages.staff(hall, "/console", "4401", "15")
    await console.page.get_by_role("button", name="呼叫下一位").first.wait_for(timeout=WAIT_MS)
    await desks.tickets(4)
    ways = (
        ("转到事项", ".hits li:has-text('不动产')", "16", {}),
        ("转到领域", ".cell:has-text('公积金')", "18", {"domain": "fund"}),
        ("转到窗口", ".cell:has(b:text-is('17'))", "17", {}),
        ("转给同事", ".cell:has-text('1016')", "16", {"staff": "1016", "staff_name": "工号1016"}),
    )
    for tab, choose, window, meant in ways:
        await hall.post("windows/15/call-next")
        before = _last(hall, "TicketTransferred")
        assert re.match(r"前面还有 \d+ 人|下一个就叫到", await _pass_on(console, tab, choose)), tab
        assert _last(hall, "TicketTransferred") == before, "shown before it is done"
        if tab == "转给同事":
            dialog = console.page.get_by_role("dialog")
            await dialog.locator(".cell:has-text('4402')").click()
            await dialog.get_by_text("工号 4402 现在不在任何窗口").wait_for(timeout=WAIT_MS)
            assert await dialog.locator("button[type=submit]").get_attribute("aria-disabled") == "true"
            await dialog.locator(choose).click()
            await dialog.locator(".outcome strong:not(.bad)").wait_for(timeout=WAIT_MS)
        held = _last(hall, "TicketCalled")
        await console.page.get_by_role("dialog").locator("input").last.fill("请接着办")
        await console.page.get_by_role("dialog").locator("button[type=submit]").click()
        await console.page.get_by_role("dialog").wait_for(state="hidden", timeout=WAIT_MS)
        moved = _last(hall, "TicketTransferred")
        assert moved["ticket"] == held["ticket"], tab
        assert {name: moved[name] for name in meant} == meant, tab
        assert await desks.call(window) == held["number"], tab
        desk = await desks.press(window, "arrive")
        assert desk["passed_on"].startswith("sealed:"), "the note has arrived"
        if tab != "转给同事":
            await desks.press(window, "finish")
    await desks.press("16", "transfer", {"window": "15", "reason": "复印件已收"})
    await hall.post("windows/15/call-next")
    await console.page.locator(".card .note", has_text="转来说明").get_by_text("复印件已收").wait_for(timeout=WAIT_MS)
    await desks.back("15")


# --- eight hours at a desk ---

WATCH = """
(() => {
  window.__stolen = []; window.__tones = 0;
  for (const [owner, name] of [[window, 'focus'], [HTMLElement.prototype, 'focus'], [window, 'open'], [window, 'alert']]) {
    const own = owner[name];
    owner[name] = function (...given) { window.__stolen.push(name); return own.apply(this, given) };
  }
  window.AudioContext = class extends AudioContext { constructor(...given) { super(...given); window.__tones += 1 } };
  window.WebSocket = class extends WebSocket { constructor(...given) { super(...given); window.__line = this } };
})();
"""


async def test_ux_c09_tickets_arrive_without_a_sound_and_without_the_focus(pages: Screens, busy_hall: Hall) -> None:
    """The clerk types elsewhere: the desk counts up, and takes nothing; the tone is off until somebody turns it on."""
    hall, desks = busy_hall
    await hall.hire("4403", "clerk")
    opened = await pages.staff(hall, "/login", "4403", "17")
    page = opened.page
    await page.add_init_script(WATCH)
    await page.goto(f"{hall.server.url}/console")
    await page.get_by_role("button", name="呼叫下一位").first.wait_for(timeout=WAIT_MS)
    await _nobody_waits(hall, desks)
    await page.get_by_text("没有人在等").first.wait_for(timeout=WAIT_MS)
    elsewhere = await page.context.new_page()
    await elsewhere.set_content("<input id=case>")
    await elsewhere.focus("#case")
    look = "[document.hasFocus(), document.activeElement.outerHTML.slice(0, 80)]"
    before, _ = await page.evaluate(look), await page.evaluate("window.__stolen.length = 0")
    for key in "11010":
        await elsewhere.keyboard.press(key)
        await desks.tickets(1)
    await page.get_by_text("5 人在等").first.wait_for(timeout=WAIT_MS)
    assert await page.evaluate(look) == before
    assert await elsewhere.evaluate("[document.activeElement.id, document.activeElement.value]") == ["case", "11010"]
    assert await page.evaluate("[window.__stolen, window.__tones]") == [[], 0]
    await elsewhere.close()
    await desks.back("17")


# One key a citizen (UX C-01): the next call ends the service before it.
DAY = """
async ([documents, version, calls]) => {
  const hands = new MessageChannel(), turn = () => new Promise((next) => { hands.port1.onmessage = next; hands.port2.postMessage(0) });
  // What is shown follows in a microtask, so each state is rendered; the page's other work has its turn now and then.
  const soon = async () => { for (let n = 0; n < 5; n += 1) await null };
  const { desk, window: here } = documents;
  let seq = version.seq + 1_000_000;
  const say = (window_, desk_) => {
    const documents_ = { window: { ...here, ...window_ }, desk: { ...desk, ...desk_ } }, at = { ...version, seq: ++seq };
    const change = { type: 'change', view: 'console', of: here.id, version: at, documents: documents_ };
    window.__line.dispatchEvent(new MessageEvent('message', { data: JSON.stringify(change) }));
  };
  for (let n = 1; n <= calls; n += 1) {
    const number = `D${String(n % 1000).padStart(3, '0')}`, ticket = { ...desk.ticket, id: `t${n}`, number };
    say({ state: 'called', number }, { ticket, started_at: null });
    await soon();
    if (n % 50 === 0 && !document.querySelector('.card').textContent.includes(number)) return false;
    say({ state: 'serving', number }, { ticket: { ...ticket, state: 'serving' }, started_at: here.since });
    await (n % 50 === 0 ? turn() : soon());
  }
  say({ state: 'idle', number: '', served: calls }, { ticket: null, started_at: null });
  await turn();
  return document.body.textContent.includes(`${calls} 件`);
}
"""


async def _heap(opened: Opened) -> int:
    """Bytes that the page's script still holds after a full collection."""
    line = await opened.page.context.new_cdp_session(opened.page)
    for _ in range(2):
        await line.send("HeapProfiler.collectGarbage")
    used = (await line.send("Runtime.getHeapUsage"))["usedSize"]
    await line.detach()
    return int(used)


SPILLS = """
() => [...document.querySelectorAll('#app *')].filter((each) => {
  const box = each.getBoundingClientRect();
  return box.width > 0 && box.height > 0 && (box.right > innerWidth + 1 || box.left < -1);
}).map((each) => each.className || each.tagName)
"""


async def test_ux_c14_eight_hours_at_a_desk(pages: Screens, busy_hall: Hall) -> None:
    """No bright page, no motion, nothing over the edge at 100, 125 and 150 %; 2000 calls leave less than 10 MB."""
    hall, desks = busy_hall
    await hall.hire("4404", "clerk")
    await desks.tickets(1)
    await desks.call("16")
    console = await pages.staff(hall, "/login", "4404", "16")
    page = console.page
    await page.add_init_script(WATCH)
    await page.goto(f"{hall.server.url}/console")
    await page.get_by_text("已叫").first.wait_for(timeout=WAIT_MS)
    for width, height in ((1366, 768), (1093, 614), (911, 512)):
        await page.set_viewport_size({"width": width, "height": height})
        assert await page.evaluate(SPILLS) == [], f"at {width} px"
    ground = await page.evaluate(
        "[document.documentElement, document.body, document.querySelector('#app').firstElementChild].map("
        "(each) => getComputedStyle(each).backgroundColor)"
    )
    shown = [
        [int(part) for part in re.findall(r"\d+", colour)[:3]] for colour in ground if colour != "rgba(0, 0, 0, 0)"
    ]
    assert shown
    assert all(part <= most for colour in shown for part, most in zip(colour, (0xF3, 0xF5, 0xF7), strict=True)), ground
    await until(lambda: any(frame["type"] == "snapshot" for frame in console.frames), what="a snapshot")
    [snapshot, *_] = console.heard("snapshot")
    # The test's own log of what the page said would be what grows.
    await page.evaluate("Object.defineProperty(document.body, 'innerText', { get: () => '' })")
    given = [snapshot["documents"], snapshot["version"]]
    await page.evaluate(DAY, [*given, 100])
    before = await _heap(console)
    given[1]["seq"] += 1_000_000
    assert await page.evaluate(DAY, [*given, CALLS]), "the last of them is what stands there"
    grown = await _heap(console) - before
    assert grown < 10_000_000, f"{grown / 1e6:.1f} MB"
    moving = "document.getAnimations().filter((each) => each.playState === 'running').length"
    await page.set_viewport_size({"width": 1366, "height": 768})
    assert await page.evaluate(moving) == 0
    await desks.back("16")


# --- the manager ---


async def test_ux_m_08_a_manager_opens_and_closes_a_window_by_the_page(pages: Screens, busy_hall: Hall) -> None:
    """Each asks once more before it is done, and the journal names the manager."""
    hall, _ = busy_hall
    await hall.hire("4405", "manager")
    manager = await pages.staff(hall, "/manager", "4405")
    page = manager.page
    for verb, done, kind in (("开窗", "12 号窗口已打开", "WindowOpened"), ("关窗", "12 号窗口已关闭", "WindowClosed")):
        await page.locator(".wins button").filter(has=page.locator("b", has_text=re.compile("^12$"))).click()
        await page.get_by_role("dialog").get_by_role("button", name=verb).click()
        asked = page.get_by_role("dialog").filter(has_text="12 号窗口").last
        await asked.get_by_role("button", name=verb, exact=True).last.click()
        await page.get_by_text(done).wait_for(timeout=WAIT_MS)
        assert _last(hall, kind)["window"] == "12"
        assert hall.rows("select actor from journal where kind = ? order by seq desc limit 1", kind) == [
            ("staff:4405",)
        ]


async def test_ux_s_05_a_manager_applies_a_file_and_takes_it_back_by_the_page(pages: Screens, busy_hall: Hall) -> None:
    """Uploaded, checked with its effects, in force at once; and back in one step to what was before."""
    hall, _ = busy_hall
    await hall.hire("4406", "manager")
    manager = await pages.staff(hall, "/manager#configuration", "4406")
    page = manager.page
    text = page.locator("#toml")

    async def file() -> str:
        return str(await text.input_value())

    before = await told(file, what="the file in force")
    changed = re.sub(r"(?m)^hall.name = .*$", r"\g<0>\npolicy.pause_alarm_min = 17", before, count=1)
    await page.locator("input[type=file]").set_input_files(
        {"name": "hall.toml", "mimeType": "application/toml", "buffer": changed.encode()}
    )
    await page.locator(".diff .plus").filter(has_text="pause_alarm_min = 17").wait_for(timeout=WAIT_MS)
    for key, asked, done in (("现在生效", "现在生效", "版已生效"), ("退回上一版", "退回上一版", "已退回，现在是第")):
        await page.get_by_role("button", name=key, exact=True).click()
        await page.get_by_role("dialog").get_by_role("button", name=asked, exact=True).click()
        await page.get_by_text(done).wait_for(timeout=WAIT_MS)
        in_force = _last(hall, "ConfigurationApplied")["configuration"]["policy"]["pause_alarm_min"]
        assert in_force == (17 if key == "现在生效" else 15)

        async def shown(own: bool = key == "现在生效") -> bool:
            text = await file()
            return ("policy.pause_alarm_min = 17" in text) if own else text == before

        await told(shown, what="the file in force on the page")


async def test_ux_m_03_a_manager_reads_a_tickets_whole_life_by_the_page(pages: Screens, busy_hall: Hall) -> None:
    """Found by its number: issued, called and why, passed on and to whom, served, each with its time and who did it."""
    hall, desks = busy_hall
    [number] = await desks.tickets(1)
    await hall.post("windows/19/call", {"number": number, "reason": "returned"})
    await desks.press("19", "transfer", {"staff": "1018", "reason": "follow-up"})
    await hall.post("windows/18/call", {"number": number, "reason": "returned"})
    await desks.press("18", "arrive")
    await desks.press("18", "finish")
    await hall.hire("4407", "manager")
    manager = await pages.staff(hall, "/manager#tickets", "4407")
    await manager.page.get_by_label("号码").fill(number)
    await manager.page.get_by_role("button", name="查找").click()
    lines = manager.page.locator(".life .events tbody tr")
    await lines.first.wait_for(timeout=WAIT_MS)
    story = [text.split("\t") for text in await lines.all_inner_texts()]
    told_ = " / ".join(line[1] for line in story)
    for part in ("取号", "19 号窗口", "转到 工号1018（1018）：", "18 号窗口", "办结"):
        assert part in told_, told_
        told_ = told_.split(part, 1)[1]
    assert all(re.fullmatch(r"\d\d:\d\d:\d\d", line[0]) for line in story)
    assert "工号1018（1018）" in {line[2] for line in story}
    assert [int(line[3]) for line in story] == sorted(int(line[3]) for line in story)
