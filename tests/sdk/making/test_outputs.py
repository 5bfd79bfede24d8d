"""A file is at its final path whole, or not at all."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from platemark.errors import OutputError
from platemark.making.outputs import (
    OutputPaths,
    check_final_path,
    create_part,
    is_running,
    job_lock,
    move_into_place,
    write_receipt,
)

JOB = "01930000-0000-7000-8000-0123456789ab"


def paths(folder: Path, name: str = "clip.mp4") -> OutputPaths:
    return OutputPaths(folder / name, JOB)


def test_the_hidden_files_lie_beside_the_final_path_and_differ(tmp_path: Path) -> None:
    made = paths(tmp_path)

    assert made.rendered.parent == made.signed.parent == tmp_path
    assert made.rendered != made.signed
    assert made.rendered.name.startswith(".")


def test_a_very_long_final_name_still_gives_names_the_file_system_takes(tmp_path: Path) -> None:
    made = paths(tmp_path, "x" * 240 + ".mp4")

    create_part(made.rendered)

    assert made.rendered.exists()


def test_removing_parts_says_which_were_there(tmp_path: Path) -> None:
    made = paths(tmp_path)
    made.signed.write_bytes(b"x")

    assert made.remove_parts() == (made.signed,)
    assert made.remove_parts() == ()


def test_an_existing_output_is_refused_unless_it_may_be_replaced(tmp_path: Path) -> None:
    final = tmp_path / "clip.mp4"
    final.write_bytes(b"precious")

    with pytest.raises(OutputError, match="exists already") as caught:
        check_final_path(final, overwrite=False)
    check_final_path(final, overwrite=True)

    assert "--overwrite" in caught.value.fix
    assert final.read_bytes() == b"precious"


def test_a_directory_as_output_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="is a directory"):
        check_final_path(tmp_path, overwrite=True)


def test_an_output_without_the_right_ending_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"must be named \.mp4; got 'clip\.mov'"):
        check_final_path(tmp_path / "clip.mov", overwrite=False)


def test_an_output_in_a_missing_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="does not exist"):
        check_final_path(tmp_path / "no" / "clip.mp4", overwrite=False)


def test_moving_into_place_leaves_one_whole_file_and_no_part(tmp_path: Path) -> None:
    made = paths(tmp_path)
    made.signed.write_bytes(b"whole")

    move_into_place(made.signed, made.final, overwrite=False)

    assert made.final.read_bytes() == b"whole"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["clip.mp4"]


def test_a_file_that_somebody_made_meanwhile_is_never_replaced(tmp_path: Path) -> None:
    made = paths(tmp_path)
    made.signed.write_bytes(b"ours")
    made.final.write_bytes(b"theirs")

    with pytest.raises(OutputError, match="made by somebody else"):
        move_into_place(made.signed, made.final, overwrite=False)

    assert made.final.read_bytes() == b"theirs"


def test_an_old_file_is_replaced_in_one_step_where_that_was_asked_for(tmp_path: Path) -> None:
    made = paths(tmp_path)
    made.signed.write_bytes(b"new")
    made.final.write_bytes(b"old")

    move_into_place(made.signed, made.final, overwrite=True)

    assert made.final.read_bytes() == b"new"


def test_a_file_system_without_hard_links_still_gets_the_clip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(source: Path, target: Path) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", no_links)
    made = paths(tmp_path)
    made.signed.write_bytes(b"whole")

    move_into_place(made.signed, made.final, overwrite=False)

    assert made.final.read_bytes() == b"whole"


def test_without_hard_links_an_existing_file_is_still_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(source: Path, target: Path) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", no_links)
    made = paths(tmp_path)
    made.signed.write_bytes(b"ours")
    made.final.write_bytes(b"theirs")

    with pytest.raises(OutputError, match="made by somebody else"):
        move_into_place(made.signed, made.final, overwrite=False)


def test_a_receipt_that_cannot_be_written_is_an_output_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError):
        write_receipt(tmp_path / "missing" / "clip.mp4.tlog-proof", b"proof")


def test_a_job_is_running_while_its_lock_is_held_and_not_after(tmp_path: Path) -> None:
    with job_lock(tmp_path / "jobs", JOB):
        held = is_running(tmp_path / "jobs", JOB)

    assert held
    assert not is_running(tmp_path / "jobs", JOB)


def test_a_killed_process_lets_go_of_its_job(tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from platemark.making.outputs import job_lock\n"
        "with job_lock(Path(sys.argv[1]), sys.argv[2]): os.kill(os.getpid(), 9)"
    )

    ended = subprocess.run([sys.executable, "-c", code, str(tmp_path / "jobs"), JOB], check=False)

    assert ended.returncode == -9
    assert (tmp_path / "jobs" / f"{JOB}.lock").exists()
    assert not is_running(tmp_path / "jobs", JOB)
    assert list((tmp_path / "jobs").iterdir()) == []
