"""What an emulated printer has put on paper, and the paper as a picture to look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

import segno
from PIL import Image, ImageChops, ImageDraw, ImageFont

from devices.transport import Unavailable

FONTS: Final[Sequence[tuple[str, int]]] = (
    ("NotoSansCJK-Regular.ttc", 2),
    ("SourceHanSansSC-Regular.otf", 0),
    ("msyh.ttc", 0),
    ("simsun.ttc", 0),
    ("wqy-microhei.ttc", 0),
)
CELL: Final = 12
HEIGHT: Final = 24


@dataclass(frozen=True, slots=True)
class Look:
    """How a character is printed."""

    wide: int = 1
    high: int = 1
    bold: bool = False
    reverse: bool = False


@dataclass(frozen=True, slots=True)
class Span:
    """Characters of one look in a line."""

    text: str
    look: Look


@dataclass(frozen=True, slots=True)
class TextLine:
    """A printed line at `left`, `top` dots; `width` of the characters in dots."""

    spans: tuple[Span, ...]
    left: int
    top: int
    align: int = 0

    @property
    def text(self) -> str:
        """What can be read."""
        return "".join(span.text for span in self.spans)

    @property
    def width(self) -> int:
        """Dots from the first character to the last."""
        return sum(advance(c) * span.look.wide for span in self.spans for c in span.text)


@dataclass(frozen=True, slots=True)
class Raster:
    """A bit image, rows of whole bytes, most significant bit left, 1 black."""

    data: bytes
    width: int
    height: int
    left: int
    top: int


@dataclass(frozen=True, slots=True)
class Code:
    """A QR code that the printer drew."""

    payload: str
    module: int
    left: int
    top: int


@dataclass(slots=True)
class PrintedPaper:
    """What lies between two cuts."""

    elements: list[TextLine | Raster | Code] = field(default_factory=list)
    length: int = 0
    cut: str = ""

    @property
    def lines(self) -> list[str]:
        """Its text lines."""
        return [each.text for each in self.elements if isinstance(each, TextLine)]

    @property
    def text(self) -> str:
        """All that can be read."""
        return "\n".join(self.lines)

    @property
    def codes(self) -> list[str]:
        """Payloads of the QR codes."""
        return [each.payload for each in self.elements if isinstance(each, Code)]

    def picture(self, dots: int) -> Image.Image:
        """The paper, one pixel a dot."""
        image = Image.new("1", (dots, max(1, self.length)), 255)
        for each in self.elements:
            match each:
                case TextLine():
                    _draw_line(image, each, dots)
                case Raster():
                    bits = Image.frombytes("1", (each.width, each.height), bytes(b ^ 0xFF for b in each.data))
                    image.paste(bits, (each.left, each.top))
                case Code():
                    image.paste(code_image(each), (each.left, each.top))
        return image


def advance(character: str) -> int:
    """Dots of a character's cell."""
    return CELL if character.isascii() else 2 * CELL


def code_image(code: Code) -> Image.Image:
    """The modules of a code."""
    rows = list(segno.make_qr(code.payload, error="m", boost_error=False).matrix_iter(scale=1, border=0))
    image = Image.new("1", (len(rows), len(rows)))
    image.putdata([0 if dark else 255 for row in rows for dark in row])
    return image.resize((len(rows) * code.module,) * 2, Image.Resampling.NEAREST)


def code_dots(code: Code) -> int:
    """Width and height of a code."""
    return code_image(code).width


def _draw_line(image: Image.Image, line: TextLine, dots: int) -> None:
    left = line.left + (0, (dots - line.width) // 2, dots - line.width)[line.align]
    tallest = max((span.look.high for span in line.spans), default=1)
    for span in line.spans:
        look = span.look
        for character in span.text:
            glyph = _glyph(character, look.bold)
            if look.reverse:
                glyph = ImageChops.invert(glyph)
            glyph = glyph.resize((glyph.width * look.wide, HEIGHT * look.high), Image.Resampling.NEAREST)
            image.paste(glyph, (left, line.top + (tallest - look.high) * HEIGHT))
            left += glyph.width


@lru_cache(maxsize=4)
def _font(index: int) -> ImageFont.FreeTypeFont:
    file, face = FONTS[index]
    return ImageFont.truetype(file, 22, index=face)


@lru_cache(maxsize=2048)
def _glyph(character: str, bold: bool) -> Image.Image:
    """The printer's own font, which is whatever CJK font this machine has."""
    for index in range(len(FONTS)):
        try:
            font = _font(index)
        except OSError:
            continue
        x0, _, x1, _ = font.getbbox(character)
        cell = Image.new("1", (max(advance(character), int(x1 - x0) + 2), HEIGHT), 255)
        draw = ImageDraw.Draw(cell)
        draw.fontmode = "1"
        for shift in (0, 1) if bold else (0,):
            draw.text(((cell.width - (x1 - x0)) // 2 - x0 + shift, 20), character, font=font, anchor="ls", fill=0)
        return cell.resize((advance(character), HEIGHT), Image.Resampling.NEAREST)
    raise Unavailable("a picture of the paper needs a CJK font here: install Noto Sans CJK")
