"""A witness on the way between an agent and its server: every message of their websocket with its time, nothing changed."""

import asyncio
import contextlib
import json
import re
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

CHUNK = 65_536
_EXTENSIONS = re.compile(rb"Sec-WebSocket-Extensions:[^\r]*\r\n", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Told:
    """A message: when it passed (ms UTC, fractions too), and whether the agent said it."""

    t: float
    up: bool
    message: dict[str, Any]


@dataclass(slots=True)
class Messages:
    """The websocket messages of one direction (RFC 6455 5.2), whole or masked, never compressed or in fragments."""

    held: bytearray = field(default_factory=bytearray)
    begun: bool = False

    def feed(self, data: bytes) -> list[bytes]:
        """Payloads of the text frames that are whole now."""
        self.held += data
        if not self.begun:
            head, end, rest = bytes(self.held).partition(b"\r\n\r\n")
            if not end or b"upgrade: websocket" not in head.lower():
                return []
            self.begun, self.held = True, bytearray(rest)
        found = []
        while (frame := self._frame()) is not None:
            found += [frame[1]] if frame[0] == 1 else []
        return found

    def _frame(self) -> tuple[int, bytes] | None:
        held = self.held
        if len(held) < 2:
            return None
        size, at = held[1] & 0x7F, 2
        for mark, width in ((126, 2), (127, 8)):
            if size == mark:
                size, at = int.from_bytes(held[2 : 2 + width], "big"), 2 + width
                break
        mask = bytes(held[at : at + 4]) if held[1] & 0x80 else b"\0\0\0\0"
        at += 4 if held[1] & 0x80 else 0
        if len(held) < at + size:
            return None
        payload = bytes(byte ^ mask[n % 4] for n, byte in enumerate(held[at : at + size]))
        kind = held[0] & 0x0F
        del held[: at + size]
        return kind, payload


@contextlib.asynccontextmanager
async def witness(server: str, told: list[Told]) -> AsyncIterator[str]:
    """An address that reaches `server` (http://host:port); what agents and server say there goes to `told`."""
    where = urlsplit(server)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = await asyncio.open_connection(where.hostname, where.port)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_carry(reader, there[1], told, up=True))
                group.create_task(_carry(there[0], writer, told, up=False))
        except* OSError:
            pass  # one of the two has gone, as they do
        finally:
            for end in (there[1], writer):
                end.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    finally:
        listening.close()


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, told: list[Told], *, up: bool) -> None:
    messages = Messages()
    while data := await reader.read(CHUNK):
        now = time.time_ns() / 1e6
        # Without a compressed connection what passes can be read.
        data = _EXTENSIONS.sub(b"", data) if up and not messages.begun else data
        told += [Told(now, up, json.loads(payload)) for payload in messages.feed(data)]
        writer.write(data)
        await writer.drain()
    writer.write_eof()
