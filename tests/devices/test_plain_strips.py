"""AA…QT and addr-FE strips: published frames, noise, and whole lines with other devices (HARDWARE 2.3, 2.4)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.devicemap import Calls, Printer, make_bus
from devices.drivers.strip import Strip
from devices.emulators.nodes import AnyNode, EmulatedKeypad
from devices.emulators.plainstrips import EmulatedAaqt, EmulatedAddrFe
from devices.emulators.rs485 import Faults, Rs485BusEmulator
from devices.framing.aaqt import AAQT, BOARD, AaqtFrame, AaqtGrammar, encode_aaqt
from devices.framing.addrfe import ADDRFE, AddrFeFrame, AddrFeGrammar, encode_addrfe
from devices.framing.checksums import CHECKSUMS
from devices.framing.stream import Framer, Garbage
from devices.profiles import PROFILES
from devices.protocols.base import Send
from devices.protocols.keymaps import Key
from devices.protocols.plainstrips import AaqtProtocol, AddrFeProtocol, PlainSettings
from queue_server.wire.agent import DeviceEntry
from tests.devices.hall import listen_url, until

# HARDWARE 2.3, from IMM90022 (one source); computed there from the rule, none was captured from a device.
AAQT_VECTORS = [
    ("AA 03 BB 51 54 D3 01 00 99 00 63 41 30 34 32 FF", AaqtFrame(3, b"A042")),
    ("AA 03 BB 51 54 04 01 00 99 00 63 C7 EB 41 30 34 32 BA C5 FF", AaqtFrame(3, "请A042号".encode("gbk"))),
    ("AA 03 BB 51 54 DC 08 02 99 00 63 41 30 34 32 FF", AaqtFrame(3, b"A042", BOARD)),
]
# HARDWARE 2.4, from IMM9013 (one source).
ADDRFE_VECTORS = [("03 FE 10 01 86 3C 00 05 00 41 30 34 32 00 70 5B", AddrFeFrame(3, 1, b"A042"))]


@pytest.mark.parametrize(("raw", "frame"), AAQT_VECTORS)
def test_hardware_2_3_literal_frames(raw: str, frame: AaqtFrame) -> None:
    assert encode_aaqt(frame) == bytes.fromhex(raw)
    assert Framer((AaqtGrammar(),)).feed(bytes.fromhex(raw)) == [frame]


@pytest.mark.parametrize(("raw", "frame"), ADDRFE_VECTORS)
def test_hardware_2_4_literal_frames(raw: str, frame: AddrFeFrame) -> None:
    assert encode_addrfe(frame) == bytes.fromhex(raw)
    assert Framer((AddrFeGrammar(),)).feed(bytes.fromhex(raw)) == [frame]


def test_hardware_2_4_a_board_has_a_command_and_one_byte_of_its_own() -> None:
    raw = encode_addrfe(AddrFeFrame(3, 1, b"A042", 0x8C))
    assert raw[:-2] == bytes.fromhex("03 FE 0D 01 8C 00 41 30 34 32 00")
    assert len(raw) == raw[2]


def test_check_values_of_the_named_sums() -> None:
    """The catalogue values of "123456789"; DFPlayer's play 1 (HARDWARE 3.3) is FEF7."""
    digits = b"123456789"
    values = {"crc16-xmodem": 0x31C3, "crc16-ccitt-false": 0x29B1, "crc16-arc": 0xBB3D, "crc16-modbus": 0x4B37}
    assert {name: CHECKSUMS[name].of(digits) for name in values} == values
    assert CHECKSUMS["sum8"].of(digits) == 0xDD
    assert CHECKSUMS["xor8"].of(digits) == 0x31
    assert CHECKSUMS["negated-sum16"].bytes_of(bytes.fromhex("FF 06 03 00 00 01")) == b"\xfe\xf7"


plain = st.binary(max_size=30).map(lambda raw: raw.replace(b"\xff", b"").replace(b"\0", b""))
aaqt_frames = st.builds(AaqtFrame, st.integers(0, 255), plain, st.binary(min_size=2, max_size=2))
addrfe_frames = st.builds(AddrFeFrame, st.integers(0, 255), st.integers(0, 255), plain, st.sampled_from([0x86, 0x8C]))


@pytest.mark.parametrize(("codec", "frames"), [(AAQT, aaqt_frames), (ADDRFE, addrfe_frames)])
@settings(max_examples=60)
@given(data=st.data())
def test_frames_round_trip_under_any_chunking_and_noise_is_bounded(
    codec: Any, frames: st.SearchStrategy[Any], data: st.DataObject
) -> None:
    sent = data.draw(st.lists(frames, max_size=5))
    stream = b"".join(map(codec.encode, sent))
    framer: Framer[Any] = Framer(codec.hosts)
    found: list[Any] = []
    while stream:
        step = data.draw(st.integers(1, 40))
        found += framer.feed(stream[:step])
        stream = stream[step:]
    assert found == sent
    noise = data.draw(st.binary(max_size=600))
    kept = framer.feed(noise) + framer.flush()
    assert sum(len(x.data) if isinstance(x, Garbage) else len(codec.encode(x)) for x in kept) == len(noise)


def test_a_wrong_sum_is_counted_and_the_next_frame_is_found() -> None:
    for codec, raw in ((AAQT, AAQT_VECTORS[0][0]), (ADDRFE, ADDRFE_VECTORS[0][0])):
        good = bytearray.fromhex(raw)
        bad = bytearray(good)
        bad[11] ^= 4
        framer: Framer[Any] = Framer(codec.hosts)
        found = framer.feed(bytes(bad + good))
        assert sum(item.checksums for item in found if isinstance(item, Garbage)) == 1
        assert sum(not isinstance(item, Garbage) for item in found) == 1


