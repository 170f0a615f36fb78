"""Each finding of `check`: UX S-06, RULES 1-7, 14, 37, 43, 81; a sound hall with one thing wrong."""

from typing import Any

import msgspec
import pytest

from queue_server.domain.checks import check
from queue_server.domain.checks_hall import cells
from queue_server.domain.codes import credit_code_ok, matter_code_ok
from queue_server.domain.configuration import Configuration, Device
from queue_server.domain.findings import Level

DEPARTMENT = "11410199MB9901016C"
CODE = "11410199MB9901016C4000101001000"
LEVELS = {"0": 1, "1": 2, "2": 3, "3": 4, "4": 5}


def sound() -> dict[str, Any]:
    """A hall in which nothing is found."""
    at = {"agent": "a", "url": "serial:///dev/ttyS0"}
    kinds = ("业务受理区", "办事等候区", "后台审批区", "网办专区", "为老服务区")
    stands: dict[str, Any] = {"settings": {"kiosk": "k"}}
    return {
        "hall": {"id": "h", "name": "示例大厅"},
        "zone": [{"id": f"z{n}", "name": kind, "kind": kind} for n, kind in enumerate(kinds)],
        "domain": [{"id": "tax", "name": "税务", "prefix": "F"}, {"id": "fund", "name": "公积金", "prefix": "G"}],
        "department": [{"id": "sw", "name": "税务局", "code": DEPARTMENT}],
        "matter": [
            {"id": "t", "name": "报税", "domain": "tax", "department": "sw", "code": CODE},
            {"id": "f", "name": "提取", "domain": "fund"},
        ],
        "bundle": [{"id": "b", "name": "退休", "lead": "sw", "steps": [{"matter": "t"}]}],
        "priority": [{"id": "elder", "name": "老年人"}],
        "window": [
            {"id": "1", "name": "综合咨询窗口", "kind": "综合咨询", "zone": "z0", "domains": ["*"]},
            {"id": "2", "name": "“有诉即办”窗口", "kind": "有诉即办", "zone": "z0", "matters": ["t"]},
            {"id": "3", "name": "“一件事”综合受理窗口", "kind": "“一件事”综合受理", "zone": "z0", "bundles": True, "domains": ["*"]},
        ],
        "kiosk": [{"id": "k", "zone": "z0", "printer": "p"}],
        "device": [
            *({"id": f"key{n}", "kind": "keypad", "address": n, "window": f"{n}"} | at for n in (1, 2, 3)),
            *({"id": f"pad{n}", "kind": "rating_pad", "address": 128 + n, "window": f"{n}", "levels": LEVELS} | at for n in (1, 2, 3)),
            {"id": "strip1", "kind": "strip", "address": 1, "window": "1"} | at,
            {"id": "p", "agent": "a", "kind": "printer", "url": "tcp://192.0.2.1:9100"},
            {"id": "id", "agent": "a", "kind": "id_reader", "url": "serial:///dev/serial/by-id/r", "profile": "sam-v"} | stands,
            {"id": "qr", "agent": "a", "kind": "scanner", "url": "evdev:///dev/input/by-id/s", "profile": "keyboard-scanner"} | stands,
        ],
    }  # fmt: skip


def changed(path: str, value: object) -> Configuration:
    """The sound hall with `window.0.zone` and the like set."""
    data = sound()
    *way, last = path.split(".")
    part: Any = data
    for step in way:
        part = part[int(step)] if step.isdigit() else part.setdefault(step, {})
    if isinstance(part, list):
        part.append(value) if last == "+" else part.__setitem__(int(last), value)
    else:
        part[last] = value
    return msgspec.convert(data, Configuration)


def test_the_sound_hall_has_no_findings() -> None:
    assert check(msgspec.convert(sound(), Configuration)) == []


