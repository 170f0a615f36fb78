"""What one "call next" costs, decided and evolved, with few and with very many waiting: in process, the domain alone."""

import random
import time

from benchmarks import machine
from benchmarks.hall import SEED, district, matters
from queue_server.domain import commands as c
from queue_server.domain.calling import upcoming
from queue_server.domain.commands import Context
from queue_server.domain.configuration import Configuration
from queue_server.domain.decide import Decision, decide
from queue_server.domain.evolve import evolve
from queue_server.domain.model import Hall, empty_hall

SIZES = (10, 1_000, 100_000)
PRIORITY = 0.3
CANCELLED = 0.2
START = 1_740_974_400_000


class Day:
    """A hall with `size` waiting, matters by their share; each call is followed by a new ticket."""

    def __init__(self, configuration: Configuration, size: int) -> None:
        self.size = size
        self.hall: Hall = empty_hall(configuration)
        self._dice = random.Random(SEED)
        self._now, self._names = START, 0
        self._matters = [each.id for each in matters(configuration, self._dice, 20_000)]
        self._classes = [each.id for each in configuration.priority]
        self.windows = [each.id for each in configuration.window]
        self.carry(c.ApplyConfiguration(configuration=configuration, source="benchmark"))
        self.carry(c.OpenDay(day="2025-03-03"))
        self.carry(c.StartDay())
        for number, window in enumerate(self.windows):
            self.carry(c.OpenWindow(window=window, staff=f"c{number}", staff_name="", take_over=False))
        while self.hall.waiting < size:
            self.take()
        self.took_ns: list[int] = []

    def context(self) -> Context:
        self._now += 40
        return Context(now=self._now, minute=600, actor="benchmark")

    def carry(self, command: c.Command) -> Decision:
        """Decide and evolve."""
        decision = decide(self.hall, command, self.context())
        for event in decision.events:
            self.hall = evolve(self.hall, event)
        return decision

    def take(self) -> None:
        """A ticket, of which one in five is given back at once."""
        self._names += 1
        priority = self._dice.choice(self._classes) if self._dice.random() < PRIORITY else ""
        name = f"t{self._names}"
        self.carry(c.TakeTicket(id=name, matters=(self._dice.choice(self._matters),), priority=priority, origin="b"))
        if self._dice.random() < CANCELLED:
            self.carry(c.CancelTicket(ticket=name))

    def call(self, window: str) -> None:
        """One timed call at an idle window; then the service, its end and a new ticket, which are not timed."""
        self._names += 1
        command = c.CallNext(window=window, service=f"s{self._names}")
        context = self.context()
        begun = time.perf_counter_ns()
        for event in decide(self.hall, command, context).events:
            self.hall = evolve(self.hall, event)
        self.took_ns.append(time.perf_counter_ns() - begun)
        self.carry(c.Arrive(window=window))
        self.carry(c.Finish(window=window, outcome="done"))
        while self.hall.waiting < self.size:
            self.take()

    def someone_for(self, window: str) -> bool:
        """Whether anybody waits whom the window serves: with ten waiting, not always."""
        return bool(upcoming(self.hall, window, self._now, 1))


def measure(calls: int) -> list[dict[str, object]]:
    """One line a size. The sizes take turns call by call, so that other work on the machine meets all of them alike."""
    configuration = district()
    days = [Day(configuration, size) for size in SIZES]
    done = turn = 0
    while done < calls:
        window = days[0].windows[turn % len(days[0].windows)]
        turn += 1
        if all(day.someone_for(window) for day in days):
            done += 1
            for day in days:
                day.call(window)
    medians = [machine.median([float(each) for each in day.took_ns]) / 1e3 for day in days]
    return [
        {
            "waiting": day.size,
            "calls": calls,
            "p50_us": round(median, 1),
            "p99_us": round(sorted(day.took_ns)[int(calls * 0.99)] / 1e3, 1),
            "ratio_to_fewest": round(median / medians[0], 3),
            "ratio_to_1000": round(median / medians[1], 3),
        }
        for day, median in zip(days, medians, strict=True)
    ]
