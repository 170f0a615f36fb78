"""`yichuang devices`: what is plugged in and known, lines learnt and tried, captures told and frames written."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

import structlog
from rich.console import Console
from rich.table import Table

from devices import saying
from devices.decode import SIDES, decode, encode
from devices.devicemap import read_map
from devices.learning import cli as learning
from devices.patterns import TEXT
from devices.profiles import DEFAULTS, PROFILES, add_folder, find_profile
from devices.profiles.files import load_profile
from devices.profiles.profile import Profile
from devices.saying import Told
from devices.scan import scan
from devices.session import Papers, Recording, Trial, check_recording, try_device
from devices.words import say

DONE: Final = 0
NO: Final = 1
WRONG_USAGE: Final = 2
FOREVER_S: Final = 1e9


class WrongUsage(Exception):
    """What was typed makes no sense; the message says what to type."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `yichuang devices`."""
    parser.add_argument("--folder", type=Path, metavar="FOLDER", help="a hall's own profiles, *.toml")
    actions = parser.add_subparsers(title="actions", required=True)
    found = actions.add_parser("scan", help="list what is plugged in, and guess what it is")
    found.set_defaults(act=_scan)
    listed = actions.add_parser("profiles", help="list the models of devices that are known, or check a profile's file")
    listed.add_argument("--check", type=Path, metavar="FILE", help="say what to mend in a profile")
    listed.set_defaults(act=_profiles)
    tried = actions.add_parser("try", help="talk to one device: every frame with its meaning, and a test pattern")
    _add_try(tried)
    read = actions.add_parser("decode", help="turn bytes into frames and their meaning")
    read.add_argument("hex", nargs="+", metavar="HEX", help="bytes in hex, spaces as you like; - reads standard input")
    read.add_argument("--from", dest="side", choices=SIDES, default="both", help="who sent them")
    read.set_defaults(act=_decode)
    written = actions.add_parser("encode", help="turn a frame's values into bytes")
    written.add_argument(
        "values", metavar="JSON", help='as decode --json tells them, or {"address": 3, "text": "A042"}'
    )
    written.set_defaults(act=_encode)
    checked = actions.add_parser("replay", help="whether the bytes of recorded sessions still mean the same")
    checked.add_argument("files", nargs="+", type=Path, metavar="FILE")
    checked.set_defaults(act=_replay)
    for action in (tried, read, written):
        action.add_argument(
            "--as",
            dest="profile",
            required=action is not tried,
            metavar="PROFILE",
            help="a profile's name, or a FILE.toml",
        )
    learnt = actions.add_parser("learn", help="listen to a line beside the old system, and propose its device map")
    learning.add_arguments(learnt)
    learnt.set_defaults(act=_learn)
    for action in (found, listed, tried, read, written, checked, learnt):
        action.add_argument("--json", action="store_true", help="for machines")


def _add_try(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("url", metavar="URL|DEVICE", help="serial:///dev/serial/by-path/…, or with --map a device's id")
    parser.add_argument("--map", type=Path, metavar="FILE", help="a device map, as `learn` writes it, or a hall's file")
    parser.add_argument("--address", type=lambda text: int(text, 0), default=1, help="on the line; 7 or 0x87")
    parser.add_argument("--kind", default="", help="where a profile has several: strip, board …")
    parser.add_argument("--text", default=TEXT, help="the test pattern of strips and voices")
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="a setting, as in the hall's file"
    )
    parser.add_argument(
        "--send", action="append", default=[], metavar="JSON", help="a frame, as for encode; may be repeated"
    )
    parser.add_argument("--seconds", type=float, default=10.0, help="how long; 0 is until Ctrl+C")
    parser.add_argument("--record", type=Path, metavar="FILE", help="keep the session as JSON lines")
    parser.set_defaults(act=_try)


def run(arguments: argparse.Namespace, papers: Callable[[], Papers] | None = None) -> int:
    """Run the command; 0 done, 1 the answer is no, 2 wrong usage. `papers` gives what printers are tried with."""
    act: Callable[[argparse.Namespace], int] = arguments.act
    arguments.papers = papers
    try:
        if arguments.folder is not None and (wrong := add_folder(arguments.folder)):
            raise WrongUsage("\n".join(wrong))
        return act(arguments)
    except WrongUsage as error:
        sys.stderr.write(f"{error}\n")
        return WRONG_USAGE


def _write(line: str) -> None:
    sys.stdout.write(line + "\n")


def _write_now(line: str) -> None:
    _write(line)
    sys.stdout.flush()


def _write_json(value: object) -> None:
    _write(json.dumps(value, ensure_ascii=False))


def chosen(name: str) -> Profile:
    """The profile of `--as`: a name, or a file."""
    if name.endswith(".toml"):
        try:
            return load_profile(Path(name)).profile
        except ValueError as error:
            raise WrongUsage(str(error)) from error
    if name.lower() not in PROFILES:
        raise WrongUsage(say(saying.NO_PROFILE, name=repr(name), names=", ".join(PROFILES)))
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
        _write_json(every)
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
            _write_json({"good": False, "mend": str(error).splitlines()})
        else:
            _write(str(error))
        return NO
    if as_json:
        _write_json({"good": True, **told(profile)})
    else:
        _write(say(saying.GOOD_PROFILE, file=path.name, name=profile.name, title=profile.title))
    return DONE


def bytes_of(words: list[str]) -> bytes:
    """Bytes from what people paste: spaces, commas, colons, 0x and line ends do not matter."""
    text = sys.stdin.read() if words == ["-"] else " ".join(words)
    for mark in ("0x", "0X", ",", ":", "-"):
        text = text.replace(mark, " ")
    try:
        return bytes.fromhex("".join(text.split()))
    except ValueError:
        raise WrongUsage(say(saying.NO_HEX, text=repr(text.strip()[:60]))) from None


