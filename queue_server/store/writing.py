"""The process that writes to a SQLite file and does nothing else, and how a batch is written; it imports as little as it can."""

import contextlib
import gc
import os
import re
import signal
import socket
import sqlite3
import struct
import sys
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any, Final, TypeAlias

import msgspec
from msgspec import Struct

from queue_server.store import port
from queue_server.store.port import Broken, Duplicate, Fenced, InDoubt, StoreError, Unavailable, Unfit

ROWS_MAX: Final = 64
"""Rows in one statement on SQLite, so that each size of a usual batch is one statement that stays prepared."""

PREPARED: Final = 1_024
"""Statements kept prepared: every size for each of the tables that a batch writes to."""

LENGTH: Final = struct.Struct("<I")
"""Before each message of both directions: how many bytes follow."""

_ABSENT: Final = {
    sqlite3.SQLITE_FULL: "the disk is full: make room, then start again",
    sqlite3.SQLITE_READONLY: "the database file is read-only: mend its rights or the disk",
    sqlite3.SQLITE_IOERR: "the disk reports errors: look at the disk, then start again",
    sqlite3.SQLITE_BUSY: "another process keeps the database file locked: end it",
    sqlite3.SQLITE_LOCKED: "another process keeps the database file locked: end it",
    sqlite3.SQLITE_CANTOPEN: "the database file cannot be opened: look at its path and rights",
    sqlite3.SQLITE_NOMEM: "the machine is out of memory",
    sqlite3.SQLITE_MISUSE: "the database is closed",
}

Row: TypeAlias = tuple[Any, ...]


class Step(Struct, frozen=True, gc=False):
    """One statement and its rows. With `fence` it must change exactly one row, or nothing of the batch is written."""

    sql: str
    rows: Sequence[Row]
    fence: bool = False
    unique: bool = False  # a second row of the same key is the caller's repetition, not a broken journal


class Refusal(Struct, frozen=True):
    """Why nothing of a batch was written, or that nobody knows: the name and the text of one of the port's errors."""

    kind: str
    text: str

    def error(self) -> StoreError:
        found: StoreError = getattr(port, self.kind)(self.text)
        return found


def blame_sqlite(error: BaseException) -> StoreError | None:
    """The store's own error for one of the driver's, None for what is not the database's doing."""
    match error:
        case StoreError():
            return error
        case UnicodeError() | OverflowError():
            return Unfit(f"a value that cannot be stored: {error}")
        case sqlite3.Error():
            code = getattr(error, "sqlite_errorcode", None)
            if code is None:  # the module's own complaint, not the library's
                closed = "closed" in str(error)
                return (
                    Unavailable(f"the database is closed: {error}") if closed else Broken(f"a wrong statement: {error}")
                )
            if code in (sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_UNIQUE):
                return Duplicate(str(error))
            sentence = _ABSENT.get(code & 0xFF)
            if sentence:
                return Unavailable(f"{sentence} ({error})")
            return Broken(f"the database refused a statement: {error}")
        case _:
            return None


def commit_blame_sqlite(error: BaseException) -> StoreError:
    """What an error out of COMMIT means: SQLite refuses a full disk or a lock for certain; all else is in doubt."""
    if isinstance(error, sqlite3.Error):
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_IOERR) & 0xFF
        ours = blame_sqlite(error)
        if ours is not None and code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_READONLY):
            return ours
    return InDoubt(f"no answer to a commit: {error}")


def refused(step: Step, error: Exception, ours: StoreError | None) -> StoreError:
    """The port's error for a step that failed; `ours` is whose fault the driver says it is."""
    match ours:
        case None:
            return Broken(f"a statement of the batch failed: {error!r}")
        case Duplicate() if not step.unique:
            return Broken(f"the journal holds a row that the lease does not know of: {error}")
        case _:
            return ours


