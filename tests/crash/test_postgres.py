"""The real server on a real PostgreSQL: what it acknowledged is there after kill -9 (DESIGN 5)."""

import asyncio
import signal
from pathlib import Path

import pytest

from tests import postgres
from tests.crash.pages import post
from tests.e2e.living import until
from tests.hall_process import HallProcess, desk, open_hall


@pytest.mark.postgres
@pytest.mark.timeout(300)
async def test_yichuang_serve_on_postgresql_keeps_what_it_acknowledged(tmp_path: Path) -> None:
    """`yichuang serve --database postgresql://…`: tickets under load, kill -9, and every acknowledged number again."""
    with postgres.running() as server:
        hall = HallProcess(tmp_path, open_hall(tmp_path / "config"), database=server.fresh())
        await hall.start(timeout_s=120)
        async with desk(hall) as admin:
            kiosk = await admin.pair("kiosk", "kiosk-1")
            async with admin.session.get(f"{hall.api}/matters", params={"limit": "9"}, headers=kiosk) as answer:
                matter = next(hit["id"] for hit in (await answer.json())["hits"] if hit["kind"] == "matter")
            told: list[str] = []

            async def citizen() -> None:
                while True:
                    status, body = await post(admin, "tickets", kiosk, matters=[matter], paper=False)
                    assert status == 201, body
                    told.append(body["ticket"]["number"])

            crowd = [asyncio.create_task(citizen()) for _ in range(8)]
            await until(lambda: len(told) >= 100, 60, "a hundred tickets")
            await hall.kill(signal.SIGKILL)
            await asyncio.gather(*crowd, return_exceptions=True)
            await hall.start(timeout_s=120)
            params = {"limit": "200", "state": "waiting"}
            found: set[str] = set()
            for number in told:
                async with admin.session.get(f"{hall.api}/tickets", params={**params, "number": number}) as answer:
                    lines = (await answer.json())["tickets"]
                assert len(lines) == 1, number
                found.add(lines[0]["number"])
            assert found == set(told)
            assert len(told) == len(found)
        await hall.kill()
