"""What the old system says to a press of a device that nobody knows: its template, as far as the presses prove it."""

from __future__ import annotations

from collections.abc import Sequence

from devices.framing.stream import Match
from devices.framing.template import Template, parse_template
from devices.learning.padshape import DIGITS, Heard, PadShape, Place, SumPlace, sums_of


def acknowledgement(presses: Sequence[Heard], shape: PadShape) -> tuple[str, str]:
    """What the host says to a press: its template, and "heard", "echo", "repeated" (the device's own) or "none"."""
    template = parse_template("pressed", shape.pressed, shape.sum, DIGITS)
    good = [one for one in presses if one not in shape.left]
    copies = [one.after.count(one.raw) for one in good]
    echoed = sum(count > 0 for count in copies) >= 0.8 * len(good)
    places = [one.after.index(one.raw) for one in good if one.raw in one.after]
    if made := _answer(good, template, shape.sum):
        line, at = made
        if not echoed or at < sum(places) / len(places):
            return line, "heard"
    if echoed:
        return ("", "repeated") if sum(count > 1 for count in copies) > len(good) / 2 else (shape.pressed, "echo")
    return "", "none"


def _answer(good: Sequence[Heard], template: Template, name: str) -> tuple[str, float] | None:
    """The template of a reply that nearly every press has, and how many bursts came before it on average."""
    said = [_said(template, one.raw) for one in good]
    least = 0.8 * len(good)
    for model in dict.fromkeys(burst for one in good[:3] for burst in one.after if burst != one.raw):
        rows = []
        for one, fields in zip(good, said, strict=True):
            same = [raw for raw in one.after if len(raw) == len(model) and raw != one.raw]
            alike = [(_strange(raw, model, fields, said[0]), raw) for raw in same]
            if alike and min(alike)[0] <= len(model) // 2 + 1:
                rows.append((one, fields, min(alike, key=lambda item: item[0])[1]))
        if len(rows) >= max(2, least) and (line := _reply(rows, name)):
            return line, sum(one.after.index(raw) for one, _, raw in rows) / len(rows)
    return None


_Fields = dict[str, bytes]


def _said(template: Template, raw: bytes) -> _Fields:
    """The bytes of a press's address and key as they stand in it, with how they are written."""
    found = template.scan(raw, 0)
    assert isinstance(found, Match)
    values = {"address": found.frame.address, "key": found.frame.key}
    return {part.field: part.written(values[part.field] or 0) for part in template.parts if part.field in values} | {
        f"{part.field}-word": Place(0, part.width, part.form).word(part.field).encode()
        for part in template.parts
        if part.field in values
    }


def _strange(raw: bytes, model: bytes, fields: _Fields, first: _Fields) -> int:
    """In how many bytes a burst differs from another press's reply, but for address and key."""
    known = b"".join((fields["address"], fields["key"]))
    return sum(one != two and one not in known for one, two in zip(raw, model, strict=True))


def _reply(rows: Sequence[tuple[Heard, _Fields, bytes]], name: str) -> str:
    """The template that writes every reply from its press, empty when there is none."""
    frames = [raw for _, _, raw in rows]
    size = len(frames[0])
    for total in (*(_known_sums(frames, name) if size > 2 else ()), None):
        summed = total.positions(size) if total else range(0)
        words: list[str] = []
        used: set[str] = set()
        at = 0
        while at <= size:
            if total:
                words += [mark for mark, place in (("<", total.start), (">", size + total.end)) if place == at]
            if at == size:
                return " ".join(words)
            if at in summed:
                assert total is not None
                words.append(total.word)
                at += total.width
                continue
            word, width = _word(rows, at, used)
            if not word:
                break
            words.append(word)
            at += width
    return ""


def _known_sums(frames: Sequence[bytes], name: str) -> list[SumPlace]:
    """A reply's sum is the presses' own, which needs less proof."""
    return sums_of(frames, (name,), 2) if name else sums_of(frames)


def _word(rows: Sequence[tuple[Heard, _Fields, bytes]], at: int, used: set[str]) -> tuple[str, int]:
    """What stands there in every reply: the press's address or key, or always the same byte."""
    for name in ("address", "key"):
        varies = len({fields[name] for _, fields, _ in rows}) > 1
        if name not in used and varies and all(raw[at:].startswith(fields[name]) for _, fields, raw in rows):
            used.add(name)
            return rows[0][1][f"{name}-word"].decode(), len(rows[0][1][name])
    same = {raw[at] for _, _, raw in rows}
    return (f"{same.pop():02X}", 1) if len(same) == 1 else ("", 0)
