"""What a SYN6288 is told and answers means the same to another hand (HARDWARE 3.1, 7.3, 7.5)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import reduce
from itertools import pairwise
from operator import xor
from typing import Any, Literal

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from devices.emulators.voices import EmulatedTts
from devices.framing.stream import Framer, Garbage, Grammar
from devices.framing.tts import SYN6288, SYN6288_CODEC, WAKE, TtsFrame, TtsReply, encode_tts
from devices.protocols.base import Ignored
from devices.protocols.tts import TtsDialect, TtsSettings
from devices.protocols.voice import Sign
from tests.devices.otherhand import Skipped, syn6288

calm = settings(max_examples=60)  # the machine is shared

SPOKEN = "宇音天下"
# HARDWARE 3.1, and the data sheet of 2016-03-09 that it cites, section 4.4: all fifteen examples, V-src.
LITERALS: list[tuple[str, syn6288.FromHost]] = [
    ("FD 00 0B 01 00 D3 EE D2 F4 CC EC CF C2 C1", syn6288.Spoken(SPOKEN, "gb2312", 0)),
    ("FD 00 0B 01 01 D3 EE D2 F4 CC EC CF C2 C0", syn6288.Spoken(SPOKEN, "gbk", 0)),
    ("FD 00 0B 01 02 A6 74 AD B5 A4 D1 A4 55 BB", syn6288.Spoken(SPOKEN, "big5", 0)),
    # The erratum: the data sheet says 宇, its bytes are 语.
    ("FD 00 0B 01 03 8B ED 97 F3 59 29 4E 0B C3", syn6288.Spoken("语音天下", "utf-16-be", 0)),
    ("FD 00 0B 01 09 D3 EE D2 F4 CC EC CF C2 C8", syn6288.Spoken(SPOKEN, "gbk", 1)),
    ("FD 00 0B 01 79 D3 EE D2 F4 CC EC CF C2 B8", syn6288.Spoken(SPOKEN, "gbk", 15)),
    ("FD 00 08 01 01 5B 76 31 31 5D 85", syn6288.Spoken("[v11]", "gbk", 0)),
    ("FD 00 03 31 00 CF", syn6288.BaudSet(9600)),
    ("FD 00 03 31 01 CE", syn6288.BaudSet(19200)),
    ("FD 00 03 31 02 CD", syn6288.BaudSet(38400)),
    ("FD 00 02 02 FD", syn6288.Ordered("stop")),
    ("FD 00 02 03 FC", syn6288.Ordered("pause")),
    ("FD 00 02 04 FB", syn6288.Ordered("resume")),
    ("FD 00 02 21 DE", syn6288.Ordered("query")),
    ("FD 00 02 88 77", syn6288.Ordered("power down")),
    (
        "FD 00 14 01 01 C7 EB 41 30 34 32 BA C5 B5 BD 33 BA C5 B4 B0 BF DA E8",
        syn6288.Spoken("请A042号到3号窗口", "gbk", 0),
    ),
]
SIGNS = {
    "ready": Sign.READY,
    "accepted": Sign.TAKEN,
    "rejected": Sign.REFUSED,
    "busy": Sign.BUSY,
    "idle": Sign.IDLE,
}


def build(command: int, data: bytes = b"") -> bytes:
    """A frame from the table of HARDWARE 3.1."""
    raw = b"\xfd" + (len(data) + 2).to_bytes(2, "big") + bytes((command,)) + data
    return raw + bytes((reduce(xor, raw),))


def speak(text: str, code: int, music: int = 0) -> bytes:
    return build(0x01, bytes((music << 3 | code,)) + text.encode(syn6288.CODECS[code]))


def found(grammars: Sequence[Grammar[Any]], raw: bytes, cuts: Sequence[int]) -> list[Any]:
    framer: Framer[Any] = Framer(grammars)
    edges = [0, *sorted(min(cut, len(raw)) for cut in cuts), len(raw)]
    items = [item for start, end in pairwise(edges) for item in framer.feed(raw[start:end])]
    return [item for item in items + framer.flush() if not isinstance(item, Garbage)]


def ours(raw: bytes, cuts: Sequence[int] = ()) -> list[TtsFrame]:
    """The frames that the project's module hears, whatever the pieces."""
    return found(SYN6288_CODEC.hosts, raw, cuts)


