"""What strips and boards have in common: pages of text in turn, shown until something newer comes (UX W-02, W-05)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from devices.protocols.base import Ignored, Send

FrameT = TypeVar("FrameT")
Page = Sequence[tuple[str, str]]
"""Runs of (text, colour); colours are red, green and yellow."""

TEXT: Final = "text"
"""The slot of a strip's text."""
FLASHES: Final = 3
"""UX W-07: a new call is dark and lit again so often, then steady."""
LEAST_FLASH_MS: Final = 500
MOST_FLASH_MS: Final = 5_000 // (2 * FLASHES)
"""UX X-05: nothing flashes more than once a second (lit and then dark), or for longer than five."""
RELIT_MS: Final = 1_500
"""A strip that acknowledges nothing is told its text once more so long after a flash: the frame that lit it may be lost."""
MISSING: Final = "〓"
"""Stands for a character that the strip's encoding does not have."""


@dataclass(frozen=True, slots=True)
class TextSettings:
    """`longest_text`: bytes of text without colours that a strip takes, cut at a character. `page_ms`: UX W-05.

    `flash_ms`: how long a called number is lit, and then dark, before it is steady (UX W-07); 0: it never flashes. ValueError
    for one that would flash faster or longer than X-05 allows.
    """

    longest_text: int = 120
    acks: bool = True
    reply_ms: int = 100
    ack_ms: int = 500
    tries: int = 3
    resend_ms: int = 30_000
    page_ms: int = 2_500
    flash_ms: int = 500

    def __post_init__(self) -> None:
        if self.flash_ms and not LEAST_FLASH_MS <= self.flash_ms <= MOST_FLASH_MS:
            raise ValueError(f"flash_ms is {LEAST_FLASH_MS} to {MOST_FLASH_MS}, or 0 for none")


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The strip took the text."""


@dataclass(frozen=True, slots=True)
class Silent:
    """The strip acknowledged none of its tries."""


@dataclass(frozen=True, slots=True)
class Steady:
    """A flash was left out, or what is left of it: the line or the strip has no time for it. The text stands."""


def encode_character(character: str, encoding: str = "gbk", never: bytes = b"") -> bytes:
    """A character's bytes, or those of the mark when the encoding lacks it or it is one of the bytes `never`."""
    raw = character.encode(encoding, "ignore")
    # A control character would end or garble a frame; a character that takes such a byte likewise.
    if not raw or raw[0] < 0x20 or any(byte in never for byte in raw):
        return MISSING.encode(encoding, "replace")
    return raw


def encode_text(page: Page, longest: int, encoding: str = "gbk", never: bytes = b"") -> bytes:
    """A page's text without its colours, cut at a character."""
    data = bytearray()
    for text, _colour in page:
        for character in text:
            raw = encode_character(character, encoding, never)
            if len(data) + len(raw) > longest:
                return bytes(data)
            data += raw
    return bytes(data)


