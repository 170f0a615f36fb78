"""A line for any devices: frames by codec and address, in turn, with each driver's own gap (HARDWARE 7.2, issue 3)."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.bus import IN_TURN_LIMIT, Bus, BusSettings
from devices.drivers.base import AnyDriver, BusDriver
from devices.framing.codec import Codec
from devices.framing.stream import Match, Miss
from devices.protocols.base import Send
from devices.transport import Transport, memory_pair
from tests.devices.hall import own_time, until


@dataclass(frozen=True, slots=True)
class Note:
    """`lead ADDR N ;`: the smallest addressed frame; two codecs of the tests share it."""

    address: int
    number: int


@dataclass(frozen=True, slots=True)
class NoteGrammar:
    lead: bytes
    longest: int = 4

    @property
    def leads(self) -> bytes:
        return self.lead

    def scan(self, stream: bytes | bytearray, at: int) -> Match[Note] | Miss:
        whole = bytes(stream[at : at + 4])
        if whole[:1] != self.lead or (len(whole) == 4 and whole[3:] != b";"):
            return Miss.NOISE
        return Match(Note(whole[1], whole[2]), 4) if len(whole) == 4 else Miss.MORE


def codec(lead: bytes, *, alone: bool = False) -> Codec[Note]:
    return Codec(lead.decode(), (NoteGrammar(lead),), lambda n: lead + bytes((n.address, n.number)) + b";", alone=alone)


class Card(BusDriver[Note]):
    """A card that is sent numbered notes and answers each with the same one."""

    kind = "card"

    def __init__(self, address: int, codec: Codec[Note], gap_ms: int | None = None) -> None:
        super().__init__(f"{codec.name}{address}", address, lambda driver: None)
        self.codec, self.gap_ms = codec, gap_ms
        self.answers: list[int] = []
        self.sends: list[tuple[int, int]] = []
        self.lost: list[int] = []

    def understand(self, frame: Note, now_ms: int) -> str:
        self.answers.append(frame.number)
        return ""

    def sent(self, send: Send[Note], now_ms: int) -> None:
        self.sends.append((send.frame.number, now_ms))

    def dropped(self, send: Send[Note], now_ms: int) -> None:
        super().dropped(send, now_ms)
        self.lost.append(send.frame.number)

    def say(self, number: int, *, slot: str = "", in_turn: bool = False, reply_ms: int = 0) -> None:
        self.put([Send(Note(self.address, number), slot, reply_ms, in_turn)])


class Wire:
    """A bus, the far end of its line, and every frame that arrived there with its time."""

    def __init__(self, *drivers: Card, settings: BusSettings | None = None, answers: bool = False) -> None:
        near, self.far = memory_pair()
        self.bus = Bus(_Opened(near), settings or BusSettings(baud=0, gap_ms=0, turnaround_ms=0))
        for driver in drivers:
            self.bus.attach(driver)
        self.heard: list[tuple[bytes, float]] = []
        self._answers = answers

    async def _listen(self) -> None:
        while True:
            data = await self.far.read()
            self.heard += [(bytes(piece), asyncio.get_running_loop().time()) for piece in fours(data)]
            if self._answers:
                await self.far.write(data)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(self.bus.run()), asyncio.create_task(self._listen())]
        try:
            await until(lambda: self.bus.up)
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


class _Opened:
    """A memory end that is open already."""

    def __init__(self, inner: Transport) -> None:
        self._inner = inner
        self.url, self.read, self.write, self.close = inner.url, inner.read, inner.write, inner.close

    async def open(self) -> None:
        pass


def fours(data: bytes) -> list[bytes]:
    return [data[at : at + 4] for at in range(0, len(data), 4)]


async def test_frames_in_turn_all_leave_in_their_order_between_those_of_the_neighbours() -> None:
    voice, strip = Card(1, codec(b"V")), Card(2, codec(b"S"))
    wire = Wire(voice, strip)
    async with wire.running():
        for number in range(10):
            voice.say(number, in_turn=True)
            strip.say(number, slot="text")
        await until(lambda: len(wire.heard) == 11)
        assert [number for number, _ in voice.sends] == list(range(10))
        assert [number for number, _ in strip.sends] == [9]
        assert wire.heard[1][0] == b"S\x02\x09;"  # the newest text keeps the place in the queue of the first
        assert wire.bus.counters["superseded"] == 9
        assert strip.health.last_seen_ms is None
        assert strip.health.last_sent_ms is not None, (
            "UX W-08: of what never answers it is known when it was sent something"
        )


async def test_design_law_5_a_queue_in_turn_is_bounded_and_its_driver_is_told() -> None:
    voice = Card(1, codec(b"V"))
    wire = Wire(voice)
    async with wire.running():
        for number in range(IN_TURN_LIMIT + 3):
            voice.say(number, in_turn=True)
        assert voice.lost == [IN_TURN_LIMIT, IN_TURN_LIMIT + 1, IN_TURN_LIMIT + 2]
        await until(lambda: len(wire.heard) == IN_TURN_LIMIT)
        assert wire.bus.counters["dropped"] == voice.health.counters["dropped"] == 3


async def test_hardware_2_3_a_device_has_its_own_gap_and_the_others_keep_the_lines() -> None:
    slow, quick = Card(1, codec(b"S"), gap_ms=100), Card(2, codec(b"Q"))
    wire = Wire(slow, quick, settings=BusSettings(baud=0, gap_ms=5, turnaround_ms=0))
    with own_time():
        async with wire.running():
            for number in (1, 2):
                slow.say(number, in_turn=True)
                quick.say(number, in_turn=True)
            await until(lambda: len(wire.heard) == 4)
    (s1, q1, s2, q2) = [at for _, at in wire.heard]
    assert [raw[:1] for raw, _ in wire.heard] == [b"S", b"Q", b"S", b"Q"]
    assert q1 - s1 >= 0.097
    assert q2 - s2 >= 0.097
    assert s2 - q1 >= 0.002


async def test_a_device_that_needs_a_longer_silence_after_somebody_spoke_gets_it() -> None:
    slow, quick = Card(1, codec(b"S")), Card(2, codec(b"Q"))
    slow.turnaround_ms = 120
    wire = Wire(slow, quick, settings=BusSettings(baud=0, gap_ms=0, turnaround_ms=10))
    async with wire.running():
        for card, wait_s in ((slow, 0.117), (quick, 0.007)):
            await wire.far.write(b"Q\x02\x01;")
            await until(lambda: wire.bus.counters["frames"] == len(wire.heard) + 1)
            spoke = asyncio.get_running_loop().time()
            card.say(1, slot="text")
            count = len(wire.heard)
            await until(lambda count=count: len(wire.heard) > count)
            assert wire.heard[-1][1] - spoke >= wait_s - 0.006
        assert wire.heard[-1][1] - spoke < 0.1


async def test_own_frames_that_only_hosts_send_are_dropped_when_they_come_back() -> None:
    lead = codec(b"H")
    host_only = dataclasses.replace(lead, from_device=(), from_host=lead.from_device)
    card = Card(1, host_only)
    wire = Wire(card, settings=BusSettings(baud=0, gap_ms=0, local_echo=True), answers=True)
    async with wire.running():
        card.say(1, slot="text")
        await until(lambda: wire.bus.counters["echoes"] == 1)
        assert card.answers == []
        assert wire.bus.counters["garbage_bytes"] == 0


async def test_the_line_waits_for_an_awaited_answer_and_no_longer_than_asked() -> None:
    card, other = Card(1, codec(b"C")), Card(2, codec(b"O"))
    wire = Wire(card, other, answers=True)
    async with wire.running():
        card.say(1, in_turn=True, reply_ms=400)
        other.say(1, slot="text")
        await until(lambda: len(wire.heard) == 2)
        assert wire.heard[1][1] - wire.heard[0][1] < 0.3
        assert card.answers == [1]
        wire._answers = False
        card.say(2, in_turn=True, reply_ms=80)
        other.say(2, slot="text")
        await until(lambda: len(wire.heard) == 4)
        assert wire.heard[3][1] - wire.heard[2][1] >= 0.077
        assert wire.bus.counters["no_reply"] == 1


async def test_frames_of_one_type_go_to_the_devices_of_the_codec_that_read_them() -> None:
    one, two, elsewhere = Card(1, codec(b"V")), Card(1, codec(b"S")), Card(9, codec(b"S"))
    wire = Wire(one, two, elsewhere)
    async with wire.running():
        await wire.far.write(b"S\x01\x07;V\x01\x08;V\x05\x09;")
        await until(lambda: wire.bus.counters["frames"] == 3)
        assert (one.answers, two.answers, elsewhere.answers) == ([8], [7], [])
        assert wire.bus.counters["unrouted"] == 1


async def test_a_frame_without_an_address_is_for_every_device_of_its_protocol() -> None:
    anybody = Codec(
        "any", (NoteGrammar(b"A"),), lambda n: b"A" + bytes((n.address, n.number)) + b";", address=lambda n: None
    )
    one, two = Card(1, anybody), Card(2, anybody)
    wire = Wire(one, two)
    async with wire.running():
        await wire.far.write(b"A\x63\x07;")
        await until(lambda: one.answers and two.answers)


@pytest.mark.parametrize("first", [True, False])
def test_a_protocol_that_swallows_others_bytes_must_be_alone_on_its_line(first: bool) -> None:
    greedy, modest = Card(1, codec(b"T", alone=True)), Card(2, codec(b"S"))
    drivers: list[AnyDriver] = [greedy, modest] if first else [modest, greedy]
    bus = Bus(memory_pair()[0])
    bus.attach(drivers[0])
    with pytest.raises(ValueError, match=r"T1 speaks T, which takes almost every byte .* give it a line without S2"):
        bus.attach(drivers[1])


def test_two_devices_of_one_protocol_and_address_are_refused() -> None:
    bus = Bus(memory_pair()[0])
    bus.attach(Card(1, codec(b"S")))
    bus.attach(Card(1, codec(b"V")))
    with pytest.raises(ValueError, match="address 0x01"):
        bus.attach(Card(1, codec(b"S")))


@settings(max_examples=15)
@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from(["ack", "slot", "turn"]), st.integers(0, 5)), max_size=60))
def test_design_law_5_any_mixture_keeps_order_newest_and_bounds(sends: list[tuple[int, str, int]]) -> None:
    asyncio.run(_mixture(sends))


async def _mixture(sends: list[tuple[int, str, int]]) -> None:
    cards = [Card(address, codec(lead)) for address, lead in enumerate((b"V", b"S", b"V"))]
    wire = Wire(*cards)
    turns: dict[int, list[int]] = {0: [], 1: [], 2: []}
    newest: dict[int, int] = {}
    async with wire.running():
        for number, (card, how, pause) in enumerate(sends):
            match how:
                case "ack":
                    cards[card].say(number)
                case "slot":
                    cards[card].say(number, slot="text")
                    newest[card] = number
                case _:
                    cards[card].say(number, in_turn=True)
                    turns[card].append(number)
            if pause == 5:
                await asyncio.sleep(0)
        await until(lambda: not wire.bus._work.is_set())
        for address, card in enumerate(cards):
            sent = [number for number, _ in card.sends]
            assert len(sent) == len(set(sent))
            kept = [number for number in turns[address] if number not in card.lost]
            assert [number for number in sent if number in turns[address]] == kept
            assert newest.get(address) in (None, *sent)
        written = sum(len(card.sends) for card in cards)
        assert len(sends) == written + wire.bus.counters["dropped"] + wire.bus.counters["superseded"]
