"""`yichuang emulate printer`: a ticket printer on a pty or a socket, whose tickets are told and whose paper runs out at a word."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Final

from devices.emulators.printer import EmulatedPrinter, Model
from devices.transport import Unavailable

Say = Callable[[dict[str, object]], None]

LOOK_S: Final = 0.1
SWITCHES: Final = ("cover", "jam", "deaf", "mute")
MODEL: Final = ("full_status",)
HELP: Final = """\
paper DOTS | paper plenty    what is left on the roll
near DOTS                    from here on the paper is near its end
cover | jam | deaf | mute    on | off
jam_in DOTS                  jam when so much more paper has moved
presenter auto | command | none   full_status on | off    what a kiosk's printer has
take                         take the ticket from the outlet
unplug | plug | show | help | quit"""


async def emulate_printer(url: str, faults: list[str], *, commands: AsyncIterator[str], say: Say) -> None:
    """Run the printer until `commands` end; `say` is told the URL, every ticket that was cut, and every change."""
    model = Model()
    for fault in faults:
        _set(model, fault.partition("=")[::2])
    async with EmulatedPrinter(url, model) as printer, asyncio.TaskGroup() as group:
        say({"event": "listening", "url": printer.url})
        watch = group.create_task(_watch(printer, say))
        async for text in commands:
            words = text.split()
            if words[:1] == ["quit"]:
                break
            try:
                await _obey(printer, words, say)
            except (ValueError, Unavailable) as error:
                say({"event": "wrong", "command": text.strip(), "reason": str(error)})
        watch.cancel()


async def _watch(printer: EmulatedPrinter, say: Say) -> None:
    while True:
        while printer.papers:
            paper = printer.papers.popleft()
            say({"event": "printed", "text": paper.text, "codes": paper.codes, "cut": paper.cut})
        await asyncio.sleep(LOOK_S)


def _set(model: Model, setting: tuple[str, str]) -> None:
    """One thing about the printer; ValueError names what there is."""
    match setting:
        case ("paper", "plenty"):
            model.paper_dots = None
        case ("paper", dots):
            model.paper_dots = int(dots)
        case ("near", dots):
            model.near_dots = int(dots)
        case ("jam_in", dots):
            model.jam_in_dots = int(dots)
        case ("presenter", "none" | "auto" | "command" as how):
            model.presenter = how
        case (name, "on" | "off" as value) if name in SWITCHES + MODEL:
            setattr(model, name, value == "on")
        case _:
            raise ValueError("not understood: try help")


async def _obey(printer: EmulatedPrinter, words: list[str], say: Say) -> None:
    match words:
        case []:
            pass
        case ["unplug"]:
            await printer.unplug()
            say({"event": "unplugged"})
        case ["plug"]:
            await printer.plug()
            say({"event": "listening", "url": printer.url})
        case ["take"]:
            printer.model.at_output = False
            await printer.changed()
            _tell(printer.model, say)
        case ["show"]:
            _tell(printer.model, say)
        case ["help"]:
            say({"event": "help", "text": HELP})
        case [name, value]:
            _set(printer.model, (name, value))
            await printer.changed()
            _tell(printer.model, say)
        case _:
            raise ValueError("not understood: try help")


def _tell(model: Model, say: Say) -> None:
    state = {"out": model.out, "near_end": model.near_end, **{name: getattr(model, name) for name in SWITCHES}}
    if model.presenter != "none":
        state |= {"at_output": model.at_output, "retracted": model.retracted, "ejected": model.ejected}
    say({"event": "device", "device": "printer", **state})
