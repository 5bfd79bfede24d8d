"""Real video models: a pipeline saved in a folder on this machine, run through the diffusers library.

One rule: this file is the only door to diffusers and transformers; their types and errors do not leave it. A folder is
looked through before it is loaded, nothing is ever fetched, and sampling ends with latents that are kept before they
are decoded.
"""

import hashlib
import inspect
import re
import threading
import warnings
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from importlib.metadata import version as installed_version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from platemark.config import LocalModel
from platemark.errors import GenerationError, MissingExtra, RequestError
from platemark.generation.backend import (
    CancelToken,
    Cost,
    GenerationRequest,
    GeneratorInfo,
    Progress,
    ProgressListener,
    ResolvedRequest,
)
from platemark.generation.families import NativeClip, know_model, native_clip, way_of
from platemark.generation.kept import LatentKeeper, NothingKept
from platemark.generation.licences import find_licence
from platemark.generation.model_folder import read_model_folder
from platemark.generation.resize import RGB
from platemark.generation.weights_hash import hash_model

if TYPE_CHECKING:
    from torch import Tensor

    from platemark.generation.placement import Placement

NEEDED = ("torch", "safetensors", "diffusers", "transformers", "accelerate", "ftfy", "sentencepiece")
REMEMBERED_PROMPTS = 8
TILED_FROM_PIXELS = 1024 * 1024
"""Frames with more pixels than this are decoded in tiles."""
_FAILURES = (RuntimeError, ValueError, TypeError, LookupError, AttributeError, OSError, ImportError, NameError)
"""What diffusers raises when a folder or a request does not suit it (`NameError` where it misses an optional part)."""


def open_folder(model: LocalModel, *, name: str, cache: Path | None = None) -> "DiffusersGenerator":
    """Open a model folder. It is looked through now and loaded when the first clip is made.

    Args:
        model: where it lies and how to run it.
        name: what to call it in manifests and logs; a path has no place there.
        cache: a folder for remembered digests.

    Raises:
        MissingExtra: diffusers or a part of it is not installed.
        RequestError: there is no such folder, or its kind of model is not known here.
        GenerationError: something in the folder is refused, or its digest is not the pinned one.
    """
    missing = [part for part in NEEDED if find_spec(part) is None]
    if missing:
        raise MissingExtra(
            f"Real models need {', '.join(missing)}, which this installation does not have.",
            fix="Run: pip install 'platemark[diffusers]'",
        )
    return DiffusersGenerator(model, name=name, cache=cache)


