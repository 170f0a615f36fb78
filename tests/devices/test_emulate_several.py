"""Issue 3, emulators as products: one `yichuang emulate` runs several lines, each with its own faults, and one page shows all."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from devices.emulators.cli import Asked, main
from devices.transport import Unavailable, transport
from queue_server.cli import main as yichuang
from tests.devices import independent
from tests.devices.hall import emulating, obeyed

TCP = "tcp://127.0.0.1:0"
STATUS = b"\x10\x04\x04"


class Program:
    """The command as a process, with `--json`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self.process, self.stdin, self.stdout = process, process.stdin, process.stdout
        self.told: list[dict[str, Any]] = []

    async def tells(self, kind: str, **fields: object) -> dict[str, Any]:
        """The next such event."""
        async with asyncio.timeout(20):
            while True:
                event: dict[str, Any] = json.loads(await self.stdout.readline())
                self.told.append(event)
                if event["event"] == kind and fields.items() <= event.items():
                    return event

    def type(self, command: str) -> None:
        self.stdin.write(command.encode() + b"\n")


@contextlib.asynccontextmanager
async def program(*arguments: str) -> AsyncIterator[Program]:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "devices.emulators", *arguments, "--json", stdin=pipe, stdout=pipe
    )
    running = Program(process)
    try:
        yield running
        running.type("quit")
        assert await asyncio.wait_for(process.wait(), 20) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_one_process_is_a_pty_a_socket_and_a_printer_with_one_page_for_all(tmp_path: Path) -> None:
    line_1 = ["rs485", "--listen", f"pty://{tmp_path / 'hall'}", "--node", "keypad:7", "--fault", "7:silent=on"]
    line_2 = ["rs485", "--listen", TCP, "--node", "keypad:7", "--node", "strip:3", "--panel", "0"]
    line_3 = ["printer", "--listen", TCP, "--fault", "paper=out"]
    async with program(*line_1, "--and", *line_2, "--and", *line_3) as run:
        page = (await run.tells("panel"))["url"]
        ends = [transport((await run.tells("listening", line=number))["url"]) for number in (1, 2, 3)]
        assert ends[0].url == f"serial://{tmp_path / 'hall'}?baud=9600"
        for end in ends:
            await end.open()
        pty, tcp, printer = ends

        run.type("2 press 7 42 call")
        assert independent.decode_ff68(await tcp.read()) == [(7, 1, [4, 2, 0x0C])]
        await tcp.write(independent.build_ff68(7, 1, 4, 2, 0x0C))
        assert "line" in await run.tells("acknowledged", line=2, command="press 7 42 call")
        run.type("1 press 7 call")
        await run.tells("unanswered", line=1)  # the fault was this line's alone
        run.type("1 wake 7")
        run.type("1 press 7 call")
        assert independent.decode_ff68(await pty.read()) == [(7, 1, [0x0C])]
        await printer.write(STATUS)
        assert (await printer.read())[0] & 0x60 == 0x60
        run.type("3 paper plenty")
        await run.tells("device", line=3, out=False)
        await printer.write("A012 号\n".encode("gbk") + b"\x1dV\x00")
        assert "A012" in (await run.tells("printed", line=3))["text"]

        async with aiohttp.ClientSession() as session, session.ws_connect(f"{page}bench") as socket:
            stations = (await socket.receive_json())["stations"]
            assert [(each["id"], each["name"]["en"]) for each in stations] == [
                ("line-1", "Line 1"),
                ("line-2", "Line 2"),
                ("line-3", "Printer on line 3"),
            ]
            seen = (await socket.receive_json())["documents"]
            devices = {key: each["kind"] for key, each in seen.items() if key.startswith("device/")}
            assert devices == {
                "device/line-1.1": "keypad",
                "device/line-2.1": "keypad",
                "device/line-2.2": "strip",
                "device/line-3": "printer",
            }
            assert [seen[f"line/line-{number}"]["url"] for number in (1, 2, 3)] == [end.url for end in ends]
            await socket.send_json({"do": "fault", "id": 1, "line": "line-2", "name": "unplugged", "value": "on"})
            with pytest.raises(Unavailable):
                await tcp.read()
        run.type("show")
        assert [(await run.tells("device"))["line"] for _ in range(4)] == [1, 2, 2, 3]
        for end in ends:
            await end.close()


async def test_a_word_says_which_line_it_is_for() -> None:
    lines = [Asked(url=f"memory://said-{number}", nodes=["keypad:7"]) for number in (1, 2)]
    wrong = [
        "press 7 call",
        "unplug",
        "0 unplug",
        "3 unplug",
        "2",
        "² unplug",
        "2 unplug now",
        "2 3 unplug",
        "2 press 8 call",
    ]
    told = await obeyed(["", "2 unplug", *wrong, "show", "help", "2 help"], *lines)
    plugs = [event for event in told if event["event"] in ("listening", "unplugged")]
    assert plugs[2:] == [
        {"event": "unplugged", "line": 2},
        {"event": "listening", "line": 1, "url": "memory://said-1"},  # show
        {"event": "unplugged", "line": 2},
    ]
    reasons = [(event.get("line"), event["command"], event["reason"]) for event in told if event["event"] == "wrong"]
    which = "which line? Begin with its number, 1 to 2, such as: 1 unplug"
    assert reasons == [
        *((None, command, which) for command in wrong[:6]),
        (2, "unplug now", "not understood: try help"),
        (2, "3 unplug", "not understood: try help"),
        (2, "press 8 call", "no device at 8"),
    ]
    assert [event["line"] for event in told if event["event"] == "device"][-2:] == [1, 2]
    every, one = [str(event["text"]) for event in told if event["event"] == "help"]
    assert every.count("press ADDRESS") == 1, "the same help for both"
    assert every.endswith(one)
    assert "2 unplug" in every


