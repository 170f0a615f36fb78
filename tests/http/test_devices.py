"""The server's side of devices: losses told once, tests with their end, the period's report (RULES 37, 38, 47, 89; UX K-11)."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from threading import get_ident
from typing import Any

import aiohttp
import msgspec
import pytest
from msgspec import structs

from queue_server.app import agents, terminals, trials
from queue_server.compose import serving
from queue_server.domain import commands as c
from queue_server.domain.configuration import Configuration, Device
from queue_server.web import devices as web_devices
from queue_server.wire.common import DeviceState, PrinterState
from tests.devices.hall import until
from tests.http.conftest import Site, settings_of, township


def wired() -> Configuration:
    """The township with one rating device, strip and printer, all of one agent that the test speaks for."""
    hall = township()
    first = hall.window[0].id
    devices = (
        Device(id="pad", agent="pc", kind="rating_pad", url="tcp://127.0.0.1:9", window=first, name="1 号评价器"),
        Device(id="strip", agent="pc", kind="strip", url="tcp://127.0.0.1:9", address=3, window=first),
        Device(id="slips", agent="pc", kind="printer", url="tcp://127.0.0.1:8", name="大厅打印机"),
    )
    kiosks = tuple(structs.replace(kiosk, printer="slips") for kiosk in hall.kiosk[:1])
    return structs.replace(hall, device=devices, kiosk=kiosks)


@pytest.fixture
async def hall(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    monkeypatch.setattr(agents, "STARTED_S", 0.0)
    monkeypatch.setattr(agents, "ABSENT_S", 1.0)
    monkeypatch.setattr(terminals, "STARTED_S", 0.0)
    monkeypatch.setattr(terminals, "ABSENT_S", 1.0)
    settings = replace(settings_of(tmp_path), configuration=wired())
    async with serving(settings) as running, aiohttp.ClientSession() as session:
        site = Site(running, settings.configuration, session)
        await site.new_day()
        yield site


class Pc:
    """An agent that a test speaks for."""

    def __init__(self, site: Site, url: str = "") -> None:
        self._site = site
        self._url = url or site.running.url
        self.told: list[dict[str, Any]] = []
        self._headers: dict[str, str] = {}

    async def __aenter__(self) -> "Pc":
        self._headers = self._headers or await self._site.as_device("agent", "pc")
        url = f"{self._url}/api/v1/agent"
        self._socket = await self._site.session.ws_connect(url, headers=self._headers)
        await self.say(type="hello", agent="pc", build="t")
        self._reader = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._socket.close()
        self._reader.cancel()
        await asyncio.gather(self._reader, return_exceptions=True)

    @property
    def closed(self) -> bool:
        return self._reader.done()

    async def _read(self) -> None:
        async for message in self._socket:
            self.told.append(message.json())

    async def say(self, **message: object) -> None:
        await self._socket.send_json(message)

    async def health(
        self, device: str, state: str, error: str = "", printer: str | None = None, **counters: int
    ) -> None:
        await self.say(
            type="health",
            device=device,
            state=state,
            last_seen_ms=0,
            last_error=error,
            printer=printer,
            counters=counters,
        )

    async def asked(self, device: str, count: int = 1) -> dict[str, Any]:
        def found() -> list[dict[str, Any]]:
            return [each for each in self.told if each["type"] == "test" and each["device"] == device]

        await until(lambda: len(found()) >= count)
        return found()[count - 1]


async def journal(site: Site, kind: str, device: str) -> list[dict[str, Any]]:
    rows = [row async for row in site.running.frame.store.read(site.hub.name, kinds=(kind,))]
    decoded = [msgspec.json.decode(row.data) for row in rows]
    return [each for each in decoded if each["device"] == device]


async def states(site: Site, device: str) -> list[str]:
    return [each["state"] for each in await journal(site, "DeviceChanged", device)]


async def document(site: Site, device: str) -> Any:
    screens = site.running.frame.screens
    found = await site.hub.read(screens.devices)
    return next(each for each in found.devices if each.id == device)


async def alarms(site: Site) -> list[str]:
    await site.hub.tell(c.Tick(), "clock")
    return [alarm.id for alarm in (await site.hub.read(site.running.frame.screens.alarms)).alarms]


async def holds(site: Site, device: str, *expected: str) -> None:
    """These are its changes; a machine that took longer than ABSENT_S to bring the agent has missed it once before."""

    async def told() -> list[str]:
        found = await states(site, device)
        return found[1:] if found[:1] == ["offline"] != list(expected[:1]) else found

    for _ in range(600):
        if await told() == list(expected):
            return
        await asyncio.sleep(0.05)
    assert await told() == list(expected)


async def test_rules_37_a_loss_and_a_return_are_one_event_each_however_often_they_are_told(hall: Site) -> None:
    async with Pc(hall) as pc:
        await pc.health("pad", "online", presses=3)
        await pc.health("pad", "offline", "no such port")
        await pc.health("pad", "offline", "still no such port")
        await pc.health("pad", "online")
        await holds(hall, "pad", "online", "offline", "online")
        shown = await document(hall, "pad")
        losses = (await states(hall, "pad")).count("offline")
        assert (shown.state, shown.counters["offline_today"], shown.test) == (DeviceState.ONLINE, losses, "rate")
        assert (shown.last_seen is not None, shown.last_sent) == (True, None), (
            "an older agent does not tell what it sent"
        )
        quiet = {"state": "unknown", "last_seen_ms": None, "last_error": "", "printer": None, "counters": {}}
        before = hall.hub.clock.now()
        await pc.say(type="health", device="strip", last_sent_ms=400, **quiet)
        for _ in range(600):
            if (shown := await document(hall, "strip")).last_sent is not None:
                break
            await asyncio.sleep(0.05)
        assert shown.last_seen is None, "UX W-08: a strip that never answers"
        assert shown.last_sent >= before - 400


async def test_rules_37_an_agent_that_is_back_at_once_has_lost_nothing(hall: Site) -> None:
    pc = Pc(hall)
    async with pc:
        await pc.health("pad", "online", presses=3)
        await holds(hall, "pad", "online")
    async with pc:
        await pc.health("pad", "online")
        await asyncio.sleep(1.5)
        await holds(hall, "pad", "online")
    await holds(hall, "pad", "online", "offline")
    shown = await document(hall, "pad")
    assert (shown.last_error, shown.last_seen is not None) == ("agent-lost", True)
    assert shown.since is not None
    await asyncio.sleep(1.2)
    await holds(hall, "pad", "online", "offline")


async def test_rules_38_clerk_and_manager_see_the_qr_code_stand_in_and_the_service_says_so(hall: Site) -> None:
    first = hall.configuration.window[0].id

    async def window() -> Any:
        found = await hall.hub.read(lambda value: hall.running.frame.screens.windows(value, hall.hub.clock.now()))
        return next(each for each in found.windows if each.id == first)

    async with Pc(hall) as pc:
        await pc.health("pad", "online")
        await holds(hall, "pad", "online")
        clerk = await hall.sit(first)
        assert not (await window()).rating_qr
        await hall.take()
        await hall.serve(first, clerk)
        await pc.health("pad", "offline", "unplugged")
        await holds(hall, "pad", "online", "offline")
        assert (await window()).rating_qr
        assert (await window()).rating_qr_since is not None
        await hall.take()
        await hall.serve(first, clerk)
        day = await hall.hub.read(lambda value: value.day)
        assert await hall.running.frame.store.invited(hall.hub.name, day, day) == {(day, first): (1, 1)}
        manager = await hall.as_staff("manager")
        report = (await hall.ask("GET", "reports/availability", manager)).body
        (line,) = [each for each in report["lines"] if each["what"] == "rating"]
        assert (line["subject"], line["invited_by_device"], line["invited_by_qr"]) == (first, 1, 1)
        assert 0 < line["usable_ms"] < line["open_ms"]
        assert [gap["why"]["zh"] for gap in line["gaps"]] == ["unplugged"]
        text = (await hall.ask("GET", f"reports/availability.csv?from={day}&to={day}", manager)).body
        rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
        assert [row["类别 Kind"] for row in rows] == ["评价器", "取号机"]
        assert rows[0]["评价器邀请 Invited by device"] == rows[0]["二维码邀请 Invited by QR"] == "1"
        assert abs(float(rows[0]["应可用（分钟） Minutes due"]) - line["open_ms"] / 60_000) < 0.2
        assert "unplugged" in rows[0]["中断明细 Gaps in full"]


@pytest.mark.parametrize(
    "period",
    [
        "from=2026-13-01",
        "from=2026-02-02&to=2026-02-01",
        "from=2025-01-01&to=2026-01-01",
        "from=9000-01-01&to=9000-01-02",
        "from=9999-12-31&to=9999-12-31",
        "to=9999-12-31",
    ],
)
async def test_a_period_that_makes_no_sense_is_refused(hall: Site, period: str) -> None:
    manager = await hall.as_staff("manager")
    for kind in ("", ".csv"):
        assert (await hall.ask("GET", f"reports/availability{kind}?{period}", manager)).status == 400
    clerk = await hall.as_staff("clerk")
    assert (await hall.ask("GET", "reports/availability", clerk)).status == 403


async def test_the_first_day_there_can_be_has_an_empty_report(hall: Site) -> None:
    answer = await hall.ask("GET", "reports/availability?from=0001-01-01&to=0001-01-02", await hall.as_staff("manager"))
    assert (answer.status, answer.body["lines"]) == (200, [])


async def test_law_5_one_report_at_a_time_and_who_waits_too_long_is_told(
    hall: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    making, most, go_on, real = 0, 0, asyncio.Event(), web_devices.report
    inside, period = 0, web_devices._period

    def entered(*arguments: Any) -> Any:
        nonlocal inside
        inside += 1
        return period(*arguments)

    async def slow(*arguments: Any) -> Any:
        nonlocal making, most
        making += 1
        most = max(most, making)
        await go_on.wait()
        found = await real(*arguments)
        making -= 1
        return found

    monkeypatch.setattr(web_devices, "report", slow)
    monkeypatch.setattr(web_devices, "_period", entered)
    manager = await hall.as_staff("manager")
    both = [asyncio.create_task(hall.ask("GET", f"reports/availability{kind}", manager)) for kind in ("", ".csv")]
    await until(lambda: making > 0 and inside == 2, 20)  # the second waits for its turn as long as a browser's user
    monkeypatch.setattr(web_devices, "TURN_S", 0.1)
    third = await hall.ask("GET", "reports/availability", manager)
    assert (third.status, third.body["code"]) == (503, "unavailable")
    assert "another report" in third.body["detail"]
    go_on.set()
    assert [each.status for each in await asyncio.gather(*both)] == [200, 200]
    assert most == 1


async def test_a_report_is_put_into_words_outside_the_hall(hall: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A quarter of a large hall has tens of thousands of lines: nobody's call waits for them."""
    threads: set[int] = set()
    real = web_devices._line

    def seen(*arguments: Any) -> Any:
        threads.add(get_ident())
        return real(*arguments)

    monkeypatch.setattr(web_devices, "_line", seen)
    first = hall.configuration.window[0].id
    async with Pc(hall):
        await hall.sit(first)
        answer = await hall.ask("GET", "reports/availability", await hall.as_staff("manager"))
    assert first in [line["subject"] for line in answer.body["lines"]]
    assert threads
    assert get_ident() not in threads


