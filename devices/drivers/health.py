"""What is known about a device's health."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import structlog

from queue_server.wire.common import DeviceState

_log = structlog.get_logger("devices")


class Health:
    """One device's state (unknown: no sign of life yet, and none due), last sign of life, last error and counters.

    `changed` is called when the state moves.
    """

    def __init__(self, device: str, changed: Callable[[], None]) -> None:
        self.device = device
        self.state = DeviceState.UNKNOWN
        self.last_seen_ms: int | None = None
        self.last_error = ""
        self.counters: Counter[str] = Counter()
        self._changed = changed

    def become(self, state: DeviceState, error: str = "") -> None:
        """Move to `state`, telling and logging it once; an `error` of the same state is remembered."""
        if error:
            self.last_error = error
        if state is self.state:
            return
        before, self.state = self.state, state
        say = _log.warning if state in (DeviceState.OFFLINE, DeviceState.DEGRADED) else _log.info
        say("device_state", device=self.device, state=str(state), before=str(before), error=error)
        self._changed()
