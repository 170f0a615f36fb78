"""A second reader of ticket bytes, from the printers' manuals by other means; standard library only, no project code."""

from __future__ import annotations

import re
from typing import NamedTuple

# One regular expression of every command that may stand on a ticket; what lies between is text.
_COMMANDS = re.compile(
    rb"(?P<raster>\x1dv0.(?P<size>.{4}))"
    rb"|(?P<symbol>\x1d\(k(?P<length>..))"
    rb"|(?P<cut>\x1dV(?:[\x00\x0101]|[AB].)|\x1b[im])"
    rb"|(?P<ask>\x1dr[\x01\x02])"
    rb"|(?P<on>\x1c&)|(?P<off>\x1c\.)"
    rb"|(?P<size_to>\x1d!(?P<times>.))"
    rb"|\x1b[@2]|\x1d[LW]..|\x1b[!EaJd3tGM-].|\x1c[!W].|\x1dB.",
    re.DOTALL,
)


class Decoded(NamedTuple):
    """What a person and a phone can read off the paper, and whether the printer is asked to confirm it."""

    lines: list[str]
    codes: list[str]
    cuts: int
    asks: int
    biggest: str

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


class Ticket(NamedTuple):
    number: str
    ahead: int
    estimate: tuple[int, int] | None
    matters: str
    time: str
    code: str


def decode(data: bytes) -> Decoded:
    """Read a whole paper; ValueError for a byte that no 2-byte hanzi printer would print right."""
    chunks: list[tuple[bytes, bool, int]] = []
    codes: list[str] = []
    at = cuts = asks = 0
    chinese, times = False, 0
    while at < len(data):
        found = _COMMANDS.match(data, at)
        if found is None:
            if data[at] in b"\x10\x1b\x1c\x1d":
                raise ValueError(f"unknown command {data[at : at + 4].hex(' ')} at {at}")
            step = 2 if chinese and data[at] > 0x80 else 1
            if data[at] > 0x7E and not chinese:
                raise ValueError(f"byte {data[at]:02X} outside Chinese mode at {at}")
            chunks.append((data[at : at + step], chinese, times))
            at += step
            continue
        at = found.end()
        if found["raster"]:
            x, y = found["size"][0] + 256 * found["size"][1], found["size"][2] + 256 * found["size"][3]
            at += x * y
            chunks.append((b"\n", False, 0))
        elif found["symbol"]:
            body = data[at : at + found["length"][0] + 256 * found["length"][1]]
            at += len(body)
            if body[1:2] == b"P":
                codes.append(body[3:].decode())
        elif found["on"] or found["off"]:
            chinese = bool(found["on"])
        elif found["times"]:
            times = found["times"][0]
        cuts += bool(found["cut"])
        asks += bool(found["ask"])
    text = b"".join(piece for piece, _, _ in chunks).decode("gbk")
    top = max(size for _, _, size in chunks)
    biggest = b"".join(piece for piece, _, size in chunks if size == top).decode("gbk").strip()
    return Decoded([line for line in text.split("\n") if line.strip()], codes, cuts, asks, biggest)


def ticket(data: bytes) -> Ticket:
    """Number, people ahead, estimate in minutes, matters, time and phone page of a Chinese ticket."""
    paper = decode(data)
    number = paper.biggest
    ahead = re.search(r"前面 ?(\d+) ?位", paper.text)
    wait = re.search(r"约等 (\d+)(?:-(\d+))? 分钟", paper.text)
    time = re.search(r"取号 (\d{4}-\d\d-\d\d \d\d:\d\d)", paper.text)
    if time is None or (ahead is None and "前面没有人" not in paper.text):
        raise ValueError(f"not a ticket: {paper.text!r}")
    estimate = None
    if wait is not None:
        estimate = (int(wait[1]), int(wait[2] or wait[1]))
    # The matter stands between the zone's line and the number.
    before = paper.lines[: paper.lines.index(number)]
    return Ticket(number, int(ahead[1]) if ahead else 0, estimate, "".join(before), time[1], "".join(paper.codes))
