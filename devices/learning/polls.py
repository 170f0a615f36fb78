"""What the old system says by itself, so that it is taken neither for a press nor for the answer to one."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from devices.learning.shapes import OFTEN_MS, Unknown

SELDOM_MS: Final = 15_000
"""A burst that the old system sends by itself comes at least so often."""
MOMENTS: Final = 4
"""At which something new must have come, to be taken for what it says by itself."""
_SHORTEST: Final = 3


@dataclass(slots=True)
class Polls:
    """Look before each question; knows nothing before."""

    unknown: Unknown = field(default_factory=Unknown)
    _before: set[bytes] | None = None
    _always: set[bytes] = field(default_factory=set)
    _often: set[bytes] = field(default_factory=set)

    def look(self, unknown: Unknown) -> None:
        """Take in what was heard up to now; what came before the first question need not have come as often."""
        self.unknown = unknown
        if self._before is None:
            self._before = {chunk.raw for chunk in unknown if chunk.polled(SELDOM_MS)}
            self._always = {chunk.raw for chunk in unknown if chunk.polled(OFTEN_MS)}
        self._often |= {chunk.raw for chunk in unknown if chunk.polled(OFTEN_MS, MOMENTS)}

    def always(self, raw: bytes) -> bool:
        """Whether it came all the time before anything was asked: then it answers no press."""
        return raw in self._always

    def never(self, raw: bytes) -> bool:
        """Whether it is certainly no press."""
        if raw in self._often or raw in (self._before or ()):
            return True
        chunk = self.unknown.find(raw)
        return chunk is not None and chunk.polled(OFTEN_MS, MOMENTS)

    def parts(self, raw: bytes) -> list[bytes]:
        """A burst in pieces: what comes all the time by itself, and an echo apart from what it echoes.

        Adapters and gateways hand over together what came with a short silence between.
        """
        pieces = [raw]
        for known in sorted(self._often, key=len, reverse=True) if raw not in self._often else ():
            if len(known) >= _SHORTEST:
                cut = re.compile(b"(" + re.escape(known) + b")")
                pieces = [p for piece in pieces for p in ([piece] if piece in self._often else cut.split(piece)) if p]
        found: list[bytes] = []
        for piece in pieces:
            one, two = piece[: len(piece) // 2], piece[len(piece) // 2 :]
            found += [one, two] if one == two else [piece]
        return found
