"""Transports over UDP: each write is one datagram, each read gives bytes of one."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections import deque
from typing import Any, Final

from devices.transport.base import READ_LIMIT_BYTES, Transport, Unavailable, parse_url

DATAGRAMS_LIMIT: Final = 64
"""Datagrams that may wait to be read; one more pushes out the oldest, as on a serial line."""
PEERS_LIMIT: Final = 8
DATAGRAM_LIMIT_BYTES: Final = 1472
"""What passes an Ethernet in one piece; no device of ours says more at once."""


class Mailbox:
    """Datagrams of one peer that wait for their reader."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._waiting: deque[bytes] = deque(maxlen=DATAGRAMS_LIMIT)
        self._changed = asyncio.Event()
        self._end = ""
        self.lost = 0

    def put(self, data: bytes) -> None:
        self.lost += len(self._waiting) == DATAGRAMS_LIMIT
        self._waiting.append(data)
        self._changed.set()

    def end(self, reason: str) -> None:
        """No more will come; what waits may still be read."""
        self._end = self._end or reason
        self._changed.set()

    async def read(self, limit_bytes: int) -> bytes:
        while not self._waiting:
            if self._end:
                raise Unavailable(f"{self._name}: {self._end}")
            self._changed.clear()
            await self._changed.wait()
        data = self._waiting.popleft()
        if len(data) > limit_bytes:
            self._waiting.appendleft(data[limit_bytes:])
        return data[:limit_bytes]

    @property
    def ended(self) -> bool:
        """Whether the peer is known to be gone."""
        return bool(self._end)


class _Socket(asyncio.DatagramProtocol):
    """One UDP socket and whom its datagrams are for: by host, or anybody under the empty name."""

    def __init__(self) -> None:
        self.boxes: dict[str, Mailbox] = {}

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        if data and (box := self.boxes.get(addr[0]) or self.boxes.get("")):
            box.put(data)

    def error_received(self, exc: Exception) -> None:
        """Nobody listens over there now: that datagram is lost, and its driver misses the answer."""


_shared: dict[int, tuple[asyncio.DatagramTransport, _Socket]] = {}
"""Sockets by their local port: several devices may report to the same one."""


