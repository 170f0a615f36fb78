"""Alembic's revisions, from the first table on, and how they are run without a file in the working directory."""

from importlib.resources import files

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, text

from queue_server.store.port import Unavailable

_LOCK = 0x59_43  # one number for all servers on one PostgreSQL: migrations wait for each other


def configuration(connection: Connection) -> Config:
    """Alembic's configuration for an open connection."""
    config = Config()
    config.set_main_option("script_location", str(files(__name__)).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def upgrade(connection: Connection) -> None:
    """Bring the tables to the newest revision in the caller's transaction; a second process waits and does nothing."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("select pg_advisory_xact_lock(:number)"), {"number": _LOCK})
    try:
        command.upgrade(configuration(connection), "head")
    except CommandError as error:
        raise Unavailable(
            f"the database was made by a newer Yichuang ({error}): start that version, or restore the backup"
        ) from error
