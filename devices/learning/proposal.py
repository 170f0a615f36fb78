"""The device map that follows from what was heard and answered: entries that an agent runs, with what is certain and what is not."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from msgspec import structs

from devices.devicemap import plan
from devices.framing.codec import AnyCodec
from devices.framing.ff68 import FF68
from devices.learning.answers import PLACE, Answers, Step
from devices.learning.drafts import Draft, Drafts, draft
from devices.learning.hearing import Hearing, Station
from devices.learning.pads import Pads, learn_pads
from devices.learning.presses import Pad, Press, Unread
from devices.learning.words import sentence
from devices.profiles import PROFILES, SHIPPED, add_profile
from devices.profiles.ff68 import KEY, OWN_KEYS
from devices.profiles.profile import Profile, Serial
from queue_server.wire.agent import DeviceEntry

FEW: Final = 3
"""A strip that was written to less often says nothing by not answering."""


@dataclass(slots=True)
class Proposed:
    """A device of the map, and why it stands there."""

    entry: DeviceEntry
    certain: list[str] = field(default_factory=list)
    guessed: list[str] = field(default_factory=list)

    def values(self, agent: str) -> dict[str, Any]:
        """As in the hall's file."""
        entry = self.entry
        said: dict[str, Any] = {"id": entry.id, "agent": agent, "kind": entry.kind, "url": entry.url}
        said |= {"address": entry.address, "profile": entry.profile}
        said |= {"window": entry.window} if entry.window else {}
        said |= {"levels": dict(entry.levels)} if entry.levels else {}
        return said | ({"settings": dict(entry.settings)} if entry.settings else {})


@dataclass(frozen=True, slots=True)
class Proposal:
    """All that was learnt; `aside` are sentences about what has no place in the map."""

    url: str
    line: str
    agent: str
    devices: tuple[Proposed, ...]
    drafts: Drafts
    aside: tuple[str, ...]
    counted: str
    heard: tuple[dict[str, Any], ...]

    @property
    def profiles(self) -> dict[str, str]:
        """The profiles' files by name."""
        return {one.name: one.text for one in self.drafts.drafts}

    def toml(self) -> str:
        """The map, with its comments."""
        rows = [f"# {sentence('title', url=self.url, line=self.line)}", f"# {self.counted}"]
        for one in self.drafts.drafts:
            rows.append(f"# profiles/{one.name}.toml: {sentence('learnt-frames', frames=one.frames)}")
            rows += [f"# {sentence('guessed', said=guess)}" for guess in one.guessed]
        rows += [f"# {sentence('address', **one)}" for one in self.heard]
        rows += [f"# {said}" for said in self.aside]
        for device in self.devices:
            rows.append("")
            rows += [f"# {sentence('certain', said=said)}" for said in device.certain]
            rows += [f"# {sentence('guessed', said=said)}" for said in device.guessed]
            rows.append("[[device]]")
            rows += [f"{name} = {_toml(value)}" for name, value in device.values(self.agent).items()]
        return "\n".join(rows) + "\n"

    def values(self) -> dict[str, Any]:
        """For machines."""
        return {
            "url": self.url,
            "line": self.line,
            "devices": [
                device.values(self.agent) | {"certain": device.certain, "guessed": device.guessed}
                for device in self.devices
            ],
            "profiles": self.profiles,
            "heard": list(self.heard),
            "aside": list(self.aside),
            "unknown": [
                {
                    "head": left.head,
                    "count": left.count,
                    "why": left.why,
                    "samples": [raw.hex(" ").upper() for raw in left.samples],
                }
                for left in self.drafts.leftovers
            ],
            "stray": self.drafts.stray,
        }


def _toml(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{json.dumps(name)} = {_toml(part)}" for name, part in value.items()) + " }"
    return json.dumps(value, ensure_ascii=False)  # a JSON string of these characters is a TOML one


def drafts_of(hearing: Hearing, line: Serial, pads: Pads | None = None, taken: Collection[str] = ()) -> Drafts:
    """What becomes of the unknown bytes beside learnt `pads`."""
    known = [one.profile for one in pads.drafts] if pads is not None else []
    return draft(hearing.unknown, line, {*PROFILES, *taken}, known)


