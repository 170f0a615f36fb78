"""One demonstration from its set-up to its end: processes, people, and what the outside checker says of them."""

# long: the order of a demonstration, from top to bottom

import asyncio
import contextlib
import shutil
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any, Final
from zoneinfo import ZoneInfo

import aiohttp

from devices.emulators.bench import Bench, Station
from queue_server.app.hallfile import dump
from queue_server.demo import citizens
from queue_server.demo.api import Api, Failed, Process, bearer, field_of, first_password, free_port, pairing_code
from queue_server.demo.citizens import Entrance
from queue_server.demo.clerks import Clerk, Console, Hands, Keypad
from queue_server.demo.derive import AGENT, derive, morning_zone
from queue_server.demo.lines import BOARDS, ENTRANCE, Lines, Log, emulated
from queue_server.demo.screens import Display
from queue_server.demo.visits import LONGEST_S, Visit, Visitors
from queue_server.demo.world import World
from queue_server.domain.configuration import Configuration, WindowKind
from queue_server.forecast.daymodel import DayModel

MARK: Final = ".yichuang-demo"
"""A folder with this file is ours to empty."""

START_S: Final = 40.0
CROWD: Final = 12
"""How many stand there when a demonstration without end begins."""

SETTLE_S: Final = 3.0
CONSOLE_EVERY: Final = 3
"""Every third window with a keypad has a console too, for what no key does."""


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for. `minutes` 0 means without end, at the hall's own time."""

    configuration: Configuration
    model: DayModel
    day: str
    minutes: float
    speed: float
    seed: int
    data: Path
    voice: Path
    port: int
    host: str
    panel: int = 0
    line_time: bool = False
    """On serial lines bytes take as long as on real ones."""
    between: Callable[[str], contextlib.AbstractAsyncContextManager[str]] = contextlib.nullcontext
    """From the server's address to the one that the agent is given: for a witness on the way."""


@dataclass(slots=True)
class Stage:
    """A running hall with its devices and screens, before anybody comes."""

    options: Options
    configuration: Configuration
    world: World
    lines: Lines
    api: Api
    session: aiohttp.ClientSession
    server: Process
    agent: Process
    admin: dict[str, str]
    password: str
    kiosks: list[dict[str, str]]
    displays: list[Display] = field(default_factory=list)
    tokens: dict[str, str] = field(default_factory=dict)
    free_window: str = ""
    """Left to a visitor when the demonstration has no end."""

    @property
    def free_zone(self) -> str:
        """The zone of the free window: its sound is left to the visitor's browser."""
        return next((each.zone for each in self.configuration.window if each.id == self.free_window), "")

    def url(self, path: str, token: str = "") -> str:
        """An address for a browser; a paired screen's token travels in the fragment, which no server sees."""
        return f"{self.api.base}/{path}" + (f"#token={token}" if token else "")


@contextlib.contextmanager
def own_folder(folder: Path) -> Iterator[None]:
    """The folder is this demonstration's alone until the block ends. Failed when it is another's, or no demonstration's."""
    import fcntl  # noqa: PLC0415 — no Windows has it; the agent, which is the same program, runs there too

    if folder.exists() and any(folder.iterdir()) and not (folder / MARK).exists():
        raise Failed(f"{folder} is not empty and not a demonstration's: give another --data")
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / MARK).open("a+") as mark:
        try:
            fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            remedy = "end it with Ctrl-C in its terminal, or give this one --data FOLDER and --port PORT of its own"
            raise Failed(f"another demonstration runs in {folder}: {remedy}") from error
        yield


def empty_folder(folder: Path) -> None:
    """Leave nothing in it of the demonstration before; it is `own_folder`'s."""
    for old in folder.iterdir():
        if old.is_dir() and not old.is_symlink():
            shutil.rmtree(old)
        elif old.name != MARK:
            old.unlink()


def require_port(host: str, port: int) -> None:
    """Failed when somebody listens there; 0 is any port that is free."""
    try:
        with contextlib.closing(socket.create_server((host, port))):
            pass
    except (OSError, OverflowError) as error:
        raise Failed(f"port {port} cannot be had ({error}): give another with --port PORT") from error


