"""Pictures wait for their look in a file without a name; none is lost, mixed up or left behind."""

import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from io import FileIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from platemark_policy import nudity
from platemark_policy.errors import PolicyError
from platemark_policy.frames import RGB
from platemark_policy.kept_pictures import MOST_KEPT, SIDE, KeptPictures, shrink
from platemark_policy.nudity import Looks, NudityWatch, look_for_nudity

UnnamedFiles = Callable[[Callable[[], FileIO]], None]


def grey(level: int) -> RGB:
    return np.full((SIDE, SIDE, 3), level, dtype=np.uint8)


def bright(picture: RGB) -> float:
    return float(picture.mean() / 255)


def watched(levels: list[int], kept: KeptPictures, look: Callable[[RGB], float] = bright) -> Looks:
    """Watch frames at two a second, so that each is looked at."""
    with NudityWatch(fps=2, look=look, kept=kept) as watch:
        list(map(watch.feed, map(grey, levels)))
        return watch.looks()


@pytest.fixture
def unnamed(monkeypatch: pytest.MonkeyPatch) -> UnnamedFiles:
    """Let a test say what the unnamed file is."""

    def give(opened: Callable[[], FileIO]) -> None:
        monkeypatch.setattr(tempfile, "TemporaryFile", lambda **options: opened())

    return give


@pytest.fixture
def kept(tmp_path: Path) -> KeptPictures:
    return KeptPictures(tmp_path)


def test_pictures_come_back_as_they_were_and_in_order(kept: KeptPictures) -> None:
    kept.add(3, grey(30))
    kept.add(9, grey(90))

    assert kept.places == (3, 9)
    np.testing.assert_array_equal([kept.read(0), kept.read(1)], [grey(30), grey(90)])
    kept.clear()


def test_what_waits_has_no_name(kept: KeptPictures, tmp_path: Path) -> None:
    kept.add(0, grey(1))

    assert list(tmp_path.iterdir()) == []
    kept.clear()


def test_a_process_that_is_killed_leaves_no_picture(tmp_path: Path) -> None:
    code = (
        "import os, pathlib, sys, numpy; from platemark_policy.kept_pictures import KeptPictures\n"
        "kept = KeptPictures(pathlib.Path(sys.argv[1])); kept.add(0, numpy.zeros((256, 256, 3), numpy.uint8))\n"
        "print(kept.read(0).shape, flush=True); os.kill(os.getpid(), 9)"
    )

    killed = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, check=False, text=True)

    assert (killed.returncode, killed.stdout) == (-signal.SIGKILL, "(256, 256, 3)\n")
    assert list(tmp_path.iterdir()) == []


def test_after_letting_go_there_is_room_again(tmp_path: Path) -> None:
    kept = KeptPictures(tmp_path, most=1)
    kept.add(0, grey(1))
    kept.clear()

    kept.add(7, grey(2))

    assert (kept.places, int(kept.read(0).max())) == ((7,), 2)
    kept.clear()


def test_letting_go_twice_is_no_mistake(kept: KeptPictures) -> None:
    kept.clear()
    kept.clear()

    assert not kept.is_full


def test_more_than_may_wait_is_refused_and_the_others_are_still_there(tmp_path: Path) -> None:
    kept = KeptPictures(tmp_path, most=1)
    kept.add(0, grey(1))

    with pytest.raises(PolicyError, match="1 wait"):
        kept.add(1, grey(2))

    assert (kept.places, int(kept.read(0).max())) == ((0,), 1)
    kept.clear()


def test_a_picture_of_another_size_is_refused(kept: KeptPictures) -> None:
    with pytest.raises(PolicyError):
        kept.add(0, np.zeros((8, 8, 3), np.uint8))


def test_ten_minutes_wait_without_a_look_in_between() -> None:
    assert MOST_KEPT > 10 * 60 * 2


@pytest.mark.parametrize("shape", [(300, 500, 3), (256, 256, 3), (40, 30, 3), (1, 1, 3)])
def test_a_small_picture_scores_as_the_whole_one(shape: tuple[int, int, int]) -> None:
    picture = np.random.default_rng(5).integers(0, 255, shape, dtype=np.uint8)

    assert look_for_nudity(shrink(picture)) == look_for_nudity(picture)


