"""RULES 89: the page of a paired screen whose PC lost power or its cable is missed within 10 s, without a FIN; a slow one is not."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from queue_server.app import terminals
from queue_server.compose import serving
from queue_server.web import sockets
from queue_server.wire.common import DeviceState
from queue_server.wire.live import Pattern
from tests.devices.hall import until
from tests.http.conftest import Site, settings_of
from tests.http.test_agent_lost import Cable, port_of
from tests.http.test_devices import document, states, wired

KNOWN_WITHIN_S = 10


@pytest.fixture
async def hall(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    monkeypatch.setattr(terminals, "STARTED_S", 0.0)
    settings = replace(settings_of(tmp_path), configuration=wired())
    async with serving(settings) as running, aiohttp.ClientSession() as session:
        site = Site(running, settings.configuration, session)
        await site.new_day()
        yield site


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Of once a second, which are the seconds of a machine that has time for them."""
    found: list[float] = []
    look = terminals.Terminals.look

    async def counted(self: terminals.Terminals, at: float, *, patient: bool = False) -> None:
        found.append(at)
        await look(self, at, patient=patient)

    monkeypatch.setattr(terminals.Terminals, "look", counted)
    return found


class Screen:
    """A page that reads and answers pings as browsers do, and counts those."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self.pings = 0
        self.ended = False

    async def read(self) -> None:
        async for message in self._socket:
            if message.type is aiohttp.WSMsgType.PING:
                self.pings += 1
                await self._socket.pong(message.data)
        self.ended = True


@asynccontextmanager
async def screen(url: str, site: Site, who: dict[str, str]) -> AsyncIterator[Screen]:
    """A page with this device's token or this person's cookie."""
    token = who.get("Authorization", "").removeprefix("Bearer ")
    headers = {} if token else who
    async with site.session.ws_connect(f"{url}/api/v1/live", autoping=False, headers=headers) as socket:
        await socket.send_json({"type": "hello", "token": token})
        page = Screen(socket)
        reading = asyncio.create_task(page.read())
        try:
            yield page
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)


def kiosk_of(site: Site) -> tuple[str, str]:
    """The kiosk, and its page as a device."""
    kiosk = site.configuration.kiosk[0].id
    return kiosk, f"kiosk:{kiosk}"


async def told(site: Site, device: str, *wanted: str) -> None:
    for _ in range(1200):
        if await states(site, device) == list(wanted):
            return
        await asyncio.sleep(0.05)
    assert await states(site, device) == list(wanted)


async def test_rules_89_a_kiosk_without_power_is_missed_within_10_s_and_a_display_with_it(
    hall: Site, looks: list[float]
) -> None:
    kiosk, name = kiosk_of(hall)
    zone = hall.configuration.zone[0].id
    async with (
        Cable(port_of(hall)) as cable,
        screen(cable.url, hall, await hall.as_device("kiosk", kiosk)) as page,
        screen(cable.url, hall, await hall.as_device("hall", zone)),
    ):
        await told(hall, name, "online")
        await asyncio.sleep(7)  # a quiet page, pinged and well
        assert page.pings >= 2
        assert await states(hall, name) == ["online"]
        cable.whole.clear()
        looks.clear()
        await told(hall, name, "online", "offline")
        assert len(looks) * terminals.EVERY_S <= KNOWN_WITHIN_S
        assert not page.ended, "nothing told either end"
        assert (await document(hall, name)).last_error == "page-lost"
        await until(lambda: hall.running.frame.screens.around.pages[name].connected_since is None, 5)
        shown = [
            each for each in (await hall.hub.read(hall.running.frame.screens.devices)).devices if each.kind == "hall"
        ]
        assert [each.state for each in shown] == [DeviceState.OFFLINE]
        async with screen(hall.running.url, hall, await hall.as_device("kiosk", kiosk)):
            await told(hall, name, "online", "offline", "online")
        cable.whole.set()


async def test_rules_89_a_page_that_closes_has_5_s_to_come_back_as_before(
    hall: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when another box of the same kiosk lost its power once, and was never revoked."""
    monkeypatch.setattr(sockets, "HEARTBEAT_S", 0.1)
    kiosk, name = kiosk_of(hall)
    old = await hall.as_device("kiosk", kiosk)
    async with Cable(port_of(hall)) as cable, screen(cable.url, hall, old):
        await told(hall, name, "online")
        cable.whole.clear()
        await told(hall, name, "online", "offline")
        new = await hall.as_device("kiosk", kiosk)
        async with screen(hall.running.url, hall, new):
            await told(hall, name, "online", "offline", "online")
        await asyncio.sleep(2.5)  # it reloads
        async with screen(hall.running.url, hall, new):
            await asyncio.sleep(1.5)
            assert await states(hall, name) == ["online", "offline", "online"]
        cable.whole.set()


