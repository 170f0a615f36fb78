"""Dots as the bytes that panels take: planes, rows or columns, which bit is the first, and whether 1 is lit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from PIL import Image, ImageChops

from displays.led.pixels import Panel

Plane = Literal["lit", "red", "green"]
_MIRRORED: Final = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_NEGATIVE: Final = bytes(byte ^ 0xFF for byte in range(256))


@dataclass(frozen=True, slots=True)
class Bitmap:
    """How a panel wants its dots. `planes` follow each other: `lit` for one colour, `red` and `green` for two.

    `order`: bytes run along rows from the top or along columns from the left; a row or column ends on a byte. The first dot is
    the highest bit, with `low_first` the lowest. `inverted`: 0 is lit.
    """

    panel: Panel
    order: Literal["rows", "columns"] = "rows"
    low_first: bool = False
    inverted: bool = False
    planes: tuple[Plane, ...] = ("lit",)

    @property
    def length(self) -> int:
        """Bytes of a picture."""
        across, along = self._lines
        return len(self.planes) * along * ((across + 7) // 8)

    @property
    def _lines(self) -> tuple[int, int]:
        """Dots of a line, and lines."""
        width, height = self.panel.width, self.panel.height
        return (width, height) if self.order == "rows" else (height, width)

    def encode(self, image: Image.Image) -> bytes:
        """A picture of the panel's size (RGB) as its bytes."""
        red, green, _ = image.split()
        channels = {"lit": ImageChops.lighter(red, green), "red": red, "green": green}
        data = b"".join(self._plane(channels[plane]) for plane in self.planes)
        data = data.translate(_MIRRORED) if self.low_first else data
        return data.translate(_NEGATIVE) if self.inverted else data

    def _plane(self, channel: Image.Image) -> bytes:
        bits = channel.point(lambda value: 255 if value else 0).convert("1")
        return (bits.transpose(Image.Transpose.TRANSPOSE) if self.order == "columns" else bits).tobytes()

    def decode(self, data: bytes) -> Image.Image:
        """The picture that these bytes are; ValueError when they are too few or too many. One colour is red."""
        if len(data) != self.length:
            raise ValueError(f"{len(data)} bytes are no picture of {self.length}")
        data = data.translate(_NEGATIVE) if self.inverted else data
        data = data.translate(_MIRRORED) if self.low_first else data
        size = len(data) // len(self.planes)
        dark = Image.new("L", (self.panel.width, self.panel.height))
        found: dict[str, Image.Image] = {}
        for at, plane in enumerate(self.planes):
            bits = Image.frombytes("1", self._lines, data[at * size : (at + 1) * size])
            turned = bits.transpose(Image.Transpose.TRANSPOSE) if self.order == "columns" else bits
            found[plane] = turned.convert("L")
        return Image.merge("RGB", (found.get("lit", found.get("red", dark)), found.get("green", dark), dark))
