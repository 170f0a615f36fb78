"""The conversation with a network rating tablet of the S protocol, M7 and D5 class (HARDWARE 1.2a)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from devices.framing.tablets import TabletText
from devices.protocols.base import Ignored, Mute, Send
from devices.protocols.rating import RatingOutput, RatingSettings, RatingTalk

WELCOME: Final = TabletText("S01E")
INVITE: Final = TabletText("S02E")
POLL: Final = TabletText("SE")
RESULT: Final = "S02||"
LEAVING: Final = "DisConnect"
SAID: Final = re.compile(rf"S\d\d|{LEAVING}|.*(?:RecvCmdOK|Version=)", re.DOTALL)
"""How everything begins that a tablet is known to say; the device information may come in pieces, whose last names a version."""
_LEVEL, _RATED_AT = 2, 5


class Network(StrEnum):
    """The two ways to reach a tablet, which differ in some commands."""

    UDP = "udp"
    TCP = "tcp"


ALIVE: Final = {Network.UDP: TabletText("S95E"), Network.TCP: TabletText("S99||0||E")}


@dataclass(frozen=True, slots=True)
class TabletTimes:
    """`poll_ms`: between two looks for a result while a rating is asked for. `alive_ms`: between signs of life otherwise.

    `reply_ms`: how long an answer may take. `tries`: questions in a row without an answer until the tablet counts as gone.
    """

    poll_ms: int = 2_000
    alive_ms: int = 10_000
    reply_ms: int = 3_000
    tries: int = 3

    def __post_init__(self) -> None:
        if min(self.poll_ms, self.alive_ms, self.reply_ms, self.tries) < 1:
            raise ValueError("times and counts of a tablet are at least 1")


class STablet(RatingTalk[TabletText]):
    """One tablet. A result is asked for until it is stored; one that was told already is told no more."""

    def __init__(self, settings: RatingSettings, times: TabletTimes, network: Network) -> None:
        super().__init__(0, settings)
        self._times = times
        self._network = network
        self._told = ""
        self._asked: TabletText | None = None
        self._late_at_ms: int | None = None
        self._ask_at_ms: int | None = None
        self._unanswered = 0
        # A result that could not be stored; an invitation whose answer was lost.
        self._unstored = self._unsure = False

    def key(self, frame: TabletText) -> int | None:
        parts = frame.text.split("||")
        if not frame.text.startswith(RESULT) or len(parts) <= _LEVEL:
            return None
        level = parts[_LEVEL].strip()
        return int(level) if level.isascii() and level.isdigit() and len(level) < 4 else None

    def invite(self, until_ms: int) -> list[Send[TabletText]]:
        self._unanswered, self._unstored = 0, False
        return super().invite(until_ms)

    def line_up(self, now_ms: int) -> list[Send[TabletText]]:
        self._asked = self._late_at_ms = None
        self._unanswered, self._ask_at_ms = 0, now_ms + self._times.poll_ms
        return super().line_up(now_ms) or [self._send(ALIVE[self._network])]

    def _start(self) -> list[Send[TabletText]]:
        return [self._send(INVITE)] if self._settings.starts else []

    def _send(self, frame: TabletText) -> Send[TabletText]:
        return Send(frame, "invite" if frame == INVITE else "ask", self._times.reply_ms)

    def sent(self, frame: TabletText, now_ms: int) -> None:
        """A command has left; only now does the time for its answer run."""
        self._asked, self._late_at_ms = frame, now_ms + self._times.reply_ms
        self._ask_at_ms = None

    def receive(self, frame: TabletText, now_ms: int) -> list[RatingOutput[TabletText]]:
        if not SAID.match(frame.text):
            return [Ignored("a text that no tablet of this protocol says")]  # and no answer: another device is there
        asked, self._asked = self._asked, None
        self._unanswered, self._late_at_ms = 0, None
        self._ask_later(now_ms)
        told = frame.text == self._told and self._says_when(frame)
        if self._unsure and asked is not None and (told or self.key(frame) is None):
            # There is no new result yet, so asking for one again wipes none out.
            self._unsure = False
            return [*self._start()] if self._invited_until_ms is not None and asked == POLL else []
        self._unsure = False
        if frame.text == LEAVING:
            return [Ignored("the tablet says that it goes away")]
        if not frame.text.startswith(RESULT):
            return []
        if self.key(frame) is None:
            level = frame.text.split("||")[_LEVEL : _LEVEL + 1]
            return [Ignored("a result without a level that is a number")] if any(level) else []
        if told:
            return []  # it was told before; a new rating has a new time
        found = super().receive(frame, now_ms)
        self._told = frame.text
        return found

    def _says_when(self, frame: TabletText) -> bool:
        return bool("".join(frame.text.split("||")[_RATED_AT : _RATED_AT + 1]).strip())

    def _ask_later(self, now_ms: int) -> None:
        wanted = self._invited_until_ms is not None or self._unstored
        self._ask_at_ms = now_ms + (self._times.poll_ms if wanted else self._times.alive_ms)

    def lost(self, token: int) -> None:
        super().lost(token)
        self._told, self._unstored = "", True  # the next look shows it again

    def stored(self, token: int) -> list[Send[TabletText]]:
        self._unstored = False
        return super().stored(token)

    @property
    def wake_at_ms(self) -> int | None:
        """When `wake` has something to do."""
        return self._late_at_ms if self._late_at_ms is not None else self._ask_at_ms

    def wake(self, now_ms: int) -> list[Send[TabletText] | Mute]:
        """Look for a result, end an invitation, give up on an answer."""
        if self._late_at_ms is not None and self._late_at_ms <= now_ms:
            return self._late(now_ms)
        if self._ask_at_ms is None or now_ms < self._ask_at_ms:
            return []
        self._ask_at_ms = None
        if self._unstored:
            return [self._send(POLL)]
        if self._invited_until_ms is None:
            return [self._send(ALIVE[self._network])]
        if now_ms < self._invited_until_ms:
            return [self._send(POLL)]
        self._invited_until_ms = None
        return [self._send(WELCOME)]

    def _late(self, now_ms: int) -> list[Send[TabletText] | Mute]:
        asked, self._asked, self._late_at_ms = self._asked, None, None
        self._unanswered += 1
        self._unsure = self._unsure or asked == INVITE
        self._ask_later(now_ms)
        if asked == WELCOME and self._unanswered < self._times.tries:
            return [self._send(WELCOME)]
        return [Mute()] if self._unanswered == self._times.tries else []
