"""Keypads: from frames to what a clerk asks for, and what the keypad shows; FF68 is one of them (HARDWARE 2.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from devices.framing.ff68 import Ff68Frame
from devices.protocols.base import Ignored, Send
from devices.protocols.keymaps import Action, Keymap

FrameT = TypeVar("FrameT")
PRESSED: Final = 0x01
SHOW: Final = 0x02
BEEP: Final = 0x03
BLANK: Final = 0x0A
CELLS: Final = 6
SUCCESS: Final = b"\x01"
FAILURE: Final = b"\x00"
PENDING_LIMIT: Final = 4
"""Commands of one keypad that may wait for the server; the next one fails at once."""


@dataclass(frozen=True, slots=True)
class KeypadSettings:
    """`repeat_ms`: the same frame again within this time of the last one is a repetition (its retries are unpublished)."""

    answer_ms: int = 3000
    repeat_ms: int = 1000
    beep_on_failure: bool = True


@dataclass(frozen=True, slots=True)
class KeyAction:
    """A press to be decided by the server; `token` names it for `answer`."""

    token: int
    action: Action
    digits: str


KeypadOutput = Send[FrameT] | KeyAction | Ignored


class KeyTalk(Generic[FrameT]):
    """One keypad's conversation. Times are milliseconds of any clock that never goes back.

    A protocol implements `keys`, and as many of `echo`, `cells`, `sign` and `beeper` as its keypads understand.
    """

    def __init__(self, address: int, keymap: Keymap, settings: KeypadSettings | None = None) -> None:
        self._address = address
        self._keymap = keymap
        self._settings = settings or KeypadSettings()
        self._pending: dict[int, int] = {}  # token -> when it fails
        self._last: tuple[bytes, int] | None = None
        self._token = 0
        self._shown: str | None = None

    def keys(self, frame: FrameT) -> bytes | None:
        """What a frame says was typed: digits 0…9, one a byte, and a key; None when it is no press."""
        raise NotImplementedError

    def echo(self, frame: FrameT) -> FrameT | None:
        """The acknowledgement of a press."""
        return None

    def cells(self, text: str) -> FrameT | None:
        """Show the last six characters of `text`, right-aligned: digits stand, everything else is a blank cell."""
        return None

    def sign(self, ok: bool) -> FrameT | None:
        """Show success or failure."""
        return None

    def beeper(self) -> FrameT | None:
        """Sound the beeper once."""
        return None

    def receive(self, frame: FrameT, now_ms: int) -> list[KeypadOutput[FrameT]]:
        """A frame from the keypad: acknowledged, then understood."""
        data = self.keys(frame)
        if data is None:
            return [Ignored(f"no press: {frame}")]
        outputs: list[KeypadOutput[FrameT]] = [*self._sends(self.echo(frame), "")]
        repeated = self._last is not None and self._last[0] == data
        repeated = repeated and self._last is not None and now_ms - self._last[1] < self._settings.repeat_ms
        # From the latest repetition on: a keypad that hears no acknowledgement may repeat for longer than repeat_ms.
        self._last = (data, now_ms)
        return outputs if repeated else outputs + self._understand(data, now_ms)

    @staticmethod
    def _sends(frame: FrameT | None, slot: str) -> list[Send[FrameT]]:
        return [] if frame is None else [Send(frame, slot)]

    def _understand(self, data: bytes, now_ms: int) -> list[KeypadOutput[FrameT]]:
        *typed, key = data or b"\x00"
        if not data or any(digit > 9 for digit in typed):
            return [Ignored(f"keys {data.hex(' ')}")]
        meaning = self._keymap.action(key, "".join(map(str, typed)))
        if meaning is None:
            return [Ignored(f"keys {data.hex(' ')} have no meaning in {self._keymap.name}")]
        action, digits = meaning
        if action is Action.SHOW_ADDRESS:
            return [*self._sends(self.cells(str(self._address)), "show")]
        if len(self._pending) >= PENDING_LIMIT:
            return [*self._failure()]
        self._token += 1
        self._pending[self._token] = now_ms + self._settings.answer_ms
        return [KeyAction(self._token, action, digits)]

    def answer(self, token: int, *, ok: bool, show: str = "") -> list[Send[FrameT]]:
        """The server's answer; a refusal that shows something is a question: the cells and the beeper, no sign over them.

        Too late (the keypad showed failure), only the number that was called is shown.
        """
        if self._pending.pop(token, None) is None:
            return self.show(show) if ok and show else []
        if not ok:
            return self.show(show) + self._attention() if show else self._failure()
        return self.show(show) if show else self._sends(self.sign(True), "sign")

    def show(self, text: str) -> list[Send[FrameT]]:
        """Show up to six cells, right-aligned: digits stand, everything else is a blank cell."""
        self._shown = text
        return self._sends(self.cells(text), "show")

    def skip(self, for_ms: int) -> None:
        """For so long nothing could be heard: a press whose echo was lost with the line is repeated only now."""
        if self._last is not None:
            self._last = (self._last[0], self._last[1] + for_ms)

    def line_up(self) -> list[Send[FrameT]]:
        """The line is open (again): what was to be shown may not have arrived."""
        return [] if self._shown is None else self._sends(self.cells(self._shown), "show")

    def beep(self) -> list[Send[FrameT]]:
        """Sound the keypad's beeper once."""
        return self._sends(self.beeper(), "beep")

    def _failure(self) -> list[Send[FrameT]]:
        return self._sends(self.sign(False), "sign") + self._attention()

    def _attention(self) -> list[Send[FrameT]]:
        return self.beep() if self._settings.beep_on_failure else []

    def fail_all(self) -> list[Send[FrameT]]:
        """The server is gone: every command that waits has failed (law 8: it is never stored)."""
        waiting = bool(self._pending)
        self._pending.clear()
        return self._failure() if waiting else []

    @property
    def wake_at_ms(self) -> int | None:
        """When `wake` has something to do."""
        return min(self._pending.values(), default=None)

    def wake(self, now_ms: int) -> list[Send[FrameT]]:
        """Show failure for commands that were not answered in time (law 8)."""
        late = [token for token, deadline_ms in self._pending.items() if deadline_ms <= now_ms]
        for token in late:
            del self._pending[token]
        return self._failure() if late else []


class KeypadProtocol(KeyTalk[Ff68Frame]):
    """An FF68 keypad: it wants its own frame back as the acknowledgement."""

    def keys(self, frame: Ff68Frame) -> bytes | None:
        return frame.data if frame.function == PRESSED else None

    def echo(self, frame: Ff68Frame) -> Ff68Frame:
        return frame

    def cells(self, text: str) -> Ff68Frame:
        return Ff68Frame(self._address, SHOW, cell_bytes(text, BLANK))

    def sign(self, ok: bool) -> Ff68Frame:
        return Ff68Frame(self._address, SHOW, SUCCESS if ok else FAILURE)

    def beeper(self) -> Ff68Frame:
        return Ff68Frame(self._address, BEEP)


def cell_bytes(text: str, blank: int, zero: int = 0) -> bytes:
    """Six cells of a keypad, right-aligned: a digit is `zero` and its value, anything else is `blank`."""
    return bytes(zero + int(c) if c in "0123456789" else blank for c in text[-CELLS:].rjust(CELLS))