@given(st.lists(st.integers(0, 255), max_size=9), st.integers(1, 9))
def test_how_many_may_wait_changes_nothing_of_what_is_seen(levels: list[int], most: int) -> None:
    looks = watched(levels, KeptPictures(most=most))

    assert looks == Looks(tuple(range(len(levels))), tuple(level / 255 for level in levels))


def test_nothing_is_looked_at_before_the_end_while_there_is_room(kept: KeptPictures) -> None:
    looked: list[RGB] = []
    with NudityWatch(fps=2, look=lambda picture: float(len(looked.append(picture) or looked)), kept=kept) as watch:
        watch.feed(grey(1))
        watch.feed(grey(2))
        before = len(looked)
        watch.looks()

    assert (before, len(looked)) == (0, 2)


def test_the_network_is_let_go_of_once_all_was_looked_at(kept: KeptPictures, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    monkeypatch.setattr(nudity, "release_network", partial(order.append, "released"))

    watched([1, 2], kept, lambda picture: float(order.append("look") is not None))

    assert order == ["look", "look", "released"]


def test_the_network_is_let_go_of_where_looking_is_ended(kept: KeptPictures, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    monkeypatch.setattr(nudity, "release_network", partial(order.append, "released"))

    def stop() -> None:
        raise InterruptedError

    with NudityWatch(fps=2, look=bright, kept=kept) as watch:
        watch.feed(grey(1))
        with pytest.raises(InterruptedError):
            watch.looks(stop)

    assert (order, kept.places) == (["released"], ())


def test_a_network_that_was_let_go_of_scores_the_same_again() -> None:
    before = look_for_nudity(grey(100))

    nudity.release_network()

    assert look_for_nudity(grey(100)) == before


def test_a_folder_that_is_gone_makes_the_watch_look_at_once(tmp_path: Path) -> None:
    assert watched([0, 255], KeptPictures(tmp_path / "gone")) == Looks((0, 1), (0.0, 1.0))


def test_a_full_disk_makes_the_watch_look_at_once(unnamed: UnnamedFiles) -> None:
    unnamed(lambda: FileIO("/dev/full", "r+"))

    assert watched([0, 255], KeptPictures()) == Looks((0, 1), (0.0, 1.0))


def test_a_disk_that_takes_half_a_picture_makes_the_watch_look_at_once(unnamed: UnnamedFiles, tmp_path: Path) -> None:
    class Half(FileIO):
        """Writes half of what it is given."""

        def write(self, content: bytes) -> int:  # type: ignore[override]
            """Write the first half."""
            return super().write(content[: len(content) // 2])

    unnamed(lambda: Half(tmp_path / "half", "w+"))

    assert watched([0, 255], KeptPictures()) == Looks((0, 1), (0.0, 1.0))


def test_pictures_that_cannot_be_read_back_are_looks_that_failed(unnamed: UnnamedFiles) -> None:
    unnamed(lambda: FileIO("/dev/null", "r+"))

    looks = watched([0, 255], KeptPictures())

    assert (looks.scores, looks.failed) == ((), 2)


def test_a_file_that_cannot_be_read_is_an_error_of_ours(unnamed: UnnamedFiles, tmp_path: Path) -> None:
    unnamed(lambda: FileIO(tmp_path / "write-only", "w"))
    kept = KeptPictures()
    kept.add(0, grey(1))

    with pytest.raises(PolicyError, match="could not be read"):
        kept.read(0)

    kept.clear()


def test_a_frame_that_is_no_picture_is_a_look_that_failed(kept: KeptPictures) -> None:
    with NudityWatch(fps=2, look=bright, kept=kept) as watch:
        watch.feed(np.zeros((4, 4, 7), np.uint8))

        assert watch.looks() == Looks((), (), failed=1)


def test_what_nobody_looked_at_is_let_go_of_when_a_job_fails(kept: KeptPictures) -> None:
    with pytest.raises(KeyError), NudityWatch(fps=2, look=bright, kept=kept) as watch:
        watch.feed(grey(1))
        raise KeyError

    assert kept.places == ()
