"""Halls of keypads and rating devices that nobody knows, invented here: their frames, their old system, the devices themselves."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from devices.emulators.templated import EmulatedTemplatePad
from devices.framing.codec import Codec
from devices.framing.template import Template, TemplateFrame, parse_template, template_codec
from devices.protocols.templated import DigitCoding
from tests.devices.foreign import STRIPS, ForeignHall, Keys

THREE = ("1", "2", "3")
STRIP = parse_template("show", "5A A5 < {address} 31 {length} ( {text} ) > {sum} 0D", "sum8", 120)


@dataclass(frozen=True, slots=True)
class Device:
    """An invented kind of device: its press, what acknowledges it (with its own check sum), and where its windows' devices are."""

    pressed: str
    acknowledge: str
    sum: str
    addresses: Mapping[str, int]
    zero: int = 0

    def template(self, name: str) -> Template:
        return parse_template(name, getattr(self, name), self.sum, 16)

    def press(self, window: str, digits: str, key: int) -> bytes:
        """The bytes of a press."""
        body = bytes(self.zero + int(digit) for digit in digits)
        return self.template("pressed").encode(TemplateFrame("pressed", self.addresses[window], body, key))

    def answer(self, window: str, digits: str, key: int) -> bytes:
        """What the old system says to it."""
        if not self.acknowledge:
            return b""
        body = bytes(self.zero + int(digit) for digit in digits) if "digits" in self.acknowledge else b""
        return self.template("acknowledge").encode(TemplateFrame("acknowledge", self.addresses[window], body, key))

    @property
    def codec(self) -> Codec[TemplateFrame]:
        answers = (self.template("acknowledge"),) if self.acknowledge else ()
        return template_codec("invented", (self.template("pressed"),), answers)

    def emulate(self, window: str) -> EmulatedTemplatePad:
        """The device itself, which repeats a press that is not acknowledged."""
        pad = EmulatedTemplatePad(
            self.addresses[window], self.codec, DigitCoding(self.zero), acks=bool(self.acknowledge)
        )
        pad.repeat_ms = 2000
        return pad


@dataclass(slots=True)
class StrangeHall(ForeignHall):
    """A foreign hall of three windows; `keypad` and `pad` are secrets too."""

    keypad: Device | None = None
    pad: Device | None = None

    async def _polls(self) -> None:
        """The old system writes every strip anew, and now and then something of its own to a rating device."""
        turn = 0
        while True:
            window = THREE[turn % len(THREE)]
            await self._strip(window, self._shown.get(window, "暂停服务"))
            await self.say(bytes((0x3E, 0xE3, STRIPS[window], 0x05)))
            if turn % 4 == 3:
                await self.say(self._random.randbytes(self._random.randrange(1, 5)))
            turn += 1
            await asyncio.sleep(0.15)

    async def press(self, window: str, what: str, *, digits: str | None = None) -> None:
        assert self.keypad is not None
        typed, key = self.keys[what]
        typed = typed if digits is None else digits
        await self._said(self.keypad.press(window, typed, key), self.keypad.answer(window, typed, key))
        if what in ("next", "call"):
            self._ticket += 1
            number = f"{'AB'[self._ticket % 2]}{self._ticket:03d}"
            await self._strip(window, f"请{number}号" + (f"到{window}号窗口" if self._ticket % 2 == 0 else ""))

    async def rate(self, window: str, level: int) -> None:
        assert self.pad is not None
        key = self.levels[level]
        await self._said(self.pad.press(window, "", key), self.pad.answer(window, "", key))

    async def _said(self, raw: bytes, answer: bytes) -> None:
        """Every third press collides and is sent again, every fifth is repeated before the answer comes."""
        self.presses += 1
        if self.presses % 3 == 0:
            broken = bytearray(raw)
            broken[self._random.randrange(2, len(raw) - 1)] ^= 0x55
            await self.say(bytes(broken))
            await asyncio.sleep(0.1)
        await self.say(raw)
        if self.presses % 5 == 0:
            await self.say(raw)
        if answer:
            await self.say(answer)


def strip(address: int, text: str) -> bytes:
    return STRIP.encode(TemplateFrame("show", address, text.encode("gbk")))


def halls(link: Path) -> dict[str, StrangeHall]:
    """The invented halls by name."""
    binary = Device(
        "C3 3C {length} ( < {address} 21 {digits} {key} > ) {sum} 0D",
        "C3 3C {length} ( < {address} 21 {digits} {key} > ) {sum} 0D",
        "sum8",
        dict(zip(THREE, (0x2B, 0x11, 0x35), strict=True)),
    )
    crc = Device(
        "7B 81 < {address} E1 {key} > {sum:le} 7D",
        "7B 82 < {address} 06 > {sum:le} 7D",
        "crc16-modbus",
        dict(zip(THREE, (0xA4, 0x91, 0xC2), strict=True)),
    )
    text = Device(
        "24 < 4B {address:2dec} 2C {digits} {key:HEX} > 2A {sum:HEX} 0D 0A",
        "24 < 4B {address:2dec} 2C 4F 4B > 2A {sum:HEX} 0D 0A",
        "xor8",
        dict(zip(THREE, (7, 12, 31), strict=True)),
        zero=0x30,
    )
    short = Device(
        "02 50 < {key} {address} 30 > {sum} 03", "06", "inverted-sum8", dict(zip(THREE, (1, 2, 3), strict=True))
    )
    own: Keys = {
        "next": ("", 0x41), "recall": ("", 0x42), "call": ("12", 0x41), "evaluate": ("", 0x54), "no_show": ("7", 0x4D),
        "pause": ("", 0x53), "sign_in": ("1001", 0x4D),
    }  # fmt: skip
    single: Keys = {
        "next": ("", 0xB1), "recall": ("", 0xB2), "call": ("12", 0xB1), "evaluate": ("", 0xB4), "no_show": ("5", 0xB7),
        "pause": ("0", 0xB7), "transfer_to": ("3", 0xB6),
    }  # fmt: skip
    levels, codes = {5: 2, 4: 0, 3: 4, 2: 1, 1: 3}, {5: 0x45, 4: 0x44, 3: 0x43, 2: 0x42, 1: 0x41}
    return {
        "binary": StrangeHall(link, single, levels, "", strip, keypad=binary, pad=crc),
        "text": StrangeHall(link, own, codes, "", strip, keypad=text, pad=short),
    }
