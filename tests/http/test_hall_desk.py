"""What a desk and a manager may do through HTTP: call for help, open a day by hand, call a given number with permission."""

import asyncio
from datetime import timedelta
from urllib.parse import quote

import pytest
from msgspec import structs

from queue_server.app.clock import Clock
from queue_server.app.timers import Timers
from queue_server.app.unspoken import Unspoken
from queue_server.app.views.tickets import plate_of
from queue_server.domain import commands as c
from queue_server.domain.model import Hall
from queue_server.wire.common import DeviceState, HallState, PrinterState, PrintState, Words
from queue_server.wire.documents import AlarmDocument, AlarmsDocument
from tests.devices.hall import until
from tests.http.conftest import Site


async def test_ux_c_15_a_call_for_help_stands_until_somebody_ends_it(site: Site) -> None:
    window = site.configuration.window[0].id
    clerk, guide = await site.sit(window), await site.as_staff("guide")
    for _ in range(2):
        assert (await site.ask("POST", f"windows/{window}/help", clerk)).status == 200
    screens = site.running.frame.screens

    async def seen() -> tuple[object, list[str]]:
        now = site.hub.clock.now()
        console = await site.hub.read(lambda hall: screens.render(hall, "console", window, now).get("help"))
        alarms = await site.hub.read(lambda hall: screens.render(hall, "guide", "", now)["alarms"])
        return console, [alarm.id for alarm in alarms.alarms if alarm.code == "window-help"]

    console, alarms = await seen()
    assert alarms == [f"window-help:{window}"]
    assert console.level == "alert"  # type: ignore[attr-defined]
    assert (await site.ask("POST", f"alarms/{alarms[0]}/acknowledge", guide)).status == 200
    await site.hub.tell(c.Tick(), "clock")
    console, _ = await seen()
    assert console.acknowledged_by == "staff:guide", "I am coming: it stands until it is ended"  # type: ignore[attr-defined]
    other = await site.sit(site.configuration.window[1].id)
    assert (await site.ask("DELETE", f"windows/{window}/help", other)).body["code"] == "not-your-window"
    assert (await site.ask("DELETE", f"windows/{window}/help", clerk)).status == 200
    assert await seen() == (None, [])


async def _shown(site: Site, code: str) -> list[AlarmDocument]:
    """The guide's alarms of this code."""
    screens, now = site.running.frame.screens, site.hub.clock.now()

    def look(hall: Hall) -> list[AlarmDocument]:
        document = screens.render(hall, "guide", "", now)["alarms"]
        assert isinstance(document, AlarmsDocument)
        return [alarm for alarm in document.alarms if alarm.code == code]

    return await site.hub.read(look)


async def _acknowledged(site: Site, code: str, guide: dict[str, str]) -> str:
    """Who is said to have taken the one alarm of this code, after the guide took it twice."""
    [alarm] = await _shown(site, code)
    assert alarm.acknowledged_by == ""
    for _ in range(2):
        answer = await site.ask("POST", f"alarms/{quote(alarm.id)}/acknowledge", guide)
        assert answer.status == 200, answer
    [alarm] = await _shown(site, code)
    return alarm.acknowledged_by


@pytest.mark.parametrize(
    ("name", "name_en", "zh", "en"),
    [("取号机", "Kiosk", "取号机", "Kiosk"), ("取号机", "", "取号机", "取号机"), ("", "", "kiosk-1", "kiosk-1")],
)
async def test_ux_x_10_a_kiosk_is_named_in_both_languages_wherever_staff_read_of_it(
    site: Site, name: str, name_en: str, zh: str, en: str
) -> None:
    """Help, paper, the table of devices, a place to pair, a report, a ticket's life; without English as windows: in Chinese."""
    printer = Words(zh=zh, en=en) if name else Words(zh="printer-1", en="printer-1")
    kiosk = structs.replace(site.configuration.kiosk[0], id="kiosk-1", name=name, name_en=name_en)
    known = site.running.frame.screens.around.devices
    machine = await site.as_device("kiosk", "kiosk-1")
    token = machine["Authorization"].removeprefix("Bearer ")
    manager = await site.as_staff("manager", "admin")
    async with site.session.ws_connect(f"{site.running.url}/api/v1/live") as socket:
        await socket.send_json({"type": "hello", "token": token})
        await until(lambda: "kiosk:kiosk-1" in known)  # under the name of the file before
        configuration = structs.replace(site.configuration, kiosk=(kiosk,))
        await site.hub.tell(c.ApplyConfiguration(configuration=configuration, source="test"), "staff:1")
        devices = (await site.hub.read(site.running.frame.screens.devices)).devices
        called = {each.id: each.name for each in devices}
        assert (called["kiosk:kiosk-1"], called[kiosk.printer]) == (Words(zh=zh, en=en), printer)
    await site.ask("POST", "kiosk/help", machine)
    [alarm] = await _shown(site, "help")
    assert alarm.text == Words(zh=f"{zh} 需要帮助", en=f"{en} asks for help")
    report = c.ReportDevice(device=kiosk.printer, state=DeviceState.DEGRADED, printer=PrinterState.OUT)
    await site.hub.tell(report, "agent:agent-1")
    await site.hub.tell(c.Tick(), "clock")
    [alarm] = await _shown(site, "printer-out")
    assert alarm.text == Words(zh=f"缺纸：{printer.zh}", en=f"Out of paper: {printer.en}")
    named = {"zh": zh, "en": en}
    places = (await site.ask("GET", "paired", manager)).body["places"]
    assert next(each for each in places if each["role"] == "kiosk")["name"] == {"zh": name, "en": name_en or name}
    lines = (await site.ask("GET", "reports/availability", manager)).body["lines"]
    assert next(each for each in lines if each["what"] == "terminal")["name"] == named
    await site.sit(site.configuration.window[0].id)
    taken = await site.take(who=machine, paper=False)
    life = (await site.ask("GET", f"tickets/{taken.body['ticket']['id']}/life", manager)).body
    assert life["origin"] == named


