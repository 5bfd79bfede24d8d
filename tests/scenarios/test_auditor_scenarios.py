"""What an auditor or regulator comes to do; each test is named by its scenario."""

import json
import sqlite3
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from platemark.bench.catalogue import BENCHES


def without_guards(ledger: Path, change: Callable[[sqlite3.Connection], object]) -> None:
    """Change the database past its triggers, as somebody with the file could."""
    with sqlite3.connect(ledger) as database:
        triggers = database.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        database.executescript("".join(f'DROP TRIGGER "{name}";' for name, _ in triggers))
        change(database)
        database.commit()
        database.executescript("".join(f"{again};" for _, again in triggers))
    database.close()


# A1: is the log whole?


def test_a1_a_log_that_nobody_touched_is_whole(shared: Any) -> None:
    answer = shared.ask("audit", "verify")

    assert (answer.code, answer.object["ok"]) == (0, True)
    assert answer.object["size"] > 8


@pytest.mark.parametrize(
    ("column", "value"), [("desk", "'sports'"), ("actor", "'p-0000'"), ("ts_us", "1"), ("body", "x'7b7d'")]
)
def test_a1_a_row_changed_by_sql_is_named(newsroom: Any, column: str, value: str) -> None:
    without_guards(
        newsroom.home / "ledger.sqlite3",
        lambda database: database.execute(f"UPDATE event SET {column} = {value} WHERE seq = 5"),
    )

    answer = newsroom.ask("audit", "verify")

    assert (answer.code, answer.object["ok"], answer.object["first_bad_seq"]) == (5, False, 5)


def test_a1_the_last_rows_deleted_are_missed_by_the_signed_head(newsroom: Any) -> None:
    without_guards(
        newsroom.home / "ledger.sqlite3",
        lambda database: database.execute("DELETE FROM event WHERE seq >= (SELECT max(seq) - 1 FROM event)"),
    )

    answer = newsroom.ask("audit", "verify")

    assert (answer.code, answer.object["ok"]) == (5, False)


# A2: evidence about one clip


def test_a2_the_bundle_holds_everything_and_is_checked_without_a_home(newsroom: Any, tmp_path: Path) -> None:
    bundle, key = tmp_path / "clip.zip", tmp_path / "ledger.pem"
    newsroom.ask("audit", "bundle", newsroom.made["clip_id"], "--out", bundle)
    with zipfile.ZipFile(bundle) as archive:
        names = set(archive.namelist())
        key.write_bytes(archive.read("ledger-key.pem"))

    answer = newsroom.run(["audit", "verify-bundle", str(bundle), "--key", str(key), "--json"])

    assert {"verify.html", "events.json", "checkpoint.txt", "receipt.tlog-proof", "manifest.c2pa"} <= names
    assert sum(name.startswith("label/") for name in names) == 3
    assert (answer.code, answer.object["ok"], answer.object["clip_id"]) == (0, True, newsroom.made["clip_id"])
    assert answer.object["key"]["trusted"] is True


def test_a2_one_byte_changed_in_the_bundle_is_found(newsroom: Any, tmp_path: Path) -> None:
    whole, broken = tmp_path / "whole.zip", tmp_path / "broken.zip"
    newsroom.ask("audit", "bundle", newsroom.made["clip_id"], "--out", whole)
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(broken, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            changed = content[:-40] + b"0" + content[-39:] if name == "manifest.c2pa" else content
            target.writestr(name, changed)

    assert newsroom.run(["audit", "verify-bundle", str(broken), "--json"]).code == 5


def test_a2_names_and_prompts_are_not_in_it(newsroom: Any, tmp_path: Path) -> None:
    bundle = tmp_path / "clip.zip"
    newsroom.ask("audit", "bundle", newsroom.made["clip_id"], "--out", bundle)

    with zipfile.ZipFile(bundle) as archive:
        content = b"".join(archive.read(name) for name in archive.namelist())
    assert b"jw.kim" not in content
    assert "서울".encode() not in content


# A3: clause by clause


def test_a3_every_clause_of_four_laws_has_an_outcome_its_evidence_and_its_source(shared: Any) -> None:
    answer = shared.ask("comply", shared.clip, "--profile", "eu-art50,kr-ai-basic,ca-sb942,cn-gb45438")

    profiles = {each["profile"]: each for each in answer.object["profiles"]}
    clauses = [clause for each in profiles.values() for clause in each["clauses"]]
    assert answer.code == 7
    assert set(profiles) == {"eu-art50", "kr-ai-basic", "ca-sb942", "cn-gb45438"}
    assert profiles["kr-ai-basic"]["passed"] is profiles["ca-sb942"]["passed"] is True
    assert profiles["cn-gb45438"]["passed"] is False
    assert all(each["evidence"] and each["source"] and each["needs_legal_review"] for each in clauses)


def test_a3_where_everything_asked_for_is_there_it_ends_with_0(shared: Any) -> None:
    assert shared.ask("comply", shared.clip, "--profile", "kr-ai-basic,ca-sb942").code == 0


def test_a3_a_page_for_the_file_shows_clauses_and_frames(shared: Any, tmp_path: Path) -> None:
    page = tmp_path / "page.html"

    shared.ask("comply", shared.clip, "--profile", "kr-ai-basic", "--html", page)

    assert page.read_text("utf-8").count("data:image/png;base64,") == 3


# A4: what the mark survives, measured here


def test_a4_the_report_on_the_mark_can_be_made_again_by_anybody(shared: Any) -> None:
    assert "watermark" in BENCHES
    assert shared.run(["bench", "--help"]).code == 0


def test_a4_this_clips_own_mark_is_found_with_its_chance_of_being_an_accident(shared: Any) -> None:
    answer = shared.ask("watermark", "detect", shared.clip)

    assert (answer.object["state"], answer.object["id"]) == ("detected", shared.made["watermark"]["id"])
    assert answer.object["log10_fpr"] < -6
    assert json.dumps(answer.object)
