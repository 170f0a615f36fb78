"""From the bytes or keys of a scanner to whole codes (HARDWARE 5.2, 5.3)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from devices.framing.evdev import DOWN, HELD, KEY, SYN, SYN_DROPPED, UP, InputEvent
from devices.framing.scans import ALIVE, HEARTBEAT, WRITE, GmCommand, GmReply, ScanFrame, ScanText
from devices.protocols.base import Ignored, Mute, Send

LONGEST_CODE: Final = 4096
"""Bytes or characters; a QR code holds at most 2,953 bytes."""
ENDS: Final = {"cr": b"\r", "lf": b"\n", "crlf": b"\r\n", "tab": b"\t", "none": b""}
ENCODINGS: Final = {"auto": ("utf-8", "gb18030"), "utf-8": ("utf-8",), "gbk": ("gb18030",)}
NO_CODE: Final = re.compile("[\x00-\x03\x05-\x08\x0b\x0c\x0e-\x1c\x1f]")
"""Control characters other than the ends of lines and the separators of parcel codes (EOT, GS, RS)."""


@dataclass(frozen=True, slots=True)
class ScanSettings:
    """`terminator`: cr, lf, crlf, tab, or none for a scanner whose codes end with `idle_ms` of silence.

    `give_up_ms`: a code that has no end after this silence is dropped. `encoding`: auto (UTF-8, else GBK), utf-8 or gbk.
    `repeat_ms`: the same code again within this time is one. `heartbeat_ms`: between signs of life of a module, 0 for none.
    """

    terminator: str = "cr"
    idle_ms: int = 70
    give_up_ms: int = 500
    encoding: str = "auto"
    repeat_ms: int = 1_500
    heartbeat_ms: int = 8_000
    reply_ms: int = 500
    tries: int = 3

    def __post_init__(self) -> None:
        if self.terminator not in ENDS:
            raise ValueError(f"a scanner's terminator is one of {', '.join(ENDS)}, not {self.terminator!r}")
        if self.encoding not in ENCODINGS:
            raise ValueError(f"a scanner's encoding is one of {', '.join(ENCODINGS)}, not {self.encoding!r}")
        if min(self.idle_ms, self.give_up_ms, self.reply_ms, self.tries) < 1 or self.heartbeat_ms < 0:
            raise ValueError("times and counts of a scanner are at least 1")


@dataclass(frozen=True, slots=True)
class Code:
    """A whole code; lives in memory only, its text form tells nothing."""

    text: str = field(repr=False)


ScanOutput = Send[ScanFrame] | Code | Mute | Ignored


class ScanTalk(Protocol):
    """One scanner's conversation. Times are milliseconds of any clock that never goes back."""

    def line_up(self, now_ms: int) -> list[ScanOutput]:
        """The line is open (again)."""

    def receive(self, frame: Any, now_ms: int) -> list[ScanOutput]:
        """Bytes, keys or an answer."""

    def sent(self, now_ms: int) -> None:
        """A question has left."""

    @property
    def wake_at_ms(self) -> int | None:
        """When `wake` has something to do."""

    def wake(self, now_ms: int) -> list[ScanOutput]:
        """Time has come."""


class _Once:
    """Drops a code that is seen twice because the slip still lies under the scanner."""

    def __init__(self, repeat_ms: int) -> None:
        self._repeat_ms = repeat_ms
        self._last = ("", 0)

    def pass_on(self, text: str, now_ms: int) -> list[ScanOutput]:
        text = text.strip()
        if not text:
            return []  # between CR and LF
        (before, at_ms), self._last = self._last, (text, now_ms)
        return [] if text == before and now_ms - at_ms < self._repeat_ms else [Code(text)]


