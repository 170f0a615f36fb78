"""A rating pad that is a keyboard: each key a level, nothing to answer and nothing to show (HARDWARE 1.3, 5.3)."""

from __future__ import annotations

from typing import Final

from devices.framing.evdev import DOWN, KEY, InputEvent
from devices.protocols.rating import RatingTalk

_SILENT: Final = frozenset((28, 96, 42, 54, 69))
"""Enter, shift and number lock, which some pads send around their key."""

_NAMES: Final = {
    **{f"KEY_{char}": 2 + at for at, char in enumerate("1234567890")},
    **{f"KEY_{char}": 16 + at for at, char in enumerate("QWERTYUIOP")},
    **{f"KEY_{char}": 30 + at for at, char in enumerate("ASDFGHJKL")},
    **{f"KEY_{char}": 44 + at for at, char in enumerate("ZXCVBNM")},
    **{f"KEY_F{number}": 58 + number for number in range(1, 11)},
    "KEY_F11": 87,
    "KEY_F12": 88,
    **{f"KEY_KP{char}": 71 + at for at, char in enumerate("789-456+1230") if char.isdigit()},
}
"""The keys of linux/input-event-codes.h that a pad may have been given."""


def key_code(key: str) -> int:
    """The code of `KEY_1`, `KEY_F5`, `KEY_KP3` or of a decimal number; ValueError for another name."""
    try:
        return _NAMES[key.upper()] if key.upper() in _NAMES else int(key)
    except ValueError:
        raise ValueError(
            f"{key!r} is no key: KEY_0 to KEY_9, KEY_A to KEY_Z, KEY_F1 to KEY_F12, KEY_KP0 to KEY_KP9"
        ) from None


class KeyboardPad(RatingTalk[InputEvent]):
    """The level byte of RatingTalk is the key's code: 2 to 11 are the digits 1 to 0, 59 to 68 F1 to F10."""

    repeats = False

    def key(self, frame: InputEvent) -> int | None:
        return frame.code if frame.type == KEY and frame.value == DOWN and frame.code not in _SILENT else None
