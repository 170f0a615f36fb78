"""What is wrong or weak in a configuration, each finding a sentence that says what to mend."""

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
