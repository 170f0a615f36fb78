"""TCP devices that take one command a connection and close it after their answer."""

from __future__ import annotations

import asyncio
from typing import Final

from devices.transport.base import READ_LIMIT_BYTES, Unavailable, parse_url
from devices.transport.datagrams import Mailbox
from devices.transport.streams import CONNECT_TIMEOUT_S

ANSWER_TIMEOUT_S: Final = 10.0
ANSWER_LIMIT_BYTES: Final = 64 * 1024


class ExchangeTransport:
    """`tcp://host:port?each=true`: each write is a connection of its own, each read gives bytes of one answer.

    An open line means only that commands can be sent, as with UDP: one that finds nobody is lost, and its driver must miss the
    answer.
    """

    def __init__(self, url: str) -> None:
        address = parse_url(url)
        if not address.host or address.port is None:
            raise ValueError(f"tcp URL needs host and port: {url!r}")
        self._url, self._host, self._port = url, address.host, address.port
        self._box: Mailbox | None = None
        self._exchange: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        return self._url

    async def open(self) -> None:
        await self.close()
        self._box = Mailbox(self._url)

    async def read(self, limit_bytes: int = READ_LIMIT_BYTES) -> bytes:
        if self._box is None:
            raise Unavailable(f"{self._url} is not open")
        return await self._box.read(limit_bytes)

    async def write(self, data: bytes) -> None:
        if self._exchange is not None:
            await asyncio.wait((self._exchange,))
        box = self._box
        if box is None or box.ended:
            raise Unavailable(f"{self._url} is not open")
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                reader, writer = await asyncio.open_connection(self._host, self._port)
        except (OSError, TimeoutError):
            return
        writer.write(data)
        self._exchange = asyncio.create_task(_collect(reader, writer, box))

    async def close(self) -> None:
        box, self._box = self._box, None
        exchange, self._exchange = self._exchange, None
        if box is not None:
            box.end("closed")
        if exchange is not None:
            exchange.cancel()
            await asyncio.wait((exchange,))


async def _collect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, box: Mailbox) -> None:
    """One answer, up to the end of its connection; none when the device takes too long."""
    answer = bytearray()
    try:
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            while len(answer) < ANSWER_LIMIT_BYTES and (piece := await reader.read(READ_LIMIT_BYTES)):
                answer += piece
    except (OSError, TimeoutError):
        pass  # what came before may be whole
    finally:
        writer.transport.abort()
    if answer:
        box.put(bytes(answer))
