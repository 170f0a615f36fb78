"""The single writer under faults: what fails takes nothing else with it, and nobody hears what is not durable (DESIGN laws 1, 6)."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from queue_server.app import hub as hubs
from queue_server.app.clock import Clock
from queue_server.app.hub import Answer, Cause, Extras, Hub, KeyReused
from queue_server.app.projection import project
from queue_server.domain import commands as c
from queue_server.domain import events as e
from queue_server.domain.decide import Decision
from queue_server.domain.errors import Rejected, Unavailable
from queue_server.domain.model import Hall, empty_hall
from queue_server.store import port, tables
from queue_server.store.audit import verify
from queue_server.store.port import Batch, Committed, Lease
from queue_server.store.store import Store
from queue_server.wire.common import TicketState
from tests.halls import configuration, plain
from tests.migrated import migrated


class Gate(Store):
    """The real store with a hand on its commit."""

    __slots__ = ("before", "heads")

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.before: Callable[[Batch], Awaitable[None]] | None = None
        self.heads: list[int] = []

    async def commit(self, lease: Lease, batch: Batch) -> Committed:
        if self.before is not None:
            await self.before(batch)
        committed = await super().commit(lease, batch)
        self.heads.append(committed.lease.head - lease.head)
        return committed


class Office:
    """A hub on a real database, open for the day, with a window that is sat at."""

    def __init__(self) -> None:
        self.claims: Callable[[Hall, list[e.Event]], list[port.Claim]] = lambda _hall, _events: []
        self.heard: list[e.Event] = []

    async def open(self, folder: Path) -> None:
        self.store = await Gate.open(migrated(folder / "hall.db"), keys_dir=folder / "keys", projector=project)
        assert isinstance(self.store, Gate)
        self.hub = Hub(
            self.store,
            "h",
            "writer",
            Clock("Asia/Shanghai"),
            empty_hall(configuration()),
            effects=self._effects,
        )
        self.hub.on_published(lambda _hall, events: self.heard.extend(events))
        await self.hub.start()
        self.task = asyncio.create_task(self.hub.run())
        await self.hub.tell(c.OpenDay(day="2026-01-05"), "test")
        await self.hub.tell(c.StartDay(), "test")
        await self.hub.tell(c.OpenWindow(window="1", staff="1", staff_name="一"), "test")

    def _effects(self, hall: Hall, events: list[e.Event]) -> list[port.Claim]:
        return self.claims(hall, events)

    async def take(self, name: str, key: str = "", body: str = "", extras: Extras | None = None) -> Answer:
        def respond(hall: Hall, decision: Decision) -> tuple[int, bytes]:
            return 201, hall.tickets[decision.subject].number.encode()

        command = c.TakeTicket(id=name, matters=("pension",))
        return await self.hub.ask(command, Cause("test", "device:kiosk", key, body), respond, extras)

    async def state(self) -> Any:
        return await self.hub.read(plain)

    async def rows(self) -> list[port.JournalRow]:
        return [row async for row in self.store.read("h")]


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    made = Office()
    await made.open(tmp_path)
    yield made
    made.task.cancel()
    await asyncio.gather(made.task, return_exceptions=True)
    await made.store.close()


async def test_a_decide_that_raises_fails_its_own_command_only(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    real = hubs.decide

    def decide(hall: Hall, command: c.Command, ctx: c.Context) -> Decision:
        if getattr(command, "id", "") == "bad":
            raise ZeroDivisionError
        return real(hall, command, ctx)

    monkeypatch.setattr(hubs, "decide", decide)
    outcomes = await asyncio.gather(*(office.take(name) for name in ("a", "bad", "b")), return_exceptions=True)
    assert isinstance(outcomes[1], ZeroDivisionError)
    assert [x.body for x in (outcomes[0], outcomes[2]) if isinstance(x, Answer)] == [b"A001", b"A002"]


@pytest.mark.parametrize("where", ["evolve", "commit", "effects", "respond"])
async def test_what_fails_on_the_way_to_the_disk_leaves_the_hall_as_it_was(
    office: Office, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """The batch is refused whole, the hall is rebuilt from the journal, and the next number is the next number."""
    await office.take("kept")
    before, rows, fail = await office.state(), await office.rows(), [True]
    real = hubs.evolve

    def evolve(hall: Hall, event: e.Event) -> Hall:
        hall = real(hall, event)
        if fail and isinstance(event, e.TicketIssued) and event.ticket == "y":
            fail.clear()
            raise ZeroDivisionError
        return hall

    async def commit(_batch: Batch) -> None:
        if fail:
            fail.clear()
            raise port.Unavailable("the disk is full")

    def claims(_hall: Hall, _events: list[e.Event]) -> list[port.Claim]:
        if fail:
            fail.clear()
            raise KeyError("zone")
        return []

    match where:
        case "evolve":
            monkeypatch.setattr(hubs, "evolve", evolve)
        case "commit":
            office.store.before = commit
        case "effects":
            office.claims = claims
    tasks = [office.take("x"), office.take("y"), office.take("z")]
    if where == "respond":
        tasks.append(office.hub.ask(c.TakeTicket(id="w", matters=("card",)), Cause("test"), lambda _h, _d: 1 / 0))  # type: ignore[arg-type, return-value]
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(outcome, Unavailable) for outcome in outcomes), outcomes
    assert await office.state() == before
    assert await office.rows() == rows
    assert (await office.take("x")).body == b"A002"
    assert not office.hub.stopped.is_set()


async def test_a_listener_that_raises_keeps_nobody_else_from_hearing(office: Office) -> None:
    def bad(_hall: Hall, _events: list[e.Event]) -> None:
        raise KeyError("a zone that is gone")

    office.hub.on_published(bad, lambda _hall, events: office.heard.extend(events))
    assert (await office.take("x")).status == 201
    assert (await office.take("y")).status == 201
    assert [x.ticket for x in office.heard if isinstance(x, e.TicketIssued)] == ["x", "y"]


async def test_rules_14_a_thousand_tickets_issued_at_once_have_a_number_each_and_no_gap(office: Office) -> None:
    """Hundreds of commands a commit: no number twice, none left out, the journal gapless, every answer as stored."""
    office.store.heads.clear()
    answers = await asyncio.gather(*(office.take(f"t{n}", key=f"k{n}") for n in range(1_000)))
    numbers = [answer.body.decode() for answer in answers]
    assert sorted(int(number.removeprefix("A")) for number in numbers) == list(range(1, 1_001))
    assert max(office.store.heads) >= 400, office.store.heads
    rows = await office.rows()
    assert [row.seq for row in rows] == list(range(1, len(rows) + 1))
    stored = await office.hub.read(lambda hall: {ticket.id: ticket.number for ticket in hall.tickets.values()})
    assert [stored[f"t{n}"] for n in range(1_000)] == numbers
    report = await verify(office.store, "h")
    assert report.ok, report.findings


async def test_one_key_is_one_effect_from_two_connections_at_once(office: Office) -> None:
    first, second = await asyncio.gather(office.take("a", "key", "same"), office.take("b", "key", "same"))
    assert (first.status, first.body) == (second.status, second.body) == (201, b"A001")
    assert (first.repeated, second.repeated) == (False, True)
    assert (await office.take("c", "key", "same")).repeated, "and again after the commit"
    for name in ("d", "e"):
        with pytest.raises(KeyReused):
            await office.take(name, "key", "other")
    assert await office.hub.read(lambda hall: list(hall.tickets)) == ["a"]


class Forgetful(dict[tuple[str, str], port.Receipt]):
    """Receipts that nobody finds again."""

    def get(self, *_: Any) -> Any:
        return None


async def test_law_6_fails_when_idempotency_is_switched_off(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutation: with a hub that forgets its keys the table still refuses; with a forgetful table too, it is done twice."""

    async def nothing(_hub: Hub, _asked: object) -> Forgetful:
        return Forgetful()

    rule = test_one_key_is_one_effect_from_two_connections_at_once
    monkeypatch.setattr(Hub, "_receipts", nothing)
    with pytest.raises(Unavailable):
        await rule(office)
    written = office.store.statements
    monkeypatch.setattr(written, "_receipt", written._upsert(tables.receipts, tuple(tables.receipts.c.keys())))
    with pytest.raises(AssertionError):
        await rule(office)


