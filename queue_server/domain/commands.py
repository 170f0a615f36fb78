"""What may be asked of a hall: imperatives, with every identifier and all outside knowledge already inside."""

import msgspec

from queue_server.domain.configuration import Configuration
from queue_server.wire.common import DeviceState, PrinterState, PrintState


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all commands."""


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """When and by whom: ms UTC (never decreasing), the local time as minutes of the day, the actor's id.

    `may_call_numbers` stands above the hall's `clerks_call_numbers` (RULES 23).
    `clerk` is the staff number that must sit at the commanded window, "" for whoever may act at any.
    `request` is the idempotency key of what is asked, "" for the hall's own commands.
    """

    now: int
    minute: int
    actor: str
    may_call_numbers: bool = False
    clerk: str = ""
    request: str = ""


class OpenDay(Command, frozen=True, kw_only=True):
    """`day` is YYYY-MM-DD local, later than every day before (RULES 15)."""

    day: str


class StartDay(Command, frozen=True, kw_only=True):
    """The doors and windows open; `day`, when it is later than the hall's, is opened first (a Saturday by hand)."""

    day: str = ""


class CloseDay(Command, frozen=True, kw_only=True):
    """No more tickets; those issued are served. `text` (Chinese) and `text_en` are announced; "" at the usual hour."""

    text: str = ""
    text_en: str = ""


class EndDay(Command, frozen=True, kw_only=True):
    """RULES 34: what was never called is uncalled, never a no-show."""


class SetMessage(Command, frozen=True, kw_only=True):
    kind: str
    zh: str = ""
    en: str = ""


class MuteZone(Command, frozen=True, kw_only=True):
    """UX V-10: the zone says no calls for ten minutes from now on; not `muted`: it speaks again at once."""

    zone: str
    muted: bool = True


class ApplyConfiguration(Command, frozen=True, kw_only=True):
    configuration: Configuration
    source: str


class PlanConfiguration(Command, frozen=True, kw_only=True):
    """For tonight, when the day has ended; None takes the plan back."""

    configuration: Configuration | None
    source: str


class TakeTicket(Command, frozen=True, kw_only=True):
    """`person` is the random id of law 10 or ""; `slip` an uncalled ticket's id of the previous day, already looked up."""

    id: str
    matters: tuple[str, ...] = ()
    bundle: str = ""
    quantity: int = 1
    priority: str = ""
    person: str = ""
    origin: str = ""
    note: str = ""
    language: str = "zh"
    slip: str = ""
    printer: str = ""


class Reprint(Command, frozen=True, kw_only=True):
    """The same number again, marked 补; a kiosk may once, within a minute of its own issue (UX K-12)."""

    ticket: str
    printer: str
    kiosk: str = ""


class TurnAway(Command, frozen=True, kw_only=True):
    """Somebody whom a closing hall will not reach gets the slip of RULES 34; `valid_on` is YYYY-MM-DD.

    Without a `printer` the phone page of the ticket is the slip.
    """

    ticket: str
    printer: str
    valid_on: str


class CancelTicket(Command, frozen=True, kw_only=True):
    ticket: str


class DelayTicket(Command, frozen=True, kw_only=True):
    """稍后再叫: a place a few tickets later, once."""

    ticket: str


class AskHelp(Command, frozen=True, kw_only=True):
    ticket: str


class ReactivateTicket(Command, frozen=True, kw_only=True):
    """RULES 28."""

    ticket: str


class RecordPrint(Command, frozen=True, kw_only=True):
    ticket: str
    state: PrintState
    reason: str = ""


class OpenWindow(Command, frozen=True, kw_only=True):
    window: str
    staff: str
    staff_name: str
    take_over: bool = False


class PauseWindow(Command, frozen=True, kw_only=True):
    window: str
    reason: str
    resumes_at: str = ""


class ResumeWindow(Command, frozen=True, kw_only=True):
    window: str


class CloseWindow(Command, frozen=True, kw_only=True):
    window: str


class CallNext(Command, frozen=True, kw_only=True):
    """`service` is the id of the service that the call begins."""

    window: str
    service: str


class CallNumber(Command, frozen=True, kw_only=True):
    window: str
    number: str
    reason: str
    service: str


class Recall(Command, frozen=True, kw_only=True):
    window: str


class Arrive(Command, frozen=True, kw_only=True):
    window: str


class MarkNoShow(Command, frozen=True, kw_only=True):
    window: str
    reason: str = ""


class Finish(Command, frozen=True, kw_only=True):
    window: str
    outcome: str = "done"


class Invite(Command, frozen=True, kw_only=True):
    """The evaluate key: invites for the service in hand (which finishes) or for the one just finished."""

    window: str


class Undo(Command, frozen=True, kw_only=True):
    window: str


class Transfer(Command, frozen=True, kw_only=True):
    """To matters, a domain, a window or a person by staff number (one of the four)."""

    window: str
    matters: tuple[str, ...] = ()
    to_window: str = ""
    to_domain: str = ""
    to_staff: str = ""
    reason: str = ""


class Park(Command, frozen=True, kw_only=True):
    window: str
    reason: str
    minutes: int = 15


class Unpark(Command, frozen=True, kw_only=True):
    window: str
    ticket: str
    service: str


class Restore(Command, frozen=True, kw_only=True):
    """One of the window's own last passed tickets is called back."""

    window: str
    ticket: str
    service: str


class ServeDirect(Command, frozen=True, kw_only=True):
    window: str
    service: str
    matters: tuple[str, ...] = ()
    quantity: int = 1


class PressRating(Command, frozen=True, kw_only=True):
    """A press on a window's rating device, `pressed_at` ms UTC on the server's clock; level 5…1."""

    id: str
    window: str
    device: str
    level: int
    pressed_at: int


class Rate(Command, frozen=True, kw_only=True):
    """A rating from the citizen's own page; the text itself is personal data and stays outside."""

    id: str
    service: str
    level: int
    tags: tuple[str, ...] = ()
    has_text: bool = False


class RateEarlier(Rate, frozen=True, kw_only=True):
    """A page's rating of a service of an earlier day, with what the journal said of it while the hall's day was `day`.

    `window` and `staff` served it; `until` is the end of the rating period (ms UTC); `rated` whether the service had a rating.
    """

    until: int
    rated: bool
    day: str
    window: str
    staff: str


class ReportDevice(Command, frozen=True, kw_only=True):
    device: str
    state: DeviceState
    printer: PrinterState | None = None
    error: str = ""


class TestDevice(Command, frozen=True, kw_only=True):
    """Show that a device works; `device` is zone:ID for a sound zone, `busy` that work of a citizen lies before it."""

    __test__ = False  # pytest: not a test

    id: str
    device: str
    busy: bool = False


class EndDeviceTest(Command, frozen=True, kw_only=True):
    """What became of a test; the codes are those of `DeviceTestEnded`."""

    id: str
    device: str
    outcome: str
    reason: str = ""


class CallHelp(Command, frozen=True, kw_only=True):
    """Somebody at a kiosk wants a person."""

    kiosk: str


class WindowHelp(Command, frozen=True, kw_only=True):
    """一键呼救: a window calls for the guide desk and the manager, or the call is over (UX C-15)."""

    window: str
    wanted: bool


class Tick(Command, frozen=True, kw_only=True):
    """Time has passed: parks run out, alarms come and go."""


class AcknowledgeAlarm(Command, frozen=True, kw_only=True):
    """`beside`: shown now, yet no event of the hall's own (a silent loudspeaker, the clock, a slip that was not printed)."""

    alarm: str
    beside: bool = False
