"""Law 10: what staff write of their own is sealed, expires, and is read by staff only; events hold codes and references."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from queue_server.domain.events import decode_event
from queue_server.domain.said import is_sealed
from queue_server.store import tables
from queue_server.store.port import PERSONAL_KEPT_MS
from tests.http.conftest import Answer, Site

WORDS = {
    "note": "备注里的张三丰",
    "call": "指定叫号里的李四光",
    "no-show": "过号里的王五岳",
    "park": "挂起里的赵六合",
    "transfer": "转移里的孙七星",
}


async def a_day_of_words(site: Site) -> str:
    """One ticket whose note and every reason somebody wrote by hand; its id."""
    first, second = (window.id for window in site.configuration.window[:2])
    clerk = await site.sit(first)
    await site.sit(second)
    taken = (await site.take(note=WORDS["note"])).body["ticket"]
    number, name = taken["number"], taken["id"]
    for step, body in (
        ("call", {"number": number, "reason": WORDS["call"]}),
        ("no-show", {"reason": WORDS["no-show"]}),
        ("undo", {}),
        ("park", {"reason": WORDS["park"]}),
        ("unpark", {"ticket": name}),
        ("transfer", {"window": second, "reason": WORDS["transfer"]}),
    ):
        answer = await site.ask("POST", f"windows/{first}/{step}", clerk, body)
        assert answer.status == 200, (step, answer)
    return str(name)


async def references(site: Site) -> list[str]:
    """Every reference that an event holds, in the journal's order."""
    fields = [json.loads(row.data) async for row in site.running.frame.store.read(site.hub.name)]
    values = [each.get("note") or each.get("reason") or "" for each in fields]
    return [value for value in values if is_sealed(value)]


def everything_written(folder: Path) -> bytes:
    """The bytes of the database and its log."""
    return b"".join(path.read_bytes() for path in folder.glob("hall.db*"))


async def rows(site: Site, table: Any) -> list[Any]:
    async with site.running.frame.store.database.reading() as connection:
        return list((await connection.execute(select(table))).all())


async def test_law_10_no_table_and_no_reply_keeps_in_clear_what_staff_wrote(site: Site, tmp_path: Path) -> None:
    """Events, idempotency's stored replies, projections: not one byte of the database files, once all is written."""
    name = await a_day_of_words(site)
    written = everything_written(tmp_path)
    assert name.encode() in written, "what stands in clear is found by this search"
    for where, words in WORDS.items():
        assert words.encode() not in written, where
        assert json.dumps(words).strip('"').encode() not in written, where
    assert len(await references(site)) == len(WORDS)


async def test_law_10_staff_read_it_through_the_store(site: Site) -> None:
    name = await a_day_of_words(site)
    clerk = await site.as_staff("clerk", window=site.configuration.window[0].id)
    read = [(await site.ask("GET", f"said/{each}", clerk)).body for each in await references(site)]
    assert read == [{"text": words, "expired": False} for words in WORDS.values()]
    life = await site.ask("GET", f"tickets/{name}/life", await site.as_staff("manager"))
    told = "\n".join(line["text"]["zh"] for line in life.body["lines"])
    assert all(words in told for words in WORDS.values())
    found = await site.ask("GET", "tickets", await site.as_staff("guide"))
    assert is_sealed(next(line["note"] for line in found.body["tickets"] if line["id"] == name))


async def test_law_10_after_its_time_it_is_gone_and_the_screens_say_so(site: Site) -> None:
    name = await a_day_of_words(site)
    site.hub.clock.at_least(site.hub.clock.now() + PERSONAL_KEPT_MS + 1)
    manager = await site.as_staff("manager")  # of today: sessions end long before
    read = [(await site.ask("GET", f"said/{each}", manager)).body for each in await references(site)]
    assert read == [{"text": "", "expired": True}] * len(WORDS)
    life = (await site.ask("GET", f"tickets/{name}/life", manager)).body["lines"]
    assert sum("已过期" in line["text"]["zh"] and "expired" in line["text"]["en"] for line in life) == len(WORDS)
    gone = await site.running.frame.store.expire(site.hub.name, site.hub.clock.now())
    assert gone.personal == len(WORDS)


@pytest.mark.parametrize("site", [{"recall_limit": 1}], indirect=True)
@pytest.mark.parametrize(
    ("step", "code", "words"), [("park", "copy", "去复印"), ("no-show", "left", "人已离开"), ("no-show", "", "没人应")]
)
async def test_a_reason_that_is_a_choice_stays_a_code(site: Site, step: str, code: str, words: str) -> None:
    window = site.configuration.window[0].id
    clerk = await site.sit(window)
    name = (await site.take()).body["ticket"]["id"]
    body = {"number": (await ticket(site, name))["number"], "reason": "follow-up"}
    assert (await site.ask("POST", f"windows/{window}/call", clerk, body)).status == 200
    assert (await site.ask("POST", f"windows/{window}/{step}", clerk, {"reason": code})).status == 200
    assert await references(site) == []
    assert not await rows(site, tables.personal)
    life = (await site.ask("GET", f"tickets/{name}/life", await site.as_staff("manager"))).body["lines"]
    said = [line["text"]["zh"] for line in life]
    assert any(words in text for text in said), said
    assert any("接着办" in text for text in said), said


