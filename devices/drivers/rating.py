"""The rating device in front of a citizen."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from devices.drivers.base import BusDriver, HealthChanged
from devices.framing.codec import AnyCodec
from devices.framing.ff68 import FF68
from devices.protocols.base import Ignored, Send
from devices.protocols.rating import Press, RatingProtocol, RatingSettings, RatingTalk
from devices.transport import Unavailable
from queue_server.wire.common import DeviceState


class RatingPad(BusDriver[Any]):
    """Each press is given to `store(pad, level)`, which returns once it is durable; only then is it acknowledged.

    Speaks FF68 unless given another `codec` and `protocol`.
    """

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
        codec: AnyCodec = FF68,
        protocol: RatingTalk[Any] | None = None,
    ) -> None:
        super().__init__(device, address, health_changed)
        self.codec = codec
        self._protocol = protocol or RatingProtocol(address, settings)
        self._store = store
        self._store_trouble = ""

    def accepts(self, frame: Any) -> bool:
        return self._protocol.key(frame) is not None

    def understand(self, frame: Any, now_ms: int) -> str:
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
            if self.line_is_up:
                self.health.become(DeviceState.DEGRADED, self._store_trouble)
            return
        if self._store_trouble:
            self._store_trouble = ""
            if self.line_is_up:  # its line may have gone while the disk was at it
                self.health.become(DeviceState.ONLINE)
        self.put(self._protocol.stored(press.token))

    def invite(self, for_ms: int) -> None:
        """Ask for a rating of a new service; asked again when the line comes back within `for_ms`."""
        self.health.counters["invitations"] += 1
        self.put(self._protocol.invite(self.line.now_ms() + for_ms))

    def was_away(self, for_ms: int) -> None:
        self._protocol.skip(for_ms)

    def line_up(self, now_ms: int) -> None:
        super().line_up(now_ms)
        self.put(self._protocol.line_up(now_ms))

    def show_stars(self, stars: int) -> None:
        """Show the clerk's star level, 0…5."""
        self.put(self._protocol.show_stars(stars))
