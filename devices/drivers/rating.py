"""The rating device in front of a citizen."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from devices.drivers.base import BusDriver, HealthChanged
from devices.framing.codec import AnyCodec
from devices.framing.ff68 import FF68
from devices.protocols.base import Ignored, Send
from devices.protocols.rating import Press, RatingProtocol, RatingSettings, RatingTalk
from devices.transport import Unavailable
from queue_server.wire.common import DeviceState

Store = Callable[["RatingPad", int, int], Awaitable[None]]
"""Given a pad, a level and how many ms ago it was pressed, 0 when it is offered for the first time; `Unavailable` refuses."""
KEPT_LIMIT: Final = 8
AGAIN_S: Final = 1.0
"""Presses that nobody repeats are offered to a store that refuses so often, and so many of them wait."""


class RatingPad(BusDriver[Any]):
    """Each press is given to `store`, which returns once it is durable; only then is it acknowledged.

    One that is refused is forgotten where the device repeats it, and offered again until it is stored where it does not.
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
        store: Store,
        health_changed: HealthChanged,
        codec: AnyCodec = FF68,
        protocol: RatingTalk[Any] | None = None,
    ) -> None:
        super().__init__(device, address, health_changed)
        self.codec = codec
        self._protocol = protocol or RatingProtocol(address, settings)
        self._store = store
        self._store_trouble = ""
        self._kept: set[int] = set()

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
                    self.line.spawn(self._keep(output, now_ms))
                case Ignored():
                    trouble = self.ignore(output)
        return trouble

    async def _keep(self, press: Press, pressed_ms: int) -> None:
        age_ms = 0
        while not await self._offer(press, age_ms):
            if self._protocol.repeats or len(self._kept | {press.token}) > KEPT_LIMIT:
                self.health.counters["presses_lost"] += not self._protocol.repeats
                self._protocol.lost(press.token)
                return
            self._kept.add(press.token)
            await asyncio.sleep(AGAIN_S)
            age_ms = self.line.now_ms() - pressed_ms
        self._kept.discard(press.token)
        self.put(self._protocol.stored(press.token))

    async def _offer(self, press: Press, age_ms: int) -> bool:
        """Whether it is stored."""
        try:
            await self._store(self, press.level, age_ms)
        except Unavailable as error:
            self._store_trouble = f"a press could not be stored: {error}"
            if self.line_is_up:
                self.health.become(DeviceState.DEGRADED, self._store_trouble)
            return False
        if self._store_trouble:
            self._store_trouble = ""
            if self.line_is_up:  # its line may have gone while the disk was at it
                self.health.become(DeviceState.ONLINE)
        return True

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
