"""`platemark trust` and `platemark withdraw`, each as its user meets it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cli_session import Run

from platemark import cli
from platemark.homes.home import init


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make sure that both commands are in the table of commands."""
    monkeypatch.setitem(cli.COMMANDS, "trust", "platemark.cli.trust:app")
    monkeypatch.setitem(cli.COMMANDS, "withdraw", "platemark.cli.withdraw:withdraw")


@pytest.fixture
def stranger_root(tmp_path: Path) -> Path:
    """The root of another newsroom."""
    return init(tmp_path / "stranger", organisation="Stranger").keys / "root.pem"


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A home that knows nothing of the clip's."""
    return init(tmp_path / "elsewhere").path


def axes_of(run: Run, clip: dict[str, Any], home: Path) -> dict[str, str]:
    found: dict[str, str] = run("verify", clip["path"], "--home", home, "--json").object["axes"]
    return found


@pytest.mark.parametrize(
    ("kind", "signer"),
    [("manifest", "trusted"), ("legacy", "legacy_trusted"), ("tsa", "untrusted"), ("cawg", "untrusted")],
)
def test_a_root_that_was_added_serves_its_kind_alone(
    run: Run, home_path: Path, elsewhere: Path, made: dict[str, Any], kind: str, signer: str
) -> None:
    before = axes_of(run, made, elsewhere)["signer"]
    root = home_path / "keys" / "root.pem"

    added = run("trust", "add", root, "--kind", kind, "--name", "them", "--home", elsewhere, "--json")

    assert (added.code, added.object["kind"], added.object["certificates"]) == (0, kind, 1)
    assert (before, axes_of(run, made, elsewhere)["signer"]) == ("untrusted", signer)


def test_a_report_names_the_lists_it_used(run: Run, home_path: Path, elsewhere: Path, made: dict[str, Any]) -> None:
    root = home_path / "keys" / "root.pem"
    run("trust", "add", root, "--name", "them", "--date", "2026-03-14", "--home", elsewhere)

    report = run("verify", made["path"], "--home", elsewhere, "--json").object

    assert [(each["name"], each["snapshot"]) for each in report["trust_lists"]] == [("them", "2026-03-14")]
    assert "them (2026-03-14)" in run("verify", made["path"], "--home", elsewhere).out


def test_a_removed_list_vouches_for_nobody(run: Run, home_path: Path, elsewhere: Path, made: dict[str, Any]) -> None:
    run("trust", "add", home_path / "keys" / "root.pem", "--name", "them", "--home", elsewhere)

    removed = run("trust", "remove", "them", "--home", elsewhere)

    assert removed.code == 0
    assert axes_of(run, made, elsewhere)["signer"] == "untrusted"


def test_the_lists_are_shown_with_age_and_roots(run: Run, home_path: Path, stranger_root: Path) -> None:
    run("trust", "add", stranger_root, "--date", "2026-01-01", "--home", home_path)

    (shown,) = run("trust", "list", "--home", home_path, "--json").objects

    assert (shown["name"], shown["kind"], shown["snapshot"], shown["expired"]) == ("root", "manifest", "2026-01-01", 0)
    assert shown["age_days"] == (datetime.now(UTC).date() - datetime(2026, 1, 1).date()).days
    assert "Stranger" in shown["roots"][0]["subject"]


def test_an_old_list_is_called_old(run: Run, home_path: Path, stranger_root: Path) -> None:
    run("trust", "add", stranger_root, "--date", "2020-01-01", "--home", home_path)

    assert "is old" in run("trust", "list", "--home", home_path).err


def test_no_lists_are_said_to_be_none(run: Run, home_path: Path) -> None:
    ended = run("trust", "list", "--home", home_path)

    assert (ended.code, ended.out) == (0, "")
    assert "own root" in ended.err


