"""`platemark policy consent|rights` and who may put a pack in force, each as an editor meets it."""

import re
import shutil
from pathlib import Path

import pytest
from cli_session import Ended, Run

import platemark_policy
from platemark.homes.home import open_home

STRICT = Path(platemark_policy.__file__).parent / "packs" / "strict.yaml"
BY = ("--as", "editor", "--reason", "form 12", "--until", "2099-12-31")


def events(home: Path, kind: str) -> list[str | None]:
    with open_home(home).open_ledger() as ledger:
        return [event.actor_name for event in ledger.query(type=kind)]


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.jpg"
    path.write_bytes(b"a picture")
    return path


def add(run: Run, home: Path, *words: str | Path) -> Ended:
    return run("policy", "consent", "add", *words, *BY, "--home", home, "--json")


def test_a_consent_is_added_listed_and_withdrawn(run: Run, home_path: Path) -> None:
    added = add(run, home_path, "--person", "Angela Merkel", "--person", "메르켈")
    listed = run("policy", "consent", "list", "--home", home_path, "--json")
    ended = run(
        "policy", "consent", "withdraw", added.object["record"], "--as", "editor", "--reason", "asked",
        "--home", home_path, "--json",
    )  # fmt: skip

    assert (added.code, added.object["state"], added.object["scope"]) == (0, "standing", "likeness")
    assert listed.object["person"] == ["Angela Merkel", "메르켈"]
    assert (ended.code, ended.object["state"]) == (0, "withdrawn")
    assert events(home_path, "record.added") == ["editor"]


def test_rights_are_recorded_for_the_bytes_of_a_file(run: Run, home_path: Path, photo: Path) -> None:
    added = run("policy", "rights", "add", "--file", photo, "--document", photo, *BY, "--home", home_path, "--json")

    assert added.code == 0
    assert added.object["files"] == [added.object["document"]]
    assert run("policy", "consent", "list", "--home", home_path, "--json").objects == []
    assert len(run("policy", "rights", "list", "--home", home_path, "--json").objects) == 1


def test_people_read_a_table_in_their_language(run: Run, home_path: Path) -> None:
    add(run, home_path, "--person", "홍길동")

    shown = run("policy", "consent", "list", "--home", home_path, "--lang", "ko")

    assert "홍길동" in shown.out + shown.err
    assert "유효" in shown.out + shown.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--person", "Hong", "--scope", "all"), "scope"),
        (("--file", "gone.jpg"), "not a file"),
        ((), "a person or a file"),
        (("--person", "?"), "name"),
    ],
)
def test_a_consent_that_says_nothing_is_refused(run: Run, home_path: Path, words: tuple[str, ...], said: str) -> None:
    ended = add(run, home_path, *words)

    assert ended.code != 0
    assert said in ended.err
    assert events(home_path, "record.added") == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("consent", "add", "--person", "홍길동"), "until 2099-12-31."),
        (("rights", "add", "--file", "{photo}"), "until 2099-12-31."),
        (("consent", "add", "--person", "홍길동", "--lang", "ko"), "2099-12-31까지."),
    ],
)
def test_people_are_told_what_was_recorded_and_until_when(
    run: Run, home_path: Path, photo: Path, words: tuple[str, ...], said: str
) -> None:
    ended = run("policy", *(word.format(photo=photo) for word in words), *BY, "--home", home_path)

    assert (ended.code, ended.err) == (0, "")
    assert "record-" in ended.out
    assert said in ended.out


def test_a_record_of_the_other_kind_is_not_withdrawn_by_mistake(run: Run, home_path: Path) -> None:
    record = add(run, home_path, "--person", "Hong").object["record"]

    ended = run("policy", "rights", "withdraw", record, "--as", "e", "--reason", "over", "--home", home_path)

    assert ended.code == 2
    assert "policy consent withdraw" in ended.err
    assert events(home_path, "record.withdrawn") == []


