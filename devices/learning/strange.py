"""Unknown bursts that come while a question is open: which of them is the press, told by what comes again or by a sum."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final

from devices.learning.answers import Answers, Step
from devices.learning.padshape import LONGEST, SHORTEST, alike, differing
from devices.learning.polls import Polls
from devices.learning.presses import Unread
from devices.learning.shapes import Burst

AGAIN_MS: Final = 1_000
"""After this silence the same bytes are a second press, not a repetition or an echo."""
AFTER_MS: Final = 700
"""What comes within this time of a press may answer it."""
LOG_LIMIT: Final = 1_000
_ADDRESS_BYTES: Final = 2


class Sign(Enum):
    """What a burst is to the question."""

    NOTHING = auto()
    UNSURE = auto()
    """It may be the press: the same once more decides."""
    PRESS = auto()
    SAME = auto()
    """The answer to an earlier question about this window."""
    ELSEWHERE = auto()
    """A press at another window."""


@dataclass(slots=True)
class Strange:
    """One question."""

    answers: Answers
    step: Step
    polls: Polls
    pressed: bytes = b""
    sure: bool = False
    """Whether a sum tells that it is a press."""
    polled: bool = False
    """Whether what was taken for the press came again by itself."""
    log: list[Burst] = field(default_factory=list)
    _seen: dict[bytes, int] = field(default_factory=dict)
    _judged: dict[bytes, bool] = field(default_factory=dict)
    _more: bool = False
    _began: int = 0

    def hear(self, burst: Burst) -> Sign:
        """A burst; PRESS once, then `answer` when the line had time to answer."""
        signs = [self._hear(Burst(burst.at_ms, part)) for part in self.polls.parts(burst.raw)]
        return next(
            (sign for sign in (Sign.PRESS, Sign.SAME, Sign.ELSEWHERE, Sign.UNSURE) if sign in signs), Sign.NOTHING
        )

    def _hear(self, burst: Burst) -> Sign:
        del self.log[:-LOG_LIMIT]
        self.log.append(burst)
        raw = burst.raw
        if self.pressed:
            again_ms, self._seen[raw] = burst.at_ms - self._seen.get(raw, burst.at_ms), burst.at_ms
            self.polled |= raw == self.pressed and not self.sure and again_ms >= AGAIN_MS
            return Sign.NOTHING
        if self.polls.never(raw) or self._answers(raw) or not SHORTEST <= len(raw) <= LONGEST:
            return Sign.NOTHING
        last_ms, self._seen[raw] = self._seen.get(raw), burst.at_ms
        if (before := self.answers.asked_before(raw)) is not None and before != self.step:
            return Sign.SAME if before.window == self.step.window else Sign.ELSEWHERE
        again = last_ms is not None and burst.at_ms - last_ms >= AGAIN_MS
        sure = alike(raw, self._others(), _ADDRESS_BYTES)
        if again or (sure and (self.step.first or alike(raw, self._own(), 0))):
            self.pressed, self._began, self.sure = raw, burst.at_ms, sure
            return Sign.PRESS
        if last_ms is not None or (self.step.level and len(self._own()) > 1):
            return Sign.NOTHING  # levels are all alike, and known by now
        return Sign.UNSURE

    def _answers(self, raw: bytes) -> bool:
        """Whether the old system has answered so to other presses."""
        return sum(isinstance(press, Unread) and raw in press.after for press in self.answers.given.values()) > 1

    def _own(self) -> list[bytes]:
        return [press.raw for press in self.answers.unread(self.step.window, rating=bool(self.step.level)).values()]

    def _others(self) -> list[bytes]:
        windows = self.answers.windows
        return [p.raw for w in windows for p in self.answers.unread(w, rating=bool(self.step.level)).values()]

    @property
    def more(self) -> bool:
        """Whether another press of the same kind came with this one: at another window, or of digits that are frames of their own."""
        self._more = self._more or any(map(self._other, dict.fromkeys(burst.raw for burst in self.log)))
        return self._more

    def _other(self, raw: bytes) -> bool:
        if raw == self.pressed or self.answers.asked_before(raw) is not None:
            return False  # what was pressed too often for the question before
        if self.polls.never(raw) or self._answers(raw):
            return False
        if raw not in self._judged:  # to look for a sum takes long, and a line that talks brings many
            self._judged[raw] = self._same_kind(raw)
        return self._judged[raw]

    def _same_kind(self, raw: bytes) -> bool:
        if not self.step.first:
            return alike(raw, self._own(), 0)
        others = self._others()
        places = differing(self.pressed, others)
        elsewhere = any(raw[at : at + 1] != self.pressed[at : at + 1] for at in places)
        return elsewhere and differing(raw, others) <= places and alike(raw, others, _ADDRESS_BYTES)

    @property
    def answer(self) -> Unread:
        """The press, and what came after it."""
        after = [
            burst.raw
            for burst in self.log
            if 0 <= burst.at_ms - self._began <= AFTER_MS and not self.polls.always(burst.raw)
        ]
        at = after.index(self.pressed) + 1 if self.pressed in after else 0
        return Unread(self._began, bool(self.step.level), self.pressed, tuple(after[at:]))
