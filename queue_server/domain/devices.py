"""What devices report of themselves, and when one may be tried (RULES 37, law 9)."""

from typing import Final

from queue_server.domain import commands as c
from queue_server.domain import events as e
from queue_server.domain.configuration import KIOSK_PAGE
from queue_server.domain.errors import Rejected
from queue_server.domain.model import Hall, Window
from queue_server.wire.common import DeviceState, WindowState

TESTS: Final = {
    "printer": "print",
    "strip": "show",
    "board": "show",
    "speaker": "speak",
    "keypad": "light",
    "rating_pad": "rate",
}
"""What a test of each kind of device is; the others are tried by using them."""

ZONE: Final = "zone:"
"""Before the id of a sound zone whose loudspeakers are tried."""

SCREEN: Final = "screen:"
"""Before the id of a paired screen that is no kiosk; a kiosk's page is KIOSK_PAGE and its id."""

TEST_LASTS_MS: Final = 45_000
"""A test that nobody ended by then is over."""

_IN_HAND: Final = (WindowState.CALLED, WindowState.SERVING)


def report(hall: Hall, command: c.ReportDevice, ctx: c.Context) -> list[e.Event]:
    """A device's health becomes an event when it changes (law 9)."""
    known = hall.devices.get(command.device)
    if known is not None and (known.state, known.printer) == (command.state, command.printer):
        return []
    changed = e.DeviceChanged(
        device=command.device, state=command.state, printer=command.printer, error=command.error, at=ctx.now
    )
    return [changed]


def lost_devices(hall: Hall) -> list[str]:
    """Those that are offline, as far as is known."""
    return [name for name, health in hall.devices.items() if health.state is DeviceState.OFFLINE]


def test_of(hall: Hall, device: str) -> str:
    """print, show, speak, light, rate or pattern; "" for what cannot be tried from a page."""
    if device.startswith(SCREEN) or (device.startswith(KIOSK_PAGE) and device in hall.catalogue.device_names):
        return "pattern"
    if device.startswith(ZONE):
        zone = device.removeprefix(ZONE)
        return "speak" if any(window.zone == zone for window in hall.configuration.window) else ""
    entry = hall.catalogue.devices.get(device)
    return TESTS.get(entry.kind, "") if entry is not None else ""


def serves_somebody(hall: Hall, device: str, now: int) -> bool:
    """Whether a citizen needs the device now: their number stands on it, or it asks them for their rating."""
    entry = hall.catalogue.devices.get(device)
    if entry is None:
        return False
    if entry.kind == "board":
        zone = entry.settings.get("zone", "")
        shown = {window.id for window in hall.configuration.window if not zone or window.zone == zone}
        return any(w.state is WindowState.CALLED and w.id in shown for w in hall.windows.values())
    window = hall.windows.get(entry.window)
    if window is None:
        return False
    if entry.kind == "strip":
        return window.state is WindowState.CALLED
    if entry.kind == "rating_pad":
        last = hall.services.get(window.last_service)
        until = last.invited_at + hall.configuration.policy.invite_for_s * 1000 if last else 0
        if last is not None and last.invited_on == device and not last.rating and now <= until:
            return True
    return window.state in _IN_HAND


def calls_stand_on(hall: Hall, role: str, of: str, now: int) -> bool:
    """Whether a citizen needs what stands on a display now: a call on a hall display, board of dots or window screen, or the
    invitation to rate on the latter. Whether somebody stands at a kiosk only its page knows."""
    if role == "window":
        window = hall.windows.get(of)
        return window is not None and (window.state is WindowState.CALLED or _is_asking(hall, window, now))
    if role == "led":
        board = next((led for led in hall.configuration.led if led.id == of), None)
        if board is None:
            return False
        if board.window:
            return calls_stand_on(hall, "window", board.window, now)
        of = board.zone
    elif role != "hall":
        return False
    shown = {window.id for window in hall.configuration.window if not of or window.zone == of}
    return any(window.state is WindowState.CALLED and window.id in shown for window in hall.windows.values())


def _is_asking(hall: Hall, window: Window, now: int) -> bool:
    last = hall.services.get(window.last_service)
    return (
        last is not None and not last.rating and now <= last.invited_at + hall.configuration.policy.invite_for_s * 1000
    )


def try_out(hall: Hall, command: c.TestDevice, ctx: c.Context) -> list[e.Event]:
    """Refused while a citizen needs the device; `busy` is what is known of its work outside the hall's state."""
    test = test_of(hall, command.device)
    if not test:
        raise Rejected("device-test-none")
    before = hall.tests.get(command.device)
    if before is not None and not before.outcome and ctx.now - before.at < TEST_LASTS_MS:
        raise Rejected("device-test-runs")
    if command.busy or serves_somebody(hall, command.device, ctx.now):
        raise Rejected("device-busy")
    return [e.DeviceTestAsked(id=command.id, device=command.device, test=test, at=ctx.now)]


def end_test(hall: Hall, command: c.EndDeviceTest, ctx: c.Context) -> list[e.Event]:
    """Once for each test."""
    test = hall.tests.get(command.device)
    if test is None or test.id != command.id or test.outcome:
        return []
    ended = e.DeviceTestEnded(
        id=command.id, device=command.device, outcome=command.outcome, reason=command.reason, at=ctx.now
    )
    return [ended]
