"""UX C-12, RULES 29: a ticket is passed on to a domain or to a person with its place kept, and nobody is left waiting for nobody."""

import msgspec
import pytest

from queue_server.domain import commands as c
from queue_server.domain import events as e
from queue_server.domain.day import unreachable
from queue_server.domain.model import Ticket
from queue_server.domain.queues import ahead_of
from queue_server.wire.common import TicketState
from tests.halls import Play, configuration, only, plain, replayed, window


def passed_on(play: Play, **to: str) -> tuple[Ticket, e.TicketTransferred]:
    """A pension's ticket that window 1 has called and passed on."""
    ticket = play.take()
    assert play.next("1") == ticket.number
    return ticket, only(play.do(c.Transfer(window="1", reason="改问税务", **to)), e.TicketTransferred)


def where(play: Play, ticket: Ticket) -> str:
    return play.hall.tickets[ticket.id].current.queue


# --- to a domain ---


def test_ux_c12_to_a_domain_is_any_window_that_serves_the_whole_of_it() -> None:
    """The place, the matter and the note stay; the windows are the domain's, those at home with it first."""
    play = Play(sit="134")
    before = play.take("tax")
    ticket, moved = passed_on(play, to_domain="tax")
    later = play.take("tax")
    assert moved.stop.queue == "3,4~" == play.hall.serving.queue_of_domain("tax")
    held = play.hall.tickets[ticket.id]
    assert (held.current.matters, held.current.domain, held.current.reason) == (("pension",), "tax", "改问税务")
    assert held.key == ticket.key
    assert ahead_of(play.hall, held.current.queue, held.key) == 1
    assert play.press_next("1") == "nobody-waiting", "nobody calls for the old matter"
    assert [play.next("3"), play.next("4")] == [before.number, ticket.number], "before whoever came later"
    assert play.state(later) is TicketState.WAITING


@pytest.mark.parametrize(
    ("to", "code"),
    [
        ({"to_domain": "nowhere"}, "domain-unknown"),
        ({"to_domain": "desk"}, "nobody-serves"),
        ({"to_domain": "tax", "to_window": "2"}, "transfer-needs-one-target"),
        ({"to_domain": "tax", "to_staff": "s2"}, "transfer-needs-one-target"),
        ({"to_staff": "s3"}, "staff-not-at-window"),
        ({"to_staff": "s1"}, "transfer-to-self"),
    ],
)
def test_ux_c12_nobody_is_passed_on_to_where_nobody_works(to: dict[str, str], code: str) -> None:
    """A person at no window is refused, and said so before anything is done: the preview asks the same rule."""
    play = Play(sit="12")
    ticket = play.take()
    play.next("1")
    assert play.code(c.Transfer(window="1", **to)) == code
    assert play.state(ticket) is TicketState.CALLED


def test_ux_c12_a_domain_that_no_window_serves_as_a_whole() -> None:
    """Then its matters are to be named: a window that does half of them would be the wrong one half of the time."""
    split = (window("1", "tax"), window("2", matters=("pension",)), window("3", matters=("card",)))
    play = Play(configuration(windows=split))
    play.take("tax")
    play.next("1")
    assert play.code(c.Transfer(window="1", to_domain="social")) == "no-window-for-domain"


def test_rules_5_a_configuration_moves_who_was_passed_on_to_a_domain() -> None:
    play = Play(sit="134")
    ticket, _ = passed_on(play, to_domain="tax")
    others = (window("1", "tax"), window("2", "social"), window("3", "social"), *play.initial.window[3:])
    play.do(c.ApplyConfiguration(configuration=msgspec.structs.replace(play.initial, window=others), source="t"))
    assert where(play, ticket) == play.hall.serving.queue_of_domain("tax") == "1,4~"
    none = tuple(each for each in others if "tax" not in each.domains)
    refused = c.ApplyConfiguration(configuration=msgspec.structs.replace(play.initial, window=none), source="t")
    assert play.code(refused) == "configuration-strands"


# --- to a person ---


