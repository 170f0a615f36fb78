"""From a device map to lines: which driver, how the line is set, and what is refused with a sentence."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from devices import profiles
from devices.devicemap import Calls, Printer, line_settings, make_bus, plan, read_map
from devices.drivers.strip import Strip
from devices.profiles import PROFILES, find_profile
from devices.profiles.profile import Serial
from queue_server.wire.agent import DeviceEntry


def entry(**given: Any) -> DeviceEntry:
    filled: dict[str, Any] = {
        "id": "d1", "kind": "strip", "url": "memory://map", "address": 3, "profile": "", "window": "1", "levels": {},
        "settings": {},
    }  # fmt: skip
    return DeviceEntry(**(filled | given))


async def _rated(pad: object, level: int, age_ms: int) -> None:
    return None


def _printer(entry: object, changed: object) -> Printer:
    raise ValueError("none here")


CALLS = Calls(lambda k, a: None, _rated, lambda d: None, _printer)


def test_an_empty_profile_is_the_usual_one_and_an_unknown_one_is_named_with_its_choices() -> None:
    (driver,) = make_bus((entry(),), CALLS).drivers
    assert isinstance(driver, Strip)
    wrong = plan([entry(profile="a099"), entry(id="d2", kind="piano"), entry(id="d3", kind="keypad")]).wrong
    assert "a090" in wrong["d1"]
    assert "'piano'" in wrong["d2"]
    assert "hallquefront, jackqchen" in wrong["d3"]


def test_every_profile_makes_a_driver_of_its_codec_and_an_emulator_that_speaks_it() -> None:
    for profile in PROFILES.values():
        for kind in profile.kinds - {"printer"}:
            made = entry(kind=kind, profile=profile.name, levels={"0": 5})
            (driver,) = make_bus((made,), CALLS).drivers
            assert find_profile(kind, profile.name.upper()) is profile
            assert driver.codec == profile.codec == profile.emulate(3).codec


def test_a_device_says_how_its_serial_line_is_set_and_the_url_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    fast = dataclasses.replace(PROFILES["a090"], name="fast", serial=Serial(57_600))
    monkeypatch.setattr(profiles, "PROFILES", {**PROFILES, "fast": fast})
    port = "serial:///dev/serial/by-path/x"
    quick, slow = entry(profile="fast", url=port), entry(id="d2", address=4, url=port)
    assert make_bus((quick,), CALLS).url == port + "?baud=57600&bits=8&parity=N&stop=1"
    assert make_bus((slow,), CALLS).url == port
    assert "differ in baud: say it in the url" in plan([quick, slow]).wrong["d2"]
    both = plan([entry(profile="fast", url=port + "?baud=9600"), entry(id="d2", address=4, url=port + "?baud=9600")])
    assert both.wrong == {}


def test_a_gateways_line_is_paced_and_a_network_is_not() -> None:
    assert line_settings([entry(url="tcp://192.0.2.1:4001")], Serial()).baud == 9600
    assert line_settings([entry(url="tcp://192.0.2.1:4001?baud=19200")], Serial()).baud == 19_200
    assert line_settings([entry(url="udp://192.0.2.1:8001")], Serial()).baud == 0


def test_hardware_6_a_name_that_changes_with_the_order_of_plugging_in_is_refused() -> None:
    for name in ("ttyUSB0", "ttyACM1"):
        assert "devices scan" in plan([entry(url=f"serial:///dev/{name}?baud=9600")]).wrong["d1"]
    for url in ("SERIAL:///dev/ttyUSB0", "serial:///dev//ttyUSB0", "evdev:///dev/input//event3"):
        assert "devices scan" in plan([entry(url=url)]).wrong["d1"]
    assert plan([entry(url="serial:///dev/ttyS0")]).wrong == {}


def test_a_misspelt_setting_of_a_device_is_not_dropped() -> None:
    with pytest.raises(ValueError, match="'adress'"):
        read_map('[[device]]\nid = "k1"\nkind = "keypad"\nurl = "serial:///dev/ttyS0"\nadress = 3\n')
