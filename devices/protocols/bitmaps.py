"""Panels that take pictures: a strip's pages are drawn here, and each picture is one frame; pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from devices.protocols.paged import Page, TextSettings
from devices.protocols.templated import SHOW, TemplatedStrip, TextCoding
from displays import led
from displays.errors import Unavailable
from displays.led.bitmap import Bitmap
from displays.led.pixels import picture
from displays.led.strip import cells as cells_of

TRIAL: Final = "请号"


class BitmapStrip(TemplatedStrip):
    """A panel of dots; several rows are several pages at a time."""

    def __init__(self, address: int, settings: TextSettings, bitmap: Bitmap, name: str = SHOW) -> None:
        super().__init__(address, settings, TextCoding(), name)
        self._bitmap = bitmap
        self.cells = bitmap.panel.cells

    def dark_page(self) -> bytes:
        return draw(self._bitmap, [])

    def encode_all(self, pages: Sequence[Page]) -> list[bytes]:
        rows = self._bitmap.panel.rows
        # A notice that comes after every call stands once beside them where there is room.
        unique = list(dict.fromkeys(tuple(page) for page in pages)) if rows > 1 else list(pages)
        shown = [unique[at : at + rows] for at in range(0, len(unique), rows)] or [[]]
        return [draw(self._bitmap, screen) for screen in shown]


def _row(page: Page, cells: int) -> led.Page:
    """A page as far as it has room: those of a hall fit by their making, a test's text need not."""
    text = "".join(text for text, _ in page)
    while cells_of(text) > cells:
        text = text[:-1]
    return led.Page(text, page[0][1])  # type: ignore[arg-type]


def draw(bitmap: Bitmap, pages: Sequence[Page]) -> bytes:
    """Pages under each other as the panel's bytes, cut to its width; a page has the colour of its first run."""
    rows = [_row(page, bitmap.panel.cells) for page in pages if page]
    return bitmap.encode(picture(rows, bitmap.panel).image)


def require_font(bitmap: Bitmap) -> None:
    """ValueError when this machine has no font to draw hanzi with."""
    try:
        picture([led.Page(TRIAL, "red")], bitmap.panel)
    except Unavailable as error:
        raise ValueError(str(error)) from error
