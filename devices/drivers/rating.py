"""The rating device in front of a citizen."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar, Final

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
UNANSWERED: Final = 10
"""So many invitations in a row without a press, and nothing is known of a device that is only heard when pressed. Where one
citizen in three rates, chance does this to a device in order once in sixty times, and all it costs is the word "unknown"."""
NIGHT_MS: Final = 12 * 3600 * 1000
"""So long without a word, and its use says nothing of it any more: longer than a window rests in a day, shorter than a night."""


class RatingPad(BusDriver[Any]):
    """Each press is given to `store`, which returns once it is durable; only then is it acknowledged.

    One that is refused is forgotten where the device repeats it, and offered again until it is stored where it does not.
    Speaks FF68 unless given another `codec` and `protocol`. A device that says nothing unless it is pressed (not `lives`) may
    have been unplugged since: after `UNANSWERED` invitations or `NIGHT_MS` it is unknown again, and is asked all the same.
    """

    kind = "rating_pad"
    codec = FF68
    lives: ClassVar[bool] = False
    """Whether it is heard, or its line ends, without anybody pressing."""

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
        self._proven = False
        self._unanswered = 0

    def accepts(self, frame: Any) -> bool:
        return self._protocol.key(frame) is not None

    def understand(self, frame: Any, now_ms: int) -> str:
        trouble = self._store_trouble
        self._proven, self._unanswered = True, 0
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
        if self._unanswered >= UNANSWERED:
            self._doubt()
        self._unanswered += 1
        self.put(self._protocol.invite(self.line.now_ms() + for_ms))

    def _doubt(self) -> None:
        if self._proven and not self.lives:
            self._proven = False
            self.health.become(DeviceState.UNKNOWN)

    @property
    def wake_at_ms(self) -> int | None:
        seen_ms = self.health.last_seen_ms
        return seen_ms + NIGHT_MS if self._proven and not self.lives and seen_ms is not None else None

    def wake(self, now_ms: int) -> None:
        self._doubt()

    def was_away(self, for_ms: int) -> None:
        self._protocol.skip(for_ms)

    def line_up(self, now_ms: int) -> None:
        super().line_up(now_ms)
        self.put(self._protocol.line_up(now_ms))

    def line_down(self, error: str) -> None:
        self._proven = False
        super().line_down(error)

    def show_stars(self, stars: int) -> None:
        """Show the clerk's star level, 0…5."""
        self.put(self._protocol.show_stars(stars))
