"""Accounts on both databases: what belongs together is one transaction (DESIGN law 1)."""

import pytest
from argon2 import PasswordHasher
from sqlalchemy import event

from queue_server.app.reset import reset
from queue_server.store.accounts import AccountStore, SessionRow, StaffRow
from queue_server.store.port import StoreError
from queue_server.store.store import Store
from tests.store.sample import HALL, NOON


def staff(password: str) -> StaffRow:
    return StaffRow("7", "七", "guide", password, False, True)


async def with_sessions(store: Store) -> AccountStore:
    accounts = AccountStore(store.database, HALL)
    await accounts.put_staff(staff("old"))
    for name, whose in (("mine", "7"), ("other", "7"), ("foreign", "8")):
        await accounts.add_session(SessionRow(name, whose, "", NOON, NOON + 60_000))
    return accounts


async def open_sessions(accounts: AccountStore) -> set[str]:
    return {each.digest for each in await accounts.sessions(NOON)}


async def test_a_changed_account_ends_its_sessions_but_the_one_that_is_kept(store: Store) -> None:
    accounts = await with_sessions(store)
    await accounts.put_staff(staff("same"))
    assert await open_sessions(accounts) == {"mine", "other", "foreign"}
    await accounts.put_staff(staff("new"), ends_sessions=True, but="mine")
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
        await accounts.put_staff(staff("new"), ends_sessions=True)
    event.remove(engine, "before_cursor_execute", fails)
    assert [row.password for row in await accounts.staff()] == ["old"]
    assert await open_sessions(accounts) == {"mine", "other", "foreign"}


async def test_rules_94_a_reset_from_outside_changes_the_account_and_ends_its_sessions(store: Store, url: str) -> None:
    await store.take_over(HALL, "w")
    accounts = await with_sessions(store)
    await accounts.put_staff(StaffRow("admin", "管", "manager", "old", False, active=False))
    shown = await reset(url, None, "7")
    changed = {row.staff: row for row in await accounts.staff()}
    assert PasswordHasher().verify(changed["7"].password, shown)
    assert (changed["7"].must_change, changed["7"].roles, changed["admin"].password) == (True, "guide", "old")
    assert await open_sessions(accounts) == {"foreign"}
    await reset(url, HALL, "admin")
    admin = next(row for row in await accounts.staff() if row.staff == "admin")
    assert (admin.active, admin.roles) == (True, "admin,manager"), "somebody must be able to give roles back"
    with pytest.raises(ValueError, match="there are: 7, admin, kiosk-pin"):
        await reset(url, HALL, "77")
