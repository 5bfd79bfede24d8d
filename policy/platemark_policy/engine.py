"""Screen prompts and frames: the one place where the layers of the policy come together.

One rule: fail closed. A decision is a pure function of the input, the pack and the clock handed in; every layer can
only raise the verdict; and whatever breaks inside a layer becomes a finding that waits for an editor, never a pass.
Prompts are neither logged nor printed nor kept.
"""

import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from platemark_policy.conditions import Reading, read_prompt
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
from platemark_policy.language import judge_text, too_long
from platemark_policy.normalize import NORMALISER_VERSION
from platemark_policy.pack import Rule, RulePack

MAX_PROMPT_CHARS = 4_000
"""The longest prompt that is screened; a longer one is refused, since only part of it could be."""

_MIN_KEY_BYTES = 16
_FAILED_REASON = Reason(
    en="Part of the screening could not be completed, so an editor has to decide.",
    ko="심사의 일부를 마치지 못해 편집자가 결정해야 합니다.",
)


class Engine:
    """Decide about prompts and frames with one rule pack.

    Args:
        pack: a loaded pack.
        input_key: at least 16 secret bytes; inputs are named by their HMAC-SHA256 under it.

    Raises:
        PolicyError: the key is too short.
    """

    def __init__(self, pack: RulePack, *, input_key: bytes) -> None:
        if len(input_key) < _MIN_KEY_BYTES:
            raise PolicyError(f"Expected an input key of {_MIN_KEY_BYTES} bytes or more, got {len(input_key)}.")
        self._pack = pack
        self._key = input_key

    @property
    def pack(self) -> RulePack:
        """Give the pack decisions are made with."""
        return self._pack

    def screen_prompt(
        self, text: str, *, at: datetime, decision_id: str, metadata: Mapping[str, str] | None = None
    ) -> Decision:
        """Decide whether a clip may be made from a prompt.

        Args:
            text: the prompt as it was given.
            at: the request's clock, aware.
            decision_id: the caller's name for this decision.
            metadata: facts about the request that rules may ask for, such as `task`; they only ever add findings.

        Raises:
            PolicyError: `at` has no time zone.
        """
        instant = utc_instant(at)
        screening = _Screening("prompt")
        if len(text) > MAX_PROMPT_CHARS:
            screening.findings.append(too_long(text, limit=MAX_PROMPT_CHARS))
        else:
            screening.run("normaliser", "text", lambda: judge_text(text))
            self._run_rules(screening, text, instant, metadata or {})
        return self._decide(screening, text.encode("utf-8", "surrogatepass"), instant, decision_id)

    def screen_frames(self, facts: FrameFacts, *, at: datetime, decision_id: str) -> Decision:
        """Decide whether a finished clip may be published, from what `FrameScreen` measured.

        Raises:
            PolicyError: `at` has no time zone.
        """
        screening = _Screening("frame")
        screening.run("frames", "facts", lambda: judge_frames(facts))
        return self._decide(screening, repr(facts).encode(), utc_instant(at), decision_id)

    def _run_rules(self, screening: "_Screening", text: str, at: datetime, metadata: Mapping[str, str]) -> None:
        readings: list[Reading] = []

        def _read() -> tuple[Finding, ...]:
            readings.append(read_prompt(text, self._pack.lexicon, metadata=metadata, at=at))
            return ()

        screening.run("normaliser", "words", _read)
        for reading in readings:
            for rule in self._pack.rules:
                screening.run("rules", rule.id, _judgement(rule, reading))

    def _decide(self, screening: "_Screening", content: bytes, at: datetime, decision_id: str) -> Decision:
        findings = in_report_order(screening.findings)
        return Decision(
            verdict=most_severe(finding.action for finding in findings),
            decision_id=decision_id,
            findings=findings,
            pack=self._pack.pack_id,
            normaliser_version=NORMALISER_VERSION,
            input_hmac=hmac.new(self._key, content, hashlib.sha256).hexdigest(),
            degraded=tuple(sorted(screening.degraded)),
            decided_at=at,
        )


@dataclass
class _Screening:
    """Collect what the layers say about one input."""

    stage: Stage
    findings: list[Finding] = field(default_factory=list)
    degraded: set[str] = field(default_factory=set)

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


def _failed(stage: Stage) -> Finding:
    return Finding("E01", "not_screened", Verdict.REVIEW, None, stage, _FAILED_REASON, True, "engine")
