"""RULES 15, 34, early closing, and the configuration of DESIGN 5: what happens to a whole hall."""

import msgspec
import pytest

from queue_server.domain import commands as c
from queue_server.domain import events as e
from queue_server.domain.configuration import Configuration
from queue_server.domain.day import unreachable
from queue_server.domain.evolve import evolve
from queue_server.domain.model import empty_hall
from queue_server.wire.common import HallState, TicketState, WindowState
from tests.halls import MINUTE_MS, Play, configuration, kinds, only, window


def apply(config: Configuration) -> c.ApplyConfiguration:
    return c.ApplyConfiguration(configuration=config, source="test")


def test_closing_gives_out_no_more_and_serves_those_in_the_house() -> None:
    play = Play()
    ticket = play.take()
    assert only(play.do(c.CloseDay(text="今天提前下班")), e.DayClosing).text == "今天提前下班"
    assert play.hall.message == ("closing", "今天提前下班", "")
    assert play.code(c.TakeTicket(id="x", matters=("pension",))) == "tickets-closed"
    assert play.do(c.CloseDay()) == []
    assert play.serve() == ticket.number


def test_rules_34_an_early_closing_is_announced_in_both_languages() -> None:
    play = Play()
    play.take()
    assert play.code(c.CloseDay(text_en="We close early")) == "message-empty", "Chinese comes first"
    play.do(c.CloseDay(text="今天提前下班 ", text_en=" We close early"))
    assert play.hall.message == ("closing", "今天提前下班", "We close early")


def test_ux_d_08_an_early_closing_is_spoken_when_it_is_made_and_every_ten_minutes_until_the_day_ends() -> None:
    """UX D-08, V-11: whoever comes in later hears it too; the usual end of issuing says nothing."""
    play = Play()
    said = play.do(c.CloseDay(text="今天提前下班"))
    assert kinds(said) == ["DayClosing", "AnnouncementDue"]
    assert only(said, e.AnnouncementDue).kind == "closing"
    for _ in range(2):
        play.now += 10 * MINUTE_MS - 1
        assert e.AnnouncementDue not in map(type, play.do(c.Tick()))
        play.now += 1
        assert only(play.do(c.Tick()), e.AnnouncementDue).at == play.now
    play.do(c.EndDay())
    play.now += 10 * MINUTE_MS
    assert play.do(c.Tick()) == []
    usual = Play()
    assert kinds(usual.do(c.CloseDay())) == ["DayClosing"]


def test_ux_d_08_an_emergency_is_spoken_every_half_minute_until_it_is_taken_away() -> None:
    play = Play()
    assert kinds(play.do(c.SetMessage(kind="emergency", zh="请离开"))) == ["MessageSet", "AnnouncementDue"]
    play.now += 30_000
    assert only(play.do(c.Tick()), e.AnnouncementDue).kind == "emergency"
    assert play.do(c.Tick()) == []
    assert kinds(play.do(c.SetMessage(kind="none"))) == ["MessageSet"]
    assert kinds(play.do(c.SetMessage(kind="notice", zh="停车场已满"))) == ["MessageSet"]
    play.now += 3_600_000
    assert "AnnouncementDue" not in kinds(play.do(c.Tick()))


def test_ux_d_08_an_emergency_during_early_closing_gives_way_to_its_message_again() -> None:
    """The closing's words come back to every screen, and are spoken when their own ten minutes are over."""
    play = Play()
    play.do(c.CloseDay(text="今天提前下班", text_en="We close early"))
    play.now += 9 * MINUTE_MS
    play.do(c.SetMessage(kind="emergency", zh="请离开"))
    assert kinds(play.do(c.SetMessage(kind="none"))) == ["MessageSet"]
    assert play.hall.message == ("closing", "今天提前下班", "We close early")
    assert "AnnouncementDue" not in kinds(play.do(c.Tick())), "said nine minutes ago"
    play.now += MINUTE_MS
    assert only(play.do(c.Tick()), e.AnnouncementDue).kind == "closing"
    play.do(c.SetMessage(kind="notice", zh="停车场已满"))
    play.do(c.SetMessage(kind="none"))
    assert play.hall.message[0] == "closing"
    play.do(c.SetMessage(kind="none"))
    assert play.hall.message == ("", "", ""), "taken away itself it is gone"
    play.do(c.SetMessage(kind="emergency", zh="请离开"))
    play.do(c.SetMessage(kind="none"))
    assert play.hall.message == ("", "", "")


