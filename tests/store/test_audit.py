"""An edit shows, wherever it is made (RULES 95, DESIGN 5); projections follow from the journal."""

import asyncio
import json
from collections.abc import Iterable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.hashes import SM3
from cryptography.hazmat.primitives.hmac import HMAC
from sqlalchemy import delete, select, text, update

from queue_server.store import anchors, keys, tables
from queue_server.store.audit import export, rebuild, verify
from queue_server.store.port import Batch, JournalRow, Lease, Upsert
from queue_server.store.store import Store
from tests.store.sample import HALL, NOON, called, event, issued, project


async def lived(store: Store, tickets: int = 20) -> Lease:
    """A morning with tickets, calls, services and ratings, anchored at its end."""
    lease = await store.take_over(HALL, "a")
    for n in range(tickets):
        batch = [issued(n), called(n)]
        if n % 2:
            batch.append(event("ServiceEnded", NOON + n, id=f"s{n}", ticket=f"t{n}", direct=False))
        if n % 4 == 1:
            batch.append(event("Rated", NOON + n, id=f"r{n}", service=f"s{n}", level=1 + n % 5))
        lease = (await store.commit(lease, Batch(events=batch))).lease
    await store.anchor(HALL, NOON)
    return lease


async def run(store: Store, statement: object) -> None:
    async with store.database.writing() as connection:
        await connection.execute(statement)  # type: ignore[call-overload]


async def codes(store: Store) -> list[tuple[str, int]]:
    report = await verify(store, HALL)
    assert report.ok == (not report.findings)
    return [(finding.code, finding.seq) for finding in report.findings]


async def test_an_untouched_journal_is_whole(store: Store) -> None:
    lease = await lived(store)
    told: list[tuple[int, int]] = []
    report = await verify(store, HALL, progress=lambda done, total: told.append((done, total)))
    assert report.ok
    assert (report.rows, report.head, report.anchors) == (lease.head, lease.head, 1)
    assert report.projected == {"tickets": 20, "services": 10, "ratings": 5}
    assert told[-1] == (lease.head, lease.head)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("data", "{}"),
        ("at", NOON + 1),
        ("actor", "nobody"),
        ("kind", "Nothing"),
        ("day", "2020-01-01"),
        ("cause", "x"),
        ("subject", "y"),
        ("version", 2),
        ("epoch", 7),
        ("link", "00"),
    ],
)
async def test_an_edited_row_shows(store: Store, column: str, value: str | int) -> None:
    await lived(store)
    await run(store, update(tables.journal).where(tables.journal.c.seq == 7).values({column: value}))
    assert ("link", 7) in await codes(store)


async def test_a_row_taken_out_shows(store: Store) -> None:
    await lived(store)
    await run(store, delete(tables.journal).where(tables.journal.c.seq == 7))
    assert ("gap", 8) in await codes(store)


async def test_a_cut_tail_shows_by_the_anchor_even_when_the_lease_was_mended(store: Store) -> None:
    """Whoever cuts the journal, its projections and the lease row together is still contradicted from outside."""
    lease = await lived(store, 5)
    journal = tables.journal.c
    async with store.database.reading() as connection:
        link = (await connection.execute(select(journal.link).where(journal.seq == lease.head - 1))).scalar_one()
    await run(store, delete(tables.journal).where(journal.seq == lease.head))
    assert ("tail", lease.head - 1) in await codes(store)
    await run(store, update(tables.leases).values(head=lease.head - 1, link=link))
    await rebuild(store, HALL)
    assert await codes(store) == [("anchor", lease.head)]


async def test_a_journal_written_anew_shows_by_the_anchor(store: Store) -> None:
    """Even with the key: the head noted outside is another."""
    lease = await lived(store, 3)
    await run(store, delete(tables.journal))
    await run(store, update(tables.leases).values(head=0, link=""))
    fresh = await store.take_over(HALL, "forger")
    await store.commit(fresh, Batch(events=[issued(n) for n in range(lease.head)]))
    await rebuild(store, HALL)
    assert await codes(store) == [("anchor", lease.head)]


