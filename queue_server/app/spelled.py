"""Finding a document by the letters of its names' pinyin, typed from any syllable on."""

from bisect import bisect_right
from collections.abc import Sequence

from queue_server.app.pinyin import blur, spelling_of

# How well letters name that begin a name, or stand in it; the rest is for how much of it they are.
_BEGIN, _INSIDE, _INSIDE_MOST = 0.6, 0.5, 0.8


class SpelledIndex:
    """The pinyin of `names`; what is typed may end inside a syllable."""

    __slots__ = ("_lengths", "_starts", "_text")

    def __init__(self, names: Sequence[str]) -> None:
        spelled = [spelling_of(name) for name in names]
        self._lengths = [len(blur("".join(sounds))) for sounds in spelled]
        self._starts: list[int] = []
        parts: list[str] = []
        at = 0
        for sounds in spelled:
            self._starts.append(at)
            tails = "".join(f"|{blur(''.join(sounds[start:]))}" for start in range(len(sounds)))
            parts.append(tails)
            at += len(tails)
        self._text = "".join(parts)

    def search(self, asked: str) -> dict[int, float]:
        """Place of a name → 0 to 1."""
        letters = blur(asked)
        found: dict[int, float] = {}
        at = self._text.find(f"|{letters}")
        while at >= 0:
            n = bisect_right(self._starts, at) - 1
            share = len(letters) / self._lengths[n]
            whole = at == self._starts[n]
            score = _BEGIN + (1 - _BEGIN) * share if whole else _INSIDE + (_INSIDE_MOST - _INSIDE) * share
            found[n] = max(found.get(n, 0.0), score)
            at = self._text.find(f"|{letters}", at + 1)
        return found
