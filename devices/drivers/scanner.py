"""The barcode scanner, or card reader that types, of a kiosk or a desk."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, assert_never

from devices.drivers.base import BusDriver, HealthChanged
from devices.framing.codec import AnyCodec
from devices.protocols.base import Ignored, Send
from devices.protocols.scans import Code, GmScanner, Mute, ScanOutput, ScanTalk
from queue_server.wire.common import DeviceState


class Scanner(BusDriver[Any]):
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
        self._talk = talk
        self._scanned = scanned

    def trigger(self) -> None:
        """Have a module in command mode read one code; the others read by themselves."""
        if isinstance(self._talk, GmScanner):
            self._carry_out(self._talk.trigger())

    def understand(self, frame: Any, now_ms: int) -> str:
        return self._carry_out(self._talk.receive(frame, now_ms))

    def sent(self, send: Send[Any], now_ms: int) -> None:
        self._talk.sent(now_ms)

    @property
    def wake_at_ms(self) -> int | None:
        return self._talk.wake_at_ms

    def wake(self, now_ms: int) -> None:
        if trouble := self._carry_out(self._talk.wake(now_ms)):
            self.health.become(DeviceState.DEGRADED, trouble)

    def line_up(self, now_ms: int) -> None:
        super().line_up(now_ms)
        self._carry_out(self._talk.line_up(now_ms))

    def _carry_out(self, outputs: Iterable[ScanOutput]) -> str:
        trouble = ""
        for output in outputs:
            match output:
                case Send():
                    self.put([output])
                case Code(text):
                    self.health.counters["codes"] += 1
                    self.health.become(DeviceState.ONLINE)
                    self._scanned(self, text)
                case Mute():
                    self.health.become(DeviceState.OFFLINE, "does not answer")
                case Ignored():
                    trouble = self.ignore(output)
                case _:
                    assert_never(output)
        return trouble
