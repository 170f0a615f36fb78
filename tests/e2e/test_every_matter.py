"""Every matter of the district hall is called at every comprehensive window of its domains, and at every general
(无差别) window, through the keypads: the real server and agent, and the hall's own six lines as ptys."""

from __future__ import annotations

import asyncio
import itertools
import json
import string
import tomllib
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self

import aiohttp
import pytest
from msgspec import structs

from devices.emulators.nodes import EmulatedKeypad
from devices.protocols.keymaps import Key
from queue_server.app import hallfile
from queue_server.domain.configuration import Device
from tests.devices.independent import decode_ff68
from tests.e2e.living import LivingHall, TappedBus, until
from tests.hall_process import DISTRICT, open_hall

# Who serves what, from the hall's plan (its windows table), not from the hall file: a window of the file whose domains
# lack one of these gets no ticket of it, and this test fails. "*" is every domain; 一件事 are the bundles.
WINDOWS = {
    "3": "社会保障 医疗保障 一件事",
    "4": "社会保障 医疗保障 民政",
    **dict.fromkeys(("6", "7", "8", "9"), "社会保障 医疗保障"),
    "10": "* 一件事",
    **dict.fromkeys(("11", "12", "14"), "企业开办与登记 税务"),
    "13": "企业开办与登记 税务 综合事务",
    **dict.fromkeys(("15", "16", "17"), "不动产登记 税务"),
    "18": "不动产登记 公积金 税务 建设与规划",
    "19": "公积金 不动产登记 建设与规划",
    **dict.fromkeys(("20", "21"), "户籍与出入境"),
    "22": "民政 卫生健康 教育 综合事务",
    "23": "民政 卫生健康 教育 交通运输 农业农村 综合事务",
    "24": "建设与规划 交通运输 农业农村 综合事务",
}
GENERAL = "10"
LONE = {"1": ("zh-zixun", "zh-bangban"), "2": ("zh-yaotian",), "5": ("zh-chujian",)}
"""Windows of one duty each, which are no comprehensive windows: their few matters."""

FILE: dict[str, Any] = tomllib.loads(DISTRICT.read_text(encoding="utf-8"))
SHOWN = 0x02
FAST = {"line.gap_ms": "4", "line.turnaround_ms": "4"}


def wishes() -> dict[str, frozenset[str]]:
    """Every matter that may be asked for, and every bundle: the windows that must call it."""
    named = {domain["id"]: domain["name"] for domain in FILE["domain"]}
    found: dict[str, set[str]] = {}
    for matter in FILE["matter"]:
        if matter.get("offered", True):
            able = {w for w, domains in WINDOWS.items() if {"*", named[matter["domain"]]} & set(domains.split())}
            found[matter["id"]] = able | {w for w, matters in LONE.items() if matter["id"] in matters}
    for bundle in FILE["bundle"]:
        found[bundle["id"]] = {w for w, domains in WINDOWS.items() if "一件事" in domains.split()}
    return {wish: frozenset(windows) for wish, windows in found.items()}


BUNDLES = frozenset(bundle["id"] for bundle in FILE["bundle"])
NAMES = {each["id"]: each["name"] for each in (*FILE["matter"], *FILE["bundle"])}


def keypad_lines() -> dict[str, list[tuple[str, int]]]:
    """(window, address) of the keypads on each line of the hall file."""
    found: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for device in FILE["device"]:
        if device["kind"] == "keypad":
            found[device["url"]].append((device["window"], device["address"]))
    return found