class DiffusersGenerator:
    """Make clips with a model folder.

    Args:
        model: where it lies and how to run it.
        name: what to call it.
        cache: a folder for remembered digests.

    Raises:
        RequestError: there is no such folder, or its kind of model is not known here.
        GenerationError: something in the folder is refused, or its digest is not the pinned one.
    """

    def __init__(self, model: LocalModel, *, name: str, cache: Path | None = None) -> None:
        self._model = model
        self._name = name
        self._folder = read_model_folder(Path(model.path))
        self._known = know_model(self._folder)
        self._cache = cache
        self._loading = threading.Lock()
        self._pipelines: dict[str, Any] = {}
        self._texts: OrderedDict[str, Mapping[str, Tensor]] = OrderedDict()
        if model.sha256:
            self._check_pin()

    @property
    def info(self) -> GeneratorInfo:
        """Who this generator is. The first call reads every byte of the model, unless its digest is remembered."""
        return self._described

    @cached_property
    def _described(self) -> GeneratorInfo:
        licence = find_licence(self._folder, declared=self._model.licence)
        digest = hash_model(self._folder.path, self._folder.files, cache=self._cache)
        made_by = f"{self._folder.pipeline}, diffusers {installed_version('diffusers')}"
        card = {
            "schema": "platemark-local-model-1",
            "name": self._name,
            "pipeline": self._folder.pipeline,
            "components": dict(self._folder.components),
            "weights_sha256": digest,
            "starts_from": list(self._known.ways),
            "grid": {"side": self._known.grid.side, "time": self._known.grid.time},
            "fps": self._known.family.fps,
            "licence": {
                "weights": licence.expression,
                "known": licence.known,
                "excluded_territories": list(licence.excluded),
                "conditions": list(licence.conditions),
            },
        }
        return GeneratorInfo(
            name=self._name,
            version=made_by,
            weights_sha256=digest,
            licence=licence.expression,
            native_size=None,
            native_fps=self._known.family.fps,
            description=f"A {self._known.family.name} model from a local folder.",
            card=card,
            excluded_territories=licence.excluded,
        )

    def resolve(self, request: GenerationRequest) -> ResolvedRequest:
        """Plan a clip on the model's own grid; what lies over its edge is cut off, and said.

        Raises:
            RequestError: the model cannot start from what is given, is asked for too long a clip, or for a way of
                sampling that is not its own.
        """
        if request.controls.method != "euler" or request.controls.shift is not None:
            raise RequestError("A real model samples by its own schedule.", fix="Leave method and shift out.")
        way, native, family = way_of(self._known, request), native_clip(self._known, request), self._known.family
        return ResolvedRequest(
            request=request,
            model=self._name,
            native_width=native.width,
            native_height=native.height,
            native_frames=native.frames,
            native_fps=family.fps,
            steps=request.steps or family.steps,
            guidance=family.guidance if request.guidance is None else request.guidance,
            understood={"prompt": "read by the model's own text encoder"},
            resampling=self._resampling(request, native),
            conditions=tuple(
                f"frames {each.first} to {each.stop - 1} kept as given, shown to the model as its {way}"
                for each in request.conditioning.given
            ),
        )

    def estimate(self, resolved: ResolvedRequest) -> Cost:
        """Say what is known before a model is loaded: the passes, and the bytes of its files. Seconds are not known."""
        size = sum((self._folder.path / name).stat().st_size for name in self._folder.files)
        pixels = resolved.native_frames * resolved.native_width * resolved.native_height
        return Cost(None, size + 24 * pixels, resolved.steps * (1 if resolved.guidance == 1 else 2))

    def generate(
        self,
        resolved: ResolvedRequest,
        *,
        on_progress: ProgressListener | None = None,
        cancel: CancelToken | None = None,
        keep: LatentKeeper | None = None,
    ) -> Iterator[RGB]:
        """Make the clip; see `Generator.generate`. Latents are kept before they are decoded.

        Raises:
            RequestError: the plan was made by another generator.
            Cancelled: the token was thrown; noticed within one step, and nothing is decoded then.
            GenerationError: the model failed, ran out of memory, or made another size or length than planned.
        """
        if resolved.model != self._name:
            raise RequestError(
                f"This plan is for the model {resolved.model[:40]!r}, not {self._name!r}.", fix="Resolve it again."
            )
        report, token, keeper = on_progress or _ignore, cancel or CancelToken(), keep or NothingKept()
        token.raise_if_cancelled()
        latents = keeper.find("latents")
        if latents is None:
            latents = self._sampled(resolved, report, token)
            keeper.keep("latents", latents)
        token.raise_if_cancelled()
        video = self._decoded(resolved, latents)
        yield from self._fitted(resolved, video, report, token)

    # -- sampling --------------------------------------------------------------------------------------------------

    def _sampled(
        self, resolved: ResolvedRequest, report: ProgressListener, token: CancelToken
    ) -> Mapping[str, "Tensor"]:
        import torch

        from platemark.generation.threads import torch_threads, usable_cores

        request = resolved.request
        pipeline = self._pipeline(self._known.ways[way_of(self._known, request)])

        def on_step(_pipeline: object, step: int, _time: object, _tensors: object) -> dict[str, object]:
            """Report, and end the walk here where it is to end: diffusers' own way to stop would still decode."""
            report(Progress("denoise", step + 1, resolved.steps))
            token.raise_if_cancelled()
            return {}

        arguments = {
            "height": resolved.native_height,
            "width": resolved.native_width,
            "num_frames": resolved.native_frames,
            "num_inference_steps": resolved.steps,
            "guidance_scale": resolved.guidance,
            "generator": torch.Generator("cpu").manual_seed(request.seed),
            "callback_on_step_end": on_step,
        }
        with (
            torch_threads(self._model.threads or usable_cores()),
            torch.no_grad(),
            _failures("sampling"),
            _latents_of(pipeline) as caught,
        ):
            arguments |= {**self._text(pipeline, resolved), **self._given(pipeline, resolved)}
            report(Progress("text", 1, 1))
            token.raise_if_cancelled()
            pipeline(**arguments)
        if not caught:
            raise GenerationError("The model ended without latents.", fix="Report this with the model's name.")
        return caught

    def _text(self, pipeline: Any, resolved: ResolvedRequest) -> Mapping[str, "Tensor"]:
        """Embed the prompt, or remember how it was embedded: a text encoder is often the largest part of a model."""
        away, guided = resolved.request.controls.negative_prompt, resolved.guidance > 1
        key = hashlib.sha256(f"{guided}\0{away}\0{resolved.request.prompt}".encode()).hexdigest()
        if key not in self._texts:
            usual = inspect.signature(pipeline.__call__).parameters["max_sequence_length"].default
            embedded = pipeline.encode_prompt(
                resolved.request.prompt,
                negative_prompt=away,
                do_classifier_free_guidance=guided,
                max_sequence_length=usual,
            )
            named = zip(self._known.family.text, embedded, strict=True)
            self._texts[key] = {name: tensor for name, tensor in named if tensor is not None}
            while len(self._texts) > REMEMBERED_PROMPTS:
                self._texts.popitem(last=False)
        self._texts.move_to_end(key)
        return self._texts[key]

    def _given(self, pipeline: Any, resolved: ResolvedRequest) -> dict[str, object]:
        """Show given frames to the model: at its size, their edges continued where its grid is larger."""
        request = resolved.request
        if not request.conditioning.given:
            return {}
        runs = {each.first: [_on_grid(frame, resolved) for frame in each.pixels] for each in request.conditioning.given}
        if "any frame" not in self._known.ways:
            return {"image": runs[0][0]}
        from diffusers.pipelines.ltx.pipeline_ltx_condition import LTXVideoCondition

        group = self._known.grid.time
        places = {round(first * resolved.native_fps / request.fps): frames for first, frames in runs.items()}
        shown = [
            LTXVideoCondition(video=_at_pace(frames, resolved, group), frame_index=place)
            for place, frames in places.items()
        ]
        return {"conditions": shown}

    # -- decoding --------------------------------------------------------------------------------------------------

    def _decoded(self, resolved: ResolvedRequest, latents: Mapping[str, "Tensor"]) -> "Tensor":
        """Decode latents to a video (t, 3, h, w) in [-1, 1]."""
        import torch

        from platemark.generation.threads import torch_threads, usable_cores

        pipeline = self._pipeline(self._known.ways[way_of(self._known, resolved.request)])
        vae, place = pipeline.vae, self._placement
        tensors = [latents[name].to(place.device) for name in sorted(latents)]
        with torch_threads(self._model.threads or usable_cores()), torch.no_grad(), _failures("decoding"):
            if self._is_tiled(resolved):
                vae.enable_tiling()
            video: Tensor = vae.decode(*tensors, return_dict=False)[0]
            pipeline.maybe_free_model_hooks()
        wanted = (1, 3, resolved.native_frames, resolved.native_height, resolved.native_width)
        if tuple(video.shape) != wanted:
            raise GenerationError(
                f"The model was asked for {wanted[2]} frames of {wanted[4]}x{wanted[3]} and made "
                f"{video.shape[2]} of {video.shape[4]}x{video.shape[3]}.",
                fix="Report this with the model's name.",
            )
        return video[0].transpose(0, 1)

    def _fitted(
        self, resolved: ResolvedRequest, video: "Tensor", report: ProgressListener, token: CancelToken
    ) -> Iterator[RGB]:
        request = resolved.request
        kept = {each.first + i: frame for each in request.conditioning.given for i, frame in enumerate(each.pixels)}
        native = NativeClip(resolved.native_width, resolved.native_height, resolved.native_frames)
        left, top = (native.width - request.size.width) // 2, (native.height - request.size.height) // 2
        for frame in range(request.frames):
            token.raise_if_cancelled()
            made = video[native.frame_at(frame, fps=request.fps, native_fps=resolved.native_fps)]
            cut = made[:, top : top + request.size.height, left : left + request.size.width].float()
            if frame not in kept and not bool(cut.isfinite().all()):
                raise GenerationError(
                    f"The model made numbers that are no colours in frame {frame}.",
                    fix="Use float32 or bfloat16, or another seed.",
                )
            pixels: RGB = ((cut / 2 + 0.5).clamp(0, 1) * 255).round().byte().permute(1, 2, 0).cpu().numpy()
            yield kept.get(frame, pixels)
            report(Progress("decode", frame + 1, request.frames))

    # -- loading ---------------------------------------------------------------------------------------------------

    @cached_property
    def _placement(self) -> "Placement":
        from platemark.generation.placement import choose_placement

        return choose_placement(self._model.device, self._model.dtype)

    def _pipeline(self, class_name: str) -> Any:
        """Load the pipeline, or give the one that is loaded; two classes of one folder share all their parts."""
        with self._loading, _failures("loading"):
            if class_name not in self._pipelines:
                found = _loader(class_name)
                loaded = next(iter(self._pipelines.values()), None)
                self._pipelines[class_name] = self._load(found) if loaded is None else found.from_pipe(loaded)
                self._pipelines[class_name].set_progress_bar_config(disable=True)
            return self._pipelines[class_name]

    def _load(self, found: Any) -> Any:
        place = self._placement
        pipeline = found.from_pretrained(
            str(self._folder.path),
            local_files_only=True,
            use_safetensors=True,
            trust_remote_code=False,
            dtype=place.dtype,
        )
        if self._model.offload == "none" or place.device.type == "cpu":
            return pipeline.to(place.device)
        if self._model.offload == "model":
            pipeline.enable_model_cpu_offload(device=place.device)
        else:
            pipeline.enable_sequential_cpu_offload(device=place.device)
        return pipeline

    def _check_pin(self) -> None:
        digest = hash_model(self._folder.path, self._folder.files, cache=None)
        if digest != self._model.sha256:
            raise GenerationError(
                f"The model {self._name!r} should have SHA-256 {self._model.sha256}; it has {digest}.",
                fix="Do not use it; copy the model again, or correct sha256 in the configuration.",
            )

    def _is_tiled(self, resolved: ResolvedRequest) -> bool:
        return self._model.offload != "none" or resolved.native_width * resolved.native_height > TILED_FROM_PIXELS

    def _resampling(self, request: GenerationRequest, native: NativeClip) -> str:
        fps = self._known.family.fps
        size = f"{native.width}x{native.height}"
        space = f"space: {size}" if size == str(request.size) else f"space: the middle {request.size} of {size}"
        time = "time: every frame" if fps == request.fps else f"time: {fps} to {request.fps} frames a second, nearest"
        return f"{space}; {time}; {native.frames} frames made"


