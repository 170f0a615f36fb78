"""Journals that earlier versions wrote (DESIGN 8): today's server takes them over, and replays them to the tables of then."""

import asyncio
import contextlib
import gzip
import shutil
import signal
import sqlite3
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.hall_process import ROOT, HallProcess, open_hall

GOLDEN = ROOT / "tests" / "golden" / "journals"
"""A folder a version of the events: `hall.db.gz`, what `yichuang demo` left in a township at that version, and its keys."""

PROJECTIONS = ("tickets", "services", "ratings")


def _tables(path: Path, columns: dict[str, str]) -> dict[str, list[Any]]:
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        return {table: database.execute(f"select {columns[table]} from {table} order by 1, 2, 3").fetchall()
                for table in PROJECTIONS}  # fmt: skip


def _columns(*paths: Path) -> dict[str, str]:
    """The columns that these have in common: a migration may add one and drop another."""
    found: dict[str, list[set[str]]] = {table: [] for table in PROJECTIONS}
    for path in paths:
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            for table, sets in found.items():
                sets.append({row[1] for row in database.execute(f"pragma table_info({table})")})
    return {table: ", ".join(sorted(set.intersection(*sets))) for table, sets in found.items()}


async def _journal(verb: str, folder: Path) -> int:
    arguments = ["journal", verb, "--database", f"sqlite:///{folder / 'hall.db'}", "--keys", str(folder / "keys")]
    tool = await asyncio.create_subprocess_exec(sys.executable, "-m", "queue_server", *arguments, cwd=ROOT)
    return await tool.wait()


@pytest.mark.parametrize("version", sorted(path.name for path in GOLDEN.iterdir()))
async def test_design_5_a_journal_of_an_earlier_version_is_taken_over_whole(version: str, tmp_path: Path) -> None:
    with gzip.open(GOLDEN / version / "hall.db.gz") as packed:
        (tmp_path / "hall.db").write_bytes(packed.read())
    shutil.copytree(GOLDEN / version / "keys", tmp_path / "keys")
    for key in (tmp_path / "keys").iterdir():
        key.chmod(0o600)  # which a checkout does not keep
    shutil.copy(tmp_path / "hall.db", tmp_path / "then.db")
    server = HallProcess(tmp_path, open_hall(tmp_path / "config"))
    await server.start()
    await server.kill(signal.SIGTERM)
    columns = _columns(tmp_path / "then.db", tmp_path / "hall.db")
    then = _tables(tmp_path / "then.db", columns)
    assert all(then.values())
    assert _tables(tmp_path / "hall.db", columns) == then
    assert await _journal("verify", tmp_path) == 0
    with contextlib.closing(sqlite3.connect(tmp_path / "hall.db")) as database, database:
        database.execute("update tickets set state = 'waiting'")
    assert await _journal("rebuild", tmp_path) == 0
    assert _tables(tmp_path / "hall.db", columns) == then
