"""The state of a hall on one day: changed only by `evolve`, read by everybody else."""

from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

from msgspec import Struct
from sortedcontainers import SortedList

from queue_server.domain.catalogue import Catalogue
from queue_server.domain.configuration import Configuration
from queue_server.domain.serving import Serving
from queue_server.wire.common import DeviceState, HallState, PrinterState, PrintState, TicketState, WindowState

Entry = tuple[int, int, int, str]
"""A key laid flat with the ticket's id behind it: compared in one step."""


class Key(NamedTuple):
    """Place in a queue (QUEUES 2.2): effective time in ms, the day's issue number, and a place behind that ticket."""

    effective_at: int
    issue: int
    behind: int = 0


class Stop(Struct, gc=False):
    """One stop of a ticket: what one window does in one visit.

    A transfer may tie it to a `window`, a `domain` or a member of `staff`, and say why (UX C-12); "" otherwise.
    """

    matters: tuple[str, ...]
    bundle: str
    queue: str
    done: bool = False
    window: str = ""
    domain: str = ""
    staff: str = ""
    staff_name: str = ""
    reason: str = ""

    @property
    def wanted(self) -> tuple[str, ...]:
        """What the citizen asked for: the bundle, or the matters."""
        return (self.bundle,) if self.bundle else self.matters


class Ticket(Struct, gc=False):
    """A numbered place. Times are ms UTC; `key` orders it, `credit_ms` is already inside the key.

    `service` is the one in hand or just finished, `services` all that began for it, each at its stop.
    """

    id: str
    number: str
    issue: int
    stops: list[Stop]
    quantity: int
    priority: str
    credit_ms: int
    key: Key
    issued_at: int
    person: str
    origin: str
    note: str
    language: str
    state: TicketState = TicketState.WAITING
    stop: int = 0
    window: str = ""
    service: str = ""
    services: list[str] = []
    called_at: int = 0
    last_call_at: int = 0
    first_called_at: int = 0
    calls: int = 0
    passes: int = 0
    delays: int = 0
    parked_until: int = 0
    aside_reason: str = ""
    aside_at: int = 0
    ended_at: int = 0
    print_state: PrintState = PrintState.NONE
    help_asked_at: int = 0
    ahead_at_issue: int = 0
    reprints: int = 0
    slips: int = 0
    wait_at_issue: tuple[int, int] = (-1, -1)
    moves: int = 0

    @property
    def current(self) -> Stop:
        return self.stops[self.stop]

    @property
    def base_at(self) -> int:
        """The time from which the wait counts, ms."""
        return self.key.effective_at + self.credit_ms


@dataclass(slots=True)
class Service:
    """What happened at one window for one citizen; `ticket` is "" when served directly."""

    id: str
    ticket: str
    window: str
    staff: str
    matters: tuple[str, ...]
    bundle: str
    quantity: int
    called_at: int
    started_at: int = 0
    finished_at: int = 0
    outcome: str = ""
    invited_at: int = 0
    invited_on: str = ""
    rating: str = ""
    inferred: list[str] = field(default_factory=list)
    cancelled: bool = False


@dataclass(slots=True)
class LastStep:
    """What the window did last, as far as it may be undone (law 11): finish or no-show.

    `moves` is the ticket's count just after the step: another count means that it has gone on since. `key` is the place
    that a no-show took away.
    """

    what: str
    ticket: str
    service: str
    at: int
    moves: int = 0
    key: Key | None = None


@dataclass(slots=True)
class Window:
    """A counter today. `ticket` and `service` are in hand while called or serving; `recent` were called here, newest first."""

    id: str
    state: WindowState = WindowState.CLOSED
    staff: str = ""
    staff_name: str = ""
    since: int = 0
    ticket: str = ""
    service: str = ""
    pause_reason: str = ""
    resumes_at: str = ""
    asked_at: int = 0
    served: int = 0
    invited: int = 0
    last: LastStep | None = None
    last_service: str = ""
    passed: deque[str] = field(default_factory=lambda: deque(maxlen=20))
    recent: deque[str] = field(default_factory=lambda: deque(maxlen=16))


@dataclass(slots=True)
class Alarm:
    """An exception that somebody should see; `id` is code and subject, so it is raised once."""

    id: str
    code: str
    subject: str
    level: str
    at: int
    figure: int
    window: str = ""
    staff: str = ""
    acknowledged_by: str = ""


@dataclass(slots=True)
class DeviceHealth:
    """The last reported health of a device, as far as it matters; `losses` counts today's, `since` is of the state (ms UTC)."""

    state: DeviceState = DeviceState.UNKNOWN
    printer: PrinterState | None = None
    offline_since: int = 0
    losses: int = 0
    since: int = 0
    error: str = ""


