# long: every document of the live maps, read beside the table
"""The documents of the live maps: complete, so that the newest wins and nothing needs merging.

A subscription names a view and what it is of; its keyed map holds these documents:

| view | of | keys |
|---|---|---|
| hall | zone id, or "" for the whole hall | hall, calls, recent, prepare, passed, notice, speech |
| window | window id | hall, window |
| console | window id | hall, window, desk, queues, next, aside, help (AlarmDocument or null: a call for help, UX C-15) |
| kiosk | kiosk id | hall, kiosk, menu |
| led | board id | hall, led |
| ticket | ticket token | hall, ticket |
| guide | "" | hall, menu, windows, queues, alarms, devices, demand |
| manager | "" | hall, windows, queues, alarms (but bad ratings about the reader, RULES 58), devices, figures, demand |
"""

from queue_server.wire.common import (
    DeviceState,
    HallState,
    Message,
    PrinterState,
    PrintState,
    TicketState,
    WindowState,
    Words,
)


class HallMessage(Message, frozen=True, kw_only=True):
    """A message over everything (UX D-08): kind is emergency, closing or notice."""

    kind: str
    text: Words


class HallDocument(Message, frozen=True, kw_only=True):
    """Key `hall`: who we are and how the day stands. `day` is YYYY-MM-DD; zone is the subscribed zone's name.

    `english_unofficial`: English names are an unconfirmed translation, and a page that shows them in English says so.
    `animations`: false, and nothing moves or flashes on any page (UX X-04).
    `muted_until`: staff muted the zone's voice until then (ms UTC; UX V-10); None while nobody has.
    """

    id: str
    name: Words
    zone: Words
    day: str
    state: HallState
    opens: str
    closes: str
    message: HallMessage | None
    animations: bool
    recent_rows: int
    sample: bool
    english_unofficial: bool
    muted_until: int | None = None


class Call(Message, frozen=True, kw_only=True):
    """One call: `id` changes with each recall's `times`, so a recall is seen and heard. `at` is ms UTC."""

    id: str
    number: str
    window: str
    plate: str
    place: Words
    at: int
    times: int
    state: TicketState


class CallsDocument(Message, frozen=True, kw_only=True):
    """Keys `calls` (state called, newest first), `recent` (newest first) and `passed`."""

    calls: list[Call]


class LedPage(Message, frozen=True, kw_only=True):
    """One picture of a board for `hold_ms`: `texts` from top to bottom, and their dots.

    `red` and `green` (both: yellow) are Base64 of the bits row by row, the left dot the highest bit, rows ending on a byte:
    what a panel that takes bitmaps is sent.
    """

    texts: list[str]
    red: str
    green: str
    hold_ms: int


class LedDocument(Message, frozen=True, kw_only=True):
    """Key `led`: a board of `width` × `height` dots, its pages in turn.

    `call` names the newest call and changes with each, a recall too: three flashes (UX W-07). `brightness` is 0…15.
    `problem`: why there are no dots.
    """

    id: str
    name: Words
    width: int
    height: int
    brightness: int
    call: str
    pages: list[LedPage]
    problem: Words | None


class PrepareDocument(Message, frozen=True, kw_only=True):
    """Key `prepare`: the next numbers in order (UX D-05)."""

    numbers: list[str]


class NoticeDocument(Message, frozen=True, kw_only=True):
    """Key `notice`: pages of one line each."""

    pages: list[Words]


class Spoken(Message, frozen=True, kw_only=True):
    """The sentence that is being spoken."""

    id: str
    text: Words


class SpeechDocument(Message, frozen=True, kw_only=True):
    """Key `speech` of a zone: state is voiced, muted (by staff, or volume 0 at this hour) or voiceless (no player that can sound)."""

    state: str
    speaking: Spoken | None
    queued: int


class Station(Message, frozen=True, kw_only=True):
    """A stop of a ticket, in order; window is where it was or is handled, else empty."""

    matters: list[Words]
    window: str
    state: TicketState


class TicketDocument(Message, frozen=True, kw_only=True):
    """One ticket without any personal data. Times are ms UTC, waits in seconds.

    `ahead` counts those who would be called first; `wait_low_s`/`wait_high_s` is the estimate, both None when unknown
    (no window open). `explanation` says how the effective time came about (QUEUES 2.2). `pass_rule` and `delay_rule` are
    the hall's policy on who misses a call, and who asks to be called later, in words.
    """

    id: str
    number: str
    state: TicketState
    queue: Words
    matters: list[Words]
    quantity: int
    priority: str
    priority_words: Words
    issued_at: int
    effective_at: int
    explanation: Words
    ahead: int
    wait_low_s: int | None
    wait_high_s: int | None
    updated_at: int
    window: str
    plate: str
    place: Words
    watch: Words
    called_at: int | None
    calls: int
    stations: list[Station]
    pass_rule: Words
    print_state: PrintState
    rating: str
    can_cancel: bool
    can_delay: bool
    origin: str
    delay_rule: Words = Words(zh="")


