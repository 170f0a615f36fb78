"""Accounts on both databases: what belongs together is one transaction (DESIGN law 1)."""

import asyncio
from typing import Any

import pytest
from argon2 import PasswordHasher
from msgspec import structs
from sqlalchemy import event

from queue_server.app.reset import reset
from queue_server.domain.errors import Rejected
from queue_server.store.accounts import AccountStore, SessionRow, StaffRow
from queue_server.store.database import Database, parse
from queue_server.store.port import StoreError
from queue_server.store.store import Store
from tests.store.sample import HALL, NOON


def staff(password: str) -> StaffRow:
    return StaffRow("7", "七", "guide", password, False, True)


async def put(accounts: AccountStore, row: StaffRow, **ends: Any) -> None:
    await accounts.change_staff(row.staff, lambda _: row, **ends)


async def with_sessions(store: Store) -> AccountStore:
    accounts = AccountStore(store.database, HALL)
    await put(accounts, staff("old"))
    for name, whose in (("mine", "7"), ("other", "7"), ("foreign", "8")):
        await accounts.add_session(SessionRow(name, whose, "", NOON, NOON + 60_000))
    return accounts


async def open_sessions(accounts: AccountStore) -> set[str]:
    return {each.digest for each in await accounts.sessions(NOON)}


async def test_a_changed_account_ends_its_sessions_but_the_one_that_is_kept(store: Store) -> None:
    accounts = await with_sessions(store)
    await put(accounts, staff("same"))
    assert await open_sessions(accounts) == {"mine", "other", "foreign"}
    await put(accounts, staff("new"), ends_sessions=True, but="mine")
    assert await open_sessions(accounts) == {"mine", "foreign"}
    await accounts.end_session("mine")
    assert await open_sessions(accounts) == {"foreign"}


async def test_law_1_the_account_stays_as_it_was_when_its_sessions_cannot_be_ended(store: Store) -> None:
    accounts = await with_sessions(store)

    def fails(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("DELETE FROM sessions"):
            raise OSError("the disk is gone")

    engine = store.database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", fails)
    with pytest.raises((StoreError, OSError)):
        await put(accounts, staff("new"), ends_sessions=True)
    event.remove(engine, "before_cursor_execute", fails)
    assert [row.password for row in await accounts.staff()] == ["old"]
    assert await open_sessions(accounts) == {"mine", "other", "foreign"}


async def test_law_1_two_processes_that_change_an_account_lose_no_change(store: Store, url: str) -> None:
    """Two stores on one database: each change is made of what the other one left."""
    other = Database(parse(url))
    here, there = AccountStore(store.database, HALL), AccountStore(other, HALL)
    await put(here, StaffRow("7", "0", "guide", "old", False, True))

    def one_more(row: StaffRow | None) -> StaffRow:
        assert row is not None
        return structs.replace(row, name=str(int(row.name) + 1))

    try:
        async with asyncio.TaskGroup() as group:
            for each in (here, there) * 15:
                group.create_task(each.change_staff("7", one_more))
    finally:
        await other.close()
    assert [row.name for row in await here.staff()] == ["30"]


async def test_what_refuses_a_change_leaves_the_account_as_it_was(store: Store) -> None:
    accounts = await with_sessions(store)

    def refuses(row: StaffRow | None) -> StaffRow:
        assert row == staff("old")
        raise Rejected("wrong-password")

    with pytest.raises(Rejected):
        await accounts.change_staff("7", refuses, ends_sessions=True)
    assert [row.password for row in await accounts.staff()] == ["old"]
    assert await open_sessions(accounts) == {"mine", "other", "foreign"}


async def test_rules_94_a_reset_from_outside_changes_the_account_and_ends_its_sessions(store: Store, url: str) -> None:
    await store.take_over(HALL, "w")
    accounts = await with_sessions(store)
    await put(accounts, StaffRow("admin", "管", "manager", "old", False, active=False))
    shown = await reset(url, None, "7")
    changed = {row.staff: row for row in await accounts.staff()}
    assert PasswordHasher().verify(changed["7"].password, shown)
    assert (changed["7"].must_change, changed["7"].roles, changed["admin"].password) == (True, "guide", "old")
    assert await open_sessions(accounts) == {"foreign"}
    await reset(url, HALL, "admin")
    admin = next(row for row in await accounts.staff() if row.staff == "admin")
    assert (admin.active, admin.roles) == (True, "admin,manager"), "somebody must be able to give roles back"
    with pytest.raises(ValueError, match="7, admin, kiosk-pin"):
        await reset(url, HALL, "77")
