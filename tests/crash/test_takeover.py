"""A process that was stopped while another took over does nothing when it wakes (DESIGN law 4)."""

import asyncio
import contextlib
import signal
import sqlite3
from pathlib import Path

import aiohttp

from tests.hall_process import HallProcess, desk, open_hall


async def _matter(hall: HallProcess, session: aiohttp.ClientSession, kiosk: dict[str, str]) -> str:
    async with session.get(f"{hall.api}/matters", params={"limit": "1"}, headers=kiosk) as answer:
        return str((await answer.json())["hits"][0]["id"])


async def _take(hall: HallProcess, session: aiohttp.ClientSession, kiosk: dict[str, str], key: str, matter: str) -> int:
    headers = {**kiosk, "Idempotency-Key": key}
    async with session.post(f"{hall.api}/tickets", json={"matters": [matter]}, headers=headers) as answer:
        return answer.status


async def test_a_process_that_slept_through_a_takeover_writes_and_says_nothing(tmp_path: Path) -> None:
    hall = open_hall(tmp_path / "config")
    first, second = HallProcess(tmp_path, hall), HallProcess(tmp_path, hall)
    await first.start()
    async with desk(first) as admin, aiohttp.ClientSession() as session:
        kiosk, screen = await admin.pair("kiosk", "kiosk-1"), await admin.pair("hall")
        matter = await _matter(first, session, kiosk)
        assert await _take(first, session, kiosk, "before", matter) == 201
        socket = await session.ws_connect(f"{first.url}/api/v1/live", autoping=False)  # nobody answers who has ended
        await socket.send_json({"type": "hello", "token": screen["Authorization"].removeprefix("Bearer ")})
        assert first.process is not None
        first.process.send_signal(signal.SIGSTOP)
        await second.start()
        for number in range(5):
            assert await _take(second, session, kiosk, f"during-{number}", matter) == 201
        first.process.send_signal(signal.SIGCONT)
        with contextlib.suppress(aiohttp.ClientError):
            assert await _take(first, session, kiosk, "after", matter) == 503
        code = await asyncio.wait_for(first.process.wait(), 15)
        assert code == 1, "a fenced process ends and says why"
        assert any("stopped" in line for line in first.log)
        assert await _take(second, session, kiosk, "later", matter) == 201
        heard = []
        with contextlib.suppress(TimeoutError):
            while True:
                message = await asyncio.wait_for(socket.receive(), 0.5)
                if message.type is aiohttp.WSMsgType.TEXT:
                    heard.append(message.json())
                elif message.type is not aiohttp.WSMsgType.PING:
                    break
        assert all(each["type"] != "play" for each in heard)
    await second.kill()
    with contextlib.closing(sqlite3.connect(second.sqlite)) as database:
        epochs = [epoch for (epoch,) in database.execute("select epoch from journal order by seq")]
        issued = database.execute("select count(*), count(distinct number) from tickets").fetchone()
    assert epochs == sorted(epochs), "the sleeper wrote after the takeover"
    assert issued == (7, 7)
