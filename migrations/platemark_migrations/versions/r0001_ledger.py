"""Make the log with its tree, checkpoints and sealed parts, and the registry beside it."""

import sqlalchemy as sa
from alembic import op

revision = "r0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make every table, index and guard of the first release."""
    _make_log()
    _make_tree()
    _make_people()
    _make_registry()
    for trigger in _TRIGGERS:
        op.execute(trigger)


def downgrade() -> None:
    """Refuse: a ledger only goes forward."""
    raise NotImplementedError("The ledger's schema only goes forward; restore a backup instead.")


def _make_log() -> None:
    op.create_table(
        "event",
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("ts_us", sa.Integer(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("clip", sa.Text()),
        sa.Column("actor", sa.Text()),
        sa.Column("desk", sa.Text()),
        sa.Column("decision", sa.Text()),
        sa.Column("model", sa.Text()),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
        sa.CheckConstraint("seq >= 0", name="ck_event_seq"),
        sa.CheckConstraint("length(leaf) = 32", name="ck_event_leaf"),
        sqlite_strict=True,
    )
    op.create_index("ux_event_event_id", "event", ["event_id"], unique=True)
    for name, column in (
        ("ts", "ts_us"),
        ("type", "type"),
        ("clip", "clip"),
        ("actor", "actor"),
        ("desk", "desk"),
    ):
        op.create_index(f"ix_event_{name}", "event", [column, "seq"])
    decided = sa.text("decision IS NOT NULL")
    op.create_index("ix_event_decision", "event", ["decision", "seq"], sqlite_where=decided)


def _make_tree() -> None:
    op.create_table(
        "tile",
        sa.Column("level", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("idx", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("hashes", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("level", "idx"),
        sa.CheckConstraint("width BETWEEN 1 AND 256", name="ck_tile_width"),
        sa.CheckConstraint("length(hashes) = width * 32", name="ck_tile_hashes"),
        sqlite_strict=True,
    )
    op.create_table(
        "checkpoint",
        sa.Column("size", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("size"),
        sa.CheckConstraint("length(root) = 32", name="ck_checkpoint_root"),
        sqlite_strict=True,
    )


def _make_people() -> None:
    op.create_table(
        "sealed_payload",
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("nonce", sa.LargeBinary(), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("event_id"),
        sa.ForeignKeyConstraint(["event_id"], ["event.event_id"], name="fk_sealed_payload_event"),
        sqlite_strict=True,
    )
    op.create_table(
        "actor",
        sa.Column("pseudonym", sa.Text(), nullable=False),
        sa.Column("identity", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("pseudonym"),
        sqlite_strict=True,
    )


def _make_registry() -> None:
    op.create_table(
        "mark",
        sa.Column("clip_id", sa.Text(), nullable=False),
        sa.Column("mark_id", sa.LargeBinary(), nullable=False),
        sa.Column("request_sha256", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary()),
        sa.Column("issued_us", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("clip_id"),
        sa.CheckConstraint("length(mark_id) = 8", name="ck_mark_mark_id"),
        sa.CheckConstraint("state IN ('reserved', 'bound', 'released')", name="ck_mark_state"),
        sa.CheckConstraint("state <> 'bound' OR fingerprint IS NOT NULL", name="ck_mark_fingerprint"),
        sqlite_strict=True,
    )
    op.create_index("ix_mark_mark_id", "mark", ["mark_id", "issued_us"])
    op.create_table(
        "manifest",
        sa.Column("clip_id", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("clip_id"),
        sqlite_strict=True,
    )
    op.create_index("ux_manifest_label", "manifest", ["label"], unique=True)
    op.create_table(
        "output",
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("clip_id", sa.Text(), nullable=False),
        sa.Column("final_path", sa.Text(), nullable=False),
        sa.Column("part_path", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text()),
        sa.Column("mark_id", sa.LargeBinary()),
        sa.Column("created_us", sa.Integer(), nullable=False),
        sa.Column("published_us", sa.Integer()),
        sa.PrimaryKeyConstraint("job_id"),
        sa.CheckConstraint("state IN ('intended', 'published', 'abandoned')", name="ck_output_state"),
        sa.CheckConstraint(
            "state <> 'published' OR (sha256 IS NOT NULL AND published_us IS NOT NULL)",
            name="ck_output_published",
        ),
        sqlite_strict=True,
    )
    op.create_index("ix_output_clip_id", "output", ["clip_id"])
    op.create_index("ix_output_sha256", "output", ["sha256"])
    op.create_index("ix_output_intended", "output", ["created_us"], sqlite_where=sa.text("state = 'intended'"))


_TRIGGERS = (
    """
        CREATE TRIGGER event_no_update BEFORE UPDATE ON event
        BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END""",
    """
        CREATE TRIGGER event_no_delete BEFORE DELETE ON event
        BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END""",
    """
        CREATE TRIGGER event_in_order BEFORE INSERT ON event
        WHEN NEW.seq <> (SELECT coalesce(max(seq) + 1, 0) FROM event)
          OR EXISTS (SELECT 1 FROM event WHERE event_id = NEW.event_id)
        BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END""",
    """
        CREATE TRIGGER tile_only_grows BEFORE UPDATE ON tile
        WHEN NEW.level <> OLD.level OR NEW.idx <> OLD.idx OR NEW.width <= OLD.width
          OR substr(NEW.hashes, 1, length(OLD.hashes)) <> OLD.hashes
        BEGIN SELECT RAISE(ABORT, 'a tile only grows at its end'); END""",
    """
        CREATE TRIGGER tile_no_delete BEFORE DELETE ON tile
        BEGIN SELECT RAISE(ABORT, 'a tile only grows at its end'); END""",
    """
        CREATE TRIGGER tile_no_replace BEFORE INSERT ON tile
        WHEN EXISTS (SELECT 1 FROM tile WHERE level = NEW.level AND idx = NEW.idx)
        BEGIN SELECT RAISE(ABORT, 'a tile only grows at its end'); END""",
    """
        CREATE TRIGGER checkpoint_no_update BEFORE UPDATE ON checkpoint
        BEGIN SELECT RAISE(ABORT, 'a signed checkpoint stays as it is'); END""",
    """
        CREATE TRIGGER checkpoint_no_delete BEFORE DELETE ON checkpoint
        BEGIN SELECT RAISE(ABORT, 'a signed checkpoint stays as it is'); END""",
    """
        CREATE TRIGGER checkpoint_in_order BEFORE INSERT ON checkpoint
        WHEN NEW.size <= (SELECT coalesce(max(size), -1) FROM checkpoint)
        BEGIN SELECT RAISE(ABORT, 'a signed checkpoint stays as it is'); END""",
)
