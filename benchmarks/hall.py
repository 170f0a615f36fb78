"""The district hall as it is served, with its clerks signed in and its windows open."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import msgspec

from queue_server.app import hallfile
from queue_server.domain.configuration import Configuration, Matter
from queue_server.domain.serving import Serving
from tests.hall_process import DISTRICT, PASSWORD, Desk, HallProcess, desk, open_hall

SEED = 1


@dataclass(slots=True)
class Served:
    """A served hall; `kiosk`, `screen` and each clerk are ready header lines."""

    process: HallProcess
    configuration: Configuration
    kiosk: list[str]
    screen: str
    clerks: dict[str, list[str]]

    @property
    def path(self) -> str:
        return f"/api/v1/halls/{self.configuration.hall.id}"

    def take_bodies(self, count: int = 500) -> list[str]:
        """Bodies of `POST tickets` as a kiosk sends them, matters by their share."""
        dice = random.Random(SEED)
        return [
            msgspec.json.encode({"matters": [each.id]}).decode() for each in matters(self.configuration, dice, count)
        ]


def district() -> Configuration:
    """The district hall's file."""
    configuration, findings = hallfile.load(DISTRICT.read_text(encoding="utf-8"))
    if configuration is None:
        raise SystemExit(f"config/district.toml: {findings}")
    return configuration


def matters(configuration: Configuration, dice: random.Random, count: int) -> list[Matter]:
    """Offered matters that some window serves, drawn by their share."""
    serving = Serving(configuration)
    offered = [each for each in configuration.matter if each.offered and serving.queue_of([each.id])]
    return dice.choices(offered, weights=[each.share or 1e-6 for each in offered], k=count)


@contextlib.asynccontextmanager
async def served(folder: Path, database: str = "") -> AsyncIterator[Served]:
    """`yichuang serve` on `folder` (a real disk), every window open."""
    file = open_hall(folder / "config", DISTRICT)
    process = HallProcess(folder, file, database=database)
    await process.start()
    try:
        configuration = district()
        async with desk(process) as admin:
            kiosk = (await admin.pair("kiosk", "kiosk-1"))["Authorization"]
            screen = (await admin.pair("hall"))["Authorization"].removeprefix("Bearer ")
            clerks = await _clerks(process, admin, [each.id for each in configuration.window])
        yield Served(process, configuration, _lines(f"Authorization: {kiosk}"), screen, clerks)
    finally:
        if process.process is not None and process.process.returncode is None:
            await process.kill()


def _lines(identity: str) -> list[str]:
    return [identity, "Content-Type: application/json"]


async def _clerks(process: HallProcess, admin: Desk, windows: list[str]) -> dict[str, list[str]]:
    """Header lines of one clerk a window, each signed in there with the window open."""
    found = {}
    for number, window in enumerate(windows):
        name = f"c{number}"
        await admin.staff(name, "clerk")
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
            clerk = Desk(process, session)
            if await clerk.sign_in(name, PASSWORD, window) != 200:
                raise RuntimeError(f"clerk {name} cannot sign in")
            words = {"old": PASSWORD, "new": f"{PASSWORD}-{name}"}
            async with session.post(f"{process.api}/session/password", json=words) as answer:
                if answer.status != 200:
                    raise RuntimeError(await answer.text())
            cookie = next(iter(session.cookie_jar))
            await _open(clerk, window)
        found[window] = _lines(f"Cookie: {cookie.key}={cookie.value}")
    return found


async def _open(clerk: Desk, window: str) -> None:
    url = f"{clerk.hall.api}/windows/{window}/open"
    for _ in range(100):
        async with clerk.session.post(url, json={"take_over": True}, headers=clerk.key()) as answer:
            if answer.status == 200:
                return
            text = await answer.text()
        await asyncio.sleep(0.1)
    raise RuntimeError(f"window {window} does not open: {text}")
