"""Every model of device that is known, by name: what a device map may say, and what the commands list.

A new protocol adds its module here: framing (a `Codec`), protocol, driver, emulated node, and a `PROFILES` tuple.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from devices.profiles import a090, ff68, voices
from devices.profiles.profile import Profile

PROFILES: Final[Mapping[str, Profile]] = MappingProxyType(
    {profile.name: profile for profile in (*ff68.PROFILES, *a090.PROFILES, *voices.PROFILES)}
)
DEFAULTS: Final[Mapping[str, str]] = MappingProxyType({"strip": "a090", "board": "a090"})
"""What an entry of this kind is when its profile is empty."""
KINDS: Final = frozenset(kind for profile in PROFILES.values() for kind in profile.kinds)
"""The kinds of devices that live on a bus; a printer has its own line."""


def find_profile(kind: str, name: str) -> Profile:
    """The profile an entry means; ValueError names the ones there are."""
    if kind not in KINDS:
        raise ValueError(f"no driver for the kind {kind!r}")
    profile = PROFILES.get(name.lower() or DEFAULTS.get(kind, ""))
    if profile is None or kind not in profile.kinds:
        known = sorted(known.name for known in PROFILES.values() if kind in known.kinds)
        raise ValueError(f"{kind} profile {name!r} is none of {', '.join(known)}")
    return profile
