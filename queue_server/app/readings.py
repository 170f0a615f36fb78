"""What is read at kiosks, cards and codes: in memory, for seconds, on its way to the one page that stands there (law 10)."""

import asyncio
import secrets
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from queue_server.app.hub import Hub
from queue_server.app.persons import ID_CARD, Persons, own_ticket
from queue_server.app.texts import words
from queue_server.app.tokens import Tokens
from queue_server.domain.errors import Rejected, Unavailable
from queue_server.domain.model import Hall
from queue_server.store.port import StoreError
from queue_server.wire.agent import CardRead, CodeRead, ReadingEnded, ToAgent
from queue_server.wire.common import TicketState
from queue_server.wire.live import Reading

TOO_OLD_MS = 3_000
ANSWER_S = 3.0
"""A page that has not answered by then is not looking."""

CARD_S = 600.0
"""A card is remembered no longer, however busy its holder is at the page."""

PENDING_MAX = 64
READS: dict[str, type[CardRead] | type[CodeRead]] = {"id_reader": CardRead, "scanner": CodeRead}

Tell = Callable[[ToAgent], bool]
"""To the agent that read it."""


class Page(Protocol):
    """A kiosk's page. `say` never blocks and is False when it is gone."""

    def say(self, message: Reading) -> bool: ...


@dataclass(slots=True)
class _Card:
    """A card by the hash of its number, until the loop's time `until`, s."""

    hashed: str = field(repr=False)
    until: float


@dataclass(slots=True)
class _Seat:
    """A page, the box it is open on, and the card that lies there by its token; beside it one the page has yet to answer."""

    page: Page
    kiosk: str
    box: str
    cards: dict[str, _Card] = field(default_factory=dict, repr=False)


@dataclass(slots=True)
class _Waiting:
    """A reading that its page has not answered yet; `token` is a card's, "" for anything else."""

    tell: Tell
    seat: _Seat
    token: str
    deadline: float


