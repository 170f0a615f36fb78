"""A hall rebuilt from its journal: the configuration in force, then the rows of the newest day."""

from queue_server.domain.events import decode_event
from queue_server.domain.evolve import evolve
from queue_server.domain.model import Hall, empty_hall
from queue_server.store.port import JournalRow, StorePort


async def configuration_before(store: StorePort, name: str, seq: int) -> list[JournalRow]:
    """The rows that make the configuration in force before row `seq` (0: now), and what is planned."""
    return await store.from_newest(name, "configuration", "ConfigurationApplied", before=seq)


async def replay(store: StorePort, name: str, initial: Hall) -> tuple[Hall, int]:
    """The hall as the journal has it, and the time of its last row (ms UTC, 0 for an empty journal)."""
    day = await store.latest_day(name, "queue")
    rows = [row async for row in store.read(name, day=day)] if day else []
    first = next((row.seq for row in rows if row.kind == "DayOpened"), 0)
    hall = empty_hall(initial.configuration)
    in_force = await configuration_before(store, name, first)
    for row in in_force:
        hall = evolve(hall, decode_event(row.kind, row.version, row.data))
    at = in_force[-1].at if in_force else 0
    for row in rows:
        if row.seq >= first:
            hall = evolve(hall, decode_event(row.kind, row.version, row.data))
            at = row.at
    return hall, at
