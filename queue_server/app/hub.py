"""The single writer of a hall: commands become durable events, and only then answers, effects and documents."""

# long: one writer with all its doubts, so that the laws of the road are read in one place

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import structlog
from msgspec import Struct

from queue_server.app.clock import Clock
from queue_server.app.replay import replay
from queue_server.domain.commands import Command, Context
from queue_server.domain.decide import Decision, decide
from queue_server.domain.errors import Broken, Rejected, Unavailable
from queue_server.domain.events import (
    VERSION,
    ConfigurationApplied,
    ConfigurationPlanned,
    Event,
    ServiceRated,
    encode_event,
)
from queue_server.domain.evolve import evolve
from queue_server.domain.model import Hall
from queue_server.store import port
from queue_server.store.port import Batch, Claim, Lease, Lookup, NewEvent, PersonalRow, Receipt, StorePort

log = structlog.get_logger()
T = TypeVar("T")

BATCH_MAX = 512
"""Commands in one commit."""

INBOX_MAX = 20_000
"""Commands that may wait for the writer; beyond it `ask` raises Unavailable at once."""


class KeyReused(Exception):
    """The idempotency key was used before for another request (422)."""


class Cause(Struct, frozen=True):
    """Who asks, with what rights, and the idempotency key of the asking.

    An empty key means that repetition is not recognised. `clerk` is as in `Context`. `may_call_numbers` is a manager's right; clerks and
    keypads have what the hall's policy gives them (RULES 23).
    """

    actor: str
    principal: str = ""
    key: str = ""
    fingerprint: str = ""
    clerk: str = ""
    may_call_numbers: bool = False


class Answer(Struct, frozen=True):
    """What the caller is told, the same for every repetition of its key."""

    status: int
    body: bytes
    repeated: bool = False


@dataclass(slots=True)
class Extras:
    """What is written beside the events of one command: personal data, and what its events cause."""

    personal: list[PersonalRow] = field(default_factory=list)
    lookups: list[Lookup] = field(default_factory=list)


Responder = Callable[[Hall, Decision], tuple[int, bytes]]

Asking = Command | Callable[[Hall], Command]
"""A command, or what makes it from the hall in the moment of its decision (the first printer that works, say)."""


class _Asked(Struct):
    command: Asking
    cause: Cause
    respond: Responder
    extras: Extras | None
    future: asyncio.Future[Answer]


@dataclass(slots=True)
class _Read(Generic[T]):
    look: Callable[[Hall], T]
    future: asyncio.Future[T]


Effects = Callable[[Hall, list[Event]], list[Claim]]
Published = Callable[[Hall, list[Event]], None]


