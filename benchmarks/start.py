"""`python -m benchmarks.start`: from the start of a server to its readiness, its first search, and what that keeps waiting."""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from pathlib import Path

import aiohttp

from tests.hall_process import DISTRICT, ROOT, TOWNSHIP, HallProcess, desk, open_hall

TICK_S = 0.002
Line = dict[str, object]


async def measure(base: Path, hall: Path, root: Path) -> Line:
    """One start. `after_search_ms` is the longest that a small request waited while the first search was answered."""
    with tempfile.TemporaryDirectory(dir=base) as made:
        folder = Path(made)
        process = HallProcess(folder, open_hall(folder / "config", hall), root=root)
        started = time.monotonic()
        await process.start()
        ready_ms = (time.monotonic() - started) * 1000
        cpu_ms = _cpu_ms(process)
        try:
            async with desk(process) as admin, aiohttp.ClientSession() as session:
                kiosk = await admin.pair("kiosk", "kiosk-1")
                quiet_ms = await _longest(process, session, asyncio.sleep(1.0))
                first: list[float] = []
                busy_ms = await _longest(process, session, _search(process, session, kiosk, first, "SHENFENZHENG"))
                keys = [word[:end] for word in ("SHENFENZHENG", "GONGJIJIN", "SFZ") for end in range(1, len(word) + 1)]
                letters: list[float] = []
                typing_ms = await _longest(process, session, _typed(process, session, kiosk, letters, keys))
        finally:
            await process.kill()
    return {
        "hall": hall.stem,
        "ready_ms": round(ready_ms),
        "cpu_until_ready_ms": cpu_ms,
        "first_search_ms": round(first[0]),
        "letter_median_ms": round(sorted(letters)[len(letters) // 2], 1),
        "waited_quiet_ms": round(quiet_ms, 1),
        "waited_first_search_ms": round(busy_ms, 1),
        "waited_typing_ms": round(typing_ms, 1),
    }


def _cpu_ms(process: HallProcess) -> int:
    """Processor time of the server and its children so far."""
    assert process.process is not None
    ticks = 0
    for each in (str(process.process.pid), *_children(process.process.pid)):
        fields = Path("/proc", each, "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks * 1000 // os.sysconf("SC_CLK_TCK")


def _children(pid: int) -> list[str]:
    return Path("/proc", str(pid), "task", str(pid), "children").read_text(encoding="utf-8").split()


async def _search(
    process: HallProcess, session: aiohttp.ClientSession, kiosk: dict[str, str], times: list[float], q: str
) -> None:
    started = time.monotonic()
    async with session.get(f"{process.api}/matters", params={"q": q, "limit": "5"}, headers=kiosk) as answer:
        answer.raise_for_status()
        await answer.read()
    times.append((time.monotonic() - started) * 1000)


async def _typed(
    process: HallProcess, session: aiohttp.ClientSession, kiosk: dict[str, str], times: list[float], keys: list[str]
) -> None:
    for key in keys:
        await _search(process, session, kiosk, times, key)


async def _longest(process: HallProcess, session: aiohttp.ClientSession, meanwhile: object) -> float:
    """The longest, in ms, that `/healthz` took while `meanwhile` went on."""
    work = asyncio.ensure_future(meanwhile)  # type: ignore[call-overload]
    longest = 0.0
    while not work.done():
        started = time.monotonic()
        async with session.get(f"{process.url}/healthz") as answer:
            await answer.read()
        longest = max(longest, (time.monotonic() - started) * 1000)
        await asyncio.sleep(TICK_S)
    await work
    return longest


async def main(arguments: list[str]) -> int:
    """A line of JSON a start, halls and checkouts in turn."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--against", type=Path, default=None, help="another checkout, started in turn with this one")
    parser.add_argument("--folder", type=Path, default=Path.home(), help="on the disk to measure")
    chosen = parser.parse_args(arguments)
    roots = {"this": ROOT} | ({"other": chosen.against} if chosen.against else {})
    for run in range(chosen.runs):
        for hall in (TOWNSHIP, DISTRICT):
            for name, root in roots.items():
                line = await measure(chosen.folder, hall, root)
                sys.stdout.write(json.dumps({"run": run, "checkout": name} | line) + "\n")
                sys.stdout.flush()
    return 0


if __name__ == "__main__":
    raise SystemExit(asyncio.run(main(sys.argv[1:])))
