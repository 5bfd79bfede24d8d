"""Let PostgreSQL take events, give them their places and say where those are in one call that waits."""

from pathlib import Path

from alembic import op

revision = "r0005"
down_revision = "r0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the functions on PostgreSQL; a SQLite file has no need of them."""
    if op.get_context().dialect.name == "postgresql":
        for statement in Path(__file__).with_name("r0005_postgresql.sql").read_text("utf-8").split("\n-- next\n"):
            op.execute(statement)


def downgrade() -> None:
    """Refuse: a ledger only goes forward."""
    raise NotImplementedError("The ledger's schema only goes forward; restore a backup instead.")
