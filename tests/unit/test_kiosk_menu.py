"""The kiosk's first page: UX K-01 (at most two taps), K-02 (at most eight tiles), with the sample halls."""

from pathlib import Path

import pytest
from msgspec import structs

from queue_server.app.hallfile import load
from queue_server.app.views.menu import COUNTED_LEAST, PAGE, Tile, arrange, weights_of
from queue_server.domain.configuration import Bundle, Configuration, Domain, Matter

ROOT = Path(__file__).resolve().parents[2]


def hall(name: str) -> Configuration:
    configuration, _ = load((ROOT / "config" / f"{name}.toml").read_text("utf-8"))
    assert configuration is not None
    return configuration


def own(tiles: list[Tile]) -> list[str]:
    return [each.id for each in tiles if isinstance(each, Matter | Bundle)]


@pytest.mark.parametrize("name", ["district", "township"])
def test_ux_k_01_what_is_asked_for_most_is_one_tap_and_every_group_follows(name: str) -> None:
    configuration = hall(name)
    tiles = arrange(configuration, weights_of(configuration, {}))
    favourites = own(tiles)
    shares = sorted((m.share for m in configuration.matter if m.offered), reverse=True)
    assert 2 <= len(favourites) <= PAGE
    assert [tiles[n].id for n in range(len(favourites))] == favourites, "they stand first"  # type: ignore[union-attr]
    assert [next(m.share for m in configuration.matter if m.id == f) for f in favourites] == shares[: len(favourites)]
    groups = {each.id for each in tiles if isinstance(each, Domain)}
    assert groups == {m.domain for m in configuration.matter if m.offered}
    assert "bundles" in tiles


def test_ux_k_01_a_hall_of_few_favourites_gives_them_more_tiles_than_one_of_many_wishes() -> None:
    """A tile of its own pushes a group to the next page, which costs everybody who wants something there a tap."""
    configuration = hall("district")
    favourites = {m.id: 300 for m in configuration.matter[:6]} | {configuration.bundle[0].id: 300}
    counted = weights_of(configuration, {**favourites, **{m.id: 1 for m in configuration.matter[50:]}})
    assert set(favourites) <= set(own(arrange(configuration, counted)))
    assert len(own(arrange(configuration, weights_of(configuration, {})))) == 2


def test_ux_k_01_a_small_hall_shows_everything_itself() -> None:
    configuration = hall("district")
    few = structs.replace(configuration, matter=configuration.matter[:6], bundle=configuration.bundle[:2])
    assert own(arrange(few, weights_of(few, {}))) == [each.id for each in (*few.matter, *few.bundle)]


def test_a_few_tickets_say_less_than_the_configuration() -> None:
    configuration = hall("district")
    rare = configuration.matter[-1].id
    assert weights_of(configuration, {rare: COUNTED_LEAST - 1})[rare] == configuration.matter[-1].share
    assert weights_of(configuration, {rare: COUNTED_LEAST})[rare] == COUNTED_LEAST
