# long: every body of the interface, read beside the table
"""Bodies of the HTTP interface under `/api/v1/halls/{hall}`; every write takes an `Idempotency-Key` header.

| method and path | who | body → answer |
|---|---|---|
| POST tickets | kiosk, guide, manager | TakeTicket → TicketTaken (201; 200 when it existed, RULES 16) |
| GET tickets?number=&matter=&state=&from=&to= | guide, manager | → TicketList (a lost slip by time and matter) |
| GET tickets/{id} | guide, manager | → TicketTaken (one ticket, with its address for the QR code) |
| POST tickets/{id}/{reactivate,cancel} | guide, manager | Empty → TicketTaken |
| POST tickets/{id}/reprint | guide, manager; the kiosk that issued it (once, at once), or its holder's card | Reprint → TicketTaken |
| POST tickets/{id}/slip | guide, manager | Reprint → TicketTaken (未叫到, priority on the next working day; RULES 34) |
| POST kiosk/reactivate | kiosk | Slip → TicketTaken (RULES 28: a passed ticket waits again; RULES 16: a card's own) |
| POST kiosk/pin | kiosk | KioskPin → Empty (403 wrong, 429 too many tries; UX K-16) |
| POST kiosk/{help,test-print} | kiosk | Empty → Empty (help raises the alarm `help`) |
| GET tickets/{id}/life | manager, auditor | → TicketLife |
| GET phone/{token} | the ticket's token | → TicketView |
| POST phone/{token}/{cancel,delay,help} | the ticket's token | Empty → TicketView |
| POST ratings | the ticket's token | Rate → Rated |
| GET matters?q=&domain=&lang=&limit=&offset= | anybody in the hall with a token or session | → MatterHits |
| POST windows/{id}/{open,pause,resume,close} | clerk at it, manager | OpenWindow, PauseWindow, Empty → DeskReply |
| POST windows/{id}/{call-next,recall,arrive,finish,no-show,undo} | clerk at it | Empty, Finish, NoShow → DeskReply |
| POST, DELETE windows/{id}/help | clerk at it | Empty → Empty (UX C-15) |
| POST windows/{id}/call | clerk with permission | CallNumber → DeskReply |
| POST windows/{id}/{transfer,park,unpark,restore,serve-direct} | clerk at it | Transfer, Park, OneTicket, ServeDirect → DeskReply |
| POST windows/{id}/transfer/preview | clerk at it | Transfer → TransferPreview (changes nothing) |
| GET windows/{id}/transfer | clerk at it | → TransferTargets (domains and people; windows are in `GET windows`) |
| GET windows/{id}/leaving | clerk at it | → Leaving (before it is paused or closed) |
| POST windows/{id}/help · DELETE windows/{id}/help | clerk at it; ended also by guide, manager | Empty → Empty (UX C-15) |
| GET said/{reference} | staff | → Said (a note or reason in somebody's own words, until it expires) |
| GET windows | any staff session | → WindowsDocument (where to sit down, where to transfer) |
| POST day/{open,close,end} · GET day/closing | manager | Empty, CloseDay → DayReply |
| POST message | manager | SetMessage → Empty |
| POST alarms/{id}/acknowledge | guide, manager | Empty → Empty |
| GET configuration · POST configuration/{preview,apply,rollback} | manager, admin | ConfigurationFile → ConfigurationReply |
| POST devices/{id}/test | manager, admin | Empty → DeviceTestAsked (202; RULES 37; zone:ID for a sound zone) |
| POST devices/{id}/ask | manager, admin | AskScreen → ScreenAnswers (UX D-15) |
| POST zones/{id}/mute | manager, admin | MuteZone → Empty (UX V-10) |
| GET reports/availability?from=&to= · reports/availability.csv | manager, admin, auditor | → Availability (RULES 37, 38, 89) |
| GET journal?after= | auditor | → JSON lines |
| POST session · GET session · DELETE session | anybody · staff | SignIn → Session |
| POST session/password | staff | ChangePassword → Empty |
| POST staff · GET staff | admin | NewStaff → StaffList |
| POST pairings | an unpaired screen | Empty → Pairing |
| GET pairings/{id} | the screen that asked | → PairingState |
| POST pairings/{code}/approve | admin | ApprovePairing → PairedDevice |
| GET paired · DELETE paired/{id} | admin | → PairedList |
"""

from typing import Annotated

import msgspec

from queue_server.wire.common import Incoming, Message, PrintState, TicketState, WindowState, Words
from queue_server.wire.documents import DeskDocument, TicketDocument, TicketLine