class WindowDocument(Message, frozen=True, kw_only=True):
    """Key `window` (and one of `windows`): what stands over a window. `since` is ms UTC of the state, None
    before the hall's first day.

    `rating_qr`: no rating device works, citizens are offered the QR code (RULES 38), since `rating_qr_since` (ms UTC; None when
    none ever worked).
    """

    id: str
    plate: str
    name: Words
    kind: str
    zone: str
    place: Words
    domains: list[Words]
    state: WindowState
    since: int | None
    number: str
    calls: int
    pause_reason: Words
    resumes_at: str
    staff: str
    staff_name: str
    served: int
    inviting: bool
    invite_url: str
    rating_device: DeviceState
    rating_qr: bool
    rating_qr_since: int | None
    typical_s: int | None
    matter: Words


class Action(Message, frozen=True, kw_only=True):
    """One key of the desk: allowed now, or the code and sentence why not (UX C-01)."""

    name: str
    allowed: bool
    code: str
    why: Words


class Undoable(Message, frozen=True, kw_only=True):
    """The last step that can be taken back until `until` (ms UTC)."""

    what: str
    number: str
    until: int


class DeskDocument(Message, frozen=True, kw_only=True):
    """Key `desk`: the ticket in hand and every key with its state; `asked` is an open question to the clerk.

    `note` is a code or a reference to what somebody wrote (GET said/{reference}); so is `passed_on`, with which another
    window sent the ticket here (UX C-12).

    Actions are call-next, recall, arrive, no-show, finish, transfer, park, pause, resume, close, serve-direct, undo.
    """

    ticket: TicketDocument | None
    service: str
    started_at: int | None
    typical_s: int | None
    note: str
    actions: list[Action]
    undo: Undoable | None
    asked: Words | None
    recall_at: int | None
    passed_on: str = ""


class QueueDocument(Message, frozen=True, kw_only=True):
    """One queue: waits in seconds, open windows that serve it; `expected`: of who takes an ordinary number now, where people wait."""

    id: str
    name: Words
    prefix: str
    waiting: int
    longest_s: int
    p50_s: int | None
    p90_s: int | None
    windows_open: int
    no_shows: int
    served: int
    expected_low_s: int | None = None
    expected_high_s: int | None = None
    cancelled: int = 0


class QueuesDocument(Message, frozen=True, kw_only=True):
    """Key `queues`: of the window's view, those it serves; else all."""

    queues: list[QueueDocument]


class TicketLine(Message, frozen=True, kw_only=True):
    """One line of a list of tickets; `note` as in `DeskDocument`. `at`: when it was issued, in `aside` when it was set aside."""

    id: str
    number: str
    state: TicketState
    matter: Words
    priority_words: Words
    waited_s: int
    at: int
    note: str


class TicketsDocument(Message, frozen=True, kw_only=True):
    """Keys `next` (in calling order, at most 5) and `aside` (this window's parked and last five passed)."""

    tickets: list[TicketLine]


class WindowsDocument(Message, frozen=True, kw_only=True):
    """Key `windows`."""

    windows: list[WindowDocument]


class AlarmDocument(Message, frozen=True, kw_only=True):
    """One alarm; level is warn or alert; action names what the page may offer (open-window, acknowledge, reprint …).

    A failed or unknown print is code `print` with action `reprint` and the ticket's id as subject (UX K-12); a person
    who asks for help is code `help` with the kiosk's or ticket's id as subject.
    """

    id: str
    level: str
    code: str
    text: Words
    since: int
    acknowledged_by: str
    action: str
    subject: str


class AlarmsDocument(Message, frozen=True, kw_only=True):
    """Key `alarms`: exceptions on top, newest last within a level."""

    alarms: list[AlarmDocument]


class DeviceTrial(Message, frozen=True, kw_only=True):
    """The last test of a device today: print, show, speak, light or rate; `outcome` "" while it runs, `text` says it in words."""

    test: str
    at: int
    outcome: str
    text: Words


class PageFacts(Message, frozen=True, kw_only=True):
    """The page of a paired screen: connected since (ms UTC, None while it is not), its size in CSS pixels (0 until told), and
    device pixels to one of them."""

    connected_since: int | None
    width: int
    height: int
    ratio: float


class ZoneSound(Message, frozen=True, kw_only=True):
    """How loud a zone speaks now, in percent: by the clock of the hall's file, 0 while it is muted (UX V-10)."""

    volume: int
    muted_until: int | None


