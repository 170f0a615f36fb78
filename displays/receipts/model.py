"""What a paper says, as plain values, and what a printer can do; knows no printer command."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from displays.errors import Malformed

PassPolicy = Literal["requeue", "resume", "void"]
"""RULES 27: called again some places later, restored by whoever holds it, or void."""


class TicketPaper(msgspec.Struct, frozen=True, kw_only=True, tag_field="paper", tag="ticket"):
    """A ticket (RULES 18): no name and no identity number ever.

    `matters` are names, `place` where to wait (二楼 B 区), `windows` which windows to watch (1–6 号任一窗口), both as people
    read them. `wait_low_min`/`wait_high_min` are minutes, both None when no estimate is known. Times are local:
    `taken_at` YYYY-MM-DD HH:MM, `effective_at` HH:MM. `priority` is the class's name, empty for an ordinary ticket, and
    `credit_min` the minutes it is put forward. The pass rule is the hall's policy with its numbers: after how many calls
    a ticket is passed, how many places later it is called again, and after how many passes it is void.
    `url` is the phone page, may be empty.
    `code` is what a kiosk asks for beside the number before a passed ticket waits again; printed where that is the rule.
    """

    hall: str
    zone: str = ""
    number: str
    matters: tuple[str, ...]
    ahead: int
    wait_low_min: int | None = None
    wait_high_min: int | None = None
    place: str = ""
    windows: str = ""
    pass_policy: PassPolicy = "requeue"
    pass_calls: int = 3
    pass_places: int = 3
    pass_limit: int = 2
    taken_at: str
    kiosk: str = ""
    priority: str = ""
    credit_min: int = 0
    effective_at: str = ""
    grievance_window: str = ""
    url: str = ""
    code: str = ""
    reprint: bool = False
    english: bool = True


class UncalledPaper(msgspec.Struct, frozen=True, kw_only=True, tag_field="paper", tag="uncalled"):
    """The slip of somebody whom the day's end left uncalled: priority on `valid_on`, the next working day.

    `day` and `valid_on` are YYYY-MM-DD, `opens` HH:MM.
    """

    hall: str
    number: str
    matters: tuple[str, ...]
    day: str
    valid_on: str
    opens: str = ""
    place: str = ""
    phone: str = ""
    url: str = ""
    reprint: bool = False
    english: bool = True


class TestPaper(msgspec.Struct, frozen=True, kw_only=True, tag_field="paper", tag="test"):
    """A test page for the set-up: what this printer makes of every kind of mark a ticket uses."""

    __test__ = False  # pytest: not a test

    hall: str
    device: str
    printed_at: str
    url: str = ""


Paper = TicketPaper | UncalledPaper | TestPaper

_decoder: Final = msgspec.json.Decoder(Paper)


def encode_paper(paper: Paper) -> bytes:
    """JSON, as `PrintJob.paper` carries it."""
    return msgspec.json.encode(paper)


def decode_paper(text: bytes) -> Paper:
    """The paper of a print job; `Malformed` names the field."""
    try:
        paper: Paper = _decoder.decode(text)
    except msgspec.MsgspecError as error:
        raise Malformed(f"not a paper: {error}") from None
    return paper


class PrinterProfile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a printer's paper and character set can do; HARDWARE 4.2 and 4.3 say why each is a setting.

    dots: width of the print area (80 mm: 576, 58 mm: 384, at 8 dots/mm); margin_dots at the left and the right.
    charset: codec of the printer's hanzi; gb2312 for units that have only those 6,763.
    hanzi_size: commands that enlarge hanzi beside GS !: `fs!`, `fsw` (quadruple) or `none`.
    largest: greatest multiple of GS !, 8 in the command's own definition.
    qr: `native` (GS ( k, the printer draws) or `raster` (we draw, and the hint stands beside it).
    cut: `partial`, `full`, `kiosk` (ESC i), or `none`. feed_lines before `kiosk` and after `none`.
    reverse: white on black works (GS B).
    """

    dots: int = 576
    margin_dots: int = 24
    charset: Literal["gbk", "gb2312"] = "gbk"
    hanzi_size: Literal["fs!", "fsw", "none"] = "fs!"
    largest: int = 8
    qr: Literal["native", "raster"] = "native"
    cut: Literal["partial", "full", "kiosk", "none"] = "partial"
    feed_lines: int = 4
    reverse: bool = True

    def __post_init__(self) -> None:
        if self.width_dots < 16 * 24 - 48 or self.width_dots % 8:
            raise ValueError(f"{self.dots} dots less margins of {self.margin_dots} is no ticket's width")
        if not 1 <= self.largest <= 8:
            raise ValueError(f"largest is 1…8, not {self.largest}")

    @property
    def width_dots(self) -> int:
        """Dots between the margins."""
        return self.dots - 2 * self.margin_dots

    @property
    def columns(self) -> int:
        """Half-width cells of 12 dots in a line of plain text."""
        return self.width_dots // 12


PROFILES: Final[Mapping[str, PrinterProfile]] = {
    "80mm": PrinterProfile(),
    "58mm": PrinterProfile(dots=384, margin_dots=0),
}


def printer_profile(name: str = "80mm", settings: Mapping[str, str] | None = None) -> PrinterProfile:
    """A named profile with settings of this printer put over it; ValueError says what is wrong."""
    if name not in PROFILES:
        raise ValueError(f"printer profile {name!r} is none of {', '.join(PROFILES)}")
    values: dict[str, object] = {**msgspec.structs.asdict(PROFILES[name]), **(settings or {})}
    try:
        return msgspec.convert(values, PrinterProfile, strict=False)
    except msgspec.ValidationError as error:
        raise ValueError(f"printer settings: {error}") from None