Line = Annotated[str, msgspec.Meta(max_length=200)]
"""What a person writes: at most 200 characters."""

Ids = Annotated[list[str], msgspec.Meta(max_length=20)]
"""Matters of one visit: at most 20."""


class Problem(Message, frozen=True, kw_only=True):
    """RFC 9457 body; `title` is Chinese, `title_en` English, both say what to do next. `field` names a malformed field.

    `figures` fill the sentence; `figures.choices` are the numbers to choose between (number-ambiguous).
    """

    type: str
    status: int
    code: str
    title: str
    title_en: str
    detail: str
    field: str
    figures: dict[str, str | int | list[str]] = {}


class Empty(Incoming, frozen=True, kw_only=True):
    """No fields."""


class Identity(Incoming, frozen=True, kw_only=True):
    """Who takes the ticket; never stored in an event (law 10). kind: id_card, phone or passport."""

    kind: str
    number: str
    name: str = ""


class TakeTicket(Incoming, frozen=True, kw_only=True):
    """Matters (ids, at least one) or one bundle (id); priority is a class id or "".

    quantity 1…50 counts filings of the same matter. `printer` is a device id; "" is the kiosk's own, or for staff the
    hall's first that prints. `slip` is what stands in the code of a slip of the day before (its address or its token), for
    staff also the number on it; without matters and bundle the ticket is for what the slip was for. `card` is the token of
    the card that was laid on at this kiosk.
    """

    matters: Ids = []
    bundle: str = ""
    quantity: int = 1
    priority: str = ""
    identity: Identity | None = None
    note: Line = ""
    language: str = "zh"
    paper: bool = True
    printer: str = ""
    slip: str = ""
    card: str = ""


class Reprint(Incoming, frozen=True, kw_only=True):
    """The same number again, marked 补; `printer` as in TakeTicket. `card` as there: it is its holder's ticket."""

    printer: str = ""
    card: str = ""


class Slip(Incoming, frozen=True, kw_only=True):
    """A slip as a kiosk read it: the token of its QR code, its number (figures alone will do) and check code, or a card.

    A card brings its holder's passed ticket back, and shows one that still waits.
    """

    token: Annotated[str, msgspec.Meta(max_length=200)] = ""
    number: Annotated[str, msgspec.Meta(max_length=12)] = ""
    code: Annotated[str, msgspec.Meta(max_length=8)] = ""
    card: str = ""


class KioskPin(Incoming, frozen=True, kw_only=True):
    """The staff's PIN at a kiosk."""

    pin: str


class TicketTaken(Message, frozen=True, kw_only=True):
    """`token` opens the phone page at `url`; `created` is False when the person's waiting ticket was found."""

    ticket: TicketDocument
    token: str
    url: str
    created: bool
    print_job: str


class TicketList(Message, frozen=True, kw_only=True):
    tickets: list[TicketLine]


class LifeLine(Message, frozen=True, kw_only=True):
    """One event of a ticket's life in words; `who` is the journal's `actor` as the hall knows them; `inferred` when nobody
    pressed a key for it.
    """

    seq: int
    at: int
    kind: str
    text: Words
    actor: str
    who: Words
    inferred: bool


class TicketLife(Message, frozen=True, kw_only=True):
    ticket: TicketDocument
    origin: Words
    lines: list[LifeLine]


class Rate(Incoming, frozen=True, kw_only=True):
    """A rating from the citizen's phone: level 5…1, tag codes of that level, text of at most 150 characters."""

    token: str
    service: str
    level: int
    tags: Annotated[list[str], msgspec.Meta(max_length=8)] = []
    text: Annotated[str, msgspec.Meta(max_length=150)] = ""


class Rated(Message, frozen=True, kw_only=True):
    service: str
    stored: bool


class MatterHit(Message, frozen=True, kw_only=True):
    """A matter or bundle (kind) that may be taken; `open` False with the reason when no ticket is given for it now."""

    id: str
    kind: str
    name: str
    name_en: str
    everyday: list[str]
    domain: str
    domain_en: str
    department: str
    department_en: str
    initials: str
    waiting: int
    wait_low_s: int | None
    wait_high_s: int | None
    open: bool
    reason: Words
    materials: list[str]


class MatterHits(Message, frozen=True, kw_only=True):
    """`letters` may follow `q` (UX 1, the kiosk's pad): as initials that still lead somewhere, and as syllables of pinyin;
    with `lang=en`, as English names.

    `domain` of the request is a domain's id, or `bundles`; an empty `q` gives the most wanted first.
    """

    hits: list[MatterHit]
    total: int
    letters: str


