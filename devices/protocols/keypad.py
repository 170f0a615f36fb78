"""The FF68 keypad: from frames to what a clerk asks for, and what the keypad shows (HARDWARE 2.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from devices.framing.ff68 import Ff68Frame
from devices.protocols.base import Ignored, Send
from devices.protocols.keymaps import Action, Keymap

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


KeypadOutput = Send[Ff68Frame] | KeyAction | Ignored


class KeypadProtocol:
    """One keypad's conversation. Times are milliseconds of any clock that never goes back."""

    def __init__(self, address: int, keymap: Keymap, settings: KeypadSettings | None = None) -> None:
        self._address = address
        self._keymap = keymap
        self._settings = settings or KeypadSettings()
        self._pending: dict[int, int] = {}  # token -> when it fails
        self._last: tuple[bytes, int] | None = None
        self._token = 0
        self._shown: str | None = None

    def receive(self, frame: Ff68Frame, now_ms: int) -> list[KeypadOutput]:
        """A frame from the keypad: echoed back unchanged as its acknowledgement, then understood."""
        if frame.function != PRESSED:
            return [Ignored(f"function {frame.function:02X}")]
        outputs: list[KeypadOutput] = [Send(frame)]
        repeated = self._last is not None and self._last[0] == frame.data
        repeated = repeated and self._last is not None and now_ms - self._last[1] < self._settings.repeat_ms
        # From the latest repetition on: a keypad that hears no acknowledgement may repeat for longer than repeat_ms.
        self._last = (frame.data, now_ms)
        return outputs if repeated else outputs + self._understand(frame.data, now_ms)

    def _understand(self, data: bytes, now_ms: int) -> list[KeypadOutput]:
        *typed, key = data or b"\x00"
        if not data or any(digit > 9 for digit in typed):
            return [Ignored(f"keys {data.hex(' ')}")]
        meaning = self._keymap.action(key, "".join(map(str, typed)))
        if meaning is None:
            return [Ignored(f"keys {data.hex(' ')} have no meaning in {self._keymap.name}")]
        action, digits = meaning
        if action is Action.SHOW_ADDRESS:
            return [self._cells(str(self._address))]
        if len(self._pending) >= PENDING_LIMIT:
            return [*self._failure()]
        self._token += 1
        self._pending[self._token] = now_ms + self._settings.answer_ms
        return [KeyAction(self._token, action, digits)]

    def answer(self, token: int, *, ok: bool, show: str = "") -> list[Send[Ff68Frame]]:
        """The server's answer. Too late (the keypad showed failure), only the number that was called is shown."""
        if self._pending.pop(token, None) is None:
            return self.show(show) if ok and show else []
        if not ok:
            return self._failure()
        return self.show(show) if show else [self._send(SHOW, SUCCESS, "sign")]

    def show(self, text: str) -> list[Send[Ff68Frame]]:
        """Show up to six cells, right-aligned: digits stand, everything else is a blank cell."""
        self._shown = text
        return [self._cells(text)]

    def line_up(self) -> list[Send[Ff68Frame]]:
        """The line is open (again): what was to be shown may not have arrived."""
        return [] if self._shown is None else [self._cells(self._shown)]

    def _cells(self, text: str) -> Send[Ff68Frame]:
        cells = bytes(int(c) if c in "0123456789" else BLANK for c in text[-CELLS:].rjust(CELLS))
        return self._send(SHOW, cells, "show")

    def beep(self) -> list[Send[Ff68Frame]]:
        """Sound the keypad's beeper once."""
        return [self._send(BEEP, b"", "beep")]

    def _failure(self) -> list[Send[Ff68Frame]]:
        sign = [self._send(SHOW, FAILURE, "sign")]
        return sign + self.beep() if self._settings.beep_on_failure else sign

    def _send(self, function: int, data: bytes, slot: str) -> Send[Ff68Frame]:
        return Send(Ff68Frame(self._address, function, data), slot)

    def fail_all(self) -> list[Send[Ff68Frame]]:
        """The server is gone: every command that waits has failed (law 8: it is never stored)."""
        waiting = bool(self._pending)
        self._pending.clear()
        return self._failure() if waiting else []

    @property
    def wake_at_ms(self) -> int | None:
        """When `wake` has something to do."""
        return min(self._pending.values(), default=None)

    def wake(self, now_ms: int) -> list[Send[Ff68Frame]]:
        """Show failure for commands that were not answered in time (law 8)."""
        late = [token for token, deadline_ms in self._pending.items() if deadline_ms <= now_ms]
        for token in late:
            del self._pending[token]
        return self._failure() if late else []