class TextScanner:
    """A scanner that sends text over a serial line or a socket."""

    def __init__(self, settings: ScanSettings) -> None:
        self._settings = settings
        self._end = ENDS[settings.terminator]
        self._text = bytearray()
        self._overlong = False
        self._heard_ms = 0
        self._once = _Once(settings.repeat_ms)

    def line_up(self, now_ms: int) -> list[ScanOutput]:
        self._text.clear()
        self._overlong = False
        return []

    def sent(self, now_ms: int) -> None:
        return None

    def receive(self, frame: Any, now_ms: int) -> list[ScanOutput]:
        if not isinstance(frame, ScanText):
            return [Ignored("no scanned text")]
        self._heard_ms = now_ms
        self._text += frame.data
        found: list[ScanOutput] = []
        # The last byte of CR LF is enough, and a scanner that sends only CR of the two is understood.
        while self._end and (at := self._ended()) >= 0:
            piece = bytes(self._text[:at])
            del self._text[: at + 1]
            found += self._whole(piece, now_ms)
        if len(self._text) > LONGEST_CODE:
            self._text.clear()
            self._overlong = True
        return found

    def _ended(self) -> int:
        return min((at for byte in self._end if (at := self._text.find(byte)) >= 0), default=-1)

    def _whole(self, raw: bytes, now_ms: int) -> list[ScanOutput]:
        if self._overlong:
            self._overlong = False
            return [Ignored(f"a code of more than {LONGEST_CODE} bytes")]
        for encoding in ENCODINGS[self._settings.encoding]:
            try:
                text = raw.decode(encoding)
            except UnicodeDecodeError:
                continue
            if NO_CODE.search(text):
                return [Ignored("a code with control characters in it: noise, or a device that is no scanner")]
            return self._once.pass_on(text, now_ms)
        return [Ignored(f"a code that is not {self._settings.encoding}: set the encoding")]

    @property
    def wake_at_ms(self) -> int | None:
        wait_ms = self._settings.give_up_ms if self._end else self._settings.idle_ms
        return self._heard_ms + wait_ms if self._text or self._overlong else None

    def wake(self, now_ms: int) -> list[ScanOutput]:
        at_ms = self.wake_at_ms
        if at_ms is None or now_ms < at_ms:
            return []
        raw = bytes(self._text)
        self._text.clear()
        if not self._end or self._overlong:
            return self._whole(raw, now_ms)
        return [Ignored(f"a code without its end: is the terminator {self._settings.terminator}?")]


class GmScanner:
    """A GM65-class module: a text scanner that also answers."""

    def __init__(self, settings: ScanSettings) -> None:
        self._settings = settings
        self._text = TextScanner(settings)
        self._ask_at_ms: int | None = None
        self._late_at_ms: int | None = None
        self._unanswered = 0

    def trigger(self) -> list[ScanOutput]:
        """Read one code now; for a module in command mode."""
        return [Send(GmCommand(WRITE, 0x0002, b"\x01"), in_turn=True)]

    def line_up(self, now_ms: int) -> list[ScanOutput]:
        self._unanswered = 0
        self._text.line_up(now_ms)
        return self._ask()

    def _ask(self) -> list[ScanOutput]:
        self._ask_at_ms = self._late_at_ms = None
        return [Send(GmCommand(HEARTBEAT, 0, b"\0"), "alive")] if self._settings.heartbeat_ms else []

    def sent(self, now_ms: int) -> None:
        if self._settings.heartbeat_ms:
            self._late_at_ms = now_ms + self._settings.reply_ms

    def receive(self, frame: Any, now_ms: int) -> list[ScanOutput]:
        self._unanswered = 0
        if self._settings.heartbeat_ms:  # whatever it says, it lives
            self._late_at_ms, self._ask_at_ms = None, now_ms + self._settings.heartbeat_ms
        if not isinstance(frame, GmReply):
            return self._text.receive(frame, now_ms)
        known = frame.kind == ALIVE or frame.data == b"\0"
        return [] if known else [Ignored(f"an answer of {len(frame.data)} bytes to no question")]

    @property
    def wake_at_ms(self) -> int | None:
        times = (self._text.wake_at_ms, self._late_at_ms, self._ask_at_ms)
        return min((at for at in times if at is not None), default=None)

    def wake(self, now_ms: int) -> list[ScanOutput]:
        found = self._text.wake(now_ms)
        if self._late_at_ms is not None and self._late_at_ms <= now_ms:
            self._unanswered += 1
            if self._unanswered == self._settings.tries:
                found.append(Mute())
            # A silent one is asked seldom: a module that scans without answering must not be drowned in questions.
            wait_ms = 0 if self._unanswered < self._settings.tries else self._settings.heartbeat_ms
            self._late_at_ms, self._ask_at_ms = None, now_ms + wait_ms
        if self._ask_at_ms is not None and self._ask_at_ms <= now_ms:
            found += self._ask()
        return found


