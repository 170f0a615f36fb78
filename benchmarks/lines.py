"""From a key's frame to the strip's on real line time: the demo's morning on 24 windows, beside what 9600 baud allows."""

# long: what is read, joined and said of one morning, from top to bottom

import bisect
import json
import sqlite3
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from benchmarks.bench_hall import BAUD, VOICE_ZONE, bench
from benchmarks.hall import SEED
from benchmarks.machine import ROOT
from benchmarks.witness import Told, witness
from devices.bus import BusSettings
from devices.framing.a090 import A090, SHOW_TEXT, A090Frame
from devices.framing.bx import BX, BxFrame
from devices.framing.codec import AnyCodec
from devices.framing.ff68 import FF68, Ff68Frame
from devices.framing.named import Heard, Named
from devices.framing.stream import Framer, Garbage
from devices.framing.tts import SYN6288_CODEC, TtsFrame
from devices.protocols.bxdata import AREAS, data_of, decode_update
from queue_server.demo.cli import morning, voice
from queue_server.demo.run import Options
from queue_server.forecast.daymodel import parse_day

Line = dict[str, object]

BYTE_MS: Final = 10_000 / BAUD
REPEATS_MS: Final = 350
"""An emulated device repeats what was not acknowledged 250 ms after its last byte; the same frame later is another press."""
LATE_MS: Final = 10_000
PRESSED, CELLS, RATED = 0x01, 0x02, 0x11
_CODECS: Final[dict[str, tuple[AnyCodec, ...]]] = {"bus": (FF68, A090), "board": (BX,), "voice": (SYN6288_CODEC,)}


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame on a line: when its first byte began and its last one had passed (ms UTC), who said it, and what."""

    began: float
    ended: float
    host: bool
    said: Any


@dataclass(slots=True)
class Watched:
    """One line's log. `bytes` passed either way, and `garbage` of them were no frame."""

    name: str
    devices: list[str]
    frames: list[Frame] = field(default_factory=list)
    bytes: int = 0
    garbage: int = 0
    spoilt: list[tuple[float, int]] = field(default_factory=list)
    """When a device's piece that ran into the host's ended, and its length."""


@dataclass(frozen=True, slots=True)
class Called:
    """One call from key to strip; ms. `server`: from the press at the server to what it says of the strip."""

    line: str
    total: float
    hears: float
    server: float
    waits: float
    behind: float
    frame: float
    cells: float | None
    board: float | None
    voice: float | None


async def measure(base: Path, minutes: float, speed: float, seed: int = SEED) -> list[Line]:
    """Live the morning and say what its lines did; `base` is a folder on a real disk, its whole path."""
    with tempfile.TemporaryDirectory(dir=base) as made:
        data = Path(made) / "data"
        data.mkdir()
        told: list[Told] = []
        report = await live(data, base / ".cache" / "voice", minutes, speed, seed, told)
        return table(data, told, report)


async def live(data: Path, pack: Path, minutes: float, speed: float, seed: int, told: list[Told]) -> dict[str, Any]:
    """The demo's report of a morning on the bench, its lines as slow as real ones."""
    voice(pack, Console(stderr=True))
    options = Options(
        configuration=bench(),
        model=parse_day((ROOT / "config" / "district-day.toml").read_text(encoding="utf-8")),
        day="weekday",
        minutes=minutes,
        speed=speed,
        seed=seed,
        data=data,
        voice=pack,
        port=0,
        host="127.0.0.1",
        line_time=True,
        between=partial(witness, told=told),
    )
    return await morning(options, lambda _: None, lambda _: None)


def summary(report: dict[str, Any]) -> dict[str, Any]:
    """What the outside checker found of the morning."""
    names = ("ok", "journal_ok", "issued", "printed", "called", "served", "ratings", "calls_spoken", "calls_dropped")
    return {name: report[name] for name in names} | {"findings": len(report["findings"])}


# --- what passed on the lines ---


