"""Keypads and rating devices of the FF68 family (HARDWARE 1.1, 2.1)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final

from devices.drivers.base import AnyDriver
from devices.drivers.keypad import Keypad
from devices.drivers.rating import RatingPad
from devices.emulators.nodes import EmulatedKeypad, EmulatedRatingPad
from devices.framing.ff68 import FF68
from devices.profiles.profile import Calls, Profile, levels, read_settings
from devices.protocols.keymaps import KEYMAPS, Keymap
from devices.protocols.keypad import KeypadSettings
from devices.protocols.rating import AckVariant, RatingSettings
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


def _rating(ack: AckVariant, entry: DeviceEntry, own: Mapping[str, str], calls: Calls) -> AnyDriver:
    settings = read_settings(RatingSettings, own, levels=levels(entry), ack=ack)
    return RatingPad(entry.id, entry.address, settings, store=calls.rated, health_changed=calls.health_changed)


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
        )
        for name, keymap in KEYMAPS.items()
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
        )
        for ack in AckVariant
    ),
)
