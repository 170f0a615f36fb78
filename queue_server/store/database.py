"""Opening SQLite or PostgreSQL so that a commit is durable, turns at writing, and whose fault an error is."""

import asyncio
import contextlib
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, Final
from weakref import WeakSet

import asyncpg
from sqlalchemy import event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.util import await_only

from queue_server.store.port import Broken, Duplicate, StoreError, Unavailable, Unfit
from queue_server.store.writing import blame_sqlite, commit_blame_sqlite

BUSY_MS: Final = 5_000
"""How long a writer on SQLite waits for another process that writes to the same file."""

BUSY_STEP_MS: Final = 50

ENDING_S: Final = 5.0
"""How long `Database.close` waits for the threads of connections that were cut off in the middle of a statement."""

STOPPED_MS: Final = 5_000
"""How long a process that stopped inside a transaction may hold a hall's lease row on PostgreSQL."""

ANSWER_TIMEOUT_S: Final = 15.0
"""After this long without an answer a connection to PostgreSQL is given up: longer than STOPPED_MS, for takeovers wait."""

POSTGRES_SETTINGS: Final = {"idle_in_transaction_session_timeout": str(STOPPED_MS), "application_name": "yichuang"}

_POSTGRES_ABSENT: Final = ("08", "53", "57", "58", "25006", "25P03", "40001", "40P01", "55P03", "28", "3D000")

_ADDRESSES: Final = "sqlite:///PATH or postgresql://USER@HOST/NAME"


def parse(url: str) -> URL:
    """The asynchronous form of `sqlite:///FILE` or `postgresql://…`; ValueError for anything else."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise ValueError(f"not a database address: use {_ADDRESSES}") from error
    match parsed.get_backend_name():
        case "sqlite":
            if parsed.database in (None, "", ":memory:"):
                raise ValueError("sqlite needs a file: sqlite:///PATH (a hall kept in memory only would be lost)")
            return parsed.set(drivername="sqlite+aiosqlite")
        case "postgresql":
            return parsed.set(drivername="postgresql+asyncpg")
        case other:
            raise ValueError(f"unknown kind of database {other!r}: use {_ADDRESSES}")


def missing_file(address: URL) -> str:
    """What to say of a file that is not there, else "": for tools, whose mistyped path must not make an empty database."""
    if address.get_backend_name() == "sqlite" and not Path(str(address.database)).exists():
        return f"there is no database at {address.database}: look at --database"
    return ""


def engine_for(url: URL, workers: WeakSet[threading.Thread]) -> AsyncEngine:
    """An engine whose connections are set for durability. On SQLite, transactions begin when we say so.

    Each connection to SQLite works in a thread of its own, which is added to `workers`.
    """
    if url.get_backend_name() != "sqlite":
        return create_async_engine(url, pool_size=8, connect_args={"server_settings": POSTGRES_SETTINGS})
    Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)

    def opened(*arguments: Any, **options: Any) -> sqlite3.Connection:
        workers.add(threading.current_thread())
        return sqlite3.Connection(*arguments, **options)

    engine = create_async_engine(url, pool_size=8, connect_args={"factory": opened})

    @event.listens_for(engine.sync_engine, "connect")
    def _connect(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in SQLITE_PRAGMAS:
            _insist(cursor, pragma)
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Any) -> None:
        writes = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _insist(cursor: Any, pragma: str) -> None:
    """Set it, however many processes open a new file at once: the change to WAL does not wait for locks by itself."""
    for left in reversed(range(BUSY_MS // BUSY_STEP_MS)):
        try:
            cursor.execute(pragma)
        except sqlite3.OperationalError as error:
            if not left or (error.sqlite_errorcode & 0xFF) not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise
            await_only(asyncio.sleep(BUSY_STEP_MS / 1000))
        else:
            return


SQLITE_PRAGMAS: Final = (
    f"PRAGMA busy_timeout={BUSY_MS}",
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA secure_delete=ON",
)


async def require_durable(connection: AsyncConnection) -> None:
    """Unavailable when the database would acknowledge what a power cut can take back."""
    if connection.dialect.name == "sqlite":
        if (await connection.execute(text("PRAGMA journal_mode"))).scalar_one() != "wal":
            raise Unavailable("the database file lies where write-ahead logging is impossible: use a local disk")
        return
    for setting in ("fsync", "synchronous_commit"):
        if (await connection.execute(text(f"SHOW {setting}"))).scalar_one() == "off":
            raise Unavailable(f"PostgreSQL runs with {setting} = off and would lose tickets: set it to on")


def blame(error: BaseException) -> StoreError | None:
    """The store's own error for one of a driver, None for what is not the database's doing."""
    match error:
        case DBAPIError(orig=BaseException() as cause):
            return blame(cause) or Broken(f"the database refused a statement: {cause}")
        case StoreError() | sqlite3.Error() | UnicodeError() | OverflowError():
            return blame_sqlite(error)
        case OSError() | asyncpg.InterfaceError() | PoolTimeout() | TimeoutError():
            return Unavailable(f"the database is not reachable: {error}")
        case _:
            state = getattr(error, "sqlstate", None)
            if state is None:
                below = error.__cause__
                return blame(below) if below is not None else None
            return _blame_postgres(str(state), str(error))


def _blame_postgres(state: str, message: str) -> StoreError:
    if state == "23505":
        return Duplicate(message)
    if state.startswith("22"):
        return Unfit(f"a value that cannot be stored: {message}")
    if state.startswith(_POSTGRES_ABSENT):
        return Unavailable(f"PostgreSQL does not serve: {message}")
    return Broken(f"the database refused a statement: {state} {message}")


@contextlib.contextmanager
def blamed() -> Iterator[None]:
    """Turn what a driver raises inside into the store's own errors."""
    try:
        yield
    except Exception as error:
        ours = blame(error)
        if ours is None or ours is error:
            raise
        raise ours from error


