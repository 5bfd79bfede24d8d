"""Odd pictures and clips: marked and found again, or refused in words, never half done."""

from pathlib import Path

import numpy as np
import pytest
from odd_clips import picture, write_clip
from PIL import Image

from platemark.errors import MediaError, PlatemarkError, WatermarkError
from platemark.homes.home import Home, open_home
from platemark.marking import MarkOptions, detect_file, embed_file
from platemark.media.video import read_video_facts
from platemark_provenance.watermark.detect import Detector
from platemark_provenance.watermark.keys import derive_keys

MARK = "00112233445566aa"


@pytest.fixture
def home(home_path: Path) -> Home:
    return open_home(home_path)


def _issued(home: Home) -> list[str]:
    with home.open_ledger() as ledger:
        return [mark.hex() for mark in ledger.registry.issued_marks()]


def _found(home: Home, path: Path) -> str | None:
    found = detect_file(home, path).id
    return None if found is None else found.hex()


@pytest.mark.parametrize("mode", ["RGBA", "LA", "L", "P", "CMYK"])
def test_a_still_with_alpha_or_other_colours_is_marked_and_found_or_refused_whole(
    home: Home, tmp_path: Path, mode: str
) -> None:
    ending = ".jpg" if mode == "CMYK" else ".png"
    Image.fromarray(picture(320, 256)).convert(mode).save(tmp_path / f"in{ending}")

    embed_file(home, tmp_path / f"in{ending}", tmp_path / f"out{ending}", options=MarkOptions(MARK))

    assert _found(home, tmp_path / f"out{ending}") == MARK


@pytest.mark.parametrize("level", [0, 255])
def test_an_all_black_or_clipped_white_still_carries_a_mark(home: Home, tmp_path: Path, level: int) -> None:
    Image.fromarray(np.full((256, 320, 3), level, np.uint8)).save(tmp_path / "in.png")

    embed_file(home, tmp_path / "in.png", tmp_path / "out.png", options=MarkOptions(MARK))

    assert _found(home, tmp_path / "out.png") == MARK


def test_a_clip_of_one_frame_is_marked_like_any_other(home: Home, tmp_path: Path) -> None:
    write_clip(tmp_path / "in.mp4", size=(320, 256), frames=1)

    embed_file(home, tmp_path / "in.mp4", tmp_path / "out.mp4", options=MarkOptions(MARK))

    assert _found(home, tmp_path / "out.mp4") == MARK


def test_a_clip_whose_frames_come_at_odd_times_is_marked(home: Home, tmp_path: Path) -> None:
    write_clip(tmp_path / "in.mp4", size=(320, 256), frames=8, times=[0, 1, 2, 7, 8, 15, 16, 30])

    embed_file(home, tmp_path / "in.mp4", tmp_path / "out.mp4", options=MarkOptions(MARK))

    assert _found(home, tmp_path / "out.mp4") == MARK
    assert read_video_facts(tmp_path / "out.mp4").frames >= 8


def test_a_ten_bit_clip_is_marked_at_eight_bits_and_found(home: Home, tmp_path: Path) -> None:
    write_clip(tmp_path / "in.mp4", size=(320, 256), codec="libx264", pixel_format="yuv420p10le")

    embed_file(home, tmp_path / "in.mp4", tmp_path / "out.mp4", options=MarkOptions(MARK))

    assert _found(home, tmp_path / "out.mp4") == MARK


def test_a_clip_of_16_by_16_is_refused_and_no_mark_is_issued(home: Home, tmp_path: Path) -> None:
    write_clip(tmp_path / "in.mp4", size=(16, 16))

    with pytest.raises(WatermarkError, match="got 16x16"):
        embed_file(home, tmp_path / "in.mp4", tmp_path / "out.mp4", options=MarkOptions())

    assert not (tmp_path / "out.mp4").exists()
    assert _issued(home) == []


@pytest.mark.parametrize("size", [(16, 16), (64, 48)])
def test_looking_for_a_mark_in_a_tiny_clip_finds_none_and_does_not_fail(
    home: Home, tmp_path: Path, size: tuple[int, int]
) -> None:
    write_clip(tmp_path / "tiny.mp4", size=size)

    assert _found(home, tmp_path / "tiny.mp4") is None


@pytest.mark.parametrize("share", [0.2, 0.6, 0.95])
def test_a_truncated_file_is_an_error_or_is_read_as_far_as_it_goes(home: Home, tmp_path: Path, share: float) -> None:
    whole = write_clip(tmp_path / "whole.mp4", size=(320, 256)).read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: int(share * len(whole))])

    with pytest.raises(MediaError):
        detect_file(home, tmp_path / "cut.mp4")


@pytest.mark.parametrize("mark", ["0" * 17, "0" * 15, "-1", "0x11223344556677", "１" * 16, "18446744073709551616"])
def test_an_id_outside_64_bits_is_refused_and_none_is_issued(home: Home, tmp_path: Path, mark: str) -> None:
    Image.fromarray(picture(320, 256)).save(tmp_path / "in.png")

    with pytest.raises(PlatemarkError) as refused:
        embed_file(home, tmp_path / "in.png", tmp_path / "out.png", options=MarkOptions(mark))

    assert refused.value.exit_code == 2
    assert _issued(home) == []


def test_a_frame_of_8k_is_looked_at_in_bounded_memory() -> None:
    detector = Detector(derive_keys(bytes(32)))

    detector.feed(np.tile(np.arange(64, 192, dtype=np.uint8), (4320, 60)))
    found = detector.detect(effort="fast")

    assert (found.state, found.frames) == ("absent", 1)