@dataclass(slots=True)
class DeviceTest:
    """The last test of a device today that somebody asked for (`test`: print, show, speak, light or rate); `outcome` "" while it runs."""

    id: str
    test: str
    at: int
    outcome: str = ""
    reason: str = ""


@dataclass(slots=True)
class Unmet:
    """A matter or bundle that was wanted and that nobody served: how often, when last, and by whom when (ms UTC)."""

    times: int = 0
    last_at: int = 0
    asked: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class GivenCalls:
    """Calls of given numbers by one member of staff at one window (RULES 23): how often by reason, and when last."""

    staff_name: str
    last_at: int = 0
    reasons: dict[str, int] = field(default_factory=dict)


class Line:
    """The waiting tickets of one queue and credit in order; `head` is the first, followed by the line itself."""

    __slots__ = ("credit_ms", "entries", "head", "queue")

    def __init__(self, queue: str, credit_ms: int) -> None:
        self.queue = queue
        self.credit_ms = credit_ms
        self.entries: SortedList[Entry] = SortedList()
        self.head: tuple[int, int, int, str, Line] | None = None


@dataclass(slots=True)
class Lines:
    """Who waits, as rules need it: lines by queue and credit, by the windows they are home or away for, and how many
    come before a key by the windows that are home.
    """

    queues: dict[str, dict[int, Line]] = field(default_factory=dict)
    home: dict[str, list[Line]] = field(default_factory=dict)
    away: dict[str, list[Line]] = field(default_factory=dict)
    keys: dict[frozenset[str], SortedList[Key]] = field(default_factory=dict)
    rivals: dict[str, list[SortedList[Key]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Mute:
    """No calls are spoken in a zone from `at` until `until`, ms UTC, as `by` wished."""

    at: int
    until: int
    by: str


@dataclass(slots=True)
class Hall:
    """One hall, one day. `serving` and `catalogue` are tables derived from `configuration`, never history.

    `closing` is what early closing says, Chinese and English, also while another message stands before it; `announced`
    when a kind of message was last spoken, ms UTC. `taken` counts the tickets of each matter and bundle. `muted` are the zones
    that staff muted today, also those that speak again. `noticed` says when and by whom an alarm was acknowledged that is shown
    beside `alarms`; it stands again when it began later.
    """

    configuration: Configuration
    serving: Serving
    catalogue: Catalogue
    version: int = 0
    day: str = ""
    previous_day: str = ""
    opened_at: int = 0
    state: HallState = HallState.BEFORE
    message: tuple[str, str, str] = ("", "", "")
    closing: tuple[str, str] = ("", "")
    announced: dict[str, int] = field(default_factory=dict)
    muted: dict[str, Mute] = field(default_factory=dict)
    planned: Configuration | None = None
    tickets: dict[str, Ticket] = field(default_factory=dict)
    numbers: dict[str, str] = field(default_factory=dict)
    by_sequence: dict[int, list[str]] = field(default_factory=dict)
    sequences: dict[str, int] = field(default_factory=dict)
    taken: dict[str, int] = field(default_factory=dict)
    issued: int = 0
    lines: Lines = field(default_factory=Lines)
    waiting: int = 0
    persons: dict[tuple[str, str], str] = field(default_factory=dict)
    windows: dict[str, Window] = field(default_factory=dict)
    services: dict[str, Service] = field(default_factory=dict)
    redeemed: set[str] = field(default_factory=set)
    rated_earlier: set[str] = field(default_factory=set)
    parked: set[str] = field(default_factory=set)
    asked_help: set[str] = field(default_factory=set)
    alarms: dict[str, Alarm] = field(default_factory=dict)
    noticed: dict[str, tuple[int, str]] = field(default_factory=dict)
    devices: dict[str, DeviceHealth] = field(default_factory=dict)
    tests: dict[str, DeviceTest] = field(default_factory=dict)
    unmet: int = 0
    unmet_of: dict[tuple[str, str], Unmet] = field(default_factory=dict)
    unmet_requests: set[tuple[str, str]] = field(default_factory=set)
    called: int = 0
    called_given: int = 0
    given: dict[tuple[str, str], GivenCalls] = field(default_factory=dict)
    no_shows: int = 0
    served: int = 0
    served_direct: int = 0
    invited: int = 0
    rated: int = 0
    wait_sum_ms: int = 0
    waits: deque[tuple[int, int]] = field(default_factory=lambda: deque(maxlen=200))

    @property
    def queues(self) -> dict[str, dict[int, Line]]:
        """Queue → credit → line."""
        return self.lines.queues


def empty_hall(configuration: Configuration) -> Hall:
    """A hall before its first day, with a closed window for each that the configuration names."""
    serving = Serving(configuration)
    return Hall(
        configuration=configuration,
        serving=serving,
        catalogue=Catalogue(configuration, serving),
        windows={window.id: Window(id=window.id) for window in configuration.window},
    )