def test_importing_says_what_came_and_went(run: Run, home_path: Path, stranger_root: Path) -> None:
    options = ("--name", "c2pa", "--home", home_path, "--json")
    run("trust", "import", home_path / "keys" / "root.pem", *options)

    again = run("trust", "import", stranger_root, *options).object

    assert (len(again["added"]), len(again["removed"])) == (1, 1)
    assert "Stranger" in again["added"][0]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("add", "nowhere.pem"), 5),
        (("add", "ROOT", "--kind", "signer"), 2),
        (("add", "ROOT", "--name", "../keys/root"), 2),
        (("add", "ROOT", "--date", "yesterday"), 2),
        (("add", "ROOT", "--date", (datetime.now(UTC) + timedelta(days=3)).date().isoformat()), 2),
        (("add", "LEAF"), 5),
        (("add", "KEY"), 5),
        (("remove", "nowhere"), 5),
    ],
)
def test_what_cannot_be_trusted_is_one_clear_line_and_changes_nothing(
    run: Run, home_path: Path, words: tuple[str, ...], code: int
) -> None:
    keys = home_path / "keys"
    files = {"ROOT": keys / "root.pem", "LEAF": keys / "signing.chain.pem", "KEY": keys / "root.key"}

    ended = run("trust", *(files.get(word, word) for word in words), "--home", home_path)

    assert (ended.code, len(ended.err.splitlines())) == (code, 1)
    assert "PRIVATE" not in ended.err
    assert not (home_path / "trust").exists()


def test_a_list_changed_by_hand_stops_verdicts_with_how_to_mend_it(
    run: Run, home_path: Path, made: dict[str, Any], stranger_root: Path
) -> None:
    run("trust", "add", stranger_root, "--home", home_path)
    with (home_path / "trust" / "root.pem").open("ab") as file:
        file.write(b"\n")

    ended = run("verify", made["path"], "--home", home_path)

    assert (ended.code, ended.out) == (5, "")
    assert "platemark trust remove root" in ended.err


# Taking clips back


def test_a_withdrawn_clip_says_so_from_then_on(run: Run, home_path: Path, made: dict[str, Any]) -> None:
    done = run("withdraw", made["path"], "--reason", "Wrong date", "--home", home_path, "--json")
    report = run("verify", made["path"], "--home", home_path, "--json").object

    assert (done.code, done.object["clip_id"], done.object["already"]) == (0, made["clip_id"], False)
    assert report["withdrawn"] == done.object["withdrawn"]
    assert report["withdrawn"]["reason"] == "Wrong date"
    assert datetime.fromisoformat(report["withdrawn"]["date"]).tzinfo is not None


def test_people_see_at_once_that_a_clip_is_withdrawn(run: Run, home_path: Path, made: dict[str, Any]) -> None:
    run("withdraw", made["clip_id"], "--reason", "틀린 날짜", "--home", home_path)

    ended = run("verify", made["path"], "--home", home_path, "--lang", "ko")

    assert "TRUSTED, 철회됨" in ended.out.splitlines()[0]
    assert "밝힌 이유: 틀린 날짜" in ended.out


def test_withdrawing_again_changes_nothing(run: Run, home_path: Path, made: dict[str, Any]) -> None:
    run("withdraw", made["clip_id"], "--reason", "first", "--home", home_path)

    again = run("withdraw", made["clip_id"], "--reason", "second", "--home", home_path, "--json")

    assert (again.code, again.object["already"], again.object["withdrawn"]["reason"]) == (0, True, "first")


def test_a_withdrawal_is_in_the_log(run: Run, home_path: Path, made: dict[str, Any]) -> None:
    run("withdraw", made["clip_id"], "--reason", "Wrong date", "--actor", "jw.kim", "--home", home_path)

    (event,) = run("audit", "query", "--type", "clip.withdrawn", "--home", home_path, "--json").objects

    assert (event["clip"], event["actor_name"], event["facts"]) == (made["clip_id"], "jw.kim", {"reason": "Wrong date"})


@pytest.mark.parametrize(
    "words", [("nowhere", "--reason", "x"), ("CLIP", "--reason", " "), ("CLIP", "--reason", "x" * 201), ("CLIP",)]
)
def test_what_cannot_be_withdrawn_is_refused(
    run: Run, home_path: Path, made: dict[str, Any], words: tuple[str, ...]
) -> None:
    given = (made["clip_id"] if word == "CLIP" else word for word in words)

    ended = run("withdraw", *given, "--home", home_path)

    assert (ended.code, len(ended.err.splitlines())) == (2, 1)


def test_a_change_of_trust_is_in_the_ledger_with_who_asked(run: Run, home_path: Path, stranger_root: Path) -> None:
    ended = run("trust", "add", stranger_root, "--actor", "jw.kim", "--home", home_path)

    told = run("audit", "query", "--type", "trust.changed", "--actor", "jw.kim", "--home", home_path, "--json")
    assert (ended.code, len(told.objects)) == (0, 1)
