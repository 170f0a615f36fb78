"""However events are cut into batches, what reports read is the same, and equals a rebuild from zero."""

import asyncio
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from queue_server.store import tables
from queue_server.store.audit import rebuild, verify
from queue_server.store.port import Batch, JournalRow, NewEvent, Upsert
from queue_server.store.store import Store
from tests.migrated import migrated

values: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "tickets": {
        "state": st.sampled_from(["waiting", "called", ""]),
        "window": st.none() | st.text("12", max_size=2),
        "calls": st.integers(0, 9),
    },
    "services": {
        "direct": st.booleans(),
        "ticket": st.none() | st.text("t", max_size=2),
        "finished_at": st.none() | st.integers(0, 2**60),
    },
    "ratings": {"level": st.integers(1, 5), "late": st.booleans(), "tags": st.sampled_from(["[]", '["510"]'])},
}
change = st.sampled_from(sorted(values)).flatmap(
    lambda table: st.tuples(st.just(table), st.sampled_from("abc"), st.fixed_dictionaries({}, optional=values[table]))
)
events = st.lists(st.lists(change, max_size=3), min_size=1, max_size=12)


def project(row: JournalRow) -> Iterable[Upsert]:
    """The event's data are the changes themselves."""
    return [Upsert(table, row_id, changed) for table, row_id, changed in msgspec.json.decode(row.data)]


def by_hand(changes: list[list[tuple[str, str, dict[str, object]]]]) -> dict[tuple[str, str], dict[str, object]]:
    """What the tables should hold, column by column, told without SQL."""
    defaults: dict[str, dict[str, object]] = {
        "tickets": {"state": "", "window": None, "calls": 0},
        "services": {"direct": False, "ticket": None, "finished_at": None},
        "ratings": {"level": 0, "late": False, "tags": ""},
    }
    found: dict[tuple[str, str], dict[str, object]] = {}
    for event in changes:
        for table, row_id, changed in event:
            found.setdefault((table, row_id), dict(defaults[table])).update(changed)
    return found


async def stored(store: Store) -> dict[tuple[str, str], dict[str, object]]:
    found: dict[tuple[str, str], dict[str, object]] = {}
    async with store.database.reading() as connection:
        for name, columns in values.items():
            table = tables.projected[name]
            for row in await connection.execute(select(table)):
                found[name, row.id] = {column: row._mapping[column] for column in columns}
    return found


async def check(changes: list[list[tuple[str, str, dict[str, object]]]], sizes: list[int]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = await Store.open(migrated(Path(folder, "hall.db")), keys_dir=Path(folder), projector=project)
        lease = await store.take_over("h", "a")
        new = [
            NewEvent("queue", "", n, "", "", "Changed", 1, msgspec.json.encode(c).decode())
            for n, c in enumerate(changes)
        ]
        for size in sizes:
            lease = (await store.commit(lease, Batch(events=new[:size]))).lease
            new = new[size:]
        await store.commit(lease, Batch(events=new))
        assert await stored(store) == by_hand(changes)
        assert (await verify(store, "h")).ok
        await rebuild(store, "h")
        assert await stored(store) == by_hand(changes)
        await store.close()


@settings(max_examples=25)
@given(events, st.lists(st.integers(0, 5), max_size=4))
def test_batches_do_not_matter_and_rebuild_equals(
    changes: list[list[tuple[str, str, dict[str, object]]]], sizes: list[int]
) -> None:
    asyncio.run(check(changes, sizes))
