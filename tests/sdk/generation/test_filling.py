"""A hole is filled window by window; what is given and what was made before stand at noise level 0 and stay."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from platemark.clip import Size
from platemark.errors import Cancelled
from platemark.generation.backend import CancelToken, Progress
from platemark.generation.card import ModelCard
from platemark.generation.checkpoint import Networks
from platemark.generation.config import SamplerConfig
from platemark.generation.filling import Filling, filled_groups
from platemark.generation.given import Footage
from platemark.generation.holes import Hole, Tempo, plan_holes
from platemark.generation.plan import plan_clip
from platemark.generation.resize import Picture
from platemark.generation.sampler import noise_schedule
from platemark.generation.synthesis import (
    Job,
    SourceClip,
    decode,
    decoded_groups,
    encode_first,
    encode_later,
    window_noise,
)
from platemark.generation.text import understand

TEMPO = Tempo(natural=1.0, group=4, window=5, goes_on=True)


class Witness:
    """The shipped transformer, watched: which noise levels it was shown, window by window."""

    def __init__(self, networks: Networks) -> None:
        self._transformer = networks.transformer
        self.config = networks.transformer.config
        self.levels: list[list[float]] = []
        self.shown: list[Tensor] = []

    def encode_slots(self, slots: Tensor, actions: Tensor | None = None) -> Any:
        return self._transformer.encode_slots(slots, actions)

    def __call__(self, latents: Tensor, noise_level: Tensor, condition: Any, frame_index: Tensor) -> Tensor:
        self.levels.append([round(level, 3) for level in noise_level[0].tolist()])
        self.shown.append(latents.clone())
        clean: Tensor = self._transformer(latents, noise_level, condition, frame_index)
        return clean


@pytest.fixture
def witness(networks: Networks) -> Witness:
    return Witness(networks)


@pytest.fixture
def watched(networks: Networks, witness: Witness) -> Networks:
    return Networks(networks.autoencoder, witness)  # type: ignore[arg-type]  # it does what is asked of it here


@pytest.fixture
def job(card: ModelCard) -> Job:
    values = understand("clouds in a sky").values
    return Job(
        plan=plan_clip(card, values, Size(128, 128), frames=12, fps=12),
        slots=values.indices(),
        seed=3,
        sampler=SamplerConfig(1, 1.0, 2.0),
        window=5,
        threads=1,
        on_progress=lambda progress: None,
        cancel=CancelToken(),
    )


def slope(level: float = 0.0) -> Picture:
    """A picture that the autoencoder knows well: a sky."""
    rows = np.linspace(120, 230, 64, dtype=np.float32)[:, None, None]
    return np.broadcast_to(rows + level, (64, 64, 3)).clip(0, 255).astype(np.float32)


def hole(places: list[int], frames: int) -> Hole:
    footage = [Footage(place, np.zeros((1, 1, 1, 3), np.uint8)) for place in places]
    (only,) = plan_holes(footage, frames=frames, tempo=TEMPO)
    return only


def filling(job: Job, place: Hole, *, first_noise: int = 0) -> Filling:
    return Filling(
        job=job,
        hole=place,
        before=slope() if place.before else None,
        after=(slope(10),) * 4 if place.after else (),
        first_noise=first_noise,
    )


def test_the_given_frame_before_a_hole_comes_back_as_it_was_encoded(networks: Networks, job: Job) -> None:
    groups = list(filled_groups(networks, filling(job, hole([0], 9))))

    with torch.inference_mode():
        expected = decode(networks, encode_first(networks, slope())[0, 0])[-1:]
    assert [len(group) for group in groups] == [1, 4, 4]
    assert np.array_equal(groups[0], expected)


def test_the_given_frames_after_a_hole_come_back_as_they_were_encoded(networks: Networks, job: Job) -> None:
    groups = list(filled_groups(networks, filling(job, hole([9], 10))))

    with torch.inference_mode():
        expected = decode(networks, encode_later(networks, (slope(10),) * 4)[0, 0])
    assert [len(group) for group in groups] == [1, 4, 4, 4]
    assert np.array_equal(groups[-1], expected)


@pytest.mark.parametrize(
    ("places", "frames", "levels"),
    [
        ([0], 17, [[0, 1, 1, 1, 1]]),
        ([13], 14, [[1, 1, 1, 1, 0]]),
        ([0, 16], 17, [[0, 1, 1], [0, 1, 1, 0]]),
        ([0], 26, [[0, 1, 1, 1, 1], [0, 1, 1, 1]]),
        ([25], 26, [[1, 1, 1, 1, 0], [1, 1, 1, 1, 0]]),
        ([0, 4], 5, [[0, 1, 0]]),
    ],
    ids=["forward", "backward", "between", "far forward", "far backward", "short"],
)
def test_each_window_is_shown_what_is_known_without_noise(
    watched: Networks, witness: Witness, job: Job, places: list[int], frames: int, levels: list[list[float]]
) -> None:
    list(filled_groups(watched, filling(job, hole(places, frames))))

    assert witness.levels == levels


def test_a_hole_without_room_is_not_sampled(watched: Networks, witness: Witness, job: Job) -> None:
    groups = list(filled_groups(watched, filling(job, hole([0, 2], 3))))

    assert witness.levels == []
    assert [len(group) for group in groups] == [1, 4]


def test_a_later_window_starts_from_what_the_one_before_it_made(watched: Networks, witness: Witness, job: Job) -> None:
    list(filled_groups(watched, filling(job, hole([0], 26))))

    first, second = witness.shown
    with torch.inference_mode():
        made = watched.transformer(  # one Euler step from pure noise ends at the prediction
            first,
            torch.tensor([[0.0, 1, 1, 1, 1]]),
            watched.transformer.encode_slots(torch.tensor([job.slots])),
            torch.arange(5)[None],
        )
    assert torch.allclose(second[:, 0], made[:, 4], atol=1e-4)


def test_the_noise_of_a_hole_starts_where_it_is_told(watched: Networks, witness: Witness, job: Job) -> None:
    list(filled_groups(watched, filling(job, hole([0], 17), first_noise=7)))

    expected = window_noise(watched, job, range(8, 12))
    assert torch.equal(witness.shown[0][:, 1:], expected)


def test_steps_are_counted_over_all_windows_of_a_hole(networks: Networks, job: Job) -> None:
    heard = list[Progress]()
    told = replace(job, sampler=SamplerConfig(2, 1.0, 2.0), on_progress=heard.append)

    list(filled_groups(networks, filling(told, hole([0], 26))))

    assert heard[:4] == [Progress("denoise", step, 4) for step in (1, 2, 3, 4)]
    assert heard[4:] == [Progress("decode", step, 8) for step in range(1, 9)]


def test_decoding_is_cancelled_between_groups(networks: Networks, job: Job) -> None:
    stream = filled_groups(networks, filling(job, hole([0], 17)))
    next(stream)

    job.cancel.cancel()

    with pytest.raises(Cancelled):
        next(stream)


# -- from a source ---------------------------------------------------------------------------------------------------


def test_a_source_is_shown_at_its_strength(watched: Networks, witness: Witness, job: Job) -> None:
    source = SourceClip(lambda index: slope(), 0.5)

    list(decoded_groups(watched, replace(job, source=source)))

    noise = window_noise(watched, job, range(5))
    with torch.inference_mode():
        clean = torch.cat([encode_first(watched, slope()), encode_later(watched, [slope()] * 16)], dim=1)
    assert witness.levels == [[0.5] * 5]
    assert torch.allclose(witness.shown[0], 0.5 * clean + 0.5 * noise, atol=1e-5)


def test_every_native_frame_of_a_source_is_asked_for_once(networks: Networks, job: Job) -> None:
    asked = list[int]()

    def native_frame(index: int) -> Picture:
        asked.append(index)
        return slope()

    long = replace(job, plan=replace(job.plan, latent_frames=9, decoded=9))
    list(decoded_groups(networks, replace(long, source=SourceClip(native_frame, 0.5))))

    assert sorted(set(asked)) == list(range(33))
    assert len(asked) == 33 + 4  # the latent frame that two windows share is encoded twice


def test_the_levels_of_an_edit_are_those_of_the_whole_walk_below_its_strength(
    watched: Networks, witness: Witness, job: Job
) -> None:
    sampler = SamplerConfig(8, 1.0, 2.0)

    list(decoded_groups(watched, replace(job, sampler=sampler, source=SourceClip(lambda index: slope(), 0.6))))

    below = [round(level, 3) for level in noise_schedule(8, shift=2.0).tolist() if 0 < level < 0.6]
    assert [levels[0] for levels in witness.levels] == [0.6, *below]
