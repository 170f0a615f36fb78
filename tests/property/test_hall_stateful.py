"""The invariants of DESIGN 8 over any sequence of commands, with every policy, mixed windows, home groups and stops."""

from typing import Any

import msgspec
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from queue_server.domain import commands as c
from queue_server.domain import events as e
from queue_server.domain.configuration import Configuration
from queue_server.domain.errors import Rejected
from queue_server.domain.model import Hall
from queue_server.domain.queues import all_windows
from queue_server.wire.common import DeviceState, HallState, TicketState, WindowState
from tests.halls import PAD, Play, configuration, plain, replayed, window

MATTERS = ("pension", "card", "tax", "complaint")
WINDOWS = "123456"


def layouts(**policy: Any) -> list[Configuration]:
    """The usual hall, and one whose windows and homes are other ones, so that applying it moves who waits."""
    other = (
        window("1", "tax", home=("tax",)),
        window("2", "social", "tax", home=("social",)),
        window("3", "social"),
        window("4", "social", "tax", "desk"),
        window("5", bundles=True),
        window("6", "desk"),
    )
    return [configuration(devices=(PAD,), **policy), configuration(windows=other, devices=(PAD,), **policy)]


class AnyHall(RuleBasedStateMachine):
    """Everything that may be asked of a hall, in any order; a rejection changes nothing but what it records."""

    def __init__(self) -> None:
        super().__init__()
        self.numbers: set[tuple[str, str]] = set()
        self.since_day = 0
        self.asked: dict[str, str] = {}

    @initialize(
        policy=st.sampled_from(["requeue", "same-window", "void"]),
        infer_s=st.sampled_from([0, 30]),
        voids=st.sampled_from([1, 2, 4]),
    )
    def opens(self, policy: str, infer_s: int, voids: int) -> None:
        self.layouts = layouts(no_show=policy, infer_arrival_after_s=infer_s, no_show_void_after=voids)
        self.play = Play(self.layouts[0], sit="", start=False)

    def ask(self, command: c.Command) -> list[e.Event]:
        """Play.do has checked that decide touched nothing, whether it rejects or not."""
        start = len(self.play.log)
        self.play.code(command)
        events = self.play.log[start:]
        for event in events:
            if isinstance(event, e.TicketIssued):
                number = self.play.hall.day, event.number
                assert number not in self.numbers, "a number twice in a day"
                self.numbers.add(number)
            if isinstance(event, e.ServiceRated):
                assert isinstance(command, c.PressRating | c.Rate), "a rating without a citizen"
        return events

    def service(self) -> str:
        return self.play.name("v")

    def some(self, data: st.DataObject, *states: TicketState) -> str:
        names = [ticket.id for ticket in self.play.hall.tickets.values() if not states or ticket.state in states]
        return data.draw(st.sampled_from(names)) if names else "nobody"

    # --- what may happen ---

    @rule(seconds=st.sampled_from([0, 0.5, 1, 4, 20, 60, 600, 1900]))
    def time_passes(self, seconds: float) -> None:
        self.play.wait(seconds)

    @rule(
        matters=st.lists(st.sampled_from(MATTERS), max_size=3),
        bundle=st.booleans(),
        priority=st.sampled_from(["", "", "elder", "soldier"]),
        person=st.sampled_from(["", "", "p", "q"]),
        data=st.data(),
    )
    def takes(self, matters: list[str], bundle: bool, priority: str, person: str, data: st.DataObject) -> None:
        wanted = () if bundle else tuple(dict.fromkeys(matters))
        command = c.TakeTicket(
            id=self.play.name("t"),
            matters=wanted,
            bundle="birth" if bundle else "",
            priority=priority,
            person=person,
            slip=data.draw(st.sampled_from(["", "", "", "yesterday"])),
        )
        self.ask(command)

    @rule(name=st.sampled_from(WINDOWS), staff=st.sampled_from("abcdef"), over=st.booleans())
    def sits(self, name: str, staff: str, over: bool) -> None:
        self.ask(c.OpenWindow(window=name, staff=staff, staff_name="", take_over=over))

    @rule()
    def all_sit(self) -> None:
        for name in WINDOWS:
            self.ask(c.OpenWindow(window=name, staff=f"s{name}", staff_name=""))
        self.ask(c.StartDay())

    @rule(name=st.sampled_from(WINDOWS))
    def calls(self, name: str) -> None:
        self.ask(c.CallNext(window=name, service=self.service()))

    @rule(name=st.sampled_from(WINDOWS), what=st.sampled_from([c.Arrive, c.Recall, c.MarkNoShow, c.Undo, c.Undo]))
    def acts(self, name: str, what: Any) -> None:
        self.ask(what(window=name, reason="x") if what is c.MarkNoShow else what(window=name))

    @rule(name=st.sampled_from(WINDOWS), what=st.sampled_from([c.Finish, c.Invite, c.ResumeWindow, c.CloseWindow]))
    def ends(self, name: str, what: Any) -> None:
        self.ask(what(window=name))

    @rule(name=st.sampled_from(WINDOWS))
    def pauses(self, name: str) -> None:
        self.ask(c.PauseWindow(window=name, reason="lunch"))

    @rule(name=st.sampled_from(WINDOWS), data=st.data())
    def calls_a_number(self, name: str, data: st.DataObject) -> None:
        ticket = self.play.hall.tickets.get(self.some(data, TicketState.WAITING))
        number = ticket.number if ticket else "1"
        self.ask(c.CallNumber(window=name, number=number, reason="x", service=self.service()))

    @rule(name=st.sampled_from(WINDOWS), data=st.data(), kind=st.sampled_from([c.Restore, c.Unpark]))
    def brings_back(self, name: str, data: st.DataObject, kind: Any) -> None:
        passed = list(self.play.hall.windows[name].passed) if name in self.play.hall.windows else []
        mine = passed if kind is c.Restore else sorted(self.play.hall.parked)
        ticket = data.draw(st.sampled_from(mine)) if mine else self.some(data)
        self.ask(kind(window=name, ticket=ticket, service=self.service()))

    @rule(name=st.sampled_from(WINDOWS), to=st.sampled_from(WINDOWS), matter=st.sampled_from([*MATTERS, ""]))
    def transfers(self, name: str, to: str, matter: str) -> None:
        self.ask(c.Transfer(window=name, matters=(matter,) if matter else (), to_window="" if matter else to))

    @rule(name=st.sampled_from(WINDOWS))
    def parks(self, name: str) -> None:
        self.ask(c.Park(window=name, reason="x", minutes=1))

    @rule(name=st.sampled_from(WINDOWS))
    def serves_direct(self, name: str) -> None:
        self.ask(c.ServeDirect(window=name, service=self.service()))

    @rule(data=st.data(), what=st.sampled_from([c.CancelTicket, c.DelayTicket, c.AskHelp, c.ReactivateTicket]))
    def citizen_does(self, data: st.DataObject, what: Any) -> None:
        states = {c.ReactivateTicket: (TicketState.PASSED,), c.DelayTicket: (TicketState.WAITING,)}
        self.ask(what(ticket=self.some(data, *states.get(what, ()))))

    @rule(name=st.sampled_from(WINDOWS), level=st.integers(0, 6), ago=st.sampled_from([0, 3, 700]))
    def presses(self, name: str, level: int, ago: int) -> None:
        at = self.play.now - ago * 1000
        self.ask(c.PressRating(id=self.play.name("r"), window=name, device="pad1", level=level, pressed_at=at))

    @precondition(lambda self: self.play.hall.services)
    @rule(data=st.data(), level=st.integers(1, 5))
    def rates(self, data: st.DataObject, level: int) -> None:
        service = data.draw(st.sampled_from(list(self.play.hall.services)))
        self.ask(c.Rate(id=self.play.name("r"), service=service, level=level, has_text=True))

    @rule(state=st.sampled_from(DeviceState))
    def device_changes(self, state: DeviceState) -> None:
        self.ask(c.ReportDevice(device="pad1", state=state))

    @rule()
    def ticks(self) -> None:
        self.ask(c.Tick())

    @rule(which=st.integers(0, 1))
    def configures(self, which: int) -> None:
        self.ask(c.ApplyConfiguration(configuration=self.layouts[which], source="test"))

    @rule(command=st.sampled_from([c.StartDay(), c.StartDay(), c.CloseDay(text="x"), c.EndDay()]))
    def the_day_goes_on(self, command: c.Command) -> None:
        self.ask(command)

    @rule(days=st.integers(-1, 1))
    def a_day_opens(self, days: int) -> None:
        before = self.play.hall.day
        day = f"2026-01-{int(before[-2:]) + days:02d}"
        self.since_day = len(self.play.log)
        self.ask(c.OpenDay(day=day))
        assert (self.play.hall.day > before) == (days > 0)

    # --- what always holds ---

    @invariant()
    def one_state_and_one_place(self) -> None:
        if hasattr(self, "play"):
            check_places(self.play.hall)

    @invariant()
    def counts_agree(self) -> None:
        if hasattr(self, "play"):
            check_counts(self.play.hall)

    def teardown(self) -> None:
        if hasattr(self, "play"):
            check_replay(self.play)
            check_nobody_starves(self.play)


