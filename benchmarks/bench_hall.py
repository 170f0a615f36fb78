"""The bench: the sample district hall with its 24 windows on four lines, a main board, a voice module and two printers."""

from typing import Final

from msgspec import structs

from benchmarks.hall import district
from queue_server.domain.configuration import Configuration, Device

AGENT: Final = "agent-1f"
BUSES: Final = 4
VOICE_ZONE: Final = "A"
"""The zone whose calls the module says; the displays say those of the others."""
BAUD: Final = 9600


def bench() -> Configuration:
    """Derived from config/district.toml: a keypad, a rating device and a strip at each window, six windows on a line."""
    hall = district()
    names = [window.id for window in hall.window]
    each = -(-len(names) // BUSES)
    line_of = {
        name: f"serial:///dev/serial/by-id/bench-{place // each + 1}?baud={BAUD}" for place, name in enumerate(names)
    }
    at_windows = [structs.replace(device, url=line_of[device.window]) for device in hall.device if device.window]
    printers = [device for device in hall.device if device.kind == "printer"][:2]
    kiosks = [structs.replace(kiosk, printer=printers[n % 2].id) for n, kiosk in enumerate(hall.kiosk)]
    return structs.replace(hall, device=(*at_windows, _board(), _voice(), *printers), kiosk=tuple(kiosks))


def _board() -> Device:
    """A BX card of eight rows for the calls of the whole hall."""
    return Device(
        id="board",
        agent=AGENT,
        kind="board",
        profile="bx",
        url="tcp://192.0.2.30:5005?baud=0",
        address=1,
        settings={"cells": "20", "width": "320", "rows": "8"},
    )


def _voice() -> Device:
    return Device(
        id="voice",
        agent=AGENT,
        kind="speaker",
        profile="syn6288",
        url=f"serial:///dev/serial/by-id/bench-voice?baud={BAUD}",
        settings={"zone": VOICE_ZONE},
    )
