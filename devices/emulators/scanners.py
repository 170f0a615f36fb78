"""Emulated scanners: text with or without an end, modules that answer, and what types."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from devices.emulators.nodes import Node
from devices.framing.codec import AnyCodec
from devices.framing.evdev import DOWN, EVDEV, KEY, SYN, UP, InputEvent
from devices.framing.scans import ALIVE, GM65, HEARTBEAT, TEXT_LINES, WRITE, GmCommand, GmReply, ScanFrame, ScanText
from devices.protocols.scans import keys_of


class EmulatedScanner(Node[Any]):
    """`scan` a code; `end` follows each, `encoding` is how it is sent."""

    device = "scanner"
    acts: ClassVar[tuple[str, ...]] = ("scan TEXT",)

    def __init__(self, address: int = 0, codec: AnyCodec = TEXT_LINES) -> None:
        super().__init__(address)
        self.codec = codec
        self.end = b"\r"
        self.encoding = "utf-8"
        self.scans = 0

    async def scan(self, text: str) -> None:
        """A slip under the scanner."""
        self.scans += 1
        await self.transmit(ScanText(text.encode(self.encoding) + self.end))

    async def act(self, verb: str, words: Sequence[str]) -> None:
        if verb != "scan" or not words:
            await super().act(verb, words)
        await self.scan(" ".join(words))

    async def receive(self, frame: ScanFrame) -> None:
        return None

    def state(self) -> dict[str, object]:
        return {"scans": self.scans}


class EmulatedGm65(EmulatedScanner):
    """A module: acknowledges commands, answers signs of life, scans `next_code` when triggered; `mute` only scans."""

    fault_names = ("mute",)

    def __init__(self, address: int = 0) -> None:
        super().__init__(address, GM65)
        self.next_code = ""
        self.mute = False
        self.commands: list[GmCommand] = []

    async def receive(self, frame: ScanFrame) -> None:
        if self.mute or not isinstance(frame, GmCommand):
            return
        self.commands = [*self.commands[-99:], frame]
        await self.transmit(GmReply(b"\0", ALIVE if frame.command == HEARTBEAT else 2))
        if frame.command == WRITE and frame.address == 2 and self.next_code:
            await self.scan(self.next_code)


class EmulatedWedge(EmulatedScanner):
    """A scanner, card reader or rating pad that types; `end` None or empty sends no Enter."""

    acts = ("scan TEXT", "key CODE")

    def __init__(self, address: int = 0) -> None:
        super().__init__(address, EVDEV)

    async def scan(self, text: str) -> None:
        self.scans += 1
        for event in keys_of(text, 28 if self.end else None):
            await self.transmit(event)

    async def press(self, code: int) -> None:
        """One key, down and up."""
        for value in (DOWN, UP):
            await self.transmit(InputEvent(KEY, code, value))
            await self.transmit(InputEvent(SYN, 0, 0))

    async def act(self, verb: str, words: Sequence[str]) -> None:
        match verb, words:
            case "key", [code]:
                await self.press(int(code, 0))
            case _:
                await super().act(verb, words)
