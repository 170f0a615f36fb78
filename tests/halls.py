"""A small hall to try rules on: given events, when a command, then events or the code."""

from collections import deque
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar

from msgspec import Struct
from sortedcontainers import SortedList

from queue_server.app.projection import project
from queue_server.domain import commands as c
from queue_server.domain import events as e
from queue_server.domain.catalogue import Catalogue
from queue_server.domain.configuration import (
    Bundle,
    Configuration,
    Device,
    Domain,
    Identity,
    Matter,
    NoShowPolicy,
    Policy,
    Priority,
    Window,
    WindowKind,
    Zone,
)
from queue_server.domain.decide import decide
from queue_server.domain.errors import Rejected
from queue_server.domain.events import VERSION, decode_event, encode_event
from queue_server.domain.evolve import evolve
from queue_server.domain.model import Hall, Line, Ticket, empty_hall
from queue_server.domain.serving import Serving
from queue_server.store.port import NewEvent, Upsert
from queue_server.wire.common import TicketState

EventT = TypeVar("EventT", bound=e.Event)
NINE_MS = 1_767_574_800_000
MINUTE_MS = 60_000


def window(name: str, *domains: str, **more: Any) -> Window:
    return Window(id=name, name="综合窗口", zone="A", domains=domains, **{"kind": WindowKind.DOMAIN, **more})


def configuration(
    *, windows: tuple[Window, ...] = (), devices: tuple[Device, ...] = (), **policy: Any
) -> Configuration:
    """Pensions and cards at 1 and 2, taxes at 3, all of them away from home at 3 or 4; bundles at 5, complaints at 6."""
    if "no_show" in policy:
        policy["no_show"] = NoShowPolicy(policy["no_show"])
    return Configuration(
        hall=Identity(id="h", name="厅"),
        policy=Policy(**policy),
        zone=(Zone(id="A", name="一区"),),
        domain=(
            Domain(id="social", name="社保", prefix="A"),
            Domain(id="tax", name="税务", prefix="B"),
            Domain(id="desk", name="有诉即办", prefix="C"),
        ),
        window=windows
        or (
            window("1", "social"),
            window("2", "social"),
            window("3", "social", "tax", home=("tax",)),
            window("4", "social", "tax", kind=WindowKind.GENERAL, home=("none",)),
            window("5", kind=WindowKind.BUNDLE, bundles=True),
            window("6", "desk", kind=WindowKind.GRIEVANCE),
        ),
        matter=(
            Matter(id="pension", name="养老", domain="social", minutes=10),
            Matter(id="card", name="社保卡", domain="social", minutes=10),
            Matter(id="tax", name="报税", domain="tax", minutes=10),
            Matter(id="complaint", name="反映", domain="desk", minutes=10),
            Matter(id="gone", name="停办", domain="social", offered=False),
        ),
        bundle=(Bundle(id="birth", name="新生儿出生", prefix="E"),),
        priority=(
            Priority(id="elder", name="老年人", credit_min=15),
            Priority(id="soldier", name="军人", credit_min=30),
            Priority(id="huge", name="过大", credit_min=90),
        ),
        device=devices,
    )


PAD = Device(id="pad1", agent="a", kind="rating_pad", url="memory:x", window="1")


LEAVES = frozenset({str, int, bool, type(None)})


def plain(value: object) -> Any:
    """The state as plain values that compare; tables derived from the configuration are left out."""
    if type(value) in LEAVES:
        return value
    if isinstance(value, Line):
        return value.queue, value.credit_ms, list(value.entries), value.head and value.head[:4]
    if isinstance(value, Struct) and not value.__struct_config__.frozen:
        return {name: plain(getattr(value, name)) for name in value.__struct_fields__}
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(value)
    if isinstance(value, list | deque | SortedList):
        return [plain(each) for each in value]
    return None if isinstance(value, Serving | Catalogue) else value