@contextlib.asynccontextmanager
async def staged(options: Options, say: Callable[[str], None]) -> AsyncIterator[Stage]:
    """Server, agent, emulated devices, accounts and displays, all up; everything ended again in order."""
    data = options.data
    async with contextlib.AsyncExitStack() as stack:
        say("devices")
        lines = await stack.enter_async_context(
            emulated(options.configuration.device, data / "lines", options.speed, line_time=options.line_time)
        )
        configuration = _derived(options, lines)
        (data / "hall.toml").write_text(dump(configuration), encoding="utf-8")
        truth = Log(data / "people.jsonl")
        stack.callback(truth.close)
        world = World(configuration, options.speed, lines, truth)
        session = await stack.enter_async_context(aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()))
        say("server")
        server = Process("the server", data / "server.log")
        stack.push_async_callback(server.stop)
        base, first = await _start_server(server, options)
        api = Api(session, base, configuration.hall.id)
        admin, password = await _take_office(api, first)
        say("agent")
        agent = Process("the agent", data / "agent.log")
        stack.push_async_callback(agent.stop)
        reached = await stack.enter_async_context(options.between(api.base))
        await _start_agent(agent, api, reached, admin, options)
        say("displays")
        kiosks = [bearer(await api.pair(admin, "kiosk", kiosk.id)) for kiosk in configuration.kiosk]
        stage = Stage(options, configuration, world, lines, api, session, server, agent, admin, password, kiosks)
        if not options.minutes:
            stage.free_window = _free_window(configuration)
        await _hang_displays(stage, stack)
        await _devices_up(stage)
        yield stage


def _derived(options: Options, lines: Lines) -> Configuration:
    """Timed mornings are lived where it is morning now; an endless one at the hall's own time."""
    now = datetime.now(UTC)
    zone, opens = options.configuration.hall.timezone, "00:00"
    if options.minutes:
        zone = morning_zone(now)
        local = now.astimezone(ZoneInfo(zone))
        minute = local.hour * 60 + local.minute + 3 + int(_opening_s(options) / options.speed / 60)
        opens = f"{minute // 60:02d}:{minute % 60:02d}"
    return derive(options.configuration, options.speed, lines.urls, zone, opens)


def _opening_s(options: Options) -> float:
    """From the first ticket to the opening of the doors, simulated seconds."""

    def minutes(clock: str) -> int:
        return int(clock[:2]) * 60 + int(clock[3:])

    first = options.model.slot[0].at
    return max(0, minutes(options.configuration.hours.opens) - minutes(first)) * 60.0


async def _start_server(server: Process, options: Options) -> tuple[str, str]:
    """(address, first password)."""
    port = options.port or free_port()
    await server.start(
        "serve",
        "--hall",
        str(options.data / "hall.toml"),
        "--database",
        f"sqlite:///{(options.data / 'hall.db').resolve()}",
        "--keys",
        str(options.data / "keys"),
        "--voice",
        str(options.voice),
        "--host",
        options.host,
        "--port",
        str(port),
    )
    line = await server.until(lambda text: bool(first_password(text)), START_S)
    return f"http://127.0.0.1:{port}", first_password(line)


async def _take_office(api: Api, first: str) -> tuple[dict[str, str], str]:
    """The administrator signs in with the password shown once, and has to choose another."""
    admin = await api.sign_in("admin", first)
    password = f"{first}-demo"
    await api.change_password(admin, first, password)
    return admin, password


async def _start_agent(agent: Process, api: Api, server: str, admin: dict[str, str], options: Options) -> None:
    hall = options.configuration.hall.id
    await agent.start("agent", "--server", server, "--hall", hall, "--state", str(options.data / "agent"))
    code = pairing_code(await agent.until(lambda text: bool(pairing_code(text)), START_S))
    await api.approve(admin, code, "agent", AGENT)
    await agent.until(lambda text: field_of(text, "event") == "server_welcome", START_S)


async def _hang_displays(stage: Stage, stack: contextlib.AsyncExitStack) -> None:
    data = stage.options.data
    group = await stack.enter_async_context(_tasks())
    for zone in dict.fromkeys(window.zone for window in stage.configuration.window):
        token = await stage.api.pair(stage.admin, "hall", zone)
        stage.tokens[f"hall:{zone}"] = token
        sounds = zone != stage.free_zone
        display = Display(stage.world, stage.session, stage.api.base, zone, token, sounds=sounds)
        screen, audio = Log(data / "screens" / f"{zone}.jsonl"), Log(data / "audio" / f"{zone}.jsonl")
        stack.callback(screen.close)
        stack.callback(audio.close)
        group.append(asyncio.create_task(display.run(screen, audio)))
        stage.displays.append(display)
    for display in stage.displays:
        await asyncio.wait_for(display.ready.wait(), START_S)


@contextlib.asynccontextmanager
async def _tasks() -> AsyncIterator[list[asyncio.Task[None]]]:
    """Tasks that end with the block; one that failed makes the block fail."""
    tasks: list[asyncio.Task[None]] = []
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        for found in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(found, Exception):
                raise found


