"""Every kind of request is planned before anything is sampled, and the plan is told in words."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from platemark.clip import Size
from platemark.errors import RequestError
from platemark.generation.backend import GenerationRequest
from platemark.generation.card import ModelCard
from platemark.generation.given import Conditioning, Footage
from platemark.generation.shaping import Shape, plan_ring, plan_shape
from platemark.generation.text import understand

SHAPES = {"1:1": (512, 512), "16:9": (640, 360), "9:16": (360, 640), "4:3": (640, 480), "2.39:1": (612, 256)}


def shape_of(card: ModelCard, prompt: str, conditioning: Conditioning, **changes: Any) -> Shape:
    values: dict[str, Any] = {"size": Size(128, 128), "frames": 24, "fps": 12, "seed": 1} | changes
    request = GenerationRequest(prompt=prompt, conditioning=conditioning, **values)
    return plan_shape(card, understand(prompt).values, request)


def run(first: int, count: int = 1) -> Footage:
    return Footage(first, np.zeros((count, 128, 128, 3), np.uint8))


def test_a_plain_clip_is_planned_as_ever(card: ModelCard) -> None:
    shape = shape_of(card, "a sea", Conditioning())

    assert (shape.clip.latent_frames, shape.walks, shape.conditions) == (7, 2, ())
    assert shape.native_frames == shape.clip.native_frames


def test_given_frames_are_told_with_what_is_made(card: ModelCard) -> None:
    shape = shape_of(card, "a sea", Conditioning(given=(run(0, 3), run(12))))

    assert shape.conditions == (
        "frames 0 to 2 kept as given",
        "frame 12 kept as given",
        "frames 3 to 11 made from 10 native frames, 0.90 times the natural pace",
        "frames 13 to 23 made from 12 native frames, 1.00 times the natural pace",
    )
    assert shape.walks == 2


def test_a_clip_of_given_frames_alone_is_refused(card: ModelCard) -> None:
    with pytest.raises(RequestError, match="nothing to make"):
        shape_of(card, "a sea", Conditioning(given=(run(0, 24),)))


@pytest.mark.parametrize("prompt", ["a sea", "a red circle", "a bar chart"])
def test_a_changed_clip_keeps_its_own_time(card: ModelCard, prompt: str) -> None:
    shape = shape_of(card, prompt, Conditioning(source=run(0, 24), strength=0.6))

    assert (shape.clip.pace, shape.clip.last, shape.clip.slower) == (1.0, 23.0, None)
    assert "0.6" in shape.conditions[0]


@pytest.mark.parametrize("prompt", ["a sea", "clouds", "a globe", "city in snow", "a spinning square"])
def test_what_goes_on_can_be_a_loop(card: ModelCard, prompt: str) -> None:
    shape = shape_of(card, prompt, Conditioning(shape="loop"))

    assert shape.ring is not None
    assert (shape.ring.latents, shape.native_frames) == (6, 24)
    assert "ring of 24 native frames" in shape.conditions[0]


@pytest.mark.parametrize("prompt", ["a circle moving left", "a growing square", "a bar chart", "a bouncing ball"])
def test_what_ends_or_turns_back_cannot(card: ModelCard, prompt: str) -> None:
    with pytest.raises(RequestError, match="seamless loop") as refusal:
        shape_of(card, prompt, Conditioning(shape="loop"))

    assert "globe" in refusal.value.fix


@pytest.mark.parametrize("frames", [1, 2])
def test_a_loop_without_an_inner_step_is_refused(frames: int) -> None:
    with pytest.raises(RequestError, match="at least 3"):
        plan_ring(frames, natural=1.0, group=4)


@settings(max_examples=100, deadline=None)
@given(frames=st.integers(3, 3600), natural=st.floats(0.2, 12.0))
def test_a_ring_is_gone_around_once(frames: int, natural: float) -> None:
    ring = plan_ring(frames, natural=natural, group=4)

    assert ring.latents >= 2
    assert ring.pace * frames == pytest.approx(4 * ring.latents)
    assert ring.latents == 2 or abs(ring.latents * 4 - frames * natural) <= 2.0001


@pytest.mark.parametrize(
    ("prompt", "moment"), [("a sea", 8), ("a red circle", 8), ("a bar chart rising", 16), ("a chart falling", 8)]
)
def test_a_still_shows_a_telling_moment(card: ModelCard, prompt: str, moment: int) -> None:
    shape = shape_of(card, prompt, Conditioning(shape="still"), frames=1)

    assert shape.clip.last == moment
    assert shape.conditions == (f"native frame {moment} of a clip of 17",)
    assert shape.walks == 1


def test_a_still_of_two_frames_is_refused(card: ModelCard) -> None:
    with pytest.raises(RequestError, match="one frame"):
        shape_of(card, "a sea", Conditioning(shape="still"), frames=2)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("kind", ["still", "loop", "clip"])
def test_requested_and_actual_sizes_are_told(card: ModelCard, kind: Any, shape: tuple[int, int]) -> None:
    size = Size(*shape)
    frames = {"still": 1}.get(kind, 24)

    planned = shape_of(card, "a sea", Conditioning(shape=kind), size=size, frames=frames)

    assert f"{planned.clip.native_width}x{planned.clip.native_height}" in planned.resampling
    assert str(size) in planned.resampling
