"""The served hall as its own clients see it: HTTP with a token or a cookie, and the processes that serve it."""

import asyncio
import contextlib
import json
import os
import re
import signal
import socket
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import aiohttp

STOP_S: Final = 10.0


class Failed(Exception):
    """The demonstration cannot go on; the sentence says why."""


class Api:
    """Requests of one hall. `headers` of a caller say who is asking; every write has a key of its own."""

    def __init__(self, session: aiohttp.ClientSession, base: str, hall: str) -> None:
        self._session = session
        self.base = base
        self._root = f"{base}/api/v1/halls/{hall}"

    async def ask(
        self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, Any]]:
        """(status, JSON). Asked again under the same key when the hall says 503 or the connection breaks."""
        who = {"Idempotency-Key": uuid.uuid4().hex, **(headers or {})}
        data = None if body is None else json.dumps(body).encode()
        for attempt in range(5):
            try:
                async with self._session.request(method, f"{self._root}/{path}", data=data, headers=who) as answer:
                    found = await answer.read()
                    if answer.status != 503:
                        return answer.status, json.loads(found) if found else {}
            except (aiohttp.ClientError, TimeoutError) as error:
                if attempt == 4:
                    raise Failed(f"{method} {path}: {error}") from error
            await asyncio.sleep(0.2 * (attempt + 1))
        raise Failed(f"{method} {path}: the hall is unavailable")

    async def must(self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None) -> Any:
        """The JSON of an answer that has to be good."""
        status, found = await self.ask(method, path, body, headers)
        if status >= 400:
            raise Failed(f"{method} {path}: {status} {found.get('code')} {found.get('title_en')}")
        return found

    async def sign_in(self, staff: str, password: str, window: str = "") -> dict[str, str]:
        """The headers of a member of staff."""
        body = json.dumps({"staff": staff, "password": password, "window": window}).encode()
        async with self._session.post(f"{self._root}/session", data=body) as answer:
            if answer.status != 200:
                raise Failed(f"{staff} cannot sign in: {answer.status}")
            return {"Cookie": f"yichuang={answer.cookies['yichuang'].value}"}

    async def change_password(self, who: dict[str, str], old: str, new: str) -> None:
        await self.must("POST", "session/password", {"old": old, "new": new}, who)

    async def pair(self, admin: dict[str, str], role: str, of: str) -> str:
        """The token of a screen or kiosk that was approved by its code, as a person would do it (UX S-03)."""
        asked = await self.must("POST", "pairings", {})
        await self.approve(admin, asked["code"], role, of)
        return str((await self.must("GET", f"pairings/{asked['id']}"))["token"])

    async def approve(self, admin: dict[str, str], code: str, role: str, of: str) -> None:
        await self.must("POST", f"pairings/{code}/approve", {"role": role, "of": of, "name": f"demo {of}"}, admin)


def bearer(token: str) -> dict[str, str]:
    """The header of a paired device."""
    return {"Authorization": f"Bearer {token}"}


class Process:
    """One `yichuang …` of its own, whose log goes to a file; `until` waits for a line of it."""

    def __init__(self, name: str, log: Path) -> None:
        self.name = name
        self._log = log
        self._process: asyncio.subprocess.Process | None = None
        self._pump: asyncio.Task[None] | None = None
        self._lines: asyncio.Queue[str] = asyncio.Queue(10_000)

    async def start(self, *arguments: str) -> None:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "queue_server",
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
            start_new_session=True,  # Ctrl-C is for the demonstration, which then ends its processes in order
        )
        self._pump = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        with self._log.open("ab", buffering=0) as out:
            while line := await self._process.stdout.readline():
                out.write(line)
                with contextlib.suppress(asyncio.QueueFull):
                    self._lines.put_nowait(line.decode("utf-8", "replace"))

    async def until(self, wanted: Callable[[str], bool], within_s: float) -> str:
        """The first line that is wanted; Failed when it does not come or the process ends."""
        assert self._process is not None
        try:
            async with asyncio.timeout(within_s):
                while True:
                    if self._lines.empty() and self._process.returncode is not None:
                        raise Failed(f"{self.name} ended with {self._process.returncode}: see {self._log}")
                    try:
                        line = await asyncio.wait_for(self._lines.get(), 0.5)
                    except TimeoutError:
                        continue
                    if wanted(line):
                        return line
        except TimeoutError:
            raise Failed(f"{self.name} did not start within {within_s:.0f} s: see {self._log}") from None

    @property
    def ended(self) -> bool:
        return self._process is not None and self._process.returncode is not None

    async def stop(self) -> int:
        """SIGTERM, and SIGKILL when that is not heard; the exit code."""
        if self._process is None:
            return 0
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(self._process.wait(), STOP_S)
            except TimeoutError:
                self._process.kill()
        code = await self._process.wait()
        if self._pump is not None:
            await self._pump
        return code


def field_of(line: str, name: str) -> str:
    """A field of a JSON log line, "" when it has none."""
    try:
        return str(json.loads(line).get(name, ""))
    except (ValueError, AttributeError):
        return ""


def first_password(line: str) -> str:
    """The password that the first start of a server shows, "" in every other line."""
    found = re.search(r"first password of admin\s+(\S+)", line)
    return found[1] if found else ""


def pairing_code(line: str) -> str:
    """The code that an agent asks to be approved under, as it stands in its log."""
    found = re.search(r"\b(\d{3}) (\d{3})\b", line)
    return "".join(found.groups()) if found else ""


def free_port() -> int:
    """A TCP port that is free now."""
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
