"""The frames of the speaking modules SYN6288 and XFS5152CE, which read text aloud (HARDWARE 3.1, 3.2)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial, reduce
from operator import xor
from typing import Final

from devices.framing.codec import Codec
from devices.framing.stream import Match, Miss

SPEAK: Final = 0x01
STOP: Final = 0x02
PAUSE: Final = 0x03
RESUME: Final = 0x04
STATUS: Final = 0x21
BAUD: Final = 0x31
SLEEP: Final = 0x88
WAKE: Final = 0xFF

READY: Final = 0x4A
"""Powered up."""
TAKEN: Final = 0x41
REFUSED: Final = 0x45
BUSY: Final = 0x4E
IDLE: Final = 0x4F
"""Answers a status query, and comes unasked when speech ends."""

_COMMANDS: Final = frozenset((SPEAK, STOP, PAUSE, RESUME, STATUS, BAUD, SLEEP, WAKE))
_REPLIES: Final = bytes((READY, TAKEN, REFUSED, BUSY, IDLE))
_LEAD: Final = 0xFD


@dataclass(frozen=True, slots=True)
class TtsForm:
    """What differs between the modules: `checksum` (a last byte, XOR from FD on), and the longest text in bytes.

    `longest_heard`: a longer text is refused, up to here; beyond, a length lies.
    """

    checksum: bool
    longest_text: int
    longest_heard: int


SYN6288: Final = TtsForm(checksum=True, longest_text=200, longest_heard=512)
XFS5152: Final = TtsForm(checksum=False, longest_text=4096, longest_heard=4096)


@dataclass(frozen=True, slots=True)
class TtsFrame:
    """`FD LENH LENL CMD DATA [XOR]`, host to module; DATA of SPEAK is an encoding byte and the text."""

    command: int
    data: bytes = b""

    def __post_init__(self) -> None:
        if self.command not in _COMMANDS or len(self.data) > XFS5152.longest_text + 1:
            raise ValueError(f"no frame of a speaking module: {self!r}")


@dataclass(frozen=True, slots=True)
class TtsReply:
    """One byte of the module: READY, TAKEN, REFUSED, BUSY or IDLE."""

    code: int


def encode_tts(frame: TtsFrame | TtsReply, form: TtsForm) -> bytes:
    """The frame's bytes; LEN counts CMD, DATA and the XOR where there is one. The XOR runs over everything from FD."""
    if isinstance(frame, TtsReply):
        return bytes((frame.code,))
    body = bytes((frame.command,)) + frame.data
    raw = bytes((_LEAD,)) + (len(body) + form.checksum).to_bytes(2, "big") + body
    return raw + bytes((reduce(xor, raw),)) if form.checksum else raw


@dataclass(frozen=True, slots=True)
class TtsReplyGrammar:
    """The host's ear: every byte is a reply or noise."""

    @property
    def longest(self) -> int:
        return 1

    @property
    def leads(self) -> bytes:
        return _REPLIES

    def scan(self, stream: bytes | bytearray, at: int) -> Match[TtsReply] | Miss:
        return Match(TtsReply(stream[at]), 1) if stream[at] in _REPLIES else Miss.NOISE


@dataclass(frozen=True, slots=True)
class TtsFrameGrammar:
    """The module's ear."""

    form: TtsForm

    @property
    def longest(self) -> int:
        return 3 + self._most

    @property
    def leads(self) -> bytes:
        return bytes((_LEAD,))

    @property
    def _most(self) -> int:
        """The greatest LEN: command, encoding, text, XOR."""
        return self.form.longest_heard + 2 + self.form.checksum

    def scan(self, stream: bytes | bytearray, at: int) -> Match[TtsFrame] | Miss:
        head = stream[at : at + 4]
        if head[0] != _LEAD or (len(head) > 1 and head[1] > self._most >> 8):
            return Miss.NOISE
        if len(head) < 3:
            return Miss.MORE
        length = int.from_bytes(head[1:3], "big")
        if not 1 + self.form.checksum <= length <= self._most or (len(head) > 3 and head[3] not in _COMMANDS):
            return Miss.NOISE
        if len(stream) < at + 3 + length:
            return Miss.MORE
        raw = bytes(stream[at : at + 3 + length])
        if self.form.checksum and reduce(xor, raw):
            return Miss.CHECKSUM
        return Match(TtsFrame(raw[3], raw[4 : len(raw) - self.form.checksum]), len(raw))


def _codec(name: str, form: TtsForm) -> Codec[TtsFrame | TtsReply]:
    grammar = TtsFrameGrammar(form)
    return Codec(name, (TtsReplyGrammar(),), partial(encode_tts, form=form), from_host=(grammar,), alone=True)


SYN6288_CODEC: Final = _codec("SYN6288", SYN6288)
XFS5152_CODEC: Final = _codec("XFS5152CE", XFS5152)
