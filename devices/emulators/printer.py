"""An ESC/POS ticket printer behind any listener: its paper, its cover, its cutter, its line and their faults."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections import deque
from random import Random
from types import TracebackType
from typing import Final, Self

from devices.emulators.escpos import Interpreter
from devices.emulators.faults import RELISTEN_S, SHORT, UNPLUGGED, Cable, Faults, set_fault
from devices.emulators.printer_model import Model
from devices.emulators.printer_paper import PrintedPaper
from devices.transport import Listener, Transport, Unavailable, listen, parse_url
from devices.transport.tap import Tap, TappedListener

__all__ = ["EmulatedPrinter", "Interpreter", "Model"]

PRINTER_LINE_FAULTS: Final = ("lossy", "noisy", "slow_ms", "noise", "corrupt", "lose")
"""Of the bytes it answers with; `slow_ms` is how long it takes over each byte it is sent."""
SWITCHES: Final = ("cover", "jam", "deaf", "mute")
DOTS_PER_MM: Final = 8


def _dots(name: str, value: str) -> int:
    found = re.fullmatch(r"(\d+)(mm)?", value)
    if found is None:
        raise ValueError(f"{name}={value}: say out, plenty, dots (640) or millimetres (80mm)")
    return int(found[1]) * (DOTS_PER_MM if found[2] else 1)


class EmulatedPrinter:
    """An `Interpreter` behind one `listen` URL (memory://, tcp://127.0.0.1:9100, pty://); use it as an async context.

    `tap` is told every byte that passes the printer's end.
    """

    def __init__(
        self, url: str, model: Model | None = None, tap: Tap | None = None, faults: Faults | None = None, seed: int = 0
    ) -> None:
        self.interpreter = Interpreter(model)
        self.faults = faults or Faults()
        self.cable = Cable(self.plug, self.unplug)
        self._random = Random(seed)
        self._url = url
        self._tap = tap
        self._listener: Listener | None = None
        self._end: Transport | None = None
        self._task: asyncio.Task[None] | None = None
        self._printed = asyncio.Condition()

    @property
    def model(self) -> Model:
        """How it is; call `changed` after a change."""
        return self.interpreter.model

    @property
    def papers(self) -> deque[PrintedPaper]:
        """What it has printed and cut."""
        return self.interpreter.papers

    @property
    def url(self) -> str:
        """What the agent's side opens."""
        if self._listener is None:
            raise Unavailable(f"{self._url} is unplugged")
        return self._listener.url

    async def __aenter__(self) -> Self:
        if not self.cable.pulled:
            await self.plug()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.cable.close()
        await self.unplug()

    async def plug(self) -> None:
        """Switch it on."""
        line = await listen(self._url)
        self._listener = TappedListener(line, self._tap) if self._tap else line
        if parse_url(self._url).scheme == "tcp":
            self._url = self._listener.url  # the port it got stays its port
        self._task = asyncio.create_task(self._serve(self._listener))

    async def unplug(self) -> None:
        """Switch it off: its buffer is lost, its paper stays."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        if self._end is not None:
            await self._end.close()
        if self._listener is not None:
            await self._listener.close()
        self._listener = self._end = self._task = None
        before = self.interpreter
        self.interpreter = Interpreter(before.model)
        self.interpreter.papers, self.interpreter.cuts = before.papers, before.cuts

    @property
    def fault_names(self) -> tuple[str, ...]:
        """What can go wrong with it: on its line, with its paper, and in itself."""
        return (*PRINTER_LINE_FAULTS, UNPLUGGED, "paper", "near", "jam_in", *SWITCHES)

    @property
    def fault_values(self) -> dict[str, object]:
        """How each stands now; `paper` is the dots left, None for plenty."""
        line = {name: getattr(self.faults, name) for name in PRINTER_LINE_FAULTS}
        switches = {name: getattr(self.model, name) for name in SWITCHES}
        return {
            **line,
            UNPLUGGED: self.cable.pulled,
            "paper": self.model.paper_dots,
            "near": self.model.near_dots,
            "jam_in": self.model.jam_in_dots,
            **switches,
        }

    async def set_fault(self, name: str, value: str) -> None:
        """One fault by its name; `paper` is out, plenty, or the dots (or `80mm`) that are left, `jam_in` those that still go through.

        ValueError names what there is.
        """
        match name, value:
            case "unplugged", _:
                await self.cable.set(value)
            case "paper", "plenty":
                self.model.paper_dots = None
            case "paper", "out":
                self.model.paper_dots = 0
            case (("paper" | "near" | "jam_in"), _):
                setattr(self.model, f"{name}_dots", _dots(name, value))
            case _ if name in SWITCHES:
                set_fault(self.model, SWITCHES, name, value)
            case _ if SHORT.get(name, name) in PRINTER_LINE_FAULTS:
                set_fault(self.faults, PRINTER_LINE_FAULTS, name, value)
            case _:
                raise ValueError(f"no fault {name!r}: {', '.join(self.fault_names)}")
        await self.changed()

    async def changed(self) -> None:
        """The model was changed: say what a printer says then, and go on with what waits."""
        await self._answer(self.interpreter.changed())

    async def printed(self, count: int) -> None:
        """Wait until `count` papers have been cut."""
        async with self._printed:
            await self._printed.wait_for(lambda: len(self.papers) >= count)

    async def _serve(self, listener: Listener) -> None:
        while True:
            with contextlib.suppress(Unavailable):
                self._end = end = await listener.accept()
                try:
                    while True:
                        await self._take(await end.read())
                finally:
                    await end.close()
            await asyncio.sleep(RELISTEN_S)

    async def _take(self, data: bytes) -> None:
        """Bytes of the host, at the speed of the line."""
        if not self.faults.slow_ms:
            await self._answer(self.interpreter.feed(data))
            return
        for byte in data:
            await asyncio.sleep(self.faults.slow_ms / 1000)
            await self._answer(self.interpreter.feed(bytes((byte,))))

    async def _answer(self, data: bytes) -> None:
        heard = self.faults.spoil(data, self._random) if data else None
        if heard and self._end is not None:
            with contextlib.suppress(Unavailable):  # the host has hung up: the paper moves all the same
                await self._end.write(heard)
        async with self._printed:
            self._printed.notify_all()
