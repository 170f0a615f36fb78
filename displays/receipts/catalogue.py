"""The words of papers in both languages, read from the catalogues beside this file; pure."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from typing import Final

import msgspec


def _load(language: str) -> Mapping[str, str]:
    text = files("displays.receipts").joinpath(f"{language}.json").read_bytes()
    return msgspec.json.decode(text, type=dict[str, str])


_ZH: Final = _load("zh")
_EN: Final = _load("en")


def zh(key: str, **values: object) -> str:
    """The Chinese text of a key."""
    return _ZH[key].format(**values)


def en(key: str, **values: object) -> str:
    """The English text of a key; empty where the paper says it in Chinese only, to stay short."""
    return _EN[key].format(**values)
