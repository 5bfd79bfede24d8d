"""A label with an icon, in clips: named by manifest and result, found by its words, part of what is approved."""

from pathlib import Path
from typing import Any

import pytest
from odd_clips import write_clip
from PIL import Image, ImageDraw

import platemark
from platemark.clip import ClipRequest, Size
from platemark.errors import MediaError
from platemark.making.job_facts import label_words
from platemark.media.label_reading import LabelReader
from platemark.media.video import read_luma
from platemark.studio import Studio
from platemark_provenance.digest import sha256_file
from platemark_provenance.verification import read_provenance

SHORT: dict[str, Any] = {"model": "testcard", "seconds": 0.5, "size": "128x128", "seed": 7}


@pytest.fixture
def ring(tmp_path: Path) -> Path:
    """A white ring on nothing."""
    picture = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
    ImageDraw.Draw(picture).ellipse((4, 4, 59, 59), outline=(255, 255, 255, 255), width=11)
    picture.save(tmp_path / "ring.png")
    return tmp_path / "ring.png"


def stated_icon(clip: Path, studio: Studio) -> str | None:
    own = read_provenance(clip, studio.home.trust_store()).own
    return own.label.icon_sha256 if own and own.label else None


def is_labelled(clip: Path) -> bool:
    reader = LabelReader()
    return all([reader.feed(frame) for frame in read_luma(clip)])


def test_a_made_clip_carries_it_and_says_which(studio: Studio, ring: Path, tmp_path: Path) -> None:
    made = studio.generate("a calm sea", **SHORT, label_icon=ring, out=tmp_path / "clip.mp4")

    sha256 = sha256_file(ring)
    assert made.label.to_json()["icon"] == sha256
    assert stated_icon(made.path, studio) == sha256
    assert is_labelled(made.path)
    assert platemark.verify(made.path, home=studio.home.path).verdict == "trusted"


def test_a_stamped_clip_gets_it_even_where_the_words_stood_already(studio: Studio, ring: Path, tmp_path: Path) -> None:
    write_clip(tmp_path / "source.mp4")
    plain = studio.stamp(tmp_path / "source.mp4", generator="V", out=tmp_path / "plain.mp4")

    made = studio.stamp(plain.path, generator="V", label_icon=ring, out=tmp_path / "out.mp4")

    assert made.source.label == "drawn"
    assert stated_icon(made.path, studio) == made.label.icon_sha256 == sha256_file(ring)
    assert is_labelled(made.path)


def test_a_home_can_have_one_on_every_clip_and_still(home_path: Path, ring: Path, tmp_path: Path) -> None:
    config = home_path / "platemark.toml"
    config.write_text(config.read_text("utf-8").replace('icon = ""', f'icon = "{ring}"'), "utf-8")

    with Studio.open(home_path) as studio:
        still = studio.generate("a calm sea", model="testcard", size="128x128", out=tmp_path / "still.png")

    assert still.label.icon_sha256 == sha256_file(ring)


def test_one_that_cannot_be_used_is_refused_before_anything_is_logged(studio: Studio, tmp_path: Path) -> None:
    before = studio.ledger.head().size

    with pytest.raises(MediaError, match="not a file"):
        studio.generate("a calm sea", **SHORT, label_icon=tmp_path / "none.png", out=tmp_path / "clip.mp4")

    assert studio.ledger.head().size == before
    assert not (tmp_path / "clip.mp4").exists()


@pytest.mark.parametrize(("icon", "words"), [("", ["en", "AI"]), ("ab" * 32, ["en", "AI", "ab" * 32])])
def test_an_approval_is_for_one_icon_and_those_without_stay_as_they_were(icon: str, words: list[str]) -> None:
    request = ClipRequest(
        prompt="a sea", seconds=1, size=Size(128, 128), fps=12, seed=1, model="m", label_text="AI", label_icon=icon
    )

    assert label_words(request) == words


def test_the_command_line_takes_one(home_path: Path, ring: Path, tmp_path: Path) -> None:
    from platemark.cli import main

    words = ["a calm sea", "--model", "testcard", "--seconds", "0.5", "--size", "128x128", "--home", str(home_path)]
    code = main(["generate", *words, "--label-icon", str(ring), "--json", "--out", str(tmp_path / "clip.mp4")])

    assert code == 0
    with Studio.open(home_path) as studio:
        assert stated_icon(tmp_path / "clip.mp4", studio) == sha256_file(ring)
