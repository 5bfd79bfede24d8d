"""The embedded generator really samples: its frames show what the prompt says, and the same every time."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from platemark.clip import Size
from platemark.errors import Cancelled, GenerationError, RequestError
from platemark.generation.backend import CancelToken, GenerationRequest, Progress, ResolvedRequest
from platemark.generation.backends import embedded as embedded_backend
from platemark.generation.backends.embedded import EmbeddedGenerator
from platemark.generation.resize import RGB

RequestMaker = Callable[..., GenerationRequest]
Maker = Callable[..., list[RGB]]


@pytest.fixture
def make(embedded: EmbeddedGenerator, make_request: RequestMaker) -> Maker:
    """Makes the frames of a request."""

    def frames(prompt: str, **changes: Any) -> list[RGB]:
        return list(embedded.generate(embedded.resolve(make_request(prompt, **changes))))

    return frames


def mean_colour(frame: RGB, rows: slice = slice(None), columns: slice = slice(None)) -> list[float]:
    return [float(level) for level in frame[rows, columns].reshape(-1, 3).mean(axis=0)]


def redness(frame: RGB) -> NDArray[np.float64]:
    picture = frame.astype(np.float64)
    red: NDArray[np.float64] = picture[..., 0] - picture[..., 1:].max(axis=2)
    return red


# -- what is seen ----------------------------------------------------------------------------------------------------


def test_a_red_circle_on_white_is_red_on_white(make: Maker) -> None:
    frame = make("a red circle moving right on a white background", steps=8, frames=9)[8]

    corners = np.concatenate([frame[:16, :16].reshape(-1, 3), frame[-16:, -16:].reshape(-1, 3)])
    assert corners.mean() > 210
    assert (redness(frame) > 80).mean() > 0.02


def test_a_circle_that_moves_right_moves_right(make: Maker) -> None:
    drawn = make("a red circle moving right on a white background", steps=8, frames=17)

    columns = [np.average(np.arange(128), weights=(redness(frame) > 60).sum(axis=0) + 1e-9) for frame in drawn]
    assert columns[-1] - columns[0] > 15


def test_bars_that_rise_rise(make: Maker) -> None:
    drawn = make("four red bars rising on a white background", steps=8, frames=17)

    red = [(redness(frame) > 60).mean() for frame in drawn]
    assert red[-1] > 2 * red[0]


@pytest.mark.parametrize(
    ("prompt", "brighter"),
    [("a calm blue sea by day", True), ("a calm blue sea at night", False)],
)
def test_the_time_of_day_is_seen_in_the_sky(make: Maker, prompt: str, brighter: bool) -> None:
    frame = make(prompt, steps=6)[0]

    assert (float(np.mean(mean_colour(frame, slice(0, 30)))) > 100) == brighter


def test_the_same_prompt_in_korean_gives_the_same_frames(make: Maker) -> None:
    english = make("light rain over a city at night")
    korean = make("밤 도시에 약한 비")

    assert np.array_equal(english, korean)


# -- determinism -----------------------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_bytes(make: Maker) -> None:
    assert np.array_equal(make("a calm sea"), make("a calm sea"))


def test_a_generator_opened_anew_gives_the_same_bytes(make: Maker, make_request: RequestMaker) -> None:
    other = EmbeddedGenerator(threads=1)

    frames = list(other.generate(other.resolve(make_request("a calm sea"))))

    assert np.array_equal(frames, make("a calm sea"))


def test_another_seed_gives_other_frames(make: Maker) -> None:
    assert not np.array_equal(make("many clouds", seed=1), make("many clouds", seed=2))


def test_the_largest_seed_can_be_used(make: Maker) -> None:
    assert len(make("a calm sea", seed=2**63 - 1)) == 3


def test_the_state_of_torch_makes_no_difference_and_is_left_alone(make: Maker) -> None:
    torch.manual_seed(1)
    first = make("a calm sea")
    torch.manual_seed(2)
    state = torch.get_rng_state()

    second = make("a calm sea")

    assert np.array_equal(first, second)
    assert torch.equal(torch.get_rng_state(), state)


def test_a_longer_clip_begins_like_a_shorter_one(make: Maker) -> None:
    """Up to the last latent frame of the shorter one, which has no neighbour to be evened out with."""
    short, long = make("a calm sea", frames=4), make("a calm sea", frames=8)

    assert np.array_equal(short[:3], long[:3])


# -- sizes, lengths, rates -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [Size(128, 128), Size(640, 360), Size(134, 300), Size(2048, 128), Size(128, 2048)])
@pytest.mark.parametrize("prompt", ["a calm sea", "a red square growing"])
def test_frames_have_the_size_asked_for(make: Maker, prompt: str, size: Size) -> None:
    drawn = make(prompt, size=size, frames=1)

    assert drawn[0].shape == (size.height, size.width, 3)
    assert drawn[0].dtype == np.uint8


@pytest.mark.parametrize(("frames", "fps"), [(1, 12), (5, 60), (18, 12), (7, 7), (3, 1), (40, 24)])
@pytest.mark.parametrize("prompt", ["a calm sea", "three bars rising"])
def test_as_many_frames_come_as_were_asked_for(make: Maker, prompt: str, frames: int, fps: int) -> None:
    assert len(make(prompt, frames=frames, fps=fps, steps=1)) == frames


def test_a_clip_of_several_windows_does_not_jump_where_they_meet(make: Maker) -> None:
    drawn = np.asarray(make("a calm sea at sunset", frames=33, steps=8)).astype(np.float32)

    steps = np.abs(np.diff(drawn, axis=0)).mean(axis=(1, 2, 3))
    assert steps[16] < 3 * np.median(steps)


def test_a_clip_of_several_windows_keeps_its_colours(make: Maker) -> None:
    drawn = make("a calm sea at sunset", frames=49, steps=8)

    first, last = mean_colour(drawn[0]), mean_colour(drawn[-1])
    assert max(abs(a - b) for a, b in zip(first, last, strict=True)) < 15


def test_a_motion_that_ended_holds_its_last_frame(make: Maker) -> None:
    drawn = make("three red bars rising", frames=40, steps=4)

    assert np.array_equal(drawn[-1], drawn[-5])
    assert not np.array_equal(drawn[0], drawn[-1])


def test_a_wide_sea_fills_the_frame(make: Maker) -> None:
    frame = make("a calm blue sea by day", size=Size(640, 256), steps=6, frames=1)[0]

    left, right = (
        mean_colour(frame, slice(200, 256), slice(0, 60)),
        mean_colour(frame, slice(200, 256), slice(580, 640)),
    )
    assert min(left[2] - left[0], right[2] - right[0]) > 40


def test_a_tall_frame_of_a_shape_has_its_background_above_and_below(make: Maker) -> None:
    frame = make("a red circle growing on a white background", size=Size(128, 384), steps=8, frames=9)[8]

    assert min(np.mean(mean_colour(frame, slice(0, 100))), np.mean(mean_colour(frame, slice(284, 384)))) > 200


# -- plan and cost ---------------------------------------------------------------------------------------------------


@pytest.fixture
def resolved(embedded: EmbeddedGenerator, make_request: RequestMaker) -> ResolvedRequest:
    """The plan of the README's prompt."""
    return embedded.resolve(
        make_request("city lights at night, light rain", size=Size(512, 512), frames=24, steps=None)
    )


