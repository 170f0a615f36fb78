"""The frames of ONBON BX-5K and BX-6K font cards: an escaped packet between A5…A5 and 5A (HARDWARE 2.5)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from devices.framing.checksums import crc16_arc
from devices.framing.codec import Codec
from devices.framing.stream import Match, Miss

HOST: Final = 0x8000
"""Addresses from here to FFFD are hosts; 8000 is a PC."""
EVERY_CARD: Final = 0xFFFE
"""Every card hears it, and answers from this address."""
NO_ANSWER: Final = 0xFFFF
"""Every card hears it, and none answers."""
EVERY_TYPE: Final = 0xFE
VERSION: Final = 0x02
BARCODE: Final = 16
BY_CRC, BY_SUM, UNCHECKED = 0, 1, 2
"""Values of `verify`: what the last two bytes of a packet are."""
LONGEST_DATA: Final = 2048
"""Bytes of data in a host's frame, ours or one that a card hears."""
LONGEST_REPLY: Final = 512
"""Bytes of data accepted from a card; the status of one with 255 areas has 306."""

_LEAD: Final = 0xA5
_LEADS: Final = 8
_HEADER: Final = 14
_HAS_BARCODE: Final = 0x01
"""Of the flag before a barcode only this bit counts."""
_OUT: Final = {0xA5: b"\xa6\x02", 0xA6: b"\xa6\x01", 0x5A: b"\x5b\x02", 0x5B: b"\x5b\x01"}
_IN: Final = {pair: bytes((byte,)) for byte, pair in _OUT.items()}
_MARK: Final = re.compile(rb"[\xa5\x5a]")
_ESCAPE: Final = re.compile(rb"[\xa6\x5b].?", re.DOTALL)
_SPECIAL: Final = re.compile(rb"[\xa5\xa6\x5a\x5b]")


@dataclass(frozen=True, slots=True)
class BxFrame:
    """A packet between a host and the card `address`: command group and number, and the `rest` of the data as it is.

    `rest` begins with a byte that asks for an answer (in an answer: an error) and two of length or zeros; decoders of the
    commands are in `devices.protocols.bxdata`. The other fields are those of the header, whose meaning is mostly unpublished.
    """

    address: int
    group: int
    number: int
    rest: bytes = b""
    to_host: bool = False
    host: int = HOST
    verify: int = 0
    display: int = 0
    device_type: int = EVERY_TYPE
    reserved: bytes = b"\0\0\0"
    barcode: bytes = b""

    def __post_init__(self) -> None:
        card = 0 <= self.address < HOST or self.address in (EVERY_CARD, NO_ANSWER)
        one_byte = (self.group, self.number, self.display, self.device_type)
        if not (
            card
            and HOST <= self.host < EVERY_CARD
            and all(0 <= value <= 0xFF for value in one_byte)
            and self.verify in (BY_CRC, BY_SUM, UNCHECKED)
            and len(self.reserved) == 3
            and len(self.barcode) in (0, BARCODE)
            and len(self.rest) + 2 <= LONGEST_DATA
        ):
            raise ValueError(f"no BX frame: {self!r}")


def encode_bx(frame: BxFrame) -> bytes:
    """The frame's bytes; the sum is over header and data before they are escaped."""
    ends = (frame.host, frame.address) if frame.to_host else (frame.address, frame.host)
    data = bytes((frame.group, frame.number)) + frame.rest
    packet = b"".join(end.to_bytes(2, "little") for end in ends) + frame.reserved
    packet += bytes((bool(frame.barcode),)) + frame.barcode
    packet += bytes((frame.verify, frame.display, frame.device_type, VERSION)) + len(data).to_bytes(2, "little") + data
    packet += _sum(frame.verify, packet)
    escaped = _SPECIAL.sub(lambda found: _OUT[found[0][0]], packet)
    return bytes((_LEAD,)) * _LEADS + escaped + b"\x5a"


def _sum(verify: int, packet: bytes) -> bytes:
    """CRC-16/ARC or the sum of the bytes, low byte first; where nothing checks it, the bytes by which the analyser knows that."""
    if verify == UNCHECKED:
        return b"\xff\xff"
    return (crc16_arc(packet) if verify == BY_CRC else sum(packet) & 0xFFFF).to_bytes(2, "little")


