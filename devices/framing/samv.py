"""The frames of second-generation ID card readers, SAM_V (HARDWARE 5.1)."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import reduce
from operator import xor
from typing import Final

from devices.framing.codec import Codec
from devices.framing.stream import Match, Miss

LONGEST_BODY: Final = 0x090A
"""The greatest LEN: text, photo and fingerprints of a card."""

_MARK: Final = b"\x96\x69"
_LEAD: Final = b"\xaa\xaa\xaa"
_LEAD_BYTES: Final = b"\xaa\x00"
_LONGEST_LEAD: Final = 4


@dataclass(frozen=True, slots=True)
class SamRequest:
    """`AA AA AA 96 69 LENH LENL CMD PARA DATA XOR`, host to reader."""

    command: int
    parameter: int
    data: bytes = b""

    def __post_init__(self) -> None:
        if not (0 <= self.command <= 0xFF and 0 <= self.parameter <= 0xFF) or len(self.data) + 3 > LONGEST_BODY:
            raise ValueError(f"no request to an ID card reader: command {self.command}, parameter {self.parameter}")


@dataclass(frozen=True, slots=True)
class SamReply:
    """`AA AA AA 96 69 LENH LENL SW1 SW2 SW3 DATA XOR`, reader to host; DATA may be a card's record and is never in a text."""

    status: int
    data: bytes = field(default=b"", repr=False)
    before: int = 0
    """SW1 and SW2 as one number; always 0 in what was published."""
    lead: bytes = field(default=_LEAD, repr=False, compare=False)
    """What stands before 96 69; real readers sometimes send AA 00 AA AA."""

    def __post_init__(self) -> None:
        numbers = 0 <= self.status <= 0xFF and 0 <= self.before <= 0xFFFF and len(self.data) + 4 <= LONGEST_BODY
        if not numbers or self.lead[:1] not in (b"", b"\xaa") or self.lead.strip(_LEAD_BYTES):
            raise ValueError(f"no reply of an ID card reader: status {self.status}, {len(self.data)} bytes")


SamFrame = SamRequest | SamReply


def encode_sam(frame: SamFrame) -> bytes:
    """The frame's bytes; LEN counts what follows it, the XOR runs from LENH to the last byte before it."""
    match frame:
        case SamRequest(command, parameter, data):
            lead, body = _LEAD, bytes((command, parameter)) + data
        case SamReply(status, data, before, lead):
            body = before.to_bytes(2, "big") + bytes((status,)) + data
    counted = (len(body) + 1).to_bytes(2, "big") + body
    return lead + _MARK + counted + bytes((reduce(xor, counted),))


@dataclass(frozen=True, slots=True)
class _SamGrammar:
    """Finds frames by `96 69`, whatever became of the AA before it."""

    shortest: int

    @property
    def longest(self) -> int:
        return _LONGEST_LEAD + len(_MARK) + 2 + LONGEST_BODY

    @property
    def leads(self) -> bytes:
        return b"\xaa\x96"

    def scan(self, stream: bytes | bytearray, at: int) -> Match[SamFrame] | Miss:
        start = at
        while start < len(stream) and start - at < _LONGEST_LEAD and stream[start] in _LEAD_BYTES:
            start += 1
        head = bytes(stream[start : start + 4])
        if not _MARK.startswith(head[:2]):
            return Miss.NOISE
        if len(head) < 4:
            return Miss.MORE
        length = int.from_bytes(head[2:], "big")
        if not self.shortest <= length <= LONGEST_BODY:
            return Miss.NOISE
        end = start + 4 + length
        if len(stream) < end:
            return Miss.MORE
        if reduce(xor, stream[start + 2 : end]):
            return Miss.CHECKSUM
        return Match(self.frame(bytes(stream[start + 4 : end - 1])), end - at)

    def frame(self, body: bytes) -> SamFrame:
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class SamReplyGrammar(_SamGrammar):
    """The host's ear."""

    shortest: int = 4

    def frame(self, body: bytes) -> SamReply:
        return SamReply(body[2], body[3:], int.from_bytes(body[:2], "big"))


@dataclass(frozen=True, slots=True)
class SamRequestGrammar(_SamGrammar):
    """The reader's ear."""

    shortest: int = 3

    def frame(self, body: bytes) -> SamRequest:
        return SamRequest(body[0], body[1], body[2:])


def _nobody(frame: SamFrame) -> None:
    """A reader has its line to itself and no address."""


SAMV: Final[Codec[SamFrame]] = Codec(
    "SAM_V", (SamReplyGrammar(),), encode_sam, from_host=(SamRequestGrammar(),), address=_nobody
)