class _Sampled(Exception):
    """Ends a pipeline where it would decode."""


@contextmanager
def _latents_of(pipeline: Any) -> Iterator[dict[str, "Tensor"]]:
    """Catch what a pipeline hands to its decoder, whatever family it is of, and end it there.

    The tensors are named by their place among the decoder's arguments: latents, and for some models a time.
    """
    caught: dict[str, Tensor] = {}

    def take(*tensors: Any, **_options: Any) -> None:
        """Stand in for the decoder."""
        caught.update({str(place): tensor for place, tensor in enumerate(tensors) if tensor is not None})
        raise _Sampled

    pipeline.vae.decode = take
    try:
        yield caught
    except _Sampled:
        pass
    finally:
        del pipeline.vae.decode


@contextmanager
def _failures(doing: str) -> Iterator[None]:
    """Turn what diffusers and torch raise into our own error. Their words are left out: they may hold the prompt.

    So are their warnings: they are about code that is not ours to change, and end up among a command's output.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except MemoryError as error:
        raise _out_of_memory(doing) from error
    except _FAILURES as error:
        if type(error).__name__ == "OutOfMemoryError" or "out of memory" in str(error):
            raise _out_of_memory(doing) from error
        raise GenerationError(
            f"The model failed in {doing} ({type(error).__name__}).",
            fix="Check that the folder is whole and made for this version of diffusers.",
        ) from error


def _out_of_memory(doing: str) -> GenerationError:
    kept = " Its latents are kept: the same request goes on from there." if doing == "decoding" else ""
    return GenerationError(
        f"There was not enough memory for {doing}.{kept}", fix='Set offload = "model", or ask for a smaller clip.'
    )


def _loader(class_name: str) -> Any:
    """Import diffusers, which takes seconds, and quiet it: progress and complaints are ours to print."""
    import diffusers
    import transformers

    for library in (diffusers, transformers):
        library.utils.logging.set_verbosity_error()
        library.utils.logging.disable_progress_bar()
    return getattr(diffusers, class_name)


def _on_grid(frame: RGB, resolved: ResolvedRequest) -> Any:
    import numpy as np
    from PIL import Image

    height, width = resolved.native_height - frame.shape[0], resolved.native_width - frame.shape[1]
    around = ((height // 2, height - height // 2), (width // 2, width - width // 2), (0, 0))
    return Image.fromarray(np.pad(frame, around, mode="edge"))


def _at_pace(frames: list[Any], resolved: ResolvedRequest, group: int) -> list[Any]:
    """Give a run of given frames at the model's rate, as many of them as whole groups after the first."""
    ratio = resolved.native_fps / resolved.request.fps
    count = 1 + int((len(frames) - 1) * ratio) // group * group
    return [frames[min(round(place / ratio), len(frames) - 1)] for place in range(count)]


def model_name(path: str) -> str:
    """Give what a folder without a name of its own is called: its own last part, without anything unusual in it."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", Path(path).expanduser().name).strip("-.")[:56] or "model"


def _ignore(progress: Progress) -> None:
    del progress
