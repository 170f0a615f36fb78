"""What one decision costs without store or network: issuing and calling next at 10, 1,000 and 100,000 waiting tickets."""

import argparse
import gc
import json
import random
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from queue_server.app.hallfile import load
from queue_server.domain import commands as c
from queue_server.domain.decide import decide
from queue_server.domain.errors import Rejected
from queue_server.domain.events import encode_event
from queue_server.domain.evolve import evolve
from queue_server.domain.model import Hall, empty_hall
from queue_server.wire.common import TicketState

START_MS = 1_767_229_200_000
SIZES = (10, 1_000, 100_000)


class Day:
    """A hall with the matters of a hall file by their shares, every window open, 30 % priority, 20 % cancelled."""

    def __init__(self, text: str, seed: int) -> None:
        configuration, _ = load(text)
        if configuration is None:
            raise SystemExit("the hall file does not load")
        self.random = random.Random(seed)
        self.hall: Hall = empty_hall(configuration)
        self.now, self.made = START_MS, 0
        served = [m for m in configuration.matter if m.offered and not self.hall.serving.unserved([m.id])]
        self.matters = [matter.id for matter in served]
        self.weights = [matter.share or 0.01 for matter in served]
        self.classes = [each.id for each in configuration.priority]
        self.windows = [window.id for window in configuration.window]
        self.wanted: list[tuple[str, str]] = []
        self.do(c.OpenDay(day="2026-01-05"))
        self.do(c.StartDay())
        for window in self.windows:
            self.do(c.OpenWindow(window=window, staff=f"s{window}", staff_name=""))

    def do(self, command: c.Command) -> None:
        """Decided, evolved and encoded, as the hub does it."""
        for event in decide(self.hall, command, c.Context(now=self.now, minute=600, actor="b")).events:
            self.hall = evolve(self.hall, event)
            encode_event(event)

    def issue(self) -> c.TakeTicket:
        if not self.wanted:
            chosen = self.random.choices(self.matters, self.weights, k=1024)
            some = self.random
            self.wanted = [(m, some.choice(self.classes) if some.random() < 0.3 else "") for m in chosen]
        matter, priority = self.wanted.pop()
        self.made += 1
        self.now += 7
        return c.TakeTicket(id=f"t{self.made}", matters=(matter,), priority=priority, origin="kiosk:1")

    def fill(self, waiting: int) -> None:
        """Until so many wait; every fifth ticket is cancelled at a random moment."""
        alive: list[str] = []
        while self.hall.waiting < waiting:
            command = self.issue()
            self.do(command)
            alive.append(command.id)
            if self.random.random() < 0.2 and len(alive) > 1:
                at = self.random.randrange(len(alive))
                alive[at], alive[-1] = alive[-1], alive[at]
                name = alive.pop()
                if self.hall.tickets[name].state is TicketState.WAITING:
                    self.do(c.CancelTicket(ticket=name))


class Figures:
    """Times in ns of calls and of issues."""

    def __init__(self) -> None:
        self.calls: list[int] = []
        self.issues: list[int] = []

    def medians_us(self) -> dict[str, float]:
        return {name: round(statistics.median(found) / 1000, 1) for name, found in self.named()}

    def named(self) -> list[tuple[str, list[int]]]:
        return [("call_next_us", self.calls), ("issue_us", self.issues)]


def timed(work: Callable[[], None]) -> int:
    start = time.perf_counter_ns()
    work()
    return time.perf_counter_ns() - start


def turn(day: Day, waiting: int, names: list[str], into: Figures) -> None:
    """Every window calls once; each call is followed by a ticket, so that as many wait at every call.

    Counted are the calls that do the same at every size: the citizen in hand is finished and invited, the next one called.
    """
    for name in names:
        day.now += 3000
        day.made += 1
        command = c.CallNext(window=name, service=f"s{day.made}")
        before = day.hall.called, day.hall.served
        with suppress(Rejected):
            took = timed(lambda command=command: day.do(command))  # type: ignore[misc]
        if day.hall.called > before[0] and day.hall.served > before[1]:
            into.calls.append(took)
        while day.hall.waiting < waiting:
            ticket = day.issue()
            into.issues.append(timed(lambda ticket=ticket: day.do(ticket)))  # type: ignore[misc]


def measure(text: str, rounds: int, turns: int, seed: int) -> dict[int, list[Figures]]:
    """Figures of each round by the number waiting; the halls take turns, so that a busy machine slows them alike."""
    days = {size: Day(text, seed) for size in SIZES}
    for size, day in days.items():
        day.fill(size)
    gc.collect()
    gc.freeze()
    names = list(days[SIZES[0]].windows)
    random.Random(seed).shuffle(names)
    found: dict[int, list[Figures]] = {size: [] for size in SIZES}
    for _ in range(rounds):
        for size in SIZES:
            found[size].append(Figures())
        for _ in range(turns):
            for size, day in days.items():
                turn(day, size, names, found[size][-1])
    gc.unfreeze()
    return found


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.decisions", description=__doc__)
    parser.add_argument("--hall", type=Path, default=Path("config/district.toml"))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--turns", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    text = asked.hall.read_text(encoding="utf-8")
    rounds = measure(text, asked.rounds, asked.turns, asked.seed)
    medians = {size: [figures.medians_us() for figures in each] for size, each in rounds.items()}
    names = ("call_next_us", "issue_us")
    found = {
        size: {name: statistics.median(row[name] for row in rows) for name in names} for size, rows in medians.items()
    }
    pairs = list(zip(medians[SIZES[-1]], medians[SIZES[0]], strict=True))
    ratio = {name: round(statistics.median(last[name] / first[name] for last, first in pairs), 2) for name in names}
    if asked.json:
        sys.stdout.write(json.dumps({"waiting": found, "ratio": ratio}) + "\n")
    else:
        for size, row in found.items():
            sys.stdout.write(
                f"{size:>8,} waiting: {row['call_next_us']:6.1f} µs a call, {row['issue_us']:6.1f} µs an issue\n"
            )
        sys.stdout.write(f"last to first: {ratio['call_next_us']} calls, {ratio['issue_us']} issues\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
