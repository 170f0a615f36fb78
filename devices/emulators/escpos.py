"""What an ESC/POS printer makes of its bytes: paper, answers, and how it is; no I/O and no clock."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from typing import Final

from devices.emulators.printer_model import Model
from devices.emulators.printer_paper import Code, Look, PrintedPaper, Raster, Span, TextLine, code_dots
from devices.framing.escpos import XOFF, XON
from devices.framing.escpos_line import command_size

PAPERS_LIMIT: Final = 1_000
BUFFER_LIMIT: Final = 1024 * 1024


@dataclass(slots=True)
class _Format:
    """What commands have set; ESC @ makes a new one."""

    latin: Look = field(default_factory=Look)
    hanzi_wide: int = 1
    hanzi_high: int = 1
    chinese: bool = False
    align: int = 0
    pitch: int = 30
    left: int = 0


class Interpreter:
    """Bytes in, papers and answers out; no I/O and no clock."""

    def __init__(self, model: Model | None = None) -> None:
        self.model = model or Model()
        self.papers: deque[PrintedPaper] = deque(maxlen=PAPERS_LIMIT)
        self.current = PrintedPaper()
        self.cuts = 0
        """Papers ever cut."""
        self.garbled = 0
        """Bytes over 0x7F outside Chinese mode: they would print as rubbish."""
        self.unknown: list[bytes] = []
        self._format = _Format()
        self._spans: list[Span] = []
        self._code = bytearray()
        self._module = 3
        self._buffer = bytearray()
        self._asb = 0
        self._told = b""
        self._stopped = False

    def feed(self, data: bytes) -> bytes:
        """What the printer answers to these bytes now."""
        self._buffer += data
        if len(self._buffer) > BUFFER_LIMIT:
            del self._buffer[:-BUFFER_LIMIT]
        return self.changed()

    def changed(self) -> bytes:
        """Go on after the model was changed; what the printer says unasked, and answers to what it had held back."""
        answers = bytearray()
        while True:
            if self.model.offline:
                answers += self._realtime()
                break
            before = len(self._buffer)
            answers += self._step()
            if len(self._buffer) == before:
                break
        if self._asb and self.model.asb() != self._told:
            self._told = self.model.asb()
            answers += self._told
        if self.model.xoff and self._stopped != self.model.offline:
            self._stopped = self.model.offline
            answers.append(XOFF if self._stopped else XON)
        return b"" if self.model.mute else bytes(answers)

    def _realtime(self) -> bytes:
        """Offline: only DLE commands are heard, wherever they stand in the buffer."""
        answers = bytearray()
        while (at := self._buffer.find(b"\x10\x04")) >= 0 and at + 2 < len(self._buffer):
            answers += self._status(self._buffer[at + 2])
            del self._buffer[at : at + 3]
        if (at := self._buffer.find(b"\x10\x14\x08")) >= 0:
            self._buffer.clear()
            self._spans.clear()
        return bytes(answers)

    def _status(self, part: int) -> bytes:
        if part == 0x14:
            return self.model.full() if self.model.full_status else b""
        return bytes((self.model.status(part),)) if 1 <= part <= 4 else b""

    def _step(self) -> bytes:
        """Carry out one whole command at the head of the buffer."""
        buffer = self._buffer
        if not buffer:
            return b""
        head = buffer[0]
        if head in (0x10, 0x1B, 0x1C, 0x1D):
            size = command_size(buffer, 0)
            if size is None or len(buffer) < size:
                return b""
            command = bytes(buffer[:size])
            del buffer[:size]
            return self._command(command)
        if head == 0x0A:
            del buffer[0]
            self._line_feed()
        elif self._format.chinese and head >= 0x81:
            if len(buffer) < 2:
                return b""
            pair = bytes(buffer[:2])
            del buffer[:2]
            self._put(pair.decode("gbk", "replace"))
        else:
            del buffer[0]
            if head >= 0x80:
                self.garbled += 1
            elif head >= 0x20:
                self._put(chr(head))
        return b""

    def _put(self, character: str) -> None:
        form = self._format
        look = form.latin
        if not character.isascii():
            wide = max(form.hanzi_wide, look.wide if self.model.hanzi_gs else 1)
            high = max(form.hanzi_high, look.high if self.model.hanzi_gs else 1)
            look = replace(look, wide=wide, high=high)
        if self._spans and self._spans[-1].look == look:
            self._spans[-1] = Span(self._spans[-1].text + character, look)
        else:
            self._spans.append(Span(character, look))

    def _line_feed(self) -> None:
        height = max((span.look.high * 24 for span in self._spans), default=0)
        self._feed(max(height, self._format.pitch))

    def _feed(self, dots: int) -> None:
        """Print what stands in the line, and move the paper."""
        if self._spans:
            line = TextLine(tuple(self._spans), self._format.left, self.current.length, self._format.align)
            self.current.elements.append(line)
            self._spans = []
        self._advance(dots)

    def _advance(self, dots: int) -> None:
        self.current.length += dots
        self.model.move(dots)

    def _command(self, command: bytes) -> bytes:  # long: one case a command, as a printer's manual lists them
        form = self._format
        match command[:2], command[2:]:
            case b"\x10\x04", rest:
                return self._status(rest[0])
            case b"\x1b@", _:
                self._format = _Format()
            case b"\x1b!", rest:
                form.latin = replace(
                    form.latin, wide=1 + (rest[0] >> 5 & 1), high=1 + (rest[0] >> 4 & 1), bold=bool(rest[0] & 0x08)
                )
            case b"\x1bE", rest:
                form.latin = replace(form.latin, bold=bool(rest[0] & 1))
            case b"\x1ba", rest:
                form.align = rest[0] % 48 % 3
            case b"\x1b3", rest:
                form.pitch = rest[0]
            case b"\x1b2", _:
                form.pitch = 30
            case b"\x1bJ", rest:
                self._feed(rest[0])
            case b"\x1bd", rest:
                for _ in range(rest[0]):
                    self._line_feed()
            case (b"\x1bi" | b"\x1bm" | b"\x1dV", rest):
                self._cut("partial" if command[1:2] == b"m" or rest[:1] in (b"\x01", b"1", b"B") else "full")
            case b"\x1c&", _:
                form.chinese = True
            case b"\x1c.", _:
                form.chinese = False
            case b"\x1c!", rest:
                form.hanzi_wide, form.hanzi_high = 1 + bool(rest[0] & 0x04), 1 + bool(rest[0] & 0x08)
            case b"\x1cW", rest:
                form.hanzi_wide = form.hanzi_high = 1 + (rest[0] & 1)
            case b"\x1d!", rest:
                form.latin = replace(form.latin, wide=1 + (rest[0] >> 4 & 7), high=1 + (rest[0] & 7))
            case b"\x1dB", rest:
                form.latin = replace(form.latin, reverse=bool(rest[0] & 1))
            case b"\x1dL", rest:
                form.left = int.from_bytes(rest, "little")
            case b"\x1dv", rest:
                self._raster(rest)
            case b"\x1d(", rest if rest[:1] == b"k" and rest[3:4] == b"1":
                self._symbol(rest[4:5], rest[5:])
            case b"\x1dr", _:
                return bytes((0x03 * self.model.near_end | 0x0C * self.model.out,)) if self.model.confirms else b""
            case b"\x1de", rest:
                self.model.eject(rest[0])
            case b"\x1da", rest:
                self._asb, self._told = rest[0], b""
            case b"\x10\x14", _:
                self._spans = []
            case (b"\x1bt" | b"\x1dW", _):
                pass
            case _:
                self.unknown.append(command)
        return b""

    def _cut(self, kind: str) -> None:
        if self._spans:
            self._line_feed()
        self._advance(8)
        self.current.cut = kind
        self.papers.append(self.current)
        self.cuts += 1
        self.current = PrintedPaper()
        self.model.cut()

    def _raster(self, rest: bytes) -> None:
        width, height = int.from_bytes(rest[2:4], "little") * 8, int.from_bytes(rest[4:6], "little")
        self.current.elements.append(Raster(rest[6:], width, height, self._format.left, self.current.length))
        self._advance(height)

    def _symbol(self, step: bytes, rest: bytes) -> None:
        """GS ( k of a QR code, a step of it; what makes no code, or a module outside 1…16 dots, changes nothing."""
        match step:
            case b"C" if rest and 1 <= rest[0] <= 16:
                self._module = rest[0]
            case b"P":
                self._code = bytearray(rest[1:])
            case b"Q" if self._code:
                code = Code(self._code.decode("utf-8", "replace"), self._module, self._format.left, self.current.length)
                try:
                    dots = code_dots(code)
                except ValueError:  # more than a code takes
                    return
                self.current.elements.append(code)
                self._advance(dots)
            case _:
                pass
