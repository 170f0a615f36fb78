"""What is said: a call as clip tokens and as the sentence of the caption; pure.

A token names one clip of a voice pack: a Chinese word or character (`窗口`, `零`), a letter (`A`), an English word or phrase
(`en:please go to window`), or a punctuation mark, which is a pause.
"""

from __future__ import annotations

import re
import string
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Final, NamedTuple

import msgspec

from displays.errors import Malformed

WORDS: Final = frozenset(("窗口", "办理", "业务", "区", "楼", "第", "请", "号", "到"))
"""The words of the pack that ships, digits apart; a longer one is said as one clip."""
LANGUAGES: Final = frozenset(("zh", "en"))
PAUSES: Final = frozenset("、，。")
"""Tokens that are silence, not a clip."""

DIGITS: Final = "零一二三四五六七八九十"
BASE_TOKENS: Final = frozenset((*DIGITS, "请", "到", "号", "窗口"))
"""What every pack must have: a grouped announcement of numbers without letters."""
LETTERS: Final = frozenset(string.ascii_uppercase)
_NUMBER_EN: Final = "en:number"
_GO_EN: Final = "en:please go to window"
ENGLISH_TOKENS: Final = frozenset((_NUMBER_EN, _GO_EN, *(f"en:{n}" for n in (*range(20), *range(20, 100, 10)))))
"""The second language, letters apart."""
NOTICES: Final = {
    kind: (zh, f"en:{en}")
    for kind, (zh, en) in msgspec.json.decode(
        files("displays.speech").joinpath("notices.json").read_bytes(), type=dict[str, tuple[str, str]]
    ).items()
}
"""The standard sentence of each kind of notice: a token in Chinese, a token in English, each one clip of the pack."""
_TEENS: Final = 20
_PLACES: Final = ("{number}", "{window}")
_RUN: Final = re.compile(r"[0-9]+|.", re.DOTALL)
_MARKS: Final = str.maketrans(
    {",": "，", ";": "，", "；": "，", ":": "，", "：": "，", ".": "。", "!": "。", "！": "。"}
)


@dataclass(frozen=True, slots=True)
class VoicePolicy:
    """RULES 25: how a hall says a call.

    `template` holds {number} and {window} once each; `one` is how a digit 1 sounds, yi or yao; `languages` are zh and, once at
    the end (UX V-03), en; `times_max` bounds the repetitions in Chinese; `words` are the Chinese words the pack has as one clip.
    """

    template: str = "请{number}号到{window}号窗口办理"
    one: str = "yi"
    languages: tuple[str, ...] = ("zh",)
    times_max: int = 2
    words: frozenset[str] = WORDS

    def __post_init__(self) -> None:
        try:
            parts = list(string.Formatter().parse(self.template))
        except ValueError as error:
            raise Malformed(f"voice template {self.template!r}: {error}") from None
        names = sorted(name for _, name, _, _ in parts if name is not None)
        if names != ["number", "window"] or any(spec or conversion for _, _, spec, conversion in parts):
            raise Malformed(f"voice template {self.template!r}: needs {{number}} and {{window}} once each")
        if self.one not in ("yi", "yao"):
            raise Malformed(f"voice: one is {self.one!r}, not yi or yao")
        if "zh" not in self.languages or not LANGUAGES.issuperset(self.languages):
            raise Malformed(f"voice: languages {self.languages!r}: zh, and en if wanted")
        if self.times_max < 1:
            raise Malformed(f"voice: times_max is {self.times_max}, at least 1")


class Call(NamedTuple):
    """A number and where it goes: `A012`, `3`."""

    number: str
    window: str


class Notice(NamedTuple):
    """A sentence to everybody: how it is said in each language (no tokens: the chime alone, then the screens say it)."""

    tokens: tuple[str, ...]
    tokens_en: tuple[str, ...]
    text_zh: str
    text_en: str
    urgent: bool


def phrase(number: str, window: str, policy: VoicePolicy) -> tuple[str, ...]:
    """The template of RULES 25 as tokens: `A012`, `12` -> 请 A 零 一 二 号 到 十 二 号 窗口 办理."""
    return tuple(_phrase(number, window, policy))


def grouped_phrase(calls: Sequence[Call], policy: VoicePolicy) -> tuple[str, ...]:
    """Several calls in one breath (UX V-06): 请 A012 到 3 号、A013 到 5 号窗口."""
    tokens = ["请"]
    for place, (number, window) in enumerate(calls):
        if place:
            tokens.append("、")
        tokens += (*_digitwise(number, policy), "到", *_window(window, policy), "号")
    tokens.append("窗口")
    return tuple(tokens)


def english_phrase(number: str, window: str) -> tuple[str, ...]:
    """The second language, said once (UX V-03): number A zero one two, please go to window twelve."""
    return (_NUMBER_EN, *_english_digitwise(number), "，", _GO_EN, *_english_window(window))


