"""The parts of `yichuang devices learn`: taps that cannot write, presses told from echoes, templates proven or not invented."""

from __future__ import annotations

import argparse
import asyncio
import fcntl
import gc
import json
import os
import subprocess
import sys
import termios
import tty
from collections.abc import Iterator
from pathlib import Path
from random import Random
from types import FunctionType, ModuleType

import pytest

from devices import tool
from devices.devicemap import make_bus, read_map
from devices.drivers.keypad import Keypad
from devices.emulators.nodes import EmulatedKeypad
from devices.emulators.rs485 import Rs485BusEmulator
from devices.framing.a090 import A090Frame, encode_a090
from devices.framing.ff68 import FF68, Ff68Frame, encode_ff68
from devices.framing.template import TemplateFrame, parse_template
from devices.learning import listening
from devices.learning.answers import LEVELS, Answers, Step
from devices.learning.cli import names_of_others, parse_windows
from devices.learning.drafts import Drafts, draft
from devices.learning.hearing import STATIONS_LIMIT, Hearing
from devices.learning.listening import Capture, Listening, Patience, find_line, read_capture
from devices.learning.presses import Press
from devices.learning.proposal import propose
from devices.learning.shapes import CHUNKS_LIMIT, Unknown
from devices.learning.tap import PosixTap, TransportTap, open_tap
from devices.profiles import PROFILES
from devices.profiles.profile import NOBODY, Serial
from devices.transport import Unavailable
from displays.terminal import chinese
from queue_server.wire.agent import DeviceEntry
from tests.devices.hall import until


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    tool.add_arguments(parser)
    return tool.run(parser.parse_args(words))


@pytest.fixture
def line(tmp_path: Path) -> Iterator[tuple[str, int]]:
    """A serial port on which nobody speaks: its URL and the other end."""
    master, slave = os.openpty()
    tty.setraw(slave)
    (tmp_path / "port").symlink_to(os.ttyname(slave))
    yield f"serial://{tmp_path / 'port'}", master
    os.close(master)
    os.close(slave)


@pytest.fixture
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")


