"""Voice packs: directories of clips by token, how one is read, checked, and made with espeak-ng.

A pack is a directory with `voice.toml` (`name`, `chime`, and `[clips]`: token = file) beside its clips: WAV, 22 050 Hz, mono,
16 bit, trimmed to the word. A hall replaces the pack that ships by its own recordings under the same tokens.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tomllib
import wave
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from displays.errors import Malformed, Unavailable
from displays.speech.guidance import clips_needed
from displays.speech.phrases import (
    BASE_TOKENS,
    DIGITS,
    ENGLISH_TOKENS,
    LETTERS,
    NOTICES,
    PAUSES,
    WORDS,
    VoicePolicy,
    text_tokens,
)
from displays.speech.sound import (
    RATE_HZ,
    SAMPLE_BYTES,
    chime,
    duration_ms,
    levelled,
    little_endian,
    samples_of,
    trimmed,
)

MANIFEST: Final = "voice.toml"
CLIP_MAX_MS: Final = 10_000
"""A clip is a word or a short phrase; a longer file is a mistake."""
PINYIN_VOICE: Final = "cmn-latn-pinyin"
"""Never `cmn`: it reads the letters of pinyin as English."""
CHINESE_WPM: Final = 255
"""espeak-ng's -s, and that of the letters: a trimmed syllable lasts about 0.18 s: 4 a second with gaps (UX V-04), 5.5 without (V-06)."""
ENGLISH_WPM: Final = 170
DIGIT_MAX_MS: Final = 200
"""Digits are told in one beat, as people do; the few that last longer by nature (零, 三, 十) are spoken faster."""
GUIDANCE_WPM: Final = 200
"""A kiosk speaks slower than a hall: who asks for it takes more time (UX K-10)."""

_MADE_BY: Final = "espeak-ng"
_SYNTHESIS_TIMEOUT_S: Final = 20
_CHINESE: Final = re.compile(r"[\u3007\u3400-\u9fff]+")


@dataclass(frozen=True, slots=True, eq=False)
class Pack:
    """A voice in memory: PCM (22 050 Hz, mono, 16 bit, little-endian) by token."""

    name: str
    clips: Mapping[str, bytes]
    chime: bytes

    @property
    def words(self) -> frozenset[str]:
        """What `VoicePolicy.words` should be with this voice."""
        return frozenset(token for token in self.clips if not token.isascii())


class _Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    chime: str
    clips: dict[str, str]


def load_pack(directory: Path) -> Pack:
    """Read and check a pack. Unavailable: there is none. Malformed: which tokens are missing, or which file is wrong and how."""
    manifest = _manifest(directory)
    missing = BASE_TOKENS - manifest.clips.keys()
    if missing:
        raise Malformed(f"{directory / MANIFEST}: no clip for {' '.join(sorted(missing))}")
    clips = {token: _read_clip(directory / file, token) for token, file in manifest.clips.items()}
    return Pack(manifest.name, clips, _read_clip(directory / manifest.chime, "chime"))


