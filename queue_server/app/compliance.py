"""The days' rating devices and terminals, read from the journal (RULES 37, 38, 89)."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

from queue_server.app.clock import Clock
from queue_server.app.replay import configuration_before
from queue_server.domain.availability import READ, Midnight, Use, uses
from queue_server.domain.events import DayOpened, decode_event
from queue_server.store.port import JournalRow, StorePort

DAYS_MAX = 92
"""The longest period of one report."""

_KINDS = tuple(kind.__name__ for kind in READ)


@dataclass(frozen=True, slots=True)
class Report:
    """`uses` in the days' order; `invited` counts invitations by (day, window): by device, and by QR code."""

    uses: list[Use]
    invited: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)


def days_between(since: date, until: date) -> Iterator[str]:
    """Both ends included."""
    for count in range((until - since).days + 1):
        yield (since + timedelta(days=count)).isoformat()


async def report(store: StorePort, hall: str, clock: Clock, since: date, until: date, now: int) -> Report:
    """The local days of the period; a day that goes on is counted up to `now` (ms UTC)."""
    rows: list[JournalRow] = []
    before = await store.day_before(hall, "DayOpened", since.isoformat())  # its night goes on into the period
    for day in (before, *days_between(since, until)) if before else days_between(since, until):
        rows += [row async for row in store.read(hall, day=day, kinds=_KINDS)]
    first = next((index for index, row in enumerate(rows) if row.kind == "DayOpened"), None)
    if first is None:
        return Report([])
    rows = rows[first:]
    told = [*await configuration_before(store, hall, rows[0].seq), *rows]
    latest = await store.latest_day(hall, "queue")
    end = now if latest <= until.isoformat() else await _next_opening(store, hall, rows[-1])
    midnights = [(clock.midnight(day), Midnight(day)) for day in days_between(since, until + timedelta(days=1))]
    found = await asyncio.to_thread(_uses, told, end, midnights)
    invited = await store.invited(hall, since.isoformat(), until.isoformat())
    return Report([use for use in found if since.isoformat() <= use.day <= until.isoformat()], invited)


def _uses(rows: list[JournalRow], end: int, midnights: list[tuple[int, Midnight]]) -> list[Use]:
    """Out of the loop's way: a quarter of a large hall is seconds of work."""
    told = ((row.at, decode_event(row.kind, row.version, row.data)) for row in rows)
    return list(uses(told, end, midnights))


async def _next_opening(store: StorePort, hall: str, last: JournalRow) -> int:
    """When the day of the period's `last` row gave way to the next one: so long its terminals are counted.

    One look, however long nobody opened: the journal's next rows are those of that day's end, then the opening.
    """
    async for row in store.read(hall, kinds=(DayOpened.__name__,), after=last.seq, limit=1):
        return row.at
    return last.at
