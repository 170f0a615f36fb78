"""Tickets and services of days that are over, told again from the journal."""

from collections.abc import Collection
from datetime import date

import msgspec

from queue_server.app.calendar import end_of_working_days
from queue_server.app.clock import Clock
from queue_server.domain.configuration import Configuration
from queue_server.domain.events import Event, decode_event
from queue_server.domain.evolve import evolve
from queue_server.domain.model import Hall, Window, empty_hall
from queue_server.store.port import JournalRow, StorePort
from queue_server.wire.common import HallState, WindowState


def rating_until(configuration: Configuration, day: str, clock: Clock) -> int:
    """The end of the rating period of the services of a day, ms UTC (UX P-10)."""
    count = configuration.policy.rating_days
    return end_of_working_days(configuration.hours, date.fromisoformat(day), count, clock.zone)


async def rows_of(store: StorePort, hall: str, ticket: str) -> list[JournalRow]:
    """Every row that tells of a ticket, from its day and from the days on which it was rated; [] for an unknown one."""
    day = await store.day_of(hall, "tickets", ticket)
    if not day:
        return []
    named = [row async for row in store.read(hall, subject="queue", day=day, naming=(ticket,))]
    fields = [_fields(row) for row in named]
    services = {str(each["service"]) for each in fields if each.get("ticket") == ticket and each.get("service")}
    return await _rows(store, hall, day, ticket, services)


async def retell(store: StorePort, hall: str, configuration: Configuration, kind: str, name: str) -> Hall | None:
    """A closed hall of that day with nothing in it but the ticket ("t") or service ("s"); None for an unknown one.

    A service with a ticket brings its ticket. A ticket's own events fit together at windows that nobody else uses.
    """
    if kind == "t":
        rows = await rows_of(store, hall, name)
    else:
        day = await store.day_of(hall, "services", name)
        rows = await _rows(store, hall, day, "", {name}) if day else []
        ticket = next((str(each["ticket"]) for each in map(_fields, rows) if each.get("ticket")), "")
        if ticket:
            rows = await rows_of(store, hall, ticket)
    if not rows:
        return None
    told = empty_hall(configuration)
    told.day = rows[0].day
    told.windows.clear()
    for row in rows:
        event = decode_event(row.kind, row.version, row.data)
        told = _after(told, event)
    told.state = HallState.CLOSED
    return told


async def _rows(store: StorePort, hall: str, day: str, ticket: str, services: Collection[str]) -> list[JournalRow]:
    """The day's rows that are about the ticket or its services, then the ratings of later days."""
    names = [name for name in (ticket, *services) if name]
    rows = [row async for row in store.read(hall, subject="queue", day=day, naming=names)]
    if rows and services:
        rows += [row async for row in store.read(hall, subject="ratings", naming=services, after=rows[0].seq)]
    return [row for row in rows if _is_about(_fields(row), ticket, services)]


def _fields(row: JournalRow) -> dict[str, object]:
    return msgspec.json.decode(row.data, type=dict[str, object])


def _is_about(fields: dict[str, object], ticket: str, services: Collection[str]) -> bool:
    return (bool(ticket) and fields.get("ticket") == ticket) or fields.get("service") in services


def _after(told: Hall, event: Event) -> Hall:
    window = getattr(event, "window", "")
    if window and window not in told.windows:
        told.windows[window] = Window(id=window, state=WindowState.IDLE)
    return evolve(told, event)
