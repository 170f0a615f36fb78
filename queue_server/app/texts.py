"""The server's own sentences in both languages, from one catalogue."""

from collections.abc import Mapping
from importlib.resources import files

import msgspec

from queue_server.wire.common import Words

_TEXTS: dict[str, tuple[str, str]] = msgspec.json.decode(
    (files("queue_server") / "texts" / "texts.json").read_bytes(), type=dict[str, tuple[str, str]]
)

NOTHING = Words(zh="", en="")


def words(code: str, figures: Mapping[str, object] | None = None) -> Words:
    """The sentence of a code with its figures filled in; raises KeyError for a code without a sentence."""
    zh, en = _TEXTS[code]
    filled = {name: _listed(value, "、") for name, value in (figures or {}).items()}
    english = {name: _listed(value, ", ") for name, value in (figures or {}).items()}
    return Words(zh=zh.format_map(_Blank(filled)), en=en.format_map(_Blank(english)))


def _listed(value: object, separator: str) -> object:
    """A list of words as one; everything else as it is."""
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return separator.join(value)
    return value


def plain(zh: str, en: str = "") -> Words:
    """A text that comes from the configuration; without English the Chinese stands for both."""
    return Words(zh=zh, en=en or zh)


def has(code: str) -> bool:
    return code in _TEXTS


class _Blank(dict[str, object]):
    def __missing__(self, key: str) -> str:
        return ""
