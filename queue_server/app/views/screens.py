"""Each view's keyed map (the table in `queue_server.wire.documents`), rendered whole."""

# long: every view of the hall, so that what two of them share is seen once

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from msgspec import structs

from queue_server.app.clock import Clock
from queue_server.app.loudness import Loudness
from queue_server.app.papers import Papers
from queue_server.app.past import rating_until
from queue_server.app.texts import NOTHING, plain, words
from queue_server.app.tokens import Tokens
from queue_server.app.views.desk import (
    aside_lines,
    desk_document,
    is_inviting,
    next_lines,
    window_document,
)
from queue_server.app.views.devices import PageState, device_documents, device_name
from queue_server.app.views.leds import led_document
from queue_server.app.views.menu import Menu
from queue_server.app.views.opening import elsewhere, next_opening, opening_words
from queue_server.app.views.survey import DomainCount, count, demand, figures, queue_documents
from queue_server.app.views.tickets import call, names_of, plate_of, ticket_document
from queue_server.domain.configuration import KIOSK_PAGE, NoShowPolicy
from queue_server.domain.finishing import OUTCOMES
from queue_server.domain.model import Alarm, Hall, Ticket, Window
from queue_server.domain.queues import AWAY_STAFF, first_in_order, home_windows, is_away, waiting_in
from queue_server.domain.ratings import BAD_RATING
from queue_server.domain.serving import QueueKey, parse
from queue_server.domain.sounding import muted_until
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
from queue_server.wire.documents import (
    AlarmDocument,
    AlarmsDocument,
    CallsDocument,
    DeviceDocument,
    DevicesDocument,
    HallDocument,
    HallMessage,
    KioskDocument,
    MenuDocument,
    NoticeDocument,
    PrepareDocument,
    QueuesDocument,
    SpeechDocument,
    TicketsDocument,
    TicketView,
    WindowsDocument,
)

PREPARE_MAX = 3
NAMED_MAX = 3
"""So many numbers an alarm names; of the others it says how many."""


@dataclass(slots=True)
class Surroundings:
    """What views show beside the hall itself: speech by zone, devices by id, the address phones reach us at.

    `asked` counts the tickets of earlier days by matter and bundle; `guidance` says whether kiosks can speak (UX K-06), `loudness`
    how loud the zones do; `certificate_ends` is when the server's certificate ends, 0 without TLS.
    """

    clock: Clock
    tokens: Tokens
    papers: Papers
    base_url: str
    speech: dict[str, SpeechDocument] = field(default_factory=dict)
    devices: dict[str, DeviceDocument] = field(default_factory=dict)
    pages: dict[str, PageState] = field(default_factory=dict)
    alarms: list[AlarmDocument] = field(default_factory=list)
    asked: Mapping[str, int] = field(default_factory=dict)
    guidance: bool = False
    certificate_ends: int = 0
    loudness: Loudness = field(init=False)

    def __post_init__(self) -> None:
        self.loudness = Loudness(self.clock)


Keyed = dict[str, Message | None]


