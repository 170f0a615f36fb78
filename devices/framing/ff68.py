"""The frames of the FF68 family: keypads and rating devices on RS-485 (HARDWARE 1.1, 2.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from devices.framing.codec import Codec
from devices.framing.stream import Match, Miss

LONGEST_DATA: Final = 32
"""Bytes of DATA accepted from a line. The format allows 253; published frames have 6, a staff number fewer than 20."""

_LEAD: Final = 0xFF
_START: Final = 0x68
_END: Final = 0x16


@dataclass(frozen=True, slots=True)
class Ff68Frame:
    """`FF 68 L L 68 ADDR FUNC DATA CHK 16`; `lead` tells whether the FF in front was there."""

    address: int
    function: int
    data: bytes = b""
    lead: bool = True

    def __post_init__(self) -> None:
        if not (0 <= self.address <= 0xFF and 0 <= self.function <= 0xFF and len(self.data) <= 0xFD):
            raise ValueError(f"no FF68 frame: {self!r}")


def encode_ff68(frame: Ff68Frame) -> bytes:
    """The frame's bytes; CHK is the sum of ADDR, FUNC and DATA modulo 256."""
    body = bytes((frame.address, frame.function)) + frame.data
    core = bytes((_START, len(body), len(body), _START)) + body + bytes((sum(body) % 256, _END))
    return bytes((_LEAD,)) + core if frame.lead else core


@dataclass(frozen=True, slots=True)
class Ff68Grammar:
    """Finds FF68 frames, with or without the FF lead."""

    longest_data: int = LONGEST_DATA

    @property
    def longest(self) -> int:
        return self.longest_data + 9

    @property
    def leads(self) -> bytes:
        return bytes((_LEAD, _START))

    def scan(self, stream: bytes | bytearray, at: int) -> Match[Ff68Frame] | Miss:
        if stream[at] != _LEAD:
            return self._core(stream, at, lead=False)
        if at + 1 == len(stream):
            return Miss.MORE
        result = self._core(stream, at + 1, lead=True)
        if isinstance(result, Match):
            return Match(result.frame, result.length + 1)
        # A bad sum is counted once, when the scan reaches the 68.
        return Miss.MORE if result is Miss.MORE else Miss.NOISE

    def _core(self, stream: bytes | bytearray, at: int, *, lead: bool) -> Match[Ff68Frame] | Miss:
        head = stream[at : at + 4]
        if head[0] != _START or (len(head) > 1 and not 2 <= head[1] <= self.longest_data + 2):
            return Miss.NOISE
        if (len(head) > 2 and head[2] != head[1]) or (len(head) > 3 and head[3] != _START):
            return Miss.NOISE
        if len(head) < 4:
            return Miss.MORE
        length = head[1]
        if len(stream) < at + length + 6:
            return Miss.MORE
        body = bytes(stream[at + 4 : at + 4 + length])
        if stream[at + 4 + length] != sum(body) % 256 or stream[at + 5 + length] != _END:
            return Miss.CHECKSUM
        return Match(Ff68Frame(body[0], body[1], body[2:], lead), length + 6)


FF68: Final[Codec[Ff68Frame]] = Codec(
    "ff68",
    (Ff68Grammar(),),
    encode_ff68,
    samples=(encode_ff68(Ff68Frame(7, 0x01, b"\x0c")), encode_ff68(Ff68Frame(0x87, 0x11, b"\x04"))),
)
