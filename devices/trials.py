"""Tests that the manager's page asks for: done beside the hall's work and never in its way, and what came of each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from devices.drivers.base import AnyDriver
from devices.drivers.keypad import Keypad
from devices.drivers.rating import RatingPad
from devices.drivers.speaker import Speaker
from devices.drivers.strip import Strip
from devices.lines import Lines
from devices.mistakes import CELLS, Mistakes
from devices.patterns import TEXT, show_pattern
from devices.profiles import find_profile
from devices.profiles.profile import Printer
from devices.profiles.voicewords import tokens_of
from queue_server.wire.agent import TestDevice, Tested
from queue_server.wire.common import DeviceState

ANSWER_S: Final = 4.0
"""A device that answers at all has answered by then: strips repeat a text for no longer."""
PATTERN_S: Final = 8.0
"""So long a pattern stands, unless the hall has something to show."""
SPEAK_MS: Final = 10_000
PRINT_MS: Final = 10_000
VOLUME: Final = 80

Outcome = tuple[str, str]
"""done, sent, silent, unconnected, busy, failed or unknown; and the reason, or the level that was pressed."""


class Trials:
    """`again` shows a strip or board what the hall last said to it, and tells what breaks; `mistakes` is told of a keypad's."""

    def __init__(self, again: Callable[[str], None], mistakes: Mistakes) -> None:
        self._again = again
        self._mistakes = mistakes
        self._standing: dict[str, asyncio.TimerHandle] = {}
        """The patterns that stand now, by device, and what will end each."""
        self._rated: dict[str, asyncio.Future[Outcome]] = {}

    def pressed(self, device: str, level: int) -> bool:
        """Whether a press answers a test: then it is nobody's rating, and is not stored."""
        waiting = self._rated.get(device)
        if waiting is None or waiting.done():
            return False
        waiting.set_result(("done", str(level)))
        return True

    def invited(self, device: str) -> None:
        """A citizen is asked now: the next press is theirs."""
        waiting = self._rated.get(device)
        if waiting is not None and not waiting.done():
            waiting.set_result(("busy", ""))

    async def carry_out(self, message: TestDevice, lines: Lines) -> Tested:
        """One test, to its end."""
        outcome, reason = await self._try(message, lines)
        return Tested(id=message.id, device=message.device, outcome=outcome, reason=reason)

    async def _try(self, message: TestDevice, lines: Lines) -> Outcome:
        if reason := lines.wrong.get(message.device):
            return "failed", reason
        if (printer := lines.printer(message.device)) is not None:
            return await _print(printer, bytes(message.paper))
        driver = lines.driver(message.device)
        if driver is None:
            return "unconnected", ""
        if driver.health.state is DeviceState.OFFLINE:
            return _away(driver)
        entry = lines.entries[message.device]
        profile = find_profile(entry.kind, entry.profile)
        if isinstance(driver, Speaker):
            return await _speak(driver, message.text)
        if isinstance(driver, RatingPad):
            show_pattern(profile, driver, invite_ms=message.for_ms)
            return await self._wait_for_press(driver, message.for_ms)
        if (earlier := self._standing.pop(driver.device, None)) is not None:
            earlier.cancel()
            if isinstance(driver, Strip):
                self._again(driver.device)  # a strip is sent no text that it shows already, and would not be tried
        frames, unheard = driver.health.counters["frames"], driver.health.counters["unacknowledged"]
        show_pattern(profile, driver, message.text or TEXT)
        times = driver.times_shown if isinstance(driver, Keypad) else 0
        # The outcome is told as soon as it is known, and the pattern stands on.
        self._standing[driver.device] = asyncio.get_running_loop().call_later(
            PATTERN_S, self._end_pattern, driver, times
        )
        return await _answered(driver, frames, unheard)

    def _end_pattern(self, driver: AnyDriver, times: int) -> None:
        del self._standing[driver.device]
        if isinstance(driver, Strip):
            self._again(driver.device)
        elif isinstance(driver, Keypad) and driver.times_shown == times and driver.line_is_up:
            with self._mistakes.end(driver.device, CELLS):
                driver.show("")  # nobody has called since

    async def _wait_for_press(self, pad: RatingPad, for_ms: int) -> Outcome:
        waiting: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._rated[pad.device] = waiting
        try:
            async with asyncio.timeout(for_ms / 1000):
                return await waiting
        except TimeoutError:
            return _away(pad) if pad.health.state is DeviceState.OFFLINE else ("sent", "")
        finally:
            if self._rated.get(pad.device) is waiting:
                del self._rated[pad.device]


def _away(driver: AnyDriver) -> Outcome:
    """A line that is closed has no device on it; on one that is open it does not answer."""
    return ("silent" if driver.line_is_up else "unconnected"), driver.health.last_error


async def _print(printer: Printer, paper: bytes) -> Outcome:
    if printer.busy:
        return "busy", ""
    if printer.health.state is DeviceState.OFFLINE:
        return "unconnected", printer.health.last_error
    outcome, reason = await printer.print(paper, PRINT_MS)
    return ("done" if outcome == "printed" else outcome), reason


async def _speak(speaker: Speaker, text: str) -> Outcome:
    if speaker.talk.busy:
        return "busy", ""
    outcome, reason = await speaker.say(tokens_of(text or TEXT), VOLUME, SPEAK_MS)
    return ("done" if outcome == "spoken" else outcome), reason


async def _answered(driver: AnyDriver, frames: int, unheard: int) -> Outcome:
    """Whether the device said something after it was shown something; `sent` when it neither did nor had to."""
    deadline = asyncio.get_running_loop().time() + ANSWER_S
    while asyncio.get_running_loop().time() < deadline:
        await asyncio.sleep(0.05)
        if not driver.line_is_up:
            return _away(driver)
        if driver.health.counters["frames"] > frames:
            return "done", ""
        if driver.health.counters["unacknowledged"] > unheard:
            return "silent", driver.health.last_error
    return "sent", ""
