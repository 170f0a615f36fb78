"""What a person can see or hear of a device that is tried: from the terminal, or from the manager's page."""

from __future__ import annotations

import itertools
from typing import Final

from devices.drivers.base import AnyDriver
from devices.drivers.keypad import Keypad
from devices.drivers.rating import RatingPad
from devices.drivers.strip import Strip
from devices.profiles.profile import Profile

TEXT: Final = "请A042号到3号窗口"
CELLS: Final = "042"
INVITE_MS: Final = 60_000
COLOURS: Final = ("red", "green", "yellow")


def show_pattern(profile: Profile, driver: AnyDriver, text: str = TEXT, invite_ms: int = INVITE_MS) -> None:
    """A text (its words as pages, each in another colour), cells and a beep, an invitation; else what the profile knows."""
    match driver:
        case _ if profile.pattern is not None:
            profile.pattern(driver, text)
        case Strip():
            driver.show([[(word, colour)] for word, colour in zip(text.split(), itertools.cycle(COLOURS))])
        case Keypad():
            driver.show(CELLS)
            driver.beep()
        case RatingPad():
            driver.invite(invite_ms)
        case _:
            pass
