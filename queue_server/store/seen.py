"""Which idempotency keys surely have no receipt, so that a new key costs no look-up."""

from collections.abc import Iterable
from typing import Final

BITS_MIN: Final = 1 << 23
"""One megabyte: of a quarter of a million keys one in a thousand is looked up for nothing."""

BITS_A_KEY: Final = 32

Key = tuple[str, str]


class Seen:
    """A Bloom filter of the keys of each hall this process writes: it may think that it knows a key, never the opposite.

    Whoever holds the lease is the only one that writes receipts (law 4), so all there are were read at the takeover
    (`begin`, `note`, `trust`) or are noted here before they are written. Of any other hall every key may be known.
    """

    __slots__ = ("_halls", "_trusted")

    def __init__(self) -> None:
        self._halls: dict[str, bytearray] = {}
        self._trusted: set[str] = set()

    def begin(self, hall: str, count: int) -> None:
        """An empty filter, for `count` keys and those to come; until it is trusted, every key may be known."""
        self._trusted.discard(hall)
        self._halls[hall] = bytearray(max(BITS_MIN, 1 << (count * BITS_A_KEY).bit_length()) // 8)

    def trust(self, hall: str) -> None:
        """All keys there are have been noted."""
        self._trusted.add(hall)

    def trusts(self, hall: str) -> bool:
        return hall in self._trusted

    def note(self, hall: str, keys: Iterable[Key]) -> None:
        """Before a receipt is written, so that a commit in doubt leaves none unknown."""
        field = self._halls.get(hall)
        if field is None:
            return
        mask = len(field) * 8 - 1
        for key in keys:
            word = hash(key)
            for place in (word & mask, (word >> 20) & mask, (word >> 38) & mask):
                field[place >> 3] |= 1 << (place & 7)

    def known(self, hall: str, keys: Iterable[Key]) -> list[Key]:
        """Those of the keys that may have a receipt, or that the database had better judge itself."""
        if hall not in self._trusted:
            return list(keys)
        field = self._halls[hall]
        mask, found = len(field) * 8 - 1, []
        for key in keys:
            word = hash(key)
            one, two, three = word & mask, (word >> 20) & mask, (word >> 38) & mask
            there = field[one >> 3] >> (one & 7) & field[two >> 3] >> (two & 7) & field[three >> 3] >> (three & 7) & 1
            if there or not key[1].isascii():
                found.append(key)
        return found
