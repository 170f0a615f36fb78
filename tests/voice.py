"""The voice pack that ships, made once a test run with the real espeak-ng."""

import os
import shutil
from fcntl import LOCK_EX, flock
from functools import cache
from pathlib import Path

import pytest

from displays.speech.pack import MANIFEST, Pack, build_pack, load_pack


@cache
def _made() -> Path:
    directory = Path(os.environ["TESTS_RUN"])
    with (directory / "voice.lock").open("w") as lock:
        flock(lock, LOCK_EX)  # four workers make one
        if not (directory / "voice" / MANIFEST).exists():
            build_pack(directory / "voice")
    return directory / "voice"


@cache
def _loaded() -> Pack:
    return load_pack(_made())


def shipped_pack() -> Pack:
    """Skips where there is no espeak-ng, saying so; in CI it must be there."""
    shipped_folder()
    return _loaded()


def shipped_folder() -> Path:
    """The same as files, which are everybody's: to read and to copy."""
    if shutil.which("espeak-ng") is None:
        pytest.skip("espeak-ng is not installed: the voice is not tested")
    return _made()


def shipped_to(folder: Path) -> None:
    """A copy at `folder` that a test may change."""
    shutil.copytree(shipped_folder(), folder)
