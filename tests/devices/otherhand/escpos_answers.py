"""What ticket printers answer, read from the status tables of HARDWARE 4.1 and from nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.devices.otherhand import Noise, Skipped


@dataclass(frozen=True, slots=True)
class PrinterStatus:
    """DLE EOT 1."""

    drawer_high: bool
    offline: bool
    waiting_recovery: bool
    feed_pressed: bool


@dataclass(frozen=True, slots=True)
class OfflineCause:
    """DLE EOT 2."""

    cover_open: bool
    fed_by_button: bool
    paper_end: bool
    error: bool


@dataclass(frozen=True, slots=True)
class ErrorCause:
    """DLE EOT 3."""

    recoverable: bool
    cutter: bool
    unrecoverable: bool
    recovers_itself: bool


@dataclass(frozen=True, slots=True)
class PaperStatus:
    """DLE EOT 4 by its masks 0C and 60, or the answer to GS r 1 by its masks 03 and 0C."""

    near_end: bool
    end: bool
    after_printing: bool


@dataclass(frozen=True, slots=True)
class Asb:
    """The four bytes a printer sends by itself when something changes; the fourth depends on the model."""

    printer: PrinterStatus
    cover_open: bool
    fed_by_button: bool
    error: ErrorCause
    near_end: bool
    end: bool


@dataclass(frozen=True, slots=True)
class FullStatus:
    """`10 0F p u r n` of kiosk printers."""

    no_paper: bool
    near_end: bool
    ticket_at_output: bool
    cover_open: bool
    motor: bool
    head_temperature: bool
    line_error: bool
    voltage: bool
    jam: bool
    cutter: bool


@dataclass(frozen=True, slots=True)
class EjectorStatus:
    """The byte after GS e 06."""

    near_end: bool
    near_end_sensor: bool
    ticket_at_output: bool
    motor: bool
    ejector: bool
    error: bool
    jam: bool


@dataclass(frozen=True, slots=True)
class Unasked:
    """A byte with the fixed bits of a DLE EOT answer, but nobody knows to which of the four."""

    byte: int


@dataclass(frozen=True, slots=True)
class Flow:
    """XON or XOFF."""

    go: bool


Answer = (
    PrinterStatus
    | OfflineCause
    | ErrorCause
    | PaperStatus
    | Asb
    | FullStatus
    | EjectorStatus
    | Unasked
    | Flow
    | Skipped
)
REAL_TIME = ("printer", "offline cause", "error cause", "paper")


def status(what: str, byte: int) -> PrinterStatus | OfflineCause | ErrorCause | PaperStatus:
    """The answer to DLE EOT n, n by its name; fixed bits are not looked at, some models leave them out."""
    two, three, five, six = bool(byte & 0x04), bool(byte & 0x08), bool(byte & 0x20), bool(byte & 0x40)
    match what:
        case "printer":
            return PrinterStatus(two, three, five, six)
        case "offline cause":
            return OfflineCause(two, three, five, six)
        case "error cause":
            return ErrorCause(two, three, five, six)
    return PaperStatus(bool(byte & 0x0C), bool(byte & 0x60), after_printing=False)


def decode_answers(data: bytes, asked: Sequence[str] = ()) -> list[Answer]:
    """What the printer says; `asked` names the requests still open in their order, as `escpos.Asked.what` does."""
    found: list[Answer] = []
    noise = Noise()
    open_requests = list(asked)
    at = 0
    while at < len(data):
        answer, size = _one(data[at : at + 6], open_requests)
        if isinstance(answer, str):
            noise.take(data[at : at + size], answer)
        else:
            found += noise.flush()
            found.append(answer)
        at += size
    return found + noise.flush()


def _one(data: bytes, asked: list[str]) -> tuple[Answer | str, int]:
    """The first answer, or why the first bytes are none, and their number."""
    byte = data[0]
    first = asked[0] if asked else ""
    if first == "ejector status":
        asked.pop(0)
        return _ejector(byte), 1
    if byte in (0x11, 0x13):
        return Flow(byte == 0x11), 1
    if byte & 0x93 == 0x12:
        what = next((name for name in asked if name in REAL_TIME), "")
        if what:
            asked.remove(what)
        return (status(what, byte) if what else Unasked(byte)), 1
    if byte & 0x93 == 0x10:
        return _several(data, asked)
    if byte & 0x90:
        return "no answer", 1
    if first in REAL_TIME:
        return status(asked.pop(0), byte), 1
    if "paper after printing" in asked:
        asked.remove("paper after printing")
    return PaperStatus(bool(byte & 0x03), bool(byte & 0x0C), after_printing=True), 1


def _several(data: bytes, asked: list[str]) -> tuple[Answer | str, int]:
    """A full status, or the four bytes of an ASB. `10 0F` begins both: as an ASB it would be online with every error."""
    if data[:2] == b"\x10\x0f" and len(data) == 6:
        if "full status" in asked:
            asked.remove("full status")
        return _full(data[2:]), 6
    if len(data) < 4:
        return "cut short", 1
    first, second, third = data[0], data[1], data[2]
    if any(byte & 0x90 for byte in data[1:4]):
        return "no answer", 1
    printer = PrinterStatus(bool(first & 4), bool(first & 8), bool(second & 1), bool(second & 2))
    error = ErrorCause(bool(second & 4), bool(second & 8), bool(second & 0x20), bool(second & 0x40))
    return Asb(printer, bool(first & 0x20), bool(first & 0x40), error, bool(third & 3), bool(third & 0x0C)), 4


def _full(data: bytes) -> FullStatus:
    paper, user, recoverable, fatal = data
    return FullStatus(
        no_paper=bool(paper & 0x01),
        near_end=bool(paper & 0x04),
        ticket_at_output=bool(paper & 0x20),
        cover_open=bool(user & 0x03),
        motor=bool(user & 0x08),
        head_temperature=bool(recoverable & 0x01),
        line_error=bool(recoverable & 0x02),
        voltage=bool(recoverable & 0x08),
        jam=bool(recoverable & 0x40),
        cutter=bool(fatal & 0x01),
    )


def _ejector(byte: int) -> EjectorStatus:
    return EjectorStatus(
        near_end=bool(byte & 0x01),
        near_end_sensor=bool(byte & 0x04),
        ticket_at_output=bool(byte & 0x08),
        motor=bool(byte & 0x10),
        ejector=bool(byte & 0x20),
        error=bool(byte & 0x40),
        jam=bool(byte & 0x80),
    )
