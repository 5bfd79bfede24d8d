"""What a copy is, whatever happened to it on the way."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import platemark
from platemark.clip import Clip
from platemark.errors import HomeError, RequestError, VerificationError
from platemark.homes.home import init
from platemark.media.reencoding import reencode
from platemark.media.video import EncodeSettings, remux_without_metadata, to_yuv420, write_video
from platemark.studio import Studio
from platemark.verifying import observation
from platemark_provenance.watermark.embed import Embedder
from platemark_provenance.watermark.payload import WatermarkId


@pytest.fixture
def stripped(clip: Clip, tmp_path: Path) -> Path:
    """The clip with its streams copied and its manifest gone."""
    remux_without_metadata(clip.path, tmp_path / "stripped.mp4")
    return tmp_path / "stripped.mp4"


def make_unmarked(path: Path, *, frames: int = 12, seed: int = 3) -> Path:
    """A clip that nobody marked: moving texture, as a phone might film it."""
    rng = np.random.default_rng(seed)
    scene = np.repeat(np.repeat(rng.integers(30, 220, (40, 60, 3), dtype=np.uint8), 8, axis=0), 8, axis=1)
    pictures = (to_yuv420(np.ascontiguousarray(scene[4 : 4 + 256, 2 * n : 2 * n + 320])) for n in range(frames))
    write_video(pictures, path, settings=EncodeSettings(fps=Fraction(24)))
    return path


def test_a_whole_clip_is_trusted_and_every_axis_is_filled_in(clip: Clip, home_path: Path) -> None:
    report = platemark.verify(clip.path, home=home_path)

    assert (report.verdict, report.exit_code) == ("trusted", 0)
    assert report.axes.integrity == "intact"
    assert report.axes.signer == "trusted"
    assert report.axes.ai == "fully"
    assert report.axes.watermark == "matched"


def test_the_published_file_itself_needs_no_look_at_its_pixels(
    clip: Clip, home_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platemark.verifying.observation.observe", None)

    report = platemark.verify(clip.path, home=home_path)

    assert (report.axes.watermark, report.watermark_by) == ("matched", "record")
    assert "not searched for it again" in report.explain("en")


def test_one_byte_more_and_the_pixels_are_looked_at(clip: Clip, home_path: Path, tmp_path: Path) -> None:
    longer = tmp_path / "longer.mp4"
    longer.write_bytes(clip.path.read_bytes() + (16).to_bytes(4, "big") + b"free" + bytes(8))

    report = platemark.verify(longer, home=home_path)

    assert (report.verdict, report.axes.watermark, report.watermark_by) == ("trusted", "matched", "pixels")


def test_a_copy_without_its_manifest_is_recovered(stripped: Path, clip: Clip, home_path: Path) -> None:
    report = platemark.verify(stripped, home=home_path)

    assert (report.verdict, report.exit_code) == ("recovered", 0)
    assert report.recovered_from == clip.clip_id
    assert report.axes.manifest == "absent"
    assert "Daily Example" in str(report.signer)


def test_a_copy_encoded_again_is_recovered(clip: Clip, home_path: Path, tmp_path: Path) -> None:
    reencode(clip.path, tmp_path / "copy.mp4", crf=28)

    assert platemark.verify(tmp_path / "copy.mp4", home=home_path).verdict == "recovered"


def test_one_flipped_byte_in_the_media_data_is_tampering(clip: Clip, home_path: Path, tmp_path: Path) -> None:
    content = bytearray(clip.path.read_bytes())
    content[content.rindex(b"mdat") + 500] ^= 0x01
    (tmp_path / "flipped.mp4").write_bytes(content)

    report = platemark.verify(tmp_path / "flipped.mp4", home=home_path)

    assert (report.verdict, report.exit_code) == ("tampered", 5)


def test_a_clip_nobody_marked_has_no_provenance_and_that_proves_nothing(home_path: Path, tmp_path: Path) -> None:
    report = platemark.verify(make_unmarked(tmp_path / "phone.mp4"), home=home_path)

    assert (report.verdict, report.exit_code) == ("none", 4)
    assert report.axes.watermark == "absent"
    assert "prove" in report.explain("en")


def test_a_clip_of_another_home_is_intact_here_and_trusted_once_its_root_is_named(clip: Clip, tmp_path: Path) -> None:
    other = init(tmp_path / "other")

    here = platemark.verify(clip.path, home=other.path)
    told = platemark.verify(clip.path, home=other.path, trust=(tmp_path / "newsroom" / "keys" / "root.pem",))

    assert (here.verdict, here.exit_code) == ("intact", 6)
    assert told.verdict == "trusted"


def test_a_stripped_copy_means_nothing_to_another_home(stripped: Path, tmp_path: Path) -> None:
    other = init(tmp_path / "other")

    assert platemark.verify(stripped, home=other.path).verdict == "none"


def test_a_mark_moved_to_other_content_is_a_mismatch(
    clip: Clip, studio: Studio, home_path: Path, tmp_path: Path
) -> None:
    embedder = Embedder(studio.home.watermark_keys(), WatermarkId(bytes.fromhex(clip.watermark_id)))
    rng = np.random.default_rng(5)
    scene = np.repeat(np.repeat(rng.integers(30, 220, (40, 60), dtype=np.uint8), 8, axis=0), 8, axis=1)
    frames = embedder.mark([np.ascontiguousarray(scene[:256, 2 * n : 2 * n + 256]) for n in range(12)])
    pictures = (to_yuv420(np.repeat(y[:, :, None], 3, axis=2)) for y in frames)
    write_video(pictures, tmp_path / "forged.mp4", settings=EncodeSettings(fps=Fraction(12)))

    report = platemark.verify(tmp_path / "forged.mp4", home=home_path)

    assert (report.verdict, report.exit_code) == ("mismatch", 5)


def test_without_a_home_the_mark_is_not_checked(clip: Clip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    monkeypatch.delenv("PLATEMARK_HOME", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))

    report = platemark.verify(clip.path)

    assert (report.verdict, report.axes.watermark) == ("intact", "not_checked")


@pytest.mark.parametrize("content", [b"", b"not a video", bytes(4096), b"\x00\x00\x00\x18ftypisom" + bytes(64)])
def test_a_file_that_is_no_media_is_unreadable(home_path: Path, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file.mp4").write_bytes(content)

    report = platemark.verify(tmp_path / "file.mp4", home=home_path)

    assert (report.verdict, report.exit_code) == ("unreadable", 5)


def test_a_truncated_clip_is_never_trusted(clip: Clip, home_path: Path, tmp_path: Path) -> None:
    content = clip.path.read_bytes()
    (tmp_path / "half.mp4").write_bytes(content[: len(content) // 2])

    assert platemark.verify(tmp_path / "half.mp4", home=home_path).exit_code == 5


def test_a_missing_file_is_an_error_and_not_a_verdict(home_path: Path) -> None:
    with pytest.raises(VerificationError, match="could not be opened"):
        platemark.verify("nowhere.mp4", home=home_path)


def test_a_sidecar_that_cannot_be_read_is_named(clip: Clip, home_path: Path) -> None:
    with pytest.raises(RequestError, match=r"nowhere\.c2pa"):
        platemark.verify(clip.path, home=home_path, sidecar=Path("nowhere.c2pa"))


def test_a_root_that_is_no_certificate_is_refused(clip: Clip, home_path: Path, tmp_path: Path) -> None:
    (tmp_path / "root.pem").write_text("nonsense")

    with pytest.raises((HomeError, VerificationError)):
        platemark.verify(clip.path, home=home_path, trust=(tmp_path / "root.pem",))


@pytest.mark.parametrize("language", ["en", "ko"])
def test_every_report_explains_itself_in_both_languages(clip: Clip, home_path: Path, language: str) -> None:
    assert len(platemark.verify(clip.path, home=home_path).explain(language)) > 20  # type: ignore[arg-type]


def test_without_a_home_a_file_that_is_no_media_is_unreadable_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PLATEMARK_HOME", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    (tmp_path / "file.mp4").write_bytes(b"\x00\x00\x00\x18ftypisom" + bytes(64))

    assert platemark.verify(tmp_path / "file.mp4").verdict == "unreadable"


@pytest.fixture
def longer(studio: Studio, clip: Clip, tmp_path: Path) -> Clip:
    """A clip made from another one: twice as long, its first half the other's."""
    return studio.generate("a calm sea", model="testcard", clips=[clip.path], seconds=0.5, out=tmp_path / "longer.mp4")


