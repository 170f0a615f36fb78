"""From bursts of unknown bytes to a strip's frame template, as far as the bursts prove it; what they do not prove stays hex."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from devices.framing.checksums import CHECKSUMS, Checksum

SHARE: Final = 0.9
"""Of a group's bursts must agree; the rest may be damaged."""
ENOUGH: Final = 6
"""Different bursts without which nothing is concluded."""
SUMS_SEEN: Final = 4
"""Different values of a sum without which its rule may be chance."""
FRONT: Final = 16
ADDRESSES: Final = range(2, 65)
_COLOUR_LIMIT: Final = 0x10
_ORDERS: Final[tuple[Literal["big", "little"], ...]] = ("big", "little")
_TICKET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ENCODINGS: Final = ("gbk", "utf-8")


@dataclass(frozen=True, slots=True)
class Sum:
    """A check sum that holds: `at` from the end of the frame when negative; covers bytes `start` to `end`, likewise."""

    name: str
    at: int
    start: int
    end: int
    order: Literal["big", "little"] = "big"

    @property
    def width(self) -> int:
        return CHECKSUMS[self.name].width


@dataclass(frozen=True, slots=True)
class Shape:
    """What a group of frames has in common. `line` is the template, empty when the evidence allows none: `why` says so.

    `colours`: the bytes after each character; None when there are none. `guessed`: what is likely and not proven, in English.
    """

    head: str
    seen: int
    line: str = ""
    sum: str = ""
    encoding: str = "gbk"
    never: str = ""
    colours: tuple[int, ...] | None = None
    longest: int = 120
    fixed: bool = False
    why: str = ""
    guessed: tuple[str, ...] = ()


def groups(bursts: Sequence[bytes]) -> Iterator[list[bytes]]:
    """Sets of bursts that share a byte near their beginning, the largest first; a burst may be in several."""
    anchors: Counter[tuple[int, bytes]] = Counter()
    for raw in bursts:
        for at in range(min(5, len(raw) - 1)):
            anchors[at, raw[at : at + 1]] += 1
            anchors[at, raw[at : at + 2]] += 1
    for (at, piece), count in sorted(anchors.items(), key=lambda item: (-item[1], -len(item[0][1]), item[0])):
        if count < ENOUGH:
            return
        yield [raw for raw in bursts if raw[at : at + len(piece)] == piece]


def infer(bursts: Sequence[bytes], *, sure: bool = False) -> Shape | None:
    """The shape of one group, None when they are too few; `sure` ones came more than once, so none of them is damaged."""
    # Two frames that came together are a burst too, and may come more than once: only a length tells them.
    frames = _counted([raw for raw in bursts if len(raw) >= 4], 0.6) if sure else _counted(_agreeing(bursts), SHARE)
    if len(frames) < ENOUGH:
        return None
    head = _literals(frames, front=True)
    tail = _literals(frames, front=False)
    said = " ".join(f"{head[i]:02X}" if i in head else ".." for i in range(max(head, default=-1) + 1))
    total = _sum(frames, len(tail))
    if total is not None:
        frames = [raw for raw in frames if _holds(raw, total)]
    whole = len({len(raw) for raw in frames}) == 1
    return _Layout(frames, head, len(tail), total, whole, said).shape()


def _mode(values: Sequence[int]) -> tuple[int, float]:
    ((value, count),) = Counter(values).most_common(1)
    return value, count / len(values)


def _agreeing(bursts: Sequence[bytes]) -> list[bytes]:
    """Without those that differ in a byte in which nearly all agree."""
    frames = [raw for raw in bursts if len(raw) >= 4]
    for step in (*range(FRONT), *range(-1, -4, -1)):
        there = [raw for raw in frames if -len(raw) <= step < len(raw)]
        if len(there) < ENOUGH:
            break
        value, share = _mode([raw[step] for raw in there])
        if SHARE <= share < 1:
            frames = [raw for raw in frames if not -len(raw) <= step < len(raw) or raw[step] == value]
    return frames


