"""USB devices and each of their faults (HARDWARE 6, 7.3); `test_usb.py` runs this file under `umockdev-wrapper`."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import usb.backend.libusb1

from devices.devicemap import Calls, make_bus, plan
from devices.drivers.printer import TicketPrinter, printer_maker
from devices.emulators.idreader import EmulatedIdReader, synthetic_number
from devices.emulators.printer import Interpreter
from devices.framing.codec import AnyCodec
from devices.framing.samv import SAMV
from devices.framing.stream import Framer
from devices.profiles.profile import NOBODY
from devices.protocols.idcard import Card
from devices.scan import scan
from devices.transport import Transport, Unavailable, transport
from devices.transport.serialports import SerialPort
from devices.transport.usb import UsbTransport
from queue_server.wire.agent import DeviceEntry
from tests.devices.hall import until
from tests.devices.mocked_usb import (
    BULK,
    EIO,
    EPIPE,
    EPROTO,
    INTERRUPT,
    MockedUsb,
    Part,
    UsbBed,
    Way,
    beds,
)

URL = "usb://0483:5750"
HID = (Part((Way(0x81), Way(0x02)), driver="usbhid"),)
PRINTER = (
    Part((Way(0x02, BULK, 64),), 0x07, driver="usblp"),
    Part((Way(0x02, BULK, 64), Way(0x81, BULK, 64)), 0x07, setting=1),
)
LISTENER = (Part((Way(0x02, BULK, 64),), 0x07),)
VENDOR = (Part((Way(0x02, BULK, 64), Way(0x81, BULK, 64)), 0xFF),)


@pytest.fixture(scope="session")
def machine() -> Iterator[UsbBed]:
    yield from beds()


@pytest.fixture(autouse=True)
def bed(machine: UsbBed, monkeypatch: pytest.MonkeyPatch) -> Iterator[UsbBed]:
    """The system's libusb hears umockdev's events, because it listens to udev; the one of libusb-package does not."""
    monkeypatch.setattr("devices.transport.usbdevices.usb_library", usb.backend.libusb1.get_backend)
    yield machine
    machine.close()


@contextlib.asynccontextmanager
async def opened(url: str = URL) -> AsyncIterator[UsbTransport]:
    line = await reopened(transport(url))
    assert isinstance(line, UsbTransport)
    try:
        yield line
    finally:
        await line.close()
    # Its threads end with it.
    await until(lambda: not [thread for thread in threading.enumerate() if thread.name.startswith("usb-")])


async def reopened(line: Transport, timeout_s: float = 5.0) -> Transport:
    """As a bus does: libusb hears of an arrival a moment after it."""
    async with asyncio.timeout(timeout_s):
        while True:
            try:
                await line.open()
            except Unavailable:
                await asyncio.sleep(0.02)
            else:
                return line


async def refusal(url: str) -> str:
    """What `open` says, once libusb has heard of what was plugged in."""
    await asyncio.sleep(0.2)
    with pytest.raises(Unavailable) as refused:
        await transport(url).open()
    return str(refused.value)


async def read_all(line: Transport, count: int) -> bytes:
    data = b""
    async with asyncio.timeout(20):
        while len(data) < count:
            data += await line.read()
    return data


# What works.


async def test_issue_3_interrupt_transfers_both_ways_and_the_kernels_driver_gets_its_device_back(bed: UsbBed) -> None:
    pad = MockedUsb(0x0483, 0x5750, HID, serial="A1")
    bed.plug(pad)
    async with opened() as line:
        assert pad.events == ["detach usbhid", "claim 00"]
        pad.say(bytes(range(8)))
        pad.say(b"\x01")
        assert await read_all(line, 9) == bytes(range(8)) + b"\x01"
        await line.write(b"0123456789")
    assert pad.reports == [b"01234567", b"89\0\0\0\0\0\0"]
    assert pad.events[2:] == ["release 00", "attach usbhid"]


async def test_issue_3_bulk_transfers_both_ways_at_the_printers_setting_that_answers(bed: UsbBed) -> None:
    printer = MockedUsb(0x0483, 0x5750, PRINTER)
    bed.plug(printer)
    async with opened() as line:
        assert printer.events == ["detach usblp", "claim 00", "setting 01"]
        ticket = bytes(range(256)) * 40
        await line.write(ticket)
        assert bytes(printer.took) == ticket
        printer.say(b"\x12")
        assert await line.read() == b"\x12"
        printer.say(b"ab")
        assert await line.read(1) + await line.read() == b"ab"


async def test_issue_3_the_url_names_interface_and_endpoints(bed: UsbBed) -> None:
    part = Part((Way(0x81), Way(0x83, INTERRUPT, 16), Way(0x02), Way(0x04)), 0xFF, number=1)
    bed.plug(MockedUsb(0x0483, 0x5750, (*HID, part)))
    assert "several interfaces: add one to the url: interface=0 (HID), interface=1 (vendor's own)" in await refusal(URL)
    assert "no interface with bulk or interrupt endpoints as the url wants" in await refusal(f"{URL}?in=85")
    device = MockedUsb(0x0483, 0x5751, (part,))
    bed.plug(device, port=4)
    async with opened("usb://0483:5751?interface=1&in=83&out=04") as line:
        device.say(b"A", 0x83)
        assert await line.read() == b"A"
        await line.write(b"B")
        assert bytes(device.took) == b"B"


async def test_hid_1_11_a_device_without_an_endpoint_out_takes_set_report(bed: UsbBed) -> None:
    pad = MockedUsb(0x0483, 0x5750, (Part((Way(0x81),)),))
    bed.plug(pad)
    async with opened(f"{URL}?report=counted&id=05") as line:
        await line.write(b"hello world")
        assert pad.reports == [b"\x05\x06hello ", b"\x05\x05world\0"]
        assert pad.events[-1] == "report 0205"
        pad.say(b"\x05\x02hi\0\0\0\0")
        assert await line.read() == b"hi"


# Faults.


async def test_hid_1_11_a_report_that_may_have_arrived_is_not_sent_again(bed: UsbBed) -> None:
    """Its time-out tells nothing of what the device took: whether it is harmless to say it twice, its protocol knows."""
    quiet = MockedUsb(0x0483, 0x5750, (Part((Way(0x81),)),), unsaid=1)
    bed.plug(quiet)
    async with opened() as line:
        async with asyncio.timeout(20):
            with pytest.raises(Unavailable, match="may have arrived"):
                await line.write(b"abc")
        assert quiet.reports == [b"abc".ljust(8, b"\0")]
        await reopened(line)
        await line.write(b"def")
        assert quiet.reports[1:] == [b"def".ljust(8, b"\0")]


async def test_issue_3_a_device_that_is_silent_or_late_never_blocks_the_loop(bed: UsbBed) -> None:
    pad = MockedUsb(0x0483, 0x5750, HID)
    bed.plug(pad)
    async with opened() as line:
        reading = asyncio.create_task(line.read())
        turns, end = 0, time.monotonic() + 1.0
        while time.monotonic() < end:
            turns += 1
            await asyncio.sleep(0.001)
        assert turns > 50  # five waits of 200 ms in libusb have passed meanwhile
        assert not reading.done()
        pad.say(b"late")
        assert await reading == b"late"


async def test_a_reader_that_gives_up_loses_nothing_to_the_next(bed: UsbBed) -> None:
    pad = MockedUsb(0x0483, 0x5750, HID)
    bed.plug(pad)
    async with opened() as line:
        for number in range(5):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(line.read(), 0.03)
            pad.say(b"%d" % number)
            assert await line.read() == b"%d" % number


async def test_issue_3_unplugged_in_the_middle_of_a_transfer_and_back_at_another_bus(bed: UsbBed) -> None:
    device = MockedUsb(0x0483, 0x5750, VENDOR, serial="S 1")
    bed.plug(device)
    async with opened(f"{URL}:S%201") as line:
        device.take(100)
        reading, writing = asyncio.create_task(line.read()), asyncio.create_task(line.write(bytes(5000)))
        await until(lambda: len(device.took) == 100)
        bed.unplug(device)
        for task in (reading, writing):
            with pytest.raises(Unavailable, match="is unplugged"):
                await asyncio.wait_for(task, 1)
        assert "no USB device 0483:5750:S 1 is plugged in" in await refusal(f"{URL}:S%201")
        again = MockedUsb(0x0483, 0x5750, VENDOR, serial="S 1")
        bed.plug(again, bus=3, port=5)
        await reopened(line)
        again.say(b"back")
        assert await line.read() == b"back"
        assert not again.took  # what was torn off is not sent to it


async def test_issue_3_a_stall_is_cleared_and_read_on_and_one_that_stays_ends_the_line(bed: UsbBed) -> None:
    device = MockedUsb(0x0483, 0x5750, VENDOR)
    bed.plug(device)
    async with opened() as line:
        for data in (b"one", b"two"):
            device.say(b"", error=EPIPE)
            device.say(data)
            assert await line.read() == data
        assert (line.counters["stalls"], device.events[-1]) == (2, "clear 81")
        for _ in range(3):
            device.say(b"", error=EPIPE)
        with pytest.raises(Unavailable):
            await line.read()


async def test_issue_3_a_stall_of_what_is_sent_is_told_and_nothing_is_sent_twice(bed: UsbBed) -> None:
    device = MockedUsb(0x0483, 0x5750, VENDOR)
    bed.plug(device)
    async with opened() as line:
        device.refuses = 1
        with pytest.raises(Unavailable, match="stall"):
            await line.write(b"one")
        assert device.events[-1] == "clear 02"
        await line.write(b"two")
        assert bytes(device.took) == b"two"


async def test_issue_3_short_and_oversized_reports_are_dropped_and_counted(bed: UsbBed) -> None:
    pad = MockedUsb(0x0483, 0x5750, HID)
    bed.plug(pad)
    async with opened(f"{URL}?report=counted") as line:
        pad.say(b"\x07abc")  # says 7, holds 3
        pad.say(b"\xffabcdefg")
        pad.say(bytes(20))  # more than the endpoint's packet
        pad.say(b"\x02ok\0\0\0\0\0")
        assert await line.read() == b"ok"
        assert (line.counters["dropped"], line.counters["oversized"]) == (2, 1)
        for _ in range(10):
            pad.say(bytes(20))
        with pytest.raises(Unavailable):
            await line.read()


async def test_issue_3_an_error_of_the_bus_is_no_time_out(bed: UsbBed) -> None:
    device = MockedUsb(0x0483, 0x5750, VENDOR)
    bed.plug(device)
    async with opened() as line:
        for error in (EPROTO, EIO):
            device.say(b"", error=error)
            with pytest.raises(Unavailable, match="usb 0483:5750"):
                await asyncio.wait_for(line.read(), 1)
            await reopened(line)


async def test_issue_3_a_device_that_takes_no_bytes_can_be_given_up_and_gets_the_rest_of_none(bed: UsbBed) -> None:
    device = MockedUsb(0x0483, 0x5750, VENDOR, room=10)
    bed.plug(device)
    async with opened() as line:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(line.write(b"x" * 100), 0.5)
        began = time.monotonic()
        await line.close()
        assert time.monotonic() - began < 2
        device.take(None)
        await reopened(line)
        await line.write(b"new")
        assert bytes(device.took) == b"x" * 10 + b"new"


async def test_a_slow_device_gets_each_byte_once(bed: UsbBed) -> None:
    device = MockedUsb(0x0483, 0x5750, VENDOR, room=0)
    bed.plug(device)
    ticket = bytes(range(250)) * 20
    async with opened() as line:
        writing = asyncio.create_task(line.write(ticket))
        while not writing.done():
            device.take(700)
            await asyncio.sleep(0.25)
        await writing
    assert bytes(device.took) == ticket


async def test_issue_3_closing_ends_what_waits(bed: UsbBed) -> None:
    device = MockedUsb(0x0483, 0x5750, VENDOR, room=0)
    bed.plug(device)
    async with opened() as line:
        reading, writing = asyncio.create_task(line.read()), asyncio.create_task(line.write(b"x"))
        await asyncio.sleep(0.05)
        await line.close()
        await line.close()
        for task in (reading, writing):
            with pytest.raises(Unavailable):
                await asyncio.wait_for(task, 1)
        with pytest.raises(Unavailable, match="not open"):
            await line.read()
        with pytest.raises(Unavailable, match="not open"):
            await line.write(b"x")


async def test_issue_3_permission_denied_names_the_udev_rule(bed: UsbBed) -> None:
    device = MockedUsb(0x0483, 0x5750, HID, serial="A1")
    bed.plug(device)
    await asyncio.sleep(0.2)
    with bed.shut(device):
        said = [await refusal(url) for url in (URL, f"{URL}:A1")]
    for sentence in said:
        assert "config/udev/70-yichuang.rules" in sentence
        assert 'ATTR{idVendor}=="0483", ATTR{idProduct}=="5750", GROUP="dialout", MODE="0660"' in sentence


async def test_issue_3_two_equal_devices_are_told_apart_by_serial_or_socket(bed: UsbBed) -> None:
    one, two = MockedUsb(0x0483, 0x5750, HID), MockedUsb(0x0483, 0x5750, HID, serial="B2")
    bed.plug(one)
    bed.plug(two, port=4)
    said = await refusal(URL)
    assert "2 USB devices are 0483:5750" in said
    assert "at=1-2" in said
    assert "at=1-4" in said
    assert "no USB device 0483:5750:C3" in await refusal(f"{URL}:C3")
    for url, device in ((f"{URL}?at=1-2", one), (f"{URL}?at=1-4", two), (f"{URL}:B2", two)):
        async with opened(url) as line:
            device.say(b"me")
            assert await line.read() == b"me"


async def test_one_device_under_two_names_is_opened_once_and_the_second_says_who_holds_it(bed: UsbBed) -> None:
    bed.plug(MockedUsb(0x0483, 0x5750, HID), port=2)
    async with opened() as first:
        assert f"{first.url} holds" in await refusal(f"{URL}?at=1-2")
    async with opened(f"{URL}?at=1-2"):
        assert "usb://0483:5750 at 1-2 holds" in await refusal(URL)


async def test_a_device_of_another_program_is_unavailable_and_stays_whole(bed: UsbBed) -> None:
    pad = MockedUsb(0x0483, 0x5750, HID, busy=True)
    bed.plug(pad)
    assert "taken by another program" in await refusal(URL)
    assert pad.events == ["detach usbhid", "attach usbhid"]


async def test_a_device_that_only_listens_is_missed_when_it_goes(bed: UsbBed) -> None:
    printer = MockedUsb(0x0483, 0x5750, LISTENER)
    bed.plug(printer)
    async with opened() as line:
        reading = asyncio.create_task(line.read())
        await line.write(b"ticket")
        assert bytes(printer.took) == b"ticket"
        await asyncio.sleep(1.2)
        assert not reading.done()
        bed.unplug(printer)
        with pytest.raises(Unavailable, match="unplugged"):
            await asyncio.wait_for(reading, 2)


# Drivers.


class UsbPrinter(MockedUsb):
    """The emulated ESC/POS printer at the end of two bulk endpoints."""

    def __init__(self) -> None:
        super().__init__(0x0483, 0x5743, PRINTER)
        self.inner = Interpreter()
        self._seen = 0

    async def work(self) -> None:
        while True:
            new = bytes(self.took[self._seen :])
            self._seen += len(new)
            if new and (answer := self.inner.feed(new)):
                self.say(answer)
            await asyncio.sleep(0.005)


@contextlib.asynccontextmanager
async def running(*works: Any) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(work) for work in works]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def printing(url: str) -> TicketPrinter:
    entry = DeviceEntry(
        id="p1", kind="printer", url=url, address=0, profile="80mm", window="", levels={},
        settings={"poll_ms": "200", "print_ms": "3000"},
    )  # fmt: skip
    assert not plan([entry]).wrong
    return printer_maker(lambda entry: lambda paper: b"\x1b@" + paper + b"\n\x1dVB\0\x1dr\x01")(entry, lambda _: None)


async def test_issue_3_the_ticket_printer_prints_over_usb_and_its_paper_and_plug_are_known(bed: UsbBed) -> None:
    far, near = UsbPrinter(), printing("usb://0483:5743")
    bed.plug(far)
    async with running(far.work(), near.run()):
        await until(lambda: near.printer_state == "ok")
        assert await near.print(b"A042", 5_000) == ("printed", "")
        assert len(far.inner.papers) == 1
        far.inner.model.paper_dots = 0
        await until(lambda: near.printer_state == "out")
        assert await near.print(b"A043", 5_000) == ("failed", "out")
        bed.unplug(far)
        await until(lambda: near.printer_state == "offline")
        assert "plugged" in near.health.last_error
        again = UsbPrinter()
        bed.plug(again, bus=3, port=1)
        async with running(again.work()):
            await until(lambda: near.printer_state == "ok")
            assert await near.print(b"A044", 5_000) == ("printed", "")


async def test_law_7_a_printer_unplugged_during_a_ticket_leaves_it_unknown_and_prints_nothing_twice(
    bed: UsbBed,
) -> None:
    far, near = UsbPrinter(), printing("usb://0483:5743")
    bed.plug(far)
    async with running(far.work(), near.run()):
        await until(lambda: near.printer_state == "ok")
        job = asyncio.create_task(near.print(b"A042" * 200, 5_000))
        await until(lambda: b"A042" in far.took)
        far.take(30)
        await asyncio.sleep(0.05)
        bed.unplug(far)
        assert await asyncio.wait_for(job, 5) in (("unknown", "disconnected"), ("printed", ""))
        again = UsbPrinter()
        bed.plug(again, bus=3, port=1)
        async with running(again.work()):
            await until(lambda: near.printer_state == "ok")
            assert b"A042" not in again.took


async def test_issue_3_a_press_torn_by_unplugging_is_pressed_again_and_counted_once(bed: UsbBed) -> None:
    """HARDWARE 1.1's frame of level 3, which needs two reports of 8 bytes; its acknowledgement does as well."""
    press, echo = bytes.fromhex("FF 68 03 03 68 07 11 03 1B 16"), bytes.fromhex("FF 68 03 03 68 07 01 03 0B 16")
    reports = [press[:8], press[8:].ljust(8, b"\0")]
    far, again = MockedUsb(0x0483, 0x5750, HID), MockedUsb(0x0483, 0x5750, HID)
    levels: list[int] = []

    async def rated(pad: object, level: int, age_ms: int) -> None:
        levels.append(level)

    entry = DeviceEntry(
        id="r1", kind="rating_pad", url=URL, address=7, profile="ff68-a", window="1",
        levels={str(level): level + 1 for level in range(5)}, settings={"line.retry_first_ms": "20"},
    )  # fmt: skip
    assert not plan([entry]).wrong
    bus = make_bus((entry,), Calls(NOBODY.pressed, rated, NOBODY.health_changed, NOBODY.printer))
    (driver,) = bus.drivers
    bed.plug(far)
    async with running(bus.run()):
        await until(lambda: bus.up)
        far.say(reports[0])
        await until(lambda: bus.counters["bytes_in"] == 8)
        bed.unplug(far)
        await until(lambda: driver.health.state == "offline")
        bed.plug(again, bus=3)
        await until(lambda: bus.up)
        for report in reports * 2:  # it repeats, because nobody answered before
            again.say(report)
        await until(lambda: echo in bytes(again.took).replace(b"\0", b""))
        await until(lambda: driver.health.state == "online")
        assert levels == [4]


