"""The ID card reader of a kiosk or a guide's desk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, assert_never

from devices.drivers.base import HealthChanged, TalkingDriver
from devices.framing.samv import SAMV, SamFrame
from devices.protocols.base import Send
from devices.protocols.idcard import Card
from devices.protocols.samv import SamProtocol, SamSettings, Unread


class IdReader(TalkingDriver[SamFrame]):
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
        self.talk: SamProtocol = SamProtocol(settings)
        self._read = read

    def sent(self, send: Send[Any], now_ms: int) -> None:
        self.talk.sent(now_ms)

    def heard(self, output: Card | Unread) -> None:
        match output:
            case Card():
                self.health.counters["cards"] += 1
                self._read(self, output)
            case Unread(reason):
                self.health.counters["unread"] += 1
                self.health.last_error = reason  # the card's fault, as a rule: the reader is not degraded by it
                self._read(self, None)
            case _:
                assert_never(output)
