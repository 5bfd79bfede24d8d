"""`platemark audit erase` and `hold`, as a data-protection officer meets them."""

from pathlib import Path
from typing import Any

import pytest
from cli_session import Run


def test_a_person_is_erased_and_the_log_still_verifies(run: Run, home_path: Path, made: dict[str, Any]) -> None:
    ended = run("audit", "erase", "jw.kim", "--reason", "request 17", "--actor", "dpo", "--home", home_path, "--json")

    assert (ended.code, ended.object["payloads"], ended.object["log_emptied"]) == (0, 1, True)
    assert run("audit", "verify", "--against", made["receipt"], "--home", home_path).code == 0
    trace = run("audit", "trace", made["clip_id"], "--home", home_path, "--json")
    assert trace.objects[0]["sealed_state"] == "erased"
    assert trace.objects[0]["actor_name"] is None


def test_nothing_of_the_person_is_left_in_the_home(run: Run, home_path: Path, made: dict[str, Any]) -> None:
    run("audit", "erase", "jw.kim", "--reason", "request 17", "--home", home_path)

    left = b"".join(path.read_bytes() for path in home_path.rglob("*") if path.is_file())
    assert b"jw.kim" not in left
    assert b"calm blue sea" not in left


def test_a_held_person_is_refused_with_3_and_erased_after_the_release(
    run: Run, home_path: Path, made: dict[str, Any]
) -> None:
    held = run("audit", "hold", "add", "jw.kim", "--reason", "case 1", "--home", home_path, "--json")
    refused = run("audit", "erase", "jw.kim", "--reason", "request", "--home", home_path)
    listed = run("audit", "hold", "list", "--home", home_path, "--json")
    run("audit", "hold", "release", held.object["hold_id"], "--reason", "closed", "--home", home_path)
    erased = run("audit", "erase", "jw.kim", "--reason", "request", "--home", home_path)

    assert (refused.code, erased.code) == (3, 0)
    assert "case 1" in refused.err
    assert listed.object == held.object


def test_holds_are_listed_for_people_in_korean(run: Run, home_path: Path) -> None:
    run("audit", "hold", "add", "somebody", "--reason", "사건 1", "--home", home_path)

    ended = run("audit", "hold", "list", "--home", home_path, "--lang", "ko", "--zone", "Asia/Seoul")

    assert "사건 1" in ended.out
    assert "당사자" in ended.out


def test_nobody_is_erased_whom_the_log_does_not_know(run: Run, home_path: Path) -> None:
    ended = run("audit", "erase", "nobody", "--reason", "request", "--home", home_path)

    assert (ended.code, len(ended.err.splitlines())) == (2, 1)


def test_an_erasure_needs_a_reason(run: Run, home_path: Path) -> None:
    assert run("audit", "erase", "jw.kim", "--home", home_path).code == 2


def test_copies_made_before_are_named(run: Run, home_path: Path, made: dict[str, Any]) -> None:
    (home_path / "ledger.sqlite3.r0002.backup").write_bytes(b"a copy")

    ended = run("audit", "erase", "jw.kim", "--reason", "request", "--home", home_path)

    assert "r0002.backup" in ended.err


@pytest.fixture
def searchable(home_path: Path) -> Path:
    """A home that keeps a search index."""
    path = home_path / "platemark.toml"
    path.write_text(path.read_text().replace("[ledger]", '[ledger]\nsearch = "on"'))
    return home_path


def test_prompts_are_searched_where_the_home_asks_for_it(run: Run, searchable: Path, made: dict[str, Any]) -> None:
    found = run("audit", "query", "--words", "blue sunset", "--home", searchable, "--json")
    run("audit", "erase", "jw.kim", "--reason", "request", "--home", searchable)
    after = run("audit", "query", "--words", "blue sunset", "--home", searchable, "--json")

    assert [event["clip"] for event in found.objects] == [made["clip_id"]]
    assert after.objects == []


def test_prompts_are_not_searched_by_default(run: Run, home_path: Path, made: dict[str, Any]) -> None:
    assert run("audit", "query", "--words", "blue sunset", "--home", home_path, "--json").objects == []
