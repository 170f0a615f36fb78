"""RULES 5, 11, 22-24, 26-30, QUEUES 2.2 and UX C-01, C-06: who is called, and what becomes of them."""

import pytest

from queue_server.domain import commands as c
from queue_server.domain import events as e
from queue_server.domain.calling import upcoming
from queue_server.wire.common import TicketState, WindowState
from tests.halls import MINUTE_MS, Play, kinds, only


def test_rules_5_any_open_window_of_the_domain_calls_from_one_queue() -> None:
    play = Play(sit="123")
    numbers = [play.take().number for _ in range(3)]
    assert [play.next("2"), play.next("1"), play.next("3")] == numbers


def test_queues_2_2_smallest_effective_time_first_ties_by_number() -> None:
    play = Play()
    first, second = play.take(), play.take()
    play.wait(14 * 60)
    elder = play.take(priority="elder")
    play.wait(10 * 60)
    soldier = play.take(priority="soldier")
    # soldier 24:03-30 < elder 14:03-15 < first 00:01 < second
    assert play.order() == [soldier.number, elder.number, first.number, second.number]


def test_queues_2_2_equal_effective_times_go_by_number() -> None:
    play = Play()
    ordinary = play.take()
    play.now = ordinary.issued_at + 15 * MINUTE_MS - 1000
    elder = play.take(priority="elder")
    assert elder.key.effective_at == ordinary.key.effective_at
    assert play.next() == ordinary.number


def test_rules_22_a_credit_is_a_bound_and_not_a_right_to_everything() -> None:
    play = Play()
    ordinary = play.take()
    play.wait(15 * 60 + 1)
    play.take(priority="elder")
    assert play.next() == ordinary.number


def test_rules_11_home_first_within_five_minutes_and_the_reason_is_in_the_event() -> None:
    play = Play(sit="13")
    pension = play.take()
    play.wait(4 * 60)
    tax = play.take("tax")
    called = only(play.do(c.CallNext(window="3", service="v")), e.TicketCalled)
    assert called.number == tax.number
    assert [(head.number, head.penalty_ms) for head in called.heads] == [
        (tax.number, 0),
        (pension.number, 5 * MINUTE_MS),
    ]
    assert called.heads[1].effective_at == pension.key.effective_at
    assert not called.given


def test_rules_11_beyond_the_penalty_the_older_one_is_called_away_from_home() -> None:
    play = Play(sit="13")
    pension = play.take()
    play.wait(5 * 60)
    play.take("tax")
    assert play.next("3") == pension.number


def test_rules_11_an_empty_home_falls_back() -> None:
    play = Play(sit="13")
    assert play.take().number == play.next("3")


def test_queues_2_2_no_penalty_after_thirty_minutes_of_waiting() -> None:
    play = Play(sit="13")
    pension = play.take("pension")
    play.wait(60)
    tax = play.take("tax")
    play.now = pension.issued_at + 30 * MINUTE_MS - 1
    assert [ticket.number for ticket in upcoming(play.hall, "3", play.now, 2)] == [tax.number, pension.number]
    play.now += 1
    assert [ticket.number for ticket in upcoming(play.hall, "3", play.now, 2)] == [pension.number, tax.number]
    assert play.next("3") == pension.number


def test_rules_23_a_given_number_needs_permission_and_a_reason_and_says_so() -> None:
    play = Play(clerks_call_numbers=False)
    play.take()
    late = play.take()
    command = c.CallNumber(window="1", number=late.number, reason="孕妇", service="v")
    assert play.code(command, may=False) == "call-number-not-permitted"
    trusting = Play()
    number = trusting.take().number
    assert trusting.do(c.CallNumber(window="1", number=number, reason="孕妇", service="v"), may=False)
    assert play.code(c.CallNumber(window="1", number=late.number, reason=" ", service="v")) == "reason-needed"
    called = only(play.do(command), e.TicketCalled)
    assert (called.given, called.reason, called.number) == (True, "孕妇", late.number)


