"""Everything of one hall put together: store, hub, views, timers, web; and taken apart again in order."""

import asyncio
import contextlib
import errno
import gc
import os
import secrets
import socket
import ssl
import sys
from collections.abc import AsyncIterator, Coroutine, Iterable
from dataclasses import dataclass
from pathlib import Path

import structlog
from aiohttp import web

from queue_server.app.accounts import Accounts
from queue_server.app.agents import Agents
from queue_server.app.clock import Clock
from queue_server.app.hub import Hub
from queue_server.app.live import Live
from queue_server.app.lookup import Lookup
from queue_server.app.pages import Pages
from queue_server.app.papers import Papers
from queue_server.app.persons import Persons
from queue_server.app.printing import claims as print_claims
from queue_server.app.projection import project
from queue_server.app.readings import Readings
from queue_server.app.remote import Remote
from queue_server.app.terminal import own
from queue_server.app.terminals import Terminals
from queue_server.app.timers import Timers
from queue_server.app.tokens import Tokens
from queue_server.app.views.screens import Screens, Surroundings
from queue_server.app.voice import Voice
from queue_server.certificate import Refused, ends_at
from queue_server.domain import commands as c
from queue_server.domain.configuration import Configuration
from queue_server.domain.errors import Unavailable
from queue_server.domain.model import empty_hall
from queue_server.paths import screens_dir
from queue_server.store.accounts import AccountStore
from queue_server.store.port import Unavailable as StoreUnavailable
from queue_server.store.store import Store
from queue_server.web.frame import Frame
from queue_server.web.pages import build_id
from queue_server.web.server import make_app, shorten
from queue_server.web.sockets import Sockets

log = structlog.get_logger()

ENDING_S = 5.0
"""How long the loops may take to end by themselves, so that none is cut off in the middle of a write."""
TOKEN_KEY_BYTES = 32
TAKEN = "port {port} is in use by another program: is the hall being served already? Otherwise give another --port"
BACKLOG = 1024
"""Connections that may wait to be accepted; while a hall starts, all of them."""

EVERY_ADDRESS = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "[::1]"}
"""Where this machine itself reaches a server that listens on all of its addresses."""

SWITCH_S = 0.0003
"""How long a thread that looks something up may wait for the interpreter while requests are being worked off.

It asks for it once a statement, and Python's own 5 ms each time would be long for whoever waits for the answer.
"""

GC_NEW = 10_000
"""New objects between two collections of the youngest; Python's own 700 would look at each batch several times."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How one hall is served. `keys_dir` holds what must not lie in the database; `voice_dir` the voice pack.

    `certificate` is a PEM file with certificate chain and private key, as `yichuang certificate` makes it; with it there is
    nothing but TLS (UX X-13).
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
        """None for plain HTTP; Unavailable when the file is not what it should be."""
        if self.certificate is None:
            return None
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        sentence = "--certificate {file}: {why}; it is a PEM file with the certificate and its private key"
        try:
            context.load_cert_chain(self.certificate)
            ends_at(self.certificate)
        except OSError as error:  # ssl.SSLError is one
            raise Unavailable(own(sentence, file=self.certificate, why=error.strerror or error)) from error
        except Refused as refused:
            raise Unavailable(own(sentence, file=self.certificate, why=refused)) from refused
        return context


@dataclass(slots=True)
class Running:
    """A hall that is being served. `first_password` and `first_pin` are "" except on the very first start.

    `url` is for this machine itself, `address` for the others of the hall.
    """

    frame: Frame
    url: str
    address: str
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


def _listen(host: str, port: int) -> list[socket.socket]:
    """The server's sockets, already waiting: whoever comes while the hall starts is answered when it is ready.

    Unavailable, with the remedy, when the port is taken: by another hall, as a rule, that must not notice.
    """
    made: list[socket.socket] = []
    try:
        places = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, _, _, _, place in places:
            made.append(socket.create_server(place[:2], family=family, backlog=BACKLOG))
    except OSError as error:
        for each in made:
            each.close()
        if error.errno == errno.EADDRINUSE:
            raise Unavailable(own(TAKEN, port=port)) from error
        raise Unavailable(f"--host {host} --port {port}: {error.strerror or error}") from error
    return made


def lan_address() -> str:
    """The address under which phones in the hall's network reach this machine, without sending anything."""
    with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"


@contextlib.asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[Running]:
    """Serve until the block ends. Unavailable or the store's errors when it cannot be, and then nothing has changed.

    The certificate and the port come before the lease, and the first account after everything that can fail: what cannot
    be served takes no hall over and makes no password that nobody saw.
    """
    tls = settings.tls()
    with contextlib.ExitStack() as stack:
        sockets = _listen(settings.host, settings.port)
        for each in sockets:
            stack.callback(each.close)
        port = int(sockets[0].getsockname()[1])
        here = f"{settings.scheme}://{EVERY_ADDRESS.get(settings.host, settings.host)}:{port}"
        lan = f"{settings.scheme}://{lan_address()}:{port}"
        base_url = settings.base_url or lan
        store = await Store.open(settings.database, keys_dir=settings.keys_dir, projector=project)
        try:
            hub, frame = _parts(settings, store, base_url)
            await hub.start()
            async with _tasks(hub, frame, settings.automatic, sockets, tls, settings.configuration) as first:
                address = settings.base_url or (lan if settings.host in EVERY_ADDRESS else here)
                yield Running(frame, here, address, *first, stopped=hub.stopped)
        finally:
            await store.close()


