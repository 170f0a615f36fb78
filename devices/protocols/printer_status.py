"""What a ticket printer's status bits mean, by the tables of HARDWARE 4.1; pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from queue_server.wire.common import PrinterState

BLOCKED: Final = frozenset(
    (PrinterState.OUT, PrinterState.JAM, PrinterState.COVER, PrinterState.OFFLINE, PrinterState.UNREADABLE)
)
TORN: Final = frozenset((PrinterState.OUT, PrinterState.JAM, PrinterState.COVER))
"""Ends a ticket under way; a printer that is merely offline or silent may still answer."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What the bits say; unknown things count as fine until a bit says otherwise.

    `at_output`: a ticket waits to be taken, which only full status tells.
    """

    offline: bool = False
    cover: bool = False
    out: bool = False
    near_end: bool = False
    jam: bool = False
    error: bool = False
    at_output: bool = False
    heard: bool = False

    @property
    def state(self) -> PrinterState:
        """The worst that is known, in the order in which somebody would mend it."""
        if not self.heard:
            return PrinterState.UNREADABLE
        if self.jam:
            return PrinterState.JAM
        if self.cover:
            return PrinterState.COVER
        if self.out:
            return PrinterState.OUT
        if self.offline or self.error:
            return PrinterState.OFFLINE
        return PrinterState.NEAR_END if self.near_end else PrinterState.OK


def read_status(condition: Condition, part: int, value: int) -> Condition:
    """A DLE EOT reply put into the condition; masks, never equality (Reliance omits the fixed bits)."""
    match part:
        case 1:
            return replace(condition, offline=bool(value & 0x08), heard=True)
        case 2:
            out = bool(value & 0x20)
            return replace(condition, cover=bool(value & 0x04), out=out, error=bool(value & 0x40), heard=True)
        case 3:
            return replace(condition, jam=bool(value & 0x0C), error=condition.error or bool(value & 0x60), heard=True)
        case _:
            out = condition.out or bool(value & 0x60)
            return replace(condition, near_end=bool(value & 0x0C), out=out, heard=True)


def read_asb(data: bytes) -> Condition:
    """Four ASB bytes as a condition of their own."""
    first, second, third, _ = data
    return Condition(
        offline=bool(first & 0x08),
        cover=bool(first & 0x20),
        jam=bool(second & 0x0C),
        error=bool(second & 0x60),
        near_end=bool(third & 0x03),
        out=bool(third & 0x0C),
        heard=True,
    )


def read_full(condition: Condition, data: bytes) -> Condition:
    """Full status of Custom and Reliance printers put over what DLE EOT said: it alone tells a jam from a fault."""
    paper, user, recoverable, fatal = data
    return replace(
        condition,
        out=condition.out or bool(paper & 0x01),
        near_end=condition.near_end or bool(paper & 0x04),
        cover=condition.cover or bool(user & 0x03),
        jam=condition.jam or bool(recoverable & 0x40) or bool(fatal & 0x01),
        error=condition.error or bool(recoverable & 0x0B),
        at_output=bool(paper & 0x20),
        heard=True,
    )
