"""`yichuang emulate`: emulated lines on ptys, sockets or in memory, with keys to press and faults to cause."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import sys
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from devices.emulators.bench import bench_of
from devices.emulators.bus_words import BusWords
from devices.emulators.faults import UNPLUGGED
from devices.emulators.nodes import AnyNode
from devices.emulators.panel import serving_panel
from devices.emulators.printer import EmulatedPrinter
from devices.emulators.printer_words import PrinterWords
from devices.emulators.rs485 import Rs485BusEmulator
from devices.profiles import PROFILES
from devices.profiles.files import load_profile
from devices.transport import Unavailable, parse_url

Say = Callable[[dict[str, object]], None]
LineWords = BusWords | PrinterWords

MIN_BAUD: Final = 50
MAX_BAUD: Final = 4_000_000
TYPED_LIMIT: Final = 64
"""Typed commands that wait; who types more waits."""
SHORT: Final = {"keypad": "hallquefront", "rating": "ff68", "strip": "a090", "board": "a090"}
"""Short names of nodes; every profile's own name is one too."""
SEVERAL: Final = """\
N WORD …                     with several lines a word begins with the number of its line: 2 unplug, 2 help
show | help | quit           are for all of them; show tells each line's number"""


def parse_node(text: str) -> list[AnyNode]:
    """`keypad:7`, `keypad:1-6`, `rating:0x87:b`, `strip:3`, or a profile's name: `aaqt:3`; ValueError says what is wrong."""
    name, _, rest = text.partition(":")
    span, more, variant = rest.partition(":")
    if more and name != "rating":
        raise ValueError(f"{text!r}: only a rating device has something after its address, its model: rating:0x87:b")
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One line. `kind`: rs485 or printer. `url`: where it listens. At `baud` its bytes take time, at 0 none."""

    kind: str = "rs485"
    url: str
    nodes: Sequence[str] = ()
    faults: Sequence[str] = ()
    baud: int = 0


async def emulate(asked: Sequence[Asked], *, commands: AsyncIterator[str], say: Say, panel: int | None = None) -> None:
    """Run emulated lines until `commands` end; `say` is told all, by line if there are several; `panel` is a port.

    ValueError: wrong usage. `Unavailable`: none of the lines, or not the panel's port; one of several that is not to be had
    is told and has its plug out.
    """
    async with contextlib.AsyncExitStack() as stack:
        lines, refused = await _begun(asked, say, stack)
        if len(refused) == len(lines):
            raise Unavailable("; ".join(refused.values()))
        if panel is not None:
            address = await stack.enter_async_context(serving_panel(bench_of([words.line for words in lines]), panel))
            say({"event": "panel", "url": address})
        tasks = await stack.enter_async_context(asyncio.TaskGroup())
        for words in lines:
            if words in refused:
                words.say({"event": "unavailable", "reason": refused[words]})
            else:
                words.say({"event": "listening", "url": ""} if words.line.cable.pulled else _listening(words))
        watches = [tasks.create_task(words.watch()) for words in lines]
        async for text in commands:
            if text.split()[:1] == ["quit"]:
                break
            await _hear(lines, text, tasks, say)
        for watch in watches:
            watch.cancel()


async def _begun(
    asked: Sequence[Asked], say: Say, stack: contextlib.AsyncExitStack
) -> tuple[list[LineWords], dict[LineWords, str]]:
    """All lines, those that could be had plugged in, and why the others could not."""
    lines: list[LineWords] = []
    refused: dict[LineWords, str] = {}
    links: set[str] = set()
    for number, each in enumerate(asked, 1):
        try:
            words = _made(each, say if len(asked) == 1 else _telling(number, say))
            address = parse_url(each.url)
            if address.scheme == "pty" and address.path:
                if address.path in links:
                    raise ValueError(f"--listen {each.url}: another line has this link")
                links.add(address.path)
            words.line.cable.pulled = True  # a plug that does not go in leaves a line that can be plugged in later
            await stack.enter_async_context(words.line)
            for fault in (f"{UNPLUGGED}=off", *each.faults):
                try:
                    await words.fault(fault)
                except Unavailable as error:
                    refused[words] = str(error)
        except ValueError as error:
            raise ValueError(str(error) if len(asked) == 1 else f"line {number}: {error}") from error
        lines.append(words)
    return lines, refused


def _made(asked: Asked, say: Say) -> LineWords:
    if asked.kind == "printer":
        if asked.nodes or asked.baud:
            raise ValueError("--node and --baud are for rs485; a printer's pace is --fault slow=2ms")
        return PrinterWords(EmulatedPrinter(asked.url), say)
    if not asked.nodes:
        raise ValueError("an empty line: give --node, such as keypad:7")
    if asked.baud and not MIN_BAUD <= asked.baud <= MAX_BAUD:
        raise ValueError(f"--baud: {asked.baud} is no speed of a line; {MIN_BAUD} to {MAX_BAUD}")
    nodes = [node for text in asked.nodes for node in parse_node(text)]
    return BusWords(Rs485BusEmulator(asked.url, nodes, baud=asked.baud), say)


def _listening(words: LineWords) -> dict[str, object]:
    return {"event": "listening", "url": words.line.url}


def _telling(number: int, say: Say) -> Say:
    return lambda event: say({"event": event["event"], "line": number, **event})


async def _hear(lines: Sequence[LineWords], text: str, tasks: asyncio.TaskGroup, say: Say) -> None:
    """Obey; with several lines a command begins with the number of the one it is for."""
    command, meant = text.strip(), lines
    if len(lines) > 1:
        match command.split(None, 1):
            case []:
                pass
            case ["show"]:
                for words in lines:
                    words.say({"event": "unplugged"} if words.line.cable.pulled else _listening(words))
            case ["help"]:
                say({"event": "help", "text": "\n\n".join((SEVERAL, *dict.fromkeys(words.help for words in lines)))})
                return
            case [number, own] if number.isdecimal() and 0 < int(number) <= len(lines):
                command, meant = own, [lines[int(number) - 1]]
            case _:
                reason = f"which line? Begin with its number, 1 to {len(lines)}, such as: 1 unplug"
                say({"event": "wrong", "command": command, "reason": reason})
                return
    for words in meant:
        try:
            await _obey(words, command, tasks)
        except (ValueError, Unavailable) as error:
            words.say({"event": "wrong", "command": command, "reason": str(error)})


async def _obey(words: LineWords, command: str, tasks: asyncio.TaskGroup) -> None:
    match command.split():
        case []:
            pass
        case ["unplug"]:
            await words.line.set_fault(UNPLUGGED, "on")
            words.say({"event": "unplugged"})
        case ["plug"]:
            await words.line.set_fault(UNPLUGGED, "off")
            words.say(_listening(words))
        case ["show"]:
            for seen in words.seen():
                words.say({"event": "device", **seen})
        case ["help"]:
            words.say({"event": "help", "text": words.help})
        case _:
            await words.obey(command, tasks)


async def _typed() -> AsyncIterator[str]:
    """Lines of standard input, read when there is room for them; at its end the devices live on until a signal comes."""
    loop, lines, room = asyncio.get_running_loop(), asyncio.Queue[str](), threading.Semaphore(TYPED_LIMIT)

    def read() -> None:
        # A thread of its own that nobody waits for: a read from a terminal cannot be cancelled.
        for text in sys.stdin:
            room.acquire()
            with contextlib.suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(lines.put_nowait, text)

    threading.Thread(target=read, daemon=True).start()
    while True:
        text = await lines.get()
        room.release()
        yield text


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
    parser.add_argument(
        "--and",
        dest="another",
        action=_Another,
        nargs=argparse.REMAINDER,
        help="another line, with arguments of its own: --and printer --listen tcp://127.0.0.1:9100 --fault paper=30mm; "
        "may be repeated. What is typed then begins with the line's number: 2 unplug",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


class _Another(argparse.Action):
    """What follows `--and` is read by the same parser, as if it stood alone."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        setattr(namespace, self.dest, parser.parse_args(list(values or ())))


async def run(arguments: argparse.Namespace) -> int:
    """Run the command; 0 done, 1 no line is to be had, 2 wrong usage."""
    given = [arguments]
    while given[-1].another is not None:
        given.append(given[-1].another)
    as_json = any(each.json for each in given)
    panels = [each.panel for each in given if each.panel is not None]

    def say(event: dict[str, object]) -> None:
        sys.stdout.write((json.dumps(event, ensure_ascii=False) if as_json else _plain(event)) + "\n")
        sys.stdout.flush()

    asked = [
        Asked(kind=each.kind, url=each.listen, nodes=each.node, faults=each.fault, baud=each.baud) for each in given
    ]
    try:
        if len(panels) > 1:
            raise ValueError("--panel: one page shows all lines; give it once")
        await emulate(asked, commands=_typed(), say=say, panel=panels[0] if panels else None)
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
