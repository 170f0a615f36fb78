"""A kiosk printer's outlet: a ticket is held there until it is taken, and drawn back when nobody does (HARDWARE 4.1); pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

RETRACT: Final = b"\x1de\x02"
EJECT: Final = b"\x1de\x05"
APPEARS_MS: Final = 3_000
"""A ticket that is not seen at the outlet within this time after it was printed was taken between two questions.

It is asked each second, and the next ticket waits as long (a group's slips are taken as they come).
"""


def present(steps: int) -> bytes:
    """GS e 3 m: push the cut ticket out by `steps` of the printer's own (7 mm at Reliance, 0.625 mm at KPM)."""
    return bytes((0x1D, 0x65, 0x03, steps))


@dataclass(frozen=True, slots=True)
class Outlet:
    """What became of a printed ticket at the outlet: taken, or not in time."""

    taken: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PresenterSettings:
    """`presenter`: none, auto (it presents at the cut by itself) or command (told with GS e 3, `present_steps`).

    `take_ms`: how long a ticket may wait there; then it is drawn back (`retract`), thrown out (`eject`) or left (`leave`).
    """

    presenter: Literal["none", "auto", "command"] = "none"
    present_steps: int = 12
    take_ms: int = 20_000
    not_taken: Literal["retract", "eject", "leave"] = "retract"

    def __post_init__(self) -> None:
        if not 1 <= self.present_steps <= 255:
            raise ValueError(f"present_steps is 1…255, not {self.present_steps}")
        if self.take_ms < 1_000:
            raise ValueError("take_ms: nobody takes a ticket within less than a second")


class Presenter:
    """Watches the ticket printed last. Every method answers what happened and what to send."""

    def __init__(self, settings: PresenterSettings) -> None:
        self._settings = settings
        self._given_ms: int | None = None
        self._seen = False

    @property
    def there(self) -> bool:
        """Whether the printer has an outlet."""
        return self._settings.presenter != "none"

    @property
    def watching(self) -> bool:
        """Whether a ticket may lie there that its citizen is still to take: no other is printed meanwhile."""
        return self._given_ms is not None

    @property
    def after(self) -> bytes:
        """What follows a ticket's bytes."""
        return present(self._settings.present_steps) if self._settings.presenter == "command" else b""

    def reset(self) -> None:
        """Nothing is known of it any more."""
        self._given_ms, self._seen = None, False

    def given(self, now_ms: int) -> None:
        """A ticket was printed and cut."""
        if self.there:
            self._given_ms, self._seen = now_ms, False

    def heard(self, waits: bool, now_ms: int) -> tuple[Outlet | None, bytes]:
        """The printer says whether a ticket waits at its outlet."""
        if self._given_ms is None:
            return None, b""
        if not waits:
            if not self._seen and now_ms - self._given_ms < APPEARS_MS:
                return None, b""
            self.reset()
            return Outlet(taken=True), b""
        self._seen = True
        if now_ms - self._given_ms < self._settings.take_ms:
            return None, b""
        self.reset()
        return Outlet(taken=False), self.away

    @property
    def away(self) -> bytes:
        """What takes a ticket from the outlet that nobody is to have."""
        commands = {"retract": RETRACT, "eject": EJECT, "leave": b""}
        return commands[self._settings.not_taken] if self.there else b""
