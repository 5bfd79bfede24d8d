"""Screen prompts and frames: the one place where the layers of the policy come together.

One rule: fail closed. A decision is a pure function of the input, the pack and the clock handed in; every layer can
only raise the verdict; and whatever breaks inside a layer becomes a finding that waits for an editor, never a pass.
Prompts are neither logged nor printed nor kept.
"""

import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from platemark_policy.classifier import Classifier, load_classifier
from platemark_policy.conditions import Levels, Reading, asks_classifier, read_prompt
from platemark_policy.consent import Consent, find_agreed
from platemark_policy.decision import (
    Decision,
    Finding,
    Layer,
    Reason,
    Stage,
    Verdict,
    in_report_order,
    most_severe,
    utc_instant,
)
from platemark_policy.errors import PolicyError
from platemark_policy.frames import FrameFacts, judge_frames
from platemark_policy.guard import Guard, ask_guard
from platemark_policy.history import History, judge_history, sketch_text
from platemark_policy.language import judge_text, too_long
from platemark_policy.normalize import NORMALISER_VERSION, Normalized
from platemark_policy.nudity import Looks
from platemark_policy.pack import Rule, RulePack
from platemark_policy.references import (
    NOT_LOOKED_AT,
    STRICT,
    Demands,
    ReferenceFacts,
    judge_looks,
    judge_reference,
)

MAX_PROMPT_CHARS = 4_000
"""The longest prompt that is screened; a longer one is refused, since only part of it could be."""

_MIN_KEY_BYTES = 16
_STALE_REASON = Reason(
    en="The rule pack is outside the time it is valid for, so an editor has to decide.",
    ko="규칙 묶음의 유효 기간이 지났거나 시작되지 않아 편집자가 결정해야 합니다.",
)
_UNSIGNED_REASON = Reason(
    en="Nobody has signed the rule pack in use, so an editor has to decide.",
    ko="사용 중인 규칙 묶음에 서명이 없어 편집자가 결정해야 합니다.",
)
_FAILED_REASON = Reason(
    en="Part of the screening could not be completed, so an editor has to decide.",
    ko="심사의 일부를 마치지 못해 편집자가 결정해야 합니다.",
)


@dataclass(frozen=True, slots=True)
class Context:
    """What is known about a request beside its text; a decision is a function of it too.

    Args:
        metadata: facts that rules may ask for, such as `task`; they only ever add findings.
        consents: standing records of consent; they take findings about the people they name away, and no others.
        history: what the person who asks was refused before; None where nobody looked.
    """

    metadata: Mapping[str, str] = field(default_factory=dict)
    consents: tuple[Consent, ...] = ()
    history: History | None = None


