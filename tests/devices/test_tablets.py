"""Network rating tablets against their emulators over UDP, TCP and websocket, under each fault (HARDWARE 1.2, 7.3)."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from devices.devicemap import Calls, make_bus, plan
from devices.emulators.rs485 import Faults, Rs485BusEmulator
from devices.emulators.tablets import EmulatedJsonTablet, EmulatedSTablet
from devices.framing.ff68 import FF68, Ff68Frame
from devices.framing.stream import Framer
from devices.framing.tablets import JSON_OBJECTS, S_TEXTS, JsonObject, TabletText
from devices.profiles.profile import NOBODY
from devices.protocols.base import Ignored, Mute, Send
from devices.protocols.jsontablet import JsonTablet
from devices.protocols.rating import Press, RatingSettings
from devices.protocols.stablet import ALIVE, INVITE, POLL, WELCOME, Network, STablet, TabletTimes
from devices.transport import Unavailable, transport
from queue_server.wire.agent import DeviceEntry
from tests.devices.hall import listen_url, until

LEVELS = {level: level for level in range(1, 6)}
SETTINGS = RatingSettings(LEVELS)
RESULT = "S02||0001||{}||||09:00:00||{}||1.jpg||1.mp4||1||"


def test_hardware_1_2a_the_published_bytes_of_a_command() -> None:
    """zxclient's WorkForm.cs: hex of S01E."""
    assert S_TEXTS.encode(WELCOME) == bytes.fromhex("53 30 31 45")
    assert Framer(S_TEXTS.from_device).feed(b"RecvCmdOK") == [TabletText("RecvCmdOK")]
    texts = {INVITE: "S02E", POLL: "SE", ALIVE[Network.UDP]: "S95E", ALIVE[Network.TCP]: "S99||0||E"}
    assert all(S_TEXTS.encode(frame) == text.encode() for frame, text in texts.items())


def test_hardware_1_2a_a_result_is_a_press_by_its_second_part_and_an_old_one_is_none() -> None:
    talk = STablet(SETTINGS, TabletTimes(), Network.UDP)
    assert talk.invite(60_000) == [Send(INVITE, "invite", 3000)]
    talk.sent(INVITE, 0)
    assert talk.receive(TabletText("RecvCmdOK"), 10) == []
    assert (talk.wake_at_ms, talk.wake(2_010)) == (2_010, [Send(POLL, "ask", 3000)])
    first = TabletText(RESULT.format(4, "10:00:01"))
    assert talk.receive(first, 2_100) == [Press(1, 4)]
    assert talk.stored(1) == []
    talk.invite(120_000)
    assert talk.receive(first, 5_000) == []  # stale
    assert talk.receive(TabletText(RESULT.format(4, "10:02:00")), 6_000) == [Press(2, 4)]
    assert talk.receive(TabletText("S02||0001||||"), 9_000) == []  # none yet
    (strange,) = talk.receive(TabletText(RESULT.format("x", "")), 9_000)
    assert isinstance(strange, Ignored)


def test_an_invitation_whose_answer_was_lost_is_made_again_only_when_there_is_no_result() -> None:
    talk = STablet(SETTINGS, TabletTimes(), Network.UDP)
    talk.invite(60_000)
    talk.sent(INVITE, 0)
    assert talk.wake(3_000) == []
    assert talk.wake(5_000) == [Send(POLL, "ask", 3000)]
    talk.sent(POLL, 5_000)
    assert talk.receive(TabletText("RecvCmdOK"), 5_100) == [Send(INVITE, "invite", 3000)]
    talk.sent(INVITE, 5_100)
    assert talk.wake(8_100) == []
    assert talk.wake(10_100) == [Send(POLL, "ask", 3000)]
    talk.sent(POLL, 10_100)
    assert talk.receive(TabletText(RESULT.format(4, "10:00:01")), 10_200) == [Press(1, 4)]


