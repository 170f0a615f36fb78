"""What asked presses of unknown keypads and rating devices prove: random frames are recovered, too few presses name the one that lacks."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from devices.framing.checksums import CHECKSUMS
from devices.framing.template import Template, TemplateFrame, parse_template
from devices.learning.answers import KEYS, Answers, Step
from devices.learning.dialogue import Dialogue, Typed
from devices.learning.listening import Listening
from devices.learning.padreply import acknowledgement
from devices.learning.padshape import Heard, Lack, PadShape, alike, infer_pad
from devices.learning.polls import Polls
from devices.learning.presses import Unread
from devices.learning.shapes import Burst
from devices.learning.strange import Sign, Strange
from devices.learning.tap import TransportTap
from devices.transport import memory_pair
from tests.devices.hall import own_time

WINDOWS = ("1", "2", "3")
PLAIN = ("next", "recall", "evaluate", "hold")


@dataclass(frozen=True, slots=True)
class Grammar:
    """An invented device: its press, its acknowledgement, and how its digits are written."""

    pressed: str
    acknowledge: str
    sum: str
    zero: int = 0

    def template(self, line: str) -> Template:
        return parse_template("pressed", line, self.sum, 16)


def frame(fixed: bytes, sums: str, text: bool, digits: bool, counted: bool, key_first: bool, tail: bytes) -> str:
    """A line of a template from what was drawn."""
    address, key = ("{address:2dec}", "{key:HEX}") if text else ("{address}", "{key}")
    inside = [address, "{digits}", key] if digits else [key, address] if key_first else [address, key]
    words = ["{length}", "(", *inside, ")"] if counted else inside
    total = {"": [], "raw": ["{sum}"], "le": ["{sum:le}"], "HEX": ["2A", "{sum:HEX}"]}[sums]
    return " ".join(
        [f"{fixed[0]:02X}", "<", *(f"{byte:02X}" for byte in fixed[1:]), *words, ">", *total]
        + [f"{byte:02X}" for byte in tail]
    )


@st.composite
def grammars(draw: st.DrawFn) -> Grammar:
    """Any device that a profile can describe and that ten presses can prove."""
    text = draw(st.booleans())
    name = draw(st.sampled_from([*CHECKSUMS]))
    digits = draw(st.booleans())
    counted = not text and draw(st.booleans())
    fixed = draw(st.binary(min_size=2, max_size=4)) if not text else b"$" + draw(st.sampled_from([b"K", b"PAD", b"<R"]))
    sums = "HEX" if text else draw(st.sampled_from(["raw", "le"]))
    tail = b"\r\n" if text else draw(st.sampled_from([b"", b"\x03", b"\x16", b"\x0d\x0a"]))
    if digits and not text:
        counted = True
    line = frame(fixed, sums, text, digits, counted, draw(st.booleans()), tail)
    address, total = ("{address:2dec}", "2A {sum:HEX} 0D 0A") if text else ("{address}", "{sum}")
    answer = draw(st.sampled_from(["echo", "fixed", "own", "summed", "none"]))
    acknowledge = {
        "echo": line,
        "fixed": "06",
        "own": f"5B A6 {address} 77",
        "summed": f"5B < A6 {address} 77 > {total}",
        "none": "",
    }[answer]
    return Grammar(line, acknowledge, name, 0x30 if text else draw(st.sampled_from([0, 0x30])))


def presses(grammar: Grammar, addresses: list[int], codes: list[int]) -> list[Heard]:
    """Every key at the first window, the first key at the others."""
    template, found = grammar.template(grammar.pressed), []
    typing = [("call", "12"), ("transfer_to", "3"), ("sign_in", "1001")] if "digits" in template.fields else []
    for at, window in enumerate(WINDOWS):
        asked = [(what, "") for what in PLAIN] + typing if at == 0 else [("next", "")]
        asked += [("recall", "")] if at == 1 else []
        for what, typed in asked:
            said = dict(zip([*PLAIN, *(name for name, _ in typing)], codes, strict=False))
            body = bytes(grammar.zero + int(digit) for digit in typed)
            one = TemplateFrame("pressed", addresses[at], body, said[what])
            raw = template.encode(one)
            after = [grammar.template(grammar.acknowledge).encode(one)] if grammar.acknowledge else []
            found.append(Heard(window, what, raw, tuple(after), KEYS[what].typed))
    return found


@settings(max_examples=150, deadline=None)
@given(
    grammars(),
    st.lists(st.integers(1, 99), min_size=3, max_size=3, unique=True),
    st.lists(st.integers(0x4B, 0xFD), min_size=7, max_size=7, unique=True),
)
def test_a_random_device_is_recovered_or_the_press_that_lacks_is_named(
    grammar: Grammar, addresses: list[int], codes: list[int]
) -> None:
    heard = presses(grammar, addresses, codes)
    shape = infer_pad(heard, WINDOWS, "next", "recall")
    event("lacking" if isinstance(shape, Lack) else "recovered")
    if isinstance(shape, Lack):
        assert shape.why == "press"
        assert (shape.window, shape.what) not in {(one.window, one.what) for one in heard}
        return
    assert shape.left == ()
    found, wanted = (
        grammar.template(shape.pressed) if shape.sum == grammar.sum else None,
        grammar.template(grammar.pressed),
    )
    found = found or parse_template("pressed", shape.pressed, shape.sum, 16)
    keys = {}
    for one in heard:
        told, true = found.scan(one.raw, 0), wanted.scan(one.raw, 0)
        assert (told.frame.body, told.length) == (true.frame.body, true.length)
        keys[told.frame.key] = true.frame.key
        assert found.encode(told.frame) == one.raw
    line, how = acknowledgement(heard, shape)
    assert (line != "") == (grammar.acknowledge != "")
    if line:
        reply = parse_template("pressed", line, shape.sum, 16)
        for one in heard:
            told = found.scan(one.raw, 0).frame
            assert reply.encode(told) == one.after[0]
        assert how == ("echo" if grammar.acknowledge == grammar.pressed else "heard")


def sum8(*pressed: tuple[str, str, int, int]) -> list[Heard]:
    """Presses of one simple device: window, key asked for, address, key byte."""
    template = parse_template("pressed", "7E 02 < {address} {key} > {sum} 0D", "sum8", 16)
    return [
        Heard(window, what, template.encode(TemplateFrame("pressed", address, b"", key)))
        for window, what, address, key in pressed
    ]


@pytest.mark.parametrize(
    ("pressed", "lack"),
    [
        ([], Lack("key", "1", "next")),
        ([("1", "next", 0x21, 0xB1), ("1", "recall", 0x21, 0xB2)], Lack("window", "2", "next")),
        ([("1", "next", 0x21, 0xB1), ("2", "next", 0x33, 0xB1)], Lack("key", "1", "recall")),
    ],
)
def test_too_few_presses_name_the_one_that_would_decide(pressed: list[tuple[str, str, int, int]], lack: Lack) -> None:
    assert infer_pad(sum8(*pressed), WINDOWS, "next", "recall") == lack


def test_where_address_and_key_could_change_places_the_press_that_decides_is_asked_for() -> None:
    template = parse_template("pressed", "7E 02 {address} {key} 0D", "", 16)
    frames = [(("1", "next"), 0x21, 0xB1), (("2", "recall"), 0x33, 0xB2)]
    heard = [Heard(*asked, template.encode(TemplateFrame("pressed", one, b"", key))) for asked, one, key in frames]
    lack = infer_pad(heard, WINDOWS, "next", "recall")
    assert isinstance(lack, Lack)
    assert (lack.why, lack.window, lack.what) == ("press", "1", "recall")
    raw = template.encode(TemplateFrame("pressed", 0x21, b"", 0xB2))
    shape = infer_pad([*heard, Heard("1", "recall", raw)], WINDOWS, "next", "recall")
    assert isinstance(shape, PadShape)
    assert shape.pressed == "7E 02 {address} {key} 0D"


def test_a_sum_that_the_list_does_not_have_is_said_and_not_taken_for_something_else() -> None:
    keys = [
        ("1", "next", 0x21, 0xB1),
        ("1", "recall", 0x21, 0xB2),
        ("2", "next", 0x33, 0xB1),
        ("2", "recall", 0x33, 0xB2),
    ]
    heard = [
        Heard(one.window, one.what, one.raw[:4] + bytes((one.raw[2] * one.raw[3] * 7 & 0xFF,)) + one.raw[5:])
        for one in sum8(*keys)
    ]
    assert infer_pad(heard, WINDOWS, "next", "recall") == Lack("vary", places=(3, 4, 5))


def test_one_wrong_press_among_many_is_left_out_and_named() -> None:
    keys = [(window, what, address, key) for window, address in (("1", 0x21), ("2", 0x33), ("3", 0x45))
            for what, key in (("next", 0xB1), ("recall", 0xB2), ("hold", 0xB7))]  # fmt: skip
    wrong = sum8(("2", "hold", 0x45, 0xB2))
    shape = infer_pad(
        [*(one for one in sum8(*keys) if (one.window, one.what) != ("2", "hold")), *wrong], WINDOWS, "next", "recall"
    )
    assert isinstance(shape, PadShape)
    assert shape.left == tuple(wrong)
    assert (shape.pressed, shape.sum) == ("7E 02 < {address} {key} > {sum} 0D", "sum8")


@pytest.mark.parametrize(("copies", "how"), [(0, "none"), (1, "echo"), (3, "repeated")])
def test_the_same_frame_once_more_is_an_echo_and_often_the_devices_own(copies: int, how: str) -> None:
    keys = [
        ("1", "next", 0x21, 0xB1),
        ("1", "recall", 0x21, 0xB2),
        ("2", "next", 0x33, 0xB1),
        ("2", "recall", 0x33, 0xB2),
    ]
    heard = [Heard(one.window, one.what, one.raw, (one.raw,) * copies) for one in sum8(*keys)]
    shape = infer_pad(heard, WINDOWS, "next", "recall")
    assert isinstance(shape, PadShape)
    assert acknowledgement(heard, shape) == (shape.pressed if how == "echo" else "", how)


def question(answers: Answers, what: str, window: str = "1") -> Strange:
    return Strange(answers, Step(window, what), Polls())


def test_what_comes_twice_is_the_press_and_noise_and_repetitions_are_not() -> None:
    answers = Answers(WINDOWS)
    raw = sum8(("1", "next", 0x21, 0xB1))[0].raw
    strange = question(answers, "next")
    assert strange.hear(Burst(0, b"\x55\x01\x02\x03")) is Sign.UNSURE
    assert strange.hear(Burst(100, raw)) is Sign.UNSURE
    assert strange.hear(Burst(350, raw)) is Sign.NOTHING
    assert strange.hear(Burst(900, b"\x01")) is Sign.NOTHING
    assert strange.hear(Burst(1500, raw + raw)) is Sign.PRESS
    answers.given[strange.step] = strange.answer
    assert (strange.answer.raw, strange.answer.after) == (raw, (raw,))
    assert question(answers, "recall").hear(Burst(3000, raw)) is Sign.SAME
    assert question(answers, "next", "2").hear(Burst(3000, raw)) is Sign.ELSEWHERE


def test_when_two_keys_show_a_sum_one_press_is_enough_and_a_damaged_one_is_none() -> None:
    answers = Answers(WINDOWS)
    for one in sum8(("1", "next", 0x21, 0xB1), ("1", "recall", 0x21, 0xB2)):
        answers.given[Step("1", one.what)] = Unread(0, False, one.raw)
    good, there = (one.raw for one in sum8(("1", "hold", 0x21, 0xB7), ("2", "hold", 0x33, 0xB7)))
    strange = question(answers, "hold")
    assert strange.hear(Burst(0, good[:3] + b"\x55" + good[4:])) is Sign.UNSURE
    assert strange.hear(Burst(50, there)) is Sign.UNSURE, "it may be the press of another clerk"
    assert strange.hear(Burst(100, good)) is Sign.PRESS
    assert question(answers, "next", "2").hear(Burst(0, sum8(("2", "next", 0x33, 0xB1))[0].raw)) is Sign.PRESS


def test_a_damaged_press_of_one_window_is_not_another_windows() -> None:
    """A sum also holds when what it does not cover was damaged, and by chance when few keys were pressed."""
    frames = [b"$K07,%s*%s\r\n" % pair for pair in ((b"41", b"65"), (b"42", b"66"), (b"54", b"61"), (b"53", b"66"))]
    assert not alike(b"$K07,41*65X\n", frames, 2)
    assert not alike(b"$Ke7,41*65\r\n", frames, 2)
    assert alike(b"$K31,41*60\r\n", frames, 2)


def test_a_digit_that_is_the_byte_that_ends_the_frame_is_set_aside_and_ends_no_lesson() -> None:
    """Binary digits that nothing counts, on a keypad whose frames end with 03: the layout cannot say that press back."""
    raws = {("1", "next"): "5001 41", ("1", "recall"): "5001 42", ("2", "next"): "5007 41", ("1", "hold"): "5001 43"}
    asked = [Heard(window, what, bytes.fromhex(f"02 {raw} 03")) for (window, what), raw in raws.items()]
    odd = Heard("1", "transfer_to", bytes.fromhex("02 50 01 03 44 03"), (), "3")
    shape = infer_pad([*asked, odd], WINDOWS[:2], "next", "recall")
    assert isinstance(shape, PadShape)
    assert (shape.pressed, shape.left) == ("02 50 {address} {key} 03", (odd,))


@pytest.mark.parametrize(
    ("typed", "wanted", "most_s"), [("q", Typed.QUIT, 1.5), ("", Typed.SKIP, 1.5), (None, Typed.SKIP, 9.0)]
)
async def test_more_keys_are_awaited_for_a_while_and_the_terminal_is_heard_meanwhile(
    typed: str | None, wanted: Typed, most_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a line that talks all the time a press of the same kind always comes; each is judged once, and none after the first."""
    judged: list[bytes] = []

    def counted(raw: bytes, frames: Sequence[bytes], most: int) -> bool:
        judged.append(raw)
        return alike(raw, frames, most)

    monkeypatch.setattr("devices.learning.strange.alike", counted)
    answers, lines = Answers(WINDOWS), asyncio.Queue[str | None]()
    for one in sum8(("1", "next", 0x21, 0xB1), ("1", "recall", 0x21, 0xB2), ("2", "next", 0x22, 0xB1)):
        answers.given[Step(one.window, one.what)] = Unread(0, False, one.raw)
    listening = Listening(TransportTap(memory_pair()[0]), lambda _: None)
    loop = asyncio.get_running_loop()

    async def talk() -> None:
        for key in itertools.cycle(range(0x40, 0xA0)):
            await listening.presses.put(Burst(int(loop.time() * 1000), sum8(("1", "hold", 0x21, key))[0].raw))
            await asyncio.sleep(0.1)

    with own_time():
        began = loop.time()
        talking = asyncio.create_task(talk())
        if typed is not None:
            loop.call_later(1.0, lines.put_nowait, typed)
        dialogue = Dialogue(listening, answers, lines.get, lambda _: None)
        assert await dialogue._ask(Step("1", "hold")) is wanted
        assert loop.time() - began <= most_s
        dialogue.close()
        talking.cancel()
        await asyncio.gather(talking, return_exceptions=True)
    assert len(judged) < 6


async def test_a_press_that_comes_with_a_typed_line_is_not_lost() -> None:
    async def line() -> str | None:
        return "?"

    listening = Listening(TransportTap(memory_pair()[0]), lambda _: None)
    dialogue = Dialogue(listening, Answers(WINDOWS), line, lambda _: None)
    listening.presses.put_nowait(burst := Burst(0, b"\x01\x02\x03\x04"))
    assert await dialogue._event(1) == "?"
    assert listening.presses.get_nowait() == burst
