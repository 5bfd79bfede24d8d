"""Given pictures and clips as what they are to the finished one: ingredients that are verified before they are used.

One rule: a source that was changed, that nobody here trusts, or whose owner wants no model to see it is refused before
the model runs. An editor can speak for the first two, by name and with a reason; for the third nobody can.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from platemark.clip import ClipRequest
from platemark.errors import RequestError, SourceRefused, SourceReserved, SourceUntrusted
from platemark.homes.home import Home
from platemark.inputs import Task
from platemark.making.material import Material, SourceFile
from platemark_provenance.digest import JsonValue
from platemark_provenance.ingredient_check import MAX_REASON_CHARACTERS, IngredientOverride, Objection
from platemark_provenance.ingredient_gate import find_objections
from platemark_provenance.manifest_facts import Ingredient, Relationship

_ERRORS: Mapping[str, type[SourceRefused]] = {"untrusted": SourceUntrusted, "reserved": SourceReserved}
_OVERRIDABLE = ("tampered", "untrusted")
_CODES: Mapping[str, str] = {"reserved": " [input.rights.no-ai]"}
"""The code under which other systems know a refusal."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file that was handed over, and what it is to the clip."""

    file: SourceFile
    ingredient: Ingredient

    def to_json(self) -> dict[str, JsonValue]:
        """Give what is written down about it."""
        return {"relationship": self.ingredient.relationship, **self.file.to_json()}


def sources_of(request: ClipRequest, material: Material) -> tuple[Source, ...]:
    """Say what each given file is to the clip.

    Stills are shown to the model; a clip is changed into this one, and a second clip is put into it beside the first.
    """
    stills = (_source(file, "inputTo", f"still-{number}") for number, file in enumerate(material.images, start=1))
    clips = (
        _source(file, "parentOf" if number == 1 else "componentOf", f"clip-{number}")
        for number, file in enumerate(material.clips, start=1)
    )
    return () if request.task is Task.IMAGE else (*stills, *clips)


def vet(sources: Sequence[Source], home: Home, override: IngredientOverride | None) -> tuple[Objection, ...]:
    """Verify all sources.

    Returns:
        The objections that the override speaks for.

    Raises:
        SourceRefused, SourceUntrusted, SourceReserved: a source must not be used, and nobody may or does speak for it.
        VerificationError: a file cannot be opened.
    """
    if not sources:
        return ()
    ingredients = [each.ingredient for each in sources]
    objections = find_objections(ingredients, home.trust_store(), chain_pem=home.signing_chain())
    for each in objections:
        overridable = each.kind in _OVERRIDABLE
        if not (overridable and override is not None and each.kind in override.allows):
            raise _ERRORS.get(each.kind, SourceRefused)(
                f"{each.ingredient.path} cannot be used: {each.why}{_CODES.get(each.kind, '')}.",
                fix=f"Use another file, or let an editor decide: --allow-source {each.kind} --reason TEXT --actor NAME."
                if overridable
                else "Use another file.",
            )
    return objections


def override_for(kinds: Sequence[str], *, reason: str) -> IngredientOverride:
    """Give an editor's word for sources that would be refused.

    Args:
        kinds: `tampered`, `untrusted`, or both.
        reason: why; it is written into the manifest.

    Raises:
        RequestError: another kind, or the reason is too long.
    """
    unknown = [kind for kind in kinds if kind not in _OVERRIDABLE]
    if unknown:
        raise RequestError(
            f"An editor can let in sources that are {' or '.join(_OVERRIDABLE)}; got {unknown[0][:40]!r}.",
            fix="What an owner reserves can be used by agreement with the owner alone.",
        )
    if len(reason) > MAX_REASON_CHARACTERS:
        raise RequestError(f"The reason has {len(reason):,} characters; the limit is {MAX_REASON_CHARACTERS}.")
    return IngredientOverride(reason, frozenset(kinds))


def _source(file: SourceFile, relationship: Relationship, name: str) -> Source:
    # The title is ours: a file's own name can hold a person's.
    title = f"Given {file.kind} {name.rpartition('-')[2]}"
    return Source(file, Ingredient(file.path, title, relationship, name, fed_to_model=True))
