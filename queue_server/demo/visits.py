"""Who comes, when, for what, and how each will behave: drawn from a day file with a seeded generator."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Final

from queue_server.domain.configuration import Configuration, Matter
from queue_server.domain.serving import Serving
from queue_server.forecast.daymodel import DayModel

FURTHER_FILING: Final = 0.6
DIRECT_SHARE: Final = 0.03
"""Walk up to a free window without a number (hall-district.md has no figure; our own)."""
TWO_MATTERS: Final = 0.03
IDENTIFIED: Final = 0.5
PHONE_RATING: Final = 0.15
ABANDON_AFTER_S: Final = 30 * 60
BUNDLE_SD: Final = 0.4
LONGEST_S: Final = 60 * 60
"""What takes longer at the window is left there and collected."""
LEVELS: Final = ((5, 0.82), (4, 0.13), (3, 0.05))


@dataclass(slots=True)
class Visit:
    """One citizen's errand. Times are simulated seconds; `at_s` counts from the first ticket of the day."""

    at_s: float
    matters: tuple[str, ...]
    bundle: str
    quantity: int
    priority: str
    identity: str
    language: str
    service_s: float
    leaves_after_s: float | None
    comes: bool
    returns: bool
    wrong: bool
    rates: bool
    level: int
    by_phone: bool
    direct: bool


class Visitors:
    """Draws visits for one hall and one kind of day."""

    def __init__(self, configuration: Configuration, model: DayModel, day: str, random: Random) -> None:
        self._model, self._day, self._random = model, day, random
        self._serving = Serving(configuration)
        self._priorities = {each.id for each in configuration.priority}
        self._bundles = configuration.bundle
        self._matters = [m for m in configuration.matter if m.offered and self._serving.windows_for([m.id])]
        factors = model.kind(day).factors
        self._shares = [(m.share or 0.01) * factors.get(m.domain, 1.0) for m in self._matters]
        self._starts = [_minutes(slot.at) for slot in model.slot]
        self._identities = 0

    def slot_s(self, index: int) -> float:
        """When a slot begins, seconds after the first."""
        return (self._starts[index] - self._starts[0]) * 60.0

    def morning(self, minutes: float) -> list[Visit]:
        """Everybody who comes within `minutes` of the first slot, in order of arrival."""
        total = self._model.kind(self._day).tickets
        visits = [self._visit() for _ in range(total)]
        return sorted((v for v in visits if v.at_s < minutes * 60), key=lambda visit: visit.at_s)

    def without_end(self, crowd: int) -> Iterator[Visit]:
        """A crowd at once, then people for ever, as often as in the busiest half hour."""
        weights = self._model.weights(self._day)
        gap_s = 1800 / (self._model.kind(self._day).tickets * max(weights))
        at_s = 0.0
        for count in range(1_000_000_000):
            visit = self._visit()
            at_s += 0 if count < crowd else self._random.expovariate(1 / gap_s)
            visit.at_s = at_s
            yield visit

    def _visit(self) -> Visit:
        random, people = self._random, self._model.population
        matter = random.choices(self._matters, self._shares)[0]
        bundle = random.choice(self._bundles).id if self._bundles and random.random() < people.bundle else ""
        matters = () if bundle else self._wanted(matter)
        quantity = 1 if bundle or len(matters) > 1 else self._quantity(matter)
        priority = self._priority()
        weights = self._model.weights(self._day, "" if bundle else matter.domain, elder="elder" in matter.tags)
        slot = random.choices(range(len(weights)), weights)[0]
        length_s = (
            min(1800.0, (self._starts[slot + 1] - self._starts[slot]) * 60) if slot + 1 < len(weights) else 1800.0
        )
        return Visit(
            at_s=self.slot_s(slot) + random.random() * length_s,
            matters=matters,
            bundle=bundle,
            quantity=quantity,
            priority=priority,
            identity=self._identity() if random.random() < IDENTIFIED else "",
            language="en" if random.random() < 0.02 else "zh",
            service_s=min(LONGEST_S, self._service_s(matters, bundle, quantity)),
            leaves_after_s=ABANDON_AFTER_S * random.uniform(1, 1.5)
            if random.random() < people.abandon_after_30min
            else None,
            comes=random.random() >= people.ticket_no_show,
            returns=random.random() < people.returns_after_no_show,
            wrong=not bundle and len(matters) == 1 and random.random() < people.wrong_ticket,
            rates=random.random() < people.rated,
            level=random.choice((1, 2)) if random.random() < people.bad_rating else _drawn(random, LEVELS),
            by_phone=random.random() < PHONE_RATING,
            direct=not bundle and random.random() < DIRECT_SHARE,
        )

    def _wanted(self, matter: Matter) -> tuple[str, ...]:
        if self._random.random() >= TWO_MATTERS:
            return (matter.id,)
        other = self._random.choices(self._matters, self._shares)[0]
        return tuple(dict.fromkeys((matter.id, other.id)))

    def _quantity(self, matter: Matter) -> int:
        people = self._model.population
        if self._random.random() < people.agent:
            mean = people.agent_mean_quantity
        else:
            mean = people.mean_quantity_company if matter.target == "法人" else people.mean_quantity_person
        # Geometric: one, and each further filing with the chance that gives the mean.
        quantity = 1
        while quantity < 10 and self._random.random() < 1 - 1 / mean:
            quantity += 1
        return quantity

    def _priority(self) -> str:
        drawn, total = self._random.random(), 0.0
        for name, share in self._model.population.priorities.items():
            total += share
            if drawn < total:
                return name if name in self._priorities else ""
        return ""

    def _identity(self) -> str:
        """An invented identity number: the area 000000 belongs to nobody."""
        self._identities += 1
        return f"00000019700101{self._identities:04d}"

    def _service_s(self, matters: tuple[str, ...], bundle: str, quantity: int) -> float:
        if bundle:
            mean = next(each.minutes for each in self._bundles if each.id == bundle)
            return 60 * lognormal(self._random, mean, mean * BUNDLE_SD)
        known = {m.id: m for m in self._matters}
        drawn = sum(lognormal(self._random, known[name].minutes, known[name].sd_minutes) for name in matters)
        return 60 * drawn * (1 + FURTHER_FILING * (quantity - 1))


def lognormal(random: Random, mean: float, sd: float) -> float:
    """Log-normal with this mean and standard deviation."""
    variance = math.log(1 + (sd / mean) ** 2) if sd > 0 else 0.0
    return random.lognormvariate(math.log(mean) - variance / 2, math.sqrt(variance))


def _drawn(random: Random, shares: tuple[tuple[int, float], ...]) -> int:
    return random.choices([value for value, _ in shares], [share for _, share in shares])[0]


def _minutes(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)
