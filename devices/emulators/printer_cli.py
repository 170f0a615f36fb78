"""`yichuang emulate printer`: a ticket printer on a pty or a socket, whose tickets are told and whose paper runs out at a word."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Final

from devices.emulators.bench import Bench, Placed, Station
from devices.emulators.faults import UNPLUGGED, split_fault
from devices.emulators.printer import SWITCHES, EmulatedPrinter
from devices.emulators.printer_model import Model
from devices.transport import Unavailable

Say = Callable[[dict[str, object]], None]

LOOK_S: Final = 0.1
HELP: Final = """\
paper plenty | out | DOTS | 30mm   what is left on the roll: it may end in the middle of a ticket
near DOTS                    from here on the paper is near its end
jam_in DOTS                  jam when so much more paper has moved
cover | jam | deaf | mute    on | off
presenter auto | command | none   full_status on | off    what a kiosk's printer has
take                         take the ticket from the outlet
fault NAME=VALUE             of its line: lossy=5% noisy=5% slow=2ms unplugged=3s, and noise corrupt lose, counting down
unplug | plug | show | help | quit"""


def printer_bench(printer: EmulatedPrinter) -> Bench:
    """A printer as the one station of a panel."""
    bench = Bench({"zh": "模拟打印机", "en": "Emulated printer"})
    bench.stations["printer"] = Station("printer", {"zh": "打印机", "en": "Printer"})
    name = {"zh": "打印机", "en": "Printer"}
    bench.place(Placed(id="printer", station="printer", line="printer", name=name), printer)
    return bench


async def emulate_printer(
    printer: EmulatedPrinter, faults: list[str], *, commands: AsyncIterator[str], say: Say
) -> None:
    """Obey until `commands` end; `say` is told the URL, every ticket that was cut, and every change."""
    for fault in faults:
        await _fault(printer, fault)
    async with asyncio.TaskGroup() as group:
        say({"event": "listening", "url": "" if printer.cable.pulled else printer.url})
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


async def _fault(printer: EmulatedPrinter, text: str) -> None:
    address, name, value = split_fault(text)
    if address is not None:
        raise ValueError(f"{text!r}: a printer has no address")
    await printer.set_fault(name, value)


async def _watch(printer: EmulatedPrinter, say: Say) -> None:
    told = 0
    while True:
        interpreter = printer.interpreter
        fresh = min(interpreter.cuts - told, len(interpreter.papers))
        for paper in list(interpreter.papers)[len(interpreter.papers) - fresh :]:
            say({"event": "printed", "text": paper.text, "codes": paper.codes, "cut": paper.cut})
        told = interpreter.cuts
        await asyncio.sleep(LOOK_S)


async def _obey(printer: EmulatedPrinter, words: list[str], say: Say) -> None:
    match words:
        case []:
            pass
        case ["unplug"]:
            await printer.set_fault(UNPLUGGED, "on")
            say({"event": "unplugged"})
        case ["plug"]:
            await printer.set_fault(UNPLUGGED, "off")
            say({"event": "listening", "url": printer.url})
        case ["take"]:
            printer.model.at_output = False
            await printer.changed()
            _tell(printer.model, say)
        case ["presenter", "none" | "auto" | "command" as how]:
            printer.model.presenter = how
            _tell(printer.model, say)
        case ["full_status", "on" | "off" as value]:
            printer.model.full_status = value == "on"
            _tell(printer.model, say)
        case ["show"]:
            _tell(printer.model, say)
        case ["help"]:
            say({"event": "help", "text": HELP})
        case ["fault", text]:
            await _fault(printer, text)
            _tell(printer.model, say)
        case [name, value] | ["fault", name, value]:
            await printer.set_fault(name, value)
            _tell(printer.model, say)
        case _:
            raise ValueError("not understood: try help")


def _tell(model: Model, say: Say) -> None:
    state = {"out": model.out, "near_end": model.near_end, **{name: getattr(model, name) for name in SWITCHES}}
    if model.presenter != "none":
        state |= {"at_output": model.at_output, "retracted": model.retracted, "ejected": model.ejected}
    say({"event": "device", "device": "printer", **state})
