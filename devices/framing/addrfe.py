"""The frames of the "addr FE" strips and boards (银达汇智, 重庆; HARDWARE 2.4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from devices.framing.checksums import crc16_xmodem
from devices.framing.codec import Codec
from devices.framing.stream import Match, Miss

STRIP: Final = 0x86
BOARD: Final = 0x8C
LONGEST_TEXT: Final = 240
"""Bytes of text; LEN counts the whole frame in one byte."""

_SECOND: Final = 0xFE
_BEFORE: Final = {STRIP: b"\x3c\x00\x05\x00", BOARD: b"\x00"}
"""What stands between the command and the text; its meaning is not published."""


@dataclass(frozen=True, slots=True)
class AddrFeFrame:
    """`ADDR FE LEN SEQ 86 3C 00 05 00 TEXT 00 CRCH CRCL` (strip) or `ADDR FE LEN SEQ 8C 00 TEXT 00 CRCH CRCL` (board)."""

    address: int
    sequence: int
    text: bytes
    command: int = STRIP

    def __post_init__(self) -> None:
        numbers = 0 <= self.address <= 0xFF and 0 <= self.sequence <= 0xFF and self.command in _BEFORE
        if not numbers or 0 in self.text or len(self.text) > LONGEST_TEXT:
            raise ValueError(f"no addr-FE frame: {self!r}")


def encode_addrfe(frame: AddrFeFrame) -> bytes:
    """The frame's bytes; LEN is their number, the CRC-16/XMODEM runs over all before it."""
    before = _BEFORE[frame.command]
    length = 5 + len(before) + len(frame.text) + 3
    body = bytes((frame.address, _SECOND, length, frame.sequence, frame.command)) + before + frame.text + b"\0"
    return body + crc16_xmodem(body).to_bytes(2, "big")


@dataclass(frozen=True, slots=True)
class AddrFeGrammar:
    """Finds addr-FE frames; only hosts send them. They can start with any byte: the second one decides."""

    @property
    def longest(self) -> int:
        return 0xFF

    @property
    def leads(self) -> bytes:
        return bytes(range(256))

    def scan(self, stream: bytes | bytearray, at: int) -> Match[AddrFeFrame] | Miss:
        head = bytes(stream[at : at + 5])
        if head[1:2] not in (b"", bytes((_SECOND,))) or (len(head) == 5 and head[4] not in _BEFORE):
            return Miss.NOISE
        if len(head) < 5:
            return Miss.MORE
        before = _BEFORE[head[4]]
        shortest = 5 + len(before) + 3
        if head[2] < shortest:
            return Miss.NOISE
        whole = bytes(stream[at : at + head[2]])
        if not before.startswith(whole[5 : 5 + len(before)]):
            return Miss.NOISE
        if len(whole) < head[2]:
            return Miss.MORE
        text = whole[5 + len(before) : -3]
        if whole[-3] != 0 or 0 in text or len(text) > LONGEST_TEXT:
            return Miss.NOISE
        if crc16_xmodem(whole[:-2]) != int.from_bytes(whole[-2:], "big"):
            return Miss.CHECKSUM
        return Match(AddrFeFrame(head[0], head[3], text, head[4]), head[2])


ADDRFE: Final[Codec[AddrFeFrame]] = Codec("addrfe", (), encode_addrfe, (AddrFeGrammar(),))
