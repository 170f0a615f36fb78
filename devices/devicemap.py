"""From the map a server sends to live lines and devices."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlencode

import msgspec

from devices.bus import Bus, BusSettings
from devices.drivers.base import AnyDriver
from devices.mistakes import reason_of
from devices.profiles import KINDS, find_profile
from devices.profiles.profile import NOBODY, Calls, Device, Printer, PrinterMaker, Serial, read_settings
from devices.transport import parse_url, transport
from queue_server.wire.agent import DeviceEntry

__all__ = ["BUS_KINDS", "Calls", "Device", "Plan", "Printer", "PrinterMaker", "make_bus", "plan", "read_map"]

BUS_KINDS: Final = KINDS
PACELESS: Final = frozenset(("udp", "ws", "wss", "file", "usb", "evdev"))
"""Schemes whose bytes need no time on a line; a tcp URL is often a gateway to a real one."""

PLUG_ORDER: Final = re.compile(r"(?i)serial:/*dev/+tty(USB|ACM)\d|evdev:/*dev/+input/+event\d")
ELSEWHERE: Final = frozenset(("agent", "name"))
"""What a hall's file says of a device and its agent is not told."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The entries by line, and what is wrong with entries (by device id) that were left out."""

    lines: dict[str, tuple[DeviceEntry, ...]] = field(default_factory=dict)
    wrong: dict[str, str] = field(default_factory=dict)


def read_map(text: str) -> list[DeviceEntry]:
    """The devices of a hall's file or of a map that was learnt; ValueError says what to mend."""
    try:
        said = tomllib.loads(text).get("device", [])
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"this is not TOML: {error}") from error
    if not isinstance(said, list) or not all(isinstance(one, dict) for one in said):
        raise ValueError("devices are tables: [[device]]")
    for one in said:
        if unknown := set(one) - set(DeviceEntry.__struct_fields__) - ELSEWHERE:
            raise ValueError(f"device {one.get('id', '')}: {sorted(unknown)[0]!r} is no setting of a device")
    usual = {"address": 0, "profile": "", "window": "", "levels": {}, "settings": {}}
    try:
        return [
            msgspec.convert(usual | {k: v for k, v in one.items() if k not in ELSEWHERE}, DeviceEntry) for one in said
        ]
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from error


def plan(entries: Iterable[DeviceEntry]) -> Plan:
    """Group a map by line; an entry that cannot work is left out with the reason, the others live."""
    result = Plan()
    for entry in entries:
        there = result.lines.get(entry.url, ())
        try:
            _check(entry, there)
        except ValueError as error:
            result.wrong[entry.id] = str(error)
        except Exception as error:  # a mistake of ours in one model, which the others do not share
            result.wrong[entry.id] = reason_of(error)
        else:
            result.lines[entry.url] = (*there, entry)
    return result


def _check(entry: DeviceEntry, there: tuple[DeviceEntry, ...]) -> None:
    if PLUG_ORDER.match(entry.url):
        raise ValueError(
            f"{entry.url} changes with the order of plugging in: take the name `yichuang devices scan` shows"
        )
    if entry.kind == "printer":
        transport(entry.url)
        if there:
            raise ValueError(f"a printer shares {entry.url} with {there[0].id}")
        return
    if any(other.kind == "printer" for other in there):
        raise ValueError(f"{entry.url} belongs to the printer {there[0].id}")
    # Made once for nothing: whatever is wrong with it shows here, alone or beside its neighbours.
    make_bus((*there, entry), NOBODY)


def make_bus(entries: tuple[DeviceEntry, ...], calls: Calls) -> Bus:
    """The line and the devices of a plan's group; ValueError says what to mend in the map."""
    serial = _serial(entries)
    bus = Bus(transport(complete_url(entries[0].url, serial)), line_settings(entries, serial))
    for entry in entries:
        bus.attach(make_driver(entry, calls))
    return bus


def _serial(entries: tuple[DeviceEntry, ...]) -> Serial:
    """How the line is set: as its devices want it, which must agree on what the URL leaves open."""
    first, *others = (find_profile(entry.kind, entry.profile).serial for entry in entries)
    given = parse_url(entries[0].url).options
    for name in ("baud", "bits", "parity", "stop"):
        if name not in given and any(getattr(other, name) != getattr(first, name) for other in others):
            raise ValueError(f"the devices of {entries[0].url} differ in {name}: say it in the url, ?{name}=…")
    return first


def complete_url(url: str, serial: Serial) -> str:
    """A serial URL with the options that it leaves to its devices."""
    address = parse_url(url)
    if address.scheme != "serial":
        return url
    wanted = {"baud": serial.baud, "bits": serial.bits, "parity": serial.parity, "stop": serial.stop}
    missing = {name: value for name, value in wanted.items() if name not in address.options}
    if Serial() == serial or not missing:
        return url
    return url + ("&" if "?" in url else "?") + urlencode(missing)


def line_settings(entries: Iterable[DeviceEntry], serial: Serial) -> BusSettings:
    """The line's times: `line.gap_ms` and so on from any of its devices, its baud rate from the URL or the devices."""
    found: dict[str, str] = {}
    for entry in entries:
        address = parse_url(entry.url)
        found["baud"] = address.options.get("baud", "0" if address.scheme in PACELESS else str(serial.baud))
        for key, value in entry.settings.items():
            if key.startswith("line.") and found.setdefault(key[5:], value) != value:
                raise ValueError(f"{key} is {value} here and {found[key[5:]]} for another device of the line")
    return read_settings(BusSettings, found)


def make_driver(entry: DeviceEntry, calls: Calls) -> AnyDriver:
    """The driver of an entry on a bus; ValueError says what to mend in the map."""
    own = {key: value for key, value in entry.settings.items() if not key.startswith("line.")}
    return find_profile(entry.kind, entry.profile).make(entry, own, calls)