def test_text_is_cut_at_a_character_and_what_would_end_the_frame_is_a_mark() -> None:
    (send,) = AaqtProtocol(3, PlainSettings(longest_text=5)).set_pages([[("请A", "red"), ("号号", "green")]], 0)
    assert isinstance(send, Send)
    assert send.frame.text.decode("gbk") == "请A号"
    (send,) = AddrFeProtocol(3, PlainSettings()).set_pages([[("A\0\n𪚥", "red")]], 0)
    assert isinstance(send, Send)
    assert send.frame.text.decode("gbk") == "A〓〓〓"
    assert (send.reply_ms, send.slot) == (0, "text")


def test_hardware_2_4_the_sequence_counts_and_wraps() -> None:
    strip, sequences = AddrFeProtocol(3, PlainSettings()), []
    for number in range(257):
        (send,) = strip.set_pages([[(str(number), "red")]], number)
        assert isinstance(send, Send)
        sequences.append(send.frame.sequence)
    assert sequences == [*range(1, 256), 0, 1]


def test_issue_3_what_has_one_source_only_is_marked_experimental_on_its_page_and_in_the_list() -> None:
    """HARDWARE 7.1: AA…QT and addr-FE; the same for whatever else is known from one source."""
    docs = Path(__file__).resolve().parents[2] / "docs/devices"
    marked = {profile.page for profile in PROFILES.values() if profile.experimental} - {"profiles.md"}
    assert {"aa-qt.md", "addr-fe.md"} <= marked
    for page in docs.glob("*.md"):
        title = page.read_text(encoding="utf-8").splitlines()[0]
        assert title.endswith("(experimental)") == (page.name in marked), page.name
    for page in ("aa-qt.md", "addr-fe.md"):
        text = (docs / page).read_text(encoding="utf-8")
        assert "it has one source only" in text
        assert "Nothing on this page was tried on a physical device" in text


async def _rated(pad: object, level: int, age_ms: int) -> None:
    return None


def _printer(entry: object, changed: object) -> Printer:
    raise ValueError("none here")


def entry(kind: str, profile: str, address: int, url: str, **own: str) -> DeviceEntry:
    return DeviceEntry(
        id=f"{profile}{address}", kind=kind, url=url, address=address, profile=profile, window="1", levels={}, settings=own
    )  # fmt: skip


@contextlib.asynccontextmanager
async def map_line(placed: tuple[DeviceEntry, ...]) -> AsyncIterator[dict[str, Any]]:
    """The drivers of a map on their line, by id, once it is open."""
    calls = Calls(lambda keypad, action: keypad.answer(action.token, ok=True), _rated, lambda d: None, _printer)
    bus = make_bus(placed, calls)
    task = asyncio.create_task(bus.run())
    try:
        await until(lambda: bus.up)
        yield {driver.device: driver for driver in bus.drivers}
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@contextlib.asynccontextmanager
async def hall_line(url: str, nodes: list[AnyNode], entries: list[DeviceEntry]) -> AsyncIterator[dict[str, Any]]:
    """The emulated line and the drivers of a map, by id."""
    async with Rs485BusEmulator(url, nodes) as emulator:
        placed = tuple(DeviceEntry(**{f: getattr(e, f) for f in e.__struct_fields__} | {"url": emulator.url}) for e in entries)  # fmt: skip
        async with map_line(placed) as drivers:
            await until(lambda: emulator.connected)
            yield {"emulator": emulator, **drivers}


FAULTS = {"none": Faults(), "bytewise": Faults(bytewise=True), "noise": Faults(noise=6), "split": Faults(split_ms=30)}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("kind", ["memory", "tcp", "pty"])
async def test_issue_3_three_protocols_of_strips_and_a_keypad_on_one_line(
    kind: str, fault: str, tmp_path: Path
) -> None:
    keypad, first, second = EmulatedKeypad(7), EmulatedAaqt(3), EmulatedAddrFe(3)
    entries = [
        entry("keypad", "hallquefront", 7, ""),
        entry("strip", "aaqt", 3, ""),
        entry("board", "addrfe", 3, ""),
    ]
    async with hall_line(listen_url(kind, tmp_path), [keypad, first, second], entries) as line:
        emulator = line["emulator"]
        emulator.faults = FAULTS[fault]
        line["aaqt3"].show([[("请A042", "red"), ("号", "green")]])
        line["addrfe3"].show([[("A042 3号窗口", "red")]])
        assert await keypad.press(Key.CALL)
        await emulator.until(lambda: first.text == "请A042号" and second.text == "A042 3号窗口")
        assert (first.mode, second.command) == (b"\x01\x00", 0x8C)
        assert line["aaqt3"].health.state == line["addrfe3"].health.state == "unknown"  # they never say anything


async def test_hardware_2_3_the_gap_of_100_ms_after_its_frames_and_the_resend_after_a_power_cut(tmp_path: Path) -> None:
    strip = EmulatedAaqt(3)
    entries = [
        entry("strip", "aaqt", 3, "", resend_ms="300", longest_text="6"),
        entry("keypad", "jackqchen", 7, ""),
    ]
    async with hall_line(listen_url("memory", tmp_path), [strip, EmulatedKeypad(7)], entries) as line:
        driver = line["aaqt3"]
        assert isinstance(driver, Strip)
        assert (driver.gap_ms, line["jackqchen7"].gap_ms) == (100, None)
        driver.show([[("A0421号", "red")]])
        await line["emulator"].until(lambda: strip.text == "A0421")
        strip.restart()
        await line["emulator"].until(lambda: strip.text == "A0421")
