"""A day on a keypad with four keys: next, recall, evaluate, pause; everything else the hall infers, and says so."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from dataclasses import dataclass, field

import pytest

from devices.protocols.keymaps import Key
from tests.devices.independent import decode_ff68
from tests.e2e.conftest import MakeHall
from tests.e2e.living import Desks, LivingHall, until

pytestmark = pytest.mark.browser

CITIZENS = 30
FOUR_KEYS = {0x0C, 0x0D, 0x0B, 0x12}
INFER_S = 4
AGAIN_S = 1.1
"""The same key within a second is a repetition of the keypad, not a second wish (UX C-06, HARDWARE 2.1)."""


def comes(number: str) -> bool:
    """Every fifth citizen has left."""
    return int(number[1:]) % 5 != 0


@dataclass
class Clerk:
    """A clerk who has only the keypad in front of them: what they read off its cells, and what they pressed."""

    hall: LivingHall
    window: str
    served: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    before: str = ""
    last: tuple[int, float] = (0, 0.0)

    async def key(self, key: Key) -> str:
        """Press, and wait for the answer on the keypad: success, failure or new cells."""
        keypad = self.hall.keypads[self.window]
        if self.last[0] == key:
            await asyncio.sleep(max(0.0, self.last[1] + AGAIN_S - time.monotonic()))
        keypad.cells, keypad.sign = "", ""
        assert await keypad.press(key), "the keypad got no echo"
        await until(lambda: keypad.sign or keypad.cells, 10, f"the answer to {key.name} at {self.window}")
        self.last = (key, time.monotonic())
        return keypad.sign

    def in_hand(self) -> tuple[str, str]:
        """Number and state of the ticket at the window, from the tables."""
        rows = self.hall.rows(
            "select number, state from tickets where window = ? and state in ('called', 'serving')", self.window
        )
        return rows[0] if rows else ("", "")

    async def day(self) -> None:
        """Until nobody waits: one key a citizen."""
        turn = 0
        await self.key(Key.CALL)
        while (found := self.in_hand())[0]:
            number, turn = found[0], turn + 1
            if not comes(number):
                await self._nobody_came(number)
                self.before = ""
            else:
                self.served.append(number)
                await self._somebody_came(turn)
                self.before = number

    async def _nobody_came(self, number: str) -> None:
        """Next, the keypad asks; next again after a second: a no-show, and the next citizen is called (UX C-01)."""
        self.missed.append(number)
        await self.key(Key.CALL)
        assert self.in_hand()[0] == number, "one press is a question, not a no-show"
        await self.key(Key.CALL)

    async def _somebody_came(self, turn: int) -> None:
        """The evaluate key, or simply the next key after a while; and whoever was served before may still be rating."""
        if self.before and turn % 2 == 0:
            await self._rates(self.before, 1 + turn % 4)
        if turn % 4 == 3:
            await asyncio.sleep(INFER_S + 0.2)
        else:
            await self.key(Key.WAIT)
        await self.key(Key.CALL)

    async def _rates(self, number: str, level: int) -> None:
        """A press while the next citizen is merely called is that of the one before: the invitation was theirs."""
        assert await self.hall.pads[self.window].rate(level)
        await until(lambda: self.level_of(number), what=f"the rating of {number}")
        assert self.level_of(number) == level + 1

    def level_of(self, number: str) -> int:
        """What this number's service was rated, 0 for not at all."""
        rows = self.hall.rows(
            "select r.level from ratings r join services s on s.id = r.service join tickets t on t.id = s.ticket"
            " where t.number = ?", number,
        )  # fmt: skip
        return int(rows[0][0]) if rows else 0


async def test_thirty_citizens_and_four_keys(make_hall: MakeHall) -> None:
    """UX C-01, RULES 27, 36; HARDWARE 2.1: 30 citizens at 3 windows, some gone; all inferred steps are stored as inferred."""
    windows = ("6", "7", "8")
    options = {"keymap": "jackqchen", "infer_arrival_after_s": INFER_S, "no_show_void_after": 1}
    async with make_hall(windows, **options) as hall, Desks(hall, windows) as desks:
        await hall.start_agent()
        matter = (await hall.matters("social", desks.kiosk, 1))[0]
        for _ in range(CITIZENS):
            await hall.take(matter, desks.kiosk)
        clerks = [Clerk(hall, window) for window in windows]
        # A break first: the pause key, and next resumes.
        await clerks[0].key(Key.PAUSE)
        await until(lambda: "暂停" in hall.strips["6"].text, what="the strip's pause")
        await asyncio.gather(*(clerk.day() for clerk in clerks))
        pressed = {data[-1] for _, function, data in decode_ff68(bytes(hall.bus.from_devices)) if function == 0x01}
        assert pressed <= FOUR_KEYS | {Key.CALL}, "no other key was touched"
        _everybody_is_accounted_for(hall, clerks)
        _what_was_inferred_says_so(hall, clerks)
        assert await hall.verify() == 0


def _everybody_is_accounted_for(hall: LivingHall, clerks: list[Clerk]) -> None:
    served = [number for clerk in clerks for number in clerk.served]
    missed = [number for clerk in clerks for number in clerk.missed]
    assert len(served) == len(set(served))
    assert len(served) + len(set(missed)) == CITIZENS
    states = dict(hall.rows("select number, state from tickets"))
    assert {number for number, state in states.items() if state == "done"} == set(served)
    assert {number for number, state in states.items() if state == "void"} == set(missed)
    assert len(set(missed)) == CITIZENS // 5


def _what_was_inferred_says_so(hall: LivingHall, clerks: list[Clerk]) -> None:
    """No key here says "arrived", "no-show" or, but for evaluate, "finished": every such event carries why."""
    rows = [(kind, json.loads(data)) for kind, data in hall.rows("select kind, data from journal order by seq")]
    by_kind = Counter(kind for kind, _ in rows)
    assert by_kind["CitizenArrived"] == by_kind["ServiceFinished"] == sum(len(clerk.served) for clerk in clerks)
    for kind, data in rows:
        if kind in ("CitizenArrived", "TicketVoided"):
            assert data["inferred"], (kind, data)
        if kind == "WindowResumed":
            assert data["inferred"] is True
    ends = Counter(data["inferred"] for kind, data in rows if kind == "ServiceFinished")
    assert ends["call-next"], "the next key ended services"
    assert set(ends) == {"", "call-next"}, "the evaluate key ended the others"
    rated = hall.rows("select count(*) from ratings r join services s on s.id = r.service and s.hall = r.hall")
    assert rated == hall.rows("select count(*) from ratings")
    assert rated[0][0] >= len(clerks)
    inferred = hall.rows("select count(*) from services where inferred <> '' and ticket is not null")
    assert inferred[0][0] >= len(clerks)
