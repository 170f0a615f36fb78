"""How long calls took from the press to their first sound: one line of the log each, and a histogram (UX V-07)."""

from typing import Final

import structlog
from prometheus_client import Histogram

log = structlog.get_logger()

BUCKETS_S: Final = (0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 7.5, 10.0, 15.0, 20.0, 30.0, 45.0)
"""With the bounds of V-07 among them: 1 s when nothing else was to be said, 15 s under load."""


class Delays:
    """From the committed event of a call, which a key on a slow line precedes, until a player says that it sounds."""

    def __init__(self) -> None:
        self.histogram = Histogram(
            "yichuang_call_to_sound_seconds",
            "From a call to its first sound (UX V-07), by whether its zone was idle when it came",
            ["idle"],
            buckets=BUCKETS_S,
            registry=None,
        )
        self._calls: dict[str, tuple[int, bool]] = {}

    def called(self, name: str, at: int, *, idle: bool) -> None:
        """A call that waits to be said since `at` (ms UTC); `idle` when nothing was said or waited in its zone."""
        self._calls[name] = at, idle

    def began(self, zone: str, names: tuple[str, ...], now: int) -> None:
        """These calls sound now; what is said again says nothing new."""
        for name in names:
            at, idle = self._calls.pop(name, (None, False))
            if at is None:
                continue
            self.histogram.labels("yes" if idle else "no").observe((now - at) / 1000)
            log.info("call sounds", zone=zone, call=name, delay_ms=now - at, idle=idle)

    def ended(self, name: str) -> None:
        """It is over, whether or not it was heard to begin."""
        self._calls.pop(name, None)
