"""A kiosk that speaks, speaks English, and takes a missed ticket back: UX K-01, K-06, K-07, RULES 28, in Chromium."""

from __future__ import annotations

import re

import pytest

from tests.devices.independent_escpos import decode
from tests.e2e.conftest import MakeHall
from tests.e2e.living import LivingHall, told, until
from tests.e2e.pages import Opened, Screens

pytestmark = pytest.mark.browser

TOO_SMALL = """() => {
  const faults = []
  const keys = [...document.querySelectorAll('button')].map((key) => ({ key, box: key.getBoundingClientRect() }))
  const name = (key) => key.textContent || key.getAttribute('aria-label')
  for (const { key, box } of keys) {
    if (box.width < 95.9 || box.height < 95.9) faults.push(`${name(key)}: ${box.width}x${box.height}`)
    if (box.left < 24 || box.right > innerWidth - 24 || box.bottom > innerHeight - 24) faults.push(`${name(key)}: bezel`)
    for (const other of keys) {
      const across = Math.max(other.box.left - box.right, box.left - other.box.right)
      const down = Math.max(other.box.top - box.bottom, box.top - other.box.bottom)
      if (other.key !== key && Math.max(across, down) < 15.9) faults.push(`${name(key)}: near ${name(other.key)}`)
    }
  }
  return faults
}"""
"""UX K-04: what is smaller than 96 px, nearer than 16 px to another, or within 24 px of the panel's edge."""


async def _heard(kiosk: Opened, sentence: str) -> bool:
    """Whether the sound of this sentence was played to its end."""
    return any(sentence in sound["src"] and sound["ended"] and not sound["failed"] for sound in await kiosk.sounds())


async def _finds_an_identity_card_both_ways(kiosk: Opened) -> None:
    """UX 1, K-04: spelled out and by initials, with keys of a finger's size on every shape of panel and in every mode."""
    page = kiosk.page
    for keys in ("SHENFENZHENG", "SFZ"):
        for letter in keys:
            await page.get_by_role("button", name=letter, exact=True).click()
        await page.get_by_label(f"已输入 {' '.join(keys)}").wait_for()
        await page.locator(".hit", has_text="身份证").first.wait_for()
        if keys != "SFZ":
            await page.get_by_role("button", name="全部清除").click()
    for width, height in ((1080, 1920), (1920, 1080)):
        await page.set_viewport_size({"width": width, "height": height})
        for mode, off in (("低位模式", "恢复高度"), ("大字版", "普通版")):
            if width < height or mode != "低位模式":
                assert await page.evaluate(TOO_SMALL) == [], (width, "as it is")
                await page.get_by_role("button", name=mode).click()
                await page.get_by_role("button", name=off).wait_for()
                assert await page.evaluate(TOO_SMALL) == [], (width, mode)
                await page.get_by_role("button", name=off).click()
    await page.set_viewport_size({"width": 1080, "height": 1920})


async def test_ux_k_06_the_kiosk_guides_by_voice_until_the_session_ends(make_hall: MakeHall, pages: Screens) -> None:
    """UX K-01, K-06, K-07: one tap on a frequent matter, and its number is said with the people ahead; no claim is made."""
    async with make_hall(["15"]) as hall, hall.clerk("1015", "15"):
        kiosk = await pages.paired(hall, "kiosk", "kiosk-1")
        page = kiosk.page
        assert await kiosk.sounds() == [], "silent until somebody asks"
        await page.get_by_role("button", name="语音导览").click()
        await told(lambda: _heard(kiosk, "home-zh"), what="the page's sentence")
        await page.get_by_role("button", name="找别的事").click()
        await told(lambda: _heard(kiosk, "search-zh"), what="the next page's sentence")
        await _finds_an_identity_card_both_ways(kiosk)
        await page.get_by_role("button", name="返回首页").click()
        await page.get_by_role("button", name="English").click()
        await told(lambda: _heard(kiosk, "home-en"), what="the sentence in English")
        await page.get_by_role("button", name="Voice off").wait_for()
        await page.get_by_role("button", name="中文").click()
        # One tap: the hall's most wanted matter has a tile of its own.
        await page.locator(".tile", has_text="不动产登记资料查询").click()
        number = (await page.locator(".res .num").inner_text()).strip()
        await told(lambda: _heard(kiosk, f"photo-zh-{number}-0"), what="the number")
        await page.wait_for_timeout(2100)
        await page.get_by_role("button", name="完成").click()
        again = page.get_by_role("button", name="语音导览")
        await again.wait_for()
        assert await again.get_attribute("aria-pressed") == "false"
        played = len(await kiosk.sounds())
        await page.wait_for_timeout(1500)
        assert len(await kiosk.sounds()) == played, "nobody is spoken to who did not ask"
        assert hall.rows("select count(*) from claims where kind = 'speech'") == [(0,)]


