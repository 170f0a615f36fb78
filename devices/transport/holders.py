"""Which line of this process holds which port, so that a second line that means the same one says whose it is."""

from __future__ import annotations

import os
import stat
import threading
from typing import Final, Protocol
from weakref import WeakValueDictionary

from devices.transport.base import Unavailable

Port = tuple[str | int, ...]
"""A port by what it is, whatever it is called."""


class Holder(Protocol):
    """Whoever has a port open."""

    @property
    def url(self) -> str:
        """As the hall's file calls it."""


_held: Final[WeakValueDictionary[Port, Holder]] = WeakValueDictionary()
_lock: Final = threading.Lock()
"""Ports are opened in threads and given back in the loop."""


def node_port(path: str) -> Port:
    """The port behind a name of a device file, by its numbers; by its name where it is no device, or not there."""
    try:
        found = os.stat(path)
    except OSError:
        return ("name", path)
    return ("node", found.st_rdev) if stat.S_ISCHR(found.st_mode) else ("name", path)


def hold(port: Port, line: Holder) -> None:
    """From now on it is this line's; `Unavailable` names the line that has it under another name.

    One of the same name is its forerunner, whose port is gone or will refuse a second opening by itself.
    """
    with _lock:
        holder = _held.get(port)
        if holder is not None and holder.url != line.url:
            raise Unavailable(
                f"{line.url} is the port that {holder.url} holds: two entries of the hall's file mean one device; take one"
                " out, or give each the name that `yichuang devices scan` shows"
            )
        _held[port] = line


def let_go(line: Holder) -> None:
    """This line holds nothing any more."""
    with _lock:
        for port in [port for port, holder in _held.items() if holder is line]:
            _held.pop(port, None)
