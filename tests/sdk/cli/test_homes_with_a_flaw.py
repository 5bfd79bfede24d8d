"""One flaw in a home, a clip asked for: one line that says what is wrong, the right exit code, no half-made clip."""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cli_session import Ended, Run

from platemark.config import CONFIG_NAME
from platemark.homes.home import init, open_home
from platemark_provenance.pki import create_development_pki

PROMPT = "a calm blue sea at sunset"
QUICK = ("--model", "testcard", "--seconds", "0.5", "--size", "256x256", "--seed", "7")
KEYS = ("signing.key", "signing.chain.pem", "root.pem", "watermark.key", "payload.key", "ledger.key")


@pytest.fixture
def ask(run: Run, home_path: Path, tmp_path: Path) -> Callable[..., Ended]:
    """Ask for a clip, `clip.mp4`."""
    return lambda *more: run("generate", PROMPT, *QUICK, "--out", tmp_path / "clip.mp4", "--home", home_path, *more)


@pytest.fixture(scope="session")
def other_keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The keys of another newsroom. Read only."""
    return init(tmp_path_factory.mktemp("elsewhere") / "newsroom", organisation="Evening Example").keys


def certify(home: Path, *, since: timedelta) -> None:
    made = create_development_pki("Daily Example", now=datetime.now(UTC) - since)
    files = {"root.pem": made.root_pem, "signing.chain.pem": made.leaf_chain_pem, "signing.key": made.leaf_key_pem}
    for name, content in files.items():
        (home / "keys" / name).write_bytes(content)


def everything_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name != "newsroom")


def logged(home: Path) -> int:
    with open_home(home).open_ledger() as ledger:
        return ledger.head().size


def is_settled(home: Path) -> bool:
    """Say whether the ledger is whole and no job stands open in it."""
    with open_home(home).open_ledger() as ledger:
        return ledger.verify().ok and ledger.registry.open_outputs() == () and ledger.registry.issued_marks() == ()


@pytest.mark.parametrize("name", KEYS)
def test_a_key_file_that_is_gone_is_named_in_one_line(
    ask: Callable[..., Ended], home_path: Path, tmp_path: Path, name: str
) -> None:
    (home_path / "keys" / name).unlink()

    ended = ask()

    assert ended.code in (1, 2)
    assert len(ended.err.splitlines()) == 1
    assert name in ended.err
    assert everything_in(tmp_path) == []


@pytest.mark.parametrize("name", KEYS)
def test_a_garbled_key_file_is_one_line_that_never_shows_what_is_in_it(
    ask: Callable[..., Ended], home_path: Path, tmp_path: Path, name: str
) -> None:
    (home_path / "keys" / name).write_bytes(b"5ecret-but-not-a-key")

    ended = ask("--json")

    assert ended.code != 0
    assert len(ended.err.splitlines()) == 1
    assert "5ecret" not in ended.err + ended.out
    assert everything_in(tmp_path) == []


@pytest.mark.parametrize("name", ["signing.key", "watermark.key", "payload.key", "ledger.key"])
def test_a_key_file_that_others_may_read_is_refused_with_the_command_that_mends_it(
    ask: Callable[..., Ended], home_path: Path, tmp_path: Path, name: str
) -> None:
    (home_path / "keys" / name).chmod(0o640)

    ended = ask()

    assert (ended.code, len(ended.err.splitlines())) == (1, 1)
    assert f"chmod 600 {home_path / 'keys' / name}" in ended.err
    assert everything_in(tmp_path) == []


@pytest.mark.parametrize("name", ["signing.key", "signing.chain.pem", "root.pem"])
def test_a_signing_file_of_another_newsroom_publishes_nothing_and_settles_its_job(
    ask: Callable[..., Ended], home_path: Path, tmp_path: Path, other_keys: Path, name: str
) -> None:
    shutil.copy(other_keys / name, home_path / "keys" / name)

    ended = ask()

    assert (ended.code, len(ended.err.splitlines())) == (1, 1)
    assert everything_in(tmp_path) == []
    assert is_settled(home_path)


def test_a_ledger_key_of_another_newsroom_publishes_nothing(
    ask: Callable[..., Ended], run: Run, home_path: Path, tmp_path: Path, other_keys: Path
) -> None:
    run("generate", PROMPT, *QUICK, "--out", tmp_path / "before.mp4", "--home", home_path)
    shutil.copy(other_keys / "ledger.key", home_path / "keys" / "ledger.key")

    ended = ask()

    assert ended.code == 5
    assert len(ended.err.splitlines()) == 1
    assert everything_in(tmp_path) == ["before.mp4", "before.mp4.tlog-proof"]


@pytest.mark.parametrize("days", [500, -400], ids=["expired", "not_yet_valid"])
def test_a_certificate_out_of_its_time_publishes_nothing(
    ask: Callable[..., Ended], home_path: Path, tmp_path: Path, days: int
) -> None:
    certify(home_path, since=timedelta(days=days))

    ended = ask()

    assert (ended.code, len(ended.err.splitlines())) == (1, 1)
    assert everything_in(tmp_path) == []
    assert is_settled(home_path)


def test_a_certificate_that_is_about_to_expire_still_signs(
    ask: Callable[..., Ended], run: Run, home_path: Path, tmp_path: Path
) -> None:
    certify(home_path, since=timedelta(days=350))

    assert ask().code == 0
    assert run("verify", tmp_path / "clip.mp4", "--home", home_path).code == 0


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (lambda home: (home / CONFIG_NAME).unlink(), "half-made"),
        (lambda home: (home / CONFIG_NAME).write_text("format = 2\n"), "format 2"),
        (lambda home: (home / CONFIG_NAME).write_text("[label]\nlangauge = 'ko'\n"), "label.language"),
        (lambda home: (home / CONFIG_NAME).write_text("[generation]\nseconds = -1\n"), "generation.seconds"),
        (lambda home: (home / CONFIG_NAME).write_bytes(b"\xff\xfe"), "not valid TOML"),
        (lambda home: (home / "keys").chmod(0o750), "chmod 700"),
        (lambda home: shutil.rmtree(home / "keys"), "backup"),
        (lambda home: shutil.rmtree(home), "platemark init"),
        (lambda home: (shutil.rmtree(home), home.mkdir()), "platemark init"),
        (lambda home: (shutil.rmtree(home), home.write_text("a file")), "platemark init"),
    ],
    ids=[
        "half_made",
        "newer",
        "misspelt",
        "impossible",
        "not_text",
        "exposed",
        "no_keys",
        "gone",
        "empty",
        "a_file",
    ],
)
def test_a_home_that_is_not_one_is_one_line_and_exit_code_2(
    ask: Callable[..., Ended], home_path: Path, tmp_path: Path, harm: Callable[[Path], object], words: str
) -> None:
    harm(home_path)

    ended = ask()

    assert (ended.code, len(ended.err.splitlines())) == (2, 1)
    assert words in ended.err
    assert everything_in(tmp_path) == []


def test_a_job_directory_that_is_gone_is_made_again(ask: Callable[..., Ended], home_path: Path) -> None:
    shutil.rmtree(home_path / "jobs")

    assert ask().code == 0


def test_a_file_in_place_of_the_job_directory_is_one_line(
    ask: Callable[..., Ended], home_path: Path, tmp_path: Path
) -> None:
    shutil.rmtree(home_path / "jobs")
    (home_path / "jobs").write_text("not a directory")

    ended = ask()

    assert ended.code in (1, 2)
    assert len(ended.err.splitlines()) == 1
    assert everything_in(tmp_path) == []


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('pack = "gone.yaml"', "gone.yaml"),
        ('pack = "../newsroom/platemark.toml"', "platemark.toml"),
    ],
)
def test_a_rule_pack_that_cannot_be_read_is_one_line_before_anything_is_logged(
    ask: Callable[..., Ended], home_path: Path, tmp_path: Path, line: str, words: str
) -> None:
    path = home_path / CONFIG_NAME
    path.write_text(path.read_text().replace('pack = ""', line))
    before = logged(home_path)

    ended = ask()

    assert (ended.code, len(ended.err.splitlines())) == (2, 1)
    assert words in ended.err
    assert logged(home_path) == before


def test_a_configured_root_that_is_gone_publishes_nothing(
    ask: Callable[..., Ended], home_path: Path, tmp_path: Path
) -> None:
    path = home_path / CONFIG_NAME
    path.write_text(path.read_text().replace("anchors = []", 'anchors = ["partner.pem"]'))

    ended = ask()

    assert (ended.code, len(ended.err.splitlines())) == (2, 1)
    assert "partner.pem" in ended.err
    assert everything_in(tmp_path) == []


def test_a_home_whose_making_was_cut_off_in_the_database_is_finished_by_the_same_command(
    run: Run, home_path: Path
) -> None:
    # What a kill in the middle of the first migration leaves: an empty database and SQLite's rollback journal.
    (home_path / CONFIG_NAME).unlink()
    (home_path / "ledger.sqlite3").write_bytes(b"")
    (home_path / "ledger.sqlite3-journal").write_bytes(b"")

    ended = run("init", home_path, "--json")

    assert ended.code == 0, ended.err
    assert ended.object["created"] is True


@pytest.mark.parametrize("organisation", ["가" * 30, "é" * 64, "x" * 62 + "  ", " " * 64 + "x"])
def test_a_publishers_name_is_taken_whole_or_refused_in_one_line_with_nothing_made(
    run: Run, tmp_path: Path, organisation: str
) -> None:
    ended = run("init", tmp_path / "news", "--org", organisation, "--json")

    # A name that fits 64 characters makes a home; any other is refused before the directory is touched.
    assert "internal error" not in ended.err
    assert ended.code in (0, 2)
    assert (tmp_path / "news").exists() == (ended.code == 0)


@pytest.mark.parametrize("where", ["/proc/newsroom", "/dev/null", "/dev/null/newsroom"])
def test_a_home_that_cannot_be_made_there_is_one_line_and_exit_code_2(run: Run, where: str) -> None:
    ended = run("init", where)

    assert (ended.code, len(ended.err.splitlines())) == (2, 1)
