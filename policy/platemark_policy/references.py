"""Judge what was seen in pictures: files that a request brings along with their records, and finished clips.

One rule: facts in, findings out. Facts are measured by the caller; a fact that could not be had is a finding, never a
pass. Whether a file's own manifest forbids this use is decided once, in `platemark_provenance.ingredient_check`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from platemark_policy.decision import Finding, Reason, Stage, Verdict
from platemark_policy.errors import PolicyError
from platemark_policy.nudity import LIKELY, Looks


@dataclass(frozen=True, slots=True)
class ReferenceFacts:
    """What is known about one reference file.

    Args:
        sha256: the file's hash, which records are kept by.
        looks: what was seen in it; None where nobody could look.
        faces: how many faces were counted; None where nobody counted.
        consent_ids: records of consent that cover this file, by their ids.
        has_rights: whether a record of rights covers this file.
    """

    sha256: str
    looks: Looks | None
    faces: int | None = None
    consent_ids: tuple[str, ...] = ()
    has_rights: bool = False


@dataclass(frozen=True, slots=True)
class Demands:
    """What a home asks of pictures beyond what is always checked.

    Args:
        looks: every picture is looked at for nudity; where nobody can, references wait and clips are blocked.
            Otherwise such a decision says in `degraded` that nobody looked.
        rights: every reference file has a record of its rights; one without waits.
    """

    looks: bool = True
    rights: bool = True


STRICT = Demands()
"""Everything is asked for; what an engine does that was told nothing else."""

NOT_LOOKED_AT = "vision pictures: not looked at"
"""Stands in `degraded` where no network was there to look, and the home does not ask for one."""

_NUDITY = Reason(en="A picture that was brought along looks like nudity.", ko="첨부된 이미지가 나체로 보입니다.")
_UNSEEN = Reason(
    en="A picture that was brought along could not be looked at, so an editor has to.",
    ko="첨부된 이미지를 확인할 수 없어 편집자가 보아야 합니다.",
)
_FACES = Reason(
    en="There are faces in a picture that was brought along, and no record of consent for it.",
    ko="첨부된 이미지에 얼굴이 있으나 동의 기록이 없습니다.",
)
_RIGHTS = Reason(
    en="There is no record of the rights in a picture that was brought along.",
    ko="첨부된 이미지의 권리 기록이 없습니다.",
)


_CLIP_NUDITY = Reason(en="Frames of the clip look like nudity.", ko="영상의 장면이 나체로 보입니다.")
_CLIP_UNSEEN = Reason(
    en="Frames of the clip could not be looked at, so it is not published.",
    ko="영상의 장면을 확인할 수 없어 내보내지 않습니다.",
)


def judge_looks(looks: Looks | None) -> tuple[Finding, ...]:
    """Give what a finished clip is objected to for, from what was seen in it; a look that failed blocks it."""
    if looks is None or looks.failed or not looks.scores:
        return (_finding("V06", "not_looked_at", Verdict.BLOCK, _CLIP_UNSEEN, stage="frame"),)
    if looks.lasts:
        return (_finding("V05", "nudity", Verdict.BLOCK, _CLIP_NUDITY, stage="frame"),)
    if looks.highest >= LIKELY:
        return (_finding("V05", "nudity", Verdict.REVIEW, _CLIP_NUDITY, stage="frame"),)
    return ()


def judge_reference(facts: ReferenceFacts, demands: Demands = STRICT) -> tuple[Finding, ...]:
    """Give what a reference file is objected to for.

    Args:
        facts: what was measured of it, and its records.
        demands: what the home asks.

    Raises:
        PolicyError: the facts cannot have been measured.
    """
    if facts.faces is not None and facts.faces < 0:
        raise PolicyError("Expected a count of faces, got a negative number.")
    return tuple(_findings(facts, demands))


def _findings(facts: ReferenceFacts, demands: Demands) -> Iterator[Finding]:
    if facts.looks is None:
        if demands.looks:
            yield _finding("V02", "not_looked_at", Verdict.REVIEW, _UNSEEN)
    elif facts.looks.failed or not facts.looks.scores:
        yield _finding("V02", "not_looked_at", Verdict.REVIEW, _UNSEEN)
    elif facts.looks.lasts:
        yield _finding("V01", "nudity", Verdict.BLOCK, _NUDITY)
    elif facts.looks.highest >= LIKELY:
        yield _finding("V01", "nudity", Verdict.REVIEW, _NUDITY)
    if facts.faces and not facts.consent_ids:
        yield _finding("V03", "face_without_consent", Verdict.REVIEW, _FACES)
    if demands.rights and not facts.has_rights:
        yield _finding("V04", "rights", Verdict.REVIEW, _RIGHTS)


def _finding(rule_id: str, category: str, action: Verdict, reason: Reason, *, stage: Stage = "reference") -> Finding:
    return Finding(rule_id, category, action, None, stage, reason, True, "vision")
