"""The exceptions people must see (RULES 7, 30, 32, 54; UX M-02): raised once, cleared when they are over."""

from collections.abc import Iterator

from queue_server.domain import commands as c
from queue_server.domain import events as e
from queue_server.domain.configuration import KIOSK_PAGE, ROUND_THE_CLOCK, WindowKind
from queue_server.domain.errors import Rejected
from queue_server.domain.model import Hall
from queue_server.domain.queues import all_windows, oldest_base, waiting_in
from queue_server.domain.ratings import BAD_RATING
from queue_server.domain.windows import known_window
from queue_server.wire.common import DeviceState, HallState, PrinterState, WindowState

Found = tuple[str, str, str, int]
"""code, subject, level, figure."""

RECENT_MS = 30 * 60_000
HELP_MS = 10 * 60_000


def current(hall: Hall, now: int) -> Iterator[Found]:
    """Every exception that holds at `now`."""
    yield from _waits(hall, now)
    yield from _windows(hall, now)
    yield from _at_any_hour(hall, now)
    for name in sorted(hall.parked):
        if now >= hall.tickets[name].parked_until:
            yield "park-expired", name, "warn", (now - hall.tickets[name].parked_until) // 60_000
    for name in sorted(hall.asked_help):
        if not hall.tickets[name].ended_at:
            yield "help", name, "warn", 0
    for alarm in hall.alarms.values():
        if alarm.code == "window-help":
            yield "window-help", alarm.subject, "alert", 0
        asked = alarm.code == "help" and alarm.subject not in hall.tickets
        if asked and not alarm.acknowledged_by and now - alarm.at < HELP_MS:
            yield "help", alarm.subject, "warn", 0


def _at_any_hour(hall: Hall, now: int) -> Iterator[Found]:
    """What people are told of in a closed hall too: its terminals (RULES 89), and a bad rating until somebody has seen it."""
    yield from _devices(hall, now)
    for alarm in hall.alarms.values():
        if alarm.code == BAD_RATING and not alarm.acknowledged_by:
            yield BAD_RATING, alarm.subject, alarm.level, alarm.figure


def _waits(hall: Hall, now: int) -> Iterator[Found]:
    policy = hall.configuration.policy
    lately = [wait for at, wait in hall.waits if now - at <= RECENT_MS]
    if len(lately) >= 5 and sum(lately) / len(lately) > policy.average_wait_alarm_min * 60_000:
        yield "average-wait", "", "warn", int(sum(lately) / len(lately)) // 60_000
    if hall.state is HallState.BEFORE:
        return
    working = {w.id for w in hall.windows.values() if w.state not in (WindowState.CLOSED, WindowState.PAUSED)}
    for queue in hall.queues:
        waiting = waiting_in(hall, queue)
        if not waiting:
            continue
        able = len(working & all_windows(queue))
        if not able:
            yield "queue-stranded", queue, "alert", waiting
        elif waiting > policy.waiting_per_window_alarm * able:
            yield "queue-long", queue, "warn", waiting
        base = oldest_base(hall, queue)
        if base is not None and now - base > policy.single_wait_alarm_min * 60_000:
            yield "single-wait", queue, "alert", (now - base) // 60_000


def _windows(hall: Hall, now: int) -> Iterator[Found]:
    policy = hall.configuration.policy
    open_kinds = set()
    kinds = {window.id: window.kind for window in hall.configuration.window}
    for window in hall.windows.values():
        minutes = (now - window.since) // 60_000
        if window.state not in (WindowState.CLOSED, WindowState.PAUSED) and window.id in kinds:
            open_kinds.add(kinds[window.id])
        if window.state is WindowState.PAUSED and minutes >= policy.pause_alarm_min:
            yield "pause-long", window.id, "warn", minutes
        if window.state is WindowState.SERVING and minutes >= policy.service_alarm_min:
            yield "service-long", window.id, "warn", minutes
        if window.state is WindowState.IDLE and minutes >= policy.idle_alarm_min and _could_serve(hall, window.id):
            yield "window-idle", window.id, "warn", minutes
    if hall.state is HallState.OPEN:
        for kind, code in ((WindowKind.GRIEVANCE, "no-grievance-window"), (WindowKind.BUNDLE, "no-bundle-window")):
            if kind in kinds.values() and kind not in open_kinds:
                yield code, "", "alert", 0


