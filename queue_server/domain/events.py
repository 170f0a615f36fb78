"""What has happened in a hall: past participles that carry every decided value, so that rules may change without history."""

# long: one vocabulary, read from top to bottom; two files would have to be read together

import msgspec

from queue_server.domain.configuration import Configuration
from queue_server.domain.model import Key
from queue_server.wire.common import DeviceState, PrinterState, PrintState


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all events; the journal's kind is the class name."""


class StopPlan(msgspec.Struct, frozen=True, kw_only=True, cache_hash=True):
    """A stop as issued."""

    matters: tuple[str, ...]
    bundle: str
    queue: str
    window: str = ""


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """The best ticket of one queue and class when a call was decided, with the penalty it bore (ms)."""

    number: str
    queue: str
    effective_at: int
    penalty_ms: int


class ConfigurationApplied(Event, frozen=True, kw_only=True):
    """`queues` are the new queues of the stops of tickets that are not over: ticket → one queue a stop."""

    version: int
    source: str
    configuration: Configuration
    queues: dict[str, tuple[str, ...]] = {}


class ConfigurationPlanned(Event, frozen=True, kw_only=True):
    """To be applied when the day has ended; None takes a plan back."""

    source: str
    configuration: Configuration | None


class DeviceAt(msgspec.Struct, frozen=True, kw_only=True):
    """How a device was when a day opened; times are ms UTC, 0 for none."""

    device: str
    state: DeviceState
    printer: PrinterState | None
    since: int
    offline_since: int
    error: str


class DayOpened(Event, frozen=True, kw_only=True):
    """`devices`: as yesterday left them, for a day is replayed alone. Days of version 2 begin without."""

    day: str
    previous_day: str
    at: int
    devices: tuple[DeviceAt, ...] = ()


class DayStarted(Event, frozen=True, kw_only=True):
    at: int


class DayClosing(Event, frozen=True, kw_only=True):
    """`text` is Chinese, `text_en` English; both "" when nothing is announced."""

    text: str
    at: int
    text_en: str = ""


class DayEnded(Event, frozen=True, kw_only=True):
    at: int


class MessageSet(Event, frozen=True, kw_only=True):
    kind: str
    zh: str
    en: str


class AnnouncementDue(Event, frozen=True, kw_only=True):
    """The hall's message is to be spoken in every zone now: when it is set, and again while it stands."""

    kind: str
    at: int


class ZoneMuted(Event, frozen=True, kw_only=True):
    """No calls are spoken in the zone before `until` (ms UTC); when that is `at`, they are again. `by` is the actor."""

    zone: str
    until: int
    by: str
    at: int


class TicketIssued(Event, frozen=True, kw_only=True):
    """`wait_*_s` are -1 when no estimate was possible."""

    ticket: str
    number: str
    prefix: str
    sequence: int
    issue: int
    stops: tuple[StopPlan, ...]
    quantity: int
    priority: str
    credit_ms: int
    key: Key
    ahead: int
    wait_low_s: int
    wait_high_s: int
    person: str
    origin: str
    note: str
    language: str
    printer: str
    slip: str
    at: int


class DemandUnmet(Event, frozen=True, kw_only=True):
    """RULES 17: somebody wanted these matters or this bundle and no open window served them; the guide was named.

    `who` is the person where one is known, else where the request came from; `request` its idempotency key.
    """

    matters: tuple[str, ...]
    bundle: str
    origin: str
    at: int
    who: str = ""
    request: str = ""


class TicketCancelled(Event, frozen=True, kw_only=True):
    ticket: str
    window: str
    at: int


class TicketDelayed(Event, frozen=True, kw_only=True):
    ticket: str
    key: Key
    at: int


class HelpAsked(Event, frozen=True, kw_only=True):
    ticket: str
    at: int


class TicketReactivated(Event, frozen=True, kw_only=True):
    ticket: str
    key: Key
    at: int


class PrintRecorded(Event, frozen=True, kw_only=True):
    ticket: str
    state: PrintState
    reason: str
    at: int


class ReprintRequested(Event, frozen=True, kw_only=True):
    ticket: str
    printer: str
    at: int


class WindowOpened(Event, frozen=True, kw_only=True):
    window: str
    staff: str
    staff_name: str
    at: int


class WindowTakenOver(Event, frozen=True, kw_only=True):
    """Another clerk sat down; what is in hand stays in hand."""

    window: str
    staff: str
    staff_name: str
    previous_staff: str
    at: int


class WindowPaused(Event, frozen=True, kw_only=True):
    window: str
    reason: str
    resumes_at: str
    stranded: int
    at: int


class WindowResumed(Event, frozen=True, kw_only=True):
    window: str
    inferred: bool
    at: int


class WindowClosed(Event, frozen=True, kw_only=True):
    window: str
    stranded: int
    at: int


class TicketCalled(Event, frozen=True, kw_only=True):
    """`given` with a reason lies outside the bound (law 12); `heads` are what was compared, the chosen first."""

    ticket: str
    number: str
    window: str
    service: str
    staff: str
    matters: tuple[str, ...]
    bundle: str
    quantity: int
    given: bool
    reason: str
    heads: tuple[Head, ...]
    at: int


class TicketRecalled(Event, frozen=True, kw_only=True):
    ticket: str
    window: str
    times: int
    at: int


class NoShowAsked(Event, frozen=True, kw_only=True):
    """Next was pressed while it is not known whether the called citizen came (UX C-01)."""

    window: str
    ticket: str
    at: int


class CitizenArrived(Event, frozen=True, kw_only=True):
    ticket: str
    window: str
    service: str
    inferred: str
    at: int


