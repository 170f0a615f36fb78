"""Profiles for keypads and rating devices that nobody knows, from what was pressed at them when it was asked for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from devices.framing.stream import Match
from devices.framing.template import Template, TemplateFrame, parse_template
from devices.learning.answers import KEYS, NEXT, Answers, Step, spelt
from devices.learning.drafts import Draft
from devices.learning.padreply import acknowledgement
from devices.learning.padshape import DIGITS, Heard, Lack, PadShape, infer_pad
from devices.learning.presses import Press, Unread
from devices.learning.words import key_name, level_name, sentence
from devices.profiles.files import read_profile
from devices.profiles.profile import Serial

_NAMES: Final = {"keypad": "learnt-keypad", "rating_pad": "learnt-pad"}
_FIRST: Final = {"keypad": (NEXT, "recall"), "rating_pad": ("level-5", "level-4")}
LACKS: Final = ("window", "key", "press")
"""Which of them one more press decides."""


@dataclass(frozen=True, slots=True)
class Pads:
    """What was learnt: drafted profiles, the presses that they read, what lacks (with its sentence), and what is said aside."""

    drafts: tuple[Draft, ...] = ()
    presses: dict[Step, Press] = field(default_factory=dict)
    lacks: tuple[tuple[Lack, str], ...] = ()
    aside: tuple[str, ...] = ()


def learn_pads(answers: Answers, line: Serial, taken: Collection[str] = ()) -> Pads:
    """A profile for each kind of device whose presses prove it."""
    made = Pads()
    for kind in _NAMES:
        for presses in _models(answers, kind == "rating_pad"):
            names = {*taken, *(known.name for known in made.drafts)}
            made = _learn(made, kind, presses, answers, line, names)
    return made


def _models(answers: Answers, rating: bool) -> Iterator[dict[Step, Unread]]:
    """The presses of devices that are alike: their first keys have frames of one length."""
    models: dict[int, dict[Step, Unread]] = defaultdict(dict)
    for window in answers.windows:
        there = answers.unread(window, rating=rating)
        if there:
            size = len(there.get(_FIRST["rating_pad" if rating else "keypad"][0], next(iter(there.values()))).raw)
            models[size] |= {Step(window, what): press for what, press in there.items()}
    yield from models.values()


def _learn(
    made: Pads, kind: str, presses: dict[Step, Unread], answers: Answers, line: Serial, taken: Collection[str]
) -> Pads:
    heard = {
        step: Heard(step.window, step.what, one.raw, one.after, KEYS[step.what].typed if step.what in KEYS else "")
        for step, one in presses.items()
    }
    shape = infer_pad(list(heard.values()), answers.windows, *_FIRST[kind])
    if isinstance(shape, Lack):
        return replace(made, lacks=(*made.lacks, (shape, _lacks(kind, shape, list(presses)))))
    template = parse_template("pressed", shape.pressed, shape.sum, DIGITS)
    if not template.distinct:
        lack = Lack("vague")
        return replace(made, lacks=(*made.lacks, (lack, _lacks(kind, lack, list(presses)))))
    name = next(name for n in range(1, 100) if (name := _NAMES[kind] + (f"-{n}" if n > 1 else "")) not in taken)
    frames = {step: _frame(template, one.raw) for step, one in heard.items() if one not in shape.left}
    reply, how = acknowledgement(list(heard.values()), shape)
    keys = {
        (f"{spelt(step.what, _typed(frame, shape))} {frame.key:02X}").strip(): str(KEYS[step.what].action)
        for step, frame in frames.items()
        if kind == "keypad"
    }
    profile = read_profile(text := _file(name, kind, line, shape, reply, keys, len(heard)))
    codec = profile.codec
    found = {
        step: Press(
            presses[step].at_ms, codec, frame.address or 0, kind == "rating_pad", _typed(frame, shape), frame.key or 0
        )
        for step, frame in frames.items()
    }
    guessed = [sentence(f"ack-{how}")] if how != "heard" else []
    guessed += [sentence("pad-no-sum")] if not shape.sum else []
    one = Draft(name, text, profile, len(found), tuple(guessed))
    left = [sentence("pad-left", window=p.window, key=_asked(p.what), bytes=p.raw.hex(" ").upper()) for p in shape.left]
    return Pads((*made.drafts, one), {**made.presses, **found}, made.lacks, (*made.aside, *left))


def _frame(template: Template, raw: bytes) -> TemplateFrame:
    found = template.scan(raw, 0)
    assert isinstance(found, Match)  # else it would have been left over
    return found.frame


def _typed(frame: TemplateFrame, shape: PadShape) -> str:
    return "".join(str(byte - shape.zero) for byte in frame.body)


def _asked(what: str) -> str:
    return level_name(Step("", what).level) if what not in KEYS else key_name(what, KEYS[what].typed)


def _lacks(kind: str, lack: Lack, steps: Sequence[Step]) -> str:
    """What lacks in words: which press would decide."""
    key = _asked(lack.what) if lack.what else ""
    where = ", ".join(map(str, lack.places))
    windows = ", ".join(dict.fromkeys(step.window for step in steps))
    code = "lack-elsewhere" if lack.why == "window" and not lack.window else f"lack-{lack.why}"
    return sentence(code, kind=sentence(kind), window=lack.window, windows=windows, key=key, places=where)


def _file(name: str, kind: str, line: Serial, shape: PadShape, reply: str, keys: dict[str, str], presses: int) -> str:
    """The profile's file."""
    rows = [
        f'name = "{name}"',
        f'title = "{"Keypad" if kind == "keypad" else "Rating device"} that was listened to, {shape.pressed[:5]}"',
        f'kinds = ["{kind}"]',
        f'source = "devices learn, {presses} presses"',
        *([f'sum = "{shape.sum}"'] if shape.sum else []),
        *(
            "",
            "[line]",
            f"baud = {line.baud}",
            f"bits = {line.bits}",
            f'parity = "{line.parity}"',
            f"stop = {line.stop}",
        ),
        *(["", "[digits]", f'zero = "{shape.zero:02X}"'] if "{digits}" in shape.pressed else []),
        *("", "[frames]", f'pressed = "{shape.pressed}"'),
        *([f'acknowledge = "{reply}"'] if reply else []),
        *(["", "[keys]", *(f'"{typed}" = "{action}"' for typed, action in keys.items())] if keys else []),
    ]
    return "\n".join(rows) + "\n"
