"""The frames of the A0 90 family: window strips and summary boards (HARDWARE 2.2)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import xor
from typing import Final

from devices.framing.codec import Codec
from devices.framing.stream import Match, Miss

SHOW_TEXT: Final = 0xA5
SHOW_STORED: Final = 0xA1
STORE_TEXT: Final = 0xA2
LONGEST_DATA: Final = 512
"""Bytes of DATA accepted from a line; it keeps a length that lies from swallowing more than half a second at 9600."""
LONGEST_ACK: Final = 8
"""Bytes of an acknowledgement. Its long form is not published (`A0 90 ADDR … A5 AA`), the short one has five."""

_COMMANDS: Final = frozenset((SHOW_TEXT, SHOW_STORED, STORE_TEXT))
_ACK_TAIL: Final = b"\xa5\xaa"


@dataclass(frozen=True, slots=True)
class A090Frame:
    """`A0 90 ADDR CMD LENH LENL DATA XOR`, host to board."""

    address: int
    command: int
    data: bytes = b""

    def __post_init__(self) -> None:
        # LENH = AA would read as an acknowledgement.
        if not (0 <= self.address <= 0xFF and self.command in _COMMANDS and len(self.data) < 0xAA00):
            raise ValueError(f"no A0 90 frame: {self!r}")


@dataclass(frozen=True, slots=True)
class A090Ack:
    """`A0 90 ADDR … A5 AA`, board to host; `extra` is what stood between. It carries no checksum."""

    address: int
    extra: bytes = b""


def encode_a090(frame: A090Frame | A090Ack) -> bytes:
    """The frame's bytes; XOR runs from ADDR to the last byte of DATA."""
    match frame:
        case A090Ack(address, extra):
            return bytes((0xA0, 0x90, address)) + extra + _ACK_TAIL
        case A090Frame(address, command, data):
            body = bytes((address, command)) + len(data).to_bytes(2, "big") + data
            return b"\xa0\x90" + body + bytes((reduce(xor, body),))


@dataclass(frozen=True, slots=True)
class A090Grammar:
    """Finds both directions of A0 90 frames. `longest_ack` = 5 accepts only the short acknowledgement."""

    longest_data: int = LONGEST_DATA
    longest_ack: int = LONGEST_ACK

    @property
    def longest(self) -> int:
        return max(self.longest_data + 7, self.longest_ack)

    @property
    def leads(self) -> bytes:
        return b"\xa0"

    def scan(self, stream: bytes | bytearray, at: int) -> Match[A090Frame | A090Ack] | Miss:
        if stream[at] != 0xA0:
            return Miss.NOISE
        if at + 1 == len(stream):
            return Miss.MORE
        if stream[at + 1] != 0x90:
            return Miss.NOISE
        frame = self._frame(stream, at)
        if isinstance(frame, Match) or frame is Miss.MORE:
            return frame
        ack = self._ack(stream, at)
        return frame if ack is Miss.NOISE else ack

    def _frame(self, stream: bytes | bytearray, at: int) -> Match[A090Frame] | Miss:
        head = stream[at : at + 6]
        if len(head) < 4:
            return Miss.MORE
        if head[3] not in _COMMANDS or (len(head) > 4 and head[4] > self.longest_data >> 8):
            return Miss.NOISE
        if len(head) < 6:
            return Miss.MORE
        length = int.from_bytes(head[4:6], "big")
        if length > self.longest_data:
            return Miss.NOISE
        if len(stream) < at + length + 7:
            return Miss.MORE
        body = bytes(stream[at + 2 : at + 6 + length])
        if stream[at + 6 + length] != reduce(xor, body):
            return Miss.CHECKSUM
        return Match(A090Frame(body[0], body[1], body[4:]), length + 7)

    def _ack(self, stream: bytes | bytearray, at: int) -> Match[A090Ack] | Miss:
        whole = bytes(stream[at : at + self.longest_ack])
        tail = whole.find(_ACK_TAIL, 3)
        # A second lead means that the first one was cut short: it must not borrow its neighbour's acknowledgement.
        if 0 <= whole.find(b"\xa0\x90", 2) < (tail if tail >= 0 else len(whole)):
            return Miss.NOISE
        if tail < 0:
            return Miss.MORE if len(whole) < self.longest_ack else Miss.NOISE
        return Match(A090Ack(whole[2], whole[3:tail]), tail + 2)


A090: Final[Codec[A090Frame | A090Ack]] = Codec(
    "a090", (A090Grammar(),), encode_a090, samples=(encode_a090(A090Ack(3)),)
)
