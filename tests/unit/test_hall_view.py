"""What the displays and desks of a hall are sent, from the hall alone (UX D-01, W-01)."""

from typing import Any

import pytest
from msgspec import structs

from queue_server.app.clock import Clock
from queue_server.app.views.desk import window_document
from queue_server.app.views.screens import Screens, Surroundings
from queue_server.app.views.strips import strip_of
from queue_server.domain import commands as c
from queue_server.domain.configuration import Configuration, Zone
from queue_server.domain.model import empty_hall
from tests.halls import Play, configuration

NOTHING: Any = None
CLOCK = Clock("Asia/Shanghai")
SCREENS = Screens(Surroundings(CLOCK, NOTHING, NOTHING, "http://hall"))


def two_zones() -> Configuration:
    """Windows 1 to 5 in zone A, 6 alone in B."""
    hall = configuration()
    windows = tuple(structs.replace(each, zone="B") if each.id == "6" else each for each in hall.window)
    return structs.replace(hall, zone=(*hall.zone, Zone(id="B", name="二区")), window=windows)


def recent(play: Play, zone: str) -> list[str]:
    return [call.number for call in SCREENS.render(play.hall, "hall", zone, play.now)["recent"].calls]  # type: ignore[union-attr]


def serve(play: Play, window: str, matter: str) -> str:
    number = play.take(matter).number
    play.next(window)
    play.do(c.Arrive(window=window))
    play.do(c.Finish(window=window))
    play.wait(10)
    return number


def test_ux_d_01_a_busy_zone_does_not_push_the_calls_of_a_quiet_one_off_its_display() -> None:
    play = Play(two_zones(), sit="16")
    quiet = [serve(play, "6", "complaint") for _ in range(4)]
    busy = [serve(play, "1", "pension") for _ in range(40)]
    assert recent(play, "B") == quiet[::-1]
    assert recent(play, "A") == busy[:-9:-1]
    assert recent(play, "") == [*busy[:-9:-1]], "of the whole hall the newest"


def test_ux_d_01_who_went_on_to_another_window_stands_there_alone() -> None:
    play = Play(sit="12")
    number = play.take("pension").number
    play.next("1")
    play.do(c.Arrive(window="1"))
    play.do(c.Transfer(window="1", to_window="2"))
    play.next("2")
    play.do(c.Arrive(window="2"))
    calls = SCREENS.render(play.hall, "hall", "", play.now)["recent"].calls  # type: ignore[union-attr]
    assert [(call.number, call.window) for call in calls] == [(number, "2")]


def test_ux_c_03_before_the_first_day_a_window_is_closed_since_nothing_and_its_document_stands_still() -> None:
    hall = empty_hall(configuration())
    first, later = (window_document(hall, hall.windows["1"], "", now) for now in (1_000_000, 1_060_000))
    assert first.since is None
    assert first == later


def test_ux_c_03_a_window_that_nobody_opened_today_is_closed_since_the_day_opened() -> None:
    play = Play(sit="1")
    play.wait(600)
    shut = window_document(play.hall, play.hall.windows["2"], "", play.now)
    assert shut.since == play.hall.opened_at
    assert play.hall.opened_at > 0
    assert window_document(play.hall, play.hall.windows["1"], "", play.now).since == play.hall.windows["1"].since


def test_rules_12_a_window_whose_citizen_is_asked_for_a_rating_shows_it_beside_its_state() -> None:
    """RULES 12: 评价中. It ends with the rating or its time, and hinders no call meanwhile."""
    play = Play(sit="1")

    def shown() -> tuple[str, bool]:
        document = window_document(play.hall, play.hall.windows["1"], "", play.now)
        return document.state, document.inviting

    for _ in range(3):
        play.take("pension")
    assert shown() == ("idle", False)
    play.next("1")
    play.do(c.Arrive(window="1"))
    assert shown() == ("serving", False)
    play.do(c.Finish(window="1"))
    assert shown() == ("idle", True)
    play.next("1")
    assert shown() == ("called", True)
    play.do(c.PressRating(id="r1", window="1", level=5, pressed_at=play.now, device="pad-1"))
    assert shown() == ("called", False), "it was rated"
    play.do(c.Arrive(window="1"))
    play.do(c.Finish(window="1"))
    play.wait(play.hall.configuration.policy.invite_for_s + 1)
    assert shown() == ("idle", False), "its time is over"


@pytest.mark.parametrize("animations", [True, False])
def test_ux_x_04_a_hall_without_animations_says_so_to_every_page_and_flashes_no_strip(animations: bool) -> None:
    hall = configuration()
    play = Play(structs.replace(hall, hall=structs.replace(hall.hall, animations=animations)), sit="1")
    number = play.take("pension").number
    play.next("1")
    assert SCREENS.hall_document(play.hall, "").animations is animations
    shown = strip_of(play.hall, 1, "strip-1", "1")
    assert (shown.state, shown.number) == ("call", number), "the same words"
    assert bool(shown.call) is animations


def test_ux_m_02_a_queue_tells_who_waits_how_long_people_waited_who_left_and_what_a_new_number_would_wait() -> None:
    """UX M-02: "Live per queue: waiting, longest wait, p50/p90 wait today, abandonment, ETA"."""
    play = Play(configuration(), sit="12")

    def queue() -> Any:
        play.wait(2)  # the counts are made once a second
        [line] = SCREENS.render(play.hall, "manager", "", play.now)["queues"].queues  # type: ignore[union-attr]
        return line

    for minutes in (4, 4, 10, 20):
        play.take("pension")
        play.wait(minutes * 60)
        play.next("1")
        play.do(c.Arrive(window="1"))
        play.do(c.Finish(window="1"))
    line = queue()
    assert (line.served, line.waiting, line.longest_s) == (4, 0, 0)
    assert (line.p50_s, line.p90_s) == (240, 1200), "two of four waited 4 minutes at most"
    assert (line.expected_low_s, line.expected_high_s, line.cancelled) == (None, None, 0), "nobody waits"
    first, *_, last = [play.take("pension") for _ in range(6)]
    play.do(c.CancelTicket(ticket=last.id))
    play.wait(300)
    line = queue()
    assert (line.waiting, line.longest_s, line.cancelled) == (5, (play.now - first.issued_at) // 1000, 1)
    assert line.longest_s > 300
    kiosk = SCREENS.wait_of(play.hall, next(iter(play.hall.lines.queues)), play.now)
    assert kiosk[0] == 5
    assert (line.expected_low_s, line.expected_high_s) == kiosk[1:3]
    assert 0 < line.expected_low_s < line.expected_high_s
