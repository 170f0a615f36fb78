"""What a hall's machine does to its disk: killed processes, full disks, files gone read-only."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from queue_server.store import append, tables
from queue_server.store.audit import verify
from queue_server.store.database import SQLITE_PRAGMAS, Database, parse
from queue_server.store.port import Batch, Lease, Unavailable
from queue_server.store.store import Store
from tests.store.sample import HALL, issued, project

ROOT = Path(__file__).parents[2]


def killed_in_the_middle(url: str, keys_dir: Path, after_lines: int, delay_s: float) -> int:
    """Run the victim, kill -9 it some time after it has said so many commits; the last head it told anybody."""
    command = [sys.executable, "-m", "tests.store.victim", url, str(keys_dir)]
    victim = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert victim.stdout is not None
    told = [victim.stdout.readline() for _ in range(after_lines)]
    time.sleep(delay_s)
    os.kill(victim.pid, signal.SIGKILL)
    rest = victim.stdout.read()
    victim.stdout.close()
    victim.wait()
    whole = "".join(told) + rest[: rest.rfind("\n") + 1]
    return int(whole.split()[-1])


async def test_kill_9_loses_nothing_that_was_told(url: str, keys_dir: Path) -> None:
    """DESIGN law 1: killed at odd moments, six times over on one journal; what was said is there, whole and in order."""
    for turn in range(6):
        told = await asyncio.to_thread(killed_in_the_middle, url, keys_dir, 3 + turn, 0.0007 * turn)
        store = await Store.open(url, keys_dir=keys_dir, projector=project)
        lease = await store.take_over(HALL, "heir")
        assert lease.head in (told, told + 3), "either the last batch told, or one more whole batch"
        report = await verify(store, HALL)
        assert report.ok, report.findings
        async with store.database.reading() as connection:
            count = (await connection.execute(select(func.count()).select_from(tables.receipts))).scalar_one()
        assert count == lease.head // 3
        await store.close()


async def fill(store: Store, lease: Lease) -> Lease:
    """Commit until the disk is full; the last lease that was good."""
    with pytest.raises(Unavailable, match="full"):  # noqa: PT012 -- the commit that meets the end of the disk
        while True:
            lease = (await store.commit(lease, Batch(events=[issued(lease.head + n) for n in range(50)]))).lease
    return lease


def also(monkeypatch: pytest.MonkeyPatch, pragma: str) -> None:
    """A setting more for the process that writes."""
    monkeypatch.setattr(append, "SQLITE_PRAGMAS", (*SQLITE_PRAGMAS, pragma))


async def test_a_full_database_says_so_and_keeps_what_it_has(
    tmp_path: Path, keys_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite's own limit of pages stands for the disk's end."""
    store = await Store.open(f"sqlite:///{tmp_path / 'hall.db'}", keys_dir=keys_dir, projector=project)
    lease = await store.take_over(HALL, "a")
    also(monkeypatch, "PRAGMA max_page_count = 120")
    lease = await fill(store, lease)
    assert lease.head > 0
    report = await verify(store, HALL)
    assert report.ok
    assert report.rows == lease.head
    await store._appender.close()
    also(monkeypatch, "PRAGMA max_page_count = 4000")
    store._appender = append.appender_for(store.database)
    assert (await store.commit(lease, Batch(events=[issued(9_999)]))).last_seq == lease.head + 1
    await store.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    if (
        os.geteuid() != 0
        or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], check=False, capture_output=True
        ).returncode
    ):
        pytest.skip("only root may mount the small disk this test fills: it did NOT run")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.root
async def test_a_disk_that_fills_up_at_commit(small_disk: Path, keys_dir: Path) -> None:
    """A real file system of one megabyte: ENOSPC comes out of COMMIT itself, and after making room the hall goes on."""
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(300_000))
    store = await Store.open(f"sqlite:///{small_disk / 'hall.db'}", keys_dir=keys_dir, projector=project)
    lease = await fill(store, await store.take_over(HALL, "a"))
    ballast.unlink()
    again = await store.take_over(HALL, "b")
    assert again.head == lease.head
    await store.commit(again, Batch(events=[issued(9_999)]))
    assert (await verify(store, HALL)).ok
    await store.close()