def unescape(raw: bytes) -> bytes:
    """The packet between lead and end, half an escape at its end left out; ValueError for an escape there is not."""

    def one(found: re.Match[bytes]) -> bytes:
        pair = found[0]
        if len(pair) == 1:
            return b""
        if pair not in _IN:
            raise ValueError(f"no escape: {pair.hex(' ')}")
        return _IN[pair]

    return _ESCAPE.sub(one, raw)


@dataclass(frozen=True, slots=True)
class BxGrammar:
    """Finds the frames of one side. A frame may have lost some of its eight A5: the sum and the length guard it."""

    to_host: bool
    longest_data: int

    @property
    def longest(self) -> int:
        return _LEADS + 2 * (_HEADER + BARCODE + self.longest_data + 2) + 1

    @property
    def leads(self) -> bytes:
        return bytes((_LEAD,))

    def scan(self, stream: bytes | bytearray, at: int) -> Match[BxFrame] | Miss:
        begin = at
        while begin < len(stream) and begin - at <= _LEADS and stream[begin] == _LEAD:
            begin += 1
        run = begin - at
        # A frame starts at its first A5, or eight before its packet when there are more: not again at each of them.
        if run == 0 or run > _LEADS or (run < _LEADS and at > 0 and stream[at - 1] == _LEAD and begin < len(stream)):
            return Miss.NOISE
        mark = _MARK.search(stream, begin, at + self.longest)
        end = mark.start() if mark else min(len(stream), at + self.longest)
        try:
            packet = unescape(bytes(stream[begin:end]))
        except ValueError:
            return Miss.NOISE
        if not self._plausible(packet) or (mark and mark[0] == b"\xa5"):
            return Miss.NOISE
        if mark is None:
            return Miss.MORE if len(stream) < at + self.longest else Miss.NOISE
        if stream[end - 1] in (0xA6, 0x5B):  # half an escape before the end
            return Miss.NOISE
        return self._packet(packet, end + 1 - at)

    def _plausible(self, packet: bytes) -> bool:
        """Whether this may be the beginning of a packet of this side; cheap, so that noise does not hold others up."""
        if len(packet) >= 4 and (HOST <= int.from_bytes(packet[0:2], "little") < EVERY_CARD) != self.to_host:
            return False
        header = _HEADER + (BARCODE if len(packet) >= 8 and packet[7] & _HAS_BARCODE else 0)
        if len(packet) >= header - 5 and packet[header - 6] > UNCHECKED:
            return False
        if len(packet) >= header - 2 and packet[header - 3] != VERSION:
            return False
        if len(packet) < header:
            return True
        length = int.from_bytes(packet[header - 2 : header], "little")
        return 2 <= length <= self.longest_data and len(packet) <= header + length + 2

    def _packet(self, packet: bytes, taken: int) -> Match[BxFrame] | Miss:
        if len(packet) < _HEADER + 4:
            return Miss.NOISE
        barcode = packet[8 : 8 + BARCODE] if packet[7] & _HAS_BARCODE else b""
        rest = packet[8 + len(barcode) :]
        length = int.from_bytes(rest[4:6], "little")
        if len(rest) != 6 + length + 2:
            return Miss.NOISE
        ends = int.from_bytes(packet[0:2], "little"), int.from_bytes(packet[2:4], "little")
        host, address = ends if self.to_host else ends[::-1]
        verify, display, device_type = rest[:3]
        if verify != UNCHECKED and _sum(verify, packet[:-2]) != packet[-2:]:
            return Miss.CHECKSUM
        try:
            frame = BxFrame(
                address,
                rest[6],
                rest[7],
                rest[8:-2],
                to_host=self.to_host,
                host=host,
                verify=verify,
                display=display,
                device_type=device_type,
                reserved=packet[4:7],
                barcode=barcode,
            )
        except ValueError:  # whole, but between two hosts or two cards
            return Miss.NOISE
        return Match(frame, taken)


def _address(frame: BxFrame) -> int | None:
    return frame.address if frame.address < HOST else None


BX: Final[Codec[BxFrame]] = Codec(
    "bx",
    (BxGrammar(to_host=True, longest_data=LONGEST_REPLY),),
    encode_bx,
    from_host=(BxGrammar(to_host=False, longest_data=LONGEST_DATA),),
    address=_address,
    samples=(encode_bx(BxFrame(1, 0xA0, 0x00, b"\0\0\0", to_host=True)),),
)
