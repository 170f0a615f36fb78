"""Rating devices: presses that are acknowledged only when stored, invitations, stars; FF68 is one (HARDWARE 1.1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Generic, TypeVar

from devices.framing.ff68 import Ff68Frame
from devices.protocols.base import Ignored, Send

FrameT = TypeVar("FrameT")
RATED: Final = 0x11
ACKNOWLEDGE: Final = 0x01
STARS: Final = 0x02
EVALUATE: Final = b"\x0b"
STAR_LIMIT: Final = 5

HALL_QUEUE_FRONT_LEVELS: Final[Mapping[int, int]] = MappingProxyType({0: 1, 1: 2, 2: 3, 3: 4, 4: 5})
"""0 差 1 一般 2 较好 3 好 4 很好 (HardWareDef.h); the other source disagrees, so no device gets this table unasked."""


class AckVariant(StrEnum):
    """How a press is acknowledged: A echoes the level (JackQChen), B is bare and without the FF lead (HallQueFront)."""

    A = "a"
    B = "b"


@dataclass(frozen=True, slots=True)
class RatingSettings:
    """`levels`: the device's level byte to 5…1 of RULES 1.4, stated per device (RULES 43).

    `starts`: tell the device of an invitation (FF68: 0B). At an address shared with a keypad that frame equals the keypad's own echoed
    key (HARDWARE 7.5), and that key already starts the device: set it False there.
    """

    levels: Mapping[int, int]
    ack: AckVariant = AckVariant.A
    starts: bool = True
    repeat_ms: int = 1000

    def __post_init__(self) -> None:
        if not self.levels or any(level not in range(1, 6) for level in self.levels.values()):
            raise ValueError(f"a level map goes from the device's bytes to 1…5: {dict(self.levels)}")


@dataclass(frozen=True, slots=True)
class Press:
    """A rating pressed; acknowledge it with `stored(token)` once it is on disk (law 8)."""

    token: int
    level: int


RatingOutput = Send[FrameT] | Press | Ignored


@dataclass(slots=True)
class _Last:
    key: int
    seen_ms: int
    token: int
    stored: bool = False


class RatingTalk(Generic[FrameT]):
    """One rating device's conversation. Times are milliseconds of any clock that never goes back.

    A protocol implements `key`, and as many of `echo`, `starter` and `stars` as its devices understand.
    """

    repeats = True
    """Whether its devices say a press again until it is acknowledged; of one that does not, each press comes once."""

    def __init__(self, address: int, settings: RatingSettings) -> None:
        self._address = address
        self._settings = settings
        self._last: _Last | None = None
        self._waiting: dict[int, FrameT] = {}
        self._token = 0
        self._invited_until_ms: int | None = None

    def key(self, frame: FrameT) -> int | None:
        """The level byte of a press, None when the frame is none."""
        raise NotImplementedError

    def echo(self, frame: FrameT) -> FrameT | None:
        """The acknowledgement of a press."""
        return None

    def starter(self) -> FrameT | None:
        """Ask the citizen for a rating."""
        return None

    def stars(self, stars: int) -> FrameT | None:
        """Show the clerk's star level, 0…5."""
        return None

    def receive(self, frame: FrameT, now_ms: int) -> list[RatingOutput[FrameT]]:
        """A frame from the device; the same level again within `repeat_ms` is a repetition unless invited since."""
        key = self.key(frame)
        if key is None:
            return [Ignored(f"no press: {frame}")]
        last = self._last
        if last is not None and last.key == key and now_ms - last.seen_ms < self._settings.repeat_ms:
            last.seen_ms = now_ms
            return [*self._ack(frame)] if last.stored else []
        self._invited_until_ms = None
        level = self._settings.levels.get(key)
        self._token += 1
        self._last = _Last(key, now_ms, self._token, stored=level is None)
        if level is None:
            # Acknowledged, else the device would repeat it for ever; the device's health says what is wrong.
            return [*self._ack(frame), Ignored(f"level {key:02X} is not in the level map")]
        self._waiting[self._token] = frame
        return [Press(self._token, level)]

    def stored(self, token: int) -> list[Send[FrameT]]:
        """The press is durable: acknowledge it."""
        frame = self._waiting.pop(token, None)
        if frame is None:
            return []
        if self._last is not None and self._last.token == token:
            self._last.stored = True
        return self._ack(frame)

    def lost(self, token: int) -> None:
        """The press could not be stored: not acknowledged, and the device's repetition counts as a new press."""
        self._waiting.pop(token, None)
        if self._last is not None and self._last.token == token:
            self._last = None

    def invite(self, until_ms: int) -> list[Send[FrameT]]:
        """A new service may be rated until then: the same level is no repetition any more."""
        self._last = None
        self._invited_until_ms = until_ms
        return self._start()

    def skip(self, for_ms: int) -> None:
        """For so long nothing could be heard: a press whose acknowledgement was lost with the line is repeated only now."""
        if self._last is not None:
            self._last.seen_ms += for_ms

    def line_up(self, now_ms: int) -> list[Send[FrameT]]:
        """The line is open (again): an invitation that still stands may not have arrived."""
        return self._start() if self._invited_until_ms is not None and now_ms < self._invited_until_ms else []

    def _start(self) -> list[Send[FrameT]]:
        frame = self.starter() if self._settings.starts else None
        return [] if frame is None else [Send(frame, "invite")]

    def show_stars(self, stars: int) -> list[Send[FrameT]]:
        """Show the clerk's star level, 0…5; an FF68 device powers up at 5."""
        if not 0 <= stars <= STAR_LIMIT:
            raise ValueError(f"stars are 0…5: {stars}")
        frame = self.stars(stars)
        return [] if frame is None else [Send(frame, "stars")]

    def _ack(self, frame: FrameT) -> list[Send[FrameT]]:
        echo = self.echo(frame)
        return [] if echo is None else [Send(echo)]


class RatingProtocol(RatingTalk[Ff68Frame]):
    """An FF68 rating device."""

    def key(self, frame: Ff68Frame) -> int | None:
        return frame.data[0] if frame.function == RATED and len(frame.data) == 1 else None

    def echo(self, frame: Ff68Frame) -> Ff68Frame:
        match self._settings.ack:
            case AckVariant.A:
                return Ff68Frame(self._address, ACKNOWLEDGE, frame.data)
            case AckVariant.B:
                return Ff68Frame(self._address, ACKNOWLEDGE, b"", lead=False)

    def starter(self) -> Ff68Frame:
        return Ff68Frame(self._address, ACKNOWLEDGE, EVALUATE)

    def stars(self, stars: int) -> Ff68Frame:
        return Ff68Frame(self._address, STARS, bytes((stars,)))
