"""Modbus RTU panels of digits: literal frames, noise, and a line shared with a keypad (HARDWARE 2.6)."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymodbus import FramerType
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from devices.devicemap import plan
from devices.drivers.strip import Strip
from devices.emulators.nodes import EmulatedKeypad
from devices.emulators.numberpanel import EmulatedNumberPanel
from devices.emulators.rs485 import Faults
from devices.framing.modbus import MODBUS, ModbusFrame, ModbusRefused, ModbusWrite, ModbusWritten, encode_modbus
from devices.framing.stream import Framer, Garbage
from devices.protocols.base import Send
from devices.protocols.keymaps import Key
from devices.protocols.numberpanel import NumberPanel, PanelSettings
from tests.devices.hall import listen_url, until
from tests.devices.test_plain_strips import entry, hall_line, map_line
from tests.hall_process import free_port

# "show 42" is HARDWARE 2.6; it and the second are what pymodbus 3.16.1's FramerRTU builds.
VECTORS: list[tuple[str, ModbusFrame]] = [
    ("01 06 00 00 00 2A 08 15", ModbusWrite(1, 0, b"\x00\x2a")),
    ("01 10 00 70 00 02 04 41 30 34 32 77 AD", ModbusWrite(1, 0x70, b"A042", many=True)),
]


@pytest.mark.parametrize(("raw", "frame"), VECTORS)
def test_hardware_2_6_literal_frames(raw: str, frame: ModbusFrame) -> None:
    assert encode_modbus(frame) == bytes.fromhex(raw)
    assert Framer(MODBUS.from_host).feed(bytes.fromhex(raw)) == [frame]


def test_hardware_2_6_show_42_is_what_a_call_of_a_number_sends_and_its_echo_acknowledges() -> None:
    panel = NumberPanel(1, PanelSettings())
    (send,) = panel.set_pages([[("请A042号到3号窗口", "red")]], 0)
    assert isinstance(send, Send)
    assert encode_modbus(send.frame) == bytes.fromhex(VECTORS[0][0])
    assert Framer(MODBUS.from_device).feed(bytes.fromhex(VECTORS[0][0])) == [VECTORS[0][1]]
    assert panel.acknowledges(VECTORS[0][1])


@pytest.mark.parametrize(
    ("pages", "text", "number"),
    [
        (["请A042号到3号窗口"], "A042", 42),
        (["3号 A042办理中"], "A042", 42),
        (["请办理", "A042"], "A042", 42),
        (["12号窗口 请稍候"], "    ", 0),
        (["暂停服务", "14点回来"], "    ", 0),
        (["请AB1234号办理"], "1234", 1234),
        ([], "    ", 0),
    ],
)
def test_a_panel_shows_the_tickets_number_and_never_the_windows(pages: list[str], text: str, number: int) -> None:
    strip_pages = [[(page, "red")] for page in pages]
    words = NumberPanel(1, PanelSettings(mode="text"))
    (send,) = words.set_pages(strip_pages, 0)
    assert isinstance(send, Send)
    assert (send.frame.data, send.frame.register) == (text.encode(), 0x70)
    assert words.wake_at_ms == 30_000  # one page: it does not turn
    (send,) = NumberPanel(1, PanelSettings()).set_pages(strip_pages, 0)
    assert isinstance(send, Send)
    assert int.from_bytes(send.frame.data, "big") == number


def test_a_number_too_great_for_the_register_shows_its_last_figures() -> None:
    (send,) = NumberPanel(1, PanelSettings(digits=6)).set_pages([[("100042", "red")]], 0)
    assert isinstance(send, Send)
    assert send.frame.data == (42).to_bytes(2, "big")


units, registers = st.integers(0, 247), st.integers(0, 0xFFFF)
one = st.builds(ModbusWrite, units, registers, st.binary(min_size=2, max_size=2))
replies = one | st.builds(ModbusWritten, units, registers, st.integers(1, 123)) | st.builds(
    ModbusRefused, units, st.sampled_from([6, 16]), st.integers(0, 255)
)  # fmt: skip
several = st.binary(min_size=1, max_size=8).map(lambda raw: raw + raw)
requests = one | st.builds(ModbusWrite, units, registers, several, st.just(True))


@pytest.mark.parametrize(("grammars", "frames"), [(MODBUS.from_device, replies), (MODBUS.from_host, requests)])
@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_any_chunking_finds_the_frames_and_noise_is_bounded(grammars: Any, frames: Any, data: st.DataObject) -> None:
    sent = data.draw(st.lists(frames, max_size=5))
    stream = b"".join(map(encode_modbus, sent))
    framer: Framer[Any] = Framer(grammars)
    found: list[Any] = []
    while stream:
        step = data.draw(st.integers(1, 12))
        found += framer.feed(stream[:step])
        stream = stream[step:]
    assert found == sent
    noise = data.draw(st.binary(max_size=400))
    kept = framer.feed(noise) + framer.flush()
    assert sum(len(x.data) if isinstance(x, Garbage) else len(encode_modbus(x)) for x in kept) == len(noise)


FAULTS = {
    "none": Faults(),
    "bytewise": Faults(bytewise=True),
    "noise": Faults(noise=4),
    "split": Faults(split_ms=20),
    "lost": Faults(lose=1),
    "wrong sum": Faults(corrupt=1),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("kind", ["memory", "pty"])
async def test_issue_3_a_panel_and_a_keypad_on_one_line_under_each_fault(kind: str, fault: str, tmp_path: Path) -> None:
    panel, keypad = EmulatedNumberPanel(3), EmulatedKeypad(7)
    keypad.tries = 12
    entries = [entry("strip", "led-485", 3, "", mode="text", cells="8"), entry("keypad", "hallquefront", 7, "")]
    async with hall_line(listen_url(kind, tmp_path), [panel, keypad], entries) as line:
        line["emulator"].faults = FAULTS[fault]
        line["led-4853"].show([[("请A042号到3号窗口", "red")]])
        assert await keypad.press(Key.CALL)
        await line["emulator"].until(lambda: panel.shown == "A042")
        await until(lambda: line["led-4853"].health.state == "online")


async def test_a_panel_that_is_deaf_or_refuses_shows_in_its_health_and_a_power_cut_is_mended(tmp_path: Path) -> None:
    panel = EmulatedNumberPanel(3)
    entries = [entry("strip", "led-485", 3, "", resend_ms="300", ack_ms="60", reply_ms="30")]
    async with hall_line(listen_url("memory", tmp_path), [panel], entries) as line:
        driver = line["led-4853"]
        assert isinstance(driver, Strip)
        driver.show([[("A042", "red")]])
        await until(lambda: panel.shown == "42" and driver.health.state == "online")
        panel.restart()
        await until(lambda: panel.shown == "42")
        panel.refuses = True
        await until(lambda: driver.health.state == "degraded")
        assert "refuses" in driver.health.last_error
        panel.refuses, panel.silent = False, True
        await until(lambda: driver.health.state == "offline")
        panel.silent = False
        await until(lambda: driver.health.state == "online")


@pytest.mark.parametrize(
    ("mode", "number", "register", "words"), [("number", "A042", 0, [42]), ("text", "A042", 0x70, [0x4130, 0x3432])]
)
async def test_hardware_2_6_a_panel_of_pymodbus_shows_the_number(
    mode: str, number: str, register: int, words: list[int], tmp_path: Path
) -> None:
    """Modbus by other hands than ours: pymodbus's own server is the panel, RTU frames over TCP."""
    cells = [SimData(register, values=[0] * len(words), datatype=DataType.REGISTERS)]
    port = free_port()
    async with ModbusTcpServer(SimDevice(3, cells), framer=FramerType.RTU, address=("127.0.0.1", port)) as panel:
        await panel.serve_forever(background=True)
        url = f"tcp://127.0.0.1:{port}"
        placed = entry("strip", "led-485", 3, url, mode=mode, resend_ms="300", ack_ms="500", reply_ms="300")
        async with map_line((placed,)) as drivers:
            driver = drivers["led-4853"]
            driver.show([[(f"请{number}号到3号窗口", "red")]])
            await until(lambda: driver.health.state == "online")
            assert await panel.async_getValues(3, 3, register, len(words)) == words
            driver.show([])
            dark = [0x2020] * 2 if mode == "text" else [0]
            for _ in range(500):
                if await panel.async_getValues(3, 3, register, len(words)) == dark:
                    break
                await asyncio.sleep(0.01)
            else:
                pytest.fail("the panel does not go dark")
        await panel.shutdown()


def test_a_mistake_in_the_map_is_a_sentence() -> None:
    url = "serial:///dev/serial/by-id/x"
    assert not plan([entry("strip", "led-485", 1, url)]).wrong
    assert plan([entry("strip", "led-485", 0, url)]).wrong
    assert plan([entry("strip", "led-485", 1, url, mode="roman")]).wrong
    assert plan([entry("strip", "led-485", 1, url, digits="40")]).wrong
