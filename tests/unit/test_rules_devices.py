"""Devices: their health from day to day, what may be tried, and how long they were there (RULES 37, 38, 89)."""

import random

import pytest

from queue_server.domain import commands as c
from queue_server.domain import events as e
from queue_server.domain.availability import RATING, TERMINAL, Gap, uses
from queue_server.domain.configuration import KIOSK_PAGE, Configuration, Device, Kiosk, Zone, ZoneKind
from queue_server.wire.common import DeviceState, PrinterState
from tests.halls import MINUTE_MS, Play, configuration, only, replayed

ONLINE, OFFLINE, UNKNOWN = DeviceState.ONLINE, DeviceState.OFFLINE, DeviceState.UNKNOWN
PAD = Device(id="pad1", agent="a", kind="rating_pad", url="memory://1", window="1")
STRIP = Device(id="strip1", agent="a", kind="strip", url="memory://1", window="1")
BOARD = Device(id="board", agent="a", kind="board", url="memory://1")
PRINTER = Device(id="slips", agent="a", kind="printer", url="memory://2")
READER = Device(id="reader", agent="a", kind="id_reader", url="memory://3")
KEYPAD = Device(id="keypad1", agent="a", kind="keypad", url="memory://1", window="1")
SPEAKER = Device(id="speaker1", agent="a", kind="speaker", url="memory://4")
HALL = configuration(devices=(PAD, STRIP, BOARD, PRINTER, READER, KEYPAD, SPEAKER))


def with_kiosks(file: Configuration) -> Configuration:
    """One in the hall with a printer, one that people use day and night."""
    fields = {name: getattr(file, name) for name in file.__struct_fields__}
    night = Zone(id="N", name="夜间", kind=ZoneKind.SELF_SERVICE)
    kiosks = (Kiosk(id="K1", zone="A", printer="slips"), Kiosk(id="K2", zone="N"))
    return Configuration(**{**fields, "zone": (*file.zone, night), "kiosk": kiosks})


def applied(file: Configuration = HALL) -> tuple[int, e.Event]:
    return 0, e.ConfigurationApplied(version=1, source="test", configuration=file)


def opened(at: int, day: str = "2026-01-05", *known: e.DeviceAt) -> tuple[int, e.Event]:
    return at, e.DayOpened(day=day, previous_day="", at=at, devices=known)


def changed(at: int, device: str, state: DeviceState, error: str = "", paper: PrinterState | None = None) -> object:
    return at, e.DeviceChanged(device=device, state=state, printer=paper, error=error, at=at)


def sat(at: int, window: str = "1") -> tuple[int, e.Event]:
    return at, e.WindowOpened(window=window, staff="s", staff_name="", at=at)


def left(at: int, window: str = "1") -> tuple[int, e.Event]:
    return at, e.WindowClosed(window=window, stranded=0, at=at)


# --- health ---


def test_rules_37_a_loss_is_one_event_and_a_restart_on_another_day_repeats_none() -> None:
    play = Play(HALL)
    play.do(c.ReportDevice(device="pad1", state=ONLINE))
    assert len(play.do(c.ReportDevice(device="pad1", state=OFFLINE, error="unplugged"))) == 1
    lost_at = play.now
    play.wait(60)
    assert play.do(c.ReportDevice(device="pad1", state=OFFLINE, error="no such port")) == []
    play.do(c.EndDay())
    play.do(c.StartDay(day="2026-01-06"))
    today = [event for event in play.log if isinstance(event, e.DayOpened)][-1]
    alone = replayed(play.initial, play.log[play.log.index(today) :])
    health = alone.devices["pad1"]
    assert (health.state, health.since, health.offline_since, health.losses) == (OFFLINE, lost_at, lost_at, 0)
    assert health.error == "unplugged"
    assert play.do(c.ReportDevice(device="pad1", state=OFFLINE, error="unplugged")) == []
    assert len(play.do(c.ReportDevice(device="pad1", state=ONLINE))) == 1


def test_a_day_that_version_2_opened_is_read_as_before() -> None:
    old = '{"day":"2026-01-05","previous_day":"","at":5}'
    assert e.decode_event("DayOpened", 2, old) == e.DayOpened(day="2026-01-05", previous_day="", at=5)


# --- tests ---


