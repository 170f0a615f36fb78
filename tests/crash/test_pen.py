"""kill -9 of the process that writes to SQLite, under load: the server stays, and each key becomes one ticket."""

import asyncio
import contextlib
import os
import random
import signal
import sqlite3
from pathlib import Path

import aiohttp
import pytest

from tests.crash.kill import take
from tests.hall_process import HallProcess, desk, hall_process, open_hall
from tests.store.test_writing import pens

KILLS = 8


async def _insists(hall: HallProcess, kiosk: dict[str, str], name: str, matter: str, told: dict[str, str]) -> None:
    """Takes number after number until cancelled, with the same key until there is a ticket."""
    async with aiohttp.ClientSession() as session:
        for count in range(100_000):
            status, body = 0, {}
            while status != 201:
                status, body = await take(session, hall, kiosk, f"{name}-{count}", matter)
                assert status in (201, 503), body
            told[f"{name}-{count}"] = body["ticket"]["number"]


@pytest.mark.timeout(180)
async def test_laws_1_and_6_hold_when_the_process_that_writes_is_killed(tmp_path: Path) -> None:
    told: dict[str, str] = {}
    dice = random.Random(3)
    async with hall_process(tmp_path, open_hall(tmp_path / "config")) as hall, desk(hall) as admin:
        kiosk = await admin.pair("kiosk", "kiosk-1")
        async with admin.session.get(f"{hall.api}/matters", params={"limit": "1"}, headers=kiosk) as answer:
            matter = (await answer.json())["hits"][0]["id"]
        async with asyncio.timeout(120):
            citizens = [asyncio.create_task(_insists(hall, kiosk, f"c{n}", matter, told)) for n in range(8)]
            killed = set[int]()
            while len(killed) < KILLS:
                await asyncio.sleep(dice.uniform(0.1, 0.6))
                for pen in set(pens(hall.sqlite)) - killed:
                    os.kill(pen, signal.SIGKILL)
                    killed.add(pen)
                assert not any(citizen.done() for citizen in citizens)
            before = len(told)
            while len(told) < before + 50:  # noqa: ASYNC110 -- it goes on, with another
                await asyncio.sleep(0.05)
        for citizen in citizens:
            citizen.cancel()
        await asyncio.gather(*citizens, return_exceptions=True)
        assert hall.process is not None
        assert hall.process.returncode is None
        assert sum("batch thrown away" in line for line in hall.log) >= 1, "one died with a batch in hand"
        await hall.kill()
        with contextlib.closing(sqlite3.connect(f"file:{hall.sqlite}?mode=ro", uri=True)) as database:
            numbers = [number for (number,) in database.execute("select number from tickets")]
            keys = dict(database.execute("select key, count(*) from receipts group by key"))
            seqs = [seq for (seq,) in database.execute("select seq from journal order by seq")]
    assert len(numbers) == len(set(numbers))
    assert set(told.values()) <= set(numbers)
    assert len(told) == len(set(told.values())), "two taps were told one number"
    assert {key: keys.get(key) for key in told} == dict.fromkeys(told, 1)
    assert seqs == list(range(1, len(seqs) + 1))