class DeviceDocument(Message, frozen=True, kw_only=True):
    """One device as its agent reports it, or a kiosk's page (kind kiosk, id kiosk:ID), another paired screen (kind hall, window
    or led, id screen:ID), or what sounds in a zone (kind zone, id zone:ID).

    Counters are name → count since the agent's start, `offline_today` of the day. `since` is when the state began (ms UTC,
    None when not known); `test` what can be tried of it ("" for nothing), `trial` what came of it. `page` is of paired screens.
    `last_error` is what the agent said, or one of the server's own codes: page-lost, agent-lost, agent-silent. `sound` is of
    zones. `last_sent` is when something last went out to it (UX W-08, ms UTC, None when not known).
    """

    id: str
    kind: str
    name: Words
    window: str
    state: DeviceState
    last_seen: int | None
    last_error: str
    printer: PrinterState | None
    counters: dict[str, int]
    since: int | None
    test: str
    trial: DeviceTrial | None
    page: PageFacts | None
    sound: ZoneSound | None = None
    last_sent: int | None = None


class DevicesDocument(Message, frozen=True, kw_only=True):
    """Key `devices`."""

    devices: list[DeviceDocument]


class WindowFigures(Message, frozen=True, kw_only=True):
    """A window today: services finished there, and for how many of them the citizen was invited to rate (RULES 36)."""

    window: str
    plate: str
    name: Words
    served: int
    invited: int


class ReasonCount(Message, frozen=True, kw_only=True):
    """A reason, and how often it was given; those in the clerk's own words count together (law 10)."""

    reason: Words
    times: int


class GivenCallsLine(Message, frozen=True, kw_only=True):
    """Calls of given numbers by one member of staff at one window (RULES 23); reasons, the most frequent first."""

    window: str
    plate: str
    staff: str
    staff_name: str
    times: int
    last_at: int
    reasons: list[ReasonCount]


class DemandLine(Message, frozen=True, kw_only=True):
    """A matter or bundle (kind) that was wanted `times` today and that no open window served (RULES 17)."""

    id: str
    kind: str
    name: Words
    times: int
    last_at: int


class DemandDocument(Message, frozen=True, kw_only=True):
    """Key `demand`: what nobody served today, the most wanted first."""

    lines: list[DemandLine]


class FiguresDocument(Message, frozen=True, kw_only=True):
    """Key `figures`: today so far; waits in seconds over tickets already called.

    `served` counts every finished service, `served_direct` those of them without a ticket. `windows` are those with a
    finished service; `given`, the most frequent first, adds up to `called_given`.
    """

    issued: int
    waiting: int
    called: int
    served: int
    served_direct: int
    no_shows: int
    invited: int
    rated: int
    mean_wait_s: int | None
    longest_waiting_s: int
    unmet: int
    called_given: int
    windows: list[WindowFigures]
    given: list[GivenCallsLine]


class KioskDocument(Message, frozen=True, kw_only=True):
    """Key `kiosk`: whether a tap leads to a ticket now, and the printer before the tap (UX K-11, K-15).

    `waiting` counts everybody in the hall; tickets are given from `tickets_from` until `tickets_until` (HH:MM). `voice`:
    it can speak (UX K-06). `reactivates`: the pass rule leaves tickets that their citizens bring back here (RULES 28).
    `scanner`: slips of the day before may be held before it (RULES 34). `reader`: an ID card may be laid on it (RULES 86).
    `next_opening` says when tickets are given again while none are, `elsewhere` what may be done instead (UX K-14).
    """

    id: str
    waiting: int
    tickets_from: str
    tickets_until: str
    printer: PrinterState
    issuing: bool
    closed_reason: Words
    voice: bool
    reactivates: bool
    scanner: bool
    reader: bool
    next_opening: Words = Words(zh="")
    elsewhere: list[Words] = []


class MenuEntry(Message, frozen=True, kw_only=True):
    """A tile: kind is domain, bundles (the group), matter or bundle; `wait_*_s` None when unknown; open false with a reason.

    A domain opens its list, bundles the list of bundles; a matter or a bundle gives a ticket at one tap (UX K-01).
    """

    id: str
    kind: str
    name: Words
    sub: Words
    icon: str
    waiting: int
    wait_low_s: int | None
    wait_high_s: int | None
    open: bool
    reason: Words


class PriorityEntry(Message, frozen=True, kw_only=True):
    """A priority class that may be asked for."""

    id: str
    name: Words
    basis: Words
    credit_min: int


class MenuDocument(Message, frozen=True, kw_only=True):
    """Key `menu`: the tiles of the home page in order, and the priority classes. Matters come from GET matters."""

    tiles: list[MenuEntry]
    priorities: list[PriorityEntry]


class TicketView(Message, frozen=True, kw_only=True):
    """Key `ticket` of a phone: the ticket, and the service that may be rated now, at the window `rate_plate`, until ms UTC.

    Of several stops it is the last one finished and not rated; when that is rated, the one before.
    """

    ticket: TicketDocument
    rate_service: str
    rate_plate: str
    rate_matters: list[Words]
    rate_until: int | None
