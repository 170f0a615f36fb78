"""The device's end of a pseudo-terminal, so that an emulator looks like a serial port."""

from __future__ import annotations

import asyncio
import contextlib
import os
import tty
from collections.abc import Callable
from pathlib import Path

from devices.transport.base import READ_LIMIT_BYTES, Transport, Unavailable


def _finish(done: asyncio.Future[None]) -> None:
    if not done.done():
        done.set_result(None)


class PtyTransport:
    """The master side of one pty; bytes written while nobody reads are lost once the kernel's buffer is full."""

    def __init__(self, master: int, slave: int, url: str) -> None:
        self._master = master
        # Kept open so that the master does not fail whenever the program on the port closes it.
        self._slave = slave
        self._url = url
        self._pending: asyncio.Future[None] | None = None
        self.lost_bytes = 0

    @property
    def url(self) -> str:
        return self._url

    async def open(self) -> None:
        raise Unavailable(f"{self._url} was accepted and cannot be opened again")

    async def _ready(self, add: Callable[..., object], remove: Callable[[int], object]) -> None:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        master = self._master
        self._pending = done
        add(master, _finish, done)
        try:
            await done
        finally:
            # close() has already taken the descriptor off the loop and may have given its number away.
            if self._master == master:
                remove(master)

    async def read(self, limit_bytes: int = READ_LIMIT_BYTES) -> bytes:
        loop = asyncio.get_running_loop()
        while self._master >= 0:
            try:
                if data := os.read(self._master, limit_bytes):
                    return data
                break
            except BlockingIOError:
                await self._ready(loop.add_reader, loop.remove_reader)
            except OSError as error:
                raise Unavailable(f"{self._url}: {error}") from error
        raise Unavailable(f"{self._url} is closed")

    async def write(self, data: bytes) -> None:
        if self._master < 0:
            raise Unavailable(f"{self._url} is closed")
        try:
            written = os.write(self._master, data)
        except BlockingIOError:
            written = 0
        except OSError as error:
            raise Unavailable(f"{self._url}: {error}") from error
        self.lost_bytes += len(data) - written
        await asyncio.sleep(0)

    async def close(self) -> None:
        """Unplug: whoever has the port open sees it hang up."""
        master, self._master = self._master, -1
        if master < 0:
            return
        asyncio.get_running_loop().remove_reader(master)
        if self._pending is not None:
            _finish(self._pending)
        for descriptor in (master, self._slave):
            with contextlib.suppress(OSError):
                os.close(descriptor)


class PtyListener:
    """Plugs a new pty in at each `accept`; `link` is a path that always points at the current one."""

    def __init__(self, link: str = "", baud: int = 9600) -> None:
        self._link = Path(link) if link else None
        self._baud = baud
        self._next: PtyTransport | None = self._plug_in()

    def _plug_in(self) -> PtyTransport:
        try:
            master, slave = os.openpty()
        except OSError as error:
            raise Unavailable(f"no pty: {error}") from error
        # Raw before anybody opens it: a fresh tty would echo our bytes back to us.
        tty.setraw(slave)
        os.set_blocking(master, False)
        path = os.ttyname(slave)
        if self._link is not None:
            try:
                fresh = self._link.with_name(self._link.name + ".new")
                fresh.unlink(missing_ok=True)
                fresh.symlink_to(path)
                fresh.replace(self._link)
            except OSError as error:
                for descriptor in (master, slave):
                    os.close(descriptor)
                raise Unavailable(f"no link {self._link}: {error.strerror}") from error
            path = str(self._link)
        self._url = f"serial://{path}?baud={self._baud}"
        return PtyTransport(master, slave, self._url)

    @property
    def url(self) -> str:
        return self._url

    async def accept(self) -> Transport:
        end, self._next = self._next or self._plug_in(), None
        return end

    async def close(self) -> None:
        if self._next is not None:
            await self._next.close()
        if self._link is not None:
            with contextlib.suppress(OSError):  # its folder may have gone
                self._link.unlink(missing_ok=True)
