"""A line between the store and PostgreSQL that can be cut at a chosen word."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from enum import Enum, auto


class CutAt(Enum):
    """Where the line breaks: at BEGIN, at COMMIT before or after the server has got it; or COMMIT is swallowed, nothing closed."""

    NEVER = auto()
    BEGIN = auto()
    COMMIT_LOST = auto()
    COMMIT_ARRIVED = auto()
    SILENT = auto()


class Proxy:
    """Copies bytes both ways until the word comes by."""

    def __init__(self, server_port: int) -> None:
        self._server_port = server_port
        self.port = 0
        self.cut = CutAt.NEVER
        self._lines: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._lines.add(task)
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._server_port)
        down = asyncio.create_task(self._copy(up_reader, writer))
        try:
            while data := await reader.read(65536):
                if self.cut is CutAt.COMMIT_LOST and b"COMMIT" in data:
                    return
                if self.cut is CutAt.BEGIN and b"BEGIN" in data:
                    return
                if self.cut is CutAt.COMMIT_ARRIVED and b"COMMIT" in data:
                    down.cancel()
                    up_writer.write(data)
                    await up_reader.read(1)  # the server's answer has begun, so the commit is made
                    return
                if self.cut is not CutAt.SILENT or b"COMMIT" not in data:
                    up_writer.write(data)
        except ConnectionError:
            pass
        finally:
            down.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await down
            writer.transport.abort()
            up_writer.transport.abort()
            self._lines.discard(task)

    @staticmethod
    async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                writer.write(data)
            writer.close()

    async def stop(self) -> None:
        for line in list(self._lines):
            line.cancel()
        await asyncio.gather(*self._lines, return_exceptions=True)


@contextlib.asynccontextmanager
async def proxied(server_port: int) -> AsyncIterator[Proxy]:
    """A proxy on a free port."""
    proxy = Proxy(server_port)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        await proxy.stop()
