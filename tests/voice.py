"""The voice pack that ships, made once a test run with the real espeak-ng."""

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

import pytest

from displays.speech.pack import Pack, build_pack, load_pack


@cache
def _made() -> Path:
    directory = Path(tempfile.mkdtemp(prefix="voice-pack-"))
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    build_pack(directory / "voice")
    return directory / "voice"


@cache
def _loaded() -> Pack:
    return load_pack(_made())


def shipped_pack() -> Pack:
    """Skips where there is no espeak-ng, saying so; in CI it must be there."""
    shipped_to(None)
    return _loaded()


def shipped_to(folder: Path | None) -> None:
    """The same as files: a copy at `folder` that a test may change."""
    if shutil.which("espeak-ng") is None:
        pytest.skip("espeak-ng is not installed: the voice is not tested")
    made = _made()
    if folder is not None:
        shutil.copytree(made, folder)
