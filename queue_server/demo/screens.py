"""Headless displays: one a sound zone, paired like a real one, that logs every document and plays what it is told."""

import asyncio
import contextlib
import json
from typing import Any, Final

import aiohttp

from queue_server.demo.lines import Log
from queue_server.demo.world import World

RETRY_S: Final = 0.3


class Display:
    """The display of one zone, and its loudspeaker unless that is left to somebody's browser (`sounds` False)."""

    def __init__(
        self, world: World, session: aiohttp.ClientSession, base: str, zone: str, token: str, *, sounds: bool
    ) -> None:
        self._world, self._session, self._base = world, session, base
        self._zone, self._token, self._sounds = zone, token, sounds
        self._playing: set[asyncio.Task[None]] = set()
        self._spoken = ""
        self.ready = asyncio.Event()

    async def run(self, screen: Log, audio: Log) -> None:
        """Live until cancelled, through every restart of the server."""
        while True:
            with contextlib.suppress(aiohttp.ClientError, OSError):
                async with self._session.ws_connect(f"{self._base}/api/v1/live") as socket:
                    await self._watch(socket, screen, audio)
            await asyncio.sleep(RETRY_S)

    async def _watch(self, socket: aiohttp.ClientWebSocketResponse, screen: Log, audio: Log) -> None:
        await socket.send_json({"type": "hello", "token": self._token})
        await socket.send_json({"type": "subscribe", "view": "hall", "of": self._zone})
        if self._sounds:
            await socket.send_json({"type": "player", "zone": self._zone, "ready": True})
        async for message in socket:
            if message.type is not aiohttp.WSMsgType.TEXT:
                continue
            heard: dict[str, Any] = json.loads(message.data)
            match heard["type"]:
                case "snapshot" | "change":
                    screen.write(zone=self._zone, kind=heard["type"], documents=heard["documents"])
                    self._look(heard["documents"])
                    self.ready.set()
                case "play":
                    task = asyncio.create_task(self._play(socket, heard, audio))
                    self._playing.add(task)
                    task.add_done_callback(self._playing.discard)
                case "refused":
                    screen.write(zone=self._zone, kind="refused", code=heard["code"])
                case _:
                    pass

    def _look(self, documents: dict[str, Any]) -> None:
        if "calls" in documents:
            calls = [(call["number"], call["window"]) for call in documents["calls"]["calls"]]
            self._world.shown(self._zone, calls)
        speaking = (documents.get("speech") or {}).get("speaking")
        if speaking and not self._sounds and speaking["id"] != self._spoken:
            # The sound is somebody else's; what is said stands here.
            self._spoken = speaking["id"]
            self._world.lines.bench.say(self._zone, speaking["text"])

    async def _play(self, socket: aiohttp.ClientWebSocketResponse, heard: dict[str, Any], audio: Log) -> None:
        """Fetch the sound as a page does, be as long about it as it is (divided by the speed), and say so."""
        outcome, reason, size = "done", "", 0
        async with self._session.get(self._base + heard["url"]) as answer:
            sound = await answer.read()
            size = len(sound)
            if answer.status != 200 or sound[:4] != b"RIFF":
                outcome, reason = "failed", f"no sound: {answer.status}"
        if not reason:
            with contextlib.suppress(ConnectionError):
                await socket.send_json({"type": "began", "id": heard["id"]})
        self._world.lines.bench.say(self._zone, heard["text"], b"" if reason else sound)
        audio.write(
            zone=self._zone,
            id=heard["id"],
            text=heard["text"]["zh"],
            duration_ms=heard["duration_ms"],
            bytes=size,
            outcome=outcome,
            again=heard["again"],
        )
        await asyncio.sleep(heard["duration_ms"] / 1000 / self._world.pace.speed)
        with contextlib.suppress(ConnectionError):
            await socket.send_json({"type": "played", "id": heard["id"], "outcome": outcome, "reason": reason})
