"""The embedded generator: the latent diffusion transformer whose weights come with platemark.

One rule: reading a prompt, planning and estimating need no torch; it is imported when the first clip is made.
"""

import threading
from collections.abc import Iterator
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from platemark.errors import GenerationError, MissingExtra, RequestError
from platemark.generation.backend import (
    CancelToken,
    Cost,
    GenerationRequest,
    GeneratorInfo,
    NativeSize,
    Progress,
    ProgressListener,
    ResolvedRequest,
)
from platemark.generation.card import card_as_json, read_card, read_weights
from platemark.generation.config import SamplerConfig
from platemark.generation.kept import NOTHING_KEPT, LatentKeeper
from platemark.generation.resize import RGB
from platemark.generation.scenes import SCENE_RULES, SlotValues, guidance_for
from platemark.generation.shaping import native_moves, plan_shape
from platemark.generation.steered import read_request

if TYPE_CHECKING:
    from platemark.generation.checkpoint import Networks

NAME = "embedded"
WEIGHTS = Path(__file__).parent.parent / "weights"
CARD = WEIGHTS / "embedded-2.json"
NEEDED = ("torch", "safetensors", "einops")

# Measured on one core of a 2.8 GHz Xeon (AVX-512), torch 2.13, float32: 16 guided steps of 80 video tokens take 0.37 s.
_SECONDS_PER_TOKEN_FORWARD = 0.37 / (32 * 80)
_SECONDS_TO_LOAD = 3.0
_SECONDS_PER_GROUP = 0.02
_SECONDS_PER_MEGAPIXEL = 0.04
_BASE_BYTES = 350_000_000
_BYTES_PER_PIXEL = 12 * 4


def open_generator(*, threads: int | None = None) -> "EmbeddedGenerator":
    """Open the embedded generator.

    Raises:
        MissingExtra: torch, safetensors or einops is not installed.
    """
    return EmbeddedGenerator(threads=threads)


@lru_cache(maxsize=1)
def generator_info() -> GeneratorInfo:
    """Describe the embedded generator from its model card."""
    card = read_card(CARD)
    return GeneratorInfo(
        name=NAME,
        version=card.version,
        weights_sha256=card.weights_sha256,
        licence=card.licence.weights,
        native_size=NativeSize(card.native.width, card.native.height),
        native_fps=card.native.fps,
        description=card.description,
        card=card_as_json(CARD),
    )


def check_weights() -> bool:
    """Compare the weight files with their digests.

    Raises:
        GenerationError: a file is missing, cut short, or another one.
    """
    card = read_card(CARD)
    for weights in card.weights.files:
        read_weights(WEIGHTS, weights)
    return True


_AGAINST = 2.0
"""How far to move away from what a negative prompt names."""


