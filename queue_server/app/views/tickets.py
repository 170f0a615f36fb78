"""Tickets in the words of screens: where to, how long, why."""

from functools import lru_cache
from weakref import WeakKeyDictionary

from msgspec.structs import replace

from queue_server.app.clock import Clock
from queue_server.app.texts import NOTHING, plain, words
from queue_server.domain.catalogue import Catalogue
from queue_server.domain.configuration import Window
from queue_server.domain.events import StopPlan, TicketIssued
from queue_server.domain.kept import kept
from queue_server.domain.model import Hall, Stop, Ticket
from queue_server.domain.queues import ahead_of, home_windows, is_away
from queue_server.domain.tickets import SLIP_CREDIT_MIN, estimate
from queue_server.wire.common import TicketState, Words
from queue_server.wire.documents import Call, Station, TicketDocument, TicketLine

WATCHED_MAX = 4

WISHES_MAX = 4_096
"""Kinds of wishes whose documents are kept; beyond it they are made anew."""

_wished: WeakKeyDictionary[Catalogue, dict[tuple[tuple[StopPlan, ...], str], TicketDocument]] = WeakKeyDictionary()
"""A document of one ticket for each wish (stops and priority) under a configuration, as long as that one is in force."""

_WAITING, _DONE = TicketState.WAITING, TicketState.DONE
_CANCELLABLE = (TicketState.WAITING, TicketState.PASSED, TicketState.CALLED, TicketState.PARKED)


def stop_names(hall: Hall, stop: Stop) -> list[Words]:
    return names_of(hall, stop.matters, stop.bundle)


def names_of(hall: Hall, matters: tuple[str, ...], bundle: str) -> list[Words]:
    """The names of a bundle or matters; an id that the catalogue no longer has stands for itself."""
    return list(_names_of(hall.catalogue, matters, bundle))


@kept(4096)
def _names_of(catalogue: Catalogue, matters: tuple[str, ...], bundle: str) -> tuple[Words, ...]:
    if bundle:
        entry = catalogue.bundles.get(bundle)
        return (plain(entry.name, entry.name_en) if entry else plain(bundle),)
    return tuple(_matter_name(catalogue, name) for name in matters)


def _matter_name(catalogue: Catalogue, name: str) -> Words:
    matter = catalogue.matters.get(name)
    return plain(matter.name, matter.name_en) if matter else plain(name)


def plate_of(hall: Hall, window: str) -> str:
    entry = hall.catalogue.windows.get(window)
    return (entry.plate or entry.id) if entry else window


def place_of(hall: Hall, window: str) -> Words:
    """Where a window is: its own words, or its zone and floor."""
    entry = hall.catalogue.windows.get(window)
    if entry is None:
        return NOTHING
    return plain(entry.place, entry.place_en) if entry.place else _zone_place(hall, entry)


def _zone_place(hall: Hall, entry: Window) -> Words:
    zone = hall.catalogue.zones.get(entry.zone)
    if zone is None:
        return NOTHING
    floor = f"{zone.floor} " if zone.floor else ""
    return Words(zh=f"{floor}{zone.id}区", en=f"{floor}Zone {zone.id}")


def priority_words(hall: Hall, ticket: Ticket) -> Words:
    entry = hall.catalogue.priorities.get(ticket.priority) if ticket.priority else None
    return plain(entry.name, entry.name_en) if entry else NOTHING


def domain_of(hall: Hall, stop: Stop) -> str:
    """The domain id of a stop (the one it was passed on to, else its matter's), or "bundles"."""
    if stop.domain:
        return stop.domain
    if stop.bundle:
        return "bundles"
    matter = hall.catalogue.matters.get(stop.matters[0])
    return matter.domain if matter else ""


def queue_words(hall: Hall, stop: Stop) -> Words:
    return _domain_words(hall.catalogue, domain_of(hall, stop))


@kept(256)
def _domain_words(catalogue: Catalogue, name: str) -> Words:
    domain = catalogue.domains.get(name)
    if domain is None:
        return Words(zh="一件事", en="Bundles")
    return plain(domain.name, domain.name_en)


def explanation(hall: Hall, ticket: Ticket, clock: Clock) -> Words:
    """QUEUES 2.2: "09:22 取号，老年人提前 15 分钟，有效时间 09:07"; RULES 27: and that it was called and missed."""
    when = _counts_from(hall, ticket, clock)
    if not ticket.passes or ticket.state is not _WAITING:
        return when
    missed = words("queued.missed", {"n": ticket.passes})
    return Words(zh=f"{when.zh}。{missed.zh}", en=f"{when.en}. {missed.en}")


def _counts_from(hall: Hall, ticket: Ticket, clock: Clock) -> Words:
    taken = clock.hour_minute(ticket.issued_at)
    if not ticket.credit_ms:
        return _taken_at(taken)
    minutes = ticket.credit_ms // 60_000
    effective = clock.hour_minute(ticket.key.effective_at)
    figures = {"time": taken, "minutes": minutes, "effective": effective}
    entry = hall.catalogue.priorities.get(ticket.priority)
    if entry is None or entry.credit_min < min(minutes, SLIP_CREDIT_MIN):
        return words("queued.slip", figures)
    zh = words("queued.credit", {**figures, "priority": entry.name}).zh
    return Words(zh=zh, en=words("queued.credit", {**figures, "priority": entry.name_en or entry.name}).en)


@lru_cache(2048)
def _taken_at(time: str) -> Words:
    return words("queued.plain", {"time": time})


def pass_rule(hall: Hall) -> Words:
    """RULES 27: the text on the ticket is the policy in force."""
    return _pass_words(hall.catalogue)


