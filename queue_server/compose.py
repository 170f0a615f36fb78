"""Everything of one hall put together: store, hub, views, timers, web; and taken apart again in order."""

import asyncio
import contextlib
import gc
import os
import secrets
import socket
import ssl
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import structlog
from aiohttp import web

from queue_server.app.accounts import Accounts
from queue_server.app.agents import Agents
from queue_server.app.clock import Clock
from queue_server.app.hub import Hub
from queue_server.app.live import Live
from queue_server.app.papers import Papers
from queue_server.app.printing import claims as print_claims
from queue_server.app.projection import project
from queue_server.app.search import MatterIndex
from queue_server.app.timers import Timers
from queue_server.app.tokens import Tokens
from queue_server.app.views.screens import Screens, Surroundings
from queue_server.app.voice import Voice
from queue_server.domain import commands as c
from queue_server.domain.configuration import Configuration
from queue_server.domain.model import empty_hall
from queue_server.paths import screens_dir
from queue_server.store.accounts import AccountStore
from queue_server.store.port import Unavailable as StoreUnavailable
from queue_server.store.store import Store
from queue_server.web.frame import Frame
from queue_server.web.pages import build_id
from queue_server.web.server import make_app

log = structlog.get_logger()

ENDING_S = 5.0
"""How long the loops may take to end by themselves, so that none is cut off in the middle of a write."""
TOKEN_KEY_BYTES = 32

SWITCH_S = 0.0003
"""How long the store's thread may wait for the interpreter while requests are being worked off.

It asks for it once a statement. With Python's own 5 ms a commit under load would take as long as all the requests that
it could have run beside.
"""

GC_NEW = 10_000
"""New objects between two collections of the youngest; Python's own 700 would look at each batch several times."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How one hall is served. `keys_dir` holds what must not lie in the database; `voice_dir` the voice pack.

    `certificate` is a PEM file with certificate chain and private key; with it there is nothing but TLS (UX X-13).
    """

    database: str
    keys_dir: Path
    voice_dir: Path
    configuration: Configuration
    host: str = "0.0.0.0"
    port: int = 8080
    base_url: str = ""
    certificate: Path | None = None
    automatic: bool = True

    @property
    def scheme(self) -> str:
        return "https" if self.certificate else "http"

    def tls(self) -> ssl.SSLContext | None:
        """None for plain HTTP; OSError (ssl.SSLError is one) when the file is not what it should be."""
        if self.certificate is None:
            return None
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.certificate)
        return context


@dataclass(slots=True)
class Running:
    """A hall that is being served. `first_password` and `first_pin` are "" except on the very first start."""

    frame: Frame
    url: str
    first_password: str
    first_pin: str
    stopped: asyncio.Event


