"""Panels of digits on Modbus RTU (HARDWARE 2.6)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from devices.drivers.base import AnyDriver
from devices.drivers.strip import Strip
from devices.emulators.numberpanel import EmulatedNumberPanel
from devices.framing.modbus import MODBUS, ModbusFrame, ModbusRefused, ModbusWrite, ModbusWritten
from devices.profiles.profile import ELSEWHERE, Calls, Profile, read_settings
from devices.profiles.wording import Wording
from devices.protocols.numberpanel import NUMBER_REGISTER, TEXT_REGISTER, NumberPanel, PanelSettings
from queue_server.wire.agent import DeviceEntry


def _make(entry: DeviceEntry, own: Mapping[str, str], calls: Calls) -> AnyDriver:
    if not 1 <= entry.address <= 247:
        raise ValueError(f"a Modbus unit is 1 to 247, not {entry.address}")
    settings = read_settings(PanelSettings, {key: value for key, value in own.items() if key not in ELSEWHERE})
    return Strip(
        entry.id, entry.address, calls.health_changed, codec=MODBUS, protocol=NumberPanel(entry.address, settings)
    )


def _means(frame: ModbusFrame) -> str:
    match frame:
        case ModbusWrite(register=register, data=data) if register == NUMBER_REGISTER and len(data) == 2:
            return f"show {int.from_bytes(data, 'big', signed=True)}"
        case ModbusWrite(register=register, data=data) if register == TEXT_REGISTER:
            return f"show {data.decode('ascii', 'replace')}"
        case ModbusWritten(count=count):
            return f"{count} registers written"
        case ModbusRefused(code=code):
            return f"refused: code {code}"
        case _:
            return ""


PROFILES: Final = (
    Profile(
        name="led-485",
        kinds=frozenset({"strip"}),
        title="LED-485 panel of digits, Modbus RTU",
        page="led-485.md",
        codec=MODBUS,
        make=_make,
        emulate=EmulatedNumberPanel,
        wording=Wording((ModbusWrite, ModbusWritten, ModbusRefused), _means),
        experimental=True,
    ),
)
