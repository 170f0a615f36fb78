"""UX W-07: brightness by the time of day, from text."""

import pytest

from displays.led import parse_dimming


@pytest.mark.parametrize(
    ("minute", "level", "left"),
    [(0, 6, 420), (7 * 60 - 1, 6, 1), (7 * 60, 15, 690), (18 * 60 + 29, 15, 1), (18 * 60 + 30, 6, 750), (1439, 6, 421)],
)
def test_ux_w07_each_level_holds_from_its_minute_on_and_over_midnight(minute: int, level: int, left: int) -> None:
    dimming = parse_dimming("18:30=6, 7:00=15")
    assert (dimming.at(minute), dimming.next_after(minute)) == (level, left)


def test_ux_w07_one_number_is_the_whole_day() -> None:
    dimming = parse_dimming("9")
    assert {dimming.at(minute) for minute in range(1440)} == {9}
    assert dimming.next_after(0) == 1440


@pytest.mark.parametrize("text", ["", "16", "25:00=3", "07:00=16", "07:00", "7=3", "07:00=3 07:00=4", "bright", "-1"])
def test_ux_w07_what_is_no_schedule_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match="brightness"):
        parse_dimming(text)
