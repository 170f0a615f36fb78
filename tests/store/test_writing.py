"""The process that writes to a SQLite file: killed, stopped, signalled, left alone, and asked for too much."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from queue_server.store import port
from queue_server.store.audit import verify
from queue_server.store.port import Batch, InDoubt
from queue_server.store.store import Store
from queue_server.store.writing import Refusal
from tests.store.sample import HALL, issued, project

ROOT = Path(__file__).parents[2]


@pytest.fixture
async def store(tmp_path: Path, keys_dir: Path) -> AsyncIterator[Store]:
    made = await Store.open(f"sqlite:///{tmp_path / 'hall.db'}", keys_dir=keys_dir, projector=project)
    yield made
    await made.close()


def pens(database: Path) -> list[int]:
    """The processes that write to this file."""
    found = []
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = each.read_bytes().split(b"\0")
            if b"queue_server.store.writing" in words and os.fsencode(database) in words:
                found.append(int(each.parent.name))
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
        with pytest.raises(InDoubt, match="ended"):
            await lost
    again = await store.take_over(HALL, "a")
    assert again.head == 1
    await store.commit(again, Batch(events=[issued(3)]))
    assert pens(tmp_path / "hall.db") not in ([], [pen])
    report = await verify(store, HALL)
    assert report.ok
    assert report.rows == 2


async def test_one_that_died_between_two_batches_is_in_doubt_once(store: Store, tmp_path: Path) -> None:
    lease = (await store.commit(await store.take_over(HALL, "a"), Batch(events=[issued(1)]))).lease
    os.kill(pens(tmp_path / "hall.db")[0], signal.SIGKILL)
    assert await asyncio.to_thread(ended, tmp_path / "hall.db")
    with pytest.raises(InDoubt):
        await store.commit(lease, Batch(events=[issued(2)]))
    lease = await store.take_over(HALL, "a")
    assert (await store.commit(lease, Batch(events=[issued(2)]))).lease.head == 2


async def test_signals_to_the_whole_group_do_not_end_it(store: Store, tmp_path: Path) -> None:
    """Ctrl-C, or a service that is stopped, reaches every process: the server says when all is written."""
    lease = (await store.commit(await store.take_over(HALL, "a"), Batch(events=[issued(1)]))).lease
    (pen,) = pens(tmp_path / "hall.db")
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
