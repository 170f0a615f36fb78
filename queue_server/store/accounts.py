"""Rows of staff, sessions and paired devices; passwords and tokens arrive here as hashes only."""

from collections.abc import Callable

from msgspec import Struct
from sqlalchemy import RowMapping, delete, insert, select, update

from queue_server.store import tables
from queue_server.store.database import Database


class StaffRow(Struct, frozen=True):
    """One account; `password` is an argon2id hash, `roles` a comma-separated list."""

    staff: str
    name: str
    roles: str
    password: str
    must_change: bool
    active: bool


class SessionRow(Struct, frozen=True):
    """One signed-in browser, by the digest of its cookie."""

    digest: str
    staff: str
    window: str
    created_at: int
    expires_at: int


class PairedRow(Struct, frozen=True):
    """One screen, kiosk or agent, by the digest of its token."""

    id: str
    digest: str
    role: str
    of: str
    name: str
    created_at: int


def _staff_row(row: RowMapping) -> StaffRow:
    return StaffRow(**{name: row[name] for name in StaffRow.__struct_fields__})


class AccountStore:
    """Reads and writes the three tables of one hall. Raises the store's errors."""

    def __init__(self, database: Database, hall: str) -> None:
        self._database = database
        self._hall = hall

    async def staff(self) -> list[StaffRow]:
        table = tables.staff
        query = select(table).where(table.c.hall == self._hall).order_by(table.c.staff)
        async with self._database.reading() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [_staff_row(row) for row in rows]

    async def change_staff(
        self, staff: str, change: Callable[[StaffRow | None], StaffRow], *, ends_sessions: bool = False, but: str = ""
    ) -> tuple[StaffRow | None, StaffRow]:
        """(as it was, what `change` made of it), in one transaction: what another process wrote before is in the first, and
        waits if it comes now. With `ends_sessions` the account's sessions end with it, except the one with the digest `but`.

        Duplicate when two make an account in the same moment; what `change` raises leaves all as it was.
        """
        table = tables.staff
        mine = (table.c.hall == self._hall) & (table.c.staff == staff)
        async with self._database.writing() as connection:
            found = (await connection.execute(select(table).where(mine).with_for_update())).mappings().first()
            before = _staff_row(found) if found is not None else None
            row = change(before)
            values = {name: getattr(row, name) for name in StaffRow.__struct_fields__}
            if before is None:
                await connection.execute(insert(table).values(hall=self._hall, **values))
            else:
                await connection.execute(update(table).where(mine).values(**values))
            if ends_sessions:
                session = tables.sessions.c
                theirs = (session.hall == self._hall) & (session.staff == staff) & (session.digest != but)
                await connection.execute(delete(tables.sessions).where(theirs))
        return before, row

    async def sessions(self, now: int) -> list[SessionRow]:
        """Those not expired at `now`, ms UTC."""
        table = tables.sessions
        query = select(table).where(table.c.hall == self._hall, table.c.expires_at > now)
        async with self._database.reading() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [SessionRow(**{name: row[name] for name in SessionRow.__struct_fields__}) for row in rows]

    async def add_session(self, row: SessionRow) -> None:
        """Adds one and forgets the expired."""
        table = tables.sessions
        values = {name: getattr(row, name) for name in SessionRow.__struct_fields__}
        async with self._database.writing() as connection:
            await connection.execute(
                delete(table).where(table.c.hall == self._hall, table.c.expires_at <= row.created_at)
            )
            await connection.execute(insert(table).values(hall=self._hall, **values))

    async def end_session(self, digest: str) -> None:
        """The one with this digest."""
        table = tables.sessions
        async with self._database.writing() as connection:
            await connection.execute(delete(table).where(table.c.hall == self._hall, table.c.digest == digest))

    async def paired(self) -> list[PairedRow]:
        table = tables.paired
        query = select(table).where(table.c.hall == self._hall).order_by(table.c.created_at)
        async with self._database.reading() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [PairedRow(**{name: row[name] for name in PairedRow.__struct_fields__}) for row in rows]

    async def add_paired(self, row: PairedRow) -> None:
        values = {name: getattr(row, name) for name in PairedRow.__struct_fields__}
        async with self._database.writing() as connection:
            await connection.execute(insert(tables.paired).values(hall=self._hall, **values))

    async def remove_paired(self, name: str) -> bool:
        """Whether there was one."""
        table = tables.paired
        async with self._database.writing() as connection:
            gone = await connection.execute(delete(table).where(table.c.hall == self._hall, table.c.id == name))
        return bool(gone.rowcount)
