"""Emulated devices of a profile: strips that show, rating devices and keypads that press."""

from __future__ import annotations

from collections import deque

from PIL import Image

from devices.emulators.nodes import Node, Sender
from devices.framing.codec import Codec
from devices.framing.template import TemplateFrame
from devices.protocols import templated
from devices.protocols.templated import DigitCoding, TextCoding
from displays.led.bitmap import Bitmap


class EmulatedTemplateStrip(Node[TemplateFrame]):
    """A strip: `text` and `colours` (one digit a character) are what it shows, `history` its last 100 texts."""

    device = "strip"

    def __init__(self, address: int, codec: Codec[TemplateFrame], coding: TextCoding, *, acks: bool) -> None:
        super().__init__(address)
        self.codec = codec
        self.text = self.colours = ""
        self.acks = acks
        self.history: deque[str] = deque(maxlen=100)
        self._coding = coding

    def restart(self) -> None:
        """Lose the text, as after a power cut."""
        self.text = self.colours = ""

    async def receive(self, frame: TemplateFrame) -> None:
        if frame.name not in (templated.SHOW, templated.BOARD):
            return
        self.text, self.colours = self._coding.decode(frame.body)
        self.history.append(self.text)
        if self.acks:
            await self.transmit(TemplateFrame(templated.ACKNOWLEDGED, self.address, sequence=frame.sequence or 0))

    def state(self) -> dict[str, object]:
        return {"text": self.text, "colours": self.colours}


class EmulatedBitmapPanel(Node[TemplateFrame]):
    """A panel of dots: `image` is what is lit, `pictures` counts those it was sent."""

    device = "bitmap"

    def __init__(self, address: int, codec: Codec[TemplateFrame], bitmap: Bitmap, *, acks: bool) -> None:
        super().__init__(address)
        self.codec = codec
        self.bitmap = bitmap
        self.acks = acks
        self.pictures = 0
        self.restart()

    def restart(self) -> None:
        """Lose the picture, as after a power cut."""
        self.image = Image.new("RGB", (self.bitmap.panel.width, self.bitmap.panel.height))

    async def receive(self, frame: TemplateFrame) -> None:
        if frame.name not in (templated.SHOW, templated.BOARD):
            return
        self.image = self.bitmap.decode(frame.body)
        self.pictures += 1
        if self.acks:
            await self.transmit(TemplateFrame(templated.ACKNOWLEDGED, self.address, sequence=frame.sequence or 0))

    def state(self) -> dict[str, object]:
        lit = sum(map(bool, self.image.convert("L").tobytes()))
        return {"lit": lit, "pictures": self.pictures}


class EmulatedTemplatePad(Sender[TemplateFrame]):
    """A rating device or keypad: `press` a key, `shown` are the last 100 frames that the host sent to be seen."""

    device = "pad"

    def __init__(self, address: int, codec: Codec[TemplateFrame], digits: DigitCoding, *, acks: bool) -> None:
        super().__init__(address)
        self.codec = codec
        self.shown: deque[TemplateFrame] = deque(maxlen=100)
        self._digits = digits
        if not acks:
            self.tries = 0

    async def press(self, key: int, digits: str = "") -> bool:
        """Type digits and a key; True once acknowledged, or sent where nothing acknowledges."""
        body = bytes(self._digits.zero + int(digit) for digit in digits)
        frame = TemplateFrame(templated.PRESSED, self.address, body, key, sequence=0)
        if self.tries:
            return await self.send(frame)
        await self.transmit(frame)
        return True

    def acknowledges(self, frame: TemplateFrame) -> bool:
        return frame.name == templated.ACKNOWLEDGE

    async def receive(self, frame: TemplateFrame) -> None:
        if self.acknowledges(frame):
            if self.waiting is not None and frame.key in (None, self.waiting.key):
                self.acknowledge()
        else:
            self.shown.append(frame)

    def state(self) -> dict[str, object]:
        return {"shown": [f"{frame.name} {frame.body.hex(' ')}".strip() for frame in self.shown][-1:]}
