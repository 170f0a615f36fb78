"""Frames described by a line of text instead of code: `AA {address} BB 51 54 {sum} < 01 00 {text} FF >`.

Written in it: bytes in hex; `{address}`, `{sequence}` and `{key}`, one byte each; one of `{text}`, `{digits}`, `{cells}`
and `{extra}`, as long as need be, or `{bitmap}`, always as long as the panel's dots; `{length}` and `{sum}`. `< … >` marks
what the sum covers, `( … )` what the length counts; `{length:2}` has two bytes, `{length:2le}` and `{sum:le}` put the low byte
first.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from devices.framing.checksums import CHECKSUMS, Checksum
from devices.framing.codec import Codec
from devices.framing.stream import Match, Miss

SINGLE: Final = ("address", "sequence", "key")
VARIABLE: Final = ("text", "digits", "cells", "extra", "bitmap")
FIXED: Final = ("cells", "bitmap")
"""Always as long as they can be."""
LONGEST_FRAME: Final = 4096

_WORD: Final = re.compile(r"\s*(?:([0-9A-Fa-f]{2})(?![0-9A-Fa-f])|\{(\w+)(?::(\d*)(le)?)?\}|([<>()]))\s*")


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a frame: `literal` bytes, or a field of `width` bytes (0: variable)."""

    field: str = ""
    literal: bytes = b""
    width: int = 0
    order: Literal["big", "little"] = "big"


@dataclass(frozen=True, slots=True)
class TemplateFrame:
    """A frame of a profile: `name` says which template; `body` is its text, digits, cells or extra bytes."""

    name: str
    address: int | None = None
    body: bytes = b""
    key: int | None = None
    sequence: int | None = None