def _could_serve(hall: Hall, window: str) -> bool:
    return any(window in all_windows(queue) and waiting_in(hall, queue) for queue in hall.queues)


def _devices(hall: Hall, now: int) -> Iterator[Found]:
    """RULES 37: a device that was away for less than N minutes is counted, no alarm; a printer's loss is told at once (UX K-11)."""
    patience_ms = hall.configuration.policy.device_offline_alarm_min * 60_000
    night = not hall.day or hall.state is HallState.CLOSED
    watched = _of_terminals(hall) if night else None
    kinds = {device.id: device.kind for device in hall.configuration.device}
    pages = [f"{KIOSK_PAGE}{kiosk.id}" for kiosk in hall.configuration.kiosk]
    for name in (*kinds, *pages):
        health = hall.devices.get(name)
        if health is None or (watched is not None and name not in watched):
            continue
        if health.state is DeviceState.OFFLINE:
            if kinds.get(name) == "printer" or now - health.offline_since >= patience_ms:
                yield "device-offline", name, "alert", 0
        elif health.printer not in (None, PrinterState.OK, PrinterState.NEAR_END):
            yield f"printer-{health.printer}", name, "alert", 0
        elif health.printer is PrinterState.NEAR_END:
            yield "printer-near_end", name, "warn", 0


def _of_terminals(hall: Hall) -> set[str]:
    """RULES 89: what belongs to the terminals that people also use while the hall is closed."""
    kinds = {zone.id: zone.kind for zone in hall.configuration.zone}
    kiosks = [kiosk for kiosk in hall.configuration.kiosk if kinds.get(kiosk.zone) in ROUND_THE_CLOCK]
    return {f"{KIOSK_PAGE}{kiosk.id}" for kiosk in kiosks} | {kiosk.printer for kiosk in kiosks if kiosk.printer}


def tick(hall: Hall, command: c.Tick, ctx: c.Context) -> list[e.Event]:
    """What began and what ended since the last tick."""
    closed = not hall.day or hall.state is HallState.CLOSED
    holds = _at_any_hour(hall, ctx.now) if closed else current(hall, ctx.now)
    found: dict[str, Found] = {f"{entry[0]}:{entry[1]}": entry for entry in holds}
    raised = [
        e.AlarmRaised(alarm=name, code=code, subject=subject, level=level, figure=figure, at=ctx.now)
        for name, (code, subject, level, figure) in found.items()
        if name not in hall.alarms
    ]
    cleared = [e.AlarmCleared(alarm=name, at=ctx.now) for name in hall.alarms if name not in found]
    return [*raised, *cleared]


def call_help(hall: Hall, command: c.CallHelp, ctx: c.Context) -> list[e.Event]:
    """A kiosk's call for a person stands until somebody takes it, for ten minutes."""
    name = f"help:{command.kiosk}"
    if name in hall.alarms:
        return []
    return [e.AlarmRaised(alarm=name, code="help", subject=command.kiosk, level="warn", figure=0, at=ctx.now)]


def window_help(hall: Hall, command: c.WindowHelp, ctx: c.Context) -> list[e.Event]:
    """Stands until the window itself ends it; acknowledging it means "I am coming"."""
    window, name = known_window(hall, command.window), f"window-help:{command.window}"
    if command.wanted == (name in hall.alarms):
        return []
    if not command.wanted:
        return [e.AlarmCleared(alarm=name, at=ctx.now)]
    return [e.AlarmRaised(alarm=name, code="window-help", subject=window.id, level="alert", figure=0, at=ctx.now)]


def acknowledge(hall: Hall, command: c.AcknowledgeAlarm, ctx: c.Context) -> list[e.Event]:
    """Once; of an alarm beside the hall's own each time, for the same name may stand anew."""
    alarm = hall.alarms.get(command.alarm)
    if alarm is None and not command.beside:
        raise Rejected("alarm-unknown")
    if alarm is not None and alarm.acknowledged_by:
        return []
    return [e.AlarmAcknowledged(alarm=command.alarm, by=ctx.actor, at=ctx.now)]
