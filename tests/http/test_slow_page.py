"""DESIGN law 5: a screen that reads too slowly is written to within bounds, and gets the whole picture when it reads again."""

import asyncio
import json
import os
import socket
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web

from queue_server.domain import commands as c
from queue_server.web import peers
from queue_server.web.peers import Peer
from queue_server.wire.frames import PING, pong_frame
from tests.devices.hall import until
from tests.http.conftest import Site
from tests.http.test_agent_lost import port_of

UPGRADE = (
    b"GET /api/v1/live HTTP/1.1\r\nHost: hall\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
SILENCE = pong_frame(bytes(125))
"""What nobody answers."""
PONG = b"\x8a\x80" + bytes(4)
SMALL = 4096
"""Of the sockets' own buffers, so that a test fills them."""


def text(message: dict[str, Any]) -> bytes:
    """A masked text frame of a client, the mask 0."""
    payload = json.dumps(message).encode()
    return bytes((0x81, 0x80 | len(payload), 0, 0, 0, 0)) + payload


async def told(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, last: Callable[[dict[str, Any]], bool]
) -> list[dict[str, Any]]:
    """Every message up to the `last`; pings are answered."""
    found: list[dict[str, Any]] = []
    async with asyncio.timeout(60):
        while not found or not last(found[-1]):
            head = await reader.readexactly(2)
            size = head[1]
            if size >= 126:
                size = int.from_bytes(await reader.readexactly(2 if size == 126 else 8), "big")
            payload = await reader.readexactly(size)
            if head[0] == PING[0]:
                writer.write(PONG)
            elif head[0] == 0x81:
                found.append(json.loads(payload))
    return found


@pytest.mark.skipif(os.name == "nt", reason="the sockets' buffers are made small as Linux does it")
async def test_law_5_a_display_that_reads_too_slowly_is_bounded_and_then_right_again(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As slow as that for longer than one that is gone may be silent: its answers stand behind what it has not read.

    Whoever reads is told at once meanwhile (issue 2: a display that reads too slowly is bounded, and the hall goes on).
    """
    monkeypatch.setattr(peers, "BUFFER_MAX", 8 * 1024)
    token = (await site.as_device("hall"))["Authorization"].removeprefix("Bearer ")
    plain = socket.socket()
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL)
    plain.setblocking(False)
    await asyncio.get_running_loop().sock_connect(plain, ("127.0.0.1", port_of(site)))
    reader, writer = await asyncio.open_connection(sock=plain, limit=SMALL)
    writer.write(
        UPGRADE + text({"type": "hello", "token": token}) + text({"type": "subscribe", "view": "hall", "of": ""})
    )
    await reader.readuntil(b"\r\n\r\n")
    live = site.running.frame.live
    await until(lambda: ("hall", "") in live._topics and bool(live._topics["hall", ""][""].subscribers), 10)
    topic = live._topics["hall", ""][""]
    [peer] = topic.subscribers
    assert isinstance(peer, Peer)
    peer.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALL)
    pings, ping = 0, Peer.ping

    def counted(self: Peer) -> None:
        nonlocal pings
        pings += self is peer
        ping(self)

    monkeypatch.setattr(Peer, "ping", counted)
    writer.transport.pause_reading()  # type: ignore[attr-defined]
    while peer.transport.get_write_buffer_size() < SMALL:
        peer.offer(SILENCE)

    most = 0
    for number in range(200):
        await site.hub.tell(c.SetMessage(kind="notice", zh=f"{number} " + "请" * 190, en="x" * 190), "staff:1")
        await asyncio.sleep(0.05)  # as often as it is rendered
        most = max(most, peer.transport.get_write_buffer_size())
        if topic.behind:
            break
    assert topic.behind == {peer}, "it no longer takes part"
    pings = 0
    await until(lambda: pings > peers.SCREEN_PINGS_UNHEARD + 1, 60)
    assert not peer.transport.is_closing(), "slow, not gone"
    assert peer.socket._heartbeat is None, "nobody else asks it"
    quick = await site.session.ws_connect(site.running.url + "/api/v1/live")
    await quick.send_json({"type": "hello", "token": token})
    await quick.send_json({"type": "subscribe", "view": "hall", "of": ""})
    for number in range(20):
        await site.hub.tell(c.SetMessage(kind="notice", zh=f"later {number} " + "请" * 150, en="x" * 150), "staff:1")
        most = max(most, peer.transport.get_write_buffer_size())
    assert most < 2 * peers.BUFFER_MAX, "the bound, and what one view weighs"

    async with asyncio.timeout(10):
        while "later 19 " not in (await quick.receive_str()):
            pass
    await quick.close()

    assert topic.behind == {peer}
    writer.transport.resume_reading()  # type: ignore[attr-defined]
    heard = await told(
        reader, writer, lambda each: "later 19 " in str(each.get("documents", {}).get("hall", {}).get("message"))
    )
    assert heard[-1]["type"] == "snapshot", "dropped to a snapshot"
    assert not topic.behind
    said = [str(each.get("documents", {})) for each in heard]
    assert not any("later 5 " in each for each in said), "what it missed is not told again"
    writer.close()


class Transport(asyncio.Transport):
    """A connection whose buffer the test fills."""

    waiting = 0
    written = 0
    aborted = False

    def is_closing(self) -> bool:
        return self.aborted

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += 1

    def get_write_buffer_size(self) -> int:
        return self.waiting

    def abort(self) -> None:
        self.aborted = True


def test_law_5_a_connection_that_takes_nothing_for_a_minute_is_ended() -> None:
    line = Transport()
    peer = Peer(web.WebSocketResponse(), line, 3)
    line.waiting = 1
    peer.watch(10.0)
    peer.watch(69.0)
    line.waiting = 0
    peer.watch(69.5)  # it drained
    line.waiting = 1
    peer.watch(70.0)
    peer.watch(130.0)
    assert not line.aborted
    peer.watch(130.5)
    assert line.aborted
    assert not peer.silent


def test_law_5_who_has_not_taken_what_it_was_sent_is_slow_and_not_silent() -> None:
    line = Transport()
    peer = Peer(web.WebSocketResponse(), line, 3)
    peer._listening = True
    line.waiting = 1
    for _ in range(10):
        peer.ping()
    assert (line.written, peer.silent, line.aborted) == (0, False, False)
    line.waiting = 0
    for _ in range(3):
        peer.ping()
    assert (line.written, peer.silent, line.aborted) == (3, True, False)
    line.waiting = 1
    peer.ping()
    assert (peer.silent, line.aborted) == (False, False), "what it took since may have been much to read"
    line.waiting = 0
    for _ in range(4):
        peer.ping()
    assert (line.written, peer.silent, line.aborted) == (6, True, True)
    peer.unheard = 0
    peer.ping()
    assert peer.unheard == 0, "nobody was asked"
