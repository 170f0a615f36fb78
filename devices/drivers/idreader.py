"""The ID card reader of a kiosk or a guide's desk."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, assert_never

from devices.drivers.base import BusDriver, HealthChanged
from devices.framing.samv import SAMV, SamFrame
from devices.protocols.base import Ignored, Send
from devices.protocols.idcard import Card
from devices.protocols.samv import Mute, SamOutput, SamProtocol, SamSettings, Unread
from queue_server.wire.common import DeviceState


class IdReader(BusDriver[SamFrame]):
    """Each card that is laid on is given once to `read(reader, card)`; None when it cannot be read.

    What a card says goes to `read` and nowhere else: never into a log, a counter or an error.
    """

    kind = "id_reader"
    codec = SAMV
    babble_burst = 100
    babble_per_s = 50
    """It answers what it is asked; noise between cannot make more."""

    def __init__(
        self,
        device: str,
        settings: SamSettings,
        *,
        read: Callable[[IdReader, Card | None], None],
        health_changed: HealthChanged,
    ) -> None:
        super().__init__(device, 0, health_changed)
        self._protocol = SamProtocol(settings)
        self._read = read

    def understand(self, frame: SamFrame, now_ms: int) -> str:
        return self._carry_out(self._protocol.receive(frame, now_ms))

    def sent(self, send: Send[Any], now_ms: int) -> None:
        self._protocol.sent(now_ms)

    @property
    def wake_at_ms(self) -> int | None:
        return self._protocol.wake_at_ms

    def wake(self, now_ms: int) -> None:
        self._carry_out(self._protocol.wake(now_ms))

    def line_up(self, now_ms: int) -> None:
        super().line_up(now_ms)
        self._carry_out(self._protocol.line_up(now_ms))

    def _carry_out(self, outputs: Iterable[SamOutput]) -> str:
        trouble = ""
        for output in outputs:
            match output:
                case Send():
                    self.put([output])
                case Card():
                    self.health.counters["cards"] += 1
                    self._read(self, output)
                case Unread(reason):
                    self.health.counters["unread"] += 1
                    self.health.last_error = reason  # the card's fault, as a rule: the reader is not degraded by it
                    self._read(self, None)
                case Mute():
                    self.health.become(DeviceState.OFFLINE, "does not answer")
                case Ignored():
                    trouble = self.ignore(output)
                case _:
                    assert_never(output)
        return trouble
