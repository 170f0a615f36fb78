"""How bright a board is by the time of day (UX W-07)."""

from __future__ import annotations

from typing import Final

from displays.byclock import ByClock, parse_by_clock

MOST_BRIGHT: Final = 15
"""As BX cards count it: 0 is darkest."""


def parse_dimming(text: str) -> ByClock:
    """`15`, or levels by the clock: `07:00=15 18:30=6`; ValueError says what is wrong."""
    return parse_by_clock(text, MOST_BRIGHT, f"brightness is 0 to {MOST_BRIGHT}, or by the clock: 07:00=15 18:30=6")
