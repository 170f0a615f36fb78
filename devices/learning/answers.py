"""What a person was asked to press and what came: pure, so that the next question follows from the answers alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from devices.learning.presses import Press, Unread
from devices.protocols.keymaps import KEYMAPS, Action, KeyRule

NEXT: Final = "next"
PLACE: Final = "place"
LEVELS: Final = (5, 4, 3, 2, 1)


@dataclass(frozen=True, slots=True)
class Ask:
    """A key to press: what it means, and the digits to type before it where the number is free."""

    action: Action
    typed: str = ""


KEYS: Final[Mapping[str, Ask]] = {
    NEXT: Ask(Action.NEXT),
    "recall": Ask(Action.RECALL),
    "call": Ask(Action.CALL, "12"),
    "evaluate": Ask(Action.EVALUATE),
    "no_show": Ask(Action.NO_SHOW),
    "pause": Ask(Action.PAUSE),
    "resume": Ask(Action.RESUME),
    "transfer_to": Ask(Action.TRANSFER, "3"),
    "transfer": Ask(Action.TRANSFER),
    "hold": Ask(Action.HOLD),
    "call_back": Ask(Action.CALL_BACK),
    "sign_in": Ask(Action.SIGN_IN, "1001"),
    "sign_out": Ask(Action.SIGN_OUT),
    "call_guard": Ask(Action.CALL_GUARD),
    "call_manager": Ask(Action.CALL_MANAGER),
    "call_adviser": Ask(Action.CALL_ADVISER),
    "show_address": Ask(Action.SHOW_ADDRESS),
}
"""The questions about a keypad, in their order: all that the published keymaps know."""


@dataclass(frozen=True, slots=True)
class Step:
    """One question: `what` is a key of KEYS, "level-5" …, or PLACE for the strip `strip` that is nobody's yet."""

    window: str
    what: str
    strip: int = 0

    @property
    def level(self) -> int:
        """The rating asked for, 0 when none is."""
        return int(self.what.removeprefix("level-")) if self.what.startswith("level-") else 0

    @property
    def first(self) -> bool:
        """Whether the answer says which device it is, so that anybody's press elsewhere would be taken for it."""
        return self.what in (NEXT, f"level-{LEVELS[0]}")