async def test_issue_3_a_test_goes_to_the_agent_and_its_end_is_seen_and_kept(hall: Site) -> None:
    manager = await hall.as_staff("manager")
    async with Pc(hall) as pc:
        await pc.health("strip", "online")
        await holds(hall, "strip", "online")
        asked = await hall.ask("POST", "devices/strip/test", manager, key="one")
        assert asked.status == 202, asked
        wanted = await pc.asked("strip")
        assert wanted["text"].startswith("测试")
        assert (await document(hall, "strip")).trial.outcome == ""
        again = await hall.ask("POST", "devices/strip/test", manager)
        assert (again.status, again.body["code"]) == (409, "device-test-runs")
        await pc.say(type="tested", id=wanted["id"], device="strip", outcome="done", reason="")
        for _ in range(100):
            if (await document(hall, "strip")).trial.outcome:
                break
            await asyncio.sleep(0.05)
        shown = (await document(hall, "strip")).trial
        assert (shown.test, shown.outcome, shown.text.zh) == ("show", "done", "设备已收到，请看屏上的字")
        assert len(await journal(hall, "DeviceTestAsked", "strip")) == 1
        assert [each["outcome"] for each in await journal(hall, "DeviceTestEnded", "strip")] == ["done"]
        slip = await hall.ask("POST", "devices/slips/test", manager)
        assert slip.status == 202
        paper = (await pc.asked("slips"))["paper"]
        assert (paper["paper"], bool(paper["printed_at"])) == ("test", True)


