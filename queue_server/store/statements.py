"""A batch as prepared statements: what is written, in which order, and the clause that fences a second writer out."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import Dialect, Executable, Insert, Table, and_, bindparam, insert, literal_column, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.compiler import SQLCompiler

from queue_server.store import tables
from queue_server.store.keys import Keys
from queue_server.store.port import (
    Batch,
    Broken,
    ClaimState,
    JournalRow,
    Lease,
    NewEvent,
    OutboxState,
    Projector,
    Receipt,
    Upsert,
    Value,
)
from queue_server.store.writing import Row, Step

_HALL_AND_ID: Final = ("hall", "id")

Values = Mapping[str, Value]

RECEIPTS_SQLITE: Final = (
    f"SELECT {', '.join(f'receipts.{name}' for name in tables.receipts.c.keys())} "  # noqa: SIM118
    "FROM (VALUES (?, ?, ?)) AS wanted CROSS JOIN receipts ON receipts.hall = wanted.column1 "
    "AND receipts.principal = wanted.column2 AND receipts.key = wanted.column3"
)
"""One look-up for a whole batch; CROSS JOIN pins the order, so that each key is found through the primary key."""


def prepare(dialect: Dialect, statement: Executable, columns: Sequence[str] | None = None) -> tuple[str, list[str]]:
    """The text for the driver and the names of its positional parameters."""
    compiled = statement.compile(dialect=dialect, column_keys=None if columns is None else list(columns))  # type: ignore[attr-defined]
    assert isinstance(compiled, SQLCompiler)
    return str(compiled), list(compiled.positiontup or ())


def fence() -> Any:
    """True only for the newest lease: the hall's row still has the epoch and the head that the writer knows (law 4)."""
    row = tables.leases.c
    return and_(
        row.hall == bindparam("the_hall"), row.epoch == bindparam("the_epoch"), row.head == bindparam("old_head")
    )


def upsert(dialect: Dialect, table: Table, columns: Sequence[str]) -> Insert:
    """Insert, or set `columns` of the row with this primary key."""
    key = list(table.primary_key.columns.keys())
    made: sqlite.Insert | postgresql.Insert = (
        sqlite.insert(table) if dialect.name == "sqlite" else postgresql.insert(table)
    )
    sets = {name: made.excluded[name] for name in columns if name not in key}
    if not sets:
        return made.on_conflict_do_nothing(index_elements=key)
    return made.on_conflict_do_update(index_elements=key, set_=sets)


class Statements:
    """The prepared texts of one database, made once."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        moved = update(tables.leases).where(fence()).values(head=bindparam("new_head"), link=bindparam("new_link"))
        self._move, self._move_names = prepare(dialect, moved)
        self._journal = self._insert(tables.journal)
        self._receipt = self._insert(tables.receipts)
        self._claim = self._insert(tables.claims)
        self._outbox = self._insert(tables.outbox)
        self._personal = self._upsert(tables.personal, tuple(tables.personal.c.keys()))
        self._lookup = self._upsert(tables.lookups, tuple(tables.lookups.c.keys()))
        self._settle, self._settle_names = prepare(dialect, settle())
        self._withdraw, self._withdraw_names = prepare(dialect, withdraw())
        self.projection = lru_cache(256)(self._projection)
        self.receipt = RECEIPTS_SQLITE if dialect.name == "sqlite" else self._receipt_of_one()

    def _receipt_of_one(self) -> str:
        """The look-up of one key; a pipeline asks for many."""
        row = tables.receipts.c
        same = (row.hall == bindparam("the_hall"), row.principal == bindparam("who"), row.key == bindparam("what"))
        sql, names = prepare(self.dialect, select(*tables.receipts.c).where(*same))
        if names != ["the_hall", "who", "what"]:
            raise Broken(f"parameters in another order than the keys: {names}")
        return sql

    def _insert(self, table: Table) -> str:
        return self._in_order(insert(table), tuple(table.c.keys()))

    def _upsert(self, table: Table, columns: tuple[str, ...]) -> str:
        return self._in_order(upsert(self.dialect, table, columns), columns)

    def _in_order(self, statement: Executable, columns: tuple[str, ...]) -> str:
        """The text of an insert whose parameters stand as `columns` do, which is the table's own order."""
        sql, names = prepare(self.dialect, statement, columns)
        if tuple(names) != columns:
            raise Broken(f"parameters in another order than the rows: {names} for {columns}")
        return sql

    def _projection(self, table: str, changed: tuple[str, ...]) -> tuple[str, Callable[[Values], Row]]:
        """The upsert of these columns, and what takes a row's values in the order of its parameters."""
        target = tables.projected[table]
        unknown = [name for name in changed if name not in target.c or name in _HALL_AND_ID]
        if unknown:
            raise Broken(f"the projector sets columns that {table} does not have: {', '.join(sorted(unknown))}")
        columns = tuple(name for name in target.columns.keys() if name in changed)  # noqa: SIM118
        taken: Callable[[Values], Row] = itemgetter(*columns) if len(columns) > 1 else _few(columns)
        return self._upsert(target, (*_HALL_AND_ID, *columns)), taken

    def move(self, lease: Lease, head: int, link: str) -> Step:
        """The first statement of every batch."""
        values = {
            "the_hall": lease.hall,
            "the_epoch": lease.epoch,
            "old_head": lease.head,
            "new_head": head,
            "new_link": link,
        }
        return Step(self._move, [tuple(values[name] for name in self._move_names)], fence=True)

    def project(self, hall: str, upserts: Iterable[Upsert]) -> list[Step]:
        """What the projector said, one statement for each set of columns."""
        steps: list[Step] = []
        for (table, changed), rows in grouped(upserts).items():
            sql, taken = self.projection(table, changed)
            steps.append(Step(sql, [(hall, row_id, *taken(values)) for row_id, values in rows]))
        return steps

    def batch(self, hall: str, batch: Batch, keys: Keys) -> list[Step]:  # long: one step a table, in their order
        """Everything of a batch but its events."""
        steps = [
            Step(
                self._receipt,
                [(hall, r.principal, r.key, r.fingerprint, r.status, r.body, r.at) for r in batch.receipts],
                unique=True,
            ),
            Step(
                self._personal,
                [
                    (hall, p.person, p.kind, keys.seal((hall, p.person, p.kind), p.clear), p.created_at, p.expires_at)
                    for p in batch.personal
                ],
            ),
            Step(self._lookup, [(hall, found.hash, found.person, found.expires_at) for found in batch.lookups]),
            Step(
                self._claim,
                [
                    (hall, c.id, c.kind, c.target, c.ref, c.payload, c.at, c.expires_at, c.state, c.reason, None)
                    for c in batch.claims
                ],
                unique=True,
            ),
            Step(
                self._settle,
                [
                    _named(self._settle_names, the_hall=hall, the_id=s.id, new_state=s.state, why=s.reason, when=s.at)
                    for s in batch.settled
                ],
            ),
            Step(
                self._outbox,
                [
                    (hall, o.id, o.destination, o.ref, o.payload, o.at, o.due_at, o.state, o.attempts, o.error)
                    for o in batch.outbox
                ],
                unique=True,
            ),
            Step(
                self._withdraw,
                [_named(self._withdraw_names, the_hall=hall, the_id=row_id) for row_id in batch.withdrawn],
            ),
        ]
        return [step for step in steps if step.rows]

    def events(self, lease: Lease, events: Sequence[NewEvent], rows: list[Row], projector: Projector) -> list[Step]:
        """The journal's `rows` of these events (`chained`), and what they mean for the reports."""
        if not rows:
            return []
        changes: list[Upsert] = []
        for seq, event in enumerate(events, lease.head + 1):
            changes += meaning(event, projector, lease.hall, seq)
        return [Step(self._journal, rows), *self.project(lease.hall, changes)]


