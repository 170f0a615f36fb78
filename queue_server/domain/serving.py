"""Which windows can serve what, worked out once from a configuration: queues, routes, number prefixes, minutes."""

from collections.abc import Collection, Iterable
from typing import NewType

from queue_server.domain.configuration import Bundle, Configuration, Matter, Window

# The windows that can serve a ticket, in the configuration's order, "~" after those that are away from home:
# "3~,6,7,8,9,10~". Tickets with the same key wait in one queue, for every window treats them alike (RULES 5).
QueueKey = NewType("QueueKey", str)
NOBODY = QueueKey("")

# Each further filing of the same matter takes this share of the first one's time (the sample halls' design value).
FURTHER_FILING = 0.6


def parse(key: QueueKey) -> tuple[tuple[str, bool], ...]:
    """The (window, home) pairs of a key, in order; nothing for NOBODY."""
    return tuple((part.removesuffix("~"), not part.endswith("~")) for part in key.split(",") if part)


def queues_of(window: str, keys: Iterable[QueueKey]) -> list[tuple[QueueKey, bool]]:
    """Those of `keys` whose tickets the window can serve, and whether they are its home."""
    return [(key, home) for key in keys for id_, home in parse(key) if id_ == window]


def serves(window: Window, matter: Matter) -> bool:
    """Whether the window's own `matters`, or else its `domains`, hold the matter."""
    if window.matters:
        return matter.id in window.matters
    return "*" in window.domains or matter.domain in window.domains


def at_home(window: Window, matter: Matter) -> bool:
    """Whether the window's `home` holds the matter by id, domain or tag; an empty home holds everything."""
    entries = {matter.id, matter.domain, *(f"#{tag}" for tag in matter.tags)}
    return not window.home or not entries.isdisjoint(window.home)


