"""Requests about the kiosk itself: its staff menu, its printer, and the person it calls."""

from aiohttp import web

from queue_server.domain import commands as c
from queue_server.domain.errors import Rejected
from queue_server.web.frame import Frame, Route
from queue_server.web.principals import Person
from queue_server.wire.api import Empty, KioskPin


async def pin(frame: Frame, request: web.Request, person: Person) -> web.Response:
    """Opens the kiosk's staff menu (UX K-16)."""
    body = await frame.body(request, KioskPin)
    await frame.accounts.check_pin(person.of, body.pin)
    return web.Response(body=b"{}", content_type="application/json")


async def set_pin(frame: Frame, request: web.Request, person: Person) -> web.Response:
    body = await frame.body(request, KioskPin)
    await frame.accounts.set_pin(body.pin)
    return web.Response(body=b"{}", content_type="application/json")


async def kiosk_help(frame: Frame, request: web.Request, person: Person) -> web.StreamResponse:
    await frame.body(request, Empty)
    return await frame.carry(request, person, c.CallHelp(kiosk=person.of), lambda _hall, _decision: (200, b"{}"))


async def test_print(frame: Frame, request: web.Request, person: Person) -> web.Response:
    await frame.body(request, Empty)
    if not await frame.agents.prints.test(person.of):
        raise Rejected("no-printer")
    return web.Response(body=b"{}", content_type="application/json")


ROUTES: list[Route] = [
    Route("POST", "kiosk/pin", pin, frozenset({"kiosk"}), KioskPin, Empty, "Open a kiosk's staff menu"),
    Route("POST", "kiosk/pin/set", set_pin, frozenset({"admin"}), KioskPin, Empty, "Set the PIN of the kiosks"),
    Route("POST", "kiosk/help", kiosk_help, frozenset({"kiosk"}), Empty, Empty, "Call a person to a kiosk"),
    Route("POST", "kiosk/test-print", test_print, frozenset({"kiosk"}), Empty, Empty, "Print a test page"),
]
