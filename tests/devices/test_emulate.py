"""`yichuang emulate`: devices on a line for people and programs, with keys to press and faults to cause."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from devices.emulators.cli import emulate
from devices.transport import Unavailable, transport
from tests.devices import independent, independent_bx, vectors_bx
from tests.devices.hall import until

SHIPPED = Path(__file__).resolve().parents[2] / "devices" / "profiles" / "shipped"


async def test_keys_pressed_on_the_command_line_are_frames_and_what_is_shown_is_told() -> None:
    typed: asyncio.Queue[str] = asyncio.Queue()
    told: list[dict[str, object]] = []

    async def commands() -> AsyncIterator[str]:
        while True:
            yield await typed.get()

    def events(kind: str) -> list[dict[str, object]]:
        return [event for event in told if event["event"] == kind]

    nodes, faults = ["keypad:7-8", "rating:0x87:b", "strip:3"], ["noise=0"]
    task = asyncio.create_task(
        emulate("rs485", "tcp://127.0.0.1:0", nodes, faults, commands=commands(), say=told.append)
    )
    await until(lambda: events("listening"))
    line = transport(str(events("listening")[0]["url"]))
    await line.open()
    typed.put_nowait("press 7 42 call")
    assert independent.decode_ff68(await line.read()) == [(7, 1, [4, 2, 0x0C])]
    await line.write(independent.build_ff68(7, 1, 4, 2, 0x0C))
    await until(lambda: {"event": "acknowledged", "command": "press 7 42 call"} in told)
    await line.write(independent.build_ff68(7, 2, 10, 10, 10, 0, 4, 2))
    await until(lambda: any(event.get("cells") == "   042" for event in told))
    typed.put_nowait("rate 0x87 3")
    assert independent.decode_ff68(await line.read()) == [(0x87, 0x11, [3])]
    await line.write(bytes.fromhex("68 02 02 68 87 01 88 16"))
    await until(lambda: {"event": "acknowledged", "command": "rate 0x87 3"} in told)
    await line.write(bytes.fromhex("A0 90 03 A5 00 05 C7 EB 00 41 00 CE"))
    assert await line.read() == bytes.fromhex("A0 90 03 A5 AA")
    await until(lambda: any(event.get("text") == "请A" for event in told))
    for wrong in ("press 99 call", "press 7 jump", "rate 0x87 999", "fault gravity 1", "dance"):
        typed.put_nowait(wrong)
        await until(lambda wrong=wrong: any(event.get("command") == wrong for event in events("wrong")))
    typed.put_nowait("unplug")
    with pytest.raises(Unavailable):
        await line.read()
    await line.close()
    typed.put_nowait("quit")
    await task


async def test_hardware_1_with_a_speed_bytes_leave_at_the_pace_of_a_real_line() -> None:
    typed: asyncio.Queue[str] = asyncio.Queue()
    told: list[dict[str, object]] = []

    async def commands() -> AsyncIterator[str]:
        while True:
            yield await typed.get()

    task = asyncio.create_task(
        emulate("rs485", "tcp://127.0.0.1:0", ["keypad:7"], [], commands=commands(), say=told.append, baud=300)
    )
    await until(lambda: any(event["event"] == "listening" for event in told))
    line = transport(str(next(event["url"] for event in told if event["event"] == "listening")))
    await line.open()
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    typed.put_nowait("press 7 call")
    raw = await line.read()
    while len(raw) < 10:
        raw += await line.read()
    assert loop.time() - began_s >= 9 * 10 / 300 * 0.9
    assert independent.decode_ff68(raw) == [(7, 1, [0x0C])]
    typed.put_nowait("quit")
    await line.close()
    await task


async def test_usage_is_refused_in_words() -> None:
    async def nothing() -> AsyncIterator[str]:
        return
        yield ""

    for nodes, faults in (["piano:1"], []), (["keypad:x"], []), (["keypad:300"], []), (["keypad:1"], ["rain=1"]):
        with pytest.raises(ValueError, match=r"node|address|fault"):
            await emulate("rs485", "memory://usage", nodes, faults, commands=nothing(), say=lambda event: None)
    for kind, baud in (("printer", 9600), ("rs485", 3)):
        with pytest.raises(ValueError, match="--baud"):
            await emulate(
                kind, "memory://usage", ["keypad:7"], [], commands=nothing(), say=lambda event: None, baud=baud
            )


def test_the_program_offers_a_serial_port(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "devices.emulators", "rs485", "--node", "keypad:7", "--json"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        listening = json.loads(process.stdout.readline())
        assert Path(listening["url"].removeprefix("serial://").partition("?")[0]).is_char_device()
        assert json.loads(process.stdout.readline())["device"] == "keypad"
        process.stdin.write("quit\n")
        process.stdin.flush()
        assert process.wait(10) == 0


async def test_hardware_4_a_printer_tells_what_it_printed_and_runs_out_at_a_word() -> None:
    typed: asyncio.Queue[str] = asyncio.Queue()
    told: list[dict[str, object]] = []

    async def commands() -> AsyncIterator[str]:
        while True:
            yield await typed.get()

    def events(kind: str) -> list[dict[str, object]]:
        return [event for event in told if event["event"] == kind]

    task = asyncio.create_task(
        emulate("printer", "tcp://127.0.0.1:0", [], ["near=100"], commands=commands(), say=told.append)
    )
    await until(lambda: events("listening"))
    line = transport(str(events("listening")[0]["url"]))
    await line.open()
    await line.write("A012 号\n".encode("gbk") + b"\x1dV\x00")
    await until(lambda: events("printed"))
    assert "A012" in str(events("printed")[0]["text"])
    typed.put_nowait("paper 0")
    await until(lambda: events("device"))
    assert events("device")[-1]["out"] is True
    await line.write(b"\x10\x04\x04")
    assert (await line.read())[0] & 0x60 == 0x60
    typed.put_nowait("paper soon")
    await until(lambda: events("wrong"))
    for command in ("paper plenty", "full_status on", "presenter auto"):
        typed.put_nowait(command)
    await until(lambda: "at_output" in events("device")[-1])
    await line.write(b"A013\n\x1dV\x00\x10\x04\x14")
    assert (await line.read())[2] & 0x20
    typed.put_nowait("take")
    await until(lambda: events("device")[-1]["at_output"] is False)
    typed.put_nowait("jam_in 20")
    await until(lambda: len(events("device")) >= 6)
    await line.write(b"A014\nA014\n\x10\x04\x03")
    assert (await line.read())[0] & 0x08, "it jammed in the middle"
    typed.put_nowait("unplug")
    await until(lambda: events("unplugged"))
    typed.put_nowait("quit")
    await asyncio.wait_for(task, 5)
    await line.close()


async def test_hardware_3_1_a_voice_module_tells_what_it_says_and_has_its_own_faults() -> None:
    typed: asyncio.Queue[str] = asyncio.Queue()
    told: list[dict[str, object]] = []

    async def commands() -> AsyncIterator[str]:
        while True:
            yield await typed.get()

    def events(kind: str) -> list[dict[str, object]]:
        return [event for event in told if event["event"] == kind]

    task = asyncio.create_task(
        emulate("rs485", "tcp://127.0.0.1:0", ["syn6288"], [], commands=commands(), say=told.append)
    )
    await until(lambda: events("listening"))
    line = transport(str(events("listening")[0]["url"]))
    await line.open()
    await line.write(bytes.fromhex("FD 00 0B 01 00 D3 EE D2 F4 CC EC CF C2 C1"))
    assert await line.read() == b"\x41"
    await until(lambda: any(event.get("speaking") == "宇音天下" for event in told))
    typed.put_nowait("restart 0")
    assert await line.read() == b"\x4a"
    await until(lambda: events("device")[-1]["speaking"] == "")
    typed.put_nowait("fault 0 garbled 1")
    for wrong in ("fault 0 hoarse 1", "fault 3 deaf 1"):
        typed.put_nowait(wrong)
        await until(lambda wrong=wrong: any(event.get("command") == wrong for event in events("wrong")))
    await line.write(bytes.fromhex("FD 00 02 21 DE"))
    assert await line.read() == b"\x45"
    typed.put_nowait("quit")
    await asyncio.wait_for(task, 5)
    await line.close()


@pytest.mark.parametrize(
    ("node", "words", "seen"),
    [
        ("sam-v:0", ["do 0 put", "fault 0 refusals 2"], ("card", True)),
        ("gm65:0", ["fault 0 mute 1", "do 0 scan A042 b"], ("scans", 1)),
        ("keyboard-scanner:0", ["do 0 key 30", "do 0 scan A042"], ("scans", 1)),
        ("tablet-s-udp:0", ["fault 0 stale 1", "do 0 rate 5"], ("screen", "thanks")),
        ("tablet-json:0", ["do 0 login", "do 0 rate 5"], ("invitations", 0)),
        ("led-485:1", ["fault 1 deaf 1"], ("shown", "")),
    ],
)
async def test_issue_3_what_a_person_does_to_a_device_is_said_to_it(
    node: str, words: list[str], seen: tuple[str, object]
) -> None:
    told: list[dict[str, object]] = []

    async def commands() -> AsyncIterator[str]:
        for text in (*words, "do 0 sing", "do 1 sing", "fault 0 hoarse 1", "show"):
            yield text

    await emulate("rs485", "memory://acts", [node], [], commands=commands(), say=told.append)
    wrong = [event["command"] for event in told if event["event"] == "wrong"]
    assert wrong == ["do 0 sing", "do 1 sing", "fault 0 hoarse 1"]
    name, value = seen
    assert [event for event in told if event["event"] == "device"][-1][name] == value


async def test_hardware_2_5_a_card_tells_its_rows_refuses_at_a_word_and_loses_them_with_its_power() -> None:
    typed: asyncio.Queue[str] = asyncio.Queue()
    told: list[dict[str, object]] = []

    async def commands() -> AsyncIterator[str]:
        while True:
            yield await typed.get()

    def last() -> dict[str, object]:
        return [event for event in told if event["event"] == "device"][-1]

    task = asyncio.create_task(
        emulate("rs485", "tcp://127.0.0.1:0", ["bx:1"], [], commands=commands(), say=told.append)
    )
    await until(lambda: any(event["event"] == "listening" for event in told))
    line = transport(str(next(event["url"] for event in told if event["event"] == "listening")))
    await line.open()
    await line.write(bytes.fromhex(vectors_bx.CALL))
    assert await line.read() == bytes.fromhex(vectors_bx.ACK)
    await until(lambda: last()["rows"] == ["请A042号到3号窗口"])
    typed.put_nowait("fault 1 refuse 1")
    typed.put_nowait("fault 1 garbled 1")
    await until(lambda: any(event.get("command") == "fault 1 garbled 1" for event in told))
    await line.write(bytes.fromhex(vectors_bx.DELETE_ALL))
    (refusal,) = independent_bx.packets(await line.read())
    assert (refusal.to, refusal.sender, refusal.command) == (0x8000, 1, "a001")
    typed.put_nowait("restart 1")
    await until(lambda: last()["rows"] == [])
    typed.put_nowait("quit")
    await asyncio.wait_for(task, 5)
    await line.close()


async def test_an_empty_line_is_wrong_usage() -> None:
    async def nothing() -> AsyncIterator[str]:
        return
        yield ""

    with pytest.raises(ValueError, match="--node"):
        await emulate("rs485", "tcp://127.0.0.1:0", [], [], commands=nothing(), say=lambda _: None)


async def test_issue_3_devices_of_a_profiles_file_are_emulated_and_their_keys_pressed(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_bytes((SHIPPED / "ff68-template.toml").read_bytes())
    typed: asyncio.Queue[str] = asyncio.Queue()
    told: list[dict[str, object]] = []

    async def commands() -> AsyncIterator[str]:
        while True:
            yield await typed.get()

    nodes = [f"{tmp_path / 'own.toml'}:0x87", "ff68-keypad-template:7", "aaqt:3"]
    task = asyncio.create_task(emulate("rs485", "tcp://127.0.0.1:0", nodes, [], commands=commands(), say=told.append))
    await until(lambda: any(event["event"] == "listening" for event in told))
    line = transport(str(told[0]["url"]))
    await line.open()
    typed.put_nowait("press 7 42 0C")
    assert independent.decode_ff68(await line.read()) == [(7, 1, [4, 2, 0x0C])]
    await line.write(independent.build_ff68(7, 1, 4, 2, 0x0C))
    await until(lambda: {"event": "acknowledged", "command": "press 7 42 0C"} in told)
    typed.put_nowait("rate 0x87 3")
    assert independent.decode_ff68(await line.read()) == [(0x87, 0x11, [3])]
    await line.write(independent.build_ff68(0x87, 1, 3))
    await until(lambda: {"event": "acknowledged", "command": "rate 0x87 3"} in told)
    await line.write(bytes.fromhex("AA 03 BB 51 54 D3 01 00 99 00 63 41 30 34 32 FF"))
    await until(lambda: any(event.get("text") == "A042" for event in told))
    for wrong in ("press 3 0C", "press 7 jump", "rate 3 1"):
        typed.put_nowait(wrong)
        await until(lambda wrong=wrong: any(e["event"] == "wrong" and e["command"] == wrong for e in told))
    typed.put_nowait("quit")
    await task
    await line.close()
