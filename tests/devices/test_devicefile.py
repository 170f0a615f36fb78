"""A USB printer as a device file, played by a pty: usblp itself cannot be had here (HARDWARE 7.1, UX K-11, law 7)."""

from __future__ import annotations

import asyncio
import errno
import os
from pathlib import Path

import pytest

from devices.devicemap import plan
from devices.drivers.printer import TicketPrinter
from devices.emulators.printer import EmulatedPrinter, Model
from devices.scan import scan
from devices.transport import Unavailable, devicefile, transport
from displays.receipts import encode_paper
from queue_server.wire.agent import DeviceEntry
from queue_server.wire.common import DeviceState
from tests.devices.hall import until
from tests.devices.test_printer import QUICK, TICKET, lay_out

pytestmark = pytest.mark.skipif(os.name == "nt", reason="USB printers are files on Linux only")


async def test_law_7_a_usb_printer_prints_vanishes_and_comes_back_under_its_name(tmp_path: Path) -> None:
    """Pulled out in the middle: the ticket is unknown, nothing is repeated; then it is found again by itself."""
    model = Model()
    emulator = EmulatedPrinter(f"pty://{tmp_path / 'lp0'}", model)
    await emulator.plug()
    driver = TicketPrinter("p1", transport(f"file://{tmp_path / 'lp0'}"), lay_out, lambda _: None, QUICK)
    task = asyncio.create_task(driver.run())
    try:
        await until(lambda: driver.printer_state == "ok")
        assert await driver.print(encode_paper(TICKET), 10_000) == ("printed", "")
        model.cover = True
        await emulator.changed()
        await until(lambda: driver.printer_state == "cover")
        model.cover = False
        await until(lambda: driver.printer_state == "ok")
        model.confirms = False
        job = asyncio.create_task(driver.print(encode_paper(TICKET), 10_000))
        await emulator.printed(2)
        await emulator.unplug()
        assert await job == ("unknown", "disconnected")
        await until(lambda: driver.health.state is DeviceState.OFFLINE)
        assert await driver.print(encode_paper(TICKET), 10_000) == ("failed", "offline")
        model.confirms = True
        await emulator.plug()
        await until(lambda: driver.printer_state == "ok")
        assert len(emulator.papers) == 2, "nothing is repeated"
        assert await driver.print(encode_paper(TICKET), 10_000) == ("printed", "")
    finally:
        task.cancel()
        await asyncio.wait([task])
        await emulator.unplug()


async def test_a_missing_one_a_taken_one_and_a_plain_file_say_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Unavailable, match="is not plugged in"):
        await transport(f"file://{tmp_path / 'lp0'}").open()
    plain = tmp_path / "lp1"
    plain.touch()
    with pytest.raises(Unavailable, match="is no device"):
        await transport(f"file://{plain}").open()
    line = transport("file:///dev/null")
    with pytest.raises(Unavailable, match="is not open"):
        await line.write(b"x")

    def taken(*_: object) -> int:
        raise OSError(errno.EBUSY, "busy")

    monkeypatch.setattr(devicefile.os, "open", taken)
    with pytest.raises(Unavailable, match="CUPS"):
        await line.open()
    for url in ("file://host/dev/usb/lp0", "file:///dev/usb/lp0?baud=9600", "file://"):
        with pytest.raises(ValueError, match="three slashes"):
            transport(url)


async def test_a_printer_that_takes_nothing_blocks_only_its_own_write(tmp_path: Path) -> None:
    """Out of paper a USB printer stops taking bytes: the loop goes on, and closing ends the write."""
    master, slave = os.openpty()
    os.set_blocking(master, False)
    line = transport(f"file://{os.ttyname(slave)}")
    await line.open()
    write = asyncio.create_task(line.write(b"x" * 1_000_000))
    ticks = 0
    for _ in range(20):
        await asyncio.sleep(0.01)
        ticks += 1
    assert not write.done()
    read = asyncio.create_task(line.read())
    await asyncio.sleep(0.01)
    await line.close()
    for task in (write, read):
        with pytest.raises(Unavailable, match="is not open"):
            await task
    assert ticks == 20
    for descriptor in (master, slave):
        os.close(descriptor)


async def test_a_printer_of_one_direction_is_written_to_and_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """usblp answers a read of one with EINVAL; an empty answer of another is not its end."""
    master, slave = os.openpty()
    line = transport(f"file://{os.ttyname(slave)}")
    await line.open()
    answers: list[object] = [b"", b"", b"\x12"]
    real = os.read

    def read(file: int, size: int) -> bytes:
        if not answers:
            raise OSError(errno.EINVAL, "no way back")
        answer = answers.pop(0)
        assert isinstance(answer, bytes)
        return answer

    monkeypatch.setattr(devicefile.os, "read", read)
    assert await line.read() == b"\x12"
    waiting = asyncio.create_task(line.read())
    await line.write(b"A017")
    await asyncio.sleep(0.05)
    assert not waiting.done()
    assert real(master, 10) == b"A017"
    await line.close()
    with pytest.raises(Unavailable):
        await waiting
    for descriptor in (master, slave):
        os.close(descriptor)


@pytest.mark.parametrize("scheme", ["file", "serial", "evdev"])
async def test_a_port_under_two_names_is_opened_once_and_the_second_says_who_holds_it(
    scheme: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its socket and by the order of plugging in: which is one device, only opening tells."""
    monkeypatch.setattr("devices.transport.evdev._grab", lambda _file: None)
    master, slave = os.openpty()
    node = Path(os.ttyname(slave))
    named = tmp_path / "by-path"
    named.symlink_to(node)
    first, second = transport(f"{scheme}://{named}"), transport(f"{scheme}://{node}")
    await first.open()
    for _ in range(2):
        with pytest.raises(Unavailable, match=f"{first.url} holds.*devices scan"):
            await second.open()
    await first.open()
    await first.close()
    await second.open()
    with pytest.raises(Unavailable, match=f"{second.url} holds"):
        await first.open()
    await second.close()
    await first.open()
    await first.close()
    for descriptor in (master, slave):
        os.close(descriptor)


def test_a_device_map_takes_it_and_scan_prefers_the_name_of_its_socket(tmp_path: Path) -> None:
    entry = DeviceEntry(
        id="p", kind="printer", url="file:///dev/usb/lp0", address=0, profile="80mm", window="", levels={}, settings={}
    )
    assert not plan([entry]).wrong
    folder = tmp_path / "dev/usb"
    (folder / "by-path").mkdir(parents=True)
    for name in ("lp0", "lp1"):
        (folder / name).touch()
    (folder / "by-path" / "pci-0000:00:14.0-usb-0:3:1.0").symlink_to("../lp1")
    found = {each.name: each.url for each in scan(tmp_path, lambda: []) if each.bus == "printer"}
    assert found == {
        "lp0": "file:///dev/usb/lp0",
        "lp1": "file:///dev/usb/by-path/pci-0000:00:14.0-usb-0:3:1.0",
    }
