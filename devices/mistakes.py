"""Mistakes of ours in what is asked of a device: each ends that order alone, and shows."""

from __future__ import annotations

import contextlib
import traceback
from collections import Counter, deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import structlog

from devices.drivers.health import Health
from displays.errors import Malformed

WAY_LIMIT: Final = 16
"""Steps of the way to a mistake that are logged; the last ones."""

TEXT: Final = "show"
CELLS: Final = "keypad_show"
SERVER_LOST: Final = "server_lost"
"""What is asked of a strip and of a keypad without an order of the server's too; the first two by their names on the wire."""

_log = structlog.get_logger("devices.agent")


class Mistakes:
    """`health_of` finds a device's health by its id, None for one that is not here; `counters` counts them as `broken`.

    What is told of an exception is its type and where it rose, never its words: they may quote what was asked (law 10).
    """

    def __init__(self, health_of: Callable[[str], Health | None], counters: Counter[str]) -> None:
        self._health_of = health_of
        self._counters = counters
        self._nobodys = Health("", lambda: None)  # what broke without a device

    @contextlib.contextmanager
    def end(self, device: str, asked: str, *proves: str) -> Iterator[None]:
        """What nobody foresaw ends what is within, and nothing else. Done, it `proves` that other things work again too.

        A setting that makes no sense ends it likewise: `Malformed`, whose sentence says what to mend, is no mistake of ours.
        """
        try:
            yield
        except Malformed as error:
            self._health(device).broke(asked, str(error))
        except Exception as error:
            self.tell(device, asked, error)
        else:
            for done in (asked, *proves):
                self.worked(device, done)

    def tell(self, device: str, asked: str, error: Exception) -> str:
        """The device is degraded until what was asked works again, which is logged when it is new; the reason."""
        reason, way = what_and_where(error)
        self._counters["broken"] += 1
        health = self._health(device)
        health.counters["broken"] += 1
        if health.broke(asked, reason):
            _log.error("order_broken", device=device, asked=asked, error=reason, way=way)
        return reason

    def worked(self, device: str, asked: str) -> None:
        """It was done."""
        self._health(device).worked(asked)

    def _health(self, device: str) -> Health:
        return self._health_of(device) or self._nobodys


def reason_of(error: BaseException) -> str:
    """The type of a mistake of ours and where it rose."""
    return what_and_where(error)[0]


def what_and_where(error: BaseException) -> tuple[str, list[str]]:
    """The reason; file, line and function of each step to it. Of several mistakes the first, of a chain its cause."""
    for _ in range(WAY_LIMIT):
        inner = error.exceptions[0] if isinstance(error, BaseExceptionGroup) else error.__cause__
        if inner is None or inner.__traceback__ is None:
            break
        error = inner
    steps = deque(traceback.walk_tb(error.__traceback__), WAY_LIMIT)
    way = [f"{'/'.join(Path(at.f_code.co_filename).parts[-2:])}:{line} {at.f_code.co_name}" for at, line in steps]
    return f"{type(error).__name__} at {way[-1]}" if way else type(error).__name__, way
