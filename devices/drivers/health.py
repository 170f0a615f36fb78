"""What is known about a device's health."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Final

import structlog

from queue_server.wire.common import DeviceState, PrinterState

RESTLESS_MS: Final = 60_000
RESTLESS_FALLS: Final = 4
"""A device that falls back so soon after it was told to be better, so many times in a row, is restless."""
HOLD_FIRST_MS: Final = 10_000
HOLD_LIMIT_MS: Final = 60_000
"""So long a restless device must stay better before that is told: twice as long each time, up to the limit."""
_STATES: Final = (DeviceState.OFFLINE, DeviceState.UNKNOWN, DeviceState.DEGRADED, DeviceState.ONLINE)
_PRINTER_STATES: Final = (
    *(PrinterState.OFFLINE, PrinterState.JAM, PrinterState.COVER, PrinterState.OUT),
    *(PrinterState.UNREADABLE, PrinterState.NEAR_END, PrinterState.OK),
)
"""From the worst to the best."""

Told = tuple[DeviceState, PrinterState | None]
"""What is told of a device: of a printer its paper too."""

_log = structlog.get_logger("devices")


class Health:
    """One device's state (unknown: no sign of life yet, and none due), last sign of life, last frame to it, last error and counters.

    `changed` is called when the state moves. `settle` says what is told of it: a change for the worse at once, one for the
    better at once too, unless the device is restless (docs/devices/health.md).
    """

    def __init__(self, device: str, changed: Callable[[], None]) -> None:
        self.device = device
        self.state = DeviceState.UNKNOWN
        self.last_seen_ms: int | None = None
        self.last_sent_ms: int | None = None
        self.last_error = ""
        self.counters: Counter[str] = Counter()
        self._changed = changed
        self._itself = self.state
        self._broken: dict[str, str] = {}
        """What could not be done when it was last asked of the device, by what was asked, and why."""
        self.told: Told | None = None
        """What was told last."""
        self.settles_at_ms: int | None = None
        """When `settle` is due again, if nothing changes before."""
        self._told_better_ms: int | None = None  # until the next change for the worse
        self._better_ms: int | None = None
        self._falls = 0  # how often in a row it fell back soon
        self._hold_ms = 0

    def become(self, state: DeviceState, error: str = "") -> None:
        """Move to `state`, and say so once; an `error` of the same state is remembered."""
        if error:
            self.last_error = error
        self._itself = state
        self._move()

    def broke(self, asked: str, reason: str) -> bool:
        """A mistake of ours, or a wrong setting, ended what was asked: not in order until that works; whether this is news."""
        news = self._broken.get(asked) != reason
        self._broken[asked] = self.last_error = reason
        self._move()
        return news

    def worked(self, asked: str) -> None:
        """What was asked was done."""
        if self._broken.pop(asked, None) is not None:
            self._move()

    def _move(self) -> None:
        state = self._itself
        if self._broken and state in (DeviceState.UNKNOWN, DeviceState.ONLINE):
            state, self.last_error = DeviceState.DEGRADED, next(reversed(self._broken.values()))
        if state is not self.state:
            self.state = state
            self._changed()

    def settle(self, printer: PrinterState | None, now_ms: int) -> bool:
        """Whether something else is to be told from now on, as `told` then says; one log line each time."""
        now, before = (self.state, printer), self.told
        self.settles_at_ms = None
        if now == before:
            self._better_ms = None
            return False
        if before is not None and _rank(now) > _rank(before):
            if self._better_ms is None:
                self._better_ms = now_ms
            if now_ms < self._better_ms + self._hold_ms:
                self.settles_at_ms = self._better_ms + self._hold_ms
                return False
            self._told_better_ms = now_ms
        elif self._told_better_ms is not None:
            self._falls = self._falls + 1 if now_ms - self._told_better_ms < RESTLESS_MS else 0
            more = self._falls - RESTLESS_FALLS
            self._hold_ms = min(HOLD_FIRST_MS << min(more, 8), HOLD_LIMIT_MS) if more >= 0 else 0
            self._told_better_ms = None
        self._better_ms, self.told = None, now
        say = _log.warning if self.state in (DeviceState.OFFLINE, DeviceState.DEGRADED) else _log.info
        names = {"state": str(self.state), "before": str(before[0]) if before else ""}
        if printer is not None:
            names["printer"] = str(printer)
        say("device_state", device=self.device, **names, error=self.last_error)
        return True


def _rank(told: Told) -> tuple[int, int]:
    state, printer = told
    return _STATES.index(state), 0 if printer is None else _PRINTER_STATES.index(printer)
