"""What every device on a line is to its bus."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from devices.drivers.health import Health
from devices.framing.codec import Codec
from devices.protocols.base import Ignored, Mute, Send
from queue_server.wire.common import DeviceState

FrameT = TypeVar("FrameT")
HealthChanged = Callable[["BusDriver[Any]"], None]


class Line(Protocol):
    """What a bus offers its drivers; `up`: it is open."""

    up: bool

    def send(self, driver: BusDriver[Any], send: Send[Any]) -> None:
        """Queue a frame; it is dropped while the line is down."""

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run `work` under the bus's task group."""

    def now_ms(self) -> int:
        """Milliseconds on the bus's clock, which never goes back."""

    def reschedule(self) -> None:
        """Some driver's `wake_at_ms` has changed."""

    @property
    def noise(self) -> dict[str, int]:
        """What the line brought that is no frame, whoever sent it: bytes, and frames with a wrong sum; without what never came."""


class BusDriver(Generic[FrameT]):
    """One live device on a line: its protocol, its health, what it tells and what it is told.

    A driver sets `kind` and `codec` (on the class, or on itself before the bus sees it) and implements `understand`;
    everything else has a default. A device that has its port to itself is a driver alone on its line.
    """

    kind: ClassVar[str]
    codec: Codec[FrameT]
    """With the address it routes what a line delivers."""
    gap_ms: int | None = None
    """Silence after a frame to this device; None: the line's own gap."""
    turnaround_ms: int | None = None
    """Silence after anybody spoke before this device is written to; None: the line's own."""
    babble_burst: ClassVar[int] = 20
    """Frames a device may send at once; a keypad that repeats a key every 100 ms stays below."""
    babble_per_s: ClassVar[int] = 10

    def __init__(self, device: str, address: int, health_changed: HealthChanged) -> None:
        if not 0 <= address <= 0xFF:
            raise ValueError(f"{device}: an address is one byte, not {address}")
        self.device = device
        self.address = address
        self.health = Health(device, lambda: health_changed(self))
        self._line: Line | None = None
        self._allowance = float(self.babble_burst)
        self._babbling = False
        self._counted_ms = 0
        self._gone_at_ms: int | None = None

    @property
    def line_is_up(self) -> bool:
        """Whether its line is open now."""
        return self._line is not None and self._line.up

    @property
    def noise(self) -> dict[str, int]:
        """What its line brought that is no frame."""
        return self._line.noise if self._line is not None else {}

    @property
    def line(self) -> Line:
        """The bus it is attached to."""
        if self._line is None:
            raise RuntimeError(f"{self.device} is on no line")
        return self._line

    def attach(self, line: Line) -> None:
        """Called by the bus."""
        self._line = line

    def accepts(self, frame: FrameT) -> bool:
        """Whether a frame of its codec and address is for it (a keypad and a rating device may share one address)."""
        return True

    def receive(self, frame: FrameT, now_ms: int) -> None:
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
        self._allowance = min(self.babble_burst, self._allowance + elapsed_ms * self.babble_per_s / 1000)
        self._babbling = self._allowance < (self.babble_burst / 2 if self._babbling else 1)
        # Dropped frames cost too: a device comes back by resting, not by waiting.
        self._allowance = max(0.0, self._allowance - 1)
        return self._babbling

    def understand(self, frame: FrameT, now_ms: int) -> str:
        """Do what the frame means; answers what is wrong with the device, or nothing."""
        raise NotImplementedError

    def ignore(self, ignored: Ignored) -> str:
        """A frame without meaning: counted, and the device is degraded until it makes sense again."""
        self.health.counters["ignored"] += 1
        return ignored.reason

    def put(self, sends: Iterable[Send[FrameT]]) -> None:
        """Queue what a protocol wants sent."""
        for send in sends:
            self.line.send(self, send)
        self.line.reschedule()

    def sent(self, send: Send[FrameT], now_ms: int) -> None:
        """A frame of its has left, and its last byte is on the line at `now_ms`: time-outs run from here."""

    def dropped(self, send: Send[FrameT], now_ms: int) -> None:
        """A frame of its was not queued, because too many of its own wait already; `line_down` drops without this."""
        self.health.counters["dropped"] += 1

    @property
    def wake_at_ms(self) -> int | None:
        """When `wake` is due."""
        return None

    def wake(self, now_ms: int) -> None:
        """Time has come."""

    def line_up(self, now_ms: int) -> None:
        """The line is open; nothing is known of the device yet."""
        gone_at_ms, self._gone_at_ms = self._gone_at_ms, None
        if gone_at_ms is not None:
            self.was_away(now_ms - gone_at_ms)
        self.health.become(DeviceState.UNKNOWN)

    def was_away(self, for_ms: int) -> None:
        """The line is back after so long: nobody can have repeated in that time what was not acknowledged before it."""

    def line_down(self, error: str) -> None:
        """The line is gone, and the device and whatever waited to be sent with it."""
        if self._gone_at_ms is None:
            self._gone_at_ms = self.line.now_ms()
        self.health.become(DeviceState.OFFLINE, error)

    def stopped(self) -> None:
        """Its bus has ended for good; nothing is to be told of its health any more."""


AnyDriver = BusDriver[Any]


class Talk(Protocol):
    """A protocol that says all it has to say as a list: frames, and what happened."""

    def line_up(self, now_ms: int) -> Iterable[Any]:
        """The line is open."""

    def receive(self, frame: Any, now_ms: int) -> Iterable[Any]:
        """A frame of the device."""

    @property
    def wake_at_ms(self) -> int | None:
        """When `wake` is due."""

    def wake(self, now_ms: int) -> Iterable[Any]:
        """Time has come."""


class TalkingDriver(BusDriver[FrameT]):
    """A device whose protocol is a `Talk`; a driver says in `heard` what its own outputs mean."""

    talk: Talk

    def heard(self, output: Any) -> None:
        """What the protocol found, other than frames, silence and nonsense."""
        raise NotImplementedError

    def understand(self, frame: FrameT, now_ms: int) -> str:
        return self.carry_out(self.talk.receive(frame, now_ms))

    @property
    def wake_at_ms(self) -> int | None:
        return self.talk.wake_at_ms

    def wake(self, now_ms: int) -> None:
        self.carry_out(self.talk.wake(now_ms))

    def line_up(self, now_ms: int) -> None:
        super().line_up(now_ms)
        self.carry_out(self.talk.line_up(now_ms))

    def carry_out(self, outputs: Iterable[Any]) -> str:
        """Do what a protocol wants done; answers what is wrong with the device, or nothing."""
        trouble = ""
        for output in outputs:
            match output:
                case Send():
                    self.put([output])
                case Mute():
                    self.health.become(DeviceState.OFFLINE, "does not answer")
                case Ignored():
                    trouble = self.ignore(output)
                case _:
                    self.heard(output)
        self.line.reschedule()
        return trouble
