"""`yichuang emulate`: emulated devices on a pty, a socket or in memory, with keys to press and faults to cause."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final

from devices.emulators.bench import Bench, Placed, Station
from devices.emulators.faults import UNPLUGGED, split_fault
from devices.emulators.nodes import AnyNode, EmulatedKeypad, EmulatedRatingPad
from devices.emulators.panel import serving_panel
from devices.emulators.printer import EmulatedPrinter
from devices.emulators.printer_cli import emulate_printer, printer_bench
from devices.emulators.rs485 import Rs485BusEmulator
from devices.emulators.templated import EmulatedTemplatePad
from devices.profiles import PROFILES
from devices.profiles.files import load_profile
from devices.protocols.keymaps import Key
from devices.transport import Unavailable

Say = Callable[[dict[str, object]], None]

WATCH_S: Final = 0.5
MIN_BAUD: Final = 50
MAX_BAUD: Final = 4_000_000
SHORT: Final = {"keypad": "hallquefront", "rating": "ff68", "strip": "a090", "board": "a090"}
"""Short names of nodes; every profile's own name is one too."""
HELP: Final = """\
press ADDRESS [DIGITS] KEY   keys: start wait call recall cancel function metre pause transfer; of a TOML profile: 0C
rate ADDRESS LEVEL           the level byte of the key
silence ADDRESS | wake ADDRESS | restart ADDRESS
do ADDRESS put | take        an ID card onto the reader, and off it
do ADDRESS scan TEXT         a code under the scanner
do ADDRESS key CODE          a key of a pad that is a keyboard
do ADDRESS rate LEVEL        on a network tablet
fault NAME=VALUE             of the line: lossy=5% noisy=5% slow=20ms split=50ms bytewise=on unplugged=3s
                             and, counting down: noise corrupt lose lose_acks
fault ADDRESS:NAME=VALUE     of a device: silent=on, and its own; a wrong name tells the ones there are
unplug | plug | show | help | quit"""


def parse_node(text: str) -> list[AnyNode]:
    """`keypad:7`, `keypad:1-6`, `rating:0x87:b`, `strip:3`, or a profile's name: `aaqt:3`; ValueError says what is wrong."""
    name, _, rest = text.partition(":")
    span, _, variant = rest.partition(":")
    first, _, last = span.partition("-")
    known = SHORT.get(name, name) + (f"-{variant or 'a'}" if name == "rating" else "")
    profile = load_profile(Path(name)).profile if name.endswith(".toml") else PROFILES.get(known)
    if profile is None:
        raise ValueError(f"{text!r}: a node is one of {', '.join((*SHORT, *PROFILES))}")
    try:
        addresses = range(int(first or "0", 0), int(last or first or "0", 0) + 1)
    except ValueError:
        raise ValueError(f"{text!r}: an address is a number, 7 or 0x87, or a span 1-6") from None
    if not addresses or addresses[0] < 0 or addresses[-1] > 0xFF:
        raise ValueError(f"{text!r}: addresses are 0…255")
    return [profile.emulate(address) for address in addresses]


def state(node: AnyNode) -> dict[str, object]:
    """What can be seen of a device."""
    return {"device": node.device, "address": node.address, "silent": node.silent, **node.state()}


async def emulate(
    kind: str,
    url: str,
    nodes: Sequence[str],
    faults: Sequence[str],
    *,
    commands: AsyncIterator[str],
    say: Say,
    panel: int | None = None,
    baud: int = 0,
) -> None:
    """Run an emulated line until `commands` end; `say` is told all; `panel` is a port; at `baud` bytes take time, at 0 none."""
    _check_baud(kind, baud)
    if kind == "printer":
        printer = EmulatedPrinter(url)
        async with printer, panelled(printer_bench(printer), panel, say):
            await emulate_printer(printer, list(faults), commands=commands, say=say)
        return
    if kind != "rs485":
        raise ValueError(f"no emulator for {kind!r}: rs485 or printer")
    if not nodes:
        raise ValueError("an empty line: give --node, such as keypad:7")
    line = Rs485BusEmulator(url, [node for text in nodes for node in parse_node(text)], baud=baud)
    async with line:
        for fault in faults:
            await set_fault(line, fault)
        async with panelled(line_bench(line), panel, say), asyncio.TaskGroup() as group:
            say({"event": "listening", "url": "" if line.cable.pulled else line.url})
            watch = group.create_task(_watch(line, say))
            async for text in commands:
                words = text.split()
                if words[:1] == ["quit"]:
                    break
                try:
                    await _obey(line, words, group, say)
                except (ValueError, KeyError, IndexError, Unavailable) as error:
                    say({"event": "wrong", "command": text.strip(), "reason": str(error)})
            watch.cancel()


