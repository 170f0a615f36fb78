"""What strips say and how it fits (UX W-02 to W-05, X-02; pictures in look/led)."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from displays.led import PAGE_MS, StripState, strip_pages
from displays.led.strip import State, cells


def texts(
    capacity: int,
    state: State,
    number: str = "A016",
    window: str = "3",
    text: str = "",
    notice: tuple[str, ...] = (),
) -> list[str]:
    meaning = StripState(state=state, number=number, window=window, text=text, notice=notice)
    return [page.text for page in strip_pages(meaning, capacity)]


@pytest.mark.parametrize(
    ("capacity", "state", "text", "expected"),
    [
        (8, "call", "", ["请A016"]),
        (12, "call", "", ["请A016号办理"]),
        (16, "call", "", ["请A016号办理"]),
        (20, "call", "", ["请A016号到3号窗口"]),
        (8, "serving", "", ["办理A016"]),
        (12, "serving", "", ["A016办理中"]),
        (16, "serving", "", ["3号 A016办理中"]),
        (8, "paused", "", ["暂停服务"]),
        (16, "paused", "", ["3号窗口暂停服务"]),
        (8, "waiting", "综合窗口", ["综合窗口"]),
        (8, "waiting", "", ["请稍候"]),
        (12, "waiting", "综合窗口", ["3号 综合窗口"]),
        (8, "waiting", "人社医保综合窗口", ["请稍候"]),
        (8, "closed", "", ["下班"]),
        (12, "closed", "", ["3号窗口 下班"]),
    ],
)
def test_ux_w_04_templates_by_capacity(capacity: int, state: State, text: str, expected: list[str]) -> None:
    assert texts(capacity, state, text=text) == expected


def test_ux_w_05_what_does_not_fit_is_shortened_then_paged_and_stays_long_enough() -> None:
    assert texts(8, "call", number="YA1007") == ["请YA1007"]
    assert texts(8, "call", number="YAB1007") == ["请办理", "YAB1007"]
    assert texts(8, "serving", number="YA1007") == ["办理中", "YA1007"]
    assert texts(8, "paused", text="午休") == ["暂停服务", "午休"]
    assert texts(16, "paused", text="设备故障（13:30 恢复）") == ["3号窗口暂停服务", "设备故障"]
    assert all(page.hold_ms >= 2_500 for page in strip_pages(StripState(state="paused", text="午休"), 8))
    assert PAGE_MS == 2_500


def test_an_emergency_is_paged_without_breaking_numbers() -> None:
    assert texts(8, "emergency", notice=("请从2号门离开",)) == ["请从2号", "门离开"]
    assert texts(8, "emergency") == ["紧急情况"]


def test_ux_d_08_an_emergency_is_said_in_both_languages() -> None:
    """UX D-08, X-10: Chinese first; without English the one text once."""
    assert texts(16, "emergency", notice=("请从2号门离开", "Leave by door 2")) == ["请从2号门离开", "Leave by door 2"]
    assert texts(16, "emergency", notice=("请离开", "请离开")) == ["请离开"]


@pytest.mark.parametrize(
    ("state", "own"),
    [
        ("call", ["请A016号办理"]),
        ("serving", ["3号 A016办理中"]),
        ("waiting", ["3号窗口 请稍候"]),
        ("paused", ["3号窗口暂停服务"]),
        ("closed", ["3号窗口 下班"]),
    ],
)
def test_ux_d_08_an_early_closing_comes_in_turn_and_never_takes_the_place_of_the_state(
    state: State, own: list[str]
) -> None:
    """UX D-08, W-05: one page of it, then the state or number again."""
    pages = texts(16, state, notice=("今天提前到四点结束", "We close at four today"))
    assert pages == [*own, "今天提前到", *own, "四点结束", *own, "We close at", *own, "four today"]
    long = texts(8, state, number="YAB1007", notice=("停电" * 40,))
    away = [page for page in long if page.startswith("停电")]
    assert len(away) <= 12
    assert all(not (a.startswith("停电") and b.startswith("停电")) for a, b in itertools.pairwise(long))


def test_ux_d_08_a_board_keeps_its_calls_between_the_pages_of_a_closing() -> None:
    state = StripState(state="call", lines=(("A016", "3"), ("B002", "5"), ("A017", "4")), notice=("提前下班",))
    pages = strip_pages(state, 16)
    assert [page.text for page in pages] == [
        *("请A016到3号", "提前下班"),
        *("请B002到5号", "提前下班"),
        *("请A017到4号", "提前下班"),
    ]
    assert {page.colour for page in pages if page.text == "提前下班"} == {"yellow"}


def test_a_window_with_a_name_is_called_by_it() -> None:
    assert texts(20, "call", window="台胞接待室") == ["请A016号到台胞接待室"]


def test_a_board_shows_each_call_on_a_page() -> None:
    state = StripState(state="call", lines=(("A016", "3"), ("E008", "24")))
    assert [page.text for page in strip_pages(state, 8)] == ["A016→3", "E008→24"]
    assert [page.text for page in strip_pages(state, 12)] == ["请A016到3号", "请E008到24号"]
    assert [page.text for page in strip_pages(state, 20)] == ["请A016号到3号窗口", "请E008号到24号窗口"]


def test_ux_x_02_every_state_has_a_word_beside_its_colour() -> None:
    words = {
        "call": "请",
        "serving": "办理",
        "paused": "暂停",
        "waiting": "请稍候",
        "closed": "下班",
        "emergency": "紧急",
    }
    for state, word in words.items():
        pages = strip_pages(StripState(state=state, number="A016", window="3"), 8)  # type: ignore[arg-type]
        assert word in pages[0].text
        assert pages[0].colour in ("red", "green")


@given(
    st.sampled_from(["call", "serving", "paused", "waiting", "closed", "emergency"]),
    st.from_regex(r"[ABCDEFGH]{1,2}[0-9]{3,4}", fullmatch=True),
    st.sampled_from(["1", "24", "108", "台胞接待室"]),
    st.text("综合窗口午休（）2号门A ", max_size=30),
    st.integers(8, 32),
)
def test_ux_w_05_every_page_fits_and_the_number_is_whole(
    state: State, number: str, window: str, text: str, capacity: int
) -> None:
    pages = strip_pages(StripState(state=state, number=number, window=window, text=text), capacity)
    assert pages
    assert all(0 < cells(page.text) <= capacity for page in pages)
    if state in ("call", "serving"):
        assert any(number in page.text for page in pages)


def test_a_strip_too_small_says_so_and_a_number_too_wide_is_paged() -> None:
    with pytest.raises(ValueError, match="at least 8"):
        strip_pages(StripState(state="call", number="A016"), 4)
    assert texts(8, "call", number="ABCD10007") == ["请办理", "ABCD1000", "7"]
