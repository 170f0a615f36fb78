"""Pages of a strip as dots, for panels that take pictures: whole characters, centred, nothing moves (UX W-03 to W-08)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from PIL import Image, ImageChops, ImageDraw

from displays.errors import Unavailable
from displays.glyphs import MONO_FONTS, glyph
from displays.led.strip import LEAST_CELLS, PAGE_MS, Colour, Page, StripState, cells, strip_pages

SIZES: Final = (32, 24, 16)
"""Dots of a hanzi; below 16 many have no shape."""
LIT: Final[dict[Colour, tuple[int, int, int]]] = {"red": (255, 0, 0), "green": (0, 255, 0), "yellow": (255, 255, 0)}
DARK: Final = (0, 0, 0)
FLASH_MS: Final = 500
FLASHES: Final = 3
"""A new call goes on and off this often, then stays (UX W-07)."""
_MARK: Final = "〓"


@dataclass(frozen=True, slots=True)
class Panel:
    """A board of `width` × `height` dots with hanzi of `dots` (16, 24 or 32; 0: the largest that its height takes).

    ValueError when it has less than eight half-width cells or no height for its hanzi.
    """

    width: int
    height: int
    dots: int = 0

    def __post_init__(self) -> None:
        if self.dots and self.dots not in SIZES:
            raise ValueError(f"hanzi have 16, 24 or 32 dots, not {self.dots}")
        if self.height < max(self.dots, SIZES[-1]) or self.cells < LEAST_CELLS:
            raise ValueError(f"{self.width}×{self.height} dots are too few for {LEAST_CELLS} cells of {self.size} dots")

    @property
    def size(self) -> int:
        """Dots of a hanzi."""
        return self.dots or next((size for size in SIZES if size <= self.height), SIZES[-1])

    @property
    def cells(self) -> int:
        """Half-width characters in a row (UX W-04)."""
        return self.width // (self.size // 2)

    @property
    def rows(self) -> int:
        """Rows of text."""
        return self.height // self.size


@dataclass(frozen=True, slots=True)
class Picture:
    """What a panel shows for `hold_ms`: dots in red, green, yellow (RGB) or dark, and the texts in them."""

    image: Image.Image
    texts: tuple[str, ...]
    hold_ms: int = PAGE_MS


def pictures(state: StripState, panel: Panel) -> list[Picture]:
    """What a panel shows in turn for a state: shortened, then paged, as many pages at a time as it has rows."""
    pages: Sequence[Page] = strip_pages(state, panel.cells)
    if panel.rows > 1:  # a notice that comes after every call stands once beside them
        pages = list(dict.fromkeys(pages))
    return [picture(pages[at : at + panel.rows], panel) for at in range(0, len(pages), panel.rows)]


def picture(pages: Sequence[Page], panel: Panel) -> Picture:
    """Pages under each other, each in its colour in the middle of its row, all in the middle of the panel.

    ValueError when one is too wide or they are too many; `Unavailable` when the machine has no font with hanzi.
    """
    if len(pages) > panel.rows or any(cells(page.text) > panel.cells for page in pages):
        raise ValueError(f"{[page.text for page in pages]} does not fit {panel.rows} rows of {panel.cells} cells")
    image = Image.new("RGB", (panel.width, panel.height), DARK)
    gap = (panel.height - len(pages) * panel.size) // (len(pages) + 1)
    for row, page in enumerate(pages):
        dots = row_dots(page.text, panel.size)
        place = ((panel.width - dots.width) // 2, gap + row * (panel.size + gap))
        image.paste(LIT[page.colour], (*place, place[0] + dots.width, place[1] + dots.height), dots)
    return Picture(image, tuple(page.text for page in pages), max((page.hold_ms for page in pages), default=PAGE_MS))


def row_dots(text: str, size: int) -> Image.Image:
    """A line of text as lit (255) and dark dots; a character that no font has is 〓."""
    row = Image.new("1", (cells(text) * (size // 2), size), 0)
    left = 0
    for character in text:
        half = character.isascii()
        row.paste(ImageChops.invert(_cell(character, size, half)), (left, 0))
        left += size // 2 if half else size
    return row


def _cell(character: str, size: int, half: bool) -> Image.Image:
    try:
        return glyph(character, size, half, MONO_FONTS)
    except Unavailable:
        return glyph("?" if half else _MARK, size, half, MONO_FONTS)


def flash(shown: Picture) -> list[Picture]:
    """What comes before a new call's picture stays: on and off, three times (UX W-07)."""
    on = Picture(shown.image, shown.texts, FLASH_MS)
    off = Picture(Image.new("RGB", shown.image.size, DARK), (), FLASH_MS)
    return [on, off] * FLASHES


def pattern(text: str, panel: Panel, colour: Colour = "red") -> Picture:
    """The test pattern (UX W-08): a frame of the outermost dots, and the window's number or another short text in it."""
    shown = picture([Page(text, colour)], panel)
    ImageDraw.Draw(shown.image).rectangle((0, 0, panel.width - 1, panel.height - 1), outline=LIT[colour])
    return shown


def planes(image: Image.Image) -> tuple[bytes, bytes]:
    """The red and the green dots of a picture, a bit each: row by row, the left dot is the highest bit, rows end on a byte."""
    red, green, _ = image.split()
    return _bits(red), _bits(green)


def plane(image: Image.Image) -> bytes:
    """The lit dots of a picture for a panel of one colour, as `planes`."""
    red, green, _ = image.split()
    return _bits(ImageChops.lighter(red, green))


def _bits(channel: Image.Image) -> bytes:
    return channel.point(lambda value: 255 if value else 0).convert("1").tobytes()
