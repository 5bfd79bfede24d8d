"""A ring is evened out as a ring and cut open where its frames change least."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch

from platemark.clip import Size
from platemark.errors import Cancelled
from platemark.generation.backend import CancelToken, Progress
from platemark.generation.card import ModelCard
from platemark.generation.checkpoint import Networks
from platemark.generation.config import SamplerConfig
from platemark.generation.plan import plan_clip
from platemark.generation.resize import Picture
from platemark.generation.ring import even_ring, quietest_place, ring_frames, sample_latents
from platemark.generation.synthesis import Job
from platemark.generation.text import understand


def group(*levels: float) -> Picture:
    return np.stack([np.full((2, 2, 3), level, np.float32) for level in levels])


def level_of(frames: Iterator[Picture]) -> list[float]:
    return [float(frame.mean()) for frame in frames]


@pytest.fixture
def job(card: ModelCard) -> Job:
    values = understand("clouds in a sky").values
    return Job(
        plan=plan_clip(card, values, Size(128, 128), frames=12, fps=12),
        slots=values.indices(),
        seed=3,
        sampler=SamplerConfig(3, 1.0, 2.0),
        window=5,
        threads=1,
        on_progress=lambda progress: None,
        cancel=CancelToken(),
    )


def test_the_groups_at_the_ends_are_only_looked_at() -> None:
    frames = even_ring([group(9, 9), group(1, 2), group(3, 4), group(8, 8)], strength=0.0)

    assert level_of(frames) == [1, 2, 3, 4]


def test_the_first_group_is_evened_out_against_the_last() -> None:
    frames = level_of(even_ring([group(8, 8), group(0, 0), group(8, 8), group(0, 0)], strength=1.0))

    assert frames == [2, 2, 6, 6]


def test_no_groups_give_no_frames() -> None:
    assert list(even_ring([], strength=1.0)) == []


@pytest.mark.parametrize(
    ("levels", "place"), [((0, 5, 6, 20), 2), ((10, 30, 50, 11), 0), ((0, 9, 9, 20), 2), ((7,), 0), ((), 0)]
)
def test_the_quietest_place_follows_the_smallest_step(levels: tuple[float, ...], place: int) -> None:
    assert quietest_place(group(level)[0] for level in levels) == place


def test_a_ring_is_decoded_once_around_and_back_to_its_first_frame(networks: Networks, job: Job) -> None:
    latents = sample_latents(networks, job, count=3)

    frames = list(ring_frames(networks, job, latents, strength=1.0))

    assert len(frames) == 13
    assert np.array_equal(frames[0], frames[12])


def test_a_ring_starts_where_it_is_quietest(networks: Networks, job: Job) -> None:
    latents = sample_latents(networks, job, count=3)

    frames = np.stack(list(ring_frames(networks, job, latents, strength=1.0)))

    steps = np.abs(np.diff(frames, axis=0)).mean(axis=(1, 2, 3))
    assert steps[-1] == steps.min()


def test_turning_the_latents_does_not_change_where_the_ring_is_cut(networks: Networks, job: Job) -> None:
    latents = sample_latents(networks, job, count=3)

    one = np.stack(list(ring_frames(networks, job, latents, strength=1.0)))
    turned = np.stack(list(ring_frames(networks, job, latents.roll(1, dims=0), strength=1.0)))

    assert np.allclose(one, turned, atol=1e-3)


def test_a_cancelled_ring_is_not_decoded(networks: Networks, job: Job) -> None:
    latents = torch.zeros(3, 8, 8, 16)
    job.cancel.cancel()

    with pytest.raises(Cancelled):
        next(ring_frames(networks, job, latents, strength=1.0))


def test_a_ring_reports_its_steps_and_groups(networks: Networks, job: Job) -> None:
    heard = list[Progress]()
    told = replace(job, on_progress=heard.append)

    list(ring_frames(networks, told, sample_latents(networks, told, count=3), strength=1.0))

    assert heard[:3] == [Progress("denoise", step, 3) for step in (1, 2, 3)]
    assert heard[3:] == [Progress("decode", step, 3) for step in (1, 2, 3)]
