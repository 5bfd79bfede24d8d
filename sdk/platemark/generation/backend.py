"""What every generator is to the rest of platemark: its card, its plan, its cost, its frames; and how one is opened.

One rule: nothing here loads a model or torch. A prompt is refused and a plan is made before anything heavy starts.
"""

import difflib
import importlib
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, cast

from platemark.clip import (
    MAX_FPS,
    MAX_GUIDANCE,
    MAX_SECONDS,
    MAX_SEED,
    MAX_STEPS,
    MIN_FPS,
    Size,
    check_prompt,
    check_range,
)
from platemark.config import LocalModel
from platemark.errors import Cancelled, RequestError
from platemark.generation.given import STANDARD_CONTROLS, UNCONDITIONED, Conditioning, Controls
from platemark.generation.resize import RGB

if TYPE_CHECKING:
    from platemark.generation.kept import LatentKeeper


@dataclass(frozen=True, slots=True)
class NativeSize:
    """The size in pixels at which a generator works before its frames are brought to the size asked for."""

    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneratorInfo:
    """Who a generator is.

    Attributes:
        name: what `--model` takes.
        version: of code and weights together.
        weights_sha256: one digest over all weight files; none for a generator without weights.
        licence: SPDX expression for code and weights.
        native_size: none when every size is made directly.
        native_fps: none when every rate is made directly.
        description: one sentence for people.
        card: the whole model card, ready for JSON.
        excluded_territories: countries where its licence does not apply, to its clips either.
    """

    name: str
    version: str
    weights_sha256: str | None
    licence: str
    native_size: NativeSize | None
    native_fps: int | None
    description: str
    card: Mapping[str, Any]
    excluded_territories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationRequest:
    """One clip to make.

    Attributes:
        prompt: what to show.
        size: of the frames that come out.
        frames: how many come out.
        fps: at which rate they will be shown, 1 to 60.
        seed: start of all randomness; the same request with the same seed gives the same frames.
        steps: sampling steps, 1 to 250; none leaves the choice to the generator.
        guidance: how strictly to follow the prompt, 1 to 20; none leaves the choice to the generator.
        conditioning: frames to keep, a clip to change, or that the clip is a loop or a still.
        controls: how to sample.

    Raises:
        RequestError: a value is out of bounds, or given frames do not fit the clip.
    """

    prompt: str
    size: Size
    frames: int
    fps: int
    seed: int
    steps: int | None = None
    guidance: float | None = None
    conditioning: Conditioning = UNCONDITIONED
    controls: Controls = STANDARD_CONTROLS

    def __post_init__(self) -> None:
        check_prompt(self.prompt)
        check_range("fps", self.fps, MIN_FPS, MAX_FPS)
        check_range("frames", self.frames, 1, int(MAX_SECONDS * self.fps))
        check_range("seed", self.seed, 0, MAX_SEED)
        if self.steps is not None:
            check_range("steps", self.steps, 1, MAX_STEPS)
        if self.guidance is not None:
            check_range("guidance", self.guidance, 1.0, MAX_GUIDANCE)
        self.conditioning.check_fits(self.size, frames=self.frames)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedRequest:
    """What a generator will really do for a request; made by `Generator.resolve`, never rounded in silence.

    Attributes:
        request: as it was asked.
        model: name of the generator that made this plan.
        native_width: of the frames the model makes, in pixels.
        native_height: of the frames the model makes, in pixels.
        native_frames: how many frames the model makes.
        native_fps: the rate at which those were learned.
        steps: sampling steps for each stretch of the clip; 0 where nothing is sampled.
        guidance: weight of guidance; 1 is none.
        understood: what the prompt was read as, by aspect.
        assumed: what the prompt left open and the generator chose, by aspect.
        ignored_words: words of the prompt that will not be seen in the clip.
        resampling: in words, all that happens between the model's frames and those that come out.
        conditions: in words, what was given and what is made of it, one sentence each.
    """

    request: GenerationRequest
    model: str
    native_width: int
    native_height: int
    native_frames: int
    native_fps: int
    steps: int
    guidance: float
    understood: Mapping[str, str] = field(default_factory=dict)
    assumed: Mapping[str, str] = field(default_factory=dict)
    ignored_words: tuple[str, ...] = ()
    resampling: str = ""
    conditions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cost:
    """What a clip is expected to cost: seconds on one processor core, peak bytes, and passes through the model.

    The seconds are none where nobody can say before the model has run on this machine.
    """

    seconds: float | None
    peak_bytes: int
    forwards: int


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a generator has come: `step` of `total` in a stage."""

    stage: Literal["text", "denoise", "decode"]
    step: int
    total: int


ProgressListener = Callable[[Progress], None]


class CancelToken:
    """A switch that one thread throws and another looks at between steps."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def cancel(self) -> None:
        """Ask the work to stop at its next step; asking twice does no harm."""
        self._event.set()

    @property
    def cancelled(self) -> bool:
        """Whether somebody asked."""
        return self._event.is_set()

    def raise_if_cancelled(self) -> None:
        """End the work if somebody asked.

        Raises:
            Cancelled: somebody asked.
        """
        if self._event.is_set():
            raise Cancelled("The work was cancelled; nothing was kept.")