async def test_ux_m_01_every_alarm_that_is_shown_can_be_acknowledged(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A silent loudspeaker, a clock that is off, a slip that was not printed: no events of the hall, yet people's to take."""
    guide, around = await site.as_staff("guide"), site.running.frame.screens.around
    drift_ms = 9_000
    monkeypatch.setattr(Clock, "drift_ms", lambda _: drift_ms)
    timers = Timers(site.hub, site.running.frame.store, around, automatic=False)
    await timers.once()
    assert await _acknowledged(site, "clock", guide) == "staff:guide"
    await timers.once()
    assert [alarm.acknowledged_by for alarm in await _shown(site, "clock")] == ["staff:guide"], "the same one still"
    drift_ms = 0
    await timers.once()
    drift_ms = 9_000
    await asyncio.sleep(0.01)
    await timers.once()
    assert [alarm.acknowledged_by for alarm in await _shown(site, "clock")] == [""], "a clock that is off again"

    unspoken, zone = Unspoken(site.running.frame.store, around), site.configuration.zone[0].id
    monkeypatch.setattr(site.running.frame.voice, "_unspoken", unspoken)
    unspoken.note(zone, "failed", site.hub.clock.now())
    unspoken.show(site.hub.clock.now(), site.running.frame.voice.loudness)
    assert await _acknowledged(site, "voice", guide) == "staff:guide"

    await site.sit(site.configuration.window[0].id)
    name = (await site.take(paper=False)).body["ticket"]["id"]
    for state in (PrintState.FAILED, PrintState.UNKNOWN):
        await site.hub.tell(c.RecordPrint(ticket=name, state=state, reason="缺纸"), "printer")
        assert await _acknowledged(site, "print", guide) == "staff:guide", "a second failure is told anew"
    assert (await site.ask("POST", "alarms/voice:nowhere/acknowledge", guide)).body["code"] == "alarm-unknown"
    kept = [row.data async for row in site.running.frame.store.read(site.hub.name) if row.kind == "AlarmAcknowledged"]
    assert len(kept) >= 4, "a restart knows who took it"


async def test_ux_m_01_a_wish_whose_only_window_is_closed_is_named_with_that_window(site: Site) -> None:
    """The domain's other windows work: the alarm says who waits, and at which window nobody sits."""
    first, second = (each.id for each in site.configuration.window[:2])
    clerk, other = await site.sit(first), await site.sit(second)
    number = (await site.take(paper=False)).body["ticket"]["number"]
    await site.ask("POST", f"windows/{first}/call-next", clerk)
    await site.ask("POST", f"windows/{first}/arrive", clerk)
    sent = await site.ask("POST", f"windows/{first}/transfer", clerk, {"window": second, "reason": "换窗口"})
    assert sent.status == 200, sent
    assert (await site.ask("POST", f"windows/{second}/close", other)).status == 200
    await site.hub.tell(c.Tick(), "clock")
    [alarm] = await _shown(site, "queue-stranded")
    plate = await site.hub.read(lambda hall: plate_of(hall, second))
    assert (alarm.text.zh, alarm.subject) == (f"{number} 在等：能办的 {plate} 号窗口都没有人", second)


async def test_the_issue_a_tickets_page_says_why_it_was_called_and_by_whom(site: Site) -> None:
    """Issue 2: "one ticket's whole life on a page", and "the reason in the event (the heads compared, why this one won)".

    Those that were compared, and names instead of the journal's ids.
    """
    window = site.configuration.window[0].id
    kiosk = site.configuration.kiosk[0]
    clerk = await site.sit(window)
    taken = await site.take(who=await site.as_device("kiosk", kiosk.id), paper=False)
    name, number = taken.body["ticket"]["id"], taken.body["ticket"]["number"]
    await site.ask("POST", f"windows/{window}/call-next", clerk)
    life = (await site.ask("GET", f"tickets/{name}/life", await site.as_staff("manager"))).body
    assert life["origin"]["zh"] == (kiosk.name or kiosk.id)
    issued, called = life["lines"][:2]
    assert issued["who"] == life["origin"]
    assert f"各队排头里最早（{number} " in called["text"]["zh"]
    assert called["actor"].startswith("staff:")
    assert not called["who"]["zh"].startswith("staff:")


async def test_rules_13_a_manager_opens_a_day_that_the_calendar_does_not(site: Site) -> None:
    manager = await site.as_staff("manager")
    await site.hub.tell(c.EndDay(), "test")
    assert (await site.ask("POST", "day/open", manager)).body["code"] == "hall-closed", "a date never opens twice"
    tomorrow = site.hub.clock.now() + int(timedelta(days=1).total_seconds() * 1000)
    site.hub.clock.at_least(tomorrow)
    answer = await site.ask("POST", "day/open", await site.as_staff("manager", "clerk"))
    assert (answer.status, answer.body["state"]) == (200, "open")
    await site.sit(site.configuration.window[0].id)
    assert (await site.take()).status == 201


@pytest.mark.parametrize(("hour", "state"), [(10, HallState.CLOSING), (18, HallState.OPEN)])
async def test_rules_13_a_day_opened_by_hand_is_not_closed_by_the_clock(
    site: Site, hour: int, state: HallState
) -> None:
    """In the morning the hall opens as usual and closes by its hours; after hours somebody meant it."""
    clock = site.hub.clock
    await site.hub.tell(c.EndDay(), "test")
    local = clock.local(clock.now()).replace(hour=hour, minute=0, second=0) + timedelta(days=1)
    clock.at_least(int(local.timestamp() * 1000))
    assert (await site.ask("POST", "day/open", await site.as_staff("manager"))).status == 200
    clock.at_least(int(local.replace(hour=18, minute=1).timestamp() * 1000))
    timers = Timers(site.hub, site.running.frame.store, site.running.frame.screens.around)
    await timers.once()
    assert await site.hub.read(lambda hall: hall.state) is state


@pytest.mark.parametrize(("site", "may"), [({}, True), ({"clerks_call_numbers": False}, False)], indirect=["site"])
async def test_rules_23_a_given_number_needs_permission(site: Site, may: bool) -> None:
    window = site.configuration.window[0].id
    clerk = await site.sit(window)
    number = (await site.take()).body["ticket"]["number"]
    body = {"number": number, "reason": "行动不便"}
    answer = await site.ask("POST", f"windows/{window}/call", clerk, body)
    if may:
        assert answer.status == 200
        return
    assert (answer.status, answer.body["code"]) == (403, "call-number-not-permitted")
    manager = await site.as_staff("manager")
    assert (await site.ask("POST", f"windows/{window}/call", manager, body)).status == 200


@pytest.mark.parametrize("site", [{"open_without_rating_device": False}], indirect=True)
async def test_rules_37_a_hall_may_refuse_windows_without_a_rating_device(site: Site) -> None:
    window = site.configuration.window[0].id
    clerk = await site.as_staff("clerk", window=window)
    refused = await site.ask("POST", f"windows/{window}/open", clerk)
    assert (refused.status, refused.body["code"]) == (409, "no-rating-device")


async def test_rules_30_what_lies_aside_says_when_it_was_set_aside(site: Site) -> None:
    """Parked and missed tickets show the time of parking and missing, never that of issue (UX C-06)."""
    window = site.configuration.window[0].id
    clerk = await site.sit(window)
    await site.take()
    issued = site.hub.clock.now()
    site.hub.clock.at_least(issued + 30 * 60_000)
    assert (await site.ask("POST", f"windows/{window}/call-next", clerk)).status == 200
    for verb in ("arrive", "park"):
        body = {"reason": "copy", "minutes": 15} if verb == "park" else {}
        assert (await site.ask("POST", f"windows/{window}/{verb}", clerk, body)).status == 200
    now = site.hub.clock.now()
    shown = await site.hub.read(lambda hall: site.running.frame.screens.render(hall, "console", window, now)["aside"])
    assert [issued + 30 * 60_000 <= line.at <= now for line in shown.tickets] == [True]


async def test_rules_12_a_clerk_learns_whom_closing_would_leave_before_it_is_done(site: Site) -> None:
    first, second = (window.id for window in site.configuration.window[:2])
    clerk = await site.sit(first)
    await site.take()
    assert (await site.ask("GET", f"windows/{first}/leaving", clerk)).body == {"stranded": 1}
    await site.sit(second)
    assert (await site.ask("GET", f"windows/{first}/leaving", clerk)).body == {"stranded": 0}
