"""Bytes that no protocol knows, kept in bounds: distinct bursts with their counts, for the shape that they may share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

CHUNKS_LIMIT: Final = 1_500
"""Distinct bursts that are kept; the one not heard for longest goes first."""
CHUNK_LIMIT_BYTES: Final = 600
NEXT_MS: Final = 500


@dataclass(slots=True)
class Chunk:
    """A burst of unknown bytes. `by`: the keypad that was pressed just before its first coming; `before`: the burst before it."""

    raw: bytes
    count: int
    at_ms: int
    by: int | None
    before: bytes


class Unknown:
    """What is given with `add` until `end` is one burst."""

    def __init__(self) -> None:
        self._chunks: dict[bytes, Chunk] = {}
        self._now = bytearray()
        self._began: tuple[int, int | None] = (0, None)
        self._last: tuple[bytes, int] = (b"", -NEXT_MS)
        self.bytes = 0
        self._ends = self._plain = 0

    def add(self, data: bytes, at_ms: int, by: int | None) -> None:
        """Bytes that continue the burst."""
        if not data:
            return
        if not self._now:
            self._began = (at_ms, by)
        self.bytes += len(data)
        self._now += data[:CHUNK_LIMIT_BYTES]
        if len(self._now) >= CHUNK_LIMIT_BYTES:
            self.end()

    def end(self) -> None:
        """The line was silent, or known bytes follow."""
        if not self._now:
            return
        raw = bytes(self._now[:CHUNK_LIMIT_BYTES])
        self._now.clear()
        at_ms, by = self._began
        self._ends += 1
        self._plain += raw[-1:] in (b"\r", b"\n") and all(0x20 <= byte < 0x7F or byte in b"\r\n\t" for byte in raw)
        before = self._last[0] if at_ms - self._last[1] <= NEXT_MS else b""
        self._last = (raw, at_ms)
        known = self._chunks.pop(raw, None)
        if known is None:
            known = Chunk(raw, 0, at_ms, by, before)
            if len(self._chunks) >= CHUNKS_LIMIT:
                del self._chunks[next(iter(self._chunks))]
        known.count += 1
        self._chunks[raw] = known

    def __iter__(self) -> Iterator[Chunk]:
        """The bursts in the order of their first coming."""
        return iter(sorted(self._chunks.values(), key=lambda chunk: chunk.at_ms))

    def __len__(self) -> int:
        return len(self._chunks)

    @property
    def typed(self) -> bool:
        """Whether it reads as lines of plain text, as of a scanner: what was scanned may be personal."""
        return 2 * self._plain > self._ends and self._plain > 0
