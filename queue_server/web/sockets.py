"""The two websockets: screens subscribe to live maps, agents speak for devices; both bounded in every direction."""

# long: one conversation each with screens and agents, over the same peers

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec
import structlog
from aiohttp import WSMessage, WSMsgType, web

from queue_server.app.texts import words
from queue_server.domain.errors import Rejected, Unavailable
from queue_server.store.port import StoreError
from queue_server.web.frame import Frame
from queue_server.web.peers import (
    AGENT_PINGS_UNHEARD,
    ENDED,
    PERSON_PINGS_UNHEARD,
    PING_AGENT_S,
    PING_PERSON_BEATS,
    PING_SCREEN_BEATS,
    SCREEN_PINGS_UNHEARD,
    AgentLink,
    Peer,
)
from queue_server.web.phones import view_of
from queue_server.web.principals import Person, bearer, device_person, identify
from queue_server.wire.agent import AgentHeartbeat, AgentHello, FromAgent
from queue_server.wire.frames import text_frame
from queue_server.wire.live import (
    Alive,
    Began,
    CardGone,
    ErrandDone,
    FromScreen,
    Heartbeat,
    Hello,
    PageSize,
    PatternEnded,
    Played,
    PlayerReady,
    ReadingHeard,
    Refused,
    Say,
    Subscribe,
    Unsubscribe,
    Welcome,
)

log = structlog.get_logger()
T = TypeVar("T")

HELLO_WITHIN_S = 5.0
"""A connection that says nothing is closed."""

MESSAGE_MAX = 64 * 1024

SUBSCRIPTIONS_MAX = 16
SOCKETS_MAX = 6_000
RATE_MAX = 200
"""Messages a screen may send in ten seconds."""

HEARTBEAT_S = 1.0

_from_screen = msgspec.json.Decoder(FromScreen)
_from_agent = msgspec.json.Decoder(FromAgent)
_encode = msgspec.json.Encoder().encode


