"""What a hall's day looks like from outside: volumes, arrivals and shares, the input of demos and simulations."""

import msgspec


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of every table of a day file: an unknown key is an error."""


class DayKind(Part, frozen=True, kw_only=True):
    """[[day]]: `tickets` a day, arriving by the weights of `arrivals`; `factors` multiply the share of some domains."""

    id: str
    tickets: int
    arrivals: str = "weekday"
    factors: dict[str, float] = {}
    note: str = ""


class Slot(Part, frozen=True, kw_only=True):
    """[[slot]]: the half hour that begins at `at` (HH:MM) with one weight for each kind of arrivals."""

    at: str
    weights: dict[str, float]


class Pattern(Part, frozen=True, kw_only=True):
    """[[pattern]]: when some domains come earlier or later than the rest; one factor a slot, in the slots' order."""

    id: str
    factors: tuple[float, ...]
    note: str = ""


class DomainHabit(Part, frozen=True, kw_only=True):
    """[[habit]]: the pattern of a domain's arrivals (empty = plain) and its share of booked visits, 0…1."""

    domain: str
    pattern: str = ""
    appointment: float | None = None


class Shift(Part, frozen=True, kw_only=True):
    """[[lunch]]: between two local times only the windows of `open` serve."""

    begins: str
    ends: str
    open: tuple[str, ...]


class Population(Part, frozen=True, kw_only=True):
    """[population]: shares of tickets, 0…1, and means; `priorities` by class id.

    `bad_rating` is a share of the ratings, `abandon_after_30min` of those who waited so long, `appointment_no_show` of
    the booked, `returns_after_no_show` of the no-shows.
    """

    priorities: dict[str, float]
    appointment: float
    appointment_no_show: float
    ticket_no_show: float
    returns_after_no_show: float
    abandon_after_30min: float
    agent: float
    mean_quantity: float
    mean_quantity_person: float
    mean_quantity_company: float
    agent_mean_quantity: float
    wrong_ticket: float
    incomplete_materials: float
    bundle: float
    rated: float
    bad_rating: float


class Service(Part, frozen=True, kw_only=True):
    """[service]: minutes from call to arrival; service itself is log-normal by the matter's minutes and sd_minutes."""

    call_to_arrival_min: float = 0.5


class DayModel(Part, frozen=True, kw_only=True):
    """A whole day file. Shares of matters are in the hall file (`share` of 1,000 tickets)."""

    hall: str
    population: Population
    service: Service = Service()
    elder_pattern: str = ""
    day: tuple[DayKind, ...]
    slot: tuple[Slot, ...]
    pattern: tuple[Pattern, ...] = ()
    habit: tuple[DomainHabit, ...] = ()
    lunch: tuple[Shift, ...] = ()

    def kind(self, day: str) -> DayKind:
        """The day of that id. Raises KeyError."""
        for kind in self.day:
            if kind.id == day:
                return kind
        raise KeyError(day)

    def weights(self, day: str, domain: str = "", elder: bool = False) -> tuple[float, ...]:
        """The chance of arriving in each slot, summing to 1, for one domain's visitors on one kind of day."""
        kind = self.kind(day)
        habits = {habit.domain: habit.pattern for habit in self.habit}
        name = self.elder_pattern if elder and self.elder_pattern else habits.get(domain, "")
        factors = next((pattern.factors for pattern in self.pattern if pattern.id == name), (1.0,) * len(self.slot))
        raw = [slot.weights[kind.arrivals] * factor for slot, factor in zip(self.slot, factors, strict=True)]
        return tuple(weight / sum(raw) for weight in raw)


def parse_day(text: str) -> DayModel:
    """A day file's text. Raises msgspec.DecodeError, of which msgspec.ValidationError is one."""
    return msgspec.toml.decode(text, type=DayModel)