async def ticket(site: Site, name: str) -> Any:
    return (await site.ask("GET", f"tickets/{name}", await site.as_staff("guide"))).body["ticket"]


async def test_what_was_refused_is_not_kept(site: Site) -> None:
    """In the same transaction as its event: without an event there is no text either; a repetition adds none."""
    window = site.configuration.window[0].id
    clerk = await site.sit(window)
    refused = await site.ask("POST", f"windows/{window}/park", clerk, {"reason": WORDS["park"]})
    assert refused.status == 409
    assert not await rows(site, tables.personal)
    guide = await site.as_staff("guide")
    body = {"matters": [site.offered()], "note": WORDS["note"]}
    answers = [await site.ask("POST", "tickets", guide, body, key="once") for _ in range(2)]
    assert [answer.status for answer in answers] == [201, 201]
    assert len(await rows(site, tables.personal)) == 1


@pytest.mark.parametrize("role", ["kiosk", "hall", "window"])
async def test_law_10_nobody_but_staff_reads_it(site: Site, role: str) -> None:
    await a_day_of_words(site)
    named = (await references(site))[0]
    of = site.configuration.kiosk[0].id if role == "kiosk" else ""
    assert (await site.ask("GET", f"said/{named}", await site.as_device(role, of))).status == 403
    assert (await site.ask("GET", f"said/{named}")).status == 401


async def test_the_door_to_notes_opens_nothing_else(site: Site) -> None:
    """A citizen's identity and rating text lie in the same table, under other names."""
    await site.sit(site.configuration.window[0].id)
    identity = {"kind": "id_card", "number": "110101199003070000", "name": "某某"}
    assert (await site.take(identity=identity)).status == 201
    person = next(row.person for row in await rows(site, tables.personal))
    answer = await site.ask("GET", f"said/{person}", await site.as_staff("manager"))
    assert answer.body == {"text": "", "expired": True}


async def test_law_10_the_fingerprint_of_a_request_cannot_be_guessed(site: Site) -> None:
    """An identity has few digits: a hash that anybody can compute would give it away (RULES 91)."""
    await site.sit(site.configuration.window[0].id)
    guide = await site.as_staff("guide")
    body = {"matters": [site.offered()], "identity": {"kind": "phone", "number": "13800000000", "name": ""}}
    assert (await site.ask("POST", "tickets", guide, body, key="one")).status == 201
    path = f"/api/v1/halls/{site.hub.name}/tickets"
    guesses = (json.dumps(body), json.dumps(body, separators=(",", ":")))
    asked = [f"POST\n{path}\n{each}".encode() for each in guesses]
    hashes = {hashlib.sha256(each).hexdigest() for each in asked}
    hashes |= {hashlib.blake2b(each, digest_size=16, person=b"request").hexdigest() for each in asked}
    kept = {row.fingerprint for row in await rows(site, tables.receipts)}
    assert kept
    assert not kept & hashes
    repeated: Answer = await site.ask("POST", "tickets", guide, body, key="one")
    assert repeated.headers.get("Idempotent-Replayed") == "true"
    assert (await site.ask("POST", "tickets", guide, {**body, "quantity": 2}, key="one")).status == 422


async def test_rows_of_version_1_keep_their_words(site: Site) -> None:
    """Old rows are never rewritten, and nothing of them is dropped: the life of their ticket says what it always said."""
    name = await a_day_of_words(site)
    store = site.running.frame.store
    (old,) = [row async for row in store.read(site.hub.name) if row.kind == "TicketParked"]
    words = {**json.loads(old.data), "reason": "老规矩：写明原因"}
    async with store.database.writing() as connection:
        changed = {"version": 1, "data": json.dumps(words, ensure_ascii=False)}
        await connection.execute(update(tables.journal).where(tables.journal.c.seq == old.seq).values(changed))
    life = (await site.ask("GET", f"tickets/{name}/life", await site.as_staff("manager"))).body["lines"]
    assert any("老规矩：写明原因" in line["text"]["zh"] for line in life)
    assert decode_event("TicketParked", 1, changed["data"]).reason == "老规矩：写明原因"  # type: ignore[attr-defined, arg-type]


def test_version_1_wrote_one_code_as_words_and_version_4_is_unknown() -> None:
    data = {"ticket": "t", "window": "1", "service": "s", "reason": "no answer", "inferred": "", "at": 1}
    assert decode_event("TicketVoided", 1, json.dumps(data)).reason == "no-answer"  # type: ignore[attr-defined]
    assert decode_event("TicketVoided", 2, json.dumps(data)).reason == "no answer"  # type: ignore[attr-defined]
    with pytest.raises(KeyError):
        decode_event("TicketVoided", 4, json.dumps(data))
