"""The invariants of DESIGN 8 over any sequence of commands, with every policy, mixed windows, home groups and stops."""

from typing import Any

import msgspec
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from queue_server.domain import commands as c
from queue_server.domain import events as e
from queue_server.domain.configuration import Configuration
from queue_server.domain.errors import Rejected
from queue_server.domain.model import Hall
from queue_server.domain.queues import all_windows
from queue_server.wire.common import DeviceState, HallState, PrintState, TicketState, WindowState
from tests.halls import PAD, Play, configuration, plain, replayed, window

ACTIONS: dict[WindowState, list[type[c.Command]]] = {
    WindowState.CLOSED: [c.OpenWindow],
    WindowState.PAUSED: [c.ResumeWindow, c.CallNext, c.ServeDirect, c.CloseWindow, c.Unpark, c.Restore],
    WindowState.IDLE: [
        *(c.CallNext, c.CallNext, c.CallNext, c.CallNext, c.Undo, c.Undo, c.CallNumber, c.Restore, c.Unpark),
        *(c.ServeDirect, c.PauseWindow, c.Invite, c.PressRating),
    ],
    WindowState.CALLED: [
        *(c.CallNext, c.CallNext, c.Arrive, c.Arrive, c.MarkNoShow, c.MarkNoShow, c.Recall, c.Finish),
        *(c.Transfer, c.Park, c.PressRating, c.OpenWindow),
    ],
    WindowState.SERVING: [
        *(c.CallNext, c.CallNext, c.Finish, c.Finish, c.Finish, c.Transfer, c.Park, c.PressRating, c.Invite),
        *(c.Unpark, c.Restore),
    ],
}
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

    @initialize(
        policy=st.sampled_from(["requeue", "same-window", "void"]),
        infer_s=st.sampled_from([0, 30]),
        voids=st.sampled_from([2, 2, 4]),
        begun=st.sampled_from([True, True, True, False]),
    )
    def opens(self, policy: str, infer_s: int, voids: int, begun: bool) -> None:
        self.layouts = layouts(no_show=policy, infer_arrival_after_s=infer_s, no_show_void_after=voids)
        self.play = Play(self.layouts[0], sit=WINDOWS if begun else "", start=begun)
        for number in range(5):
            self.play.take(*(("pension", "complaint") if number == 2 else ("pension", "tax")[number % 2 :][:1]))

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

    def some(self, data: st.DataObject, *states: TicketState) -> str:
        names = [ticket.id for ticket in self.play.hall.tickets.values() if not states or ticket.state in states]
        return data.draw(st.sampled_from(names)) if names else "nobody"

    # --- what may happen ---

    @rule(
        matters=st.lists(st.sampled_from(MATTERS), max_size=3),
        bundle=st.sampled_from(["", "", "", "birth"]),
        priority=st.sampled_from(["", "", "elder", "soldier"]),
        person=st.sampled_from(["", "", "p", "q"]),
        slip=st.sampled_from(["", "", "", "yesterday"]),
    )
    def takes(self, matters: list[str], bundle: str, priority: str, person: str, slip: str) -> None:
        wanted = () if bundle else tuple(dict.fromkeys(matters))
        self.ask(
            c.TakeTicket(
                id=self.play.name("t"), matters=wanted, bundle=bundle, priority=priority, person=person, slip=slip
            )
        )

    @rule(data=st.data(), name=st.sampled_from(WINDOWS), steps=st.integers(1, 5))
    def window_acts(self, data: st.DataObject, name: str, steps: int) -> None:
        """Mostly what the window's state allows, now and then anything."""
        everything = [action for actions in ACTIONS.values() for action in actions]
        for _ in range(steps):
            self.play.wait(data.draw(st.sampled_from([0, 0.5, 2, 2, 20, 60, 1900])))
            here = self.play.hall.windows.get(name)
            state = here.state if here else WindowState.CLOSED
            actions = everything if data.draw(st.integers(0, 9)) == 9 else ACTIONS[state]
            self.ask(self.command(data, name, data.draw(st.sampled_from(actions))))
            check_places(self.play.hall)

    def command(self, data: st.DataObject, name: str, kind: type[c.Command]) -> c.Command:
        """A command of the kind at the window, aimed at a ticket that it may mean."""
        play = self.play
        match kind:
            case c.OpenWindow:
                staff = data.draw(st.sampled_from([f"s{name}", f"s{name}", "x"]))
                return c.OpenWindow(window=name, staff=staff, staff_name="", take_over=staff == "x")
            case c.CallNext | c.ServeDirect:
                return kind(window=name, service=play.name("v"))
            case c.CallNumber:
                ticket = play.hall.tickets.get(self.some(data, TicketState.WAITING))
                number = ticket.number if ticket else "1"
                return c.CallNumber(window=name, number=number, reason="x", service=play.name("v"))
            case c.Restore:
                passed = list(play.hall.windows[name].passed) if name in play.hall.windows else []
                ticket = data.draw(st.sampled_from(passed)) if passed else self.some(data)
                return c.Restore(window=name, ticket=ticket, service=play.name("v"))
            case c.Unpark:
                return c.Unpark(window=name, ticket=self.some(data, TicketState.PARKED), service=play.name("v"))
            case c.Transfer:
                fields: list[dict[str, Any]] = [
                    {"matters": (data.draw(st.sampled_from(MATTERS)),)},
                    {"to_window": data.draw(st.sampled_from(WINDOWS))},
                    {"to_domain": data.draw(st.sampled_from(["social", "tax", "desk"]))},
                    {"to_staff": data.draw(st.sampled_from([*(f"s{each}" for each in WINDOWS), "x"]))},
                ]
                return c.Transfer(window=name, **data.draw(st.sampled_from([*fields, fields[-1]])))
            case c.PauseWindow:
                return c.PauseWindow(window=name, reason="lunch")
            case c.MarkNoShow | c.Park:
                return kind(window=name, reason="x")
            case c.PressRating:
                at = play.now - 1000 * data.draw(st.sampled_from([0, 3, 700]))
                level = data.draw(st.integers(0, 6))
                return c.PressRating(id=play.name("r"), window=name, device="pad1", level=level, pressed_at=at)
            case _:
                return kind(window=name)

    @rule(data=st.data(), what=st.sampled_from([c.CancelTicket, c.DelayTicket, c.AskHelp, c.ReactivateTicket, c.Rate]))
    def citizen_does(self, data: st.DataObject, what: Any) -> None:
        if what is c.Rate:
            service = data.draw(st.sampled_from(["nothing", *self.play.hall.services]))
            level = data.draw(st.integers(1, 5))
            self.ask(c.Rate(id=self.play.name("r"), service=service, level=level, has_text=True))
            return
        states = {c.ReactivateTicket: (TicketState.PASSED,), c.DelayTicket: (TicketState.WAITING,)}
        self.ask(what(ticket=self.some(data, *states.get(what, ()))))

    @rule(data=st.data())
    def the_hall_goes_on(self, data: st.DataObject) -> None:
        """Now and then the day, the configuration, devices, paper and alarms."""
        hall = self.play.hall
        day = f"2026-01-{int(hall.day[-2:]) + data.draw(st.integers(-1, 1)):02d}"
        ordinary = [
            c.Tick(),
            c.ReportDevice(device="pad1", state=data.draw(st.sampled_from(DeviceState))),
            c.SetMessage(kind="notice", zh="x"),
            c.MuteZone(zone="A", muted=data.draw(st.booleans())),
            c.RecordPrint(ticket=self.some(data), state=PrintState.PRINTED),
            c.Reprint(ticket=self.some(data), printer="p"),
            c.AcknowledgeAlarm(alarm=next(iter(hall.alarms), "")),
            c.ApplyConfiguration(configuration=self.layouts[data.draw(st.integers(0, 1))], source="test"),
            c.StartDay(),
            c.CallHelp(kiosk="k"),
            c.WindowHelp(window=data.draw(st.sampled_from(WINDOWS)), wanted=data.draw(st.booleans())),
            c.PlanConfiguration(configuration=self.layouts[1], source="test"),
        ]
        rare = [c.CloseDay(text="x"), c.EndDay(), c.OpenDay(day=day)]
        if hall.state is HallState.CLOSED:
            ordinary, rare = [c.OpenDay(day=day)], ordinary
        self.ask(data.draw(st.sampled_from(rare if data.draw(st.integers(0, 9)) == 9 else ordinary)))
        assert self.play.hall.day >= hall.day

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
            check_restart(self.play)
            check_nobody_starves(self.play)
            self.play.do(c.OpenDay(day=f"{self.play.hall.day[:-2]}{int(self.play.hall.day[-2:]) + 1:02d}"))
            check_restart(self.play)


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
            if ticket.current.staff:
                seats = [each.id for each in hall.windows.values() if each.staff == ticket.current.staff]
                assert [ticket.current.queue] == (seats or [f"@{ticket.current.staff}"]), "waits where the person is"
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
    for part in ("tickets", "services", "windows", "queues", "persons", "numbers", "parked", "alarms"):
        assert plain(getattr(again, part)) == plain(getattr(play.hall, part)), part


