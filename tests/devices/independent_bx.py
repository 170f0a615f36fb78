"""A second decoder of BX font cards, written from HARDWARE's table by other means; imports no project code."""

from __future__ import annotations

import binascii
import struct
from collections.abc import Iterator
from typing import NamedTuple

_HEAD = struct.Struct("<HH3xB")
_TAIL = struct.Struct("<xxBBH")
_AREA = struct.Struct("<BHHHHBBBHBBBBBBBBBI")


class Packet(NamedTuple):
    """Who to, who from, the command and what follows it, flag and length bytes included."""

    to: int
    sender: int
    command: str
    rest: bytes


class Area(NamedTuple):
    """What matters of a dynamic area."""

    id: int
    x: int
    y: int
    width: int
    height: int
    text: str


def _mirror(value: int, bits: int) -> int:
    return int(f"{value:0{bits}b}"[::-1], 2)


def arc(data: bytes) -> int:
    """CRC-16/ARC, as polynomial division of the mirrored bits."""
    number = int("".join(f"{byte:08b}"[::-1] for byte in data) + "0" * 16, 2)
    for bit in range(number.bit_length() - 1, 15, -1):
        if number >> bit & 1:
            number ^= 0x18005 << bit - 16
    return _mirror(number, 16)


def _plain(escaped: bytes) -> bytes | None:
    pairs, out, at = {"a602": "a5", "a601": "a6", "5b02": "5a", "5b01": "5b"}, "", 0
    text = escaped.hex()
    while at < len(text):
        if text[at : at + 2] in ("a6", "5b"):
            if (one := pairs.get(text[at : at + 4])) is None:
                return None
            out, at = out + one, at + 4
        else:
            out, at = out + text[at : at + 2], at + 2
    return binascii.unhexlify(out)


def _escaped(packet: bytes) -> bytes:
    codes = {"a5": "a602", "a6": "a601", "5a": "5b02", "5b": "5b01"}
    return bytes.fromhex("".join(codes.get(f"{byte:02x}", f"{byte:02x}") for byte in packet))


def packets(line: bytes) -> list[Packet]:
    """The whole packets of a line, whoever sent them."""
    return [packet for piece in line.split(b"\x5a")[:-1] for packet in _packet(piece)]


def _packet(piece: bytes) -> Iterator[Packet]:
    _, lead, escaped = piece.rpartition(b"\xa5")
    packet = _plain(escaped) if lead else None
    if packet is None or len(packet) < 18:
        return
    to, sender, barcode = _HEAD.unpack_from(packet)
    at = _HEAD.size + (16 if barcode == 1 else 0)
    if barcode > 1 or len(packet) < at + 8:
        return
    _kind, version, length = _TAIL.unpack_from(packet, at)
    data = packet[at + _TAIL.size : -2]
    if version == 2 and len(data) == length >= 2 and arc(packet[:-2]) == packet[-2] | packet[-1] << 8:
        yield Packet(to, sender, data[:2].hex(), data[2:])


def build(to: int, sender: int, command: str, rest: bytes) -> bytes:
    """A packet on the line."""
    data = bytes.fromhex(command) + rest
    packet = struct.pack("<HH3xBBBBBH", to, sender, 0, 0, 0, 0xFE, 2, len(data)) + data
    return b"\xa5" * 8 + _escaped(packet + struct.pack("<H", arc(packet))) + b"\x5a"


def areas(rest: bytes) -> list[Area]:
    """The areas that an update (A3 06) shows, from the rest of its packet."""
    deleted = rest[3]
    at = 4 + (0 if deleted == 0xFF else deleted)
    found, count, at = [], rest[at], at + 1
    for _ in range(count):
        (length,) = struct.unpack_from("<H", rest, at)
        parts = _AREA.unpack_from(rest, at + 2)
        text = rest[at + 2 + _AREA.size : at + 2 + length]
        assert len(text) == parts[-1]
        found.append(Area(parts[5], *parts[1:5], text.decode("gb2312")))
        at += 2 + length
    assert at == len(rest)
    return found
