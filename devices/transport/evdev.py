"""Bytes of one Linux input device, taken away from the desktop while it is open."""

from __future__ import annotations

import asyncio
import errno
import os
import stat
import sys
from typing import Final

from devices.transport.base import READ_LIMIT_BYTES, Unavailable, parse_url
from devices.transport.holders import hold, let_go, node_port

EVIOCGRAB: Final = 0x40044590
"""linux/input.h: give all events of the device to this descriptor alone."""
_WHY: Final = {
    errno.EACCES: "may not be read: add this user to the group input",
    errno.EBUSY: "is taken by another program",
    errno.ENOENT: "is not plugged in",
    errno.ENODEV: "is not plugged in",
}


class EvdevTransport:
    """`evdev:///dev/input/by-id/…-event-kbd`: read only. `?grab=false` leaves the keys to the desktop as well.

    What is no device node, such as a pipe, is read without a grab.
    """

    def __init__(self, url: str) -> None:
        address = parse_url(url)
        if not address.path or address.host:
            raise ValueError("an evdev URL has three slashes: evdev:///dev/input/by-id/…")
        if sys.platform != "linux":
            raise ValueError("devices that type are read on Linux only; on Windows give a scanner a serial port")
        if unknown := set(address.options) - {"grab"}:
            raise ValueError(f"unknown evdev option {sorted(unknown)[0]!r} in {url!r}")
        self._url = url
        self._path = address.path
        self._grab = address.options.get("grab", "true").lower() not in ("0", "false", "no")
        self._file = -1
        self._waiting: asyncio.Future[None] | None = None

    @property
    def url(self) -> str:
        return self._url

    async def open(self) -> None:
        await self.close()
        file = -1
        if self._grab:
            hold(node_port(self._path), self)
        try:
            file = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            if self._grab and stat.S_ISCHR(os.fstat(file).st_mode):
                _grab(file)
        except OSError as error:
            if file >= 0:
                os.close(file)
            let_go(self)
            raise Unavailable(f"{self._path} {_WHY.get(error.errno or 0, error.strerror)}") from error
        self._file = file

    async def read(self, limit_bytes: int = READ_LIMIT_BYTES) -> bytes:
        while self._file >= 0:
            try:
                data = os.read(self._file, limit_bytes)
            except BlockingIOError:
                await self._ready()
            except OSError as error:
                raise Unavailable(f"{self._path} {_WHY.get(error.errno or 0, error.strerror)}") from error
            else:
                if data:
                    return data
                raise Unavailable(f"{self._path} has ended")
        raise Unavailable(f"{self._path} is not open")

    async def _ready(self) -> None:
        loop, file = asyncio.get_running_loop(), self._file
        waiting: asyncio.Future[None] = loop.create_future()
        self._waiting = waiting
        loop.add_reader(file, _finish, waiting)
        try:
            await waiting
        finally:
            # close() has already taken the descriptor off the loop and may have given its number away.
            if self._file == file:
                loop.remove_reader(file)

    async def write(self, data: bytes) -> None:
        raise Unavailable(f"{self._path} is only read")

    async def close(self) -> None:
        file, self._file = self._file, -1
        if file < 0:
            return
        asyncio.get_running_loop().remove_reader(file)
        os.close(file)  # gives the grab back
        let_go(self)
        if self._waiting is not None:
            _finish(self._waiting)


def _grab(file: int) -> None:
    import fcntl  # noqa: PLC0415 - not on Windows

    fcntl.ioctl(file, EVIOCGRAB, 1)


def _finish(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_result(None)