class Screens:
    """Renders views; the survey of a hall is made at most once a second."""

    def __init__(self, around: Surroundings) -> None:
        self.around = around
        self._menu = Menu(around.clock)
        self._counts: dict[str, DomainCount] = {}
        self._counted_at = -1
        self._views: dict[str, Callable[[Hall, str, int], Keyed]] = {
            "hall": self._hall,
            "window": self._window,
            "console": self._console,
            "kiosk": self._kiosk,
            "led": self._led,
            "ticket": self._ticket,
            "guide": self._guide,
            "manager": self._manager,
        }

    def knows(self, view: str) -> bool:
        return view in self._views

    def render(self, hall: Hall, view: str, of: str, now: int) -> Keyed:
        """The whole map; raises KeyError when `of` names nothing in this hall."""
        return self._views[view](hall, of, now)

    def as_seen_by(self, hall: Hall, reader: str, manager: Keyed) -> Keyed:
        """A manager's own copy of the rendered view."""
        return {**manager, "alarms": self.alarms(hall, reader=reader)}

    def _survey(self, hall: Hall, now: int) -> dict[str, DomainCount]:
        if now - self._counted_at >= 1000 or self._counted_at < 0:
            self._counts = count(hall, now)
            self._counted_at = now
        return self._counts

    def hall_document(self, hall: Hall, zone: str) -> HallDocument:
        configuration = hall.configuration
        entry = hall.catalogue.zones.get(zone)
        kind, zh, en = hall.message
        return HallDocument(
            id=configuration.hall.id,
            name=plain(configuration.hall.name, configuration.hall.name_en),
            zone=_zone_words(entry.floor, entry.id, entry.name, entry.name_en) if entry else NOTHING,
            day=hall.day,
            state=hall.state if hall.day else HallState.CLOSED,
            opens=configuration.hours.opens,
            closes=configuration.hours.closes,
            message=HallMessage(kind=kind, text=plain(zh, en)) if kind else None,
            animations=configuration.hall.animations,
            recent_rows=entry.recent_rows if entry else 4,
            sample=configuration.hall.sample,
            english_unofficial=configuration.hall.english_unofficial,
            muted_until=muted_until(hall, zone, self.around.clock.now()),
        )

    def _hall(self, hall: Hall, of: str, now: int) -> Keyed:
        if of and of not in hall.catalogue.zones:
            raise KeyError(of)
        windows = {each.id for each in hall.configuration.window if not of or each.zone == of}
        called = [
            hall.tickets[w.ticket] for w in hall.windows.values() if w.state is WindowState.CALLED and w.id in windows
        ]
        called.sort(key=lambda ticket: -ticket.last_call_at)
        at_each = ((w, hall.tickets[name]) for w in hall.windows.values() if w.id in windows for name in w.recent)
        past = [ticket for w, ticket in at_each if ticket.window == w.id]  # and has not gone on to another window
        past.sort(key=lambda ticket: -ticket.last_call_at)
        passed = [ticket for ticket in past if ticket.state is TicketState.PASSED]
        served = [t for t in past if t.state in (TicketState.SERVING, TicketState.DONE, TicketState.PARKED)]
        entry = hall.catalogue.zones.get(of)
        return {
            "hall": self.hall_document(hall, of),
            "calls": CallsDocument(calls=[call(hall, ticket) for ticket in called]),
            "recent": CallsDocument(calls=[call(hall, ticket) for ticket in served[:8]]),
            "passed": CallsDocument(calls=[call(hall, ticket) for ticket in passed[:8]]),
            "prepare": PrepareDocument(numbers=self._prepare(hall, windows)),
            "notice": NoticeDocument(pages=[plain(text) for text in entry.notices] if entry else []),
            "speech": self.around.speech.get(of, SpeechDocument(state="voiceless", speaking=None, queued=0)),
        }

    @staticmethod
    def _prepare(hall: Hall, windows: set[str]) -> list[str]:
        """UX D-05: who will be called next at windows of this zone whose home they are."""
        if hall.state is HallState.BEFORE:
            return []
        queues = tuple(queue for queue in hall.queues if home_windows(queue) & windows)
        return [ticket.number for ticket in first_in_order(hall, queues, PREPARE_MAX)]

    def invite_url(self, hall: Hall, window: Window, now: int) -> str:
        """Where the citizen just served may rate by phone; "" when the rating device does it (RULES 38)."""
        service = hall.services.get(window.last_service)
        if service is None or not is_inviting(hall, service, now):
            return ""
        if service.invited_on:
            return ""
        return f"{self.around.base_url}/rate/{self.around.tokens.make('s', service.id)}"

    def _window(self, hall: Hall, of: str, now: int) -> Keyed:
        window = hall.windows[of]
        zone = hall.catalogue.windows[of].zone if of in hall.catalogue.windows else ""
        url = self.invite_url(hall, window, now)
        return {"hall": self.hall_document(hall, zone), "window": window_document(hall, window, url, now)}

    def _console(self, hall: Hall, of: str, now: int) -> Keyed:
        window = hall.windows[of]
        return {
            **self._window(hall, of, now),
            "desk": desk_document(hall, window, self.around.clock, now),
            "queues": self._queues(hall, now, of),
            "next": TicketsDocument(tickets=next_lines(hall, of, now)),
            "aside": TicketsDocument(tickets=aside_lines(hall, window, now)),
            **self._help(hall, of),
        }

    @staticmethod
    def _help(hall: Hall, window: str) -> Keyed:
        """The window's own call for help while it stands (UX C-15)."""
        alarm = hall.alarms.get(f"window-help:{window}")
        return {"help": _alarm(hall, alarm)} if alarm else {}

    def _kiosk(self, hall: Hall, of: str, now: int) -> Keyed:
        kiosk = {each.id: each for each in hall.configuration.kiosk}[of]
        health = hall.devices.get(kiosk.printer)
        printer = health.printer if health and health.printer else PrinterState.UNREADABLE
        if health is not None and health.state is DeviceState.OFFLINE:
            printer = PrinterState.OFFLINE
        issuing, reason = self._issuing(hall, now)
        hours = hall.configuration.hours
        document = KioskDocument(
            id=of,
            waiting=hall.waiting,
            tickets_from=hours.tickets_from,
            tickets_until=hours.tickets_until,
            printer=printer,
            issuing=issuing,
            closed_reason=reason,
            voice=self.around.guidance,
            reactivates=hall.configuration.policy.no_show is NoShowPolicy.SAME_WINDOW,
            scanner=kiosk.scanner or _stands_at(hall, of, "scanner"),
            reader=_stands_at(hall, of, "id_reader"),
            next_opening=NOTHING
            if issuing
            else opening_words("opening.next", next_opening(hall, self.around.clock, now)),
            elsewhere=elsewhere(hall.configuration.elsewhere),
        )
        return {
            "hall": self.hall_document(hall, kiosk.zone),
            "kiosk": document,
            "menu": self.menu(hall, now),
        }

    def _led(self, hall: Hall, of: str, now: int) -> Keyed:
        board = {each.id: each for each in hall.configuration.led}[of]
        zone = hall.catalogue.windows[board.window].zone if board.window else board.zone
        return {
            "hall": self.hall_document(hall, zone),
            "led": led_document(hall, board, self.around.clock.minute(now)),
        }

    def _issuing(self, hall: Hall, now: int) -> tuple[bool, Words]:
        if hall.day and hall.state is HallState.CLOSING:
            return False, words("tickets-ended")
        if not hall.day or hall.state is HallState.CLOSED:
            return False, words("tickets-closed")
        return True, NOTHING

    def menu(self, hall: Hall, now: int) -> MenuDocument:
        return self._menu.document(hall, self.around.asked, now)

    def weight(self, hall: Hall) -> Mapping[str, float]:
        """How often each matter and bundle is asked for; only the order means something."""
        return self._menu.weight(hall, self.around.asked)

    def shut(self, hall: Hall, matters: Iterable[str], bundle: str, served: bool, now: int) -> Words:
        """Why no number is given for it now, NOTHING when one is (UX K-03)."""
        return self._menu.shut(hall, matters, bundle, served, now)

    def wait_of(self, hall: Hall, queue: str, now: int) -> tuple[int, int | None, int | None, bool]:
        """(ahead, low, high, served) for an ordinary ticket taken now."""
        return self._menu.wait_of(hall, queue, now)

    def _ticket(self, hall: Hall, of: str, now: int) -> Keyed:
        ticket = hall.tickets[of]
        return {
            "hall": self.hall_document(hall, self._zone_of(hall, ticket)),
            "ticket": self.ticket_view(hall, ticket, now),
        }

    @staticmethod
    def _zone_of(hall: Hall, ticket: Ticket) -> str:
        names = [ticket.window] if ticket.window else sorted(home_windows(ticket.current.queue))
        entry = hall.catalogue.windows.get(names[0]) if names else None
        return entry.zone if entry else ""

    def ticket_view(self, hall: Hall, ticket: Ticket, now: int) -> TicketView:
        """The phone's document; a service may be rated once it is finished and unrated (RULES 36, 46)."""
        until = rating_until(hall.configuration, hall.day, self.around.clock)
        services = (hall.services[name] for name in reversed(ticket.services)) if now <= until else ()
        ratable = next((each for each in services if each.outcome in OUTCOMES and not each.rating), None)
        return TicketView(
            ticket=ticket_document(hall, ticket, self.around.clock, now),
            rate_service=ratable.id if ratable else "",
            rate_plate=plate_of(hall, ratable.window) if ratable else "",
            rate_matters=names_of(hall, ratable.matters, ratable.bundle) if ratable else [],
            rate_until=until if ratable else None,
        )

    def windows(self, hall: Hall, now: int) -> WindowsDocument:
        """Every configured window in its order."""
        known = [window for window in hall.configuration.window if window.id in hall.windows]
        return WindowsDocument(windows=[window_document(hall, hall.windows[each.id], "", now) for each in known])

    def _queues(self, hall: Hall, now: int, window: str = "") -> QueuesDocument:
        def expected(queue: str) -> tuple[int, int] | None:
            _ahead, low, high, _served = self.wait_of(hall, queue, now)
            return None if low is None or high is None else (low, high)

        return QueuesDocument(queues=queue_documents(hall, self._survey(hall, now), expected, window))

    def _guide(self, hall: Hall, of: str, now: int) -> Keyed:
        return {
            "hall": self.hall_document(hall, ""),
            "menu": self.menu(hall, now),
            "windows": self.windows(hall, now),
            "queues": self._queues(hall, now),
            "alarms": self.alarms(hall, ratings=False),
            "devices": self.devices(hall),
            "demand": demand(hall),
        }

    def _manager(self, hall: Hall, of: str, now: int) -> Keyed:
        return {
            "hall": self.hall_document(hall, ""),
            "windows": self.windows(hall, now),
            "queues": self._queues(hall, now),
            "alarms": self.alarms(hall),
            "devices": self.devices(hall),
            "figures": figures(hall, now),
            "demand": demand(hall),
        }

    def alarms(self, hall: Hall, *, ratings: bool = True, reader: str = "") -> AlarmsDocument:
        """Of bad ratings only those hear who see to them: managers, not the guide (RULES 50), and nobody of their own (RULES 58)."""
        found = [
            _alarm(hall, alarm)
            for alarm in hall.alarms.values()
            if alarm.code != BAD_RATING or (ratings and not (reader and alarm.staff == reader))
        ]
        found += [_noticed(hall, alarm) for alarm in (*_failed_prints(hall), *self.around.alarms)]
        return AlarmsDocument(alarms=sorted(found, key=lambda alarm: (alarm.level != "alert", alarm.since)))

    def devices(self, hall: Hall) -> DevicesDocument:
        return device_documents(hall, self.around)


