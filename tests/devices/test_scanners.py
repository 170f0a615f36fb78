"""Scanners, and scanners and rating pads that type, against published frames and their emulators (HARDWARE 5.2, 5.3, 1.3)."""

from __future__ import annotations

import asyncio
import contextlib
import os
import tomllib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.decode import decode
from devices.devicemap import Calls, make_bus, plan
from devices.emulators.rs485 import Faults, Rs485BusEmulator
from devices.emulators.scanners import EmulatedGm65, EmulatedScanner, EmulatedWedge
from devices.framing.evdev import EVDEV, EVENT_BYTES, InputEvent, encode_event
from devices.framing.scans import GM65, TEXT_LINES, GmCommand, GmReply, ScanText, encode_scan
from devices.framing.stream import Framer
from devices.profiles import PROFILES
from devices.profiles.profile import NOBODY
from devices.protocols.keyboardpad import key_code
from devices.protocols.scans import Code, Ignored, ScanSettings, TextScanner, WedgeScanner, keys_of
from devices.transport import Unavailable, transport
from queue_server.domain.configuration import Device
from queue_server.wire.agent import DeviceEntry
from tests.devices.hall import listen_url, until

# HARDWARE 5.2, its sources 47521380540, 33314252103 and 15089454839. The sum of the trigger is V-self, the others are V-src.
COMMANDS = [
    ("7E 00 08 01 00 02 01 AB CD", GmCommand(8, 2, b"\x01")),
    ("7E 00 08 01 00 02 01 02 DA", GmCommand(8, 2, b"\x01")),
    ("7E 00 09 01 00 00 00 DE C8", GmCommand(9, 0, b"\0")),
    ("7E 00 07 01 00 2A 02 D8 0F", GmCommand(7, 0x2A, b"\x02")),
    ("7E 00 0A 01 00 00 00 30 1A", GmCommand(10, 0, b"\0")),
]
REPLIES = [("02 00 00 01 00 33 31", GmReply(b"\0")), ("03 00 00 01 00 33 31", GmReply(b"\0", 3))]


@pytest.mark.parametrize(("raw", "frame"), COMMANDS + REPLIES)
def test_hardware_5_2_literal_frames(raw: str, frame: GmCommand | GmReply) -> None:
    grammars = GM65.from_host if isinstance(frame, GmCommand) else GM65.from_device
    assert Framer(grammars).feed(bytes.fromhex(raw)) == [frame]
    if "AB CD" not in raw:
        assert encode_scan(frame) == bytes.fromhex(raw)


def read(talk: Any, pieces: list[bytes], codec: Any = TEXT_LINES) -> list[str]:
    """What a scanner tells of these pieces, 1 ms apart, and then of silence."""
    framer: Framer[Any] = Framer(codec.from_device)
    found: list[Any] = []
    now_ms = 0
    for now_ms, piece in enumerate(pieces):
        for frame in framer.feed(piece):
            found += talk.receive(frame, now_ms)
    for frame in framer.flush():
        found += talk.receive(frame, now_ms)
    while (at := talk.wake_at_ms) is not None:
        found += talk.wake(at)
    return [item.text if isinstance(item, Code) else "?" for item in found]


codes = st.lists(
    st.text(st.characters(blacklist_categories=("Cc", "Cs", "Zs", "Zl", "Zp"), max_codepoint=0xFFFF), min_size=1),
    max_size=4,
    unique=True,
)


@pytest.mark.parametrize(("name", "end"), [("cr", b"\r"), ("lf", b"\n"), ("crlf", b"\r\n"), ("crlf", b"\r"), ("tab", b"\t")])  # fmt: skip
@pytest.mark.parametrize("codec", [TEXT_LINES, GM65])
@settings(max_examples=40, deadline=None)
@given(found=codes, data=st.data())
def test_hardware_5_2_codes_under_any_chunking(
    codec: Any, name: str, end: bytes, found: list[str], data: st.DataObject
) -> None:
    found = [text.strip() for text in found if text.strip()]
    stream = b"".join(text.encode() + end for text in found)
    pieces = []
    while stream:
        step = data.draw(st.integers(1, 12))
        pieces.append(stream[:step])
        stream = stream[step:]
    assert read(TextScanner(ScanSettings(terminator=name, repeat_ms=0)), pieces, codec) == found