async def test_issue_3_a_test_without_an_agent_ends_as_not_connected(hall: Site) -> None:
    admin = await hall.as_staff("admin")
    assert (await hall.ask("POST", "devices/strip/test", admin)).status == 202
    for _ in range(100):
        if (await document(hall, "strip")).trial.outcome:
            break
        await asyncio.sleep(0.05)
    assert (await document(hall, "strip")).trial.outcome == "unconnected"
    zone = hall.configuration.window[0].zone
    assert (await hall.ask("POST", f"devices/zone:{zone}/test", admin)).status == 202
    for _ in range(100):
        if (await document(hall, f"zone:{zone}")).trial.outcome:
            break
        await asyncio.sleep(0.05)
    assert (await document(hall, f"zone:{zone}")).trial.outcome == "unconnected"
    assert "voice" not in [alarm.code for alarm in hall.running.frame.screens.around.alarms]


async def test_issue_3_who_may_test_and_what_a_citizen_needs_is_not_tested(hall: Site) -> None:
    clerk, manager = await hall.as_staff("clerk"), await hall.as_staff("manager")
    assert (await hall.ask("POST", "devices/strip/test", clerk)).status == 403
    nothing = await hall.ask("POST", "devices/nobody/test", manager)
    assert (nothing.status, nothing.body["code"]) == (409, "device-test-none")
    async with Pc(hall) as pc:
        await pc.health("slips", "online", printer="ok")
        await holds(hall, "slips", "online")
        await hall.sit(hall.configuration.window[0].id)
        assert (await hall.take(printer="slips")).status == 201
        await until(lambda: any(each["type"] == "print" for each in pc.told))
        busy = await hall.ask("POST", "devices/slips/test", manager)
        assert (busy.status, busy.body["code"]) == (409, "device-busy")
        job = next(each["job"] for each in pc.told if each["type"] == "print")
        await pc.say(type="printed", job=job, outcome="printed", reason="")
        await asyncio.sleep(0.2)
        assert (await hall.ask("POST", "devices/slips/test", manager)).status == 202


