"""Tests that the manager's page asks of the agent: shown, answered for, and never in a citizen's way (issue 3)."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest

from devices import trials
from devices.patterns import CELLS
from devices.protocols.keymaps import Key
from queue_server.wire.agent import DeviceHealth, Invite, RatingPressed, ShowStrip, TestDevice, Tested
from queue_server.wire.common import DeviceState
from tests.devices.hall import listen_url, until
from tests.devices.test_agent import Office, entry


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trials, "PATTERN_S", 2.2)
    monkeypatch.setattr(trials, "ANSWER_S", 2.0)


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path, listen_url("memory", tmp_path))


async def ask(
    office: Office, device: str, *, paper: bytes = b"null", text: str = "", for_ms: int = 5_000, nth: str = ""
) -> None:
    await office.server.say(
        TestDevice(
            epoch=office.server.epoch,
            id=f"t-{device}{nth}",
            device=device,
            text=text,
            paper=msgspec.Raw(paper),
            for_ms=for_ms,
        )
    )


async def told(office: Office, device: str) -> tuple[str, str]:
    await until(lambda: any(each.device == device for each in office.server.all(Tested)))
    (tested,) = [each for each in office.server.all(Tested) if each.device == device]
    return tested.outcome, tested.reason


async def test_a_strip_shows_a_pattern_and_then_again_what_the_hall_said(office: Office) -> None:
    async with office.open():
        await office.server.say(
            ShowStrip(epoch=1, device="s3", state="serving", number="A001", window="3", text="", lines=[])
        )
        await until(lambda: office.strip.text == "serving A001")
        await ask(office, "s3", text="测试")
        assert await told(office, "s3") == ("done", "")
        assert office.strip.text == "测试"
        await until(lambda: office.strip.text == "serving A001")


async def test_a_second_test_of_a_strip_begins_its_own_time_and_the_first_does_not_end_it(office: Office) -> None:
    async with office.open():
        await office.server.say(
            ShowStrip(epoch=1, device="s3", state="serving", number="A001", window="3", text="", lines=[])
        )
        await until(lambda: office.strip.text == "serving A001")
        await ask(office, "s3", text="测试")
        assert await told(office, "s3") == ("done", "")
        await asyncio.sleep(1.0)
        asked = asyncio.get_running_loop().time()
        await ask(office, "s3", text="测试", nth="-2")
        await until(lambda: len(office.server.all(Tested)) == 2)
        # The same text once more: it was really sent, and really acknowledged.
        assert office.server.all(Tested)[1].outcome == "done"
        assert office.strip.history.count("测试") >= 2  # more when an acknowledgement was late
        await until(lambda: office.strip.text == "serving A001", 15)
        assert asyncio.get_running_loop().time() - asked >= 2.1


async def test_a_second_test_of_a_keypad_leaves_no_cells_lit(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trials, "PATTERN_S", 3.0)
    monkeypatch.setattr(trials, "ANSWER_S", 0.3)
    async with office.open():
        await ask(office, "k7")
        await until(lambda: len(office.server.all(Tested)) == 1)
        asked = asyncio.get_running_loop().time()
        await ask(office, "k7", nth="-2")
        await until(lambda: len(office.server.all(Tested)) == 2)
        await until(lambda: office.keypad.cells.strip() == "", 15)
        assert asyncio.get_running_loop().time() - asked >= 2.9


async def test_a_strip_that_the_hall_never_spoke_to_is_dark_after_its_test(office: Office) -> None:
    async with office.open():
        await ask(office, "s3", text="测试")
        await until(lambda: office.strip.text == "测试")
        await until(lambda: office.strip.text == "")


async def test_what_the_hall_has_to_show_goes_before_a_pattern(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trials, "PATTERN_S", 60.0)
    async with office.open():
        await ask(office, "s3", text="测试")
        await told(office, "s3")
        await office.server.say(
            ShowStrip(epoch=1, device="s3", state="call", number="A002", window="3", text="", lines=[])
        )
        await until(lambda: office.strip.text == "call A002")


async def test_a_strip_that_is_silent_and_a_line_that_is_gone_are_told_apart(office: Office) -> None:
    async with office.open():
        office.strip.acks = False
        await ask(office, "s3", text="测试")
        assert (await told(office, "s3"))[0] == "silent"
        await office.line.unplug()
        await until(
            lambda: any(h.device == "k7" and h.state is DeviceState.OFFLINE for h in office.server.all(DeviceHealth))
        )
        await ask(office, "k7")
        outcome, reason = await told(office, "k7")
        assert outcome == "unconnected"
        assert reason


async def test_a_keypad_lights_up_and_is_blank_again_unless_somebody_called(office: Office) -> None:
    async with office.open():
        await ask(office, "k7")
        await until(lambda: office.keypad.cells.strip() == CELLS)
        assert (await told(office, "k7"))[0] in ("done", "sent")
        await until(lambda: office.keypad.cells.strip() == "")


async def test_rules_47_a_press_in_a_test_is_nobodys_rating(office: Office) -> None:
    async with office.open():
        await ask(office, "r7")
        await until(lambda: office.rating.invitations)
        assert await office.rating.rate(4)
        assert await told(office, "r7") == ("done", "5")
        assert office.on_disk() == []
        assert office.server.all(RatingPressed) == []
        assert await office.rating.rate(3)
        await until(lambda: [press.level for press in office.server.all(RatingPressed)] == [4])


async def test_rules_36_a_citizen_who_is_invited_ends_the_test_and_their_press_counts(office: Office) -> None:
    async with office.open():
        await ask(office, "r7", for_ms=60_000)
        await until(lambda: office.rating.invitations)
        await office.server.say(Invite(epoch=1, device="r7", service="s", for_ms=30_000))
        assert (await told(office, "r7"))[0] == "busy"
        assert await office.rating.rate(4)
        await until(lambda: [press.level for press in office.server.all(RatingPressed)] == [5])


async def test_nobody_presses_and_the_test_says_so(office: Office) -> None:
    async with office.open():
        await ask(office, "r7", for_ms=300)
        assert await told(office, "r7") == ("sent", "")
        assert await office.rating.rate(4)
        await until(lambda: office.server.all(RatingPressed))


async def test_a_test_slip_is_printed_once_and_never_between_citizens_papers(office: Office) -> None:
    async with office.open():
        office.server.devices = [*office.window(), entry("p1", "printer", "memory://paper", 0, "")]
        await office.server.welcome_again(*office.server.devices)
        await until(lambda: office.printers and office.agent.connected)
        await ask(office, "p1", paper=b'{"paper":"test"}')
        await ask(office, "p1", paper=b'{"paper":"test"}')
        assert await told(office, "p1") == ("done", "")
        assert office.printers[0].papers == [b'{"paper":"test"}']
        office.printers[0].busy = True
        await office.server.say(
            TestDevice(epoch=1, id="later", device="p1", text="", paper=msgspec.Raw(b"{}"), for_ms=0)
        )
        await until(lambda: any(each.id == "later" for each in office.server.all(Tested)))
        assert [each.outcome for each in office.server.all(Tested) if each.id == "later"] == ["busy"]
        assert len(office.printers[0].papers) == 1


async def test_a_device_that_is_not_there_is_not_connected(office: Office) -> None:
    async with office.open():
        await ask(office, "nobody")
        assert await told(office, "nobody") == ("unconnected", "")
        assert await office.keypad.press(Key.CALL)
        await asyncio.sleep(0)


async def test_a_test_that_breaks_is_unknown_and_ends_nothing_else(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ValueError("does not fit")

    monkeypatch.setattr(trials, "show_pattern", broken)
    async with office.open():
        await ask(office, "s3")
        outcome, reason = await told(office, "s3")
        assert outcome == "unknown"
        assert reason.startswith("ValueError at ")  # its words may quote what was asked (law 10)
        await office.server.say(
            ShowStrip(epoch=1, device="s3", state="serving", number="A002", window="3", text="", lines=[])
        )
        await until(lambda: office.strip.text == "serving A002")
