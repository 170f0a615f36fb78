"""The hall's time: the monotonic clock between anchors to the wall, never going back (law 2)."""

import time
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

DRIFT_ALLOWED_MS = 2_000


class Clock:
    """Milliseconds UTC that never decrease.

    A wall clock that jumps during the day is not followed: `drift_ms` tells how far it is away, and `anchor` follows it
    when the hall is closed. Time never stands still either, for what waits 45 s must not wait an hour: while the wall is
    behind what has already happened, this clock goes at half speed until the wall has caught up.
    """

    def __init__(self, timezone: str) -> None:
        self.zone = ZoneInfo(timezone)
        self._last = 0
        self._slow_from, self._slow_since = 0, time.monotonic_ns()
        self.anchor()

    def anchor(self) -> None:
        """Take the wall clock's word; time still never goes back."""
        if self._last:
            self._slow_from, self._slow_since = self.now(), time.monotonic_ns()
        self._offset = time.time_ns() - time.monotonic_ns()

    def now(self) -> int:
        """Milliseconds UTC."""
        monotonic = time.monotonic_ns()
        fast = (monotonic + self._offset) // 1_000_000
        slow = self._slow_from + (monotonic - self._slow_since) // 2_000_000
        self._last = max(self._last, fast, slow)
        return self._last

    def at_least(self, at: int) -> None:
        """Never before `at` (ms UTC): what the journal has seen has happened."""
        if at > self.now():
            self._last, self._slow_from, self._slow_since = at, at, time.monotonic_ns()

    def drift_ms(self) -> int:
        """How far the wall clock is ahead of this one."""
        return time.time_ns() // 1_000_000 - self.now()

    def local(self, at: int) -> datetime:
        """Local time of ms UTC."""
        return datetime.fromtimestamp(at / 1000, self.zone)

    def midnight(self, day: str) -> int:
        """When the local day YYYY-MM-DD begins, ms UTC."""
        return round(datetime.fromisoformat(day).replace(tzinfo=self.zone).timestamp() * 1000)

    def minute(self, at: int) -> int:
        """Minutes of the local day."""
        return _local(self.zone, at // 60_000)[0]

    def hour_minute(self, at: int) -> str:
        """Local time of ms UTC as HH:MM."""
        return _local(self.zone, at // 60_000)[1]


@lru_cache(2048)
def _local(zone: ZoneInfo, minute: int) -> tuple[int, str]:
    """A minute UTC as minutes of the local day and as HH:MM: a day has 1,440. No zone in use has seconds."""
    local = datetime.fromtimestamp(minute * 60, zone)
    return local.hour * 60 + local.minute, f"{local:%H:%M}"
