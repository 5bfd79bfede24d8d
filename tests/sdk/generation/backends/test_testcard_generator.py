"""The test card is a function of seed, frame number and size, and needs no model."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from platemark.clip import MAX_SEED, Size
from platemark.errors import Cancelled, GenerationError, RequestError
from platemark.generation.backend import CancelToken, GenerationRequest, Progress
from platemark.generation.backends.testcard import TestCardGenerator, read_seed
from platemark.generation.resize import RGB

Frames = Callable[..., list[RGB]]


@pytest.fixture
def frames() -> Frames:
    """Draws the frames of a request that differs from a small one in what is named."""

    def draw(**changes: Any) -> list[RGB]:
        generator = TestCardGenerator()
        return list(generator.generate(generator.resolve(request(**changes))))

    return draw


def request(**changes: Any) -> GenerationRequest:
    values: dict[str, Any] = {"prompt": "anything", "size": Size(256, 192), "frames": 4, "fps": 12, "seed": 7}
    return GenerationRequest(**(values | changes))


@pytest.mark.parametrize("size", [Size(128, 128), Size(130, 250), Size(1280, 720), Size(128, 2048)])
def test_frames_have_the_size_and_number_asked_for(frames: Frames, size: Size) -> None:
    drawn = frames(size=size, frames=2)

    assert [frame.shape for frame in drawn] == [(size.height, size.width, 3)] * 2
    assert {frame.dtype for frame in drawn} == {np.dtype(np.uint8)}


def test_the_same_request_gives_the_same_bytes(frames: Frames) -> None:
    assert np.array_equal(frames(), frames())


def test_another_seed_gives_other_frames(frames: Frames) -> None:
    assert not np.array_equal(frames(seed=1)[0], frames(seed=2)[0])


def test_every_frame_differs_from_the_one_before(frames: Frames) -> None:
    first, second, third, _ = frames()

    assert not np.array_equal(first, second)
    assert not np.array_equal(second, third)


@pytest.mark.parametrize("seed", [0, 1, 7, 2**31, 0x0123456789ABCDEF, MAX_SEED])
@pytest.mark.parametrize("size", [Size(128, 128), Size(514, 300), Size(1920, 1080)])
def test_the_seed_can_be_read_from_every_frame(frames: Frames, seed: int, size: Size) -> None:
    drawn = frames(seed=seed, size=size, frames=2)

    assert [read_seed(frame) for frame in drawn] == [seed, seed]


def test_the_seed_survives_mild_noise(frames: Frames) -> None:
    noise = np.random.default_rng(0).integers(-20, 20, (192, 256, 3))

    noisy = (frames(seed=99)[0].astype(int) + noise).clip(0, 255).astype(np.uint8)

    assert read_seed(noisy) == 99


def test_a_frame_without_a_seed_is_refused() -> None:
    with pytest.raises(GenerationError, match="seed strip"):
        read_seed(np.full((128, 128, 3), 128, np.uint8))


def test_the_bars_are_those_of_a_colour_bar_card(frames: Frames) -> None:
    top = frames()[0][2]

    colours = [tuple(int(level) for level in top[256 * (2 * bar + 1) // 16]) for bar in range(8)]
    assert colours[0] == (191, 191, 191)
    assert colours[5] == (191, 0, 0)
    assert len(set(colours)) == 8


def test_the_box_moves_without_leaving_the_frame(frames: Frames) -> None:
    drawn = frames(frames=300, fps=60, size=Size(128, 128))

    columns = [np.flatnonzero((frame[34] == 235).all(axis=1)) for frame in drawn]
    assert min(len(lit) for lit in columns) == 16
    assert len({int(lit[0]) for lit in columns}) > 50


def test_the_card_has_texture_for_a_watermark_to_hold(frames: Frames) -> None:
    slope = frames()[0][130:170].astype(float)

    assert slope.std() > 5


def test_nothing_of_the_prompt_is_understood_and_that_is_said() -> None:
    resolved = TestCardGenerator().resolve(request(prompt="A red ball, a RED ball 빨간 공"))

    assert resolved.ignored_words == ("a", "red", "ball", "빨간", "공")
    assert resolved.understood == {"scene": "a test card"}


def test_the_plan_says_that_nothing_is_resampled() -> None:
    resolved = TestCardGenerator().resolve(request())

    assert (resolved.native_width, resolved.native_height, resolved.native_frames) == (256, 192, 4)
    assert resolved.resampling.startswith("none")


def test_the_cost_grows_with_the_picture() -> None:
    generator = TestCardGenerator()

    small, large = (
        generator.estimate(generator.resolve(request(size=size))) for size in (Size(128, 128), Size(2048, 2048))
    )

    assert small.seconds < large.seconds
    assert small.peak_bytes < large.peak_bytes
    assert small.forwards == 0


def test_the_card_has_no_weights_to_name() -> None:
    info = TestCardGenerator().info

    assert info.weights_sha256 is None
    assert info.native_size is None
    assert info.card["limits"]


def test_progress_counts_the_frames() -> None:
    generator, seen = TestCardGenerator(), list[Progress]()

    list(generator.generate(generator.resolve(request()), on_progress=seen.append))

    assert seen == [Progress("decode", step, 4) for step in (1, 2, 3, 4)]


def test_a_cancelled_card_ends_at_the_next_frame() -> None:
    generator, token = TestCardGenerator(), CancelToken()
    stream = generator.generate(generator.resolve(request()), cancel=token)
    next(stream)

    token.cancel()

    with pytest.raises(Cancelled):
        next(stream)


def test_frames_are_drawn_only_when_asked_for() -> None:
    generator, seen = TestCardGenerator(), list[Progress]()
    stream = generator.generate(generator.resolve(request()), on_progress=seen.append)

    next(stream)
    next(stream)

    assert len(seen) == 1


def test_a_plan_of_another_generator_is_refused() -> None:
    generator = TestCardGenerator()
    foreign = replace(generator.resolve(request()), model="embedded")

    with pytest.raises(RequestError, match="embedded"):
        next(generator.generate(foreign))
