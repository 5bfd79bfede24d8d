"""Sampling and decoding a planned clip, window by window, as a stream of decoded groups.

One rule: torch computes only inside this file's blocks; between two yields nothing of torch's state is changed.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from platemark.generation.backend import CancelToken, Progress, ProgressListener
from platemark.generation.checkpoint import Networks
from platemark.generation.config import SamplerConfig
from platemark.generation.patches import grid_side
from platemark.generation.plan import ClipPlan, Window, plan_windows
from platemark.generation.resize import Picture
from platemark.generation.sampler import GivenFrames, Guidance, Walk, draw_noise, sample
from platemark.generation.threads import torch_threads, usable_cores, worthwhile_threads


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One clip to sample.

    Attributes:
        plan: its grid, length and pace.
        slots: what it shows, as the transformer reads it.
        seed: of all its noise.
        sampler: steps, guidance and shift.
        window: latent frames sampled together.
        threads: for torch; none leaves the choice to the work and the process's cores.
        on_progress: told after each step and each decoded group.
        cancel: looked at before each step and each group.
    """

    plan: ClipPlan
    slots: tuple[int, ...]
    seed: int
    sampler: SamplerConfig
    window: int
    threads: int | None
    on_progress: ProgressListener
    cancel: CancelToken


def decoded_groups(networks: Networks, job: Job) -> Iterator[Picture]:
    """Make a clip.

    Memory does not grow with the clip's length: one window of latents and one group of frames are held.

    Yields:
        Frames (s, h, w, 3) float32 in [0, 255]: one in the first group, four in each later one.

    Raises:
        Cancelled: the token was thrown; noticed within one step.
    """
    threads = job.threads or _threads(networks, job)
    windows = plan_windows(job.plan.latent_frames, length=job.window)
    known: Tensor | None = None
    decoded = 0
    for index, window in enumerate(windows):
        with torch_threads(threads), torch.inference_mode():
            noise = _window_noise(networks, job, window)
            walk = Walk(job.sampler, _guidance(networks, job), _given(noise, window, known))
            # Each window is a clip of its own to the model, which was trained on positions 0 to 4 alone.
            positions = torch.arange(noise.shape[1])[None]
            report = _reporter(job, done=index, total=len(windows))
            latents = sample(networks.transformer, noise, positions, walk, on_step=report)  # (1, t, h, w, c)
        known = latents[:, -1:]
        for group in latents[0, window.given :][: job.plan.decoded - decoded]:
            job.cancel.raise_if_cancelled()
            with torch_threads(threads), torch.inference_mode():
                frames = _decode(networks, group)
            yield frames[-1:] if decoded == 0 else frames
            decoded += 1
            job.on_progress(Progress("decode", decoded, job.plan.decoded))


def _threads(networks: Networks, job: Job) -> int:
    grid = networks.transformer.config.patch
    tokens = job.window * grid_side(job.plan.rows, grid) * grid_side(job.plan.columns, grid)
    return worthwhile_threads(tokens * (1 if job.sampler.guidance == 1 else 2), cores=usable_cores())


def _window_noise(networks: Networks, job: Job, window: Window) -> Tensor:
    channels = networks.transformer.config.latent_channels
    frames = range(window.first, window.stop)
    return draw_noise(job.seed, frames, height=job.plan.rows, width=job.plan.columns, channels=channels)[None]


def _guidance(networks: Networks, job: Job) -> Guidance:
    slots = torch.tensor([job.slots])
    return Guidance(
        networks.transformer.encode_slots(slots), networks.transformer.encode_slots(torch.zeros_like(slots))
    )


def _given(noise: Tensor, window: Window, known: Tensor | None) -> GivenFrames | None:
    if known is None:
        return None
    latents = torch.zeros_like(noise)
    latents[:, : window.given] = known
    mask = torch.zeros(noise.shape[:2], dtype=torch.bool)
    mask[:, : window.given] = True
    return GivenFrames(latents, mask)


def _reporter(job: Job, *, done: int, total: int) -> Callable[[int], None]:
    job.cancel.raise_if_cancelled()

    def report(step: int) -> None:
        """Tell the listener, then look whether to stop."""
        job.on_progress(Progress("denoise", done * job.sampler.steps + step, total * job.sampler.steps))
        job.cancel.raise_if_cancelled()

    return report


def _decode(networks: Networks, latents: Tensor) -> Picture:
    frames = networks.autoencoder.decode_group(latents[None])[0].clamp(-1, 1)  # (s, h, w, 3)
    picture: Picture = ((frames + 1) * 127.5).numpy().astype(np.float32, copy=False)
    return picture
