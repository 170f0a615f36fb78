"""What every device on a shared line is to its bus."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from typing import Any, ClassVar, Protocol

from devices.drivers.health import Health
from devices.framing.a090 import A090Ack, A090Frame
from devices.framing.ff68 import Ff68Frame
from devices.protocols.base import Ignored, Send
from queue_server.wire.common import DeviceState

LineFrame = Ff68Frame | A090Frame | A090Ack
HealthChanged = Callable[["BusDriver"], None]

BABBLE_BURST = 20
"""Frames a device may send at once; a keypad that repeats a key every 100 ms stays below."""
BABBLE_PER_S = 10


class Line(Protocol):
    """What a bus offers its drivers."""

    def send(self, driver: BusDriver, send: Send[LineFrame]) -> None:
        """Queue a frame; it is dropped while the line is down."""

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run `work` under the bus's task group."""

    def now_ms(self) -> int:
        """Milliseconds on the bus's clock, which never goes back."""

    def reschedule(self) -> None:
        """Some driver's `wake_at_ms` has changed."""


class BusDriver:
    """One live device on a line: its protocol, its health, what it tells and what it is told."""

    kind: ClassVar[str]
    frames: ClassVar[type | tuple[type, ...]]
    """The frame types of its protocol: with the address they route what a line delivers."""

    def __init__(self, device: str, address: int, health_changed: HealthChanged) -> None:
        if not 0 <= address <= 0xFF:
            raise ValueError(f"{device}: an address is one byte, not {address}")
        self.device = device
        self.address = address
        self.health = Health(device, lambda: health_changed(self))
        self._line: Line | None = None
        self._allowance = float(BABBLE_BURST)
        self._babbling = False
        self._counted_ms = 0

    @property
    def line(self) -> Line:
        """The bus it is attached to."""
        if self._line is None:
            raise RuntimeError(f"{self.device} is on no line")
        return self._line

    def attach(self, line: Line) -> None:
        """Called by the bus."""
        self._line = line

    def accepts(self, frame: LineFrame) -> bool:
        """Whether a frame of its protocol and address is for it (a keypad and a rating device may share one address)."""
        return True

    def receive(self, frame: LineFrame, now_ms: int) -> None:
        """A frame from the device; from one that sends without pause everything is dropped until it rests."""
        self.health.last_seen_ms = now_ms
        self.health.counters["frames"] += 1
        if self._babbles(now_ms):
            self.health.counters["babble"] += 1
            self.health.become(DeviceState.DEGRADED, "sends without pause")
            return
        if trouble := self.understand(frame, now_ms):
            self.health.become(DeviceState.DEGRADED, trouble)
        else:
            self.health.become(DeviceState.ONLINE)
        self.line.reschedule()

    def _babbles(self, now_ms: int) -> bool:
        elapsed_ms, self._counted_ms = now_ms - self._counted_ms, now_ms
        self._allowance = min(BABBLE_BURST, self._allowance + elapsed_ms * BABBLE_PER_S / 1000)
        self._babbling = self._allowance < (BABBLE_BURST / 2 if self._babbling else 1)
        # Dropped frames cost too: a device comes back by resting, not by waiting.
        self._allowance = max(0.0, self._allowance - 1)
        return self._babbling

    def understand(self, frame: LineFrame, now_ms: int) -> str:
        """Do what the frame means; answers what is wrong with the device, or nothing."""
        raise NotImplementedError

    def ignore(self, ignored: Ignored) -> str:
        """A frame without meaning: counted, and the device is degraded until it makes sense again."""
        self.health.counters["ignored"] += 1
        return ignored.reason

    def put(self, sends: Iterable[Send[LineFrame]]) -> None:
        """Queue what a protocol wants sent."""
        for send in sends:
            self.line.send(self, send)
        self.line.reschedule()

    def sent(self, now_ms: int) -> None:
        """A frame of its has left."""

    @property
    def wake_at_ms(self) -> int | None:
        """When `wake` is due."""
        return None

    def wake(self, now_ms: int) -> None:
        """Time has come."""

    def line_up(self, now_ms: int) -> None:
        """The line is open; nothing is known of the device yet."""
        self.health.become(DeviceState.UNKNOWN)

    def line_down(self, error: str) -> None:
        """The line is gone, and the device with it."""
        self.health.become(DeviceState.OFFLINE, error)
