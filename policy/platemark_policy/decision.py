"""The words the policy layer answers in: a verdict, the findings behind it, and the pack that was asked.

One rule: values only. Nothing here reads a clock, a file or a prompt, and nothing here can hold a prompt: a decision
carries spans and a keyed digest, so that a log of decisions is not a log of prompts.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Literal

from platemark_policy.errors import PolicyError
from platemark_provenance.digest import JsonValue

Span = tuple[int, int]
"""Start and end of a piece of text, in characters, end exclusive."""

Stage = Literal["prompt", "reference", "frame"]
"""What was looked at."""

Layer = Literal["normaliser", "rules", "classifier", "guard", "vision", "frames", "history", "engine"]
"""Which part of the policy found it; layers are independent and each can only raise the verdict."""


class Verdict(StrEnum):
    """What may happen next: go on, wait for an editor, or stop."""

    ALLOW = "allow"
    REVIEW = "review"
    BLOCK = "block"

    @property
    def severity(self) -> int:
        """Give the place in the order allow < review < block."""
        return _SEVERITY[self]


_SEVERITY = {Verdict.ALLOW: 0, Verdict.REVIEW: 1, Verdict.BLOCK: 2}


def most_severe(verdicts: Iterable[Verdict]) -> Verdict:
    """Give the most severe verdict, `allow` for none at all; the order of the verdicts does not matter."""
    return max(verdicts, key=lambda verdict: verdict.severity, default=Verdict.ALLOW)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why, in words for the person who wrote the prompt.

    Args:
        en: one or two English sentences.
        ko: the same in Korean.
    """

    en: str
    ko: str

    def in_language(self, language: str) -> str:
        """Give the Korean text for `ko` and the English text for every other language."""
        return self.ko if language == "ko" else self.en


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing the policy objects to.

    Args:
        rule_id: `R…` for a rule of the pack, `N…` for unreadable text, `F…` for frames, `E…` for a failure of ours.
        category: a short word to count by, such as `named_person`.
        action: what this finding alone asks for; never `allow`.
        span: where, in the text as it was given; None where no piece of text is at fault.
        stage: what was looked at.
        reason: why, in both languages.
        overridable: whether an editor may let it pass.
        layer: which part found it.
    """

    rule_id: str
    category: str
    action: Verdict
    span: Span | None
    stage: Stage
    reason: Reason
    overridable: bool
    layer: Layer

    def to_json(self) -> dict[str, JsonValue]:
        """Give the finding as the JSON object of the command line and the ledger."""
        return {
            "rule_id": self.rule_id,
            "category": self.category,
            "action": self.action.value,
            "span": None if self.span is None else list(self.span),
            "stage": self.stage,
            "reason": {"en": self.reason.en, "ko": self.reason.ko},
            "overridable": self.overridable,
            "layer": self.layer,
        }


@dataclass(frozen=True, slots=True)
class PackId:
    """Name the exact rules a decision was made with.

    Args:
        id: the pack's name.
        version: the version written in the pack.
        sha256: hex digest over every file of the pack, so that a changed list is another pack.
    """

    id: str
    version: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Decision:
    """What the policy decided about one input, and all that is needed to check that later.

    Args:
        verdict: the most severe action of the findings; whatever failed is a finding.
        decision_id: the caller's name for this decision.
        findings: most severe first, then by place in the text, then by rule.
        pack: the rules that were asked.
        normaliser_version: changes whenever the same text could normalise differently.
        input_hmac: hex HMAC-SHA256 of the input under the home's key; links decisions to inputs without keeping them.
        degraded: what could not be checked, such as `rules R02.1: KeyError`; empty on a good day. What failed also has
            a finding; what nobody asked for, such as looking at pictures where no network is installed, has none.
        decided_at: aware UTC.
        classifier_sha256: the model whose scores the rules asked for; empty where none was asked.
        consent_ids: the records of consent that were looked at, in order.
        jurisdiction: whose law the calendar was read for; empty where none was named.
        is_permissive: whether the pack is one for tests only; such a decision is stamped into the manifest.
        sketch: keyed similarity hash of the text, by which a retry is noticed; empty where no history was looked at.
    """

    verdict: Verdict
    decision_id: str
    findings: tuple[Finding, ...]
    pack: PackId
    normaliser_version: str
    input_hmac: str
    degraded: tuple[str, ...]
    decided_at: datetime
    classifier_sha256: str = ""
    consent_ids: tuple[str, ...] = ()
    jurisdiction: str = ""
    is_permissive: bool = False
    sketch: str = ""

    def to_json(self) -> dict[str, JsonValue]:
        """Give the decision as the JSON object of `policy check`, refusals and holds."""
        sketch: dict[str, JsonValue] = {"sketch": self.sketch} if self.sketch else {}
        return sketch | {
            "verdict": self.verdict.value,
            "decision_id": self.decision_id,
            "findings": [finding.to_json() for finding in self.findings],
            "pack": {"id": self.pack.id, "version": self.pack.version, "sha256": self.pack.sha256},
            "normaliser_version": self.normaliser_version,
            "input_hmac": self.input_hmac,
            "degraded": list(self.degraded),
            "classifier_sha256": self.classifier_sha256,
            "consent_ids": list(self.consent_ids),
            "jurisdiction": self.jurisdiction,
            "is_permissive": self.is_permissive,
            "decided_at": self.decided_at.isoformat(timespec="microseconds").replace("+00:00", "Z"),
        }


def in_report_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Sort findings so that the same set always reads the same, the most severe first."""
    return tuple(sorted(set(findings), key=_report_key))


def utc_instant(at: datetime) -> datetime:
    """Give the same instant in UTC.

    Raises:
        PolicyError: the datetime does not say which time zone it is in.
    """
    if at.tzinfo is None:
        raise PolicyError("A decision needs an aware datetime; this one has no time zone.", fix="Pass UTC.")
    return at.astimezone(UTC)


def _report_key(finding: Finding) -> tuple[int, Span, str]:
    return (-finding.action.severity, finding.span or (-1, -1), finding.rule_id)
