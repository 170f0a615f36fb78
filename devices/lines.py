"""The lines that run at this agent: exactly those of the latest device map."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from devices.devicemap import Calls, Device, Printer, make_bus, plan
from devices.drivers.base import AnyDriver
from devices.drivers.health import Health
from devices.mistakes import reason_of, what_and_where
from queue_server.wire.agent import DeviceEntry
from queue_server.wire.common import DeviceState

RETRY_S: Final = 5.0
"""A line that ended by a mistake of the program is begun again after this time: the longest that a lost port waits for."""

_log = structlog.get_logger("devices.lines")


@dataclass(frozen=True, slots=True)
class _Line:
    """A running line: a bus with its drivers, or a printer."""

    entries: tuple[DeviceEntry, ...]
    task: asyncio.Task[None]
    drivers: dict[str, AnyDriver]
    printer: Printer | None = None


class Lines:
    """Starts and stops lines under `group`."""

    def __init__(self, group: asyncio.TaskGroup, calls: Calls) -> None:
        self._group = group
        self._calls = calls
        self._lines: dict[str, _Line] = {}
        self.entries: dict[str, DeviceEntry] = {}
        self.wrong: dict[str, str] = {}
        """Devices that the map gives us and that cannot run, with the reason."""

    @property
    def drivers(self) -> list[AnyDriver]:
        """Every device on a bus."""
        return [driver for line in self._lines.values() for driver in line.drivers.values()]

    @property
    def printers(self) -> list[Printer]:
        """Every ticket printer."""
        return [line.printer for line in self._lines.values() if line.printer is not None]

    def driver(self, device: str) -> AnyDriver | None:
        """The device on a bus with this id."""
        return next((line.drivers[device] for line in self._lines.values() if device in line.drivers), None)

    def printer(self, device: str) -> Printer | None:
        """The printer with this id."""
        return next((printer for printer in self.printers if printer.device == device), None)

    def health(self, device: str) -> Health | None:
        """How the device with this id is, on a bus or a printer."""
        found = self.driver(device) or self.printer(device)
        return None if found is None else found.health

    async def apply(self, devices: Sequence[DeviceEntry]) -> None:
        """Run exactly the lines of this map; a line whose entries did not change is not touched."""
        # In a thread: a panel of dots makes Pillow look for fonts and read them, and keypads share this loop.
        new = await asyncio.to_thread(plan, devices)
        for url, line in list(self._lines.items()):
            if new.lines.get(url) != line.entries:
                del self._lines[url]
                line.task.cancel()
                await asyncio.wait((line.task,))  # a port must be given back before it is opened again
        self.wrong = new.wrong
        self.entries = {entry.id: entry for entries in new.lines.values() for entry in entries}
        for url, entries in new.lines.items():
            if url not in self._lines:
                self._start(url, entries)
        for device, reason in self.wrong.items():
            _log.error("device_map_wrong", device=device, error=reason)

    def _start(self, url: str, entries: tuple[DeviceEntry, ...]) -> None:
        if entries[0].kind == "printer":
            try:
                printer = self._calls.printer(entries[0], self._calls.health_changed)
            except ValueError as error:
                self.wrong[entries[0].id] = str(error)
                return
            except Exception as error:
                self.wrong[entries[0].id] = reason_of(error)
                return
            task = self._group.create_task(_kept(url, printer.run, [printer]))
            self._lines[url] = _Line(entries, task, {}, printer)
            return
        bus = make_bus(entries, self._calls)
        task = self._group.create_task(_kept(url, bus.run, bus.drivers))
        self._lines[url] = _Line(entries, task, {driver.device: driver for driver in bus.drivers})


async def _kept(url: str, run: Callable[[], Awaitable[None]], devices: Sequence[Device]) -> None:
    """Run a line until cancelled. What nobody foresaw ends this life of it and no other line's, and is logged when it is new."""
    said = ""
    while True:
        try:
            await run()
        except Exception as error:
            reason, way = what_and_where(error)
            if reason != said:
                said = reason
                _log.error("line_broken", line=url, error=reason, way=way)
            for device in devices:
                device.health.become(DeviceState.OFFLINE, reason)
            await asyncio.sleep(RETRY_S)
