"""Emulated network rating tablets: of the S protocol, and the one that calls and speaks JSON."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Sequence

from devices.emulators.nodes import Node
from devices.framing.tablets import JSON_OBJECTS, S_TEXTS, JsonObject, TabletText
from devices.protocols.stablet import ALIVE, INVITE, LEAVING, POLL, WELCOME, Network

CARD = "0001"


class EmulatedSTablet(Node[TabletText]):
    """`rate` presses a level; over UDP the result is also sent unasked when `pushes`.

    Faults, which run down: `deaf` commands. `late_ms` before each answer. `stale`: an old result stays and is shown to every look.
    """

    codec = S_TEXTS
    device = "tablet"
    acts = ("rate LEVEL", "leave")
    fault_names = ("deaf", "late_ms", "stale", "pushes")

    def __init__(self, address: int = 0, network: Network = Network.UDP) -> None:
        super().__init__(address)
        self.network = network
        self.screen = "welcome"
        self.result = ""
        self.commands: deque[str] = deque(maxlen=100)
        self.pushes = network is Network.UDP
        self.deaf = self.late_ms = 0
        self.stale = False
        self._ratings = 0

    @property
    def invitations(self) -> int:
        """How often a rating was asked for, of the last 100 commands."""
        return self.commands.count(INVITE.text)

    async def rate(self, level: int) -> None:
        """A citizen presses a level."""
        self._ratings += 1
        when = f"{self._ratings // 60 % 24:02}:{self._ratings % 60:02}:00"
        self.result = f"S02||{CARD}||{level}||||09:00:00||{when}||1.jpg||1.mp4||1||"
        self.screen = "thanks"
        if self.pushes:
            await self.transmit(TabletText(self.result))

    async def leave(self) -> None:
        """Say that it goes away."""
        await self.transmit(TabletText(LEAVING))

    async def act(self, verb: str, words: Sequence[str]) -> None:
        match verb, words:
            case "rate", [level]:
                await self.rate(int(level))
            case "leave", []:
                await self.leave()
            case _:
                await super().act(verb, words)

    async def receive(self, frame: TabletText) -> None:
        if self.deaf:
            self.deaf -= 1
        else:
            self.commands.append(frame.text)
            if self.late_ms:
                await asyncio.sleep(self.late_ms / 1000)
            await self.transmit(TabletText(self._answer(frame)))
        if self.network is Network.TCP:
            await self.host.hang_up()

    def _answer(self, frame: TabletText) -> str:
        if frame == POLL:
            return self.result or "RecvCmdOK"
        if frame == INVITE:
            self.screen = "rate"
            if not self.stale:
                self.result = ""
        elif frame == WELCOME:
            self.screen = "welcome"
        elif frame == ALIVE[Network.TCP]:
            return "S99||Version=emulated||02-00-00-00-00-01||"
        elif self.network is Network.UDP:
            return f"{frame.text[:3]}OK"
        return "RecvCmdOK"

    def state(self) -> dict[str, object]:
        return {"screen": self.screen, "invitations": self.invitations}


class EmulatedJsonTablet(Node[JsonObject]):
    """Calls, logs in as `number` and rates what it was asked for; `answers` are the codes it was given."""

    codec = JSON_OBJECTS
    device = "tablet"
    acts = ("login", "rate LEVEL")

    def __init__(self, address: int = 0, number: str = "1") -> None:
        super().__init__(address)
        self.number = number
        self.rate_id = ""
        self.invitations = 0
        self.answers: deque[tuple[str, str]] = deque(maxlen=100)

    async def log_in(self) -> None:
        """Say which window it stands at."""
        await self.say("Login", winNum=self.number, userCode="0001")

    async def rate(self, level: int, rate_id: str | None = None) -> None:
        """A citizen presses a level."""
        scores = dict.fromkeys(("attitude", "quality", "efficiency", "honest"), level)
        await self.say("RateSubmit", rateId=self.rate_id if rate_id is None else rate_id, **scores)

    async def say(self, method: str, **given: object) -> None:
        """Any request."""
        await self.transmit(JsonObject(json.dumps({"method": method, "param": given}, ensure_ascii=False)))

    async def act(self, verb: str, words: Sequence[str]) -> None:
        match verb, words:
            case "login", []:
                await self.log_in()
            case "rate", [level]:
                await self.rate(int(level))
            case _:
                await super().act(verb, words)

    async def receive(self, frame: JsonObject) -> None:
        said = json.loads(frame.text)
        if said.get("method") == "RateQuest":
            self.rate_id = str(said["param"]["rateId"])
            self.invitations += 1
        elif "request" in said:
            self.answers.append((said["request"], said["code"]))

    def state(self) -> dict[str, object]:
        return {"invitations": self.invitations, "answers": [f"{name} {code}" for name, code in self.answers][-1:]}