class Engine:
    """Decide about prompts and frames with one rule pack.

    Args:
        pack: a loaded pack.
        input_key: at least 16 secret bytes; inputs are named by their HMAC-SHA256 under it.
        classifier: gives the classifier when a rule first asks for a score; the one that comes with platemark.
        guards: second opinions; each can only raise the verdict, and its failure makes a prompt wait.
        demands: what is asked of pictures beyond what is always checked.

    Raises:
        PolicyError: the key is too short.
    """

    def __init__(
        self,
        pack: RulePack,
        *,
        input_key: bytes,
        classifier: Callable[[], Classifier] = load_classifier,
        guards: tuple[Guard, ...] = (),
        demands: Demands = STRICT,
    ) -> None:
        if len(input_key) < _MIN_KEY_BYTES:
            raise PolicyError(f"Expected an input key of {_MIN_KEY_BYTES} bytes or more, got {len(input_key)}.")
        self._pack = pack
        self._key = input_key
        self._classifier = classifier
        self._guards = guards
        self._demands = demands

    @property
    def pack(self) -> RulePack:
        """Give the pack decisions are made with."""
        return self._pack

    def name_input(self, content: bytes) -> str:
        """Name an input without keeping it: hex HMAC-SHA256 under the home's key, so that nobody can guess it back."""
        return hmac.new(self._key, content, hashlib.sha256).hexdigest()

    def name_person(self, term: str) -> str:
        """Give the keyed digest under which a person's name, as `consent.name_as_term` gives it, is recorded."""
        return self.name_input(b"person:" + term.encode())

    def screen_prompt(
        self,
        text: str,
        *,
        at: datetime,
        decision_id: str,
        metadata: Mapping[str, str] | None = None,
        context: Context | None = None,
    ) -> Decision:
        """Decide whether a clip may be made from a prompt.

        Args:
            text: the prompt as it was given.
            at: the request's clock, aware.
            decision_id: the caller's name for this decision.
            metadata: facts about the request, where there is no more to its context.
            context: what is known about the request beside its text.

        Raises:
            PolicyError: `at` has no time zone.
        """
        instant, known = utc_instant(at), context or Context(metadata or {})
        screening = _Screening("prompt")
        if len(text) > MAX_PROMPT_CHARS:
            screening.findings.append(too_long(text, limit=MAX_PROMPT_CHARS))
        else:
            screening.run("normaliser", "text", lambda: judge_text(text))
            self._run_rules(screening, self._pack.rules, text, instant, known)
            for number, guard in enumerate(self._guards, start=1):
                screening.run("guard", str(number), partial(ask_guard, guard, text))
        sketch = self._look_back(screening, text, known, instant)
        decision = self._decide(screening, text.encode("utf-8", "surrogatepass"), instant, decision_id)
        jurisdiction = known.metadata.get("jurisdiction", "")
        return replace(decision, jurisdiction=jurisdiction, consent_ids=tuple(screening.consent_ids), sketch=sketch)

    def first_answer(self, text: str, *, at: datetime, metadata: Mapping[str, str] | None = None) -> Verdict:
        """Give what the words alone ask for, within a millisecond; `screen_prompt` can only be more severe.

        Args:
            text: the prompt as it was given.
            at: the request's clock, aware.
            metadata: facts about the request.

        Raises:
            PolicyError: `at` has no time zone.
        """
        instant = utc_instant(at)
        screening = _Screening("prompt")
        if len(text) > MAX_PROMPT_CHARS:
            return Verdict.BLOCK
        screening.run("normaliser", "text", lambda: judge_text(text))
        words_only = tuple(rule for rule in self._pack.rules if not asks_classifier(rule.when))
        self._run_rules(screening, words_only, text, instant, Context(metadata or {}))
        return most_severe(finding.action for finding in screening.findings)

    def screen_frames(
        self, facts: FrameFacts, *, at: datetime, decision_id: str, looks: Looks | None = None
    ) -> Decision:
        """Decide whether a finished clip may be published, from what `FrameScreen` measured.

        Args:
            facts: what was measured.
            at: the clock, aware.
            decision_id: the caller's name for this decision.
            looks: what `NudityWatch` saw, where the clip was looked at.

        Raises:
            PolicyError: `at` has no time zone.
        """
        screening = _Screening("frame")
        screening.run("frames", "facts", lambda: judge_frames(facts))
        if looks is None and not self._demands.looks:
            screening.degraded.add(NOT_LOOKED_AT)
            return self._decide(screening, repr(facts).encode(), utc_instant(at), decision_id)
        screening.run("vision", "looks", lambda: judge_looks(looks))
        return self._decide(screening, repr((facts, looks)).encode(), utc_instant(at), decision_id)

    def screen_reference(self, facts: ReferenceFacts, *, at: datetime, decision_id: str) -> Decision:
        """Decide whether a file that was brought along may be used, from what was measured of it and its records.

        Raises:
            PolicyError: `at` has no time zone.
        """
        screening = _Screening("reference")
        screening.run("vision", "reference", lambda: judge_reference(facts, self._demands))
        if facts.looks is None:
            screening.degraded.add(NOT_LOOKED_AT)
        decision = self._decide(screening, repr(facts).encode(), utc_instant(at), decision_id)
        return replace(decision, consent_ids=facts.consent_ids)

    def _run_rules(
        self,
        screening: "_Screening",
        rules: tuple[Rule, ...],
        text: str,
        at: datetime,
        known: Context,
    ) -> None:
        readings: list[Reading] = []

        def _read() -> tuple[Finding, ...]:
            readings.append(
                read_prompt(text, self._pack.lexicon, metadata=known.metadata, at=at, levels=_once(self._levels))
            )
            return ()

        def _agree() -> tuple[Finding, ...]:
            agreed = find_agreed(text, readings[0], known.consents, self.name_person)
            screening.consent_ids.extend(agreed.ids)
            readings[0] = replace(readings[0], consented=agreed.spans)
            return ()

        screening.run("normaliser", "words", _read)
        if known.consents and readings:
            screening.run("rules", "consent", _agree)
        for reading in readings:
            for rule in rules:
                screening.run("rules", rule.id, _judgement(rule, reading))

    def _look_back(self, screening: "_Screening", text: str, known: Context, at: datetime) -> str:
        """Hold a prompt against what the person was refused before; give its sketch."""
        if known.history is None:
            return ""
        sketches: list[str] = []
        found, past = tuple(screening.findings), known.history

        def _judge() -> tuple[Finding, ...]:
            sketches.append(sketch_text(text, self._key))
            return judge_history(past, sketches[0], found, at=at)

        screening.run("history", "refusals", _judge)
        return "".join(sketches)

    def _levels(self, readings: tuple[Normalized, ...]) -> Mapping[str, int]:
        return self._classifier().levels(readings)

    def _decide(self, screening: "_Screening", content: bytes, at: datetime, decision_id: str) -> Decision:
        if self._pack.valid is not None and not self._pack.valid[0] <= at <= self._pack.valid[1]:
            screening.degraded.add("pack: stale")
            screening.findings.append(_engine_finding("E02", "stale_pack", screening.stage, _STALE_REASON))
        if self._pack.is_unsigned:
            screening.degraded.add("pack: unsigned")
            screening.findings.append(_engine_finding("E03", "unsigned_pack", screening.stage, _UNSIGNED_REASON))
        models: list[str] = []
        if self._pack.asks_classifier and screening.stage == "prompt":
            screening.run("classifier", "model", lambda: _noted(models, self._classifier().sha256))
        findings = in_report_order(screening.findings)
        return Decision(
            verdict=most_severe(finding.action for finding in findings),
            decision_id=decision_id,
            findings=findings,
            pack=self._pack.pack_id,
            normaliser_version=NORMALISER_VERSION,
            input_hmac=self.name_input(content),
            degraded=tuple(sorted(screening.degraded)),
            decided_at=at,
            classifier_sha256="".join(models),
            is_permissive=self._pack.is_permissive,
        )


