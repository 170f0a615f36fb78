"""From a clerk's request to the last of 1,000 displays, against a bare broadcast of the same bytes."""

import tempfile
from pathlib import Path

import msgspec

from benchmarks import machine
from benchmarks.hall import Served, served
from benchmarks.load import Plan as Load
from benchmarks.screens import Ask, Heard, Plan
from benchmarks.tickets import bare, seen

DISPLAYS = 1_000


def _asks(hall: Served, calls: int) -> list[Ask]:
    """Call (timed), arrive, finish; window after window, as long as there are calls."""
    asks: list[Ask] = []
    windows = [each.id for each in hall.configuration.window if each.domains]
    for number in range(calls):
        window = windows[number % len(windows)]
        for action, body in (("call-next", "{}"), ("arrive", "{}"), ("finish", '{"outcome":"done"}')):
            path = f"{hall.path}/windows/{window}/{action}"
            asks.append(Ask(path, hall.clerks[window], body, action == "call-next"))
    return asks


async def heard(plan: Plan) -> Heard:
    """The displays, in a process of their own."""
    return msgspec.json.decode(await machine.answer_of("screens", msgspec.json.encode(plan)), type=Heard)


async def measure(base: Path, calls: int, rounds: int, displays: int = DISPLAYS) -> dict[str, object]:
    """Medians over all calls; each round a pair measured back to back."""
    pairs = []
    with tempfile.TemporaryDirectory(dir=base) as folder:
        async with served(Path(folder)) as hall:
            assert hall.process.process is not None
            path = f"{hall.path}/tickets"
            bodies = hall.take_bodies()
            load = Load(port=hall.process.port, path=path, headers=hall.kiosk, bodies=bodies, connections=8, seconds=2)
            await seen(load, hall.process.process.pid)
            for _ in range(rounds):
                hello = [
                    msgspec.json.encode({"type": "hello", "token": hall.screen}).decode(),
                    '{"type":"subscribe","view":"hall","of":""}',
                ]
                plan = Plan(
                    port=hall.process.port,
                    live="/api/v1/live",
                    hello=hello,
                    answers=['"welcome"', '"snapshot"'],
                    displays=displays,
                    asks=_asks(hall, calls),
                    marker='"calls":[{',
                )
                ours = await heard(plan)
                async with bare(Path(folder), None) as (port, _):
                    says = [Ask("/say", ["Content-Type: application/json"], ours.frame, True)] * calls
                    theirs = await heard(
                        Plan(
                            port=port,
                            live="/live",
                            hello=[],
                            answers=[],
                            displays=displays,
                            asks=says,
                            marker='"calls":',
                        )
                    )
                pairs.append((ours, theirs))
    return _line(pairs, displays)


def _line(pairs: list[tuple[Heard, Heard]], displays: int) -> dict[str, object]:
    median = machine.median
    ratios = [median(ours.last_ms) / median(theirs.last_ms) for ours, theirs in pairs]
    ours_ms = sorted(each for ours, _ in pairs for each in ours.last_ms)
    return {
        "displays": displays,
        "calls": len(ours_ms),
        "frame_bytes": len(pairs[-1][0].frame.encode()),
        "first_p50_ms": round(median([each for ours, _ in pairs for each in ours.first_ms]), 1),
        "last_p50_ms": round(median(ours_ms), 1),
        "last_worst_ms": round(ours_ms[-1], 1),
        "bare_last_p50_ms": round(median([each for _, theirs in pairs for each in theirs.last_ms]), 1),
        "ratio": round(median(ratios), 3),
        "ratios": [round(each, 3) for each in ratios],
    }
