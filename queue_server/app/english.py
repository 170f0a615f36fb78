"""Finding a matter or bundle by words of its English name: whole words, beginnings, and the usual spellings."""

import math
import re
from collections import Counter
from collections.abc import Sequence

_WORD = re.compile(r"[a-z0-9]+")
_SAME = {"license": "licence", "center": "centre", "enrollment": "enrolment", "labor": "labour"}
_SMALL = frozenset(
    ("a", "an", "and", "for", "get", "how", "i", "in", "my", "need", "of", "on", "or", "the", "to", "want", "with")
)
_BEGUN = 0.8
"""How much the beginning of a word counts beside the whole."""
_BEGINS = 4
"""So many letters are a beginning where pinyin may be meant: shorter ones are syllables."""
_STEM, _AKIN = 6, 0.7
"""Words of one stem (register, registration) share so many letters, and count so much."""
_ASKED, _NAMED = 0.7, 0.3


class EnglishIndex:
    """English names by their place in the catalogue; "" for one without."""

    __slots__ = ("_idf", "_names")

    def __init__(self, names: Sequence[str]) -> None:
        self._names = [tuple(_words(name)) for name in names]
        counts = Counter(word for name in self._names for word in set(name))
        self._idf = {word: math.log(1 + len(names) / count) for word, count in counts.items()}

    def search(self, asked: str, *, typing: bool = False) -> dict[int, float]:
        """Place → 0 to 1 for every name that has all the words asked for; `typing`: the last one may just have begun."""
        words = _words(asked)
        if not words or not asked.isascii():
            return {}
        begins = 1 if typing else _BEGINS
        known = tuple(self._idf)
        if not all(self._best(word, known, begins) for word in words):
            return {}
        found = {}
        for place, name in enumerate(self._names):
            hits = [self._best(word, name, begins) for word in words]
            if name and all(hits):
                mass = sum(self._idf[word] for word in name)
                fit = sum(score * self._idf[word] for score, word in dict.fromkeys(filter(None, hits)))
                found[place] = _ASKED * sum(hit[0] for hit in hits if hit) / len(hits) + _NAMED * min(1.0, fit / mass)
        return found

    def letters(self, prefix: str) -> str:
        """The letters, sorted, that go on from `prefix` in some word of some name."""
        at = len(prefix)
        return "".join(
            sorted({word[at] for word in self._idf if word.startswith(prefix) and word[at : at + 1].isalpha()})
        )

    @staticmethod
    def _best(word: str, name: tuple[str, ...], begins: int) -> tuple[float, str] | None:
        """The word of a name that is meant, and how surely."""
        if word in name:
            return 1.0, word
        if len(word) < begins:
            return None
        begun = next(((_BEGUN, each) for each in name if each.startswith(word)), None)
        return begun or next(
            ((_AKIN, each) for each in name if len(word) > _STEM and each[:_STEM] == word[:_STEM]), None
        )


def _words(text: str) -> list[str]:
    """Lower case, British, without small words and plurals; a text of nothing else keeps them."""
    found = [_SAME.get(word, word) for word in _WORD.findall(text.lower().replace("'", ""))]
    return [_one(word) for word in found if word not in _SMALL] or found


def _one(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
