"""The devices that an emulated line may hold."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Any, ClassVar, Final, Generic, Protocol, TypeVar

from devices.emulators.faults import set_fault
from devices.framing.a090 import A090, SHOW_STORED, SHOW_TEXT, STORE_TEXT, A090Ack, A090Frame
from devices.framing.codec import AnyCodec, Codec
from devices.framing.ff68 import FF68, Ff68Frame
from devices.protocols.keymaps import Key
from devices.protocols.rating import ACKNOWLEDGE, AckVariant

FrameT = TypeVar("FrameT")
SILENT: Final = "silent"
NodeFrame = Any
"""A frame of any codec."""


class Host(Protocol):
    """What a node needs of its line. `baud`: a frame is heard when its last byte has passed; 0: at once."""

    baud: int

    async def transmit(self, frame: NodeFrame, codec: AnyCodec) -> None:
        """Put a frame on the line."""

    async def notify(self) -> None:
        """Say that the node has changed."""

    async def hang_up(self) -> None:
        """End the connection, as a device that takes one command each."""


class Node(Generic[FrameT]):
    """One device: its codec, an address, and whether it is `silent` (unpowered: it neither hears nor answers)."""

    codec: Codec[FrameT]
    device: ClassVar[str]
    """What `yichuang emulate` calls it."""
    fault_names: ClassVar[tuple[str, ...]] = ()
    """Faults of its own: attributes that `yichuang emulate` may set."""

    acts: ClassVar[tuple[str, ...]] = ()
    """What a person can do to it, as `act` takes it; a word in capitals is theirs to say."""

    def __init__(self, address: int) -> None:
        self.address = address
        self.silent = False
        self._host: Host | None = None

    def set_fault(self, name: str, value: str) -> None:
        """One fault of its own, or `silent`; ValueError names the ones there are."""
        try:
            set_fault(self, (*self.fault_names, SILENT), name, value)
        except ValueError as error:
            raise ValueError(f"{self.device}: {error}") from None

    @property
    def fault_values(self) -> dict[str, object]:
        """How each stands now."""
        return {name: getattr(self, name) for name in (*self.fault_names, SILENT)}

    @property
    def host(self) -> Host:
        """The line it is on."""
        if self._host is None:
            raise RuntimeError(f"{type(self).__name__} {self.address} is on no line")
        return self._host

    def join(self, host: Host) -> None:
        """Called by the line."""
        self._host = host

    async def transmit(self, frame: FrameT) -> None:
        """Say something to the host."""
        await self.host.transmit(frame, self.codec)

    async def receive(self, frame: FrameT) -> None:
        """A frame of the host for this address."""
        raise NotImplementedError

    async def power_cycle(self) -> None:
        """Lose power for a moment; ValueError for what loses nothing by it."""
        restart = getattr(self, "restart", None)
        if restart is None:
            raise ValueError(f"the device at {self.address} cannot do that")
        waits = restart()
        if waits is not None:
            await waits

    def acknowledges(self, frame: FrameT) -> bool:
        """Whether the host's frame acknowledges one of the device: such can be made to get lost."""
        return False

    def state(self) -> dict[str, object]:
        """What a person would see of it."""
        return {}

    async def act(self, verb: str, words: Sequence[str]) -> None:
        """What a person does to it, as the command line says it; ValueError when it cannot."""
        raise ValueError(f"the device at {self.address} cannot do that")


AnyNode = Node[Any]


class Sender(Node[FrameT]):
    """A device that repeats what is not acknowledged. Its timing is our assumption: none is published (HARDWARE 7.4)."""

    repeat_ms = 250
    tries = 5

    def __init__(self, address: int) -> None:
        super().__init__(address)
        self._acknowledged = asyncio.Event()
        self._waiting: FrameT | None = None
        self.presses = 0
        self.repetitions = 0

    async def send(self, frame: FrameT) -> bool:
        """Say it until it is acknowledged; False when it never is."""
        self._acknowledged.clear()
        self._waiting = frame
        self.presses += 1
        for attempt in range(self.tries):
            self.repetitions += attempt > 0
            if not self.silent:
                await self.transmit(frame)
            try:
                async with asyncio.timeout(self.repeat_ms / 1000):
                    await self._acknowledged.wait()
                return True
            except TimeoutError:
                continue
        self._waiting = None
        return False

    @property
    def waiting(self) -> FrameT | None:
        """What it said and still waits for."""
        return self._waiting

    def acknowledge(self) -> None:
        """The host has acknowledged what was said."""
        self._waiting = None
        self._acknowledged.set()


