"""What the two people in the office ask of the pages that are open in the hall: who are you, start afresh, what do you show (UX D-15)."""

import asyncio
from typing import Final, Protocol

import structlog

from queue_server.app.hub import Hub
from queue_server.app.pages import Pages
from queue_server.app.views.devices import page_place
from queue_server.wire.live import Errand, ErrandDone

log = structlog.get_logger()

ERRANDS: Final = frozenset({"identify", "reload", "look"})
ANSWERS_S: Final = 5.0
"""A page that says nothing for so long hangs, or was built before errands were."""
SILENT: Final = "silent"
GONE: Final = "gone"
"""The page left before it answered."""


class Page(Protocol):
    """One open page. `say` never blocks and is False when it reads too slowly or is gone."""

    def say(self, message: Errand) -> bool: ...


class Remote:
    """One answer from each page that is open; nothing of it is an event, and who asked is in the log."""

    def __init__(self, hub: Hub, pages: Pages) -> None:
        self._hub = hub
        self._pages = pages
        self._asked: dict[tuple[str, object], asyncio.Future[ErrandDone]] = {}

    async def ask(self, name: str, device: str, what: str, actor: str) -> list[ErrandDone]:
        """What every page of the screen `device` did; Rejected when nothing is paired there, or no page of it is open."""
        open_pages = await self._hub.read(
            lambda hall: [(page, each, page_place(hall, each.role, each.of)) for each, page in self._pages.open(device)]
        )
        waiting = []
        for page, each, place in open_pages:
            errand = Errand(id=name, epoch=self._hub.lease.epoch, what=what, name=each.name, place=place)
            self._asked[name, page] = asyncio.get_running_loop().create_future()
            if not page.say(errand):
                self.answered(page, ErrandDone(id=name, outcome=SILENT))
            waiting.append(self._answer(name, page))
        answers = await asyncio.gather(*waiting)
        log.info("screen asked", device=device, what=what, by=actor, outcomes=[answer.outcome for answer in answers])
        return answers

    async def _answer(self, name: str, page: object) -> ErrandDone:
        try:
            async with asyncio.timeout(ANSWERS_S):
                return await self._asked[name, page]
        except TimeoutError:
            return ErrandDone(id=name, outcome=SILENT)
        finally:
            del self._asked[name, page]

    def answered(self, page: object, done: ErrandDone) -> None:
        """A page's word; a second one, or one that nobody waits for, says nothing."""
        waiting = self._asked.get((done.id, page))
        if waiting is not None and not waiting.done():
            waiting.set_result(done)

    def left(self, page: object) -> None:
        """Nobody waits for the answer of a page that is not there any more."""
        for name, asked in list(self._asked):
            if asked is page:
                self.answered(page, ErrandDone(id=name, outcome=GONE))