async def _devices_up(stage: Stage) -> None:
    """Kiosks print only on printers that are known to work, so nobody comes before they are."""
    async with asyncio.timeout(START_S):
        for kiosk, who in zip(stage.configuration.kiosk, stage.kiosks, strict=True):
            if kiosk.printer:
                await _printer_known(stage, kiosk.id, who)


async def _printer_known(stage: Stage, kiosk: str, who: dict[str, str]) -> None:
    token = who["Authorization"].removeprefix("Bearer ")
    async with stage.session.ws_connect(f"{stage.api.base}/api/v1/live") as socket:
        await socket.send_json({"type": "hello", "token": token})
        await socket.send_json({"type": "subscribe", "view": "kiosk", "of": kiosk})
        async for message in socket:
            heard: dict[str, Any] = message.json()
            if heard.get("documents", {}).get("kiosk", {}).get("printer") == "ok":
                return


def _free_window(configuration: Configuration) -> str:
    """A visitor plays clerk at the last window that serves everything."""
    general = [window.id for window in configuration.window if window.kind is WindowKind.GENERAL]
    return (general or [configuration.window[-1].id])[-1]


def furnish(world: World, free_window: str = "") -> Bench:
    """The bench of the hall's devices, with its places named; who presses a key takes the window over."""
    bench, configuration = world.lines.bench, world.configuration
    hall = configuration.hall
    bench.title = {"zh": hall.name, "en": hall.name_en}
    for window in configuration.window:
        plate = window.plate or window.id
        note = _TAKES_OVER
        if window.id == free_window:
            note = _FREE
        name = {"zh": f"{plate} 号窗口", "en": f"Window {plate}"} if plate.isdigit() else {"zh": plate, "en": plate}
        bench.stations[window.id] = Station(window.id, name, note)
    for kiosk in configuration.kiosk:
        if kiosk.name and kiosk.printer in bench.placed:
            named = {"zh": kiosk.name, "en": kiosk.name_en or kiosk.name}
            bench.placed[kiosk.printer] = replace(bench.placed[kiosk.printer], name=named)
    bench.stations[BOARDS] = Station(BOARDS, {"zh": "综合屏", "en": "Boards"})
    bench.stations[ENTRANCE] = Station(ENTRANCE, {"zh": "取号机", "en": "Kiosks"})

    def touched(place: str) -> None:
        world.take_over(place)
        station = bench.stations.get(place)
        if station is not None and station.note == _TAKES_OVER:
            bench.stations[place] = replace(station, note=_YOURS)

    bench.touched = touched
    return bench


_TAKES_OVER: Final = {
    "zh": "这里坐着一位模拟柜员。您一按键，他就让位，这个窗口由您来叫号。",
    "en": "An emulated clerk works here, and leaves the window to you when you press a key.",
}
_YOURS: Final = {
    "zh": "这个窗口现在由您来叫号。",
    "en": "This window is yours now: you call the numbers here.",
}
_FREE: Final = {
    "zh": "这个窗口留给您：按 1000，再按“功能”登录；然后按“呼叫”。",
    "en": "This window is left to you: press 1000 and Function to sign in, then Call.",
}


async def hire(stage: Stage, random: Random) -> list[Clerk]:  # long: what one clerk needs, in one list
    """A clerk for every window (but the one left free), with an account of their own."""
    configuration, world = stage.configuration, stage.world
    if stage.free_window:
        await _account(stage, "1000", "体验窗口", ["clerk"])
    policy = configuration.policy
    starts = _minutes(stage.options.model.slot[0].at)
    lunch = tuple(
        ((_minutes(shift.begins) - starts) * 60.0, (_minutes(shift.ends) - starts) * 60.0, shift)
        for shift in stage.options.model.lunch
        if stage.options.minutes
    )
    clerks = []
    for index, window in enumerate(each for each in configuration.window if each.id != stage.free_window):
        staff = str(1001 + index)
        keypad = world.lines.keypads.get(window.id)
        console = None
        # Without end somebody looks at the windows: there every arrival is marked, for which a keypad has no key.
        if keypad is None or index % CONSOLE_EVERY == 0 or stage.free_window:
            who = await _account(stage, staff, f"窗口{window.id}柜员", ["clerk"], window.id)
            console = Console(stage.api, window.id, who, random)
            world.consoles.add(window.id)
        else:
            await _new_account(stage, staff, f"窗口{window.id}柜员", ["clerk"])
        hands: Hands | None = console
        if keypad is not None:
            hands = Keypad(*keypad, staff, world.lines.profiles[window.id])
        assert hands is not None
        clerks.append(
            Clerk(
                world,
                window.id,
                hands,
                console,
                random,
                infer_s=float(policy.infer_arrival_after_s),
                recall_s=float(policy.recall_interval_s),
                lunch=lunch,
            )
        )
    return clerks


