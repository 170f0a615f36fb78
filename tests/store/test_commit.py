"""One commit writes a whole batch or nothing, numbered without gaps, and never guesses (DESIGN laws 1, 4, 6, section 5)."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from sqlalchemy import func, select
from sqlalchemy.event import listen

from queue_server.store import append, database, tables, writing
from queue_server.store import store as store_module
from queue_server.store.port import (
    Batch,
    Broken,
    Claim,
    Duplicate,
    InDoubt,
    JournalRow,
    Lookup,
    NewEvent,
    OutboxRow,
    PersonalRow,
    Receipt,
    Unavailable,
    Unfit,
    Upsert,
)
from queue_server.store.store import Store
from tests.postgres import Postgres
from tests.store.proxy import CutAt, proxied
from tests.store.sample import DAY, HALL, NOON, called, event, issued, project


def receipt(key: str, principal: str = "kiosk-1", body: bytes = b"{}") -> Receipt:
    return Receipt(principal, key, "f1", 201, body, NOON)


async def counts(store: Store) -> dict[str, int]:
    async with store.database.reading() as connection:
        return {
            name: (await connection.execute(select(func.count()).select_from(table))).scalar_one()
            for name, table in tables.metadata.tables.items()
            if name != "leases"
        }


async def test_seq_has_no_gaps_when_many_halls_write_at_once(store: Store) -> None:
    async def live(hall: str) -> None:
        lease = await store.take_over(hall, "a")
        for turn in range(12):
            lease = (await store.commit(lease, Batch(events=[issued(turn * 3 + n) for n in range(3)]))).lease

    halls = [f"hall-{n}" for n in range(4)]
    await asyncio.gather(*(live(hall) for hall in halls))
    for hall in halls:
        assert [row.seq async for row in store.read(hall)] == list(range(1, 37))


async def test_what_was_written_is_read_back_letter_for_letter(store: Store) -> None:
    lease = await store.take_over(HALL, "a")
    odd = NewEvent("grievance/7", "", NOON, "张三", "k", "Noted", 3, '{"text":"“甲”\\n𠮷 \\u0001","n":1e3}')
    done = await store.commit(lease, Batch(events=[odd, issued(1)]))
    assert (done.first_seq, done.last_seq, done.lease.head) == (1, 2, 2)
    first, second = [row async for row in store.read(HALL)]
    assert isinstance(first, JournalRow)
    assert first.data == odd.data
    assert (first.subject, first.day, first.actor, first.kind, first.version) == ("grievance/7", "", "张三", "Noted", 3)
    assert second.link == done.lease.link


async def test_a_subject_or_a_day_replays_alone(store: Store) -> None:
    lease = await store.take_over(HALL, "a")
    events = [
        event("A", day="2025-03-02"),
        event("B", day="2025-03-03"),
        event("C", subject="configuration", day=""),
        event("D", day="2025-03-03"),
    ]
    await store.commit(lease, Batch(events=events))
    assert [row.kind async for row in store.read(HALL, subject="queue", day="2025-03-03")] == ["B", "D"]
    assert [row.kind async for row in store.read(HALL, subject="configuration")] == ["C"]
    assert [row.kind async for row in store.read(HALL, after=2, limit=1)] == ["C"]
    assert await store.latest_day(HALL, "queue") == "2025-03-03"
    assert await store.latest_day(HALL, "nothing") == ""
    assert await store.day_before(HALL, "B", "9000-01-01") == "2025-03-03"
    assert await store.day_before(HALL, "B", "2025-03-03") == ""
    assert await store.day_before(HALL, "A", "2025-03-03") == "2025-03-02"
    assert await store.day_before("elsewhere", "A", "2025-03-03") == ""


async def exhaust(rows: AsyncIterator[JournalRow]) -> None:
    async for _ in rows:
        pass


async def test_a_restart_reads_its_day_and_not_the_journal(tmp_path: Path, keys_dir: Path) -> None:
    """DESIGN 3: the unit of replay is the day, so each of these reads goes through an index made for it."""
    store = await Store.open(f"sqlite:///{tmp_path / 'hall.db'}", keys_dir=keys_dir, projector=project)
    asked: list[tuple[str, Any]] = []

    def listen(_connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
        if statement.startswith("SELECT"):
            asked.append((statement, parameters))

    sqlalchemy.event.listen(store.database.engine.sync_engine, "before_cursor_execute", listen)
    by_day, by_subject = "journal_by_day (hall=? AND day=? AND seq>?)", "journal_by_subject (hall=? AND subject=?"
    await exhaust(store.read(HALL, day=DAY))
    await exhaust(store.read(HALL, subject="queue", day=DAY))
    await exhaust(store.read(HALL, subject="configuration"))
    await store.latest_day(HALL, "queue")
    assert len(asked) == 4
    for (statement, parameters), index in zip(list(asked), (by_day, by_day, by_subject, by_subject), strict=True):
        async with store.database.reading() as connection:
            plan = await connection.exec_driver_sql("explain query plan " + statement, tuple(parameters))
            assert index in plan.all()[0][-1]
    await store.close()


async def test_a_long_journal_is_read_page_by_page(store: Store) -> None:
    lease = await store.take_over(HALL, "a")
    await store.commit(lease, Batch(events=[issued(n) for n in range(2_500)]))
    assert [row.seq async for row in store.read(HALL)] == list(range(1, 2_501))
    assert len([row async for row in store.read(HALL, limit=1_700)]) == 1_700


async def test_law_6_a_key_is_unique_per_hall_and_principal(store: Store) -> None:
    lease = await store.take_over(HALL, "a")
    other = await store.take_over("other", "a")
    done = await store.commit(lease, Batch(events=[issued(1)], receipts=[receipt("k1"), receipt("k1", "kiosk-2")]))
    await store.commit(other, Batch(receipts=[receipt("k1")]))
    with pytest.raises(Duplicate):
        await store.commit(done.lease, Batch(events=[issued(2)], receipts=[receipt("k1", body=b"other")]))
    found = await store.receipts(HALL, [("kiosk-1", "k1"), ("kiosk-1", "absent"), ("kiosk-2", "k1")])
    assert set(found) == {("kiosk-1", "k1"), ("kiosk-2", "k1")}
    assert found["kiosk-1", "k1"] == receipt("k1")
    assert [row.seq async for row in store.read(HALL)] == [1]
    await store.commit(done.lease, Batch(events=[issued(2)], receipts=[receipt("k2")]))


async def test_law_6_the_uniqueness_is_the_tables_own(
    url: str, keys_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mutation: with a table that forgets the first answer, the repetition above would be answered twice."""
    store = await Store.open(url, keys_dir=keys_dir, projector=project)
    forgetful = store.statements._upsert(tables.receipts, tuple(tables.receipts.c.keys()))
    monkeypatch.setattr(store.statements, "_receipt", forgetful)
    lease = await store.take_over(HALL, "a")
    done = await store.commit(lease, Batch(receipts=[receipt("k1")]))
    await store.commit(done.lease, Batch(receipts=[receipt("k1", body=b"other")]))
    assert (await store.receipts(HALL, [("kiosk-1", "k1")]))["kiosk-1", "k1"].body == b"other"
    await store.close()


