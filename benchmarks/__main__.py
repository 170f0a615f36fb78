"""`python -m benchmarks [--json]`: every figure of the project, measured on this machine now.

Figures, never assertions: what they should reach is printed beside them, and what the machine was doing.
"""

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import callnext, day, displays, lines, machine, tickets
from tests.postgres import binaries, running

Line = dict[str, object]


async def _postgres(seconds: float, rounds: int, base: Path) -> list[Line]:
    """The tickets once more, on a PostgreSQL that is started here."""
    if binaries() is None:
        return [{"left_out": "PostgreSQL's server binaries are not on this machine"}]
    with tempfile.TemporaryDirectory(dir=base) as made, running() as server:
        return await tickets.measure(Path(made), seconds, rounds, server.fresh())


async def _listed(line: Coroutine[Any, Any, Line]) -> list[Line]:
    return [await line]


async def _call_next(calls: int) -> list[Line]:
    return await asyncio.to_thread(callnext.measure, calls)


def _parts(chosen: argparse.Namespace) -> dict[str, tuple[str, Callable[[], Coroutine[Any, Any, list[Line]]]]]:
    seconds, rounds, base = chosen.seconds, chosen.rounds, chosen.folder
    return {
        "tickets": (
            "tickets issued durably per second; ratio to a bare aiohttp handler (reach 0.4 at 64)",
            lambda: tickets.on_disk(base, seconds, rounds),
        ),
        "postgres": ("the same on PostgreSQL", lambda: _postgres(seconds, rounds, base)),
        "displays": (
            "from a clerk's request to the last of 1,000 displays; ratio to a bare broadcast (at most 1.5)",
            lambda: _listed(displays.measure(base, chosen.calls, rounds)),
        ),
        "call-next": (
            "one call-next, decided and evolved, by how many wait (flat within 1.25)",
            lambda: _call_next(chosen.calls * 50),
        ),
        "day": (
            "a day of 40,000 events: memory (growth of the last half at most 0.05) and restart",
            lambda: _listed(day.measure(base, chosen.events)),
        ),
        "lines": (
            "from a key's last byte to the strip's, ms: the demo's morning on 24 windows, on lines as slow as real ones",
            lambda: lines.measure(base.resolve(), chosen.minutes, chosen.speed),
        ),
    }


async def measure(chosen: argparse.Namespace, told: Console) -> dict[str, object]:
    """All chosen parts in turn, with the machine's load before and after each."""
    command = f"python -m benchmarks {' '.join(sys.argv[1:])}".strip()
    found: dict[str, object] = {"command": command, "machine": machine.described()}
    for name, (title, work) in _parts(chosen).items():
        if name not in chosen.only:
            continue
        before = machine.load()
        with told.status(title):
            lines = await work()
        found[name] = {"load_before": before, "load_after": machine.load(), "lines": lines}
        if not chosen.json:
            told.print(_table(f"{title}\nload {before[0]} before, {machine.load()[0]} after", lines))
    return found


def _table(title: str, lines: list[Line]) -> Table:
    table = Table(title=title, title_justify="left")
    for name in lines[0]:
        table.add_column(name, justify="right")
    for line in lines:
        table.add_row(*(str(value) for value in line.values()))
    return table


def main() -> int:
    parts = ["tickets", "displays", "call-next", "day"]
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON document instead of tables")
    parser.add_argument(
        "--only", nargs="+", choices=[*parts, "postgres", "lines"], default=parts, help="these parts alone"
    )
    parser.add_argument("--seconds", type=float, default=4.0, help="how long each number of connections is loaded")
    parser.add_argument("--rounds", type=int, default=3, help="pairs to take the median of")
    parser.add_argument("--calls", type=int, default=20, help="calls a round that 1,000 displays hear")
    parser.add_argument("--events", type=int, default=day.EVENTS, help="how long the day is")
    parser.add_argument("--minutes", type=float, default=120.0, help="how long the morning on the lines is")
    parser.add_argument("--speed", type=float, default=30.0, help="how many times faster its people live; lines do not")
    parser.add_argument("--folder", type=Path, default=Path(), help="a folder on the disk to measure")
    chosen = parser.parse_args()
    console = Console(stderr=chosen.json)
    found = asyncio.run(measure(chosen, console))
    if chosen.json:
        sys.stdout.write(json.dumps(found, ensure_ascii=False) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
