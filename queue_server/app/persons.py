"""From an identity to the random id that stands for it in events (law 10), and the ticket that person holds."""

import secrets
from collections import OrderedDict

from queue_server.app.hub import Extras, Hub
from queue_server.domain.model import Hall, Ticket
from queue_server.store.port import PERSONAL_KEPT_MS, Lookup, StorePort
from queue_server.wire.common import HallState, TicketState

IN_FLIGHT = 10_000
ID_CARD = "id_card"


class Persons:
    """Knows keyed hashes only; what was read of a card is hashed at the door and dropped."""

    def __init__(self, hub: Hub, store: StorePort) -> None:
        self._hub = hub
        self._store = store
        self._met: OrderedDict[str, str] = OrderedDict()

    def hashed(self, kind: str, number: str) -> str:
        """What stands for an identity wherever it has to be told from others; kind is id_card, phone or passport."""
        return self._store.identity_hash(self._hub.name, kind, number)

    async def known(self, hashed: str) -> str:
        """The person of whom this hall has heard, or ""."""
        return await self._store.person(self._hub.name, hashed, self._hub.clock.now()) or self._met.get(hashed, "")

    async def behind(self, hashed: str) -> tuple[str, Extras]:
        """The person, and what must be written with the command when they are new."""
        now = self._hub.clock.now()
        stored = await self._store.person(self._hub.name, hashed, now)
        if stored:
            return stored, Extras()
        person = self._met.setdefault(hashed, secrets.token_hex(8))
        # Two requests at once are one person; only the store says that it is written.
        while len(self._met) > IN_FLIGHT:
            self._met.popitem(last=False)
        return person, Extras(lookups=[Lookup(hashed, person, now + PERSONAL_KEPT_MS)])


def own_ticket(hall: Hall, person: str) -> Ticket | None:
    """The ticket of a person that is not over: a missed call before one that waits, then the oldest (RULES 16, 28)."""
    if not person or hall.state is HallState.CLOSED:
        return None
    held = {name for (who, _), name in hall.persons.items() if who == person}
    return min((hall.tickets[name] for name in held), key=_concern, default=None)


def _concern(ticket: Ticket) -> tuple[int, int]:
    first = (TicketState.PASSED, TicketState.WAITING)
    return first.index(ticket.state) if ticket.state in first else len(first), ticket.issue
