"""One pass over a hall's tickets for everything that counts them: queues by domain, figures, percentiles."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from queue_server.app.texts import has, plain, words
from queue_server.app.views.tickets import domain_of, names_of, plate_of
from queue_server.domain.model import Hall
from queue_server.domain.queues import all_windows, in_order
from queue_server.domain.said import WRITTEN
from queue_server.wire.common import TicketState, WindowState, Words
from queue_server.wire.documents import (
    DemandDocument,
    DemandLine,
    FiguresDocument,
    GivenCallsLine,
    QueueDocument,
    ReasonCount,
    WindowFigures,
)

Span = tuple[int, int]


@dataclass(slots=True)
class DomainCount:
    """What was counted for one domain (or "bundles")."""

    waiting: int = 0
    longest_ms: int = 0
    queues: set[str] = field(default_factory=set)
    waits_ms: list[int] = field(default_factory=list)
    no_shows: int = 0
    cancelled: int = 0
    served: int = 0


def count(hall: Hall, now: int) -> dict[str, DomainCount]:
    """Counts by domain id; O(tickets), so at most once a second."""
    found: dict[str, DomainCount] = {}
    for ticket in hall.tickets.values():
        entry = found.setdefault(domain_of(hall, ticket.stops[0]), DomainCount())
        entry.no_shows += ticket.passes
        if ticket.state is TicketState.WAITING:
            here = found.setdefault(domain_of(hall, ticket.current), DomainCount())
            here.waiting += 1
            here.longest_ms = max(here.longest_ms, now - ticket.base_at)
            here.queues.add(ticket.current.queue)
        elif ticket.state is TicketState.DONE:
            entry.served += 1
        elif ticket.state is TicketState.CANCELLED:
            entry.cancelled += 1
        if ticket.first_called_at:
            entry.waits_ms.append(ticket.first_called_at - ticket.issued_at)
    return found


def percentile_s(waits_ms: list[int], share: float) -> int | None:
    """The share-quantile in seconds by the nearest rank; None for no waits."""
    if not waits_ms:
        return None
    return sorted(waits_ms)[math.ceil(share * len(waits_ms)) - 1] // 1000


def domain_words(hall: Hall, domain: str) -> tuple[Words, str]:
    """Name and number prefix of a domain or of the bundles."""
    entry = hall.catalogue.domains.get(domain)
    if entry is not None:
        return plain(entry.name, entry.name_en), entry.prefix
    prefix = next((bundle.prefix for bundle in hall.configuration.bundle), "")
    return Words(zh="一件事", en="Bundles"), prefix


def queue_documents(
    hall: Hall, counts: dict[str, DomainCount], expected: Callable[[str], Span | None], window: str = ""
) -> list[QueueDocument]:
    """One line a domain that has had tickets today; of one window only those that wait for it.

    `expected`: how long (s) somebody waits who takes an ordinary number for a queue now; a domain tells its longest.
    """
    working = {w.id for w in hall.windows.values() if w.state not in (WindowState.CLOSED, WindowState.PAUSED)}
    lines = []
    for domain, entry in counts.items():
        served_by = frozenset[str]().union(*(all_windows(queue) for queue in entry.queues))
        if window and window not in served_by:
            continue
        name, prefix = domain_words(hall, domain)
        low, high = max(filter(None, map(expected, entry.queues)), default=(None, None))
        lines.append(
            QueueDocument(
                id=domain,
                name=name,
                prefix=prefix,
                waiting=entry.waiting,
                longest_s=max(0, entry.longest_ms) // 1000,
                p50_s=percentile_s(entry.waits_ms, 0.5),
                p90_s=percentile_s(entry.waits_ms, 0.9),
                windows_open=len(working & served_by),
                expected_low_s=low,
                expected_high_s=high,
                no_shows=entry.no_shows,
                cancelled=entry.cancelled,
                served=entry.served,
            )
        )
    return sorted(lines, key=lambda line: (-line.waiting, line.prefix))


def figures(hall: Hall, now: int) -> FiguresDocument:
    """Today so far (UX M-03)."""
    oldest = min((ticket.base_at for ticket in in_order(hall)), default=now)
    return FiguresDocument(
        issued=hall.issued,
        waiting=hall.waiting,
        called=hall.called,
        served=hall.served,
        served_direct=hall.served_direct,
        no_shows=hall.no_shows,
        invited=hall.invited,
        rated=hall.rated,
        mean_wait_s=hall.wait_sum_ms // hall.called // 1000 if hall.called else None,
        longest_waiting_s=max(0, now - oldest) // 1000,
        unmet=hall.unmet,
        called_given=hall.called_given,
        windows=_window_figures(hall),
        given=_given_calls(hall),
    )


def _window_figures(hall: Hall) -> list[WindowFigures]:
    """RULES 36, in the order of the windows."""
    return [
        WindowFigures(
            window=entry.id,
            plate=plate_of(hall, entry.id),
            name=plain(entry.name, entry.name_en),
            served=window.served,
            invited=window.invited,
        )
        for entry in hall.configuration.window
        if (window := hall.windows.get(entry.id)) is not None and window.served
    ]


def _given_calls(hall: Hall) -> list[GivenCallsLine]:
    """RULES 23."""
    lines = [
        GivenCallsLine(
            window=window,
            plate=plate_of(hall, window),
            staff=staff,
            staff_name=given.staff_name,
            times=sum(given.reasons.values()),
            last_at=given.last_at,
            reasons=[
                ReasonCount(reason=_reason_words(reason), times=times)
                for reason, times in sorted(given.reasons.items(), key=lambda item: (-item[1], item[0]))
            ],
        )
        for (window, staff), given in hall.given.items()
    ]
    return sorted(lines, key=lambda line: (-line.times, -line.last_at))


def _reason_words(reason: str) -> Words:
    if reason == WRITTEN:
        return Words(zh="自己写的原因", en="in own words")
    return words(f"said.{reason}") if has(f"said.{reason}") else plain(reason)


def demand(hall: Hall) -> DemandDocument:
    """RULES 17: what was wanted and nobody served."""
    lines = [
        DemandLine(
            id=name,
            kind=kind,
            name=names_of(hall, (name,), name if kind == "bundle" else "")[0],
            times=unmet.times,
            last_at=unmet.last_at,
        )
        for (kind, name), unmet in hall.unmet_of.items()
    ]
    return DemandDocument(lines=sorted(lines, key=lambda line: (-line.times, -line.last_at)))