@pytest.mark.parametrize("codec", [TEXT_LINES, GM65, EVDEV])
@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=5000), max_size=4))
def test_design_8_any_bytes_are_understood_without_an_exception_or_growth(codec: Any, pieces: list[bytes]) -> None:
    talk = WedgeScanner(ScanSettings()) if codec is EVDEV else TextScanner(ScanSettings(terminator="none"))
    read(talk, pieces, codec)
    assert talk.wake_at_ms is None


def test_hardware_5_2_gbk_and_utf_8_and_what_is_neither() -> None:
    gbk, utf8 = "窗口一".encode("gbk"), "窗口一".encode()
    assert read(TextScanner(ScanSettings()), [gbk + b"\r" + utf8 + b"2\r"]) == ["窗口一", "窗口一2"]
    assert read(TextScanner(ScanSettings(encoding="utf-8")), [gbk + b"\r"]) == ["?"]
    assert read(TextScanner(ScanSettings()), [b"\xff\xff\r"]) == ["?"]


def test_issue_3_what_holds_control_characters_is_no_code_and_a_parcels_separators_are() -> None:
    talk = TextScanner(ScanSettings())
    (noise,) = talk.receive(ScanText(b"\x02\x00\x00@A042\r"), 0)
    assert isinstance(noise, Ignored)
    assert "A042" not in noise.reason
    parcel = "[)>\x1e06\x1d1PA042\x1dQ3\x1e\x04"
    assert talk.receive(ScanText(parcel.encode() + b"\r"), 0) == [Code(parcel)]


def test_hardware_5_2_without_an_end_silence_ends_a_code_and_with_one_half_a_code_is_dropped() -> None:
    assert read(TextScanner(ScanSettings(terminator="none")), [b"A04", b"2"]) == ["A042"]
    talk = TextScanner(ScanSettings())
    assert talk.receive(ScanText(b"A042"), 0) == []
    assert (talk.wake(499), talk.wake_at_ms) == ([], 500)
    (dropped,) = talk.wake(500)
    assert isinstance(dropped, Ignored)
    assert "A042" not in dropped.reason
    assert talk.receive(ScanText(b"7\r"), 600) == [Code("7")]


def test_a_code_that_stays_under_the_scanner_is_one_and_one_too_long_is_none() -> None:
    talk = TextScanner(ScanSettings())
    assert talk.receive(ScanText(b"A\rA\r"), 0) == [Code("A")]
    assert talk.receive(ScanText(b"A\r"), 1_400) == []
    assert talk.receive(ScanText(b"A\r"), 3_000) == [Code("A")]
    assert read(TextScanner(ScanSettings()), [b"x" * 5_000, b"y" * 5_000, b"\rB\r"]) == ["?", "B"]


def test_a_modules_answer_between_two_codes_is_no_text() -> None:
    framer: Framer[Any] = Framer(GM65.from_device)
    found = framer.feed(b"A042\r" + bytes.fromhex(REPLIES[1][0]) + b"A043\r" + bytes.fromhex(REPLIES[0][0]))
    assert found == [ScanText(b"A042\r"), REPLIES[1][1], ScanText(b"A043\r"), REPLIES[0][1]]


# Keys.


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1), st.data())
def test_hardware_5_3_what_is_typed_is_read_under_any_chunking(text: str, data: st.DataObject) -> None:
    stream = b"".join(map(encode_event, keys_of(text)))
    pieces = []
    while stream:
        step = data.draw(st.integers(1, 100))
        pieces.append(stream[:step])
        stream = stream[step:]
    assert read(WedgeScanner(ScanSettings(repeat_ms=0)), pieces, EVDEV) == [text]


def test_hardware_5_3_an_input_event_is_24_bytes_as_the_kernel_writes_them() -> None:
    """linux/input.h on a machine whose long has 64 bits: KEY_A (30) down at 1.5 s."""
    raw = bytes.fromhex("01 00 00 00 00 00 00 00 20 A1 07 00 00 00 00 00 01 00 1E 00 01 00 00 00")
    assert (EVENT_BYTES, encode_event(InputEvent(1, 30, 1, 1, 500_000))) == (24, raw)
    assert read(WedgeScanner(ScanSettings(terminator="none")), [raw], EVDEV) == ["a"]


def test_keys_that_were_lost_cost_the_code_and_held_keys_type_nothing() -> None:
    talk = WedgeScanner(ScanSettings())
    assert talk.receive(InputEvent(1, 30, 1), 0) == []
    assert [type(item) for item in talk.receive(InputEvent(0, 3, 0), 1)] == [Ignored]
    for event in (InputEvent(1, 48, 1), InputEvent(1, 48, 2), InputEvent(1, 48, 0)):
        assert talk.receive(event, 2) == []
    assert talk.receive(InputEvent(1, 28, 1), 3) == [Code("b")]


