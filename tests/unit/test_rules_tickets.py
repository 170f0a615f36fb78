"""RULES 14-18, 21, 28, 31 and QUEUES 2.2: numbers, who gets one, and with which place."""

from pathlib import Path

import pytest

from queue_server.app import hallfile
from queue_server.domain import commands as c
from queue_server.domain import events as e
from queue_server.wire.common import PrintState, TicketState
from tests.halls import MINUTE_MS, NINE_MS, Play, configuration, kinds, only, window


def test_rules_14_numbers_run_by_prefix_without_gaps() -> None:
    play = Play(sit="1356")
    numbers = [play.take(each).number for each in ("pension", "tax", "card", "complaint", "tax")]
    assert [*numbers, play.take(bundle="birth").number] == ["A001", "B001", "A002", "C001", "B002", "E001"]


def test_rules_14_a_thousand_tickets_have_a_thousand_numbers() -> None:
    play = Play()
    numbers = {only(play.apply(_issue(play)), e.TicketIssued).number for _ in range(1000)}
    assert len(numbers) == 1000
    assert {"A001", "A999", "A1000"} <= numbers


def _issue(play: Play) -> list[e.Event]:
    from queue_server.domain.decide import decide

    play.wait(0.01)
    command = c.TakeTicket(id=play.name("t"), matters=("pension",))
    return decide(play.hall, command, c.Context(now=play.now, minute=540, actor="k")).events


def test_rules_14_the_number_has_the_configured_digits() -> None:
    assert Play(digits=4).take().number == "A0001"


def test_rules_15_numbers_begin_again_with_the_day_and_a_date_never_opens_twice() -> None:
    play = Play()
    play.take()
    play.do(c.EndDay())
    assert play.code(c.OpenDay(day="2026-01-05")) == "day-not-later"
    assert play.code(c.OpenDay(day="2026-01-04")) == "day-not-later"
    play.do(c.OpenDay(day="2026-01-06"))
    play.sit("1")
    assert play.take().number == "A001"


def test_rules_15_a_new_day_ends_the_one_that_nobody_ended() -> None:
    play = Play()
    play.take()
    assert kinds(play.do(c.OpenDay(day="2026-01-06"))) == ["TicketUncalled", "DayEnded", "DayOpened"]
    assert (play.hall.previous_day, play.hall.waiting) == ("2026-01-05", 0)


def test_rules_16_a_second_request_returns_the_standing_ticket() -> None:
    play = Play()
    first = play.take(person="p1")
    issued = play.hall.issued
    assert play.take(person="p1").id == first.id
    assert play.hall.issued == issued
    assert play.take("card", person="p1").id != first.id
    assert play.take(person="p2").id != first.id
    assert play.take().number != play.take().number, "anonymous tickets are exempt"


def test_rules_16_the_standing_ticket_is_returned_even_when_no_more_are_given_out() -> None:
    play = Play()
    first = play.take(person="p1")
    play.do(c.CloseDay())
    assert play.take(person="p1").id == first.id
    assert play.code(c.TakeTicket(id="x", matters=("card",), person="p1")) == "tickets-closed"


def test_rules_16_what_is_not_waited_for_yet_gets_a_number_of_its_own() -> None:
    play = Play()
    play.take("pension", person="p1")
    second = play.take("pension", "card", person="p1")
    assert [stop.matters for stop in second.stops] == [("card",)]


def test_rules_16_a_ticket_that_is_over_stands_no_more() -> None:
    play = Play()
    first = play.take(person="p1")
    play.do(c.CancelTicket(ticket=first.id))
    second = play.take(person="p1")
    assert second.id != first.id
    play.serve()
    assert play.take(person="p1").id != second.id
    assert len(play.hall.persons) == 1


def test_rules_16_holds_through_transfer_undo_and_bundles() -> None:
    play = Play(sit="135")
    moved = play.take("pension", person="p1")
    play.next("1")
    play.do(c.Transfer(window="1", matters=("tax",)))
    assert play.take("tax", person="p1").id == moved.id
    assert play.take("pension", person="p1").id != moved.id
    play.serve("3")
    play.do(c.Undo(window="3"))
    assert play.take("tax", person="p1").id == moved.id
    born = play.take(bundle="birth", person="p1")
    assert play.take(bundle="birth", person="p1").id == born.id


def test_rules_16_is_a_rule_that_a_hall_may_switch_off() -> None:
    play = Play(one_waiting_per_person=False)
    assert play.take(person="p1").id != play.take(person="p1").id