class Play:
    """A hall whose commands are tried one after another; every decision is checked to have touched nothing (DESIGN 8)."""

    def __init__(
        self, config: Configuration | None = None, *, sit: str = "1", start: bool = True, **policy: Any
    ) -> None:
        self.initial = config or configuration(**policy)
        self.hall: Hall = empty_hall(self.initial)
        self.now = NINE_MS
        self.minute = 540
        self.request = ""
        self.log: list[e.Event] = []
        self.made = 0
        self.do(c.OpenDay(day="2026-01-05"))
        if start:
            self.do(c.StartDay())
        for name in sit:
            self.sit(name)

    def _context(self, clerk: str, may_call_numbers: bool) -> c.Context:
        return c.Context(
            now=self.now,
            minute=self.minute,
            actor="test",
            clerk=clerk,
            may_call_numbers=may_call_numbers,
            request=self.request,
        )

    def do(self, command: c.Command, *, clerk: str = "", may: bool = True) -> list[e.Event]:
        """The events, as they come back from the journal, applied."""
        before = plain(self.hall)
        try:
            decided = decide(self.hall, command, self._context(clerk, may))
        finally:
            assert plain(self.hall) == before, "decide touched the hall"
        self.subject = decided.subject
        return self.apply(decided.events)

    def apply(self, events: list[e.Event]) -> list[e.Event]:
        texts = [encode_event(event) for event in events]
        read = [decode_event(type(event).__name__, VERSION, text) for event, text in zip(events, texts, strict=True)]
        for event, text in zip(events, texts, strict=True):
            assert _projected(event, text, event) == _projected(event, text, None), "the text says something else"
        for event in read:
            self.hall = evolve(self.hall, event)
        self.log += read
        return read

    def code(self, command: c.Command, *, clerk: str = "", may: bool = True) -> str:
        """The code of the rejection, whose own events are applied as the hub does; "" when it was allowed."""
        try:
            self.do(command, clerk=clerk, may=may)
        except Rejected as rejected:
            self.rejected = rejected
            self.apply([event for event in rejected.events if isinstance(event, e.Event)])
            return rejected.code
        return ""

    def wait(self, seconds: float) -> None:
        self.now += int(seconds * 1000)

    def name(self, kind: str) -> str:
        self.made += 1
        return f"{kind}{self.made}"

    def sit(self, name: str) -> None:
        self.do(c.OpenWindow(window=name, staff=f"s{name}", staff_name=f"员{name}"))

    def take(self, *matters: str, **more: Any) -> Ticket:
        """A ticket (for a pension when nothing else is asked for), a second after the last thing that happened."""
        self.wait(1)
        wanted = () if "bundle" in more else matters or ("pension",)
        self.do(c.TakeTicket(id=self.name("t"), matters=wanted, **more))
        return self.hall.tickets[self.subject]

    def next(self, at: str = "1", **more: Any) -> str:
        """The number that the window's next press calls; "" when none was."""
        found = self.do(c.CallNext(window=at, service=self.name("v")), **more)
        return next((x.number for x in found if isinstance(x, e.TicketCalled)), "")

    def press_next(self, at: str = "1") -> str:
        """The code of a press of the next key."""
        return self.code(c.CallNext(window=at, service=self.name("v")))

    def serve(self, at: str = "1") -> str:
        """Call whoever is next and serve them to the end; the number."""
        number = self.next(at)
        self.wait(5)
        self.do(c.Arrive(window=at))
        self.wait(60)
        self.do(c.Finish(window=at))
        return number

    def miss(self, at: str = "1") -> e.Event:
        """The ticket in hand does not come, with a reason."""
        self.wait(2)
        return self.do(c.MarkNoShow(window=at, reason="没来"))[0]

    def direct(self, at: str = "1") -> str:
        """A direct service, finished; its id."""
        name = self.name("v")
        self.do(c.ServeDirect(window=at, service=name))
        self.wait(60)
        self.do(c.Finish(window=at))
        return name

    def state(self, ticket: Ticket) -> TicketState:
        return self.hall.tickets[ticket.id].state

    def order(self, at: str = "1") -> list[str]:
        """The numbers in the order in which the window serves them if nothing else happens; serves them all."""
        found = []
        while self.hall.waiting:
            number = self.next(at)
            if not number:
                break
            found.append(number)
            self.wait(1)
            self.do(c.Arrive(window=at))
            self.do(c.Finish(window=at))
        return found


def only(events: list[e.Event], kind: type[EventT]) -> EventT:
    """The one event of that kind."""
    found = [event for event in events if isinstance(event, kind)]
    assert len(found) == 1, [type(event).__name__ for event in events]
    return found[0]


def kinds(events: list[e.Event]) -> list[str]:
    return [type(event).__name__ for event in events]


def _projected(event: e.Event, text: str, known: e.Event | None) -> list[Upsert]:
    """What the reports' tables are told of an event, as it is written or as it is read again."""
    subject = "configuration" if isinstance(event, e.ConfigurationApplied | e.ConfigurationPlanned) else "queue"
    return list(project(NewEvent(subject, "", 0, "", "", type(event).__name__, VERSION, text, known)))


def replayed(initial: Configuration, log: list[e.Event]) -> Hall:
    """The hall that the events give, from an empty one with another configuration than the real one if asked."""
    hall = empty_hall(initial)
    for event in log:
        hall = evolve(hall, decode_event(type(event).__name__, VERSION, encode_event(event)))
    return hall