class Readings:
    """Every reading ends once: used by its page, or dropped and counted, and its agent is told which."""

    def __init__(self, hub: Hub, persons: Persons, tokens: Tokens) -> None:
        self._hub = hub
        self._persons = persons
        self._tokens = tokens
        self._seats: list[_Seat] = []
        self._waiting: OrderedDict[str, _Waiting] = OrderedDict()
        self.ended: Counter[str] = Counter()
        """By outcome: "used", or why it was dropped."""

    # --- pages ---

    def seated(self, kiosk: str, box: str, page: Page) -> None:
        """A paired box shows this kiosk's page; of several the newest is the one that stands there."""
        self.left(page)
        self._seats.append(_Seat(page, kiosk, box))

    def left(self, page: Page) -> None:
        """The page is gone, and the card with it."""
        self._seats = [seat for seat in self._seats if seat.page is not page]

    def forget(self, page: Page) -> None:
        """Its citizen has left (UX K-10); a card that was laid on since is the next one's."""
        unanswered = {waiting.token for waiting in self._waiting.values()}
        for seat in self._seats:
            if seat.page is page:
                seat.cards = {token: card for token, card in seat.cards.items() if token in unanswered}

    def answered(self, page: Page, reading: str, used: bool) -> None:
        """The page has used it, or had no use for it."""
        waiting = self._waiting.get(reading)
        if waiting is None or waiting.seat.page is not page:
            return
        if used and waiting.token:
            self.forget(page)  # the one before it
        self._end_waiting(reading, "" if used else "not-wanted")

    def holder(self, box: str, token: str) -> str:
        """The hash behind a card that lies at this box; Rejected when it is there no more."""
        now = asyncio.get_running_loop().time()
        for seat in self._seats:
            card = seat.cards.get(token) if seat.box == box else None
            if card is not None and now < card.until:
                return card.hashed
        raise Rejected("card-gone")

    # --- agents ---

    async def heard(self, agent: str, tell: Tell, read: CardRead | CodeRead) -> None:
        """Pass it on to the page of its kiosk, or end it here."""
        try:
            reason = await self._pass_on(agent, tell, read)
        except (Unavailable, StoreError):
            reason = "unavailable"
        if reason:
            self._end(tell, read.id, reason)

    async def _pass_on(self, agent: str, tell: Tell, read: CardRead | CodeRead) -> str:
        """Why it is dropped; "" when its page has it."""

        def kiosk_of(hall: Hall) -> str | None:
            device = hall.catalogue.devices.get(read.device)
            fits = device is not None and device.agent == agent and isinstance(read, READS.get(device.kind, ()))
            return device.settings.get("kiosk", "") if fits and device is not None else None

        kiosk = await self._hub.read(kiosk_of)
        seat = next((each for each in reversed(self._seats) if each.kiosk == kiosk), None)
        if kiosk is None:
            return "unknown-device"
        if not kiosk:
            return "no-kiosk"
        if read.age_ms > TOO_OLD_MS:
            return "too-old"
        if seat is None:
            return "no-page"
        if isinstance(read, CardRead):
            reading = await self._card(read, seat)
        else:
            reading = self._code(read)
        if reading is None:
            return "malformed"
        # Law 4: another process may own the hall by now.
        if not (self._hub.may_act() and seat.page.say(reading)):
            seat.cards.pop(reading.token, None)
            return "unavailable"
        deadline = asyncio.get_running_loop().time() + ANSWER_S
        self._wait(read.id, _Waiting(tell, seat, reading.token if reading.kind == "card" else "", deadline))
        return ""

    async def _card(self, read: CardRead, seat: _Seat) -> Reading | None:
        epoch = self._hub.lease.epoch
        if not read.number:
            return Reading(id=read.id, epoch=epoch, kind="said", text=words("card-unread"))
        number = read.number.strip().upper()
        if not (number.isascii() and number.isalnum() and len(number) >= 15):
            return None
        hashed = self._persons.hashed(ID_CARD, number)
        person = await self._persons.known(hashed)

        def held(hall: Hall) -> tuple[str, bool]:
            ticket = own_ticket(hall, person)
            return (ticket.number, ticket.state is TicketState.PASSED) if ticket else ("", False)

        held_number, passed = await self._hub.read(held)
        token = secrets.token_urlsafe(16)
        seat.cards[token] = _Card(hashed, asyncio.get_running_loop().time() + CARD_S)
        return Reading(id=read.id, epoch=epoch, kind="card", token=token, number=held_number, passed=passed)

    def _code(self, read: CodeRead) -> Reading:
        epoch, token = self._hub.lease.epoch, self._tokens.found_in(read.text)
        if token:
            return Reading(id=read.id, epoch=epoch, kind="ticket", token=token)
        return Reading(id=read.id, epoch=epoch, kind="said", text=words("code-strange"))

    def _wait(self, name: str, waiting: _Waiting) -> None:
        if name in self._waiting:
            self._end_waiting(name, "no-answer")
        self._waiting[name] = waiting
        while len(self._waiting) > PENDING_MAX:
            self._end_waiting(next(iter(self._waiting)), "no-answer")

    def end_late(self, time: float) -> None:
        """Readings whose page has not answered by `time` (the loop's, s) are dropped, and cards that lie too long forgotten."""
        for name, waiting in list(self._waiting.items()):
            if time > waiting.deadline:
                self._end_waiting(name, "no-answer")
        for seat in self._seats:
            seat.cards = {token: card for token, card in seat.cards.items() if time < card.until}

    def _end_waiting(self, name: str, reason: str) -> None:
        waiting = self._waiting.pop(name)
        if reason:
            waiting.seat.cards.pop(waiting.token, None)
        self._end(waiting.tell, name, reason)

    def _end(self, tell: Tell, name: str, reason: str) -> None:
        self.ended[reason or "used"] += 1
        tell(ReadingEnded(epoch=self._hub.lease.epoch, id=name, used=not reason, reason=reason))
