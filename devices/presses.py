"""Rating presses on disk until the server has them (law 8), and the device map for a start without a server."""

from __future__ import annotations

import asyncio
import sqlite3
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self, TypeVar

from devices.transport import Unavailable

T = TypeVar("T")

PRESS_LIMIT: Final = 100_000
"""Undelivered presses; a hall makes a few thousand a day. When full, a device is not acknowledged and repeats."""

_SCHEMA: Final = """
create table if not exists press (
    id text primary key, device text not null, level integer not null,
    wall_ms integer not null, run text not null, mono_ms integer not null
) without rowid;
create table if not exists map (one integer primary key check (one = 1), data blob not null);
"""


@dataclass(frozen=True, slots=True)
class KeptPress:
    """A press on disk; `level` is 5…1, `age_ms` how long ago it was pressed when it was read."""

    id: str
    device: str
    level: int
    age_ms: int


class PressStore:
    """One sqlite file, synced before `keep` returns; raises `Unavailable` when the disk does not take it."""

    def __init__(self, file: Path) -> None:
        self._file = file
        # One thread of its own owns the connection: a serial port that hangs while it is opened takes threads of the
        # loop's pool with it, and a press must not wait for one.
        self._thread = ThreadPoolExecutor(1, "presses")
        self._connection: sqlite3.Connection | None = None
        # Within one run ages come from the clock that never jumps, across runs from the wall clock.
        self._run = uuid.uuid4().hex

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        self._thread.shutdown(wait=False)

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    async def _do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        def in_thread() -> T:
            try:
                connection = self._open()
                with connection:
                    return work(connection)
            except sqlite3.Error as error:
                self._close()  # the next press starts with a fresh connection
                raise Unavailable(f"{self._file.name}: {error}") from error

        return await asyncio.get_running_loop().run_in_executor(self._thread, in_thread)

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            connection = sqlite3.connect(self._file)
            try:
                connection.execute("pragma journal_mode = wal")
                connection.execute("pragma synchronous = full")
                connection.executescript(_SCHEMA)
            except sqlite3.Error:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    async def keep(self, device: str, level: int, age_ms: int = 0) -> KeptPress:
        """Store a press durably that was made so long ago."""
        press = KeptPress(uuid.uuid4().hex, device, level, age_ms)
        row = (press.id, device, level, _wall_ms() - age_ms, self._run, _mono_ms() - age_ms)

        def insert(connection: sqlite3.Connection) -> None:
            (count,) = connection.execute("select count(*) from press").fetchone()
            if count >= PRESS_LIMIT:
                raise sqlite3.OperationalError(f"{count} presses wait for the server")
            connection.execute("insert into press values (?, ?, ?, ?, ?, ?)", row)

        await self._do(insert)
        return press

    async def waiting(self, limit: int = 500) -> list[KeptPress]:
        """The oldest presses that the server has not confirmed."""
        rows = await self._do(
            lambda connection: connection.execute(
                "select * from press order by wall_ms, id limit ?", (limit,)
            ).fetchall()
        )
        return [
            KeptPress(id_, device, level, max(0, _mono_ms() - mono_ms if run == self._run else _wall_ms() - wall_ms))
            for id_, device, level, wall_ms, run, mono_ms in rows
        ]

    async def forget(self, press: str) -> None:
        """The server has stored it; forgetting an unknown one is nothing."""
        await self._do(lambda connection: connection.execute("delete from press where id = ?", (press,)))

    async def save_map(self, data: bytes) -> None:
        """Keep the device map, as JSON."""
        await self._do(lambda connection: connection.execute("insert or replace into map values (1, ?)", (data,)))

    async def load_map(self) -> bytes | None:
        """The last device map, or None."""
        row = await self._do(lambda connection: connection.execute("select data from map").fetchone())
        return None if row is None else bytes(row[0])


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000


def _mono_ms() -> int:
    return time.monotonic_ns() // 1_000_000
