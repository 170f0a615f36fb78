"""Everything of one hall put together: store, hub, views, timers, web; and taken apart again in order."""

import asyncio
import contextlib
import os
import secrets
import socket
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import structlog
from aiohttp import web

from queue_server.app.accounts import Accounts
from queue_server.app.agents import Agents, Printing, job_of
from queue_server.app.clock import Clock
from queue_server.app.hub import Hub
from queue_server.app.live import Live
from queue_server.app.papers import Papers
from queue_server.app.projection import project
from queue_server.app.search import MatterIndex
from queue_server.app.timers import Timers
from queue_server.app.tokens import Tokens
from queue_server.app.views.screens import Screens, Surroundings
from queue_server.app.voice import Voice
from queue_server.domain import commands as c
from queue_server.domain import events as e
from queue_server.domain.configuration import Configuration
from queue_server.domain.model import Hall, empty_hall
from queue_server.paths import screens_dir
from queue_server.store.accounts import AccountStore
from queue_server.store.port import Claim, Fenced, Settled
from queue_server.store.store import Store
from queue_server.web.frame import Frame
from queue_server.web.pages import build_id
from queue_server.web.server import make_app
from queue_server.wire.common import PrintState

log = structlog.get_logger()

PRINT_CLAIM_MS = 10_000


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
    if not path.exists():
        keys_dir.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(32))
            file.flush()
            os.fsync(file.fileno())
    return path.read_bytes()


def _lan_address() -> str:
    """The address under which phones in the hall's network reach this machine, without sending anything."""
    with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"


def _claims(voice: Voice, hall: Hall, events: list[e.Event]) -> list[Claim]:
    """Law 7: what an event causes at the edge is claimed in the event's own transaction."""
    claims = voice.claims(hall, events)
    for event in events:
        if isinstance(event, Printing) and event.printer:
            claims.append(
                Claim(
                    id=job_of(event),
                    kind="print",
                    target=event.printer,
                    ref=event.ticket,
                    payload="",
                    at=event.at,
                    expires_at=event.at + PRINT_CLAIM_MS,
                )
            )
    return claims


async def _settle_old_prints(store: Store, hub: Hub) -> None:
    """Slips that were on their way when the process died: nobody knows, nothing is repeated (law 7)."""
    for claim in await store.pending_claims(hub.name):
        if claim.kind == "print":
            settled = Settled(id=claim.id, state="unknown", reason="restart", at=hub.clock.now())
            await store.settle(hub.lease, settled)
            command = c.RecordPrint(ticket=claim.ref, state=PrintState.UNKNOWN, reason="restart")
            with contextlib.suppress(Exception):
                await hub.tell(command, "restart")


@contextlib.asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[Running]:  # long: the hall's parts, each made once, in order
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
            effects=lambda hall, events: _claims(voice, hall, events),
        )
        live = Live(hub, screens)
        accounts = Accounts(AccountStore(store.database, name), clock)
        agents = Agents(hub, store, screens, live, accounts.name_of_clerk)

        def published(hall: Hall, events: list[e.Event]) -> None:
            live.on_published(hall, events)
            agents.on_published(hall, events)
            voice.on_published(hall, events)

        hub.on_published(published)
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
        await _settle_old_prints(frame.store, hub)
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
            for task in tasks:
                task.cancel()


async def serve_forever(settings: Settings, stop: asyncio.Event) -> int:
    """0 after `stop`, 1 when this process may no longer write."""
    async with serving(settings) as running:
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


__all__ = ["Fenced", "Running", "Settings", "serve_forever", "serving"]
