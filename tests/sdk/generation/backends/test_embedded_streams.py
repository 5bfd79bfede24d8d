"""Clips as streams: the same bytes whoever else is at work, bounded memory, and a clean end at any moment."""

import hashlib
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from platemark.clip import MAX_SEED, Size
from platemark.errors import Cancelled, GenerationError
from platemark.generation.backend import CancelToken, GenerationRequest, Progress, ProgressListener
from platemark.generation.backends import embedded as embedded_backend
from platemark.generation.backends.embedded import EmbeddedGenerator
from platemark.generation.resize import RGB

RequestMaker = Callable[..., GenerationRequest]
Stream = Callable[..., Iterator[RGB]]

IN_ANOTHER_PROCESS = """
import hashlib, sys
from platemark.clip import Size
from platemark.generation.backend import GenerationRequest
from platemark.generation.backends.embedded import EmbeddedGenerator
generator = EmbeddedGenerator(threads=1)
request = GenerationRequest(
    prompt="heavy rain over a city", size=Size(192, 128), frames=6, fps=12, seed=int(sys.argv[1]), steps=2
)
digest = hashlib.sha256()
for frame in generator.generate(generator.resolve(request)):
    digest.update(frame.tobytes())
print(digest.hexdigest())
"""


@pytest.fixture
def stream(embedded: EmbeddedGenerator, make_request: RequestMaker) -> Stream:
    """Starts a clip that is cheap unless a test says otherwise."""

    def start(prompt: str = "a calm sea at sunset", **changes: Any) -> Iterator[RGB]:
        return embedded.generate(embedded.resolve(make_request(prompt, **changes)))

    return start


def digest(frames: Iterator[RGB]) -> str:
    running = hashlib.sha256()
    for frame in frames:
        running.update(frame.tobytes())
    return running.hexdigest()


def painted_over(frame: RGB) -> RGB:
    """Paint a frame white and give what it was."""
    copy = frame.copy()
    frame[:] = 255
    return copy


# -- the same bytes ----------------------------------------------------------------------------------------------------


def test_another_process_makes_the_same_bytes(stream: Stream) -> None:
    here = digest(stream("heavy rain over a city", size=Size(192, 128), frames=6, seed=41))

    there = subprocess.run(
        [sys.executable, "-c", IN_ANOTHER_PROCESS, "41"], capture_output=True, text=True, check=True
    ).stdout.strip()

    assert there == here


def test_neighbouring_seeds_make_different_clips(stream: Stream) -> None:
    digests = {digest(stream(seed=seed, frames=1)) for seed in (0, 1, 2, 3, 2**32, 2**32 + 1, MAX_SEED - 1, MAX_SEED)}

    assert len(digests) == 8


def test_two_clips_made_in_turns_are_the_clips_made_alone(stream: Stream) -> None:
    alone = [list(stream("a rough sea", frames=6)), list(stream("a red ball", frames=6))]

    in_turns = list(zip(stream("a rough sea", frames=6), stream("a red ball", frames=6), strict=True))

    assert np.array_equal([first for first, _ in in_turns], alone[0])
    assert np.array_equal([second for _, second in in_turns], alone[1])


def test_two_clips_made_at_once_are_the_clips_made_alone(stream: Stream) -> None:
    prompts = ("snow in a city", "a globe")
    alone = [digest(stream(prompt, frames=5)) for prompt in prompts]

    with ThreadPoolExecutor(max_workers=2) as workers:
        at_once = list(workers.map(lambda prompt: digest(stream(prompt, frames=5)), prompts))

    assert at_once == alone


def test_a_frame_that_the_caller_paints_over_does_not_show_in_later_ones(stream: Stream) -> None:
    expected = list(stream(frames=5))
    painted = stream(frames=5)

    seen = [painted_over(frame) for frame in painted]

    assert np.array_equal(seen, expected)


def test_a_held_frame_does_not_change_while_later_ones_are_made(stream: Stream) -> None:
    frames = stream(frames=5)
    first = next(frames)
    copy = first.copy()

    list(frames)

    assert np.array_equal(first, copy)


@pytest.mark.parametrize(("short", "long"), [(9, 17), (17, 33)])
def test_how_many_windows_follow_does_not_change_the_first_ones(stream: Stream, short: int, long: int) -> None:
    """Up to the last latent frame of the shorter clip, which has no neighbour to be evened out with."""
    first, second = list(stream(frames=short, steps=1)), list(stream(frames=long, steps=1))

    assert np.array_equal(first[: short - 4], second[: short - 4])


