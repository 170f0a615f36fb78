"""A command becomes events, or is rejected; the hall is only read."""

from collections.abc import Callable
from typing import Any, NamedTuple

from queue_server.domain import alarms, calling, day, devices, finishing, ratings, sounding, tickets, windows
from queue_server.domain import commands as c
from queue_server.domain import events as e
from queue_server.domain.errors import Broken, Rejected
from queue_server.domain.model import Hall


class Decision(NamedTuple):
    """The events in order, and the id of what the answer is about ("" when the command names it itself)."""

    events: list[e.Event]
    subject: str = ""


def decide(hall: Hall, command: c.Command, ctx: c.Context) -> Decision:
    """Raises `Rejected` with its code; never changes the hall."""
    if ctx.clerk:
        _check_seat(hall, command, ctx.clerk)
    if isinstance(command, c.TakeTicket):
        return Decision(*tickets.take(hall, command, ctx))
    rule = _RULES.get(type(command))
    if rule is None:
        raise Broken(f"no rule for {type(command).__name__}")
    return Decision(rule(hall, command, ctx))


def _check_seat(hall: Hall, command: c.Command, clerk: str) -> None:
    """A clerk acts at the window where they sit; opening one is how they sit down."""
    name = getattr(command, "window", "")
    if isinstance(command, c.OpenWindow) or not name:
        return
    window = hall.windows.get(name)
    if window is not None and window.staff and window.staff != clerk:
        raise Rejected("not-your-window", window=name, staff=window.staff_name or window.staff)


def _tick(hall: Hall, command: c.Tick, ctx: c.Context) -> list[e.Event]:
    return [*alarms.tick(hall, command, ctx), *day.announce_again(hall, ctx)]


_RULES: dict[type[c.Command], Callable[[Hall, Any, c.Context], list[e.Event]]] = {
    c.OpenDay: day.open_day,
    c.StartDay: day.start_day,
    c.CloseDay: day.close_day,
    c.EndDay: day.end_day,
    c.SetMessage: day.set_message,
    c.MuteZone: sounding.mute,
    c.ApplyConfiguration: day.apply_configuration,
    c.PlanConfiguration: day.plan_configuration,
    c.TurnAway: tickets.turn_away,
    c.CancelTicket: tickets.cancel,
    c.DelayTicket: tickets.delay,
    c.AskHelp: tickets.ask_help,
    c.ReactivateTicket: tickets.reactivate,
    c.RecordPrint: tickets.record_print,
    c.Reprint: tickets.reprint,
    c.OpenWindow: windows.sit_down,
    c.PauseWindow: windows.pause,
    c.ResumeWindow: windows.resume,
    c.CloseWindow: windows.leave,
    c.CallNext: calling.call_next,
    c.CallNumber: calling.call_number,
    c.Recall: calling.recall,
    c.Arrive: calling.arrive,
    c.MarkNoShow: calling.mark_no_show,
    c.Restore: calling.restore,
    c.Transfer: calling.transfer,
    c.Park: calling.park,
    c.Unpark: calling.unpark,
    c.Finish: finishing.finish,
    c.Invite: finishing.invite,
    c.ServeDirect: finishing.serve_direct,
    c.Undo: finishing.undo,
    c.PressRating: ratings.press,
    c.Rate: ratings.rate,
    c.RateEarlier: ratings.rate_earlier,
    c.ReportDevice: devices.report,
    c.TestDevice: devices.try_out,
    c.EndDeviceTest: devices.end_test,
    c.Tick: _tick,
    c.CallHelp: alarms.call_help,
    c.WindowHelp: alarms.window_help,
    c.AcknowledgeAlarm: alarms.acknowledge,
}
