"""What panels of dots show: golden pictures of the six sizes, whole characters, nothing moves (UX W-03 to W-08).

`python -m tests.unit.displays.test_led_pixels` draws the golden pictures anew.
"""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops

from displays import glyphs
from displays.errors import Unavailable
from displays.led import Page, Panel, Picture, StripState, flash, pattern, pictures, plane, planes
from displays.led.pixels import LIT, SIZES, picture, row_dots
from displays.led.strip import Colour, State

GOLDEN = Path(__file__).resolve().parents[2] / "golden"
PANELS = [Panel(*size) for size in ((64, 16), (128, 16), (192, 16), (256, 16), (128, 32), (256, 32))]
STATES = [
    StripState(state="call", number="A016", window="3"),
    StripState(state="call", number="YAB1007", window="108"),
    StripState(state="serving", number="A016", window="3"),
    StripState(state="paused", window="3", text="设备故障（13:30 恢复）"),
    StripState(state="waiting", window="3", text="综合窗口"),
    StripState(state="closed", window="3"),
    StripState(state="emergency", notice=("请从2号门离开", "Leave by door 2")),
    StripState(state="call", lines=(("A016", "3"), ("B007", "12"), ("MW008", "台胞接待室")), notice=("提前下班",)),
]


def sheet(panel: Panel) -> Image.Image:
    """Every picture of every state under each other, a grey line between them, the test pattern last."""
    shown = [each.image for state in STATES for each in pictures(state, panel)] + [pattern("3号", panel).image]
    whole = Image.new("RGB", (panel.width, len(shown) * (panel.height + 1) - 1), (96, 96, 96))
    for row, image in enumerate(shown):
        whole.paste(image, (0, row * (panel.height + 1)))
    return whole


def golden_of(panel: Panel) -> Path:
    return GOLDEN / f"led-{panel.width}x{panel.height}.png"


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: f"{panel.width}x{panel.height}")
def test_ux_w_03_golden_pictures_of_the_six_sizes(panel: Panel) -> None:
    """Another version of the font may move a few dots at the edges of strokes: fewer than any hanzi has."""
    drawn, golden = sheet(panel), Image.open(golden_of(panel)).convert("RGB")
    assert drawn.size == golden.size
    different = ImageChops.difference(drawn, golden)
    for top in range(0, drawn.height, panel.height + 1):
        dots = plane(different.crop((0, top, panel.width, top + panel.height)))
        assert sum(byte.bit_count() for byte in dots) <= 0.015 * panel.width * panel.height, top // (panel.height + 1)


@pytest.mark.parametrize(
    ("width", "height", "dots", "cells", "rows", "call"),
    [
        (64, 16, 0, 8, 1, "请A012"),
        (128, 16, 0, 16, 1, "请A012号办理"),
        (192, 16, 0, 24, 1, "请A012号到3号窗口"),
        (256, 16, 0, 32, 1, "请A012号到3号窗口"),
        (128, 32, 0, 8, 1, "请A012"),
        (256, 32, 0, 16, 1, "请A012号办理"),
        (256, 32, 24, 21, 1, "请A012号到3号窗口"),
        (256, 32, 16, 32, 2, "请A012号到3号窗口"),
        (128, 24, 0, 10, 1, "请A012"),
    ],
)
def test_ux_w_04_capacity_and_templates_by_size(
    width: int, height: int, dots: int, cells: int, rows: int, call: str
) -> None:
    panel = Panel(width, height, dots)
    assert (panel.cells, panel.rows) == (cells, rows)
    assert [each.texts for each in pictures(StripState(state="call", number="A012", window="3"), panel)] == [(call,)]


def test_ux_w_04_the_widths_in_dots_are_those_of_the_templates() -> None:
    for text, size, width in (
        ("请A012", 16, 48),
        ("暂停服务", 16, 64),
        ("请A012号办理", 16, 96),
        ("请A012号到3号窗口", 24, 204),
    ):
        assert row_dots(text, size).size == (width, size)
    box = pictures(STATES[0], Panel(64, 16))[0].image.getbbox()
    assert box is not None
    assert box[0] >= 8  # in the middle
    assert box[2] <= 56


def test_ux_w_05_what_does_not_fit_is_shortened_then_paged_and_a_page_stays() -> None:
    panel = Panel(64, 16)
    assert [each.texts for each in pictures(STATES[0], panel)] == [("请A016",)]
    assert [each.texts for each in pictures(STATES[1], panel)] == [("请办理",), ("YAB1007",)]
    assert all(each.hold_ms >= 2_500 for state in STATES for each in pictures(state, panel))


