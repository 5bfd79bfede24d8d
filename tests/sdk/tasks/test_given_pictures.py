"""Pictures and clips that are given: cut and scaled, never stretched; everything that is no picture is refused."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from platemark.clip import Size, whole_frames
from platemark.errors import MediaError, RequestError
from platemark.generation.resize import RGB
from platemark.media.still import read_still
from platemark.tasks import conditioning
from platemark.tasks.conditioning import cover, fit_clip
from platemark.tasks.image_to_video import ImageToVideo

SMALL = Size(128, 128)


def picture(width: int, height: int, level: int = 80) -> RGB:
    return np.full((height, width, 3), level, np.uint8)


def numbered(count: int, *, side: int = 128) -> Iterator[RGB]:
    return (picture(side, side, level) for level in range(count))


def shown(fps: int, source_fps: Fraction | float, count: int) -> list[int]:
    clip = fit_clip(numbered(count), source_fps=source_fps, size=SMALL, fps=fps)
    return [int(frame[0, 0, 0]) for frame in clip.pixels]


@pytest.mark.parametrize(
    ("given_size", "size", "crop"),
    [
        ((512, 512), Size(256, 256), (0, 0, 512, 512)),
        ((1920, 1080), Size(256, 256), (420, 0, 1080, 1080)),
        ((1080, 1920), Size(256, 256), (0, 420, 1080, 1080)),
        ((640, 480), Size(640, 360), (0, 60, 640, 360)),
        ((640, 480), Size(360, 640), (185, 0, 270, 480)),
        ((717, 300), Size(306, 128), (0, 0, 717, 300)),
        ((1, 1), SMALL, (0, 0, 1, 1)),
        ((9999, 1), SMALL, (4999, 0, 1, 1)),
    ],
)
def test_the_middle_is_used_and_recorded(
    given_size: tuple[int, int], size: Size, crop: tuple[int, int, int, int]
) -> None:
    fitted, record = cover(picture(*given_size), size)

    assert fitted.shape == (size.height, size.width, 3)
    assert (record.width, record.height, record.crop, record.size) == (*given_size, crop, size)


@settings(max_examples=60, deadline=None)
@given(width=st.integers(1, 400), height=st.integers(1, 400), half=st.tuples(st.integers(64, 90), st.integers(64, 90)))
def test_any_picture_covers_any_size_and_an_even_one_stays_even(width: int, height: int, half: tuple[int, int]) -> None:
    size = Size(2 * half[0], 2 * half[1])

    fitted, record = cover(picture(width, height), size)

    x, y, w, h = record.crop
    assert fitted.shape == (size.height, size.width, 3)
    assert np.array_equal(np.unique(fitted), [80])
    assert (0 <= x <= x + w <= width, 0 <= y <= y + h <= height) == (True, True)


def test_a_picture_of_the_right_size_comes_back_bit_for_bit() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (128, 128, 3), np.uint8)

    assert np.array_equal(cover(noise, SMALL)[0], noise)


def test_a_picture_that_is_only_cut_keeps_its_pixels() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (128, 300, 3), np.uint8)

    assert np.array_equal(cover(noise, SMALL)[0], noise[:, 86:214])


def test_a_large_picture_is_averaged_down_first() -> None:
    checks = np.kron(np.indices((600, 600)).sum(axis=0) % 2, np.ones((2, 2), int)) * 200
    large = np.repeat(checks.astype(np.uint8)[..., None], 3, axis=2)

    fitted, _ = cover(large, SMALL)

    assert float(np.abs(fitted.astype(float) - 100).max()) < 12  # no moiré


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((8, 8), np.uint8),
        np.zeros((8, 8, 4), np.uint8),
        np.zeros((8, 8, 3), np.float32),
        np.zeros((8, 8, 3), np.uint16),
        np.zeros((0, 8, 3), np.uint8),
    ],
    ids=["grey", "alpha", "float", "16 bit", "empty"],
)
def test_what_is_no_rgb_picture_is_refused(wrong: Any) -> None:
    with pytest.raises(RequestError, match="uint8") as refusal:
        ImageToVideo(prompt="sea", image=wrong)

    assert "read_still" in refusal.value.fix


@pytest.mark.parametrize(
    ("fps", "source_fps", "count", "expected"),
    [
        (12, 12, 4, [0, 1, 2, 3]),
        (12, 24, 6, [0, 2, 4]),
        (24, 12, 3, [0, 0, 1, 1, 2, 2]),
        (12, Fraction(30000, 1001), 6, [0, 2, 5]),
        (25, 24, 3, [0, 1, 2]),
    ],
)
def test_a_clip_is_brought_to_a_rate_by_the_nearest_frame(
    fps: int, source_fps: Fraction | float, count: int, expected: list[int]
) -> None:
    frames = shown(fps, source_fps, count)

    assert len(frames) == pytest.approx(count * fps / float(source_fps), abs=1)
    assert frames == sorted(frames)
    assert abs(len(frames) - len(expected)) <= 1
    assert set(frames) >= set(expected[:1])


@pytest.mark.parametrize("fps", [1, 12, 25, 60])
def test_at_its_own_rate_a_clip_is_kept_bit_for_bit(fps: int) -> None:
    assert shown(fps, fps, 9) == list(range(9))


def test_a_clip_records_what_was_read_and_what_came_of_it() -> None:
    clip = fit_clip(numbered(10, side=256), source_fps=24, size=SMALL, fps=12)

    assert (clip.record.frames_read, clip.record.frames, len(clip)) == (10, 5, 5)
    assert (clip.record.width, clip.size, clip.fps) == (256, SMALL, 12)


def test_a_clip_of_one_frame_is_a_clip() -> None:
    assert len(fit_clip(numbered(1), source_fps=60, size=SMALL, fps=12)) == 1


def test_a_clip_without_frames_is_refused() -> None:
    with pytest.raises(RequestError, match="no frame"):
        fit_clip([], source_fps=12, size=SMALL, fps=12)


def test_a_clip_that_changes_size_is_refused() -> None:
    with pytest.raises(RequestError, match="changes its frame size"):
        fit_clip([picture(128, 128), picture(130, 128)], source_fps=12, size=SMALL, fps=12)


def test_a_clip_over_the_bound_is_refused_before_it_is_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conditioning, "MAX_GIVEN_BYTES", 3 * 128 * 128 * 3)
    stream = numbered(100)

    with pytest.raises(RequestError, match="more than the 3 frames"):
        fit_clip(stream, source_fps=12, size=SMALL, fps=12)

    assert int(next(stream)[0, 0, 0]) == 4


@pytest.mark.parametrize(("source_fps", "fps"), [(0.0, 12), (float("nan"), 12), (12, 0), (12, 61)])
def test_an_impossible_rate_is_refused(source_fps: float, fps: int) -> None:
    with pytest.raises(RequestError, match="fps"):
        fit_clip(numbered(2), source_fps=source_fps, size=SMALL, fps=fps)


@pytest.mark.parametrize(("seconds", "fps", "frames"), [(0.25, 4, 1), (2.0, 12, 24), (60.0, 60, 3600)])
def test_a_length_is_whole_frames(seconds: float, fps: int, frames: int) -> None:
    assert whole_frames(seconds, fps) == frames


@pytest.mark.parametrize(("seconds", "fps"), [(0.25, 1), (0.1, 12), (61.0, 12), (1.0, 0), (float("nan"), 12)])
def test_an_impossible_length_is_refused(seconds: float, fps: int) -> None:
    with pytest.raises(RequestError):
        whole_frames(seconds, fps)


# -- files -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content", [b"", b"not a picture", b"\x89PNG\r\n\x1a\n" + bytes(40), b"RIFF0000WEBP", b"GIF89a"]
)
def test_a_file_that_is_no_picture_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "still.png"
    path.write_bytes(content)

    with pytest.raises(MediaError):
        read_still(path)


def test_a_cmyk_picture_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "cmyk.jpg"
    Image.new("CMYK", (200, 160), (0, 255, 255, 0)).save(path)

    request, record = ImageToVideo(prompt="sea", image=read_still(path), size=SMALL).to_request()

    red, green, blue = request.conditioning.given[0].pixels[0, 64, 64]
    assert (record.width, record.height) == (200, 160)
    assert red > 200 > 60 > max(green, blue)


def test_a_sixteen_bit_picture_is_cut_to_eight(tmp_path: Path) -> None:
    path = tmp_path / "deep.png"
    Image.fromarray(np.full((160, 160), 0x8000, np.uint16)).save(path)

    request, _ = ImageToVideo(prompt="sea", image=read_still(path), size=SMALL).to_request()

    assert np.unique(request.conditioning.given[0].pixels).tolist() == [128]


@pytest.mark.parametrize("kind", ["WEBP", "PNG"])
def test_of_an_animated_picture_the_first_frame_is_taken(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"moving.{kind.lower()}"
    first, *rest = (Image.new("RGB", (160, 160), (level, 0, 0)) for level in (250, 10, 20))
    first.save(path, kind, save_all=True, append_images=rest, lossless=True)

    request, _ = ImageToVideo(prompt="sea", image=read_still(path), size=SMALL).to_request()

    assert int(request.conditioning.given[0].pixels[0, 0, 0, 0]) == 250


def test_a_huge_picture_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "huge.png"
    Image.new("1", (9000, 8000)).save(path)

    with pytest.raises(MediaError, match="64 million"):
        read_still(path)
