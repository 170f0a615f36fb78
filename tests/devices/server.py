"""A server for agents as far as the wire goes: a real websocket that records what agents say and says what it is told."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self, TypeVar

import msgspec
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from queue_server.wire.agent import AgentHeartbeat, AgentWelcome, DeviceEntry, FromAgent, ToAgent
from tests.devices.hall import until

M = TypeVar("M", bound=msgspec.Struct)
_decoder = msgspec.json.Decoder(FromAgent)


class WireServer:
    """Welcomes every agent with `devices`; `said` is everything agents sent, in order."""

    def __init__(self, *devices: DeviceEntry) -> None:
        self.devices = list(devices)
        self.epoch = 1
        self.said: list[FromAgent] = []
        self.authorizations: list[str | None] = []
        self.heartbeats = True
        self.welcomes = True
        self._port = 0
        self._server: Server | None = None
        self._sockets: set[ServerConnection] = set()

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self._port}/api/v1/agent"

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen, at the same port as before."""
        self._server = await serve(self._serve, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Go away, with every connection."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    async def _serve(self, socket: ServerConnection) -> None:
        self.authorizations.append(socket.request.headers.get("Authorization") if socket.request else None)
        beats = asyncio.create_task(self._beat(socket))
        try:
            self.said.append(_decoder.decode(await socket.recv()))
            if self.welcomes:
                await socket.send(self._welcome())
            self._sockets.add(socket)  # not before the welcome: what is said to an agent earlier, it does not take
            async for text in socket:
                self.said.append(_decoder.decode(text))
        except ConnectionClosed:
            pass
        finally:
            beats.cancel()
            self._sockets.discard(socket)

    def _welcome(self) -> str:
        message = AgentWelcome(epoch=self.epoch, hall="h", agent="a", devices=self.devices)
        return msgspec.json.encode(message).decode()

    async def _beat(self, socket: ServerConnection) -> None:
        while True:
            await asyncio.sleep(0.1)
            if self.heartbeats:
                await socket.send(msgspec.json.encode(AgentHeartbeat(epoch=self.epoch, at=0)).decode())

    @property
    def connections(self) -> int:
        return len(self._sockets)

    async def say(self, message: ToAgent | str) -> None:
        """To every connected agent."""
        text = message if isinstance(message, str) else msgspec.json.encode(message).decode()
        for socket in list(self._sockets):
            await socket.send(text)

    async def welcome_again(self, *devices: DeviceEntry) -> None:
        """The configuration changed."""
        self.devices = list(devices)
        await self.say(self._welcome())

    def all(self, kind: type[M]) -> list[M]:
        return [message for message in self.said if isinstance(message, kind)]

    async def heard(self, kind: type[M], count: int = 1) -> M:
        """The `count`-th message of this kind, when it comes."""
        await until(lambda: len(self.all(kind)) >= count)
        return self.all(kind)[count - 1]
