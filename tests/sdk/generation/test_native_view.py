"""A given frame and a made one lie on one another: the view is the inverse of the fit."""

import numpy as np
import pytest

from platemark.clip import Size
from platemark.generation.card import ModelCard
from platemark.generation.finish import fit_frame
from platemark.generation.native_view import native_view
from platemark.generation.plan import ClipPlan, plan_clip
from platemark.generation.resize import RGB, resize
from platemark.generation.text import understand

SHAPES = {"1:1": (512, 512), "16:9": (640, 360), "9:16": (360, 640), "4:3": (640, 480), "2.39:1": (612, 256)}


def smooth_frame(size: Size) -> RGB:
    """A picture with no detail that a small grid could lose."""
    y, x = np.mgrid[0 : size.height, 0 : size.width] / max(size.width, size.height)
    frame: RGB = np.rint(np.stack([60 + 150 * x, 60 + 150 * y, 200 - 100 * x * y], axis=-1)).astype(np.uint8)
    return frame


def plan_for(card: ModelCard, prompt: str, size: Size) -> ClipPlan:
    return plan_clip(card, understand(prompt).values, size, frames=1, fps=12)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("prompt", ["a calm sea", "city in rain"])
def test_fitting_what_was_seen_gives_the_frame_back(card: ModelCard, prompt: str, shape: tuple[int, int]) -> None:
    size = Size(*shape)
    plan, frame = plan_for(card, prompt, size), smooth_frame(size)

    seen = native_view(frame, plan)
    back = fit_frame(seen, plan, width=size.width, height=size.height)

    assert seen.shape == (plan.native_height, plan.native_width, 3)
    assert float(np.abs(back.astype(float) - frame).mean()) < 1.0


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_of_a_frame_with_an_even_background_the_middle_is_seen(card: ModelCard, shape: tuple[int, int]) -> None:
    size = Size(*shape)
    plan, frame = plan_for(card, "a red circle", size), smooth_frame(size)
    side = min(shape)
    middle = frame[(size.height - side) // 2 :, (size.width - side) // 2 :][:side, :side]

    seen = native_view(frame, plan)

    assert np.array_equal(seen, resize(middle.astype(np.float32), height=64, width=64).clip(0, 255))


def test_values_stay_within_eight_bits(card: ModelCard) -> None:
    hard = np.zeros((128, 128, 3), np.uint8)
    hard[40:90, 40:90] = 255

    seen = native_view(hard, plan_for(card, "a sea", Size(128, 128)))

    assert (float(seen.min()), float(seen.max())) == (0.0, 255.0)
