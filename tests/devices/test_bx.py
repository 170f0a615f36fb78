"""BX font cards against their emulator over memory, TCP and a pty, under each fault (HARDWARE 2.5, 7.3; issue 3)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from devices.bus import Bus
from devices.devicemap import Calls, make_bus, plan
from devices.drivers.bx import BxBoard, BxStrip
from devices.emulators.bx import EmulatedBx
from devices.emulators.nodes import AnyNode, EmulatedKeypad
from devices.emulators.rs485 import Rs485BusEmulator
from devices.protocols import bxdata
from devices.protocols.bx import BxSettings
from devices.protocols.keymaps import Key
from queue_server.edge import render_strip
from queue_server.wire.agent import DeviceEntry, ShowStrip
from queue_server.wire.common import Words
from tests.devices import independent_bx as second
from tests.devices.hall import listen_url, until

QUICK = {
    "ack_ms": "150",
    "reply_ms": "150",
    "resend_ms": "900",
    "page_ms": "400",
    "watch_ms": "250",
    "line.gap_ms": "2",
}
LINES = [("A016", "3"), ("B007", "12"), ("YA1007", "1"), ("C001", "台胞接待室")]


def entry(url: str, kind: str = "board", **settings: str) -> DeviceEntry:
    return DeviceEntry(
        id="main", kind=kind, url=url, address=1, profile="bx", window="", levels={}, settings=QUICK | settings
    )


class Stage:
    """A card on an emulated line, and the agent's end of it."""

    def __init__(self, url: str, *others: AnyNode) -> None:
        self.card = EmulatedBx(1)
        self.raw = bytearray()
        self.emulator = Rs485BusEmulator(url, (self.card, *others), tap=self._tap)
        self.healths: list[str] = []
        self.bus: Bus

    def _tap(self, direction: str, data: bytes) -> None:
        if direction == "rx":
            self.raw += data

    @contextlib.asynccontextmanager
    async def running(self, *others: DeviceEntry, kind: str = "board", **settings: str) -> AsyncIterator[BxStrip]:
        def health(device: Any) -> None:
            if device.device == "main":
                self.healths.append(str(device.health.state))

        calls = Calls(lambda keypad, action: keypad.answer(action.token, ok=True), None, health, None)  # type: ignore[arg-type]
        async with self.emulator:
            url = self.emulator.url
            placed = [DeviceEntry(**{f: getattr(e, f) for f in e.__struct_fields__} | {"url": url}) for e in others]
            self.bus = make_bus((entry(url, kind, **settings), *placed), calls)
            driver = self.bus.drivers[0]
            assert isinstance(driver, BxStrip)
            task = asyncio.create_task(self.bus.run())
            try:
                await until(lambda: self.bus.up and self.emulator.connected)
                yield driver
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)


def _fault(**faults: int) -> Callable[[Stage], None]:
    def cause(stage: Stage) -> None:
        for name, value in faults.items():
            setattr(stage.card if hasattr(stage.card, name) else stage.emulator.faults, name, value)

    return cause


FAULTS = {
    "none": _fault(),
    "one byte at a time": _fault(bytewise=True),
    "slow bytes": _fault(slow_ms=1),
    "in two pieces": _fault(split_ms=40),
    "noise": _fault(noise=9),
    "bad sums": _fault(corrupt=2),
    "lost answers": _fault(lose=2),
    "late answers": _fault(late_ms=100),
    "answers after their time": _fault(late_ms=220),
    "a frame not heard": _fault(deaf=2),
    "a refusal": _fault(refuse=1),
}


@pytest.mark.parametrize("line", ["memory", "tcp", "pty"])
async def test_hardware_7_3_under_each_fault_the_newest_text_is_shown_and_the_card_is_online_again(
    line: str, tmp_path: Path
) -> None:
    async def one(name: str, folder: Path) -> None:
        folder.mkdir()  # noqa: ASYNC240
        stage = Stage(listen_url(line, folder))
        async with stage.running() as board:
            FAULTS[name](stage)
            for number in range(1, 4):
                board.show([[(f"请A{number:03}号到3号窗口", "red")]])
            board.set_brightness(4)
            await stage.emulator.until(lambda: stage.card.rows == ("请A003号到3号窗口",), 10)
            await stage.emulator.until(lambda: stage.card.brightness == 4, 10)
            stage.card.late_ms = 0  # else it stays as bad as it is; counts run down
            await until(lambda: board.health.state == "online", 10)
            assert stage.card.rows == ("请A003号到3号窗口",), name
            assert (
                len(second.packets(bytes(stage.raw))) >= 2
            )  # what was on the line is whole frames, for other eyes too

    async with asyncio.TaskGroup() as group:
        for number, name in enumerate(FAULTS):
            group.create_task(one(name, tmp_path / str(number)))


