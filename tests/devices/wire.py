"""The wire between a line's host and its devices, and what may go wrong on it: for the tests beside it."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Awaitable, Callable
from typing import Final, Self

from devices.transport import Listener, Transport, Unavailable, listen, transport

Write = Callable[[bytes], Awaitable[None]]
Pass = Callable[[bytes, Write], Awaitable[None]]
"""What becomes of a frame: it is given the frame and how to put bytes at the other end."""
_names = itertools.count()
RELISTEN_S: Final = 0.01


async def whole(frame: bytes, write: Write) -> None:
    """Nothing goes wrong."""
    await write(frame)


def bytewise(pause_ms: int = 1) -> Pass:
    """Every byte comes alone."""

    async def passed(frame: bytes, write: Write) -> None:
        for byte in frame:
            await write(bytes((byte,)))
            await asyncio.sleep(pause_ms / 1000)

    return passed


def lost(count: int = 2) -> Pass:
    """So many frames do not arrive."""
    left = count

    async def passed(frame: bytes, write: Write) -> None:
        nonlocal left
        if left:
            left -= 1
        else:
            await write(frame)

    return passed


def repeated(pause_ms: int = 5) -> Pass:
    """Every frame arrives twice."""

    async def passed(frame: bytes, write: Write) -> None:
        await write(frame)
        await asyncio.sleep(pause_ms / 1000)
        await write(frame)

    return passed


def wrong(count: int = 2) -> Pass:
    """So many frames arrive with a wrong bit: in their last byte but one, which is a sum or the last of what it guards."""
    left = count

    async def passed(frame: bytes, write: Write) -> None:
        nonlocal left
        broken = bytearray(frame)
        if left:
            left -= 1
            broken[-2 if len(broken) > 1 else 0] ^= 0x80
        await write(bytes(broken))

    return passed


def after(head: bytes, count: int = 2) -> Pass:
    """So many frames come right behind a head that promises more bytes than there are."""
    left = count

    async def passed(frame: bytes, write: Write) -> None:
        nonlocal left
        lies, left = left > 0, max(0, left - 1)
        await write(head + frame if lies else frame)

    return passed


def late(by_ms: int, count: int = 3) -> Pass:
    """So many frames come so late, each as much as the others, and what follows them waits behind them."""
    left, tasks = count, set[asyncio.Task[None]]()
    free_at_s = 0.0

    async def passed(frame: bytes, write: Write) -> None:
        nonlocal left, free_at_s
        now_s = asyncio.get_running_loop().time()
        if left:
            left -= 1
            free_at_s = now_s + by_ms / 1000

        async def deliver(wait_s: float) -> None:
            await asyncio.sleep(wait_s)
            await write(frame)

        task = asyncio.create_task(deliver(max(0.0, free_at_s - now_s)))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    return passed


class Wire:
    """Opens `far` for whoever opens `url`, and passes frames as `to_host` and `to_device` say; one write is one frame."""

    def __init__(self, url: str = "") -> None:
        self._listen_url = url or f"memory://wire{next(_names)}"
        self.far = ""
        self.to_host: Pass = whole
        self.to_device: Pass = whole
        self.kept = 0
        """Bytes of devices that have not arrived; below zero where more arrived than was sent."""
        self._ends: list[Transport] = []
        self._task: asyncio.Task[None] | None = None
        self._near: Transport | None = None
        self._listener: Listener | None = None
        self._plugged = asyncio.Event()

    @property
    def url(self) -> str:
        """What the host opens."""
        return self._listen_url if self._listener is None else self._listener.url

    @property
    def connected(self) -> bool:
        """Whether a host has opened it."""
        return self._near is not None

    async def __aenter__(self) -> Self:
        await self.plug()
        self._task = asyncio.create_task(self._serve())
        return self

    async def __aexit__(self, *error: object) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self.pull()

    async def say(self, raw: bytes) -> None:
        """Bytes for the host that no device of the line has sent."""
        if self._near is not None:
            with contextlib.suppress(Unavailable):
                await self._near.write(raw)

    async def pull(self) -> None:
        """The cable comes out: both ends lose it, and nobody finds it until it is `plugged` again."""
        listener, self._listener = self._listener, None
        self._plugged.clear()
        if listener is not None:
            await listener.close()
        await self._hang_up()

    async def plug(self) -> None:
        """Put it in, or back."""
        self._listener = await listen(self._listen_url)
        self._plugged.set()

    def cut_in_frame(self, *, to_device: bool) -> asyncio.Event:
        """Pull it in the middle of the next frame that way; tells when."""
        pulled = asyncio.Event()

        async def passed(frame: bytes, write: Write) -> None:
            if not pulled.is_set():
                await write(frame[: max(1, len(frame) // 2)])
                await asyncio.sleep(0.02)
                pulled.set()
                self.to_host = self.to_device = whole
                await self.pull()

        self.to_host, self.to_device = (whole, passed) if to_device else (passed, whole)
        return pulled

    async def _hang_up(self) -> None:
        ends, self._ends, self._near = self._ends, [], None
        for end in ends:
            await end.close()

    async def _serve(self) -> None:
        while True:
            while (listener := self._listener) is None:
                await self._plugged.wait()
            with contextlib.suppress(Unavailable):
                near = await listener.accept()
                far = transport(self.far)
                self._ends = [near, far]
                await far.open()
                self._near = near
                both = [
                    asyncio.create_task(self._carry(near, far, "to_device")),
                    asyncio.create_task(self._carry(far, near, "to_host")),
                ]
                try:
                    await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    for task in both:
                        task.cancel()
                    await asyncio.gather(*both, return_exceptions=True)
            await self._hang_up()
            await asyncio.sleep(RELISTEN_S)

    async def _carry(self, source: Transport, sink: Transport, way: str) -> None:
        async def write(raw: bytes) -> None:
            with contextlib.suppress(Unavailable):
                await sink.write(raw)
                self.kept -= len(raw) * (way == "to_host")

        with contextlib.suppress(Unavailable):
            while True:
                frame = await source.read()
                self.kept += len(frame) * (way == "to_host")
                await getattr(self, way)(frame, write)
