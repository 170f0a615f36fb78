"""The frames of the "AA … QT" strips and boards (平安力合, 潍坊青州; HARDWARE 2.3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from devices.framing.codec import Codec
from devices.framing.stream import Match, Miss

STRIP: Final = b"\x01\x00"
BOARD: Final = b"\x08\x02"
LONGEST_TEXT: Final = 240
"""Bytes of text accepted from a line: the frame has no length, and one that lost its end must not hold the line up."""

_LEAD: Final = 0xAA
_MARK: Final = b"\xbbQT"
_FIXED: Final = b"\x99\x00\x63"
_END: Final = 0xFF
_SUM_AT: Final = 5
_TEXT_AT: Final = 11


@dataclass(frozen=True, slots=True)
class AaqtFrame:
    """`AA ADDR BB 51 54 SUM M1 M2 99 00 63 TEXT FF`, host to strip; `mode` is M1 M2. FF never occurs in GBK text."""

    address: int
    text: bytes
    mode: bytes = STRIP

    def __post_init__(self) -> None:
        if not 0 <= self.address <= 0xFF or len(self.mode) != 2 or _END in self.text or len(self.text) > LONGEST_TEXT:
            raise ValueError(f"no AA…QT frame: {self!r}")


def encode_aaqt(frame: AaqtFrame) -> bytes:
    """The frame's bytes; SUM runs from M1 to the FF, modulo 256, and leaves the address out."""
    body = frame.mode + _FIXED + frame.text + bytes((_END,))
    return bytes((_LEAD, frame.address)) + _MARK + bytes((sum(body) & 0xFF,)) + body


@dataclass(frozen=True, slots=True)
class AaqtGrammar:
    """Finds AA…QT frames; only hosts send them."""

    longest_text: int = LONGEST_TEXT

    @property
    def longest(self) -> int:
        return _TEXT_AT + self.longest_text + 1

    @property
    def leads(self) -> bytes:
        return bytes((_LEAD,))

    def scan(self, stream: bytes | bytearray, at: int) -> Match[AaqtFrame] | Miss:
        head = bytes(stream[at : at + _TEXT_AT])
        if head[0] != _LEAD or not _MARK.startswith(head[2:_SUM_AT]) or not _FIXED.startswith(head[8:]):
            return Miss.NOISE
        if len(head) < _TEXT_AT:
            return Miss.MORE
        end = stream.find(_END, at + _TEXT_AT, at + self.longest)
        if end < 0:
            return Miss.MORE if len(stream) < at + self.longest else Miss.NOISE
        body = bytes(stream[at + _SUM_AT + 1 : end + 1])
        if sum(body) & 0xFF != head[_SUM_AT]:
            return Miss.CHECKSUM
        return Match(AaqtFrame(head[1], body[5:-1], body[:2]), end + 1 - at)


AAQT: Final[Codec[AaqtFrame]] = Codec("aaqt", (), encode_aaqt, (AaqtGrammar(),))
