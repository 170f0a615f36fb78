"""How soon a device that stops answering is offline: no later than docs/devices/health.md says (issue 3, Health)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from devices.drivers.base import BusDriver
from devices.drivers.rating import NIGHT_MS, UNANSWERED
from devices.framing.ff68 import Ff68Frame
from devices.profiles import PROFILES
from devices.profiles.profile import NOBODY
from devices.protocols.base import Send
from queue_server.wire.agent import DeviceEntry
from queue_server.wire.common import DeviceState
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


PRESSED = Ff68Frame(0x87, 0x11, b"\x03")


class SilentLine:
    """An open line on which nobody answers, and whose clock the test turns."""

    up = True

    def __init__(self) -> None:
        self.at_ms = 1_000
        self.waiting: list[Send[Any]] = []

    def send(self, driver: BusDriver[Any], send: Send[Any]) -> None:
        self.waiting.append(send)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        work.close()

    def now_ms(self) -> int:
        return self.at_ms

    def reschedule(self) -> None:
        return

    @property
    def noise(self) -> dict[str, int]:
        return {}


def rating_device(profile: str) -> tuple[Any, SilentLine]:
    """On an open line, not heard yet."""
    entry = DeviceEntry(
        id="d", kind="rating_pad", url="memory://x", address=0x87, profile=profile, window="", levels={"3": 4}, settings={}
    )  # fmt: skip
    pad, line = PROFILES[profile].make(entry, {}, NOBODY), SilentLine()
    pad.attach(line)
    pad.line_up(line.at_ms)
    return pad, line


def test_rules_37_a_rating_device_that_nobody_answers_on_is_unknown_again() -> None:
    """HARDWARE 1.1: FF68 has no sign of life, so one that was unplugged from a live bus looks as one that nobody presses."""
    pad, line = rating_device("ff68-a")
    for _ in range(2):
        pad.receive(PRESSED, line.at_ms)
        for _ in range(UNANSWERED):
            pad.invite(30_000)
            assert pad.health.state is DeviceState.ONLINE
        pad.invite(30_000)
        assert pad.health.state is DeviceState.UNKNOWN
        assert pad.wake_at_ms is None
        line.at_ms += 60_000
    pad.receive(PRESSED, line.at_ms)
    pad.line_down("unplugged")
    assert (pad.wake_at_ms, pad.health.state) == (None, DeviceState.OFFLINE)


def test_rules_37_yesterdays_press_says_nothing_of_today() -> None:
    pad, line = rating_device("ff68-a")
    pad.receive(PRESSED, line.at_ms)
    assert pad.wake_at_ms == line.at_ms + NIGHT_MS
    line.at_ms += NIGHT_MS
    pad.wake(line.at_ms)
    assert (pad.health.state, pad.wake_at_ms) == (DeviceState.UNKNOWN, None)


def test_rules_37_a_tablet_whose_line_is_its_sign_of_life_is_not_doubted() -> None:
    pad, _ = rating_device("tablet-json")
    pad.health.become(DeviceState.ONLINE)
    for _ in range(UNANSWERED + 1):
        pad.invite(30_000)
    assert (pad.health.state, pad.wake_at_ms) == (DeviceState.ONLINE, None)
