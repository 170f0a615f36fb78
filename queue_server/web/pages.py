"""The built screens as files: HTML without cache, hashed assets for ever, and a real 404 for what is missing."""

import hashlib
import html
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
from aiohttp import web

from queue_server.web.frame import Frame
from queue_server.web.phones import view_of

ELSEWHERE = frozenset({"panel"})
"""Built with the screens, served by the emulators."""

SLOT = "<!--slot:ticket-->"
HALL_SLOT = "slot:hall"
CSP = (
    "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; connect-src 'self' ws: wss:; "
    "media-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
)
SECURITY = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
}
NOT_BUILT = (
    "屏幕页面尚未构建：请运行 ./scripts/run，或在 displays/web 下运行 npm run build。 / The screens are not built yet."
)


class Pages:
    """Every entry under its own path; the phone's page carries its ticket before any script runs (UX P-01)."""

    def __init__(self, frame: Frame, folder: Path) -> None:
        self._frame = frame
        self._folder = folder
        found = sorted(path.stem for path in folder.glob("*.html")) if folder.is_dir() else []
        self.names = [name for name in found if name not in ELSEWHERE]

    def add_to(self, app: web.Application) -> None:
        for name in self.names:
            app.router.add_get(f"/{name}", self._page(name))
            if name in ("phone", "rate"):
                path = "/t/{token}" if name == "phone" else "/rate/{token}"
                app.router.add_get(path, self._page(name))
        app.router.add_get("/", self._root)
        app.router.add_get("/d", self._to_join)
        app.router.add_get("/static/{path:.+}", self._asset)

    def _page(self, name: str) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handler(request: web.Request) -> web.Response:
            text = (self._folder / f"{name}.html").read_text(encoding="utf-8")
            text = text.replace(HALL_SLOT, html.escape(self._frame.hub.name))
            token = request.match_info.get("token", "")
            if token and SLOT in text:
                text = text.replace(SLOT, await self._ticket_shell(token))
            return web.Response(text=text, content_type="text/html", headers={"Cache-Control": "no-cache", **SECURITY})

        return handler

    async def _ticket_shell(self, token: str) -> str:
        """Number and state in plain HTML; nothing personal is on a ticket."""
        read = self._frame.screens.around.tokens.read(token)
        if read is None or read[0] != "t":
            return ""
        view = await view_of(self._frame, read[1])
        if view is None:
            return ""
        document = view.ticket
        state = _STATES.get(document.state, "")
        ahead = f"，前面还有 {document.ahead} 位" if document.state == "waiting" else ""
        window = f"，请到 {html.escape(document.plate)} 号窗口" if document.state == "called" else ""
        return f'<p class="shell"><b>{html.escape(document.number)}</b> {state}{ahead}{window}</p>'

    async def _root(self, request: web.Request) -> web.Response:
        if not self.names:
            return web.Response(text=NOT_BUILT, status=503)
        raise web.HTTPFound("/login")

    async def _to_join(self, request: web.Request) -> web.Response:
        raise web.HTTPFound("/join")

    async def _asset(self, request: web.Request) -> web.StreamResponse:
        path = (self._folder / request.match_info["path"]).resolve()
        if not path.is_relative_to(self._folder.resolve()) or not path.is_file() or path.suffix == ".html":
            raise web.HTTPNotFound
        hashed = "assets" in path.parts
        cache = "public, max-age=31536000, immutable" if hashed else "no-cache"
        return web.FileResponse(path, headers={"Cache-Control": cache, "X-Content-Type-Options": "nosniff"})


_STATES = {
    "waiting": "正在等候",
    "called": "正在叫您",
    "serving": "正在办理",
    "parked": "已挂起，请回窗口",
    "passed": "已过号，请到取号机、导办台或原窗口恢复",
    "done": "已办结",
    "cancelled": "已取消",
    "void": "已作废",
    "uncalled": "今日未叫到",
}


def build_id(folder: Path) -> str:
    """Names the built screens; pages reload when it changes (UX X-08)."""
    manifest = folder / ".vite" / "manifest.json"
    if not manifest.is_file():
        return "unbuilt"
    files = msgspec.json.decode(manifest.read_bytes(), type=dict[str, dict[str, object]])
    return hashlib.sha256(
        "\n".join(sorted(str(entry.get("file", "")) for entry in files.values())).encode()
    ).hexdigest()[:12]
