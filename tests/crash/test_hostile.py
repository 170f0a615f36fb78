"""Hostile and clumsy peers: every one is bounded, and the hall goes on."""

import asyncio
import contextlib
import json
import sqlite3
import time
from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio

from tests.crash.pages import Page, post
from tests.hall_process import PASSWORD, Desk, HallProcess, desk, hall_process, open_hall

pytestmark = pytest.mark.asyncio(loop_scope="module")

UPGRADE = (
    b"GET /api/v1/live HTTP/1.1\r\nHost: hall\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


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
    silent = await asyncio.gather(*(asyncio.open_connection("127.0.0.1", admin.hall.port) for _ in range(300)))
    for _, writer in silent:
        writer.write(UPGRADE)
    assert await _issues(admin.hall, kiosk, matter, "among-silence") < 5
    reader, _ = silent[0]
    closed = await asyncio.wait_for(reader.read(), 20)
    assert b"101 Switching Protocols" in closed, "a websocket that never says hello is closed"
    for _, writer in (*idle, *silent):
        writer.close()


async def test_a_body_of_ten_megabytes_is_refused(admin: Desk) -> None:
    """At four: whoever announces ten is answered when half of it is there, and nobody waits for the rest."""
    kiosk, matter = await _kiosk(admin)
    reader, writer = await asyncio.open_connection("127.0.0.1", admin.hall.port)
    writer.write(
        f"POST /api/v1/halls/{admin.hall.hall.stem}/tickets HTTP/1.1\r\nHost: hall\r\nIdempotency-Key: huge\r\n"
        f"Authorization: {kiosk['Authorization']}\r\nContent-Type: application/json\r\n"
        "Content-Length: 10000000\r\n\r\n".encode()
    )
    writer.write(b'{"matters":["' + b"x" * 5_000_000)
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)
    assert head.startswith(b"HTTP/1.1 413 "), head
    length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    problem = json.loads(await asyncio.wait_for(reader.readexactly(int(length.split(b":")[1])), 20))
    assert (problem["status"], problem["code"]) == (413, "too-large")
    writer.close()
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


# --- websockets ---


def _frame(opcode: int, payload: bytes) -> bytes:
    """A masked client frame with the mask 0."""
    head = bytes((0x80 | opcode,))
    if len(payload) < 126:
        return head + bytes((0x80 | len(payload), 0, 0, 0, 0)) + payload
    if len(payload) < 65_536:
        return head + bytes((0x80 | 126,)) + len(payload).to_bytes(2, "big") + bytes(4) + payload
    return head + bytes((0x80 | 127,)) + len(payload).to_bytes(8, "big") + bytes(4) + payload


FLOODS = {
    "10,000 messages": _frame(1, b'{"type":"subscribe","view":"hall"}') * 10_000,
    "10,000 binary frames": _frame(2, b"\x00" * 100) * 10_000,
    "a message of a megabyte": _frame(1, b" " * 1_000_000),
    "invalid UTF-8": _frame(1, b"\xff\xfe\xfd"),
    "a reserved opcode": _frame(3, b"x"),
    "an endless fragment": bytes((0x01, 0x80 | 125, 0, 0, 0, 0))
    + b" " * 125
    + (bytes((0x00, 0x80 | 125, 0, 0, 0, 0)) + b" " * 125) * 2_000,
}


@pytest.mark.parametrize("flood", FLOODS)
async def test_a_flooding_page_is_closed_and_the_hall_goes_on(admin: Desk, flood: str) -> None:
    """DESIGN law 5: bounded; the others are served meanwhile."""
    kiosk, matter = await _kiosk(admin)
    reader, writer = await asyncio.open_connection("127.0.0.1", admin.hall.port)
    hello = json.dumps({"type": "hello", "token": (await admin.pair("hall"))["Authorization"][7:]}).encode()
    writer.write(UPGRADE + _frame(1, hello))
    writer.write(FLOODS[flood])
    issued_s = await _issues(admin.hall, kiosk, matter, f"flood-{flood}")
    with contextlib.suppress(ConnectionError):
        await asyncio.wait_for(reader.read(-1), 15)
    writer.close()
    assert issued_s < 5


