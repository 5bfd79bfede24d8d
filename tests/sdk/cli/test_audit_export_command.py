"""`platemark audit export`, `verify --against`, and zones, as an auditor meets them."""

import json
import stat
from pathlib import Path
from typing import Any

import pytest
from cli_session import Run

FORMS = ["jsonl", "csv", "parquet", "ocsf", "prov"]


def roll_back(home: Path, backup: Path) -> None:
    """Restore the database of a backup, and take away the signed head that would give it away."""
    for stale in (home / "checkpoint.state", *home.glob("ledger.sqlite3-*")):
        stale.unlink()
    (home / "ledger.sqlite3").write_bytes((backup / "ledger.sqlite3").read_bytes())


@pytest.mark.parametrize("form", FORMS)
def test_each_form_is_written_to_a_file_that_only_its_owner_reads(
    run: Run, home_path: Path, tmp_path: Path, form: str
) -> None:
    path = tmp_path / f"events.{form}"

    ended = run("audit", "export", "--format", form, "--out", path, "--home", home_path, "--json")

    assert (ended.code, ended.object["format"]) == (0, form)
    assert ended.object["events"] >= 2
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_lines_go_to_standard_output_where_no_file_is_named(run: Run, home_path: Path) -> None:
    ended = run("audit", "export", "--home", home_path)

    assert ended.code == 0
    assert [line["seq"] for line in ended.objects] == list(range(len(ended.objects)))


@pytest.mark.parametrize("options", [("--format", "parquet"), ("--json",), ("--format", "xml")])
def test_an_export_that_has_nowhere_to_go_or_no_form_is_refused(
    run: Run, home_path: Path, options: tuple[str, ...]
) -> None:
    ended = run("audit", "export", *options, "--home", home_path)

    assert (ended.code, len(ended.err.splitlines())) == (2, 1)


def test_an_export_into_a_folder_that_is_not_there_leaves_nothing(run: Run, home_path: Path, tmp_path: Path) -> None:
    ended = run("audit", "export", "--out", tmp_path / "nowhere" / "events.jsonl", "--home", home_path)

    assert ended.code == 2
    assert "cannot be written" in ended.err


def test_an_export_replaces_an_older_one(run: Run, home_path: Path, tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text("old")

    run("audit", "export", "--out", path, "--home", home_path)

    assert json.loads(path.read_text().splitlines()[0])["seq"] == 0


def test_an_export_holds_no_name_and_no_prompt(run: Run, home_path: Path, made: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"

    run("audit", "export", "--out", path, "--home", home_path)

    content = path.read_text()
    assert made["clip_id"] in content
    assert "jw.kim" not in content
    assert "calm blue sea" not in content


def test_a_query_in_seouls_time_shows_seouls_time(run: Run, home_path: Path) -> None:
    ended = run("audit", "query", "--limit", "1", "--zone", "Asia/Seoul", "--home", home_path)

    assert "Asia/Seoul" in ended.out.splitlines()[0]


def test_a_zone_that_there_is_not_is_one_clear_line(run: Run, home_path: Path) -> None:
    ended = run("audit", "query", "--zone", "Nowhere", "--home", home_path)

    assert (ended.code, len(ended.err.splitlines())) == (2, 1)


def test_a_query_says_who_asked(run: Run, home_path: Path) -> None:
    run("audit", "query", "--reader", "dpo", "--desk", "weather", "--home", home_path)

    ended = run("audit", "query", "--type", "audit.queried", "--limit", "1", "--home", home_path, "--json")
    assert ended.object["actor_name"] == "dpo"
    assert ended.object["facts"] == {"command": "query", "asked": {"desk": "weather"}, "found": 0}


def test_a_query_by_model_finds_that_models_events(run: Run, home_path: Path, made: dict[str, Any]) -> None:
    mine = run("audit", "query", "--model", "testcard", "--home", home_path, "--json")
    none = run("audit", "query", "--model", "other", "--home", home_path, "--json")

    assert {event["clip"] for event in mine.objects} == {made["clip_id"]}
    assert none.objects == []


def test_a_trace_in_korean_is_sentences(run: Run, home_path: Path, made: dict[str, Any]) -> None:
    ended = run("audit", "trace", made["clip_id"], "--home", home_path, "--lang", "ko")

    assert "클립을 발행했습니다." in ended.out
    assert "일어난 일" in ended.out


def test_a_receipt_kept_elsewhere_is_in_the_log(run: Run, home_path: Path, made: dict[str, Any]) -> None:
    ended = run("audit", "verify", "--against", made["receipt"], "--home", home_path, "--json")

    assert (ended.code, ended.object["ok"]) == (0, True)


def test_a_checkpoint_kept_elsewhere_is_in_the_log(
    run: Run, home_path: Path, made: dict[str, Any], tmp_path: Path
) -> None:
    kept = tmp_path / "checkpoint"
    kept.write_bytes(Path(made["receipt"]).read_bytes().partition(b"\n\n")[2])

    assert run("audit", "verify", "--against", kept, "--home", home_path).code == 0


def test_a_receipt_of_a_log_that_was_rolled_back_is_noticed(
    run: Run, home_path: Path, pristine_home: Path, made: dict[str, Any]
) -> None:
    roll_back(home_path, pristine_home)

    alone = run("audit", "verify", "--home", home_path)
    held = run("audit", "verify", "--against", made["receipt"], "--home", home_path, "--json")

    assert alone.code == 0
    assert held.code == 5
    assert held.object["ok"] is False


@pytest.mark.parametrize("content", [b"", b"hello", b"\xff\xfe", b"c2sp.org/tlog-proof@v1\nnothing"])
def test_what_nobody_signed_is_not_held_against_the_log(
    run: Run, home_path: Path, tmp_path: Path, content: bytes
) -> None:
    kept = tmp_path / "kept"
    kept.write_bytes(content)

    ended = run("audit", "verify", "--against", kept, "--home", home_path)

    assert (ended.code, len(ended.err.splitlines())) == (5, 1)


def test_a_file_to_hold_against_that_is_not_there_is_a_usage_error(run: Run, home_path: Path) -> None:
    assert run("audit", "verify", "--against", "nowhere", "--home", home_path).code == 2


def test_a_report_is_three_files_and_an_event(run: Run, home_path: Path, made: dict[str, Any], tmp_path: Path) -> None:
    from platemark.homes.home import utc_now

    month = utc_now().strftime("%Y-%m")

    ended = run("audit", "report", "--month", month, "--out", tmp_path / "r", "--home", home_path, "--json")

    assert ended.code == 0
    assert ended.object["desks"] == {"weather": {"allow": 2}}
    assert [Path(path).is_file() for path in ended.object["files"].values()] == [True] * 3
    logged = run("audit", "query", "--type", "audit.queried", "--limit", "1", "--home", home_path, "--json")
    assert logged.object["facts"]["command"] == "report"


@pytest.mark.parametrize("month", ["2026", "november", "2026-00"])
def test_a_report_of_no_month_is_a_usage_error(run: Run, home_path: Path, tmp_path: Path, month: str) -> None:
    assert run("audit", "report", "--month", month, "--out", tmp_path, "--home", home_path).code == 2
