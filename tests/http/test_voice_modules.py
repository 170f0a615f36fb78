"""The way of a call to a voice module: claimed, said at most once by the agent, ended with what is known (UX V-02, V-05, law 7)."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from msgspec import structs

from devices.agent import Agent, AgentSettings
from devices.emulators.rs485 import Rs485BusEmulator
from devices.emulators.voices import EmulatedTts
from queue_server.compose import serving
from queue_server.domain import commands as c
from queue_server.domain.checks import check
from queue_server.domain.configuration import Configuration, Device
from queue_server.edge import make_printer, render_strip
from tests.devices.hall import until
from tests.http.conftest import Site, settings_of, township
from tests.voice import shipped_pack

UNIT_MS = 20


def with_module(url: str = "tcp://127.0.0.1:9", zone: str = "") -> Configuration:
    """The sample township with a module for its first window's zone; there is no voice pack."""
    hall = township()
    module = Device(
        id="voice-1",
        agent="agent-1",
        kind="speaker",
        url=url,
        profile="syn6288",
        settings={"zone": zone or hall.window[0].zone, "syllable_ms": str(UNIT_MS), "reply_ms": "200"},
    )
    return structs.replace(hall, device=(*(each for each in hall.device if each.kind != "speaker"), module))


@contextlib.asynccontextmanager
async def open_site(folder: Path, configuration: Configuration, *, days: int = 0) -> AsyncIterator[Site]:
    settings = replace(settings_of(folder), configuration=configuration)
    async with serving(settings) as running, aiohttp.ClientSession() as session:
        site = Site(running, configuration, session)
        if not days:
            await site.new_day()
        yield site


class Page:
    """A page that can sound, and never says how it went."""

    def __init__(self) -> None:
        self.played: list[bytes] = []

    def offer(self, frame: bytes) -> bool:
        self.played.append(frame)
        return True


