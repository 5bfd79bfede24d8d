"""Add keys of subjects, the search index, the queue of jobs, and an index for queries by model."""

import sqlalchemy as sa
from alembic import op

revision = "r0003"
down_revision = "r0002"
branch_labels = None
depends_on = None

_WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables; the log itself only gets an index."""
    named = sa.text("model IS NOT NULL")
    op.create_index("ix_event_model", "event", ["model", "seq"], sqlite_where=named, postgresql_where=named)
    _make_subjects()
    _make_jobs()


def downgrade() -> None:
    """Refuse: a ledger only goes forward."""
    raise NotImplementedError("The ledger's schema only goes forward; restore a backup instead.")


def _make_subjects() -> None:
    op.create_table(
        "subject_key",
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("kek", sa.Text(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("created_us", _WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("key_id"),
        sqlite_strict=True,
    )
    op.create_index("ux_subject_key_subject", "subject_key", ["subject"], unique=True)
    op.create_table(
        "sealed_part",
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("key_id", sa.Text()),
        sa.PrimaryKeyConstraint("event_id", "subject"),
        sa.ForeignKeyConstraint(["key_id"], ["subject_key.key_id"], name="fk_sealed_part_key"),
        sqlite_strict=True,
    )
    op.create_index("ix_sealed_part_subject", "sealed_part", ["subject"])
    op.create_index("ix_sealed_part_key", "sealed_part", ["key_id"])
    op.create_table(
        "search_word",
        sa.Column("word", sa.Text(), nullable=False),
        sa.Column("seq", _WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("word", "seq"),
        sqlite_strict=True,
    )
    op.create_index("ix_search_word_seq", "search_word", ["seq"])


def _make_jobs() -> None:
    op.create_table(
        "job",
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("batch_id", sa.Text(), nullable=False),
        sa.Column("position", _WHOLE, nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("nonce", sa.LargeBinary()),
        sa.Column("ciphertext", sa.LargeBinary()),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempt", _WHOLE, nullable=False),
        sa.Column("fence", _WHOLE, nullable=False),
        sa.Column("worker", sa.Text()),
        sa.Column("lease_until_us", _WHOLE),
        sa.Column("exit_code", _WHOLE),
        sa.Column("result", sa.LargeBinary()),
        sa.Column("created_us", _WHOLE, nullable=False),
        sa.Column("changed_us", _WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("job_id"),
        sa.CheckConstraint("state IN ('queued', 'running', 'done', 'failed', 'cancelled')", name="ck_job_state"),
        sa.CheckConstraint(
            "state <> 'running' OR (worker IS NOT NULL AND lease_until_us IS NOT NULL)", name="ck_job_lease"
        ),
        sqlite_strict=True,
    )
    op.create_index("ux_job_place", "job", ["batch_id", "position"], unique=True)
    op.create_index("ix_job_subject", "job", ["subject"])
    waiting = sa.text("state IN ('queued', 'running')")
    op.create_index(
        "ix_job_open", "job", ["batch_id", "state", "position"], sqlite_where=waiting, postgresql_where=waiting
    )