def _counted(frames: list[bytes], least: float) -> list[bytes]:
    """Without those whose length is not what a byte says in at least this share of them."""
    for at in range(min(FRONT, *map(len, frames)) if len(frames) >= ENOUGH else 0):
        more, share = _mode([len(raw) - raw[at] for raw in frames])
        fitting = [raw for raw in frames if len(raw) - raw[at] == more]
        if least <= share < 1 and len({len(raw) for raw in fitting}) > 1:
            frames = fitting
    return frames


def _literals(frames: Sequence[bytes], *, front: bool) -> dict[int, int]:
    """The bytes that are the same in all frames: by place at the front, without a gap at the end."""
    shortest = min(map(len, frames))
    found: dict[int, int] = {}
    for step in range(min(FRONT, shortest)):
        at = step if front else -1 - step
        values = {raw[at] for raw in frames}
        if len(values) == 1:
            found[at] = values.pop()
        elif not front:
            break
    return found


def _sum(frames: Sequence[bytes], tail: int) -> Sum | None:
    """The first check sum of the list that holds in every frame; wide ones first, then what covers most."""
    # A literal at the end may be the last byte of a sum by chance, so every place in it is tried.
    for checksum in sorted(CHECKSUMS.values(), key=lambda checksum: -checksum.width):
        for order in _ORDERS[: checksum.width]:
            for candidate in _places(frames, checksum, order, tail):
                if _mostly(frames, candidate) and _proves(frames, candidate):
                    return candidate
    return None


def _places(frames: Sequence[bytes], checksum: Checksum, order: Literal["big", "little"], tail: int) -> Iterator[Sum]:
    shortest, width = min(map(len, frames)), checksum.width
    for after in range(tail + 1):  # sums behind what they cover
        at = -width - after
        for start in range(max(0, min(8, shortest + at))):
            yield Sum(checksum.name, at, start, at, order)
    for at in range(min(FRONT, shortest) - width):  # and before it
        for start in range(at + width, min(FRONT, shortest)):
            for after in range(min(tail, 2) + 1):
                yield Sum(checksum.name, at, start, -after, order)


def _covered(raw: bytes, candidate: Sum) -> bytes:
    return raw[candidate.start : len(raw) + candidate.end if candidate.end <= 0 else candidate.end]


def _stands(raw: bytes, candidate: Sum) -> bytes:
    at = candidate.at % len(raw)
    return raw[at : at + candidate.width]


def _holds(raw: bytes, candidate: Sum) -> bool:
    return CHECKSUMS[candidate.name].bytes_of(_covered(raw, candidate), candidate.order) == _stands(raw, candidate)


def _mostly(frames: Sequence[bytes], candidate: Sum) -> bool:
    """Whether it holds in nearly all; most candidates fail at once."""
    failed, limit = 0, int((1 - SHARE) * len(frames))
    for raw in frames:
        failed += not _holds(raw, candidate)
        if failed > limit:
            return False
    return True


def _proves(frames: Sequence[bytes], candidate: Sum) -> bool:
    """Whether it could have failed: many values, over more than one byte."""
    return len({_stands(raw, candidate) for raw in frames}) >= SUMS_SEEN and all(
        len(_covered(raw, candidate)) > 1 for raw in frames
    )


