"""Waiting tickets in order: one line per queue and credit, so that a head is best by time and by wait at once.

Within one line the credit is equal, hence order by effective time is order by base time, and the head both comes first
and has waited longest: whatever penalty applies to it, no other of its line can beat it (QUEUES 2.2).
"""

from collections.abc import Iterator
from functools import lru_cache

from sortedcontainers import SortedList

from queue_server.domain.model import Entry, Hall, Key, Line, Lines, Ticket

# Room between two tickets put behind the same one: about twenty more fit between them before order is by arrival.
BEHIND_STEP = 1 << 20


AWAY_STAFF = "@"
"""Before the number of a member of staff who sits at no window: the queue of those who wait for them (UX C-12)."""


@lru_cache(maxsize=4096)
def all_windows(queue: str) -> frozenset[str]:
    """The windows that serve a queue, at home or away."""
    return frozenset() if is_away(queue) else frozenset(n.rstrip("~") for n in queue.split(",") if n)


def is_away(queue: str) -> bool:
    """Whether it is the queue of somebody who sits at no window."""
    return queue.startswith(AWAY_STAFF)


def queue_of_staff(hall: Hall, staff: str) -> str:
    """The queue of those who wait for one member of staff: of the window where they sit, else of nobody. O(windows)."""
    return next((window.id for window in hall.windows.values() if window.staff == staff), f"{AWAY_STAFF}{staff}")


@lru_cache(maxsize=4096)
def home_windows(queue: str) -> frozenset[str]:
    """The windows whose home the queue is; all that serve it when it has no home."""
    every = all_windows(queue)
    return every.intersection(queue.split(",")) or every


@lru_cache(maxsize=4096)
def _away_windows(queue: str) -> frozenset[str]:
    return all_windows(queue) - frozenset(name for name in queue.split(",") if name)


def _entry(ticket: Ticket) -> Entry:
    return (*ticket.key, ticket.id)


def _line(lines: Lines, queue: str, credit_ms: int) -> Line:
    """The line of a queue and credit, made when it is the first."""
    credits = lines.queues.setdefault(queue, {})
    line = credits.get(credit_ms)
    if line is None:
        line = credits[credit_ms] = Line(queue, credit_ms)
        away = _away_windows(queue)
        for window in all_windows(queue):
            side = lines.away if window in away else lines.home
            side.setdefault(window, []).append(line)
        homes = home_windows(queue)
        if homes not in lines.keys:
            lines.keys[homes] = SortedList()
            lines.rivals.clear()
    if queue not in lines.rivals:
        lines.rivals[queue] = _rival_keys(lines, queue)
    return line


def place(hall: Hall, ticket: Ticket) -> None:
    """Into the queue of its current stop; who waits for a person, into that of the window where they sit by now."""
    stop = ticket.current
    if stop.staff:
        stop.queue = queue_of_staff(hall, stop.staff)
    queue = stop.queue
    line = _line(hall.lines, queue, ticket.credit_ms)
    entry = _entry(ticket)
    line.entries.add(entry)
    head = line.head
    if head is None or entry < head:
        line.head = (*entry, line)
    hall.lines.keys[home_windows(queue)].add(ticket.key)
    hall.waiting += 1


def take_out(hall: Hall, ticket: Ticket) -> None:
    """Out of the queue of its current stop; raises ValueError when it is not there."""
    queue = ticket.current.queue
    line = hall.lines.queues[queue][ticket.credit_ms]
    # Who is taken out is nearly always the first: no search, and nothing of the others is touched.
    if line.head is not None and line.head[3] == ticket.id:
        line.entries.pop(0)
        line.head = (*line.entries[0], line) if line.entries else None
    else:
        line.entries.remove(_entry(ticket))
    keys = hall.lines.keys[home_windows(queue)]
    if keys[0] == ticket.key:
        keys.pop(0)
    else:
        keys.remove(ticket.key)
    hall.waiting -= 1


def follow(hall: Hall, staff: str, left: str) -> None:
    """Those who wait for a member of staff leave the queue `left` for where the person is now, each with its place."""
    for ticket in list(in_order(hall, (left,))):
        if ticket.current.staff == staff:
            take_out(hall, ticket)
            place(hall, ticket)


def rebuild(hall: Hall, waiting: list[Ticket]) -> None:
    """The lines anew, after the queues of stops were renamed."""
    hall.lines = Lines()
    hall.waiting = 0
    for ticket in waiting:
        place(hall, ticket)


def _rival_keys(lines: Lines, queue: str) -> list[SortedList[Key]]:
    """The keys of all who share a home window with the queue, in few lists."""
    found = lines.rivals.get(queue)
    if found is None:
        homes = home_windows(queue)
        return [keys for other, keys in lines.keys.items() if homes & other]
    return found


def ahead_of(hall: Hall, queue: str, key: Key) -> int:
    """How many waiting tickets come before `key` among those that share a home window with `queue`."""
    count = 0
    for keys in _rival_keys(hall.lines, queue):
        count += keys.bisect_left(key)
    return count


def in_order(hall: Hall, queues: tuple[str, ...] | None = None) -> Iterator[Ticket]:
    """Waiting tickets of the queues (all when None) by key; O(n log n), for lists that people read, never for calls."""
    names = hall.queues.keys() if queues is None else queues
    for *_, ticket in sorted(entry for name in names for line in _lines(hall, name) for entry in line.entries):
        yield hall.tickets[ticket]


def _lines(hall: Hall, queue: str) -> Iterator[Line]:
    yield from hall.queues.get(queue, {}).values()


def first_in_order(hall: Hall, queues: tuple[str, ...], count: int) -> list[Ticket]:
    """The first `count` of the queues by key, in O(queues x count)."""
    entries = sorted(entry for name in queues for line in _lines(hall, name) for entry in line.entries[:count])
    return [hall.tickets[entry[3]] for entry in entries[:count]]


def waiting_in(hall: Hall, queue: str) -> int:
    """How many wait in one queue."""
    return sum(len(line.entries) for line in _lines(hall, queue))


def oldest_base(hall: Hall, queue: str) -> int | None:
    """Base time (ms) of whoever has waited longest in the queue, None when nobody waits."""
    return min((line.head[0] + line.credit_ms for line in _lines(hall, queue) if line.head), default=None)


def key_behind(hall: Hall, ticket: Ticket, places: int, at: int, after: Key | None = None) -> Key:
    """A key just after the `places`-th of the ticket's rivals, counted from the front or from `after` (RULES 27, law 12).

    Fewer than `places`: just after the last of them, or at the time `at` (ms) when there is none; who waits for somebody
    who is away keeps the place, for whoever will be ahead is not known yet. O(rivals x places).
    """
    nearest: list[Key] = []
    for keys in _rival_keys(hall.lines, ticket.current.queue):
        start = 0 if after is None else keys.bisect_right(after)
        nearest += keys[start : start + places + 1]
    if not nearest:
        return ticket.key if is_away(ticket.current.queue) else Key(at, ticket.issue)
    nearest.sort()
    last, *following = nearest[min(places, len(nearest)) - 1 :]
    for key in following:
        if key[:2] != last[:2]:
            break
        if key.behind - last.behind > 1:
            return Key(last.effective_at, last.issue, (last.behind + key.behind) // 2)
        last = key
    return Key(last.effective_at, last.issue, last.behind + BEHIND_STEP)