class OpenWindow(Incoming, frozen=True, kw_only=True):
    """Sign in at the window and open it; `take_over` confirms that the other clerk there is signed out.

    `staff` is the clerk for whom a manager opens it.
    """

    take_over: bool = False
    staff: str = ""


class PauseWindow(Incoming, frozen=True, kw_only=True):
    """reason: lunch, meeting, device, away or other; resumes_at is HH:MM or ""."""

    reason: str
    resumes_at: Annotated[str, msgspec.Meta(pattern=r"^(\d{2}:\d{2})?$")] = ""


class Finish(Incoming, frozen=True, kw_only=True):
    """outcome: done, incomplete (sent home with a notice), referred or not_done."""

    outcome: str = "done"


class NoShow(Incoming, frozen=True, kw_only=True):
    reason: Line = ""


class CallNumber(Incoming, frozen=True, kw_only=True):
    """A given number with a reason (RULES 23); digits alone find A012 or B012 and ask when both wait."""

    number: str
    reason: Line


class Transfer(Incoming, frozen=True, kw_only=True):
    """To matters, a domain, a window or a person (a staff number), one of the four; the effective time stays (RULES 29, UX C-12)."""

    matters: Ids = []
    window: str = ""
    domain: str = ""
    staff: str = ""
    reason: Line = ""


class DomainTarget(Message, frozen=True, kw_only=True):
    """A domain that windows serve as a whole, and how many of these work now."""

    id: str
    name: Words
    windows_open: int


class StaffTarget(Message, frozen=True, kw_only=True):
    """A clerk: where they sit (`window` id and `plate`, "" at none) and what that window does (None at none)."""

    staff: str
    name: str
    window: str
    plate: str
    state: WindowState | None


class TransferTargets(Message, frozen=True, kw_only=True):
    """Where the ticket in hand may go beside matters and windows (UX C-12); clerks who sit at a window first."""

    domains: list[DomainTarget]
    staff: list[StaffTarget]


class TransferPreview(Message, frozen=True, kw_only=True):
    """What a transfer would mean (UX C-12): tickets that would be called first, the estimate, open windows that serve it."""

    ahead: int
    wait_low_s: int | None
    wait_high_s: int | None
    windows_open: int


class Leaving(Message, frozen=True, kw_only=True):
    """What closing or pausing the window now would leave: waiting tickets without an open window (RULES 12)."""

    stranded: int


class Park(Incoming, frozen=True, kw_only=True):
    """Set aside for at most `minutes`, then an alarm (RULES 30)."""

    reason: Line
    minutes: Annotated[int, msgspec.Meta(ge=1, le=480)] = 15


class Said(Message, frozen=True, kw_only=True):
    """What a member of staff wrote; `expired` when it is no longer kept (law 10)."""

    text: str
    expired: bool


class OneTicket(Incoming, frozen=True, kw_only=True):
    """`ticket` is an id (unpark, restore)."""

    ticket: str


class ServeDirect(Incoming, frozen=True, kw_only=True):
    """A citizen who walked up: a service without a slip."""

    matters: Ids = []
    quantity: int = 1


class DeskReply(Message, frozen=True, kw_only=True):
    """The desk after the command.

    `stranded` waiting tickets have no open window left; `choices` are the numbers asked between.
    """

    desk: DeskDocument
    stranded: int
    choices: list[str]


class CloseDay(Incoming, frozen=True, kw_only=True):
    """Early closing: no more tickets; `text` (Chinese) and `text_en` (English) are announced."""

    text: Line = ""
    text_en: Line = ""


class Unreached(Message, frozen=True, kw_only=True):
    """A ticket that the day does not reach: still waiting, or uncalled; `slips` counts those asked for (RULES 34).

    `print_state` is of the last slip, once there is one.
    """

    id: str
    number: str
    matter: Words
    state: TicketState
    slips: int
    print_state: PrintState


class DayReply(Message, frozen=True, kw_only=True):
    """`unreachable` are those that the remaining time will not reach, in calling order, then those already uncalled."""

    state: str
    day: str
    waiting: int
    unreachable: list[Unreached]


class SetMessage(Incoming, frozen=True, kw_only=True):
    """kind: emergency, notice or none (takes it away)."""

    kind: str
    zh: Line = ""
    en: Line = ""