@dataclass(frozen=True, slots=True)
class Settled:
    """A line heard again with every profile that was learnt, and the answers as presses of them."""

    hearing: Hearing
    answers: Answers
    pads: Pads
    drafts: Drafts


def settle(hearing: Hearing, answers: Answers, line: Serial, taken: Collection[str] = ()) -> Settled:
    """What the answers and the line tell about devices that nobody knew: first what is pressed, then what is shown.

    `taken` are names, beside those of this process, that belong to other profiles.
    """
    pads = learn_pads(answers, line, {*PROFILES, *taken})
    if pads.drafts:
        hearing = hearing.again(_with_learnt(pads.drafts))
    strips = drafts_of(hearing, line, pads, taken)
    drafts = replace(strips, drafts=(*pads.drafts, *strips.drafts))
    if strips.drafts:
        hearing = hearing.again(_with_learnt(drafts.drafts))
    given: dict[Step, Press | Unread | str | None] = {
        step: pads.presses.get(step) if isinstance(press, Unread) else press for step, press in answers.given.items()
    }
    return Settled(hearing, Answers(answers.windows, given, answers.wanted), pads, drafts)


def _with_learnt(drafts: Iterable[Draft]) -> dict[str, Profile]:
    return {**PROFILES, **{one.name: one.profile.profile for one in drafts}}


def propose(
    hearing: Hearing, answers: Answers, url: str, line: Serial, agent: str, taken: Collection[str] = ()
) -> Proposal:
    """The map; every entry has passed the agent's own check. Learnt profiles get none of the names that are `taken`."""
    settled = settle(hearing, answers, line, taken)
    hearing, answers, pads, drafts = settled.hearing, settled.answers, settled.pads, settled.drafts
    for one in drafts.drafts:
        add_profile(one.profile.profile)  # for the check below, and for whoever tries the map in this process
    maker = _Maker(hearing, answers, url, drafts)
    made = [*maker.keypads(), *maker.pads(), *maker.strips()]
    wrong = plan(one.entry for one in made).wrong
    aside = [*pads.aside, *(said for _, said in pads.lacks), *maker.unplaced()]
    aside += [sentence("refused", id=name, reason=reason) for name, reason in wrong.items()]
    for left in drafts.leftovers:
        aside.append(sentence("unknown", count=left.count, head=left.head, why=left.why))
        aside += [f"    {raw.hex(' ').upper()}" for raw in left.samples]
    counted = sentence(
        "counted", bytes=hearing.heard, frames=sum(hearing.frames.values()), damaged=hearing.damaged, stray=drafts.stray
    )
    good = tuple(one for one in made if one.entry.id not in wrong)
    return Proposal(url, said_line(line), agent, good, drafts, tuple(aside), counted, tuple(_heard(hearing)))


def _heard(hearing: Hearing) -> Iterator[dict[str, Any]]:
    """Every address: how often it spoke, and how often it was spoken to."""
    for station in sorted(hearing.stations.values(), key=lambda one: (one.codec.name, one.address)):
        presses = hearing.presses(station.codec)
        pad = presses.pads.get(station.address) if presses is not None else None
        spoke = station.answers + (pad.keys.total() + pad.rates.total() if pad is not None else 0)
        yield {
            "protocol": station.codec.name,
            "address": _hex(station.address),
            "spoke": spoke,
            "spoken_to": station.writes,
        }


def said_line(line: Serial) -> str:
    """`9600 8N1`."""
    return f"{line.baud} {line.bits}{line.parity}{line.stop}"


def unplaced_strips(hearing: Hearing, answers: Answers) -> dict[int, str]:
    """The strips that nothing places at a window, with what they show: a person may know."""
    return {
        station.address: station.shown
        for station in _strips(hearing)
        if station.writes >= FEW and not (placing := Placing(station, answers)).window and not placing.board
    }


