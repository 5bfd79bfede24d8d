"""What happens to an output directory while a clip is on its way there."""

import contextlib
import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import platemark.making.pipeline
from platemark.errors import OutputError, PlatemarkError
from platemark.generation.backend import CancelToken
from platemark.making.outputs import OutputPaths, move_into_place
from platemark.progress import STAGES, JobProgress, ProgressCallback
from platemark.studio import GenerateOptions, Studio
from platemark.verifying.verifier import verify

PROMPT = "a calm blue sea at sunset"
SHORT: GenerateOptions = {"model": "testcard", "seconds": 0.5, "size": "256x256", "seed": 7}
JOB = "01930000-0000-7000-8000-0123456789ab"
LONGEST_NAME = 255
"""NAME_MAX on Linux and macOS, in bytes."""
RECEIPT = ".tlog-proof"


def call_at(stage: str, call: Callable[[], object]) -> ProgressCallback:
    def report(progress: JobProgress) -> None:
        if progress.stage == stage:
            call()

    return report


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """An empty output directory."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("stage", STAGES[3:8])
def test_a_directory_that_vanishes_in_the_middle_is_one_error_and_a_settled_job(
    studio: Studio, shelf: Path, stage: str
) -> None:
    vanish = call_at(stage, lambda: shutil.rmtree(shelf))

    with pytest.raises(PlatemarkError):
        studio.generate(PROMPT, **SHORT, out=shelf / "clip.mp4", on_progress=vanish)

    assert not shelf.exists()
    assert studio.ledger.registry.open_outputs() == ()
    assert studio.ledger.registry.issued_marks() == ()
    assert studio.ledger.verify().ok


def test_a_directory_that_vanishes_is_named(studio: Studio, shelf: Path) -> None:
    with pytest.raises(OutputError, match="does not exist") as caught:
        studio.generate(
            PROMPT, **SHORT, out=shelf / "clip.mp4", on_progress=call_at("render", lambda: shutil.rmtree(shelf))
        )

    assert str(shelf) in str(caught.value)


def test_a_directory_that_became_a_file_is_one_error(studio: Studio, shelf: Path) -> None:
    def replace() -> None:
        shutil.rmtree(shelf)
        shelf.write_text("now a file")

    with pytest.raises(PlatemarkError):
        studio.generate(PROMPT, **SHORT, out=shelf / "clip.mp4", on_progress=call_at("sign", replace))

    assert shelf.read_text() == "now a file"


def test_a_directory_that_moves_takes_nothing_half_made_along(studio: Studio, shelf: Path) -> None:
    moved = shelf.with_name("moved")

    with pytest.raises(PlatemarkError):
        studio.generate(
            PROMPT, **SHORT, out=shelf / "clip.mp4", on_progress=call_at("publish", lambda: shelf.rename(moved))
        )

    assert [path.name for path in moved.iterdir() if not path.name.startswith(".")] == []


def test_a_leftover_whose_directory_is_gone_is_settled_at_the_next_start(home_path: Path, shelf: Path) -> None:
    with Studio.open(home_path) as studio:
        studio.ledger.registry.intend_output("job-1", clip_id="c1", final_path=shelf / "a.mp4", part_path=shelf / "p")
    shelf.rmdir()

    with Studio.open(home_path) as studio:
        assert [leftover.action for leftover in studio.leftovers] == ["removed"]
        assert studio.ledger.registry.open_outputs() == ()


def test_a_leftover_whose_directory_is_now_a_file_does_not_stop_the_studio(home_path: Path, shelf: Path) -> None:
    with Studio.open(home_path) as studio:
        studio.ledger.registry.intend_output("job-1", clip_id="c1", final_path=shelf / "a.mp4", part_path=shelf / "p")
    shelf.rmdir()
    shelf.write_text("a file")

    with Studio.open(home_path) as studio:
        assert len(studio.leftovers) == 1
        assert studio.ledger.verify().ok


@pytest.mark.parametrize("code", [errno.EACCES, errno.EIO, errno.ESTALE])
def test_a_leftover_that_cannot_be_looked_at_is_reported_and_stops_nobody(
    home_path: Path, shelf: Path, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Studio.open(home_path) as studio:
        studio.ledger.registry.intend_output("job-1", clip_id="c1", final_path=shelf / "a.mp4", part_path=shelf / "p")

    def unlink(path: Path, missing_ok: bool = False) -> None:
        raise OSError(code, os.strerror(code), str(path))

    with monkeypatch.context() as broken:
        broken.setattr(OutputPaths, "remove_parts", unlink)
        with Studio.open(home_path) as studio:
            stuck = [leftover.action for leftover in studio.leftovers]
    with Studio.open(home_path) as studio:
        assert [leftover.action for leftover in studio.leftovers] == ["removed"]

    assert stuck == ["stuck"]


def test_a_job_that_cannot_be_cancelled_any_more_gives_its_clip(
    studio: Studio, shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = CancelToken()

    def move_then_cancel(part: Path, final: Path, *, overwrite: bool) -> None:
        move_into_place(part, final, overwrite=overwrite)
        token.cancel()

    monkeypatch.setattr(platemark.making.pipeline, "move_into_place", move_then_cancel)

    # "Nothing was kept" would be untrue: the clip is at its final path and in the log.
    made = studio.generate(PROMPT, **SHORT, out=shelf / "clip.mp4", cancel=token)

    assert made.receipt.is_file()
    assert verify(made.path, home=studio.home.path).verdict == "trusted"


def test_a_receipt_that_cannot_be_written_at_first_is_written_at_the_next_start(
    home_path: Path, shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, content: bytes) -> None:
        raise OutputError(f"There is no room left in {path.parent}.")

    with monkeypatch.context() as broken, Studio.open(home_path) as studio:
        broken.setattr("platemark.making.pipeline.write_receipt", full)
        broken.setattr("platemark.making.recovery.write_receipt", full)
        with pytest.raises(OutputError, match="no room"):
            studio.generate(PROMPT, **SHORT, out=shelf / "clip.mp4")

    with Studio.open(home_path) as studio:
        assert studio.ledger.registry.open_outputs() == ()
        assert studio.ledger.verify().ok
    assert (shelf / "clip.mp4").exists() == (shelf / f"clip.mp4{RECEIPT}").exists()


@pytest.mark.parametrize(
    "name",
    ["x" * 300 + ".mp4", "x" * 251 + ".mp4", "가" * 83 + ".mp4", "a\x00b.mp4"],
    ids=["over_the_limit", "no_room_for_the_proof", "korean_without_room_for_the_proof", "nul"],
)
def test_a_name_that_the_file_system_cannot_take_is_refused_before_anything_is_logged(
    studio: Studio, shelf: Path, name: str
) -> None:
    before = studio.ledger.head()

    with pytest.raises(PlatemarkError) as caught:
        studio.generate(PROMPT, **SHORT, out=shelf / name)

    assert caught.value.exit_code == 2
    assert list(shelf.iterdir()) == []
    assert studio.ledger.head() == before


@pytest.mark.parametrize("stem", ["x" * 236, "x" * 240, "가" * 75, "가" * 80], ids=len)
def test_a_name_near_the_limit_gives_the_clip_with_its_proof_or_nothing_at_all(
    studio: Studio, shelf: Path, stem: str
) -> None:
    with contextlib.suppress(OutputError):
        studio.generate(PROMPT, **SHORT, out=shelf / f"{stem}.mp4")

    assert sorted(path.name for path in shelf.iterdir()) in ([], [f"{stem}.mp4", f"{stem}.mp4{RECEIPT}"])
    assert studio.ledger.registry.open_outputs() == ()


@pytest.mark.parametrize(
    "name", ["x" * 233 + ".mp4", "가" * 60 + ".mp4", "바다 위의 노을, 1.mp4", "-rf.mp4", "..mp4.mp4"]
)
def test_a_long_or_odd_name_that_can_be_taken_is_taken(studio: Studio, shelf: Path, name: str) -> None:
    made = studio.generate(PROMPT, **SHORT, out=shelf / name)

    assert sorted(path.name for path in shelf.iterdir()) == sorted([name, name + RECEIPT])
    assert made.path == shelf / name


@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs"], exclude_characters="/\\"), min_size=1))
@example("가" * 72)
@example("é" * 115)
@example("\N{FILM PROJECTOR}" * 57)
@example("x" * 233)
def test_the_hidden_files_of_any_final_name_that_fits_fit_too(stem: str) -> None:
    fitting = stem.encode()[: LONGEST_NAME - len(".mp4" + RECEIPT)].decode(errors="ignore") or "x"
    paths = OutputPaths(Path("/news") / f"{fitting}.mp4", JOB)

    names = [path.name.encode() for path in (paths.rendered, paths.signed, paths.receipt)]

    assert max(len(name) for name in names) <= LONGEST_NAME
    assert all(path.parent == Path("/news") for path in (paths.rendered, paths.signed, paths.receipt))


@given(st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=60), st.uuids(), st.uuids())
def test_two_jobs_for_one_name_never_share_a_hidden_file(stem: str, one: object, other: object) -> None:
    final = Path("/news") / f"{stem}.mp4"
    first, second = OutputPaths(final, str(one)), OutputPaths(final, str(other))

    shared = {first.rendered, first.signed} & {second.rendered, second.signed}

    assert bool(shared) == (str(one)[-12:] == str(other)[-12:])
    assert first.rendered.name.startswith(".")
    assert first.rendered.suffix == ".mp4"


def test_a_name_in_bytes_that_are_no_text_is_refused_before_anything_is_logged(studio: Studio, shelf: Path) -> None:
    before = studio.ledger.head()

    with pytest.raises(PlatemarkError) as caught:
        studio.generate(PROMPT, **SHORT, out=shelf / os.fsdecode(b"caf\xe9.mp4"))

    assert caught.value.exit_code == 2
    assert studio.ledger.head() == before


def test_a_dangling_link_at_the_final_path_is_not_followed(studio: Studio, shelf: Path) -> None:
    (shelf / "clip.mp4").symlink_to(shelf / "elsewhere.mp4")

    with pytest.raises(OutputError):
        studio.generate(PROMPT, **SHORT, out=shelf / "clip.mp4")

    assert [path.name for path in shelf.iterdir()] == ["clip.mp4"]


def test_overwriting_a_link_replaces_the_link_and_not_what_it_leads_to(studio: Studio, shelf: Path) -> None:
    (shelf / "precious.mp4").write_bytes(b"precious")
    (shelf / "clip.mp4").symlink_to(shelf / "precious.mp4")

    studio.generate(PROMPT, **SHORT, out=shelf / "clip.mp4", overwrite=True)

    assert (shelf / "precious.mp4").read_bytes() == b"precious"
    assert not (shelf / "clip.mp4").is_symlink()


def test_a_ledger_error_while_settling_does_not_hide_the_first_error(studio: Studio, shelf: Path) -> None:
    def lock_up() -> None:
        studio.close()
        raise RuntimeError("the first error")

    with pytest.raises(RuntimeError, match="the first error"):
        studio.generate(PROMPT, **SHORT, out=shelf / "clip.mp4", on_progress=call_at("sign", lock_up))

    assert not (shelf / "clip.mp4").exists()
