"""Lines that can only be listened to: nothing here can write, and an open port's control lines are left alone."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Callable
from typing import Any, Final, Protocol, runtime_checkable

import serial

from devices.profiles.profile import Serial
from devices.transport import Transport, Unavailable, parse_url, transport
from devices.transport.base import READ_LIMIT_BYTES, Address
from devices.transport.serialports import FINDERS, find_port, wanted_port
from devices.transport.streams import serial_port_name

LISTENABLE: Final = ("serial", "tcp", "memory")
"""Schemes behind which a line speaks by itself; a datagram or websocket device must be asked, so it cannot be overheard."""
_POLL_S: Final = 0.1


class Tap(Protocol):
    """One line, read only; after `Unavailable` it may be opened again."""

    @property
    def url(self) -> str:
        """Where it listens."""

    async def open(self) -> None:
        """Begin to listen, or raise `Unavailable`."""

    async def read(self) -> bytes:
        """At least one byte; raises `Unavailable` when the line is gone."""

    async def close(self) -> None:
        """End listening. Never raises."""


@runtime_checkable
class SpeedTap(Tap, Protocol):
    """A serial line, which can be listened to at another speed without being opened anew."""

    def set_line(self, line: Serial) -> None:
        """Listen at this setting from now on; `Unavailable` when the port cannot do it."""


class TransportTap:
    """A transport of which only `open`, `read` and `close` can be reached."""

    def __init__(self, inner: Transport) -> None:
        self._open, self._read, self._close = inner.open, inner.read, inner.close
        self._url = inner.url

    @property
    def url(self) -> str:
        return self._url

    async def open(self) -> None:
        await self._open()

    async def read(self) -> bytes:
        return await self._read()

    async def close(self) -> None:
        await self._close()


class _NamedPort:
    """What serial taps of all systems share: which port, and how it is set."""

    def __init__(self, url: str) -> None:
        address = parse_url(url)
        self._url = url
        self._wanted = wanted_port(address)
        self._port = "" if self._wanted else serial_port_name(address)
        self._line = line_of(address)

    @property
    def url(self) -> str:
        return self._url

    async def _found(self) -> str:
        return await asyncio.to_thread(find_port, self._wanted) if self._wanted else self._port


class PosixTap(_NamedPort):
    """A serial port opened for reading only, so that the system itself refuses to write on it.

    No call sets DTR or RTS, and closing does not drop them (HUPCL is off). That Linux raises both when a port is opened is
    the kernel's doing: docs/devices/learn.md says how to wire for it.
    """

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._fd = -1
        self._pending: asyncio.Future[None] | None = None

    async def open(self) -> None:
        import fcntl  # noqa: PLC0415 - not on Windows

        await self.close()
        name = await self._found()
        try:
            self._fd = os.open(name, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            await self.close()
            raise Unavailable(f"{self._url}: another program has this port open") from error
        except OSError as error:
            await self.close()
            raise Unavailable(f"{self._url}: {error.strerror}") from error
        try:
            self.set_line(self._line)
        except Unavailable:
            await self.close()
            raise

    def set_line(self, line: Serial) -> None:
        import termios  # noqa: PLC0415 - not on Windows

        if self._fd < 0:  # unplugged: it is set when it is there again
            return
        speed = getattr(termios, f"B{line.baud}", None)
        if speed is None:
            raise Unavailable(f"{self._url}: this system has no speed {line.baud}")
        control = termios.CREAD | termios.CLOCAL | (termios.CS7 if line.bits == 7 else termios.CS8)
        control |= 0 if line.parity == "N" else termios.PARENB
        control |= termios.PARODD if line.parity == "O" else 0
        control |= 0 if line.stop == "1" else termios.CSTOPB
        characters: list[Any] = [0] * 32
        characters[termios.VMIN] = 1
        try:
            termios.tcsetattr(self._fd, termios.TCSANOW, [0, 0, control, 0, speed, speed, characters])
            termios.tcflush(self._fd, termios.TCIFLUSH)
        except termios.error as error:
            raise Unavailable(f"{self._url}: {error.args[-1]}") from error

    async def read(self) -> bytes:
        loop = asyncio.get_running_loop()
        while self._fd >= 0:
            try:
                if data := os.read(self._fd, READ_LIMIT_BYTES):
                    return data
                break
            except BlockingIOError:
                await self._ready(loop)
            except OSError as error:
                raise Unavailable(f"{self._url}: {error.strerror}") from error
        raise Unavailable(f"{self._url}: the other end is closed")

    async def _ready(self, loop: asyncio.AbstractEventLoop) -> None:
        fd, done = self._fd, loop.create_future()
        self._pending = done
        loop.add_reader(fd, _finish, done)
        try:
            await done
        finally:
            if self._fd == fd:
                loop.remove_reader(fd)

    async def close(self) -> None:
        fd, self._fd = self._fd, -1
        if fd < 0:
            return
        with contextlib.suppress(RuntimeError):
            asyncio.get_running_loop().remove_reader(fd)
        if self._pending is not None:
            _finish(self._pending)
        with contextlib.suppress(OSError):
            os.close(fd)


def _finish(done: asyncio.Future[None]) -> None:
    if not done.done():
        done.set_result(None)


class WindowsTap(_NamedPort):
    """A COM port with DTR and RTS left low, as they are while it is closed; the port's own `write` is never handed out."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._read: Callable[[], bytes] | None = None
        self._end: Callable[[], None] | None = None
        self._set: Callable[[Serial], None] | None = None

    async def open(self) -> None:
        await self.close()
        port = serial.Serial()
        port.port, port.timeout = await self._found(), _POLL_S
        port.dtr = port.rts = False

        def configure(line: Serial) -> None:
            port.baudrate, port.bytesize, port.parity, port.stopbits = (
                line.baud,
                line.bits,
                line.parity,
                float(line.stop),
            )

        configure(self._line)
        try:
            await asyncio.to_thread(port.open)
        except serial.SerialException as error:
            raise Unavailable(f"{self._url}: {error}") from error
        self._read, self._end, self._set = lambda: port.read(max(1, port.in_waiting)), port.close, configure

    def set_line(self, line: Serial) -> None:
        if self._set is not None:
            self._set(line)

    async def read(self) -> bytes:
        while self._read is not None:
            try:
                if data := await asyncio.to_thread(self._read):
                    return bytes(data)
            except serial.SerialException as error:
                raise Unavailable(f"{self._url}: {error}") from error
        raise Unavailable(f"{self._url} is not open")

    async def close(self) -> None:
        end, self._read, self._end, self._set = self._end, None, None, None
        if end is not None:
            with contextlib.suppress(OSError):
                end()


def line_of(address: Address) -> Serial:
    """How a serial URL sets its line; ValueError for an option that there is not."""
    options = address.options
    if unknown := set(options) - {"baud", "bits", "parity", "stop", *FINDERS}:
        raise ValueError(f"unknown serial option {sorted(unknown)[0]!r}")
    parity = options.get("parity", "N").upper()
    if parity not in ("N", "E", "O"):
        raise ValueError(f"parity is one of N, E, O, not {parity!r}")
    return Serial(int(options.get("baud", "9600")), int(options.get("bits", "8")), parity, options.get("stop", "1"))


def open_tap(url: str) -> Tap:
    """The tap of a URL, closed; ValueError when such a line cannot be overheard."""
    address = parse_url(url)
    if address.scheme not in LISTENABLE or "each" in address.options:
        raise ValueError(f"{url!r} cannot be overheard: {', '.join(f'{scheme}://' for scheme in LISTENABLE[:2])}")
    if address.scheme != "serial":
        return TransportTap(transport(url))
    return WindowsTap(url) if sys.platform == "win32" else PosixTap(url)
