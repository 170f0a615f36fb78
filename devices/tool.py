"""`yichuang devices`: the profiles there are, captures turned into meaning, and frames written from it."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from devices.decode import SIDES, decode, encode
from devices.profiles import PROFILES, add_folder
from devices.profiles.files import load_profile
from devices.profiles.profile import Profile

DONE: Final = 0
NO: Final = 1
WRONG_USAGE: Final = 2


class WrongUsage(Exception):
    """What was typed makes no sense; the message says what to type."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `yichuang devices`."""
    parser.add_argument("--folder", type=Path, metavar="FOLDER", help="a hall's own profiles, *.toml")
    actions = parser.add_subparsers(title="actions", required=True)
    listed = actions.add_parser("profiles", help="list the models of devices that are known, or check a profile's file")
    listed.add_argument("--check", type=Path, metavar="FILE", help="say what to mend in a profile")
    listed.set_defaults(act=_profiles)
    read = actions.add_parser("decode", help="turn bytes into frames and their meaning")
    read.add_argument("hex", nargs="+", metavar="HEX", help="bytes in hex, spaces as you like; - reads standard input")
    read.add_argument("--from", dest="side", choices=SIDES, default="both", help="who sent them")
    read.set_defaults(act=_decode)
    written = actions.add_parser("encode", help="turn a frame's values into bytes")
    written.add_argument(
        "values", metavar="JSON", help='as decode --json tells them, or {"address": 3, "text": "A042"}'
    )
    written.set_defaults(act=_encode)
    for action in (read, written):
        action.add_argument(
            "--as", dest="profile", required=True, metavar="PROFILE", help="a profile's name, or a FILE.toml"
        )
    for action in (listed, read, written):
        action.add_argument("--json", action="store_true", help="for machines")


def run(arguments: argparse.Namespace) -> int:
    """Run the command; 0 done, 1 the answer is no, 2 wrong usage."""
    act: Callable[[argparse.Namespace], int] = arguments.act
    try:
        if arguments.folder is not None and (wrong := add_folder(arguments.folder)):
            raise WrongUsage("\n".join(wrong))
        return act(arguments)
    except WrongUsage as error:
        sys.stderr.write(f"{error}\n")
        return WRONG_USAGE


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


def _say_json(value: object) -> None:
    _say(json.dumps(value, ensure_ascii=False))


def chosen(name: str) -> Profile:
    """The profile of `--as`: a name, or a file."""
    if name.endswith(".toml"):
        try:
            return load_profile(Path(name)).profile
        except ValueError as error:
            raise WrongUsage(str(error)) from error
    if name.lower() not in PROFILES:
        raise WrongUsage(f"no profile {name!r}: {', '.join(PROFILES)}")
    return PROFILES[name.lower()]


def told(profile: Profile) -> dict[str, object]:
    """A profile as JSON."""
    serial = profile.serial
    return {
        "name": profile.name,
        "kinds": sorted(profile.kinds),
        "title": profile.title,
        "line": f"{serial.baud} {serial.bits}{serial.parity}{serial.stop}",
        "alone": profile.codec.alone,
        "experimental": profile.experimental,
        "page": f"docs/devices/{profile.page}",
    }


def _profiles(arguments: argparse.Namespace) -> int:
    if arguments.check is not None:
        return _check(arguments.check, arguments.json)
    every = [told(profile) for profile in PROFILES.values()]
    if arguments.json:
        _say_json(every)
        return DONE
    table = Table(box=None, pad_edge=False)
    for column in ("profile", "kind", "line", "device"):
        table.add_column(column, no_wrap=column != "device")
    for row, profile in zip(every, PROFILES.values(), strict=True):
        marks = [word for word, so in (("experimental", profile.experimental), ("alone", profile.codec.alone)) if so]
        title = profile.title + (f" ({', '.join(marks)})" if marks else "")
        table.add_row(profile.name, ", ".join(sorted(profile.kinds)), str(row["line"]), title)
    Console(file=sys.stdout).print(table)
    return DONE


def _check(path: Path, as_json: bool) -> int:
    try:
        profile = load_profile(path).profile
    except ValueError as error:
        if as_json:
            _say_json({"good": False, "mend": str(error).splitlines()})
        else:
            _say(str(error))
        return NO
    if as_json:
        _say_json({"good": True, **told(profile)})
    else:
        _say(f"{path.name} is a good profile: {profile.name}, {profile.title}")
    return DONE


def bytes_of(words: list[str]) -> bytes:
    """Bytes from what people paste: spaces, commas, colons, 0x and line ends do not matter."""
    text = sys.stdin.read() if words == ["-"] else " ".join(words)
    for mark in ("0x", "0X", ",", ":", "-"):
        text = text.replace(mark, " ")
    try:
        return bytes.fromhex("".join(text.split()))
    except ValueError:
        raise WrongUsage(f"these are not whole bytes in hex: {text.strip()[:60]!r}") from None


def _decode(arguments: argparse.Namespace) -> int:
    profile = chosen(arguments.profile)
    data = bytes_of(arguments.hex)
    if not data:
        raise WrongUsage("give at least one byte")
    pieces = decode(profile, data, arguments.side)
    if arguments.json:
        _say_json([piece.values for piece in pieces])
    else:
        for piece in pieces:
            _say(piece.line)
    return DONE if all(piece.told is not None for piece in pieces) else NO


def _encode(arguments: argparse.Namespace) -> int:
    profile = chosen(arguments.profile)
    try:
        values = json.loads(arguments.values)
    except ValueError as error:
        raise WrongUsage(f"this is not JSON: {error}") from error
    if not isinstance(values, Mapping):
        raise WrongUsage('give one frame as an object: {"address": 3, "text": "A042"}')
    inner = values.get("values", values)  # a piece of `decode --json` goes back as it is
    try:
        raw = encode(profile, inner if isinstance(inner, Mapping) else {})
    except ValueError as error:
        raise WrongUsage(str(error)) from error
    shown = raw.hex(" ").upper()
    if arguments.json:
        _say_json({"hex": shown})
    else:
        _say(shown)
    return DONE
