"""What a window strip or a summary board says, by half-width cells: shorten, then page, never scroll (UX W-03 to W-05)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from typing import Final, Literal

import msgspec

from queue_server.wire.agent import ShowStrip

Colour = Literal["red", "green", "yellow"]
State = Literal["call", "serving", "paused", "waiting", "closed", "emergency"]

PAGE_MS: Final = 2_500
"""A page stays at least this long (UX W-05)."""
LEAST_CELLS: Final = 8
"""64×16 dots: four hanzi (UX W-04)."""
PAGES_LIMIT: Final = 12

COLOURS: Final[Mapping[State, Colour]] = {
    "call": "red",
    "serving": "green",
    "paused": "red",
    "waiting": "green",
    "closed": "red",
    "emergency": "red",
}
NOTICE_COLOUR: Final[Colour] = "yellow"
"""A second sign beside the word, which every page has; two-colour strips have no more (look/led)."""

_PIECE: Final = re.compile(r"[!-~]+|\s+|.")
_ASIDE: Final = re.compile(r"[（(].*?[）)]")


class _Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    window: str
    plate: str
    call: tuple[str, ...]
    call_pages: str
    serving: tuple[str, ...]
    serving_pages: str
    paused: tuple[str, ...]
    waiting: tuple[str, ...]
    waiting_plain: tuple[str, ...]
    closed: tuple[str, ...]
    board: tuple[str, ...]
    emergency: str


_WORDS: Final = msgspec.json.decode(files("displays.led").joinpath("zh.json").read_bytes(), type=_Words)


class StripState(msgspec.Struct, frozen=True, kw_only=True):
    """What a strip means now. `window` is a plate (3) or a name (台胞接待室); `text` the window's public name when
    waiting, the reason when paused. `lines` are a board's calls (number, plate). `notice` is the hall's announcement, one
    text a language: all there is in an emergency, otherwise in turn with the state."""

    state: State
    number: str = ""
    window: str = ""
    text: str = ""
    lines: tuple[tuple[str, str], ...] = ()
    notice: tuple[str, ...] = ()


def state_of(shown: ShowStrip) -> StripState:
    """What the wire says, as a strip's state."""
    return StripState(
        state=shown.state,  # type: ignore[arg-type]
        number=shown.number,
        window=shown.window,
        text=shown.text,
        lines=tuple(shown.lines),
        notice=tuple(text for text in (shown.notice.zh, shown.notice.en) if text),
    )


class Page(msgspec.Struct, frozen=True):
    """One page of a strip in one colour, shown for `hold_ms`."""

    text: str
    colour: Colour
    hold_ms: int = PAGE_MS

    @property
    def runs(self) -> tuple[tuple[str, str], ...]:
        """Runs of (text, colour), as strips take them."""
        return ((self.text, self.colour),)


def cells(text: str) -> int:
    """Half-width cells of a GBK strip: ASCII one, everything else two."""
    return sum(1 if character.isascii() else 2 for character in text)


def strip_pages(state: StripState, capacity: int) -> list[Page]:
    """The pages for a strip of `capacity` half-width cells (64×16: 8, 96×16: 12, 128×16: 16); ValueError below 8.

    A number is whole on its page unless it is wider than the strip itself.
    """
    if capacity < LEAST_CELLS:
        raise ValueError(f"a strip has at least {LEAST_CELLS} cells, not {capacity}")
    texts = _board(state, capacity) if state.lines else _window(state, capacity)
    pages = [Page(text, COLOURS[state.state]) for text in list(dict.fromkeys(texts))[:PAGES_LIMIT]]
    if state.state == "emergency":
        return pages
    notices = [Page(text, NOTICE_COLOUR) for text in _notice(state.notice, capacity)]
    return _in_turn([[page] for page in pages] if state.lines else [pages], notices)


