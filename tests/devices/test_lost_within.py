"""How soon a device that stops answering is offline: no later than docs/devices/health.md says (issue 3, Health)."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.devices.every import ROWS
from tests.devices.hall import own_time
from tests.devices.stage import Stage

PAGE = Path(__file__).resolve().parents[2] / "docs" / "devices" / "health.md"
PRINTER = re.compile(r"^\| a ticket printer [^|]*\| (\d+) s \|", re.MULTILINE)
ROW = re.compile(r"^\| (`[^|]+) \| (\d+) \|$", re.MULTILINE)
PHASES = (0, 0.27, 0.52, 0.77, 0.98)
"""Parts of the stated time: so long after it was heard the device stops."""


def stated() -> dict[str, int]:
    """Seconds by profile, from the page."""
    page = PAGE.read_text(encoding="utf-8")
    (printer,) = PRINTER.findall(page)
    rows = {name: int(seconds) for names, seconds in ROW.findall(page) for name in re.findall(r"`([^`]+)`", names)}
    return rows | {"escpos": int(printer)}


async def _show_pages(stage: Stage, n: int) -> None:
    stage.driver.show([[(f"A{page:03}", "red")] for page in range(3)])


PAGING = {f"{name}, pages": replace(ROWS[name], use=_show_pages) for name in ("bx", "a090", "led-485")}
CASES = ROWS | PAGING


def test_issue_3_every_time_that_is_stated_is_tried_here() -> None:
    """A tablet behind TCP is asked as one behind UDP is."""
    times = stated()
    assert times.pop("tablet-s-tcp") == times["tablet-s-udp"]
    assert times.keys() == {row.profile for row in ROWS.values()} & times.keys()


async def _lost_after_s(stage: Stage, phase_s: float, limit_s: float) -> float | None:
    """From when it falls silent, in order until then, until that is told; None when that is not within the limit."""
    loop = asyncio.get_running_loop()
    await stage.is_well()
    await asyncio.sleep(phase_s)
    await stage.is_well()
    began_s = loop.time()
    stage.go_silent(True)
    try:
        async with asyncio.timeout(limit_s):
            while stage.driver.health.state != (stage.row.silent or "offline"):  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.1)
    except TimeoutError:
        return None
    finally:
        stage.go_silent(False)
    return loop.time() - began_s


@pytest.mark.parametrize("name", CASES)
async def test_issue_3_a_loss_is_known_within_the_time_that_is_stated(name: str) -> None:
    """From a device in order, whenever it falls silent: while it waits, and in the middle of what it is asked."""
    row = CASES[name]
    promised = stated().get(row.profile)
    with own_time():
        stage = Stage(row)
        async with stage.running():
            await row.use(stage, 1)
            phases = PHASES if promised else PHASES[:1]
            taken = [await _lost_after_s(stage, phase * (promised or 0), 2 * (promised or 100)) for phase in phases]
    if promised is None:
        assert taken == [None]
    else:
        assert all(each is not None and each <= promised for each in taken), taken
