"""ESC/POS as a ticket printer's bytes go, read from HARDWARE 4 and, where it names no code, Epson's published manual."""

from dataclasses import dataclass, field, replace

from tests.devices.otherhand import Skipped

ALIGNED = {0: "left", 1: "centre", 2: "right", 48: "left", 49: "centre", 50: "right"}
RASTER_MODES = (0, 1, 2, 3, 48, 49, 50, 51)
STATUS = {1: "printer", 2: "offline cause", 3: "error cause", 4: "paper"}
LEVELS = {48: "L", 49: "M", 50: "Q", 51: "H"}
SYSTEMS = ("UPC-A", "UPC-E", "EAN13", "EAN8", "CODE39", "ITF", "CODABAR", "CODE93", "CODE128")
EJECTOR = {0x02: "retract", 0x03: "present", 0x05: "eject", 0x12: "continuous off", 0x14: "continuous on"}
EJECTOR |= {0x20: "present for a time"}
EJECTOR_ARGUMENTS = {0x03: 1, 0x20: 2}
# What follows the two bytes of a command whose length never varies, and the name of what it sets.
FIXED: dict[bytes, tuple[int, str]] = {
    b"\x1b@": (0, "init"),
    b"\x1b!": (1, "mode"),
    b"\x1ba": (1, "align"),
    b"\x1bE": (1, "bold"),
    b"\x1bG": (1, "double strike"),
    b"\x1b-": (1, "underline"),
    b"\x1bd": (1, "feed lines"),
    b"\x1bJ": (1, "feed dots"),
    b"\x1bi": (0, "ESC i"),
    b"\x1bm": (0, "ESC m"),
    b"\x1bt": (1, "code page"),
    b"\x1bM": (1, "font"),
    b"\x1b2": (0, "usual line spacing"),
    b"\x1b3": (1, "line spacing"),
    b"\x1b$": (2, "position"),
    b"\x1c&": (0, "chinese on"),
    b"\x1c.": (0, "chinese off"),
    b"\x1c!": (1, "hanzi mode"),
    b"\x1cW": (1, "hanzi quadruple"),
    b"\x1cC": (1, "code system"),
    b"\x1c-": (1, "hanzi underline"),
    b"\x1d!": (1, "size"),
    b"\x1dB": (1, "inverse"),
    b"\x1dh": (1, "barcode height"),
    b"\x1dw": (1, "barcode module"),
    b"\x1dH": (1, "barcode text"),
    b"\x1dL": (2, "left margin"),
    b"\x1dW": (2, "width"),
    b"\x1da": (1, "asb"),
    b"\x1dr": (1, "transmit"),
    b"\x1d\xe0": (1, "automatic full status"),
    b"\x10\x04": (1, "real time"),
}


@dataclass(frozen=True, slots=True)
class Style:
    """How what follows is printed. Sizes are (times wide, times high); hanzi obey FS ! and FS W, the rest GS ! (4.2)."""

    align: str = "left"
    size: tuple[int, int] = (1, 1)
    hanzi_size: tuple[int, int] = (1, 1)
    bold: bool = False
    underline: bool = False
    inverse: bool = False


@dataclass(frozen=True, slots=True)
class Started:
    """ESC @: everything as at power-up."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting by name; the style of the texts after it says what it did, if it is one of style."""

    name: str
    value: int


@dataclass(frozen=True, slots=True)
class Text:
    """Characters of one kind in one style: ASCII, or two-byte hanzi in Chinese mode."""

    text: str
    hanzi: bool
    style: Style


@dataclass(frozen=True, slots=True)
class Fed:
    """Print what is in the line and feed."""

    lines: int = 0
    dots: int = 0


@dataclass(frozen=True, slots=True)
class Cut:
    """`partial` is None for ESC i and ESC m: the table does not say which of them cuts through."""

    partial: bool | None
    command: str
    feed: int | None = None


@dataclass(frozen=True, slots=True)
class Raster:
    """GS v 0: rows of dots, most significant bit leftmost; `mode` bit 0 twice as wide, bit 1 twice as high."""

    width_px: int
    height_px: int
    rows: bytes
    mode: int
    style: Style


@dataclass(frozen=True, slots=True)
class QrCode:
    """A QR code as printed: what was stored, and what was set before."""

    data: bytes
    model: int | None
    module_dots: int | None
    level: str | None
    style: Style