class EmbeddedGenerator:
    """Make clips of a few simple scenes at 64x64 pixels and 12 frames a second, enlarged to what is asked for.

    Args:
        threads: for torch; none leaves the choice to the work and the process's cores. The same request gives the same
            bytes on the same kind of machine with the same number of threads.

    Raises:
        MissingExtra: torch, safetensors or einops is not installed.
    """

    def __init__(self, *, threads: int | None = None) -> None:
        missing = [name for name in NEEDED if find_spec(name) is None]
        if missing:
            raise MissingExtra(
                f"The embedded model needs {', '.join(missing)}, which this installation does not have.",
                fix="Run: pip install 'platemark[generate]'",
            )
        if threads is not None and threads < 1:
            raise RequestError(f"threads must be 1 or more; got {threads}.", fix="Leave it out.")
        self._threads = threads
        self._card = read_card(CARD)
        self._loading = threading.Lock()
        self._networks: Networks | None = None

    @property
    def info(self) -> GeneratorInfo:
        """Who this generator is."""
        return generator_info()

    def resolve(self, request: GenerationRequest) -> ResolvedRequest:
        """Read the prompt and plan the clip.

        Raises:
            RequestError: the prompt names nothing that the model can show; the message says what it can.
        """
        avoidance = read_request(self._card, request)
        reading = avoidance.reading
        shape = plan_shape(self._card, reading.values, request)
        guidance = self._guidance(request, reading.values) if request.guidance is None else request.guidance
        return ResolvedRequest(
            request=request,
            model=NAME,
            native_width=shape.clip.native_width,
            native_height=shape.clip.native_height,
            native_frames=shape.native_frames,
            native_fps=self._card.native.fps,
            steps=request.steps or self._card.sampler.steps,
            guidance=guidance,
            understood=reading.understood,
            assumed=reading.assumed,
            ignored_words=tuple(dict.fromkeys((*reading.ignored_words, *avoidance.ignored_words))),
            resampling=shape.resampling,
            conditions=shape.conditions,
        )

    def _guidance(self, request: GenerationRequest, values: SlotValues) -> float:
        """Choose the weight: none for weights that were taught to need none, but some against a negative prompt."""
        if self._card.sampler.guidance > 1:
            return guidance_for(values)
        return _AGAINST if request.controls.negative_prompt else 1.0

    def estimate(self, resolved: ResolvedRequest) -> Cost:
        """Say what a clip will cost, loading the model included; within a factor of two on two idle cores."""
        request = resolved.request
        reading = read_request(self._card, request).reading
        shape = plan_shape(self._card, reading.values, request)
        plan = shape.clip
        passes = resolved.steps if request.controls.method == "euler" else 2 * resolved.steps - 1
        forwards = passes * shape.walks * (1 if resolved.guidance == 1 else 2)
        tokens = shape.tempo.window * plan.rows * plan.columns / self._card.architecture.transformer.patch**2
        pixels = request.size.width * request.size.height
        seconds = (
            _SECONDS_TO_LOAD
            + forwards * tokens * _SECONDS_PER_TOKEN_FORWARD
            + shape.native_frames / shape.tempo.group * _SECONDS_PER_GROUP
            + request.frames * pixels / 1e6 * _SECONDS_PER_MEGAPIXEL
        )
        return Cost(round(seconds, 2), _BASE_BYTES + _BYTES_PER_PIXEL * pixels, forwards)

    def generate(
        self,
        resolved: ResolvedRequest,
        *,
        on_progress: ProgressListener | None = None,
        cancel: CancelToken | None = None,
        keep: LatentKeeper | None = None,
    ) -> Iterator[RGB]:
        """Make the clip; see `Generator.generate`. The weights are read on the first call.

        Raises:
            RequestError: the plan was made by another generator.
            Cancelled: the token was thrown.
            GenerationError: the weights are not the ones in the model card.
        """
        if resolved.model != NAME:
            raise RequestError(
                f"This plan is for the model {resolved.model[:40]!r}, not {NAME!r}.", fix="Resolve it again."
            )
        from platemark.generation.making import Making, make_frames, source_clip  # loads torch
        from platemark.generation.synthesis import Job

        request, report, token = resolved.request, on_progress or _ignore, cancel or CancelToken()
        token.raise_if_cancelled()
        networks = self._load()
        avoidance = read_request(self._card, request)
        values = avoidance.reading.values
        shape = plan_shape(self._card, values, request)
        report(Progress("text", 1, 1))
        controls, usual = request.controls, self._card.sampler
        shift = usual.shift if controls.shift is None else controls.shift
        job = Job(
            plan=shape.clip,
            slots=values.indices(),
            seed=request.seed,
            sampler=SamplerConfig(resolved.steps, resolved.guidance, shift, controls.method),
            window=shape.tempo.window,
            threads=self._threads,
            on_progress=report,
            cancel=token,
            unwanted=avoidance.unwanted.indices(),
            source=source_clip(request, shape),
            keep=keep or NOTHING_KEPT,
            moves=native_moves(request, shape.clip, group=shape.tempo.group),
        )
        making = Making(request=request, shape=shape, job=job, scene=SCENE_RULES[values.scene or ""])
        try:
            yield from make_frames(networks, making)
        except MemoryError as error:
            raise GenerationError(
                "There was not enough memory to make the clip. What was sampled is kept: the same request goes on.",
                fix="Close other programs, or ask for a smaller clip.",
            ) from error

    def _load(self) -> "Networks":
        from platemark.generation.checkpoint import load_networks  # loads torch
        from platemark.generation.packed import pack

        with self._loading:
            if self._networks is None:
                networks = load_networks(self._card, WEIGHTS)
                pack(networks.transformer)
                self._networks = networks
            return self._networks


def _ignore(progress: Progress) -> None:
    del progress
