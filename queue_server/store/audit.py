"""Looking at a journal as a whole: is it what was written, do the reports follow from it, and carrying it away."""

from collections.abc import AsyncIterator, Callable
from typing import Any, Final, Literal

import msgspec
from msgspec.structs import astuple
from sqlalchemy import MetaData, Table, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from queue_server.store import anchors, tables
from queue_server.store.port import Broken, JournalRow, Upsert
from queue_server.store.statements import grouped, meaning, upsert
from queue_server.store.store import PAGE, Store, to_row

FINDINGS_KEPT: Final = 100
"""Findings listed of each kind; one edited row is enough to say no, and a list of millions helps nobody."""

Progress = Callable[[int, int], None]
"""Told (rows done, rows in all) after every page."""

Code = Literal["gap", "link", "epoch", "tail", "anchor", "meaning", "changed", "missing", "extra"]


class Finding(msgspec.Struct, frozen=True):
    """One thing that is not as it was written, at a seq of the journal (0 when it is not about one)."""

    code: Code
    seq: int
    detail: str


class VerifyReport(msgspec.Struct, frozen=True):
    """The answer of `verify`. `unreadable_anchors` are lines torn by a crash, or edited."""

    hall: str
    ok: bool
    rows: int
    head: int
    anchors: int
    unreadable_anchors: int
    projected: dict[str, int]
    findings: list[Finding]


def _quiet(_done: int, _total: int) -> None:
    return None


class _Chain:
    """Walks the rows in order and notes what does not follow."""

    def __init__(self, store: Store, known: list[anchors.Anchor]) -> None:
        self._keys = store.keys
        self._anchored: dict[int, list[anchors.Anchor]] = {}
        for anchor in known:
            self._anchored.setdefault(anchor.seq, []).append(anchor)
        self.rows = 0
        self.seq = 0
        self.epoch = 0
        self.link = ""
        self.findings: list[Finding] = []
        self._meet_anchors()

    def note(self, code: Code, seq: int, detail: str) -> None:
        if sum(finding.code == code for finding in self.findings) < FINDINGS_KEPT:
            self.findings.append(Finding(code, seq, detail))

    def follow(self, row: JournalRow) -> None:
        if row.seq != self.seq + 1:
            self.note("gap", row.seq, f"rows {self.seq + 1} to {row.seq - 1} are missing")
        elif self._keys.link(self.link, astuple(row)[:-1]) != row.link:
            self.note("link", row.seq, "this row or its link was changed, or the key file is another one")
        if row.epoch < self.epoch:
            self.note("epoch", row.seq, f"epoch {row.epoch} after {self.epoch}: written by a writer already replaced")
        self.rows, self.seq, self.epoch, self.link = self.rows + 1, row.seq, max(row.epoch, self.epoch), row.link
        self._meet_anchors()

    def _meet_anchors(self) -> None:
        for anchor in self._anchored.pop(self.seq, ()):
            if anchor.link != self.link:
                self.note("anchor", self.seq, "the journal differs from the head noted outside the database")

    def end(self, head: int, link: str) -> None:
        if (head, link) != (self.seq, self.link):
            self.note("tail", self.seq, f"the journal ends at {self.seq}, the lease says {head}")
        for seq in sorted(self._anchored):
            self.note("anchor", seq, f"the head noted outside the database was at {seq}: rows are missing")


async def _pages(connection: AsyncConnection, hall: str) -> AsyncIterator[list[JournalRow]]:
    row = tables.journal.c
    after = 0
    while True:
        page = select(*tables.journal.c).where(row.hall == hall, row.seq > after).order_by(row.seq).limit(PAGE)
        found = [to_row(each) for each in await connection.execute(page)]
        if not found:
            return
        yield found
        after = found[-1].seq


async def _apply(connection: AsyncConnection, into: dict[str, Table], hall: str, changes: list[Upsert]) -> None:
    for (table, columns), changed in grouped(changes).items():
        values = [{"hall": hall, "id": row_id, **row} for row_id, row in changed]
        await connection.execute(upsert(connection.dialect, into[table], sorted(columns)), values)