def test_a_recording_that_ran_out_of_room_can_still_be_learnt_from(tmp_path: Path) -> None:
    program = (
        "import pathlib, resource, sys\n"
        "from devices.learning.listening import Capture\n"
        "capture = Capture(pathlib.Path(sys.argv[1]), 'tcp://h:1', print)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300))\n"
        "for at in range(9):\n    capture.data(at, bytes(20))\n"
        "capture.close()\n"
    )
    file = tmp_path / "heard.jsonl"
    done = subprocess.run(
        [sys.executable, "-c", program, str(file)],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert len(done.stdout.splitlines()) == 1, "said once"
    assert [data for _, data in read_capture(file).pieces] == [bytes(20)] * 3


# Nothing is written.


class Refusing:
    """A transport that counts a write as a failure of the program."""

    url = "memory://refusing"

    def __init__(self) -> None:
        self.left = [encode_ff68(Ff68Frame(7, 0x01, b"\x0c"))] * 2

    async def open(self) -> None:
        return None

    async def read(self, limit_bytes: int = 4096) -> bytes:
        if not self.left:
            await asyncio.sleep(3600)
        return self.left.pop()

    async def write(self, data: bytes) -> None:
        raise AssertionError("something was written on a line that is only listened to")

    async def close(self) -> None:
        return None


async def test_a_tap_has_no_way_to_write() -> None:
    tap = TransportTap(Refusing())
    heard = Listening(tap, lambda text: None)
    task = asyncio.create_task(heard.run())
    await until(lambda: heard.hearing.frames["ff68"] == 2)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    for kind in (TransportTap, PosixTap):
        assert not [name for name in dir(kind) if "write" in name or "send" in name]


async def test_a_port_is_opened_for_reading_only_and_its_control_lines_are_left_alone(
    line: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, master = line
    touched: list[object] = []
    monkeypatch.setattr(fcntl, "ioctl", lambda *words: touched.append(words))
    tap = PosixTap(url + "?baud=19200")
    await tap.open()
    fd = tap._fd
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.write(fd, b"x")
    set_to = termios.tcgetattr(fd)
    assert set_to[4] == termios.B19200
    assert not set_to[2] & (termios.HUPCL | termios.CRTSCTS)
    tap.set_line(Serial(9600))
    assert termios.tcgetattr(fd)[4] == termios.B9600
    os.write(master, b"\xff\x68")
    assert await tap.read() == b"\xff\x68"
    with pytest.raises(Unavailable, match="another program has this port open"):
        await PosixTap(url).open()
    await tap.close()
    await tap.close()
    assert touched == []
    os.set_blocking(master, False)
    with pytest.raises(BlockingIOError):
        os.read(master, 1)


@pytest.mark.parametrize("url", ["udp://192.0.2.1:8001", "ws://192.0.2.1:80", "tcp://h:1?each=true", "evdev:///dev/x"])
def test_what_must_be_asked_cannot_be_overheard(url: str) -> None:
    with pytest.raises(ValueError, match="cannot be overheard"):
        open_tap(url)


# Silence, speeds, privacy.


def test_a_silent_line_is_said(line: tuple[str, int], english: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("learn", line[0], "--listen", "0.3") == 1
    assert "Not one byte in 0.3 s. Check the wires A and B" in capsys.readouterr().err


def test_design_6_sentences_are_chinese_unless_the_system_says_another_language(
    line: tuple[str, int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    assert run("learn", line[0] + "?baud=9600", "--listen", "0.2") == 1
    assert "线路上一个字节都没有" in capsys.readouterr().err
    assert [chinese({"LANG": name}) for name in ("zh_CN.UTF-8", "C", "", "en_GB.UTF-8", "de_DE")] == [True] * 3 + [
        False
    ] * 2
    assert chinese({"LANG": "en_US.UTF-8", "LC_ALL": "zh_CN"})


async def test_a_wrong_speed_is_said_and_what_came_is_shown(
    line: tuple[str, int], english: None, capsys: pytest.CaptureFixture[str]
) -> None:
    async def speak() -> None:
        random = Random(3)
        while True:
            os.write(line[1], random.randbytes(12))
            await asyncio.sleep(0.03)

    talking = asyncio.create_task(speak())
    code = await asyncio.to_thread(run, "learn", line[0] + "?baud=4800", "--listen", "0.8")
    talking.cancel()
    said = capsys.readouterr().err
    assert code == 1
    assert "at 4800 8N1 and not one frame with a valid sum: most likely the wrong speed" in said


async def test_no_speed_fits_noise_and_all_that_were_tried_are_named(line: tuple[str, int], english: None) -> None:
    random, said = Random(3), list[str]()
    heard = Listening(PosixTap(line[0]), said.append)
    await heard.tap.open()
    task = asyncio.create_task(heard.run())

    async def speak() -> None:
        while True:
            os.write(line[1], random.randbytes(40))
            await asyncio.sleep(0.02)

    talking = asyncio.create_task(speak())
    found, sentence = await find_line(heard, Patience(bytes=60, try_s=0.2, bursts=4, unknown_s=0.2), 1.0)
    for end in (talking, task):
        end.cancel()
    await asyncio.gather(task, talking, return_exceptions=True)
    await heard.tap.close()
    assert not found
    assert "9600 8N1, 115200 8N1" in sentence
    assert said[0] == "Trying 9600 8N1 …"


def test_hardware_5_1_a_card_readers_line_is_not_kept(tmp_path: Path) -> None:
    hearing = Hearing(baud=115_200)
    hearing.feed(b"\x01\x02\x03\x04\x05", 0)
    hearing.feed(bytes.fromhex("AA AA AA 96 69 00 03 20 01 22"), 1000)
    hearing.feed(bytes.fromhex("AA AA AA 96 69 00 08 00 00 9F 00 00 00 00 97"), 1100)
    hearing.feed(b"half a record", 1200)
    hearing.tick(5000)
    assert hearing.private == "sam-v"
    assert len(hearing.unknown) == 0
    capture = Capture(tmp_path / "x.jsonl", "tcp://h:1", lambda text: None)
    capture.data(1, b"abc")
    capture.forget()
    capture.data(2, b"abc")
    assert not (tmp_path / "x.jsonl").exists()


def test_scanned_text_is_personal_too() -> None:
    hearing = Hearing()
    for number in range(6):
        hearing.feed(b"9999991990030700%d\r" % number, number * 1000)
    hearing.tick(20_000)
    assert hearing.private == "scanner"


# Presses.


def pressed(hearing: Hearing, *said: tuple[int, Ff68Frame]) -> list[tuple[int, bool, str, int]]:
    found: list[Press] = []
    for at_ms, frame in said:
        found += hearing.feed(encode_ff68(frame), at_ms)
    found += hearing.tick(said[-1][0] + 5000)
    return [(press.address, press.rating, press.digits, press.key) for press in found]


def test_hardware_2_1_a_key_its_repetitions_and_the_echo_are_one_press() -> None:
    key = Ff68Frame(7, 0x01, b"\x04\x02\x0c")
    assert pressed(Hearing(), (0, key), (250, key), (300, key), (5000, key)) == [(7, False, "42", 0x0C)] * 2


def test_hardware_1_1_acknowledgements_invitations_and_stars_are_no_presses() -> None:
    hearing = Hearing()
    rate, ack_a = Ff68Frame(0x87, 0x11, b"\x03"), Ff68Frame(0x87, 0x01, b"\x03")
    ack_b = Ff68Frame(0x87, 0x01, b"", lead=False)
    invite, stars = Ff68Frame(0x87, 0x01, b"\x0b"), Ff68Frame(0x87, 0x02, b"\x05")
    said = [
        (0, invite),
        (100, invite),
        (1000, rate),
        (1050, ack_a),
        (4000, rate),
        (4050, ack_b),
        (6000, stars),
        (7000, ack_a),
    ]
    assert pressed(hearing, *said) == [(0x87, True, "", 3)] * 2
    presses = hearing.presses(FF68)
    assert presses is not None
    assert dict(presses.pads[0x87].acks) == {"a": 1, "b": 1}
    assert presses.pads[0x87].invites == 2


def test_one_address_for_keypad_and_rating_device_is_told_by_function() -> None:
    key, rate = Ff68Frame(7, 0x01, b"\x0c"), Ff68Frame(7, 0x11, b"\x02")
    hearing = Hearing()
    found = pressed(hearing, (0, key), (40, key), (3000, rate), (3050, Ff68Frame(7, 0x01, b"\x02")))
    assert found == [(7, False, "", 0x0C), (7, True, "", 2)]
    answers = Answers(["1"])
    answers.given[Step("1", "next")] = Press(0, FF68, 7, False, "", 0x0C)
    answers.given[Step("1", "level-5")] = Press(0, FF68, 7, True, "", 2)
    proposal = propose(hearing, answers, "tcp://192.0.2.1:4001", Serial(), "agent-1")
    keypad, pad = (one.entry for one in proposal.devices)
    assert (keypad.profile, keypad.settings) == (
        "ff68-keypad",
        {"key.0C": "next"},
    )  # next alone fits both published keymaps
    assert (pad.profile, pad.settings, pad.levels) == ("ff68-a", {"starts": "false"}, {"2": 5})


def test_a_press_without_any_echo_counts_after_a_while() -> None:
    assert pressed(Hearing(), (0, Ff68Frame(7, 0x01, b"\x0d"))) == [(7, False, "", 0x0D)]


def test_levels_are_taken_over_only_from_a_device_that_agrees() -> None:
    answers = Answers(["1", "2", "3"])
    for level in LEVELS:
        answers.given[Step("1", f"level-{level}")] = Press(0, FF68, 0x81, True, "", level - 1)
    answers.given[Step("2", "level-5")] = Press(0, FF68, 0x82, True, "", 4)
    answers.given[Step("3", "level-5")] = Press(0, FF68, 0x83, True, "", 0)
    assert answers.levels("2") == ({"0": 1, "1": 2, "2": 3, "3": 4, "4": 5}, (4, 3, 2, 1))
    assert answers.levels("3") == ({"0": 5}, ())


# Unknown frames.

TEMPLATES = [
    ("7E 02 < {address} {length} ( {text} ) > {sum} 7F", "xor8"),
    ("5A A5 < {address} 31 {length} ( {text} ) > {sum} 0D", "negated-sum8"),
    ("AA {address} CC 51 54 {sum} < 01 00 99 00 63 {text} FF >", "sum8"),
    ("( < {address} FD {length} {sequence} 86 3C 00 05 00 {text} 00 > {sum} )", "crc16-xmodem"),
    ("55 {length} < ( {address} 10 {text} > {sum:le} )", "crc16-modbus"),
    ("A5 5A < {length} ( {address} {text} ) > {sum}", "inverted-sum8"),
]


def bursts(line: str, name: str, colour: bytes = b"", count: int = 60) -> Unknown:
    template, unknown, random = parse_template("show", line, name, 120), Unknown(), Random(5)
    for n in range(count):
        text = f"请{'AB'[n % 2]}{n:03d}号" + ("到3号窗口" if n % 5 == 0 else "")
        body = b"".join(character.encode("gbk") + colour for character in text)
        raw = template.encode(TemplateFrame("show", (0x21, 0x35, 0x22, 0x40, 0x51)[n % 5], body, sequence=n % 256))
        raw = random.randbytes(2) + raw if n % 11 == 0 else raw[:-2] if n % 13 == 0 else raw
        unknown.add(raw, n * 1000)
        unknown.end()
    return unknown


@pytest.mark.parametrize(("line", "name"), TEMPLATES)
def test_a_strips_template_is_found_among_noise_and_cut_frames(line: str, name: str) -> None:
    (found,) = draft(bursts(line, name), Serial()).drafts
    template = found.profile.templates["show"]
    wanted = parse_template("show", line, name, 120)
    for text in ("请B7号到12号窗口", "A", "暂停服务"):
        frame = TemplateFrame("show", 9, text.encode("gbk"), sequence=200)
        assert template.encode(frame) == wanted.encode(frame)
    assert found.frames >= 45
    assert any("taken for text" in guess for guess in found.guessed)


def test_a_colour_after_each_character_is_found_and_the_unseen_ones_are_that_colour() -> None:
    (found,) = draft(bursts("B0 91 < {address} A5 {length:2} ( {text} ) > {sum}", "xor8", b"\x01"), Serial()).drafts
    assert found.profile.coding.colours == {"red": 1, "green": 1, "yellow": 1}


@pytest.mark.parametrize("seed", range(4))
def test_random_bytes_prove_nothing(seed: int) -> None:
    unknown, random = Unknown(), Random(seed)
    for n in range(400):
        unknown.add(bytes((0x7E, 0x10 + n % 4)) + random.randbytes(random.randrange(4, 30)), n * 1000)
        unknown.end()
    made = draft(unknown, Serial())
    assert made.drafts == ()
    assert made.leftovers
    assert all(left.why and left.count for left in made.leftovers)


def test_frames_to_one_address_or_of_one_length_are_left_in_hex() -> None:
    for texts, addresses in ((["A1", "B22", "C333"], (9,)), (["A100", "B200", "C300"], (9, 8, 7))):
        template, unknown = (
            parse_template("show", "7E 02 < {address} {length} ( {text} ) > {sum}", "sum8", 120),
            Unknown(),
        )
        for n in range(40):
            body = f"{texts[n % 3]}{n % 10}".encode()
            unknown.add(template.encode(TemplateFrame("show", addresses[n % len(addresses)], body)), n * 1000)
            unknown.end()
        made = draft(unknown, Serial())
        assert made.drafts == ()
        assert made.leftovers[0].samples[0][:2] == b"\x7e\x02"


def held_bytes(root: object) -> int:
    """What an object keeps alive beside code, counted once it is asked for: to watch every allocation takes six times as long."""
    todo, size, seen = [root], 0, set[int]()
    while todo:
        each = todo.pop()
        if id(each) not in seen and not isinstance(each, (type, FunctionType, ModuleType)):
            seen.add(id(each))
            size += sys.getsizeof(each)
            todo += gc.get_referents(each)
    return size


def test_hours_of_noise_and_talk_take_no_more_memory() -> None:
    hearing, random = Hearing(), Random(1)
    sizes = []
    for hour in range(4):
        for n in range(1500):
            at_ms = (hour * 1500 + n) * 400
            hearing.feed(random.randbytes(24), at_ms)
            hearing.feed(encode_ff68(Ff68Frame(random.randrange(256), 0x01, random.randbytes(2))), at_ms + 100)
            hearing.feed(encode_ff68(Ff68Frame(random.randrange(256), 0x11, random.randbytes(1))), at_ms + 250)
        sizes.append(held_bytes(hearing))
    assert len(hearing.unknown) <= CHUNKS_LIMIT
    assert len(hearing.stations) <= STATIONS_LIMIT
    assert sizes[3] < 1.3 * sizes[1] + 200_000


# What the line taught and what is heard again.


NEXT_KEY = encode_ff68(Ff68Frame(7, 0x01, b"\x0b"))
"""A key; when nobody echoes it, it is a press when nothing has come for a while."""


def a_strip(text: str) -> bytes:
    return encode_a090(A090Frame(3, 0xA5, b"".join(character.encode("gbk") + b"\x01" for character in text)))


def map_of(hearing: Hearing) -> list[tuple[str, str, int | None]]:
    answers = Answers(["7"], {Step("7", "next"): Press(0, FF68, 7, False, "", 0x0B)})
    made = propose(hearing, answers, "serial:///dev/serial/by-path/x?baud=9600", Serial(), "agent-1")
    return [(one.entry.kind, one.entry.window, one.entry.address) for one in made.devices]


def test_a_recording_teaches_what_the_line_taught() -> None:
    """A strip that follows its keypad after two seconds, on a line on which nothing else is said."""
    pieces = [(1000, a_strip("A001")), (12_000, a_strip("A002"))]
    for n in range(6):
        pieces += [(20_000 + 10_000 * n, NEXT_KEY), (22_000 + 10_000 * n, a_strip(f"A{100 + n}"))]
    live = Hearing()
    for now_ms in range(0, 90_000, 100):  # whoever listens ticks
        for at_ms, data in pieces:
            if now_ms - 100 < at_ms <= now_ms:
                live.feed(data, at_ms)
        live.tick(now_ms)
    assert map_of(live) == map_of(Hearing.replayed(pieces)) == [("keypad", "7", 7), ("strip", "7", 3)]


def test_what_was_heard_before_the_bytes_that_are_kept_is_not_forgotten() -> None:
    """Known devices of a long session, on a line whose unknown strip is learnt from the bytes of its end."""
    hearing, random, at_ms = Hearing(), Random(2), 12_000
    hearing.feed(a_strip("A001"), 1000)
    for n in range(8):
        hearing.feed(NEXT_KEY, at_ms)
        hearing.feed(NEXT_KEY, at_ms + 60)  # echoed
        hearing.feed(a_strip(f"A{100 + n}"), at_ms + 600)
        hearing.tick(at_ms + 5000)
        at_ms += 10_000
    template = parse_template("show", "5A A5 < {address} 31 {length} ( {text} ) > {sum} 0D", "sum8", 120)
    before = hearing.heard
    hearing._kept.limit_bytes = 9_000
    while hearing.heard < before + 12_000:
        text = f"请A{random.randrange(1, 60):03d}号".encode("gbk")
        hearing.feed(template.encode(TemplateFrame("show", random.choice((0x41, 0x52)), text)), at_ms)
        at_ms += 60
    hearing.tick(at_ms + 9000)
    assert len(b"".join(data for _, data in hearing._kept)) < 9_000
    assert map_of(hearing) == [("keypad", "7", 7), ("strip", "7", 3)]


async def test_what_is_worked_out_does_not_hold_up_the_line() -> None:
    listened = Listening(open_tap("memory://nobody"), lambda _: None)
    random = Random(3)
    for n in range(120):
        listened.hearing.feed(bytes((0x7E, 0x10 + n % 4)) + random.randbytes(random.randrange(6, 30)), 100 * n)
    turns, working = 0, asyncio.create_task(listened.drafts())
    while not working.done():
        await asyncio.sleep(0.001)
        turns += 1
    assert turns > 5, "others had their turn"
    assert isinstance(working.result(), Drafts)


def test_a_map_beside_others_takes_no_name_of_their_profiles(tmp_path: Path) -> None:
    """A map that is written again replaces its own."""
    (tmp_path / "profiles").mkdir()
    for name in ("learnt-strip", "learnt-pad", "of-the-hall"):
        (tmp_path / "profiles" / f"{name}.toml").write_text("", encoding="utf-8")
    (tmp_path / "two.toml").write_text('[[device]]\nid = "pad-1"\nprofile = "learnt-pad"\n', encoding="utf-8")
    assert names_of_others(tmp_path / "one.toml") == {"learnt-strip", "learnt-pad", "of-the-hall"}
    assert names_of_others(tmp_path / "two.toml") == {"learnt-strip", "of-the-hall"}
    unknown = bursts("5A A5 < {address} 31 {length} ( {text} ) > {sum} 0D", "sum8")
    (found,) = draft(unknown, Serial(), {*PROFILES, *names_of_others(tmp_path / "one.toml")}).drafts
    assert found.name == found.profile.profile.name == "learnt-strip-2"


# Recordings, maps, options.


def test_a_recording_of_try_can_be_learnt_from(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "session.jsonl"
    rows = [{"recorded": 1, "profile": "a090", "kind": "strip", "address": 3}]
    for n in range(8):
        text = "".join(f"{ord(c):02X} 00 " for c in f"A{n}")
        body = bytes.fromhex(f"{n % 2 + 3:02X} A5 00 04 {text}")
        total = 0
        for byte in body:
            total ^= byte
        rows.append({"at_ms": n * 1000, "hex": f"A0 90 {body.hex(' ')} {total:02X}"})
    file.write_text("\n".join(json.dumps(row) for row in rows))
    assert run("learn", str(file)) == 2
    assert "give --url" in capsys.readouterr().err
    assert run("learn", str(file), "--url", "tcp://192.0.2.1:4001", "--json") == 1  # no window: nothing has a place
    said = json.loads(capsys.readouterr().out)
    assert said["devices"] == []
    assert len(said["aside"]) == 2
    (tmp_path / "no.jsonl").write_text("{}\n")
    with pytest.raises(ValueError, match="not a recording"):
        read_capture(tmp_path / "no.jsonl")


def test_a_recording_ends_at_its_limit_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, english: None
) -> None:
    monkeypatch.setattr(listening, "RECORD_LIMIT_BYTES", 300)
    said: list[str] = []
    capture = Capture(tmp_path / "x.jsonl", "tcp://h:1", said.append)
    for n in range(50):
        capture.data(n, b"12345678")
    capture.write({"answers": {"windows": ["1"]}})
    capture.close()
    recorded = read_capture(tmp_path / "x.jsonl")
    assert said == ["The recording has reached its limit; the rest is not kept."]
    assert 0 < len(recorded.pieces) < 10
    assert recorded.answers == {"windows": ["1"]}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["learn", "carrier://pigeon"], "cannot be overheard"),
        (["learn", "serial:///dev/ttyUSB0"], "devices scan"),
        (["learn", "serial:///dev/x?wish=1"], "unknown serial option"),
        (["learn", "tcp://192.0.2.1:4001", "--windows", "1-6,?"], "is no window"),
        (["learn", "/nowhere/at/all.jsonl"], "all.jsonl"),
        (["try", "keypad-1", "--map", "/nowhere/map.toml"], "/nowhere/map.toml"),
        (["try", "tcp://h:1"], "--as"),
    ],
)
def test_design_6_wrong_usage_is_2(words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*words) == 2
    assert sentence in capsys.readouterr().err


def test_windows_are_spans_and_names() -> None:
    assert parse_windows("1-3,5，A2,2") == ["1", "2", "3", "5", "A2"]


def keypad_entry(**settings: str) -> DeviceEntry:
    return DeviceEntry(
        id="k",
        kind="keypad",
        url="memory://k",
        address=7,
        profile="ff68-keypad",
        window="1",
        levels={},
        settings=settings,
    )


def test_hardware_2_1_a_keypads_own_keys_stand_in_the_halls_file() -> None:
    keys = {"key.n 0F": "call", "key.nn 0F": "sign_in", "key.5 0F": "no_show", "key.0B": "next"}
    (driver,) = make_bus((keypad_entry(**keys),), NOBODY).drivers
    assert isinstance(driver, Keypad)
    keymap = driver._protocol._keymap
    typed = [keymap.action(0x0F, digits) for digits in ("7", "1001", "5")]
    assert typed == [("call", "7"), ("sign_in", "1001"), ("no_show", "")]
    for wrong in ({"key.0": "next"}, {"key.0C": "dance"}, {"answer_s": "3"}):
        with pytest.raises(ValueError, match=r"should be a key|is none of|unknown setting"):
            PROFILES["ff68-keypad"].make(keypad_entry(**wrong), wrong, NOBODY)


def test_read_map_says_what_to_mend() -> None:
    for text, sentence in (("x = ", "not TOML"), ("device = 3", "tables"), ('[[device]]\nid = "a"', "kind")):
        with pytest.raises(ValueError, match=sentence):
            read_map(text)


async def test_a_maps_device_is_tried_with_its_settings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keypad, file = EmulatedKeypad(0x2B), tmp_path / "map.toml"
    async with Rs485BusEmulator("tcp://127.0.0.1:0", [keypad]) as emulator:
        file.write_text(
            f'[[device]]\nid = "keypad-1"\nagent = "a"\nkind = "keypad"\nurl = "{emulator.url}"\naddress = 43\n'
            'profile = "ff68-keypad"\nsettings = { "key.1C" = "next", "line.gap_ms" = "10" }\n'
        )
        trying = asyncio.create_task(asyncio.to_thread(run, "try", "keypad-1", "--map", str(file), "--seconds", "2"))
        await until(lambda: keypad.beeps == 1)
        assert await keypad.press(0x1C)
        assert await trying == 0
        assert await asyncio.to_thread(run, "try", "keypad-9", "--map", str(file)) == 2
    assert "action=next" in capsys.readouterr().out
