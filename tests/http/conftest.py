"""One township hall served in this process, whose day is turned by hand, and hands on its HTTP interface."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cache, partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from argon2 import PasswordHasher
from msgspec import structs

from queue_server.app import accounts, hallfile
from queue_server.app.timers import ACTOR
from queue_server.compose import Running, Settings, serving
from queue_server.domain import commands as c
from queue_server.domain.configuration import Configuration
from queue_server.domain.serving import Serving
from tests.hall_process import PASSWORD, TOWNSHIP
from tests.migrated import migrated


@dataclass
class Answer:
    """Status and body of one answer."""

    status: int
    body: Any
    headers: dict[str, str]


@dataclass
class Site:
    """The hall's parts, and one session a role."""

    running: Running
    configuration: Configuration
    session: aiohttp.ClientSession
    headers: dict[str, dict[str, str]] = field(default_factory=dict)
    days: int = 0
    keys: int = 0

    @property
    def hub(self) -> Any:
        return self.running.frame.hub

    async def as_staff(self, *roles: str, window: str = "") -> dict[str, str]:
        """The cookie of an account with these roles."""
        name = f"{'x'.join(roles)}{window}".replace("-", "")
        if name not in self.headers:
            kept = self.running.frame.accounts
            await kept.put_staff(name, f"员{name}", list(roles), PASSWORD, active=True)
            await kept.change_password(name, PASSWORD, PASSWORD + "!", "")
            cookie, _ = await kept.sign_in(name, PASSWORD + "!", window)
            self.headers[name] = {"Cookie": f"yichuang={cookie}"}
        return self.headers[name]

    async def as_device(self, role: str, of: str = "") -> dict[str, str]:
        """The token of a paired device."""
        token, _ = await self.running.frame.accounts.pair(role, of, role)
        return {"Authorization": f"Bearer {token}"}

    async def ask(
        self, method: str, path: str, who: dict[str, str] | None = None, body: object = None, key: str = ""
    ) -> Answer:
        """One request under the hall's path (or an absolute one); writes get a fresh idempotency key."""
        self.keys += 1
        headers = {**(who or {}), **({"Idempotency-Key": key or f"k{self.keys}"} if method != "GET" else {})}
        url = self.running.url + (path if path.startswith("/") else f"/api/v1/halls/{self.hub.name}/{path}")
        payload = {"json": {} if body is None else body} if method != "GET" else {}
        async with self.session.request(method, url, headers=headers, **payload) as answer:
            kind = answer.content_type
            return Answer(
                answer.status,
                await answer.json(content_type=None) if kind.endswith(("/json", "+json")) else await answer.text(),
                dict(answer.headers),
            )

    async def written(self) -> list[tuple[str, str]]:
        """(actor, kind) of all that somebody who asked wrote.

        On a slow machine the hall itself writes meanwhile: its clock, and who misses a device that has no agent.
        """
        itself = {ACTOR, *(f"agent:{device.agent}" for device in self.configuration.device)}
        rows = [row async for row in self.running.frame.store.read(self.hub.name)]
        return [(row.actor, row.kind) for row in rows if row.actor not in itself]

    async def new_day(self) -> str:
        """Ends the day, if one is on, and opens the next."""
        if self.days:
            await self.hub.tell(c.EndDay(), "test")
        day = f"{self.hub.clock.local(self.hub.clock.now()) + timedelta(days=self.days):%Y-%m-%d}"
        self.days += 1
        await self.hub.tell(c.OpenDay(day=day), "test")
        await self.hub.tell(c.StartDay(), "test")
        return day

    def offered(self) -> str:
        """A matter that the first window serves."""
        served, first = Serving(self.configuration), self.configuration.window[0].id
        return next(m.id for m in self.configuration.matter if m.offered and first in served.windows_for([m.id]))

    async def take(self, *matters: str, who: dict[str, str] | None = None, **more: object) -> Answer:
        wanted = list(matters) or [self.offered()]
        return await self.ask("POST", "tickets", who or await self.as_staff("guide"), {"matters": wanted, **more})

    async def sit(self, window: str) -> dict[str, str]:
        clerk = await self.as_staff("clerk", window=window)
        assert (await self.ask("POST", f"windows/{window}/open", clerk)).status == 200
        return clerk

    async def serve(self, window: str, clerk: dict[str, str]) -> str:
        """Calls and serves whoever is next; the service's id."""
        called = await self.ask("POST", f"windows/{window}/call-next", clerk)
        assert called.status == 200, called
        await self.ask("POST", f"windows/{window}/arrive", clerk)
        assert (await self.ask("POST", f"windows/{window}/finish", clerk)).status == 200
        return str(called.body["desk"]["service"])


def settings_of(folder: Path, **more: Any) -> Settings:
    """How a test's hall is served."""
    return Settings(
        database=migrated(folder / "hall.db"),
        keys_dir=folder / "keys",
        voice_dir=folder / "voice",
        configuration=township(),
        host="127.0.0.1",
        port=0,
        base_url="http://hall",
        automatic=False,
        **more,
    )


@cache
def _township() -> Configuration:
    """Frozen, and so read once."""
    configuration, findings = hallfile.load(TOWNSHIP.read_text(encoding="utf-8"))
    assert configuration is not None, findings
    return configuration


def township(**policy: object) -> Configuration:
    """The sample township, open on every day of the year."""
    configuration = _township()
    return structs.replace(
        configuration,
        hours=structs.replace(configuration.hours, weekdays=tuple(range(1, 8))),
        policy=structs.replace(configuration.policy, **policy),
    )


@pytest.fixture(autouse=True)
def cheap_passwords() -> Iterator[None]:
    """What a hall in this process hashes costs next to nothing: it makes two passwords at its start alone."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(accounts, "PasswordHasher", partial(PasswordHasher, time_cost=1, memory_cost=8, parallelism=1))
        yield


@pytest.fixture
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands speak to somebody whose system is English."""
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")


@pytest.fixture
async def site(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Site]:
    """A hall whose first day is open; `@pytest.mark.parametrize("site", [{...}], indirect=True)` changes its policy."""
    configuration = township(**getattr(request, "param", {}))
    settings = replace(settings_of(tmp_path), configuration=configuration)
    async with serving(settings) as running, aiohttp.ClientSession() as session:
        made = Site(running, configuration, session)
        await made.new_day()
        yield made
