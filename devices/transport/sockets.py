"""Transports over websockets: each write is one message, each read gives bytes of one."""

from __future__ import annotations

import asyncio
from typing import Final

import websockets
from websockets.asyncio.client import connect
from websockets.asyncio.connection import Connection
from websockets.asyncio.server import Server, ServerConnection, serve

from devices.transport.base import READ_LIMIT_BYTES, Transport, Unavailable, parse_url

CONNECT_TIMEOUT_S: Final = 3.0
PING_S: Final = 10.0
"""A device that lost power is found out within twice this time."""
MESSAGE_LIMIT_BYTES: Final = 1024 * 1024
MESSAGES_LIMIT: Final = 16
BACKLOG: Final = 8


class WebsocketTransport:
    """`ws://host:port/path` or `wss://…`; what is UTF-8 is sent as text, anything else as a binary message."""

    def __init__(self, url: str, connection: Connection | None = None) -> None:
        address = parse_url(url)
        if not address.host:
            raise ValueError(f"a websocket URL needs a host: {url!r}")
        self._url = url
        self._accepted = connection is not None
        self._connection = connection
        self._rest = b""

    @property
    def url(self) -> str:
        return self._url

    async def open(self) -> None:
        if self._accepted:
            raise Unavailable(f"{self._url} was accepted and cannot be opened again")
        await self.close()
        try:
            self._connection = await connect(
                self._url,
                open_timeout=CONNECT_TIMEOUT_S,
                close_timeout=1,
                ping_interval=PING_S,
                ping_timeout=PING_S,
                max_size=MESSAGE_LIMIT_BYTES,
                max_queue=MESSAGES_LIMIT,
                compression=None,
                proxy=None,  # the device is in the hall
            )
        except (OSError, TimeoutError, websockets.WebSocketException) as error:
            raise Unavailable(f"{self._url}: {error or 'no answer'}") from error

    async def read(self, limit_bytes: int = READ_LIMIT_BYTES) -> bytes:
        while not self._rest:
            if self._connection is None:
                raise Unavailable(f"{self._url} is not open")
            try:
                message = await self._connection.recv()
            except (OSError, websockets.WebSocketException) as error:
                raise Unavailable(f"{self._url}: {error}") from error
            self._rest = message.encode() if isinstance(message, str) else message
        data, self._rest = self._rest[:limit_bytes], self._rest[limit_bytes:]
        return data

    async def write(self, data: bytes) -> None:
        if self._connection is None:
            raise Unavailable(f"{self._url} is not open")
        try:
            message: str | bytes = data.decode()
        except UnicodeDecodeError:
            message = data
        try:
            await self._connection.send(message)
        except (OSError, websockets.WebSocketException) as error:
            raise Unavailable(f"{self._url}: {error}") from error

    async def close(self) -> None:
        connection, self._connection, self._rest = self._connection, None, b""
        if connection is not None:
            await connection.close()


class WebsocketListener:
    """A listening websocket for emulators; port 0 takes a free one."""

    def __init__(self, server: Server, waiting: asyncio.Queue[Transport | None], url: str) -> None:
        self._server = server
        self._waiting = waiting
        self._url = url

    @property
    def url(self) -> str:
        return self._url

    @classmethod
    async def start(cls, host: str, port: int) -> WebsocketListener:
        """Listen at `host:port`, any path; raises `Unavailable`."""
        waiting: asyncio.Queue[Transport | None] = asyncio.Queue(BACKLOG + 1)

        async def connected(connection: ServerConnection) -> None:
            if waiting.qsize() < BACKLOG:
                waiting.put_nowait(WebsocketTransport(f"ws://{host}", connection))
                await connection.wait_closed()

        try:
            server = await serve(
                connected,
                host,
                port,
                ping_interval=PING_S,
                ping_timeout=PING_S,
                max_size=MESSAGE_LIMIT_BYTES,
                max_queue=MESSAGES_LIMIT,
                compression=None,
            )
        except OSError as error:
            raise Unavailable(f"ws://{host}:{port}: {error}") from error
        bound = next(iter(server.sockets)).getsockname()[1]
        return cls(server, waiting, f"ws://{host}:{bound}")

    async def accept(self) -> Transport:
        end = await self._waiting.get()
        if end is None:
            raise Unavailable(f"{self._url} is closed")
        return end

    async def close(self) -> None:
        self._server.close(close_connections=False)
        while not self._waiting.empty():
            if end := self._waiting.get_nowait():
                await end.close()
        self._waiting.put_nowait(None)
