"""What is said: RULES 25 and UX V-03, V-06, V-11."""

import pytest

from displays.errors import Malformed
from displays.speech.phrases import (
    NOTICES,
    Call,
    VoicePolicy,
    english_phrase,
    grouped_phrase,
    notice,
    phrase,
    sentence,
    tokens_needed,
)


@pytest.mark.parametrize(
    ("number", "window", "said"),
    [
        ("A012", "3", "请 A 零 一 二 号 到 三 号 窗口 办理"),
        ("YA1000", "12", "请 Y A 一 零 零 零 号 到 十 二 号 窗口 办理"),
        ("B110", "10", "请 B 一 一 零 号 到 十 号 窗口 办理"),
        ("b007", "24", "请 B 零 零 七 号 到 二 十 四 号 窗口 办理"),
        ("A-001", "08", "请 A 零 零 一 号 到 零 八 号 窗口 办理"),
        ("A001", "203", "请 A 零 零 一 号 到 二 零 三 号 窗口 办理"),
        ("A001", "B12", "请 A 零 零 一 号 到 B 十 二 号 窗口 办理"),
    ],
)
def test_rules_25_numbers_digit_by_digit_and_windows_as_a_number(number: str, window: str, said: str) -> None:
    """RULES 25: alphanumerics digit by digit; a window up to 99 is counted (12 is 十二), a longer one is floor and window."""
    assert " ".join(phrase(number, window, VoicePolicy())) == said


def test_rules_25_one_is_yi_or_yao_where_digits_are_read_and_yi_where_they_are_counted() -> None:
    said = phrase("A011", "21", VoicePolicy(one="yao"))
    assert " ".join(said) == "请 A 零 幺 幺 号 到 二 十 一 号 窗口 办理"
    assert " ".join(phrase("A011", "211", VoicePolicy(one="yao"))[6:]) == "到 二 幺 幺 号 窗口 办理"


def test_rules_25_the_template_is_the_halls_own_in_the_longest_words_of_its_voice() -> None:
    """RULES 3: 请{0}号到第{1}窗口办理业务 is another hall's sentence; the 2 of 2楼 is read like any digit."""
    policy = VoicePolicy(
        template="请{number}号，到2楼第{window}窗口办理业务", words=frozenset(("窗口", "办理业务", "请"))
    )
    assert " ".join(phrase("A001", "5", policy)) == "请 A 零 零 一 号 ， 到 二 楼 第 五 窗口 办理业务"
    backwards = VoicePolicy(template="{window}号窗口,请{number}号")
    assert " ".join(phrase("A001", "5", backwards)) == "五 号 窗口 ， 请 A 零 零 一 号"


@pytest.mark.parametrize(
    "change",
    [
        {"template": "请{number}号"},
        {"template": "请{number}{number}到{window}"},
        {"template": "请{number}到{window}{"},
        {"template": "请{number:>9}到{window}"},
        {"one": "yat"},
        {"languages": ("en",)},
        {"languages": ("zh", "yue")},
        {"times_max": 0},
    ],
)
def test_rules_25_a_policy_that_cannot_be_said_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(Malformed, match="voice"):
        VoicePolicy(**change)  # type: ignore[arg-type]


def test_v06_a_group_is_one_breath_with_a_pause_between_its_calls() -> None:
    """UX V-06: 请 A012 到 3 号、A013 到 5 号、B007 到 9 号窗口."""
    calls = [Call("A012", "3"), Call("A013", "5"), Call("B007", "19")]
    assert " ".join(grouped_phrase(calls, VoicePolicy())) == (
        "请 A 零 一 二 到 三 号 、 A 零 一 三 到 五 号 、 B 零 零 七 到 十 九 号 窗口"
    )


def test_v03_english_says_the_number_and_counts_the_window() -> None:
    assert english_phrase("A012", "24") == (
        *("en:number", "A", "en:0", "en:1", "en:2"),
        *("，", "en:please go to window", "en:20", "en:4"),
    )
    assert english_phrase("A012", "12")[-1] == "en:12"
    assert english_phrase("A012", "203")[-3:] == ("en:2", "en:0", "en:3")


def test_v11_the_caption_is_the_sentence_in_both_languages() -> None:
    assert sentence([Call("A012", "3")], VoicePolicy()) == ("请A012号到3号窗口办理", "A012, please go to window 3.")
    assert sentence([Call("A012", "3"), Call("B007", "9")], VoicePolicy()) == (
        "请A012到3号、B007到9号窗口",
        "Please go: A012 to window 3, B007 to window 9.",
    )


def test_s06_a_hall_needs_its_digits_letters_and_words_and_no_more() -> None:
    """UX S-06, voice missing for a window name: English counts only where it is spoken."""
    needed = tokens_needed(["1", "12", "台"], ["A"], VoicePolicy())
    notices = {zh for zh, _ in NOTICES.values()}
    assert needed == frozenset("请号到零一二三四五六七八九十A台") | {"窗口", "办理"} | notices
    assert "en:12" in tokens_needed(["12"], [], VoicePolicy(languages=("zh", "en")))


@pytest.mark.parametrize("kind", ["closing", "emergency"])
def test_d08_a_notice_is_said_in_its_own_words_where_the_voice_has_them_else_in_the_standard_ones(kind: str) -> None:
    """UX D-08, V-01: free text is spoken as far as there are clips; the caption is always the text (V-11)."""
    standard, english = NOTICES[kind]
    clips = {*"请到一二号", "窗口", standard, english}
    own = notice(kind, "请到2号窗口。", "Please go to window 2", VoicePolicy(), clips)
    assert own.tokens == ("请", "到", "二", "号", "窗口", "。")
    unsayable = notice(kind, "今天四点下班", "", VoicePolicy(), clips)
    assert (unsayable.tokens, unsayable.tokens_en) == ((standard,), (english,))
    assert notice(kind, "！！", "", VoicePolicy(), clips).tokens == (standard,), "marks alone say nothing"
    assert (unsayable.text_zh, unsayable.text_en) == ("今天四点下班", "今天四点下班")
    assert unsayable.urgent == (kind == "emergency")
    poor = notice(kind, "今天四点下班", "", VoicePolicy(), {"请"})
    assert (poor.tokens, poor.tokens_en) == ((), ()), "the chime alone, and the screens say it"