def test_the_plan_says_what_is_really_made(resolved: ResolvedRequest) -> None:
    assert (resolved.native_width, resolved.native_height) == (64, 64)
    assert (resolved.native_frames, resolved.native_fps) == (25, 12)
    assert (resolved.steps, resolved.guidance) == (8, 1.0)
    assert "64x64" in resolved.resampling
    assert "512x512" in resolved.resampling


def test_only_a_negative_prompt_needs_guidance(embedded: EmbeddedGenerator, make_request: RequestMaker) -> None:
    request = make_request("a calm sea")
    against = replace(request, controls=replace(request.controls, negative_prompt="night"))

    assert embedded.resolve(request).guidance == 1.0
    assert embedded.resolve(against).guidance == 2.0
    assert (
        embedded.estimate(embedded.resolve(request)).forwards * 2
        == embedded.estimate(embedded.resolve(against)).forwards
    )


def test_the_plan_says_what_was_understood(resolved: ResolvedRequest) -> None:
    assert resolved.understood == {"scene": "a city in rain", "time": "night", "amount": "light"}
    assert resolved.assumed == {}
    assert resolved.ignored_words == ()


def test_words_that_will_not_be_seen_are_in_the_plan(embedded: EmbeddedGenerator, make_request: RequestMaker) -> None:
    plan = embedded.resolve(make_request("a president at the sea"))

    assert plan.ignored_words == ("president",)