def _check_baud(kind: str, baud: int) -> None:
    if baud and kind == "printer":
        raise ValueError("--baud is for rs485; a printer's pace is --fault slow=2ms")
    if baud and not MIN_BAUD <= baud <= MAX_BAUD:
        raise ValueError(f"--baud: {baud} is no speed of a line; {MIN_BAUD} to {MAX_BAUD}")


def line_bench(line: Rs485BusEmulator) -> Bench:
    """A line's devices as one station of a panel."""
    bench = Bench({"zh": "模拟设备", "en": "Emulated devices"})
    bench.stations["line"] = Station("line", {"zh": "一条线", "en": "One line"})
    for node in line.nodes:
        name = f"{node.device} {node.address}"
        placed = Placed(
            id=f"{node.device}-{node.address}", station="line", line="line", name={"zh": name, "en": name}, node=node
        )
        bench.place(placed, line)
    return bench


@contextlib.asynccontextmanager
async def panelled(bench: Bench, port: int | None, say: Say) -> AsyncIterator[None]:
    """With a panel page at `port`, or without when None."""
    if port is None:
        yield
        return
    async with serving_panel(bench, port) as address:
        say({"event": "panel", "url": address})
        yield


async def set_fault(line: Rs485BusEmulator, text: str) -> None:
    """Set a fault of the line, or `ADDRESS:NAME=VALUE` of a device; ValueError names the ones there are."""
    address, name, value = split_fault(text)
    if address is None:
        await line.set_fault(name, value)
        return
    for node in _at(line, address):
        node.set_fault(name, value)
    await line.notify()


async def _watch(line: Rs485BusEmulator, say: Say) -> None:
    told: dict[int, dict[str, object]] = {}
    while True:
        for index, node in enumerate(line.nodes):
            now = state(node)
            if told.get(index) != now:
                told[index] = now
                say({"event": "device", **now})
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(WATCH_S):
                await line.change()


async def _obey(line: Rs485BusEmulator, words: list[str], group: asyncio.TaskGroup, say: Say) -> None:
    match words:
        case []:
            pass
        case ["press", address, *digits, key] if len(digits) <= 1:
            group.create_task(_outcome(_press(_at(line, address), key, "".join(digits)), words, say))
        case ["rate", address, level]:
            group.create_task(_outcome(_rate(_at(line, address), int(level, 0)), words, say))
        case ["silence" | "wake" as verb, address]:
            for node in _at(line, address):
                node.silent = verb == "silence"
            await line.notify()
        case ["restart", address]:
            await _restart(line, address)
        case ["fault", text]:
            await set_fault(line, text)
        case ["fault", name, value]:
            await set_fault(line, f"{name}={value}")
        case ["fault", address, name, value]:
            await set_fault(line, f"{address}:{name}={value}")
        case ["do", address, verb, *rest]:
            for node in _at(line, address):
                await node.act(verb, rest)
            await line.notify()
        case ["unplug"]:
            await line.set_fault(UNPLUGGED, "on")
            say({"event": "unplugged"})
        case ["plug"]:
            await line.set_fault(UNPLUGGED, "off")
            say({"event": "listening", "url": line.url})
        case ["show"]:
            for node in line.nodes:
                say({"event": "device", **state(node)})
        case ["help"]:
            say({"event": "help", "text": HELP})
        case _:
            raise ValueError("not understood: try help")


