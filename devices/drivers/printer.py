"""One live ticket printer: a line, its protocol, its health, and papers laid out by a function it is given."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from typing import Any, Final, assert_never

import msgspec
from msgspec.structs import replace

from devices.drivers.health import Health
from devices.protocols.base import Ignored
from devices.protocols.presenter import Outlet
from devices.protocols.printer import (
    Ended,
    Job,
    PrinterOutput,
    PrinterProtocol,
    PrinterSettings,
    StateChanged,
    Write,
)
from devices.protocols.printer_models import MODELS
from devices.transport import Transport, Unavailable, transport
from displays.errors import Malformed
from displays.errors import Unavailable as NoFont
from queue_server.wire.agent import DeviceEntry
from queue_server.wire.common import DeviceState, PrinterState

LayOut = Callable[[bytes], bytes]
"""A paper's JSON to printer bytes that end with GS r 1; Malformed and Unavailable fail the job with their sentence."""

RETRY_FIRST_S: Final = 0.2
RETRY_LIMIT_S: Final = 3.0
WRITE_S: Final = 5.0
"""A printer that takes no byte for so long is off or stuck: the line is opened anew."""
OUTPUTS_LIMIT: Final = 256
PAPER_PREFIX: Final = "paper."
"""Settings of an entry that begin so belong to the layout, the others to the protocol."""


@dataclass(frozen=True, slots=True)
class Result:
    """The end of a print: outcome is printed, failed or unknown."""

    outcome: str
    reason: str


class NotLaidOut(Exception):
    """A mistake of ours before anything was written; its cause says which."""


