"""A second reader of BX-5K and BX-6K font cards, by another hand than the driver's; it imports no project code.

Written from HARDWARE 2.5. Where that is silent, from what others published of the maker's protocol for users (version 1.4 for
5K and 6K cards): the header's modes and the answer's form from its copy at deanled.cn (pages 147 and 194), the error numbers,
area modes and commands from three users' headers and structures (text index ids 9818190508, 679284606, 18258873823), voice,
extension and status from the maker's analyser (HARDWARE 2.5). It reads by a cursor, field after field, what the driver packs.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

LEAD, TAIL = b"\xa5", b"\x5a"
MEANT = {(0xA6, 2): 0xA5, (0xA6, 1): 0xA6, (0x5B, 2): 0x5A, (0x5B, 1): 0x5B}
VERSION = 2
CHECKED_BY_CRC, CHECKED_BY_SUM, UNCHECKED = 0, 1, 2
NOT_ANSWERED, ANSWERED_BY_ALL = 0xFFFF, 0xFFFE  # the two broadcast addresses
# What the third byte of an answer says; 0 in A0 00.
ERRORS = (
    "none", "command group", "command", "busy", "memory is full", "checksum", "no such file", "flash", "file transfer",
    "file name", "file type", "file checksum", "no such font", "firmware type", "date and time", "file exists",
    "file block number",
)  # fmt: skip


class Frame(NamedTuple):
    """A packet with its header as it stands on the line; `data` begins with the command."""

    to: int
    sender: int
    reserved: bytes
    barcode: bytes
    check: int
    display: int
    device: int
    data: bytes


class Packet(NamedTuple):
    """Who to, who from, the command and what follows it, flag and length bytes included."""

    to: int
    sender: int
    command: str
    rest: bytes


class Voice(NamedTuple):
    """What a -YY card says: `text` is None where it reads what it shows. Volume and speed as the card counts them."""

    speaker: int
    times: int
    volume: int
    speed: int
    text: str | None


class Area(NamedTuple):
    """A dynamic area; `x` and `width` as on the line, which is eights of dots unless bit 15 says dots. Stay in half seconds."""

    id: int
    x: int
    y: int
    width: int
    height: int
    text: str
    line_gap: int
    run_mode: int
    timeout_s: int
    voice: Voice | None
    layout: int | None
    align: int
    single_line: bool
    wrap: bool
    show: int
    leave: int
    speed: int
    stay: int

    @property
    def dots(self) -> tuple[int, int, int, int]:
        """Its corner and size, all in dots."""
        return _dots(self.x), self.y, _dots(self.width), self.height


class Update(NamedTuple):
    """A3 06: which areas go (None: all of them) and which are shown."""

    delete: tuple[int, ...] | None
    areas: list[Area]


class Status(NamedTuple):
    """The answer to A1 02."""

    on: bool
    brightness: int
    clock: str
    programs: int
    playing: str
    special: tuple[int, int]
    areas: tuple[int, ...]
    barcode: str
    network: str


class Answer(NamedTuple):
    """A0 00 or A0 01: `error` is a number of ERRORS, 0 where it was taken."""

    taken: bool
    error: int


class _Cursor:
    """Takes fields off the front; ValueError where the data are at their end."""

    def __init__(self, data: bytes) -> None:
        self._left = data

    def raw(self, size: int) -> bytes:
        if size > len(self._left):
            raise ValueError(f"{size} bytes wanted, {len(self._left)} left")
        taken, self._left = self._left[:size], self._left[size:]
        return taken

    def number(self, size: int = 1) -> int:
        return int.from_bytes(self.raw(size), "little")

    def rest(self) -> bytes:
        return self.raw(len(self._left))

    def end(self) -> None:
        if self._left:
            raise ValueError(f"{len(self._left)} bytes more than there should be")


def arc(data: bytes) -> int:
    """CRC-16/ARC as what it is: the rest of a division of polynomials, each byte's low bit first."""
    value = int("".join(f"{byte:08b}"[::-1] for byte in data) + "0" * 16, 2)
    for shift in range(value.bit_length() - 17, -1, -1):
        if value >> (shift + 16) & 1:
            value ^= 0x18005 << shift
    return int(f"{value:016b}"[::-1], 2)