class WiredHall(LivingHall):
    """The district hall with every keypad of its file, on as many ptys as it has lines.

    At 115,200 baud and with short silences, for the question is who is called where: at 9,600 baud with a line's usual
    silences the same presses take a minute more (tests/devices/test_busy_line.py has such a line). Strips and rating
    devices are left out, for they would take most of the lines' time.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, ())
        self.line_of: dict[str, TappedBus] = {}
        for n, there in enumerate(keypad_lines().values()):
            nodes = {window: EmulatedKeypad(address) for window, address in there}
            self.bus = TappedBus(f"pty://{folder / f'line-{n}'}", list(nodes.values()))
            self.keypads |= nodes
            self.line_of |= dict.fromkeys(nodes, self.bus)
        for keypad in self.keypads.values():
            keypad.tries = 12  # the machine is shared: an echo may be late

    def _hall_file(self, policy: dict[str, object]) -> Path:
        path = open_hall(self.folder / "config", DISTRICT, **policy)
        configuration, _ = hallfile.load(path.read_text(encoding="utf-8"))
        assert configuration is not None
        urls = {url: f"serial://{self.folder / f'line-{n}'}?baud=115200" for n, url in enumerate(keypad_lines())}
        keypads = [
            structs.replace(device, agent="agent-1", url=urls[device.url], settings=FAST)
            for device in configuration.device
            if device.kind == "keypad"
        ]
        paper = f"serial://{self.folder / 'printer'}?baud=115200"
        printer = Device(id="printer-1", agent="agent-1", kind="printer", url=paper)
        hours = structs.replace(configuration.hours, opens="00:01")
        kiosks = tuple(each for each in configuration.kiosk if each.id == "kiosk-1")
        wired = structs.replace(configuration, hours=hours, device=(printer, *keypads), kiosk=kiosks)
        path.write_text(hallfile.dump(wired), encoding="utf-8")
        return path

    async def __aenter__(self) -> Self:
        for line in set(self.line_of.values()) - {self.bus}:
            await self._stack.enter_async_context(line)
        return await super().__aenter__()

    async def key(self, window: str, key: Key, digits: str = "") -> str:
        """A key frame at a window's keypad, and what the keypad then shows: digits, "success" or "failure".

        What may have been drowned by another keypad is said again: an old number is no answer to a key that gets a sign,
        nor an old sign to one that gets a number.
        """
        keypad, line = self.keypads[window], self.line_of[window]
        keypad.cells = ""
        assert await keypad.press(key, digits), f"the keypad of window {window} got no echo"
        if key is Key.CALL:
            await line.until(lambda: keypad.cells.strip() != "" or keypad.sign == "failure", 10)
            return keypad.cells.strip() or keypad.sign
        await line.until(lambda: keypad.sign != "", 10)
        return keypad.sign


class Windows:
    """The document of every window, as the screens over the windows are told it."""

    def __init__(self, hall: WiredHall) -> None:
        self._hall = hall
        self._changed = asyncio.Condition()
        self.documents: dict[str, dict[str, Any]] = {}

    async def watch(self, windows: Iterable[str]) -> None:
        """Until cancelled."""
        base = self._hall.server.url
        async with self._hall.admin.session.ws_connect(f"{base}/api/v1/live") as socket:
            await socket.send_json({"type": "hello"})
            for window in windows:
                await socket.send_json({"type": "subscribe", "view": "window", "of": window})
            async for message in socket:
                await self._take(json.loads(message.data) if message.type is aiohttp.WSMsgType.TEXT else {})

    async def _take(self, heard: dict[str, Any]) -> None:
        assert heard.get("type") != "refused", heard
        if document := heard.get("documents", {}).get("window"):
            async with self._changed:
                self.documents[document["id"]] = document
                self._changed.notify_all()

    async def shows(self, window: str, number: str, wish: str) -> None:
        """Until the window's screen shows this number and what it is about."""

        def right() -> bool:
            seen = self.documents.get(window, {})
            return seen.get("number") == number and NAMES[wish] in seen["matter"]["zh"]

        async with asyncio.timeout(10), self._changed:
            await self._changed.wait_for(right)


class Run:
    """Everybody's presses: `called` are the (matter or bundle, window) pairs that a keypad has got."""

    def __init__(self, hall: WiredHall, windows: Windows, kiosk: str) -> None:
        self._hall, self._windows, self._kiosk = hall, windows, kiosk
        self._busy: set[str] = set()
        self._free = asyncio.Condition()
        self.called: set[tuple[str, str]] = set()

    async def take(self, wish: str) -> str:
        """The number of a new ticket."""
        wanted = {"bundle": wish} if wish in BUNDLES else {"matters": [wish]}
        headers = {"Authorization": f"Bearer {self._kiosk}"}
        return str((await self._hall.post("tickets", {**wanted, "paper": False}, headers))["ticket"]["number"])

    async def everywhere(self, wish: str, able: frozenset[str]) -> None:
        """As many tickets of one matter as windows must call it: nothing else waits that these windows serve, so that
        whichever of them presses first, each gets a ticket of this matter or none at all."""
        async with self._free:
            await self._free.wait_for(lambda: not able & self._busy)
            self._busy |= able
        waiting = dict.fromkeys(await asyncio.gather(*(self.take(wish) for _ in able)), wish)
        await asyncio.gather(*(self.one_citizen(window, waiting) for window in able))
        assert not waiting, f"{wish} waits where it was not called: {waiting}"
        async with self._free:
            self._busy -= able
            self._free.notify_all()

    async def one_citizen(self, window: str, waiting: dict[str, str]) -> None:
        """The call key gets one of those who wait; the evaluate key ends the service."""
        shown = await self._hall.key(window, Key.CALL)
        found = [number for number in waiting if number.lstrip(string.ascii_uppercase) == shown]
        document = self._windows.documents.get(window, {}).get("number", "")
        if len(found) > 1:  # the cells have no letters: A012 and B012 both wait for the general window
            await until(lambda: self._windows.documents[window]["number"] in found, 10, f"window {window}'s screen")
            found = [self._windows.documents[window]["number"]]
        assert found, f"window {window} shows {shown!r} ({document}) and should call one of {set(waiting.values())}"
        wish = waiting.pop(found[0])
        await self._windows.shows(window, found[0], wish)
        self.called.add((wish, window))
        assert await self._hall.key(window, Key.WAIT) == "success"


