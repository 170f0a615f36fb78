"""A hall's voice pack becomes the card of a player of recordings, and its words the settings of the device (HARDWARE 3.3, 3.4)."""

import tomllib
import wave
from pathlib import Path

import pytest

from devices.devicemap import plan
from devices.protocols.tracks import TRACKS
from displays.errors import Malformed
from displays.speech.pack import Pack
from displays.speech.phrases import NOTICES, VoicePolicy, phrase
from displays.speech.sound import RATE_HZ
from queue_server import cli
from queue_server.card import FORMS, tracks_of
from queue_server.wire.agent import DeviceEntry
from tests.voice import shipped_pack


@pytest.mark.parametrize(("player", "folder", "digit"), [("jq8900", "ZH", "10.wav"), ("dfplayer", "MP3", "0010.wav")])
def test_hardware_3_3_and_3_4_a_card_is_written_with_every_word_of_the_pack(
    player: str, folder: str, digit: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pack = shipped_pack()
    assert cli.main(["voice", "build", "--folder", str(tmp_path / "pack")]) == 0
    capsys.readouterr()
    assert cli.main(["voice", "card", str(tmp_path), "--as", player, "--folder", str(tmp_path / "pack")]) == 0
    settings = tomllib.loads(capsys.readouterr().out)["device"]["settings"]
    assert settings["track.chime"] == "90"
    with wave.open(str(tmp_path / folder / digit)) as file:
        assert file.getframerate() == RATE_HZ
        assert file.readframes(file.getnframes()) == pack.clips["零"]
    known = {**TRACKS, **{name.removeprefix("track."): int(track) for name, track in settings.items()}}
    files = {path.name for path in (tmp_path / folder).iterdir()}
    spoken = {*phrase("A0123456789", "12", VoicePolicy()), *(zh for zh, _ in NOTICES.values())}
    assert {FORMS[player].name.format(known[token]) for token in spoken} <= files
    entry = DeviceEntry(
        id="v1", kind="speaker", url="memory://x", address=0, profile=player, window="", levels={}, settings=settings
    )
    assert plan([entry]).wrong == {}


def test_a_card_that_is_too_small_says_so(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    pack = Pack("big", {f"词{n}": b"" for n in range(100)}, b"")
    assert max(tracks_of(pack, FORMS["dfplayer"]).values()) == 161
    with pytest.raises(Malformed, match="no room for"):
        tracks_of(pack, FORMS["jq8900"])
    assert cli.main(["voice", "card", str(tmp_path), "--as", "jq8900", "--folder", str(tmp_path / "none")]) == 1
    assert capsys.readouterr().err
