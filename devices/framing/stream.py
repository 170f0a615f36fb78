"""One byte stream cut into the frames of several protocols that share a line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final, Generic, Protocol, TypeVar

FrameT = TypeVar("FrameT")
FrameT_co = TypeVar("FrameT_co", covariant=True)


class Miss(Enum):
    """Why no frame starts at a position."""

    MORE = "more"
    """Nothing wrong so far: more bytes decide."""
    NOISE = "noise"
    """Not the start of a frame."""
    CHECKSUM = "checksum"
    """Whole and well-formed, but the sum or the last byte is wrong."""


@dataclass(frozen=True, slots=True)
class Match(Generic[FrameT_co]):
    """A frame and how many bytes of the stream it takes."""

    frame: FrameT_co
    length: int


@dataclass(frozen=True, slots=True)
class Garbage:
    """Bytes that belong to no frame of the line's protocols; `checksums` counts frames among them with a bad sum."""

    data: bytes
    checksums: int = 0


class Grammar(Protocol[FrameT_co]):
    """How one protocol's frames look in a stream."""

    @property
    def longest(self) -> int:
        """No frame takes more bytes; `scan` never answers MORE to this many."""

    @property
    def leads(self) -> bytes:
        """The bytes a frame can start with."""

    def scan(self, stream: bytes | bytearray, at: int) -> Match[FrameT_co] | Miss:
        """What starts at `at` (which is inside `stream`)."""


_SLICE: Final = 4096


class Framer(Generic[FrameT]):
    """Feeds a line's bytes to its grammars, the first that matches wins; what none understands is dropped bytewise.

    The result does not depend on how the bytes are chunked. At most the longest grammar's frame is held back.
    """

    def __init__(self, grammars: Sequence[Grammar[FrameT]]) -> None:
        self._grammars = tuple(grammars)
        leads = re.escape(b"".join(g.leads for g in self._grammars))
        self._lead = re.compile(b"[" + leads + b"]" if leads else b"(?!)")  # devices may have nothing to say
        self._buffer = bytearray()

    @property
    def held(self) -> int:
        """Bytes that wait for the rest of a possible frame."""
        return len(self._buffer)

    def feed(self, data: bytes) -> list[FrameT | Garbage]:
        """The frames and garbage that `data` completes, in the order of the line."""
        found: list[FrameT | Garbage] = []
        for start in range(0, len(data), _SLICE):
            self._buffer += data[start : start + _SLICE]
            self._cut(found, final=False)
        return found

    def flush(self) -> list[FrameT | Garbage]:
        """The line has been silent: what is held is not going to be completed, frames inside it are given out."""
        found: list[FrameT | Garbage] = []
        self._cut(found, final=True)
        return found

    def _cut(self, found: list[FrameT | Garbage], *, final: bool) -> None:
        kept, at, bad = 0, 0, 0  # what lies between `kept` and `at` is garbage
        while lead := self._lead.search(self._buffer, at):
            at = lead.start()
            match self._at(at, final=final):
                case Match(frame, length):
                    self._drop(found, kept, at, bad)
                    found.append(frame)
                    kept = at = at + length
                    bad = 0
                case Miss.MORE:
                    break
                case miss:
                    at += 1
                    bad += miss is Miss.CHECKSUM
        else:
            at = len(self._buffer)
        self._drop(found, kept, at, bad)
        del lead  # its match keeps the buffer from shrinking
        del self._buffer[:at]

    def _at(self, at: int, *, final: bool) -> Match[FrameT] | Miss:
        worst = Miss.NOISE
        for grammar in self._grammars:
            result = grammar.scan(self._buffer, at)
            # An undecided grammar holds the later ones back, else the chunking would choose between them.
            if isinstance(result, Match) or (result is Miss.MORE and not final):
                return result
            if result is Miss.CHECKSUM:
                worst = result
        return worst

    def _drop(self, found: list[FrameT | Garbage], start: int, end: int, bad: int) -> None:
        if start == end:
            return
        piece = bytes(self._buffer[start:end])
        found.append(Garbage(piece, bad))