def watched(folder: Path) -> list[Watched]:
    """Every serial line and the board's; printers are the checker's."""
    found = []
    for file in sorted(folder.glob("*.jsonl")):
        rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        head = next(row for row in rows if "url" in row)
        line = Watched(head["line"], head["devices"])
        codecs = _CODECS["bus"] if len(line.devices) > 1 else _CODECS.get(line.devices[0])
        if codecs is not None:
            _read(line, rows, codecs)
            found.append(line)
    return found


def _read(line: Watched, rows: Iterable[dict[str, Any]], codecs: tuple[AnyCodec, ...]) -> None:
    framers: dict[str, Framer[Heard]] = {
        "rx": Framer([Named(codec, grammar, "host") for codec in codecs for grammar in codec.hosts]),
        "tx": Framer([Named(codec, grammar, "device") for codec in codecs for grammar in codec.from_device]),
    }
    for row in rows:
        if "hex" not in row:
            continue
        raw = bytes.fromhex(row["hex"])
        line.bytes += len(raw)
        after = float(row["t"])
        for item in reversed(list(framers[row["dir"]].feed(raw))):  # the last one ends the piece
            if isinstance(item, Garbage):
                line.garbage += len(item.data)
                line.spoilt += [(after, len(raw))] if row["dir"] == "tx" else []
                continue
            lasts = len(item.codec.encode(item.frame)) * BYTE_MS
            line.frames.append(Frame(after - lasts, after, row["dir"] == "rx", item.frame))
            after -= lasts
    line.frames.sort(key=lambda frame: frame.ended)


def presses(line: Watched) -> Iterator[Frame]:
    """The first frame of each press of a key, whether or not it was understood."""
    last: dict[tuple[int, int, bytes], float] = {}
    for frame in line.frames:
        match frame:
            case Frame(host=False, said=Ff68Frame(address, function, data)):
                key = (address, function, data)
                if frame.ended - last.get(key, 0.0) > REPEATS_MS:
                    yield _first_try(line, frame)
                last[key] = frame.ended
            case _:
                pass


def _first_try(line: Watched, frame: Frame) -> Frame:
    """A frame that repeats one which ran into the host's began when that one did."""
    lasts = frame.ended - frame.began
    size = round(lasts / BYTE_MS)
    for ended, length in reversed(line.spoilt):
        if length == size and 0 < frame.ended - ended < REPEATS_MS:
            frame = Frame(ended - lasts, ended, False, frame.said)
    return frame


# --- one call and one rating after the other ---


