"""One writer per hall, fenced (DESIGN law 4)."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy import and_, bindparam, text

from queue_server.store import keys, statements, tables
from queue_server.store.port import LEASE_TTL_MS, Batch, Broken, Fenced, Lease, Settled
from queue_server.store.store import Store
from tests.store.sample import HALL, NOON, issued, project


async def old_writer_gets_through(store: Store) -> bool:
    """Two leases, one after the other; whether the first can still write before the second has."""
    old = await store.take_over(HALL, "first")
    await store.take_over(HALL, "second")
    try:
        await store.commit(old, Batch(events=[issued(1)]))
    except Fenced:
        return False
    return True


async def test_law_4_the_writer_that_was_replaced_writes_nothing(store: Store) -> None:
    assert not await old_writer_gets_through(store)
    assert [row async for row in store.read(HALL)] == []


def without_epoch() -> Any:
    row = tables.leases.c
    return and_(row.hall == bindparam("the_hall"), row.head == bindparam("old_head"))


async def test_law_4_fails_when_the_fence_is_switched_off(
    url: str, keys_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mutation: without the epoch in its where-clause, the very same test above finds the old writer writing."""
    monkeypatch.setattr(statements, "fence", without_epoch)
    store = await Store.open(url, keys_dir=keys_dir, projector=project)
    try:
        assert await old_writer_gets_through(store)
    finally:
        await store.close()


async def test_law_4_a_lease_is_used_once(store: Store) -> None:
    """Of many commits under the same lease one is made: the head moves from the old head only."""
    lease = await store.take_over(HALL, "a")
    outcomes = await asyncio.gather(
        *(store.commit(lease, Batch(events=[issued(n)])) for n in range(8)), return_exceptions=True
    )
    assert sum(isinstance(outcome, Fenced) for outcome in outcomes) == 7
    assert [row.seq async for row in store.read(HALL)] == [1]


async def test_law_4_takeover_raises_the_epoch_and_knows_the_head(store: Store) -> None:
    first = await store.take_over(HALL, "a")
    done = await store.commit(first, Batch(events=[issued(1), issued(2)]))
    second = await store.take_over(HALL, "b")
    assert (second.epoch, second.head, second.link) == (first.epoch + 1, 2, done.lease.link)
    await store.commit(second, Batch(events=[issued(3)]))
    assert [(row.seq, row.epoch) async for row in store.read(HALL)] == [(1, 1), (2, 1), (3, 2)]


@pytest.mark.parametrize("words", ["renew", "claim", "settle", "sent_outbox"])
async def test_law_4_what_has_no_event_is_fenced_too(store: Store, words: str) -> None:
    old = await store.take_over(HALL, "a")
    await store.take_over(HALL, "b")
    act: dict[str, Callable[[Lease], Any]] = {
        "renew": store.renew,
        "claim": lambda lease: store.claim(lease, "c1", NOON),
        "settle": lambda lease: store.settle(lease, Settled("c1", "done", "", NOON)),
        "sent_outbox": lambda lease: store.sent_outbox(lease, "o1"),
    }
    with pytest.raises(Fenced):
        await act[words](old)


async def test_law_4_a_lease_runs_out_without_commit_or_renewal(url: str, keys_dir: Path) -> None:
    now = [1_000]
    store = await Store.open(url, keys_dir=keys_dir, projector=project, clock=lambda: now[0])
    try:
        lease = await store.take_over(HALL, "a")
        now[0] += LEASE_TTL_MS - 1
        assert store.holds(lease)
        now[0] += 1
        assert not store.holds(lease)
        await store.renew(lease)
        assert store.holds(lease)
        now[0] += LEASE_TTL_MS
        lease = (await store.commit(lease, Batch(events=[issued(1)]))).lease
        assert store.holds(lease)
        assert not store.holds(Lease(HALL, "a", lease.epoch + 1, 0, ""))
    finally:
        await store.close()


async def test_law_4_a_standby_sees_the_lease_move(store: Store) -> None:
    assert await store.seen(HALL) is None
    lease = await store.take_over(HALL, "a")
    before = await store.seen(HALL)
    await store.renew(lease)
    after = await store.seen(HALL)
    assert before is not None
    assert after is not None
    assert (after.writer, after.epoch, after.head) == ("a", 1, 0)
    assert after.beat > before.beat


async def test_two_processes_open_a_new_hall_at_once(empty_url: str, keys_dir: Path) -> None:
    stores = await asyncio.gather(*(Store.open(empty_url, keys_dir=keys_dir, projector=project) for _ in range(3)))
    leases = await asyncio.gather(*(store.take_over(HALL, f"w{n}") for n, store in enumerate(stores)))
    assert sorted(lease.epoch for lease in leases) == [1, 2, 3]
    for store in stores:
        await store.close()


async def test_wrong_keys_stop_the_takeover_and_leave_the_running_writer_alone(
    url: str, keys_dir: Path, tmp_path: Path
) -> None:
    store = await Store.open(url, keys_dir=keys_dir, projector=project)
    lease = (await store.commit(await store.take_over(HALL, "a"), Batch(events=[issued(1)]))).lease
    other_keys = tmp_path / "other"
    keys.load(other_keys)
    stranger = await Store.open(url, keys_dir=other_keys, projector=project)
    with pytest.raises(Broken, match="key file"):
        await stranger.take_over(HALL, "stranger")
    await store.commit(lease, Batch(events=[issued(2)]))
    await stranger.close()
    await store.close()


@pytest.mark.postgres
async def test_takeover_waits_for_the_commit_in_doubt(postgres: Any, keys_dir: Path) -> None:
    """DESIGN 5: raising the epoch waits on the lease row for a transaction that has moved the head and not ended."""
    url = postgres.fresh()
    store = await Store.open(url, keys_dir=keys_dir, projector=project)
    lease = await store.take_over(HALL, "a")
    events = [issued(1)]
    rows, after = statements.chained(store.keys, lease, events)
    steps = [
        store.statements.move(lease, after.head, after.link),
        *store.statements.events(lease, events, rows, project),
    ]
    other = await asyncpg.connect(url)
    slow = other.transaction()
    await slow.start()
    for step in steps:
        await other.executemany(step.sql, step.rows)
    taking = asyncio.create_task(store.take_over(HALL, "b"))
    await asyncio.sleep(0.3)
    assert not taking.done()
    await slow.commit()
    assert (await taking).head == 1
    await other.close()
    await store.close()


@pytest.mark.postgres
async def test_a_writer_stopped_inside_a_transaction_does_not_hold_the_hall(postgres: Any, keys_dir: Path) -> None:
    """SIGSTOP between the move of the head and COMMIT: the server ends that session, the takeover goes on."""
    url = postgres.fresh()
    store = await Store.open(url, keys_dir=keys_dir, projector=project)
    await store.take_over(HALL, "a")
    async with store.database.engine.connect() as stopped:
        await stopped.execute(text("update leases set head = 99"))
        async with asyncio.timeout(20):
            lease = await store.take_over(HALL, "b")
        assert (lease.epoch, lease.head) == (2, 0)
        await stopped.invalidate()
    await store.close()
