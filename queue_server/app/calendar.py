"""Which days a hall works: its own weekdays, and the country's holidays and make-up days."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import chinese_calendar

from queue_server.domain.configuration import Hours

EVERY_DAY = 7
FRIDAY = 5


def works(hours: Hours, day: date) -> bool:
    """Whether the hall opens: not on a public holiday, and on the weekend days that make up for one.

    A hall with all seven weekdays is open on holidays too. Of a year whose holidays are not published yet only the
    weekdays are known.
    """
    usual = day.isoweekday() in hours.weekdays
    if len(set(hours.weekdays)) == EVERY_DAY:
        return True
    try:
        free, name = chinese_calendar.get_holiday_detail(day)
    except NotImplementedError:
        return usual
    if free and name:
        return False
    return usual or (not free and day.isoweekday() > FRIDAY)


def next_working_day(hours: Hours, day: date) -> date:
    """The first day after `day` on which the hall opens; the next day for a hall that never does."""
    for ahead in range(1, 32):
        later = day + timedelta(days=ahead)
        if works(hours, later):
            return later
    return day + timedelta(days=1)


def end_of_working_days(hours: Hours, day: date, count: int, zone: ZoneInfo) -> int:
    """The midnight (ms UTC) that ends the `count`-th working day after `day` (UX P-10)."""
    for _ in range(count):
        day = next_working_day(hours, day)
    midnight = datetime.combine(day + timedelta(days=1), time(), zone)
    return int(midnight.timestamp() * 1000)
