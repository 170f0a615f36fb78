"""A file of JSON lines that is worth less than what it is written beside: trouble ends it, is told, and leaves whole lines."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import TextIO


class LineFile:
    """`path` written anew line by line, so that a full disk is noticed at the line that it loses; opening raises OSError.

    `failed` is told at most once, by `write` or by `close`, why the file has ended; after `close` nothing is.
    """

    def __init__(self, path: Path, failed: Callable[[str], object]) -> None:
        self._path = path
        self._failed = failed
        self._file: TextIO | None = path.open("w", buffering=1, encoding="utf-8")

    @property
    def ended(self) -> bool:
        """Whether nothing more is written."""
        return self._file is None

    def write(self, line: str) -> None:
        """One line with its end; nothing once the file has ended."""
        if self._file is None:
            return
        try:
            self._file.write(line)
        except OSError as error:
            self._end(error)

    def close(self) -> None:
        """Nothing more comes."""
        self._end(None)

    def _end(self, error: OSError | None) -> None:
        file, self._file = self._file, None
        if file is None:
            return
        try:
            file.close()
        except OSError as late:  # what it could not write it tries once more
            error = error or late
        if error is not None:
            self._cut_to_whole_lines()
            self._failed(f"{self._path}: {error.strerror}")

    def _cut_to_whole_lines(self) -> None:
        """Half a line at the end, as a full disk leaves it, would spoil what there is."""
        if self._path.is_file():
            with contextlib.suppress(OSError):
                os.truncate(self._path, self._path.read_bytes().rfind(b"\n") + 1)
