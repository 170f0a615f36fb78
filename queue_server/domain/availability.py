"""How long what must be there was there: rating devices of open windows and terminals, from events alone (RULES 37, 38, 89)."""

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from queue_server.domain import events as e
from queue_server.domain.configuration import KIOSK_PAGE, ROUND_THE_CLOCK, Configuration
from queue_server.wire.common import DeviceState, PrinterState

RATING: Final = "rating"
TERMINAL: Final = "terminal"
READ: Final = (e.ConfigurationApplied, e.DayOpened, e.DayEnded, e.WindowOpened, e.WindowClosed, e.DeviceChanged)
"""The events that `uses` looks at; of others it takes no notice."""

PRINTS: Final = frozenset({None, PrinterState.OK, PrinterState.NEAR_END})
"""Printer states in which a paper comes out."""


@dataclass(frozen=True, slots=True)
class Midnight:
    """A local day begins, whether the hall will open on it or not."""

    day: str


@dataclass(frozen=True, slots=True)
class Gap:
    """From when until when (ms UTC) it was not usable, and why: none (not registered), unheard, or the device's own error."""

    since: int
    until: int
    why: str


@dataclass(slots=True)
class Use:
    """One window's rating device (`what` is RATING) or one terminal on one day; times in ms.

    `open_ms`: how long it had to be usable. A window is open from the sign-in to the sign-out, pauses included. What is
    there round the clock is counted by local days, on those that were not opened too. A day that goes on past midnight is
    over then: windows and the other terminals count as closed until the next opening.
    """

    day: str
    what: str
    subject: str
    open_ms: int = 0
    usable_ms: int = 0
    gaps: list[Gap] = field(default_factory=list)

    @property
    def share(self) -> float | None:
        """Usable part of the open time, None when it was not open."""
        return self.usable_ms / self.open_ms if self.open_ms else None


def pads_of(configuration: Configuration) -> dict[str, list[str]]:
    """The rating devices of each window."""
    found: dict[str, list[str]] = {window.id: [] for window in configuration.window}
    for device in configuration.device:
        if device.kind == "rating_pad" and device.window in found:
            found[device.window].append(device.id)
    return found


