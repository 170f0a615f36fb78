"""The pages of kiosks as devices: there while their websocket is, lost when it fell silent or stayed away (RULES 89)."""

import asyncio
from collections.abc import Mapping

from msgspec import structs

from queue_server.app.hub import Hub
from queue_server.app.live import Live
from queue_server.app.pages import Pages
from queue_server.app.views.devices import page_of_kiosk
from queue_server.app.views.screens import Surroundings
from queue_server.domain import commands as c
from queue_server.domain.configuration import KIOSK_PAGE
from queue_server.domain.errors import Unavailable
from queue_server.domain.model import Hall
from queue_server.wire.common import DeviceState

EVERY_S = 1.0
ABSENT_S = 5.0
"""A page that reloads, or whose network blinks, is back before. One that left pings unanswered was waited for already."""
SEEN_MS = 30_000
"""That a page is still there is told this often, as agents tell of their devices: each telling is a document for every manager."""
LOST = "page-lost"
"""The manager's page has a sentence for it in both languages."""
STARTED_S = 20.0
"""So long after our own start no page is missed: they all come back one after the other."""


class Terminals:
    """A kiosk whose page never was there is not missed. Other screens only stand in the manager's table."""

    def __init__(self, hub: Hub, around: Surroundings, live: Live, pages: Pages) -> None:
        self._hub = hub
        self._around = around
        self._live = live
        self._pages = pages
        self._gone: dict[str, float] = {}

    async def run(self) -> None:
        started = asyncio.get_running_loop().time()
        while not self._hub.stopped.is_set():
            await self._hub.rest(EVERY_S)
            time = asyncio.get_running_loop().time()
            try:
                await self.look(time, patient=time - started < STARTED_S)
            except Unavailable:
                continue

    async def look(self, time: float, *, patient: bool = False) -> None:
        """Who came and who went, at `time` (the loop's, s)."""
        self._pages.refresh()
        present, lost = self._pages.kiosks(), self._pages.lost()
        for kiosk, state in (await self._hub.read(_known)).items():
            if kiosk in present:
                self._gone.pop(kiosk, None)
                await self._tell(kiosk, DeviceState.ONLINE, changed=state is not DeviceState.ONLINE)
            elif state is DeviceState.ONLINE and not patient:
                if time - self._gone.setdefault(kiosk, time) >= ABSENT_S or kiosk in lost:
                    await self._tell(kiosk, DeviceState.OFFLINE, changed=True)
            elif state is DeviceState.OFFLINE and f"{KIOSK_PAGE}{kiosk}" not in self._around.devices:
                await self._tell(kiosk, DeviceState.OFFLINE, changed=False)

    async def _tell(self, kiosk: str, state: DeviceState, *, changed: bool) -> None:
        name = f"{KIOSK_PAGE}{kiosk}"
        error = "" if state is DeviceState.ONLINE else LOST
        before = self._around.devices.get(name)
        if before is None:
            before = await self._hub.read(lambda hall: page_of_kiosk(hall, name))
        now = self._hub.clock.now()
        if not changed and before.state is state and before.last_seen is not None and now - before.last_seen < SEEN_MS:
            return
        seen = now if state is DeviceState.ONLINE else before.last_seen
        self._around.devices[name] = structs.replace(
            before, state=state, last_seen=seen, last_error=error or before.last_error
        )
        if changed:
            await self._hub.tell(c.ReportDevice(device=name, state=state, error=error), f"device:{name}")
            self._live.touch([("manager", "")])


def _known(hall: Hall) -> Mapping[str, DeviceState]:
    """How the journal has every kiosk's page."""
    found = {}
    for kiosk in hall.configuration.kiosk:
        health = hall.devices.get(f"{KIOSK_PAGE}{kiosk.id}")
        found[kiosk.id] = health.state if health is not None else DeviceState.UNKNOWN
    return found
