"""The frames of the JQ8900, a player that joins recorded files to one announcement (HARDWARE 3.4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from devices.framing.codec import Codec
from devices.framing.stream import Match, Miss

STATUS: Final = 0x01
PLAY: Final = 0x02
STOP: Final = 0x04
TRACK: Final = 0x07
TRACKS: Final = 0x0C
CURRENT: Final = 0x0D
VOLUME: Final = 0x13
COMBINED: Final = 0x1B
"""Two ASCII digits a file of the folder ZH, played as one."""
END_COMBINED: Final = 0x1C
LONGEST_DATA: Final = 128
"""Bytes of DATA accepted from a line; 64 files in one announcement."""

_COMMANDS: Final = frozenset(range(0x01, 0x20))


@dataclass(frozen=True, slots=True)
class JqFrame:
    """`AA CMD LEN DATA SUM`, either way."""

    command: int
    data: bytes = b""

    def __post_init__(self) -> None:
        if self.command not in _COMMANDS or len(self.data) > 0xFF:
            raise ValueError(f"no JQ8900 frame: {self!r}")


def encode_jq(frame: JqFrame) -> bytes:
    """The frame's bytes; SUM is the sum of all that stands before it modulo 256."""
    raw = bytes((0xAA, frame.command, len(frame.data))) + frame.data
    return raw + bytes((sum(raw) % 256,))


@dataclass(frozen=True, slots=True)
class JqGrammar:
    """Finds the frames of both directions."""

    longest_data: int = LONGEST_DATA

    @property
    def longest(self) -> int:
        return self.longest_data + 4

    @property
    def leads(self) -> bytes:
        return b"\xaa"

    def scan(self, stream: bytes | bytearray, at: int) -> Match[JqFrame] | Miss:
        head = stream[at : at + 3]
        if head[0] != 0xAA or (len(head) > 1 and head[1] not in _COMMANDS):
            return Miss.NOISE
        if len(head) < 3:
            return Miss.MORE
        if head[2] > self.longest_data:
            return Miss.NOISE
        length = head[2] + 4
        if len(stream) < at + length:
            return Miss.MORE
        raw = bytes(stream[at : at + length])
        if sum(raw[:-1]) % 256 != raw[-1]:
            return Miss.CHECKSUM
        return Match(JqFrame(raw[1], raw[3:-1]), length)


JQ8900: Final = Codec("JQ8900", (JqGrammar(),), encode_jq)
