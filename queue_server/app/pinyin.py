"""How Chinese text sounds and how that is typed: syllables without tones, their first letters, and how typing goes on."""

import re
from collections import defaultdict
from collections.abc import Container
from functools import lru_cache

from pypinyin import lazy_pinyin

# What may follow what in a syllable of Mandarin, as it is typed (ü is v, or u as most people write it).
_FINALS = {
    "": "a ai an ang ao e ei en eng er o ou",
    "b": "a ai an ang ao ei en eng i ian iao ie in ing o u",
    "p": "a ai an ang ao ei en eng i ian iao ie in ing o ou u",
    "m": "a ai an ang ao e ei en eng i ian iao ie in ing iu o ou u",
    "f": "a an ang ei en eng o ou u",
    "d": "a ai an ang ao e ei en eng i ia ian iao ie ing iu ong ou u uan ui un uo",
    "t": "a ai an ang ao e eng i ian iao ie ing ong ou u uan ui un uo",
    "n": "a ai an ang ao e ei en eng i ian iang iao ie in ing iu ong ou u uan ue uo v ve",
    "l": "a ai an ang ao e ei eng i ia ian iang iao ie in ing iu o ong ou u uan ue un uo v ve",
    "g": "a ai an ang ao e ei en eng ong ou u ua uai uan uang ui un uo",
    "k": "a ai an ang ao e ei en eng ong ou u ua uai uan uang ui un uo",
    "h": "a ai an ang ao e ei en eng ong ou u ua uai uan uang ui un uo",
    "j": "i ia ian iang iao ie in ing iong iu u uan ue un",
    "q": "i ia ian iang iao ie in ing iong iu u uan ue un",
    "x": "i ia ian iang iao ie in ing iong iu u uan ue un",
    "zh": "a ai an ang ao e ei en eng i ong ou u ua uai uan uang ui un uo",
    "ch": "a ai an ang ao e en eng i ong ou u ua uai uan uang ui un uo",
    "sh": "a ai an ang ao e ei en eng i ou u ua uai uan uang ui un uo",
    "r": "an ang ao e en eng i ong ou u ua uan ui un uo",
    "z": "a ai an ang ao e ei en eng i ong ou u uan ui un uo",
    "c": "a ai an ang ao e en eng i ong ou u uan ui un uo",
    "s": "a ai an ang ao e en eng i ong ou u uan ui un uo",
    "y": "a an ang ao e i in ing o ong ou u uan ue un",
    "w": "a ai an ang ei en eng o u",
}
SYLLABLES = frozenset(initial + final for initial, finals in _FINALS.items() for final in finals.split())
_LONGEST = max(map(len, SYLLABLES))
# What Henan speech blurs, and ü, which is typed as v or u: the same on both sides of a comparison.
_FUZZY = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("ang", "an"), ("eng", "en"), ("ing", "in"), ("v", "u"))
# What a syllable costs that stands in the catalogue behind the one before it, beside 1 for another; and what one costs more
# that begins with a vowel: without an apostrophe a consonant belongs to what follows.
_TOGETHER, _VOWEL = 0.1, 0.5
_WAYS = 2
"""Readings as syllables that are tried."""

_ASIDE = re.compile(r"[（(《》)）、，。/“”‘’：；！？!?,.\s×·-]+")
_NUMBER = re.compile(r"[0-9]+")
_DIGITS = "零一二三四五六七八九"


def plain(text: str) -> str:
    """Lower case, no punctuation, numbers as they are read."""
    return _NUMBER.sub(lambda found: _read(found[0]), _ASIDE.sub("", text.lower()))


def _read(number: str) -> str:
    """10 to 99 as a number, others digit by digit."""
    if len(number) != 2 or number[0] == "0":
        return "".join(_DIGITS[int(digit)] for digit in number)
    tens, ones = int(number[0]), int(number[1])
    return ("" if tens == 1 else _DIGITS[tens]) + "十" + (_DIGITS[ones] if ones else "")


@lru_cache(maxsize=8192)
def spelling_of(text: str) -> tuple[str, ...]:
    """One syllable a character, without tone, ü as v; other characters stand for themselves."""
    # A list of its own for a run that is not Chinese: the stub of pypinyin knows only the string.
    return tuple(lazy_pinyin(text, errors=list))  # type: ignore[arg-type]


@lru_cache(maxsize=8192)
def sounds_of(text: str) -> tuple[str, ...]:
    """The same as Henan speech may blur it."""
    return tuple(map(blur, spelling_of(text)))


def initials_of(text: str) -> str:
    """The first letters of a text's syllables; what is neither a character nor a letter is left out."""
    return "".join(sound[0] for sound in spelling_of(plain(text)) if "a" <= sound[0] <= "z")


@lru_cache(maxsize=8192)
def blur(letters: str) -> str:
    for sharp, flat in _FUZZY:
        letters = letters.replace(sharp, flat)
    return letters


def cut(letters: str, together: Container[str]) -> tuple[list[tuple[str, ...]], str]:
    """The ways to read what is typed as syllables, the best first, and what at its end only begins one.

    The best has the fewest syllables, none that begins with a vowel, and those that stand `together` in the catalogue
    (as "~dan an", blurred): dang an, but yi yuan. There are others when they are hardly longer; none when it is no pinyin.
    """
    # By the last syllable of what is read so far: cost of the best way there, and that way.
    best: list[dict[str, tuple[float, tuple[str, ...]]]] = [{"": (0.0, ())}]
    for end in range(1, len(letters) + 1):
        here: dict[str, tuple[float, tuple[str, ...]]] = {}
        for start in range(max(0, end - _LONGEST), end):
            sound = letters[start:end]
            if sound not in SYLLABLES:
                continue
            alone = 1 + (_VOWEL if start and sound[0] in "aeo" else 0.0)
            for last, (cost, way) in best[start].items():
                now = cost + (_TOGETHER if f"~{blur(last)} {blur(sound)}" in together else alone)
                if sound not in here or now < here[sound][0]:
                    here[sound] = now, (*way, sound)
        best.append(here)
    for end in range(len(letters), 0, -1):
        if best[end] and (end == len(letters) or letters[end:] in _BEGINNINGS):
            ways = sorted(best[end].values())[:_WAYS]
            return [way for cost, way in ways if cost <= ways[0][0] + 1], letters[end:]
    return [], ""


def goes_on(typed: str) -> set[str]:
    """The letters that may follow what is typed when it is to be syllables; none when it is none already."""
    reached = [True]
    for end in range(1, len(typed) + 1):
        starts = range(max(0, end - _LONGEST), end)
        reached.append(any(reached[start] and typed[start:end] in SYLLABLES for start in starts))
    starts = range(max(0, len(typed) - _LONGEST), len(typed) + 1)
    return set().union(*(_NEXT.get(typed[start:], ()) for start in starts if reached[start]))


def _next() -> dict[str, set[str]]:
    following: dict[str, set[str]] = defaultdict(set)
    for syllable in SYLLABLES:
        for at, letter in enumerate(syllable):
            following[syllable[:at]].add(letter)
    return dict(following)


_NEXT = _next()
_BEGINNINGS = frozenset(_NEXT)
