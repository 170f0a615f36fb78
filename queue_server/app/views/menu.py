"""The tiles of a kiosk's home page: what is asked for most, then the groups (UX K-01, K-02)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from queue_server.app.clock import Clock
from queue_server.app.texts import NOTHING, plain, words
from queue_server.app.views.opening import next_opening, opening_words
from queue_server.domain.configuration import Bundle, Configuration, Domain, Matter
from queue_server.domain.model import Hall, Key
from queue_server.domain.pools import sold_out
from queue_server.domain.queues import ahead_of
from queue_server.domain.tickets import estimate
from queue_server.domain.windows import is_served
from queue_server.wire.common import Words
from queue_server.wire.documents import MenuDocument, MenuEntry, PriorityEntry

PAGE = 8
"""Tiles of one page, and rows of one page of a group (UX K-02)."""

OWN_MAX = 8

Tile = Matter | Bundle | Domain | str
"""`str` is the group of the bundles."""
COUNTED_LEAST = 200
"""So many tickets of earlier days say more than the configuration does."""

TOLERATED = 1.02
"""Own tiles are worth a little: one tap for some may cost all the others this much more on the average."""


def weights_of(configuration: Configuration, asked: Mapping[str, int]) -> dict[str, float]:
    """How often each matter and bundle is asked for: as counted on earlier days, else as the configuration says."""
    if sum(asked.values()) >= COUNTED_LEAST:
        return defaultdict(float, asked)
    return defaultdict(float, {matter.id: matter.share for matter in configuration.matter})


def arrange(configuration: Configuration, weight: Mapping[str, float]) -> list[Tile]:
    """The home page in order: everything itself when it is little, else what is asked for most, and the groups.

    As many matters and bundles get a tile of their own as the hall's people gain by: each pushes a group onward, so
    that a hall whose people want many different things has few (but two), and one with a few favourites has them all.
    """
    offered: list[Matter | Bundle] = [*(m for m in configuration.matter if m.offered), *configuration.bundle]
    if len(offered) <= PAGE:
        return list(offered)
    grouped: dict[str, list[Matter | Bundle]] = defaultdict(list)
    for each in sorted(offered, key=lambda each: -weight[each.id]):
        grouped[each.domain if isinstance(each, Matter) else "bundles"].append(each)
    sums = {name: sum(weight[each.id] for each in members) for name, members in grouped.items()}
    shown = [domain for domain in configuration.domain if domain.id in grouped]
    shown.sort(key=lambda domain: -sums[domain.id])
    groups: list[Domain | str] = [*shown]
    if "bundles" in grouped:
        groups.insert(min(len(groups), PAGE - 3), "bundles")  # still on the first page beside the two own tiles
    own = sorted(offered, key=lambda each: -weight[each.id])[:OWN_MAX]

    def taps(count: int) -> float:
        page = {group if isinstance(group, str) else group.id: (count + n) // PAGE for n, group in enumerate(groups)}
        favourites = {each.id for each in own[:count]}
        return sum(
            weight[each.id] * (1 if each.id in favourites else 2 + page[name] + row // PAGE)
            for name, members in grouped.items()
            for row, each in enumerate(members)
        )

    counts = range(2, OWN_MAX + 1, 2)
    best = min(map(taps, counts))
    return [*own[: max(count for count in counts if count == 2 or taps(count) <= best * TOLERATED)], *groups]


class Menu:
    """Renders the tiles; what stands on them is arranged anew for each configuration and count of the days before."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._arranged: tuple[Configuration, Mapping[str, int]] | None = None
        self._tiles: list[Tile] = []
        self._weight: Mapping[str, float] = {}

    def weight(self, hall: Hall, asked: Mapping[str, int]) -> Mapping[str, float]:
        """As `weights_of`, kept while neither the configuration nor the count changes."""
        now = self._arranged
        if now is None or now[0] is not hall.configuration or now[1] is not asked:
            self._arranged = (hall.configuration, asked)
            self._weight = weights_of(hall.configuration, asked)
            self._tiles = arrange(hall.configuration, self._weight)
        return self._weight

    def document(self, hall: Hall, asked: Mapping[str, int], now: int) -> MenuDocument:
        """Key `menu`."""
        self.weight(hall, asked)
        priorities = [
            PriorityEntry(
                id=each.id,
                name=plain(each.name, each.name_en),
                basis=plain(each.basis, each.basis_en),
                credit_min=each.credit_min,
            )
            for each in hall.configuration.priority
        ]
        return MenuDocument(tiles=[self._entry(hall, each, now) for each in self._tiles], priorities=priorities)

    def wait_of(self, hall: Hall, queue: str, now: int) -> tuple[int, int | None, int | None, bool]:
        """(ahead, low, high, served) for an ordinary ticket taken now."""
        if not queue:
            return 0, None, None, False
        ahead = ahead_of(hall, queue, Key(now, hall.issued + 1))
        span = estimate(hall, queue, ahead, self._clock.minute(now))
        return ahead, span[0] if span else None, span[1] if span else None, is_served(hall, queue)

    def shut(self, hall: Hall, matters: Iterable[str], bundle: str, served: bool, now: int) -> Words:
        """Why no number is given for it now, NOTHING when one is (UX K-03, K-14)."""
        if not served:
            return words("tile.nobody-serves")
        if sold_out(hall, matters, bundle):
            return opening_words("tile.numbers-gone", next_opening(hall, self._clock, now))
        return NOTHING

    def _entry(self, hall: Hall, tile: Tile, now: int) -> MenuEntry:
        match tile:
            case Matter():
                domain = hall.catalogue.domains.get(tile.domain)
                icon, queue = domain.icon if domain else "", hall.serving.queue_of([tile.id])
                name = plain(tile.name, tile.name_en)
                return self._tile(hall, queue, now, "matter", tile.id, icon, name, _said(tile), (tile.id,))
            case Bundle():
                name, queue = plain(tile.name, tile.name_en), hall.serving.queue_of(bundle=tile.id)
                return self._tile(hall, queue, now, "bundle", tile.id, "bundles", name, _said(tile), bundle=tile.id)
            case Domain():
                return self._group(hall, tile, now)
            case _:
                bundles = hall.configuration.bundle
                name = Words(zh="高效办成一件事", en="Life events")
                shown = next((each.id for each in bundles if not sold_out(hall, (), each.id)), bundles[0].id)
                queue = hall.serving.queue_of(bundle=shown)
                sub = _first(bundles[:3], 2)
                return self._tile(hall, queue, now, "bundles", tile, "bundles", name, sub, bundle=shown)

    def _group(self, hall: Hall, domain: Domain, now: int) -> MenuEntry:
        """A domain's wait is that of its most wanted matter of which a number is given, else of its most wanted."""
        matters = [matter for matter in hall.configuration.matter if matter.domain == domain.id and matter.offered]
        matters.sort(key=lambda matter: -self._weight[matter.id])
        queues = {matter.id: hall.serving.queue_of([matter.id]) for matter in matters}
        served = {queue for queue in set(queues.values()) if queue and is_served(hall, queue)}
        shown = next((each.id for each in matters if queues[each.id] in served and not sold_out(hall, (each.id,))), "")
        shown = shown or next((each.id for each in matters if queues[each.id] in served), matters[0].id)
        queue = queues[shown]
        zh = domain.everyday or "、".join(matter.everyday[0] for matter in matters[:4] if matter.everyday)
        sub = Words(zh=zh, en=domain.everyday_en or _first(matters[:2], 2).en)
        return self._tile(
            hall, queue, now, "domain", domain.id, domain.icon, plain(domain.name, domain.name_en), sub, (shown,)
        )

    def _tile(
        self,
        hall: Hall,
        queue: str,
        now: int,
        kind: str,
        id_: str,
        icon: str,
        name: Words,
        sub: Words,
        matters: tuple[str, ...] = (),
        bundle: str = "",
    ) -> MenuEntry:
        ahead, low, high, served = self.wait_of(hall, queue, now)
        reason = self.shut(hall, matters, bundle, served, now)
        return MenuEntry(
            id=id_,
            kind=kind,
            name=name,
            sub=sub,
            icon=icon,
            waiting=ahead,
            wait_low_s=low,
            wait_high_s=high,
            open=reason is NOTHING,
            reason=reason,
        )


def _said(entry: Matter | Bundle) -> Words:
    """What people say of it; who reads English sees the Chinese name, to show it to somebody."""
    return Words(zh="、".join(entry.everyday[:3]), en=entry.name if entry.name_en else "")


def _first(entries: "list[Matter] | tuple[Bundle, ...]", english: int) -> Words:
    """The names of the first few; English ones are longer."""
    names = [each.name_en for each in entries[:english]]
    return Words(zh="、".join(each.name for each in entries), en="; ".join(names) if all(names) else "")
