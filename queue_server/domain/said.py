"""What an event may hold of somebody's words: codes of the catalogue, and references to what is sealed elsewhere."""

import re

# What the desks offer to choose from, and what no person said.
REASONS = frozenset(
    {"returned", "priority", "follow-up", "no-answer", "left", "wrong", "copy", "pay", "form", "keypad"},
)

WRITTEN = "other"
"""What somebody wrote, where only kinds of reasons are told apart."""

_SEALED = re.compile(r"sealed:[0-9a-f]{16}")


def reference(name: str) -> str:
    """What stands in an event for a text that is sealed under `name` (16 hex digits)."""
    return f"sealed:{name}"


def is_sealed(value: str) -> bool:
    """Whether this is a reference: not a code, and not the words that events held before version 2."""
    return _SEALED.fullmatch(value) is not None
