"""What a manifest can state about a clip or still, as typed values, checked before anything is built from them.

One rule: every text is bounded and every hash, id and count has its form, because the C2PA library signs a 200 kB
title, a NUL or a made-up source type without a word (measured with c2pa-rs 0.91.3).
"""

import re
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Literal

from platemark_provenance.errors import SigningError
from platemark_provenance.plain_text import plain_text

WATERMARK_ALGORITHM = "org.platemark.watermark.1"
"""Our own name, not in C2PA's list of registered soft-binding algorithms."""

MAX_TITLE_CHARACTERS = 120
MAX_NAME_CHARACTERS = 80
MAX_DESCRIPTION_CHARACTERS = 200
MAX_CHANGES = 32
MAX_INGREDIENTS = 16

Relationship = Literal["parentOf", "inputTo", "componentOf"]
"""How a file was used: changed into this one, shown to a model, or placed inside. Source: C2PA 2.2, section 18.15.3."""

ChangeKind = Literal["extended", "replaced", "restyled", "trimmed", "joined", "resized", "cropped", "transcoded"]
"""What an edit did: the first three are a model's work, the others plain code's."""

_SHA256 = re.compile(r"[0-9a-f]{64}")
_MARK = re.compile(r"[0-9a-f]{16}")
_INGREDIENT_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")


@dataclass(frozen=True, slots=True)
class GeneratorFacts:
    """The software and the model that made the clip. `weights_sha256` is None where a model has no weights."""

    name: str
    version: str
    model_name: str
    model_version: str
    model_weights_sha256: str | None


@dataclass(frozen=True, slots=True)
class PictureFacts:
    """What was made: sizes in pixels (width, height), frames a second, and the count of frames.

    A still has one frame, and its frame rate is not written down.
    """

    native_size: tuple[int, int]
    size: tuple[int, int]
    fps: Fraction
    frames: int


@dataclass(frozen=True, slots=True)
class RequestFacts:
    """What was asked for, beside what was made: the task's own name, seconds as text, size (width, height), rate.

    A still has no length: its seconds are empty and its rate is 0.
    """

    task: str
    seconds: str
    size: tuple[int, int]
    fps: int


@dataclass(frozen=True, slots=True)
class LabelFacts:
    """The visible label: its words, their language (BCP 47), and its box (x, y, width, height) in pixels.

    `drawn` is false where the clip came with it. `cue_sha256` is the hash of the caption file that carries its words;
    empty where there is none. `icon_sha256` is that of the picture beside the words.
    """

    text: str
    language: str
    box: tuple[int, int, int, int]
    drawn: bool = True
    cue_sha256: str = ""
    icon_sha256: str = ""


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """The clip that was stamped: the hash of its bytes, and what verifying it came to, in one word.

    `tonemapped` says how its colours were brought to standard ones; empty where they came so.
    """

    sha256: str
    verdict: str
    tonemapped: str = ""


@dataclass(frozen=True, slots=True)
class PolicyFacts:
    """Which rules let the clip pass, under which decision, and whether a person reviewed it (never who).

    `for_tests_only`: the rules say of themselves that they are for tests; such a clip says so for ever.
    """

    pack_id: str
    pack_version: str
    pack_sha256: str
    verdict: str
    decision_id: str
    human_review: bool = False
    for_tests_only: bool = False


@dataclass(frozen=True, slots=True)
class LedgerFacts:
    """The ledger's head when the manifest was built: whose ledger, how many entries, root hash in hexadecimal."""

    origin: str
    size: int
    root: str


@dataclass(frozen=True, slots=True)
class ManifestFacts:
    """Everything a manifest states about one clip.

    `watermark_id` is 16 hexadecimal digits; `created_at` is aware; `sdk_version` is platemark's own. `draft`: it waits
    for somebody's approval.
    """

    clip_id: str
    title: str
    organisation: str
    created_at: datetime
    sdk_version: str
    generator: GeneratorFacts
    picture: PictureFacts
    label: LabelFacts
    policy: PolicyFacts
    ledger: LedgerFacts
    watermark_id: str
    watermark_alg: str = WATERMARK_ALGORITHM
    requested: RequestFacts | None = None
    source: SourceFacts | None = None
    draft: bool = False


@dataclass(frozen=True, slots=True)
class Ingredient:
    """A file that went into the clip.

    Args:
        path: the file. Its name is not written anywhere.
        title: what the manifest calls it; no person's name belongs here.
        relationship: how it was used.
        name: what the manifest's actions call it, unique in one manifest: lower-case letters, digits and dashes.
        source_type: for a file without a manifest of its own, the IPTC digital source type somebody vouches for.
        fed_to_model: whether a model saw it; what its owner says about such use is then respected.

    Raises:
        SigningError: the name or the title has a form it cannot have.
    """

    path: Path
    title: str
    relationship: Relationship
    name: str
    source_type: str | None = None
    fed_to_model: bool = False

    def __post_init__(self) -> None:
        if not _INGREDIENT_NAME.fullmatch(self.name):
            raise SigningError(
                f"An ingredient's name has lower-case letters, digits and dashes; got {self.name[:40]!r}."
            )
        if not plain_text(self.title, MAX_TITLE_CHARACTERS):
            raise SigningError(f"The ingredient {self.name} needs a title.")


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that was done to a parent. `description` is for readers, without names or prompts."""

    kind: ChangeKind
    description: str = ""


def check_facts(facts: ManifestFacts) -> None:
    """Refuse facts that cannot be true of any clip.

    Raises:
        SigningError: a hash, id, time, size or count has a form it cannot have, or a name is empty.
    """
    weights = facts.generator.model_weights_sha256
    digests = {"policy pack hash": facts.policy.pack_sha256, "ledger root": facts.ledger.root}
    if facts.source is not None:
        digests["source hash"] = facts.source.sha256
    for name, digest in (digests if weights is None else {**digests, "weights hash": weights}).items():
        if not _SHA256.fullmatch(digest):
            raise SigningError(f"The {name} must be 64 lower-case hexadecimal digits; got {len(digest)} characters.")
    if not _MARK.fullmatch(facts.watermark_id):
        raise SigningError("A watermark id is 16 lower-case hexadecimal digits; this one is not.")
    if facts.created_at.tzinfo is None:
        raise SigningError("The time of creation must carry its time zone; it has none.")
    counts = (*facts.picture.native_size, *facts.picture.size, facts.picture.frames, facts.picture.fps)
    if any(count <= 0 for count in counts):
        raise SigningError("Sizes, frame rate and frame count must be above zero.")
    names = (facts.clip_id, facts.title, facts.organisation, facts.sdk_version)
    if not all(plain_text(name, MAX_TITLE_CHARACTERS) for name in names):
        raise SigningError("A clip needs an id, a title, an organisation and a version; one of them is empty.")


def check_ingredients_fit(ingredients: tuple[Ingredient, ...]) -> None:
    """Refuse lists of ingredients that no manifest can have.

    Raises:
        SigningError: too many, two of one name, or more than one parent.

    Source: C2PA 2.2, section 10.3.2.2 (at most one parentOf ingredient).
    """
    if len(ingredients) > MAX_INGREDIENTS:
        raise SigningError(f"A manifest has at most {MAX_INGREDIENTS} ingredients; got {len(ingredients)}.")
    if len({each.name for each in ingredients}) != len(ingredients):
        raise SigningError("Every ingredient of a manifest has a name of its own; two share one.")
    if sum(each.relationship == "parentOf" for each in ingredients) > 1:
        raise SigningError("A clip has at most one parent; join several clips as components instead.")
