"""Presses told from what the old system answers: FF68 keypads share one kind of frame with their host's echo."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any, Final

from devices.framing.codec import AnyCodec
from devices.framing.ff68 import Ff68Frame
from devices.framing.template import TemplateFrame
from devices.protocols import templated
from devices.protocols.keypad import BEEP, CELLS, PRESSED, SHOW
from devices.protocols.rating import ACKNOWLEDGE, EVALUATE, RATED

REPEAT_MS: Final = 1_500
"""The same frame again within this time is the host's echo or the device's repetition, not a new press."""
ADDRESSES_LIMIT: Final = 256
KEYS_LIMIT: Final = 64
RATING_FROM: Final = 0x80
"""HallQueFront's rating devices lie above, its keypads below (HARDWARE 1.1)."""


@dataclass(frozen=True, slots=True)
class Press:
    """A key of a keypad with the digits typed before it, or of a rating device."""

    at_ms: int
    codec: AnyCodec
    address: int
    rating: bool
    digits: str
    key: int


@dataclass(frozen=True, slots=True)
class Unread:
    """A press of a device that nobody knows: its frame, and the bursts just `after` it in their order."""

    at_ms: int
    rating: bool
    raw: bytes
    after: tuple[bytes, ...] = ()


@dataclass(slots=True)
class Pad:
    """What is known of an address: keys and rating keys by count, and what the host did to it."""

    keys: Counter[tuple[str, int]] = field(default_factory=Counter)
    rates: Counter[int] = field(default_factory=Counter)
    shows: int = 0
    acks: Counter[str] = field(default_factory=Counter)
    invites: int = 0
    last: dict[bool, tuple[Hashable, int]] = field(default_factory=dict)
    waiting: Press | None = None

    @property
    def keypad(self) -> bool:
        """Whether it is certainly one: cells were shown, or a key other than the one that starts an evaluation was pressed."""
        return bool(self.shows) or any(("", EVALUATE[0]) != pressed for pressed in self.keys)


class Presses:
    """The keypads and rating devices of one protocol, by address."""

    def __init__(self, codec: AnyCodec, *, rating: bool = False) -> None:
        self.codec = codec
        self._rating = rating
        """Whether a template's presses are those of rating devices."""
        self.pads: dict[int, Pad] = {}

    def hear(self, frame: Any, at_ms: int) -> list[Press]:
        """A frame of either side; the presses that it tells, possibly an earlier one."""
        if frame.address is None:  # an answer to whoever pressed
            return []
        if frame.address not in self.pads and len(self.pads) >= ADDRESSES_LIMIT:
            return []
        pad = self.pads.setdefault(frame.address, Pad())
        match frame:
            case Ff68Frame():
                return self._ff68(pad, frame, at_ms)
            case TemplateFrame(name=templated.PRESSED, key=int(key)):
                return self._new(pad, self._press(frame, at_ms, self._rating, frame.body, key))
            case _:
                pad.shows += isinstance(frame, TemplateFrame) and frame.name == templated.SHOW
                return []

    def tick(self, now_ms: int) -> list[Press]:
        """Presses that nobody echoed: from a keypad whose host is off."""
        found = []
        for pad in self.pads.values():
            if pad.waiting is not None and now_ms - pad.waiting.at_ms >= REPEAT_MS:
                found += self._confirmed(pad)
        return found

    def _press(self, frame: Any, at_ms: int, rating: bool, typed: bytes, key: int) -> Press:
        digits = "".join(chr(byte) if 0x30 <= byte <= 0x39 else str(byte) for byte in typed)
        return Press(at_ms, self.codec, frame.address, rating, digits, key)

    def _new(self, pad: Pad, press: Press) -> list[Press]:
        """A press that is one by its frame alone, unless it repeats the last one."""
        same = self._repeats(pad, press.rating, (press.digits, press.key), press.at_ms)
        return [] if same else self._counted(pad, press)

    @staticmethod
    def _repeats(pad: Pad, rating: bool, said: Hashable, at_ms: int) -> bool:
        last, pad.last[rating] = pad.last.get(rating), (said, at_ms)
        return last is not None and last[0] == said and at_ms - last[1] < REPEAT_MS

    @staticmethod
    def _counted(pad: Pad, press: Press) -> list[Press]:
        if press.rating:
            if press.key in pad.rates or len(pad.rates) < KEYS_LIMIT:
                pad.rates[press.key] += 1
        elif (press.digits, press.key) in pad.keys or len(pad.keys) < KEYS_LIMIT:
            pad.keys[press.digits, press.key] += 1
        return [press]

    def _confirmed(self, pad: Pad) -> list[Press]:
        press, pad.waiting = pad.waiting, None
        return [] if press is None else self._counted(pad, press)

    def _ff68(self, pad: Pad, frame: Ff68Frame, at_ms: int) -> list[Press]:
        match frame:
            case Ff68Frame(function=function, data=data) if function == RATED and len(data) == 1:
                return self._new(pad, self._press(frame, at_ms, True, b"", data[0]))
            case Ff68Frame(function=function, data=b"", lead=False) if function == ACKNOWLEDGE:
                pad.acks["b"] += 1
            case _ if self._acknowledged(pad, frame, at_ms):
                pad.acks["a"] += 1
            case Ff68Frame(function=function, data=data) if function == PRESSED and _typed(data):
                return self._key(pad, frame, at_ms)
            case Ff68Frame(function=function, data=data) if function == BEEP or (
                function == SHOW and len(data) == CELLS
            ):
                pad.shows += 1
            case _:
                pass
        return []

    def _key(self, pad: Pad, frame: Ff68Frame, at_ms: int) -> list[Press]:
        if frame.data == EVALUATE and not pad.keypad and (pad.rates or frame.address > RATING_FROM):
            pad.invites += 1
            return []
        if self._repeats(pad, False, frame.data, at_ms):
            return self._confirmed(pad)
        before = self._confirmed(pad)
        pad.waiting = self._press(frame, at_ms, False, frame.data[:-1], frame.data[-1])
        return before

    @staticmethod
    def _acknowledged(pad: Pad, frame: Ff68Frame, at_ms: int) -> bool:
        """Whether it echoes the level that this address has just sent."""
        rated = pad.last.get(True)
        if frame.function != ACKNOWLEDGE or len(frame.data) != 1 or rated is None:
            return False
        return rated[0] == ("", frame.data[0]) and at_ms - rated[1] < REPEAT_MS


def _typed(data: bytes) -> bool:
    """Digits and a key: keys begin where digits end, so an acknowledged level is none."""
    return bool(data) and data[-1] >= 10 and all(digit < 10 for digit in data[:-1])
