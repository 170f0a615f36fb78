"""Events into state, in place: total on what `decide` made, and blind to configuration (law 3)."""

from collections.abc import Callable
from typing import Any

from queue_server.domain import events as e
from queue_server.domain import evolve_hall, evolve_tickets, evolve_windows
from queue_server.domain.errors import Broken
from queue_server.domain.model import Hall


def evolve(hall: Hall, event: e.Event) -> Hall:
    """The hall after the event: the same object changed in place, except that a new day makes a new one."""
    handler = _HANDLERS.get(type(event))
    if handler is None:
        raise Broken(f"no evolution for {type(event).__name__}")
    changed: Hall | None = handler(hall, event)
    return hall if changed is None else changed


_HANDLERS: dict[type[e.Event], Callable[[Hall, Any], Hall | None]] = {
    e.ConfigurationApplied: evolve_hall.configuration_applied,
    e.ConfigurationPlanned: evolve_hall.configuration_planned,
    e.DayOpened: evolve_hall.day_opened,
    e.DayStarted: evolve_hall.day_started,
    e.DayClosing: evolve_hall.day_closing,
    e.DayEnded: evolve_hall.day_ended,
    e.MessageSet: evolve_hall.message_set,
    e.AnnouncementDue: evolve_hall.announcement_due,
    e.ZoneMuted: evolve_hall.zone_muted,
    e.TicketIssued: evolve_tickets.ticket_issued,
    e.DemandUnmet: evolve_hall.demand_unmet,
    e.TicketCancelled: evolve_tickets.ticket_cancelled,
    e.TicketDelayed: evolve_tickets.ticket_delayed,
    e.HelpAsked: evolve_tickets.help_asked,
    e.TicketReactivated: evolve_tickets.ticket_reactivated,
    e.PrintRecorded: evolve_tickets.print_recorded,
    e.ReprintRequested: evolve_tickets.reprint_requested,
    e.WindowOpened: evolve_windows.window_opened,
    e.WindowTakenOver: evolve_windows.window_taken_over,
    e.WindowPaused: evolve_windows.window_paused,
    e.WindowResumed: evolve_windows.window_resumed,
    e.WindowClosed: evolve_windows.window_closed,
    e.TicketCalled: evolve_windows.ticket_called,
    e.TicketRecalled: evolve_windows.ticket_recalled,
    e.NoShowAsked: evolve_windows.no_show_asked,
    e.CitizenArrived: evolve_windows.citizen_arrived,
    e.TicketRequeued: evolve_windows.missed,
    e.TicketPassed: evolve_windows.missed,
    e.TicketVoided: evolve_windows.missed,
    e.NoShowUndone: evolve_windows.no_show_undone,
    e.TicketRestored: evolve_windows.ticket_restored,
    e.TicketTransferred: evolve_windows.ticket_transferred,
    e.TicketParked: evolve_windows.ticket_parked,
    e.TicketUnparked: evolve_windows.ticket_unparked,
    e.DirectServiceStarted: evolve_windows.direct_service_started,
    e.ServiceFinished: evolve_windows.finished,
    e.StopFinished: evolve_windows.finished,
    e.FinishUndone: evolve_windows.finish_undone,
    e.RatingInvited: evolve_windows.rating_invited,
    e.ServiceRated: evolve_windows.service_rated,
    e.TicketUncalled: evolve_tickets.ticket_uncalled,
    e.SlipRequested: evolve_tickets.slip_requested,
    e.DeviceChanged: evolve_hall.device_changed,
    e.DeviceTestAsked: evolve_hall.device_test_asked,
    e.DeviceTestEnded: evolve_hall.device_test_ended,
    e.AlarmRaised: evolve_hall.alarm_raised,
    e.AlarmCleared: evolve_hall.alarm_cleared,
    e.AlarmAcknowledged: evolve_hall.alarm_acknowledged,
}
