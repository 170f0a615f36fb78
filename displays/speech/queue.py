"""When a call is said: the speech queue of one sound zone as a machine that takes `now`; pure (UX V-03, V-05, V-06, V-08)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from displays.speech.phrases import Call, Notice, VoicePolicy, english_phrase, grouped_phrase, phrase, sentence

TOO_LATE_MS: Final = 45_000
"""UX V-05: a call that has not begun to sound this long after it was made is dropped."""
GRACE_MS: Final = 3_000
"""UX V-08: a playback may last its length and this."""
GROUP_MAX: Final = 12
"""Calls in one breath. Longer lists are not listened to; what waits behind them has its own chime."""
GROUPED_FROM: Final = 4
"""UX V-06: so many behind the first, and they are said in one breath."""
BREATH_MS: Final = 1_000
"""What begins so soon after the file before needs no chime: everybody is listening."""
YIELDS_MS: Final = 30_000
"""How long a notice that is not urgent lets a burst of calls go before it: 24 of them are said meanwhile (UX V-06)."""
WAITING_MAX: Final = 512
"""Calls held; far more than 45 s can say. The next one is dropped as `full`, which its caller sees."""
SEEN_MAX: Final = 4_096

Outcome = Literal["done", "failed"]


@dataclass(frozen=True, slots=True)
class Announcement:
    """One file to play, in one language, once.

    `calls` are the claims that it carries out, none when it says again what has been said. It begins with the chime, except
    when it `follows` what sounded just before: a repetition, or the next breath of a burst, which has one chime (UX V-06).
    `urgent` is heard also where nothing else is said.
    """

    id: str
    calls: tuple[str, ...]
    tokens: tuple[str, ...]
    text_zh: str
    text_en: str
    follows: bool = False
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class Dropped:
    """A call or notice that will not be said: reason is too-late, failed (its playback), full, or what `settled` was told."""

    call_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class _Waiting:
    call_id: str
    call: Call
    at: int


@dataclass(frozen=True, slots=True)
class _Noticed:
    notice_id: str
    notice: Notice
    at: int


@dataclass(frozen=True, slots=True)
class _Playing:
    announcement: Announcement
    until: int


@dataclass(frozen=True, slots=True)
class _More:
    """What follows the announcement of `calls`, in order, unless it has not begun by `until`; `yields` to a backlog."""

    calls: tuple[str, ...]
    parts: tuple[Announcement, ...]
    until: int
    yields: bool


class SpeechQueue:
    """The calls and notices of one sound zone, one file at a time, each call at most once (UX V-05).

    Calls are first in, first out. A call that was said alone is said again, and then in the second language, as long as
    hardly anybody waits behind it (V-06): that is decided after each file, so that a burst costs nobody their call.
    An urgent notice comes before everything else that has not begun; another one waits for a burst of calls to end.

    `duration_ms` gives the length of the file an announcement becomes. All times are ms of one clock that never decreases.
    While nobody asks `next` (no player), calls stay queued until `tick` finds them too late.
    """

    def __init__(self, policy: VoicePolicy, duration_ms: Callable[[Announcement], int]) -> None:
        self._policy = policy
        self._duration_ms = duration_ms
        self._waiting: OrderedDict[str, _Waiting] = OrderedDict()
        self._notices: OrderedDict[str, _Noticed] = OrderedDict()
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._playing: _Playing | None = None
        self._more: _More | None = None
        self._breath_until = 0
        self.english_dropped = 0
        """Announcements whose second language gave way to those who waited (UX V-03: optional, V-06)."""

    @property
    def speaking(self) -> Announcement | None:
        """What sounds now."""
        return None if self._playing is None else self._playing.announcement

    @property
    def queued(self) -> int:
        """Calls and notices that wait to be said."""
        return len(self._waiting) + len(self._notices)

    def use(self, policy: VoicePolicy) -> None:
        """From the next announcement on, the configuration says it so."""
        self._policy = policy

    def called(self, call_id: str, number: str, window: str, at: int) -> Dropped | None:
        """A call or a recall (its own id: it sounds again), made at `at`. The same id twice is one."""
        if not self._is_new(call_id):
            return None
        if len(self._waiting) >= WAITING_MAX:
            return Dropped(call_id, "full")
        self._waiting[call_id] = _Waiting(call_id, Call(number, window), at)
        return None

    def noticed(self, notice_id: str, notice: Notice, at: int) -> Dropped | None:
        """A notice to everybody, made at `at`. The same id twice is one."""
        if not self._is_new(notice_id):
            return None
        if len(self._notices) >= WAITING_MAX:
            return Dropped(notice_id, "full")
        self._notices[notice_id] = _Noticed(notice_id, notice, at)
        return None

    def _is_new(self, id_: str) -> bool:
        if id_ in self._seen:
            return False
        self._seen[id_] = None
        if len(self._seen) > SEEN_MAX:
            self._seen.popitem(last=False)
        return True

    def settled(self, call_id: str, reason: str) -> Dropped | None:
        """The citizen arrived, the call or notice was cancelled: it is not said if it has not begun, nor said again."""
        if self._more is not None and call_id in self._more.calls:
            self._more = None
        gone = self._waiting.pop(call_id, None) or self._notices.pop(call_id, None)
        return None if gone is None else Dropped(call_id, reason)

    def hushed(self, reason: str) -> list[Dropped]:
        """The zone is silent now: nothing that waits is said, nor said again, except what is urgent (UX V-10)."""
        if self._more is not None and self._more.yields:
            self._more = None
        notices = [name for name, noticed in self._notices.items() if not noticed.notice.urgent]
        gone = [*self._waiting, *notices]
        for name in notices:
            del self._notices[name]
        self._waiting.clear()
        return [Dropped(name, reason) for name in gone]

    def next(self, now: int) -> Announcement | None:
        """What to play now; None while something sounds or nothing waits. The caller claims its calls before it plays (V-05)."""
        if self._playing is not None:
            return None
        ready = [waiting for waiting in self._waiting.values() if now - waiting.at < TOO_LATE_MS]
        announcement = self._urgent(now) or self._again(len(ready), now)
        if announcement is None and (announcement := self._notice(len(ready), now)) is None and ready:
            # In breaths of one length: a remainder of three or four would be said one by one, and slowly.
            breath = -(-len(ready) // -(-len(ready) // GROUP_MAX))
            chosen = ready[:breath] if len(ready) > GROUPED_FROM else ready[:1]
            announcement = self._call(chosen, alone=len(ready) <= 2, now=now)
        if announcement is not None:
            until = now + self._duration_ms(announcement)
            self._playing = _Playing(announcement, until + GRACE_MS)
            self._breath_until = until + BREATH_MS
        return announcement

    def played(self, id_: str, outcome: Outcome) -> list[Dropped]:
        """The player's answer; the next may play. A failed one is not tried again (at most once); a late answer changes nothing."""
        if self._playing is None or self._playing.announcement.id != id_:
            return []
        calls = self._playing.announcement.calls
        self._playing = None
        if outcome == "done":
            return []
        self._more = None
        return [Dropped(call_id, "failed") for call_id in calls]

    def tick(self, now: int) -> list[Dropped]:
        """Calls that became too late, and those of a playback that never answered (V-08). Each is an alarm."""
        dropped: list[Dropped] = []
        if self._playing is not None and now >= self._playing.until:
            dropped += self.played(self._playing.announcement.id, "failed")
        waiting = [(waiting.call_id, waiting.at) for waiting in self._waiting.values()]
        waiting += [(noticed.notice_id, noticed.at) for noticed in self._notices.values()]
        for name, at in waiting:
            if now - at >= TOO_LATE_MS:
                self._waiting.pop(name, None)
                self._notices.pop(name, None)
                dropped.append(Dropped(name, "too-late"))
        return dropped

    def _again(self, behind: int, now: int) -> Announcement | None:
        """The next part of what has just been said; under load, and long after it, there is none."""
        more, self._more = self._more, None
        if more is None or now >= more.until:
            return None
        if behind > 1 and more.yields:
            self.english_dropped += any(token.startswith("en:") for part in more.parts for token in part.tokens)
            return None
        part, *rest = more.parts
        self._follow(more.calls, part, rest, now, yields=more.yields)
        return part

    def _follow(
        self, calls: tuple[str, ...], said: Announcement, parts: list[Announcement], now: int, *, yields: bool = True
    ) -> None:
        until = now + self._duration_ms(said) + GRACE_MS
        self._more = _More(calls, tuple(parts), until, yields) if parts else None

    def _urgent(self, now: int) -> Announcement | None:
        for noticed in self._notices.values():
            if noticed.notice.urgent and now - noticed.at < TOO_LATE_MS:
                return self._tell(noticed, now)
        return None

    def _notice(self, calls: int, now: int) -> Announcement | None:
        for noticed in self._notices.values():
            age_ms = now - noticed.at
            if age_ms < TOO_LATE_MS and (calls <= GROUPED_FROM or age_ms >= YIELDS_MS):
                return self._tell(noticed, now)
        return None

    def _tell(self, noticed: _Noticed, now: int) -> Announcement:
        notice = noticed.notice
        del self._notices[noticed.notice_id]
        texts = notice.text_zh, notice.text_en
        english = notice.tokens_en if "en" in self._policy.languages else ()
        first = Announcement(noticed.notice_id, (noticed.notice_id,), notice.tokens, *texts, urgent=notice.urgent)
        self._follow(first.calls, first, self._parts(first, notice.tokens, english), now, yields=not notice.urgent)
        return first

    def _call(self, chosen: list[_Waiting], *, alone: bool, now: int) -> Announcement:
        """Backlog 0-1: twice, and in the second language; 2-3: once; 4 and more: one breath for all (UX V-06)."""
        calls = [waiting.call for waiting in chosen]
        ids = tuple(waiting.call_id for waiting in chosen)
        for call_id in ids:
            del self._waiting[call_id]
        tokens = phrase(*calls[0], self._policy) if len(calls) == 1 else grouped_phrase(calls, self._policy)
        follows = len(calls) > 1 and now < self._breath_until
        first = Announcement(ids[0], ids, tokens, *sentence(calls, self._policy), follows=follows)
        self._more = None
        bilingual = "en" in self._policy.languages
        if alone:
            self._follow(ids, first, self._parts(first, tokens, english_phrase(*calls[0]) if bilingual else ()), now)
        else:
            self.english_dropped += bilingual
        return first

    def _parts(self, first: Announcement, tokens: tuple[str, ...], english: tuple[str, ...]) -> list[Announcement]:
        """What may follow the first saying: the repetitions, then the second language."""
        said = [tokens] * (self._policy.times_max - 1) + [english] * bool(english)
        texts = first.text_zh, first.text_en
        return [
            Announcement(f"{first.id}+{n}", (), part, *texts, follows=True, urgent=first.urgent)
            for n, part in enumerate(said, 1)
            if part
        ]
