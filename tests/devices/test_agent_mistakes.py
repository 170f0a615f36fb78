"""A mistake of ours in what the server asks of a device ends that order and nothing else (issue 3, laws 5, 7 and 10)."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, NoReturn

import msgspec
import pytest
import structlog

from devices import agent, devicemap, trials
from devices.devicemap import Calls, Device, Printer
from devices.drivers.base import AnyDriver
from devices.drivers.health import Health
from devices.drivers.keypad import Keypad
from devices.drivers.printer import TicketPrinter
from devices.drivers.rating import RatingPad
from devices.drivers.speaker import Speaker
from devices.drivers.strip import Strip
from devices.emulators.printer import EmulatedPrinter
from devices.emulators.rs485 import Rs485BusEmulator
from devices.emulators.voices import EmulatedTts
from devices.mistakes import Mistakes
from devices.presses import PressStore
from devices.protocols.keymaps import Key
from devices.readings import Readings
from devices.transport import transport
from displays.errors import Malformed
from displays.receipts import encode_paper
from queue_server.wire.agent import (
    AgentHello,
    DeviceEntry,
    DeviceHealth,
    Invite,
    KeypadAnswered,
    KeypadPressed,
    KeypadShow,
    PressStored,
    Printed,
    PrintJob,
    RatingPressed,
    ReadingEnded,
    ShowStrip,
    Speak,
    Spoke,
    TestDevice,
    Tested,
    ToAgent,
)
from queue_server.wire.common import DeviceState
from tests.devices.hall import listen_url, until
from tests.devices.test_agent import Office, entry
from tests.devices.test_printer import QUICK, TICKET, lay_out

SECRET = "张三 110101199003070000"


class Hall(Office):
    """A window's devices on one line, a voice module and a ticket printer on lines of their own."""

    def __init__(self, tmp_path: Path) -> None:
        super().__init__(tmp_path, listen_url("memory", tmp_path))
        self.module = EmulatedTts(unit_ms=20)
        self.voice_line = Rs485BusEmulator(listen_url("memory", tmp_path), (self.module,))
        self.far_printer = EmulatedPrinter(listen_url("memory", tmp_path))

    def make_printer(self, made: DeviceEntry, changed: Callable[[Device], None]) -> Printer:
        return TicketPrinter(made.id, transport(made.url), lay_out, changed, QUICK)

    @contextlib.asynccontextmanager
    async def open(self, **keypad: str) -> AsyncIterator[None]:
        async with self.voice_line, self.far_printer, self.line, self.server:
            self.server.devices = [
                *self.window(**keypad),
                entry("v1", "speaker", self.voice_line.url, 0, "syn6288", syllable_ms="20", reply_ms="150"),
                entry("p1", "printer", self.far_printer.url, 0, "escpos"),
            ]
            async with self.agent_running():
                await until(lambda: {"v1", "p1"} <= {h.device for h in self.healths() if h.state == "online"})
                await until(lambda: self.line.connected)
                yield

    def healths(self) -> list[DeviceHealth]:
        return self.server.all(DeviceHealth)

    def last(self, device: str) -> DeviceHealth:
        return [health for health in self.healths() if health.device == device][-1]

    async def the_others_go_on(self, broken: str) -> None:
        """A key of the keypad, or a press of the rating device when it is the keypad that broke, goes its whole way."""
        if broken == "k7":
            assert await self.rating.rate(4)
            await until(lambda: self.server.all(RatingPressed))
        else:
            before = len(self.server.all(KeypadPressed))
            assert await self.keypad.press(Key.CALL, str(before % 10))
            asked = await self.server.heard(KeypadPressed, before + 1)
            await self.server.say(KeypadAnswered(epoch=1, id=asked.id, ok=True, code="", show="042"))
            await self.line.until(lambda: self.keypad.cells == "   042")
        assert self.server.connections == 1
        assert len(self.server.all(AgentHello)) == 1


