"""The aiohttp application of one hall: routes, websockets, pages, health, metrics."""

from collections.abc import Awaitable
from functools import partial
from importlib.metadata import PackageNotFoundError, version

import msgspec
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest

from queue_server.domain.errors import Unavailable
from queue_server.domain.model import Hall
from queue_server.paths import screens_dir
from queue_server.web import desk, devices, hall, kiosks, life, matters, openapi, phones, said, slips, staff, tickets
from queue_server.web.frame import BODY_MAX, Frame, Route, bind
from queue_server.web.pages import Pages
from queue_server.web.problems import problems
from queue_server.web.sockets import Sockets

ROUTES: list[Route] = [
    *tickets.ROUTES,
    *kiosks.ROUTES,
    *slips.ROUTES,
    *matters.ROUTES,
    *phones.ROUTES,
    *desk.ROUTES,
    *said.ROUTES,
    *hall.ROUTES,
    *life.ROUTES,
    *devices.ROUTES,
    *staff.ROUTES,
]


def release() -> str:
    """The installed version."""
    try:
        return version("yichuang")
    except PackageNotFoundError:
        return "0.0.0"


class Metrics:
    """Prometheus gauges, read from the hall when asked."""

    def __init__(self, frame: Frame, sockets: Sockets) -> None:
        self._frame, self._sockets = frame, sockets
        self._registry = CollectorRegistry()
        self._registry.register(frame.voice.delays.histogram)
        self._gauges: dict[str, Gauge] = {}

    def _set(self, name: str, text: str, value: float) -> None:
        gauge = self._gauges.get(name)
        if gauge is None:
            gauge = self._gauges[name] = Gauge(f"yichuang_{name}", text, registry=self._registry)
        gauge.set(value)

    async def answer(self, request: web.Request) -> web.Response:
        def look(hall: Hall) -> dict[str, tuple[str, float]]:
            return {
                "tickets_issued": ("Tickets issued today", hall.issued),
                "tickets_waiting": ("Tickets waiting now", hall.waiting),
                "tickets_called": ("Tickets called today", hall.called),
                "calls_given": ("Calls of a given number today, outside the order (RULES 23)", hall.called_given),
                "services_finished": ("Services finished today", hall.served),
                "services_direct": ("Services without a ticket today", hall.served_direct),
                "no_shows": ("No-shows today", hall.no_shows),
                "ratings_invited": ("Invitations to rate today", hall.invited),
                "ratings": ("Ratings today", hall.rated),
                "demand_unmet": ("Requests that no open window served today", hall.unmet),
                "alarms": ("Alarms that stand now", len(hall.alarms)),
            }

        for name, (text, value) in (await self._frame.hub.read(look)).items():
            self._set(name, text, value)
        screens, agents = self._sockets.counts()
        topics, subscriptions = self._frame.live.counts()
        self._set("screens", "Connected screens", screens)
        self._set("agents", "Connected agents", agents)
        self._set("views", "Views with subscribers", topics)
        self._set("subscriptions", "Subscriptions", subscriptions)
        dropped = self._frame.voice.english_dropped
        self._set(
            "speech_english_dropped", "Announcements in Chinese alone since the start, under load (UX V-06)", dropped
        )
        ended = self._frame.readings.ended
        self._set("readings_used", "Cards and codes that a kiosk's page used since the start", ended["used"])
        self._set("readings_dropped", "Cards and codes that no page wanted", ended.total() - ended["used"])
        self._set("batches", "Commits since the start", self._frame.hub.batches)
        self._set("commands", "Commands committed since the start", self._frame.hub.commands)
        return web.Response(body=generate_latest(self._registry), headers={"Content-Type": CONTENT_TYPE_LATEST})


def make_app(frame: Frame) -> tuple[web.Application, Sockets]:
    """The application and its websockets (which `close` before it stops)."""
    app = web.Application(client_max_size=BODY_MAX, middlewares=[problems])
    sockets = Sockets(frame)
    for route in ROUTES:
        app.router.add_route(route.method, f"/api/v1/halls/{frame.hub.name}/{route.path}", bind(frame, route))
    app.router.add_get("/api/v1/live", sockets.screen)
    app.router.add_get("/api/v1/agent", sockets.agent)
    described = msgspec.json.encode(openapi.document(ROUTES, release()))

    async def describe(request: web.Request) -> web.Response:
        return web.Response(body=described, content_type="application/json")

    async def about(request: web.Request) -> web.Response:
        """The hall's name in addresses, so that a page knows where to ask."""
        return web.json_response({"hall": frame.hub.name, "build": frame.build, "version": release()})

    async def healthy(request: web.Request) -> web.Response:
        return web.Response(text="ok\n", headers={"Access-Control-Allow-Origin": "*"})

    async def ready(request: web.Request) -> web.Response:
        if not frame.hub.may_act():
            raise Unavailable(frame.hub.failure or "not the writer")
        await frame.hub.read(lambda hall: hall.version)
        return web.Response(text="ready\n")

    app.router.add_get("/api/v1/openapi.json", describe)
    app.router.add_get("/api/v1/about", about)
    app.router.add_get("/healthz", healthy)
    app.router.add_get("/readyz", ready)
    app.router.add_get("/metrics", Metrics(frame, sockets).answer)
    app.router.add_get("/api/v1/voice/{name}", frame.voice.file)
    app.router.add_get("/api/v1/voice/guide/{name}", frame.voice.guidance.file)
    Pages(frame, screens_dir()).add_to(app)
    return app, sockets


def shorten(frame: Frame, server: web.Server) -> None:
    """Lead requests to addresses without a part to match straight to their handlers, past the router; before any comes.

    What else an application does for a request stays: limits, errors as problems, and whatever has no such address.
    """
    whole = server.request_handler
    direct = {
        (route.method, f"/api/v1/halls/{frame.hub.name}/{route.path}"): partial(problems, handler=bind(frame, route))
        for route in ROUTES
        if "{" not in route.path
    }

    def handle(request: web.BaseRequest) -> Awaitable[web.StreamResponse]:
        assert isinstance(request, web.Request)
        found = direct.get((request.method, request.path))
        return whole(request) if found is None or "Expect" in request.headers else found(request)

    server.request_handler = handle
