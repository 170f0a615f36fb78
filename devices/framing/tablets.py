"""What network rating tablets say: `S..E` texts, one a datagram or connection, and JSON objects (HARDWARE 1.2)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Final

from devices.framing.codec import Codec
from devices.framing.stream import Match, Miss

LONGEST_TEXT: Final = 4096
LONGEST_OBJECT: Final = 64 * 1024
DEEPEST: Final = 16
"""Braces within braces of an object; without an end to that, each brace of a flood would be followed for the longest object."""
_MARKS: Final = re.compile(rb'["{}\\]')


@dataclass(frozen=True, slots=True)
class TabletText:
    """One whole text of the S protocol, UTF-8; nothing in it marks its end, so the transport must keep texts apart."""

    text: str

    def __post_init__(self) -> None:
        if not self.text or len(self.text.encode("utf-8", "replace")) > LONGEST_TEXT:
            raise ValueError(f"a text of a tablet has 1 to {LONGEST_TEXT} bytes")


@dataclass(frozen=True, slots=True)
class TabletTextGrammar:
    """What came together is one text."""

    @property
    def longest(self) -> int:
        return LONGEST_TEXT

    @property
    def leads(self) -> bytes:
        return bytes(range(256))

    def scan(self, stream: bytes | bytearray, at: int) -> Match[TabletText] | Miss:
        raw = bytes(stream[at : at + LONGEST_TEXT])
        try:
            return Match(TabletText(raw.decode()), len(raw))
        except UnicodeDecodeError:
            return Miss.NOISE


@dataclass(frozen=True, slots=True)
class JsonObject:
    """One JSON object, as its text."""

    text: str

    def __post_init__(self) -> None:
        if not isinstance(json.loads(self.text), dict):  # JSONDecodeError is a ValueError
            raise ValueError("a message of a tablet is a JSON object")


@dataclass(frozen=True, slots=True)
class JsonGrammar:
    """Finds objects by their outer braces, however they were cut."""

    @property
    def longest(self) -> int:
        return LONGEST_OBJECT

    @property
    def leads(self) -> bytes:
        return b"{"

    def scan(self, stream: bytes | bytearray, at: int) -> Match[JsonObject] | Miss:
        if stream[at] != b"{"[0]:
            return Miss.NOISE  # another protocol of the line begins there
        limit = at + LONGEST_OBJECT
        end = _object_end(stream, at, limit)
        if end is None:
            return Miss.NOISE
        if not end:
            return Miss.MORE if len(stream) < limit else Miss.NOISE
        try:
            return Match(JsonObject(bytes(stream[at:end]).decode()), end - at)
        except (ValueError, RecursionError):
            return Miss.NOISE


def _object_end(stream: bytes | bytearray, at: int, limit: int) -> int | None:
    """Where the brace that opens at `at` is closed; 0 when it is not within what there is, None when it is too deep for an object."""
    depth, quoted = 0, False
    while mark := _MARKS.search(stream, at, limit):
        at = mark.end()
        match mark.group():
            case b"\\":
                at += quoted  # what is escaped ends nothing
            case b'"':
                quoted = not quoted
            case _ if quoted:
                pass
            case b"{":
                depth += 1
                if depth > DEEPEST:
                    return None
            case _:
                depth -= 1
                if not depth:
                    return at
    return 0


def _nobody(frame: TabletText | JsonObject) -> None:
    """A tablet has its line to itself and no address."""


def _encode(frame: TabletText | JsonObject) -> bytes:
    return frame.text.encode()


S_TEXTS: Final[Codec[TabletText]] = Codec("S texts", (TabletTextGrammar(),), _encode, address=_nobody, alone=True)
JSON_OBJECTS: Final[Codec[JsonObject]] = Codec("JSON objects", (JsonGrammar(),), _encode, address=_nobody)
