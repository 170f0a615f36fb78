"""Cards and codes on their way to the server: told once with their age, counted by what became of them, never kept."""

from __future__ import annotations

import asyncio
import uuid
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from devices.drivers.idreader import IdReader
from devices.drivers.scanner import Scanner
from devices.protocols.idcard import Card
from queue_server.wire.agent import CODE_LENGTH, CardRead, CodeRead, FromAgent, ReadingEnded

TOO_OLD_MS: Final = 3_000
"""A person who has waited so long lays the card on again."""
PENDING_LIMIT: Final = 64

Tell = Callable[[Callable[[], FromAgent | None]], bool]
"""Queue a message that is made when it leaves, None for one not worth sending any more; False when there is no server."""


class Readings:
    """Of a card only its number is told (law 10): name and validity end here."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._asked: OrderedDict[str, IdReader | Scanner] = OrderedDict()

    def card(self, reader: IdReader, card: Card | None) -> None:
        """A card was laid on `reader`, None when it cannot be read."""
        number = card.number if card else ""
        self._pass_on(reader, lambda id_, age_ms: CardRead(id=id_, device=reader.device, number=number, age_ms=age_ms))

    def code(self, scanner: Scanner, text: str) -> None:
        """A code was scanned; one too long to be a ticket's is told without its text."""
        told = text if len(text) <= CODE_LENGTH else ""
        self._pass_on(scanner, lambda id_, age_ms: CodeRead(id=id_, device=scanner.device, text=told, age_ms=age_ms))

    def _pass_on(self, device: IdReader | Scanner, message: Callable[[str, int], FromAgent]) -> None:
        name, loop = uuid.uuid4().hex, asyncio.get_running_loop()
        at = loop.time()

        def now() -> FromAgent | None:
            age_ms = int((loop.time() - at) * 1000)
            if age_ms <= TOO_OLD_MS:
                return message(name, age_ms)
            self._drop(name)
            return None

        self._asked[name] = device
        while len(self._asked) > PENDING_LIMIT:
            self._drop(next(iter(self._asked)))
        if not self._tell(now):
            self._drop(name)

    def ended(self, message: ReadingEnded) -> None:
        """The server says what became of one."""
        if not message.used:
            self._drop(message.id)
        elif device := self._asked.pop(message.id, None):
            device.health.counters["used"] += 1

    def server_lost(self) -> None:
        """Nobody will say any more what became of those on their way."""
        for name in list(self._asked):
            self._drop(name)

    def _drop(self, name: str) -> None:
        if device := self._asked.pop(name, None):
            device.health.counters["unused"] += 1
