"""Byte streams named by URL: every transport carries bytes, tells when the other end is gone, and opens again."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from devices.transport import Listener, Transport, Unavailable, listen, memory_pair, transport
from devices.transport.base import parse_url
from devices.transport.memory import PIPE_LIMIT_BYTES
from devices.transport.streams import SerialTransport, serial_port_name
from tests.devices.hall import listen_url


@pytest.fixture(params=["memory", "tcp", "pty"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return listen_url(request.param, tmp_path)


async def joined(listener: Listener) -> tuple[Transport, Transport]:
    near = transport(listener.url)
    await near.open()
    return near, await listener.accept()


async def read_all(end: Transport, count: int) -> bytes:
    data = b""
    async with asyncio.timeout(5):
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
