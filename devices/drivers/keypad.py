"""The keypad on a clerk's desk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from devices.drivers.base import BusDriver, HealthChanged
from devices.framing.codec import AnyCodec
from devices.framing.ff68 import FF68
from devices.protocols.base import Ignored, Send
from devices.protocols.keymaps import Keymap
from devices.protocols.keypad import KeyAction, KeypadProtocol, KeypadSettings, KeyTalk


class Keypad(BusDriver[Any]):
    """Tells `pressed(keypad, action)` and shows what it is told; `pressed` returns at once.

    Speaks FF68 unless given another `codec` and `protocol`.
    """

    kind = "keypad"
    codec = FF68

    def __init__(
        self,
        device: str,
        address: int,
        keymap: Keymap,
        *,
        pressed: Callable[[Keypad, KeyAction], None],
        health_changed: HealthChanged,
        settings: KeypadSettings | None = None,
        codec: AnyCodec = FF68,
        protocol: KeyTalk[Any] | None = None,
    ) -> None:
        super().__init__(device, address, health_changed)
        self.codec = codec
        self._protocol = protocol or KeypadProtocol(address, keymap, settings)
        self._pressed = pressed
        self.times_shown = 0
        """How often it was told what to show: whether what stands there is still what somebody put there."""

    def accepts(self, frame: Any) -> bool:
        return self._protocol.keys(frame) is not None

    def understand(self, frame: Any, now_ms: int) -> str:
        trouble = ""
        for output in self._protocol.receive(frame, now_ms):
            match output:
                case Send():
                    self.put([output])
                case KeyAction():
                    self.health.counters["presses"] += 1
                    self._pressed(self, output)
                case Ignored():
                    trouble = self.ignore(output)
        return trouble

    def answer(self, token: int, *, ok: bool, show: str = "") -> None:
        """The server's answer to a press."""
        self.times_shown += 1
        self.put(self._protocol.answer(token, ok=ok, show=show))

    def show(self, text: str) -> None:
        """Show up to six cells: digits and blanks."""
        self.times_shown += 1
        self.put(self._protocol.show(text))

    def beep(self) -> None:
        """Sound the beeper once."""
        self.put(self._protocol.beep())

    def was_away(self, for_ms: int) -> None:
        self._protocol.skip(for_ms)

    def line_up(self, now_ms: int) -> None:
        super().line_up(now_ms)
        self.put(self._protocol.line_up())

    def server_lost(self) -> None:
        """Nobody will answer: presses that wait have failed."""
        self.put(self._protocol.fail_all())

    @property
    def wake_at_ms(self) -> int | None:
        return self._protocol.wake_at_ms

    def wake(self, now_ms: int) -> None:
        self.health.counters["unanswered"] += 1
        self.put(self._protocol.wake(now_ms))
