"""The steps lead to exactly the schema in the code, and old steps stay as they were released."""

import ast
import contextlib
import hashlib
import re
import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from sqlalchemy import create_engine

import platemark_migrations
from platemark_provenance.ledger.database import open_engine
from platemark_provenance.ledger.tables import SCHEMA_REVISION, TRIGGERS, metadata

VERSIONS = sorted((Path(platemark_migrations.__file__).parent / "versions").glob("r*.py"))

# A revision that was released is never edited: its digest goes here with the release.
RELEASED: dict[str, str] = {}


def schema_of(path: Path) -> dict[str, str]:
    """Give the SQL of every table, index and trigger, without its layout."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
        schema = {name: re.sub(r"\s+", " ", sql).strip() for name, sql in rows}
    schema.pop("alembic_version", None)
    return schema


@pytest.fixture
def migrated(tmp_path: Path) -> Path:
    """A database made by the migrations."""
    platemark_migrations.upgrade(f"sqlite:///{tmp_path}/migrated.db")
    return tmp_path / "migrated.db"


@pytest.fixture
def from_code(tmp_path: Path) -> Path:
    """A database made from the tables in the code."""
    engine = create_engine(f"sqlite:///{tmp_path}/from_code.db")
    with engine.begin() as connection:
        metadata.create_all(connection)
        for trigger in TRIGGERS.values():
            connection.exec_driver_sql(trigger)
    engine.dispose()
    return tmp_path / "from_code.db"


@pytest.mark.parametrize("name", [*sorted(metadata.tables), *TRIGGERS])
def test_each_table_and_guard_is_made_by_the_migrations_as_the_code_has_it(
    migrated: Path, from_code: Path, name: str
) -> None:
    assert schema_of(migrated)[name] == schema_of(from_code)[name]


def test_the_migrations_make_nothing_more_and_nothing_less(migrated: Path, from_code: Path) -> None:
    assert schema_of(migrated) == schema_of(from_code)


def test_alembic_finds_no_difference_either(migrated: Path) -> None:
    engine = open_engine(migrated, busy_timeout_s=1)
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata)
    engine.dispose()

    assert differences == []


@pytest.mark.parametrize("table", sorted(metadata.tables))
def test_every_table_refuses_values_of_the_wrong_type(migrated: Path, table: str) -> None:
    assert schema_of(migrated)[table].endswith("STRICT")


def test_the_code_reads_the_newest_revision() -> None:
    assert platemark_migrations.head() == SCHEMA_REVISION


def scripts() -> list[Script]:
    directory = ScriptDirectory(str(Path(platemark_migrations.__file__).parent))
    return list(directory.walk_revisions())[::-1]


def test_revisions_are_numbered_without_a_gap() -> None:
    assert [script.revision for script in scripts()] == [f"r{n:04}" for n in range(1, len(scripts()) + 1)]


def test_revisions_follow_one_another_in_a_line() -> None:
    names = [script.revision for script in scripts()]

    assert [script.down_revision for script in scripts()] == [None, *names[:-1]]


def test_every_file_is_a_revision_and_named_after_it() -> None:
    assert [path.stem.split("_")[0] for path in VERSIONS] == [script.revision for script in scripts()]


def modules_imported_by(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    plain = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    of_from = {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    return {name.partition(".")[0] for name in plain | of_from}


@pytest.mark.parametrize("path", VERSIONS, ids=lambda path: path.stem)
def test_a_revision_imports_only_alembic_and_sqlalchemy(path: Path) -> None:
    assert modules_imported_by(path) <= {"alembic", "pathlib", "sqlalchemy"}


@pytest.mark.parametrize("path", VERSIONS, ids=lambda path: path.stem)
def test_a_revision_neither_changes_nor_deletes_events(path: Path) -> None:
    statements = re.findall(r"op\.(\w+)", path.read_text(encoding="utf-8"))

    assert not {"batch_alter_table", "drop_table", "drop_column", "alter_column", "bulk_insert"} & set(statements)


@pytest.mark.parametrize("script", scripts(), ids=lambda script: script.revision)
def test_going_back_is_refused(script: Script) -> None:
    with pytest.raises(NotImplementedError, match="only goes forward"):
        script.module.downgrade()


def test_released_revisions_are_as_they_were_released() -> None:
    files = {path.stem: hashlib.sha256(path.read_bytes()).hexdigest() for path in VERSIONS}

    assert {name: files[name] for name in RELEASED} == RELEASED