def frames(line: bytes) -> list[Frame]:
    """Every whole frame of a line: from the last A5 before it to its 5A, both of which stand nowhere else."""
    found = []
    for piece in line.split(TAIL)[:-1]:
        _, lead, escaped = piece.rpartition(LEAD)
        try:
            if lead:
                found.append(_frame(_plain(escaped)))
        except ValueError:
            continue
    return found


def _plain(escaped: bytes) -> bytes:
    plain, mark = bytearray(), 0
    for byte in escaped:
        if mark:
            if (mark, byte) not in MEANT:
                raise ValueError(f"{mark:02X} {byte:02X} means nothing")
            plain.append(MEANT[mark, byte])
            mark = 0
        elif byte in (0xA6, 0x5B):
            mark = byte
        else:
            plain.append(byte)
    if mark:
        raise ValueError("ends within an escape")
    return bytes(plain)


def _frame(packet: bytes) -> Frame:
    cursor = _Cursor(packet)
    to, sender, reserved = cursor.number(2), cursor.number(2), cursor.raw(3)
    barcode = cursor.raw(16) if cursor.number() & 1 else b""
    check, display, device, version = (cursor.number() for _ in range(4))
    data = cursor.raw(cursor.number(2))
    written = cursor.number(2)
    cursor.end()
    if version != VERSION or len(data) < 2:
        raise ValueError("another protocol")
    if written != _check(check, packet[:-2], written):
        raise ValueError("wrong sum")
    return Frame(to, sender, reserved, barcode, check, display, device, data)


def _check(mode: int, packet: bytes, written: int = 0) -> int:
    """What the last two bytes have to be; mode 2 takes any."""
    if mode == CHECKED_BY_CRC:
        return arc(packet)
    if mode == CHECKED_BY_SUM:
        return sum(packet) & 0xFFFF
    if mode == UNCHECKED:
        return written
    raise ValueError(f"check mode {mode} is none of three")


def packets(line: bytes) -> list[Packet]:
    """Every whole frame of a line, without what is alike in all headers."""
    return [Packet(frame.to, frame.sender, frame.data[:2].hex(), frame.data[2:]) for frame in frames(line)]


def build(to: int, sender: int, command: str, rest: bytes, check: int = CHECKED_BY_CRC) -> bytes:
    """A frame as a PC or a card of any kind sends it: no barcode, normal display, device FE."""
    data = bytes.fromhex(command) + rest
    head = [*_pair(to), *_pair(sender), 0, 0, 0, 0, check, 0, 0xFE, VERSION, *_pair(len(data))]
    packet = bytes(head) + data
    packet += bytes(_pair(_check(check, packet)))
    marks = {meant: bytes(pair) for pair, meant in MEANT.items()}
    return LEAD * 8 + b"".join(marks.get(byte, bytes((byte,))) for byte in packet) + TAIL


def _pair(value: int) -> tuple[int, int]:
    return value & 0xFF, value >> 8


def _dots(value: int) -> int:
    return value & 0x7FFF if value & 0x8000 else value * 8


def wants_answer(rest: bytes) -> bool:
    """The third byte of a command: 01 asks for an answer, 02 does not."""
    return {1: True, 2: False}[rest[0]]


def counted(rest: bytes) -> bool:
    """Whether the two bytes after that hold the length of the parameters, as older programs write; the table reserves them."""
    return int.from_bytes(rest[1:3], "little") == len(rest) - 3 > 0


def update(rest: bytes) -> Update:
    """What A3 06 deletes and shows."""
    cursor = _Cursor(rest[3:])
    count = cursor.number()
    delete = None if count == 0xFF else tuple(cursor.raw(count))
    shown = [_area(_Cursor(cursor.raw(cursor.number(2)))) for _ in range(cursor.number())]
    cursor.end()
    return Update(delete, shown)


