"""Strips and boards of the A0 90 family (HARDWARE 2.2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from devices.drivers.base import AnyDriver
from devices.drivers.strip import Board, Strip
from devices.emulators.nodes import EmulatedStrip
from devices.framing.a090 import A090
from devices.profiles.profile import ELSEWHERE, Calls, Profile, read_settings
from devices.protocols.strip import COLOURS, StripSettings
from queue_server.wire.agent import DeviceEntry


def _strip(entry: DeviceEntry, own: Mapping[str, str], calls: Calls) -> AnyDriver:
    kind = Board if entry.kind == "board" else Strip
    rest = {key: value for key, value in own.items() if key not in ELSEWHERE}
    try:
        colours = {name: int(rest.pop(f"colour.{name}", str(code)), 0) for name, code in COLOURS.items()}
    except ValueError:
        raise ValueError("a colour is a byte: colour.green = 1") from None
    settings = read_settings(StripSettings, rest, colours=colours)
    return kind(entry.id, entry.address, calls.health_changed, settings)


PROFILES: Final = (
    Profile(
        name="a090",
        kinds=frozenset({"strip", "board"}),
        title="A0 90 strip or board (欣瑞)",
        page="a0-90.md",
        codec=A090,
        make=_strip,
        emulate=EmulatedStrip,
    ),
)