class Database:
    """One engine, and the rule of turns: SQLite has one writer a file, so writers of this process queue up fairly."""

    __slots__ = ("_limit_s", "_workers", "engine", "turn", "url")

    def __init__(self, url: URL) -> None:
        self.url = url
        self._workers: WeakSet[threading.Thread] = WeakSet()
        self.engine = engine_for(url, self._workers)
        self.turn: Callable[[], AbstractAsyncContextManager[object]]
        if url.get_backend_name() == "sqlite":
            lock = asyncio.Lock()
            self.turn = lambda: lock
            self._limit_s = None  # a file answers or fails by itself
        else:
            self.turn = contextlib.nullcontext
            self._limit_s = ANSWER_TIMEOUT_S

    @contextlib.asynccontextmanager
    async def reading(self, *, whole: bool = False) -> AsyncIterator[AsyncConnection]:
        """A connection for reads. With `whole`, for a long look: everything read is of one moment, and no time limit."""
        with blamed():
            async with asyncio.timeout(None if whole else self._limit_s), self.engine.connect() as connection:
                if whole and connection.dialect.name == "postgresql":
                    await connection.execution_options(isolation_level="REPEATABLE READ")
                yield connection

    @contextlib.asynccontextmanager
    async def writing(self, *, whole: bool = False) -> AsyncIterator[AsyncConnection]:
        """One transaction, committed at the end; InDoubt when the commit itself got no answer. `whole`: no time limit."""
        committing = False
        async with self.turn():
            with blamed():
                try:
                    async with asyncio.timeout(None if whole else self._limit_s), self.engine.connect() as connection:
                        await connection.execution_options(writes=True)
                        await connection.begin()
                        yield connection
                        committing = True
                        await connection.commit()
                except Exception as error:
                    if committing:
                        raise commit_blame(error) from error
                    raise

    async def close(self) -> None:
        """Close every connection, and wait for what still works for one: it would speak to a loop that has ended."""
        await self.engine.dispose()
        for worker in list(self._workers):
            await asyncio.to_thread(worker.join, ENDING_S)


def commit_blame(error: Exception) -> StoreError:
    """What an error out of COMMIT means: what SQLite refuses for certain, else that nobody knows."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    return commit_blame_sqlite(cause or error)
