"""The FF68 keypad's rules: both published keymaps, echo, repetition, failure after 3 s, display (HARDWARE 2.1, law 8)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.framing.ff68 import Ff68Frame, encode_ff68
from devices.protocols.base import Ignored, Send
from devices.protocols.keymaps import HALL_QUEUE_FRONT, JACK_Q_CHEN, KEYMAPS, Keymap
from devices.protocols.keypad import KeyAction, KeypadOutput, KeypadProtocol, KeypadSettings


def keypad(keymap: Keymap = HALL_QUEUE_FRONT) -> KeypadProtocol:
    return KeypadProtocol(0x07, keymap)


def frame(data: str) -> Ff68Frame:
    return Ff68Frame(0x07, 0x01, bytes.fromhex(data))


def asked(outputs: list[KeypadOutput]) -> list[tuple[str, str]]:
    return [(str(o.action), o.digits) for o in outputs if isinstance(o, KeyAction)]


def on_line(outputs: list[KeypadOutput] | list[Send[Ff68Frame]]) -> list[str]:
    return [encode_ff68(o.frame).hex(" ").upper() for o in outputs if isinstance(o, Send)]


SHARED = [
    ("0C", "next", ""),
    ("04 02 0C", "call", "42"),
    ("0D", "recall", ""),
    ("0B", "evaluate", ""),
    ("03 0A", "transfer", "3"),
]
FRONT = [
    ("00 0B", "hold", ""),
    ("00 0F", "pause", ""),
    ("02 0F", "resume", ""),
    ("04 0F", "sign_out", ""),
    ("05 0F", "no_show", ""),
    ("06 0F", "call_guard", ""),
    ("07 0F", "call_manager", ""),
    ("09 0F", "call_adviser", ""),
    ("01 00 07 0F", "sign_in", "107"),
]
CHEN = [
    ("06 0F", "no_show", ""),
    ("00 0F", "hold", ""),
    ("03 0F", "call_back", ""),
    ("12", "pause", ""),
    ("13", "transfer", ""),
    ("05 13", "transfer", "5"),
]


@pytest.mark.parametrize(("data", "action", "digits"), SHARED + FRONT)
def test_hardware_2_1_hallquefront_keymap(data: str, action: str, digits: str) -> None:
    assert asked(keypad(HALL_QUEUE_FRONT).receive(frame(data), 0)) == [(action, digits)]


@pytest.mark.parametrize(("data", "action", "digits"), SHARED + CHEN)
def test_hardware_2_1_jackqchen_keymap(data: str, action: str, digits: str) -> None:
    assert asked(keypad(JACK_Q_CHEN).receive(frame(data), 0)) == [(action, digits)]


@pytest.mark.parametrize("keymap", KEYMAPS.values(), ids=KEYMAPS.keys())
@pytest.mark.parametrize("data", ["0E", "11", "0F", "0A", "00", "FF 0C", ""])
def test_hardware_2_1_keys_without_meaning_are_echoed_and_ask_nothing(keymap: Keymap, data: str) -> None:
    first, second = keypad(keymap).receive(frame(data), 0)
    assert first == Send(frame(data))
    assert isinstance(second, Ignored)


def test_hardware_2_1_the_echo_is_the_frame_unchanged_even_without_lead() -> None:
    bare = Ff68Frame(0x07, 0x01, b"\x0c", lead=False)
    assert on_line(keypad().receive(bare, 0)) == ["68 03 03 68 07 01 0C 14 16"]


def test_hardware_2_1_key_8_shows_the_address_without_asking_the_server() -> None:
    outputs = keypad().receive(frame("08 0F"), 0)
    assert asked(outputs) == []
    assert on_line(outputs)[1] == "FF 68 08 08 68 07 02 0A 0A 0A 0A 0A 07 42 16"


def test_hardware_2_1_show_literals() -> None:
    pad = keypad()
    assert on_line(pad.show("042")) == ["FF 68 08 08 68 07 02 0A 0A 0A 00 04 02 2D 16"]
    assert on_line(pad.show("015   ")) == ["FF 68 08 08 68 07 02 00 01 05 0A 0A 0A 2D 16"]
    assert on_line(pad.show("A042")) == on_line(pad.show("042"))
    assert on_line(pad.beep()) == ["FF 68 02 02 68 07 03 0A 16"]


def test_answers_show_the_number_success_or_failure() -> None:
    pad = keypad()
    tokens = [o.token for d in ("0C", "0D", "0B") for o in pad.receive(frame(d), 0) if isinstance(o, KeyAction)]
    assert on_line(pad.answer(tokens[0], ok=True, show="042")) == on_line(pad.show("042"))
    assert on_line(pad.answer(tokens[1], ok=True)) == ["FF 68 03 03 68 07 02 01 0A 16"]
    assert on_line(pad.answer(tokens[2], ok=False)) == ["FF 68 03 03 68 07 02 00 09 16", "FF 68 02 02 68 07 03 0A 16"]
    assert pad.wake_at_ms is None


def test_what_a_keypad_shows_is_shown_again_when_the_line_is_back() -> None:
    pad = keypad()
    assert pad.line_up() == []
    shown = pad.show("042")
    pad.receive(frame("08 0F"), 0)  # its address, on request: not what it is to show
    assert pad.line_up() == shown


def test_law_8_after_3_s_without_an_answer_the_keypad_shows_failure_once() -> None:
    pad = keypad()
    (token,) = [o.token for o in pad.receive(frame("0C"), 1_000) if isinstance(o, KeyAction)]
    assert pad.wake_at_ms == 4_000
    assert pad.wake(3_999) == []
    assert on_line(pad.wake(4_000))[0] == "FF 68 03 03 68 07 02 00 09 16"
    assert pad.wake(9_000) == []
    assert pad.answer(token, ok=True) == []
    assert pad.answer(token, ok=False) == []
    assert on_line(pad.answer(token, ok=True, show="042")) == on_line(pad.show("042"))


def test_law_8_without_a_server_waiting_commands_fail_together() -> None:
    pad = keypad()
    pad.receive(frame("0C"), 0)
    pad.receive(frame("0D"), 10)
    assert len(on_line(pad.fail_all())) == 2
    assert pad.fail_all() == []
    assert pad.wake_at_ms is None


def test_a_repetition_within_1_s_is_acknowledged_and_asks_nothing_however_long_it_goes_on() -> None:
    pad = keypad()
    assert asked(pad.receive(frame("0C"), 0)) == [("next", "")]
    for now_ms in range(250, 5_000, 250):
        assert pad.receive(frame("0C"), now_ms) == [Send(frame("0C"))]
    assert asked(pad.receive(frame("0D"), 5_100)) == [("recall", "")]
    assert asked(pad.receive(frame("0C"), 5_200)) == [("next", "")]
    assert asked(pad.receive(frame("0C"), 6_300)) == [("next", "")]


def test_more_commands_than_may_wait_fail_at_once() -> None:
    pad = KeypadProtocol(7, HALL_QUEUE_FRONT, KeypadSettings(beep_on_failure=False))
    for digit in range(1, 5):
        assert asked(pad.receive(frame(f"{digit:02x} 0C"), digit)) == [("call", str(digit))]
    outputs = pad.receive(frame("05 0C"), 9)
    assert asked(outputs) == []
    assert on_line(outputs)[1:] == ["FF 68 03 03 68 07 02 00 09 16"]


@given(
    st.sampled_from(list(KEYMAPS.values())),
    st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=20), st.integers(0, 2_000)), max_size=30),
)
def test_no_frame_makes_it_raise_and_what_waits_is_bounded(
    keymap: Keymap, events: list[tuple[int, bytes, int]]
) -> None:
    pad, now_ms, asked_at_ms = keypad(keymap), 0, []
    for function, data, later_ms in events:
        now_ms += later_ms
        pad.wake(now_ms)
        outputs = pad.receive(Ff68Frame(7, function, data), now_ms)
        for _action, digits in asked(outputs):
            asked_at_ms.append(now_ms)
            assert digits.isdecimal() or not digits
        assert sum(at > now_ms - 3_000 for at in asked_at_ms) <= 4
        assert pad.wake_at_ms is None or now_ms < pad.wake_at_ms <= now_ms + 3_000


def test_hardware_2_1_a_question_shows_its_cells_and_beeps_without_a_sign_over_them() -> None:
    """HARDWARE 2.1: FUNC 02 "show (digits 0..9; 0x0A = blank …", FUNC 03 "beep"; issue 2: "ask when both wait"."""
    pad = keypad()
    token = next(o.token for o in pad.receive(frame("01 02 0C"), 0) if isinstance(o, KeyAction))
    cells, beep = "FF 68 08 08 68 07 02 0A 02 0A 00 01 02 22 16", "FF 68 02 02 68 07 03 0A 16"
    assert on_line(pad.answer(token, ok=False, show="2 012")) == [cells, beep]
    quiet = KeypadProtocol(0x07, HALL_QUEUE_FRONT, KeypadSettings(beep_on_failure=False))
    token = next(o.token for o in quiet.receive(frame("01 02 0C"), 0) if isinstance(o, KeyAction))
    assert on_line(quiet.answer(token, ok=False, show="2 012")) == [cells]
