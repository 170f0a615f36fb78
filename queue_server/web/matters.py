"""Requests for what the hall handles: its matters and bundles, searched or listed."""

from aiohttp import web

from queue_server.app.pinyin import initials_of
from queue_server.app.texts import NOTHING, words
from queue_server.domain.errors import Rejected
from queue_server.domain.model import Hall
from queue_server.web.frame import NOBODY, Frame, Route, query_int
from queue_server.web.principals import Person, bearer
from queue_server.wire.api import MatterHit, MatterHits, encode

SEARCH_MAX = 40


async def matters(frame: Frame, request: web.Request, person: Person) -> web.Response:
    """Search by everyday words, names, pinyin, initials or English; or all of a `domain` ("bundles" for the bundles).

    `letters` may follow `q`: as initials that lead somewhere and as syllables of pinyin, both; with `lang=en`, where the
    beginnings of English words come first, as those.
    """
    if person is NOBODY and frame.screens.around.tokens.read(bearer(request)) is None:
        raise Rejected("unauthorised")
    text, domain = request.query.get("q", "")[:100], request.query.get("domain", "")
    english = request.query.get("lang", "") == "en"
    limit, offset = query_int(request, "limit", 8, 1, 400), query_int(request, "offset", 0, 0, 10_000)

    version, index = await frame.lookup.index()

    def look(hall: Hall) -> bytes | None:
        if hall.version != version:  # changed between the two reads: another index is of it
            return None
        found = index.search(text, SEARCH_MAX, english=english)  # nothing for no text
        names = [(hit.id, hit.kind) for hit in found] if text else _all_of(frame, hall, domain)
        letters = index.letters(text, english=english)
        hits = [_hit(frame, hall, name, kind) for name, kind in names[offset : offset + limit]]
        return encode(MatterHits(hits=hits, total=len(names), letters=letters))

    while (body := await frame.hub.read(look)) is None:
        version, index = await frame.lookup.index()
    return web.Response(body=body, content_type="application/json")


def _all_of(frame: Frame, hall: Hall, domain: str) -> list[tuple[str, str]]:
    """The most wanted first."""
    weight = frame.screens.weight(hall)
    if domain == "bundles":
        return [(each.id, "bundle") for each in sorted(hall.configuration.bundle, key=lambda each: -weight[each.id])]
    offered = [m for m in hall.configuration.matter if m.offered and (not domain or m.domain == domain)]
    return [(matter.id, "matter") for matter in sorted(offered, key=lambda matter: -weight[matter.id])]


def _hit(frame: Frame, hall: Hall, name: str, kind: str) -> MatterHit:
    bundle = hall.catalogue.bundles[name] if kind == "bundle" else None
    matter = hall.catalogue.matters[name] if kind != "bundle" else None
    queue = hall.serving.queue_of(bundle=name) if bundle else hall.serving.queue_of([name])
    ahead, low, high, served = frame.screens.wait_of(hall, queue, frame.hub.clock.now())
    entry = bundle or matter
    assert entry is not None
    owner = bundle.lead if bundle else matter.department if matter else ""
    department = hall.catalogue.departments.get(owner)
    domain = hall.catalogue.domains.get(matter.domain) if matter else None
    return MatterHit(
        id=name,
        kind=kind,
        name=entry.name,
        name_en=entry.name_en,
        everyday=list(entry.everyday),
        domain=domain.name if domain else "一件事",
        domain_en=domain.name_en if domain else "Life events",
        department=(department.short or department.name) if department else owner,
        department_en=department.name_en if department else "",
        initials=initials_of(entry.name),
        waiting=ahead,
        wait_low_s=low,
        wait_high_s=high,
        open=served,
        reason=NOTHING if served else words("nobody-serves"),
        materials=list(entry.materials),
    )


ROUTES: list[Route] = [
    Route("GET", "matters", matters, frozenset(), None, MatterHits, "Find a matter or bundle"),
]
