"""UX K-11: a PC that lost power or its cable is missed within 5 s, without a FIN; one that stalls for 2 s is not."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from queue_server import compose
from queue_server.app import agents
from queue_server.compose import serving
from queue_server.store.port import Batch
from queue_server.web import peers, sockets
from tests.crash.test_hub import Gate
from tests.devices.hall import until
from tests.http.conftest import Site, settings_of
from tests.http.test_devices import Pc, document, states, wired

KNOWN_WITHIN_S = 5.0


class Cable:
    """A TCP proxy before the server; while `cut` it forwards nothing and closes nothing."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._server: asyncio.Server
        self._tasks: set[asyncio.Task[None]] = set()
        self.whole = asyncio.Event()
        self.whole.set()
        self.ends = 0

    async def __aenter__(self) -> "Cable":
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self.whole.set()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def _accept(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        far, onward = await asyncio.open_connection("127.0.0.1", self._port)
        for reader, writer in ((near, onward), (far, back)):
            self._tasks.add(asyncio.create_task(self._forward(reader, writer)))

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                await self.whole.wait()
                writer.write(data)
        except OSError:
            pass
        finally:
            await self.whole.wait()
            self.ends += 1
            writer.close()


@pytest.fixture
async def hall(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    monkeypatch.setattr(agents, "STARTED_S", 0.0)
    monkeypatch.setattr(compose, "Store", Gate)
    settings = replace(settings_of(tmp_path), configuration=wired())
    async with serving(settings) as running, aiohttp.ClientSession() as session:
        site = Site(running, settings.configuration, session)
        await site.new_day()
        yield site


class Silent:
    """A link that takes everything."""

    def offer(self, message: object) -> bool:
        return True


def port_of(site: Site) -> int:
    return int(site.running.url.rsplit(":", 1)[1].rstrip("/"))


async def known(site: Site, pc: Pc) -> int:
    """Printer and rating device are online; how many changes that took (a slow start may have missed them first)."""
    await pc.health("slips", "online", printer="ok")
    await pc.health("pad", "online")
    for device in ("slips", "pad"):
        await told(site, device, "online")
    return len(await states(site, "slips"))


async def told(site: Site, device: str, state: str) -> None:
    for _ in range(600):
        if (await states(site, device))[-1:] == [state]:
            return
        await asyncio.sleep(0.05)
    assert await states(site, device) == [state]


async def test_ux_k_11_a_pc_without_power_is_missed_within_5_s_and_its_printer_with_it(
    hall: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In pings, which are the seconds of a machine that has time for them."""
    pings, ping = 0, peers.Peer.ping

    def counted(link: peers.Peer) -> None:
        nonlocal pings
        pings += 1
        ping(link)

    monkeypatch.setattr(peers.Peer, "ping", counted)
    async with Cable(port_of(hall)) as cable, Pc(hall, cable.url) as pc:
        before = await known(hall, pc)
        await asyncio.sleep(5)  # a quiet agent, pinged and well
        assert len(await states(hall, "slips")) == before
        cable.whole.clear()
        pings = 0
        await told(hall, "slips", "offline")
        await told(hall, "pad", "offline")
        assert 1 < pings * sockets.PING_AGENT_S < KNOWN_WITHIN_S
        assert (await document(hall, "slips")).last_error == "agent-lost"
        cable.whole.set()
        async with Pc(hall) as back:
            await known(hall, back)
            await asyncio.sleep(1.5)
            assert (await states(hall, "slips"))[before:] == ["offline", "online"]


async def test_ux_k_11_a_machine_that_stalls_for_2_s_has_lost_nothing(hall: Site) -> None:
    async with Cable(port_of(hall)) as cable, Pc(hall, cable.url) as pc:
        before = await known(hall, pc)
        link = hall.running.frame.agents._state.links["pc"]
        assert isinstance(link, peers.AgentLink)
        for _ in range(3):
            cable.whole.clear()
            await asyncio.sleep(2)
            cable.whole.set()
            await until(lambda: link.peer.unheard <= 1, 20)  # its pongs are here
        await asyncio.sleep(4)
        assert len(await states(hall, "slips")) == before
        assert cable.ends == 0, "the connection was kept"
        await pc.health("slips", "degraded", printer="out")
        await told(hall, "slips", "degraded")


async def test_rules_37_a_slow_disk_of_ours_makes_no_agent_silent(hall: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its message waits for the commit, its pongs behind that: whom we do not listen to has lost nothing."""
    monkeypatch.setattr(sockets, "PING_AGENT_S", 0.1)
    store = hall.running.frame.store
    assert isinstance(store, Gate)
    async with Pc(hall) as pc:
        await known(hall, pc)
        held, go_on = asyncio.Event(), asyncio.Event()

        async def hang(_batch: Batch) -> None:
            held.set()
            await go_on.wait()

        store.before = hang
        await pc.health("slips", "degraded", printer="out")
        await held.wait()
        await asyncio.sleep(0.1 * peers.AGENT_PINGS_UNHEARD * 3)
        go_on.set()
        await told(hall, "slips", "degraded")
        assert not pc.closed
        await asyncio.sleep(0.5)
        assert "offline" not in (await states(hall, "slips"))[-2:] + (await states(hall, "pad"))[-1:]


async def test_rules_37_the_devices_of_an_agent_that_is_back_are_not_missed_one_after_the_other(hall: Site) -> None:
    """Its loss is being written, device by device, when its new link comes: those that were not missed yet are not."""
    store = hall.running.frame.store
    assert isinstance(store, Gate)
    link, newer = Silent(), Silent()
    async with Pc(hall) as pc:
        await known(hall, pc)
        await hall.running.frame.agents.connect("pc", link)  # instead of the socket's own
        held, go_on = asyncio.Event(), asyncio.Event()

        async def hang(_batch: Batch) -> None:
            held.set()
            await go_on.wait()

        store.before = hang
        missing = asyncio.create_task(hall.running.frame.agents.disconnect("pc", link, lost=True))
        await held.wait()
        connecting = asyncio.create_task(hall.running.frame.agents.connect("pc", newer))
        await asyncio.sleep(0)
        go_on.set()
        await asyncio.gather(missing, connecting)
        assert [(await states(hall, device))[-1] for device in ("pad", "slips")] == ["offline", "online"]


async def test_rfc_6455_an_agent_that_pings_is_answered(hall: Site) -> None:
    """The agents' own library pings every 20 s and gives up without an answer."""
    headers = await hall.as_device("agent", "pc")
    url = f"{hall.running.url}/api/v1/agent"
    async with hall.session.ws_connect(url, headers=headers, autoping=False) as socket:
        await socket.ping(b"before")
        await socket.send_json({"type": "hello", "agent": "pc", "build": "t"})
        await socket.ping(b"after")
        answers: list[bytes] = []
        async with asyncio.timeout(20):
            async for message in socket:
                if message.type is aiohttp.WSMsgType.PONG:
                    answers.append(bytes(message.data))
                if answers == [b"before", b"after"]:
                    break
