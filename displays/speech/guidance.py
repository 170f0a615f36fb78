"""What a kiosk says to who wants to hear it: its sentences in both languages, and the number just taken; pure (UX K-06, K-07).

A sentence is one clip of the voice pack, with the token `guide:NAME` or, in English, `guide-en:NAME`; a hall that records its
own voice records these sentences too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

SENTENCES: Final = {
    "home": (
        "您要办什么事？点一下屏幕上的按钮，就能取号。",
        "What brings you here? Tap one of the buttons to get a ticket.",
    ),
    "group": ("请点您要办的事，点一下就出号。", "Tap what you need. One tap gives a ticket."),
    "search": ("请打拼音，全拼或首字母都行，找您要办的事。", "Type the first letters of what you need."),
    "priority": ("请选优先的类别，办理时窗口会看证件。", "Choose a priority. The window will ask for the card."),
    "basket": ("几件事，一个号一起办。点下面的按钮取号。", "One ticket for all. Tap the button below to get it."),
    "slip": ("请把凭条上的二维码对准扫码口。", "Hold the code of your slip to the scanner."),
    "missed": (
        "过号了，请扫号票上的二维码，或者输入号码和核对码。",
        "Missed your call? Scan the code on your slip, or type the number and the check code.",
    ),
    "paper": ("请取走您的号票，留意叫号。", "Please take your ticket, and watch the calls."),
    "photo": ("这次没有号票，请拍下屏幕上的号码。", "There is no paper this time. Please photograph the number."),
    "back": ("您的号已经恢复排队，请留意叫号。", "Your ticket is back in the queue. Please watch the calls."),
    "refused": (
        "这次没有办成，请看屏幕上的说明，或者叫人帮忙。",
        "That did not work. Please read the screen, or call for help.",
    ),
    "calling": ("正在叫人，请稍等。", "Calling somebody. One moment."),
    "help": ("已经叫人了，请在这里稍等。", "Help is coming. Please wait here."),
    "help_failed": ("没有叫到人，请到导办台。", "Nobody was reached. Please go to the guide desk."),
    "closed": ("现在不取号，请看屏幕上的说明。", "No tickets are given now. Please read the screen."),
    "still": ("您还在操作吗？请点一下继续。", "Are you still there? Please tap to go on."),
}
"""By what the page is; also the names a kiosk may ask for."""

PARTS: Final = {
    "number": ("您的号码是", "Your number is"),
    "ahead": ("前面", ""),
    "people": ("位", "ahead of you"),
    "next": ("前面没有人", "You are next"),
}
"""Around the figures: 您的号码是 A012，前面 5 位; Your number is A012, 5 ahead of you."""

LANGUAGES: Final = ("zh", "en")
AHEAD_MAX: Final = 999
NUMBER_MAX: Final = 8

_DIGITS: Final = "零一二三四五六七八九"
_TEENS: Final = 20
_COUNTED: Final = frozenset(("百", "两", "en:hundred"))
"""Words of counting that calls do not need."""


def clips_needed() -> dict[str, str]:
    """Token → text of every clip that guidance needs beside those of calls; English ones begin with `guide-en:` or `en:`."""
    found = {}
    for name, (zh, en) in (SENTENCES | PARTS).items():
        found[f"guide:{name}"] = zh
        if en:
            found[f"guide-en:{name}"] = en
    return found | {token: token.removeprefix("en:") for token in _COUNTED}


def guidance_tokens(name: str, language: str, number: str = "", ahead: int = -1) -> tuple[str, ...]:
    """The clips of a sentence, after the number and the people ahead where these are given (`ahead` -1 = not said)."""
    return (*_number(language, number, ahead), f"{_guide(language)}:{name}")


def guidance_text(name: str, language: str, number: str = "", ahead: int = -1) -> str:
    """The same as a caption (UX V-11)."""
    place = LANGUAGES.index(language)
    said = {part: texts[place] for part, texts in PARTS.items()}
    text = SENTENCES[name][place]
    if not number:
        return text
    count = said["next"] if ahead == 0 else f"{said['ahead']} {ahead} {said['people']}".strip() if ahead > 0 else ""
    comma, stop = ("，", "。") if language == "zh" else (", ", ". ")
    return f"{said['number']} {number}{comma if count else ''}{count}{stop}{text}"


def _guide(language: str) -> str:
    return "guide-en" if language == "en" else "guide"


def _number(language: str, number: str, ahead: int) -> Iterator[str]:
    if not number:
        return
    guide, english = _guide(language), language == "en"
    yield f"{guide}:number"
    for character in number:
        digit = character.isdigit()
        yield (f"en:{character}" if english else _DIGITS[int(character)]) if digit else character.upper()
    if 0 <= ahead <= AHEAD_MAX:
        yield "，"
        if ahead == 0:
            yield f"{guide}:next"
        elif english:
            yield from (*_english(ahead), "guide-en:people")
        else:
            yield from ("guide:ahead", *_chinese(ahead), "guide:people")
    yield "。"


def _chinese(value: int) -> Iterator[str]:
    """1 to 999 of people: 两 for a lone two, 一百零五, 十二."""
    hundreds, rest = divmod(value, 100)
    tens, ones = divmod(rest, 10)
    if value == 2:
        yield "两"
        return
    if hundreds:
        yield from (_DIGITS[hundreds], "百")
    if tens > 1 or (tens and hundreds):
        yield _DIGITS[tens]
    if tens:
        yield "十"
    elif hundreds and ones:
        yield _DIGITS[0]
    if ones:
        yield _DIGITS[ones]


def _english(value: int) -> Iterator[str]:
    hundreds, rest = divmod(value, 100)
    if hundreds:
        yield from (f"en:{hundreds}", "en:hundred")
    if 0 < rest < _TEENS:
        yield f"en:{rest}"
    elif rest:
        yield f"en:{rest // 10}0"
        if rest % 10:
            yield f"en:{rest % 10}"
