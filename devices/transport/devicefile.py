"""Bytes of one character device: a USB printer that the kernel's usblp offers as a file."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import stat
import sys
from collections.abc import Callable, Iterator
from typing import Final

from devices.transport.base import READ_LIMIT_BYTES, Unavailable, parse_url
from devices.transport.holders import hold, let_go, node_port

PAUSE_S: Final = 0.02
"""After nothing could be read or written though the system said so: usblp does that while a printer is out of paper."""
_WHY: Final = {
    errno.EACCES: "may not be opened: add this user to the group lp",
    errno.EBUSY: "is taken by another program, such as CUPS",
    errno.ENOENT: "is not plugged in",
    errno.ENODEV: "is not plugged in",
    errno.ENXIO: "is not plugged in",
    errno.EIO: "was pulled out",
}


class FileTransport:
    """`file:///dev/usb/lp0`, better a name by its USB socket: read and written without ever waiting in the system.

    The name is looked up at each opening, so a printer that was pulled out and comes back is found again. A printer with
    one direction only is written to; reading it waits until it is closed.
    """

    def __init__(self, url: str) -> None:
        address = parse_url(url)
        if not address.path or address.host or address.options:
            raise ValueError("a device file has three slashes and no options: file:///dev/usb/lp0")
        if sys.platform == "win32":
            raise ValueError("a USB printer is no file on Windows: give it a serial or network port")
        self._url = url
        self._path = address.path
        self._file = -1
        self._waiting: set[asyncio.Future[None]] = set()

    @property
    def url(self) -> str:
        return self._url

    async def open(self) -> None:
        await self.close()
        hold(node_port(self._path), self)
        try:
            file = os.open(self._path, os.O_RDWR | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        except OSError as error:
            let_go(self)
            raise self._gone(error) from error
        if not stat.S_ISCHR(os.fstat(file).st_mode):
            os.close(file)  # a plain file there would swallow every ticket
            let_go(self)
            raise Unavailable(f"{self._path} is no device")
        self._file = file

    def _gone(self, error: OSError) -> Unavailable:
        return Unavailable(f"{self._path} {_WHY.get(error.errno or 0, error.strerror)}")

    async def read(self, limit_bytes: int = READ_LIMIT_BYTES) -> bytes:
        loop = asyncio.get_running_loop()
        while self._file >= 0:
            try:
                if data := os.read(self._file, limit_bytes):
                    return data
                await asyncio.sleep(PAUSE_S)  # usblp: an empty answer of the printer, not its end
            except BlockingIOError:
                await self._ready(loop.add_reader, loop.remove_reader)
            except OSError as error:
                if error.errno != errno.EINVAL:
                    raise self._gone(error) from error
                await self._closed()  # usblp: a printer that cannot answer
        raise Unavailable(f"{self._path} is not open")

    async def write(self, data: bytes) -> None:
        loop, rest = asyncio.get_running_loop(), memoryview(data)
        while rest:
            if self._file < 0:
                raise Unavailable(f"{self._path} is not open")
            try:
                rest = rest[os.write(self._file, rest) :]
            except BlockingIOError:
                await self._ready(loop.add_writer, loop.remove_writer)
                await asyncio.sleep(PAUSE_S)
            except OSError as error:
                raise self._gone(error) from error

    async def _ready(self, add: Callable[..., object], remove: Callable[[int], object]) -> None:
        file = self._file
        with self._future() as waiting:
            add(file, _finish, waiting)
            try:
                await waiting
            finally:
                # close() has already taken the descriptor off the loop and may have given its number away.
                if self._file == file:
                    remove(file)

    async def _closed(self) -> None:
        with self._future() as waiting:
            await waiting

    @contextlib.contextmanager
    def _future(self) -> Iterator[asyncio.Future[None]]:
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(waiting)
        try:
            yield waiting
        finally:
            self._waiting.discard(waiting)

    async def close(self) -> None:
        file, self._file = self._file, -1
        if file < 0:
            return
        loop = asyncio.get_running_loop()
        loop.remove_reader(file)
        loop.remove_writer(file)
        os.close(file)
        let_go(self)
        for waiting in self._waiting:
            _finish(waiting)


def _finish(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_result(None)