def test_a_lost_invitation_is_made_again_while_the_tablet_still_shows_what_was_told_long_ago() -> None:
    """The result of the service before stays on the tablet until an invitation wipes it: it must not read as this one's."""
    talk = STablet(SETTINGS, TabletTimes(), Network.UDP)
    talk.invite(60_000)
    talk.sent(INVITE, 0)
    before = TabletText(RESULT.format(4, "10:00:01"))
    assert talk.receive(before, 100) == [Press(1, 4)]
    talk.stored(1)
    talk.invite(60_000)
    talk.sent(INVITE, 10_000)
    talk.wake(13_000)
    talk.sent(POLL, 15_000)
    assert talk.receive(before, 15_100) == [Send(INVITE, "invite", 3000)]
    talk.sent(INVITE, 15_100)
    talk.receive(TabletText("RecvCmdOK"), 15_200)
    talk.sent(POLL, 17_200)
    assert talk.receive(before, 17_300) == []  # it answered: asked once is enough


def test_issue_3_what_no_tablet_says_is_no_answer() -> None:
    """Else a scanner or a printer at its address would be a rating device that can be used (RULES 37)."""
    talk = STablet(SETTINGS, TabletTimes(), Network.UDP)
    talk.line_up(0)
    for tries in range(3):
        talk.sent(ALIVE[Network.UDP], 10_000 * tries)
        (strange,) = talk.receive(TabletText("A042-x7\r"), 10_000 * tries + 100)
        assert isinstance(strange, Ignored)
        assert talk.wake(10_000 * tries + 3_000) == ([Mute()] if tries == 2 else [])
    for text in ("RecvCmdOK", "S95OK", "S99||Version=2||02-00-00-00-00-01||", "||Version=2||02-00-00-00-00-01||"):
        assert talk.receive(TabletText(text), 40_000) == []


def test_law_8_a_result_that_could_not_be_stored_is_looked_for_again() -> None:
    talk = STablet(SETTINGS, TabletTimes(), Network.TCP)
    talk.invite(60_000)
    talk.sent(INVITE, 0)
    result = TabletText(RESULT.format(1, "10:00:01"))
    assert talk.receive(result, 100) == [Press(1, 1)]
    talk.lost(1)
    assert talk.wake(2_100) == [Send(POLL, "ask", 3000)]
    talk.sent(POLL, 2_100)
    assert talk.receive(result, 2_200) == [Press(2, 1)]
    talk.stored(2)
    talk.sent(POLL, 4_200)
    assert talk.receive(result, 4_300) == []
    assert talk.wake(14_300) == [Send(ALIVE[Network.TCP], "ask", 3000)]


def test_an_invitation_that_nobody_takes_ends_with_a_welcome() -> None:
    talk = STablet(SETTINGS, TabletTimes(), Network.UDP)
    talk.invite(1_000)
    talk.sent(INVITE, 0)
    talk.receive(TabletText("RecvCmdOK"), 10)
    assert talk.wake(2_010) == [Send(WELCOME, "ask", 3000)]


objects = st.dictionaries(st.text(max_size=6), st.text(max_size=12) | st.integers() | st.lists(st.text(max_size=4)))


@settings(max_examples=80, deadline=None)
@given(st.lists(objects, max_size=4), st.data())
def test_hardware_1_2b_objects_under_any_chunking(sent: list[dict[str, object]], data: st.DataObject) -> None:
    frames = [JsonObject(json.dumps(said, ensure_ascii=data.draw(st.booleans()))) for said in sent]
    stream = b" \n".join(map(JSON_OBJECTS.encode, frames))
    framer: Framer[Any] = Framer(JSON_OBJECTS.from_device)
    found: list[Any] = []
    while stream:
        step = data.draw(st.integers(1, 20))
        found += framer.feed(stream[:step])
        stream = stream[step:]
    assert [item for item in found if isinstance(item, JsonObject)] == frames


