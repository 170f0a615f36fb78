"""Tickets and slips as the plain values a printer's paper is made of."""

from displays.receipts.model import TestPaper, TicketPaper, UncalledPaper, encode_paper
from queue_server.app.clock import Clock
from queue_server.app.tokens import Tokens
from queue_server.app.views.devices import device_name
from queue_server.app.views.tickets import plate_of, priority_words, stop_names
from queue_server.domain.configuration import KIOSK_PAGE, NoShowPolicy, WindowKind
from queue_server.domain.model import Hall, Ticket
from queue_server.domain.queues import home_windows

_POLICIES = {NoShowPolicy.REQUEUE: "requeue", NoShowPolicy.SAME_WINDOW: "resume", NoShowPolicy.VOID: "void"}


class Papers:
    """Makes the JSON of print jobs."""

    def __init__(self, clock: Clock, tokens: Tokens, base_url: str) -> None:
        self._clock = clock
        self._tokens = tokens
        self.base_url = base_url

    def url(self, ticket: str) -> str:
        """The phone page of a ticket (UX P-01)."""
        return f"{self.base_url}/t/{self._tokens.make('t', ticket)}"

    def ticket(self, hall: Hall, ticket: Ticket, *, again: bool) -> bytes:
        """RULES 18: the policy on the paper is the policy in force."""
        low, high = ticket.wait_at_issue
        policy = hall.configuration.policy
        windows = sorted(home_windows(ticket.current.queue), key=lambda name: (len(name), name))
        entry = hall.catalogue.windows.get(windows[0]) if windows else None
        zone = hall.catalogue.zones.get(entry.zone) if entry else None
        paper = TicketPaper(
            hall=hall.configuration.hall.name,
            zone=zone.name if zone else "",
            number=ticket.number,
            matters=tuple(name.zh for stop in ticket.stops for name in stop_names(hall, stop)),
            ahead=ticket.ahead_at_issue,
            wait_low_min=low // 60 if low >= 0 else None,
            wait_high_min=-(-high // 60) if high >= 0 else None,
            place=f"{zone.floor} {zone.id} 区".strip() if zone else "",
            windows=_range([plate_of(hall, name) for name in windows]),
            pass_policy=_POLICIES[policy.no_show],  # type: ignore[arg-type]
            pass_calls=policy.recall_limit,
            pass_places=policy.no_show_after,
            pass_limit=policy.no_show_void_after,
            taken_at=f"{self._clock.local(ticket.issued_at):%Y-%m-%d %H:%M}",
            kiosk=_taken_at(hall, ticket.origin),
            priority=priority_words(hall, ticket).zh,
            credit_min=ticket.credit_ms // 60_000,
            effective_at=f"{self._clock.local(ticket.key.effective_at):%H:%M}",
            grievance_window=_grievance_window(hall),
            url=self.url(ticket.id),
            code=self._tokens.code(ticket.id),
            reprint=again,
        )
        return encode_paper(paper)

    def test(self, hall: Hall, device: str) -> bytes:
        """A test page."""
        at = f"{self._clock.local(self._clock.now()):%Y-%m-%d %H:%M}"
        return encode_paper(
            TestPaper(hall=hall.configuration.hall.name, device=device, printed_at=at, url=self.base_url)
        )

    def uncalled(self, hall: Hall, ticket: Ticket, valid_on: str) -> bytes:
        """RULES 34: the slip that has priority on the next working day."""
        paper = UncalledPaper(
            hall=hall.configuration.hall.name,
            number=ticket.number,
            matters=tuple(name.zh for stop in ticket.stops for name in stop_names(hall, stop)),
            day=hall.day,
            valid_on=valid_on,
            opens=hall.configuration.hours.opens,
            url=self.url(ticket.id),
            reprint=ticket.slips > 1,
        )
        return encode_paper(paper)


def _taken_at(hall: Hall, origin: str) -> str:
    """The name of the kiosk a ticket was taken at; of a guide their number."""
    kind, _, of = origin.partition(":")
    page = f"{KIOSK_PAGE}{of}"
    known = kind == "device" and page in hall.catalogue.device_names
    return device_name(hall.catalogue, page).zh if known else of


def _range(plates: list[str]) -> str:
    """6–9 for neighbours, 1、3、5 for others."""
    numbers = [int(plate) for plate in plates if plate.isdecimal()]
    if len(numbers) == len(plates) > 1 and numbers == list(range(numbers[0], numbers[-1] + 1)):
        return f"{numbers[0]}–{numbers[-1]} 号任一窗口"
    return f"{'、'.join(plates[:6])} 号窗口" if plates else ""


def _grievance_window(hall: Hall) -> str:
    for window in hall.configuration.window:
        if window.kind is WindowKind.GRIEVANCE:
            return plate_of(hall, window.id)
    return ""
