"""Lines and codes drawn dot by dot, for what the printer's own font does not have; needs a CJK font on the machine."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import segno
from PIL import Image, ImageDraw, ImageFont

from displays.errors import Unavailable
from displays.receipts.text import cells

CELL_DOTS: Final = 12
LINE_DOTS: Final = 24

FONTS: Final[Sequence[tuple[str, int]]] = (
    ("NotoSansCJK-Regular.ttc", 2),
    ("SourceHanSansSC-Regular.otf", 0),
    ("msyh.ttc", 0),
    ("simsun.ttc", 0),
    ("simsunb.ttf", 0),
    ("wqy-microhei.ttc", 0),
    ("NotoSansCJKsc-Regular.otf", 0),
)
"""(file, face) of fonts on Debian, Kylin, UOS and Windows, each looked for in the system's font folders (Pillow walks them)."""

_MISSING: Final = "\U0010ffff"


@lru_cache(maxsize=32)
def _fonts(size_dots: int) -> tuple[ImageFont.FreeTypeFont, ...]:
    found = []
    for file, face in FONTS:
        try:
            found.append(ImageFont.truetype(file, size_dots, index=face))
        except OSError:
            continue
    return tuple(found)


@lru_cache(maxsize=1024)
def _glyph(character: str, size_dots: int) -> Image.Image:
    """A character in its cell (half or full width) of `size_dots` height; `Unavailable` when no font has it."""
    for font in _fonts(size_dots - size_dots // 12):
        mask = bytes(font.getmask(character, mode="1"))
        if mask and mask == bytes(font.getmask(_MISSING, mode="1")):
            continue
        width = size_dots * cells(character) // 2
        cell = Image.new("L", (width, size_dots), 255)
        left, _, right, _ = font.getbbox(character)
        ImageDraw.Draw(cell).text(
            (int((width - (right - left)) // 2 - left), size_dots - size_dots // 8), character, font=font, anchor="ls"
        )
        return cell.point(lambda value: 255 if value > 150 else 0).convert("1")
    raise Unavailable(
        f"no font here has {character} (U+{ord(character):04X}), which the printer lacks too: install Noto Sans CJK"
    )


def text_image(text: str, wide: int = 1, high: int = 1, bold: bool = False) -> Image.Image:
    """One line of text on the printer's own grid: cells of 12·wide dots, 24·high dots high."""
    image = Image.new("1", (cells(text) * CELL_DOTS * wide, LINE_DOTS * high), 255)
    left = 0
    for character in text:
        glyph = _glyph(character, LINE_DOTS * high)
        if wide != high:
            glyph = glyph.resize((CELL_DOTS * wide * cells(character), LINE_DOTS * high))
        image.paste(glyph, (left, 0))
        if bold:
            ink = _ink(glyph.crop((0, 0, glyph.width - high, glyph.height)))
            image.paste(0, (left + high, 0, left + glyph.width, glyph.height), ink)
        left += CELL_DOTS * wide * cells(character)
    return image


def _ink(image: Image.Image) -> Image.Image:
    """A mask of the black dots."""
    return image.convert("L").point(lambda value: 255 - value).convert("1")


def rule_image(width_dots: int, height_dots: int) -> Image.Image:
    """A solid line."""
    return Image.new("1", (width_dots, height_dots), 0)


def qr_image(url: str, dots: int) -> Image.Image:
    """A QR code (error level M, border 0) as large as fits `dots`, modules of whole dots; at least 3 a module."""
    rows = [
        [0 if dark else 255 for dark in row] for row in segno.make_qr(url, error="m").matrix_iter(scale=1, border=0)
    ]
    scale = max(3, dots // len(rows))
    image = Image.new("1", (len(rows), len(rows)))
    image.putdata([value for row in rows for value in row])
    return image.resize((len(rows) * scale, len(rows) * scale), Image.Resampling.NEAREST)


def qr_beside(url: str, lines: Sequence[str], width_dots: int, code_dots: int = 208) -> Image.Image:
    """A code at the left edge and lines of plain text beside it, centred on its height."""
    code = qr_image(url, code_dots)
    pitch = LINE_DOTS + 12
    height = max(code.height, len(lines) * pitch)
    image = Image.new("1", (width_dots, height), 255)
    image.paste(code, (0, (height - code.height) // 2))
    top = (height - len(lines) * pitch + 12) // 2
    for index, line in enumerate(lines):
        image.paste(text_image(line), (code.width + LINE_DOTS, top + index * pitch))
    return image