class Sockets:
    """All open websockets of a hall."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._screens: dict[Peer, _Seat] = {}
        self._agents: set[AgentLink] = set()

    def counts(self) -> tuple[int, int]:
        """Screens and agents, for the metrics."""
        return len(self._screens), len(self._agents)

    async def _open(self, request: web.Request, patience: int) -> Peer:
        if len(self._screens) + len(self._agents) >= SOCKETS_MAX:
            raise Unavailable("too many connections")
        socket = web.WebSocketResponse(autoping=False, compress=False, max_msg_size=MESSAGE_MAX, timeout=2.0)
        await socket.prepare(request)
        transport = request.transport
        if transport is None:
            raise ConnectionResetError("the connection is gone")
        return Peer(socket, transport, patience)

    # --- screens ---

    async def screen(self, request: web.Request) -> web.StreamResponse:
        """`/api/v1/live`: hello, then subscriptions for as long as the page lives."""
        _check_origin(request)
        peer = await self._open(request, PERSON_PINGS_UNHEARD)
        seat = self._screens[peer] = _Seat(self._frame, peer, request)
        try:
            first = await _first(peer.heard, _from_screen)
            if not isinstance(first, Hello):
                await peer.socket.close(code=4400, message=b"say hello first")
                return peer.socket
            await seat.welcome(first)
            await self._listen(peer, seat)
        finally:
            del self._screens[peer]
            await seat.leave()
        return peer.socket

    async def _listen(self, peer: Peer, seat: "_Seat") -> None:
        began, count = 0.0, 0
        while (message := await peer.heard()).type not in ENDED:
            now = asyncio.get_running_loop().time()
            began, count = (now, 1) if now - began > 10 else (began, count + 1)
            if count > RATE_MAX:
                await peer.socket.close(code=4429, message=b"too many messages")
                return
            if message.type is not WSMsgType.TEXT:
                continue
            try:
                decoded = _from_screen.decode(message.data)
            except (msgspec.DecodeError, UnicodeDecodeError):
                peer.say(Refused(code="malformed", view="", of="", text=words("malformed", {"field": "message"})))
                continue
            await seat.heard(decoded)

    # --- agents ---

    async def agent(self, request: web.Request) -> web.StreamResponse:
        """`/api/v1/agent`: the token says which agent it is."""
        person = device_person(self._frame.accounts, bearer(request))
        if person is None:
            raise Rejected("unauthorised")
        if "agent" not in person.roles:
            raise Rejected("forbidden")
        peer = await self._open(request, AGENT_PINGS_UNHEARD)
        link = AgentLink(peer)
        self._agents.add(link)
        name = person.of
        self._frame.links.setdefault(person.name, set()).add(peer.socket)
        try:
            hello = await _first(peer.heard, _from_agent)
            if not isinstance(hello, AgentHello):
                await peer.socket.close(code=4400, message=b"say hello first")
                return peer.socket
            self._frame.seen[person.name] = self._frame.hub.clock.now()
            await self._frame.agents.connect(name, link)
            await self._hear_agent(name, link)
        finally:
            self._agents.discard(link)
            self._frame.links.get(person.name, set()).discard(peer.socket)
            await _quietly(self._frame.agents.disconnect(name, link, lost=peer.silent))
        return peer.socket

    async def _hear_agent(self, name: str, link: AgentLink) -> None:
        while (message := await link.peer.heard()).type not in ENDED:
            if message.type is not WSMsgType.TEXT:
                continue
            try:
                decoded = _from_agent.decode(message.data)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                log.warning("malformed message", agent=name, error=str(error))
                continue
            await _quietly(self._frame.agents.received(name, link, decoded))

    async def watch_agents(self) -> None:
        """Ping every agent, and end the connections of those that are silent."""
        hub = self._frame.hub
        while not hub.stopped.is_set():
            await hub.rest(PING_AGENT_S)
            for link in list(self._agents):
                link.peer.ping()

    # --- everybody ---

    async def beat(self) -> None:
        """A heartbeat a second, encoded once; and an end for those who never read, and for screens that are gone."""
        hub, beats = self._frame.hub, 0
        while not hub.stopped.is_set():
            await hub.rest(HEARTBEAT_S)
            beats += 1
            if not hub.may_act():
                continue
            at, epoch, now_s = hub.clock.now(), hub.lease.epoch, asyncio.get_running_loop().time()
            screens = text_frame(
                _encode(Heartbeat(at=at, epoch=epoch, start=self._frame.start, build=self._frame.build))
            )
            gone = []
            for peer, seat in self._screens.items():
                peer.offer(screens)
                peer.watch(now_s)
                if beats % (PING_SCREEN_BEATS if seat.device is not None else PING_PERSON_BEATS) == 0:
                    peer.ping()
                if not peer.socket.closed and not seat.is_still_welcome():
                    gone.append(peer.socket.close(code=4401, message=b"signed out"))
            await asyncio.gather(*gone, return_exceptions=True)
            for link in list(self._agents):
                link.offer(AgentHeartbeat(epoch=epoch, at=at))
                link.peer.watch(now_s)

    async def close(self) -> None:
        """The server stops: every page reconnects to whoever is next."""
        sockets = [peer.socket for peer in self._screens] + [link.peer.socket for link in self._agents]
        await asyncio.gather(*(socket.close(code=1012) for socket in sockets), return_exceptions=True)


class _Seat:
    """One page: who it is, and what it may see."""

    def __init__(self, frame: Frame, peer: Peer, request: web.Request) -> None:
        self._frame = frame
        self._peer = peer
        self._request = request
        self._token = ""
        self._person: Person | None = None
        self._ticket = ""
        self._subscribed: set[tuple[str, str]] = set()

    def _who(self) -> Person | None:
        accounts = self._frame.accounts
        person = device_person(accounts, self._token) or identify(accounts, self._request)
        return None if person is None or person.must_change else person

    def is_still_welcome(self) -> bool:
        """False when whoever came in has been signed out, disabled, given other roles, or revoked (UX S-03)."""
        return self._person is None or self._who() == self._person

    async def welcome(self, hello: Hello) -> None:
        frame = self._frame
        self._token = hello.token
        self._person = self._who()
        read = frame.screens.around.tokens.read(hello.token) if hello.token else None
        self._ticket = read[1] if read is not None and read[0] == "t" else ""
        if self._person is not None and self._person.kind == "device":
            self._peer.patience = SCREEN_PINGS_UNHEARD
            frame.seen[self._person.name] = frame.hub.clock.now()
            frame.links.setdefault(self._person.name, set()).add(self._peer.socket)
            frame.pages.came(self._person.name, self._peer)
        view, of = self._place()
        device = self._person if self._person is not None and self._person.kind == "device" else None
        self._peer.say(
            Welcome(
                at=frame.hub.clock.now(),
                start=frame.start,
                build=frame.build,
                hall=frame.hub.name,
                view=view,
                of=of,
                device=device.name if device is not None else "",
                name=device.display_name if device is not None else "",
                address=(self._request.remote or "") if device is not None else "",
            )
        )

    def _place(self) -> tuple[str, str]:
        if self._ticket:
            return "ticket", self._ticket
        if self._person is not None and self._person.kind == "device":
            return next(iter(self._person.roles)), self._person.of
        return "", self._person.window if self._person else ""

    def _may_see(self, view: str, of: str) -> bool:
        if view == "ticket":
            return bool(self._ticket) and of in ("", self._ticket)
        if self._person is None:
            return False
        if self._person.kind == "device":
            role = next(iter(self._person.roles))
            return view == role and (of == self._person.of or not self._person.of)
        roles = self._person.roles
        return {
            "hall": True,
            "window": True,
            "led": True,
            "console": "manager" in roles or ("clerk" in roles and of == self._person.window),
            "kiosk": "admin" in roles,
            "guide": bool(roles & {"guide", "desk", "manager"}),
            "manager": bool(roles & {"manager", "admin", "auditor"}),
        }.get(view, False)

    async def heard(self, message: FromScreen) -> None:
        match message:
            case Subscribe():
                await self._subscribe(message.view, message.of)
            case Unsubscribe():
                self._frame.live.unsubscribe(self._peer, message.view, message.of)
                self._subscribed.discard((message.view, message.of))
            case PlayerReady() if self._may_see("hall", message.zone) and self._person is not None:
                self._frame.voice.player(message.zone, self._peer, message.ready)
            case Say() if self._is_kiosk():
                play = await self._frame.voice.guidance.play(message, self._frame.hub.lease.epoch)
                if play is not None:
                    self._peer.say(play)
            case Began():
                self._frame.voice.began(self._peer, message.id)
            case Played():
                await _quietly(self._frame.voice.played(self._peer, message.id, message.outcome, message.reason))
            case ReadingHeard():
                self._frame.readings.answered(self._peer, message.id, message.used)
            case CardGone():
                self._frame.readings.forget(self._peer)
            case Alive() if (device := self.device) is not None:
                self._frame.seen[device] = self._frame.hub.clock.now()
                self._frame.pages.heard(device)
                if self._person is not None and self._may_see("hall", self._person.of):
                    self._frame.voice.sound(self._person.of, self._peer, message.sound)
            case PageSize() if (device := self.device) is not None:
                self._frame.pages.sized(device, self._peer, message)
            case PatternEnded():
                self._frame.pages.ended(self._peer, message)
            case ErrandDone():
                self._frame.remote.answered(self._peer, message)
            case _:
                pass

    @property
    def device(self) -> str | None:
        """The paired device behind the page; None for people."""
        return self._person.name if self._person is not None and self._person.kind == "device" else None

    def _is_kiosk(self) -> bool:
        return self._person is not None and self._person.kind == "device" and "kiosk" in self._person.roles

    async def _subscribe(self, view: str, of: str) -> None:
        of = of or (self._ticket if view == "ticket" else "")
        if not self._may_see(view, of):
            code = "forbidden" if self._person or self._ticket else "unauthorised"
        elif len(self._subscribed) >= SUBSCRIPTIONS_MAX:
            code = "too-large"
        else:
            try:
                # Managers each see the hall with their own eyes: not the bad rating about themselves (RULES 58).
                reader = self._person.name if view == "manager" and self._person is not None else ""
                await self._frame.live.subscribe(self._peer, view, of, reader)
            except KeyError:
                if view == "ticket" and await self._show_past(of):
                    return
                code = "not-found"
            except Unavailable:
                code = "unavailable"
            else:
                self._subscribed.add((view, of))
                if view == "kiosk" and self._person is not None and self._is_kiosk():
                    self._frame.readings.seated(of, self._person.name, self._peer)
                return
        self._peer.say(Refused(code=code, view=view, of=of, text=words(code)))

    async def _show_past(self, of: str) -> bool:
        """A ticket of an earlier day while its services may be rated (UX P-01): nothing else happens to it."""
        past = await view_of(self._frame, of)
        if past is None:
            return False
        hall = await self._frame.hub.read(lambda hall: self._frame.screens.hall_document(hall, ""))
        self._frame.live.show(self._peer, "ticket", of, {"hall": hall, "ticket": past})
        return True

    async def leave(self) -> None:
        self._frame.live.forget(self._peer)
        self._frame.voice.forget(self._peer)
        self._frame.readings.left(self._peer)
        self._frame.remote.left(self._peer)
        if (device := self.device) is not None:
            self._frame.pages.left(device, self._peer, lost=self._peer.silent)
        if self._person is not None and self._person.kind == "device":
            self._frame.links.get(self._person.name, set()).discard(self._peer.socket)


async def _first(receive: Callable[[], Awaitable[WSMessage]], decoder: "msgspec.json.Decoder[T]") -> T | None:
    """The first message, or None when it does not come in time or is nonsense."""
    try:
        message = await asyncio.wait_for(receive(), HELLO_WITHIN_S)
        return decoder.decode(message.data) if message.type is WSMsgType.TEXT else None
    except (TimeoutError, msgspec.DecodeError, UnicodeDecodeError):
        return None


async def _quietly(work: "asyncio.Future[None] | object") -> None:
    """What cannot be done because the hall is stopping is not an error of the peer."""
    try:
        await work  # type: ignore[misc]
    except (Unavailable, StoreError, Rejected) as error:
        log.info("not done", reason=str(error))
    except (
        Exception
    ):  # a fault of ours: the peer's connection is none the worse, and what waits for an answer asks again
        log.exception("message failed")


def _check_origin(request: web.Request) -> None:
    """A page of another origin must not use somebody's cookie."""
    origin = request.headers.get("Origin", "")
    if origin and origin.split("://", 1)[-1] != request.host:
        raise Rejected("forbidden")