def _parts(settings: Settings, store: Store, base_url: str) -> tuple[Hub, Frame]:  # long: every part of a hall, once
    """Everything of a hall, made and tied together; nothing of it has begun."""
    configuration = settings.configuration
    clock = Clock(configuration.hall.timezone)
    tokens = Tokens(_token_key(settings.keys_dir))
    around = Surroundings(clock, tokens, Papers(clock, tokens, base_url), base_url)
    around.certificate_ends = ends_at(settings.certificate) if settings.certificate else 0
    screens = Screens(around)
    voice = Voice(store, around, settings.voice_dir)
    hub = Hub(
        store,
        configuration.hall.id,
        f"{socket.gethostname()}:{os.getpid()}",
        clock,
        empty_hall(configuration),
        # Law 7: what an event causes at the edge is claimed in the event's own transaction.
        effects=lambda hall, events: voice.claims(hall, events) + print_claims(events),
    )
    live = Live(hub, screens)
    accounts = Accounts(AccountStore(store.database, hub.name), clock)
    persons = Persons(hub, store)
    readings = Readings(hub, persons, tokens)
    pages = Pages(hub, around.pages, voice)
    pages.paired = accounts.devices
    agents = Agents(hub, store, screens, live, accounts.name_of_clerk, voice, readings, pages)

    async def recovered() -> None:
        await agents.prints.take_up()
        await voice.take_up()

    hub.on_published(live.on_published, agents.on_published, voice.on_published)
    hub.on_recovered(recovered)
    frame = Frame(
        hub=hub,
        store=store,
        accounts=accounts,
        screens=screens,
        live=live,
        agents=agents,
        voice=voice,
        persons=persons,
        readings=readings,
        pages=pages,
        remote=Remote(hub, pages),
        build=build_id(screens_dir()),
        start=secrets.token_hex(6),
        lookup=Lookup(hub),
    )
    return hub, frame


@contextlib.asynccontextmanager
async def _tasks(
    hub: Hub,
    frame: Frame,
    automatic: bool,
    doors: list[socket.socket],
    tls: ssl.SSLContext | None,
    configuration: Configuration,
) -> AsyncIterator[tuple[str, str]]:
    """The loops of a hall, and the web server in front of them; the first password and PIN."""
    timers = Timers(hub, frame.store, frame.screens.around, automatic=automatic)
    app, sockets = make_app(frame)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(hub.run(), name="hub")]
        await frame.accounts.load()
        version = await hub.read(lambda hall: hall.version)
        if version == 0:
            await hub.tell(c.ApplyConfiguration(configuration=configuration, source="first start"), "first start")
        await frame.agents.prints.take_up()
        await frame.voice.start(hub, frame.live)
        await timers.once()
        tasks += [group.create_task(loop) for loop in _loops(hub, frame, timers, sockets)]
        runner = web.AppRunner(app, access_log=None, keepalive_timeout=75.0)
        await runner.setup()
        assert runner.server is not None
        shorten(frame, runner.server)
        first = await frame.accounts.first_start()
        for door in doors:
            await web.SockSite(runner, door, backlog=BACKLOG, ssl_context=tls).start()
        try:
            yield first
        finally:
            await sockets.close()
            await runner.cleanup()
            await hub.finish()
            writer, *others = tasks
            writer.cancel()  # between two batches: it merely waits for the next
            _, late = await asyncio.wait(others, timeout=ENDING_S)
            for task in late:
                task.cancel()


def _loops(hub: Hub, frame: Frame, timers: Timers, sockets: Sockets) -> Iterable[Coroutine[None, None, None]]:
    """Everything that runs beside the hub."""
    terminals = Terminals(hub, frame.screens.around, frame.live, frame.pages)
    beside = hub.keep(), frame.live.run(), frame.agents.run(), frame.voice.run(), terminals.run()
    watching = sockets.watch_agents(), frame.accounts.watch(hub.stopped), frame.lookup.warm()
    return (*beside, timers.run(), sockets.beat(), *watching)


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
    """What a person at this machine must know: not in the log, which is kept, and read by more people."""
    hub = running.frame.hub
    log.info("ready", url=running.address, hall=hub.name, epoch=hub.lease.epoch)
    if not running.first_password:
        return
    sys.stdout.write(
        f"""
  第一次启动。下面两样只显示这一次，请现在抄下来：
  First start. These two are shown only now; write them down:

    admin 的初始密码 · first password of admin       {running.first_password}
    取号机维护菜单的 PIN · PIN of the kiosks' menu    {running.first_pin}

  登录 · sign in: {running.address}/login
  忘了密码 · lost: yichuang account reset admin

"""
    )
    sys.stdout.flush()
