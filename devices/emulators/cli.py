"""`yichuang emulate`: emulated devices on a pty, a socket or in memory, with keys to press and faults to cause."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Final

from devices.emulators.bx import EmulatedBx
from devices.emulators.nodes import AnyNode, EmulatedKeypad, EmulatedRatingPad, EmulatedStrip
from devices.emulators.printer_cli import emulate_printer
from devices.emulators.rs485 import Faults, Rs485BusEmulator
from devices.emulators.templated import EmulatedTemplatePad
from devices.emulators.voices import EmulatedVoice
from devices.profiles import PROFILES
from devices.profiles.files import load_profile
from devices.protocols.keymaps import Key
from devices.transport import Unavailable

Say = Callable[[dict[str, object]], None]

WATCH_S: Final = 0.5
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
fault ADDRESS NAME VALUE     of a device; a wrong name tells the ones there are
fault NAME VALUE             bytewise slow_ms split_ms noise corrupt lose lose_acks
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
    kind: str, url: str, nodes: Sequence[str], faults: Sequence[str], *, commands: AsyncIterator[str], say: Say
) -> None:
    """Run an emulated line until `commands` end; `say` is told the URL, every change and every outcome."""
    if kind == "printer":
        await emulate_printer(url, list(faults), commands=commands, say=say)
        return
    if kind != "rs485":
        raise ValueError(f"no emulator for {kind!r}: rs485 or printer")
    if not nodes:
        raise ValueError("an empty line: give --node, such as keypad:7")
    line = Rs485BusEmulator(url, [node for text in nodes for node in parse_node(text)])
    for fault in faults:
        set_fault(line.faults, *fault.partition("=")[::2])
    async with line, asyncio.TaskGroup() as group:
        say({"event": "listening", "url": line.url})
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


def set_fault(faults: Faults, name: str, value: str) -> None:
    """Set one fault by its name; ValueError names the ones there are."""
    known = [part.name for part in fields(Faults)]
    if name not in known:
        raise ValueError(f"no fault {name!r}: {', '.join(known)}")
    setattr(faults, name, value.lower() in ("", "1", "true", "yes") if name == "bytewise" else int(value))


def set_node_fault(node: AnyNode, name: str, value: int) -> None:
    """Set one fault of a device's own; ValueError names the ones there are."""
    if name not in node.fault_names:
        raise ValueError(f"{node.device} has these faults of its own: {', '.join(node.fault_names) or 'none'}")
    setattr(node, name, type(getattr(node, name))(value))


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
        case ["fault", name, value]:
            set_fault(line.faults, name, value)
        case ["fault", address, name, value]:
            for node in _at(line, address):
                set_node_fault(node, name, int(value))
        case ["do", address, verb, *rest]:
            for node in _at(line, address):
                await node.act(verb, rest)
            await line.notify()
        case ["unplug"]:
            await line.unplug()
            say({"event": "unplugged"})
        case ["plug"]:
            await line.plug()
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
        match node:
            case EmulatedStrip() | EmulatedBx():
                node.restart()
            case EmulatedVoice():
                await node.restart()
            case _:
                raise ValueError(f"the device at {address} cannot do that")
    await line.notify()


async def _outcome(work: Awaitable[bool], words: list[str], say: Say) -> None:
    command = " ".join(words)
    try:
        say({"event": "acknowledged" if await work else "unanswered", "command": command})
    except ValueError as error:
        say({"event": "wrong", "command": command, "reason": str(error)})


def _at(line: Rs485BusEmulator, address: str) -> list[AnyNode]:
    found = [node for node in line.nodes if node.address == int(address, 0)]
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
        "--fault", action="append", default=[], metavar="NAME=VALUE", help="noise=4, lose_acks=2; cover=on, paper=800"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


async def run(arguments: argparse.Namespace) -> int:
    """Run the command; 0 done, 1 the line is not to be had, 2 wrong usage."""

    def say(event: dict[str, object]) -> None:
        text = json.dumps(event, ensure_ascii=False) if arguments.json else _plain(event)
        sys.stdout.write(text + "\n")
        sys.stdout.flush()

    try:
        await emulate(arguments.kind, arguments.listen, arguments.node, arguments.fault, commands=_typed(), say=say)
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
