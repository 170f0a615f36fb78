"""The document that answers a new ticket says what any later look at the same ticket would say."""

import gc
from weakref import ref

import pytest

from queue_server.app.clock import Clock
from queue_server.app.views import tickets as views
from queue_server.domain import commands as c
from queue_server.domain import events as e
from tests.halls import Play, configuration, only

CLOCK = Clock("Asia/Shanghai")


def _both(play: Play, **wish: object) -> None:
    ticket = play.take(*wish.pop("matters", ()), **wish)  # type: ignore[misc]
    issued = only(play.log[-1:], e.TicketIssued)
    told = views.issued_document(play.hall, ticket, CLOCK, issued)
    assert told == views.ticket_document(play.hall, ticket, CLOCK, issued.at)


def _wishes(play: Play) -> None:
    for _ in range(2):  # the second of each wish is made from the first
        _both(play)
        _both(play, matters=("tax", "pension"), quantity=2)
        _both(play, bundle="birth", origin="device:k2")
        _both(play, priority="elder", printer="p1")


@pytest.mark.parametrize("delay_limit", [0, 2])
def test_rules_18_the_answer_is_the_ticket_as_it_stands(delay_limit: int) -> None:
    play = Play(sit="1356", delay_limit=delay_limit)
    play.minute = CLOCK.minute(play.now)
    _wishes(play)


def test_another_configuration_has_other_documents() -> None:
    for limit in (1, 3):
        play = Play(sit="1356", recall_limit=limit)
        play.minute = CLOCK.minute(play.now)
        _wishes(play)


def test_kinds_of_wishes_are_kept_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "WISHES_MAX", 2)
    play = Play(sit="1356")
    play.minute = CLOCK.minute(play.now)
    _wishes(play)
    assert len(views._wished[play.hall.catalogue]) <= 2


def test_law_5_a_configuration_that_was_replaced_is_forgotten_with_all_that_was_made_of_it() -> None:
    """A hall that applies 1,500 matters a month for years holds those in force."""
    play = Play(sit="1356")
    play.minute = CLOCK.minute(play.now)
    _wishes(play)
    catalogue, serving = ref(play.hall.catalogue), ref(play.hall.serving)
    play.do(c.ApplyConfiguration(configuration=configuration(recall_limit=1), source="test"))
    _wishes(play)
    gc.collect()
    assert (catalogue(), serving()) == (None, None)


def test_rules_27_a_number_that_was_missed_and_waits_again_says_so() -> None:
    """Under the rule that moves it back: its holder's page would else look as if it had never been called."""
    play = Play(sit="1", no_show="requeue")
    ticket = play.take("pension")
    before = views.explanation(play.hall, ticket, CLOCK)
    play.next()
    play.miss()
    after = views.explanation(play.hall, play.hall.tickets[ticket.id], CLOCK)
    assert after.zh == f"{before.zh}。叫过您 1 次，没等到，往后排了几位"
    assert after.en.startswith(f"{before.en}. You were called and missed")
    play.next()
    assert views.explanation(play.hall, play.hall.tickets[ticket.id], CLOCK) == before