class UsbReader(MockedUsb):
    """The emulated SAM_V reader in counted HID reports of 64 bytes; it is its line."""

    def __init__(self) -> None:
        super().__init__(0x0483, 0x5750, (Part((Way(0x81, INTERRUPT, 64), Way(0x02, INTERRUPT, 64)), driver="usbhid"),))
        self.reader = EmulatedIdReader(0)
        self.reader.join(self)
        self.reader.put()

    async def transmit(self, frame: object, codec: AnyCodec) -> None:
        data = codec.encode(frame)
        for at in range(0, len(data), 63):
            piece = data[at : at + 63]
            self.say((bytes((len(piece),)) + piece).ljust(64, b"\0"))

    async def work(self) -> None:
        framer: Framer[Any] = Framer(SAMV.hosts)
        seen = 0
        while True:
            new = self.reports[seen:]
            seen += len(new)
            for frame in framer.feed(b"".join(report[1 : 1 + report[0]] for report in new)):
                await self.reader.receive(frame)
            await asyncio.sleep(0.005)


async def test_issue_3_an_id_reader_answers_in_hid_reports(bed: UsbBed) -> None:
    """HARDWARE 5.1: the SAM frames are the same inside; how a maker's reports carry them is public for none."""
    far = UsbReader()
    cards: list[Card | None] = []
    bed.plug(far)
    entry = DeviceEntry(
        id="i1", kind="id_reader", url="usb://0483:5750?report=counted", address=0, profile="sam-v", window="",
        levels={}, settings={"poll_ms": "50", "line.retry_first_ms": "20"},
    )  # fmt: skip
    assert not plan([entry]).wrong
    calls = Calls(
        NOBODY.pressed, NOBODY.rated, NOBODY.health_changed, NOBODY.printer, card=lambda _, c: cards.append(c)
    )
    bus = make_bus((entry,), calls)
    async with running(bus.run(), far.work()):
        await until(lambda: len(cards) == 1)
        assert cards[0] is not None
        assert cards[0].number == synthetic_number()
        (driver,) = bus.drivers
        assert driver.health.state == "online"
        bed.unplug(far)
        await until(lambda: driver.health.state == "offline")
        assert "0483:5750" in driver.health.last_error


