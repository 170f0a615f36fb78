"""SYN6288 voice modules, read from the table of HARDWARE 3.1 and from nothing else."""

import re
from dataclasses import dataclass

from tests.devices.otherhand import Noise, Skipped

CODECS = {0: "gb2312", 1: "gbk", 2: "big5", 3: "utf-16-be"}
BAUDS = {0: 9600, 1: 19200, 2: 38400}
PLAIN = {0x02: "stop", 0x03: "pause", 0x04: "resume", 0x21: "query", 0x88: "power down"}
ANSWERS = {0x4A: "ready", 0x41: "accepted", 0x45: "rejected", 0x4E: "busy", 0x4F: "idle"}
TEXT_BYTES = 200
TAG_LIMITS = {"v": 16, "m": 16, "t": 5, "n": 9}
"""[n0] is the only n the table shows; 9 is one digit, our own bound."""
_TAG = re.compile(r"\[(?:([vmtn])([0-9]{1,2})|(d))\]")


@dataclass(frozen=True, slots=True)
class Spoken:
    """Host to module: speak. `text` as sent; background music 0 (none) .. 15."""

    text: str
    encoding: str
    music: int

    @property
    def words(self) -> str:
        """The text without the marks the table lists."""
        return _TAG.sub(lambda tag: "" if _mark(tag) else tag[0], self.text)

    @property
    def marks(self) -> tuple[tuple[str, int | None], ...]:
        """The marks in the text in their order: ('v', 10); ('d', None) returns to the defaults."""
        return tuple(mark for tag in _TAG.finditer(self.text) if (mark := _mark(tag)))


@dataclass(frozen=True, slots=True)
class Ordered:
    """Host to module: stop, pause, resume, query or power down."""

    order: str


@dataclass(frozen=True, slots=True)
class BaudSet:
    """Host to module: talk at this rate from now on."""

    baud: int


@dataclass(frozen=True, slots=True)
class Unlisted:
    """A frame whose XOR is right and whose content the table does not allow."""

    command: int
    data: bytes
    reason: str


@dataclass(frozen=True, slots=True)
class Answered:
    """Module to host, one byte: ready, accepted, rejected, busy, idle."""

    answer: str


FromHost = Spoken | Ordered | BaudSet | Unlisted | Skipped
FromModule = Answered | Skipped


def decode(data: bytes) -> list[FromHost]:
    """What a host says with these bytes: `FD LENH LENL CMD [PARAM] [TEXT] XOR`, LEN = CMD..XOR, XOR from FD on."""
    found: list[FromHost] = []
    noise = Noise()
    at = 0
    while at < len(data):
        reason, size = _frame(data, at)
        if reason:
            noise.take(data[at : at + 1], reason)
            at += 1
            continue
        found += noise.flush()
        found.append(_meaning(data[at + 3], data[at + 4 : at + size - 1]))
        at += size
    return found + noise.flush()


def decode_answers(data: bytes) -> list[FromModule]:
    """What the module says with these bytes: each byte is an answer of its own."""
    found: list[FromModule] = []
    noise = Noise()
    for byte in data:
        if byte not in ANSWERS:
            noise.take(bytes((byte,)), "no answer")
            continue
        found += noise.flush()
        found.append(Answered(ANSWERS[byte]))
    return found + noise.flush()


def _frame(data: bytes, at: int) -> tuple[str, int]:
    """Why no frame begins here ('' if one does) and its size in bytes."""
    if data[at] != 0xFD:
        return "no frame", 0
    size = 3 + int.from_bytes(data[at + 1 : at + 3], "big")
    if len(data) < at + 3 or len(data) < at + size:
        return "cut short", 0
    if size < 5:
        return "no room for a command", 0
    check = 0
    for byte in data[at : at + size]:
        check ^= byte
    return ("checksum" if check else ""), size


def _meaning(command: int, data: bytes) -> FromHost:
    if command in PLAIN:
        return Unlisted(command, data, "too long for this command") if data else Ordered(PLAIN[command])
    if command == 0x31:
        known = len(data) == 1 and data[0] in BAUDS
        return BaudSet(BAUDS[data[0]]) if known else Unlisted(command, data, "baud")
    if command != 0x01:
        return Unlisted(command, data, "command")
    if not data or data[0] >> 7 or data[0] & 0b111 not in CODECS:
        return Unlisted(command, data, "encoding")
    if len(data) - 1 > TEXT_BYTES:
        return Unlisted(command, data, "more than 200 bytes of text")
    codec = CODECS[data[0] & 0b111]
    try:
        return Spoken(data[1:].decode(codec), codec, data[0] >> 3)
    except UnicodeDecodeError:
        return Unlisted(command, data, f"no {codec} text")


def _mark(tag: re.Match[str]) -> tuple[str, int | None] | None:
    """The mark, or None where its number lies outside the table's range: then it is text."""
    if tag[3]:
        return "d", None
    return (tag[1], int(tag[2])) if int(tag[2]) <= TAG_LIMITS[tag[1]] else None
