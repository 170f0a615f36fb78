"""A page as the wire sees it: what it was shown, what it was told to play, and how its connection ended."""

import asyncio
import json
from typing import Any, Self

import aiohttp

from tests.hall_process import Desk


class Page:
    """`documents` holds the newest of every (view, of, key); `plays` what it was told to say, in order.

    What says again what has just been said (UX V-03) it answers at once, and keeps no account of.
    """

    def __init__(self, desk: Desk, token: str = "", session: aiohttp.ClientSession | None = None) -> None:
        self._desk = desk
        self._token = token.removeprefix("Bearer ")
        self._own = aiohttp.ClientSession() if session is None else None
        self._session = session or self._own
        self.documents: dict[tuple[str, str, str], Any] = {}
        self.plays: list[dict[str, Any]] = []
        self.refused: list[str] = []
        self.heard = asyncio.Event()

    async def __aenter__(self) -> Self:
        assert self._session is not None
        self.socket = await self._session.ws_connect(f"{self._desk.hall.url}/api/v1/live")
        await self.say(type="hello", token=self._token)
        self._task = asyncio.create_task(self._listen())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self.socket.close()
        if self._own is not None:
            await self._own.close()

    async def say(self, **message: object) -> None:
        await self.socket.send_json(message)

    async def subscribe(self, view: str, of: str = "") -> None:
        """Until the snapshot or the refusal is here."""
        await self.say(type="subscribe", view=view, of=of)
        await self.until(lambda: self.refused or any(key[:2] == (view, of) for key in self.documents))

    async def _listen(self) -> None:
        async for message in self.socket:
            body = json.loads(message.data)
            match body["type"]:
                case "snapshot" | "change":
                    for key, document in body["documents"].items():
                        self.documents[body["view"], body["of"], key] = document
                case "play" if body["again"]:
                    await self.played(body["id"])
                case "play":
                    self.plays.append(body)
                case "refused":
                    self.refused.append(body["code"])
            self.heard.set()
        self.heard.set()

    async def until(self, condition: Any, timeout_s: float = 30.0) -> Any:
        """The condition's first true value."""
        async with asyncio.timeout(timeout_s):
            while True:
                self.heard.clear()
                found = condition()
                if found:
                    return found
                await self.heard.wait()

    async def closed(self, timeout_s: float = 10.0) -> int | None:
        """The code with which the server ended it."""
        await asyncio.wait_for(asyncio.shield(self._task), timeout_s)
        return self.socket.close_code

    async def played(self, name: str) -> None:
        await self.say(type="played", id=name, outcome="done")


async def post(desk: Desk, path: str, headers: dict[str, str] | None = None, **body: object) -> tuple[int, Any]:
    """Under a fresh key, as the desk's administrator unless `headers` say who."""
    keyed = {**desk.key(), **(headers or {})}
    async with aiohttp.ClientSession() as other:
        session = other if headers else desk.session
        async with session.post(f"{desk.hall.api}/{path}", json=body, headers=keyed) as answer:
            return answer.status, await answer.json()
