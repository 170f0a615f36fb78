"""`yichuang emulate`: devices on a line for people and programs, with keys to press and faults to cause."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from devices.emulators.cli import TYPED_LIMIT, Asked, _typed, parse_node
from devices.transport import Unavailable
from tests.devices import independent, independent_bx, vectors_bx
from tests.devices.hall import emulating, obeyed, until

SHIPPED = Path(__file__).resolve().parents[2] / "devices" / "profiles" / "shipped"
TCP = "tcp://127.0.0.1:0"


async def test_keys_pressed_on_the_command_line_are_frames_and_what_is_shown_is_told() -> None:
    nodes = ["keypad:7-8", "rating:0x87:b", "strip:3"]
    async with emulating(Asked(url=TCP, nodes=nodes, faults=["noise=0"])) as person:
        line = await person.opened()
        person.type("press 7 42 call")
        assert independent.decode_ff68(await line.read()) == [(7, 1, [4, 2, 0x0C])]
        await line.write(independent.build_ff68(7, 1, 4, 2, 0x0C))
        await until(lambda: {"event": "acknowledged", "command": "press 7 42 call"} in person.told)
        await line.write(independent.build_ff68(7, 2, 10, 10, 10, 0, 4, 2))
        await person.tells("device", cells="   042")
        person.type("rate 0x87 3")
        assert independent.decode_ff68(await line.read()) == [(0x87, 0x11, [3])]
        await line.write(bytes.fromhex("68 02 02 68 87 01 88 16"))
        await until(lambda: {"event": "acknowledged", "command": "rate 0x87 3"} in person.told)
        await line.write(bytes.fromhex("A0 90 03 A5 00 05 C7 EB 00 41 00 CE"))
        assert await line.read() == bytes.fromhex("A0 90 03 A5 AA")
        await person.tells("device", text="请A")
        person.type("unplug")
        with pytest.raises(Unavailable):
            await line.read()
        await line.close()


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("press 99 call", "no device at 99"),
        ("press x call", "'x': an address is"),
        ("press 7 jump", "no key 'jump': start, wait, call"),
        ("press 7 4x call", "digits are"),
        ("press 3 call", "no keys"),
        ("press 9 1FF", "'1FF': a key of a TOML profile"),
        ("rate 0x87 999", "'999': a level is"),
        ("rate 7 1", "no rating device"),
        ("restart 7", "cannot do that"),
        ("fault gravity 1", "lossy"),
        ("1 press 7 call", "help"),  # the line's number is for several lines only
        ("dance", "help"),
    ],
)
async def test_what_is_not_understood_is_said_in_a_sentence_and_ends_nothing(command: str, reason: str) -> None:
    nodes = ["keypad:7", "rating:0x87", "strip:3", "ff68-keypad-template:9"]
    told = await obeyed([command, "", "show"], Asked(url="memory://sentence", nodes=nodes))
    [wrong] = [event for event in told if event["event"] == "wrong"]
    assert wrong["command"] == command
    assert reason in str(wrong["reason"])
    assert len([event for event in told if event["event"] == "device"]) >= len(nodes)


async def test_law_5_who_types_more_than_is_obeyed_waits_and_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """`yes show | yichuang emulate …` filled the memory."""
    total, read = 10 * TYPED_LIMIT, 0

    def lines() -> Iterator[str]:
        nonlocal read
        for number in range(total):
            read += 1
            yield f"show {number}\n"

    monkeypatch.setattr(sys, "stdin", lines())
    typed = _typed()
    came = [await anext(typed)]
    await until(lambda: read > TYPED_LIMIT)
    await asyncio.sleep(0.2)
    assert read <= TYPED_LIMIT + 2  # one obeyed, one in the reader's hand
    came += [await anext(typed) for _ in range(total - 1)]
    assert came == [f"show {number}\n" for number in range(total)]


def test_what_stands_after_an_address_and_means_nothing_is_refused() -> None:
    assert len(parse_node("rating:0x87:b")) == 1
    for text in ("strip:1:2:3", "strip:1:b", "keypad:7:"):
        with pytest.raises(
            ValueError, match=re.escape(f"{text!r}: only a rating device has something after its address")
        ):
            parse_node(text)


async def test_hardware_1_with_a_speed_bytes_leave_at_the_pace_of_a_real_line() -> None:
    async with emulating(Asked(url=TCP, nodes=["keypad:7"], baud=300)) as person:
        line = await person.opened()
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        person.type("press 7 call")
        raw = await line.read()
        while len(raw) < 10:
            raw += await line.read()
        assert loop.time() - began_s >= 9 * 10 / 300 * 0.9
        assert independent.decode_ff68(raw) == [(7, 1, [0x0C])]
        await line.close()


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (Asked(url="memory://usage", nodes=["piano:1"]), "a node is one of"),
        (Asked(url="memory://usage", nodes=["keypad:x"]), "an address is"),
        (Asked(url="memory://usage", nodes=["keypad:300"]), "addresses are"),
        (Asked(url="memory://usage", nodes=["keypad:1"], faults=["rain=1"]), "no fault 'rain'"),
        (Asked(url="memory://usage"), "--node"),
        (Asked(url="memory://usage", nodes=["keypad:7"], baud=3), "--baud"),
        (Asked(url="memory://usage", kind="printer", baud=9600), "--baud"),
        (Asked(url="memory://usage", kind="printer", nodes=["keypad:7"]), "--node"),
        (Asked(url="memory://usage", kind="printer", faults=["7:deaf=on"]), "no address"),
        (Asked(url="somewhere", kind="printer"), "not a transport URL"),
        (Asked(url="serial:///dev/x", nodes=["keypad:7"]), "cannot listen"),
    ],
)
async def test_usage_is_refused_in_words(asked: Asked, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        await obeyed([], asked)


async def test_where_there_are_no_ptys_it_says_what_to_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "devices.transport.pty", raising=False)
    monkeypatch.setitem(sys.modules, "tty", None)  # as on Windows
    with pytest.raises(Unavailable, match="use tcp://"):
        await obeyed([], Asked(url="pty://", nodes=["keypad:7"]))


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
    async with emulating(Asked(kind="printer", url=TCP, faults=["near=100"])) as person:
        line = await person.opened()
        await line.write("A012 号\n".encode("gbk") + b"\x1dV\x00")
        assert "A012" in str((await person.tells("printed"))["text"])
        assert not person.events("device")
        person.type("paper 0")
        await person.tells("device", out=True)
        await line.write(b"\x10\x04\x04")
        assert (await line.read())[0] & 0x60 == 0x60
        person.type("paper soon")
        await person.tells("wrong", command="paper soon")
        for command in ("paper plenty", "full_status on", "presenter auto"):
            person.type(command)
        await until(lambda: "at_output" in person.events("device")[-1])
        await line.write(b"A013\n\x1dV\x00\x10\x04\x14")
        assert (await line.read())[2] & 0x20
        person.type("take")
        await until(lambda: person.events("device")[-1]["at_output"] is False)
        person.type("jam_in 20")
        await until(lambda: len(person.events("device")) >= 6)
        await line.write(b"A014\nA014\n\x10\x04\x03")
        assert (await line.read())[0] & 0x08, "it jammed in the middle"
        person.type("unplug")
        await person.tells("unplugged")
        await line.close()


async def test_hardware_3_1_a_voice_module_tells_what_it_says_and_has_its_own_faults() -> None:
    async with emulating(Asked(url=TCP, nodes=["syn6288"])) as person:
        line = await person.opened()
        await line.write(bytes.fromhex("FD 00 0B 01 00 D3 EE D2 F4 CC EC CF C2 C1"))
        assert await line.read() == b"\x41"
        await person.tells("device", speaking="宇音天下")
        person.type("restart 0")
        assert await line.read() == b"\x4a"
        await until(lambda: person.events("device")[-1]["speaking"] == "")
        person.type("fault 0 garbled 1")
        for wrong in ("fault 0 hoarse 1", "fault 3 deaf 1"):
            person.type(wrong)
            await person.tells("wrong", command=wrong)
        await line.write(bytes.fromhex("FD 00 02 21 DE"))
        assert await line.read() == b"\x45"
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
    commands = (*words, "do 0 sing", "do 1 sing", "fault 0 hoarse 1", "show")
    told = await obeyed(commands, Asked(url="memory://acts", nodes=[node]))
    wrong = [event["command"] for event in told if event["event"] == "wrong"]
    assert wrong == ["do 0 sing", "do 1 sing", "fault 0 hoarse 1"]
    name, value = seen
    assert [event for event in told if event["event"] == "device"][-1][name] == value


async def test_hardware_2_5_a_card_tells_its_rows_refuses_at_a_word_and_loses_them_with_its_power() -> None:
    async with emulating(Asked(url=TCP, nodes=["bx:1"])) as person:
        line = await person.opened()
        await line.write(bytes.fromhex(vectors_bx.CALL))
        assert await line.read() == bytes.fromhex(vectors_bx.ACK)
        await until(lambda: person.events("device")[-1]["rows"] == ["请A042号到3号窗口"])
        person.type("fault 1 refuse 1")
        person.type("fault 1 garbled 1")
        await person.tells("wrong", command="fault 1 garbled 1")
        await line.write(bytes.fromhex(vectors_bx.DELETE_ALL))
        (refusal,) = independent_bx.packets(await line.read())
        assert (refusal.to, refusal.sender, refusal.command) == (0x8000, 1, "a001")
        person.type("restart 1")
        await until(lambda: person.events("device")[-1]["rows"] == [])
        await line.close()


async def test_issue_3_devices_of_a_profiles_file_are_emulated_and_their_keys_pressed(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_bytes((SHIPPED / "ff68-template.toml").read_bytes())
    nodes = [f"{tmp_path / 'own.toml'}:0x87", "ff68-keypad-template:7", "aaqt:3"]
    async with emulating(Asked(url=TCP, nodes=nodes)) as person:
        line = await person.opened()
        person.type("press 7 42 0C")
        assert independent.decode_ff68(await line.read()) == [(7, 1, [4, 2, 0x0C])]
        await line.write(independent.build_ff68(7, 1, 4, 2, 0x0C))
        await person.tells("acknowledged", command="press 7 42 0C")
        person.type("rate 0x87 3")
        assert independent.decode_ff68(await line.read()) == [(0x87, 0x11, [3])]
        await line.write(independent.build_ff68(0x87, 1, 3))
        await person.tells("acknowledged", command="rate 0x87 3")
        await line.write(bytes.fromhex("AA 03 BB 51 54 D3 01 00 99 00 63 41 30 34 32 FF"))
        await person.tells("device", text="A042")
        for wrong in ("press 3 0C", "press 7 jump", "rate 3 1"):
            person.type(wrong)
            await person.tells("wrong", command=wrong)
        await line.close()
