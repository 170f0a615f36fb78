"""A disk that fills up under load: refused with 503, nothing half-written, and with room again the hall goes on by itself."""

import asyncio
import contextlib
import os
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from tests.crash.pages import Page, post
from tests.hall_process import Desk, HallProcess, desk, hall_process, open_hall

BALLAST = 1_200_000


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("only root may mount the small disk this test fills: it did NOT run")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


class Load:
    """Citizens who keep tapping; what each tap was answered."""

    def __init__(self, admin: Desk, kiosk: dict[str, str], matter: str) -> None:
        self.admin, self.kiosk, self.matter = admin, kiosk, matter
        self.acknowledged: dict[str, str] = {}
        self.refused: list[tuple[int, str]] = []
        self.full = asyncio.Event()
        self.full_keys: list[str] = []

    async def tap(self, session: aiohttp.ClientSession, key: str) -> int:
        headers = {**self.kiosk, "Idempotency-Key": key}
        body = {"matters": [self.matter]}
        async with session.post(f"{self.admin.hall.api}/tickets", json=body, headers=headers) as answer:
            said = await answer.json()
            if answer.status == 201:
                assert self.acknowledged.setdefault(key, said["ticket"]["number"]) == said["ticket"]["number"]
            else:
                self.refused.append((answer.status, said["code"]))
                self.full_keys.append(key)
                if len(self.refused) >= 40:
                    self.full.set()
            return answer.status

    async def citizen(self, name: str) -> None:
        async with aiohttp.ClientSession() as session:
            count = 0
            while not self.full.is_set():
                await self.tap(session, f"{name}-{count}")
                count += 1


def _check(hall: HallProcess, load: Load) -> None:
    with contextlib.closing(sqlite3.connect(f"file:{hall.sqlite}?mode=ro", uri=True)) as database:
        numbers = [number for (number,) in database.execute("select number from tickets")]
        seqs = [seq for (seq,) in database.execute("select seq from journal order by seq")]
        keys = {key for (key,) in database.execute("select key from receipts")}
        issued = database.execute("select count(*) from journal where kind = 'TicketIssued'").fetchone()[0]
        assert database.execute("pragma integrity_check").fetchone() == ("ok",)
    assert len(numbers) == len(set(numbers)) == issued, "a ticket without its event, or the other way round"
    assert seqs == list(range(1, len(seqs) + 1))
    assert set(load.acknowledged.values()) <= set(numbers), "acknowledged and not there"
    assert set(load.acknowledged) <= keys
    assert len(numbers) == len(load.acknowledged), "a refused tap left a ticket behind"


@pytest.mark.root
async def test_a_hall_whose_disk_fills_up_refuses_and_goes_on_when_there_is_room(
    tmp_path: Path, small_disk: Path
) -> None:
    """DESIGN 7, laws 1 and 6, on a real full file system."""
    ballast = small_disk / "ballast"
    hall_file = open_hall(tmp_path / "config")
    async with hall_process(small_disk, hall_file) as hall, desk(hall) as admin:
        kiosk = await admin.pair("kiosk", "kiosk-1")
        async with admin.session.get(f"{hall.api}/matters", params={"limit": "1"}, headers=kiosk) as answer:
            matter = (await answer.json())["hits"][0]["id"]
        load = Load(admin, kiosk, matter)
        ballast.write_bytes(bytes(BALLAST))
        async with Page(admin, session=admin.session) as page:
            await page.subscribe("guide")
            async with asyncio.timeout(60):
                await asyncio.gather(*(load.citizen(f"c{number}") for number in range(8)))
            assert load.acknowledged
            assert set(load.refused) == {(503, "unavailable")}
            await asyncio.sleep(7)  # longer than a lease: what keeps it also needs the disk
            status, _ = await post(admin, "day/open")
            assert status in (200, 503), "a small one may fit into the log that was folded back"
            async with admin.session.get(f"{hall.url}/healthz") as answer:
                assert answer.status == 200
            assert not page.socket.closed, "screens stay connected"
            assert hall.process is not None
            assert hall.process.returncode is None
            ballast.unlink()
            async with aiohttp.ClientSession() as session, asyncio.timeout(15):
                while await load.tap(session, load.full_keys[0]) != 201:  # noqa: ASYNC110 -- a tap is no event
                    await asyncio.sleep(0.2)
                for key in load.full_keys[1:10]:
                    assert await load.tap(session, key) == 201
            assert (await post(admin, "day/open"))[0] == 200
            await page.until(lambda: page.documents["guide", "", "hall"]["state"] == "open")
        _check(hall, load)
        await hall.kill()
        await hall.start()
        _check(hall, load)
        assert not any("Traceback" in line for line in hall.log), hall.log[-5:]
