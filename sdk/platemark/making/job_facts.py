"""What one job writes down about itself: what decides its frames, and what the log is told when it starts.

One rule: pure functions of the request and the plan. No prompt and no name is in any of it but where the result is only
hashed under the home's own key.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from platemark.clip import ClipRequest
from platemark.generation.backend import GeneratorInfo, ResolvedRequest
from platemark.making.sources import Source
from platemark.stamped import StampRequest
from platemark.tasks.conditioning import GivenRecord
from platemark.tasks.planned import PlannedClip
from platemark_provenance.digest import JsonValue
from platemark_provenance.ingredient_check import Objection


@dataclass(frozen=True, slots=True)
class Used:
    """The sources of a clip, and the objections to them that an editor set aside."""

    sources: tuple[Source, ...] = ()
    overridden: tuple[Objection, ...] = ()


NOTHING_USED = Used()


def identity(request: ClipRequest, resolved: ResolvedRequest, info: GeneratorInfo) -> dict[str, JsonValue]:
    """Give what decides the frames: equal values, equal clip."""
    asked = resolved.request
    controls = asked.controls
    return {
        "prompt": asked.prompt,
        "frames": asked.frames,
        "fps": asked.fps,
        "size": str(asked.size),
        "seed": str(asked.seed),
        "steps": resolved.steps,
        "guidance": repr(resolved.guidance),
        "controls": [controls.method, repr(controls.shift), controls.negative_prompt],
        "conditioning": asked.conditioning.to_json(),
        "model": [info.name, info.version, info.weights_sha256 or ""],
        "label": label_words(request),
    }


def form_facts(request: ClipRequest) -> dict[str, JsonValue]:
    """Give what decides the frames besides the prompt, seed, model and the bytes of given files: the request's form.

    An approval is for one form: what editors saw as a short, small clip is not approved as a long loop.
    """
    steering, inputs = request.steering, request.inputs
    return {
        "task": request.task.value,
        "size": str(request.size),
        "length": [repr(float(request.seconds)), request.fps],
        "places": [None if each.place is None else [each.place.unit, repr(each.place.value)] for each in inputs.images],
        "fill": None if inputs.fill is None else [inputs.fill.unit, repr(inputs.fill.first), repr(inputs.fill.stop)],
        "sampling": [repr(steering.steps), repr(steering.guidance), steering.sampler, repr(steering.shift)],
        "moves": list(inputs.moves),
        "strength": repr(steering.strength),
        "negative": steering.negative,
        "rewrite": request.rewrite,
        "label": label_words(request),
    }


def label_words(request: ClipRequest | StampRequest) -> list[JsonValue]:
    """Give what decides a label's looks; its icon only where there is one, so that what was approved stays approved."""
    return [request.label_language, request.label_text, *([request.label_icon] if request.label_icon else [])]


def start_facts(request: ClipRequest, plan: PlannedClip, used: Used) -> dict[str, JsonValue]:
    """Give what the log is told when the first frame is about to be made: what was asked for, and what it became."""
    resolved, asked = plan.resolved, plan.resolved.request
    facts: dict[str, JsonValue] = {
        "task": request.task.value,
        "seed": str(asked.seed),
        "frames": asked.frames,
        "fps": asked.fps,
        "size": str(asked.size),
        "requested_seconds": repr(request.seconds),
        "native_size": f"{resolved.native_width}x{resolved.native_height}",
        "steps": resolved.steps,
        "guidance": repr(resolved.guidance),
        "sampler": asked.controls.method,
        "ignored_words": len(resolved.ignored_words),
        "conditioning": asked.conditioning.to_json(),
        "given": given_facts(used.sources, plan.given),
    }
    if used.overridden:
        facts["overridden"] = [{"name": each.ingredient.name, "finding": each.kind} for each in used.overridden]
    return facts


@dataclass(frozen=True, slots=True)
class ClipPlan:
    """What would be made of a request, without making it.

    Attributes:
        request: with every default filled in.
        plan: the generator's.
        sources: the given files.
    """

    request: ClipRequest
    plan: PlannedClip
    sources: tuple[Source, ...] = ()

    def to_json(self) -> dict[str, JsonValue]:
        """Give the object that `generate --dry-run --json` prints. Neither policy nor sources have been asked yet."""
        resolved, cost = self.plan.resolved, self.plan.cost
        return {
            "task": self.request.task.value,
            "model": resolved.model,
            "seed": str(self.request.seed),
            "size": str(resolved.request.size),
            "native_size": f"{resolved.native_width}x{resolved.native_height}",
            "frames": resolved.request.frames,
            "fps": None if self.request.task.makes_still else resolved.request.fps,
            "steps": resolved.steps,
            "guidance": resolved.guidance,
            "understood": dict(resolved.understood),
            "assumed": dict(resolved.assumed),
            "ignored_words": list(resolved.ignored_words),
            "resampling": resolved.resampling,
            "conditions": list(resolved.conditions),
            "given": given_facts(self.sources, self.plan.given),
            "cost": {"cpu_seconds": cost.seconds, "peak_bytes": cost.peak_bytes, "forwards": cost.forwards},
        }


def given_facts(sources: Sequence[Source], records: Sequence[GivenRecord]) -> list[Mapping[str, JsonValue]]:
    """Say of each source what it is and how much of it was used."""
    return [
        {
            **source.to_json(),
            "crop": {"x": record.crop[0], "y": record.crop[1], "width": record.crop[2], "height": record.crop[3]},
            "scaled_to": str(record.size),
            "frames_read": record.frames_read,
            "frames": record.frames,
        }
        for source, record in zip(sources, records, strict=True)
    ]
