"""Which windows serve what: RULES 5, 6, 14, 31 and QUEUES 2.2."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from queue_server.domain.configuration import (
    Bundle,
    Configuration,
    Domain,
    Identity,
    Matter,
    Window,
    WindowKind,
    Zone,
)
from queue_server.domain.serving import NOBODY, QueueKey, Serving, parse, queues_of


def window(
    id_: str, *domains: str, home: tuple[str, ...] = (), matters: tuple[str, ...] = (), bundles: bool = False
) -> Window:
    return Window(
        id=id_,
        name="综合窗口",
        kind=WindowKind.DOMAIN,
        zone="A",
        domains=domains,
        home=home,
        matters=matters,
        bundles=bundles,
    )


def hall(*windows: Window) -> Configuration:
    return Configuration(
        hall=Identity(id="h", name="厅"),
        zone=(Zone(id="A", name="一区"),),
        domain=(Domain(id="tax", name="税务", prefix="F"), Domain(id="fund", name="公积金", prefix="G")),
        window=windows,
        matter=(
            Matter(id="t1", name="报税", domain="tax", minutes=10),
            Matter(id="t2", name="开票", domain="tax", minutes=4, tags=("elder",)),
            Matter(id="f1", name="提取", domain="fund", minutes=8),
            Matter(id="rare", name="专项", domain="fund", minutes=20),
        ),
        bundle=(Bundle(id="b", name="一件事", minutes=30),),
    )


def test_any_window_of_a_domain_serves_its_matters_from_one_queue() -> None:
    """RULES 5: three windows, one queue, no affinity."""
    serving = Serving(hall(window("1", "tax"), window("2", "tax"), window("3", "tax", "fund")))
    assert serving.windows_for({"t1"}) == ("1", "2", "3")
    assert serving.queue_of({"t1"}) == serving.queue_of({"t2"}) == "1,2,3"
    assert serving.queue_of({"f1"}) == "3"


def test_a_ticket_with_several_matters_waits_where_one_window_serves_all() -> None:
    """RULES 31."""
    serving = Serving(hall(window("1", "tax"), window("2", "fund"), window("3", "*")))
    assert serving.windows_for({"t1", "f1"}) == ("3",)
    assert serving.route({"t1", "f1"}) == (("t1", "f1"),)


def test_the_fewest_stops_when_no_window_serves_all() -> None:
    """RULES 31: window 2 would take the most at first, yet 1 and 3 together need no third stop."""
    serving = Serving(
        hall(window("1", matters=("t1", "f1")), window("2", matters=("t2", "f1")), window("3", matters=("t2", "rare")))
    )
    assert serving.queue_of({"t1", "t2", "f1", "rare"}) == NOBODY
    assert serving.route({"t1", "t2", "f1", "rare"}) == (("t1", "f1"), ("t2", "rare"))


def test_a_route_through_a_matter_nobody_serves_is_refused() -> None:
    serving = Serving(hall(window("1", "tax")))
    assert serving.unserved({"t1", "f1"}) == ("f1",)
    with pytest.raises(ValueError, match="f1"):
        serving.route({"t1", "f1"})


def test_home_is_by_matter_domain_tag_or_bundle() -> None:
    """QUEUES 2.2, RULES 11: pen(w,i) = 0 in the home group."""
    serving = Serving(
        hall(
            window("1", "*", home=("fund",), bundles=True),
            window("2", "*", home=("#elder", "f1")),
            window("3", "*", home=("bundles",), bundles=True),
        )
    )
    assert serving.queue_of({"t2"}) == "1~,2,3~"
    assert serving.queue_of({"f1"}) == "1,2,3~"
    assert serving.queue_of(bundle="b") == "1~,3"
    assert serving.is_home("2", {"t2"})
    assert not serving.is_home("1", {"t2"})
    assert not serving.is_home("2", bundle="b")


def test_the_only_holder_of_a_matter_is_its_home() -> None:
    """QUEUES 2.2: a window that is the only holder of skill X sees X with no penalty."""
    serving = Serving(hall(window("1", "*", home=("tax",)), window("2", "tax")))
    assert serving.queue_of({"rare"}) == "1"


def test_a_queue_that_is_nobodys_home_pays_no_penalty_anywhere() -> None:
    """QUEUES 2.2: a penalty that all windows pay would only hold these citizens back behind everybody else."""
    serving = Serving(hall(window("1", "*", home=("tax",)), window("2", "*", home=("tax",))))
    assert serving.queue_of({"f1"}) == "1,2"


def test_a_window_that_lists_matters_serves_only_those() -> None:
    serving = Serving(hall(window("1", "tax", matters=("f1",)), window("2", "tax")))
    assert serving.windows_for({"t1"}) == ("2",)
    assert serving.windows_for({"f1"}) == ("1",)


def test_keys_parse_back_and_name_the_queues_of_a_window() -> None:
    serving = Serving(hall(window("1", "tax"), window("2", "*", home=("fund",), bundles=True)))
    assert serving.keys == ("1,2~", "2")
    assert parse(QueueKey("1,2~")) == (("1", True), ("2", False))
    assert parse(NOBODY) == ()
    assert queues_of("2", serving.keys) == [("1,2~", False), ("2", True)]


def test_the_letters_of_a_number_come_from_the_domain_or_the_bundle() -> None:
    """RULES 14."""
    serving = Serving(hall(window("1", "*", bundles=True)))
    assert serving.prefix_of({"f1"}) == "G"
    assert serving.prefix_of({"f1", "t1"}) == "F"
    assert serving.prefix_of(bundle="b") == "E"


def test_each_further_filing_takes_six_tenths_of_the_time() -> None:
    serving = Serving(hall(window("1", "*", bundles=True)))
    assert serving.minutes_of({"t1"}) == 10
    assert serving.minutes_of({"t1"}, quantity=3) == pytest.approx(22)
    assert serving.minutes_of({"t1", "f1"}) == 18
    assert serving.minutes_of(bundle="b") == 30


def test_unknown_ids_and_an_empty_question_are_errors() -> None:
    serving = Serving(hall(window("1", "*")))
    with pytest.raises(KeyError):
        serving.queue_of({"nope"})
    with pytest.raises(KeyError):
        serving.queue_of(bundle="nope")
    with pytest.raises(ValueError, match="not neither"):
        serving.queue_of()


MATTERS = ("t1", "t2", "f1", "rare")


@given(
    held=st.lists(st.sets(st.sampled_from(MATTERS), min_size=1), min_size=1, max_size=6),
    asked=st.sets(st.sampled_from(MATTERS), min_size=1),
)
def test_a_route_is_complete_and_no_stop_is_beyond_one_window(held: list[set[str]], asked: set[str]) -> None:
    """RULES 31, and the fewest: no smaller number of windows holds all that is asked."""
    serving = Serving(hall(*(window(str(n), matters=tuple(sorted(m))) for n, m in enumerate(held))))
    if serving.unserved(asked):
        return
    stops = serving.route(asked)
    assert sorted(matter for stop in stops for matter in stop) == sorted(asked)
    assert all(serving.windows_for(stop) for stop in stops)
    fewer = _fewest(held, asked)
    assert len(stops) == fewer


def _fewest(held: list[set[str]], asked: set[str]) -> int:
    """By trying everything."""
    best = len(asked)
    for chosen in range(1 << len(held)):
        parts = [held[n] for n in range(len(held)) if chosen >> n & 1]
        if parts and asked <= set().union(*parts):
            best = min(best, len(parts))
    return best


def test_the_order_of_asking_does_not_matter() -> None:
    serving = Serving(hall(window("1", "tax"), window("2", "fund")))
    assert serving.route(["f1", "t1"]) == serving.route(["t1", "f1"]) == (("t1",), ("f1",))
    assert serving.queue_of(["t2", "t1"]) == serving.queue_of(["t1", "t2"])


def test_the_same_configuration_gives_the_same_keys() -> None:
    """DESIGN 3, law 2."""
    configuration = hall(window("1", "tax"), window("2", "*"))
    again = msgspec.json.decode(msgspec.json.encode(configuration), type=Configuration)
    assert Serving(configuration).keys == Serving(again).keys