def _minutes(clock: str) -> int:
    return int(clock[:2]) * 60 + int(clock[3:])


async def _new_account(stage: Stage, staff: str, name: str, roles: list[str]) -> None:
    body = {"staff": staff, "name": name, "roles": roles, "password": f"{stage.password}-{staff}"}
    await stage.api.must("POST", "staff", body, stage.admin)


async def _account(stage: Stage, staff: str, name: str, roles: list[str], window: str = "") -> dict[str, str]:
    """A new account, signed in, with a password of its own choosing: the demonstration's."""
    await _new_account(stage, staff, name, roles)
    given = f"{stage.password}-{staff}"
    who = await stage.api.sign_in(staff, given, window)
    await stage.api.change_password(who, given, stage.password)
    return who


async def open_doors(stage: Stage) -> None:
    """The day opens by the hall's own clock; wait for that (tickets may be taken from then on)."""
    async with asyncio.timeout(START_S):
        while True:
            status, found = await stage.api.ask("GET", "day/closing", headers=stage.admin)
            if status == 200 and found["day"] and found["state"] != "closed":
                return
            await asyncio.sleep(0.2)


async def live_through(stage: Stage, visits: list[Visit], clerks: list[Clerk], tick: Callable[[float], None]) -> None:
    """The morning itself: the queue before the doors, the doors, the rush, closing time, and the day's end."""
    world, options = stage.world, stage.options
    end_s = options.minutes * 60
    random = Random(options.seed + 1)
    entrance = Entrance(stage.api, stage.kiosks)
    world.pace.begin()

    async def arrivals() -> None:
        for visit in visits:
            await world.pace.until(visit.at_s)
            task = asyncio.create_task(citizens.live(world, stage.api, entrance, visit, random))
            group.append(task)

    async def progress() -> None:
        while True:
            tick(min(world.pace.now_s, end_s))
            await asyncio.sleep(0.2)

    async with _tasks() as group:
        group.append(asyncio.create_task(arrivals()))
        group.append(asyncio.create_task(progress()))
        await world.pace.until(min(_opening_s(options), end_s / 2))
        await stage.api.must("POST", "day/open", {}, stage.admin)
        work = [asyncio.create_task(clerk.live()) for clerk in clerks]
        try:
            await _until_end(stage, end_s, [*work, *group])
            await stage.api.must("POST", "day/close", {"text": "今日取号结束"}, stage.admin)
            world.closing = True
            world.tell()
            await _last_services(work, options.speed)
            await asyncio.sleep(SETTLE_S)  # last presses reach the hall, last calls are spoken or dropped
        finally:
            for task in work:
                task.cancel()
            await asyncio.gather(*work, return_exceptions=True)
        await stage.api.must("POST", "day/end", {}, stage.admin)
        await asyncio.sleep(1.0)
        tick(end_s)


async def _last_services(work: list[asyncio.Task[None]], speed: float) -> None:
    """Who sits at a window at closing time is served to the end."""
    try:
        await asyncio.wait_for(asyncio.gather(*work), START_S + 2 * LONGEST_S / speed)
    except TimeoutError:
        raise Failed("some clerks did not finish after closing time") from None


async def _until_end(stage: Stage, end_s: float, tasks: list[asyncio.Task[None]]) -> None:
    """Wait for closing time, and notice who or what fails before it."""
    while (left_s := end_s - stage.world.pace.now_s) > 0:
        for process in (stage.server, stage.agent):
            if process.ended:
                raise Failed(f"{process.name} ended in the middle of the morning: see {stage.options.data}")
        for task in tasks:
            if task.done() and not task.cancelled() and (error := task.exception()) is not None:
                raise error
        await asyncio.sleep(min(0.5, left_s / stage.options.speed))


async def live_on(stage: Stage, visitors: Visitors, clerks: list[Clerk]) -> None:
    """People come and are served until cancelled."""
    world, options = stage.world, stage.options
    random = Random(options.seed + 1)
    entrance = Entrance(stage.api, stage.kiosks)
    world.pace.begin()
    await stage.api.must("POST", "day/open", {}, stage.admin)
    async with asyncio.TaskGroup() as group:
        for clerk in clerks:
            world.clerks[clerk.window] = group.create_task(clerk.live())
        while not world.counts["signed_in"]:  # noqa: ASYNC110 - the first window opens within moments
            await asyncio.sleep(0.1)
        for visit in visitors.without_end(CROWD):
            await world.pace.until(visit.at_s)
            group.create_task(citizens.live(world, stage.api, entrance, visit, random))