_OF_QUEUES = frozenset({"single-wait", "queue-long"})
_ACTIONS = {
    "single-wait": "open-window",
    "average-wait": "open-window",
    "queue-long": "open-window",
    "queue-stranded": "open-window",
    "no-grievance-window": "open-window",
    "no-bundle-window": "open-window",
    "pause-long": "notify",
    "window-idle": "notify",
    "service-long": "notify",
}


def _alarm(hall: Hall, alarm: Alarm) -> AlarmDocument:
    """An alarm in words; the subject of a queue's is its key, which lists the windows that could take it."""
    return AlarmDocument(
        id=alarm.id,
        level=alarm.level,
        code=alarm.code,
        text=_sentence(hall, alarm),
        since=alarm.at,
        acknowledged_by=alarm.acknowledged_by,
        action=_ACTIONS.get(alarm.code, "acknowledge"),
        subject=alarm.window or alarm.subject,
    )


def _sentence(hall: Hall, alarm: Alarm) -> Words:
    text = f"alarm.{alarm.code}"
    if alarm.code == "queue-stranded":
        # The domain's name would say that nobody works for it, when its other windows do: who waits, and for whom.
        first = [ticket.number for ticket in first_in_order(hall, (alarm.subject,), NAMED_MAX)]
        more = max(alarm.figure, waiting_in(hall, alarm.subject)) - len(first)
        plates = [plate_of(hall, name) for name, _ in parse(QueueKey(alarm.subject))]
        if is_away(alarm.subject):
            text, plates = "alarm.person-away", [_person(hall, alarm.subject)]
        zh, en = "、".join(first), ", ".join(first)
        if more > 0:
            zh, en = f"{zh} 等 {more + len(first)} 个号".strip(), f"{en} and {more} more".removeprefix(" and ")
        return Words(
            zh=words(text, {"subject": zh, "windows": plates}).zh, en=words(text, {"subject": en, "windows": plates}).en
        )
    about = _subject(hall, alarm.code, alarm.window or alarm.subject)
    return Words(
        zh=words(text, {"subject": about.zh, "figure": alarm.figure}).zh,
        en=words(text, {"subject": about.en, "figure": alarm.figure}).en,
    )