def check_restart(play: Play) -> None:
    """What a restart reads gives the state too: the configuration in force and what is planned, then the newest day alone."""
    opened = max(n for n, event in enumerate(play.log) if isinstance(event, e.DayOpened))
    before = [each for each in play.log[:opened] if isinstance(each, e.ConfigurationApplied | e.ConfigurationPlanned)]
    newest = max((n for n, each in enumerate(before) if isinstance(each, e.ConfigurationApplied)), default=0)
    assert plain(replayed(play.initial, [*before[newest:], *play.log[opened:]])) == plain(play.hall)


def check_nobody_starves(play: Play) -> None:
    """While its windows work, everybody who waits is called, in no more calls than there are tickets and stops.

    Who waits for a person waits until that person sits somewhere; or any window calls the number.
    """
    hall = play.hall
    if hall.state is HallState.CLOSED or not hall.waiting:
        return
    for name, each in hall.windows.items():
        staff = each.staff or f"last{name}"
        try:
            play.do(c.OpenWindow(window=name, staff=staff, staff_name="", take_over=True))
        except Rejected:
            continue
    able = {name for name, each in hall.windows.items() if each.state is not WindowState.CLOSED}

    def left() -> list[str]:
        waiting = (ticket for ticket in play.hall.tickets.values() if ticket.state is TicketState.WAITING)
        return [ticket.number for ticket in waiting if able & all_windows(ticket.current.queue)]

    alone = [ticket for ticket in hall.tickets.values() if ticket.current.queue.startswith("@")]
    for ticket in (each for each in alone if each.state is TicketState.WAITING):
        if able:
            name = min(able)
            play.wait(1)
            play.code(c.Arrive(window=name))
            play.do(c.CallNumber(window=name, number=ticket.number, reason="x", service=play.name("v")))
    for _ in range(sum(len(ticket.stops) for ticket in hall.tickets.values()) + 2):
        if not left():
            return
        for name in able:
            play.wait(1)
            play.code(c.Arrive(window=name))
            play.code(c.CallNext(window=name, service=play.name("v")))
    assert not left()


AnyHall.TestCase.settings = settings(
    max_examples=40,
    stateful_step_count=40,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
TestAnyHall = AnyHall.TestCase
