"""What was heard on a line: frames of every known protocol by address, presses told from writes, and bytes that nobody knows."""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from devices.framing.codec import AnyCodec
from devices.framing.named import Heard, Named
from devices.framing.stream import Framer, Garbage, Match, Miss
from devices.framing.template import TemplateFrame
from devices.learning.presses import Press, Presses
from devices.learning.shapes import Kept, Unknown
from devices.profiles import PROFILES, SHIPPED
from devices.profiles.profile import Profile
from devices.protocols import templated
from devices.transport.base import READ_LIMIT_BYTES

STATIONS_LIMIT: Final = 512
"""Addresses that are kept apart; a line has 32, and noise may look like some more. One more is only counted."""
MARKS_LIMIT: Final = 4096
SILENCE_MS: Final = 6
"""Silence between two bursts of bytes, beyond the time that they need on the wire."""
ABANDON_MS: Final = 20
"""After this silence a frame that looked begun was none: waiting for its end would hold back the frames behind it."""
HOLD_LIMIT_BYTES: Final = 320
"""What looks like the beginning of a longer frame is noise, unless it is a card reader's."""
IDLE_MS: Final = 150
"""After this silence half a frame will not be completed."""
SETTLED_MS: Final = 10_000
"""Until then a strip's first text may be an old one that is written anew, and says nothing about a press."""
FOLLOWS_MS: Final = 3_000
"""A strip that changes within this time of a press at only one keypad was changed by it."""
_NAMED: Final = re.compile(r"([A-Za-z]?\d{1,3})\s*号?窗口")
_BUS: Final = frozenset(("keypad", "rating_pad", "strip", "board", "speaker", "id_reader"))


@dataclass(slots=True)
class Station:
    """One address of a protocol. `by`: keypads whose presses changed it; `names`: windows that its texts name."""

    codec: AnyCodec
    address: int
    writes: int = 0
    changes: int = 0
    answers: int = 0
    shown: str = ""
    board: bool = False
    by: Counter[int] = field(default_factory=Counter)
    names: Counter[str] = field(default_factory=Counter)

    def copy(self) -> Station:
        """As it is now."""
        return replace(self, by=Counter(self.by), names=Counter(self.names))

    def add(self, more: Station) -> None:
        """What another hearing of the same bytes, or of some of them, knows of it besides."""
        self.writes, self.changes = max(self.writes, more.writes), max(self.changes, more.changes)
        self.answers, self.board = max(self.answers, more.answers), self.board or more.board
        self.by |= more.by
        self.names |= more.names

    def change(self, shown: str, by: int | None, *, early: bool) -> None:
        """It shows something else, after a press `by` that keypad; `early`: its first text may be an old one."""
        if by is not None and not (early and not self.changes):
            self.by[by] += 1
        self.shown = shown
        self.changes += 1
        if window := named_window(shown):
            self.names[window] += 1


