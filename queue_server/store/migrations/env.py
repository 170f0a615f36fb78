"""Alembic's entry: runs the revisions on the connection that `migrations.upgrade` hands over."""

from alembic import context

from queue_server.store.tables import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, transactional_ddl=False)
context.run_migrations()
