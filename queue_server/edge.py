"""What the agent is given of the displays: how a strip's meaning becomes pages, and a paper becomes a printer's bytes."""

from collections.abc import Callable, Sequence
from datetime import datetime

from devices.drivers.printer import PAPER_PREFIX, printer_maker
from devices.protocols.paged import Page
from devices.session import Papers
from displays.errors import Malformed
from displays.led import state_of, strip_pages
from displays.led.strip import LEAST_CELLS
from displays.receipts import TestPaper, decode_paper, encode_paper, printer_profile
from displays.receipts.papers import paper_bytes
from queue_server.wire.agent import DeviceEntry, ShowStrip

CELLS = 16
"""Half-width cells of a strip unless its settings say `cells`: 128×16 dots."""


def render_strip(shown: ShowStrip, entry: DeviceEntry) -> Sequence[Page]:
    """The pages of a strip or board; Malformed when its `cells` make no sense."""
    said = entry.settings.get("cells", str(CELLS))
    try:
        cells = int(said)
    except ValueError:
        cells = 0
    if cells < LEAST_CELLS:
        raise Malformed(f"cells is how many Latin letters fit in a row, at least {LEAST_CELLS}, not {said!r}")
    return [page.runs for page in strip_pages(state_of(shown), cells)]


def lay_out_for(entry: DeviceEntry) -> Callable[[bytes], bytes]:
    """Papers for this printer: its profile with the `paper.*` settings put over it; ValueError for what it cannot be."""
    own = {
        name.removeprefix(PAPER_PREFIX): value
        for name, value in entry.settings.items()
        if name.startswith(PAPER_PREFIX)
    }
    profile = printer_profile(entry.profile or "80mm", own)

    return lambda paper: paper_bytes(decode_paper(paper), profile)


def test_page(entry: DeviceEntry) -> bytes:
    """The paper that a printer is tried with by hand: no hall is known, and its codes hold the line's own URL."""
    at = f"{datetime.now().astimezone():%Y-%m-%d %H:%M}"
    return encode_paper(TestPaper(hall="yichuang devices try", device=entry.profile, printed_at=at, url=entry.url))


make_printer = printer_maker(lay_out_for)
PAPERS = Papers(lay_out_for, test_page)
