"""Who may do what: roles at every route, passwords as they are stored, pairing codes that end, the journal as lines."""

import re
import sqlite3
from pathlib import Path

import msgspec
import pytest
from argon2 import PasswordHasher

from queue_server.app.accounts import PAIRING_MS, ROLES
from queue_server.store.port import JournalRow
from queue_server.web.server import ROUTES
from tests.hall_process import PASSWORD
from tests.http.conftest import Answer, Site


@pytest.mark.parametrize("role", sorted(ROLES))
async def test_issue_2_a_role_gets_403_at_every_route_that_does_not_allow_it(site: Site, role: str) -> None:
    """Issue 2, bad input: a forbidden request gets 403 and nothing changes."""
    staff = await site.as_staff(role)
    closed = [route for route in ROUTES if route.roles and role not in route.roles]
    assert closed, "no role may do everything"
    before = site.hub.lease.head
    for route in closed:
        answer = await site.ask(route.method, re.sub(r"{\w+}", "x", route.path), staff)
        assert (answer.status, answer.body["code"]) == (403, "forbidden"), route
    assert site.hub.lease.head == before, "nothing was written"


async def test_rules_94_a_password_is_stored_as_argon2id(site: Site, tmp_path: Path) -> None:
    """Issue 2, the server: staff accounts (argon2id), with the settings that the product uses and not those of the tests."""
    accounts = site.running.frame.accounts
    accounts._hasher = PasswordHasher()
    await accounts.put_staff("9", "九", ["guide"], PASSWORD, active=True)
    await accounts.change_password("9", PASSWORD, PASSWORD + "!", "")
    with sqlite3.connect(f"file:{tmp_path / 'hall.db'}?mode=ro", uri=True) as database:
        stored = [each for (each,) in database.execute("select password from staff")]
    assert len(stored) > 1
    assert all(each.startswith("$argon2id$") for each in stored)
    assert not any(PASSWORD in each for each in stored)


async def _begin(site: Site) -> dict[str, str]:
    answer = await site.ask("POST", "pairings")
    assert answer.status == 201
    begun: dict[str, str] = answer.body
    return begun


async def _approve(site: Site, code: str) -> Answer:
    return await site.ask("POST", f"pairings/{code}/approve", await site.as_staff("admin"), {"role": "hall", "of": ""})


async def test_ux_s03_a_pairing_code_ends_after_ten_minutes(site: Site) -> None:
    clock = site.hub.clock
    assert PAIRING_MS == 10 * 60_000
    old = await _begin(site)
    clock.at_least(clock.now() + PAIRING_MS - 5_000)
    young = await _begin(site)
    assert (await site.ask("GET", f"pairings/{old['id']}")).body["state"] == "waiting"
    clock.at_least(clock.now() + 5_000)
    assert (await site.ask("GET", f"pairings/{old['id']}")).body["state"] == "expired"
    refused = await _approve(site, old["code"])
    assert (refused.status, refused.body["code"]) == (409, "pairing-unknown")
    assert (await _approve(site, young["code"])).status == 200, "another screen's code goes on"


async def test_ux_s03_a_pairing_code_ends_after_five_wrong_tries(site: Site) -> None:
    begun = await _begin(site)
    wrong = "000000" if begun["code"] != "000000" else "000001"
    for tried in range(5):
        assert (await site.ask("GET", f"pairings/{begun['id']}")).body["state"] == "waiting", tried
        refused = await _approve(site, wrong)
        assert (refused.status, refused.body["code"]) == (409, "pairing-unknown")
    assert (await site.ask("GET", f"pairings/{begun['id']}")).body["state"] == "expired"
    assert (await _approve(site, begun["code"])).status == 409, "the right code comes too late"
    assert (await _approve(site, (await _begin(site))["code"])).status == 200, "a new code has its own tries"


async def test_design_6_the_journal_after_a_seq_is_json_lines(site: Site) -> None:
    """What a province reads on from: every row once, in order, and nothing after the last."""
    await site.sit(site.configuration.window[0].id)
    for _ in range(3):
        assert (await site.take()).status == 201
    auditor = await site.as_staff("auditor")
    whole = await site.ask("GET", "journal?after=0", auditor)
    assert whole.headers["Content-Type"].startswith("application/x-ndjson")
    rows = _rows(whole)
    assert [row.seq for row in rows] == list(range(1, site.hub.lease.head + 1))
    assert [row.kind for row in rows].count("TicketIssued") == 3
    after = await site.ask("GET", f"journal?after={rows[-3].seq}", auditor)
    assert _rows(after) == rows[-2:]
    nothing = await site.ask("GET", f"journal?after={rows[-1].seq}", auditor)
    assert (nothing.status, nothing.body) == (200, "")
    assert (await site.ask("GET", "journal?after=-1", auditor)).status == 400


def _rows(answer: Answer) -> list[JournalRow]:
    assert answer.status == 200
    assert answer.body.endswith("\n")
    return [msgspec.json.decode(line, type=JournalRow) for line in answer.body.splitlines()]
