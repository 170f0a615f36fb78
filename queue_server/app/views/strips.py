"""What the LED strip above a window and a zone's summary board mean now; how it looks is the display's (UX W-03)."""

from queue_server.app.texts import words
from queue_server.app.views.tickets import plate_of, stop_names
from queue_server.domain.model import Hall, Ticket
from queue_server.wire.agent import NO_NOTICE, ShowStrip
from queue_server.wire.common import HallState, WindowState, Words

BOARD_LINES = 8


def strip_of(hall: Hall, epoch: int, device: str, name: str) -> ShowStrip:
    """The strip of one window; one that the hall does not have is closed."""
    window = hall.windows.get(name)
    ticket = hall.tickets.get(window.ticket) if window else None
    state, text = _state(hall, window.state if window else WindowState.CLOSED), ""
    if window is not None and window.state is WindowState.PAUSED and window.pause_reason:
        text = words(f"paused.{window.pause_reason}").zh
    if ticket is not None and state == "serving":
        text = stop_names(hall, ticket.current)[0].zh
    return ShowStrip(
        epoch=epoch,
        device=device,
        state=state,
        number=ticket.number if ticket else "",
        window=plate_of(hall, name),
        text=text,
        lines=[],
        notice=_notice(hall),
        call=_call(hall, ticket) if ticket is not None and state == "call" else "",
    )


def _call(hall: Hall, ticket: Ticket) -> str:
    """What makes a strip flash, another for each recall; "" where the hall wants nothing to (UX X-04)."""
    return f"{ticket.number}@{ticket.last_call_at}" if hall.configuration.hall.animations else ""


def board_of(hall: Hall, epoch: int, device: str, zone: str) -> ShowStrip:
    """The calls of a zone ("" for all), the newest first."""
    inside = {each.id for each in hall.configuration.window if not zone or each.zone == zone}
    called = [w for w in hall.windows.values() if w.state is WindowState.CALLED and w.id in inside]
    called.sort(key=lambda window: -hall.tickets[window.ticket].last_call_at)
    lines = [(hall.tickets[w.ticket].number, plate_of(hall, w.id)) for w in called[:BOARD_LINES]]
    emergency = hall.message[0] == "emergency"
    return ShowStrip(
        epoch=epoch,
        device=device,
        state="emergency" if emergency else "call" if lines else "waiting",
        number="",
        window="",
        text="",
        lines=[] if emergency else lines,
        notice=_notice(hall),
    )


def _state(hall: Hall, state: WindowState) -> str:
    if hall.message[0] == "emergency":
        return "emergency"
    if hall.state is HallState.CLOSED:
        return "closed"
    return {
        WindowState.IDLE: "waiting",
        WindowState.CALLED: "call",
        WindowState.SERVING: "serving",
        WindowState.PAUSED: "paused",
        # Nobody sits here while the hall is open: that is no closing time.
        WindowState.CLOSED: "paused" if hall.state in (HallState.OPEN, HallState.CLOSING) else "closed",
    }[state]


def _notice(hall: Hall) -> Words:
    """An emergency or an early closing (UX D-08); a plain notice is for screens, which have room for it."""
    kind, zh, en = hall.message
    return Words(zh=zh, en=en) if kind in ("emergency", "closing") else NO_NOTICE
