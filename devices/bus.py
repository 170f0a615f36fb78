"""One line and its devices: owns the port, writes in turn, hands each frame to the device it is for."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter, deque
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from typing import Any, Final

import structlog

from devices.drivers.base import AnyDriver
from devices.framing.codec import AnyCodec
from devices.framing.named import Heard, Named
from devices.framing.stream import Framer, Garbage
from devices.protocols.base import Send
from devices.transport import Transport, Unavailable

ACK_LIMIT: Final = 4
"""Acknowledgements of one device that may wait; one more is dropped and counted, and the device repeats."""
IN_TURN_LIMIT: Final = 32
"""Frames of one device that may wait in turn; one more is dropped and its driver told."""
LOAD_SHARE: Final = 0.5
LOAD_MS: Final = 150
"""What may wait for another time is left out while the line was used, lately, for more than this beyond its share of the time."""
HOLD_MS: Final = 80
"""As long as a host may owe a device its acknowledgement (HARDWARE 1.1): a frame that holds the line longer is never optional."""
NOISE: Final = {"line_noise": "garbage_bytes", "line_sums": "checksums"}
"""What is told with every device of a line, for nobody knows who sent it: bytes that are no frame, frames with a wrong sum."""
ECHO_LIMIT: Final = 16
ECHO_MS: Final = 500

_log = structlog.get_logger("devices.bus")


@dataclass(frozen=True, slots=True)
class BusSettings:
    """Times of a half-duplex line (HARDWARE 7.2).

    `baud`: how long a frame's bytes need, ten bit times each; 0 for a network or USB, which take none. `gap_ms`: silence
    between two of our frames. `turnaround_ms`: silence after a device spoke, waited for at most `quiet_limit_ms` (twice that
    while a frame is coming in), so that a babbling device cannot keep us from writing; a driver may ask for its own gap and
    turnaround. `idle_ms`: after this silence a begun frame is given up. `local_echo`: the adapter hears its own sending
    (receiver always on): drop own frames once.
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
    driver: AnyDriver
    send: Send[Any]
    again: bool = False
    """Said a second time, because somebody spoke while it was said."""


