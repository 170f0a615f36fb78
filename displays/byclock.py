"""Levels by the time of day, as hall files and device settings write them: a brightness, a volume."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

DAY_MIN: Final = 24 * 60
_STEP: Final = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)=(\d{1,3})")


@dataclass(frozen=True, slots=True)
class ByClock:
    """Levels, each from its minute of the day on; before the first one the last one's holds, since yesterday."""

    steps: tuple[tuple[int, int], ...]

    def at(self, minute: int) -> int:
        """The level at a minute of the day (0…1439)."""
        return next((level for begins, level in reversed(self.steps) if begins <= minute), self.steps[-1][1])

    def next_after(self, minute: int) -> int:
        """Minutes from this minute of the day until the next step, 1…1440."""
        return min((begins - minute - 1) % DAY_MIN + 1 for begins, _ in self.steps)


def parse_by_clock(text: str, most: int, rule: str) -> ByClock:
    """`15`, or levels by the clock: `07:00=15 18:30=6`, none above `most`; ValueError says what is wrong, and the `rule`."""
    words = text.replace(",", " ").split()
    if len(words) == 1 and words[0].isascii() and words[0].isdigit():
        words = [f"00:00={words[0]}"]
    steps: dict[int, int] = {}
    for word in words:
        found = _STEP.fullmatch(word)
        if found is None or int(found[3]) > most:
            raise ValueError(f"{word!r}: {rule}")
        minute = int(found[1]) * 60 + int(found[2])
        if minute in steps:
            raise ValueError(f"{word!r}: {found[1]}:{found[2]} is there twice; {rule}")
        steps[minute] = int(found[3])
    if not steps:
        raise ValueError(rule)
    return ByClock(tuple(sorted(steps.items())))
