"""Issue 3, emulators as products: every fault has one name everywhere, on the command line and while it runs."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from devices.emulators.cli import Asked
from devices.emulators.faults import Faults, split_fault
from devices.emulators.printer import EmulatedPrinter
from devices.emulators.rs485 import Rs485BusEmulator
from devices.framing.stream import Framer, Garbage
from devices.profiles import PROFILES
from devices.transport import Transport, Unavailable, parse_url, transport
from tests.devices.hall import obeyed, until

ADDRESS = 7
TICKET = b"\x1c&" + "A012 号\n".encode("gbk")
CUT = b"\x1dV\x00"


def _listen(scheme: str, folder: Path) -> str:
    return {"memory": "memory://faults", "pty": f"pty://{folder / 'line'}", "tcp": "tcp://127.0.0.1:0"}[scheme]


@pytest.mark.parametrize("scheme", ["memory", "pty", "tcp"])
@pytest.mark.parametrize(
    "profile", sorted(p.name for p in PROFILES.values() if "printer" not in p.kinds)
)  # these: below
async def test_every_device_is_lossy_noisy_unplugged_and_silent_by_the_same_names(
    profile: str, scheme: str, tmp_path: Path
) -> None:
    known = PROFILES[profile]
    node = known.emulate(ADDRESS)
    async with Rs485BusEmulator(_listen(scheme, tmp_path), [node]) as line:
        near = transport(line.url)
        await near.open()
        await line.until(lambda: line.connected)
        if known.codec.samples:
            [frame] = [
                i for i in Framer(known.codec.from_device).feed(known.codec.samples[0]) if not isinstance(i, Garbage)
            ]
            raw = known.codec.encode(frame)
            await line.set_fault("lossy", "100%")
            await line.transmit(frame, known.codec)
            await line.set_fault("lossy", "0%")
            await line.transmit(frame, known.codec)
            assert await near.read() == raw, "one of the two was lost"
            await line.set_fault("noisy", "100%")
            await line.transmit(frame, known.codec)
            heard = await near.read()
            assert len(heard) == len(raw) + 6
            assert raw not in heard
            await line.set_fault("noisy", "0")
        node.set_fault("silent", "on")
        assert node.silent
        node.set_fault("silent", "off")
        with pytest.raises(ValueError, match="silent"):
            node.set_fault("gravity", "1")
        await line.set_fault("unplugged", "50ms")
        with pytest.raises(Unavailable):
            await near.read()
        url = line._listen_url
        await until(lambda: not line.cable.pulled)
        assert line._listen_url == url
        again = transport(line.url)
        await again.open()
        await again.close()
        await near.close()


@pytest.mark.parametrize(("share", "least", "most"), [("0%", 0, 0), ("20%", 10, 80), ("100%", 200, 200)])
async def test_lossy_loses_about_that_share_of_what_the_host_says(share: str, least: int, most: int) -> None:
    node = PROFILES["a090"].emulate(3)
    async with Rs485BusEmulator("memory://share", [node]) as line:
        near = transport(line.url)
        await near.open()
        await line.set_fault("lossy", share)
        for _ in range(200):
            await near.write(bytes.fromhex("A0 90 03 A5 00 05 C7 EB 00 41 00 CE"))
        await asyncio.sleep(0.1)
        assert least <= 200 - len(line.heard) <= most
        await near.close()


@pytest.mark.parametrize(
    ("fault", "wrong"),
    [
        ("lossy=120%", "share"),
        ("lossy=20ms", "meaning"),
        ("slow=5%", "meaning"),
        ("noise=3s", "meaning"),
        ("bytewise=perhaps", "on, off"),
        ("noise=-1", "meaning"),
        ("x:noise=1", "address"),
        ("9:silent=on", "no device at 9"),
        ("7:gravity=1", "silent"),
    ],
)
async def test_a_fault_that_makes_no_sense_is_refused_in_words(fault: str, wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong):
        await obeyed([], Asked(url="memory://nonsense", nodes=["keypad:7"], faults=[fault]))


def test_a_fault_names_its_device_by_its_address() -> None:
    assert split_fault("0x87:deaf=2") == (0x87, "deaf", "2")
    assert split_fault("lossy=5%") == (None, "lossy", "5%")


async def test_faults_of_lines_and_devices_are_given_at_the_start_and_changed_later() -> None:
    commands = ("fault slow=3ms", "fault 0x87:silent=on", "fault 7 silent on", "fault lossy 5%", "show", "fault rain=1")
    nodes = ["keypad:7", "rating:0x87", "bx:1"]
    told = await obeyed(commands, Asked(url="memory://later", nodes=nodes, faults=["1:late=200ms"]))
    assert [event["silent"] for event in told if event["event"] == "device"][-3:] == [True, True, False]
    [wrong] = [event for event in told if event["event"] == "wrong"]
    assert "lossy" in str(wrong["reason"])


async def test_ux_k12_paper_ends_in_the_middle_of_a_ticket_and_the_rest_comes_with_a_new_roll() -> None:
    async with EmulatedPrinter("memory://paper") as printer:
        near = transport(printer.url)
        await near.open()
        await printer.set_fault("paper", "5mm")
        await near.write(TICKET * 6 + CUT)
        await until(lambda: printer.model.out)
        assert not printer.papers
        assert 0 < len(printer.interpreter.current.lines) < 6
        await printer.set_fault("paper", "plenty")
        await until(lambda: printer.papers)
        assert printer.papers[0].lines == ["A012 号"] * 6
        await near.close()


async def test_a_printers_line_has_the_same_faults_and_keeps_its_port() -> None:
    async with EmulatedPrinter("tcp://127.0.0.1:0", faults=Faults(lossy=1.0)) as printer:
        url = printer.url
        near = transport(url)
        await near.open()
        await near.write(b"\x10\x04\x01")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(near.read(), 0.2)
        await printer.set_fault("lossy", "0%")
        await printer.set_fault("slow", "2ms")
        began = asyncio.get_running_loop().time()
        await near.write(b"\x10\x04\x01" * 10)
        answers = b""
        while len(answers) < 10:
            answers += await near.read()
        assert asyncio.get_running_loop().time() - began >= 0.06
        await printer.set_fault("unplugged", "on")
        with pytest.raises(Unavailable):
            await near.read()
        await printer.set_fault("unplugged", "off")
        assert printer.url == url
        with pytest.raises(ValueError, match="cover"):
            await printer.set_fault("gravity", "1")
        with pytest.raises(ValueError, match="plenty"):
            await printer.set_fault("paper", "soon")
        await near.close()


@pytest.mark.parametrize("scheme", ["memory", "pty", "tcp"])
async def test_issue_3_a_printer_goes_on_when_its_host_hangs_up_in_the_middle(scheme: str, tmp_path: Path) -> None:
    """Its paper moves, its cover is opened and says so to nobody, and the next host finds it."""
    async with EmulatedPrinter(_listen(scheme, tmp_path)) as printer:
        near = transport(printer.url)
        await near.open()
        await near.write(b"\x1da\xff" + TICKET + CUT)
        await until(lambda: printer.papers)
        end = printer._end
        assert end is not None
        await near.close()
        await end.close()  # the host's end is gone, and the printer has not read that yet
        await printer.set_fault("cover", "on")
        await printer.set_fault("cover", "off")
        if scheme == "pty":  # a fresh one is plugged in for the next host
            await until(lambda: printer._end is not end)
        async with asyncio.timeout(20):
            await near.open()
            await near.write(TICKET + CUT)
            await printer.printed(2)
        await near.close()


async def test_issue_3_a_plug_that_does_not_go_in_is_tried_again_and_ends_nobody() -> None:
    """Another program sits at the port when the cable is to come back."""
    async with EmulatedPrinter("tcp://127.0.0.1:0") as printer:
        port = parse_url(printer.url).port or 0
        await printer.set_fault("unplugged", "on")
        async with await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", port):
            await printer.set_fault("unplugged", "20ms")
            await asyncio.sleep(0.1)
            assert printer.cable.pulled
            with pytest.raises(Unavailable):
                await printer.set_fault("unplugged", "off")
            await printer.set_fault("unplugged", "20ms")
            await asyncio.sleep(0.1)
            assert printer.cable.pulled
        await until(lambda: not printer.cable.pulled)
        near = transport(printer.url)
        await near.open()
        await near.close()
        await printer.set_fault("unplugged", "10s")
        assert printer.cable.pulled


async def test_issue_3_a_line_that_is_plugged_and_pulled_at_once_lives_on() -> None:
    node = PROFILES["a090"].emulate(3)
    async with Rs485BusEmulator("memory://hasty", [node]) as line:
        await line.set_fault("unplugged", "on")
        await asyncio.sleep(0.01)
        for value in ("off", "on", "off", "on"):
            await line.set_fault("unplugged", value)
        await asyncio.sleep(0.01)
        await line.set_fault("unplugged", "off")
        near = transport(line.url)
        await near.open()
        await near.write(bytes.fromhex("A0 90 03 A5 00 05 C7 EB 00 41 00 CE"))
        await line.until(lambda: bool(line.heard))
        await near.close()


async def test_issue_3_a_pty_whose_links_folder_is_gone_is_there_again_with_it(tmp_path: Path) -> None:
    folder = tmp_path / "there"
    folder.mkdir()
    async with EmulatedPrinter(f"pty://{folder / 'line'}") as printer:
        end = await until_open(printer)
        (folder / "line").unlink()
        folder.rmdir()
        await end.close()
        await asyncio.sleep(0.05)
        folder.mkdir()
        await until(lambda: printer._end is not end)
        near = transport(printer.url)
        await near.open()
        await near.write(TICKET + CUT)
        await printer.printed(1)
        await near.close()


async def until_open(printer: EmulatedPrinter) -> Transport:
    await until(lambda: printer._end is not None)
    assert printer._end is not None
    return printer._end