def areas(rest: bytes) -> list[Area]:
    """What A3 06 shows."""
    return update(rest).areas


def _area(cursor: _Cursor) -> Area:
    if kind := cursor.number():
        raise ValueError(f"area type {kind} is not text")
    x, y, width, height = (cursor.number(2) for _ in range(4))
    number, line_gap, run_mode, timeout_s = cursor.number(), cursor.number(), cursor.number(), cursor.number(2)
    voice = _voice(cursor)
    layout = None
    if extension := cursor.number():
        if extension > 1:
            raise ValueError(f"an extension of {extension} is published nowhere")
        cursor.raw(1)
        layout = cursor.number()
    align, single, wrap, show, leave, speed, stay = (cursor.number() for _ in range(7))
    text = cursor.raw(cursor.number(4)).decode("gbk")
    cursor.end()
    one_line, breaks = {1: True, 2: False}[single], {1: False, 2: True}[wrap]
    return Area(
        number, x, y, width, height, text, line_gap, run_mode, timeout_s, voice, layout, align, one_line, breaks,
        show, leave, speed, stay,
    )  # fmt: skip


def _voice(cursor: _Cursor) -> Voice | None:
    mode = cursor.number()
    if mode == 0:
        return None
    if mode > 2:
        raise ValueError(f"voice {mode} is none of three")
    who, volume, speed = cursor.number(), cursor.number(), cursor.number()
    text = cursor.raw(cursor.number(4)).decode("gbk") if mode == 2 else None
    return Voice(who & 15, who >> 4, volume, speed, text)


def brightness(rest: bytes) -> int:
    """A3 02 set by hand: 0 to 15. What follows the level, a table of 48 half hours, holds in the other mode only."""
    cursor = _Cursor(rest[3:])
    mode, level = cursor.number(), cursor.number()
    if mode != 1 or level > 15 or len(cursor.rest()) not in (0, 48):
        raise ValueError("no brightness set by hand")
    return level


def power(rest: bytes) -> bool:
    """A3 00: on or off."""
    if len(rest) != 4:
        raise ValueError("no power command")
    return _on(rest[3])


def _on(byte: int) -> bool:
    if byte not in (1, 2):
        raise ValueError(f"{byte} is neither on nor off")
    return byte == 1


def clock(rest: bytes) -> str:
    """A2 03: the time it sets."""
    return _clock(rest[3:])


def _clock(bcd: bytes) -> str:
    """Year's end, century, month, day, hour, minute, second, weekday from Monday 1 to Sunday 7, in BCD."""
    year, century, month, day, hour, minute, second, weekday = (int(f"{byte:02x}") for byte in bcd)
    moment = datetime(century * 100 + year, month, day, hour, minute, second)  # noqa: DTZ001 - a card has local time
    if moment.isoweekday() != weekday:
        raise ValueError(f"{moment:%Y-%m-%d} is not weekday {weekday}")
    return f"{moment}"


def answer(packet: Packet) -> Answer | None:
    """What a card says of a command; None for another answer. Its error stands where a command's flag does."""
    if packet.command not in ("a000", "a001"):
        return None
    error = _Cursor(packet.rest).number()
    return Answer(packet.command == "a000", error)


def status(rest: bytes) -> Status:
    """How a card is. Error byte and two reserved ones stand before it as in each answer."""
    cursor = _Cursor(rest[3:])
    on, level, moment = _on(cursor.number()), cursor.number(), _clock(cursor.raw(8))
    programs, playing = cursor.number(), cursor.raw(4)
    special = (cursor.number(), cursor.number())
    shown = tuple(cursor.raw(cursor.number()))
    barcode, network = cursor.raw(16), cursor.raw(12)
    cursor.end()
    names = [name.rstrip(b"\0 ").decode("ascii") for name in (playing, barcode, network)]
    return Status(on, level, moment, programs, names[0], special, shown, names[1], names[2])