class FakeAgent:
    """An agent whose module a test answers for."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self.jobs: list[dict[str, Any]] = []
        self._socket: aiohttp.ClientWebSocketResponse
        self._reader: asyncio.Task[None]

    async def __aenter__(self) -> "FakeAgent":
        headers = await self._site.as_device("agent", "agent-1")
        self._socket = await self._site.session.ws_connect(f"{self._site.running.url}/api/v1/agent", headers=headers)
        await self._socket.send_json({"type": "hello", "agent": "agent-1", "build": "t"})
        self._reader = asyncio.create_task(self._read())
        await self.health("online")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._socket.close()
        self._reader.cancel()
        await asyncio.gather(self._reader, return_exceptions=True)

    async def _read(self) -> None:
        async for message in self._socket:
            told = message.json()
            if told["type"] == "speak":
                self.jobs.append(told)

    async def health(self, state: str) -> None:
        await self._socket.send_json(
            {"type": "health", "device": "voice-1", "state": state, "last_seen_ms": 0, "last_error": "",
             "printer": None, "counters": {}}
        )  # fmt: skip

    async def job(self, count: int = 1) -> dict[str, Any]:
        await holds(lambda: len(self.jobs) >= count)
        return self.jobs[count - 1]

    async def spoke(self, job: str, state: str, reason: str = "", device: str = "voice-1") -> None:
        await self._socket.send_json({"type": "spoke", "job": job, "device": device, "state": state, "reason": reason})


async def holds(condition: Callable[[], object], timeout_s: float = 20.0) -> None:
    await until(condition, timeout_s)


def claims(folder: Path) -> list[tuple[str, str]]:
    """State and reason of each spoken claim, in order."""
    with contextlib.closing(sqlite3.connect(f"file:{folder / 'hall.db'}?mode=ro", uri=True)) as database:
        return list(database.execute("select state, reason from claims where kind = 'speech' order by at, id"))


async def call(site: Site) -> str:
    """Take a number and call it at the first window; the number."""
    window = site.configuration.window[0].id
    clerk = await site.as_staff("clerk", window=window)
    await site.ask("POST", f"windows/{window}/open", clerk)
    taken = await site.take()
    assert taken.status == 201, taken
    answer = await site.ask("POST", f"windows/{window}/call-next", clerk)
    assert answer.status == 200, answer
    return str(taken.body["ticket"]["number"])


async def finish(site: Site) -> None:
    window = site.configuration.window[0].id
    clerk = await site.as_staff("clerk", window=window)
    for step in ("arrive", "finish"):
        assert (await site.ask("POST", f"windows/{window}/{step}", clerk)).status == 200


DIGITS = dict(zip("0123456789", "零一二三四五六七八九", strict=True))


def read_out(number: str) -> str:
    return "".join(DIGITS.get(character, character) for character in number)


async def test_rules_25_a_call_is_said_by_the_module_digit_by_digit_twice_and_its_claim_is_done(tmp_path: Path) -> None:
    module = EmulatedTts(unit_ms=UNIT_MS)
    async with (
        Rs485BusEmulator(f"pty://{tmp_path / 'port'}", (module,)) as line,
        open_site(tmp_path, with_module(line.url)) as site,
    ):
        token = (await site.as_device("agent", "agent-1"))["Authorization"].removeprefix("Bearer ")
        server = f"ws{site.running.url.removeprefix('http')}/api/v1/agent"
        settings = AgentSettings(server=server, token=token, state=tmp_path / "agent.db", agent="agent-1")
        agent = asyncio.create_task(Agent(settings, render_strip, make_printer).run())
        zone = site.configuration.window[0].zone
        speech = site.running.frame.screens.around.speech
        await holds(lambda: zone in speech and speech[zone].state == "voiced")
        number = await call(site)
        await holds(lambda: len(module.heard) == 2)
        assert module.heard[0].startswith(f"请{read_out(number)}号到")
        assert module.heard[1] == module.heard[0]
        assert "窗口" in module.heard[0]
        assert module.cut == []
        await holds(lambda: claims(tmp_path) == [("done", "")])
        agent.cancel()
        await asyncio.gather(agent, return_exceptions=True)
        await holds(lambda: speech[zone].state == "voiceless")


async def test_ux_v_05_what_the_agent_says_is_the_claims_end(tmp_path: Path) -> None:
    async with open_site(tmp_path, with_module()) as site, FakeAgent(site) as agent:
        await call(site)
        job = await agent.job()
        assert job["device"] == "voice-1"
        assert job["volume"] == site.configuration.voice.volume
        assert not job["follows"]
        assert claims(tmp_path) == [("claimed", "")], "claimed durably before it is sent"
        await agent.spoke(job["job"], "started")
        await agent.spoke(job["job"], "failed", "no track for '鑫'")
        await holds(lambda: claims(tmp_path) == [("dropped", "no track for '鑫'")])
        await holds(lambda: any(alarm.code == "voice" for alarm in site.running.frame.screens.around.alarms))
        await finish(site)
        await call(site)
        second = await agent.job(2)
        await agent.spoke(second["job"], "unknown", "the module restarted")
        await holds(lambda: claims(tmp_path)[1:] == [("unknown", "the module restarted")])
        await finish(site)
        await call(site)
        third = await agent.job(3)
        await agent.spoke(third["job"], "spoken")
        await holds(lambda: claims(tmp_path)[2:] == [("done", "")])
        again = await agent.job(4)
        assert (again["follows"], again["tokens"]) == (True, third["tokens"])
        await agent.spoke(again["job"], "spoken")
        await asyncio.sleep(0.5)
        assert len(agent.jobs) == 4


async def test_another_agents_word_on_a_module_is_not_believed(tmp_path: Path) -> None:
    async with open_site(tmp_path, with_module()) as site, FakeAgent(site) as agent:
        await call(site)
        job = await agent.job()
        stranger = await site.as_device("agent", "agent-2")
        url = f"{site.running.url}/api/v1/agent"
        async with site.session.ws_connect(url, headers=stranger) as socket:
            await socket.send_json({"type": "hello", "agent": "agent-2", "build": "t"})
            told = {"type": "spoke", "job": job["job"], "device": "voice-1", "state": "spoken", "reason": ""}
            await socket.send_json(told)
            await asyncio.sleep(0.5)
        assert claims(tmp_path) == [("claimed", "")]


async def test_law_7_an_agent_that_goes_away_leaves_the_call_unknown_and_nothing_is_said_again(tmp_path: Path) -> None:
    async with open_site(tmp_path, with_module()) as site:
        async with FakeAgent(site) as agent:
            await call(site)
            await agent.job()
        await holds(lambda: claims(tmp_path) == [("unknown", "no answer from the player")], 20)
        async with FakeAgent(site) as agent:
            await asyncio.sleep(1)
            assert agent.jobs == []
            await finish(site)
            await call(site)
            await agent.job()


async def test_law_7_an_agent_that_comes_back_in_time_still_tells_how_it_ended(tmp_path: Path) -> None:
    async with open_site(tmp_path, with_module()) as site:
        async with FakeAgent(site) as agent:
            await call(site)
            job = await agent.job()
        async with FakeAgent(site) as agent:
            await agent.spoke(job["job"], "spoken")
            await holds(lambda: claims(tmp_path) == [("done", "")])


async def test_law_7_a_server_that_is_restarted_says_nothing_again(tmp_path: Path) -> None:
    async with open_site(tmp_path, with_module()) as site, FakeAgent(site) as agent:
        await call(site)
        await agent.job()
    async with open_site(tmp_path, with_module(), days=1) as site, FakeAgent(site) as agent:
        await holds(lambda: claims(tmp_path) == [("unknown", "restart")])
        await asyncio.sleep(1)
        assert agent.jobs == []


async def test_ux_v_02_the_module_speaks_before_the_page_and_the_page_when_it_is_gone(tmp_path: Path) -> None:
    pack = shipped_pack()

    async with open_site(tmp_path, with_module()) as site:
        voice, page, zone = site.running.frame.voice, Page(), site.configuration.window[0].zone
        voice.pack = pack
        voice.player(zone, page, True)
        async with FakeAgent(site) as agent:
            await holds(lambda: len(voice._zones[zone].players) == 2)
            await call(site)
            job = await agent.job()
            assert page.played == []
            await agent.spoke(job["job"], "spoken")
            again = await agent.job(2)
            await agent.spoke(again["job"], "spoken")
            await agent.health("offline")
            await holds(lambda: voice._zones[zone].players == [page])
            await finish(site)
            await call(site)
            await holds(lambda: page.played)
            assert len(agent.jobs) == 2


async def test_a_module_that_leaves_the_configuration_or_moves_speaks_no_longer(tmp_path: Path) -> None:
    async with open_site(tmp_path, with_module()) as site, FakeAgent(site):
        zone = site.configuration.window[0].zone
        players = site.running.frame.voice._zones[zone].players
        await holds(lambda: len(players) == 1)
        without = structs.replace(site.configuration, device=())
        await site.hub.tell(c.ApplyConfiguration(configuration=without, source="test"), "test")
        await holds(lambda: players == [])


async def test_a_hall_without_a_pack_or_module_claims_nothing(tmp_path: Path) -> None:
    async with open_site(tmp_path, structs.replace(with_module(), device=())) as site:
        await call(site)
        await asyncio.sleep(0.3)
        assert claims(tmp_path) == []


@pytest.mark.parametrize("zone", ["nowhere", ""])
def test_config_check_wants_a_zone_for_a_voice_module(zone: str) -> None:
    hall = with_module()
    module = structs.replace(hall.device[-1], settings={"zone": zone})
    codes = {finding.code for finding in check(structs.replace(hall, device=(*hall.device[:-1], module)))}
    assert "speaker_without_zone" in codes
    assert "speaker_without_zone" not in {finding.code for finding in check(hall)}


async def test_issue_3_a_zone_is_tried_with_digits_and_never_in_a_calls_way(tmp_path: Path) -> None:
    async with open_site(tmp_path, with_module()) as site, FakeAgent(site) as agent:
        manager = await site.as_staff("manager")
        zone = site.configuration.window[0].zone
        where = f"devices/zone:{zone}/test"
        assert (await site.ask("POST", where, manager)).status == 202
        job = await agent.job()
        assert job["tokens"] == [*"一二三四五六七八九零"]
        await agent.spoke(job["job"], "started")
        await agent.spoke(job["job"], "spoken")
        await holds(lambda: claims(tmp_path) == [("done", "")])

        async def outcome() -> str:
            found = await site.hub.read(lambda hall: hall.tests[f"zone:{zone}"].outcome)
            return str(found)

        for _ in range(100):
            if await outcome():
                break
            await asyncio.sleep(0.05)
        assert await outcome() == "done"
        await call(site)
        busy = await site.ask("POST", where, manager)
        assert (busy.status, busy.body["code"]) == (409, "device-busy")
        module = await site.ask("POST", "devices/voice-1/test", manager)
        assert (module.status, module.body["code"]) == (409, "device-busy"), "the module speaks for that zone"
        said = await agent.job(2)
        assert said["tokens"][0] == "请"
