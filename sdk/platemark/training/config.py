"""What a training run is, as one frozen value, and the three presets.

One rule: a configuration is checked where it is made, and everything a run computes follows from it, its seed and its
budget.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Literal

from pydantic import ConfigDict, TypeAdapter, ValidationError

from platemark.errors import RequestError
from platemark.generation.actions import ACTIONS
from platemark.generation.config import AutoencoderConfig, TransformerConfig
from platemark.training.world.attributes import SLOT_SIZES
from platemark.training.world.clips import ClipShape
from platemark.training.world.mixture import Emphasis, Mixture

_STRICT = ConfigDict(extra="forbid")


def _check(holds: bool, message: str) -> None:
    if not holds:
        raise RequestError(message, fix="Use a preset, or correct this value.")


def _check_mixture(mixture: Mixture) -> None:
    names = [emphasis.name for emphasis in mixture]
    _check(len(set(names)) == len(names), f"A mixture emphasises each thing once; got {names}.")


@dataclass(frozen=True, slots=True)
class Course:
    """A part of the curriculum: how many latent frames of a clip are shown at once, in what batches, for how long.

    Args:
        frames: latent frames, a random subset of each clip; 0 is all.
        batch: clips in a batch.
        share: of the transformer's training.
        mixture: of the clips in this part; none is the run's own.
    """

    frames: int
    batch: int
    share: float
    mixture: Mixture | None = None
    __pydantic_config__ = _STRICT

    def __post_init__(self) -> None:
        _check(self.frames >= 0 and self.batch >= 1, f"A course needs frames >= 0 and a batch >= 1; got {self}.")
        _check(0 < self.share <= 1, f"A course's share is over 0 and at most 1; got {self.share}.")
        _check_mixture(self.mixture or ())


@dataclass(frozen=True, slots=True)
class Optimiser:
    """AdamW or Muon, and the schedule.

    Args:
        method: `adamw`, or `muon` for the matrices of a transformer's blocks, with AdamW for everything else.
        rate: learning rate after warm-up.
        warmup: steps of linear warm-up.
        anneal: share of the training, at its end, over which the rate falls to nearly nothing.
        decay: weight decay of matrices.
        momentum: the second of AdamW's two averages' factors; the first is 0.9.
        clip: largest norm of the gradient.
    """

    method: Literal["adamw", "muon"] = "adamw"
    rate: float = 1.5e-3
    warmup: int = 100
    anneal: float = 0.35
    decay: float = 0.01
    momentum: float = 0.97
    clip: float = 1.0
    __pydantic_config__ = _STRICT

    def __post_init__(self) -> None:
        _check(0 < self.rate < 1, f"A learning rate is between 0 and 1; got {self.rate}.")
        _check(self.warmup >= 0 and 0 <= self.anneal <= 1, f"warmup >= 0 and anneal in [0, 1]; got {self}.")
        _check(self.decay >= 0 and 0 < self.momentum < 1 and self.clip > 0, f"Not an optimiser: {self}.")


@dataclass(frozen=True, slots=True)
class Chances:
    """How often a training example is made harder, each from 0 to 1.

    Args:
        nothing_said: the whole condition is left open, for guidance.
        slots_dropped: some slots are left open; then each with a chance of 0.35.
        first_given: the first latent frame is given clean.
        last_given: the last latent frame is given clean.
        own_levels: each latent frame has a noise level of its own.
        actions_dropped: a flight's actions are not told.
        flown_freely: a flight with one action throughout is called a free one, so that its actions are needed.
    """

    nothing_said: float = 0.1
    slots_dropped: float = 0.12
    first_given: float = 0.1
    last_given: float = 0.04
    own_levels: float = 0.1
    actions_dropped: float = 0.15
    flown_freely: float = 0.5
    __pydantic_config__ = _STRICT

    def __post_init__(self) -> None:
        values = [getattr(self, name) for name in self.__slots__]
        _check(all(0 <= value <= 1 for value in values), f"Chances are from 0 to 1; got {self}.")
        _check(self.first_given + self.last_given <= 1, "first_given and last_given together must not exceed 1.")


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """A whole training run.

    Args:
        name: of the preset, or of whatever was made from one.
        clips: size and length of the clips.
        autoencoder: shape of the first network.
        transformer: shape of the second; its slots must be the world's.
        mixture: what is drawn more often than the world's own shares say.
        seed: of the clips, the weights' beginnings and every random choice.
        autoencoder_share: of the budget.
        autoencoder_batch: snippets of clips in a batch of the autoencoder.
        autoencoder_optimiser: for the autoencoder.
        latent_noise: added to latents while the autoencoder learns, in its own units.
        basis_clips: snippets from which the linear basis is computed.
        optimiser: for the transformer.
        courses: the transformer's curriculum, in order; shares sum to 1.
        chances: see `Chances`.
        level_mean: centre of the logit-normal noise levels (0 is the middle).
        average: how much of the averaged weights is kept in a step, once warmed up.
        pool_chunks: chunks of 16 clips whose latents are held ready.
        pool_refresh: steps after which the oldest chunk gives way to a new one.

    Raises:
        RequestError: a value is out of its range, or two do not fit together.
    """

    name: str
    clips: ClipShape
    autoencoder: AutoencoderConfig
    transformer: TransformerConfig
    mixture: Mixture = ()
    seed: int = 1
    autoencoder_share: float = 0.2
    autoencoder_batch: int = 8
    autoencoder_optimiser: Optimiser = Optimiser(rate=2e-3, warmup=50, anneal=1.0, decay=1e-4, momentum=0.98, clip=0.5)
    latent_noise: float = 0.1
    basis_clips: int = 256
    optimiser: Optimiser = Optimiser()
    courses: tuple[Course, ...] = (Course(1, 64, 0.18), Course(2, 36, 0.27), Course(0, 16, 0.55))
    chances: Chances = Chances()
    level_mean: float = 0.5
    average: float = 0.998
    pool_chunks: int = 64
    pool_refresh: int = 4
    __pydantic_config__ = _STRICT

    def __post_init__(self) -> None:
        patch = self.autoencoder.patch
        sides = (self.clips.height, self.clips.width)
        _check(all(side % patch == 0 for side in sides), f"Both sides must divide by {patch}; got {sides}.")
        group = self.autoencoder.group_frames
        _check((self.clips.frames - 1) % group == 0, f"Frames must be one more than a multiple of {group}.")
        _check(self.clips.frames > 2 * group, f"Clips need more than {2 * group} frames; got {self.clips.frames}.")
        _check(
            self.transformer.latent_channels == self.autoencoder.latent_channels,
            "The two networks must have the same latent_channels.",
        )
        _check(
            self.transformer.slot_sizes == SLOT_SIZES,
            f"The transformer's slots must be the world's, {SLOT_SIZES}; got {self.transformer.slot_sizes}.",
        )
        _check(0 < self.autoencoder_share < 1, "autoencoder_share must be between 0 and 1.")
        _check(abs(sum(c.share for c in self.courses) - 1) < 1e-6, "The shares of the courses must sum to 1.")
        _check(
            all(course.frames <= self.latent_frames for course in self.courses),
            f"No course can show more than {self.latent_frames} latent frames.",
        )
        counts = (self.autoencoder_batch, self.basis_clips, self.pool_chunks, self.pool_refresh)
        _check(all(n >= 1 for n in counts), f"Batches, clips, chunks and refresh must be 1 or more; got {counts}.")
        _check(0 <= self.average < 1 and self.latent_noise >= 0, "average in [0, 1) and latent_noise >= 0.")
        _check_mixture(self.mixture)
        _check(0 <= self.seed < 1 << 32, f"A seed is from 0 to 2**32 - 1; got {self.seed}.")

    @property
    def latent_frames(self) -> int:
        """The latent frames of a whole clip."""
        return self.autoencoder.latent_frames(self.clips.frames)

    def to_json(self) -> str:
        """Write this configuration as JSON."""
        return json.dumps(asdict(self), sort_keys=True)


def config_from_json(text: str) -> TrainingConfig:
    """Read a configuration that `TrainingConfig.to_json` wrote.

    Raises:
        RequestError: it is not one, or a value is out of its range.
    """
    try:
        return TypeAdapter(TrainingConfig).validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the whole"
        raise RequestError(
            f"The training configuration is not in a form this version knows: {place}: {first['msg']}.",
            fix="Train with the version that began this run, or begin a new one.",
        ) from error


_WEAK: Mapping[str, float] = {
    "shapes": 1.2,
    "sky": 0.8,
    "sea": 0.6,
    "city": 0.8,
    "bars": 1.5,
    "lines": 1.5,
    "globe": 1.25,
    "map": 1.5,
    "flag": 0.8,
    "countdown": 1.5,
    "occluder": 1.2,
    "cube": 1.4,
    "voxels": 1.8,
    "flying freely": 4,
}
"""What one run on the world's own shares left weak comes more often, and half of all flights are free ones."""
_STEERED = {**_WEAK, "map": 2.0, "voxels": 5.0, "flying freely": 8}
"""For the end of a run: a third of all clips are flights, so that actions are learned beside everything else."""


