"""Strips and boards of the A0 90 family (HARDWARE 2.2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from devices.drivers.base import AnyDriver
from devices.drivers.strip import Board, Strip
from devices.emulators.nodes import EmulatedStrip, take_apart
from devices.framing.a090 import A090, LONGEST_DATA, SHOW_STORED, SHOW_TEXT, STORE_TEXT, A090Ack, A090Frame
from devices.profiles.profile import ELSEWHERE, Calls, Profile, read_settings
from devices.profiles.wording import Wording
from devices.protocols.strip import COLOURS, StripSettings, encode_page
from queue_server.wire.agent import DeviceEntry


def _strip(entry: DeviceEntry, own: Mapping[str, str], calls: Calls) -> AnyDriver:
    kind = Board if entry.kind == "board" else Strip
    rest = {key: value for key, value in own.items() if key not in ELSEWHERE}
    try:
        colours = {name: int(rest.pop(f"colour.{name}", str(code)), 0) for name, code in COLOURS.items()}
        bytes(colours.values())
    except ValueError:
        raise ValueError("a colour is a byte: colour.green = 1") from None
    settings = read_settings(StripSettings, rest, colours=colours)
    return kind(entry.id, entry.address, calls.health_changed, settings)


_COMMANDS: Final = {SHOW_TEXT: "show", SHOW_STORED: "show what is stored", STORE_TEXT: "store"}
_NAMES: Final = {code: name for name, code in COLOURS.items()}


def means(frame: A090Frame | A090Ack) -> str:
    """An A0 90 frame in words, with the colour when it is one for all."""
    if isinstance(frame, A090Ack):
        return "acknowledged"
    text, colours = take_apart(frame.data)
    if not text:
        return _COMMANDS[frame.command]
    same = colours[:1] if len(set(colours)) == 1 else ""
    shade = _NAMES.get(int(same), f"colour {same}") if same.isdigit() else f"colours {colours}"
    return f"{_COMMANDS[frame.command]} {text} ({shade})"


def _read(said: Mapping[str, object]) -> A090Frame | None:
    """{"address": 3, "text": "请A042", "colour": "green"}; red unless told otherwise."""
    match dict(said):
        case {"address": int(address), "text": str(text), **rest}:
            colour = str(rest.get("colour", "red"))
            if colour not in COLOURS:
                raise ValueError(f"no colour {colour!r}: {', '.join(COLOURS)}")
            return A090Frame(
                address, SHOW_TEXT, encode_page([(text, colour)], StripSettings(longest_text=LONGEST_DATA))
            )
        case _:
            return None


PROFILES: Final = (
    Profile(
        name="a090",
        kinds=frozenset({"strip", "board"}),
        title="A0 90 strip or board (欣瑞)",
        page="a0-90.md",
        codec=A090,
        make=_strip,
        emulate=EmulatedStrip,
        wording=Wording((A090Frame, A090Ack), means, _read),
    ),
)
