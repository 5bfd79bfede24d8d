"""The two networks in training: what one step of each does.

One rule: a step is a pure function of the weights, the optimiser's state, the step's number and the progress of the
stage. No generator lives from one step to the next, so an interrupted run goes on to the same bits.
"""

import hashlib
from dataclasses import replace

import torch
from torch import Tensor

from platemark.generation.actions import action_shares
from platemark.generation.autoencoder import VideoAutoencoder
from platemark.generation.transformer import VideoTransformer
from platemark.training.accounting import BACKWARD, autoencoder_flops, transformer_flops
from platemark.training.compute import Compute
from platemark.training.config import Course, TrainingConfig
from platemark.training.flow import Example, choose_frames, draw_levels, drop_slots, flow_loss, tell_actions
from platemark.training.muon import Muon, descent
from platemark.training.optimisation import Adam, Average
from platemark.training.pool import CHUNK, Encoded, LatentPool
from platemark.training.reconstruction import fit_basis, reconstruction_loss, settle
from platemark.training.tally import Stage, Tally
from platemark.training.world.clips import Part, World

SNIPPET_GROUPS = 2
"""Groups of frames after the first in what the autoencoder is trained on: the first, a still, learns by itself."""
VALIDATION_CLIPS = 48
_FIRST_FOR_BASIS = 1 << 40
"""Clips from this number on are used for the basis and the scale, and never in a step."""


