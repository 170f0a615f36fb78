"""Finding a document by initials: those of one of its names, or of several words in a row that are said of it."""

import math
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec

# What a piece of a name counts by how many of its two ends are ends of words: one cut out of the middle is often chance.
_ENDS = (0.3, 0.6, 1.0)
# The same of the beginning of a word, which counts only where it is nothing else.
_BEGUN = 0.3
# The part of a piece's worth that does not depend on how few documents have it.
_COMMON = 0.7
# Each piece costs this many letters: one long piece is better evidence than two short ones.
_PIECE = 0.3
# How well words in a row name a document beside the initials of its own name.
_IN_A_ROW = 1.0
_LONGEST = 8
"""Letters of the longest piece."""

_NO_INITIALS = frozenset("iuv")
"""Letters that no syllable begins with: they stand inside names only, as in KTV."""

Said = Iterable[tuple[Sequence[int], float]]
"""Documents, and how well a word names them."""


class Named(msgspec.Struct, frozen=True):
    """The initials of a name: `worth` 0 to 1 is how well it names, `cuts` where words in it begin and end."""

    documents: tuple[int, ...]
    initials: str
    worth: float
    cuts: frozenset[int]


class InitialsIndex:
    """`names` are what documents are called, `words` (by initials) what else is said of them, as `said` tells.

    Made in no time: what a piece of two to eight letters stands for is looked up when it is typed first, and kept.
    """

    __slots__ = (
        "_documents",
        "_following",
        "_letters",
        "_names",
        "_pieces",
        "_said",
        "_spelled",
        "_starts",
        "_text",
        "_words",
    )

    def __init__(
        self, names: Sequence[Named], words: dict[str, list[str]], said: Callable[[str], Said], documents: int
    ) -> None:
        self._names, self._words, self._said, self._documents = names, words, said, documents
        self._letters = [frozenset(name.initials) for name in names]
        self._spelled = sorted(words)
        self._starts: list[int] = []
        at = 0
        for name in names:
            self._starts.append(at)
            at += len(name.initials) + 1
        self._text = "|".join(name.initials for name in names)
        # Only what the catalogue has is kept: never more than its pieces.
        self._pieces: dict[str, list[tuple[int, float]]] = {}
        self._following: dict[str, set[str]] = {}

    def names(self, asked: str) -> dict[int, float]:
        """Document → 0 to 1: how well `asked` fits the initials of its best name."""
        found: dict[int, float] = defaultdict(float)
        letters = set(asked)
        for name, theirs in zip(self._names, self._letters, strict=True):
            if letters <= theirs and (score := name.worth * _score(asked, name.initials)):
                for n in name.documents:
                    found[n] = max(found[n], score)
        return found

    def in_a_row(self, asked: str) -> dict[int, float]:
        """Document → 0 to 1: how much of `asked` its pieces cover, none over another; what is between them is nobody's."""
        best: list[dict[int, float]] = [{}]
        for end in range(1, len(asked) + 1):
            now = dict(best[-1])
            for start in range(max(0, end - _LONGEST), end - 1):
                before = best[start]
                for n, value in self._piece(asked[start:end]):
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
            reached.append(any(reached[start] and self._piece(prefix[start:end]) for start in starts))
        tails = range(max(0, len(prefix) - _LONGEST + 1), len(prefix) + 1)
        return set().union(*(self._next(prefix[at:]) for at in tails if reached[at]))

    def _piece(self, letters: str) -> list[tuple[int, float]]:
        """The documents of a piece, each with its value; those that a word begins with it has only for want of others."""
        if letters in self._pieces:
            return self._pieces[letters]
        places: dict[int, float] = {}
        for at in _places(self._text, letters):
            n = bisect_right(self._starts, at) - 1
            name, start = self._names[n], at - self._starts[n]
            _most(
                places, name.documents, name.worth * _ENDS[(start in name.cuts) + (start + len(letters) in name.cuts)]
            )
        for word in self._words.get(letters, ()):
            for documents, worth in self._said(word):
                _most(places, documents, worth)
        if not places:
            for spelled in self._begun(letters):
                for word in self._words[spelled]:
                    for documents, worth in self._said(word):
                        _most(places, documents, worth * _BEGUN)
        if not places:
            return []
        rare = _COMMON + (1 - _COMMON) * math.log1p(self._documents / len(places)) / math.log1p(self._documents)
        value = rare * (len(letters) - _PIECE)
        return self._pieces.setdefault(letters, [(n, worth * value) for n, worth in places.items()])

    def _next(self, tail: str) -> set[str]:
        """The letters after `tail` in a name or a word."""
        if tail in self._following:
            return self._following[tail]
        found = {self._text[at + len(tail) : at + len(tail) + 1] for at in _places(self._text, tail)} - {"|", ""}
        found |= {spelled[len(tail)] for spelled in self._begun(tail) if len(spelled) > len(tail)}
        if not tail:
            found -= _NO_INITIALS
        return self._following.setdefault(tail, found) if found else found

    def _begun(self, letters: str) -> Iterable[str]:
        """The initials of words that begin so."""
        start = bisect_left(self._spelled, letters)
        return self._spelled[start : bisect_left(self._spelled, letters + "{")]  # "{" comes after "z"


def _places(text: str, part: str) -> Iterator[int]:
    at = text.find(part)
    while at >= 0:
        yield at
        at = text.find(part, at + 1)


def _most(places: dict[int, float], documents: Iterable[int], worth: float) -> None:
    for n in documents:
        if worth > places.get(n, 0.0):
            places[n] = worth


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
