"""What a ticket printer answers, cut into replies, and the few commands that ask it (HARDWARE 4.1)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

ASK_PAPER: Final = b"\x1dr\x01"
"""GS r 1: answered when everything before it has been printed."""
ASB_ON: Final = b"\x1da\x0f"
"""GS a: four bytes on each change of drawer, line, error and paper."""
ASK_FULL: Final = b"\x10\x04\x14"
"""Custom and Reliance kiosk printers: full status."""
CLEAR: Final = b"\x10\x14\x08\x01\x03\x14\x01\x06\x02\x08"
"""DLE DC4 8: forget what waits in the buffer (from memory; a setting, off unless tried)."""

XON: Final = 0x11
XOFF: Final = 0x13
FULL_HEAD: Final = b"\x10\x0f"
FULL_BYTES: Final = 6
ASB_BYTES: Final = 4


def ask_status(part: int) -> bytes:
    """DLE EOT n: 1 printer, 2 offline cause, 3 error cause, 4 paper; overtakes the print buffer."""
    if not 1 <= part <= 4:
        raise ValueError(f"DLE EOT knows 1…4, not {part}")
    return bytes((0x10, 0x04, part))


@dataclass(frozen=True, slots=True)
class Realtime:
    """A byte with the fixed bits of a DLE EOT reply; which of the four, only the asker knows."""

    value: int


@dataclass(frozen=True, slots=True)
class Plain:
    """A byte without fixed bits: a GS r reply, or DLE EOT of a printer that leaves them out (Reliance)."""

    value: int


@dataclass(frozen=True, slots=True)
class Asb:
    """Four bytes of automatic status."""

    data: bytes


@dataclass(frozen=True, slots=True)
class FullStatus:
    """Four bytes of full status: paper, user, recoverable, unrecoverable."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Flow:
    """XON or XOFF."""

    go: bool


@dataclass(frozen=True, slots=True)
class Noise:
    """Bytes that no printer of this family sends."""

    data: bytes


Reply = Realtime | Plain | Asb | FullStatus | Flow | Noise


class StatusReader:
    """Demultiplexes the answers by the masks of HARDWARE 4.1 (from memory there); holds at most five bytes."""

    def __init__(self, *, full_status: bool = False) -> None:
        self._full_status = full_status
        self._held = b""

    def reset(self) -> None:
        """Forget half a reply."""
        self._held = b""

    def feed(self, data: bytes) -> list[Reply]:
        """The replies that `data` completes, in order; never raises."""
        return [reply for value in data for reply in self._take(value)]

    def _take(self, value: int) -> Iterator[Reply]:
        if self._full_status and self._held and (self._held + bytes((value,))).startswith(FULL_HEAD):
            yield from self._complete(value, FULL_BYTES)
        elif value in (XON, XOFF):
            yield Flow(value == XON)
        elif self._held and value & 0x90 == 0:
            yield from self._complete(value, ASB_BYTES)
        else:
            if self._held:
                yield Noise(self._held)
                self._held = b""
            if value & 0x93 == 0x10:
                self._held = bytes((value,))
            elif value & 0x93 == 0x12:
                yield Realtime(value)
            elif value & 0x90 == 0:
                yield Plain(value)
            else:
                yield Noise(bytes((value,)))

    def _complete(self, value: int, size: int) -> Iterator[Reply]:
        self._held += bytes((value,))
        if len(self._held) == size:
            full = size == FULL_BYTES
            yield FullStatus(self._held[2:]) if full else Asb(self._held)
            self._held = b""