def _manifest(directory: Path) -> _Manifest:
    path = directory / MANIFEST
    try:
        return msgspec.convert(tomllib.loads(path.read_text("utf-8")), _Manifest)
    except FileNotFoundError:
        hint = f"make one with `yichuang voice build --folder {directory}`"
        raise Unavailable(f"no voice pack at {directory}: {hint}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise Malformed(f"{path}: {error}") from None


def build_pack(directory: Path, espeak: str = "espeak-ng", texts: Sequence[str] = ()) -> Pack:
    """Make the pack that ships, with the characters of `texts` (a hall's template, window names), in `directory`.

    A pack that was made there before, though damaged or of an older version, is made anew with all that it could say.
    Unavailable: espeak-ng or its pinyin voice is not there. Malformed: the directory holds a voice that was not made here.
    """
    manifest = directory / MANIFEST
    if manifest.exists():
        before = _manifest(directory)
        if not before.name.startswith(_MADE_BY):
            raise Malformed(f"{directory} holds a voice that was not made here; give another directory")
        texts = (*texts, *(token for token in before.clips if _CHINESE.fullmatch(token)))
    version = _run([espeak, "--version"]).decode("utf-8", "replace").partition("Data at")[0].strip()
    directory.mkdir(parents=True, exist_ok=True)
    clips: dict[str, str] = {}
    for token, (voice, text, wpm) in _script(texts).items():
        name = token.replace(":", "-") if token.startswith("guide") else f"{voice}-{re.sub('[^0-9A-Za-z]', '-', text)}"
        clips[token] = f"{name}.wav"
        pcm = trimmed(_synthesise(espeak, voice, text, wpm))
        if token in DIGITS and (longer := len(pcm) / samples_of(DIGIT_MAX_MS)) > 1:
            pcm = trimmed(_synthesise(espeak, voice, text, round(wpm * longer)))
        pcm = levelled(pcm)
        _write_clip(directory / clips[token], pcm)
    _write_clip(directory / "chime.wav", chime())
    lines = [f"name = {_quoted(f'{_MADE_BY}: {version}')}", 'chime = "chime.wav"', "", "[clips]"]
    lines += [f"{_quoted(token)} = {_quoted(file)}" for token, file in clips.items()]
    scratch = directory / f"{MANIFEST}.new"
    scratch.write_text("\n".join(lines) + "\n", "utf-8")
    os.replace(scratch, manifest)  # last, so that a pack half made is none
    return load_pack(directory)


def _script(texts: Sequence[str]) -> dict[str, tuple[str, str, int]]:
    """Token -> espeak-ng's voice, text and words a minute."""
    sounds: dict[str, str] = {}
    for run in _CHINESE.findall("，".join(texts)):
        # Here a character with several readings takes the one of its context.
        for character, sound in zip(run, _pinyin(run), strict=True):
            sounds.setdefault(character, sound)
    tokens = {token for text in texts for token in text_tokens(text, VoicePolicy()) if _CHINESE.fullmatch(token)}
    chinese = {token: " ".join(_pinyin(token)) for token in sorted(BASE_TOKENS | WORDS | {"幺"})}
    chinese |= {token: sounds[token] for token in sorted(tokens - chinese.keys() - PAUSES)}
    guidance = clips_needed()
    return {
        **{token: _guidance(token, text) for token, text in guidance.items()},
        **{token: (PINYIN_VOICE, sound, CHINESE_WPM) for token, sound in chinese.items()},
        **{letter: ("en", letter, CHINESE_WPM) for letter in sorted(LETTERS)},
        **{token: ("en", token.removeprefix("en:"), ENGLISH_WPM) for token in sorted(ENGLISH_TOKENS)},
        **{zh: (PINYIN_VOICE, " ".join(_pinyin(zh)), CHINESE_WPM) for zh, _ in NOTICES.values()},
        **{en: ("en", en.removeprefix("en:"), ENGLISH_WPM) for _, en in NOTICES.values()},
    }


def _guidance(token: str, text: str) -> tuple[str, str, int]:
    """A sentence: its marks are pauses to espeak-ng, and its Chinese is said in pinyin."""
    if text.isascii():
        return "en", text, ENGLISH_WPM
    marks = str.maketrans("，。？！、", ",.?!,")
    return PINYIN_VOICE, " ".join(_pinyin(text)).translate(marks), GUIDANCE_WPM


def _pinyin(text: str) -> list[str]:
    from pypinyin import Style, lazy_pinyin  # noqa: PLC0415 — its words take longer to read than a whole voice

    return lazy_pinyin(text, style=Style.TONE3, neutral_tone_with_five=True)


SHIPPED_TOKENS: Final = frozenset(
    {*clips_needed(), *BASE_TOKENS, *WORDS, "幺", *LETTERS, *ENGLISH_TOKENS}.union(*NOTICES.values())
)
"""What the pack that ships can say when no hall's own words were asked for."""


def _synthesise(espeak: str, voice: str, text: str, wpm: int) -> array[int]:
    """espeak-ng streams a WAV header of no true length, so the samples are all that follows `data`."""
    wav = _run([espeak, "-v", voice, "-s", str(wpm), "--stdout", text])
    start = wav.find(b"data") + 8
    rate = int.from_bytes(wav[24:28], "little")
    if start < 44 or rate != RATE_HZ:
        raise Unavailable(f"{espeak} gave no WAV of {RATE_HZ} Hz for {text!r}")
    samples = array("h", wav[start : len(wav) - (len(wav) - start) % SAMPLE_BYTES])
    if sys.byteorder == "big":
        samples.byteswap()
    return samples


def _run(command: list[str]) -> bytes:
    try:
        done = subprocess.run(command, capture_output=True, check=True, timeout=_SYNTHESIS_TIMEOUT_S)
    except FileNotFoundError:
        raise Unavailable(
            f"{command[0]} is not installed: install espeak-ng, or give the hall a recorded voice"
        ) from None
    except subprocess.CalledProcessError as error:
        raise Unavailable(f"{' '.join(command)}: {error.stderr.decode('utf-8', 'replace').strip()}") from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"{' '.join(command)}: {error}") from None
    return done.stdout


def _write_clip(path: Path, samples: array[int]) -> None:
    with wave.open(str(path), "wb") as clip:
        clip.setparams((1, SAMPLE_BYTES, RATE_HZ, 0, "NONE", ""))
        clip.writeframes(little_endian(samples))


def _read_clip(path: Path, token: str) -> bytes:
    """The PCM of one clip; a file that cannot be joined to the others is refused with what it is."""
    try:
        with wave.open(str(path), "rb") as clip:
            found = clip.getframerate(), clip.getnchannels(), clip.getsampwidth()
            if found != (RATE_HZ, 1, SAMPLE_BYTES):
                rate, channels, width = found
                is_ = f"{rate} Hz, {channels} channels, {8 * width} bit"
                raise Malformed(f"{token}: {path} is {is_}; needed is {RATE_HZ} Hz, 1 channel, 16 bit")
            pcm = clip.readframes(RATE_HZ * CLIP_MAX_MS // 1000 + 1)
    except FileNotFoundError:
        raise Malformed(f"{token}: {path} is not there") from None
    except (OSError, wave.Error, EOFError) as error:
        raise Malformed(f"{token}: {path}: {error}") from None
    if not pcm or duration_ms(len(pcm)) > CLIP_MAX_MS:
        raise Malformed(f"{token}: {path} should last up to {CLIP_MAX_MS} ms and more than none")
    return pcm


def _quoted(text: str) -> str:
    """A TOML basic string; JSON's escapes are all among TOML's."""
    return json.dumps(text, ensure_ascii=False)


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the pack: `python -m displays.speech.pack DIR [--text 请{number}号到{window}窗口]`."""
    parser = argparse.ArgumentParser(prog="python -m displays.speech.pack", description=main.__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--espeak", default="espeak-ng", help="the program")
    parser.add_argument("--text", action="append", default=[], help="a template or window name it shall be able to say")
    given = parser.parse_args(arguments)
    try:
        pack = build_pack(given.directory, given.espeak, given.text)
    except (Unavailable, Malformed) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{given.directory}: {len(pack.clips)} clips, {pack.name}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
