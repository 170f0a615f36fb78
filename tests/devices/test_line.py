"""Keypad, rating device and strip on one RS-485 line against the emulator, over memory, TCP and pty, with faults."""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path

import pytest

from devices.bus import BusSettings
from devices.emulators.nodes import EmulatedKeypad, NodeFrame
from devices.framing.ff68 import Ff68Frame
from devices.protocols.keymaps import JACK_Q_CHEN, Action, Key
from devices.protocols.rating import AckVariant
from tests.devices import independent
from tests.devices.hall import FAST, Desk, listen_url, own_time, until


@pytest.fixture(params=["memory", "tcp", "pty"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return listen_url(request.param, tmp_path)


async def a_morning_minute(desk: Desk) -> None:
    """Call, show, invite, rate: the whole conversation of a window once."""
    desk.answer = lambda keypad, action: keypad.answer(action.token, ok=True, show="012")
    assert await desk.far_keypad.press(Key.CALL)
    await desk.emulator.until(lambda: desk.far_keypad.cells == "   012")
    desk.strip.show([[("请", "red"), ("A012", "green")]])
    await desk.emulator.until(lambda: desk.far_strip.text == "请A012")
    assert desk.far_strip.colours == "01111"
    desk.rating.invite(30_000)
    await desk.emulator.until(lambda: desk.far_rating.invitations > 0)
    assert await desk.far_rating.rate(4)
    assert [a.action for a in desk.actions] == [Action.NEXT]
    assert desk.ratings == [5]


FAULTS = {
    "none": {},
    "one byte at a time": {"bytewise": True},
    "slow": {"slow_ms": 2},
    "split frames": {"split_ms": 30},
    "noise": {"noise": 6},
    "wrong sums": {"corrupt": 2},
    "lost frames": {"lose": 2},
    "lost acknowledgements": {"lose_acks": 2},
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_hardware_7_3_a_window_works_under_each_fault_and_nothing_is_doubled(url: str, fault: str) -> None:
    desk = Desk(url)
    for name, value in FAULTS[fault].items():
        setattr(desk.emulator.faults, name, value)
    async with desk.running():
        await a_morning_minute(desk)
        if fault == "wrong sums":
            assert desk.bus.counters["checksums"] == 2
        if fault in ("wrong sums", "lost frames", "lost acknowledgements"):
            assert desk.far_keypad.repetitions == 2
        if fault == "noise":
            assert desk.bus.counters["garbage_bytes"] >= 24


async def test_hardware_1_1_ack_variant_b_and_repeated_presses_are_one_rating(url: str) -> None:
    desk = Desk(url, ack=AckVariant.B)
    async with desk.running():
        desk.emulator.faults.lose_acks = 3
        assert await desk.far_rating.rate(0)
        assert desk.far_rating.repetitions == 3
        assert desk.ratings == [1]
        assert desk.bus.counters["unrouted"] == 0


async def test_hardware_1_1_check_byte_ff_is_acknowledged(url: str) -> None:
    desk = Desk(url, rating_address=0xED)
    async with desk.running():
        assert independent.build_ff68(0xED, 0x11, 1)[-2] == 0xFF
        assert await desk.far_rating.rate(1)
        assert desk.ratings == [2]


async def test_hardware_7_5_keypad_and_rating_device_may_share_an_address(url: str) -> None:
    desk = Desk(url, keymap=JACK_Q_CHEN, rating_address=0x07)
    async with desk.running():
        assert await desk.far_keypad.press(Key.FUNCTION, "6")
        assert await desk.far_rating.rate(3)
        assert [a.action for a in desk.actions] == [Action.NO_SHOW]
        assert desk.ratings == [4]


async def test_law_8_a_press_that_cannot_be_stored_is_not_acknowledged_and_counts_once_when_the_disk_is_back(
    url: str,
) -> None:
    desk = Desk(url)
    desk.disk_full = True
    async with desk.running():
        press = asyncio.create_task(desk.far_rating.rate(2))
        await until(lambda: desk.far_rating.repetitions >= 2)
        assert not press.done()
        assert desk.rating.health.state == "degraded"
        assert "no space left" in desk.rating.health.last_error
        desk.disk_full = False
        assert await press
        assert desk.ratings == [3]
        await until(lambda: desk.rating.health.state == "online")
        assert desk.healths.count(("r7", "degraded")) == 1


async def test_law_8_a_keypad_shows_failure_when_the_server_does_not_answer(url: str) -> None:
    desk = Desk(url, answer_ms=200)
    desk.answer = lambda keypad, action: None
    async with desk.running():
        assert await desk.far_keypad.press(Key.CALL)
        await desk.emulator.until(lambda: desk.far_keypad.sign == "failure" and desk.far_keypad.beeps == 1)
        desk.keypad.answer(desk.actions[0].token, ok=True)
        await asyncio.sleep(0.1)
        assert desk.far_keypad.sign == "failure"


async def test_a_silent_strip_is_degraded_then_offline_and_the_others_go_on(url: str) -> None:
    desk = Desk(url)
    desk.far_strip.silent = True
    async with desk.running():
        desk.strip.show([[("A001", "red")]])
        await until(lambda: desk.strip.health.state == "offline")
        assert [h for h in desk.healths if h[0] == "s3"] == [("s3", "degraded"), ("s3", "offline")]
        assert await desk.far_keypad.press(Key.RECALL)
        desk.far_strip.silent = False
        await desk.emulator.until(lambda: desk.far_strip.text == "A001")
        await until(lambda: desk.strip.health.state == "online")


async def test_a_babbling_device_does_not_stop_the_others(url: str) -> None:
    desk = Desk(url)
    async with desk.running():
        desk.emulator.babble(b"\xff\x68\x55\x00" * 8, every_ms=4)
        await a_morning_minute(desk)
        assert desk.bus.counters["garbage_bytes"] > 100


async def test_a_device_with_a_stuck_key_is_degraded_and_heard_again_when_it_rests(url: str) -> None:
    desk = Desk(url)
    async with desk.running():
        desk.emulator.babble(independent.build_ff68(0x07, 1, 1, 0x0C) + independent.build_ff68(0x07, 1, 2, 0x0C), 4)
        began = asyncio.get_running_loop().time()
        await until(lambda: desk.keypad.health.state == "degraded")
        elapsed_s = asyncio.get_running_loop().time() - began
        assert len(desk.actions) <= 20 + 10 * elapsed_s + 1
        assert await desk.far_rating.rate(4)
        desk.emulator.babble(b"", 0)
        await asyncio.sleep(1.2)
        assert await desk.far_keypad.press(Key.RECALL)
        assert desk.actions[-1].action is Action.RECALL
        assert desk.keypad.health.state == "online"
        assert desk.healths.count(("k7", "degraded")) == 1


async def test_a_cable_pulled_mid_frame_heals_and_the_strip_is_shown_again(url: str) -> None:
    desk = Desk(url)
    async with desk.running():
        desk.strip.show([[("A007", "yellow")]])
        await desk.emulator.until(lambda: desk.far_strip.text == "A007")
        await desk.emulator.transmit_raw(independent.build_ff68(0x07, 1, 0x0C)[:6])
        await desk.emulator.unplug()
        await until(lambda: desk.keypad.health.state == "offline")
        desk.far_strip.restart()
        desk.strip.show([[("A008", "red")]])
        desk.keypad.show("008")
        desk.rating.invite(30_000)
        await asyncio.sleep(0.1)
        await desk.emulator.plug()
        await desk.emulator.until(lambda: desk.far_strip.text == "A008")
        await desk.emulator.until(lambda: desk.far_keypad.cells == "   008" and desk.far_rating.invitations == 1)
        assert await desk.far_keypad.press(Key.CALL)
        assert [a.action for a in desk.actions] == [Action.NEXT]
        assert desk.healths.count(("k7", "offline")) == 1


async def test_issue_3_what_ends_after_the_cable_was_pulled_makes_nobody_better_or_worse(tmp_path: Path) -> None:
    """A text that was not acknowledged, and a press whose storing takes longer than the line lives."""
    with own_time():
        desk = Desk(listen_url("memory", tmp_path))
        desk.far_strip.acks, desk.disk_full = False, True
        async with desk.running():
            press = asyncio.create_task(desk.far_rating.rate(4))
            await until(lambda: desk.rating.health.state == "degraded")
            desk.disk_full = False
            desk.strip.show([[("A007", "yellow")]])
            await until(lambda: len(desk.far_strip.history) == 3)
            seen = desk.rating.health.counters["presses"]
            await until(lambda: desk.rating.health.counters["presses"] > seen)
            desk.healths.clear()
            await desk.emulator.unplug()
            await asyncio.sleep(1)
            assert sorted(desk.healths) == [("k7", "offline"), ("r7", "offline"), ("s3", "offline")]
            await desk.emulator.plug()
            assert await press
            assert desk.ratings == [5]


@pytest.mark.parametrize("away_s", [0.3, 4, 60])
async def test_issue_3_a_press_whose_acknowledgement_went_with_the_cable_is_not_doubled(
    away_s: float, tmp_path: Path
) -> None:
    with own_time():
        desk = Desk(listen_url("memory", tmp_path))
        desk.far_keypad.tries = desk.far_rating.tries = 400
        async with desk.running():
            desk.emulator.faults.lose_acks = 2
            presses = [
                asyncio.create_task(desk.far_keypad.press(Key.CALL)),
                asyncio.create_task(desk.far_rating.rate(4)),
            ]
            await until(lambda: not desk.emulator.faults.lose_acks)
            await desk.emulator.unplug()
            await asyncio.sleep(away_s)
            await desk.emulator.plug()
            assert await asyncio.gather(*presses) == [True, True]
            assert ([a.action for a in desk.actions], desk.ratings) == ([Action.NEXT], [5])
            await asyncio.sleep(2)
            assert await desk.far_keypad.press(Key.CALL)  # another one
            assert await desk.far_rating.rate(4)
            assert ([a.action for a in desk.actions], desk.ratings) == ([Action.NEXT] * 2, [5, 5])


async def test_ux_w_02_a_rebooted_strip_heals_within_the_resend_time_and_pages_turn(url: str) -> None:
    desk = Desk(url)
    async with desk.running():
        desk.strip.show([[("A001", "red")]])
        await desk.emulator.until(lambda: desk.far_strip.text == "A001")
        desk.far_strip.restart()
        await desk.emulator.until(lambda: desk.far_strip.text == "A001", 2)
        desk.strip.show([[("请A001号", "red")], [("到3号窗口", "red")]])
        await desk.emulator.until(lambda: list(desk.far_strip.history)[-3:-1] == ["请A001号", "到3号窗口"])


async def test_strips_take_the_latest_text_and_acknowledgements_go_first(tmp_path: Path) -> None:
    """HARDWARE 7.2: strips are latest-wins with a queue of one; a keypad's echo overtakes their texts."""
    settings = BusSettings(baud=9600, retry_first_ms=10)
    desk = Desk(listen_url("memory", tmp_path), settings=settings)
    async with desk.running():
        for number in range(50):
            desk.strip.show([[(f"A{number:03}", "red")]])
        press = asyncio.create_task(desk.far_keypad.press(Key.CALL))
        await desk.emulator.until(lambda: desk.far_strip.text == "A049")
        assert await press
        assert len(desk.far_strip.history) <= 3
        assert desk.bus.counters["superseded"] >= 47


async def test_frames_keep_their_gap_at_9600_baud(tmp_path: Path) -> None:
    """HARDWARE 7.2: at least 20 ms between two frames, over the time the bytes themselves take."""
    desk = Desk(listen_url("memory", tmp_path), settings=BusSettings(baud=9600))
    heard: list[tuple[float, int]] = []

    class Clocked(EmulatedKeypad):
        async def receive(self, frame: NodeFrame) -> None:
            assert isinstance(frame, Ff68Frame)
            heard.append((asyncio.get_running_loop().time(), len(frame.data) + 9))

    clocked = Clocked(0x07)
    clocked.join(desk.emulator)
    desk.emulator.nodes = [clocked]
    with own_time():
        async with desk.running():
            desk.keypad.show("012")
            desk.keypad.beep()
            desk.keypad.show("013")
            await until(lambda: len(heard) == 2)
            for text in ("014", "015", "016"):
                desk.keypad.show(text)
                desk.keypad.beep()
                await asyncio.sleep(0.1)
    assert len(heard) == 8
    for (sent, size), (following, _) in itertools.pairwise(heard):
        assert following - sent >= size * 10 / 9600 + 0.020 - 0.003  # the clock's own grain


async def test_an_adapter_that_hears_itself_presses_no_keys(tmp_path: Path) -> None:
    """The echo of a keypad's acknowledgement equals the key itself: without `local_echo` it would be a press."""
    settings = BusSettings(baud=115_200, local_echo=True)
    desk = Desk(listen_url("memory", tmp_path), settings=settings)
    async with desk.running():
        original = desk.bus._transport.write

        async def write_and_hear(raw: bytes) -> None:
            await original(raw)
            await desk.emulator.transmit_raw(raw)

        desk.bus._transport.write = write_and_hear  # type: ignore[method-assign]
        assert await desk.far_keypad.press(Key.CALL)
        await asyncio.sleep(0.1)
        assert [a.action for a in desk.actions] == [Action.NEXT]
        assert desk.bus.counters["echoes"] == 2  # the echoed key and the success sign
        assert desk.keypad.health.counters["frames"] == 1


async def test_two_devices_at_one_address_are_refused(tmp_path: Path) -> None:
    desk = Desk(listen_url("memory", tmp_path), settings=FAST)
    async with desk.running():
        with pytest.raises(ValueError, match="0x07"):
            desk.bus.attach(desk.keypad)
