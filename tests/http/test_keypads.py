"""A clerk who has only a keypad: real key frames on a line, through the agent, to the hall and back onto the six cells."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import structs

from devices.agent import Agent, AgentSettings
from devices.emulators.nodes import EmulatedKeypad
from devices.emulators.rs485 import Rs485BusEmulator
from devices.protocols.keymaps import KEYMAPS, Action, Key
from queue_server.app import keypads
from queue_server.domain import commands as c
from queue_server.domain.configuration import Configuration, Device
from queue_server.edge import make_printer, render_strip
from queue_server.wire.common import DeviceState
from tests.devices.hall import until
from tests.http.conftest import Site, township
from tests.http.test_devices import Pc
from tests.http.test_voice_modules import open_site

WINDOW = "1"
SOCIAL, MEDICAL = "sb-ka-shenling", "yb-jumin-canbao"
REPEAT_MS = 300
"""The emulated keypad has its echo within this; the same frame later is a second wish."""


def keyed(profile: str, url: str = "tcp://127.0.0.1:9", agent: str = "agent-1") -> Configuration:
    settings = {"repeat_ms": str(REPEAT_MS)}
    keypad = Device(
        id="k1", agent=agent, kind="keypad", url=url, address=1, profile=profile, window=WINDOW, settings=settings
    )
    return structs.replace(township(infer_arrival_after_s=60), device=(keypad,))


class Desk:
    """The keypad of window 1, and what its clerk reads off it."""

    def __init__(self, site: Site, keypad: EmulatedKeypad) -> None:
        self.site, self.keypad = site, keypad

    async def key(self, key: Key, digits: str = "") -> str:
        """Press, and what is seen then: a sign, else the cells."""
        answers = self.keypad.answers
        assert await self.keypad.press(key, digits), "no echo"
        await until(lambda: self.keypad.answers > answers)
        await asyncio.sleep((REPEAT_MS + 100) / 1000)
        return self.keypad.sign or self.keypad.cells

    async def in_hand(self) -> str:
        return await self.site.hub.read(lambda hall: keypads.in_hand(hall, WINDOW))  # type: ignore[no-any-return]

    async def shows(self, view: str) -> list[str]:
        """The calls for help on a page."""
        screens, now = self.site.running.frame.screens, self.site.hub.clock.now()
        found: Any = await self.site.hub.read(lambda hall: screens.render(hall, view, "", now)["alarms"])
        return [alarm.id for alarm in found.alarms if alarm.code == "window-help"]


@asynccontextmanager
async def desk(folder: Path, profile: str = "hallquefront") -> AsyncIterator[Desk]:
    keypad = EmulatedKeypad(1)
    keypad.tries = 12  # the machine is shared: an echo may be late
    async with (
        Rs485BusEmulator(f"pty://{folder / 'port'}", (keypad,)) as line,
        open_site(folder, keyed(profile, line.url)) as site,
    ):
        token = (await site.as_device("agent", "agent-1"))["Authorization"].removeprefix("Bearer ")
        server = f"ws{site.running.url.removeprefix('http')}/api/v1/agent"
        settings = AgentSettings(server=server, token=token, state=folder / "agent.db", agent="agent-1")
        agent = asyncio.create_task(Agent(settings, render_strip, make_printer).run())
        try:
            known = site.running.frame.screens.around.devices
            await until(lambda: "k1" in known and known["k1"].state is not DeviceState.OFFLINE)
            await site.hub.tell(c.OpenWindow(window=WINDOW, staff="107", staff_name="王"), "test")
            yield Desk(site, keypad)
        finally:
            agent.cancel()
            await asyncio.gather(agent, return_exceptions=True)


async def numbers(site: Site, *matters: str) -> list[str]:
    return [str((await site.take(matter)).body["ticket"]["number"]) for matter in matters]


# --- issue 2: "the FF68 keypad with both published keymaps as profiles" ---


@pytest.mark.parametrize("digit", ["6", "7", "9"])
async def test_hardware_2_1_guard_manager_and_adviser_keys_reach_guide_and_manager(tmp_path: Path, digit: str) -> None:
    """HARDWARE 2.1: "6=call guard, 7=lobby manager, 9=adviser"; UX C-15: "一键呼救: to guide desk/manager"."""
    async with desk(tmp_path) as clerk:
        assert await clerk.key(Key.FUNCTION, digit) == "success"
        assert await clerk.shows("guide") == await clerk.shows("manager") == [f"window-help:{WINDOW}"]
        assert await clerk.key(Key.FUNCTION, digit) == "success", "once more is no end of it"
        assert await clerk.shows("guide") == [f"window-help:{WINDOW}"]


async def test_hardware_2_1_help_shows_success_also_while_somebody_is_served(tmp_path: Path) -> None:
    """HARDWARE 2.1: "DATA 01 = success": the number in hand would hide it."""
    async with desk(tmp_path) as clerk:
        await numbers(clerk.site, SOCIAL)
        assert await clerk.key(Key.CALL) == "   001"
        assert await clerk.key(Key.FUNCTION, "6") == "success"


@pytest.mark.parametrize("keymap", KEYMAPS.values(), ids=KEYMAPS.keys())
async def test_hardware_2_1_every_key_with_a_meaning_shows_something(tmp_path: Path, keymap: Any) -> None:
    """Issue 2: "both published keymaps as profiles": no key that a keymap names is silent, whatever it then asks."""
    async with desk(tmp_path, keymap.name) as clerk:
        for rule in keymap.rules:
            seen = await clerk.key(Key(rule.key), {"n": "5", "nn": "55"}.get(rule.typed, rule.typed))
            assert seen.strip(), rule
        if keymap.name == "hallquefront":
            assert await clerk.key(Key.FUNCTION, "8") == "     1", "8=show address"


async def test_hardware_2_1_the_hall_knows_every_action_of_the_keymaps(tmp_path: Path) -> None:
    """None is `malformed`; the address alone the agent shows by itself."""
    async with open_site(tmp_path, keyed("hallquefront", agent="pc")) as site, Pc(site) as pc:
        wanted = {rule.action for keymap in KEYMAPS.values() for rule in keymap.rules} - {Action.SHOW_ADDRESS}
        for action in sorted(wanted):
            await pc.say(type="keypad", id=f"p-{action}", device="k1", action=action, digits="", age_ms=0)
        await pc.say(type="keypad", id="p-none", device="k1", action="dance", digits="", age_ms=0)

        def answers() -> dict[str, str]:
            return {each["id"].removeprefix("p-"): each["code"] for each in pc.told if each["type"] == "answer"}

        await until(lambda: len(answers()) == len(wanted) + 1)
        assert answers().keys() == {*wanted, "none"}
        assert [action for action, code in answers().items() if code == "malformed"] == ["none"]


# --- issue 2: "digits alone find A012 or B012, and ask when both wait" ---


async def test_issue_2_digits_alone_ask_when_both_wait_and_the_call_key_calls_the_one_shown(tmp_path: Path) -> None:
    """The one who came first is shown first: its letter's place in the alphabet, its digits, and a beep."""
    async with desk(tmp_path) as clerk:
        assert await numbers(clerk.site, MEDICAL, SOCIAL) == ["B001", "A001"]
        assert await clerk.key(Key.CALL, "1") == " 2 001"
        assert clerk.keypad.beeps == 1
        assert await clerk.in_hand() == "", "a question, not a call"
        assert await clerk.key(Key.CALL) == "   001"
        assert await clerk.in_hand() == "B001"


