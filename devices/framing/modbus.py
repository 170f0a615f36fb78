"""The few Modbus RTU frames that number panels need: write one register, write several (HARDWARE 2.6)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from devices.framing.checksums import crc16_modbus
from devices.framing.codec import Codec
from devices.framing.stream import Match, Miss

WRITE_ONE: Final = 0x06
WRITE_MANY: Final = 0x10
_FAILED: Final = 0x80
_MOST_REGISTERS: Final = 123
_LAST_UNIT: Final = 247


@dataclass(frozen=True, slots=True)
class ModbusWrite:
    """`ADDR 06 REG VALUE CRC`, which a panel echoes, or with `many` `ADDR 10 REG COUNT BYTES DATA CRC`; all big-endian but the CRC."""

    address: int
    register: int
    data: bytes
    many: bool = False

    def __post_init__(self) -> None:
        _check(self.address, self.register)
        most = 2 * _MOST_REGISTERS if self.many else 2
        if len(self.data) % 2 or not 2 <= len(self.data) <= most:
            raise ValueError(f"registers have two bytes each: {self.data.hex(' ')}")


@dataclass(frozen=True, slots=True)
class ModbusWritten:
    """`ADDR 10 REG COUNT CRC`: several registers were written."""

    address: int
    register: int
    count: int

    def __post_init__(self) -> None:
        _check(self.address, self.register)
        if not 1 <= self.count <= _MOST_REGISTERS:
            raise ValueError(f"1 to {_MOST_REGISTERS} registers, not {self.count}")


@dataclass(frozen=True, slots=True)
class ModbusRefused:
    """`ADDR 86 CODE CRC` or `ADDR 90 CODE CRC`: the panel does not do that."""

    address: int
    function: int
    code: int

    def __post_init__(self) -> None:
        _check(self.address, 0)
        if self.function not in (WRITE_ONE, WRITE_MANY) or not 0 <= self.code <= 0xFF:
            raise ValueError(f"no refusal: function {self.function}, code {self.code}")


ModbusFrame = ModbusWrite | ModbusWritten | ModbusRefused


def _check(address: int, register: int) -> None:
    if not 0 <= address <= _LAST_UNIT or not 0 <= register <= 0xFFFF:
        raise ValueError(f"no Modbus frame: unit {address} (0 to {_LAST_UNIT}), register {register}")


def encode_modbus(frame: ModbusFrame) -> bytes:
    """The frame's bytes; the CRC-16/MODBUS comes low byte first."""
    match frame:
        case ModbusWrite(address, register, data, many=True):
            count = bytes((0, len(data) // 2, len(data)))
            body = bytes((address, WRITE_MANY)) + register.to_bytes(2, "big") + count + data
        case ModbusWrite(address, register, data):
            body = bytes((address, WRITE_ONE)) + register.to_bytes(2, "big") + data
        case ModbusWritten(address, register, count_):
            body = bytes((address, WRITE_MANY)) + register.to_bytes(2, "big") + count_.to_bytes(2, "big")
        case ModbusRefused(address, function, code):
            body = bytes((address, _FAILED | function, code))
    return body + crc16_modbus(body).to_bytes(2, "little")


@dataclass(frozen=True, slots=True)
class ModbusGrammar:
    """Finds frames by function, length and CRC: Modbus has no first byte of its own. `host`: the panel's ear."""

    host: bool

    @property
    def longest(self) -> int:
        return 9 + 2 * _MOST_REGISTERS if self.host else 8

    @property
    def leads(self) -> bytes:
        return bytes(range(_LAST_UNIT + 1))

    def _length(self, head: bytes) -> int | Miss:
        """How many bytes a frame that begins so has."""
        match head[1:2]:
            case b"":
                return Miss.MORE
            case b"\x06":
                return 8
            case b"\x10" if not self.host:
                return 8 if head[4:5] in (b"", b"\0") else Miss.NOISE
            case b"\x10":
                if len(head) < 7:
                    return Miss.MORE if head[4:5] in (b"", b"\0") else Miss.NOISE
                fits = head[4] == 0 and 1 <= head[5] <= _MOST_REGISTERS and head[6] == 2 * head[5]
                return 9 + head[6] if fits else Miss.NOISE
            case b"\x86" | b"\x90" if not self.host:
                return 5
            case _:
                return Miss.NOISE

    def scan(self, stream: bytes | bytearray, at: int) -> Match[ModbusFrame] | Miss:
        length = self._length(bytes(stream[at : at + 7]))
        if isinstance(length, Miss):
            return length
        raw = bytes(stream[at : at + length])
        if len(raw) < length:
            return Miss.MORE
        if crc16_modbus(raw[:-2]) != int.from_bytes(raw[-2:], "little"):
            return Miss.CHECKSUM
        try:
            return Match(self._frame(raw), length)
        except ValueError:
            return Miss.NOISE

    def _frame(self, raw: bytes) -> ModbusFrame:
        address, function, register = raw[0], raw[1], int.from_bytes(raw[2:4], "big")
        if function & _FAILED:
            return ModbusRefused(address, function & ~_FAILED, raw[2])
        if function == WRITE_ONE:
            return ModbusWrite(address, register, raw[4:6])
        if self.host:
            return ModbusWrite(address, register, raw[7:-2], many=True)
        return ModbusWritten(address, register, int.from_bytes(raw[4:6], "big"))


MODBUS: Final[Codec[ModbusFrame]] = Codec(
    "Modbus RTU",
    (ModbusGrammar(host=False),),
    encode_modbus,
    from_host=(ModbusGrammar(host=True),),
    samples=(encode_modbus(ModbusWrite(1, 0, b"\0\x2a")), encode_modbus(ModbusWritten(1, 0x70, 2))),
)
