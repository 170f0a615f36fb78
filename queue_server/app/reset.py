"""`yichuang account reset`: a new password from the server's own machine, whether the hall is being served or not."""

from pathlib import Path

from argon2 import PasswordHasher
from msgspec import structs
from sqlalchemy import select

from queue_server.app.accounts import FIRST_ADMIN, PIN_ACCOUNT, new_password, new_pin
from queue_server.app.terminal import own
from queue_server.store import tables
from queue_server.store.accounts import AccountStore, StaffRow
from queue_server.store.database import Database, missing_file, parse

PIN = "kiosk-pin"
"""What stands for the PIN of the kiosks' staff menu on the command line; no member of staff can be called so."""


def only_database(folder: Path) -> str:
    """The address of the one database of a folder; ValueError says which there are."""
    found = sorted(folder.glob("*.db"))
    if len(found) != 1:
        sentence = "name the database with --database sqlite:///FILE; in {folder} there are: {found}"
        raise ValueError(own(sentence, folder=folder, found=", ".join(each.name for each in found) or own("none")))
    return f"sqlite:///{found[0]}"


async def reset(url: str, hall: str | None, staff: str) -> str:
    """The new password or PIN of an account, which is switched on and whose sessions end with it; durable.

    A server that runs on this database takes it up within seconds (`Accounts.watch`). ValueError says what there is
    instead of what was named; the store's errors for a database that does not answer.
    """
    address = parse(url)
    if missing := missing_file(address):
        raise ValueError(missing)
    database = Database(address)
    try:
        ids = select(tables.leases.c.hall).order_by(tables.leases.c.hall)
        async with database.reading() as connection:
            halls = list((await connection.execute(ids)).scalars())
        meant = [each for each in halls if hall in (None, each)]
        if len(meant) != 1:
            sentence = "name the hall with --hall ID; in this database there are: {halls}"
            raise ValueError(own(sentence, halls=", ".join(halls) or own("none")))
        return await _reset(AccountStore(database, meant[0]), staff)
    finally:
        await database.close()


async def _reset(accounts: AccountStore, staff: str) -> str:
    name = PIN_ACCOUNT if staff == PIN else staff
    known = {row.staff for row in await accounts.staff()}
    if name not in known:
        ids = ", ".join([*sorted(known - {PIN_ACCOUNT}), PIN])
        raise ValueError(own("there is no account {staff}; there are: {ids}", staff=repr(staff), ids=ids))
    secret = new_pin() if name == PIN_ACCOUNT else new_password()
    hashed = PasswordHasher().hash(secret)

    def change(row: StaffRow | None) -> StaffRow:
        if row is None:
            raise ValueError(own("the account {staff} is gone", staff=repr(staff)))
        if name == PIN_ACCOUNT:
            return structs.replace(row, password=hashed)
        row = structs.replace(row, password=hashed, must_change=True, active=True)
        # Whatever was taken away from the first one: somebody must be able to give it back.
        return structs.replace(row, roles=_with_admin(row)) if name == FIRST_ADMIN else row

    await accounts.change_staff(name, change, ends_sessions=True)
    return secret


def _with_admin(row: StaffRow) -> str:
    return ",".join(sorted({"admin", *filter(None, row.roles.split(","))}))
