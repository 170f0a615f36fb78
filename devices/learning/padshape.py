"""From asked presses of a keypad or rating device that nobody knows to its frames, as far as the presses prove them."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from devices.framing.checksums import CHECKSUMS
from devices.framing.stream import Match
from devices.framing.template import Part, Template, TemplateFrame, parse_template

SHORTEST: Final = 4
"""Bytes of a press: something fixed, an address, a key and something fixed or a sum."""
LONGEST: Final = 40
DIGITS: Final = 16
SUMS_SEEN: Final = 3
"""Different values of a sum without which its rule may be chance."""
_STARTS: Final = 8
_BEHIND: Final = 4
_WIDE: Final = {"": 1, "HEX": 2, "hex": 2}
_TYPED: Final = ("7", "42", "190")
"""Digits with which layouts that agree otherwise are compared."""


@dataclass(frozen=True, slots=True)
class Heard:
    """An asked press: its frame, and the bursts just `after` it in their order. `typed`: the digits asked for, if any."""

    window: str
    what: str
    raw: bytes
    after: tuple[bytes, ...] = ()
    typed: str = ""


@dataclass(frozen=True, slots=True)
class PadShape:
    """What the presses have in common. `pressed` is a template; `left` are presses that do not fit it."""

    pressed: str
    sum: str
    zero: int
    left: tuple[Heard, ...] = ()


@dataclass(frozen=True, slots=True)
class Lack:
    """Why nothing can be concluded: "window", "key", "press" or "vary"; and the press that would decide, where one would."""

    why: str
    window: str = ""
    what: str = ""
    places: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a number of one byte stands, and how it is written."""

    at: int
    width: int
    form: str

    @property
    def positions(self) -> range:
        return range(self.at, self.at + self.width)

    def value(self, raw: bytes) -> int | None:
        return Part("key", width=self.width, form=self.form).read(raw[self.at : self.at + self.width])

    def word(self, name: str) -> str:
        written = {"": "", "dec": f":{self.width}dec"}.get(self.form, f":{self.form}")
        return f"{{{name}{written}}}"


@dataclass(frozen=True, slots=True)
class SumPlace:
    """A check sum: `at` and `end` from the end of the frame when negative, `end` 0 is the end; covers `start` to `end`."""

    name: str
    at: int
    start: int
    end: int
    form: str = ""
    order: Literal["big", "little"] = "big"

    @property
    def width(self) -> int:
        return CHECKSUMS[self.name].width * _WIDE[self.form]

    def positions(self, size: int) -> range:
        at = self.at % size
        return range(at, at + self.width)

    def covers(self, size: int) -> range:
        return range(self.start, size + self.end)

    def stands(self, raw: bytes) -> bytes:
        at = self.at % len(raw)
        return raw[at : at + self.width]

    def holds(self, raw: bytes) -> bool:
        return self.written(raw) == self.stands(raw)

    def written(self, raw: bytes) -> bytes:
        return _written(CHECKSUMS[self.name].bytes_of(raw[self.start : len(raw) + self.end], self.order), self.form)

    @property
    def word(self) -> str:
        said = ("le" if self.order == "little" else "") + self.form
        return f"{{sum{':' if said else ''}{said}}}"


def _written(total: bytes, form: str) -> bytes:
    return {"": total, "HEX": total.hex().upper().encode(), "hex": total.hex().encode()}[form]


def sums_of(frames: Sequence[bytes], names: Sequence[str] = tuple(CHECKSUMS), least: int = SUMS_SEEN) -> list[SumPlace]:
    """Every check sum of the list that holds in all frames, with enough different values to be no chance; wide ones first."""
    found = []
    first, size = frames[0], min(map(len, frames))
    for name in sorted(names, key=lambda name: -CHECKSUMS[name].width):
        for start, end in itertools.product(range(min(_STARTS, size - 1)), range(0, -_BEHIND - 6, -1)):
            if size + end - start < 1:
                continue
            covered = first[start : len(first) + end]
            for order, form in _ways(name):
                raw = _written(CHECKSUMS[name].bytes_of(covered, order), form)
                for at in _ats(first, raw, start, end):
                    place = SumPlace(name, at, start, end, form, order)
                    if all(map(place.holds, frames)) and len({place.stands(one) for one in frames}) >= least:
                        found.append(place)
    return found


def _ways(name: str) -> Iterator[tuple[Literal["big", "little"], str]]:
    orders: tuple[Literal["big", "little"], ...] = ("big", "little") if CHECKSUMS[name].width > 1 else ("big",)
    yield from itertools.product(orders, _WIDE)


def _ats(first: bytes, total: bytes, start: int, end: int) -> Iterator[int]:
    """Where this total stands in a frame: behind what it covers, or a byte further, or before it."""
    for at in (end, end + 1):
        if at + len(total) <= 0 and at < 0 and -at - len(total) <= _BEHIND and first[at:].startswith(total):
            yield at
    for at in range(start - len(total) + 1) if end >= -2 else ():
        if first[at:].startswith(total):
            yield at


