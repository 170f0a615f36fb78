"""What a person types to an emulated ticket printer, and what is told of it: its tickets, its paper and its cover."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from devices.emulators.faults import split_fault
from devices.emulators.printer import SWITCHES, EmulatedPrinter

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


class PrinterWords:
    """Obeys what is typed to one printer, and tells `say` what it prints and how it is after each word."""

    help = HELP

    def __init__(self, line: EmulatedPrinter, say: Say) -> None:
        self.line = line
        self.say = say

    def seen(self) -> list[dict[str, object]]:
        """How it is."""
        model = self.line.model
        state = {"out": model.out, "near_end": model.near_end, **{name: getattr(model, name) for name in SWITCHES}}
        if model.presenter != "none":
            state |= {"at_output": model.at_output, "retracted": model.retracted, "ejected": model.ejected}
        return [{"device": "printer", **state}]

    async def fault(self, text: str) -> None:
        """Set one, `NAME=VALUE`; ValueError names the ones there are."""
        address, name, value = split_fault(text)
        if address is not None:
            raise ValueError(f"{text!r}: a printer has no address")
        await self.line.set_fault(name, value)

    async def obey(self, command: str, tasks: asyncio.TaskGroup) -> None:
        """Do what only a printer does; ValueError when it is not understood."""
        model = self.line.model
        match command.split():
            case ["take"]:
                model.at_output = False
                await self.line.changed()
            case ["presenter", "none" | "auto" | "command" as how]:
                model.presenter = how
            case ["full_status", "on" | "off" as value]:
                model.full_status = value == "on"
            case ["fault", text]:
                await self.fault(text)
            case [name, value] | ["fault", name, value]:
                await self.line.set_fault(name, value)
            case _:
                raise ValueError("not understood: try help")
        for seen in self.seen():
            self.say({"event": "device", **seen})

    async def watch(self) -> None:
        """Tell every ticket that is cut."""
        told = 0
        while True:
            interpreter = self.line.interpreter
            fresh = min(interpreter.cuts - told, len(interpreter.papers))
            for paper in list(interpreter.papers)[len(interpreter.papers) - fresh :]:
                self.say({"event": "printed", "text": paper.text, "codes": paper.codes, "cut": paper.cut})
            told = interpreter.cuts
            await asyncio.sleep(LOOK_S)