def notice(kind: str, text_zh: str, text_en: str, policy: VoicePolicy, clips: Collection[str]) -> Notice:
    """What is said of a free text: the text itself where there are `clips` for all of it, else the kind's sentence.

    English is never spelt out of clips: its sentence is always the kind's. The caption is the text as it was written.
    """
    own, (standard, english) = tuple(text_tokens(text_zh, policy)), NOTICES[kind]
    said = own if set() < {*own} - PAUSES <= {*clips} else (standard,)
    return Notice(
        tokens=tuple(token for token in said if token in PAUSES or token in clips),
        tokens_en=(english,) if english in clips else (),
        text_zh=text_zh,
        text_en=text_en or text_zh,
        urgent=kind == "emergency",
    )


def sentence(calls: Sequence[Call], policy: VoicePolicy) -> tuple[str, str]:
    """The caption of an announcement in Chinese and English (UX V-11), with the digits as they stand on the ticket."""
    if len(calls) == 1:
        [(number, window)] = calls
        return policy.template.format(number=number, window=window), f"{number}, please go to window {window}."
    zh = "、".join(f"{number}到{window}号" for number, window in calls)
    en = ", ".join(f"{number} to window {window}" for number, window in calls)
    return f"请{zh}窗口", f"Please go: {en}."


def tokens_needed(windows: Iterable[str], prefixes: Iterable[str], policy: VoicePolicy) -> frozenset[str]:
    """Every token that a hall's calls may use."""
    calls = [Call("0123456789", window) for window in windows] + [Call(f"{prefix}1", "1") for prefix in prefixes]
    spoken: set[str] = set()
    for number, window in calls:
        spoken.update(phrase(number, window, policy))
        if "en" in policy.languages:
            spoken.update(english_phrase(number, window))
    if calls:
        spoken.update(grouped_phrase(calls, policy))
    for zh, en in NOTICES.values():
        spoken.update([zh, en] if "en" in policy.languages else [zh])
    return frozenset(spoken - PAUSES)


def _phrase(number: str, window: str, policy: VoicePolicy) -> Iterator[str]:
    for literal, name, _, _ in string.Formatter().parse(policy.template):
        yield from text_tokens(literal, policy)
        match name:
            case "number":
                yield from _digitwise(number, policy)
            case "window":
                yield from _window(window, policy)
            case _:
                pass


def text_tokens(text: str, policy: VoicePolicy) -> Iterator[str]:
    """Any text: longest words first; what is no word goes character by character, digits one by one."""
    text = text.translate(_MARKS)
    longest = max(map(len, policy.words), default=1)
    at = 0
    while at < len(text):
        for length in range(min(longest, len(text) - at), 1, -1):
            if text[at : at + length] in policy.words:
                yield text[at : at + length]
                at += length
                break
        else:
            if not text[at].isspace():
                yield from _character(text[at], policy)
            at += 1


def _character(character: str, policy: VoicePolicy) -> Iterator[str]:
    if character == "1" and policy.one == "yao":
        yield "幺"
    elif character.isascii() and character.isdigit():
        yield DIGITS[int(character)]
    elif character != "-":  # B-12 is said B 12
        yield character.upper()


def _digitwise(number: str, policy: VoicePolicy) -> Iterator[str]:
    for character in number:
        yield from _character(character, policy)


def _window(window: str, policy: VoicePolicy) -> Iterator[str]:
    """Windows up to 99 are said as a number (12 -> 十二); longer ones, being floor and window (203), and 08 digit by digit."""
    for run in _RUN.findall(window.replace("-", "")):
        if not run[0].isascii() or not run.isdigit():
            yield from text_tokens(run, policy)
        elif len(run) > 2 or (len(run) == 2 and run[0] == "0"):
            yield from _digitwise(run, policy)
        else:
            yield from _number(int(run))


def _number(value: int) -> Iterator[str]:
    """0 to 99 as counted: 一 十 十二 二十 二十四; a 1 here is never yao."""
    tens, ones = divmod(value, 10)
    if tens > 1:
        yield DIGITS[tens]
    if tens:
        yield "十"
    if ones or not tens:
        yield DIGITS[ones]


def _english_digitwise(text: str) -> Iterator[str]:
    for character in text:
        if character.isascii() and character.isdigit():
            yield f"en:{character}"
        elif not character.isspace() and character != "-":
            yield character.upper()


def _english_window(window: str) -> Iterator[str]:
    for run in _RUN.findall(window.replace("-", "")):
        if not run.isascii() or not run.isdigit() or len(run) > 2 or (len(run) == 2 and run[0] == "0"):
            yield from _english_digitwise(run)
        elif int(run) < _TEENS:
            yield f"en:{int(run)}"
        else:
            tens, ones = divmod(int(run), 10)
            yield f"en:{tens}0"
            if ones:
                yield f"en:{ones}"