class Trainer:
    """Networks, optimisers and a tally, ready to take steps.

    Args:
        config: what to train.
        compute: on what.
    """

    def __init__(self, config: TrainingConfig, *, compute: Compute) -> None:
        self.config = config
        self.compute = compute
        self.tally = Tally()
        self.world = World(config.seed, mixture=config.mixture)
        with torch.random.fork_rng():
            torch.manual_seed(config.seed)
            self.autoencoder = VideoAutoencoder(config.autoencoder)
            self.transformer = VideoTransformer(config.transformer)
        compute.place(self.autoencoder)
        compute.place(self.transformer)
        self.average = Average(self.transformer, keep=config.average)
        self.adam: Adam | Muon = Adam(self.autoencoder, config.autoencoder_optimiser)
        self.pool = LatentPool(self._encode_chunk, chunks=config.pool_chunks, refresh=config.pool_refresh)
        self._reconstruct = compute.faster(reconstruction_loss)

    def begin_stage(self) -> None:
        """Do what comes before a stage's first step: fit the basis, or settle the autoencoder."""
        if self.tally.stage is Stage.AUTOENCODER:
            fit_basis(self.autoencoder, self._snippets(self._basis_clips(), self._generator("basis", 0)))
        if self.tally.stage is Stage.TRANSFORMER:
            settle(self.autoencoder, self._snippets(self._basis_clips(), self._generator("scale", 0)))
            self.enter_transformer_stage()

    def enter_transformer_stage(self) -> None:
        """Freeze the autoencoder and make the optimiser of the transformer."""
        self.autoencoder.eval().requires_grad_(False)
        self.adam = descent(self.transformer, self.config.optimiser)

    def adopt_autoencoder(self, other: VideoAutoencoder) -> None:
        """Take a settled autoencoder of the same shape and go straight to the transformer."""
        self.autoencoder.load_state_dict(other.state_dict())
        self.tally = self.tally.next_stage()
        self.enter_transformer_stage()

    def step(self, progress: float) -> float:
        """Take one step of the current stage; give its loss.

        Args:
            progress: of the stage, 0 to 1; sets the learning rate and the course.
        """
        if self.tally.stage is Stage.AUTOENCODER:
            return self._step_autoencoder(progress)
        return self._step_transformer(progress)

    def _step_autoencoder(self, progress: float) -> float:
        config, step = self.config, self.tally.step
        generator = self._generator("autoencoder", step)
        first = step * config.autoencoder_batch
        index = torch.arange(first, first + config.autoencoder_batch, device=self.compute.device)
        video = self._snippets(index, generator)
        rows, columns = (side // config.autoencoder.patch for side in video.shape[2:4])
        size = (len(video), 1 + SNIPPET_GROUPS, rows, columns, config.autoencoder.latent_channels)
        noise = torch.randn(size, generator=generator) * config.latent_noise
        with self.compute.precision():
            loss = self._reconstruct(self.autoencoder, video, noise.to(self.compute.device))
        self.adam.step(loss, step=step, progress=progress)
        spent = autoencoder_flops(
            config.autoencoder, groups=len(video) * (1 + SNIPPET_GROUPS), height=rows, width=columns
        )
        value = float(loss.detach())
        self.tally = self.tally.after_step(value, samples=len(video), flops=BACKWARD * sum(spent))
        return value

    def _step_transformer(self, progress: float) -> float:
        step, generator = self.tally.step, self._generator("transformer", self.tally.step)
        course = self.course_at(progress)
        self._draw_from(course)
        self.pool.prepare(step)
        example = self._example(self.pool.draw(step, course.batch, generator=generator), course, generator)
        with self.compute.precision():
            condition = self.transformer.encode_slots(example.slots, example.actions)
            loss = flow_loss(self.transformer, condition, example)
        self.adam.step(loss, step=step, progress=progress)
        self.average.update(step)
        b, t, h, w, _ = example.clean.shape
        forward = transformer_flops(self.config.transformer, frames=t, height=h, width=w)
        value = float(loss.detach())
        self.tally = self.tally.after_step(value, samples=b, flops=BACKWARD * b * forward)
        return value

    def _draw_from(self, course: Course) -> None:
        """Fill the pool anew where a course has a mixture of its own, so that a resumed run meets the same latents."""
        mixture = self.config.mixture if course.mixture is None else course.mixture
        if mixture != self.world.mixture:
            self.world = replace(self.world, mixture=mixture)
            self.pool = LatentPool(self._encode_chunk, chunks=self.config.pool_chunks, refresh=self.config.pool_refresh)

    def course_at(self, progress: float) -> Course:
        """Tell which part of the curriculum a progress falls in."""
        reached = 0.0
        for course in self.config.courses:
            reached += course.share
            if progress < reached:
                return course
        return self.config.courses[-1]

    def _example(self, encoded: Encoded, course: Course, generator: torch.Generator) -> Example:
        config, device = self.config, self.compute.device
        total = encoded.latents.shape[1]
        size = (len(encoded.latents), course.frames or total)
        frames = choose_frames(size, total=total, generator=generator).to(device)
        row = torch.arange(size[0], device=device)[:, None]
        clean = encoded.latents[row, frames]
        level = draw_levels(size, config.chances, mean=config.level_mean, generator=generator).to(device)
        slots = drop_slots(encoded.slots, config.chances, generator=generator)
        told = tell_actions(encoded, slots, config.chances, generator=generator)
        noise = torch.randn(clean.shape, generator=generator).to(device)
        return Example(clean, noise, level, told.slots, frames, told.actions[row, frames])

    @torch.no_grad()
    def validation_loss(self) -> float:
        """Measure the averaged transformer on whole clips of held-out combinations, always in the same noise."""
        world = World(self.config.seed, Part.HELD_OUT)
        network = self.averaged_transformer().to(self.compute.device)
        total = 0.0
        for first in range(0, VALIDATION_CLIPS, CHUNK):
            generator = self._generator("validation", first)
            encoded = self._encode(world, torch.arange(first, first + CHUNK, device=self.compute.device))
            size = (CHUNK, encoded.latents.shape[1])
            level = torch.sigmoid(torch.randn(CHUNK, 1, generator=generator) + self.config.level_mean).expand(size)
            noise = torch.randn(encoded.latents.shape, generator=generator)
            place = torch.arange(size[1]).expand(size)
            device = self.compute.device
            example = Example(
                encoded.latents, noise.to(device), level.to(device), encoded.slots, place.to(device), encoded.actions
            )
            with self.compute.precision():
                condition = network.encode_slots(example.slots, example.actions)
                total += float(flow_loss(network, condition, example))
        return total / (VALIDATION_CLIPS // CHUNK)

    def averaged_transformer(self) -> VideoTransformer:
        """Copy the averaged weights into a network of their own, in evaluation mode on the CPU."""
        network = VideoTransformer(self.config.transformer)
        network.load_state_dict({name: weight.cpu() for name, weight in self.average.weights.items()})
        return network.eval().requires_grad_(False)

    def _encode_chunk(self, chunk: int) -> Encoded:
        first = chunk * CHUNK
        return self._encode(self.world, torch.arange(first, first + CHUNK, device=self.compute.device))

    @torch.no_grad()
    def _encode(self, world: World, index: Tensor) -> Encoded:
        batch = world.render(index, self.config.clips)
        with self.compute.precision():
            latents = self.autoencoder.encode(batch.floats).float()
        shares = action_shares(batch.actions, group=self.config.autoencoder.group_frames)
        return Encoded(latents, batch.slots, shares)

    def _snippets(self, index: Tensor, generator: torch.Generator) -> Tensor:
        shape, group = self.config.clips, self.config.autoencoder.group_frames
        length = 1 + SNIPPET_GROUPS * group
        # Snippets begin where groups do, so that what changes between groups in clips never changes inside one here.
        start = group * torch.randint(0, (shape.frames - length) // group + 1, (len(index), 1), generator=generator)
        frames = (start + torch.arange(length)).to(index.device)
        return self.world.render(index, shape, frames=frames).floats

    def _basis_clips(self) -> Tensor:
        return torch.arange(self.config.basis_clips, device=self.compute.device) + _FIRST_FOR_BASIS

    def _generator(self, purpose: str, step: int) -> torch.Generator:
        digest = hashlib.sha256(f"platemark.training.1:{self.config.seed}:{purpose}:{step}".encode()).digest()
        return torch.Generator("cpu").manual_seed(int.from_bytes(digest[:8], "big") >> 1)
