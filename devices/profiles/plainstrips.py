"""The two strips of one source each: AA…QT and addr-FE (HARDWARE 2.3, 2.4)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final

from devices.drivers.base import AnyDriver
from devices.drivers.strip import Board, Strip
from devices.emulators.plainstrips import EmulatedAaqt, EmulatedAddrFe
from devices.framing.aaqt import AAQT
from devices.framing.addrfe import ADDRFE
from devices.framing.codec import AnyCodec
from devices.profiles.profile import ELSEWHERE, Calls, Profile, read_settings
from devices.protocols.plainstrips import AAQT_GAP_MS, AaqtProtocol, AddrFeProtocol, PlainSettings
from queue_server.wire.agent import DeviceEntry


def _strip(
    codec: AnyCodec,
    protocol: type[AaqtProtocol | AddrFeProtocol],
    gap_ms: int | None,
    entry: DeviceEntry,
    own: Mapping[str, str],
    calls: Calls,
) -> AnyDriver:
    settings = read_settings(PlainSettings, {key: value for key, value in own.items() if key not in ELSEWHERE})
    board = entry.kind == "board"
    talk = protocol(entry.address, settings, board=board)
    driver = (Board if board else Strip)(entry.id, entry.address, calls.health_changed, codec=codec, protocol=talk)
    driver.gap_ms = gap_ms if settings.gap_ms is None else settings.gap_ms
    return driver


PROFILES: Final = (
    Profile(
        name="aaqt",
        kinds=frozenset({"strip", "board"}),
        title="AA…QT strip or board (平安力合)",
        page="aa-qt.md",
        codec=AAQT,
        make=partial(_strip, AAQT, AaqtProtocol, AAQT_GAP_MS),
        emulate=EmulatedAaqt,
        experimental=True,
    ),
    Profile(
        name="addrfe",
        kinds=frozenset({"strip", "board"}),
        title="addr-FE strip or board (银达汇智)",
        page="addr-fe.md",
        codec=ADDRFE,
        make=partial(_strip, ADDRFE, AddrFeProtocol, None),
        emulate=EmulatedAddrFe,
        experimental=True,
    ),
)
