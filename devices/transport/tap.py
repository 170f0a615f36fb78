"""A witness beside a line: every byte that passes an emulator's end is told, and nothing is changed."""

from __future__ import annotations

from collections.abc import Callable

from devices.transport.base import READ_LIMIT_BYTES, Listener, Transport

Tap = Callable[[str, bytes], None]
"""Told ("rx" or "tx", bytes) as the device sees them: rx came from the host."""


class TappedTransport:
    """A transport whose bytes are told to `tap`."""

    def __init__(self, inner: Transport, tap: Tap) -> None:
        self._inner = inner
        self._tap = tap

    @property
    def url(self) -> str:
        return self._inner.url

    async def open(self) -> None:
        await self._inner.open()

    async def read(self, limit_bytes: int = READ_LIMIT_BYTES) -> bytes:
        data = await self._inner.read(limit_bytes)
        self._tap("rx", data)
        return data

    async def write(self, data: bytes) -> None:
        self._tap("tx", data)
        await self._inner.write(data)

    async def close(self) -> None:
        await self._inner.close()


class TappedListener:
    """A listener all of whose connections are tapped."""

    def __init__(self, inner: Listener, tap: Tap) -> None:
        self._inner = inner
        self._tap = tap

    @property
    def url(self) -> str:
        return self._inner.url

    async def accept(self) -> Transport:
        return TappedTransport(await self._inner.accept(), self._tap)

    async def close(self) -> None:
        await self._inner.close()
