"""What is spoken and what is not: notices to everybody, losses that outlive a restart, plates that no voice can say."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from msgspec import structs

from displays.speech.phrases import NOTICES
from queue_server import cli
from queue_server.app import agents as agents_module
from queue_server.app import hallfile
from queue_server.app.unspoken import STANDS_MS
from queue_server.compose import Running, serving
from queue_server.domain import commands as c
from queue_server.domain.configuration import Device
from queue_server.store.port import Lost
from queue_server.store.store import Store
from queue_server.wire.agent import DeviceHealth
from queue_server.wire.common import DeviceState, WindowState
from tests.hall_process import TOWNSHIP
from tests.http.conftest import Site, settings_of, township
from tests.voice import shipped_pack, shipped_to

ZH, EN = "今天提前到四点结束", "We close at four today"

SLACK_MS = 300
"""Of the five seconds, for the loop's step and the next one's file."""


class Speaker:
    """A page that is told to play, and answers as it is asked to."""

    def __init__(self, running: Running, zone: str) -> None:
        self.voice, self.zone = running.frame.voice, zone
        self.plays: list[dict[str, Any]] = []
        self.outcome = "done"

    def offer(self, frame: bytes) -> bool:
        start = frame.index(b"{")
        self.plays.append(json.loads(frame[start:]))
        return True

    async def answer(self) -> None:
        await self.voice.played(self, self.plays[-1]["id"], self.outcome, "")


async def until(condition: Callable[[], object], timeout_s: float = 20.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110 - conditions of many objects
            await asyncio.sleep(0.02)


@asynccontextmanager
async def voiced(folder: Path, *, silent: str = "") -> AsyncIterator[Site]:
    """The township in both languages with the shipped voice, its first day open; `silent` names a token it has no clip for."""
    if not (folder / "voice").exists():
        await asyncio.to_thread(shipped_to, folder / "voice")
        manifest = folder / "voice" / "voice.toml"
        lines = manifest.read_text(encoding="utf-8").splitlines()
        manifest.write_text("\n".join(line for line in lines if not silent or silent not in line), encoding="utf-8")
    base = township()
    configuration = structs.replace(base, voice=structs.replace(base.voice, languages=("zh", "en")))
    settings = replace(settings_of(folder), configuration=configuration)
    async with serving(settings) as running, aiohttp.ClientSession() as session:
        site = Site(running, configuration, session)
        if not await site.hub.read(lambda hall: hall.day):
            await site.new_day()
        yield site


async def claims(site: Site) -> list[tuple[str, str, str]]:
    """(id, state, reason) of everything spoken or not."""
    store: Store = site.running.frame.store
    async with store.database.reading() as connection:
        found = await connection.exec_driver_sql(
            "select id, state, reason from claims where kind = 'speech' order by at"
        )
        return [tuple(row) for row in found]  # type: ignore[misc]


async def test_ux_d_08_an_early_closing_is_spoken_in_each_zone_at_most_once_and_again_in_english(
    tmp_path: Path,
) -> None:
    """UX V-03, V-05, V-11: the caption is the announcement itself; no clips for it, so the standard sentence sounds."""
    async with voiced(tmp_path) as site:
        zones = sorted({window.zone for window in site.configuration.window})
        speakers = [Speaker(site.running, zone) for zone in zones]
        for speaker in speakers:
            speaker.voice.player(speaker.zone, speaker, True)
        await site.hub.tell(c.CloseDay(text=ZH, text_en=EN), "test")
        for speaker in speakers:
            for n in range(1, 4):
                await until(lambda speaker=speaker, n=n: len(speaker.plays) == n)  # type: ignore[misc]
                await speaker.answer()
            assert [play["again"] for play in speaker.plays] == [False, True, True]
            assert {(play["text"]["zh"], play["text"]["en"]) for play in speaker.plays} == {(ZH, EN)}
            pack = speaker.voice.pack
            assert pack is not None
            zh, en = (pack.clips[token] for token in NOTICES["closing"])
            sounds = [await _sound(site, play["url"]) for play in speaker.plays]
            assert [(zh in each, en in each) for each in sounds] == [(True, False), (True, False), (False, True)]
        await asyncio.sleep(0.5)
        assert [len(speaker.plays) for speaker in speakers] == [3] * len(speakers)
        found = await claims(site)
        assert [(name.split(":")[1], state) for name, state, _ in found] == [(zone, "done") for zone in zones]


async def _sound(site: Site, url: str) -> bytes:
    async with site.session.get(site.running.url + url) as answer:
        assert answer.status == 200
        return await answer.read()


async def test_law_7_two_emergencies_of_one_moment_are_both_answered_and_one_stands(tmp_path: Path) -> None:
    async with voiced(tmp_path) as site:
        manager = await site.as_staff("manager")
        for n in range(5):
            bodies = [{"kind": "emergency", "zh": f"请离开{n}{who}", "en": "Leave"} for who in "甲乙"]
            answers = await asyncio.gather(*[site.ask("POST", "message", manager, body) for body in bodies])
            assert [answer.status for answer in answers] == [200, 200]
        assert len(await claims(site)) == 10 * len({window.zone for window in site.configuration.window})


async def test_ux_v_05_a_message_that_is_taken_away_is_not_spoken_any_more(tmp_path: Path) -> None:
    """And an emergency that was never heard is an alarm; one that was cancelled is none."""
    async with voiced(tmp_path) as site:
        await site.hub.tell(c.SetMessage(kind="emergency", zh="请离开", en="Leave"), "test")
        await site.hub.tell(c.SetMessage(kind="none"), "test")
        speaker = Speaker(site.running, site.configuration.window[0].zone)
        speaker.voice.player(speaker.zone, speaker, True)
        await asyncio.sleep(0.6)
        assert speaker.plays == []
        assert {(state, reason) for _, state, reason in await claims(site)} == {("dropped", "cancelled")}
        assert site.running.frame.screens.around.alarms == []


async def test_ux_d_08_a_voice_without_the_sentence_gives_the_chime_and_the_caption(tmp_path: Path) -> None:
    async with voiced(tmp_path, silent=NOTICES["closing"][0]) as site:
        speaker = Speaker(site.running, site.configuration.window[0].zone)
        speaker.voice.player(speaker.zone, speaker, True)
        await site.hub.tell(c.CloseDay(text=ZH, text_en=EN), "test")
        await until(lambda: speaker.plays)
        assert speaker.plays[0]["text"] == {"zh": ZH, "en": EN}
        pack = speaker.voice.pack
        assert pack is not None
        assert (await _sound(site, speaker.plays[0]["url"]))[44:].startswith(pack.chime)


async def test_ux_v_05_that_a_call_was_not_spoken_is_known_after_a_restart_and_ends_after_five_minutes(
    tmp_path: Path,
) -> None:
    """The alarm follows from the claims: the next process says the same, and neither says it for ever."""

    def alarms(site: Site) -> list[Any]:
        return [alarm for alarm in site.running.frame.screens.around.alarms if alarm.code == "voice"]

    async with voiced(tmp_path) as site:
        window = site.configuration.window[0]
        await site.sit(window.id)
        await site.take(paper=False)
        speaker = Speaker(site.running, window.zone)
        speaker.voice.player(speaker.zone, speaker, True)
        await site.hub.tell(c.CallNext(window=window.id, service="s1"), "test")
        await until(lambda: speaker.plays)
        speaker.outcome = "failed"
        await speaker.answer()
        await until(lambda: alarms(site))
        before = alarms(site)
        assert before[0].subject == window.zone
        async with asyncio.timeout(20):
            while ("dropped", "failed") not in {claim[1:] for claim in await claims(site)}:  # noqa: ASYNC110 - the store tells nobody
                await asyncio.sleep(0.05)
    async with voiced(tmp_path) as site:
        assert await site.hub.read(lambda hall: hall.windows[window.id].state) is WindowState.CALLED
        await until(lambda: alarms(site))
        assert alarms(site) == before
        store = site.running.frame.store
        at = before[0].since
        assert await store.lost_claims(site.hub.name, "speech", at) == [Lost(window.zone, "failed", at)]
        assert await store.lost_claims(site.hub.name, "speech", at + 1) == []
        site.hub.clock.at_least(at + STANDS_MS)
        await until(lambda: not alarms(site))


async def test_ux_v_02_a_display_that_dies_while_it_speaks_is_replaced_within_5_s(tmp_path: Path) -> None:
    """UX V-02: "Exactly one player per zone speaks (server lease; takeover ≤ 5 s)", on the hall's own clock."""
    async with voiced(tmp_path) as site:
        windows, clock = site.configuration.window, site.hub.clock
        dies, next_one = (Speaker(site.running, windows[0].zone) for _ in range(2))
        for window in windows:
            await site.sit(window.id)
            await site.take(paper=False)
        for speaker in (dies, next_one):
            speaker.voice.player(speaker.zone, speaker, True)
        for window in windows:
            await site.hub.tell(c.CallNext(window=window.id, service=f"s{window.id}"), "test")
        await until(lambda: dies.plays)
        assert dies.plays[0]["duration_ms"] + 3_000 > 7_000, (
            "UX V-08's own timeout would be longer than a takeover may take"
        )
        gone = clock.now()
        dies.voice.forget(dies)
        await asyncio.sleep(0.5)
        assert next_one.plays == [], "what it was told may still sound: nobody speaks over it"
        clock.at_least(gone + 5_000 - SLACK_MS)
        await until(lambda: next_one.plays, 2)
        async with asyncio.timeout(20):  # law 7: never said again
            while ("unknown", "no answer from the player") not in {claim[1:] for claim in await claims(site)}:  # noqa: ASYNC110 - the store tells nobody
                await asyncio.sleep(0.05)


