"""The values a clip is asked for and described with.

One rule: a request is checked when it is made, so that nothing further down meets an impossible one.
"""

import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal, NewType, Protocol

from platemark.errors import RequestError
from platemark.inputs import NO_INPUTS, Inputs, Task, check_inputs
from platemark_policy.decision import Decision
from platemark_provenance.digest import JsonValue
from platemark_provenance.publication import Publication

ClipId = NewType("ClipId", str)
"""A UUIDv7 in its canonical form: clips sort by when they were asked for."""

MIN_SIDE, MAX_SIDE = 128, 2048
"""Below 128 pixels a label cannot be read; above 2048 no model here has been tried."""
MIN_FPS, MAX_FPS = 1, 60
MIN_SECONDS, MAX_SECONDS = 0.25, 60.0
MAX_ASPECT = 4
"""The watermark is not read in frames that are longer than that."""
MAX_PROMPT_CHARACTERS = 4_000
MAX_SEED = 2**63 - 1
MAX_NAME_CHARACTERS = 120
MAX_STEPS = 250
MAX_GUIDANCE = 20.0
MIN_SHIFT, MAX_SHIFT = 0.1, 20.0

_SIZE = re.compile(r"(-?\d{1,9})[x×](-?\d{1,9})")
_BIDI_CONTROLS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Unicode Bidi_Control characters (UAX #9): they can make a reader see another text than the filter does."""


@dataclass(frozen=True, slots=True)
class Size:
    """A frame size in pixels.

    Raises:
        RequestError: a side is odd (4:2:0 video has no odd sides) or outside 128 to 2048 pixels.
    """

    width: int
    height: int

    def __post_init__(self) -> None:
        for name, side in (("width", self.width), ("height", self.height)):
            if not MIN_SIDE <= side <= MAX_SIDE or side % 2:
                raise RequestError(
                    f"The {name} must be an even number from {MIN_SIDE} to {MAX_SIDE}; got {side}.",
                    fix="Ask for a size such as 512x512, 1280x720 or 720x1280.",
                )

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"

    @classmethod
    def parse(cls, text: str) -> "Size":
        """Read a size written as `WIDTHxHEIGHT`.

        Raises:
            RequestError: the text has another form, or the size is out of bounds.
        """
        match = _SIZE.fullmatch(text.strip().lower())
        if match is None:
            raise RequestError(
                f"A size is written WIDTHxHEIGHT in whole pixels; got {text[:40]!r}.", fix="For example 512x512."
            )
        return cls(int(match[1]), int(match[2]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Steering:
    """How to sample, for those who want to say; what is left out the generator chooses.

    Attributes:
        steps: sampling steps, 1 to 250.
        guidance: how strictly to follow the prompt, 1 to 20.
        sampler: `euler` steps, or `heun` steps at about twice the work.
        shift: how much of the walk is spent at high noise, 0.1 to 20.
        strength: how far an edit may go from the clip it starts from, 0 to 1.
        negative: what to stay away from; empty for nothing.

    Raises:
        RequestError: a value is out of bounds, or the negative prompt holds characters that hide or reorder text.
    """

    steps: int | None = None
    guidance: float | None = None
    sampler: Literal["euler", "heun"] = "euler"
    shift: float | None = None
    strength: float | None = None
    negative: str = ""

    def __post_init__(self) -> None:
        if self.sampler not in ("euler", "heun"):
            raise RequestError(f"The sampler is euler or heun; got {str(self.sampler)[:40]!r}.", fix="Leave it out.")
        bounds = {
            "steps": (1, MAX_STEPS),
            "guidance": (1.0, MAX_GUIDANCE),
            "shift": (MIN_SHIFT, MAX_SHIFT),
            "strength": (0.0, 1.0),
        }
        for name, (low, high) in bounds.items():
            value = getattr(self, name)
            if value is not None:
                check_range(name, value, low, high)
        if self.negative:
            check_prompt(self.negative)


PLAIN_STEERING = Steering()


class Asking(Protocol):
    """What every request says: who asks, for which desk, of which model, and how an approval of it is told apart."""

    @property
    def actor(self) -> str:
        """Who asks; empty where nobody was named."""
        ...

    @property
    def desk(self) -> str:
        """The desk it is for; may be empty."""
        ...

    @property
    def recipient(self) -> str:
        """Who the copy is for; empty where it is for nobody in particular."""
        ...

    @property
    def model(self) -> str:
        """The generator's name."""
        ...

    @property
    def seed(self) -> int | str:
        """Start of all randomness; empty where there is none."""
        ...

    @property
    def fps(self) -> int | Fraction:
        """Frames a second."""
        ...

    @property
    def label_vtt(self) -> bool:
        """Whether the label's words also go into a caption file beside the clip."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipRequest:
    """One clip or still that somebody asks for.

    Attributes:
        prompt: what to show, 1 to 4,000 characters of English or Korean.
        seconds: length, 0.25 to 60: of the whole clip, of what is added to a given one, or of the passage between two.
        size: frame size in pixels.
        fps: frames a second, 1 to 60.
        seed: start of all randomness, 0 to 2**63 - 1.
        model: the generator's name.
        task: what is done.
        inputs: the pictures and clips that are handed over.
        steering: how to sample.
        rewrite: whether the model's own words for the prompt take its place.
        label_language: the label's language, `en`, `ko` or `zh`.
        label_text: the label's wording; empty means the language's standard wording.
        label_vtt: whether the label's words also go into a caption file beside the clip.
        label_icon: the hash of the picture beside the label's words; empty where there is none.
        actor: who asks; the log keeps a pseudonym of it.
        byline: who is named for it; sealed in the log.
        desk: the desk it is for.
        recipient: who this copy is for; its mark then leads back to them. Sealed in the log.

    Raises:
        RequestError: a value is empty, out of bounds, or holds characters that hide or reorder text.
    """

    prompt: str
    seconds: float
    size: Size
    fps: int
    seed: int
    model: str
    task: Task = Task.TEXT_TO_VIDEO
    inputs: Inputs = NO_INPUTS
    steering: Steering = PLAIN_STEERING
    rewrite: bool = False
    label_language: str = "en"
    label_text: str = ""
    label_vtt: bool = False
    label_icon: str = ""
    actor: str = ""
    byline: str = ""
    desk: str = ""
    recipient: str = ""

    def __post_init__(self) -> None:
        check_prompt(self.prompt)
        whole_frames(self.seconds, self.fps)
        check_range("seed", self.seed, 0, MAX_SEED)
        for name in ("actor", "byline", "desk", "label_text", "recipient"):
            check_name(name, getattr(self, name))
        if max(self.size.width, self.size.height) > MAX_ASPECT * min(self.size.width, self.size.height):
            raise RequestError(
                f"A clip is at most {MAX_ASPECT} times as long as wide; got {self.size}.",
                fix="Choose a less narrow size.",
            )
        check_inputs(self.task, self.inputs, strength=self.steering.strength)


def check_prompt(prompt: str) -> None:
    """Refuse a prompt that is empty, too long, or holds characters people cannot see.

    Raises:
        RequestError: says what is wrong and where, never the prompt itself.
    """
    if not prompt.strip():
        raise RequestError("The prompt is empty.", fix="Describe what the clip shows.")
    if len(prompt) > MAX_PROMPT_CHARACTERS:
        raise RequestError(
            f"The prompt has {len(prompt):,} characters; the limit is {MAX_PROMPT_CHARACTERS:,}.", fix="Shorten it."
        )
    _refuse_hidden_characters("prompt", prompt)


def check_name(name: str, text: str) -> None:
    """Refuse a person's, desk's or label's text that is too long or holds hidden characters.

    Raises:
        RequestError: says which one and why.
    """
    if len(text) > MAX_NAME_CHARACTERS:
        raise RequestError(
            f"The {name} has {len(text):,} characters; the limit is {MAX_NAME_CHARACTERS}.", fix="Shorten it."
        )
    _refuse_hidden_characters(name, text)


def check_range(name: str, value: float, low: float, high: float) -> None:
    """Refuse a number outside `low` to `high`, or one that is not a number.

    Raises:
        RequestError: names the bounds and what came.
    """
    if not math.isfinite(value) or not low <= value <= high:
        raise RequestError(f"{name} must be from {low:,} to {high:,}; got {value:,}.", fix="Choose a value in between.")


def whole_frames(seconds: float, fps: int) -> int:
    """Give the frames of a length: `seconds * fps` to the nearest whole one.

    Raises:
        RequestError: a value is out of bounds, or there would be no frame.
    """
    check_range("seconds", seconds, MIN_SECONDS, MAX_SECONDS)
    check_range("fps", fps, MIN_FPS, MAX_FPS)
    frames = round(seconds * fps)
    if frames < 1:
        raise RequestError(f"{seconds} s at {fps} frames a second is not one frame.", fix="Ask for a longer clip.")
    return frames


def _refuse_hidden_characters(name: str, text: str) -> None:
    for index, character in enumerate(text):
        if character in "\n\t":
            continue
        category = unicodedata.category(character)
        if category in ("Cc", "Cs") or character in _BIDI_CONTROLS:
            raise RequestError(
                f"The {name} holds the character U+{ord(character):04X} at position {index}, which people cannot see.",
                fix="Remove it.",
            )


@dataclass(frozen=True, slots=True)
class CueFile:
    """The label's words as a caption file (WebVTT) beside the clip, and the hash of its bytes."""

    path: Path
    sha256: str


@dataclass(frozen=True, slots=True)
class Label:
    """The visible label as drawn: its words, language, box (x, y, width, height in pixels), caption file and icon."""

    text: str
    language: str
    box: tuple[int, int, int, int]
    cue: CueFile | None = None
    icon_sha256: str = ""

    def to_json(self) -> dict[str, JsonValue]:
        """Give these as an object."""
        cue = None if self.cue is None else {"path": str(self.cue.path), "sha256": self.cue.sha256}
        return {
            "text": self.text,
            "lang": self.language,
            "box": list(self.box),
            "cue": cue,
            "icon": self.icon_sha256 or None,
        }


@dataclass(frozen=True, slots=True)
class ModelName:
    """Which model made a clip; `weights_sha256` is empty for a model without weights."""

    name: str
    version: str
    weights_sha256: str


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """Where a clip's publication stands in the ledger."""

    seq: int
    event_id: str
    root: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Making:
    """How a clip came to be, beyond what was asked for: everything that was chosen, changed or measured on the way.

    Attributes:
        frames: how many there are, given ones included.
        steps: sampling steps for each stretch.
        guidance: weight of guidance; 1 is none.
        resampling: in words, what happened between the model's frames and the clip's.
        conditions: in words, what was given and what was made of it.
        given: of each picture or clip that was handed over, its hash, size, the part that was used, and its sound.
        screened: of each text that the policy decided on, which, how, and under which decision.
        rewritten: the prompt in the model's own words, in English and Korean, and what was added to it; none unless
            asked for.
        measured: how far the look drifts and how well a loop closes, in levels of 255.
    """

    frames: int
    steps: int
    guidance: float
    resampling: str
    conditions: tuple[str, ...] = ()
    given: tuple[Mapping[str, JsonValue], ...] = ()
    screened: tuple[Mapping[str, JsonValue], ...] = ()
    rewritten: Mapping[str, JsonValue] | None = None
    measured: Mapping[str, JsonValue] | None = None

    def to_json(self) -> dict[str, JsonValue]:
        """Give these as fields of the object that `generate --json` prints."""
        return {
            "frames": self.frames,
            "steps": self.steps,
            "guidance": self.guidance,
            "resampling": self.resampling,
            "conditions": list(self.conditions),
            "given": list(self.given),
            "screened": list(self.screened),
            "rewritten": self.rewritten,
            "measured": self.measured,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """A published clip or still: labelled, marked, signed and logged.

    Attributes:
        clip_id: its identifier.
        path: where it lies.
        sha256: of the file, hexadecimal.
        request: what was asked for, with every default filled in.
        model: what made it.
        native_size: the size in pixels at which the model drew, before scaling.
        decision: the policy's decision on the prompt.
        ignored_words: words of the prompt that the model could not express.
        making: how it came to be.
        label: the visible label.
        watermark_alg: the watermark's algorithm name.
        watermark_id: the invisible mark, 16 hexadecimal digits.
        manifest_label: the C2PA manifest's label.
        manifest_sha256: of the manifest store, hexadecimal.
        ledger: the publication's entry.
        receipt: the proof file beside the clip.
        timings: seconds spent in each stage.
        publication: `draft` where the home wants a second person's approval before it is published; else None.
    """

    clip_id: ClipId
    path: Path
    sha256: str
    request: ClipRequest
    model: ModelName
    native_size: tuple[int, int]
    decision: Decision
    ignored_words: tuple[str, ...]
    making: Making
    label: Label
    watermark_alg: str
    watermark_id: str
    manifest_label: str
    manifest_sha256: str
    ledger: LedgerEntry
    receipt: Path
    timings: Mapping[str, float]
    publication: Publication | None = None

    def to_json(self) -> dict[str, JsonValue]:
        """Give the object that `generate --json` prints."""
        policy = self.decision.to_json()
        still = self.request.task.makes_still
        return {
            "clip_id": self.clip_id,
            "kind": "still" if still else "clip",
            "task": self.request.task.value,
            "path": str(self.path),
            "sha256": self.sha256,
            "seed": str(self.request.seed),
            "model": asdict(self.model),
            "seconds": None if still else self.making.frames / self.request.fps,
            "requested_seconds": None if still else self.request.seconds,
            "size": str(self.request.size),
            "native_size": f"{self.native_size[0]}x{self.native_size[1]}",
            "fps": None if still else self.request.fps,
            "policy": {key: policy[key] for key in ("verdict", "decision_id", "findings")},
            "ignored_words": list(self.ignored_words),
            **self.making.to_json(),
            "label": self.label.to_json(),
            "watermark": {"alg": self.watermark_alg, "id": self.watermark_id},
            "manifest": {"label": self.manifest_label, "sha256": self.manifest_sha256},
            "ledger": asdict(self.ledger),
            "receipt": str(self.receipt),
            "publication": self.publication,
            "timings": {stage: round(seconds, 4) for stage, seconds in self.timings.items()},
        }