@pytest.mark.parametrize("line", ["memory", "tcp"])
async def test_issue_3_silence_is_told_within_its_time_and_the_way_back_too(line: str, tmp_path: Path) -> None:
    stage = Stage(listen_url(line, tmp_path))
    async with stage.running() as board:
        board.show([[("请A016号", "red")]])
        await until(lambda: board.health.state == "online")
        stage.card.silent = True
        await until(lambda: board.health.state == "degraded", 5)
        await until(lambda: board.health.state == "offline", 5)
        assert board.health.last_error == "does not acknowledge its text"
        board.show([[("请A017号", "red")]])
        stage.card.restart()  # it had lost its power: its areas are gone
        stage.card.silent = False
        await stage.emulator.until(lambda: stage.card.rows == ("请A017号",))
        await until(lambda: board.health.state == "online")
        assert stage.healths == ["online", "degraded", "offline", "online"]


async def test_design_the_cable_pulled_and_plugged_again_shows_everything_anew(tmp_path: Path) -> None:
    stage = Stage(listen_url("tcp", tmp_path))
    async with stage.running(brightness="5", clock="true") as board:
        board.show([[("请A016号", "red")]])
        await stage.emulator.until(lambda: stage.card.rows == ("请A016号",) and stage.card.brightness == 5)
        assert bxdata.decode_time(stage.card.clock)[:2] == "20"
        await stage.emulator.unplug()
        await until(lambda: board.health.state == "offline")
        stage.card.restart()
        stage.card.brightness = 15
        board.show([[("请A017号", "red")]])
        await stage.emulator.plug()
        await stage.emulator.until(lambda: stage.card.rows == ("请A017号",) and stage.card.brightness == 5, 10)
        await until(lambda: board.health.state == "online")


