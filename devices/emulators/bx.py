"""An emulated BX font card: its dynamic areas, brightness, power and clock, and how it answers."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import replace
from typing import Final

from devices.emulators.nodes import Node
from devices.framing.bx import BX, EVERY_CARD, BxFrame
from devices.protocols import bxdata
from devices.protocols.bxdata import BxArea, BxStatus

BX_FAULTS: Final = ("deaf", "refuse", "late_ms")


class EmulatedBx(Node[BxFrame]):
    """A card. Areas live until power is lost; `history` keeps the last 100 pictures, row by row.

    Faults, changed while it runs: `deaf` frames it does not hear, `refuse` frames it answers with a refusal, `late_ms` before
    each answer. Wrong sums, silence and noise are faults of the line and of every node.
    """

    codec = BX
    device = "bx"
    fault_names = BX_FAULTS

    def __init__(self, address: int) -> None:
        super().__init__(address)
        self.areas: dict[int, BxArea] = {}
        self.history: deque[tuple[str, ...]] = deque(maxlen=100)
        self.on = True
        self.brightness = 15
        self.clock = bytes.fromhex("0020010100000006")
        self.refused = 0
        self.deaf = self.refuse = self.late_ms = 0
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def rows(self) -> tuple[str, ...]:
        """The texts from top to bottom; what is no GB2312 becomes U+FFFD."""
        shown = sorted(self.areas.values(), key=lambda area: (area.y, area.x))
        return tuple(area.text.decode("gb2312", "replace") for area in shown)

    def restart(self) -> None:
        """Lose power for a moment: areas go, brightness and clock stay."""
        self.areas.clear()
        self.on = True

    async def receive(self, frame: BxFrame) -> None:
        if self.deaf:
            self.deaf -= 1
            return
        answer = self._obey(frame)
        # A frame that asks for none gets no answer, nor does one to FFFF; one to FFFE is answered from FFFE.
        if frame.address in (self.address, EVERY_CARD) and frame.rest[:1] == b"\x01":
            await self._answer(replace(answer, address=frame.address))
        await self.host.notify()

    def _obey(self, frame: BxFrame) -> BxFrame:
        if self.refuse:
            self.refuse -= 1
            return self._reply(bxdata.REFUSED, error=bxdata.BUSY)
        data = bxdata.data_of(frame)
        try:
            match (frame.group, frame.number):
                case bxdata.AREAS:
                    self._update(bxdata.decode_update(data))
                case bxdata.BRIGHTNESS if len(data) in (2, 50) and data[0] == 1 and data[1] <= bxdata.MOST_BRIGHT:
                    self.brightness = data[1]
                case bxdata.POWER if data in (b"\x01", b"\x02"):
                    self.on = data == b"\x01"
                case bxdata.SET_TIME if len(data) == 8:
                    self.clock = data
                case bxdata.STATUS:
                    return self._reply(bxdata.STATUS, self._status())
                case bxdata.RESET:
                    self.restart()
                case bxdata.PING:
                    pass
                case _:
                    raise ValueError("not known")
        except ValueError:
            self.refused += 1
            return self._reply(bxdata.REFUSED, error=bxdata.NO_COMMAND)
        return self._reply(bxdata.TAKEN)

    def _update(self, update: bxdata.BxUpdate) -> None:
        for area in list(self.areas) if update.delete is None else update.delete:
            self.areas.pop(area, None)
        self.areas |= {area.id: area for area in update.areas}
        self.history.append(self.rows)

    def _status(self) -> bytes:
        status = BxStatus(self.on, self.brightness, "", 0, tuple(sorted(self.areas)), "EMULATED")
        return bxdata.encode_status(status, self.clock)

    def _reply(self, command: tuple[int, int], data: bytes = b"", error: int = 0) -> BxFrame:
        return BxFrame(self.address, *command, bytes((error, 0, 0)) + data, to_host=True)

    async def _answer(self, frame: BxFrame) -> None:
        if not self.late_ms:
            await self.transmit(frame)
            return
        task = asyncio.get_running_loop().create_task(self._answer_late(frame))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer_late(self, frame: BxFrame) -> None:
        await asyncio.sleep(self.late_ms / 1000)
        await self.transmit(frame)

    def state(self) -> dict[str, object]:
        return {"rows": list(self.rows), "on": self.on, "brightness": self.brightness}
