"""A changed clip keeps the layout of its source and follows its new words, and both are measured."""

import numpy as np
import pytest

from platemark.bench import generation_edit as edit
from platemark.bench.claims import Options
from platemark.generation.backends.embedded import EmbeddedGenerator


@pytest.fixture(scope="module")
def generator() -> EmbeddedGenerator:
    return EmbeddedGenerator(threads=1)


def test_an_edit_keeps_the_layout_and_follows_the_words(generator: EmbeddedGenerator) -> None:
    found = edit.edited(generator, strength=0.6)

    assert found.kept > 0.5
    assert found.kept > found.kept_by_words + 0.3
    assert found.followed > 0.4


def test_little_strength_keeps_more_and_follows_less(generator: EmbeddedGenerator) -> None:
    little, much = (edit.edited(generator, strength=strength) for strength in (0.3, 0.9))

    assert little.kept > much.kept
    assert little.followed < much.followed


def test_full_strength_is_the_words_alone(generator: EmbeddedGenerator) -> None:
    found = edit.edited(generator, strength=1.0)

    assert found.kept == pytest.approx(found.kept_by_words, abs=1e-6)
    assert found.followed == pytest.approx(1, abs=1e-6)


def test_both_claims_have_a_target_and_the_words_alone_beside_them() -> None:
    layout, words = edit.measure_edit(Options(quick=True))

    assert (layout.target, words.target) == (0.5, 0.5)
    assert layout.least
    assert "without the clip" in (layout.peer or "")


def test_a_clip_is_like_itself_at_any_brightness_and_like_nothing_in_its_negative() -> None:
    clip = np.random.default_rng(1).integers(20, 120, (3, 8, 8, 3), dtype=np.uint8)

    assert edit.likeness(clip, clip) == pytest.approx(1)
    assert edit.likeness(clip, clip + 40) == pytest.approx(1)
    assert edit.likeness(clip, 255 - clip) == pytest.approx(-1)


def test_a_picture_without_a_pattern_is_like_nothing() -> None:
    plain = np.full((2, 4, 4, 3), 90, np.uint8)

    assert edit.likeness(plain, plain) == 0


@pytest.mark.parametrize(("colour", "warmth"), [((200, 0, 50), 150), ((0, 0, 0), 0), ((10, 90, 250), -240)])
def test_warmth_is_red_less_blue(colour: tuple[int, int, int], warmth: int) -> None:
    assert edit.warmth(np.full((2, 4, 4, 3), colour, np.uint8)) == warmth
