"""Transports over asyncio streams: TCP sockets and serial ports."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
import threading
from concurrent.futures import Future
from typing import Final

import serial
import serial_asyncio_fast

from devices.transport.base import READ_LIMIT_BYTES, Address, Transport, Unavailable, parse_url
from devices.transport.holders import hold, let_go, node_port
from devices.transport.serialports import FINDERS, find_port, wanted_port

CONNECT_TIMEOUT_S: Final = 3.0
BACKLOG: Final = 8
_PARITIES: Final = {"N", "E", "O", "M", "S"}


class StreamTransport:
    """What TCP and serial share once a reader and a writer exist."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    @property
    def url(self) -> str:
        return self._url

    async def open(self) -> None:
        await self.close()
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                self._reader, self._writer = await self._connect()
        except (OSError, ValueError, TimeoutError) as error:
            raise Unavailable(f"{self._url}: {str(error) or 'no answer'}") from error

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        raise Unavailable(f"{self._url} was accepted and cannot be opened again")

    def adopt(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Use a connection that was accepted."""
        self._reader, self._writer = reader, writer

    async def read(self, limit_bytes: int = READ_LIMIT_BYTES) -> bytes:
        if self._reader is None:
            raise Unavailable(f"{self._url} is not open")
        try:
            data = await self._reader.read(limit_bytes)
        except OSError as error:  # serial.SerialException is an OSError
            raise Unavailable(f"{self._url}: {error}") from error
        if not data:
            raise Unavailable(f"{self._url}: the other end is closed")
        return data

    async def write(self, data: bytes) -> None:
        writer = self._writer
        # A stream whose transport has gone swallows writes in silence; the caller must hear of it.
        if writer is None or writer.transport.is_closing():
            raise Unavailable(f"{self._url} is not open")
        try:
            writer.write(data)
            await writer.drain()
        except OSError as error:
            raise Unavailable(f"{self._url}: {error}") from error

    async def close(self) -> None:
        reader, writer, self._reader, self._writer = self._reader, self._writer, None, None
        if writer is None:
            return
        # abort, not close: closing a serial port drains it first, which never ends on a line nobody reads.
        if not writer.transport.is_closing():
            writer.transport.abort()
        if reader is not None:
            reader.feed_eof()
        # A port that went away reports its own error again here; `read` has already told it.
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await writer.wait_closed()


class TcpTransport(StreamTransport):
    """`tcp://host:port`, for printers and serial-to-Ethernet gateways."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        address = parse_url(url)
        if not address.host or address.port is None:
            raise ValueError(f"tcp URL needs host and port: {url!r}")
        self._host, self._port = address.host, address.port

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection(self._host, self._port)
        tune_socket(writer)
        return reader, writer


def tune_socket(writer: asyncio.StreamWriter) -> None:
    """Find a gateway that lost power within half a minute, and send small frames at once."""
    sock: socket.socket = writer.get_extra_info("socket")
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (("TCP_KEEPIDLE", 10), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 4)):
        if hasattr(socket, option):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)