@dataclass(frozen=True, slots=True)
class Barcode:
    """GS k, either form."""

    system: str
    data: bytes
    style: Style


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that is answered: one of STATUS, 'full status', 'paper after printing', 'ejector status'."""

    what: str


@dataclass(frozen=True, slots=True)
class AsbSet:
    """GS a n: tell of changes of these by itself."""

    drawer: bool
    online: bool
    error: bool
    paper: bool


@dataclass(frozen=True, slots=True)
class Ejected:
    """GS e n: what the presenter does; for 'present' the steps, then the time if there is one."""

    action: str
    arguments: bytes


Item = Started | Setting | Text | Fed | Cut | Raster | QrCode | Barcode | Asked | AsbSet | Ejected | Skipped


def decode(data: bytes, *, chinese_at_power_up: bool = False) -> list[Item]:
    """What a printer does with these bytes from power-up on; some models power up in Chinese mode (4.2)."""
    page = _Page(data, chinese_at_power_up, chinese_at_power_up)
    while page.at < len(data):
        page.step()
    return page.items


@dataclass(slots=True)
class _Page:
    data: bytes
    chinese_at_power_up: bool
    chinese: bool
    at: int = 0
    items: list[Item] = field(default_factory=list)
    style: Style = Style()
    qr: dict[str, int] = field(default_factory=dict)
    stored: bytes | None = None

    def step(self) -> None:
        """Take at least one byte."""
        byte = self.data[self.at]
        if byte in (0x10, 0x1B, 0x1C, 0x1D):
            self.command()
        elif byte == 0x0A:
            self.at += 1
            self.items.append(Fed(lines=1))
        else:
            self.character()

    def skip(self, size: int, reason: str) -> None:
        """Pass over bytes; neighbours with the same reason are one."""
        gone = self.data[self.at : self.at + size]
        self.at += size
        last = self.items[-1] if self.items else None
        if isinstance(last, Skipped) and last.reason == reason:
            self.items[-1] = Skipped(last.data + gone, reason)
        else:
            self.items.append(Skipped(gone, reason))

    def character(self) -> None:
        """One character of text, or one byte that is none."""
        byte = self.data[self.at]
        if 0x20 <= byte < 0x7F:
            self.text(chr(byte), 1, hanzi=False)
        elif byte < 0x80:
            self.skip(1, "control byte")
        elif not self.chinese:
            self.skip(1, "above 7F outside Chinese mode")
        else:
            self.hanzi()

    def hanzi(self) -> None:
        """Two bytes of Chinese mode; four-byte GB18030 prints rubbish (4.2)."""
        pair = self.data[self.at : self.at + 2]
        if not 0x81 <= pair[0] <= 0xFE:
            self.skip(1, "no lead byte")
        elif len(pair) < 2:
            self.skip(1, "cut short")
        elif 0x30 <= pair[1] <= 0x39:
            self.skip(4, "four-byte GB18030")
        elif not (0x40 <= pair[1] <= 0xFE and pair[1] != 0x7F):
            self.skip(1, "half a character")
        else:
            character = pair.decode("gb18030", "replace")
            if len(character) != 1 or character == "\ufffd" or 0xE000 <= ord(character) <= 0xF8FF:
                self.skip(2, "no GBK character")
            else:
                self.text(character, 2, hanzi=True)

    def text(self, character: str, size: int, *, hanzi: bool) -> None:
        """Add to the run before it, if it is of the same kind and style."""
        self.at += size
        last = self.items[-1] if self.items else None
        if isinstance(last, Text) and (last.hanzi, last.style) == (hanzi, self.style):
            self.items[-1] = replace(last, text=last.text + character)
        else:
            self.items.append(Text(character, hanzi, self.style))

    def command(self) -> None:
        """A command: of fixed length, or one that says its own."""
        code = self.data[self.at : self.at + 2]
        if code in FIXED:
            size, name = FIXED[code]
            arguments = self.data[self.at + 2 : self.at + 2 + size]
            if len(arguments) < size:
                self.skip(len(self.data) - self.at, "cut short")
            elif not self.fixed(name, arguments):
                self.skip(2 + size, f"no such {name}")
            else:
                self.at += 2 + size
            return
        sized = {b"\x1dV": self.cut, b"\x1dv": self.raster, b"\x1d(": self.function}
        sized |= {b"\x1dk": self.barcode, b"\x1de": self.ejector}
        if code in sized:
            # Nothing a printer reads can tell it that the rest of a command will not come: it all belongs to it.
            if not sized[code](self.data[self.at + 2 :]):
                self.skip(len(self.data) - self.at, "cut short")
        else:
            self.skip(len(code), "cut short" if len(code) < 2 else "unknown command")

    def fixed(self, name: str, arguments: bytes) -> bool:
        """Do a command of fixed length; False if its argument has no meaning."""
        n = int.from_bytes(arguments, "little")
        item: Item | None = Setting(name, n)
        match name:
            case "init":
                item, self.style, self.chinese = Started(), Style(), self.chinese_at_power_up
                self.qr, self.stored = {}, None
            case "align":
                self.style = replace(self.style, align=ALIGNED.get(n, self.style.align))
                item = item if n in ALIGNED else None
            case "feed lines" | "feed dots":
                item = Fed(lines=n) if name == "feed lines" else Fed(dots=n)
            case "ESC i" | "ESC m":
                item = Cut(None, name)
            case "chinese on" | "chinese off":
                self.chinese = name == "chinese on"
            case "real time":
                item = Asked("full status" if n == 0x14 else STATUS[n]) if n == 0x14 or n in STATUS else None
            case "transmit":
                item = Asked("paper after printing") if n in (1, 49) else None
            case "asb":
                item = AsbSet(bool(n & 1), bool(n & 2), bool(n & 4), bool(n & 8))
            case _:
                self.style = _styled(self.style, name, n)
        if item is None:
            return False
        self.items.append(item)
        return True

    def cut(self, rest: bytes) -> bool:
        """GS V m, GS V m n. False here and below: the command is cut short."""
        if not rest:
            return False
        if rest[0] in (0, 1, 48, 49):
            self.items.append(Cut(bool(rest[0] & 1), "GS V"))
            self.at += 3
        elif rest[0] in (65, 66):
            if len(rest) < 2:
                return False
            self.items.append(Cut(rest[0] == 66, "GS V", rest[1]))
            self.at += 4
        else:
            self.skip(3, "no such cut")
        return True

    def raster(self, rest: bytes) -> bool:
        """GS v 0 m xL xH yL yH d: x is bytes in a row, y rows."""
        if (rest and rest[0] != 0x30) or (len(rest) > 1 and rest[1] not in RASTER_MODES):
            self.skip(2, "unknown command")
            return True
        if len(rest) < 6:
            return False
        across, high = int.from_bytes(rest[2:4], "little"), int.from_bytes(rest[4:6], "little")
        rows = rest[6 : 6 + across * high]
        if len(rows) < across * high:
            return False
        self.items.append(Raster(across * 8, high, rows, rest[1] & 3, self.style))
        self.at += 8 + len(rows)
        return True

    def function(self, rest: bytes) -> bool:
        """GS ( k pL pH 31 fn …: a QR code, step by step; every other function is passed over whole."""
        size = 3 + int.from_bytes(rest[1:3], "little")
        if len(rest) < 3 or len(rest) < size:
            return False
        body = rest[3:size]
        if rest[0] != ord("k") or body[:1] != b"1" or len(body) < 3:
            self.skip(2 + size, "unknown function")
            return True
        self.at += 2 + size
        match body[1]:
            case 65 | 67 | 69:
                self.qr[{65: "model", 67: "module", 69: "level"}[body[1]]] = body[2]
            case 80:
                self.stored = body[3:]
            case 81 if self.stored is not None:
                model, level = self.qr.get("model"), LEVELS.get(self.qr.get("level", 0))
                dots = self.qr.get("module")
                self.items.append(QrCode(self.stored, model and model - 48, dots, level, self.style))
            case _:
                self.at -= 2 + size
                self.skip(2 + size, "no such step of a QR code")
        return True

    def barcode(self, rest: bytes) -> bool:
        """GS k m d… NUL (m 0..6), GS k m n d… (m 65..73)."""
        if not rest:
            return False
        if rest[0] <= 6:
            end = rest.find(b"\0", 1)
            found, size, whole = rest[1:end], end + 1, end > 0
        elif 65 <= rest[0] <= 73:
            size = 2 + (rest[1] if len(rest) > 1 else 0)
            found, whole = rest[2:size], 1 < len(rest) >= size
        else:
            self.skip(3, "no such barcode")
            return True
        if whole:
            self.items.append(Barcode(SYSTEMS[rest[0] % 65], found, self.style))
            self.at += 2 + size
        return whole

    def ejector(self, rest: bytes) -> bool:
        """GS e n …"""
        size = 1 + EJECTOR_ARGUMENTS.get(rest[0], 0) if rest else 1
        if len(rest) < size:
            return False
        if rest[0] == 0x06:
            self.items.append(Asked("ejector status"))
        elif rest[0] in EJECTOR:
            self.items.append(Ejected(EJECTOR[rest[0]], rest[1:size]))
        else:
            self.skip(3, "no such ejector command")
            return True
        self.at += 2 + size
        return True


def _styled(style: Style, name: str, n: int) -> Style:
    """What a setting does to the style."""
    match name:
        case "mode":
            size = (2 if n & 0x20 else 1, 2 if n & 0x10 else 1)
            return replace(style, size=size, bold=bool(n & 0x08), underline=bool(n & 0x80))
        case "size":
            return replace(style, size=((n >> 4 & 7) + 1, (n & 7) + 1))
        case "hanzi mode":
            return replace(style, hanzi_size=(2 if n & 4 else 1, 2 if n & 8 else 1))
        case "hanzi quadruple":
            return replace(style, hanzi_size=(2, 2) if n & 1 else (1, 1))
        case "bold":
            return replace(style, bold=bool(n & 1))
        case "underline":
            return replace(style, underline=n in (1, 2, 49, 50))
        case "inverse":
            return replace(style, inverse=bool(n & 1))
    return style
