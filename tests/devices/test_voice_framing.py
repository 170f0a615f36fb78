"""The frames of voice modules: literals of their makers, any chunking, any noise, bounded memory (HARDWARE 3)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.framing.dfplayer import DfFrame, DfGrammar, encode_df
from devices.framing.jq8900 import JqFrame, JqGrammar, encode_jq
from devices.framing.stream import Framer, Garbage, Grammar
from devices.framing.tts import (
    SYN6288,
    XFS5152,
    TtsForm,
    TtsFrame,
    TtsFrameGrammar,
    TtsReply,
    TtsReplyGrammar,
    encode_tts,
)
from tests.devices import independent_syn6288 as second
from tests.devices import vectors_voice as vectors

FORMS = {"syn6288": SYN6288, "xfs5152": XFS5152}
TTS = [(SYN6288, *v) for v in vectors.SYN6288] + [(XFS5152, *v) for v in vectors.XFS5152]


@pytest.mark.parametrize(("form", "raw", "command", "data", "text", "source"), TTS)
def test_hardware_3_1_and_3_2_literals(
    form: TtsForm, raw: str, command: int, data: str, text: str, source: str
) -> None:
    expected = TtsFrame(command, bytes.fromhex(data))
    assert Framer((TtsFrameGrammar(form),)).feed(bytes.fromhex(raw)) == [expected], source
    assert encode_tts(expected, form) == bytes.fromhex(raw)
    if text:
        codecs = vectors.TEXT_CODECS if form.checksum else vectors.XFS_CODECS
        assert expected.data[1:].decode(codecs[expected.data[0] & 7]) == text
    if form.checksum:
        assert second.frames(bytes.fromhex(raw)) == [(command, bytes.fromhex(data))]
        assert second.build(command, bytes.fromhex(data)) == bytes.fromhex(raw)


@pytest.mark.parametrize(("raw", "command", "value", "what", "source"), vectors.DFPLAYER)
def test_hardware_3_3_literals(raw: str, command: int, value: int, what: str, source: str) -> None:
    assert Framer((DfGrammar(),)).feed(bytes.fromhex(raw)) == [DfFrame(command, value)], (what, source)
    assert encode_df(DfFrame(command, value)) == bytes.fromhex(raw)


@pytest.mark.parametrize(("raw", "source"), vectors.DFPLAYER_MISPRINTS)
def test_hardware_3_3_misprinted_sums_are_bad_sums(raw: str, source: str) -> None:
    found = Framer((DfGrammar(),)).feed(bytes.fromhex(raw))
    assert sum(x.checksums for x in found if isinstance(x, Garbage)) == 1, source


@pytest.mark.parametrize(("raw", "command", "data", "what", "source"), vectors.JQ8900)
def test_hardware_3_4_literals(raw: str, command: int, data: str, what: str, source: str) -> None:
    expected = JqFrame(command, bytes.fromhex(data))
    assert Framer((JqGrammar(),)).feed(bytes.fromhex(raw)) == [expected], (what, source)
    assert encode_jq(expected) == bytes.fromhex(raw)


def test_hardware_3_4_the_wikis_misprint_is_a_bad_sum() -> None:
    found = Framer((JqGrammar(),)).feed(bytes.fromhex(vectors.JQ8900_MISPRINT))
    assert sum(x.checksums for x in found if isinstance(x, Garbage)) == 1


def test_hardware_3_1_replies_are_single_bytes_and_the_rest_is_noise() -> None:
    framer: Framer[TtsReply] = Framer((TtsReplyGrammar(),))
    found = framer.feed(bytes.fromhex("00 4A FF 41 41 4E 13 4F 45"))
    assert [x.code for x in found if isinstance(x, TtsReply)] == [0x4A, 0x41, 0x41, 0x4E, 0x4F, 0x45]
    assert second.replies(bytes.fromhex("00 4A FF 41 45")) == ["ready", "taken", "refused"]
    assert framer.held == 0


def test_hardware_3_1_a_text_over_200_bytes_is_heard_so_that_it_can_be_refused() -> None:
    """The module answers it with 45 (HARDWARE 3.1, 7.3); a length beyond 512 is one that lies."""
    refused, lying = (TtsFrame(0x01, b"\x01" + b"A" * size) for size in (512, 513))
    assert Framer((TtsFrameGrammar(SYN6288),)).feed(encode_tts(refused, SYN6288)) == [refused]
    assert TtsFrame not in map(type, Framer((TtsFrameGrammar(SYN6288),)).feed(encode_tts(lying, SYN6288)))


def _tts_frames(form: TtsForm) -> st.SearchStrategy[Any]:
    plain = st.sampled_from((0x02, 0x03, 0x04, 0x21, 0x88)).map(TtsFrame)
    text = st.binary(max_size=form.longest_text if form.checksum else 400)
    return st.one_of(plain, st.builds(lambda p, t: TtsFrame(0x01, bytes((p,)) + t), st.integers(0, 127), text))


Wire = tuple[Grammar[Any], Callable[[Any], bytes], st.SearchStrategy[Any], bytes]
WIRES: dict[str, Wire] = {
    "syn6288": (TtsFrameGrammar(SYN6288), lambda f: encode_tts(f, SYN6288), _tts_frames(SYN6288), b"\xfd\x00\x02\x21"),
    "xfs5152": (TtsFrameGrammar(XFS5152), lambda f: encode_tts(f, XFS5152), _tts_frames(XFS5152), b"\xfd\x00\x01\x21"),
    "replies": (
        TtsReplyGrammar(),
        lambda f: bytes((f.code,)),
        st.sampled_from(b"\x4a\x41\x45\x4e\x4f").map(TtsReply),
        b"\x00\xff\x40",
    ),
    "dfplayer": (
        DfGrammar(),
        encode_df,
        st.builds(DfFrame, st.integers(0, 255), st.integers(0, 0xFFFF), st.booleans()),
        b"\x7e\xff\x06\xef\x00",
    ),
    "jq8900": (
        JqGrammar(),
        encode_jq,
        st.builds(JqFrame, st.integers(1, 31), st.binary(max_size=60)),
        b"\xaa\x01\x00\xab",
    ),
}
wires = pytest.mark.parametrize("wire", WIRES.values(), ids=WIRES)


def _stream(data: st.DataObject, wire: Wire) -> bytes:
    _, encode, frames, alphabet = wire
    shard = st.one_of(
        st.binary(max_size=12),
        st.lists(st.sampled_from(alphabet), max_size=12).map(bytes),
        st.tuples(frames, st.integers(0, 30)).map(lambda cut: encode(cut[0])[: cut[1]]),
        st.tuples(frames, st.integers(0, 20), st.integers(1, 255)).map(
            lambda hit: bytes(b ^ hit[2] if i == hit[1] else b for i, b in enumerate(encode(hit[0])))
        ),
        frames.map(encode),
    )
    return b"".join(data.draw(st.lists(shard, max_size=8)))


def _bytes(found: Sequence[Any], encode: Callable[[Any], bytes]) -> bytes:
    return b"".join(x.data if isinstance(x, Garbage) else encode(x) for x in found)


@wires
@given(data=st.data())
def test_any_chunking_gives_the_same_frames_and_no_byte_is_lost(wire: Wire, data: st.DataObject) -> None:
    grammar, encode, _, _ = wire
    stream = _stream(data, wire)
    whole: Framer[Any] = Framer((grammar,))
    expected = whole.feed(stream) + whole.flush()
    assert _bytes(expected, encode) == stream
    chunked: Framer[Any] = Framer((grammar,))
    found, at = [], 0
    while at < len(stream):
        step = data.draw(st.integers(1, max(1, len(stream) // 3)))
        found += chunked.feed(stream[at : at + step])
        assert chunked.held < grammar.longest
        at += step
    found += chunked.flush()
    assert [x for x in found if not isinstance(x, Garbage)] == [x for x in expected if not isinstance(x, Garbage)]
    assert _bytes(found, encode) == stream


@wires
@given(data=st.data())
def test_round_trip_and_resync_after_noise(wire: Wire, data: st.DataObject) -> None:
    grammar, encode, frames, _ = wire
    sent = data.draw(st.lists(frames, min_size=1, max_size=4))
    framer: Framer[Any] = Framer((grammar,))
    assert framer.feed(b"".join(map(encode, sent))) + framer.flush() == sent
    noise = _stream(data, wire)
    # Zeros start no frame; after a longest frame's worth of them nothing that the noise began can be going on.
    found = framer.feed(noise + bytes(grammar.longest) + b"".join(map(encode, sent))) + framer.flush()
    assert [x for x in found if not isinstance(x, Garbage)][-len(sent) :] == sent


@wires
@settings(max_examples=10)
@given(noise=st.binary(min_size=1, max_size=40))
def test_a_flood_is_bounded(wire: Wire, noise: bytes) -> None:
    framer: Framer[Any] = Framer((wire[0],))
    framer.feed(noise * 2000)
    assert framer.held < max(2, wire[0].longest)


@given(data=st.data())
def test_the_second_decoder_agrees_on_syn6288(data: st.DataObject) -> None:
    stream = _stream(data, WIRES["syn6288"])
    framer: Framer[Any] = Framer((TtsFrameGrammar(SYN6288),))
    ours = [x for x in framer.feed(stream) + framer.flush() if isinstance(x, TtsFrame)]
    assert [(x.command, x.data) for x in ours] == second.frames(stream)
    assert second.build(0x01, b"\x01A") == encode_tts(TtsFrame(0x01, b"\x01A"), SYN6288)