def test_issue_3_an_object_begins_with_its_brace_whatever_else_is_on_the_line() -> None:
    """Another protocol's frame is asked about at its own first byte, and is not the beginning of an object."""
    frame = bytes.fromhex("FF 68 03 03 68 07 01 0C 14 16")
    framer: Framer[Any] = Framer((*JSON_OBJECTS.from_device, *FF68.from_device))
    assert framer.feed(frame) == [Ff68Frame(7, 1, b"\x0c")]
    assert framer.feed(b'{"a":1}' + frame) == [JsonObject('{"a":1}'), Ff68Frame(7, 1, b"\x0c")]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=400) | st.sampled_from([b"{", b'{"a":', b"S02||", b"}"]), max_size=6))
def test_design_8_any_bytes_give_no_exception(pieces: list[bytes]) -> None:
    texts: Framer[Any] = Framer(S_TEXTS.from_device)
    objects: Framer[Any] = Framer(JSON_OBJECTS.from_device)
    one = STablet(SETTINGS, TabletTimes(), Network.UDP)
    other = JsonTablet(SETTINGS, "attitude", "")
    for piece in pieces:
        for frame in texts.feed(piece):
            if isinstance(frame, TabletText):
                one.receive(frame, 0)
        for frame in objects.feed(piece) + objects.flush():
            if isinstance(frame, JsonObject):
                other.receive(frame, 0)
    assert texts.held == objects.held == 0


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(["Login", "RateSubmit", "GetItemList", "Other", ""]), objects)
def test_hardware_1_2b_any_request_is_answered(method: str, given_: dict[str, object]) -> None:
    talk = JsonTablet(SETTINGS, "attitude", "")
    found = talk.receive(JsonObject(json.dumps({"method": method, "param": given_})), 0)
    assert bool(method) == any(isinstance(item, Send) for item in found)


# Against the emulators.


def free_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Desk:
    """A tablet on its line and what it told."""

    def __init__(self) -> None:
        self.levels: list[int] = []
        self.disk_full = 0
        self.pad: Any

    async def _rated(self, _: object, level: int, age_ms: int) -> None:
        if self.disk_full:
            self.disk_full -= 1
            raise Unavailable("no space left")
        self.levels.append(level)

    @contextlib.asynccontextmanager
    async def running(self, profile: str, url: str, **own: str) -> AsyncIterator[None]:
        entry = DeviceEntry(
            id="t1", kind="rating_pad", url=url, address=0, profile=profile, window="1",
            levels={str(level): level for level in LEVELS}, settings=own,
        )  # fmt: skip
        calls = Calls(NOBODY.pressed, self._rated, NOBODY.health_changed, NOBODY.printer)
        bus = make_bus((entry,), calls)
        (self.pad,) = bus.drivers
        task = asyncio.create_task(bus.run())
        try:
            await until(lambda: bus.counters["opened"])
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


QUICK = {"poll_ms": "50", "alive_ms": "80", "reply_ms": "300"}
KINDS = {
    "udp": (Network.UDP, "udp://127.0.0.1:0", ""),
    "udp shared": (Network.UDP, "udp://127.0.0.1:0", "?local={port}"),
    "tcp": (Network.TCP, "tcp://127.0.0.1:0", "?each=true"),
    "memory": (Network.UDP, "memory", ""),
}


@contextlib.asynccontextmanager
async def tablet(kind: str, tmp_path: Path) -> AsyncIterator[tuple[EmulatedSTablet, Rs485BusEmulator, Desk]]:
    network, listen, query = KINDS[kind]
    node, desk = EmulatedSTablet(network=network), Desk()
    url = listen_url("memory", tmp_path) if listen == "memory" else listen
    async with Rs485BusEmulator(url, [node]) as emulator:
        there = emulator.url + query.format(port=free_port(socket.SOCK_DGRAM))
        async with desk.running(f"tablet-s-{network}", there, **QUICK):
            await until(lambda: desk.pad.health.state == "online")
            yield node, emulator, desk


