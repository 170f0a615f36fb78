"""A ticket printer's line as frames, for captures: commands and runs of text one way, status bytes the other (HARDWARE 4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from devices.framing.codec import Codec
from devices.framing.stream import Match, Miss

LONGEST: Final = 64 * 1024
"""Bytes of one command: a drawn ticket of 576 dots is 800 lines long."""
LONGEST_RUN: Final = 256

_ESCAPES: Final = b"\x10\x1b\x1c\x1d"
_CONTROLS: Final = b"\x09\x0a\x0c\x0d"
_TWO: Final = frozenset((b"\x1b@", b"\x1b2", b"\x1bi", b"\x1bm", b"\x1c&", b"\x1c."))
_FOUR: Final = frozenset((b"\x1dL", b"\x1dW", b"\x1b$", b"\x1b\\"))
_DC4: Final = b"\x10\x14"


@dataclass(frozen=True, slots=True)
class EscposCommand:
    """One command with its arguments and data."""

    data: bytes


@dataclass(frozen=True, slots=True)
class EscposText:
    """A run of text up to the next command or control character, GBK."""

    text: bytes


@dataclass(frozen=True, slots=True)
class EscposStatus:
    """What a printer answers: one byte, four of automatic status, or six of full status."""

    data: bytes


def encode_escpos(frame: EscposCommand | EscposText | EscposStatus) -> bytes:
    """The frame's bytes."""
    return frame.text if isinstance(frame, EscposText) else frame.data


def command_size(stream: bytes | bytearray, at: int) -> int | None:
    """Bytes of the command at `at`; None while that is not known yet. GS k and ESC * by Epson's manual."""
    head = bytes(stream[at : at + 8])
    if head[0] in _CONTROLS:
        return 1
    two = head[:2]
    if len(two) < 2:
        return None
    if two in _TWO:
        return 2
    if two == _DC4:
        return 10
    if two in _FOUR:
        return 4
    if two == b"\x1de":
        return None if len(head) < 3 else {3: 4, 0x20: 5}.get(head[2], 3)
    if two == b"\x1dV":
        return None if len(head) < 3 else 3 if head[2] in (0, 1, 0x30, 0x31) else 4
    if two in (b"\x1d(", b"\x1c("):
        return None if len(head) < 5 else 5 + int.from_bytes(head[3:5], "little")
    if two == b"\x1dv":
        if len(head) < 8:
            return None
        return 8 + int.from_bytes(head[4:6], "little") * int.from_bytes(head[6:8], "little")
    if two == b"\x1b*":
        columns = int.from_bytes(head[3:5], "little")
        return None if len(head) < 5 else 5 + columns * (3 if head[2] in (32, 33) else 1)
    if two == b"\x1dk":
        return _barcode_size(stream, at)
    return 3


def _barcode_size(stream: bytes | bytearray, at: int) -> int | None:
    """GS k m d… NUL for m up to 6, GS k m n d… from 65 on."""
    if len(stream) < at + 4:
        return None
    if stream[at + 2] >= 65:
        return 4 + stream[at + 3]
    end = stream.find(b"\0", at + 3, at + 3 + LONGEST_RUN)
    if stream[at + 2] > 6 or (end < 0 and len(stream) >= at + 3 + LONGEST_RUN):
        return 3
    return end + 1 - at if end >= 0 else None


@dataclass(frozen=True, slots=True)
class EscposHostGrammar:
    """What is sent to a printer: every byte is a command, text or a control character."""

    @property
    def longest(self) -> int:
        return LONGEST

    @property
    def leads(self) -> bytes:
        return bytes(range(256))

    def scan(self, stream: bytes | bytearray, at: int) -> Match[EscposCommand | EscposText] | Miss:
        if stream[at] in _ESCAPES or stream[at] in _CONTROLS:
            size = command_size(stream, at)
            if size is None:
                return Miss.MORE
            if size > LONGEST:
                return Miss.NOISE
            whole = bytes(stream[at : at + size])
            return Match(EscposCommand(whole), size) if len(whole) == size else Miss.MORE
        if stream[at] < 0x20:
            return Miss.NOISE
        end = next((i for i in range(at, min(len(stream), at + LONGEST_RUN)) if stream[i] < 0x20), None)
        if end is None:
            # A run goes on until something ends it, or it is long enough to be told in pieces.
            if len(stream) < at + LONGEST_RUN:
                return Miss.MORE
            end = at + LONGEST_RUN
        return Match(EscposText(bytes(stream[at:end])), end - at)


@dataclass(frozen=True, slots=True)
class EscposDeviceGrammar:
    """What a printer answers, by the masks of HARDWARE 4.1: `10 0F` begins full status, 0xx1xx00 automatic status."""

    @property
    def longest(self) -> int:
        return 6

    @property
    def leads(self) -> bytes:
        return bytes(
            value for value in range(256) if value & 0x93 in (0x10, 0x12) or value & 0x90 == 0 or value in (0x11, 0x13)
        )

    def scan(self, stream: bytes | bytearray, at: int) -> Match[EscposStatus] | Miss:
        first = stream[at]
        size = 1
        if first & 0x93 == 0x10:
            rest = bytes(stream[at + 1 : at + 4])
            if first == 0x10 and rest[:1] == b"\x0f":
                size = 6
            elif any(value & 0x90 for value in rest):
                return Miss.NOISE
            else:
                size = 4
        whole = bytes(stream[at : at + size])
        return (
            Match(EscposStatus(whole), size) if len(whole) == size and (size > 1 or first & 0x93 != 0x10) else Miss.MORE
        )


ESCPOS: Final[Codec[EscposCommand | EscposText | EscposStatus]] = Codec(
    "escpos", (EscposDeviceGrammar(),), encode_escpos, (EscposHostGrammar(),), alone=True
)