# What is plugged in.


async def test_issue_3_scan_names_what_is_plugged_in_and_a_url_for_it(
    bed: UsbBed, monkeypatch: pytest.MonkeyPatch
) -> None:
    bed.plug(MockedUsb(0x0483, 0x5743, PRINTER, serial="P/1", product="POS80"))
    bed.plug(MockedUsb(0x0483, 0x5750, HID), port=3)
    bed.plug(MockedUsb(0x0483, 0x5750, HID), port=4)
    await asyncio.sleep(0.2)
    found = {one.name: one for one in scan() if one.bus == "usb"}
    assert {name: one.url for name, one in found.items()} == {
        "1-2 0483:5743": "usb://0483:5743:P%2F1",
        "1-3 0483:5750": "usb://0483:5750?at=1-3",
        "1-4 0483:5750": "usb://0483:5750?at=1-4",
    }
    assert "printer" in found["1-2 0483:5743"].guess
    for one in found.values():
        async with opened(one.url):
            pass
    # Elsewhere than on Linux libusb is asked, and finds the same.
    monkeypatch.setattr("sys.platform", "win32")
    assert {one.name: one for one in scan(ports=list) if one.bus == "usb"} == found
    bridge = SerialPort("COM7", "", 0x0483, 0x5743)
    assert "1-2 0483:5743" not in {one.name for one in scan(ports=lambda: [bridge])}
