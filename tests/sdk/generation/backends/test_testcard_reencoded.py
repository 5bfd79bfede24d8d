"""The test card is the same bytes everywhere, and its seed is read again after what platforms do to clips."""

import hashlib
import io
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from platemark.clip import MAX_SEED, Size
from platemark.errors import GenerationError
from platemark.generation.backend import GenerationRequest
from platemark.generation.backends.testcard import TestCardGenerator, read_seed
from platemark.generation.resize import RGB, resize
from platemark.media.formats import EncodeSettings
from platemark.media.reencoding import reencode
from platemark.media.video import read_frames_rgb, write_video
from platemark.media.yuv import to_yuv420

SEEDS = [0, 1, 0x5555555555555555, 0x2AAAAAAAAAAAAAAA, MAX_SEED, 0x123456789ABCDEF, 2**62]

IN_ANOTHER_PROCESS = """
import hashlib, sys
from platemark.clip import Size
from platemark.generation.backend import GenerationRequest, open_generator
card = open_generator("testcard")
request = GenerationRequest(prompt="x", size=Size(322, 194), frames=3, fps=25, seed=int(sys.argv[1]))
print(hashlib.sha256(b"".join(frame.tobytes() for frame in card.generate(card.resolve(request)))).hexdigest())
assert "torch" not in sys.modules
"""


def draw(**changes: Any) -> list[RGB]:
    card = TestCardGenerator()
    values: dict[str, Any] = {"prompt": "anything", "size": Size(512, 288), "frames": 2, "fps": 12, "seed": 7}
    return list(card.generate(card.resolve(GenerationRequest(**(values | changes)))))


def as_jpeg(frame: RGB, *, quality: int) -> RGB:
    stored = io.BytesIO()
    Image.fromarray(frame).save(stored, "JPEG", quality=quality)
    return np.asarray(Image.open(stored).convert("RGB"))


def published(tmp_path: Path, frames: list[RGB], *, crf: int) -> list[RGB]:
    """The frames after our own encoder and then a platform's."""
    first, second = tmp_path / "first.mp4", tmp_path / "second.mp4"
    write_video((to_yuv420(frame) for frame in frames), first, settings=EncodeSettings(Fraction(12)))
    reencode(first, second, crf=crf)
    return list(read_frames_rgb(second))


@pytest.mark.parametrize("seed", [3, MAX_SEED])
def test_another_process_draws_the_same_bytes_without_torch(seed: int) -> None:
    here = hashlib.sha256(b"".join(frame.tobytes() for frame in draw(size=Size(322, 194), frames=3, fps=25, seed=seed)))

    there = subprocess.run(
        [sys.executable, "-c", IN_ANOTHER_PROCESS, str(seed)], capture_output=True, text=True, check=True
    ).stdout.strip()

    assert there == here.hexdigest()


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, MAX_SEED),
    width=st.integers(64, 300).map(lambda half: 2 * half),
    height=st.integers(64, 300).map(lambda half: 2 * half),
)
def test_every_seed_is_read_from_every_size(seed: int, width: int, height: int) -> None:
    (frame,) = draw(seed=seed, size=Size(width, height), frames=1)

    assert read_seed(frame) == seed


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, MAX_SEED - 1))
def test_neighbouring_seeds_are_different_cards(seed: int) -> None:
    (first,), (second,) = draw(seed=seed, frames=1), draw(seed=seed + 1, frames=1)

    assert not np.array_equal(first, second)
    assert (read_seed(first), read_seed(second)) == (seed, seed + 1)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("quality", [90, 60])
def test_the_seed_survives_a_still_as_jpeg(seed: int, quality: int) -> None:
    (frame,) = draw(seed=seed, frames=1)

    assert read_seed(as_jpeg(frame, quality=quality)) == seed


@pytest.mark.parametrize("seed", SEEDS)
def test_the_seed_survives_our_encoder_and_a_platforms(tmp_path: Path, seed: int) -> None:
    frames = published(tmp_path, draw(seed=seed, frames=4), crf=28)

    assert [read_seed(frame) for frame in frames] == [seed] * 4


@pytest.mark.parametrize("size", [(768, 432), (640, 360), (512, 512)])
def test_the_seed_survives_another_size(size: tuple[int, int]) -> None:
    (frame,) = draw(seed=0x123456789ABCDEF, frames=1)

    scaled = resize(frame.astype(np.float32), height=size[1], width=size[0]).clip(0, 255).astype(np.uint8)

    assert read_seed(scaled) == 0x123456789ABCDEF


@pytest.mark.parametrize("level", [65, 100, 128, 160, 190])
def test_a_strip_of_grey_is_refused_rather_than_guessed(level: int) -> None:
    (frame,) = draw(frames=1)
    frame[-18:] = level

    with pytest.raises(GenerationError, match="black or white"):
        read_seed(frame)


def test_one_grey_cell_is_enough_to_refuse() -> None:
    (frame,) = draw(seed=MAX_SEED, frames=1)
    frame[-18:, 80:88] = 120

    with pytest.raises(GenerationError, match="black or white"):
        read_seed(frame)


@pytest.mark.parametrize(("fps", "frames"), [(1, 60), (60, 60), (24, 1)])
def test_the_rate_does_not_change_what_a_frame_shows(fps: int, frames: int) -> None:
    slow, fast = draw(fps=12, frames=1)[0], draw(fps=fps, frames=frames)

    assert len(fast) == frames
    assert np.array_equal(fast[0], slow)


def test_a_shorter_card_is_the_beginning_of_a_longer_one() -> None:
    assert np.array_equal(draw(frames=5), draw(frames=9)[:5])


def test_the_prompt_changes_no_pixel() -> None:
    assert np.array_equal(draw(prompt="one"), draw(prompt="둘, three"))


def test_a_frame_the_caller_paints_over_does_not_show_in_the_next() -> None:
    card = TestCardGenerator()
    request = GenerationRequest(prompt="x", size=Size(128, 128), frames=2, fps=12, seed=1)
    expected = list(card.generate(card.resolve(request)))

    frames = card.generate(card.resolve(request))
    next(frames)[:] = 0

    assert np.array_equal(next(frames), expected[1])
