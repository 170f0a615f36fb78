"""Slips and calls under faults on a real server: known before the tap, at most once, and the same day after a kill."""

import asyncio
import contextlib
import signal
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from msgspec import structs

from devices.agent import Agent, AgentSettings
from devices.emulators.printer import EmulatedPrinter
from queue_server.app import hallfile
from queue_server.domain.configuration import Device, Kiosk, Window, WindowKind, Zone
from queue_server.edge import make_printer, render_strip
from tests.crash.pages import Page, post
from tests.hall_process import Desk, HallProcess, desk, free_port, hall_process, open_hall
from tests.voice import shipped_to

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]
WINDOWS = [str(number) for number in range(1, 25)]


def _hall(folder: Path, printer: str) -> Path:
    """The township's matters at 24 windows of one zone, and one more in a second, whose plate no voice can say."""
    path = open_hall(folder / "config", recall_interval_s=0)
    value, _ = hallfile.load(path.read_text(encoding="utf-8"))
    assert value is not None
    windows = tuple(
        Window(
            id=name,
            name="综合窗口",
            kind=WindowKind.GENERAL,
            zone="A" if name != "25" else "B",
            domains=("*",),
            bundles=True,
        )
        for name in (*WINDOWS, "25")
    )
    changed = structs.replace(
        value,
        zone=(Zone(id="A", name="一区"), Zone(id="B", name="二区")),
        window=tuple(structs.replace(each, plate="鑫") if each.id == "25" else each for each in windows),
        voice=structs.replace(value.voice, languages=("zh", "en")),
        kiosk=(Kiosk(id="kiosk-1", zone="A", printer="printer-1"),),
        device=(
            Device(id="printer-1", agent="agent-1", kind="printer", url=printer),
            *(
                Device(
                    id=f"keypad-{each.id}",
                    agent="agent-2",
                    kind="keypad",
                    url="tcp://127.0.0.1:9",
                    address=int(each.id),
                    profile="hall-queue-front",
                    window=each.id,
                )
                for each in windows
            ),
        ),
    )
    path.write_text(hallfile.dump(changed), encoding="utf-8")
    return path


