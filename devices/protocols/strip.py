"""The A0 90 window strip and summary board: every character with its colour, each text acknowledged (HARDWARE 2.2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from devices.framing.a090 import SHOW_TEXT, A090Ack, A090Frame
from devices.protocols.paged import Page, PagedText, TextSettings, encode_character

COLOURS: Final[Mapping[str, int]] = MappingProxyType({"red": 0, "green": 1, "yellow": 2})
"""0 is read in the sources; 1 and 2 are from memory, so a profile may change them."""


@dataclass(frozen=True, slots=True)
class StripSettings(TextSettings):
    """`colours`: the byte of each colour."""

    colours: Mapping[str, int] = field(default_factory=lambda: COLOURS)


def encode_page(page: Page, settings: StripSettings) -> bytes:
    """DATA of a page: every character (one byte of ASCII, two of GBK) followed by its colour byte."""
    data, used = bytearray(), 0
    for text, colour in page:
        code = settings.colours[colour]
        for character in text:
            raw = encode_character(character)
            used += len(raw)
            if used > settings.longest_text:
                return bytes(data)
            data += raw
            data.append(code)
    return bytes(data)


class StripProtocol(PagedText[A090Frame | A090Ack]):
    """One strip's conversation."""

    def __init__(self, address: int, settings: StripSettings | None = None) -> None:
        self._strip = settings or StripSettings()
        super().__init__(self._strip)
        self._address = address

    def encode(self, page: Page) -> bytes:
        return encode_page(page, self._strip)

    def frame(self, data: bytes) -> A090Frame:
        return A090Frame(self._address, SHOW_TEXT, data)

    def acknowledges(self, frame: A090Frame | A090Ack) -> bool:
        return isinstance(frame, A090Ack)
