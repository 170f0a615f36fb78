"""The conversation with a voice module: phrases said one after the other, each to its end (HARDWARE 3, UX V-05); pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final, Generic, TypeVar

from devices.protocols.base import Ignored, Mute, Send
from devices.protocols.voice import (
    Dialect,
    Ended,
    Part,
    Phrase,
    Sign,
    SpeechOutput,
    SpeechSettings,
    Started,
    Unsayable,
)

FrameT = TypeVar("FrameT")

QUEUE_LIMIT: Final = 16
"""Phrases that may wait; one more fails as `full`. The server sends one at a time, so these are tests and repeats."""
ENDLESS_MS: Final = 10_000
"""A part may sound three times its likely time and this; then it is stopped."""
RETRY_MS: Final = 100
"""Pause before a refused frame is sent again, and before it is asked once more whether it is really idle."""

_ASK: Final = "ask"
_PART: Final = "part"
_OTHER: Final = "other"


class _Phase(Enum):
    DOWN = auto()
    UNSURE = auto()
    """Nothing is sent before it says that it is idle: a new phrase would cut off the one that sounds."""
    REST = auto()
    GIVEN = auto()
    SOUND = auto()


@dataclass(slots=True)
class _Saying(Generic[FrameT]):
    phrase: Phrase
    parts: list[Part[FrameT]]
    index: int = 0
    attempt: int = 0
    sent_ms: int | None = None
    started: bool = False


class SpeechProtocol(Generic[FrameT]):
    """One module. When a `Send` has left the driver calls `sent` with its slot. Times never go back."""

    def __init__(self, dialect: Dialect[FrameT], settings: SpeechSettings | None = None) -> None:
        self._dialect = dialect
        self._settings = settings or SpeechSettings()
        self._phase = _Phase.DOWN
        self._waiting: deque[_Saying[FrameT]] = deque()
        self._saying: _Saying[FrameT] | None = None
        self._asking = False
        self._asked_ms: int | None = None
        self._unanswered = 0
        self._idles = 0
        self._idle_early = False
        self._mute = False
        self._volume: int | None = None
        self._resume_ms = 0
        self._due_ms: int | None = None

    @property
    def busy(self) -> bool:
        """Whether a phrase waits or sounds."""
        return self._saying is not None or bool(self._waiting)

    # The line.

    def line_up(self, now_ms: int) -> list[SpeechOutput[FrameT]]:
        """The line is open: what the module does is not known."""
        self._asking, self._mute, self._volume = False, False, None
        self._phase, self._unanswered, self._idles = _Phase.UNSURE, 0, 0
        return self._ask()

    def line_down(self) -> list[SpeechOutput[FrameT]]:
        """The line is gone: what had begun is unknown, the rest has failed."""
        outputs: list[SpeechOutput[FrameT]] = []
        if self._saying is not None:
            outputs.append(self._judge("offline", silent=self._phase is _Phase.REST))
        self._phase, self._due_ms, self._asking = _Phase.DOWN, None, False
        return outputs + self._fail_waiting("offline")

    def sent(self, slot: str, now_ms: int) -> None:
        """A frame has left."""
        if slot == _ASK and self._asking:
            self._asked_ms = now_ms
        elif slot == _PART and self._phase is _Phase.GIVEN and self._saying is not None:
            self._saying.sent_ms = now_ms
            self._due_ms = now_ms + self._settings.reply_ms

    def _ask(self) -> list[SpeechOutput[FrameT]]:
        if self._asking:
            return []
        self._asking, self._asked_ms = True, None
        return [Send(self._dialect.ask, _ASK, in_turn=True)]

    # Phrases.

    def say(self, phrase: Phrase, now_ms: int) -> list[SpeechOutput[FrameT]]:
        """Say this after what was asked for earlier."""
        if self._phase is _Phase.DOWN or self._mute or len(self._waiting) >= QUEUE_LIMIT:
            why = "offline" if self._phase is _Phase.DOWN else "no answer" if self._mute else "full"
            return [Ended(phrase.id, "failed", why)]
        try:
            parts = self._dialect.parts(phrase.tokens, phrase.volume, chime=not phrase.follows)
        except Unsayable as error:
            return [Ended(phrase.id, "failed", str(error))]
        if not parts:
            return [Ended(phrase.id, "failed", "nothing to say")]
        self._waiting.append(_Saying(phrase, parts))
        return self._go(now_ms)

    def _go(self, now_ms: int) -> list[SpeechOutput[FrameT]]:
        """Give the module its next part if it rests and nothing is open."""
        if self._phase is not _Phase.REST or self._asking:
            return []
        outputs = self._expire(now_ms)
        if self._saying is None:
            if not self._waiting:
                return outputs
            self._saying = self._waiting.popleft()
            self._resume_ms = now_ms + self._settings.repeat_ms * self._saying.phrase.follows
        if now_ms < self._resume_ms:
            self._due_ms = self._resume_ms
            return outputs
        saying, self._phase, self._due_ms = self._saying, _Phase.GIVEN, None
        saying.attempt += 1
        saying.sent_ms, self._idles = None, 0
        volume = saying.phrase.volume
        if volume != self._volume and (frame := self._dialect.set_volume(volume)) is not None:
            outputs.append(Send(frame, _OTHER, in_turn=True))
        self._volume = volume
        return [*outputs, Send(saying.parts[saying.index].frame, _PART, in_turn=True)]

    def _expire(self, now_ms: int) -> list[SpeechOutput[FrameT]]:
        late = [saying for saying in self._waiting if now_ms >= saying.phrase.expires_ms]
        for saying in late:
            self._waiting.remove(saying)
        return [Ended(saying.phrase.id, "failed", "expired") for saying in late]

    def _fail_waiting(self, reason: str) -> list[SpeechOutput[FrameT]]:
        ended: list[SpeechOutput[FrameT]] = [Ended(each.phrase.id, "failed", reason) for each in self._waiting]
        self._waiting.clear()
        return ended

    def _judge(self, reason: str, *, silent: bool) -> Ended:
        """End the phrase; `silent`: of the part in hand surely nothing sounded."""
        saying, self._saying = self._saying, None
        assert saying is not None
        return Ended(saying.phrase.id, "failed" if silent and not saying.index else "unknown", reason)

    def _break(self, reason: str, *, silent: bool) -> list[SpeechOutput[FrameT]]:
        """End the phrase, and learn what the module does before the next."""
        ended = self._judge(reason, silent=silent)
        self._phase, self._due_ms, self._idles = _Phase.UNSURE, None, 0
        return [ended, *self._ask()]

    def _part_over(self, now_ms: int) -> list[SpeechOutput[FrameT]]:
        saying = self._saying
        assert saying is not None
        saying.index += 1
        saying.attempt = 0
        if saying.index < len(saying.parts):
            return self._rest(now_ms, saying.parts[saying.index].pause_ms)
        self._saying = None
        return [Ended(saying.phrase.id, "spoken"), *self._rest(now_ms, 0)]

    def _rest(self, now_ms: int, pause_ms: int) -> list[SpeechOutput[FrameT]]:
        self._phase, self._resume_ms, self._due_ms = _Phase.REST, now_ms + pause_ms, now_ms + self._settings.watch_ms
        return self._go(now_ms)

    # What the module says.

    def receive(self, frame: FrameT, now_ms: int) -> list[SpeechOutput[FrameT]]:
        """A frame of the module."""
        heard = self._dialect.understand(frame)
        if isinstance(heard, Ignored) or self._phase is _Phase.DOWN:
            return [heard] if isinstance(heard, Ignored) else []
        self._mute = False
        answered = self._asking and self._asked_ms is not None and heard.sign in (Sign.BUSY, Sign.IDLE)
        if answered:
            self._asking, self._unanswered = False, 0
        match heard.sign:
            case Sign.READY:
                return self._restarted()
            case Sign.TAKEN:
                return self._taken() if not self._asking else []  # the answer to our question decides
            case Sign.REFUSED:
                return self._refused(heard.reason or "refused", now_ms)
            case Sign.FAILED:
                return self._failed(heard.reason, now_ms)
            case Sign.BUSY:
                return self._is_busy(now_ms, answered=answered)
            case Sign.IDLE:
                return self._is_idle(now_ms, answered=answered)

    def _restarted(self) -> list[SpeechOutput[FrameT]]:
        self._volume, self._asking, self._idles = None, False, 0
        if self._saying is not None:
            return self._break("the module restarted", silent=False)
        self._phase, self._due_ms = _Phase.UNSURE, None
        return self._ask()

    def _given(self) -> _Saying[FrameT] | None:
        """The phrase whose frame has left and is not yet known to sound."""
        saying = self._saying
        return saying if self._phase is _Phase.GIVEN and saying is not None and saying.sent_ms is not None else None

    def _taken(self) -> list[SpeechOutput[FrameT]]:
        saying = self._given()
        if saying is None or saying.sent_ms is None:
            return []
        self._phase, self._idles = _Phase.SOUND, 0
        self._due_ms = saying.sent_ms + saying.parts[saying.index].likely_ms + self._settings.reply_ms
        first, saying.started = not saying.started, True
        return [Started(saying.phrase.id)] if first else []

    def _refused(self, reason: str, now_ms: int) -> list[SpeechOutput[FrameT]]:
        saying = self._given()
        if saying is None or self._asking:
            return [Ignored(reason)]
        if saying.attempt < self._settings.tries:
            return [Ignored(reason), *self._rest(now_ms, RETRY_MS)]
        return [Ignored(reason), *self._break(reason, silent=True)]

    def _failed(self, reason: str, now_ms: int) -> list[SpeechOutput[FrameT]]:
        sounding = self._phase is _Phase.SOUND or self._given() is not None
        return [Ignored(reason), *(self._break(reason, silent=self._early(now_ms)) if sounding else ())]

    def _early(self, now_ms: int) -> bool:
        """Whether the part in hand cannot be over yet."""
        saying = self._saying
        if saying is None or saying.sent_ms is None:
            return False
        return now_ms - saying.sent_ms < saying.parts[saying.index].least_ms

    def _is_busy(self, now_ms: int, *, answered: bool) -> list[SpeechOutput[FrameT]]:
        self._idles = 0
        if self._phase is _Phase.GIVEN:
            return self._taken() + self._is_busy(now_ms, answered=True) if answered else []
        if self._phase is not _Phase.SOUND:
            self._phase, self._due_ms = _Phase.UNSURE, now_ms + self._settings.poll_ms
            return []
        saying = self._saying
        assert saying is not None
        assert saying.sent_ms is not None
        if now_ms - saying.sent_ms > 3 * saying.parts[saying.index].likely_ms + ENDLESS_MS:
            stop = Send(self._dialect.stop, _OTHER, in_turn=True)
            return [stop, *self._break("does not end", silent=False)]
        # Not before it may be over: a question costs a slow module time.
        self._due_ms = max(self._due_ms or 0, now_ms + self._settings.poll_ms)
        return []

    def _is_idle(self, now_ms: int, *, answered: bool) -> list[SpeechOutput[FrameT]]:
        match self._phase:
            case _Phase.GIVEN if not answered and self._early(now_ms):
                return []  # the late end of what was said before
            case _Phase.GIVEN if not answered and self._given() is not None:
                return self._taken() + self._is_idle(now_ms, answered=False)  # only its acknowledgement was lost
            case _Phase.GIVEN if not answered:
                return []
            case _Phase.SOUND if not answered and self._early(now_ms):
                return self._ask()
            case _Phase.REST if self._saying is not None:
                return self._go(now_ms)  # its pause goes on
            case _Phase.REST:
                return self._rest(now_ms, 0)
        self._idles += 1
        if self._idles == 1:
            self._idle_early = self._early(now_ms)
        if self._idles < self._settings.idle_words:
            if not answered:
                return self._ask()
            self._due_ms = now_ms + RETRY_MS
            return []
        match self._phase:
            case _Phase.GIVEN if self._idle_early:  # at the first word: the second only confirms it
                return self._refused("not taken", now_ms)
            case _Phase.GIVEN:
                return self._break("not acknowledged", silent=False)
            case _Phase.SOUND if self._early(now_ms):
                return self._break("ended early", silent=False)
            case _Phase.SOUND:
                return self._part_over(now_ms)
            case _:
                return self._rest(now_ms, 0)

    # Time.

    @property
    def wake_at_ms(self) -> int | None:
        """When `wake` is due."""
        if self._phase is _Phase.DOWN:
            return None
        due = [saying.phrase.expires_ms for saying in self._waiting]
        if self._asking:
            due += [] if self._asked_ms is None else [self._asked_ms + self._settings.reply_ms]
        elif self._due_ms is not None:
            due.append(self._due_ms)
        return min(due, default=None)

    def wake(self, now_ms: int) -> list[SpeechOutput[FrameT]]:
        """Time has come."""
        outputs = self._expire(now_ms)
        if self._asking:
            if self._asked_ms is not None and now_ms >= self._asked_ms + self._settings.reply_ms:
                outputs += self._unheard(now_ms)
        elif self._due_ms is not None and now_ms >= self._due_ms:
            self._due_ms = None
            going = self._phase is _Phase.REST and self.busy
            outputs += self._go(now_ms) if going else self._ask()
        return outputs

    def _unheard(self, now_ms: int) -> list[SpeechOutput[FrameT]]:
        """A question without an answer."""
        self._asking = False
        self._unanswered += 1
        if self._unanswered < self._settings.tries:
            return self._ask()
        outputs: list[SpeechOutput[FrameT]] = [Mute()]
        if self._saying is not None:
            outputs.append(self._judge("no answer", silent=self._phase is _Phase.REST))
        self._mute, self._unanswered = True, 0
        self._phase, self._due_ms = _Phase.UNSURE, now_ms + self._settings.watch_ms
        return outputs + self._fail_waiting("no answer")
