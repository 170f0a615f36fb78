"""An emulated line takes the time that a real one takes: ten bit times a byte, one speaker at a time (HARDWARE 1.1, 7.3)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from devices.emulators.nodes import EmulatedKeypad, EmulatedStrip
from devices.emulators.rs485 import Rs485BusEmulator
from devices.framing.a090 import A090Frame, encode_a090
from devices.framing.ff68 import Ff68Frame, encode_ff68
from devices.protocols.strip import StripSettings, encode_page
from devices.transport import transport
from tests.devices.hall import listen_url

BAUD = 1200
"""Slow, so that a busy machine's own delays are small beside a byte's 8.3 ms."""
BYTE_S = 10 / BAUD
TEXT = encode_a090(A090Frame(3, 0xA5, encode_page([("请A042", "red")], StripSettings())))
KEY = encode_ff68(Ff68Frame(1, 0x01, b"\x0c"))


def now() -> float:
    return asyncio.get_running_loop().time()


async def told_of(told: list[tuple[float, str, bytes]], fits: Callable[[str, bytes], bool]) -> float:
    """When the tap was told."""
    async with asyncio.timeout(20):
        while True:
            for at, way, data in told:
                if fits(way, data):
                    return at
            await asyncio.sleep(0.005)


async def test_a_frame_is_heard_when_its_last_byte_has_passed_and_an_answer_takes_its_time_too(tmp_path: Path) -> None:
    told: list[tuple[float, str, bytes]] = []
    line = Rs485BusEmulator(
        listen_url("pty", tmp_path),
        [EmulatedStrip(3)],
        baud=BAUD,
        tap=lambda way, data: told.append((now(), way, data)),
    )
    async with line:
        host = transport(line.url)
        await host.open()
        began = now()
        await host.write(TEXT)
        taken = await told_of(told, lambda way, data: (way, data) == ("rx", TEXT))
        assert taken - began >= len(TEXT) * BYTE_S - 0.002
        acked = await told_of(told, lambda way, data: way == "tx")
        assert acked - taken >= 5 * BYTE_S - 0.002
        await host.close()
    assert line.collisions == 0


async def test_who_speaks_while_a_device_speaks_garbles_both_and_it_is_counted(tmp_path: Path) -> None:
    strip, keypad = EmulatedStrip(3), EmulatedKeypad(1)
    told: list[tuple[str, bytes]] = []
    line = Rs485BusEmulator(
        listen_url("pty", tmp_path), [strip, keypad], baud=BAUD, tap=lambda way, data: told.append((way, data))
    )
    async with line:
        host = transport(line.url)
        await host.open()
        pressing = asyncio.create_task(keypad.transmit(Ff68Frame(1, 0x01, b"\x0c")))
        await asyncio.sleep(4 * BYTE_S)
        await host.write(TEXT)
        await pressing
        await asyncio.sleep(len(TEXT) * BYTE_S)
        await host.close()
    assert line.collisions == 1
    said = next(data for way, data in told if way == "tx")
    assert said[:3] == KEY[:3]
    assert said != KEY
    assert (strip.text, len(told)) == ("", 2)


async def test_a_device_waits_until_the_host_has_spoken(tmp_path: Path) -> None:
    strip, keypad = EmulatedStrip(3), EmulatedKeypad(1)
    told: list[tuple[float, str, bytes]] = []
    line = Rs485BusEmulator(
        listen_url("pty", tmp_path), [strip, keypad], baud=BAUD, tap=lambda way, data: told.append((now(), way, data))
    )
    strip.acks = False
    async with line:
        host = transport(line.url)
        await host.open()
        await host.write(TEXT)
        await asyncio.sleep(3 * BYTE_S)
        await keypad.transmit(Ff68Frame(1, 0x01, b"\x0c"))
        await host.close()
    (text_at, _, text), (key_at, _, key) = told
    assert (text, key) == (TEXT, KEY)
    assert key_at - text_at >= len(KEY) * BYTE_S
    assert (line.collisions, strip.text) == (0, "请A042")


async def test_a_line_with_wires_of_its_own_for_each_direction_knows_no_collision(tmp_path: Path) -> None:
    """RS-232, as voice modules have it."""
    keypad = EmulatedKeypad(1)
    line = Rs485BusEmulator(listen_url("pty", tmp_path), [EmulatedStrip(3), keypad], baud=BAUD, shared=False)
    async with line:
        host = transport(line.url)
        await host.open()
        pressing = asyncio.create_task(keypad.transmit(Ff68Frame(1, 0x01, b"\x0c")))
        await asyncio.sleep(4 * BYTE_S)
        await host.write(TEXT)
        await pressing
        await host.close()
    assert line.collisions == 0
