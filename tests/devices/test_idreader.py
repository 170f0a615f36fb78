"""ID card readers: published frames, records, and the reader against its emulator under each fault (HARDWARE 5.1, 7.5)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.decode import decode
from devices.devicemap import Calls, make_bus, plan
from devices.drivers.idreader import IdReader
from devices.emulators.idreader import EmulatedIdReader, foreign_record, record, synthetic_number
from devices.emulators.rs485 import Faults, Rs485BusEmulator
from devices.framing.samv import SAMV, SamReply, SamReplyGrammar, SamRequest, encode_sam
from devices.framing.stream import Framer, Garbage
from devices.profiles import PROFILES
from devices.profiles.profile import NOBODY
from devices.protocols.base import Ignored, Send
from devices.protocols.idcard import Card, Unreadable, check_digit, is_id_number, read_card
from devices.protocols.samv import FIND, READ, SELECT, STATUS, SamProtocol, SamSettings
from queue_server.wire.agent import DeviceEntry
from tests.devices.hall import listen_url, until

# HARDWARE 5.1: BearPi's ZKT_SDK/IDReader.h and HslCommunication's SAMSerial.
REQUESTS = [
    ("AA AA AA 96 69 00 03 11 FF ED", STATUS),  # V-src
    ("AA AA AA 96 69 00 03 12 FF EE", SamRequest(0x12, 0xFF)),
    ("AA AA AA 96 69 00 03 10 FF EC", SamRequest(0x10, 0xFF)),
    ("AA AA AA 96 69 00 03 20 01 22", FIND),  # V-src
    ("AA AA AA 96 69 00 03 30 01 32", READ),  # V-src
    ("AA AA AA 96 69 00 03 30 10 23", SamRequest(0x30, 0x10)),
    ("AA AA AA 96 69 00 03 30 03 30", SamRequest(0x30, 0x03)),
    ("AA AA AA 96 69 00 03 20 02 21", SELECT),  # V-self, from memory
]
REPLIES = [
    ("AA AA AA 96 69 00 04 00 00 90 94", SamReply(0x90)),  # V-src
    ("AA AA AA 96 69 00 08 00 00 9F 00 00 00 00 97", SamReply(0x9F, bytes(4))),  # V-src
    ("AA AA AA 96 69 00 04 00 00 80 84", SamReply(0x80)),  # V-src
    ("AA AA AA 96 69 00 04 00 00 81 85", SamReply(0x81)),  # V-src
    ("AA AA AA 96 69 00 04 00 00 41 45", SamReply(0x41)),  # V-src
]


@pytest.mark.parametrize(("raw", "frame"), REQUESTS + REPLIES)
def test_hardware_5_1_literal_frames(raw: str, frame: SamRequest | SamReply) -> None:
    assert encode_sam(frame) == bytes.fromhex(raw)
    grammars = SAMV.hosts if isinstance(frame, SamRequest) else SAMV.from_device
    assert Framer(grammars).feed(bytes.fromhex(raw)) == [frame]


def test_hardware_5_1_a_record_is_1295_bytes_with_the_published_header() -> None:
    raw = encode_sam(SamReply(0x90, bytes.fromhex("01 00 04 00") + record() + bytes(1024)))
    assert raw[:14] == bytes.fromhex("AA AA AA 96 69 05 08 00 00 90 01 00 04 00")  # V-src: length and header
    assert len(raw) == 1295
    with_fingers = encode_sam(SamReply(0x90, bytes.fromhex("01 00 04 00 04 00") + bytes(256 + 1024 + 1024)))
    assert with_fingers[5:16] == bytes.fromhex("09 0A 00 00 90 01 00 04 00 04 00")
    assert len(with_fingers) == 2321


@pytest.mark.parametrize("lead", ["AA 00 AA AA", "AA AA AA", "AA 00 AA", "AA", "", "AA AA AA AA AA AA"])
def test_hardware_5_1_resync_on_96_69_whatever_became_of_the_lead(lead: str) -> None:
    framer: Framer[Any] = Framer(SAMV.from_device)
    found = framer.feed(bytes.fromhex(lead + "96 69 00 04 00 00 90 94"))
    assert [item for item in found if not isinstance(item, Garbage)] == [SamReply(0x90)]


LEADS = [b"\xaa\xaa\xaa", b"\xaa\0\xaa\xaa"]
replies = st.builds(SamReply, st.integers(0, 255), st.binary(max_size=40), lead=st.sampled_from(LEADS))


@settings(max_examples=80, deadline=None)
@given(st.lists(replies, max_size=4), st.data())
def test_any_chunking_and_noise_finds_the_frames_and_is_bounded(sent: list[SamReply], data: st.DataObject) -> None:
    stream = b"".join(map(encode_sam, sent))
    framer: Framer[Any] = Framer(SAMV.from_device)
    found: list[Any] = []
    while stream:
        step = data.draw(st.integers(1, 30))
        found += framer.feed(stream[:step])
        stream = stream[step:]
    assert found == sent
    framer.feed(data.draw(st.binary(max_size=300)))
    assert framer.held <= SamReplyGrammar().longest
    framer.flush()
    assert framer.feed(bytes.fromhex(REPLIES[0][0])) == [SamReply(0x90)]


def test_a_lost_byte_costs_its_frame_and_not_the_next() -> None:
    whole = encode_sam(SamReply(0x9F, bytes(4)))
    framer: Framer[Any] = Framer(SAMV.from_device)
    found = framer.feed(whole[:9] + whole[10:] + encode_sam(SamReply(0x41))) + framer.flush()
    assert [item for item in found if not isinstance(item, Garbage)] == [SamReply(0x41)]


# Records.


def test_a_citizens_card_with_a_day_and_with_long_term() -> None:
    number = synthetic_number()
    assert number == "999999199003070012"  # HARDWARE 7.3
    card = read_card(record(until="20400101"))
    assert card == Card("id_card", number, "测试", date(2020, 1, 1), date(2040, 1, 1))
    forever = read_card(record(until="长期"))
    assert (forever.until, forever.long_term) == (None, True)
    assert read_card(record(until="20401341")).until is None  # what is no day stops nobody


def test_hardware_7_5_the_type_mark_counts_only_where_no_citizens_number_stands() -> None:
    """Offset 248 is in a citizen's new address, where an I may stand by chance."""
    moved = bytearray(record())
    moved[248:250] = "I".encode("utf-16-le")
    assert read_card(bytes(moved)).kind == "id_card"
    foreign = read_card(foreign_record())
    assert (foreign.kind, foreign.number, foreign.name) == ("foreign", "ZZZ999900030799", "测试")
    assert read_card(record("81000019900307" + "001" + check_digit("81000019900307001"))).kind == "residence"


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300) | st.binary(min_size=256, max_size=256))
def test_any_record_is_a_card_or_unreadable_without_its_bytes_in_the_text(raw: bytes) -> None:
    with contextlib.suppress(Unreadable):
        read_card(raw)