def test_rules_24_what_another_window_holds_is_refused() -> None:
    play = Play(sit="123")
    ticket = play.take()
    play.next("1")
    command = c.CallNumber(window="2", number=ticket.number, reason="x", service="v")
    assert play.code(command) == "ticket-at-window"
    play.do(c.Arrive(window="1"))
    assert play.code(command) == "ticket-at-window"
    play.do(c.Finish(window="1"))
    assert play.code(command) == "ticket-not-waiting"
    tax = play.take("tax")
    refused = c.CallNumber(window="2", number=tax.number, reason="x", service="v")
    assert play.code(refused) == "window-does-not-serve"


def test_rules_24_two_windows_that_press_at_once_get_two_tickets() -> None:
    play = Play(sit="12")
    first, second = play.take(), play.take()
    assert {play.next("1"), play.next("2")} == {first.number, second.number}
    assert {play.hall.windows["1"].ticket, play.hall.windows["2"].ticket} == {first.id, second.id}


def test_digits_alone_find_the_one_that_waits_and_ask_when_both_do() -> None:
    play = Play(sit="43")
    social, tax = play.take("pension"), play.take("tax")
    assert (social.number, tax.number) == ("A001", "B001")
    assert play.code(c.CallNumber(window="4", number="1", reason="x", service="v")) == "number-ambiguous"
    assert play.rejected.figures == {"choices": ["A001", "B001"]}
    play.do(c.CancelTicket(ticket=social.id))
    called = only(play.do(c.CallNumber(window="4", number="001", reason="x", service="v")), e.TicketCalled)
    assert called.number == "B001"


def test_digits_alone_ask_nothing_about_whom_the_window_cannot_call() -> None:
    """Issue 2: "digits alone find A012 or B012, and ask when both wait": at a window for one of them there is no question."""
    play = Play(sit="13")
    tax, social = play.take("tax"), play.take("pension")
    assert (social.number, tax.number) == ("A001", "B001")
    called = only(play.do(c.CallNumber(window="1", number="1", reason="x", service="v")), e.TicketCalled)
    assert called.number == "A001"
    play.take("tax")
    assert play.code(c.CallNumber(window="1", number="2", reason="x", service="w")) == "window-does-not-serve"


@pytest.mark.parametrize("number", ["7", "A007", "", "x", "²", "9" * 5000])
def test_digits_that_mean_nobody(number: str) -> None:
    play = Play()
    play.take()
    assert play.code(c.CallNumber(window="1", number=number, reason="x", service="v")) == "number-unknown"


def test_rules_26_recall_has_an_interval_and_a_limit() -> None:
    play = Play()
    play.take()
    play.next()
    play.wait(19.9)
    assert play.code(c.Recall(window="1")) == "recall-too-soon"
    assert play.rejected.figures["seconds"] == 1
    play.wait(0.1)
    assert only(play.do(c.Recall(window="1")), e.TicketRecalled).times == 2
    assert play.code(c.Recall(window="1")) == "recall-too-soon"
    play.wait(20)
    play.do(c.Recall(window="1"))
    play.wait(20)
    assert play.code(c.Recall(window="1")) == "recall-limit"
    play.do(c.Arrive(window="1"))
    assert play.code(c.Recall(window="1")) == "arrived-already"
    assert play.rejected.figures["number"] == "A001"
    assert play.code(c.MarkNoShow(window="1", reason="x")) == "arrived-already"
    assert play.code(c.Arrive(window="1")) == "arrived-already"


def test_rules_27_a_no_show_needs_a_reason_or_every_call() -> None:
    play = Play()
    play.take()
    play.next()
    assert play.code(c.MarkNoShow(window="1")) == "no-show-needs-reason"
    for _ in range(2):
        play.wait(20)
        play.do(c.Recall(window="1"))
    assert only(play.do(c.MarkNoShow(window="1")), e.TicketRequeued).reason == "no-answer"


def test_rules_27_requeue_puts_it_three_places_later_and_voids_the_second_time() -> None:
    play = Play()
    first, *others = [play.take() for _ in range(5)]
    play.next()
    requeued = play.miss()
    assert isinstance(requeued, e.TicketRequeued)
    assert play.state(first) is TicketState.WAITING
    assert [play.serve() for _ in range(3)] == [other.number for other in others[:3]]
    assert play.next() == first.number
    assert kinds([play.miss()]) == ["TicketVoided"]
    assert play.state(first) is TicketState.VOID
    assert play.next() == others[3].number
    assert play.hall.no_shows == 2


