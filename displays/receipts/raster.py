"""Lines and codes drawn dot by dot, for what the printer's own font does not have; needs a CJK font on the machine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import segno
from PIL import Image

from displays.glyphs import glyph
from displays.receipts.text import cells

CELL_DOTS: Final = 12
LINE_DOTS: Final = 24


def text_image(text: str, wide: int = 1, high: int = 1, bold: bool = False) -> Image.Image:
    """One line of text on the printer's own grid: cells of 12·wide dots, 24·high dots high."""
    image = Image.new("1", (cells(text) * CELL_DOTS * wide, LINE_DOTS * high), 255)
    left = 0
    for character in text:
        cell = glyph(character, LINE_DOTS * high, cells(character) == 1)
        if wide != high:
            cell = cell.resize((CELL_DOTS * wide * cells(character), LINE_DOTS * high))
        image.paste(cell, (left, 0))
        if bold:
            ink = _ink(cell.crop((0, 0, cell.width - high, cell.height)))
            image.paste(0, (left + high, 0, left + cell.width, cell.height), ink)
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
