"""Bytes that no protocol knows, kept in bounds: distinct bursts with their counts, for the shape that they may share."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

CHUNKS_LIMIT: Final = 1_500
"""Distinct bursts that are kept; the one not heard for longest goes first."""
CHUNK_LIMIT_BYTES: Final = 600
NEXT_MS: Final = 500
MOMENT_MS: Final = 300
"""A burst that comes again within this time is echoed or repeated; later, it is said anew."""
POLLED: Final = 3
"""Moments from which a burst is taken for one that the old system sends by itself."""
OFTEN_MS: Final = 3_000
FRESH_LIMIT: Final = 256
KEPT_LIMIT_BYTES: Final = 1 << 20
"""Of a line's bytes with their times, to be heard again when more is known: a quarter of an hour of a busy line at 9600 baud."""


@dataclass(slots=True)
class Chunk:
    """A burst of unknown bytes. `before`: the burst before its first coming."""

    raw: bytes
    count: int
    at_ms: int
    before: bytes
    last_ms: int = 0
    moments: int = 0

    def polled(self, within_ms: int, moments: int = POLLED) -> bool:
        """Whether it came at several moments, that close on average."""
        return self.moments >= moments and self.last_ms - self.at_ms <= within_ms * (self.moments - 1)


@dataclass(frozen=True, slots=True)
class Burst:
    """Unknown bytes between two silences."""

    at_ms: int
    raw: bytes


class Kept:
    """The newest bytes of a line with their times, in bounds; what is forgotten is the oldest."""

    def __init__(self) -> None:
        self._pieces = bytearray()  # of each piece eight bytes of time, two of length, and the bytes
        self.limit_bytes = KEPT_LIMIT_BYTES

    def add(self, at_ms: int, data: bytes) -> None:
        """At most 64 kB that came together."""
        self._pieces += at_ms.to_bytes(8, "big") + len(data).to_bytes(2, "big") + data
        if len(self._pieces) > self.limit_bytes:
            cut = 0
            while cut < self.limit_bytes // 4:
                cut += 10 + int.from_bytes(self._pieces[cut + 8 : cut + 10], "big")
            del self._pieces[:cut]

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        at = 0
        while at < len(self._pieces):
            end = at + 10 + int.from_bytes(self._pieces[at + 8 : at + 10], "big")
            yield int.from_bytes(self._pieces[at : at + 8], "big"), bytes(self._pieces[at + 10 : end])
            at = end


class Unknown:
    """What is given with `add` until `end` is one burst."""

    def __init__(self) -> None:
        self._chunks: dict[bytes, Chunk] = {}
        self._now = bytearray()
        self._began_ms = 0
        self._last: tuple[bytes, int] = (b"", -NEXT_MS)
        self.fresh: deque[Burst] = deque(maxlen=FRESH_LIMIT)
        """The bursts that nobody has taken yet."""
        self.bytes = 0
        self._ends = self._plain = 0

    def add(self, data: bytes, at_ms: int) -> None:
        """Bytes that continue the burst."""
        if not data:
            return
        if not self._now:
            self._began_ms = at_ms
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
        at_ms = self._began_ms
        self._ends += 1
        self._plain += raw[-1:] in (b"\r", b"\n") and all(0x20 <= byte < 0x7F or byte in b"\r\n\t" for byte in raw)
        before = self._last[0] if at_ms - self._last[1] <= NEXT_MS else b""
        self._last = (raw, at_ms)
        known = self._chunks.pop(raw, None)
        if known is None:
            known = Chunk(raw, 0, at_ms, before)
            if len(self._chunks) >= CHUNKS_LIMIT:
                del self._chunks[next(iter(self._chunks))]
        known.count += 1
        known.moments += not known.moments or at_ms - known.last_ms >= MOMENT_MS
        known.last_ms = at_ms
        self.fresh.append(Burst(at_ms, raw))
        self._chunks[raw] = known

    def __iter__(self) -> Iterator[Chunk]:
        """The bursts in the order of their first coming."""
        return iter(sorted(self._chunks.values(), key=lambda chunk: chunk.at_ms))

    def __len__(self) -> int:
        return len(self._chunks)

    def find(self, raw: bytes) -> Chunk | None:
        """A burst that came before and is not forgotten."""
        return self._chunks.get(raw)

    @property
    def typed(self) -> bool:
        """Whether it reads as lines of plain text, as of a scanner: what was scanned may be personal."""
        return 2 * self._plain > self._ends and self._plain > 0
