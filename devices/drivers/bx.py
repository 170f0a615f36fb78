"""A BX font card that serves as a window's strip or a hall's summary board."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from devices.drivers.base import HealthChanged
from devices.drivers.strip import Strip
from devices.framing.bx import BX, BxFrame
from devices.protocols.bx import BxProtocol, BxSettings, parse_power
from devices.protocols.bxdata import BxStatus, read_status
from displays.byclock import ByClock
from displays.led import parse_dimming

CLOCK_EVERY_MS: Final = 6 * 3_600_000


def local_time() -> datetime:
    """The PC's own clock: the agent stands in the hall."""
    return datetime.now(UTC).astimezone()


def _level(clock: ByClock, now_ms: int) -> tuple[int, int]:
    """The level of this minute of the PC's day, and when the next one is due (UX W-07)."""
    local = local_time()
    minute = local.hour * 60 + local.minute
    return clock.at(minute), now_ms + clock.next_after(minute) * 60_000 - local.second * 1000


class BxStrip(Strip):
    """Shows pages of text like every strip, `rows` at a time; can be made brighter, dark, and told the time."""

    def __init__(self, device: str, address: int, health_changed: HealthChanged, settings: BxSettings) -> None:
        self._talk = BxProtocol(address, settings)
        super().__init__(device, address, health_changed, codec=BX, protocol=self._talk)
        self._clock = settings.clock
        self._clock_at_ms: int | None = None
        self._dimming = parse_dimming(settings.dimming) if settings.dimming else None
        self._dim_at_ms: int | None = None
        self._power = parse_power(settings.power) if settings.power else None
        self._power_at_ms: int | None = None
        self.status: BxStatus | None = None
        """What the card last said of itself."""

    def understand(self, frame: BxFrame, now_ms: int) -> str:
        trouble = super().understand(frame, now_ms)
        if status := read_status(frame):
            self.status = status
        return trouble or self._talk.refused

    def set_brightness(self, level: int) -> None:
        """0 (dark) to 15."""
        self._carry_out(self._talk.set_brightness(level))

    def set_power(self, on: bool) -> None:
        """Light the panel, or leave it dark."""
        self._carry_out(self._talk.set_power(on))

    def set_time(self, when: datetime) -> None:
        """Set the card's own clock to a local time."""
        self._carry_out(self._talk.set_time(when))

    def ask_status(self) -> None:
        """Ask for `status`."""
        self._carry_out(self._talk.ask_status())

    def line_up(self, now_ms: int) -> None:
        if self._dimming:
            level, self._dim_at_ms = _level(self._dimming, now_ms)
            self._talk.keep_brightness(level)
        if self._power:
            level, self._power_at_ms = _level(self._power, now_ms)
            self._talk.keep_power(level == 1)
        super().line_up(now_ms)
        if self._clock:
            self._tell_time(now_ms)

    def _tell_time(self, now_ms: int) -> None:
        self.set_time(local_time())
        self._clock_at_ms = now_ms + CLOCK_EVERY_MS

    @property
    def wake_at_ms(self) -> int | None:
        times = (super().wake_at_ms, self._clock_at_ms, self._dim_at_ms, self._power_at_ms)
        return min((t for t in times if t is not None), default=None)

    def wake(self, now_ms: int) -> None:
        if self._dimming and self._dim_at_ms is not None and self._dim_at_ms <= now_ms:
            level, self._dim_at_ms = _level(self._dimming, now_ms)
            self.set_brightness(level)
        if self._power and self._power_at_ms is not None and self._power_at_ms <= now_ms:
            level, self._power_at_ms = _level(self._power, now_ms)
            self.set_power(level == 1)
        if self._clock_at_ms is not None and self._clock_at_ms <= now_ms:
            self._tell_time(now_ms)
        super().wake(now_ms)


class BxBoard(BxStrip):
    """A summary board: several windows' lines, as many at a time as it has rows."""

    kind = "board"
