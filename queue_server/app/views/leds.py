"""The boards of dots that are ordinary screens: what a panel of their size would be sent (UX W-03 to W-07)."""

from base64 import b64encode
from collections import OrderedDict

from displays.errors import Unavailable as NoFont
from displays.led import Panel, Picture, StripState, parse_dimming, pictures, planes, state_of
from queue_server.app.texts import plain, words
from queue_server.app.views.strips import board_of, strip_of
from queue_server.domain.configuration import Led
from queue_server.domain.model import Hall
from queue_server.wire.common import WindowState
from queue_server.wire.documents import LedDocument, LedPage

PAGES_BYTES = 8 * 1024 * 1024
"""Of rendered pages that are kept: thousands of strips' texts, or some dozens of the largest boards'."""


def led_document(hall: Hall, board: Led, minute: int) -> LedDocument:
    """A board at a minute of the local day; one that cannot be drawn says why. Its size and brightness were checked with the file."""
    shown = strip_of(hall, 0, board.id, board.window) if board.window else board_of(hall, 0, board.id, board.zone)
    pages: tuple[LedPage, ...] = ()
    problem = None
    try:
        pages = _pages(state_of(shown), Panel(board.width, board.height, board.dots))
    except NoFont:
        problem = words("led-no-font")
    return LedDocument(
        id=board.id,
        name=plain(board.name),
        width=board.width,
        height=board.height,
        brightness=parse_dimming(board.brightness).at(minute),
        call=_call(hall, board),
        pages=list(pages),
        problem=problem,
    )


def _call(hall: Hall, board: Led) -> str:
    """The newest call that stands on the board, "" for none; a recall is another one."""
    zones = {each.id: each.zone for each in hall.configuration.window}
    called = [
        hall.tickets[window.ticket]
        for window in hall.windows.values()
        if window.state is WindowState.CALLED
        and (window.id == board.window if board.window else board.zone in ("", zones.get(window.id)))
    ]
    newest = max(called, key=lambda ticket: ticket.last_call_at, default=None)
    return f"{newest.number}@{newest.last_call_at}" if newest else ""


class _Drawn:
    """Rendered pages, once for all boards of a size that say the same; beyond PAGES_BYTES the longest unused are drawn anew."""

    def __init__(self) -> None:
        self._pages: OrderedDict[tuple[StripState, Panel], tuple[LedPage, ...]] = OrderedDict()
        self.held_bytes = 0

    def __call__(self, state: StripState, panel: Panel) -> tuple[LedPage, ...]:
        key = state, panel
        found = self._pages.get(key)
        if found is not None:
            self._pages.move_to_end(key)
            return found
        found = self._pages[key] = tuple(map(_page, pictures(state, panel)))
        self.held_bytes += _size(found)
        while self.held_bytes > PAGES_BYTES:
            self.held_bytes -= _size(self._pages.popitem(last=False)[1])
        return found

    def clear(self) -> None:
        self._pages.clear()
        self.held_bytes = 0


def _page(shown: Picture) -> LedPage:
    red, green = (b64encode(plane).decode() for plane in planes(shown.image))
    return LedPage(texts=list(shown.texts), red=red, green=green, hold_ms=shown.hold_ms)


def _size(pages: tuple[LedPage, ...]) -> int:
    """Bytes of dots, and something for the rest."""
    return sum(len(page.red) + len(page.green) + 512 for page in pages)


_pages = _Drawn()