async def test_ux_v_09_a_display_that_may_not_sound_is_the_managers_alarm_until_it_sounds_or_is_gone(
    site: Site,
) -> None:
    """UX V-09: "Page self-tests at start: play 50 ms silence; rejected → big "点一下开启声音" + manager alarm"."""
    zone = site.configuration.window[0].zone
    manager = await site.as_staff("manager")
    token = (await site.as_device("hall", zone))["Authorization"].removeprefix("Bearer ")

    async def alarms() -> list[Any]:
        screens = site.running.frame.screens
        found: Any = await site.hub.read(
            lambda hall: screens.render(hall, "manager", "", site.hub.clock.now())["alarms"]
        )
        return [alarm for alarm in found.alarms if alarm.code == "voice"]

    async def count(wanted: int) -> None:
        async with asyncio.timeout(20):
            while len(await alarms()) != wanted:  # noqa: ASYNC110 - a document of the moment
                await asyncio.sleep(0.05)

    async with site.session.ws_connect(f"{site.running.url}/api/v1/live") as page:
        await page.send_json({"type": "hello", "token": token})
        await page.send_json({"type": "alive", "sound": "unknown"})
        await page.send_json({"type": "alive", "sound": "blocked"})
        await count(1)
        (alarm,) = await alarms()
        assert (alarm.subject, alarm.level) == (zone, "warn")
        assert "不让出声" in alarm.text.zh
        assert (await site.ask("POST", f"alarms/{alarm.id}/acknowledge", manager)).status == 200
        await page.send_json({"type": "alive", "sound": "blocked"})  # every 20 s: the same alarm, still acknowledged
        await page.send_json({"type": "alive", "sound": ""})
        await asyncio.sleep(0.3)
        (same,) = await alarms()
        assert (same.since, same.acknowledged_by) == (alarm.since, "staff:manager")
        site.hub.clock.at_least(alarm.since + STANDS_MS + 1_000)
        await asyncio.sleep(0.3)
        assert len(await alarms()) == 1, "it is no loss that is forgotten after five minutes"
        await page.send_json({"type": "alive", "sound": "ready"})
        await count(0)
        await page.send_json({"type": "alive", "sound": "blocked"})
        await count(1)
    await count(0)


