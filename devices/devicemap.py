"""From the map a server sends to live lines and devices."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final, Protocol, TypeVar

import msgspec

from devices.bus import Bus, BusSettings
from devices.drivers.base import BusDriver
from devices.drivers.health import Health
from devices.drivers.keypad import Keypad
from devices.drivers.rating import RatingPad
from devices.drivers.strip import Board, Strip
from devices.protocols.keymaps import KEYMAPS
from devices.protocols.keypad import KeyAction, KeypadSettings
from devices.protocols.rating import AckVariant, RatingSettings
from devices.protocols.strip import COLOURS, StripSettings
from devices.transport import parse_url, transport
from queue_server.wire.agent import DeviceEntry
from queue_server.wire.common import PrinterState

BUS_KINDS: Final = frozenset(("keypad", "rating_pad", "strip", "board"))
# Settings of strips and boards that are read elsewhere: by the rendering of their text and by the server.
ELSEWHERE: Final = frozenset(("cells", "zone"))
S = TypeVar("S")


class Printer(Protocol):
    """A ticket printer as the agent sees it; it owns its line alone."""

    @property
    def device(self) -> str:
        """Its id."""

    @property
    def health(self) -> Health:
        """How it is."""

    @property
    def printer_state(self) -> PrinterState:
        """Paper, cover, jam (UX K-11)."""

    async def run(self) -> None:
        """Keep it connected until cancelled; a print under way then ends as failed or unknown."""

    async def print(self, paper: bytes, expires_in_ms: int) -> tuple[str, str]:
        """Print a ticket's paper (JSON) once, or not at all once expired: printed|failed|unknown and the reason."""


Device = BusDriver | Printer
PrinterMaker = Callable[[DeviceEntry, Callable[[Device], None]], Printer]
"""Makes a printer of an entry, which calls back when its health changes; ValueError when the entry makes no sense."""


@dataclass(frozen=True, slots=True)
class Calls:
    """What devices tell, and how printers are made."""

    pressed: Callable[[Keypad, KeyAction], None]
    rated: Callable[[RatingPad, int], Awaitable[None]]
    health_changed: Callable[[Device], None]
    printer: PrinterMaker


@dataclass(frozen=True, slots=True)
class Plan:
    """The entries by line, and what is wrong with entries (by device id) that were left out."""

    lines: dict[str, tuple[DeviceEntry, ...]] = field(default_factory=dict)
    wrong: dict[str, str] = field(default_factory=dict)


def plan(entries: Iterable[DeviceEntry]) -> Plan:
    """Group a map by line; an entry that cannot work is left out with the reason, the others live."""
    result = Plan()
    for entry in entries:
        there = result.lines.get(entry.url, ())
        try:
            _check(entry, there)
        except ValueError as error:
            result.wrong[entry.id] = str(error)
        else:
            result.lines[entry.url] = (*there, entry)
    return result


def _check(entry: DeviceEntry, there: tuple[DeviceEntry, ...]) -> None:
    transport(entry.url)
    if entry.kind == "printer":
        if there:
            raise ValueError(f"a printer shares {entry.url} with {there[0].id}")
        return
    if entry.kind not in BUS_KINDS:
        raise ValueError(f"no driver for the kind {entry.kind!r}")
    if any(other.kind == "printer" for other in there):
        raise ValueError(f"{entry.url} belongs to the printer {there[0].id}")
    nobody = Calls(lambda k, a: None, _nowhere, lambda d: None, _no_printer)
    # Made once for nothing: whatever is wrong with it shows here, alone or beside its neighbours.
    bus = Bus(transport(entry.url), line_settings((*there, entry)))
    for other in (*there, entry):
        bus.attach(make_driver(other, nobody))


async def _nowhere(pad: RatingPad, level: int) -> None:
    return None


def _no_printer(entry: DeviceEntry, changed: Callable[[Device], None]) -> Printer:
    raise ValueError("no printer here")


def make_bus(entries: tuple[DeviceEntry, ...], calls: Calls) -> Bus:
    """The line and the devices of a plan's group."""
    bus = Bus(transport(entries[0].url), line_settings(entries))
    for entry in entries:
        bus.attach(make_driver(entry, calls))
    return bus


def line_settings(entries: Iterable[DeviceEntry]) -> BusSettings:
    """The line's times: `line.gap_ms` and so on from any of its devices, its baud rate from the URL."""
    found: dict[str, str] = {}
    for entry in entries:
        found["baud"] = parse_url(entry.url).options.get("baud", "9600")
        for key, value in entry.settings.items():
            if key.startswith("line.") and found.setdefault(key[5:], value) != value:
                raise ValueError(f"{key} is {value} here and {found[key[5:]]} for another device of the line")
    return _settings(BusSettings, found)


def make_driver(entry: DeviceEntry, calls: Calls) -> BusDriver:
    """The driver of an entry on a bus; ValueError says what to mend in the map."""
    own = {key: value for key, value in entry.settings.items() if not key.startswith("line.")}
    match entry.kind:
        case "keypad":
            keymap = KEYMAPS.get(entry.profile.lower())
            if keymap is None:
                raise ValueError(f"keypad profile {entry.profile!r} is none of {', '.join(KEYMAPS)}")
            return Keypad(
                entry.id,
                entry.address,
                keymap,
                pressed=calls.pressed,
                health_changed=calls.health_changed,
                settings=_settings(KeypadSettings, own),
            )
        case "rating_pad":
            settings = _settings(RatingSettings, own, levels=_levels(entry), ack=_ack(entry))
            return RatingPad(entry.id, entry.address, settings, store=calls.rated, health_changed=calls.health_changed)
        case "strip" | "board":
            kind = Board if entry.kind == "board" else Strip
            try:
                colours = {name: int(own.pop(f"colour.{name}", str(code)), 0) for name, code in COLOURS.items()}
            except ValueError:
                raise ValueError("a colour is a byte: colour.green = 1") from None
            own = {key: value for key, value in own.items() if key not in ELSEWHERE}
            return kind(entry.id, entry.address, calls.health_changed, _settings(StripSettings, own, colours=colours))
        case kind:
            raise ValueError(f"no driver for the kind {kind!r}")


def _levels(entry: DeviceEntry) -> Mapping[int, int]:
    try:
        return {int(key): level for key, level in entry.levels.items()}
    except ValueError:
        raise ValueError(f"levels go from decimal key codes to 5…1: {entry.levels}") from None


def _ack(entry: DeviceEntry) -> AckVariant:
    try:
        return AckVariant(entry.profile.lower().removeprefix("ff68-"))
    except ValueError:
        raise ValueError(f"rating device profile {entry.profile!r} is none of ff68-a, ff68-b") from None


def _settings(kind: type[S], found: Mapping[str, str], **given: Any) -> S:
    """`found` as the dataclass `kind`, text turned into its types; an unknown or unreadable setting is a ValueError."""
    known = {part.name for part in fields(kind)} - set(given)  # type: ignore[arg-type]
    if unknown := sorted(set(found) - known):
        raise ValueError(f"unknown setting {unknown[0]!r}: {', '.join(sorted(known))}")
    try:
        read = msgspec.convert(dict(found) | given, kind, strict=False)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from error
    return read
