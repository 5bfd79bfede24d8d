"""Seamless loops: a ring of latent frames, cut open where its frames change least.

One rule: no frame of a ring is special. It is sampled, decoded and evened out as a ring; only the last step chooses
where it starts.
"""

import itertools
from collections.abc import Iterable, Iterator

import numpy as np
import torch
from torch import Tensor

from platemark.generation.backend import Progress
from platemark.generation.checkpoint import Networks
from platemark.generation.finish import even_out_groups
from platemark.generation.resize import Picture
from platemark.generation.sampler import Walk, sample_ring
from platemark.generation.synthesis import (
    Job,
    decode,
    guidance_of,
    kept_or_sampled,
    step_reporter,
    threads_for,
    window_noise,
)
from platemark.generation.threads import torch_threads


def sample_latents(networks: Networks, job: Job, *, count: int) -> Tensor:
    """Sample a ring of latent frames (count, h, w, c).

    Raises:
        Cancelled: the token was thrown; noticed within one step.
    """

    def sampled() -> Tensor:
        """Sample the whole ring (1, count, h, w, c)."""
        return sample_ring(
            networks.transformer,
            window_noise(networks, job, range(count)),
            Walk(job.sampler, guidance_of(networks, job)),
            window=job.window,
            seed=job.seed,
            on_step=step_reporter(job, done=0, total=job.sampler.steps),
        )

    with torch_threads(threads_for(networks, job)), torch.inference_mode():
        return kept_or_sampled(job, "ring", sampled)[0]


def ring_frames(networks: Networks, job: Job, latents: Tensor, *, strength: float) -> Iterator[Picture]:
    """Decode a ring from its quietest place, once around and on to the first frame again.

    Args:
        networks: the model.
        job: progress and cancellation.
        latents: (n, h, w, c).
        strength: how far to even out the steps between latent frames.

    Yields:
        Native frames (h, w, 3) float32 in [0, 255].
    """
    count = len(latents)
    threads = threads_for(networks, job)

    def groups(first: int, stop: int) -> Iterator[Picture]:
        """Decode a stretch of the ring, around as often as it takes."""
        for place in range(first, stop):
            job.cancel.raise_if_cancelled()
            with torch_threads(threads), torch.inference_mode():
                yield decode(networks, latents[place % count])

    start = quietest_place(even_ring(groups(-1, count + 1), strength=strength))
    size = networks.autoencoder.config.group_frames
    group, within = divmod(start, size)
    evened = even_ring(groups(group - 1, group + count + 2), strength=strength)
    for index, frame in enumerate(itertools.islice(evened, within, within + size * count + 1)):
        yield frame
        if index % size == 0 and index < size * count:
            job.on_progress(Progress("decode", index // size + 1, count))


def even_ring(groups: Iterable[Picture], *, strength: float) -> Iterator[Picture]:
    """Even out the steps between groups, giving no frames of the first and the last, which are only looked at."""
    counted: list[int] = []

    def watched() -> Iterator[Picture]:
        """Remember how long each group is as it passes."""
        for group in groups:
            counted.append(len(group))
            yield group

    frames = even_out_groups(watched(), strength=strength)
    lead = next(frames, None)
    if lead is None:
        return
    for _ in range(counted[0] - 1):
        next(frames)
    held: list[Picture] = []
    for frame in frames:
        held.append(frame)
        if len(held) > counted[0]:
            yield held.pop(0)


def quietest_place(frames: Iterable[Picture]) -> int:
    """Find the frame of a ring that differs least from the one before it; the first frame's is the last one."""
    least, place = float("inf"), 0
    first: Picture | None = None
    before: Picture | None = None
    for index, frame in enumerate(frames):
        first = frame if first is None else first
        step = float("inf") if before is None else float(np.mean(np.abs(frame - before)))
        least, place = (step, index) if step < least else (least, place)
        before = frame
    if first is None or before is None:
        return 0
    return 0 if float(np.mean(np.abs(first - before))) < least else place