class _Ff68Sender(Sender[Ff68Frame]):
    """A keypad or rating device of the FF68 family."""

    codec = FF68

    def acknowledges(self, frame: Ff68Frame) -> bool:
        return frame.function == ACKNOWLEDGE


class EmulatedKeypad(_Ff68Sender):
    """A keypad: `press` keys, read `cells`, `sign`, `beeps` and how many `answers` (cells or a sign) it was given."""

    device = "keypad"

    def __init__(self, address: int) -> None:
        super().__init__(address)
        self.cells = " " * 6
        self.sign = ""
        self.beeps = 0
        self.answers = 0

    async def press(self, key: Key | int, digits: str = "") -> bool:
        """Type digits and a key; True once the host has echoed the frame."""
        self.sign = ""
        return await self.send(Ff68Frame(self.address, 0x01, bytes((*map(int, digits), key))))

    async def receive(self, frame: Ff68Frame) -> None:
        match frame:
            case Ff68Frame(function=0x01) if frame == self._waiting:
                self.acknowledge()
            case Ff68Frame(function=0x02, data=b"\x01"):
                self.sign = "success"
                self.answers += 1
            case Ff68Frame(function=0x02, data=b"\x00"):
                self.sign = "failure"
                self.answers += 1
            case Ff68Frame(function=0x02, data=data):
                self.cells = "".join(str(cell) if cell < 10 else " " for cell in data)
                self.sign = ""
                self.answers += 1
            case Ff68Frame(function=0x03):
                self.beeps += 1
            case _:
                pass

    def state(self) -> dict[str, object]:
        return {"cells": self.cells, "sign": self.sign, "beeps": self.beeps}


class EmulatedRatingPad(_Ff68Sender):
    """A rating device: `rate` presses a key, `invitations` counts 请评价, `stars` is its star level."""

    device = "rating"

    def __init__(self, address: int, ack: AckVariant = AckVariant.A) -> None:
        super().__init__(address)
        self._ack = ack
        self.invitations = 0
        self.stars = 5

    async def rate(self, level: int) -> bool:
        """Press the key with this level byte; True once acknowledged."""
        return await self.send(Ff68Frame(self.address, 0x11, bytes((level,))))

    async def receive(self, frame: Ff68Frame) -> None:
        match frame:
            case Ff68Frame(function=0x01, data=b"", lead=False) if self._ack is AckVariant.B and self._waiting:
                self.acknowledge()
            case Ff68Frame(function=0x01, data=data, lead=True) if (
                self._ack is AckVariant.A and self._waiting is not None and data == self._waiting.data
            ):
                self.acknowledge()
            case Ff68Frame(function=0x01, data=b"\x0b"):
                self.invitations += 1
            case Ff68Frame(function=0x02, data=data) if len(data) == 1:
                self.stars = data[0]
            case _:
                pass

    def state(self) -> dict[str, object]:
        return {"invitations": self.invitations, "stars": self.stars}


class EmulatedStrip(Node[A090Frame | A090Ack]):
    """A strip or board: `text` and `colours` (one digit a character) are what it shows, `history` its last 100 texts."""

    codec = A090
    device = "strip"

    def __init__(self, address: int, stored: str = "") -> None:
        super().__init__(address)
        self.text = stored
        self.colours = ""
        self.stored = stored
        self.acks = True
        self.history: deque[str] = deque(maxlen=100)

    def restart(self) -> None:
        """Lose the text, as after a power cut."""
        self.text, self.colours = self.stored, ""

    async def receive(self, frame: A090Frame | A090Ack) -> None:
        match frame:
            case A090Frame(command=command, data=data) if command == SHOW_TEXT:
                self.text, self.colours = take_apart(data)
                self.history.append(self.text)
            case A090Frame(command=command) if command == SHOW_STORED:
                self.restart()
            case A090Frame(command=command, data=data) if command == STORE_TEXT:
                self.stored, _ = take_apart(data)
            case _:
                return
        if self.acks:
            await self.transmit(A090Ack(self.address))

    def state(self) -> dict[str, object]:
        return {"text": self.text, "colours": self.colours}


def take_apart(data: bytes) -> tuple[str, str]:
    """DATA of a strip as text and colour digits; what is cut short or no GBK becomes U+FFFD."""
    text, colours, rest = "", "", data
    while rest:
        width = 1 if rest[0] < 0x80 else 2
        text += rest[:width].decode("gbk", "replace")
        colours += str(rest[width]) if len(rest) > width else "?"
        rest = rest[width + 1 :]
    return text, colours
