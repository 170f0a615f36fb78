"""Frames described by a line of text instead of code: `AA {address} BB 51 54 {sum} < 01 00 {text} FF >`.

Written in it: bytes in hex; `{address}`, `{sequence}` and `{key}`, one byte each; one of `{text}`, `{digits}`, `{cells}`
and `{extra}`, as long as need be, or `{bitmap}`, always as long as the panel's dots; `{length}` and `{sum}`. `< … >` marks
what the sum covers, `( … )` what the length counts; `{length:2}` has two bytes, `{length:2le}` and `{sum:le}` put the low byte
first. Written in characters: `{address:HEX}` two digits 0A, `{address:hex}` 0a, `{address:2dec}` 10, likewise `{key}` and `{sum}`.
"""

from __future__ import annotations

import itertools
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
_UPPER: Final = b"0123456789ABCDEF"
_LOWER: Final = b"0123456789abcdef"

_WORD: Final = re.compile(r"\s*(?:([0-9A-Fa-f]{2})(?![0-9A-Fa-f])|\{(\w+)(?::(\d*)(le)?(HEX|hex|dec)?)?\}|([<>()]))\s*")


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a frame: `literal` bytes, or a field of `width` bytes (0: variable), in characters when it has a `form`."""

    field: str = ""
    literal: bytes = b""
    width: int = 0
    order: Literal["big", "little"] = "big"
    form: str = ""

    def written(self, value: int) -> bytes:
        """A value of one byte as it stands in the frame; ValueError when it does not fit."""
        text = {"": "", "HEX": f"{value:02X}", "hex": f"{value:02x}", "dec": f"{value:0{self.width}d}"}[self.form]
        if not 0 <= value <= 0xFF or len(text) not in (0, self.width):
            raise ValueError(f"{self.field} is a byte, not {value}")
        return text.encode() if text else bytes((value,))

    def read(self, raw: bytes) -> int | None:
        """The value of one byte, None when what stands there is none."""
        if not self.form:
            return raw[0]
        digits = {"HEX": _UPPER, "hex": _LOWER, "dec": b"0123456789"}[self.form]
        value = int(raw, 10 if self.form == "dec" else 16) if all(byte in digits for byte in raw) else 256
        return value if value < 256 else None


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
                    if value is None:
                        raise ValueError(f"{self.name}: {part.field} is a byte, not {value}")
                    pieces.append(part.written(value))
                case "length" | "sum":
                    pieces.append(bytes(part.width))  # filled in when everything else stands
                case _:
                    pieces.append(self._body(frame.body))
        self._unambiguous(pieces)
        for name in ("length", "sum"):
            for at, part in enumerate(self.parts):
                if part.field == name:
                    pieces[at] = self._computed(part, pieces)
        return b"".join(pieces)

    def _body(self, body: bytes) -> bytes:
        if not self.shortest_body <= len(body) <= self.longest_body:
            raise ValueError(f"{self.name}: {len(body)} bytes are not {self.shortest_body} to {self.longest_body}")
        return body

    def _unambiguous(self, pieces: list[bytes]) -> None:
        """What a fixed byte ends must not hold that byte."""
        end, at = self._ends, self.variable
        if end is not None and (byte := self.parts[end].literal[0]) in b"".join(pieces[at:end]):
            raise ValueError(f"{self.name}: the byte {byte:02X} would end the frame")

    def _computed(self, part: Part, pieces: list[bytes]) -> bytes:
        first, last = self.counted if part.field == "length" else self.covered
        inside = b"".join(pieces[first:last])
        if part.field == "sum":
            total = CHECKSUMS[self.checksum].bytes_of(inside, part.order)
            text = {"": "", "HEX": total.hex().upper(), "hex": total.hex()}[part.form]
            return text.encode() or total
        if len(inside) >= 1 << 8 * part.width:
            raise ValueError(f"{self.name}: a length of {len(inside)} needs more than {part.width} byte")
        return len(inside).to_bytes(part.width, part.order)

    @property
    def terminator(self) -> int | None:
        """The byte that ends a variable part whose length the frame does not say."""
        return None if self._ends is None else self.parts[self._ends].literal[0]

    @property
    def _ends(self) -> int | None:
        """Where that byte stands: next, or behind the address, sequence and key."""
        if self.fields & {"length", "bitmap"}:
            return None
        behind = itertools.dropwhile(lambda i: self.parts[i].field in SINGLE, range(self.variable + 1, len(self.parts)))
        at = next(behind, None)
        return at if at is not None and self.parts[at].literal else None

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
            if part.field in SINGLE and part.read(found[index]) is None:
                return Miss.NOISE
        return Match(self._frame(found), position)

    def _size(self, view: bytes, position: int, found: list[bytes]) -> int | Miss:
        for index, part in enumerate(self.parts):
            if part.field == "length":
                inside = self.parts[self.counted[0] : self.counted[1]]
                size = int.from_bytes(found[index], part.order) - sum(p.width for p in inside)
                return size if self.shortest_body <= size <= self.longest_body else Miss.NOISE
        if "bitmap" in self.fields:
            return self.longest_body
        behind = sum(part.width for part in self.parts[self.variable + 1 : self._ends])
        limit = position + self.longest_body + behind + 1
        # The first of them, also within what stands behind the body: `encode` writes none that would be read otherwise.
        end = view.find(self.terminator or 0, position, limit)
        if end >= 0:
            size = end - behind - position
            return size if size >= self.shortest_body else Miss.NOISE
        return Miss.MORE if len(view) < limit else Miss.NOISE

    def _frame(self, found: list[bytes]) -> TemplateFrame:
        numbers: dict[str, int | None] = dict.fromkeys(SINGLE)
        numbers |= {p.field: p.read(raw) for p, raw in zip(self.parts, found, strict=True) if p.field in SINGLE}
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
        literal, field, width, little, form, mark = word.groups()
        if mark:
            marks[mark].append(len(parts))
        elif literal:
            parts.append(Part(literal=bytes.fromhex(literal), width=1))
        else:
            parts.append(_field(name, field, (width or "", little, form or ""), checksum))
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


def _field(name: str, field: str, written: tuple[str, str | None, str], checksum: str) -> Part:
    width, little, form = written
    order: Literal["big", "little"] = "little" if little else "big"
    match field:
        case "address" | "sequence" | "key" if form == "dec" and width in ("1", "2", "3"):
            return Part(field, width=int(width), form=form)
        case "address" | "sequence" | "key" if form != "dec" and not width:
            return Part(field, width=2 if form else 1, form=form)
        case "length" if width in ("", "1", "2") and not form:
            return Part(field, width=int(width or 1), order=order)
        case "sum" if form != "dec":
            known: Checksum | None = CHECKSUMS.get(checksum)
            if known is None:
                raise ValueError(f"{name}: sum = {checksum!r} is none of {', '.join(CHECKSUMS)}")
            return Part(field, width=known.width * (2 if form else 1), order=order, form=form)
        case "text" | "digits" | "cells" | "extra" | "bitmap":
            return Part(field)
        case _:
            known_fields = (*SINGLE, *VARIABLE, "length", "sum")
            if field in known_fields:
                said = f":{width}{little or ''}{form}"
                raise ValueError(
                    f"{name}: {{{field}{said}}} cannot be written so: HEX, hex, 2dec or 3dec for one byte, HEX or hex for a sum"
                )
            raise ValueError(f"{name}: there is no field {{{field}}}: {', '.join(known_fields)}")


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
    elif at < len(parts) and "bitmap" not in fields and template.terminator is None:
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
    samples = tuple(
        template.encode(TemplateFrame(template.name, 7, b"", 5 if template.terminator == 4 else 4, 1))
        for template in from_device
    )
    return Codec(name, from_device, encode, from_host, alone=alone, samples=samples)
