"""DESIGN law 5: a screen that reads too slowly is written to within bounds, and gets the whole picture when it reads again."""

import asyncio
import json
import os
import socket
from typing import Any

import pytest
from aiohttp import web

from queue_server.domain import commands as c
from queue_server.web import peers
from queue_server.web.peers import Peer
from tests.devices.hall import until
from tests.http.conftest import Site
from tests.http.test_agent_lost import port_of

UPGRADE = (
    b"GET /api/v1/live HTTP/1.1\r\nHost: hall\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
SMALL = 4096
"""Of the sockets' own buffers, so that a test fills them."""


def text(message: dict[str, Any]) -> bytes:
    """A masked text frame of a client, the mask 0."""
    payload = json.dumps(message).encode()
    return bytes((0x81, 0x80 | len(payload), 0, 0, 0, 0)) + payload


async def frames(reader: asyncio.StreamReader) -> list[dict[str, Any]]:
    """Every message that came, until nothing comes for a second and a half."""
    found = []
    try:
        while True:
            head = await asyncio.wait_for(reader.readexactly(2), 1.5)
            size = head[1]
            if size >= 126:
                size = int.from_bytes(await reader.readexactly(2 if size == 126 else 8), "big")
            payload = await reader.readexactly(size)
            if head[0] == 0x81 and json.loads(payload)["type"] != "heartbeat":
                found.append(json.loads(payload))
    except TimeoutError:
        return found


@pytest.mark.skipif(os.name == "nt", reason="the sockets' buffers are made small as Linux does it")
async def test_law_5_a_display_that_reads_too_slowly_is_bounded_and_then_right_again(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("queue_server.web.sockets.HEARTBEAT_S", 3600.0)
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
    await until(lambda: ("hall", "") in live._topics and bool(live._topics["hall", ""].subscribers), 10)
    topic = live._topics["hall", ""]
    [peer] = topic.subscribers
    assert isinstance(peer, Peer)
    peer.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALL)

    most = 0
    for number in range(200):
        await site.hub.tell(c.SetMessage(kind="notice", zh=f"{number} " + "请" * 190, en="x" * 190), "staff:1")
        await asyncio.sleep(0.05)  # as often as it is rendered
        most = max(most, peer.transport.get_write_buffer_size())
        if topic.behind:
            break
    assert topic.behind == {peer}, "it no longer takes part"
    for number in range(20):
        await site.hub.tell(c.SetMessage(kind="notice", zh=f"later {number} " + "请" * 150, en="x" * 150), "staff:1")
        most = max(most, peer.transport.get_write_buffer_size())
    assert most < 2 * peers.BUFFER_MAX, "the bound, and what one view weighs"

    heard = await frames(reader)
    last = [each for each in heard if "hall" in each.get("documents", {})][-1]
    assert last["type"] == "snapshot", "dropped to a snapshot"
    assert last["documents"]["hall"]["message"]["text"]["zh"].startswith("later 19 ")
    assert not topic.behind
    said = [str(each.get("documents", {})) for each in heard]
    assert not any("later 5 " in each for each in said), "what it missed is not told again"
    writer.close()


class Transport(asyncio.Transport):
    """A connection whose buffer the test fills."""

    waiting = 0
    aborted = False

    def get_write_buffer_size(self) -> int:
        return self.waiting

    def abort(self) -> None:
        self.aborted = True


def test_law_5_a_connection_that_takes_nothing_for_a_minute_is_ended() -> None:
    line = Transport()
    peer = Peer(web.WebSocketResponse(), line)
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
