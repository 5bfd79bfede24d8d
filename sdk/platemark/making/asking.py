"""From what a caller says to a checked request: what is left open comes from the given files, then from the home.

One rule: everything that can be refused without making anything is refused here, before the log hears of it.
"""

import secrets
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypedDict

from platemark.clip import MAX_FPS, MAX_SECONDS, MAX_SIDE, MIN_SIDE, ClipRequest, Size, Steering
from platemark.config import Config
from platemark.errors import RequestError
from platemark.generation.backend import CancelToken
from platemark.inputs import GivenImage, Inputs, Span, Task, check_inputs, choose_task
from platemark.making.material import Material, inspect
from platemark.media.icon import LabelIcon, read_icon
from platemark.media.label import STANDARD_STILL_TEXTS
from platemark.moves import check_moves, parse_moves
from platemark.progress import ProgressCallback
from platemark_provenance.ingredient_check import IngredientOverride


class GenerateOptions(TypedDict, total=False):
    """What may be said about a clip beside its prompt. What is left out comes from the given files and the home.

    `size` is a `Size` or text such as `512x512`; `out` is the final path (`clip-<seed>.mp4`, or `image-<seed>.png`,
    in the working directory where it is left out); `images` are files or text such as `photo.jpg@1.5s`; `fill` is
    text such as `12-20`; `actions` what the camera does in each frame, such as `forward*8,left*4,jump`; `override`
    lets an editor use a source that would be refused; `cancel` and `on_progress` concern the run. The rest is
    described in `platemark.clip.ClipRequest` and `platemark.clip.Steering`.
    """

    seconds: float
    size: Size | str
    fps: int
    seed: int
    model: str
    task: str
    images: Sequence[GivenImage | Path | str]
    clips: Sequence[Path | str]
    fill: Span | str
    actions: Sequence[str] | str
    strength: float
    negative: str
    steps: int
    guidance: float
    sampler: Literal["euler", "heun"]
    shift: float
    rewrite: bool
    override: IngredientOverride
    label_language: str
    label_text: str
    label_vtt: bool
    label_icon: Path | str
    actor: str
    byline: str
    desk: str
    recipient: str
    out: Path | str
    overwrite: bool
    on_progress: ProgressCallback
    cancel: CancelToken


@dataclass(frozen=True, slots=True)
class Order:
    """A checked request, its files, an editor's word for those that would be refused, and the label's icon."""

    request: ClipRequest
    material: Material
    override: IngredientOverride | None = None
    icon: LabelIcon | None = None


def ask(prompt: str, options: GenerateOptions, config: Config) -> Order:
    """Fill a request in and check it.

    Raises:
        RequestError: a value is impossible, or values do not fit one another.
        MediaError: a given file cannot be used.
    """
    inputs, steering = _inputs(options), _steering(options)
    out = options.get("out")
    output = Path(out) if out else None
    named = options.get("task")
    task = Task.parse(named) if named else choose_task(inputs, strength=steering.strength, output=output)
    check_inputs(task, inputs, strength=steering.strength)
    _check_length_is_free(task, options)
    material = inspect(inputs)
    icon = icon_for(options.get("label_icon", config.label.icon))
    language = label_language_for(options.get("label_language", config.label.language), prompt)
    request = ClipRequest(
        prompt=prompt,
        seconds=_seconds(task, options, material, config),
        size=_size(options, material, config),
        fps=_fps(task, options, material, config),
        seed=options.get("seed", secrets.randbits(31)),
        model=options.get("model", config.generation.model),
        task=task,
        inputs=inputs,
        steering=steering,
        rewrite=options.get("rewrite", False),
        label_language=language,
        label_text=options.get("label_text", config.label.text) or _still_wording(task, language),
        label_vtt=_label_vtt(task, options, config),
        label_icon=icon.sha256 if icon else "",
        actor=options.get("actor", ""),
        byline=options.get("byline", ""),
        desk=options.get("desk", ""),
        recipient=options.get("recipient", ""),
    )
    _check_total(request, material)
    return Order(request, material, _override(options), icon)


def request_from(prompt: str, options: GenerateOptions, config: Config) -> ClipRequest:
    """Give the request alone; see `ask`.

    Raises:
        RequestError: a value is impossible.
        MediaError: a given file cannot be used.
    """
    return ask(prompt, options, config).request


def _inputs(options: GenerateOptions) -> Inputs:
    images = (
        each if isinstance(each, GivenImage) else GivenImage.parse(str(each)) for each in options.get("images", ())
    )
    fill = options.get("fill")
    return Inputs(
        images=tuple(replace(each, path=each.path.absolute()) for each in images),
        clips=tuple(Path(each).absolute() for each in options.get("clips", ())),
        fill=Span.parse(fill) if isinstance(fill, str) else fill,
        moves=_moves(options),
    )