@dataclass(frozen=True, slots=True)
class _Layout:
    """Frames that agree, the literals of their front and how many end them, and the sum that holds."""

    frames: list[bytes]
    head: dict[int, int]
    tail: int
    sum: Sum | None
    whole: bool
    said: str

    def shape(self) -> Shape:
        """The template, or why there is none."""
        lengths = self._lengths()
        summed = set(range(self.sum.at, self.sum.at + self.sum.width)) if self.sum and self.sum.at >= 0 else set()
        known = set(self.head) | set(lengths) | summed
        address = next((at for at in range(FRONT) if at not in known), None)
        if address is None or len({raw[address] for raw in self.frames if len(raw) > address}) not in ADDRESSES:
            return self._none("no byte looks like an address")
        known.add(address)
        sequence = self._sequence(next(at for at in range(FRONT + 1) if at not in known))
        known |= {sequence} if sequence is not None else set()
        begins = next(at for at in range(FRONT + 1) if at not in known)
        if self.whole:
            return self._short(address, sequence, summed, begins)
        if begins == address + 1 and not lengths:
            return self._none("what looks like an address may be the first character of a text")
        return self._text(address, sequence, lengths, summed, begins)

    def _none(self, why: str) -> Shape:
        return Shape(self.said, len(self.frames), why=why, sum=self.sum.name if self.sum else "")

    def _lengths(self) -> dict[int, int]:
        """Bytes that count: place to how much longer than its value a frame is."""
        if self.whole:
            return {}
        found: dict[int, int] = {}
        for at in range(min(FRONT, *map(len, self.frames))):
            more = {len(raw) - raw[at] for raw in self.frames}
            if at not in self.head and len(more) == 1:
                found[at] = more.pop()
        return found

    def _sequence(self, at: int) -> int | None:
        values = [raw[at] for raw in self.frames if len(raw) > at]
        steps = [(two - one) % 256 for one, two in itertools.pairwise(values)]
        rising = sum(0 < step <= 8 for step in steps)
        return at if len(set(values)) > len(values) // 2 and rising >= SHARE * len(steps) else None

    def _ends(self) -> list[int]:
        """How many bytes may stand after a text: the sum and what follows it, or also fixed bytes before it that end the text."""
        end = self.behind
        least = min(map(len, self.frames))
        found = [end]
        while end < min(4, least) and len({raw[-1 - end] for raw in self.frames}) == 1:
            if 0x20 <= self.frames[0][-1 - end] < 0xF8:
                break
            end += 1
            found.append(end)
        if end == 0 and self.tail:
            ends = self.frames[0][-self.tail :]
            while len(ends) > 1 and ends[0] >= 0xA1 and ends[1] >= 0xA1:
                ends = ends[2:]  # the last character of every text
            found.append(len(ends))
        return found

    @property
    def behind(self) -> int:
        """The bytes of a sum at the end, and of what follows it."""
        return -self.sum.at if self.sum is not None and self.sum.at < 0 else 0

    def _short(self, address: int, sequence: int | None, summed: set[int], begins: int) -> Shape:
        """Frames of one length: an answer when all of it is known."""
        size = len(self.frames[0])
        if begins + self._ends()[-1] < size:
            return self._none(f"all have {size} bytes: nothing shows how longer and shorter texts are written")
        if self.sum is None and len(self.head) < 2:
            return self._none("neither a sum nor two fixed bytes")
        line = self._line(size - self.behind, self.behind, address, sequence, {}, summed, "", None)
        return Shape(self.said, len(self.frames), line, self.sum.name if self.sum else "", fixed=True)

    def _text(
        self, address: int, sequence: int | None, lengths: dict[int, int], summed: set[int], begins: int
    ) -> Shape:
        ends = [stop for stop in self._ends() if lengths or stop > self.behind]
        if not ends:
            return self._none("nothing says where the text ends")
        tried = [
            (end, _colours(bodies), _encoding(bodies))
            for end in ends
            if (bodies := [raw[begins : len(raw) - end] for raw in self.frames])
        ]
        found = next(((end, colours, name) for end, colours, name in tried if colours or name), None)
        if found is None:
            return self._none("what varies is no text")
        end, colours, encoding = found
        counted = self._range(lengths, end, begins)
        if lengths and counted is None:
            return self._none("the length counts something else than what follows it")
        guessed = []
        start = counted[0] if counted and counted[1] == end and counted[0] > max(lengths) + 1 else begins
        if start == begins:
            least = max(known for known in (address, sequence or 0, *lengths, *summed)) + 1
            start = self._absorbed(begins, least, colours or ())
            if start != begins:
                same = bytes(self.head[at] for at in range(start, begins)).decode("gbk", "replace")
                guessed.append(f"every text begins with {same!r}, which is taken for text")
        if self.sum is None:
            guessed.append("no check sum was found: the bytes that do not vary are taken for fixed")
        longest = min(120, 255 - max(lengths.values(), default=0)) if lengths else 120
        return Shape(
            self.said,
            len(self.frames),
            self._line(start, end, address, sequence, lengths, summed, "text", counted),
            self.sum.name if self.sum else "",
            encoding or "gbk",
            "" if lengths else f"{self.frames[0][-end]:02X}",
            colours,
            longest // (2 if colours else 1),
            guessed=tuple(guessed),
        )

    def _range(self, lengths: dict[int, int], end: int, begins: int) -> tuple[int, int] | None:
        """What the length counts: from which byte, and how many before the frame's end."""
        if not lengths:
            return None
        at, more = next(iter(lengths.items()))
        stops = [stop for stop in dict.fromkeys((end, self.behind, 0)) if 0 <= more - stop <= begins]
        # What is counted begins right after the length in nearly all protocols, else where the numbers say.
        stop = next((stop for stop in stops if more - stop == at + 1), stops[0] if stops else None)
        return None if stop is None else (more - stop, stop)

    def _absorbed(self, begins: int, least: int, colours: Sequence[int]) -> int:
        """Where the text begins when all texts begin alike: 请 may be a character of each, and no part of the frame."""
        start, more = begins, 1 if colours else 0
        while start - 1 - more >= least and (not more or self.head.get(start - 1) in colours):
            wide = self.head.get(start - 2 - more, 0), self.head.get(start - 1 - more, 0)
            if start - 2 - more >= least and 0xB0 <= wide[0] <= 0xF7 and wide[1] >= 0xA1:
                start -= 2 + more
            elif chr(wide[1]) in _TICKET:
                start -= 1 + more
            else:
                break
        return start

    def _line(
        self,
        start: int,
        end: int,
        address: int,
        sequence: int | None,
        lengths: dict[int, int],
        summed: set[int],
        body: str,
        counted: tuple[int, int] | None,
    ) -> str:
        """The template's words: those of the front, the body, those of the end; with the marks at their places."""
        little = ":le" if self.sum and self.sum.order == "little" else ""
        front: list[tuple[int, str]] = []
        for at in range(start):
            if at in summed:
                word = f"{{sum{little}}}" if at == min(summed) else ""
            elif at in (address, sequence):
                word = "{address}" if at == address else "{sequence}"
            else:
                word = "{length}" if at in lengths else f"{self.head[at]:02X}"
            front.append((at, word))
        last = self.frames[0]
        back: list[tuple[int, str]] = []
        for at in range(-end, 0):
            inside = self.sum is not None and self.sum.at < 0 and self.sum.at <= at < self.sum.at + self.sum.width
            word = (f"{{sum{little}}}" if self.sum and at == self.sum.at else "") if inside else f"{last[at]:02X}"
            back.append((at, word))
        opening, closing = self._marks(counted)
        words = [opening.get(at, "") + word for at, word in front]
        words += [opening.get(start, ""), f"{{{body}}}" if body else "", closing.get(-end, "")]
        words += [word + closing.get(at + 1, "") for at, word in back]
        return " ".join(" ".join(words).replace("<", " < ").replace("(", " ( ").split())

    def _marks(self, counted: tuple[int, int] | None) -> tuple[dict[int, str], dict[int, str]]:
        """Which marks open before a place of the front, and which close before a place of the end."""
        opening: dict[int, str] = {}
        closing: dict[int, str] = {}
        if self.sum is not None:
            opening[self.sum.start] = "<"
            closing[self.sum.end] = " >"
        if counted is not None:
            opening[counted[0]] = opening.get(counted[0], "") + "("
            closing[-counted[1]] = " )" + closing.get(-counted[1], "")
        return opening, closing


def _encoding(bodies: Sequence[bytes]) -> str | None:
    """The encoding in which all are printable text."""
    for name in _ENCODINGS:
        try:
            if all(raw.decode(name).isprintable() for raw in bodies):
                return name
        except UnicodeDecodeError:
            continue
    return None


def _colours(bodies: Sequence[bytes]) -> tuple[int, ...] | None:
    """The bytes after each character, when every text is characters with a small byte after each."""
    seen: set[int] = set()
    for raw in bodies:
        rest = raw
        while rest:
            width = 1 if rest[0] < 0x80 else 2
            if rest[0] < 0x20 or len(rest) <= width or rest[width] >= _COLOUR_LIMIT:
                return None
            seen.add(rest[width])
            rest = rest[width + 1 :]
    return tuple(sorted(seen)) or None
