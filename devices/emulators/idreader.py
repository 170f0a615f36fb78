"""An emulated ID card reader and its synthetic cards: an area code that is assigned to nobody, never a person's data."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from devices.emulators.nodes import Node
from devices.framing.samv import SAMV, SamFrame, SamReply, SamRequest
from devices.protocols.idcard import LONG_TERM, check_digit
from devices.protocols.samv import FIND, FOUND, NONE, NUMBER, OK, READ, SELECT, STATUS

SEQUENCE: Final = "99999919900307001"
"""Area 999999 belongs to no place."""
PHOTO_BYTES: Final = 1024


def synthetic_number(seventeen: str = SEQUENCE) -> str:
    """A number that no person has, with its check digit."""
    return seventeen + check_digit(seventeen)


def record(number: str = "", name: str = "测试", *, since: str = "20200101", until: str = LONG_TERM) -> bytes:
    """The 256 bytes of a citizen's card."""
    number = number or synthetic_number()
    parts = ((name, 30), ("1", 2), ("01", 4), (number[6:14], 16), ("测试地址", 70), (number, 36), ("测试机关", 30))
    return _fields(*parts, (since, 16), (until, 16), ("", 36))


def foreign_record(number: str = "ZZZ999900030799", name: str = "测试", *, until: str = "20300101") -> bytes:
    """The 256 bytes of a foreigner's permanent residence card of the first kind (its layout is from memory)."""
    parts = (("TEST", 120), ("1", 2), (number, 30), ("ZZZ", 6), (name, 30), ("20200101", 16), (until, 16))
    return _fields(*parts, ("19900307", 16), ("01", 4), ("9999", 8), ("I", 2), ("", 6))


def _fields(*parts: tuple[str, int]) -> bytes:
    return b"".join(text.ljust(length // 2).encode("utf-16-le") for text, length in parts)


class EmulatedIdReader(Node[SamFrame]):
    """`put` a card on it, `take` it off; `reads` counts records given.

    Faults, which run down: `removals`: the card is lifted between select and read. `refusals`: readings that end with 41.
    `deaf`: requests it does not hear. `lies`: records whose length says more than there is. `stray`: replies that begin
    AA 00 AA AA, as real ones were seen to. `late_ms` before each answer. `finds_again`: unlike the real ones as far as is
    known, it goes on finding a card that was read.
    """

    codec = SAMV
    device = "id_reader"
    acts = ("put", "take")
    fault_names = ("removals", "refusals", "deaf", "lies", "stray", "late_ms", "finds_again")

    def __init__(self, address: int = 0) -> None:
        super().__init__(address)
        self.card: bytes | None = None
        self.reads = 0
        self.removals = self.refusals = self.deaf = self.lies = self.stray = self.late_ms = 0
        self.finds_again = False
        self.asked: list[SamRequest] = []
        self._read = self._selected = False

    def put(self, card: bytes | None = None) -> None:
        """Lay a card on it, a synthetic one unless given."""
        self.card, self._read, self._selected = card or record(), False, False

    def take(self) -> None:
        """Lift the card."""
        self.card, self._read, self._selected = None, False, False

    async def act(self, verb: str, words: Sequence[str]) -> None:
        match verb, words:
            case "put", [*name]:
                self.put(record(name=name[0] if name else "测试"))
            case "take", []:
                self.take()
            case _:
                await super().act(verb, words)

    async def receive(self, frame: SamFrame) -> None:
        if not isinstance(frame, SamRequest):
            return
        self.asked = [*self.asked[-99:], frame]
        if self.deaf:
            self.deaf -= 1
            return
        if self.late_ms:
            await asyncio.sleep(self.late_ms / 1000)
        reply = self._reply(frame)
        if self.stray:
            self.stray -= 1
            reply = SamReply(reply.status, reply.data, lead=b"\xaa\x00\xaa\xaa")
        await self.transmit(reply)

    def _reply(self, frame: SamRequest) -> SamReply:
        if frame == STATUS:
            return SamReply(OK)
        if frame == NUMBER:
            return SamReply(OK, bytes(16))
        if frame == FIND:
            there = self.card is not None and (self.finds_again or not self._read)
            return SamReply(FOUND, bytes(4)) if there else SamReply(NONE)
        if frame == SELECT:
            self._selected = self.card is not None
            if self.removals:
                self.removals -= 1
                self.take()
                return SamReply(OK, bytes(8))
            return SamReply(OK, bytes(8)) if self._selected else SamReply(0x81)
        if frame == READ:
            return self._record()
        return SamReply(0x21)

    def _record(self) -> SamReply:
        if self.refusals or self.card is None or not self._selected:
            self.refusals = max(0, self.refusals - 1)
            return SamReply(0x41)
        text = len(self.card)
        if self.lies:
            self.lies -= 1
            text += 64
        else:
            self._read, self.reads = True, self.reads + 1
        head = text.to_bytes(2, "big") + PHOTO_BYTES.to_bytes(2, "big")
        return SamReply(OK, head + self.card + bytes(PHOTO_BYTES))

    def state(self) -> dict[str, object]:
        return {"card": self.card is not None, "reads": self.reads}
