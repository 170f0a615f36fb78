"""What every request handler works with: the hall's parts, bodies, idempotency, and the table of routes."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

from aiohttp import web

from queue_server.app.accounts import Accounts
from queue_server.app.agents import Agents
from queue_server.app.hub import Asking, Cause, Extras, Hub, Responder
from queue_server.app.live import Live
from queue_server.app.lookup import Lookup
from queue_server.app.pages import Pages
from queue_server.app.persons import Persons
from queue_server.app.readings import Readings
from queue_server.app.remote import Remote
from queue_server.app.views.screens import Screens
from queue_server.app.voice import Voice
from queue_server.domain.commands import Command
from queue_server.domain.errors import Malformed, Rejected
from queue_server.domain.model import Hall
from queue_server.store.store import Store
from queue_server.web.bodies import parse
from queue_server.web.principals import Person, identify, require
from queue_server.web.told import Told

T = TypeVar("T")

BODY_MAX = 4 * 1024 * 1024
"""Bytes of the largest body: a configuration file of 3,000 matters."""

KEY_MAX = 128

CALLERS = frozenset({"manager", "desk"})
"""Who may call a given number whatever the hall's policy says (RULES 23)."""


def refusing(refusal: Rejected) -> Asking:
    """A refusal that is for new requests only: what was answered before under the same key is answered the same (law 6)."""

    def command(hall: Hall) -> Command:
        raise refusal

    return command


class _Ids:
    """Identifiers of 64 bits, hex: 48 of time, in steps of 65.5 µs of which none is used twice, then 16 random ones.

    They name and do not protect: what a phone may open has a token (`app.tokens`). Rows made together lie together in a
    table's index, whose pages a commit writes whole.
    """

    __slots__ = ("_last",)

    def __init__(self) -> None:
        self._last = 0

    def __call__(self) -> str:
        self._last = max(self._last + 1, time.time_ns() >> 16)
        return f"{self._last:012x}{random.getrandbits(16):04x}"


new_id = _Ids()


@dataclass(slots=True)
class Frame:
    """One hall as the web sees it."""

    hub: Hub
    store: Store
    accounts: Accounts
    screens: Screens
    live: Live
    agents: Agents
    voice: Voice
    persons: Persons
    readings: Readings
    pages: Pages
    remote: Remote
    build: str
    start: str
    lookup: Lookup
    seen: dict[str, int] = field(default_factory=dict)
    links: dict[str, set[web.WebSocketResponse]] = field(default_factory=dict)
    reporting: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held by the one report over days that is being made."""

    async def close_links(self, device: str) -> None:
        """End the open websockets of a device whose token was revoked."""
        for socket in list(self.links.get(device, ())):
            await socket.close(code=4401, message=b"revoked")

    async def body(self, request: web.Request, kind: type[T]) -> T:
        """The typed body; Malformed with field and reason."""
        return parse(await request.read(), kind)

    async def carry(
        self,
        request: web.Request,
        person: Person,
        command: Asking,
        respond: Responder,
        extras: Extras | None = None,
    ) -> Told:
        """Ask the hub under the request's idempotency key, and answer with what it decided."""
        key = request.headers.get("Idempotency-Key", "")
        if not key or len(key) > KEY_MAX or not key.isascii() or not key.isprintable():
            raise Malformed("Idempotency-Key", "one key of at most 128 printable ASCII characters for each intention")
        seated = person.kind == "staff" and "clerk" in person.roles and "manager" not in person.roles
        actor = person.actor
        cause = Cause(
            actor=actor,
            principal=actor,
            key=key,
            fingerprint=self.fingerprint(request, await request.read()),
            clerk=person.name if seated else "",
            may_call_numbers=not CALLERS.isdisjoint(person.roles),
        )
        answer = await self.hub.ask(command, cause, respond, extras)
        return Told(answer)

    def fingerprint(self, request: web.Request, body: bytes) -> str:
        """What a key stands for: method, path and body; keyed, for a body may hold an identity that could be guessed."""
        return self.store.keys.fingerprint(b"\n".join((request.method.encode(), request.path.encode(), body)))


Handle = Callable[[Frame, web.Request, Person], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Route:
    """One line of the interface; the router and the OpenAPI document are made from the same table.

    `roles` empty means that the handler checks a ticket's token itself, or that nothing is revealed.
    """

    method: str
    path: str
    handle: Handle
    roles: frozenset[str]
    body: type | None
    answer: type | None
    summary: str
    status: int = 200


NOBODY = Person("public", "", "", frozenset())


def bind(frame: Frame, route: Route) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """The aiohttp handler of a route: who is asking is settled before anything else."""

    async def handler(request: web.Request) -> web.StreamResponse:
        person = identify(frame.accounts, request)
        if route.roles:
            person = require(person, route.roles)
        return await route.handle(frame, request, person or NOBODY)

    return handler


def query_int(request: web.Request, name: str, default: int, least: int, most: int) -> int:
    """An integer of the query string; Malformed when it is none or out of range."""
    text = request.query.get(name, "")
    if not text:
        return default
    try:
        value = int(text)
    except ValueError:
        raise Malformed(name, "not a number") from None
    if not least <= value <= most:
        raise Malformed(name, f"between {least} and {most}")
    return value
