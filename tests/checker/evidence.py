"""What really happened, as it was written down: SQL tables, bytes on lines, documents of displays, sounds, people."""

import bisect
import json
import re
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import independent
import independent_bx
import independent_escpos
import independent_syn6288

Row = dict[str, Any]


class Event(NamedTuple):
    """A row of the journal with its data read."""

    seq: int
    at: int
    kind: str
    data: Row
    raw: tuple[Any, ...]
    link: str


class Frame(NamedTuple):
    """A device frame on a line: when its last byte passed, which way (rx: to the device), and what it says."""

    t: int
    way: str
    address: int
    function: int
    data: list[int]
    text: str


class Said(NamedTuple):
    """A text that a voice module was given, when, and whether it said it to its end."""

    t: int
    text: str
    ended: bool


class Paper(NamedTuple):
    """A cut paper: when, the number in the largest type, and its text."""

    t: int
    number: str
    text: str


@dataclass
class Line:
    """One line's log."""

    name: str
    url: str
    frames: list[Frame] = field(default_factory=list)
    papers: list[Paper] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


JOURNAL = "hall, seq, epoch, subject, day, at, actor, cause, kind, version, data"


class Database:
    """The tables of one hall, read only."""

    def __init__(self, file: Path) -> None:
        connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
        connection.row_factory = sqlite3.Row
        with connection:
            rows = connection.execute(f"select {JOURNAL}, link from journal order by seq").fetchall()
            self.events = [
                Event(row["seq"], row["at"], row["kind"], json.loads(row["data"]), tuple(row)[:-1], row["link"])
                for row in rows
            ]
            self.lease = dict(connection.execute("select * from leases").fetchone())
            self.tickets = self._table(connection, "tickets")
            self.services = self._table(connection, "services")
            self.ratings = self._table(connection, "ratings")
            self.claims = self._table(connection, "claims")
        connection.close()
        self.configuration = next(e.data["configuration"] for e in self.events if e.kind == "ConfigurationApplied")

    @staticmethod
    def _table(connection: sqlite3.Connection, name: str) -> dict[str, Row]:
        return {row["id"]: dict(row) for row in connection.execute(f"select * from {name}")}

    def of(self, *kinds: str) -> list[Event]:
        """The events of these kinds, in order."""
        return [event for event in self.events if event.kind in kinds]

    def device(self, window: str, kind: str) -> Row | None:
        """The device of a kind at a window."""
        found = (d for d in self.configuration.get("device", []) if d["kind"] == kind and d.get("window") == window)
        return next(found, None)


def records(file: Path) -> list[Row]:
    """JSON lines; a last line that was cut off is left out."""
    found = []
    for line in file.read_text(encoding="utf-8").splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return found


def lines_of(folder: Path, configuration: Row) -> dict[str, Line]:
    """Every line by the URL that the agent opens."""
    found = {}
    devices = {device["id"]: device for device in configuration.get("device", [])}
    for file in sorted(folder.glob("*.jsonl")):
        rows = records(file)
        head = next(row for row in rows if "url" in row)
        line = Line(head["line"], head["url"])
        ways: dict[str, list[tuple[int, bytes]]] = {"rx": [], "tx": []}
        for row in rows:
            if "hex" in row:
                ways[row["dir"]].append((row["t"], bytes.fromhex(row["hex"])))
        first = devices[head["devices"][0]]
        if first["kind"] == "printer":
            _read_papers(line, ways["rx"])
        elif first["kind"] == "speaker":
            _read_speech(line, ways, first)
        elif first.get("profile") == "bx":
            _read_board(line, ways["rx"])
        else:
            for way, chunks in ways.items():
                _read_frames(line, way, chunks)
        found[line.url] = line
    return found


def _joined(chunks: list[tuple[int, bytes]]) -> tuple[bytes, list[int], list[int]]:
    """The bytes in one piece, and for each chunk where it ends and when it came."""
    ends, total = [], 0
    for _, data in chunks:
        total += len(data)
        ends.append(total)
    return b"".join(data for _, data in chunks), ends, [t for t, _ in chunks]


