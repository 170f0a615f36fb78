"""The chain's heads written to a plain file outside the database, so that a cut or rewritten journal shows."""

import os
from pathlib import Path
from typing import Final

import msgspec

from queue_server.store.port import Unavailable

ANCHOR_FILE: Final = "anchors.jsonl"


class Anchor(msgspec.Struct, frozen=True):
    """The head of one hall's chain as it was at `at` (ms UTC)."""

    hall: str
    seq: int
    link: str
    at: int


def append(folder: Path, anchor: Anchor) -> None:
    """Write one line and wait for the disk. A line torn by an earlier crash is closed first."""
    path = folder / ANCHOR_FILE
    try:
        with open(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600), "r+b", buffering=0) as file:
            size = file.seek(0, os.SEEK_END)
            torn = b""
            if size:
                file.seek(size - 1)
                torn = b"" if file.read(1) == b"\n" else b"\n"
            file.write(torn + msgspec.json.encode(anchor) + b"\n")
            os.fsync(file.fileno())
    except OSError as error:
        raise Unavailable(f"the anchor file {path} cannot be written: {error.strerror}") from error


def read(folder: Path, hall: str) -> tuple[list[Anchor], int]:
    """The hall's anchors in the order written, and how many lines of the file could not be read (torn or edited)."""
    path = folder / ANCHOR_FILE
    if not path.exists():
        return [], 0
    found: list[Anchor] = []
    unreadable = 0
    for line in path.read_bytes().splitlines():
        try:
            anchor = msgspec.json.decode(line, type=Anchor)
        except msgspec.MsgspecError:
            unreadable += 1
            continue
        if anchor.hall == hall:
            found.append(anchor)
    return found, unreadable