class Wire:
    """An agent that keeps what its strips and boards should show."""

    def __init__(self) -> None:
        self.shown: dict[str, Any] = {}

    def offer(self, message: Any) -> bool:
        if type(message).__name__ == "ShowStrip":
            self.shown[message.device] = message
        return True


async def test_ux_d_08_strips_and_boards_say_a_closing_in_both_languages_beside_the_number(site: Site) -> None:
    """The number never vanishes; an emergency takes everything, and gives it back."""
    window = site.configuration.window[0]
    devices = (
        Device(id="strip", agent="pc", kind="strip", url="memory:l", address=3, window=window.id),
        Device(id="board", agent="pc", kind="board", url="memory:l", address=4),
    )
    changed = structs.replace(site.configuration, device=devices)
    await site.hub.tell(c.ApplyConfiguration(configuration=changed, source="test"), "test")
    wire = Wire()
    await site.running.frame.agents.connect("pc", wire)
    await site.sit(window.id)
    number = (await site.take(paper=False)).body["ticket"]["number"]
    await site.hub.tell(c.CallNext(window=window.id, service="s1"), "test")
    manager = await site.as_staff("manager")
    assert (await site.ask("POST", "day/close", manager, {"text": ZH, "text_en": EN})).status == 200
    for shown in wire.shown.values():
        assert (shown.state, shown.notice.zh, shown.notice.en) == ("call", ZH, EN)
    assert wire.shown["strip"].number == number
    assert wire.shown["board"].lines == [(number, window.plate or window.id)]
    emergency = {"kind": "emergency", "zh": "请离开", "en": "Leave now"}
    assert (await site.ask("POST", "message", manager, emergency)).status == 200
    for shown in wire.shown.values():
        assert (shown.state, shown.notice.zh, shown.notice.en) == ("emergency", "请离开", "Leave now")
    assert (await site.ask("POST", "message", manager, {"kind": "none"})).status == 200
    assert {shown.state for shown in wire.shown.values()} == {"call"}