FAULTS = ("none", "deaf", "late", "lost", "stale", "twice", "disk")
CASES = [*((kind, fault) for kind in KINDS for fault in FAULTS), ("tcp", "bytewise")]  # a datagram is whole


@pytest.mark.parametrize(("kind", "fault"), CASES)
async def test_issue_3_each_rating_is_told_once_under_each_fault(kind: str, fault: str, tmp_path: Path) -> None:
    async with tablet(kind, tmp_path) as (node, emulator, desk):
        match fault:
            case "deaf":
                node.deaf = 2
            case "late":
                node.late_ms = 60
            case "lost":
                emulator.faults = Faults(lose=2)
            case "stale":
                node.stale = True
            case "bytewise":
                emulator.faults = Faults(bytewise=True)
            case "disk":
                desk.disk_full = 2
        for level in (5, 1):
            before = node.invitations
            desk.pad.invite(60_000)
            await until(lambda before=before: node.invitations > before)  # type: ignore[misc]
            await asyncio.sleep(0.12)
            await node.rate(level)
            if fault == "twice" and node.pushes:
                await node.transmit(TabletText(node.result))
            await until(lambda level=level: desk.levels[-1:] == [level])  # type: ignore[misc]
        await asyncio.sleep(0.2)
        assert desk.levels == [5, 1]
        await until(lambda: desk.pad.health.state == "online")


@pytest.mark.parametrize("kind", ["udp shared", "tcp"])
async def test_a_silent_tablet_is_offline_and_comes_back(kind: str, tmp_path: Path) -> None:
    async with tablet(kind, tmp_path) as (node, emulator, desk):
        if kind == "udp shared":
            await node.leave()
            await until(lambda: "goes away" in desk.pad.health.last_error)
        await emulator.unplug()
        await until(lambda: desk.pad.health.state == "offline")
        await emulator.plug()
        await until(lambda: desk.pad.health.state == "online")
        desk.pad.invite(60_000)
        await until(lambda: node.screen == "rate")
        await node.rate(3)
        await until(lambda: desk.levels == [3])


async def test_a_tablet_whose_program_does_not_run_is_offline_once_and_comes_back() -> None:
    """UDP to a closed port opens, and each datagram is told that nobody listens: that is no new life of the line each time."""
    desk = Desk()
    port = free_port(socket.SOCK_DGRAM)
    async with desk.running("tablet-s-udp", f"udp://127.0.0.1:{port}", **QUICK):
        await until(lambda: desk.pad.health.state == "offline")
        asked = desk.pad.line.counters["frames_out"]
        await asyncio.sleep(0.5)
        assert 2 <= desk.pad.line.counters["frames_out"] - asked <= 12
        assert (desk.pad.line.counters["opened"], desk.pad.line.counters["failures"]) == (1, 0)
        async with Rs485BusEmulator(f"udp://127.0.0.1:{port}", [EmulatedSTablet(network=Network.UDP)]):
            await until(lambda: desk.pad.health.state == "online")


@contextlib.asynccontextmanager
async def caller(**own: str) -> AsyncIterator[tuple[EmulatedJsonTablet, Rs485BusEmulator, Desk]]:
    node, desk = EmulatedJsonTablet(), Desk()
    url = f"ws://127.0.0.1?local={free_port(socket.SOCK_STREAM)}"
    async with Rs485BusEmulator(url, [node]) as emulator, desk.running("tablet-json", url, **own):
        await until(lambda: emulator.connected)
        await node.log_in()
        yield node, emulator, desk


@pytest.mark.parametrize("fault", [Faults(), Faults(bytewise=True), Faults(split_ms=20), Faults(noise=3)])
async def test_issue_3_a_calling_tablet_rates_its_present_invitation_once(fault: Faults) -> None:
    async with caller() as (node, emulator, desk):
        emulator.faults = fault
        await until(lambda: desk.pad.health.state == "online")
        desk.pad.invite(60_000)
        await until(lambda: node.invitations == 1)
        await node.rate(4)
        await until(lambda: ("RateSubmit", "0") in node.answers)
        await node.rate(4)  # it did not hear the answer
        await until(lambda: list(node.answers).count(("RateSubmit", "0")) == 2)
        await node.rate(2, "999")
        await until(lambda: ("RateSubmit", "1003") in node.answers)
        await node.say("GetItemList")
        await node.say("Dance")
        await until(lambda: ("Dance", "999") in node.answers)
        assert desk.levels == [4]