class SerialTransport(StreamTransport):
    """`serial:///dev/serial/by-path/…?baud=9600&bits=8&parity=N&stop=1`, `serial://?vid=1a86&pid=7523&sn=…&at=…`, COMn.

    A described port is looked up at each opening: it may come back under another name.
    """

    def __init__(self, url: str) -> None:
        super().__init__(url)
        address = parse_url(url)
        self._opening: Future[serial.Serial] | None = None
        self._wanted = wanted_port(address)
        self._port = "" if self._wanted else serial_port_name(address)
        options = address.options
        if unknown := set(options) - {"baud", "bits", "parity", "stop", *FINDERS}:
            raise ValueError(f"unknown serial option {sorted(unknown)[0]!r} in {url!r}")
        self._baud = int(options.get("baud", "9600"))
        self._bits = int(options.get("bits", "8"))
        self._stop = float(options.get("stop", "1"))
        self._parity = options.get("parity", "N").upper()
        if self._parity not in _PARITIES:
            raise ValueError(f"parity is one of N, E, O, M, S: {url!r}")

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._opening is not None and not self._opening.done():
            # Another thread would hang on the same port: one is enough.
            raise Unavailable(f"{self._url} does not let go of its last opening")
        opening: Future[serial.Serial]
        opening = self._opening = Future()
        opening.set_running_or_notify_cancel()
        # A thread that nobody waits for: one that is stuck in the driver must not keep the process from ending.
        threading.Thread(target=self._open_into, args=(opening,), name="serial-open", daemon=True).start()
        try:
            instance = await asyncio.wrap_future(opening)
        except asyncio.CancelledError:
            opening.add_done_callback(self._give_back)  # it may yet succeed, and nobody would use it
            raise
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(reader)
        try:
            stream, _ = await serial_asyncio_fast.connection_for_serial(loop, lambda: protocol, instance)
        except Exception as error:
            with contextlib.suppress(Exception):  # the first error says more
                instance.close()
            raise _refused(self._url, error) from error
        return reader, asyncio.StreamWriter(stream, protocol, reader, loop)

    def _open_into(self, opening: Future[serial.Serial]) -> None:
        try:
            instance = self._open_port()
        except BaseException as error:
            opening.set_exception(error)
        else:
            opening.set_result(instance)

    def _give_back(self, opening: Future[serial.Serial]) -> None:
        if opening.exception() is None:
            opening.result().close()
        let_go(self)

    def _open_port(self) -> serial.Serial:
        """Looked up and opened; a driver that is stuck holds its thread up, and no other."""
        port = find_port(self._wanted) if self._wanted else self._port
        hold(node_port(port), self)
        try:
            return serial.serial_for_url(
                port,
                baudrate=self._baud,
                bytesize=self._bits,
                parity=self._parity,
                stopbits=int(self._stop) if self._stop.is_integer() else self._stop,
                exclusive=True,
            )
        except Exception as error:
            raise _refused(self._url, error) from error

    async def open(self) -> None:
        try:
            await super().open()
        except BaseException:
            let_go(self)
            raise

    async def close(self) -> None:
        await super().close()
        let_go(self)


def _refused(url: str, error: Exception) -> Unavailable:
    """A port that cannot be used now, whatever pyserial raised: termios.error is no OSError, and Windows has no termios."""
    if isinstance(error, OSError) and error.errno in (errno.ENOENT, errno.EACCES):  # pyserial says both of them twice
        return Unavailable(f"{url}: {os.strerror(error.errno)}")
    return Unavailable(f"{url}: {error or type(error).__name__}")


def serial_port_name(address: Address) -> str:
    """The port's name for the operating system: a path under /dev, or COMn."""
    bare = (address.host or address.path.lstrip("/")).upper()
    if bare.startswith("COM") and bare[3:].isdigit():
        return bare
    if address.host or not address.path:
        raise ValueError("a serial URL has three slashes: serial:///dev/…")
    return address.path


class TcpListener:
    """A listening socket for emulators; port 0 takes a free one, `url` tells which."""

    def __init__(self, server: asyncio.Server, waiting: asyncio.Queue[Transport | None], url: str) -> None:
        self._server = server
        self._waiting = waiting
        self._url = url

    @property
    def url(self) -> str:
        return self._url

    @classmethod
    async def start(cls, host: str, port: int) -> TcpListener:
        """Listen at `host:port`; raises `Unavailable`."""
        waiting: asyncio.Queue[Transport | None] = asyncio.Queue(BACKLOG)

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            tune_socket(writer)
            end = StreamTransport(f"tcp://{host}")
            end.adopt(reader, writer)
            try:
                waiting.put_nowait(end)
            except asyncio.QueueFull:
                await end.close()

        try:
            server = await asyncio.start_server(connected, host, port)
        except OSError as error:
            raise Unavailable(f"tcp://{host}:{port}: {error}") from error
        bound = server.sockets[0].getsockname()[1]
        return cls(server, waiting, f"tcp://{host}:{bound}")

    async def accept(self) -> Transport:
        end = await self._waiting.get()
        if end is None:
            raise Unavailable(f"{self._url} is closed")
        return end

    async def close(self) -> None:
        self._server.close()
        while not self._waiting.empty():
            if end := self._waiting.get_nowait():
                await end.close()
        self._waiting.put_nowait(None)
