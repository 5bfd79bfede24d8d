"""The tables of the ledger's database and the triggers that keep its log append-only.

One rule: no behaviour. Migrations make these tables step by step and never import this file; a test compares
the two. What PostgreSQL alone has, such as its partial indexes, stands in the migrations: naming it here would load its
dialect at every start. Times are whole UTC microseconds, digests are text in hexadecimal or 32 raw bytes, ids are text.
"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    text,
)

SCHEMA_REVISION = "r0005"
"""The revision this program reads and writes. Revisions are `r` and four digits, in order."""

metadata = MetaData()

_WHOLE = BigInteger().with_variant(Integer(), "sqlite")
"""64 bits on PostgreSQL; SQLite's INTEGER has them already."""

_DECIDED = text("decision IS NOT NULL")
_INTENDED = text("state = 'intended'")
_WAITING = text("state = 'waiting'")
_OPEN = text("state IN ('queued', 'running')")
_NAMED = text("model IS NOT NULL")

event = Table(
    "event",
    metadata,
    Column("seq", _WHOLE, primary_key=True, autoincrement=False),
    Column("event_id", Text, nullable=False),
    Column("ts_us", _WHOLE, nullable=False),
    Column("type", Text, nullable=False),
    Column("clip", Text),
    Column("actor", Text),
    Column("desk", Text),
    Column("decision", Text),
    Column("model", Text),
    Column("body", LargeBinary, nullable=False),
    Column("leaf", LargeBinary, nullable=False),
    CheckConstraint("seq >= 0", name="ck_event_seq"),
    CheckConstraint("length(leaf) = 32", name="ck_event_leaf"),
    Index("ux_event_event_id", "event_id", unique=True),
    Index("ix_event_ts", "ts_us", "seq"),
    Index("ix_event_type", "type", "seq"),
    Index("ix_event_clip", "clip", "seq"),
    Index("ix_event_actor", "actor", "seq"),
    Index("ix_event_desk", "desk", "seq"),
    Index("ix_event_model", "model", "seq", sqlite_where=_NAMED),
    # Most events decide nothing, so this one stays small.
    Index("ix_event_decision", "decision", "seq", sqlite_where=_DECIDED),
    sqlite_strict=True,
)
"""The log. `body` is the leaf's content; every column but `seq` and `leaf` is made from it."""

tile = Table(
    "tile",
    metadata,
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("idx", _WHOLE, primary_key=True, autoincrement=False),
    Column("width", Integer, nullable=False),
    Column("hashes", LargeBinary, nullable=False),
    CheckConstraint("width BETWEEN 1 AND 256", name="ck_tile_width"),
    CheckConstraint("length(hashes) = width * 32", name="ck_tile_hashes"),
    sqlite_strict=True,
)
"""The tree: up to 256 neighbouring hashes of tree level `8 * level`. Partial tiles grow at their end."""

checkpoint = Table(
    "checkpoint",
    metadata,
    Column("size", _WHOLE, primary_key=True, autoincrement=False),
    Column("root", LargeBinary, nullable=False),
    Column("note", LargeBinary, nullable=False),
    CheckConstraint("length(root) = 32", name="ck_checkpoint_root"),
    sqlite_strict=True,
)
"""Every tree head that was signed, as the signed note."""