def test_rules_17_nobody_serves_is_recorded_with_the_rejection() -> None:
    play = Play(sit="1")
    assert play.code(c.TakeTicket(id="x", matters=("tax",), origin="kiosk:1")) == "nobody-serves"
    unmet = e.DemandUnmet(matters=("tax",), bundle="", origin="kiosk:1", at=play.now, who="kiosk:1")
    assert play.rejected.events == (unmet,)
    assert play.code(c.TakeTicket(id="x", bundle="birth")) == "nobody-serves"
    assert (play.hall.unmet, play.hall.issued) == (2, 0)


def test_rules_17_what_nobody_serves_is_told_by_matter() -> None:
    """Of several matters only those that nobody serves are unmet; a bundle counts as itself."""
    play = Play(sit="1")
    assert play.code(c.TakeTicket(id="x", matters=("pension", "tax"), origin="kiosk:1")) == "nobody-serves"
    first = play.now
    assert play.code(c.TakeTicket(id="x", bundle="birth", origin="kiosk:1")) == "nobody-serves"
    play.now += 60_000
    assert play.code(c.TakeTicket(id="x", matters=("tax",), origin="kiosk:1")) == "nobody-serves"
    told = {name: (unmet.times, unmet.last_at) for name, unmet in play.hall.unmet_of.items()}
    assert told == {("matter", "tax"): (2, play.now), ("bundle", "birth"): (1, first)}


def test_rules_17_taps_of_one_citizen_within_a_minute_are_one_wish() -> None:
    """UX X-12: three taps at one kiosk are not three; another kiosk, another person or a minute later is another wish."""
    play = Play(sit="1")
    start = play.now
    for after_ms, origin, person, count in (
        (0, "kiosk:1", "", 1),
        (2_000, "kiosk:1", "", 1),
        (59_999, "kiosk:1", "", 1),
        (59_999, "kiosk:2", "", 2),
        (59_999, "kiosk:1", "p1", 3),
        (59_999, "kiosk:2", "p1", 3),
        (60_000, "kiosk:1", "", 4),
    ):
        play.now = start + after_ms
        command = c.TakeTicket(id="x", matters=("tax",), origin=origin, person=person)
        assert play.code(command) == "nobody-serves"
        assert (play.hall.unmet, play.hall.unmet_of["matter", "tax"].times) == (count, count), (
            after_ms,
            origin,
            person,
        )


def test_rules_17_a_retried_request_is_one_wish_however_late() -> None:
    """DESIGN law 6: a rejection may be decided again, but its record is made once a key."""
    play = Play(sit="1")
    for key, count in (("k1", 1), ("k1", 1), ("k2", 2)):
        play.now += 300_000
        play.request = key
        assert play.code(c.TakeTicket(id="x", matters=("tax",), origin="kiosk:1")) == "nobody-serves"
        assert play.hall.unmet == count


def test_rules_17_a_matter_that_no_window_could_ever_serve() -> None:
    play = Play(configuration(windows=(window("1", "tax"),)))
    assert play.code(c.TakeTicket(id="x", matters=("pension",))) == "nobody-serves"
    assert play.hall.unmet == 1


def test_rules_17_a_paused_window_still_serves() -> None:
    play = Play()
    play.do(c.PauseWindow(window="1", reason="lunch"))
    assert play.take().number == "A001"


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (c.TakeTicket(id="x"), "no-matter"),
        (c.TakeTicket(id="x", matters=("nothing",)), "matter-unknown"),
        (c.TakeTicket(id="x", matters=("gone",)), "matter-unknown"),
        (c.TakeTicket(id="x", bundle="nothing"), "bundle-unknown"),
        (c.TakeTicket(id="x", matters=("pension",), bundle="birth"), "bundle-or-matters"),
        (c.TakeTicket(id="x", matters=("pension",), quantity=0), "quantity-out-of-range"),
        (c.TakeTicket(id="x", matters=("pension",), quantity=51), "quantity-out-of-range"),
        (c.TakeTicket(id="x", matters=("pension",), priority="king"), "priority-unknown"),
    ],
)
def test_rules_17_what_the_catalogue_does_not_have(command: c.TakeTicket, code: str) -> None:
    play = Play(sit="15")
    assert play.code(command) == code
    assert play.hall.issued == play.hall.unmet == 0


def test_rules_18_the_ticket_says_who_is_ahead_and_how_long() -> None:
    play = Play()
    play.take()
    play.take()
    play.take("card", priority="soldier")
    issued = only(play.do(c.TakeTicket(id="x", matters=("pension",), printer="p")), e.TicketIssued)
    assert issued.ahead == 3
    # three ahead of ten minutes each at one window of home: 30 minutes, from 0.7 to 1.5 times
    assert (issued.wait_low_s, issued.wait_high_s) == (21 * 60, 45 * 60)
    assert play.hall.tickets["x"].print_state is PrintState.CLAIMED


