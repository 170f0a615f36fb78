"""UX W-07 on lines that strips share: a new call flashes three times, and never at the cost of anybody else (HARDWARE 1.1, 7.2)."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass
from pathlib import Path

import pytest

from devices.bus import BusSettings
from devices.drivers.strip import Strip
from devices.protocols.base import Send
from devices.protocols.bx import BxProtocol, BxSettings
from devices.protocols.keymaps import Key
from devices.protocols.numberpanel import NumberPanel, PanelSettings
from devices.protocols.paged import FLASHES, LEAST_FLASH_MS, MOST_FLASH_MS, Acknowledged, PagedText, Steady
from devices.protocols.plainstrips import AaqtProtocol, AddrFeProtocol, PlainSettings
from devices.protocols.strip import StripProtocol, StripSettings
from queue_server.wire.agent import ShowStrip
from tests.devices.hall import Desk, listen_url, own_time, until
from tests.devices.test_agent import Office
from tests.devices.test_bus import Card, Note, Wire, codec

CALL = [[("请A016号", "red")]]
SECOND = [[("到3号窗口", "green")]]


@dataclass(frozen=True, slots=True)
class Hasty(StripSettings):
    """A strip that nobody looks at: it may flash faster than X-05 allows, and its test is over sooner."""

    def __post_init__(self) -> None:
        pass


def beats(strip: PagedText, until_ms: int) -> list[tuple[int, str]]:
    """What an acknowledging strip is sent, and when, from a call at 0 on: dark or its text."""
    found = []
    now = 0
    while (at := strip.wake_at_ms) is not None and at <= until_ms:
        now = max(now, at)
        for output in strip.wake(now):
            if isinstance(output, Send):
                found.append((now, "lit" if output.follows is None else "dark"))
                strip.sent(now)
                strip._sent_ms = None  # acknowledged
    return found


def called(strip: PagedText, pages: list) -> PagedText:
    strip.set_pages(pages, 0)
    strip.sent(0)
    strip._sent_ms = None
    strip.flash(0)
    return strip


def test_a_call_is_dark_and_lit_again_three_times_half_a_second_each_and_then_steady() -> None:
    expected = [(500 * half, "dark" if half % 2 else "lit") for half in range(1, 7)]
    assert beats(called(StripProtocol(3), CALL), 20_000) == expected


@pytest.mark.parametrize(
    "strip",
    [
        *(StripProtocol(3, StripSettings(flash_ms=each)) for each in (LEAST_FLASH_MS, MOST_FLASH_MS)),
        AaqtProtocol(3, PlainSettings()),
        AddrFeProtocol(3, PlainSettings()),
        BxProtocol(1, BxSettings()),
        NumberPanel(1, PanelSettings(mode="text")),
    ],
    ids=["fastest", "slowest", "aaqt", "addrfe", "bx", "panel"],
)
def test_ux_x_05_no_strip_flashes_faster_than_once_a_second_or_longer_than_five(strip: PagedText) -> None:
    """Of every protocol as it comes, and of the limits that a device map may set."""
    seen = [(at, what) for at, what in beats(called(strip, CALL), 12_000) if at < 9_000]
    dark = [at for at, what in seen if what == "dark"]
    assert len(dark) == FLASHES
    assert min(after - before for before, after in itertools.pairwise(dark)) >= 1_000
    assert [what for at, what in seen if at <= 5_000][-1] == "lit", "over within five seconds"
    assert max(dark) < 5_000


@pytest.mark.parametrize("flash_ms", [1, 150, 499, 834, 5_000, -500])
@pytest.mark.parametrize("kind", [StripSettings, PlainSettings, BxSettings, PanelSettings])
def test_ux_x_05_a_device_map_cannot_ask_for_more(kind: type[StripSettings], flash_ms: int) -> None:
    with pytest.raises(ValueError, match="500 to 833"):
        kind(flash_ms=flash_ms)


def test_the_next_page_waits_for_the_end_of_the_flash() -> None:
    strip = called(StripProtocol(3), CALL + SECOND)
    assert [at for at, _ in beats(strip, 5_600)] == [500, 1000, 1500, 2000, 2500, 3000, 5500]


def test_a_recall_while_the_notice_stands_shows_the_number_and_flashes_that() -> None:
    strip = StripProtocol(3, StripSettings(acks=False))
    strip.set_pages(CALL + SECOND, 0)
    (notice,) = strip.wake(2500)
    assert isinstance(notice, Send)
    assert notice.frame == strip.frame(strip.encode(SECOND[0]))
    assert strip.set_pages(CALL + SECOND, 2600) == []
    (number,) = strip.flash(2600)
    assert isinstance(number, Send)
    assert (number.frame, number.refresh) == (strip.frame(strip.encode(CALL[0])), False)
    (dark,) = strip.wake(3100)
    assert isinstance(dark, Send)
    assert dark.follows == number.frame
    assert strip.flash(3200) == [], "it stands already"


def test_the_repetition_of_a_text_does_not_fall_into_the_dark() -> None:
    """UX W-02 and W-07: a recall just before the text was due again, as every 30 s."""
    strip = StripProtocol(3, StripSettings(acks=False))
    strip.set_pages(CALL, 0)
    strip.flash(29_200)
    found = []
    while (at := strip.wake_at_ms) is not None and at <= 32_200:
        found += [
            (at, output.follows is not None, output.refresh) for output in strip.wake(at) if isinstance(output, Send)
        ]
    assert found == [(29_200 + 500 * half, bool(half % 2), bool(half % 2)) for half in range(1, 7)]


def test_a_strip_without_acknowledgements_is_lit_again_soon_when_the_last_frame_of_a_flash_is_lost() -> None:
    strip = StripProtocol(3, StripSettings(acks=False))
    strip.set_pages(CALL, 0)
    strip.flash(0)
    for half in range(1, 7):
        assert len(strip.wake(500 * half)) == 1
    at = strip.wake_at_ms  # the one at 3000 was lost
    assert at is not None
    assert 4_000 <= at <= 5_000
    (again,) = strip.wake(at)
    assert isinstance(again, Send)
    assert again.frame == strip.frame(strip.encode(CALL[0]))
    assert strip.wake_at_ms == at + 30_000, "and from then on every 30 s"


def test_news_ends_a_flash_and_a_recall_begins_it_anew_while_it_is_dark() -> None:
    strip = called(StripProtocol(3), CALL)
    (dark,) = strip.wake(500)
    assert isinstance(dark, Send)
    assert (dark.refresh, dark.follows) == (True, strip.frame(strip.encode(CALL[0])))
    strip.flash(700)
    (lit,) = strip.wake(1000)
    assert isinstance(lit, Send)
    assert (lit.refresh, lit.follows) == (False, None), "a number that is dark comes back like a call"
    assert [what for _, what in beats(strip, 5000)] == ["dark", "lit", "dark", "lit"]
    strip.flash(6000)
    strip.wake(6500)
    (news,) = strip.set_pages(SECOND, 6600)
    assert isinstance(news, Send)
    assert news.follows is None
    assert beats(strip, 20_000) == []


def test_a_strip_that_does_not_acknowledge_its_call_is_not_made_dark_and_a_dark_page_owes_none() -> None:
    strip = StripProtocol(3, StripSettings(ack_ms=600))
    strip.set_pages(CALL, 0)
    strip.sent(0)
    strip.flash(0)
    assert strip.wake(500) == [Steady()]
    assert beats(called(StripProtocol(3), CALL), 600) == [(500, "dark")]
    quiet = called(StripProtocol(3), CALL)
    quiet.wake(500)
    quiet.sent(510)
    assert quiet.wake_at_ms == 1000
    assert quiet.receive(quiet.frame(b""), 520) != [Acknowledged()]


@pytest.mark.parametrize(
    ("strip", "flashes"),
    [
        (AaqtProtocol(3, PlainSettings()), True),
        (AddrFeProtocol(3, PlainSettings()), True),
        (BxProtocol(1, BxSettings()), True),
        (NumberPanel(1, PanelSettings(mode="text")), True),
        (NumberPanel(1, PanelSettings()), False),
        (StripProtocol(3, StripSettings(flash_ms=0)), False),
    ],
    ids=["aaqt", "addrfe", "bx", "panel of letters", "panel of numbers", "set to none"],
)
def test_who_can_flash(strip: PagedText, flashes: bool) -> None:
    strip.set_pages(CALL, 0)
    before = strip.wake_at_ms
    strip.sent(0)
    strip._sent_ms = None  # acknowledged
    strip.flash(0)
    assert strip.wake_at_ms == (500 if flashes else before)
    dark = [output.follows for output in strip.wake(500) if isinstance(output, Send)]
    assert [lit is not None for lit in dark] == ([True] if flashes else [])


async def test_a_call_flashes_on_a_real_line_and_stands_at_the_end(tmp_path: Path) -> None:
    desk = Desk(listen_url("memory", tmp_path))
    desk.strip = Strip("s3", 3, desk._health, Hasty(ack_ms=100, reply_ms=30, flash_ms=60))
    with own_time():
        async with desk.running():
            desk.strip.show(CALL, flash=True)
            await until(lambda: len(desk.far_strip.history) == 7)
            await asyncio.sleep(0.3)
    assert list(desk.far_strip.history) == ["请A016号", " ", "请A016号", " ", "请A016号", " ", "请A016号"]
    assert desk.strip.health.counters["flashes_dropped"] == 0
    assert desk.strip.health.state == "online"


async def test_a_busy_line_has_no_time_for_it_and_that_is_counted(tmp_path: Path) -> None:
    """At 9600 baud: six windows call together; their texts, echoes and cells need the line for themselves."""
    desk = Desk(listen_url("memory", tmp_path), settings=BusSettings(baud=9600, idle_ms=60))
    desk.strip = Strip("s3", 3, desk._health, Hasty(reply_ms=30, flash_ms=150))
    with own_time():
        async with desk.running():
            for number in range(6):
                desk.strip.show([[(f"请A{number:03}号到3号窗口", "red")]], flash=True)
                await until(lambda number=number: desk.far_strip.text == f"请A{number:03}号到3号窗口")
            await until(lambda: desk.strip.health.counters["flashes_dropped"] == 1)
            await asyncio.sleep(0.5)
            assert desk.far_strip.text == "请A005号到3号窗口"
            assert " " not in desk.far_strip.history
            assert desk.bus.counters["no_time"] == 1
            # When the line has rested it flashes again.
            await asyncio.sleep(0.5)
            desk.strip.show([[("请A006号到3号窗口", "red")]], flash=True)
            await until(lambda: " " in desk.far_strip.history)
            assert await desk.far_keypad.press(Key.CALL), "and keys are echoed meanwhile"
            await until(
                lambda: desk.far_strip.text == "请A006号到3号窗口" and desk.strip._protocol._flash_at_ms is None
            )


async def test_what_may_be_left_out_waits_for_nobody_and_nobody_for_it() -> None:
    """HARDWARE 1.1: an acknowledgement is owed within 80 ms, so a frame that holds the line longer is never optional."""
    strips = [Card(address, codec(b"S")) for address in (1, 2)]
    lit = Note(1, 9)
    dark = Send(Note(1, 0), "text", refresh=True, follows=lit)
    wire = Wire(*strips, settings=BusSettings(baud=9600))
    async with wire.running():
        strips[1].put([Send(Note(2, 5), "text")])
        strips[0].put([dark])
        assert strips[0].lost == [0], "somebody's news waits"
        await until(lambda: len(wire.heard) == 1)
        strips[0].put([dark])
        strips[1].put([Send(Note(2, 6), "text")])
        await until(lambda: len(wire.heard) == 3)
    assert [raw[2] for raw, _ in wire.heard] == [5, 6, 0]
    slow = Wire(card := Card(1, codec(b"S")), settings=BusSettings(baud=300))
    async with slow.running():
        card.put([dark])
        assert card.lost == [0], "four bytes take 134 ms at 300 baud"


async def test_the_agent_flashes_a_new_call_and_a_recall_but_not_what_it_found_standing(tmp_path: Path) -> None:
    office = Office(tmp_path, listen_url("memory", tmp_path))

    async def say(number: str, call: str) -> None:
        await office.server.say(
            ShowStrip(
                epoch=1,
                device="s3",
                state="call",
                number=number,
                window="3",
                text="",
                lines=[],
                call=f"{number}@{call}",
            )
        )

    async with office.open():
        await say("A001", "1")
        await until(lambda: office.strip.text == "call A001")
        await asyncio.sleep(0.8)
        assert list(office.strip.history) == ["call A001"]
        await say("A001", "2")
        await until(lambda: " " in office.strip.history)
        strip = office.agent._lines.driver("s3")
        assert isinstance(strip, Strip)
        # A line that is late for a beat leaves the others out; that there are three of them is told above.
        await until(lambda: strip._protocol._flash_at_ms is None and office.strip.text == "call A001", 20)
        dark = office.strip.history.count(" ")
        assert 1 <= dark <= 3
        await say("A001", "2")  # told again every 30 s
        await asyncio.sleep(0.8)
        assert office.strip.history.count(" ") == dark