anchor = Table(
    "anchor",
    metadata,
    Column("size", _WHOLE, ForeignKey("checkpoint.size", name="fk_anchor_checkpoint"), primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("target", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("evidence", LargeBinary),
    Column("changed_us", _WHOLE, nullable=False),
    CheckConstraint("kind IN ('directory', 's3', 'timestamp', 'witness')", name="ck_anchor_kind"),
    CheckConstraint("state IN ('waiting', 'kept')", name="ck_anchor_state"),
    CheckConstraint("state <> 'kept' OR evidence IS NOT NULL", name="ck_anchor_evidence"),
    Index("ix_anchor_waiting", "size", sqlite_where=_WAITING),
    sqlite_strict=True,
)
"""Where copies of signed tree heads were left, and what each place gave back: a cosignature, a time-stamp."""

sealed_payload = Table(
    "sealed_payload",
    metadata,
    Column("event_id", Text, ForeignKey("event.event_id", name="fk_sealed_payload_event"), primary_key=True),
    Column("nonce", LargeBinary, nullable=False),
    Column("ciphertext", LargeBinary, nullable=False),
    sqlite_strict=True,
)
"""What only the key opens. Rows may be deleted: the leaf keeps the digest of `nonce` and `ciphertext`."""

actor = Table(
    "actor",
    metadata,
    Column("pseudonym", Text, primary_key=True),
    Column("identity", Text, nullable=False),
    sqlite_strict=True,
)
"""Who is behind a pseudonym. Rows may be deleted."""

mark = Table(
    "mark",
    metadata,
    Column("clip_id", Text, primary_key=True),
    Column("mark_id", LargeBinary, nullable=False),
    Column("request_sha256", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("fingerprint", LargeBinary),
    Column("issued_us", _WHOLE, nullable=False),
    CheckConstraint("length(mark_id) = 8", name="ck_mark_mark_id"),
    CheckConstraint("state IN ('reserved', 'bound', 'released')", name="ck_mark_state"),
    CheckConstraint("state <> 'bound' OR fingerprint IS NOT NULL", name="ck_mark_fingerprint"),
    Index("ix_mark_mark_id", "mark_id", "issued_us"),
    sqlite_strict=True,
)
"""Watermark ids given to clips. The same request and seed give the same id, so it may have several clips."""

manifest = Table(
    "manifest",
    metadata,
    Column("clip_id", Text, primary_key=True),
    Column("label", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("ux_manifest_label", "label", unique=True),
    sqlite_strict=True,
)
"""The signed manifest of each clip, kept so that a stripped copy can get it back."""

output = Table(
    "output",
    metadata,
    Column("job_id", Text, primary_key=True),
    Column("clip_id", Text, nullable=False),
    Column("final_path", Text, nullable=False),
    Column("part_path", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("sha256", Text),
    Column("mark_id", LargeBinary),
    Column("created_us", _WHOLE, nullable=False),
    Column("published_us", _WHOLE),
    CheckConstraint("state IN ('intended', 'published', 'abandoned')", name="ck_output_state"),
    CheckConstraint(
        "state <> 'published' OR (sha256 IS NOT NULL AND published_us IS NOT NULL)",
        name="ck_output_published",
    ),
    Index("ix_output_clip_id", "clip_id"),
    Index("ix_output_sha256", "sha256"),
    Index("ix_output_intended", "created_us", sqlite_where=_INTENDED),
    sqlite_strict=True,
)
"""Files on their way to their final path, and where each clip went."""
subject_key = Table(
    "subject_key",
    metadata,
    Column("key_id", Text, primary_key=True),
    Column("subject", Text, nullable=False),
    Column("kek", Text, nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
    Column("created_us", _WHOLE, nullable=False),
    Index("ux_subject_key_subject", "subject", unique=True),
    sqlite_strict=True,
)
"""The key that seals what is about one subject, wrapped by one that is elsewhere. Deleting the row is the point."""

sealed_part = Table(
    "sealed_part",
    metadata,
    Column("event_id", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("key_id", Text, ForeignKey("subject_key.key_id", name="fk_sealed_part_key")),
    Index("ix_sealed_part_subject", "subject"),
    Index("ix_sealed_part_key", "key_id"),
    sqlite_strict=True,
)
"""Whom a sealed part is about. One of its rows names the key that it is sealed with; parts of r0001 have no rows."""

search_word = Table(
    "search_word",
    metadata,
    Column("word", Text, primary_key=True),
    Column("seq", _WHOLE, primary_key=True, autoincrement=False),
    Index("ix_search_word_seq", "seq"),
    sqlite_strict=True,
)
"""Words of sealed parts, in the clear, where a home asked for a search index. Rows are really deleted."""

job = Table(
    "job",
    metadata,
    Column("job_id", Text, primary_key=True),
    Column("batch_id", Text, nullable=False),
    Column("position", _WHOLE, nullable=False),
    Column("subject", Text, nullable=False),
    Column("nonce", LargeBinary),
    Column("ciphertext", LargeBinary),
    Column("state", Text, nullable=False),
    Column("attempt", _WHOLE, nullable=False),
    Column("fence", _WHOLE, nullable=False),
    Column("worker", Text),
    Column("lease_until_us", _WHOLE),
    Column("exit_code", _WHOLE),
    Column("result", LargeBinary),
    Column("created_us", _WHOLE, nullable=False),
    Column("changed_us", _WHOLE, nullable=False),
    CheckConstraint("state IN ('queued', 'running', 'done', 'failed', 'cancelled')", name="ck_job_state"),
    CheckConstraint("state <> 'running' OR (worker IS NOT NULL AND lease_until_us IS NOT NULL)", name="ck_job_lease"),
    Index("ux_job_place", "batch_id", "position", unique=True),
    Index("ix_job_subject", "subject"),
    Index("ix_job_open", "batch_id", "state", "position", sqlite_where=_OPEN),
    sqlite_strict=True,
)
"""Work that waits or is done: the queue. What is asked for is sealed like a prompt in the log."""

review = Table(
    "review",
    metadata,
    Column("ticket", Text, primary_key=True),
    Column("clip_id", Text, nullable=False),
    Column("binding", Text, nullable=False),
    Column("requester", Text, nullable=False),
    Column("desk", Text, nullable=False),
    Column("created_us", _WHOLE, nullable=False),
    Column("expires_us", _WHOLE, nullable=False),
    Column("claimed_by", Text),
    Column("claimed_us", _WHOLE),
    Index("ux_review_requester", "ticket", "requester", unique=True),
    Index("ix_review_binding", "binding", "created_us"),
    Index("ix_review_created", "created_us"),
    sqlite_strict=True,
)
"""Requests that wait for an editor."""

review_vote = Table(
    "review_vote",
    metadata,
    Column("ticket", Text, primary_key=True),
    Column("voter", Text, primary_key=True),
    # Carried along so that the database itself can refuse the vote of the person who asked.
    Column("requester", Text, nullable=False),
    Column("ballot", Text, nullable=False),
    Column("event_id", Text, nullable=False),
    ForeignKeyConstraint(["ticket", "requester"], ["review.ticket", "review.requester"], name="fk_review_vote"),
    CheckConstraint("voter <> requester", name="ck_review_vote_second_person"),
    CheckConstraint("requester <> ''", name="ck_review_vote_requester"),
    CheckConstraint("ballot IN ('approve', 'reject')", name="ck_review_vote_ballot"),
    sqlite_strict=True,
)
"""What editors said to tickets: one vote a person."""

TRIGGERS = {
    "event_no_update": """
        CREATE TRIGGER event_no_update BEFORE UPDATE ON event
        BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END""",
    "event_no_delete": """
        CREATE TRIGGER event_no_delete BEFORE DELETE ON event
        BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END""",
    # INSERT OR REPLACE deletes without firing delete triggers (unless recursive_triggers is on), so any
    # insert that would replace a row, and any that would leave a gap, stops here.
    "event_in_order": """
        CREATE TRIGGER event_in_order BEFORE INSERT ON event
        WHEN NEW.seq <> (SELECT coalesce(max(seq) + 1, 0) FROM event)
          OR EXISTS (SELECT 1 FROM event WHERE event_id = NEW.event_id)
        BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END""",
    "tile_only_grows": """
        CREATE TRIGGER tile_only_grows BEFORE UPDATE ON tile
        WHEN NEW.level <> OLD.level OR NEW.idx <> OLD.idx OR NEW.width <= OLD.width
          OR substr(NEW.hashes, 1, length(OLD.hashes)) <> OLD.hashes
        BEGIN SELECT RAISE(ABORT, 'a tile only grows at its end'); END""",
    "tile_no_delete": """
        CREATE TRIGGER tile_no_delete BEFORE DELETE ON tile
        BEGIN SELECT RAISE(ABORT, 'a tile only grows at its end'); END""",
    "tile_no_replace": """
        CREATE TRIGGER tile_no_replace BEFORE INSERT ON tile
        WHEN EXISTS (SELECT 1 FROM tile WHERE level = NEW.level AND idx = NEW.idx)
        BEGIN SELECT RAISE(ABORT, 'a tile only grows at its end'); END""",
    "checkpoint_no_update": """
        CREATE TRIGGER checkpoint_no_update BEFORE UPDATE ON checkpoint
        BEGIN SELECT RAISE(ABORT, 'a signed checkpoint stays as it is'); END""",
    "checkpoint_no_delete": """
        CREATE TRIGGER checkpoint_no_delete BEFORE DELETE ON checkpoint
        BEGIN SELECT RAISE(ABORT, 'a signed checkpoint stays as it is'); END""",
    "checkpoint_in_order": """
        CREATE TRIGGER checkpoint_in_order BEFORE INSERT ON checkpoint
        WHEN NEW.size <= (SELECT coalesce(max(size), -1) FROM checkpoint)
        BEGIN SELECT RAISE(ABORT, 'a signed checkpoint stays as it is'); END""",
}
"""The guards, by name. The ledger does not open when one is missing, changed or added."""
