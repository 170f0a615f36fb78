"""One exchange over the libusb of libusb-package; `test_usb.py` runs this under `umockdev-wrapper`."""

import asyncio
import sys

from devices.transport import transport
from tests.devices.mocked_usb import MockedUsb, Part, UsbBed, Way


async def main() -> None:
    bed, device = UsbBed(), MockedUsb(0x0483, 0x5750, (Part((Way(0x81), Way(0x02)), 0xFF),), serial="A1")
    bed.plug(device)
    line = transport("usb://0483:5750:A1")
    await line.open()
    device.say(b"hello")
    said = await line.read()
    await line.write(b"world")
    await line.close()
    sys.stdout.write(f"read {said.decode()}, wrote {device.took.decode()}\n")


asyncio.run(main())