def test_listening_does_not_change_the_frames(embedded: EmbeddedGenerator, make_request: RequestMaker) -> None:
    plan = embedded.resolve(make_request(frames=6))

    heard = digest(embedded.generate(plan, on_progress=lambda _: None, cancel=CancelToken()))

    assert heard == digest(embedded.generate(plan))


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    width=st.integers(64, 160).map(lambda half: 2 * half),
    height=st.integers(64, 160).map(lambda half: 2 * half),
    frames=st.integers(1, 7),
    fps=st.integers(1, 60),
    prompt=st.sampled_from(["a chart", "the sea", "a globe", "snow"]),
)
def test_any_size_rate_and_length_give_exactly_those_frames(
    stream: Stream, width: int, height: int, frames: int, fps: int, prompt: str
) -> None:
    made = list(stream(prompt, size=Size(width, height), frames=frames, fps=fps, steps=1))

    assert [frame.shape for frame in made] == [(height, width, 3)] * frames
    assert {frame.dtype for frame in made} == {np.dtype(np.uint8)}


# -- memory ------------------------------------------------------------------------------------------------------------


def peak_bytes(frames: Iterator[RGB]) -> int:
    """The most memory numpy and Python held while the frames passed by."""
    next(frames)
    tracemalloc.start()
    for _ in frames:
        pass
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


def test_a_clip_five_times_as_long_needs_no_more_memory(stream: Stream) -> None:
    short, long = (peak_bytes(stream(frames=frames, steps=1)) for frames in (20, 100))

    assert long < 1.3 * short + 200_000


def test_the_first_frame_of_a_minute_is_there_after_one_window(
    embedded: EmbeddedGenerator, make_request: RequestMaker
) -> None:
    heard: list[Progress] = []
    plan = embedded.resolve(make_request(frames=720, steps=1))

    next(embedded.generate(plan, on_progress=heard.append))

    denoised = [progress for progress in heard if progress.stage == "denoise"]
    assert len(denoised) == 1
    assert denoised[0].total > 40


def test_a_clip_that_nobody_reads_costs_nothing(embedded: EmbeddedGenerator, make_request: RequestMaker) -> None:
    heard: list[Progress] = []

    embedded.generate(embedded.resolve(make_request(frames=720)), on_progress=heard.append)

    assert heard == []


# -- ends --------------------------------------------------------------------------------------------------------------


def test_a_cancelled_clip_never_reads_its_weights(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, make_request: RequestMaker
) -> None:
    generator, token = EmbeddedGenerator(), CancelToken()
    monkeypatch.setattr(embedded_backend, "WEIGHTS", tmp_path)
    token.cancel()

    with pytest.raises(Cancelled):
        next(generator.generate(generator.resolve(make_request()), cancel=token))
    with pytest.raises(GenerationError, match="cannot be read"):
        next(generator.generate(generator.resolve(make_request())))


@pytest.mark.parametrize("read", [1, 2, 4, 5, 9])
def test_a_clip_cancelled_between_two_frames_ends_before_the_next_one(
    embedded: EmbeddedGenerator, make_request: RequestMaker, read: int
) -> None:
    token = CancelToken()
    frames = embedded.generate(embedded.resolve(make_request(frames=10, steps=1)), cancel=token)
    taken = [next(frames) for _ in range(read)]

    token.cancel()

    with pytest.raises(Cancelled):
        next(frames)
    assert len(taken) == read
    assert list(frames) == []


def test_a_token_thrown_after_the_last_frame_changes_nothing(
    embedded: EmbeddedGenerator, make_request: RequestMaker
) -> None:
    token = CancelToken()
    frames = embedded.generate(embedded.resolve(make_request(frames=2, steps=1)), cancel=token)

    made = [next(frames), next(frames)]
    token.cancel()

    assert len(made) == 2
    assert next(frames, None) is None


class Unplugged(Exception):
    """What a listener of these tests fails with."""


def unplugged_at(stage: str, step: int) -> ProgressListener:
    """A listener that fails when it hears of one step."""

    def listen(progress: Progress) -> None:
        if (progress.stage, progress.step) == (stage, step):
            raise Unplugged

    return listen


@pytest.mark.parametrize(("stage", "step"), [("text", 1), ("denoise", 2), ("decode", 1), ("decode", 2)])
def test_a_listener_that_fails_ends_the_clip_and_leaves_torch_as_it_was(
    embedded: EmbeddedGenerator, make_request: RequestMaker, stage: str, step: int
) -> None:
    plan, threads = embedded.resolve(make_request(frames=6)), torch.get_num_threads()
    expected = digest(embedded.generate(plan))

    with pytest.raises(Unplugged):
        list(embedded.generate(plan, on_progress=unplugged_at(stage, step)))

    assert torch.get_num_threads() == threads
    assert not torch.is_inference_mode_enabled()
    assert digest(embedded.generate(plan)) == expected


def test_a_clip_that_is_dropped_half_way_leaves_the_generator_usable(stream: Stream) -> None:
    expected, dropped = digest(stream(frames=6)), stream(frames=40)
    next(dropped)

    del dropped

    assert digest(stream(frames=6)) == expected


@pytest.mark.parametrize("count", [1, 2])
def test_the_callers_own_number_of_threads_is_put_back(stream: Stream, count: int) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(count)

    list(stream(frames=1, steps=1))

    found = torch.get_num_threads()
    torch.set_num_threads(before)
    assert found == count
