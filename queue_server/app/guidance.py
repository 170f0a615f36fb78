"""What kiosks say to who asks for it: clips of the voice pack joined for one machine, no announcement of the hall (UX K-06)."""

import asyncio
from collections import OrderedDict
from itertools import count

from aiohttp import web

from displays.speech.assemble import guidance_wav
from displays.speech.guidance import (
    AHEAD_MAX,
    LANGUAGES,
    NUMBER_MAX,
    SENTENCES,
    clips_needed,
    guidance_text,
    guidance_tokens,
)
from displays.speech.pack import Pack
from displays.speech.phrases import PAUSES
from queue_server.wire.common import Words
from queue_server.wire.live import Play, Say

FILES_MAX = 64
"""Files kept, of up to 0.4 MB; a kiosk fetches its own at once."""


class Guidance:
    """Speaks for kiosks while the pack has all their sentences; nothing is claimed, for nothing here must be said once."""

    def __init__(self) -> None:
        self._pack: Pack | None = None
        self._files: OrderedDict[str, tuple[bytes, int]] = OrderedDict()
        self._ids = count(1)
        self.volume = 100

    def use(self, pack: Pack | None) -> None:
        """The pack that was found, or None."""
        self._pack = pack
        self._files.clear()

    @property
    def complete(self) -> bool:
        """Whether a kiosk can say everything; half a guidance would leave people alone on the page it lacks."""
        return self._pack is not None and clips_needed().keys() <= self._pack.clips.keys()

    async def play(self, asked: Say, epoch: int) -> Play | None:
        """The file a kiosk shall play now; None for what is no sentence of ours, or without a voice."""
        number = asked.number
        known = asked.phrase in SENTENCES and asked.language in LANGUAGES and -1 <= asked.ahead <= AHEAD_MAX
        sayable = number.isascii() and (not number or number.isalnum()) and len(number) <= NUMBER_MAX
        if not (known and sayable and self.complete):
            return None
        said = (asked.phrase, asked.language, number, asked.ahead)
        tokens = guidance_tokens(*said)
        assert self._pack is not None
        if not {*tokens} - PAUSES <= self._pack.clips.keys():
            return None
        name = f"{asked.phrase}-{asked.language}-{number}-{asked.ahead}"
        if name not in self._files:
            self._files[name] = await asyncio.to_thread(guidance_wav, self._pack, tokens)
        self._files.move_to_end(name)
        while len(self._files) > FILES_MAX:
            self._files.popitem(last=False)
        zh = guidance_text(asked.phrase, "zh", number, asked.ahead)
        return Play(
            id=f"guide:{next(self._ids)}",
            epoch=epoch,
            zone="",
            url=f"/api/v1/voice/guide/{name}",
            duration_ms=self._files[name][1],
            text=Words(zh=zh, en=guidance_text(asked.phrase, "en", number, asked.ahead)),
            volume=self.volume,
            again=False,
        )

    async def file(self, request: web.Request) -> web.Response:
        """The sound of what a kiosk asked for just now."""
        held = self._files.get(request.match_info["name"])
        if held is None:
            raise web.HTTPNotFound
        return web.Response(body=held[0], content_type="audio/wav", headers={"Cache-Control": "no-store"})