def test_ux_d_08_early_closing_during_an_emergency_waits_behind_it() -> None:
    play = Play()
    play.do(c.SetMessage(kind="emergency", zh="请离开"))
    assert kinds(play.do(c.CloseDay(text="今天提前下班"))) == ["DayClosing"]
    assert play.hall.message == ("emergency", "请离开", "")
    play.do(c.SetMessage(kind="none"))
    assert play.hall.message == ("closing", "今天提前下班", "")
    assert only(play.do(c.Tick()), e.AnnouncementDue).kind == "closing", "nobody has heard it yet"


def test_law_7_two_messages_of_one_moment_are_two_announcements() -> None:
    """Each is claimed by its time: two managers may press the key in the same millisecond."""
    play = Play()
    first = only(play.do(c.SetMessage(kind="emergency", zh="请离开", en="Leave")), e.AnnouncementDue)
    second = only(play.do(c.SetMessage(kind="emergency", zh="请从东门离开", en="Leave by the east")), e.AnnouncementDue)
    assert first.at < second.at
    assert play.hall.message[1] == "请从东门离开"


def test_an_early_closing_may_say_more_after_the_doors_have_closed() -> None:
    play = Play()
    play.do(c.CloseDay(text=""))
    assert play.hall.message[0] == ""
    said = play.do(c.CloseDay(text="今天提前下班", text_en="We close early"))
    assert play.hall.message == ("closing", "今天提前下班", "We close early")
    assert only(said, e.AnnouncementDue).kind == "closing"
    assert play.do(c.CloseDay(text="今天提前下班", text_en="We close early")) == []


def test_closing_by_mistake_is_taken_back_by_opening() -> None:
    play = Play()
    play.do(c.CloseDay(text="下班"))
    play.do(c.StartDay())
    assert (play.hall.state, play.hall.message) == (HallState.OPEN, ("", "", ""))
    assert play.take().number == "A001"


def test_early_closing_says_who_cannot_be_reached() -> None:
    """Two windows of ten minutes each reach four of six within twenty minutes; who waits for nobody is not reached."""
    play = Play(sit="1256")
    tickets = [play.take() for _ in range(6)]
    stranded = play.take("complaint")
    play.do(c.PauseWindow(window="6", reason="away"))
    late = [ticket.number for ticket in unreachable(play.hall, 20)]
    assert late == [tickets[4].number, tickets[5].number, stranded.number]
    assert len(unreachable(play.hall, 0)) == 7
    assert [ticket.number for ticket in unreachable(play.hall, 1000)] == [stranded.number]


def test_rules_34_the_end_of_the_day_has_no_served_leftovers() -> None:
    play = Play(sit="123", no_show="same-window")
    serving, called, parked = play.take(), play.take(), play.take()
    play.next("1")
    play.do(c.Arrive(window="1"))
    play.next("2")
    play.next("3")
    play.do(c.Park(window="3", reason="x"))
    waiting = play.take()
    ended = play.do(c.EndDay())
    assert [play.state(ticket).value for ticket in (serving, called, parked, waiting)] == [
        "done",
        "passed",
        "uncalled",
        "uncalled",
    ]
    assert only(ended, e.ServiceFinished).inferred == only(ended, e.TicketPassed).inferred == "end of day"
    assert (play.hall.waiting, play.hall.served, play.hall.no_shows, play.hall.parked) == (0, 1, 1, set())
    assert {each.state for each in play.hall.windows.values()} == {WindowState.CLOSED}
    assert play.code(c.EndDay()) == "hall-closed"
    assert play.code(c.OpenWindow(window="1", staff="s1", staff_name="")) == "hall-closed"


def test_rules_34_a_stop_that_was_not_reached_is_uncalled_even_while_another_is_served() -> None:
    play = Play(sit="16")
    ticket = play.take("pension", "complaint")
    play.next("1")
    play.do(c.Arrive(window="1"))
    assert kinds(play.do(c.EndDay())) == ["StopFinished", "RatingInvited", "TicketUncalled", "DayEnded"]
    assert play.state(ticket) is TicketState.UNCALLED


def test_ux_d08_messages() -> None:
    play = Play()
    play.do(c.SetMessage(kind="emergency", zh="请有序离开", en="Please leave"))
    assert play.hall.message == ("emergency", "请有序离开", "Please leave")
    assert play.code(c.SetMessage(kind="joke", zh="x")) == "message-kind-unknown"
    assert play.code(c.SetMessage(kind="notice", zh=" ")) == "message-empty"
    play.do(c.SetMessage(kind="none"))
    assert play.hall.message == ("", "", "")