async def test_ux_k_06_a_kiosk_without_a_voice_says_so(make_hall: MakeHall, pages: Screens) -> None:
    """UX K-06, the issue: "a display without voice says so"; a pack of calls alone is none for kiosks."""
    living = make_hall(["6"])
    manifest = living.folder / "voice" / "voice.toml"
    kept = [line for line in manifest.read_text("utf-8").splitlines() if '"guide:still"' not in line]
    manifest.write_text("\n".join(kept) + "\n", "utf-8")
    async with living as hall:
        kiosk = await pages.paired(hall, "kiosk", "kiosk-1")
        key = kiosk.page.get_by_role("button", name="本机无语音")
        assert await key.get_attribute("aria-disabled") == "true"
        await key.click(force=True)
        await kiosk.page.wait_for_timeout(300)
        assert await kiosk.sounds() == []


async def test_ux_0_a_reader_of_english_finds_a_matter_by_its_english_name(make_hall: MakeHall, pages: Screens) -> None:
    """UX 0, K-02: letters of an English word, from the pad; the names say that they are no official translation."""
    async with make_hall(["20"]) as hall, hall.clerk("1020", "20"):
        kiosk = await pages.paired(hall, "kiosk", "kiosk-1")
        page = kiosk.page
        await page.get_by_role("button", name="English").click()
        await page.get_by_text("for guidance only").wait_for()
        await page.get_by_role("button", name="Search").click()
        for letter in "PASSP":
            await page.get_by_role("button", name=letter, exact=True).click()
        hit = page.locator(".hit", has_text="Ordinary passport")
        await hit.wait_for()
        assert "普通护照签发" in await hit.inner_text(), "the Chinese name, to show it to somebody"
        await hit.locator(".take").click()
        await page.locator(".res .num").wait_for()
        await page.get_by_text("Ordinary passport").wait_for()


async def _missed(hall: LivingHall, number: str, clerk: object) -> None:
    await hall.post("windows/6/call-next", session=clerk)
    await hall.post("windows/6/no-show", {"reason": "没来"}, session=clerk)
    assert hall.rows("select state from tickets where number = ?", number)[0][0] in ("passed", "void")


async def test_rules_28_a_missed_ticket_comes_back_at_the_kiosk(make_hall: MakeHall, pages: Screens) -> None:
    """RULES 27, 28: scanned, then typed from the printed slip; the last time the kiosk says why not."""
    options = {"no_show": "same-window", "no_show_void_after": 3}
    async with make_hall(["6"], **options) as hall, hall.clerk("1006", "6") as clerk:
        await hall.start_agent()
        kiosk = await pages.paired(hall, "kiosk", "kiosk-1")
        page, token = kiosk.page, await hall.pair("kiosk", "kiosk-1")
        matter = (await hall.matters("social", token, 1))[0]
        taken = await hall.take(matter, token, paper=True)
        number = taken["ticket"]["number"]
        await until(lambda: len(hall.printer.tickets()) == 1, what="the slip")
        slip = decode(hall.printer.tickets()[0]).text.replace("\n", "")
        code = re.search(r"核对码 ?(\d{4})", slip)
        assert code is not None, slip

        await _missed(hall, number, clerk)
        await kiosk.scan(taken["url"])
        await page.get_by_text("您的号恢复了").wait_for()
        assert (await page.locator(".res .num").inner_text()).strip() == number, "the same number"
        await page.wait_for_timeout(2100)
        await page.get_by_role("button", name="完成").click()

        await _missed(hall, number, clerk)
        await _type(kiosk, number, code[1])
        await page.get_by_text("您的号恢复了").wait_for()
        await page.wait_for_timeout(2100)
        await page.get_by_role("button", name="完成").click()
        assert hall.rows("select count(*) from tickets") == [(1,)]

        await _type(kiosk, number, code[1])
        await page.get_by_text("正在排队").wait_for()
        await page.wait_for_timeout(2100)
        await page.get_by_role("button", name="返回首页").click()
        await _missed(hall, number, clerk)
        await _type(kiosk, number, code[1])
        await page.get_by_text("已经作废").wait_for()


async def _type(kiosk: Opened, number: str, code: str) -> None:
    """The figures of the number and of the code, at the page's own pad."""
    page = kiosk.page
    await page.wait_for_timeout(800)
    await page.get_by_role("button", name="我有号票").click()
    for figure in number.lstrip("ABCDEFGHJKLMNPRSTUVWXY"):
        await page.get_by_role("button", name=figure, exact=True).click()
    await page.get_by_role("button", name="下一步").click()
    for figure in code:
        await page.get_by_role("button", name=figure, exact=True).click()
    await page.get_by_role("button", name="恢复排队").click()