def test_a_prompt_the_model_cannot_show_is_refused_before_anything_is_loaded(make_request: RequestMaker) -> None:
    fresh = EmbeddedGenerator()

    with pytest.raises(RequestError, match="can show"):
        fresh.resolve(make_request("a football match"))


def test_the_caller_may_choose_steps_and_guidance(embedded: EmbeddedGenerator, make_request: RequestMaker) -> None:
    plan = embedded.resolve(make_request("a calm sea", steps=5, guidance=4.0))

    assert (plan.steps, plan.guidance) == (5, 4.0)


def test_guidance_of_one_halves_the_forwards(embedded: EmbeddedGenerator, make_request: RequestMaker) -> None:
    guided = embedded.estimate(embedded.resolve(make_request("a calm sea", guidance=2.0)))
    free = embedded.estimate(embedded.resolve(make_request("a calm sea", guidance=1.0)))

    assert guided.forwards == 2 * free.forwards


def test_a_longer_clip_costs_more_time_but_no_more_memory(
    embedded: EmbeddedGenerator, make_request: RequestMaker
) -> None:
    short = embedded.estimate(embedded.resolve(make_request("a calm sea", frames=12)))
    long = embedded.estimate(embedded.resolve(make_request("a calm sea", frames=720)))

    assert long.seconds > short.seconds
    assert long.peak_bytes == short.peak_bytes


def test_the_info_names_the_weights_of_the_card(embedded: EmbeddedGenerator) -> None:
    info = embedded.info

    assert info.weights_sha256 is not None
    assert len(info.weights_sha256) == 64
    assert str(info.native_size) == "64x64"
    assert info.card["weights"]["transformer"]["sha256"]


@pytest.mark.parametrize("threads", [0, -1])
def test_an_impossible_number_of_threads_is_refused(threads: int) -> None:
    with pytest.raises(RequestError, match="threads"):
        EmbeddedGenerator(threads=threads)


def test_a_plan_of_another_generator_is_refused(embedded: EmbeddedGenerator, resolved: ResolvedRequest) -> None:
    with pytest.raises(RequestError, match="testcard"):
        next(embedded.generate(replace(resolved, model="testcard")))


# -- progress and cancellation ---------------------------------------------------------------------------------------


def test_progress_tells_of_reading_denoising_and_decoding(
    embedded: EmbeddedGenerator, make_request: RequestMaker
) -> None:
    seen: list[Progress] = []

    list(embedded.generate(embedded.resolve(make_request(frames=5, steps=3)), on_progress=seen.append))

    assert seen == [
        Progress("text", 1, 1),
        Progress("denoise", 1, 3),
        Progress("denoise", 2, 3),
        Progress("denoise", 3, 3),
        Progress("decode", 1, 2),
        Progress("decode", 2, 2),
    ]


def test_progress_counts_the_steps_of_all_windows(embedded: EmbeddedGenerator, make_request: RequestMaker) -> None:
    seen: list[Progress] = []

    list(embedded.generate(embedded.resolve(make_request(frames=25, steps=2)), on_progress=seen.append))

    denoise = [progress.step for progress in seen if progress.stage == "denoise"]
    assert denoise == [1, 2, 3, 4]
    assert {progress.total for progress in seen if progress.stage == "denoise"} == {4}


