"""Availability over days that were opened and days that were not, from a journal on both databases (RULES 37, 89)."""

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy.event import listen

from queue_server.app.clock import Clock
from queue_server.app.compliance import DAYS_MAX, days_between, report
from queue_server.domain import events as e
from queue_server.domain.availability import RATING, TERMINAL, Gap
from queue_server.domain.configuration import KIOSK_PAGE, Configuration, Kiosk, Zone, ZoneKind
from queue_server.domain.events import VERSION, encode_event
from queue_server.store.port import Batch, NewEvent
from queue_server.store.store import Store
from queue_server.wire.common import DeviceState
from tests.halls import configuration
from tests.store.sample import HALL

CLOCK = Clock("Asia/Shanghai")
HOUR_MS = 3_600_000
FRIDAY, SATURDAY, SUNDAY, MONDAY = "2026-01-09", "2026-01-10", "2026-01-11", "2026-01-12"
PAGE = f"{KIOSK_PAGE}K2"


def moment(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=CLOCK.zone).timestamp() * 1000)


def with_night_terminal() -> Configuration:
    plain = configuration()
    fields = {name: getattr(plain, name) for name in plain.__struct_fields__}
    night = Zone(id="N", name="夜间", kind=ZoneKind.SELF_SERVICE)
    return Configuration(**{**fields, "zone": (*plain.zone, night), "kiosk": (Kiosk(id="K2", zone="N"),)})


async def weekend(store: Store, *, off: bool = False) -> None:
    """Opened on Friday and on Monday from 8 to 17; the night's terminal is away on Saturday from 22 to 2.

    `off`: the server is off from Friday afternoon until Monday morning, so Friday ends only then.
    """

    def row(event: e.Event, day: str, when: str, subject: str = "queue") -> NewEvent:
        return NewEvent(subject, day, moment(when), "", "", type(event).__name__, VERSION, encode_event(event))

    def turned(day: str, before: str, *known: e.DeviceAt) -> list[NewEvent]:
        start, end = f"{day} 08:00", f"{MONDAY} 07:50" if off and day == FRIDAY else f"{day} 17:00"
        began = e.DayOpened(day=day, previous_day=before, at=moment(start), devices=known)
        return [row(began, day, start), row(e.DayEnded(at=moment(end)), day, end)]

    def page(state: DeviceState, when: str) -> NewEvent:
        changed = e.DeviceChanged(device=PAGE, state=state, printer=None, error="", at=moment(when))
        return row(changed, FRIDAY, when)

    online = e.DeviceAt(device=PAGE, state=DeviceState.ONLINE, printer=None, since=1, offline_since=0, error="")
    applied = e.ConfigurationApplied(version=1, source="test", configuration=with_night_terminal())
    away = [page(DeviceState.OFFLINE, f"{SATURDAY} 22:00"), page(DeviceState.ONLINE, f"{SUNDAY} 02:00")]
    signed_in = e.WindowOpened(window="1", staff="s", staff_name="", at=moment(f"{FRIDAY} 09:00"))
    began, ended = turned(FRIDAY, "", online)
    events = [
        row(applied, "", f"{FRIDAY} 07:00", "configuration"),
        began,
        *([row(signed_in, FRIDAY, f"{FRIDAY} 09:00")] if off else []),
        ended,
        *([] if off else away),
        *turned(MONDAY, FRIDAY, online),
    ]
    await store.commit(await store.take_over(HALL, "a"), Batch(events=events))


WHOLE = {FRIDAY: 16, SATURDAY: 24, SUNDAY: 24, MONDAY: 17}
"""Hours in which it had to be usable, looked at on Monday at five."""


