"""A file is read once, and the detector and the fingerprint see the same frames."""

import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from platemark.errors import MediaError
from platemark.media.luma import luma_of
from platemark.media.still import read_still
from platemark.media.video import EncodeSettings, read_luma, to_yuv420, write_video
from platemark.verifying.observation import Search, luma_frames, observe
from platemark_provenance.fingerprint import ContentSampler, compare
from platemark_provenance.watermark.embed import Embedder
from platemark_provenance.watermark.issued import IssuedIds
from platemark_provenance.watermark.keys import derive_keys
from platemark_provenance.watermark.payload import WatermarkId

KEYS = derive_keys(b"a master secret for these tests!")
MARK = WatermarkId(bytes.fromhex("00112233445566aa"))


def picture(width: int = 256, height: int = 256) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    blocks = np.random.default_rng(9).integers(40, 210, (14, 14, 3), dtype=np.uint8)
    return np.array(Image.fromarray(blocks).resize((width, height), Image.Resampling.BICUBIC))


@pytest.fixture(scope="module")
def marked_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve frames that carry `MARK`, at 24 a second."""
    path = tmp_path_factory.mktemp("observed") / "marked.mp4"
    frames = [to_yuv420(np.roll(picture(), 2 * n, axis=1)) for n in range(12)]
    lumas = Embedder(KEYS, MARK).mark([frame.y for frame in frames])
    marked = (type(frame)(y, frame.u, frame.v) for frame, y in zip(frames, lumas, strict=True))
    write_video(marked, path, settings=EncodeSettings(fps=Fraction(24)))
    return path


def test_the_luma_of_a_clip_is_what_its_file_holds(marked_clip: Path) -> None:
    pairs = zip(luma_frames(marked_clip), read_luma(marked_clip), strict=True)

    assert all(np.array_equal(one, other) for one, other in pairs)


@pytest.mark.parametrize(("width", "height"), [(256, 192), (255, 192), (256, 191), (255, 191), (1, 1)])
def test_a_still_is_one_frame_of_its_own_size(tmp_path: Path, width: int, height: int) -> None:
    Image.fromarray(picture(width, height)).save(tmp_path / "still.png")

    (frame,) = luma_frames(tmp_path / "still.png")

    assert frame.shape == (height, width)


def test_a_stills_luma_is_the_one_that_marking_works_on(tmp_path: Path) -> None:
    Image.fromarray(picture()).save(tmp_path / "still.png")

    (frame,) = luma_frames(tmp_path / "still.png")

    difference = frame.astype(int) - luma_of(read_still(tmp_path / "still.png"))
    assert np.abs(difference).max() <= 1


def test_a_marked_clip_is_detected_over_most_of_its_frames(marked_clip: Path) -> None:
    seen = observe(marked_clip, Search(KEYS, None, "fast"))

    assert (seen.detection.id, seen.detection.method, seen.detection.frames) == (MARK, "blind", 10)


def test_the_fingerprint_is_that_of_the_same_frames(marked_clip: Path) -> None:
    sampler = ContentSampler(fps=24.0)
    for frame in read_luma(marked_clip):
        sampler.feed(frame)

    seen = observe(marked_clip, Search(KEYS, None, "fast"))

    assert seen.fingerprint == sampler.fingerprint()
    assert compare(sampler.fingerprint(), seen.fingerprint).matches


def test_other_keys_see_no_mark_and_the_same_content(marked_clip: Path) -> None:
    ours = observe(marked_clip, Search(KEYS, None, "fast"))
    theirs = observe(marked_clip, Search(derive_keys(bytes(32)), None, "fast"))

    assert theirs.detection.state == "absent"
    assert theirs.fingerprint == ours.fingerprint


def test_an_index_without_the_id_changes_nothing_that_can_be_read_blind(marked_clip: Path) -> None:
    other = IssuedIds.from_ids(KEYS, [WatermarkId(bytes(8))])

    assert observe(marked_clip, Search(KEYS, other, "fast")).detection.id == MARK


@pytest.mark.parametrize("content", [b"", b"neither", b"\x00\x00\x00\x18ftypisom" + bytes(64)])
def test_a_file_without_a_picture_is_an_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file.mp4").write_bytes(content)

    with pytest.raises(MediaError):
        observe(tmp_path / "file.mp4", Search(KEYS, None))


@pytest.mark.parametrize("name", ["", "nowhere.mp4"])
def test_what_is_not_a_file_is_an_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(MediaError):
        observe(tmp_path / name, Search(KEYS, None))


def test_a_named_pipe_is_refused_and_not_waited_for(home_path: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.mp4"
    os.mkfifo(pipe)
    words = [sys.executable, "-m", "platemark", "watermark", "detect", str(pipe), "--home", str(home_path)]

    ended = subprocess.run(words, check=False, capture_output=True, text=True, timeout=5)

    assert (ended.returncode, len(ended.stderr.splitlines())) == (5, 1)
