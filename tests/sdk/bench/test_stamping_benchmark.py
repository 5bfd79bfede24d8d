"""The clip that stamping is measured on moves, has grain, and is as long as it was asked to be."""

from pathlib import Path

import numpy as np
import pytest

from platemark.bench.stamping import make_clip
from platemark.clip import Size
from platemark.media.video import read_luma, read_video_facts


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nine small frames."""
    return make_clip(tmp_path_factory.mktemp("bench") / "source.mp4", frames=9, size=Size(192, 128))


def test_it_has_the_frames_it_was_asked_for_at_25_a_second(source: Path) -> None:
    facts = read_video_facts(source)

    assert (facts.frames, facts.fps, facts.width, facts.height) == (9, 25, 192, 128)


def test_it_drifts_by_four_pixels_a_frame(source: Path) -> None:
    first, second, *_ = (frame.astype(int) for frame in read_luma(source))

    drifted = np.abs(second[:, :-4] - first[:, 4:]).mean()

    assert drifted < np.abs(second - first).mean() / 2


def test_the_same_clip_comes_out_every_time(source: Path, tmp_path: Path) -> None:
    again = make_clip(tmp_path / "again.mp4", frames=9, size=Size(192, 128))

    assert again.read_bytes() == source.read_bytes()