def _moves(options: GenerateOptions) -> tuple[str, ...]:
    said = options.get("actions", ())
    if isinstance(said, str):
        return parse_moves(said)
    return check_moves(said) if said else ()


def _steering(options: GenerateOptions) -> Steering:
    return Steering(
        steps=options.get("steps"),
        guidance=options.get("guidance"),
        sampler=options.get("sampler", "euler"),
        shift=options.get("shift"),
        strength=options.get("strength"),
        negative=options.get("negative", ""),
    )


def _override(options: GenerateOptions) -> IngredientOverride | None:
    override = options.get("override")
    if override is not None and not options.get("actor"):
        raise RequestError(
            "Using a source that would be refused needs the name of who decides.", fix="Say it with --actor."
        )
    return override


def _check_length_is_free(task: Task, options: GenerateOptions) -> None:
    if task.makes_still and ("seconds" in options or "fps" in options):
        raise RequestError("A picture has no length and no frame rate.", fix="Leave --seconds and --fps out.")
    if task is Task.WORLD and "seconds" in options:
        raise RequestError("The actions say how long a world is: one for each frame.", fix="Leave --seconds out.")
    if task.keeps_length and "seconds" in options:
        raise RequestError(
            f"The task {task} keeps the length of the clip that is given.", fix="Leave --seconds out, or cut the clip."
        )


def _seconds(task: Task, options: GenerateOptions, material: Material, config: Config) -> float:
    if task.makes_still:
        return 1.0
    if moves := _moves(options):
        return len(moves) / _fps(task, options, material, config)
    if task.keeps_length and material.clips:
        return material.clips[0].duration_s
    return options.get("seconds", config.generation.seconds)


def _fps(task: Task, options: GenerateOptions, material: Material, config: Config) -> int:
    if task.makes_still:
        return 1
    if "fps" in options:
        return options["fps"]
    if material.clips:
        return min(max(round(material.clips[0].fps), 1), MAX_FPS)
    return config.generation.fps


def _size(options: GenerateOptions, material: Material, config: Config) -> Size:
    """Give the size asked for, else the given clip's, else the given picture's shape at the usual short side."""
    asked = options.get("size")
    if asked is not None:
        return Size.parse(asked) if isinstance(asked, str) else asked
    usual = Size.parse(config.generation.size)
    if material.clips:
        width, height = material.clips[0].width & ~1, material.clips[0].height & ~1
        if not MIN_SIDE <= min(width, height) <= max(width, height) <= MAX_SIDE:
            raise RequestError(
                f"The given clip is {material.clips[0].width}x{material.clips[0].height}; what is made from it has "
                f"{MIN_SIDE} to {MAX_SIDE} pixels a side.",
                fix="Choose a size with --size.",
            )
        return Size(width, height)
    if material.images:
        return _shaped_like(material.images[0].width, material.images[0].height, short=min(usual.width, usual.height))
    return usual


def _shaped_like(width: int, height: int, *, short: int) -> Size:
    scale = min(short / min(width, height), MAX_SIDE / max(width, height))
    sides = (max(MIN_SIDE, 2 * round(side * scale / 2)) for side in (width, height))
    return Size(*sides)


def _check_total(request: ClipRequest, material: Material) -> None:
    given = sum(each.duration_s for each in material.clips)
    total = given if request.task.keeps_length else given + request.seconds
    if total > MAX_SECONDS + 1 / request.fps:
        raise RequestError(
            f"The clip would last {total:.1f} s; at most {MAX_SECONDS:g} s are made.", fix="Ask for less, or cut first."
        )


def _label_vtt(task: Task, options: GenerateOptions, config: Config) -> bool:
    """Say whether the label goes into a caption file too; the home's wish for one is about clips alone."""
    if task.makes_still and options.get("label_vtt"):
        raise RequestError("A picture has no captions.", fix="Leave --label-vtt out.")
    return not task.makes_still and options.get("label_vtt", config.label.vtt)


def _still_wording(task: Task, language: str) -> str:
    """Call a picture a picture where the language's standard wording speaks of a clip."""
    return STANDARD_STILL_TEXTS.get(language.split("-")[0].lower(), "") if task.makes_still else ""


def icon_for(path: Path | str) -> LabelIcon | None:
    """Read the label's icon; none where no file is named.

    Raises:
        MediaError: it cannot be used.
    """
    return read_icon(Path(path)) if str(path) else None


def label_language_for(chosen: str, prompt: str) -> str:
    """Give the label's language: `auto` follows the prompt, where Hangul in it gives a Korean label."""
    if chosen != "auto":
        return chosen
    composed = unicodedata.normalize("NFC", prompt)
    return "ko" if any("\uac00" <= character <= "\ud7a3" for character in composed) else "en"
