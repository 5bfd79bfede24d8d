"""The embedded model as a diffusers pipeline: saved with `save_pretrained`, loaded with `from_pretrained`.

One rule: the networks are the ones in `platemark.generation`, the folders and the scheduler diffusers' own.
Nothing of the shapes stands here; they travel in each part's `config.json`. Beside `backends/diffusers.py` this is the
other side of the one door to diffusers: that one runs other people's models, this one hands ours over.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import diffusers
import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from diffusers.schedulers.scheduling_flow_match_euler_discrete import FlowMatchEulerDiscreteScheduler
from diffusers.utils import logging
from pydantic import TypeAdapter
from torch import Tensor

from platemark.errors import RequestError
from platemark.generation.autoencoder import VideoAutoencoder
from platemark.generation.avoiding import avoid
from platemark.generation.card import ModelCard
from platemark.generation.checkpoint import Networks
from platemark.generation.config import AutoencoderConfig, TransformerConfig
from platemark.generation.prompts import understand
from platemark.generation.sampler import draw_noise
from platemark.generation.transformer import VideoTransformer


class PlatemarkTransformer(ModelMixin, ConfigMixin):
    """The transformer as a part of a pipeline.

    Args:
        architecture: the fields of `TransformerConfig`.
        native: `height`, `width`, `frames` and `fps` of the clips it was trained on, and the `steps` and `guidance` it
            is best sampled with.
    """

    @register_to_config
    def __init__(self, architecture: Mapping[str, Any], native: Mapping[str, Any]) -> None:
        super().__init__()
        self.network = VideoTransformer(TypeAdapter(TransformerConfig).validate_python(dict(architecture)))

    def forward(self, hidden_states: Tensor, timestep: Tensor, slots: Tensor) -> Tensor:
        """Predict clean latents.

        Args:
            hidden_states: (b, t, h, w, c) float32, noisy latents.
            timestep: (b, t) float32 in [0, 1], the noise level of each latent frame.
            slots: (b, s) int64, what each clip shows.

        Returns:
            (b, t, h, w, c) float32.
        """
        places = torch.arange(hidden_states.shape[1], device=hidden_states.device)[None].expand(len(hidden_states), -1)
        clean: Tensor = self.network(hidden_states, timestep, self.network.encode_slots(slots), places)
        return clean


class PlatemarkAutoencoder(ModelMixin, ConfigMixin):
    """The video autoencoder as a part of a pipeline.

    Args:
        architecture: the fields of `AutoencoderConfig`.
    """

    @register_to_config
    def __init__(self, architecture: Mapping[str, Any]) -> None:
        super().__init__()
        self.network = VideoAutoencoder(TypeAdapter(AutoencoderConfig).validate_python(dict(architecture)))

    def encode(self, video: Tensor) -> Tensor:
        """Compress (b, t, h, w, 3) float32 in [-1, 1]; see `VideoAutoencoder.encode`."""
        return self.network.encode(video)

    def decode(self, latents: Tensor) -> Tensor:
        """Restore video from (b, t, h, w, c) latents; see `VideoAutoencoder.decode`."""
        return self.network.decode(latents)


class PlatemarkPipeline(DiffusionPipeline):
    """From a prompt to the frames that the embedded model draws, in diffusers' way.

    It makes bare frames: what comes out is not screened, labelled, marked or signed. `Studio.generate` does that.

    Args:
        transformer: predicts clean latents.
        vae: turns them into frames.
        scheduler: walks from noise to latents.
    """

    model_cpu_offload_seq = "transformer->vae"

    def __init__(
        self,
        transformer: PlatemarkTransformer,
        vae: PlatemarkAutoencoder,
        scheduler: FlowMatchEulerDiscreteScheduler,
    ) -> None:
        super().__init__()
        self.register_modules(transformer=transformer, vae=vae, scheduler=scheduler)

    def encode_prompt(self, prompt: str, negative_prompt: str = "") -> tuple[Tensor, Tensor]:
        """Read what to show and what to stay away from.

        Returns:
            two (1, s) int64; the second is all nought where there is no negative prompt.

        Raises:
            RequestError: the prompt names nothing that the model can show.
        """
        read = avoid(understand(prompt), negative_prompt)
        return torch.tensor([read.reading.values.indices()]), torch.tensor([read.unwanted.indices()])

    def prepare_latents(self, seed: int) -> Tensor:
        """Draw the noise of a clip of the native size: (1, t, h, w, c) float32."""
        native, latent = self.transformer.config.native, self.vae.network.config
        sides = {side: -(-native[side] // latent.patch) for side in ("height", "width")}
        frames = range(latent.latent_frames(native["frames"]))
        return draw_noise(seed, frames, **sides, channels=latent.latent_channels)[None]

    def denoise(self, latents: Tensor, slots: tuple[Tensor, Tensor], *, steps: int, guidance: float) -> Tensor:
        """Walk from noise to clean latents.

        Args:
            latents: (1, t, h, w, c) float32, standard normal.
            slots: what to show and what to stay away from, (1, s) int64 each.
            steps: passes of the scheduler.
            guidance: 1 is none, and halves the work.

        Returns:
            (1, t, h, w, c) float32.
        """
        shown = torch.cat(slots) if guidance != 1 else slots[0]
        even = torch.linspace(1, 0, steps + 1)[:-1]
        self.scheduler.set_timesteps(sigmas=even.tolist(), device=latents.device)
        with torch.inference_mode():
            for step, level in enumerate(self.scheduler.sigmas[:-1]):
                noisy = torch.cat([latents] * len(shown))
                clean = self.transformer(noisy, level.expand(noisy.shape[:2]), shown)
                if guidance != 1:
                    wanted, away = clean.chunk(2)
                    clean = away + guidance * (wanted - away)
                velocity = (latents - clean) / level
                latents = self.scheduler.step(velocity, self.scheduler.timesteps[step], latents, return_dict=False)[0]
        return latents

    def __call__(
        self,
        prompt: str | tuple[Tensor, Tensor],
        *,
        num_inference_steps: int | None = None,
        guidance_scale: float | None = None,
        seed: int = 0,
        latents: Tensor | None = None,
    ) -> Tensor:
        """Make the frames of one clip.

        Args:
            prompt: words, or what `encode_prompt` gives for them.
            num_inference_steps: left out, the sampler's.
            guidance_scale: left out, the sampler's.
            seed: of the noise.
            latents: the noise itself; its shape decides size and length, in place of the native ones.

        Returns:
            (1, t, h, w, 3) float32, about [-1, 1], not clipped, on the transformer's device.

        Raises:
            RequestError: the prompt names nothing that the model can show, or there is no step.
        """
        native = self.transformer.config.native
        steps = native["steps"] if num_inference_steps is None else num_inference_steps
        if steps < 1:
            raise RequestError(f"At least one step is made; got {steps}.", fix="Leave num_inference_steps out.")
        device = self.transformer.device
        both = self.encode_prompt(prompt) if isinstance(prompt, str) else prompt
        noise = (self.prepare_latents(seed) if latents is None else latents).to(device)
        clean = self.denoise(
            noise,
            (both[0].to(device), both[1].to(device)),
            steps=steps,
            guidance=native["guidance"] if guidance_scale is None else guidance_scale,
        )
        with torch.inference_mode():
            video: Tensor = self.vae.decode(clean)
        return video


def as_pipeline(card: ModelCard, networks: Networks) -> PlatemarkPipeline:
    """Give a model's networks as a pipeline; the weights are shared, not copied.

    Args:
        card: says the shapes and the sampler.
        networks: with their weights.
    """
    native = {
        "height": card.native.height,
        "width": card.native.width,
        "frames": card.native.frames,
        "fps": card.native.fps,
        "steps": card.sampler.steps,
        "guidance": card.sampler.guidance,
    }
    transformer = PlatemarkTransformer(architecture=asdict(card.architecture.transformer), native=native)
    vae = PlatemarkAutoencoder(architecture=asdict(card.architecture.autoencoder))
    transformer.network, vae.network = networks.transformer, networks.autoencoder
    scheduler = FlowMatchEulerDiscreteScheduler(shift=card.sampler.shift)
    return PlatemarkPipeline(transformer.eval(), vae.eval(), scheduler)


def load_pipeline(directory: str) -> PlatemarkPipeline:
    """Load an exported folder, from this machine alone and without running anything in it."""
    logging.disable_progress_bar()  # progress is the caller's to print
    pipeline: PlatemarkPipeline = PlatemarkPipeline.from_pretrained(
        directory, local_files_only=True, use_safetensors=True, trust_remote_code=False
    )
    return pipeline


def make_known() -> None:
    """Let `DiffusionPipeline.from_pretrained` find `PlatemarkPipeline`.

    It looks a folder's pipeline class up by name among its own and nowhere else; the parts it finds by themselves,
    since this module is imported. Other ways for it to find a class run code from the folder.
    """
    setattr(diffusers, PlatemarkPipeline.__name__, PlatemarkPipeline)
