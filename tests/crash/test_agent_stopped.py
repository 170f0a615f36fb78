"""UX K-11: the real agent stops breathing without closing anything, as its PC does when it loses power."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from pathlib import Path

from tests.e2e.living import LivingHall, until

KNOWN_WITHIN_S = 10.0
"""The five seconds of UX K-11 are counted in pings by tests/http/test_agent_lost.py: here three processes share a machine that
may be slow. What else ends a silent connection takes twenty at least."""


def states(hall: LivingHall, device: str) -> list[str]:
    rows = hall.rows("select data from journal where kind = 'DeviceChanged' order by seq")
    return [each["state"] for (data,) in rows if (each := json.loads(data))["device"] == device]


def written(hall: LivingHall) -> int:
    """When the newest change of a device was, ms UTC by the server's clock."""
    ((at,),) = hall.rows("select max(at) from journal where kind = 'DeviceChanged'")
    return int(at)


async def test_ux_k_11_an_agent_that_stands_still_is_missed_within_5_s_and_one_that_stalls_for_2_s_is_not(
    tmp_path: Path,
) -> None:
    async with LivingHall(tmp_path) as hall:
        await hall.start_agent()
        assert hall.agent is not None
        before = len(states(hall, "printer-1"))
        await asyncio.sleep(1)
        hall.agent.send_signal(signal.SIGSTOP)
        await asyncio.sleep(2)
        hall.agent.send_signal(signal.SIGCONT)
        await asyncio.sleep(3)
        assert len(states(hall, "printer-1")) == before
        hall.agent.send_signal(signal.SIGSTOP)
        began = time.time()
        try:
            await until(lambda: states(hall, "printer-1")[before:] == ["offline"], 60, "the lost printer")
            assert written(hall) / 1000 - began < KNOWN_WITHIN_S
        finally:
            hall.agent.send_signal(signal.SIGCONT)
        await until(lambda: states(hall, "printer-1")[before:] == ["offline", "online"], 60, "its return")
