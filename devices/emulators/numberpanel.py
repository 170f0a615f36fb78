"""An emulated Modbus panel of digits."""

from __future__ import annotations

from collections import deque

from devices.emulators.nodes import Node
from devices.framing.modbus import MODBUS, ModbusFrame, ModbusRefused, ModbusWrite, ModbusWritten
from devices.protocols.numberpanel import NUMBER_REGISTER, TEXT_REGISTER


class EmulatedNumberPanel(Node[ModbusFrame]):
    """`shown` is what its digits say, `history` the last 100 of them; `refuses` answers with exceptions; `deaf` counts down."""

    codec = MODBUS
    device = "panel"
    fault_names = ("deaf", "refuses")

    def __init__(self, address: int = 1) -> None:
        super().__init__(address)
        self.shown = ""
        self.refuses = False
        self.deaf = 0
        self.history: deque[str] = deque(maxlen=100)

    def restart(self) -> None:
        """Lose the number, as after a power cut."""
        self.shown = ""

    async def receive(self, frame: ModbusFrame) -> None:
        if not isinstance(frame, ModbusWrite):
            return
        if self.deaf:
            self.deaf -= 1
            return
        if self.refuses or frame.register not in (NUMBER_REGISTER, TEXT_REGISTER):
            await self.transmit(ModbusRefused(self.address, 0x10 if frame.many else 0x06, 2))
            return
        if frame.register == TEXT_REGISTER:
            self.shown = frame.data.decode("ascii", "replace")
        else:
            self.shown = str(int.from_bytes(frame.data, "big", signed=True))
        self.history.append(self.shown)
        reply = ModbusWritten(self.address, frame.register, len(frame.data) // 2) if frame.many else frame
        await self.transmit(reply)

    def state(self) -> dict[str, object]:
        return {"shown": self.shown}