def heard(raw: bytes) -> list[syn6288.FromHost]:
    return [item for item in syn6288.decode(raw) if not isinstance(item, Skipped)]


def same(theirs: syn6288.FromHost, frame: TtsFrame) -> bool:
    """Whether both hands read the same in a frame."""
    match theirs:
        case syn6288.Spoken(text, encoding, music):
            return frame.command == 0x01 and (
                (frame.data[0] >> 3, syn6288.CODECS[frame.data[0] & 7], frame.data[1:].decode(encoding))
                == (music, encoding, text)
            )  # fmt: skip
        case syn6288.Ordered(order):
            return syn6288.PLAIN[frame.command] == order and not frame.data
        case syn6288.BaudSet(baud):
            return (frame.command, syn6288.BAUDS[frame.data[0]]) == (0x31, baud)
        case syn6288.Unlisted(command, data, _):
            return frame == TtsFrame(command, data)
        case _:
            return False


class Room:
    """The line of an emulated module: keeps what it says."""

    baud = 0

    def __init__(self) -> None:
        self.said = b""

    async def transmit(self, frame: Any, codec: Any) -> None:
        self.said += codec.encode(frame)

    async def notify(self) -> None:
        pass

    async def hang_up(self) -> None:
        pass


def told(raw: bytes) -> tuple[EmulatedTts, list[syn6288.FromModule]]:
    """An emulated module that was told this, and what it answered before anything sounded."""
    room, module = Room(), EmulatedTts(unit_ms=0)
    module.least_gap_s = 0.0
    module.join(room)

    async def tell() -> None:
        for frame in ours(raw):
            await module.receive(frame)

    asyncio.run(tell())
    return module, syn6288.decode_answers(room.said)


codes = st.sampled_from(sorted(syn6288.CODECS))
words = st.text(st.sampled_from("请A042号到3号窗口，语音"), max_size=40)
bmp = st.characters(max_codepoint=0xFFFF, exclude_categories=("Cs", "Cc"))
commands = st.sampled_from((0x01, 0x02, 0x03, 0x04, 0x21, 0x31, 0x88))
frames = st.one_of(
    st.builds(speak, words, st.sampled_from((0, 1, 3)), st.integers(0, 15)),
    st.builds(build, commands, st.binary(max_size=12)),
    st.builds(build, commands),
)
shards = st.one_of(
    st.binary(max_size=12),
    st.lists(st.sampled_from(b"\xfd\x00\x02\x03\x01\x21\xff"), max_size=16).map(bytes),
    st.tuples(frames, st.integers(0, 20)).map(lambda cut: cut[0][: cut[1]]),
    st.tuples(frames, st.integers(0, 20), st.integers(1, 255)).map(
        lambda hit: bytes(byte ^ hit[2] if at == hit[1] else byte for at, byte in enumerate(hit[0]))
    ),
)
streams = st.lists(st.one_of(frames, shards), max_size=8).map(b"".join)
cuts = st.lists(st.integers(0, 300), max_size=8)


@pytest.mark.parametrize(("raw", "meaning"), LITERALS)
def test_hardware_3_1_every_literal(raw: str, meaning: syn6288.FromHost) -> None:
    assert syn6288.decode(bytes.fromhex(raw)) == [meaning]
    (frame,) = ours(bytes.fromhex(raw))
    assert same(meaning, frame)
    assert encode_tts(frame, SYN6288) == bytes.fromhex(raw)


