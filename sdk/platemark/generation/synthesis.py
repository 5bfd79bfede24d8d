"""Sampling and decoding a planned clip, window by window, as a stream of decoded groups.

One rule: torch computes only inside this file's blocks; between two yields nothing of torch's state is changed.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor

from platemark.generation.actions import action_indices, action_shares
from platemark.generation.backend import CancelToken, Progress, ProgressListener
from platemark.generation.checkpoint import Networks
from platemark.generation.config import SamplerConfig
from platemark.generation.kept import NOTHING_KEPT, LatentKeeper
from platemark.generation.patches import grid_side
from platemark.generation.plan import ClipPlan, Window, plan_windows
from platemark.generation.resize import Picture
from platemark.generation.sampler import GivenFrames, Guidance, Walk, draw_noise, sample
from platemark.generation.threads import torch_threads, usable_cores, worthwhile_threads
from platemark.generation.tiling import decode_in_tiles


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
        unwanted: what it shall not show, as the transformer reads it; nothing by default.
        source: a clip to start from instead of noise.
        keep: takes latents before they are decoded.
        moves: what the camera does in each native frame; none where nothing is said.
    """

    plan: ClipPlan
    slots: tuple[int, ...]
    seed: int
    sampler: SamplerConfig
    window: int
    threads: int | None
    on_progress: ProgressListener
    cancel: CancelToken
    unwanted: tuple[int, ...] = ()
    source: "SourceClip | None" = None
    keep: LatentKeeper = NOTHING_KEPT
    moves: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SourceClip:
    """A clip to change.

    Args:
        native_frame: gives the picture (h, w, 3) float32 in [0, 255] of a native frame, from 0.
        strength: how far to go from it, 0 to 1.
    """

    native_frame: Callable[[int], Picture]
    strength: float


def decoded_groups(networks: Networks, job: Job) -> Iterator[Picture]:
    """Make a clip.

    Memory does not grow with the clip's length: one window of latents and one group of frames are held.

    Yields:
        Frames (s, h, w, 3) float32 in [0, 255]: one in the first group, four in each later one.

    Raises:
        Cancelled: the token was thrown; noticed within one step.
    """
    threads = threads_for(networks, job)
    windows = plan_windows(job.plan.latent_frames, length=job.window)
    known: Tensor | None = None
    decoded = 0
    for index, window in enumerate(windows):
        with torch_threads(threads), torch.inference_mode():
            done = Stretch(window, index * job.sampler.steps, len(windows) * job.sampler.steps)
            latents = kept_or_sampled(job, f"window-{index}", partial(_sampled, networks, job, done, known))
        known = latents[:, -1:]
        for group in latents[0, window.given :][: job.plan.decoded - decoded]:
            job.cancel.raise_if_cancelled()
            with torch_threads(threads), torch.inference_mode():
                frames = decode(networks, group)
            yield frames[-1:] if decoded == 0 else frames
            decoded += 1
            job.on_progress(Progress("decode", decoded, job.plan.decoded))


@dataclass(frozen=True, slots=True)
class Stretch:
    """One window of a clip, `done` of `total` steps of the job lying before it."""

    window: Window
    done: int
    total: int


def kept_or_sampled(job: Job, part: str, sampled: Callable[[], Tensor]) -> Tensor:
    """Give the latents that an earlier try of this job kept, or sample them and keep them before they are decoded."""
    found = job.keep.find(part)
    if found is not None:
        return found["latents"]
    latents = sampled()
    job.keep.keep(part, {"latents": latents})
    return latents


def _sampled(networks: Networks, job: Job, stretch: Stretch, known: Tensor | None) -> Tensor:
    """Sample one window's latents (1, t, h, w, c)."""
    window = stretch.window
    noise = window_noise(networks, job, range(window.first, window.stop))
    given, source = _given(noise, window, known), _source(networks, job, window)
    strength = 1.0 if job.source is None else job.source.strength
    walk = Walk(job.sampler, guidance_of(networks, job, _told(networks, job, window)), given, source, strength)
    # Each window is a clip of its own to the model, which was trained on positions 0 to 4 alone.
    positions = torch.arange(noise.shape[1])[None]
    report = step_reporter(job, done=stretch.done, total=stretch.total)
    return sample(networks.transformer, noise, positions, walk, on_step=report)


