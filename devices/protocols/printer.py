"""The ticket printer's state and its one job at a time (HARDWARE 4.1, UX K-11, K-12, law 7); pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Final, Literal, assert_never

from devices.framing.escpos import (
    ASB_ON,
    ASK_FULL,
    CLEAR,
    Asb,
    Flow,
    FullStatus,
    Noise,
    Plain,
    Realtime,
    Reply,
    StatusReader,
    ask_status,
)
from devices.protocols.base import Ignored
from devices.protocols.presenter import Outlet, Presenter, PresenterSettings
from devices.protocols.printer_status import BLOCKED, TORN, Condition, read_asb, read_full, read_status
from queue_server.wire.common import PrinterState

QUEUE_LIMIT: Final = 8
"""Jobs that may wait for the one that prints; one more fails as `busy`."""
CHUNK_BYTES: Final = 256
PAYLOAD_LIMIT_BYTES: Final = 256 * 1024

Outcome = Literal["printed", "failed", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PrinterSettings(PresenterSettings):
    """`status`: full (asks and believes) or none (a printer that never answers: every print ends as unknown).

    `fixed_bits`: False for printers that leave the fixed bits of DLE EOT out. `clear`: after a failed print empty the
    printer's buffer with DLE DC4 8; otherwise the rest of a torn ticket comes out, and is cut, before the next one.
    A presenter can only be watched by full status.
    """

    status: Literal["full", "none"] = "full"
    asb: bool = False
    full_status: bool = False
    fixed_bits: bool = True
    clear: bool = False
    poll_ms: int = 3_000
    watch_ms: int = 1_000
    reply_ms: int = 800
    print_ms: int = 10_000

    def __post_init__(self) -> None:
        PresenterSettings.__post_init__(self)
        if self.presenter != "none" and not (self.full_status and self.status == "full"):
            raise ValueError("a presenter needs full_status: nothing else tells whether a ticket waits there")
        if self.status not in ("full", "none"):
            raise ValueError(f"status is full or none, not {self.status!r}")
        if not 0 < self.poll_ms <= 5_000:
            raise ValueError("poll_ms is at most 5000 (UX K-11)")


@dataclass(frozen=True, slots=True)
class Write:
    """Bytes for the line; after those of a ticket (`ticket`) the driver calls `written`."""

    data: bytes
    ticket: bool = False


@dataclass(frozen=True, slots=True)
class StateChanged:
    """The printer's state is another one."""

    state: PrinterState


@dataclass(frozen=True, slots=True)
class Ended:
    """A job is over, once and for all."""

    job: str
    outcome: Outcome
    reason: str


PrinterOutput = Write | StateChanged | Ended | Outlet | Ignored


@dataclass(frozen=True, slots=True)
class Job:
    """A ticket's bytes (ending with GS r 1) that must not begin after `expires_ms`."""

    id: str
    data: bytes
    expires_ms: int


class _Phase(Enum):
    CHECK = auto()
    SEND = auto()
    CONFIRM = auto()


