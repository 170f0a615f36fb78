"""How many numbers a day may be given out for what is wanted (UX K-14)."""

from collections.abc import Iterable

from queue_server.domain.model import Hall


def sold_out(hall: Hall, matters: Iterable[str], bundle: str = "") -> bool:
    """Whether the day's numbers for the bundle, or for one of the matters or its domain, are all given out.

    A matter and a bundle count the tickets that carry them, a domain the numbers with its letters: a ticket for matters of
    several domains counts in the one whose letters it has. What was cancelled stays counted. Unknown ids raise KeyError.
    """
    catalogue = hall.catalogue
    if bundle:
        return _reached(hall.taken.get(bundle, 0), catalogue.bundles[bundle].daily_limit)
    for name in matters:
        matter = catalogue.matters[name]
        if _reached(hall.taken.get(name, 0), matter.daily_limit):
            return True
        domain = catalogue.domains.get(matter.domain)
        if domain is not None and _reached(hall.sequences.get(domain.prefix, 0), domain.daily_limit):
            return True
    return False


def _reached(count: int, limit: int) -> bool:
    return 0 < limit <= count
