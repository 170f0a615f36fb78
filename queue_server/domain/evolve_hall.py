"""The hall's own events into state: configuration, the day, messages, devices, alarms."""

from dataclasses import replace

from queue_server.domain import events as e
from queue_server.domain.catalogue import Catalogue
from queue_server.domain.model import Alarm, DeviceHealth, DeviceTest, Hall, Mute, Unmet, Window, empty_hall
from queue_server.domain.queues import rebuild
from queue_server.domain.serving import Serving
from queue_server.wire.common import DeviceState, HallState, TicketState, WindowState


def configuration_applied(hall: Hall, event: e.ConfigurationApplied) -> None:
    waiting = [ticket for ticket in hall.tickets.values() if ticket.state is TicketState.WAITING]
    hall.configuration = event.configuration
    hall.planned = None
    hall.serving = Serving(event.configuration)
    hall.catalogue = Catalogue(event.configuration, hall.serving)
    hall.version = event.version
    for name, queues in event.queues.items():
        # A restart applies yesterday's configuration to an empty day: its tickets are not in the house any more.
        stops = hall.tickets[name].stops if name in hall.tickets else []
        for stop, queue in zip(stops, queues, strict=False):
            stop.queue = queue
    rebuild(hall, waiting)
    for window in event.configuration.window:
        hall.windows.setdefault(window.id, Window(id=window.id))
    known = {window.id for window in event.configuration.window}
    for name in [name for name, window in hall.windows.items() if name not in known]:
        if hall.windows[name].state is WindowState.CLOSED:
            del hall.windows[name]


def configuration_planned(hall: Hall, event: e.ConfigurationPlanned) -> None:
    hall.planned = event.configuration


def day_opened(hall: Hall, event: e.DayOpened) -> Hall:
    fresh = empty_hall(hall.configuration)
    fresh.serving, fresh.catalogue = hall.serving, hall.catalogue
    fresh.version = hall.version
    fresh.day = event.day
    fresh.previous_day = event.previous_day
    fresh.opened_at = event.at
    fresh.devices = {name: replace(device, losses=0) for name, device in hall.devices.items()}
    for known in event.devices:
        fresh.devices[known.device] = DeviceHealth(
            state=known.state,
            printer=known.printer,
            offline_since=known.offline_since,
            since=known.since,
            error=known.error,
        )
    fresh.planned = hall.planned
    return fresh


def day_started(hall: Hall, event: e.DayStarted) -> None:
    hall.state = HallState.OPEN
    hall.closing = ("", "")
    if hall.message[0] == "closing":
        hall.message = ("", "", "")


def day_closing(hall: Hall, event: e.DayClosing) -> None:
    hall.state = HallState.CLOSING
    if event.text:
        hall.closing = (event.text, event.text_en)
        if hall.message[0] != "emergency":
            hall.message = ("closing", *hall.closing)


def day_ended(hall: Hall, event: e.DayEnded) -> None:
    hall.state = HallState.CLOSED
    hall.message = ("", "", "")
    hall.closing = ("", "")
    for window in hall.windows.values():
        window.state = WindowState.CLOSED
        window.since = event.at
        window.staff = window.staff_name = window.pause_reason = window.resumes_at = ""


def message_set(hall: Hall, event: e.MessageSet) -> None:
    hall.message = (event.kind, event.zh, event.en)
    if not event.kind:
        hall.closing = ("", "")


def announcement_due(hall: Hall, event: e.AnnouncementDue) -> None:
    hall.announced[event.kind] = event.at


def zone_muted(hall: Hall, event: e.ZoneMuted) -> None:
    hall.muted[event.zone] = Mute(event.at, event.until, event.by)


def demand_unmet(hall: Hall, event: e.DemandUnmet) -> None:
    hall.unmet += 1
    if event.request:
        hall.unmet_requests.add((event.origin, event.request))
    kind, wanted = ("bundle", (event.bundle,)) if event.bundle else ("matter", event.matters)
    for name in wanted:
        unmet = hall.unmet_of.setdefault((kind, name), Unmet())
        unmet.times += 1
        unmet.last_at = event.at
        unmet.asked[event.who] = event.at


def device_changed(hall: Hall, event: e.DeviceChanged) -> None:
    before = hall.devices.get(event.device) or DeviceHealth()
    offline = event.state is DeviceState.OFFLINE
    lost = offline and before.state is not DeviceState.OFFLINE
    hall.devices[event.device] = DeviceHealth(
        state=event.state,
        printer=event.printer,
        offline_since=event.at if lost else before.offline_since if offline else 0,
        losses=before.losses + lost,
        since=before.since if before.since and event.state is before.state else event.at,
        error=event.error,
    )


def device_test_asked(hall: Hall, event: e.DeviceTestAsked) -> None:
    hall.tests[event.device] = DeviceTest(id=event.id, test=event.test, at=event.at)


def device_test_ended(hall: Hall, event: e.DeviceTestEnded) -> None:
    test = hall.tests.get(event.device)
    if test is not None and test.id == event.id:
        test.outcome, test.reason = event.outcome, event.reason


def alarm_raised(hall: Hall, event: e.AlarmRaised) -> None:
    hall.alarms[event.alarm] = Alarm(
        event.alarm, event.code, event.subject, event.level, event.at, event.figure, event.window, event.staff
    )


def alarm_cleared(hall: Hall, event: e.AlarmCleared) -> None:
    del hall.alarms[event.alarm]


def alarm_acknowledged(hall: Hall, event: e.AlarmAcknowledged) -> None:
    alarm = hall.alarms.get(event.alarm)
    if alarm is None:
        hall.noticed[event.alarm] = (event.at, event.by)
    else:
        alarm.acknowledged_by = event.by