async def test_a_torn_anchor_line_is_counted_and_the_next_one_stands(store: Store, keys_dir: Path) -> None:
    await lived(store, 2)
    with (keys_dir / anchors.ANCHOR_FILE).open("ab") as file:
        file.write(b'{"hall":"fuch')
    await store.anchor(HALL, NOON + 1)
    report = await verify(store, HALL)
    assert report.ok
    assert (report.anchors, report.unreadable_anchors) == (2, 1)


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("update ratings set level = 5 where id = 'r1'", "changed"),
        ("update services set rating = null where id = 's1'", "changed"),
        ("update tickets set \"window\" = '4' where id = 't3'", "changed"),
        ("delete from ratings where id = 'r1'", "missing"),
        ("insert into ratings (hall, id, level) values ('fucheng', 'r99', 5)", "extra"),
    ],
)
async def test_a_changed_projection_shows_and_rebuild_mends_it(store: Store, statement: str, found: str) -> None:
    await lived(store)
    await run(store, text(statement))
    assert await codes(store) == [(found, 0)]
    assert await rebuild(store, HALL) == (await verify(store, HALL)).rows
    assert await codes(store) == []


async def test_rebuild_leaves_other_halls_alone(store: Store) -> None:
    await lived(store)
    other = await store.take_over("other", "a")
    await store.commit(other, Batch(events=[issued(1)]))
    await run(store, text("update tickets set state = 'odd' where hall = 'other'"))
    await rebuild(store, HALL)
    assert not (await verify(store, "other")).ok
    assert (await verify(store, HALL)).ok


async def test_rebuild_follows_a_projector_that_has_learned(url: str, keys_dir: Path) -> None:
    """A new column's meaning reaches the past: rebuilt rows are those the new projector makes."""

    def learned(row: JournalRow) -> Iterable[Upsert]:
        for change in project(row):
            yield change
            if row.kind == "TicketIssued":
                yield Upsert("tickets", change.id, {"origin": row.actor})

    store = await Store.open(url, keys_dir=keys_dir, projector=project)
    await lived(store, 4)
    await store.close()
    store = await Store.open(url, keys_dir=keys_dir, projector=learned)
    assert not (await verify(store, HALL)).ok
    await rebuild(store, HALL)
    assert (await verify(store, HALL)).ok
    await store.close()


async def test_a_hall_is_verified_while_it_writes(store: Store) -> None:
    """`verify` sees one moment: commits that come meanwhile neither disturb it nor wait for it."""
    lease = await lived(store, 400)
    moved = False

    async def write(lease: Lease) -> None:
        nonlocal moved
        for n in range(5):
            lease = (await store.commit(lease, Batch(events=[issued(1_000 + n)]))).lease
        moved = True

    report, _ = await asyncio.gather(verify(store, HALL), write(lease))
    assert report.ok
    assert moved


async def test_an_outsider_with_the_key_can_follow_the_chain(store: Store, keys_dir: Path) -> None:
    """The export and the key are enough: HMAC-SM3 over a JSON array, written here by another hand."""
    await lived(store, 6)
    secret = bytes.fromhex(json.loads((keys_dir / keys.KEY_FILE).read_text())["chain"])
    link = ""
    seen = 0
    names = ("hall", "seq", "epoch", "subject", "day", "at", "actor", "cause", "kind", "version", "data")
    async for line in export(store, HALL):
        row = json.loads(line)
        mac = HMAC(secret, SM3())
        mac.update(
            json.dumps([link, *(row[name] for name in names)], ensure_ascii=False, separators=(",", ":")).encode()
        )
        link = mac.finalize().hex()
        assert row["link"] == link
        seen += 1
    assert seen == (await verify(store, HALL)).rows
    assert [json.loads(line)["seq"] async for line in export(store, HALL, after=3)] == list(range(4, seen + 1))
