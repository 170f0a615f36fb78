"""The barcode scanner, or card reader that types, of a kiosk or a desk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from devices.drivers.base import HealthChanged, TalkingDriver
from devices.framing.codec import AnyCodec
from devices.protocols.base import Send
from devices.protocols.scans import Code, GmScanner, ScanTalk
from queue_server.wire.common import DeviceState


class Scanner(TalkingDriver[Any]):
    """Each code is given once to `scanned(scanner, text)` and nowhere else: it may name a person."""

    kind = "scanner"
    codec: AnyCodec
    babble_burst = 10_000
    babble_per_s = 5_000
    """Text comes in pieces as small as a byte, keys with several events each."""

    def __init__(
        self,
        device: str,
        codec: AnyCodec,
        talk: ScanTalk,
        *,
        scanned: Callable[[Scanner, str], None],
        health_changed: HealthChanged,
    ) -> None:
        super().__init__(device, 0, health_changed)
        self.codec = codec
        self.talk: ScanTalk = talk
        self._scanned = scanned

    def trigger(self) -> None:
        """Have a module in command mode read one code; the others read by themselves."""
        if isinstance(self.talk, GmScanner):
            self.carry_out(self.talk.trigger())

    def sent(self, send: Send[Any], now_ms: int) -> None:
        self.talk.sent(now_ms)

    def wake(self, now_ms: int) -> None:
        trouble = self.carry_out(self.talk.wake(now_ms))
        if trouble and self.line_is_up:  # else it is gone: half a code that was cut off with its line is no news
            self.health.become(DeviceState.DEGRADED, trouble)

    def heard(self, output: Code) -> None:
        self.health.counters["codes"] += 1
        self.health.become(DeviceState.ONLINE)
        self._scanned(self, output.text)
