"""`platemark audit` as an auditor meets it."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from cli_session import Run


def tamper(home: Path, statement: str) -> None:
    """Change the database as somebody with the file would: guards off, change, guards on again."""
    connection = sqlite3.connect(home / "ledger.sqlite3")
    guards = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for name, _ in guards:
        connection.execute(f"DROP TRIGGER {name}")
    connection.execute(statement)
    for _, sql in guards:
        connection.execute(sql)
    connection.commit()
    connection.close()


def test_a_clips_trace_is_its_whole_life_by_identifier_or_by_file(
    run: Run, home_path: Path, made: dict[str, Any]
) -> None:
    by_id = run("audit", "trace", made["clip_id"], "--home", home_path, "--json")
    by_file = run("audit", "trace", made["path"], "--home", home_path, "--json")

    assert by_id.code == by_file.code == 0
    assert [event["type"] for event in by_id.objects] == [event["type"] for event in by_file.objects]
    assert by_id.objects[0]["type"] == "prompt.submitted"
    assert by_id.objects[-1]["type"] == "clip.published"


def test_a_trace_for_people_names_every_event(run: Run, home_path: Path, made: dict[str, Any]) -> None:
    ended = run("audit", "trace", made["clip_id"], "--home", home_path)

    assert "clip.published" in ended.out
    assert "jw.kim" in ended.out


def test_a_trace_of_an_unknown_clip_ends_with_4(run: Run, home_path: Path) -> None:
    assert run("audit", "trace", "nowhere", "--home", home_path).code == 4


def test_a_file_that_was_never_published_here_is_refused(run: Run, home_path: Path, tmp_path: Path) -> None:
    (tmp_path / "other.mp4").write_bytes(b"other")

    ended = run("audit", "trace", tmp_path / "other.mp4", "--home", home_path)

    assert ended.code == 2
    assert "byte for byte" in ended.err


@pytest.mark.parametrize(
    ("options", "count"),
    [
        (("--type", "clip.published"), 1),
        (("--desk", "weather", "--type", "clip.published"), 1),
        (("--desk", "politics"), 0),
        (("--actor", "jw.kim", "--type", "prompt.submitted"), 1),
        (("--actor", "nobody"), 0),
        (("--decision", "allow"), 2),
        (("--since", "2020-01-01", "--type", "clip.published"), 1),
        (("--since", "2999-01-01"), 0),
        (("--until", "2020-01-01T00:00:00+09:00"), 0),
        (("--text", "testcard", "--type", "prompt.submitted"), 1),
        (("--limit", "3"), 3),
    ],
)
def test_a_query_finds_what_it_was_asked_for(
    run: Run, home_path: Path, made: dict[str, Any], options: tuple[str, ...], count: int
) -> None:
    ended = run("audit", "query", *options, "--home", home_path, "--json")

    assert (ended.code, len(ended.objects)) == (0, count)


def test_a_query_goes_on_after_its_cursor_until_all_is_seen(run: Run, home_path: Path, made: dict[str, Any]) -> None:
    first = run("audit", "query", "--limit", "5", "--clip", made["clip_id"], "--home", home_path, "--json")
    cursor = first.err.rsplit(" ", 1)[-1].strip()
    rest = run(
        "audit", "query", "--limit", "5", "--clip", made["clip_id"], "--after", cursor, "--home", home_path, "--json"
    )

    assert len({event["seq"] for event in first.objects + rest.objects}) == 9


def test_a_query_is_itself_an_event(run: Run, home_path: Path) -> None:
    run("audit", "query", "--home", home_path)

    ended = run("audit", "query", "--type", "audit.queried", "--home", home_path, "--json")
    assert ended.objects[0]["facts"]["command"] == "query"


@pytest.mark.parametrize(
    "options",
    [("--since", "yesterday"), ("--limit", "0"), ("--limit", "100000"), ("--after", "nonsense"), ("--text", "")],
)
def test_an_impossible_query_is_one_clear_line_and_exit_code_2(
    run: Run, home_path: Path, options: tuple[str, ...]
) -> None:
    ended = run("audit", "query", *options, "--home", home_path)

    assert (ended.code, len(ended.err.splitlines())) == (2, 1)


def test_an_untouched_log_is_whole(run: Run, home_path: Path, made: dict[str, Any]) -> None:
    ended = run("audit", "verify", "--home", home_path, "--json")

    assert ended.code == 0
    assert {"ok", "size", "root", "checkpoint", "first_bad_seq", "first_bad_column", "reason"} <= set(ended.object)
    assert ended.object["ok"] is True


@pytest.mark.parametrize(
    ("statement", "seq"),
    [
        ("UPDATE event SET desk = 'sports' WHERE seq = 2", 2),
        ("UPDATE event SET body = CAST(replace(body, 'testcard', 'testcurd') AS BLOB) WHERE seq = 3", 3),
        ("DELETE FROM event WHERE seq = 1", 1),
        ("DELETE FROM event WHERE seq >= 7", 7),
    ],
)
def test_a_changed_log_ends_with_5_and_names_the_first_wrong_event(
    run: Run, home_path: Path, made: dict[str, Any], statement: str, seq: int
) -> None:
    tamper(home_path, statement)

    ended = run("audit", "verify", "--home", home_path, "--json")

    assert ended.code == 5
    assert ended.object["ok"] is False
    assert ended.object["first_bad_seq"] == seq


def test_a_log_whose_guards_were_removed_is_not_used(run: Run, home_path: Path) -> None:
    connection = sqlite3.connect(home_path / "ledger.sqlite3")
    (name,) = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchone()
    connection.execute(f"DROP TRIGGER {name}")
    connection.commit()
    connection.close()

    ended = run("audit", "query", "--home", home_path)

    assert (ended.code, len(ended.err.splitlines())) == (5, 1)


def test_a_receipt_is_the_one_beside_the_clip(run: Run, home_path: Path, made: dict[str, Any]) -> None:
    ended = run("audit", "receipt", made["clip_id"], "--home", home_path)

    assert ended.code == 0
    assert ended.out.splitlines()[0] == Path(made["receipt"]).read_text().splitlines()[0]


def test_a_check_since_a_receipt_reads_what_came_after_it(
    run: Run, home_path: Path, made: dict[str, Any], tmp_path: Path
) -> None:
    kept = tmp_path / "kept.tlog-proof"
    kept.write_text(run("audit", "receipt", made["clip_id"], "--home", home_path, "--json").objects[0]["receipt"])

    ended = run("audit", "verify", "--since", kept, "--home", home_path)

    assert ended.code == 0
    assert "continues the one given, and is whole from event 0 on" in ended.out


def test_a_copy_of_the_log_is_what_a_later_check_is_held_to(
    run: Run, home_path: Path, made: dict[str, Any], tmp_path: Path
) -> None:
    copied = run("audit", "tiles", tmp_path / "copy", "--home", home_path, "--json")
    again = run("audit", "tiles", tmp_path / "copy", "--home", home_path)
    checked = run("audit", "verify", "--against", tmp_path / "copy", "--home", home_path)

    assert (copied.code, again.code, checked.code) == (0, 0, 0)
    assert copied.objects[0]["size"] == copied.objects[0]["added"] > 0
    assert "1 of them new" in again.out