def test_ux_w_04_a_panel_of_two_rows_shows_two_lines_at_a_time_each_in_its_colour() -> None:
    two = Panel(256, 32, 16)
    first, second = pictures(STATES[-1], two)
    assert first.texts == ("请A016号到3号窗口", "提前下班")
    assert second.texts == ("请B007号到12号窗口", "请MW008号到台胞接待室")
    red, green = planes(first.image)
    assert not any(green[: len(green) // 2])  # the call is red
    assert any(red[len(red) // 2 :])
    assert red[len(red) // 2 :] == green[len(green) // 2 :]  # the notice is yellow


def test_planes_are_one_bit_a_dot_the_left_one_highest_rows_on_bytes() -> None:
    image = Image.new("RGB", (12, 2))
    for place, colour in (((0, 0), "red"), ((9, 0), "green"), ((11, 1), "yellow")):
        image.putpixel(place, LIT[colour])  # type: ignore[index]
    assert planes(image) == (bytes.fromhex("80 00 00 10"), bytes.fromhex("00 40 00 10"))
    assert plane(image) == bytes.fromhex("80 40 00 10")


def test_ux_w_07_a_new_call_flashes_three_times_half_a_second_each() -> None:
    (shown,) = pictures(STATES[0], Panel(128, 16))
    steps = flash(shown)
    assert [step.hold_ms for step in steps] == [500] * 6
    assert [step.image.getbbox() is not None for step in steps] == [True, False] * 3
    assert steps[0].image is shown.image


def test_ux_x_05_a_board_of_dots_flashes_once_a_second_at_most_and_no_longer_than_five() -> None:
    steps = flash(pictures(STATES[0], Panel(128, 16))[0])
    starts = [sum(step.hold_ms for step in steps[:place]) for place in range(0, len(steps), 2)]
    assert all(after - before >= 1_000 for before, after in itertools.pairwise(starts))
    assert sum(step.hold_ms for step in steps) <= 5_000


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: f"{panel.width}x{panel.height}")
def test_ux_w_08_the_test_pattern_lights_the_edge_and_says_the_window(panel: Panel) -> None:
    shown = pattern("3号", panel)
    assert shown.texts == ("3号",)
    corners = [(x, y) for x in (0, panel.width - 1) for y in (0, panel.height - 1)]
    assert {shown.image.getpixel(corner) for corner in corners} == {LIT["red"]}
    assert shown.image.crop((1, 1, panel.width - 1, panel.height - 1)).getbbox() is not None


@pytest.mark.parametrize("size", SIZES)
def test_no_character_leans_into_its_neighbour_and_every_digit_differs(size: int) -> None:
    """Numbers are letters and digits: each has its own shape, and none is wider than its cell."""
    characters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    drawn = {character: row_dots(character, size) for character in characters}
    assert len({image.tobytes() for image in drawn.values()}) == len(characters)
    for character, image in drawn.items():
        assert image.width == size // 2
        font = glyphs._fonts(size - size // 12, glyphs.MONO_FONTS)[0]
        assert font.getlength(character) <= size // 2, character


def test_what_no_font_has_is_a_mark_and_no_font_at_all_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    assert row_dots("\U000f1234号", 16).tobytes() == row_dots("〓号", 16).tobytes()
    monkeypatch.setattr("displays.led.pixels.MONO_FONTS", ())
    with pytest.raises(Unavailable, match="Noto Sans CJK"):
        row_dots("号", 16)


@pytest.mark.parametrize(
    ("size", "sentence"), [((56, 16, 0), "too few"), ((64, 12, 0), "too few"), ((256, 32, 20), "16, 24 or 32"), ((256, 16, 32), "too few")]
)  # fmt: skip
def test_a_panel_that_cannot_show_a_number_is_refused(size: tuple[int, int, int], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Panel(*size)


def test_what_does_not_fit_a_picture_is_refused_never_cut() -> None:
    for pages in ([Page("请A016号办理", "red")], [Page("请", "red"), Page("A016", "red")]):
        with pytest.raises(ValueError, match="does not fit"):
            picture(pages, Panel(64, 16))
    assert picture([], Panel(64, 16)) == Picture(picture([], Panel(64, 16)).image, ())


@settings(max_examples=40)
@given(
    st.sampled_from(["call", "serving", "paused", "waiting", "closed", "emergency"]),
    st.from_regex(r"[A-Z]{1,2}[0-9]{3,4}", fullmatch=True),
    st.text("综合窗口午休（）2号门A ", max_size=20),
    st.sampled_from([*PANELS, Panel(256, 32, 24), Panel(256, 32, 16)]),
)
def test_ux_w_05_every_state_has_pictures_and_the_number_is_whole_in_one(
    state: State, number: str, text: str, panel: Panel
) -> None:
    shown = pictures(StripState(state=state, number=number, window="3", text=text), panel)
    assert shown
    for each in shown:
        assert each.image.size == (panel.width, panel.height)
        assert each.image.getbbox() is not None
    if state in ("call", "serving"):
        assert any(number in line for each in shown for line in each.texts)
    colours: set[Colour] = {"red", "green", "yellow"}
    lit = {colour for each in shown for _, colour in each.image.getcolors() or []}
    assert lit <= {(0, 0, 0)} | {LIT[colour] for colour in colours}


if __name__ == "__main__":
    for each_panel in PANELS:
        sheet(each_panel).save(golden_of(each_panel), optimize=True)