def _strips(hearing: Hearing) -> Iterator[Station]:
    for station in sorted(hearing.stations.values(), key=lambda one: (one.codec.name, one.address)):
        if hearing.profiles[station.codec].kinds & {"strip", "board"} and station.writes:
            yield station


class Placing:
    """At which window a strip hangs, by the presses that change it, the texts that name one, and a person's word."""

    def __init__(self, station: Station, answers: Answers) -> None:
        self.window, self.board = "", station.board
        self.certain: list[str] = [sentence("board-frame")] if station.board else []
        self.guessed: list[str] = []
        told = answers.given.get(Step("", PLACE, station.address))
        if isinstance(told, str):
            self.window, self.board = told, False
            self.certain.append(sentence("told"))
        elif not station.board:
            self._conclude(station, answers)

    def _conclude(self, station: Station, answers: Answers) -> None:
        keypads = {there.address: window for window in answers.windows if (there := answers.keypad(window))}
        total = sum(station.by.values())
        ((address, count),) = station.by.most_common(1) or [(0, 0)]
        ((named, texts),) = station.names.most_common(1) or [("", 0)]
        named = named if len(station.names) == 1 and named in answers.windows else ""
        if (len(station.by) >= FEW and 2 * count < total) or len(station.names) >= FEW:
            self.board = True
            self.guessed.append(sentence("board"))
            return
        followed = keypads.get(address, "") if 10 * count >= 6 * total else ""
        if count < 2 and named and followed != named:
            followed = ""  # one change may be chance, what the texts say is not
        self.window = followed or named
        agree = followed == named or not named or not followed
        sure = agree and (count >= 2 if followed else texts >= 2)
        where = self.certain if sure else self.guessed
        if followed:
            where.append(sentence("follows", window=followed, count=count))
        if named:
            where.append(sentence("names", window=named))