async def test_a_locked_file_is_unavailable_not_a_traceback(
    tmp_path: Path, keys_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await Store.open(f"sqlite:///{tmp_path / 'hall.db'}", keys_dir=keys_dir, projector=project)
    other = await Store.open(f"sqlite:///{tmp_path / 'hall.db'}", keys_dir=keys_dir, projector=project)
    lease = await store.take_over(HALL, "a")
    also(monkeypatch, "PRAGMA busy_timeout = 50")
    async with other.database.writing():
        with pytest.raises(Unavailable, match="locked"):
            await store.commit(lease, Batch(events=[issued(1)]))
    await store.commit(lease, Batch(events=[issued(1)]))
    await store.close()
    await other.close()


@pytest.mark.postgres
async def test_a_read_only_server_is_unavailable(postgres: object, keys_dir: Path) -> None:
    """As on a standby that was not promoted."""
    url = postgres.fresh()  # type: ignore[attr-defined]
    store = await Store.open(url, keys_dir=keys_dir, projector=project)
    lease = await store.take_over(HALL, "a")
    name = url.rsplit("/", 1)[1]
    async with store.database.writing() as connection:
        await connection.execute(text(f"alter database {name} set default_transaction_read_only = on"))
    await store.learnt(HALL)  # it would be left with a connection of the old pool
    await store.database.engine.dispose()
    with pytest.raises(Unavailable, match="read-only"):
        await store.commit(lease, Batch(events=[issued(1)]))
    with pytest.raises(Unavailable, match="read-only"):
        await store.take_over(HALL, "b")
    await store.close()


@pytest.mark.postgres
async def test_a_server_that_would_lose_commits_is_refused(postgres: object, keys_dir: Path) -> None:
    """An acknowledged ticket must survive a power cut: synchronous_commit = off is not a hall's setting."""
    url = postgres.fresh()  # type: ignore[attr-defined]
    store = await Store.open(url, keys_dir=keys_dir, projector=project)
    name = url.rsplit("/", 1)[1]
    async with store.database.writing() as connection:
        await connection.execute(text(f"alter database {name} set synchronous_commit = off"))
    await store.close()
    with pytest.raises(Unavailable, match="synchronous_commit"):
        await Store.open(url, keys_dir=keys_dir, projector=project)


async def test_sqlite_runs_with_wal_and_full_synchronous(tmp_path: Path, keys_dir: Path) -> None:
    """DESIGN 5; of the process that writes test_writing.py asks the same."""
    store = await Store.open(f"sqlite:///{tmp_path / 'hall.db'}", keys_dir=keys_dir, projector=project)
    for pragma, wanted in (("journal_mode", "wal"), ("synchronous", 2), ("busy_timeout", 5_000)):
        async with store.database.reading() as connection:
            assert (await connection.execute(text(f"pragma {pragma}"))).scalar_one() == wanted
    await store.close()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://a/b", "hall.db"])
async def test_an_address_that_cannot_be_a_hall_is_refused(url: str, keys_dir: Path) -> None:
    with pytest.raises(ValueError, match="sqlite"):
        await Store.open(url, keys_dir=keys_dir, projector=project)


async def test_no_database_there_is_unavailable(tmp_path: Path, keys_dir: Path) -> None:
    for url in ("postgresql://nobody@127.0.0.1:1/none", f"sqlite:////{tmp_path}"):
        with pytest.raises(Unavailable):
            await Store.open(url, keys_dir=keys_dir, projector=project)


async def test_a_database_is_closed_when_nothing_works_for_it_any_more(tmp_path: Path) -> None:
    """A look that is cut off twice (its page goes away, then the server) leaves a thread in the middle of a statement."""
    others = set(threading.enumerate())
    database = Database(parse(f"sqlite:///{tmp_path / 'hall.db'}"))
    count = text(
        "with recursive n(i) as (select 1 union all select i + 1 from n where i < 3000000) select count(*) from n"
    )

    async def look() -> None:
        async with database.reading() as connection:
            await connection.execute(count)

    looking = asyncio.create_task(look())
    await asyncio.sleep(0.1)
    for _ in range(2):
        looking.cancel()
        await asyncio.sleep(0)
    await asyncio.gather(looking, return_exceptions=True)
    mine = {thread for thread in threading.enumerate() if "connection_worker" in thread.name} - others
    assert mine, "the statement was too short to be cut off"
    await database.close()
    assert not any(thread.is_alive() for thread in mine)
