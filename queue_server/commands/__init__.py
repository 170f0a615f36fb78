"""The commands of `yichuang`, a module each with its `add_arguments`; and what several of them need."""

import asyncio
import os
from collections.abc import Coroutine
from pathlib import Path


def data_dir() -> Path:
    """Where a hall's own data lies unless told otherwise: $YICHUANG_DATA, or ~/.local/share/yichuang."""
    told = os.environ.get("YICHUANG_DATA", "")
    return Path(told) if told else Path.home() / ".local" / "share" / "yichuang"


def run_loop(work: Coroutine[None, None, int]) -> int:
    """Run on uvloop where it exists."""
    try:
        import uvloop  # noqa: PLC0415
    except ImportError:
        return asyncio.run(work)
    return uvloop.run(work)
