"""UX W-03, issue 3: a panel that takes dots is described in a file, and gets the pictures that a board on a screen shows."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs
from PIL import Image, ImageFont

from devices import profiles
from devices.bus import Bus
from devices.drivers.strip import Strip
from devices.emulators.bench import Bench, Placed, Station
from devices.emulators.rs485 import Rs485BusEmulator
from devices.emulators.templated import EmulatedBitmapPanel
from devices.lines import Lines
from devices.profiles.files import TemplateProfile, read_profile
from devices.profiles.profile import NOBODY
from devices.transport import transport
from displays import glyphs
from displays.errors import Unavailable
from displays.led import Panel, StripState, pictures
from displays.led.bitmap import Bitmap
from queue_server.edge import render_strip
from queue_server.wire.agent import DeviceEntry, ShowStrip
from tests.devices.hall import until


@contextlib.asynccontextmanager
async def bus_on(url: str, driver: Strip) -> AsyncIterator[None]:
    bus = Bus(transport(url))
    bus.attach(driver)
    task = asyncio.create_task(bus.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


PROFILE = """
name = "own-panel"
title = "A panel of dots, invented for this test"
kinds = ["strip", "board"]
sum = "sum8"

[bitmap]
width = 64
height = 16
{more}

[frames]
show = "AA 55 < {{address}} 01 {{length:2}} ( {{bitmap}} ) > {{sum}}"
acknowledged = "AA 55 < {{address}} 81 > {{sum}}"
"""


def profile(more: str = "") -> TemplateProfile:
    return read_profile(PROFILE.format(more=more))


def entry(**settings: str) -> DeviceEntry:
    return DeviceEntry(
        id="panel", kind="strip", url="memory://dots", address=3, profile="own-panel", window="3", levels={},
        settings=settings,
    )  # fmt: skip


def one(x: int, y: int, colour: tuple[int, int, int] = (255, 0, 0)) -> Image.Image:
    image = Image.new("RGB", (64, 16))
    image.putpixel((x, y), colour)
    return image


@pytest.mark.parametrize(
    ("coding", "at", "byte"),
    [
        (Bitmap(Panel(64, 16)), 8 * 2 + 1, 0x40),
        (Bitmap(Panel(64, 16), low_first=True), 8 * 2 + 1, 0x02),
        (Bitmap(Panel(64, 16), inverted=True), 8 * 2 + 1, 0xBF),
        (Bitmap(Panel(64, 16), order="columns"), 2 * 9, 0x20),
        (Bitmap(Panel(64, 16), order="columns", low_first=True, inverted=True), 2 * 9, 0xFB),
        (Bitmap(Panel(64, 16), planes=("green", "red")), 128 + 8 * 2 + 1, 0x40),
    ],
)
def test_one_dot_is_one_bit_where_the_coding_says(coding: Bitmap, at: int, byte: int) -> None:
    """The dot in column 9 and row 2: written out by hand, byte and bit."""
    data = coding.encode(one(9, 2))
    rest = 0xFF if coding.inverted else 0
    assert len(data) == coding.length == 128 * len(coding.planes)
    assert data[at] == byte
    assert {value for place, value in enumerate(data) if place != at} == {rest}
    assert coding.decode(data).tobytes() == one(9, 2).tobytes()


def test_two_planes_are_three_colours() -> None:
    coding = Bitmap(Panel(64, 16), planes=("red", "green"))
    for colour in ((255, 0, 0), (0, 255, 0), (255, 255, 0)):
        assert coding.decode(coding.encode(one(63, 15, colour))).getpixel((63, 15)) == colour


@pytest.mark.parametrize(
    "more", ["", 'order = "columns"\nlow_first = true\ninverted = true', 'planes = ["red", "green"]']
)
async def test_what_the_hall_says_becomes_the_panels_dots(more: str) -> None:
    known = profile(more)
    node = known.emulate(3)
    assert isinstance(node, EmulatedBitmapPanel)
    driver = known.make(entry(), {}, NOBODY)
    assert isinstance(driver, Strip)
    async with Rs485BusEmulator("memory://dots", [node]) as line, bus_on(line.url, driver):
        shown = ShowStrip(epoch=1, device="panel", state="call", number="A016", window="3", text="", lines=[])
        driver.show(render_strip(shown, driver.laid_out(entry())))
        await line.until(lambda: node.pictures == 1)
        [drawn] = pictures(StripState(state="call", number="A016", window="3"), Panel(64, 16))
        assert drawn.texts == ("请A016",), "shortened to the panel's own 64 dots"
        assert node.image.tobytes() == drawn.image.tobytes()
        await line.until(lambda: driver.health.state == "online")
        await node.power_cycle()
        assert node.state()["lit"] == 0
    bench = Bench({"zh": "一", "en": "One"})
    bench.stations["3"] = Station("3", {"zh": "三", "en": "Three"})
    node.image = drawn.image
    async with Rs485BusEmulator("memory://dots", [node]) as line:
        bench.place(Placed(id="panel", station="3", line="l", name={}, node=node), line)
        assert bench.documents()["device/panel"]["dots"]["width"] == 64  # type: ignore[index]


@pytest.mark.parametrize(
    ("more", "wrong"),
    [
        ("dots = 20", "16, 24 or 32"),
        ('planes = ["lit", "red"]', "bitmap.planes"),
        ("planes = []", "bitmap.planes"),
        ('order = "spiral"', "spiral"),
    ],
)
def test_a_panel_that_cannot_be_is_refused_in_words(more: str, wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong):
        profile(more)


@pytest.mark.parametrize(
    ("before", "after", "wrong"),
    [
        ("{bitmap}", "{text}", "bitmap is missing"),
        ('kinds = ["strip", "board"]', 'kinds = ["keypad"]', "only strips and boards"),
        ("[bitmap]\nwidth = 64\nheight = 16", "", "no meaning"),
    ],
)
def test_dots_and_frames_must_fit_each_other(before: str, after: str, wrong: str) -> None:
    text = PROFILE.format(more="")
    assert before in text
    with pytest.raises(ValueError, match=wrong):
        read_profile(text.replace(before, after))


def test_a_bitmap_needs_no_length_in_front_of_it() -> None:
    text = PROFILE.format(more="").replace("{length:2} ( {bitmap} )", "{bitmap}")
    known = read_profile(text)
    frame = known.read({"address": 3, "text": "请A016", "colour": "red"})
    assert frame is not None
    raw = known.codec.encode(frame)
    assert len(raw) == 4 + 128 + 1
    assert known.codec.hosts[0].scan(raw, 0).frame.body == frame.body  # type: ignore[union-attr]
    assert known.means(frame) == "show 128 bytes of dots"


def test_without_a_font_the_device_says_so_when_it_is_made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def none(*_: object) -> None:
        raise Unavailable("install Noto Sans CJK")

    known = profile()
    monkeypatch.setattr("devices.protocols.bitmaps.picture", none)
    with pytest.raises(ValueError, match="Noto Sans CJK"):
        known.make(entry(), {}, NOBODY)


async def test_a_test_text_wider_than_the_panel_is_cut_and_ends_nobody() -> None:
    known = profile("")
    node = known.emulate(3)
    driver = known.make(entry(), {}, NOBODY)
    assert isinstance(node, EmulatedBitmapPanel)
    assert isinstance(driver, Strip)
    async with Rs485BusEmulator("memory://dots", [node]) as line, bus_on(line.url, driver):
        driver.show([[("综合服务窗口号", "red")]])
        await line.until(lambda: node.pictures == 1)
        assert node.image.getbbox() is not None


async def test_law_8_no_font_is_read_on_the_loop_that_the_keys_share(monkeypatch: pytest.MonkeyPatch) -> None:
    """Opened where nobody waits for it, and read to its end there: a rare character reads no disk when it is first shown."""
    known = profile()
    monkeypatch.setitem(profiles._known, "own-panel", known.profile)
    node = known.emulate(3)
    assert isinstance(node, EmulatedBitmapPanel)
    read: list[threading.Thread] = []
    opened: list[threading.Thread] = []
    truetype = ImageFont.truetype

    def open_noted(*args: Any, **more: Any) -> Any:
        opened.append(threading.current_thread())
        return truetype(*args, **more)

    def read_noted(*args: Any) -> Any:
        read.append(threading.current_thread())
        return open(*args)

    monkeypatch.setattr("displays.glyphs.ImageFont.truetype", open_noted)
    monkeypatch.setattr("displays.glyphs.open", read_noted, raising=False)
    forget_fonts()
    async with Rs485BusEmulator("memory://font", [node]), asyncio.TaskGroup() as group:
        lines = Lines(group, NOBODY)
        await lines.apply([structs.replace(entry(), url="memory://font")])
        panel = lines.driver("panel")
        assert isinstance(panel, Strip)
        panel.show([[("请", "red")]])
        panel.show([[("龘", "red")]])
        await until(lambda: node.pictures >= 1)
        await lines.apply([])
    assert opened
    assert read
    assert threading.main_thread() not in (*opened, *read)
    forget_fonts()


def forget_fonts() -> None:
    """As a process that has just begun."""
    glyphs._fonts.cache_clear()
    glyphs._have_read.cache_clear()
    glyphs.glyph.cache_clear()
