"""Cards and codes that are read at a kiosk: to its one page, for seconds, and nowhere else (RULES 16, 28, 86, DESIGN law 10)."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from msgspec import structs
from structlog.testing import capture_logs

from devices.emulators.idreader import synthetic_number
from queue_server.app import readings as rules
from queue_server.domain import commands as c
from queue_server.domain.configuration import Device, NoShowPolicy
from queue_server.wire.agent import CardRead, CodeRead
from tests.http.conftest import Site

SAME_WINDOW = pytest.mark.parametrize("site", [{"no_show": NoShowPolicy.SAME_WINDOW}], indirect=True)
NUMBER = synthetic_number()
OTHER = synthetic_number("99999919910101001")


class Line:
    """An open websocket, and what came over it."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self.waiting: list[dict[str, Any]] = []

    async def say(self, **message: object) -> None:
        await self._socket.send_json(message)

    async def heard(self, kind: str, within_s: float = 5.0) -> dict[str, Any]:
        """The next message of this kind."""
        async with asyncio.timeout(within_s):
            while True:
                message: dict[str, Any] = await self._socket.receive_json()
                if message["type"] == kind:
                    return message


class Corner:
    """A kiosk's corner: an agent with a card reader and a scanner, and pages of the kiosk."""

    def __init__(self, site: Site, agent: Line) -> None:
        self.site, self.agent = site, agent
        self.read = 0

    @asynccontextmanager
    async def page(self, kiosk: str = "kiosk-1") -> AsyncIterator[tuple[Line, dict[str, str]]]:
        """A paired box's page as it stands after its first snapshot, and its headers."""
        headers = await self.site.as_device("kiosk", kiosk)
        async with self.site.session.ws_connect(f"{self.site.running.url}/api/v1/live") as socket:
            line = Line(socket)
            await line.say(type="hello", token=headers["Authorization"].removeprefix("Bearer "))
            await line.heard("welcome")
            await line.say(type="subscribe", view="kiosk", of=kiosk)
            await line.heard("snapshot")
            yield line, headers

    async def card(self, number: str = NUMBER, device: str = "reader-1", age_ms: int = 5) -> str:
        """Laid on the reader; the reading's id."""
        self.read += 1
        await self.agent.say(type="card", id=f"r{self.read}", device=device, number=number, age_ms=age_ms)
        return f"r{self.read}"

    async def code(self, text: str) -> str:
        self.read += 1
        await self.agent.say(type="code", id=f"r{self.read}", device="scanner-1", text=text, age_ms=5)
        return f"r{self.read}"

    async def lay(self, page: Line, number: str = NUMBER) -> dict[str, Any]:
        """A card that the page takes."""
        name = await self.card(number)
        reading = await page.heard("reading")
        assert reading["id"] == name
        await page.say(type="heard", id=name, used=True)
        assert await self.outcome(name) == (True, "")
        return reading

    async def outcome(self, name: str) -> tuple[bool, str]:
        ended = await self.agent.heard("reading", 8)
        assert ended["id"] == name
        return ended["used"], ended["reason"]


@pytest.fixture
async def corner(site: Site) -> AsyncIterator[Corner]:
    devices = [
        Device(id=f"{kind}-1", agent="agent-1", kind=full, url=f"memory://{kind}", settings={"kiosk": "kiosk-1"})
        for kind, full in (("reader", "id_reader"), ("scanner", "scanner"))
    ]
    nowhere = structs.replace(devices[0], id="reader-2", url="memory://r2", settings={})
    configuration = structs.replace(site.configuration, device=(*devices, nowhere))
    await site.hub.tell(c.ApplyConfiguration(configuration=configuration, source="test"), "test")
    await site.sit(site.configuration.window[0].id)
    token = (await site.as_device("agent", "agent-1"))["Authorization"]
    where = f"{site.running.url}/api/v1/agent"
    async with site.session.ws_connect(where, headers={"Authorization": token}) as socket:
        agent = Line(socket)
        await agent.say(type="hello", agent="agent-1", build="test")
        await agent.heard("welcome")
        yield Corner(site, agent)


async def _missed(site: Site, window: str) -> None:
    clerk = await site.as_staff("clerk", window=window)
    assert (await site.ask("POST", f"windows/{window}/call-next", clerk)).status == 200
    assert (await site.ask("POST", f"windows/{window}/no-show", clerk, {"reason": "没来"})).status == 200


