"""`platemark audit bundle` and `verify-bundle`: from the newsroom to a machine that has nothing of it."""

import io
import os
import shutil
import stat
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from cli_session import Run
from PIL import Image


@pytest.fixture
def bundle(run: Run, home_path: Path, made: dict[str, Any], tmp_path: Path) -> Path:
    """The evidence about a clip that was just made."""
    path = tmp_path / "evidence.zip"
    ended = run("audit", "bundle", made["clip_id"], "--out", path, "--reader", "dpo", "--home", home_path)
    assert ended.code == 0, ended.err
    return path


@pytest.fixture
def key(home_path: Path, tmp_path: Path) -> Path:
    """The publisher's key, as it would be sent by another way."""
    return Path(shutil.copy(home_path / "keys" / "ledger.pub.pem", tmp_path / "publisher.pem"))


def test_a_bundle_is_checked_where_there_is_neither_home_nor_database(
    run: Run, bundle: Path, key: Path, home_path: Path, made: dict[str, Any]
) -> None:
    shutil.rmtree(home_path)

    ended = run("audit", "verify-bundle", bundle, "--key", key, "--json")

    assert ended.code == 0
    assert ended.object["clip_id"] == made["clip_id"]
    assert ended.object["file_sha256"] == made["sha256"]
    assert ended.object["key"]["trusted"] is True
    assert "clip.published" in [event["type"] for event in ended.object["events"]]


def test_a_bundle_that_fits_only_its_own_key_is_intact_and_not_trusted(run: Run, bundle: Path) -> None:
    ended = run("audit", "verify-bundle", bundle)

    assert ended.code == 6
    assert "compare" in ended.err


def test_a_bundle_of_another_publisher_is_refused(run: Run, bundle: Path, tmp_path: Path) -> None:
    from platemark.homes.home import init

    other = init(tmp_path / "other", organisation="Other")

    ended = run("audit", "verify-bundle", bundle, "--key", other.keys / "ledger.pub.pem")

    assert ended.code == 5
    assert "another key" in ended.err


def test_a_bundle_has_three_frames_that_can_be_looked_at(bundle: Path) -> None:
    with zipfile.ZipFile(bundle) as archive:
        frames = [name for name in archive.namelist() if name.startswith("label/")]
        sizes = [Image.open(io.BytesIO(archive.read(name))).size for name in frames]

    assert sizes == [(256, 256)] * 3


def test_a_bundle_is_for_its_owner_alone(bundle: Path) -> None:
    assert stat.S_IMODE(bundle.stat().st_mode) == 0o600


def test_a_bundle_names_nobody_and_quotes_no_prompt(bundle: Path) -> None:
    content = bundle.read_bytes()

    assert [word for word in (b"jw.kim", b"calm blue sea") if word in content] == []


def test_a_bundle_without_the_clips_file_has_no_frames_and_says_so(
    run: Run, home_path: Path, made: dict[str, Any], tmp_path: Path
) -> None:
    Path(made["path"]).unlink()

    ended = run("audit", "bundle", made["clip_id"], "--out", tmp_path / "e.zip", "--home", home_path)

    assert ended.code == 0
    assert "no frames" in ended.err


def test_a_clip_whose_file_was_changed_gives_no_frames(
    run: Run, home_path: Path, made: dict[str, Any], tmp_path: Path
) -> None:
    with Path(made["path"]).open("ab") as file:
        file.write(b"x")

    ended = run("audit", "bundle", made["clip_id"], "--out", tmp_path / "e.zip", "--home", home_path, "--json")

    assert ended.object["frames"] == 0


def test_a_clip_that_was_not_published_has_no_evidence(run: Run, home_path: Path, tmp_path: Path) -> None:
    ended = run("audit", "bundle", "nowhere", "--out", tmp_path / "e.zip", "--home", home_path)

    assert (ended.code, (tmp_path / "e.zip").exists()) == (2, False)


def test_a_withdrawal_stands_in_the_bundle(
    run: Run, home_path: Path, made: dict[str, Any], tmp_path: Path, key: Path
) -> None:
    run("withdraw", made["clip_id"], "--reason", "a mistake", "--home", home_path)
    run("audit", "bundle", made["clip_id"], "--out", tmp_path / "e.zip", "--home", home_path)

    ended = run("audit", "verify-bundle", tmp_path / "e.zip", "--key", key)

    assert ended.code == 0
    assert "WITHDRAWN" in ended.out


def test_a_bundle_in_korean(run: Run, bundle: Path, key: Path) -> None:
    ended = run("audit", "verify-bundle", bundle, "--key", key, "--lang", "ko", "--zone", "Asia/Seoul")

    assert ended.code == 0
    assert "확인" in ended.out


@pytest.mark.parametrize("content", [b"", b"PK", b"not a zip" * 100])
def test_what_is_no_bundle_is_one_clear_line_and_5(run: Run, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(content)

    ended = run("audit", "verify-bundle", path)

    assert (ended.code, len(ended.err.splitlines())) == (5, 1)


def test_a_key_that_is_not_there_is_a_usage_error(run: Run, bundle: Path) -> None:
    assert run("audit", "verify-bundle", bundle, "--key", "nowhere.pem").code == 2


def test_making_a_bundle_is_in_the_clips_own_life(
    run: Run, bundle: Path, home_path: Path, made: dict[str, Any]
) -> None:
    ended = run("audit", "trace", made["clip_id"], "--home", home_path, "--json")

    assert ended.objects[-1]["type"] == "audit.exported"
    assert ended.objects[-1]["actor_name"] == "dpo"


KILLED = """
import os, signal, sys
from platemark.auditing import evidence
build = evidence.build_bundle
def build_and_die(*arguments):
    build(*arguments)
    os.kill(os.getpid(), signal.SIGKILL)
evidence.build_bundle = build_and_die
from platemark.cli import main
main(sys.argv[1:])
"""


def test_a_bundle_that_is_killed_half_way_leaves_no_zip_and_a_whole_log(
    run: Run, home_path: Path, made: dict[str, Any], tmp_path: Path
) -> None:
    words = ["audit", "bundle", made["clip_id"], "--out", str(tmp_path / "e.zip"), "--home", str(home_path)]

    ended = subprocess.run([sys.executable, "-c", KILLED, *words], env=dict(os.environ), check=False)

    assert ended.returncode == -9
    assert not (tmp_path / "e.zip").exists()
    assert run("audit", "verify", "--home", home_path).code == 0
    assert run("audit", "bundle", made["clip_id"], "--out", tmp_path / "e.zip", "--home", home_path).code == 0
