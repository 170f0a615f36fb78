"""A voice pack as the files that a player of recordings has on its card (HARDWARE 3.3, 3.4)."""

import wave
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from devices.protocols.tracks import CHIME, TRACKS
from displays.errors import Malformed
from displays.speech.pack import Pack
from displays.speech.sound import RATE_HZ, SAMPLE_BYTES

CHIME_TRACK: Final = 90
_FREE: Final = tuple(track for track in range(61, 3001) if track != CHIME_TRACK)


@dataclass(frozen=True, slots=True)
class CardForm:
    """How a player wants its files."""

    folder: str
    name: str
    last: int


FORMS: Final[Mapping[str, CardForm]] = {
    "jq8900": CardForm("ZH", "{:02}.wav", 99),
    "dfplayer": CardForm("MP3", "{:04}.wav", 3000),
}


def tracks_of(pack: Pack, form: CardForm) -> dict[str, int]:
    """The track of each Chinese token and of the chime; words that the player's map lacks get free numbers, in order."""
    more = sorted(token for token in pack.clips if not token.isascii() and token not in TRACKS)
    tracks = {token: track for token, track in TRACKS.items() if token in pack.clips}
    tracks |= {CHIME: CHIME_TRACK} | dict(zip(more, _FREE, strict=False))
    if too_many := [token for token, track in tracks.items() if track > form.last]:
        raise Malformed(
            f"the card has {form.last} files and no room for {len(too_many)} words, such as {too_many[0]!r}"
        )
    return tracks


def write_card(pack: Pack, kind: str, directory: Path) -> dict[str, str]:
    """Write the card's folder into `directory`; the settings of the device that its own map does not know."""
    form = FORMS[kind]
    tracks = tracks_of(pack, form)
    (directory / form.folder).mkdir(parents=True, exist_ok=True)
    for token, track in sorted(tracks.items(), key=lambda item: item[1]):
        with wave.open(str(directory / form.folder / form.name.format(track)), "wb") as file:
            file.setparams((1, SAMPLE_BYTES, RATE_HZ, 0, "NONE", ""))
            file.writeframes(pack.chime if token == CHIME else pack.clips[token])
    return {f"track.{token}": str(track) for token, track in tracks.items() if TRACKS.get(token) != track}