def test_rules_27_with_fewer_waiting_it_is_the_last_and_alone_it_is_next() -> None:
    play = Play()
    first, second = play.take(), play.take()
    play.next()
    play.miss()
    assert play.serve() == second.number
    assert play.next() == first.number
    lonely = Play()
    ticket = lonely.take()
    lonely.next()
    lonely.miss()
    assert lonely.next() == ticket.number


def test_rules_27_two_that_missed_are_both_three_places_later() -> None:
    play = Play(sit="12")
    tickets = [play.take() for _ in range(8)]
    play.next("1")
    play.next("2")
    play.miss("1")
    play.miss("2")
    # A001 behind A005, then A002 behind A005 too: just after it, hence before A001
    numbers = [tickets[n].number for n in (2, 3, 4, 1, 0, 5, 6, 7)]
    assert [ticket.number for ticket in upcoming(play.hall, "1", play.now, 8)] == numbers


def test_rules_27_the_key_is_never_earlier_than_before() -> None:
    play = Play(sit="1")
    [play.take() for _ in range(4)]
    last = play.take()
    play.do(c.CallNumber(window="1", number=last.number, reason="x", service="v"))
    requeued = play.miss()
    assert isinstance(requeued, e.TicketRequeued)
    assert requeued.key >= last.key


def test_rules_27_same_window_lets_only_that_window_bring_it_back() -> None:
    play = Play(sit="12", no_show="same-window")
    ticket = play.take()
    play.next("1")
    assert kinds([play.miss("1")]) == ["TicketPassed"]
    assert play.hall.waiting == 0
    assert play.code(c.Restore(window="2", ticket=ticket.id, service="v")) == "not-passed-here"
    restored = only(play.do(c.Restore(window="1", ticket=ticket.id, service="v")), e.TicketRestored)
    assert restored.number == ticket.number
    assert kinds([play.miss("1")]) == ["TicketVoided"]


def test_rules_27_void_at_once() -> None:
    play = Play(no_show="void")
    ticket = play.take()
    play.next()
    assert kinds([play.miss()]) == ["TicketVoided"]
    assert play.code(c.Restore(window="1", ticket=ticket.id, service="v")) == "ticket-not-waiting"
    assert play.code(c.ReactivateTicket(ticket=ticket.id)) == "ticket-not-passed"


def test_ux_c06_a_window_restores_its_own_last_five() -> None:
    play = Play(no_show="same-window")
    tickets = [play.take() for _ in range(6)]
    for _ in tickets:
        play.next()
        play.miss()
    assert play.code(c.Restore(window="1", ticket=tickets[0].id, service="v")) == "not-passed-here"
    play.do(c.Restore(window="1", ticket=tickets[1].id, service="v"))
    assert play.state(tickets[1]) is TicketState.CALLED


def test_ux_c06_a_requeued_ticket_is_restored_out_of_the_queue() -> None:
    play = Play()
    first, _ = play.take(), play.take()
    play.next()
    play.miss()
    play.do(c.Restore(window="1", ticket=first.id, service="v"))
    assert (play.hall.waiting, play.hall.windows["1"].ticket) == (1, first.id)


def test_rules_29_transfer_keeps_the_place_and_the_reason() -> None:
    play = Play(sit="13")
    moved = play.take("pension")
    key, issued_at = moved.key, moved.issued_at
    play.wait(60)
    play.take("tax")
    play.next("1")
    play.wait(60)
    play.do(c.Arrive(window="1"))
    transferred = only(play.do(c.Transfer(window="1", matters=("tax",), reason="取错事项")), e.TicketTransferred)
    assert transferred.reason == "取错事项"
    after = play.hall.tickets[moved.id]
    assert (after.key, after.issued_at, after.aside_reason) == (key, issued_at, "取错事项")
    assert play.next("3") == moved.number


