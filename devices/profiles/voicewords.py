"""What the frames of voice modules say in words, and a phrase for trying one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from devices.drivers.base import AnyDriver
from devices.drivers.speaker import Speaker
from devices.framing import dfplayer, jq8900, tts
from devices.framing.dfplayer import DfFrame
from devices.framing.jq8900 import JqFrame
from devices.framing.tts import TtsFrame, TtsReply
from devices.profiles.wording import Wording
from devices.protocols.tracks import TRACKS

_ENCODINGS: Final = ("gb2312", "gbk", "big5", "utf-16-be")
_TTS: Final = {
    tts.STOP: "stop",
    tts.PAUSE: "pause",
    tts.RESUME: "resume",
    tts.STATUS: "how are you?",
    tts.SLEEP: "sleep",
    tts.WAKE: "wake up",
}
_REPLIES: Final = {
    tts.READY: "powered up",
    tts.TAKEN: "taken",
    tts.REFUSED: "refused",
    tts.BUSY: "busy",
    tts.IDLE: "idle",
}
_JQ: Final = {
    jq8900.STATUS: "how are you?",
    jq8900.PLAY: "play",
    jq8900.STOP: "stop",
    jq8900.TRACKS: "how many tracks?",
    jq8900.CURRENT: "which track?",
    jq8900.END_COMBINED: "end combined play",
}
_DF: Final = {
    dfplayer.VOLUME: "volume {0}",
    dfplayer.PLAY_MP3: "play /MP3/{0:04}",
    dfplayer.STOP: "stop",
    dfplayer.MEDIA_IN: "card in",
    dfplayer.MEDIA_OUT: "card out",
    dfplayer.USB_ENDED: "track {0} of USB ended",
    dfplayer.ENDED: "track {0} ended",
    dfplayer.ONLINE: "powered up",
    dfplayer.ERROR: "error {0}",
    dfplayer.TAKEN: "taken",
    dfplayer.STATUS: "status {0:04X}",
}
_DIGITS: Final = str.maketrans("0123456789", "零一二三四五六七八九")
_TOKENS: Final = re.compile("|".join(sorted(map(re.escape, TRACKS), key=len, reverse=True)) + "|.", re.DOTALL)


def _tts_means(frame: TtsFrame | TtsReply, unicode: str) -> str:
    if isinstance(frame, TtsReply):
        return _REPLIES.get(frame.code, "")
    if frame.command == tts.SPEAK and frame.data:
        encoding = (*_ENCODINGS[:3], unicode)[frame.data[0] & 0x03]
        music = frame.data[0] >> 3
        said = frame.data[1:].decode(encoding, "replace")
        return f"say {said} ({encoding}{f', music {music}' if music else ''})"
    if frame.command == tts.BAUD and frame.data:
        return f"speed {frame.data[0]}"
    return _TTS.get(frame.command, "")


def _tts_read(said: Mapping[str, object]) -> TtsFrame | None:
    """{"text": "请A042号"}: say it, in GBK."""
    match dict(said):
        case {"text": str(text)}:
            return TtsFrame(tts.SPEAK, b"\x01" + text.encode("gbk", "replace"))
        case _:
            return None


def _jq_means(frame: JqFrame) -> str:
    match frame:
        case JqFrame(jq8900.TRACK, data) if len(data) == 2:
            return f"play track {int.from_bytes(data, 'big')}"
        case JqFrame(jq8900.VOLUME, data) if len(data) == 1:
            return f"volume {data[0]}"
        case JqFrame(jq8900.COMBINED, data):
            text = data.decode("ascii", "replace")
            return f"join {' '.join(text[at : at + 2] for at in range(0, len(text), 2))}"
        case JqFrame(command, b""):
            return _JQ.get(command, "")
        case JqFrame(jq8900.STATUS, data):
            return {0: "stopped", 1: "playing", 2: "paused"}.get(data[0], f"status {data.hex()}")
        case JqFrame(command, data):
            return f"{_JQ.get(command, 'answer').rstrip('?')}: {int.from_bytes(data, 'big')}"


def _df_means(frame: DfFrame) -> str:
    return _DF.get(frame.command, "").format(frame.value)


SYN6288_WORDS: Final[Wording[Any]] = Wording((TtsFrame, TtsReply), lambda f: _tts_means(f, "utf-16-be"), _tts_read)
XFS5152_WORDS: Final[Wording[Any]] = Wording((TtsFrame, TtsReply), lambda f: _tts_means(f, "utf-16-le"), _tts_read)
JQ8900_WORDS: Final[Wording[Any]] = Wording((JqFrame,), _jq_means)
DFPLAYER_WORDS: Final[Wording[Any]] = Wording((DfFrame,), _df_means)


def tokens_of(text: str) -> list[str]:
    """A text as what modules are given: recorded words whole, everything else sign by sign."""
    return _TOKENS.findall(text.translate(_DIGITS))


def say_pattern(driver: AnyDriver, text: str) -> None:
    """Say a text once, at full volume; a module that plays recordings needs every word of it recorded."""
    assert isinstance(driver, Speaker)

    async def say() -> None:
        await driver.say(tokens_of(text), 100, 10_000)

    driver.line.spawn(say())