def _notice(texts: Sequence[str], capacity: int) -> list[str]:
    """The languages one after the other; the same text in two of them is one."""
    pages = [page for text in dict.fromkeys(texts) for page in paged(" ".join(text.split()), capacity)]
    return pages[:PAGES_LIMIT]


def _in_turn(groups: Sequence[list[Page]], notices: Sequence[Page]) -> list[Page]:
    """After each group one page of the notice: no number is away for longer than that page (UX W-05)."""
    turns = max(len(groups), len(notices))
    pages: list[Page] = []
    for turn in range(turns):
        pages += groups[turn % len(groups)]
        pages += [notices[turn % len(notices)]] if notices else []
    return pages


def _window(state: StripState, capacity: int) -> list[str]:
    words = {"number": state.number, **_place(state.window), "text": state.text}
    match state.state:
        case "call":
            return _first(_WORDS.call, words, capacity) or _numbered(_WORDS.call_pages, state.number, capacity)
        case "serving":
            return _first(_WORDS.serving, words, capacity) or _numbered(_WORDS.serving_pages, state.number, capacity)
        case "paused":
            pause = _first(_WORDS.paused, words, capacity)
            together = f"{pause[-1]} {state.text}"
            if state.text and cells(together) <= capacity:
                return [together]
            return pause + paged(state.text, capacity)
        case "waiting":
            plain = _first(_WORDS.waiting_plain, words, capacity)
            return (_first(_WORDS.waiting, words, capacity) if state.text.strip() else []) or plain
        case "closed":
            return _first(_WORDS.closed, words, capacity)
        case "emergency":
            return _notice(state.notice, capacity) or [_WORDS.emergency]


def _board(state: StripState, capacity: int) -> list[str]:
    pages: list[str] = []
    for number, plate in state.lines:
        words = {"number": number, **_place(plate)}
        pages += _first(_WORDS.board, words, capacity) or [*_numbered("", number, capacity), *paged(plate, capacity)]
    return pages


def _place(window: str) -> dict[str, str]:
    """A plate as window and short form; a window that has a name is called by it."""
    if not window.isdigit():
        return {"window": window, "plate": window, "short": window}
    named = {key: getattr(_WORDS, key).format(window=window) for key in ("window", "plate")}
    return {**named, "short": window}


def _first(templates: Sequence[str], words: Mapping[str, str], capacity: int) -> list[str]:
    """The first, longest template that fits, as one page; nothing if none does."""
    for template in templates:
        text = template.format(**words).strip()
        if 0 < cells(text) <= capacity:
            return [text]
    return []


def _numbered(word: str, number: str, capacity: int) -> list[str]:
    """The word on a page, then the number whole on its own; only a number wider than the strip is cut into pages."""
    return [text for text in (word, *paged(number, capacity)) if text]


def paged(text: str, capacity: int) -> list[str]:
    """`text` on one page if it fits, without what stands in brackets if that fits, else over several pages."""
    for whole in (text.strip(), _ASIDE.sub("", text).strip()):
        if cells(whole) <= capacity:
            return [whole] if whole else []
    return _even(text, capacity)


def _even(text: str, capacity: int) -> list[str]:
    """As few pages as there must be, of about one length: no page holds a last character alone."""
    pages = [page for page in _pages(text, capacity) if page]
    longest = max(map(cells, _PIECE.findall(text)), default=0)
    for width in range(capacity - 1, longest - 1, -1):
        narrower = [page for page in _pages(text, width) if page]
        if len(narrower) > len(pages):
            break
        pages = narrower
    return pages


def _pages(text: str, capacity: int) -> Iterable[str]:
    """Pages of at most `capacity` cells; a number or a Latin word stays whole where a page can hold it."""
    page = ""
    for piece in _PIECE.findall(text):
        if cells(page + piece) > capacity and page:
            yield page.strip()
            page = ""
        page += piece
        while cells(page) > capacity:  # a Latin word longer than the strip
            yield page[:capacity]
            page = page[capacity:]
    yield page.strip()