@dataclass(frozen=True, slots=True)
class _Layout:
    """A way to read the frames that have no digits; `digits` go in before position `digits`, `lengths` count them."""

    frame: bytes
    address: Place
    key: Place
    sum: SumPlace | None
    digits: int | None = None
    lengths: tuple[int, ...] = ()
    counted: tuple[int, int] = (-1, -1)
    zero: int = 0

    @property
    def template(self) -> Template:
        """ValueError when a profile could not say it."""
        return parse_template("pressed", self.line, self.sum.name if self.sum else "", DIGITS)

    @property
    def line(self) -> str:
        size, total = len(self.frame), self.sum
        covered = (total.start, size + total.end) if total else (-1, -1)
        summed = total.positions(size) if total else range(0)
        words: list[str] = []
        for at in range(size + 1):
            words += [mark for mark, place in (("<", covered[0]), ("(", self.counted[0])) if place == at]
            words += ["{digits}"] if self.digits == at else []
            words += [mark for mark, place in ((">", covered[1]), (")", self.counted[1])) if place == at]
            if at in (self.address.at, self.key.at):
                words.append(self.address.word("address") if at == self.address.at else self.key.word("key"))
            elif total and summed and at == summed[0]:
                words.append(total.word)
            elif at < size and not any(at in taken for taken in (self.address.positions, self.key.positions, summed)):
                words.append("{length}" if at in self.lengths else f"{self.frame[at]:02X}")
        return " ".join(words)

    def reads(self, template: Template, one: Heard) -> TemplateFrame | None:
        """The frame of a press, None when it is none of this layout."""
        found = template.scan(one.raw, 0)
        if not isinstance(found, Match) or found.length != len(one.raw):
            return None
        try:
            if template.encode(found.frame) != one.raw:
                return None
        except ValueError:  # nothing that a profile could say back
            return None
        typed = bytes(byte - self.zero & 0xFF for byte in found.frame.body)
        if any(digit > 9 for digit in typed) or (one.typed and typed and "".join(map(str, typed)) != one.typed):
            return None
        return found.frame


def infer_pad(presses: Sequence[Heard], windows: Sequence[str], first: str, second: str) -> PadShape | Lack:
    """The shape of asked presses; `first` and `second` are questions that a Lack may name, `windows` where."""
    presses = [one for one in presses if SHORTEST <= len(one.raw) <= LONGEST]
    lengths = Counter(len(one.raw) for one in presses if one.what == first) or Counter(len(p.raw) for p in presses)
    if not lengths:
        return Lack("key", windows[0] if windows else "", first)
    size = min(length for length, count in lengths.items() if count == max(lengths.values()))
    short = [one for one in presses if len(one.raw) == size]
    there = list(dict.fromkeys(one.window for one in short))
    if len(there) < 2:
        return Lack("window", next((window for window in windows if window not in there), ""), first)
    if len({one.what for one in short}) < 2:
        return Lack("key", there[0], second)
    shape = _shape(short, presses)
    if isinstance(shape, Lack) and shape.why == "vary" and len(short) > 4:
        for wrong in short:  # one of them may be somebody else's press
            kept = [one for one in short if one is not wrong]
            again = _shape(kept, [one for one in presses if one is not wrong])
            if isinstance(again, PadShape):
                return replace(again, left=(*again.left, wrong))
    return shape


def _shape(short: Sequence[Heard], presses: Sequence[Heard]) -> PadShape | Lack:
    layouts = list(_layouts(short))
    if not layouts:
        frames = [one.raw for one in short]
        return Lack(
            "vary", places=tuple(at + 1 for at, values in enumerate(zip(*frames, strict=True)) if len(set(values)) > 1)
        )
    longer = [one for one in presses if len(one.raw) > len(short[0].raw)]
    for some in (longer, *([one for one in longer if one is not wrong] for wrong in longer)):
        if some and (typing := [more for layout in layouts for more in _with_digits(layout, some)]):
            layouts = typing
            break
    asked = {(one.window, one.what) for one in presses}
    kept: dict[tuple[bytes, ...], _Layout] = {}
    for layout in layouts:
        kept.setdefault(tuple(_predicted(layout, short)), layout)
    if len(kept) > 1:
        pairs = [pair for pair in _pairs(short) for _ in range(1 + len(_TYPED) * bool(layouts[0].digits))]
        for pair, said in zip(pairs, zip(*kept, strict=True), strict=True):
            if len(set(said)) > 1 and pair not in asked:
                return Lack("press", *pair)
    best = next(iter(kept.values()))
    template = best.template
    left = tuple(one for one in presses if best.reads(template, one) is None)
    return PadShape(best.line, best.sum.name if best.sum else "", best.zero, left)