@dataclass(slots=True)
class Answers:
    """Presses by step in the order they were given; None for what was skipped, text for a place."""

    windows: Sequence[str]
    given: dict[Step, Press | Unread | str | None] = field(default_factory=dict)
    wanted: list[Step] = field(default_factory=list)
    """Questions beside the usual ones, which would decide what is open."""

    def undo(self) -> bool:
        """Take back the last answer or skip; False when there is none."""
        if not self.given:
            return False
        self.given.popitem()
        return True

    def press(self, window: str, what: str) -> Press | None:
        """What was pressed for a question."""
        found = self.given.get(Step(window, what))
        return found if isinstance(found, Press) else None

    def keypad(self, window: str) -> Press | None:
        """The press by which the window's keypad is known."""
        return self.press(window, NEXT)

    def pad(self, window: str) -> Press | None:
        """The press by which the window's rating device is known."""
        return next(filter(None, (self.press(window, f"level-{level}") for level in LEVELS)), None)

    def owner(self, press: Press) -> str:
        """The window that a device was given to already, by a press of its own kind."""
        for window in self.windows:
            there = self.pad(window) if press.rating else self.keypad(window)
            if there is not None and (there.codec, there.address) == (press.codec, press.address):
                return window
        return ""

    def unread(self, window: str, *, rating: bool) -> dict[str, Unread]:
        """The presses of a window's device that nobody knows yet, by question."""
        return {
            step.what: press
            for step, press in self.given.items()
            if isinstance(press, Unread) and step.window == window and press.rating == rating
        }

    def asked_before(self, raw: bytes) -> Step | None:
        """The question to which these bytes were the answer."""
        return next((s for s, press in self.given.items() if isinstance(press, Unread) and press.raw == raw), None)

    def like(self, window: str) -> str:
        """The first window whose keypad has the same key for next: its other keys are taken over. May be the window itself."""
        own = self.keypad(window)
        strange = self.given.get(Step(window, NEXT))
        for other in self.windows:
            there = self.keypad(other)
            alike = self.given.get(Step(other, NEXT))
            if isinstance(strange, Unread) and isinstance(alike, Unread) and len(strange.raw) == len(alike.raw):
                return other
            if own and there and (there.codec, there.digits, there.key) == (own.codec, own.digits, own.key):
                return other
        return window

    def steps(self, strips: Sequence[int] = ()) -> Iterator[Step]:
        """Every question that has its turn, as far as the answers tell."""
        for window in self.windows:
            yield Step(window, NEXT)
            if self.given.get(Step(window, NEXT)) is not None and self.like(window) == window:
                yield from (Step(window, what) for what in KEYS if what != NEXT)
            for level in LEVELS:
                yield Step(window, f"level-{level}")
                if level == LEVELS[0] and self.pad(window) is None and not self.unread(window, rating=True):
                    break  # there is none at this window
        yield from self.wanted
        yield from (Step("", PLACE, strip) for strip in strips)

    def next_step(self, strips: Sequence[int] = ()) -> Step | None:
        """The first question without an answer."""
        return next((step for step in self.steps(strips) if step not in self.given), None)

    def judge(self, step: Step, press: Press) -> str:
        """Why a press is no answer: kind, owned, elsewhere, same; empty when it is one."""
        if press.rating != bool(step.level):
            return "kind"
        device = self.pad(step.window) if press.rating else self.keypad(step.window)
        if device is None or step.first:
            return "owned" if self.owner(press) not in ("", step.window) else ""
        if (device.codec, device.address) != (press.codec, press.address):
            return "elsewhere"
        return "same" if self.meaning(step, press) else ""

    def meaning(self, step: Step, press: Press) -> str:
        """What this key of this window was said to be."""
        for other, there in self.given.items():
            if other.window != step.window or not isinstance(there, Press) or there.rating != press.rating:
                continue
            if there.key == press.key and spelt(other.what, there.digits) == spelt(step.what, press.digits):
                return other.what
        return ""

    # What follows.

    def rules(self, window: str) -> list[KeyRule]:
        """The keys of the window's keypad, as far as they were pressed here or at the first keypad like it."""
        rules = []
        for what, ask in KEYS.items():
            press = self.press(window, what) or self.press(self.like(window), what)
            if press is not None:
                rules.append(KeyRule(press.key, spelt(what, press.digits), ask.action))
        return rules

    def keymaps(self, window: str) -> list[str]:
        """The published keymaps that read every press as what it was said to be."""
        samples = [(rule, _typed(rule)) for rule in self.rules(window)]
        return [
            name
            for name, keymap in KEYMAPS.items()
            if all(
                (meaning := keymap.action(rule.key, typed)) is not None and meaning[0] is rule.action
                for rule, typed in samples
            )
        ]

    def levels(self, window: str) -> tuple[dict[str, int], tuple[int, ...]]:
        """The level map of the window's rating device, and the levels taken over from the first device that agrees with it."""
        own = {level: press.key for level in LEVELS if (press := self.press(window, f"level-{level}")) is not None}
        taken: list[int] = []
        for other in self.windows if own else ():
            there = {level: press.key for level in LEVELS if (press := self.press(other, f"level-{level}")) is not None}
            if other != window and len(there) > len(own) and own.items() <= there.items():
                taken = [level for level in there if level not in own]
                own = there
                break
        return {str(key): level for level, key in sorted(own.items(), key=lambda item: item[1])}, tuple(taken)


def spelt(what: str, digits: str) -> str:
    """The digits of a key rule: those that were typed, or "n" and "nn" where the number is free."""
    ask = KEYS.get(what)
    if ask is None or not ask.typed or not digits:
        return digits
    return "nn" if ask.action is Action.SIGN_IN else "n"


def _typed(rule: KeyRule) -> str:
    return {"n": "12", "nn": "1001"}.get(rule.typed, rule.typed)
