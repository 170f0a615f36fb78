"""Ticket printers by the names a device map gives them: how their lines read; their driver owns its line alone (HARDWARE 4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from devices.emulators.nodes import AnyNode
from devices.framing.escpos import FULL_HEAD
from devices.framing.escpos_line import ESCPOS, EscposCommand, EscposStatus, EscposText
from devices.profiles.profile import Calls, Profile
from devices.profiles.wording import Wording
from devices.protocols.printer_models import MODELS
from devices.protocols.printer_status import Condition, read_asb, read_full, read_status
from queue_server.wire.agent import DeviceEntry

_COMMANDS: Final = {
    b"\x10\x04": "status {0}?",
    b"\x10\x14": "forget what waits",
    b"\x1b@": "begin anew",
    b"\x1b!": "style {0:02X}",
    b"\x1bE": "bold {0}",
    b"\x1ba": "align {0}",
    b"\x1b3": "line spacing {0}",
    b"\x1b2": "usual line spacing",
    b"\x1bJ": "feed {0} dots",
    b"\x1bd": "feed {0} lines",
    b"\x1bi": "cut",
    b"\x1bm": "cut but one point",
    b"\x1bt": "code page {0}",
    b"\x1c&": "Chinese on",
    b"\x1c.": "Chinese off",
    b"\x1c!": "Chinese style {0:02X}",
    b"\x1cW": "Chinese four times as large {0}",
    b"\x1d!": "size {0:02X}",
    b"\x1dB": "white on black {0}",
    b"\x1dL": "left margin",
    b"\x1dW": "width",
    b"\x1dV": "cut",
    b"\x1dr": "printed so far?",
    b"\x1da": "tell changes {0:02X}",
    b"\x1dv": "picture",
    b"\x1d(": "code",
}
_EJECTOR: Final = {b"\x02": "draw the ticket back", b"\x03": "present the ticket", b"\x05": "throw the ticket out"}
_PARTS: Final = ("printer", "offline cause", "error cause", "paper")


def means(frame: EscposCommand | EscposText | EscposStatus) -> str:
    """A piece of a printer's line in words; which question a status byte answers, only the asker knows."""
    match frame:
        case EscposText(text):
            return f"print {text.decode('gbk', 'replace')}"
        case EscposCommand(data) if data[0] in b"\x09\x0a\x0c\x0d":
            return {0x09: "tab", 0x0A: "next line", 0x0C: "next page", 0x0D: "line's begin"}[data[0]]
        case EscposCommand(data):
            return (
                _EJECTOR.get(data[2:3], "ejector")
                if data[:2] == b"\x1de"
                else _COMMANDS.get(data[:2], "").format(data[2] if len(data) > 2 else 0)
            )
        case EscposStatus(data) if data[:2] == FULL_HEAD and len(data) == 6:
            return f"full status: {read_full(Condition(), data[2:]).state}"
        case EscposStatus(data) if len(data) == 4:
            return f"status by itself: {read_asb(data).state}"
        case EscposStatus(data) if data in (b"\x11", b"\x13"):
            return "go on" if data == b"\x11" else "wait"
        case EscposStatus(data):
            answers = (f"{name} {read_status(Condition(), n, data[0]).state}" for n, name in enumerate(_PARTS, 1))
            return "answer: " + ", or ".join(answers)


def _alone(entry: DeviceEntry, own: Mapping[str, str], calls: Calls) -> Any:
    raise ValueError("a printer shares its line with nobody")


def _emulated(address: int) -> AnyNode:
    raise ValueError("a printer is emulated by itself: yichuang emulate printer")


_TITLES: Final = {
    "escpos": "ESC/POS ticket printer, 80 mm paper",
    "80mm": "the same, by its paper",
    "58mm": "ESC/POS ticket printer, 58 mm paper",
    "reliance": "Pyramid Reliance kiosk printer",
    "kpm": "Custom KPM-210 or KPM-216 kiosk printer",
    "vkp80": "Custom VKP80 kiosk printer",
}
assert set(MODELS) < set(_TITLES), "every model of printer can be listed and tried"

PROFILES: Final = tuple(
    Profile(
        name=name,
        kinds=frozenset({"printer"}),
        title=title,
        page="escpos.md",
        codec=ESCPOS,
        make=_alone,
        emulate=_emulated,
        wording=Wording((EscposCommand, EscposText, EscposStatus), means, encoding="gbk"),
    )
    for name, title in _TITLES.items()
)
