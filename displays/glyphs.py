"""One character drawn dot by dot in its cell, with the CJK font of the machine."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from PIL import Image, ImageDraw, ImageFont

from displays.errors import Unavailable

Faces = tuple[tuple[str, int], ...]
"""(file, face) of fonts, each looked for in the system's font folders (Pillow walks them)."""

FONTS: Final[Faces] = (
    ("NotoSansCJK-Regular.ttc", 2),
    ("SourceHanSansSC-Regular.otf", 0),
    ("msyh.ttc", 0),
    ("simsun.ttc", 0),
    ("simsunb.ttf", 0),
    ("wqy-microhei.ttc", 0),
    ("NotoSansCJKsc-Regular.otf", 0),
)
"""Of Debian, Kylin, UOS and Windows."""
MONO_FONTS: Final[Faces] = (
    ("NotoSansCJK-Regular.ttc", 7),
    ("NotoSansMonoCJKsc-Regular.otf", 0),
    ("simsun.ttc", 0),
    ("wqy-microhei.ttc", 1),
    *FONTS,
)
"""First those whose Latin letters are half as wide as a hanzi: on a board no letter may lean into its neighbour."""

_MISSING: Final = "\U0010ffff"


@lru_cache(maxsize=32)
def _fonts(size_dots: int, faces: Faces) -> Sequence[ImageFont.FreeTypeFont]:
    found = []
    for file, face in faces:
        try:
            font = ImageFont.truetype(file, size_dots, index=face)
            _have_read(str(font.path))
        except OSError:
            continue
        found.append(font)
    return tuple(found)


@lru_cache(maxsize=32)
def _have_read(file: str) -> None:
    """Have the whole file in the system's memory: FreeType maps it, and would fetch a rare character when it is first drawn."""
    with open(file, "rb") as font:
        font.read()


@lru_cache(maxsize=1024)
def glyph(character: str, size_dots: int, half: bool, faces: Faces = FONTS) -> Image.Image:
    """Black on white in a cell of `size_dots` height, square or half as wide; `Unavailable` when no font has it."""
    for font in _fonts(size_dots - size_dots // 12, faces):
        mask = bytes(font.getmask(character, mode="1"))
        if mask and mask == bytes(font.getmask(_MISSING, mode="1")):
            continue
        width = size_dots // 2 if half else size_dots
        cell = Image.new("L", (width, size_dots), 255)
        left, _, right, _ = font.getbbox(character)
        ImageDraw.Draw(cell).text(
            (int((width - (right - left)) // 2 - left), size_dots - size_dots // 8), character, font=font, anchor="ls"
        )
        return cell.point(lambda value: 255 if value > 150 else 0).convert("1")
    raise Unavailable(f"no font here has {character} (U+{ord(character):04X}): install Noto Sans CJK")