@pytest.mark.parametrize(
    "days",
    [
        [FRIDAY, SATURDAY, SUNDAY, MONDAY],
        [SATURDAY, SUNDAY, MONDAY],
        [SATURDAY, SUNDAY],
        [SUNDAY],
        [SUNDAY, MONDAY],
        [FRIDAY],
        [MONDAY],
    ],
)
async def test_rules_89_what_serves_round_the_clock_is_counted_on_days_that_were_not_opened(
    store: Store, days: list[str]
) -> None:
    await weekend(store)
    now = moment(f"{MONDAY} 17:00")
    found = await report(store, HALL, CLOCK, date.fromisoformat(days[0]), date.fromisoformat(days[-1]), now)
    night = [use for use in found.uses if use.what == TERMINAL]
    assert [use.day for use in night] == days
    away = {
        SATURDAY: [Gap(moment(f"{SATURDAY} 22:00"), moment(f"{SUNDAY} 00:00"), "page")],
        SUNDAY: [Gap(moment(f"{SUNDAY} 00:00"), moment(f"{SUNDAY} 02:00"), "page")],
    }
    for use in night:
        gaps = away.get(use.day, [])
        assert use.gaps == gaps, use.day
        assert use.open_ms == WHOLE[use.day] * HOUR_MS, use.day
        assert use.usable_ms == use.open_ms - sum(gap.until - gap.since for gap in gaps)


async def test_a_period_before_the_first_day_or_in_an_empty_journal_has_no_lines(store: Store) -> None:
    day = date.fromisoformat("2025-12-01")
    assert (await report(store, HALL, CLOCK, day, day, moment(f"{MONDAY} 12:00"))).uses == []
    await weekend(store)
    assert (await report(store, HALL, CLOCK, day, day, moment(f"{MONDAY} 12:00"))).uses == []


async def test_a_period_long_after_the_last_day_asks_for_its_own_days_only(store: Store) -> None:
    await weekend(store)
    asked: list[str] = []

    def counted(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        asked.append(statement)

    listen(store.database.engine.sync_engine, "before_cursor_execute", counted)
    day = date(2036, 1, 9)
    await report(store, HALL, CLOCK, day, day, moment("2036-01-09 12:00"))
    assert len([each for each in asked if "journal" in each]) < 10


@pytest.mark.parametrize("days", [1, DAYS_MAX])
async def test_rules_89_a_hall_that_is_shut_for_a_year_is_asked_once_when_it_opened_again(
    store: Store, days: int
) -> None:
    """Flood, then rebuilding: the days before are looked at afterwards, and nothing is read day by day beyond the period."""
    await weekend(store)
    again = e.DayOpened(day="2027-01-12", previous_day=MONDAY, at=moment("2027-01-12 08:00"))
    opened = NewEvent("queue", again.day, again.at, "", "", "DayOpened", VERSION, encode_event(again))
    await store.commit(await store.take_over(HALL, "b"), Batch(events=[opened]))
    asked: list[str] = []

    def counted(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        asked.append(statement)

    listen(store.database.engine.sync_engine, "before_cursor_execute", counted)
    first = date.fromisoformat(MONDAY)
    last = first + timedelta(days=days - 1)
    found = await report(store, HALL, CLOCK, first, last, moment("2027-01-12 12:00"))
    night = [(use.day, use.open_ms // HOUR_MS) for use in found.uses if use.what == TERMINAL]
    assert night == [(day, 24) for day in days_between(first, last)]
    assert len([each for each in asked if "journal" in each]) < days + 10


async def test_rules_89_a_day_that_nobody_ended_ends_at_midnight(store: Store) -> None:
    """The server was off from Friday to Monday: nobody's window was open that long, and the weekend's lines are there."""
    await weekend(store, off=True)
    now = moment(f"{MONDAY} 17:00")
    found = await report(store, HALL, CLOCK, date.fromisoformat(FRIDAY), date.fromisoformat(MONDAY), now)
    night = [(use.day, use.open_ms // HOUR_MS) for use in found.uses if use.what == TERMINAL]
    assert night == list(WHOLE.items())
    (sat,) = [use for use in found.uses if use.what == RATING]
    assert (sat.day, sat.open_ms) == (FRIDAY, 15 * HOUR_MS)
    (gap,) = sat.gaps
    assert (gap.since, gap.until) == (moment(f"{FRIDAY} 09:00"), moment(f"{SATURDAY} 00:00"))
