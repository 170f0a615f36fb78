"""Voice modules (HARDWARE 3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import partial
from typing import Any, Final

from devices.drivers.base import AnyDriver
from devices.drivers.speaker import Speaker
from devices.emulators.voices import EmulatedDfPlayer, EmulatedJq8900, EmulatedTts, emulated_xfs5152
from devices.framing.codec import AnyCodec
from devices.framing.dfplayer import DFPLAYER
from devices.framing.jq8900 import JQ8900
from devices.framing.tts import SYN6288_CODEC, XFS5152_CODEC
from devices.profiles.profile import Calls, Profile, read_settings
from devices.protocols.tracks import TRACKS, DfDialect, JqDialect, TrackSettings
from devices.protocols.tts import Module, TtsDialect, TtsSettings
from devices.protocols.voice import Dialect, SpeechSettings
from queue_server.wire.agent import DeviceEntry

TRACK: Final = "track."
"""Settings that begin so say which file a token is: `track.请 = 51`."""
ELSEWHERE: Final = frozenset(("zone",))
"""Read by the server: the sound zone it speaks for."""
_TIMES: Final = {part.name for part in fields(SpeechSettings)}

MakeDialect = Callable[[Mapping[str, str]], Dialect[Any]]


def _tts(module: Module, own: Mapping[str, str]) -> Dialect[Any]:
    return TtsDialect(module, read_settings(TtsSettings, own))


def _tracks(kind: type[JqDialect] | type[DfDialect], own: Mapping[str, str]) -> Dialect[Any]:
    rest = {key: value for key, value in own.items() if not key.startswith(TRACK)}
    try:
        changed = {key.removeprefix(TRACK): int(value) for key, value in own.items() if key.startswith(TRACK)}
    except ValueError:
        raise ValueError(f"a track is a number: {TRACK}请 = 51") from None
    return kind(read_settings(TrackSettings, rest, tracks=dict(TRACKS) | changed))


def _speaker(
    codec: AnyCodec, dialect: MakeDialect, idle_words: int, entry: DeviceEntry, own: Mapping[str, str], calls: Calls
) -> AnyDriver:
    times = {"idle_words": str(idle_words)} | {key: value for key, value in own.items() if key in _TIMES}
    rest = {key: value for key, value in own.items() if key not in _TIMES | ELSEWHERE}
    return Speaker(entry.id, codec, dialect(rest), calls.health_changed, read_settings(SpeechSettings, times))


def _profile(
    name: str, title: str, codec: AnyCodec, dialect: MakeDialect, emulate: Any, idle_words: int = 2
) -> Profile:
    return Profile(
        name=name,
        kinds=frozenset({"speaker"}),
        title=title,
        page=f"{name}.md",
        codec=codec,
        make=partial(_speaker, codec, dialect, idle_words),
        emulate=emulate,
    )


PROFILES: Final = (
    _profile("syn6288", "SYN6288 reading text", SYN6288_CODEC, partial(_tts, "syn6288"), EmulatedTts),
    _profile("xfs5152", "XFS5152CE reading text", XFS5152_CODEC, partial(_tts, "xfs5152"), emulated_xfs5152),
    _profile("jq8900", "JQ8900 joining recordings", JQ8900, partial(_tracks, JqDialect), EmulatedJq8900),
    # Its frames carry a sum, so one word is enough, and each question would be a pause between two tracks.
    _profile("dfplayer", "DFPlayer playing recordings", DFPLAYER, partial(_tracks, DfDialect), EmulatedDfPlayer, 1),
)