async def test_a_test_that_was_under_way_when_the_server_died_is_unknown(
    hall: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trials, "TEST_LASTS_MS", 0)
    await hall.hub.tell(c.TestDevice(id="before", device="strip"), "staff:1")
    hall.running.frame.agents.trials._under.clear()
    for _ in range(100):
        if (await document(hall, "strip")).trial.outcome:
            break
        await asyncio.sleep(0.05)
    assert (await document(hall, "strip")).trial.outcome == "unknown"


async def test_ux_k_11_paper_near_its_end_is_told_once_before_it_ends_and_is_over_when_refilled(hall: Site) -> None:
    async with Pc(hall) as pc:
        for paper in ("ok", "near_end", "near_end"):
            await pc.health("slips", "online", printer=paper)
        await holds(hall, "slips", "online", "online")
        assert "printer-near_end:slips" in await alarms(hall)
        guide = await hall.hub.read(
            lambda value: hall.running.frame.screens.render(value, "guide", "", hall.hub.clock.now())
        )
        (near,) = [each for each in guide["alarms"].alarms if each.code == "printer-near_end"]
        assert (near.level, near.text.zh) == ("warn", "纸将尽：大厅打印机")
        assert "printer-near_end:slips" in await alarms(hall)
        rows = [row async for row in hall.running.frame.store.read(hall.hub.name, kinds=("AlarmRaised",))]
        assert sum("near_end" in row.data for row in rows) == 1
        await pc.health("slips", "degraded", "out", printer="out")
        await holds(hall, "slips", "online", "online", "degraded")
        found = await alarms(hall)
        assert "printer-out:slips" in found
        assert "printer-near_end:slips" not in found
        await pc.health("slips", "online", printer="ok")
        await holds(hall, "slips", "online", "online", "degraded", "online")
        assert [each for each in await alarms(hall) if "slips" in each] == []


