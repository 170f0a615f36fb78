"""FF68 keypads and rating devices, read from the tables of HARDWARE 1.1 and 2.1 and from nothing else."""

from dataclasses import dataclass

from tests.devices.otherhand import Noise, Skipped

KEYS = {
    0x0A: "start",
    0x0B: "wait",
    0x0C: "call",
    0x0D: "recall",
    0x0E: "cancel",
    0x0F: "function",
    0x11: "one metre",
    0x12: "pause",
    0x13: "transfer",
}
BLANK = 0x0A
LEVELS = range(5)
STARS = range(6)


@dataclass(frozen=True, slots=True)
class Frame:
    """`[FF] 68 L L 68 ADDR FUNC DATA CHK 16` with everything in it checked; `lead` says whether FF stood before it."""

    address: int
    function: int
    data: bytes
    lead: bool


@dataclass(frozen=True, slots=True)
class Pressed:
    """Keypad to host: digits typed ('' for none), then a key."""

    address: int
    digits: str
    key: str


@dataclass(frozen=True, slots=True)
class Rated:
    """Rating device to host: the level byte as it is, 0..4; what it means is a table of the device."""

    address: int
    level: int


@dataclass(frozen=True, slots=True)
class EchoedKey:
    """Host to keypad: the frame of a press, sent back unchanged as its acknowledgement."""

    address: int
    digits: str
    key: str


@dataclass(frozen=True, slots=True)
class StartEvaluation:
    """Host to rating device: please rate. Below 0x80 the same bytes may be the echo of the keypad's own key (7.5)."""

    address: int
    or_echoed_key: bool


@dataclass(frozen=True, slots=True)
class RatingTaken:
    """Host to rating device: variant A says the level again, variant B says nothing and has no FF before it."""

    address: int
    variant: str
    level: int | None


@dataclass(frozen=True, slots=True)
class Shown:
    """Host to device, FUNC 02: every reading the tables allow. Cells: a digit each, '_' blank; None: not this reading."""

    address: int
    cells: str | None
    success: bool | None
    stars: int | None


@dataclass(frozen=True, slots=True)
class Beeped:
    """Host to keypad: beep."""

    address: int


@dataclass(frozen=True, slots=True)
class Unlisted:
    """A frame whose sum is right and whose content stands in no table."""

    address: int
    function: int
    data: bytes


FromDevice = Pressed | Rated | Unlisted | Skipped
FromHost = EchoedKey | StartEvaluation | RatingTaken | Shown | Beeped | Unlisted | Skipped


def decode(data: bytes) -> list[FromHost]:
    """What a host says with these bytes."""
    return [item if isinstance(item, Skipped) else _from_host(item) for item in frames(data)]


def decode_answers(data: bytes) -> list[FromDevice]:
    """What keypads and rating devices say with these bytes."""
    return [item if isinstance(item, Skipped) else _from_device(item) for item in frames(data)]


def frames(data: bytes) -> list[Frame | Skipped]:
    """Find `68 L L 68`, L equal twice, L+2 more bytes, CHK, 16; on failure go on one byte further (1.1)."""
    found: list[Frame | Skipped] = []
    noise = Noise()
    at = 0
    while at < len(data):
        reason = _wrong(data, at)
        if reason:
            noise.take(data[at : at + 1], reason)
            at += 1
            continue
        length = data[at + 1]
        lead = noise.drop_lead(0xFF)
        found += noise.flush()
        found.append(Frame(data[at + 4], data[at + 5], data[at + 6 : at + 4 + length], lead))
        at += length + 6
    return found + noise.flush()


def _wrong(data: bytes, at: int) -> str:
    """Why no frame begins here; '' if one does."""
    if data[at] != 0x68:
        return "no frame"
    head = data[at : at + 4]
    if len(head) < 4:
        return "cut short"
    if head[3] != 0x68 or head[1] != head[2] or head[1] < 2:
        return "no header"
    body, tail = data[at + 4 : at + 4 + head[1]], data[at + 4 + head[1] : at + 6 + head[1]]
    if len(tail) < 2:
        return "cut short"
    if tail[0] != sum(body) % 256:
        return "checksum"
    return "" if tail[1] == 0x16 else "end byte"


def _press(data: bytes) -> tuple[str, str] | None:
    """Digits, each a byte 00..09, then one key."""
    if data and data[-1] in KEYS and all(digit <= 9 for digit in data[:-1]):
        return "".join(str(digit) for digit in data[:-1]), KEYS[data[-1]]
    return None


def _from_device(frame: Frame) -> FromDevice:
    if frame.function == 0x11 and len(frame.data) == 1 and frame.data[0] in LEVELS:
        return Rated(frame.address, frame.data[0])
    press = _press(frame.data) if frame.function == 0x01 else None
    return Pressed(frame.address, *press) if press else Unlisted(frame.address, frame.function, frame.data)


def _from_host(frame: Frame) -> FromHost:
    address, data = frame.address, frame.data
    match frame.function:
        case 0x01 if not data and not frame.lead:
            return RatingTaken(address, "B", None)
        case 0x01 if len(data) == 1 and data[0] in LEVELS:
            return RatingTaken(address, "A", data[0])
        case 0x01 if data == b"\x0b":
            return StartEvaluation(address, or_echoed_key=address <= 0x80)
        case 0x01 if press := _press(data):
            return EchoedKey(address, *press)
        case 0x02 if data and all(cell <= BLANK for cell in data):
            return _shown(address, data)
        case 0x03 if not data:
            return Beeped(address)
    return Unlisted(address, frame.function, data)


def _shown(address: int, data: bytes) -> FromHost:
    """Above 0x80 only a rating device can be meant; below, one byte alone may be a verdict, a cell or stars (7.5)."""
    stars = data[0] if len(data) == 1 and data[0] in STARS else None
    if address > 0x80:
        return Unlisted(address, 0x02, data) if stars is None else Shown(address, None, None, stars)
    if len(data) == 1 and data[0] in (0, 1):
        return Shown(address, None, data[0] == 1, stars)
    return Shown(address, "".join("_" if cell == BLANK else str(cell) for cell in data), None, stars)