class _Maker:
    """The entries of one proposal."""

    def __init__(self, hearing: Hearing, answers: Answers, url: str, drafts: Drafts) -> None:
        self._hearing, self._answers, self._url, self._drafts = hearing, answers, url, drafts
        self._ids: set[str] = set()

    def _entry(self, kind: str, address: int, profile: str, window: str, **more: dict[str, Any]) -> DeviceEntry:
        short = {"rating_pad": "pad"}.get(kind, kind)
        name = f"{short}-{window or f'{address:02x}'}"
        name = next(free for n in range(1, 999) if (free := name + (f"-{n}" if n > 1 else "")) not in self._ids)
        self._ids.add(name)
        return DeviceEntry(
            id=name,
            kind=kind,
            url=self._url,
            address=address,
            profile=profile,
            window=window,
            levels=more.get("levels", {}),
            settings=more.get("settings", {}),
        )

    def _pad(self, codec: AnyCodec, address: int) -> Pad:
        presses = self._hearing.presses(codec)
        return presses.pads.get(address, Pad()) if presses is not None else Pad()

    def keypads(self) -> Iterator[Proposed]:
        """Those that were pressed at a window."""
        answers = self._answers
        for window in answers.windows:
            press = answers.keypad(window)
            if press is None:
                continue
            rules, fitting = answers.rules(window), answers.keymaps(window)
            said = sentence("pressed-here", window=window, address=_hex(press.address))
            if press.codec != FF68:
                profile = self._hearing.profiles[press.codec].name
                made = Proposed(self._entry("keypad", press.address, profile, window), [said])
                yield self._with_file(made, profile)
                continue
            like = answers.like(window)
            taken = [sentence("keymap-like", window=like)] if like != window else []
            if len(fitting) == 1:
                made = Proposed(self._entry("keypad", press.address, fitting[0], window), [said], taken)
                made.certain.append(sentence("keymap-published", count=len(rules), name=fitting[0]))
                made.guessed.append(sentence("keymap-rest", name=fitting[0]))
            else:
                keys = {f"{KEY}{rule.typed} {rule.key:02X}".replace(". ", "."): str(rule.action) for rule in rules}
                made = Proposed(self._entry("keypad", press.address, OWN_KEYS, window, settings=keys), [said], taken)
                which = "keymap-several" if fitting else "keymap-own"
                made.certain.append(sentence(which, count=len(rules), names=", ".join(fitting)))
            yield made

    def pads(self) -> Iterator[Proposed]:
        """Rating devices that were pressed at a window."""
        answers = self._answers
        keypads = {press.address for window in answers.windows if (press := answers.keypad(window)) is not None}
        for window in answers.windows:
            press = answers.pad(window)
            if press is None:
                continue
            levels, taken = answers.levels(window)
            made = Proposed(
                self._entry("rating_pad", press.address, "", window, levels=levels),
                [sentence("pressed-here", window=window, address=_hex(press.address))],
            )
            made.certain.append(sentence("levels-pressed", count=len(levels) - len(taken)))
            if taken:
                made.guessed.append(sentence("levels-taken", levels=", ".join(map(str, taken))))
            settings: dict[str, str] = {}
            if press.codec == FF68 and press.address in keypads:
                settings["starts"] = "false"
                made.certain.append(sentence("shared"))
            profile = self._acknowledgement(press.codec, press.address, made)
            made.entry = structs.replace(made.entry, profile=profile, settings=settings)
            yield made

    def _with_file(self, made: Proposed, profile: str) -> Proposed:
        if any(one.name == profile for one in self._drafts.drafts):
            made.certain.append(sentence("profile-file", name=profile))
        return made

    def _acknowledgement(self, codec: AnyCodec, address: int, made: Proposed) -> str:
        if codec != FF68:
            name = self._hearing.profiles[codec].name
            self._with_file(made, name)
            return name
        acks = self._pad(codec, address).acks
        if not acks:
            made.guessed.append(sentence("ack-unheard"))
            return "ff68-a"
        ((ack, count),) = acks.most_common(1)
        made.certain.append(sentence("ack-heard", ack=ack.upper(), count=count))
        return f"ff68-{ack}"

    def strips(self) -> Iterator[Proposed]:
        """Strips and boards, at a window or not."""
        drafted = {one.profile.codec: one for one in self._drafts.drafts}
        for station in _strips(self._hearing):
            placing = Placing(station, self._answers)
            known = station.codec not in drafted
            profile = self._profile(station.codec) if known else drafted[station.codec].profile.profile
            if not placing.window and not placing.board:
                continue
            kind = "board" if placing.board else "strip"
            mute = station.codec not in drafted and bool(profile.codec.from_device)
            settings = {"acks": "false"} if mute and station.writes >= FEW and not station.answers else {}
            made = Proposed(
                self._entry(
                    kind if kind in profile.kinds else "strip",
                    station.address,
                    profile.name,
                    placing.window,
                    settings=settings,
                ),
                placing.certain,
                placing.guessed,
            )
            if settings:
                made.guessed.append(sentence("no-acks", count=station.writes))
            if station.codec in drafted:
                made.certain.append(sentence("profile-file", name=profile.name))
            yield made

    def _profile(self, codec: AnyCodec) -> Profile:
        return next(profile for name, profile in PROFILES.items() if profile.codec == codec and name not in SHIPPED)

    def unplaced(self) -> Iterator[str]:
        """What spoke or was spoken to, and has no place in the map."""
        pressed = [press for press in self._answers.given.values() if isinstance(press, Press)]
        placed = {(press.codec, press.address, press.rating) for press in pressed}
        for presses in self._hearing.pads:
            for address, pad in sorted(presses.pads.items()):
                for kind, count in (("keypad", pad.keys.total()), ("rating_pad", pad.rates.total())):
                    if count and (presses.codec, address, kind == "rating_pad") not in placed:
                        yield _aside(kind, address, count)
        for station in _strips(self._hearing):
            placing = Placing(station, self._answers)
            if not placing.window and not placing.board:
                yield _aside("strip", station.address, station.writes)


def _aside(kind: str, address: int, count: int) -> str:
    return sentence("unplaced", what=sentence(kind), address=_hex(address), count=count)


def _hex(address: int) -> str:
    return f"0x{address:02X}"