def meaning(row: JournalRow | NewEvent, projector: Projector, hall: str, seq: int) -> Iterable[Upsert]:
    """What the projector makes of a row; Broken, naming the row, when it cannot: it is total on what was written."""
    try:
        return tuple(projector(row))
    except Exception as error:
        raise Broken(f"row {seq} of {hall} ({row.kind}) cannot be understood: {error!r}") from error


def grouped(upserts: Iterable[Upsert]) -> dict[tuple[str, tuple[str, ...]], list[tuple[str, Values]]]:
    """By table and columns, the changes of one id merged first: no id twice, so the order is free."""
    merged: dict[tuple[str, str], Values] = {}
    for change in upserts:
        row = change.table, change.id
        earlier = merged.get(row)
        merged[row] = change.values if earlier is None else {**earlier, **change.values}
    groups: dict[tuple[str, tuple[str, ...]], list[tuple[str, Values]]] = {}
    for (table, row_id), values in merged.items():
        groups.setdefault((table, tuple(values)), []).append((row_id, values))
    return groups


def _few(columns: tuple[str, ...]) -> Callable[[Values], Row]:
    """What `itemgetter` does for two and more."""
    return lambda values: tuple([values[name] for name in columns])


def _named(names: list[str], **values: Value) -> Row:
    return tuple(values[name] for name in names)


def _word(state: ClaimState | OutboxState) -> Any:
    """A state as a literal in the text, so that prepared statements need no parameter for it."""
    return literal_column(f"'{state}'")


def settle() -> Any:
    """End a claim that has not ended."""
    row = tables.claims.c
    open_still = and_(
        row.hall == bindparam("the_hall"),
        row.id == bindparam("the_id"),
        or_(row.state == _word("open"), row.state == _word("claimed")),
    )
    return (
        update(tables.claims)
        .where(open_still)
        .values(state=bindparam("new_state"), reason=bindparam("why"), settled_at=bindparam("when"))
    )


def withdraw() -> Any:
    """Take back a message that still waits."""
    row = tables.outbox.c
    waits = and_(row.hall == bindparam("the_hall"), row.id == bindparam("the_id"), row.state == _word("waiting"))
    return update(tables.outbox).where(waits).values(state=_word("withdrawn"))


def chained(keys: Keys, lease: Lease, events: Sequence[NewEvent]) -> tuple[list[Row], Lease]:
    """The journal's rows of the events, with seq, epoch and link, following the lease's head; and the lease after them."""
    rows: list[Row] = []
    hall, seq, epoch, link = lease.hall, lease.head, lease.epoch, lease.link
    for new in events:
        seq += 1
        fields = (hall, seq, epoch, new.subject, new.day, new.at, new.actor, new.cause, new.kind, new.version, new.data)
        link = keys.link(link, fields)
        rows.append((*fields, link))
    return rows, Lease(hall, lease.writer, epoch, seq, link)


def receipt_of(row: Row) -> Receipt:
    """A receipt from a row of its table."""
    _hall, principal, key, fingerprint, status, body, at = row
    return Receipt(principal, key, fingerprint, status, bytes(body), at)