class Shown:
    """A page that takes everything."""

    def say(self, message: Pattern) -> bool:
        return True


async def test_rules_89_only_the_newest_page_of_a_kiosk_tells_that_it_is_lost(hall: Site) -> None:
    kiosk, _ = kiosk_of(hall)
    await hall.as_device("kiosk", kiosk)
    pages, old, new = hall.running.frame.pages, Shown(), Shown()
    [device] = [each.id for each in pages.paired() if each.of == kiosk]
    for leaving, lost in (
        (((new, False), (old, True)), set()),
        (((new, True), (old, False)), set()),
        (((old, True), (new, False)), set()),
        (((old, True), (new, True)), {kiosk}),
    ):
        pages.came(device, old)
        pages.came(device, new)
        for page, silent in leaving:
            pages.left(device, page, lost=silent)
        assert pages.lost() == lost, leaving


async def test_rules_89_a_half_open_connection_says_nothing_of_a_page_that_came_back_on_another(
    hall: Site, monkeypatch: pytest.MonkeyPatch, looks: list[float]
) -> None:
    """And that reloads while the old one is found silent: it has its 5 s, here without an end."""
    monkeypatch.setattr(terminals, "ABSENT_S", 3600.0)
    kiosk, name = kiosk_of(hall)
    token = await hall.as_device("kiosk", kiosk)
    around, pages = hall.running.frame.screens.around, hall.running.frame.pages
    async with Cable(port_of(hall)) as cable, screen(cable.url, hall, token):
        await told(hall, name, "online")
        [opened] = [each.pages for each in pages._open.values()]
        cable.whole.clear()
        async with screen(hall.running.url, hall, token):
            await until(lambda: len(opened) == 2, 20)
        await until(lambda: around.pages[name].connected_since is None, 60)
        looks.clear()
        await until(lambda: len(looks) > 2, 60)
        assert await states(hall, name) == ["online"]
        cable.whole.set()


async def test_rules_89_a_machine_that_stalls_for_5_s_keeps_its_connection(hall: Site) -> None:
    kiosk, name = kiosk_of(hall)
    async with Cable(port_of(hall)) as cable, screen(cable.url, hall, await hall.as_device("kiosk", kiosk)) as page:
        await told(hall, name, "online")
        for _ in range(2):
            cable.whole.clear()
            await asyncio.sleep(5)
            cable.whole.set()
            heard = page.pings
            await until(lambda: page.pings > heard, 20)  # noqa: B023 - asked for within the turn
        await asyncio.sleep(3)
        assert cable.ends == 0, "the connection was kept"
        assert await states(hall, name) == ["online"]


async def test_rules_89_a_server_that_was_late_itself_makes_no_page_silent(
    hall: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its loop stands still for far longer than a page may be silent: the pages' answers lie there unread."""
    monkeypatch.setattr(sockets, "HEARTBEAT_S", 0.05)
    kiosk, name = kiosk_of(hall)
    async with screen(hall.running.url, hall, await hall.as_device("kiosk", kiosk)) as page:
        await told(hall, name, "online")
        for _ in range(3):
            await asyncio.sleep(0.3)
            time.sleep(1.5)  # noqa: ASYNC251 - the stall is the test
        heard = page.pings
        await until(lambda: page.pings > heard, 20)
        assert not page.ended
        assert await states(hall, name) == ["online"]


async def test_law_5_pages_of_people_are_not_asked_as_often_as_screens(
    hall: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody misses a manager's page or a phone: theirs are asked every 20 s."""
    monkeypatch.setattr(sockets, "HEARTBEAT_S", 0.05)
    async with (
        screen(hall.running.url, hall, await hall.as_staff("manager")) as page,
        screen(hall.running.url, hall, await hall.as_device("window", hall.configuration.window[0].id)) as window,
    ):
        await until(lambda: window.pings >= 5, 20)
        assert (page.pings, page.ended) == (0, False)


async def test_law_5_a_phone_that_is_gone_is_ended_after_two_askings(
    hall: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the same pings as screens, so that a slow page of people is not cut either."""
    monkeypatch.setattr(sockets, "HEARTBEAT_S", 0.05)
    left, leave = asyncio.Event(), sockets._Seat.leave

    async def noted(self: sockets._Seat) -> None:
        await leave(self)
        left.set()

    monkeypatch.setattr(sockets._Seat, "leave", noted)
    who = await hall.as_staff("manager")
    async with Cable(port_of(hall)) as cable, screen(cable.url, hall, who) as page:
        await until(lambda: page.pings >= 3, 60)
        assert not left.is_set()
        cable.whole.clear()
        async with asyncio.timeout(15):
            await left.wait()
        assert not page.ended, "nothing told either end"
        cable.whole.set()
