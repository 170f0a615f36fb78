"""Emulated lines as a person sees and touches them: documents of what each device shows, and what is done to them."""

from __future__ import annotations

import io
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

import msgspec

from devices.emulators.nodes import AnyNode, EmulatedKeypad, EmulatedRatingPad
from devices.emulators.printer import EmulatedPrinter
from devices.emulators.printer_paper import PrintedPaper
from devices.emulators.rs485 import Rs485BusEmulator
from devices.emulators.templated import EmulatedBitmapPanel, EmulatedTemplatePad
from devices.protocols.keymaps import Key
from displays.led import Page, Panel, planes
from displays.led.pixels import picture

Line = Rs485BusEmulator | EmulatedPrinter
Words = dict[str, str]
"""zh and en."""

PAPERS_SHOWN: Final = 6
STRIP_DOTS: Final = 128
ROW_DOTS: Final = 16
MOST_CELLS: Final = 64
LEVELS: Final = range(5)
"""The level bytes of an FF68 rating device."""
_COLOURS: Final = {"0": "red", "1": "green", "2": "yellow"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A device on the bench. `node` is None for a printer, which has its line to itself. `levels`: satisfaction 5…1 by level byte."""

    id: str
    station: str
    line: str
    name: Words
    node: AnyNode | None = None
    levels: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Station:
    """Where devices stand together: a window, the entrance. `note` says what to do there."""

    id: str
    name: Words
    note: Words = field(default_factory=dict)


@dataclass(slots=True)
class Spoken:
    """The newest phrase of a place, and its sound where there is a clip."""

    text: Words
    count: int = 0
    clip: bytes = b""


class Press(msgspec.Struct, tag_field="do", tag="press", forbid_unknown_fields=True):
    """Type digits and a key of a keypad."""

    id: int
    device: str
    key: int
    digits: str = ""


class Rate(msgspec.Struct, tag_field="do", tag="rate", forbid_unknown_fields=True):
    """Press a key of a rating device."""

    id: int
    device: str
    level: int


class Act(msgspec.Struct, tag_field="do", tag="act", forbid_unknown_fields=True):
    """Anything else that a person does to a device."""

    id: int
    device: str
    verb: str
    words: list[str] = []


class Fault(msgspec.Struct, tag_field="do", tag="fault", forbid_unknown_fields=True):
    """Set a fault of a device or, without `device`, of a line."""

    id: int
    name: str
    value: str
    line: str
    device: str = ""


Deed = Press | Rate | Act | Fault


class Bench:
    """All emulated devices of a hall or a line. `touched` is told the station at which a person presses a key."""

    def __init__(self, title: Words) -> None:
        self.title = title
        self.lines: dict[str, Line] = {}
        self.stations: dict[str, Station] = {}
        self.placed: dict[str, Placed] = {}
        self.spoken: dict[str, Spoken] = {}
        self.touched: Callable[[str], None] = lambda station: None

    def place(self, placed: Placed, line: Line) -> None:
        """Put a device on it, with its line."""
        self.placed[placed.id] = placed
        self.lines[placed.line] = line

    def say(self, place: str, text: Words, clip: bytes = b"") -> None:
        """Something was spoken."""
        before = self.spoken.get(place)
        self.spoken[place] = Spoken(text, 1 + (before.count if before else 0), clip)

    # What is seen.

    def documents(self) -> dict[str, object]:
        """Everything there is to see, by key; complete each time."""
        found: dict[str, object] = {f"device/{name}": self._device(placed) for name, placed in self.placed.items()}
        for name, line in self.lines.items():
            found[f"line/{name}"] = _line(name, line)
        for place, spoken in self.spoken.items():
            found[f"spoken/{place}"] = {"text": spoken.text, "count": spoken.count, "clip": bool(spoken.clip)}
        return found

    def _device(self, placed: Placed) -> dict[str, object]:
        seen: dict[str, object] = {
            "id": placed.id,
            "station": placed.station,
            "line": placed.line,
            "name": placed.name,
        }
        line = self.lines[placed.line]
        if isinstance(line, EmulatedPrinter):
            return {**seen, **_printer(line)}
        assert placed.node is not None
        node = placed.node
        return {
            **seen,
            "kind": node.device,
            "state": node.state(),
            "faults": node.fault_values,
            "acts": list(node.acts),
            "keys": _keys(placed),
            "dots": _bitmap(node) if isinstance(node, EmulatedBitmapPanel) else _dots(node.state()),
        }

    def paper(self, device: str, number: int) -> bytes:
        """A paper as PNG, 0 for the one that has not been cut; KeyError when there is none."""
        printer = self.lines[self.placed[device].line]
        if not isinstance(printer, EmulatedPrinter):
            raise KeyError(device)
        interpreter = printer.interpreter
        if number == 0:
            paper = interpreter.current
        else:
            at = number - interpreter.cuts - 1 + len(interpreter.papers)
            if not 0 <= at < len(interpreter.papers):
                raise KeyError(number)
            paper = interpreter.papers[at]
        return _png(paper, printer.model.dots)

    # What is done.

    async def do(self, deed: Deed) -> bool:
        """Whether the host answered, where it has to; ValueError says why it cannot be done."""
        match deed:
            case Fault(device="", line=name):
                await self._known_line(name).set_fault(deed.name, deed.value)
                return True
            case Fault():
                node, line = self._node(deed.device)
                node.set_fault(deed.name, deed.value)
                await line.notify()
                return True
            case Act():
                node, line = self._node(deed.device)
                await node.act(deed.verb, deed.words)
                await line.notify()
                return True
            case Press() | Rate():
                node, _ = self._node(deed.device)
                self.touched(self.placed[deed.device].station)
                return await _pressed(node, deed)

    def _known_line(self, name: str) -> Line:
        if name not in self.lines:
            raise ValueError(f"no line {name!r}")
        return self.lines[name]

    def _node(self, device: str) -> tuple[AnyNode, Rs485BusEmulator]:
        placed = self.placed.get(device)
        line = self.lines[placed.line] if placed else None
        if placed is None or placed.node is None or not isinstance(line, Rs485BusEmulator):
            raise ValueError(f"no device {device!r} on a line")
        return placed.node, line


def bench_of(lines: Sequence[Line]) -> Bench:
    """Lines by themselves, `line-1` and on: each is a station, with its devices `line-1.1` and on, or its printer `line-1`."""
    bench = Bench({"zh": "模拟设备", "en": "Emulated devices"})
    for number, line in enumerate(lines, 1):
        at = f"line-{number}"
        if isinstance(line, EmulatedPrinter):
            name = {"zh": f"第 {number} 条线的打印机", "en": f"Printer on line {number}"}
            bench.place(Placed(id=at, station=at, line=at, name=name), line)
        else:
            name = {"zh": f"第 {number} 条线", "en": f"Line {number}"}
            for place, node in enumerate(line.nodes, 1):
                words = dict.fromkeys(("zh", "en"), f"{node.device} {node.address}")
                bench.place(Placed(id=f"{at}.{place}", station=at, line=at, name=words, node=node), line)
        bench.stations[at] = Station(at, name)
    return bench


async def _pressed(node: AnyNode, deed: Press | Rate) -> bool:
    match node, deed:
        case EmulatedKeypad(), Press():
            return await node.press(deed.key, deed.digits)
        case EmulatedTemplatePad(), Press():
            return await node.press(deed.key, deed.digits)
        case EmulatedRatingPad(), Rate():
            return await node.rate(deed.level)
        case _:
            raise ValueError(f"the {node.device} has no such key")


def _keys(placed: Placed) -> list[dict[str, object]]:
    """The keys to draw: a keypad's by name, a rating device's by what they mean here."""
    match placed.node:
        case EmulatedKeypad():
            return [{"key": key.value, "name": key.name.lower()} for key in Key]
        case EmulatedRatingPad():
            levels = placed.levels or dict.fromkeys(LEVELS, 0)
            by_level = sorted(levels.items(), key=lambda pair: (-pair[1], pair[0]))
            return [{"key": byte, "level": level} for byte, level in by_level]
        case _:
            return []


def _line(name: str, line: Line) -> dict[str, object]:
    pulled = line.cable.pulled
    return {"id": name, "url": "" if pulled else line.url, "faults": line.fault_values, "names": list(line.fault_names)}


def _printer(printer: EmulatedPrinter) -> dict[str, object]:
    interpreter, model = printer.interpreter, printer.model
    first = interpreter.cuts - len(interpreter.papers) + 1
    papers = [{"number": first + at, **_about(paper)} for at, paper in enumerate(interpreter.papers)]
    state = {"out": model.out, "near_end": model.near_end, "offline": model.offline}
    return {
        "kind": "printer",
        "state": state,
        "papers": papers[-PAPERS_SHOWN:],
        "current": _about(interpreter.current) if interpreter.current.elements else None,
    }


def _about(paper: PrintedPaper) -> dict[str, object]:
    return {"text": paper.text, "codes": paper.codes, "length": paper.length}


def _dots(state: Mapping[str, Any]) -> dict[str, object] | None:
    """What a strip, board or panel shows, as dots; None for what shows no text."""
    rows = state.get("rows", [state["text"]] if "text" in state else None)
    if rows is None:
        return None
    colour = _COLOURS.get(str(state.get("colours", ""))[:1], "red")
    lit = bool(state.get("on", True))
    shown = _drawn(tuple(str(row)[:MOST_CELLS] for row in rows if row) if lit else (), colour)
    return {**shown, "level": state.get("brightness", 15)}


def _bitmap(node: EmulatedBitmapPanel) -> dict[str, object]:
    red, green = planes(node.image)
    return {**_planes(node.image.width, node.image.height, red, green), "texts": [], "level": 15}


def _planes(width: int, height: int, red: bytes, green: bytes) -> dict[str, object]:
    return {"width": width, "height": height, "red": b64encode(red).decode(), "green": b64encode(green).decode()}


@lru_cache(512)
def _drawn(rows: tuple[str, ...], colour: Any) -> dict[str, object]:
    cells = max((sum(1 if c.isascii() else 2 for c in row) for row in rows), default=0)
    panel = Panel(max(STRIP_DOTS, cells * ROW_DOTS // 2), ROW_DOTS * max(1, len(rows)), ROW_DOTS)
    red, green = planes(picture([Page(row, colour) for row in rows], panel).image)
    return {**_planes(panel.width, panel.height, red, green), "texts": list(rows)}


def _png(paper: PrintedPaper, dots: int) -> bytes:
    out = io.BytesIO()
    paper.picture(dots).save(out, "PNG")
    return out.getvalue()
