"""What a line must know of one protocol's bytes: how its frames are found, written and addressed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from devices.framing.stream import Framer, Garbage, Grammar

FrameT = TypeVar("FrameT")


def _address(frame: object) -> int | None:
    address: int | None = getattr(frame, "address", None)
    return address


@dataclass(frozen=True, slots=True)
class Codec(Generic[FrameT]):
    """Frames ⇄ bytes of one protocol; equal when name, grammars and `alone` are.

    `from_device`: what a host listens for, tried in this order; empty when devices say nothing. `from_host`: what a
    device listens for, when that differs; else the same grammars serve both. `encode` raises ValueError for what is no frame.
    `address`: the address a frame carries, None when it goes to every device of the protocol on the line. `alone`: the
    grammar reads almost any byte as its own, so nothing else may share the line. `samples`: frames of devices, which no
    other protocol of a line may read as its own.
    """

    name: str
    from_device: tuple[Grammar[FrameT], ...]
    encode: Callable[[FrameT], bytes] = field(compare=False)
    from_host: tuple[Grammar[FrameT], ...] = ()
    address: Callable[[FrameT], int | None] = field(default=_address, compare=False)
    alone: bool = False
    samples: tuple[bytes, ...] = field(default=(), compare=False)

    @property
    def hosts(self) -> tuple[Grammar[FrameT], ...]:
        """What a device listens for."""
        return self.from_host or self.from_device

    def takes(self, raw: bytes) -> bool:
        """Whether a host that listens for this protocol reads a frame in `raw`."""
        framer = Framer(self.from_device)
        return any(not isinstance(item, Garbage) for item in framer.feed(raw) + framer.flush())


AnyCodec = Codec[Any]
