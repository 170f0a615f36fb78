"""Many displays in a process of their own, and the moment at which the last of them has heard.

`python -m benchmarks.screens < PLAN` reads a JSON `Plan` and prints a JSON `Heard`. Plain sockets and epoll: nothing here
is slow enough to be measured instead of the server.
"""

import base64
import json
import os
import selectors
import socket
import sys
import time
from typing import cast

import msgspec

from queue_server.wire.frames import PING

PONG = b"\x8a\x80" + bytes(4)
"""A client's answer to it (RFC 6455 5.5.3), masked with zeros."""


class Ask(msgspec.Struct, frozen=True):
    """One request; a `measured` one is timed until the last display has heard, others are only sent."""

    path: str
    headers: list[str]
    body: str
    measured: bool


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """`hello` are the messages of a new display, `answers` how many frames follow them; `marker` is in what is awaited."""

    port: int
    live: str
    hello: list[str]
    answers: list[str]
    displays: int
    asks: list[Ask]
    marker: str
    pause_s: float = 0.12


class Heard(msgspec.Struct, frozen=True):
    """Milliseconds from each measured request to the first and the last display, and what one of them heard."""

    first_ms: list[float]
    last_ms: list[float]
    frame: str


def masked(text: str) -> bytes:
    """A client's text frame (RFC 6455 5.2)."""
    data, mask = text.encode(), os.urandom(4)
    size = len(data)
    head = bytes((0x81, 0x80 | size)) if size < 126 else b"\x81\xfe" + size.to_bytes(2, "big")
    return head + mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(data))


def connect(plan: Plan) -> socket.socket:
    """A display that has said hello and has its answers."""
    made = socket.create_connection(("127.0.0.1", plan.port))
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    key = base64.b64encode(os.urandom(16)).decode()
    made.sendall(
        f"GET {plan.live} HTTP/1.1\r\nHost: 127.0.0.1:{plan.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    for message in plan.hello:
        made.sendall(masked(message))
    seen = b""
    wanted = [b"\r\n\r\n", *(answer.encode() for answer in plan.answers)]
    while not all(each in seen for each in wanted):
        more = made.recv(65536)
        if not more:
            raise ConnectionError(f"the server ended the connection: {seen!r}")
        seen += more
    made.setblocking(False)
    return made


def heard_by(display: socket.socket) -> bytes:
    """What came, with an answer to pings in it, as a browser gives; ConnectionError when the server ended the connection."""
    data = display.recv(1 << 20)
    if not data:
        raise ConnectionError("the server ended a display's connection")
    if PING in data:
        display.send(PONG)
    return data


class Displays:
    """All displays of a plan, and the clerk's own connection."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._clerk = socket.create_connection(("127.0.0.1", plan.port))
        self._clerk.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._selector = selectors.EpollSelector()
        for number in range(plan.displays):
            self._selector.register(connect(plan), selectors.EVENT_READ, number)
        self.frame = b""

    def _send(self, ask: Ask, key: str) -> None:
        head = "".join(f"{line}\r\n" for line in ask.headers)
        self._clerk.sendall(
            f"POST {ask.path} HTTP/1.1\r\nHost: 127.0.0.1:{self._plan.port}\r\n{head}Idempotency-Key: {key}\r\n"
            f"Content-Length: {len(ask.body.encode())}\r\n\r\n{ask.body}".encode()
        )

    def _answer(self) -> None:
        self._clerk.settimeout(20.0)
        answer = self._clerk.recv(65536)
        if answer[9:10] != b"2":
            raise RuntimeError(answer.decode(errors="replace"))

    def quiet(self) -> None:
        """Read until nothing has come for a moment."""
        until = time.monotonic() + self._plan.pause_s
        while time.monotonic() < until:
            for entry, _ in self._selector.select(max(0.0, until - time.monotonic())):
                heard_by(cast(socket.socket, entry.fileobj))

    def ask(self, ask: Ask, key: str) -> tuple[float, float] | None:
        """Milliseconds until the first and the last display heard, None when the request is not a measured one."""
        began = time.monotonic()
        self._send(ask, key)
        if not ask.measured:
            self._answer()
            return None
        first = last = 0.0
        waiting, marker = set(range(self._plan.displays)), self._plan.marker.encode()
        while waiting:
            found = self._selector.select(20.0)
            if not found:
                raise TimeoutError(f"{len(waiting)} displays heard nothing")
            for entry, _ in found:
                data = heard_by(cast(socket.socket, entry.fileobj))
                if marker in data and entry.data in waiting:
                    waiting.discard(entry.data)
                    last = time.monotonic()
                    first = first or last
                    self.frame = data
        self._answer()
        return (first - began) * 1e3, (last - began) * 1e3


def main() -> None:
    plan = msgspec.json.decode(sys.stdin.buffer.read(), type=Plan)
    displays, name = Displays(plan), os.urandom(4).hex()
    times = []
    for number, ask in enumerate(plan.asks):
        displays.quiet()
        found = displays.ask(ask, f"{name}-{number}")
        times += [found] if found is not None else []
    frames = displays.frame.decode(errors="replace")
    text, _ = json.JSONDecoder().raw_decode(frames[frames.rfind('{"type"', 0, frames.find(plan.marker)) :])
    frame = msgspec.json.encode(text).decode()
    heard = Heard([first for first, _ in times], [last for _, last in times], frame)
    sys.stdout.buffer.write(msgspec.json.encode(heard))


if __name__ == "__main__":
    main()
