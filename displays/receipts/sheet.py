"""A sheet of ESC/POS: python-escpos lays out, our run encoder writes the text (HARDWARE 4.3); pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from escpos.capabilities import Profile
from escpos.constants import QR_ECLEVEL_M
from escpos.printer import Dummy
from PIL import Image

from displays.receipts.model import PrinterProfile
from displays.receipts.raster import CELL_DOTS, qr_beside, qr_image, rule_image, text_image
from displays.receipts.text import CHINESE_OFF, balanced, cells, plain, printable, runs, sentences, wrap

ASK_PRINTED: Final = b"\x1dr\x01"
"""GS r 1 goes through the print buffer: its answer proves that all before it was printed (HARDWARE 4.1)."""
KIOSK_CUT: Final = b"\x1bi"
LEADING_DOTS: Final = 8
QR_MODULE_DOTS: Final = 6


@dataclass(frozen=True, slots=True)
class Size:
    """Multiples of the 12×24 dots of plain text."""

    wide: int = 1
    high: int = 1

    def columns(self, profile: PrinterProfile) -> int:
        """Half-width cells in a line."""
        return profile.columns // self.wide


PLAIN: Final = Size()
TALL: Final = Size(1, 2)
BIG: Final = Size(2, 2)


class _Width(Profile):  # type: ignore[misc]  # python-escpos is untyped
    """What python-escpos must know of a printer: its width and that it cuts."""

    def __init__(self, dots: int) -> None:
        super().__init__()
        data: dict[str, object] = self.profile_data  # type: ignore[has-type]
        self.profile_data = {**data, "media": {"dpi": 203, "width": {"mm": dots / 8, "pixels": dots}}}


class Sheet:
    """One paper in the making; `finish` gives its bytes."""

    def __init__(self, profile: PrinterProfile) -> None:
        self.profile = profile
        self._dummy = Dummy(profile=_Width(profile.dots))
        self._dummy.hw("INIT")
        # Some units are switched on in Chinese mode (HARDWARE 4.2): begin in a known one.
        self._raw(CHINESE_OFF)
        if profile.margin_dots:
            self._raw(b"\x1dL" + profile.margin_dots.to_bytes(2, "little"))
            self._raw(b"\x1dW" + profile.width_dots.to_bytes(2, "little"))

    def _raw(self, data: bytes) -> None:
        self._dummy._raw(data)

    def text(self, text: str, size: Size = PLAIN, *, bold: bool = False) -> None:
        """Lines of text, wrapped at the paper's width, as even as they come."""
        columns = size.columns(self.profile)
        for sentence in sentences(plain(text), columns):
            for line in balanced(sentence, columns):
                self.line(line, size, bold=bold)

    def together(self, *parts: str) -> None:
        """Parts in one line where they fit, else each on its own."""
        line = "  ".join(plain(part) for part in parts if part)
        for text in [line] if cells(line) <= self.profile.columns else parts:
            self.text(text)

    def fit(self, text: str, sizes: Sequence[tuple[Size, int]], *, bold: bool = False) -> None:
        """`text` at the first size that takes at most so many lines, else at the last."""
        for size, most in sizes:
            if len(wrap(plain(text), size.columns(self.profile))) <= most:
                break
        self.text(text, size, bold=bold)

    def line(self, line: str, size: Size = PLAIN, *, bold: bool = False, reverse: bool = False) -> None:
        """One line that fits; a line with a character that the printer lacks is drawn (HARDWARE 4.3)."""
        self._dummy.line_spacing(min(255, size.high * 24 + LEADING_DOTS))
        if not printable(line, self.profile.charset):
            self.image(text_image(line, size.wide, size.high, bold))
            self.gap(LEADING_DOTS)
            return
        self._dummy.set(align="left", bold=bold, custom_size=True, width=size.wide, height=size.high)
        self._hanzi_size(size)
        if reverse and self.profile.reverse:
            self._dummy.set(invert=True)
        self._raw(runs(line, self.profile.charset) + b"\n")
        if reverse and self.profile.reverse:
            self._dummy.set(invert=False)

    def _hanzi_size(self, size: Size) -> None:
        """GS ! enlarges no hanzi on many models: say it in hanzi's own commands too (HARDWARE 4.2)."""
        match self.profile.hanzi_size:
            case "fs!":
                self._raw(bytes((0x1C, 0x21, (0x04 if size.wide > 1 else 0) | (0x08 if size.high > 1 else 0))))
            case "fsw":
                self._raw(bytes((0x1C, 0x57, int(size == BIG))))
            case "none":
                pass

    def number(self, number: str) -> None:
        """The ticket's number, as large as the paper takes; the printer's own figures, so that the bytes stay text."""
        largest = self.profile.largest
        wide = max(1, min(largest, self.profile.columns // cells(number)))
        self.line(number, Size(wide, largest), bold=True)

    def image(self, image: Image.Image) -> None:
        """A picture at the left edge."""
        self._dummy.set(align="left")
        self._dummy.image(image, impl="bitImageRaster", center=False)

    def rule(self, dots: int = 2) -> None:
        """A line across the paper with air around it."""
        self.gap(10)
        self.image(rule_image(self.profile.width_dots, dots))
        self.gap(14)

    def gap(self, dots: int) -> None:
        """Feed this many dots (ESC J)."""
        self._raw(b"\x1bJ" + bytes((dots,)))

    def code(self, url: str, *hints: str) -> None:
        """A QR code and what it is for: beside it when we draw, under it when the printer does."""
        if self.profile.qr == "native":
            self.native_code(url)
            for hint in hints:
                self.text(hint)
            return
        room = self.profile.columns - (qr_image(url, 208).width + 24 + CELL_DOTS - 1) // CELL_DOTS
        beside = [line for hint in hints for line in balanced(plain(hint), room)]
        self.image(qr_beside(url, beside, self.profile.width_dots))
        self.gap(10)

    def native_code(self, url: str) -> None:
        """A code that the printer draws."""
        self._dummy.set(align="left")
        self._dummy.qr(url, ec=QR_ECLEVEL_M, size=QR_MODULE_DOTS, native=True)
        self.gap(10)

    def drawn_code(self, url: str) -> None:
        """A code that we draw."""
        self.image(qr_image(url, 208))

    def finish(self) -> bytes:
        """The whole paper: cut, then the question whose answer proves the printing."""
        match self.profile.cut:
            case "partial":
                self._dummy.cut("PART", feed=False)
            case "full":
                self._dummy.print_and_feed(self.profile.feed_lines)
                self._raw(b"\x1dV\x00")
            case "kiosk":
                self._dummy.print_and_feed(self.profile.feed_lines)
                self._raw(KIOSK_CUT)
            case "none":
                self._dummy.print_and_feed(self.profile.feed_lines)
        self._raw(ASK_PRINTED)
        output: bytes = self._dummy.output
        return output
