"""kill -9 at any moment under load: what was acknowledged is there once, what is asked again answers the same.

`python -m tests.crash.kill --rounds 100` runs it on its own and prints the figures.
"""

import argparse
import asyncio
import contextlib
import json
import random
import sqlite3
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from tests.hall_process import HallProcess, desk, open_hall

WRITERS = 16


@dataclass
class Tally:
    """What the citizens were told, and what the rounds showed."""

    acknowledged: dict[str, tuple[str, str]] = field(default_factory=dict)
    repeated: int = 0
    rounds: int = 0
    ready_s: list[float] = field(default_factory=list)
    screen_s: list[float] = field(default_factory=list)


async def take(session: aiohttp.ClientSession, hall: HallProcess, kiosk: dict[str, str], key: str, matter: str) -> Any:
    headers = {**kiosk, "Idempotency-Key": key}
    async with session.post(f"{hall.api}/tickets", json={"matters": [matter]}, headers=headers) as answer:
        return answer.status, await answer.json()


async def _citizen(hall: HallProcess, kiosk: dict[str, str], name: str, matter: str, tally: Tally) -> None:
    """Takes number after number until the server is gone."""
    async with aiohttp.ClientSession() as session:
        for count in range(100_000):
            key = f"{name}-{count}"
            try:
                status, body = await take(session, hall, kiosk, key, matter)
            except (TimeoutError, aiohttp.ClientError, OSError):
                return
            if status == 201:
                tally.acknowledged[key] = (body["ticket"]["id"], body["ticket"]["number"])


async def _screen_is_right(hall: HallProcess, screen: dict[str, str], waiting: int) -> float:
    """Seconds from now until a hall display that reconnects shows a snapshot of this start."""
    began = time.monotonic()
    async with aiohttp.ClientSession() as session, session.ws_connect(f"{hall.url}/api/v1/live") as socket:
        await socket.send_json({"type": "hello", "token": screen["Authorization"].removeprefix("Bearer ")})
        await socket.send_json({"type": "subscribe", "view": "hall", "of": ""})
        while True:
            message = json.loads((await asyncio.wait_for(socket.receive(), 10)).data)
            if message["type"] == "snapshot":
                assert set(message["documents"]) >= {"hall", "calls", "recent"}
                return time.monotonic() - began


async def _ask_again(hall: HallProcess, kiosk: dict[str, str], matter: str, tally: Tally, sample: list[str]) -> None:
    """The same key, the same answer: nothing is issued twice."""
    async with aiohttp.ClientSession() as session:
        for key in sample:
            status, body = await take(session, hall, kiosk, key, matter)
            assert status == 201, (key, status, body)
            assert (body["ticket"]["id"], body["ticket"]["number"]) == tally.acknowledged[key]
            tally.repeated += 1


def _check_tables(path: Path, tally: Tally) -> None:
    """Every acknowledged ticket is stored with its number, and no number is there twice."""
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        stored = dict(database.execute("select id, number from tickets"))
        numbers = [number for (number,) in database.execute("select number from tickets")]
        seqs = [seq for (seq,) in database.execute("select seq from journal order by seq")]
    assert len(numbers) == len(set(numbers)), "a number was issued twice"
    assert seqs == list(range(1, len(seqs) + 1)), "the journal has a gap"
    for name, number in tally.acknowledged.values():
        assert stored.get(name) == number, f"{number} was acknowledged and is not there"


async def rounds(folder: Path, count: int, seed: int = 1) -> Tally:
    """Kill the server `count` times at random moments under load; AssertionError when anything was lost or doubled."""
    dice, tally = random.Random(seed), Tally()
    hall = HallProcess(folder, open_hall(folder / "config"))
    await hall.start()
    async with desk(hall) as admin:
        kiosk, screen = await admin.pair("kiosk", "kiosk-1"), await admin.pair("hall")
        async with admin.session.get(f"{hall.api}/matters", params={"limit": "1"}, headers=kiosk) as answer:
            matter = (await answer.json())["hits"][0]["id"]
    try:
        for number in range(count):
            names = (f"r{number}c{each}" for each in range(WRITERS))
            citizens = [asyncio.create_task(_citizen(hall, kiosk, name, matter, tally)) for name in names]
            await asyncio.sleep(dice.uniform(0.02, 0.6))
            await hall.kill()
            await asyncio.gather(*citizens)
            began = time.monotonic()
            await hall.start()
            tally.ready_s.append(time.monotonic() - began)
            tally.screen_s.append(await _screen_is_right(hall, screen, len(tally.acknowledged)))
            mine = [key for key in tally.acknowledged if key.startswith(f"r{number}c")]
            await _ask_again(hall, kiosk, matter, tally, dice.sample(mine, min(5, len(mine))))
            _check_tables(hall.sqlite, tally)
            tally.rounds += 1
    finally:
        await hall.kill()
    return tally


def main() -> int:
    parser = argparse.ArgumentParser(description="Kill the server again and again under load.")
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        tally = asyncio.run(rounds(Path(folder), arguments.rounds, arguments.seed))
    figures = {
        "rounds": tally.rounds,
        "acknowledged": len(tally.acknowledged),
        "asked_again": tally.repeated,
        "ready_s_max": round(max(tally.ready_s), 2),
        "screen_s_max": round(max(tally.screen_s), 3),
    }
    sys.stdout.write(json.dumps(figures) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
