"""How bright a board is by the time of day (UX W-07)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

MOST_BRIGHT: Final = 15
"""As BX cards count it: 0 is darkest."""
DAY_MIN: Final = 24 * 60
_STEP: Final = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)=(\d{1,2})")


@dataclass(frozen=True, slots=True)
class Dimming:
    """Levels 0…15, each from its minute of the day on; before the first one the last one's holds, since yesterday."""

    steps: tuple[tuple[int, int], ...]

    def at(self, minute: int) -> int:
        """The level at a minute of the day (0…1439)."""
        return next((level for begins, level in reversed(self.steps) if begins <= minute), self.steps[-1][1])

    def next_after(self, minute: int) -> int:
        """Minutes from this minute of the day until the next step, 1…1440."""
        return min((begins - minute - 1) % DAY_MIN + 1 for begins, _ in self.steps)


def parse_dimming(text: str) -> Dimming:
    """`15`, or levels by the clock: `07:00=15 18:30=6`; ValueError says what is wrong."""
    words = text.replace(",", " ").split()
    if len(words) == 1 and words[0].isdigit():
        words = [f"00:00={words[0]}"]
    steps: dict[int, int] = {}
    for word in words:
        found = _STEP.fullmatch(word)
        if found is None or int(found[3]) > MOST_BRIGHT:
            raise ValueError(f"{word!r}: brightness is 0 to {MOST_BRIGHT}, or by the clock: 07:00=15 18:30=6")
        minute = int(found[1]) * 60 + int(found[2])
        if minute in steps:
            raise ValueError(f"{word!r}: there is a brightness for {found[1]}:{found[2]} already")
        steps[minute] = int(found[3])
    if not steps:
        raise ValueError(f"brightness is 0 to {MOST_BRIGHT}, or by the clock: 07:00=15 18:30=6")
    return Dimming(tuple(sorted(steps.items())))
