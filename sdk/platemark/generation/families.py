"""What is known about each family of real video models: its grid, its pace, and which of its classes does what.

One rule: data and arithmetic; nothing here imports a model library. A grid is read from the model's own configuration,
so that a model is never asked for a size or length that it would silently round.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from platemark.errors import RequestError
from platemark.generation.backend import GenerationRequest
from platemark.generation.model_folder import ModelFolder

Way = Literal["words", "first frame", "any frame"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One family of models.

    Attributes:
        name: for people.
        fps: the rate at which its models learned motion.
        max_frames: the longest clips they learned.
        steps: sampling steps where nobody says.
        guidance: weight of guidance where nobody says.
        text: what its `encode_prompt` gives, in order.
    """

    name: str
    fps: int
    max_frames: int
    steps: int
    guidance: float
    text: tuple[str, ...]


_PLAIN_TEXT = ("prompt_embeds", "negative_prompt_embeds")
_MASKED_TEXT = (
    "prompt_embeds",
    "prompt_attention_mask",
    "negative_prompt_embeds",
    "negative_prompt_attention_mask",
)
WAN = Family(name="Wan", fps=16, max_frames=121, steps=40, guidance=5.0, text=_PLAIN_TEXT)
LTX = Family(name="LTX-Video", fps=25, max_frames=257, steps=40, guidance=3.0, text=_MASKED_TEXT)
MOCHI = Family(name="Mochi", fps=30, max_frames=163, steps=64, guidance=4.5, text=_MASKED_TEXT)
COG = Family(name="CogVideoX", fps=8, max_frames=81, steps=50, guidance=6.0, text=_PLAIN_TEXT)

_WAYS: Mapping[str, tuple[Family, Mapping[Way, str]]] = {
    "WanPipeline": (WAN, {"words": "WanPipeline"}),
    "WanImageToVideoPipeline": (WAN, {"first frame": "WanImageToVideoPipeline"}),
    "LTXPipeline": (LTX, {"words": "LTXPipeline", "first frame": "LTXImageToVideoPipeline"}),
    "LTXImageToVideoPipeline": (LTX, {"words": "LTXPipeline", "first frame": "LTXImageToVideoPipeline"}),
    "LTXConditionPipeline": (LTX, {"words": "LTXPipeline", "any frame": "LTXConditionPipeline"}),
    "CogVideoXPipeline": (COG, {"words": "CogVideoXPipeline"}),
    "CogVideoXImageToVideoPipeline": (COG, {"first frame": "CogVideoXImageToVideoPipeline"}),
    "MochiPipeline": (MOCHI, {"words": "MochiPipeline"}),
}
_TWO_ENCODERS = "it reads a prompt with two encoders, which is not built here"
_NOT_BUILT: Mapping[str, str] = {
    "HunyuanVideo": f"{_TWO_ENCODERS}, and its licence leaves out the European Union, Britain and South Korea",
    "HunyuanSkyreels": f"{_TWO_ENCODERS}, and it descends from HunyuanVideo",
    "LTX2": "it makes sound with its pictures, and sound is neither screened nor marked here",
}
"""Beginnings of the names of classes that people have folders of, and why those cannot be used."""
_WAN_BOTH: Mapping[Way, str] = {"words": "WanPipeline", "first frame": "WanImageToVideoPipeline"}
"""Wan 2.2 TI2V takes words with or without a first frame; `expand_timesteps` in its index tells it from the others."""


_ASKED: Mapping[str, str] = {
    "source": "change a given clip",
    "loop": "close a clip into a loop",
    "world": "be steered frame by frame",
}


