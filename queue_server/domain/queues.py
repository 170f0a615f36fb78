"""Waiting tickets in order: one sorted list per queue and credit, so that a head is best by time and by wait at once.

Within one list the credit is equal, hence order by effective time is order by base time, and the head both comes first
and has waited longest: whatever penalty applies to it, no other of its list can beat it (QUEUES 2.2).
"""

from collections.abc import Iterator
from functools import lru_cache

from sortedcontainers import SortedList

from queue_server.domain.model import Hall, Key, Ticket


@lru_cache(maxsize=4096)
def all_windows(queue: str) -> frozenset[str]:
    """The windows that serve a queue, at home or away."""
    return frozenset(name.rstrip("~") for name in queue.split(",") if name)


@lru_cache(maxsize=4096)
def home_windows(queue: str) -> frozenset[str]:
    """The windows whose home the queue is; all that serve it when it has no home."""
    return frozenset(name for name in queue.split(",") if name and not name.endswith("~")) or all_windows(queue)


@lru_cache(maxsize=65536)
def _rival(queue: str, other: str) -> bool:
    return bool(home_windows(queue) & home_windows(other))


def place(hall: Hall, ticket: Ticket) -> None:
    """Into the queue of its current stop."""
    lists = hall.queues.setdefault(ticket.current.queue, {})
    waiting = lists.get(ticket.credit_ms)
    if waiting is None:
        waiting = lists[ticket.credit_ms] = SortedList()
    waiting.add((ticket.key, ticket.id))
    hall.waiting += 1


def take_out(hall: Hall, ticket: Ticket) -> None:
    """Out of the queue of its current stop; raises ValueError when it is not there."""
    hall.queues[ticket.current.queue][ticket.credit_ms].remove((ticket.key, ticket.id))
    hall.waiting -= 1


def ahead_of(hall: Hall, queue: str, key: Key) -> int:
    """How many waiting tickets come before `key` among those that share a home window with `queue`."""
    count = 0
    for other, lists in hall.queues.items():
        if _rival(queue, other):
            for waiting in lists.values():
                count += waiting.bisect_left((key, ""))
    return count


def in_order(hall: Hall, queues: tuple[str, ...] | None = None) -> Iterator[Ticket]:
    """Waiting tickets of the queues (all when None) by key; O(n log n), for lists that people read, never for calls."""
    names = hall.queues.keys() if queues is None else queues
    entries = [entry for name in names for waiting in hall.queues.get(name, {}).values() for entry in waiting]
    for _, ticket in sorted(entries):
        yield hall.tickets[ticket]


def first_in_order(hall: Hall, queues: tuple[str, ...], count: int) -> list[Ticket]:
    """The first `count` of the queues by key, in O(queues x count)."""
    entries = [entry for name in queues for waiting in hall.queues.get(name, {}).values() for entry in waiting[:count]]
    entries.sort()
    return [hall.tickets[ticket] for _, ticket in entries[:count]]


def waiting_in(hall: Hall, queue: str) -> int:
    """How many wait in one queue."""
    return sum(len(waiting) for waiting in hall.queues.get(queue, {}).values())


def oldest_base(hall: Hall, queue: str) -> int | None:
    """Base time (ms) of whoever has waited longest in the queue, None when nobody waits."""
    heads = [waiting[0][0].effective_at + credit for credit, waiting in hall.queues.get(queue, {}).items() if waiting]
    return min(heads, default=None)


def key_behind(hall: Hall, ticket: Ticket, places: int, at: int) -> Key:
    """A key just after the `places`-th ticket that would be called before an ordinary ticket taken at `at` (RULES 27).

    Fewer than `places` waiting: just after the last of them, or now when nobody waits.
    """
    queues = tuple(other for other in hall.queues if _rival(ticket.current.queue, other))
    others = [other for other in first_in_order(hall, queues, places + 1) if other.id != ticket.id][:places]
    if not others:
        return Key(at, ticket.issue)
    last = others[-1].key
    return Key(last.effective_at, last.issue, last.behind + ticket.issue)
