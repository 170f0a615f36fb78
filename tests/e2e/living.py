"""A hall that lives for a test: the real server and agent as processes, and emulated devices on ptys."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import shutil
import signal
import sqlite3
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Self

import aiohttp
from msgspec import structs

from devices.emulators.idreader import EmulatedIdReader
from devices.emulators.nodes import EmulatedKeypad, EmulatedRatingPad, EmulatedStrip, Node
from devices.emulators.printer import EmulatedPrinter, Model
from devices.emulators.rs485 import Rs485BusEmulator
from devices.emulators.scanners import EmulatedScanner
from devices.protocols.rating import AckVariant
from devices.transport import Transport
from queue_server.app import hallfile
from queue_server.compose import lan_address
from queue_server.domain.configuration import Device
from tests.hall_process import DISTRICT, PASSWORD, Desk, HallProcess, desk, open_hall, surroundings

LEVELS = {"0": 1, "1": 2, "2": 3, "3": 4, "4": 5}
"""The level byte of a rating device to 1…5, as the sample halls have it."""

OWN_PASSWORD = "another-long-password"


async def until(condition: Callable[[], object], timeout_s: float = 40.0, what: str = "") -> None:
    """Wait for something that the devices or the server do; the failure names it."""
    ends = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > ends:
            raise AssertionError(f"not within {timeout_s} s: {what or condition}")
        await asyncio.sleep(0.02)


async def told(ask: Callable[[], Awaitable[Any]], timeout_s: float = 40.0, what: str = "") -> Any:
    """The first true answer."""
    ends = time.monotonic() + timeout_s
    while True:
        if answer := await ask():
            return answer
        if time.monotonic() > ends:
            raise AssertionError(f"not within {timeout_s} s: {what}")
        await asyncio.sleep(0.05)


def hall_address() -> str:
    """Where browsers open the hall: as in its LAN, an address that is no secure context over plain HTTP (UX X-13).

    A machine without a network is reached by 0.0.0.0, which no browser takes for itself as it does 127.0.0.1.
    """
    address = lan_address()
    return "0.0.0.0" if ip_address(address).is_loopback else address


class Tap:
    """A transport that remembers every byte in both directions: what an analyser on the line would have seen."""

    def __init__(self, end: Transport, to_device: bytearray, from_device: bytearray) -> None:
        self._end, self._to, self._from = end, to_device, from_device

    @property
    def url(self) -> str:
        return self._end.url

    async def open(self) -> None:
        await self._end.open()

    async def read(self, limit_bytes: int = 65536) -> bytes:
        data = await self._end.read(limit_bytes)
        self._to += data
        return data

    async def write(self, data: bytes) -> None:
        self._from.extend(data)
        await self._end.write(data)

    async def close(self) -> None:
        await self._end.close()


class TappedBus(Rs485BusEmulator):
    """The emulated line, with its raw bytes."""

    def __init__(self, url: str, nodes: Sequence[Node]) -> None:
        super().__init__(url, nodes)
        self.to_devices, self.from_devices = bytearray(), bytearray()

    async def _listen(self, end: Transport) -> None:
        self._end = Tap(end, self.to_devices, self.from_devices)
        await super()._listen(self._end)


class TappedPrinter(EmulatedPrinter):
    """The emulated printer, with the raw bytes it was sent."""

    def __init__(self, url: str, model: Model | None = None) -> None:
        super().__init__(url, model)
        self.raw = bytearray()
        self.begun: list[float] = []
        """When the first byte of each paper came, s."""
        feed = self.interpreter.feed

        def tapped(data: bytes) -> bytes:
            self.raw.extend(data)
            self.begun += [time.time()] * data.count(b"\x1b@")
            return feed(data)

        self.interpreter.feed = tapped  # type: ignore[method-assign]

    def tickets(self) -> list[bytes]:
        """Every whole paper, without the status questions that overtake it."""
        papers = re.findall(rb"\x1b@.*?\x1dr\x01", bytes(self.raw), re.DOTALL)
        return [re.sub(rb"\x10\x04[\x01-\x04\x14]", b"", paper) for paper in papers]


class LivingHall:
    """The district hall with the devices of some windows on one bus, and one kiosk's printer; use it as a context.

    With `readers` an ID card reader and a scanner stand at the kiosk too, each on its own line. The doors have opened at `opens`.
    """

    def __init__(
        self,
        folder: Path,
        windows: Sequence[str] = ("6",),
        *,
        keymap: str = "hallquefront",
        readers: bool = False,
        opens: str = "00:01",
        **policy: object,
    ) -> None:
        self.folder, self.windows, self._keymap, self._opens = folder, tuple(windows), keymap, opens
        self.keypads = {name: EmulatedKeypad(int(name)) for name in windows}
        self.pads = {name: EmulatedRatingPad(0x80 + int(name), AckVariant.B) for name in windows}
        self.strips = {name: EmulatedStrip(0x40 + int(name)) for name in windows}
        for sender in (*self.keypads.values(), *self.pads.values()):
            sender.tries = 12  # the machine is shared: an echo may be late
        nodes = [*self.keypads.values(), *self.pads.values(), *self.strips.values()]
        self.bus = TappedBus(f"pty://{folder / 'bus'}", nodes)
        self.printer = TappedPrinter(f"pty://{folder / 'printer'}")
        self.reader, self.scanner = EmulatedIdReader(), EmulatedScanner()
        corner = (("reader", self.reader), ("scanner", self.scanner)) if readers else ()
        self.corner = {name: Rs485BusEmulator(f"pty://{folder / name}", (node,)) for name, node in corner}
        self.server = HallProcess(folder, self._hall_file(policy), host=hall_address())
        self.agent: asyncio.subprocess.Process | None = None
        self.agent_log: list[str] = []
        self.admin: Desk
        self._stack = contextlib.AsyncExitStack()

    def _hall_file(self, policy: dict[str, object]) -> Path:
        path = open_hall(self.folder / "config", DISTRICT, **policy)
        configuration, _ = hallfile.load(path.read_text(encoding="utf-8"))
        assert configuration is not None
        # 115,200 baud, so that a test's hall is not slower than its clerks; the frames are the same.
        bus, printer = (f"serial://{self.folder / name}?baud=115200" for name in ("bus", "printer"))
        devices = [Device(id="printer-1", agent="agent-1", kind="printer", url=printer)]
        for name in self.windows:
            number = int(name)
            devices += [
                Device(
                    id=f"keypad-{name}", agent="agent-1", kind="keypad", url=bus, address=number,
                    profile=self._keymap, window=name,
                ),
                Device(
                    id=f"pad-{name}", agent="agent-1", kind="rating_pad", url=bus, address=0x80 + number,
                    profile="ff68-b", window=name, levels=LEVELS,
                ),
                Device(id=f"strip-{name}", agent="agent-1", kind="strip", url=bus, address=0x40 + number, window=name),
            ]  # fmt: skip
        for name, kind, profile in (("reader", "id_reader", "sam-v"), ("scanner", "scanner", "scanner")):
            if name in self.corner:
                line = f"serial://{self.folder / name}?baud=115200"
                stands = {"kiosk": "kiosk-1"}
                devices.append(Device(id=name, agent="agent-1", kind=kind, url=line, profile=profile, settings=stands))
        kiosks = tuple(each for each in configuration.kiosk if each.id == "kiosk-1")
        hours = structs.replace(configuration.hours, opens=self._opens)
        wired = structs.replace(configuration, hours=hours, device=tuple(devices), kiosk=kiosks)
        path.write_text(hallfile.dump(wired), encoding="utf-8")
        return path

    async def __aenter__(self) -> Self:
        try:
            await self._stack.enter_async_context(self.bus)
            await self._stack.enter_async_context(self.printer)
            for line in self.corner.values():
                await self._stack.enter_async_context(line)
            await self.server.start()
            self._stack.push_async_callback(self._end_server)
            self.admin = await self._stack.enter_async_context(desk(self.server))
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def _end_server(self) -> None:
        if self.server.process is not None and self.server.process.returncode is None:
            await self.server.kill(signal.SIGTERM)

    async def start_agent(self) -> None:
        """`yichuang agent` as a process, joined by the code it shows, until its printer is known to print."""
        arguments = ["agent", "--server", self.server.url, "--hall", self.server.hall.stem]
        self.agent = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "queue_server", *arguments, "--state", str(self.folder / "agent"),
            env={**surroundings(), "LC_ALL": "C.UTF-8"}, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        reader = asyncio.create_task(self._read_agent())
        self._stack.push_async_callback(self._end_agent, reader)
        await until(lambda: re.search(r"配对码 \d{3} \d{3}", "\n".join(self.agent_log)), 90, "the agent's pairing code")
        found = re.search(r"配对码 (\d{3}) (\d{3})", "\n".join(self.agent_log))
        assert found is not None
        body = {"role": "agent", "of": "agent-1", "name": "agent-1"}
        await self.post(f"pairings/{found[1]}{found[2]}/approve", body)
        await until(
            lambda: b"\x10\x04" in self.printer.raw and (self.bus.to_devices or not self.strips), 30, "the agent"
        )
        await until(self._printer_told, 30, "a printer that the hall knows of")

    def _printer_told(self) -> bool:
        """Until its agent tells of it a printer is offline, and no kiosk or guide prints there."""
        told = [
            json.loads(data)
            for (data,) in self.rows("select data from journal where kind = 'DeviceChanged' order by seq")
        ]
        return [each["state"] for each in told if each["device"] == "printer-1"][-1:] == ["online"]

    async def _read_agent(self) -> None:
        assert self.agent is not None
        assert self.agent.stderr is not None
        async for line in self.agent.stderr:
            self.agent_log.append(line.decode(errors="replace").rstrip())

    async def _end_agent(self, reader: asyncio.Task[None]) -> None:
        assert self.agent is not None
        with contextlib.suppress(ProcessLookupError):
            self.agent.terminate()
        try:
            async with asyncio.timeout(10):
                await self.agent.wait()
        except TimeoutError:
            self.agent.kill()
            await self.agent.wait()
        await reader

    # What people do through the API, where the test is not about their screen.

    async def post(
        self, path: str, body: object = None, headers: dict[str, str] | None = None, *, session: Any = None
    ) -> Any:
        """The JSON of a successful answer."""
        client = session or self.admin.session
        headers = {**self.admin.key(), **(headers or {})}
        async with client.post(f"{self.server.api}/{path}", json=body or {}, headers=headers) as answer:
            assert answer.status < 300, (path, answer.status, await answer.text())
            return await answer.json()

    async def hire(self, staff: str, *roles: str) -> None:
        """A member of staff who has changed the password they were given."""
        await self.admin.staff(staff, *roles)
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
            first = {"staff": staff, "password": PASSWORD, "window": ""}
            async with session.post(f"{self.server.api}/session", json=first) as answer:
                assert answer.status == 200, await answer.text()
            change = {"old": PASSWORD, "new": OWN_PASSWORD}
            async with session.post(f"{self.server.api}/session/password", json=change) as answer:
                assert answer.status == 200, await answer.text()

    async def pair(self, role: str, of: str = "", name: str = "") -> str:
        """The token of a newly paired screen."""
        return (await self.admin.pair(role, of, name))["Authorization"].removeprefix("Bearer ")

    @contextlib.asynccontextmanager
    async def clerk(self, staff: str, window: str) -> AsyncIterator[aiohttp.ClientSession]:
        """A clerk's session at a window that is open."""
        await self.hire(staff, "clerk")
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
            body = {"staff": staff, "password": OWN_PASSWORD, "window": window}
            async with session.post(f"{self.server.api}/session", json=body) as answer:
                assert answer.status == 200, await answer.text()
            await self.post(f"windows/{window}/open", {"take_over": True}, session=session)
            yield session

    async def take(self, matter: str, token: str, *, paper: bool = False, **more: object) -> Any:
        """A ticket from a kiosk's token."""
        body = {"matters": [matter], "paper": paper, **more}
        return await self.post("tickets", body, {"Authorization": f"Bearer {token}"})

    async def matters(self, domain: str, token: str, limit: int = 8) -> list[str]:
        """Ids of matters of a domain, the most wanted first."""
        params = {"domain": domain, "limit": str(limit)}
        headers = {"Authorization": f"Bearer {token}"}
        async with self.admin.session.get(f"{self.server.api}/matters", params=params, headers=headers) as answer:
            return [hit["id"] for hit in (await answer.json())["hits"]]

    def rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """What the database says, read beside the server."""
        with contextlib.closing(sqlite3.connect(f"file:{self.server.sqlite}?mode=ro", uri=True)) as database:
            return database.execute(statement, values).fetchall()

    async def verify(self) -> int:
        """The exit code of `yichuang journal verify`, after the server has stopped."""
        await self._end_server()
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "queue_server", "journal", "verify", "--database", f"sqlite:///{self.server.sqlite}",
            "--keys", str(self.folder / "keys"), "--json",
            env=surroundings(), stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        await process.communicate()
        assert process.returncode is not None
        return process.returncode


