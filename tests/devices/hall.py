"""One window's devices at both ends of a line, and a person at `yichuang emulate`; for the tests beside it."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from devices.bus import Bus, BusSettings
from devices.drivers.base import BusDriver
from devices.drivers.keypad import Keypad
from devices.drivers.rating import RatingPad
from devices.drivers.strip import Strip
from devices.emulators.cli import Asked, emulate
from devices.emulators.nodes import EmulatedKeypad, EmulatedRatingPad, EmulatedStrip
from devices.emulators.rs485 import Rs485BusEmulator
from devices.protocols.keymaps import HALL_QUEUE_FRONT, Keymap
from devices.protocols.keypad import KeyAction, KeypadSettings
from devices.protocols.rating import HALL_QUEUE_FRONT_LEVELS, AckVariant, RatingSettings
from devices.protocols.strip import StripSettings
from devices.transport import Transport, Unavailable, transport

FAST = BusSettings(baud=115_200, idle_ms=60, retry_first_ms=10, retry_limit_ms=50)
QUICK_STRIP = StripSettings(ack_ms=100, resend_ms=400, page_ms=150, reply_ms=30)
_names = itertools.count()


def listen_url(kind: str, tmp_path: Path) -> str:
    """Somewhere new to listen; kind is memory, tcp or pty."""
    match kind:
        case "memory":
            return f"memory://line{next(_names)}"
        case "tcp":
            return "tcp://127.0.0.1:0"
        case _:
            return f"pty://{tmp_path / 'line'}"


class Desk:
    """One window's devices at both ends of a line."""

    def __init__(
        self,
        url: str,
        *,
        keymap: Keymap = HALL_QUEUE_FRONT,
        ack: AckVariant = AckVariant.A,
        keypad_address: int = 0x07,
        rating_address: int = 0x87,
        settings: BusSettings = FAST,
        answer_ms: int = 3000,
    ) -> None:
        self.far_keypad = EmulatedKeypad(keypad_address)
        self.far_rating = EmulatedRatingPad(rating_address, ack)
        self.far_strip = EmulatedStrip(0x03)
        self.far_keypad.tries = self.far_rating.tries = 12  # the machine is shared: an echo may be late
        self.emulator = Rs485BusEmulator(url, (self.far_keypad, self.far_rating, self.far_strip))
        self.actions: list[KeyAction] = []
        self.ratings: list[int] = []
        self.healths: list[tuple[str, str]] = []
        self.disk_full = False
        self.answer: Callable[[Keypad, KeyAction], None] = lambda keypad, action: keypad.answer(action.token, ok=True)
        self.keypad = Keypad(
            "k7",
            keypad_address,
            keymap,
            pressed=self._pressed,
            health_changed=self._health,
            settings=KeypadSettings(answer_ms=answer_ms),
        )
        self.rating = RatingPad(
            "r7",
            rating_address,
            RatingSettings(HALL_QUEUE_FRONT_LEVELS, ack, starts=True),
            store=self._store,
            health_changed=self._health,
        )
        self.strip = Strip("s3", 0x03, self._health, QUICK_STRIP)
        self._settings = settings
        self.bus: Bus

    def _pressed(self, keypad: Keypad, action: KeyAction) -> None:
        self.actions.append(action)
        self.answer(keypad, action)

    async def _store(self, pad: RatingPad, level: int, age_ms: int) -> None:
        await asyncio.sleep(0.01)
        if self.disk_full:
            raise Unavailable("no space left")
        self.ratings.append(level)

    def _health(self, driver: BusDriver) -> None:
        self.healths.append((driver.device, str(driver.health.state)))

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Emulator and bus alive, the line up."""
        async with self.emulator:
            self.bus = Bus(transport(self.emulator.url), self._settings)
            for driver in (self.keypad, self.rating, self.strip):
                self.bus.attach(driver)
            task = asyncio.create_task(self.bus.run())
            try:
                await until(lambda: self.bus.up and self.emulator.connected)
                yield
            finally:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task


class Emulating:
    """What was typed to running emulated lines, and what they told."""

    def __init__(self) -> None:
        self.typed: asyncio.Queue[str] = asyncio.Queue()
        self.told: list[dict[str, object]] = []

    async def commands(self) -> AsyncIterator[str]:
        while True:
            yield await self.typed.get()

    def type(self, command: str) -> None:
        self.typed.put_nowait(command)

    def events(self, kind: str, **fields: object) -> list[dict[str, object]]:
        return [e for e in self.told if e["event"] == kind and fields.items() <= e.items()]

    async def tells(self, kind: str, **fields: object) -> dict[str, object]:
        """The first such event, once there is one."""
        await until(lambda: self.events(kind, **fields))
        return self.events(kind, **fields)[0]

    async def opened(self, **fields: object) -> Transport:
        """The host's end of a line that listens."""
        line = transport(str((await self.tells("listening", **fields))["url"]))
        await line.open()
        return line


@contextlib.asynccontextmanager
async def emulating(*asked: Asked, panel: int | None = None) -> AsyncIterator[Emulating]:
    """`yichuang emulate` with these lines, until `quit` at the end."""
    person = Emulating()
    task = asyncio.create_task(emulate(asked, commands=person.commands(), say=person.told.append, panel=panel))
    try:
        yield person
        person.type("quit")
        await asyncio.wait_for(task, 5)
    finally:
        task.cancel()


async def obeyed(commands: Iterable[str], *asked: Asked) -> list[dict[str, object]]:
    """What lines tell that are typed these to, one after the other."""

    async def typed() -> AsyncIterator[str]:
        for command in commands:
            yield command

    told: list[dict[str, object]] = []
    await emulate(asked, commands=typed(), say=told.append)
    return told


@contextlib.contextmanager
def own_time() -> Iterator[None]:
    """Time that passes only while everybody waits, however slow the machine: for tests without sockets; threads take none."""
    loop: Any = asyncio.get_running_loop()
    select, now_s = loop._selector.select, loop.time()

    def passed(timeout_s: float | None) -> object:
        nonlocal now_s
        ready = select(timeout_s if timeout_s is None else 0)
        now_s += 1e-6 if ready else max(timeout_s or 0, 1e-6)  # a turn of the loop takes time too
        return ready

    async def at_once(work: Callable[..., object], *given: object) -> object:
        return work(*given)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(asyncio, "to_thread", at_once)
        patched.setattr(loop, "time", lambda: now_s)
        patched.setattr(loop._selector, "select", passed)
        yield


async def until(condition: Callable[[], object], timeout_s: float = 20.0) -> None:
    """Wait until `condition` is true; TimeoutError otherwise."""
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110 - conditions of many objects
            await asyncio.sleep(0.005)
