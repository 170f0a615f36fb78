"""Panels of digits that show the called number and nothing else (HARDWARE 2.6)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from devices.framing.modbus import ModbusFrame, ModbusRefused, ModbusWrite
from devices.protocols.base import Ignored
from devices.protocols.paged import Page, PagedText, StripOutput, TextSettings

NUMBER_REGISTER: Final = 0x0000
TEXT_REGISTER: Final = 0x0070
GREATEST: Final = 0x7FFF

_NUMBER: Final = re.compile(r"[A-Za-z]*[0-9]+")


@dataclass(frozen=True, slots=True)
class PanelSettings(TextSettings):
    """`digits`: the panel's places. `mode`: number (a whole number, no letters, 0 for none) or text (letters, blank for none).

    `shortest`: letters and digits that a ticket's number has at least; shorter ones are a window's.
    """

    digits: int = 4
    mode: Literal["number", "text"] = "number"
    shortest: int = 3

    def __post_init__(self) -> None:
        TextSettings.__post_init__(self)
        if not 1 <= self.digits <= 16 or self.shortest < 1:
            raise ValueError("a panel has 1 to 16 digits, and the shortest number at least one")


class NumberPanel(PagedText[ModbusFrame]):
    """One panel's conversation: of the pages of a strip it shows those with a ticket's number."""

    def __init__(self, address: int, settings: PanelSettings) -> None:
        super().__init__(settings)
        self._panel = settings
        self._address = address

    def set_pages(self, pages: Sequence[Page], now_ms: int) -> list[StripOutput[ModbusFrame]]:
        found = {number: page for page in pages if (number := self.encode(page)).strip()}
        return super().set_pages([*found.values()], now_ms)

    def dark_page(self) -> bytes | None:
        return b"" if self._panel.mode == "text" else None  # without a number a panel of numbers shows 0

    def encode(self, page: Page) -> bytes:
        text = "".join(run for run, _ in page)
        longest = max(_NUMBER.findall(text), key=len, default="")
        return (longest if len(longest) >= self._panel.shortest else "")[-self._panel.digits :].encode()

    def frame(self, data: bytes) -> ModbusWrite:
        if self._panel.mode == "text":
            places = self._panel.digits + self._panel.digits % 2
            return ModbusWrite(self._address, TEXT_REGISTER, data.rjust(self._panel.digits).ljust(places), many=True)
        shown = int(bytes(byte for byte in data if 0x30 <= byte <= 0x39)[-self._panel.digits :] or b"0")
        # 32768 and more have no place in the register: their last four figures are what a citizen looks for.
        shown = shown if shown <= GREATEST else shown % 10_000
        return ModbusWrite(self._address, NUMBER_REGISTER, shown.to_bytes(2, "big"))

    def acknowledges(self, frame: ModbusFrame) -> bool:
        return not isinstance(frame, ModbusRefused)

    def receive(self, frame: ModbusFrame, now_ms: int) -> list[StripOutput[ModbusFrame]]:
        found = super().receive(frame, now_ms)
        if isinstance(frame, ModbusRefused):
            self._sent_ms = None  # it has answered: asking again would not change its mind
            return [Ignored(f"the panel refuses function {frame.function:02X}: code {frame.code}")]
        return found
