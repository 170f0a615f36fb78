"""One phrase after the other, each to its end, each at most once (HARDWARE 3, UX V-03, V-05, law 7)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.framing import tts
from devices.framing.dfplayer import DfFrame
from devices.framing.jq8900 import JqFrame
from devices.framing.tts import TtsFrame, TtsReply
from devices.protocols.base import Ignored, Mute, Send
from devices.protocols.speech import QUEUE_LIMIT, SpeechProtocol
from devices.protocols.tracks import DfDialect, JqDialect, TrackSettings
from devices.protocols.tts import TtsDialect
from devices.protocols.voice import Ended, Phrase, SpeechSettings, Started
from tests.devices import independent_syn6288 as second

TEN = ("请", "A", "零", "一", "二", "号", "到", "三", "号", "窗口")  # eleven syllables: 2.75 s
READY, TAKEN, REFUSED, BUSY, IDLE = map(TtsReply, (0x4A, 0x41, 0x45, 0x4E, 0x4F))


def phrase(
    name: str = "p", tokens: tuple[str, ...] = TEN, expires_ms: int = 10_000, *, follows: bool = False
) -> Phrase:
    return Phrase(name, tokens, 80, expires_ms, follows)


class Talk:
    """A protocol whose frames leave at once, at times told."""

    def __init__(self, dialect: Any = None, **changed: int) -> None:
        settings = SpeechSettings(**{"idle_words": 1} | changed)
        self.protocol: SpeechProtocol[Any] = SpeechProtocol(dialect or TtsDialect("syn6288"), settings)

    def up(self, now_ms: int = 0) -> list[Any]:
        return self._leave(self.protocol.line_up(now_ms), now_ms)

    def say(self, what: Phrase, now_ms: int) -> list[Any]:
        return self._leave(self.protocol.say(what, now_ms), now_ms)

    def hear(self, frame: Any, now_ms: int) -> list[Any]:
        return self._leave(self.protocol.receive(frame, now_ms), now_ms)

    def wait(self) -> tuple[int, list[Any]]:
        """Until it wants to be woken."""
        at = self.protocol.wake_at_ms
        assert at is not None
        return at, self._leave(self.protocol.wake(at), at)

    def _leave(self, outputs: list[Any], now_ms: int) -> list[Any]:
        for output in outputs:
            if isinstance(output, Send):
                assert output.in_turn
                self.protocol.sent(output.slot, now_ms)
        return [o.frame if isinstance(o, Send) else o for o in outputs]


def ready(**changed: int) -> Talk:
    talk = Talk(**changed)
    assert talk.up() == [TtsFrame(tts.STATUS)]
    assert talk.hear(IDLE, 10) == []
    return talk


def text_of(frame: Any) -> str:
    assert frame.command == tts.SPEAK
    return second.spoken(frame.data)[0]


def test_hardware_3_1_a_phrase_is_taken_sounds_and_ends_with_the_idle_report() -> None:
    talk = ready()
    [frame] = talk.say(phrase(), 20)
    assert text_of(frame) == "请A零一二号到三号窗口"
    assert talk.hear(TAKEN, 40) == [Started("p")]
    assert talk.hear(IDLE, 2_800) == [Ended("p", "spoken")]
    assert not talk.protocol.busy


def test_ux_v_05_the_next_call_waits_for_the_end_of_the_running_one() -> None:
    talk = ready()
    talk.say(phrase("a"), 20)
    assert talk.say(phrase("b"), 21) == []
    talk.hear(TAKEN, 40)
    assert talk.say(phrase("c"), 50) == []
    ended, frame = talk.hear(IDLE, 2_800)
    assert ended == Ended("a", "spoken")
    assert text_of(frame) == "请A零一二号到三号窗口"
    talk.hear(TAKEN, 2_810)
    assert talk.hear(IDLE, 5_600)[0] == Ended("b", "spoken")


def test_ux_v_03_a_repetition_comes_after_a_silence_and_without_the_chime() -> None:
    talk = Talk(JqDialect(TrackSettings(tracks={"请": 51, "chime": 90})), repeat_ms=400)
    idle = JqFrame(0x01, b"\x00")
    talk.up()
    talk.hear(idle, 10)
    assert talk.say(phrase(tokens=("请",)), 20)[1] == JqFrame(0x1B, b"90")
    talk.protocol.line_down()
    talk.up(100)
    talk.hear(idle, 110)
    assert talk.say(phrase(tokens=("请",), follows=True), 120) == []
    at, frames = talk.wait()
    assert (at, frames[1]) == (520, JqFrame(0x1B, b"51"))


def test_hardware_3_1_long_texts_are_chained_by_idle_reports() -> None:
    tokens = tuple("请" + "、".join(f"A{n:03}到{n}号" for n in range(30)) + "窗口")
    talk = ready()
    [frame] = talk.say(phrase(tokens=tokens), 20)
    spoken, now = "", 20
    while isinstance(frame, TtsFrame):
        assert len(frame.data) <= 201
        spoken += text_of(frame)
        talk.hear(TAKEN, now + 20)
        now += 20_000
        frame = talk.hear(IDLE, now)[0]
    assert spoken == "".join(tokens)
    assert frame == Ended("p", "spoken")


def test_nothing_is_said_before_the_module_is_known_to_be_idle() -> None:
    """An agent that was restarted does not cut off what its predecessor began."""
    talk = Talk()
    talk.up()
    assert talk.say(phrase(), 5) == []
    assert talk.hear(BUSY, 10) == []
    assert talk.wait() == (1_010, [TtsFrame(tts.STATUS)])
    [frame] = talk.hear(IDLE, 1_020)
    assert frame.command == tts.SPEAK


def test_a_lost_idle_report_is_found_by_asking() -> None:
    talk = ready()
    talk.say(phrase(), 20)
    talk.hear(TAKEN, 40)
    at, out = talk.wait()
    assert (at, out) == (20 + 2_750 + 500, [TtsFrame(tts.STATUS)])
    assert talk.hear(BUSY, 3_280) == []
    at, out = talk.wait()
    assert (at, out) == (4_280, [TtsFrame(tts.STATUS)])
    assert talk.hear(IDLE, 4_290) == [Ended("p", "spoken")]


def test_a_lost_acknowledgement_is_made_up_for_by_asking_and_nothing_is_said_twice() -> None:
    talk = ready()
    talk.say(phrase(), 20)
    assert talk.wait() == (520, [TtsFrame(tts.STATUS)])
    assert talk.hear(BUSY, 530) == [Started("p")]
    assert talk.hear(IDLE, 2_700) == [Ended("p", "spoken")]


def test_an_end_that_is_told_makes_up_for_a_lost_acknowledgement() -> None:
    talk = Talk(DfDialect(TrackSettings(clip_ms=600)))
    talk.up()
    talk.hear(DfFrame(0x42, 0x0200), 10)
    talk.say(phrase(tokens=("零", "一")), 20)
    assert talk.hear(DfFrame(0x3D, 1), 100) == []  # too early to be this one's
    assert talk.hear(DfFrame(0x3D, 1), 400) == [Started("p"), DfFrame(0x12, 1, feedback=True)]


def test_a_lost_frame_is_sent_again_only_while_it_surely_did_not_sound() -> None:
    talk = ready()
    talk.say(phrase(), 20)
    talk.wait()
    assert talk.hear(IDLE, 530) == [Ignored("not taken")]
    at, [frame] = talk.wait()
    assert (at, frame.command) == (630, tts.SPEAK)
    assert talk.wait()[1] == [TtsFrame(tts.STATUS)]
    # Long after: it may have been said by now.
    assert talk.hear(IDLE, 630 + 1_000)[0] == Ended("p", "unknown", "not acknowledged")


def test_hardware_3_1_a_rejected_frame_is_tried_three_times() -> None:
    talk = ready()
    talk.say(phrase(), 20)
    now = 30
    for _ in range(2):
        assert talk.hear(REFUSED, now) == [Ignored("refused")]
        now, [frame] = talk.wait()
        assert frame.command == tts.SPEAK
    assert talk.hear(REFUSED, now + 10)[1] == Ended("p", "failed", "refused")


def test_hardware_3_1_power_loss_in_the_middle_is_unknown_and_not_repeated() -> None:
    talk = ready()
    talk.say(phrase("a"), 20)
    talk.say(phrase("b"), 21)
    talk.hear(TAKEN, 40)
    assert talk.hear(READY, 500) == [Ended("a", "unknown", "the module restarted"), TtsFrame(tts.STATUS)]
    [frame] = talk.hear(IDLE, 510)
    assert frame.command == tts.SPEAK
    talk.hear(TAKEN, 530)
    assert talk.hear(IDLE, 3_300) == [Ended("b", "spoken")]


def test_a_late_idle_report_of_the_last_phrase_does_not_end_the_next() -> None:
    talk = ready()
    talk.say(phrase("a"), 20)
    talk.say(phrase("b"), 20)
    talk.hear(TAKEN, 40)
    talk.wait()
    assert talk.hear(IDLE, 3_280)[0] == Ended("a", "spoken")  # the answer; the report itself is still on its way
    assert talk.hear(IDLE, 3_285) == []
    talk.hear(TAKEN, 3_290)
    assert talk.hear(IDLE, 3_400) == [TtsFrame(tts.STATUS)]  # too early to be believed
    assert talk.hear(BUSY, 3_410) == []
    assert talk.hear(IDLE, 6_000) == [Ended("b", "spoken")]


def test_one_flipped_bit_makes_busy_into_idle_so_two_words_are_wanted() -> None:
    talk = ready(idle_words=2)
    assert talk.wait() == (110, [TtsFrame(tts.STATUS)])
    talk.hear(IDLE, 120)
    talk.say(phrase(), 130)
    talk.hear(TAKEN, 140)
    assert talk.hear(IDLE, 1_500) == [TtsFrame(tts.STATUS)]  # a report, or a flipped bit?
    assert talk.hear(BUSY, 1_510) == []
    assert talk.hear(IDLE, 2_900) == [TtsFrame(tts.STATUS)]
    assert talk.hear(IDLE, 2_910) == [Ended("p", "spoken")]


def test_a_module_that_answers_nothing_is_mute_and_takes_no_phrases_until_it_speaks_again() -> None:
    talk = Talk()
    talk.up()
    talk.say(phrase("a"), 0)
    assert [talk.wait()[0] for _ in range(2)] == [500, 1_000]
    assert talk.wait() == (1_500, [Mute(), Ended("a", "failed", "no answer")])
    assert talk.say(phrase("b"), 1_600) == [Ended("b", "failed", "no answer")]
    assert talk.wait() == (6_500, [TtsFrame(tts.STATUS)])
    talk.hear(IDLE, 6_510)
    assert talk.say(phrase("c"), 6_520)[0].command == tts.SPEAK


def test_a_module_that_falls_silent_while_it_speaks_is_unknown() -> None:
    talk = ready()
    talk.say(phrase("a"), 20)
    talk.say(phrase("b", expires_ms=60_000), 20)
    talk.hear(TAKEN, 40)
    outputs: list[Any] = []
    while Mute() not in outputs:
        outputs = talk.wait()[1]
    assert outputs == [Mute(), Ended("a", "unknown", "no answer"), Ended("b", "failed", "no answer")]


def test_a_module_that_never_ends_is_stopped() -> None:
    talk = ready()
    talk.say(phrase(), 20)
    talk.hear(TAKEN, 40)
    outputs: list[Any] = []
    while not outputs:
        at, _ = talk.wait()
        outputs = talk.hear(BUSY, at + 10)
    assert at > 20 + 3 * 2_750 + 10_000
    assert outputs == [TtsFrame(tts.STOP), Ended("p", "unknown", "does not end"), TtsFrame(tts.STATUS)]


def test_ux_v_05_what_cannot_begin_in_time_is_dropped() -> None:
    talk = ready()
    talk.say(phrase("a"), 20)
    talk.hear(TAKEN, 40)
    talk.say(phrase("b", expires_ms=1_000), 50)
    assert talk.wait() == (1_000, [Ended("b", "failed", "expired")])


def test_law_5_the_queue_is_bounded() -> None:
    talk = ready()
    talk.say(phrase("first"), 20)
    for n in range(QUEUE_LIMIT):
        assert talk.say(phrase(str(n)), 20) == []
    assert talk.say(phrase("over"), 20) == [Ended("over", "failed", "full")]


def test_the_line_goes_what_began_is_unknown_and_the_rest_has_failed() -> None:
    talk = ready()
    talk.say(phrase("a"), 20)
    talk.say(phrase("b"), 20)
    assert talk.protocol.line_down() == [Ended("a", "unknown", "offline"), Ended("b", "failed", "offline")]
    assert talk.say(phrase("c"), 30) == [Ended("c", "failed", "offline")]
    assert talk.protocol.wake_at_ms is None
    assert talk.hear(IDLE, 40) == []


def test_what_a_module_cannot_say_fails_with_its_name() -> None:
    assert ready().say(phrase(tokens=("请", "𪚥")), 0) == [Ended("p", "failed", "no module says U+2A6A5")]
    assert ready().say(phrase(tokens=("en:number",)), 0)[0].reason == "this module does not say 'en:number'"
    assert ready().say(phrase(tokens=("，",)), 0)[0].reason == "nothing to say"
    talk = Talk(JqDialect())
    talk.up()
    assert talk.say(phrase(tokens=("请", "鑫")), 0) == [Ended("p", "failed", "no track for '鑫'")]


def test_hardware_3_4_combined_play_is_known_by_asking_alone() -> None:
    talk = Talk(JqDialect(), idle_words=2)
    assert talk.up(-200) == [JqFrame(0x01)]
    busy, idle = JqFrame(0x01, b"\x01"), JqFrame(0x01, b"\x00")
    assert talk.hear(idle, -190) == []
    assert talk.wait() == (-90, [JqFrame(0x01)])
    assert talk.hear(idle, -80) == []
    volume, play = talk.say(phrase(), 20)
    assert (volume, play) == (JqFrame(0x13, b"\x18"), JqFrame(0x1B, b"51211001025352035354"))
    assert talk.wait() == (520, [JqFrame(0x01)])
    assert talk.hear(busy, 530) == [Started("p")]
    assert talk.wait() == (20 + 6_000 + 500, [JqFrame(0x01)])
    assert talk.hear(idle, 6_530) == []  # the gap between two files?
    assert talk.wait() == (6_630, [JqFrame(0x01)])
    assert talk.hear(idle, 6_640) == [Ended("p", "spoken")]
    assert talk.say(phrase("q"), 7_000) == [play]  # the volume is known


def test_hardware_3_3_dfplayer_plays_track_after_track_and_a_report_that_comes_twice_ends_one() -> None:
    talk = Talk(DfDialect(TrackSettings(clip_ms=600)))
    assert talk.up() == [DfFrame(0x42)]
    talk.hear(DfFrame(0x42, 0x0200), 10)
    volume, first = talk.say(phrase(tokens=("零", "零", "一")), 20)
    assert (volume, first) == (DfFrame(0x06, 24), DfFrame(0x12, 10, feedback=True))
    assert talk.hear(DfFrame(0x41), 30) == [Started("p")]
    assert talk.hear(DfFrame(0x3D, 7), 620) == [DfFrame(0x12, 10, feedback=True)]
    assert talk.hear(DfFrame(0x3D, 7), 625) == []
    talk.hear(DfFrame(0x41), 640)
    assert talk.hear(DfFrame(0x3D, 7), 650) == [DfFrame(0x42)]
    assert talk.hear(DfFrame(0x42, 0x0201), 660) == []
    assert talk.hear(DfFrame(0x3D, 7), 1_200) == [DfFrame(0x12, 1, feedback=True)]
    talk.hear(DfFrame(0x41), 1_220)
    assert talk.hear(DfFrame(0x3D, 2), 1_800) == [Ended("p", "spoken")]


@pytest.mark.parametrize(
    ("error", "reason"), [(6, "track not found"), (5, "track out of range"), (8, "card not readable")]
)
def test_hardware_3_3_an_error_that_stays_ends_the_phrase(error: int, reason: str) -> None:
    talk = Talk(DfDialect())
    talk.up()
    talk.hear(DfFrame(0x42, 0x0200), 10)
    talk.say(phrase(), 20)
    talk.hear(DfFrame(0x41), 30)
    assert talk.hear(DfFrame(0x40, error), 40)[:2] == [Ignored(reason), Ended("p", "failed", reason)]


@pytest.mark.parametrize("error", [1, 2, 3, 4])
def test_hardware_3_3_an_error_that_passes_is_tried_again(error: int) -> None:
    talk = Talk(DfDialect())
    talk.up()
    talk.hear(DfFrame(0x42, 0x0200), 10)
    _, first = talk.say(phrase(), 20)
    talk.hear(DfFrame(0x40, error), 40)
    assert talk.wait() == (140, [first])


# A module under any faults, on a clock of its own.


@dataclass
class Rough:
    """What may happen: drawn anew for each frame and reply."""

    lost_frame: Callable[[], bool]
    lost_reply: Callable[[], bool]
    delay_ms: Callable[[], int]
    speed: Callable[[], float]
    power_cut: Callable[[], bool]
    refuse: Callable[[], bool]
    noise: Callable[[], bool] = lambda: False


@dataclass
class Module:
    """A SYN6288 by its table: one new text cuts off the running one. What it says arrives late, and in its order."""

    rough: Rough
    until: int = 0
    text: str = ""
    whole: list[str] = field(default_factory=list)
    begun: list[str] = field(default_factory=list)
    cut: list[str] = field(default_factory=list)
    said: list[tuple[int, TtsReply]] = field(default_factory=list)
    last_at: int = 0

    def end(self, now: int) -> None:
        if self.text and now >= self.until:
            self.whole.append(self.text)
            self.text = ""
            self._reply(self.until, IDLE)

    def hear(self, frame: TtsFrame, now: int) -> None:
        if self.rough.lost_frame():
            return
        if self.text and self.rough.power_cut():
            self.text = ""
            self._reply(now, READY, sure=True)  # were this one lost too, nothing could tell a cut from an end
            return
        match frame.command:
            case tts.STATUS:
                self._reply(now, BUSY if self.text else IDLE)
            case tts.STOP:
                self.text = ""
                self._reply(now, TAKEN)
            case _ if self.rough.refuse():
                self._reply(now, REFUSED)
            case _:
                if self.text:
                    self.cut.append(self.text)
                self.text = text_of(frame)
                self.begun.append(self.text)
                self.until = now + int(250 * sum(map(str.isalnum, self.text)) * self.rough.speed())
                self._reply(now, TAKEN)

    def _reply(self, now: int, reply: TtsReply, *, sure: bool = False) -> None:
        if self.rough.noise():
            self.last_at = max(self.last_at, now)
            self.said.append((self.last_at, IDLE))
        if sure or not self.rough.lost_reply():
            self.last_at = max(self.last_at, now + self.rough.delay_ms())
            self.said.append((self.last_at, reply))


def run(rough: Rough, phrases: list[Phrase], idle_words: int) -> tuple[Module, list[Ended], int]:
    protocol: SpeechProtocol[Any] = SpeechProtocol(TtsDialect("syn6288"), SpeechSettings(idle_words=idle_words))
    module, ended, most, now = Module(rough), list[Ended](), 0, 0
    asked = [(place * 300, one) for place, one in enumerate(phrases)]

    def carry_out(outputs: list[Any]) -> None:
        for output in outputs:
            if isinstance(output, Ended):
                ended.append(output)
            elif isinstance(output, Send):
                protocol.sent(output.slot, now)
                module.hear(output.frame, now)

    carry_out(protocol.line_up(now))
    while len(ended) < len(phrases) and now < 3_600_000:
        times = [at for at, _ in asked[:1]] + [at for at, _ in module.said[:1]] + [module.until] * bool(module.text)
        wake = protocol.wake_at_ms
        now = max(now, min(times if wake is None else [*times, wake]))
        module.end(now)
        if module.said and module.said[0][0] <= now:
            carry_out(protocol.receive(module.said.pop(0)[1], now))
        elif asked and asked[0][0] <= now:
            carry_out(protocol.say(asked.pop(0)[1], now))
        elif wake is not None and wake <= now:
            carry_out(protocol.wake(now))
        most = max(most, len(protocol._waiting))
    module.end(now + 60_000)
    return module, ended, most


@settings(max_examples=200)
@given(st.randoms(use_true_random=False), st.sampled_from((0.0, 0.1, 0.4)), st.integers(1, 5), st.sampled_from((1, 2)))
def test_under_any_faults_each_phrase_ends_once_nothing_is_cut_off_and_nothing_is_said_twice(
    random: Any, rate: float, count: int, idle_words: int
) -> None:
    rough = Rough(
        lost_frame=lambda: random.random() < rate,
        lost_reply=lambda: random.random() < rate,
        delay_ms=lambda: random.randrange(0, 400),
        speed=lambda: random.uniform(0.5, 2.5),
        power_cut=lambda: random.random() < rate / 4,
        refuse=lambda: random.random() < rate / 2,
    )
    words = [
        "请A零零一号到一号窗口",
        "请B零零二号到二号窗口",
        "请C零零三号到三号窗口",
        "请D四号到四号窗口",
        "请E五号窗口",
    ]
    phrases = [phrase(text, tokens=tuple(text), expires_ms=100_000) for text in words[:count]]
    module, ended, most = run(rough, phrases, idle_words)
    assert sorted(one.id for one in ended) == sorted(words[:count])
    assert module.cut == []
    assert len(module.begun) == len(set(module.begun))
    assert most <= QUEUE_LIMIT
    outcomes = {one.id: one.outcome for one in ended}
    # What is said to be spoken was spoken; what is said to have failed was not begun.
    assert {name for name, outcome in outcomes.items() if outcome == "spoken"} <= set(module.whole)
    assert not {name for name, outcome in outcomes.items() if outcome == "failed"} & set(module.begun)
    if not rate:
        assert module.whole == words[:count]
        assert set(outcomes.values()) == {"spoken"}


@settings(max_examples=200)
@given(st.randoms(use_true_random=False), st.integers(1, 5))
def test_a_line_that_makes_idle_reports_of_its_own_cuts_nothing_off(random: Any, count: int) -> None:
    rough = Rough(
        lost_frame=lambda: False,
        lost_reply=lambda: False,
        delay_ms=lambda: random.randrange(0, 80),
        speed=lambda: random.uniform(0.5, 2.5),
        power_cut=lambda: False,
        refuse=lambda: False,
        noise=lambda: random.random() < 0.2,
    )
    phrases = [
        phrase(str(n), tokens=("请", "A", "一", "号", "到", "一", "号", "窗口"), expires_ms=60_000)
        for n in range(count)
    ]
    module, ended, _ = run(rough, phrases, 2)
    assert module.cut == []
    assert len(module.whole) == count
    assert len(ended) == count
