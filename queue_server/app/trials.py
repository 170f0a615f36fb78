"""Tests of devices that staff ask for: sent to who owns the device, and ended with what came of them."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

import msgspec

from queue_server.app.hub import Hub
from queue_server.app.pages import Pages
from queue_server.app.papers import Papers
from queue_server.app.printing import PrintJobs
from queue_server.app.speakers import zone_of
from queue_server.domain import commands as c
from queue_server.domain import events as e
from queue_server.domain.configuration import KIOSK_PAGE
from queue_server.domain.devices import SCREEN, TEST_LASTS_MS, ZONE
from queue_server.domain.model import Hall
from queue_server.wire.agent import TestDevice, Tested

PRESS_MS: Final = 30_000
"""How long a rating device that is tried waits for somebody's finger."""
LATE_S: Final = 42.0
"""Longer than any test takes; the rule gives one up a little later."""
SPOKEN: Final = "一二三四五六七八九零"
PAGES: Final = (SCREEN, KIOSK_PAGE)
NO_PAPER: Final = msgspec.Raw(b"null")

Send = Callable[[Hall, str, TestDevice], bool]
"""To the agent of a device; False when nobody is there to take it."""


class Zones(Protocol):
    """What speaks in the sound zones."""

    def busy(self, zone: str) -> bool: ...


@dataclass(slots=True)
class _Under:
    device: str
    deadline: float
    ended: Tested | None = None


class Trials:
    """At most one a device at a time; `send` hands one to its agent, `pages` to a screen; a zone's is said by the voice itself."""

    def __init__(self, hub: Hub, papers: Papers, send: Send, prints: PrintJobs, zones: Zones, pages: Pages) -> None:
        self._hub = hub
        self._papers = papers
        self._send = send
        self._prints = prints
        self._zones = zones
        self._pages = pages
        pages.tested = self.ended
        self._under: dict[str, _Under] = {}

    def asking(self, name: str, device: str) -> Callable[[Hall], c.TestDevice]:
        """The command, made in the moment of its decision: a citizen's paper or call that lies before it is known then."""

        def command(hall: Hall) -> c.TestDevice:
            if device.startswith(PAGES):
                return c.TestDevice(id=name, device=device, busy=self._pages.needed(hall, device))
            entry = hall.catalogue.devices.get(device)
            zone = zone_of(entry) if entry is not None else ""
            if device.startswith(ZONE):
                zone = device.removeprefix(ZONE)
            return c.TestDevice(
                id=name, device=device, busy=self._prints.busy(device) or (bool(zone) and self._zones.busy(zone))
            )

        return command

    def begin(self, hall: Hall, event: e.DeviceTestAsked) -> None:
        """A committed wish goes out; a zone's the voice hears of by itself."""
        self._under[event.id] = _Under(event.device, asyncio.get_running_loop().time() + LATE_S)
        if event.device.startswith(ZONE):
            return
        on_page = event.device.startswith(PAGES)
        taken = self._pages.show(hall, event) if on_page else self._send(hall, event.device, self._message(hall, event))
        if not taken:
            self.ended(Tested(id=event.id, device=event.device, outcome="unconnected", reason=""))

    def _message(self, hall: Hall, event: e.DeviceTestAsked) -> TestDevice:
        entry = hall.catalogue.devices[event.device]
        window = hall.catalogue.windows.get(entry.window)
        plate = (window.plate or window.id) if window is not None else ""
        text = (
            SPOKEN if event.test == "speak" else " ".join(filter(None, ("测试", f"{plate}号" if plate else "", "TEST")))
        )
        paper = msgspec.Raw(self._papers.test(hall, event.device)) if event.test == "print" else NO_PAPER
        return TestDevice(
            epoch=self._hub.lease.epoch, id=event.id, device=event.device, text=text, paper=paper, for_ms=PRESS_MS
        )

    def ended(self, tested: Tested) -> None:
        """What an agent or the voice says of a test; told to the hall by `record`."""
        under = self._under.get(tested.id)
        if under is not None and under.device == tested.device and under.ended is None:
            under.ended = tested

    async def _give_up(self) -> None:
        """A test that was under way when a process died: nobody knows what came of it."""
        now = self._hub.clock.now()

        def look(hall: Hall) -> list[tuple[str, str]]:
            tests = hall.tests.items()
            return [
                (device, test.id)
                for device, test in tests
                if not test.outcome and test.id not in self._under and now - test.at >= TEST_LASTS_MS
            ]

        for device, name in await self._hub.read(look):
            command = c.EndDeviceTest(id=name, device=device, outcome="unknown", reason="restart")
            await self._hub.tell(command, "restart")

    async def record(self, time: float) -> None:
        """Ends become events; who has not answered by `time` (the loop's, s) is unknown. Unavailable: later."""
        await self._give_up()
        for name, under in list(self._under.items()):
            if under.ended is None and time > under.deadline:
                under.ended = Tested(id=name, device=under.device, outcome="unknown", reason="no answer")
            if (tested := under.ended) is None:
                continue
            command = c.EndDeviceTest(id=name, device=tested.device, outcome=tested.outcome, reason=tested.reason[:200])
            await self._hub.tell(command, f"device:{tested.device}")
            self._pages.forget(name)
            del self._under[name]
