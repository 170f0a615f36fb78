"""A BX font card that serves as a window's strip or a hall's summary board."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from devices.drivers.base import HealthChanged
from devices.drivers.strip import Strip
from devices.framing.bx import BX, BxFrame
from devices.protocols.bx import BxProtocol, BxSettings
from devices.protocols.bxdata import BxStatus, read_status

CLOCK_EVERY_MS: Final = 6 * 3_600_000


class BxStrip(Strip):
    """Shows pages of text like every strip, `rows` at a time; can be made brighter, dark, and told the time."""

    def __init__(self, device: str, address: int, health_changed: HealthChanged, settings: BxSettings) -> None:
        self._talk = BxProtocol(address, settings)
        super().__init__(device, address, health_changed, codec=BX, protocol=self._talk)
        self._clock = settings.clock
        self._clock_at_ms: int | None = None
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
        super().line_up(now_ms)
        if self._clock:
            self._tell_time(now_ms)

    def _tell_time(self, now_ms: int) -> None:
        self.set_time(datetime.now(UTC).astimezone())
        self._clock_at_ms = now_ms + CLOCK_EVERY_MS

    @property
    def wake_at_ms(self) -> int | None:
        return min((t for t in (super().wake_at_ms, self._clock_at_ms) if t is not None), default=None)

    def wake(self, now_ms: int) -> None:
        if self._clock_at_ms is not None and self._clock_at_ms <= now_ms:
            self._tell_time(now_ms)
        super().wake(now_ms)


class BxBoard(BxStrip):
    """A summary board: several windows' lines, as many at a time as it has rows."""

    kind = "board"
