"""Print jobs and calls are claimed before they are done, once; messages wait for the undo time (DESIGN laws 7, 11)."""

import asyncio
from dataclasses import dataclass

import pytest

from queue_server.store.port import RECEIPTS_KEPT_MS, Batch, Claim, Duplicate, Lease, Lost, OutboxRow, Receipt, Settled
from queue_server.store.store import Store
from tests.store.sample import HALL, NOON, issued


def job(name: str, state: str = "open", at: int = NOON) -> Claim:
    return Claim(name, "print", "printer-1", "t1", '{"number":"A001"}', at, at + 10_000, state)  # type: ignore[arg-type]


def message(name: str, due_at: int = NOON + 60_000, at: int = NOON) -> OutboxRow:
    return OutboxRow(name, "hcp", "s1", "{}", at, due_at)


@dataclass
class Written:
    store: Store
    lease: Lease


@pytest.fixture
async def written(store: Store) -> Written:
    lease = await store.take_over(HALL, "a")
    batch = Batch(
        events=[issued(1)],
        claims=[job("c1"), job("c2"), job("c3", "claimed")],
        outbox=[message("o1"), message("o2", NOON + 1)],
    )
    return Written(store, (await store.commit(lease, batch)).lease)


async def test_law_7_a_job_is_claimed_at_most_once(written: Written) -> None:
    store, lease = written.store, written.lease
    won = await asyncio.gather(*(store.claim(lease, "c1", NOON) for _ in range(6)))
    assert won.count(True) == 1
    assert not await store.claim(lease, "c3", NOON)
    assert not await store.claim(lease, "absent", NOON)


async def test_ux_v_05_what_was_not_spoken_is_known_by_place_reason_and_time(store: Store) -> None:
    """The alarm of a lost call follows from these rows alone, in any process; what was done or is open is no loss."""
    lease = await store.take_over(HALL, "a")
    speech = [Claim(name, "speech", "A", "t1", "[]", NOON, NOON + 45_000, "open") for name in ("s1", "s2", "s3", "s4")]
    lease = (await store.commit(lease, Batch(events=[issued(1)], claims=[*speech, job("p1")]))).lease
    ends = [("s1", "dropped", "too-late", 3), ("s2", "done", "", 2), ("s3", "unknown", "restart", 1)]
    for name, state, reason, after in [*ends, ("p1", "dropped", "expired", 1)]:
        await store.settle(lease, Settled(name, state, reason, NOON + after))  # type: ignore[arg-type]
    assert await store.lost_claims(HALL, "speech", NOON) == [
        Lost("A", "restart", NOON + 1),
        Lost("A", "too-late", NOON + 3),
    ]
    assert await store.lost_claims(HALL, "speech", NOON + 2) == [Lost("A", "too-late", NOON + 3)]
    assert await store.lost_claims(HALL, "print", NOON) == [Lost("printer-1", "expired", NOON + 1)]
    assert await store.lost_claims("other", "speech", NOON) == []


async def test_law_7_a_print_job_expires_after_ten_seconds(written: Written) -> None:
    store, lease = written.store, written.lease
    assert not await store.claim(lease, "c1", NOON + 10_000)
    assert await store.claim(lease, "c1", NOON + 9_999)


async def test_law_7_a_claim_ends_once(written: Written) -> None:
    store, lease = written.store, written.lease
    assert await store.settle(lease, Settled("c3", "done", "", NOON + 1))
    assert not await store.settle(lease, Settled("c3", "unknown", "restart", NOON + 2))
    assert await store.settle(lease, Settled("c1", "dropped", "expired", NOON + 2))
    assert not await store.claim(lease, "c1", NOON)
    assert [claim.id for claim in await store.pending_claims(HALL)] == ["c2"]


async def test_law_7_after_a_restart_the_claimed_ones_are_known_and_end_as_unknown(written: Written) -> None:
    store = written.store
    await store.claim(written.lease, "c1", NOON)
    lease = await store.take_over(HALL, "b")
    pending = await store.pending_claims(HALL)
    assert {claim.id: claim.state for claim in pending} == {"c1": "claimed", "c2": "open", "c3": "claimed"}
    ended = [Settled(claim.id, "unknown", "restart", NOON) for claim in pending if claim.state == "claimed"]
    await store.commit(lease, Batch(events=[issued(2)], settled=ended))
    assert await store.pending_claims(HALL) == [job("c2")]


async def test_law_7_the_same_job_is_not_written_twice(written: Written) -> None:
    with pytest.raises(Duplicate):
        await written.store.commit(written.lease, Batch(claims=[job("c1")]))


async def test_law_11_a_message_is_due_after_its_undo_time(written: Written) -> None:
    store = written.store
    assert await store.due_outbox(HALL, NOON) == []
    assert [row.id for row in await store.due_outbox(HALL, NOON + 1)] == ["o2"]
    assert [row.id for row in await store.due_outbox(HALL, NOON + 60_000)] == ["o2", "o1"]
    assert [row.id for row in await store.due_outbox(HALL, NOON + 60_000, limit=1)] == ["o2"]
    assert await store.due_outbox(HALL, NOON + 60_000, limit=1) == [message("o2", NOON + 1)]


async def test_law_11_an_undo_takes_a_waiting_message_back_with_its_event(written: Written) -> None:
    store = written.store
    lease = (await store.commit(written.lease, Batch(events=[issued(2)], withdrawn=["o1"]))).lease
    assert [row.id for row in await store.due_outbox(HALL, NOON + 60_000)] == ["o2"]
    await store.sent_outbox(lease, "o2")
    await store.commit(lease, Batch(withdrawn=["o2"]))
    assert await store.due_outbox(HALL, NOON + 60_000) == []


async def test_a_message_that_fails_is_tried_again_and_then_given_up(written: Written) -> None:
    store, lease = written.store, written.lease
    await store.sent_outbox(lease, "o2", error="timeout", again_at=NOON + 500)
    assert await store.due_outbox(HALL, NOON + 499) == []
    (again,) = await store.due_outbox(HALL, NOON + 500)
    assert (again.attempts, again.error, again.state) == (1, "timeout", "waiting")
    await store.sent_outbox(lease, "o2", error="refused")
    assert await store.due_outbox(HALL, NOON + 500) == []


async def test_law_6_receipts_and_ended_effects_go_after_thirty_days(written: Written) -> None:
    store = written.store
    old = Receipt("k", "old", "f", 200, b"", NOON)
    young = Receipt("k", "young", "f", 200, b"", NOON + 1)
    lease = (await store.commit(written.lease, Batch(receipts=[old, young]))).lease
    await store.settle(lease, Settled("c3", "done", "", NOON))
    await store.sent_outbox(lease, "o2")
    gone = await store.expire(HALL, NOON + RECEIPTS_KEPT_MS)
    assert (gone.receipts, gone.claims, gone.outbox) == (1, 1, 1)
    assert set(await store.receipts(HALL, [("k", "old"), ("k", "young")])) == {("k", "young")}
    assert [claim.id for claim in await store.pending_claims(HALL)] == ["c1", "c2"]
    assert [row.id for row in await store.due_outbox(HALL, NOON + 60_000)] == ["o1"]
