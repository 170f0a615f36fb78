"""Durable answers as bytes on the connection, and the direct way of requests whose address has nothing to match."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator

from queue_server.web.frame import BODY_MAX, new_id
from tests.http.conftest import Site


class Peer:
    """A client that writes each byte itself."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def ask(self, line: str, headers: dict[str, str], body: bytes = b"{}") -> None:
        every = {"Host": "hall", "Content-Length": str(len(body)), **headers}
        head = f"{line}\r\n" + "".join(f"{name}: {value}\r\n" for name, value in every.items())
        self.writer.write(head.encode() + b"\r\n" + body)
        await self.writer.drain()

    async def head(self) -> tuple[str, dict[str, str]]:
        first, *lines = (await self.reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
        return first, dict(line.split(": ", 1) for line in lines)

    async def answer(self) -> tuple[str, dict[str, str], bytes]:
        first, headers = await self.head()
        return first, headers, await self.reader.readexactly(int(headers.get("Content-Length", "0")))


@contextlib.asynccontextmanager
async def connected(site: Site) -> AsyncIterator[Peer]:
    host, _, port = site.running.url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        yield Peer(reader, writer)
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def _kiosk(site: Site) -> tuple[dict[str, str], str, bytes]:
    """A kiosk's identity, and the request with which it takes a ticket."""
    await site.sit(site.configuration.window[0].id)
    kiosk = await site.as_device("kiosk", site.configuration.kiosk[0].id)
    body = json.dumps({"matters": [site.offered()]}).encode()
    return kiosk, f"POST /api/v1/halls/{site.hub.name}/tickets", body


async def test_law_6_one_answer_in_one_piece_and_again_on_the_same_connection(site: Site) -> None:
    kiosk, line, body = await _kiosk(site)
    async with connected(site) as peer:
        await peer.ask(f"{line} HTTP/1.1", {**kiosk, "Idempotency-Key": "once"}, body)
        first, headers, text = await peer.answer()
        assert first == "HTTP/1.1 201 Created"
        assert headers["Content-Type"] == "application/json"
        assert "Date" in headers
        assert "Connection" not in headers
        assert json.loads(text)["created"] is True
        await peer.ask(f"{line} HTTP/1.1", {**kiosk, "Idempotency-Key": "once"}, body)
        again, headers, repeated = await peer.answer()
        assert (again, headers["Idempotent-Replayed"], repeated) == (first, "true", text)


async def test_who_wants_the_connection_closed_is_told_and_obeyed(site: Site) -> None:
    kiosk, line, body = await _kiosk(site)
    for version, wish, connection in (
        ("HTTP/1.1", {"Connection": "close"}, "close"),
        ("HTTP/1.0", {}, "close"),
        ("HTTP/1.0", {"Connection": "keep-alive"}, "keep-alive"),
    ):
        async with connected(site) as peer:
            await peer.ask(f"{line} {version}", {**kiosk, **wish, "Idempotency-Key": f"{version}{connection}"}, body)
            _, headers, _ = await peer.answer()
            assert headers["Connection"] == connection
            if connection == "close":
                assert await asyncio.wait_for(peer.reader.read(), 5) == b""


async def test_the_direct_way_keeps_what_an_application_does(site: Site) -> None:
    kiosk, line, body = await _kiosk(site)
    async with connected(site) as peer:
        await peer.ask(f"{line} HTTP/1.1", {**kiosk, "Idempotency-Key": "later", "Expect": "100-continue"}, body)
        assert (await peer.head())[0] == "HTTP/1.1 100 Continue"
        assert (await peer.answer())[0] == "HTTP/1.1 201 Created"
    for wanted, asked, code in (
        (401, {"Idempotency-Key": "a"}, "unauthorised"),
        (400, kiosk, "malformed"),
        (413, {**kiosk, "Idempotency-Key": "b"}, "too-large"),
    ):
        async with connected(site) as peer:
            await peer.ask(f"{line} HTTP/1.1", asked, b" " * (BODY_MAX + 1) if wanted == 413 else body)
            first, headers, text = await peer.answer()
            assert first.split()[1] == str(wanted)
            assert headers["Content-Type"].startswith("application/problem+json")
            assert json.loads(text)["code"] == code
    deleted = await site.ask("DELETE", "tickets", kiosk)
    assert (deleted.status, deleted.body["code"]) == (405, "method-not-allowed")


def test_identifiers_grow_and_never_repeat_even_when_the_clock_goes_back() -> None:
    made = [new_id() for _ in range(1_000)]
    assert made == sorted(set(made))
    assert {len(each) for each in made} == {16}
    assert int(made[-1][:12], 16) * (1 << 16) >= time.time_ns() - 10**9
