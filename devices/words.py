"""Sentences of the device commands, in the language of the person at the terminal."""

from __future__ import annotations

from displays.terminal import chinese

Sentence = tuple[str, str]
"""The same in Chinese and in English."""


def say(sentence: Sentence, /, **values: object) -> str:
    """The sentence in the operator's language, with its values."""
    return sentence[0 if chinese() else 1].format(**values)
