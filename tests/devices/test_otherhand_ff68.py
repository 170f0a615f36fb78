"""What FF68 keypads and rating devices say and hear means the same to another hand (HARDWARE 1.1, 2.1, 7.5)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from devices.emulators.nodes import EmulatedKeypad, EmulatedRatingPad
from devices.framing.ff68 import FF68, LONGEST_DATA, Ff68Frame, encode_ff68
from devices.framing.stream import Framer, Garbage
from devices.protocols.base import Send
from devices.protocols.keymaps import HALL_QUEUE_FRONT, JACK_Q_CHEN, Action, Key
from devices.protocols.keypad import KeyAction, KeypadProtocol
from devices.protocols.rating import HALL_QUEUE_FRONT_LEVELS, AckVariant, Press, RatingProtocol, RatingSettings
from tests.devices.otherhand import Skipped, ff68

calm = settings(max_examples=60)  # the machine is shared

# HARDWARE 1.1, 2.1: what a host hears.
ANSWERS = [
    ("FF 68 03 03 68 07 11 00 18 16", ff68.Rated(7, 0)),
    ("FF 68 03 03 68 07 11 01 19 16", ff68.Rated(7, 1)),
    ("FF 68 03 03 68 07 11 03 1B 16", ff68.Rated(7, 3)),
    ("FF 68 03 03 68 87 11 03 9B 16", ff68.Rated(0x87, 3)),
    ("FF 68 03 03 68 07 01 0C 14 16", ff68.Pressed(7, "", "call")),
    ("FF 68 03 03 68 07 01 0D 15 16", ff68.Pressed(7, "", "recall")),
    ("FF 68 03 03 68 07 01 0B 13 16", ff68.Pressed(7, "", "wait")),
    ("FF 68 03 03 68 07 01 12 1A 16", ff68.Pressed(7, "", "pause")),
    ("FF 68 03 03 68 07 01 13 1B 16", ff68.Pressed(7, "", "transfer")),
    ("FF 68 04 04 68 07 01 03 0A 15 16", ff68.Pressed(7, "3", "start")),
    ("FF 68 04 04 68 07 01 06 0F 1D 16", ff68.Pressed(7, "6", "function")),
    ("FF 68 04 04 68 07 01 00 0F 17 16", ff68.Pressed(7, "0", "function")),
    ("FF 68 04 04 68 07 01 03 0F 1A 16", ff68.Pressed(7, "3", "function")),
    ("FF 68 04 04 68 07 01 05 0F 1C 16", ff68.Pressed(7, "5", "function")),
]
# And what it says. Of one byte below 0x80 the tables allow several readings (7.5).
SAID = [
    ("FF 68 03 03 68 07 01 00 08 16", ff68.RatingTaken(7, "A", 0)),
    ("FF 68 03 03 68 07 01 01 09 16", ff68.RatingTaken(7, "A", 1)),
    ("FF 68 03 03 68 07 01 03 0B 16", ff68.RatingTaken(7, "A", 3)),
    ("FF 68 03 03 68 87 01 03 8B 16", ff68.RatingTaken(0x87, "A", 3)),
    ("68 02 02 68 87 01 88 16", ff68.RatingTaken(0x87, "B", None)),
    ("FF 68 03 03 68 07 02 05 0E 16", ff68.Shown(7, "5", None, 5)),
    ("FF 68 03 03 68 07 01 0B 13 16", ff68.StartEvaluation(7, or_echoed_key=True)),
    ("FF 68 08 08 68 07 02 0A 0A 0A 00 04 02 2D 16", ff68.Shown(7, "___042", None, None)),
    ("FF 68 08 08 68 07 02 00 01 05 0A 0A 0A 2D 16", ff68.Shown(7, "015___", None, None)),
    ("FF 68 03 03 68 07 02 01 0A 16", ff68.Shown(7, None, True, 1)),
    ("FF 68 03 03 68 07 02 00 09 16", ff68.Shown(7, None, False, 0)),
    ("FF 68 02 02 68 07 03 0A 16", ff68.Beeped(7)),
]
# HARDWARE 2.1's table of keys: digits and key, and what HallQueFront and JackQChen make of them.
MEANT: list[tuple[str, Key, Action | None, Action | None]] = [
    ("3", Key.START, Action.TRANSFER, Action.TRANSFER),
    ("", Key.WAIT, Action.EVALUATE, Action.EVALUATE),
    ("0", Key.WAIT, Action.HOLD, None),
    ("", Key.CALL, Action.NEXT, Action.NEXT),
    ("042", Key.CALL, Action.CALL, Action.CALL),
    ("", Key.RECALL, Action.RECALL, Action.RECALL),
    ("", Key.CANCEL, None, None),
    ("", Key.METRE, None, None),
    ("", Key.PAUSE, None, Action.PAUSE),
    ("", Key.TRANSFER, None, Action.TRANSFER),
    ("1001", Key.FUNCTION, Action.SIGN_IN, None),
    ("5", Key.FUNCTION, Action.NO_SHOW, None),
    ("6", Key.FUNCTION, Action.CALL_GUARD, Action.NO_SHOW),
    ("7", Key.FUNCTION, Action.CALL_MANAGER, None),
    ("9", Key.FUNCTION, Action.CALL_ADVISER, None),
    ("4", Key.FUNCTION, Action.SIGN_OUT, None),
    ("0", Key.FUNCTION, Action.PAUSE, Action.HOLD),
    ("2", Key.FUNCTION, Action.RESUME, None),
    ("3", Key.FUNCTION, None, Action.CALL_BACK),
]


def build(address: int, function: int, data: bytes = b"", *, lead: bool = True) -> bytes:
    """A frame from the table of HARDWARE 1.1."""
    twice = bytes((2 + len(data),)) * 2
    body = bytes((address, function)) + data
    return b"\xff" * lead + b"\x68" + twice + b"\x68" + body + bytes((sum(body) & 255, 0x16))


def ours(raw: bytes, cuts: Sequence[int] = ()) -> list[Ff68Frame]:
    """The frames that the project finds, whatever the pieces in which they come."""
    framer: Framer[Ff68Frame] = Framer(FF68.from_device)
    edges = [0, *sorted(min(cut, len(raw)) for cut in cuts), len(raw)]
    found = [item for start, end in pairwise(edges) for item in framer.feed(raw[start:end])]
    return [item for item in found + framer.flush() if not isinstance(item, Garbage)]


def theirs(raw: bytes) -> list[Ff68Frame]:
    """The frames that this decoder finds, as the project writes them down."""
    found = [item for item in ff68.frames(raw) if not isinstance(item, Skipped)]
    return [Ff68Frame(each.address, each.function, each.data, each.lead) for each in found]


def said(sent: Sequence[object]) -> list[ff68.FromHost]:
    """What the frames to send mean to this decoder."""
    return ff68.decode(b"".join(encode_ff68(each.frame) for each in sent if isinstance(each, Send)))


addresses = st.integers(0, 255)
keypads = st.integers(1, 0x7F)
pads = st.integers(0x81, 0xFF)
digits = st.text("0123456789", max_size=12)
keys = st.sampled_from(Key)
frames = st.builds(build, addresses, st.integers(0, 255), st.binary(max_size=LONGEST_DATA), lead=st.booleans())
listed = st.builds(build, addresses, st.sampled_from((1, 2, 3, 0x11)), st.binary(max_size=8), lead=st.booleans())
# Noise that looks like the protocol: parts of frames, twin lengths, frames with a byte changed.
shards = st.one_of(
    st.binary(max_size=12),
    st.lists(st.sampled_from(b"\xff\x68\x02\x03\x16\x07\x11"), max_size=16).map(bytes),
    st.tuples(listed, st.integers(0, 14)).map(lambda cut: cut[0][: cut[1]]),
    st.tuples(listed, st.integers(0, 14), st.integers(1, 255)).map(
        lambda hit: bytes(byte ^ hit[2] if at == hit[1] else byte for at, byte in enumerate(hit[0]))
    ),
)
streams = st.lists(st.one_of(frames, listed, shards), max_size=10).map(b"".join)


@pytest.mark.parametrize(("raw", "meaning"), ANSWERS)
def test_hardware_1_1_and_2_1_every_literal_of_a_device(raw: str, meaning: ff68.FromDevice) -> None:
    assert ff68.decode_answers(bytes.fromhex(raw)) == [meaning]
    assert ours(bytes.fromhex(raw)) == theirs(bytes.fromhex(raw)) != []


@pytest.mark.parametrize(("raw", "meaning"), SAID)
def test_hardware_1_1_and_2_1_every_literal_of_a_host(raw: str, meaning: ff68.FromHost) -> None:
    assert ff68.decode(bytes.fromhex(raw)) == [meaning]
    assert ours(bytes.fromhex(raw)) == theirs(bytes.fromhex(raw)) != []


@calm
@given(streams, st.lists(st.integers(0, 300), max_size=8))
def test_hardware_1_1_in_any_noise_and_any_pieces_the_same_frames(raw: bytes, cuts: list[int]) -> None:
    found = theirs(raw)
    # The project takes a longer frame for noise (docs/devices/ff68.md), and may find another one inside it.
    assume(all(len(frame.data) <= LONGEST_DATA for frame in found))
    assert ours(raw, cuts) == found


@calm
@given(st.binary(max_size=300) | streams)
def test_hardware_1_1_every_byte_is_in_a_frame_or_skipped_and_nothing_raises(raw: bytes) -> None:
    found = ff68.frames(raw)
    again = [each.data if isinstance(each, Skipped) else build(each.address, each.function, each.data, lead=each.lead)
             for each in found]  # fmt: skip
    assert b"".join(again) == raw
    assert len(ff68.decode(raw)) == len(ff68.decode_answers(raw)) == len(found)


@calm
@given(addresses, st.integers(0, 255), st.binary(max_size=LONGEST_DATA), st.integers(0, 7), st.booleans())
def test_hardware_1_1_a_flipped_bit_of_the_sum_or_the_end_is_refused_by_both(
    address: int, function: int, data: bytes, bit: int, end: bool
) -> None:
    good = build(address, function, data)
    at = len(good) - (1 if end else 2)
    wrong = good[:at] + bytes((good[at] ^ 1 << bit,)) + good[at + 1 :]
    frame = Ff68Frame(address, function, data)
    assert ours(good) == theirs(good) == [frame]
    assert frame not in ours(wrong)
    assert ours(wrong) == theirs(wrong)
    assert ours(wrong + good)[-1:] == theirs(wrong + good)[-1:] == [frame]


@pytest.mark.parametrize(("typed", "key", "hall", "jack"), MEANT)
def test_hardware_2_1_a_key_asks_for_what_the_table_says(
    typed: str, key: Key, hall: Action | None, jack: Action | None
) -> None:
    raw = build(7, 0x01, bytes((*map(int, typed), key)))
    assert ff68.decode_answers(raw) == [ff68.Pressed(7, typed, ff68.KEYS[key])]
    (frame,) = ours(raw)
    for keymap, meant in ((HALL_QUEUE_FRONT, hall), (JACK_Q_CHEN, jack)):
        outputs = KeypadProtocol(7, keymap).receive(frame, 0)
        assert [each.action for each in outputs if isinstance(each, KeyAction)] == ([] if meant is None else [meant])


@calm
@given(keypads, digits, keys)
def test_hardware_2_1_a_press_comes_back_unchanged(address: int, typed: str, key: Key) -> None:
    raw = build(address, 0x01, bytes((*map(int, typed), key)))
    assert ff68.decode_answers(raw) == [ff68.Pressed(address, typed, ff68.KEYS[key])]
    (frame,) = ours(raw)
    sent, *_ = KeypadProtocol(address, HALL_QUEUE_FRONT).receive(frame, 0)
    assert isinstance(sent, Send)
    assert encode_ff68(sent.frame) == raw
    echo = ff68.EchoedKey(address, typed, ff68.KEYS[key])
    started = ff68.StartEvaluation(address, or_echoed_key=True)
    assert ff68.decode(raw) == [started if (typed, key) == ("", Key.WAIT) else echo]


@calm
@given(keypads, st.text(st.sampled_from("0123456789A -号"), max_size=9))
def test_hardware_2_1_what_a_keypad_is_told_reads_the_same(address: int, text: str) -> None:
    talk = KeypadProtocol(address, HALL_QUEUE_FRONT)
    cells = "".join(character if character in "0123456789" else "_" for character in text[-6:]).rjust(6, "_")
    assert said(talk.show(text)) == [ff68.Shown(address, cells, None, None)]
    assert said(talk.beep()) == [ff68.Beeped(address)]
    failed = [ff68.Shown(address, None, False, 0), ff68.Beeped(address)]
    for ok, now_ms, meaning in ((True, 0, [ff68.Shown(address, None, True, 1)]), (False, 5000, failed)):
        (action,) = [x for x in talk.receive(Ff68Frame(address, 1, b"\x0c"), now_ms) if isinstance(x, KeyAction)]
        assert said(talk.answer(action.token, ok=ok)) == meaning


def test_hardware_2_1_a_keypad_that_shows_its_address() -> None:
    outputs = KeypadProtocol(17, HALL_QUEUE_FRONT).receive(Ff68Frame(17, 1, b"\x08\x0f"), 0)
    assert said(outputs) == [ff68.EchoedKey(17, "8", "function"), ff68.Shown(17, "____17", None, None)]


@calm
@given(addresses, st.sampled_from(ff68.LEVELS), st.sampled_from(AckVariant))
def test_hardware_1_1_a_rating_and_both_acknowledgements(address: int, level: int, ack: AckVariant) -> None:
    raw = build(address, 0x11, bytes((level,)))
    assert ff68.decode_answers(raw) == [ff68.Rated(address, level)]
    talk = RatingProtocol(address, RatingSettings(HALL_QUEUE_FRONT_LEVELS, ack))
    (frame,) = ours(raw)
    (press,) = talk.receive(frame, 0)
    assert isinstance(press, Press)
    assert press.level == level + 1  # 0 差 … 4 很好
    (taken,) = talk.stored(press.token)
    assert said([taken]) == [ff68.RatingTaken(address, ack.upper(), level if ack is AckVariant.A else None)]
    if ack is AckVariant.A:
        # "Echo with FUNC 0x11→0x01, CHK−0x10."
        assert encode_ff68(taken.frame) == raw[:6] + b"\x01" + raw[7:8] + bytes(((raw[8] - 0x10) % 256,)) + b"\x16"
    else:
        assert encode_ff68(taken.frame) == bytes((0x68, 2, 2, 0x68, address, 1, (address + 1) % 256, 0x16))


@calm
@given(pads, st.sampled_from(ff68.STARS))
def test_hardware_1_1_what_a_rating_device_is_told_reads_the_same(address: int, stars: int) -> None:
    talk = RatingProtocol(address, RatingSettings(HALL_QUEUE_FRONT_LEVELS))
    assert said(talk.show_stars(stars)) == [ff68.Shown(address, None, None, stars)]
    assert said(talk.invite(10_000)) == [ff68.StartEvaluation(address, or_echoed_key=False)]


@calm
@given(keypads, st.text("0123456789_", min_size=2, max_size=6), st.booleans())
def test_hardware_7_3_the_emulated_keypad_shows_what_another_hand_says(address: int, cells: str, ok: bool) -> None:
    keypad = EmulatedKeypad(address)
    shown = bytes(ff68.BLANK if cell == "_" else int(cell) for cell in cells)
    raw = build(address, 0x02, shown) + build(address, 0x03)
    assert ff68.decode(raw) == [ff68.Shown(address, cells, None, None), ff68.Beeped(address)]
    for frame in ours(raw):
        asyncio.run(keypad.receive(frame))
    assert (keypad.cells.replace(" ", "_"), keypad.sign, keypad.beeps) == (cells, "", 1)
    (verdict,) = ff68.decode(signed := build(address, 0x02, bytes((ok,))))
    for frame in ours(signed):
        asyncio.run(keypad.receive(frame))
    assert isinstance(verdict, ff68.Shown)
    assert keypad.sign == ("success" if verdict.success else "failure") == ("success" if ok else "failure")


@calm
@given(pads, st.sampled_from(ff68.STARS))
def test_hardware_7_3_the_emulated_rating_device_does_what_another_hand_says(address: int, stars: int) -> None:
    pad = EmulatedRatingPad(address)
    for frame in ours(build(address, 0x01, b"\x0b") + build(address, 0x02, bytes((stars,)))):
        asyncio.run(pad.receive(frame))
    assert (pad.invitations, pad.stars) == (1, stars)
