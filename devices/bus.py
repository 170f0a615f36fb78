"""One RS-485 line: owns the port, writes in turn, hands frames to the devices behind their addresses."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, Final

import structlog

from devices.drivers.base import BusDriver, LineFrame
from devices.framing.a090 import A090Grammar, encode_a090
from devices.framing.ff68 import Ff68Frame, Ff68Grammar, encode_ff68
from devices.framing.stream import Framer, Garbage
from devices.protocols.base import Send
from devices.transport import Transport, Unavailable

ACK_LIMIT: Final = 4
"""Acknowledgements of one device that may wait; one more is dropped and counted, and the device repeats."""
ECHO_LIMIT: Final = 16
ECHO_MS: Final = 500

_log = structlog.get_logger("devices.bus")


@dataclass(frozen=True, slots=True)
class BusSettings:
    """Times of a half-duplex line (HARDWARE 7.2).

    `gap_ms`: silence between two of our frames. `turnaround_ms`: silence after a device spoke, waited for at most
    `quiet_limit_ms`, so that a babbling device cannot keep us from writing. `idle_ms`: after this silence a begun
    frame is given up. `local_echo`: the adapter hears its own sending (receiver always on): drop own frames once.
    """

    baud: int = 9600
    gap_ms: int = 20
    turnaround_ms: int = 20
    quiet_limit_ms: int = 60
    idle_ms: int = 200
    write_timeout_ms: int = 2_000
    local_echo: bool = False
    retry_first_ms: int = 100
    retry_limit_ms: int = 5_000


@dataclass(frozen=True, slots=True)
class _Queued:
    driver: BusDriver
    send: Send[LineFrame]


def _encode(frame: LineFrame) -> bytes:
    return encode_ff68(frame) if isinstance(frame, Ff68Frame) else encode_a090(frame)


class Bus:
    """A line and its devices. `run` keeps it open until cancelled."""

    def __init__(self, transport: Transport, settings: BusSettings | None = None) -> None:
        self._transport = transport
        self._settings = settings or BusSettings()
        self._drivers: dict[tuple[type, int], list[BusDriver]] = {}
        self._acks: deque[_Queued] = deque()
        self._slots: dict[tuple[str, str], _Queued] = {}
        self._work = asyncio.Event()
        self._due = asyncio.Event()
        self._group: asyncio.TaskGroup | None = None
        self._echoes: deque[tuple[LineFrame, int]] = deque(maxlen=ECHO_LIMIT)
        self._reply_from: BusDriver | None = None
        self._replied = asyncio.Event()
        self._free_at_ms = 0
        self._heard_at_ms = 0
        self.up = False
        self.counters: Counter[str] = Counter()

    @property
    def url(self) -> str:
        """The line's transport URL."""
        return self._transport.url

    @property
    def drivers(self) -> list[BusDriver]:
        """Every device on the line."""
        return list(dict.fromkeys(d for drivers in self._drivers.values() for d in drivers))

    def attach(self, driver: BusDriver) -> None:
        """Put a device on the line; ValueError when the address is taken by one of its kind."""
        kinds = driver.frames if isinstance(driver.frames, tuple) else (driver.frames,)
        for kind in kinds:
            there = self._drivers.setdefault((kind, driver.address), [])
            if any(type(other) is type(driver) or kind is not Ff68Frame for other in there):
                raise ValueError(f"{driver.device}: address {driver.address:#04x} of {self.url} is {there[0].device}")
            there.append(driver)
        driver.attach(self)

    # What drivers use.

    def now_ms(self) -> int:
        return int(asyncio.get_running_loop().time() * 1000)

    def reschedule(self) -> None:
        self._due.set()

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        assert self._group is not None
        self._group.create_task(work)

    def send(self, driver: BusDriver, send: Send[LineFrame]) -> None:
        if not self.up:
            self.counters["dropped"] += 1
            return
        queued = _Queued(driver, send)
        if send.slot:
            self.counters["superseded"] += (driver.device, send.slot) in self._slots
            self._slots[driver.device, send.slot] = queued
        elif queued in self._acks:
            self.counters["superseded"] += 1  # it repeated before it could be answered: one answer is enough
        elif sum(ack.driver is driver for ack in self._acks) < ACK_LIMIT:
            self._acks.append(queued)
        else:
            self.counters["dropped"] += 1
        self._work.set()

    # The line's life.

    async def run(self) -> None:
        """Open the line, again and again, and serve it until cancelled."""
        async with asyncio.TaskGroup() as self._group:
            self._group.create_task(self._tick())
            delay_ms = self._settings.retry_first_ms
            while True:
                if await self._serve():
                    delay_ms = self._settings.retry_first_ms
                await asyncio.sleep(delay_ms / 1000)
                delay_ms = min(2 * delay_ms, self._settings.retry_limit_ms)

    async def _serve(self) -> bool:
        """One life of the open line; whether it could be opened at all."""
        try:
            await self._transport.open()
        except Unavailable as error:
            self._down(str(error))
            return False
        self._rise()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._read())
                group.create_task(self._write())
        except* Unavailable as errors:
            self._down(str(errors.exceptions[0]))
        finally:
            self.up = False
            await self._transport.close()
        return True

    def _rise(self) -> None:
        self.up = True
        self.counters["opened"] += 1
        self._echoes.clear()
        _log.info("line_up", line=self.url)
        now_ms = self.now_ms()
        for driver in self.drivers:
            driver.line_up(now_ms)

    def _down(self, error: str) -> None:
        if self.up or not self.counters["failures"]:
            _log.warning("line_down", line=self.url, error=error)
        self.up = False
        self.counters["failures"] += 1
        # What waited is stale: devices repeat what was not acknowledged, strips are shown anew when the line is up.
        self._acks.clear()
        self._slots.clear()
        for driver in self.drivers:
            driver.line_down(error)

    async def _tick(self) -> None:
        while True:
            self._due.clear()
            wakes = [at for driver in self.drivers if (at := driver.wake_at_ms) is not None]
            timeout_s = max(0, min(wakes) - self.now_ms()) / 1000 if wakes else None
            try:
                async with asyncio.timeout(timeout_s):
                    await self._due.wait()
            except TimeoutError:
                now_ms = self.now_ms()
                for driver in self.drivers:
                    if (at := driver.wake_at_ms) is not None and at <= now_ms:
                        driver.wake(now_ms)

    # Reading.

    async def _read(self) -> None:
        framer: Framer[LineFrame] = Framer((Ff68Grammar(), A090Grammar()))
        while True:
            try:
                async with asyncio.timeout(self._settings.idle_ms / 1000 if framer.held else None):
                    data = await self._transport.read()
            except TimeoutError:
                found = framer.flush()
            else:
                self._heard_at_ms = self.now_ms()
                self.counters["bytes_in"] += len(data)
                found = framer.feed(data)
            for item in found:
                if isinstance(item, Garbage):
                    self.counters["garbage_bytes"] += len(item.data)
                    self.counters["checksums"] += item.checksums
                else:
                    self._route(item)
            await asyncio.sleep(0)  # a flood must not keep the loop to itself

    def _route(self, frame: LineFrame) -> None:
        now_ms = self.now_ms()
        self.counters["frames"] += 1
        if self._settings.local_echo and self._is_echo(frame, now_ms):
            self.counters["echoes"] += 1
            return
        there = [d for d in self._drivers.get((type(frame), frame.address), ()) if d.accepts(frame)]
        self.counters["unrouted"] += not there
        for driver in there:
            driver.receive(frame, now_ms)
            if driver is self._reply_from:
                self._replied.set()

    def _is_echo(self, frame: LineFrame, now_ms: int) -> bool:
        for echo in self._echoes:
            if echo[0] == frame and now_ms - echo[1] <= ECHO_MS:
                self._echoes.remove(echo)
                return True
        return False

    # Writing.

    async def _write(self) -> None:
        while True:
            await self._work.wait()
            if not self._acks and not self._slots:
                self._work.clear()
                continue
            await self._quiet()
            # Chosen only now, so that an acknowledgement that came up during the wait goes first.
            queued = self._acks.popleft() if self._acks else self._slots.pop(next(iter(self._slots)))
            await self._write_one(queued)

    async def _quiet(self) -> None:
        """Wait until a frame may be put on the line."""
        limit_ms = self.now_ms() + self._settings.quiet_limit_ms
        while True:
            now_ms = self.now_ms()
            quiet_at_ms = min(self._heard_at_ms + self._settings.turnaround_ms, limit_ms)
            wait_ms = max(self._free_at_ms, quiet_at_ms) - now_ms
            if wait_ms <= 0:
                return
            await asyncio.sleep(wait_ms / 1000)

    async def _write_one(self, queued: _Queued) -> None:
        frame = queued.send.frame
        raw = _encode(frame)
        self._reply_from = queued.driver if queued.send.reply_ms else None
        self._replied.clear()
        self._echoes.append((frame, self.now_ms()))
        try:
            async with asyncio.timeout(self._settings.write_timeout_ms / 1000):
                await self._transport.write(raw)
        except TimeoutError:
            raise Unavailable(f"{self.url} takes no bytes") from None
        self.counters["bytes_out"] += len(raw)
        self.counters["frames_out"] += 1
        # The port takes the bytes at once; the line needs ten bit times for each.
        on_line_ms = -(-len(raw) * 10_000 // self._settings.baud)
        now_ms = self.now_ms()
        self._free_at_ms = now_ms + on_line_ms + self._settings.gap_ms
        queued.driver.sent(now_ms + on_line_ms)
        self._due.set()
        if queued.send.reply_ms:
            try:
                async with asyncio.timeout((on_line_ms + queued.send.reply_ms) / 1000):
                    await self._replied.wait()
            except TimeoutError:
                self.counters["no_reply"] += 1
