"""`yichuang devices learn` finds the map of a foreign hall, and writes nothing on its line (issue 3)."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import re
import sys
import tomllib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from devices import tool
from devices.agent import Agent, AgentSettings
from devices.devicemap import Printer, plan, read_map
from devices.emulators.nodes import EmulatedKeypad, EmulatedRatingPad
from devices.emulators.rs485 import Rs485BusEmulator
from devices.framing.a090 import A090Ack, A090Frame, encode_a090
from devices.framing.aaqt import BOARD, AaqtFrame, encode_aaqt
from devices.framing.template import TemplateFrame, parse_template
from devices.learning import cli
from devices.learning.answers import KEYS
from devices.learning.words import KEY_NAMES, LEVEL_NAMES
from devices.profiles import PROFILES, add_folder
from devices.protocols.rating import AckVariant
from queue_server.wire.agent import DeviceEntry, KeypadAnswered, KeypadPressed, PressStored, RatingPressed, ShowStrip
from tests.devices.foreign import KEYPADS, PADS, STRIPS, WINDOWS, ForeignHall, Keys, OwnLine, OwnTap, forget_learnt
from tests.devices.hall import own_time, until
from tests.devices.server import WireServer

ROOT = Path(__file__).resolve().parents[2]

HALLQUEUEFRONT: Keys = {
    "next": ("", 0x0C), "recall": ("", 0x0D), "call": ("12", 0x0C), "evaluate": ("", 0x0B), "no_show": ("5", 0x0F),
    "pause": ("0", 0x0F), "resume": ("2", 0x0F), "transfer_to": ("3", 0x0A), "hold": ("0", 0x0B), "sign_in": ("1001", 0x0F),
    "sign_out": ("4", 0x0F), "call_guard": ("6", 0x0F),
}  # fmt: skip
JACKQCHEN: Keys = {
    "next": ("", 0x0C), "recall": ("", 0x0D), "evaluate": ("", 0x0B), "no_show": ("6", 0x0F), "pause": ("", 0x12),
    "transfer": ("", 0x13), "hold": ("0", 0x0F), "call_back": ("3", 0x0F),
}  # fmt: skip
OF_ITS_OWN: Keys = {
    "next": ("", 0x0B), "recall": ("", 0x0C), "call": ("12", 0x0B), "evaluate": ("", 0x14), "no_show": ("7", 0x0D),
    "pause": ("", 0x13), "resume": ("", 0x12), "transfer_to": ("3", 0x0F), "sign_in": ("1001", 0x0D),
}  # fmt: skip
UNKNOWN = parse_template("show", "5A A5 < {address} 31 {length} ( {text} ) > {sum} 0D", "sum8", 120)


def a090(address: int, text: str) -> bytes:
    data = b"".join(character.encode("gbk") + b"\x01" for character in text)
    return encode_a090(A090Frame(address, 0xA5, data))


def a_hall(name: str, link: Path) -> tuple[ForeignHall, str, str]:
    """A hall, the profile of its keypads, and that of its strips."""
    levels = {5: 2, 4: 0, 3: 4, 2: 1, 1: 3}
    match name:
        case "hallquefront":
            board = lambda text: encode_aaqt(AaqtFrame(0x60, text.encode("gbk"), BOARD))  # noqa: E731
            return ForeignHall(link, HALLQUEUEFRONT, levels, "b", aaqt, board=board), "hallquefront", "aaqt"
        case "jackqchen":
            acks = lambda address: encode_a090(A090Ack(address))  # noqa: E731
            return ForeignHall(link, JACKQCHEN, levels, "a", a090, acks, baud=19_200), "jackqchen", "a090"
        case "its own":
            return ForeignHall(link, OF_ITS_OWN, levels, "a", aaqt), "ff68-keypad", "aaqt"
        case _:
            answer = lambda address: bytes((0xA5, 0x5A, 0x06, address))  # noqa: E731
            return ForeignHall(link, JACKQCHEN, levels, "b", unknown, answer), "jackqchen", "learnt-strip"


def aaqt(address: int, text: str) -> bytes:
    return encode_aaqt(AaqtFrame(address, text.encode("gbk")))


def unknown(address: int, text: str) -> bytes:
    return UNKNOWN.encode(TemplateFrame("show", address, text.encode("gbk")))


class Terminal:
    """The command as a process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def type(self, text: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{text}\n".encode())
        await self.process.stdin.drain()

    async def lines(self) -> AsyncIterator[str]:
        """What it says, until it ends."""
        assert self.process.stderr is not None
        async for raw in self.process.stderr:
            yield raw.decode().rstrip("\n")

    async def ended(self) -> int:
        return await self.process.wait()


class OwnTerminal:
    """The command in this process and in its own time: the same from its options to its files, without a port and a terminal."""

    def __init__(self, hall: ForeignHall, words: Sequence[str], patched: pytest.MonkeyPatch) -> None:
        assert isinstance(hall.line, OwnLine)
        line = hall.line
        self._said: asyncio.Queue[str | None] = asyncio.Queue()
        self._typed: asyncio.Queue[str | None] = asyncio.Queue()
        patched.setattr(cli, "_tell", lambda text: [self._said.put_nowait(row) for row in text.split("\n")])
        patched.setattr(cli, "_read_terminal", self._into)
        patched.setattr(cli, "open_tap", lambda url: OwnTap(line, url))
        self._task = asyncio.create_task(self._run(words))

    def _into(self, lines: asyncio.Queue[str | None]) -> None:
        self._typed = lines

    async def _run(self, words: Sequence[str]) -> int:
        parser = argparse.ArgumentParser()
        tool.add_arguments(parser)
        arguments = parser.parse_args(words)
        try:
            return cli.conclude(await cli.live(arguments, cli.parse_windows(arguments.windows)), arguments)
        finally:
            self._said.put_nowait(None)

    async def type(self, text: str) -> None:
        self._typed.put_nowait(text)

    async def lines(self) -> AsyncIterator[str]:
        """What it says, until it ends."""
        while (said := await self._said.get()) is not None:
            yield said

    async def ended(self) -> int:
        return await self._task


class Person:
    """Reads the questions and walks to the windows; makes the mistakes that people make."""

    def __init__(self, hall: ForeignHall, terminal: Terminal | OwnTerminal, chinese: bool) -> None:
        self.hall, self.terminal = hall, terminal
        side = 0 if chinese else 1
        self.keys = {names[side].format(typed=KEYS[what].typed): what for what, names in KEY_NAMES.items()}
        self.levels = {names[side]: level for level, names in LEVEL_NAMES.items()}
        words = (r"^窗口 (\w+)：请按 (.+)$", r"^窗口 (\w+) 的评价器：请按“(.+)”$")
        if not chinese:
            words = (r"^Window (\w+): press (.+)$", r"^Rating device of window (\w+): press “(.+)”$")
        self.key_question, self.level_question = map(re.compile, words)
        self.heard: list[str] = []
        self.mistaken: set[str] = set()

    async def attend(self) -> None:
        """Until the program ends its questions."""
        async for line in self.terminal.lines():
            self.heard.append(line)
            if asked := self.key_question.match(line):
                await self.key(asked[1], self.keys[asked[2]])
            elif asked := self.level_question.match(line):
                await self.level(asked[1], self.levels[asked[2]])
            elif asked := re.match(r"^(?:地址|The strip at) (0x\w\w)", line):
                await self.terminal.type(
                    next(window for window, address in STRIPS.items() if address == int(asked[1], 16))
                )
            elif re.search("同时有两个地址|Two addresses", line):
                await asyncio.sleep(1.7)
                await self.hall.press("3", "next")

    def once(self, mistake: str) -> bool:
        first = mistake not in self.mistaken
        self.mistaken.add(mistake)
        return first

    async def key(self, window: str, what: str) -> None:
        await asyncio.sleep(0.1)
        if (window, what) == ("1", "recall") and self.once("the wrong key"):
            await self.hall.press("1", "evaluate")
        elif window == "1" and "the wrong key" in self.mistaken and self.once("taken back"):
            await self.terminal.type("u")
        elif what not in self.hall.keys:
            await self.terminal.type("")
        elif (window, what) == ("1", "no_show") and self.once("a key that is something else"):
            await self.hall.press("1", "recall")
            await asyncio.sleep(0.3)
            await self.hall.press("1", "no_show")
        elif (window, what) == ("2", "next") and self.once("at the window before"):
            await self.hall.rate("1", 5)
            await self.hall.press("1", "next")
            await asyncio.sleep(0.5)
            await self.hall.press("2", "next")
        elif (window, what) == ("3", "next") and self.once("two at once"):
            await self.hall.press("3", "next")
            await self.hall.press("4", "next")
        else:
            await self.hall.press(window, what)

    async def level(self, window: str, level: int) -> None:
        await asyncio.sleep(0.1)
        await self.hall.rate(window, level)


@contextlib.asynccontextmanager
async def learning_at_once(
    hall: ForeignHall, *words: str, language: str = "en_US.UTF-8", baud: int = 0
) -> AsyncIterator[Person]:
    """`learning` in the hall's own time."""
    hall.line = OwnLine()
    url = f"serial://{hall.link}" + (f"?baud={baud}" if baud else "")
    with own_time(), pytest.MonkeyPatch.context() as patched:
        patched.setenv("LC_ALL", language)
        async with hall:
            yield Person(hall, OwnTerminal(hall, ["learn", url, *words], patched), language.startswith("zh"))


@contextlib.asynccontextmanager
async def learning(
    hall: ForeignHall, *words: str, language: str = "en_US.UTF-8", baud: int = 0
) -> AsyncIterator[Person]:
    """The command as a process, and the person who answers it; `baud`: the speed that is known."""
    url = f"serial://{hall.link}" + (f"?baud={baud}" if baud else "")
    async with hall:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "queue_server", "devices", "learn", url, *words,
            env={**os.environ, "PYTHONPATH": str(ROOT), "LC_ALL": language}, stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            yield Person(hall, Terminal(process), language.startswith("zh"))
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()
        assert hall.line.written == b""


def truth(hall: ForeignHall, keypad: str, strip: str) -> set[tuple[Any, ...]]:
    """The hidden map: kind, window, address, profile, key map or level map."""
    keys = ()
    if keypad == "ff68-keypad":
        spelt = {"call": "n", "transfer_to": "n", "sign_in": "nn"}
        keys = tuple(
            sorted((f"key.{spelt.get(what, typed)} {key:02X}".replace(". ", "."), str(KEYS[what].action))
            for what, (typed, key) in hall.keys.items())
        )  # fmt: skip
    levels = tuple(sorted((str(key), level) for level, key in hall.levels.items()))
    found: set[tuple[Any, ...]] = set()
    for window in WINDOWS:
        found.add(("keypad", window, KEYPADS[window], keypad, keys))
        found.add(("rating_pad", window, PADS[window], f"ff68-{hall.ack}", levels))
        found.add(("strip", window, STRIPS[window], strip, ()))
    return found | ({("board", "", 0x60, strip, ())} if hall.board else set())


def as_truth(entry: DeviceEntry) -> tuple[Any, ...]:
    more = tuple(sorted(entry.levels.items() or entry.settings.items()))
    return entry.kind, entry.window, entry.address, entry.profile, more


@pytest.mark.parametrize("name", ["hallquefront", "jackqchen", "its own", "unknown strips"])
@pytest.mark.timeout(400)  # a person walks to six windows
async def test_the_map_of_a_foreign_hall_is_found_and_the_agent_reads_its_keys(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hall, keypad, strip = a_hall(name, tmp_path / "line")
    file = tmp_path / "learnt" / "map.toml"
    words = (
        "--windows",
        "1-6",
        "--listen",
        "4",
        "--wait",
        "20",
        "--write",
        str(file),
        "--record",
        str(tmp_path / "heard"),
    )
    language = "zh_CN.UTF-8" if name == "hallquefront" else "en_US.UTF-8"
    # A process on a pty in the time of clocks, and the same in the hall's own time: a walk takes a minute.
    async with (learning if name == "jackqchen" else learning_at_once)(hall, *words, language=language) as person:
        await person.attend()
        said = "\n".join(person.heard)
        assert await person.terminal.ended() == 0, said
    forget_learnt()
    assert len(person.mistaken) == 5
    for sentence in (
        "(?:已经是窗口|is window) 1",
        "(?:刚才已经当作|was taken for)",
        "0x23, 0x35",
        "(?:退回一步|Taken back)",
    ):
        assert re.search(sentence, said), said
    text = file.read_text(encoding="utf-8")
    assert not re.search("no acknowledgement was heard|没有听到应答", text), text
    assert not add_folder(file.parent / "profiles")
    entries = read_map(text)
    assert {as_truth(entry) for entry in entries} == truth(hall, keypad, strip), text + said
    assert len(entries) == len(truth(hall, keypad, strip))
    assert plan(entries).wrong == {}
    assert entries[0].url.endswith(f"line?baud={hall.baud}&bits=8&parity=N&stop=1") or hall.baud == 9600
    assert all(device["agent"] == "agent-1" for device in tomllib.loads(text)["device"])
    capsys.readouterr()
    parser = argparse.ArgumentParser()
    tool.add_arguments(parser)
    learnt = forget_learnt()
    assert tool.run(parser.parse_args(["learn", str(tmp_path / "heard"), "--json"])) == 0
    assert learnt == forget_learnt()
    assert not add_folder(file.parent / "profiles")
    again = json.loads(capsys.readouterr().out)
    assert [one["id"] for one in again["devices"]] == [entry.id for entry in entries]
    await the_agent_reads(hall, entries, tmp_path)


async def the_agent_reads(hall: ForeignHall, entries: list[DeviceEntry], tmp_path: Path) -> None:
    """The agent with this map, in place of the old system: every key, every rating, every strip."""
    keypads = {window: EmulatedKeypad(address) for window, address in KEYPADS.items()}
    pads = {window: EmulatedRatingPad(address, AckVariant(hall.ack)) for window, address in PADS.items()}
    profile = PROFILES[next(entry.profile for entry in entries if entry.kind == "strip")]
    strips: dict[str, Any] = {window: profile.emulate(address) for window, address in STRIPS.items()}
    for device in (*keypads.values(), *pads.values()):
        device.tries = 12
    nodes = [*keypads.values(), *pads.values(), *strips.values()]
    async with Rs485BusEmulator(f"pty://{hall.link}", nodes) as line, WireServer(*entries) as server:
        settings = AgentSettings(server=server.url, token="x", state=tmp_path / "agent.db", agent="agent-1")
        agent = asyncio.create_task(Agent(settings, lambda show, _: [[(show.number, "red")]], no_printer).run())
        try:
            await until(lambda: server.connections and line.connected, 10)
            by_id = {entry.id: entry for entry in entries}
            for window, keypad in keypads.items():
                what, (digits, key) = list(hall.keys.items())[int(window) - 1]
                for asked, typed, code in {(what, digits, key), ("recall", *hall.keys["recall"])}:
                    before = len(server.all(KeypadPressed))
                    assert await keypad.press(code, typed)
                    said = await server.heard(KeypadPressed, before + 1)
                    assert (by_id[said.device].window, said.action) == (window, KEYS[asked].action)
                    await server.say(KeypadAnswered(epoch=1, id=said.id, ok=True, code="", show=""))
            for window, pad in pads.items():
                level = 1 + int(window) % 5
                before = {press.id for press in server.all(RatingPressed)}
                assert await pad.rate(hall.levels[level])
                await until(lambda before=before: {press.id for press in server.all(RatingPressed)} - before)
                new = [press for press in server.all(RatingPressed) if press.id not in before]
                assert [(by_id[press.device].window, press.level) for press in new] == [(window, level)]
                await server.say(PressStored(epoch=1, id=new[0].id))
            for entry in entries:
                if entry.kind == "strip":
                    await server.say(show(entry, f"A0{entry.window}"))
            await until(lambda: all(strip.text == f"A0{window}" for window, strip in strips.items()), 20)
        finally:
            agent.cancel()
            await asyncio.gather(agent, return_exceptions=True)


def no_printer(entry: object, changed: object) -> Printer:
    raise ValueError("no printer here")


def show(entry: DeviceEntry, number: str) -> ShowStrip:
    return ShowStrip(epoch=1, device=entry.id, state="call", number=number, window=entry.window, text="", lines=[])
