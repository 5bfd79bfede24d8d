"""Where Alembic enters, with the connection that `platemark_migrations` gives it. Sets up no logging."""

from alembic import context

from platemark_provenance.ledger.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # The caller's BEGIN IMMEDIATE holds tables, triggers and the version row together.
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
