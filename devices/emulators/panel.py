"""The panel of emulated devices: a page on this PC's own loopback on which a person presses their keys and pulls their plugs."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import msgspec
import structlog
from aiohttp import WSMsgType, web

from devices.emulators.bench import Bench, Deed
from devices.transport import Unavailable

LOOPBACK: Final = "127.0.0.1"
LOOK_S: Final = 0.1
"""How often the devices are looked at while somebody has the page open."""
BROKEN_S: Final = 5.0
SOCKETS_MAX: Final = 32
MESSAGE_MAX: Final = 4096
DEEDS_MAX: Final = 64
"""Keys of one page whose answer has not come yet; one more is refused."""
NOT_BUILT: Final = "面板页面尚未构建：请在 displays/web 下运行 npm run build。 / The panel's page is not built yet."
CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self'; media-src 'self'; "
    "connect-src 'self' ws:; base-uri 'none'; frame-ancestors 'none'; form-action 'none'"
)
SECURITY: Final = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}

_decode = msgspec.json.Decoder(Deed).decode
_encode = msgspec.json.Encoder().encode


def built_pages() -> Path:
    """Where the built screens lie."""
    import displays  # noqa: PLC0415 — only its place is wanted

    return Path(displays.__file__).parent / "web" / "dist"


_log = structlog.get_logger()


class PanelServer:
    """Serves one bench; every page gets what changed, and what it did is answered."""

    def __init__(self, bench: Bench, pages: Path) -> None:
        self._bench = bench
        self._pages = pages
        self._names: frozenset[str] = frozenset()
        self._sockets: dict[web.WebSocketResponse, dict[str, bytes]] = {}
        self._somebody = asyncio.Event()

    def make(self) -> web.Application:
        """Its pages."""
        app = web.Application(middlewares=[self._only_here])
        app.router.add_get("/", self._page)
        app.router.add_get("/static/assets/{name}", self._asset)
        app.router.add_get("/bench", self._live)
        app.router.add_get("/paper/{device}/{number}.png", self._paper)
        app.router.add_get("/clip/{place}/{count}.wav", self._clip)
        return app

    def listens_as(self, *names: str) -> None:
        """The `Host`s by which it may be asked."""
        self._names = frozenset(names)

    @web.middleware
    async def _only_here(self, request: web.Request, handler: object) -> web.StreamResponse:
        # A page of the internet may have this browser ask us by another name, or from another origin.
        if request.host not in self._names or request.headers.get("Origin", f"http://{request.host}") != (
            f"http://{request.host}"
        ):
            raise web.HTTPForbidden(text="only from this PC")
        response: web.StreamResponse = await handler(request)  # type: ignore[operator]
        return response

    async def _page(self, request: web.Request) -> web.Response:
        try:
            text = (self._pages / "panel.html").read_text(encoding="utf-8")
        except FileNotFoundError:
            return web.Response(text=NOT_BUILT, status=503)
        return web.Response(text=text, content_type="text/html", headers=SECURITY)

    async def _asset(self, request: web.Request) -> web.StreamResponse:
        folder = (self._pages / "assets").resolve()
        path = (folder / request.match_info["name"]).resolve()
        if path.parent != folder or not path.is_file():
            raise web.HTTPNotFound
        return web.FileResponse(path, headers={"X-Content-Type-Options": "nosniff"})

    async def _paper(self, request: web.Request) -> web.Response:
        try:
            device, number = request.match_info["device"], int(request.match_info["number"])
            body = self._bench.paper(device, number)
        except (KeyError, ValueError):
            raise web.HTTPNotFound from None
        except Unavailable as error:  # no font
            raise web.HTTPServiceUnavailable(text=str(error)) from error
        return web.Response(body=body, content_type="image/png", headers=SECURITY)

    async def _clip(self, request: web.Request) -> web.Response:
        spoken = self._bench.spoken.get(request.match_info["place"])
        if spoken is None or not spoken.clip:
            raise web.HTTPNotFound
        return web.Response(body=spoken.clip, content_type="audio/wav", headers=SECURITY)

    async def _live(self, request: web.Request) -> web.StreamResponse:
        if len(self._sockets) >= SOCKETS_MAX:
            raise web.HTTPServiceUnavailable(text="too many pages")
        socket = web.WebSocketResponse(heartbeat=20.0, max_msg_size=MESSAGE_MAX)
        await socket.prepare(request)
        stations = [{"id": s.id, "name": s.name, "note": s.note or None} for s in self._bench.stations.values()]
        await socket.send_str(_encode({"type": "welcome", "title": self._bench.title, "stations": stations}).decode())
        self._sockets[socket] = {}
        self._somebody.set()
        doing: set[asyncio.Task[None]] = set()
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    self._begin(socket, message.data, doing)
        finally:
            del self._sockets[socket]
            for task in doing:
                task.cancel()
        return socket

    def _begin(self, socket: web.WebSocketResponse, text: str, doing: set[asyncio.Task[None]]) -> None:
        try:
            deed = _decode(text)
        except msgspec.DecodeError:
            return
        if len(doing) < DEEDS_MAX:
            task = asyncio.get_running_loop().create_task(self._do(socket, deed))
            doing.add(task)
            task.add_done_callback(doing.discard)

    async def _do(self, socket: web.WebSocketResponse, deed: Deed) -> None:
        reason = ""
        try:
            done = await self._bench.do(deed)
        except (ValueError, Unavailable) as error:
            done, reason = False, str(error)
        with contextlib.suppress(ConnectionError):
            await socket.send_str(_encode({"type": "outcome", "id": deed.id, "ok": done, "reason": reason}).decode())

    async def watch(self) -> None:
        """Send what changed, while somebody looks."""
        while True:
            if not self._sockets:
                self._somebody.clear()
                await self._somebody.wait()
            try:
                now = {key: _encode(document) for key, document in self._bench.documents().items()}
            except Exception:  # the pages stay as they are; what cannot be drawn now may be drawn later
                _log.exception("panel")
                await asyncio.sleep(BROKEN_S)
                continue
            for socket, told in list(self._sockets.items()):
                changed = {key: msgspec.Raw(body) for key, body in now.items() if told.get(key) != body}
                if not changed or socket not in self._sockets:  # it was closed while another was served
                    continue
                self._sockets[socket] = now
                with contextlib.suppress(ConnectionError, TimeoutError):
                    async with asyncio.timeout(1.0):  # a page that does not read must not hold up the others
                        await socket.send_str(_encode({"type": "change", "documents": changed}).decode())
            await asyncio.sleep(LOOK_S)


@contextlib.asynccontextmanager
async def serving_panel(bench: Bench, port: int, pages: Path | None = None) -> AsyncIterator[str]:
    """The panel's address while the block lasts; port 0 is any that is free. `Unavailable` when the port cannot be had."""
    server = PanelServer(bench, pages or built_pages())
    runner = web.AppRunner(server.make(), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    watch = asyncio.create_task(server.watch())
    try:
        site = web.TCPSite(runner, LOOPBACK, port)
        try:
            await site.start()
        except OSError as error:
            raise Unavailable(f"the panel's port {port}: {error.strerror or error}") from error
        bound = runner.addresses[0][1]
        server.listens_as(f"{LOOPBACK}:{bound}", f"localhost:{bound}")
        yield f"http://{LOOPBACK}:{bound}/"
    finally:
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)
        await runner.cleanup()
