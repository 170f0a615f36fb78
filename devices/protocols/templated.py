"""Conversations of devices that a profile describes: strips, rating devices and keypads of templates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from devices.framing.template import TemplateFrame
from devices.protocols.keymaps import Keymap
from devices.protocols.keypad import KeypadSettings, KeyTalk, cell_bytes
from devices.protocols.paged import Page, PagedText, TextSettings, encode_character, encode_text
from devices.protocols.rating import RatingSettings, RatingTalk

SHOW: Final = "show"
BOARD: Final = "board"
PRESSED: Final = "pressed"
ACKNOWLEDGE: Final = "acknowledge"
ACKNOWLEDGED: Final = "acknowledged"
INVITE: Final = "invite"
SUCCESS: Final = "success"
FAILURE: Final = "failure"
BEEP: Final = "beep"


@dataclass(frozen=True, slots=True)
class TextCoding:
    """How text stands in a frame: its `encoding`, bytes it may `never` hold, and a `colours` byte after each character."""

    encoding: str = "gbk"
    never: bytes = b""
    colours: Mapping[str, int] | None = None

    def encode(self, page: Page, longest: int) -> bytes:
        """A page's bytes; `longest` counts text without colours."""
        if self.colours is None:
            return encode_text(page, longest, self.encoding, self.never)
        data, used = bytearray(), 0
        for text, colour in page:
            for character in text:
                raw = encode_character(character, self.encoding, self.never)
                used += len(raw)
                if used > longest:
                    return bytes(data)
                data += raw
                data.append(self.colours[colour])
        return bytes(data)

    def decode(self, data: bytes) -> tuple[str, str]:
        """The text and one colour digit a character; what is cut short becomes U+FFFD."""
        if self.colours is None:
            return data.decode(self.encoding, "replace"), ""
        text, colours, rest = "", "", data
        while rest:
            width = 1 if rest[0] < 0x80 else 2
            text += rest[:width].decode(self.encoding, "replace")
            colours += str(rest[width]) if len(rest) > width else "?"
            rest = rest[width + 1 :]
        return text, colours


class TemplatedStrip(PagedText[TemplateFrame]):
    """A strip or board; `name` is the frame that shows text, and `acknowledged` what it may answer."""

    def __init__(self, address: int, settings: TextSettings, coding: TextCoding, name: str = SHOW) -> None:
        super().__init__(settings)
        self._address = address
        self._coding = coding
        self._name = name
        self._sequence = 0

    def encode(self, page: Page) -> bytes:
        return self._coding.encode(page, self._settings.longest_text)

    def frame(self, data: bytes) -> TemplateFrame:
        self._sequence = (self._sequence + 1) & 0xFF
        return TemplateFrame(self._name, self._address, data, sequence=self._sequence)

    def acknowledges(self, frame: TemplateFrame) -> bool:
        return frame.name == ACKNOWLEDGED


def _reply(name: str, names: frozenset[str], frame: TemplateFrame, address: int) -> TemplateFrame | None:
    """An acknowledgement with everything that it may take over from the press."""
    return TemplateFrame(name, address, frame.body, frame.key, frame.sequence) if name in names else None


class TemplatedRating(RatingTalk[TemplateFrame]):
    """A rating device; `names` are the frames that its profile has."""

    def __init__(self, address: int, settings: RatingSettings, names: frozenset[str]) -> None:
        super().__init__(address, settings)
        self._names = names
        self.repeats = ACKNOWLEDGE in names

    def key(self, frame: TemplateFrame) -> int | None:
        return frame.key if frame.name == PRESSED else None

    def echo(self, frame: TemplateFrame) -> TemplateFrame | None:
        return _reply(ACKNOWLEDGE, self._names, frame, self._address)

    def starter(self) -> TemplateFrame | None:
        return TemplateFrame(INVITE, self._address, sequence=0) if INVITE in self._names else None


@dataclass(frozen=True, slots=True)
class DigitCoding:
    """How digits stand in a keypad's frames: `zero` is the byte of 0 (00, or 30 in ASCII), `blank` an empty cell."""

    zero: int = 0
    blank: int = 0x0A


class TemplatedKeypad(KeyTalk[TemplateFrame]):
    """A keypad; `names` are the frames that its profile has."""

    def __init__(
        self, address: int, keymap: Keymap, settings: KeypadSettings, names: frozenset[str], digits: DigitCoding
    ) -> None:
        super().__init__(address, keymap, settings)
        self._names = names
        self._digits = digits

    def keys(self, frame: TemplateFrame) -> bytes | None:
        if frame.name != PRESSED or frame.key is None:
            return None
        # A byte below zero's becomes no digit, and the press is then ignored as one without meaning.
        return bytes((byte - self._digits.zero) & 0xFF for byte in frame.body) + bytes((frame.key,))

    def echo(self, frame: TemplateFrame) -> TemplateFrame | None:
        return _reply(ACKNOWLEDGE, self._names, frame, self._address)

    def cells(self, text: str) -> TemplateFrame | None:
        return self._own(SHOW, cell_bytes(text, self._digits.blank, self._digits.zero))

    def sign(self, ok: bool) -> TemplateFrame | None:
        return self._own(SUCCESS if ok else FAILURE)

    def beeper(self) -> TemplateFrame | None:
        return self._own(BEEP)

    def _own(self, name: str, body: bytes = b"") -> TemplateFrame | None:
        return TemplateFrame(name, self._address, body, sequence=0) if name in self._names else None