def name_marks(monkeypatch: pytest.MonkeyPatch, *ids: str) -> None:
    """Let the detector name these marks, the first one first, whatever it would have named."""
    look = observation.observe

    def observe(path: Path, search: observation.Search, **rest: Any) -> observation.Observation:
        seen = look(path, search, **rest)
        first, *others = (WatermarkId(bytes.fromhex(each)) for each in ids)
        return replace(seen, detection=replace(seen.detection, id=first, others=tuple(others)))

    monkeypatch.setattr(observation, "observe", observe)


def encoded_again(clip: Clip, tmp_path: Path) -> Path:
    reencode(clip.path, tmp_path / "again.mp4", crf=26)
    return tmp_path / "again.mp4"


@pytest.mark.parametrize("turned", [False, True])
def test_of_two_marks_the_one_whose_clip_is_all_that_is_seen_speaks(
    longer: Clip, clip: Clip, home_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, turned: bool
) -> None:
    ids = [longer.watermark_id, clip.watermark_id]
    name_marks(monkeypatch, *(reversed(ids) if turned else ids))

    report = platemark.verify(encoded_again(longer, tmp_path), home=home_path)

    assert (report.verdict, report.recovered_from) == ("recovered", longer.clip_id)


def test_a_newer_mark_on_other_content_does_not_silence_the_one_that_fits(
    longer: Clip, clip: Clip, home_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, studio: Studio
) -> None:
    other = studio.generate("clouds at night", model="embedded", steps=2, seconds=0.5, out=tmp_path / "other.mp4")
    name_marks(monkeypatch, other.watermark_id, clip.watermark_id)

    report = platemark.verify(encoded_again(clip, tmp_path), home=home_path)

    assert (report.verdict, report.recovered_from) == ("recovered", clip.clip_id)


def test_where_no_mark_leads_to_what_is_seen_the_first_one_is_a_mismatch(
    longer: Clip, clip: Clip, home_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name_marks(monkeypatch, longer.watermark_id, clip.watermark_id)

    report = platemark.verify(make_unmarked(tmp_path / "film.mp4"), home=home_path)

    assert (report.verdict, report.axes.watermark) == ("mismatch", "mismatch")


def test_a_mark_that_was_issued_to_nobody_leaves_the_word_to_one_that_was(
    clip: Clip, home_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name_marks(monkeypatch, "00" * 8, clip.watermark_id)

    report = platemark.verify(encoded_again(clip, tmp_path), home=home_path)

    assert (report.verdict, report.recovered_from) == ("recovered", clip.clip_id)