def test_rules_29_transfer_to_a_window_is_called_there_only() -> None:
    play = Play(sit="1234")
    ticket = play.take()
    play.next("1")
    play.do(c.Transfer(window="1", to_window="4"))
    assert [play.press_next(at) for at in "123"] == ["nobody-waiting"] * 3
    assert play.next("4") == ticket.number


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (c.Transfer(window="1"), "transfer-needs-one-target"),
        (c.Transfer(window="1", matters=("tax",), to_window="4"), "transfer-needs-one-target"),
        (c.Transfer(window="1", to_window="1"), "transfer-to-self"),
        (c.Transfer(window="1", to_window="9"), "window-unknown"),
        (c.Transfer(window="1", to_window="2"), "window-closed"),
        (c.Transfer(window="1", matters=("gone",)), "matter-unknown"),
        (c.Transfer(window="1", matters=("tax",)), "nobody-serves"),
        (c.Transfer(window="1", matters=("tax", "complaint")), "no-single-window"),
    ],
)
def test_rules_29_a_transfer_strands_nobody(command: c.Transfer, code: str) -> None:
    play = Play()
    ticket = play.take()
    play.next()
    assert play.code(command) == code
    assert play.state(ticket) is TicketState.CALLED


def test_rules_30_park_frees_the_window_and_alarms_when_its_time_is_over() -> None:
    play = Play()
    ticket = play.take()
    play.next()
    play.do(c.Arrive(window="1"))
    play.do(c.Park(window="1", reason="补材料", minutes=15))
    assert (play.state(ticket), play.hall.windows["1"].state) == (TicketState.PARKED, WindowState.IDLE)
    play.wait(15 * 60 - 1)
    assert "park-expired" not in _alarms(play)
    play.wait(1)
    assert "park-expired" in _alarms(play)
    play.do(c.Unpark(window="1", ticket=ticket.id, service="v"))
    assert play.state(ticket) is TicketState.SERVING
    assert "park-expired" not in _alarms(play)
    assert kinds(play.do(c.Finish(window="1"))) == ["ServiceFinished", "RatingInvited"]


def _alarms(play: Play) -> set[str]:
    play.do(c.Tick())
    return {alarm.code for alarm in play.hall.alarms.values()}


def test_rules_30_only_what_is_parked_comes_back() -> None:
    play = Play()
    ticket = play.take()
    assert play.code(c.Unpark(window="1", ticket=ticket.id, service="v")) == "ticket-not-parked"
    assert play.code(c.Unpark(window="1", ticket="nobody", service="v")) == "ticket-not-parked"


def test_ux_c01_next_while_serving_finishes_invites_and_calls() -> None:
    play = Play()
    play.take()
    second = play.take()
    play.next()
    play.wait(3)
    play.do(c.Arrive(window="1"))
    play.wait(300)
    pressed = play.do(c.CallNext(window="1", service="v"))
    assert kinds(pressed) == ["ServiceFinished", "RatingInvited", "TicketCalled"]
    assert only(pressed, e.ServiceFinished).inferred == "call-next"
    assert only(pressed, e.TicketCalled).number == second.number


def test_ux_c01_with_nobody_waiting_the_key_still_finishes() -> None:
    play = Play()
    play.take()
    play.next()
    play.do(c.Arrive(window="1"))
    play.wait(60)
    assert kinds(play.do(c.CallNext(window="1", service="v"))) == ["ServiceFinished", "RatingInvited"]
    assert play.press_next() == "nobody-waiting"


def test_ux_c01_called_half_a_minute_ago_counts_as_arrived_and_is_stored_as_inferred() -> None:
    play = Play()
    play.take()
    play.take()
    play.next()
    service = play.hall.windows["1"].service
    play.wait(30)
    pressed = play.do(c.CallNext(window="1", service="v"))
    assert kinds(pressed) == ["CitizenArrived", "ServiceFinished", "RatingInvited", "TicketCalled"]
    assert only(pressed, e.CitizenArrived).inferred == "call-next"
    assert play.hall.services[service].inferred == ["arrival: call-next", "finish: call-next"]


def test_ux_c01_a_rating_shows_that_the_citizen_came() -> None:
    play = Play()
    play.take()
    play.take()
    play.next()
    play.wait(5)
    pressed = play.do(c.PressRating(id="r", window="1", device="d", level=5, pressed_at=play.now))
    assert kinds(pressed) == ["CitizenArrived", "ServiceRated"]
    assert only(pressed, e.CitizenArrived).inferred == "rating"
    finished = play.do(c.CallNext(window="1", service="v"))
    assert kinds(finished) == ["ServiceFinished", "TicketCalled"], "who has rated is not invited again"


