"""The commands of BX font cards and what a card answers, as values and as bytes of a frame's data (HARDWARE 2.5); pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from devices.framing.bx import BxFrame

# (group, number)
TAKEN: Final = (0xA0, 0x00)
REFUSED: Final = (0xA0, 0x01)
STATUS: Final = (0xA1, 0x02)
PING: Final = (0xA2, 0x00)
RESET: Final = (0xA2, 0x01)
SET_TIME: Final = (0xA2, 0x03)
POWER: Final = (0xA3, 0x00)
BRIGHTNESS: Final = (0xA3, 0x02)
AREAS: Final = (0xA3, 0x06)

ALL_AREAS: Final = 0xFF
"""In place of how many areas are deleted."""
MOST_BRIGHT: Final = 15
ERRORS: Final = (
    "",
    "no such group of commands",
    "no such command",
    "busy",
    "memory is full",
    "wrong checksum",
    "no such file",
    "flash failed",
    "file transfer failed",
    "wrong file name",
    "wrong file type",
    "wrong checksum of a file",
    "no such font",
    "firmware of another type",
    "wrong date or time",
    "the file exists",
    "wrong block of a file",
)
"""Why a card refuses, by the maker's numbers."""
NO_COMMAND, BUSY = 2, 3
IN_DOTS: Final = 0x8000
"""Set in X or W: the number is dots, not units of eight."""
_HEAD: Final = 3
"""The byte that asks for an answer, and two of length."""
_AREA: Final = 27
"""Bytes of an area without its text and its own length."""


@dataclass(frozen=True, slots=True)
class BxArea:
    """A dynamic area: a rectangle with text, in the card's memory until it loses power.

    `x` and `width` are as they stand in the frame (`IN_DOTS`), `y` and `height` are dots. `text` is GB2312 with the card's
    tags. `effect`: 1 stands still. `run_mode`: 0 goes round, 1 stays on the last page, 2 goes after `timeout_s` without an
    update, 3 stays on its last page then (one program has 3 and 4 for these). `speed` 0 is fastest. `extra`: voice and an
    extension, which are not driven, and how the text is aligned: 0 left and top.
    """

    id: int
    text: bytes
    x: int = 0
    y: int = 0
    width: int = 0
    height: int = 16
    type: int = 0
    line_gap: int = 0
    run_mode: int = 0
    timeout_s: int = 0
    extra: bytes = b"\0\0\0"
    single_line: int = 1
    wrap: int = 1
    effect: int = 1
    exit: int = 0
    speed: int = 0
    stay: int = 10


@dataclass(frozen=True, slots=True)
class BxUpdate:
    """Delete areas (None: all of them), then show some."""

    delete: tuple[int, ...] | None = ()
    areas: tuple[BxArea, ...] = ()


@dataclass(frozen=True, slots=True)
class BxStatus:
    """What a card says of itself; `clock` is as it shows it, hex digits where it makes no sense."""

    on: bool
    brightness: int
    clock: str
    programs: int
    areas: tuple[int, ...]
    barcode: str


def order(
    address: int, command: tuple[int, int], data: bytes = b"", reply: int = 1, *, counted: bool = False
) -> BxFrame:
    """A command to a card; `reply` 1 asks for an answer. `counted` writes the length of `data`, else two zeros.

    The maker reserves these two bytes, and in AREAS newer cards first clear everything where the first of them is 1.
    """
    length = len(data) if counted else 0
    return BxFrame(address, *command, bytes((reply,)) + length.to_bytes(2, "little") + data)


def data_of(frame: BxFrame) -> bytes:
    """What a command or an answer carries, without flag and length."""
    return frame.rest[_HEAD:]


def encode_area(area: BxArea) -> bytes:
    """An area with its length in front."""
    places = b"".join(value.to_bytes(2, "little") for value in (area.x, area.y, area.width, area.height))
    body = bytes((area.type,)) + places + bytes((area.id, area.line_gap, area.run_mode))
    body += area.timeout_s.to_bytes(2, "little") + area.extra
    body += bytes((area.single_line, area.wrap, area.effect, area.exit, area.speed, area.stay))
    body += len(area.text).to_bytes(4, "little") + area.text
    return len(body).to_bytes(2, "little") + body


