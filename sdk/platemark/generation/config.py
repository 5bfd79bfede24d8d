"""The shapes of the networks and the settings of the sampler, as frozen values.

One rule: a configuration is checked where it is made, so that no network is ever built from an impossible one.
No torch here: the registry and the model cards read these too.
"""

import math
from dataclasses import dataclass
from typing import Literal

from platemark.errors import GenerationError


def _check(holds: bool, message: str) -> None:
    if not holds:
        raise GenerationError(message, fix="Use a preset, or correct this value.")


@dataclass(frozen=True, slots=True)
class AutoencoderConfig:
    """The video autoencoder: groups of frames and square patches to and from a few numbers.

    Args:
        latent_channels: numbers kept for each patch of a group.
        group_frames: frames in one group, and so in one latent frame.
        stem_patch: side in pixels of a cell at the first of the two scales; the second is twice as coarse.
        fine_width: channels at the first scale.
        coarse_width: channels at the second scale.
        encoder_blocks: residual blocks of the encoder at the coarse scale; it has one at the fine scale.
        coarse_decoder_blocks: residual blocks of the decoder at the coarse scale.
        fine_decoder_blocks: residual blocks of the decoder at the fine scale.

    Raises:
        GenerationError: a value is not positive.
    """

    latent_channels: int = 16
    group_frames: int = 4
    stem_patch: int = 4
    fine_width: int = 64
    coarse_width: int = 128
    encoder_blocks: int = 2
    coarse_decoder_blocks: int = 2
    fine_decoder_blocks: int = 2

    def __post_init__(self) -> None:
        for name in self.__slots__:
            value = getattr(self, name)
            _check(isinstance(value, int) and value > 0, f"{name} must be a positive whole number; got {value!r}.")

    @property
    def patch(self) -> int:
        """Side in pixels of the square that one latent position covers."""
        return 2 * self.stem_patch

    @property
    def stem_channels(self) -> int:
        """Numbers in one cell of the fine scale: frames x side x side x RGB."""
        return self.group_frames * self.stem_patch**2 * 3

    @property
    def patch_channels(self) -> int:
        """Numbers in one patch of one group before compression."""
        return self.group_frames * self.patch**2 * 3

    def latent_frames(self, frames: int) -> int:
        """Count the latent frames of a clip: the first frame is a group of its own, the rest go in groups.

        Raises:
            GenerationError: there is no frame.
        """
        _check(frames >= 1, f"A clip has at least one frame; got {frames}.")
        return 1 + math.ceil((frames - 1) / self.group_frames)

    def frames(self, latent_frames: int) -> int:
        """Count the frames that so many latent frames decode to."""
        return 1 + (latent_frames - 1) * self.group_frames


@dataclass(frozen=True, slots=True)
class TransformerConfig:
    """The diffusion transformer over latent patches.

    Args:
        latent_channels: numbers at each latent position; the autoencoder's.
        patch: side of a token in latent positions.
        width: width of a token.
        depth: number of blocks.
        heads: attention heads; each is `width / heads` wide.
        slot_sizes: number of values of each semantic slot, the value "unspecified" included.
        registers: learned tokens that carry nothing of the input.
        mlp_ratio: width of the hidden layer of a block's MLP over the width of a token.
        time_frequencies: cosine-sine pairs that embed a noise level.
        rope_base: ratio between the fastest and the slowest rotary frequency.
        rope_scale: rotation in radians from one position to the next, of the fastest frequency.
        actions: number of actions that a latent frame can be told, "none" included; 0 is a network without actions.

    Raises:
        GenerationError: a value is not positive, or the heads do not divide the width into even halves.
    """

    latent_channels: int = 16
    patch: int = 2
    width: int = 256
    depth: int = 6
    heads: int = 4
    slot_sizes: tuple[int, ...] = (10, 11, 11, 11, 15, 4, 11)
    registers: int = 1
    mlp_ratio: int = 4
    time_frequencies: int = 64
    rope_base: float = 30.0
    rope_scale: float = 1.5
    actions: int = 0

    def __post_init__(self) -> None:
        for name in (
            "latent_channels",
            "patch",
            "width",
            "depth",
            "heads",
            "registers",
            "mlp_ratio",
            "time_frequencies",
        ):
            value = getattr(self, name)
            _check(isinstance(value, int) and value > 0, f"{name} must be a positive whole number; got {value!r}.")
        _check(
            isinstance(self.actions, int) and self.actions >= 0,
            f"actions must be a whole number from 0; got {self.actions!r}.",
        )
        _check(len(self.slot_sizes) > 0, "There must be at least one semantic slot.")
        _check(all(n > 1 for n in self.slot_sizes), f"Each slot needs two values or more; got {self.slot_sizes}.")
        _check(
            self.width % (2 * self.heads) == 0, f"{self.heads} heads do not divide width {self.width} into even parts."
        )
        _check(self.head_width // 2 >= 4, f"A head of width {self.head_width} is too narrow for three rotary axes.")
        _check(math.isfinite(self.rope_base) and self.rope_base > 1, f"rope_base must exceed 1; got {self.rope_base}.")
        _check(
            math.isfinite(self.rope_scale) and self.rope_scale > 0,
            f"rope_scale must be positive; got {self.rope_scale}.",
        )

    @property
    def head_width(self) -> int:
        """Width of one attention head."""
        return self.width // self.heads

    @property
    def prefix_tokens(self) -> int:
        """Tokens that stand before the video's: one a slot, and the registers."""
        return len(self.slot_sizes) + self.registers

    @property
    def token_channels(self) -> int:
        """Latent numbers that make one token."""
        return self.latent_channels * self.patch**2


@dataclass(frozen=True, slots=True)
class UpscalerConfig:
    """The network that doubles the sides of decoded frames.

    Args:
        width: channels.
        blocks: residual blocks.

    Raises:
        GenerationError: a value is not positive.
    """

    width: int = 32
    blocks: int = 3

    def __post_init__(self) -> None:
        for name in self.__slots__:
            value = getattr(self, name)
            _check(isinstance(value, int) and value > 0, f"{name} must be a positive whole number; got {value!r}.")


@dataclass(frozen=True, slots=True)
class SamplerConfig:
    """How the sampler walks from noise to a clip.

    Args:
        steps: from 1 to 250.
        guidance: weight of classifier-free guidance; 1 is none, and halves the work. From 1 to 20.
        shift: how much of the walk is spent at high noise; 1 is an even walk. From 0.1 to 20.
        method: how a step is made; Heun's asks the model twice a step, but for the last.

    Raises:
        GenerationError: a value is out of its range.
    """

    steps: int = 16
    guidance: float = 3.0
    shift: float = 2.0
    method: Literal["euler", "heun"] = "euler"

    def __post_init__(self) -> None:
        _check(1 <= self.steps <= 250, f"steps must be from 1 to 250; got {self.steps}.")
        _check(1.0 <= self.guidance <= 20.0, f"guidance must be from 1 to 20; got {self.guidance}.")
        _check(0.1 <= self.shift <= 20.0, f"shift must be from 0.1 to 20; got {self.shift}.")
        _check(self.method in ("euler", "heun"), f"method must be euler or heun; got {self.method!r}.")
