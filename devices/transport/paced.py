"""A serial line's own time at its devices' end: ten bit times a byte, one speaker at a time, two at once garble each other."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Final

from devices.transport.base import READ_LIMIT_BYTES, Listener, Transport, Unavailable
from devices.transport.tap import Tap

BITS: Final = 10
"""A start bit, eight of data, a stop bit."""
STILL_BYTES: Final = 2
"""Silence before a device speaks, in byte times. Ours: nobody publishes how keypads and rating devices find a gap."""
PIECES: Final = 64


def untold(direction: str, data: bytes) -> None:
    """The tap of a line that nobody watches."""


class PacedTransport:
    """The devices' end of a line at `baud`; `tap` is told a piece when its last byte has passed.

    What the host writes is read when the line has carried it. A device is silent until the line is still and then speaks byte by
    byte; a host that begins meanwhile garbles both, and `collisions` counts it. `shared` False: a pair of wires for each
    direction (RS-232), where both may speak.
    """

    def __init__(self, inner: Transport, baud: int, tap: Tap = untold, *, shared: bool = True) -> None:
        self._inner = inner
        self._byte_s = BITS / baud
        self._tap = tap
        self._shared = shared
        self._host_until_s = 0.0
        self._device_until_s = 0.0
        self._garbled = False
        self._pieces: asyncio.Queue[tuple[float, bytes] | Unavailable] = asyncio.Queue(PIECES)
        self._reader: asyncio.Task[None] | None = None
        self.collisions = 0

    @property
    def url(self) -> str:
        return self._inner.url

    async def open(self) -> None:
        await self._inner.open()

    async def read(self, limit_bytes: int = READ_LIMIT_BYTES) -> bytes:
        if self._reader is None:
            self._reader = asyncio.create_task(self._take(limit_bytes))
        piece = await self._pieces.get()
        if isinstance(piece, Unavailable):
            self._reader = None
            raise piece
        passed_s, data = piece
        await _until(passed_s)
        self._tap("rx", data)
        return data

    async def _take(self, limit_bytes: int) -> None:
        """What the host hands over is on the line from then on, whether or not a device has time to listen."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                data = await self._inner.read(limit_bytes)
            except Unavailable as error:
                await self._pieces.put(error)
                return
            now_s = loop.time()
            if self._shared and now_s < self._device_until_s:
                self.collisions += 1
                self._garbled = True
                data = _garbled(data)
            self._host_until_s = max(now_s, self._host_until_s) + len(data) * self._byte_s
            await self._pieces.put((self._host_until_s, data))

    async def write(self, data: bytes) -> None:
        """Not for two writers at a time: the devices of an emulated line take turns."""
        loop = asyncio.get_running_loop()
        still_s = STILL_BYTES * self._byte_s
        while self._shared and self._host_until_s + still_s > loop.time():
            await _until(self._host_until_s + still_s)
        self._garbled = False
        began_s = max(loop.time(), self._device_until_s + still_s)
        self._device_until_s = began_s + len(data) * self._byte_s
        said = bytearray()
        for count in range(len(data)):
            await _until(began_s + (count + 1) * self._byte_s)
            byte = data[count : count + 1]
            said += _garbled(byte) if self._garbled else byte
            await self._inner.write(bytes(said[-1:]))
        self._tap("tx", bytes(said))

    async def close(self) -> None:
        await self._inner.close()
        reader, self._reader = self._reader, None
        if reader is not None and reader is not asyncio.current_task():
            reader.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await reader
            with contextlib.suppress(asyncio.QueueFull):
                self._pieces.put_nowait(Unavailable(f"{self.url} is closed"))


async def _until(when_s: float) -> None:
    await asyncio.sleep(max(0.0, when_s - asyncio.get_running_loop().time()))


def _garbled(data: bytes) -> bytes:
    """What two speakers at once leave of a byte is anybody's guess; never what was said."""
    return bytes(byte ^ 0x55 for byte in data)


class PacedListener:
    """A listener all of whose connections are lines at `baud`; `collisions` of all of them."""

    def __init__(self, inner: Listener, baud: int, tap: Tap = untold, *, shared: bool = True) -> None:
        self._inner = inner
        self._baud, self._tap, self._shared = baud, tap, shared
        self._ends: list[PacedTransport] = []

    @property
    def url(self) -> str:
        return self._inner.url

    @property
    def collisions(self) -> int:
        return sum(end.collisions for end in self._ends)

    async def accept(self) -> Transport:
        end = PacedTransport(await self._inner.accept(), self._baud, self._tap, shared=self._shared)
        self._ends.append(end)
        return end

    async def close(self) -> None:
        await self._inner.close()
