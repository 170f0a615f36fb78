"""A rating pad that is a keyboard: each key a level, nothing to answer and nothing to show (HARDWARE 1.3, 5.3)."""

from __future__ import annotations

from typing import Final

from devices.framing.evdev import DOWN, KEY, InputEvent
from devices.protocols.rating import RatingTalk

_SILENT: Final = frozenset((28, 96, 42, 54, 69))
"""Enter, shift and number lock, which some pads send around their key."""


class KeyboardPad(RatingTalk[InputEvent]):
    """The level byte of RatingTalk is the key's code: 2 to 11 are the digits 1 to 0, 59 to 68 F1 to F10."""

    def key(self, frame: InputEvent) -> int | None:
        return frame.code if frame.type == KEY and frame.value == DOWN and frame.code not in _SILENT else None
