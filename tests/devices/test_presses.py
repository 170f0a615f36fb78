"""Rating presses on disk (law 8): a killed process, a full store, ages across runs."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from devices import presses
from devices.drivers.rating import KEPT_LIMIT
from devices.presses import PressStore
from devices.transport import Unavailable
from tests.devices.every import ROWS
from tests.devices.hall import own_time
from tests.devices.stage import Stage, soon

_WRITER = """
import asyncio, sys
from pathlib import Path
from devices.presses import PressStore
async def main():
    async with PressStore(Path(sys.argv[1])) as store:
        while True:
            print((await store.keep("r7", 5)).id, flush=True)
asyncio.run(main())
"""


def test_law_8_what_was_said_to_be_stored_is_there_after_kill_9(tmp_path: Path) -> None:
    file = tmp_path / "agent.db"
    told: list[str] = []
    for _round in range(3):
        with subprocess.Popen([sys.executable, "-c", _WRITER, str(file)], stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            told += [process.stdout.readline().strip() for _ in range(20)]
            process.send_signal(signal.SIGKILL)
            told += [line.strip() for line in process.stdout if line.endswith("\n")]
    with contextlib.closing(sqlite3.connect(file)) as connection:
        stored = {id_ for (id_,) in connection.execute("select id from press")}
    assert set(told) <= stored
    assert len(told) == len(set(told))


async def test_ages_go_on_across_runs_and_never_are_negative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "agent.db"
    wall_ms, mono_ms = 1_000_000, 500
    monkeypatch.setattr(presses, "_wall_ms", lambda: wall_ms)
    monkeypatch.setattr(presses, "_mono_ms", lambda: mono_ms)
    async with PressStore(file) as store:
        await store.keep("r7", 5, 90)
        wall_ms, mono_ms = wall_ms - 3_600_000, 700  # the clock was set back an hour: the age does not care
        assert [press.age_ms for press in await store.waiting()] == [290]
    wall_ms, mono_ms = 1_060_000, 3
    async with PressStore(file) as store:
        assert [press.age_ms for press in await store.waiting()] == [60_090]
        wall_ms = 0
        assert [press.age_ms for press in await store.waiting()] == [0]


async def test_law_5_a_full_store_refuses_and_takes_again_when_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presses, "PRESS_LIMIT", 2)
    async with PressStore(tmp_path / "agent.db") as store:
        first = await store.keep("r7", 1)
        await store.keep("r7", 2)
        with pytest.raises(Unavailable, match="wait for the server"):
            await store.keep("r7", 3)
        await store.forget(first.id)
        await store.forget(first.id)
        await store.keep("r7", 4)
        assert sorted(press.level for press in await store.waiting()) == [2, 4]


async def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    file = tmp_path / "agent.db"
    file.write_bytes(b"not a database, but long enough to be looked at" * 40)
    async with PressStore(file) as store:
        with pytest.raises(Unavailable):
            await store.keep("r7", 1)


async def test_law_8_a_press_that_nobody_repeats_is_kept_while_the_disk_refuses_and_stored_with_its_age() -> None:
    """A keyboard says each press once; so many wait, more are counted as lost."""
    with own_time():
        stage = Stage(ROWS["keyboard-pad"])
        async with stage.running():
            stage.disk_full = True
            for n in range(KEPT_LIMIT + 1):
                await stage.node.press(2 + n % 5)
                await asyncio.sleep(2)
            assert (stage.levels, stage.driver.health.state) == ([], "degraded")
            await stage.wire.pull()
            await asyncio.sleep(5)
            await stage.wire.plug()
            stage.disk_full = False
            await soon(lambda: len(stage.levels) == KEPT_LIMIT)
            assert sorted(zip(stage.ages_ms, stage.levels, strict=True), reverse=True) == [
                (pytest.approx(23_000 - 2_000 * n, abs=1_500), n % 5 + 1) for n in range(KEPT_LIMIT)
            ]
            await soon(lambda: stage.driver.line_is_up)
            await stage.node.press(6)
            await soon(lambda: stage.levels[KEPT_LIMIT:] == [5])
            assert (stage.ages_ms[-1], stage.driver.health.counters["presses_lost"]) == (0, 1)
            await stage.is_well()