def _pairs(short: Sequence[Heard]) -> list[tuple[str, str]]:
    """Every window with every key, those that were pressed and those that were not."""
    return list(itertools.product(dict.fromkeys(p.window for p in short), dict.fromkeys(p.what for p in short)))


def _predicted(layout: _Layout, short: Sequence[Heard]) -> Iterator[bytes]:
    """What every key of every window sends by this layout."""
    address = {one.window: layout.address.value(one.raw) for one in short}
    key = {one.what: layout.key.value(one.raw) for one in short}
    template = layout.template
    for window, what in _pairs(short):
        for typed in ("", *(_TYPED if layout.digits else ())):
            body = bytes(layout.zero + int(digit) for digit in typed)
            try:
                yield template.encode(TemplateFrame("pressed", address[window], body, key[what]))
            except ValueError:
                yield b""


def _layouts(short: Sequence[Heard]) -> Iterator[_Layout]:
    """Every way in which the bytes that vary are an address, a key and a sum, the likeliest first."""
    frames = [one.raw for one in short]
    size = len(frames[0])
    vary = {at for at in range(size) if len({raw[at] for raw in frames}) > 1}
    for total in (*sums_of(frames), None):
        summed = set(total.positions(size)) if total else set()
        rest = vary - summed
        places = [place for place in _numbers(frames, rest) if not summed & set(place.positions)]
        addresses = [place for place in places if _told_by([(one.window, place.value(one.raw)) for one in short])]
        keys = [place for place in places if _told_by([(one.what, place.value(one.raw)) for one in short])]
        for address, key in itertools.product(addresses, keys):
            taken = set(address.positions) | set(key.positions)
            if len(taken) == address.width + key.width and rest <= taken:
                layout = _Layout(frames[0], address, key, total)
                if _possible(layout):
                    yield layout


def _possible(layout: _Layout) -> bool:
    try:
        return bool(layout.template.parts)
    except ValueError:
        return False


def _numbers(frames: Sequence[bytes], vary: set[int]) -> Iterator[Place]:
    """Where a number may stand: in characters first when the frames are text, else as bytes first."""
    text = all(0x20 <= byte < 0x7F for raw in frames for byte in raw[1:-2])
    ways = [(2, "dec"), (2, "HEX"), (2, "hex"), (3, "dec")]
    for width, form in [*ways, (1, "")] if text else [(1, ""), *ways]:
        for at in range(len(frames[0]) - width + 1):
            place = Place(at, width, form)
            if vary & set(place.positions) and all(place.value(raw) is not None for raw in frames):
                yield place


def _told_by(pairs: Sequence[tuple[str, int | None]]) -> bool:
    """Whether a number belongs to each name, another to another."""
    numbers = dict(pairs)
    return len(set(numbers.values())) == len(numbers) and all(numbers[name] == number for name, number in pairs)


def _with_digits(layout: _Layout, longer: Sequence[Heard]) -> Iterator[_Layout]:
    """The layouts in which longer presses are the same with digits before or behind the key."""
    size = len(layout.frame)
    for at in (layout.key.at, layout.key.at + layout.key.width):
        lengths = tuple(
            place
            for place in range(at)
            if all(one.raw[place] == layout.frame[place] + len(one.raw) - size for one in longer)
        )
        value = layout.frame[lengths[0]] if lengths else 0
        spans = (
            [
                (lengths[-1] + 1, lengths[-1] + 1 + value),
                (size - value, size),
                (0, value),
                (lengths[0], lengths[0] + value),
            ]
            if lengths
            else [(-1, -1)]
        )
        for counted, zero in itertools.product(dict.fromkeys(spans), (0x30, 0)):
            if lengths and not 0 <= counted[0] <= at <= counted[1] <= size:
                continue
            more = replace(layout, digits=at, lengths=lengths, counted=counted, zero=zero)
            if _possible(more):
                template = more.template
                if all(more.reads(template, one) is not None for one in longer):
                    yield more


def alike(raw: bytes, frames: Sequence[bytes], most: int) -> bool:
    """Whether a burst is surely a press like others: of their length, at most so many fixed bytes differ, a sum holds in all.

    The sum must cover the bytes that differ: it also holds in a press of another window that was damaged beside it.
    """
    same = [one for one in dict.fromkeys(frames) if len(one) == len(raw) and one != raw]
    if len(same) < 2 or not SHORTEST <= len(raw) <= LONGEST:
        return False
    places, size = differing(raw, same), len(raw)
    return len(places) <= most and any(
        places <= {*total.covers(size), *total.positions(size)} for total in sums_of([*same, raw])
    )


def differing(raw: bytes, frames: Sequence[bytes]) -> set[int]:
    """Where a burst differs from frames of its length that agree among themselves."""
    same = [one for one in frames if len(one) == len(raw) and one != raw]
    return {at for at in range(len(raw)) if len({one[at] for one in same}) == 1 and raw[at] != same[0][at]}
