"""Second decoders of four device protocols, written from HARDWARE's tables alone, and what they share."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Skipped:
    """Bytes that are no frame, in the order they came, and why the first of them was passed over."""

    data: bytes
    reason: str


@dataclass(slots=True)
class Noise:
    """Gathers neighbouring bytes that are no frame into one Skipped."""

    data: bytearray = field(default_factory=bytearray)
    reason: str = ""

    def take(self, data: bytes, reason: str) -> None:
        """Pass over these bytes; the first reason stands for the whole stretch."""
        if not self.data:
            self.reason = reason
        self.data += data

    def drop_lead(self, lead: int) -> bool:
        """Give the last byte back if it is this lead byte: it belongs to the frame that follows."""
        if self.data and self.data[-1] == lead:
            del self.data[-1]
            return True
        return False

    def flush(self) -> list[Skipped]:
        """What was gathered since the last call: one Skipped, or none."""
        gone = [Skipped(bytes(self.data), self.reason)] if self.data else []
        self.data.clear()
        return gone
