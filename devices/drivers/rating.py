"""The rating device in front of a citizen."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from devices.drivers.base import BusDriver, HealthChanged
from devices.framing.ff68 import FF68, Ff68Frame
from devices.protocols.base import Ignored, Send
from devices.protocols.rating import RATED, Press, RatingProtocol, RatingSettings
from devices.transport import Unavailable
from queue_server.wire.common import DeviceState


class RatingPad(BusDriver[Ff68Frame]):
    """Each press is given to `store(pad, level)`, which returns once it is durable; only then is it acknowledged."""

    kind = "rating_pad"
    codec = FF68

    def __init__(
        self,
        device: str,
        address: int,
        settings: RatingSettings,
        *,
        store: Callable[[RatingPad, int], Awaitable[None]],
        health_changed: HealthChanged,
    ) -> None:
        super().__init__(device, address, health_changed)
        self._protocol = RatingProtocol(address, settings)
        self._store = store
        self._store_trouble = ""

    def accepts(self, frame: Ff68Frame) -> bool:
        return frame.function == RATED

    def understand(self, frame: Ff68Frame, now_ms: int) -> str:
        trouble = self._store_trouble
        for output in self._protocol.receive(frame, now_ms):
            match output:
                case Send():
                    self.put([output])
                case Press():
                    self.health.counters["presses"] += 1
                    self.line.spawn(self._keep(output))
                case Ignored():
                    trouble = self.ignore(output)
        return trouble

    async def _keep(self, press: Press) -> None:
        try:
            await self._store(self, press.level)
        except Unavailable as error:
            self._protocol.lost(press.token)
            self._store_trouble = f"a press could not be stored: {error}"
            self.health.become(DeviceState.DEGRADED, self._store_trouble)
            return
        if self._store_trouble:
            self._store_trouble = ""
            self.health.become(DeviceState.ONLINE)
        self.put(self._protocol.stored(press.token))

    def invite(self, for_ms: int) -> None:
        """Ask for a rating of a new service; asked again when the line comes back within `for_ms`."""
        self.health.counters["invitations"] += 1
        self.put(self._protocol.invite(self.line.now_ms() + for_ms))

    def line_up(self, now_ms: int) -> None:
        super().line_up(now_ms)
        self.put(self._protocol.line_up(now_ms))

    def show_stars(self, stars: int) -> None:
        """Show the clerk's star level, 0…5."""
        self.put(self._protocol.show_stars(stars))
