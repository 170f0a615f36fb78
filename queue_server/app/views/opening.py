"""When tickets are given again, and what else people may do, in words (UX K-03, K-14)."""

from datetime import date

from queue_server.app.calendar import next_working_day, works
from queue_server.app.clock import Clock
from queue_server.app.texts import plain, words
from queue_server.domain.configuration import Elsewhere
from queue_server.domain.model import Hall
from queue_server.domain.tickets import minutes_of
from queue_server.wire.common import Words


def next_opening(hall: Hall, clock: Clock, now: int) -> Words:
    """The next time from which tickets are given: today's while that is still to come, else the next working day's."""
    hours, today = hall.configuration.hours, clock.local(now).date()
    figures: dict[str, object] = {"time": hours.tickets_from}
    # A day that was opened by hand, before its hour or on a day off, opens no second time.
    still_to_open = hall.day < today.isoformat() and works(hours, today)
    if still_to_open and clock.minute(now) < minutes_of(hours.tickets_from):
        return words("opening.today", figures)
    day = next_working_day(hours, max(today, date.fromisoformat(hall.day)) if hall.day else today)
    if (day - today).days == 1:
        return words("opening.tomorrow", figures)
    return words("opening.day", {**figures, "month": day.month, "day": day.day})


def opening_words(code: str, when: Words) -> Words:
    """The sentence of a code with `{when}` in each language."""
    return Words(zh=words(code, {"when": when.zh}).zh, en=words(code, {"when": when.en}).en)


def elsewhere(others: Elsewhere) -> list[Words]:
    """What the hall offers who gets no number, one sentence each."""
    told = {
        "appointment": plain(others.appointment, others.appointment_en),
        "self_service": plain(others.self_service, others.self_service_en),
        "phone": plain(others.phone),
    }
    return [
        Words(zh=words(f"elsewhere.{kind}", {"text": text.zh}).zh, en=words(f"elsewhere.{kind}", {"text": text.en}).en)
        for kind, text in told.items()
        if text.zh
    ]
