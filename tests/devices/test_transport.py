"""Byte streams named by URL: every transport carries bytes, tells when the other end is gone, and opens again."""

from __future__ import annotations

import asyncio
import itertools
import os
import subprocess
import sys
import termios
import threading
from pathlib import Path

import pytest

from devices.bus import Bus
from devices.protocols.keymaps import Action, Key
from devices.transport import Listener, Transport, Unavailable, holders, listen, memory_pair, streams, transport
from devices.transport.base import parse_url
from devices.transport.datagrams import DATAGRAMS_LIMIT, UdpTransport
from devices.transport.holders import hold, let_go
from devices.transport.memory import PIPE_LIMIT_BYTES
from devices.transport.serialports import SerialPort, find_port, serial_ports
from devices.transport.streams import SerialTransport, serial_port_name
from tests.devices.hall import FAST, Desk, listen_url, until


@pytest.fixture(params=["memory", "tcp", "pty"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return listen_url(request.param, tmp_path)


async def joined(listener: Listener) -> tuple[Transport, Transport]:
    near = transport(listener.url)
    await near.open()
    return near, await listener.accept()


async def read_all(end: Transport, count: int) -> bytes:
    data = b""
    async with asyncio.timeout(20):
        while len(data) < count:
            data += await end.read(count - len(data))
    return data


async def keep_writing(end: Transport) -> None:
    for _ in range(3):  # a socket takes a first write before it knows
        await end.write(b"x")
        await asyncio.sleep(0.02)


async def test_bytes_arrive_in_order_both_ways(url: str) -> None:
    listener = await listen(url)
    near, far = await joined(listener)
    everything = bytes(range(256))
    await near.write(everything)
    assert await read_all(far, 256) == everything
    await far.write(everything)
    assert await read_all(near, 256) == everything
    await near.close()
    await far.close()
    await listener.close()


async def test_a_reader_hears_that_the_other_end_is_gone_and_opens_again(url: str) -> None:
    listener = await listen(url)
    near, far = await joined(listener)
    reading = asyncio.create_task(near.read())
    await asyncio.sleep(0.05)
    await far.close()
    with pytest.raises(Unavailable):
        await reading
    with pytest.raises(Unavailable):
        await keep_writing(near)
    if url.startswith("pty"):
        far = await listener.accept()  # plugged in again under the same link
        await near.open()
    else:
        await near.open()
        far = await listener.accept()
    await near.write(b"again")
    assert await read_all(far, 5) == b"again"
    await near.close()
    await near.close()
    await far.close()
    await listener.close()


async def test_closing_ends_a_pending_read(url: str) -> None:
    listener = await listen(url)
    near, far = await joined(listener)
    for end in (near, far):
        reading = asyncio.create_task(end.read())
        await asyncio.sleep(0.02)
        await end.close()
        with pytest.raises(Unavailable):
            await reading
    with pytest.raises(Unavailable):
        await near.write(b"x")
    await listener.close()


async def test_nothing_listens_is_unavailable(tmp_path: Path) -> None:
    for url in ("memory://nobody", "tcp://127.0.0.1:1", f"serial://{tmp_path}/none"):
        with pytest.raises(Unavailable):
            await transport(url).open()
        with pytest.raises(Unavailable):
            await transport(url).read()


@pytest.mark.parametrize(
    "url",
    [
        "/dev/ttyS0",
        "serial://dev/ttyS0",
        "serial:///dev/x?speed=1",
        "serial:///dev/x?parity=Q",
        "tcp://h",
        "udp://h",
        "udp://h:1?far=2",
        "ws://",
        "serial://?vid=1a86",
        "serial://?vid=1a86&pid=many",
        "serial:///dev/x?vid=1a86&pid=7523",
        "carrier://x",
    ],
)
def test_a_url_that_names_no_transport_says_so(url: str) -> None:
    with pytest.raises(ValueError, match=r".{8}"):
        transport(url)


def test_serial_urls_name_ports_of_both_systems() -> None:
    assert serial_port_name(parse_url("serial:///dev/serial/by-path/pci-0:1.0-port0?baud=9600")) == (
        "/dev/serial/by-path/pci-0:1.0-port0"
    )
    assert serial_port_name(parse_url("serial:///COM3")) == "COM3"
    assert serial_port_name(parse_url("serial://com12")) == "COM12"
    assert isinstance(transport("serial:///dev/x?baud=2400&bits=7&parity=e&stop=2"), SerialTransport)


async def test_two_programs_do_not_share_a_serial_port(tmp_path: Path) -> None:
    listener = await listen(f"pty://{tmp_path / 'line'}")
    near, far = await joined(listener)
    with pytest.raises(Unavailable):
        await transport(listener.url).open()
    await near.close()
    await far.close()
    await listener.close()


async def test_a_full_memory_line_makes_the_writer_wait() -> None:
    near, far = memory_pair()
    flood = asyncio.create_task(near.write(bytes(PIPE_LIMIT_BYTES + 10)))
    await asyncio.sleep(0.02)
    assert not flood.done()
    assert len(await read_all(far, PIPE_LIMIT_BYTES + 10)) == PIPE_LIMIT_BYTES + 10
    await flood


async def test_a_name_is_taken_once() -> None:
    listener = await listen("memory://Once")
    with pytest.raises(Unavailable):
        await listen("memory://once")
    await listener.close()
    await (await listen("memory://once")).close()


async def test_each_datagram_is_one_read_and_a_listener_answers_who_asked() -> None:
    listener = await listen("udp://127.0.0.1:0")
    near, other = transport(listener.url), transport(listener.url)
    await near.open()
    await other.open()
    await near.write(b"S01E")
    await near.write(b"S95E")
    far = await listener.accept()
    assert [await far.read(), await far.read(2), await far.read()] == [b"S01E", b"S9", b"5E"]
    await other.write(b"S05E")
    await (await listener.accept()).write(b"S05OK")
    await far.write(b"S95OK")
    assert (await near.read(), await other.read()) == (b"S95OK", b"S05OK")
    for end in (near, other, far, listener):
        await end.close()


async def test_a_datagram_to_nobody_is_lost_and_the_line_stays_open() -> None:
    listener = await listen("udp://127.0.0.1:0")
    near = transport(listener.url)
    await listener.close()
    await near.open()
    await near.write(b"S95E")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(near.read(), 0.2)
    again = await listen(listener.url)
    await near.write(b"S95E")
    assert await (await again.accept()).read() == b"S95E"
    with pytest.raises(Unavailable):
        await near.write(bytes(1500))
    await near.close()
    await again.close()


async def test_hardware_1_2_devices_report_to_one_local_port_and_each_line_hears_its_own() -> None:
    """HARDWARE 1.2a: results come unasked to the host's UDP 7791, from any port of the tablet."""
    listener = await listen("udp://127.0.0.1:0")
    url = f"{listener.url}?local=47791"
    near, rival = transport(url), transport(url)
    await near.open()
    with pytest.raises(Unavailable, match="another line"):
        await rival.open()
    stranger = transport("udp://127.0.0.1:47791")
    await stranger.open()
    await stranger.write(b"S02||card||5||E")
    assert await near.read() == b"S02||card||5||E"
    await near.write(b"S01E")
    assert await (await listener.accept()).read() == b"S01E"
    await near.close()
    await rival.open()
    for end in (rival, stranger, listener):
        await end.close()


async def test_design_law_5_a_flood_of_datagrams_is_bounded() -> None:
    listener = await listen("udp://127.0.0.1:0")
    near = transport(listener.url)
    assert isinstance(near, UdpTransport)
    await near.open()
    await near.write(b"?")
    far = await listener.accept()
    for number in range(DATAGRAMS_LIMIT + 5):
        await far.write(b"%03d" % number)
    await asyncio.sleep(0.1)
    assert await near.read() == b"005"
    for end in (near, far, listener):
        await end.close()


async def test_each_websocket_message_is_one_read_text_both_ways() -> None:
    listener = await listen("ws://127.0.0.1:0")
    near, far = await joined(listener)
    await near.write('{"method":"RateQuest","param":"张三"}'.encode())
    assert await far.read() == '{"method":"RateQuest","param":"张三"}'.encode()
    await far.write(b"\xff\x00")
    assert await near.read(1) + await near.read() == b"\xff\x00"
    reading = asyncio.create_task(near.read())
    await asyncio.sleep(0.02)
    await far.close()
    with pytest.raises(Unavailable):
        await reading
    with pytest.raises(Unavailable):
        await near.write(b"{}")
    await near.open()
    far = await listener.accept()
    await far.write(b"again")
    assert await near.read() == b"again"
    for end in (near, far, listener):
        await end.close()
    with pytest.raises(Unavailable):
        await transport(listener.url).open()


BRIDGES = [
    SerialPort("COM7", "USB-SERIAL CH340", 0x1A86, 0x7523, "", "1-1.2"),
    SerialPort("COM8", "USB-SERIAL CH340", 0x1A86, 0x7523, "", "1-1.3"),
    SerialPort("COM3", "FT232R", 0x0403, 0x6001, "A50285BI", "1-4"),
    SerialPort("COM1"),
]


def test_hardware_6_a_usb_port_is_found_by_what_it_is_whatever_its_name() -> None:
    assert find_port({"vid": "0403", "pid": "6001"}, lambda: BRIDGES) == "COM3"
    assert find_port({"vid": "0403", "pid": "6001", "sn": "a50285bi"}, lambda: BRIDGES) == "COM3"
    assert find_port({"vid": "1a86", "pid": "7523", "at": "1-1.3"}, lambda: BRIDGES) == "COM8"
    with pytest.raises(Unavailable, match=r"2 serial ports .* COM7 \(at=1-1.2\), COM8"):
        find_port({"vid": "1a86", "pid": "7523"}, lambda: BRIDGES)
    with pytest.raises(Unavailable, match="no serial port vid=1a86 pid=5523"):
        find_port({"vid": "1a86", "pid": "5523"}, lambda: BRIDGES)
    assert [port.url for port in BRIDGES] == [
        "serial://?vid=1a86&pid=7523&at=1-1.2",
        "serial://?vid=1a86&pid=7523&at=1-1.3",
        "serial://?vid=0403&pid=6001&sn=A50285BI",
        "serial:///COM1",
    ]


def test_a_port_with_a_serial_number_goes_by_id_and_one_without_by_path() -> None:
    links = ("/dev/serial/by-id/usb-FTDI-if00", "/dev/serial/by-path/pci-1-port0")
    assert SerialPort("/dev/ttyUSB0", "", 0x0403, 0x6001, "A5", "1-4", links).url == "serial://" + links[0]
    assert SerialPort("/dev/ttyUSB1", "", 0x1A86, 0x7523, "", "1-5", links).url == "serial://" + links[1]


async def test_issue_3_a_port_that_returns_under_another_name_is_found_again(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = await listen("pty://"), await listen("pty://")
    names = iter([listener.url.removeprefix("serial://").partition("?")[0] for listener in (first, second)])
    monkeypatch.setattr("devices.transport.streams.find_port", lambda wanted: next(names))
    line = transport("serial://?vid=1a86&pid=7523")
    await line.open()
    far = await first.accept()
    await line.write(b"one")
    assert await read_all(far, 3) == b"one"
    await far.close()
    with pytest.raises(Unavailable):
        await line.read()
    await line.open()
    far = await second.accept()
    await line.write(b"two")
    assert await read_all(far, 3) == b"two"
    for end in (line, far, first, second):
        await end.close()


async def test_a_described_port_is_looked_up_when_it_is_opened() -> None:
    line = transport("serial://?vid=dead&pid=beef&baud=115200")
    with pytest.raises(Unavailable, match="vid=dead pid=beef"):
        await line.open()
    assert not [port for port in serial_ports() if port.vid == 0xDEAD]


async def test_issue_3_presses_are_neither_doubled_nor_lost_when_a_bridge_comes_back_as_another_port(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A CH340 that is pulled and plugged: the system gives it the next free name."""
    desk, names = Desk("pty://"), []

    def there() -> list[SerialPort]:
        try:
            name = desk.emulator.url.removeprefix("serial://").partition("?")[0]
        except Unavailable:
            return []
        names.append(name)
        return [SerialPort(name, "USB-SERIAL CH340", 0x1A86, 0x7523, "", "1-1.2")]

    monkeypatch.setattr("devices.transport.streams.find_port", lambda wanted: find_port(wanted, there))
    async with desk.emulator:
        desk.bus = Bus(transport("serial://?vid=1a86&pid=7523&at=1-1.2&baud=115200"), FAST)
        desk.bus.attach(desk.keypad)
        desk.bus.attach(desk.rating)
        task = asyncio.create_task(desk.bus.run())
        await until(lambda: desk.bus.up)
        assert await desk.far_keypad.press(Key.CALL)
        holder = None
        for key, level in ((Key.RECALL, 4), (Key.CALL, 0)):
            await desk.emulator.unplug()
            await until(lambda: desk.keypad.health.state == "offline")
            holder = holder or await listen("pty://")  # takes the name that has become free
            await desk.emulator.plug()
            await until(lambda: desk.bus.up)
            assert await desk.far_rating.rate(level)
            assert await desk.far_keypad.press(key)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert holder is not None
        await holder.close()
    assert [action.action for action in desk.actions] == [Action.NEXT, Action.RECALL, Action.NEXT]
    assert desk.ratings == [5, 1]
    assert len(set(names)) > 1
    assert desk.healths.count(("k7", "offline")) == 2


async def test_issue_3_a_serial_port_that_hangs_in_opening_takes_one_thread_and_is_given_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A bridge whose driver is stuck: every try would take another thread of those that print and look for ports."""
    go, opened, closed = threading.Event(), [], []

    class Port:
        def close(self) -> None:
            closed.append(self)

    def hang(*_: object, **__: object) -> Port:
        opened.append(Port())
        go.wait(60)
        return opened[-1]

    monkeypatch.setattr("devices.transport.streams.serial.serial_for_url", hang)
    monkeypatch.setattr("devices.transport.streams.CONNECT_TIMEOUT_S", 0.1)
    line = transport("serial:///dev/serial/by-path/stuck")
    with pytest.raises(Unavailable, match="no answer"):
        await line.open()
    for _ in range(8):
        with pytest.raises(Unavailable, match="does not let go"):
            await line.open()
    assert await asyncio.wait_for(asyncio.to_thread(lambda: "free"), 20) == "free"
    await until(lambda: opened)
    assert (len(opened), closed) == (1, [])
    go.set()
    await until(lambda: closed == opened)  # it has succeeded when nobody wanted it any more
    await until(lambda: not [thread for thread in threading.enumerate() if thread.name.startswith("serial-open")])


async def test_issue_3_an_opening_that_was_given_up_before_it_began_holds_no_port(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else whoever gets the port's number next is told that it is taken, for as long as the agent runs."""
    near, far = os.openpty()
    name, go = os.ttyname(far), threading.Event()
    real = streams.node_port

    def late(path: str) -> holders.Port:
        go.wait(30)
        return real(path)

    monkeypatch.setattr(streams, "node_port", late)
    first = transport(f"serial://{name}")
    opening = asyncio.create_task(first.open())
    await until(lambda: [thread for thread in threading.enumerate() if thread.name == "serial-open"])
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    go.set()
    await until(lambda: not [thread for thread in threading.enumerate() if thread.name == "serial-open"])
    other = transport(f"serial://{name}?baud=19200")
    await other.open()
    await other.close()
    assert first.url != other.url
    os.close(near)
    os.close(far)


@pytest.mark.parametrize("where", ["tcflush", "tcsetattr"])
async def test_issue_3_whatever_a_serial_port_raises_it_is_unavailable_and_given_back(
    where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`termios.error` is no OSError: a bridge that was pulled while it was opened ended its line for good."""
    near, far = os.openpty()
    name = os.ttyname(far)

    def pulled(*_: object) -> None:
        raise termios.error(5, "Input/output error")

    line = transport(f"serial://{name}")
    with monkeypatch.context() as broken:
        broken.setattr(f"termios.{where}", pulled)
        with pytest.raises(Unavailable, match="Input/output error"):
            await line.open()
    await line.open()  # its exclusive lock was given back too
    await line.close()

    async def refused(*_: object) -> None:
        raise termios.error(5, "went away")

    with monkeypatch.context() as broken:
        broken.setattr("devices.transport.streams.serial_asyncio_fast.connection_for_serial", refused)
        with pytest.raises(Unavailable, match="went away"):
            await line.open()
    await line.open()
    await line.close()
    os.close(near)
    os.close(far)


def test_issue_3_a_serial_port_that_never_opens_does_not_keep_the_program_from_ending() -> None:
    program = (
        "import asyncio, threading\n"
        "from devices.transport import Unavailable, streams, transport\n"
        "streams.CONNECT_TIMEOUT_S = 0.1\n"
        "streams.serial.serial_for_url = lambda *_, **__: threading.Event().wait()\n"
        "try:\n    asyncio.run(transport('serial:///dev/stuck').open())\n"
        "except Unavailable as error:\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=60)
    assert "no answer" in done.stdout
    assert done.stderr == ""


def test_issue_3_ports_are_held_in_threads_while_the_loop_lets_go_of_others() -> None:
    class Line:
        def __init__(self, url: str) -> None:
            self.url = url

    ended = threading.Event()
    held = [Line(f"u{number}") for number in range(40)]
    for number, line in enumerate(held):
        hold(("test", number), line)

    def opening() -> None:
        for number in itertools.takewhile(lambda _: not ended.is_set(), itertools.count(100)):
            held.append(line := Line("opening"))
            hold(("test", number), line)
            if not number % 50:
                del held[40:]

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    thread = threading.Thread(target=opening)
    thread.start()
    try:
        for _ in range(20_000):
            let_go(held[0])
    finally:
        ended.set()
        thread.join()
        sys.setswitchinterval(before)
        for line in held:
            let_go(line)