async def test_issue_2_the_same_digits_again_show_the_next_of_those_that_wait(tmp_path: Path) -> None:
    async with desk(tmp_path) as clerk:
        await numbers(clerk.site, MEDICAL, SOCIAL)
        seen = [await clerk.key(Key.CALL, digits) for digits in ("1", "001", "01", "1")]
        assert seen == [" 2 001", " 1 001", " 2 001", " 1 001"]
        assert await clerk.key(Key.CALL) == "   001"
        assert await clerk.in_hand() == "A001"
        rows = [row async for row in clerk.site.running.frame.store.read(clerk.site.hub.name, kinds=("TicketCalled",))]
        (called,) = [msgspec.json.decode(row.data) for row in rows]
        assert (called["given"], called["reason"]) == (True, "keypad"), "RULES 23: a given number, with its reason"


async def test_issue_2_another_key_leaves_the_question_and_time_ends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next-key must never call a number that is not on the cells."""
    async with desk(tmp_path) as clerk:
        await numbers(clerk.site, MEDICAL, SOCIAL, SOCIAL)
        assert await clerk.key(Key.CALL, "1") == " 2 001"
        assert await clerk.key(Key.CALL, "1") == " 1 001"
        assert await clerk.key(Key.RECALL) == "failure"
        assert await clerk.key(Key.CALL) == "   001"
        assert await clerk.in_hand() == "B001", "the next in the queue, not A001"
        await numbers(clerk.site, MEDICAL, MEDICAL)  # B002 beside A002
        await clerk.site.hub.tell(c.Arrive(window=WINDOW), "test")
        monkeypatch.setattr(keypads, "QUESTION_MS", 1_000)
        assert await clerk.key(Key.CALL, "2") in (" 1 002", " 2 002")
        await until(lambda: clerk.keypad.cells == "   001")
        assert await clerk.in_hand() == "B001"


async def test_ux_c_01_a_question_about_who_is_in_hand_keeps_the_number_that_was_chosen(tmp_path: Path) -> None:
    """UX C-01: "called and not yet marked arrived" is a no-show question; the same key answers both."""
    async with desk(tmp_path) as clerk:
        await numbers(clerk.site, MEDICAL, MEDICAL, SOCIAL, SOCIAL)
        assert await clerk.key(Key.CALL) == "   001"
        await asyncio.sleep(1.1)  # UX C-06: a second press within a second is no answer
        assert await clerk.key(Key.CALL, "2") in (" 2 002", " 1 002")
        chosen = clerk.keypad.cells
        assert await clerk.key(Key.CALL) == "   001", "did B001 come?"
        assert await clerk.in_hand() == "B001"
        await asyncio.sleep(1.1)
        assert await clerk.key(Key.CALL) == "   002"
        assert await clerk.in_hand() == ("B002" if chosen == " 2 002" else "A002")


@pytest.mark.parametrize(
    ("number", "cells"),
    [("A012", "1 012"), ("B012", "2 012"), ("W005", "23 005"), ("W1005", "231005"), ("012", " 012"), ("AB12", "12 12")],
)
def test_hardware_2_1_cells_without_letters_show_the_letters_place(number: str, cells: str) -> None:
    """HARDWARE 2.1: "Display is 6 cells", digits and blanks."""
    assert keypads.cells_of(number) == cells