async def test_law_8_a_calling_tablet_is_answered_only_when_the_press_is_stored() -> None:
    async with caller() as (node, _, desk):
        desk.disk_full = 1
        desk.pad.invite(60_000)
        await until(lambda: node.invitations == 1)
        await node.rate(5)
        await until(lambda: desk.pad.health.state == "degraded")
        assert ("RateSubmit", "0") not in node.answers
        await node.rate(5)
        await until(lambda: ("RateSubmit", "0") in node.answers)
        assert desk.levels == [5]


async def test_a_tablet_that_calls_again_is_invited_again_and_another_window_is_refused() -> None:
    async with caller(number="1") as (node, emulator, desk):
        desk.pad.invite(60_000)
        await until(lambda: node.invitations == 1)
        await emulator.unplug()
        await until(lambda: desk.pad.health.state == "offline")
        await emulator.plug()
        await until(lambda: emulator.connected)
        node.number = "2"
        await node.log_in()
        await until(lambda: ("Login", "1002") in node.answers)
        node.number = "1"
        await node.log_in()
        await until(lambda: node.invitations == 2)
        await node.rate(1)
        await until(lambda: desk.levels == [1])


async def test_a_port_for_several_callers_knows_them_by_address_and_gives_itself_back() -> None:
    port = free_port(socket.SOCK_STREAM)
    first, second = transport(f"ws://127.0.0.1?local={port}"), transport(f"ws://127.0.0.1?local={port}")
    waiting = asyncio.create_task(first.open())
    await asyncio.sleep(0.1)
    with pytest.raises(Unavailable, match="another line"):
        await second.open()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))


async def test_two_tablets_share_a_port_and_the_newest_call_of_each_counts() -> None:
    port = free_port(socket.SOCK_STREAM)
    lines = [transport(f"ws://127.0.0.{host}?local={port}") for host in (1, 2)]
    waiting = asyncio.gather(*(line.open() for line in lines))
    await asyncio.sleep(0.1)

    async def call(host: int) -> ClientConnection:
        return await connect(f"ws://127.0.0.1:{port}/", local_addr=(f"127.0.0.{host}", 0))

    calls = [await call(2), await call(1)]
    await waiting
    await calls[0].send("second")
    await calls[1].send("first")
    assert [await line.read() for line in lines] == [b"first", b"second"]
    again = await call(2)  # it was restarted: the old call is over
    with pytest.raises(Unavailable):
        await lines[1].read()
    stranger = await call(3)
    with pytest.raises(ConnectionClosed):
        await stranger.recv()
    for line in lines:
        await line.close()
    for connection in (*calls, again):
        await connection.close()


def test_a_mistake_in_the_map_is_a_sentence() -> None:
    def wrong(profile: str, url: str, **own: str) -> dict[str, str]:
        return plan(
            [DeviceEntry(id="t", kind="rating_pad", url=url, address=0, profile=profile, window="1", levels={"5": 5}, settings=own)]
        ).wrong  # fmt: skip

    assert not wrong("tablet-s-udp", "udp://192.0.2.7:8001?local=7791")
    assert not wrong("tablet-s-tcp", "tcp://127.0.0.1:8011?each=true")
    assert not wrong("tablet-json", "ws://192.0.2.7?local=3348")
    assert wrong("tablet-json", "ws://192.0.2.7:80?local=3348")
    assert wrong("tablet-json", "ws://192.0.2.7?local=3348", score="charm")
    assert wrong("tablet-s-udp", "udp://192.0.2.7:8001", poll_ms="0")