@pytest.mark.parametrize("kind", ["keypad", "printer"])
async def test_rules_37_a_loss_is_counted_on_the_devices_page(site: Site, kind: str) -> None:
    """RULES 37: one event a loss and a return, whatever the agent repeats, and a count that staff can see."""
    device = Device(id="d1", agent="pc", kind=kind, url="memory:l", address=3)
    changed = structs.replace(site.configuration, device=(device,))
    await site.hub.tell(c.ApplyConfiguration(configuration=changed, source="test"), "test")
    agents, wire = site.running.frame.agents, Wire()
    for _ in range(2):
        await agents.connect("pc", wire)
        for state in ("online", "online", "offline", "offline"):
            await agents.received("pc", wire, _health(state))
    await agents.received("pc", wire, _health("online"))
    shown = next(each for each in (await site.hub.read(site.running.frame.screens.devices)).devices if each.id == "d1")
    assert (shown.state, shown.counters) == ("online", {"offline_today": 2, "frames": 7})
    kinds = [row.kind async for row in site.running.frame.store.read(site.hub.name) if row.kind == "DeviceChanged"]
    assert len(kinds) == 5


async def test_rules_37_a_device_that_nobody_has_told_of_becomes_offline(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its agent never came since the server started, or came and says nothing of it: neither is "unknown" for ever."""
    monkeypatch.setattr(agents_module, "ABSENT_S", 0.1)
    monkeypatch.setattr(agents_module, "UNTOLD_S", 0.1)
    monkeypatch.setattr(agents_module, "STARTED_S", 0.1)
    wire, agents = Wire(), site.running.frame.agents
    await agents.connect("here", wire)
    devices = tuple(
        Device(id=name, agent=agent, kind="keypad", url="memory:l", address=at)
        for at, (name, agent) in enumerate((("d1", "here"), ("mute", "here"), ("lone", "never")), start=1)
    )
    await site.hub.tell(
        c.ApplyConfiguration(configuration=structs.replace(site.configuration, device=devices), source="test"), "test"
    )
    await agents.received("here", wire, _health("online"))
    shown = site.running.frame.screens.devices

    async def states() -> dict[str, str]:
        told = (await site.hub.read(shown)).devices
        return {each.id: each.state for each in told if each.id in ("d1", "mute", "lone")}

    async with asyncio.timeout(10):
        while await states() != {"d1": "online", "mute": "offline", "lone": "offline"}:  # noqa: ASYNC110 - the hall tells screens, not tests
            await asyncio.sleep(0.05)
        # What is shown is worked out; the event of it comes with the clock's next round.
        while not await site.hub.read(lambda hall: "lone" in hall.devices):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    assert await site.hub.read(lambda hall: hall.devices["lone"].state) is DeviceState.OFFLINE


def _health(state: str) -> DeviceHealth:
    return DeviceHealth(
        device="d1", state=DeviceState(state), last_seen_ms=0, last_error="", printer=None, counters={"frames": 7}
    )


def test_ux_s_06_config_check_names_the_plate_that_the_voice_cannot_say(tmp_path: Path, capsys: object) -> None:
    shipped_pack()
    configuration, _ = hallfile.load(TOWNSHIP.read_text(encoding="utf-8"))
    assert configuration is not None
    first, *others = configuration.window
    changed = structs.replace(configuration, window=(structs.replace(first, plate="龙1"), *others))
    file, folder = tmp_path / "hall.toml", tmp_path / "voice"
    file.write_text(hallfile.dump(changed), encoding="utf-8")
    [nothing] = hallfile.voice_findings(changed, folder)
    assert (nothing.code, nothing.level) == ("voice_pack", "warning")
    assert cli.main(["voice", "build", "--folder", str(folder)]) == 0
    for voice in (folder, None):
        [found] = hallfile.voice_findings(changed, voice)
        assert (found.code, found.where, found.level) == ("voice_plate", f"window {first.id}", "warning")
        assert "“龙1”（缺“龙”）" in found.zh
        assert "voice build --hall" in found.zh, "what to mend"
        assert "'龙1'" in found.en
        assert list(hallfile.voice_findings(configuration, voice)) == []
    assert cli.main(["config", "check", str(file), "--voice", str(folder), "--json"]) == 0
    assert "voice_plate" in capsys.readouterr().out  # type: ignore[attr-defined]
    assert cli.main(["voice", "build", "--folder", str(folder), "--hall", str(file)]) == 0
    assert list(hallfile.voice_findings(changed, folder)) == []
