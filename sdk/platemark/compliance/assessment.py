"""Hold one file's evidence against profiles, clause by clause.

One rule: pure. A profile fails when one clause that binds fails; clauses that do not bind are listed as such.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from platemark.compliance.checks import CHECKS, Finding
from platemark.compliance.evidence import Evidence, Situation
from platemark.compliance.profile import Clause, Profile
from platemark.i18n import mark
from platemark_provenance.digest import JsonValue

EXIT_FAILED = 7
"""The contract's exit code when a clause fails."""


@dataclass(frozen=True, slots=True)
class ClauseResult:
    """A clause and what it came to."""

    clause: Clause
    finding: Finding

    @property
    def failed(self) -> bool:
        """Say whether the clause fails its profile."""
        return self.finding.outcome == "fail" and not self.clause.optional

    def to_json(self) -> dict[str, JsonValue]:
        """Give the result as JSON."""
        return {
            "id": self.clause.id,
            "clause": self.clause.clause,
            "since": self.clause.since.isoformat(),
            "outcome": self.finding.outcome,
            "optional": self.clause.optional,
            "text": dict(self.clause.text),
            "check": self.clause.check,
            "evidence": self.finding.evidence,
            "fields": list(self.finding.fields),
            "source": self.clause.source,
            "needs_legal_review": self.clause.needs_legal_review,
        }


@dataclass(frozen=True, slots=True)
class ProfileResult:
    """One profile's results, in the order of its file."""

    profile: Profile
    results: tuple[ClauseResult, ...]

    @property
    def passed(self) -> bool:
        """Say whether no binding clause fails."""
        return not any(result.failed for result in self.results)

    def to_json(self) -> dict[str, JsonValue]:
        """Give the results as JSON."""
        return {
            "profile": self.profile.id,
            "version": self.profile.version,
            "jurisdiction": self.profile.jurisdiction,
            "title": dict(self.profile.title),
            "passed": self.passed,
            "clauses": [result.to_json() for result in self.results],
        }


@dataclass(frozen=True, slots=True)
class Assessment:
    """One file held against one or more profiles."""

    evidence: Evidence
    situation: Situation
    day: date
    profiles: tuple[ProfileResult, ...]

    @property
    def passed(self) -> bool:
        """Say whether every profile passes."""
        return all(each.passed for each in self.profiles)

    @property
    def exit_code(self) -> int:
        """The exit code of `platemark comply`."""
        return 0 if self.passed else EXIT_FAILED

    def to_json(self) -> dict[str, JsonValue]:
        """Give the assessment as the JSON object of `platemark comply`."""
        situation = self.situation
        return {
            "path": self.evidence.report.to_json()["path"],
            "sha256": self.evidence.sha256,
            "passed": self.passed,
            "day": self.day.isoformat(),
            "situation": {
                "role": situation.role,
                "realistic": situation.realistic,
                "exported": situation.exported,
                "told": situation.told,
                "breaks": list(situation.breaks_s),
            },
            "verdict": str(self.evidence.report.verdict),
            "label": _measured(self.evidence),
            "profiles": [each.to_json() for each in self.profiles],
            "note": "A technical check written from public sources, not legal advice.",
        }


def assess(evidence: Evidence, profiles: Sequence[Profile], situation: Situation, *, on: date) -> Assessment:
    """Check every clause of some profiles.

    Args:
        evidence: of one file.
        profiles: the rule files.
        situation: who asks, about which use.
        on: the day whose law counts.
    """
    results = tuple(
        ProfileResult(profile, tuple(_result(evidence, clause, situation, on) for clause in profile.clauses))
        for profile in profiles
    )
    return Assessment(evidence, situation, on, results)


def _measured(evidence: Evidence) -> dict[str, JsonValue]:
    """Give what was measured of the label in the pixels; `sighting` is None where none was found."""
    label, seen = evidence.label, evidence.label.sighting
    sighting: dict[str, JsonValue] | None = None
    if seen is not None:
        sighting = {
            "text": seen.text,
            "place": seen.place,
            "box": [seen.x, seen.y, seen.width, seen.height],
            "letter_height": seen.letter_height,
            "height_share": seen.height_share,
            "contrast": seen.contrast,
        }
    return {"frames": label.frames, "labelled": label.labelled, "sighting": sighting}


def _result(evidence: Evidence, clause: Clause, situation: Situation, on: date) -> ClauseResult:
    if not clause.applies(situation, on=on):
        return ClauseResult(clause, Finding("not_applicable", mark("does not bind in this situation")))
    return ClauseResult(clause, CHECKS[clause.check](evidence, situation, clause.parameters))
