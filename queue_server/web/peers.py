"""One websocket's other end, written to without waiting: a screen's or an agent's, and whether it is still there."""

import asyncio

import msgspec
from aiohttp import WSMessage, WSMsgType, web

from queue_server.wire.agent import ToAgent
from queue_server.wire.frames import PING, pong_frame, text_frame
from queue_server.wire.live import ToScreen

BUFFER_MAX = 256 * 1024
"""Bytes that may wait for a slow peer: a screen beyond it gets a snapshot later, an agent is disconnected."""

STALLED_S = 60.0
"""A peer whose buffer does not drain for so long is disconnected."""

PING_AGENT_S = 0.5
AGENT_PINGS_UNHEARD = 8
"""An agent that answers none of so many pings has lost power or its cable, and its devices are missed at once (UX K-11: within
5 s); one whose machine stalls for 2 s is not. Pings are counted, not seconds, and only while we listen: while our loop stalls,
or the agent's last message waits for our disk, it cannot be heard and does not grow silent."""

PING_SCREEN_BEATS = 2
SCREEN_PINGS_UNHEARD = 3
"""A paired screen is asked with every second heartbeat, and gone when three of these found no answer: after 6 to 8 s. Its browser
answers beside the page, so that a busy page is no silent one; a machine that stalls for 5 s is kept."""

PING_PERSON_BEATS = 20
PERSON_PINGS_UNHEARD = 1
"""Phones and people's pages are nobody's to miss: one that found no answer when the next is due is ended, after 20 to 40 s."""

ENDED = (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR)

_encode = msgspec.json.Encoder().encode


class Peer:
    """A websocket written to without waiting; what does not fit into its buffer is refused.

    `unheard` pings were sent since it was heard, since we listen again, or since it had taken all it was sent; at `patience` it
    is gone.
    """

    __slots__ = ("_listening", "patience", "socket", "stalled_since", "transport", "unheard")

    def __init__(self, socket: web.WebSocketResponse, transport: asyncio.Transport, patience: int) -> None:
        self.socket = socket
        self.transport = transport
        self.patience = patience
        self.unheard = 0
        self.stalled_since = 0.0
        self._listening = False

    def offer(self, frame: bytes) -> bool:
        """False when the peer reads too slowly or is gone."""
        if self.socket.closed or self.transport.is_closing():
            return False
        if self.transport.get_write_buffer_size() > BUFFER_MAX:
            return False
        self.transport.write(frame)
        return True

    def say(self, message: ToScreen) -> bool:
        return self.offer(text_frame(_encode(message)))

    def watch(self, now_s: float) -> None:
        """Ends the connection when nothing has drained for STALLED_S."""
        if self.transport.get_write_buffer_size() == 0:
            self.stalled_since = 0.0
        elif not self.stalled_since:
            self.stalled_since = now_s
        elif now_s - self.stalled_since > STALLED_S:
            self.transport.abort()

    @property
    def silent(self) -> bool:
        """Whether it is not there any more, though nothing says so."""
        return self.unheard >= self.patience

    def ping(self) -> None:
        """Ask whether it is there; ends the connection of one that has been silent for too long. One that has not yet taken what
        it was sent is slow, not silent: a ping would stand behind that, and `watch` sees to it."""
        if self.transport.get_write_buffer_size():
            self.unheard = 0
        elif self._listening and self.silent:
            self.transport.abort()
        elif self.offer(PING) and self._listening:
            self.unheard += 1

    async def heard(self) -> WSMessage:
        """The next message that is no ping or pong; its end, too, is one."""
        self.unheard = 0
        self._listening = True
        try:
            while True:
                message = await self.socket.receive()
                if message.type in ENDED:
                    return message
                self.unheard = 0
                if message.type is WSMsgType.PING:
                    self.offer(pong_frame(bytes(message.data)))
                elif message.type is not WSMsgType.PONG:
                    return message
        finally:
            self._listening = False


class AgentLink:
    """An agent as the hall speaks to it; one that no longer reads is disconnected."""

    __slots__ = ("peer",)

    def __init__(self, peer: Peer) -> None:
        self.peer = peer

    def offer(self, message: ToAgent) -> bool:
        if self.peer.offer(text_frame(_encode(message))):
            return True
        self.peer.transport.abort()
        return False
