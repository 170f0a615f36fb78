"""Profiles in TOML files: strips, rating devices and keypads that no code knows."""

from __future__ import annotations

import codecs
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from devices.drivers.base import AnyDriver
from devices.drivers.keypad import Keypad
from devices.drivers.rating import RatingPad
from devices.drivers.strip import Board, Strip
from devices.emulators.nodes import AnyNode
from devices.emulators.templated import EmulatedBitmapPanel, EmulatedTemplatePad, EmulatedTemplateStrip
from devices.framing.codec import Codec
from devices.framing.template import VARIABLE, Template, TemplateFrame, parse_template, template_codec
from devices.profiles.bitmaps import BitmapTable, bitmap_of
from devices.profiles.profile import ELSEWHERE, NOBODY, Calls, Profile, Serial, levels, read_settings
from devices.profiles.wording import Wording
from devices.protocols import templated
from devices.protocols.bitmaps import BitmapStrip, draw, require_font
from devices.protocols.keymaps import Keymap, KeyRule, key_rule, keymap_of
from devices.protocols.keypad import CELLS, KeypadSettings
from devices.protocols.paged import TextSettings
from devices.protocols.rating import RatingSettings
from devices.protocols.templated import (
    DigitCoding,
    TemplatedKeypad,
    TemplatedRating,
    TemplatedStrip,
    TextCoding,
)
from displays.led.bitmap import Bitmap
from queue_server.wire.agent import DeviceEntry

FROM_DEVICE: Final = (templated.PRESSED, templated.ACKNOWLEDGED)
_STRIP: Final = frozenset(("strip", "board"))
_FRAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "strip": (templated.SHOW, templated.BOARD, templated.ACKNOWLEDGED),
    "rating_pad": (templated.PRESSED, templated.ACKNOWLEDGE, templated.INVITE),
    "keypad": (
        templated.PRESSED,
        templated.ACKNOWLEDGE,
        templated.SHOW,
        templated.SUCCESS,
        templated.FAILURE,
        templated.BEEP,
    ),
}
"""The frames a kind may have; the first one it must."""
_BODY: Final = {"strip": "text", "rating_pad": "extra", "keypad": "digits"}
_DIGITS: Final = 16


class LineTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """[line]: how the port is set, and the silences the device asks for."""

    baud: int = 9600
    bits: int = 8
    parity: str = "N"
    stop: float = 1
    gap_ms: int | None = None
    turnaround_ms: int | None = None


class TextTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """[text]: how a strip's text is written. `never`: bytes in hex that would end the frame."""

    encoding: str = "gbk"
    longest: int = 120
    never: str = ""
    colours: dict[str, str] = {}


class DigitsTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """[digits]: the bytes, in hex, of 0 and of an empty cell on a keypad."""

    zero: str = "00"
    blank: str = "0A"


class ProfileFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A profile as its author writes it; docs/devices/profiles.md explains every line."""

    name: str
    title: str
    kinds: list[str]
    frames: dict[str, str]
    source: str = ""
    sum: str = ""
    line: LineTable = LineTable()
    text: TextTable = TextTable()
    bitmap: BitmapTable | None = None
    digits: DigitsTable = DigitsTable()
    keys: dict[str, str] = {}
    settings: dict[str, str | int | bool] = {}


_SOMEWHERE: Final = DeviceEntry(
    id="", kind="strip", url="", address=0, profile="", window="", levels={"0": 5}, settings={}
)


@dataclass(frozen=True, slots=True)
class TemplateProfile:
    """A file understood: everything that its devices and their emulators need."""

    file: ProfileFile
    family: str
    templates: Mapping[str, Template]
    codec: Codec[TemplateFrame]
    coding: TextCoding
    digits: DigitCoding
    keymap: Keymap
    bitmap: Bitmap | None = None

    def make(self, entry: DeviceEntry, own: Mapping[str, str], calls: Calls) -> AnyDriver:
        """The driver of an entry; its settings win over the file's."""
        said = {
            name: str(value).lower() if value in (True, False) else str(value)
            for name, value in self.file.settings.items()
        }
        driver = self._driver(entry, {**said, **own}, calls)
        driver.gap_ms, driver.turnaround_ms = self.file.line.gap_ms, self.file.line.turnaround_ms
        return driver

    def _driver(self, entry: DeviceEntry, own: Mapping[str, str], calls: Calls) -> AnyDriver:
        names = frozenset(self.templates)
        if self.family == "strip":
            own = {
                "longest_text": str(self.file.text.longest),
                "acks": str(templated.ACKNOWLEDGED in names).lower(),
            } | {key: value for key, value in own.items() if key not in ELSEWHERE}
            board = entry.kind == "board"
            shown = templated.BOARD if board and templated.BOARD in names else templated.SHOW
            paging = read_settings(TextSettings, own)
            strip = TemplatedStrip(entry.address, paging, self.coding, shown)
            if self.bitmap is not None:
                require_font(self.bitmap)
                strip = BitmapStrip(entry.address, paging, self.bitmap, shown)
            kind = Board if board else Strip
            return kind(entry.id, entry.address, calls.health_changed, codec=self.codec, protocol=strip)
        if self.family == "rating_pad":
            settings = read_settings(RatingSettings, own, levels=levels(entry))
            return RatingPad(
                entry.id,
                entry.address,
                settings,
                store=calls.rated,
                health_changed=calls.health_changed,
                codec=self.codec,
                protocol=TemplatedRating(entry.address, settings, names),
            )
        keys = read_settings(KeypadSettings, own)
        return Keypad(
            entry.id,
            entry.address,
            self.keymap,
            pressed=calls.pressed,
            health_changed=calls.health_changed,
            codec=self.codec,
            protocol=TemplatedKeypad(entry.address, self.keymap, keys, names, self.digits),
        )

    def emulate(self, address: int) -> AnyNode:
        """The other end at an address."""
        if self.family == "strip":
            acks = templated.ACKNOWLEDGED in self.templates
            if self.bitmap is not None:
                return EmulatedBitmapPanel(address, self.codec, self.bitmap, acks=acks)
            return EmulatedTemplateStrip(address, self.codec, self.coding, acks=acks)
        return EmulatedTemplatePad(address, self.codec, self.digits, acks=templated.ACKNOWLEDGE in self.templates)

    def means(self, frame: TemplateFrame) -> str:
        """A frame in words."""
        if self.bitmap is not None and frame.body:
            return f"{frame.name} {len(frame.body)} bytes of dots"
        text, colours = self.coding.decode(frame.body)
        if frame.name in (templated.SHOW, templated.BOARD) and self.family == "strip":
            return f"{frame.name} {text}" + (f" (colours {colours})" if colours else "")
        if frame.name != templated.PRESSED or frame.key is None:
            return frame.name
        typed = "".join(str(byte - self.digits.zero) for byte in frame.body)
        meaning = self.keymap.action(frame.key, typed)
        said = f"pressed {typed + ' ' if typed else ''}{frame.key:02X}"
        return f"{said}: {meaning[0]}{' ' + meaning[1] if meaning[1] else ''}" if meaning else said

    def read(self, said: Mapping[str, object]) -> TemplateFrame | None:
        """{"address": 3, "text": "请A042", "colour": "green"} for a strip."""
        match dict(said):
            case {"text": str(text), **rest} if self.family == "strip":
                colour = str(rest.get("colour", "red"))
                if self.coding.colours and colour not in self.coding.colours:
                    raise ValueError(f"no colour {colour!r}: {', '.join(self.coding.colours)}")
                body = self.coding.encode([(text, colour)], self.file.text.longest)
                if self.bitmap is not None:
                    body = draw(self.bitmap, [[(text, colour)]])
                address, name = int(str(rest.get("address", 0))), str(rest.get("name", templated.SHOW))
                return TemplateFrame(name, address, body, sequence=int(str(rest.get("sequence", 0))))
            case _:
                return None

    @property
    def profile(self) -> Profile:
        """As the registry holds it."""
        line = self.file.line
        return Profile(
            name=self.file.name,
            kinds=frozenset(self.file.kinds),
            title=self.file.title,
            page="profiles.md",
            codec=self.codec,
            make=self.make,
            emulate=self.emulate,
            wording=Wording((TemplateFrame,), self.means, self.read),
            serial=Serial(line.baud, line.bits, line.parity.upper(), f"{line.stop:g}"),
            experimental=True,
        )


def read_profile(text: str) -> TemplateProfile:
    """A profile from the text of its file; ValueError holds a sentence for each thing to mend."""
    try:
        file = msgspec.convert(tomllib.loads(text), ProfileFile)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"this is not TOML: {error}") from error
    except msgspec.ValidationError as error:
        raise ValueError(str(error).replace("Object", "the file").replace("$.", "")) from error
    wrong: list[str] = []
    family = _family(file, wrong)
    bitmap = bitmap_of(file.bitmap, family, wrong)
    templates = dict(_templates(file, family, wrong, bitmap.length if bitmap else 0))
    coding, digits = _coding(file, wrong), _digit_coding(file, wrong)
    keymap = keymap_of(file.name, _rules(file, family, wrong))
    wrong += _line(file.line)
    if not wrong:
        wrong += _together(file, family, templates)
    if wrong:
        raise ValueError("\n".join(wrong))
    heard = tuple(template for name, template in templates.items() if name in FROM_DEVICE)
    sent = tuple(template for name, template in templates.items() if name not in FROM_DEVICE)
    codec = template_codec(file.name, heard, sent)
    profile = TemplateProfile(file, family, templates, codec, coding, digits, keymap, bitmap)
    try:
        profile.make(_SOMEWHERE, {}, NOBODY)
    except ValueError as error:
        raise ValueError(f"settings: {error}") from error
    return profile


