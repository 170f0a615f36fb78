"""Scanners over serial lines, and scanners, card readers and rating pads that type (HARDWARE 5.2, 5.3, 1.3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from devices.drivers.base import AnyDriver
from devices.drivers.rating import RatingPad
from devices.drivers.scanner import Scanner
from devices.emulators.nodes import AnyNode
from devices.emulators.scanners import EmulatedGm65, EmulatedScanner, EmulatedWedge
from devices.framing.codec import AnyCodec
from devices.framing.evdev import EVDEV, InputEvent
from devices.framing.scans import ALIVE, GM65, HEARTBEAT, READ, SAVE, TEXT_LINES, WRITE, GmCommand, GmReply, ScanText
from devices.profiles.profile import ELSEWHERE_KIOSK, Calls, Profile, read_settings
from devices.profiles.wording import Wording
from devices.protocols.keyboardpad import KeyboardPad, key_code
from devices.protocols.rating import RatingSettings
from devices.protocols.scans import GmScanner, ScanSettings, ScanTalk, TextScanner, WedgeScanner
from queue_server.wire.agent import DeviceEntry

_COMMANDS: Final = {READ: "read a setting", WRITE: "write a setting", SAVE: "save the settings", HEARTBEAT: "alive?"}


def _scanner(
    codec: AnyCodec,
    talk: Callable[[ScanSettings], ScanTalk],
    entry: DeviceEntry,
    own: Mapping[str, str],
    calls: Calls,
) -> AnyDriver:
    rest = {key: value for key, value in own.items() if key not in ELSEWHERE_KIOSK}
    talking = talk(read_settings(ScanSettings, rest))
    return Scanner(entry.id, codec, talking, scanned=calls.code, health_changed=calls.health_changed)


def _pad(entry: DeviceEntry, own: Mapping[str, str], calls: Calls) -> AnyDriver:
    settings = read_settings(
        RatingSettings, own, levels={key_code(key): level for key, level in entry.levels.items()}, starts=False
    )
    return RatingPad(
        entry.id,
        entry.address,
        settings,
        store=calls.rated,
        health_changed=calls.health_changed,
        codec=EVDEV,
        protocol=KeyboardPad(entry.address, settings),
    )


def _means(frame: object) -> str:
    match frame:
        case GmCommand(command, address):
            trigger = command == WRITE and address == 2
            return "read a code now" if trigger else f"{_COMMANDS[command]} {address:04X}"
        case GmReply(kind=kind):
            return "alive" if kind == ALIVE else "done"
        case ScanText(data):
            return data.decode("utf-8", "replace").strip()
        case InputEvent(type=1, code=code, value=value):
            return f"key {code} {('up', 'down', 'held')[value]}" if 0 <= value <= 2 else f"key {code}"
        case _:
            return ""


def _trigger(driver: AnyDriver, text: str) -> None:
    if isinstance(driver, Scanner):
        driver.trigger()


def _profile(
    name: str,
    title: str,
    page: str,
    codec: AnyCodec,
    talk: Callable[[ScanSettings], ScanTalk],
    emulate: Callable[[int], AnyNode],
    frames: tuple[type[Any], ...],
) -> Profile:
    return Profile(
        name=name,
        kinds=frozenset({"scanner"}),
        title=title,
        page=page,
        codec=codec,
        make=partial(_scanner, codec, talk),
        emulate=emulate,
        wording=Wording(frames, _means),
        pattern=_trigger,
        personal=True,
    )


PROFILES: Final = (
    _profile(
        "scanner",
        "scanner that sends text and an end",
        "scanners.md",
        TEXT_LINES,
        TextScanner,
        EmulatedScanner,
        (ScanText,),
    ),
    _profile(
        "gm65",
        "GM65, GM812, GM861 scanner module",
        "scanners.md",
        GM65,
        GmScanner,
        EmulatedGm65,
        (GmCommand, GmReply, ScanText),
    ),
    _profile(
        "keyboard-scanner",
        "scanner or card reader that types",
        "keyboards.md",
        EVDEV,
        WedgeScanner,
        EmulatedWedge,
        (InputEvent,),
    ),
    Profile(
        name="keyboard-pad",
        kinds=frozenset({"rating_pad"}),
        title="rating pad that is a keyboard",
        page="keyboards.md",
        codec=EVDEV,
        make=_pad,
        emulate=EmulatedWedge,
        wording=Wording((InputEvent,), _means),
    ),
)
