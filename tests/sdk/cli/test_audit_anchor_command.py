"""`audit anchor`, `anchors list`, and what `audit verify` reads back, run as a user runs them."""

import json
import shutil
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cli_session import Run
from object_store import Store, open_object_store
from time_authority import Authority, open_time_authority


@pytest.fixture
def worm(tmp_path: Path) -> Path:
    """A directory elsewhere."""
    folder = tmp_path / "worm"
    folder.mkdir()
    return folder


@pytest.fixture
def backup(home_path: Path, tmp_path: Path) -> Path:
    """The home as it was at the beginning."""
    return Path(shutil.copytree(home_path, tmp_path / "backup"))


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    """A real S3 server on the loopback address."""
    with open_object_store() as running:
        yield running


@pytest.fixture(scope="module")
def authority() -> Iterator[Authority]:
    """A time-stamp authority on the loopback address."""
    with open_time_authority(datetime.now(UTC)) as running:
        yield running


def configure(home: Path, *places: str, endpoint: str = "") -> None:
    config = home / "platemark.toml"
    text = config.read_text("utf-8").replace(
        "places = []", f'places = {json.dumps(places)}\ns3_endpoint = "{endpoint}"'
    )
    config.write_text(text, "utf-8")


def put_back(home: Path, backup: Path) -> None:
    """Restore the home as a whole, its configuration excepted."""
    config = (home / "platemark.toml").read_bytes()
    shutil.rmtree(home)
    shutil.copytree(backup, home)
    (home / "platemark.toml").write_bytes(config)


def test_a_head_is_left_and_listed_and_read_back(run: Run, home_path: Path, worm: Path) -> None:
    left = run("audit", "anchor", worm, "--home", home_path, "--json").object
    listed = run("audit", "anchors", "list", "--home", home_path, "--json").object
    verified = run("audit", "verify", "--home", home_path)

    assert (left["kind"], left["place"], left["ok"]) == ("directory", str(worm), True)
    assert (listed["size"], listed["place"]) == (left["size"], str(worm))
    assert verified.code == 0
    assert f"{worm} confirms the log up to event {left['size']}" in verified.out


def test_what_was_left_where_stands_in_the_log(run: Run, home_path: Path, worm: Path) -> None:
    run("audit", "anchor", worm, "--home", home_path, "--actor", "night-desk")

    event = run("audit", "query", "--type", "checkpoint.anchored", "--home", home_path, "--json").object

    assert event["facts"]["place"] == str(worm)
    assert event["actor_name"] == "night-desk"


def test_a_home_that_was_put_back_is_found_by_its_anchor(run: Run, home_path: Path, worm: Path, backup: Path) -> None:
    configure(home_path, str(worm))
    run("audit", "query", "--home", home_path)
    run("audit", "anchor", "--home", home_path)
    put_back(home_path, backup)

    verified = run("audit", "verify", "--home", home_path)
    told = run("audit", "verify", "--home", home_path, "--json").object
    again = run("audit", "anchor", "--home", home_path)

    assert verified.code == 5
    assert f"ALARM: {worm} does not have this log: A tree of" in verified.out
    assert (told["ok"], told["anchors"][0]["state"]) == (False, "objects")
    assert again.code == 5
    assert len(list(worm.rglob("*.checkpoint"))) == 1


def test_a_copy_that_was_tampered_with_is_found(run: Run, home_path: Path, worm: Path, backup: Path) -> None:
    configure(home_path, str(worm))
    run("audit", "anchor", "--home", home_path)
    put_back(home_path, backup)
    for _ in range(4):
        run("audit", "query", "--limit", "1", "--home", home_path)
    (copy,) = worm.rglob("*.checkpoint")
    note = copy.read_text("utf-8")
    copy.chmod(0o644)
    copy.write_text(note.replace("\n\n—", "\n\n— ", 1), "utf-8")

    verified = run("audit", "verify", "--home", home_path)

    assert verified.code == 5


def test_copies_that_vanished_are_an_alarm(run: Run, home_path: Path, worm: Path) -> None:
    run("audit", "anchor", worm, "--home", home_path)
    shutil.rmtree(next(worm.iterdir()))

    verified = run("audit", "verify", "--home", home_path)

    assert verified.code == 5
    assert "are gone" in verified.out