def test_before_the_first_day_nothing_is_possible() -> None:
    hall = Play(sit="").hall
    fresh = empty_hall(hall.configuration)
    assert fresh.state is HallState.BEFORE
    play = Play(sit="")
    play.hall = fresh
    assert play.code(c.TakeTicket(id="x", matters=("pension",))) == "tickets-closed"
    for command in (c.StartDay(), c.CloseDay(), c.EndDay()):
        assert play.code(command) == "hall-closed"


# --- configuration ---


def test_design_5_waiting_tickets_go_to_the_queues_of_the_new_configuration() -> None:
    play = Play(sit="13")
    pension, tax = play.take("pension"), play.take("tax")
    play.do(apply(configuration(windows=(window("1", "tax"), window("3", "social")))))
    assert (play.hall.version, play.hall.waiting) == (1, 2)
    assert (play.next("1"), play.next("3")) == (tax.number, pension.number)


def test_design_5_a_configuration_that_strands_is_refused_with_the_numbers() -> None:
    play = Play(sit="13")
    play.take("tax")
    pension, called = play.take("pension"), play.take("card")
    play.sit("6")
    play.take("complaint")
    assert play.code(apply(configuration(windows=(window("3", "tax"), window("6", "desk"))))) == "configuration-strands"
    assert play.rejected.figures == {"numbers": [pension.number, called.number]}
    assert play.hall.version == 0


def test_design_5_what_is_done_or_over_strands_nobody() -> None:
    play = Play(sit="16")
    ticket = play.take("pension", "complaint")
    play.serve("1")
    over = play.take()
    play.do(c.CancelTicket(ticket=over.id))
    play.do(apply(configuration(windows=(window("6", "desk"),))))
    assert play.next("6") == ticket.number


def test_design_5_nobody_is_left_in_a_closed_hall() -> None:
    play = Play(no_show="same-window")
    play.take()
    play.next()
    play.miss()
    play.do(c.EndDay())
    assert kinds(play.do(apply(configuration(windows=(window("6", "desk"),))))) == ["ConfigurationApplied"]


def test_design_5_a_pinned_ticket_follows_its_window() -> None:
    play = Play(sit="12")
    ticket = play.take()
    play.next("1")
    play.do(c.Transfer(window="1", to_window="2"))
    assert play.code(apply(configuration(windows=(window("1", "social"),)))) == "configuration-strands"
    play.do(apply(configuration(windows=(window("1", "social"), window("2", "tax")))))
    assert play.next("2") == ticket.number


def test_design_5_a_window_that_is_gone_serves_to_its_end_and_opens_no_more() -> None:
    play = Play(sit="12")
    play.take()
    play.next("2")
    play.do(apply(configuration(windows=(window("1", "social"),))))
    assert set(play.hall.windows) == {"1", "2"}
    play.do(c.Arrive(window="2"))
    play.do(c.Finish(window="2"))
    play.do(c.CloseWindow(window="2"))
    assert play.code(c.OpenWindow(window="2", staff="s2", staff_name="")) == "window-unknown"


def test_design_5_the_configuration_of_an_earlier_day_begins_an_empty_one() -> None:
    """A restart applies the configuration in force to a hall without the tickets of the day it was made."""
    play = Play()
    play.take()
    applied = only(play.do(apply(configuration(digits=4))), e.ConfigurationApplied)
    assert applied.queues
    hall = evolve(empty_hall(play.initial), applied)
    hall = evolve(hall, e.DayOpened(day="2026-01-06", previous_day="", at=play.now))
    assert (hall.version, hall.configuration.policy.digits, hall.tickets) == (1, 4, {})


def test_law_3_rules_may_change_without_changing_history() -> None:
    """The same events on another configuration give the same tickets, windows and services."""
    play = Play(sit="1236")
    ticket = play.take("pension", priority="elder", person="p")
    play.take("complaint")
    play.next("1")
    play.miss("1")
    play.serve("2")
    other = msgspec.structs.replace(play.initial, matter=(), bundle=(), priority=(), domain=())
    hall = empty_hall(other)
    for event in play.log:
        hall = evolve(hall, event)
    assert hall.tickets == play.hall.tickets
    assert hall.services == play.hall.services
    assert hall.windows == play.hall.windows
    assert hall.tickets[ticket.id].state is TicketState.DONE


@pytest.mark.parametrize("state", list(HallState))
def test_every_state_of_a_hall_is_reached(state: HallState) -> None:
    play = Play(start=False)
    if state is not HallState.BEFORE:
        play.do(c.StartDay())
    if state is HallState.CLOSING:
        play.do(c.CloseDay())
    if state is HallState.CLOSED:
        play.do(c.EndDay())
    assert play.hall.state is state
