"""Whose turn it is on a busy line, and what is said again: what the bench of 24 windows showed (issue 3, HARDWARE 1.1, 7.2)."""

from __future__ import annotations

import asyncio

import pytest

from devices.bus import BusSettings
from devices.protocols.base import Send
from devices.protocols.strip import StripProtocol, StripSettings
from tests.devices.hall import until
from tests.devices.test_bus import Card, Note, Wire, codec

SLOW = BusSettings(baud=100, gap_ms=0, turnaround_ms=0)
"""Four bytes last 400 ms."""


def news(card: Card, number: int, *, refresh: bool = False, reply_ms: int = 0) -> None:
    card.put([Send(Note(card.address, number), "text", reply_ms, refresh=refresh)])


async def test_what_is_only_said_again_waits_behind_everything_new() -> None:
    """UX W-02: six strips are told their texts again every 30 s; a call must not stand behind them."""
    strips = [Card(address, codec(b"S")) for address in (1, 2, 3)]
    wire = Wire(*strips)
    async with wire.running():
        news(strips[0], 1, refresh=True)
        news(strips[1], 2, refresh=True)
        news(strips[2], 3)
        await until(lambda: len(wire.heard) == 3)
    assert [raw[2] for raw, _ in wire.heard] == [3, 1, 2]


async def test_a_page_that_takes_the_place_of_an_unsaid_call_keeps_its_turn() -> None:
    strips = [Card(address, codec(b"S")) for address in (1, 2)]
    wire = Wire(*strips)
    async with wire.running():
        news(strips[0], 1)
        news(strips[1], 2)
        news(strips[0], 9, refresh=True)
        await until(lambda: len(wire.heard) == 2)
    assert [raw[2] for raw, _ in wire.heard] == [9, 2]


def test_pages_and_repetitions_are_no_news_but_a_text_and_its_retries_are() -> None:
    strip = StripProtocol(3, StripSettings(resend_ms=4_000, page_ms=1_000, ack_ms=500))
    (shown,) = strip.set_pages([[("A", "red")], [("B", "red")]], 0)
    strip.sent(0)
    (retried,) = strip.wake(500)
    strip.sent(500)
    *_, turned = strip.wake(1_000)
    assert [send.refresh for send in (shown, retried, turned) if isinstance(send, Send)] == [False, False, True]


@pytest.mark.parametrize(("reply_ms", "times"), [(0, 2), (10, 1)], ids=["unanswered", "its protocol tries again"])
async def test_a_frame_that_nobody_acknowledges_is_said_once_more_when_somebody_spoke_meanwhile(
    reply_ms: int, times: int
) -> None:
    """An invitation that ran into a key's frame is lost, and no device says so."""
    pad = Card(1, codec(b"S"))
    wire = Wire(pad, settings=SLOW)
    async with wire.running():
        news(pad, 7, reply_ms=reply_ms)
        for _ in range(3):
            await asyncio.sleep(0.1)
            await wire.far.write(b"\xfe")
        await asyncio.sleep(1.3)
    assert [raw[2] for raw, _ in wire.heard] == [7] * times
    assert wire.bus.counters["said_again"] == times - 1


async def test_what_would_be_said_again_is_forgotten_when_its_device_was_used_meanwhile() -> None:
    """A sign that comes after the next key would read as the answer to that key."""
    pad = Card(1, codec(b"S"))
    wire = Wire(pad, settings=SLOW)
    async with wire.running():
        news(pad, 7)
        await until(lambda: pad.sends)
        await wire.far.write(b"S\x01\x08;")
        await asyncio.sleep(1.0)
    assert (len(wire.heard), wire.bus.counters["said_again"]) == (1, 1)


async def test_a_frame_is_not_said_again_for_who_speaks_after_it() -> None:
    pad = Card(1, codec(b"S"))
    wire = Wire(pad, settings=SLOW)
    async with wire.running():
        news(pad, 7)
        await until(lambda: pad.sends)
        await asyncio.sleep(0.5)
        await wire.far.write(b"S\x01\x07;")
        await until(lambda: pad.answers == [7])
    assert (len(wire.heard), wire.bus.counters["said_again"]) == (1, 0)


async def test_a_frame_that_is_coming_in_is_heard_out_before_we_speak() -> None:
    """Six keypads one after the other fill more than quiet_limit_ms; who writes then garbles the one that speaks."""
    pad = Card(1, codec(b"S"))
    wire = Wire(pad, settings=BusSettings(baud=0, gap_ms=0, turnaround_ms=200, quiet_limit_ms=400))
    async with wire.running():
        await wire.far.write(b"S\x01\x01;")
        await until(lambda: len(pad.answers) == 1)
        news(pad, 7)
        for _ in range(3):
            await asyncio.sleep(0.1)
            await wire.far.write(b"S\x01\x02;")
        for byte in b"S\x01\x03":
            await asyncio.sleep(0.08)
            await wire.far.write(bytes((byte,)))
        assert wire.heard == []
        ended = asyncio.get_running_loop().time()
        await wire.far.write(b";")
        await until(lambda: len(wire.heard) == 1)
    assert wire.heard[0][1] >= ended
    assert pad.answers[-1] == 3
