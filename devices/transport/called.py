"""Websockets on which the device calls: one listening port here, each device known by where it calls from."""

from __future__ import annotations

import asyncio
import socket
from typing import Final

from websockets.asyncio.server import Server, ServerConnection, serve

from devices.transport.base import READ_LIMIT_BYTES, Transport, Unavailable, parse_url
from devices.transport.sockets import MESSAGE_LIMIT_BYTES, MESSAGES_LIMIT, PING_S, WebsocketTransport

CALL_TIMEOUT_S: Final = 15.0
"""A device that has not called within this time is unavailable; it is waited for again."""
ANYBODY: Final = "0.0.0.0"
_DIAL_S: Final = 0.05


class _Port:
    """One listening port and who is waited for, by host or anybody."""

    def __init__(self) -> None:
        self.waited: dict[str, asyncio.Queue[ServerConnection]] = {}
        self.live: dict[str, ServerConnection] = {}
        self.server: Server | None = None
        self.opening = asyncio.Lock()

    async def called(self, connection: ServerConnection) -> None:
        host = str(connection.remote_address[0])
        name = host if host in self.waited else ANYBODY
        queue = self.waited.get(name)
        if queue is None:
            return  # nobody's device: the connection ends
        if before := self.live.get(name):
            # A device that was restarted calls anew, while its old call looks alive for a while.
            await before.close()
        if queue.empty() and self.waited.get(name) is queue:
            queue.put_nowait(connection)
            await connection.wait_closed()


_ports: dict[int, _Port] = {}


class CalledTransport:
    """`ws://192.0.2.21?local=3348`: the device with this address calls our port; `0.0.0.0` is whoever calls.

    `open` waits for the call. Several devices may share a port, each with its own address.
    """

    def __init__(self, url: str) -> None:
        address = parse_url(url)
        if not address.host or address.port is not None:
            raise ValueError(f"a device that calls is ws://ITS-ADDRESS?local=OUR-PORT, not {url!r}")
        self._url, self._host, self._local = url, address.host, int(address.options["local"])
        self._name = ""
        self._inner: WebsocketTransport | None = None

    @property
    def url(self) -> str:
        return self._url

    async def open(self) -> None:
        await self.close()
        try:
            found = await asyncio.get_running_loop().getaddrinfo(self._host, None, family=socket.AF_INET)
            queue = await self._wait_at(str(found[0][4][0]))
            async with asyncio.timeout(CALL_TIMEOUT_S):
                connection = await queue.get()
        except BaseException as error:  # a wait that is cancelled gives the port back too
            await self.close()
            if isinstance(error, TimeoutError):
                raise Unavailable(f"{self._url}: the device has not called") from error
            if isinstance(error, OSError):
                raise Unavailable(f"{self._url}: {error}") from error
            raise
        _ports[self._local].live[self._name] = connection
        self._inner = WebsocketTransport(self._url, connection)

    async def _wait_at(self, host: str) -> asyncio.Queue[ServerConnection]:
        port = _ports.setdefault(self._local, _Port())
        if host in port.waited:
            raise Unavailable(f"{self._url}: another line waits for {host} at port {self._local}")
        queue: asyncio.Queue[ServerConnection] = asyncio.Queue(1)
        self._name, port.waited[host] = host, queue
        async with port.opening:  # lines start together
            if port.server is None:
                port.server = await serve(
                    port.called,
                    ANYBODY,
                    self._local,
                    ping_interval=PING_S,
                    ping_timeout=PING_S,
                    max_size=MESSAGE_LIMIT_BYTES,
                    max_queue=MESSAGES_LIMIT,
                    compression=None,
                )
        return queue

    async def read(self, limit_bytes: int = READ_LIMIT_BYTES) -> bytes:
        if self._inner is None:
            raise Unavailable(f"{self._url} is not open")
        return await self._inner.read(limit_bytes)

    async def write(self, data: bytes) -> None:
        if self._inner is None:
            raise Unavailable(f"{self._url} is not open")
        await self._inner.write(data)

    async def close(self) -> None:
        inner, self._inner = self._inner, None
        name, self._name = self._name, ""
        if name:
            port = _ports[self._local]
            queue = port.waited.pop(name)
            port.live.pop(name, None)
            if not port.waited:
                del _ports[self._local]
                if port.server is not None:
                    port.server.close(close_connections=False)
            if not queue.empty():
                await queue.get_nowait().close()
        if inner is not None:
            await inner.close()


class CallingListener:
    """The device's end of such a line, for emulators: it calls until it is let in."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._to = f"ws://127.0.0.1:{int(parse_url(url).options['local'])}/"
        self._closed = asyncio.Event()

    @property
    def url(self) -> str:
        return self._url

    async def accept(self) -> Transport:
        while not self._closed.is_set():
            end = WebsocketTransport(self._to)
            try:
                await end.open()
            except Unavailable:
                await asyncio.sleep(_DIAL_S)
            else:
                return end
        raise Unavailable(f"{self._url} is closed")

    async def close(self) -> None:
        self._closed.set()