def test_rules_18_without_a_working_window_there_is_no_estimate() -> None:
    play = Play()
    play.do(c.PauseWindow(window="1", reason="lunch"))
    assert play.take().wait_at_issue == (-1, -1)


def test_tickets_taken_before_the_windows_open_wait_for_the_doors() -> None:
    play = Play(sit="", start=False)
    play.minute = 510
    first = play.take()
    assert first.wait_at_issue == (1800, 1800), "the doors open in half an hour, two windows would serve"
    assert play.take().ahead_at_issue == 1
    play.do(c.StartDay())
    assert play.code(c.TakeTicket(id="x", matters=("pension",))) == "nobody-serves"
    play.sit("1")
    assert play.next() == first.number


def test_queues_2_2_credit_is_the_largest_never_a_sum_and_capped() -> None:
    play = Play()
    credits = {each: play.take(priority=each).credit_ms for each in ("", "elder", "soldier", "huge")}
    assert credits == {"": 0, "elder": 15 * MINUTE_MS, "soldier": 30 * MINUTE_MS, "huge": 30 * MINUTE_MS}
    assert play.take(priority="elder", slip="yesterday").credit_ms == 30 * MINUTE_MS
    assert Play(credit_max_min=90).take(priority="elder", slip="yesterday").credit_ms == 30 * MINUTE_MS
    ticket = play.take(priority="elder")
    assert ticket.key.effective_at == ticket.issued_at - 15 * MINUTE_MS
    assert ticket.base_at == ticket.issued_at


def test_rules_34_a_slip_of_the_day_before_counts_once() -> None:
    play = Play()
    late = play.take()
    play.do(c.EndDay())
    play.do(c.OpenDay(day="2026-01-06"))
    play.do(c.StartDay())
    play.sit("1")
    ordinary = play.take()
    returned = play.take(slip=late.id)
    assert returned.credit_ms == 30 * MINUTE_MS
    assert play.code(c.TakeTicket(id="x", matters=("pension",), slip=late.id)) == "slip-used"
    assert play.order() == [returned.number, ordinary.number]


def test_rules_31_one_window_serves_several_matters_on_one_ticket() -> None:
    play = Play(sit="14")
    both = play.take("pension", "card", quantity=3)
    assert [stop.matters for stop in both.stops] == [("pension", "card")]
    called = only(play.do(c.CallNext(window="1", service="v")), e.TicketCalled)
    assert (called.matters, called.quantity) == (("pension", "card"), 3)


def test_rules_31_stops_come_one_after_another_with_the_same_place_and_never_at_two_windows() -> None:
    play = Play(sit="16")
    ticket = play.take("pension", "complaint")
    assert [stop.matters for stop in ticket.stops] == [("pension",), ("complaint",)]
    key = ticket.key
    assert play.press_next("6") == "nobody-waiting"
    play.next("1")
    assert play.press_next("6") == "nobody-waiting"
    play.do(c.Arrive(window="1"))
    ended = play.do(c.Finish(window="1"))
    assert kinds(ended) == ["StopFinished", "RatingInvited"]
    waiting = play.hall.tickets[ticket.id]
    assert (waiting.state, waiting.key, waiting.stop) == (TicketState.WAITING, key, 1)
    assert play.next("6") == ticket.number
    play.do(c.Arrive(window="6"))
    assert kinds(play.do(c.Finish(window="6"))) == ["ServiceFinished", "RatingInvited"]


def test_rules_31_every_stop_needs_an_open_window() -> None:
    assert Play(sit="1").code(c.TakeTicket(id="x", matters=("pension", "complaint"))) == "nobody-serves"


def test_rules_17_31_a_closed_window_for_both_is_no_refusal_while_others_serve_each() -> None:
    """Nobody is turned away: with 1 for pensions and 3 for taxes open and 4 for both closed, it is two stops, one number."""
    windows = (window("1", "social"), window("3", "tax"), window("4", "social", "tax"))
    play = Play(configuration(windows=windows), sit="13")
    ticket = play.take("pension", "card", "tax")
    assert [(stop.matters, stop.queue) for stop in ticket.stops] == [(("pension", "card"), "1,4"), (("tax",), "3,4")]
    assert (play.hall.unmet, ticket.number) == (0, "A001")
    assert play.next("1") == ticket.number
    play.do(c.Arrive(window="1"))
    play.do(c.Finish(window="1"))
    assert play.next("3") == ticket.number
    play.sit("4")
    assert [stop.matters for stop in play.take("pension", "tax").stops] == [("pension", "tax")], (
        "one stop where it can be"
    )