def _everything(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


async def test_rules_16_a_card_is_one_person_with_one_waiting_ticket_for_a_matter(corner: Corner) -> None:
    """Also hours later and without paper: the card finds the ticket, its number is printed again."""
    site = corner.site
    async with corner.page() as (page, kiosk):
        reading = await corner.lay(page)
        assert (reading["kind"], reading["number"], reading["passed"]) == ("card", "", False)
        first = await site.take(who=kiosk, card=reading["token"])
        assert (first.status, first.body["created"]) == (201, True)
        again = await site.take(who=kiosk, card=reading["token"])
        assert (again.status, again.body["created"]) == (200, False)
        assert again.body["ticket"]["number"] == first.body["ticket"]["number"]
        await page.say(type="card_gone")
        back = await corner.lay(page)
        assert (back["number"], back["passed"]) == (first.body["ticket"]["number"], False)
        shown = await site.ask("POST", "kiosk/reactivate", kiosk, {"card": back["token"]})
        assert (shown.status, shown.body["ticket"]["id"]) == (200, first.body["ticket"]["id"])
        assert (await corner.lay(page, OTHER))["number"] == "", "another card is another person"


@SAME_WINDOW
async def test_rules_28_a_card_brings_its_holders_missed_ticket_back(corner: Corner) -> None:
    site = corner.site
    async with corner.page() as (page, kiosk):
        card = (await corner.lay(page))["token"]
        none = await site.ask("POST", "kiosk/reactivate", kiosk, {"card": card})
        assert none.body["code"] == "card-no-ticket"
        window = site.configuration.window[0].id
        taken = (await site.take(who=kiosk, card=card)).body
        await _missed(site, window)
        laid = await corner.lay(page)
        assert (laid["number"], laid["passed"]) == (taken["ticket"]["number"], True)
        back = await site.ask("POST", "kiosk/reactivate", kiosk, {"card": laid["token"]})
        assert (back.status, back.body["ticket"]["state"]) == (200, "waiting")


async def test_law_10_the_number_reaches_no_page_no_log_and_no_table(corner: Corner, tmp_path: Path) -> None:
    """The hall keeps a keyed hash that ties visits together, and not even the encrypted number."""
    site = corner.site
    with capture_logs() as log:
        async with corner.page() as (page, kiosk):
            reading = await corner.lay(page)
            await site.take(who=kiosk, card=reading["token"])
            assert NUMBER not in str(reading)
            await corner.card(NUMBER + "\n" + "x" * 50)
            await corner.agent.say(type="card", id="r99", device="reader-1", number=[NUMBER], age_ms=1)
            assert await corner.outcome(await corner.card("x" * 12 + "令")) == (False, "malformed")
    assert [each["event"] for each in log].count("malformed message") == 2
    assert NUMBER not in str(log)
    assert NUMBER.encode() not in _everything(tmp_path)
    with sqlite3.connect(tmp_path / "hall.db") as database:
        assert database.execute("select count(*) from personal").fetchone() == (0,)
    for message in (
        CardRead(id="a", device="d", number=NUMBER, age_ms=0),
        CodeRead(id="a", device="d", text=NUMBER, age_ms=0),
    ):
        assert NUMBER not in repr(message) + str([message])


async def test_law_10_a_card_is_forgotten_with_its_citizen(corner: Corner, monkeypatch: pytest.MonkeyPatch) -> None:
    """UX K-10: by the page, when another is laid on, when the page goes, and after ten minutes."""
    site = corner.site

    async def refused(card: str, who: dict[str, str]) -> bool:
        answer = await site.take(who=who, card=card)
        return bool(answer.status == 409 and answer.body["code"] == "card-gone")

    async with corner.page() as (page, kiosk):
        card = (await corner.lay(page))["token"]
        assert await refused(card, await site.as_device("kiosk", "kiosk-1")), "the card lies at one box only"
        await page.say(type="card_gone")
        newer = (await corner.lay(page, OTHER))["token"]
        assert await refused(card, kiosk)
        assert (await site.take(who=kiosk, card=newer)).status == 201
    await asyncio.sleep(0.1)
    assert await refused(newer, kiosk)
    monkeypatch.setattr(rules, "CARD_S", 0.0)
    async with corner.page() as (page, kiosk):
        assert await refused((await corner.lay(page))["token"], kiosk)


async def test_the_card_that_lies_there_stays_while_others_are_not_wanted(corner: Corner) -> None:
    """A page that is busy with one person's card drops the next one's, and codes, without losing the first."""
    site = corner.site
    async with corner.page() as (page, kiosk):
        card = (await corner.lay(page))["token"]
        for name in (await corner.card(OTHER), await corner.code("rubbish")):
            reading = await page.heard("reading")
            await page.say(type="heard", id=name, used=False)
            assert await corner.outcome(name) == (False, "not-wanted")
            if reading["token"]:
                assert (await site.take(who=kiosk, card=reading["token"])).body["code"] == "card-gone"
        assert (await site.take(who=kiosk, card=card)).status == 201
        # Two laid on one after the other, answered late: the second is the one that lies there.
        names = [await corner.card(), await corner.card(OTHER)]
        tokens = [(await page.heard("reading"))["token"] for _ in names]
        for name in names:
            await page.say(type="heard", id=name, used=True)
            assert await corner.outcome(name) == (True, "")
        assert (await site.take(who=kiosk, card=tokens[0])).body["code"] == "card-gone"
        assert (await site.take(who=kiosk, card=tokens[1])).status == 201
        # The first citizen's page goes home while the next card is on its way: that one is not theirs.
        name = await corner.card()
        token = (await page.heard("reading"))["token"]
        await page.say(type="card_gone")
        await page.say(type="heard", id=name, used=True)
        assert await corner.outcome(name) == (True, "")
        assert (await site.take(who=kiosk, card=token)).status == 200


async def test_a_reading_goes_to_the_newest_page_of_its_kiosk_alone(corner: Corner) -> None:
    async with corner.page("kiosk-1") as (old, _), corner.page("kiosk-1") as (new, _):
        await corner.lay(new)
        with pytest.raises(TimeoutError):
            await old.heard("reading", 0.5)
    assert await corner.outcome(await corner.card()) == (False, "no-page")


async def test_a_reading_that_nobody_wants_is_dropped_and_its_agent_told(corner: Corner) -> None:
    """In 3 s, with the reason; the card of a page that had no use for it is forgotten at once."""
    readings = corner.site.running.frame.readings
    assert await corner.outcome(await corner.card(device="reader-2")) == (False, "no-kiosk")
    assert await corner.outcome(await corner.card(device="reader-9")) == (False, "unknown-device")
    assert await corner.outcome(await corner.card(device="scanner-1")) == (False, "unknown-device")
    async with corner.page() as (page, kiosk):
        assert await corner.outcome(await corner.card(age_ms=3_001)) == (False, "too-old")
        name = await corner.card()
        card = (await page.heard("reading"))["token"]
        await page.say(type="heard", id=name, used=False)
        assert await corner.outcome(name) == (False, "not-wanted")
        assert (await corner.site.take(who=kiosk, card=card)).body["code"] == "card-gone"
        assert await corner.outcome(await corner.card()) == (False, "no-answer")
    assert readings.ended["no-answer"] == readings.ended["not-wanted"] == readings.ended["too-old"] == 1


@SAME_WINDOW
async def test_a_scanned_ticket_is_passed_on_and_rubbish_is_answered_with_a_sentence(corner: Corner) -> None:
    site = corner.site
    taken = (await site.take()).body
    async with corner.page() as (page, kiosk):
        for code in (taken["url"], taken["token"], f"  {taken['url']}?lang=en "):
            name = await corner.code(code)
            reading = await page.heard("reading")
            assert (reading["id"], reading["kind"], reading["token"]) == (name, "ticket", taken["token"])
        window = site.configuration.window[0].id
        await _missed(site, window)
        back = await site.ask("POST", "kiosk/reactivate", kiosk, {"token": reading["token"]})
        assert back.body["ticket"]["state"] == "waiting"
        forged = taken["token"][:-1] + ("A" if taken["token"][-1] != "A" else "B")
        for code in ("", "6901234567892", "https://example.org/t/x", forged, "令\x00" * 100, "x" * 512):
            await corner.code(code)
            reading = await page.heard("reading")
            assert (reading["kind"], reading["token"]) == ("said", ""), code
            assert "不是本厅的号票" in reading["text"]["zh"]
        await corner.card("")
        assert "没有读出来" in (await page.heard("reading"))["text"]["zh"]


async def test_a_flood_of_readings_is_bounded_and_each_ends_once(corner: Corner) -> None:
    readings = corner.site.running.frame.readings
    async with corner.page() as (page, _):
        for _ in range(rules.PENDING_MAX + 20):
            await corner.code("rubbish")
        for _ in range(20):
            await corner.agent.heard("reading")
        assert len(readings._waiting) == rules.PENDING_MAX
        await page.say(type="heard", id="never asked", used=True)
    ended = [await corner.agent.heard("reading", 8) for _ in range(rules.PENDING_MAX)]
    assert len({each["id"] for each in ended}) == rules.PENDING_MAX
    assert readings.ended["no-answer"] == rules.PENDING_MAX + 20


async def test_law_6_a_request_with_a_card_is_answered_the_same_when_the_card_is_gone(corner: Corner) -> None:
    """The answer was lost with the network, and the card with its page's socket: the same key still finds the ticket."""
    site = corner.site
    async with corner.page() as (page, kiosk):
        reading = await corner.lay(page)
        body = {"matters": [site.configuration.matter[0].id], "card": reading["token"]}
        mine = {**kiosk, "Idempotency-Key": "same"}
        url = f"{site.running.url}/api/v1/halls/{site.hub.name}/tickets"
        async with site.session.post(url, json=body, headers=mine) as answer:
            first = answer.status, await answer.json()
        assert first[0] == 201
    for _ in range(100):
        again = await site.ask("POST", "tickets", kiosk, body)
        if again.status == 409:
            break
        await asyncio.sleep(0.02)
    assert (again.status, again.body["code"]) == (409, "card-gone")
    async with site.session.post(url, json=body, headers=mine) as answer:
        assert (answer.status, await answer.json()) == first