@pytest.mark.timeout(600)
async def test_every_matter_is_called_at_every_comprehensive_window_of_its_domains_and_at_every_general_window(
    tmp_path: Path,
) -> None:
    """RULES 5: issue "A hall that runs", "through the keypads"; some 1,930 pairs, each called by a frame on a line."""
    wanted = wishes()
    expected = {(wish, window) for wish, windows in wanted.items() for window in windows}
    assert len(wanted) >= 390 + 24
    assert len(expected) > 1_900
    async with WiredHall(tmp_path) as hall:
        await hall.start_agent()
        clerks = {window: f"10{window:0>2}" for window in hall.keypads}
        await asyncio.gather(*(hall.admin.staff(staff, "clerk") for staff in clerks.values()))
        windows = Windows(hall)
        order = sorted(hall.keypads)
        watching = [asyncio.create_task(windows.watch(part)) for part in (order[:12], order[12:])]
        try:
            run = Run(hall, windows, await hall.pair("kiosk", "kiosk-1"))
            signed = await asyncio.gather(*(hall.key(w, Key.FUNCTION, staff) for w, staff in clerks.items()))
            assert set(signed) == {"success"}
            async with asyncio.TaskGroup() as group:
                for wish, able in wanted.items():
                    group.create_task(run.everywhere(wish, able - {GENERAL}))
            # The general window could take anybody's ticket, so it calls when the others are done: all of them, alone.
            waiting = {await run.take(wish): wish for wish in wanted}
            while waiting:
                await run.one_citizen(GENERAL, waiting)
        finally:
            for task in watching:
                task.cancel()
            await asyncio.gather(*watching, return_exceptions=True)
        assert run.called == expected
        _the_journal_says_the_same(hall, expected)
        _the_line_heard_the_same(hall, expected)
        assert await hall.verify() == 0


def _the_journal_says_the_same(hall: WiredHall, expected: set[tuple[str, str]]) -> None:
    """Each pair is one call by the call rule, asked for by that window's keypad, and one finished, invited service."""
    rows = hall.rows("select actor, data from journal where kind = 'TicketCalled'")
    calls = [(actor, json.loads(data)) for actor, data in rows]
    assert all(actor == f"keypad:keypad-{call['window']}" and not call["given"] for actor, call in calls)
    assert len(calls) == len(expected)
    assert {(call["bundle"] or call["matters"][0], call["window"]) for _, call in calls} == expected
    ended = hall.rows("select count(*) from services where finished_at is not null and invited_at is not null")
    assert ended == [(len(expected),)]


def _the_line_heard_the_same(hall: WiredHall, expected: set[tuple[str, str]]) -> None:
    """From each keypad a call frame for each of its pairs, and to it the digits of what the journal says it called.

    A frame may come more than once, from a keypad whose echo is late and to a keypad whose line was opened again: so a
    keypad may call no more often than it was pressed, and what is shown twice in a row counts once.
    """
    rows = hall.rows("select data from journal where kind = 'TicketCalled' order by seq")
    called: dict[str, list[str]] = defaultdict(list)
    for (data,) in rows:
        call = json.loads(data)
        called[call["window"]].append(call["number"].lstrip(string.ascii_uppercase))
    for line in set(hall.line_of.values()):
        pressed = decode_ff68(bytes(line.from_devices))
        shown = decode_ff68(bytes(line.to_devices))
        for window in (w for w, its in hall.line_of.items() if its is line):
            address = hall.keypads[window].address
            calls = [f for f in pressed if f == (address, 0x01, [Key.CALL])]
            assert len(calls) >= sum(w == window for _, w in expected)
            cells = [f[2] for f in shown if f[:2] == (address, SHOWN) and len(f[2]) == 6 and min(f[2]) < 10]
            digits = ["".join(str(cell) for cell in each if cell < 10) for each in cells]
            assert once(digits) == once(called[window])


def once(shown: list[str]) -> list[str]:
    """Without what repeats the one before it."""
    return [each for each, _ in itertools.groupby(shown)]
