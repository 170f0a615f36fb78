"""Announcements as one WAV each: the clips of a voice pack joined with their pauses; no I/O."""

from __future__ import annotations

import io
import wave
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from displays.errors import Malformed
from displays.speech.pack import Pack
from displays.speech.queue import Announcement
from displays.speech.sound import RATE_HZ, SAMPLE_BYTES, duration_ms, silence

AFTER_CHIME_MS: Final = 300
"""UX V-03, as BETWEEN_MS."""
BETWEEN_MS: Final = 600
"""Between the repetitions, and before the second language."""
ANSWER_MS: Final = 200
"""Of that pause, what a player takes to answer and to begin the next file; the rest is silence in the file."""
GAP_MS: Final = 80
"""Between the clips of a single call, which makes 4 syllables a second (UX V-04); a group has none (V-06)."""
PAUSES_MS: Final = {"、": 100, "，": 200, "。": 300}
CACHE_MAX: Final = 32
"""Files kept, of 0.1 to 0.9 MB."""


def announcement_wav(pack: Pack, announcement: Announcement) -> tuple[bytes, int]:
    """The file to play and its length in ms (UX V-03). Malformed: the pack lacks a token, which is named."""
    return _wav(pack, announcement.tokens, announcement.follows, 0 if len(announcement.calls) > 1 else GAP_MS)


def guidance_wav(pack: Pack, tokens: tuple[str, ...]) -> tuple[bytes, int]:
    """What a kiosk says, once and without a chime. Malformed: the pack lacks a token, which is named."""
    return _file(_spoken(pack, tokens, GAP_MS))


@lru_cache(maxsize=CACHE_MAX)
def _wav(pack: Pack, tokens: tuple[str, ...], follows: bool, gap_ms: int) -> tuple[bytes, int]:
    before = silence(BETWEEN_MS - ANSWER_MS) if follows else pack.chime + silence(AFTER_CHIME_MS)
    return _file(before + _spoken(pack, tokens, gap_ms))


def _file(pcm: bytes) -> tuple[bytes, int]:
    file = io.BytesIO()
    with wave.open(file, "wb") as wav:
        wav.setparams((1, SAMPLE_BYTES, RATE_HZ, 0, "NONE", ""))
        wav.writeframesraw(pcm)
    return file.getvalue(), duration_ms(len(pcm))


def _spoken(pack: Pack, tokens: tuple[str, ...], gap_ms: int) -> bytes:
    return b"".join(_parts(pack, tokens, gap_ms))


def _parts(pack: Pack, tokens: tuple[str, ...], gap_ms: int) -> Iterator[bytes]:
    gap = silence(gap_ms)
    for place, token in enumerate(tokens):
        if token in PAUSES_MS:
            yield silence(PAUSES_MS[token])
            continue
        if place:
            yield gap
        try:
            yield pack.clips[token]
        except KeyError:
            raise Malformed(f"the voice {pack.name!r} has no clip for {token!r}") from None
