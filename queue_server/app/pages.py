"""The pages of paired screens: which are open, since when and how large, and the test pattern that one is asked to show."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from queue_server.app.hub import Hub
from queue_server.app.views.devices import PageState, page_place
from queue_server.domain import events as e
from queue_server.domain.configuration import KIOSK_PAGE
from queue_server.domain.day import SPOKEN_EVERY_MS
from queue_server.domain.devices import SCREEN, calls_stand_on
from queue_server.domain.errors import Rejected
from queue_server.domain.model import Hall
from queue_server.wire.agent import Tested
from queue_server.wire.live import Errand, PageSize, Pattern, PatternEnded

PATTERN_MS: Final = 8_000
"""As long as a strip's pattern stands (devices.trials)."""
OUTCOMES: Final = frozenset({"done", "busy", "failed"})


class Page(Protocol):
    """One open page. `say` never blocks and is False when it reads too slowly or is gone."""

    def say(self, message: Pattern | Errand) -> bool: ...


class Paired(Protocol):
    """A paired device as the accounts have it."""

    @property
    def id(self) -> str: ...
    @property
    def role(self) -> str: ...
    @property
    def of(self) -> str: ...
    @property
    def name(self) -> str: ...


class Voices(Protocol):
    """What speaks in the sound zones."""

    def volume_on(self, page: object) -> int: ...


@dataclass(slots=True)
class _Open:
    """The open pages of one device, the one that came last while it is there, when the device was last heard and last left (ms
    UTC), and whether the page that left last was that one and fell silent."""

    pages: dict[Page, PageSize | None] = field(default_factory=dict)
    newest: Page | None = None
    since: int = 0
    seen: int | None = None
    lost: bool = False


