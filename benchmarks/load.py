"""The load of the benchmarks, in a process of its own: one HTTP request after another on kept connections.

`python -m benchmarks.load < PLAN` reads a JSON `Plan` and prints a JSON `Seen`.
"""

import asyncio
import random
import sys
import time
from typing import cast

import msgspec
import uvloop


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """`headers` are ready lines without the key and the length; a body is picked at random for each request."""

    port: int
    path: str
    headers: list[str]
    bodies: list[str]
    connections: int
    seconds: float
    warm_s: float = 0.5


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What came back within the time; `failed` counts answers that were no 2xx, `sample` is one body."""

    answers: int
    failed: int
    seconds: float
    p50_ms: float
    p99_ms: float
    answer_bytes: int
    sample: str


class Connection(asyncio.Protocol):
    """Sends the next request as soon as the answer to the last one is whole."""

    def __init__(self, plan: Plan, dice: random.Random) -> None:
        head = f"POST {plan.path} HTTP/1.1\r\nHost: 127.0.0.1:{plan.port}\r\n" + "".join(
            f"{line}\r\n" for line in plan.headers
        )
        self._parts = [
            (head + f"Content-Length: {len(body.encode())}\r\nIdempotency-Key: ", "\r\n\r\n" + body)
            for body in plan.bodies
        ]
        self._dice = dice
        self._sent_at = 0.0
        self._buffer = b""
        self.took: list[float] = []
        self.failed = 0
        self.last = b""
        self.over = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's own class is no subclass of it
        self._send()

    def _send(self) -> None:
        before, after = self._parts[int(self._dice.random() * len(self._parts))]
        key = f"{time.time_ns() // 1_000_000:012x}{self._dice.getrandbits(80):020x}"  # as the kiosk's page makes them
        self._sent_at = time.perf_counter()
        self._transport.write(f"{before}{key}{after}".encode())

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        at = self._buffer.find(b"Content-Length: ", 0, end) + 16
        length = int(self._buffer[at : self._buffer.find(b"\r", at)])
        if len(self._buffer) < end + 4 + length:
            return
        self.took.append(time.perf_counter() - self._sent_at)
        self.failed += self._buffer[9:10] != b"2"
        self.last, self._buffer = self._buffer[end + 4 :], b""
        if not self.over:
            self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.over:
            self.failed += 1


async def run(plan: Plan) -> Seen:
    """Load for the warm-up and the time that counts."""
    loop, dice = asyncio.get_running_loop(), random.Random(1)
    connections = [
        (await loop.create_connection(lambda: Connection(plan, dice), "127.0.0.1", plan.port))[1]
        for _ in range(plan.connections)
    ]
    await asyncio.sleep(plan.warm_s)
    for each in connections:
        each.took.clear()
    began = time.perf_counter()
    await asyncio.sleep(plan.seconds)
    spent = time.perf_counter() - began
    for each in connections:
        each.over = True
    took = sorted(seconds for each in connections for seconds in each.took)
    sample = connections[0].last
    return Seen(
        answers=len(took),
        failed=sum(each.failed for each in connections),
        seconds=spent,
        p50_ms=took[len(took) // 2] * 1e3 if took else 0.0,
        p99_ms=took[int(len(took) * 0.99)] * 1e3 if took else 0.0,
        answer_bytes=len(sample),
        sample=sample.decode(),
    )


if __name__ == "__main__":
    seen = uvloop.run(run(msgspec.json.decode(sys.stdin.buffer.read(), type=Plan)))
    sys.stdout.buffer.write(msgspec.json.encode(seen))