@pytest.mark.parametrize(
    ("device", "test"),
    [
        *(("pad1", "rate"), ("strip1", "show"), ("board", "show"), ("keypad1", "light")),
        *(("slips", "print"), ("speaker1", "speak"), ("zone:A", "speak")),
    ],
)
def test_issue_3_a_device_that_serves_nobody_is_tried(device: str, test: str) -> None:
    play = Play(HALL, sit="1")
    asked = only(play.do(c.TestDevice(id="t", device=device)), e.DeviceTestAsked)
    assert (asked.device, asked.test) == (device, test)
    assert play.code(c.TestDevice(id="u", device=device)) == "device-test-runs"
    ended = only(play.do(c.EndDeviceTest(id="t", device=device, outcome="done")), e.DeviceTestEnded)
    assert ended.outcome == "done"
    assert play.do(c.EndDeviceTest(id="t", device=device, outcome="unknown")) == []
    assert play.do(c.TestDevice(id="u", device=device))


def test_issue_3_a_test_that_nobody_ended_does_not_bar_the_next_one_for_ever() -> None:
    play = Play(HALL)
    play.do(c.TestDevice(id="t", device="slips"))
    play.wait(46)
    assert play.do(c.TestDevice(id="u", device="slips"))
    assert play.do(c.EndDeviceTest(id="t", device="slips", outcome="done")) == []


@pytest.mark.parametrize(("device", "code"), [("reader", "device-test-none"), ("nobody", "device-test-none")])
def test_issue_3_what_cannot_be_tried_says_so(device: str, code: str) -> None:
    assert Play(HALL).code(c.TestDevice(id="t", device=device)) == code


def test_issue_3_a_device_that_a_citizen_needs_is_not_tried() -> None:
    play = Play(HALL, sit="1")
    play.do(c.ReportDevice(device="pad1", state=ONLINE))
    play.take()
    play.next()
    for device in ("pad1", "strip1", "board"):
        assert play.code(c.TestDevice(id="t", device=device)) == "device-busy", device
    play.do(c.Arrive(window="1"))
    assert play.code(c.TestDevice(id="t", device="pad1")) == "device-busy"
    assert play.do(c.TestDevice(id="t", device="strip1"))
    play.do(c.Finish(window="1"))
    assert play.code(c.TestDevice(id="t", device="pad1")) == "device-busy", "it asks for a rating"
    play.wait(31)
    assert play.do(c.TestDevice(id="t", device="pad1"))
    assert play.code(c.TestDevice(id="t", device="slips", busy=True)) == "device-busy"


# --- availability ---


def test_rules_37_usable_minutes_of_open_minutes_to_the_millisecond() -> None:
    rows = [
        applied(),
        opened(
            1_000,
            "2026-01-05",
            e.DeviceAt(device="pad1", state=ONLINE, printer=None, since=1, offline_since=0, error=""),
        ),
        changed(1_500, "pad1", OFFLINE, "unplugged"),  # nobody sits there: not counted
        changed(1_800, "pad1", ONLINE),
        sat(2_000),
        changed(2_500, "pad1", OFFLINE, "unplugged"),
        changed(3_250, "pad1", UNKNOWN),
        left(10_000),
        changed(11_000, "pad1", OFFLINE),
    ]
    (use,) = uses(rows, 20_000)  # type: ignore[arg-type]
    assert (use.day, use.what, use.subject) == ("2026-01-05", RATING, "1")
    assert (use.open_ms, use.usable_ms) == (8_000, 7_250)
    assert use.gaps == [Gap(2_500, 3_250, "unplugged")]


def test_rules_38_a_window_without_a_device_and_one_nobody_heard_of_say_why() -> None:
    rows = [applied(), opened(0), sat(0, "1"), sat(0, "2")]
    found = {use.subject: use for use in uses(rows, 5_000)}
    assert found["1"].gaps == [Gap(0, 5_000, "unheard")]
    assert found["2"].gaps == [Gap(0, 5_000, "none")]
    assert found["1"].share == found["2"].share == 0.0


def test_rules_37_a_device_without_a_sign_of_life_counts_as_usable() -> None:
    """HARDWARE 1.1: FF68 says nothing until it is pressed; its line is there."""
    rows = [applied(), opened(0), changed(0, "pad1", UNKNOWN), sat(0)]
    (use,) = uses(rows, 5_000)  # type: ignore[arg-type]
    assert (use.usable_ms, use.gaps) == (5_000, [])