async def test_a_key_with_another_body_is_refused_within_one_batch_too(office: Office) -> None:
    outcomes = await asyncio.gather(
        office.take("a", "key", "one"), office.take("b", "key", "two"), return_exceptions=True
    )
    assert isinstance(outcomes[0], Answer)
    assert isinstance(outcomes[1], KeyReused)


async def test_a_rejection_may_be_decided_again(office: Office) -> None:
    async def call() -> Answer:
        command = c.CallNext(window="1", service="v")
        return await office.hub.ask(command, Cause("s", "s", "key", "call"), lambda _h, _d: (200, b""))

    with pytest.raises(Rejected):
        await call()
    await office.take("a")
    assert (await call()).status == 200


async def test_nobody_reads_or_hears_what_is_not_committed(office: Office) -> None:
    """DESIGN law 1: while the disk takes its time, reads wait and no answer goes out; when it refuses, nothing happened."""
    reached, go = asyncio.Event(), asyncio.Event()

    async def hold(_batch: Batch) -> None:
        reached.set()
        await go.wait()
        raise port.Unavailable("the disk is full")

    office.store.before = hold
    taking = asyncio.create_task(office.take("ghost"))
    await reached.wait()
    reading = asyncio.create_task(office.hub.read(lambda hall: list(hall.tickets)))
    done, _ = await asyncio.wait({taking, reading}, timeout=0.2)
    assert not done
    assert office.heard
    assert not any(isinstance(event, e.TicketIssued) for event in office.heard)
    office.store.before = None
    go.set()
    assert await reading == []
    with pytest.raises(Unavailable):
        await taking