def _decode(arguments: argparse.Namespace) -> int:
    profile = chosen(arguments.profile)
    data = bytes_of(arguments.hex)
    if not data:
        raise WrongUsage(say(saying.NO_BYTE))
    pieces = decode(profile, data, arguments.side)
    if arguments.json:
        _write_json([piece.values for piece in pieces])
    else:
        for piece in pieces:
            _write(piece.line)
    return DONE if all(piece.told is not None for piece in pieces) else NO


def _values(text: str) -> Mapping[str, object]:
    try:
        values = json.loads(text)
    except ValueError as error:
        raise WrongUsage(say(saying.NO_JSON, error=error)) from error
    inner = values.get("values", values) if isinstance(values, Mapping) else None
    if not isinstance(inner, Mapping):  # a piece of `decode --json` goes back as it is
        raise WrongUsage(say(saying.NO_FRAME))
    return inner


def _encode(arguments: argparse.Namespace) -> int:
    profile = chosen(arguments.profile)
    try:
        raw = encode(profile, _values(arguments.values))
    except ValueError as error:
        raise WrongUsage(str(error)) from error
    shown = raw.hex(" ").upper()
    if arguments.json:
        _write_json({"hex": shown})
    else:
        _write(shown)
    return DONE


def _scan(arguments: argparse.Namespace) -> int:
    found = scan()
    if arguments.json:
        _write_json([one.values for one in found])
    else:
        for one in found:
            _write(f"{one.bus:9} {one.name}\n          {one.guess}" + (f"\n          {one.url}" if one.url else ""))
        if not found:
            _write(say(saying.NOTHING_PLUGGED))
    return DONE if found else NO


def _from_map(arguments: argparse.Namespace) -> None:
    """Take url, profile, address, kind and settings of a map's device; what was typed beside it wins."""
    try:
        entries = {entry.id: entry for entry in read_map(arguments.map.read_text(encoding="utf-8"))}
    except (OSError, ValueError) as error:
        raise WrongUsage(f"{arguments.map}: {error}") from error
    entry = entries.get(arguments.url)
    if entry is None:
        raise WrongUsage(
            say(saying.NO_DEVICE, file=arguments.map.name, name=repr(arguments.url), names=", ".join(entries))
        )
    arguments.url, arguments.address = entry.url, entry.address
    try:
        usual = DEFAULTS.get(entry.kind) or find_profile(entry.kind, entry.profile).name
    except ValueError as error:
        raise WrongUsage(f"{entry.id}: {error}") from error
    arguments.profile = arguments.profile or entry.profile or usual
    arguments.kind = arguments.kind or entry.kind
    arguments.set = [f"{name}={value}" for name, value in entry.settings.items()] + arguments.set


def _try(arguments: argparse.Namespace) -> int:
    if arguments.map is not None:
        _from_map(arguments)
    if not arguments.profile:
        raise WrongUsage(say(saying.NO_CHOICE))
    profile = chosen(arguments.profile)
    pairs = [text.partition("=") for text in arguments.set]
    if wrong := [name for name, sign, _ in pairs if not sign]:
        raise WrongUsage(say(saying.NO_PAIR, name=wrong[0]))
    if arguments.kind and arguments.kind not in profile.kinds:
        raise WrongUsage(
            say(saying.NO_KIND, profile=profile.name, kinds=", ".join(sorted(profile.kinds)), kind=repr(arguments.kind))
        )
    trial = Trial(
        url=arguments.url,
        profile=profile,
        address=arguments.address,
        kind=arguments.kind,
        text=arguments.text,
        settings={name: value for name, _, value in pairs},
        seconds=arguments.seconds or FOREVER_S,
    )
    sends = [_values(text) for text in arguments.send]
    told = _Machines() if arguments.json else Told(_write_now, trial.entry.kind, trial.address, trial.text)
    recording = None
    try:
        recording = Recording(arguments.record, trial, told.tell) if arguments.record is not None else None
        with contextlib.nullcontext() if arguments.json or getattr(arguments, "verbose", False) else _without_log():
            heard = asyncio.run(try_device(trial, told.tell, recording=recording, sends=sends, papers=arguments.papers))
    except ValueError as error:
        raise WrongUsage(str(error)) from error
    except OSError as error:
        raise WrongUsage(f"{arguments.record}: {error.strerror}") from error
    except KeyboardInterrupt:
        return DONE
    finally:
        if recording is not None:
            recording.close()
    told.conclude(heard=heard)
    return DONE if heard else NO


class _Machines:
    """The events as they are."""

    def tell(self, event: dict[str, object]) -> None:
        _write_json({name: value for name, value in event.items() if name != "line"})
        sys.stdout.flush()

    def conclude(self, *, heard: bool) -> None:
        """The exit code says it."""


@contextlib.contextmanager
def _without_log() -> Iterator[None]:
    """Beside the sentences for people, that say the same."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        yield
    finally:
        structlog.configure(**before)


def _learn(arguments: argparse.Namespace) -> int:
    try:
        return learning.run(arguments)
    except ValueError as error:
        raise WrongUsage(str(error)) from error


def _replay(arguments: argparse.Namespace) -> int:
    differ: list[str] = []
    for path in arguments.files:
        try:
            differ += check_recording(path)
        except (OSError, ValueError, KeyError, AttributeError) as error:
            raise WrongUsage(say(saying.NO_SESSION, file=path.name, error=error)) from error
    if arguments.json:
        _write_json({"same": not differ, "differ": differ})
    else:
        for line in differ:
            _write(line)
    return NO if differ else DONE
