"""What an emulated printer is and how it is now: paper, cover, jam, outlet, and the status bytes that say so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(slots=True, kw_only=True)
class Model:
    """What this printer is, and how it is now; change it while it runs and call `EmulatedPrinter.changed`.

    `paper_dots`: paper left, None for plenty. `near_dots`: from here on it is near its end. `mute`: answers nothing.
    `confirms`: answers GS r.
    `deaf`: acts offline without a cause. `xoff`: a serial printer that stops the host while it is offline. `hanzi_gs`: GS !
    enlarges hanzi too, as Epson's does. `fixed_bits`, `full_status`: as in the driver's profile. `presenter`: none, auto or
    command, as there; `held` counts cut tickets that were not presented, `at_output` is one that can be taken (set it False),
    `retracted` and `ejected` what became of others. `jam_in_dots`: it jams when so much more paper has moved.
    """

    dots: int = 576
    paper_dots: int | None = None
    near_dots: int = 0
    cover: bool = False
    jam: bool = False
    deaf: bool = False
    mute: bool = False
    confirms: bool = True
    xoff: bool = False
    hanzi_gs: bool = False
    fixed_bits: bool = True
    full_status: bool = False
    presenter: Literal["none", "auto", "command"] = "none"
    held: int = 0
    at_output: bool = False
    retracted: int = 0
    ejected: int = 0
    jam_in_dots: int | None = None

    @property
    def out(self) -> bool:
        """No paper."""
        return self.paper_dots is not None and self.paper_dots <= 0

    @property
    def near_end(self) -> bool:
        """Little paper."""
        return self.paper_dots is not None and self.paper_dots <= self.near_dots

    @property
    def offline(self) -> bool:
        """Prints nothing now."""
        return self.out or self.cover or self.jam or self.deaf

    def status(self, part: int) -> int:
        """The DLE EOT reply of a part (HARDWARE 4.1)."""
        value = 0x12 if self.fixed_bits else 0
        match part:
            case 1:
                return value | 0x08 * self.offline
            case 2:
                return value | 0x04 * self.cover | 0x20 * self.out | 0x40 * self.jam
            case 3:
                return value | 0x08 * self.jam
            case _:
                return value | 0x0C * self.near_end | 0x60 * self.out

    def move(self, dots: int) -> None:
        """Paper moves, and may end or jam."""
        if self.paper_dots is not None:
            self.paper_dots -= dots
        if self.jam_in_dots is not None:
            self.jam_in_dots -= dots
            if self.jam_in_dots <= 0:
                self.jam, self.jam_in_dots = True, None

    def eject(self, what: int) -> None:
        """GS e: draw the ticket back, present it, or throw it out."""
        match what:
            case 2:
                self.retracted += self.held + self.at_output
                self.held, self.at_output = 0, False
            case 3 if self.held:
                self.held, self.at_output = self.held - 1, True
            case 5:
                self.ejected += self.held + self.at_output
                self.held, self.at_output = 0, False
            case _:
                pass

    def cut(self) -> None:
        """A ticket is free: it falls out, or the outlet holds it."""
        if self.presenter == "auto":
            self.at_output = True
        self.held += self.presenter == "command"

    def asb(self) -> bytes:
        """Four bytes of automatic status."""
        first = 0x10 | 0x08 * self.offline | 0x20 * self.cover
        return bytes((first, 0x08 * self.jam, 0x03 * self.near_end | 0x0C * self.out, 0))

    def full(self) -> bytes:
        """Full status of kiosk printers."""
        paper = 0x01 * self.out | 0x04 * self.near_end | 0x20 * self.at_output
        return bytes((0x10, 0x0F, paper, 0x03 * self.cover, 0x40 * self.jam, 0x01 * self.jam))
