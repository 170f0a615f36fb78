"""Bytes of a line told frame by frame, and frames written from their values: for captures and for commissioning."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from devices.framing.codec import AnyCodec
from devices.framing.named import Heard, Named
from devices.framing.stream import Framer, Garbage
from devices.profiles.profile import Profile
from devices.profiles.wording import HIDDEN, Values

Side = Literal["device", "host", "both"]
SIDES: Final = ("device", "host", "both")
SHOWN: Final = 256
"""Of a longer frame (a printer's picture) a person sees so many bytes and how many there are; JSON and recordings have all."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes of a line: a frame with its values, or garbage; `raw` is empty when it is personal data."""

    side: str
    raw: bytes
    length: int
    told: Values | None
    checksums: int = 0

    @property
    def values(self) -> Values:
        """As JSON: {"from", "hex", "frame"} or {"garbage", "checksums"}."""
        shown = self.raw.hex(" ").upper() if self.raw or not self.length else f"{self.length} bytes, {HIDDEN}"
        if self.told is None:
            return {"garbage": shown, "checksums": self.checksums}
        return {"from": self.side, "hex": shown, "values": self.told}

    @property
    def line(self) -> str:
        """For people: who, the bytes, and what they mean."""
        shown = str(self.values.get("hex", self.values.get("garbage")))
        if len(self.raw) > SHOWN:
            shown = f"{self.raw[:SHOWN].hex(' ').upper()} … {len(self.raw)} bytes"
        if self.told is None:
            return f"?       {shown}  {'wrong check sum' if self.checksums else 'no frame'}"
        told = dict(self.told)
        means = told.pop("means", "")
        said = means or " ".join(f"{k}={json.dumps(v, ensure_ascii=False)}" for k, v in told.items() if k != "frame")
        return f"{self.side:7} {shown}  {told['frame']}: {said}"


class Decoder:
    """Tells a line's bytes as they come; not more than one frame is held back."""

    def __init__(self, profile: Profile, side: Side = "both") -> None:
        self._wording = profile.wording
        self._private = profile.personal
        self._framer: Framer[Heard] = Framer(list(_grammars(profile.codec, side)))

    def feed(self, data: bytes) -> list[Piece]:
        """What `data` completes."""
        return [self._piece(item) for item in self._framer.feed(data)]

    def flush(self) -> list[Piece]:
        """What is left when the line is silent."""
        return [self._piece(item) for item in self._framer.flush()]

    def _piece(self, item: Heard | Garbage) -> Piece:
        if isinstance(item, Garbage):
            # Half a record is personal as well.
            return Piece("", b"" if self._private else item.data, len(item.data), None, item.checksums)
        hidden = self._wording.personal(item.frame)
        return Piece(item.side, b"" if hidden else item.raw, len(item.raw), self._wording.tell(item.frame))


def _grammars(codec: AnyCodec, side: Side) -> Iterator[Named]:
    if side == "both" and not codec.from_host:
        yield from (Named(codec, grammar, "either") for grammar in codec.from_device)
        return
    device = [Named(codec, grammar, "device") for grammar in codec.from_device]
    host = [Named(codec, grammar, "host") for grammar in codec.hosts]
    # Where almost any byte can be an answer, what is certainly a command goes first.
    order = {"device": device, "host": host, "both": [*host, *device] if codec.alone else [*device, *host]}
    yield from order[side]


def decode(profile: Profile, data: bytes, side: Side = "both") -> list[Piece]:
    """A capture, piece by piece."""
    decoder = Decoder(profile, side)
    return _joined(decoder.feed(data) + decoder.flush())


def _joined(pieces: list[Piece]) -> list[Piece]:
    """Neighbouring garbage as one piece."""
    joined: list[Piece] = []
    for piece in pieces:
        before = joined[-1] if joined else None
        if before is not None and before.told is None and piece.told is None:
            sums = before.checksums + piece.checksums
            joined[-1] = Piece("", before.raw + piece.raw, before.length + piece.length, None, sums)
        else:
            joined.append(piece)
    return joined


def encode(profile: Profile, values: Mapping[str, object]) -> bytes:
    """The bytes of a frame's values, as `decode` tells them or friendlier; ValueError says what there is."""
    raw: bytes = profile.codec.encode(profile.wording.frame(values))
    return raw
