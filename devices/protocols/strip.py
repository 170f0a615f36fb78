"""The A0 90 window strip and summary board: pages of coloured text, shown until something newer comes (HARDWARE 2.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from devices.framing.a090 import SHOW_TEXT, A090Ack, A090Frame
from devices.protocols.base import Ignored, Send

Page = Sequence[tuple[str, str]]
"""Runs of (text, colour); colours are red, green and yellow."""

COLOURS: Final[Mapping[str, int]] = MappingProxyType({"red": 0, "green": 1, "yellow": 2})
"""0 is read in the sources; 1 and 2 are from memory, so a profile may change them."""
MISSING: Final = "〓"
"""Stands for a character that GBK does not have."""


@dataclass(frozen=True, slots=True)
class StripSettings:
    """`longest_text`: bytes of text without colours that a strip takes, cut at a character. `page_ms`: UX W-05."""

    colours: Mapping[str, int] = field(default_factory=lambda: COLOURS)
    longest_text: int = 120
    acks: bool = True
    reply_ms: int = 100
    ack_ms: int = 500
    tries: int = 3
    resend_ms: int = 30_000
    page_ms: int = 2_500


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The strip took the text."""


@dataclass(frozen=True, slots=True)
class Silent:
    """The strip acknowledged none of its tries."""


StripOutput = Send[A090Frame] | Acknowledged | Silent | Ignored


def encode_page(page: Page, settings: StripSettings) -> bytes:
    """DATA of a page: every character (one byte of ASCII, two of GBK) followed by its colour byte."""
    data, used = bytearray(), 0
    for text, colour in page:
        code = settings.colours[colour]
        for character in text:
            raw = character.encode("gbk", "ignore") or MISSING.encode("gbk")
            used += len(raw)
            if used > settings.longest_text:
                return bytes(data)
            data += raw
            data.append(code)
    return bytes(data)


class StripProtocol:
    """One strip's conversation. Times are milliseconds of any clock that never goes back."""

    def __init__(self, address: int, settings: StripSettings | None = None) -> None:
        self._address = address
        self._settings = settings or StripSettings()
        self._pages: list[bytes] = []
        self._index = 0
        self._tries = 0
        self._silent = False
        self._sent_ms: int | None = None  # since when an acknowledgement is owed
        self._resend_at_ms: int | None = None
        self._turn_at_ms: int | None = None

    def set_pages(self, pages: Sequence[Page], now_ms: int) -> list[StripOutput]:
        """Show these pages in turn from now on; nothing is sent when they are what is shown already."""
        encoded = [encode_page(page, self._settings) for page in pages] or [b""]
        if encoded == self._pages:
            return []
        self._pages, self._index = encoded, 0
        return self._show(now_ms)

    def line_up(self, now_ms: int) -> list[StripOutput]:
        """The line is open (again): a strip may have lost its text meanwhile."""
        return self._show(now_ms) if self._pages else []

    def _show(self, now_ms: int) -> list[StripOutput]:
        self._tries = 0
        self._resend_at_ms = now_ms + self._settings.resend_ms
        self._turn_at_ms = now_ms + self._settings.page_ms if len(self._pages) > 1 else None
        return [self._send()]

    def _send(self) -> Send[A090Frame]:
        self._tries += 1
        self._sent_ms = None
        reply_ms = self._settings.reply_ms if self._settings.acks else 0
        return Send(A090Frame(self._address, SHOW_TEXT, self._pages[self._index]), "text", reply_ms)

    def sent(self, now_ms: int) -> None:
        """The frame has left; only now does the time for its acknowledgement run."""
        if self._settings.acks:
            self._sent_ms = now_ms

    def receive(self, frame: A090Frame | A090Ack, now_ms: int) -> list[StripOutput]:
        """A frame from the strip."""
        if not isinstance(frame, A090Ack):
            return [Ignored(f"command {frame.command:02X}")]
        self._sent_ms = None
        self._silent = False
        return [Acknowledged()]

    @property
    def wake_at_ms(self) -> int | None:
        """When `wake` has something to do."""
        late = None if self._sent_ms is None else self._sent_ms + self._settings.ack_ms
        return min((t for t in (late, self._resend_at_ms, self._turn_at_ms) if t is not None), default=None)

    def wake(self, now_ms: int) -> list[StripOutput]:
        """Repeat what was not acknowledged, turn the page, re-send what is shown (UX W-02)."""
        if self._turn_at_ms is not None and self._turn_at_ms <= now_ms:
            self._index = (self._index + 1) % len(self._pages)
            return [*self._missed(now_ms), *self._show(now_ms)]
        if self._resend_at_ms is not None and self._resend_at_ms <= now_ms:
            return [*self._missed(now_ms), *self._show(now_ms)]
        if self._sent_ms is not None and self._sent_ms + self._settings.ack_ms <= now_ms:
            # A strip known to be silent gets one try at each re-send: it must not hold up its neighbours.
            if self._tries < self._settings.tries and not self._silent:
                return [self._send()]
            return self._missed(now_ms)
        return []

    def _missed(self, now_ms: int) -> list[StripOutput]:
        if self._sent_ms is None or now_ms - self._sent_ms < self._settings.ack_ms:
            return []
        self._sent_ms = None
        self._silent = True
        return [Silent()]
