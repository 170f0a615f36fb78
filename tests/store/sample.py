"""Events and a projector of the store's tests: small, but through every projected table."""

from collections.abc import Iterable

import msgspec

from queue_server.store.port import JournalRow, NewEvent, Upsert

HALL = "fucheng"
DAY = "2025-03-03"
NOON = 1_740_974_400_000


def event(
    kind: str, now: int = NOON, subject: str = "queue", day: str = DAY, cause: str = "", **data: object
) -> NewEvent:
    """An event of the morning with `data` as its JSON."""
    return NewEvent(subject, day, now, "kiosk-1", cause, kind, 1, msgspec.json.encode(data).decode())


def issued(number: int, at: int = NOON) -> NewEvent:
    """A ticket is issued."""
    return event("TicketIssued", at, id=f"t{number}", number=f"A{number:03}", at=at)


def called(number: int, window: str = "3", at: int = NOON) -> NewEvent:
    """A ticket is called to a window."""
    return event("TicketCalled", at, id=f"t{number}", window=window, at=at)


def project(row: JournalRow | NewEvent) -> Iterable[Upsert]:
    """What the sample events mean for the reports."""
    data = msgspec.json.decode(row.data)
    match row.kind:
        case "TicketIssued":
            values = {
                "day": row.day,
                "number": data["number"],
                "matters": '["tax", "id-card"]' if data["id"] != "t1" else '["tax"]',
                "state": "waiting",
                "issued_at": data["at"],
                "effective_at": data["at"],
            }
            return [Upsert("tickets", data["id"], values)]
        case "TicketCalled":
            return [
                Upsert(
                    "tickets",
                    data["id"],
                    {"state": "called", "window": data["window"], "called_at": data["at"], "calls": 1},
                )
            ]
        case "ServiceEnded":
            return [
                Upsert("tickets", data["ticket"], {"state": "done", "finished_at": row.at}),
                Upsert(
                    "services",
                    data["id"],
                    {"day": row.day, "ticket": data["ticket"], "direct": data["direct"], "finished_at": row.at},
                ),
            ]
        case "Rated":
            return [
                Upsert(
                    "ratings",
                    data["id"],
                    {"service": data["service"], "level": data["level"], "late": False, "pressed_at": row.at},
                ),
                Upsert("services", data["service"], {"rating": data["id"]}),
            ]
        case _:
            return []