class ConfigurationFile(Incoming, frozen=True, kw_only=True):
    """`text` is the TOML of a hall; `rollback` ignores it. `at` is "now" or "tonight"."""

    text: str = ""
    at: str = "now"


class Finding(Message, frozen=True, kw_only=True):
    """level: error or warning; the sentence says what to mend."""

    level: str
    where: str
    text: Words


class ConfigurationReply(Message, frozen=True, kw_only=True):
    """`moved` waiting tickets change queue, `stranded` would have no window. `applied` is the version now in force."""

    findings: list[Finding]
    moved: int
    stranded: int
    applied: int
    text: str


class MuteZone(Incoming, frozen=True, kw_only=True):
    """UX V-10: `muted` for ten minutes from now on, or speaking again at once."""

    muted: bool


class DeviceTestAsked(Message, frozen=True, kw_only=True):
    """A test that was asked for; what comes of it stands in the device's document."""

    id: str


class AskScreen(Incoming, frozen=True, kw_only=True):
    """UX D-15. what: identify, reload or look."""

    what: str


class ScreenAnswer(Message, frozen=True, kw_only=True):
    """What one open page of a screen did: done, busy, failed (`reason`), silent or gone; of look its text and its size."""

    outcome: str
    reason: str
    text: str
    width: int
    height: int
    ratio: float


class ScreenAnswers(Message, frozen=True, kw_only=True):
    """One for each page that is open."""

    pages: list[ScreenAnswer]


class AvailabilityGap(Message, frozen=True, kw_only=True):
    """Times are ms UTC."""

    since: int
    until: int
    why: Words


class AvailabilityLine(Message, frozen=True, kw_only=True):
    """One window's rating device (what: rating) or one kiosk (terminal) on one day: how long it had to be usable, and was.

    Services whose invitation was shown by a device or as the QR code (RULES 38) are those of the window that day.
    """

    day: str
    what: str
    subject: str
    plate: str
    name: Words
    open_ms: int
    usable_ms: int
    gaps: list[AvailabilityGap]
    invited_by_device: int
    invited_by_qr: int


class Availability(Message, frozen=True, kw_only=True):
    """RULES 37, 38, 89: days from `since` to `until`, as far as they had come at `at` (ms UTC)."""

    since: str
    until: str
    at: int
    lines: list[AvailabilityLine]


class SignIn(Incoming, frozen=True, kw_only=True):
    """Staff number and password; `window` when a clerk sits down."""

    staff: str
    password: str
    window: str = ""


class Session(Message, frozen=True, kw_only=True):
    """roles: clerk, guide, desk, manager, admin, auditor."""

    staff: str
    name: str
    roles: list[str]
    hall: str
    window: str
    must_change_password: bool


class NewStaff(Incoming, frozen=True, kw_only=True):
    """Creates or replaces an account; an empty password keeps the old one."""

    staff: str
    name: str
    roles: list[str]
    password: str = ""
    active: bool = True


class ChangePassword(Incoming, frozen=True, kw_only=True):
    old: str
    new: str


class StaffList(Message, frozen=True, kw_only=True):
    staff: list["StaffEntry"]


class StaffEntry(Message, frozen=True, kw_only=True):
    staff: str
    name: str
    roles: list[str]
    active: bool


class Pairing(Message, frozen=True, kw_only=True):
    """A six-digit code to show for ten minutes; poll `id`."""

    id: str
    code: str
    expires_at: int


class PairingState(Message, frozen=True, kw_only=True):
    """`token` is given once, when approved; the screen keeps it. view/of/path say what it is now."""

    state: str
    token: str
    view: str
    of: str
    path: str


class ApprovePairing(Incoming, frozen=True, kw_only=True):
    """role: hall, window, kiosk or agent; `of` the zone, window, kiosk or agent id."""

    role: str
    of: str = ""
    name: str = ""


class PairedDevice(Message, frozen=True, kw_only=True):
    id: str
    role: str
    of: str
    name: str
    created_at: int
    last_seen: int | None


class Place(Message, frozen=True, kw_only=True):
    """Where something can be paired: role hall (a zone), window, kiosk or agent, `of` its id in the hall's file."""

    role: str
    of: str
    name: Words


class PairedList(Message, frozen=True, kw_only=True):
    """`places`: every one of the hall's file, in its order, so that nobody types an id."""

    devices: list[PairedDevice]
    places: list[Place]


_encode = msgspec.json.Encoder().encode


def encode(value: object) -> bytes:
    """JSON bytes of any message."""
    return _encode(value)