# Against the emulators.


def _entry(profile: str, url: str, **own: str) -> DeviceEntry:
    kind = "rating_pad" if profile == "keyboard-pad" else "scanner"
    levels = {"2": 1, "3": 2, "4": 3, "5": 4, "6": 5} if kind == "rating_pad" else {}
    return DeviceEntry(
        id="d1", kind=kind, url=url, address=0, profile=profile, window="1", levels=levels,
        settings={"line.idle_ms": "60"} | own,
    )  # fmt: skip


class Told:
    def __init__(self) -> None:
        self.codes: list[str] = []
        self.levels: list[int] = []
        self.driver: Any
        self.bus: Any

    @contextlib.asynccontextmanager
    async def running(self, entry: DeviceEntry) -> AsyncIterator[None]:
        async def rated(_: object, level: int, age_ms: int) -> None:
            self.levels.append(level)

        calls = Calls(
            NOBODY.pressed, rated, NOBODY.health_changed, NOBODY.printer, code=lambda _, text: self.codes.append(text)
        )  # fmt: skip
        self.bus = make_bus((entry,), calls)
        (self.driver,) = self.bus.drivers
        task = asyncio.create_task(self.bus.run())
        try:
            await until(lambda: self.bus.up)
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


FAULTS = {
    "none": Faults(),
    "bytewise": Faults(bytewise=True),
    "slow": Faults(slow_ms=1),
    "split": Faults(split_ms=20),
}
MAKE: dict[str, type[EmulatedScanner]] = {
    "scanner": EmulatedScanner,
    "gm65": EmulatedGm65,
    "keyboard-scanner": EmulatedWedge,
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("kind", ["memory", "pty"])
@pytest.mark.parametrize("profile", MAKE)
async def test_issue_3_codes_arrive_once_under_each_fault(profile: str, kind: str, fault: str, tmp_path: Path) -> None:
    node, told = MAKE[profile](0), Told()
    async with (
        Rs485BusEmulator(listen_url(kind, tmp_path), [node]) as emulator,
        told.running(
            _entry(profile, emulator.url, kiosk="k1", give_up_ms="2000", repeat_ms="30000", **{"line.idle_ms": "900"})
        ),
    ):
        await until(lambda: emulator.connected)
        emulator.faults = FAULTS[fault]
        await node.scan("A042-x7")
        await node.scan("A042-x7")
        await node.scan("http://h/t/Qz9")
        await until(lambda: len(told.codes) == 2)
        assert told.codes == ["A042-x7", "http://h/t/Qz9"]
        assert told.driver.health.state == "online"


async def test_issue_3_noise_costs_a_code_and_not_the_next(tmp_path: Path) -> None:
    node, told = EmulatedScanner(), Told()
    node.encoding = "gbk"
    async with (
        Rs485BusEmulator(listen_url("memory", tmp_path), [node], seed=1) as emulator,
        told.running(_entry("scanner", emulator.url, give_up_ms="100")),
    ):
        await until(lambda: emulator.connected)
        await emulator.transmit_raw(b"\xff\xfe\xff")
        await until(lambda: told.driver.health.state == "degraded")
        await node.scan("请到3号窗口")
        await until(lambda: told.codes == ["请到3号窗口"])
        await emulator.unplug()
        await until(lambda: told.driver.health.state == "offline")


async def test_hardware_5_2_a_module_gives_signs_of_life_and_is_triggered(tmp_path: Path) -> None:
    node, told = EmulatedGm65(), Told()
    async with Rs485BusEmulator(listen_url("pty", tmp_path), [node]) as emulator:
        own = {"heartbeat_ms": "100", "reply_ms": "100"}
        async with told.running(_entry("gm65", emulator.url, **own)):
            await until(lambda: told.driver.health.state == "online")
            node.next_code = "A007"
            told.driver.trigger()
            await until(lambda: told.codes == ["A007"])
            node.mute = True
            await until(lambda: told.driver.health.state == "offline")
            await node.scan("A008")  # one that does not answer and scans is well
            await until(lambda: told.codes == ["A007", "A008"])
            assert told.driver.health.counters["codes"] == 2


async def test_issue_3_a_pad_that_is_a_keyboard_rates_by_its_map_once_a_press(tmp_path: Path) -> None:
    node, told = EmulatedWedge(), Told()
    async with (
        Rs485BusEmulator(listen_url("memory", tmp_path), [node]) as emulator,
        told.running(_entry("keyboard-pad", emulator.url)),
    ):
        await until(lambda: emulator.connected)
        for key in (6, 28, 6, 2, 28):
            await node.press(key)
        await until(lambda: told.levels == [5, 1])
        assert told.driver.health.state == "online"
        await node.press(30)
        await until(lambda: told.driver.health.state == "degraded")
        assert told.levels == [5, 1]


async def test_hardware_5_3_a_pipe_of_input_events_is_read_and_opened_again(tmp_path: Path) -> None:
    pipe, told = tmp_path / "usb-Pad-event-kbd", Told()
    os.mkfifo(pipe)
    writer = os.open(pipe, os.O_RDWR)
    async with told.running(_entry("keyboard-scanner", f"evdev://{pipe}", **{"line.retry_first_ms": "20"})):
        os.write(writer, b"".join(map(encode_event, keys_of("A042"))))
        await until(lambda: told.codes == ["A042"])
        pipe.unlink()
        os.close(writer)  # unplugged
        await until(lambda: told.driver.health.state == "offline")
        os.mkfifo(pipe)
        writer = os.open(pipe, os.O_RDWR)
        await until(lambda: told.bus.up)
        os.write(writer, b"".join(map(encode_event, keys_of("A043"))))
        await until(lambda: told.codes == ["A042", "A043"])
    os.close(writer)


async def test_an_input_device_that_is_not_there_or_is_written_to_is_unavailable(tmp_path: Path) -> None:
    line = transport(f"evdev://{tmp_path}/none")
    with pytest.raises(Unavailable, match="not plugged in"):
        await line.open()
    with pytest.raises(Unavailable, match="only read"):
        await line.write(b"x")
    with pytest.raises(ValueError, match="option"):
        transport("evdev:///dev/input/x?colour=red")


async def test_rule_10_no_code_is_logged_or_recorded(tmp_path: Path) -> None:
    node, told = EmulatedScanner(), Told()
    with structlog.testing.capture_logs() as logs:
        async with (
            Rs485BusEmulator(listen_url("memory", tmp_path), [node]) as emulator,
            told.running(_entry("scanner", emulator.url, give_up_ms="50")),
        ):
            await until(lambda: emulator.connected)
            await node.scan("SECRET1")
            node.end = b""
            await node.scan("SECRET2")
            await until(lambda: told.driver.health.state == "degraded")
            health = f"{told.driver.health.last_error} {told.driver.health.counters}"
    assert told.codes == ["SECRET1"]
    assert "SECRET" not in f"{logs} {health} {ScanText(b'SECRET')!r} {Code('SECRET')!r}"
    assert all(PROFILES[name].personal for name in MAKE)  # so a session is not recorded


def test_people_see_what_a_code_says_when_they_try_a_scanner() -> None:
    (piece,) = decode(PROFILES["scanner"], b"A042\r", "device")
    assert piece.told is not None
    assert piece.told["means"] == "A042"


def test_a_mistake_in_the_map_is_a_sentence() -> None:
    for own in ({"terminator": "enter"}, {"encoding": "latin"}, {"idle_ms": "0"}):
        assert plan([_entry("scanner", "serial:///dev/serial/by-id/x", **own)]).wrong
    assert not plan([_entry("keyboard-pad", "evdev:///dev/input/by-id/usb-Pad-event-kbd")]).wrong


def test_rules_43_the_keys_of_a_pad_are_named_in_the_halls_file_as_its_page_shows() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs/devices/keyboards.md").read_text(encoding="utf-8")
    block = page.split("```toml\n")[1].split("```")[0]
    (said,) = tomllib.loads(block)["device"]
    assert msgspec.convert(said, Device).levels == said["levels"]  # as the hall's file takes it
    del said["agent"]
    assert not plan([DeviceEntry(**said, address=0, settings={})]).wrong
    assert [key_code(key) for key in said["levels"]] == [2, 3, 4, 5, 6]
    assert [key_code(key) for key in ("KEY_0", "KEY_F10", "KEY_F12", "KEY_KP0", "KEY_KP5", "key_a", "KEY_M", "79")] == [
        *(11, 68, 88, 82, 76, 30, 50, 79)
    ]
    for wrong in ("KEY_ENTERTAIN", "five", ""):
        bad = DeviceEntry(**(said | {"levels": {wrong: 5}}), address=0, settings={})
        assert "is no key" in plan([bad]).wrong["rating-3"]