class Morning:
    """All evidence of one morning, joined."""

    def __init__(self, data: Path, told: list[Told]) -> None:
        self.lines = watched(data / "lines")
        self.told = sorted(told, key=lambda each: each.t)
        self._times = [each.t for each in self.told]
        self.buses = [line for line in self.lines if len(line.devices) > 1]
        self._pressed: dict[tuple[int, int], list[Frame]] = defaultdict(list)
        for bus in self.buses:
            for frame in presses(bus):
                self._pressed[frame.said.address, frame.said.function].append(frame)
        self._address, self._zone = _addresses(data / "hall.db")
        self.calls = [call for told_ in self.told if (call := self._called(told_)) is not None]
        self.rated = [rated for told_ in self.told if (rated := self._rated(told_)) is not None]

    def _after(self, t: float) -> Iterator[Told]:
        """What passed within `LATE_MS` of a moment."""
        for told in self.told[bisect.bisect_left(self._times, t) :]:
            if told.t > t + LATE_MS:
                return
            yield told

    def _bus(self, device: str) -> Watched:
        return next(line for line in self.buses if device in line.devices)

    def _key(self, device: str, function: int, before: float) -> Frame | None:
        """The press behind a message of the agent."""
        frames = self._pressed[self._address[device], function]
        at = bisect.bisect_right([frame.ended for frame in frames], before + 2)
        return frames[at - 1] if at and before - frames[at - 1].ended < LATE_MS / 2 else None

    def _called(self, told: Told) -> Called | None:
        """What became of a press of the call key; None when nobody was called, or its frames are not to be found."""
        if not told.up or told.message.get("type") != "keypad" or told.message["action"] != "next":
            return None
        device, window = told.message["device"], told.message["device"].removeprefix("keypad-")
        key = self._key(device, PRESSED, told.t)
        number = next(
            (m.message["show"] for m in self._after(told.t) if m.message.get("id") == told.message["id"] and not m.up),
            "",
        )
        shows = (
            m.t for m in self._after(told.t)
            if (m.message.get("type"), m.message.get("device")) == ("show", f"strip-{window}")
            and (m.message["number"], m.message["state"]) == (number, "call")
        )  # fmt: skip
        if key is None or not number or (shown := next(shows, None)) is None:
            return None
        bus = self._bus(device)
        strip = _first(bus, shown, lambda said: _text(said, self._address[f"strip-{window}"]), number)
        if strip is None:
            return None
        cells = _first(bus, told.t, lambda said: _cells(said, self._address[device]), number[-3:])
        echo = next((f for f in bus.frames if f.host and f.ended > key.ended and f.said == key.said), None)
        free = (echo.ended if echo else key.ended) + BusSettings().gap_ms
        return Called(
            line=bus.name,
            total=strip.ended - key.ended,
            hears=told.t - key.ended,
            server=shown - told.t,
            waits=strip.began - shown,
            behind=max(0.0, strip.began - max(shown, free)),
            frame=strip.ended - strip.began,
            cells=cells.ended - key.ended if cells else None,
            board=self._elsewhere("board", key.ended, _rows, number),
            voice=self._elsewhere("voice", key.ended, _spoken, number) if self._zone[window] == VOICE_ZONE else None,
        )

    def _elsewhere(self, device: str, since: float, read: Any, number: str) -> float | None:
        line = next((line for line in self.lines if line.devices == [device]), None)
        frame = _first(line, since, read, number) if line else None
        return frame.ended - since if frame else None

    def _rated(self, told: Told) -> tuple[float, float | None] | None:
        """From a rating's key to the word that it is stored, and to its acknowledgement on the line."""
        if not told.up or told.message.get("type") != "press":
            return None
        device, press = told.message["device"], told.message["id"]
        key = self._key(device, RATED, told.t)
        stored = next((m.t for m in self._after(told.t) if m.message.get("id") == press and not m.up), None)
        if key is None or stored is None:
            return None
        address = self._address[device]
        acks = (
            f.ended for f in self._bus(device).frames
            if f.host and f.ended > key.ended and isinstance(f.said, Ff68Frame)
            and (f.said.address, f.said.function, f.said.lead) == (address, 1, False)
        )  # fmt: skip
        ack = next(acks, None)
        return stored - key.ended, ack - key.ended if ack is not None else None


def _first(line: Watched, since: float, read: Any, wanted: str) -> Frame | None:
    """The first frame of the host after a moment, in which `read` finds what is wanted."""
    found = (f for f in line.frames if f.host and since - 1 <= f.ended <= since + LATE_MS and wanted in read(f.said))
    return next(found, None)


def _text(said: object, address: int) -> str:
    match said:
        case A090Frame(where, command, data) if (where, command) == (address, SHOW_TEXT):
            return _plain(data)
        case _:
            return ""


def _plain(data: bytes) -> str:
    text, at = "", 0
    while at < len(data):
        width = 1 if data[at] < 0x80 else 2
        text += data[at : at + width].decode("gbk", "replace")
        at += width + 1
    return text


def _cells(said: object, address: int) -> str:
    match said:
        case Ff68Frame(where, function, data) if (where, function, len(data)) == (address, CELLS, 6):
            return "".join(str(cell) if cell < 10 else "" for cell in data)
        case _:
            return ""


def _rows(said: object) -> str:
    match said:
        case BxFrame(group=group, number=number) if (group, number) == AREAS:
            return " ".join(area.text.decode("gb2312", "replace") for area in decode_update(data_of(said)).areas)
        case _:
            return ""


def _spoken(said: object) -> str:
    digits = str.maketrans("零一二三四五六七八九幺", "01234567891")
    return said.data[1:].decode("gbk", "replace").translate(digits) if isinstance(said, TtsFrame) else ""