def threads_for(networks: Networks, job: Job) -> int:
    """Choose how many threads torch gets for a window of this job."""
    if job.threads is not None:
        return job.threads
    grid = networks.transformer.config.patch
    tokens = job.window * grid_side(job.plan.rows, grid) * grid_side(job.plan.columns, grid)
    return worthwhile_threads(tokens * (1 if job.sampler.guidance == 1 else 2), cores=usable_cores())


def window_noise(networks: Networks, job: Job, frames: range) -> Tensor:
    """Draw the noise (1, t, h, w, c) of some latent frames of the clip."""
    channels = networks.transformer.config.latent_channels
    return draw_noise(job.seed, frames, height=job.plan.rows, width=job.plan.columns, channels=channels)[None]


def guidance_of(networks: Networks, job: Job, told: Tensor | None = None) -> Guidance:
    """Embed what to follow and what to move away from.

    Args:
        networks: do the embedding.
        job: says what to show, and what not.
        told: (1, t, a) float32, the share of each action in each latent frame; none where no camera is steered.
    """
    slots = torch.tensor([job.slots])
    away = torch.tensor([job.unwanted]) if job.unwanted else torch.zeros_like(slots)
    return Guidance(networks.transformer.encode_slots(slots, told), networks.transformer.encode_slots(away))


def _told(networks: Networks, job: Job, window: Window) -> Tensor | None:
    if not job.moves:
        return None
    actions = torch.tensor([action_indices(job.moves)])
    return action_shares(actions, group=networks.autoencoder.config.group_frames)[:, window.first : window.stop]


def step_reporter(job: Job, *, done: int, total: int) -> Callable[[int], None]:
    """Make a listener for the steps of a walk, `done` of `total` steps of the job lying before it.

    Raises:
        Cancelled: the token was thrown; so does the listener, after each step.
    """
    job.cancel.raise_if_cancelled()

    def report(step: int) -> None:
        """Tell the listener, then look whether to stop."""
        job.on_progress(Progress("denoise", done + step, total))
        job.cancel.raise_if_cancelled()

    return report


def decode(networks: Networks, latents: Tensor) -> Picture:
    """Restore the frames (s, h, w, 3) float32 in [0, 255] of one latent frame (h, w, c)."""
    frames = decode_in_tiles(networks.autoencoder, latents[None])[0].clamp_(-1, 1)  # (s, h, w, 3)
    picture: Picture = frames.add_(1).mul_(127.5).numpy().astype(np.float32, copy=False)
    return picture


def encode_first(networks: Networks, picture: Picture) -> Tensor:
    """Compress a picture (h, w, 3) in [0, 255] to a clip's first latent frame (1, 1, h, w, c)."""
    return networks.autoencoder.encode(_as_video([picture]))


def encode_later(networks: Networks, pictures: Sequence[Picture]) -> Tensor:
    """Compress pictures from the middle of a clip to latent frames (1, t, h, w, c).

    The encoder takes the first frame of what it is given for a clip's first, which stands still. So a copy is put
    before the pictures, and its latent frame thrown away.
    """
    return networks.autoencoder.encode(_as_video([pictures[0], *pictures]))[:, 1:]


def _as_video(pictures: Sequence[Picture]) -> Tensor:
    return torch.from_numpy(np.stack(pictures) / np.float32(127.5) - 1)[None]


def _given(noise: Tensor, window: Window, known: Tensor | None) -> GivenFrames | None:
    if known is None:
        return None
    latents = torch.zeros_like(noise)
    latents[:, : window.given] = known
    mask = torch.zeros(noise.shape[:2], dtype=torch.bool)
    mask[:, : window.given] = True
    return GivenFrames(latents, mask)


def _source(networks: Networks, job: Job, window: Window) -> Tensor | None:
    if job.source is None:
        return None
    start, stop = (networks.autoencoder.config.frames(n) for n in (window.first, window.stop))
    if window.first == 0:
        first = encode_first(networks, job.source.native_frame(0))
        later = [job.source.native_frame(i) for i in range(1, stop)]
        return torch.cat([first, encode_later(networks, later)], dim=1) if later else first
    return encode_later(networks, [job.source.native_frame(i) for i in range(start, stop)])
