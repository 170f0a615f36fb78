"""What a kiosk says (UX K-06, K-07): 您的号码是 A012，前面 5 位; every sentence in both languages, every number of people."""

import pytest

from displays.speech.guidance import (
    AHEAD_MAX,
    LANGUAGES,
    SENTENCES,
    clips_needed,
    guidance_text,
    guidance_tokens,
)
from displays.speech.phrases import BASE_TOKENS, ENGLISH_TOKENS, LETTERS, PAUSES


def test_k07_the_number_and_the_people_ahead() -> None:
    said = guidance_tokens("paper", "zh", "A012", 5)
    assert said == (
        "guide:number",
        "A",
        "零",
        "一",
        "二",
        "，",
        "guide:ahead",
        "五",
        "guide:people",
        "。",
        "guide:paper",
    )
    assert guidance_text("paper", "zh", "A012", 5) == "您的号码是 A012，前面 5 位。请取走您的号票，留意叫号。"
    assert guidance_text("photo", "en", "A012", 0).startswith("Your number is A012, You are next. ")


@pytest.mark.parametrize(
    ("ahead", "zh"),
    [(1, "一"), (2, "两"), (10, "十"), (12, "十二"), (20, "二十"), (102, "一百零二"), (110, "一百一十"), (300, "三百")],
)
def test_k07_people_are_counted_as_people_count(ahead: int, zh: str) -> None:
    said = guidance_tokens("paper", "zh", "A1", ahead)
    assert "".join(said[said.index("guide:ahead") + 1 : said.index("guide:people")]) == zh


def test_k06_a_pack_that_has_what_is_needed_can_say_everything() -> None:
    """`clips_needed` and what every pack has: nothing else is ever said."""
    held = clips_needed().keys() | BASE_TOKENS | ENGLISH_TOKENS | LETTERS | PAUSES
    for language in LANGUAGES:
        for name in SENTENCES:
            assert {*guidance_tokens(name, language)} <= held
            assert guidance_text(name, language)
        for ahead in range(-1, AHEAD_MAX + 1):
            assert {*guidance_tokens("paper", language, "AB0123456789", ahead)} <= held