@dataclass(frozen=True, slots=True)
class Template:
    """One kind of frame. `covered` and `counted` are ranges of parts; `longest` limits the variable part."""

    name: str
    parts: tuple[Part, ...]
    covered: tuple[int, int] = (0, 0)
    counted: tuple[int, int] = (0, 0)
    checksum: str = ""
    longest_body: int = 0

    @property
    def fields(self) -> frozenset[str]:
        """The names of its fields."""
        return frozenset(part.field for part in self.parts if part.field)

    @property
    def variable(self) -> int:
        """Where the variable part stands, or how many parts there are."""
        return next((i for i, part in enumerate(self.parts) if part.field in VARIABLE), len(self.parts))

    @property
    def shortest_body(self) -> int:
        """Cells and dots are always as many as the display has, other parts may be empty."""
        return self.longest_body if self.fields & set(FIXED) else 0

    @property
    def longest(self) -> int:
        return sum(part.width for part in self.parts) + self.longest_body

    @property
    def leads(self) -> bytes:
        first = self.parts[0].literal
        return first[:1] if first else bytes(range(256))

    @property
    def distinct(self) -> bool:
        """Whether it can be told from other protocols' bytes: by a sum, or by at least two fixed bytes."""
        return "sum" in self.fields or sum(len(part.literal) for part in self.parts) >= 2

    def encode(self, frame: TemplateFrame) -> bytes:
        """The frame's bytes; ValueError when a field is missing, too long, or would end the frame early."""
        values = {"address": frame.address, "sequence": frame.sequence, "key": frame.key}
        pieces: list[bytes] = []
        for part in self.parts:
            match part.field:
                case "":
                    pieces.append(part.literal)
                case "address" | "sequence" | "key":
                    value = values[part.field]
                    if value is None or not 0 <= value <= 0xFF:
                        raise ValueError(f"{self.name}: {part.field} is a byte, not {value}")
                    pieces.append(bytes((value,)))
                case "length" | "sum":
                    pieces.append(bytes(part.width))  # filled in when everything else stands
                case _:
                    pieces.append(self._body(frame.body))
        for name in ("length", "sum"):
            for at, part in enumerate(self.parts):
                if part.field == name:
                    pieces[at] = self._computed(part, pieces)
        return b"".join(pieces)

    def _body(self, body: bytes) -> bytes:
        if not self.shortest_body <= len(body) <= self.longest_body:
            raise ValueError(f"{self.name}: {len(body)} bytes are not {self.shortest_body} to {self.longest_body}")
        if (end := self.terminator) is not None and end in body:
            raise ValueError(f"{self.name}: the byte {end:02X} would end the frame")
        return body

    def _computed(self, part: Part, pieces: list[bytes]) -> bytes:
        first, last = self.counted if part.field == "length" else self.covered
        inside = b"".join(pieces[first:last])
        if part.field == "sum":
            return CHECKSUMS[self.checksum].bytes_of(inside, part.order)
        if len(inside) >= 1 << 8 * part.width:
            raise ValueError(f"{self.name}: a length of {len(inside)} needs more than {part.width} byte")
        return len(inside).to_bytes(part.width, part.order)

    @property
    def terminator(self) -> int | None:
        """The byte that ends a variable part whose length the frame does not say."""
        at = self.variable
        if at >= len(self.parts) - 1 or self.fields & {"length", "bitmap"}:
            return None
        return self.parts[at + 1].literal[0]

    # Reading.

    def scan(self, stream: bytes | bytearray, at: int) -> Match[TemplateFrame] | Miss:
        """What starts at `at`, as `Grammar` asks."""
        view = bytes(stream[at : at + self.longest])
        split, found = self.variable, [b""] * len(self.parts)
        position = _take(self.parts[:split], view, 0, found, 0)
        if isinstance(position, Miss):
            return position
        if split < len(self.parts):
            size = self._size(view, position, found)
            if isinstance(size, Miss):
                return size
            if len(view) < position + size:
                return Miss.MORE
            found[split] = view[position : position + size]
            position = _take(self.parts[split + 1 :], view, position + size, found, split + 1)
            if isinstance(position, Miss):
                return position
        for index, part in enumerate(self.parts):
            if part.field in ("length", "sum") and found[index] != self._computed(part, found):
                return Miss.CHECKSUM if part.field == "sum" else Miss.NOISE
        return Match(self._frame(found), position)

    def _size(self, view: bytes, position: int, found: list[bytes]) -> int | Miss:
        for index, part in enumerate(self.parts):
            if part.field == "length":
                inside = self.parts[self.counted[0] : self.counted[1]]
                size = int.from_bytes(found[index], part.order) - sum(p.width for p in inside)
                return size if self.shortest_body <= size <= self.longest_body else Miss.NOISE
        if "bitmap" in self.fields:
            return self.longest_body
        end = view.find(self.terminator or 0, position, position + self.longest_body + 1)
        if end >= 0:
            return end - position if end - position >= self.shortest_body else Miss.NOISE
        return Miss.MORE if len(view) < position + self.longest_body + 1 else Miss.NOISE

    def _frame(self, found: list[bytes]) -> TemplateFrame:
        values = {part.field: value for part, value in zip(self.parts, found, strict=True) if part.field}
        numbers = {name: values[name][0] if name in values else None for name in SINGLE}
        body = found[self.variable] if self.variable < len(found) else b""
        return TemplateFrame(self.name, numbers["address"], body, numbers["key"], numbers["sequence"])


def _take(parts: tuple[Part, ...], view: bytes, position: int, found: list[bytes], first: int) -> int | Miss:
    """Read fixed parts from `position` into `found`; where they end, or why they do not stand here."""
    for index, part in enumerate(parts, first):
        piece = view[position : position + part.width]
        if part.literal and not part.literal.startswith(piece):
            return Miss.NOISE
        if len(piece) < part.width:
            return Miss.MORE
        found[index] = piece
        position += part.width
    return position


def parse_template(name: str, text: str, checksum: str = "", longest_body: int = 0) -> Template:
    """A template from its line of text; ValueError says what to mend."""
    parts: list[Part] = []
    marks: dict[str, list[int]] = {"<": [], ">": [], "(": [], ")": []}
    position = 0
    while position < len(text):
        word = _WORD.match(text, position)
        if word is None:
            raise ValueError(f"{name}: {text[position : position + 12]!r} is no byte in hex, no {{field}} and no mark")
        position = word.end()
        literal, field, width, little, mark = word.groups()
        if mark:
            marks[mark].append(len(parts))
        elif literal:
            parts.append(Part(literal=bytes.fromhex(literal), width=1))
        else:
            parts.append(_field(name, field, width or "", little, checksum))
    template = Template(
        name,
        tuple(parts),
        _range(name, "<", ">", marks),
        _range(name, "(", ")", marks),
        checksum,
        longest_body if any(part.field in VARIABLE for part in parts) else 0,
    )
    _check(template)
    return template