def test_rules_17_31_what_no_open_window_serves_is_told_by_matter() -> None:
    """The window for both is closed and another serves one of them: only the other one is unmet."""
    play = Play(configuration(windows=(window("1", "social"), window("4", "social", "tax"))), sit="1")
    assert play.code(c.TakeTicket(id="x", matters=("pension", "tax"), origin="kiosk:1")) == "nobody-serves"
    assert set(play.hall.unmet_of) == {("matter", "tax")}


def test_rules_31_a_pair_of_the_district_hall_whose_only_common_window_is_closed() -> None:
    """The issue as found: land records and a household entry, windows 15, 16 and 20 open, 10 closed."""
    district, _ = hallfile.load((Path(__file__).parents[2] / "config" / "district.toml").read_text(encoding="utf-8"))
    assert district is not None
    play = Play(district, sit="")
    for name in ("15", "16", "20"):
        play.sit(name)
    assert [stop.matters for stop in play.take("bdc-chaxun", "hj-hukoubu").stops] == [("bdc-chaxun",), ("hj-hukoubu",)]


def test_ux_p06_later_please_lets_three_pass_once() -> None:
    play = Play()
    first, *others = [play.take() for _ in range(6)]
    play.do(c.DelayTicket(ticket=first.id))
    assert play.code(c.DelayTicket(ticket=first.id)) == "delay-limit"
    numbers = [other.number for other in others]
    assert play.order() == [*numbers[:3], first.number, *numbers[3:]]


def test_ux_p06_counts_from_the_own_place() -> None:
    play = Play()
    tickets = [play.take() for _ in range(8)]
    play.do(c.DelayTicket(ticket=tickets[2].id))
    expected = [tickets[n].number for n in (0, 1, 3, 4, 5, 2, 6, 7)]
    assert play.order() == expected


def test_rules_28_a_passed_citizen_waits_again_with_the_same_number() -> None:
    play = Play(no_show="same-window")
    ticket = play.take()
    play.wait(8 * 60)
    play.next()
    play.miss()
    play.wait(60)
    revived = only(play.do(c.ReactivateTicket(ticket=ticket.id)), e.TicketReactivated)
    assert revived.key.effective_at == play.now - 4 * MINUTE_MS, "half of the eight minutes waited (QUEUES 2.2)"
    waiting = play.hall.tickets[ticket.id]
    assert (waiting.state, waiting.window, waiting.service) == (TicketState.WAITING, "", "")
    assert play.code(c.ReactivateTicket(ticket=ticket.id)) == "ticket-not-passed"
    assert play.next() == ticket.number


def test_rules_28_at_most_ten_minutes_of_the_wait_count_and_the_credit_stays() -> None:
    play = Play(no_show="same-window")
    ticket = play.take(priority="elder")
    play.wait(40 * 60)
    play.next()
    play.miss()
    revived = only(play.do(c.ReactivateTicket(ticket=ticket.id)), e.TicketReactivated)
    assert revived.key.effective_at == play.now - 5 * MINUTE_MS - 15 * MINUTE_MS


def test_rules_28_only_on_the_same_day() -> None:
    play = Play(no_show="same-window")
    ticket = play.take()
    play.next()
    play.miss()
    play.do(c.EndDay())
    assert play.code(c.ReactivateTicket(ticket=ticket.id)) == "hall-closed"


def test_cancelling_frees_the_place_and_the_window() -> None:
    play = Play()
    first, second = play.take(), play.take()
    play.next()
    play.do(c.CancelTicket(ticket=first.id))
    play.do(c.CancelTicket(ticket=second.id))
    assert play.hall.waiting == 0
    assert play.press_next() == "nobody-waiting"
    assert play.code(c.CancelTicket(ticket=second.id)) == "ticket-not-waiting"


def test_ux_k12_one_print_at_a_time_and_its_result_is_on_the_ticket() -> None:
    play = Play()
    ticket = play.take(printer="p")
    assert play.code(c.Reprint(ticket=ticket.id, printer="p")) == "print-in-progress"
    play.do(c.RecordPrint(ticket=ticket.id, state=PrintState.FAILED, reason="out"))
    assert play.do(c.RecordPrint(ticket=ticket.id, state=PrintState.FAILED)) == []
    assert kinds(play.do(c.Reprint(ticket=ticket.id, printer="p"))) == ["ReprintRequested"]
    assert play.hall.tickets[ticket.id].print_state is PrintState.CLAIMED
    assert play.now >= NINE_MS