class Hub:
    """Runs one hall. `effects` names the claims an event causes; `published` hears of every committed batch.

    `stopped` is set when this process may no longer write: fenced by another, or broken.
    """

    def __init__(self, store: StorePort, name: str, writer: str, clock: Clock, hall: Hall, *, effects: Effects) -> None:
        self.name = name
        self.clock = clock
        self.stopped = asyncio.Event()
        self.failure = ""
        self.batches = self.commands = 0
        self._store = store
        self._writer = writer
        self._initial = hall
        self._hall = hall
        self._effects = effects
        self._published: tuple[Published, ...] = ()
        self._recovered: Callable[[], Awaitable[None]] | None = None
        self._leasing = asyncio.Lock()
        self._inbox: deque[_Asked | _Read[object]] = deque()
        self._idle: asyncio.Future[None] | None = None  # what `run` waits for while the inbox is empty
        self._lease: Lease | None = None
        self._deciding = True  # the hall may hold what is not durable yet: nobody looks at it
        self._recovering: asyncio.Task[None] | None = None

    @property
    def lease(self) -> Lease:
        """The right to write; Broken before `start`."""
        if self._lease is None:
            raise Broken("the hub has not started")
        return self._lease

    def on_published(self, *published: Published) -> None:
        """Called between batches with the committed hall; must not keep it and must be quick.

        One that raises is logged: what is committed stays so, and the others still hear of it.
        """
        self._published = published

    def on_recovered(self, recovered: Callable[[], Awaitable[None]]) -> None:
        """Awaited, as a task of its own, when a commit in doubt turned out to be durable: its effects were told nobody."""
        self._recovered = recovered

    def may_act(self) -> bool:
        """Whether this process may cause what has no event (a reply, a sound, a slip): law 4."""
        return not self.stopped.is_set() and self._lease is not None and self._store.holds(self._lease)

    async def start(self) -> None:
        """Take the hall over and rebuild it from the journal."""
        self._lease = await self._store.take_over(self.name, self._writer)
        await self._rebuild()

    async def _rebuild(self) -> None:
        self._hall, last_at = await replay(self._store, self.name, self._initial)
        self.clock.at_least(last_at)

    async def ask(
        self,
        command: Asking,
        cause: Cause,
        respond: Responder,
        extras: Extras | None = None,
    ) -> Answer:
        """The durable answer; raises Rejected, KeyReused, or Unavailable when nothing could be written."""
        if self.stopped.is_set():
            raise Unavailable(self.failure or "stopped")
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._put(_Asked(command, cause, respond, extras, future))
        return await future

    async def tell(self, command: Command, actor: str) -> None:
        """A command of the hall's own (timers, devices) that nobody waits for an answer to."""
        await self.ask(command, Cause(actor), lambda _hall, _decision: (204, b""))

    async def read(self, look: Callable[[Hall], T]) -> T:
        """What `look` finds in the committed hall: now when no batch is in the making, else before the next one."""
        if self.stopped.is_set():
            raise Unavailable(self.failure or "stopped")
        if not self._deciding:
            return look(self._hall)
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._put(_Read(look, future))  # type: ignore[arg-type]
        return await future

    def _put(self, item: "_Asked | _Read[object]") -> None:
        if len(self._inbox) >= INBOX_MAX:
            raise Unavailable("the hall is overloaded")
        self._inbox.append(item)
        if self._idle is not None and not self._idle.done():
            self._idle.set_result(None)

    async def run(self) -> None:
        """Serve the inbox until cancelled or fenced."""
        inbox, loop = self._inbox, asyncio.get_running_loop()
        try:
            while not self.stopped.is_set():
                self._deciding = False
                if not inbox:
                    self._idle = loop.create_future()
                    await self._idle
                self._deciding = True
                await self._serve([inbox.popleft() for _ in range(min(BATCH_MAX, len(inbox)))])
        finally:
            self._stop(self.failure or "stopped")

    def _stop(self, why: str) -> None:
        self.failure = why
        self.stopped.set()
        self._turn_away(why)

    async def rest(self, seconds: float) -> None:
        """Sleep, or until the hub stops: the hall's loops end by themselves, never in the middle of a write."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.stopped.wait(), seconds)

    async def finish(self) -> None:
        """Stop between two batches; `run` may be cancelled afterwards."""
        try:
            await self.read(lambda _hall: self._stop("the server stops"))
        except Unavailable:  # nothing is being written: the store is away, or the hub has stopped already
            self._stop(self.failure or "the server stops")

    async def keep(self, every_s: float = 2.0) -> None:
        """Keep the lease good while there is nothing to commit."""
        while not self.stopped.is_set():
            await self.rest(every_s)
            try:
                async with self._leasing:  # our own takeover after a doubt must not look like another's
                    await self._store.renew(self.lease)
            except (port.Fenced, port.Broken) as error:
                self._stop(str(error))
            except port.StoreError as error:
                log.warning("lease not renewed", error=str(error))

    async def _serve(self, items: "list[_Asked | _Read[object]]") -> None:
        asked: list[_Asked] = []
        for item in items:
            if isinstance(item, _Asked):
                asked.append(item)
            elif not item.future.done():
                try:
                    item.future.set_result(item.look(self._hall))
                except Exception as error:
                    _fail(item.future, error)
        if asked:
            await self._carry_out(asked)

    async def _carry_out(self, asked: list[_Asked]) -> None:
        try:
            known = await self._receipts(asked)
            work = _Work(known, self.clock.now())
            for item in asked:
                self._decide(item, work)
        except port.StoreError as error:
            await self._throw_away(asked, error)
            return
        except Exception as error:
            log.exception("evolution failed")
            await self._throw_away(asked, error)
            return
        if work.is_empty():
            self._answer(work, self.may_act())
            return
        try:
            work.batch.claims.extend(self._effects(self._hall, work.events))
            committed = await self._store.commit(self.lease, work.batch)
        except Exception as error:
            await self._throw_away(asked, error)
            return
        self._lease = committed.lease
        self.batches += 1
        self.commands += len(asked)
        self._answer(work, True)
        for hears in self._published:
            try:
                hears(self._hall, work.events)
            except Exception:
                log.exception("not told of a commit", head=self._lease.head)

    async def _receipts(self, asked: list[_Asked]) -> dict[tuple[str, str], Receipt]:
        keys = {(item.cause.principal, item.cause.key) for item in asked if item.cause.key}
        return await self._store.receipts(self.name, keys) if keys else {}

    def _decide(self, item: _Asked, work: "_Work") -> None:
        cause = item.cause
        if cause.key:
            earlier = work.known.get((cause.principal, cause.key))
            if earlier is not None:
                work.repeat(item, earlier)
                return
        now = work.now
        ctx = Context(
            now=now,
            minute=self.clock.minute(now),
            actor=cause.actor,
            may_call_numbers=cause.may_call_numbers,
            clerk=cause.clerk,
            request=cause.key,
        )
        try:
            command = item.command if isinstance(item.command, Command) else item.command(self._hall)
            decision = decide(self._hall, command, ctx)
            data = [encode_event(event) for event in decision.events]
        except Rejected as rejection:
            noted = [event for event in rejection.events if isinstance(event, Event)]
            self._apply(noted, [encode_event(event) for event in noted], item, now, work)
            work.failures.append((item, rejection))
            return
        except Exception as error:
            log.exception("decision failed", command=getattr(item.command, "__name__", type(item.command).__name__))
            work.failures.append((item, error))
            return
        self._apply(decision.events, data, item, now, work)
        status, body = item.respond(self._hall, decision)
        work.answers.append((item, Answer(status, body)))
        if item.extras is not None and decision.events:
            work.batch.personal.extend(item.extras.personal)
            work.batch.lookups.extend(item.extras.lookups)
        if cause.key:
            receipt = Receipt(cause.principal, cause.key, cause.fingerprint, status, body, now)
            work.known[cause.principal, cause.key] = receipt
            work.batch.receipts.append(receipt)

    def _apply(self, events: list[Event], data: list[str], item: _Asked, now: int, work: "_Work") -> None:
        cause = item.cause
        for event, text in zip(events, data, strict=True):
            subject = _subject(self._hall, event)
            self._hall = evolve(self._hall, event)
            kind = type(event).__name__
            work.batch.events.append(
                NewEvent(subject, self._hall.day, now, cause.actor, cause.key, kind, VERSION, text, event)
            )
        work.events += events

    def _answer(self, work: "_Work", lawful: bool) -> None:
        for item, answer in work.answers:
            if not item.future.done():
                item.future.set_result(answer)
        for item, error in work.failures:
            unsure = isinstance(error, Rejected) and not lawful
            _fail(item.future, Unavailable("the lease has expired") if unsure else error)

    async def _throw_away(self, asked: list[_Asked], error: Exception) -> None:
        """The hall in memory may be wrong: forget it, and rebuild it from what is durable."""
        log.error("batch thrown away", error=str(error), kind=type(error).__name__)
        for item in asked:
            _fail(item.future, Unavailable(str(error)))
        if isinstance(error, port.Fenced | port.Broken):
            self._stop(str(error))
            return
        await self._recover(isinstance(error, port.InDoubt))

    async def _recover(self, doubtful: bool) -> None:
        delay_s, head = 0.1, self.lease.head
        while not self.stopped.is_set():
            try:
                if doubtful:
                    async with self._leasing:
                        self._lease = await self._store.take_over(self.name, self._writer)
                await self._rebuild()
            except (port.Fenced, port.Broken) as error:
                self._stop(str(error))
            except port.StoreError as error:
                log.warning("cannot rebuild yet", error=str(error))
                self._turn_away(str(error))
                await asyncio.sleep(delay_s)
                delay_s = min(2.0, delay_s * 2)
            except Exception as error:
                log.exception("the journal does not give the hall")
                self._stop(f"the journal does not give the hall: {error!r}")
            else:
                break
        if self.lease.head != head and self._recovered is not None and not self.stopped.is_set():
            self._recovering = asyncio.get_running_loop().create_task(_logged(self._recovered()))

    def _turn_away(self, why: str) -> None:
        """Nobody's command waits for a store that is away: done minutes later it would surprise whoever gave it up."""
        while self._inbox:
            _fail(self._inbox.popleft().future, Unavailable(why))