async def test_a_line_that_is_not_to_be_had_is_named_ends_no_other_and_can_be_plugged_in_later(tmp_path: Path) -> None:
    taken = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0)
    port = taken.sockets[0].getsockname()[1]
    link = tmp_path / "later" / "line"
    asked = (
        Asked(kind="printer", url=f"tcp://127.0.0.1:{port}", faults=["near=100", "paper=out"]),
        Asked(url=TCP, nodes=["keypad:7"]),
        Asked(url=f"pty://{link}", nodes=["keypad:7"], faults=["7:silent=on"]),
        Asked(url=f"tcp://127.0.0.1:{port}", nodes=["keypad:7"], faults=["unplugged=300ms"]),
    )
    async with emulating(*asked) as person:
        line = await person.opened(line=2)
        assert str(port) in str((await person.tells("unavailable", line=1))["reason"])
        assert str(link) in str((await person.tells("unavailable", line=3))["reason"])
        await person.tells("unavailable", line=4)
        person.type("2 press 7 call")
        assert independent.decode_ff68(await line.read()) == [(7, 1, [0x0C])]
        person.type("1 plug")
        await person.tells("wrong", line=1, command="plug")
        person.type("3 wake 7")
        link.parent.mkdir()
        person.type("3 plug")
        pty = await person.opened(line=3)
        person.type("3 press 7 call")
        assert independent.decode_ff68(await pty.read()) == [(7, 1, [0x0C])]
        taken.close()
        await taken.wait_closed()
        again = transport(f"tcp://127.0.0.1:{port}")
        async with asyncio.timeout(20):
            while True:  # line 4 said itself when it would be back
                with contextlib.suppress(Unavailable):
                    await again.open()
                    break
                await asyncio.sleep(0.05)
        person.type("4 unplug")
        await person.tells("unplugged", line=4)
        person.type("1 plug")
        printer = await person.opened(line=1)
        await printer.write(STATUS)
        assert (await printer.read())[0] & 0x60 == 0x60, "its faults were kept"
        for end in (line, pty, again, printer):
            await end.close()


async def test_two_lines_of_one_memory_are_one_line_and_a_refusal() -> None:
    told = await obeyed([], *(Asked(url="memory://twice", nodes=["keypad:7"]) for _ in range(2)))
    assert [(event["event"], event["line"]) for event in told] == [("listening", 1), ("unavailable", 2)]


async def test_without_any_line_it_ends() -> None:
    with pytest.raises(Unavailable, match=r"no link .*/a:.*; no link .*/b:"):
        await obeyed([], *(Asked(url=f"pty:///nowhere/{name}", nodes=["keypad:7"]) for name in "ab"))


KEYPAD = ["rs485", "--listen", "memory://a", "--node", "keypad:7"]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([*KEYPAD, "--and", "rs485"], "line 2: an empty line"),
        ([*KEYPAD, "--and", "printer", "--baud", "9600"], "line 2: --node and --baud"),
        ([*KEYPAD, "--fault", "rain=1", "--and", "printer"], "line 1: no fault 'rain'"),
        ([*KEYPAD, "--and", *KEYPAD, "--listen", "somewhere"], "line 2: not a transport URL"),
        ([*KEYPAD, "--and", *KEYPAD, "--listen", "pty:///x/y", "--and", "printer", "--listen", "pty:///x/y"], "line 3: --listen"),
        ([*KEYPAD, "--panel", "0", "--and", "printer", "--panel", "8090"], "one page shows all lines"),
    ],
)  # fmt: skip
def test_wrong_usage_names_its_line(arguments: list[str], reason: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert reason in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([*KEYPAD, "--and"], "required: kind"),
        ([*KEYPAD, "--and", "piano"], "invalid choice: 'piano'"),
        ([*KEYPAD, "--and", "printer", "--node"], "--node"),
        (["--and", *KEYPAD], "required: kind"),
    ],
)
def test_arguments_that_are_none_are_refused_by_the_command_itself(
    arguments: list[str], reason: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")
    with pytest.raises(SystemExit) as ended:
        yichuang(["emulate", *arguments])
    assert ended.value.code == 2
    assert reason in capsys.readouterr().err


def test_lines_that_are_all_taken_are_the_answer_no(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [
        "emulate",
        "printer",
        "--listen",
        "pty:///nowhere/a",
        "--and",
        "printer",
        "--listen",
        "pty:///nowhere/b",
    ]
    assert yichuang(arguments) == 1
    assert capsys.readouterr().out == (
        "unavailable  reason=no link /nowhere/a: No such file or directory; no link /nowhere/b: No such file or directory\n"
    )
