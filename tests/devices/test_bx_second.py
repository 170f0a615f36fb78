"""What the driver writes and the emulated card answers means the same to another hand (HARDWARE 2.5, 7.3; issue 3)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.emulators.bx import EmulatedBx
from devices.emulators.rs485 import Rs485BusEmulator
from devices.framing.bx import EVERY_CARD, NO_ANSWER, BxFrame, encode_bx
from devices.framing.stream import Framer
from devices.protocols import bxdata
from devices.protocols.bx import BxProtocol, BxSettings, order_of, place
from devices.protocols.bxdata import BxArea, BxStatus, BxUpdate, encode_status, encode_time, encode_update
from devices.transport import transport
from tests.devices import independent_bx as second
from tests.devices import vectors_bx as vectors
from tests.devices.test_bx_framing import CARD_SIDE, HOST_SIDE, frames

calm = settings(max_examples=60)  # the machine is shared


def read(frame: BxFrame) -> second.Packet:
    (packet,) = second.packets(encode_bx(frame))
    return packet


def order(command: tuple[int, int], data: bytes = b"", **own: Any) -> second.Packet:
    return read(order_of(BxSettings(**own), 1, command, data))


byte = st.integers(0, 255)
word = st.integers(0, 0xFFFF)
words = st.text(st.sampled_from("A042请到窗口三号\\C1 "), max_size=12)
written_areas = st.builds(
    BxArea,
    byte,
    words.map(lambda text: text.encode("gb2312")),
    *(word, word, word, word, st.just(0), byte, byte, word),
    extra=byte.map(lambda align: bytes((0, 0, align))),
    single_line=st.integers(1, 2),
    wrap=st.integers(1, 2),
    effect=byte,
    exit=byte,
    speed=byte,
    stay=byte,
)


def _same(theirs: second.Area, ours: BxArea) -> None:
    assert (theirs.id, theirs.x, theirs.y, theirs.width, theirs.height) == (
        ours.id,
        ours.x,
        ours.y,
        ours.width,
        ours.height,
    )
    assert theirs.text == ours.text.decode("gb2312")
    assert (theirs.line_gap, theirs.run_mode, theirs.timeout_s) == (ours.line_gap, ours.run_mode, ours.timeout_s)
    assert (theirs.voice, theirs.layout, theirs.align) == (None, None, ours.extra[2])
    assert (theirs.single_line, theirs.wrap) == (ours.single_line == 1, ours.wrap == 2)
    assert (theirs.show, theirs.leave, theirs.speed, theirs.stay) == (ours.effect, ours.exit, ours.speed, ours.stay)


@calm
@given(
    gone=st.one_of(st.none(), st.lists(byte, max_size=5).map(tuple)),
    shown=st.lists(written_areas, max_size=4),
    counted=st.booleans(),
)
def test_hardware_2_5_an_update_says_what_was_meant(
    gone: tuple[int, ...] | None, shown: list[BxArea], counted: bool
) -> None:
    data = encode_update(BxUpdate(gone, tuple(shown)))
    packet = order(bxdata.AREAS, data, counted=counted)
    assert (packet.to, packet.sender, packet.command) == (1, 0x8000, "a306")
    assert second.wants_answer(packet.rest)
    assert (second.counted(packet.rest), packet.rest[1:3] == b"\0\0") == (counted, not counted)
    update = second.update(packet.rest)
    assert update.delete == gone
    assert len(update.areas) == len(shown)
    for theirs, ours in zip(update.areas, shown, strict=True):
        _same(theirs, ours)


@pytest.mark.parametrize("unit", ["8px", "flag"])
def test_hardware_2_5_both_units_are_the_same_dots(unit: Any) -> None:
    own = BxSettings(rows=3, x=64, y=16, width=128, height=24, unit=unit)
    (area,) = second.update(order(bxdata.AREAS, encode_update(BxUpdate((), (place(own, 2, b"A042"),)))).rest).areas
    assert area.dots == (64, 64, 128, 24)


def test_hardware_2_5_the_makers_examples_for_both_generations() -> None:
    (old,), (new,) = (second.packets(bytes.fromhex(raw)) for raw in (vectors.EXAMPLE_5K, vectors.EXAMPLE_6K))
    (area,) = second.areas(old.rest)
    assert (area.dots, area.text, area.show, area.wrap, area.stay) == ((0, 0, 192, 32), "012345QRSTTV'B", 3, True, 5)
    assert (second.counted(old.rest), second.counted(new.rest)) == (True, False)
    (area,) = second.areas(new.rest)
    assert (area.dots, area.text, area.show, area.wrap, area.stay) == ((0, 0, 128, 32), "欢迎光临", 1, False, 10)
    assert new.to == second.ANSWERED_BY_ALL == EVERY_CARD
    assert NO_ANSWER == second.NOT_ANSWERED


@calm
@given(level=st.integers(0, 15), on=st.booleans(), when=st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31)))  # noqa: DTZ001
def test_hardware_2_5_orders_say_what_was_meant(level: int, on: bool, when: datetime) -> None:
    talk = BxProtocol(7)
    for sent in (
        *talk.set_brightness(level),
        *talk.set_power(on),
        *talk.set_time(when),
        *talk.ask_status(),
        *talk.ping(),
    ):
        packet = read(sent.frame)  # type: ignore[union-attr]
        assert packet.to == 7
        match packet.command:
            case "a302":
                assert second.brightness(packet.rest) == level
            case "a300":
                assert second.power(packet.rest) is on
            case "a203":
                assert second.clock(packet.rest) == f"{when:%Y-%m-%d %H:%M:%S}"
            case _:
                assert (packet.command, packet.rest) in (("a102", b"\1\0\0"), ("a200", b"\1\0\0"))


@calm
@given(
    status=st.builds(
        BxStatus,
        st.booleans(),
        st.integers(0, 15),
        st.just("2013-01-25 11:17:26"),
        byte,
        st.lists(byte, max_size=8).map(tuple),
        st.text(st.sampled_from("5KMX16-Y"), max_size=16),
    )
)
def test_hardware_2_5_a_status_says_what_was_meant(status: BxStatus) -> None:
    clock = encode_time(datetime(2013, 1, 25, 11, 17, 26))  # noqa: DTZ001
    data = encode_status(status, clock)
    packet = read(BxFrame(1, *bxdata.STATUS, b"\0\0\0" + data, to_host=True))
    told = second.status(packet.rest)
    assert (told.on, told.brightness, told.clock, told.programs) == (
        status.on,
        status.brightness,
        status.clock,
        status.programs,
    )
    assert (told.areas, told.barcode) == (status.areas, status.barcode)


@pytest.mark.parametrize("verify", [second.CHECKED_BY_CRC, second.CHECKED_BY_SUM, second.UNCHECKED])
def test_hardware_2_5_each_way_to_check_a_packet(verify: int) -> None:
    ours = BxFrame(1, *bxdata.PING, b"\x01\0\0", verify=verify)
    raw = encode_bx(ours)
    assert second.packets(raw) == [second.Packet(1, 0x8000, "a200", b"\x01\0\0")]
    theirs = second.build(1, 0x8000, "a200", b"\x01\0\0", check=verify)
    assert frames(theirs, HOST_SIDE) == [ours]
    wrong = theirs[:-3] + bytes((theirs[-3] ^ 4,)) + theirs[-2:]
    heard = [x for x in frames(wrong, HOST_SIDE) if isinstance(x, BxFrame)]
    assert [(x.address, x.rest) for x in heard] == [(p.to, p.rest) for p in second.packets(wrong)]
    assert len(heard) == (verify == second.UNCHECKED)


def test_hardware_2_5_a_way_to_check_that_nobody_published_is_no_frame() -> None:
    raw = bytearray(bytes.fromhex(vectors.PING))
    raw[16] = 3
    raw[-3:-1] = second.arc(bytes(raw[8:-3])).to_bytes(2, "little")
    assert second.packets(bytes(raw)) == []
    assert not [x for x in frames(bytes(raw), HOST_SIDE) if isinstance(x, BxFrame)]


@pytest.mark.parametrize(
    ("flag", "barcode"), [(0, b""), (1, b"5K1-0123456789AB"), (2, b""), (0xFF, b"5K1-0123456789AB")]
)
def test_hardware_2_5_one_bit_says_that_a_barcode_follows(flag: int, barcode: bytes) -> None:
    head = bytes.fromhex("01 00 00 80 00 00 00") + bytes((flag,)) + barcode
    packet = head + bytes.fromhex("00 00 FE 02 05 00 A2 00 01 00 00")
    raw = b"\xa5" * 8 + packet + second.arc(packet).to_bytes(2, "little") + b"\x5a"
    (theirs,), (ours,) = second.frames(raw), frames(raw, HOST_SIDE)
    assert (theirs.barcode, theirs.data) == (ours.barcode, bytes((ours.group, ours.number)) + ours.rest)
    assert theirs.barcode == barcode


def test_hardware_2_5_an_answer_to_everybody_comes_from_everybodys_address() -> None:
    (packet,) = second.packets(bytes.fromhex(vectors.ACK_TO_EVERY))
    assert (packet.to, packet.sender, second.answer(packet)) == (0x8000, 0xFFFE, second.Answer(True, 0))
    heard = [x for x in frames(bytes.fromhex(vectors.ACK_TO_EVERY), CARD_SIDE) if isinstance(x, BxFrame)]
    assert [(x.address, x.group, x.number) for x in heard] == [(EVERY_CARD, *bxdata.TAKEN)]


@pytest.mark.parametrize("error", range(1, len(second.ERRORS)))
def test_hardware_7_4_a_refusal_gives_the_makers_number(error: int) -> None:
    (frame,) = Framer((CARD_SIDE,)).feed(second.build(0x8000, 1, "a001", bytes((error, 0, 0))))
    assert isinstance(frame, BxFrame)
    assert second.answer(read(frame)) == second.Answer(False, error)
    assert bxdata.refusal(frame) == bxdata.ERRORS[error] != ""


@pytest.mark.parametrize("rest", [b"", b"\0\0\0", b"\x11\0\0"])
def test_hardware_7_4_a_refusal_without_a_published_number_is_told_in_bytes(rest: bytes) -> None:
    assert bxdata.refusal(BxFrame(1, *bxdata.REFUSED, rest, to_host=True)) == rest.hex(" ")


@asynccontextmanager
async def card() -> AsyncIterator[tuple[EmulatedBx, Any]]:
    """An emulated card with the number 1, and a line to it."""
    emulated = EmulatedBx(1)
    async with Rs485BusEmulator("tcp://127.0.0.1:0", (emulated,)) as emulator:
        line = transport(emulator.url)
        await line.open()
        try:
            yield emulated, line
        finally:
            await line.close()


async def test_hardware_7_3_the_emulated_card_obeys_and_answers_another_hand() -> None:
    async with card() as (emulated, line):

        async def ask(command: str, parameters: bytes = b"", to: int = 1) -> second.Packet:
            await line.write(second.build(to, 0x8000, command, b"\x01\0\0" + parameters))
            (packet,) = second.packets(await line.read())
            assert (packet.to, packet.sender) == (0x8000, to)
            return packet

        taken = second.Answer(True, 0)
        assert second.answer(await ask("a200")) == taken
        assert second.answer(await ask("a200", to=second.ANSWERED_BY_ALL)) == taken
        assert second.answer(await ask("a300", b"\x02")) == taken
        assert second.answer(await ask("a302", b"\x01\x07" + b"\x01" * 48)) == taken
        assert second.answer(await ask("a203", bytes.fromhex("13 20 01 25 11 17 26 05"))) == taken
        assert second.answer(await ask("a306", bytes.fromhex(vectors.UPDATES[0][0]))) == taken
        status = second.status((await ask("a102")).rest)
        assert (status.on, status.brightness, status.clock) == (False, 7, "2013-01-25 11:17:26")
        assert (status.areas, status.barcode) == ((0, 1), "EMULATED")
        assert second.answer(await ask("a300", b"\x03")) == second.Answer(False, second.ERRORS.index("command"))
        emulated.refuse = 1
        assert second.answer(await ask("a306", b"\xff\x00")) == second.Answer(False, second.ERRORS.index("busy"))
        assert second.answer(await ask("a306", b"\xff\x00")) == taken
        assert emulated.areas == {}


async def test_hardware_7_3_the_emulated_card_is_silent_where_no_answer_is_wanted() -> None:
    async with card() as (emulated, line):
        for to, wanted in ((1, 2), (second.NOT_ANSWERED, 1)):
            await line.write(second.build(to, 0x8000, "a302", bytes((wanted, 0, 0, 1, to & 7))))
        await line.write(second.build(1, 0x8000, "a102", b"\x01\0\0"))
        (packet,) = second.packets(await line.read())
        assert (packet.command, second.status(packet.rest).brightness) == ("a102", 7)
        assert emulated.brightness == 7


@pytest.mark.parametrize(
    ("body", "voice", "layout"),
    [
        ("01 24 05 04 00 00", second.Voice(4, 2, 5, 4, None), None),
        ("02 10 05 04 02 00 00 00 C7 EB 00 00", second.Voice(0, 1, 5, 4, "请"), None),
        ("00 01 00 02 00", None, 2),
    ],
)
def test_hardware_2_5_voice_and_extensions_are_refused_and_not_misread(
    body: str, voice: second.Voice | None, layout: int | None
) -> None:
    """What a 6K-YY card can be told, and the driver does not tell."""
    area = bytes.fromhex(f"00 00 00 00 00 08 00 10 00 07 00 00 00 00 {body} 01 01 01 00 00 0A 04 00 00 00") + b"A042"
    data = b"\x00\x01" + len(area).to_bytes(2, "little") + area
    (read_area,) = second.areas(b"\x01\0\0" + data)
    assert (read_area.id, read_area.text, read_area.voice, read_area.layout) == (7, "A042", voice, layout)
    with pytest.raises(ValueError, match="voice, extras"):
        bxdata.decode_update(data)
