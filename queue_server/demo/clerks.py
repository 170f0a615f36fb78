"""Clerks: what they press on a keypad or click in a console, and how they go through a morning."""

import asyncio
from dataclasses import dataclass
from random import Random
from typing import Any, Final, Protocol

from devices.emulators.nodes import EmulatedKeypad
from devices.emulators.rs485 import Rs485BusEmulator
from devices.protocols.keymaps import Key
from queue_server.demo.api import Api
from queue_server.demo.visits import Visit
from queue_server.demo.world import Citizen, World
from queue_server.forecast.daymodel import Shift

ANSWER_S: Final = 4.0
"""A keypad shows an answer or failure within three seconds (law 8)."""

PATIENCE_S: Final = 60.0
"""Simulated seconds a clerk waits after each call."""

CALLS_MAX: Final = 3
PARK_SHARE: Final = 0.02
PARK_S: Final = 240.0
RELAXED_S: Final = 20.0


class Hands(Protocol):
    """A clerk's way to say things to the hall. False: it said no."""

    async def sign_in(self) -> bool: ...
    async def next(self) -> tuple[bool, bool]:
        """(somebody was called, the hall said yes)."""

    async def recall(self) -> bool: ...
    async def no_show(self) -> bool: ...
    async def finish(self, visit: Visit) -> bool: ...
    async def transfer(self, window: str) -> bool: ...
    async def park(self) -> bool: ...
    async def pause(self) -> bool: ...
    async def resume(self) -> bool: ...


class Console:
    """A signed-in clerk's page: the same requests that it makes."""

    def __init__(self, api: Api, window: str, who: dict[str, str], random: Random) -> None:
        self._api, self._window, self._who, self._random = api, window, who, random
        self.desk: dict[str, Any] = {}

    async def ask(self, action: str, body: object = None) -> bool:
        status, found = await self._api.ask("POST", f"windows/{self._window}/{action}", body or {}, self._who)
        if status < 400:
            self.desk = found["desk"]
        return status < 400

    async def sign_in(self) -> bool:
        return await self.ask("open", {"take_over": True})

    async def next(self) -> tuple[bool, bool]:
        good = await self.ask("call-next")
        return good and self.desk["ticket"] is not None, good

    async def recall(self) -> bool:
        return await self.ask("recall")

    async def no_show(self) -> bool:
        return await self.ask("no-show", {"reason": "叫号三次未到"})

    async def finish(self, visit: Visit) -> bool:
        outcome = "incomplete" if self._random.random() < 0.12 else "done"
        return await self.ask("finish", {"outcome": outcome})

    async def transfer(self, window: str) -> bool:
        return await self.ask("transfer", {"window": window, "reason": "取错号"})

    async def park(self) -> bool:
        return await self.ask("park", {"reason": "去复印", "minutes": 15})

    async def unpark(self, ticket: str) -> bool:
        return await self.ask("unpark", {"ticket": ticket})

    async def pause(self) -> bool:
        return await self.ask("pause", {"reason": "lunch"})

    async def resume(self) -> bool:
        return await self.ask("resume")

    async def serve_direct(self, matters: tuple[str, ...]) -> bool:
        return await self.ask("serve-direct", {"matters": list(matters)})


class Keypad:
    """Keys on the emulated keypad, each a frame on the line; the answer is what its cells and sign say."""

    def __init__(self, line: Rs485BusEmulator, node: EmulatedKeypad, staff: str, profile: str) -> None:
        self._line, self._node, self._staff = line, node, staff
        self._no_show = "5" if profile == "hallquefront" else "6"
        self._one = asyncio.Lock()

    async def press(self, key: Key, digits: str = "") -> bool:
        """True when the keypad then shows a number or success."""
        async with self._one:
            answers = self._node.answers
            if not await self._node.press(key, digits):
                return False
            try:
                await self._line.until(lambda: self._node.answers > answers, ANSWER_S)
            except TimeoutError:
                return False
            return self._node.sign != "failure"

    async def sign_in(self) -> bool:
        return await self.press(Key.FUNCTION, self._staff)

    async def next(self) -> tuple[bool, bool]:
        good = await self.press(Key.CALL)
        return good and self._node.sign == "" and any(cell.isdigit() for cell in self._node.cells), good

    async def recall(self) -> bool:
        return await self.press(Key.RECALL)

    async def no_show(self) -> bool:
        return await self.press(Key.FUNCTION, self._no_show)

    async def finish(self, visit: Visit) -> bool:
        return await self.press(Key.WAIT)

    async def transfer(self, window: str) -> bool:
        return await self.press(Key.START, window)

    async def park(self) -> bool:
        return await self.press(Key.WAIT, "0")

    async def pause(self) -> bool:
        return await self.press(Key.FUNCTION, "0")

    async def resume(self) -> bool:
        return await self.press(Key.FUNCTION, "2")