def _person(hall: Hall, queue: str) -> str:
    """The name and number of whom the queue of an absent person waits for."""
    waiting = first_in_order(hall, (queue,), 1)
    name = waiting[0].current.staff_name if waiting else ""
    return f"{name} {queue.removeprefix(AWAY_STAFF)}".strip()


def _noticed(hall: Hall, alarm: AlarmDocument) -> AlarmDocument:
    """An alarm that is no event, with who acknowledged it since it began."""
    at, by = hall.noticed.get(alarm.id, (-1, ""))
    return structs.replace(alarm, acknowledged_by=by) if at >= alarm.since else alarm


def _subject(hall: Hall, code: str, subject: str) -> Words:
    """The subject of an alarm in people's words, in both languages."""
    if subject in hall.tickets:
        return plain(hall.tickets[subject].number)
    if code.startswith(("device", "printer")):
        return device_name(hall.catalogue, subject)
    if code == "help":
        return device_name(hall.catalogue, f"{KIOSK_PAGE}{subject}")
    if code in _OF_QUEUES:
        found = {_queue_domain(hall, ticket) for ticket in first_in_order(hall, (subject,), 20)}
        names = [plain(zh, en) for zh, en in sorted(found) if zh]
        return Words(zh="、".join(n.zh for n in names) or subject, en=", ".join(n.en for n in names) or subject)
    return plain(plate_of(hall, subject))


