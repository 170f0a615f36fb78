"""Frames that say whose they are, for lines on which several protocols are spoken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from devices.framing.codec import AnyCodec
from devices.framing.stream import Grammar, Match, Miss


@dataclass(frozen=True, slots=True)
class Heard:
    """A frame and its codec: two protocols may use one type of frame."""

    codec: AnyCodec
    frame: Any


@dataclass(frozen=True, slots=True)
class Named:
    """A grammar of a codec, as a grammar of `Heard`."""

    codec: AnyCodec
    grammar: Grammar[Any]

    @property
    def longest(self) -> int:
        return self.grammar.longest

    @property
    def leads(self) -> bytes:
        return self.grammar.leads

    def scan(self, stream: bytes | bytearray, at: int) -> Match[Heard] | Miss:
        found = self.grammar.scan(stream, at)
        return Match(Heard(self.codec, found.frame), found.length) if isinstance(found, Match) else found