ERRORS = [
    ("zone.+", {"id": "z0", "name": "二区"}, "duplicate_id"),
    ("window.0.id", "1~2", "bad_id"),
    ("hall.id", "a/b", "bad_id"),
    ("domain.0.id", "t", "ambiguous_id"),
    ("bundle.0.id", "t", "ambiguous_id"),
    ("matter.0.id", "bundles", "ambiguous_id"),
    ("window.0.zone", "zz", "unknown_reference"),
    ("window.0.domains", ["taxx"], "unknown_reference"),
    ("window.0.matters", ["nope"], "unknown_reference"),
    ("window.0.home", ["#young"], "unknown_reference"),
    ("matter.0.department", "swj", "unknown_reference"),
    ("matter.0.domain", "x", "unknown_reference"),
    ("bundle.0.steps", [{"matter": "x"}], "unknown_reference"),
    ("bundle.0.lead", "x", "unknown_reference"),
    ("kiosk.0.printer", "key1", "unknown_reference"),
    ("kiosk.0.zone", "x", "unknown_reference"),
    ("device.8.settings.kiosk", "x", "unknown_reference"),
    ("device.9.settings.kiosk", "x", "unknown_reference"),
    ("device.0.window", "9", "unknown_reference"),
    ("domain.1.prefix", "F", "prefix_clash"),
    ("domain.1.prefix", "E", "prefix_clash"),
    ("domain.1.prefix", "F1", "prefix_clash"),
    ("domain.0.prefix", "O", "prefix_misread"),
    ("domain.0.prefix", "f", "prefix_form"),
    ("domain.0.prefix", "", "prefix_form"),
    ("window.+", {"id": "4", "name": "税务综合窗口", "kind": "分领域综合受理", "zone": "z0"}, "window_without_service"),
    ("matter.0.code", CODE[:-1], "matter_code"),
    ("matter.0.code", "11410199MB9901016D" + CODE[18:], "matter_code"),
    ("department.0.code", "11410199MB9901026C", "credit_code"),
    ("hours.opens", "9:00", "bad_time"),
    ("hours.closes", "08:45", "hours_order"),
    ("hours.tickets_until", "17:30", "hours_order"),
    ("hours.weekdays", [1, 1], "bad_weekdays"),
    ("hours.weekdays", [], "bad_weekdays"),
    ("hours.weekdays", [8], "bad_weekdays"),
    ("policy.recall_limit", -1, "bad_number"),
    ("policy.quantity_max", 0, "bad_number"),
    ("policy.digits", 2, "bad_number"),
    ("priority.0.credit_min", -5, "bad_number"),
    ("matter.0.minutes", 0.0, "bad_number"),
    ("bundle.0.minutes", -1.0, "bad_number"),
    ("voice.template", "请{number}号", "voice_template"),
    ("voice.template", "请{number}号到{window}窗口{", "voice_template"),
    ("voice.one", "yo", "voice_one"),
    ("voice.volume", 101, "bad_number"),
    ("device.0.kind", "keybad", "device_kind"),
    ("device.0.window", "", "device_without_window"),
    ("device.0.url", "COM3", "device_url"),
    ("device.0.agent", "", "device_agent"),
    ("device.0.address", 0x81, "bad_address"),
    ("device.3.levels", {}, "device_levels"),
    ("device.3.levels", {"1": 6}, "device_levels"),
    ("device.1.address", 1, "address_clash"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value", "code"), ERRORS)
def test_an_error_is_found(path: str, value: object, code: str) -> None:
    """UX S-06, X-03, RULES 14, 43, 81."""
    found = check(changed(path, value))
    assert code in {finding.code for finding in found if finding.level is Level.ERROR}
    assert all(finding.zh and finding.en and finding.where for finding in found)


WARNINGS = [
    ("window.0.domains", ["tax"], "single_window"),  # RULES 6
    ("zone.4.kind", "业务受理区", "zones_missing"),  # RULES 1
    ("window.1", {"id": "2", "name": "综合窗口", "kind": "无差别综合受理", "zone": "z0", "domains": ["*"]}, "no_grievance_window"),
    ("window.0.name", "问事处", "window_name"),  # RULES 4 as applied
    ("window.+", {"id": "4", "name": "公安专窗", "kind": "部门专窗", "zone": "z0", "domains": ["*"]}, "department_window"),
    ("window.0.home", ["bundles"], "home_not_served"),
    ("domain.+", {"id": "edu", "name": "教育", "prefix": "L"}, "domain_without_matter"),
    ("bundle.0.steps", [], "bundle_without_steps"),
    ("matter.1.code", CODE, "duplicate_code"),
    ("priority.0.credit_min", 45, "credit_capped"),
    ("device.4.kind", "strip", "no_rating_device"),  # RULES 37
    ("device.3.levels", {"1": 5, "2": 1}, "device_levels"),  # RULES 43
    ("kiosk.0.printer", "", "kiosk_without_printer"),
    ("device.8.settings", {}, "reader_kiosk"),
    ("device.9.settings", {}, "reader_kiosk"),
    ("window.0.id", "A-1", "window_unspoken"),
    ("zone.0.name", "一" * 13, "too_long"),
    ("window.0.plate", "十二号窗", "too_long"),
    ("hall.name", "厅" * 21, "too_long"),
    ("policy.digits", 5, "too_long"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value", "code"), WARNINGS)
def test_a_warning_is_found_and_does_not_block(path: str, value: object, code: str) -> None:
    """UX S-06: blocking vs warning."""
    if code == "too_long" and path == "policy.digits":
        configuration = msgspec.structs.replace(changed(path, value), domain=changed("domain.0.prefix", "FA").domain)
    else:
        configuration = changed(path, value)
    assert code in {finding.code for finding in check(configuration) if finding.level is Level.WARNING}


def test_a_matter_no_window_serves_is_an_error_unless_it_is_a_step_only() -> None:
    """UX S-06: queue with no window."""
    data = sound()
    for window in data["window"]:
        window["domains"] = ["tax"]
    assert "matter_without_window" in {f.code for f in check(msgspec.convert(data, Configuration))}
    data["matter"][1]["offered"] = False
    assert "matter_without_window" not in {f.code for f in check(msgspec.convert(data, Configuration))}


def test_bundles_need_a_window() -> None:
    """RULES 7."""
    codes = {finding.code for finding in check(changed("window.2.bundles", False))}
    assert "bundle_without_window" in codes


def test_an_advice_window_stands_for_the_guidance_zone() -> None:
    """RULES 2: without it 咨询辅导区 is missing too."""
    found = check(changed("window.0.kind", "综合出件"))
    assert "咨询辅导区" in next(finding.zh for finding in found if finding.code == "zones_missing")


def test_a_hall_that_insists_on_rating_devices_does_not_open_without() -> None:
    """RULES 37 with the hall's own policy."""
    data = sound()
    data["device"] = [device for device in data["device"] if device["id"] != "pad2"]
    data["policy"] = {"open_without_rating_device": False}
    found = check(msgspec.convert(data, Configuration))
    assert [(finding.code, finding.level) for finding in found] == [("no_rating_device", Level.ERROR)]


def test_keypad_and_strip_may_share_an_address_for_they_speak_differently() -> None:
    """HARDWARE 2.2: A0 90 lives on the same bus as FF68."""
    assert check(changed("device.6.address", 1)) == []


def test_strips_of_two_protocols_may_share_an_address_and_two_of_one_may_not() -> None:
    """HARDWARE 2.2 to 2.4: an empty profile is a090."""
    second = {"id": "strip2", "agent": "a", "url": "serial:///dev/ttyS0", "kind": "strip", "address": 1, "window": "2"}
    assert check(changed("device.+", second | {"profile": "aaqt"})) == []
    assert [f.code for f in check(changed("device.+", second | {"profile": "A090"}))] == ["address_clash"]


LP0 = "file:///dev/usb/lp0"
SECOND = {"id": "p2", "agent": "a", "kind": "printer", "url": LP0}


@pytest.mark.parametrize(
    ("first", "second", "code"),
    [
        (LP0, SECOND, "port_taken"),
        (LP0, SECOND | {"url": "file:///dev//usb/lp0"}, "port_taken"),
        ("tcp://192.0.2.1:9100", SECOND | {"url": "TCP://192.0.2.1:9100?baud=9600"}, "port_taken"),
        ("usb://0483:5750?at=1-2", SECOND | {"url": "usb://0483:5750?at=1-2"}, "port_taken"),
        ("serial:///dev/ttyS0", None, "port_taken"),
        ("usb://0483:5750?at=1-2", SECOND | {"url": "usb://0483:5750?at=1-3"}, None),
        ("usb://0483:5750:a1", SECOND | {"url": "usb://0483:5750:A1"}, None),
        ("tcp://[1", SECOND, None),
        (LP0, SECOND | {"agent": "b"}, None),
    ],
)
def test_two_devices_that_cannot_share_a_port_are_refused(first: str, second: Any, code: str | None) -> None:
    """UX S-06: the sentence names both and says what to mend; on another PC the same name is another printer."""
    configuration = changed("device.7.url", first)
    if second is not None:
        added = msgspec.convert(second, Device)
        configuration = msgspec.structs.replace(configuration, device=[*configuration.device, added])
    found = check(configuration)
    assert [finding.code for finding in found if finding.level is Level.ERROR] == ([code] if code else [])
    for finding in found:
        assert finding.code == "port_taken"
        assert "yichuang devices scan" in finding.zh
        assert "yichuang devices scan" in finding.en


def test_one_port_in_two_spellings_is_refused() -> None:
    """UX S-06: they would be two lines to it, and only one of them can open it."""
    found = check(changed("device.0.url", "serial:///dev/ttyS0?baud=9600"))
    assert [finding.code for finding in found] == ["port_spelt_twice"]
    assert "serial:///dev/ttyS0?baud=9600" in found[0].zh


def test_the_nearest_spelling_is_offered() -> None:
    finding = next(f for f in check(changed("window.0.domains", ["fnud"])) if f.code == "unknown_reference")
    assert "fund" in finding.zh
    assert "fund" in finding.en


def test_errors_come_first() -> None:
    data = sound()
    data["window"][0]["name"] = "问事处"
    data["policy"] = {"digits": 2}
    assert [f.level for f in check(msgspec.convert(data, Configuration))] == [Level.ERROR, Level.WARNING]


@pytest.mark.parametrize(
    "code", ["11440232MB2D06811W4000117051000", "11370883MB2857374H4370115041000", CODE, CODE + "01"]
)
def test_real_and_sample_matter_codes_pass(code: str) -> None:
    """RULES 81; the first two are the samples of RULES 4."""
    assert matter_code_ok(code)


@pytest.mark.parametrize("code", ["", CODE + "0", CODE[:18] + "7" + CODE[19:], CODE.lower(), "X" * 31, "１" * 31])
def test_wrong_matter_codes_fail(code: str) -> None:
    """RULES 81."""
    assert not matter_code_ok(code)


def test_each_single_wrong_character_of_a_credit_code_is_noticed() -> None:
    """GB 32100: the check character."""
    alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    for at, right in enumerate(DEPARTMENT):
        for wrong in alphabet.replace(right, ""):
            assert not credit_code_ok(DEPARTMENT[:at] + wrong + DEPARTMENT[at + 1 :])


def test_a_chinese_character_takes_two_cells() -> None:
    """UX W-04."""
    assert cells("请A012号") == 8


def test_english_that_is_there_for_some_only_is_a_warning() -> None:
    """UX S-06, X-10: a hall without any English is a choice; one with gaps shows Chinese among English."""
    [finding] = check(changed("matter.0.name_en", "Tax return"))
    assert (finding.level, finding.code) == (Level.WARNING, "english_missing")
    assert finding.en.startswith("4 matters, bundles or domains have no English")
