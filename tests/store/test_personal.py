"""Personal data never lies in the open, is found only by keyed hash, and ends (DESIGN law 10, RULES 91, 93)."""

import os
import stat
from pathlib import Path

import pytest
from sqlalchemy import text

from queue_server.store import keys
from queue_server.store.port import Batch, Broken, Lookup, PersonalRow, Unavailable
from queue_server.store.store import Store
from tests.store.sample import HALL, NOON, issued, project

IDENTITY = "410105199001011234"
NAME = "司马相如"
DAY_MS = 24 * 3600 * 1000


async def met(store: Store, expires_at: int = NOON + DAY_MS) -> str:
    """A citizen gives an identity number and a name; returns the hash."""
    lease = await store.take_over(HALL, "a")
    found = store.identity_hash(HALL, "id", IDENTITY)
    batch = Batch(
        events=[issued(1)],
        personal=[
            PersonalRow("p-random", "id", IDENTITY.encode(), NOON, expires_at),
            PersonalRow("p-random", "name", NAME.encode(), NOON, expires_at),
        ],
        lookups=[Lookup(found, "p-random", expires_at)],
    )
    await store.commit(lease, batch)
    return found


async def test_law_10_an_identity_becomes_a_random_person_and_comes_back(store: Store) -> None:
    found = await met(store)
    assert await store.person(HALL, found, NOON) == "p-random"
    assert await store.personal(HALL, "p-random", NOON) == {"id": IDENTITY.encode(), "name": NAME.encode()}
    assert await store.person("other", found, NOON) is None
    assert store.identity_hash("other", "id", IDENTITY) != found
    assert store.identity_hash(HALL, "phone", IDENTITY) != found


async def test_rules_91_no_plain_text_in_the_file(tmp_path: Path, keys_dir: Path) -> None:
    store = await Store.open(f"sqlite:///{tmp_path / 'hall.db'}", keys_dir=keys_dir, projector=project)
    await met(store)
    secret = (keys_dir / keys.KEY_FILE).read_bytes()
    on_disk = b"".join(path.read_bytes() for path in sorted(tmp_path.glob("hall.db*")))  # noqa: ASYNC240
    await store.close()
    on_disk += (tmp_path / "hall.db").read_bytes()
    assert b"p-random" in on_disk
    for hidden in (
        IDENTITY.encode(),
        NAME.encode(),
        *(line.strip(b' ",\n') for line in secret.splitlines() if len(line) > 30),
    ):
        assert hidden not in on_disk


@pytest.mark.postgres
async def test_rules_91_no_plain_text_in_the_tables(store: Store) -> None:
    await met(store)
    async with store.database.reading() as connection:
        for table in ("personal", "lookups", "journal", "tickets"):
            for row in await connection.execute(text(f"select * from {table}")):
                line = b"|".join(value if isinstance(value, bytes) else str(value).encode() for value in row)
                assert IDENTITY.encode() not in line
                assert NAME.encode() not in line


async def test_rules_93_expired_data_is_not_given_and_then_deleted(store: Store) -> None:
    found = await met(store)
    later = NOON + DAY_MS
    assert await store.person(HALL, found, later) is None
    assert await store.personal(HALL, "p-random", later) == {}
    assert (await store.expire(HALL, later - 1)).personal == 0
    gone = await store.expire(HALL, later)
    assert (gone.personal, gone.lookups) == (2, 1)
    assert await store.personal(HALL, "p-random", NOON) == {}


async def test_a_second_visit_prolongs_and_after_expiry_another_person_is_made(store: Store) -> None:
    found = await met(store)
    lease = await store.take_over(HALL, "b")
    lease = (await store.commit(lease, Batch(lookups=[Lookup(found, "p-random", NOON + 2 * DAY_MS)]))).lease
    assert await store.person(HALL, found, NOON + DAY_MS) == "p-random"
    await store.commit(lease, Batch(lookups=[Lookup(found, "p-other", NOON + 9 * DAY_MS)]))
    assert await store.person(HALL, found, NOON + 5 * DAY_MS) == "p-other"


@pytest.mark.parametrize(
    "statement",
    [
        "update personal set person = 'p-other'",
        "update personal set kind = 'phone' where kind = 'name'",
        "update personal set ciphertext = (select ciphertext from personal where kind = 'id')",
    ],
)
async def test_sealed_data_cannot_be_moved(store: Store, statement: str) -> None:
    await met(store)
    async with store.database.writing() as connection:
        await connection.execute(text(statement))
    person = "p-other" if "person = " in statement else "p-random"
    with pytest.raises(Broken):
        await store.personal(HALL, person, NOON)


async def test_rules_91_a_new_key_seals_and_the_old_ones_still_open(url: str, keys_dir: Path) -> None:
    store = await Store.open(url, keys_dir=keys_dir, projector=project)
    found = await met(store)
    await store.close()
    keys.rotate(keys_dir)
    store = await Store.open(url, keys_dir=keys_dir, projector=project)
    lease = await store.take_over(HALL, "b")
    await store.commit(lease, Batch(personal=[PersonalRow("p2", "name", b"new", NOON, NOON + 9)]))
    assert (await store.personal(HALL, "p-random", NOON))["name"] == NAME.encode()
    assert await store.personal(HALL, "p2", NOON) == {"name": b"new"}
    assert store.identity_hash(HALL, "id", IDENTITY) == found
    await store.close()


def test_rules_96_the_key_file_is_for_its_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    first = keys.load(folder)
    path = folder / keys.KEY_FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert keys.load(folder).identity_hash("h", "id", "x") == first.identity_hash("h", "id", "x")
    assert list(folder.iterdir()) == [path]
    os.chmod(path, 0o644)
    with pytest.raises(Unavailable, match="chmod 600"):
        keys.load(folder)


def test_a_damaged_key_file_is_said_and_never_replaced(tmp_path: Path) -> None:
    keys.load(tmp_path)
    path = tmp_path / keys.KEY_FILE
    path.write_text("{")
    with pytest.raises(Unavailable, match="restore"):
        keys.load(tmp_path)
    assert path.read_text() == "{"


async def test_lost_keys_are_not_replaced_by_new_ones(url: str, keys_dir: Path) -> None:
    store = await Store.open(url, keys_dir=keys_dir, projector=project)
    await met(store)
    await store.close()
    (keys_dir / keys.KEY_FILE).unlink()
    with pytest.raises(Unavailable, match="restore"):
        await Store.open(url, keys_dir=keys_dir, projector=project)
    assert not (keys_dir / keys.KEY_FILE).exists()