def _field(name: str, field: str, width: str, little: str | None, checksum: str) -> Part:
    order: Literal["big", "little"] = "little" if little else "big"
    match field:
        case "address" | "sequence" | "key":
            return Part(field, width=1)
        case "length" if width in ("", "1", "2"):
            return Part(field, width=int(width or 1), order=order)
        case "sum":
            known: Checksum | None = CHECKSUMS.get(checksum)
            if known is None:
                raise ValueError(f"{name}: sum = {checksum!r} is none of {', '.join(CHECKSUMS)}")
            return Part(field, width=known.width, order=order)
        case "text" | "digits" | "cells" | "extra" | "bitmap":
            return Part(field)
        case _:
            raise ValueError(
                f"{name}: there is no field {{{field}}}: {', '.join((*SINGLE, *VARIABLE, 'length', 'sum'))}"
            )


def _range(name: str, opening: str, closing: str, marks: Mapping[str, list[int]]) -> tuple[int, int]:
    begins, ends = marks[opening], marks[closing]
    if not begins and not ends:
        return 0, 0
    if len(begins) != 1 or len(ends) != 1 or begins[0] >= ends[0]:
        raise ValueError(f"{name}: write {opening} once and {closing} once after it, with something between")
    return begins[0], ends[0]


def _check(template: Template) -> None:
    name, parts, fields = template.name, template.parts, [part.field for part in template.parts]
    if not parts:
        raise ValueError(f"{name}: the template is empty")
    if sum(field in VARIABLE for field in fields) > 1:
        raise ValueError(f"{name}: only one of {', '.join(VARIABLE)} may stand in a frame")
    for single in (*SINGLE, "sum"):
        if fields.count(single) > 1:
            raise ValueError(f"{name}: {{{single}}} may stand once")
    if "sum" in fields and template.covered == (0, 0):
        raise ValueError(f"{name}: mark what the sum covers with < and >")
    if "sum" in fields[template.covered[0] : template.covered[1]]:
        raise ValueError(f"{name}: the sum cannot cover itself: {{sum}} stands outside < and >")
    at = template.variable
    if "length" in fields:
        if template.counted == (0, 0):
            raise ValueError(f"{name}: mark what the length counts with ( and )")
        if at < len(parts) and (not template.counted[0] <= at < template.counted[1] or "length" in fields[at:]):
            raise ValueError(f"{name}: {{length}} must stand before {{{fields[at]}}} and count it")
    elif at < len(parts) and "bitmap" not in fields and (at + 1 == len(parts) or not parts[at + 1].literal):
        raise ValueError(f"{name}: after {{{fields[at]}}} write the fixed byte that ends it, or a {{length}} before it")
    counted = parts[template.counted[0] : template.counted[1]]
    most = sum(part.width for part in counted) + template.longest_body
    narrow = [part.width for part in parts if part.field == "length" and most >= 1 << 8 * part.width]
    if narrow:
        raise ValueError(f"{name}: {most} bytes do not fit a length of {narrow[0]} byte: shorten text.longest")
    if template.longest > LONGEST_FRAME:
        raise ValueError(f"{name}: a frame of {template.longest} bytes is more than {LONGEST_FRAME}")


def template_codec(
    name: str, from_device: tuple[Template, ...], from_host: tuple[Template, ...]
) -> Codec[TemplateFrame]:
    """The codec of a profile's templates; alone on its line when a device's frames cannot be told from others' bytes."""
    by_name = {template.name: template for template in (*from_device, *from_host)}

    def encode(frame: TemplateFrame) -> bytes:
        if frame.name not in by_name:
            raise ValueError(f"{name} has no frame {frame.name!r}: {', '.join(by_name)}")
        return by_name[frame.name].encode(frame)

    alone = not all(template.distinct for template in from_device)
    samples = tuple(template.encode(TemplateFrame(template.name, 7, b"", 4, 1)) for template in from_device)
    return Codec(name, from_device, encode, from_host, alone=alone, samples=samples)
