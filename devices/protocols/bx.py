"""The conversation with a BX font card: rows of text in dynamic areas, and orders, each answered (HARDWARE 2.5); pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from typing import Final, Literal

from devices.framing.bx import EVERY_TYPE, HOST, BxFrame
from devices.protocols.base import Ignored, Send
from devices.protocols.bxdata import (
    ALL_AREAS,
    AREAS,
    BRIGHTNESS,
    IN_DOTS,
    MOST_BRIGHT,
    PING,
    POWER,
    REFUSED,
    SET_TIME,
    STATUS,
    TAKEN,
    BxArea,
    BxUpdate,
    encode_time,
    encode_update,
    order,
    refusal,
)
from devices.protocols.paged import TEXT, Acknowledged, Page, PagedText, Silent, StripOutput, TextSettings
from devices.protocols.paged import encode_character as character_bytes
from displays.byclock import ByClock, parse_by_clock
from displays.led import parse_dimming

COLOUR_TAGS: Final[Mapping[str, str]] = MappingProxyType({"red": r"\C1", "green": r"\C2", "yellow": r"\C3"})
"""As two programs write them; \\C1 is in a frame."""
MOST_ROWS: Final = 8
_TAG: Final = str.maketrans({"\\": "＼"})
"""A backslash begins a tag of the card: one in a text is widened."""


@dataclass(frozen=True, slots=True)
class BxSettings(TextSettings):
    """What is shown where, and how it is said. Every value that the sources leave in doubt is here.

    `rows` of `height` dots stand under each other from `x`, `y` on, `width` dots wide, in areas `first_area` and up. `unit`:
    how X and W are written: in eights of dots (8px), in dots (px), or in dots with the highest bit set (flag). `counted`:
    whether a command carries the length of its data. `reply`: the byte that asks for an answer; `no_reply`: the one that
    does not, used when `acks` is off. `font` (such as `\\FO000`) stands before each text. `coloured`: colour tags are sent.
    `clear`: whatever else is in dynamic areas goes when the line opens. `watch`: what is asked as a sign of life after
    `watch_ms` without one. `brightness` 0…15, -1 leaves it. `dimming`: levels by the clock (UX W-07), instead of `brightness`.
    `power`: on and off by the clock. `clock`: the card is told the time. The last five are bytes of the header.
    """

    ack_ms: int = 1_000
    reply_ms: int = 1_000
    rows: int = 1
    first_area: int = 0
    x: int = 0
    y: int = 0
    width: int = 128
    height: int = 16
    unit: Literal["8px", "px", "flag"] = "8px"
    counted: bool = False
    reply: int = 1
    no_reply: int = 2
    encoding: Literal["gb2312", "gbk"] = "gb2312"
    font: str = ""
    coloured: bool = False
    colours: Mapping[str, str] = field(default_factory=lambda: COLOUR_TAGS)
    line_gap: int = 0
    run_mode: int = 0
    timeout_s: int = 0
    single_line: int = 1
    wrap: int = 1
    effect: int = 1
    speed: int = 0
    stay: int = 10
    clear: bool = True
    watch: Literal["ping", "status", "nothing"] = "ping"
    watch_ms: int = 10_000
    brightness: int = -1
    dimming: str = ""
    power: str = ""
    clock: bool = False
    host: int = HOST
    verify: int = 0
    display: int = 0
    device_type: int = EVERY_TYPE

    def __post_init__(self) -> None:
        TextSettings.__post_init__(self)
        if not 1 <= self.rows <= MOST_ROWS or not 0 <= self.first_area <= 0xFE - self.rows:
            raise ValueError(f"rows are 1 to {MOST_ROWS}, areas are 0 to 254")
        if self.unit == "8px" and (self.x % 8 or self.width % 8):
            raise ValueError("x and width are multiples of 8 dots, unless unit is px or flag")
        if min(self.x, self.y) < 0 or self.width < 8 or self.height < 8 or max(self.x, self.width) >= IN_DOTS:
            raise ValueError("an area is at least 8 dots wide and high")
        if not -1 <= self.brightness <= MOST_BRIGHT:
            raise ValueError(f"brightness is 0 to {MOST_BRIGHT}, or -1 to leave it")
        if self.dimming:
            parse_dimming(self.dimming)
        if self.power:
            parse_power(self.power)
        if min(self.ack_ms, self.tries, self.watch_ms, self.resend_ms, self.page_ms) < 1:
            raise ValueError("times and tries are at least 1")
        if not 8 <= self.longest_text <= 120:
            raise ValueError("longest_text is 8 to 120 bytes")  # eight rows still fit into one frame
        if not self.font.isascii():
            raise ValueError(r"font is a tag such as \FO000")
        try:
            order_of(self, 1, AREAS, encode_update(BxUpdate(None, (place(self, self.rows - 1, b""),))))
        except OverflowError:
            raise ValueError("places are below 65536 dots, times below 65536 s") from None

    @property
    def asks(self) -> int:
        """The byte after the command."""
        return self.reply if self.acks else self.no_reply


def parse_power(text: str) -> ByClock:
    """`on`, `off`, or both by the clock: `07:00=on 19:00=off`, as levels 1 and 0; ValueError says what is wrong."""
    levels = re.sub(r"\b(on|off)\b", lambda word: "1" if word[0] == "on" else "0", text)
    return parse_by_clock(levels, 1, "power is on, off, or by the clock: 07:00=on 19:00=off")


def order_of(settings: BxSettings, address: int, command: tuple[int, int], data: bytes = b"") -> BxFrame:
    """A command with the header that the settings give it; ValueError for a value that is no byte."""
    frame = order(address, command, data, settings.asks, counted=settings.counted)
    return replace(
        frame,
        host=settings.host,
        verify=settings.verify,
        display=settings.display,
        device_type=settings.device_type,
    )


def place(settings: BxSettings, row: int, text: bytes) -> BxArea:
    """The area of a row."""

    def across(dots: int) -> int:
        return dots // 8 if settings.unit == "8px" else dots | (IN_DOTS if settings.unit == "flag" else 0)

    return BxArea(
        id=settings.first_area + row,
        text=text,
        x=across(settings.x),
        y=settings.y + row * settings.height,
        width=across(settings.width),
        height=settings.height,
        line_gap=settings.line_gap,
        run_mode=settings.run_mode,
        timeout_s=settings.timeout_s,
        single_line=settings.single_line,
        wrap=settings.wrap,
        effect=settings.effect,
        speed=settings.speed,
        stay=settings.stay,
    )


def row_text(settings: BxSettings, page: Page) -> bytes:
    """A page as the text of an area: tags and characters, cut at a character."""
    data, used = bytearray(settings.font.encode("ascii")), 0
    for text, colour in page:
        if settings.coloured:
            data += settings.colours[colour].encode("ascii")
        for character in text.translate(_TAG):
            raw = character_bytes(character, settings.encoding)
            used += len(raw)
            if used > settings.longest_text:
                return bytes(data)
            data += raw
    return bytes(data)


@dataclass(slots=True)
class _Order:
    frame: BxFrame
    tries: int = 0
    sent_ms: int | None = None


class BxProtocol(PagedText[BxFrame]):
    """One card. Its texts are those of `PagedText`, `rows` pages at a time; orders go beside them, the newest of a kind wins.

    The line is kept free for each answer, so that an answer, which does not say to what, is to the last that was sent.
    """

    def __init__(self, address: int, settings: BxSettings | None = None) -> None:
        self._bx = settings or BxSettings()
        super().__init__(self._bx)
        self._address = address
        self._orders: dict[str, _Order] = {}
        self._kept: dict[str, tuple[tuple[int, int], bytes]] = {}
        """What a card that lost its power or its line is told again."""
        self._areas = range(self._bx.first_area, self._bx.first_area + self._bx.rows)
        self.refused = ""
        """Why the card did not take the last text, until it takes one."""
        self._last = ""
        self._clearing = False
        self._watch_at_ms: int | None = None
        if self._bx.brightness >= 0:
            self._kept["brightness"] = BRIGHTNESS, bytes((1, self._bx.brightness))

    # Texts.

    def encode_all(self, pages: Sequence[Page]) -> list[bytes]:
        rows = self._bx.rows
        # A notice that comes after every call stands once beside them where there is room.
        texts = [row_text(self._bx, page) for page in pages]
        texts = list(dict.fromkeys(texts)) if rows > 1 else texts
        return [self._screen(texts[at : at + rows]) for at in range(0, len(texts), rows)] or [self._screen([])]

    def dark_page(self) -> bytes:
        return self._screen([])

    def _screen(self, texts: list[bytes]) -> bytes:
        """The rows that have a text; the others go."""
        areas = tuple(place(self._bx, row, text) for row, text in enumerate(texts) if text)
        kept = {area.id for area in areas}
        return encode_update(BxUpdate(tuple(each for each in self._areas if each not in kept), areas))

    def frame(self, data: bytes) -> BxFrame:
        if self._clearing:
            data = bytes((ALL_AREAS,)) + data[1 + data[0] :]
        return order_of(self._bx, self._address, AREAS, data)

    # Orders.

    def set_brightness(self, level: int) -> list[StripOutput[BxFrame]]:
        """0 is darkest, 15 brightest; kept over a loss of power."""
        if not 0 <= level <= MOST_BRIGHT:
            raise ValueError(f"brightness is 0 to {MOST_BRIGHT}, not {level}")
        self.keep_brightness(level)
        return self._order("brightness", BRIGHTNESS, bytes((1, level)))

    def keep_brightness(self, level: int) -> None:
        """What the card is told when the line opens, or after it lost its power."""
        self._kept["brightness"] = BRIGHTNESS, bytes((1, level))

    def set_power(self, on: bool) -> list[StripOutput[BxFrame]]:
        """Light the panel or leave it dark; kept over a loss of power."""
        self.keep_power(on)
        return self._order("power", POWER, bytes((1 if on else 2,)))

    def keep_power(self, on: bool) -> None:
        """What the card is told when the line opens, or after it lost its power."""
        self._kept["power"] = POWER, bytes((1 if on else 2,))

    def set_time(self, when: datetime) -> list[StripOutput[BxFrame]]:
        """Set the card's clock to this local time."""
        return self._order("time", SET_TIME, encode_time(when))

    def ask_status(self) -> list[StripOutput[BxFrame]]:
        """Ask how it is; `bxdata.read_status` reads the answer."""
        return self._order("status", STATUS)

    def ping(self) -> list[StripOutput[BxFrame]]:
        """Ask whether it is there."""
        return self._order("ping", PING)

    def _order(self, slot: str, command: tuple[int, int], data: bytes = b"") -> list[StripOutput[BxFrame]]:
        self._orders[slot] = _Order(order_of(self._bx, self._address, command, data))
        return [self._give(slot)]

    def _give(self, slot: str) -> Send[BxFrame]:
        given = self._orders[slot]
        given.tries += 1
        given.sent_ms = None
        return Send(given.frame, slot, self._bx.reply_ms if self._bx.acks else 0)

    # The line.

    def line_up(self, now_ms: int) -> list[StripOutput[BxFrame]]:
        self._orders.clear()
        self._silent = False
        return self._anew(now_ms)

    def _anew(self, now_ms: int) -> list[StripOutput[BxFrame]]:
        """Everything that a card may have lost."""
        self._clearing = self._bx.clear
        self._watch_at_ms = now_ms + self._bx.watch_ms if self._bx.acks and self._bx.watch != "nothing" else None
        outputs = [sent for slot, (command, data) in self._kept.items() for sent in self._order(slot, command, data)]
        outputs += super().line_up(now_ms)
        return outputs or self.ping()

    def sent(self, now_ms: int, slot: str = TEXT) -> None:
        self._last = slot
        super().sent(now_ms, slot)
        if slot == TEXT and not self._bx.acks:
            self._clearing = False
        if (given := self._orders.get(slot)) is None:
            return
        if self._bx.acks:
            given.sent_ms = now_ms
        else:
            del self._orders[slot]

    def acknowledges(self, frame: BxFrame) -> bool:
        return (frame.group, frame.number) == TAKEN

    def receive(self, frame: BxFrame, now_ms: int) -> list[StripOutput[BxFrame]]:
        command = frame.group, frame.number
        if command == REFUSED:  # tried again when the time for its answer is over
            why = f"refuses its {self._last}: {refusal(frame)}"
            self.refused = why if self._last == TEXT else self.refused
            return [Ignored(why)]
        if command not in (TAKEN, STATUS):
            return [Ignored(f"no answer: {frame}")]
        if self._watch_at_ms is not None:
            self._watch_at_ms = now_ms + self._bx.watch_ms
        lost, self._silent = self._silent, False
        answered = "status" if command == STATUS else self._last
        self._orders.pop(answered, None)
        if answered == TEXT:
            self._sent_ms = self._owed_ms = None
            self._clearing, self.refused = False, ""
        # One that had been silent may have been without power: it has lost its areas then.
        return [Acknowledged(), *(self._anew(now_ms) if lost else [])]

    def _missed(self, now_ms: int) -> list[StripOutput[BxFrame]]:
        if self.refused:  # it does answer
            self._sent_ms = self._owed_ms = None
            return []
        return super()._missed(now_ms)

    @property
    def wake_at_ms(self) -> int | None:
        late = [given.sent_ms + self._bx.ack_ms for given in self._orders.values() if given.sent_ms is not None]
        times = (super().wake_at_ms, self._watch_at_ms, *late)
        return min((t for t in times if t is not None), default=None)

    def wake(self, now_ms: int) -> list[StripOutput[BxFrame]]:
        outputs: list[StripOutput[BxFrame]] = []
        for slot, given in list(self._orders.items()):
            if given.sent_ms is None or given.sent_ms + self._bx.ack_ms > now_ms:
                continue
            if given.tries < self._bx.tries and not self._silent:
                outputs.append(self._give(slot))
            else:
                del self._orders[slot]
                self._silent = True
                outputs.append(Silent())
        if self._watch_at_ms is not None and self._watch_at_ms <= now_ms:
            self._watch_at_ms = now_ms + self._bx.watch_ms
            if self._sent_ms is None and not self._orders:  # else that is the sign of life
                outputs += self.ask_status() if self._bx.watch == "status" else self.ping()
        return outputs + super().wake(now_ms)