def connect(path: str, pragmas: Sequence[str]) -> sqlite3.Connection:
    """A connection that begins its transactions itself, to a file that is there: nobody fills a new one unasked."""
    address = f"{Path(path).resolve().as_uri()}?mode=rw"
    connection = sqlite3.connect(address, uri=True, isolation_level=None, cached_statements=PREPARED)
    for pragma in pragmas:
        connection.execute(pragma)
    return connection


def run_sqlite(connection: sqlite3.Connection, steps: Sequence[Step]) -> None:
    """Blocking: BEGIN IMMEDIATE, the steps, COMMIT; rolled back whole on any error, the driver's own or the port's."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        for step in steps:
            try:
                changed = _execute(connection, step)
            except Exception as error:
                raise refused(step, error, blame_sqlite(error)) from error
            if step.fence and changed != 1:
                raise Fenced("another process has taken this hall over: this one writes nothing more")
        try:
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise commit_blame_sqlite(error) from error
    finally:
        if connection.in_transaction:
            with contextlib.suppress(sqlite3.Error):  # what is told is why it was necessary
                connection.execute("ROLLBACK")


def _execute(connection: sqlite3.Connection, step: Step) -> int:
    """The rows of the step, and how many rows it changed (meaningful for a fence, which has one row)."""
    if spread(step.sql, 2) is None:
        return connection.executemany(step.sql, step.rows).rowcount
    for _ in many(connection, step.sql, step.rows):
        pass
    return len(step.rows)


@lru_cache(PREPARED)
def spread(sql: str, count: int) -> str | None:
    """The statement for `count` rows at once; None when it has no `VALUES (?, …)` to repeat.

    A batch of whole tables is a few statements instead of one a row; and a look-up, whose thread gives the interpreter's
    lock away at each, waits for a busy server once.
    """
    found = re.search(r"VALUES (\([?, ]+\))", sql)
    if found is None:
        return None
    return sql[: found.end()] + f", {found[1]}" * (count - 1) + sql[found.end() :]


def many(connection: sqlite3.Connection, sql: str, rows: Sequence[Row]) -> Iterator[Row]:
    """Runs the statement over all rows in as few pieces as may be."""
    for at in range(0, len(rows), ROWS_MAX):
        piece = rows[at : at + ROWS_MAX]
        text = spread(sql, len(piece))
        assert text is not None
        yield from connection.execute(text, tuple(chain.from_iterable(piece)))


class _Pen:
    """The connection, opened with the first batch and again after one that could not be."""

    def __init__(self, path: str, pragmas: Sequence[str]) -> None:
        self._path = path
        self._pragmas = pragmas
        self._connection: sqlite3.Connection | None = None

    def write(self, document: bytes) -> bytes:
        """Nothing when the batch is durable, else a Refusal."""
        try:
            steps = msgspec.msgpack.decode(document, type=list[Step])
            if self._connection is None:
                self._connection = connect(self._path, self._pragmas)
            run_sqlite(self._connection, steps)
        except Exception as error:
            ours = blame_sqlite(error) or Broken(f"the batch could not be written: {error!r}")
            if self._connection is not None and (isinstance(ours, InDoubt) or self._connection.in_transaction):
                with contextlib.suppress(sqlite3.Error):
                    self._connection.close()
                self._connection = None
            return msgspec.msgpack.encode(Refusal(type(ours).__name__, str(ours)))
        return b""


def main(path: str, *pragmas: str) -> None:
    """Batches from standard input, a socket, until whoever sent them closes it or ends.

    Signals to the whole group are for that process: it says when there is nothing left to write.
    """
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    gc.disable()  # rows hold no cycles
    pen = _Pen(path, pragmas)
    with contextlib.suppress(ConnectionError), socket.socket(fileno=0) as line, line.makefile("rb") as said:
        while len(head := said.read(LENGTH.size)) == LENGTH.size:
            size = LENGTH.unpack(head)[0]
            document = said.read(size)
            if len(document) < size:
                return
            answer = pen.write(document)
            line.sendall(LENGTH.pack(len(answer)) + answer)


if __name__ == "__main__":
    main(*sys.argv[1:])
    os._exit(0)  # at once: to fold the file's log back is for the server's own end, and another may be starting