def check_places(hall: Hall) -> None:
    """Everybody issued is in exactly one state and place; no ticket at two windows."""
    queued: dict[str, tuple[str, int]] = {}
    for queue, lines in hall.queues.items():
        for credit_ms, line in lines.items():
            entries = list(line.entries)
            assert entries == sorted(entries)
            assert (line.head and line.head[:4]) == (entries[0] if entries else None)
            for *key, name in entries:
                assert name not in queued, "in two queues"
                queued[name] = queue, credit_ms
                assert hall.tickets[name].key == tuple(key)
    held = [each.ticket for each in hall.windows.values() if each.ticket]
    assert len(held) == len(set(held)), "at two windows"
    for ticket in hall.tickets.values():
        waits, at_window = ticket.state is TicketState.WAITING, ticket.id in held
        assert waits == (ticket.id in queued)
        assert at_window == (ticket.state in (TicketState.CALLED, TicketState.SERVING))
        assert (ticket.id in hall.parked) == (ticket.state is TicketState.PARKED)
        if waits:
            assert queued[ticket.id] == (ticket.current.queue, ticket.credit_ms)
            assert ticket.window == ticket.service == ""
        if at_window:
            here = hall.windows[ticket.window]
            assert (here.ticket, here.service, here.state.value) == (ticket.id, ticket.service, ticket.state.value)
    for here in hall.windows.values():
        busy = here.state in (WindowState.CALLED, WindowState.SERVING)
        assert bool(here.service) == busy
        assert bool(here.staff) == (here.state is not WindowState.CLOSED)
        if here.service:
            assert hall.services[here.service].window == here.id