def test_a_share_that_is_not_mounted_is_no_alarm(run: Run, home_path: Path, worm: Path) -> None:
    run("audit", "anchor", worm, "--home", home_path)
    shutil.rmtree(worm)

    verified = run("audit", "verify", "--home", home_path)
    again = run("audit", "anchor", worm, "--home", home_path)

    assert verified.code == 0
    assert "could not be asked" in verified.err
    assert again.code == 1
    assert "keeps nothing new" in again.err


def test_one_place_that_fails_does_not_keep_the_others_from_it(run: Run, home_path: Path, worm: Path) -> None:
    ended = run("audit", "anchor", worm / "none", worm, "--home", home_path, "--json")

    assert [each["ok"] for each in ended.objects] == [False, True]
    assert ended.code == 1


def test_a_locked_bucket_keeps_the_head_and_finds_a_rollback(
    run: Run, home_path: Path, backup: Path, store: Store
) -> None:
    configure(home_path, "s3://worm/cli", endpoint=store.endpoint)
    run("audit", "query", "--home", home_path)
    left = run("audit", "anchor", "--home", home_path)
    whole = run("audit", "verify", "--home", home_path)
    put_back(home_path, backup)
    offline = run("audit", "verify", "--offline", "--home", home_path)
    asked = run("audit", "verify", "--home", home_path)

    assert (left.code, whole.code, offline.code, asked.code) == (0, 0, 0, 5)
    assert "ALARM: s3://worm/cli" in asked.out


def test_a_bucket_without_a_lock_is_refused(run: Run, home_path: Path, store: Store) -> None:
    configure(home_path, "s3://soft/cli", endpoint=store.endpoint)

    ended = run("audit", "anchor", "--home", home_path)

    assert ended.code == 1
    assert "does not lock" in ended.err


def test_a_time_stamp_is_had_and_checked_with_a_root_that_is_trusted(
    run: Run, home_path: Path, authority: Authority, tmp_path: Path
) -> None:
    root = tmp_path / "time.pem"
    root.write_bytes(authority.root_pem)
    untrusted = run("audit", "anchor", authority.url, "--home", home_path)
    run("trust", "add", root, "--kind", "tsa", "--home", home_path)
    trusted = run("audit", "anchor", authority.url, "--home", home_path)
    verified = run("audit", "verify", "--home", home_path, "--json").object

    assert (untrusted.code, trusted.code) == (1, 0)
    assert "platemark trust add" in untrusted.err
    assert [(each["kind"], each["state"]) for each in verified["anchors"]] == [("timestamp", "kept")]
    assert datetime.fromisoformat(verified["anchors"][0]["at"]).tzinfo is not None


def test_a_package_that_is_missing_is_named(run: Run, home_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "obstore", None)
    monkeypatch.delitem(sys.modules, "platemark_provenance.anchoring.bucket", raising=False)

    ended = run("audit", "anchor", "s3://worm/cli", "--home", home_path)

    assert ended.code == 1
    assert "platemark[anchors]" in ended.err


@pytest.mark.parametrize("place", ["ftp://x/y", "s3://", "https://", "https://me:pw@tsa.example/", "https://a b"])
def test_what_is_no_place_is_refused(run: Run, home_path: Path, place: str) -> None:
    assert run("audit", "anchor", place, "--home", home_path).code == 2


def test_without_a_place_the_command_says_how_to_name_one(run: Run, home_path: Path) -> None:
    ended = run("audit", "anchor", "--home", home_path)

    assert ended.code == 2
    assert "[anchors] places" in ended.err


def test_a_list_of_anchors_reads_korean(run: Run, home_path: Path, worm: Path) -> None:
    run("audit", "anchor", worm, "--home", home_path)

    assert "장소" in run("audit", "anchors", "list", "--home", home_path, "--lang", "ko").out


@pytest.mark.parametrize("place", ["", "https://tsa.example:99999/tsr", "ftp://a.example/x"])
def test_what_is_no_place_is_a_wrong_use_of_the_command(
    run: Run, home_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.chdir(tmp_path)

    ended = run("audit", "anchor", place, "--home", home_path)

    assert (ended.code, ended.out) == (2, "")
    assert "A place is a directory" in ended.err
    assert not list(tmp_path.glob("*/*.checkpoint"))


def test_a_missing_directory_is_told_in_korean(run: Run, home_path: Path, tmp_path: Path) -> None:
    ended = run("audit", "anchor", tmp_path / "away", "--home", home_path, "--lang", "ko")

    assert ended.code == 1
    assert "폴더가 없습니다" in ended.err
    assert "There is no" not in ended.err
