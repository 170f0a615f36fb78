"""What staff write of their own: sealed at the door, and opened again for staff until it expires (law 10)."""

import msgspec
from aiohttp import web

from queue_server.app.hub import Extras
from queue_server.domain.said import REASONS, is_sealed, reference
from queue_server.store.port import PERSONAL_KEPT_MS, PersonalRow
from queue_server.web.frame import Frame, Route, new_id
from queue_server.web.principals import Person
from queue_server.wire.api import Said, encode

KIND = "text"

READERS = frozenset({"clerk", "guide", "desk", "manager", "auditor"})


def sealed(frame: Frame, text: str) -> tuple[str, Extras]:
    """What an event may hold of `text`: a code as it is, else a reference, with the row that keeps the words."""
    text = text.strip()
    if not text or text in REASONS:
        return text, Extras()
    named, now = reference(new_id()), frame.hub.clock.now()
    return named, Extras([PersonalRow(named, KIND, text.encode(), now, now + PERSONAL_KEPT_MS)])


async def opened(frame: Frame, named: str) -> str | None:
    """The words behind a reference; None when they have expired."""
    found = await frame.store.personal(frame.hub.name, named, frame.hub.clock.now())
    return found[KIND].decode() if KIND in found else None


async def opened_fields(frame: Frame, data: str) -> dict[str, object]:
    """The fields of an event with the words of its references in their place, or the code `expired`."""
    fields = msgspec.json.decode(data, type=dict[str, object])
    for name, value in fields.items():
        if isinstance(value, str) and is_sealed(value):
            fields[name] = await opened(frame, value) or "expired"
    return fields


async def said(frame: Frame, request: web.Request, person: Person) -> web.Response:
    """The words behind one reference; what does not exist cannot be told from what has expired."""
    named = request.match_info["reference"]
    text = await opened(frame, named) if is_sealed(named) else None
    return web.Response(body=encode(Said(text=text or "", expired=text is None)), content_type="application/json")


ROUTES: list[Route] = [
    Route("GET", "said/{reference}", said, READERS, None, Said, "What a member of staff wrote, until it expires"),
]
