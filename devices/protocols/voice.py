"""What a voice module is asked and tells, whatever its kind; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Generic, Literal, Protocol, TypeVar

from devices.protocols.base import Ignored, Mute, Send

FrameT = TypeVar("FrameT")

Outcome = Literal["spoken", "failed", "unknown"]


class Sign(Enum):
    """What a module's frame says of it."""

    READY = auto()
    """It has just been powered up: whatever sounded does no more."""
    TAKEN = auto()
    REFUSED = auto()
    """It did not take the last frame; another try may help."""
    FAILED = auto()
    """It cannot do what was asked, however often."""
    BUSY = auto()
    IDLE = auto()
    """Nothing sounds: an answer, or told by itself at the end of a speech."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A sign, and what the module says of its reason."""

    sign: Sign
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Part(Generic[FrameT]):
    """What one frame makes sound: for `likely_ms`, surely longer than `least_ms`, after `pause_ms` of silence."""

    frame: FrameT
    likely_ms: int
    pause_ms: int = 0

    @property
    def least_ms(self) -> int:
        """Nobody speaks three times as fast as the estimate: an end before this is none."""
        return self.likely_ms // 3


class Unsayable(ValueError):
    """The module cannot say this; the text tells what."""


class Dialect(Protocol[FrameT]):
    """How one kind of module is told what to say, and what its answers mean."""

    @property
    def ask(self) -> FrameT:
        """Asks whether something sounds."""

    @property
    def stop(self) -> FrameT:
        """Ends what sounds."""

    def set_volume(self, percent: int) -> FrameT | None:
        """A frame of its own for the volume; None when the parts carry it."""

    def parts(self, tokens: Sequence[str], volume: int, *, chime: bool) -> list[Part[FrameT]]:
        """The tokens (displays.speech) in frames, after a chime where the module has one; raises Unsayable."""

    def understand(self, frame: FrameT) -> Heard | Ignored:
        """What a frame of the module means."""


@dataclass(frozen=True, slots=True)
class SpeechSettings:
    """`reply_ms`, `tries`: HARDWARE 7.2. `poll_ms`: between questions while it sounds longer than thought.

    `watch_ms`: between signs of life. `repeat_ms`: silence before a repetition, of UX V-03's 0.6 s what the server's round
    does not take. `idle_words`: how often in a
    row it must say that it is idle before that is believed; 1 only where frames carry a sum and nothing flickers.
    """

    reply_ms: int = 500
    tries: int = 3
    poll_ms: int = 1_000
    watch_ms: int = 5_000
    repeat_ms: int = 400
    idle_words: int = 2

    def __post_init__(self) -> None:
        if min(self.reply_ms, self.tries, self.poll_ms, self.watch_ms, self.idle_words) < 1 or self.repeat_ms < 0:
            raise ValueError("times and counts of a voice module are at least 1")


@dataclass(frozen=True, slots=True)
class Phrase:
    """Say `tokens` at `volume` percent; not at all when it cannot begin before `expires_ms`.

    It `follows` what sounded just before, as its repetition: after a silence, without a chime.
    """

    id: str
    tokens: tuple[str, ...]
    volume: int
    expires_ms: int
    follows: bool = False


@dataclass(frozen=True, slots=True)
class Started:
    """The first sound of a phrase."""

    id: str


@dataclass(frozen=True, slots=True)
class Ended:
    """A phrase is over, once and for all: spoken (to its end), failed (nothing sounded) or unknown."""

    id: str
    outcome: Outcome
    reason: str = ""


SpeechOutput = Send[FrameT] | Started | Ended | Mute | Ignored


def loudness(percent: int, loudest: int) -> int:
    """Percent on a module's own scale, 0 to `loudest`; what is to be heard at all is never rounded to silence (UX V-10)."""
    return max(int(percent > 0), round(max(0, min(100, percent)) * loudest / 100))
