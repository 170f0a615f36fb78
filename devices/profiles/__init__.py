"""Every model of device that is known, by name: what a device map may say, and what the commands list.

A new protocol adds its module here: framing (a `Codec`), protocol, driver, emulated node, and a `PROFILES` tuple. A strip,
rating device or keypad may instead be a TOML file, in `shipped` or in a hall's own folder.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files as resources
from pathlib import Path
from types import MappingProxyType
from typing import Final

from devices.profiles import a090, bx, ff68, idreaders, numberpanels, plainstrips, printers, scanners, tablets, voices
from devices.profiles.files import load_profile, read_profile
from devices.profiles.profile import Profile

_FAMILIES: Final = (ff68, a090, bx, plainstrips, numberpanels, voices, idreaders, scanners, tablets, printers)
_known: Final[dict[str, Profile]] = {profile.name: profile for family in _FAMILIES for profile in family.PROFILES}
for _file in sorted(resources("devices.profiles").joinpath("shipped").iterdir(), key=lambda file: file.name):
    _shipped = read_profile(_file.read_text(encoding="utf-8")).profile
    _known[_shipped.name] = _shipped
SHIPPED: Final = frozenset(_known) - {p.name for family in _FAMILIES for p in family.PROFILES}
"""The example profiles, which describe devices that have a driver too."""
PROFILES: Final[Mapping[str, Profile]] = MappingProxyType(_known)
DEFAULTS: Final[Mapping[str, str]] = MappingProxyType({"strip": "a090", "board": "a090", "printer": "80mm"})
"""What an entry of this kind is when its profile is empty."""
KINDS: Final = frozenset(kind for profile in PROFILES.values() for kind in profile.kinds) - {"printer"}
"""The kinds of devices that live on a bus; a printer has its own line."""


def add_folder(folder: Path) -> list[str]:
    """Take a hall's own profiles from the `*.toml` of a folder, before any device is made; what to mend in those left out."""
    wrong = []
    for path in sorted(folder.glob("*.toml")):
        try:
            profile = load_profile(path).profile
        except ValueError as error:
            wrong.append(str(error))
            continue
        if profile.name in _known:
            wrong.append(f"{path.name}: the name {profile.name!r} is taken, give it another")
        else:
            add_profile(profile)
    return wrong


def add_profile(profile: Profile) -> None:
    """Take one more profile; a name that is known already now means this one."""
    _known[profile.name] = profile


def find_profile(kind: str, name: str) -> Profile:
    """The profile an entry means; ValueError names the ones there are."""
    if kind not in KINDS:
        raise ValueError(f"no driver for the kind {kind!r}")
    profile = PROFILES.get(name.lower() or DEFAULTS.get(kind, ""))
    if profile is None or kind not in profile.kinds:
        known = sorted(known.name for known in PROFILES.values() if kind in known.kinds)
        raise ValueError(f"{kind} profile {name!r} is none of {', '.join(known)}")
    return profile
