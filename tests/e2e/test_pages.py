"""What holds for every page: nothing leaves the origin, nobody is named, axe finds nothing, bare letters do nothing."""

from __future__ import annotations

import random
import re
import string
from typing import Any

import pytest
from msgspec import structs

from queue_server.app import hallfile
from tests.e2e.living import Desks, LivingHall
from tests.e2e.pages import Opened, Screens
from tests.hall_process import ROOT

pytestmark = pytest.mark.browser

Hall = tuple[LivingHall, Desks]
AXE = ROOT / "displays" / "web" / "node_modules" / "axe-core" / "axe.min.js"
NAME, PHONE, CARD = "欧阳测试", "13912345678", "11010119491001001X"


async def test_every_page_keeps_to_itself(pages: Screens, busy_hall: Hall) -> None:
    """UX 13.10, X-09, X-01, X-11: every page of entries.json, with a citizen who gave their identity in the hall.

    UX X-13: none of them stands in a secure context, nor does any page of these tests, which open the hall by its address.
    And X-04: 关闭动画 in the hall's configuration reaches every one of them while it stands.
    """
    hall, desks = busy_hall
    identity = {"kind": "id_card", "number": CARD, "name": NAME}
    taken = await hall.take(desks.matter, desks.kiosk, identity=identity)
    await desks.call("15")
    opened = await _everything(pages, hall, taken["token"])
    findings: list[str] = []
    for name, page in opened.items():
        path = {"phone": "/t/", "rate": "/rate/"}.get(name, f"/{name}")
        assert path in page.page.url, f"{name} went to {page.page.url}"
        assert not await page.page.evaluate("window.isSecureContext"), name
        await page.page.wait_for_timeout(300)
        _nobody_is_named(name, await page.page.content(), public=name not in ("console", "guide", "manager"))
        findings += [f"{name}: {finding}" for finding in await axe(page)]
    assert not findings, "\n".join(findings)
    await _without_animations(hall, opened)
    for name, page in opened.items():
        assert not page.foreign, (name, page.foreign)
        assert not page.errors, (name, page.errors)
    await desks.back("16")


async def _everything(pages: Screens, hall: LivingHall, ticket: str) -> dict[str, Opened]:
    """One of each page, at its size, in the middle of a day."""
    opened = {
        "hall": await pages.paired(hall, "hall", "D"),
        "window": await pages.paired(hall, "window", "15"),
        "led": await pages.paired(hall, "led", "led-1"),
        "kiosk": await pages.paired(hall, "kiosk", "kiosk-1"),
    }
    for name, path in (("join", "/join"), ("login", "/login"), ("phone", f"/t/{ticket}"), ("rate", f"/rate/{ticket}")):
        opened[name] = await pages.blank(hall, "phone" if name in ("phone", "rate") else "staff")
        await opened[name].page.goto(hall.server.url + path)
    await hall.hire("4001", "clerk", "guide", "manager")
    for name, window in (("guide", ""), ("manager", ""), ("console", "16"), ("strip", "16")):
        size = (480, 56) if name == "strip" else None
        opened[name] = await pages.staff(hall, f"/{name}", "4001", window, size=size)
    return opened


async def _without_animations(hall: LivingHall, opened: dict[str, Opened]) -> None:
    """UX X-04, DESIGN 5: a version of the configuration, and one step back; the pages that have no line show nothing that moves."""
    lines = {name: page.page for name, page in opened.items() if name not in ("join", "login", "rate")}
    for page in lines.values():
        await page.locator("html[data-motion=on]").wait_for(state="attached", timeout=30_000)
        await page.evaluate("window.__stood = true")
    async with hall.admin.session.get(f"{hall.server.api}/configuration") as answer:
        configuration, _ = hallfile.load((await answer.json())["text"])
    assert configuration is not None
    still = structs.replace(configuration, hall=structs.replace(configuration.hall, animations=False))
    await hall.post("configuration/apply", {"text": hallfile.dump(still)})
    for page in lines.values():
        await page.locator("html[data-motion=off]").wait_for(state="attached", timeout=30_000)
    await hall.post("configuration/rollback")
    for name, page in lines.items():
        await page.locator("html[data-motion=on]").wait_for(state="attached", timeout=30_000)
        assert await page.evaluate("window.__stood"), f"{name} had to be loaded again"


def _nobody_is_named(name: str, html: str, *, public: bool) -> None:
    """UX X-11: neither what this citizen gave nor anything of that form."""
    assert NAME not in html, name
    assert CARD not in html, name
    assert not re.search(r"(?<!\d)\d{17}[\dXx](?![\dA-Za-z])", html), f"an identity number on {name}"
    if public:
        assert PHONE not in html, name
        assert not re.search(r"(?<!\d)1[3-9]\d{9}(?!\d)", html), f"a phone number on {name}"


async def axe(opened: Opened) -> list[str]:
    """Serious and critical findings; axe runs beside the page's CSP, which forbids it to everybody else."""
    await opened.page.evaluate(AXE.read_text(encoding="utf-8"))
    found: dict[str, Any] = await opened.page.evaluate("axe.run(document)")
    assert len(found["passes"]) > 5, f"axe saw next to nothing on {opened.page.url}"
    return [
        f"{each['id']} {[node['target'] for node in each['nodes']][:3]}"
        for each in found["violations"]
        if each["impact"] in ("serious", "critical")
    ]


async def test_ux_13_11_bare_letters_call_nobody(pages: Screens, busy_hall: Hall) -> None:
    """UX 13.11, C-04: 400 keys without Ctrl+Alt, in the page and in its fields, change nothing in the hall."""
    hall, desks = busy_hall
    await hall.hire("4002", "clerk")
    console = await pages.staff(hall, "/console", "4002", "17")
    await desks.tickets(3)
    await console.page.get_by_role("button", name="呼叫下一位").first.wait_for()
    by_people = "select kind from journal where kind not in ('DeviceChanged', 'AlarmRaised', 'AlarmCleared')"
    before = hall.rows(by_people)
    dice = random.Random(11)
    keys = [*string.ascii_letters, *string.digits, *"-=+*/.,;'[] ", "Backspace", "ArrowUp", "ArrowDown", "Home", "End"]
    for where in ("body", "input, textarea"):
        field = console.page.locator(where).first
        if await field.count() and where != "body":
            await field.focus()
        for _ in range(200):
            key = dice.choice(keys)
            await console.page.keyboard.press("Space" if key == " " else key)
        if await console.page.evaluate("document.activeElement && document.activeElement.tagName === 'BUTTON'"):
            await console.page.evaluate("document.activeElement.blur()")
    assert hall.rows(by_people) == before
    await console.page.keyboard.press("F2")
    await console.page.get_by_text("已叫").first.wait_for()
    await desks.back("17")