class Bus:
    """A line and its devices. `run` keeps it open until cancelled."""

    def __init__(self, transport: Transport, settings: BusSettings | None = None) -> None:
        self._transport = transport
        self._settings = settings or BusSettings()
        self._drivers: dict[AnyCodec, list[AnyDriver]] = {}
        self._acks: deque[_Queued] = deque()
        self._waiting: dict[tuple[str, str | int], _Queued] = {}
        """By device and slot, or by a number when in turn; in the order in which they came."""
        self._numbers = itertools.count()
        self._work = asyncio.Event()
        self._due = asyncio.Event()
        self._group: asyncio.TaskGroup | None = None
        self._echoes: deque[tuple[bytes, int]] = deque(maxlen=ECHO_LIMIT)
        self._reply_from: AnyDriver | None = None
        self._replied = asyncio.Event()
        self._free_at_ms = 0
        self._in_frame = False
        self._saying: tuple[_Queued, int] | None = None
        """A frame that nobody acknowledges, and when its last byte is on the line."""
        self._heard_at_ms = 0
        self._load_ms = 0.0
        self._load_at_ms = 0
        self.up = False
        self.counters: Counter[str] = Counter()

    @property
    def url(self) -> str:
        """The line's transport URL."""
        return self._transport.url

    @property
    def drivers(self) -> list[AnyDriver]:
        """Every device on the line."""
        return [driver for drivers in self._drivers.values() for driver in drivers]

    def attach(self, driver: AnyDriver) -> None:
        """Put a device on the line before it runs; ValueError when another is in its way, with what to do."""
        for other in self.drivers:
            same = isinstance(other, type(driver)) or isinstance(driver, type(other))
            if other.codec == driver.codec and other.address == driver.address and same:
                raise ValueError(f"{driver.device}: address {driver.address:#04x} of {self.url} is {other.device}")
            for one, two in ((driver, other), (other, driver)):
                if one.codec.alone and one.codec != two.codec:
                    raise ValueError(
                        f"{driver.device}: {one.device} speaks {one.codec.name}, which takes almost every byte for its"
                        f" own; give it a line without {two.device}"
                    )
                if one.codec != two.codec and any(map(one.codec.takes, two.codec.samples)):
                    raise ValueError(
                        f"{driver.device}: {one.codec.name} reads the frames of {two.codec.name} as its own; use one"
                        f" of the two for {one.device} and {two.device}, or a line for each"
                    )
        self._drivers.setdefault(driver.codec, []).append(driver)
        driver.attach(self)

    # What drivers use.

    @property
    def noise(self) -> dict[str, int]:
        return {name: self.counters[of] for name, of in NOISE.items() if self.counters[of]}

    def now_ms(self) -> int:
        return int(asyncio.get_running_loop().time() * 1000)

    def reschedule(self) -> None:
        self._due.set()

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        assert self._group is not None
        self._group.create_task(work)

    def send(self, driver: AnyDriver, send: Send[Any]) -> None:
        if not self.up:
            self.counters["dropped"] += 1
            return
        queued = _Queued(driver, send)
        if send.follows is not None and not self._has_time(driver, send):
            self.counters["no_time"] += 1
            driver.dropped(send, self.now_ms())
            return
        if send.in_turn:
            if sum(other.driver is driver and other.send.in_turn for other in self._waiting.values()) < IN_TURN_LIMIT:
                self._waiting[driver.device, next(self._numbers)] = queued
            else:
                self._drop(queued)
        elif send.slot:
            before = self._waiting.get((driver.device, send.slot))
            self.counters["superseded"] += before is not None
            if before is not None and not before.send.refresh:
                queued = _Queued(driver, replace(send, refresh=False))  # it stands for what is still to be told
            self._waiting[driver.device, send.slot] = queued
        elif queued in self._acks:
            self.counters["superseded"] += 1  # it repeated before it could be answered: one answer is enough
        elif sum(ack.driver is driver for ack in self._acks) < ACK_LIMIT:
            self._acks.append(queued)
        else:
            self._drop(queued)
        self._work.set()

    def _on_line_ms(self, size: int) -> int:
        """How long so many bytes need, ten bit times each."""
        return -(-size * 10_000 // self._settings.baud) if self._settings.baud else 0

    def _used(self, ms: int) -> None:
        now_ms = self.now_ms()
        self._load_ms = max(0.0, self._load_ms - LOAD_SHARE * (now_ms - self._load_at_ms)) + ms
        self._load_at_ms = now_ms

    def _has_time(self, driver: AnyDriver, send: Send[Any]) -> bool:
        """Whether nobody would wait for this frame, nor for the one that must follow."""
        if self._acks or self._waiting or self._in_frame:
            return False
        self._used(0)
        gap_ms = self._settings.gap_ms if driver.gap_ms is None else driver.gap_ms
        longest_ms = max(self._on_line_ms(len(driver.codec.encode(frame))) for frame in (send.frame, send.follows))
        return longest_ms + gap_ms <= HOLD_MS and self._load_ms <= LOAD_MS

    def _drop(self, queued: _Queued) -> None:
        self.counters["dropped"] += 1
        queued.driver.dropped(queued.send, self.now_ms())

    # The line's life.

    async def run(self) -> None:
        """Open the line, again and again, and serve it until cancelled."""
        try:
            async with asyncio.TaskGroup() as self._group:
                self._group.create_task(self._tick())
                delay_ms = self._settings.retry_first_ms
                while True:
                    if await self._serve():
                        delay_ms = self._settings.retry_first_ms
                    await asyncio.sleep(delay_ms / 1000)
                    delay_ms = min(2 * delay_ms, self._settings.retry_limit_ms)
        finally:
            for driver in self.drivers:
                driver.stopped()

    async def _serve(self) -> bool:
        """One life of the open line; whether it was one: a socket that nobody answers opens and is gone at once."""
        try:
            await self._transport.open()
        except Unavailable as error:
            self._down(str(error))
            return False
        began_ms = self.now_ms()
        try:
            self._rise()
            async with asyncio.TaskGroup() as group:
                group.create_task(self._read())
                group.create_task(self._write())
        except* Unavailable as errors:
            self._down(str(errors.exceptions[0]))
        finally:
            self.up = False
            await self._transport.close()
        return self._heard_at_ms >= began_ms or self.now_ms() - began_ms >= self._settings.retry_limit_ms

    def _rise(self) -> None:
        # What waited is stale: devices repeat what was not acknowledged, and strips are shown anew now.
        self._acks.clear()
        self._waiting.clear()
        self._saying = None
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
        framer: Framer[Heard] = Framer(self._grammars())
        while True:
            try:
                async with asyncio.timeout(self._settings.idle_ms / 1000 if framer.held else None):
                    data = await self._transport.read()
            except TimeoutError:
                found = framer.flush()
            else:
                self._heard_at_ms = self.now_ms()
                self._say_again()
                self.counters["bytes_in"] += len(data)
                self._used(self._on_line_ms(len(data)))
                found = framer.feed(data)
            self._in_frame = framer.held > 0
            for item in found:
                if isinstance(item, Garbage):
                    self.counters["garbage_bytes"] += len(item.data)
                    self.counters["checksums"] += item.checksums
                else:
                    self._route(item)
            await asyncio.sleep(0)  # a flood must not keep the loop to itself

    def _say_again(self) -> None:
        """Somebody speaks: what we are saying now was not understood. Where there are acknowledgements, they see to it."""
        saying, self._saying = self._saying, None
        if saying is None or self._settings.local_echo or self._heard_at_ms > saying[1]:
            return
        queued = saying[0]
        name = (queued.driver.device, queued.send.slot)
        if name not in self._waiting:  # else something newer is to be said there
            self.counters["said_again"] += 1
            self._waiting[name] = _Queued(queued.driver, queued.send, again=True)
            self._work.set()

    def _forget_again(self, driver: AnyDriver) -> None:
        """A device that was used meanwhile is answered anew: what it was told before would read as that answer."""
        for name, queued in list(self._waiting.items()):
            if queued.again and queued.driver is driver:
                del self._waiting[name]

    def _grammars(self) -> list[Named]:
        """What is listened for: the devices, and our own frames where they come back."""
        heard = [Named(codec, grammar, "device") for codec in self._drivers for grammar in codec.from_device]
        if self._settings.local_echo:
            heard += [Named(codec, grammar, "host") for codec in self._drivers for grammar in codec.from_host]
        return heard

    def _route(self, heard: Heard) -> None:
        codec, frame, now_ms = heard.codec, heard.frame, self.now_ms()
        self.counters["frames"] += 1
        if self._settings.local_echo and self._is_echo(codec.encode(frame), now_ms):
            self.counters["echoes"] += 1
            return
        address = codec.address(frame)
        there = [d for d in self._drivers[codec] if address in (None, d.address) and d.accepts(frame)]
        self.counters["unrouted"] += not there
        for driver in there:
            self._forget_again(driver)
            driver.receive(frame, now_ms)
            if driver is self._reply_from:
                self._replied.set()

    def _is_echo(self, raw: bytes, now_ms: int) -> bool:
        for echo in self._echoes:
            if echo[0] == raw and now_ms - echo[1] <= ECHO_MS:
                self._echoes.remove(echo)
                return True
        return False

    # Writing.

    async def _write(self) -> None:
        while True:
            await self._work.wait()
            if not self._acks and not self._waiting:
                self._work.clear()
                continue
            if not await self._quiet():
                continue  # what was to be said is not any more
            # Chosen only now, so that an acknowledgement that came up during the wait goes first.
            await self._write_one(self._acks.popleft() if self._acks else self._waiting.pop(self._next()))

    def _next(self) -> tuple[str, str | int]:
        """Whose turn it is: what came first, and what is only said again when nothing new waits."""
        return next((name for name, queued in self._waiting.items() if not queued.send.refresh), None) or next(
            iter(self._waiting)
        )

    async def _quiet(self) -> bool:
        """Wait until a frame may be put on the line; False when there is none any more."""
        began_ms = self.now_ms()
        while self._acks or self._waiting:
            # Asked anew each time: an acknowledgement may come up during the wait, and goes first.
            driver = (self._acks[0] if self._acks else self._waiting[self._next()]).driver
            turnaround_ms = self._settings.turnaround_ms if driver.turnaround_ms is None else driver.turnaround_ms
            limit_ms = began_ms + max(turnaround_ms, self._settings.quiet_limit_ms) * (1 + self._in_frame)
            quiet_at_ms = min(self._heard_at_ms + turnaround_ms, limit_ms)
            wait_ms = max(self._free_at_ms, quiet_at_ms) - self.now_ms()
            if wait_ms <= 0:
                return True
            await asyncio.sleep(wait_ms / 1000)
        return False

    async def _write_one(self, queued: _Queued) -> None:
        raw = queued.driver.codec.encode(queued.send.frame)
        self._reply_from = queued.driver if queued.send.reply_ms else None
        self._replied.clear()
        self._echoes.append((raw, self.now_ms()))
        try:
            async with asyncio.timeout(self._settings.write_timeout_ms / 1000):
                await self._transport.write(raw)
        except TimeoutError:
            raise Unavailable(f"{self.url} takes no bytes") from None
        self.counters["bytes_out"] += len(raw)
        self.counters["frames_out"] += 1
        # The port takes the bytes at once; the line needs its time for each.
        on_line_ms = self._on_line_ms(len(raw))
        gap_ms = self._settings.gap_ms if queued.driver.gap_ms is None else queued.driver.gap_ms
        now_ms = self.now_ms()
        self._free_at_ms = now_ms + on_line_ms + gap_ms
        self._used(on_line_ms + gap_ms)
        send = queued.send
        once = queued.again or not send.slot or send.in_turn or send.reply_ms or send.follows is not None
        self._saying = None if once or not on_line_ms else (queued, now_ms + on_line_ms)
        queued.driver.health.last_sent_ms = now_ms
        queued.driver.sent(queued.send, now_ms + on_line_ms)
        self._due.set()
        if queued.send.reply_ms:
            try:
                async with asyncio.timeout((on_line_ms + queued.send.reply_ms) / 1000):
                    await self._replied.wait()
            except TimeoutError:
                self.counters["no_reply"] += 1