async def test_law_1_a_batch_is_written_whole_or_not_at_all(store: Store) -> None:
    """Every table of a batch takes part: the last row fails, the first are gone."""
    lease = await store.take_over(HALL, "a")
    lease = (await store.commit(lease, Batch(outbox=[OutboxRow("o1", "hcp", "s1", "{}", NOON, NOON)]))).lease
    before = await counts(store)
    batch = Batch(
        events=[issued(1), called(1)],
        receipts=[receipt("k1")],
        personal=[PersonalRow("p1", "name", "张三".encode(), NOON, NOON + 1)],
        lookups=[Lookup("h1", "p1", NOON + 1)],
        claims=[Claim("c1", "print", "printer-1", "t1", "{}", NOON, NOON + 10_000)],
        outbox=[OutboxRow("o1", "hcp", "s1", "{}", NOON, NOON)],
    )
    with pytest.raises(Duplicate):
        await store.commit(lease, batch)
    assert await counts(store) == before
    assert (await store.take_over(HALL, "b")).head == 0


async def test_projections_are_written_with_their_events(store: Store) -> None:
    lease = await store.take_over(HALL, "a")
    ended = event("ServiceEnded", NOON + 5, id="s1", ticket="t1", direct=True)
    rated = event("Rated", NOON + 6, id="r1", service="s1", level=5)
    done = await store.commit(lease, Batch(events=[issued(1), issued(2), called(1)]))
    await store.commit(done.lease, Batch(events=[ended, rated]))
    ticket, service, rating = tables.tickets.c, tables.services.c, tables.ratings.c
    async with store.database.reading() as connection:
        found = await connection.execute(
            select(
                ticket.id, ticket.day, ticket.number, ticket.state, ticket.window, ticket.calls, ticket.finished_at
            ).order_by(ticket.id)
        )
        assert [tuple(row) for row in found] == [
            ("t1", DAY, "A001", "done", "3", 1, NOON + 5),
            ("t2", DAY, "A002", "waiting", None, 0, None),
        ]
        joined = select(service.ticket, service.direct, rating.level, rating.late).where(service.rating == rating.id)
        assert [tuple(row) for row in await connection.execute(joined)] == [("t1", True, 5, False)]