class Desks:
    """Clerks at open windows, whose keys are the API's; and a kiosk's token to take tickets with."""

    def __init__(self, hall: LivingHall, windows: Sequence[str]) -> None:
        self.hall, self.windows = hall, tuple(windows)
        self.sessions: dict[str, aiohttp.ClientSession] = {}
        self.kiosk = ""
        self.matter = ""
        self._stack = contextlib.AsyncExitStack()

    async def __aenter__(self) -> Self:
        clerks = [self._stack.enter_async_context(self.hall.clerk(f"10{name}", name)) for name in self.windows]
        self.sessions = dict(zip(self.windows, await asyncio.gather(*clerks), strict=True))
        self.kiosk = await self.hall.pair("kiosk", "kiosk-1")
        self.matter = (await self.hall.matters("property", self.kiosk, 1))[0]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def press(self, window: str, key: str, body: object = None) -> Any:
        """One key of the desk; the desk's document afterwards."""
        return (await self.hall.post(f"windows/{window}/{key}", body, session=self.sessions[window]))["desk"]

    async def tickets(self, count: int) -> list[str]:
        """Numbers of new tickets that every window here serves."""
        return [(await self.hall.take(self.matter, self.kiosk))["ticket"]["number"] for _ in range(count)]

    async def call(self, window: str) -> str:
        """Call next; the number."""
        return str((await self.press(window, "call-next"))["ticket"]["number"])

    async def call_together(self) -> list[str]:
        """Every window calls at once, with a ticket for each; the numbers in the order of the windows."""
        await self.tickets(len(self.windows))
        return list(await asyncio.gather(*(self.call(window) for window in self.windows)))

    async def drain(self) -> None:
        """Nobody waits any more whom these windows serve, and nobody is in hand."""
        await self.clear()
        for window in self.windows:
            while True:
                async with self.sessions[window].post(
                    f"{self.hall.server.api}/windows/{window}/call-next", json={}, headers=self.hall.admin.key()
                ) as answer:
                    if answer.status != 200 or (await answer.json())["desk"]["ticket"] is None:
                        break
        await self.clear()

    async def back(self, window: str) -> None:
        """The clerk takes the window again that somebody sat at for a test, and finishes what is in hand."""
        await self.press(window, "open", {"take_over": True})
        await self.clear()

    async def clear(self) -> None:
        """Everybody in hand is served."""
        for window in self.windows:
            async with self.sessions[window].post(
                f"{self.hall.server.api}/windows/{window}/finish", json={}, headers=self.hall.admin.key()
            ):
                pass  # a window with nobody in hand refuses, which is as good


def give_voice(folder: Path, pack: Path) -> None:
    """A hall's own copy of the voice pack."""
    shutil.copytree(pack, folder / "voice", dirs_exist_ok=True)
