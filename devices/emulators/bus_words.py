"""What a person types to an emulated line of devices, and what is told of them: keys, levels, cards and their states."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Final

from devices.emulators.faults import split_fault
from devices.emulators.nodes import AnyNode, EmulatedKeypad, EmulatedRatingPad
from devices.emulators.rs485 import Rs485BusEmulator
from devices.emulators.templated import EmulatedTemplatePad
from devices.protocols.keymaps import Key

Say = Callable[[dict[str, object]], None]

WATCH_S: Final = 0.5
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


class BusWords:
    """Obeys what is typed to the devices of one line, and tells `say` how each is and whether the host answered."""

    help = HELP

    def __init__(self, line: Rs485BusEmulator, say: Say) -> None:
        self.line = line
        self.say = say

    def seen(self) -> list[dict[str, object]]:
        """What can be seen of each device."""
        return [_state(node) for node in self.line.nodes]

    async def fault(self, text: str) -> None:
        """Set one of the line, or `ADDRESS:NAME=VALUE` of a device; ValueError names the ones there are."""
        address, name, value = split_fault(text)
        if address is None:
            await self.line.set_fault(name, value)
            return
        for node in self._at(address):
            node.set_fault(name, value)
        await self.line.notify()

    async def obey(self, command: str, tasks: asyncio.TaskGroup) -> None:
        """Do what only devices on a line do; ValueError when it is not understood. What waits for the host waits in `tasks`."""
        match command.split():
            case ["press", address, *digits, key] if len(digits) <= 1:
                tasks.create_task(self._outcome(_press(self._at(address), key, "".join(digits)), command))
            case ["rate", address, level]:
                tasks.create_task(self._outcome(_rate(self._at(address), _byte("a level", level)), command))
            case ["silence" | "wake" as verb, address]:
                for node in self._at(address):
                    node.silent = verb == "silence"
            case ["restart", address]:
                for node in self._at(address):
                    await node.power_cycle()
            case ["fault", text]:
                await self.fault(text)
            case ["fault", name, value]:
                await self.fault(f"{name}={value}")
            case ["fault", address, name, value]:
                await self.fault(f"{address}:{name}={value}")
            case ["do", address, verb, *rest]:
                for node in self._at(address):
                    await node.act(verb, rest)
            case _:
                raise ValueError("not understood: try help")
        await self.line.notify()

    async def watch(self) -> None:
        """Tell each device's state whenever it is another."""
        told: dict[int, dict[str, object]] = {}
        while True:
            for index, now in enumerate(self.seen()):
                if told.get(index) != now:
                    told[index] = now
                    self.say({"event": "device", **now})
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(WATCH_S):
                    await self.line.change()

    def _at(self, address: str | int) -> list[AnyNode]:
        wanted = address if isinstance(address, int) else _byte("an address", address)
        found = [node for node in self.line.nodes if node.address == wanted]
        if not found:
            raise ValueError(f"no device at {address}")
        return found

    async def _outcome(self, work: Awaitable[bool], command: str) -> None:
        try:
            self.say({"event": "acknowledged" if await work else "unanswered", "command": command})
        except ValueError as error:
            self.say({"event": "wrong", "command": command, "reason": str(error)})


def _state(node: AnyNode) -> dict[str, object]:
    return {"device": node.device, "address": node.address, "silent": node.silent, **node.state()}


def _byte(what: str, text: str, base: int = 0) -> int:
    with contextlib.suppress(ValueError):
        if 0 <= (number := int(text, base)) <= 0xFF:
            return number
    raise ValueError(f"{text!r}: {what} is 0 to 255, written {'7 or 0x87' if base == 0 else '0C'}")


def _press(there: list[AnyNode], key: str, digits: str) -> Awaitable[bool]:
    if digits.strip("0123456789"):
        raise ValueError(f"{digits!r}: digits are 0 to 9")
    for node in there:
        match node:
            case EmulatedKeypad():
                if key.upper() not in Key.__members__:
                    raise ValueError(f"no key {key!r}: {', '.join(Key.__members__).lower()}")
                return node.press(Key[key.upper()], digits)
            case EmulatedTemplatePad():
                return node.press(_byte("a key of a TOML profile", key, 16), digits)
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
