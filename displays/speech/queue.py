"""When a call is said: the speech queue of one sound zone as a machine that takes `now`; pure (UX V-03, V-05, V-06, V-08)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from displays.speech.phrases import Call, VoicePolicy, english_phrase, grouped_phrase, phrase, sentence

TOO_LATE_MS: Final = 45_000
"""UX V-05: a call that has not begun to sound this long after it was made is dropped."""
GRACE_MS: Final = 3_000
"""UX V-08: a playback may last its length and this."""
GROUP_MAX: Final = 12
"""Calls in one breath. Longer lists are not listened to; what waits behind them has its own chime."""
WAITING_MAX: Final = 512
"""Calls held; far more than 45 s can say. The next one is dropped as `full`, which its caller sees."""
SEEN_MAX: Final = 4_096

Outcome = Literal["done", "failed"]


@dataclass(frozen=True, slots=True)
class Announcement:
    """One file to play: the calls it says, its tokens (`tokens_en` empty = no English), how often the Chinese is said, its caption."""

    id: str
    calls: tuple[str, ...]
    tokens: tuple[str, ...]
    times: int
    text_zh: str
    text_en: str
    tokens_en: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Dropped:
    """A call that will not be said (again): reason is too-late, failed (its playback), full, or what `settled` was told."""

    call_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class _Waiting:
    call_id: str
    call: Call
    at: int


@dataclass(frozen=True, slots=True)
class _Playing:
    announcement: Announcement
    until: int


class SpeechQueue:
    """The calls of one sound zone, first in first out, one announcement at a time, each call at most once (UX V-05).

    `duration_ms` gives the length of the file an announcement becomes. All times are ms of one clock that never decreases.
    While nobody asks `next` (no player), calls stay queued until `tick` finds them too late.
    """

    def __init__(self, policy: VoicePolicy, duration_ms: Callable[[Announcement], int]) -> None:
        self._policy = policy
        self._duration_ms = duration_ms
        self._waiting: OrderedDict[str, _Waiting] = OrderedDict()
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._playing: _Playing | None = None

    @property
    def speaking(self) -> Announcement | None:
        """What sounds now."""
        return None if self._playing is None else self._playing.announcement

    @property
    def queued(self) -> int:
        """Calls that wait to be said."""
        return len(self._waiting)

    @property
    def wakes_at(self) -> int | None:
        """When `tick` next has something to say; None = not before another call."""
        times = [] if self._playing is None else [self._playing.until]
        if self._waiting:
            times.append(min(waiting.at for waiting in self._waiting.values()) + TOO_LATE_MS)
        return min(times, default=None)

    def use(self, policy: VoicePolicy) -> None:
        """From the next announcement on, the configuration says it so."""
        self._policy = policy

    def called(self, call_id: str, number: str, window: str, at: int) -> Dropped | None:
        """A call or a recall (its own id: it sounds again), made at `at`. The same id twice is one."""
        if call_id in self._seen:
            return None
        self._seen[call_id] = None
        if len(self._seen) > SEEN_MAX:
            self._seen.popitem(last=False)
        if len(self._waiting) >= WAITING_MAX:
            return Dropped(call_id, "full")
        self._waiting[call_id] = _Waiting(call_id, Call(number, window), at)
        return None

    def settled(self, call_id: str, reason: str) -> Dropped | None:
        """The citizen arrived or the call was cancelled: it is not said if it has not begun."""
        return None if self._waiting.pop(call_id, None) is None else Dropped(call_id, reason)

    def next(self, now: int) -> Announcement | None:
        """What to play now; None while something sounds or nothing waits. The caller claims its calls before it plays (V-05)."""
        if self._playing is not None:
            return None
        ready = [waiting for waiting in self._waiting.values() if now - waiting.at < TOO_LATE_MS]
        if not ready:
            return None
        behind = len(ready) - 1
        chosen = ready[:GROUP_MAX] if behind >= 4 else ready[:1]
        announcement = self._announce(chosen, 2 if behind <= 1 else 1)
        for waiting in chosen:
            del self._waiting[waiting.call_id]
        self._playing = _Playing(announcement, now + self._duration_ms(announcement) + GRACE_MS)
        return announcement

    def played(self, id_: str, outcome: Outcome) -> list[Dropped]:
        """The player's answer; the next may play. A failed one is not tried again (at most once); a late answer changes nothing."""
        if self._playing is None or self._playing.announcement.id != id_:
            return []
        calls = self._playing.announcement.calls
        self._playing = None
        return [] if outcome == "done" else [Dropped(call_id, "failed") for call_id in calls]

    def tick(self, now: int) -> list[Dropped]:
        """Calls that became too late, and those of a playback that never answered (V-08). Each is an alarm."""
        dropped: list[Dropped] = []
        if self._playing is not None and now >= self._playing.until:
            dropped += self.played(self._playing.announcement.id, "failed")
        late = [waiting.call_id for waiting in self._waiting.values() if now - waiting.at >= TOO_LATE_MS]
        for call_id in late:
            del self._waiting[call_id]
            dropped.append(Dropped(call_id, "too-late"))
        return dropped

    def _announce(self, chosen: list[_Waiting], times: int) -> Announcement:
        """Backlog 0-1: twice, with the second language; 2-3: once; 4 and more: one breath for all (UX V-06)."""
        calls = [waiting.call for waiting in chosen]
        ids = tuple(waiting.call_id for waiting in chosen)
        text_zh, text_en = sentence(calls, self._policy)
        if len(calls) > 1:
            return Announcement(ids[0], ids, grouped_phrase(calls, self._policy), 1, text_zh, text_en)
        [call] = calls
        english = english_phrase(*call) if times > 1 and "en" in self._policy.languages else ()
        times = min(times, self._policy.times_max)
        return Announcement(ids[0], ids, phrase(*call, self._policy), times, text_zh, text_en, english)