@pytest.mark.parametrize(("byte", "answer"), sorted(syn6288.ANSWERS.items()))
def test_hardware_3_1_every_answer(byte: int, answer: str) -> None:
    assert syn6288.decode_answers(bytes((byte,))) == [syn6288.Answered(answer)]
    (reply,) = found(SYN6288_CODEC.from_device, bytes((byte,)), ())
    understood = TtsDialect("syn6288").understand(reply)
    assert not isinstance(understood, Ignored)
    assert understood.sign is SIGNS[answer]


@calm
@given(st.binary(max_size=100), cuts)
def test_hardware_3_1_in_any_noise_the_same_answers(raw: bytes, cuts: list[int]) -> None:
    answers = [x.answer for x in syn6288.decode_answers(raw) if isinstance(x, syn6288.Answered)]
    assert [syn6288.ANSWERS[reply.code] for reply in found(SYN6288_CODEC.from_device, raw, cuts)] == answers


@calm
@given(
    st.lists(st.one_of(words, st.text(bmp, max_size=60)), max_size=6),
    st.integers(-5, 120),
    st.sampled_from(("gbk", "gb2312", "unicode")),
    st.sampled_from(("", "[t4]", "[m4][n0]")),
)
def test_hardware_3_1_what_is_said_reads_the_same(
    tokens: list[str], volume: int, encoding: Literal["gbk", "gb2312", "unicode"], tags: str
) -> None:
    """Nothing lost but what makes no sound, no more than 200 bytes a frame, no music, a bracket widened."""
    assume(not any(token.startswith("en:") for token in tokens))
    parts = TtsDialect("syn6288", TtsSettings(encoding, tags=tags)).parts(tokens, volume, chime=False)
    spoken = [item for part in parts for item in syn6288.decode(encode_tts(part.frame, SYN6288))]
    whole = "".join(tokens).replace("[", "［").replace("]", "］")
    codec = {"gbk": "gbk", "gb2312": "gb2312", "unicode": "utf-16-be"}[encoding]
    try:
        whole.encode(codec)
    except UnicodeEncodeError:
        codec = "utf-16-be"
    at = 0
    marks = [
        ("v", round(max(0, min(100, volume)) * 16 / 100)),
        *{"": [], "[t4]": [("t", 4)]}.get(tags, [("m", 4), ("n", 0)]),
    ]
    for item in spoken:
        assert isinstance(item, syn6288.Spoken)
        assert (item.encoding, item.music, list(item.marks)) == (codec, 0, marks)
        assert len(item.text.encode(codec)) <= syn6288.TEXT_BYTES
        begins = whole.index(item.words, at)
        assert not any(map(str.isalnum, whole[at:begins]))
        at = begins + len(item.words)
    assert not any(map(str.isalnum, whole[at:]))


@pytest.mark.parametrize(
    ("encoding", "text", "codec"),
    [
        ("gbk", "请A042号到3号窗口", "gbk"),
        ("gb2312", "请A042号到3号窗口", "gb2312"),
        ("unicode", "请A042号到3号窗口", "utf-16-be"),
        ("gb2312", "龻号", "utf-16-be"),
        ("gbk", "㐂号", "utf-16-be"),
    ],
)
def test_hardware_3_1_each_encoding_is_named_as_it_is(
    encoding: Literal["gbk", "gb2312", "unicode"], text: str, codec: str
) -> None:
    (part,) = TtsDialect("syn6288", TtsSettings(encoding)).parts([text], 100, chime=False)
    assert syn6288.decode(encode_tts(part.frame, SYN6288)) == [syn6288.Spoken(f"[v16]{text}", codec, 0)]


def test_hardware_3_1_orders_read_the_same() -> None:
    dialect = TtsDialect("syn6288")
    for frame, order in ((dialect.stop, "stop"), (dialect.ask, "query")):
        assert syn6288.decode(encode_tts(frame, SYN6288)) == [syn6288.Ordered(order)]