class UdpTransport:
    """`udp://host:port` hears only that host and port; `?local=7791` sends from this port and hears all of the host's.

    Nothing tells that a device is gone, so an open line means only that datagrams can be sent.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        address = parse_url(url)
        if not address.host or not address.port:
            raise ValueError(f"udp URL needs host and port: {url!r}")
        if unknown := set(address.options) - {"local"}:
            raise ValueError(f"unknown udp option {sorted(unknown)[0]!r} in {url!r}")
        self._host, self._port = address.host, address.port
        self._local = int(address.options.get("local", "0"))
        self._box: Mailbox | None = None
        self._endpoint: asyncio.DatagramTransport | None = None
        self._to: tuple[str, int] | None = None

    @property
    def url(self) -> str:
        return self._url

    async def open(self) -> None:
        await self.close()
        loop = asyncio.get_running_loop()
        box = Mailbox(self._url)
        try:
            found = await loop.getaddrinfo(self._host, self._port, family=socket.AF_INET, type=socket.SOCK_DGRAM)
            host = str(found[0][4][0])
            if self._local:
                endpoint, protocol = await self._share()
                if host in protocol.boxes:
                    raise Unavailable(f"{self._url}: another line hears {host} at port {self._local}")
                self._to, protocol.boxes[host] = (host, self._port), box
            else:
                endpoint, protocol = await loop.create_datagram_endpoint(_Socket, remote_addr=(host, self._port))
                protocol.boxes[""] = box
        except OSError as error:
            raise Unavailable(f"{self._url}: {error}") from error
        self._endpoint, self._box = endpoint, box

    async def _share(self) -> tuple[asyncio.DatagramTransport, _Socket]:
        if self._local not in _shared:
            loop = asyncio.get_running_loop()
            _shared[self._local] = await loop.create_datagram_endpoint(_Socket, local_addr=("0.0.0.0", self._local))
        return _shared[self._local]

    async def read(self, limit_bytes: int = READ_LIMIT_BYTES) -> bytes:
        if self._box is None:
            raise Unavailable(f"{self._url} is not open")
        return await self._box.read(limit_bytes)

    async def write(self, data: bytes) -> None:
        if self._endpoint is None or self._box is None or self._box.ended:
            raise Unavailable(f"{self._url} is not open")
        if len(data) > DATAGRAM_LIMIT_BYTES:
            raise Unavailable(f"{self._url}: {len(data)} bytes are more than a datagram of {DATAGRAM_LIMIT_BYTES}")
        self._endpoint.sendto(data, self._to)
        await asyncio.sleep(0)

    async def close(self) -> None:
        endpoint, box, to = self._endpoint, self._box, self._to
        self._endpoint = self._box = self._to = None
        if endpoint is None or box is None:
            return
        box.end("closed")
        if to is not None:
            boxes = _shared[self._local][1].boxes
            del boxes[to[0]]
            if boxes:
                return
            del _shared[self._local]
        endpoint.close()


class _Peer:
    """The far end of a UDP listener for one host and port."""

    def __init__(self, listener: UdpListener, address: tuple[str, int]) -> None:
        self._listener = listener
        self._address = address
        self.box = Mailbox(self.url)

    @property
    def url(self) -> str:
        return f"udp://{self._address[0]}:{self._address[1]}"

    async def open(self) -> None:
        raise Unavailable(f"{self.url} was accepted and cannot be opened again")

    async def read(self, limit_bytes: int = READ_LIMIT_BYTES) -> bytes:
        return await self.box.read(limit_bytes)

    async def write(self, data: bytes) -> None:
        if self.box.ended:
            raise Unavailable(f"{self.url} is closed")
        self._listener.send(data, self._address)
        await asyncio.sleep(0)

    async def close(self) -> None:
        self.box.end("closed")
        self._listener.forget(self._address)


class UdpListener(asyncio.DatagramProtocol):
    """A bound UDP socket for emulators; each new peer is a connection, until it is closed."""

    def __init__(self) -> None:
        self._peers: dict[tuple[str, int], _Peer] = {}
        self._waiting: asyncio.Queue[Transport | None] = asyncio.Queue(PEERS_LIMIT + 1)
        self._endpoint: asyncio.DatagramTransport | None = None
        self._url = ""

    @property
    def url(self) -> str:
        return self._url

    @classmethod
    async def start(cls, host: str, port: int) -> UdpListener:
        """Bind `host:port`, 0 takes a free one; raises `Unavailable`."""
        loop = asyncio.get_running_loop()
        try:
            endpoint, listener = await loop.create_datagram_endpoint(cls, local_addr=(host, port))
        except OSError as error:
            raise Unavailable(f"udp://{host}:{port}: {error}") from error
        listener._endpoint = endpoint
        listener._url = f"udp://{host}:{endpoint.get_extra_info('sockname')[1]}"
        return listener

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        address = (str(addr[0]), int(addr[1]))
        if address not in self._peers:
            if len(self._peers) >= PEERS_LIMIT:
                return
            self._peers[address] = _Peer(self, address)
            self._waiting.put_nowait(self._peers[address])
        self._peers[address].box.put(data)

    def send(self, data: bytes, address: tuple[str, int]) -> None:
        """To a peer; after `close` it is lost."""
        if self._endpoint is not None:
            self._endpoint.sendto(data, address)

    def forget(self, address: tuple[str, int]) -> None:
        """The next datagram from there is a new connection."""
        self._peers.pop(address, None)

    async def accept(self) -> Transport:
        end = await self._waiting.get()
        if end is None:
            raise Unavailable(f"{self._url} is closed")
        return end

    async def close(self) -> None:
        endpoint, self._endpoint = self._endpoint, None
        if endpoint is None:
            return
        endpoint.close()
        for peer in list(self._peers.values()):
            await peer.close()
        with contextlib.suppress(asyncio.QueueFull):
            self._waiting.put_nowait(None)