def test_a_wrong_check_digit_or_day_is_no_number() -> None:
    number = synthetic_number()
    assert is_id_number(number)
    assert not is_id_number(number[:17] + "3")
    assert not is_id_number(number[:10] + "13" + number[12:])
    broken = bytearray(record())
    broken[124] ^= 1
    with pytest.raises(Unreadable) as error:
        read_card(bytes(broken))
    assert number[6:14] not in str(error.value)


def test_rule_10_no_text_form_tells_of_the_person() -> None:
    card = read_card(record(name="测试甲"))
    reply = SamReply(0x90, record(name="测试甲"))
    for told in (repr(card), str(card), repr(reply)):
        assert "测试甲" not in told
        assert card.number not in told
        assert repr(record(name="测试甲"))[2:20] not in told


def test_hardware_5_1_the_commands_hide_a_record_and_half_a_record() -> None:
    raw = encode_sam(SamReply(0x90, bytes.fromhex("01 00 04 00") + record() + bytes(1024)))
    profile = PROFILES["sam-v"]
    for piece in (*decode(profile, raw, "device"), *decode(profile, raw[:700], "device")):
        assert piece.raw == b""
        assert "6D 4B" not in piece.line.upper()  # 测 in UTF-16LE
    (plain,) = decode(profile, bytes.fromhex(REPLIES[1][0]), "device")
    assert plain.told is not None
    assert plain.told["means"] == "card found"


# The conversation, on a clock of its own.


def test_an_answer_to_the_question_before_is_not_taken_for_the_present_one() -> None:
    talk = SamProtocol(SamSettings())
    assert talk.line_up(0) == [Send(STATUS, "ask", 500)]
    talk.sent(0)
    assert talk.receive(SamReply(0x90), 10) == [Send(FIND, "ask", 500)]
    talk.sent(10)
    assert talk.receive(SamReply(0x9F, bytes(4)), 20) == [Send(SELECT, "ask", 500)]
    talk.sent(20)
    (late,) = talk.receive(SamReply(0x9F, bytes(4)), 30)
    assert isinstance(late, Ignored)
    assert talk.receive(SamReply(0x90, bytes(8)), 40) == [Send(READ, "ask", 2000)]
    talk.sent(40)
    (late,) = talk.receive(SamReply(0x90, bytes(8)), 50)
    assert isinstance(late, Ignored)
    (card,) = talk.receive(SamReply(0x90, bytes.fromhex("01 00 04 00") + record() + bytes(1024)), 60)
    assert isinstance(card, Card)
    assert talk.wake_at_ms == 460


# Against the emulator.


def _entry(url: str, **own: str) -> DeviceEntry:
    quick = {"poll_ms": "30", "reply_ms": "200", "read_ms": "1000", "line.idle_ms": "60"}
    return DeviceEntry(
        id="id1", kind="id_reader", url=url, address=0, profile="sam-v", window="", levels={}, settings=quick | own
    )  # fmt: skip


