"""Samples: 16-bit mono PCM as arrays, trimmed, levelled, and the chime; pure.

All sound here has the rate `RATE_HZ`.
"""

from __future__ import annotations

import math
import sys
from array import array
from operator import mul
from typing import Final

RATE_HZ: Final = 22_050
SAMPLE_BYTES: Final = 2

_FULL: Final = 32_767
_PEAK: Final = 0.89 * _FULL
"""-1 dBFS: room for a loudspeaker's own filter."""
_KNEE: Final = 0.6 * _FULL
"""Up to here a sample stays what it is."""
_LOUDNESS: Final = 0.17 * _FULL
"""The RMS all clips are brought to (-15 dBFS), so that no syllable of a number is lost beside another."""
_SILENT: Final = 0.02
"""Of the peak: what stays below it at either end is silence."""
_FADE_MS: Final = 4
_CHIME_MS: Final = 600
_CHIME_NOTES: Final = ((659.26, 0), (523.25, 220))
"""E5, then C5: Hz and ms of the start."""


def samples_of(ms: int) -> int:
    """How many samples last `ms`."""
    return ms * RATE_HZ // 1000


def duration_ms(pcm_bytes: int) -> int:
    """The length of that many bytes of PCM, rounded up."""
    return -(-pcm_bytes // SAMPLE_BYTES * 1000 // RATE_HZ)


def trimmed(samples: array[int]) -> array[int]:
    """Without the silence at both ends; the cut is faded, so that clips join without a click. Empty when all is silent."""
    if not any(samples):
        return array("h")
    limit = max(abs(min(samples)), abs(max(samples))) * _SILENT
    first = next(index for index, sample in enumerate(samples) if abs(sample) > limit)
    after = len(samples) - next(index for index, sample in enumerate(reversed(samples)) if abs(sample) > limit)
    fade = samples_of(_FADE_MS)
    cut = samples[max(0, first - fade) : after + fade]
    for index in range(min(fade, len(cut) // 2)):
        cut[index] = cut[index] * index // fade
        cut[-1 - index] = cut[-1 - index] * index // fade
    return cut


def levelled(samples: array[int]) -> array[int]:
    """At the common loudness; what would reach beyond the peak then is rounded off below it, never clipped."""
    if not any(samples):
        return samples
    rms = math.sqrt(sum(map(mul, samples, samples)) / len(samples))
    gain = _LOUDNESS / rms
    # A clip has far fewer values than samples.
    becomes = {sample: round(_rounded_off(sample * gain)) for sample in set(samples)}
    return array("h", map(becomes.__getitem__, samples))


def _rounded_off(sample: float) -> float:
    size = abs(sample)
    if size <= _KNEE:
        return sample
    return math.copysign(_KNEE + (_PEAK - _KNEE) * math.tanh((size - _KNEE) / (_PEAK - _KNEE)), sample)


def chime() -> array[int]:
    """Two falling notes that ring out within 0.6 s (UX V-03: 0.6 to 1.0 s)."""
    mix = [0.0] * samples_of(_CHIME_MS)
    for hertz, start_ms in _CHIME_NOTES:
        start = samples_of(start_ms)
        for index in range(len(mix) - start):
            seconds = index / RATE_HZ
            ring = math.exp(-6.0 * seconds) * min(1.0, seconds / 0.005)
            turn = math.tau * hertz * seconds
            mix[start + index] += ring * (math.sin(turn) + 0.25 * math.sin(2 * turn))
    tail = samples_of(60)
    for index in range(tail):
        mix[-1 - index] *= index / tail
    scale = 0.6 * _FULL / max(map(abs, mix))
    return array("h", (round(value * scale) for value in mix))


def silence(ms: int) -> bytes:
    """PCM of that length."""
    return bytes(samples_of(ms) * SAMPLE_BYTES)


def little_endian(samples: array[int]) -> bytes:
    """The samples as WAV keeps them, on any machine."""
    if sys.byteorder == "big":
        samples = samples[:]
        samples.byteswap()
    return samples.tobytes()