class Serving:
    """The answers for one configuration; built in O(windows x matters), each answer takes O(matters asked about).

    Bit n of a mask stands for window n of the configuration. Unknown ids raise KeyError.
    """

    __slots__ = (
        "__weakref__",
        "_bundles",
        "_domain_prefix",
        "_masks",
        "_matters",
        "_position",
        "_taking_bundles",
        "_windows",
        "keys",
    )

    def __init__(self, configuration: Configuration) -> None:
        windows = configuration.window
        self._windows = tuple(window.id for window in windows)
        self._matters: dict[str, Matter] = {matter.id: matter for matter in configuration.matter}
        self._position = {matter.id: n for n, matter in enumerate(configuration.matter)}
        self._bundles: dict[str, Bundle] = {bundle.id: bundle for bundle in configuration.bundle}
        self._domain_prefix = {domain.id: domain.prefix for domain in configuration.domain}
        self._masks: dict[str, tuple[int, int]] = {
            matter.id: _masks((serves(window, matter), at_home(window, matter)) for window in windows)
            for matter in configuration.matter
        }
        self._taking_bundles = _masks((w.bundles, not w.home or "bundles" in w.home) for w in windows)
        found = [self.queue_of([matter]) for matter in self._matters]
        found += [self.queue_of(bundle=bundle) for bundle in self._bundles]
        # The queues of single matters and of bundles, in the catalogue's order; several matters may make further ones.
        self.keys: tuple[QueueKey, ...] = tuple(key for key in dict.fromkeys(found) if key)

    def windows_for(self, matters: Collection[str]) -> tuple[str, ...]:
        """The windows that can serve ALL the matters (at least one)."""
        return self._named(self._sides(matters)[0])

    def windows_for_bundle(self, bundle: str) -> tuple[str, ...]:
        """The windows that take bundles."""
        return self._named(self._sides((), bundle)[0])

    def is_home(self, window: str, matters: Collection[str] = (), bundle: str = "") -> bool:
        """Whether the window calls them without penalty (QUEUES 2.2); False where it cannot serve them."""
        bit = 1 << self._windows.index(window)
        return bool(self._sides(matters, bundle)[1] & bit)

    def queue_of(self, matters: Collection[str] = (), bundle: str = "") -> QueueKey:
        """The queue of a ticket with these matters or this bundle; NOBODY when no single window serves them all."""
        able, home = self._sides(matters, bundle)
        marks = (f"{id_}{'' if home >> n & 1 else '~'}" for n, id_ in enumerate(self._windows) if able >> n & 1)
        return QueueKey(",".join(marks))

    def queue_of_domain(self, domain: str) -> QueueKey:
        """The queue of the windows that serve every matter of a domain that is offered; NOBODY when none does."""
        offered = [matter.id for matter in self._matters.values() if matter.domain == domain and matter.offered]
        return self.queue_of(offered) if offered else NOBODY

    def unserved(self, matters: Collection[str], among: Collection[str] | None = None) -> tuple[str, ...]:
        """Those of the matters that no window (of `among`) serves."""
        mask = -1 if among is None else sum(1 << n for n, window in enumerate(self._windows) if window in among)
        return tuple([matter for matter in self._ordered(matters) if not self._masks[matter][0] & mask])

    def route(self, matters: Collection[str], among: Collection[str] | None = None) -> tuple[tuple[str, ...], ...]:
        """The fewest stops, in the catalogue's order, each with matters that one window can serve (RULES 31).

        With `among` each stop is one that a window of these can serve. Raises ValueError when a matter is `unserved`.
        """
        asked = self._ordered(matters)
        if lost := self.unserved(asked, among):
            raise ValueError(f"no window serves {', '.join(lost)}")
        options = dict.fromkeys(
            sum(1 << i for i, matter in enumerate(asked) if self._masks[matter][0] >> n & 1)
            for n, window in enumerate(self._windows)
            if among is None or window in among
        )
        return _split(asked, _cover((1 << len(asked)) - 1, tuple(options)))

    def plan(
        self, matters: tuple[str, ...], among: Collection[str] | None = None
    ) -> tuple[tuple[tuple[str, ...], QueueKey], ...]:
        """The `route` with the queue of each stop, which every window that can serve it shares; raises as `route` does."""
        return tuple((stop, self.queue_of(stop)) for stop in self.route(matters, among))

    def prefix_of(self, matters: Collection[str] = (), bundle: str = "") -> str:
        """The letters of the number (RULES 14): the bundle's, or those of the domain that the catalogue names first."""
        if bundle:
            return self._bundles[bundle].prefix
        first = min(matters, key=self._position.__getitem__)
        return self._domain_prefix[self._matters[first].domain]

    def minutes_of(self, matters: Collection[str] = (), bundle: str = "", quantity: int = 1) -> float:
        """Expected minutes at the window for `quantity` filings of each matter, or for one bundle."""
        once = self._bundles[bundle].minutes if bundle else sum(self._matters[matter].minutes for matter in matters)
        return once * (1 + FURTHER_FILING * (quantity - 1))

    def _ordered(self, matters: Collection[str]) -> tuple[str, ...]:
        return tuple(sorted(set(matters), key=self._position.__getitem__))

    def _named(self, mask: int) -> tuple[str, ...]:
        return tuple(id_ for n, id_ in enumerate(self._windows) if mask >> n & 1)

    def _sides(self, matters: Collection[str], bundle: str = "") -> tuple[int, int]:
        """Masks of the windows that serve everything asked for, and of those among them that are at home with all of it.

        A penalty that every window pays orders nothing between windows and only holds the ticket back, so where nobody
        is at home all are; this makes the sole holder of a matter its home (QUEUES 2.2).
        """
        if bool(matters) == bool(bundle):
            raise ValueError("matters or a bundle, not both and not neither")
        if bundle:
            self._bundles[bundle]  # an unknown bundle raises as an unknown matter does
            able, home = self._taking_bundles
        else:
            able = home = -1
            for matter in matters:
                serving, homely = self._masks[matter]
                able &= serving
                home &= homely
        return able, (able & home) or able


def _masks(sides: Iterable[tuple[bool, bool]]) -> tuple[int, int]:
    able = home = 0
    for n, (serving, homely) in enumerate(sides):
        able |= serving << n
        home |= (serving and homely) << n
    return able, home


def _cover(everything: int, options: tuple[int, ...]) -> list[int]:
    """The fewest options whose union is `everything`, found breadth first; each covers the lowest bit still missing."""
    paths: dict[int, list[int]] = {0: []}
    while everything not in paths:
        longer: dict[int, list[int]] = {}
        for covered, path in paths.items():
            missing = everything & ~covered
            lowest = missing & -missing
            for option in options:
                if option & lowest:
                    longer.setdefault(covered | option, [*path, option])
        paths = longer
    return paths[everything]


def _split(asked: tuple[str, ...], stops: list[int]) -> tuple[tuple[str, ...], ...]:
    """Each matter goes to the first stop that covers it."""
    taken = 0
    found: list[tuple[str, ...]] = []
    for stop in stops:
        found.append(tuple(matter for i, matter in enumerate(asked) if stop & ~taken & 1 << i))
        taken |= stop
    return tuple(found)
