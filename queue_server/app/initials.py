"""Finding a document by initials: those of one of its names, or of several words in a row that are said of it."""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

import msgspec

# What a piece of a name counts by how many of its two ends are ends of words: one cut out of the middle is often chance.
_ENDS = (0.5, 0.75, 1.0)
# The same of the beginning of a word, which counts only where it is nothing else.
_BEGUN = 0.3
# The part of a piece's worth that does not depend on how few documents have it.
_COMMON = 0.5
# Each piece costs this many letters: one long piece is better evidence than two short ones.
_PIECE = 0.6
# How well words in a row name a document beside the initials of its own name.
_IN_A_ROW = 0.85
_LONGEST = 8
"""Letters of the longest piece."""
_MOST = 12
"""Letters that are read as words in a row."""


class Spelled(msgspec.Struct, frozen=True):
    """The initials of a name or word: `worth` 0 to 1 is how well it names, `cuts` where words in a name begin and end."""

    documents: tuple[int, ...]
    initials: str
    worth: float
    cuts: frozenset[int] = frozenset()


class InitialsIndex:
    """`names` are what documents are called, `words` what else is said of them; a document is a number below `documents`."""

    __slots__ = ("_names", "_next", "_pieces")

    def __init__(self, names: Sequence[Spelled], words: Sequence[Spelled], documents: int) -> None:
        self._names = names
        words = [word for word in words if word.documents]  # a small hall has no matter for most of them
        held: dict[str, dict[int, float]] = defaultdict(dict)
        whole = [*_pieces(names), *((word, word.initials, word.worth) for word in words if len(word.initials) > 1)]
        begun = [
            (word, word.initials[:end], word.worth * _BEGUN) for word in words for end in range(2, len(word.initials))
        ]
        known = {letters for _, letters, _ in whole}
        for spelled, letters, worth in (*whole, *(each for each in begun if each[1] not in known)):
            places = held[letters]
            for n in spelled.documents:
                if worth > places.get(n, 0.0):
                    places[n] = worth
        most = math.log1p(documents)
        self._pieces: dict[str, list[tuple[int, float]]] = {}
        self._next: dict[str, set[str]] = defaultdict(set)
        for letters, places in held.items():
            rare = _COMMON + (1 - _COMMON) * math.log1p(documents / len(places)) / most
            value = rare * (len(letters) - _PIECE)
            self._pieces[letters] = [(n, worth * value) for n, worth in places.items()]
            for at, letter in enumerate(letters):
                self._next[letters[:at]].add(letter)

    def names(self, asked: str) -> dict[int, float]:
        """Document → 0 to 1: how well `asked` fits the initials of its best name."""
        found: dict[int, float] = defaultdict(float)
        for name in self._names:
            if score := name.worth * _score(asked, name.initials):
                for n in name.documents:
                    found[n] = max(found[n], score)
        return found

    def in_a_row(self, asked: str) -> dict[int, float]:
        """Document → 0 to 1: how much of `asked` its pieces cover, none over another; what is between them is nobody's."""
        asked = asked[:_MOST]
        best: list[dict[int, float]] = [{}]
        for end in range(1, len(asked) + 1):
            now = dict(best[-1])
            for start in range(max(0, end - _LONGEST), end - 1):
                before = best[start]
                for n, value in self._pieces.get(asked[start:end], ()):
                    score = before.get(n, 0.0) + value
                    if score > now.get(n, 0.0):
                        now[n] = score
            best.append(now)
        whole = len(asked) - _PIECE
        return {n: _IN_A_ROW * score / whole for n, score in best[-1].items()}

    def letters(self, prefix: str) -> set[str]:
        """The letters that go on from `prefix`: in a piece that it begins, after pieces that it is made of."""
        reached = [True]
        for end in range(1, len(prefix) + 1):
            starts = range(max(0, end - _LONGEST), end - 1)
            reached.append(any(reached[start] and prefix[start:end] in self._pieces for start in starts))
        return set().union(*(self._next.get(prefix[at:], ()) for at, ends in enumerate(reached) if ends))


def _pieces(names: Iterable[Spelled]) -> Iterator[tuple[Spelled, str, float]]:
    """All parts of two letters or more of the names, with what they are worth."""
    for name in names:
        for start in range(len(name.initials) - 1):
            for end in range(start + 2, min(len(name.initials), start + _LONGEST) + 1):
                ends = (start in name.cuts) + (end in name.cuts)
                yield name, name.initials[start:end], name.worth * _ENDS[ends]


def _score(asked: str, initials: str) -> float:
    """1 when the same, less when they begin or end with, hold, or hold scattered what is asked."""
    share = len(asked) / max(len(initials), 1)
    if initials.startswith(asked) or initials.endswith(asked):
        return 0.6 + 0.4 * share
    if asked in initials:
        return 0.5 + 0.3 * share
    if len(asked) > 2:
        at = -1
        for letter in asked:
            at = initials.find(letter, at + 1)
            if at < 0:
                return 0.0
        return 0.25 + 0.3 * share
    return 0.0