def _addresses(database: Path) -> tuple[dict[str, int], dict[str, str]]:
    """Addresses by device, zones by window, as the hall had them."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as tables:
        (data,) = tables.execute("select data from journal where kind = 'ConfigurationApplied'").fetchone()
    hall = json.loads(data)["configuration"]
    return {each["id"]: each.get("address", 0) for each in hall["device"]}, {
        each["id"]: each["zone"] for each in hall["window"]
    }


# --- what is said of it ---


def table(data: Path, told: list[Told], report: dict[str, Any]) -> list[Line]:
    """The distributions, the lines one by one, and what the lines allow at best."""
    found = Morning(data, told)
    calls = found.calls

    def part(name: str) -> list[float]:
        return [value for call in calls if (value := getattr(call, name)) is not None]

    buses = report["lines"]
    return [
        spread("key to strip", part("total"), "last byte of the key's frame to last byte of the strip's"),
        spread("  key to agent", part("hears"), "until the agent's message passes"),
        spread("  server", part("server"), "from that message to the strip's"),
        spread("  line", part("waits"), "from the strip's message to its first byte: echo, gaps, others' frames"),
        spread("    behind others", part("behind"), "of it, after the own echo and its gap were over"),
        spread("  strip's frame", part("frame"), "its bytes"),
        spread("key to cells", part("cells"), "the number on the keypad"),
        spread("key to board", part("board"), "BX card over TCP"),
        spread("key to voice", part("voice"), f"the module of zone {VOICE_ZONE}, calls before it included"),
        spread("rating to stored", [stored for stored, _ in found.rated], "key's last byte to the server's word"),
        spread("rating to its ack", [ack for _, ack in found.rated if ack is not None], "on the pad's line"),
        *(_of_line(line, calls, buses[line.name]["collisions"]) for line in found.buses),
        *physics(found),
        _plain_row("the morning", ", ".join(f"{name} {value}" for name, value in summary(report).items())),
    ]


def _plain_row(what: str, note: str, p50: object = "") -> Line:
    return {"what": what, "count": "", "p50": p50, "p90": "", "p99": "", "max": "", "note": note}


def spread(what: str, values: list[float], note: str = "") -> Line:
    """A distribution in ms."""
    row: Line = {"what": what, "count": len(values)}
    ordered = sorted(values)
    for name, share in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("max", 1.0)):
        at = min(len(ordered) - 1, int(len(ordered) * share))
        row[name] = round(ordered[at], 1) if ordered else None
    return row | {"note": note}


def _of_line(line: Watched, calls: list[Called], collisions: int) -> Line:
    keys = [frame.ended for frame in presses(line)]
    seconds = (keys[-1] - keys[0]) / 1000 if len(keys) > 1 else 0.0
    during = [f for f in line.frames if keys and keys[0] <= f.ended <= keys[-1]]
    load = sum(f.ended - f.began for f in during) / 1000 / seconds if seconds else 0.0
    note = f"load {load:.1%} of {seconds:.0f} s, {len(during)} frames, {line.garbage} bytes lost in {collisions} collisions"
    return spread(f"{line.name}: key to strip", [call.total for call in calls if call.line == line.name], note)


def physics(found: Morning) -> list[Line]:
    """What the bytes and the silences cost when nobody else speaks."""
    bus = BusSettings()
    texts = sorted(call.frame for call in found.calls)
    if not texts:
        return []
    key = 10 * BYTE_MS
    strip = texts[len(texts) // 2]
    # The key has passed: silence, its echo, a gap, the strip's text. Then its acknowledgement, silence, the cells.
    floor = bus.turnaround_ms + key + bus.gap_ms + strip
    cells = floor + 5 * BYTE_MS + bus.turnaround_ms + 15 * BYTE_MS

    def allowed(what: str, ms: float, note: str) -> Line:
        return _plain_row(what, note, round(ms, 1))

    return [
        allowed("physics: a key's frame, its echo", key, f"10 bytes of {BYTE_MS:.3f} ms"),
        allowed("physics: cells", 15 * BYTE_MS, "15 bytes"),
        allowed("physics: a strip's text", strip, f"{round(strip / BYTE_MS)} bytes, the median call's"),
        allowed("physics: key to strip", floor, f"{bus.turnaround_ms} ms still, echo, {bus.gap_ms} ms gap, text"),
        allowed("physics: key to cells", cells, "and the strip's ack, silence, cells"),
    ]
