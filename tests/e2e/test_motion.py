"""UX X-04 in Chromium: a page that may move, one whose looker wants no motion and one whose hall has none end in the same frame."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser

from displays.led import Panel, StripState, pictures, planes
from queue_server.wire.common import TicketState, Words
from queue_server.wire.documents import (
    Call,
    CallsDocument,
    LedDocument,
    LedPage,
    NoticeDocument,
    PrepareDocument,
    SpeechDocument,
)
from tests.e2e.staged import AT, Staged, hall_document

pytestmark = pytest.mark.browser

RUNNING = "document.getAnimations().filter((each) => each.playState === 'running').length"
Frame = tuple[str, bytes]


def calls(*numbers: str, at: int = AT) -> CallsDocument:
    return CallsDocument(
        calls=[
            Call(
                id=f"{number}.1", number=number, window="w3", plate="3", place=Words(zh="二楼 B区", en="2F zone B"),
                at=at, times=1, state=TicketState.CALLED,
            )
            for number in numbers
        ]
    )  # fmt: skip


def board(number: str) -> LedDocument:
    pages = []
    shown = StripState(state="call", number=number, window="3") if number else StripState(state="waiting", window="3")
    for picture in pictures(shown, Panel(128, 16)):
        red, green = (base64.b64encode(plane).decode() for plane in planes(picture.image))
        pages.append(LedPage(texts=list(picture.texts), red=red, green=green, hold_ms=picture.hold_ms))
    return LedDocument(
        id="led-1",
        name=Words(zh="3 号窗口"),
        width=128,
        height=16,
        brightness=15,
        call=number,
        pages=pages,
        problem=None,
    )


HALL: dict[str, Any] = {
    "calls": calls(), "recent": calls(), "passed": calls(), "prepare": PrepareDocument(numbers=["A018"]),
    "notice": NoticeDocument(pages=[]), "speech": SpeechDocument(state="voiced", speaking=None, queued=0),
}  # fmt: skip


async def three_ways(
    browser: Browser,
    screens: Path,
    view: str,
    documents: dict[str, Any],
    called: Callable[[Staged, bool], Awaitable[Frame]],
) -> list[Frame]:
    """The last frame of a call on one page, opened by somebody who may see motion, who wants none, and whose hall has none."""
    frames = []
    for wish, animations in (("no-preference", True), ("reduce", True), ("no-preference", False)):
        context = await browser.new_context(
            viewport={"width": 1280, "height": 720}, locale="zh-CN", reduced_motion=wish
        )  # type: ignore[arg-type]
        page = Staged(
            context, screens, {**documents, "hall": hall_document(animations=animations)}, view, "z1", "screen-03"
        )
        await page.open(f"/{view}?sound=off", still=True)
        await page.page.locator("html[data-motion]").wait_for(state="attached")
        await page.page.keyboard.press("i")  # away with the hall display's device page (UX D-15)
        frames.append(await called(page, wish == "no-preference" and animations))
        await context.close()
    return frames


async def test_ux_x_04_a_call_on_the_hall_display(browser: Browser, screens: Path) -> None:
    async def called(page: Staged, moves: bool) -> Frame:
        page.change(calls=calls("A017", at=page.at))
        await page.page.locator(".one .num", has_text="A017").wait_for()
        assert bool(await page.page.evaluate(RUNNING)) is moves
        await page.page.evaluate("document.getAnimations().forEach((each) => each.finish())")
        return await page.text(), await page.page.screenshot()

    frames = await three_ways(browser, screens, "hall", HALL, called)
    assert "A017" in frames[0][0]
    assert [text for text, _ in frames] == [frames[0][0]] * 3
    assert [picture for _, picture in frames] == [frames[0][1]] * 3


async def test_ux_x_04_a_call_on_a_board_of_dots(browser: Browser, screens: Path) -> None:
    async def called(page: Staged, moves: bool) -> Frame:
        waiting = await page.page.screenshot()
        page.change(led=board("A017"))
        await page.page.locator("[aria-label*=A017]").wait_for()
        lit = await page.page.screenshot()
        await page.page.clock.run_for(600)
        dark = await page.page.screenshot()
        assert (dark != lit) is moves, "half a second after the call"
        await page.live(3)
        last = await page.page.screenshot()
        assert last == lit != waiting
        return await page.text(), last

    frames = await three_ways(browser, screens, "led", {"led": board("")}, called)
    assert frames == [frames[0]] * 3