class Generator(Protocol):
    """A source of clips. `resolve` and `estimate` are quick and load no model."""

    @property
    def info(self) -> GeneratorInfo:
        """Who this generator is."""
        ...

    def resolve(self, request: GenerationRequest) -> ResolvedRequest:
        """Plan a clip.

        Raises:
            RequestError: this generator cannot show what the prompt asks for.
        """
        ...

    def estimate(self, resolved: ResolvedRequest) -> Cost:
        """Say what the clip will cost."""
        ...

    def generate(
        self,
        resolved: ResolvedRequest,
        *,
        on_progress: ProgressListener | None = None,
        cancel: CancelToken | None = None,
        keep: "LatentKeeper | None" = None,
    ) -> Iterator[RGB]:
        """Make the clip, frame by frame.

        Args:
            resolved: the plan.
            on_progress: told after each step.
            cancel: looked at before each step.
            keep: takes latents before they are decoded, and gives back those of an earlier try.

        Yields:
            `request.frames` frames, (height, width, 3) uint8 RGB at the requested size.

        Raises:
            Cancelled: the token was thrown.
            GenerationError: the weights are not the ones in the card, or the model failed.
        """
        ...


class _BackendModule(Protocol):
    """What a module under `backends/` offers."""

    def open_generator(self, *, threads: int | None = None) -> Generator:
        """Open the generator."""
        ...

    def generator_info(self) -> GeneratorInfo:
        """Describe the generator without opening it."""
        ...

    def check_weights(self) -> bool:
        """Compare the weight files with their digests."""
        ...


class _FolderModule(Protocol):
    """What the module that opens model folders offers."""

    def open_folder(self, model: LocalModel, *, name: str, cache: Path | None) -> Generator:
        """Open a folder."""
        ...

    def model_name(self, path: str) -> str:
        """Name a folder."""
        ...


_FOLDERS = "platemark.generation.backends.diffusers"
_BACKENDS = {
    "embedded": "platemark.generation.backends.embedded",
    "testcard": "platemark.generation.backends.testcard",
}


LOCAL = "diffusers:"
"""What the name of a model folder begins with; the path follows."""


def open_generator(
    name: str,
    *,
    models: Mapping[str, LocalModel] | None = None,
    cache: Path | None = None,
    threads: int | None = None,
) -> Generator:
    """Open a generator by its name. Its weights are read when the first clip is made.

    Args:
        name: of a generator that comes with platemark, of a model in `models`, or `diffusers:` and a folder.
        models: the folders with names that the configuration lists.
        cache: a folder for what can be found out again, such as the digests of large files.
        threads: for a generator that comes with platemark; none to choose by the work and the process's cores.

    Raises:
        RequestError: there is none of that name; the nearest one is suggested. Or the folder is none.
        MissingExtra: it needs an optional part of platemark that is not installed.
        GenerationError: what lies in a model's folder is refused.
    """
    named = models or {}
    if name not in named and not name.startswith(LOCAL):
        return _backend(name, also=tuple(named)).open_generator(threads=threads)
    folders = cast("_FolderModule", importlib.import_module(_FOLDERS))
    if name in named:
        return folders.open_folder(named[name], name=name, cache=cache)
    path = name.removeprefix(LOCAL)
    return folders.open_folder(LocalModel(path=path or "."), name=f"local-{folders.model_name(path)}", cache=cache)


def available_generators() -> tuple[GeneratorInfo, ...]:
    """List all generators, the default first; those whose extras are missing too."""
    return tuple(_backend(name).generator_info() for name in _BACKENDS)


def check_weights(name: str) -> bool:
    """Compare a generator's weight files with the digests in its card.

    Returns:
        True; also for a generator that has no weights.

    Raises:
        RequestError: there is no generator of that name.
        GenerationError: a file is missing, cut short, or another one.
    """
    return _backend(name).check_weights()


def _backend(name: str, *, also: tuple[str, ...] = ()) -> _BackendModule:
    if name not in _BACKENDS:
        names = (*_BACKENDS, *also)
        near = difflib.get_close_matches(name.lower(), names, n=1, cutoff=0.5)
        guess = f"Did you mean {near[0]!r}? " if near else ""
        raise RequestError(f"There is no model {name[:40]!r}.", fix=f"{guess}The models are: {', '.join(names)}.")
    return cast("_BackendModule", importlib.import_module(_BACKENDS[name]))
