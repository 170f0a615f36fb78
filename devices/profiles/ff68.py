"""Keypads and rating devices of the FF68 family (HARDWARE 1.1, 2.1)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final

from devices.drivers.base import AnyDriver
from devices.drivers.keypad import Keypad
from devices.drivers.rating import RatingPad
from devices.emulators.nodes import EmulatedKeypad, EmulatedRatingPad
from devices.framing.ff68 import FF68, Ff68Frame
from devices.profiles.profile import Calls, Profile, levels, read_settings
from devices.profiles.wording import Wording
from devices.protocols.keymaps import KEYMAPS, Key, Keymap, key_rule, keymap_of
from devices.protocols.keypad import BLANK, PRESSED, SHOW, KeypadSettings, cell_bytes
from devices.protocols.rating import EVALUATE, RATED, AckVariant, RatingSettings
from queue_server.wire.agent import DeviceEntry


def _keypad(keymap: Keymap, entry: DeviceEntry, own: Mapping[str, str], calls: Calls) -> AnyDriver:
    return Keypad(
        entry.id,
        entry.address,
        keymap,
        pressed=calls.pressed,
        health_changed=calls.health_changed,
        settings=read_settings(KeypadSettings, own),
    )


OWN_KEYS: Final = "ff68-keypad"
"""The profile of a keypad whose keys stand in the hall's file: `"key.0C" = "next"`."""
KEY: Final = "key."


def _own_keypad(entry: DeviceEntry, own: Mapping[str, str], calls: Calls) -> AnyDriver:
    rules = [key_rule(name.removeprefix(KEY), action) for name, action in own.items() if name.startswith(KEY)]
    rest = {name: value for name, value in own.items() if not name.startswith(KEY)}
    return _keypad(keymap_of(OWN_KEYS, rules), entry, rest, calls)


def _rating(ack: AckVariant, entry: DeviceEntry, own: Mapping[str, str], calls: Calls) -> AnyDriver:
    settings = read_settings(RatingSettings, own, levels=levels(entry), ack=ack)
    return RatingPad(entry.id, entry.address, settings, store=calls.rated, health_changed=calls.health_changed)


def _keys(frame: Ff68Frame, keymap: Keymap | None) -> str:
    *typed, key = frame.data
    digits = "".join(str(digit) if digit < 10 else "?" for digit in typed)
    name = Key(key).name.lower() if key in set(Key) else f"{key:02X}"
    meaning = keymap.action(key, digits) if keymap else None
    said = f"key {digits + ' ' if digits else ''}{name}"
    return f"{said}: {meaning[0]}{' ' + meaning[1] if meaning[1] else ''}" if meaning else said


def means(frame: Ff68Frame, keymap: Keymap | None = None) -> str:
    """An FF68 frame in words; at an address that two devices share some have two meanings (HARDWARE 7.5)."""
    match frame:
        case Ff68Frame(function=0x11, data=data) if len(data) == 1:
            return f"rating key {data[0]}"
        case Ff68Frame(function=0x01, data=b"", lead=False):
            return "rating acknowledged (B)"
        case Ff68Frame(function=0x01, data=data) if keymap is None and len(data) == 1:
            return "start the evaluation" if data == EVALUATE else f"rating key {data[0]} acknowledged (A)"
        case Ff68Frame(function=0x01, data=data) if data:
            return _keys(frame, keymap)
        case Ff68Frame(function=0x02, data=data) if len(data) == 1:
            if keymap is None:
                return f"show {data[0]} stars"
            return {1: "show success", 0: "show failure"}.get(data[0], f"show {data.hex()}")
        case Ff68Frame(function=0x02, data=data):
            return f"show {''.join(str(cell) if cell < 10 else '_' for cell in data)}"
        case Ff68Frame(function=0x03, data=b""):
            return "beep"
        case _:
            return ""


def _read(said: Mapping[str, object]) -> Ff68Frame | None:
    """{"address": 7, "digits": "42", "key": "call"}, {"address": 7, "show": "042"}, {"address": 135, "level": 4}."""
    match dict(said):
        case {"address": int(address), "key": str(key), **rest}:
            if key.upper() not in Key.__members__:
                raise ValueError(f"no key {key!r}: {', '.join(name.lower() for name in Key.__members__)}")
            digits = str(rest.get("digits", ""))
            if digits and not (digits.isascii() and digits.isdigit()):
                raise ValueError(f"digits are 0 to 9, not {digits!r}")
            return Ff68Frame(address, PRESSED, bytes((*map(int, digits), Key[key.upper()])))
        case {"address": int(address), "show": str(text)}:
            return Ff68Frame(address, SHOW, cell_bytes(text, BLANK))
        case {"address": int(address), "level": int(level)}:
            return Ff68Frame(address, RATED, bytes((level,)))
        case _:
            return None


PROFILES: Final = (
    *(
        Profile(
            name=name,
            kinds=frozenset({"keypad"}),
            title=f"FF68 keypad, keys as {name} reads them",
            page="ff68.md",
            codec=FF68,
            make=partial(_keypad, keymap),
            emulate=EmulatedKeypad,
            wording=Wording((Ff68Frame,), partial(means, keymap=keymap), _read),
        )
        for name, keymap in KEYMAPS.items()
    ),
    Profile(
        name=OWN_KEYS,
        kinds=frozenset({"keypad"}),
        title="FF68 keypad, keys as its settings say",
        page="ff68.md",
        codec=FF68,
        make=_own_keypad,
        emulate=EmulatedKeypad,
        wording=Wording((Ff68Frame,), partial(means, keymap=Keymap(OWN_KEYS, ())), _read),
    ),
    *(
        Profile(
            name=f"ff68-{ack}",
            kinds=frozenset({"rating_pad"}),
            title=f"FF68 rating device, acknowledgement {ack.upper()}",
            page="ff68.md",
            codec=FF68,
            make=partial(_rating, ack),
            emulate=partial(EmulatedRatingPad, ack=ack),
            wording=Wording((Ff68Frame,), means, _read),
        )
        for ack in AckVariant
    ),
)
