"""FF68 and A0 90 on one line: literals of HARDWARE, any chunking, any noise, bounded memory."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.framing.a090 import A090Ack, A090AckGrammar, A090Frame, A090Grammar, encode_a090
from devices.framing.ff68 import Ff68Frame, Ff68Grammar, encode_ff68
from devices.framing.stream import Framer, Garbage
from devices.profiles import PROFILES
from tests.devices import independent, vectors
from tests.devices.test_tool import LITERALS

AnyFrame = Ff68Frame | A090Frame | A090Ack


def line() -> Framer[AnyFrame]:
    return Framer((Ff68Grammar(), A090Grammar(), A090AckGrammar()))


def encode(frame: AnyFrame) -> bytes:
    return encode_ff68(frame) if isinstance(frame, Ff68Frame) else encode_a090(frame)


def merged(found: list[AnyFrame | Garbage]) -> list[AnyFrame | Garbage]:
    """Neighbouring garbage joined, which is all that chunking may change."""
    result: list[AnyFrame | Garbage] = []
    for item in found:
        last = result[-1] if result else None
        if isinstance(item, Garbage) and isinstance(last, Garbage):
            result[-1] = Garbage(last.data + item.data, last.checksums + item.checksums)
        else:
            result.append(item)
    return result


ff68_frames = st.builds(Ff68Frame, st.integers(0, 255), st.integers(0, 255), st.binary(max_size=32), lead=st.booleans())
a090_frames = st.builds(A090Frame, st.integers(0, 255), st.sampled_from((0xA5, 0xA1, 0xA2)), st.binary(max_size=100))
acks = st.builds(A090Ack, st.integers(0, 255))
frames = st.one_of(ff68_frames, a090_frames, acks)
# Noise that looks like the protocols: leads, twin lengths, ends, and whole frames cut short or with a flipped bit.
shards = st.one_of(
    st.binary(max_size=12),
    st.lists(st.sampled_from(b"\xff\x68\x03\x16\xa0\x90\xa5\xaa\x07"), max_size=12).map(bytes),
    st.tuples(frames, st.integers(0, 60)).map(lambda cut: encode(cut[0])[: cut[1]]),
    st.tuples(frames, st.integers(0, 20), st.integers(1, 255)).map(
        lambda hit: bytes(b ^ hit[2] if i == hit[1] else b for i, b in enumerate(encode(hit[0])))
    ),
)


@pytest.mark.parametrize("text", vectors.FF68, ids=lambda v: v[4])
def test_hardware_1_1_and_2_1_ff68_literal_decodes_and_encodes(text: tuple[str, int, int, str, str]) -> None:
    raw, address, function, data, _source = text
    expected = Ff68Frame(address, function, bytes.fromhex(data), lead=raw.startswith("FF"))
    assert line().feed(bytes.fromhex(raw)) == [expected]
    assert encode_ff68(expected) == bytes.fromhex(raw)
    assert independent.decode_ff68(bytes.fromhex(raw)) == [(address, function, list(bytes.fromhex(data)))]


@pytest.mark.parametrize("text", vectors.A090, ids=lambda v: v[6])
def test_hardware_2_2_a090_literal_decodes_and_encodes(text: tuple[str, int, int, str, str, str, str]) -> None:
    raw, address, command, data, words, colours, _source = text
    expected = A090Frame(address, command, bytes.fromhex(data))
    assert line().feed(bytes.fromhex(raw)) == [expected]
    assert encode_a090(expected) == bytes.fromhex(raw)
    assert independent.decode_a090(bytes.fromhex(raw)) == [(address, words, colours)]


def test_hardware_2_2_short_ack_literal() -> None:
    raw = bytes.fromhex(vectors.A090_ACK)
    assert line().feed(raw) == [A090Ack(3)]
    assert encode_a090(A090Ack(3)) == raw
    assert independent.decode_a090(raw) == [(3, "", "ack")]


def test_hardware_2_2_longer_ack_form_is_accepted_up_to_its_limit() -> None:
    assert line().feed(bytes.fromhex("A0 90 03 A5 00 00 A5 AA")) == [A090Ack(3, b"\xa5\x00\x00")]
    strict = Framer((A090AckGrammar(longest=5),))
    assert [type(x) for x in strict.feed(bytes.fromhex("A0 90 03 A1 11 22 33 A5 AA"))] == [Garbage]


def test_hardware_2_2_a_cut_ack_does_not_borrow_its_neighbours() -> None:
    assert line().feed(bytes.fromhex("A0 90 03 A0 90 04 A5 AA")) == [Garbage(b"\xa0\x90\x03"), A090Ack(4)]


def test_hardware_1_1_check_byte_ff_is_a_frame_like_any_other() -> None:
    """HARDWARE 1.1: splitting on FF, as one public program does, breaks on this frame."""
    raw = independent.build_ff68(0xED, 0x11, 0x01)
    assert raw[-2] == 0xFF
    assert line().feed(raw + raw) == [Ff68Frame(0xED, 0x11, b"\x01")] * 2


def test_hardware_1_1_wrong_sum_and_wrong_end_are_counted_once_each() -> None:
    good = bytes.fromhex("FF 68 03 03 68 07 01 0C 14 16")
    bad_sum, bad_end = good[:-2] + b"\x15\x16", good[:-1] + b"\x00"
    found = merged(line().feed(bad_sum + good + bad_end + good))
    assert found == [Garbage(bad_sum, 1), Ff68Frame(7, 1, b"\x0c"), Garbage(bad_end, 1), Ff68Frame(7, 1, b"\x0c")]


def test_a_length_that_lies_holds_back_at_most_one_frame_and_a_silent_line_frees_what_it_hid() -> None:
    good = bytes.fromhex("FF 68 03 03 68 07 01 0C 14 16")
    framer = line()
    assert framer.feed(bytes.fromhex("FF 68 20 20 68") + good) == []
    assert merged(framer.flush()) == [Garbage(bytes.fromhex("FF 68 20 20 68")), Ff68Frame(7, 1, b"\x0c")]
    assert framer.held == 0


@given(st.lists(st.one_of(frames, shards), max_size=12), st.data())
def test_any_chunking_gives_the_same_frames(parts: list[AnyFrame | bytes], data: st.DataObject) -> None:
    stream = b"".join(p if isinstance(p, bytes) else encode(p) for p in parts)
    whole = line()
    expected = merged(whole.feed(stream) + whole.flush())
    chunked, found, at = line(), [], 0
    while at < len(stream):
        step = data.draw(st.integers(1, max(1, len(stream) // 3)))
        found += chunked.feed(stream[at : at + step])
        at += step
    assert merged(found + chunked.flush()) == expected
    bytewise = line()
    singles = [x for b in stream for x in bytewise.feed(bytes((b,)))]
    assert merged(singles + bytewise.flush()) == expected


@given(st.lists(frames, max_size=8))
def test_round_trip_without_noise_leaves_no_garbage(sent: list[AnyFrame]) -> None:
    framer = line()
    assert framer.feed(b"".join(encode(f) for f in sent)) + framer.flush() == sent


@given(shards, st.lists(frames, min_size=1, max_size=4))
def test_resync_finds_frames_again_after_noise_that_can_hide_at_most_one_longest_frame(
    noise: bytes, sent: list[AnyFrame]
) -> None:
    framer = line()
    gap = bytes(max(Ff68Grammar().longest, A090Grammar().longest))  # zeros start no frame
    found = framer.feed(noise + gap + b"".join(encode(f) for f in sent)) + framer.flush()
    assert [f for f in found if not isinstance(f, Garbage)][-len(sent) :] == sent


@given(st.lists(st.one_of(frames, shards), max_size=12))
def test_every_byte_is_a_frame_or_garbage_and_memory_is_bounded(parts: list[AnyFrame | bytes]) -> None:
    stream = b"".join(p if isinstance(p, bytes) else encode(p) for p in parts)
    framer, found = line(), []
    for start in range(0, len(stream), 7):
        found += framer.feed(stream[start : start + 7])
        assert framer.held < A090Grammar().longest
    found += framer.flush()
    assert b"".join(x.data if isinstance(x, Garbage) else encode(x) for x in found) == stream


@settings(max_examples=20)
@given(st.binary(max_size=40))
def test_a_flood_in_one_chunk_is_bounded(noise: bytes) -> None:
    framer = line()
    found = framer.feed((noise or b"\x68") * 5000)
    assert framer.held < A090Grammar().longest
    assert sum(len(x.data) if isinstance(x, Garbage) else len(encode(x)) for x in found) + framer.held == len(
        (noise or b"\x68") * 5000
    )


@given(st.lists(st.one_of(ff68_frames, shards), max_size=10))
def test_the_independent_decoder_agrees_on_ff68(parts: list[Ff68Frame | bytes]) -> None:
    stream = b"".join(p if isinstance(p, bytes) else encode_ff68(p) for p in parts)
    framer: Framer[Ff68Frame] = Framer((Ff68Grammar(longest_data=253),))
    ours = [f for f in framer.feed(stream) + framer.flush() if isinstance(f, Ff68Frame)]
    assert [(f.address, f.function, list(f.data)) for f in ours] == independent.decode_ff68(stream)


@given(ff68_frames, a090_frames)
def test_the_independent_builder_agrees(keypad: Ff68Frame, strip: A090Frame) -> None:
    assert encode_ff68(keypad) == independent.build_ff68(
        keypad.address, keypad.function, *keypad.data, lead=keypad.lead
    )
    assert len(encode_a090(strip)) == len(strip.data) + 7


BEGUN = dict(LITERALS) | {"tablet-json": b'{"a":{"b":"'.hex(), "escpos": "1D 76 30 00 FF FF FF FF 00"}
"""By profile a frame of it; of those that have none, the head of a long one."""


@pytest.mark.parametrize("name", {profile.codec.name: name for name, profile in PROFILES.items()}.values())
def test_issue_3_no_decoder_holds_more_than_its_longest_frame_whatever_never_ends(name: str) -> None:
    """Leads without an end, random bytes behind one, and a frame cut in four places that goes on for ever."""
    codec, chance = PROFILES[name].codec, random.Random(name)
    frame = bytes.fromhex(BEGUN.get(name, ""))
    for grammars in filter(None, (codec.from_device, codec.from_host)):
        longest = max(grammar.longest for grammar in grammars)
        leads = b"".join(grammar.leads for grammar in grammars)
        begun = [bytes((lead,)) for lead in leads[:: max(1, len(leads) // 2)]]
        floods = [lead * (longest + 3_000) for lead in begun] + [
            lead + chance.randbytes(longest + 64) for lead in begun
        ]
        cuts = [frame[: len(frame) * part // 8] for part in (2, 4, 6, 7) if frame]
        for flood in floods + [cut + b"A" * (longest + 64) for cut in cuts]:
            framer: Framer[Any] = Framer(grammars)
            for start in range(0, len(flood), 1_000):
                framer.feed(flood[start : start + 1_000])
                assert framer.held <= longest
