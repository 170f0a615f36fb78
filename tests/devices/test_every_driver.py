"""Issue 3: every driver against its emulated device under every fault of the wire, with a keypad that goes on beside it."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from devices.emulators.idreader import EmulatedIdReader
from devices.emulators.nodes import EmulatedKeypad, EmulatedRatingPad
from devices.emulators.printer import EmulatedPrinter
from devices.framing.a090 import A090Ack, encode_a090
from devices.framing.dfplayer import DFPLAYER, DfFrame
from devices.framing.evdev import InputEvent, encode_event
from devices.framing.ff68 import Ff68Frame, encode_ff68
from devices.framing.modbus import ModbusWrite, encode_modbus
from devices.framing.samv import SamReply, encode_sam
from devices.framing.scans import GmReply, encode_scan
from devices.protocols.keymaps import Key
from tests.devices import vectors_bx, wire
from tests.devices.every import ROWS
from tests.devices.hall import own_time
from tests.devices.stage import LIES, Row, Stage, soon


def _faults(row: Row) -> dict[str, tuple[wire.Pass, wire.Pass]]:
    """By name: what becomes of the device's frames, and of the host's."""
    return {
        "byte by byte": (wire.bytewise(), wire.bytewise()),
        "lost": (wire.lost(), wire.whole),
        "lost there": (wire.whole, wire.lost()),
        "repeated": (wire.repeated(), wire.whole),
        "repeated there": (wire.whole, wire.repeated()),
        "wrong bits": (wire.wrong(), wire.whole),
        "wrong bits there": (wire.whole, wire.wrong()),
        LIES: (wire.after(bytes.fromhex(row.lie)), wire.whole),
        "late": (wire.late(900), wire.whole),
        "very late": (wire.late(3_000), wire.whole),
    }


CELLS = [(name, fault) for name, row in ROWS.items() for fault in _faults(row) if fault not in row.impossible]


@pytest.mark.parametrize(("profile", "fault"), CELLS)
async def test_issue_3_under_each_fault_it_does_its_work_once_and_the_keypad_beside_it_goes_on(
    profile: str, fault: str
) -> None:
    row = ROWS[profile]
    with own_time():
        stage = Stage(row)
        async with stage.running():
            await row.use(stage, 1)
            await stage.press_beside()
            stage.wire.to_host, stage.wire.to_device = _faults(row)[fault]
            await row.use(stage, 2)
            await stage.press_beside()
            await asyncio.sleep(10)  # what is late has come
            stage.wire.to_host = stage.wire.to_device = wire.whole
            await stage.is_well()
            await row.use(stage, 3)
            await stage.press_beside()
            await stage.is_well()
            assert stage.told == [1, 2, 3] or (fault in row.unsure and stage.told == [1, 3])


ANSWERING = [name for name, row in ROWS.items() if row.silent]
ADDRESSED = [name for name, row in ROWS.items() if row.others]


@pytest.mark.parametrize("profile", ANSWERING)
async def test_issue_3_one_that_never_answers_is_told_in_time_and_works_when_it_is_back(profile: str) -> None:
    row = ROWS[profile]
    with own_time():
        stage = Stage(row)
        async with stage.running():
            await row.use(stage, 1)
            stage.go_silent(True)
            trying = asyncio.create_task(row.use(stage, 2))
            for _ in range(10):
                await asyncio.sleep(10)
                await stage.press_beside()
            assert stage.told == [1]
            assert stage.driver.health.state == row.silent
            trying.cancel()
            await asyncio.gather(trying, return_exceptions=True)
            stage.go_silent(False)
            await asyncio.sleep(45)
            await row.use(stage, 3)
            await stage.is_well()
            assert stage.told in ([1, 3], [1, 2, 3])
            assert stage.healths.count("offline") == (row.silent == "offline")


@pytest.mark.parametrize("profile", ADDRESSED)
async def test_issue_3_an_answer_or_press_of_another_address_is_nobodys(profile: str) -> None:
    """Not even of one that is silent itself: it stays as silent as it is."""
    row = ROWS[profile]
    others = bytes.fromhex(row.others)
    with own_time():
        stage = Stage(row)
        async with stage.running():
            await row.use(stage, 1)
            bus = stage.buses[0]
            before, unrouted = dict(stage.driver.health.counters), bus.counters["unrouted"]
            for _ in range(5):
                await stage.wire.say(others)
                await asyncio.sleep(0.3)
            assert dict(stage.driver.health.counters) == before
            assert bus.counters["unrouted"] == unrouted + 5
            assert stage.told == [1]
            if row.silent:
                stage.go_silent(True)
                stage.wire.to_device = stage.answered_by(others)
                stage.driver.show([[("A002", "red")]])
                await soon(lambda: stage.driver.health.state == row.silent)
                stage.wire.to_device = wire.whole
                stage.go_silent(False)
            await row.use(stage, 3)
            await stage.press_beside()
            await stage.is_well()
            assert stage.told[-1] == 3


@pytest.mark.parametrize("profile", ROWS)
async def test_issue_3_a_cable_pulled_in_a_frame_costs_at_most_that_and_all_is_as_it_was_when_it_is_back(
    profile: str,
) -> None:
    row = ROWS[profile]
    with own_time():
        stage = Stage(row)
        async with stage.running():
            await row.use(stage, 1)
            await stage.press_beside()
            pulled = stage.wire.cut_in_frame(to_device=row.one_way)
            under_way = asyncio.create_task(row.use(stage, 2))
            async with asyncio.timeout(60):
                await pulled.wait()
            await soon(lambda: stage.driver.health.state == "offline")
            await asyncio.sleep(1)
            await stage.wire.plug()
            await stage.wait_for(under_way)
            await soon(lambda: stage.driver.health.state != "offline")
            await row.use(stage, 3)
            await stage.press_beside()
            await stage.is_well()
            assert stage.told == [1, 2, 3] or (row.kind in ("speaker", "printer") and stage.told == [1, 3])
            assert stage.healths.count("offline") == 1


OWN = {
    "hallquefront": {"keypad"},
    "ff68-keypad-template": {"keypad"},
    "ff68-a": {"rating"},
    "ff68-template": {"rating"},
    "a090-template": {"a090"},
    "syn6288": {"tts"},
    "xfs5152": {"tts"},
    "gm65": {"gm65", "scanner"},
    "keyboard-scanner": {"keyboard"},
    "keyboard-pad": {"keyboard"},
    "kiosk printer": {"escpos"},
}
"""Those that do speak its protocol; else the one of its own name."""
LETTERS = {profile: {"scanner", "gm65", "tablet-s-udp", "tablet-json", "noise"} for profile in ("syn6288", "xfs5152")}
"""Where letters are heard, what answers in single letters may look alive. It is never taken to have spoken."""


def _strangers(address: int) -> dict[str, list[bytes]]:
    """What devices of each model say, whatever they are asked."""
    rated = b'{"method":"RateSubmit","param":{"rateId":"1","attitude":4,"quality":4,"efficiency":4,"honest":4}}'
    return {
        "keypad": [encode_ff68(Ff68Frame(address, 1, b"\x0c")), encode_ff68(Ff68Frame(address, 1, b"\x01\x0c"))],
        "rating": [encode_ff68(Ff68Frame(address, 0x11, b"\x04"))],
        "a090": [encode_a090(A090Ack(address))],
        "led-485": [encode_modbus(ModbusWrite(address or 1, 0, b"\0\x2a"))],
        "bx": [bytes.fromhex(vectors_bx.ACK)],
        "tts": [b"\x41", b"\x4f", b"\x4e"],
        "jq8900": [bytes.fromhex("AA 01 01 00 AC")],
        "dfplayer": [DFPLAYER.encode(DfFrame(0x42, 0x0200)), DFPLAYER.encode(DfFrame(0x3D, 1))],
        "sam-v": [encode_sam(SamReply(0x90)), encode_sam(SamReply(0x9F, bytes(4))), encode_sam(SamReply(0x80))],
        "scanner": [b"A042-x7\r"],
        "gm65": [encode_scan(GmReply(b"\0", 3)), b"A042-x7\r"],
        "keyboard": [encode_event(InputEvent(1, 6, 1)) + encode_event(InputEvent(1, 6, 0))],
        "tablet-s-udp": [b"S02||0001||4||||09:00:00||10:00:00||1.jpg||1.mp4||1||", b"RecvCmdOK"],
        "tablet-json": [b'{"method":"Login","param":{"winNum":"1","userCode":"1"}}', rated],
        "escpos": [b"\x12", b"\x10\x00\x00\x00", b"\x00"],
        "noise": [bytes(range(256)), b"\xff" * 300, b"{" * 300, b"\0" * 300],
    }


@pytest.mark.parametrize("profile", ROWS)
async def test_issue_3_a_device_of_another_model_tells_nothing_and_disturbs_nobody(profile: str) -> None:
    """It answers whatever it is asked, and speaks unasked: no press, card, code, print or call comes of that."""
    row = ROWS[profile]
    for name, says in _strangers(row.address).items():
        if name in OWN.get(profile, {profile}):
            continue
        with own_time():
            stage = Stage(row, instead=())
            async with stage.running():
                said = itertools.cycle(says)

                async def answered(frame: bytes, write: wire.Write, stage: Stage = stage, said: Any = said) -> None:
                    await write(frame)
                    await stage.wire.say(next(said))

                stage.wire.to_device = answered
                asking = asyncio.create_task(stage.ask_of_a_stranger())
                for _ in range(100):
                    await stage.wire.say(next(said))
                    await asyncio.sleep(0.5)
                await asyncio.sleep(0.5)  # half a code is no code once nothing follows
                await _nothing_came_of(stage, asking, alive=name in LETTERS.get(profile, ()) or name == "noise")


async def _nothing_came_of(stage: Stage, asking: asyncio.Task[None], *, alive: bool = False) -> None:
    assert asking.done()
    assert stage.heard == ([], [], [], [])
    assert set(stage.outcomes) <= {"failed", "unknown"}
    assert alive or stage.driver.health.state != "online"
    stage.wire.to_device = wire.whole
    await stage.press_beside()


@pytest.mark.parametrize("profile", ["a090", "bx", "led-485", "aaqt", "tablet-json", "sam-v"])
async def test_issue_3_people_use_a_keypad_and_a_pad_where_the_map_says_something_else(profile: str) -> None:
    row = ROWS[profile]
    with own_time():
        keypad, pad = EmulatedKeypad(row.address), EmulatedRatingPad(row.address)
        stage = Stage(row, instead=(keypad, pad))
        async with stage.running():
            asking = asyncio.create_task(stage.ask_of_a_stranger())
            for _ in range(10):
                assert not await keypad.press(Key.CALL)
                assert not await pad.rate(4)
            await asyncio.sleep(60)
            assert (keypad.cells.strip(), keypad.beeps, pad.invitations) == ("", 0, 0)
            await _nothing_came_of(stage, asking)


@pytest.mark.parametrize("profile", ["sam-v", "gm65", "jq8900", "bx"])
async def test_issue_3_a_printer_where_the_map_says_something_else_prints_no_ticket(profile: str) -> None:
    with own_time():
        printer = EmulatedPrinter(f"memory://printer-as-{profile}")
        stage = Stage(ROWS[profile], instead=printer)
        stage.shared = False
        async with stage.running():
            asking = asyncio.create_task(stage.ask_of_a_stranger())
            await asyncio.sleep(60)
            assert not printer.papers
            await _nothing_came_of(stage, asking)


async def test_issue_3_an_id_reader_where_the_map_says_printer_is_unreadable_and_prints_fail() -> None:
    with own_time():
        reader = EmulatedIdReader()
        stage = Stage(ROWS["escpos"], instead=(reader,))
        async with stage.running():
            asking = asyncio.create_task(stage.ask_of_a_stranger())
            reader.put()
            await asyncio.sleep(60)
            assert stage.driver.printer_state == "unreadable"
            assert stage.outcomes == ["failed"]
            await _nothing_came_of(stage, asking)


QUICK: dict[str, tuple[dict[str, str], dict[str, int]]] = {
    **{name: ({"syllable_ms": "60"}, {"unit_ms": 60}) for name in ("syn6288", "xfs5152")},
    **{name: ({"clip_ms": "100"}, {"unit_ms": 100}) for name in ("jq8900", "dfplayer")},
    **{name: ({"resend_ms": "2000"}, {}) for name, row in ROWS.items() if row.one_way and row.kind == "strip"},
}
"""Nobody listens to whole calls of voice modules; what a strip that never answers has not heard is said again."""
NEVER, ANOTHER, PULLED = "never answers", "another address", "pulled"
ON_PTYS = [(NEVER, ANOTHER, PULLED), (LIES, "repeated", "wrong bits"), ("late", "lost")]


@pytest.mark.parametrize("faults", ON_PTYS)
async def test_issue_3_the_same_over_a_pty_in_the_worlds_own_time(faults: tuple[str, ...], tmp_path: Path) -> None:
    """All devices under several faults at once, each on its line; of one that never says anything the host's frames suffer.

    Bytes that come one by one in the world's time are a test of the machine: test_line.py and its like try them with patient lines.
    Tablets are on networks, and tried over UDP, TCP and a websocket in test_tablets.py.
    """

    async def one(row: Row, fault: str) -> None:
        settings, node = QUICK.get(row.profile, ({}, {}))
        row = replace(row, settings={**row.settings, **settings}, node=node)
        stage, done = Stage(row, f"pty://{tmp_path / f'{row.name}{row.profile}{fault}'.replace(' ', '-')}"), [1, 2]
        async with stage.running():
            await row.use(stage, 1)
            under_way = asyncio.create_task(_under(stage, fault))
            if fault == NEVER:
                await asyncio.sleep(1.5)
                await stage.press_beside()
                assert stage.told == [1] or row.kind == "printer", row.profile
                under_way.cancel()
                await asyncio.gather(under_way, return_exceptions=True)
                stage.go_silent(False)
                await row.use(stage, 3)
                done = [*stage.told[:-1], 3]
            await asyncio.wait([under_way])
            if not under_way.cancelled():
                under_way.result()
            await stage.press_beside()
            unsure = fault in row.unsure or (fault == PULLED and row.kind in ("speaker", "printer"))
            assert stage.told == done or (unsure and stage.told == [1]), row.profile

    async with asyncio.TaskGroup() as group:
        for (name, row), fault in itertools.product(ROWS.items(), faults):
            if _can_have(name, row, fault):
                group.create_task(one(row, fault))


def _can_have(name: str, row: Row, fault: str) -> bool:
    """Whether a row can suffer that on a pty."""
    return (
        not name.startswith("tablet")
        and _which(row, fault) not in row.impossible
        and (fault != ANOTHER or bool(row.others))
        and (
            fault != NEVER or (row.silent is not None and row.kind != "speaker")
        )  # a voice takes long to be believed again
    )


def _which(row: Row, fault: str) -> str:
    there = f"{fault} there"
    return there if row.one_way and there in _faults(row) else fault


async def _under(stage: Stage, fault: str) -> None:
    """The second use, under the fault."""
    row = stage.row
    if fault == PULLED:
        pulled = stage.wire.cut_in_frame(to_device=row.one_way)
        use = asyncio.create_task(row.use(stage, 2))
        await pulled.wait()
        await soon(lambda: stage.driver.health.state == "offline")
        await stage.wire.plug()
        await stage.wait_for(use)
        await soon(lambda: stage.driver.health.state != "offline")
        return
    if fault == NEVER:
        stage.go_silent(True)
    elif fault == ANOTHER:
        for _ in range(3):
            await stage.wire.say(bytes.fromhex(row.others))
            await asyncio.sleep(0.1)
        assert stage.told == [1]
    else:
        stage.wire.to_host, stage.wire.to_device = _faults(row)[_which(row, fault)]
    await row.use(stage, 2)