@dataclass(slots=True)
class Clerk:
    """One window's morning. `console` is there for what has no key: unparking, serving without a number."""

    world: World
    window: str
    hands: Hands
    console: Console | None
    random: Random
    infer_s: float
    recall_s: float
    lunch: tuple[tuple[float, float, Shift], ...] = ()
    holding: Citizen | None = None
    called_at: float = 0.0

    async def live(self) -> None:
        """Sign in, work until the hall closes, and let nobody sit there at the end."""
        while not await self.hands.sign_in():  # noqa: ASYNC110 - the answer comes from outside this process
            await asyncio.sleep(0.5)
        self.world.counts["signed_in"] += 1
        while not self.world.closing:
            desk = self.world.desks[self.window]
            if await self._at_lunch():
                continue
            if desk.walkups and self.console is not None:
                await self._serve_direct(desk.walkups.pop(0))
            elif self.world.somebody_for(self.window) or self.holding is not None:
                await self._call()
            else:
                await self.world.news(max(0.2, RELAXED_S / self.world.pace.speed))
        await self._settle()

    async def _settle(self) -> None:
        """The last citizen's service ends with its key (one-key clerks too: there is no next)."""
        if self.holding is not None:
            await self._finish(self.holding)

    async def _call(self) -> None:
        """One press of the next key, and all that follows from it."""
        before, self.holding = self.holding, None
        called, good = await self.hands.next()
        if before is not None:
            if good:
                self._send_off(before, "done")
                self.world.counts["served"] += 1
            else:
                await self._finish(before)
                return
        if not called:
            if not good:
                await self.hands.sign_in()  # nothing changes, unless a new day has begun
            await self.world.news(max(0.2, RELAXED_S / self.world.pace.speed))
            return
        self.world.counts["called"] += 1
        self.called_at = asyncio.get_running_loop().time()
        citizen = await self._await_citizen()
        if citizen is not None:
            await self._serve(citizen)

    async def _await_citizen(self) -> Citizen | None:
        """Whoever comes to the window; after the last unanswered call the number is passed."""
        for calls in range(1, CALLS_MAX + 1):
            if citizen := await self._somebody_sits():
                return citizen
            if calls < CALLS_MAX and await self.hands.recall():
                self.world.counts["recalled"] += 1
        if citizen := self.world.desks[self.window].sitting:
            return citizen
        if await self.hands.no_show():
            self.world.counts["no_shows"] += 1
        # Who sat down while the key was on its way has missed it.
        if (late := self.world.desks[self.window].sitting) is not None:
            self._send_off(late, "missed")
        return None

    async def _somebody_sits(self) -> Citizen | None:
        deadline = asyncio.get_running_loop().time() + max(PATIENCE_S / self.world.pace.speed, self.recall_s + 0.05)
        while (left_s := deadline - asyncio.get_running_loop().time()) > 0:
            if (citizen := self.world.desks[self.window].sitting) is not None:
                return citizen
            await self.world.news(left_s)
        return self.world.desks[self.window].sitting

    async def _serve(self, citizen: Citizen) -> None:
        world, visit = self.world, citizen.visit
        if self.console is not None:
            await self.console.ask("arrive")
        if visit.wrong and (target := self._other_window(visit)):
            await world.pace.sleep(60)
            visit.wrong = False
            if await self.hands.transfer(target):
                world.counts["transferred"] += 1
                world.wait_at(citizen.number, (target,))
                self._send_off(citizen, "transferred")
                return
        if self.console is not None and self.random.random() < PARK_SHARE and await self.hands.park():
            world.counts["parked"] += 1
            await world.pace.sleep(PARK_S)
            if not await self.console.unpark(citizen.ticket):
                self._send_off(citizen, "missed")
                return
            world.counts["unparked"] += 1
        await world.pace.sleep(visit.service_s)
        since = asyncio.get_running_loop().time() - self.called_at
        if world.somebody_for(self.window) and since > self.infer_s + 0.2 and self.random.random() < 0.5:
            self.holding = citizen  # one key a citizen (UX C-01): the next press ends this service
        else:
            await self._finish(citizen)

    async def _finish(self, citizen: Citizen) -> None:
        self.holding = None
        if await self.hands.finish(citizen.visit):
            self.world.counts["served"] += 1
            self._send_off(citizen, "done")
        else:
            self._send_off(citizen, "missed")

    async def _serve_direct(self, citizen: Citizen) -> None:
        """Somebody without a number stands there (a service, an invitation, no slip)."""
        assert self.console is not None
        if self.holding is not None:
            await self._finish(self.holding)
        if not await self.console.serve_direct(citizen.visit.matters):
            self._send_off(citizen, "missed")
            return
        self.world.counts["served_direct"] += 1
        self.world.truth.write(do="direct", window=self.window)
        self.world.desks[self.window].sitting = citizen
        await self.world.pace.sleep(citizen.visit.service_s)
        await self._finish(citizen)

    def _send_off(self, citizen: Citizen, how: str) -> None:
        if self.world.desks[self.window].sitting is citizen:
            self.world.desks[self.window].sitting = None
        if citizen.left is not None and not citizen.left.done():
            citizen.left.set_result(how)

    def _other_window(self, visit: Visit) -> str:
        others = [name for name in self.world.serving.windows_for(visit.matters) if name != self.window]
        return self.random.choice(others) if others else ""

    async def _at_lunch(self) -> bool:
        """RULES 6: whoever is not on this shift's list pauses until it is over."""
        now_s = self.world.pace.now_s
        for begins_s, ends_s, shift in self.lunch:
            if begins_s <= now_s < ends_s and self.window not in shift.open and shift.open:
                await self._settle()
                if not await self.hands.pause():
                    return False
                await self.world.pace.until(ends_s)
                await self.hands.resume()
                return True
        return False
