"""Emulated strips that show text without colours and answer nothing: AA…QT and addr-FE."""

from __future__ import annotations

from collections import deque

from devices.emulators.nodes import FrameT, Node
from devices.framing.aaqt import AAQT, AaqtFrame
from devices.framing.addrfe import ADDRFE, AddrFeFrame


class _PlainStrip(Node[FrameT]):
    """`text` is what it shows, `history` its last 100 texts."""

    device = "strip"

    def __init__(self, address: int) -> None:
        super().__init__(address)
        self.text = ""
        self.history: deque[str] = deque(maxlen=100)

    def restart(self) -> None:
        """Lose the text, as after a power cut."""
        self.text = ""

    def show(self, raw: bytes) -> None:
        """Show GBK; what is cut short becomes U+FFFD."""
        self.text = raw.decode("gbk", "replace")
        self.history.append(self.text)

    def state(self) -> dict[str, object]:
        return {"text": self.text}


class EmulatedAaqt(_PlainStrip[AaqtFrame]):
    """An AA…QT strip; `mode` is what the last frame called it (strip or board)."""

    codec = AAQT

    def __init__(self, address: int) -> None:
        super().__init__(address)
        self.mode = b""

    async def receive(self, frame: AaqtFrame) -> None:
        self.mode = frame.mode
        self.show(frame.text)


class EmulatedAddrFe(_PlainStrip[AddrFeFrame]):
    """An addr-FE strip; `sequences` are the last 100 numbers of the host's frames."""

    codec = ADDRFE

    def __init__(self, address: int) -> None:
        super().__init__(address)
        self.command = 0
        self.sequences: deque[int] = deque(maxlen=100)

    async def receive(self, frame: AddrFeFrame) -> None:
        self.command = frame.command
        self.sequences.append(frame.sequence)
        self.show(frame.text)