def check_counts(hall: Hall) -> None:
    """The totals equal what they total."""
    waiting = [ticket for ticket in hall.tickets.values() if ticket.state is TicketState.WAITING]
    assert hall.waiting == len(waiting) == sum(len(keys) for keys in hall.lines.keys.values())
    assert hall.waiting == sum(len(line.entries) for lines in hall.queues.values() for line in lines.values())
    assert hall.issued == len(hall.tickets) == len({ticket.number for ticket in hall.tickets.values()})
    done = [
        each for each in hall.services.values() if each.finished_at and each.outcome not in ("parked", "transferred")
    ]
    assert hall.served == len(done) == sum(each.served for each in hall.windows.values())
    assert hall.invited == sum(1 for each in hall.services.values() if each.invited_at)
    assert hall.rated == sum(1 for each in hall.services.values() if each.rating)
    assert all(each.invited_at or each.rating for each in done), "RULES 36"
    assert hall.no_shows == sum(ticket.passes for ticket in hall.tickets.values())
    for (person, wanted), name in hall.persons.items():
        ticket = hall.tickets[name]
        assert ticket.person == person
        assert any(wanted in stop.wanted and not stop.done for stop in ticket.stops)
    if hall.state is HallState.CLOSED:
        assert not waiting


def check_replay(play: Play) -> None:
    """The journal's text gives the state, from whatever configuration one begins with (laws 2 and 3)."""
    assert plain(replayed(play.initial, play.log)) == plain(play.hall)
    bare = msgspec.structs.replace(play.initial, matter=(), bundle=(), priority=(), device=(), domain=())
    again = replayed(bare, play.log)
    for part in ("tickets", "services", "windows", "queues", "persons", "numbers", "parked", "alarms", "recent"):
        assert plain(getattr(again, part)) == plain(getattr(play.hall, part)), part


def check_nobody_starves(play: Play) -> None:
    """While its windows work, everybody who waits is called, in no more calls than there are tickets and stops."""
    hall = play.hall
    if hall.state is HallState.CLOSED or not hall.waiting:
        return
    for name in hall.windows:
        try:
            play.do(c.OpenWindow(window=name, staff=f"last{name}", staff_name="", take_over=True))
        except Rejected:
            continue
    steps = sum(len(ticket.stops) for ticket in hall.tickets.values()) + len(hall.windows)
    for _ in range(steps + 1):
        for name in hall.windows:
            play.wait(1)
            play.code(c.CallNext(window=name, service=play.name("v")))
            play.code(c.Arrive(window=name))
    left = [ticket for ticket in hall.tickets.values() if ticket.state is TicketState.WAITING]
    able = {name for name, each in hall.windows.items() if each.state is not WindowState.CLOSED}
    assert not [ticket.number for ticket in left if able & all_windows(ticket.current.queue)]


AnyHall.TestCase.settings = settings(
    max_examples=60,
    stateful_step_count=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
TestAnyHall = AnyHall.TestCase
