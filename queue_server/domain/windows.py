"""A window's own life: who sits there, whether it is open, and what may be asked of it."""

from queue_server.domain import commands as c
from queue_server.domain import events as e
from queue_server.domain.errors import Rejected
from queue_server.domain.model import Hall, Ticket, Window
from queue_server.domain.queues import all_windows, waiting_in
from queue_server.wire.common import DeviceState, HallState, WindowState

_CLOSED, _DAY_BEFORE = WindowState.CLOSED, HallState.BEFORE

PAUSE_REASONS = frozenset({"lunch", "meeting", "device", "away", "other"})


def rating_device(hall: Hall, window: str) -> str:
    """The window's rating device unless it is known to be off or nothing was heard of it yet, else "".

    The protocol has no sign of life (HARDWARE 1.1): a pad nobody has pressed yet is unknown, and is asked all the same.
    """
    for device in hall.catalogue.rating_pads.get(window, ()):
        health = hall.devices.get(device)
        if health is not None and health.state is not DeviceState.OFFLINE:
            return device
    return ""


def no_device_since(hall: Hall, window: str) -> int:
    """Since when (ms UTC) the last of the window's rating devices is off; 0 when one works, or none was ever heard of."""
    if rating_device(hall, window):
        return 0
    known = [hall.devices[pad] for pad in hall.catalogue.rating_pads.get(window, ()) if pad in hall.devices]
    return max((health.offline_since for health in known), default=0)


def known_window(hall: Hall, name: str) -> Window:
    window = hall.windows.get(name)
    if window is None:
        raise Rejected("window-unknown", window=name)
    return window


def open_window(hall: Hall, name: str) -> Window:
    """The window, when somebody sits there."""
    window = known_window(hall, name)
    if window.state is WindowState.CLOSED:
        raise Rejected("window-closed", window=name)
    return window


def in_hand(hall: Hall, name: str, *states: WindowState) -> tuple[Window, Ticket]:
    """The window and the ticket in its hand; Rejected when it has none in one of the states."""
    window = open_window(hall, name)
    if window.ticket and window.state is WindowState.SERVING and window.state not in states:
        raise Rejected("arrived-already", number=hall.tickets[window.ticket].number)
    if window.state not in states or not window.ticket:
        raise Rejected("nothing-in-hand", window=name, state=window.state)
    return window, hall.tickets[window.ticket]


def stranded_without(hall: Hall, name: str) -> int:
    """Waiting tickets whose every other window is closed or paused."""
    working = {
        window.id
        for window in hall.windows.values()
        if window.id != name and window.state not in (WindowState.CLOSED, WindowState.PAUSED)
    }
    count = 0
    for queue in hall.queues:
        served_by = all_windows(queue)
        if name in served_by and not working & served_by:
            count += waiting_in(hall, queue)
    return count


def is_served(hall: Hall, queue: str) -> bool:
    """Whether a window that serves the queue is open, or will be when the doors open."""
    if hall.state is _DAY_BEFORE:
        return bool(all_windows(queue))
    for name in all_windows(queue):
        window = hall.windows.get(name)
        if window is not None and window.state is not _CLOSED:
            return True
    return False


def open_windows(hall: Hall) -> frozenset[str]:
    """The windows where somebody sits, paused ones too: those that `is_served` counts once the doors are open."""
    return frozenset([window.id for window in hall.windows.values() if window.state is not _CLOSED])


def sit_down(hall: Hall, command: c.OpenWindow, ctx: c.Context) -> list[e.Event]:
    """Sign-in by staff number; a taken window needs `take_over`, and the events say who was there."""
    window = known_window(hall, command.window)
    if hall.state is HallState.CLOSED:
        raise Rejected("hall-closed")
    if not any(each.id == window.id for each in hall.configuration.window):
        raise Rejected("window-unknown", window=window.id)
    elsewhere = [w.id for w in hall.windows.values() if w.staff == command.staff and w.id != window.id]
    if elsewhere:
        raise Rejected("staff-at-other-window", window=elsewhere[0], staff=command.staff)
    if window.state is WindowState.CLOSED:
        if not hall.configuration.policy.open_without_rating_device and not rating_device(hall, window.id):
            raise Rejected("no-rating-device", window=window.id)
        opened = e.WindowOpened(window=window.id, staff=command.staff, staff_name=command.staff_name, at=ctx.now)
        return [opened]
    if window.staff == command.staff:
        return []
    if not command.take_over:
        raise Rejected("window-taken", window=window.id, staff=window.staff_name or window.staff)
    taken = e.WindowTakenOver(
        window=window.id,
        staff=command.staff,
        staff_name=command.staff_name,
        previous_staff=window.staff,
        at=ctx.now,
    )
    return [taken]


def pause(hall: Hall, command: c.PauseWindow, ctx: c.Context) -> list[e.Event]:
    """RULES 12, UX C-11: with a reason; says how many it strands."""
    window = open_window(hall, command.window)
    if window.state is not WindowState.IDLE:
        code = "already-paused" if window.state is WindowState.PAUSED else "finish-first"
        raise Rejected(code, window=window.id)
    if command.reason not in PAUSE_REASONS:
        raise Rejected("pause-reason-unknown", reason=command.reason)
    paused = e.WindowPaused(
        window=window.id,
        reason=command.reason,
        resumes_at=command.resumes_at,
        stranded=stranded_without(hall, window.id),
        at=ctx.now,
    )
    return [paused]


def resume(hall: Hall, command: c.ResumeWindow, ctx: c.Context) -> list[e.Event]:
    window = open_window(hall, command.window)
    if window.state is not WindowState.PAUSED:
        raise Rejected("not-paused", window=window.id)
    return [e.WindowResumed(window=window.id, inferred=False, at=ctx.now)]


def leave(hall: Hall, command: c.CloseWindow, ctx: c.Context) -> list[e.Event]:
    window = open_window(hall, command.window)
    if window.state not in (WindowState.IDLE, WindowState.PAUSED):
        raise Rejected("finish-first", window=window.id)
    return [e.WindowClosed(window=window.id, stranded=stranded_without(hall, window.id), at=ctx.now)]