def _mixture(times: Mapping[str, float]) -> Mixture:
    return tuple(Emphasis(name, factor) for name, factor in times.items())


NANO = TrainingConfig(
    name="nano",
    clips=ClipShape(64, 64, 17),
    autoencoder=AutoencoderConfig(latent_channels=20),
    transformer=TransformerConfig(
        slot_sizes=SLOT_SIZES, latent_channels=20, width=256, depth=6, heads=4, actions=len(ACTIONS)
    ),
    mixture=_mixture(_WEAK),
    seed=2,
    autoencoder_share=0.22,
    basis_clips=512,
    optimiser=Optimiser(method="muon", anneal=0.4),
    courses=(
        Course(1, 128, 0.2),
        Course(2, 64, 0.25),
        Course(0, 32, 0.26),
        Course(0, 32, 0.29, _mixture(_STEERED)),
    ),
    level_mean=0.8,
    average=0.9985,
    pool_chunks=96,
    pool_refresh=3,
)
"""For one processor core and an hour and three quarters; what it came to is in docs/model-card.md."""

SMALL = replace(
    NANO,
    name="small",
    clips=ClipShape(128, 128, 49),
    transformer=replace(NANO.transformer, width=320, depth=8, heads=5),
    average=0.998,
    pool_refresh=4,
    courses=(Course(1, 256, 0.18), Course(3, 96, 0.27), Course(0, 32, 0.55)),
    autoencoder_batch=32,
    pool_chunks=256,
)
"""For one accelerator and half an hour."""

BASE = replace(
    SMALL,
    name="base",
    autoencoder=replace(SMALL.autoencoder, latent_channels=32, fine_width=96, coarse_width=192),
    transformer=replace(SMALL.transformer, latent_channels=32, width=512, depth=12, heads=8),
    optimiser=replace(SMALL.optimiser, rate=8e-4),
    courses=(Course(1, 512, 0.18), Course(3, 192, 0.27), Course(0, 64, 0.55)),
)
"""For one accelerator and a day; not trained yet."""

PRESETS: Mapping[str, TrainingConfig] = {preset.name: preset for preset in (NANO, SMALL, BASE)}


def preset_named(name: str) -> TrainingConfig:
    """Find a preset.

    Raises:
        RequestError: there is no such preset.
    """
    if name not in PRESETS:
        raise RequestError(f"There is no preset {name[:40]!r}.", fix=f"Choose from: {', '.join(PRESETS)}.")
    return PRESETS[name]
