"""Add the places where copies of signed tree heads were left; on PostgreSQL, which begins here, make everything."""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "r0002"
down_revision = "r0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table of anchors, or the whole ledger on PostgreSQL."""
    if op.get_context().dialect.name == "postgresql":
        for statement in Path(__file__).with_name("r0002_postgresql.sql").read_text("utf-8").split("\n-- next\n"):
            op.execute(statement)
        return
    op.create_table(
        "anchor",
        sa.Column(
            "size",
            sa.Integer(),
            sa.ForeignKey("checkpoint.size", name="fk_anchor_checkpoint"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("evidence", sa.LargeBinary()),
        sa.Column("changed_us", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("size", "kind", "target"),
        sa.CheckConstraint("kind IN ('directory', 's3', 'timestamp', 'witness')", name="ck_anchor_kind"),
        sa.CheckConstraint("state IN ('waiting', 'kept')", name="ck_anchor_state"),
        sa.CheckConstraint("state <> 'kept' OR evidence IS NOT NULL", name="ck_anchor_evidence"),
        sqlite_strict=True,
    )
    op.create_index("ix_anchor_waiting", "anchor", ["size"], sqlite_where=sa.text("state = 'waiting'"))


def downgrade() -> None:
    """Refuse: a ledger only goes forward."""
    raise NotImplementedError("The ledger's schema only goes forward; restore a backup instead.")
