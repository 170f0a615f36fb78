"""A real `yichuang serve` as a process of its own, and a citizen's hands on its HTTP interface."""

import asyncio
import contextlib
import os
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
from msgspec import structs

from queue_server.app import hallfile
from queue_server.domain.configuration import Hours

ROOT = Path(__file__).resolve().parent.parent
DISTRICT = ROOT / "config" / "district.toml"
TOWNSHIP = ROOT / "config" / "township.toml"


def free_port() -> int:
    """A port nobody listens on now."""
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def surroundings(root: Path = ROOT) -> dict[str, str]:
    """The environment of a process that runs the checkout at `root` as tests run it (tests/within/sitecustomize.py)."""
    return {**os.environ, "PYTHONPATH": f"{ROOT / 'tests' / 'within'}{os.pathsep}{root}"}


@dataclass
class HallProcess:
    """One server on one folder; `start` and `kill` as often as you like."""

    folder: Path
    hall: Path = TOWNSHIP
    port: int = 0
    host: str = "127.0.0.1"
    database: str = ""
    extra: list[str] = field(default_factory=list)
    process: asyncio.subprocess.Process | None = None
    password: str = ""
    log: list[str] = field(default_factory=list)
    root: Path = ROOT
    """The checkout that runs; another one after an upgrade."""
    ahead_s: int = 0
    """How much later than here it is where the server runs: a day is `stop`, a day ahead, `start`."""

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    @property
    def api(self) -> str:
        return f"{self.url}/api/v1/halls/{self.hall.stem}"

    @property
    def sqlite(self) -> Path:
        return self.folder / "hall.db"

    async def start(self, *, ready: bool = True, timeout_s: float = 60.0) -> None:
        """Until `/readyz` says so."""
        self.port = self.port or free_port()
        database = self.database or f"sqlite:///{self.sqlite}"
        arguments = ["serve", "--hall", str(self.hall), "--database", database, "--host", self.host]
        arguments += [
            "--port",
            str(self.port),
            "--keys",
            str(self.folder / "keys"),
            "--voice",
            str(self.folder / "voice"),
        ]
        environment = surroundings(self.root) | {"TESTS_AHEAD_S": str(self.ahead_s)}
        self.process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "queue_server",
            *arguments,
            *self.extra,
            cwd=self.root,
            env=environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        self._reader = asyncio.create_task(self._read())
        if ready:
            await asyncio.wait_for(self._until_ready(), timeout_s)

    async def _read(self) -> None:
        assert self.process is not None
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            text = line.decode(errors="replace").rstrip()
            self.log.append(text)
            found = re.search(r"first password of admin\s+(\S+)", text)
            if found:
                self.password = found.group(1)

    async def _until_ready(self) -> None:
        assert self.process is not None
        async with aiohttp.ClientSession() as session:
            while True:
                if self.process.returncode is not None:
                    raise AssertionError("the server ended:\n" + "\n".join(self.log[-20:]))
                with contextlib.suppress(aiohttp.ClientError, OSError):
                    async with session.get(f"{self.url}/readyz") as answer:
                        if answer.status == 200:
                            return
                await asyncio.sleep(0.02)

    async def kill(self, number: int = signal.SIGKILL) -> None:
        """End it, without or with a word."""
        assert self.process is not None
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(number)
        await self.process.wait()
        await self._reader


@contextlib.asynccontextmanager
async def hall_process(folder: Path, hall: Path = TOWNSHIP, **more: object) -> AsyncIterator[HallProcess]:
    """A started server, killed at the end."""
    running = HallProcess(folder, hall, **more)  # type: ignore[arg-type]
    await running.start()
    try:
        yield running
    finally:
        if running.process is not None and running.process.returncode is None:
            await running.kill()


def noon_zone() -> str:
    """A time zone in which it is between 10 and 11 in the morning now, so that no test meets midnight."""
    hours = (10 - datetime.now(UTC).hour) % 24
    hours = hours - 24 if hours > 12 else hours
    return f"Etc/GMT{-hours:+d}" if hours else "Etc/GMT"


def open_hall(folder: Path, source: Path = TOWNSHIP, **policy: object) -> Path:
    """A copy of a hall's file that is open all day, every day; `policy` replaces numbers of its rules."""
    configuration, findings = hallfile.load(source.read_text(encoding="utf-8"))
    assert configuration is not None, findings
    changed = structs.replace(
        configuration,
        hall=structs.replace(configuration.hall, timezone=noon_zone()),
        hours=Hours(
            tickets_from="00:00", opens="23:50", tickets_until="23:58", closes="23:59", weekdays=tuple(range(1, 8))
        ),
        policy=structs.replace(configuration.policy, **policy),
    )
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / source.name
    path.write_text(hallfile.dump(changed), encoding="utf-8")
    return path


PASSWORD = "a-long-password"


class Desk:
    """An administrator's session, and what it can make: staff, and tokens of paired devices."""

    def __init__(self, hall: HallProcess, session: aiohttp.ClientSession) -> None:
        self.hall = hall
        self.session = session
        self._key = 0

    def key(self) -> dict[str, str]:
        """A fresh idempotency key."""
        self._key += 1
        return {"Idempotency-Key": f"{id(self)}-{self._key}"}

    async def sign_in(self, staff: str = "admin", password: str = PASSWORD, window: str = "") -> int:
        body = {"staff": staff, "password": password, "window": window}
        async with self.session.post(f"{self.hall.api}/session", json=body) as answer:
            return answer.status

    async def first_sign_in(self) -> None:
        """With the password that the first start showed once."""
        for _ in range(200):
            if self.hall.password:
                break
            await asyncio.sleep(0.02)
        assert await self.sign_in(password=self.hall.password) == 200
        body = {"old": self.hall.password, "new": PASSWORD}
        async with self.session.post(f"{self.hall.api}/session/password", json=body) as answer:
            assert answer.status == 200, await answer.text()

    async def staff(self, number: str, *roles: str) -> None:
        body = {"staff": number, "name": f"工号{number}", "roles": list(roles), "password": PASSWORD}
        async with self.session.post(f"{self.hall.api}/staff", json=body) as answer:
            assert answer.status == 200, await answer.text()

    async def pair(self, role: str, of: str = "", name: str = "") -> dict[str, str]:
        """The headers of a newly paired device; its name is its role unless given."""
        async with aiohttp.ClientSession() as screen:
            async with screen.post(f"{self.hall.api}/pairings", json={}) as answer:
                asked = await answer.json()
            body = {"role": role, "of": of, "name": name or role}
            async with self.session.post(f"{self.hall.api}/pairings/{asked['code']}/approve", json=body) as answer:
                assert answer.status == 200, await answer.text()
            async with screen.get(f"{self.hall.api}/pairings/{asked['id']}") as answer:
                token = (await answer.json())["token"]
        return {"Authorization": f"Bearer {token}"}


@contextlib.asynccontextmanager
async def desk(hall: HallProcess) -> AsyncIterator[Desk]:
    """A signed-in administrator of a new hall."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        made = Desk(hall, session)
        await made.first_sign_in()
        yield made
