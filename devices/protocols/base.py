"""What every protocol hands to its line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

FrameT_co = TypeVar("FrameT_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Send(Generic[FrameT_co]):
    """A frame for the line.

    `slot` empty: an acknowledgement, sent before everything else. Otherwise the newest frame of a device's slot replaces
    one that still waits. `in_turn`: none is replaced, all are sent in their order (speech, commands to a card).
    `refresh`: it tells nothing new (the next page, a text sent again), and everything that does goes before it.
    `follows`: the frame that must come soon after this one (what is made dark is lit again): this one is sent only when the
    line has time for both now, else its driver is told that it was dropped.
    `reply_ms`: keep the line free for the device's answer, at most this long; whether to try again is the protocol's.
    """

    frame: FrameT_co
    slot: str = ""
    reply_ms: int = 0
    in_turn: bool = False
    refresh: bool = False
    follows: FrameT_co | None = None


@dataclass(frozen=True, slots=True)
class Ignored:
    """A whole frame that means nothing here; `reason` is for the device's health."""

    reason: str


@dataclass(frozen=True, slots=True)
class Mute:
    """The device has answered none of several questions."""
