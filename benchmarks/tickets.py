"""Tickets issued durably per second, against a handler that only answers."""

import contextlib
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec

from benchmarks import machine
from benchmarks.hall import Served, served
from benchmarks.load import Plan, Seen

CONNECTIONS = (1, 8, 64)


async def seen(plan: Plan) -> Seen:
    """The load, from a process of its own."""
    found = msgspec.json.decode(await machine.answer_of("load", msgspec.json.encode(plan)), type=Seen)
    if found.failed or not found.answers:
        raise RuntimeError(f"{found.failed} of {found.answers} answers were no success: {found.sample}")
    return found


@contextlib.asynccontextmanager
async def bare(folder: Path, answer: str | None) -> AsyncIterator[int]:
    """The port of the bare server, which gives `answer`."""
    arguments = []
    if answer is not None:
        path = folder / "answer.json"
        path.write_text(answer, encoding="utf-8")
        arguments = ["--answer", str(path)]
    process = await machine.process("bare", *arguments)
    assert process.stdout is not None
    try:
        yield int(await process.stdout.readline())
    finally:
        process.kill()
        await process.wait()


def _plan(hall: Served, connections: int, seconds: float) -> Plan:
    return Plan(
        port=hall.process.port,
        path=f"{hall.path}/tickets",
        headers=hall.kiosk,
        bodies=hall.take_bodies(),
        connections=connections,
        seconds=seconds,
    )


async def measure(folder: Path, seconds: float, rounds: int, database: str = "") -> list[dict[str, object]]:
    """One line a number of connections: medians over the rounds, each round a pair measured back to back."""
    found = []
    async with served(folder, database) as hall:
        first = await seen(_plan(hall, 1, 0.3))
        async with bare(folder, first.sample) as port:
            for connections in CONNECTIONS:
                plan = _plan(hall, connections, seconds)
                other = msgspec.structs.replace(plan, port=port, path="/tickets")
                pairs = [(await seen(plan), await seen(other)) for _ in range(rounds)]
                found.append(_line(connections, pairs))
    return found


def _line(connections: int, pairs: list[tuple[Seen, Seen]]) -> dict[str, object]:
    ratios = [hall.answers / hall.seconds / (bare.answers / bare.seconds) for hall, bare in pairs]
    median = machine.median
    return {
        "connections": connections,
        "tickets_per_s": round(median([hall.answers / hall.seconds for hall, _ in pairs])),
        "p50_ms": round(median([hall.p50_ms for hall, _ in pairs]), 2),
        "p99_ms": round(median([hall.p99_ms for hall, _ in pairs]), 2),
        "bare_per_s": round(median([bare.answers / bare.seconds for _, bare in pairs])),
        "bare_p50_ms": round(median([bare.p50_ms for _, bare in pairs]), 2),
        "bare_p99_ms": round(median([bare.p99_ms for _, bare in pairs]), 2),
        "answer_bytes": pairs[-1][0].answer_bytes,
        "ratio": round(median(ratios), 3),
        "ratios": [round(each, 3) for each in ratios],
    }


async def on_disk(base: Path, seconds: float, rounds: int) -> list[dict[str, object]]:
    """On SQLite in a folder under `base`."""
    with tempfile.TemporaryDirectory(dir=base) as folder:
        return await measure(Path(folder), seconds, rounds)
