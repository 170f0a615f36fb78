"""The speech queue under any sequence of calls, answers and silence (UX V-05 to V-07; DESIGN 8: spoken at most once)."""

from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from displays.speech.assemble import announcement_wav
from displays.speech.phrases import VoicePolicy
from displays.speech.queue import GRACE_MS, TOO_LATE_MS, Announcement, SpeechQueue
from tests.voice import shipped_pack

LETTERS = "ABCDEFGHJKLMNPRSTUVWXY"
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["call", "call", "call", "settle", "next", "done", "failed", "tick"]),
        st.integers(0, 9_000),  # ms that pass before it
        st.integers(0, 30),  # which call
    ),
    max_size=120,
)


@given(STEPS)
def test_v05_every_call_is_spoken_once_or_its_loss_is_told_once(steps: list[tuple[str, int, int]]) -> None:
    speaker = SpeechQueue(VoicePolicy(), lambda said: 2_000 * len(said.calls))
    now = until = 0
    made: dict[str, int] = {}
    begun: list[str] = []
    dropped: list[str] = []
    for step, passes, which in steps:
        now += passes
        call_id = f"call-{which}"
        match step:
            case "call":
                made.setdefault(call_id, now)
                assert speaker.called(call_id, f"A{which:03d}", "1", now) is None
            case "settle":
                if (lost := speaker.settled(call_id, "arrived")) is not None:
                    dropped.append(lost.call_id)
            case "next":
                before = speaker.speaking
                said = speaker.next(now)
                assert before is None or said is None  # one at a time
                if said is not None:
                    assert all(now - made[call] < TOO_LATE_MS for call in said.calls)
                    begun += said.calls
                    until = now + 2_000 * len(said.calls) + GRACE_MS
            case "done" | "failed":
                if (playing := speaker.speaking) is not None:
                    lost_calls = speaker.played(playing.id, "done" if step == "done" else "failed")
                    assert [lost.call_id for lost in lost_calls] == ([] if step == "done" else list(playing.calls))
            case _:
                playing, overdue = speaker.speaking, speaker.speaking is not None and now >= until
                lost_now = speaker.tick(now)
                late = [lost.call_id for lost in lost_now if lost.reason == "too-late"]
                assert all(now - made[call] >= TOO_LATE_MS for call in late)
                unanswered = list(playing.calls) if playing is not None and overdue else []
                assert [lost.call_id for lost in lost_now if lost.reason == "failed"] == unanswered
                assert speaker.speaking == (None if overdue else playing)
                dropped += late
                waiting = set(made) - set(begun) - set(dropped)
                assert all(now - made[call] < TOO_LATE_MS for call in waiting)
    assert begun == sorted(begun, key=list(made).index)  # first in, first out
    ended = begun + dropped
    assert len(ended) == len(set(ended))
    assert len(ended) + speaker.queued == len(made)


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.tuples(st.sampled_from(LETTERS), st.integers(0, 999)), min_size=24, max_size=24, unique=True),
    st.permutations(range(1, 25)),
    st.sampled_from(["yi", "yao"]),
    st.sampled_from([("zh",), ("zh", "en")]),
    st.integers(1, 24),
)
def test_v06_any_24_calls_are_spoken_within_45_s(
    numbers: list[tuple[str, int]], windows: list[int], one: str, languages: tuple[str, ...], there: int
) -> None:
    """With the lengths of the clips that ship, whatever letters, digits and languages, and however many are there first."""
    pack = shipped_pack()
    speaker = SpeechQueue(VoicePolicy(one=one, languages=languages), lambda said: announcement_wav(pack, said)[1])
    now, said, announcement = 0, 0, None
    for n, ((letter, digits), window) in enumerate(zip(numbers, windows, strict=True), 1):
        speaker.called(f"{letter}{digits}", f"{letter}{digits:03d}", str(window), 0)
        if n == there:
            announcement = speaker.next(0)
    while announcement is not None and said < 24:
        now += announcement_wav(pack, announcement)[1]
        said += len(announcement.calls)
        speaker.played(announcement.id, "done")
        announcement = speaker.next(now)
    assert said == 24
    assert now <= TOO_LATE_MS


@pytest.mark.parametrize("per_min", [3, 5, 10])
def test_v07_under_load_19_of_20_calls_sound_within_15_s(per_min: int) -> None:
    """UX V-07: "under load p95 ≤ 15 s": two hours of calls at random in one zone, with the lengths of the clips that ship.

    V-06 splits zones above five a minute.
    """
    pack, random, lengths = shipped_pack(), Random(per_min), {}

    def length_ms(said: Announcement) -> int:
        return lengths.setdefault(said.tokens, announcement_wav(pack, said)[1])

    speaker, waits, called, now, ends = SpeechQueue(VoicePolicy(), length_ms), [], [0.0], 0, 0
    while called[-1] < 7_200_000:
        called.append(called[-1] + random.expovariate(per_min / 60_000))
    made = {f"c{n}": round(at) for n, at in enumerate(called)}
    coming = list(made.items())
    while coming or speaker.queued:
        now = max(ends, now if speaker.queued else coming[0][1])
        while coming and coming[0][1] <= now:
            name, at = coming.pop(0)
            speaker.called(name, f"A{random.randint(1, 200):03d}", str(random.randint(1, 24)), at)
        if (said := speaker.next(now)) is not None:
            waits += [now - made[name] for name in said.calls]
            ends = now + length_ms(said)
            speaker.played(said.id, "done")
        assert speaker.tick(now) == [], "nothing is too late"
    assert len(waits) == len(made)
    assert sorted(waits)[len(waits) * 95 // 100] <= 15_000
