"""UX V-10: which zones say their calls, and how loudly by the clock."""

from typing import Any

import pytest
from msgspec import structs

from displays.speech.phrases import Notice, VoicePolicy
from displays.speech.queue import Announcement, Dropped, SpeechQueue
from queue_server.app.clock import Clock
from queue_server.app.loudness import Loudness, volume_findings
from queue_server.domain import commands as c
from queue_server.domain import events as e
from queue_server.domain.configuration import Configuration
from queue_server.domain.sounding import MUTE_MS, muted_until
from tests.halls import Play, configuration, plain, replayed

DAY = "08:30=100 12:00=60 14:00=100 17:30=0"


def with_volume(text: str, **hours: Any) -> Configuration:
    hall = configuration()
    return structs.replace(
        hall, zone=(structs.replace(hall.zone[0], volume=text),), hours=structs.replace(hall.hours, **hours)
    )


def test_ux_v_10_a_mute_returns_after_ten_minutes_by_itself_or_at_once_by_hand() -> None:
    """UX V-10: "mute button with auto-return 10 min"; who pressed it is in the journal."""
    play = Play()
    [muted] = play.do(c.MuteZone(zone="A"))
    assert isinstance(muted, e.ZoneMuted)
    assert (muted.until - muted.at, muted.by) == (600_000, "test")
    play.wait(599)
    assert muted_until(play.hall, "A", play.now) == muted.until
    play.wait(1)
    assert muted_until(play.hall, "A", play.now) is None
    assert play.do(c.MuteZone(zone="A", muted=False)) == [], "it speaks already"
    play.do(c.MuteZone(zone="A"))
    play.wait(60)
    [again] = play.do(c.MuteZone(zone="A"))
    assert isinstance(again, e.ZoneMuted)
    assert again.until == play.now + MUTE_MS, "pressed again it lasts ten minutes from then on"
    play.do(c.MuteZone(zone="A", muted=False))
    assert muted_until(play.hall, "A", play.now) is None
    assert play.code(c.MuteZone(zone="B")) == "zone-unknown"
    assert plain(replayed(play.initial, play.log)) == plain(play.hall)


def test_ux_v_10_law_2_a_mute_outlasts_the_days_opening_and_the_restart_behind_it() -> None:
    """A restart reads the new day's rows alone; what is over by then is nothing that a day has."""
    play = Play()
    play.do(c.MuteZone(zone="A"))
    before = plain(play.hall.muted)
    play.do(c.EndDay())
    opening = len(play.log)
    play.do(c.OpenDay(day="2026-01-06"))
    assert plain(play.hall.muted) == before, "a new day ends no mute"
    assert plain(replayed(play.initial, play.log[opening:])) == plain(play.hall)
    play.wait(600)
    play.do(c.EndDay())
    play.do(c.OpenDay(day="2026-01-07"))
    assert play.hall.muted == {}


def test_ux_v_10_the_volume_goes_by_the_clock_of_the_hall_and_a_mute_stands_above_it() -> None:
    """UX V-10: "8:30–11:30 100 %, 12:00–14:00 60 %, off outside hours"."""
    clock, play = Clock("Asia/Shanghai"), Play(with_volume(DAY))
    loudness = Loudness(clock)
    loudness.set_up(play.hall)
    midnight = clock.midnight("2026-01-05")

    def at(hour: float, **how: bool) -> int:
        return loudness.at("A", midnight + int(hour * 3_600_000), **how)

    assert [at(hour) for hour in (0, 8.49, 8.5, 11.99, 12, 13.99, 14, 17.5, 23.9)] == [
        0,
        0,
        100,
        100,
        60,
        60,
        100,
        0,
        0,
    ]
    assert at(20, urgent=True) == at(12, urgent=True) == 100, "an emergency is heard at any hour"
    never = Loudness(clock)
    never.set_up(Play(with_volume("0")).hall)
    assert never.at("A", midnight) == 0
    assert never.at("A", midnight, urgent=True) == 100, "nor is it left out where nothing else is said"
    play.now = midnight + 12 * 3_600_000
    play.do(c.MuteZone(zone="A"))
    loudness.set_up(play.hall)
    assert [at(hour) for hour in (12, 12.16, 12.17)] == [0, 0, 60]
    [alarm] = loudness.alarms(play.now + 1)
    assert alarm.text.zh == "A 区的播报已静音，12:10 自动恢复；叫号照常显示"
    assert loudness.alarms(play.now + MUTE_MS) == []
    play.do(c.ApplyConfiguration(configuration=configuration(), source="test"))
    loudness.set_up(play.hall)
    assert at(13) == play.hall.configuration.voice.volume, "a zone without a volume has the hall's"


@pytest.mark.parametrize("text", ["101", "08:30", "08:30=101", "loud", "08:30=5 8:30=6", "24:00=1"])
def test_ux_s_06_a_volume_that_is_none_is_said_with_what_to_mend(text: str) -> None:
    [found] = volume_findings(with_volume(text))
    assert (found.code, found.level, found.where) == ("zone_volume", "error", "zone A")
    assert "08:30=100 12:00=60" in found.zh
    assert "volume is 0 to 100" in found.en


def test_ux_s_06_hours_of_service_without_a_voice_are_a_warning() -> None:
    assert list(volume_findings(with_volume(DAY))) == []
    assert list(volume_findings(with_volume(""))) == []
    [found] = volume_findings(with_volume(DAY, closes="18:00"))
    assert (found.code, found.level) == ("zone_silent", "warning")
    assert "17:30" in found.zh
    [off] = volume_findings(with_volume("0"))
    assert (off.code, "09:00" in off.zh) == ("zone_silent", True)


def test_ux_v_10_a_silent_zone_drops_what_waits_by_name_and_keeps_what_is_urgent() -> None:
    queue = SpeechQueue(VoicePolicy(), lambda announcement: 2_000)
    assert queue.called("c1", "A001", "1", 0) is None
    first = queue.next(0)
    assert isinstance(first, Announcement)
    queue.played("c1", "done")  # and would be said a second time
    assert queue.called("c2", "A002", "2", 0) is None
    assert queue.noticed("n1", Notice(("t",), (), "通知", "Notice", False), 0) is None
    assert queue.noticed("n2", Notice(("t",), (), "紧急", "Emergency", True), 0) is None
    assert queue.hushed("muted") == [Dropped("c2", "muted"), Dropped("n1", "muted")]
    said = queue.next(10)
    assert said is not None
    assert (said.id, said.urgent) == ("n2", True)
    queue.played("n2", "done")
    assert queue.hushed("muted") == []
    again = queue.next(20)
    assert again is not None
    assert (again.id, again.urgent) == ("n2+1", True), "an emergency is repeated also in silence"
    queue.played(again.id, "done")
    assert queue.next(30) is None
