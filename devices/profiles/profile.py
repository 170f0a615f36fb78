"""What a profile is: one model of device, by name, with everything that differs from other models."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final, Protocol, TypeVar

import msgspec

from devices.drivers.base import AnyDriver
from devices.drivers.health import Health
from devices.drivers.idreader import IdReader
from devices.drivers.keypad import Keypad
from devices.drivers.rating import RatingPad, Store
from devices.drivers.scanner import Scanner
from devices.emulators.nodes import AnyNode
from devices.framing.codec import AnyCodec
from devices.profiles.wording import UNWORDED, Wording
from devices.protocols.idcard import Card
from devices.protocols.keypad import KeyAction
from queue_server.wire.agent import DeviceEntry
from queue_server.wire.common import PrinterState

S = TypeVar("S")
ELSEWHERE: Final = frozenset(("cells", "zone"))
"""Settings of strips and boards that are read elsewhere: by the rendering of their text and by the server."""
ELSEWHERE_KIOSK: Final = frozenset(("kiosk",))
"""A setting of scanners and ID card readers that the server reads: the kiosk they belong to."""


class Printer(Protocol):
    """A ticket printer as the agent sees it; it owns its line alone."""

    @property
    def device(self) -> str:
        """Its id."""

    @property
    def health(self) -> Health:
        """How it is."""

    @property
    def printer_state(self) -> PrinterState:
        """Paper, cover, jam (UX K-11)."""

    @property
    def busy(self) -> bool:
        """Whether a paper is being printed, or waits to be."""

    async def run(self) -> None:
        """Keep it connected until cancelled; a print under way then ends as failed or unknown."""

    async def print(self, paper: bytes, expires_in_ms: int) -> tuple[str, str]:
        """Print a ticket's paper (JSON) once, or not at all once expired: printed|failed|unknown and the reason."""


Device = AnyDriver | Printer
PrinterMaker = Callable[[DeviceEntry, Callable[[Device], None]], Printer]
"""Makes a printer of an entry, which calls back when its health changes; ValueError when the entry makes no sense."""


def _unheard(device: object, said: object) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Calls:
    """What devices tell, and how printers are made.

    `card`: a card that was laid on a reader, None when it cannot be read. `code`: the text of a code that was scanned. Both are
    personal: they go to the page that waits for them, and are neither stored nor logged.
    """

    pressed: Callable[[Keypad, KeyAction], None]
    rated: Store
    health_changed: Callable[[Device], None]
    printer: PrinterMaker
    card: Callable[[IdReader, Card | None], None] = _unheard
    code: Callable[[Scanner, str], None] = _unheard


async def _nowhere(pad: RatingPad, level: int, age_ms: int) -> None:
    return None


def _no_printer(entry: DeviceEntry, changed: object) -> Printer:
    raise ValueError("no printer here")


NOBODY: Final = Calls(lambda keypad, action: None, _nowhere, lambda device: None, _no_printer)
"""For a driver that is made only to see whether it can be."""


@dataclass(frozen=True, slots=True)
class Serial:
    """A serial line as a device wants it; a URL's own options win. `baud` also paces a gateway's line."""

    baud: int = 9600
    bits: int = 8
    parity: str = "N"
    stop: str = "1"


Maker = Callable[[DeviceEntry, Mapping[str, str], Calls], AnyDriver]
"""Makes the driver of an entry, given its settings without those of the line; ValueError says what to mend."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One model of device: `name` is what a device map says, `kinds` what it may be there.

    `page`: its page in docs/devices. `emulate`: the other end at an address. `wording`: its frames as plain values, for
    `yichuang devices`. `pattern`: show or say a text, for a driver that is no strip, keypad or rating device. `personal`: its
    bytes may hold personal data, and what is no whole frame is never shown. `experimental`: known from one source only.
    """

    name: str
    kinds: frozenset[str]
    title: str
    page: str
    codec: AnyCodec
    make: Maker
    emulate: Callable[[int], AnyNode]
    wording: Wording[Any] = UNWORDED
    pattern: Callable[[AnyDriver, str], None] | None = None
    serial: Serial = Serial()
    personal: bool = False
    experimental: bool = False


def read_settings(kind: type[S], found: Mapping[str, str], **given: Any) -> S:
    """`found` as the dataclass `kind`, text turned into its types; an unknown or unreadable setting is a ValueError."""
    known = {part.name for part in fields(kind)} - set(given)  # type: ignore[arg-type]
    if unknown := sorted(set(found) - known):
        raise ValueError(f"unknown setting {unknown[0]!r}: {', '.join(sorted(known))}")
    try:
        read = msgspec.convert(dict(found) | given, kind, strict=False)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from error
    return read


def levels(entry: DeviceEntry) -> Mapping[int, int]:
    """The entry's level map (RULES 43); ValueError when its keys are no numbers."""
    try:
        return {int(key): level for key, level in entry.levels.items()}
    except ValueError:
        raise ValueError(f"levels go from decimal key codes to 5…1: {entry.levels}") from None
