"""The conversation with an ID card reader: is one lying there, which, and what does it say (HARDWARE 5.1)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from devices.framing.samv import SamFrame, SamReply, SamRequest
from devices.protocols.base import Ignored, Mute, Send
from devices.protocols.idcard import RECORD_BYTES, Card, Unreadable, read_card

STATUS: Final = SamRequest(0x11, 0xFF)
NUMBER: Final = SamRequest(0x12, 0xFF)
FIND: Final = SamRequest(0x20, 0x01)
SELECT: Final = SamRequest(0x20, 0x02)
READ: Final = SamRequest(0x30, 0x01)

OK: Final = 0x90
FOUND: Final = 0x9F
NONE: Final = 0x80
WORDS: Final = {
    OK: "ok",
    FOUND: "card found",
    0x91: "the card has no such item",
    0x10: "wrong check sum of the request",
    0x11: "wrong length of the request",
    0x21: "unknown command",
    0x23: "not authorised",
    0x24: "unknown error",
    0x31: "the card does not accept the reader",
    0x32: "the reader does not accept the card",
    0x33: "verification failed",
    0x40: "a card of another type",
    0x41: "the card could not be read",
    0x47: "no random number",
    0x60: "self-test failed",
    0x66: "the reader's security module is not authorised",
    NONE: "no card",
    0x81: "the card could not be selected",
}
"""SW3 in words."""


@dataclass(frozen=True, slots=True)
class SamSettings:
    """`poll_ms`: between two looks for a card. `reply_ms`, `read_ms`: how long an answer, a record may take.

    `tries`: questions in a row without an answer until the reader counts as gone, and readings of one card until it counts
    as unreadable.
    """

    poll_ms: int = 400
    reply_ms: int = 500
    read_ms: int = 2_000
    tries: int = 3

    def __post_init__(self) -> None:
        if min(self.poll_ms, self.reply_ms, self.read_ms, self.tries) < 1:
            raise ValueError("times and counts of an ID card reader are at least 1")


@dataclass(frozen=True, slots=True)
class Unread:
    """A card lies there and cannot be read; told once until it is lifted."""

    reason: str


SamOutput = Send[SamFrame] | Card | Unread | Mute | Ignored


class _Step(Enum):
    STATUS = STATUS
    FIND = FIND
    SELECT = SELECT
    READ = READ


class SamProtocol:
    """One reader. Times are milliseconds of any clock that never goes back.

    A card is told once: again only after the reader has said that none lies there.
    """

    def __init__(self, settings: SamSettings) -> None:
        self._settings = settings
        self._step = _Step.STATUS
        self._asked = False
        self._late_at_ms: int | None = None
        self._ask_at_ms: int | None = None
        self._unanswered = 0
        self._failures = 0
        self._settled = False  # the card that lies there was told, or given up

    def line_up(self, now_ms: int) -> list[SamOutput]:
        """The line is open (again): another card may lie there by now."""
        self._failures = self._unanswered = 0
        self._settled = False
        return self._ask(_Step.STATUS)

    def _ask(self, step: _Step) -> list[SamOutput]:
        self._step, self._asked = step, True
        self._late_at_ms = self._ask_at_ms = None
        return [Send(step.value, "ask", self._reply_ms)]

    @property
    def _reply_ms(self) -> int:
        return self._settings.read_ms if self._step is _Step.READ else self._settings.reply_ms

    def sent(self, now_ms: int) -> None:
        """The question has left; only now does the time for its answer run."""
        if self._asked:
            self._late_at_ms = now_ms + self._reply_ms

    @property
    def wake_at_ms(self) -> int | None:
        """When `wake` has something to do."""
        return self._late_at_ms if self._late_at_ms is not None else self._ask_at_ms

    def wake(self, now_ms: int) -> list[SamOutput]:
        """Ask again, or say that nobody answers."""
        if self._late_at_ms is not None and self._late_at_ms <= now_ms:
            self._unanswered += 1
            mute: list[SamOutput] = [Mute()] if self._unanswered == self._settings.tries else []
            # A reading that broke off begins anew with the card: it may have been lifted.
            self._look_later(now_ms, _Step.STATUS if self._step is _Step.STATUS else _Step.FIND)
            return mute
        if self._ask_at_ms is not None and self._ask_at_ms <= now_ms:
            return self._ask(self._step)
        return []

    def _look_later(self, now_ms: int, step: _Step = _Step.FIND) -> None:
        self._step, self._asked, self._late_at_ms = step, False, None
        self._ask_at_ms = now_ms + self._settings.poll_ms

    def receive(self, frame: SamFrame, now_ms: int) -> list[SamOutput]:
        """An answer; one to no question of ours, such as a late one, changes nothing."""
        if not isinstance(frame, SamReply):
            return [Ignored("a request where replies are expected")]
        if not self._asked or not self._fits(frame):
            return [Ignored(f"an answer to no question: {WORDS.get(frame.status, f'status {frame.status:02X}')}")]
        self._unanswered = 0
        match self._step:
            case _Step.STATUS:
                return self._heard_status(frame, now_ms)
            case _Step.FIND:
                return self._heard_find(frame, now_ms)
            case _Step.SELECT if frame.status == OK:
                return self._ask(_Step.READ)
            case _Step.READ if frame.status == OK:
                return self._heard_record(frame, now_ms)
            case _:
                return self._failed(WORDS.get(frame.status, f"status {frame.status:02X}"), now_ms)

    def _fits(self, frame: SamReply) -> bool:
        """Whether it can answer the present question: replies do not say which they answer, but they differ in shape."""
        match self._step:
            case _Step.STATUS:
                return frame.status not in (FOUND, NONE) and not frame.data
            case _Step.FIND:
                return frame.status in (FOUND, NONE) or (frame.status != OK and not frame.data)
            case _Step.SELECT:
                return frame.status not in (FOUND, NONE) and len(frame.data) < RECORD_BYTES
            case _Step.READ:
                return frame.status not in (FOUND, NONE) and (frame.status != OK or len(frame.data) >= RECORD_BYTES)

    def _heard_status(self, frame: SamReply, now_ms: int) -> list[SamOutput]:
        if frame.status == OK:
            return self._ask(_Step.FIND)
        self._look_later(now_ms, _Step.STATUS)
        return [Ignored(WORDS.get(frame.status, f"status {frame.status:02X}"))]

    def _heard_find(self, frame: SamReply, now_ms: int) -> list[SamOutput]:
        if frame.status == FOUND and not self._settled:
            return self._ask(_Step.SELECT)
        self._look_later(now_ms)
        if frame.status == NONE:
            self._settled, self._failures = False, 0
        if frame.status in (FOUND, NONE, 0x81):  # 81 is also seen where no card is found
            return []
        return [Ignored(WORDS.get(frame.status, f"status {frame.status:02X}"))]

    def _heard_record(self, frame: SamReply, now_ms: int) -> list[SamOutput]:
        text_bytes = int.from_bytes(frame.data[:2], "big")
        try:
            if text_bytes != RECORD_BYTES:
                raise Unreadable(f"a record has {RECORD_BYTES} bytes, not {text_bytes}")
            card = read_card(frame.data[4 : 4 + text_bytes])
        except Unreadable as error:
            return self._failed(str(error), now_ms)
        self._settled, self._failures = True, 0
        self._look_later(now_ms)
        return [card]

    def _failed(self, reason: str, now_ms: int) -> list[SamOutput]:
        self._failures += 1
        self._look_later(now_ms)
        if self._failures < self._settings.tries:
            return []
        self._settled, self._failures = True, 0
        return [Unread(reason)]
