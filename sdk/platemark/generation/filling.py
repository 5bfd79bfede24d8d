"""Sampling a hole: the frames between given ones.

One rule: one mechanism. A given frame is encoded, stands at noise level 0 in the windows that hold it, and is never
changed; what a window made is given to the next one in the same way.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from platemark.generation.backend import Progress
from platemark.generation.checkpoint import Networks
from platemark.generation.holes import Hole, HoleWindow
from platemark.generation.resize import Picture
from platemark.generation.sampler import GivenFrames, Walk, sample
from platemark.generation.synthesis import (
    Job,
    decode,
    encode_first,
    encode_later,
    guidance_of,
    kept_or_sampled,
    step_reporter,
    threads_for,
    window_noise,
)
from platemark.generation.threads import torch_threads


@dataclass(frozen=True, slots=True, kw_only=True)
class Filling:
    """One hole to fill.

    Attributes:
        job: what to show and how; its plan's grid is used, its length is not.
        hole: the frames to make.
        before: the given picture (h, w, 3) before the hole on the model's grid.
        after: the given pictures after it, a whole latent frame of them.
        first_noise: latent frames in the holes before this one; each hole has noise of its own.
    """

    job: Job
    hole: Hole
    before: Picture | None
    after: tuple[Picture, ...]
    first_noise: int


def filled_groups(networks: Networks, filling: Filling) -> Iterator[Picture]:
    """Make a hole's frames, the model's versions of the given frames beside it included.

    Yields:
        Frames (s, h, w, 3) float32 in [0, 255]: one in the first group, four in each later one.

    Raises:
        Cancelled: the token was thrown; noticed within one step.
    """
    job, hole = filling.job, filling.hole
    threads = threads_for(networks, job)
    latents = _sampled(networks, filling, threads)
    for index in range(hole.decoded):
        job.cancel.raise_if_cancelled()
        with torch_threads(threads), torch.inference_mode():
            frames = decode(networks, latents[index][0, 0])
        yield frames[-1:] if index == 0 else frames
        job.on_progress(Progress("decode", index + 1, hole.decoded))


def _sampled(networks: Networks, filling: Filling, threads: int) -> dict[int, Tensor]:
    """Give all latent frames (1, 1, h, w, c) of a hole: some kilobytes for each second."""
    job, hole = filling.job, filling.hole
    latents: dict[int, Tensor] = {}
    with torch_threads(threads), torch.inference_mode():
        if filling.before is not None:
            latents[0] = encode_first(networks, filling.before)
        if filling.after:
            latents[hole.latents - 1] = encode_later(networks, filling.after)
    windows = hole.windows(job.window)
    for index, window in enumerate(windows):
        if all(place in latents for place in range(window.first, window.stop)):
            continue
        with torch_threads(threads), torch.inference_mode():
            first = filling.first_noise
            noise = window_noise(networks, job, range(first + window.first, first + window.stop))
            walk = Walk(job.sampler, guidance_of(networks, job), _given(noise, window, latents))
            positions = torch.arange(noise.shape[1])[None]
            steps = job.sampler.steps
            report = step_reporter(job, done=index * steps, total=len(windows) * steps)
            sampled = partial(sample, networks.transformer, noise, positions, walk, on_step=report)
            made = kept_or_sampled(job, f"hole-{hole.first}-{index}", sampled)
        for place in range(window.keep, window.stop):
            latents.setdefault(place, made[:, place - window.first : place - window.first + 1])
    return latents


def _given(noise: Tensor, window: HoleWindow, known: Mapping[int, Tensor]) -> GivenFrames:
    latents = torch.zeros_like(noise)
    mask = torch.zeros(noise.shape[:2], dtype=torch.bool)
    for place in range(window.first, window.stop):
        if place in known:
            latents[:, place - window.first] = known[place][:, 0]
            mask[:, place - window.first] = True
    return GivenFrames(latents, mask)
