"""A day of 40,000 events lived through on the real interface: memory over the day, and the restart after it."""

import asyncio
import random
import re
import sqlite3
import tempfile
import time
from contextlib import closing
from pathlib import Path

import aiohttp
import msgspec

from benchmarks import machine
from benchmarks.hall import SEED, Served, matters, served
from queue_server.domain.serving import Serving

EVENTS = 40_000


class Line:
    """One kept connection, one request after another."""

    def __init__(self, port: int, name: str) -> None:
        self._port, self._name, self._count = port, name, 0

    async def open(self) -> "Line":
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self

    async def post(self, path: str, headers: list[str], body: str) -> int:
        """The status of the answer."""
        self._count += 1
        head = "".join(f"{line}\r\n" for line in headers)
        self._writer.write(
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\n{head}Idempotency-Key: {self._name}-{self._count}"
            f"\r\nContent-Length: {len(body.encode())}\r\n\r\n{body}".encode()
        )
        answer = await self._reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"Content-Length: (\d+)", answer)
        if length:
            await self._reader.readexactly(int(length[1]))
        return int(answer[9:12])

    def close(self) -> None:
        self._writer.close()


def memory_mb(pid: int) -> float:
    """Resident memory of a process."""
    text = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    found = re.search(r"VmRSS:\s+(\d+) kB", text)
    assert found is not None
    return int(found[1]) / 1024


def _rows(path: Path) -> int:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        return int(database.execute("select max(seq) from journal").fetchone()[0])


async def _clerk(hall: Served, window: str, wanted: list[str], until: "asyncio.Event") -> None:
    """Citizen after citizen: a ticket, a call, an arrival, an end."""
    line = await Line(hall.process.port, f"{window}-{time.monotonic_ns()}").open()
    dice = random.Random(window)
    desk, clerk = f"{hall.path}/windows/{window}", hall.clerks[window]
    while not until.is_set():
        body = msgspec.json.encode({"matters": [dice.choice(wanted)]}).decode()
        if await line.post(f"{hall.path}/tickets", hall.kiosk, body) != 201:
            raise RuntimeError("no ticket")
        if await line.post(f"{desk}/call-next", clerk, "{}") == 200:
            await line.post(f"{desk}/arrive", clerk, "{}")
            await line.post(f"{desk}/finish", clerk, '{"outcome":"done"}')
    line.close()


async def _live(hall: Served, events: int) -> None:
    """Every window works until the journal has so many rows."""
    configuration, until = hall.configuration, asyncio.Event()
    serving = Serving(configuration)
    drawn = {each.id for each in matters(configuration, random.Random(SEED), 20_000)}
    wanted: dict[str, list[str]] = {}
    for name in sorted(drawn):
        for window in serving.queue_of([name]).split(","):
            wanted.setdefault(window.rstrip("~"), []).append(name)
    clerks = [asyncio.create_task(_clerk(hall, window, names, until)) for window, names in wanted.items()]
    while _rows(hall.process.sqlite) < events:
        await asyncio.sleep(0.1)
        for clerk in clerks:
            if clerk.done():
                clerk.result()
    until.set()
    await asyncio.gather(*clerks)


async def _searched(hall: Served) -> None:
    """What the first citizen of the day does: the index, which is made once, is no growth of the day."""
    kiosk = dict(line.split(": ", 1) for line in hall.kiosk)
    async with (
        aiohttp.ClientSession(headers=kiosk) as session,
        session.get(f"{hall.process.api}/matters", params={"q": "sfz"}) as answer,
    ):
        if not (await answer.json())["hits"]:
            raise RuntimeError("nothing found")


async def _restarted(hall: Served) -> float:
    """Seconds from the start of a process to readiness, after `kill -9`."""
    await hall.process.kill()
    began = time.monotonic()
    await hall.process.start()
    return time.monotonic() - began


async def measure(base: Path, events: int = EVENTS) -> dict[str, object]:
    """One line; memory is resident megabytes of the server's process."""
    with tempfile.TemporaryDirectory(dir=base) as folder:
        async with served(Path(folder)) as hall:
            empty_s = await _restarted(hall)
            assert hall.process.process is not None
            await _searched(hall)
            pid, began = hall.process.process.pid, time.monotonic()
            megabytes = [memory_mb(pid)]
            for quarter in range(1, 5):
                await _live(hall, events * quarter // 4)
                megabytes.append(memory_mb(pid))
            spent_s = time.monotonic() - began
            rows = _rows(hall.process.sqlite)
            restarts = [await _restarted(hall) for _ in range(3)]
            replayed_mb = memory_mb(hall.process.process.pid)
    return {
        "events": rows,
        "lived_s": round(spent_s, 1),
        "memory_mb": [round(each, 1) for each in megabytes],
        "growth_last_half": round(megabytes[4] / megabytes[2] - 1, 4),
        "restart_s": round(machine.median(restarts), 2),
        "restart_empty_s": round(empty_s, 2),
        "replayed_memory_mb": round(replayed_mb, 1),
    }