class Counter:
    """A reader on an emulated line and what it told."""

    def __init__(self) -> None:
        self.node = EmulatedIdReader()
        self.cards: list[Card | None] = []
        self.emulator: Rs485BusEmulator
        self.driver: IdReader

    @contextlib.asynccontextmanager
    async def running(self, url: str) -> AsyncIterator[None]:
        async with Rs485BusEmulator(url, [self.node]) as self.emulator:
            calls = Calls(
                NOBODY.pressed, NOBODY.rated, NOBODY.health_changed, NOBODY.printer, lambda _, card: self.cards.append(card)
            )  # fmt: skip
            bus = make_bus((_entry(self.emulator.url),), calls)
            (driver,) = bus.drivers
            assert isinstance(driver, IdReader)
            self.driver = driver
            task = asyncio.create_task(bus.run())
            try:
                await until(lambda: driver.health.state == "online")
                yield
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)


def _nothing(counter: Counter) -> None:
    return None


def _set(**faults: int) -> Callable[[Counter], None]:
    def setter(counter: Counter) -> None:
        for name, value in faults.items():
            setattr(counter.node, name, value)

    return setter


def _line(faults: Faults) -> Callable[[Counter], None]:
    def setter(counter: Counter) -> None:
        counter.emulator.faults = faults

    return setter


FAULTS: dict[str, Callable[[Counter], None]] = {
    "none": _nothing,
    "bytewise": _line(Faults(bytewise=True)),
    "noise": _line(Faults(noise=5)),
    "split": _line(Faults(split_ms=20)),
    "wrong sums": _line(Faults(corrupt=3)),
    "lost": _line(Faults(lose=2)),
    "stray": _set(stray=100),
    "refused twice": _set(refusals=2),
    "deaf": _set(deaf=2),
    "lying length": _set(lies=2),
    "finds again": _set(finds_again=1),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("kind", ["memory", "pty"])
async def test_issue_3_each_card_is_told_once_under_each_fault(kind: str, fault: str, tmp_path: Path) -> None:
    counter = Counter()
    async with counter.running(listen_url(kind, tmp_path)):
        FAULTS[fault](counter)
        counter.node.put()
        await until(lambda: counter.cards)
        asked = len(counter.node.asked)
        await until(lambda: len(counter.node.asked) > asked + 3 or len(counter.node.asked) == 100)
        counter.node.take()
        await asyncio.sleep(0.1)
        counter.node.put(record(name="测试乙"))
        await until(lambda: len(counter.cards) > 1)
        await until(lambda: counter.driver.health.state == "online")
        assert [card and card.name for card in counter.cards] == ["测试", "测试乙"]


async def test_hardware_7_3_removal_between_select_and_read_is_no_card_and_the_next_is_read(tmp_path: Path) -> None:
    counter = Counter()
    async with counter.running(listen_url("memory", tmp_path)):
        counter.node.removals = 1
        counter.node.put()
        await until(lambda: READ in counter.node.asked)
        await asyncio.sleep(0.1)
        assert counter.cards == []
        counter.node.put()
        await until(lambda: counter.cards)


async def test_a_card_that_cannot_be_read_is_told_once_as_none(tmp_path: Path) -> None:
    counter = Counter()
    async with counter.running(listen_url("memory", tmp_path)):
        counter.node.refusals = 1000
        counter.node.put()
        await until(lambda: counter.cards)
        await asyncio.sleep(0.2)
        assert counter.cards == [None]
        assert counter.driver.health.counters["unread"] == 1
        assert counter.driver.health.state == "online"


async def test_a_silent_reader_is_offline_and_comes_back_and_a_pulled_cable_too(tmp_path: Path) -> None:
    counter = Counter()
    async with counter.running(listen_url("pty", tmp_path)):
        counter.node.silent = True
        await until(lambda: counter.driver.health.state == "offline")
        counter.node.silent = False
        await until(lambda: counter.driver.health.state == "online")
        await counter.emulator.unplug()
        await until(lambda: counter.driver.health.state == "offline")
        await counter.emulator.plug()
        counter.node.put()
        await until(lambda: counter.cards)


async def test_rule_10_nothing_of_a_card_is_logged_or_stands_in_the_health(tmp_path: Path) -> None:
    counter = Counter()
    with structlog.testing.capture_logs() as logs:
        async with counter.running(listen_url("memory", tmp_path)):
            counter.node.lies, counter.emulator.faults = 1, Faults(corrupt=1)
            counter.node.put()
            await until(lambda: counter.cards)
            health = f"{counter.driver.health.last_error} {counter.driver.health.counters}"
    for told in (str(logs), health):
        assert "测试" not in told
        assert synthetic_number()[:10] not in told


def test_the_map_takes_the_readers_speed_and_says_what_is_wrong() -> None:
    assert not plan([_entry("serial:///dev/serial/by-id/x", kiosk="k1")]).wrong
    wrong = plan([_entry("serial:///dev/serial/by-id/x", colour="red")]).wrong["id1"]
    assert "poll_ms" in wrong
    assert PROFILES["sam-v"].serial.baud == 115_200
