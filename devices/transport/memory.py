"""Byte streams inside one process, for tests, demos and emulators."""

from __future__ import annotations

import asyncio
from typing import Final

from devices.transport.base import READ_LIMIT_BYTES, Transport, Unavailable

PIPE_LIMIT_BYTES: Final = 64 * 1024
BACKLOG: Final = 8

_listeners: dict[str, MemoryListener] = {}


class _Pipe:
    """One direction; a full pipe makes the writer wait, as a socket does."""

    def __init__(self) -> None:
        self.buffer = bytearray()
        self.closed = False
        self.changed = asyncio.Event()

    async def _wait(self) -> None:
        self.changed.clear()
        await self.changed.wait()

    async def read(self, limit_bytes: int) -> bytes:
        while not self.buffer:
            if self.closed:
                raise Unavailable("the other end is closed")
            await self._wait()
        data = bytes(self.buffer[:limit_bytes])
        del self.buffer[:limit_bytes]
        self.changed.set()
        return data

    async def write(self, data: bytes) -> None:
        while data:
            if self.closed:
                raise Unavailable("the other end is closed")
            room = PIPE_LIMIT_BYTES - len(self.buffer)
            if room <= 0:
                await self._wait()
                continue
            self.buffer += data[:room]
            data = data[room:]
            self.changed.set()

    def close(self) -> None:
        self.closed = True
        self.changed.set()


class MemoryTransport:
    """One end of a pair of pipes."""

    def __init__(self, url: str, name: str = "") -> None:
        self._url = url
        self._name = name
        self._incoming: _Pipe | None = None
        self._outgoing: _Pipe | None = None

    @property
    def url(self) -> str:
        return self._url

    def join(self, incoming: _Pipe, outgoing: _Pipe) -> None:
        """Use these two pipes from now on."""
        self._incoming, self._outgoing = incoming, outgoing

    async def open(self) -> None:
        await self.close()
        listener = _listeners.get(self._name)
        if listener is None:
            raise Unavailable(f"nobody listens at {self._url}")
        listener.connect(self)

    async def read(self, limit_bytes: int = READ_LIMIT_BYTES) -> bytes:
        if self._incoming is None:
            raise Unavailable(f"{self._url} is not open")
        return await self._incoming.read(limit_bytes)

    async def write(self, data: bytes) -> None:
        if self._outgoing is None:
            raise Unavailable(f"{self._url} is not open")
        await self._outgoing.write(data)

    async def close(self) -> None:
        for pipe in (self._incoming, self._outgoing):
            if pipe is not None:
                pipe.close()
        self._incoming = self._outgoing = None


def memory_pair(name: str = "pair") -> tuple[Transport, Transport]:
    """Two open ends of one line."""
    near, far = MemoryTransport(f"memory://{name}"), MemoryTransport(f"memory://{name}")
    _join(near, far)
    return near, far


def _join(near: MemoryTransport, far: MemoryTransport) -> None:
    there, back = _Pipe(), _Pipe()
    near.join(back, there)
    far.join(there, back)


class MemoryListener:
    """What `memory://name` opens while this object lives; a second listener of the same name is refused."""

    def __init__(self, name: str) -> None:
        name = name.lower()  # as in a URL's host
        if name in _listeners:
            raise Unavailable(f"memory://{name} is taken")
        self._name = name
        self._waiting: asyncio.Queue[MemoryTransport | None] = asyncio.Queue(BACKLOG)
        _listeners[name] = self

    @property
    def url(self) -> str:
        return f"memory://{self._name}"

    def connect(self, near: MemoryTransport) -> None:
        """Join `near` with a new far end; raises `Unavailable` when the backlog is full."""
        far = MemoryTransport(self.url, self._name)
        try:
            self._waiting.put_nowait(far)
        except asyncio.QueueFull:
            raise Unavailable(f"{self.url} does not answer") from None
        _join(near, far)

    async def accept(self) -> Transport:
        far = await self._waiting.get()
        if far is None:
            raise Unavailable(f"{self.url} is closed")
        return far

    async def close(self) -> None:
        if _listeners.get(self._name) is self:
            del _listeners[self._name]
        while not self._waiting.empty():
            if far := self._waiting.get_nowait():
                await far.close()
        self._waiting.put_nowait(None)