def _subject(hall: Hall, event: Event) -> str:
    """What of a hall the event belongs to (DESIGN 3): its day's queue, or what outlives the day."""
    if isinstance(event, (ConfigurationApplied, ConfigurationPlanned)):
        return "configuration"
    if isinstance(event, ServiceRated) and event.service not in hall.services:
        return "ratings"
    return "queue"


class _Work:
    """One batch in the making; all that is decided in it is decided `now`."""

    __slots__ = ("answers", "batch", "events", "failures", "known", "now")

    def __init__(self, known: dict[tuple[str, str], Receipt], now: int) -> None:
        self.known = known
        self.now = now
        self.batch = Batch(events=[], receipts=[], personal=[], lookups=[], claims=[])
        self.events: list[Event] = []
        self.answers: list[tuple[_Asked, Answer]] = []
        self.failures: list[tuple[_Asked, Exception]] = []

    def is_empty(self) -> bool:
        return not self.batch.events and not self.batch.receipts

    def repeat(self, item: _Asked, earlier: Receipt) -> None:
        """The same key again: the same answer, or 422 for another request."""
        if earlier.fingerprint != item.cause.fingerprint:
            self.failures.append((item, KeyReused()))
        else:
            self.answers.append((item, Answer(earlier.status, earlier.body, repeated=True)))


def _fail(future: "asyncio.Future[Answer] | asyncio.Future[object]", error: Exception) -> None:
    if not future.done():
        future.set_exception(RuntimeError(repr(error)) if isinstance(error, StopIteration) else error)


async def _logged(work: Awaitable[None]) -> None:
    try:
        await work
    except Exception as error:
        log.warning("effects in doubt not taken up", error=str(error))
