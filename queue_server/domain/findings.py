"""The words in which a configuration's mistakes are reported."""

import difflib
from collections.abc import Collection, Iterable
from enum import StrEnum

import msgspec


class Level(StrEnum):
    """An error stops the file from being applied; a warning does not (UX S-06)."""

    ERROR = "error"
    WARNING = "warning"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """`code` is stable, `where` names the table and the id, both sentences say what to mend."""

    level: Level
    code: str
    where: str
    zh: str
    en: str


def error(code: str, where: str, zh: str, en: str) -> Finding:
    """A finding that stops the file from being applied."""
    return Finding(level=Level.ERROR, code=code, where=where, zh=zh, en=en)


def warning(code: str, where: str, zh: str, en: str) -> Finding:
    """A finding that does not stop the file."""
    return Finding(level=Level.WARNING, code=code, where=where, zh=zh, en=en)


def nearest(word: str, known: Iterable[str]) -> tuple[str, str]:
    """ "Did you mean" in Chinese and English, or two empty strings when nothing is near."""
    found = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return (f"，是不是“{found[0]}”？", f"; did you mean {found[0]!r}?") if found else ("。", ".")


def listing(ids: Collection[str]) -> str:
    """The first three ids and how many there are."""
    shown = "、".join(list(ids)[:3])
    return shown if len(ids) <= 3 else f"{shown} … ({len(ids)})"
