"""Alembic's entry: it migrates over the connection that it is handed, and opens nothing itself."""

from alembic import context

from schemas.ledger_tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
