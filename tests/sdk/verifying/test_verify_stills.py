"""What a still is: a frame of our clip, a picture that only carries a mark, or nothing that we know."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from platemark.clip import Clip
from platemark.homes.home import Home, open_home
from platemark.marking import MarkOptions, embed_file
from platemark.media.video import read_frames_rgb
from platemark.verifying.verifier import verify


@pytest.fixture
def home(home_path: Path) -> Home:
    """A fresh home, opened."""
    return open_home(home_path)


def still(path: Path, width: int, height: int) -> Path:
    blocks = np.random.default_rng(3).integers(40, 210, (12, 14, 3), dtype=np.uint8)
    Image.fromarray(blocks).resize((width, height), Image.Resampling.BICUBIC).save(path)
    return path


def screenshot(clip: Clip, path: Path) -> Path:
    frame = list(read_frames_rgb(clip.path))[3]
    Image.fromarray(frame).save(path, quality=90)
    return path


@pytest.mark.parametrize("name", ["shot.png", "shot.jpg", "shot.webp"])
def test_a_screenshot_of_a_clip_leads_back_to_it(clip: Clip, home_path: Path, tmp_path: Path, name: str) -> None:
    report = verify(screenshot(clip, tmp_path / name), home=home_path)

    assert (report.verdict, report.recovered_from, report.exit_code) == ("recovered", clip.clip_id, 0)
    assert report.axes.manifest == "absent"


def test_a_still_that_nobody_marked_has_no_provenance_and_that_proves_nothing(home_path: Path, tmp_path: Path) -> None:
    report = verify(still(tmp_path / "photo.png", 128, 128), home=home_path)

    assert (report.verdict, report.exit_code) == ("none", 4)
    assert (report.axes.manifest, report.axes.watermark) == ("absent", "absent")
    assert "prove" in report.explain("en")


@pytest.mark.parametrize("name", ["marked.png", "marked.jpg", "marked.webp"])
def test_a_mark_put_on_alone_is_not_provenance(home: Home, home_path: Path, tmp_path: Path, name: str) -> None:
    source = still(tmp_path / f"photo{Path(name).suffix}", 384, 256)
    embed_file(home, source, tmp_path / name, options=MarkOptions())

    report = verify(tmp_path / name, home=home_path)

    assert (report.verdict, report.recovered_from) == ("none", None)


@pytest.mark.parametrize(("width", "height"), [(385, 256), (384, 257), (385, 257)])
def test_a_still_of_odd_size_gets_a_verdict_like_any_other(
    home: Home, home_path: Path, tmp_path: Path, width: int, height: int
) -> None:
    source = still(tmp_path / "photo.png", width, height)
    embed_file(home, source, tmp_path / "marked.png", options=MarkOptions())

    assert verify(tmp_path / "marked.png", home=home_path).verdict == "none"


def test_without_a_home_a_still_of_odd_size_gets_a_verdict_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    monkeypatch.delenv("PLATEMARK_HOME", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))

    assert verify(still(tmp_path / "photo.png", 385, 257)).verdict == "none"


def test_the_mark_of_a_clip_laid_over_another_picture_is_a_mismatch(
    clip: Clip, home: Home, home_path: Path, tmp_path: Path
) -> None:
    source = still(tmp_path / "photo.png", 384, 256)
    embed_file(home, source, tmp_path / "forged.png", options=MarkOptions(clip.watermark_id))

    report = verify(tmp_path / "forged.png", home=home_path)

    assert (report.verdict, report.axes.watermark, report.exit_code) == ("mismatch", "mismatch", 5)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.png", b""),
        ("header-alone.png", b"\x89PNG\r\n\x1a\n"),
        ("cut.jpg", b"\xff\xd8\xff\xe0\x00\x10JFIF"),
        ("cut.webp", b"RIFF\x24\x00\x00\x00WEBPVP8 "),
        ("text.png", b"not a picture at all"),
    ],
)
def test_a_still_that_cannot_be_decoded_is_unreadable(
    home_path: Path, tmp_path: Path, name: str, content: bytes
) -> None:
    (tmp_path / name).write_bytes(content)

    report = verify(tmp_path / name, home=home_path)

    assert (report.verdict, report.exit_code) == ("unreadable", 5)


def test_a_picture_that_would_fill_the_memory_is_unreadable_and_never_unpacked(home_path: Path, tmp_path: Path) -> None:
    Image.new("1", (16_000, 16_000)).save(tmp_path / "bomb.png")

    assert verify(tmp_path / "bomb.png", home=home_path).verdict == "unreadable"


@pytest.mark.parametrize("size", [(64, 2), (2, 64)])
def test_a_sliver_of_a_still_gets_a_verdict(home_path: Path, tmp_path: Path, size: tuple[int, int]) -> None:
    report = verify(still(tmp_path / "sliver.png", *size), home=home_path)

    assert (report.verdict, report.axes.watermark) == ("none", "absent")
