"""Check sums by name, as the protocols of this field use them; the list that a profile may choose from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import xor
from types import MappingProxyType
from typing import Final, Literal


def crc16_left(data: bytes, polynomial: int, start: int) -> int:
    """A 16-bit CRC that takes the highest bit first, without a final xor."""
    crc = start
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ (polynomial if crc & 0x8000 else 0)) & 0xFFFF
    return crc


def crc16_right(data: bytes, polynomial: int, start: int) -> int:
    """A 16-bit CRC that takes the lowest bit first, without a final xor; `polynomial` is written reversed."""
    crc = start
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (polynomial if crc & 1 else 0)
    return crc


def crc16_xmodem(data: bytes) -> int:
    """CRC-16/XMODEM: "123456789" gives 31C3."""
    return crc16_left(data, 0x1021, 0)


def crc16_ccitt_false(data: bytes) -> int:
    """CRC-16/CCITT-FALSE: "123456789" gives 29B1."""
    return crc16_left(data, 0x1021, 0xFFFF)


def crc16_arc(data: bytes) -> int:
    """CRC-16/ARC: "123456789" gives BB3D."""
    return crc16_right(data, 0xA001, 0)


def crc16_modbus(data: bytes) -> int:
    """CRC-16/MODBUS: "123456789" gives 4B37."""
    return crc16_right(data, 0xA001, 0xFFFF)


@dataclass(frozen=True, slots=True)
class Checksum:
    """A sum of `width` bytes over some bytes."""

    name: str
    width: int
    of: Callable[[bytes], int]

    def bytes_of(self, data: bytes, order: Literal["big", "little"] = "big") -> bytes:
        """The sum as it stands in a frame."""
        return self.of(data).to_bytes(self.width, order)


CHECKSUMS: Final[Mapping[str, Checksum]] = MappingProxyType(
    {
        checksum.name: checksum
        for checksum in (
            Checksum("sum8", 1, lambda data: sum(data) & 0xFF),
            Checksum("negated-sum8", 1, lambda data: -sum(data) & 0xFF),
            Checksum("inverted-sum8", 1, lambda data: ~sum(data) & 0xFF),
            Checksum("xor8", 1, lambda data: reduce(xor, data, 0)),
            Checksum("sum16", 2, lambda data: sum(data) & 0xFFFF),
            Checksum("negated-sum16", 2, lambda data: -sum(data) & 0xFFFF),
            Checksum("crc16-xmodem", 2, crc16_xmodem),
            Checksum("crc16-ccitt-false", 2, crc16_ccitt_false),
            Checksum("crc16-arc", 2, crc16_arc),
            Checksum("crc16-modbus", 2, crc16_modbus),
        )
    }
)