def load_profile(path: Path) -> TemplateProfile:
    """A profile from its file; ValueError names the file and what to mend in it."""
    try:
        return read_profile(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise ValueError(f"{path.name}: {error}") from error


def _family(file: ProfileFile, wrong: list[str]) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", file.name):
        wrong.append(f"name: {file.name!r} should be lower-case letters, digits and '-'")
    kinds = set(file.kinds)
    if kinds and kinds <= _STRIP:
        return "strip"
    if len(kinds) == 1 and kinds <= set(_FRAMES):
        return next(iter(kinds))
    wrong.append('kinds: write ["strip", "board"], ["rating_pad"] or ["keypad"]')
    return "strip"


def _templates(file: ProfileFile, family: str, wrong: list[str], dots: int) -> Iterator[tuple[str, Template]]:
    known = _FRAMES[family]
    if known[0] not in file.frames:
        wrong.append(f"frames: a {family} needs the frame {known[0]!r}")
    longest = {
        "text": file.text.longest * (2 if file.text.colours else 1),
        "cells": CELLS,
        "digits": _DIGITS,
        "extra": 8,
        "bitmap": dots,
    }
    for name, text in file.frames.items():
        if name not in known:
            wrong.append(f"frames: a {family} has no frame {name!r}: {', '.join(known)}")
            continue
        body = next((field for field in VARIABLE if f"{{{field}}}" in text), "extra")
        try:
            yield name, parse_template(name, text, file.sum, longest[body])
        except ValueError as error:
            wrong.append(f"frames.{error}")


def _coding(file: ProfileFile, wrong: list[str]) -> TextCoding:
    try:
        codecs.lookup(file.text.encoding)
        "A".encode(file.text.encoding)
    except (LookupError, UnicodeError):
        wrong.append(f"text.encoding: {file.text.encoding!r} is no text encoding; gbk, gb18030, big5, ascii, utf-8 …")
    colours = {colour: _byte(f"text.colours.{colour}", code, wrong) for colour, code in file.text.colours.items()}
    if colours and set(colours) != {"red", "green", "yellow"}:
        wrong.append("text.colours: give a byte to red, green and yellow each")
    try:
        never = bytes.fromhex(file.text.never)
    except ValueError:
        never = b""
        wrong.append(f"text.never: bytes in hex, like 'FF 00', not {file.text.never!r}")
    return TextCoding(file.text.encoding, never, colours or None)


def _digit_coding(file: ProfileFile, wrong: list[str]) -> DigitCoding:
    return DigitCoding(_byte("digits.zero", file.digits.zero, wrong), _byte("digits.blank", file.digits.blank, wrong))


def _byte(where: str, text: str, wrong: list[str]) -> int:
    if not re.fullmatch(r"[0-9A-Fa-f]{2}", text):
        wrong.append(f"{where}: one byte in two hex digits, not {text!r}")
        return 0
    return int(text, 16)


def _rules(file: ProfileFile, family: str, wrong: list[str]) -> Iterator[KeyRule]:
    if (family == "keypad") != bool(file.keys):
        wrong.append("keys: a keypad needs them, and only a keypad")
    for typed, action in file.keys.items():
        try:
            yield key_rule(typed, action)
        except ValueError as error:
            wrong.append(f"keys: {error}")


def _line(line: LineTable) -> Iterator[str]:
    if line.baud <= 0:
        yield f"line.baud: {line.baud} is no speed"
    if line.bits not in (7, 8) or line.parity.upper() not in ("N", "E", "O") or line.stop not in (1, 1.5, 2):
        yield "line: bits is 7 or 8, parity N, E or O, stop 1, 1.5 or 2"


def _together(file: ProfileFile, family: str, templates: Mapping[str, Template]) -> Iterator[str]:
    """What is right alone and wrong together."""
    for name, template in templates.items():
        for field in ("text", "digits", "cells", "bitmap"):
            at_home = field == (_BODY[family] if file.bitmap is None else "bitmap") or (
                field == "cells" and (family, name) == ("keypad", templated.SHOW)
            )
            if field in template.fields and not at_home:
                yield f"frames.{name}: {{{field}}} has no meaning in a {family}"
    if family == "strip":
        for name in (templated.SHOW, templated.BOARD):
            if name not in templates:
                continue
            end = templates[name].terminator
            body = "text" if file.bitmap is None else "bitmap"
            if body not in templates[name].fields:
                yield f"frames.{name}: the {body} is missing: write {{{body}}} where it stands"
            elif end is not None and end not in bytes.fromhex(file.text.never):
                yield f"text.never: add {end:02X}, which ends the text in frames.{name}"
    elif "key" not in templates[templated.PRESSED].fields:
        yield "frames.pressed: the key is missing: write {key} where its byte stands"
