"""A ledger that cannot be used: one clear line, the right exit code, nothing half-made, and the file as it was."""

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

import pytest
from cli_session import Run
from hypothesis import example, given, settings
from hypothesis import strategies as st

from platemark.errors import LedgerError, LedgerUnavailable
from platemark.homes.home import open_home
from platemark.progress import JobProgress
from platemark.studio import GenerateOptions, Studio
from platemark_provenance.ledger.store import LedgerSettings

PROMPT = "a calm blue sea at sunset"
QUICK = ("--model", "testcard", "--seconds", "0.5", "--size", "256x256", "--seed", "7")
SHORT: GenerateOptions = {"model": "testcard", "seconds": 0.5, "size": "256x256", "seed": 7}
GENERATE = ("generate", PROMPT, *QUICK, "--out", "{out}")
READING = (("audit", "query"), ("audit", "verify"), ("verify", "{clip}"), ("watermark", "detect", "{clip}"))
WRITING = (GENERATE, ("watermark", "embed", "{clip}", "{out}"))
HOLD_THE_LOCK = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="session")
def used_home(pristine_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home that published one clip, `clip.mp4` beside it. Copy both, never use them."""
    folder = tmp_path_factory.mktemp("used")
    shutil.copytree(pristine_home, folder / "newsroom")
    with Studio.open(folder / "newsroom") as studio:
        studio.generate(PROMPT, **SHORT, out=folder / "clip.mp4")
    return folder / "newsroom"


@pytest.fixture
def home(used_home: Path, tmp_path: Path) -> Path:
    """A copy of the used home, with its clip beside it."""
    shutil.copytree(used_home, tmp_path / "newsroom")
    shutil.copy(used_home.parent / "clip.mp4", tmp_path / "clip.mp4")
    return tmp_path / "newsroom"


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for a locked ledger for a moment only."""
    monkeypatch.setattr(
        "platemark_provenance.ledger.store.LedgerSettings", partial(LedgerSettings, busy_timeout_s=0.05)
    )
    monkeypatch.setattr("platemark_migrations.BUSY_TIMEOUT_S", 0.05)


def words(command: tuple[str, ...], home: Path) -> list[str]:
    named = {"clip": home.parent / "clip.mp4", "out": home.parent / "out.mp4"}
    return [*(word.format(**named) for word in command), "--home", str(home)]


def database(home: Path) -> Path:
    return home / "ledger.sqlite3"


def beside(home: Path) -> list[str]:
    return sorted(path.name for path in home.parent.iterdir())


@contextmanager
def locked_by_another_process(path: Path) -> Iterator[None]:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD_THE_LOCK, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    try:
        assert holder.stdout.readline() == "held\n"
        yield
    finally:
        holder.communicate()


@contextmanager
def locked(path: Path) -> Iterator[None]:
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield


@pytest.mark.usefixtures("impatient")
def test_a_ledger_locked_by_another_process_stops_a_clip_with_one_line(run: Run, home: Path) -> None:
    with locked_by_another_process(database(home)):
        ended = run(*words(GENERATE, home))

    assert (ended.code, len(ended.err.splitlines())) == (1, 1)
    assert "locked by another program" in ended.err
    assert "try again" in ended.err
    assert beside(home) == ["clip.mp4", "newsroom"]


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("command", [*READING, *WRITING, ("db", "upgrade")], ids=lambda command: " ".join(command[:2]))
def test_no_command_hangs_on_or_writes_past_a_lock(run: Run, home: Path, command: tuple[str, ...]) -> None:
    with locked(database(home)):
        ended = run(*words(command, home))

    assert (ended.code, len(ended.err.splitlines())) == (1, 1)
    assert "locked" in ended.err
    assert beside(home) == ["clip.mp4", "newsroom"]


@pytest.mark.usefixtures("impatient")
def test_with_json_the_lock_is_one_error_object(run: Run, home: Path) -> None:
    with locked(database(home)):
        ended = run(*words(("audit", "query", "--json"), home))

    assert ended.object["error"]["type"] == "LedgerUnavailable"
    assert set(ended.object["error"]) == {"type", "message", "fix"}


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("command", [("db", "current"), ("db", "check"), ("policy", "check", "a calm sea")])
def test_what_only_reads_the_schema_goes_on_during_a_lock(run: Run, home: Path, command: tuple[str, ...]) -> None:
    with locked(database(home)):
        assert run(*words(command, home)).code == 0


@pytest.mark.usefixtures("impatient")
def test_the_doctor_says_that_the_ledger_is_locked(run: Run, home: Path) -> None:
    with locked(database(home)):
        ended = run("doctor", "--home", home, "--json")

    red = {check["check"]: check["found"] for check in ended.object["checks"] if not check["ok"]}
    assert ended.code == 1
    assert "locked" in red["ledger"]


def test_a_lock_that_is_given_up_in_time_is_only_a_wait(run: Run, home: Path) -> None:
    with locked_by_another_process(database(home)):
        pass

    assert run(*words(GENERATE, home)).code == 0


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("stage", ["reserve", "render", "screen_frames", "sign", "record"])
def test_a_lock_that_comes_in_the_middle_of_a_clip_leaves_nothing_once_it_is_gone(home: Path, stage: str) -> None:
    taken: list[sqlite3.Connection] = []

    def take_the_lock(progress: JobProgress) -> None:
        if progress.stage == stage:
            taken.append(sqlite3.connect(database(home), isolation_level=None, check_same_thread=False))
            taken[0].execute("BEGIN IMMEDIATE")

    with Studio.open(home) as studio, pytest.raises(LedgerUnavailable, match="locked"):
        studio.generate(PROMPT, **SHORT, out=home.parent / "out.mp4", on_progress=take_the_lock)
    at_once = (home.parent / "out.mp4").exists()
    taken[0].close()
    with Studio.open(home) as studio:
        assert studio.ledger.verify().ok
        assert studio.ledger.registry.open_outputs() == ()

    assert not at_once
    assert beside(home) == ["clip.mp4", "newsroom"]


@pytest.mark.usefixtures("impatient")
def test_a_lock_at_the_very_publication_leaves_a_whole_clip_that_the_next_start_finishes(home: Path) -> None:
    taken: list[sqlite3.Connection] = []

    def take_the_lock(progress: JobProgress) -> None:
        if progress.stage == "publish":
            taken.append(sqlite3.connect(database(home), isolation_level=None, check_same_thread=False))
            taken[0].execute("BEGIN IMMEDIATE")

    with Studio.open(home) as studio, pytest.raises(LedgerUnavailable):
        studio.generate(PROMPT, **SHORT, out=home.parent / "out.mp4", on_progress=take_the_lock)
    taken[0].close()

    with Studio.open(home) as studio:
        # Nothing, or the whole clip with its proof; never a clip that the log knows nothing of.
        assert {leftover.action for leftover in studio.leftovers} <= {"finished", "removed"}
        assert studio.ledger.verify().ok
    assert ("out.mp4" in beside(home)) == ("out.mp4.tlog-proof" in beside(home))


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "zeros": lambda content: bytes(len(content)),
    "text": lambda content: b"this is no database" * 100,
    "half": lambda content: content[: len(content) // 2],
    "one_page": lambda content: content[:4096],
    "schema_overwritten": lambda content: content[:100] + b"\xa5" * 3996 + content[4096:],
    "schema_that_is_no_text": lambda content: content.replace(b"CREATE TABLE e", b"CREATE T\x80BLE e"),
    "noise_in_the_middle": lambda content: content[:8192] + bytes(range(1, 256)) * 880 + content[8192 + 255 * 880 :],
}


@pytest.mark.parametrize("command", [("audit", "query"), GENERATE], ids=["audit query", "generate"])
@pytest.mark.parametrize("damage", sorted(DAMAGE))
def test_a_damaged_ledger_is_one_line_and_exit_code_5_and_left_as_it_is(
    run: Run, home: Path, damage: str, command: tuple[str, ...]
) -> None:
    broken = DAMAGE[damage](database(home).read_bytes())
    database(home).write_bytes(broken)

    ended = run(*words(command, home))

    assert (ended.code, len(ended.err.splitlines())) == (5, 1)
    assert beside(home) == ["clip.mp4", "newsroom"]
    assert database(home).read_bytes() == broken


@pytest.mark.parametrize("damage", sorted(DAMAGE))
def test_the_audit_of_a_damaged_ledger_never_says_that_all_is_well(run: Run, home: Path, damage: str) -> None:
    database(home).write_bytes(DAMAGE[damage](database(home).read_bytes()))

    ended = run("audit", "verify", "--home", home)

    assert ended.code == 5
    assert "internal error" not in ended.err


@pytest.mark.parametrize("command", [*READING, *WRITING], ids=lambda command: " ".join(command[:2]))
def test_an_empty_file_in_place_of_the_ledger_is_refused_and_stays_empty(
    run: Run, home: Path, command: tuple[str, ...]
) -> None:
    database(home).write_bytes(b"")

    ended = run(*words(command, home))

    assert (ended.code, len(ended.err.splitlines())) == (1, 1)
    assert database(home).read_bytes() == b""
    assert beside(home) == ["clip.mp4", "newsroom"]


def test_a_ledger_that_was_emptied_and_made_anew_is_found_out_by_the_audit(run: Run, home: Path) -> None:
    database(home).write_bytes(b"")

    run("db", "upgrade", "--home", home)
    ended = run("audit", "verify", "--home", home, "--json")

    assert (ended.code, ended.object["ok"]) == (5, False)


def test_nothing_is_published_over_a_ledger_that_was_emptied_and_made_anew(run: Run, home: Path) -> None:
    database(home).write_bytes(b"")
    run("db", "upgrade", "--home", home)

    ended = run(*words(GENERATE, home))

    assert ended.code == 5
    assert beside(home) == ["clip.mp4", "newsroom"]


def test_an_old_copy_of_the_ledger_put_back_publishes_nothing(run: Run, home: Path) -> None:
    old = database(home).read_bytes()
    run(*words(("generate", PROMPT, *QUICK, "--out", "{out}"), home))
    (home.parent / "out.mp4").rename(home.parent / "second.mp4")
    (home.parent / "out.mp4.tlog-proof").rename(home.parent / "second.mp4.tlog-proof")
    database(home).write_bytes(old)

    ended = run(*words(GENERATE, home))

    assert ended.code == 5
    assert not (home.parent / "out.mp4").exists()


@pytest.mark.parametrize("command", [*READING, *WRITING, ("db", "upgrade"), ("db", "check")])
def test_a_ledger_from_a_newer_version_is_refused_with_the_way_out(
    run: Run, home: Path, command: tuple[str, ...]
) -> None:
    with closing(sqlite3.connect(database(home), isolation_level=None)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'r0999'")

    ended = run(*words(command, home))

    assert (ended.code, len(ended.err.splitlines())) == (1, 1)
    assert "r0999" in ended.err
    assert "newer platemark" in ended.err
    assert beside(home) == ["clip.mp4", "newsroom"]


@pytest.mark.parametrize("command", [*READING, *WRITING], ids=lambda command: " ".join(command[:2]))
def test_a_ledger_that_is_gone_is_not_made_anew_in_silence(run: Run, home: Path, command: tuple[str, ...]) -> None:
    database(home).unlink()

    ended = run(*words(command, home))

    assert (ended.code, len(ended.err.splitlines())) == (1, 1)
    assert "no ledger at" in ended.err
    assert not database(home).exists()


# Root may write anywhere, so these run in a process that gave up that privilege (and are ordinary for others).
WITHOUT_PRIVILEGE = """
import ctypes, os, sys
libc = ctypes.CDLL(None)
if hasattr(libc, "prctl"):  # PR_CAPBSET_DROP of CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH; only Linux has these
    libc.prctl(24, 1, 0, 0, 0), libc.prctl(24, 2, 0, 0, 0)
os.execv(sys.executable, [sys.executable, "-m", "platemark", *sys.argv[1:]])
"""


def run_unprivileged(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", WITHOUT_PRIVILEGE, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, cwd="/")


@pytest.fixture
def mended(tmp_path: Path) -> Iterator[None]:
    """Give permissions back, so that the files can be removed."""
    yield
    for folder, _, _ in os.walk(tmp_path):
        Path(folder).chmod(0o700)


@pytest.mark.usefixtures("mended")
def test_a_read_only_ledger_stops_a_clip_with_one_line(home: Path) -> None:
    database(home).chmod(0o400)

    ended = run_unprivileged(*words(GENERATE, home))

    assert (ended.returncode, len(ended.stderr.splitlines())) == (1, 1)
    assert "read-only" in ended.stderr
    assert beside(home) == ["clip.mp4", "newsroom"]


@pytest.mark.usefixtures("mended")
def test_a_read_only_home_stops_a_clip_with_one_line(home: Path) -> None:
    home.chmod(0o500)

    ended = run_unprivileged(*words(GENERATE, home))

    assert (ended.returncode, len(ended.stderr.splitlines())) == (1, 1)
    assert beside(home) == ["clip.mp4", "newsroom"]


@pytest.mark.usefixtures("mended")
def test_a_read_only_output_directory_is_one_line_and_nothing_stays_open(home: Path) -> None:
    shelf = home.parent / "shelf"
    shelf.mkdir(mode=0o500)

    ended = run_unprivileged("generate", PROMPT, *QUICK, "--out", str(shelf / "clip.mp4"), "--home", str(home))

    assert (ended.returncode, len(ended.stderr.splitlines())) == (2, 1)
    assert str(shelf) in ended.stderr
    with open_home(home).open_ledger() as ledger:
        assert ledger.registry.open_outputs() == ()


@pytest.mark.usefixtures("mended")
def test_an_output_directory_that_may_not_even_be_entered_is_one_line(home: Path) -> None:
    shelf = home.parent / "shelf"
    shelf.mkdir(mode=0o000)

    ended = run_unprivileged("generate", PROMPT, *QUICK, "--out", str(shelf / "clip.mp4"), "--home", str(home))

    assert (ended.returncode, len(ended.stderr.splitlines())) == (2, 1)


@pytest.mark.usefixtures("mended")
def test_a_leftover_where_nobody_may_look_any_more_does_not_stop_the_next_clip(home: Path) -> None:
    shelf = home.parent / "shelf"
    shelf.mkdir()
    with open_home(home).open_ledger() as ledger:
        paths = {"final_path": shelf / "a.mp4", "part_path": shelf / ".a.part.mp4"}
        ledger.registry.intend_output("job-of-a-killed-run", clip_id="clip-1", **paths)
    shelf.chmod(0o000)

    ended = run_unprivileged(*words(GENERATE, home))

    assert ended.returncode == 0, ended.stderr
    assert "Could not clean up" in ended.stderr


class Scratch:
    """A home to break again and again, its ledger's bytes, and the root of its tree. Its repr is short."""

    def __init__(self, home: Path, content: bytes, root: str) -> None:
        self.home, self.content, self.root = home, content, root


@pytest.fixture(scope="session")
def scratch(used_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Scratch:
    """A used home of its own."""
    folder = tmp_path_factory.mktemp("scratch") / "newsroom"
    shutil.copytree(used_home, folder)
    with open_home(folder).open_ledger() as ledger:
        root = ledger.verify().root
    return Scratch(folder, database(folder).read_bytes(), root)


def audit(home: Path) -> str:
    """Say what an audit finds: the root of a whole ledger, or that something is wrong."""
    try:
        with open_home(home).open_ledger() as ledger:
            report = ledger.verify()
    except LedgerError:
        return "refused"
    return report.root if report.ok else "refused"


@settings(max_examples=80, deadline=None)
@given(at=st.integers(0, 2**20), noise=st.binary(min_size=1, max_size=64))
@example(at=24, noise=b"\xff" * 64)
@example(at=18, noise=b"\x09\x09")
def test_any_damage_to_the_file_is_noticed_or_changes_nothing(scratch: Scratch, at: int, noise: bytes) -> None:
    start = at % len(scratch.content)
    broken = scratch.content[:start] + noise + scratch.content[start + len(noise) :]
    for side in scratch.home.glob("ledger.sqlite3*"):
        side.unlink()
    database(scratch.home).write_bytes(broken[: len(scratch.content)])

    assert audit(scratch.home) in {"refused", scratch.root}