class PrinterProtocol:
    """Asks for the state every `poll_ms` and before each ticket; a job is written at most once.

    Every method answers what to do; `wake_at_ms` says when `wake` is due. Times are milliseconds that never go back.
    """

    def __init__(self, settings: PrinterSettings | None = None) -> None:
        self.settings = settings or PrinterSettings()
        self.state = PrinterState.OFFLINE
        self._reader = StatusReader(full_status=self.settings.full_status)
        self._presenter = Presenter(self.settings)
        self._up = False
        self._condition = Condition()
        self._asking = 0  # part 1…4 of a round, 5 full status, 0 none
        self._gathered = Condition()
        self._again = False
        self._asked_ms = 0
        self._round_ms = 0
        self._jobs: deque[Job] = deque()
        self._job: Job | None = None
        self._phase = _Phase.CHECK
        self._rest = b""
        self._writing = False
        self._held = False
        self._deadline_ms = 0
        self._owed = 0
        self._owed_until_ms = 0

    @property
    def presented(self) -> bool:
        """Whether a ticket is held out that nobody has taken yet."""
        return self._presenter.watching

    # The line.

    def line_up(self, now_ms: int) -> list[PrinterOutput]:
        """The line is open: whatever was known is forgotten."""
        self._up, self._held, self._writing, self._rest, self._owed = True, False, False, b"", 0
        self._reader.reset()
        self._presenter.reset()
        if self.settings.status == "none":
            # Nothing can be known (UX K-12); that is not a fault of today.
            return self._become(PrinterState.UNREADABLE)
        start: list[PrinterOutput] = [Write(ASB_ON)] if self.settings.asb else []
        return start + self._ask_round(now_ms)

    def line_down(self) -> list[PrinterOutput]:
        """The line is gone: what was not written has failed, what was written is unknown."""
        outputs: list[PrinterOutput] = []
        if self._job is not None:
            begun = self._phase is not _Phase.CHECK
            outcome: Outcome = "unknown" if begun else "failed"
            outputs.append(self._end(outcome, "disconnected" if begun else "offline"))
        outputs += [Ended(job.id, "failed", "offline") for job in self._jobs]
        self._jobs.clear()
        self._up, self._asking, self._condition = False, 0, Condition()
        return outputs + self._become(PrinterState.OFFLINE)

    # Jobs.

    def submit(self, job: Job, now_ms: int) -> list[PrinterOutput]:
        """Print this, in turn."""
        if not self._up:
            return [Ended(job.id, "failed", "offline")]
        if len(self._jobs) >= QUEUE_LIMIT:
            return [Ended(job.id, "failed", "busy")]
        if len(job.data) > PAYLOAD_LIMIT_BYTES:
            return [Ended(job.id, "failed", "too large")]
        self._jobs.append(job)
        return self._next(now_ms)

    def written(self, now_ms: int) -> list[PrinterOutput]:
        """The ticket's bytes of the last `Write` are on the line."""
        self._writing = False
        return self._continue(now_ms)

    def _next(self, now_ms: int) -> list[PrinterOutput]:
        outputs: list[PrinterOutput] = []
        while self._job is None and self._jobs:
            self._job, self._phase = self._jobs.popleft(), _Phase.CHECK
            self._deadline_ms = self._job.expires_ms
            if now_ms >= self._deadline_ms:
                outputs += self._expire(now_ms)
            elif self.settings.status == "none":
                outputs += self._begin(now_ms)
            elif not self._asking:
                outputs += self._ask_round(now_ms)
        return outputs

    def _checked(self, now_ms: int) -> list[PrinterOutput]:
        """A round of questions has ended: the job that waited for it goes on or fails."""
        if self._job is None or self._phase is not _Phase.CHECK:
            return []
        if self.state in BLOCKED:
            return [self._end("failed", str(self.state)), *self._next(now_ms)]
        if now_ms >= self._deadline_ms:
            return self._expire(now_ms)
        if self._presenter.watching:
            return []  # its citizen is reaching for it: asked again each second
        # What lies there all the same is nobody's, such as the rest of a torn one.
        away = self._presenter.away if self._condition.at_output else b""
        return [*([Write(away)] if away else []), *self._begin(now_ms)]

    def _expire(self, now_ms: int) -> list[PrinterOutput]:
        """The job's time is over before it began."""
        return [self._end("failed", "outlet" if self._presenter.watching else "expired"), *self._next(now_ms)]

    def _at_outlet(self, now_ms: int) -> list[PrinterOutput]:
        """What the latest full status says of a ticket there."""
        outlet, command = self._presenter.heard(self._condition.at_output, now_ms)
        if command:
            self._condition = replace(self._condition, at_output=False)
        return [*([outlet] if outlet else []), *([Write(command)] if command else [])]

    def _tear(self, now_ms: int) -> list[PrinterOutput]:
        """The ticket under way will not come out whole."""
        outputs: list[PrinterOutput] = [self._end("failed", str(self.state))]
        if self.settings.clear:
            self._rest, self._owed = b"", 0
            outputs.append(Write(CLEAR))
        return outputs + self._next(now_ms)

    def _begin(self, now_ms: int) -> list[PrinterOutput]:
        assert self._job is not None
        if self._owed and now_ms >= self._owed_until_ms:
            self._owed = 0  # that answer will not come any more
        self._phase = _Phase.SEND
        # What is left of a torn ticket first: the printer may stand in the middle of one of its commands.
        if self._rest:
            self._rest += self._presenter.away
        self._rest += self._job.data + self._presenter.after
        self._deadline_ms = now_ms + self.settings.print_ms
        self._owed += 1
        return self._continue(now_ms)

    def _continue(self, now_ms: int) -> list[PrinterOutput]:
        if self._phase is not _Phase.SEND or self._job is None or self._writing or self._held:
            return []
        if self._rest:
            chunk, self._rest = self._rest[:CHUNK_BYTES], self._rest[CHUNK_BYTES:]
            self._writing = True
            return [Write(chunk, ticket=True)]
        self._phase = _Phase.CONFIRM
        self._owed_until_ms = now_ms + 3 * self.settings.print_ms
        if self.settings.status == "none":
            self._owed = 0
            return [self._end("unknown", "no status"), *self._next(now_ms)]
        self._round_ms = now_ms
        return []

    def _end(self, outcome: Outcome, reason: str) -> Ended:
        assert self._job is not None
        ended = Ended(self._job.id, outcome, reason)
        self._job, self._phase = None, _Phase.CHECK
        return ended

    # Questions and answers.

    def _ask_round(self, now_ms: int) -> list[PrinterOutput]:
        self._round_ms, self._gathered, self._again = now_ms, Condition(), True
        # Without fixed bits a reply to DLE EOT looks like the ticket's own answer: only full status does not.
        under_way = self._job is not None and self._phase is not _Phase.CHECK
        return self._ask(1 if self.settings.fixed_bits or not under_way else 5, now_ms)

    def _ask(self, part: int, now_ms: int) -> list[PrinterOutput]:
        self._asking, self._asked_ms = part, now_ms
        return [Write(ASK_FULL if part == 5 else ask_status(part))]

    def receive(self, data: bytes, now_ms: int) -> list[PrinterOutput]:
        """What the printer sent."""
        outputs: list[PrinterOutput] = []
        for reply in self._reader.feed(data):
            outputs += self._understand(reply, now_ms)
        return outputs

    def _understand(self, reply: Reply, now_ms: int) -> list[PrinterOutput]:
        match reply:
            case Realtime(value):
                return self._answered(value, now_ms) if 1 <= self._asking <= 4 else [Ignored("a status nobody asked")]
            case Plain(value):
                if not self.settings.fixed_bits and 1 <= self._asking <= 4:
                    return self._answered(value, now_ms)
                return self._printed(value, now_ms)
            case Asb(data):
                return self._know(read_asb(data), now_ms)
            case FullStatus(data):
                return self._round_over(read_full(self._gathered, data), now_ms) if self._asking == 5 else []
            case Flow(go):
                self._held, self._round_ms = not go, now_ms
                return self._continue(now_ms)
            case Noise(data):
                return [Ignored(f"noise {data.hex()}")]
            case _:
                assert_never(reply)

    def _answered(self, value: int, now_ms: int) -> list[PrinterOutput]:
        self._gathered = read_status(self._gathered, self._asking, value)
        last = 5 if self.settings.full_status else 4
        if self._asking < last:
            return self._ask(self._asking + 1, now_ms)
        return self._round_over(self._gathered, now_ms)

    def _round_over(self, condition: Condition, now_ms: int) -> list[PrinterOutput]:
        self._asking = 0
        outputs = self._know(condition, now_ms)
        if self._job is None or self._phase is _Phase.CHECK:
            outputs += self._at_outlet(now_ms)
        return outputs + self._checked(now_ms)

    def _know(self, condition: Condition, now_ms: int) -> list[PrinterOutput]:
        self._condition = condition
        outputs = self._become(condition.state)
        if self._job is not None and self._phase is not _Phase.CHECK and self.state in TORN:
            outputs += self._tear(now_ms)
        return outputs

    def _printed(self, value: int, now_ms: int) -> list[PrinterOutput]:
        """GS r 1 answered: everything before it is on paper."""
        if not self._owed:
            return [Ignored("an answer to nothing")]
        self._owed -= 1
        self._condition = replace(self._condition, near_end=bool(value & 0x03), out=bool(value & 0x0C), heard=True)
        outputs = self._become(self._condition.state)
        # Over USB an answer may be read before `written` says that the last bytes have left.
        whole = self._phase is _Phase.CONFIRM or (self._phase is _Phase.SEND and self._writing and not self._rest)
        if self._owed or self._job is None or not whole:
            return outputs  # the answer to an earlier ticket, whose outcome was told long ago
        self._presenter.given(now_ms)
        return [*outputs, self._end("printed", ""), *self._next(now_ms)]

    def _become(self, state: PrinterState) -> list[PrinterOutput]:
        if state is self.state:
            return []
        self.state = state
        return [StateChanged(state)]

    # Time.

    @property
    def wake_at_ms(self) -> int | None:
        """When `wake` is due; None while the line is down or nothing is to be asked."""
        if not self._up:
            return None
        due = [self._deadline_ms] if self._job is not None else []
        if self._asking:
            due.append(self._asked_ms + self.settings.reply_ms)
        elif (pause := self._pause_ms()) is not None:
            due.append(self._round_ms + pause)
        return min(due, default=None)

    def _pause_ms(self) -> int | None:
        """How long until the next round; None while it would fall into a ticket's bytes or take its answer's place."""
        if self.settings.status == "none":
            return None
        if self._job is None:
            return self.settings.watch_ms if self._presenter.watching else self.settings.poll_ms
        if self._phase is _Phase.SEND and not self._held:
            return None
        return self.settings.watch_ms if self.settings.fixed_bits or self.settings.full_status else None

    def wake(self, now_ms: int) -> list[PrinterOutput]:
        """Time has come."""
        if self.wake_at_ms is None or now_ms < self.wake_at_ms:
            return []
        if self._job is not None and now_ms >= self._deadline_ms:
            if self._phase is _Phase.CHECK:
                return self._expire(now_ms)
            return [self._end("unknown", self._stopped_by), *self._next(now_ms)]
        if self._asking:
            return self._unanswered(now_ms)
        self._reader.reset()
        return self._ask_round(now_ms)

    @property
    def _stopped_by(self) -> str:
        """Why a ticket under way was given up: the state that stands in its way, if one does."""
        if self.state in BLOCKED:
            return str(self.state)
        return "stopped by the printer" if self._phase is _Phase.SEND else "not confirmed"

    def _unanswered(self, now_ms: int) -> list[PrinterOutput]:
        """A question without an answer: once more from the first. Silence while a ticket prints is no news."""
        self._asking = 0
        self._reader.reset()
        if self._job is not None and self._phase is not _Phase.CHECK:
            return []
        if self._again:
            self._again = False
            return self._ask(1, now_ms)
        self._condition = Condition()
        return self._become(PrinterState.UNREADABLE) + self._checked(now_ms)
