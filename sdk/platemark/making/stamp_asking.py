"""From a clip made elsewhere and what a caller says of it to a checked order to stamp it.

One rule: what cannot be stamped as it is is refused here with the way to mend it, before the log hears of it.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from platemark.clip import MAX_ASPECT, Size
from platemark.errors import RequestError
from platemark.generation.backend import CancelToken
from platemark.homes.home import Home
from platemark.making.asking import icon_for, label_language_for
from platemark.making.material import SourceFile, inspect_clip
from platemark.making.sources import Source
from platemark.making.stamp_forms import Conversion, check_form
from platemark.media.formats import MAX_DURATION_S
from platemark.media.icon import LabelIcon
from platemark.progress import ProgressCallback
from platemark.stamped import DIGITAL_SOURCE_PREFIX, StampRequest
from platemark_provenance.ingredient_check import IngredientOverride
from platemark_provenance.manifest_facts import Ingredient
from platemark_provenance.reading import ProvenanceReading
from platemark_provenance.verification import read_provenance


class StampOptions(TypedDict, total=False):
    """What may be said about a clip that is stamped, beside the file and its generator.

    `out` is the final path (`<name>-stamped.mp4` in the working directory where it is left out); `source_type` is what
    the clip is where it has no manifest that says so, one of `platemark.stamped.SOURCE_TYPES`; `override` lets an
    editor use a clip that would be refused; `tonemap` lets HDR, wide gamut and more than 8 bits be brought to standard
    8-bit colours. The rest is described in `platemark.stamped.StampRequest`.
    """

    generator_version: str
    source_type: str
    prompt: str
    override: IngredientOverride
    label_language: str
    label_text: str
    label_vtt: bool
    label_icon: Path | str
    actor: str
    byline: str
    desk: str
    recipient: str
    tonemap: bool
    out: Path | str
    overwrite: bool
    on_progress: ProgressCallback
    cancel: CancelToken


@dataclass(frozen=True, slots=True)
class StampOrder:
    """A checked request, the clip as its parent, what its manifest is worth, and an editor's word for it.

    `conversion` is how its picture becomes a standard one, where it is not one already. `icon` is the label's.
    """

    request: StampRequest
    source: Source
    reading: ProvenanceReading
    override: IngredientOverride | None = None
    conversion: Conversion | None = None
    icon: LabelIcon | None = None


def ask_stamp(path: Path, generator: str, options: StampOptions, home: Home) -> StampOrder:
    """Look at a clip and fill a request in.

    Raises:
        RequestError: a value is impossible, or the clip's size cannot be labelled and marked.
        MediaError: the clip would have to be converted first; the fix says how.
        VerificationError: the clip cannot be opened.
    """
    if not path.is_file():
        raise RequestError(f"{path} is not a file.", fix="Check the name.")
    if options.get("override") is not None and not options.get("actor"):
        raise RequestError(
            "Using a source that would be refused needs the name of who decides.", fix="Say it with --actor."
        )
    file = inspect_clip(path, longest_s=MAX_DURATION_S)
    conversion = check_form(file, convert=options.get("tonemap", False))
    prompt = options.get("prompt", "")
    icon = icon_for(options.get("label_icon", home.config.label.icon))
    request = StampRequest(
        model=generator,
        model_version=options.get("generator_version", ""),
        size=_size(file),
        fps=file.fps,
        source_type=options.get("source_type", "trainedAlgorithmicMedia"),
        prompt=prompt,
        label_language=label_language_for(options.get("label_language", home.config.label.language), prompt),
        label_text=options.get("label_text", home.config.label.text),
        label_vtt=options.get("label_vtt", home.config.label.vtt),
        label_icon=icon.sha256 if icon else "",
        actor=options.get("actor", ""),
        byline=options.get("byline", ""),
        desk=options.get("desk", ""),
        recipient=options.get("recipient", ""),
    )
    reading = read_provenance(path, home.trust_store())
    # What the caller says it is counts only where it has no manifest, unless it was said outright: then it is a
    # contradiction, and refused as one. A model made it or changed it, so an owner who forbids that is heard.
    declared = "source_type" in options or reading.state == "absent"
    kind = DIGITAL_SOURCE_PREFIX + request.source_type if declared else None
    parent = Ingredient(path, "Clip made elsewhere", "parentOf", "source", kind, fed_to_model=True)
    return StampOrder(request, Source(file, parent), reading, options.get("override"), conversion, icon)


def _size(file: SourceFile) -> Size:
    if file.width % 2 or file.height % 2:
        raise RequestError(
            f"{file.path} is {file.width}x{file.height}; video in 4:2:0 has even sides.",
            fix="Cut one row or column off first, for example: ffmpeg -i IN -vf crop=trunc(iw/2)*2:trunc(ih/2)*2 "
            "-c:a copy OUT.mp4",
        )
    size = Size(file.width, file.height)
    if max(size.width, size.height) > MAX_ASPECT * min(size.width, size.height):
        raise RequestError(f"A clip is at most {MAX_ASPECT} times as long as wide; got {size}.", fix="Crop it first.")
    return size
