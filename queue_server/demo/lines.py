"""A hall's devices as emulators on ptys and sockets, with a log of every byte on the devices' side."""

import contextlib
import json
import time
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TextIO

from devices.devicemap import BUS_KINDS
from devices.emulators.bench import Bench, Placed
from devices.emulators.nodes import AnyNode, EmulatedKeypad, EmulatedRatingPad
from devices.emulators.printer import EmulatedPrinter
from devices.emulators.rs485 import Rs485BusEmulator
from devices.emulators.voices import EmulatedTts
from devices.profiles import find_profile
from devices.protocols.rating import AckVariant
from devices.transport import parse_url
from devices.transport.tap import Tap
from queue_server.demo.derive import SYLLABLE_MS, scaled
from queue_server.domain.configuration import Device


def now_ms() -> int:
    """Wall clock, ms UTC."""
    return time.time_ns() // 1_000_000


class Log:
    """JSON lines, each with its time `t` (ms UTC), written through at once."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file: TextIO = path.open("w", encoding="utf-8", buffering=1)

    def write(self, **fields: object) -> None:
        self._file.write(json.dumps({"t": now_ms(), **fields}, ensure_ascii=False) + "\n")

    def close(self) -> None:
        self._file.close()


@dataclass(slots=True)
class Pad:
    """The rating device of a window, with the device's own byte for each level."""

    line: Rs485BusEmulator
    node: EmulatedRatingPad
    bytes_of: dict[int, int]


class HallBench(Bench):
    """A bench whose places' notes may change while a page looks: they are documents too."""

    def documents(self) -> dict[str, object]:
        notes = {f"note/{station.id}": station.note for station in self.stations.values() if station.note}
        return super().documents() | notes


@dataclass(slots=True)
class Lines:
    """All emulated devices; `urls` are their lines by the hall file's own."""

    urls: dict[str, str] = field(default_factory=dict)
    keypads: dict[str, tuple[Rs485BusEmulator, EmulatedKeypad]] = field(default_factory=dict)
    profiles: dict[str, str] = field(default_factory=dict)
    pads: dict[str, Pad] = field(default_factory=dict)
    printers: dict[str, EmulatedPrinter] = field(default_factory=dict)
    buses: dict[str, Rs485BusEmulator] = field(default_factory=dict)
    """By the name of their log."""
    bench: Bench = field(default_factory=lambda: HallBench({"zh": "演示", "en": "Demonstration"}))
    """All of them as a person sees and touches them."""


@contextlib.asynccontextmanager
async def emulated(
    devices: Iterable[Device], folder: Path, speed: float = 1.0, *, line_time: bool = False
) -> AsyncIterator[Lines]:
    """One line for each URL of the hall file: serial lines become ptys, sockets stay sockets.

    A voice speaks `speed` times as fast. `line_time`: on serial lines bytes take as long as on real ones.
    """
    grouped: dict[str, list[Device]] = {}
    for device in devices:
        grouped.setdefault(device.url, []).append(device)
    lines = Lines()
    async with contextlib.AsyncExitStack() as stack:
        for count, (url, there) in enumerate(grouped.items(), 1):
            name = f"line-{count:02d}"
            log = Log(folder / f"{name}.jsonl")
            stack.callback(log.close)
            where = _listen_url(url, folder / name)
            if there[0].kind in BUS_KINDS:
                baud = int(parse_url(where).options.get("baud", "0")) if line_time else 0
                alone = there[0].kind == "speaker"
                bus = Rs485BusEmulator(where, [], tap=_tap(log), baud=baud, shared=not alone)
                for device in there:
                    _attach(lines, bus, device, name, speed)
                await stack.enter_async_context(bus)
                lines.urls[url] = _with_options(bus.url, url)
                lines.buses[name] = bus
            else:
                printer = EmulatedPrinter(where, tap=_tap(log))
                await stack.enter_async_context(printer)
                lines.urls[url] = printer.url
                lines.printers[there[0].id] = printer
                lines.bench.place(_placed(there[0], name), printer)
            log.write(line=name, url=lines.urls[url], devices=[device.id for device in there])
        yield lines


def _listen_url(url: str, link: Path) -> str:
    address = parse_url(url)
    if address.scheme == "serial":
        return f"pty://{link.resolve()}?baud={address.options.get('baud', '9600')}"
    return "tcp://127.0.0.1:0"


def _with_options(url: str, file: str) -> str:
    """A socket's own URL with what the hall's file says of the line behind it."""
    options = file.partition("?")[2]
    return f"{url}?{options}" if options and "?" not in url else url


def _tap(log: Log) -> Tap:
    def tell(direction: str, data: bytes) -> None:
        log.write(dir=direction, hex=data.hex())

    return tell


ENTRANCE: Final = "entrance"
BOARDS: Final = "boards"
"""Stations of a bench beside the windows."""


def _placed(device: Device, line: str, node: AnyNode | None = None) -> Placed:
    station = device.window or (BOARDS if node else ENTRANCE)
    levels = {int(key): level for key, level in device.levels.items()}
    name = {"zh": device.name or device.id, "en": device.name_en or device.id}
    return Placed(id=device.id, station=station, line=line, name=name, node=node, levels=levels)


def _attach(lines: Lines, bus: Rs485BusEmulator, device: Device, line: str, speed: float) -> None:
    node: AnyNode
    match device.kind:
        case "keypad":
            node = EmulatedKeypad(device.address)
            lines.keypads[device.window] = (bus, node)
            lines.profiles[device.window] = device.profile.lower()
        case "rating_pad":
            variant = AckVariant(device.profile.lower().removeprefix("ff68-"))
            node = EmulatedRatingPad(device.address, variant)
            lines.pads[device.window] = Pad(bus, node, {level: int(key) for key, level in device.levels.items()})
        case _:
            node = find_profile(device.kind, device.profile).emulate(device.address)
            if isinstance(node, EmulatedTts):
                node.unit_ms = scaled(SYLLABLE_MS, speed)
    lines.bench.place(_placed(device, line, node), bus)
    bus.nodes.append(node)
    node.join(bus)