async def test_a_flood_of_pings_slows_nobody(admin: Desk) -> None:
    kiosk, matter = await _kiosk(admin)
    _, writer = await asyncio.open_connection("127.0.0.1", admin.hall.port, limit=1024)
    hello = json.dumps({"type": "hello", "token": (await admin.pair("hall"))["Authorization"][7:]}).encode()
    writer.write(UPGRADE + _frame(1, hello) + _frame(9, b"p" * 100) * 20_000)
    assert await _issues(admin.hall, kiosk, matter, "among-pings") < 5
    writer.close()


@pytest.mark.parametrize(
    "message",
    [
        "",
        "[]",
        "null",
        "{",
        '{"type": "nonsense"}',
        '{"type": "hello", "token": "x", "more": 1}',
        '{"type": "subscribe"}',
        '{"type": "subscribe", "view": 3}',
        '{"type": "subscribe", "view": "hall", "of": {"a": 1}}',
        '{"type": "player", "zone": "A", "ready": "yes"}',
        "[" * 30_000,
    ],
)
async def test_a_malformed_message_is_answered_and_the_page_lives(admin: Desk, message: str) -> None:
    async with Page(admin, (await admin.pair("hall"))["Authorization"]) as page:
        await page.socket.send_str(message)
        await page.until(lambda: page.refused)
        assert page.refused == ["malformed"]
        page.refused.clear()
        await page.subscribe("hall")
        assert page.documents["hall", "", "hall"]


@pytest.mark.parametrize("role", ["hall", "admin"])
@pytest.mark.parametrize(
    "of", ["no-such-window", "1\x00", "../1", "窗" * 2_000, "' or 1=1 --", "\ud7ff\uffff", "t", "-1"]
)
async def test_a_view_of_nothing_is_refused(admin: Desk, role: str, of: str) -> None:
    token = (await admin.pair("hall"))["Authorization"] if role == "hall" else ""
    async with Page(admin, token, None if role == "hall" else admin.session) as page:
        for view in ("hall", "window", "console", "kiosk", "ticket", "nonsense"):
            page.refused.clear()
            await page.subscribe(view, of)
            assert page.refused in (["forbidden"], ["not-found"], ["unauthorised"]), (view, page.refused)


async def test_two_hundred_pages_that_reconnect_at_once_are_all_right_again(admin: Desk) -> None:
    """UX X-07: a switch came back; three times over, every page has its snapshot and the kiosk its number."""
    kiosk, matter = await _kiosk(admin)
    token = (await admin.pair("hall"))["Authorization"]
    slowest_s = 0.0
    for turn in range(3):

        async def come() -> float:
            began = time.monotonic()
            async with Page(admin, token) as page:
                await page.subscribe("hall")
                return time.monotonic() - began

        came = asyncio.gather(*(come() for _ in range(200)))
        assert await _issues(admin.hall, kiosk, matter, f"storm-{turn}") < 10
        slowest_s = max(slowest_s, *await came)
    assert slowest_s < 15


async def test_a_revoked_token_closes_its_page_and_opens_no_other(admin: Desk) -> None:
    """UX S-03."""
    token = (await admin.pair("hall"))["Authorization"]
    async with Page(admin, token) as page:
        await page.subscribe("hall")
        async with admin.session.get(f"{admin.hall.api}/paired") as answer:
            newest = max((await answer.json())["devices"], key=lambda device: device["created_at"])["id"]
        async with admin.session.delete(f"{admin.hall.api}/paired/{newest}") as answer:
            assert answer.status == 200
        assert await page.closed(3) == 4401
    async with Page(admin, token) as page:
        await page.subscribe("hall")
        assert page.refused == ["unauthorised"]


