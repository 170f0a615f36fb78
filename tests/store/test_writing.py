"""The process that writes to a SQLite file: killed, stopped, signalled, left alone, and asked for too much."""

import asyncio
import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import msgspec
import pytest
from msgspec import structs

from queue_server.store import append, port, writing
from queue_server.store.audit import verify
from queue_server.store.database import SQLITE_PRAGMAS
from queue_server.store.port import Batch, InDoubt, Unavailable, Unfit
from queue_server.store.store import Store
from queue_server.store.writing import Refusal
from tests.migrated import migrated
from tests.store.sample import HALL, issued, project

ROOT = Path(__file__).parents[2]


@pytest.fixture
async def store(tmp_path: Path, keys_dir: Path) -> AsyncIterator[Store]:
    made = await Store.open(migrated(tmp_path / "hall.db"), keys_dir=keys_dir, projector=project)
    yield made
    await made.close()


def words_of(pid: int) -> list[bytes]:
    """How a process was begun; nothing when it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return []


def take_away(folder: Path) -> None:
    """The database, as if its disk were gone."""
    for each in folder.glob("hall.db*"):
        each.rename(each.with_name(f"away-{each.name}"))


def pens(database: Path) -> list[int]:
    """The processes that write to this file."""
    found = []
    for each in Path("/proc").glob("[0-9]*"):
        words = words_of(int(each.name))
        if b"queue_server.store.writing" in words and os.fsencode(database) in words:
            found.append(int(each.name))
    return found


def ended(database: Path) -> bool:
    """Whether they all end within some seconds."""
    until = time.monotonic() + 10
    while pens(database) and time.monotonic() < until:
        time.sleep(0.02)
    return not pens(database)


@contextlib.contextmanager
def stopped(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


async def test_law_1_a_batch_that_its_process_died_with_is_in_doubt_and_another_takes_over(
    store: Store, tmp_path: Path
) -> None:
    """Nobody is told of it; the takeover says what is durable, and the hall goes on with a process of its own again."""
    lease = (await store.commit(await store.take_over(HALL, "a"), Batch(events=[issued(1)]))).lease
    (pen,) = pens(tmp_path / "hall.db")
    with stopped(pen):
        lost = asyncio.create_task(store.commit(lease, Batch(events=[issued(2)])))
        await asyncio.sleep(0.2)
        assert not lost.done()
        os.kill(pen, signal.SIGKILL)
        with pytest.raises(InDoubt, match="no answer"):
            await lost
    again = await store.take_over(HALL, "a")
    assert again.head == 1
    await store.commit(again, Batch(events=[issued(3)]))
    assert pens(tmp_path / "hall.db") not in ([], [pen])
    report = await verify(store, HALL)
    assert report.ok
    assert report.rows == 2


async def test_one_that_died_with_nothing_in_hand_leaves_no_doubt(store: Store, tmp_path: Path) -> None:
    lease = (await store.commit(await store.take_over(HALL, "a"), Batch(events=[issued(1)]))).lease
    (pen,) = pens(tmp_path / "hall.db")
    os.kill(pen, signal.SIGKILL)
    assert await asyncio.to_thread(ended, tmp_path / "hall.db")
    await asyncio.sleep(0.1)
    assert (await store.commit(lease, Batch(events=[issued(2)]))).lease.head == 2
    assert pens(tmp_path / "hall.db") not in ([], [pen])


async def test_law_5_one_that_hangs_is_waited_for_no_longer_than_a_commit_may_take(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing else can be written meanwhile, and whoever asked is told before they have forgotten that they did."""
    lease = (await store.commit(await store.take_over(HALL, "a"), Batch(events=[issued(1)]))).lease
    (pen,) = pens(tmp_path / "hall.db")
    monkeypatch.setattr(append, "COMMIT_TIMEOUT_S", 0.3)
    with stopped(pen), pytest.raises(InDoubt):
        await store.commit(lease, Batch(events=[issued(2)]))
    monkeypatch.undo()
    assert pens(tmp_path / "hall.db") == []
    lease = await store.take_over(HALL, "a")
    assert lease.head == 1
    assert (await store.commit(lease, Batch(events=[issued(2)]))).lease.head == 2