async def test_a_projector_that_names_an_unknown_column_is_broken_and_writes_nothing(url: str, keys_dir: Path) -> None:
    store = await Store.open(url, keys_dir=keys_dir, projector=lambda row: [Upsert("tickets", "t1", {"colour": "red"})])
    lease = await store.take_over(HALL, "a")
    with pytest.raises(Broken, match="colour"):
        await store.commit(lease, Batch(events=[issued(1)]))
    assert (await store.take_over(HALL, "b")).head == 0
    await store.close()


@pytest.mark.parametrize(
    "batch",
    [
        Batch(events=[event("Noted", id="x"), NewEvent("queue", "", NOON, "a\udcff", "", "K", 1, "{}")]),
        Batch(events=[issued(1)], receipts=[receipt("\udcff")]),
        Batch(events=[issued(1)], receipts=[receipt("k", "\ud800")]),
        Batch(events=[issued(1)], outbox=[OutboxRow("o", "hcp", "s", "{}", NOON, 2**63)]),
    ],
)
async def test_a_value_that_no_database_holds_is_unfit_and_writes_nothing(store: Store, batch: Batch) -> None:
    """A header's stray byte arrives as a lone surrogate: it must not stop the hall, and the rest of the batch is not torn."""
    lease = await store.take_over(HALL, "a")
    with pytest.raises(Unfit):
        await store.commit(lease, batch)
    assert (await store.commit(lease, Batch(events=[issued(2)]))).last_seq == 1
    with pytest.raises(Unfit):
        await store.receipts(HALL, [("kiosk-1", "\udcff")])


async def test_a_projector_that_fails_is_broken_and_writes_nothing(store: Store) -> None:
    lease = await store.take_over(HALL, "a")
    with pytest.raises(Broken, match="TicketIssued"):
        await store.commit(lease, Batch(events=[event("TicketIssued", id="no number")]))
    assert (await store.take_over(HALL, "b")).head == 0


