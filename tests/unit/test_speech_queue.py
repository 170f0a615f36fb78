"""When a call is said: UX V-05, V-06, V-08 and the guards of UX 13 (1 to 4)."""

import pytest

from displays.speech import queue
from displays.speech.phrases import VoicePolicy
from displays.speech.queue import Announcement, Dropped, SpeechQueue

LENGTH_MS = 5_000


def speech(policy: VoicePolicy | None = None) -> SpeechQueue:
    return SpeechQueue(policy or VoicePolicy(), lambda announcement: LENGTH_MS)


def calls(speaker: SpeechQueue, count: int, at: int = 0) -> None:
    for n in range(count):
        assert speaker.called(f"call-{n}", f"A{n:03d}", str(n + 1), at) is None


def say_all(speaker: SpeechQueue, now: int = 0) -> list[Announcement]:
    said = []
    while (announcement := speaker.next(now)) is not None:
        said.append(announcement)
        assert speaker.played(announcement.id, "done") == []
        now += 100
    return said


@pytest.mark.parametrize(
    ("waiting", "times", "in_one"), [(1, 2, 1), (2, 2, 1), (3, 1, 1), (4, 1, 1), (5, 1, 5), (12, 1, 12), (24, 1, 12)]
)
def test_v06_the_backlog_decides_how_often_a_call_is_said(waiting: int, times: int, in_one: int) -> None:
    """UX V-06: behind it 0-1, twice; 2-3, once; 4 and more, grouped."""
    speaker = speech()
    calls(speaker, waiting)
    announcement = speaker.next(0)
    assert announcement is not None
    assert (announcement.times, len(announcement.calls), speaker.queued) == (times, in_one, waiting - in_one)


def test_v03_english_once_when_there_is_time_and_never_under_load() -> None:
    speaker = speech(VoicePolicy(languages=("zh", "en")))
    calls(speaker, 3)
    assert [(said.times, bool(said.tokens_en)) for said in say_all(speaker)] == [(1, False), (2, True), (2, True)]


def test_v03_the_hall_may_want_every_call_said_once() -> None:
    speaker = speech(VoicePolicy(times_max=1))
    calls(speaker, 1)
    assert [said.times for said in say_all(speaker)] == [1]


def test_guard_13_1_five_calls_in_100_ms_are_all_spoken_in_order() -> None:
    """UX 13.1, when the first begins before the others come."""
    speaker = speech()
    said: list[str] = []
    for n in range(5):
        speaker.called(f"call-{n}", f"A{n:03d}", "1", at=20 * n)
        if (announcement := speaker.next(20 * n)) is not None:
            said += announcement.calls
    assert said == ["call-0"]
    assert speaker.played("call-0", "done") == []
    said += [call for announcement in say_all(speaker, 5_000) for call in announcement.calls]
    assert said == [f"call-{n}" for n in range(5)]


def test_guard_13_2_a_recall_sounds_again_and_a_repeated_call_does_not() -> None:
    """UX 13.2, DESIGN law 7: at most once each id."""
    speaker = speech()
    for call_id in ("call", "call", "recall"):
        speaker.called(call_id, "A001", "1", 0)
    assert [said.calls for said in say_all(speaker)] == [("call",), ("recall",)]
    speaker.called("call", "A001", "1", 0)
    assert speaker.next(0) is None


def test_guard_13_3_a_failed_file_is_dropped_and_the_next_goes_on() -> None:
    """UX 13.3, V-08: the second of five is not there; it is not tried again."""
    speaker = speech()
    said = []
    for n in range(5):
        speaker.called(f"call-{n}", "A001", "1", n)
        announcement = speaker.next(n)
        assert announcement is not None
        said.append(announcement.id)
        dropped = speaker.played(announcement.id, "failed" if n == 1 else "done")
        assert dropped == ([Dropped("call-1", "failed")] if n == 1 else [])
    assert said == [f"call-{n}" for n in range(5)]


def test_v08_a_player_that_never_answers_is_given_up_after_its_length_and_three_seconds() -> None:
    speaker = speech()
    calls(speaker, 2)
    first = speaker.next(0)
    assert first is not None
    assert speaker.wakes_at == LENGTH_MS + 3_000
    assert speaker.tick(7_999) == []
    assert speaker.next(7_999) is None
    assert speaker.tick(8_000) == [Dropped("call-0", "failed")]
    second = speaker.next(8_000)
    assert second is not None
    assert speaker.played(first.id, "done") == []  # the late answer does not end the second
    assert speaker.speaking == second


def test_v05_without_a_player_a_call_waits_and_is_dropped_after_45_s() -> None:
    speaker = speech()
    speaker.called("early", "A001", "1", at=0)
    speaker.called("late", "A002", "1", at=10_000)
    assert speaker.wakes_at == 45_000
    assert speaker.tick(44_999) == []
    assert speaker.tick(45_000) == [Dropped("early", "too-late")]
    assert speaker.tick(45_001) == []
    assert [said.calls for said in say_all(speaker, 50_000)] == [("late",)]
    assert speaker.wakes_at is None


def test_guard_13_4_what_slept_ten_minutes_says_nothing_old() -> None:
    """UX 13.4: even before `tick` has cleared it."""
    speaker = speech()
    calls(speaker, 3)
    assert speaker.next(600_000) is None
    assert [dropped.reason for dropped in speaker.tick(600_000)] == ["too-late"] * 3


def test_v05_arrived_or_cancelled_is_dropped_unless_it_has_begun() -> None:
    speaker = speech()
    calls(speaker, 2)
    assert speaker.next(0) is not None
    assert speaker.settled("call-0", "arrived") is None
    assert speaker.settled("call-1", "arrived") == Dropped("call-1", "arrived")
    assert speaker.settled("call-1", "arrived") is None
    speaker.played("call-0", "done")
    assert speaker.next(0) is None


def test_v05_the_queue_is_bounded_and_says_what_it_refuses() -> None:
    """DESIGN law 5."""
    speaker = speech()
    calls(speaker, queue.WAITING_MAX)
    assert speaker.called("more", "A001", "1", 0) == Dropped("more", "full")
    assert speaker.queued == queue.WAITING_MAX


def test_design_5_a_new_configuration_is_heard_from_the_next_announcement_on() -> None:
    speaker = speech()
    calls(speaker, 1)
    speaker.use(VoicePolicy(template="{number}到{window}"))
    assert [said.text_zh for said in say_all(speaker)] == ["A000到1"]
