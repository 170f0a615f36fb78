"""What the server is told of the devices' health: what changed and held, and all of it every now and then."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from devices.devicemap import Device
from devices.drivers.base import BusDriver
from queue_server.wire.agent import DeviceHealth


class Healths:
    """`devices` are those of the present map; `tell` drops what no server is there to hear, and `tell_all` tells it anew."""

    def __init__(self, devices: Callable[[], list[Device]], tell: Callable[[DeviceHealth], object]) -> None:
        self._devices = devices
        self._tell = tell
        self._settling: dict[str, asyncio.TimerHandle] = {}

    def changed(self, device: Device) -> None:
        """It may be in another state: told at once, or when it has held (docs/devices/health.md)."""
        if self._settle(device):
            self._tell(self._of(device))

    def tell_all(self) -> None:
        """Every device as it was told last, with what was seen and counted since."""
        for device in self._devices():
            self._settle(device)
            self._tell(self._of(device))

    def _settle(self, device: Device) -> bool:
        loop, health = asyncio.get_running_loop(), device.health
        told = health.settle(None if isinstance(device, BusDriver) else device.printer_state, _now_ms())
        if (waiting := self._settling.pop(device.device, None)) is not None:
            waiting.cancel()
        if health.settles_at_ms is not None:
            self._settling[device.device] = loop.call_at(health.settles_at_ms / 1000, self._settled, device)
        return told

    def _settled(self, device: Device) -> None:
        del self._settling[device.device]
        if device in self._devices():  # and not one of a map that is gone
            self.changed(device)

    def _of(self, device: Device) -> DeviceHealth:
        health = device.health
        assert health.told is not None
        state, printer = health.told
        return DeviceHealth(
            device=device.device,
            state=state,
            last_seen_ms=_age_ms(health.last_seen_ms),
            last_error=health.last_error,
            printer=printer,
            counters={**health.counters, **(device.noise if isinstance(device, BusDriver) else {})},
            last_sent_ms=_age_ms(health.last_sent_ms),
        )


def _age_ms(at_ms: int | None) -> int | None:
    return None if at_ms is None else _now_ms() - at_ms


def _now_ms() -> int:
    return int(asyncio.get_running_loop().time() * 1000)
