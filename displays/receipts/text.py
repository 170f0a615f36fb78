"""Text as a hanzi printer takes it: width in half-width cells, line breaks, and runs of ASCII and GBK bytes; pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import groupby
from typing import Final

CHINESE_ON: Final = b"\x1c&"
CHINESE_OFF: Final = b"\x1c."

# Look-alikes that GB2312 printers lack or that take two cells for nothing.
PLAIN: Final = str.maketrans({"–": "-", "‑": "-", "−": "-", "\u00a0": " ", "\u2009": " ", "\t": " "})
NEVER_FIRST: Final = frozenset("，。、；：？！）》”’」』】〉…—·%,.;:?!)]}")
NEVER_LAST: Final = frozenset("（《“‘「『【〈([{")
_SENTENCE: Final = re.compile(r"(?<=[。？！])|(?<=[.?!]) ")
_ASCII: Final = range(0x20, 0x7F)


def plain(text: str) -> str:
    """The text with dashes and spaces that every printer has, and without control and format characters."""
    return "".join(c for c in text.translate(PLAIN) if unicodedata.category(c) not in ("Cc", "Cf"))


def cells(text: str) -> int:
    """Width in half-width cells: ASCII one, everything else two, as GBK printers advance."""
    return sum(1 if ord(c) in _ASCII else 2 for c in text)


def printable(text: str, charset: str) -> bool:
    """Whether the printer's own font has every character, none of them in a 4-byte code (HARDWARE 4.2)."""
    try:
        raw = text.encode(charset)
    except UnicodeEncodeError:
        return False
    return len(raw) == cells(text)


def runs(text: str, charset: str) -> bytes:
    """Bytes of a `printable` text: Chinese mode on and off around the runs that need it, ASCII outside."""
    parts = bytearray()
    for ascii_run, characters in groupby(text, key=str.isascii):
        raw = "".join(characters).encode(charset)
        parts += raw if ascii_run else CHINESE_ON + raw + CHINESE_OFF
    return bytes(parts)


def _atoms(text: str) -> Iterator[str]:
    """Pieces between which a line may break: words of ASCII, hanzi with their punctuation, `3 位` whole."""
    atom = ""
    for character in text:
        glued = atom and (
            character in NEVER_FIRST
            or atom[-1] in NEVER_LAST
            or (character.isascii() and atom[-1].isascii() and character != " " and atom[-1] != " ")
            or (character == " " and atom[-1].isdigit())
            or (atom[-1] == " " and atom[:-1].isdigit() and not character.isascii())
        )
        if atom and not glued:
            yield atom
            atom = ""
        atom += character
    if atom:
        yield atom


def wrap(text: str, columns: int) -> list[str]:
    """Lines of at most `columns` cells; breaks between words, never before closing or after opening punctuation.

    A single piece that is wider than a line is cut where the line ends, at a character.
    """
    lines, line = [], ""
    for whole in _atoms(text):
        atom = whole
        if cells(line + atom.rstrip()) <= columns:
            line += atom
            continue
        if line.strip():
            lines.append(line.rstrip())
        line, atom = "", atom.lstrip()
        while cells(atom) > columns:
            cut = _fit(atom, columns)
            lines.append(atom[:cut])
            atom = atom[cut:]
        line = atom
    if line.strip():
        lines.append(line.rstrip())
    return lines


def _fit(text: str, columns: int) -> int:
    """How many characters of `text` fill a line; at least one."""
    used = 0
    for index, character in enumerate(text):
        used += cells(character)
        if used > columns:
            return max(index, 1)
    return len(text)


def sentences(text: str, columns: int) -> list[str]:
    """`text` whole if one line takes it, else one sentence a time."""
    return [text] if cells(text) <= columns else [part for part in _SENTENCE.split(text) if part]


def balanced(text: str, columns: int) -> list[str]:
    """`wrap`, with no stray character left on the last line: as many lines, as even as they come."""
    lines = wrap(text, columns)
    if len(lines) < 2:
        return lines
    narrowest = columns
    while narrowest > columns // 2 and len(wrap(text, narrowest - 1)) == len(lines):
        narrowest -= 1
    return wrap(text, narrowest)