async def test_ux_w07_a_card_is_as_bright_and_lit_as_the_clock_says_and_again_after_its_power(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime(2026, 11, 23, 18, 29, 59, tzinfo=UTC)
    monkeypatch.setattr("devices.drivers.bx.local_time", lambda: now)
    stage = Stage(listen_url("tcp", tmp_path))
    async with stage.running(dimming="07:00=12 18:30=4", power="07:00=on 18:30=off") as board:
        await stage.emulator.until(lambda: stage.card.brightness == 12 and stage.card.on)
        now = now.replace(minute=30, second=0)
        await stage.emulator.until(lambda: stage.card.brightness == 4 and not stage.card.on, 5)
        await stage.emulator.unplug()
        await until(lambda: board.health.state == "offline")
        stage.card.brightness, stage.card.on = 15, True
        await stage.emulator.plug()
        await stage.emulator.until(lambda: stage.card.brightness == 4 and not stage.card.on, 10)


def test_ux_w07_a_dimming_that_is_none_is_refused_with_the_settings() -> None:
    with pytest.raises(ValueError, match="07:00=15"):
        BxSettings(dimming="bright by day")
    with pytest.raises(ValueError, match="19:00=off"):
        BxSettings(power="07:00=on 19:00=dim")


async def test_a_card_that_refuses_its_text_is_degraded_however_well_it_answers_pings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = Stage(listen_url("memory", tmp_path))

    def full(update: bxdata.BxUpdate) -> None:
        raise ValueError("no room")

    async with stage.running() as board:
        await until(lambda: board.health.state == "online")
        monkeypatch.setattr(stage.card, "_update", full)
        board.show([[("请A016号", "red")]])
        await until(lambda: board.health.state == "degraded")
        await asyncio.sleep(0.9)  # pings are answered meanwhile
        assert stage.healths == ["online", "degraded"]
        assert board.health.last_error == "refuses its text: no such command"
        monkeypatch.undo()
        await stage.emulator.until(lambda: stage.card.rows == ("请A016号",), 10)
        await until(lambda: board.health.state == "online")


async def test_orders_reach_the_card_and_its_status_comes_back(tmp_path: Path) -> None:
    stage = Stage(listen_url("pty", tmp_path))
    async with stage.running(kind="strip") as strip:
        strip.set_power(False)
        strip.set_brightness(3)
        strip.set_time(datetime(2013, 1, 25, 11, 17, 26))  # noqa: DTZ001 - a card has local time
        strip.show([[("请A016号", "red")]])
        await stage.emulator.until(lambda: stage.card.rows == ("请A016号",) and not stage.card.on)
        strip.ask_status()
        await until(lambda: strip.status is not None)
        assert strip.status == bxdata.BxStatus(False, 3, "2013-01-25 11:17:26", 0, (0,), "EMULATED")
        strip.set_power(True)
        await stage.emulator.until(lambda: stage.card.on)


async def test_issue_3_a_silent_card_does_not_stop_a_keypad_of_its_line(tmp_path: Path) -> None:
    keypad = EmulatedKeypad(7)
    stage = Stage(listen_url("memory", tmp_path), keypad)
    stage.card.silent = True
    beside = DeviceEntry(
        id="k", kind="keypad", url="", address=7, profile="hallquefront", window="1", levels={}, settings={}
    )
    async with stage.running(beside) as board:
        board.show([[("请A016号", "red")]])
        for _ in range(3):
            assert await keypad.press(Key.CALL)
        await until(lambda: board.health.state in ("degraded", "offline"), 5)


def board_of(**changes: Any) -> ShowStrip:
    given: dict[str, Any] = {"state": "call", "number": "", "window": "", "text": "", "lines": LINES}
    return ShowStrip(epoch=1, device="main", **given | changes)


async def test_issue_3_it_is_a_halls_summary_board(tmp_path: Path) -> None:
    """The server sends the calls of a zone; a board of three rows shows them three at a time, the numbers whole (UX W-05)."""
    stage = Stage(listen_url("memory", tmp_path))
    async with stage.running(rows="3", width="256", cells="20", zone="A") as board:
        assert isinstance(board, BxBoard)
        place = entry("memory://", rows="3", width="256", cells="20")
        board.show(render_strip(board_of(), place))
        await stage.emulator.until(lambda: len(stage.card.history) >= 3)
        first = ("请A016号到3号窗口", "请B007号到12号窗口", "请YA1007号到1号窗口")
        assert list(stage.card.history)[:3] == [first, ("请C001号到台胞接待室",), first]
        board.show(
            render_strip(
                board_of(state="emergency", lines=[], notice=Words(zh="请从2号门离开", en="Leave by door 2")), place
            )
        )
        await stage.emulator.until(lambda: stage.card.rows == ("请从2号门离开", "Leave by door 2"))
        board.show(render_strip(board_of(state="waiting", lines=[]), place))
        await stage.emulator.until(lambda: len(stage.card.rows) == 1)
        assert all("�" not in text for rows in stage.card.history for text in rows)


@pytest.mark.parametrize(
    ("changes", "settings", "sentence"),
    [
        ({"address": 0}, {}, "1 to 255"),
        ({}, {"rows": "12"}, "rows are 1 to 8"),
        ({}, {"unit": "inch"}, "unit"),
        ({}, {"colour.green": "绿"}, "a colour is a tag"),
        ({}, {"brightnes": "3"}, "unknown setting"),
    ],
)
def test_a_wrong_entry_is_left_out_of_the_map_with_a_sentence(
    changes: dict[str, Any], settings: dict[str, str], sentence: str
) -> None:
    good = entry("tcp://192.0.2.1:5005", **settings)
    wrong = DeviceEntry(**{f: getattr(good, f) for f in good.__struct_fields__} | changes)
    assert sentence in plan([wrong]).wrong["main"]


def test_two_cards_of_one_line_have_two_numbers_and_a_keypad_may_be_beside_them() -> None:
    url = "serial:///dev/ttyS0?baud=57600"
    cards = [
        DeviceEntry(id=f"c{n}", kind="board", url=url, address=n, profile="bx", window="", levels={}, settings={})
        for n in (1, 2, 2)
    ]
    strip = DeviceEntry(id="s", kind="strip", url=url, address=3, profile="a090", window="1", levels={}, settings={})
    found = plan([cards[0], cards[1], strip])
    assert found.wrong == {}
    assert "address 0x02" in plan(cards).wrong["c2"]