def encode_update(update: BxUpdate) -> bytes:
    """The data of AREAS."""
    gone = bytes((ALL_AREAS,)) if update.delete is None else bytes((len(update.delete), *update.delete))
    return gone + bytes((len(update.areas),)) + b"".join(map(encode_area, update.areas))


def decode_update(data: bytes) -> BxUpdate:
    """The data of AREAS as values; ValueError for what is cut short, and for areas with voice, which are not known."""
    deleted = data[:1]
    at = 1 if deleted == bytes((ALL_AREAS,)) else 1 + sum(deleted)
    if len(data) <= at:
        raise ValueError("cut short")
    gone = None if at == 1 and deleted[0] == ALL_AREAS else tuple(data[1:at])
    count, at = data[at], at + 1
    areas = []
    for _ in range(count):
        length = int.from_bytes(data[at : at + 2], "little")
        body = data[at + 2 : at + 2 + length]
        if len(body) != length or length < _AREA:
            raise ValueError("an area is cut short")
        areas.append(_area(body))
        at += 2 + length
    if at != len(data):
        raise ValueError("more than its areas")
    return BxUpdate(gone, tuple(areas))


def _area(body: bytes) -> BxArea:
    if int.from_bytes(body[23:27], "little") != len(body) - _AREA or body[14:16] != b"\0\0":
        raise ValueError("an area with voice, extras or a text of another length")
    x, y, width, height = (int.from_bytes(body[at : at + 2], "little") for at in (1, 3, 5, 7))
    return BxArea(
        id=body[9],
        text=body[_AREA:],
        x=x,
        y=y,
        width=width,
        height=height,
        type=body[0],
        line_gap=body[10],
        run_mode=body[11],
        timeout_s=int.from_bytes(body[12:14], "little"),
        extra=body[14:17],
        single_line=body[17],
        wrap=body[18],
        effect=body[19],
        exit=body[20],
        speed=body[21],
        stay=body[22],
    )


def encode_time(when: datetime) -> bytes:
    """Eight bytes of two decimal digits each: year, century, month, day, hour, minute, second, Monday = 1 … Sunday = 7."""
    numbers = (
        *(when.year % 100, when.year // 100, when.month, when.day),
        *(when.hour, when.minute, when.second, when.isoweekday()),
    )
    return bytes.fromhex("".join(f"{number:02}" for number in numbers))


def decode_time(raw: bytes) -> str:
    """Eight bytes of time as 2013-01-25 11:17:26, in the digits the card has."""
    year, century, month, day, hour, minute, second = (f"{byte:02x}" for byte in raw[:7])
    return f"{century}{year}-{month}-{day} {hour}:{minute}:{second}"


def encode_status(status: BxStatus, clock: bytes) -> bytes:
    """The data of a card's answer to STATUS."""
    head = bytes((1 if status.on else 2, status.brightness)) + clock + bytes((status.programs,)) + b"P000\0\0"
    ids = bytes((len(status.areas), *status.areas))
    return head + ids + status.barcode.encode("ascii").ljust(16, b"\0")[:16] + bytes(12)


def read_status(frame: BxFrame) -> BxStatus | None:
    """A card's answer to STATUS, None when it is none or is cut short; its layout is read in one source, seen in none."""
    data = data_of(frame)
    if (frame.group, frame.number) != STATUS or len(data) < 18 or len(data) < 18 + data[17] + 16:
        return None
    count = data[17]
    return BxStatus(
        on=data[0] == 1,
        brightness=data[1],
        clock=decode_time(data[2:10]),
        programs=data[10],
        areas=tuple(data[18 : 18 + count]),
        barcode=data[18 + count : 34 + count].rstrip(b"\0").decode("ascii", "replace"),
    )


def refusal(frame: BxFrame) -> str:
    """Why a card refused, for people; its bytes where it gives no number that is published."""
    error = frame.rest[0] if frame.rest else 0
    return ERRORS[error] if 0 < error < len(ERRORS) else frame.rest.hex(" ")


def places(areas: Sequence[BxArea]) -> str:
    """Areas for people: the number and the text of each."""
    return ", ".join(f"{area.id}: {area.text.decode('gb2312', 'replace')}" for area in areas)
