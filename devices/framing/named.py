"""Frames that say whose they are and who sends them, for lines on which several protocols are spoken."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from devices.framing.codec import AnyCodec
from devices.framing.stream import Grammar, Match, Miss


@dataclass(frozen=True, slots=True)
class Heard:
    """A frame and its codec, for two protocols may use one type of frame; who sends such frames, and its bytes."""

    codec: AnyCodec
    frame: Any
    side: str
    raw: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Named:
    """A grammar of a codec, as a grammar of `Heard`. `side`: device, host, or either where one grammar serves both."""

    codec: AnyCodec
    grammar: Grammar[Any]
    side: str

    @property
    def longest(self) -> int:
        return self.grammar.longest

    @property
    def leads(self) -> bytes:
        return self.grammar.leads

    def scan(self, stream: bytes | bytearray, at: int) -> Match[Heard] | Miss:
        found = self.grammar.scan(stream, at)
        return self.named(found, stream, at) if isinstance(found, Match) else found

    def named(self, found: Match[Any], stream: bytes | bytearray, at: int) -> Match[Heard]:
        """What its grammar found, with its names."""
        return Match(Heard(self.codec, found.frame, self.side, bytes(stream[at : at + found.length])), found.length)