async def test_rules_89_a_kiosks_page_is_a_device_while_it_is_connected(hall: Site) -> None:
    kiosk = hall.configuration.kiosk[0].id
    name = f"kiosk:{kiosk}"
    token = (await hall.as_device("kiosk", kiosk))["Authorization"].removeprefix("Bearer ")
    await asyncio.sleep(1.5)
    assert await states(hall, name) == [], "a kiosk that never was there is not missed"
    async with hall.session.ws_connect(f"{hall.running.url}/api/v1/live") as socket:
        await socket.send_json({"type": "hello", "token": token})
        await holds(hall, name, "online")
        assert (await document(hall, name)).state is DeviceState.ONLINE
    await holds(hall, name, "online", "offline")
    assert (await document(hall, name)).last_error == "page-lost"


async def test_rules_89_what_the_configuration_no_longer_has_leaves_the_managers_table(hall: Site) -> None:
    kiosk = hall.configuration.kiosk[0].id
    token = (await hall.as_device("kiosk", kiosk))["Authorization"].removeprefix("Bearer ")

    async def ids() -> set[str]:
        found = await hall.hub.read(hall.running.frame.screens.devices)
        return {each.id for each in found.devices}

    async def apply(configuration: Configuration) -> None:
        await hall.hub.tell(c.ApplyConfiguration(configuration=configuration, source="test"), "staff:1")

    async with Pc(hall) as pc, hall.session.ws_connect(f"{hall.running.url}/api/v1/live") as socket:
        await socket.send_json({"type": "hello", "token": token})
        await holds(hall, f"kiosk:{kiosk}", "online")
        await pc.health("strip", "online")
        await holds(hall, "strip", "online")
        assert {f"kiosk:{kiosk}", "strip"} <= await ids()
        kept = tuple(device for device in hall.configuration.device if device.id != "strip")
        other = (structs.replace(hall.configuration.kiosk[0], id="other"),)
        await apply(structs.replace(hall.configuration, kiosk=other, device=kept))
        assert not {f"kiosk:{kiosk}", "strip"} & await ids()
        assert not {f"kiosk:{kiosk}", "strip"} & hall.running.frame.screens.around.devices.keys()
        await apply(hall.configuration)
        assert (await document(hall, "strip")).last_seen is None, "one of its name later is another"


async def test_rules_37_after_a_restart_nothing_is_told_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agents, "STARTED_S", 60.0)
    settings = replace(settings_of(tmp_path), configuration=wired())
    for begun, absent_s in ((True, 60.0), (False, 0.0)):
        monkeypatch.setattr(agents, "ABSENT_S", absent_s)
        async with serving(settings) as running, aiohttp.ClientSession() as session:
            site = Site(running, settings.configuration, session)
            if begun:
                await site.new_day()
                ready = c.ReportDevice(device="slips", state=DeviceState.ONLINE, printer=PrinterState.OK)
                await site.hub.tell(ready, "agent:pc")
                await site.hub.tell(c.ReportDevice(device="strip", state=DeviceState.ONLINE), "agent:pc")
                await site.hub.tell(
                    c.ReportDevice(device="pad", state=DeviceState.OFFLINE, error="unplugged"), "agent:pc"
                )
                continue
            await asyncio.sleep(1.5)
            assert (await states(site, "pad"))[-1:] == ["offline"]
            assert (await states(site, "pad")).count("offline") == 1
            assert (await states(site, "strip")) == ["online"], "its agent may yet come back"
            assert (await states(site, "slips")) == ["online", "offline"], "and nobody can print meanwhile (UX K-11)"
            assert (await document(site, "pad")).state is DeviceState.OFFLINE
            assert (await document(site, "strip")).state is DeviceState.ONLINE


async def test_ux_k_16_the_kiosks_pin_is_set_by_an_administrator(hall: Site) -> None:
    admin, manager = await hall.as_staff("admin"), await hall.as_staff("manager")
    kiosk = await hall.as_device("kiosk", hall.configuration.kiosk[0].id)
    assert (await hall.ask("POST", "kiosk/pin/set", manager, {"pin": "2580"})).status == 403
    weak = await hall.ask("POST", "kiosk/pin/set", admin, {"pin": "12"})
    assert (weak.status, weak.body["code"]) == (409, "pin-weak")
    assert (await hall.ask("POST", "kiosk/pin/set", admin, {"pin": "2580"})).status == 200
    assert (await hall.ask("POST", "kiosk/pin", kiosk, {"pin": "2580"})).status == 200
    assert (await hall.ask("POST", "kiosk/pin", kiosk, {"pin": "1111"})).status == 403
