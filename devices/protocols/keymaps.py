"""What the keys of a keypad model mean: data, one table a model (HARDWARE 2.1)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Final


class Key(IntEnum):
    """The key byte that ends what was typed."""

    START = 0x0A
    WAIT = 0x0B
    CALL = 0x0C
    RECALL = 0x0D
    CANCEL = 0x0E
    FUNCTION = 0x0F
    METRE = 0x11
    PAUSE = 0x12
    TRANSFER = 0x13


class Action(StrEnum):
    """What a clerk asks for; the words of `queue_server.wire.agent.KeypadPressed`."""

    NEXT = "next"
    RECALL = "recall"
    EVALUATE = "evaluate"
    PAUSE = "pause"
    RESUME = "resume"
    TRANSFER = "transfer"
    HOLD = "hold"
    CALL_BACK = "call_back"
    NO_SHOW = "no_show"
    CALL = "call"
    SIGN_IN = "sign_in"
    SIGN_OUT = "sign_out"
    CALL_GUARD = "call_guard"
    CALL_MANAGER = "call_manager"
    CALL_ADVISER = "call_adviser"
    SHOW_ADDRESS = "show_address"
    """Answered by the agent: the keypad shows its own address."""


@dataclass(frozen=True, slots=True)
class KeyRule:
    """`typed` is "" for the key alone, "n" for one or more digits, "nn" for two or more, else exactly these digits.

    Digits that an exact rule names are part of the key and are not passed on; those of "n" and "nn" are.
    """

    key: int
    typed: str
    action: Action

    def digits(self, typed: str) -> str | None:
        """The digits to pass on when the rule fits what was typed, else None."""
        match self.typed:
            case "n":
                return typed if typed else None
            case "nn":
                return typed if len(typed) >= 2 else None
            case exact:
                return "" if typed == exact else None


@dataclass(frozen=True, slots=True)
class Keymap:
    """The first rule that fits decides; a key without one is acknowledged and counted."""

    name: str
    rules: tuple[KeyRule, ...]

    def action(self, key: int, typed: str) -> tuple[Action, str] | None:
        """What `typed` digits and `key` ask for, with the digits that go along."""
        for rule in self.rules:
            if rule.key == key and (digits := rule.digits(typed)) is not None:
                return rule.action, digits
        return None


_TYPED: Final = re.compile(r"(?:(\d+|n|nn)\s+)?([0-9A-Fa-f]{2})")


def key_rule(typed: str, action: str) -> KeyRule:
    """A rule as files and hall maps write it: "0C" = next, "6 0F" = no_show, "n 0C" = call; ValueError says what to mend."""
    found = _TYPED.fullmatch(typed)
    if found is None:
        raise ValueError(f"{typed!r} should be a key's byte in hex, after digits, n or nn: '0C', '6 0F', 'n 0C'")
    if action not in list(Action):
        raise ValueError(f"{typed}: {action!r} is none of {', '.join(Action)}")
    return KeyRule(int(found[2], 16), found[1] or "", Action(action))


def keymap_of(name: str, rules: Iterable[KeyRule]) -> Keymap:
    """A keymap in which exact digits go before "nn", and "nn" before "n", whatever their order in a file."""
    return Keymap(name, tuple(sorted(rules, key=lambda rule: ("n" in rule.typed, rule.typed == "n"))))


_COMMON: Final = (
    KeyRule(Key.START, "n", Action.TRANSFER),
    KeyRule(Key.WAIT, "", Action.EVALUATE),
    KeyRule(Key.CALL, "", Action.NEXT),
    KeyRule(Key.CALL, "n", Action.CALL),
    KeyRule(Key.RECALL, "", Action.RECALL),
)

HALL_QUEUE_FRONT: Final = Keymap(
    "hallquefront",
    (
        *_COMMON,
        KeyRule(Key.WAIT, "0", Action.HOLD),
        KeyRule(Key.FUNCTION, "0", Action.PAUSE),
        KeyRule(Key.FUNCTION, "2", Action.RESUME),
        KeyRule(Key.FUNCTION, "4", Action.SIGN_OUT),
        KeyRule(Key.FUNCTION, "5", Action.NO_SHOW),
        KeyRule(Key.FUNCTION, "6", Action.CALL_GUARD),
        KeyRule(Key.FUNCTION, "7", Action.CALL_MANAGER),
        KeyRule(Key.FUNCTION, "8", Action.SHOW_ADDRESS),
        KeyRule(Key.FUNCTION, "9", Action.CALL_ADVISER),
        KeyRule(Key.FUNCTION, "nn", Action.SIGN_IN),
    ),
)
"""Keypads as github marzlia/HallQueFront @3aa4b3a reads them (HARDWARE 2.1)."""

JACK_Q_CHEN: Final = Keymap(
    "jackqchen",
    (
        *_COMMON,
        KeyRule(Key.FUNCTION, "0", Action.HOLD),
        KeyRule(Key.FUNCTION, "3", Action.CALL_BACK),
        KeyRule(Key.FUNCTION, "6", Action.NO_SHOW),
        KeyRule(Key.PAUSE, "", Action.PAUSE),
        KeyRule(Key.TRANSFER, "", Action.TRANSFER),
        KeyRule(Key.TRANSFER, "n", Action.TRANSFER),
    ),
)
"""Keypads as github JackQChen/QueueSystem @50f57ba reads them (HARDWARE 2.1); digits before 转移 are our assumption."""

KEYMAPS: Final = {keymap.name: keymap for keymap in (HALL_QUEUE_FRONT, JACK_Q_CHEN)}
