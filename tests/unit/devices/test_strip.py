"""The A0 90 strip's rules: text and colours in GBK, acknowledgement, re-sending, pages (HARDWARE 2.2, UX W-02, W-05)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from devices.framing.a090 import A090Ack, A090Frame, encode_a090
from devices.protocols.base import Ignored, Send
from devices.protocols.paged import Acknowledged, Silent, StripOutput
from devices.protocols.strip import StripProtocol, StripSettings, encode_page
from tests.devices.independent import characters, decode_a090


def on_line(outputs: list[StripOutput]) -> list[str]:
    return [encode_a090(o.frame).hex(" ").upper() for o in outputs if isinstance(o, Send)]


def texts(outputs: list[StripOutput]) -> list[str]:
    return [decode_a090(encode_a090(o.frame))[0][1] for o in outputs if isinstance(o, Send)]


def test_hardware_2_2_text_literals() -> None:
    assert on_line(StripProtocol(3).set_pages([[("A042", "red")]], 0)) == [
        "A0 90 03 A5 00 08 41 00 30 00 34 00 32 00 D9"
    ]
    assert on_line(StripProtocol(3).set_pages([[("请A", "red")]], 0)) == ["A0 90 03 A5 00 05 C7 EB 00 41 00 CE"]
    assert on_line(StripProtocol(3).set_pages([[("A042", "green")]], 0)) == [
        "A0 90 03 A5 00 08 41 01 30 01 34 01 32 01 D9"
    ]


def test_hardware_2_2_every_character_has_its_colour_and_colour_codes_are_a_setting() -> None:
    page = [("请", "red"), ("A1", "green"), ("号", "yellow")]
    assert characters(encode_page(page, StripSettings())) == ("请A1号", "0112")
    swapped = StripSettings(colours={"red": 0, "green": 2, "yellow": 1})
    assert characters(encode_page(page, swapped)) == ("请A1号", "0221")


def test_a_character_outside_gbk_is_a_mark_and_no_character_is_cut() -> None:
    assert characters(encode_page([("𪚥号", "red")], StripSettings()))[0] == "〓号"
    assert characters(encode_page([("A号号", "red")], StripSettings(longest_text=4)))[0] == "A号"


@given(
    st.lists(st.tuples(st.text(max_size=20), st.sampled_from(("red", "green", "yellow"))), max_size=5),
    st.integers(0, 30),
)
def test_any_text_encodes_within_its_limit(page: list[tuple[str, str]], limit: int) -> None:
    text, colours = characters(encode_page(page, StripSettings(longest_text=limit)))
    assert len(text) == len(colours)
    assert len(text.encode("gbk")) <= limit


def test_ux_w_02_the_text_is_sent_again_every_30_s() -> None:
    strip = StripProtocol(3)
    strip.set_pages([[("A001", "red")]], 0)
    strip.sent(20)
    assert strip.receive(A090Ack(3), 60) == [Acknowledged()]
    assert strip.wake_at_ms == 30_000
    assert strip.wake(29_999) == []
    assert texts(strip.wake(30_000)) == ["A001"]


def test_the_same_pages_again_send_nothing_and_new_ones_at_once() -> None:
    strip = StripProtocol(3)
    strip.set_pages([[("A001", "red")]], 0)
    assert strip.set_pages([[("A001", "red")]], 10) == []
    assert texts(strip.set_pages([[("A002", "red")]], 20)) == ["A002"]


def test_hardware_7_2_three_tries_then_silent_then_one_try_at_each_resend() -> None:
    strip = StripProtocol(3)
    strip.set_pages([[("A001", "red")]], 0)
    for now_ms in (0, 500):
        strip.sent(now_ms)
        assert strip.wake_at_ms == now_ms + 500
        assert texts(strip.wake(now_ms + 500)) == ["A001"]
    strip.sent(1_000)
    assert strip.wake(1_500) == [Silent()]
    assert strip.wake_at_ms == 30_000
    assert texts(strip.wake(30_000)) == ["A001"]
    strip.sent(30_000)
    assert strip.wake(30_500) == [Silent()]
    assert texts(strip.wake(60_000)) == ["A001"]
    strip.sent(60_000)
    assert strip.receive(A090Ack(3), 60_050) == [Acknowledged()]
    assert strip.wake_at_ms == 90_000


def test_the_time_for_an_acknowledgement_runs_from_when_the_frame_left() -> None:
    strip = StripProtocol(3)
    strip.set_pages([[("A001", "red")]], 0)
    assert strip.wake_at_ms == 30_000
    strip.sent(4_000)
    assert strip.wake_at_ms == 4_500


def test_a_strip_set_to_have_no_acknowledgement_is_never_silent() -> None:
    strip = StripProtocol(3, StripSettings(acks=False))
    (send,) = strip.set_pages([[("A001", "red")]], 0)
    assert isinstance(send, Send)
    assert send.reply_ms == 0
    strip.sent(0)
    assert strip.wake_at_ms == 30_000


def test_ux_w_05_pages_turn_after_2_5_s_in_a_circle() -> None:
    strip = StripProtocol(3)
    assert texts(strip.set_pages([[("请A001", "red")], [("到3号", "red")]], 0)) == ["请A001"]
    assert texts(strip.wake(2_500)) == ["到3号"]
    assert texts(strip.wake(5_000)) == ["请A001"]


def test_an_empty_list_of_pages_clears_the_strip() -> None:
    strip = StripProtocol(3)
    strip.set_pages([[("A001", "red")]], 0)
    assert on_line(strip.set_pages([], 10)) == ["A0 90 03 A5 00 00 A6"]


def test_when_the_line_comes_back_the_text_is_shown_again() -> None:
    strip = StripProtocol(3)
    assert strip.line_up(0) == []
    strip.set_pages([[("A001", "red")]], 0)
    assert texts(strip.line_up(5_000)) == ["A001"]


def test_a_strip_that_sends_text_is_ignored() -> None:
    assert isinstance(StripProtocol(3).receive(A090Frame(3, 0xA5), 0)[0], Ignored)