class Hearing:
    """Feed it a line's bytes with their times. `baud` tells how long bytes take on the wire; 0 when that is not known."""

    def __init__(self, profiles: Mapping[str, Profile] = PROFILES, baud: int = 9600) -> None:
        known = [
            profile
            for name, profile in profiles.items()
            if name not in SHIPPED and not profile.codec.alone and profile.kinds & _BUS and profile.page != "tablets.md"
        ]
        self.profiles: dict[AnyCodec, Profile] = {}
        for profile in known:
            self.profiles.setdefault(profile.codec, profile)
        self._flow = _Flow()
        self._framer: Framer[Heard] = Framer(
            [
                grammar
                for codec, profile in self.profiles.items()
                for grammar in _sided(codec, self._flow, 1 << 16 if profile.personal else HOLD_LIMIT_BYTES)
            ]
        )
        self._baud = baud
        self._byte_ms = 10_000 / baud if baud else 0.0
        self._kept = Kept()
        self._marks: deque[tuple[int, int]] = deque(maxlen=MARKS_LIMIT)
        self._out = 0
        self._last_ms: int | None = None
        self.began_ms = 0
        self._recent: deque[tuple[int, int]] = deque(maxlen=16)
        self._presses = {
            codec: Presses(codec, rating="rating_pad" in p.kinds)
            for codec, p in self.profiles.items()
            if p.kinds & {"keypad", "rating_pad"}
        }
        self.stations: dict[tuple[AnyCodec, int], Station] = {}
        self.unknown = Unknown()
        self.frames: Counter[str] = Counter()
        self.damaged = 0
        self.known_bytes = 0
        self.personal = ""
        """The profile with personal data that was heard: then nothing of the line is kept or shown."""

    @property
    def heard(self) -> int:
        """How many bytes."""
        return self._flow.fed

    @property
    def private(self) -> str:
        """The profile whose data is personal, if the line carries such: a card reader's frames, or lines of scanned text."""
        return self.personal or ("scanner" if not self.frames and self.unknown.typed else "")

    def presses(self, codec: AnyCodec) -> Presses | None:
        """What was pressed on keypads and rating devices of a protocol."""
        return self._presses.get(codec)

    @property
    def pads(self) -> Iterable[Presses]:
        """The protocols of keypads and rating devices."""
        return self._presses.values()

    @classmethod
    def replayed(
        cls, pieces: Iterable[tuple[int, bytes]], profiles: Mapping[str, Profile] = PROFILES, baud: int = 9600
    ) -> Hearing:
        """What is heard of recorded bytes with their times."""
        hearing, last_ms = cls(profiles, baud), 0
        for at_ms, data in pieces:
            hearing.feed(data, at_ms)
            last_ms = at_ms
        hearing.tick(last_ms + 10_000)
        return hearing

    def again(self, profiles: Mapping[str, Profile]) -> Hearing:
        """The same line heard with more profiles: what these tell as far back as bytes are kept, of the others all."""
        hearing = self.replayed(self._kept, profiles, self._baud)
        hearing._remember(self.stations.values())
        hearing._presses |= self._presses
        hearing.frames |= self.frames
        hearing.damaged, hearing.known_bytes = (
            max(hearing.damaged, self.damaged),
            max(hearing.known_bytes, self.known_bytes),
        )
        hearing._flow.fed = max(hearing._flow.fed, self._flow.fed)
        return hearing

    def copied(self) -> Callable[[], Hearing]:
        """The stations and unknown bytes of now, for another thread: this hearing goes on meanwhile."""
        pieces, baud, stations = list(self._kept), self._baud, [one.copy() for one in self.stations.values()]

        def hear() -> Hearing:
            hearing = self.replayed(pieces, baud=baud)
            hearing._remember(stations)
            return hearing

        return hear

    def _remember(self, stations: Iterable[Station]) -> None:
        for station in stations:
            if (there := self.stations.setdefault((station.codec, station.address), station)) is not station:
                there.add(station)

    def feed(self, data: bytes, at_ms: int) -> list[Press]:
        """Bytes that had come by `at_ms`; the presses that they tell."""
        began_ms = at_ms - int(len(data) * self._byte_ms)
        silent_ms = IDLE_MS if self._last_ms is None else began_ms - self._last_ms
        found = self._idle(at_ms) if silent_ms >= IDLE_MS else []
        found += self._late(began_ms)  # whoever listens ticks besides; a recording is heard without
        if self._last_ms is None:
            self.began_ms = at_ms
        if silent_ms >= SILENCE_MS:
            self._marks.append((self._flow.fed, began_ms))
        if silent_ms >= ABANDON_MS:
            self._flow.silent_at = self._flow.fed
        self._last_ms = at_ms
        for start in range(0, len(data), READ_LIMIT_BYTES):
            piece = data[start : start + READ_LIMIT_BYTES]
            self._flow.fed += len(piece)
            if not self.personal:
                self._kept.add(at_ms, piece)
            found += self._take(self._framer.feed(piece), at_ms)
        return found

    def tick(self, now_ms: int) -> list[Press]:
        """Time has passed: the presses of which nothing more is awaited."""
        idle = self._last_ms is not None and now_ms - self._last_ms >= IDLE_MS
        found = self._idle(now_ms) if idle else []
        return found + self._late(now_ms)

    def _late(self, now_ms: int) -> list[Press]:
        late = [press for presses in self._presses.values() for press in presses.tick(now_ms)]
        self._pressed(late)
        return late

    def _idle(self, now_ms: int) -> list[Press]:
        found = self._take(self._framer.flush(), self._last_ms or now_ms)
        self._split(b"", now_ms)
        return found

    def _take(self, items: Iterable[Heard | Garbage], at_ms: int) -> list[Press]:
        found: list[Press] = []
        for item in items:
            if isinstance(item, Garbage):
                self.damaged += item.checksums
                self._split(item.data, at_ms)
                continue
            self._split(b"", at_ms)
            self._out += len(item.raw)
            self.known_bytes += len(item.raw)
            self.frames[item.codec.name] += 1
            profile = self.profiles[item.codec]
            if profile.personal:
                self.personal = profile.name
                self.unknown, self._kept = Unknown(), Kept()
            found += self._hear(item, profile, at_ms)
        return found

    def _split(self, data: bytes, at_ms: int) -> None:
        """Bytes of nobody, cut where the line was silent; no bytes: what follows is known."""
        if self.personal:
            self._out += len(data)
            return
        if not data:
            self.unknown.end()
            return
        end = self._out + len(data)
        while self._marks and self._marks[0][0] < end:
            offset, began_ms = self._marks.popleft()
            cut = max(0, offset - self._out)
            if cut:
                self.unknown.add(data[:cut], at_ms)
                data, self._out = data[cut:], offset
            if offset >= self._out:
                self.unknown.end()
            at_ms = began_ms
        self.unknown.add(data, at_ms)
        self._out = end

    def _presser(self, at_ms: int) -> int | None:
        """The one keypad that was pressed just before, if it was only one."""
        near = {address for pressed_ms, address in self._recent if 0 <= at_ms - pressed_ms <= FOLLOWS_MS}
        return next(iter(near)) if len(near) == 1 else None

    def _pressed(self, presses: Iterable[Press]) -> None:
        for press in presses:
            if not press.rating:
                self._recent.append((press.at_ms, press.address))

    def _hear(self, told: Heard, profile: Profile, at_ms: int) -> list[Press]:
        address = told.codec.address(told.frame)
        station = self._station(told.codec, 0 if address is None else address)
        if presses := self._presses.get(told.codec):
            found = presses.hear(told.frame, at_ms)
            if station is not None:
                station.writes += not found
            self._pressed(found)
            return found
        if station is not None:
            self._strip(station, told, profile, at_ms)
        return []

    def _station(self, codec: AnyCodec, address: int) -> Station | None:
        there = self.stations.get((codec, address))
        if there is None and len(self.stations) < STATIONS_LIMIT:
            there = self.stations[codec, address] = Station(codec, address)
        return there

    def _strip(self, station: Station, told: Heard, profile: Profile, at_ms: int) -> None:
        frame = told.frame
        acknowledged = isinstance(frame, TemplateFrame) and frame.name == templated.ACKNOWLEDGED
        if told.side == "device" or acknowledged:
            station.answers += 1
            return
        station.writes += 1
        shown = profile.wording.means(frame)
        station.board = station.board or shown.startswith("board")
        if shown != station.shown:
            station.change(shown, self._presser(at_ms), early=at_ms - self.began_ms < SETTLED_MS)


def named_window(text: str) -> str:
    """The window that a strip's text names, as in "请A042号到3号窗口"; empty when none."""
    named = _NAMED.search(text)
    return named[1] if named else ""


@dataclass(slots=True)
class _Flow:
    """How many bytes were fed, and before which of them the line was silent last."""

    fed: int = 0
    silent_at: int = 0


@dataclass(frozen=True, slots=True)
class _Impatient(Named):
    """Does not wait for a frame across a silence, nor for more than `hold` bytes."""

    flow: _Flow
    hold: int

    def scan(self, stream: bytes | bytearray, at: int) -> Match[Heard] | Miss:
        found = self.grammar.scan(stream, at)
        if isinstance(found, Match):
            return self.named(found, stream, at)
        begun = self.flow.fed - len(stream) + at
        late = begun < self.flow.silent_at or len(stream) - at > self.hold
        return Miss.NOISE if found is Miss.MORE and late else found


def _sided(codec: AnyCodec, flow: _Flow, hold: int) -> list[Named]:
    side = "device" if codec.from_host else "either"
    device: list[Named] = [_Impatient(codec, grammar, side, flow, hold) for grammar in codec.from_device]
    return device + [_Impatient(codec, grammar, "host", flow, hold) for grammar in codec.from_host]
