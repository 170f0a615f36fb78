"""What barcode scanners send: plain text, and the command frames of GM65-class modules (HARDWARE 5.2)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from devices.framing.checksums import crc16_xmodem
from devices.framing.codec import Codec
from devices.framing.stream import Match, Miss

READ: Final = 0x07
WRITE: Final = 0x08
SAVE: Final = 0x09
HEARTBEAT: Final = 0x0A
ANSWER: Final = 0x02
ALIVE: Final = 0x03
NO_CRC: Final = b"\xab\xcd"
"""Stands for any sum in a command."""

_COMMANDS: Final = frozenset((READ, WRITE, SAVE, HEARTBEAT))
_RUN_BYTES: Final = 4096
_ANSWERS: Final = re.compile(rb"[\x02\x03]")


@dataclass(frozen=True, slots=True)
class ScanText:
    """Bytes of scanned text as they came, not yet a whole code; never in a text, for a code may name a person."""

    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class GmCommand:
    """`7E 00 TYPE LEN ADDRH ADDRL DATA CRCH CRCL`, host to module."""

    command: int
    address: int
    data: bytes

    def __post_init__(self) -> None:
        if self.command not in _COMMANDS or not 0 <= self.address <= 0xFFFF or not 1 <= len(self.data) <= 0xFF:
            raise ValueError(f"no command to a scanner module: {self!r}")


@dataclass(frozen=True, slots=True)
class GmReply:
    """`02 00 00 LEN DATA CRC` (`03` to a heartbeat), module to host."""

    data: bytes
    kind: int = ANSWER

    def __post_init__(self) -> None:
        if self.kind not in (ANSWER, ALIVE) or not 1 <= len(self.data) <= 0xFF:
            raise ValueError(f"no reply of a scanner module: {self!r}")


ScanFrame = ScanText | GmCommand | GmReply


def encode_scan(frame: ScanFrame) -> bytes:
    """The frame's bytes; the CRC-16/XMODEM runs over all after the first two bytes of a command, the first of a reply."""
    match frame:
        case ScanText(data):
            return data
        case GmCommand(command, address, data):
            body = bytes((command, len(data))) + address.to_bytes(2, "big") + data
            return b"\x7e\x00" + body + crc16_xmodem(body).to_bytes(2, "big")
        case GmReply(data, kind):
            body = bytes((0, 0, len(data))) + data
            return bytes((kind,)) + body + crc16_xmodem(body).to_bytes(2, "big")


@dataclass(frozen=True, slots=True)
class ScanTextGrammar:
    """Takes every byte; where a module's `answers` come between, up to the next byte that may begin one."""

    answers: bool = False

    @property
    def longest(self) -> int:
        return _RUN_BYTES

    @property
    def leads(self) -> bytes:
        return bytes(range(256))

    def scan(self, stream: bytes | bytearray, at: int) -> Match[ScanFrame] | Miss:
        end = min(len(stream), at + _RUN_BYTES)
        if self.answers and (begin := _ANSWERS.search(stream, at + 1, end)):
            end = begin.start()
        return Match(ScanText(bytes(stream[at:end])), end - at)


@dataclass(frozen=True, slots=True)
class GmReplyGrammar:
    """A module's answers; they begin with bytes that no printed code holds."""

    @property
    def longest(self) -> int:
        return 6 + 0xFF

    @property
    def leads(self) -> bytes:
        return bytes((ANSWER, ALIVE))

    def scan(self, stream: bytes | bytearray, at: int) -> Match[ScanFrame] | Miss:
        head = bytes(stream[at : at + 4])
        if head[0] not in self.leads or not b"\0\0".startswith(head[1:3]) or head[3:] == b"\0":
            return Miss.NOISE
        if len(head) < 4 or len(stream) < at + 6 + head[3]:
            return Miss.MORE
        raw = bytes(stream[at : at + 6 + head[3]])
        if crc16_xmodem(raw[1:-2]) != int.from_bytes(raw[-2:], "big"):
            return Miss.CHECKSUM
        return Match(GmReply(raw[4:-2], raw[0]), len(raw))


@dataclass(frozen=True, slots=True)
class GmCommandGrammar:
    """The module's ear; AB CD is as good as a sum."""

    @property
    def longest(self) -> int:
        return 8 + 0xFF

    @property
    def leads(self) -> bytes:
        return b"\x7e"

    def scan(self, stream: bytes | bytearray, at: int) -> Match[ScanFrame] | Miss:
        head = bytes(stream[at : at + 4])
        if not b"\x7e\x00".startswith(head[:2]) or (len(head) > 2 and head[2] not in _COMMANDS) or head[3:] == b"\0":
            return Miss.NOISE
        if len(head) < 4 or len(stream) < at + 8 + head[3]:
            return Miss.MORE
        raw = bytes(stream[at : at + 8 + head[3]])
        if raw[-2:] != NO_CRC and crc16_xmodem(raw[2:-2]) != int.from_bytes(raw[-2:], "big"):
            return Miss.CHECKSUM
        return Match(GmCommand(raw[2], int.from_bytes(raw[4:6], "big"), raw[6:-2]), len(raw))


def _nobody(frame: ScanFrame) -> None:
    """A scanner has its line to itself and no address."""


TEXT_LINES: Final[Codec[ScanFrame]] = Codec(
    "scanned text", (ScanTextGrammar(),), encode_scan, address=_nobody, alone=True
)
GM65: Final[Codec[ScanFrame]] = Codec(
    "GM65",
    (GmReplyGrammar(), ScanTextGrammar(answers=True)),
    encode_scan,
    from_host=(GmCommandGrammar(),),
    address=_nobody,
    alone=True,
)
