"""The two databases of the store's suite: every test that takes `url` or `store` runs on both."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from queue_server.store.store import Store
from tests.migrated import migrated
from tests.postgres import Postgres, running
from tests.store.sample import project

BOTH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with running() as server:
        yield server


@pytest.fixture(scope="session")
def template(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a database on the server that has its tables: others are copies of it."""

    async def make() -> None:
        await (await Store.open(postgres.fresh(), keys_dir=tmp_path_factory.mktemp("keys"), projector=project)).close()

    with ThreadPoolExecutor(1) as apart:  # whatever loop the tests have
        apart.submit(asyncio.run, make()).result()
    return postgres.last


@pytest.fixture(params=BOTH)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Of a database without a table, for what is about making them."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'hall.db'}"
    server: Postgres = request.getfixturevalue("postgres")
    return server.fresh()


@pytest.fixture(params=BOTH)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Of a database that has its tables and nothing in them."""
    if request.param == "sqlite":
        return migrated(tmp_path / "hall.db")
    server: Postgres = request.getfixturevalue("postgres")
    return server.fresh(request.getfixturevalue("template"))


@pytest.fixture
def keys_dir(tmp_path: Path) -> Path:
    return tmp_path / "keys"


@pytest.fixture
async def store(url: str, keys_dir: Path) -> AsyncIterator[Store]:
    opened = await Store.open(url, keys_dir=keys_dir, projector=project)
    yield opened
    await opened.close()
