"""The hot path: one batch as prepared statements run straight on the driver, in one hop, on either database."""

import asyncio
import contextlib
import re
import sqlite3
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from itertools import chain
from typing import Any, Final, Protocol

import asyncpg
from msgspec import Struct

from queue_server.store.database import SQLITE_PRAGMAS, Database, blame, blamed, commit_blame
from queue_server.store.port import Broken, Duplicate, Fenced, InDoubt, StoreError

COMMIT_TIMEOUT_S: Final = 10.0
"""After this long without an answer a batch on PostgreSQL is given up; nobody waits longer for a ticket."""

ROWS_MAX: Final = 64
"""Rows in one statement on SQLite, so that each size of a usual batch is one statement that stays prepared."""

PREPARED: Final = 1_024
"""Statements kept prepared: every size for each of the tables that a batch writes to."""

Row = tuple[Any, ...]


class Step(Struct, frozen=True, gc=False):
    """One statement and its rows. With `fence` it must change exactly one row, or nothing of the batch is written."""

    sql: str
    rows: Sequence[Row]
    fence: bool = False
    unique: bool = False  # a second row of the same key is the caller's repetition, not a broken journal


class Appender(Protocol):
    """Runs the steps of a batch in one transaction, and one query for many keys in one hop."""

    async def run(self, steps: Sequence[Step]) -> None:
        """All steps or none; raises the port's errors."""

    async def fetch(self, sql: str, keys: Sequence[Row]) -> list[Row]:
        """The rows that the query `sql` finds for each of `keys`."""

    async def close(self) -> None:
        """Give the connections back."""


def appender_for(database: Database) -> Appender:
    """The appender of the database's kind."""
    if database.url.get_backend_name() == "sqlite":
        return SqliteAppender(database)
    return PostgresAppender(database)


def refuse(step: Step, error: Exception) -> StoreError:
    """The port's error for a step that failed."""
    ours = blame(error)
    match ours:
        case None:
            return Broken(f"a statement of the batch failed: {error!r}")
        case Duplicate() if not step.unique:
            return Broken(f"the journal holds a row that the lease does not know of: {error}")
        case _:
            return ours


class _Line:
    """One SQLite connection and the thread it lives in."""

    __slots__ = ("_connection", "_thread")

    def __init__(self, path: str, name: str) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._connection: sqlite3.Connection = self._thread.submit(_connect, path).result()

    async def call(self, function: Any, *arguments: Any) -> Any:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, function, self._connection, *arguments)

    async def close(self) -> None:
        with contextlib.suppress(RuntimeError):
            await self.call(sqlite3.Connection.close)
        self._thread.shutdown()


def _connect(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, cached_statements=PREPARED)
    for pragma in SQLITE_PRAGMAS:
        connection.execute(pragma)
    return connection


def run_sqlite(connection: sqlite3.Connection, steps: Sequence[Step]) -> None:
    """Blocking: BEGIN IMMEDIATE, the steps, COMMIT; rolled back whole on any error."""
    with blamed():
        connection.execute("BEGIN IMMEDIATE")
    try:
        for step in steps:
            try:
                changed = _execute(connection, step)
            except Exception as error:
                raise refuse(step, error) from error
            if step.fence and changed != 1:
                raise Fenced("another process has taken this hall over: this one writes nothing more")
        try:
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise commit_blame(error) from error
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _execute(connection: sqlite3.Connection, step: Step) -> int:
    """The rows of the step, and how many rows it changed (meaningful for a fence, which has one row)."""
    if spread(step.sql, 2) is None:
        return connection.executemany(step.sql, step.rows).rowcount
    for _ in _many(connection, step.sql, step.rows):
        pass
    return len(step.rows)