class TicketPrinter:
    """Owns its line alone. `print` may be called while `run` runs; a job is printed at most once (law 7)."""

    def __init__(
        self,
        device: str,
        line: Transport,
        lay_out: LayOut,
        changed: Callable[[TicketPrinter], None],
        settings: PrinterSettings | None = None,
    ) -> None:
        self._device = device
        self._line = line
        self._lay_out = lay_out
        self._changed = changed
        self._protocol = PrinterProtocol(settings)
        self._health = Health(device, lambda: changed(self))
        self._numbers = itertools.count(1)
        self._waiting: dict[str, asyncio.Future[Result]] = {}
        self._writes: asyncio.Queue[Write] = asyncio.Queue(OUTPUTS_LIMIT)
        self._timer = asyncio.Event()
        self._up = False

    @property
    def device(self) -> str:
        """Its id."""
        return self._device

    @property
    def health(self) -> Health:
        """How it is."""
        return self._health

    @property
    def printer_state(self) -> PrinterState:
        """Paper, cover, jam (UX K-11)."""
        return self._protocol.state

    @property
    def line_is_up(self) -> bool:
        """Whether its line is open now."""
        return self._up

    @property
    def busy(self) -> bool:
        """Whether a paper is being printed, waits to be, or lies at the outlet for its citizen."""
        return bool(self._waiting) or self._protocol.presented

    async def print(self, paper: bytes, expires_in_ms: int) -> tuple[str, str]:
        """Print a paper (JSON) once, or not at all once expired: printed, failed or unknown, and the reason. Or `NotLaidOut`."""
        expires_ms = self._now_ms() + expires_in_ms
        try:
            # In a thread: a character that has to be drawn makes Pillow read a font, and keypads share this loop.
            data = await asyncio.to_thread(self._lay_out, paper)
        except (Malformed, NoFont) as error:
            self._health.counters["unprintable"] += 1
            return "failed", str(error)
        except Exception as error:
            raise NotLaidOut from error
        job, now_ms = str(next(self._numbers)), self._now_ms()
        done: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting[job] = done
        try:
            self._carry_out(self._protocol.submit(Job(job, data, expires_ms), now_ms))
            result = await done
        finally:
            self._waiting.pop(job, None)
        self._health.counters[result.outcome] += 1
        return result.outcome, result.reason

    async def run(self) -> None:
        """Keep it connected until cancelled; a print under way then ends as failed or unknown."""
        delay_s = RETRY_FIRST_S
        try:
            while True:
                try:
                    async with asyncio.timeout(WRITE_S):
                        await self._line.open()
                    delay_s = RETRY_FIRST_S
                    await self._live()
                except (Unavailable, TimeoutError) as error:
                    self._down(str(error) or "takes no bytes")
                await asyncio.sleep(delay_s)
                delay_s = min(2 * delay_s, RETRY_LIMIT_S)
        finally:
            self._down("stopped")
            await self._line.close()

    def _down(self, error: str) -> None:
        self._up = False
        self._carry_out(self._protocol.line_down())
        self._health.become(DeviceState.OFFLINE, error)
        while not self._writes.empty():
            self._writes.get_nowait()

    async def _live(self) -> None:
        """One connection; ends with `Unavailable` or `TimeoutError`."""
        self._up = True
        self._carry_out(self._protocol.line_up(self._now_ms()))
        tasks = [asyncio.create_task(work()) for work in (self._read, self._write, self._wake)]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _read(self) -> None:
        while True:
            data = await self._line.read()
            self._health.last_seen_ms = self._now_ms()
            self._carry_out(self._protocol.receive(data, self._now_ms()))

    async def _write(self) -> None:
        while True:
            write = await self._writes.get()
            async with asyncio.timeout(WRITE_S):
                await self._line.write(write.data)
            self._health.last_sent_ms = self._now_ms()
            if write.ticket:
                self._carry_out(self._protocol.written(self._now_ms()))

    async def _wake(self) -> None:
        while True:
            due_ms = self._protocol.wake_at_ms
            pause_s = None if due_ms is None else max(0, due_ms - self._now_ms()) / 1000
            self._timer.clear()
            try:
                async with asyncio.timeout(pause_s):
                    await self._timer.wait()
            except TimeoutError:
                self._carry_out(self._protocol.wake(self._now_ms()))

    def _carry_out(self, outputs: Iterable[PrinterOutput]) -> None:
        for output in outputs:
            match output:
                case Write():
                    self._queue(output)
                case StateChanged(state):
                    self._tell(state)
                case Ended(job, outcome, reason):
                    if (done := self._waiting.get(job)) is not None and not done.done():
                        done.set_result(Result(outcome, reason))
                case Outlet(taken):
                    self._health.counters["taken" if taken else "not_taken"] += 1
                    if not taken:
                        self._health.last_error = "a ticket was not taken"
                    self._changed(self)
                case Ignored():
                    self._health.counters["ignored"] += 1
                case _:
                    assert_never(output)
        self._timer.set()

    def _queue(self, write: Write) -> None:
        if self._up:
            try:
                self._writes.put_nowait(write)
            except asyncio.QueueFull:
                self._health.counters["dropped"] += 1

    def _tell(self, state: PrinterState) -> None:
        """Paper near its end is a device in order; a printer that cannot print is degraded, without a line offline."""
        before = self._health.state
        match state:
            case PrinterState.OK | PrinterState.NEAR_END:
                self._health.become(DeviceState.ONLINE)
            case PrinterState.OFFLINE if not self._up:
                self._health.become(DeviceState.OFFLINE)
            case _:
                self._health.become(DeviceState.DEGRADED, str(state))
        if self._health.state is before:
            self._changed(self)  # the paper's state moved, the device's did not

    def _now_ms(self) -> int:
        return int(asyncio.get_running_loop().time() * 1000)


def printer_maker(
    layout_of: Callable[[DeviceEntry], LayOut], line: Callable[[str], Transport] = transport
) -> Callable[[DeviceEntry, Callable[[Any], None]], TicketPrinter]:
    """What the agent makes printers with; `layout_of` sees the entry's paper profile and its `paper.*` settings, `line` opens
    its URL.

    A profile that names a kiosk printer of `MODELS` is its paper's profile, with the model's settings below the entry's own.
    """

    def make(entry: DeviceEntry, changed: Callable[[Any], None]) -> TicketPrinter:
        if model := MODELS.get(entry.profile.lower()):
            entry = replace(entry, profile=model.paper, settings={**model.settings, **entry.settings})
        own = {key: value for key, value in entry.settings.items() if not key.startswith(PAPER_PREFIX)}
        return TicketPrinter(entry.id, line(entry.url), layout_of(entry), changed, printer_settings(own))

    return make


def printer_settings(values: dict[str, str]) -> PrinterSettings:
    """Settings of a device map, all text; ValueError names what is unknown or makes no sense."""
    known = [field.name for field in fields(PrinterSettings)]
    if unknown := sorted(set(values) - set(known)):
        raise ValueError(f"printer setting {unknown[0]!r} is none of {', '.join(known)}")
    try:
        return msgspec.convert(values, PrinterSettings, strict=False)
    except msgspec.ValidationError as error:
        raise ValueError(f"printer settings: {error}") from error