def _read_frames(line: Line, way: str, chunks: list[tuple[int, bytes]]) -> None:
    data, ends, times = _joined(chunks)

    def when(end: int) -> int:
        return times[min(bisect.bisect_left(ends, end), len(times) - 1)]

    at = 0
    for found in re.finditer(rb"\x68(.)\1\x68|\xa0\x90", data, re.DOTALL):
        start = found.start()
        if start < at:
            continue
        if data[start] == 0x68:
            end = found.end() + data[start + 1] + 2
            for address, function, body in independent.decode_ff68(data[start:end])[:1]:
                line.frames.append(Frame(when(end), way, address, function, body, ""))
                at = end
        elif way == "rx" and len(data) >= start + 6:
            end = start + 7 + int.from_bytes(data[start + 4 : start + 6], "big")
            for address, text, colours in independent.decode_a090(data[start:end])[:1]:
                if colours != "ack":
                    line.frames.append(Frame(when(end), way, address, 0xA5, [], text))
                    at = end


def _read_board(line: Line, chunks: list[tuple[int, bytes]]) -> None:
    """A BX card's areas, as the text of one frame."""
    data, ends, times = _joined(chunks)
    begun = 0
    for found in re.finditer(rb"\x5a", data):
        for packet in independent_bx.packets(data[begun : found.end()]):
            if packet.command == "a306":
                text = " ".join(area.text for area in independent_bx.areas(packet.rest))
                t = times[min(bisect.bisect_left(ends, found.end()), len(times) - 1)]
                line.frames.append(Frame(t, "rx", packet.to, 0xA5, [], text))
        begun = found.end()


def _read_speech(line: Line, ways: dict[str, list[tuple[int, bytes]]], device: Row) -> None:
    """What a SYN6288 said; it says when it is idle again."""
    if device["profile"] != "syn6288":
        line.wrong.append(f"{line.name}: nobody here reads {device['profile']}")
        return
    data, ends, times = _joined(ways["rx"])
    given = []
    for found in re.finditer(rb"\xfd\x00(.)\x01", data, re.DOTALL):
        end = found.start() + 3 + found[1][0]
        for _, rest in independent_syn6288.frames(data[found.start() : end])[:1]:
            t = times[min(bisect.bisect_left(ends, end), len(times) - 1)]
            given.append((t, independent_syn6288.spoken(rest)[0]))
    for index, (t, text) in enumerate(given):
        until = given[index + 1][0] if index + 1 < len(given) else 1 << 62
        said = [word for at, raw in ways["tx"] if t <= at <= until for word in independent_syn6288.replies(raw)]
        line.said.append(Said(t, text, "taken" in said and "idle" in said[said.index("taken") :]))


_STATUS = rb"(?:\x10\x04[\x01-\x04]|\x1da.)+"
_CUT = re.compile(
    rb"\x1dv0.(?P<size>.{4})|\x1d\(k(?P<length>..)|(?P<cut>\x1dV(?:[\x00\x0101]|[AB].)|\x1b[im])", re.DOTALL
)


def _read_papers(line: Line, chunks: list[tuple[int, bytes]]) -> None:
    asked = re.compile(rb"^" + _STATUS + rb"|" + _STATUS + rb"$", re.DOTALL)
    kept = [(t, asked.sub(b"", data)) for t, data in chunks]
    data, ends, times = _joined([(t, rest) for t, rest in kept if rest])
    at = begun = 0
    while found := _CUT.search(data, at):
        at = found.end()
        if found["size"]:
            at += (found["size"][0] + 256 * found["size"][1]) * (found["size"][2] + 256 * found["size"][3])
        elif found["length"]:
            at += int.from_bytes(found["length"], "little")
        else:
            t = times[min(bisect.bisect_left(ends, at), len(times) - 1)]
            try:
                paper = independent_escpos.decode(data[begun:at])
                line.papers.append(Paper(t, paper.biggest, paper.text))
            except ValueError as error:
                line.wrong.append(f"{line.name}: a paper at {t} cannot be read: {error}")
            begun = at
