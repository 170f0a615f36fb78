"""The two strips of one source each: AA…QT and addr-FE, text without colours and without an answer (HARDWARE 2.3, 2.4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from devices.framing import aaqt, addrfe
from devices.framing.aaqt import AaqtFrame
from devices.framing.addrfe import AddrFeFrame
from devices.protocols.paged import Page, PagedText, TextSettings, encode_text

AAQT_GAP_MS: Final = 100
"""Silence after each frame to an AA…QT strip."""


@dataclass(frozen=True, slots=True)
class PlainSettings(TextSettings):
    """No acknowledgement was seen, so none is waited for; the gap is the device's."""

    acks: bool = False
    gap_ms: int | None = None


class AaqtProtocol(PagedText[AaqtFrame]):
    """One AA…QT strip or board."""

    def __init__(self, address: int, settings: TextSettings, *, board: bool = False) -> None:
        super().__init__(settings)
        self._address = address
        self._mode = aaqt.BOARD if board else aaqt.STRIP

    def encode(self, page: Page) -> bytes:
        return encode_text(page, min(self._settings.longest_text, aaqt.LONGEST_TEXT), never=b"\xff")

    def frame(self, data: bytes) -> AaqtFrame:
        return AaqtFrame(self._address, data, self._mode)


class AddrFeProtocol(PagedText[AddrFeFrame]):
    """One addr-FE strip or board; SEQ counts its frames."""

    def __init__(self, address: int, settings: TextSettings, *, board: bool = False) -> None:
        super().__init__(settings)
        self._address = address
        self._command = addrfe.BOARD if board else addrfe.STRIP
        self._sequence = 0

    def encode(self, page: Page) -> bytes:
        return encode_text(page, min(self._settings.longest_text, addrfe.LONGEST_TEXT))

    def frame(self, data: bytes) -> AddrFeFrame:
        self._sequence = (self._sequence + 1) & 0xFF
        return AddrFeFrame(self._address, self._sequence, data, self._command)
