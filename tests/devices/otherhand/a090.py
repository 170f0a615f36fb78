"""A0 90 window strips and summary boards, read from the table of HARDWARE 2.2 and from nothing else."""

from dataclasses import dataclass

from tests.devices.otherhand import Noise, Skipped

LEAD = b"\xa0\x90"
SHOW, SHOW_ROM, SET_ROM = 0xA5, 0xA1, 0xA2
COLOURS = ("red", "green", "yellow")
ANSWER_BYTES = 16
"""How far an answer of the longer, unspecified form may reach: our own bound, HARDWARE 7.5 leaves it open."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One character, ASCII or GBK, and its colour."""

    character: str
    colour: str


@dataclass(frozen=True, slots=True)
class Showed:
    """Host to board: show this text now."""

    address: int
    cells: tuple[Cell, ...]

    @property
    def text(self) -> str:
        """The characters without their colours."""
        return "".join(cell.character for cell in self.cells)


@dataclass(frozen=True, slots=True)
class RomShown:
    """Host to board: show the text in ROM."""

    address: int


@dataclass(frozen=True, slots=True)
class RomSet:
    """Host to board: keep this text in ROM."""

    address: int
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Unlisted:
    """A frame whose XOR is right and whose content stands in no table."""

    address: int
    command: int
    data: bytes
    reason: str


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """Board to host; `between` is what stands before A5 AA in the longer form, which has no table."""

    address: int
    between: bytes


FromHost = Showed | RomShown | RomSet | Unlisted | Skipped
FromBoard = Acknowledged | Skipped


def decode(data: bytes) -> list[FromHost]:
    """What a host says with these bytes: `A0 90 ADDR CMD LENH LENL DATA XOR`."""
    found: list[FromHost] = []
    noise = Noise()
    at = 0
    while at < len(data):
        reason, size = _frame(data, at)
        if reason:
            noise.take(data[at : at + 1], reason)
            at += 1
            continue
        found += noise.flush()
        found.append(_meaning(data[at + 2], data[at + 3], data[at + 6 : at + size - 1]))
        at += size
    return found + noise.flush()


def decode_answers(data: bytes) -> list[FromBoard]:
    """What boards say with these bytes: `A0 90 ADDR … A5 AA`, without a sum."""
    found: list[FromBoard] = []
    noise = Noise()
    at = 0
    while at < len(data):
        end = data.find(b"\xa5\xaa", at + 3, at + ANSWER_BYTES)
        between = data[at + 3 : end]
        if data[at : at + 2] != LEAD or end < 0 or LEAD in between:
            noise.take(data[at : at + 1], "no answer")
            at += 1
            continue
        found += noise.flush()
        found.append(Acknowledged(data[at + 2], between))
        at = end + 2
    return found + noise.flush()


def _frame(data: bytes, at: int) -> tuple[str, int]:
    """Why no frame begins here ('' if one does) and its size in bytes."""
    if not data.startswith(LEAD, at):
        return "no frame", 0
    if len(data) < at + 7:
        return "cut short", 0
    size = 7 + int.from_bytes(data[at + 4 : at + 6], "big")
    if len(data) < at + size:
        return "cut short", 0
    check = 0
    for byte in data[at + 2 : at + size - 1]:
        check ^= byte
    return ("" if check == data[at + size - 1] else "checksum"), size


def _meaning(address: int, command: int, data: bytes) -> FromHost:
    if command == SHOW_ROM and not data:
        return RomShown(address)
    if command not in (SHOW, SET_ROM):
        return Unlisted(address, command, data, "command")
    cells = _cells(data)
    if isinstance(cells, str):
        return Unlisted(address, command, data, cells)
    return Showed(address, cells) if command == SHOW else RomSet(address, cells)


def _cells(data: bytes) -> tuple[Cell, ...] | str:
    """ASCII `ch col`, GBK `hi lo col`; a sentence if the bytes do not divide so."""
    cells: list[Cell] = []
    at = 0
    while at < len(data):
        width = 1 if data[at] < 0x80 else 2
        raw, colour = data[at : at + width], data[at + width : at + width + 1]
        if not colour:
            return "the last character has no colour"
        if colour[0] >= len(COLOURS):
            return "colour"
        try:
            cells.append(Cell(raw.decode("gbk"), COLOURS[colour[0]]))
        except UnicodeDecodeError:
            return "no GBK character"
        at += width + 1
    return tuple(cells)