@kept(16)
def _pass_words(catalogue: Catalogue) -> Words:
    policy = catalogue.policy
    figures = {"calls": policy.recall_limit, "places": policy.no_show_after, "voids": policy.no_show_void_after}
    return words(f"pass.{policy.no_show}", figures)


@kept(16)
def _delay_words(catalogue: Catalogue) -> Words:
    """UX P-06: what "later" does, once, in the numbers of the policy in force."""
    policy = catalogue.policy
    return words("delay.rule", {"places": policy.delay_places, "limit": policy.delay_limit})


def watch(hall: Hall, ticket: Ticket) -> Words:
    """Which windows to watch: those at home with the ticket, or the zone when there are many; or that a person is awaited."""
    return _watch(hall.catalogue, ticket.current.queue)


@kept(1024)
def _watch(catalogue: Catalogue, queue: str) -> Words:
    if is_away(queue):
        return words("watch.person")
    names = sorted(home_windows(queue), key=lambda name: (len(name), name))
    entries = [catalogue.windows[name] for name in names if name in catalogue.windows]
    zones = {entry.zone for entry in entries}
    if len(names) <= WATCHED_MAX or len(zones) != 1:
        plates = {entry.id: entry.plate or entry.id for entry in entries}
        return words("watch.windows", {"windows": [plates.get(name, name) for name in names[: WATCHED_MAX * 2]]})
    zone = catalogue.zones[next(iter(zones))]
    zh = words("watch.zone", {"zone": f"{zone.floor} {zone.id}区 {zone.name}".strip()}).zh
    return Words(zh=zh, en=words("watch.zone", {"zone": f"zone {zone.id} {zone.name_en}".strip()}).en)


def issued_document(hall: Hall, ticket: Ticket, clock: Clock, issued: TicketIssued) -> TicketDocument:
    """`ticket_document` in the moment of the issue: the event has the figures, and equal wishes have the rest in common."""
    wish, wished = (issued.stops, issued.priority), _wished.setdefault(hall.catalogue, {})
    like = wished.get(wish)
    if like is None:
        if len(wished) >= WISHES_MAX:
            wished.clear()
        like = wished[wish] = ticket_document(hall, ticket, clock, issued.at)
    known = issued.wait_low_s >= 0
    return replace(
        like,
        id=ticket.id,
        number=ticket.number,
        quantity=ticket.quantity,
        issued_at=issued.at,
        effective_at=issued.key[0],
        explanation=explanation(hall, ticket, clock),
        ahead=issued.ahead,
        wait_low_s=issued.wait_low_s if known else None,
        wait_high_s=issued.wait_high_s if known else None,
        updated_at=issued.at // 10_000 * 10_000,
        print_state=ticket.print_state,
        origin=ticket.origin,
    )


def ticket_document(hall: Hall, ticket: Ticket, clock: Clock, now: int) -> TicketDocument:  # long: one line a field
    """One ticket without personal data."""
    state, stops, window = ticket.state, ticket.stops, ticket.window
    current = stops[ticket.stop]
    waiting = state is _WAITING
    ahead = ahead_of(hall, current.queue, ticket.key) if waiting else 0
    span = estimate(hall, current.queue, ahead, clock.minute(now)) if waiting else None
    service = hall.services.get(ticket.service) if ticket.service else None
    return TicketDocument(
        id=ticket.id,
        number=ticket.number,
        state=state,
        queue=queue_words(hall, current),
        matters=[name for stop in stops for name in _names_of(hall.catalogue, stop.matters, stop.bundle)],
        quantity=ticket.quantity,
        priority=ticket.priority,
        priority_words=priority_words(hall, ticket),
        issued_at=ticket.issued_at,
        effective_at=ticket.key[0],
        explanation=explanation(hall, ticket, clock),
        ahead=ahead,
        wait_low_s=span[0] if span else None,
        wait_high_s=span[1] if span else None,
        updated_at=now // 10_000 * 10_000,
        window=window,
        plate=plate_of(hall, window) if window else "",
        place=place_of(hall, window) if window else NOTHING,
        watch=_watch(hall.catalogue, current.queue),
        called_at=ticket.called_at or None,
        calls=ticket.calls,
        stations=[_station(hall, ticket, index) for index in range(len(stops))],
        pass_rule=pass_rule(hall),
        print_state=ticket.print_state,
        rating=service.rating if service else "",
        can_cancel=state in _CANCELLABLE,
        can_delay=waiting and ticket.delays < hall.configuration.policy.delay_limit,
        origin=ticket.origin,
        delay_rule=_delay_words(hall.catalogue),
    )


def _station(hall: Hall, ticket: Ticket, index: int) -> Station:
    stop = ticket.stops[index]
    state = ticket.state if index == ticket.stop else _DONE if stop.done else _WAITING
    return Station(matters=stop_names(hall, stop), window=stop.window, state=state)


def ticket_line(hall: Hall, ticket: Ticket, now: int) -> TicketLine:
    """One line of a list; `note` is why it is aside, or what the guide wrote."""
    end = ticket.first_called_at or now
    return TicketLine(
        id=ticket.id,
        number=ticket.number,
        state=ticket.state,
        matter=stop_names(hall, ticket.current)[0],
        priority_words=priority_words(hall, ticket),
        waited_s=max(0, end - ticket.issued_at) // 1000,
        at=ticket.issued_at,
        note=ticket.aside_reason or ticket.note,
    )


def call(hall: Hall, ticket: Ticket) -> Call:
    """A call as displays show it; its id changes with each recall."""
    return Call(
        id=f"{ticket.service}:{ticket.calls}",
        number=ticket.number,
        window=ticket.window,
        plate=plate_of(hall, ticket.window),
        place=place_of(hall, ticket.window),
        at=ticket.last_call_at,
        times=ticket.calls,
        state=ticket.state,
    )