@pytest.mark.postgres
@pytest.mark.parametrize("cut", [CutAt.COMMIT_ARRIVED, CutAt.COMMIT_LOST])
async def test_a_commit_without_an_answer_is_in_doubt_and_the_takeover_knows(
    postgres: Postgres, keys_dir: Path, cut: CutAt
) -> None:
    """DESIGN 5: the line is cut at COMMIT, once after it reached the server and once before; nobody guesses which."""
    url = postgres.fresh()
    name = url.rsplit("/", 1)[1]
    async with proxied(postgres.port) as proxy:
        store = await Store.open(postgres.url(name, proxy.port), keys_dir=keys_dir, projector=project)
        lease = await store.take_over(HALL, "a")
        lease = (await store.commit(lease, Batch(events=[issued(1)]))).lease
        proxy.cut = cut
        with pytest.raises(InDoubt):
            await store.commit(lease, Batch(events=[issued(2)]))
        proxy.cut = CutAt.NEVER
        again = await store.take_over(HALL, "a")
        assert again.head == (2 if cut is CutAt.COMMIT_ARRIVED else 1)
        assert again.head == len([row async for row in store.read(HALL)])
        await store.commit(again, Batch(events=[issued(3)]))
        await store.close()


@pytest.mark.postgres
async def test_a_server_that_falls_silent_is_given_up(
    postgres: Postgres, keys_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cable pulled closes nothing: after a limit the answer is InDoubt, for batches and for small writes alike."""
    monkeypatch.setattr(append, "COMMIT_TIMEOUT_S", 0.3)
    monkeypatch.setattr(database, "ANSWER_TIMEOUT_S", 0.6)
    name = postgres.fresh().rsplit("/", 1)[1]
    async with proxied(postgres.port) as proxy:
        store = await Store.open(postgres.url(name, proxy.port), keys_dir=keys_dir, projector=project)
        lease = await store.take_over(HALL, "a")
        proxy.cut = CutAt.SILENT
        with pytest.raises(InDoubt):
            await store.commit(lease, Batch(events=[issued(1)]))
        with pytest.raises(InDoubt):
            await store.renew(lease)
        proxy.cut = CutAt.NEVER
        assert (await store.take_over(HALL, "a")).head == 0
        await store.close()


@pytest.mark.postgres
async def test_a_line_lost_before_commit_is_a_certain_no(postgres: Postgres, keys_dir: Path) -> None:
    url = postgres.fresh()
    name = url.rsplit("/", 1)[1]
    async with proxied(postgres.port) as proxy:
        store = await Store.open(postgres.url(name, proxy.port), keys_dir=keys_dir, projector=project)
        lease = await store.take_over(HALL, "a")
        proxy.cut = CutAt.BEGIN
        with pytest.raises(Unavailable):
            await store.commit(lease, Batch(events=[issued(1)]))
        proxy.cut = CutAt.NEVER
        assert (await store.take_over(HALL, "a")).head == 0
        await store.close()


async def test_a_disk_error_at_commit_is_in_doubt_on_sqlite(tmp_path: Path, keys_dir: Path) -> None:
    """The commit record may have reached the disk though fsync failed: only the next takeover knows."""
    store = await Store.open(f"sqlite:///{tmp_path / 'hall.db'}", keys_dir=keys_dir, projector=project)
    lease = await store.take_over(HALL, "a")

    class Failing:
        def __init__(self, real: sqlite3.Connection) -> None:
            self._real = real

        def __getattr__(self, name: str) -> Any:
            return getattr(self._real, name)

        def execute(self, sql: str, *parameters: Any) -> Any:
            done = self._real.execute(sql, *parameters)
            if sql == "COMMIT":
                error = sqlite3.OperationalError("disk I/O error")
                error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
                raise error
            return done

    class Here:
        async def run(self, steps: Sequence[writing.Step]) -> None:
            writing.run_sqlite(Failing(connection), steps)  # type: ignore[arg-type]

    with contextlib.closing(writing.connect(str(tmp_path / "hall.db"), database.SQLITE_PRAGMAS)) as connection:
        appender, store._appender = store._appender, Here()  # type: ignore[assignment]
        with pytest.raises(InDoubt):
            await store.commit(lease, Batch(events=[issued(1)]))
        store._appender = appender
    assert (await store.take_over(HALL, "a")).head == 1
    await store.close()


async def test_a_key_of_an_earlier_process_is_known_and_a_new_one_costs_no_look_up(url: str, keys_dir: Path) -> None:
    """DESIGN law 6: whoever takes the hall over knows every key that was ever stored, whoever stored it."""
    first = await Store.open(url, keys_dir=keys_dir, projector=project)
    lease = await first.take_over(HALL, "a")
    names = [f"k{n}" for n in range(2_300)]
    await first.commit(lease, Batch(events=[issued(1)], receipts=[receipt(name) for name in names]))
    await first.close()
    second = await Store.open(url, keys_dir=keys_dir, projector=project)
    lease = await second.take_over(HALL, "b")
    assert len(await second.receipts(HALL, [("kiosk-1", name) for name in [*names, "new"]])) == len(names)
    await second.learnt(HALL)
    assert len(await second.receipts(HALL, [("kiosk-1", name) for name in [*names, "new"]])) == len(names)
    lease = (await second.commit(lease, Batch(events=[issued(2)], receipts=[receipt("mine")]))).lease
    assert set(await second.receipts(HALL, [("kiosk-1", "mine"), ("kiosk-1", "other")])) == {("kiosk-1", "mine")}
    looked_up: list[object] = []

    class Counting:
        async def fetch(self, sql: str, keys: list[tuple[object, ...]]) -> list[tuple[object, ...]]:
            looked_up.extend(keys)
            return []

    appender, second._appender = second._appender, Counting()  # type: ignore[assignment]
    fresh = [("kiosk-1", f"fresh-{n}") for n in range(1_000)]
    assert await second.receipts(HALL, fresh) == {}
    assert len(looked_up) <= 10, "one key in a thousand may be looked up for nothing"
    second._appender = appender
    await second.close()


async def test_keys_are_learnt_in_pages(url: str, keys_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No key is lost between two pages, whoever the principals are."""
    monkeypatch.setattr(store_module, "KEYS_PAGE", 3)
    made = await Store.open(url, keys_dir=keys_dir, projector=project)
    lease = await made.take_over(HALL, "a")
    receipts = [
        Receipt(principal, name, "f", 200, b"{}", NOON)
        for principal in ("a", "b", "窗")
        for name in ("1", "2", "3", "4")
    ]
    await made.commit(lease, Batch(events=[issued(1)], receipts=receipts))
    await made.take_over(HALL, "a")
    await made.learnt(HALL)
    wanted = {(each.principal, each.key) for each in receipts}
    assert set(await made.receipts(HALL, wanted)) == wanted
    await made.close()


async def test_what_is_in_force_is_read_without_what_was_before_it(store: Store) -> None:
    """A hall that applied its file every day for years reads one of them when it starts, in one statement."""

    def row(kind: str, subject: str = "configuration") -> NewEvent:
        return event(kind, subject=subject)

    kinds = ["Planned", "Applied", "Applied", "Planned", "Issued", "Applied", "Planned", "Planned"]
    rows = [row(kind, "queue" if kind == "Issued" else "configuration") for kind in kinds]
    await store.commit(await store.take_over(HALL, "a"), Batch(events=rows))
    statements: list[str] = []

    def counted(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if "journal" in statement:
            statements.append(statement)

    async def seqs(before: int) -> list[int]:
        return [each.seq for each in await store.from_newest(HALL, "configuration", "Applied", before=before)]

    listen(store.database.engine.sync_engine, "before_cursor_execute", counted)
    assert await seqs(0) == [6, 7, 8]
    assert len(statements) == 1
    assert await seqs(7) == [6]
    assert await seqs(6) == [3, 4]
    assert await seqs(3) == [2]
    assert await seqs(2) == [1], "nothing was applied yet"
    assert await store.from_newest("elsewhere", "configuration", "Applied") == []
