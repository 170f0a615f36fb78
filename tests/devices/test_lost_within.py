"""How soon a device that stops answering is offline: no later than docs/devices/health.md says (issue 3, Health)."""

from __future__ import annotations

import re
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from devices.drivers.base import BusDriver
from devices.drivers.strip import Strip
from devices.profiles import PROFILES
from devices.profiles.profile import NOBODY, Profile
from devices.protocols.base import Send
from queue_server.wire.agent import DeviceEntry
from queue_server.wire.common import DeviceState

PAGE = Path(__file__).resolve().parents[2] / "docs" / "devices" / "health.md"
BETWEEN_MS = 30_000
"""A strip that has just confirmed a text is asked again so much later (UX W-02)."""


def stated() -> dict[str, int]:
    """Seconds by profile, from the page."""
    rows = re.findall(r"^\| (`[^|]+) \| (\d+) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return {name: int(seconds) for names, seconds in rows for name in re.findall(r"`([^`]+)`", names)}


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


def lost_after_ms(profile: Profile, kind: str) -> int | None:
    """From the last thing that was told it until it is offline; None when it never is."""
    entry = DeviceEntry(
        id="d", kind=kind, url="memory://x", address=1, profile=profile.name, window="",
        levels={str(key): key + 1 for key in range(5)}, settings={},
    )  # fmt: skip
    driver, line = profile.make(entry, {}, NOBODY), SilentLine()
    driver.attach(line)

    def write() -> None:
        while line.waiting:
            driver.sent(line.waiting.pop(0), line.at_ms)

    driver.line_up(line.at_ms)
    write()
    if isinstance(driver, Strip):
        driver.show([[("A001", "red")]])
        write()
    began = line.at_ms
    while driver.health.state is not DeviceState.OFFLINE:
        due = driver.wake_at_ms
        if due is None or due - began > 600_000:
            return None
        line.at_ms = max(line.at_ms + 1, due)
        driver.wake(line.at_ms)
        write()
    return line.at_ms - began + BETWEEN_MS * (isinstance(driver, Strip) and profile.name != "bx")


CASES = [(profile, kind) for profile in PROFILES.values() for kind in sorted(profile.kinds) if kind not in ("printer",)]


@pytest.mark.parametrize(("profile", "kind"), CASES, ids=[f"{profile.name}-{kind}" for profile, kind in CASES])
def test_issue_3_a_loss_is_known_within_the_time_that_is_stated(profile: Profile, kind: str) -> None:
    measured, promised = lost_after_ms(profile, kind), stated().get(profile.name)
    assert (measured is None) == (promised is None), f"{profile.name}: measured {measured} ms, stated {promised} s"
    if measured is not None and promised is not None:
        assert measured <= promised * 1_000