def test_ux_c01_too_early_to_know_asks_and_the_second_press_says_no_show() -> None:
    play = Play()
    first, second = play.take(), play.take()
    play.next()
    play.wait(10)
    assert play.press_next() == "arrived-or-not"
    assert kinds(play.log)[-1] == "NoShowAsked"
    assert play.state(first) is TicketState.CALLED
    play.wait(2)
    pressed = play.do(c.CallNext(window="1", service="v"))
    assert kinds(pressed) == ["TicketRequeued", "TicketCalled"]
    assert only(pressed, e.TicketRequeued).inferred
    assert only(pressed, e.TicketCalled).number == second.number


def test_ux_c01_an_old_question_is_asked_again() -> None:
    play = Play(infer_arrival_after_s=120)
    play.take()
    play.next()
    play.wait(10)
    assert play.press_next() == "arrived-or-not"
    play.wait(15.001)
    assert play.press_next() == "arrived-or-not"
    assert kinds(play.log)[-1] == "NoShowAsked"
    play.wait(2)
    assert kinds(play.do(c.CallNext(window="1", service="v"))) == ["TicketRequeued"]


def test_ux_c01_a_recall_takes_the_question_back() -> None:
    play = Play()
    play.take()
    play.next()
    play.wait(25)
    assert play.press_next() == "arrived-or-not"
    play.do(c.Recall(window="1"))
    play.wait(2)
    assert play.press_next() == "arrived-or-not"


@pytest.mark.parametrize("infer_s", [0, 30])
def test_ux_c06_a_second_press_within_a_second_does_nothing(infer_s: int) -> None:
    play = Play(infer_arrival_after_s=infer_s)
    first = play.take()
    play.take()
    play.next()
    play.wait(0.9)
    length = len(play.log)
    assert play.press_next() == "arrived-or-not"
    assert len(play.log) == length
    assert play.state(first) is TicketState.CALLED


def test_ux_c01_nor_does_it_answer_the_question() -> None:
    play = Play()
    play.take()
    play.next()
    play.wait(10)
    assert play.press_next() == "arrived-or-not"
    play.wait(0.9)
    length = len(play.log)
    assert play.press_next() == "arrived-or-not"
    assert len(play.log) == length


def test_ux_c01_next_at_a_paused_window_resumes_it() -> None:
    play = Play()
    ticket = play.take()
    play.do(c.PauseWindow(window="1", reason="away"))
    pressed = play.do(c.CallNext(window="1", service="v"))
    assert kinds(pressed) == ["WindowResumed", "TicketCalled"]
    assert only(pressed, e.WindowResumed).inferred
    assert play.hall.windows["1"].ticket == ticket.id


@pytest.mark.parametrize("kind", ["number", "restore", "unpark"])
def test_ux_c01_every_way_to_take_somebody_finishes_who_is_in_hand(kind: str) -> None:
    play = Play(no_show="same-window")
    other, wanted = play.take(), None
    if kind == "number":
        wanted = play.take()
        play.next()
        command: c.Command = c.CallNumber(window="1", number=wanted.number, reason="x", service="v")
    else:
        play.next()
        if kind == "restore":
            play.miss()
            command = c.Restore(window="1", ticket=other.id, service="v")
        else:
            play.do(c.Arrive(window="1"))
            play.do(c.Park(window="1", reason="x"))
            command = c.Unpark(window="1", ticket=other.id, service="v")
        play.take()
        play.next()
    play.do(c.Arrive(window="1"))
    play.wait(60)
    assert kinds(play.do(command))[:2] == ["ServiceFinished", "RatingInvited"]


def test_the_four_keys_run_a_day() -> None:
    """UX C-01: next alone, pressed every two minutes, serves everybody and invites everybody."""
    play = Play()
    tickets = [play.take() for _ in range(20)]
    for _ in range(21):
        play.press_next()
        play.wait(120)
    assert all(play.state(ticket) is TicketState.DONE for ticket in tickets)
    assert play.hall.invited == play.hall.served == 20
    assert all(len(service.inferred) == 2 for service in play.hall.services.values())