@pytest.fixture
def hall(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hall:
    monkeypatch.setattr(trials, "PATTERN_S", 0.5)
    monkeypatch.setattr(trials, "ANSWER_S", 0.4)
    return Hall(tmp_path)


def broken(*_: object, **__: object) -> NoReturn:
    raise LookupError(SECRET)


def show(number: str) -> ShowStrip:
    return ShowStrip(epoch=1, device="s3", state="call", number=number, window="3", text="", lines=[])


def paper(job: str) -> PrintJob:
    return PrintJob(epoch=1, job=job, device="p1", expires_in_ms=10_000, paper=msgspec.Raw(encode_paper(TICKET)))


def phrase(job: str) -> Speak:
    return Speak(epoch=1, job=job, device="v1", tokens=[*"请A一号"], follows=False, volume=80, expires_in_ms=10_000)


def trial(device: str, name: str) -> TestDevice:
    slip = encode_paper(TICKET) if device == "p1" else b"null"
    return TestDevice(epoch=1, id=name, device=device, text="一二", paper=msgspec.Raw(slip), for_ms=300)


def at(message: ToAgent) -> str:
    return str(message.__struct_config__.tag)


ORDERS: list[tuple[str, type, str, Callable[[str], ToAgent]]] = [
    ("s3", Strip, "show", show),
    ("r7", RatingPad, "invite", lambda n: Invite(epoch=1, device="r7", service=n, for_ms=30_000)),
    ("k7", Keypad, "show", lambda n: KeypadShow(epoch=1, device="k7", show="015")),
    ("p1", TicketPrinter, "print", paper),
    ("v1", Speaker, "say", phrase),
    ("s3", Strip, "show", lambda n: trial("s3", n)),
    ("k7", Keypad, "beep", lambda n: trial("k7", n)),
    ("r7", RatingPad, "invite", lambda n: trial("r7", n)),
    ("p1", TicketPrinter, "print", lambda n: trial("p1", n)),
    ("v1", Speaker, "say", lambda n: trial("v1", n)),
]


@pytest.mark.parametrize(
    ("device", "driver", "method", "order"), ORDERS, ids=lambda value: getattr(value, "__name__", str(value))
)
async def test_law_7_an_order_that_breaks_in_its_driver_ends_alone_is_answered_and_shows(
    hall: Hall,
    monkeypatch: pytest.MonkeyPatch,
    device: str,
    driver: type,
    method: str,
    order: Callable[[str], ToAgent],
) -> None:
    async with hall.open():
        was = hall.last(device).state
        with structlog.testing.capture_logs() as logs, monkeypatch.context() as patched:
            patched.setattr(driver, method, broken)
            for job in ("j1", "j2"):
                await hall.server.say(order(job))
            await until(lambda: hall.agent.counters["broken"] == 2)
            await until(lambda: hall.last(device).counters.get("broken") == 2)
            await hall.the_others_go_on(device)
        asked = at(order("j1"))
        told = hall.last(device)
        assert told.state is DeviceState.DEGRADED
        assert told.last_error.startswith("LookupError at ")
        assert told.last_error.endswith(" broken")
        await until(lambda: len(answers(hall)) == len(answered(asked, device, told.last_error)))
        assert answers(hall) == answered(asked, device, told.last_error)
        (log,) = [log for log in logs if log["event"] == "order_broken"]
        assert (log["device"], log["asked"], log["error"], log["log_level"]) == (
            *(device, asked, told.last_error), "error",
        )  # fmt: skip
        assert log["way"][-1] in told.last_error
        assert SECRET not in repr((logs, hall.server.said))
        # Done again: in order again.
        await hall.server.say(order("j3"))
        await until(lambda: hall.last(device).state is not DeviceState.DEGRADED, 15)
        assert hall.last(device).state in (was, DeviceState.ONLINE)


def answers(hall: Hall) -> list[Any]:
    """What was told of orders."""
    return [told for told in hall.server.said if isinstance(told, Printed | Spoke | Tested)]


def answered(asked: str, device: str, reason: str) -> list[Any]:
    """What is told of the two orders: paper, sound and light may have come of them."""
    match asked:
        case "print":
            return [Printed(job=job, outcome="unknown", reason=reason) for job in ("j1", "j2")]
        case "speak":
            return [Spoke(job=job, device=device, state="unknown", reason=reason) for job in ("j1", "j2")]
        case "test":
            return [Tested(id=job, device=device, outcome="unknown", reason=reason) for job in ("j1", "j2")]
        case _:
            return []


async def test_a_paper_whose_layout_breaks_was_not_begun(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    """It had failed with the exception's words, and nobody could see that it was our mistake."""
    async with hall.open():
        with structlog.testing.capture_logs() as logs, monkeypatch.context() as patched:
            patched.setattr("tests.devices.test_printer.paper_bytes", broken)
            await hall.server.say(paper("j1"))
            printed = await hall.server.heard(Printed)
            await until(lambda: hall.last("p1").state is DeviceState.DEGRADED)
            assert (printed.outcome, printed.reason) == ("failed", hall.last("p1").last_error)
            await hall.server.say(trial("p1", "t1"))
            tested = await hall.server.heard(Tested)
        assert (tested.outcome, tested.reason) == ("failed", printed.reason)
        assert printed.reason.startswith("LookupError at ")
        assert [(log["asked"], log["error"]) for log in logs if log["event"] == "order_broken"] == [
            ("print", printed.reason),
            ("test", printed.reason),
        ]
        await hall.server.say(paper("j2"))
        assert (await hall.server.heard(Printed, 2)).outcome == "printed"
        assert len(hall.far_printer.papers) == 1


NOT_DONE: list[tuple[str, type, str, Callable[[str], ToAgent], str]] = [
    ("p1", TicketPrinter, "print", paper, "failed"),
    ("p1", TicketPrinter, "print", paper, "unknown"),
    ("v1", Speaker, "say", phrase, "failed"),
    ("p1", TicketPrinter, "print", lambda n: trial("p1", n), "failed"),
    ("v1", Speaker, "say", lambda n: trial("v1", n), "busy"),
]


@pytest.mark.parametrize(
    ("device", "driver", "method", "order", "outcome"),
    NOT_DONE,
    ids=lambda value: getattr(value, "__name__", str(value)),
)
async def test_an_order_that_was_not_done_makes_nothing_better(
    hall: Hall,
    monkeypatch: pytest.MonkeyPatch,
    device: str,
    driver: type,
    method: str,
    order: Callable[[str], ToAgent],
    outcome: str,
) -> None:
    """A paper that was too late, or met a printer without paper, had cleared the mark of the one that broke."""

    async def undone(*_: object, **__: object) -> tuple[str, str]:
        return outcome, "no paper"

    async with hall.open():
        for job, does in (("j1", broken), ("j2", undone)):
            with monkeypatch.context() as patched:
                patched.setattr(driver, method, does)
                await hall.server.say(order(job))
                await until(lambda count=int(job[1]): len(answers(hall)) == count)  # type: ignore[misc]
            assert hall.last(device).state is DeviceState.DEGRADED
        assert answers(hall)[1].reason == "no paper"
        await hall.server.say(order("j3"))
        await until(lambda: hall.last(device).state is DeviceState.ONLINE)


@pytest.mark.parametrize(
    "error",
    [ValueError(SECRET), UnicodeEncodeError("gbk", SECRET, 0, 1, SECRET)],
    ids=lambda error: type(error).__name__,
)
async def test_a_strip_whose_page_cannot_be_made_goes_dark_and_keeps_no_old_call(
    hall: Hall, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """UX W-02: it stood there as online with a call that was over, and wrote it anew after each loss of its line."""

    def cannot(*_: object) -> NoReturn:
        raise error

    async with hall.open():
        await hall.server.say(show("A001"))
        await until(lambda: hall.strip.text == "call A001")
        with structlog.testing.capture_logs() as logs, monkeypatch.context() as patched:
            patched.setattr(hall.agent, "_render", cannot)
            for number in ("A002", "A003"):
                await hall.server.say(show(number))
            await until(lambda: hall.agent.counters["broken"] == 2)
            await until(lambda: hall.strip.text == "")
            await hall.line.unplug()
            await until(lambda: hall.last("s3").state is DeviceState.OFFLINE)
            frames = hall.last("s3").counters.get("frames", 0)
            hall.strip.history.clear()
            await hall.line.plug()
            await until(
                lambda: hall.last("s3").counters.get("frames", 0) > frames
            )  # it has acknowledged what it was told anew
            assert set(hall.strip.history) == {""}
            assert hall.last("s3").state is DeviceState.DEGRADED
            assert hall.last("s3").last_error.startswith(f"{type(error).__name__} at ")
        assert SECRET not in repr((logs, hall.server.said))
        await hall.server.say(show("A004"))
        await until(lambda: hall.strip.text == "call A004")
        await until(lambda: hall.last("s3").state is DeviceState.ONLINE)


def test_a_setting_that_makes_no_sense_is_told_by_its_sentence_and_is_no_mistake_of_ours() -> None:
    health, counters = Health("s3", lambda: None), Counter[str]()
    mistakes = Mistakes(lambda _: health, counters)
    with structlog.testing.capture_logs() as logs, mistakes.end("s3", "show"):
        raise Malformed("cells is 8 or more")
    health.become(DeviceState.ONLINE)
    assert (health.state, health.last_error) == (DeviceState.DEGRADED, "cells is 8 or more")
    assert (logs, health.counters, counters) == ([], {}, {})
    with mistakes.end("s3", "show"):
        pass
    assert health.state is DeviceState.ONLINE


async def test_law_8_an_answer_that_breaks_leaves_the_keypad_to_show_failure(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with hall.open(answer_ms="500"):
        with monkeypatch.context() as patched:
            patched.setattr(Keypad, "answer", broken)
            assert await hall.keypad.press(Key.CALL)
            asked = await hall.server.heard(KeypadPressed)
            await hall.server.say(KeypadAnswered(epoch=1, id=asked.id, ok=True, code="", show="042"))
            await hall.line.until(lambda: hall.keypad.sign == "failure")
        await until(lambda: hall.last("k7").state is DeviceState.DEGRADED)
        assert hall.last("k7").last_error.startswith("LookupError at ")
        await hall.the_others_go_on("k7")
        await hall.the_others_go_on("s3")  # the keypad itself, when it works again
        await until(lambda: hall.last("k7").state is DeviceState.ONLINE)


def only_once(method: Callable[..., None]) -> Callable[..., None]:
    """A driver's method that breaks from its second call on."""
    calls = itertools.count()

    def once(*given: object, **named: object) -> None:
        return broken() if next(calls) else method(*given, **named)

    return once


@pytest.mark.parametrize(
    ("device", "driver", "asked"), [("s3", Strip, "show"), ("k7", Keypad, "keypad_show")], ids=["strip", "keypad"]
)
async def test_a_pattern_that_cannot_be_ended_shows_until_the_next_ordinary_order_is_done(
    hall: Hall, monkeypatch: pytest.MonkeyPatch, device: str, driver: type[Strip | Keypad], asked: str
) -> None:
    """The test was answered before: only its device says what became of its end."""
    async with hall.open():
        with structlog.testing.capture_logs() as logs, monkeypatch.context() as patched:
            patched.setattr(driver, "show", only_once(driver.show))
            await hall.server.say(trial(device, "t1"))
            await until(lambda: hall.last(device).state is DeviceState.DEGRADED)
            assert (await hall.server.heard(Tested)).outcome in ("done", "sent")
        assert [(log["device"], log["asked"]) for log in logs if log["event"] == "order_broken"] == [(device, asked)]
        await hall.server.say(show("A001"))
        await hall.the_others_go_on("s3")
        await until(lambda: hall.last(device).state is DeviceState.ONLINE)


@pytest.mark.parametrize("back", ["an answer", "a show"])
async def test_a_server_that_is_lost_is_found_again_though_a_keypad_cannot_be_told(
    hall: Hall, monkeypatch: pytest.MonkeyPatch, back: str
) -> None:
    async with hall.open():
        with monkeypatch.context() as patched:
            patched.setattr(Keypad, "server_lost", broken)
            await hall.server.stop()
            await until(lambda: hall.agent.counters["broken"] >= 1)
            await hall.server.start()
            await until(lambda: hall.agent.connected)
        await until(lambda: hall.last("k7").state is DeviceState.DEGRADED)
        await hall.server.say(KeypadShow(epoch=1, device="k7", show=""))  # says nothing, and so proves nothing
        assert await hall.rating.rate(4)
        await hall.server.heard(RatingPressed)
        assert hall.last("k7").state is DeviceState.DEGRADED
        if back == "an answer":
            assert await hall.keypad.press(Key.CALL)
            asked = await hall.server.heard(KeypadPressed)
            await hall.server.say(KeypadAnswered(epoch=1, id=asked.id, ok=True, code="", show="042"))
        else:
            await hall.server.say(KeypadShow(epoch=1, device="k7", show="042"))
        await until(lambda: hall.last("k7").state is not DeviceState.DEGRADED)


@pytest.mark.parametrize(
    ("owner", "method", "message"),
    [
        (PressStore, "forget", PressStored(epoch=1, id="x")),
        (Readings, "ended", ReadingEnded(epoch=1, id="x", used=False, reason="no-page")),
    ],
    ids=["press_stored", "reading"],
)
async def test_what_breaks_without_a_device_is_logged_once_and_counted(
    hall: Hall, monkeypatch: pytest.MonkeyPatch, owner: type, method: str, message: ToAgent
) -> None:
    async with hall.open():
        monkeypatch.setattr(owner, method, broken)
        with structlog.testing.capture_logs() as logs:
            for _ in range(3):
                await hall.server.say(message)
            await until(lambda: hall.agent.counters["broken"] == 3)
            await hall.the_others_go_on("")
        assert [log["asked"] for log in logs if log["event"] == "order_broken"] == [at(message)]


async def test_law_5_orders_that_break_without_end_fill_nothing(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent, "JOBS_REMEMBERED", 20)
    async with hall.open():
        monkeypatch.setattr(TicketPrinter, "print", broken)
        monkeypatch.setattr(Strip, "show", broken)
        with structlog.testing.capture_logs() as logs:
            for number in range(200):
                await hall.server.say(paper(f"j{number}"))
                await hall.server.say(show(f"A{number}"))
            await until(lambda: hall.agent.counters["broken"] == 400, 20)
            await until(lambda: len(hall.server.all(Printed)) == 200)
        assert len(hall.agent._jobs) == 20
        assert [task for task in asyncio.all_tasks() if "Agent._do" in repr(task.get_coro())] == []
        assert len([log for log in logs if log["event"] == "order_broken"]) == 2
        assert {told.device for told in hall.healths() if told.state is DeviceState.DEGRADED} == {"p1", "s3"}
        await hall.the_others_go_on("s3")


async def test_an_error_of_the_system_in_a_driver_is_no_loss_of_the_server(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was taken for the connection's, which was then given up."""

    def refused(*_: object, **__: object) -> None:
        raise OSError(5, "Input/output error")

    async with hall.open():
        monkeypatch.setattr(Strip, "show", refused)
        await hall.server.say(show("A001"))
        await until(lambda: hall.last("s3").state is DeviceState.DEGRADED)
        await hall.the_others_go_on("s3")
        assert hall.agent.counters["failures"] == 0


@pytest.mark.parametrize("kind", [asyncio.CancelledError, KeyboardInterrupt, SystemExit, GeneratorExit])
def test_what_ends_the_program_is_no_mistake(kind: type[BaseException]) -> None:
    health, counters = Health("s3", lambda: None), Counter[str]()
    with pytest.raises(kind), Mistakes(lambda _: health, counters).end("s3", "show"):
        raise kind
    assert (health.state, health.last_error, dict(counters)) == (DeviceState.UNKNOWN, "", {})


def test_a_mistake_that_blames_itself_or_one_that_never_rose_is_told_too() -> None:
    health = Health("s3", lambda: None)
    itself = LookupError(SECRET)
    for error, cause in ((itself, itself), (LookupError(SECRET), KeyError(SECRET))):
        with Mistakes(lambda _: health, Counter()).end("s3", "show"):
            raise error from cause
        assert health.last_error.startswith("LookupError at devices/test_agent_mistakes.py:")
    with Mistakes(lambda _: health, Counter()).end("s3", "show"):
        raise ExceptionGroup("", [LookupError(SECRET)])
    assert health.last_error.startswith("ExceptionGroup at devices/test_agent_mistakes.py:")


async def test_a_group_of_mistakes_is_told_by_its_first() -> None:
    health = Health("s3", lambda: None)
    with Mistakes(lambda _: health, Counter()).end("s3", "show"):
        async with asyncio.TaskGroup() as group:
            group.create_task(_breaks())
    assert health.last_error.startswith("LookupError at ")
    assert health.last_error.endswith(" broken")


async def _breaks() -> None:
    broken()


def test_a_device_that_broke_is_no_better_for_a_sign_of_life_and_no_less_gone_without_one() -> None:
    """docs/devices/health.md: degraded until the same is done; a line that is down is worse than that."""
    said: list[str] = []
    health = Health("s3", lambda: said.append(str(health.state)))
    assert health.broke("show", "a")
    assert not health.broke("show", "a")
    health.become(DeviceState.ONLINE)
    assert health.broke("test", "b")
    health.become(DeviceState.OFFLINE, "unplugged")
    health.become(DeviceState.UNKNOWN)
    assert (str(health.state), health.last_error) == ("degraded", "b")
    health.worked("test")
    health.worked("keypad_show")
    assert health.state is DeviceState.DEGRADED
    health.worked("show")
    assert said == ["degraded", "offline", "degraded", "unknown"]


@pytest.mark.parametrize("device", ["s3", "p1"])
async def test_a_device_that_cannot_be_made_is_named_and_its_neighbours_run(
    hall: Hall, monkeypatch: pytest.MonkeyPatch, device: str
) -> None:
    """The map is kept for the next start: a mistake in one model ended the agent again and again."""
    make, make_printer = devicemap.make_driver, hall.make_printer

    def made(entry: DeviceEntry, calls: Calls) -> AnyDriver:
        return broken() if entry.id == device else make(entry, calls)

    async with hall.open():
        monkeypatch.setattr(devicemap, "make_driver", made)
        monkeypatch.setattr(hall, "make_printer", broken if device == "p1" else make_printer)
    with structlog.testing.capture_logs() as logs:
        async with hall.voice_line, hall.far_printer, hall.line, hall.agent_running():
            await until(lambda: hall.line.connected)
            await hall.server.start()
            hall.server.said.clear()
            await until(lambda: hall.agent.connected)
            await until(lambda: any(told.device == device for told in hall.healths()))
            told = hall.last(device)
            assert told.state is DeviceState.OFFLINE
            assert told.last_error.startswith("LookupError at ")
            await hall.the_others_go_on(device)
        await hall.server.stop()
    assert {(log["device"], log["error"]) for log in logs if log["event"] == "device_map_wrong"} == {
        (device, told.last_error)
    }
    assert SECRET not in repr((logs, hall.server.said))
