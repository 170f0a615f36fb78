"""Hostile and clumsy peers: every one is bounded, and the hall goes on."""

import asyncio
import contextlib
import io
import json
import time
from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio

from tests.hall_process import Desk, HallProcess, desk, hall_process, open_hall

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def admin(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    """One hall for all of them: what one hostile peer leaves behind is the next one's hall."""
    folder = tmp_path_factory.mktemp("hostile")
    async with hall_process(folder, open_hall(folder / "config")) as hall, desk(hall) as made:
        yield made


async def _kiosk(admin: Desk) -> tuple[dict[str, str], str]:
    kiosk = await admin.pair("kiosk", "kiosk-1")
    async with admin.session.get(f"{admin.hall.api}/matters", params={"limit": "1"}, headers=kiosk) as answer:
        return kiosk, (await answer.json())["hits"][0]["id"]


async def _issues(hall: HallProcess, kiosk: dict[str, str], matter: str, key: str) -> float:
    """Seconds for one ticket by somebody new; asserts that it was issued."""
    began = time.monotonic()
    async with aiohttp.ClientSession() as session:
        headers = {**kiosk, "Idempotency-Key": key}
        async with session.post(f"{hall.api}/tickets", json={"matters": [matter]}, headers=headers) as answer:
            assert answer.status == 201, await answer.text()
    return time.monotonic() - began


async def test_a_thousand_connections_that_say_nothing_leave_the_hall_going(admin: Desk) -> None:
    kiosk, matter = await _kiosk(admin)
    idle = await asyncio.gather(*(asyncio.open_connection("127.0.0.1", admin.hall.port) for _ in range(700)))
    upgrade = (
        b"GET /api/v1/live HTTP/1.1\r\nHost: hall\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    silent = await asyncio.gather(*(asyncio.open_connection("127.0.0.1", admin.hall.port) for _ in range(300)))
    for _, writer in silent:
        writer.write(upgrade)
    assert await _issues(admin.hall, kiosk, matter, "among-silence") < 5
    reader, _ = silent[0]
    closed = await asyncio.wait_for(reader.read(), 20)
    assert b"101 Switching Protocols" in closed, "a websocket that never says hello is closed"
    for _, writer in (*idle, *silent):
        writer.close()


async def test_a_body_of_ten_megabytes_is_refused(admin: Desk) -> None:
    kiosk, matter = await _kiosk(admin)
    async with aiohttp.ClientSession() as session:
        headers = {**kiosk, "Idempotency-Key": "huge", "Content-Type": "application/json"}
        body = io.BytesIO(b'{"matters":["' + b"x" * 10_000_000 + b'"]}')
        with contextlib.suppress(aiohttp.ClientError):
            async with session.post(f"{admin.hall.api}/tickets", data=body, headers=headers) as answer:
                assert answer.status == 413
                assert (await answer.json())["code"] == "too-large"
    await _issues(admin.hall, kiosk, matter, "after-huge")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"", "body"),
        (b"{", "body"),
        (b"[]", "body"),
        (b'{"matters": "one"}', "matters"),
        (b'{"matters": [1]}', "matters[0]"),
        (b'{"matters": [], "quantty": 2}', "quantty"),
        (b'{"matters": [], "quantity": "two"}', "quantity"),
        (b'{"matters": [], "identity": {"kind": "id_card"}}', "identity.number"),
        (b'{"matters": [], "language": "fr"}', "language"),
        (b"\xff\xfe{}", "body"),
        (b"[" * 100_000, "body"),
    ],
)
async def test_malformed_bodies_get_400_with_field_and_reason(admin: Desk, body: bytes, field: str) -> None:
    kiosk, _ = await _kiosk(admin)
    headers = {**kiosk, "Idempotency-Key": f"bad-{field}-{len(body)}"}
    async with admin.session.post(f"{admin.hall.api}/tickets", data=body, headers=headers) as answer:
        problem = await answer.json()
        if body == b"":
            assert (answer.status, problem["code"]) == (409, "no-matter")
            return
        assert answer.status == 400, problem
        assert answer.content_type == "application/problem+json"
    assert problem["code"] == "malformed"
    assert problem["field"] == field
    assert problem["detail"]


async def test_a_display_that_never_reads_slows_nobody(admin: Desk) -> None:
    """DESIGN law 5: it is dropped to "snapshot again", the others hear at once."""
    kiosk, matter = await _kiosk(admin)
    screen = await admin.pair("hall")
    token = screen["Authorization"].removeprefix("Bearer ")
    _, stalled = await asyncio.open_connection("127.0.0.1", admin.hall.port, limit=1024)
    stalled.write(
        b"GET /api/v1/live HTTP/1.1\r\nHost: hall\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    for message in ({"type": "hello", "token": token}, {"type": "subscribe", "view": "hall", "of": ""}):
        payload = json.dumps(message).encode()
        stalled.write(bytes((0x81, 0x80 | len(payload), 0, 0, 0, 0)) + payload)
    async with admin.session.ws_connect(f"{admin.hall.url}/api/v1/live") as quick:
        await quick.send_json({"type": "hello", "token": token})
        await quick.send_json({"type": "subscribe", "view": "hall", "of": ""})
        for number in range(20):
            await _issues(admin.hall, kiosk, matter, f"slow-{number}")
        while True:
            message = json.loads((await asyncio.wait_for(quick.receive(), 5)).data)
            if message.get("documents", {}).get("hall"):
                break
    stalled.close()


async def test_nothing_is_open_without_a_token(admin: Desk) -> None:
    """The hall is closed to whoever has neither session nor token, and 403 to whoever has the wrong one."""
    kiosk, _ = await _kiosk(admin)
    async with aiohttp.ClientSession() as nobody:
        for method, path in (("POST", "tickets"), ("GET", "matters"), ("GET", "staff"), ("GET", "journal")):
            async with nobody.request(method, f"{admin.hall.api}/{path}", json={}) as answer:
                assert answer.status == 401, path
        async with nobody.post(f"{admin.hall.api}/windows/1/call-next", json={}, headers=kiosk) as answer:
            assert answer.status == 403
        async with nobody.get(f"{admin.hall.api}/phone/tdeadbeef.AAAAAAAAAAAAAAAAAAAAAA") as answer:
            assert answer.status == 404
        async with nobody.ws_connect(f"{admin.hall.url}/api/v1/live") as socket:
            await socket.send_json({"type": "hello", "token": "wrong"})
            await socket.receive()
            await socket.send_json({"type": "subscribe", "view": "manager"})
            assert (await socket.receive_json())["code"] == "unauthorised"
