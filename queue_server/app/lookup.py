"""The search index of the configuration in force, kept off the start's way and off the event loop."""

import asyncio
import gc

import structlog

from queue_server.app.hub import Hub
from queue_server.app.search import MatterIndex
from queue_server.domain.configuration import Configuration
from queue_server.domain.errors import Unavailable
from queue_server.domain.model import Hall

log = structlog.get_logger()

WARM_AFTER_S = 10.0
"""When the index is made if nobody has searched before: the rush of a start is over, and no citizen waits for it."""


class Lookup:
    """Makes the index in a thread: with the first search, or a while after the start; again when the configuration changed."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._index: MatterIndex | None = None
        self._version = -1
        self._making = asyncio.Lock()

    async def index(self) -> tuple[int, MatterIndex]:
        """The version of the configuration that it is of; whoever asks while it is being made waits for the same."""
        async with self._making:
            version, configuration = await self._hub.read(_configuration)
            if self._index is None or self._version != version:
                self._index, self._version = await asyncio.to_thread(MatterIndex, configuration), version
                gc.freeze()  # as after the start: a full collection would walk through it for 10 ms each time
            return version, self._index

    async def warm(self) -> None:
        """Have the index before anybody searches, unless the hall stops before."""
        await self._hub.rest(WARM_AFTER_S)
        try:
            if not self._hub.stopped.is_set():
                await self.index()
        except Unavailable:
            return
        except Exception:  # a hall calls numbers without a search, too; whoever searches is told
            log.exception("search index not made")


def _configuration(hall: Hall) -> tuple[int, Configuration]:
    return hall.version, hall.configuration