def cancel_at(token: CancelToken, stage: str, step: int) -> Callable[[Progress], None]:
    """A listener that throws a token when it hears of one step."""
    triggers = {(stage, step): token.cancel}

    def listen(progress: Progress) -> None:
        triggers.get((progress.stage, progress.step), lambda: None)()

    return listen


@pytest.mark.parametrize(("stage", "step"), [("text", 1), ("denoise", 1), ("denoise", 3), ("decode", 1), ("decode", 3)])
def test_work_ends_at_the_step_after_it_is_cancelled(
    embedded: EmbeddedGenerator, make_request: RequestMaker, stage: str, step: int
) -> None:
    token, heard = CancelToken(), list[Progress]()
    throw = cancel_at(token, stage, step)
    plan = embedded.resolve(make_request(frames=13, steps=4))

    def listen(progress: Progress) -> None:
        heard.append(progress)
        throw(progress)

    with pytest.raises(Cancelled):
        list(embedded.generate(plan, on_progress=listen, cancel=token))

    assert (heard[-1].stage, heard[-1].step) == (stage, step)


def test_work_cancelled_before_it_began_does_nothing(embedded: EmbeddedGenerator, make_request: RequestMaker) -> None:
    token, heard = CancelToken(), list[Progress]()
    token.cancel()

    with pytest.raises(Cancelled):
        list(embedded.generate(embedded.resolve(make_request()), on_progress=heard.append, cancel=token))

    assert heard == []


def test_work_goes_on_after_another_one_was_cancelled(make: Maker, embedded: EmbeddedGenerator) -> None:
    token = CancelToken()
    token.cancel()
    expected = make("a calm sea")

    with pytest.raises(Cancelled):
        list(embedded.generate(embedded.resolve(request_for("a calm sea")), cancel=token))

    assert np.array_equal(make("a calm sea"), expected)


def request_for(prompt: str) -> GenerationRequest:
    return GenerationRequest(prompt=prompt, size=Size(128, 128), frames=3, fps=12, seed=7, steps=2)


def test_frames_come_before_later_windows_are_sampled(embedded: EmbeddedGenerator, make_request: RequestMaker) -> None:
    seen: list[Progress] = []
    stream = embedded.generate(embedded.resolve(make_request(frames=60, steps=2)), on_progress=seen.append)

    next(stream)

    assert max(progress.step for progress in seen if progress.stage == "denoise") == 2


def test_between_two_frames_torch_is_as_the_caller_left_it(
    embedded: EmbeddedGenerator, make_request: RequestMaker
) -> None:
    threads = torch.get_num_threads()
    stream: Iterator[RGB] = embedded.generate(embedded.resolve(make_request()))

    next(stream)

    assert torch.get_num_threads() == threads
    assert not torch.is_inference_mode_enabled()
    assert torch.is_grad_enabled()


# -- weights ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def spoilt_weights(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A weights folder for the embedded generator in which one byte of the transformer is changed."""
    for path in embedded_backend.WEIGHTS.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    spoilt = tmp_path / "embedded-2-transformer.safetensors"
    content = bytearray(spoilt.read_bytes())
    content[5_000_000] ^= 0x10
    spoilt.write_bytes(content)
    monkeypatch.setattr(embedded_backend, "WEIGHTS", tmp_path)
    return tmp_path


@pytest.mark.usefixtures("spoilt_weights")
def test_a_clip_is_not_made_with_changed_weights(make_request: RequestMaker) -> None:
    generator = EmbeddedGenerator()

    with pytest.raises(GenerationError, match="SHA-256"):
        next(generator.generate(generator.resolve(make_request())))


@pytest.mark.usefixtures("spoilt_weights")
def test_the_check_of_changed_weights_fails() -> None:
    with pytest.raises(GenerationError, match="embedded-2-transformer"):
        embedded_backend.check_weights()
