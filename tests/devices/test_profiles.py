"""Strips, rating devices and keypads described in TOML: the same bytes as the coded ones, and sentences for mistakes."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices import cli as agent_cli
from devices.bus import Bus
from devices.devicemap import Calls, Printer, make_bus, plan
from devices.emulators.nodes import AnyNode, EmulatedKeypad, EmulatedRatingPad, EmulatedStrip
from devices.emulators.plainstrips import EmulatedAaqt, EmulatedAddrFe
from devices.emulators.rs485 import Faults, Rs485BusEmulator
from devices.framing.a090 import A090Frame, encode_a090
from devices.framing.aaqt import AaqtFrame, encode_aaqt
from devices.framing.addrfe import AddrFeFrame, encode_addrfe
from devices.framing.ff68 import Ff68Frame, encode_ff68
from devices.framing.stream import Framer, Garbage
from devices.framing.template import TemplateFrame, parse_template
from devices.profiles import PROFILES, add_folder, find_profile
from devices.profiles.files import load_profile, read_profile
from devices.protocols.keymaps import Key
from queue_server.wire.agent import DeviceEntry
from tests.devices import vectors
from tests.devices.hall import listen_url, until
from tests.devices.test_plain_strips import AAQT_VECTORS, ADDRFE_VECTORS

SHIPPED = Path(__file__).resolve().parents[2] / "devices" / "profiles" / "shipped"


def entry(kind: str, profile: str, address: int = 3, url: str = "memory://profiles", **own: str) -> DeviceEntry:
    return DeviceEntry(
        id=f"{profile}{address}", kind=kind, url=url, address=address, profile=profile, window="1",
        levels={"0": 1, "1": 2, "2": 3, "3": 4, "4": 5}, settings=own,
    )  # fmt: skip


# The same literals as the coded drivers.


def codec_of(name: str) -> Any:
    return PROFILES[name].codec


@pytest.mark.parametrize(("raw", "frame"), AAQT_VECTORS)
def test_hardware_2_3_literals_by_profile(raw: str, frame: AaqtFrame) -> None:
    name = "show" if frame.mode == b"\x01\x00" else "board"
    same = TemplateFrame(name, frame.address, frame.text)
    assert codec_of("aaqt-template").encode(same) == bytes.fromhex(raw)
    assert Framer(codec_of("aaqt-template").hosts).feed(bytes.fromhex(raw)) == [same]


@pytest.mark.parametrize(("raw", "frame"), ADDRFE_VECTORS)
def test_hardware_2_4_literals_by_profile(raw: str, frame: AddrFeFrame) -> None:
    same = TemplateFrame("show", frame.address, frame.text, sequence=frame.sequence)
    assert codec_of("addrfe-template").encode(same) == bytes.fromhex(raw)
    assert Framer(codec_of("addrfe-template").hosts).feed(bytes.fromhex(raw)) == [same]


@pytest.mark.parametrize("text", [v for v in vectors.A090 if v[2] == 0xA5], ids=lambda v: v[6])
def test_hardware_2_2_literals_by_profile(text: tuple[str, int, int, str, str, str, str]) -> None:
    raw, address, _command, data, words, colours, _source = text
    same = TemplateFrame("show", address, bytes.fromhex(data))
    assert codec_of("a090-template").encode(same) == bytes.fromhex(raw)
    assert Framer(codec_of("a090-template").hosts).feed(bytes.fromhex(raw)) == [same]
    assert load_profile(SHIPPED / "a090-template.toml").coding.decode(same.body) == (words, colours)


def test_hardware_2_2_the_short_acknowledgement_by_profile() -> None:
    ack = TemplateFrame("acknowledged", 3)
    assert Framer(codec_of("a090-template").from_device).feed(bytes.fromhex(vectors.A090_ACK)) == [ack]


@pytest.mark.parametrize("text", vectors.FF68, ids=lambda v: v[4])
def test_hardware_1_1_and_2_1_literals_by_profile(text: tuple[str, int, int, str, str]) -> None:
    """Rating presses and keypad keys are read from the device, what the host sends is read at the other end."""
    raw, address, function, data, _source = text
    stream, body = bytes.fromhex(raw), bytes.fromhex(data)
    rating, keypad = codec_of("ff68-template"), codec_of("ff68-keypad-template")
    match function:
        case 0x11:
            assert Framer(rating.from_device).feed(stream) == [TemplateFrame("pressed", address, b"", body[0])]
        case 0x01 if body and raw.startswith("FF"):
            pressed = TemplateFrame("pressed", address, body[:-1], body[-1])
            assert Framer(keypad.from_device).feed(stream) == [pressed]
            assert keypad.encode(pressed) == stream
        case 0x02 if len(body) == 6:
            assert Framer(keypad.from_host).feed(stream) == [TemplateFrame("show", address, body)]
        case 0x02 if body in (b"\0", b"\1"):
            name = "success" if body == b"\1" else "failure"
            assert Framer(keypad.from_host).feed(stream) == [TemplateFrame(name, address)]
        case 0x03:
            assert keypad.encode(TemplateFrame("beep", address)) == stream
        case _:
            assert raw in (
                "68 02 02 68 87 01 88 16",
                "FF 68 03 03 68 07 02 05 0E 16",
            )  # variant B and stars: coded only


text = st.binary(max_size=40).map(lambda raw: raw.replace(b"\xff", b"").replace(b"\0", b""))
byte = st.integers(0, 255)


@settings(max_examples=60)
@given(byte, byte, text, st.booleans())
def test_templates_write_the_same_bytes_as_code(address: int, number: int, words: bytes, board: bool) -> None:
    name = "board" if board else "show"
    aaqt = encode_aaqt(AaqtFrame(address, words, b"\x08\x02" if board else b"\x01\x00"))
    assert codec_of("aaqt-template").encode(TemplateFrame(name, address, words)) == aaqt
    addrfe = encode_addrfe(AddrFeFrame(address, number, words, 0x8C if board else 0x86))
    assert codec_of("addrfe-template").encode(TemplateFrame(name, address, words, sequence=number)) == addrfe
    assert codec_of("a090-template").encode(TemplateFrame("show", address, words)) == encode_a090(
        A090Frame(address, 0xA5, words)
    )
    press = encode_ff68(Ff68Frame(address, 0x01, words[:16] + bytes((number,))))
    keypad = TemplateFrame("pressed", address, words[:16], number)
    assert codec_of("ff68-keypad-template").encode(keypad) == press


TEMPLATES = [name for name in PROFILES if name.endswith("-template")]


@pytest.mark.parametrize("name", TEMPLATES)
@settings(max_examples=40)
@given(data=st.data())
def test_any_chunking_gives_the_same_and_every_byte_is_a_frame_or_garbage(name: str, data: st.DataObject) -> None:
    codec = codec_of(name)
    grammars = (*codec.from_device, *codec.from_host)
    frames = [
        TemplateFrame(template.name, data.draw(byte), bytes(template.shortest_body), data.draw(byte), data.draw(byte))
        for template in grammars
    ]
    pieces = data.draw(
        st.lists(st.sampled_from([*map(codec.encode, frames), b"\xaa", b"\x68\x03"]) | st.binary(max_size=9))
    )
    stream = b"".join(pieces)
    whole: Framer[Any] = Framer(grammars)
    expected = whole.feed(stream) + whole.flush()
    chunked: Framer[Any] = Framer(grammars)
    found: list[Any] = []
    for start in range(0, len(stream), 3):
        found += chunked.feed(stream[start : start + 3])
        assert chunked.held < max(grammar.longest for grammar in grammars)
    found += chunked.flush()
    assert [x for x in found if not isinstance(x, Garbage)] == [x for x in expected if not isinstance(x, Garbage)]
    assert b"".join(x.data if isinstance(x, Garbage) else codec.encode(x) for x in found) == stream


# The same emulators as the coded drivers.


class Hall:
    """Template drivers at one end of a line, coded emulators at the other."""

    def __init__(self, url: str, nodes: list[AnyNode], faults: Faults, *entries: DeviceEntry) -> None:
        self.emulator = Rs485BusEmulator(url, nodes, faults)
        self.entries = entries
        self.actions: list[tuple[str, str]] = []
        self.levels: list[int] = []
        self.drivers: dict[str, Any] = {}
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Hall:
        await self.emulator.__aenter__()
        placed = tuple(
            DeviceEntry(**{f: getattr(e, f) for f in e.__struct_fields__} | {"url": self.emulator.url})
            for e in self.entries
        )
        bus = make_bus(placed, Calls(self._pressed, self._rated, lambda d: None, _printer))
        self.drivers = {driver.device: driver for driver in bus.drivers}
        self._task = asyncio.create_task(bus.run())
        await until(lambda: bus.up and self.emulator.connected)
        return self

    async def __aexit__(self, *error: object) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self.emulator.__aexit__(None, None, None)

    def _pressed(self, keypad: Any, action: Any) -> None:
        self.actions.append((str(action.action), action.digits))
        keypad.answer(action.token, ok=True, show="012")

    async def _rated(self, pad: Any, level: int, age_ms: int) -> None:
        self.levels.append(level)


def _printer(entry: object, changed: object) -> Printer:
    raise ValueError("none here")


FAULTS: dict[str, dict[str, Any]] = {
    "none": {},
    "one byte at a time": {"bytewise": True},
    "split frames": {"split_ms": 30},
    "noise": {"noise": 6},
    "wrong sums": {"corrupt": 2},
    "lost frames": {"lose": 2},
    "lost acknowledgements": {"lose_acks": 2},
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("kind", ["memory", "pty"])
async def test_issue_3_a_profile_works_a_pad_and_a_strip_like_code(kind: str, fault: str, tmp_path: Path) -> None:
    pad, strip, plain, other = EmulatedRatingPad(0x87), EmulatedStrip(3), EmulatedAaqt(4), EmulatedAddrFe(5)
    pad.tries = 12  # the machine is shared: an acknowledgement may be late
    hall = Hall(
        listen_url(kind, tmp_path),
        [pad, strip, plain, other],
        Faults(**FAULTS[fault]),
        entry("rating_pad", "ff68-template", 0x87),
        entry("strip", "a090-template", 3, resend_ms="400", ack_ms="100", reply_ms="30"),
        entry("strip", "aaqt-template", 4),
        entry("board", "addrfe-template", 5),
    )
    async with hall:
        assert await pad.rate(4)
        assert hall.levels == [5]
        for name in ("a090-template3", "aaqt-template4", "addrfe-template5"):
            hall.drivers[name].show([[("请", "red"), ("A042", "green")]])
        await hall.emulator.until(lambda: strip.text == plain.text == other.text == "请A042")
        assert strip.colours == "01111"
        assert other.command == 0x8C
        assert hall.drivers["aaqt-template4"].gap_ms == 100
        hall.drivers["ff68-template135"].invite(30_000)
        await hall.emulator.until(lambda: pad.invitations == 1)
        await until(lambda: hall.drivers["a090-template3"].health.state == "online")


@pytest.mark.parametrize("fault", ["none", "noise", "lost acknowledgements"])
async def test_issue_3_a_profile_works_a_keypad_like_code(fault: str, tmp_path: Path) -> None:
    keypad = EmulatedKeypad(7)
    keypad.tries = 12
    hall = Hall(
        listen_url("pty", tmp_path), [keypad], Faults(**FAULTS[fault]), entry("keypad", "ff68-keypad-template", 7)
    )
    async with hall:
        assert await keypad.press(Key.CALL, "42")
        await hall.emulator.until(lambda: keypad.cells == "   012")
        assert await keypad.press(Key.FUNCTION, "5")
        assert hall.actions == [("call", "42"), ("no_show", "")]


async def test_the_emulated_devices_of_profiles_do_what_coded_ones_do(tmp_path: Path) -> None:
    pad, strip = PROFILES["ff68-template"].emulate(0x87), PROFILES["a090-template"].emulate(3)
    hall = Hall(
        listen_url("memory", tmp_path),
        [pad, strip],
        Faults(),
        entry("rating_pad", "ff68-a", 0x87),
        entry("strip", "", 3),
    )
    async with hall:
        assert await pad.press(3)  # type: ignore[attr-defined]
        assert hall.levels == [4]
        hall.drivers["3"].show([[("A1", "yellow")]])
        await hall.emulator.until(lambda: strip.state() == {"text": "A1", "colours": "22"})
        await until(lambda: hall.drivers["3"].health.state == "online")


# Mistakes.

GOOD = """
name = "mine"
title = "our strip"
kinds = ["strip"]
sum = "sum8"
[text]
never = "FF"
[frames]
show = "AA {address} < {text} FF > {sum}"
"""


@pytest.mark.parametrize(
    ("wrong", "instead", "sentence"),
    [
        ('"mine"', '"My strip"', "lower-case"),
        ('["strip"]', '["strip", "keypad"]', "kinds: write"),
        ('["strip"]', '["robot"]', "kinds: write"),
        ("show =", "shout =", "has no frame 'shout': show, board, acknowledged"),
        ("show =", "board =", "needs the frame 'show'"),
        ("AA {address}", "AA {adress}", "there is no field {adress}"),
        ("AA {address}", "AAA {address}", "'AAA {address' is no byte in hex"),
        ("AA {address}", "{address} {address}", "{address} may stand once"),
        ("< {text}", "{text}", "write < once and > once"),
        ("< {text} FF >", "{text} FF", "mark what the sum covers with < and >"),
        ("> {sum}", "{sum} >", "the sum cannot cover itself"),
        ('"sum8"', '"crc8"', "sum = 'crc8' is none of sum8, "),
        ("{text} FF >", "{text} >", "write the fixed byte that ends it, or a {length} before it"),
        ("{text} FF", "{text} {digits} FF", "only one of text, digits"),
        ("AA {address}", "AA {length}", "mark what the length counts with ( and )"),
        ("< {text} FF > {sum}", "{text} {length} ( 01 ) FF", "{length} must stand before {text}"),
        ("< {text} FF > {sum}", "FF", "the text is missing"),
        ('never = "FF"', "", "add FF, which ends the text"),
        ('never = "FF"', 'never = "XY"', "bytes in hex, like 'FF 00'"),
        ('never = "FF"', 'never = "FF"\nencoding = "klingon"', "'klingon' is no text encoding"),
        ('never = "FF"', 'never = "FF"\ncolours = { red = "00" }', "a byte to red, green and yellow"),
        ('never = "FF"', 'never = "FF"\nlongest = 5000', "more than 4096"),
        ("[text]", "[line]\nbaud = -1\n[text]", "-1 is no speed"),
        ("[text]", '[line]\nparity = "X"\n[text]', "parity N, E or O"),
        ("[text]", '[keys]\n"0C" = "next"\n[text]', "only a keypad"),
        ("[text]", "[settings]\nvolume = 3\n[text]", "unknown setting 'volume'"),
        ("[text]", "[txet]\n[text]", "unknown field `txet`"),
        ("[text]", "[text", "not TOML"),
        ("AA {address} < {text} FF > {sum}", "AA < {text} FF > {sum} {digits}", "only one of"),
    ],
)
def test_a_mistake_in_a_profile_is_said_with_what_to_mend(wrong: str, instead: str, sentence: str) -> None:
    assert read_profile(GOOD).file.name == "mine"
    assert wrong in GOOD
    with pytest.raises(ValueError, match=r".+") as raised:
        read_profile(GOOD.replace(wrong, instead, 1))
    assert sentence in str(raised.value)


KEYPAD = """
name = "keys"
title = "our keypad"
kinds = ["keypad"]
[frames]
pressed = "7E {address} {digits} 0D {key}"
[keys]
"01" = "next"
"""


@pytest.mark.parametrize(
    ("wrong", "instead", "sentence"),
    [
        ('"01"', '"call"', "'call' should be a key's byte in hex"),
        ('"next"', '"jump"', "'jump' is none of next"),
        ("{digits} 0D {key}", "{digits} 0D", "the key is missing"),
        ("{digits}", "{text}", "{text} has no meaning in a keypad"),
        ('[keys]\n"01" = "next"', "", "a keypad needs them"),
    ],
)
def test_a_mistake_in_a_keypads_profile(wrong: str, instead: str, sentence: str) -> None:
    assert read_profile(KEYPAD).keymap.action(1, "") is not None
    with pytest.raises(ValueError, match=r".+") as raised:
        read_profile(KEYPAD.replace(wrong, instead, 1))
    assert sentence in str(raised.value)


def test_every_mistake_is_said_at_once() -> None:
    both = GOOD.replace('"mine"', '"M"').replace("{address}", "{where}")
    with pytest.raises(ValueError, match=r"lower-case(.|\n)*\{where\}"):
        read_profile(both)


def test_a_length_too_narrow_for_its_text_is_refused() -> None:
    with pytest.raises(ValueError, match="do not fit a length of 1 byte"):
        parse_template("show", "AA {length} ( {text} )", longest_body=256)
    wide = parse_template("show", "AA {length:2le} ( {text} )", longest_body=256)
    assert wide.encode(TemplateFrame("show", body=bytes(256)))[:3] == b"\xaa\x00\x01"


def test_frames_that_cannot_be_told_from_others_must_be_alone_on_their_line() -> None:
    bare = read_profile(KEYPAD.replace("7E {address} {digits} 0D {key}", "{key}")).codec
    assert bare.alone
    assert not read_profile(KEYPAD).codec.alone
    assert not codec_of("ff68-template").alone


def test_two_profiles_that_read_each_others_frames_do_not_share_a_line() -> None:
    url = "memory://shared"
    mixed = plan([entry("rating_pad", "ff68-template", 0x87, url), entry("keypad", "jackqchen", 7, url)])
    assert "ff68 reads the frames of ff68-template as its own" in mixed.wrong["jackqchen7"]
    apart = plan([entry("rating_pad", "ff68-template", 0x87, url), entry("keypad", "ff68-keypad-template", 7, url)])
    assert apart.wrong == {}


def test_a_halls_own_profiles_come_from_a_folder_and_a_wrong_one_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("devices.profiles._known", known := dict(PROFILES))
    monkeypatch.setattr("devices.profiles.PROFILES", known)
    (tmp_path / "mine.toml").write_text(GOOD, encoding="utf-8")
    (tmp_path / "taken.toml").write_text(GOOD.replace('"mine"', '"a090"'), encoding="utf-8")
    (tmp_path / "wrong.toml").write_text(GOOD.replace("{sum}", "{mus}"), encoding="utf-8")
    (tmp_path / "latin.toml").write_bytes(b"name = '\xe9'")
    said = "\n".join(add_folder(tmp_path))
    assert "taken.toml: the name 'a090' is taken" in said
    assert "wrong.toml: frames.show: there is no field {mus}" in said
    assert "latin.toml" in said
    assert find_profile("strip", "mine").title == "our strip"
    assert isinstance(
        make_bus((entry("strip", "mine"),), Calls(lambda k, a: None, _stored, lambda d: None, _printer)), Bus
    )


async def _stored(pad: object, level: int) -> None:
    return None


async def test_the_agent_takes_profiles_from_its_state_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("devices.profiles._known", known := dict(PROFILES))
    monkeypatch.setattr("devices.profiles.PROFILES", known)
    found: list[str] = []

    async def live(*given: object) -> None:
        found.append(find_profile("strip", "mine").name)

    monkeypatch.setattr(agent_cli, "_live", live)
    parser = argparse.ArgumentParser()
    agent_cli.add_arguments(parser)
    folder = tmp_path / "state" / "profiles"
    folder.mkdir(parents=True)
    (folder / "mine.toml").write_text(GOOD, encoding="utf-8")
    (folder / "wrong.toml").write_text("name = 1", encoding="utf-8")
    words = ["--server", "http://127.0.0.1:1", "--hall", "h", "--state", str(tmp_path / "state")]
    render: Any = None
    assert await agent_cli.run(parser.parse_args(words), render, render) == 0
    assert found == ["mine"]
