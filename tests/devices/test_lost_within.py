"""How soon a device that stops answering is offline: no later than docs/devices/health.md says (issue 3, Health)."""

from __future__ import annotations

import re
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from devices.drivers.base import BusDriver
from devices.drivers.rating import NIGHT_MS, UNANSWERED
from devices.drivers.strip import Strip
from devices.framing.ff68 import Ff68Frame
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
