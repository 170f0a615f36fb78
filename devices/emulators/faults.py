"""Faults of emulated lines and devices by name, the same for every emulator: `lossy=5%`, `slow=20ms`, `7:deaf=2`, `unplugged=3s`."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, fields
from random import Random
from typing import Final

import structlog

from devices.transport import Unavailable

UNPLUGGED: Final = "unplugged"
SHORT: Final = {"slow": "slow_ms", "split": "split_ms", "late": "late_ms", "noisy": "noisy", "lossy": "lossy"}
"""Names for people; the others are the attributes' own."""
MOST: Final = 1_000_000
"""Of anything; a fault that is counted is made in memory."""
AGAIN_S: Final = 0.5
"""A plug that does not go in when its time has come is tried again so often."""
RELISTEN_S: Final = 0.01
"""Between two hosts of an emulated line, and between two tries where none can be heard (a pty whose link's folder is gone)."""
_AMOUNT: Final = re.compile(r"(-?\d+(?:\.\d+)?)(%|ms|s|)")
_SWITCH: Final = {"": True, "on": True, "true": True, "yes": True, "off": False, "false": False, "no": False}

_log = structlog.get_logger("devices.emulators")


@dataclass(slots=True, kw_only=True)
class Faults:
    """What goes wrong on a line; change it while it runs. Counts run down to zero, shares (0…1) stay.

    `lossy`: share of frames, either way, that never arrive. `noisy`: share of a device's frames among random bytes and with a
    flipped bit. `bytewise`: every byte comes alone. `slow_ms`: that long between bytes. `split_ms`: a pause in the middle of
    each frame. `noise`: that many random bytes around each frame. `corrupt`: frames with a flipped bit. `lose`: frames of
    devices that never arrive. `lose_acks`: acknowledgements of the host that no device hears.
    """

    lossy: float = 0.0
    noisy: float = 0.0
    bytewise: bool = False
    slow_ms: int = 0
    split_ms: int = 0
    noise: int = 0
    corrupt: int = 0
    lose: int = 0
    lose_acks: int = 0

    def spoil(self, raw: bytes, random: Random) -> bytes | None:
        """What arrives of a device's frame; None when it does not."""
        if self.lose or random.random() < self.lossy:
            self.lose -= self.lose > 0
            return None
        hit = random.random() < self.noisy
        if self.corrupt or hit:
            self.corrupt -= self.corrupt > 0
            broken = bytearray(raw)
            broken[-2 if len(raw) > 1 else 0] ^= 1 << random.randrange(8)
            raw = bytes(broken)
        noise = random.randbytes(self.noise or 3 * hit)
        return noise + raw + noise[::-1]


LINE_FAULTS: Final = tuple(part.name for part in fields(Faults))


def split_fault(text: str) -> tuple[int | None, str, str]:
    """`7:deaf=2` as (7, "deaf", "2"), `noise=4` as (None, "noise", "4"); ValueError when the address is none."""
    name, _, value = text.partition("=")
    where, colon, rest = name.partition(":")
    if not colon:
        return None, name, value
    try:
        return int(where, 0), rest, value
    except ValueError:
        raise ValueError(f"{text!r}: before ':' stands a device's address, 7 or 0x87") from None


def set_fault(target: object, known: Collection[str], name: str, value: str) -> None:
    """Set one fault by its name or short name; ValueError names the ones there are, or what the value should be."""
    attribute = SHORT.get(name, name)
    if attribute not in known:
        raise ValueError(f"no fault {name!r}: {', '.join(known) or 'none'}")
    setattr(target, attribute, read_fault(attribute, type(getattr(target, attribute)), value))


def read_fault(name: str, kind: type, value: str) -> bool | int | float:
    """A fault's value from text: on, off, a count, a time (20ms, 3s) or a share (5%)."""
    word = value.strip().lower()
    if word in _SWITCH and kind is not float:
        switched: bool | int = kind(_SWITCH[word])
        return switched
    found = _AMOUNT.fullmatch(word)
    if found is None:
        raise ValueError(f"{name}={value}: a value is on, off, a count, a time (20ms, 3s) or a share (5%)")
    amount, unit = float(found[1]), found[2]
    if (
        not 0 <= amount <= MOST
        or (unit == "%") != (kind is float and unit != "")
        or (unit in ("s", "ms") and not name.endswith("_ms"))
    ):
        raise ValueError(f"{name}={value} has no meaning")
    if kind is float:
        share = amount / 100 if unit == "%" else amount
        if share > 1:
            raise ValueError(f"{name}={value}: a share is 0% to 100%")
        return share
    counted: bool | int = kind(amount * 1000 if unit == "s" else amount)
    return counted


class Cable:
    """A plug that can be pulled for good, for a while, and put back. `plug` (or `Unavailable`) and `unplug` do it."""

    def __init__(self, plug: Callable[[], Awaitable[None]], unplug: Callable[[], Awaitable[None]]) -> None:
        self._plug, self._unplug = plug, unplug
        self._back: asyncio.Task[None] | None = None
        self.pulled = False

    async def set(self, value: str) -> None:
        """on: pull it; off: put it back; 3s: pull it, and put it back after that time."""
        word = value.strip().lower()
        for_ms = 0 if word in _SWITCH else int(read_fault("unplugged_ms", int, word))
        pull = _SWITCH.get(word, True)
        await self.close()
        if pull and not self.pulled:
            await self._unplug()
        elif self.pulled and not pull:
            await self._plug()
        self.pulled = pull
        if for_ms:
            self._back = asyncio.create_task(self._later(for_ms))

    async def _later(self, for_ms: int) -> None:
        await asyncio.sleep(for_ms / 1000)
        while self.pulled:
            try:
                await self._plug()
            except Unavailable as error:  # somebody else is in its place now
                _log.warning("plug_refused", error=str(error))
                await asyncio.sleep(AGAIN_S)
            else:
                self.pulled = False

    async def close(self) -> None:
        """It stays as it is."""
        back, self._back = self._back, None
        if back is not None:
            back.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await back
