"""Live maps: each view rendered once, its changes encoded once and sent to whoever subscribed."""

import asyncio
from collections.abc import Iterable
from typing import Protocol

import msgspec

from queue_server.app.hub import Hub
from queue_server.app.views.screens import Keyed, Screens
from queue_server.domain.errors import Unavailable
from queue_server.domain.events import Event, TicketIssued
from queue_server.domain.model import Hall
from queue_server.wire.common import Message, Version
from queue_server.wire.frames import text_frame
from queue_server.wire.live import Change, Snapshot

_encode = msgspec.json.Encoder().encode

GAP_S = 0.04
"""Least time between two renderings after commits (UX D-02 allows 500 ms)."""

SLOW_EVERY_S = 1.0
"""How often what changes without an event (waits, estimates, counts) is rendered again."""

TOPICS_MAX = 20_000
"""Views with subscribers; beyond it a subscription is refused."""

Name = tuple[str, str]


class Screen(Protocol):
    """One connected page. `offer` takes a whole text frame and never blocks.

    False when the page reads too slowly and must be dropped to a snapshot.
    """

    def offer(self, frame: bytes) -> bool: ...


class Topic:
    """One view with its encoded documents and subscribers; `behind` are those that need the whole map again.

    `reader` is whose copy it is, "" for one that everybody gets alike.
    """

    __slots__ = ("behind", "documents", "name", "reader", "subscribers", "version")

    def __init__(self, name: Name, reader: str) -> None:
        self.name = name
        self.reader = reader
        self.documents: dict[str, bytes] = {}
        self.subscribers: set[Screen] = set()
        self.behind: set[Screen] = set()
        self.version = Version(epoch=0, seq=0, n=0)


class Live:
    """Keeps every subscribed view right. All rendering happens between the hub's batches (law 1)."""

    def __init__(self, hub: Hub, screens: Screens) -> None:
        self._hub = hub
        self._screens = screens
        self._topics: dict[Name, dict[str, Topic]] = {}
        self._dirty: set[Name] = set()
        self._counter = 0
        self._rendered_at = 0.0
        self._scheduled = False
        self._tasks: set[asyncio.Task[None]] = set()

    def counts(self) -> tuple[int, int]:
        """Topics and subscriptions, for the metrics."""
        topics = [topic for copies in self._topics.values() for topic in copies.values()]
        return len(topics), sum(len(topic.subscribers) for topic in topics)

    async def subscribe(self, screen: Screen, view: str, of: str, reader: str = "") -> None:
        """Sends the snapshot and then changes, as `reader` may see them; raises KeyError for a view that does not exist here."""
        if not self._screens.knows(view):
            raise KeyError(view)
        name = (view, of)
        topic = self._topics.get(name, {}).get(reader)
        if topic is None:
            if len(self._topics) >= TOPICS_MAX:
                raise Unavailable("too many views")
            fresh = Topic(name, reader)
            await self._hub.read(lambda hall: self._update(hall, fresh, self._rendered(hall, name)))
            topic = self._topics.setdefault(name, {}).setdefault(reader, fresh)
        topic.subscribers.add(screen)
        self._send_snapshot(topic, screen)

    def show(self, screen: Screen, view: str, of: str, documents: dict[str, Message]) -> None:
        """Sends documents as they are now, once: no subscription keeps them, and a page that wants later ones asks again."""
        self._counter += 1
        lease = self._hub.lease
        version = Version(epoch=lease.epoch, seq=lease.head, n=self._counter)
        raw = {key: msgspec.Raw(msgspec.json.encode(document)) for key, document in documents.items()}
        screen.offer(text_frame(_encode(Snapshot(view=view, of=of, version=version, documents=raw))))

    def unsubscribe(self, screen: Screen, view: str, of: str) -> None:
        copies = self._topics.get((view, of), {})
        for reader, topic in list(copies.items()):
            topic.subscribers.discard(screen)
            topic.behind.discard(screen)
            if not topic.subscribers:
                del copies[reader]
        if not copies:
            self._topics.pop((view, of), None)

    def forget(self, screen: Screen) -> None:
        """The page is gone."""
        topics = [topic for copies in self._topics.values() for topic in copies.values()]
        for view, of in [topic.name for topic in topics if screen in topic.subscribers]:
            self.unsubscribe(screen, view, of)

    def on_published(self, hall: Hall, events: list[Event]) -> None:
        """After a commit: the views that its events touch are rendered now, or soon when they just were."""
        touched = _touched(hall, events)
        if not touched:
            return
        self._dirty |= touched
        wait_s = self._rendered_at + GAP_S - asyncio.get_running_loop().time()
        if wait_s <= 0:
            self._render_dirty(hall)
        else:
            self._schedule(wait_s)

    def touch(self, names: Iterable[Name]) -> None:
        """Something outside the hall changed these views (speech, health)."""
        self._dirty.update(names)
        self._schedule(GAP_S)

    def _schedule(self, wait_s: float) -> None:
        if not self._scheduled:
            self._scheduled = True
            task = asyncio.get_running_loop().create_task(self._render_later(wait_s))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _render_later(self, wait_s: float) -> None:
        try:
            await asyncio.sleep(wait_s)
            self._scheduled = False
            await self._hub.read(self._render_dirty)
        except Unavailable:
            self._scheduled = False

    def _render_dirty(self, hall: Hall) -> None:
        self._rendered_at = asyncio.get_running_loop().time()
        names, self._dirty = self._dirty, set()
        for name in names:
            self._refresh(hall, name)

    def _rendered(self, hall: Hall, name: Name) -> Keyed:
        return self._screens.render(hall, *name, self._hub.clock.now())

    def _update(self, hall: Hall, topic: Topic, rendered: Keyed) -> dict[str, bytes]:
        """Puts the view into the topic and returns the documents that changed."""
        if topic.reader:
            rendered = self._screens.as_seen_by(hall, topic.reader, rendered)
        changed = {}
        for key, document in rendered.items():
            encoded = msgspec.json.encode(document)
            if topic.documents.get(key) != encoded:
                topic.documents[key] = changed[key] = encoded
        for key in [key for key in topic.documents if key not in rendered]:
            del topic.documents[key]
            changed[key] = b"null"
        if changed:
            self._counter += 1
            lease = self._hub.lease
            topic.version = Version(epoch=lease.epoch, seq=lease.head, n=self._counter)
        return changed

    def _refresh(self, hall: Hall, name: Name) -> None:
        """The view is rendered once, however many people have a copy of their own."""
        copies = self._topics.get(name)
        if not copies:
            return
        try:
            rendered = self._rendered(hall, name)
        except KeyError:
            return
        for topic in copies.values():
            changed = self._update(hall, topic, rendered)
            if changed and topic.subscribers:
                self._broadcast(topic, changed)

    def _broadcast(self, topic: Topic, changed: dict[str, bytes]) -> None:
        view, of = topic.name
        documents = {key: msgspec.Raw(value) for key, value in changed.items()}
        frame = text_frame(_encode(Change(view=view, of=of, version=topic.version, documents=documents)))
        for screen in topic.subscribers:
            if screen not in topic.behind and not screen.offer(frame):
                topic.behind.add(screen)

    def _send_snapshot(self, topic: Topic, screen: Screen) -> None:
        view, of = topic.name
        documents = {key: msgspec.Raw(value) for key, value in topic.documents.items()}
        frame = text_frame(_encode(Snapshot(view=view, of=of, version=topic.version, documents=documents)))
        if screen.offer(frame):
            topic.behind.discard(screen)
        else:
            topic.behind.add(screen)

    async def run(self) -> None:
        """Render what changes without events, a view at a time, and bring back the pages that fell behind."""
        while not self._hub.stopped.is_set():
            began = asyncio.get_running_loop().time()
            for name in list(self._topics):
                for topic in self._topics.get(name, {}).values():
                    for screen in list(topic.behind):
                        self._send_snapshot(topic, screen)
                try:
                    await self._hub.read(lambda hall, name=name: self._refresh(hall, name))  # type: ignore[misc]
                except Unavailable:
                    break  # a full inbox or a store that is away: again in a second
            await self._hub.rest(max(0.05, SLOW_EVERY_S - (asyncio.get_running_loop().time() - began)))


