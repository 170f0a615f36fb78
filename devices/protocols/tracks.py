"""How JQ8900 and DFPlayer are told what to say: recorded tracks, one a token (HARDWARE 3.3, 3.4)."""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from types import MappingProxyType
from typing import Final

from devices.framing import dfplayer as df
from devices.framing import jq8900 as jq
from devices.framing.dfplayer import DfFrame
from devices.framing.jq8900 import JqFrame
from devices.protocols.base import Ignored
from devices.protocols.voice import Heard, Part, Sign, Unsayable, loudness

CHIME: Final = "chime"
"""The token of a chime before each announcement; a map without it has none."""
PAUSES: Final = frozenset("、，。")
LOUDEST: Final = 30

_WORDS: Final = ("请", "到", "号", "窗口", "办理", "业务", "区", "楼", "第", "幺")
TRACKS: Final[Mapping[str, int]] = MappingProxyType(
    {digit: value for value, digit in enumerate("一二三四五六七八九零十", 1)}
    | {letter: 21 + place for place, letter in enumerate(string.ascii_uppercase)}
    | {word: 51 + place for place, word in enumerate(_WORDS)}
)
"""What the documentation tells to record: 1…9, 零 10, 十 11, A…Z 21…46, words from 51; it fits two digits."""

_DF_ERRORS: Final[Mapping[int, Heard]] = MappingProxyType(
    {
        1: Heard(Sign.REFUSED, "not ready"),
        2: Heard(Sign.REFUSED, "asleep"),
        3: Heard(Sign.REFUSED, "frame not understood"),
        4: Heard(Sign.REFUSED, "checksum"),
        5: Heard(Sign.FAILED, "track out of range"),
        6: Heard(Sign.FAILED, "track not found"),
        7: Heard(Sign.FAILED, "track not inserted"),
        8: Heard(Sign.FAILED, "card not readable"),
        10: Heard(Sign.FAILED, "gone to sleep"),
    }
)


@dataclass(frozen=True, slots=True)
class TrackSettings:
    """`tracks`: the file of each token. `clip_ms`: about how long one lasts. `comma_ms`: silence at a pause.

    `longest_files`: files that JQ8900 joins in one frame.
    """

    tracks: Mapping[str, int] = field(default_factory=lambda: TRACKS)
    clip_ms: int = 600
    comma_ms: int = 250
    longest_files: int = 30

    def __post_init__(self) -> None:
        if wrong := [token for token, track in self.tracks.items() if not 1 <= track <= 3000]:
            raise ValueError(f"the track of {wrong[0]!r} is not 1…3000")
        if self.clip_ms < 1 or self.comma_ms < 0 or not 1 <= self.longest_files <= jq.LONGEST_DATA // 2:
            raise ValueError(f"clip_ms is at least 1, longest_files 1…{jq.LONGEST_DATA // 2}")


def _runs(tokens: Sequence[str], settings: TrackSettings, *, chime: bool) -> list[list[int]]:
    """The tracks between pauses; raises Unsayable for a token without one."""
    missing = [token for token in tokens if token not in PAUSES and token not in settings.tracks]
    if missing:
        raise Unsayable(f"no track for {missing[0]!r}")
    before = [[settings.tracks[CHIME]]] if chime and CHIME in settings.tracks else []
    between = (list(run) for pause, run in groupby(tokens, PAUSES.__contains__) if not pause)
    return before + [[settings.tracks[token] for token in run] for run in between]


class JqDialect:
    """Combined play: one frame an announcement. Only questions are answered."""

    def __init__(self, settings: TrackSettings | None = None) -> None:
        self._settings = settings or TrackSettings()
        if wrong := [token for token, track in self._settings.tracks.items() if track > 99]:
            raise ValueError(f"the track of {wrong[0]!r} has more than two digits")

    @property
    def ask(self) -> JqFrame:
        return JqFrame(jq.STATUS)

    @property
    def stop(self) -> JqFrame:
        return JqFrame(jq.STOP)

    def set_volume(self, percent: int) -> JqFrame:
        return JqFrame(jq.VOLUME, bytes((loudness(percent, LOUDEST),)))

    def parts(self, tokens: Sequence[str], volume: int, *, chime: bool) -> list[Part[JqFrame]]:
        most, found = self._settings.longest_files, []
        for place, run in enumerate(_runs(tokens, self._settings, chime=chime)):
            for start in range(0, len(run), most):
                files = run[start : start + most]
                frame = JqFrame(jq.COMBINED, "".join(f"{file:02}" for file in files).encode())
                pause_ms = self._settings.comma_ms if place and not start else 0
                found.append(Part(frame, len(files) * self._settings.clip_ms, pause_ms))
        return found

    def understand(self, frame: JqFrame) -> Heard | Ignored:
        match frame:
            case JqFrame(command=jq.STATUS, data=b"\x01"):
                return Heard(Sign.BUSY)
            case JqFrame(command=jq.STATUS, data=b"\x00" | b"\x02"):
                return Heard(Sign.IDLE)  # 2 is paused: nothing sounds
            case _:
                return Ignored(f"command {frame.command:02X}")


class DfDialect:
    """Track after track, each acknowledged and reported when it ends."""

    def __init__(self, settings: TrackSettings | None = None) -> None:
        self._settings = settings or TrackSettings()

    @property
    def ask(self) -> DfFrame:
        return DfFrame(df.STATUS)

    @property
    def stop(self) -> DfFrame:
        return DfFrame(df.STOP)

    def set_volume(self, percent: int) -> DfFrame:
        return DfFrame(df.VOLUME, loudness(percent, LOUDEST))

    def parts(self, tokens: Sequence[str], volume: int, *, chime: bool) -> list[Part[DfFrame]]:
        found = []
        for place, run in enumerate(_runs(tokens, self._settings, chime=chime)):
            for first, track in enumerate(run):
                pause_ms = self._settings.comma_ms if place and not first else 0
                frame = DfFrame(df.PLAY_MP3, track, feedback=True)
                found.append(Part(frame, self._settings.clip_ms, pause_ms))
        return found

    def understand(self, frame: DfFrame) -> Heard | Ignored:
        match frame:
            case DfFrame(command=df.TAKEN):
                return Heard(Sign.TAKEN)
            case DfFrame(command=df.ENDED | df.USB_ENDED):
                # Its number counts files in the card's order, not by name: it cannot be compared.
                return Heard(Sign.IDLE)
            case DfFrame(command=df.STATUS, value=value):
                return Heard(Sign.BUSY if value & 0xFF == 1 else Sign.IDLE)
            case DfFrame(command=df.ONLINE | df.MEDIA_IN):
                return Heard(Sign.READY)
            case DfFrame(command=df.MEDIA_OUT):
                return Heard(Sign.FAILED, "card pulled out")
            case DfFrame(command=df.ERROR, value=value):
                return _DF_ERRORS.get(value, Heard(Sign.FAILED, f"error {value}"))
            case _:
                return Ignored(f"command {frame.command:02X}")