async def test_no_command_waits_for_a_database_that_is_away(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Law 8: what was given up must not be done minutes later; and when the database is back the hall goes on."""
    away = [True]
    real = hubs.replay

    async def replay(*arguments: Any) -> Any:
        if away:
            raise port.Unavailable("the database is not reachable")
        return await real(*arguments)

    async def commit(_batch: Batch) -> None:
        if away:
            raise port.InDoubt("no answer to a commit")

    monkeypatch.setattr(hubs, "replay", replay)
    office.store.before = commit
    with pytest.raises(Unavailable):
        await office.take("a")
    for name in ("b", "c"):
        with pytest.raises(Unavailable):
            await asyncio.wait_for(office.take(name), 5)
    away.clear()
    async with asyncio.timeout(20):
        while True:
            try:
                answer = await office.take("d")
                break
            except Unavailable:
                await asyncio.sleep(0.05)
    assert answer.body == b"A001"
    assert await office.hub.read(lambda hall: list(hall.tickets)) == ["d"]


async def test_a_commit_in_doubt_that_was_durable_is_taken_up(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """The caller is told nothing certain; the same key then gives the stored answer, and its effects are looked after."""
    recovered = asyncio.Event()

    async def take_up() -> None:
        recovered.set()

    office.hub.on_recovered(take_up)
    real, doubt = Store.commit, [True]

    async def commit(self: Store, lease: Lease, batch: Batch) -> Committed:
        done = await real(self, lease, batch)
        if doubt:
            doubt.clear()
            raise port.InDoubt("the answer was lost")
        return done

    monkeypatch.setattr(Store, "commit", commit)
    epoch = office.hub.lease.epoch
    with pytest.raises(Unavailable):
        await office.take("a", "key", "body")
    answer = await office.take("a2", "key", "body")
    assert (answer.body, answer.repeated) == (b"A001", True)
    assert office.hub.lease.epoch == epoch + 1
    await asyncio.wait_for(recovered.wait(), 2)
    assert await office.hub.read(lambda hall: [t.state for t in hall.tickets.values()]) == [TicketState.WAITING]


async def test_renewing_during_ones_own_takeover_is_not_being_fenced(office: Office) -> None:
    """The lease that a doubt replaced is our own: `keep` must not stop the hall for it."""
    keeping = asyncio.create_task(office.hub.keep(0.001))
    fail = [True] * 5

    async def doubt(_batch: Batch) -> None:
        if fail:
            fail.pop()
            raise port.InDoubt("no answer to a commit")

    office.store.before = doubt
    for number in range(5):
        with pytest.raises(Unavailable):
            await office.take(f"x{number}")
    assert (await office.take("y")).status == 201
    assert not office.hub.stopped.is_set(), office.hub.failure
    keeping.cancel()


async def test_a_journal_that_does_not_give_the_hall_stops_it_and_says_so(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DESIGN 7: Broken stops the hall."""

    async def replay(*_arguments: Any) -> Any:
        raise KeyError("a row nobody understands")

    async def commit(_batch: Batch) -> None:
        raise port.Unavailable("the disk is full")

    monkeypatch.setattr(hubs, "replay", replay)
    office.store.before = commit
    with pytest.raises(Unavailable):
        await office.take("a")
    await asyncio.wait_for(office.hub.stopped.wait(), 2)
    assert "a row nobody understands" in office.hub.failure


@pytest.mark.parametrize("error", [KeyError, StopIteration, RecursionError])
async def test_a_look_that_raises_is_its_own_askers_affair(office: Office, error: type[Exception]) -> None:
    """A future takes no StopIteration: one page that asked for a kiosk that was not there ended the server."""

    def look(_hall: Hall) -> None:
        raise error("nothing of that name")

    with pytest.raises((error, RuntimeError)):
        await office.hub.read(look)
    assert (await office.take("x")).status == 201


async def test_law_5_a_full_inbox_refuses_at_once_and_loses_nothing_it_took(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the disk stands still commands wait up to the limit; one more is told so, and the hall goes on afterwards."""
    monkeypatch.setattr(hubs, "INBOX_MAX", 10)
    office, disk = Office(), asyncio.Event()
    await office.open(tmp_path)

    async def stands_still(_batch: Batch) -> None:
        await disk.wait()

    office.store.before = stands_still
    first = asyncio.create_task(office.take("first"))
    await asyncio.sleep(0.1)  # it is being written
    waiting = [asyncio.create_task(office.take(f"w{number}")) for number in range(10)]
    await asyncio.sleep(0)
    for _ in range(3):
        with pytest.raises(Unavailable, match="overloaded"):
            await asyncio.wait_for(office.take("more"), 1)
    disk.set()
    answers = await asyncio.gather(first, *waiting)
    assert [answer.status for answer in answers] == [201] * 11
    assert (await office.take("later")).status == 201
    assert await office.hub.read(lambda hall: "more" not in hall.tickets and len(hall.tickets) == 12)
    office.task.cancel()
    await asyncio.gather(office.task, return_exceptions=True)
    await office.store.close()


async def test_law_4_a_rejection_needs_an_unexpired_lease(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has no event that a fence could stop: without the right to write nobody is told anything but 503."""

    async def call() -> Answer:
        command = c.CallNext(window="1", service="v")
        return await office.hub.ask(command, Cause("s"), lambda _hall, _decision: (200, b""))

    with pytest.raises(Rejected):
        await call()
    monkeypatch.setattr(Gate, "holds", lambda _store, _lease: False)
    with pytest.raises(Unavailable, match="lease"):
        await call()
