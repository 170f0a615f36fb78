"""What became of a paper stands on its ticket and on its claim, with the state that stopped it (UX K-12, DESIGN law 7)."""

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from queue_server.wire.common import PrinterState
from tests.http.conftest import Site

STOPPED = [str(state) for state in PrinterState if state not in (PrinterState.OK, PrinterState.NEAR_END)]


async def _heard(socket: Any, kind: str) -> dict[str, Any]:
    while True:
        message: dict[str, Any] = await socket.receive_json(timeout=5)
        if message["type"] == kind:
            return message


@pytest.mark.parametrize("outcome", ["failed", "unknown"])
async def test_ux_k_12_the_claim_says_which_state_stopped_the_paper(site: Site, tmp_path: Path, outcome: str) -> None:
    """Jam, cover, paper out and the others; told twice it is recorded once, and nothing is sent again."""
    await site.sit(site.configuration.window[0].id)
    kiosk, token = await site.as_device("kiosk", "kiosk-1"), (await site.as_device("agent", "agent-1"))["Authorization"]
    where = f"{site.running.url}/api/v1/agent"
    async with site.session.ws_connect(where, headers={"Authorization": token}) as agent:
        await agent.send_json({"type": "hello", "agent": "agent-1", "build": "test"})
        await _heard(agent, "welcome")
        health = {"device": "printer-1", "state": "online", "last_seen_ms": 0, "last_error": "", "printer": "ok"}
        await agent.send_json({"type": "health", **health, "counters": {}})
        for state in STOPPED:
            taken = (await site.take(who=kiosk)).body
            while not taken["print_job"]:  # the printer has only just said that it is there
                taken = (await site.take(who=kiosk)).body
            job = (await _heard(agent, "print"))["job"]
            for _ in range(2):
                await agent.send_json({"type": "printed", "job": job, "outcome": outcome, "reason": state})
            await agent.send_json({"type": "health", **health, "counters": {"told": 1}})
            view = await _printed(site, taken["token"])
            assert view["ticket"]["print_state"] == outcome
            assert await _settled(tmp_path, job) == ("dropped" if outcome == "failed" else "unknown", state)
    kinds = [row.kind async for row in site.running.frame.store.read(site.hub.name)]
    assert kinds.count("PrintRecorded") == len(STOPPED)


async def _printed(site: Site, token: str) -> Any:
    """The ticket's own page once the printer has said what became of the paper."""
    while True:
        view = (await site.ask("GET", f"phone/{token}")).body
        if view["ticket"]["print_state"] != "claimed":
            return view


async def _settled(folder: Path, job: str) -> tuple[str, str]:
    """How its claim ended; it is settled after the ticket's event."""
    async with asyncio.timeout(20):
        while True:
            with sqlite3.connect(folder / "hall.db") as database:
                state, reason = database.execute("select state, reason from claims where id = ?", (job,)).fetchone()
            if state != "claimed":
                return state, reason
            await asyncio.sleep(0.02)