class PagedText(Generic[FrameT]):
    """One strip's conversation. Times are milliseconds of any clock that never goes back.

    A protocol implements `encode`, `frame`, and `acknowledges` when its strips answer.
    """

    cells: int | None = None
    """Half-width characters in a row of a panel that knows its own; None: the map's settings say."""

    def __init__(self, settings: TextSettings) -> None:
        self._settings = settings
        self._pages: list[bytes] = []
        self._index = 0
        self._tries = 0
        self._silent = False
        self._sent_ms: int | None = None  # since when an acknowledgement is owed for the last frame
        self._owed_ms: int | None = None  # and for the first of those that were not acknowledged
        self._resend_at_ms: int | None = None
        self._turn_at_ms: int | None = None
        self._flashes = 0
        self._flash_at_ms: int | None = None
        self._dark = False

    def encode(self, page: Page) -> bytes:
        """A page as the strip's bytes, without frame; equal bytes are the same page."""
        return encode_text(page, self._settings.longest_text)

    def encode_all(self, pages: Sequence[Page]) -> list[bytes]:
        """Pages as what is shown in turn; a board with several rows puts several into one."""
        return [self.encode(page) for page in pages]

    def frame(self, data: bytes) -> FrameT:
        """The frame that shows an encoded page; asked anew for each sending."""
        raise NotImplementedError

    def dark_page(self) -> bytes | None:
        """What makes the strip dark; None for one that has no such text, which then never flashes."""
        return self.encode([(" ", "red")])

    def acknowledges(self, frame: FrameT) -> bool:
        """Whether a frame from the strip acknowledges its text."""
        return False

    def set_pages(self, pages: Sequence[Page], now_ms: int) -> list[StripOutput[FrameT]]:
        """Show these pages in turn from now on; nothing is sent when they are what is shown already."""
        encoded = self.encode_all(pages) or [b""]
        if encoded == self._pages:
            return []
        self._pages, self._index = encoded, 0
        return [*self._missed(now_ms), *self._show(now_ms)]

    def flash(self, now_ms: int) -> list[StripOutput[FrameT]]:
        """Somebody is called by the first page: it is shown and flashes, and what is due waits for the end of that (UX W-07)."""
        flash_ms = self._settings.flash_ms
        shown: list[StripOutput[FrameT]] = []
        if self._index:
            self._index = 0
            shown = self._show(now_ms)
        if not flash_ms or not self._pages or self.dark_page() is None:
            return shown
        self._flashes = FLASHES
        if not self._dark:  # else it is lit when it was to be
            self._flash_at_ms = now_ms + flash_ms
        steady_ms = now_ms + 2 * FLASHES * flash_ms
        if self._turn_at_ms is not None:
            self._turn_at_ms = steady_ms + self._settings.page_ms
        if self._resend_at_ms is not None:  # a repetition in the dark would end the flash
            self._resend_at_ms = max(self._resend_at_ms, steady_ms + flash_ms)
        return shown

    def stay_lit(self) -> list[StripOutput[FrameT]]:
        """The line had no time for the dark page."""
        self._end_flash()
        return [Steady()]

    def _end_flash(self) -> None:
        self._flashes, self._flash_at_ms, self._dark = 0, None, False

    def _beat(self, now_ms: int) -> list[StripOutput[FrameT]]:
        """The next half of a flash. The text after a dark page is news like a call: nobody's number may stay dark."""
        self._flash_at_ms = now_ms + self._settings.flash_ms
        if self._dark:
            self._dark = False
            self._flashes -= 1
            self._tries = 0
            self._resend_at_ms = now_ms + self._settings.resend_ms
            if not self._flashes:
                self._end_flash()
                if not self._settings.acks:  # nobody says whether this one came, and without it the strip stays dark
                    self._resend_at_ms = now_ms + min(RELIT_MS, self._settings.resend_ms)
            return [self._send()]
        dark = self.dark_page()
        if dark is None or self._silent or self._sent_ms is not None:
            return self.stay_lit()
        self._dark = True
        reply_ms = self._settings.reply_ms if self._settings.acks else 0
        lit = self.frame(self._pages[self._index])
        return [Send(self.frame(dark), TEXT, reply_ms, refresh=True, follows=lit)]

    def line_up(self, now_ms: int) -> list[StripOutput[FrameT]]:
        """The line is open (again): a strip may have lost its text meanwhile."""
        self._owed_ms = None
        return self._show(now_ms) if self._pages else []

    def _show(self, now_ms: int, *, refresh: bool = False) -> list[StripOutput[FrameT]]:
        if self._owed_ms is None:  # else the silence goes on, whatever is shown: pages may turn faster than it is known
            self._tries = 0
        self._end_flash()
        self._resend_at_ms = now_ms + self._settings.resend_ms
        self._turn_at_ms = now_ms + self._settings.page_ms if len(self._pages) > 1 else None
        return [self._send(refresh=refresh)]

    def _send(self, *, refresh: bool = False) -> Send[FrameT]:
        self._tries += 1
        self._sent_ms = None
        reply_ms = self._settings.reply_ms if self._settings.acks else 0
        return Send(self.frame(self._pages[self._index]), TEXT, reply_ms, refresh=refresh)

    def sent(self, now_ms: int, slot: str = TEXT) -> None:
        """The frame has left; only now does the time for its acknowledgement run."""
        if self._settings.acks and slot == TEXT and not self._dark:
            self._sent_ms = now_ms
            self._owed_ms = now_ms if self._owed_ms is None else self._owed_ms

    def receive(self, frame: FrameT, now_ms: int) -> list[StripOutput[FrameT]]:
        """A frame from the strip."""
        if not self.acknowledges(frame):
            return [Ignored(f"no acknowledgement: {frame}")]
        self._sent_ms = self._owed_ms = None
        self._silent = False
        return [Acknowledged()]

    @property
    def wake_at_ms(self) -> int | None:
        """When `wake` has something to do."""
        late = None if self._sent_ms is None else self._sent_ms + self._settings.ack_ms
        return min(
            (t for t in (late, self._flash_at_ms, self._resend_at_ms, self._turn_at_ms) if t is not None), default=None
        )

    def wake(self, now_ms: int) -> list[StripOutput[FrameT]]:
        """Flash, repeat what was not acknowledged, turn the page, re-send what is shown (UX W-02)."""
        if self._flash_at_ms is not None and self._flash_at_ms <= now_ms:
            return self._beat(now_ms)
        if self._turn_at_ms is not None and self._turn_at_ms <= now_ms:
            self._index = (self._index + 1) % len(self._pages)
            return [*self._missed(now_ms), *self._show(now_ms, refresh=True)]
        if self._resend_at_ms is not None and self._resend_at_ms <= now_ms:
            return [*self._missed(now_ms), *self._show(now_ms, refresh=True)]
        if self._sent_ms is not None and self._sent_ms + self._settings.ack_ms <= now_ms:
            return [self._send()] if self._tries < self._round else self._missed(now_ms)
        return []

    @property
    def _round(self) -> int:
        """Tries before it counts as silent; one that does gets one at each re-send: it must not hold up its neighbours."""
        return 1 if self._silent else self._settings.tries

    def _missed(self, now_ms: int) -> list[StripOutput[FrameT]]:
        """Silent once as many frames as make a round stay unacknowledged: for the last one's time, or all of them for the round's."""
        ack_ms = self._settings.ack_ms
        late = self._sent_ms is not None and now_ms - self._sent_ms >= ack_ms
        if self._owed_ms is None or self._tries < self._round:
            return []
        if not late and now_ms - self._owed_ms < self._round * ack_ms:
            return []
        self._sent_ms = self._owed_ms = None
        self._silent = True
        return [Silent()]


StripOutput = Send[FrameT] | Acknowledged | Silent | Steady | Ignored
