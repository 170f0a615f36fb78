"""Frames as plain values that people and programs read and write, and what they mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final, Generic, TypeVar, get_type_hints

import msgspec

FrameT = TypeVar("FrameT")
Values = dict[str, object]

HIDDEN: Final = "personal data"


def _nothing(frame: object) -> str:
    return ""


def _never(frame: object) -> bool:
    return False


def _no_other(said: Mapping[str, object]) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Wording(Generic[FrameT]):
    """How the frames of a profile are told: {"frame": type, a value for each field, "means": …}.

    `frames` are the dataclasses there are, without which none can be written. Bytes are told in hex, except in a field
    named `text` when there is an `encoding`. `means` says a frame in words. `read` takes friendlier values than the fields,
    or answers None. Of frames that are `personal` only the type is told, and their bytes are never shown.
    """

    frames: tuple[type[FrameT], ...] = ()
    means: Callable[[FrameT], str] = _nothing
    read: Callable[[Mapping[str, object]], FrameT | None] = _no_other
    personal: Callable[[FrameT], bool] = _never
    encoding: str = ""

    def tell(self, frame: FrameT) -> Values:
        """The frame's values; `frame(tell(f))` is f unless it is personal."""
        said: Values = {"frame": type(frame).__name__}
        if self.personal(frame):
            return {**said, "means": HIDDEN}
        for part in fields(frame):  # type: ignore[arg-type]
            value = getattr(frame, part.name)
            if value is not None:
                said[part.name] = self._told(part.name, value)
        means = self.means(frame)
        return {**said, "means": means} if means else said

    def _told(self, name: str, value: object) -> object:
        if not isinstance(value, bytes):
            return value
        if name == "text" and self.encoding:
            text = value.decode(self.encoding, "replace")
            return text if text.encode(self.encoding, "replace") == value else {"hex": value.hex(" ").upper()}
        return value.hex(" ").upper()

    def frame(self, said: Mapping[str, object]) -> FrameT:
        """The frame of some values; ValueError says which there are."""
        friendly = self.read(said)
        if friendly is not None:
            return friendly
        given = {name: value for name, value in said.items() if name not in ("frame", "means")}
        for kind in self.frames:
            named = said.get("frame", kind.__name__) == kind.__name__
            if named and set(given) <= {part.name for part in fields(kind)}:  # type: ignore[arg-type]
                return self._made(kind, given)
        raise ValueError(f"no frame has these values: {'; '.join(map(_shape, self.frames)) or 'none can be written'}")

    def _made(self, kind: type[FrameT], given: Mapping[str, object]) -> FrameT:
        hints = get_type_hints(kind)
        try:
            return kind(**{name: self._read(name, value, hints[name]) for name, value in given.items()})
        except (TypeError, msgspec.ValidationError) as error:
            raise ValueError(f"{_shape(kind)}: {error}") from error

    def _read(self, name: str, value: object, hint: Any) -> object:
        if hint is bytes:
            if isinstance(value, Mapping):
                return bytes.fromhex(str(value.get("hex", "")))
            text = str(value)
            return text.encode(self.encoding) if name == "text" and self.encoding else bytes.fromhex(text)
        if isinstance(value, str) and hint in (int, int | None):
            return int(value, 0)
        return msgspec.convert(value, hint)


def _shape(kind: type) -> str:
    return f"{kind.__name__}({', '.join(part.name for part in fields(kind))})"


UNWORDED: Final[Wording[Any]] = Wording()
"""Frames are told by their fields, and none can be written."""