class Bench:
    """A hall whose server may be killed, with one printer, one agent, a kiosk and a display that can speak."""

    def __init__(self, hall: HallProcess, admin: Desk, printer: EmulatedPrinter, folder: Path) -> None:
        self.hall, self.admin, self.printer, self.folder = hall, admin, printer, folder
        self.running: asyncio.Task[None] | None = None

    async def prepare(self) -> None:
        self.kiosk = await self.admin.pair("kiosk", "kiosk-1")
        self.agent = await self.admin.pair("agent", "agent-1")
        self.display = await self.admin.pair("hall", "A")
        async with self.admin.session.get(
            f"{self.hall.api}/matters", params={"limit": "50"}, headers=self.kiosk
        ) as answer:
            self.matter = next(hit["id"] for hit in (await answer.json())["hits"] if hit["kind"] == "matter")
        assert (await post(self.admin, "day/open"))[0] == 200
        await self._sit_down()

    async def _sit_down(self) -> None:
        """A clerk at every window, by the keypad."""
        for name in (*WINDOWS, "25"):
            await self.admin.staff(f"80{name}", "clerk")
        keypads = await self.admin.pair("agent", "agent-2")
        async with aiohttp.ClientSession() as session:
            socket = await session.ws_connect(f"{self.hall.url}/api/v1/agent", headers=keypads)
            await socket.send_json({"type": "hello", "agent": "agent-2", "build": "t"})
            for name in (*WINDOWS, "25"):
                press = {"id": f"in-{name}", "device": f"keypad-{name}", "action": "sign_in", "digits": f"80{name}"}
                await socket.send_json({"type": "keypad", **press, "age_ms": 0})
            answered = 0
            while answered < 25:
                message = await socket.receive_json()
                if message["type"] == "answer":
                    assert message["ok"], message
                    answered += 1

    async def start_agent(self) -> None:
        token = self.agent["Authorization"].removeprefix("Bearer ")
        server = f"ws://127.0.0.1:{self.hall.port}/api/v1/agent"
        settings = AgentSettings(server=server, token=token, state=self.folder / "agent.db", agent="agent-1")
        self.running = asyncio.create_task(Agent(settings, render_strip, make_printer).run())

    async def stop_agent(self) -> None:
        if self.running is not None:
            self.running.cancel()
            await asyncio.gather(self.running, return_exceptions=True)
            self.running = None

    async def take(self, *, paper: bool = True) -> dict[str, Any]:
        status, body = await post(self.admin, "tickets", self.kiosk, matters=[self.matter], paper=paper)
        assert status == 201, body
        return body  # type: ignore[no-any-return]

    async def call(self, window: str) -> str:
        """The number that the window now calls."""
        status, body = await post(self.admin, f"windows/{window}/call-next")
        assert status == 200, body
        async with self.admin.session.get(f"{self.hall.api}/windows") as answer:
            shown = {each["id"]: each["number"] for each in (await answer.json())["windows"]}
        return shown[window]  # type: ignore[no-any-return]

    async def finish(self, *windows: str) -> None:
        for window in windows:
            await post(self.admin, f"windows/{window}/arrive")
            assert (await post(self.admin, f"windows/{window}/finish"))[0] == 200

    def table(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        with contextlib.closing(sqlite3.connect(f"file:{self.hall.sqlite}?mode=ro", uri=True)) as database:
            return list(database.execute(sql, values))

    async def print_state(self, ticket: str, *states: str, timeout_s: float = 20.0) -> str:
        """When it has become one of them."""
        async with asyncio.timeout(timeout_s):
            while True:
                [(state,)] = self.table("select print_state from tickets where id = ?", ticket)
                if state in states:
                    return str(state)
                await asyncio.sleep(0.1)

    async def ends(self, number: str, *states: str, timeout_s: float = 10.0) -> None:
        """When the claims of a number's calls stand so, in their order."""
        sql = "select state from claims where kind = 'speech' and payload like ? order by at"
        found: list[str] = []
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while found != list(states):
                    await asyncio.sleep(0.1)
                    found = [state for (state,) in self.table(sql, f"%{number}%")]
        assert found == list(states), number

    async def again(self) -> None:
        await self.hall.kill()
        await self.hall.start()

    @contextlib.asynccontextmanager
    async def guide(self) -> AsyncIterator[Page]:
        async with Page(self.admin, session=self.admin.session) as page:
            await page.subscribe("guide")
            yield page

    @contextlib.asynccontextmanager
    async def speaker(self, *, ready: bool = True) -> AsyncIterator[Page]:
        async with Page(self.admin, self.display["Authorization"]) as page:
            await page.subscribe("hall", "A")
            if ready:
                await page.say(type="player", zone="A", ready=True)
            yield page


def _alarms(page: Page) -> dict[str, str]:
    """The prints that failed, by ticket."""
    found = page.documents["guide", "", "alarms"]["alarms"]
    return {each["subject"]: each["action"] for each in found if each["code"] == "print"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bench(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bench]:
    folder = tmp_path_factory.mktemp("effects")
    shipped_to(folder / "voice")
    async with (
        EmulatedPrinter(f"tcp://127.0.0.1:{free_port()}") as printer,
        hall_process(folder, _hall(folder, printer.url)) as hall,
        desk(hall) as admin,
    ):
        made = Bench(hall, admin, printer, folder)
        await made.prepare()
        await made.start_agent()
        yield made
        await made.stop_agent()


async def _printer(bench: Bench, kiosk: Page, *states: str) -> float:
    """Seconds until the kiosk shows one of the states."""
    began = time.monotonic()
    await kiosk.until(lambda: kiosk.documents["kiosk", "kiosk-1", "kiosk"]["printer"] in states, 15)
    return time.monotonic() - began


@contextlib.asynccontextmanager
async def _kiosk(bench: Bench) -> AsyncIterator[Page]:
    async with Page(bench.admin, bench.kiosk["Authorization"]) as page:
        await page.subscribe("kiosk", "kiosk-1")
        yield page


async def test_paper_that_is_out_is_known_before_the_tap_and_the_ticket_is_electronic(bench: Bench) -> None:
    """UX K-11: within 5 s on the kiosk; no job is made, and with new paper the next ticket prints."""
    async with _kiosk(bench) as kiosk:
        await _printer(bench, kiosk, "ok")
        bench.printer.model.paper_dots = 0
        await bench.printer.changed()
        assert await _printer(bench, kiosk, "out") < 6, "5 s and a shared machine"
        taken = await bench.take()
        assert taken["print_job"] == ""
        assert await bench.print_state(taken["ticket"]["id"], "none") == "none"
        bench.printer.model.paper_dots = None
        await bench.printer.changed()
        assert await _printer(bench, kiosk, "ok") < 6
        taken = await bench.take()
        assert await bench.print_state(taken["ticket"]["id"], "printed")


@pytest.mark.parametrize("fault", ["paper ends in the middle", "jam", "line is cut"])
async def test_a_print_that_fails_is_on_the_ticket_and_the_guides_page_and_comes_again(
    bench: Bench, fault: str
) -> None:
    """UX K-12: never taken for printed; printed again, with the same number, once the printer is well."""
    printer = bench.printer
    async with _kiosk(bench) as kiosk, bench.guide() as guide:
        await _printer(bench, kiosk, "ok", "near_end")
        match fault:
            case "paper ends in the middle":
                printer.model.paper_dots = 200
            case "jam":
                printer.model.jam = True  # between two polls: nobody knows it yet
            case _:
                await printer.unplug()
        taken = await bench.take()
        name = taken["ticket"]["id"]
        if taken["print_job"]:
            assert await bench.print_state(name, "failed", "unknown") != "printed"
            await guide.until(lambda: _alarms(guide).get(name) == "reprint")
        match fault:
            case "line is cut":
                await printer.plug()
            case _:
                printer.model.paper_dots, printer.model.jam = None, False
                await printer.changed()
        await _printer(bench, kiosk, "ok")
        status, body = await post(bench.admin, f"tickets/{name}/reprint")
        assert status == 200, body
        assert body["ticket"]["number"] == taken["ticket"]["number"]
        assert await bench.print_state(name, "printed")
        await guide.until(lambda: name not in _alarms(guide))


async def _mute_agent(bench: Bench, session: aiohttp.ClientSession) -> aiohttp.ClientWebSocketResponse:
    """An agent that takes jobs and never says how they ended."""
    socket = await session.ws_connect(f"{bench.hall.url}/api/v1/agent", headers=bench.agent)
    await socket.send_json({"type": "hello", "agent": "agent-1", "build": "t"})
    health = {"device": "printer-1", "state": "online", "last_seen_ms": 0, "last_error": "", "printer": "ok"}
    await socket.send_json({"type": "health", **health, "counters": {}})
    return socket


async def _job(socket: aiohttp.ClientWebSocketResponse, within_s: float) -> str:
    """The next print job, "" when none comes."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(within_s):
            while True:
                message = await socket.receive_json()
                if message["type"] == "print":
                    return str(message["job"])
    return ""


async def test_an_agent_that_dies_with_a_job_leaves_it_unknown_and_a_restart_prints_nothing_again(bench: Bench) -> None:
    """DESIGN law 7, UX K-12: claimed, then killed: unknown, on the guide's page, never repeated by itself."""
    await bench.stop_agent()
    async with _kiosk(bench) as kiosk:
        await _printer(bench, kiosk, "offline")
    async with aiohttp.ClientSession() as session:
        socket = await _mute_agent(bench, session)
        async with _kiosk(bench) as kiosk:
            await _printer(bench, kiosk, "ok")
        gone = (await bench.take())["ticket"]["id"]
        assert gone in await _job(socket, 5)
        killed = (await bench.take())["ticket"]["id"]
        assert killed in await _job(socket, 5)
        await bench.again()
        assert await bench.print_state(killed, "unknown", timeout_s=3) == "unknown"
        assert await bench.print_state(gone, "unknown", timeout_s=3) == "unknown"
        async with bench.guide() as guide:
            assert {gone, killed} <= set(_alarms(guide))
        socket = await _mute_agent(bench, session)
        assert await _job(socket, 2) == "", "a restart repeats nothing"
        left = bench.table("select id from claims where kind = 'print' and state in ('open', 'claimed')")
        assert left == []
        third = (await bench.take())["ticket"]["id"]
        assert third in await _job(socket, 5)
        await socket.close()
        assert await bench.print_state(third, "failed", "unknown") == "unknown"


async def test_a_printer_whose_agent_did_not_come_back_is_offline_before_the_tap(bench: Bench) -> None:
    """UX K-11: the journal says that it worked yesterday; nobody can print on it now."""
    async with aiohttp.ClientSession() as session:
        socket = await _mute_agent(bench, session)
        async with _kiosk(bench) as kiosk:
            await _printer(bench, kiosk, "ok")
        await bench.hall.kill()
        await socket.close()
    await bench.hall.start()
    async with _kiosk(bench) as kiosk:
        assert await _printer(bench, kiosk, "offline") < 6
    assert (await bench.take())["print_job"] == ""
    await bench.start_agent()
    async with _kiosk(bench) as kiosk:
        await _printer(bench, kiosk, "ok")


# --- speech ---


async def test_speech_is_at_most_once_across_a_kill(bench: Bench) -> None:
    """UX V-05, D-13: what had begun is unknown and not said again; what had not is said; who has come is not called."""
    for _ in range(4):
        await bench.take(paper=False)
    async with bench.speaker(ready=False) as page:
        begun = await bench.call("1")
        await page.say(type="player", zone="A", ready=True)
        await page.until(lambda: page.plays)
        assert begun in page.plays[0]["text"]["zh"]
        waits, came = await bench.call("2"), await bench.call("3")
        assert len(page.plays) == 1, "one at a time"
        assert (await post(bench.admin, "windows/3/recall"))[0] == 200
        assert (await post(bench.admin, "windows/3/arrive"))[0] == 200
        await bench.hall.kill()
    await bench.hall.start()
    async with bench.speaker() as page:
        await page.until(lambda: page.plays)
        said = page.plays[0]
        assert waits in said["text"]["zh"]
        assert begun not in said["text"]["zh"]
        await page.played(said["id"])
        with pytest.raises(TimeoutError):
            await page.until(lambda: len(page.plays) > 1, 1.5)
        assert (await post(bench.admin, "windows/2/recall"))[0] == 200
        await page.until(lambda: len(page.plays) > 1)
        assert waits in page.plays[1]["text"]["zh"], "a recall is heard"
        await page.played(page.plays[1]["id"])
        await bench.ends(waits, "done", "done")
        await bench.ends(begun, "unknown")
        await bench.ends(came, "dropped", "dropped")
    await bench.finish("1", "2")
    assert (await post(bench.admin, "windows/3/finish"))[0] == 200


async def test_a_call_that_waited_through_a_restart_is_dropped_when_the_citizen_comes(bench: Bench) -> None:
    """UX V-05: dropped when the citizen has arrived, also by the process that did not take the call."""
    await bench.take(paper=False)
    number = await bench.call("1")
    await bench.again()
    await bench.finish("1")
    async with bench.speaker() as page:
        with pytest.raises(TimeoutError):
            await page.until(lambda: page.plays, 1.5)
    await bench.ends(number, "dropped")


async def test_only_the_page_that_plays_may_say_that_it_has_played(bench: Bench) -> None:
    await bench.take(paper=False)
    async with bench.speaker() as page, bench.speaker(ready=False) as other:
        number = await bench.call("1")
        await page.until(lambda: page.plays)
        await other.played(page.plays[0]["id"])
        await asyncio.sleep(0.5)
        await bench.ends(number, "claimed")
        await page.played(page.plays[0]["id"])
        await bench.ends(number, "done")
    await bench.finish("1")


async def test_a_plate_the_voice_cannot_say_costs_its_own_call_only(bench: Bench) -> None:
    """It took the whole server down."""
    await bench.take(paper=False)
    number = await bench.call("25")
    await bench.ends(number, "dropped")
    async with bench.guide() as guide:
        await guide.until(lambda: any(a["code"] == "voice" for a in guide.documents["guide", "", "alarms"]["alarms"]))
    await bench.finish("25")


async def test_24_windows_that_call_at_once_are_all_spoken_within_45_s(bench: Bench) -> None:
    """UX V-06, in real time and in both languages: the player answers after each file's real length."""
    for _ in WINDOWS:
        await bench.take(paper=False)
    async with bench.speaker() as page:
        began = time.monotonic()
        answers = await asyncio.gather(*(post(bench.admin, f"windows/{name}/call-next") for name in WINDOWS))
        assert [status for status, _ in answers] == [200] * 24
        called_s = time.monotonic() - began
        await page.until(lambda: len(page.documents["hall", "A", "calls"]["calls"]) == 24)
        numbers = {call["number"] for call in page.documents["hall", "A", "calls"]["calls"]}
        heard, played = "", 0
        async with asyncio.timeout(60):
            while not all(number in heard for number in numbers):
                await page.until(lambda: len(page.plays) > played, 60)  # noqa: B023 -- awaited in this turn
                play = page.plays[played]
                await asyncio.sleep(play["duration_ms"] / 1000)
                heard, played = heard + play["text"]["zh"], played + 1
                await page.played(play["id"])
        took_s = time.monotonic() - began - called_s
        for number in numbers:
            await bench.ends(number, "done")
    print(f"24 windows in Chinese and English: all spoken after {took_s:.1f} s")  # noqa: T201
    assert took_s < 45, (took_s, [play["duration_ms"] for play in page.plays])
    await bench.finish(*WINDOWS)


# --- the same day after a kill ---

MOVING = (
    "_s",
    "_at",
    "last_seen",
    "now",
    "actions",
    "speech",
    "devices",
    "updated_at",
    "explanation",
    "inviting",
    "invite_url",
)


def _steady(value: Any) -> Any:
    """What does not change by time alone."""
    if isinstance(value, dict):
        return {key: _steady(each) for key, each in value.items() if not key.endswith(MOVING)}
    return [_steady(each) for each in value] if isinstance(value, list) else value


async def _everything(bench: Bench) -> dict[tuple[str, str, str], Any]:
    async with bench.guide() as page:
        for view, of in (("hall", "A"), ("console", "1"), ("console", "2"), ("console", "3"), ("manager", "")):
            await page.subscribe(view, of)
        keep = {key: _steady(document) for key, document in page.documents.items() if key[2] not in MOVING}
    async with _kiosk(bench) as kiosk:
        keep["kiosk", "", "menu"] = _steady(kiosk.documents["kiosk", "kiosk-1", "menu"])
    return keep


async def test_the_hall_after_a_kill_is_the_hall_before_it(bench: Bench) -> None:
    """Windows, tickets in hand, what waits, is parked and passed, questions, alarms, messages: as the views show them."""
    for _ in range(8):
        await bench.take(paper=False)
    await bench.call("1")
    await asyncio.sleep(1.2)  # a second press within a second is no question
    status, asks = await post(bench.admin, "windows/1/call-next")
    assert (status, asks["code"]) == (409, "arrived-or-not")
    await bench.call("2")
    await post(bench.admin, "windows/2/arrive")
    await bench.call("3")
    assert (await post(bench.admin, "windows/3/arrive"))[0] == 200
    assert (await post(bench.admin, "windows/3/park", reason="复印"))[0] == 200
    await bench.call("4")
    assert (await post(bench.admin, "windows/4/no-show", reason="没来"))[0] == 200
    assert (await post(bench.admin, "windows/5/pause", reason="other"))[0] == 200
    assert (await post(bench.admin, "message", kind="notice", zh="今日提前下班", en="We close early today"))[0] == 200
    assert (await post(bench.admin, "kiosk/help", bench.kiosk))[0] == 200
    await asyncio.sleep(3)  # a look of the timers
    before = await _everything(bench)
    await bench.again()
    await asyncio.sleep(3)
    after = await _everything(bench)
    different: Callable[[tuple[str, str, str]], bool] = lambda key: before.get(key) != after.get(key)  # noqa: E731
    assert {key: (before.get(key), after.get(key)) for key in {*before, *after} if different(key)} == {}
    assert before["console", "1", "desk"]["asked"] is not None
    assert any(alarm["code"] == "help" for alarm in before["guide", "", "alarms"]["alarms"])


@contextlib.asynccontextmanager
async def _printer_link(bench: Bench) -> AsyncIterator[list[dict[str, Any]]]:
    """Everything the server sends to the printer's agent; nothing on this side ever gives the connection up."""
    await bench.stop_agent()
    heard: list[dict[str, Any]] = []
    health = {"device": "printer-1", "state": "online", "last_seen_ms": 0, "last_error": "", "printer": "ok"}
    async with aiohttp.ClientSession() as session:
        socket = await session.ws_connect(f"{bench.hall.url}/api/v1/agent", headers=bench.agent)
        await socket.send_json({"type": "hello", "agent": "agent-1", "build": "t"})
        await socket.send_json({"type": "health", "counters": {}, **health})

        async def listen() -> None:
            async for message in socket:
                heard.append(message.json())

        listening = asyncio.create_task(listen())
        yield heard
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        await socket.close()


async def test_a_process_that_slept_through_a_takeover_prints_nothing_and_speaks_nothing(bench: Bench) -> None:
    """SIGSTOP, DESIGN law 4: a call that waits its turn, a slip and a call that were asked for while it slept."""
    for _ in range(3):
        await bench.take(paper=False)
    other = HallProcess(bench.folder, bench.hall.hall)
    asleep = bench.hall.process
    assert asleep is not None
    async with _printer_link(bench) as heard, bench.speaker() as page:
        for _ in range(100):
            if (await bench.take())["print_job"]:
                break
            await asyncio.sleep(0.2)  # the printer's health is on its way
        begun, waits = await bench.call("10"), await bench.call("11")
        while begun not in (await page.until(lambda: page.plays))[-1]["text"]["zh"]:
            said = len(page.plays)
            await page.played(page.plays[-1]["id"])
            await page.until(lambda said=said: len(page.plays) > said)
        printed, spoken = sum(each["type"] == "print" for each in heard), len(page.plays)
        assert printed >= 1
        asleep.send_signal(signal.SIGSTOP)
        try:
            await page.played(page.plays[-1]["id"])  # the next call would be said now
            asked = [
                asyncio.create_task(post(bench.admin, "tickets", bench.kiosk, matters=[bench.matter], paper=True)),
                asyncio.create_task(post(bench.admin, "windows/12/call-next")),
            ]
            await other.start()
        finally:
            asleep.send_signal(signal.SIGCONT)
        assert await asyncio.wait_for(asleep.wait(), 20) == 1, "a fenced process ends"
        answers = await asyncio.gather(*asked, return_exceptions=True)
        assert all(isinstance(each, Exception) or each[0] == 503 for each in answers), answers
        assert await page.closed() is not None
        assert [waits in play["text"]["zh"] for play in page.plays[spoken:]] == []
        assert sum(each["type"] == "print" for each in heard) == printed
    try:
        epochs = [epoch for (epoch,) in bench.table("select epoch from journal order by seq")]
        assert epochs == sorted(epochs), "the sleeper wrote after the takeover"
        [(taken, numbers)] = bench.table("select count(*), count(distinct number) from tickets")
        assert taken == numbers
    finally:
        await other.kill()
