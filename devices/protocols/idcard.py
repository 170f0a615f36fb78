"""What is taken from an ID card's record: who, and until when it is valid; nothing else of it is kept (HARDWARE 5.1)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Final

RECORD_BYTES: Final = 256
LONG_TERM: Final = "长期"

_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_DIGITS: Final = "10X98765432"
_RESIDENCE: Final = ("81", "82", "83")
"""Area codes of residence cards of people from Hong Kong, Macao and Taiwan."""


class Unreadable(ValueError):
    """The record is of no known kind of card; the text never holds any of it."""


@dataclass(frozen=True, slots=True)
class Card:
    """A person's card. `kind`: id_card, residence or foreign. `until` None: valid for a long term ("长期"), or not said.

    Lives in memory only; its text form tells nothing of the person.
    """

    kind: str
    number: str = field(repr=False)
    name: str = field(repr=False)
    since: date | None = field(default=None, repr=False)
    until: date | None = field(default=None, repr=False)
    long_term: bool = field(default=False, repr=False)


def check_digit(number: str) -> str:
    """The eighteenth character of an ID number, of its first seventeen digits (GB 11643: ISO 7064 MOD 11-2)."""
    return _DIGITS[sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, number[:17], strict=True)) % 11]


def is_id_number(number: str) -> bool:
    """Eighteen characters, a possible day of birth and the right check digit."""
    if len(number) != 18 or not (number[:17].isascii() and number[:17].isdigit()):
        return False
    return _day(number[6:14]) is not None and check_digit(number) == number[17]


def read_card(record: bytes) -> Card:
    """The card of a reader's 256 bytes of UTF-16LE; raises Unreadable."""
    if len(record) != RECORD_BYTES:
        raise Unreadable(f"a record has {RECORD_BYTES} bytes, not {len(record)}")
    number = _text(record, 122, 36)
    if is_id_number(number) and _text(record, 36, 16) == number[6:14]:
        kind = "residence" if number.startswith(_RESIDENCE) else "id_card"
        return _card(kind, number, _text(record, 0, 30), _text(record, 188, 16), _text(record, 204, 16))
    # Only now: in a citizen's record these bytes belong to the new address (HARDWARE 7.5).
    if _text(record, 248, 2) == "I":
        number = _text(record, 122, 30)
        if len(number) == 15 and number.isascii() and number.isalnum():
            name = _text(record, 158, 30) or _text(record, 0, 120)
            return _card("foreign", number, name, _text(record, 188, 16), _text(record, 204, 16))
    raise Unreadable("the card is of a kind whose record is not known")


def _card(kind: str, number: str, name: str, since: str, until: str) -> Card:
    if not name:
        raise Unreadable("the card's record has no name")
    return Card(kind, number, name, _day(since), _day(until), until == LONG_TERM)


def _text(record: bytes, at: int, length: int) -> str:
    return record[at : at + length].decode("utf-16-le", "replace").strip(" \0\u3000")


def _day(text: str) -> date | None:
    """YYYYMMDD; None for anything else."""
    if len(text) != 8 or not (text.isascii() and text.isdigit()):
        return None
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return None
