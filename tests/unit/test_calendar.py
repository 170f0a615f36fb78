"""Which days a hall works (RULES 13, 34; UX P-10), against the holidays of 2026 as the State Council published them."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from queue_server.app.calendar import end_of_working_days, next_working_day, works
from queue_server.domain.configuration import Hours

WEEK = Hours()
SATURDAYS = Hours(weekdays=(1, 2, 3, 4, 5, 6))
ALWAYS = Hours(weekdays=(1, 2, 3, 4, 5, 6, 7))
BEIJING = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(
    ("hours", "day", "open_"),
    [
        (WEEK, date(2026, 11, 23), True),
        (WEEK, date(2026, 11, 22), False),
        (WEEK, date(2026, 10, 1), False),
        (WEEK, date(2026, 10, 10), True),  # the Saturday that makes up for the holiday
        (SATURDAYS, date(2026, 11, 21), True),
        (SATURDAYS, date(2026, 10, 3), False),
        (SATURDAYS, date(2026, 11, 22), False),
        (ALWAYS, date(2026, 10, 1), True),
        (WEEK, date(2045, 10, 2), True),  # not published: the weekdays are all that is known
        (WEEK, date(2045, 10, 1), False),
    ],
)
def test_rules_13_holidays_and_days_that_make_up_for_them(hours: Hours, day: date, open_: bool) -> None:
    assert works(hours, day) is open_


def test_rules_34_the_next_working_day_is_after_the_holidays() -> None:
    assert next_working_day(WEEK, date(2026, 9, 30)) == date(2026, 10, 8)
    assert next_working_day(WEEK, date(2026, 11, 20)) == date(2026, 11, 23)
    assert next_working_day(Hours(weekdays=()), date(2026, 11, 23)) == date(2026, 11, 24)


def test_ux_p_10_five_working_days_end_at_midnight_of_the_hall() -> None:
    until = end_of_working_days(WEEK, date(2026, 9, 30), 5, BEIJING)
    assert datetime.fromtimestamp(until / 1000, BEIJING) == datetime(2026, 10, 14, 0, 0, tzinfo=BEIJING)
