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


async def seen(plan: Plan, pid: int) -> tuple[Seen, float]:
    """The load, from a process of its own, and the processor time (µs) that the server `pid` spent on each answer."""
    before = machine.cpu_s(pid)
    found = msgspec.json.decode(await machine.answer_of("load", msgspec.json.encode(plan)), type=Seen)
    if found.failed or not found.answers:
        raise RuntimeError(f"{found.failed} of {found.answers} answers were no success: {found.sample}")
    answers_with_warming = found.answers * (plan.seconds + plan.warm_s) / plan.seconds
    return found, (machine.cpu_s(pid) - before) / answers_with_warming * 1e6


@contextlib.asynccontextmanager
async def bare(folder: Path, answer: str | None) -> AsyncIterator[tuple[int, int]]:
    """Port and process id of the bare server, which gives `answer`."""
    arguments = []
    if answer is not None:
        path = folder / "answer.json"
        path.write_text(answer, encoding="utf-8")
        arguments = ["--answer", str(path)]
    process = await machine.process("bare", *arguments)
    assert process.stdout is not None
    try:
        yield int(await process.stdout.readline()), process.pid
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
        assert hall.process.process is not None
        pid = hall.process.process.pid
        first, _ = await seen(_plan(hall, 1, 0.3), pid)
        async with bare(folder, first.sample) as (port, bare_pid):
            for connections in CONNECTIONS:
                plan = _plan(hall, connections, seconds)
                other = msgspec.structs.replace(plan, port=port, path="/tickets")
                rows = [(*await seen(plan, pid), *await seen(other, bare_pid)) for _ in range(rounds)]
                pairs = [(row[0], row[2]) for row in rows]
                cpu_us = machine.median([row[1] for row in rows]), machine.median([row[3] for row in rows])
                found.append(_line(connections, pairs, cpu_us))
    return found


def _line(connections: int, pairs: list[tuple[Seen, Seen]], cpu_us: tuple[float, float]) -> dict[str, object]:
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
        "cpu_us": round(cpu_us[0]),
        "bare_cpu_us": round(cpu_us[1]),
        "answer_bytes": pairs[-1][0].answer_bytes,
        "ratio": round(median(ratios), 3),
        "ratios": [round(each, 3) for each in ratios],
    }


async def on_disk(base: Path, seconds: float, rounds: int) -> list[dict[str, object]]:
    """On SQLite in a folder under `base`."""
    with tempfile.TemporaryDirectory(dir=base) as folder:
        return await measure(Path(folder), seconds, rounds)
