"""Where Alembic enters, with the connection that `platemark_migrations` gives it. Sets up no logging."""

from alembic import context

from platemark_provenance.ledger.tables import metadata

if context.is_offline_mode():
    context.configure(
        dialect_name=context.config.attributes["dialect"],
        dialect_opts={"paramstyle": "named"},
        target_metadata=metadata,
        transactional_ddl=True,
        literal_binds=True,
    )
else:
    context.configure(
        connection=context.config.attributes["connection"],
        target_metadata=metadata,
        # The caller's transaction holds tables, triggers and the version row together.
        transactional_ddl=True,
    )
with context.begin_transaction():
    context.run_migrations()
