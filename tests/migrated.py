"""Databases whose tables are there already: only the tests of the migrations make them one by one."""

import tempfile
from functools import cache
from pathlib import Path

from sqlalchemy import create_engine

from queue_server.store import migrations


@cache
def _sqlite() -> bytes:
    """A file without a row, as the migrations leave it."""
    with tempfile.TemporaryDirectory() as folder:
        engine = create_engine(f"sqlite:///{folder}/hall.db")
        with engine.begin() as connection:
            migrations.upgrade(connection)
        engine.dispose()
        return Path(folder, "hall.db").read_bytes()


def migrated(file: Path) -> str:
    """The address of a database in `file`, which is made unless it is there."""
    if not file.exists():
        file.write_bytes(_sqlite())
    return f"sqlite:///{file}"
