"""USB under umockdev, in processes of their own because it is preloaded; and what of it needs no device."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import threading
from ctypes.util import find_library
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.devicemap import plan
from devices.transport import Unavailable, parse_url, transport
from devices.transport.reports import STYLES, Reports
from devices.transport.usbdevices import RULES, UsbName, usb_name
from queue_server.wire.agent import DeviceEntry
from tests.devices.hall import until

ROOT = Path(__file__).resolve().parents[2]


def under_umockdev(*words: str) -> str:
    """What a Python process says in front of an emulated bus; skips where there can be none."""
    if shutil.which("umockdev-wrapper") is None or find_library("umockdev") is None or find_library("usb-1.0") is None:
        pytest.skip("needs umockdev, libumockdev0 and libusb-1.0-0")
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    environment.pop("PYTEST_ADDOPTS", None)
    done = subprocess.run(
        ["umockdev-wrapper", sys.executable, *words],
        cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=110, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.mark.umockdev
@pytest.mark.parametrize("file", ["usb_under_umockdev.py", "input_under_umockdev.py"])
def test_hardware_6_each_fault_under_umockdev(file: str) -> None:
    said = under_umockdev("-m", "pytest", "-q", "-p", "no:cacheprovider", f"tests/devices/{file}")
    assert " passed" in said, said


@pytest.mark.umockdev
def test_hardware_6_the_libusb_that_ships_finds_and_speaks_to_a_device() -> None:
    """It hears no events of umockdev's, which come from udev; so the faults are tested on the system's."""
    assert under_umockdev("tests/devices/usb_with_own_library.py").splitlines()[-1] == "read hello, wrote world"


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("usb://0483:5750", UsbName(0x0483, 0x5750)),
        ("usb://1A86:ea60:00A:1%2F2", UsbName(0x1A86, 0xEA60, "00A:1/2")),
        ("usb://10c4:ea80?at=1-2.4", UsbName(0x10C4, 0xEA80, "", "1-2.4")),
    ],
)
def test_issue_3_a_url_names_a_device_by_vendor_product_serial_and_socket(url: str, name: UsbName) -> None:
    assert usb_name(parse_url(url)) == name
    assert transport(url).url == url


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("usb://0483", "usb://VID:PID"),
        ("usb://0483:57", "usb://VID:PID"),
        ("usb://04g3:5750", "usb://VID:PID"),
        ("usb://0483:5750/dev", "no path"),
        ("usb://0483:5750?colour=red", "unknown USB option 'colour'"),
        ("usb://0483:5750?in=eighty", "in is a hex number"),
        ("usb://0483:5750?report=short", "stream, padded, counted"),
        ("usb://0483:5750?id=00", "01 to ff"),
    ],
)
def test_a_mistake_in_a_usb_url_is_a_sentence_in_the_map(url: str, sentence: str) -> None:
    entry = DeviceEntry(
        id="p", kind="printer", url=url, address=0, profile="80mm", window="", levels={}, settings={}
    )  # fmt: skip
    assert sentence in plan([entry]).wrong["p"]


@given(st.text(), st.text())
def test_design_8_any_usb_url_is_a_transport_or_a_sentence(name: str, options: str) -> None:
    with contextlib.suppress(ValueError):
        assert transport(f"usb://{name}?{options}").url


@given(st.sampled_from(STYLES), st.one_of(st.none(), st.integers(1, 255)), st.binary(max_size=900), st.integers(3, 300))
def test_what_is_packed_into_reports_comes_out_again(style: str, number: int | None, data: bytes, size: int) -> None:
    reports = Reports(style, number)
    packed = reports.pack(data, size)
    if style != "stream":
        assert {len(report) for report in packed} <= {size}
    assert b"".join(reports.unpack(report) or b"" for report in packed)[: len(data)] == data


@given(st.sampled_from(STYLES), st.one_of(st.none(), st.integers(1, 255)), st.binary(max_size=70))
def test_design_8_any_report_is_unpacked_or_dropped(style: str, number: int | None, report: bytes) -> None:
    found = Reports(style, number).unpack(report)
    assert found is None or found in report


class Hanging:
    """A device whose opening hangs in libusb until it is let go, which no emulated bus can be made to do."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.openings = self.releases = 0

    def open(self, *asked: object) -> Hanging:
        self.openings += 1
        self.go.wait(5)
        return self

    def stop(self) -> None:
        return None

    def release(self) -> None:
        self.releases += 1


async def test_issue_3_a_device_that_hangs_in_opening_takes_one_thread_and_is_given_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hanging = Hanging()
    monkeypatch.setattr("devices.transport.usb.UsbClaim", hanging)
    monkeypatch.setattr("devices.transport.usb.OPEN_S", 0.1)
    line = transport("usb://0483:5750")
    with pytest.raises(Unavailable, match="does not answer"):
        await line.open()
    for _ in range(3):
        with pytest.raises(Unavailable, match="does not let go"):
            await line.open()
    assert (hanging.openings, hanging.releases) == (1, 0)
    hanging.go.set()
    await until(lambda: hanging.releases == 1)  # it has succeeded when nobody wanted it any more
    await until(lambda: not [thread for thread in threading.enumerate() if thread.name.startswith("usb-")])
    await line.open()
    await line.close()
    assert (hanging.openings, hanging.releases) == (2, 2)


def test_issue_3_the_udev_rule_that_ships_gives_devices_to_groups_and_to_nobody_else() -> None:
    rules = (ROOT / RULES).read_text()
    lines = [line for line in rules.splitlines() if "MODE=" in line and not line.startswith("#")]
    assert lines
    assert all('MODE="0660"' in line and "GROUP=" in line for line in lines)
    unit = (ROOT / "config/systemd/yichuang-agent.service").read_text()
    groups = next(line for line in unit.splitlines() if line.startswith("SupplementaryGroups=")).split("=")[1].split()
    assert {part.split('"')[1] for line in lines for part in line.split() if part.startswith("GROUP=")} <= set(groups)
    assert "input" in groups
    assert "DeviceAllow=char-input r" in unit
