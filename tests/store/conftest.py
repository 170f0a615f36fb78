"""The two databases of the store's suite: every test that takes `url` or `store` runs on both."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from queue_server.store.store import Store
from tests.postgres import Postgres, running
from tests.store.sample import project


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with running() as server:
        yield server


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'hall.db'}"
    server: Postgres = request.getfixturevalue("postgres")
    return server.fresh()


@pytest.fixture
def keys_dir(tmp_path: Path) -> Path:
    return tmp_path / "keys"


@pytest.fixture
async def store(url: str, keys_dir: Path) -> AsyncIterator[Store]:
    opened = await Store.open(url, keys_dir=keys_dir, projector=project)
    yield opened
    await opened.close()