class Pages:
    """`paired` are those that have a token now; `known` is kept by `refresh` for the manager's table, by device."""

    def __init__(self, hub: Hub, known: dict[str, PageState], voices: Voices) -> None:
        self._hub = hub
        self._known = known
        self._voices = voices
        self._open: dict[str, _Open] = {}
        self._asked: dict[str, tuple[str, set[Page]]] = {}
        """The device of each test under way, and the pages that have not answered."""
        self.paired: Callable[[], Sequence[Paired]] = tuple
        self.tested: Callable[[Tested], None] = lambda tested: None

    # --- what the pages say ---

    def came(self, paired: str, page: Page) -> None:
        entry = self._open.setdefault(paired, _Open())
        if not entry.pages:
            entry.since = self._hub.clock.now()
        entry.pages[page] = None
        entry.newest = page
        entry.lost = False
        self.heard(paired)

    def heard(self, paired: str) -> None:
        """A sign of life."""
        if (entry := self._open.get(paired)) is not None:
            entry.seen = self._hub.clock.now()

    def sized(self, paired: str, page: Page, size: PageSize) -> None:
        entry = self._open.get(paired)
        if entry is not None and page in entry.pages:
            entry.pages[page] = size
            self.heard(paired)

    def left(self, paired: str, page: Page, *, lost: bool = False) -> None:
        """A page that went with a pattern on it ends it by its own clock; what came of the test nobody will say any more. One
        that was `lost` did not answer for so long that nobody waits for it to come back; a half-open connection that a newer
        page had replaced says nothing of the device."""
        if (entry := self._open.get(paired)) is None or page not in entry.pages:
            return
        del entry.pages[page]
        entry.seen = self._hub.clock.now()
        entry.lost = lost and page is entry.newest
        if page is entry.newest:
            entry.newest = None
        for name, (_, waiting) in list(self._asked.items()):
            if page in waiting:
                self._told(name, page, "unknown", "connection lost")

    def ended(self, page: Page, message: PatternEnded) -> None:
        """A page's word on its pattern; of several pages of one screen the first that shows it answers for it."""
        outcome = message.outcome if message.outcome in OUTCOMES else "failed"
        self._told(message.id, page, outcome, message.reason[:200])

    def _told(self, name: str, page: Page, outcome: str, reason: str) -> None:
        device, waiting = self._asked.get(name, ("", set()))
        if page not in waiting:
            return
        waiting.discard(page)
        if waiting and outcome != "done":
            return  # another page of this screen may yet show it
        del self._asked[name]
        self.tested(Tested(id=name, device=device, outcome=outcome, reason=reason))

    # --- what the hall asks ---

    def _of(self, device: str) -> list[Paired]:
        """The paired devices behind a name: one screen, or all that are this kiosk."""
        if device.startswith(KIOSK_PAGE):
            kiosk = device.removeprefix(KIOSK_PAGE)
            return [each for each in self.paired() if each.role == "kiosk" and each.of == kiosk]
        return [each for each in self.paired() if f"{SCREEN}{each.id}" == device and each.role in _SHOWN]

    def _pages(self, paired: Iterable[Paired]) -> list[Page]:
        return [page for each in paired if each.id in self._open for page in self._open[each.id].pages]

    def kiosks(self) -> frozenset[str]:
        """The kiosks whose page is connected now."""
        return frozenset(each.of for each in self.paired() if each.role == "kiosk" and self._pages([each]))

    def lost(self) -> frozenset[str]:
        """The kiosks whose last page fell silent; of one that was paired twice the page that was heard last."""
        last: dict[str, _Open] = {}
        for each in self.paired():
            entry = self._open.get(each.id)
            if each.role == "kiosk" and entry is not None:
                last[each.of] = max(entry, last.get(each.of, entry), key=lambda one: one.seen or 0)
        return frozenset(of for of, entry in last.items() if entry.lost and not entry.pages)

    def open(self, device: str) -> list[tuple[Paired, Page]]:
        """The open pages of a screen. Rejected when nothing is paired there, or no page of it is connected."""
        paired = self._of(device)
        if not paired:
            raise Rejected("device-test-none")
        found = [(each, page) for each in paired for page in self._pages([each])]
        if not found:
            raise Rejected("screen-away")
        return found

    def needed(self, hall: Hall, device: str) -> bool:
        """Whether a citizen needs the screen now. Rejected as in `open`."""
        paired = {each.id: each for each, _ in self.open(device)}.values()
        if hall.message[0] in SPOKEN_EVERY_MS:
            return True  # an emergency or early closing: for everybody, at a kiosk too
        now = self._hub.clock.now()
        return any(calls_stand_on(hall, each.role, each.of, now) for each in paired)

    def show(self, hall: Hall, event: e.DeviceTestAsked) -> bool:
        """A committed wish goes out to every page of the screen, once; False when none takes it."""
        taken = set()
        for each in self._of(event.device):
            for page in self._pages([each]):
                message = Pattern(
                    id=event.id,
                    epoch=self._hub.lease.epoch,
                    for_ms=PATTERN_MS,
                    name=each.name or each.of,
                    place=page_place(hall, each.role, each.of),
                    volume=self._voices.volume_on(page),
                )
                if page.say(message):
                    taken.add(page)
        if taken:
            self._asked[event.id] = event.device, taken
        return bool(taken)

    def forget(self, test: str) -> None:
        """A test that nobody waits for any longer."""
        self._asked.pop(test, None)

    def refresh(self) -> None:
        """The manager's table as it is now: who was revoked leaves it."""
        found = {}
        for each in self.paired():
            if each.role not in _SHOWN and each.role != "kiosk":
                continue
            name = f"{KIOSK_PAGE}{each.of}" if each.role == "kiosk" else f"{SCREEN}{each.id}"
            entry = self._open.get(each.id)
            if name in found and not (entry and entry.pages):
                continue  # one kiosk, paired twice: the one that is there
            sizes = [size for size in entry.pages.values() if size is not None] if entry else []
            found[name] = PageState(
                role=each.role,
                of=each.of,
                name=each.name,
                connected_since=entry.since if entry and entry.pages else None,
                seen=entry.seen if entry else None,
                size=sizes[-1] if sizes else None,
            )
        self._known.clear()
        self._known.update(found)
        for name in self._open.keys() - {each.id for each in self.paired()}:
            if not self._open[name].pages:
                del self._open[name]


_SHOWN: Final = ("hall", "window", "led")
"""Roles whose pages are rows of their own; a kiosk's page is watched as its kiosk."""
