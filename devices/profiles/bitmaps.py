"""[bitmap] of a profile's file: a panel that takes dots instead of characters."""

from __future__ import annotations

from typing import Literal

import msgspec

from displays.led import Panel
from displays.led.bitmap import Bitmap, Plane


class BitmapTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """[bitmap]: the panel's size in dots and how its bytes run; fields as in `displays.led.bitmap.Bitmap`."""

    width: int
    height: int
    dots: int = 0
    order: Literal["rows", "columns"] = "rows"
    low_first: bool = False
    inverted: bool = False
    planes: tuple[Plane, ...] = ("lit",)


def bitmap_of(table: BitmapTable | None, family: str, wrong: list[str]) -> Bitmap | None:
    """The coding that a table describes; `wrong` is told what to mend in it."""
    if table is None:
        return None
    if family != "strip":
        wrong.append("bitmap: only strips and boards have dots")
    if (
        not table.planes
        or len(set(table.planes)) != len(table.planes)
        or ("lit" in table.planes and len(table.planes) > 1)
    ):
        wrong.append('bitmap.planes: ["lit"] for one colour, ["red", "green"] or ["green", "red"] for two')
    try:
        panel = Panel(table.width, table.height, table.dots)
    except ValueError as error:
        wrong.append(f"bitmap: {error}")
        return None
    return Bitmap(panel, table.order, table.low_first, table.inverted, table.planes)
