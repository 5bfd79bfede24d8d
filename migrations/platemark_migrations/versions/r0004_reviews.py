"""Add the review queue: tickets, and the votes of editors on them."""

import sqlalchemy as sa
from alembic import op

revision = "r0004"
down_revision = "r0003"
branch_labels = None
depends_on = None

_WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the two tables."""
    op.create_table(
        "review",
        sa.Column("ticket", sa.Text(), nullable=False),
        sa.Column("clip_id", sa.Text(), nullable=False),
        sa.Column("binding", sa.Text(), nullable=False),
        sa.Column("requester", sa.Text(), nullable=False),
        sa.Column("desk", sa.Text(), nullable=False),
        sa.Column("created_us", _WHOLE, nullable=False),
        sa.Column("expires_us", _WHOLE, nullable=False),
        sa.Column("claimed_by", sa.Text()),
        sa.Column("claimed_us", _WHOLE),
        sa.PrimaryKeyConstraint("ticket"),
        sqlite_strict=True,
    )
    op.create_index("ux_review_requester", "review", ["ticket", "requester"], unique=True)
    op.create_index("ix_review_binding", "review", ["binding", "created_us"])
    op.create_index("ix_review_created", "review", ["created_us"])
    op.create_table(
        "review_vote",
        sa.Column("ticket", sa.Text(), nullable=False),
        sa.Column("voter", sa.Text(), nullable=False),
        sa.Column("requester", sa.Text(), nullable=False),
        sa.Column("ballot", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("ticket", "voter"),
        sa.ForeignKeyConstraint(["ticket", "requester"], ["review.ticket", "review.requester"], name="fk_review_vote"),
        sa.CheckConstraint("voter <> requester", name="ck_review_vote_second_person"),
        sa.CheckConstraint("requester <> ''", name="ck_review_vote_requester"),
        sa.CheckConstraint("ballot IN ('approve', 'reject')", name="ck_review_vote_ballot"),
        sqlite_strict=True,
    )


def downgrade() -> None:
    """Refuse: a ledger only goes forward."""
    raise NotImplementedError("The ledger's schema only goes forward; restore a backup instead.")