class TicketRequeued(Event, frozen=True, kw_only=True):
    """No-show: a place K tickets later."""

    ticket: str
    window: str
    service: str
    key: Key
    reason: str
    inferred: str
    at: int


class TicketPassed(Event, frozen=True, kw_only=True):
    """No-show: the window may restore it, the citizen may reactivate it."""

    ticket: str
    window: str
    service: str
    reason: str
    inferred: str
    at: int


class TicketVoided(Event, frozen=True, kw_only=True):
    """No-show for the last allowed time."""

    ticket: str
    window: str
    service: str
    reason: str
    inferred: str
    at: int


class NoShowUndone(Event, frozen=True, kw_only=True):
    ticket: str
    window: str
    service: str
    at: int


class TicketRestored(Event, frozen=True, kw_only=True):
    ticket: str
    number: str
    window: str
    service: str
    staff: str
    matters: tuple[str, ...]
    bundle: str
    quantity: int
    at: int


class TicketTransferred(Event, frozen=True, kw_only=True):
    """The place stays (RULES 29): same key, new stop; `domain` or `staff` (a number) when it was passed on to one (UX C-12)."""

    ticket: str
    window: str
    service: str
    stop: StopPlan
    reason: str
    at: int
    domain: str = ""
    staff: str = ""
    staff_name: str = ""


class TicketParked(Event, frozen=True, kw_only=True):
    ticket: str
    window: str
    service: str
    reason: str
    until: int
    at: int


class TicketUnparked(Event, frozen=True, kw_only=True):
    ticket: str
    number: str
    window: str
    service: str
    staff: str
    matters: tuple[str, ...]
    bundle: str
    quantity: int
    at: int


class DirectServiceStarted(Event, frozen=True, kw_only=True):
    service: str
    window: str
    staff: str
    matters: tuple[str, ...]
    quantity: int
    at: int


class ServiceFinished(Event, frozen=True, kw_only=True):
    """The last stop of the ticket (or a direct service) is over."""

    service: str
    ticket: str
    window: str
    outcome: str
    inferred: str
    at: int


class StopFinished(Event, frozen=True, kw_only=True):
    """A stop is over and the next one waits with the same place."""

    service: str
    ticket: str
    window: str
    outcome: str
    inferred: str
    at: int


class FinishUndone(Event, frozen=True, kw_only=True):
    service: str
    ticket: str
    window: str
    at: int


class RatingInvited(Event, frozen=True, kw_only=True):
    """RULES 36; `device` is the rating device, or "" when the QR was offered instead (RULES 38)."""

    service: str
    window: str
    device: str
    for_ms: int
    at: int


class ServiceRated(Event, frozen=True, kw_only=True):
    """One per service (RULES 46), from a citizen's press or page only (RULES 47)."""

    rating: str
    service: str
    level: int
    channel: str
    device: str
    tags: tuple[str, ...]
    has_text: bool
    pressed_at: int
    late: bool
    at: int


class TicketUncalled(Event, frozen=True, kw_only=True):
    ticket: str
    at: int


class SlipRequested(Event, frozen=True, kw_only=True):
    """The paper of an uncalled ticket, good on `valid_on` (YYYY-MM-DD)."""

    ticket: str
    printer: str
    valid_on: str
    at: int


class DeviceChanged(Event, frozen=True, kw_only=True):
    device: str
    state: DeviceState
    printer: PrinterState | None
    error: str
    at: int


class DeviceTestAsked(Event, frozen=True, kw_only=True):
    """Somebody at a staff page wants to see a device work; `device` is zone:ID for the loudspeakers of a sound zone."""

    id: str
    device: str
    test: str
    at: int


class DeviceTestEnded(Event, frozen=True, kw_only=True):
    """outcome: done, sent (it never says anything), silent, unconnected, busy, failed or unknown."""

    id: str
    device: str
    outcome: str
    reason: str
    at: int


class AlarmRaised(Event, frozen=True, kw_only=True):
    """`window` where the subject is not one itself (a rating's id, RULES 54); `staff` whom it is about (RULES 58), "" before that
    was written down."""

    alarm: str
    code: str
    subject: str
    level: str
    figure: int
    at: int
    window: str = ""
    staff: str = ""


class AlarmCleared(Event, frozen=True, kw_only=True):
    alarm: str
    at: int


class AlarmAcknowledged(Event, frozen=True, kw_only=True):
    alarm: str
    by: str
    at: int


# What somebody wrote is never in an event (law 10): `note` and `reason` are codes or references (`said`). Rows of
# version 1 hold the words themselves, and keep them. Version 3 tells at a day's opening how the devices are.
KINDS: dict[str, type[Event]] = {kind.__name__: kind for kind in Event.__subclasses__()}
VERSION = 3
_encoder = msgspec.json.Encoder()
_decoders = {name: msgspec.json.Decoder(kind) for name, kind in KINDS.items()}


def encode_event(event: Event) -> str:
    """The journal's text of an event."""
    return _encoder.encode(event).decode()


def decode_event(kind: str, version: int, data: str) -> Event:
    """An event from the journal; raises KeyError for an unknown kind and msgspec's errors for foreign data."""
    if not 1 <= version <= VERSION:
        raise KeyError(f"{kind} version {version}")
    event: Event = _decoders[kind].decode(data)
    return _from_1(event) if version == 1 else event


def _from_1(event: Event) -> Event:
    """Version 1 wrote one code as words; whatever else stands there is what somebody wrote, and stays."""
    if isinstance(event, TicketRequeued | TicketPassed | TicketVoided) and event.reason == "no answer":
        return msgspec.structs.replace(event, reason="no-answer")
    return event