def test_rules_37_each_day_counts_its_own_and_the_configuration_may_change() -> None:
    other = configuration(devices=(Device(id="pad9", agent="a", kind="rating_pad", url="memory://9", window="1"),))
    rows = [
        applied(),
        opened(0),
        changed(0, "pad1", ONLINE),
        sat(1_000),
        (4_000, applied(other)[1]),
        (9_000, e.DayEnded(at=9_000)),
        opened(50_000, "2026-01-06"),
        changed(50_000, "pad9", ONLINE),
        sat(51_000),
    ]
    ended = [(at, event) for at, event in rows if not isinstance(event, e.DayEnded)]
    first, second = uses([*ended[:5], left(9_000), *ended[5:]], 53_000)  # type: ignore[list-item]
    assert (first.day, first.open_ms, first.usable_ms) == ("2026-01-05", 8_000, 3_000)
    assert first.gaps == [Gap(4_000, 9_000, "unheard")]
    assert (second.day, second.open_ms, second.usable_ms) == ("2026-01-06", 2_000, 2_000)
    (alone, _) = uses(rows, 53_000)  # type: ignore[arg-type]
    assert (alone.open_ms, alone.usable_ms) == (8_000, 3_000), "the end of the day closes every window"


def test_rules_89_terminals_by_page_and_paper_and_round_the_clock() -> None:
    page1, page2 = f"{KIOSK_PAGE}K1", f"{KIOSK_PAGE}K2"
    rows = [
        applied(with_kiosks(HALL)),
        opened(0),
        changed(0, page1, ONLINE),
        changed(0, page2, ONLINE),
        changed(0, "slips", ONLINE, paper=PrinterState.OK),
        changed(2_000, "slips", ONLINE, paper=PrinterState.NEAR_END),
        changed(3_000, "slips", DeviceState.DEGRADED, paper=PrinterState.OUT),
        changed(4_000, "slips", ONLINE, paper=PrinterState.OK),
        changed(6_000, page1, OFFLINE),
        (10_000, e.DayEnded(at=10_000)),
        changed(12_000, page2, OFFLINE),
    ]
    found = {use.subject: use for use in uses(rows, 20_000)}  # type: ignore[arg-type]
    assert (found["K1"].what, found["K1"].open_ms, found["K1"].usable_ms) == (TERMINAL, 10_000, 5_000)
    assert found["K1"].gaps == [Gap(3_000, 4_000, "printer-out"), Gap(6_000, 10_000, "page")]
    assert (found["K2"].open_ms, found["K2"].usable_ms) == (20_000, 12_000)


def test_rules_37_the_minutes_are_those_of_looking_every_second() -> None:
    """An oracle of another kind: the state of each second, looked at one by one."""
    draw = random.Random(37)
    for _ in range(60):
        rows: list[tuple[int, e.Event]] = [applied(), opened(0)]
        sitting, state, seconds, good, at = False, None, 0, 0, 0
        for second in range(300):
            for _ in range(draw.choice((0, 0, 0, 1, 2))):
                at = second * 1_000
                if draw.random() < 0.5:
                    sitting = not sitting
                    rows.append(sat(at) if sitting else left(at))
                else:
                    state = draw.choice(list(DeviceState))
                    rows.append(changed(at, "pad1", state))  # type: ignore[arg-type]
            seconds += sitting
            good += sitting and state is not None and state is not OFFLINE
        found = list(uses(rows, 300_000))
        assert sum(use.open_ms for use in found) == seconds * 1_000
        assert sum(use.usable_ms for use in found) == good * 1_000
        lost = sum(gap.until - gap.since for use in found for gap in use.gaps)
        assert lost == (seconds - good) * 1_000


def test_rules_89_faults_of_a_terminal_that_never_closes_alarm_out_of_hours() -> None:
    play = Play(with_kiosks(HALL))
    play.do(c.ReportDevice(device=f"{KIOSK_PAGE}K1", state=ONLINE))
    play.do(c.ReportDevice(device=f"{KIOSK_PAGE}K2", state=ONLINE))
    play.do(c.EndDay())
    play.do(c.ReportDevice(device=f"{KIOSK_PAGE}K1", state=OFFLINE))
    play.do(c.ReportDevice(device=f"{KIOSK_PAGE}K2", state=OFFLINE))
    assert not play.do(c.Tick())
    play.wait(5 * MINUTE_MS // 1000)
    raised = only(play.do(c.Tick()), e.AlarmRaised)
    assert (raised.code, raised.subject) == ("device-offline", f"{KIOSK_PAGE}K2")
    play.do(c.ReportDevice(device=f"{KIOSK_PAGE}K2", state=ONLINE))
    only(play.do(c.Tick()), e.AlarmCleared)