def _row(first: int, plain: str, shifted: str) -> dict[int, tuple[str, str]]:
    return {first + at: pair for at, pair in enumerate(zip(plain, shifted, strict=True))}


_KEYS: Final = {
    **_row(2, "1234567890-=", "!@#$%^&*()_+"),
    **_row(16, "qwertyuiop[]", "QWERTYUIOP{}"),
    **_row(30, "asdfghjkl;'`", 'ASDFGHJKL:"~'),
    **_row(43, "\\zxcvbnm,./", "|ZXCVBNM<>?"),
    **_row(71, "789-456+1230.", "789-456+1230."),
    55: ("*", "*"),
    57: (" ", " "),
    98: ("/", "/"),
}
"""Key codes of linux/input-event-codes.h on a US layout, which scanners type unless told otherwise."""
_SHIFTS: Final = frozenset((42, 54))
_ENTERS: Final = frozenset((28, 96))
_TAB: Final = 15


class WedgeScanner:
    """A scanner or card reader that types: keys in, codes out. Without `terminator` a pause ends a code."""

    def __init__(self, settings: ScanSettings) -> None:
        self._settings = settings
        self._ends = {"tab": frozenset((_TAB,)), "none": frozenset[int]()}.get(settings.terminator, _ENTERS)
        self._once = _Once(settings.repeat_ms)
        self._shifts: set[int] = set()
        self._text: list[str] = []
        self._heard_ms = 0

    def line_up(self, now_ms: int) -> list[ScanOutput]:
        self._text.clear()
        self._shifts.clear()
        return []

    def sent(self, now_ms: int) -> None:
        return None

    def receive(self, frame: Any, now_ms: int) -> list[ScanOutput]:
        match frame:
            case InputEvent(type=kind, code=code) if kind == SYN and code == SYN_DROPPED:
                self.line_up(now_ms)
                return [Ignored("keys were lost: this machine was too slow")]
            case InputEvent(type=kind, code=code, value=value) if kind == KEY:
                return self._key(code, value, now_ms)
            case _:
                return []  # time marks and scan codes accompany every key

    def _key(self, code: int, value: int, now_ms: int) -> list[ScanOutput]:
        if code in _SHIFTS:
            (self._shifts.discard if value == UP else self._shifts.add)(code)
            return []
        if value != DOWN:
            return []
        self._heard_ms = now_ms
        if code in self._ends:
            return self._whole(now_ms)
        pair = _KEYS.get(code)
        if pair is None:
            return [] if code in _ENTERS or code == _TAB else [Ignored(f"key {code} is no character")]
        self._text.append(pair[bool(self._shifts)])
        if len(self._text) > LONGEST_CODE:
            self._text.clear()
            return [Ignored(f"a code of more than {LONGEST_CODE} characters")]
        return []

    def _whole(self, now_ms: int) -> list[ScanOutput]:
        text = "".join(self._text)
        self._text.clear()
        return self._once.pass_on(text, now_ms)

    @property
    def wake_at_ms(self) -> int | None:
        wait_ms = self._settings.give_up_ms if self._ends else self._settings.idle_ms
        return self._heard_ms + wait_ms if self._text else None

    def wake(self, now_ms: int) -> list[ScanOutput]:
        at_ms = self.wake_at_ms
        if at_ms is None or now_ms < at_ms:
            return []
        if not self._ends:
            return self._whole(now_ms)
        self._text.clear()
        return [Ignored(f"a code without its end: is the terminator {self._settings.terminator}?")]


def keys_of(text: str, end: int | None = 28) -> list[InputEvent]:
    """What a scanner types for `text`, with `end` (Enter) after it; ValueError for a character it cannot type."""
    typed: dict[str, tuple[int, bool]] = {}
    for code, (plain, shifted) in _KEYS.items():
        typed.setdefault(plain, (code, False))
        typed.setdefault(shifted, (code, True))
    events: list[InputEvent] = []
    for char in text:
        if char not in typed:
            raise ValueError(f"a keyboard cannot type {char!r}")
        code, shift = typed[char]
        presses = [(42, DOWN)] * shift + [(code, DOWN), (code, UP)] + [(42, UP)] * shift
        events += [event for key, value in presses for event in (InputEvent(KEY, key, value), InputEvent(SYN, 0, 0))]
    if end is not None:
        events += [InputEvent(KEY, end, value) for value in (DOWN, HELD, UP)]
    return events
