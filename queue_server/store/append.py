"""The hot path: one batch as prepared statements run straight on the driver, in one hop, on either database."""

import asyncio
import contextlib
import os
import signal
import socket
import sqlite3
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, Protocol

import asyncpg
import msgspec

from queue_server.store.database import SQLITE_PRAGMAS, Database, blame, blamed
from queue_server.store.port import Fenced, InDoubt, StoreError, Unavailable
from queue_server.store.writing import LENGTH, Refusal, Row, Step, connect, many, refused

COMMIT_TIMEOUT_S: Final = 10.0
"""After this long without an answer nobody waits for a batch: more than another process may keep SQLite's file locked."""

ENDING_S: Final = 5.0
"""How long the process that writes may take to end once it has been told, before it is killed."""

PACKAGES: Final = Path(__file__).resolve().parents[2]


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


class _Line:
    """One SQLite connection and the thread it lives in."""

    __slots__ = ("_connection", "_thread")

    def __init__(self, path: str) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="yichuang-read")
        self._connection: sqlite3.Connection = self._thread.submit(connect, path, SQLITE_PRAGMAS).result()

    async def call(self, function: Any, *arguments: Any) -> Any:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, function, self._connection, *arguments)

    async def close(self) -> None:
        with contextlib.suppress(RuntimeError):
            await self.call(sqlite3.Connection.close)
        self._thread.shutdown()


def fetch_sqlite(connection: sqlite3.Connection, sql: str, keys: Sequence[Row]) -> list[Row]:
    """Blocking: what the query, which begins from `VALUES`, finds for all the keys."""
    with blamed():
        return list(many(connection, sql, keys))


class _Pen:
    """The process that writes, and the socket to it."""

    __slots__ = ("_heard", "_process", "_said")

    def __init__(
        self, process: asyncio.subprocess.Process, heard: asyncio.StreamReader, said: asyncio.StreamWriter
    ) -> None:
        self._process = process
        self._heard = heard
        self._said = said

    @classmethod
    async def taken(cls, path: str) -> "_Pen":
        """One that is starting: its first batch waits for that. In a session of its own, so that Ctrl-C is not for it."""
        places = [str(PACKAGES), os.getenv("PYTHONPATH", "")]
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                process = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-P", "-m", "queue_server.store.writing", path, *SQLITE_PRAGMAS),
                    stdin=theirs.fileno(),
                    stdout=asyncio.subprocess.DEVNULL,
                    env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, places))},
                    start_new_session=True,
                )
            return cls(process, *await asyncio.open_unix_connection(sock=ours))
        except BaseException:
            ours.close()  # a process that began ends with it
            raise

    def has_ended(self) -> bool:
        return self._process.returncode is not None or self._heard.at_eof()

    async def write(self, document: bytes) -> None:
        """The batch is durable, or one of the port's errors is raised."""
        self._said.write(LENGTH.pack(len(document)) + document)
        answer = await self._heard.readexactly(LENGTH.unpack(await self._heard.readexactly(LENGTH.size))[0])
        if answer:
            raise msgspec.msgpack.decode(answer, type=Refusal).error()

    async def put_away(self, *, at_once: bool = False) -> None:
        """Wait until it has ended, for ENDING_S twice at most: what it began to write is on the disk, or never will be."""
        self._said.close()
        for end_it in (at_once, True):
            if end_it and self._process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self._process.pid, signal.SIGKILL)  # Popen's own would take its end from the loop
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), ENDING_S)
                break
        with contextlib.suppress(OSError):
            await self._said.wait_closed()


class SqliteAppender:
    """A writer in a process of its own and a reader in a thread of its own.

    A process, for a thread asks for the interpreter at every statement while the server uses it (docs/decisions/0015); a
    thread, so that a look-up never waits for a commit's fsync.
    """

    __slots__ = ("_closed", "_database", "_pen", "_reader")

    def __init__(self, database: Database) -> None:
        self._database = database
        self._pen: _Pen | None = None
        self._closed = False
        with blamed():
            self._reader = _Line(str(database.url.database))

    async def run(self, steps: Sequence[Step]) -> None:
        document = msgspec.msgpack.encode(steps)
        async with self._database.turn():
            pen = await self._ready()
            try:
                async with asyncio.timeout(COMMIT_TIMEOUT_S):
                    await pen.write(document)
            except StoreError:  # it answered, and serves the next batch as well
                raise
            except BaseException as error:
                self._pen = None
                await pen.put_away(at_once=True)
                if isinstance(error, (asyncio.IncompleteReadError, ConnectionError, TimeoutError)):
                    raise InDoubt(f"no answer from the process that writes to the database: {error!r}") from error
                raise

    async def _ready(self) -> _Pen:
        """The pen, or another in place of one that ended with nothing in hand."""
        if self._closed:
            raise Unavailable("the database is closed")
        if self._pen is not None and self._pen.has_ended():
            await self._pen.put_away()
            self._pen = None
        if self._pen is None:
            self._pen = await _Pen.taken(str(self._database.url.database))
        return self._pen

    async def fetch(self, sql: str, keys: Sequence[Row]) -> list[Row]:
        found: list[Row] = await self._reader.call(fetch_sqlite, sql, keys)
        return found

    async def close(self) -> None:
        async with self._database.turn():
            self._closed = True
            if self._pen is not None:
                await self._pen.put_away()
                self._pen = None
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
        raise refused(step, error, blame(error)) from error
    except BaseException as error:
        driver.terminate()  # no COMMIT was sent: the server takes the transaction back
        if isinstance(error, Exception):
            raise refused(step, error, blame(error)) from error
        raise
    try:
        async with asyncio.timeout(COMMIT_TIMEOUT_S):
            await transaction.commit()
    except BaseException as error:
        driver.terminate()
        if isinstance(error, Exception):
            raise InDoubt(f"no answer to a commit: {error}") from error
        raise
