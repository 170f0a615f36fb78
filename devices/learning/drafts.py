"""Profiles drafted for unknown strips: a template that was proven on the bursts."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from devices.framing.stream import Framer, Garbage
from devices.framing.template import TemplateFrame
from devices.learning.infer import ENOUGH, Shape, groups, infer
from devices.learning.shapes import Chunk, Unknown
from devices.profiles.files import TemplateProfile, read_profile
from devices.profiles.profile import Serial

PROVEN: Final = 0.8
"""Of the bursts that a template should explain it must read."""
SHAPES_LIMIT: Final = 8
SAMPLES: Final = 3
_COLOURS: Final = ("red", "green", "yellow")


@dataclass(frozen=True, slots=True)
class Draft:
    """A proposed profile: its file's text, what it means, how many frames it reads, and what was guessed."""

    name: str
    text: str
    profile: TemplateProfile
    frames: int
    guessed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Leftover:
    """Bursts that no template explains: their common bytes, how often, why not, and a few of them."""

    head: str
    count: int
    why: str
    samples: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Drafts:
    """What became of the unknown bytes. `stray`: bursts that resemble no other, which is what collisions and noise look like."""

    drafts: tuple[Draft, ...] = ()
    leftovers: tuple[Leftover, ...] = ()
    stray: int = 0


def draft(unknown: Unknown, line: Serial, taken: Collection[str] = (), known: Sequence[TemplateProfile] = ()) -> Drafts:
    """Profiles for strips whose frames prove their template; the rest in hex, without what profiles that are `known` explain."""
    chunks = [chunk for chunk in unknown if not any(_reads(profile, chunk.raw) for profile in known)]
    drafts: list[Draft] = []
    leftovers: list[Leftover] = []
    while len(drafts) + len(leftovers) < SHAPES_LIMIT and (shapes := _shapes(chunks)):
        names = {*taken, *(known.name for known in drafts)}
        able = [shape for shape, _ in shapes if shape.line and not shape.fixed]
        made = next((one for shape in able if (one := _draft(shape, chunks, line, names)) is not None), None)
        if made is not None:
            drafts.append(made)
            chunks = [chunk for chunk in chunks if not _reads(made.profile, chunk.raw)]
            continue
        shape, raws = max(shapes, key=lambda item: item[0].seen)
        group = [chunk for chunk in chunks if chunk.raw in raws]
        why = shape.why or ("an answer of something unknown" if shape.fixed else "the template was not proven")
        count = sum(chunk.count for chunk in group)
        leftovers.append(Leftover(shape.head, count, why, tuple(chunk.raw for chunk in group[:SAMPLES])))
        chunks = [chunk for chunk in chunks if chunk.raw not in raws]
    return Drafts(tuple(drafts), tuple(leftovers), sum(chunk.count for chunk in chunks))


def _shapes(chunks: Sequence[Chunk]) -> list[tuple[Shape, frozenset[bytes]]]:
    """The shapes of the groups: first of bursts that came more than once, then of all; those that explain most first."""
    found: list[tuple[Shape, frozenset[bytes]]] = []
    for sure in (True, False):
        bursts = [chunk.raw for chunk in chunks if chunk.count > sure]
        some = [
            (shape, frozenset(group))
            for group in itertools.islice(groups(bursts), 2 * SHAPES_LIMIT)
            if (shape := infer(group, sure=sure)) is not None
        ]
        found += sorted(some, key=lambda item: -item[0].seen)
    return found


def _draft(shape: Shape, chunks: Sequence[Chunk], line: Serial, taken: Collection[str]) -> Draft | None:
    name = next(name for n in range(1, 100) if (name := "learnt-strip" + (f"-{n}" if n > 1 else "")) not in taken)
    text = _file(name, shape, line, "")
    try:
        profile = read_profile(text)
    except ValueError:
        return None
    read = {chunk.raw: read_burst(profile, chunk.raw) for chunk in chunks}
    if sum(map(bool, read.values())) < max(ENOUGH, PROVEN * shape.seen):
        return None
    if answer := _answer(chunks, read):
        text = _file(name, shape, line, answer)
        profile = read_profile(text)
    frames = sum(chunk.count for chunk in chunks if read[chunk.raw])
    return Draft(name, text, profile, frames, shape.guessed)


def read_burst(profile: TemplateProfile, raw: bytes) -> list[TemplateFrame]:
    """The frames of a profile in a burst."""
    framer = Framer([*profile.codec.from_host, *profile.codec.from_device])
    return [item for item in framer.feed(raw) + framer.flush() if not isinstance(item, Garbage)]


def _reads(profile: TemplateProfile, raw: bytes) -> bool:
    """Whether a burst is explained; a damaged one that holds the frame's beginning counts as explained too."""
    heads = [bytes(part.literal[0] for part in one.parts[:2] if part.literal) for one in profile.templates.values()]
    return bool(read_burst(profile, raw)) or any(len(head) == 2 and head in raw for head in heads)


def _answer(chunks: Sequence[Chunk], read: dict[bytes, list[TemplateFrame]]) -> str:
    """The template of what the strips answer: bursts of one length that follow a text to the same address."""
    after = [chunk for chunk in chunks if not read[chunk.raw] and read.get(chunk.before)]
    counted = {chunk.raw: read[chunk.before][-1].address for chunk in after}
    for size in {len(raw) for raw in counted}:
        raws = [raw for raw in counted if len(raw) == size]
        varying = [at for at in range(size) if len({raw[at] for raw in raws}) > 1]
        places = [at for at in range(size) if all(raw[at] == counted[raw] for raw in raws)]
        if len(raws) >= 3 and len(varying) == 1 and varying == places[:1] and size - 1 >= 2:
            return " ".join("{address}" if at == places[0] else f"{raws[0][at]:02X}" for at in range(size))
    return ""


def _file(name: str, shape: Shape, line: Serial, answer: str) -> str:
    """The profile's file."""
    rows = [
        f'name = "{name}"',
        f'title = "Strip that was listened to, frames {shape.head}"',
        'kinds = ["strip", "board"]',
        f'source = "devices learn, {shape.seen} different frames"',
    ]
    rows += [f'sum = "{shape.sum}"'] if shape.sum else []
    rows += ["", "[line]", f"baud = {line.baud}", f"bits = {line.bits}", f'parity = "{line.parity}"']
    rows += [f"stop = {line.stop}", "", "[text]", f'encoding = "{shape.encoding}"', f"longest = {shape.longest}"]
    rows += [f'never = "{shape.never}"'] if shape.never else []
    if shape.colours is not None:
        # A colour that was not seen is written as one that was: it shows, perhaps in another colour.
        codes = [code if code in shape.colours else shape.colours[0] for code in range(len(_COLOURS))]
        said = ", ".join(f'{colour} = "{code:02X}"' for colour, code in zip(_COLOURS, codes, strict=True))
        rows.append(f"colours = {{ {said} }}")
    rows += ["", "[frames]", f'show = "{shape.line}"']
    rows += [f'acknowledged = "{answer}"'] if answer else []
    return "\n".join(rows) + "\n"
