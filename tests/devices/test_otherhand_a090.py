"""What A0 90 strips and boards are told and answer means the same to another hand (HARDWARE 2.2, 7.5)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import reduce
from itertools import pairwise
from operator import xor

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from devices.emulators.nodes import EmulatedStrip, take_apart
from devices.framing.a090 import A090, LONGEST_ACK, LONGEST_DATA, A090Ack, A090Frame, encode_a090
from devices.framing.stream import Framer, Garbage
from devices.protocols.base import Send
from devices.protocols.strip import StripProtocol, StripSettings
from tests.devices.otherhand import Skipped, a090

calm = settings(max_examples=60)  # the machine is shared


def coloured(text: str, colour: str) -> tuple[a090.Cell, ...]:
    return tuple(a090.Cell(character, colour) for character in text)


LITERALS = [
    ("A0 90 03 A5 00 08 41 00 30 00 34 00 32 00 D9", a090.Showed(3, coloured("A042", "red"))),
    ("A0 90 03 A5 00 05 C7 EB 00 41 00 CE", a090.Showed(3, coloured("请A", "red"))),
    ("A0 90 03 A5 00 08 41 01 30 01 34 01 32 01 D9", a090.Showed(3, coloured("A042", "green"))),
    ("A0 90 03 A1 00 00 A2", a090.RomShown(3)),
]


def build(address: int, command: int, data: bytes = b"") -> bytes:
    """A frame from the table of HARDWARE 2.2."""
    body = bytes((address, command, len(data) >> 8, len(data) & 255)) + data
    return a090.LEAD + body + bytes((reduce(xor, body),))


def data_of(cells: Sequence[a090.Cell]) -> bytes:
    """DATA from the table: each character, then its colour."""
    return b"".join(
        cell.character.encode("gbk") + bytes((a090.COLOURS.index(cell.colour),)) for cell in cells
    )  # fmt: skip


def ours(raw: bytes, cuts: Sequence[int] = (), *, host: bool) -> list[A090Frame | A090Ack]:
    """What the project finds in the ear of a board (what a `host` says) or of a host, whatever the pieces."""
    framer: Framer[A090Frame | A090Ack] = Framer(A090.hosts if host else A090.from_device)
    edges = [0, *sorted(min(cut, len(raw)) for cut in cuts), len(raw)]
    found = [item for start, end in pairwise(edges) for item in framer.feed(raw[start:end])]
    return [item for item in found + framer.flush() if not isinstance(item, Garbage)]


def frames_of(raw: bytes, cuts: Sequence[int] = ()) -> list[A090Frame]:
    return [item for item in ours(raw, cuts, host=True) if isinstance(item, A090Frame)]


def acks_of(raw: bytes, cuts: Sequence[int] = ()) -> list[A090Ack]:
    return [item for item in ours(raw, cuts, host=False) if isinstance(item, A090Ack)]


def heard(raw: bytes) -> list[a090.FromHost]:
    """The frames that this decoder finds."""
    return [item for item in a090.decode(raw) if not isinstance(item, Skipped)]


def answers(raw: bytes) -> list[A090Ack]:
    """The answers that this decoder finds, as the project writes them down."""
    return [A090Ack(x.address, x.between) for x in a090.decode_answers(raw) if isinstance(x, a090.Acknowledged)]


def same(theirs: a090.FromHost, frame: A090Frame) -> bool:
    """Whether both hands read the same in a frame."""
    match theirs:
        case a090.Showed(address, cells) | a090.RomSet(address, cells):
            command = 0xA5 if isinstance(theirs, a090.Showed) else 0xA2
            digits = "".join(str(a090.COLOURS.index(cell.colour)) for cell in cells)
            text = "".join(cell.character for cell in cells)
            return (frame.address, frame.command, *take_apart(frame.data)) == (address, command, text, digits)
        case a090.RomShown(address):
            return frame == A090Frame(address, 0xA1)
        case a090.Unlisted(address, command, data, _):
            return frame == A090Frame(address, command, data)
        case _:
            return False


addresses = st.integers(0, 255)
gbk = st.characters(min_codepoint=0x20).filter(lambda c: c.encode("gbk", "ignore") != b"")
cells = st.builds(a090.Cell, gbk | st.sampled_from("A042请号到窗口"), st.sampled_from(a090.COLOURS))
texts = st.lists(cells, max_size=20).map(tuple)
commands = st.sampled_from((0xA5, 0xA1, 0xA2))
frames = st.one_of(
    st.builds(build, addresses, commands, st.binary(max_size=40)),
    st.builds(build, addresses, st.sampled_from((0xA5, 0xA2)), texts.map(data_of)),
)
acks = st.builds(
    lambda address, between: a090.LEAD + bytes((address,)) + between + b"\xa5\xaa",
    addresses,
    st.one_of(st.binary(max_size=3), st.lists(st.sampled_from(b"\xa5\xa1\x00\x05\x07"), max_size=3).map(bytes)),
)
shards = st.one_of(
    st.binary(max_size=12),
    st.lists(st.sampled_from(b"\xa0\x90\xa5\xaa\xa1\x00\x03"), max_size=16).map(bytes),
    st.tuples(frames | acks, st.integers(0, 20)).map(lambda cut: cut[0][: cut[1]]),
    st.tuples(frames | acks, st.integers(0, 20), st.integers(1, 255)).map(
        lambda hit: bytes(byte ^ hit[2] if at == hit[1] else byte for at, byte in enumerate(hit[0]))
    ),
)
cuts = st.lists(st.integers(0, 300), max_size=8)


@pytest.mark.parametrize(("raw", "meaning"), LITERALS)
def test_hardware_2_2_every_literal(raw: str, meaning: a090.FromHost) -> None:
    assert a090.decode(bytes.fromhex(raw)) == [meaning]
    (frame,) = frames_of(bytes.fromhex(raw))
    assert same(meaning, frame)


def test_hardware_2_2_the_minimal_acknowledgement() -> None:
    raw = bytes.fromhex("A0 90 03 A5 AA")
    assert a090.decode_answers(raw) == [a090.Acknowledged(3, b"")]
    assert acks_of(raw) == answers(raw) == [A090Ack(3)]


@pytest.mark.parametrize("between", ["A5", "A5 00", "A5 00 05", "A5 00 00", "A1 00 08", "A2", "00", "01 02 03"])
def test_hardware_2_2_an_acknowledgement_of_the_longer_form_may_repeat_the_head_of_the_text(between: str) -> None:
    raw = bytes.fromhex(f"A0 90 03 {between} A5 AA")
    assert a090.decode_answers(raw) == [a090.Acknowledged(3, bytes.fromhex(between))]
    assert acks_of(raw) == answers(raw)
    assert acks_of(raw + raw) == answers(raw + raw)


@pytest.mark.parametrize("colour", a090.COLOURS)
def test_hardware_2_2_colours_tested_with_an_odd_number_of_characters(colour: str) -> None:
    (sent,) = StripProtocol(3).set_pages([[("请A0", colour)]], 0)
    assert isinstance(sent, Send)
    assert a090.decode(encode_a090(sent.frame)) == [a090.Showed(3, coloured("请A0", colour))]


@calm
@given(addresses, st.lists(st.tuples(st.text(max_size=12), st.sampled_from(a090.COLOURS)), max_size=4))
def test_hardware_2_2_a_page_says_what_was_meant(address: int, page: list[tuple[str, str]]) -> None:
    """What GBK lacks, and what would end a frame, is shown as 〓 (docs/devices/a0-90.md)."""
    (sent,) = StripProtocol(address, StripSettings(longest_text=LONGEST_DATA)).set_pages([page], 0)
    assert isinstance(sent, Send)
    meant = [
        a090.Cell(character if character.encode("gbk", "ignore")[:1] >= b" " else "〓", colour)
        for text, colour in page
        for character in text
    ]
    assert a090.decode(encode_a090(sent.frame)) == [a090.Showed(address, tuple(meant))]


@calm
@given(texts, st.integers(1, 12))
def test_hardware_2_2_a_text_that_is_too_long_ends_at_a_character(text: tuple[a090.Cell, ...], longest: int) -> None:
    page = [(cell.character, cell.colour) for cell in text]
    (sent,) = StripProtocol(3, StripSettings(longest_text=longest)).set_pages([page], 0)
    assert isinstance(sent, Send)
    (shown,) = a090.decode(encode_a090(sent.frame))
    assert isinstance(shown, a090.Showed)
    assert shown.cells == text[: len(shown.cells)]
    assert len(shown.text.encode("gbk")) <= longest


@calm
@given(addresses, texts, st.sampled_from((0xA5, 0xA2)))
def test_hardware_7_3_the_emulated_strip_shows_what_another_hand_says(
    address: int, text: tuple[a090.Cell, ...], command: int
) -> None:
    raw = build(address, command, data_of(text))
    (meaning,) = a090.decode(raw)
    (frame,) = frames_of(raw)
    assert same(meaning, frame)
    strip = EmulatedStrip(address)
    strip.acks = False
    asyncio.run(strip.receive(frame))
    words = "".join(cell.character for cell in text)
    assert (strip.text, strip.stored) == ((words, "") if command == 0xA5 else ("", words))
    asyncio.run(strip.receive(frames_of(build(address, 0xA1))[0]))
    assert strip.text == strip.stored


@calm
@given(st.lists(st.one_of(frames, shards), max_size=8).map(b"".join), cuts)
def test_hardware_2_2_in_any_noise_and_any_pieces_the_same_frames(raw: bytes, cuts: list[int]) -> None:
    found = heard(raw)
    # A command that stands in no table, or half a second of data, is noise to the project: there may be more inside.
    assume(not any(isinstance(item, a090.Unlisted) and item.reason == "command" for item in found))
    frames = frames_of(raw, cuts)
    assert len(frames) == len(found)
    for theirs, frame in zip(found, frames, strict=True):
        # A frame whose data divides into no characters is one to both; the project shows what it can of it.
        assert same(theirs, frame)


@calm
@given(st.lists(st.one_of(acks, st.binary(max_size=6)), max_size=8).map(b"".join), cuts)
def test_hardware_2_2_in_any_noise_and_any_pieces_the_same_answers(raw: bytes, cuts: list[int]) -> None:
    """The longer form is not published; both take what is no longer than the project's bound."""
    assume(not any(not isinstance(item, Skipped) for item in a090.decode(raw)))
    found = answers(raw)
    assume(all(len(ack.extra) <= LONGEST_ACK - 5 for ack in found))
    assert acks_of(raw, cuts) == found


@calm
@given(st.binary(max_size=300) | st.lists(st.one_of(frames, acks, shards), max_size=8).map(b"".join))
def test_hardware_2_2_nothing_raises_and_no_byte_is_lost(raw: bytes) -> None:
    for skipped in (each for each in a090.decode(raw) if isinstance(each, Skipped)):
        assert skipped.data in raw
        assert skipped.data
    again = [
        each.data if isinstance(each, Skipped) else encode_a090(A090Ack(each.address, each.between))
        for each in a090.decode_answers(raw)
    ]
    assert b"".join(again) == raw


@calm
@given(addresses, commands, st.binary(max_size=40), st.integers(0, 7))
def test_hardware_2_2_a_flipped_bit_of_the_xor_is_refused_by_both(
    address: int, command: int, data: bytes, bit: int
) -> None:
    good = build(address, command, data)
    wrong = good[:-1] + bytes((good[-1] ^ 1 << bit,))
    frame = A090Frame(address, command, data)
    assert frames_of(good) == [frame]
    assert same(heard(good)[0], frame)
    assert frame not in frames_of(wrong)
    assert not any(same(theirs, frame) for theirs in heard(wrong))