def _token_key(keys_dir: Path) -> bytes:
    """The key of ticket tokens, made on the first start."""
    path = keys_dir / "tokens.key"
    try:
        if not path.exists():
            keys_dir.mkdir(parents=True, exist_ok=True)
            fresh = path.with_suffix(f".{os.getpid()}")
            descriptor = os.open(fresh, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(secrets.token_bytes(TOKEN_KEY_BYTES))
                file.flush()
                os.fsync(file.fileno())
            with contextlib.suppress(FileExistsError):  # two processes start at once: the first one's key
                os.link(fresh, path)  # whole or not at all: tokens under a torn key could be forged
            fresh.unlink()
        key = path.read_bytes()
    except OSError as error:
        raise StoreUnavailable(f"the key file {path} cannot be used: {error.strerror}") from error
    if len(key) != TOKEN_KEY_BYTES:
        raise StoreUnavailable(f"the key file {path} is torn: restore it from the backup")
    return key


def _lan_address() -> str:
    """The address under which phones in the hall's network reach this machine, without sending anything."""
    with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"


@contextlib.asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[Running]:  # long: every part of a hall is made here, once
    """Serve until the block ends. Raises the store's errors when the database is not there."""
    configuration = settings.configuration
    name = configuration.hall.id
    clock = Clock(configuration.hall.timezone)
    store = await Store.open(settings.database, keys_dir=settings.keys_dir, projector=project)
    try:
        tokens = Tokens(_token_key(settings.keys_dir))
        base_url = settings.base_url or f"{settings.scheme}://{_lan_address()}:{settings.port}"
        around = Surroundings(clock, tokens, Papers(clock, tokens, base_url), base_url)
        screens = Screens(around)
        writer = f"{socket.gethostname()}:{os.getpid()}"
        voice = Voice(store, around, settings.voice_dir)
        hub = Hub(
            store,
            name,
            writer,
            clock,
            empty_hall(configuration),
            # Law 7: what an event causes at the edge is claimed in the event's own transaction.
            effects=lambda hall, events: voice.claims(hall, events) + print_claims(events),
        )
        live = Live(hub, screens)
        accounts = Accounts(AccountStore(store.database, name), clock)
        agents = Agents(hub, store, screens, live, accounts.name_of_clerk, voice)

        async def recovered() -> None:
            await agents.prints.take_up()
            await voice.take_up()

        hub.on_published(live.on_published, agents.on_published, voice.on_published)
        hub.on_recovered(recovered)
        await hub.start()
        frame = Frame(
            hub=hub,
            store=store,
            accounts=accounts,
            screens=screens,
            live=live,
            agents=agents,
            voice=voice,
            build=build_id(screens_dir()),
            start=secrets.token_hex(6),
            index=MatterIndex(configuration),
        )
        async with _tasks(hub, frame, settings) as (first_password, first_pin, url):
            yield Running(frame=frame, url=url, first_password=first_password, first_pin=first_pin, stopped=hub.stopped)
    finally:
        await store.close()


@contextlib.asynccontextmanager
async def _tasks(hub: Hub, frame: Frame, settings: Settings) -> AsyncIterator[tuple[str, str, str]]:
    """The loops of a hall, and the web server in front of them."""
    timers = Timers(hub, frame.store, frame.screens.around, automatic=settings.automatic)
    app, sockets = make_app(frame)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(hub.run(), name="hub")]
        first_password, first_pin = await frame.accounts.load()
        version = await hub.read(lambda hall: hall.version)
        if version == 0:
            command = c.ApplyConfiguration(configuration=settings.configuration, source="first start")
            await hub.tell(command, "first start")
        await frame.agents.prints.take_up()
        await frame.voice.start(hub, frame.live)
        await timers.once()
        loops = (hub.keep(), frame.live.run(), frame.agents.run(), frame.voice.run(), timers.run(), sockets.beat())
        tasks += [group.create_task(loop) for loop in loops]
        runner = web.AppRunner(app, access_log=None, keepalive_timeout=75.0)
        await runner.setup()
        site = web.TCPSite(runner, settings.host, settings.port, backlog=1024, ssl_context=settings.tls())
        await site.start()
        port = settings.port or int(runner.addresses[0][1])
        try:
            yield first_password, first_pin, f"{settings.scheme}://127.0.0.1:{port}"
        finally:
            await sockets.close()
            await runner.cleanup()
            await hub.finish()
            writer, *others = tasks
            writer.cancel()  # between two batches: it merely waits for the next
            _, late = await asyncio.wait(others, timeout=ENDING_S)
            for task in late:
                task.cancel()


async def serve_forever(settings: Settings, stop: asyncio.Event) -> int:
    """0 after `stop`, 1 when this process may no longer write."""
    async with serving(settings) as running:
        gc.collect()
        gc.freeze()  # the configuration and the code stay for ever: no full collection walks through them again
        gc.set_threshold(GC_NEW, 20, 50)
        sys.setswitchinterval(SWITCH_S)
        _announce(running)
        fenced = asyncio.ensure_future(running.stopped.wait())
        asked = asyncio.ensure_future(stop.wait())
        await asyncio.wait({fenced, asked}, return_when=asyncio.FIRST_COMPLETED)
        fenced.cancel()
        asked.cancel()
        if running.stopped.is_set():
            log.error("stopped", reason=running.frame.hub.failure)
            return 1
    return 0


def _announce(running: Running) -> None:
    log.info("ready", url=running.url, hall=running.frame.hub.name, epoch=running.frame.hub.lease.epoch)
    if running.first_password:
        log.info("first password, shown once", staff="admin", password=running.first_password)
        log.info("first PIN of the kiosks' staff menu, shown once", pin=running.first_pin)