def _press(there: list[AnyNode], key: str, digits: str) -> Awaitable[bool]:
    for node in there:
        match node:
            case EmulatedKeypad():
                return node.press(Key[key.upper()], digits)
            case EmulatedTemplatePad():
                return node.press(int(key, 16), digits)
            case _:
                pass
    raise ValueError("the device there has no keys")


def _rate(there: list[AnyNode], level: int) -> Awaitable[bool]:
    for node in there:
        match node:
            case EmulatedRatingPad():
                return node.rate(level)
            case EmulatedTemplatePad():
                return node.press(level)
            case _:
                pass
    raise ValueError("the device there is no rating device")


async def _restart(line: Rs485BusEmulator, address: str) -> None:
    for node in _at(line, address):
        await node.power_cycle()
    await line.notify()


async def _outcome(work: Awaitable[bool], words: list[str], say: Say) -> None:
    command = " ".join(words)
    try:
        say({"event": "acknowledged" if await work else "unanswered", "command": command})
    except ValueError as error:
        say({"event": "wrong", "command": command, "reason": str(error)})


def _at(line: Rs485BusEmulator, address: str | int) -> list[AnyNode]:
    wanted = address if isinstance(address, int) else int(address, 0)
    found = [node for node in line.nodes if node.address == wanted]
    if not found:
        raise ValueError(f"no device at {address}")
    return found


async def _typed() -> AsyncIterator[str]:
    """Lines of standard input; at its end the devices live on until a signal comes."""
    loop, lines = asyncio.get_running_loop(), asyncio.Queue[str]()

    def read() -> None:
        # A thread of its own that nobody waits for: a read from a terminal cannot be cancelled.
        for text in sys.stdin:
            with contextlib.suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(lines.put_nowait, text)

    threading.Thread(target=read, daemon=True).start()
    while True:
        yield await lines.get()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `yichuang emulate`."""
    parser.add_argument("kind", choices=["rs485", "printer"], help="what to emulate")
    parser.add_argument("--listen", default="pty://", help="pty://[/stable/link], tcp://127.0.0.1:PORT")
    parser.add_argument(
        "--node",
        action="append",
        default=[],
        metavar="KIND:ADDRESS",
        help="on rs485: keypad:7, keypad:1-6, rating:0x81-0x86, rating:0x87:b, strip:3, PROFILE:3, FILE.toml:3; may be repeated",
    )
    parser.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="[ADDRESS:]NAME=VALUE",
        help="lossy=5%%, slow=20ms, noisy=5%%, unplugged=3s, ADDRESS:deaf=2; printer: paper=30mm, cover=on; may be repeated",
    )
    parser.add_argument(
        "--panel", type=int, metavar="PORT", help="a page on this PC to press the keys on; 0 is any free port"
    )
    parser.add_argument(
        "--baud", type=int, default=0, metavar="N", help="on rs485: bytes take as long as at this speed"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


async def run(arguments: argparse.Namespace) -> int:
    """Run the command; 0 done, 1 the line is not to be had, 2 wrong usage."""

    def say(event: dict[str, object]) -> None:
        text = json.dumps(event, ensure_ascii=False) if arguments.json else _plain(event)
        sys.stdout.write(text + "\n")
        sys.stdout.flush()

    try:
        await emulate(
            arguments.kind,
            arguments.listen,
            arguments.node,
            arguments.fault,
            commands=_typed(),
            say=say,
            panel=arguments.panel,
            baud=arguments.baud,
        )
    except ValueError as error:
        say({"event": "wrong", "reason": str(error)})
        return 2
    except Unavailable as error:
        say({"event": "unavailable", "reason": str(error)})
        return 1
    return 0


def _plain(event: dict[str, object]) -> str:
    if event["event"] == "help":
        return str(event["text"])
    return "  ".join(str(v) if k in ("event", "device") else f"{k}={v}" for k, v in event.items())


def main(argv: Sequence[str] | None = None) -> int:
    """`yichuang emulate`; also `python -m devices.emulators`."""
    parser = argparse.ArgumentParser(prog="yichuang emulate", description=__doc__)
    add_arguments(parser)
    with contextlib.suppress(KeyboardInterrupt):
        return asyncio.run(run(parser.parse_args(argv)))
    return 0