def _touched(hall: Hall, events: list[Event]) -> set[Name]:  # long: one event after another
    """The views whose people must see the events at once."""
    names: set[Name] = set()
    for event in events:
        if isinstance(event, TicketIssued):
            continue  # nobody looks at it before it is answered; how many wait is rendered every second
        window = getattr(event, "window", "")
        if window:
            zone = hall.catalogue.windows[window].zone if window in hall.catalogue.windows else ""
            names |= {
                ("window", window),
                ("console", window),
                ("hall", zone),
                ("hall", ""),
                ("manager", ""),
                ("guide", ""),
                *(("led", led.id) for led in hall.configuration.led if led.window in ("", window)),
            }
        ticket = getattr(event, "ticket", "")
        if ticket:
            names.add(("ticket", ticket))
        service = hall.services.get(getattr(event, "service", ""))
        if service is not None and service.ticket:
            names.add(("ticket", service.ticket))
            names |= {("window", service.window), ("console", service.window)}
        if type(event).__name__ in _EVERYWHERE:
            names |= {("hall", zone.id) for zone in hall.configuration.zone}
            names |= {("kiosk", kiosk.id) for kiosk in hall.configuration.kiosk}
            names |= {("led", led.id) for led in hall.configuration.led}
            names |= {(view, each.id) for each in hall.configuration.window for view in ("window", "console")}
            names |= {("hall", ""), ("manager", ""), ("guide", "")}
        elif type(event).__name__ in _AT_DESKS:
            names |= {("manager", ""), ("guide", "")}
            names |= {("kiosk", kiosk.id) for kiosk in hall.configuration.kiosk}
            code, _, subject = getattr(event, "alarm", "").partition(":")
            if code == "window-help":
                names.add(("console", subject))
    return names


_EVERYWHERE = frozenset(
    {"MessageSet", "DayOpened", "DayStarted", "DayClosing", "DayEnded", "ConfigurationApplied", "ZoneMuted"}
)
_AT_DESKS = frozenset(
    {"DeviceChanged", "AlarmRaised", "AlarmCleared", "AlarmAcknowledged", "PrintRecorded", "DemandUnmet"}
)