@pytest.mark.parametrize("how", ["signs out", "is disabled", "loses a role", "gets another password"])
async def test_who_may_no_longer_look_sees_nothing_more(admin: Desk, how: str) -> None:
    """An open page ends with the session behind it: it went on showing the console to nobody's account."""
    number = f"9{abs(hash(how)) % 10_000}"
    await admin.staff(number, "guide", "clerk")
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        theirs = Desk(admin.hall, session)
        assert await theirs.sign_in(number) == 200
        changed = {"old": PASSWORD, "new": PASSWORD + "2"}
        async with session.post(f"{admin.hall.api}/session/password", json=changed) as answer:
            assert answer.status == 200
        async with Page(theirs, session=session) as page:
            await page.subscribe("guide")
            assert page.documents["guide", "", "hall"]
            body = {"staff": number, "name": "甲", "roles": ["guide"], "password": "", "active": True}
            if how == "signs out":
                async with session.delete(f"{admin.hall.api}/session") as answer:
                    assert answer.status == 200
            else:
                roles = ["clerk"] if how == "loses a role" else ["guide", "clerk"]
                more = {"roles": roles, "active": how != "is disabled"}
                password = PASSWORD + "3" if how == "gets another password" else ""
                async with admin.session.post(
                    f"{admin.hall.api}/staff", json={**body, **more, "password": password}
                ) as answer:
                    assert answer.status == 200, await answer.text()
            assert await page.closed(5) == 4401


async def test_a_clerk_sees_the_console_of_the_window_at_hand_only(admin: Desk) -> None:
    await admin.staff("7001", "clerk")
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        theirs = Desk(admin.hall, session)
        assert await theirs.sign_in("7001", window="1") == 200
        async with session.post(
            f"{admin.hall.api}/session/password", json={"old": PASSWORD, "new": PASSWORD + "2"}
        ) as answer:
            assert answer.status == 200
        async with Page(theirs, session=session) as page:
            await page.subscribe("console", "1")
            assert page.refused == []
            for view, of in (("console", "2"), ("manager", ""), ("guide", ""), ("kiosk", "kiosk-1")):
                page.refused.clear()
                await page.subscribe(view, of)
                assert page.refused == ["forbidden"], (view, of)


async def test_a_first_password_that_was_not_changed_shows_nothing(admin: Desk) -> None:
    await admin.staff("7002", "manager")
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        theirs = Desk(admin.hall, session)
        assert await theirs.sign_in("7002") == 200
        async with Page(theirs, session=session) as page:
            await page.subscribe("manager")
            assert page.refused == ["unauthorised"]


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1", "https://"])
async def test_a_page_of_another_site_cannot_use_somebodys_cookie(admin: Desk, origin: str) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
        await admin.session.ws_connect(f"{admin.hall.url}/api/v1/live", headers={"Origin": origin})
    assert refusal.value.status == 403


async def test_an_identity_whose_first_request_was_refused_is_written_with_the_second(admin: Desk) -> None:
    """DESIGN law 10, RULES 16: else the same person is somebody else after a restart and takes a second number."""
    kiosk, matter = await _kiosk(admin)
    identity = {"kind": "id_card", "number": "110101199001011234", "name": "甲"}

    def known() -> int:
        with contextlib.closing(sqlite3.connect(f"file:{admin.hall.sqlite}?mode=ro", uri=True)) as database:
            return int(database.execute("select count(*) from lookups").fetchone()[0])

    before = known()
    status, body = await post(admin, "tickets", kiosk, matters=["no-such-matter"], identity=identity)
    assert (status, known()) == (409, before), body
    status, first = await post(admin, "tickets", kiosk, matters=[matter], identity=identity)
    assert (status, known()) == (201, before + 1)
    status, second = await post(admin, "tickets", kiosk, matters=[matter], identity=identity)
    assert (second["ticket"]["id"], second["created"]) == (first["ticket"]["id"], False), second


async def test_the_hall_is_well_after_all_of_them(admin: Desk) -> None:
    """Nothing of ours broke on the way."""
    kiosk, matter = await _kiosk(admin)
    assert await _issues(admin.hall, kiosk, matter, "after-all") < 5
    wrong = [line for line in admin.hall.log if "Traceback" in line or "failed" in line or "Unhandled" in line]
    assert wrong == []
