"""How SYN6288 and XFS5152CE are told what to say: text in GBK or Unicode, cut where a speaker breathes (HARDWARE 3.1, 3.2)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, assert_never

from devices.framing import tts
from devices.framing.tts import SYN6288, XFS5152, TtsForm, TtsFrame, TtsReply
from devices.protocols.base import Ignored
from devices.protocols.voice import Heard, Part, Sign, Unsayable, loudness

BREATHS: Final = "，。、；：？！,;:?!"
"""Where a text may be cut so that it is not heard. Full stops of ASCII are left out: they stand in numbers."""

Module = Literal["syn6288", "xfs5152"]
Encoding = Literal["gbk", "gb2312", "unicode"]

_CODES: Final[dict[Encoding, int]] = {"gb2312": 0, "gbk": 1, "unicode": 3}
_TAGS: Final = str.maketrans("[]", "［］")
_SIGNS: Final = {
    tts.READY: Sign.READY,
    tts.TAKEN: Sign.TAKEN,
    tts.REFUSED: Sign.REFUSED,
    tts.BUSY: Sign.BUSY,
    tts.IDLE: Sign.IDLE,
}


@dataclass(frozen=True, slots=True)
class TtsModule:
    """`unicode`: the codec of encoding 3. `loudest`: the greatest [v…]."""

    form: TtsForm
    unicode: str
    loudest: int


MODULES: Final[dict[Module, TtsModule]] = {
    "syn6288": TtsModule(SYN6288, "utf-16-be", 16),
    "xfs5152": TtsModule(XFS5152, "utf-16-le", 10),
}


@dataclass(frozen=True, slots=True)
class TtsSettings:
    """`encoding`: what is tried first; a text that it lacks goes as Unicode. `syllable_ms`: UX V-04, about 4 a second.

    `tags`: control words before every text, such as `[t4]` or `[m53]`. `longest_text`: bytes of text with its tags in one
    frame; 0 for what the module takes, less for one that is short of memory.
    """

    encoding: Encoding = "gbk"
    syllable_ms: int = 250
    tags: str = ""
    longest_text: int = 0

    def __post_init__(self) -> None:
        if not self.tags.isascii() or self.syllable_ms < 1:
            raise ValueError("tags are ASCII, syllable_ms is at least 1")
        if self.longest_text and self.longest_text < 16 + len(self.tags) * 2:
            raise ValueError("longest_text leaves no room for a text")


def split_text(text: str, fits: Callable[[str], bool]) -> list[str]:
    """Pieces that fit, in order and with nothing lost: cut after the last breath that fits, else between characters.

    `fits` must hold for every single character, and for every beginning of what it holds for.
    """
    pieces: list[str] = []
    while text:
        size = max(1, bisect_left(range(1, len(text) + 1), True, key=lambda n: not fits(text[:n])))
        if size < len(text):
            size = max((at + 1 for at in range(size) if text[at] in BREATHS), default=size)
        pieces.append(text[:size])
        text = text[size:]
    return pieces


class TtsDialect:
    """One of the two modules."""

    def __init__(self, module: Module, settings: TtsSettings | None = None) -> None:
        self._module = MODULES[module]
        self._settings = settings or TtsSettings()
        self._room = self._settings.longest_text or self._module.form.longest_text
        if self._room > self._module.form.longest_text:
            raise ValueError(f"longest_text is at most {self._module.form.longest_text}")

    @property
    def ask(self) -> TtsFrame:
        return TtsFrame(tts.STATUS)

    @property
    def stop(self) -> TtsFrame:
        return TtsFrame(tts.STOP)

    def set_volume(self, percent: int) -> None:
        return None

    def parts(self, tokens: Sequence[str], volume: int, *, chime: bool) -> list[Part[TtsFrame | TtsReply]]:
        foreign = [token for token in tokens if token.startswith("en:")]
        if foreign:
            raise Unsayable(f"this module does not say {foreign[0]!r}")
        # A bracket would begin one of the module's control words.
        text = "".join(tokens).translate(_TAGS)
        encoding = self._encoding(text)
        head = f"[v{loudness(volume, self._module.loudest)}]{self._settings.tags}"
        pieces = split_text(text, lambda piece: len(self._raw(head + piece, encoding)) <= self._room)
        return [self._part(head, piece, encoding) for piece in pieces if self._length_ms(piece)]

    def _encoding(self, text: str) -> Encoding:
        try:
            self._raw(text, self._settings.encoding)
        except UnicodeEncodeError:
            for character in text:
                if ord(character) > 0xFFFF or 0xD800 <= ord(character) < 0xE000:
                    raise Unsayable(f"no module says U+{ord(character):04X}") from None
            return "unicode"
        return self._settings.encoding

    def _raw(self, text: str, encoding: Encoding) -> bytes:
        match encoding:
            case "gbk" | "gb2312":
                return text.encode(encoding)
            case "unicode":
                return text.encode(self._module.unicode)
            case _:
                assert_never(encoding)

    def _part(self, head: str, piece: str, encoding: Encoding) -> Part[TtsFrame | TtsReply]:
        # The five bits above the encoding choose SYN6288's background music: none.
        data = bytes((_CODES[encoding],)) + self._raw(head + piece, encoding)
        return Part(TtsFrame(tts.SPEAK, data), self._length_ms(piece))

    def _length_ms(self, piece: str) -> int:
        """A syllable for each letter, digit and hanzi; marks alone make no sound."""
        syllables = sum(character.isalnum() for character in piece)
        return (
            (syllables + sum(character in BREATHS for character in piece))
            * self._settings.syllable_ms
            * (syllables > 0)
        )

    def understand(self, frame: TtsFrame | TtsReply) -> Heard | Ignored:
        if isinstance(frame, TtsFrame):
            return Ignored("a host's frame")
        return Heard(_SIGNS[frame.code])
