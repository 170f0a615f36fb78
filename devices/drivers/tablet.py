"""The network rating tablet in front of a citizen."""

from __future__ import annotations

from typing import Any

from devices.drivers.base import HealthChanged
from devices.drivers.rating import RatingPad, Store
from devices.framing.tablets import S_TEXTS
from devices.protocols.base import Mute, Send
from devices.protocols.rating import RatingSettings
from devices.protocols.stablet import Network, STablet, TabletTimes
from queue_server.wire.common import DeviceState


class TabletPad(RatingPad):
    """A tablet of the S protocol: a rating pad that must be asked, and that says whether it lives."""

    lives = True
    babble_burst = 100
    babble_per_s = 50
    """It answers what it is asked."""

    def __init__(
        self,
        device: str,
        settings: RatingSettings,
        times: TabletTimes,
        network: Network,
        *,
        store: Store,
        health_changed: HealthChanged,
    ) -> None:
        self._talk = STablet(settings, times, network)
        super().__init__(
            device, 0, settings, store=store, health_changed=health_changed, codec=S_TEXTS, protocol=self._talk
        )

    def accepts(self, frame: Any) -> bool:
        return True

    def sent(self, send: Send[Any], now_ms: int) -> None:
        self._talk.sent(send.frame, now_ms)

    @property
    def wake_at_ms(self) -> int | None:
        return self._talk.wake_at_ms

    def wake(self, now_ms: int) -> None:
        for output in self._talk.wake(now_ms):
            match output:
                case Mute():
                    self.health.become(DeviceState.OFFLINE, "does not answer")
                case Send():
                    self.put([output])


class CallingPad(RatingPad):
    """A tablet that calls by itself: everything it says is for its one pad, and its call ends when it goes."""

    lives = True

    def accepts(self, frame: Any) -> bool:
        return True