@dataclass
class _Screening:
    """Collect what the layers say about one input."""

    stage: Stage
    findings: list[Finding] = field(default_factory=list)
    degraded: set[str] = field(default_factory=set)
    consent_ids: list[str] = field(default_factory=list)

    def run(self, layer: Layer, part: str, look: Callable[[], Iterable[Finding]]) -> None:
        """Ask one part of one layer; if it breaks, note that and let an editor decide."""
        try:
            self.findings.extend(look())
        # The one broad catch of the policy. Whatever a rule or a character breaks in here, letting the error out would
        # let a caller that handles errors go on without a verdict; the type is kept, the message may quote the prompt.
        except Exception as error:  # noqa: BLE001
            self.degraded.add(f"{layer} {part}: {type(error).__name__}")
            self.findings.append(_failed(self.stage))


def _judgement(rule: Rule, reading: Reading) -> Callable[[], tuple[Finding, ...]]:
    def _judge() -> tuple[Finding, ...]:
        finding = rule.judge(reading)
        return () if finding is None else (finding,)

    return _judge


def _once(levels: Levels) -> Levels:
    """Ask at most once for one prompt, however many rules want to know; a failure is told to each of them."""
    known: list[Mapping[str, int]] = []

    def _known(readings: tuple[Normalized, ...]) -> Mapping[str, int]:
        if not known:
            known.append(levels(readings))
        return known[0]

    return _known


def _failed(stage: Stage) -> Finding:
    return _engine_finding("E01", "not_screened", stage, _FAILED_REASON)


def _engine_finding(rule_id: str, category: str, stage: Stage, reason: Reason) -> Finding:
    action = Verdict.REVIEW if stage == "prompt" else Verdict.BLOCK
    return Finding(rule_id, category, action, None, stage, reason, True, "engine")


def _noted(names: list[str], name: str) -> tuple[Finding, ...]:
    names.append(name)
    return ()