@lru_cache(PREPARED)
def spread(sql: str, count: int) -> str | None:
    """The statement for `count` rows at once; None when it has no `VALUES (?, …)` to repeat.

    The driver gives the interpreter's lock away once for every statement it steps: a batch that inserts row by row waits
    for a busy server at each row, a batch of whole tables a few times.
    """
    found = re.search(r"VALUES (\([?, ]+\))", sql)
    if found is None:
        return None
    return sql[: found.end()] + f", {found[1]}" * (count - 1) + sql[found.end() :]


def _many(connection: sqlite3.Connection, sql: str, rows: Sequence[Row]) -> Iterator[Row]:
    """Runs the statement over all rows in as few pieces as may be."""
    for at in range(0, len(rows), ROWS_MAX):
        piece = rows[at : at + ROWS_MAX]
        text = spread(sql, len(piece))
        assert text is not None
        yield from connection.execute(text, tuple(chain.from_iterable(piece)))


def fetch_sqlite(connection: sqlite3.Connection, sql: str, keys: Sequence[Row]) -> list[Row]:
    """Blocking: what the query, which begins from `VALUES`, finds for all the keys."""
    with blamed():
        return list(_many(connection, sql, keys))


class SqliteAppender:
    """A writer and a reader, each in a thread of its own, so that a look-up never waits for a commit's fsync."""

    __slots__ = ("_database", "_reader", "_writer")

    def __init__(self, database: Database) -> None:
        self._database = database
        with blamed():
            self._writer = _Line(str(database.url.database), "yichuang-write")
            self._reader = _Line(str(database.url.database), "yichuang-read")

    async def run(self, steps: Sequence[Step]) -> None:
        async with self._database.turn():
            await self._writer.call(run_sqlite, steps)

    async def fetch(self, sql: str, keys: Sequence[Row]) -> list[Row]:
        found: list[Row] = await self._reader.call(fetch_sqlite, sql, keys)
        return found

    async def close(self) -> None:
        await self._writer.close()
        await self._reader.close()


class PostgresAppender:
    """asyncpg's own calls on a connection of SQLAlchemy's pool."""

    __slots__ = ("_database",)

    def __init__(self, database: Database) -> None:
        self._database = database

    async def run(self, steps: Sequence[Step]) -> None:
        with blamed():
            async with self._database.engine.connect() as pooled:
                driver: Any = (await pooled.get_raw_connection()).driver_connection
                try:
                    await run_postgres(driver, steps)
                finally:
                    if driver.is_closed():
                        await pooled.invalidate()

    async def fetch(self, sql: str, keys: Sequence[Row]) -> list[Row]:
        with blamed():
            async with self._database.engine.connect() as pooled:
                driver: Any = (await pooled.get_raw_connection()).driver_connection
                try:
                    return [tuple(row) for row in await driver.fetchmany(sql, keys, timeout=COMMIT_TIMEOUT_S)]
                finally:
                    if driver.is_closed():
                        await pooled.invalidate()

    async def close(self) -> None:
        return None


async def run_postgres(driver: Any, steps: Sequence[Step]) -> None:
    """The steps in one transaction. Before COMMIT a lost connection is a certain no; after it nobody knows."""
    transaction = driver.transaction()
    step = Step("begin", ())
    try:
        async with asyncio.timeout(COMMIT_TIMEOUT_S):
            await transaction.start()
            for step in steps:
                if step.fence:
                    if await driver.execute(step.sql, *step.rows[0]) != "UPDATE 1":
                        raise Fenced("another process has taken this hall over: this one writes nothing more")
                else:
                    await driver.executemany(step.sql, step.rows)
    except (Fenced, asyncpg.PostgresError) as error:
        with contextlib.suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            await transaction.rollback()
        raise refuse(step, error) from error
    except BaseException as error:
        driver.terminate()  # no COMMIT was sent: the server takes the transaction back
        if isinstance(error, Exception):
            raise refuse(step, error) from error
        raise
    try:
        async with asyncio.timeout(COMMIT_TIMEOUT_S):
            await transaction.commit()
    except BaseException as error:
        driver.terminate()
        if isinstance(error, Exception):
            raise InDoubt(f"no answer to a commit: {error}") from error
        raise
