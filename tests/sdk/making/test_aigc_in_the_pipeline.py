"""A home that asks for China's statement gets it in every clip, under the signature; others never do."""

from pathlib import Path

import pytest
from odd_clips import write_clip

import platemark
from platemark.clip import Clip
from platemark.compliance import gathering
from platemark.compliance.gathering import gather
from platemark.media.aigc import AigcStatement
from platemark.media.stating import AigcFound, read_aigc
from platemark.media.video import Luma, read_luma, remux_without_metadata
from platemark.studio import Studio
from platemark.verifying import observation
from platemark_provenance.digest import sha256_file


@pytest.fixture
def stating_home(home_path: Path) -> Path:
    """A home that writes the statement."""
    config = home_path / "platemark.toml"
    config.write_text(config.read_text("utf-8").replace("write = false", "write = true"), "utf-8")
    return home_path


@pytest.fixture
def stated(stating_home: Path, tmp_path: Path) -> Clip:
    """A clip of that home."""
    with Studio.open(stating_home) as studio:
        return studio.generate("a calm sea", model="testcard", seconds=0.5, size="128x128", out=tmp_path / "clip.mp4")


def test_it_names_the_organisation_and_the_clip_and_survives_signing(stated: Clip, stating_home: Path) -> None:
    said = AigcStatement("1", "Daily Example", stated.clip_id)

    assert read_aigc(stated.path) == AigcFound(said, said)
    assert platemark.verify(stated.path, home=stating_home).verdict == "trusted"


def test_the_signature_covers_it(stated: Clip, stating_home: Path) -> None:
    content = stated.path.read_bytes()
    stated.path.write_bytes(content.replace(b'"Label": "1"', b'"Label": "3"'))

    assert platemark.verify(stated.path, home=stating_home).verdict == "tampered"


def test_a_producers_own_code_takes_the_organisations_place(stating_home: Path, tmp_path: Path) -> None:
    config = stating_home / "platemark.toml"
    config.write_text(config.read_text("utf-8").replace('producer = ""', 'producer = "001191"'), "utf-8")

    with Studio.open(stating_home) as studio:
        clip = studio.generate("a calm sea", model="testcard", seconds=0.5, size="128x128", out=tmp_path / "c.mp4")

    tag = read_aigc(clip.path).tag
    assert tag is not None
    assert tag.producer == "001191"


def test_a_stamped_clip_carries_it_too_with_its_sound(stating_home: Path, tmp_path: Path) -> None:
    write_clip(tmp_path / "source.mp4", sound=True)

    with Studio.open(stating_home) as studio:
        clip = studio.stamp(tmp_path / "source.mp4", generator="elsewhere", out=tmp_path / "stamped.mp4")

    tag = read_aigc(clip.path).tag
    assert tag is not None
    assert tag.produce_id == clip.clip_id
    assert platemark.verify(clip.path, home=stating_home).verdict == "trusted"


def test_a_still_has_no_container_to_say_it_in(stating_home: Path, tmp_path: Path) -> None:
    with Studio.open(stating_home) as studio:
        clip = studio.generate("a calm sea", model="testcard", size="128x128", out=tmp_path / "still.png")

    assert platemark.verify(clip.path, home=stating_home).verdict == "trusted"


def test_a_home_that_does_not_ask_for_it_writes_nothing(clip: Clip) -> None:
    assert read_aigc(clip.path) == AigcFound()


def test_a_published_copy_carries_it_on(stated: Clip, stating_home: Path) -> None:
    with Studio.open(stating_home) as studio:
        done = studio.correct(stated.path, reason="Wrong date", by="Lee Sora")

    assert done.path is not None
    assert read_aigc(done.path) == read_aigc(stated.path)


# The picture is decoded once


@pytest.fixture
def decodings(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Every file whose picture is decoded, each time."""
    seen: list[Path] = []

    def count(path: Path) -> "object":
        seen.append(path)
        return read_luma(path)

    monkeypatch.setattr(gathering, "luma_frames", count)
    monkeypatch.setattr(observation, "luma_frames", count)
    return seen


@pytest.mark.parametrize("kind", ["as published", "stripped"])
def test_gathering_evidence_decodes_the_picture_once(
    clip: Clip, studio: Studio, tmp_path: Path, decodings: list[Path], kind: str
) -> None:
    remux_without_metadata(clip.path, tmp_path / "stripped.mp4")
    path = {"as published": clip.path, "stripped": tmp_path / "stripped.mp4"}[kind]

    evidence = gather(studio.home, path)

    assert decodings == [path]
    assert evidence.label.whole
    assert evidence.label.frames == evidence.frames == 6


def test_a_copy_whose_record_promises_a_wording_of_its_own_is_looked_at_again(
    studio: Studio, tmp_path: Path, decodings: list[Path]
) -> None:
    made = studio.generate(
        "a calm sea", model="testcard", seconds=0.5, size="256x256", label_text="Model: AI",
        out=tmp_path / "own.mp4",
    )  # fmt: skip
    remux_without_metadata(made.path, tmp_path / "stripped.mp4")

    evidence = gather(studio.home, tmp_path / "stripped.mp4")

    assert evidence.label.sighting is not None
    assert evidence.label.sighting.text == "Model: AI"
    assert len(decodings) == 2


def test_frames_are_luma_planes(clip: Clip) -> None:
    first: Luma = next(iter(read_luma(clip.path)))

    assert first.ndim == 2
    assert sha256_file(clip.path) == clip.sha256
