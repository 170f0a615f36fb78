"""How a stream of bytes travels in the reports of a USB device; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

STYLES: Final = ("stream", "padded", "counted")


@dataclass(frozen=True, slots=True)
class Reports:
    """`stream`: bytes as they come. `padded`: what is sent is filled with zeros to whole reports, what comes is as it comes.

    `counted`: the first byte of a report says how many of the following belong to the stream. `id`: a report's first byte
    before all that, sent and expected; None when the device has no numbered reports.
    """

    style: str = "stream"
    id: int | None = None

    def __post_init__(self) -> None:
        if self.style not in STYLES:
            raise ValueError(f"report is one of {', '.join(STYLES)}, not {self.style!r}")
        if self.id is not None and not 0 < self.id <= 0xFF:
            raise ValueError(f"a report's id is 01 to ff, not {self.id:02x}")

    @property
    def _head(self) -> bytes:
        return b"" if self.id is None else bytes((self.id,))

    def pack(self, data: bytes, size: int) -> list[bytes]:
        """`data` in transfers, of `size` bytes each unless it is a stream; ValueError when a report has no room."""
        if self.style == "stream":
            return [self._head + data]
        counted = self.style == "counted"
        room = min(size - len(self._head) - counted, 0xFF)
        if room < 1:
            raise ValueError(f"a report of {size} bytes has no room")
        pieces = [data[at : at + room] for at in range(0, len(data), room)]
        return [(self._head + bytes((len(piece),)) * counted + piece).ljust(size, b"\0") for piece in pieces]

    def unpack(self, report: bytes) -> bytes | None:
        """The stream's bytes in a report; None when it is another one, or shorter than it says."""
        if not report.startswith(self._head):
            return None
        body = report[len(self._head) :]
        if self.style != "counted":
            return body
        return body[1 : 1 + body[0]] if body and len(body) > body[0] else None
