"""A hall that somebody else's system runs: a master that writes, devices that press, noise and collisions, on a line that only speaks."""

from __future__ import annotations

import asyncio
import contextlib
import os
import termios
import tty
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Self

from devices import profiles
from devices.framing.ff68 import Ff68Frame, encode_ff68
from devices.profiles import PROFILES
from devices.profiles.profile import Serial

WINDOWS = ("1", "2", "3", "4", "5", "6")
KEYPADS = dict(zip(WINDOWS, (0x2B, 0x11, 0x35, 0x23, 0x07, 0x1C), strict=True))
PADS = dict(zip(WINDOWS, (0xA4, 0x91, 0xC2, 0x87, 0xB0, 0x9E), strict=True))
STRIPS = dict(zip(WINDOWS, (0x52, 0x41, 0x66, 0x31, 0x47, 0x5D), strict=True))
WriteStrip = Callable[[int, str], bytes]
Keys = Mapping[str, tuple[str, int]]
"""What is asked for: the digits and the key that mean it in this hall."""


def forget_learnt() -> set[str]:
    """What this process learnt: another that reads a recording knows nothing of it."""
    names = {name for name in PROFILES if name.startswith("learnt-")}
    for name in names:
        profiles._known.pop(name)
    return names


class PtyLine:
    """A pty under the name of a port; `written` is what anybody wrote to it from outside: nothing may."""

    def __init__(self, link: Path) -> None:
        self._link = link
        self._master = self._slave = -1
        self.written = bytearray()

    def open(self) -> None:
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self._link.unlink(missing_ok=True)
        self._link.symlink_to(os.ttyname(self._slave))
        asyncio.get_running_loop().add_reader(self._master, self._overhear)

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._master)
        os.close(self._master)
        os.close(self._slave)
        self._link.unlink(missing_ok=True)

    def heard_at(self, baud: int) -> bool:
        return bool(termios.tcgetattr(self._slave)[4] == getattr(termios, f"B{baud}"))

    def say(self, raw: bytes) -> None:
        with contextlib.suppress(BlockingIOError):
            os.write(self._master, raw)

    def _overhear(self) -> None:
        with contextlib.suppress(OSError):
            self.written += os.read(self._master, 4096)


class OwnLine:
    """A line in memory, for a hall whose time is its own too; one listens to it, and no more can be done through its tap."""

    def __init__(self) -> None:
        self.written = b""
        self.set = Serial()
        self.said: asyncio.Queue[bytes] = asyncio.Queue()

    def open(self) -> None:
        """It is there."""

    def close(self) -> None:
        """It stays there."""

    def heard_at(self, baud: int) -> bool:
        return self.set.baud == baud

    def say(self, raw: bytes) -> None:
        self.said.put_nowait(raw)


class OwnTap:
    """Listens to a line in memory as to a serial port."""

    def __init__(self, line: OwnLine, url: str) -> None:
        self._line, self.url = line, url

    async def open(self) -> None:
        """It is open."""

    async def close(self) -> None:
        """It may be opened again."""

    async def read(self) -> bytes:
        return await self._line.said.get()

    def set_line(self, line: Serial) -> None:
        self._line.set = line
        while not self._line.said.empty():
            self._line.said.get_nowait()


@dataclass(slots=True)
class ForeignHall:
    """`keys`, `levels` (level to key), `ack` and `write` are its secrets; `answer` is what a strip says to a text."""

    link: Path
    keys: Keys
    levels: Mapping[int, int]
    ack: str
    write: WriteStrip
    answer: Callable[[int], bytes] = lambda address: b""
    board: Callable[[str], bytes] | None = None
    baud: int = 9600
    seed: int = 7
    presses: int = 0
    line: PtyLine | OwnLine = field(init=False)
    _random: Random = field(default_factory=Random)
    _ticket: int = 0
    _shown: dict[str, str] = field(default_factory=dict)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.line = PtyLine(self.link)

    async def __aenter__(self) -> Self:
        self._random = Random(self.seed)
        self.line.open()
        self._tasks = [asyncio.create_task(self._polls())]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.line.close()

    async def say(self, raw: bytes) -> None:
        """Bytes on the wire, as long as they take and a gap; at another speed than the hall's they are heard as others."""
        async with self._turn:
            await asyncio.sleep(len(raw) * 10 / self.baud)
            heard = raw
            if not self.line.heard_at(self.baud):
                heard = bytes((byte * 37 + at * 11) & 0xFF for at, byte in enumerate(raw))[: max(1, len(raw) * 2 // 3)]
            self.line.say(heard)
            await asyncio.sleep(0.025)

    async def _polls(self) -> None:
        """The master writes every strip anew in turn and shows stars, as old systems do; now and then there is noise."""
        turn = 0
        while True:
            window = WINDOWS[turn % len(WINDOWS)]
            await self._strip(window, self._shown.get(window, "暂停服务"))
            await self.say(encode_ff68(Ff68Frame(PADS[window], 0x02, b"\x05")))
            if turn % 4 == 3:
                await self.say(self._random.randbytes(self._random.randrange(1, 5)))
            turn += 1
            await asyncio.sleep(0.05)

    async def _strip(self, window: str, text: str) -> None:
        self._shown[window] = text
        await self.say(self.write(STRIPS[window], text))
        if answer := self.answer(STRIPS[window]):
            await self.say(answer)

    async def press(self, window: str, what: str, *, digits: str | None = None) -> None:
        """A key of a keypad: every third collides first and is repeated; the master echoes, and calls when it is a call."""
        typed, key = self.keys[what]
        frame = Ff68Frame(KEYPADS[window], 0x01, bytes((*map(int, typed if digits is None else digits), key)))
        await self._pressed(frame, frame)
        await self.say(encode_ff68(Ff68Frame(KEYPADS[window], 0x02, b"\x0a\x0a\x0a\x00\x01\x02")))
        if what in ("next", "call"):
            self._ticket += 1
            number = f"{'AB'[self._ticket % 2]}{self._ticket:03d}"
            text = f"请{number}号" + (f"到{window}号窗口" if self._ticket % 3 == 0 else "")
            await self._strip(window, text)
            if self.board is not None:
                await self.say(self.board(f"请{number}号到{window}号窗口"))
        if what == "evaluate":
            await self.say(encode_ff68(Ff68Frame(PADS[window], 0x01, b"\x0b")))

    async def rate(self, window: str, level: int) -> None:
        """A key of a rating device."""
        key = bytes((self.levels[level],))
        bare = Ff68Frame(PADS[window], 0x01, b"", lead=False)
        await self._pressed(
            Ff68Frame(PADS[window], 0x11, key), bare if self.ack == "b" else Ff68Frame(PADS[window], 0x01, key)
        )

    async def _pressed(self, frame: Ff68Frame, answer: Ff68Frame) -> None:
        self.presses += 1
        raw = encode_ff68(frame)
        if self.presses % 3 == 0:
            broken = bytearray(raw)
            broken[self._random.randrange(5, len(raw) - 1)] ^= 0x55
            await self.say(bytes(broken))
            await asyncio.sleep(0.1)
        await self.say(raw)
        if self.presses % 5 == 0:
            await self.say(raw)  # it repeated before the answer came
        await self.say(encode_ff68(answer))
