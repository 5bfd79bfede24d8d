"""No SQL statement, from any SQLite tool, changes what was logged while the guards stand."""

import sqlite3
from collections.abc import Callable

import pytest

from platemark_provenance.ledger.store import Ledger
from platemark_provenance.ledger.tables import event

FORGED = "zeroblob(5), zeroblob(32))"
ROW = "'019dd6c0-0000-7000-8000-000000000009', 1, 'clip.published', NULL, NULL, NULL, NULL, NULL, " + FORGED
SAME_ID = "(SELECT event_id FROM event WHERE seq = 2), 1, 'clip.published', NULL, NULL, NULL, NULL, NULL, " + FORGED


@pytest.mark.parametrize("column", event.columns.keys())
def test_no_column_of_an_event_can_be_updated(story: Ledger, try_sql: Callable[[str], None], column: str) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="the ledger is append-only"):
        try_sql(f"UPDATE event SET {column} = {column} WHERE seq = 3")


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM event WHERE seq = 3",
        "DELETE FROM event WHERE seq = 6",
        "DELETE FROM event",
        f"INSERT OR REPLACE INTO event VALUES (3, {ROW}",
        f"REPLACE INTO event VALUES (3, {ROW}",
        f"INSERT OR REPLACE INTO event VALUES (7, {SAME_ID}",
        f"INSERT OR IGNORE INTO event VALUES (3, {ROW}",
        f"INSERT INTO event VALUES (3, {ROW} ON CONFLICT DO UPDATE SET body = excluded.body",
        f"INSERT INTO event VALUES (8, {ROW}",
        f"INSERT INTO event VALUES (-1, {ROW}",
        "UPDATE OR REPLACE event SET seq = 3 WHERE seq = 4",
    ],
)
def test_an_event_is_neither_removed_nor_replaced_nor_put_out_of_order(
    story: Ledger, try_sql: Callable[[str], None], statement: str
) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="the ledger is append-only"):
        try_sql(statement)

    assert story.verify().ok


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE checkpoint SET root = zeroblob(32)",
        "UPDATE checkpoint SET size = 9",
        "DELETE FROM checkpoint WHERE size = 7",
        "DELETE FROM checkpoint",
        "INSERT OR REPLACE INTO checkpoint VALUES (7, zeroblob(32), x'00')",
        "INSERT INTO checkpoint VALUES (3, zeroblob(32), x'00')",
    ],
)
def test_a_signed_checkpoint_stays(story: Ledger, try_sql: Callable[[str], None], statement: str) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="a signed checkpoint stays as it is"):
        try_sql(statement)

    assert story.verify().ok


@pytest.mark.parametrize(
    "values",
    [
        "'7', 'x', 1, 't', NULL, NULL, NULL, NULL, NULL, 'text, not bytes', zeroblob(32)",
        "7, 'x', 'a time', 't', NULL, NULL, NULL, NULL, NULL, x'00', zeroblob(32)",
        "7, 'x', 1, 't', NULL, NULL, NULL, NULL, NULL, x'00', zeroblob(31)",
        "7, NULL, 1, 't', NULL, NULL, NULL, NULL, NULL, x'00', zeroblob(32)",
        "7, 'x', 1, 't', x'00', NULL, NULL, NULL, NULL, x'00', zeroblob(32)",
        "7, 'x', 1, NULL, NULL, NULL, NULL, NULL, NULL, x'00', zeroblob(32)",
    ],
)
def test_a_value_of_the_wrong_type_cannot_be_stored(story: Ledger, try_sql: Callable[[str], None], values: str) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        try_sql(f"INSERT INTO event VALUES ({values})")


def test_a_sealed_part_can_be_erased(story: Ledger, try_sql: Callable[[str], None]) -> None:
    try_sql("DELETE FROM sealed_payload")

    assert story.verify().ok


def test_a_name_behind_a_pseudonym_can_be_erased(story: Ledger, try_sql: Callable[[str], None]) -> None:
    try_sql("DELETE FROM actor")

    assert story.verify().ok


def test_an_event_with_a_sealed_part_cannot_be_lost_to_a_foreign_key(
    story: Ledger, try_sql: Callable[[str], None]
) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        try_sql("DELETE FROM event WHERE event_id IN (SELECT event_id FROM sealed_payload)")