@pytest.mark.parametrize(
    ("by", "said"),
    [
        (("--as", " ", "--reason", "form 12"), "--as"),
        (("--as", "editor", "--reason", "form \udcff"), "no text"),
        (("--as", "editor", "--reason", "…"), "reason"),
    ],
)
def test_who_keeps_a_record_and_why_has_to_be_readable(
    run: Run, home_path: Path, by: tuple[str, ...], said: str
) -> None:
    ended = run("policy", "consent", "add", "--person", "Hong", *by, "--until", "2099-12-31", "--home", home_path)

    assert ended.code == 3
    assert said in ended.err
    assert events(home_path, "record.added") == []


@pytest.mark.parametrize(
    "words",
    [
        ("add", "--person", "Hong", "--scope", "all", *BY),
        ("add", "--person", "?", *BY),
        ("add", "--person", "Hong\udcff", *BY),
        ("add", *BY),
        ("add", "--person", "Hong", *BY[:4], "--until", "2020-01-01"),
        ("add", "--person", "Hong", *BY[:4], "--until", "soon"),
        ("add", *["--person=Hong"] * 21, *BY),
        ("withdraw", "record-x", *BY[:4]),
    ],
)
def test_what_is_wrong_with_a_record_is_said_in_korean(run: Run, home_path: Path, words: tuple[str, ...]) -> None:
    ended = run("policy", "consent", *words, "--home", home_path, "--lang", "ko")

    assert ended.code != 0
    assert "니다" in ended.err
    assert not re.search(r"[A-Za-z]{3,} [a-z]{2,} [a-z]{2,} [a-z]{2,}", ended.err.replace("platemark policy", ""))


@pytest.mark.parametrize("day", ["tomorrow", "2026-13-01", "2020-01-01"])
def test_a_record_needs_a_day_to_come(run: Run, home_path: Path, day: str) -> None:
    ended = run(
        "policy", "consent", "add", "--person", "Hong", "--as", "e", "--reason", "r", "--until", day,
        "--home", home_path,
    )  # fmt: skip

    assert ended.code != 0
    assert "--until" in ended.err


def test_a_record_that_is_not_there_is_named(run: Run, home_path: Path) -> None:
    ended = run("policy", "rights", "withdraw", "record-x", "--as", "e", "--reason", "r", "--home", home_path)

    assert ended.code != 0
    assert "record-x" in ended.err


def install(run: Run, home: Path, tmp_path: Path, *words: str) -> Ended:
    pack = Path(shutil.copy(STRICT, tmp_path / "strict.yaml"))
    run("policy", "sign", pack, "--home", home)
    return run("policy", "install", pack, *words, "--home", home, "--json")


def test_putting_a_pack_in_force_is_logged_with_its_digest(run: Run, home_path: Path, tmp_path: Path) -> None:
    done = install(run, home_path, tmp_path, "--as", "standards")

    with open_home(home_path).open_ledger() as ledger:
        (event,) = ledger.query(type="policy.changed")
    assert done.code == 0
    assert (event.actor_name, event.facts["sha256"]) == ("standards", done.object["sha256"])
    assert event.facts["permissive"] is False


@pytest.mark.parametrize("words", [(), ("--as", "intern")])
def test_only_installers_put_packs_in_force_where_they_are_named(
    run: Run, home_path: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    config = home_path / "platemark.toml"
    config.write_text(config.read_text("utf-8").replace("installers = []", 'installers = ["standards"]'), "utf-8")

    ended = install(run, home_path, tmp_path, *words)

    assert ended.code == 3
    assert "installers" in ended.err
    assert events(home_path, "policy.changed") == []


def test_a_pack_that_is_refused_is_not_logged(run: Run, home_path: Path, tmp_path: Path) -> None:
    install(run, home_path, tmp_path)
    broken = tmp_path / "strict.yaml"
    broken.write_text(broken.read_text("utf-8").replace("id: strict", "id: strict2"), "utf-8")

    ended = run("policy", "install", broken, "--home", home_path)

    assert ended.code != 0
    assert events(home_path, "policy.changed") == [None]
