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
_LEAD: Final = b"\xa0\x90"
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
            return _LEAD + bytes((address,)) + extra + _ACK_TAIL
        case A090Frame(address, command, data):
            body = bytes((address, command)) + len(data).to_bytes(2, "big") + data
            return _LEAD + body + bytes((reduce(xor, body),))


@dataclass(frozen=True, slots=True)
class A090Grammar:
    """A board's ear: what hosts say."""

    longest_data: int = LONGEST_DATA

    @property
    def longest(self) -> int:
        return self.longest_data + 7

    @property
    def leads(self) -> bytes:
        return _LEAD[:1]

    def scan(self, stream: bytes | bytearray, at: int) -> Match[A090Frame] | Miss:
        head = stream[at : at + 6]
        if not _LEAD.startswith(head[:2]) or (len(head) > 3 and head[3] not in _COMMANDS):
            return Miss.NOISE
        if len(head) > 4 and int.from_bytes(head[4:6].ljust(2, b"\0"), "big") > self.longest_data:
            return Miss.NOISE
        if len(head) < 6:
            return Miss.MORE
        length = int.from_bytes(head[4:6], "big")
        if len(stream) < at + length + 7:
            return Miss.MORE
        body = bytes(stream[at + 2 : at + 6 + length])
        if stream[at + 6 + length] != reduce(xor, body):
            return Miss.CHECKSUM
        return Match(A090Frame(body[0], body[1], body[4:]), length + 7)


@dataclass(frozen=True, slots=True)
class A090AckGrammar:
    """A host's ear: what boards answer. `longest` = 5 accepts only the short form.

    A text's head and an answer of the longer form may be the same bytes, so neither ear listens for the other's.
    """

    longest: int = LONGEST_ACK

    @property
    def leads(self) -> bytes:
        return _LEAD[:1]

    def scan(self, stream: bytes | bytearray, at: int) -> Match[A090Ack] | Miss:
        whole = bytes(stream[at : at + self.longest])
        if not _LEAD.startswith(whole[:2]):
            return Miss.NOISE
        tail = whole.find(_ACK_TAIL, 3)
        # A second lead means that the first one was cut short: it must not borrow its neighbour's acknowledgement.
        if 0 <= whole.find(_LEAD, 2) < (tail if tail >= 0 else len(whole)):
            return Miss.NOISE
        if tail < 0:
            return Miss.MORE if len(whole) < self.longest else Miss.NOISE
        return Match(A090Ack(whole[2], whole[3:tail]), tail + 2)


A090: Final[Codec[A090Frame | A090Ack]] = Codec(
    "a090", (A090AckGrammar(),), encode_a090, from_host=(A090Grammar(),), samples=(encode_a090(A090Ack(3)),)
)
