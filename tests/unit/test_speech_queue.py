"""When a call is said: UX V-05, V-06, V-08 and the guards of UX 13 (1 to 4)."""

import pytest

from displays.speech import queue
from displays.speech.phrases import Notice, VoicePolicy
from displays.speech.queue import Announcement, Dropped, SpeechQueue

LENGTH_MS = 5_000
BILINGUAL = VoicePolicy(languages=("zh", "en"))


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


def first_said(speaker: SpeechQueue, now: int = 0) -> list[Announcement]:
    """What says a call or notice for the first time; each file takes 100 ms."""
    return [said for said in say_all(speaker, now) if said.calls]


@pytest.mark.parametrize(
    ("waiting", "times", "in_one"), [(1, 2, 1), (2, 2, 1), (3, 1, 1), (4, 1, 1), (5, 1, 5), (12, 1, 12), (24, 1, 12)]
)
def test_v06_the_backlog_decides_how_often_a_call_is_said(waiting: int, times: int, in_one: int) -> None:
    """UX V-06: behind it 0-1, twice; 2-3, once; 4 and more, grouped."""
    speaker = speech()
    calls(speaker, waiting)
    first, second, *_ = [*say_all(speaker), None]
    assert first is not None
    assert len(first.calls) == in_one
    assert (second is not None and second.calls == ()) == (times == 2)
    if second is not None and times == 2:
        assert (second.tokens, second.follows) == (first.tokens, True)


def test_v06_a_burst_during_the_first_call_takes_its_repetition_not_the_burst_its_time() -> None:
    """UX V-06, V-03: what is optional is decided when its turn comes, and its loss is counted."""
    speaker = speech(BILINGUAL)
    calls(speaker, 1)
    first = speaker.next(0)
    assert first is not None
    for n in range(1, 24):
        speaker.called(f"call-{n}", f"A{n:03d}", str(n + 1), 10)
    speaker.played(first.id, "done")
    said = say_all(speaker, LENGTH_MS)
    assert [len(each.calls) for each in said] == [12, 11]
    assert speaker.english_dropped == 3


def test_v06_a_burst_is_told_in_breaths_of_one_length() -> None:
    """16 are eight and eight: twelve, and then four one by one, would last longer than 45 s allow."""
    speaker = speech()
    calls(speaker, 16)
    assert [len(said.calls) for said in say_all(speaker)] == [8, 8]


def test_v06_a_burst_has_one_chime() -> None:
    speaker = speech()
    calls(speaker, 24)
    assert [said.follows for said in say_all(speaker)] == [False, True]
    calls_of_the_hour = [f"late-{n}" for n in range(6)]
    for name in calls_of_the_hour:
        speaker.called(name, "A100", "1", 60_000)
    again = speaker.next(60_000)
    assert again is not None
    assert not again.follows, "a minute later nobody is listening any more"


def test_v03_english_once_when_there_is_time_and_never_under_load() -> None:
    speaker = speech(BILINGUAL)
    calls(speaker, 3)
    said = [(each.calls, each.tokens[0].startswith("en:")) for each in say_all(speaker)]
    twice, english = False, True
    assert said == [
        (("call-0",), False),
        (("call-1",), False),
        ((), twice),
        ((), english),
        (("call-2",), False),
        ((), twice),
        ((), english),
    ]
    assert speaker.english_dropped == 1


def test_v03_the_hall_may_want_every_call_said_once() -> None:
    speaker = speech(VoicePolicy(times_max=1))
    calls(speaker, 1)
    assert len(say_all(speaker)) == 1


def test_v05_a_citizen_who_came_is_not_called_again() -> None:
    speaker = speech(BILINGUAL)
    calls(speaker, 1)
    first = speaker.next(0)
    assert first is not None
    assert speaker.settled("call-0", "arrived") is None, "it has begun: spoken, not dropped"
    speaker.played(first.id, "done")
    assert speaker.next(5_000) is None


def test_d13_a_repetition_long_after_is_none() -> None:
    """UX D-13: the player was away between the two."""
    speaker = speech()
    calls(speaker, 1)
    first = speaker.next(0)
    assert first is not None
    speaker.played(first.id, "done")
    assert speaker.next(LENGTH_MS + 3_000) is None


CLOSING = Notice(("closing",), ("en:closing",), "提前下班", "We close early", urgent=False)
EMERGENCY = Notice(("emergency",), ("en:emergency",), "请离开", "Leave", urgent=True)


def test_d08_an_emergency_goes_first_twice_in_both_languages_whoever_waits_and_interrupts_nothing() -> None:
    """UX D-08 (priority over all), V-05 (never interrupts)."""
    speaker = speech(BILINGUAL)
    calls(speaker, 6)
    sounding = speaker.next(0)
    assert sounding is not None
    for n in range(6, 12):
        speaker.called(f"call-{n}", f"A{n:03d}", "1", 0)
    speaker.noticed("closing", CLOSING, 10)
    speaker.noticed("emergency", EMERGENCY, 20)
    assert speaker.next(20) is None
    speaker.played(sounding.id, "done")
    said = say_all(speaker, LENGTH_MS)
    assert [each.tokens[0] for each in said[:4]] == ["emergency", "emergency", "en:emergency", "请"]
    assert said[0].calls == ("emergency",)


def test_v06_a_closing_lets_a_burst_go_first_but_not_for_long() -> None:
    """Before a call or two, behind a group, and after half a minute before everybody: no call is lost to it."""
    for waiting, first in ((4, "closing"), (5, "call-0")):
        speaker = speech()
        calls(speaker, waiting)
        speaker.noticed("closing", CLOSING, 0)
        assert first_said(speaker)[0].calls[0] == first
    speaker = speech()
    speaker.noticed("closing", CLOSING, 0)
    for n in range(6):
        speaker.called(f"call-{n}", f"A{n:03d}", "1", queue.YIELDS_MS)
    assert first_said(speaker, queue.YIELDS_MS)[0].calls == ("closing",)


def test_v05_a_notice_is_said_at_most_once_and_its_loss_is_told() -> None:
    speaker = speech()
    for _ in range(2):
        assert speaker.noticed("closing", CLOSING, 0) is None
    assert speaker.queued == 1
    assert speaker.tick(44_999) == []
    assert speaker.settled("closing", "cancelled") == Dropped("closing", "cancelled")
    assert speaker.noticed("closing", CLOSING, 0) is None
    assert say_all(speaker) == []
    speaker.noticed("later", CLOSING, 100_000)
    assert speaker.tick(145_000) == [Dropped("later", "too-late")]


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
    assert [said.calls for said in first_said(speaker)] == [("call",), ("recall",)]
    speaker.called("call", "A001", "1", 0)
    assert speaker.next(0) is None


def test_guard_13_3_a_failed_file_is_dropped_and_the_next_goes_on() -> None:
    """UX 13.3, V-08: the second of five is not there; it is not tried again."""
    speaker = speech()
    said = []
    for n in range(5):
        speaker.called(f"call-{n}", "A001", "1", 20_000 * n)
        announcement = speaker.next(20_000 * n)
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
    assert speaker.tick(LENGTH_MS + 2_999) == []
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
    assert speaker.tick(44_999) == []
    assert speaker.tick(45_000) == [Dropped("early", "too-late")]
    assert speaker.tick(45_001) == []
    assert [said.calls for said in first_said(speaker, 50_000)] == [("late",)]
    assert speaker.queued == 0
    assert speaker.tick(10**9) == []


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
    assert [said.text_zh for said in first_said(speaker)] == ["A000到1"]