def _scratch(dialect_name: str) -> dict[str, Table]:
    """Empty twins of the projected tables that only this connection sees and that vanish with its transaction."""
    scratch = MetaData()
    schema = "temp" if dialect_name == "sqlite" else "pg_temp"
    twins = {
        name: table.to_metadata(scratch, schema=schema, name=f"rebuilt_{name}")
        for name, table in tables.projected.items()
    }
    for twin in twins.values():
        twin.indexes.clear()
    return twins


async def verify(store: Store, hall: str, *, progress: Progress = _quiet) -> VerifyReport:
    """Gaps, chain, epochs and anchors of a hall, and whether projections made from zero equal the stored ones.

    Reads one snapshot, so the hall may be open meanwhile; memory does not grow with the journal.
    """
    known, unreadable = anchors.read(store.keys_dir, hall)
    chain = _Chain(store, known)
    async with store.database.reading(whole=True) as connection:
        lease = tables.leases.c
        head, link = (await connection.execute(select(lease.head, lease.link).where(lease.hall == hall))).one()
        twins = _scratch(connection.dialect.name)
        for twin in twins.values():
            await connection.run_sync(twin.create)
        async for rows in _pages(connection, hall):
            changes: list[Upsert] = []
            for row in rows:
                chain.follow(row)
                try:
                    changes += meaning(row, store.projector, hall, row.seq)
                except Broken as error:
                    chain.note("meaning", row.seq, str(error))
            await _apply(connection, twins, hall, changes)
            progress(chain.rows, head)
        chain.end(head, link)
        projected = {}
        for name, table in tables.projected.items():
            projected[name] = await _compare(connection, hall, table, twins[name], chain)
        await connection.rollback()
    return VerifyReport(hall, not chain.findings, chain.rows, head, len(known), unreadable, projected, chain.findings)


async def _compare(connection: AsyncConnection, hall: str, stored: Table, rebuilt: Table, chain: _Chain) -> int:
    """Note the rows in which the two differ; how many rows the rebuilt one has."""
    here = select(*stored.c).where(stored.c.hall == hall)
    there = select(*rebuilt.c)
    only_here = await _ids(connection, here.except_(there).subquery())
    only_there = await _ids(connection, there.except_(here).subquery())
    for row_id in sorted(only_here | only_there):
        match row_id in only_here, row_id in only_there:
            case True, True:
                chain.note("changed", 0, f"{stored.name} {row_id} is not what the journal says")
            case True, False:
                chain.note("extra", 0, f"{stored.name} {row_id} is not in the journal")
            case _:
                chain.note("missing", 0, f"{stored.name} {row_id} is in the journal only")
    count: int = (await connection.execute(select(func.count()).select_from(rebuilt))).scalar_one()
    return count


async def _ids(connection: AsyncConnection, differing: Any) -> set[str]:
    found = await connection.execute(select(differing.c.id).order_by(differing.c.id).limit(FINDINGS_KEPT))
    return set(found.scalars())


async def rebuild(store: Store, hall: str, *, progress: Progress = _quiet) -> int:
    """Make the hall's projections anew from zero, all or nothing; returns the rows read. An open hall waits meanwhile."""
    done = 0
    async with store.database.writing(whole=True) as connection:
        lease = tables.leases.c
        await connection.execute(update(tables.leases).where(lease.hall == hall).values(beat=lease.beat + 1))
        head: int = (await connection.execute(select(lease.head).where(lease.hall == hall))).scalar_one()
        for table in tables.projected.values():
            await connection.execute(delete(table).where(table.c.hall == hall))
        async for rows in _pages(connection, hall):
            changes = [change for row in rows for change in meaning(row, store.projector, hall, row.seq)]
            await _apply(connection, tables.projected, hall, changes)
            done += len(rows)
            progress(done, head)
    return done


async def export(store: Store, hall: str, after: int = 0) -> AsyncIterator[bytes]:
    """The rows after a seq, one JSON object a line; `data` stays the text that was hashed, so others can check the chain."""
    encoder = msgspec.json.Encoder()
    async for row in store.read(hall, after=after):
        yield encoder.encode(row) + b"\n"
