"""The tables that migrations make are those the code sees, from an empty database and from every older one."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Engine, text
from sqlalchemy.event import listen, remove

from queue_server.app.projection import project as real_project
from queue_server.domain import events as e
from queue_server.domain.events import VERSION, encode_event
from queue_server.store import tables
from queue_server.store.port import Batch, NewEvent, Unavailable
from queue_server.store.store import Store
from tests.store.sample import HALL, issued, project


@pytest.fixture
def url(empty_url: str) -> str:
    return empty_url


async def test_the_migrated_tables_are_the_codes_tables(store: Store) -> None:
    def other_default(*compared: Any) -> bool:
        """The databases spell a default back in their own ways: `''::text`, `('')`, false."""
        _context, _column, _table_column, found, _default, wanted = compared
        spelled = (found or "").split("::")[0].strip("()'").replace("false", "0")
        return bool(spelled != (wanted or "").strip("'"))

    def differences(connection: Connection) -> list[Any]:
        options = {"compare_type": True, "compare_server_default": other_default}
        context = MigrationContext.configure(connection, opts=options)
        found: list[Any] = compare_metadata(context, tables.metadata)
        return found

    async with store.database.reading() as connection:
        assert await connection.run_sync(differences) == []


async def test_opening_again_changes_nothing(url: str, keys_dir: Path) -> None:
    store = await Store.open(url, keys_dir=keys_dir, projector=project)
    await store.commit(await store.take_over(HALL, "a"), Batch(events=[issued(1)]))
    await store.close()
    stores = await asyncio.gather(*(Store.open(url, keys_dir=keys_dir, projector=project) for _ in range(3)))
    for each in stores:
        assert [row.seq async for row in each.read(HALL)] == [1]
        await each.close()


async def test_a_database_from_a_newer_version_is_refused(url: str, keys_dir: Path) -> None:
    store = await Store.open(url, keys_dir=keys_dir, projector=project)
    async with store.database.writing() as connection:
        await connection.execute(text("update alembic_version set version_num = '9999'"))
    await store.close()
    with pytest.raises(Unavailable, match="newer"):
        await Store.open(url, keys_dir=keys_dir, projector=project)


async def test_migrations_need_no_file_in_the_working_directory(
    url: str, keys_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    store = await Store.open(url, keys_dir=keys_dir, projector=project)
    await store.take_over(HALL, "a")
    await store.close()


async def _back_to_0002(store: Store) -> None:
    """The tables as they were before services told of the QR code; the store is closed."""
    async with store.database.writing() as connection:
        await connection.execute(text("alter table services drop column qr_offered"))
        await connection.execute(text("alter table tickets add column token_hash text"))
        await connection.execute(text("create index tickets_by_token on tickets (hall, token_hash)"))
        await connection.execute(text("update alembic_version set version_num = '0002'"))
    await store.close()


async def test_rules_38_years_of_services_are_marked_in_pages_of_bounded_size(url: str, keys_dir: Path) -> None:
    """An undo pages after its invitation counts, and so does what was invited anew after that; halls do not mix."""
    store = await Store.open(url, keys_dir=keys_dir, projector=real_project)
    count = 2_300
    for hall in ("a", HALL):
        begun = [
            e.DirectServiceStarted(service=f"s{n}", window="1", staff="s", matters=(), quantity=1, at=1)
            for n in range(count)
        ]
        asked = [e.RatingInvited(service=f"s{n}", window="1", device="", for_ms=1, at=2) for n in range(count)]
        last = [
            e.FinishUndone(service="s0", ticket="", window="1", at=3),
            e.FinishUndone(service="s1", ticket="", window="1", at=3),
            e.RatingInvited(service="s1", window="1", device="pad", for_ms=1, at=4),
        ]
        events = [
            NewEvent("queue", "2026-01-05", 1, "", "", type(event).__name__, VERSION, encode_event(event))
            for event in (*begun, *asked, *last)
        ]
        await store.commit(await store.take_over(hall, "a"), Batch(events=events))
    await _back_to_0002(store)
    pages: list[str] = []

    def counted(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if "from journal" in statement:
            pages.append(statement)

    listen(Engine, "before_cursor_execute", counted)
    try:
        store = await Store.open(url, keys_dir=keys_dir, projector=real_project)
    finally:
        remove(Engine, "before_cursor_execute", counted)
    for hall in ("a", HALL):
        assert await store.invited(hall, "2026-01-05", "2026-01-05") == {("2026-01-05", "1"): (1, count - 2)}
    assert all("limit" in statement for statement in pages)
    assert len(pages) >= 2 * count // 1_000
    await store.close()


async def test_rules_38_services_from_before_are_marked_as_the_journal_tells(url: str, keys_dir: Path) -> None:
    """A column that a report reads must be what `journal rebuild` would make of the rows that are there."""
    store = await Store.open(url, keys_dir=keys_dir, projector=real_project)
    events = [
        *(e.DirectServiceStarted(service=name, window="1", staff="s", matters=(), quantity=1, at=1) for name in "abc"),
        e.RatingInvited(service="a", window="1", device="", for_ms=1, at=2),
        e.RatingInvited(service="b", window="1", device="pad", for_ms=1, at=3),
        e.RatingInvited(service="c", window="1", device="", for_ms=1, at=4),
        e.FinishUndone(service="c", ticket="", window="1", at=5),
    ]
    rows = [
        NewEvent("queue", "2026-01-05", 1, "", "", type(event).__name__, VERSION, encode_event(event))
        for event in events
    ]
    await store.commit(await store.take_over(HALL, "a"), Batch(events=rows))
    assert await store.invited(HALL, "2026-01-05", "2026-01-05") == {("2026-01-05", "1"): (1, 1)}
    await _back_to_0002(store)
    store = await Store.open(url, keys_dir=keys_dir, projector=real_project)
    assert await store.invited(HALL, "2026-01-01", "2026-12-31") == {("2026-01-05", "1"): (1, 1)}
    assert await store.invited(HALL, "2026-01-06", "2026-12-31") == {}
    await store.close()
