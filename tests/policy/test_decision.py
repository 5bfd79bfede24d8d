"""Decisions are values: ordered, comparable, and free of the text they are about."""

import json
from dataclasses import FrozenInstanceError
from datetime import UTC, datetime, timedelta, timezone
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platemark_policy.decision import (
    Decision,
    Finding,
    PackId,
    Reason,
    Verdict,
    in_report_order,
    most_severe,
    utc_instant,
)
from platemark_policy.errors import PolicyError, PromptHeld, PromptRefused

VERDICTS = st.sampled_from(list(Verdict))


def finding(rule_id: str, action: Verdict, *, start: int | None = None) -> Finding:
    span = None if start is None else (start, start + 3)
    return Finding(rule_id, "fruit", action, span, "prompt", Reason("No.", "안 됩니다."), True, "rules")


@pytest.fixture
def decision() -> Decision:
    return Decision(
        verdict=Verdict.REVIEW,
        decision_id="d-7",
        findings=(finding("R1", Verdict.REVIEW, start=4),),
        pack=PackId("tiny", "1", "ab" * 32),
        normaliser_version="1",
        input_hmac="cd" * 32,
        degraded=("rules R2: KeyError",),
        decided_at=datetime(2026, 11, 22, 9, 30, tzinfo=UTC),
    )


def test_verdicts_are_ordered_by_severity() -> None:
    assert sorted(Verdict, key=lambda verdict: verdict.severity) == [Verdict.ALLOW, Verdict.REVIEW, Verdict.BLOCK]


def test_no_findings_allow() -> None:
    assert most_severe([]) is Verdict.ALLOW


@pytest.mark.parametrize("order", list(permutations(Verdict)))
def test_the_most_severe_verdict_wins_in_any_order(order: tuple[Verdict, ...]) -> None:
    assert most_severe(order) is Verdict.BLOCK


@given(st.lists(VERDICTS), VERDICTS)
def test_one_more_verdict_never_lowers_the_result(verdicts: list[Verdict], one_more: Verdict) -> None:
    assert most_severe([*verdicts, one_more]).severity >= most_severe(verdicts).severity


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_findings_read_the_same_in_any_order(order: tuple[int, ...]) -> None:
    findings = [
        finding("R3", Verdict.REVIEW, start=0),
        finding("R1", Verdict.BLOCK, start=9),
        finding("R2", Verdict.BLOCK, start=2),
        finding("R4", Verdict.BLOCK),
    ]

    reported = in_report_order(findings[index] for index in order)

    assert [entry.rule_id for entry in reported] == ["R4", "R2", "R1", "R3"]


def test_the_same_finding_is_reported_once() -> None:
    assert len(in_report_order([finding("R1", Verdict.BLOCK), finding("R1", Verdict.BLOCK)])) == 1


@pytest.mark.parametrize(("language", "text"), [("ko", "안 됩니다."), ("en", "No."), ("fr", "No.")])
def test_a_reason_speaks_korean_or_english(language: str, text: str) -> None:
    assert Reason("No.", "안 됩니다.").in_language(language) == text


def test_a_decision_becomes_the_documented_json(decision: Decision) -> None:
    assert decision.to_json() == {
        "verdict": "review",
        "decision_id": "d-7",
        "findings": [
            {
                "rule_id": "R1",
                "category": "fruit",
                "action": "review",
                "span": [4, 7],
                "stage": "prompt",
                "reason": {"en": "No.", "ko": "안 됩니다."},
                "overridable": True,
                "layer": "rules",
            }
        ],
        "pack": {"id": "tiny", "version": "1", "sha256": "ab" * 32},
        "normaliser_version": "1",
        "input_hmac": "cd" * 32,
        "degraded": ["rules R2: KeyError"],
        "classifier_sha256": "",
        "consent_ids": [],
        "jurisdiction": "",
        "is_permissive": False,
        "decided_at": "2026-11-22T09:30:00.000000Z",
    }


def test_a_decision_survives_json(decision: Decision) -> None:
    assert json.loads(json.dumps(decision.to_json())) == decision.to_json()


def test_a_finding_without_a_place_has_a_null_span() -> None:
    assert finding("R1", Verdict.BLOCK).to_json()["span"] is None


def test_a_decision_cannot_be_changed(decision: Decision) -> None:
    with pytest.raises(FrozenInstanceError):
        decision.verdict = Verdict.ALLOW  # type: ignore[misc]  # the point of the test


def test_an_instant_is_given_in_utc() -> None:
    seoul = datetime(2026, 11, 22, 18, 30, tzinfo=timezone(timedelta(hours=9)))

    assert utc_instant(seoul).isoformat() == "2026-11-22T09:30:00+00:00"


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(PolicyError, match="no time zone"):
        utc_instant(datetime(2026, 11, 22))


def test_a_refusal_carries_its_decision(decision: Decision) -> None:
    refusal = PromptRefused(decision)

    assert (refusal.decision, refusal.exit_code) == (decision, 3)


def test_a_hold_carries_its_decision_and_its_ticket(decision: Decision) -> None:
    hold = PromptHeld(decision, "t-1")

    assert (hold.decision, hold.ticket, hold.exit_code) == (decision, "t-1", 8)
    assert "t-1" in str(hold)