def test_ux_c12_to_a_person_is_their_window_and_follows_them() -> None:
    """Whoever takes their old window calls nobody of theirs; the place stays through it all."""
    play = Play(sit="12")
    ticket, moved = passed_on(play, to_staff="s2")
    assert (where(play, ticket), moved.staff, moved.staff_name) == ("2", "s2", "员2")
    assert play.press_next("1") == "nobody-waiting"
    left = only(play.do(c.CloseWindow(window="2")), e.WindowClosed)
    assert left.stranded == 1, "RULES 12: told"
    assert where(play, ticket) == "@s2"
    play.do(c.OpenWindow(window="2", staff="other", staff_name=""))
    assert play.press_next("2") == "nobody-waiting"
    play.do(c.OpenWindow(window="4", staff="s2", staff_name="员2"))
    assert where(play, ticket) == "4"
    assert play.hall.tickets[ticket.id].key == ticket.key
    assert play.next("4") == ticket.number


def test_ux_c12_a_pause_tells_of_who_waits_for_the_person() -> None:
    play = Play(sit="12")
    ticket, _ = passed_on(play, to_staff="s2")
    assert only(play.do(c.PauseWindow(window="2", reason="lunch")), e.WindowPaused).stranded == 1
    assert where(play, ticket) == "2", "who pauses comes back"
    play.do(c.Tick())
    assert "queue-stranded:2" in play.hall.alarms


def test_ux_c12_whoever_is_taken_over_takes_theirs_along() -> None:
    play = Play(sit="12")
    ticket, _ = passed_on(play, to_staff="s2")
    play.do(c.OpenWindow(window="2", staff="s9", staff_name="", take_over=True))
    assert where(play, ticket) == "@s2"
    play.do(c.OpenWindow(window="1", staff="s2", staff_name="", take_over=True))
    assert where(play, ticket) == "1"


def test_ux_c12_who_waits_for_somebody_gone_is_an_alarm_and_any_window_may_call_the_number() -> None:
    play = Play(sit="12")
    ticket, _ = passed_on(play, to_staff="s2")
    play.do(c.CloseWindow(window="2"))
    play.do(c.Tick())
    assert play.hall.alarms["queue-stranded:@s2"].level == "alert"
    assert unreachable(play.hall, 600) == [play.hall.tickets[ticket.id]], "RULES 34: a slip is offered"
    called = play.do(c.CallNumber(window="1", number=ticket.number, reason="人不在", service="v"))
    assert only(called, e.TicketCalled).given
    play.do(c.Tick())
    assert "queue-stranded:@s2" not in play.hall.alarms


def test_ux_c12_a_missed_call_waits_for_the_person_where_they_are_by_then() -> None:
    """Passed at one window, brought back when the person sits at another."""
    play = Play(sit="12", no_show="same-window")
    ticket, _ = passed_on(play, to_staff="s2")
    assert play.next("2") == ticket.number
    play.miss("2")
    play.do(c.CloseWindow(window="2"))
    play.do(c.OpenWindow(window="3", staff="s2", staff_name=""))
    play.do(c.ReactivateTicket(ticket=ticket.id))
    assert where(play, ticket) == "3"


def test_ux_p06_a_delay_while_the_person_is_away_costs_no_waiting() -> None:
    """Nobody stands in that queue behind whom the ticket could go; the person's next window has its people by time."""
    play = Play(sit="12")
    ticket, _ = passed_on(play, to_staff="s2")
    play.do(c.CloseWindow(window="2"))
    before = play.hall.tickets[ticket.id].key
    play.wait(1800)
    play.do(c.DelayTicket(ticket=ticket.id))
    assert play.hall.tickets[ticket.id].key == before


def test_ux_c12_a_configuration_strands_nobody_for_a_person_who_is_away() -> None:
    play = Play(sit="12")
    ticket, _ = passed_on(play, to_staff="s2")
    without = tuple(each for each in play.initial.window if each.id != "2")
    fewer = c.ApplyConfiguration(configuration=msgspec.structs.replace(play.initial, window=without), source="t")
    assert play.code(fewer) == "configuration-strands", "the person sits at the window that would go"
    play.do(c.CloseWindow(window="2"))
    play.do(fewer)
    assert where(play, ticket) == "@s2"


def test_law_2_the_journal_gives_the_same_hall() -> None:
    play = Play(sit="12")
    passed_on(play, to_staff="s2")
    play.do(c.CloseWindow(window="2"))
    passed_on(play, to_domain="social")
    play.do(c.OpenWindow(window="3", staff="s2", staff_name=""))
    assert plain(replayed(play.initial, play.log)) == plain(play.hall)