async def test_one_that_hangs_does_not_keep_its_store_from_closing(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.commit(await store.take_over(HALL, "a"), Batch(events=[issued(1)]))
    monkeypatch.setattr(append, "ENDING_S", 0.3)
    with stopped(pens(tmp_path / "hall.db")[0]):
        await store.close()
    assert pens(tmp_path / "hall.db") == []


async def test_a_store_that_is_closed_begins_no_other(store: Store, tmp_path: Path) -> None:
    lease = await store.take_over(HALL, "a")
    await store.close()
    with pytest.raises(Unavailable, match="closed"):
        await store.commit(lease, Batch(events=[issued(1)]))
    assert pens(tmp_path / "hall.db") == []


async def test_what_cannot_be_sent_is_unfit_and_costs_no_process(store: Store, tmp_path: Path) -> None:
    lease = (await store.commit(await store.take_over(HALL, "a"), Batch(events=[issued(1)]))).lease
    before = pens(tmp_path / "hall.db")
    for name in ("at", "actor"):
        wrong = structs.replace(issued(2), **{name: 2**70 if name == "at" else "\ud800"})
        with pytest.raises(Unfit):
            await store.commit(lease, Batch(events=[wrong]))
    assert pens(tmp_path / "hall.db") == before
    await store.commit(lease, Batch(events=[issued(2)]))


async def test_a_file_that_was_taken_away_is_not_made_anew(store: Store, tmp_path: Path) -> None:
    lease = await store.take_over(HALL, "a")
    take_away(tmp_path)
    with pytest.raises(Unavailable, match="cannot be opened"):
        await store.commit(lease, Batch(events=[issued(1)]))
    assert not (tmp_path / "hall.db").exists()


async def test_design_5_it_writes_as_durably_as_the_store_says(store: Store, tmp_path: Path) -> None:
    await store.commit(await store.take_over(HALL, "a"), Batch(events=[issued(1)]))
    (pen,) = pens(tmp_path / "hall.db")
    words = words_of(pen)
    assert words[-1 - len(SQLITE_PRAGMAS) : -1] == [pragma.encode() for pragma in SQLITE_PRAGMAS]
    here = writing._Pen(str(tmp_path / "hall.db"), SQLITE_PRAGMAS)
    assert here.write(msgspec.msgpack.encode([])) == b""
    assert here._connection is not None
    for pragma, wanted in (("journal_mode", "wal"), ("synchronous", 2), ("busy_timeout", 5_000)):
        assert here._connection.execute(f"pragma {pragma}").fetchone()[0] == wanted
    here._connection.close()


def test_a_commit_and_a_rollback_that_both_fail_are_in_doubt_and_the_connection_is_left(tmp_path: Path) -> None:
    """SQLite's first complaint says what became of the batch, not the second."""

    class Failing:
        in_transaction = True
        closed = False

        def execute(self, sql: str) -> None:
            if sql != "BEGIN IMMEDIATE":
                error = sqlite3.OperationalError(f"disk I/O error at {sql}")
                error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
                raise error

        def close(self) -> None:
            self.closed = True

    failing = Failing()
    pen = writing._Pen(str(tmp_path / "hall.db"), ())
    pen._connection = failing  # type: ignore[assignment]
    refusal = msgspec.msgpack.decode(pen.write(msgspec.msgpack.encode([])), type=Refusal)
    assert refusal.kind == "InDoubt"
    assert "COMMIT" in refusal.text
    assert failing.closed
    assert pen._connection is None


async def test_signals_to_the_whole_group_do_not_end_it(store: Store, tmp_path: Path) -> None:
    """Ctrl-C, or a service that is stopped, reaches every process: the server says when all is written."""
    lease = (await store.commit(await store.take_over(HALL, "a"), Batch(events=[issued(1)]))).lease
    (pen,) = pens(tmp_path / "hall.db")
    assert os.getsid(pen) != os.getsid(0)
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(pen, each)
    await store.commit(lease, Batch(events=[issued(2)]))
    assert pens(tmp_path / "hall.db") == [pen]


async def test_a_store_that_is_closed_leaves_no_process(store: Store, tmp_path: Path) -> None:
    await store.commit(await store.take_over(HALL, "a"), Batch(events=[issued(1)]))
    assert pens(tmp_path / "hall.db")
    await store.close()
    assert not pens(tmp_path / "hall.db")


def test_it_ends_when_its_server_is_killed(tmp_path: Path, keys_dir: Path) -> None:
    url = f"sqlite:///{tmp_path / 'hall.db'}"
    victim = subprocess.Popen(
        [sys.executable, "-m", "tests.store.victim", url, str(keys_dir)], cwd=ROOT, stdout=subprocess.PIPE
    )
    assert victim.stdout is not None
    victim.stdout.readline()
    assert pens(tmp_path / "hall.db")
    victim.kill()
    assert ended(tmp_path / "hall.db")
    victim.stdout.close()
    victim.wait()


async def test_a_caller_that_gives_up_takes_no_later_answer_for_its_own(store: Store, tmp_path: Path) -> None:
    lease = (await store.commit(await store.take_over(HALL, "a"), Batch(events=[issued(1)]))).lease
    (pen,) = pens(tmp_path / "hall.db")
    with stopped(pen):
        given_up = asyncio.create_task(store.commit(lease, Batch(events=[issued(2)])))
        await asyncio.sleep(0.2)
        given_up.cancel()
        with pytest.raises(asyncio.CancelledError):
            await given_up
    assert pens(tmp_path / "hall.db") == []
    lease = await store.take_over(HALL, "a")
    after = await store.commit(lease, Batch(events=[issued(3)]))
    assert after.lease.head == lease.head + 1
    assert (await verify(store, HALL)).ok


async def test_a_batch_larger_than_any_buffer_of_a_socket(store: Store) -> None:
    lease = await store.take_over(HALL, "a")
    committed = await store.commit(lease, Batch(events=[issued(n) for n in range(8_000)]))
    assert committed.lease.head == 8_000
    await store.commit(committed.lease, Batch(events=[issued(1)]))


@pytest.mark.parametrize("kind", sorted(each.__name__ for each in port.StoreError.__subclasses__()))
def test_each_of_the_ports_errors_comes_back_as_itself(kind: str) -> None:
    found = Refusal(kind, "why").error()
    assert (type(found).__name__, str(found)) == (kind, "why")


def test_it_starts_without_the_rest_of_the_server() -> None:
    """It is begun with each server, and again when it died: it must not take a second to load what it does not need."""
    code = "import sys, queue_server.store.writing; print(sorted(name.partition('.')[0] for name in sys.modules))"
    said = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "'sqlite3'" in said
    assert not {"sqlalchemy", "asyncpg", "asyncio", "aiohttp"} & set(said.replace("'", " ").replace(",", " ").split())
