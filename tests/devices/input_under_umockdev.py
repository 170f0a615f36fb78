"""Keyboards that are rating pads, and serial ports, as the kernel shows them; `test_usb.py` runs this under `umockdev-wrapper`."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Iterator
from pathlib import Path

import pytest

from devices.devicemap import Calls, make_bus, plan
from devices.framing.evdev import EVENT_BYTES
from devices.profiles.profile import NOBODY
from devices.transport import Unavailable, transport
from devices.transport.evdev import EVIOCGRAB
from devices.transport.serialports import SerialPort, find_port, serial_ports
from queue_server.wire.agent import DeviceEntry
from tests.devices.hall import until
from tests.devices.mocked_usb import UsbBed, beds

KEYBOARD = """P: /devices/pci0/usb1/1-9/input/input{0}/event{0}
N: input/event{0}
E: DEVNAME=/dev/input/event{0}
E: SUBSYSTEM=input
E: ID_INPUT_KEYBOARD=1

"""
BRIDGE = """P: /devices/pci0/usb1/1-{port}
E: DEVTYPE=usb_device
E: SUBSYSTEM=usb
A: idVendor=1a86\\n
A: idProduct=7523\\n
A: product=USB Serial\\n
A: busnum=1\\n
A: devnum=9\\n
A: bNumInterfaces= 1\\n

P: /devices/pci0/usb1/1-{port}/1-{port}:1.0
E: DEVTYPE=usb_interface
E: SUBSYSTEM=usb
A: bInterfaceClass=ff\\n
A: bInterfaceNumber=00\\n

P: /devices/pci0/usb1/1-{port}/1-{port}:1.0/ttyUSB{number}
E: SUBSYSTEM=usb-serial

P: /devices/pci0/usb1/1-{port}/1-{port}:1.0/ttyUSB{number}/tty/ttyUSB{number}
N: ttyUSB{number}
E: DEVNAME=/dev/ttyUSB{number}
E: SUBSYSTEM=tty
L: device=../../../ttyUSB{number}

"""


@pytest.fixture(scope="session")
def bed() -> Iterator[UsbBed]:
    yield from beds()


class Node:
    """An input device that remembers who took it for himself."""

    def __init__(self, bed: UsbBed, number: int) -> None:
        self.path = f"/dev/input/by-id/usb-Pad_{number}-event-kbd"
        self.grabs: list[int] = []
        self.taken = False
        self._bed = bed
        self._node = f"/dev/input/event{number}"
        bed.add(KEYBOARD.format(number))
        link = Path(bed.root + self.path)
        link.parent.mkdir(exist_ok=True)
        link.symlink_to(f"../event{number}")
        bed.on_ioctl(self.path, self._asked)

    def _asked(self, client: int, request: int, argument: int) -> tuple[int, int]:
        if request != EVIOCGRAB:
            return -1, errno.ENOTTY
        if self.taken:
            return -1, errno.EBUSY
        self.grabs.append(argument)
        return 0, 0

    def types(self, folder: Path, *keys: int) -> None:
        """Down and up of each key, 50 ms apart, with the marks of time that the kernel puts between."""
        lines, at_ms = [], 50
        for key in keys:
            for value in (1, 0):
                lines += [f"E: 0.{at_ms:06} 0001 {key:04x} {value}", f"E: 0.{at_ms:06} 0000 0000 0"]
                at_ms += 50
        events = folder / "pad.events"
        events.write_text("\n".join(lines) + "\n")
        self._bed.type(self._node, str(events))


async def test_hardware_5_3_a_pad_that_types_is_grabbed_and_its_keys_are_levels(bed: UsbBed, tmp_path: Path) -> None:
    node, levels = Node(bed, 5), []
    node.types(tmp_path, 6, 28, 2)

    async def rated(pad: object, level: int, age_ms: int) -> None:
        levels.append(level)

    entry = DeviceEntry(
        id="r1", kind="rating_pad", url=f"evdev://{node.path}", address=0, profile="keyboard-pad", window="1",
        levels={"KEY_1": 1, "KEY_2": 2, "KEY_3": 3, "KEY_4": 4, "KEY_5": 5}, settings={},
    )  # fmt: skip
    assert not plan([entry]).wrong
    bus = make_bus((entry,), Calls(NOBODY.pressed, rated, NOBODY.health_changed, NOBODY.printer))
    task = asyncio.create_task(bus.run())
    try:
        await until(lambda: levels == [5, 1])
        assert node.grabs == [1]
        assert bus.counters["bytes_in"] % EVENT_BYTES == 0
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_hardware_5_3_a_pad_that_another_program_holds_is_unavailable_and_shared_when_asked(
    bed: UsbBed,
) -> None:
    node = Node(bed, 6)
    node.taken = True
    with pytest.raises(Unavailable, match="taken by another program"):
        await transport(f"evdev://{node.path}").open()
    shared = transport(f"evdev://{node.path}?grab=false")
    await shared.open()
    await shared.close()
    assert node.grabs == []


async def test_hardware_6_a_bridge_is_found_by_what_it_is_under_whatever_name(bed: UsbBed, tmp_path: Path) -> None:
    bed.add(BRIDGE.format(port=7, number=0))
    assert [(port.name, port.vid, port.pid, port.at) for port in serial_ports()] == [
        ("/dev/ttyUSB0", 0x1A86, 0x7523, "1-7")
    ]
    url = "serial://?vid=1a86&pid=7523&at=1-7"
    assert serial_ports()[0].url == url
    bed.remove("/devices/pci0/usb1/1-7")
    with pytest.raises(Unavailable, match="no serial port"):
        find_port({"vid": "1a86", "pid": "7523"})
    bed.add(BRIDGE.format(port=7, number=1))
    assert find_port({"vid": "1a86", "pid": "7523", "at": "1-7"}) == "/dev/ttyUSB1"
    script = tmp_path / "tty.script"
    script.write_text("w 0 FF68\nr 0 OK\n")
    bed.play("/dev/ttyUSB1", str(script))
    line = transport(url)
    await line.open()
    await line.write(b"FF68")
    assert await asyncio.wait_for(line.read(), 5) == b"OK"
    await line.close()
    assert isinstance(serial_ports()[0], SerialPort)
