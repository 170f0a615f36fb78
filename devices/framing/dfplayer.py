"""The frames of the DFPlayer Mini, a player of recorded tracks (HARDWARE 3.3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from devices.framing.codec import Codec
from devices.framing.stream import Match, Miss

VOLUME: Final = 0x06
PLAY_MP3: Final = 0x12
"""Play /MP3/nnnn."""
STOP: Final = 0x16
MEDIA_IN: Final = 0x3A
MEDIA_OUT: Final = 0x3B
USB_ENDED: Final = 0x3C
ENDED: Final = 0x3D
ONLINE: Final = 0x3F
ERROR: Final = 0x40
TAKEN: Final = 0x41
STATUS: Final = 0x42

_LENGTH: Final = 10


@dataclass(frozen=True, slots=True)
class DfFrame:
    """`7E FF 06 CMD FB PH PL CH CL EF`, either way; `feedback` asks for an acknowledgement, `value` is PH PL."""

    command: int
    value: int = 0
    feedback: bool = False

    def __post_init__(self) -> None:
        if not (0 <= self.command <= 0xFF and 0 <= self.value <= 0xFFFF):
            raise ValueError(f"no DFPlayer frame: {self!r}")


def encode_df(frame: DfFrame) -> bytes:
    """The frame's bytes; the checksum is the negated sum of FF to PL modulo 65536."""
    body = bytes((0xFF, 0x06, frame.command, frame.feedback)) + frame.value.to_bytes(2, "big")
    return b"\x7e" + body + (-sum(body) % 0x10000).to_bytes(2, "big") + b"\xef"


@dataclass(frozen=True, slots=True)
class DfGrammar:
    """Finds the frames of both directions."""

    @property
    def longest(self) -> int:
        return _LENGTH

    @property
    def leads(self) -> bytes:
        return b"\x7e"

    def scan(self, stream: bytes | bytearray, at: int) -> Match[DfFrame] | Miss:
        raw = bytes(stream[at : at + _LENGTH])
        # FB is a flag: a byte that is neither cannot be part of a frame.
        if not b"\x7e\xff\x06".startswith(raw[:3]) or (len(raw) > 4 and raw[4] > 1):
            return Miss.NOISE
        if len(raw) < _LENGTH:
            return Miss.MORE
        if (sum(raw[1:7]) + int.from_bytes(raw[7:9], "big")) % 0x10000 or raw[9] != 0xEF:
            return Miss.CHECKSUM
        return Match(DfFrame(raw[3], int.from_bytes(raw[5:7], "big"), raw[4] == 1), _LENGTH)


DFPLAYER: Final = Codec("DFPlayer", (DfGrammar(),), encode_df)
