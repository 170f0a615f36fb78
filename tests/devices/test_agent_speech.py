"""The agent and a call for its voice module: said at most once, its beginning and its end told (law 7, UX V-05)."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec

from devices.emulators.voices import EmulatedTts
from queue_server.wire.agent import DeviceEntry, DeviceHealth, Speak, Spoke, TestDevice, Tested
from tests.devices.hall import listen_url, until
from tests.devices.test_agent import Office

TOKENS = [*"请A零一二号到三号", "窗口"]
TEXT = "请A零一二号到三号窗口"


class Hall(Office):
    """An agent with a voice module."""

    def __init__(self, tmp_path: Path) -> None:
        super().__init__(tmp_path, listen_url("memory", tmp_path))
        self.module = EmulatedTts(unit_ms=20)
        self.line.nodes[:] = [self.module]
        self.module.join(self.line)

    def voice(self, **settings: str) -> DeviceEntry:
        times = {"syllable_ms": "20", "reply_ms": "150", "zone": "A"}
        return DeviceEntry(
            id="v1",
            kind="speaker",
            url=self.line.url,
            address=0,
            profile="syn6288",
            window="",
            levels={},
            settings=times | settings,
        )

    async def online(self) -> None:
        await until(lambda: any(h.state == "online" for h in self.server.all(DeviceHealth) if h.device == "v1"))

    async def speak(self, job: str, device: str = "v1", expires_in_ms: int = 10_000) -> None:
        await self.server.say(
            Speak(
                epoch=self.server.epoch,
                job=job,
                device=device,
                tokens=TOKENS,
                follows=False,
                volume=80,
                expires_in_ms=expires_in_ms,
            )
        )

    def told(self, job: str) -> list[tuple[str, str]]:
        return [(spoke.state, spoke.reason) for spoke in self.server.all(Spoke) if spoke.job == job]


async def test_a_call_is_said_and_its_beginning_and_end_are_told(tmp_path: Path) -> None:
    hall = Hall(tmp_path)
    async with hall.line, hall.server, hall.agent_running():
        await hall.server.welcome_again(hall.voice())
        await until(lambda: hall.agent.connected)
        await hall.server.welcome_again(hall.voice())
        await hall.online()
        await hall.speak("a")
        await hall.speak("b")
        await until(lambda: len(hall.told("b")) == 2)
        assert hall.told("a") == hall.told("b") == [("started", ""), ("spoken", "")]
        assert hall.module.heard == [TEXT, TEXT]
        assert hall.module.cut == []
        assert hall.module.volume == 13


async def test_law_7_the_same_job_again_says_nothing_and_tells_its_end_again(tmp_path: Path) -> None:
    hall = Hall(tmp_path)
    async with hall.line, hall.server:
        hall.server.devices = [hall.voice()]
        async with hall.agent_running():
            await hall.online()
            await hall.speak("a")
            await hall.speak("a")
            await until(lambda: ("spoken", "") in hall.told("a"))
            await hall.speak("a")
            await until(lambda: hall.told("a").count(("spoken", "")) == 2)
        assert hall.module.heard == [TEXT]


async def test_an_end_that_came_while_the_server_was_away_is_told_when_it_is_back(tmp_path: Path) -> None:
    hall = Hall(tmp_path)
    async with hall.line, hall.server:
        hall.server.devices = [hall.voice()]
        async with hall.agent_running():
            await hall.online()
            await hall.speak("a")
            await until(lambda: hall.told("a") == [("started", "")])
            await hall.server.stop()
            await until(lambda: hall.module.heard == [TEXT])
            await asyncio.sleep(0.3)
            await hall.server.start()
            await until(lambda: hall.told("a") == [("started", ""), ("spoken", "")])


async def test_what_cannot_be_said_is_told_with_its_reason(tmp_path: Path) -> None:
    hall = Hall(tmp_path)
    async with hall.line, hall.server:
        hall.server.devices = [hall.voice()]
        async with hall.agent_running():
            await hall.online()
            await hall.speak("x", device="nobody")
            await until(lambda: hall.told("x") == [("failed", "no voice module nobody at this agent")])
            await hall.line.unplug()
            await until(lambda: any(h.state == "offline" for h in hall.server.all(DeviceHealth)))
            await hall.speak("y")
            await until(lambda: hall.told("y") == [("failed", "offline")])


async def test_a_change_of_the_map_ends_a_call_as_unknown_and_nobody_waits_for_ever(tmp_path: Path) -> None:
    hall = Hall(tmp_path)
    async with hall.line, hall.server:
        hall.server.devices = [hall.voice()]
        async with hall.agent_running():
            await hall.online()
            await hall.speak("a")
            await until(lambda: hall.module.speaking)
            await hall.speak("b")
            await hall.server.welcome_again(hall.voice(tags="[t4]"))
            await until(lambda: ("failed", "offline") in hall.told("b"))
            assert hall.told("a")[-1] == ("unknown", "offline")


async def test_issue_3_the_test_button_of_a_voice_module_ends_done_when_it_has_been_heard(tmp_path: Path) -> None:
    hall = Hall(tmp_path)

    async def asked(name: str, text: str) -> str:
        await hall.server.say(
            TestDevice(epoch=hall.server.epoch, id=name, device="v1", text=text, paper=msgspec.Raw(b"null"), for_ms=0)
        )
        await until(lambda: any(each.id == name for each in hall.server.all(Tested)), 15)
        [tested] = [each for each in hall.server.all(Tested) if each.id == name]
        return tested.outcome

    async with hall.line, hall.server:
        hall.server.devices = [hall.voice()]
        async with hall.agent_running():
            await hall.online()
            assert await asked("t1", "请A012号到3号窗口") == "done"
            assert hall.module.heard == ["请A零一二号到三号窗口"]
            await hall.speak("a")
            await until(lambda: hall.module.speaking)
            assert await asked("t2", "请B007号到2号窗口") == "busy"  # a citizen's call goes before
            await until(lambda: ("spoken", "") in hall.told("a"))
            hall.module.silent = True
            assert await asked("t3", "") in ("unknown", "failed", "silent")
            assert hall.module.heard == ["请A零一二号到三号窗口", TEXT]
            assert hall.module.cut == []