def _queue_domain(hall: Hall, ticket: Ticket) -> tuple[str, str]:
    """The name of what a ticket waits for, Chinese and English."""
    if ticket.current.bundle:
        return "一件事", "life events"
    matter = hall.catalogue.matters.get(ticket.current.matters[0])
    domain = hall.catalogue.domains.get(matter.domain) if matter else None
    return (domain.name, domain.name_en) if domain else ("", "")


def _failed_prints(hall: Hall) -> list[AlarmDocument]:
    """UX K-12: what was not printed is on the guide's page until it is reprinted or called."""
    bad = (PrintState.FAILED, PrintState.UNKNOWN)
    still = {TicketState.WAITING: "reprint", TicketState.UNCALLED: "slip"}
    return [
        AlarmDocument(
            id=f"print:{ticket.id}",
            level="alert",
            code="print",
            text=words("alarm.print", {"subject": ticket.number}),
            since=ticket.issued_at,
            acknowledged_by="",
            action=still[ticket.state],
            subject=ticket.id,
        )
        for ticket in hall.tickets.values()
        if ticket.print_state in bad and ticket.state in still and (ticket.state is TicketState.WAITING or ticket.slips)
    ]


def _zone_words(floor: str, name: str, zh: str, en: str) -> Words:
    return Words(zh=f"{floor} {name}区 {zh}".strip(), en=f"{floor} Zone {name} {en}".strip())


def _stands_at(hall: Hall, kiosk: str, kind: str) -> bool:
    """Whether a device of this kind stands at the kiosk and is there."""
    return any(
        device.kind == kind
        and device.settings.get("kiosk") == kiosk
        and (health := hall.devices.get(device.id)) is not None
        and health.state is not DeviceState.OFFLINE
        for device in hall.configuration.device
    )