@calm
@given(words, codes, st.integers(0, 15), st.integers(0, 16))
def test_hardware_7_3_the_emulated_module_says_what_another_hand_says(
    text: str, code: int, music: int, volume: int
) -> None:
    text = text.encode(syn6288.CODECS[code], "ignore").decode(syn6288.CODECS[code])
    raw = speak(f"[v{volume}]{text}", code, music)
    (meaning,) = syn6288.decode(raw)
    assert isinstance(meaning, syn6288.Spoken)
    assert (meaning.words, meaning.marks, meaning.music) == (text, (("v", volume),), music)
    module, answers = told(raw)
    assert answers[:1] == [syn6288.Answered("accepted")]
    assert ([said.text for said in module.said], module.volume) == ([text], volume)


@pytest.mark.parametrize(("bytes_of_text", "answer"), [(200, "accepted"), (201, "rejected"), (500, "rejected")])
def test_hardware_3_1_and_7_3_more_than_200_bytes_are_rejected(bytes_of_text: int, answer: str) -> None:
    raw = speak("A" * bytes_of_text, 1)
    (meaning,) = syn6288.decode(raw)
    assert isinstance(meaning, syn6288.Spoken if answer == "accepted" else syn6288.Unlisted)
    module, answers = told(raw)
    assert answers[:1] == [syn6288.Answered(answer)]
    assert len(module.said) == (answer == "accepted")


@pytest.mark.parametrize("param", [4, 5, 7, 0x80, 0x81])
def test_hardware_3_1_and_7_3_an_encoding_or_music_of_no_table_is_not_spoken(param: int) -> None:
    raw = build(0x01, bytes((param,)) + "请".encode("utf-16-be"))
    assert isinstance(syn6288.decode(raw)[0], syn6288.Unlisted)
    module, answers = told(raw)
    assert (answers, list(module.said)) == ([syn6288.Answered("rejected")], [])


@calm
@given(streams, cuts)
def test_hardware_3_1_in_any_noise_and_any_pieces_the_same_frames(raw: bytes, cuts: list[int]) -> None:
    theirs = heard(raw)
    # A command that stands in no table is noise to the project: there may be a frame inside.
    assume(not any(isinstance(item, syn6288.Unlisted) and item.reason == "command" for item in theirs))
    frames = [frame for frame in ours(raw, cuts) if frame.command != WAKE]
    assert len(frames) == len(theirs)
    for item, frame in zip(theirs, frames, strict=True):
        assert same(item, frame)


@calm
@given(st.binary(max_size=300) | streams)
def test_hardware_3_1_nothing_raises_and_what_is_skipped_was_there(raw: bytes) -> None:
    for item in [*syn6288.decode(raw), *syn6288.decode_answers(raw)]:
        if isinstance(item, Skipped):
            assert item.data in raw
            assert item.data
            assert item.reason
    answered = [encode_tts(TtsReply(code), SYN6288) for code in raw if code in syn6288.ANSWERS]
    assert len(answered) == sum(isinstance(item, syn6288.Answered) for item in syn6288.decode_answers(raw))


@calm
@given(words, st.sampled_from((0, 1, 3)), st.integers(0, 7))
def test_hardware_3_1_a_flipped_bit_of_the_xor_is_refused_by_both(text: str, code: int, bit: int) -> None:
    good = speak(text, code)
    wrong = good[:-1] + bytes((good[-1] ^ 1 << bit,))
    assert len(heard(good)) == len(ours(good)) == 1
    assert heard(wrong)[:1] != heard(good)
    assert ours(good)[0] not in ours(wrong)
    assert len(heard(wrong)) == len(ours(wrong))


def test_hardware_7_5_one_flipped_bit_of_the_length_is_a_shorter_frame_to_both() -> None:
    """The sixth byte of this text is the XOR of the frame that ends there."""
    good = build(0x01, b"\x01ABCDE" + bytes((reduce(xor, b"\xfd\x00\x08\x01\x01ABCDE"),)) + b"F")
    flipped = good[:2] + bytes((good[2] ^ 0x02,)) + good[3:]
    assert heard(flipped) == [syn6288.Spoken("ABCDE", "gbk", 0)]
    assert ours(flipped) == [TtsFrame(0x01, b"\x01ABCDE")]