class _Timeline:
    """The fold: what is open, how the devices are, and since when nothing has changed."""

    def __init__(self) -> None:
        self.configuration: Configuration | None = None
        self.pads: dict[str, list[str]] = {}
        self.needs: dict[str, list[tuple[str, str]]] = {}
        """What depends on a device."""
        self.devices: dict[str, tuple[DeviceState, PrinterState | None, str]] = {}
        self.open: set[tuple[str, str]] = set()
        self.day = ""
        self.closed = True
        self.at = 0
        self.uses: dict[tuple[str, str], Use] = {}
        self.gaps: dict[tuple[str, str], tuple[int, str]] = {}

    def trouble(self, key: tuple[str, str]) -> str | None:
        """Why it is not usable now; None when it is."""
        what, subject = key
        if what == TERMINAL:
            return self._terminal_trouble(subject)
        pads = self.pads.get(subject, [])
        if not pads:
            return "none"
        known = [self.devices[pad] for pad in pads if pad in self.devices]
        if any(state is not DeviceState.OFFLINE for state, _, _ in known):
            return None
        return next((error for _, _, error in known if error), "unheard" if not known else "offline")

    def _terminal_trouble(self, kiosk: str) -> str | None:
        page = self.devices.get(KIOSK_PAGE + kiosk)
        if page is None:
            return "unheard"
        if page[0] is DeviceState.OFFLINE:
            return "page"
        printer = next((k.printer for k in self.configuration.kiosk if k.id == kiosk), "") if self.configuration else ""
        if not printer:
            return None
        state, paper, _ = self.devices.get(printer, (DeviceState.OFFLINE, None, ""))
        if state is DeviceState.OFFLINE:
            return "printer-offline"
        return None if paper in PRINTS else f"printer-{paper}"

    def advance(self, at: int) -> None:
        """Count the time since the last change; an event that an older clock wrote takes none back."""
        passed = max(0, at - self.at)
        for key in self.open:
            use = self._use(key)
            use.open_ms += passed
            if key not in self.gaps:
                use.usable_ms += passed
        self.at += passed

    def _use(self, key: tuple[str, str]) -> Use:
        found = self.uses.get(key)
        if found is None:
            found = self.uses[key] = Use(day=self.day, what=key[0], subject=key[1])
        return found

    def settle(self, touched: list[tuple[str, str]] | None = None) -> None:
        """Begin and end gaps as things now stand, of `touched` only when no other can have changed."""
        if touched is None:
            touched = [*self.open, *(key for key in self.gaps if key not in self.open)]
        for key in touched:
            why = self.trouble(key) if key in self.open else None
            began = self.gaps.get(key)
            if began is not None and (why is None or why != began[1]):
                if self.at > began[0]:
                    self._use(key).gaps.append(Gap(began[0], self.at, began[1]))
                del self.gaps[key]
            if why is not None and key not in self.gaps:
                self.gaps[key] = (self.at, why)

    def finish_day(self) -> Iterator[Use]:
        """The day's uses; gaps that go on are cut here and begin anew."""
        for key, (since, why) in list(self.gaps.items()):
            if self.at > since:
                self._use(key).gaps.append(Gap(since, self.at, why))
            self.gaps[key] = (self.at, why)
        yield from sorted(self.uses.values(), key=lambda use: (use.what, use.subject))
        self.uses = {}

    def terminals(self) -> set[tuple[str, str]]:
        """The terminals that count now; while the hall is closed those that serve round the clock."""
        if self.configuration is None:
            return set()
        kinds = {zone.id: zone.kind for zone in self.configuration.zone}
        return {
            (TERMINAL, kiosk.id)
            for kiosk in self.configuration.kiosk
            if not self.closed or kinds.get(kiosk.zone) in ROUND_THE_CLOCK
        }

    def touched(self, event: e.Event) -> list[tuple[str, str]] | None:
        """What this event can have changed, None for anything."""
        match event:
            case e.WindowOpened() | e.WindowClosed():
                return [(RATING, event.window)]
            case e.DeviceChanged():
                return [key for key in self.needs.get(event.device, ()) if key in self.open]
            case _:
                return None

    def _configured(self, configuration: Configuration) -> None:
        self.configuration, self.pads = configuration, pads_of(configuration)
        self.needs = {pad: [(RATING, window)] for window, pads in self.pads.items() for pad in pads}
        for kiosk in configuration.kiosk:
            for device in (KIOSK_PAGE + kiosk.id, kiosk.printer):
                self.needs.setdefault(device, []).append((TERMINAL, kiosk.id))

    def take(self, event: e.Event) -> None:
        match event:
            case e.ConfigurationApplied():
                self._configured(event.configuration)
                if self.day:
                    self.open = {key for key in self.open if key[0] == RATING} | self.terminals()
            case e.DayOpened():
                self.day, self.closed = event.day, False
                for known in event.devices:
                    self.devices[known.device] = (known.state, known.printer, known.error)
                self.open = self.terminals()
            case e.DayEnded():
                self.closed = True
                self.open = self.terminals()
            case e.WindowOpened():
                self.open.add((RATING, event.window))
            case e.WindowClosed():
                self.open.discard((RATING, event.window))
            case e.DeviceChanged():
                self.devices[event.device] = (event.state, event.printer, event.error)
            case _:
                return


def uses(
    rows: Iterable[tuple[int, e.Event]], until: int, midnights: Iterable[tuple[int, Midnight]] = ()
) -> Iterator[Use]:
    """Each day's uses, from (at ms UTC, event) in the journal's order up to `until`: first the configuration in force, then
    a `DayOpened`. What an opening of version 2 does not tell is unheard until a device says something.
    """
    line = _Timeline()
    told: tuple[Iterable[tuple[int, e.Event | Midnight]], ...] = rows, (each for each in midnights if each[0] <= until)
    for at, event in heapq.merge(*told, key=lambda each: each[0]):
        line.advance(at)
        if isinstance(event, Midnight):
            if line.day and event.day > line.day:
                if not line.closed:  # the server was off: nobody was there to end the day
                    line.take(e.DayEnded(at=at))
                    line.settle()
                yield from line.finish_day()
                line.day = event.day
            continue
        if isinstance(event, e.DayOpened) and line.day and event.day != line.day:
            line.settle()
            yield from line.finish_day()
        line.take(event)
        line.settle(line.touched(event))
    line.advance(until)
    if line.day:
        yield from line.finish_day()
