"""The voice pack that ships, made once a test run with the real espeak-ng."""

import os
import shutil
import tempfile
from functools import cache
from pathlib import Path

import pytest

from displays.speech.pack import Pack, build_pack


@cache
def _made() -> Pack:
    with tempfile.TemporaryDirectory() as directory:
        return build_pack(Path(directory))


def shipped_pack() -> Pack:
    """Skips where there is no espeak-ng, saying so; in CI it must be there."""
    if shutil.which("espeak-ng") is None and os.environ.get("CI") != "true":
        pytest.skip("espeak-ng is not installed: the voice is not tested")
    return _made()
