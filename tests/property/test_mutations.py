"""Each rule switched off in its source makes the test of that rule fail: the tests bite."""

import inspect
from collections.abc import Callable
from types import CodeType, FunctionType, ModuleType

import pytest

from queue_server.domain import (
    alarms,
    calling,
    day,
    decide,
    evolve_windows,
    finishing,
    moves,
    queues,
    ratings,
    tickets,
    windows,
)
from queue_server.domain.errors import Broken, Rejected
from tests.property import test_calling_order as order
from tests.unit import test_rules_alarms as exceptions
from tests.unit import test_rules_calling as calls
from tests.unit import test_rules_day as days
from tests.unit import test_rules_tickets as issues
from tests.unit import test_rules_transfer as transfers
from tests.unit import test_rules_windows as desks

CROWD = order.busy_morning

MUTANTS: list[tuple[str, ModuleType, str, str, Callable[[], None]]] = [
    ("the call rule: latest first", calling, "found.sort()", "found.sort(reverse=True)", lambda: CROWD(1)),
    ("the call rule: by number alone", calling, "found.sort()", "found.sort(key=lambda x: x[1])", lambda: CROWD(1)),
    (
        "the call rule: by number alone",
        calling,
        "found.sort()",
        "found.sort(key=lambda x: x[1])",
        calls.test_queues_2_2_smallest_effective_time_first_ties_by_number,
    ),
    (
        "ties",
        calling,
        "found.sort()",
        "found.sort(key=lambda x: (x[0], -x[1]))",
        calls.test_queues_2_2_equal_effective_times_go_by_number,
    ),
    ("home penalty", calling, "(at + away_ms,", "(at,", lambda: CROWD(1)),
    (
        "home penalty",
        calling,
        "(at + away_ms,",
        "(at,",
        calls.test_rules_11_home_first_within_five_minutes_and_the_reason_is_in_the_event,
    ),
    ("away is never free", calling, "bears = now - at - line.credit_ms < free_ms", "bears = True", lambda: CROWD(1)),
    ("free counts from the credit", calling, "bears = now - at - line.credit_ms", "bears = now - at", lambda: CROWD(1)),
    (
        "the head of a line",
        queues,
        "if head is None or entry < head:",
        "if head is None:",
        calls.test_rules_29_transfer_keeps_the_place_and_the_reason,
    ),
    ("a taken head", queues, "line.head[3] == ticket.id", "False", lambda: CROWD(1)),
    (
        "credit cap",
        tickets,
        "min(minutes, configuration.policy.credit_max_min)",
        "minutes",
        issues.test_queues_2_2_credit_is_the_largest_never_a_sum_and_capped,
    ),
    ("credit cap", tickets, "min(minutes, configuration.policy.credit_max_min)", "minutes", lambda: CROWD(1)),
    (
        "credit as a sum",
        tickets,
        "max(minutes, SLIP_CREDIT_MIN)",
        "minutes + SLIP_CREDIT_MIN",
        issues.test_queues_2_2_credit_is_the_largest_never_a_sum_and_capped,
    ),
    (
        "slip once",
        tickets,
        "command.slip in hall.redeemed",
        "False",
        issues.test_rules_34_a_slip_of_the_day_before_counts_once,
    ),
    (
        "numbers",
        tickets,
        "hall.sequences.get(prefix, 0) + 1",
        "hall.sequences.get(prefix, 0) // 2 + 1",
        issues.test_rules_14_a_thousand_tickets_have_a_thousand_numbers,
    ),
    (
        "one per person",
        tickets,
        "if command.person and policy.one",
        "if not command.person and policy.one",
        issues.test_rules_16_a_second_request_returns_the_standing_ticket,
    ),
    (
        "forgetting a person",
        moves,
        "del hall.persons",
        "hall.persons",
        issues.test_rules_16_a_ticket_that_is_over_stands_no_more,
    ),
    (
        "unmet demand",
        tickets,
        'raise Rejected("nobody-serves", *_unmet(hall, command, ctx, shut))',
        'raise Rejected("nobody-serves")',
        issues.test_rules_17_nobody_serves_is_recorded_with_the_rejection,
    ),
    (
        "reactivation base",
        tickets,
        "min(waited, 600_000) // 2",
        "waited // 2",
        issues.test_rules_28_at_most_ten_minutes_of_the_wait_count_and_the_credit_stays,
    ),
    (
        "a date opens twice",
        day,
        "command.day <= hall.day",
        "command.day < hall.day",
        issues.test_rules_15_numbers_begin_again_with_the_day_and_a_date_never_opens_twice,
    ),
    (
        "permission",
        calling,
        "if not (ctx.may_call_numbers or hall.configuration.policy.clerks_call_numbers):",
        "if False:",
        calls.test_rules_23_a_given_number_needs_permission_and_a_reason_and_says_so,
    ),
    (
        "held elsewhere",
        calling,
        "if ticket.state in (TicketState.CALLED, TicketState.SERVING):",
        "if False:",
        calls.test_rules_24_what_another_window_holds_is_refused,
    ),
    (
        "ask when both wait",
        calling,
        "if len(waiting) > 1:",
        "if False:",
        calls.test_digits_alone_find_the_one_that_waits_and_ask_when_both_do,
    ),
    (
        "recall interval",
        calling,
        "if left_ms > 0:",
        "if False:",
        calls.test_rules_26_recall_has_an_interval_and_a_limit,
    ),
    (
        "recall limit",
        calling,
        "if ticket.calls >= policy.recall_limit:",
        "if False:",
        calls.test_rules_26_recall_has_an_interval_and_a_limit,
    ),
    (
        "no-show needs a reason",
        calling,
        "if not command.reason.strip() and ticket.calls <",
        "if False and ticket.calls <",
        calls.test_rules_27_a_no_show_needs_a_reason_or_every_call,
    ),
    (
        "three places later",
        calling,
        "policy.no_show_after, ctx.now",
        "policy.no_show_after + 1, ctx.now",
        calls.test_rules_27_requeue_puts_it_three_places_later_and_voids_the_second_time,
    ),
    (
        "void after two",
        calling,
        "ticket.passes + 1 >= policy",
        "ticket.passes >= policy",
        calls.test_rules_27_requeue_puts_it_three_places_later_and_voids_the_second_time,
    ),
    ("void at once", calling, "policy.no_show is NoShowPolicy.VOID", "False", calls.test_rules_27_void_at_once),
    (
        "same window",
        calling,
        "if policy.no_show is NoShowPolicy.SAME_WINDOW:",
        "if False:",
        calls.test_rules_27_same_window_lets_only_that_window_bring_it_back,
    ),
    (
        "own passed tickets",
        calling,
        "ticket.id not in mine",
        "False",
        calls.test_rules_27_same_window_lets_only_that_window_bring_it_back,
    ),
    (
        "transfer keeps the place",
        evolve_windows,
        '    remember_person(hall, ticket)\n    ticket.window = ticket.service = ""',
        '    ticket.key = ticket.key._replace(effective_at=event.at)\n    ticket.window = ticket.service = ""',
        calls.test_rules_29_transfer_keeps_the_place_and_the_reason,
    ),
    (
        "a ticket follows its person",
        evolve_windows,
        'follow(hall, event.staff, f"{AWAY_STAFF}{event.staff}")',
        "pass",
        transfers.test_ux_c12_to_a_person_is_their_window_and_follows_them,
    ),
    (
        "nobody else calls who waits for a person",
        evolve_windows,
        "    follow(hall, staff, window.id)\n",
        "",
        transfers.test_ux_c12_to_a_person_is_their_window_and_follows_them,
    ),
    (
        "a bad rating alarms",
        ratings,
        "rated.level > BAD_MAX",
        "True",
        lambda: exceptions.test_ux_m02_rules_54_levels_1_and_2_of_five_alarm_in_the_same_commit(1),
    ),
    (
        "park alarm",
        alarms,
        "now >= hall.tickets[name].parked_until",
        "False",
        calls.test_rules_30_park_frees_the_window_and_alarms_when_its_time_is_over,
    ),
    (
        "one key finishes",
        calling,
        'return finish_in_hand(hall, window, ctx, "done", "call-next")\n    if window',
        "return []\n    if window",
        calls.test_ux_c01_next_while_serving_finishes_invites_and_calls,
    ),
    (
        "inferred is stored",
        finishing,
        "inferred=why",
        'inferred=""',
        calls.test_ux_c01_called_half_a_minute_ago_counts_as_arrived_and_is_stored_as_inferred,
    ),
    (
        "pressed twice",
        calling,
        "if pressed_twice:",
        "if False:",
        lambda: calls.test_ux_c06_a_second_press_within_a_second_does_nothing(0),
    ),
    (
        "the question",
        calling,
        "if window.asked_at and",
        "if False and",
        calls.test_ux_c01_too_early_to_know_asks_and_the_second_press_says_no_show,
    ),
    (
        "invitation",
        finishing,
        "events.append(_invitation(",
        "(_invitation(",
        desks.test_rules_36_every_finished_service_invites_at_its_own_device,
    ),
    (
        "one rating a service",
        ratings,
        "if service.rating:",
        "if False:",
        desks.test_rules_46_one_rating_a_service_whatever_the_channel,
    ),
    (
        "whose press",
        ratings,
        "if last.invited_at <= pressed_at <= until and not last.cancelled:",
        "if False:",
        desks.test_rules_46_a_press_belongs_to_whom_it_was_pressed_by,
    ),
    (
        "a reason for bad levels",
        ratings,
        "if level <= BAD_MAX and",
        "if level <= 0 and",
        lambda: desks.test_rules_45_bad_levels_on_a_page_need_a_tag_or_text(2),
    ),
    (
        "tags of the level",
        ratings,
        "int(tag) not in TAGS[level]",
        "int(tag) > 999",
        desks.test_rules_44_tags_belong_to_their_level,
    ),
    (
        "lateness at the press",
        ratings,
        "command.pressed_at - service.finished_at",
        "ctx.now - service.finished_at",
        desks.test_rules_49_server_time_counts_and_lateness_is_judged_at_the_press,
    ),
    (
        "undo in time",
        finishing,
        "if ctx.now - last.at > hall",
        "if ctx.now < hall",
        desks.test_ux_c06_undo_of_a_finish_within_five_seconds,
    ),
    (
        "undo after a rating",
        finishing,
        "if hall.services[last.service].rating:",
        "if False:",
        desks.test_law_11_no_undo_after_a_rating,
    ),
    (
        "undo once moved on",
        finishing,
        "ticket.moves != last.moves",
        "False",
        lambda: desks.test_law_11_no_undo_of_a_no_show_once_the_ticket_has_moved_on("cancelled"),
    ),
    ("the own window", decide, "window.staff != clerk", "False", desks.test_a_clerk_acts_only_at_the_own_window),
    (
        "stranded",
        windows,
        "count += waiting_in(hall, queue)",
        "count += 0",
        desks.test_ux_c11_pausing_the_last_window_says_how_many_it_strands,
    ),
    (
        "grievance window",
        alarms,
        "kind not in open_kinds",
        "False",
        desks.test_rules_7_a_grievance_and_a_bundle_window_must_be_open_in_business_hours,
    ),
    (
        "single wait",
        alarms,
        "policy.single_wait_alarm_min * 60_000",
        "10**12",
        desks.test_rules_32_a_single_wait_over_thirty_minutes,
    ),
    (
        "waiting per window",
        alarms,
        "policy.waiting_per_window_alarm * able",
        "10**9",
        desks.test_rules_32_more_than_ten_waiting_a_window,
    ),
    (
        "average wait",
        alarms,
        "policy.average_wait_alarm_min * 60_000",
        "10**12",
        desks.test_rules_32_an_average_over_fifteen_minutes,
    ),
    (
        "uncalled, not passed",
        day,
        "if isinstance(ended[0], e.StopFinished):",
        "if False:",
        days.test_rules_34_a_stop_that_was_not_reached_is_uncalled_even_while_another_is_served,
    ),
    (
        "a configuration strands",
        day,
        "if stranded:",
        "if False:",
        days.test_design_5_a_configuration_that_strands_is_refused_with_the_numbers,
    ),
]


def functions(module: ModuleType) -> dict[str, FunctionType]:
    return {
        name: each
        for name, each in vars(module).items()
        if inspect.isfunction(each) and each.__module__ == module.__name__
    }


@pytest.mark.parametrize(
    ("rule", "module", "old", "new", "check"), MUTANTS, ids=[f"{m[0]} {n}" for n, m in enumerate(MUTANTS)]
)
def test_rules_bite(
    monkeypatch: pytest.MonkeyPatch, rule: str, module: ModuleType, old: str, new: str, check: Callable[[], None]
) -> None:
    """The check passes with the rule, and fails without it."""
    check()
    changed = 0
    for name, function in functions(module).items():
        source = inspect.getsource(function)
        if old in source:
            scope = dict(vars(module))
            exec(compile(source.replace(old, new), f"<{rule}>", "exec"), scope)
            code: CodeType = scope[name].__code__
            monkeypatch.setattr(function, "__code__", code)
            changed += 1
    assert changed, f"{old!r} is not in {module.__name__}"
    with pytest.raises((AssertionError, Rejected, Broken)):
        check()
