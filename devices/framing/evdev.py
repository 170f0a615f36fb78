"""The events of Linux input devices: keyboards, scanners, card readers and rating pads that type (HARDWARE 5.3)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from devices.framing.codec import Codec
from devices.framing.stream import Match, Miss

SYN: Final = 0x00
KEY: Final = 0x01
SYN_DROPPED: Final = 0x03
UP: Final = 0
DOWN: Final = 1
HELD: Final = 2

_LAYOUT: Final = struct.Struct("@llHHi")
"""`struct input_event` of this machine: 24 bytes where a long has 64 bits."""
EVENT_BYTES: Final = _LAYOUT.size


@dataclass(frozen=True, slots=True)
class InputEvent:
    """One `struct input_event`; `code` and `value` are what is typed, so they are in no text form."""

    type: int
    code: int
    value: int
    seconds: int = 0
    microseconds: int = 0

    def __repr__(self) -> str:
        return f"InputEvent(type={self.type})"


def encode_event(event: InputEvent) -> bytes:
    """The event's bytes; ValueError when a number does not fit."""
    try:
        return _LAYOUT.pack(event.seconds, event.microseconds, event.type, event.code, event.value)
    except struct.error as error:
        raise ValueError(f"no input event: {error}") from None


@dataclass(frozen=True, slots=True)
class InputEventGrammar:
    """Events follow each other without a mark; the kernel never cuts one."""

    @property
    def longest(self) -> int:
        return EVENT_BYTES

    @property
    def leads(self) -> bytes:
        return bytes(range(256))

    def scan(self, stream: bytes | bytearray, at: int) -> Match[InputEvent] | Miss:
        if len(stream) - at < EVENT_BYTES:
            return Miss.MORE
        seconds, microseconds, kind, code, value = _LAYOUT.unpack_from(stream, at)
        if seconds < 0 or not 0 <= microseconds < 1_000_000 or kind > 0x1F or code > 0x2FF:
            return Miss.NOISE
        return Match(InputEvent(kind, code, value, seconds, microseconds), EVENT_BYTES)


def _nobody(event: InputEvent) -> None:
    """An input device has its node to itself."""


EVDEV: Final[Codec[InputEvent]] = Codec("evdev", (InputEventGrammar(),), encode_event, address=_nobody, alone=True)
