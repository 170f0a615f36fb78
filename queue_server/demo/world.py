"""What the people of a demonstration can see and do: the floor of the hall, its clocks, and what was counted."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field

from queue_server.demo.lines import Lines, Log
from queue_server.demo.visits import Visit
from queue_server.domain.configuration import Configuration
from queue_server.domain.serving import Serving


class Pace:
    """Simulated time: seconds since the first ticket, `speed` times as fast as the wall clock."""

    def __init__(self, speed: float) -> None:
        self.speed = speed
        self._began = 0.0

    def begin(self) -> None:
        self._began = asyncio.get_running_loop().time()

    @property
    def now_s(self) -> float:
        return (asyncio.get_running_loop().time() - self._began) * self.speed

    async def sleep(self, simulated_s: float) -> None:
        await asyncio.sleep(simulated_s / self.speed)

    async def until(self, simulated_s: float) -> None:
        await self.sleep(max(0.0, simulated_s - self.now_s))


@dataclass(slots=True, eq=False)
class Citizen:
    """Somebody in the hall. `left` is what the clerk sends them away with: done, transferred or missed."""

    visit: Visit
    number: str = ""
    ticket: str = ""
    token: str = ""
    called: asyncio.Event = field(default_factory=asyncio.Event)
    left: asyncio.Future[str] | None = None


@dataclass(slots=True)
class Desk:
    """What stands at one window: who sits there, who walked up, and whether somebody came."""

    sitting: Citizen | None = None
    walkups: list[Citizen] = field(default_factory=list)


class World:
    """The floor. `news` wakes everybody who waits for anything to change."""

    def __init__(self, configuration: Configuration, speed: float, lines: Lines, truth: Log) -> None:
        self.configuration = configuration
        self.serving = Serving(configuration)
        self.pace = Pace(speed)
        self.lines = lines
        self.truth = truth
        self.counts: Counter[str] = Counter()
        self.desks = {window.id: Desk() for window in configuration.window}
        self.waiting: dict[str, tuple[str, ...]] = {}
        self.citizens: dict[str, Citizen] = {}
        self.consoles: set[str] = set()
        self.closing = False
        self.clerks: dict[str, asyncio.Task[None]] = {}
        self._calling: dict[str, dict[str, str]] = {}
        self._news = asyncio.Event()

    def tell(self) -> None:
        """Something has changed."""
        self._news.set()
        self._news = asyncio.Event()

    async def news(self, within_s: float) -> None:
        """Wait for the next change, at most so many real seconds."""
        try:
            await asyncio.wait_for(self._news.wait(), within_s)
        except TimeoutError:
            return

    def take_over(self, window: str) -> None:
        """A visitor works here from now on: the clerk goes, whoever sits there stays seated."""
        if (clerk := self.clerks.pop(window, None)) is not None:
            clerk.cancel()

    # --- the displays ---

    def shown(self, zone: str, calls: list[tuple[str, str]]) -> None:
        """A zone's display shows these (number, window) calls now; people look up."""
        self._calling[zone] = {window: number for number, window in calls}
        for number, _ in calls:
            citizen = self.citizens.get(number)
            if citizen is not None:
                self.waiting.pop(number, None)
                citizen.called.set()
        self.tell()

    def window_of(self, number: str) -> str:
        """The window that the displays send this number to, "" for none."""
        for calls in self._calling.values():
            for window, shown in calls.items():
                if shown == number:
                    return window
        return ""

    # --- waiting ---

    def wait_at(self, number: str, windows: tuple[str, ...]) -> None:
        """This number waits for one of the windows."""
        self.waiting[number] = windows
        self.tell()

    def somebody_for(self, window: str) -> bool:
        """Whether a clerk sees somebody waiting whom this window serves."""
        return any(window in windows for windows in self.waiting.values())
