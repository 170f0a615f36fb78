"""What SYN6288 and XFS5152CE are sent: plain text, cut at breaths, never inside a character (HARDWARE 3.1, 3.2, RULES 25)."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from devices.framing.tts import SYN6288, XFS5152, TtsFrame, encode_tts
from devices.protocols.tracks import DfDialect, JqDialect
from devices.protocols.tts import BREATHS, Module, TtsDialect, TtsSettings, split_text
from devices.protocols.voice import Unsayable
from displays.speech.phrases import Call, VoicePolicy, grouped_phrase, phrase
from tests.devices import independent_syn6288 as second


def frames(dialect: TtsDialect, tokens: tuple[str, ...] | str, volume: int = 50) -> list[TtsFrame]:
    found = [part.frame for part in dialect.parts(tuple(tokens), volume, chime=True)]
    assert all(isinstance(frame, TtsFrame) for frame in found)
    return found  # type: ignore[return-value]


def test_rules_25_a_call_is_written_so_that_it_is_read_digit_by_digit() -> None:
    tokens = phrase("A012", "12", VoicePolicy(one="yao"))
    [frame] = frames(TtsDialect("syn6288"), tokens)
    assert second.spoken(frame.data) == ("请A零幺二号到十二号窗口办理", 0, ["[v8]"])


@pytest.mark.parametrize(
    ("percent", "of_16", "of_10", "of_30"), [(0, 0, 0, 0), (1, 1, 1, 1), (60, 10, 6, 18), (100, 16, 10, 30)]
)
def test_ux_v_10_every_module_is_as_loud_as_the_zone_and_never_silent_by_rounding(
    percent: int, of_16: int, of_10: int, of_30: int
) -> None:
    [syn] = frames(TtsDialect("syn6288"), "请", percent)
    assert second.spoken(syn.data)[2] == [f"[v{of_16}]"]
    [xfs] = frames(TtsDialect("xfs5152"), "请", percent)
    assert f"[v{of_10}]".encode() in xfs.data
    assert JqDialect().set_volume(percent).data == bytes((of_30,))
    assert DfDialect().set_volume(percent).value == of_30


def test_hardware_3_1_the_whole_frame_as_the_second_decoder_reads_it() -> None:
    [frame] = frames(TtsDialect("syn6288", TtsSettings(tags="[t4]")), "请A042号到3号窗口", 100)
    [(command, rest)] = second.frames(encode_tts(frame, SYN6288))
    assert command == 1
    assert rest[0] == 1  # GBK, no background music
    assert second.spoken(rest) == ("请A042号到3号窗口", 0, ["[v16]", "[t4]"])


def test_hardware_3_2_the_same_without_a_sum_and_a_volume_to_10() -> None:
    [frame] = frames(TtsDialect("xfs5152"), "科大讯飞", 100)
    expected = "FD 00 0F 01 01 5B 76 31 30 5D BF C6 B4 F3 D1 B6 B7 C9"
    assert encode_tts(frame, XFS5152) == bytes.fromhex(expected)


@pytest.mark.parametrize(("module", "order"), [("syn6288", "utf-16-be"), ("xfs5152", "utf-16-le")])
def test_hardware_3_1_and_3_2_what_the_encoding_lacks_goes_as_unicode_in_the_modules_own_order(
    module: Module, order: str
) -> None:
    [frame] = frames(TtsDialect(module, TtsSettings(encoding="gb2312")), "请到鑫䶮窗口", 0)
    assert frame.data[:1] == b"\x03"
    assert frame.data[1:].decode(order) == "[v0]请到鑫䶮窗口"


def test_a_character_that_no_module_says_is_named_not_left_out() -> None:
    with pytest.raises(Unsayable, match=r"U\+2A6A5"):
        TtsDialect("syn6288").parts(("请", "𪚥"), 50, chime=True)


def test_a_plate_with_brackets_is_no_control_word() -> None:
    [frame] = frames(TtsDialect("syn6288"), ("请", "到", "[v0]", "窗口"))
    assert second.spoken(frame.data)[0] == "请到［v0］窗口"


def test_hardware_3_1_a_long_group_is_cut_after_a_comma() -> None:
    tokens = grouped_phrase([Call(f"A{n:03}", f"1{n}A") for n in range(30)], VoicePolicy())
    found = frames(TtsDialect("syn6288"), tokens)
    assert len(found) > 1
    texts = [second.spoken(frame.data)[0] for frame in found]
    assert "".join(texts) == "".join(tokens)
    assert all(text[-1] in BREATHS for text in texts[:-1])
    assert all(len(frame.data) <= 201 for frame in found)


@given(st.text(max_size=300), st.sampled_from(("syn6288", "xfs5152")), st.sampled_from((0, 16, 17, 40)))
@example("，" * 150, "syn6288", 0)
@example("号" * 99 + "A，", "syn6288", 0)
def test_any_text_is_cut_within_the_limit_with_no_character_cut_or_lost(text: str, module: Module, most: int) -> None:
    dialect = TtsDialect(module, TtsSettings(longest_text=most))
    try:
        found = frames(dialect, text)
    except Unsayable:
        assert any(ord(c) > 0xFFFF or 0xD800 <= ord(c) < 0xE000 for c in text)
        return
    codecs = {1: "gbk", 3: "utf-16-be" if module == "syn6288" else "utf-16-le"}
    spoken = ""
    for frame in found:
        assert len(frame.data) - 1 <= (most or 200 if module == "syn6288" else most or 4096)
        spoken += frame.data[1:].decode(codecs[frame.data[0]]).removeprefix("[v8]" if module == "syn6288" else "[v5]")
    sounds = [c for c in text.translate(str.maketrans("[]", "［］")) if c.isalnum()]
    assert [c for c in spoken if c.isalnum()] == sounds


@given(st.text(alphabet="请号AB，。 窗口", max_size=80), st.integers(1, 20))
def test_pieces_are_the_text_and_end_at_a_breath_where_there_is_one(text: str, most: int) -> None:
    pieces = split_text(text, lambda piece: len(piece) <= most)
    assert "".join(pieces) == text
    for piece in pieces[:-1]:
        assert 1 <= len(piece) <= most
        assert piece[-1] in BREATHS or not set(piece) & set(BREATHS)