@dataclass(frozen=True, slots=True)
class Grid:
    """Sides are multiples of `side` pixels; lengths are `time` * k + 1 frames."""

    side: int
    time: int


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A model folder of a known family.

    Attributes:
        family: its family.
        ways: what it can start from, and the class that does it.
        grid: its sizes and lengths.
    """

    family: Family
    ways: Mapping[Way, str]
    grid: Grid


@dataclass(frozen=True, slots=True)
class NativeClip:
    """The clip that the model is asked for: on its grid, at its pace, covering what comes out."""

    width: int
    height: int
    frames: int

    def frame_at(self, frame: int, *, fps: int, native_fps: int) -> int:
        """Give the native frame nearest in time to a frame that comes out."""
        return min(round(frame * native_fps / fps), self.frames - 1)


def know_model(folder: ModelFolder) -> KnownModel:
    """Find a folder's family, ways and grid.

    Raises:
        RequestError: its pipeline's class is of no family that is known here.
    """
    if folder.pipeline not in _WAYS:
        why = next((why for start, why in _NOT_BUILT.items() if folder.pipeline.startswith(start)), "")
        raise RequestError(
            f"Models of the class {folder.pipeline[:60]!r} cannot be used here{': ' + why if why else ''}.",
            fix=f"Known are {', '.join(sorted(_WAYS))}.",
        )
    family, ways = _WAYS[folder.pipeline]
    if family is WAN:
        ways = _WAN_BOTH if folder.settings.get("expand_timesteps") else ways
        return KnownModel(family, ways, _wan_grid(folder))
    grids = {LTX.name: _ltx_grid, COG.name: _cog_grid, MOCHI.name: _mochi_grid}
    return KnownModel(family, ways, grids[family.name](folder))


def native_clip(model: KnownModel, request: GenerationRequest) -> NativeClip:
    """Choose the smallest clip on a model's grid that covers a request.

    Raises:
        RequestError: it is longer than what the model learned.
    """
    side, time = model.grid.side, model.grid.time
    last = math.ceil(round((request.frames - 1) * model.family.fps / request.fps, 6))
    frames = 1 + time * math.ceil(last / time)
    if frames > model.family.max_frames:
        raise RequestError(
            f"{model.family.name} makes at most {model.family.max_frames / model.family.fps:.1f} s at once; "
            f"{request.frames / request.fps:.1f} s were asked for.",
            fix="Ask for a shorter clip, and extend it.",
        )
    return NativeClip(-(-request.size.width // side) * side, -(-request.size.height // side) * side, frames)


def way_of(model: KnownModel, request: GenerationRequest) -> Way:
    """Say what a request starts from.

    Raises:
        RequestError: the model cannot start from that.
    """
    conditioning = request.conditioning
    can = " or ".join(model.ways)
    if conditioning.kind in ("source", "loop", "world"):
        raise RequestError(
            f"This {model.family.name} model cannot {_ASKED[conditioning.kind]}; it starts from {can}.",
            fix="Use the model 'embedded', which can.",
        )
    only_first = all(each.first == 0 for each in conditioning.given)
    wanted: Way = "words" if conditioning.kind != "given" else "any frame"
    if wanted == "any frame" and only_first and "first frame" in model.ways:
        wanted = "first frame"
    if wanted not in model.ways:
        without = "words alone" if wanted == "words" else "the given frames"
        raise RequestError(
            f"This {model.family.name} model starts from {can}, not from {without}.",
            fix="Give it what it starts from, or use another model.",
        )
    return wanted


def _wan_grid(folder: ModelFolder) -> Grid:
    vae = folder.configs.get("vae", {})
    patch = folder.configs.get("transformer", {}).get("patch_size", (1, 2, 2))
    space = _count(vae.get("scale_factor_spatial", 8)) * _count(patch[1] if isinstance(patch, list | tuple) else patch)
    # The pipeline refuses what does not divide by 16, whatever the model's own grid is.
    return Grid(math.lcm(16, space), _count(vae.get("scale_factor_temporal", 4)))


def _ltx_grid(folder: ModelFolder) -> Grid:
    vae = folder.configs.get("vae", {})
    scaling = vae.get("spatio_temporal_scaling", (True, True, True, False))
    doublings = sum(map(bool, scaling)) if isinstance(scaling, list | tuple) else 3
    space = vae.get("spatial_compression_ratio") or _count(vae.get("patch_size", 4)) * 2**doublings
    time = vae.get("temporal_compression_ratio") or _count(vae.get("patch_size_t", 1)) * 2**doublings
    return Grid(math.lcm(32, _count(space)), _count(time))


def _mochi_grid(folder: ModelFolder) -> Grid:
    vae = folder.configs.get("vae", {})
    scales = [_product(vae.get("spatial_expansions", (2, 2, 2))), _product(vae.get("temporal_expansions", (1, 2, 3)))]
    if scales != [8, 6]:
        raise RequestError(
            "diffusers runs Mochi at 8 pixels and 6 frames a latent alone; this model has another scale.",
            fix="Use a model of Mochi's own shape.",
        )
    return Grid(8 * _count(folder.configs.get("transformer", {}).get("patch_size", 2)), 6)


def _product(values: Any) -> int:
    return math.prod(map(_count, values if isinstance(values, list | tuple) else (values,)))


def _cog_grid(folder: ModelFolder) -> Grid:
    vae = folder.configs.get("vae", {})
    blocks = vae.get("block_out_channels", (1, 1, 1, 1))
    patch = folder.configs.get("transformer", {}).get("patch_size", 2)
    space = 2 ** (len(blocks) - 1 if isinstance(blocks, list | tuple) else 3)
    return Grid(math.lcm(8, space * _count(patch)), _count(vae.get("temporal_compression_ratio", 4)))


def _count(value: Any) -> int:
    """Take a positive whole number from a configuration.

    Raises:
        RequestError: it is none.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not 1 <= value <= 1024 or value != int(value):
        raise RequestError("The model's configuration has an impossible scale.", fix="Copy the model again.")
    return int(value)
